//! What the daemon adds to its parts: an HTTP `exec` against a bare hyper round trip plus one SQLite commit of the same
//! rows. The three are measured in turns in one run, so that a busy machine or disk slows all of them.
#![expect(clippy::print_stdout, reason = "a bench reports")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run stops")]

use std::convert::Infallible;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use rusqlite::Connection;
use vmsys_core::{NewSession, NewTemplate, VmSystem};
use vmsys_server::{Config, Server};

/// The most that an `exec` may cost, as a multiple of its parts.
const BUDGET: f64 = 3.0;
const ROUNDS: usize = 41;
const CALLS: usize = 50;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let directory = tempfile::tempdir().unwrap();

    let mut config = Config::default();
    config.listen = "127.0.0.1:0".to_owned();
    config.database = Some(directory.path().join("bench.db"));
    let vm = VmSystem::open(config.database.clone().unwrap()).unwrap();
    let template = vm.create_template(NewTemplate::named("bench")).unwrap();
    let session = vm.create_session(NewSession::new(template.id, directory.path())).unwrap();
    let body = format!(r#"{{"session_id":"{}","input":"1+1"}}"#, session.id());
    let server = runtime.block_on(Server::bind_with(vm, &config)).unwrap();
    let mut daemon = Client::connect(server.local_addr().unwrap());
    runtime.spawn(server.run(std::future::pending()));

    let answer = daemon.post("/api/v1/executions/repl", &body);
    assert!(answer.contains(r#""preview":"2""#), "{answer}");
    let mut bare = Client::connect(bare_hyper(&runtime, answer));
    let mut commit = commits(&directory.path().join("rows.db"));

    let (mut round_trips, mut commits, mut execs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        round_trips.push(micros_per_call(|| drop(bare.post("/", &body))));
        commits.push(micros_per_call(&mut commit));
        execs.push(micros_per_call(|| drop(daemon.post("/api/v1/executions/repl", &body))));
    }
    let (round_trip, commit, exec) = (median(round_trips), median(commits), median(execs));
    println!("bare hyper round trip   {round_trip:8.1} us");
    println!("SQLite commit           {commit:8.1} us");
    println!("HTTP exec of \"1+1\"      {exec:8.1} us");
    println!("ratio                   {:8.2} (budget {BUDGET})", exec / (round_trip + commit));
    std::process::exit(0);
}

/// A server that reads the request and answers with the very bytes that the daemon would answer with.
fn bare_hyper(runtime: &tokio::runtime::Runtime, answer: String) -> SocketAddr {
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Bytes::from(answer);
    runtime.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        let service = service_fn(move |request: Request<Incoming>| {
            let answer = answer.clone();
            async move {
                request.into_body().collect().await.unwrap();
                Ok::<_, Infallible>(Response::new(Full::new(answer)))
            }
        });
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await.unwrap();
    });
    address
}

/// The rows of one execution and its two events, in tables like the store's, as durable as the store's.
fn commits(path: &std::path::Path) -> impl FnMut() + use<> {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE executions (id BLOB PRIMARY KEY, session BLOB, kind TEXT, input TEXT, args TEXT, env TEXT,
               status TEXT, started INTEGER, ended INTEGER, type TEXT, preview TEXT, json TEXT, a INTEGER, b INTEGER,
               c INTEGER, d INTEGER, e INTEGER) WITHOUT ROWID;
             CREATE INDEX by_session ON executions (session, id);
             CREATE TABLE events (execution BLOB, seq INTEGER, ts INTEGER, type TEXT, payload TEXT,
               PRIMARY KEY (execution, seq)) WITHOUT ROWID;",
        )
        .unwrap();
    let mut number = 0_u128;
    move || {
        number += 1;
        let id = number.to_be_bytes();
        connection.prepare_cached("BEGIN IMMEDIATE").unwrap().execute(()).unwrap();
        connection
            .prepare_cached(
                "INSERT INTO executions VALUES (?1, x'00112233445566778899aabbccddeeff', 'repl', '1+1', '{}', '{}', 'ok',
                 1770508800000, 1770508800001, 'number', '2', '2', 1, 1, 110000, 2, 2)",
            )
            .unwrap()
            .execute([&id])
            .unwrap();
        for seq in 1..=2 {
            connection
                .prepare_cached("INSERT INTO events VALUES (?1, ?2, 1770508800000, 'value', '{\"preview\":\"2\"}')")
                .unwrap()
                .execute((&id, seq))
                .unwrap();
        }
        connection.prepare_cached("COMMIT").unwrap().execute(()).unwrap();
    }
}

/// One connection that is kept alive.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: vec![0; 1 << 16] }
    }

    fn post(&mut self, path: &str, body: &str) -> String {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.stream.write_all(request.as_bytes()).unwrap();
        let mut filled = 0;
        loop {
            filled += self.stream.read(&mut self.buffer[filled..]).unwrap();
            let text = std::str::from_utf8(&self.buffer[..filled]).unwrap();
            let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned))
                .unwrap();
            if rest.len() >= length.parse::<usize>().unwrap() {
                return rest.to_owned();
            }
        }
    }
}

fn micros_per_call(mut call: impl FnMut()) -> f64 {
    let started = Instant::now();
    for _ in 0..CALLS {
        call();
    }
    started.elapsed().as_secs_f64() * 1e6 / CALLS as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
