//! `cargo xtask golden`: writes anew what is kept to be compared with, for review.

use crate::Result;
use crate::workspace::{self, Workspace};

/// The variable that tells a test to write what it would compare.
const UPDATE: &str = "UPDATE_GOLDEN";

/// Runs the tests that compare, each of which writes instead.
pub(crate) fn run(workspace: &Workspace) -> Result {
    let mut tests = workspace.cargo(["test", "--workspace", "--locked", "--lib", "the_golden_one"]);
    workspace::run(tests.env(UPDATE, "1"))?;
    workspace::run(&mut workspace.command("git", ["status", "--short", "tests/golden"]))
}
