//! `vm-system`: templates, sessions and executions from the command line.
//!
//! `serve` runs the daemon and `run` and `eval` run JavaScript right here; every other command is a few REST calls
//! to a daemon. Each command is a function from its arguments and an [`Output`] to an
//! [`Exit`](error::Exit), or to an [`Error`](error::Error) whose kind picks the exit code.

mod args;
mod client;
mod commands;
mod error;
mod help;
mod interrupt;
mod json;
mod output;

use std::process::ExitCode;

use crate::args::Cli;
use crate::output::Output;

#[global_allocator]
static ALLOCATOR: commands::serve::WorkerAlloc = commands::serve::WorkerAlloc;

fn main() -> ExitCode {
    if let Some(code) = commands::serve::become_worker() {
        return code;
    }
    let cli = match Cli::read(std::env::args_os()) {
        Ok(cli) => cli,
        Err(refusal) => return args::refuse(&refusal),
    };
    let mut out = Output::standard(cli.common.json, cli.common.color);
    let exit = match commands::run(cli, &mut out) {
        Ok(exit) => exit,
        Err(error) => {
            out.error(&error);
            error.exit()
        }
    };
    out.finish(exit).into()
}
