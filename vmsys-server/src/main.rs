//! `vmsys-server`: the daemon alone. `vm-system serve` is the same code.

use std::process::ExitCode;

use clap::Parser;
use vmsys_server::{GlobalArgs, HostEnv, ServeArgs};

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
    let mut config = serve.into_config(global);
    config.host_env = HostEnv::new(std::env::vars_os());
    vmsys_server::run_blocking(&config)
}
