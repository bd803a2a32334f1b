//! `cargo xtask test`: everything that CI runs, cheapest first.
//!
//! The rules of the code base, and the policy on dependencies, are tests like any other: `xtask/tests/tidy`.

use std::env;

use crate::Result;
use crate::openapi;
use crate::steps::{Done, Steps};
use crate::ui;
use crate::workspace::{self, Workspace};

/// What is built and tested. Never a single package: cargo then picks other features, and builds half of it again.
const ALL: [&str; 2] = ["--workspace", "--locked"];

/// Runs all checks, and says what they took.
pub(crate) fn run(workspace: &Workspace) -> Result {
    let mut steps = Steps::new(is_ci());
    run_all(workspace, &mut steps)?;
    steps.summary();
    Ok(())
}

/// Runs all checks, and stops at the first that fails.
fn run_all(workspace: &Workspace, steps: &mut Steps) -> Result {
    let cargo = |args: &[&str]| workspace::run(&mut workspace.cargo(args)).map(|()| Done::Passed);
    let with_all = |command, rest: &[&str]| cargo(&[&[command], &ALL[..], rest].concat());

    steps.step("format", || with_component(workspace, "rustfmt", "fmt", || cargo(&["fmt", "--all", "--check"])))?;
    // Before anything is compiled: what is built afterwards has it.
    steps.step("web UI", || ui::check(workspace))?;
    steps.step("lints", || {
        with_component(workspace, "clippy", "clippy", || with_all("clippy", &["--all-targets", "--", "-D", "warnings"]))
    })?;
    // Rustdoc alone is told to deny: flags of the compiler's would make everything that it has built out of date.
    steps.step("docs", || {
        let args = ["doc", "--workspace", "--locked", "--no-deps"];
        workspace::run(workspace.cargo(args).env("RUSTDOCFLAGS", "-D warnings")).map(|()| Done::Passed)
    })?;
    steps.step("build", || with_all("build", &["--bins", "--examples", "--tests"]))?;
    // They run again with the rest; by themselves they take a second, and say at once what would be said in minutes.
    steps.step("rules", || with_all("test", &["--test", "tidy"]))?;
    steps.step("examples", || examples(workspace))?;
    steps.step("tests", || with_all("test", &[]))?;
    // What a user of the daemon sees is the same when sessions are processes.
    steps.step("worker processes", || {
        let mut tests = workspace.cargo(["test", "--workspace", "--locked", "--test", "it"]);
        workspace::run(tests.env("VM_SYSTEM_TEST_ISOLATION", "process")).map(|()| Done::Passed)
    })?;
    steps.step("api", || openapi::test(workspace))?;
    steps.step("browser", || ui::browse(workspace))
}

/// Runs every example; each asserts what it shows.
fn examples(workspace: &Workspace) -> Result<Done> {
    for name in workspace.rust_files("examples") {
        println!("\n{name}:");
        workspace::run(&mut workspace.command(workspace.program(format!("examples/{name}")), [""; 0]))?;
    }
    Ok(Done::Passed)
}

/// Does what takes a component of the toolchain, which is installed where that is possible.
fn with_component(
    workspace: &Workspace,
    component: &str,
    command: &str,
    check: impl FnOnce() -> Result<Done>,
) -> Result<Done> {
    let there = || workspace::works(&mut workspace.cargo([command, "--version"]));
    if there() {
        return check();
    }
    println!("{component} is missing: asking rustup for it");
    let added = workspace::works(&mut workspace.command("rustup", ["component", "add", component]));
    if added && there() {
        return check();
    }
    Ok(Done::Skipped(format!("{component} is missing, and `rustup component add {component}` does not help")))
}

/// Tells whether this runs where nobody watches, as CI services say it.
fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}
