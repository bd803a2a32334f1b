//! How a daemon is set up, and the flags and variables that say so.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use vmsys_core::Durability;

use crate::host_env::HostEnv;

/// The address that a daemon listens on unless told otherwise.
const DEFAULT_LISTEN: &str = "127.0.0.1:3210";
/// The database that a daemon opens unless told otherwise.
const DEFAULT_DATABASE: &str = "vm-system.db";
/// Where libraries are unless told otherwise.
const DEFAULT_CACHE_DIR: &str = ".vm-cache/libraries";
/// The bytes that a request body may have unless told otherwise.
const DEFAULT_MAX_BODY_BYTES: usize = 1 << 20;

/// Everything that a daemon can be told.
///
/// ```
/// let mut config = vmsys_server::Config::default();
/// assert_eq!(config.listen, "127.0.0.1:3210");
/// config.listen = "127.0.0.1:0".to_owned(); // any free port
/// config.database = None; // nothing outlives the process
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// A host and port. Port 0 takes any that is free. The host must be a loopback one: whoever reaches the port can
    /// run code.
    pub listen: String,
    /// The database file; `None` keeps everything in memory.
    pub database: Option<PathBuf>,
    /// When a commit counts as done.
    pub durability: Durability,
    /// The directory of libraries, which `vm-system libs download` fills; `None` for no libraries. A relative path is
    /// taken from the current directory when the daemon starts.
    pub cache_dir: Option<PathBuf>,
    /// The environment that templates may show to their sessions: none, unless it is set.
    pub host_env: HostEnv,
    /// A PEM file with certificates that `fetch` trusts besides those that browsers trust.
    pub net_ca_file: Option<PathBuf>,
    /// The bytes that a request body may have. This does not bound answers: their size follows from a template's limits.
    pub max_body_bytes: usize,
    /// How log lines look. Only [`run_blocking`](crate::run_blocking) heeds it: a program that embeds the server has
    /// its own subscriber.
    pub log_format: LogFormat,
    /// Which log lines there are. Only [`run_blocking`](crate::run_blocking) heeds it.
    pub log_level: LogLevel,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: DEFAULT_LISTEN.to_owned(),
            database: Some(DEFAULT_DATABASE.into()),
            durability: Durability::default(),
            cache_dir: Some(DEFAULT_CACHE_DIR.into()),
            host_env: HostEnv::default(),
            net_ca_file: None,
            max_body_bytes: DEFAULT_MAX_BODY_BYTES,
            log_format: LogFormat::default(),
            log_level: LogLevel::default(),
        }
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
#[non_exhaustive]
pub enum LogFormat {
    /// One line of text an event, in colour on a terminal.
    #[default]
    Pretty,
    /// One JSON object an event.
    Json,
}

/// Which log lines there are: those of this level and graver ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
#[non_exhaustive]
pub enum LogLevel {
    /// Also what only somebody who looks for a fault wants to see.
    Debug,
    /// Also every request.
    #[default]
    Info,
    /// What deserves a look.
    Warn,
    /// Faults alone.
    Error,
}

/// Flags that every command of a program shares: clap accepts them before and after a subcommand.
#[derive(Debug, Clone, Args)]
pub struct GlobalArgs {
    /// Database file; created when there is none
    #[arg(long, env = "VM_SYSTEM_DB", hide_env_values = true, value_name = "FILE", default_value = DEFAULT_DATABASE, global = true)]
    pub db: PathBuf,

    /// Least grave log lines to write
    #[arg(
        long,
        env = "VM_SYSTEM_LOG_LEVEL",
        hide_env_values = true,
        value_name = "LEVEL",
        value_enum,
        default_value_t,
        global = true
    )]
    pub log_level: LogLevel,
}

/// The flag of every command that stores or loads libraries.
#[derive(Debug, Clone, Args)]
pub struct CacheArgs {
    /// Directory of libraries; a relative one is taken from the current directory
    #[arg(long, env = "VM_SYSTEM_CACHE_DIR", hide_env_values = true, value_name = "DIR", default_value = DEFAULT_CACHE_DIR)]
    pub cache_dir: PathBuf,
}

