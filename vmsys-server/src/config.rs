//! How a daemon is set up, and the flags and variables that say so.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use vmsys_core::{Bounds, Durability, Isolation, Retention, Sandbox};

use crate::cors::Origin;
use crate::host_env::HostEnv;
use crate::listen::UNIX;
use crate::token::AuthToken;

/// The address that a daemon listens on unless told otherwise.
const DEFAULT_LISTEN: &str = "127.0.0.1:3210";
/// The database that a daemon opens unless told otherwise.
const DEFAULT_DATABASE: &str = "vm-system.db";
/// Where libraries are unless told otherwise.
const DEFAULT_CACHE_DIR: &str = ".vm-cache/libraries";
/// The bytes that a request body may have unless told otherwise.
const DEFAULT_MAX_BODY_BYTES: usize = 1 << 20;
/// The connections that there may be unless told otherwise.
pub(crate) const DEFAULT_MAX_CONNECTIONS: usize = 1024;
/// The sessions that may be alive unless told otherwise: each has a thread, and a few hundred KB of memory at least.
const DEFAULT_MAX_SESSIONS: usize = 4096;
/// The executions that may run unless told otherwise: each has a thread that waits for it.
const DEFAULT_MAX_RUNNING: usize = 512;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

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
    /// A host and port, or `unix:` and the path of a socket file, which only its owner can use. Port 0 takes any that is
    /// free. Without a token the host must be a loopback one: whoever reaches the port can run code.
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
    /// A file whose first line is the token that callers have to show; it is read again on SIGHUP. This does *not* encrypt
    /// anything: beyond this machine, put a proxy in front that does.
    pub auth_token_file: Option<PathBuf>,
    /// The token, where there is no file for it.
    pub auth_token: Option<AuthToken>,
    /// The origins of web pages, besides the daemon's own, that may use the API. A page that is not named can still send
    /// what needs no permission of a browser's; that is refused for its `Origin`, or for want of a token.
    pub cors_origins: Vec<Origin>,
    /// The connections that there may be. One more is answered 429 and closed, so that this bounds `/health` as well.
    pub max_connections: usize,
    /// The requests that a client may send in a second, all at once or spread over it; `None` for any number. More are
    /// answered 429, before it is asked for a token and before a body is read. A client is an address, of IPv6 the network
    /// of its first 64 bits; whoever uses the socket file is one client, and so are all behind the same proxy.
    /// `/api/v1/health` is not counted. This does *not* bound what a request costs.
    pub max_rate: Option<NonZeroU32>,
    /// Where the sessions of templates run that do not say it themselves: on threads, unless this is set. The daemon's flag
    /// says processes; these need a program that calls [`become_worker`](crate::become_worker).
    pub isolation: Isolation,
    /// How strictly the processes of sessions, and programs that scripts start, are confined.
    pub sandbox: Sandbox,
    /// What sessions and executions there may be at once, and how long a session may be idle.
    pub bounds: Bounds,
    /// How long history is kept: for ever, unless this is set.
    pub retention: Retention,
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
            auth_token_file: None,
            auth_token: None,
            cors_origins: Vec::new(),
            max_connections: DEFAULT_MAX_CONNECTIONS,
            max_rate: None,
            isolation: Isolation::Thread,
            sandbox: Sandbox::default(),
            bounds: bounds(DEFAULT_MAX_SESSIONS, DEFAULT_MAX_RUNNING, None),
            retention: Retention::default(),
            log_format: LogFormat::default(),
            log_level: LogLevel::default(),
        }
    }
}

fn bounds(sessions: usize, running: usize, idle: Option<Duration>) -> Bounds {
    let mut bounds = Bounds::default();
    bounds.max_sessions = Some(sessions);
    bounds.max_running = Some(running);
    bounds.session_idle_timeout = idle;
    bounds
}

