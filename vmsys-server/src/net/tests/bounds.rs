//! How much and how long: what a server sends, or does not send, is bounded.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn small() -> serde_json::Value {
    serde_json::json!({"max_bytes": 1000, "timeout_ms": 500})
}

fn client_of(server: &Server) -> Client {
    Client::with(&[&server.host()], small(), Names::default(), &[])
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn encoded(coding: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: {coding}\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[test]
fn bodies_are_bounded_as_sent_and_as_decoded() {
    let exact = "x".repeat(1000);
    for (what, answer, expected) in [
        ("the bound", format!("HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{exact}").into_bytes(), Ok(1000)),
        ("until it closes", format!("HTTP/1.1 200 OK\r\n\r\n{exact}").into_bytes(), Ok(1000)),
        (
            "chunks",
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e8\r\n{exact}\r\n0\r\n\r\n").into_bytes(),
            Ok(1000),
        ),
        ("gzip", encoded("gzip", &gzip(exact.as_bytes())), Ok(1000)),
        ("another coding", encoded("br", b"as it is"), Ok(8)),
        ("announced", b"HTTP/1.1 200 OK\r\ncontent-length: 1001\r\n\r\n".to_vec(), Err("ERR_RESPONSE_TOO_LARGE")),
        (
            "announced as huge",
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", u64::MAX - 9).into_bytes(),
            Err("ERR_RESPONSE_TOO_LARGE"),
        ),
        ("without length", format!("HTTP/1.1 200 OK\r\n\r\n{exact}x").into_bytes(), Err("ERR_RESPONSE_TOO_LARGE")),
        (
            "more chunks",
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e8\r\n{exact}\r\n1\r\nx\r\n0\r\n\r\n")
                .into_bytes(),
            Err("ERR_RESPONSE_TOO_LARGE"),
        ),
        ("a bomb", encoded("gzip", &gzip(&vec![0; 900_000])), Err("ERR_RESPONSE_TOO_LARGE")),
        ("a bomb in a bomb", encoded("gzip, gzip", &gzip(&gzip(&vec![0; 9_000_000]))), Err("ERR_RESPONSE_TOO_LARGE")),
        ("no gzip", encoded("gzip", b"not gzip"), Err("Z_DATA_ERROR")),
        ("half a gzip", encoded("gzip", &gzip(exact.as_bytes())[..20]), Err("Z_DATA_ERROR")),
        ("no body at all", b"HTTP/1.1 204 No\r\n\r\n".to_vec(), Ok(0)),
    ] {
        let server = Server::saying(answer);
        let client = client_of(&server);
        match expected {
            Ok(length) => assert_eq!(client.get(&server.url("/")).unwrap().text().len(), length, "{what}"),
            Err(code) => assert_eq!(client.failure(&server.url("/")), code, "{what}"),
        }
    }
    let head = Server::saying("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
    assert_eq!(client_of(&head).send(&request(&head.url("/"), "HEAD", &[], None)).unwrap().text(), "");
}

#[test]
fn a_body_without_end_is_given_up() {
    let server = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        while stream
            .write_all(b"400\r\n")
            .and_then(|()| stream.write_all(&[b'x'; 0x400]))
            .and_then(|()| stream.write_all(b"\r\n"))
            .is_ok()
        {}
    });
    assert_eq!(client_of(&server).failure(&server.url("/")), "ERR_RESPONSE_TOO_LARGE");
}

#[test]
fn what_is_no_answer_is_an_error_and_no_more() {
    let many: String = (0..300).map(|number| format!("a{number}: b\r\n")).collect();
    for answer in [
        "".to_owned(),
        "hello".to_owned(),
        "SSH-2.0-OpenSSH_9.0\r\n".to_owned(),
        "HTTP/1.1\r\n\r\n".to_owned(),
        "HTTP/1.1 200".to_owned(),
        "HTTP/1.1 99 X\r\n\r\n".to_owned(),
        "HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nx".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nxxxxx".to_owned(),
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel".to_owned(),
        "HTTP/1.1 200 OK\r\nbad header\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{many}\r\n"),
        format!("HTTP/1.1 200 OK\r\na: {}\r\n\r\n", "x".repeat(200_000)),
    ] {
        let server = Server::saying(answer.clone());
        let shown: String = answer.chars().take(60).collect();
        assert!(client_of(&server).get(&server.url("/")).is_err(), "{shown:?}");
    }
    let chatty = Server::start(|_, stream| while stream.write_all(b"HTTP/1.1 103 Early\r\n\r\n").is_ok() {});
    assert!(client_of(&chatty).get(&chatty.url("/")).is_err());
}

#[test]
fn a_request_takes_no_longer_than_it_may() {
    let silent = Server::start(|_, stream| drop(stream.read(&mut [0])));
    let dripping = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while stream.write_all(b"x").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    let half_a_head = Server::start(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\na: ");
        let _ = stream.read(&mut [0]);
    });
    let around = Server::start(|_, stream| {
        thread::sleep(Duration::from_millis(100));
        let _ = stream.write_all(b"HTTP/1.1 302 X\r\nlocation: /\r\n\r\n");
    });
    // Accepted by the system, and never read.
    let deaf = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let listener = TcpListener::bind(deaf).unwrap();
    let urls = [&silent, &dripping, &half_a_head, &around].map(|server| (server.host(), server.url("/")));
    for (host, url) in urls.into_iter().chain([(deaf.to_string(), format!("http://{deaf}/"))]) {
        let client = Client::with(&[&host], small(), Names::default(), &[]);
        let started = Instant::now();
        assert_eq!(client.failure(&url), "ETIMEDOUT");
        assert!((400..5000).contains(&started.elapsed().as_millis()), "{url}: {:?}", started.elapsed());
    }
    drop(listener);
}

#[test]
fn what_is_given_up_is_closed() {
    let (closed, when_closed) = mpsc::channel();
    let closed = Mutex::new(closed);
    let server = Server::start(move |_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nbegun");
        let read = stream.read(&mut [0]);
        let _ = closed.lock().unwrap().send(matches!(read, Ok(0) | Err(_)));
    });
    let client = Client::new(&[&server.host()]);
    let request = Request::parse(&request(&server.url("/"), "GET", &[], None)).unwrap();
    client.runtime.block_on(async {
        let fetching = client.session.fetch(request, usize::MAX);
        assert!(timeout(Duration::from_millis(300), fetching).await.is_err());
    });
    assert!(when_closed.recv_timeout(Duration::from_secs(5)).unwrap(), "the server sees the end");
}

#[test]
fn what_requests_hold_is_bounded() {
    let client = Client::new(&["a.example"]);
    let large = "x".repeat(MOST_SENDING / 2 + 1);
    let parse = |body: &str| Request::parse(&request("http://a.example/", "POST", &[], Some(body))).unwrap();
    let first = Sending::begin(&client.session, parse(&large)).unwrap();
    let second = Sending::begin(&client.session, parse(&large)).map(drop).map_err(CallError::from);
    assert_eq!(second.unwrap_err().code(), Some("ERR_REQUEST_TOO_LARGE"));
    drop(first);
    assert!(Sending::begin(&client.session, parse(&large)).is_ok());
    assert_eq!(client.session.sending.load(Ordering::Relaxed), 0);
}
