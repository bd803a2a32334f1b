//! How files look.

use crate::hold;
use crate::tree::{File, files};

/// How long a file may be before it is more than one thing.
const LINES: usize = 700;

/// Longer files, and why they are one thing all the same.
const LONG: &[(&str, &str)] =
    &[("vmsys-core/src/engine/inspect.rs", "a case for each kind of value, in the order of Node's util.inspect")];

/// Hosts that the files of this repository may link to.
const HOSTS: &[&str] = &[
    "127.0.0.1",
    "api.example.com",
    // Where the libraries of the catalogue come from.
    "cdn.jsdelivr.net",
    "example.com",
    "example.org",
    "crates.io",
    "developer.mozilla.org",
    "docs.rs",
    "github.com",
    "keepachangelog.com",
    "nodejs.org",
    "semver.org",
    "tc39.es",
    "www.apache.org",
    "www.rfc-editor.org",
    "www.sqlite.org",
    "www.w3.org",
];

/// What programs have written, and not we.
const WRITTEN: [&str; 2] = ["Cargo.lock", NPM_LOCK];

const NPM_LOCK: &str = "vmsys-server/ui/package-lock.json";

fn ours() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| !WRITTEN.contains(&file.path.as_str()))
}

/// Every line for which the function has something to say.
fn lines(files: impl Iterator<Item = &'static File>, mut say: impl FnMut(&str) -> Option<String>) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in (1..).zip(file.text.lines()) {
            found.extend(say(line).map(|what| file.at(number, &what)));
        }
    }
    found
}

#[test]
fn every_file_says_what_it_is() {
    let found = files().iter().filter(|file| file.is_rust() && !file.text.starts_with("//!"));
    hold(found.map(|file| file.path.clone()), "Begin the file with a `//!` line: one sentence that says what it is.");
}

#[test]
fn nothing_is_left_to_be_done() {
    // In two halves, so that the words do not stand here.
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X:"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
    ];
    let say = |line: &str| words.iter().find(|word| line.contains(**word)).map(|word| (*word).to_owned());
    hold(
        lines(ours(), say),
        "Do it now, or open an issue that says what is missing; if callers can meet the gap, refuse what is asked for \
         with a clear error.",
    );
}

#[test]
fn files_are_about_one_thing() {
    let excused = |path: &str| LONG.iter().any(|(file, _)| *file == path);
    let long = |file: &&File| file.is_shipped_rust() && file.text.lines().count() > LINES;
    let found = files().iter().filter(long).filter(|file| !excused(&file.path));
    hold(
        found.map(|file| format!("{}: {} lines", file.path, file.text.lines().count())),
        "Split it along what it is about, and move its tests to a `tests.rs` beside it. A table may be long: name it in \
         LONG, here, with the reason.",
    );
    let stale = LONG.iter().filter(|(path, _)| !files().iter().filter(long).any(|file| file.path == *path));
    hold(stale.map(|(path, _)| (*path).to_owned()), "These are short enough by now: take them out of LONG.");
}

#[test]
fn lines_end_where_they_end() {
    let mut found = lines(ours(), |line| line.ends_with([' ', '\t', '\r']).then(|| "trailing space".to_owned()));
    let ends = |file: &&File| !file.text.is_empty() && (!file.text.ends_with('\n') || file.text.ends_with("\n\n"));
    found.extend(ours().filter(ends).map(|file| format!("{}: must end with one line break", file.path)));
    hold(found, "Take the spaces off: `cargo fmt` does it for Rust, an editor for the rest.");
}

#[test]
fn nothing_is_about_one_machine() {
    // In two halves, so that they do not stand here.
    let homes = [
        concat!("/ro", "ot/"),
        concat!("/ho", "me/"),
        concat!("/Us", "ers/"),
        concat!("/wo", "rk/"),
        concat!("C:\\Us", "ers"),
    ];
    let say = |line: &str| {
        let place = homes.iter().find(|home| {
            line.match_indices(**home)
                .any(|(at, _)| !line[..at].ends_with(|char: char| char.is_alphanumeric() || "./_-}".contains(char)))
        });
        place.map(|place| (*place).to_owned())
    };
    hold(lines(ours(), say), "Use a path relative to the checkout, or a temporary directory.");
}

#[test]
fn links_lead_to_known_hosts() {
    let say = |line: &str| {
        let parts: Vec<&str> = line.split("://").collect();
        let links = parts.windows(2).filter(|pair| pair[0].ends_with("http") || pair[0].ends_with("https"));
        links.map(|pair| host_of(pair[1])).find(|host| is_host(host) && !is_known(host)).map(str::to_owned)
    };
    // The parser of addresses is tested with strange ones.
    let files =
        ours().filter(|file| !file.path.starts_with("vmsys-cli/src/client/url") && !file.path.contains("tests"));
    hold(
        lines(files, say),
        "Registries, mirrors and machines of yours do not belong here; a public page worth a link goes into HOSTS.",
    );
}

#[test]
fn the_lock_file_of_npm_names_no_registry() {
    let lock = files().iter().find(|file| file.path == NPM_LOCK).expect("the packages of the UI are locked");
    assert!(lock.text.contains("\"integrity\""), "checksums say what is installed");
    hold(
        lines([lock].into_iter(), |line| line.contains("\"resolved\"").then(|| line.trim().to_owned())),
        "Whoever installs has a registry of their own: `omit-lockfile-registry-resolved` is set in .npmrc, so run npm in \
         vmsys-server/ui.",
    );
}

/// The host of an address, without what stands before and after it.
fn host_of(address: &str) -> &str {
    let authority = address.split(['/', '"', '\'', '`', ' ', ')', '>', '?', '#', ',']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    host.split(':').next().unwrap_or_default()
}

fn is_known(host: &str) -> bool {
    // These can belong to nobody.
    HOSTS.contains(&host) || [".example", ".invalid", ".test"].iter().any(|reserved| host.ends_with(reserved))
}

/// Tells a host from a placeholder, such as `{address}` or `ADDRESS`.
fn is_host(host: &str) -> bool {
    host.contains('.') && host.starts_with(|char: char| char.is_ascii_alphanumeric())
}
