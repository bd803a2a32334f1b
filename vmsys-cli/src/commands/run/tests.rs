//! One-shot runs: files, limits, and what is printed where.

use serde_json::{Value, json};

use super::*;
use crate::output::kept;

/// What is printed for an execution: standard output and standard error.
fn printed(print: Print, status: &str, events: &[Value], end: (&str, Value)) -> (String, String) {
    const ID: &str = "01950000-0000-7000-8000-000000000000";
    const TIME: &str = "2026-02-08T00:00:00.000Z";
    let events: Vec<Value> = events
        .iter()
        .enumerate()
        .map(
            |(at, event)| json!({"execution_id": ID, "seq": at + 1, "ts": TIME, "type": event[0], "payload": event[1]}),
        )
        .collect();
    let mut execution = json!({
        "id": ID, "session_id": ID, "kind": "repl", "input": "x", "args": {}, "env": {}, "status": status,
        "started_at": TIME, "events": events,
        "metrics": {"wall_ms": 1, "cpu_ms": 1, "memory_bytes": 1, "event_count": 1, "output_bytes": 1},
    });
    execution[end.0] = end.1;
    let execution: Execution = serde_json::from_value(execution).expect("the sample is an execution");

    let (mut out, stdout, stderr) = kept::output(false, false);
    let mut console = Console { out: &mut out };
    execution.events.iter().for_each(|event| console.event(&event.payload));
    console.end(&execution, print);
    (stdout.text(), stderr.text())
}

fn value(kind: &str, preview: &str) -> (&'static str, Value) {
    ("result", json!({"type": kind, "preview": preview}))
}

#[test]
fn the_console_goes_where_nodes_goes() {
    let events = [
        json!(["input_echo", {"text": "x"}]),
        json!(["console", {"level": "log", "text": "one\ntwo"}]),
        json!(["console", {"level": "info", "text": "three"}]),
        json!(["console", {"level": "warn", "text": "w"}]),
        json!(["console", {"level": "debug", "text": "\u{1b}[31mfour"}]),
        json!(["console", {"level": "error", "text": "e"}]),
        json!(["stdout", {"text": "raw"}]),
        json!(["stderr", {"text": "raw"}]),
        json!(["value", {"type": "number", "preview": "2"}]),
    ];
    let (stdout, stderr) = printed(Print::NoValue, "ok", &events, value("number", "2"));
    assert_eq!(stdout, "one\ntwo\nthree\n\u{1b}[31mfour\nraw");
    assert_eq!(stderr, "w\ne\nraw");
}

#[test]
fn only_eval_prints_the_value_unless_it_is_undefined() {
    assert_eq!(printed(Print::Value, "ok", &[], value("number", "2")), ("2\n".to_owned(), String::new()));
    assert_eq!(printed(Print::Value, "ok", &[], value("string", "a\nb")).0, "a\nb\n");
    assert_eq!(printed(Print::Value, "ok", &[], value("null", "null")).0, "null\n");
    assert_eq!(printed(Print::Value, "ok", &[], value("undefined", "undefined")).0, "");
    assert_eq!(printed(Print::NoValue, "ok", &[], value("number", "2")).0, "");
}

#[test]
fn an_exception_is_printed_once_with_its_stack() {
    let message = "ReferenceError: x is not defined";
    let whole = format!("{message}\n    at <eval>:1:1\n");
    for stack in ["    at <eval>:1:1\n", whole.as_str()] {
        let error = ("error", json!({"message": message, "stack": stack, "name": "ReferenceError"}));
        assert_eq!(printed(Print::Value, "error", &[], error), (String::new(), whole.clone()), "{stack}");
    }
    let error = ("error", json!({"message": "thrown: 1"}));
    assert_eq!(printed(Print::Value, "error", &[], error).1, "thrown: 1\n");
}

#[test]
fn a_limit_is_an_error_with_its_code_and_flags() {
    let events = [json!(["system", {"level": "error", "message": "Timed out", "code": "TIMEOUT"}])];
    let error = ("error", json!({"message": "Timed out after 5000 ms", "code": "TIMEOUT"}));
    let (stdout, stderr) = printed(Print::Value, "timeout", &events, error);
    assert_eq!(stdout, "");
    assert_eq!(stderr, "error: Timed out after 5000 ms [TIMEOUT]\nhint: --cpu-ms and --wall-ms set the limit\n");
}

#[test]
fn a_file_is_a_worktree_and_a_name() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let root = folder.path().canonicalize().expect("the folder is there");
    fs::create_dir(root.join("src")).expect("the folder can be written");
    fs::write(root.join("src/app.js"), "1").expect("the folder can be written");
    assert_eq!(script(&root.join("src/app.js")).expect("it is there"), (root.join("src"), "app.js".to_owned()));

    for (name, code) in [("nothing.js", "FILE_NOT_FOUND"), ("src", "INVALID_PATH"), ("src/app.js/x", "IO_ERROR")] {
        let error = script(&root.join(name)).expect_err(name);
        assert_eq!((error.code(), error.exit()), (code, Exit::Failed), "{name}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_followed_to_the_directory_of_its_file() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let root = folder.path().canonicalize().expect("the folder is there");
    fs::create_dir(root.join("src")).expect("the folder can be written");
    fs::write(root.join("src/app.js"), "1").expect("the folder can be written");
    std::os::unix::fs::symlink("src/app.js", root.join("link.js")).expect("the folder can be written");
    assert_eq!(script(&root.join("link.js")).expect("it is there"), (root.join("src"), "app.js".to_owned()));
}

#[test]
fn limits_come_from_flags_and_are_checked() {
    let none = LimitArgs { cpu_ms: None, wall_ms: None, mem_mb: None, max_events: None, max_output_kb: None };
    assert_eq!(none.limits().expect("defaults are good"), Limits::default());
    let some = LimitArgs { cpu_ms: Some(7), max_output_kb: Some(9), ..none };
    let limits = some.limits().expect("they are in range");
    assert_eq!((limits.cpu_ms, limits.max_output_kb, limits.mem_mb), (7, 9, Limits::default().mem_mb));
    let error = LimitArgs { mem_mb: Some(1), ..some }.limits().expect_err("it is too little");
    assert_eq!(error.exit(), Exit::Usage);
    assert!(error.message().contains("limits.mem_mb"), "{error}");
}
