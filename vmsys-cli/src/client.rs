//! The REST client: one call of the contract a method, one connection a call.

mod attempts;
pub(crate) mod records;
mod stream;
pub(crate) mod token;
mod url;

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use self::attempts::Attempts;
use self::records::{
    AvailableLibrary, AvailableModule, Capability, Completions, DeletedTemplate, Document, Event, Execution, Files,
    Given, Globals, History, InputCheck, RemovedCapability, Session, StartupFile, Stats, Template, TemplateDetail,
};
pub(crate) use self::stream::{News, OnNews};
use self::url::{ApiPath, Place, ServerUrl};
use crate::error::{Error, Result};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// How long calls may take that run no code.
const ANSWER: Duration = Duration::from_secs(30);

/// How many records the daemon puts on a page that nobody asked to be longer, and at most.
const PAGE: usize = 50;
const LONGEST_PAGE: u32 = 1000;

/// How this program introduces itself.
const USER_AGENT_NAME: &str = concat!("vm-system/", env!("CARGO_PKG_VERSION"));

/// An answer: the document as it came, and what was understood of it.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) text: String,
    pub(crate) value: T,
}

/// A client of one daemon.
#[derive(Debug)]
pub(crate) struct Client {
    url: ServerUrl,
    /// What every request shows, if the daemon asks for a token.
    authorization: Option<HeaderValue>,
    runtime: Option<Runtime>,
    /// The longest wait for an answer of a call that runs no code.
    patience: Duration,
}

impl Client {
    /// A client of the daemon at this address; nothing is sent yet.
    ///
    /// # Errors
    /// A usage error when the address is none.
    pub(crate) fn new(address: &str) -> Result<Self> {
        let url = ServerUrl::parse(address)?;
        Ok(Self { url, authorization: None, runtime: Some(networking()?), patience: ANSWER })
    }

    /// Another client of the same daemon, for another thread.
    ///
    /// # Errors
    /// There is no networking to be had.
    pub(crate) fn another(&self) -> Result<Self> {
        let runtime = Some(networking()?);
        Ok(Self { url: self.url.clone(), authorization: self.authorization.clone(), runtime, patience: self.patience })
    }

    /// The same, showing a token.
    pub(crate) fn with_token(mut self, authorization: Option<HeaderValue>) -> Self {
        self.authorization = authorization;
        self
    }

    pub(crate) fn health(&self) -> Result<Answer<Document>> {
        self.get(&ApiPath::new(&["health"]))
    }

    pub(crate) fn runtime_summary(&self) -> Result<Answer<Document>> {
        self.get(&ApiPath::new(&["runtime", "summary"]))
    }

    pub(crate) fn openapi(&self) -> Result<Answer<Document>> {
        self.get(&ApiPath::new(&["openapi.json"]))
    }

    pub(crate) fn stats(&self) -> Result<Answer<Stats>> {
        self.get(&ApiPath::new(&["runtime", "stats"]))
    }

    /// Returns the metrics in Prometheus's text format.
    pub(crate) fn metrics(&self) -> Result<String> {
        self.text(&Method::GET, &ApiPath::metrics(), None, Some(self.patience))
    }

    pub(crate) fn create_template(&self, template: Map<String, Value>) -> Result<Answer<Template>> {
        self.post(&ApiPath::new(&["templates"]), Some(template), Some(self.patience))
    }

    /// Returns all templates, however many there are.
    pub(crate) fn templates(&self) -> Result<Answer<Vec<Template>>> {
        self.pages(&ApiPath::new(&["templates"]))
    }

    /// Returns what scripts of a template find, as TypeScript declares it.
    pub(crate) fn template_types(&self, id: &str) -> Result<String> {
        self.text(&Method::GET, &ApiPath::new(&["templates", id, "types"]), None, Some(self.patience))
    }

    pub(crate) fn template(&self, id: &str) -> Result<Answer<TemplateDetail>> {
        self.get(&ApiPath::new(&["templates", id]))
    }

    pub(crate) fn update_template(&self, id: &str, patch: Map<String, Value>) -> Result<Answer<TemplateDetail>> {
        self.call(&Method::PATCH, &ApiPath::new(&["templates", id]), Some(patch), Some(self.patience))
    }

    pub(crate) fn delete_template(&self, id: &str) -> Result<Answer<DeletedTemplate>> {
        self.delete(&ApiPath::new(&["templates", id]))
    }

    pub(crate) fn add_capability(&self, template: &str, capability: Map<String, Value>) -> Result<Answer<Capability>> {
        self.post(&ApiPath::new(&["templates", template, "capabilities"]), Some(capability), Some(self.patience))
    }

    pub(crate) fn remove_capability(&self, template: &str, id: &str) -> Result<Answer<RemovedCapability>> {
        self.delete(&ApiPath::new(&["templates", template, "capabilities", id]))
    }

