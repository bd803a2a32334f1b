//! From a request of hyper's to a response: the route is found, the body read, the handler called where it may block.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, EXPECT, LOCATION, RETRY_AFTER,
    WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinError, spawn_blocking};
use tokio::time::timeout;
use tracing::{Instrument as _, Span};

use crate::access::{Access, Admitted};
use crate::build::SERVER;
use crate::config::DEFAULT_MAX_CONNECTIONS;
use crate::connection::Pulse;
use crate::decode;
use crate::error::ApiError;
use crate::listen::Peer;
use crate::metrics::{Metrics, NO_ROUTE};
use crate::query::Query;
use crate::rate::Rate;
use crate::request_id;
use crate::route::{Answer, Body, Cost, Given, JSON, Request, Route, Router};
use crate::stream;
use crate::ui;

/// Threads that may wait for the core at once, in the runtime that [`run_blocking`](crate::run_blocking) builds.
pub(crate) const BLOCKING_THREADS: usize = 2048;

/// Of these, how many may run JavaScript: however many executions there are, a thread is left to cancel one.
const LONG_CALLS: usize = BLOCKING_THREADS - 64;

/// What is read and thrown away of a body that nobody wanted, so that its sender gets to read why.
const DRAINED_BYTES: usize = 16 << 20;

/// What every request of a daemon shares.
#[derive(Debug)]
pub(crate) struct App<C> {
    context: Arc<C>,
    router: Router<C>,
    max_body_bytes: usize,
    pub(crate) metrics: Arc<Metrics>,
    /// What is asked of callers.
    pub(crate) access: Access,
    /// Connections that there may be at once.
    pub(crate) max_connections: usize,
    /// How many requests a client may send, if that is bounded.
    pub(crate) rate: Option<Rate>,
    /// How long a body may take.
    pub(crate) body_timeout: Duration,
    /// How long the rest of an unwanted body is read.
    pub(crate) drain_timeout: Duration,
    long_calls: Arc<Semaphore>,
    /// Whether streams are to end.
    stopping: watch::Sender<bool>,
}

impl<C: Send + Sync + 'static> App<C> {
    pub(crate) fn new(context: C, router: Router<C>, max_body_bytes: usize) -> Self {
        Self {
            context: Arc::new(context),
            router,
            max_body_bytes,
            metrics: Arc::default(),
            access: Access::default(),
            max_connections: DEFAULT_MAX_CONNECTIONS,
            rate: None,
            body_timeout: Duration::from_secs(30),
            drain_timeout: Duration::from_secs(5),
            long_calls: Arc::new(Semaphore::new(LONG_CALLS)),
            stopping: watch::Sender::new(false),
        }
    }

    pub(crate) fn context(&self) -> &Arc<C> {
        &self.context
    }

    /// Serves one request, from its head to its line in the log.
    async fn serve(
        &self,
        request: http::Request<Incoming>,
        id: HeaderValue,
        remote: Peer,
        span: Span,
    ) -> Response<stream::Body> {
        let started = Instant::now();
        let (head, incoming) = request.into_parts();
        let mut body = RequestBody { incoming, touched: false, late: false };
        let mut route = NO_ROUTE;
        let outcome = self.answer(&head, &mut body, remote, &mut route).instrument(span.clone()).await;
        body.drain(&head.headers, self.drain_timeout).await;

        let request_id = id.to_str().unwrap_or_default();
        let outcome = match outcome {
            Ok(answer) => self.respond(answer).instrument(span).await,
            Err(error) => Err(error),
        };
        let mut response = match outcome {
            Ok(response) => response,
            Err(error) => {
                if let Some(cause) = error.cause() {
                    tracing::error!(request_id, cause, "a request failed inside");
                }
                self.metrics.refused(&error);
                refuse(&error)
            }
        };
        self.access.tell(&head, &mut response);
        self.metrics.answered(&head.method, route, response.status(), started.elapsed());
        tracing::info!(
            method = head.method.as_str(),
            path = head.uri.path(),
            status = response.status().as_u16(),
            duration_ms = started.elapsed().as_micros() as f64 / 1000.0,
            request_id,
            %remote,
            "request"
        );
        response
    }

    /// Writes an answer out, or begins to.
    async fn respond(&self, answer: Answer) -> Result<Response<stream::Body>, ApiError> {
        let Answer { status, content_type, location, headers, body } = answer;
        let body = match body {
            Body::Whole(bytes) => stream::Body::whole(bytes),
            Body::Stream(source) => stream::begin(source, self.stopping.subscribe(), self.metrics.stream()),
            Body::Awaited(source, at_most) => {
                stream::Body::whole(stream::awaited(source, at_most, self.stopping.subscribe()).await?)
            }
        };
        let mut response = respond(status, content_type, body);
        response.headers_mut().extend(headers);
        if let Some(location) = location {
            let location = HeaderValue::from_str(&location).map_err(|error| ApiError::internal(error.to_string()))?;
            response.headers_mut().insert(LOCATION, location);
        }
        Ok(response)
    }

    /// Ends what would go on for ever: streams, and answers that are awaited.
    pub(crate) fn end_streams(&self) {
        self.stopping.send_replace(true);
    }

    async fn answer(
        &self,
        head: &http::request::Parts,
        body: &mut RequestBody,
        remote: Peer,
        found: &mut &'static str,
    ) -> Result<Answer, ApiError> {
        // Before it is known who asks: to try tokens is to send requests.
        if let Some(rate) = &self.rate {
            rate.check(head.uri.path(), remote)?;
        }
        if self.access.check(head, remote)? == Admitted::Preflight {
            return Ok(Answer::nothing());
        }
        if let Some(page) = ui::answer(&head.method, head.uri.path(), &head.headers) {
            *found = ui::ROUTE;
            return Ok(page);
        }
        let (route, params) = self.router.find(&head.method, head.uri.path())?;
        *found = route.path;
        let given = given(route, &head.headers)?;
        let query = Query::parse(head.uri.query().unwrap_or_default(), route.query)?;
        let body = body.read(&head.headers, self.max_body_bytes, self.body_timeout).await?;
        if route.body.is_none() {
            decode::nothing(&body)?;
        }
        self.call(route, Request { params, query, given, body, metrics: self.metrics.clone() }).await
    }

    /// Calls the handler. It ends in its own time: a client that goes away stops nothing.
    async fn call(&self, route: &Route<C>, request: Request) -> Result<Answer, ApiError> {
        let handler = route.handler.clone();
        let permit = match route.cost {
            Cost::Free => return handler(&self.context, &request),
            Cost::Brief => None,
            // Closed is what this semaphore never is.
            Cost::Long => self.long_calls.clone().acquire_owned().await.ok(),
        };
        let context = self.context.clone();
        let span = tracing::Span::current();
        let done = spawn_blocking(move || {
            let answer = span.in_scope(|| handler(&context, &request));
            drop(permit);
            answer
        });
        done.await.unwrap_or_else(|error| Err(broken(error)))
    }
}

