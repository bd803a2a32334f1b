//! `vm-system serve`: the daemon in this process.
//!
//! The flags, the log, the signals and the errors of a start are vmsys-server's own: this file only calls it.

use std::process::ExitCode;

#[cfg(test)]
pub(crate) use self::vmsys_server::LogLevel;
use self::vmsys_server::run_blocking;
pub(crate) use self::vmsys_server::{GlobalArgs, ServeArgs};
use crate::error::{Exit, Result};

/// Runs the daemon until it is told to stop.
pub(crate) fn run(args: ServeArgs, global: GlobalArgs) -> Result<Exit> {
    // It has said why, when it fails.
    match run_blocking(&args.into_config(global)) {
        ExitCode::SUCCESS => Ok(Exit::Done),
        _ => Ok(Exit::Failed),
    }
}

/// Stands in for the crate until it is there: delete this module, and `self::` above.
mod vmsys_server {
    use std::path::PathBuf;
    use std::process::ExitCode;

    #[derive(Debug, Clone, clap::Args)]
    pub(crate) struct GlobalArgs {
        /// Database file; created when there is none
        #[arg(long, value_name = "FILE", default_value = "vm-system.db", global = true)]
        pub(crate) db: PathBuf,

        /// Least grave log lines to write
        #[arg(long, value_name = "LEVEL", value_enum, default_value_t, global = true)]
        pub(crate) log_level: LogLevel,
    }

    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
    pub(crate) enum LogLevel {
        Debug,
        #[default]
        Info,
        Warn,
        Error,
    }

    #[derive(Debug, Clone, clap::Args)]
    pub(crate) struct ServeArgs {
        /// Loopback address and port to listen on; port 0 takes any that is free
        #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:3210")]
        listen: String,
    }

    #[derive(Debug)]
    #[expect(dead_code, reason = "nothing serves yet")]
    pub(super) struct Config(String, GlobalArgs);

    impl ServeArgs {
        pub(super) fn into_config(self, global: GlobalArgs) -> Config {
            Config(self.listen, global)
        }
    }

    pub(super) fn run_blocking(_config: &Config) -> ExitCode {
        anstream::eprintln!("error: this build has no daemon");
        ExitCode::FAILURE
    }
}