/// Flags of the command that serves.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Loopback address and port to listen on; port 0 takes any that is free
    #[arg(long, env = "VM_SYSTEM_LISTEN", hide_env_values = true, value_name = "HOST:PORT", default_value = DEFAULT_LISTEN, value_parser = host_and_port)]
    pub listen: String,

    /// When a commit counts as done: `full`, when the disk has it; `normal`, when the operating system has it
    #[arg(long, env = "VM_SYSTEM_DURABILITY", hide_env_values = true, value_name = "WHEN", default_value = "full", value_parser = durability())]
    pub durability: Durability,

    /// Where the libraries of its sessions are
    #[command(flatten)]
    pub cache: CacheArgs,

    /// PEM file of certificates that scripts' requests trust, besides those that browsers trust
    #[arg(long, env = "VM_SYSTEM_NET_CA_FILE", hide_env_values = true, value_name = "FILE")]
    pub net_ca_file: Option<PathBuf>,

    /// How log lines look; they go to standard error
    #[arg(
        long,
        env = "VM_SYSTEM_LOG_FORMAT",
        hide_env_values = true,
        value_name = "FORMAT",
        value_enum,
        default_value_t
    )]
    pub log_format: LogFormat,

    /// Bytes that the body of a request may have
    #[arg(
        long,
        env = "VM_SYSTEM_MAX_BODY_BYTES", hide_env_values = true,
        value_name = "BYTES",
        default_value_t = DEFAULT_MAX_BODY_BYTES as u64,
        value_parser = clap::value_parser!(u64).range(1..=1 << 30)
    )]
    pub max_body_bytes: u64,
}

impl ServeArgs {
    /// Joins these flags with the shared ones.
    pub fn into_config(self, global: GlobalArgs) -> Config {
        Config {
            listen: self.listen,
            database: Some(global.db),
            durability: self.durability,
            cache_dir: Some(self.cache.cache_dir),
            host_env: HostEnv::default(),
            net_ca_file: self.net_ca_file,
            max_body_bytes: usize::try_from(self.max_body_bytes).unwrap_or(usize::MAX),
            log_format: self.log_format,
            log_level: global.log_level,
        }
    }
}

/// Takes `host:port`. Whether the host is there is found out by listening.
fn host_and_port(text: &str) -> Result<String, String> {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err("expected a host and a port, as in 127.0.0.1:3210".to_owned()),
    }
}

fn durability() -> impl TypedValueParser<Value = Durability> {
    PossibleValuesParser::new(["full", "normal"])
        .map(|word| if word == "normal" { Durability::Normal } else { Durability::Full })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Program {
        #[command(flatten)]
        global: GlobalArgs,
        #[command(flatten)]
        serve: ServeArgs,
    }

    fn parse(args: &[&str]) -> Result<Config, clap::Error> {
        let program = Program::try_parse_from([&["vmsys-server"], args].concat())?;
        Ok(program.serve.into_config(program.global))
    }

    #[test]
    fn no_flags_are_the_default_config() {
        assert_eq!(parse(&[]).unwrap(), Config::default());
    }

    #[test]
    fn every_flag_reaches_the_config() {
        let args = "--listen [::1]:0 --db /x/y.db --durability normal --cache-dir /libs --log-format json \
                    --net-ca-file /ca.pem --log-level warn --max-body-bytes 10";
        let expected = Config {
            listen: "[::1]:0".to_owned(),
            database: Some("/x/y.db".into()),
            durability: Durability::Normal,
            cache_dir: Some("/libs".into()),
            host_env: HostEnv::default(),
            net_ca_file: Some("/ca.pem".into()),
            max_body_bytes: 10,
            log_format: LogFormat::Json,
            log_level: LogLevel::Warn,
        };
        assert_eq!(parse(&args.split(' ').collect::<Vec<_>>()).unwrap(), expected);
    }

    #[test]
    fn every_flag_has_its_variable() {
        use clap::CommandFactory;
        let command = Program::command();
        for argument in command.get_arguments().filter(|argument| argument.get_long() != Some("help")) {
            let flag = argument.get_long().unwrap();
            let variable = format!("VM_SYSTEM_{}", flag.to_uppercase().replace('-', "_"));
            assert_eq!(argument.get_env().unwrap().to_str(), Some(variable.as_str()));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for args in [
            ["--listen", "3210"],
            ["--listen", ":3210"],
            ["--listen", "localhost:70000"],
            ["--durability", "none"],
            ["--log-level", "loud"],
            ["--log-format", "xml"],
            ["--max-body-bytes", "0"],
            ["--max-body-bytes", "1MB"],
        ] {
            assert_eq!(parse(&args).unwrap_err().exit_code(), 2, "{args:?}");
        }
    }
}
