//! Runs the commands of README.md and of the topics of `vm-system help` as they are printed, and compares what they print.
//!
//! Blocks marked `bash` are run by one shell, in order, in an empty directory. A `text` block after one is what it
//! prints; `…` in it stands for what differs from run to run. Blocks marked `console` are for reading: they build.
#![cfg(unix)]

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use std::{env, net, thread};

/// Long enough for a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(120);

/// A line that tells where the output of one block ends. No command prints it.
const MARK: &str = "=== end of block ===";

/// Where the written topics are.
const TOPICS: &str = "vmsys-cli/src/help";

/// Commands, and what they print, if the document says.
struct Block<'a> {
    commands: &'a str,
    output: Option<&'a str>,
}

#[test]
fn the_commands_of_the_readme_run_as_printed() {
    run_as_printed("README.md", 6);
    run_as_printed("vmsys-cli/README.md", 1);
}

#[test]
fn the_commands_of_the_topics_run_as_printed() {
    for (topic, least) in [("getting-started", 4), ("templates-and-sessions", 4), ("examples", 7)] {
        run_as_printed(&format!("{TOPICS}/{topic}.md"), least);
    }
}

/// Blocks that are no `bash` and show commands, by document, and why they cannot be run here.
const NOT_RUN: &[(&str, usize, &str)] = &[
    ("README.md", 3, "two of them build the checkout, and one shows a prompt"),
    ("contributing.md", 1, "it builds the checkout, and tests it"),
];

#[test]
fn what_is_not_run_has_a_reason() {
    let topics =
        fs::read_dir(root().join(TOPICS)).expect("a folder of topics").map(|entry| entry.expect("a file").path());
    let pages = topics.chain([root().join("README.md")]).filter(|path| path.extension().is_some_and(|end| end == "md"));
    for path in pages {
        let text = fs::read_to_string(&path).expect("a page");
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let allowed = NOT_RUN.iter().find(|(page, ..)| *page == name).map_or(0, |(_, count, _)| *count);
        assert_eq!(text.matches("\n```console\n").count(), allowed, "{name}: say why in NOT_RUN, or make them `bash`");
        for language in ["sh", "shell", "zsh"] {
            assert!(!text.contains(&format!("\n```{language}\n")), "{name}: `bash` is what is run");
        }
    }
}

/// Runs a document's commands in a directory of their own.
#[track_caller]
fn run_as_printed(document: &str, least: usize) {
    let text = fs::read_to_string(root().join(document)).expect("the document is there");
    let mut blocks = blocks(&text);
    assert!(blocks.len() >= least, "{document} shows how to use it");
    if !there_is("curl") {
        // A machine with cargo alone runs the others.
        blocks.retain(|block| !block.commands.contains("curl"));
    }

    let place = tempfile::tempdir().expect("a directory");
    let said = run(&script(&blocks), place.path());
    let mut pieces = said.split(MARK);
    for block in blocks {
        let piece = pieces.next().unwrap_or_default();
        if let Some(expected) = block.output {
            let (expected, piece) = (expected.trim(), piece.trim());
            let commands = block.commands;
            assert!(
                matches(expected, piece),
                "{document}:\n{commands}\nshould print\n\n{expected}\n\nand prints\n\n{piece}\n"
            );
        }
    }
}

/// The `bash` blocks, each with the `text` block that follows before any other.
fn blocks(markdown: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    let mut last = "";
    let mut fences = markdown.split("\n```");
    fences.next();
    while let Some(fenced) = fences.next() {
        let (language, body) = fenced.split_once('\n').unwrap_or_default();
        match (language, blocks.last_mut()) {
            ("bash", _) => blocks.push(Block { commands: body, output: None }),
            ("text", Some(block)) if last == "bash" => block.output = Some(body),
            _ => {}
        }
        last = language;
        // What stands between this block and the next.
        fences.next();
    }
    blocks
}

/// All blocks as one script, which stops at the first command that fails.
fn script(blocks: &[Block<'_>]) -> String {
    let mut script = String::from("set -eu -o pipefail\n");
    for block in blocks {
        script.push_str(block.commands);
        // Answers of the API end without a line break.
        script.push_str(&format!("\nprintf '\\n{MARK}\\n'\n"));
    }
    script
}

/// Runs the script, and returns what a terminal would have shown.
fn run(script: &str, place: &Path) -> String {
    let output = place.join("output");
    let terminal = || File::options().create(true).append(true).open(&output).expect("a file");
    let path =
        env::join_paths([programs()].into_iter().chain(env::split_paths(&env::var_os("PATH").unwrap_or_default())));
    let address = free_address();

    let mut bash = Command::new("bash");
    bash.arg("-c").arg(script).current_dir(place).process_group(0);
    bash.stdin(Stdio::null()).stdout(terminal()).stderr(terminal());
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("VM_SYSTEM_")) {
        bash.env_remove(name);
    }
    bash.env("PATH", path.expect("a path")).env("VM_SYSTEM_LISTEN", &address);
    bash.env("VM_SYSTEM_URL", format!("http://{address}"));
    let mut shell = Group(bash.spawn().expect("there is a bash"));
    let status = shell.wait();

    let said = fs::read_to_string(&output).expect("its output is text");
    let log = fs::read_to_string(place.join("daemon.log")).unwrap_or_default();
    assert!(status.is_some_and(|status| status.success()), "{status:?}\n\n{said}\nThe daemon said:\n{log}");
    said
}

/// A shell and everything that it has started.
struct Group(Child);

impl Group {
    /// Waits for the shell; `None` when it does not end.
    fn wait(&mut self) -> Option<ExitStatus> {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.0.try_wait().expect("it is our child") {
                return Some(status);
            }
            thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Group {
    /// A script that stops half-way leaves its daemon behind.
    fn drop(&mut self) {
        let kill = format!("kill -KILL -- -{} 2> /dev/null", self.0.id());
        let _ = Command::new("bash").args(["-c", &kill]).status();
        let _ = self.0.wait();
    }
}

/// Tells whether a text is as expected, where `…` stands for anything on its line.
fn matches(expected: &str, found: &str) -> bool {
    expected.lines().count() == found.lines().count()
        && expected.lines().zip(found.lines()).all(|(expected, found)| line_matches(expected, found))
}

fn line_matches(expected: &str, found: &str) -> bool {
    let Some((start, rest)) = expected.split_once('…') else { return expected.trim_end() == found.trim_end() };
    let Some(mut left) = found.strip_prefix(start) else { return false };
    let mut parts: Vec<&str> = rest.split('…').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    left.trim_end().ends_with(end)
}

#[test]
fn an_ellipsis_stands_for_what_differs() {
    for (expected, found, result) in [
        ("a", "a", true),
        ("a", "b", false),
        ("a …", "a b", true),
        ("… b … d", "a b c d", true),
        ("… b … d", "a c b x d", true),
        ("… b … d", "a d", false),
        ("a …\nb", "a x\nb", true),
        ("a …", "a x\nb", false),
        ("a…a", "a", false),
    ] {
        assert_eq!(matches(expected, found), result, "{expected:?} {found:?}");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

/// Where cargo puts programs: tests stand in a folder of it.
fn programs() -> PathBuf {
    let own = env::current_exe().expect("a test is a file");
    let programs = own.ancestors().nth(2).expect("tests are in target/debug/deps").to_owned();
    assert!(programs.join("vm-system").exists(), "build the programs first: cargo build --workspace");
    programs
}

fn there_is(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

fn free_address() -> String {
    let listener = net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("it has an address").to_string()
}
