//! The daemon as a value: bound, running, stopped.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use vmsys_core::VmSystem;

use crate::access::Access;
use crate::config::Config;
use crate::connection::{self, Pulse, Timeouts};
use crate::error::{ApiError, causes};
use crate::heap;
use crate::listen::{Listener, Peer, Stream};
use crate::logging;
use crate::net::Net;
use crate::rate::Rate;
use crate::route::Router;
use crate::routes;
use crate::service::{App, BLOCKING_THREADS, Service};
use crate::shutdown::Signals;
use crate::turned_away::TurnedAway;

/// How long what runs may take to end. With what follows it stays well under ten seconds.
const GRACE: Duration = Duration::from_secs(6);

/// How long clients may then take to fetch their answers, or to finish a request that they have begun.
const LINGER: Duration = Duration::from_secs(2);

/// How long the runtime then waits for threads that do not end.
const LAST_WAIT: Duration = Duration::from_millis(500);

/// Why a daemon could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address that was asked for.
        address: String,
        /// Why not.
        source: io::Error,
    },
    /// The address can be reached from other machines.
    #[error("refusing to listen on {address} without a token: whoever reaches this port can run code")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// The token cannot be used.
    #[error("cannot use the token of {from}")]
    Token {
        /// The file or the environment variable.
        from: String,
        /// Why not.
        source: io::Error,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] vmsys_core::Error),
    /// The file of certificates cannot be used.
    #[error("cannot use the certificates of {path}")]
    CaFile {
        /// The file.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// The operating system refuses threads, signals or sockets.
    #[error("cannot start")]
    System(#[from] io::Error),
}

impl StartError {
    /// Returns what to try next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                "another program listens there: stop it, or name another place with --listen"
            }
            Self::Listen { .. } => "name another address with --listen",
            Self::NotLoopback { .. } => {
                "name a file with a token with --auth-token-file, or listen on a loopback address: 127.0.0.1 or [::1]"
            }
            Self::Token { .. } => {
                "a token is the first line of its file, of at least 16 visible characters: openssl rand -hex 32"
            }
            Self::CaFile { .. } => "--net-ca-file names a PEM file with at least one certificate",
            Self::Store(_) => "--db names another database",
            Self::System(_) => "run with --log-level debug for more",
        }
    }
}

/// A daemon that holds its port and its database, and serves once it is [run](Self::run).
///
/// It must be made and run on a multi-threaded tokio runtime. Calls of the core wait on that runtime's blocking
/// threads: give it many (`max_blocking_threads`), since each execution holds one until it ends.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    app: Arc<App<VmSystem>>,
}

impl Server {
    /// Takes the port and opens the database.
    ///
    /// # Errors
    /// [`StartError`], which says what to try next.
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        let access = Access::new(config)?;
        // The port comes first: to open the database ends what an earlier daemon left running in it.
        let listener = Listener::bind(&config.listen, access.has_token()).await?;
        let mut core = vmsys_core::Config::default();
        core.database.clone_from(&config.database);
        core.durability = config.durability;
        core.library_cache.clone_from(&config.cache_dir);
        core.bounds = config.bounds;
        core.isolation = config.isolation;
        core.sandbox = config.sandbox;
        core.retention = config.retention;
        let host_env = config.host_env.clone();
        core.host_env(move |name| host_env.get(name));
        core.net(Arc::new(network(config, listener.local_addr())?));
        let vm = spawn_blocking(move || VmSystem::with_config(core)).await.map_err(io::Error::other)??;
        Self::new(listener, access, vm, config)
    }

    /// Takes the port and serves a system that is open already; of the configuration, what concerns the system itself
    /// (database, libraries, environment, network, bounds on sessions and executions, history) is not looked at. The system
    /// is shut down when the server stops.
    ///
    /// # Errors
    /// [`StartError`], which says what to try next.
    pub async fn bind_with(vm: VmSystem, config: &Config) -> Result<Self, StartError> {
        let access = Access::new(config)?;
        let listener = Listener::bind(&config.listen, access.has_token()).await?;
        Self::new(listener, access, vm, config)
    }

    fn new(listener: Listener, access: Access, vm: VmSystem, config: &Config) -> Result<Self, StartError> {
        let router = Router::new(routes::all()).map_err(io::Error::other)?;
        let mut app = App::new(vm, router, config.max_body_bytes);
        app.access = access;
        app.max_connections = config.max_connections;
        app.rate = config.max_rate.map(Rate::new);
        Ok(Self { listener, app: Arc::new(app) })
    }

    /// Returns where clients find it: `http://127.0.0.1:3210`, with the real port, or `unix:/run/vm.sock`.
    pub fn url(&self) -> String {
        self.listener.to_string()
    }

    /// Returns the address that it listens on, with the real port, unless that is a socket file.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `shutdown` completes, then stops: running executions are cancelled and stored, sessions closed,
    /// requests in flight answered, and the database closed. It returns at the latest nine seconds after that, also when something hangs.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let vm = self.app.context().clone();
        let ending = vm.clone();
        let end = move || {
            // The store stays open: clients are still to read how everything ended.
            if let Err(error) = ending.stop() {
                tracing::error!(cause = causes(&error), "the system did not shut down in order");
            }
        };
        accept_until(self.listener, self.app, Timeouts::default(), shutdown, end).await;
        let close = move || {
            if let Err(error) = vm.shutdown() {
                tracing::error!(cause = causes(&error), "the database was not closed in order");
            }
        };
        // Whoever has bound this server may go on, and have the file.
        if timeout(LAST_WAIT, on_own_thread(close)).await.is_err() {
            tracing::warn!("the database is still in use");
        }
    }
}