/// A handler that did not return.
fn broken(error: JoinError) -> ApiError {
    // Work is only ever cancelled by the end of the runtime.
    if error.is_cancelled() { ApiError::shutting_down() } else { ApiError::internal(panic_message(error)) }
}

fn panic_message(error: JoinError) -> String {
    let Ok(panic) = error.try_into_panic() else { return "a task was cancelled".to_owned() };
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    format!("a handler panicked: {}", text.unwrap_or("without a message"))
}

/// The body of a request, before it is known whether anybody wants it.
struct RequestBody {
    incoming: Incoming,
    /// Whether reading has begun, which is when a client that asked `Expect: 100-continue` is told to go on.
    touched: bool,
    /// Whether the client has used up its time.
    late: bool,
}

impl RequestBody {
    async fn read(&mut self, headers: &HeaderMap, most: usize, within: Duration) -> Result<Bytes, ApiError> {
        if self.incoming.is_end_stream() {
            return Ok(Bytes::new());
        }
        if !is_json(headers) {
            return Err(ApiError::unsupported_media_type());
        }
        if self.incoming.size_hint().lower() > most as u64 {
            return Err(ApiError::payload_too_large(most));
        }
        self.touched = true;
        // What arrives in one piece is not copied.
        match timeout(within, Limited::new(&mut self.incoming, most).collect()).await {
            Ok(Ok(collected)) => Ok(collected.to_bytes()),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(ApiError::payload_too_large(most)),
            Ok(Err(error)) => {
                Err(ApiError::invalid_request(format!("The body of the request cannot be read: {error}")))
            }
            Err(_) => {
                self.late = true;
                Err(ApiError::request_timeout())
            }
        }
    }

    /// Reads on through a body that was refused. A client that writes all before it reads would otherwise find its
    /// connection reset, and never learn why.
    async fn drain(&mut self, headers: &HeaderMap, within: Duration) {
        let waits_for_us = !self.touched && headers.contains_key(EXPECT);
        if self.incoming.is_end_stream() || waits_for_us || self.late {
            return;
        }
        let all = async {
            let mut left = DRAINED_BYTES;
            while let Some(Ok(frame)) = self.incoming.frame().await {
                let length = frame.data_ref().map_or(0, Bytes::len);
                match left.checked_sub(length) {
                    Some(rest) => left = rest,
                    None => return,
                }
            }
        };
        let _ = timeout(within, all).await;
    }
}

/// Tells whether a body is said to be plain JSON.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(value), None) = (types.next(), types.next()) else { return false };
    let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let encoded =
        headers.get_all(CONTENT_ENCODING).iter().any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"));
    essence.eq_ignore_ascii_case("application/json") && !encoded
}

