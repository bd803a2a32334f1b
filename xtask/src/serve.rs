//! `cargo xtask serve`: builds the web UI and `vm-system`, and becomes its daemon.

use std::ffi::OsString;
use std::process::Command;

use crate::Result;
use crate::steps::Done;
use crate::ui;
use crate::workspace::{self, Workspace};

/// Builds the UI, where npm is, and the programs, and runs `vm-system serve` with these arguments.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result {
    // Without npm there is a smaller page, which says so as well.
    if let Done::Skipped(reason) = ui::build(workspace)? {
        eprintln!("The web UI is left out: {reason}");
    }
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
