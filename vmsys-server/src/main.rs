//! `vmsys-server`: the daemon alone. `vm-system serve` is the same code.

use std::process::ExitCode;

use clap::Parser;
use vmsys_server::{GlobalArgs, ServeArgs};

/// Serves JavaScript sessions over HTTP
#[derive(Debug, Parser)]
#[command(name = "vmsys-server", version)]
struct Program {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(flatten)]
    serve: ServeArgs,
}

fn main() -> ExitCode {
    let Program { global, serve } = Program::parse();
    vmsys_server::run_blocking(&serve.into_config(global))
}
