//! `cargo xtask bench`: the benchmarks of every crate.

use std::ffi::OsString;

use crate::Result;
use crate::workspace::{self, Workspace};

const CRATES: [&str; 3] = ["vmsys-core", "vmsys-server", "vmsys-cli"];

/// Runs every benchmark, each with these arguments.
pub(crate) fn run(workspace: &Workspace, args: &[OsString]) -> Result {
    let mut cargo = workspace.cargo(["bench", "--workspace", "--locked"]);
    // By name: `--benches` would build every unit test once more, to find no benchmark among them.
    let names: Vec<String> = CRATES.iter().flat_map(|name| workspace.rust_files(format!("{name}/benches"))).collect();
    if names.is_empty() {
        println!("There are no benchmarks: they would be files of vmsys-*/benches.");
        return Ok(());
    }
    for name in &names {
        cargo.args(["--bench", name]);
    }
    // What is measured are the real files.
    let mut download = workspace.cargo(["run", "--locked", "--quiet", "--package", "vmsys-cli", "--"]);
    download
        .args(["libs", "download", "--from", "npm", "lodash", "moment", "ramda", "--cache-dir"])
        .arg(workspace.kept("libraries"));
    workspace::run(&mut download)?;
    workspace::run(cargo.arg("--").args(args))
}
