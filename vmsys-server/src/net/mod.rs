//! `fetch`, for scripts whose template grants hosts: the network of sessions, over HTTP/1.1.
//!
//! Every connection is made for one request: a policy lists its host, the host's addresses are looked up once and
//! checked, and one of those very addresses is connected to; so there is no second look-up that could answer otherwise.
//! A redirect is a new request. Proxies named in the environment are not heeded.

mod address;
mod connect;
mod error;
mod exchange;
mod request;
mod resolve;

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use http::HeaderMap;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsConnector;
use vmsys_core::{
    CallContext, CallError, Error, JsonObject, Module, ModuleInfo, ModuleInstance, NetPolicy, PendingCall,
    SessionContext, Value,
};

use self::error::Failure;
use self::request::{Request, latin1};
use self::resolve::{OwnPorts, SystemResolver, addresses_of};
pub use self::resolve::{Resolve, Resolving};

/// Requests of a session that are on their way at a time; others wait for their turn.
const AT_A_TIME: usize = 16;
/// Bytes of bodies that a session's requests hold at a time.
const MOST_SENDING: usize = 64 << 20;
/// Answers that a script has not taken yet, above which others wait with theirs.
const MOST_UNREAD: usize = 4;
/// How long such a one waits before it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// The network of a system: register it with [`vmsys_core::Config::net`].
///
/// Requests run on the tokio runtime that it was made on, which must outlive the system and have timers and sockets
/// enabled.
///
/// ```
/// # #[tokio::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let net = vmsys_server::Net::new()?.without_port(3210);
/// let mut config = vmsys_core::Config::default();
/// config.net(std::sync::Arc::new(net));
/// let vm = tokio::task::spawn_blocking(|| vmsys_core::VmSystem::with_config(config)).await??;
/// # drop(vm);
/// # Ok(())
/// # }
/// ```
pub struct Net {
    shared: Shared,
}

/// What the requests of a system share.
#[derive(Clone)]
struct Shared {
    runtime: Handle,
    tls: TlsConnector,
    resolver: Arc<dyn Resolve>,
    own: OwnPorts,
}

impl Net {
    /// A network that trusts the certificates that browsers trust, and resolves names as the operating system does.
    ///
    /// # Errors
    /// There is no TLS to be had.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn new() -> io::Result<Self> {
        let shared = Shared {
            runtime: Handle::current(),
            tls: connect::tls(None)?,
            resolver: Arc::new(SystemResolver::default()),
            own: OwnPorts::default(),
        };
        Ok(Self { shared })
    }

    /// The same, trusting the certificates of a PEM file as well.
    ///
    /// # Errors
    /// The file cannot be read, or has no certificate in it.
    pub fn with_ca_file(mut self, path: &Path) -> io::Result<Self> {
        self.shared.tls = connect::tls(Some(path))?;
        Ok(self)
    }

    /// The same with another resolver. What it answers is checked like any other's answer.
    pub fn with_resolver(mut self, resolver: impl Resolve + 'static) -> Self {
        self.shared.resolver = Arc::new(resolver);
        self
    }

    /// The same, refusing a port of this machine whatever a template says: the one that the daemon listens on.
    pub fn without_port(mut self, port: u16) -> Self {
        self.shared.own.0.push(port);
        self
    }
}

impl fmt::Debug for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Net").field("own", &self.shared.own).finish_non_exhaustive()
    }
}

impl Module for Net {
    fn info(&self) -> ModuleInfo {
        ModuleInfo::new("net", "Requests over HTTP, as the global function fetch").async_function("fetch")
    }

    fn check_config(&self, config: &JsonObject) -> Result<(), Error> {
        policies(config).map(drop)
    }

    fn open(&self, _: &SessionContext, config: &JsonObject) -> Result<Box<dyn ModuleInstance>, Error> {
        Ok(Box::new(SessionNet(Arc::new(Session::new(&self.shared, config)?))))
    }
}

/// What the core resolved a template's capabilities to: `{"policies": [...]}`.
fn policies(config: &JsonObject) -> Result<Vec<NetPolicy>, Error> {
    let policies = config.get("policies").cloned().unwrap_or_default();
    serde_json::from_value(policies).map_err(|error| Error::validation("config.policies", error.to_string()))
}

/// The network of one session.
struct Session {
    shared: Shared,
    policies: Vec<NetPolicy>,
    turns: Semaphore,
    /// Bytes of the bodies of requests that are not answered yet.
    sending: AtomicUsize,
}

struct SessionNet(Arc<Session>);

impl ModuleInstance for SessionNet {
    fn call(&mut self, function: &str, _: &[Value], _: &CallContext) -> Result<Value, CallError> {
        Err(CallError::new("Error", format!("net has no function {function} that answers at once")))
    }