fn retention(executions: Option<u64>, days: Option<u32>) -> Retention {
    let mut retention = Retention::default();
    retention.keep_executions = executions;
    retention.keep_for = days.map(|days| DAY * days);
    retention
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

    /// File whose first line is the daemon's token; `serve` asks for it and reads it again on SIGHUP, other commands show
    /// it. Without a file, the variable VM_SYSTEM_TOKEN has the token
    #[arg(long, env = "VM_SYSTEM_AUTH_TOKEN_FILE", hide_env_values = true, value_name = "FILE", global = true)]
    pub auth_token_file: Option<PathBuf>,
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
    /// Address and port to listen on, or unix:PATH for a socket that only you can use; port 0 takes any that is free, and
    /// any but a loopback address needs a token
    #[arg(long, env = "VM_SYSTEM_LISTEN", hide_env_values = true, value_name = "HOST:PORT", default_value = DEFAULT_LISTEN, value_parser = place)]
    pub listen: String,

    /// When a commit counts as done: `full`, when the disk has it; `normal`, when the operating system has it
    #[arg(long, env = "VM_SYSTEM_DURABILITY", hide_env_values = true, value_name = "WHEN", default_value = "full", value_parser = durability())]
    pub durability: Durability,

    /// Where sessions run whose template does not say it: each in a `process` of its own, or on a `thread` of the daemon's
    #[arg(long, env = "VM_SYSTEM_ISOLATION", hide_env_values = true, value_name = "WHERE", default_value = "process", value_parser = isolation())]
    pub isolation: Isolation,

    /// How strictly those processes, and programs that scripts start, are confined: `require` starts none that lacks a part
    /// of its sandbox, `try` warns, and `off` leaves Landlock and seccomp out
    #[arg(long, env = "VM_SYSTEM_SANDBOX", hide_env_values = true, value_name = "HOW", default_value_t, value_parser = sandbox())]
    pub sandbox: Sandbox,

    /// Where the libraries of its sessions are
    #[command(flatten)]
    pub cache: CacheArgs,

    /// PEM file of certificates that scripts' requests trust, besides those that browsers trust
    #[arg(long, env = "VM_SYSTEM_NET_CA_FILE", hide_env_values = true, value_name = "FILE")]
    pub net_ca_file: Option<PathBuf>,

    /// How log lines look; they go to standard error, behind one line of plain text that says where it listens
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

    /// Origin of web pages that may use the API, as in http://localhost:5173; may be given again
    #[arg(long, env = "VM_SYSTEM_CORS_ORIGIN", hide_env_values = true, value_name = "ORIGIN", value_delimiter = ',')]
    pub cors_origin: Vec<Origin>,

    /// Connections that there may be at once
    #[arg(
        long,
        env = "VM_SYSTEM_MAX_CONNECTIONS", hide_env_values = true,
        value_name = "COUNT",
        default_value_t = DEFAULT_MAX_CONNECTIONS as u32,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub max_connections: u32,

    /// Requests a second that one client address may send; any number unless given
    #[arg(
        long,
        env = "VM_SYSTEM_MAX_RATE", hide_env_values = true,
        value_name = "COUNT",
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub max_rate: Option<u32>,

    /// Sessions that may be alive at once
    #[arg(
        long,
        env = "VM_SYSTEM_MAX_SESSIONS", hide_env_values = true,
        value_name = "COUNT",
        default_value_t = DEFAULT_MAX_SESSIONS as u32,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub max_sessions: u32,

    /// Executions that may run at once
    #[arg(
        long,
        env = "VM_SYSTEM_MAX_RUNNING", hide_env_values = true,
        value_name = "COUNT",
        default_value_t = DEFAULT_MAX_RUNNING as u32,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub max_running: u32,

    /// Close sessions in which nothing has run for so long, as in 30m or 12h; never unless given
    #[arg(long, env = "VM_SYSTEM_SESSION_IDLE_TIMEOUT", hide_env_values = true, value_name = "DURATION", value_parser = duration)]
    pub session_idle_timeout: Option<Duration>,

    /// Keep so many executions of each session, its newest, and delete older ones; all are kept unless this or --keep-days
    /// is given
    #[arg(
        long,
        env = "VM_SYSTEM_KEEP_EXECUTIONS", hide_env_values = true,
        value_name = "COUNT",
        value_parser = clap::value_parser!(u64).range(1..=1_000_000_000)
    )]
    pub keep_executions: Option<u64>,

    /// Delete executions, and closed sessions, that ended more than so many days ago; never unless given
    #[arg(
        long,
        env = "VM_SYSTEM_KEEP_DAYS", hide_env_values = true,
        value_name = "DAYS",
        value_parser = clap::value_parser!(u32).range(1..=36_500)
    )]
    pub keep_days: Option<u32>,
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
            auth_token_file: global.auth_token_file,
            auth_token: None,
            cors_origins: self.cors_origin,
            max_connections: self.max_connections as usize,
            max_rate: self.max_rate.and_then(NonZeroU32::new),
            isolation: self.isolation,
            sandbox: self.sandbox,
            bounds: bounds(self.max_sessions as usize, self.max_running as usize, self.session_idle_timeout),
            retention: retention(self.keep_executions, self.keep_days),
            log_format: self.log_format,
            log_level: global.log_level,
        }
    }
}

