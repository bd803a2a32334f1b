//! `vmsys-server`: the daemon alone. `vm-system serve` is the same code.

use std::process::ExitCode;

use clap::Parser;
use vmsys_server::{AuthToken, GlobalArgs, HostEnv, LONG_VERSION, ServeArgs};

/// Serves JavaScript sessions over HTTP
#[derive(Debug, Parser)]
#[command(name = "vmsys-server", version, long_version = LONG_VERSION)]
struct Program {
    #[command(flatten)]
    global: GlobalArgs,
    #[command(flatten)]
    serve: ServeArgs,
}

#[global_allocator]
static ALLOCATOR: vmsys_server::WorkerAlloc = vmsys_server::WorkerAlloc;

fn main() -> ExitCode {
    if let Some(code) = vmsys_server::become_worker(std::env::args_os()) {
        return code;
    }
    let Program { global, serve } = Program::parse();
    let mut config = serve.into_config(global);
    config.host_env = HostEnv::new(std::env::vars_os());
    match AuthToken::of_variable(std::env::var_os(AuthToken::VARIABLE)) {
        Ok(token) => config.auth_token = token,
        Err(error) => return vmsys_server::refuse_to_start(&error),
    }
    vmsys_server::run_blocking(&config)
}
