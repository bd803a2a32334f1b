//! `vm-system help`, and what is made of the same definition: completions and the manual.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::support::{Home, Ran, all_cases, holds, run, vm_system};

/// Pages are in the program: nothing is asked, and nothing waited for.
const AT_ONCE: Duration = Duration::from_secs(30);

fn help(arguments: &[&str]) -> Ran {
    let mut command = vm_system();
    command.args(arguments);
    run(command, AT_ONCE)
}

#[test]
fn topics_are_pages_and_plain_in_a_pipe() {
    let listed = help(&["help"]).expect(0);
    assert_eq!(listed.stdout, help(&["help", "topics"]).expect(0).stdout);
    let topics = [
        "getting-started",
        "architecture",
        "templates-and-sessions",
        "api-reference",
        "cli-command-reference",
        "examples",
        "contributing",
        "topics",
    ];
    all_cases(topics, |topic| {
        let page = help(&["help", topic]).expect(0);
        holds(topic, page.stderr.is_empty() && !page.stdout.contains('\u{1b}'), &page.stdout)?;
        holds(topic, listed.stdout.contains(topic), &listed.stdout)?;
        let colored = help(&["--color", "always", "help", topic]).expect(0);
        holds(topic, colored.stdout.contains("\u{1b}[1m"), &colored.stdout)?;
        let document: Value = serde_json::from_str(&help(&["help", topic, "--json"]).expect(0).stdout).unwrap();
        holds(topic, document["topic"] == topic && document["markdown"].as_str().is_some(), &document)
    });
}

#[test]
fn the_help_of_commands_is_what_their_flag_says() {
    let cases: [&[&str]; 5] = [&["template"], &["template", "create"], &["exec", "repl"], &["serve"], &["help"]];
    all_cases(cases, |path| {
        let said = help(&[&["help"], path].concat()).expect(0).stdout;
        let flag = help(&[path, &["--help"]].concat()).expect(0).stdout;
        holds(&path.join(" "), said == flag && said.contains("Usage:"), &said)
    });
    let of_group = help(&["template", "help", "create"]).expect(0).stdout;
    assert_eq!(of_group, help(&["template", "create", "--help"]).expect(0).stdout);
}

#[test]
fn what_there_is_no_help_about_is_refused_with_what_there_is() {
    let refused = help(&["help", "nonsense"]).expect(2);
    assert!(refused.stdout.is_empty() && refused.stderr.contains("hint: topics are getting-started"), "{refused:?}");
    let refused = help(&["help", "template", "nonsense"]).expect(2);
    assert!(refused.stderr.contains("hint: it has create, list"), "{refused:?}");
    let refused = help(&["help", "getting-started", "more"]).expect(2);
    assert!(refused.stderr.contains("`getting-started`"), "{refused:?}");
}

#[test]
fn shells_get_a_script_that_they_can_read() {
    all_cases(["bash", "zsh", "fish", "elvish", "powershell"], |shell| {
        let script = help(&["completions", shell]).expect(0).stdout;
        holds(shell, script.contains("runtime-summary") && script.contains("add-capability"), &script)
    });
    // The scripts of the others name no values of arguments without a flag.
    for shell in ["bash", "zsh"] {
        let script = help(&["completions", shell]).expect(0).stdout;
        assert!(script.contains("getting-started"), "{shell} knows no topics: {script}");
    }
    let mut bash = Command::new("bash");
    bash.arg("-n").stdin(Stdio::piped()).stderr(Stdio::piped());
    // A machine without bash has nobody to complete for.
    let Ok(mut reading) = bash.spawn() else { return };
    let script = help(&["completions", "bash"]).expect(0).stdout;
    reading.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let read = reading.wait_with_output().unwrap();
    assert!(read.status.success() && read.stderr.is_empty(), "{read:?}");
}

#[test]
fn every_command_has_a_page_in_the_manual() {
    let page = help(&["man"]).expect(0).stdout;
    assert!(page.contains(".TH vm-system 1"), "{page}");
    let home = Home::new();
    let pages = home.root().join("man/man1");
    help(&["man", pages.to_str().unwrap()]).expect(0);
    for name in ["vm-system", "vm-system-serve", "vm-system-template-create", "vm-system-ops-openapi", "vm-system-man"]
    {
        let page = fs::read_to_string(pages.join(format!("{name}.1"))).unwrap();
        assert!(page.contains(&format!("\n.TH {name} 1")), "{name}: {page}");
    }
    home.write("file", "");
    let refused = help(&["man", home.worktree().join("file").to_str().unwrap()]).expect(1);
    assert!(refused.stderr.contains("hint: "), "{refused:?}");
}
