//! Notes what the crate is built from: the commit, the target, the profile and the compiler; and whether the web UI has been
//! built. That is never done here: it is `cargo xtask ui`'s work, and a build of the daemon neither needs npm nor reaches for a
//! network.
//!
//! No time is noted, so that the same source gives the same program. What cannot be found out is `unknown`, and fails no
//! build; a UI that is required and missing does.

use std::path::Path;
use std::process::{self, Command};
use std::{env, fs};

/// Where Vite puts what it has built.
const DIST: &str = "ui/dist";

/// Names the commit where neither git nor cargo can: a variable of whoever builds from an archive.
const TOLD: &str = "VM_SYSTEM_COMMIT";

/// What cargo puts into a packaged crate: the commit that it was packaged from.
const PACKAGED_FROM: &str = ".cargo_vcs_info.json";

fn main() {
    let of_cargo = |name| env::var(name).unwrap_or_default();
    let compiler = output(Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())).arg("--version"));
    let facts = [
        ("COMMIT", told().or_else(packaged_from).or_else(commit).unwrap_or_default()),
        ("TARGET", of_cargo("TARGET")),
        ("PROFILE", of_cargo("PROFILE")),
        ("RUSTC", compiler.unwrap_or_default()),
    ];
    for (name, value) in facts {
        let value = if value.is_empty() { "unknown" } else { &value };
        tell(&format!("rustc-env=VMSYS_BUILD_{name}={value}"));
    }
    tell("rerun-if-changed=build.rs");
    look_for_ui();
}

fn look_for_ui() {
    // What is watched must exist: cargo would otherwise run this, and compile the crate, each time. A checkout that cannot
    // be written to loses nothing but that.
    let _ = fs::create_dir_all(DIST);
    tell(&format!("rerun-if-changed={DIST}"));
    tell("rerun-if-env-changed=VM_UI");
    tell("rustc-check-cfg=cfg(vm_ui)");
    if Path::new(DIST).join("index.html").is_file() {
        tell("rustc-cfg=vm_ui");
    } else if env::var("VM_UI").is_ok_and(|value| value == "require") {
        tell("error=VM_UI=require, and the web UI has not been built: `cargo xtask ui` builds it");
        process::exit(1);
    }
}

/// Tells cargo something.
#[allow(clippy::print_stdout, reason = "it is how a build script speaks to cargo")]
fn tell(what: &str) {
    println!("cargo::{what}");
}

/// The commit that the environment names.
fn told() -> Option<String> {
    tell(&format!("rerun-if-env-changed={TOLD}"));
    env::var(TOLD)
        .ok()
        .filter(|commit| !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_graphic()))
        .map(|commit| short(&commit))
}

/// The commit that a packaged crate names, which is the first string of 40 hexadecimal digits in its note.
fn packaged_from() -> Option<String> {
    let note = fs::read_to_string(PACKAGED_FROM).ok()?;
    note.split('"').find(|word| word.len() == 40 && word.bytes().all(|byte| byte.is_ascii_hexdigit())).map(short)
}

/// The commit that is checked out, if this file is part of it: a crate that lies in somebody else's repository is not.
fn commit() -> Option<String> {
    git(&["ls-files", "--error-unmatch", "build.rs"])?;
    // What moves when another commit is checked out, and when one is made.
    for file in ["HEAD", "logs/HEAD"] {
        let path = git(&["rev-parse", "--git-path", file])?;
        // Cargo runs the script each time for a file that is not there.
        if Path::new(&path).exists() {
            tell(&format!("rerun-if-changed={path}"));
        }
    }
    git(&["rev-parse", "HEAD"]).map(|commit| short(&commit))
}

fn short(commit: &str) -> String {
    commit.chars().take(12).collect()
}

fn git(arguments: &[&str]) -> Option<String> {
    output(Command::new("git").args(arguments))
}

fn output(command: &mut Command) -> Option<String> {
    let output = command.output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}
