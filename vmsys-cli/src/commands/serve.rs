//! `vm-system serve`: the daemon in this process.
//!
//! All that is assumed of vmsys-server stands in this file.

use self::assumed as vmsys_server;
pub(crate) use self::assumed::ServeArgs;
use crate::args::GlobalArgs;
use crate::error::{Error, Exit, Result};

/// Runs the daemon until it is told to stop.
pub(crate) fn run(args: ServeArgs, global: &GlobalArgs) -> Result<Exit> {
    let config = vmsys_server::Config::from_args(args, global.db.clone(), global.log_level.as_str());
    match vmsys_server::serve(config) {
        Ok(()) => Ok(Exit::Done),
        Err(error) => Err(Error::failed("SERVE_FAILED", error.to_string())),
    }
}

/// Stands in for the crate until it is there.
mod assumed {
    use std::path::PathBuf;

    /// Flags of the daemon.
    #[derive(Debug, clap::Args)]
    #[command(after_help = "Example:\n  vm-system serve --db demo.db --listen 127.0.0.1:3210")]
    pub(crate) struct ServeArgs {
        /// The address to listen on
        #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:3210")]
        listen: String,
    }

    /// How the daemon is set up.
    pub(super) struct Config {
        listen: String,
        database: PathBuf,
        log_level: &'static str,
    }

    impl Config {
        pub(super) fn from_args(args: ServeArgs, database: PathBuf, log_level: &'static str) -> Self {
            Self { listen: args.listen, database, log_level }
        }
    }

    /// Blocks until the daemon has stopped.
    pub(super) fn serve(config: Config) -> Result<(), std::io::Error> {
        let Config { listen, database, log_level } = config;
        let database = database.display();
        Err(std::io::Error::other(format!("no daemon in this build (for {listen}, {database}, {log_level})")))
    }
}