    fn begin(&mut self, function: &str, args: &[Value], call: PendingCall) {
        let request = match (function, args) {
            ("fetch", [request]) => Request::parse(request).and_then(|request| Sending::begin(&self.0, request)),
            _ => Err(Failure::invalid("net has one function: fetch(request)")),
        };
        let sending = match request {
            Ok(sending) => sending,
            Err(failure) => return call.complete(Err(failure.into())),
        };
        let (cancel, cancelled) = oneshot::channel::<()>();
        call.on_cancel(move || {
            // A task that has ended needs no telling.
            let _ = cancel.send(());
        });
        self.0.shared.runtime.spawn(async move {
            // Whatever is dropped here is closed: look-ups, connections, the body so far.
            let answer = tokio::select! {
                answer = sending.run(call.context()) => answer,
                _ = cancelled => return,
            };
            call.complete(answer.map_err(CallError::from));
        });
    }
}

/// A request that a session has made, with its part of what the session may hold.
struct Sending {
    session: Arc<Session>,
    request: Request,
    bytes: usize,
}

impl Sending {
    fn begin(session: &Arc<Session>, request: Request) -> Result<Self, Failure> {
        let bytes = request.body.as_ref().map_or(0, |body| body.len());
        let before = session.sending.fetch_add(bytes, Ordering::Relaxed);
        // Made first: it gives back what was counted.
        let sending = Self { session: session.clone(), request, bytes };
        if before + bytes > MOST_SENDING {
            return Err(Failure::coded(
                "ERR_REQUEST_TOO_LARGE",
                format!("the bodies of a session's requests have at most {MOST_SENDING} bytes at a time"),
            ));
        }
        Ok(sending)
    }

    /// Sends it when its turn has come, and gives the answer when its script has room for it.
    async fn run(self, context: &CallContext) -> Result<Value, Failure> {
        let _turn = self.session.turns.acquire().await;
        let answer = self.session.fetch(self.request.clone(), context.max_reply_bytes()).await;
        // The turn is kept meanwhile, so that what a busy script leaves lying is bounded.
        while context.unread_answers() >= MOST_UNREAD {
            sleep(LOOK_AGAIN).await;
        }
        answer
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.session.sending.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Session {
    fn new(shared: &Shared, config: &JsonObject) -> Result<Self, Error> {
        Ok(Self {
            shared: shared.clone(),
            policies: policies(config)?,
            turns: Semaphore::new(AT_A_TIME),
            sending: AtomicUsize::new(0),
        })
    }

    /// Follows a request to its answer, within the time of the policy that it begins with. `most_bytes` is what its script
    /// could hold, whatever the policy says.
    async fn fetch(&self, request: Request, most_bytes: usize) -> Result<Value, Failure> {
        let limit = self.policy(&request)?.timeout_ms;
        let follow = async {
            let mut request = request;
            loop {
                let policy = self.policy(&request)?;
                let connection = self.connect(&request, policy).await?;
                let answer = exchange::exchange(connection, &request).await?;
                if let Some(next) = request.redirected(answer.status, &answer.headers)? {
                    request = next;
                    continue;
                }
                let most = usize::try_from(policy.max_bytes).unwrap_or(usize::MAX).min(most_bytes);
                let (answer, body) = answer.read(&request.method, most).await?;
                return Ok(to_value(&request, &answer, body));
            }
        };
        timeout(Duration::from_millis(limit), follow).await.unwrap_or_else(|_| {
            Err(Failure::coded("ETIMEDOUT", format!("the request took more than timeout_ms, which is {limit}")))
        })
    }

    /// The policy that a request goes by.
    fn policy(&self, request: &Request) -> Result<&NetPolicy, Failure> {
        let url = &request.url;
        let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
        NetPolicy::governing(&self.policies, host, port).ok_or_else(|| {
            let listed = if matches!(port, 80 | 443) { host.to_owned() } else { format!("{host}:{port}") };
            Failure::refused(format!(
                "fetch is refused: {host} port {port} is not allowed: add {listed:?} to the hosts of a net capability of \
                 the session's template, and create a new session"
            ))
        })
    }

    async fn connect(&self, request: &Request, policy: &NetPolicy) -> Result<connect::Connection, Failure> {
        let Shared { tls, resolver, own, .. } = &self.shared;
        let url = &request.url;
        let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
            return Err(Failure::invalid("Invalid URL"));
        };
        let addresses = addresses_of(&host, port, policy, resolver.as_ref(), own).await?;
        connect::connect(&addresses, &host, (url.scheme() == "https").then_some(tls)).await
    }
}

/// What `fetch` makes a `Response` of.
fn to_value(request: &Request, answer: &exchange::Answer, body: Vec<u8>) -> Value {
    let pair = |(name, value): (&http::HeaderName, &http::HeaderValue)| {
        Value::Array(vec![name.as_str().into(), latin1(value.as_bytes()).into()])
    };
    let headers: &HeaderMap = &answer.headers;
    Value::object([
        ("url", request.url.as_str().into()),
        ("redirected", request.was_redirected().into()),
        ("status", f64::from(answer.status.as_u16()).into()),
        ("statusText", answer.status_text.as_str().into()),
        ("headers", headers.iter().map(pair).collect::<Vec<_>>().into()),
        ("body", body.into()),
    ])
}

#[cfg(test)]
mod tests;