    pub(crate) fn capabilities(&self, template: &str) -> Result<Answer<Vec<Capability>>> {
        self.get(&ApiPath::new(&["templates", template, "capabilities"]))
    }

    pub(crate) fn add_module(&self, template: &str, module: Map<String, Value>) -> Result<Answer<Given>> {
        self.post(&ApiPath::new(&["templates", template, "modules"]), Some(module), Some(self.patience))
    }

    pub(crate) fn remove_module(&self, template: &str, name: &str) -> Result<Answer<Given>> {
        self.delete(&ApiPath::new(&["templates", template, "modules", name]))
    }

    pub(crate) fn modules(&self, template: &str) -> Result<Answer<Vec<String>>> {
        self.get(&ApiPath::new(&["templates", template, "modules"]))
    }

    pub(crate) fn add_library(&self, template: &str, library: Map<String, Value>) -> Result<Answer<Given>> {
        self.post(&ApiPath::new(&["templates", template, "libraries"]), Some(library), Some(self.patience))
    }

    pub(crate) fn remove_library(&self, template: &str, name: &str) -> Result<Answer<Given>> {
        self.delete(&ApiPath::new(&["templates", template, "libraries", name]))
    }

    pub(crate) fn libraries(&self, template: &str) -> Result<Answer<Vec<String>>> {
        self.get(&ApiPath::new(&["templates", template, "libraries"]))
    }

    pub(crate) fn available_modules(&self) -> Result<Answer<Vec<AvailableModule>>> {
        self.get(&ApiPath::new(&["catalog", "modules"]))
    }

    pub(crate) fn available_libraries(&self) -> Result<Answer<Vec<AvailableLibrary>>> {
        self.get(&ApiPath::new(&["catalog", "libraries"]))
    }

    pub(crate) fn add_startup_file(&self, template: &str, file: Map<String, Value>) -> Result<Answer<StartupFile>> {
        self.post(&ApiPath::new(&["templates", template, "startup-files"]), Some(file), Some(self.patience))
    }

    pub(crate) fn startup_files(&self, template: &str) -> Result<Answer<Vec<StartupFile>>> {
        self.get(&ApiPath::new(&["templates", template, "startup-files"]))
    }

    /// Creates a session, which runs the startup files: it takes as long as they do.
    pub(crate) fn create_session(&self, session: Map<String, Value>) -> Result<Answer<Session>> {
        self.post(&ApiPath::new(&["sessions"]), Some(session), None)
    }

    /// Returns the newest sessions of a status and template, or all of them when there is no limit.
    pub(crate) fn sessions(
        &self,
        status: Option<&str>,
        template: Option<&str>,
        limit: Option<u32>,
    ) -> Result<Answer<Vec<Session>>> {
        let path = ApiPath::new(&["sessions"]).query("status", status).query("template_id", template);
        match limit {
            Some(_) => self.get(&path.query("limit", limit)),
            None => self.pages(&path),
        }
    }

    pub(crate) fn session(&self, id: &str) -> Result<Answer<Session>> {
        self.get(&ApiPath::new(&["sessions", id]))
    }

    /// Looks at a path of a session's worktree.
    pub(crate) fn files(&self, id: &str, path: Option<&str>) -> Result<Answer<Files>> {
        self.get(&ApiPath::new(&["sessions", id, "files"]).query("path", path))
    }

    pub(crate) fn close_session(&self, id: &str) -> Result<Answer<Session>> {
        self.post(&ApiPath::new(&["sessions", id, "close"]), None, Some(self.patience))
    }

    pub(crate) fn globals(&self, session: &str, builtins: bool) -> Result<Answer<Globals>> {
        let path = ApiPath::new(&["sessions", session, "globals"]);
        self.get(&path.query("builtins", builtins.then_some("true")))
    }

    pub(crate) fn complete(&self, session: &str, request: Map<String, Value>) -> Result<Answer<Completions>> {
        self.post(&ApiPath::new(&["sessions", session, "completions"]), Some(request), Some(self.patience))
    }

    pub(crate) fn check(&self, session: &str, request: Map<String, Value>) -> Result<Answer<InputCheck>> {
        self.post(&ApiPath::new(&["sessions", session, "check"]), Some(request), Some(self.patience))
    }

    pub(crate) fn history(&self, session: &str, before: Option<&str>, limit: u32) -> Result<Answer<History>> {
        let path = ApiPath::new(&["sessions", session, "history"]);
        self.get(&path.query("limit", Some(limit)).query("before", before))
    }

    pub(crate) fn repl(&self, request: Map<String, Value>) -> Result<Answer<Execution>> {
        self.post(&ApiPath::new(&["executions", "repl"]), Some(request), None)
    }

