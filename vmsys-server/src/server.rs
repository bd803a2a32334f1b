//! The daemon as a value: bound, running, stopped.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::spawn_blocking;
use tokio::time::{sleep, timeout};
use vmsys_core::VmSystem;

use crate::config::Config;
use crate::connection::{self, Pulse, Timeouts};
use crate::error::causes;
use crate::logging;
use crate::net::Net;
use crate::route::Router;
use crate::routes;
use crate::service::{App, BLOCKING_THREADS, Service};
use crate::shutdown::Signals;

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
    #[error("refusing to listen on {address}: whoever reaches this port can run code")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
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
                "another program listens there: stop it, or name another port with --listen"
            }
            Self::Listen { .. } => "name another address with --listen",
            Self::NotLoopback { .. } => "listen on a loopback address: 127.0.0.1 or [::1]",
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
    listener: TcpListener,
    local_addr: SocketAddr,
    app: Arc<App<VmSystem>>,
}

impl Server {
    /// Takes the port and opens the database.
    ///
    /// # Errors
    /// [`StartError`], which says what to try next.
    pub async fn bind(config: &Config) -> Result<Self, StartError> {
        // The port comes first: to open the database ends what an earlier daemon left running in it.
        let (listener, local_addr) = listen(&config.listen).await?;
        let mut core = vmsys_core::Config::default();
        core.database.clone_from(&config.database);
        core.durability = config.durability;
        core.library_cache.clone_from(&config.cache_dir);
        let host_env = config.host_env.clone();
        core.host_env(move |name| host_env.get(name));
        core.net(Arc::new(network(config, local_addr)?));
        let vm = spawn_blocking(move || VmSystem::with_config(core)).await.map_err(io::Error::other)??;
        Self::new(listener, local_addr, vm, config)
    }

    /// Takes the port and serves a system that is open already; of the configuration, what concerns the system itself
    /// (database, libraries, environment, network) is not looked at. The system is shut down when the server stops.
    ///
    /// # Errors
    /// [`StartError`], which says what to try next.
    pub async fn bind_with(vm: VmSystem, config: &Config) -> Result<Self, StartError> {
        let (listener, local_addr) = listen(&config.listen).await?;
        Self::new(listener, local_addr, vm, config)
    }

    fn new(listener: TcpListener, local_addr: SocketAddr, vm: VmSystem, config: &Config) -> Result<Self, StartError> {
        let router = Router::new(routes::all()).map_err(io::Error::other)?;
        Ok(Self { listener, local_addr, app: Arc::new(App::new(vm, router, config.max_body_bytes)) })
    }

    /// Returns the address that it listens on, with the real port.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Serves until `shutdown` completes, then stops: running executions are cancelled and stored, sessions closed,
    /// and requests in flight answered. It returns at the latest eight seconds after that, also when something hangs.
    pub async fn run(self, shutdown: impl Future<Output = ()>) {
        let vm = self.app.context().clone();
        let end = move || {
            if let Err(error) = vm.shutdown() {
                tracing::error!(cause = causes(&error), "the system did not shut down in order");
            }
        };
        accept_until(self.listener, self.app, Timeouts::default(), shutdown, end).await;
    }
}

/// What answers the requests of scripts; never with this daemon's own answers.
fn network(config: &Config, own: SocketAddr) -> Result<Net, StartError> {
    let net = Net::new()?.without_port(own.port());
    match &config.net_ca_file {
        None => Ok(net),
        Some(path) => {
            net.with_ca_file(path).map_err(|source| StartError::CaFile { path: path.display().to_string(), source })
        }
    }
}

async fn listen(address: &str) -> Result<(TcpListener, SocketAddr), StartError> {
    let refused = |source| StartError::Listen { address: address.to_owned(), source };
    let listener = TcpListener::bind(address).await.map_err(refused)?;
    let local_addr = listener.local_addr().map_err(refused)?;
    if !local_addr.ip().is_loopback() {
        return Err(StartError::NotLoopback { address: local_addr });
    }
    Ok((listener, local_addr))
}

/// Accepts until `shutdown`, then lets `end` bring the work to its end and the connections finish.
async fn accept_until<C: Send + Sync + 'static>(
    listener: TcpListener,
    app: Arc<App<C>>,
    timeouts: Timeouts,
    shutdown: impl Future<Output = ()>,
    end: impl FnOnce() + Send + 'static,
) {
    let (stop, stopped) = watch::channel(());
    let streams = app.clone();
    let accepting = async {
        loop {
            match listener.accept().await {
                Ok((stream, remote)) => accept(stream, remote, &app, timeouts, &stopped),
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
    stream: TcpStream,
    remote: SocketAddr,
    app: &Arc<App<C>>,
    timeouts: Timeouts,
    stopped: &watch::Receiver<()>,
) {
    // Without it a small answer may wait for the acknowledgement of the one before. A socket that cannot is gone.
    let _ = stream.set_nodelay(true);
    let service = Service { app: app.clone(), remote, pulse: Arc::new(Pulse::new()) };
    tokio::spawn(connection::serve(stream, service, timeouts, stopped.clone()));
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
/// It writes `vm-system listening on http://ADDRESS` to standard error once it serves, ends in order on SIGINT and
/// SIGTERM, and at once on a second signal.
pub fn run_blocking(config: &Config) -> ExitCode {
    let _logging = logging::init(config.log_format, config.log_level);
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {}\nhint: {}", causes(&error), error.hint()));
            ExitCode::FAILURE
        }
    }
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
        // Programs wait for this line and read the port out of it, so it does not depend on how the log is set.
        say(&format!("vm-system listening on http://{}", server.local_addr()));
        server.run(signals.first()).await;
        tracing::info!("stopped");
        Ok(())
    });
    runtime.shutdown_timeout(LAST_WAIT);
    served
}

/// Writes a line for whoever started the process. Unlike `eprintln!`, it does not panic when there is nobody.
fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

#[cfg(test)]
mod tests;
