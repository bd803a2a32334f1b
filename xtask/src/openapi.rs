//! The API as its document says it: the daemon is asked for thousands of things that follow from `openapi.json`, and
//! answers none of them in a way that the document does not tell.

use std::env;
use std::fs;

use crate::Result;
use crate::daemon::Daemon;
use crate::python::Python;
use crate::steps::Done;
use crate::workspace::{self, Workspace};

/// Says from which seed requests are made.
const SEED: &str = "VM_SYSTEM_SEED";

/// The seed of every run that is told no other: what passes today passes tomorrow.
const USUAL_SEED: &str = "1";

/// Lines of a log that are worth a look after a failure.
const WORTH_A_LOOK: [&str; 3] = ["panicked", " ERROR ", "cause="];

/// Builds the programs, and tests a daemon from its own document.
pub(crate) fn run(workspace: &Workspace) -> Result {
    workspace::run(&mut workspace.cargo(["build", "--workspace", "--bins", "--locked"]))?;
    match test(workspace)? {
        Done::Passed => Ok(()),
        Done::Skipped(reason) => Err(reason),
    }
}

/// Tests a daemon from its own document.
pub(crate) fn test(workspace: &Workspace) -> Result<Done> {
    let python = match Python::prepare(workspace)? {
        Ok(python) => python,
        Err(reason) => return Ok(Done::Skipped(reason)),
    };
    let daemon = Daemon::start(workspace, &["--max-sessions", "2000"])?;
    fill(&daemon).map_err(|error| format!("cannot write the files of a worktree: {error}"))?;

    let folder = workspace.path("tests/openapi");
    let seed = env::var(SEED).unwrap_or_else(|_| USUAL_SEED.to_owned());
    let mut schemathesis = python.command(workspace, "schemathesis");
    schemathesis
        .args(["--no-color", "--config-file"])
        .arg(folder.join("schemathesis.toml"))
        .args(["run", "--seed", &seed, &format!("{}/api/v1/openapi.json", daemon.url())])
        .env("SCHEMATHESIS_HOOKS", "hooks")
        .env("PYTHONPATH", &folder)
        .env("VM_SYSTEM_URL", daemon.url())
        .env("VM_SYSTEM_WORKTREE", daemon.worktree())
        // It leaves files where it stands.
        .current_dir(daemon.home());
    // A failure is made as small as can be before it is shown. A few say enough.
    schemathesis.args(["--max-failures", "10"]);
    workspace::run(&mut schemathesis).map_err(|error| {
        let log = daemon.log();
        let lines = log.lines().filter(|line| WORTH_A_LOOK.iter().any(|words| line.contains(words)));
        let lines: Vec<&str> = lines.take(50).collect();
        format!("{error}; {SEED}={seed} does it again. From the daemon's log:\n{}", lines.join("\n"))
    })?;
    // By now there is something to count.
    let mut metrics = python.command(workspace, "python");
    workspace::run(metrics.arg(folder.join("metrics.py")).env("VM_SYSTEM_URL", daemon.url()))?;
    Ok(Done::Passed)
}

/// Writes what sessions find in their worktree.
fn fill(daemon: &Daemon) -> std::io::Result<()> {
    let worktree = daemon.worktree();
    for folder in ["docs", "lib"] {
        fs::create_dir_all(worktree.join(folder))?;
    }
    fs::write(worktree.join("main.js"), "console.log('main'); module.exports = __ARGS__;\n")?;
    fs::write(worktree.join("throws.js"), "throw new RangeError('on purpose');\n")?;
    fs::write(worktree.join("lib/data.js"), "console.warn('data');\n")
}