fn respond(status: StatusCode, content_type: &'static str, body: stream::Body) -> Response<stream::Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::SERVER, HeaderValue::from_static(SERVER));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

/// Reads what a handler is given of the head.
fn given<C>(route: &Route<C>, headers: &HeaderMap) -> Result<Given, ApiError> {
    let single = |name: &'static str| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => {
                value.to_str().map(Some).map_err(|_| ApiError::validation(name, format!("{name} must be ASCII text")))
            }
            (Some(_), Some(_)) => Err(ApiError::validation(name, format!("{name} is given twice"))),
        }
    };
    let key = single("Idempotency-Key")?;
    // A caller that sends a key counts on it: to ignore it would run its request twice.
    if key.is_some() && route.key.is_none() {
        return Err(ApiError::invalid_request("This route takes no Idempotency-Key"));
    }
    let last_event_id = single("Last-Event-ID")?.filter(|id| !id.is_empty()).map(str::to_owned);
    Ok(Given { key: key.map(str::parse).transpose()?, last_event_id })
}

fn refuse(error: &ApiError) -> Response<stream::Body> {
    let mut response = respond(error.status(), JSON, stream::Body::whole(error.to_json().into()));
    let headers = response.headers_mut();
    if let Some(allow) = error.detail("allow").and_then(|allow| HeaderValue::from_str(allow).ok()) {
        headers.insert(ALLOW, allow);
    }
    if let Some(seconds) = error.retry_after() {
        headers.insert(RETRY_AFTER, seconds.into());
    }
    match error.status() {
        StatusCode::UNAUTHORIZED => {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        StatusCode::REQUEST_TIMEOUT => {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        _ => {}
    }
    response
}

/// Returns the bytes that refuse what has not become a request, and say that the connection is closed then.
pub(crate) fn refuse_unread(error: &ApiError, id: HeaderValue) -> Vec<u8> {
    let body = error.to_json();
    let mut response = refuse(error);
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, body.len().into());
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(request_id::HEADER, id);
    let mut wire = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
    for (name, value) in response.headers() {
        wire.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    [wire, b"\r\n".to_vec(), body].concat()
}

/// The service of one connection.
#[derive(Debug)]
pub(crate) struct Service<C> {
    pub(crate) app: Arc<App<C>>,
    pub(crate) remote: Peer,
    pub(crate) pulse: Arc<Pulse>,
}

impl<C: Send + Sync + 'static> hyper::service::Service<http::Request<Incoming>> for Service<C> {
    type Response = Response<stream::Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, request: http::Request<Incoming>) -> Self::Future {
        let (app, remote, pulse) = (self.app.clone(), self.remote, self.pulse.clone());
        pulse.busy();
        let id = request_id::of(request.headers());
        let shown = id.clone();
        // A task of its own: it ends, and is logged, also when the client has gone; and a panic in it costs one
        // request, and not the connection. (tower-http's `CatchPanic` would do the latter alone.)
        // What is logged meanwhile, here and in the core, says for which request.
        let span = tracing::info_span!("request", request_id = id.to_str().unwrap_or_default());
        let task = tokio::spawn(async move { app.serve(request, id, remote, span).await });
        Box::pin(async move {
            let mut response = task.await.unwrap_or_else(|error| {
                let error = broken(error);
                tracing::error!(
                    request_id = shown.to_str().unwrap_or_default(),
                    cause = error.cause(),
                    "a request failed inside"
                );
                refuse(&error)
            });
            response.headers_mut().insert(request_id::HEADER, shown);
            if response.body().is_stream() {
                response.body_mut().when_done(move || pulse.idle());
            } else {
                pulse.idle();
            }
            Ok(response)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_must_be_said_to_be_json() {
        let table: &[(&[(&str, &str)], bool)] = &[
            (&[("content-type", "application/json")], true),
            (&[("content-type", "Application/JSON ; charset=UTF-8")], true),
            (&[("content-type", "application/json"), ("content-encoding", "identity")], true),
            (&[], false),
            (&[("content-type", "")], false),
            (&[("content-type", "text/plain")], false),
            (&[("content-type", "text/plain; application/json")], false),
            (&[("content-type", "application/jsonp")], false),
            (&[("content-type", "application/json, text/plain")], false),
            (&[("content-type", "application/json"), ("content-type", "text/plain")], false),
            (&[("content-type", "application/json"), ("content-encoding", "gzip")], false),
        ];
        for (pairs, expected) in table {
            let mut headers = HeaderMap::new();
            for (name, value) in *pairs {
                headers.append(http::HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            assert_eq!(is_json(&headers), *expected, "{pairs:?}");
        }
    }

    #[test]
    fn refusals_carry_the_headers_of_their_status() {
        let response = refuse(&ApiError::method_not_allowed("GET, HEAD"));
        assert_eq!((response.status().as_u16(), response.headers()[ALLOW].as_bytes()), (405, b"GET, HEAD".as_slice()));
        assert_eq!(response.headers()[CONTENT_TYPE], "application/json");
        assert_eq!(refuse(&ApiError::request_timeout()).headers()[CONNECTION], "close");
        assert_eq!(refuse(&ApiError::unauthorized()).headers()[WWW_AUTHENTICATE], "Bearer");
        assert_eq!(refuse(&ApiError::too_many_connections(1)).headers()[RETRY_AFTER], "1");
        assert_eq!(refuse(&ApiError::too_many_requests(1)).headers()[RETRY_AFTER], "1");
    }
}
