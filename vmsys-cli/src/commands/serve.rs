//! `vm-system serve`: the daemon in this process.
//!
//! The flags, the log, the signals and the errors of a start are vmsys-server's own: this file only calls it.

use std::process::ExitCode;

use crate::error::{Exit, Result};
#[cfg(test)]
pub(crate) use vmsys_server::LogLevel;
pub(crate) use vmsys_server::{
    AuthToken, CacheArgs, GlobalArgs, LONG_VERSION, ServeArgs, WorkerAlloc, openapi_document,
};
use vmsys_server::{HostEnv, refuse_to_start, run_blocking};

/// Runs this process as a worker of a session, if the daemon has started it for that.
pub(crate) fn become_worker() -> Option<ExitCode> {
    vmsys_server::become_worker(std::env::args_os())
}

/// Runs the daemon until it is told to stop.
pub(crate) fn run(args: ServeArgs, global: GlobalArgs) -> Result<Exit> {
    let mut config = args.into_config(global);
    config.host_env = HostEnv::new(std::env::vars_os());
    match AuthToken::of_variable(std::env::var_os(AuthToken::VARIABLE)) {
        Ok(token) => config.auth_token = token,
        Err(error) => {
            refuse_to_start(&error);
            return Ok(Exit::Failed);
        }
    }
    // It has said why, when it fails.
    match run_blocking(&config) {
        ExitCode::SUCCESS => Ok(Exit::Done),
        _ => Ok(Exit::Failed),
    }
}