/// Takes `30m`, `1h 30m`, `90s`.
fn duration(text: &str) -> Result<Duration, String> {
    let duration = text.parse::<jiff::SignedDuration>().ok().and_then(|duration| Duration::try_from(duration).ok());
    duration.filter(|duration| !duration.is_zero()).ok_or_else(|| "expected a duration, as in 30m or 12h".to_owned())
}

/// Takes `host:port` or `unix:path`. Whether the place is there is found out by listening.
fn place(text: &str) -> Result<String, String> {
    if let Some(path) = text.strip_prefix(UNIX) {
        return if path.is_empty() {
            Err("expected a path, as in unix:/run/vm.sock".to_owned())
        } else {
            Ok(text.to_owned())
        };
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        _ => Err("expected a host and a port, as in 127.0.0.1:3210, or unix:PATH".to_owned()),
    }
}

fn isolation() -> impl TypedValueParser<Value = Isolation> {
    PossibleValuesParser::new(["thread", "process"])
        .map(|word| if word == "process" { Isolation::Process } else { Isolation::Thread })
}

fn sandbox() -> impl TypedValueParser<Value = Sandbox> {
    PossibleValuesParser::new(["require", "try", "off"]).map(|word| word.parse().unwrap_or_default())
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
    fn no_flags_are_the_default_config_with_processes() {
        // Which a program that embeds the server has only once it calls `become_worker`.
        assert_eq!(parse(&[]).unwrap(), Config { isolation: Isolation::Process, ..Config::default() });
    }

    #[test]
    fn every_flag_reaches_the_config() {
        let args = "--listen [::1]:0 --db /x/y.db --durability normal --cache-dir /libs --log-format json \
                    --net-ca-file /ca.pem --log-level warn --max-body-bytes 10 --auth-token-file /token \
                    --cors-origin http://a.example --cors-origin http://b.example --max-connections 2 \
                    --max-rate 7 --isolation thread --sandbox require --max-sessions 3 --max-running 4 --session-idle-timeout 1h30m \
                    --keep-executions 5 --keep-days 6";
        let expected = Config {
            listen: "[::1]:0".to_owned(),
            database: Some("/x/y.db".into()),
            durability: Durability::Normal,
            cache_dir: Some("/libs".into()),
            host_env: HostEnv::default(),
            net_ca_file: Some("/ca.pem".into()),
            max_body_bytes: 10,
            auth_token_file: Some("/token".into()),
            auth_token: None,
            cors_origins: ["http://a.example", "http://b.example"].map(|origin| origin.parse().unwrap()).to_vec(),
            max_connections: 2,
            max_rate: NonZeroU32::new(7),
            isolation: Isolation::Thread,
            sandbox: Sandbox::Require,
            bounds: bounds(3, 4, Some(Duration::from_secs(5400))),
            retention: retention(Some(5), Some(6)),
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
            ["--listen", "unix:"],
            ["--cors-origin", "*"],
            ["--cors-origin", "http://a.example/page"],
            ["--max-connections", "0"],
            ["--max-rate", "0"],
            ["--max-sessions", "0"],
            ["--max-running", "-1"],
            ["--session-idle-timeout", "0s"],
            ["--session-idle-timeout", "-5m"],
            ["--session-idle-timeout", "30"],
            ["--session-idle-timeout", "soon"],
            ["--keep-executions", "0"],
            ["--keep-days", "0"],
            ["--keep-days", "1.5"],
        ] {
            assert_eq!(parse(&args).unwrap_err().exit_code(), 2, "{args:?}");
        }
    }
}
