//! The client against listeners that answer as told, byte for byte.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;

use serde_json::json;

use super::*;
use crate::error::Exit;

/// A client of a daemon that answers connections one after the other with these bytes; joining gives the requests.
fn daemon(answers: Vec<String>) -> (Client, JoinHandle<Vec<String>>) {
    let (address, served) = listener(answers);
    (Client::new(&address).expect("the address is good"), served)
}

/// The address of such a daemon.
pub(crate) fn listener(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let served = std::thread::spawn(move || {
        answers
            .into_iter()
            .map(|answer| {
                let (mut stream, _) = listener.accept().expect("the client connects");
                let request = read_request(&mut stream);
                stream.write_all(answer.as_bytes()).expect("the client reads");
                request
            })
            .collect()
    });
    (format!("http://127.0.0.1:{port}"), served)
}

fn read_request(stream: &mut impl Read) -> String {
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let text = String::from_utf8_lossy(&request).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok())
                .unwrap_or(0);
            if body.len() >= length {
                return text;
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return text,
            Ok(count) => request.extend_from_slice(&chunk[..count]),
        }
    }
}

/// The bytes of an answer.
pub(crate) fn http(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\nx-request-id: req-7\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn template(id: usize) -> String {
    format!(
        r#"{{"id":"{id}","name":"t{id}","engine":"quickjs","is_active":true,"created_at":"x","updated_at":"y","new":1.0}}"#
    )
}

#[test]
fn an_answer_is_understood_and_kept_as_it_came() {
    let (client, served) = daemon(vec![http("200 OK", "{ \"status\": \"ok\" }")]);
    assert_eq!(client.health().expect("the answer is good").text, "{ \"status\": \"ok\" }");
    let request = &served.join().expect("the daemon ends")[0];
    assert!(request.starts_with("GET /api/v1/health HTTP/1.1\r\nhost: 127.0.0.1:"), "{request}");
}

#[test]
fn requests_carry_json_and_no_body_needs_no_type() {
    let session = r#"{"id":"s","template_id":"t","workspace_id":"w","base_commit_oid":"b","worktree_path":"/",
        "status":"closed","created_at":"x"}"#;
    let (client, served) = daemon(vec![http("200 OK", session), http("201 Created", &template(1))]);
    assert_eq!(client.close_session("s/1").expect("the answer is good").value.status, "closed");
    let body = json!({"name": "ü"}).as_object().cloned().unwrap_or_default();
    assert_eq!(client.create_template(body).expect("the answer is good").value.name, "t1");
    let requests = served.join().expect("the daemon ends");
    assert!(requests[0].starts_with("POST /api/v1/sessions/s%2F1/close HTTP/1.1\r\n"), "{}", requests[0]);
    assert!(requests[0].contains("content-length: 0\r\n") && !requests[0].contains("content-type"), "{}", requests[0]);
    assert!(requests[1].contains("content-type: application/json\r\n"), "{}", requests[1]);
    assert!(requests[1].ends_with("\r\n\r\n{\"name\":\"ü\"}"), "{}", requests[1]);
}

#[test]
fn an_error_envelope_becomes_an_error() {
    let envelope = r#"{"error":{"code":"INTERNAL","message":"Internal error","details":{"x":"y"}}}"#;
    let (client, _served) = daemon(vec![http("500 Internal Server Error", envelope)]);
    let error = client.health().expect_err("it is an error");
    assert_eq!((error.code(), error.message()), ("INTERNAL", "Internal error"));
    assert_eq!((error.exit(), error.envelope().as_str()), (Exit::Failed, envelope));
    assert!(error.next_step().is_some_and(|hint| hint.contains("req-7")));
}