    pub(crate) fn run_file(&self, request: Map<String, Value>) -> Result<Answer<Execution>> {
        self.post(&ApiPath::new(&["executions", "run-file"]), Some(request), None)
    }

    pub(crate) fn executions(&self, session: &str, limit: u32) -> Result<Answer<Vec<Execution>>> {
        self.get(&ApiPath::new(&["executions"]).query("session_id", Some(session)).query("limit", Some(limit)))
    }

    pub(crate) fn execution(&self, id: &str) -> Result<Answer<Execution>> {
        self.get(&ApiPath::new(&["executions", id]))
    }

    pub(crate) fn events(&self, execution: &str, after_seq: u64) -> Result<Answer<Vec<Event>>> {
        self.get(&ApiPath::new(&["executions", execution, "events"]).query("after_seq", Some(after_seq)))
    }

    pub(crate) fn cancel(&self, execution: &str) -> Result<Answer<Execution>> {
        self.post(&ApiPath::new(&["executions", execution, "cancel"]), None, Some(self.patience))
    }

    /// Makes a call that may be made twice, and makes it again for a while when nobody answers, or not yet.
    pub(crate) fn persistently<T>(&self, call: impl Fn(&Self) -> Result<T>, on_delay: impl Fn(&Error)) -> Result<T> {
        let mut attempts = None;
        loop {
            match call(self) {
                Err(error) if error.is_passing() => {
                    if attempts.is_none() {
                        on_delay(&error);
                    }
                    match attempts.get_or_insert_with(Attempts::begin).pause() {
                        Some(pause) => std::thread::sleep(pause),
                        None => return Err(error),
                    }
                }
                answer => return answer,
            }
        }
    }

    fn get<T: DeserializeOwned>(&self, path: &ApiPath) -> Result<Answer<T>> {
        self.call(&Method::GET, path, None, Some(self.patience))
    }

    fn delete<T: DeserializeOwned>(&self, path: &ApiPath) -> Result<Answer<T>> {
        self.call(&Method::DELETE, path, None, Some(self.patience))
    }

    fn post<T: DeserializeOwned>(
        &self,
        path: &ApiPath,
        body: Option<Map<String, Value>>,
        patience: Option<Duration>,
    ) -> Result<Answer<T>> {
        self.call(&Method::POST, path, body, patience)
    }

    /// Follows a list to its end. The first page is asked for as short as the daemon likes: most lists are.
    fn pages<T: DeserializeOwned>(&self, path: &ApiPath) -> Result<Answer<Vec<T>>> {
        #[derive(Deserialize)]
        struct Record {
            id: String,
        }
        let mut all: Vec<Box<RawValue>> = self.get::<Vec<Box<RawValue>>>(path)?.value;
        let mut full = all.len() >= PAGE;
        while full {
            let Some(last) = all.last() else { break };
            let before = self.understand::<Record>(last.get())?.id;
            let next = path.clone().query("limit", Some(LONGEST_PAGE)).query("before", Some(before));
            let page = self.get::<Vec<Box<RawValue>>>(&next)?.value;
            if page.last().map(|last| last.get()) == Some(last.get()) {
                // That is no older page: whoever answers does not page.
                break;
            }
            full = page.len() >= LONGEST_PAGE as usize;
            all.extend(page);
        }
        let value = all.iter().map(|record| self.understand(record.get())).collect::<Result<Vec<T>>>()?;
        let texts: Vec<&str> = all.iter().map(|record| record.get()).collect();
        Ok(Answer { text: format!("[{}]", texts.join(",")), value })
    }

    /// Makes one call and reads its answer.
    fn call<T: DeserializeOwned>(
        &self,
        method: &Method,
        path: &ApiPath,
        body: Option<Map<String, Value>>,
        patience: Option<Duration>,
    ) -> Result<Answer<T>> {
        let text = self.text(method, path, body, patience)?;
        let value = self.understand(&text)?;
        Ok(Answer { text, value })
    }

    /// Makes one call and returns its answer as it came.
    fn text(
        &self,
        method: &Method,
        path: &ApiPath,
        body: Option<Map<String, Value>>,
        patience: Option<Duration>,
    ) -> Result<String> {
        let Some(runtime) = &self.runtime else {
            return Err(Error::failed("IO_ERROR", "the client is shut down"));
        };
        let reply = runtime.block_on(async {
            let reply = self.exchange(method, path, body);
            match patience {
                None => reply.await,
                Some(patience) => timeout(patience, reply).await.unwrap_or_else(|_| {
                    Err(Error::unreachable(format!("no answer from {} within {} s", self.url, patience.as_secs())))
                }),
            }
        })?;
        let text = String::from_utf8(reply.body)
            .map_err(|_| self.odd(format!("{} with a body that is no UTF-8 text", reply.status)))?;
        if reply.status.is_success() {
            return Ok(text);
        }
        Err(self.refusal(reply.status, &reply.headers, text))
    }

