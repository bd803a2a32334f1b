//! `cargo xtask serve`: builds `vm-system`, and becomes its daemon.

use std::ffi::OsString;
use std::process::Command;

use crate::Result;
use crate::workspace::{self, Workspace};

/// Builds the programs and runs `vm-system serve` with these arguments.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result {
    workspace::run(&mut workspace.cargo(["build", "--workspace", "--bins", "--locked"]))?;
    // Where the caller stands, and not at the root: `--db demo.db` means what it says.
    let mut daemon = Command::new(workspace.program("vm-system"));
    daemon.arg("serve").args(args);
    // The daemon takes our place, so that a signal to us is one to it: two processes would each need to pass it on.
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt as _;
        let error = daemon.exec();
        Err(format!("vm-system could not be started: {error}"))
    }
    #[cfg(not(unix))]
    workspace::run(&mut daemon)
}