#[test]
fn answers_of_something_else_are_named() {
    for (answer, part) in [
        (http("200 OK", "<html>\n<p>hello"), "not JSON (expected value at line 1 column 1): <html> <p>hello"),
        (http("200 OK", ""), "not JSON"),
        (http("200 OK", "{\"status\":"), "not JSON"),
        (http("502 Bad Gateway", "upstream is down"), "502 Bad Gateway: upstream is down"),
        (http("404 Not Found", "{\"error\":\"no\"}"), "404 Not Found: {\"error\":\"no\"}"),
        (http("301 Moved Permanently", ""), "301 Moved Permanently without a body"),
        ("SSH-2.0-OpenSSH_9\r\n".to_owned(), "not HTTP"),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"st".to_owned(), "before the end"),
    ] {
        let (client, _served) = daemon(vec![answer.clone()]);
        let error = client.health().expect_err(&answer);
        assert_eq!((error.code(), error.exit()), ("BAD_ANSWER", Exit::Failed), "{answer}: {error}");
        assert!(error.message().contains(part), "{answer}: {error}");
    }
}

#[test]
fn a_document_of_another_shape_is_named() {
    let (client, _served) = daemon(vec![http("200 OK", "{\"id\":\"x\"}")]);
    let error = client.session("x").expect_err("fields are missing");
    assert!(error.message().contains("another document than expected (missing field"), "{error}");
}

#[test]
fn a_body_that_is_no_text_is_named() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("the client connects");
        read_request(&mut stream);
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff\xfe").expect("the client reads");
    });
    let client = Client::new(&format!("http://127.0.0.1:{port}")).expect("the address is good");
    let error = client.health().expect_err("it is no text");
    assert!(error.message().contains("no UTF-8"), "{error}");
}

#[test]
fn nobody_there_is_unreachable() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    drop(listener);
    let client = Client::new(&format!("http://127.0.0.1:{port}")).expect("the address is good");
    let error = client.health().expect_err("nobody listens");
    assert_eq!(error.exit(), Exit::Unreachable);
    assert_eq!(error.message(), format!("cannot reach the daemon at http://127.0.0.1:{port}: connection refused"));
}

#[test]
fn silence_is_unreachable() {
    let (client, _served) = daemon(vec![String::new()]);
    let error = client.health().expect_err("the connection is closed");
    assert_eq!(error.exit(), Exit::Unreachable);
    assert!(error.message().contains("without an answer"), "{error}");

    // The listener's queue takes the connection; nobody ever reads from it.
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let mut client = Client::new(&format!("http://127.0.0.1:{port}")).expect("the address is good");
    client.patience = Duration::from_millis(50);
    let error = client.health().expect_err("nobody answers");
    assert_eq!((error.exit(), error.message().contains("no answer from")), (Exit::Unreachable, true), "{error}");
}

#[test]
fn lists_are_followed_to_their_end() {
    let list = |ids: std::ops::Range<usize>| format!("[{}]", ids.map(template).collect::<Vec<_>>().join(", "));
    let (client, served) = daemon(vec![http("200 OK", &list(0..50)), http("200 OK", &list(50..52))]);
    let all = client.templates().expect("the answers are good");
    assert_eq!(
        all.value.iter().map(|t| t.id.clone()).collect::<Vec<_>>(),
        (0..52).map(|i| i.to_string()).collect::<Vec<_>>()
    );
    assert_eq!(all.text, list(0..52).replace(", ", ","));
    let requests = served.join().expect("the daemon ends");
    assert!(requests[0].starts_with("GET /api/v1/templates HTTP"), "{}", requests[0]);
    assert!(requests[1].starts_with("GET /api/v1/templates?limit=1000&before=49 HTTP"), "{}", requests[1]);
}

#[test]
fn whoever_does_not_page_is_not_asked_for_ever() {
    let list = format!("[{}]", (0..1000).map(template).collect::<Vec<_>>().join(","));
    let (client, _served) = daemon(vec![http("200 OK", &list), http("200 OK", &list)]);
    assert_eq!(client.templates().expect("the answers are good").value.len(), 1000);
}