    /// Sends one request over a connection of its own, and reads the whole answer.
    async fn exchange(&self, method: &Method, path: &ApiPath, body: Option<Map<String, Value>>) -> Result<Reply> {
        let mut request = Request::builder()
            .method(method)
            .uri(self.url.target(path))
            .header(HOST, self.url.authority())
            .header(USER_AGENT, USER_AGENT_NAME)
            .header(ACCEPT, "application/json");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let body = match body {
            Some(body) => {
                request = request.header(CONTENT_TYPE, "application/json");
                Bytes::from(Value::Object(body).to_string())
            }
            None => {
                if *method == Method::POST {
                    request = request.header(CONTENT_LENGTH, 0);
                }
                Bytes::new()
            }
        };
        let request = request
            .body(Full::new(body))
            .map_err(|error| Error::failed("IO_ERROR", format!("cannot make the request: {error}")))?;

        let stream = self.connect().await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.lost(&error))?;
        // What ends the connection also ends the request, which says so better.
        tokio::spawn(connection);
        let answer = sender.send_request(request).await.map_err(|error| self.lost(&error))?;
        let (head, body) = answer.into_parts();
        let body = body
            .collect()
            .await
            .map_err(|_| self.odd(format!("{}, and the connection broke before the end of the answer", head.status)))?;
        Ok(Reply { status: head.status, headers: head.headers, body: body.to_bytes().to_vec() })
    }

    async fn connect(&self) -> Result<Box<dyn Stream>> {
        let connecting = async {
            let stream: Box<dyn Stream> = match self.url.place() {
                Place::Tcp { host, port } => {
                    let stream = TcpStream::connect((host.as_str(), *port)).await?;
                    // Only a loss of speed, should it fail.
                    stream.set_nodelay(true).ok();
                    Box::new(stream)
                }
                Place::Unix(path) => Box::new(UnixStream::connect(path).await?),
            };
            Ok(stream)
        };
        let stream = match timeout(CONNECT, connecting).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                return Err(Error::unreachable(format!("cannot reach the daemon at {}: {}", self.url, plain(&error))));
            }
            Err(_) => {
                let seconds = CONNECT.as_secs();
                return Err(Error::unreachable(format!(
                    "cannot reach the daemon at {}: no connection within {seconds} s",
                    self.url
                )));
            }
        };
        Ok(stream)
    }

    /// Says why no answer came over a connection that stood.
    fn lost(&self, error: &hyper::Error) -> Error {
        if error.is_parse() {
            return self.odd("something that is not HTTP".to_owned());
        }
        Error::unreachable(format!(
            "{} closed the connection without an answer; the request may have been carried out",
            self.url
        ))
    }

    fn understand<T: DeserializeOwned>(&self, text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|error| {
            let what = if error.is_data() { "another document than expected" } else { "something that is not JSON" };
            self.odd(format!("{what} ({error}): {}", beginning(text)))
        })
    }

    /// Reads an error envelope.
    fn refusal(&self, status: StatusCode, headers: &HeaderMap, text: String) -> Error {
        #[derive(Deserialize)]
        struct Envelope {
            error: Body,
        }
        #[derive(Deserialize)]
        struct Body {
            code: String,
            message: String,
            details: Option<Value>,
        }
        let Ok(Envelope { error }) = serde_json::from_str(&text) else {
            return self.odd(match text.trim() {
                "" => format!("{status} without a body"),
                _ => format!("{status}: {}", beginning(&text)),
            });
        };
        let details = match error.details {
            Some(Value::Object(details)) => details,
            _ => Map::new(),
        };
        let request_id = headers.get("x-request-id").and_then(|id| id.to_str().ok());
        Error::refused(error.code, error.message, details, text, request_id)
    }

    fn odd(&self, what: String) -> Error {
        Error::bad_answer(format!("{} answered {what}", self.url))
    }
}

/// What drives a client's connections, on the thread that waits for them.
fn networking() -> Result<Runtime> {
    let built = Builder::new_current_thread().enable_all().build();
    built.map_err(|error| Error::failed("IO_ERROR", format!("cannot set up networking: {error}")))
}

/// Bytes both ways.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl Drop for Client {
    fn drop(&mut self) {
        // A name lookup that hangs must not keep a program from ending that has given it up.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Says what went wrong without the operating system's number for it.
fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "it is another user's".to_owned(),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "no route to it".to_owned(),
        _ => error.to_string(),
    }
}

/// Returns the beginning of a text on one line.
fn beginning(text: &str) -> String {
    const LENGTH: usize = 120;
    let mut line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((at, _)) = line.char_indices().nth(LENGTH) {
        line.truncate(at);
        line.push('…');
    }
    line
}

#[cfg(test)]
pub(crate) mod tests;
