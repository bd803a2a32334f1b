//! The transport over real sockets, with routes that need no core.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use http::StatusCode;

use super::*;
use crate::connection::MAX_HEADERS;
use crate::error::ApiError;
use crate::param::Param;
use crate::route::{Answer, Cost, Request, Route, Sent};

/// What the routes work on: it counts the slow calls that came to their end, and lets go those that are held.
#[derive(Debug, Default)]
struct Counter {
    ended: AtomicUsize,
    released: AtomicBool,
}

const LIMIT: Param<u32> = Param::number("limit", 1, 10, "");

fn routes() -> Vec<Route<Counter>> {
    fn echo(
        _: &Counter,
        _: &Request,
        body: Sent<serde_json::Map<String, serde_json::Value>>,
    ) -> Result<Answer, ApiError> {
        Answer::created(&body.read()?)
    }
    fn query(_: &Counter, request: &Request) -> Result<Answer, ApiError> {
        Answer::ok(&request.query.get(&LIMIT)?)
    }
    fn on_purpose(_: &Counter, _: &Request) -> Result<Answer, ApiError> {
        panic!("on purpose")
    }
    fn slow(counter: &Counter, _: &Request) -> Result<Answer, ApiError> {
        thread::sleep(Duration::from_millis(300));
        counter.ended.fetch_add(1, Ordering::SeqCst);
        Answer::ok(&"slow")
    }
    fn held(counter: &Counter, _: &Request) -> Result<Answer, ApiError> {
        while !counter.released.load(Ordering::SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        Answer::ok(&"held")
    }
    vec![
        Route::get("/free", |_, _| Answer::ok(&"free")).costing(Cost::Free),
        Route::post("/echo", echo),
        Route::act("/slow", slow).costing(Cost::Long),
        Route::act("/held", held).costing(Cost::Long),
        Route::get("/panic", on_purpose),
        Route::get("/panic/free", on_purpose).costing(Cost::Free),
        Route::get("/large", |_, _| Ok(large())),
        Route::get("/query", query).with_query(&[&LIMIT]),
    ]
}

/// More than the kernel takes off the server's hands for a client that does not read. Not through a serialiser, which in
/// a debug build takes longer over it than the test waits.
fn large() -> Answer {
    Answer::new(StatusCode::OK, "text/plain", vec![b'x'; 64 << 20])
}

/// A server on a runtime of its own.
struct Running {
    address: SocketAddr,
    counter: Arc<Counter>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<Duration>>,
}

impl Running {
    fn start() -> Self {
        Self::start_with(Timeouts::default(), |_| {})
    }

    fn start_with(timeouts: Timeouts, change: impl FnOnce(&mut App<Counter>)) -> Self {
        let mut app = App::new(Counter::default(), Router::new(routes()).unwrap(), 1024);
        change(&mut app);
        let counter = app.context().clone();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(Listener::bind("127.0.0.1:0", false)).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::spawn(move || {
            let shutdown = async { drop(stopped.await) };
            runtime.block_on(async {
                let mut stopped_at = None;
                let noted = async {
                    shutdown.await;
                    stopped_at = Some(Instant::now());
                };
                accept_until(listener, Arc::new(app), timeouts, noted, || {}).await;
                stopped_at.map_or(Duration::ZERO, |at| at.elapsed())
            })
        });
        Self { address, counter, stop: Some(stop), thread: Some(thread) }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends bytes on a connection of their own and reads what comes until the server closes it.
    fn raw(&self, request: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_ref()).unwrap();
        read_all(&mut stream)
    }

    /// Asks for one thing.
    fn get(&self, target: &str) -> Reply {
        Reply::parse(&self.raw(format!("GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")))
    }

    fn post(&self, target: &str, headers: &str, body: &str) -> Reply {
        let length = body.len();
        Reply::parse(&self.raw(format!(
            "POST {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        )))
    }

    /// Stops the server, and returns how long that took.
    fn stop(&mut self) -> Duration {
        self.stop.take().unwrap().send(()).unwrap();
        self.thread.take().unwrap().join().unwrap()
    }
}

fn read_all(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset after the answer is an end like any other.
    let _ = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads one answer, and leaves the connection open.
fn read_one(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut byte = [0];
    loop {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
        let length = head.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if length.is_some_and(|length: usize| body.len() >= length) {
            return text;
        }
        stream.read_exact(&mut byte).unwrap();
        text.push(char::from(byte[0]));
    }
}

#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn parse(text: &str) -> Self {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text:?}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Returns the code of the envelope, having checked what every refusal has.
    fn code(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()), "{self:?}");
        assert_eq!(self.header("content-length"), Some(self.body.len().to_string().as_str()), "{self:?}");
        let json: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert!(json["error"]["message"].is_string(), "{self:?}");
        json["error"]["code"].as_str().unwrap().to_owned()
    }

    fn outcome(&self) -> (u16, String) {
        (self.status, self.code())
    }
}

const JSON: &str = "Content-Type: application/json\r\n";

#[test]
fn an_answer_has_its_length_and_its_id() {
    let server = Running::start();
    let reply = server.post("/echo", &format!("{JSON}X-Request-Id: trace-7\r\n"), r#"{"a":[1]}"#);
    assert_eq!((reply.status, reply.body.as_str()), (201, r#"{"a":[1]}"#));
    assert_eq!(reply.header("content-length"), Some("9"));
    assert_eq!(reply.header("content-type"), Some("application/json"));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    assert_eq!(reply.header("x-request-id"), Some("trace-7"));
}

#[test]
fn every_refusal_is_the_envelope_with_an_id() {
    let server = Running::start();
    let not_allowed = server.get("/echo");
    assert_eq!(not_allowed.outcome(), (405, "METHOD_NOT_ALLOWED".to_owned()));
    assert_eq!(not_allowed.header("allow"), Some("post"));
    let table = [
        (server.get("/nosuch"), 404, "NOT_FOUND"),
        (server.get("/query?limit=0"), 400, "VALIDATION_ERROR"),
        (server.get("/query?limits=1"), 400, "INVALID_REQUEST"),
        (server.get("/free?x=1"), 400, "INVALID_REQUEST"),
        (server.post("/echo", "", ""), 400, "INVALID_REQUEST"),
        (server.post("/echo", JSON, ""), 400, "INVALID_REQUEST"),
        (server.post("/echo", JSON, "{"), 400, "INVALID_REQUEST"),
        (server.post("/echo", "", "{}"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (server.post("/echo", "Content-Type: text/plain\r\n", "{}"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (server.post("/slow", "Content-Type: text/plain\r\n", "{}"), 415, "UNSUPPORTED_MEDIA_TYPE"),
        (server.post("/slow", JSON, r#"{"x":1}"#), 400, "INVALID_REQUEST"),
        (server.post("/echo", JSON, &"x".repeat(1025)), 413, "PAYLOAD_TOO_LARGE"),
        (server.get("/panic"), 500, "INTERNAL"),
        (server.get("/panic/free"), 500, "INTERNAL"),
    ];
    for (reply, status, code) in &table {
        assert_eq!(reply.outcome(), (*status, (*code).to_owned()), "{reply:?}");
    }
    assert_eq!(server.get("/free").status, 200);
}

#[test]
fn a_head_that_cannot_be_taken_is_refused_with_the_envelope() {
    let server = Running::start();
    let good = "GET /free HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let many = "X-Many: 1\r\n".repeat(MAX_HEADERS);
    // Larger than what is read of it: the client is still writing when it is refused.
    let large = format!("X-Large: {}\r\n", "x".repeat(300 << 10));
    let table = [
        ("GET /free\r\n\r\n".to_owned(), 400, "INVALID_REQUEST"),
        ("\u{1}\u{2}\u{3}\r\n\r\n".to_owned(), 400, "INVALID_REQUEST"),
        ("GET /free HTTP/1.1\r\nHost : localhost\r\n\r\n".to_owned(), 400, "INVALID_REQUEST"),
        ("GET /fr\u{7f}ee HTTP/1.1\r\n\r\n".to_owned(), 400, "INVALID_REQUEST"),
        (format!("GET /free HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"), 431, "HEADERS_TOO_LARGE"),
        (format!("GET /free HTTP/1.1\r\nHost: localhost\r\n{large}\r\n"), 431, "HEADERS_TOO_LARGE"),
        (format!("GET /{} HTTP/1.1\r\nHost: localhost\r\n\r\n", "x".repeat(300 << 10)), 431, "HEADERS_TOO_LARGE"),
    ];
    for (request, status, code) in &table {
        let reply = Reply::parse(&server.raw(request));
        assert_eq!(reply.outcome(), (*status, (*code).to_owned()), "{request:.60}");
        assert_eq!(reply.header("connection"), Some("close"));
        // Also after a request that was served on the same connection.
        let mut stream = server.connect();
        stream.write_all(good.as_bytes()).unwrap();
        let served = read_one(&mut stream);
        assert!(served.starts_with("HTTP/1.1 200"), "{served}");
        let _ = stream.write_all(request.as_bytes());
        assert_eq!(Reply::parse(&read_all(&mut stream)).outcome(), (*status, (*code).to_owned()), "{request:.60}");
    }
    // Of a target too long for a URI, how much arrives with it decides which of the two it is.
    let target = Reply::parse(&server.raw(format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(65_535))));
    let expected = [(414, "URI_TOO_LONG".to_owned()), (431, "HEADERS_TOO_LARGE".to_owned())];
    assert!(expected.contains(&target.outcome()), "{target:?}");
}

#[test]
fn what_was_asked_before_a_bad_head_is_answered() {
    let server = Running::start();
    let both = server.raw("GET /free HTTP/1.1\r\nHost: localhost\r\n\r\nnonsense\r\n\r\n");
    assert!(both.starts_with("HTTP/1.1 200"), "{both}");
    assert!(both.contains("\"free\"HTTP/1.1 400"), "{both}");
    // The head of a request may also end in the middle.
    let mut stream = server.connect();
    stream.write_all(b"GET /free HTTP/1.1\r\nHost: loc").unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_all(&mut stream), "");
    assert_eq!(server.get("/free").status, 200);
}

#[test]
fn a_client_that_sends_too_many_requests_is_told_so_before_its_body_is_read() {
    let server = Running::start_with(Timeouts::default(), |app| {
        app.rate = Some(Rate::new(std::num::NonZeroU32::MIN));
    });
    let begun = Instant::now();
    let first = server.get("/free");
    // Of another type than is taken, and without an end: whoever looked at it would say so, or wait.
    let head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n";
    let mut stream = server.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let second = Reply::parse(&read_one(&mut stream));
    // On a machine that was busy elsewhere for a second, the second one comes in time.
    if begun.elapsed() < Duration::from_secs(1) {
        assert_eq!((first.status, second.outcome()), (200, (429, "LIMIT_REACHED".to_owned())));
        assert_eq!(second.header("retry-after"), Some("1"));
    }
}

#[test]
fn a_post_without_a_body_needs_no_type() {
    let server = Running::start();
    assert_eq!(server.post("/slow", "", "").status, 200);
    assert_eq!(server.post("/slow", JSON, "{}").status, 200);
    let none = server.raw("POST /slow HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    assert_eq!(Reply::parse(&none).status, 200);
}

#[test]
fn a_body_of_exactly_the_limit_is_taken() {
    let server = Running::start();
    let body = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length - 8));
    assert_eq!(server.post("/echo", JSON, &body(1024)).status, 201);
    assert_eq!(server.post("/echo", JSON, &body(1025)).status, 413);
}

#[test]
fn a_chunked_body_is_bounded_by_what_arrives() {
    let server = Running::start();
    let head = format!(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{JSON}Transfer-Encoding: chunked\r\n\r\n"
    );
    let reply = Reply::parse(&server.raw(format!("{head}2\r\n{{}}\r\n0\r\n\r\n")));
    assert_eq!((reply.status, reply.body.as_str()), (201, "{}"));
    let chunk = format!("200\r\n{}\r\n", "x".repeat(0x200));
    let reply = Reply::parse(&server.raw(format!("{head}{}0\r\n\r\n", chunk.repeat(3))));
    assert_eq!(reply.outcome(), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    let reply = Reply::parse(&server.raw(format!("{head}nonsense\r\n")));
    assert_eq!(reply.outcome(), (400, "INVALID_REQUEST".to_owned()));
}

#[test]
fn a_client_that_writes_all_before_it_reads_learns_why_it_was_refused() {
    let server = Running::start();
    let body = "x".repeat(8 << 20);
    assert_eq!(server.post("/echo", JSON, &body).outcome(), (413, "PAYLOAD_TOO_LARGE".to_owned()));
    assert_eq!(server.post("/nosuch", JSON, &body).outcome(), (404, "NOT_FOUND".to_owned()));
    assert_eq!(server.post("/echo", "", &body).outcome(), (415, "UNSUPPORTED_MEDIA_TYPE".to_owned()));
}

#[test]
fn a_client_that_asks_first_is_not_told_to_send_what_is_refused() {
    let server = Running::start();
    let head = |length| {
        format!(
            "POST /echo HTTP/1.1\r\nHost: localhost\r\n{JSON}Expect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let started = Instant::now();
    assert_eq!(Reply::parse(&server.raw(head(5_000_000))).status, 413);
    assert!(started.elapsed() < Duration::from_secs(2));

    let mut stream = server.connect();
    stream.write_all(head(2).as_bytes()).unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"{}").unwrap();
    let mut status = [0; 12];
    stream.read_exact(&mut status).unwrap();
    assert_eq!(&status, b"HTTP/1.1 201");
}

#[test]
fn a_connection_is_used_again_also_after_a_refusal() {
    let server = Running::start();
    let long = "x".repeat(2000);
    let requests = format!(
        "POST /echo HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 2000\r\n\r\n{long}\
         GET /panic HTTP/1.1\r\nHost: localhost\r\n\r\n\
         GET /nosuch HTTP/1.1\r\nHost: localhost\r\n\r\n\
         GET /free HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    );
    let text = server.raw(requests);
    let statuses: Vec<&str> =
        text.lines().filter_map(|line| line.split("HTTP/1.1 ").nth(1)).map(|line| &line[..3]).collect();
    assert_eq!(statuses, ["413", "500", "404", "200"], "{text}");
}

#[test]
fn head_answers_the_head_of_get() {
    let server = Running::start();
    let reply = Reply::parse(&server.raw("HEAD /free HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"));
    assert_eq!((reply.status, reply.header("content-length"), reply.body.as_str()), (200, Some("6"), ""));
}

#[test]
fn bad_http_ends_its_own_connection_only() {
    let server = Running::start();
    // Far past the bound: hyper looks at the length only when a head is not complete, and what comes in with one read may
    // complete one that is up to twice as long.
    let long_head = format!("GET /free HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n\r\n", "x".repeat(256 << 10));
    let many_headers = format!("GET /free HTTP/1.1\r\n{}\r\n", "A: b\r\n".repeat(500));
    for request in [
        b"nonsense\r\n\r\n".as_slice(),
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /free HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\x00\r\n\r\n",
        long_head.as_bytes(),
        many_headers.as_bytes(),
    ] {
        let mut stream = server.connect();
        let _ = stream.write_all(request);
        let _ = stream.shutdown(Shutdown::Write);
        let answer = read_all(&mut stream);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{}: {answer}", request.escape_ascii());
    }
    assert_eq!(server.get("/free").status, 200);
}

#[test]
fn a_slow_head_and_an_idle_connection_are_closed_and_a_slow_call_is_not() {
    let timeouts =
        Timeouts { head: Duration::from_millis(80), idle: Duration::from_millis(160), ..Timeouts::default() };
    let server = Running::start_with(timeouts, |_| {});
    assert_eq!(server.raw("GET /free HT"), "");
    assert_eq!(server.raw(""), "");
    let started = Instant::now();
    assert!(server.raw("GET /free HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 200"));
    assert!(started.elapsed() >= Duration::from_millis(160), "{:?}", started.elapsed());
    assert_eq!(server.post("/slow", "", "").status, 200);
}

#[test]
fn a_slow_body_is_answered_and_closed() {
    let server = Running::start_with(Timeouts::default(), |app| app.body_timeout = Duration::from_millis(100));
    let reply = server.raw(format!("POST /echo HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 10\r\n\r\n{{"));
    let reply = Reply::parse(&reply);
    assert_eq!(reply.outcome(), (408, "REQUEST_TIMEOUT".to_owned()));
    assert_eq!(reply.header("connection"), Some("close"));
}

#[test]
fn a_client_that_does_not_read_is_let_go() {
    let timeouts = Timeouts { stalled: Duration::from_millis(100), ..Timeouts::default() };
    let mut server = Running::start_with(timeouts, |_| {});
    let mut stream = server.connect();
    stream.write_all(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    thread::sleep(Duration::from_millis(1500));
    // Nothing holds the server up: the connection has gone.
    let took = server.stop();
    assert!(took < LINGER / 2, "{took:?}");
}

#[test]
fn a_client_that_goes_away_stops_nothing() {
    let server = Running::start();
    let mut stream = server.connect();
    stream.write_all(b"POST /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    thread::sleep(Duration::from_millis(50));
    drop(stream);
    let deadline = Instant::now() + Duration::from_secs(5);
    while server.counter.ended.load(Ordering::SeqCst) == 0 {
        assert!(Instant::now() < deadline, "the call did not end");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_is_free_answers_while_others_wait() {
    let server = Running::start();
    let mut waiting: Vec<TcpStream> = (0..50)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(b"POST /held HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
            stream
        })
        .collect();
    assert_eq!(server.get("/free").status, 200);
    server.counter.released.store(true, Ordering::SeqCst);
    for stream in &mut waiting {
        assert!(read_all(stream).starts_with("HTTP/1.1 200"));
    }
}

#[test]
fn stopping_answers_what_is_in_flight_and_closes_what_is_idle() {
    let mut server = Running::start();
    let mut idle = server.connect();
    let mut busy = server.connect();
    busy.write_all(b"POST /slow HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    thread::sleep(Duration::from_millis(100));
    let took = server.stop();
    assert!(took < Duration::from_secs(2), "{took:?}");
    assert!(read_all(&mut busy).starts_with("HTTP/1.1 200"));
    assert_eq!(read_all(&mut idle), "");
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn a_client_that_does_not_finish_its_request_delays_the_end_no_longer_than_said() {
    let mut server = Running::start();
    let mut stream = server.connect();
    stream
        .write_all(format!("POST /echo HTTP/1.1\r\nHost: localhost\r\n{JSON}Content-Length: 10\r\n\r\n{{").as_bytes())
        .unwrap();
    thread::sleep(Duration::from_millis(100));
    let took = server.stop();
    assert!(took < LINGER + Duration::from_secs(1), "{took:?}");
}

#[tokio::test]
async fn an_address_in_use_or_open_to_others_is_refused_with_a_hint() {
    let held = Listener::bind("127.0.0.1:0", false).await.unwrap();
    let address = held.local_addr().unwrap();
    let error = Listener::bind(&address.to_string(), false).await.unwrap_err();
    assert!(causes(&error).starts_with(&format!("cannot listen on {address}: ")), "{}", causes(&error));
    assert!(error.hint().contains("--listen"));
    let error = Listener::bind("0.0.0.0:0", false).await.unwrap_err();
    assert!(matches!(error, StartError::NotLoopback { .. }), "{error:?}");
    assert!(error.hint().contains("--auth-token-file"));
    assert!(Listener::bind("0.0.0.0:0", true).await.is_ok(), "with a token");
    assert!(Listener::bind("nonsense", false).await.is_err());
}

#[test]
fn one_connection_too_many_is_told_so_and_a_place_that_is_left_is_free() {
    let server = Running::start_with(Timeouts::default(), |app| app.max_connections = 2);
    let mut held = [server.connect(), server.connect()];
    for stream in &mut held {
        stream.write_all(b"GET /free HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        assert_eq!(&status, b"HTTP/1.1 200");
    }
    let reply = server.post("/echo", JSON, &"x".repeat(1000));
    assert_eq!(reply.outcome(), (429, "LIMIT_REACHED".to_owned()));
    assert_eq!((reply.header("retry-after"), reply.header("connection")), (Some("1"), Some("close")));
    // One that says nothing is let go all the same, and takes nobody's place.
    let mut silent = server.connect();
    assert!(read_all(&mut silent).starts_with("HTTP/1.1 429"));
    drop(held);
    let deadline = Instant::now() + Duration::from_secs(20);
    while server.get("/free").status != 200 {
        assert!(Instant::now() < deadline, "no place was free again");
    }
}