/// What answers the requests of scripts; never with this daemon's own answers.
fn network(config: &Config, own: Option<SocketAddr>) -> Result<Net, StartError> {
    let net = Net::new()?;
    let net = match own {
        Some(own) => net.without_port(own.port()),
        None => net,
    };
    match &config.net_ca_file {
        None => Ok(net),
        Some(path) => {
            net.with_ca_file(path).map_err(|source| StartError::CaFile { path: path.display().to_string(), source })
        }
    }
}

/// Accepts until `shutdown`, then lets `end` bring the work to its end and the connections finish.
async fn accept_until<C: Send + Sync + 'static>(
    listener: Listener,
    app: Arc<App<C>>,
    timeouts: Timeouts,
    shutdown: impl Future<Output = ()>,
    end: impl FnOnce() + Send + 'static,
) {
    let (stop, stopped) = watch::channel(());
    let streams = app.clone();
    let places = Arc::new(Semaphore::new(app.max_connections));
    let turned_away = TurnedAway::new(app.max_connections);
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, remote)) => match places.clone().try_acquire_owned() {
                    Ok(place) => accept(stream, remote, &app, timeouts, &stopped, place),
                    Err(_) => {
                        app.metrics.refused(&ApiError::too_many_connections(app.max_connections));
                        turned_away.say_why(stream, remote);
                    }
                },
                Err(error) => {
                    // Out of descriptors, as a rule: at once it would only fail again.
                    tracing::warn!(cause = %error, "a connection could not be accepted");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        () = shutdown => {}
    }
    drop((listener, stopped));

    let _ = stop.send(());
    if timeout(GRACE, on_own_thread(end)).await.is_err() {
        tracing::warn!("what was running did not end in time");
    }
    // Not before: they have just told how everything ended.
    streams.end_streams();
    // Each connection holds a receiver until it ends.
    if timeout(LINGER, stop.closed()).await.is_err() {
        tracing::warn!(connections = stop.receiver_count(), "connections were cut");
    }
}

fn accept<C: Send + Sync + 'static>(
    stream: Box<dyn Stream>,
    remote: Peer,
    app: &Arc<App<C>>,
    timeouts: Timeouts,
    stopped: &watch::Receiver<()>,
    place: OwnedSemaphorePermit,
) {
    let service = Service { app: app.clone(), remote, pulse: Arc::new(Pulse::new()) };
    let served = connection::serve(stream, service, timeouts, stopped.clone());
    let open = app.metrics.connection();
    tokio::spawn(async move {
        served.await;
        drop((place, open));
    });
}

/// Runs what ends the work. Not on a blocking thread of the runtime: all of these may be taken by what is to end.
fn on_own_thread(end: impl FnOnce() + Send + 'static) -> oneshot::Receiver<()> {
    let (done, ended) = oneshot::channel();
    let run = move || {
        end();
        let _ = done.send(());
    };
    if let Err(error) = thread::Builder::new().name("shutdown".to_owned()).spawn(run) {
        tracing::error!(cause = %error, "there is no thread to shut down on");
    }
    ended
}

/// Binds, and serves until `shutdown` completes.
///
/// # Errors
/// [`StartError`], which says what to try next.
pub async fn serve(config: &Config, shutdown: impl Future<Output = ()>) -> Result<(), StartError> {
    Server::bind(config).await?.run(shutdown).await;
    Ok(())
}

/// Is the whole life of a daemon process: a runtime, the log, the signals, and what to print when it cannot start.
///
/// It writes `vm-system listening on http://ADDRESS` (or `unix:PATH`) to standard error once it serves, ends in order on
/// SIGINT and SIGTERM, and at once on a second signal. On SIGHUP it reads the token's file again, if it has one, and ends in
/// order otherwise.
pub fn run_blocking(config: &Config) -> ExitCode {
    let _logging = logging::init(config.log_format, config.log_level);
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => refuse_to_start(&error),
    }
}

/// Says on standard error why a daemon does not start and what to try next, and returns the exit code of that.
pub fn refuse_to_start(error: &StartError) -> ExitCode {
    say(&format!("error: {}\nhint: {}", causes(error), error.hint()));
    ExitCode::FAILURE
}

fn run(config: &Config) -> Result<(), StartError> {
    let workers = thread::available_parallelism().map_or(2, |count| count.get().max(2));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_name("server")
        .enable_all()
        .build()?;
    let served = runtime.block_on(async {
        let signals = Signals::install()?;
        let server = Server::bind(config).await?;
        let signals = if server.app.access.can_reload() {
            reload_on_hangup(&server.app)?;
            signals
        } else {
            signals.with_hangup()?
        };
        // Programs wait for this line and read the port out of it, so it does not depend on how the log is set.
        say(&format!("vm-system listening on {}", server.url()));
        tokio::spawn(heap::give_back_when_idle());
        server.run(signals.first()).await;
        tracing::info!("stopped");
        Ok(())
    });
    runtime.shutdown_timeout(LAST_WAIT);
    served
}

/// Reads the token's file again on each SIGHUP.
fn reload_on_hangup<C: Send + Sync + 'static>(app: &Arc<App<C>>) -> io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let app = app.clone();
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let app = app.clone();
            // Where it may block: the file may be on a disk that is slow, or be no file.
            let _ = spawn_blocking(move || app.access.reload()).await;
        }
    });
    Ok(())
}

/// Writes a line for whoever started the process. Unlike `eprintln!`, it does not panic when there is nobody.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests;
