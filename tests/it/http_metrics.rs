//! What the daemon tells of itself: metrics, a document of numbers, and log lines that belong together.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::http::Request;
use crate::sse::Sse;
use crate::support::{Daemon, Home, NOBODY, api, isolation, text, wait_for};

/// The samples of `/metrics`, by name and labels.
#[track_caller]
fn samples(daemon: &Daemon) -> BTreeMap<String, f64> {
    let response = daemon.send(&Request::new("GET", "/metrics"));
    assert_eq!(response.status, 200, "{response:?}");
    assert_eq!(response.header("Content-Type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let body = String::from_utf8(response.body).unwrap();
    let lines = body.lines().filter(|line| !line.starts_with('#'));
    let sample = |line: &str| {
        let (name, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("no sample: {line}"));
        (name.to_owned(), value.parse().unwrap_or_else(|_| panic!("no number: {line}")))
    };
    lines.map(sample).collect()
}

#[test]
fn metrics_count_what_was_done() {
    let daemon = Daemon::start();
    let session = daemon.limited(json!({ "cpu_ms": 50 }));
    let closed = daemon.session();
    daemon.poke(&format!("/sessions/{closed}/close")).ok(200);
    daemon.repl(&session, "console.log('a'); console.log('b'); 1");
    daemon.repl(&session, "throw new Error('x')");
    daemon.repl(&session, "for (;;) {}");
    daemon.get(&format!("/sessions/{NOBODY}")).error(404, "SESSION_NOT_FOUND");
    daemon.send(&Request::new("GET", "/no-such-route")).error(404, "NOT_FOUND");

    let samples = samples(&daemon);
    for (name, value) in [
        ("vmsys_sessions{status=\"ready\"}", 1.0),
        ("vmsys_sessions{status=\"closed\"}", 1.0),
        ("vmsys_sessions_created_total", 2.0),
        ("vmsys_executions_running", 0.0),
        ("vmsys_executions_total{kind=\"repl\",status=\"ok\"}", 1.0),
        ("vmsys_executions_total{kind=\"repl\",status=\"error\"}", 1.0),
        ("vmsys_executions_total{kind=\"repl\",status=\"timeout\"}", 1.0),
        ("vmsys_execution_duration_seconds_count{kind=\"repl\"}", 3.0),
        // Two or four for the first, two for each of the others.
        ("vmsys_store_events_total", 8.0),
        ("vmsys_http_requests_total{method=\"POST\",route=\"/api/v1/executions/repl\",status=\"201\"}", 3.0),
        ("vmsys_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"}", 1.0),
        ("vmsys_http_refusals_total{code=\"SESSION_NOT_FOUND\"}", 1.0),
        ("vmsys_http_streams", 0.0),
    ] {
        assert_eq!(samples.get(name), Some(&value), "{name} in {samples:#?}");
    }
    let at_least = |name: &str, least: f64| {
        let value = samples.get(name).copied().unwrap_or_default();
        assert!(value >= least, "{name} is {value}");
    };
    at_least("vmsys_execution_duration_seconds_sum{kind=\"repl\"}", 0.05);
    at_least("vmsys_store_commit_writes_sum", 7.0);
    at_least("vmsys_store_bytes", 4096.0);
    at_least("vmsys_http_connections", 1.0);
    at_least("process_resident_memory_bytes", 1e6);
    // Of the daemon alone: what scripts use in processes of their own is not in it.
    at_least("process_cpu_seconds_total", if isolation() == "process" { 0.001 } else { 0.05 });
    assert!(samples.keys().all(|name| !name.contains(NOBODY)), "ids make no labels: {samples:#?}");
}

#[test]
fn an_open_stream_is_counted_until_its_reader_goes() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let streams = |count: f64| {
        wait_for("the count of streams", Duration::from_secs(10), || {
            (samples(&daemon)["vmsys_http_streams"] == count).then_some(())
        });
    };
    let stream = Sse::open(daemon.address, &format!("/sessions/{session}/events/stream"), None);
    streams(1.0);
    drop(stream);
    streams(0.0);
}

#[test]
fn the_numbers_are_a_document_too() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.repl(&session, "1");
    daemon.post("/executions/repl", &json!({ "session_id": NOBODY, "input": "1" })).error(404, "SESSION_NOT_FOUND");
    let stats = daemon.get("/runtime/stats").ok(200);
    assert_eq!(stats["sessions"], json!({"starting": 0, "ready": 1, "crashed": 0, "closed": 0, "created": 1}));
    let ended: Vec<&Value> = stats["executions"]["ended"].as_array().unwrap().iter().collect();
    assert!(ended.contains(&&json!({"kind": "repl", "status": "ok", "count": 1})), "{stats}");
    assert_eq!(stats["requests"]["refused"], json!({"SESSION_NOT_FOUND": 1}), "{stats}");
    assert_eq!(stats["store"]["events"], 2, "{stats}");
    assert!(stats["store"]["commits"]["p50_ms"].as_f64().unwrap() > 0.0, "{stats}");
    assert!(stats["uptime_ms"].as_u64().is_some() && stats["process"]["threads"].as_u64().unwrap() > 1, "{stats}");

    let version = daemon.cli(&["--version"]).expect(0);
    assert!(version.lines().contains(&format!("commit: {}", text(&stats["commit"])).as_str()), "{version:?} {stats}");

    let shown = daemon.cli(&["ops", "status", "--interval", "0"]).expect(0).stdout;
    for words in ["1 ready, 0 starting", "1 ended (1 ok", "SESSION_NOT_FOUND  1", "LATENCY", "repl"] {
        assert!(shown.contains(words), "{words} in\n{shown}");
    }
    let json = daemon.cli(&["ops", "status", "--json"]).expect(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["sessions"]["ready"], 1);
    let metrics = daemon.cli(&["ops", "metrics"]).expect(0).stdout;
    assert!(metrics.starts_with("# HELP ") && metrics.contains("\nvmsys_sessions_created_total 1\n"), "{metrics}");
}

#[test]
fn what_is_logged_within_an_execution_carries_the_ids_of_all_that_it_belongs_to() {
    let daemon = Daemon::with(&Home::new(), |command| {
        command.args(["--log-level", "debug"]);
    });
    let session = daemon.session();
    let body = json!({ "session_id": session, "input": "1" }).to_string();
    let request = Request::new("POST", api("/executions/repl")).json(body).header("X-Request-Id", "one-of-many");
    let execution = text(&daemon.send(&request).ok(201)["id"]);
    let line = wait_for("the end of the execution in the log", Duration::from_secs(5), || {
        let log = daemon.log();
        let line = log.lines().find(|line| line.contains("execution ended") && line.contains(&execution))?;
        Some(serde_json::from_str::<Value>(line).unwrap())
    });
    let spans = line["spans"].as_array().unwrap();
    let carries = |name: &str, value: &str| spans.iter().any(|span| span[name] == value);
    assert!(
        carries("request_id", "one-of-many") && carries("session_id", &session) && carries("execution_id", &execution),
        "{line}"
    );
}
