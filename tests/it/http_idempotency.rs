//! Idempotency keys: the same request is run once, whoever asks how often, and across restarts.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::{Request, Response};
use crate::support::{Daemon, api, text, wait_for};

fn keyed(daemon: &Daemon, path: &str, key: &str, body: &Value) -> Response {
    daemon.send(&Request::new("POST", api(path)).header("Idempotency-Key", key).json(body.to_string()))
}

fn repl(daemon: &Daemon, key: &str, session: &str, input: &str) -> Response {
    keyed(daemon, "/executions/repl", key, &json!({"session_id": session, "input": input}))
}

const COUNT: &str = "globalThis.n = (globalThis.n ?? 0) + 1";

#[test]
fn the_same_request_runs_once() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let first = repl(&daemon, "k1", &session, COUNT).ok(201);
    assert_eq!(first["result"]["preview"], "1");
    assert_eq!(repl(&daemon, "k1", &session, COUNT).ok(201), first);
    assert_eq!(repl(&daemon, "k2", &session, COUNT).ok(201)["result"]["preview"], "2");
    assert_eq!(daemon.execution(&text(&first["id"])), first);

    daemon.home.write("a.js", "__ARGS__.x");
    let file = |x: u64| json!({"session_id": session, "path": "a.js", "args": {"x": x}, "env": {"A": "b"}});
    let run = keyed(&daemon, "/executions/run-file", "k3", &file(1)).ok(201);
    daemon.home.write("a.js", "'another'");
    assert_eq!(keyed(&daemon, "/executions/run-file", "k3", &file(1)).ok(201), run);
    keyed(&daemon, "/executions/run-file", "k3", &file(2)).error(409, "IDEMPOTENCY_CONFLICT");
    assert_eq!(daemon.executions(&session).len(), 3);
}

#[test]
fn another_request_under_the_key_is_a_conflict() {
    let daemon = Daemon::start();
    let (session, other) = (daemon.session(), daemon.session());
    let first = text(&repl(&daemon, "k", &session, "1").ok(201)["id"]);
    let bodies = [
        ("/executions/repl", json!({"session_id": session, "input": "2"})),
        ("/executions/repl", json!({"session_id": other, "input": "1"})),
        ("/executions/repl", json!({"session_id": session, "input": "1", "detach": true})),
        ("/executions/run-file", json!({"session_id": session, "path": "1"})),
    ];
    for (path, body) in bodies {
        let details = keyed(&daemon, path, "k", &body).error(409, "IDEMPOTENCY_CONFLICT");
        assert_eq!(details["execution_id"], first.as_str(), "{body}");
    }
    assert_eq!((daemon.executions(&session).len(), daemon.executions(&other).len()), (1, 0));
}

#[test]
fn callers_at_the_same_time_wait_for_the_one_that_runs() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let input = format!("await new Promise(r => setTimeout(r, 200)); {COUNT}");
    let answers: Vec<Value> = thread::scope(|scope| {
        let callers: Vec<_> = (0..12).map(|_| scope.spawn(|| repl(&daemon, "k", &session, &input).ok(201))).collect();
        callers.into_iter().map(|caller| caller.join().unwrap()).collect()
    });
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(answers[0]["result"]["preview"], "1");
    assert_eq!(daemon.executions(&session).len(), 1);
}

#[test]
fn a_refusal_does_not_use_the_key_up() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.while_running(&session, "await new Promise(r => setTimeout(r, 10000))", |id| {
        repl(&daemon, "busy", &session, COUNT).error(409, "SESSION_BUSY");
        daemon.poke(&format!("/executions/{id}/cancel")).ok(200);
    });
    assert_eq!(repl(&daemon, "busy", &session, COUNT).ok(201)["result"]["preview"], "1");

    let missing = json!({"session_id": session, "path": "no.js"});
    keyed(&daemon, "/executions/run-file", "file", &missing).error(404, "FILE_NOT_FOUND");
    daemon.home.write("no.js", "'there'");
    keyed(&daemon, "/executions/run-file", "file", &missing).ok(201);
    let nobody = crate::support::NOBODY;
    repl(&daemon, "nobody", nobody, "1").error(404, "SESSION_NOT_FOUND");
    repl(&daemon, "nobody", &session, "1").ok(201);
}

#[test]
fn a_key_outlives_its_session_and_the_daemon() {
    let mut daemon = Daemon::start();
    let home = daemon.home.clone();
    let session = daemon.session();
    let first = repl(&daemon, "k", &session, COUNT).ok(201);
    let endless = json!({"session_id": session, "input": "for (;;) {}", "detach": true});
    let running = keyed(&daemon, "/executions/repl", "endless", &endless).ok(202);
    daemon.kill();
    let daemon = Daemon::at(&home);
    assert_eq!(repl(&daemon, "k", &session, COUNT).ok(201), first);
    repl(&daemon, "k", &session, "1").error(409, "IDEMPOTENCY_CONFLICT");
    // It had begun when the daemon was killed: it is not run again.
    let again = keyed(&daemon, "/executions/repl", "endless", &endless).ok(202);
    assert_eq!((&again["id"], &again["status"]), (&running["id"], &json!("cancelled")));
    repl(&daemon, "new", &session, "1").error(409, "SESSION_NOT_READY");
}

#[test]
fn a_detached_one_is_answered_as_it_is_now() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let body =
        json!({"session_id": session, "input": "await new Promise(r => setTimeout(r, 200)); 'done'", "detach": true});
    let first = keyed(&daemon, "/executions/repl", "k", &body).ok(202);
    assert_eq!(first["status"], "running");
    let ended = wait_for("its end", Duration::from_secs(30), || {
        let response = keyed(&daemon, "/executions/repl", "k", &body);
        assert_eq!(response.header("Location"), Some(api(&format!("/executions/{}", text(&first["id"]))).as_str()));
        let execution = response.ok(202);
        assert_eq!(execution["id"], first["id"]);
        (execution["status"] == "ok").then_some(execution)
    });
    assert_eq!(ended, daemon.execution(&text(&first["id"])));
}

#[test]
fn keys_have_a_form_and_belong_to_two_routes() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for key in ["", &"k".repeat(256), "a\tb"] {
        let details = repl(&daemon, key, &session, "1").error(400, "VALIDATION_ERROR");
        assert_eq!(details["field"], "Idempotency-Key", "{key:?}");
    }
    repl(&daemon, &"k".repeat(255), &session, "1").ok(201);
    let body = json!({"session_id": session, "input": "1"}).to_string();
    let twice =
        Request::new("POST", api("/executions/repl")).header("Idempotency-Key", "a").header("Idempotency-Key", "a");
    assert_eq!(daemon.send(&twice.json(body)).error(400, "VALIDATION_ERROR")["field"], "Idempotency-Key");
    let elsewhere = Request::new("POST", api("/templates")).header("Idempotency-Key", "a").json(r#"{"name":"t"}"#);
    daemon.send(&elsewhere).error(400, "INVALID_REQUEST");
    assert_eq!(daemon.executions(&session).len(), 1);
}
