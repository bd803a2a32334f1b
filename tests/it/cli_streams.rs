//! The commands that follow what runs.

use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Daemon, run, text, vm_system, wait_for};

#[test]
fn work_is_started_left_alone_and_watched() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let code = "console.log('a'); await new Promise(r => setTimeout(r, 400)); console.log('b'); 6 * 7";
    let started = daemon.cli(&["--json", "exec", "repl", &session, code, "--detach"]).expect(0);
    let execution: Value = serde_json::from_str(&started.stdout).unwrap();
    assert_eq!(execution["status"], "running");
    let id = text(&execution["id"]);
    let whole = daemon.cli(&["exec", "watch", &id]).expect(0).stdout;
    assert_eq!(
        whole,
        format!(
            "[1] input_echo: {}\n[2] console: {{\"level\":\"log\",\"text\":\"a\"}}\n\
             [3] console: {{\"level\":\"log\",\"text\":\"b\"}}\n\
             [4] value: {{\"type\":\"number\",\"preview\":\"42\",\"json\":42}}\n\
             Status: ok\nResult: {{\"type\":\"number\",\"preview\":\"42\",\"json\":42}}\n",
            json!({ "text": code })
        )
    );
    let rest = daemon.cli(&["exec", "watch", &id, "--after-seq", "3"]).expect(0).stdout;
    assert!(rest.starts_with("[4] value: "), "{rest}");
    let events = daemon.cli(&["exec", "events", &id, "--follow", "--after-seq", "2"]).expect(0).stdout;
    assert_eq!(events.lines().map(|line| &line[..3]).collect::<Vec<_>>(), ["[3]", "[4]"]);
    let documents = daemon.cli(&["--json", "exec", "watch", &id]).expect(0).stdout;
    let documents: Vec<Value> = documents.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((documents.len(), &documents[4]["status"]), (5, &json!("ok")));

    daemon.home.write("fails.js", "throw new Error(__ARGS__.why)");
    let started = daemon.cli(&["exec", "run-file", &session, "fails.js", "--arg", "why=me", "--detach"]).expect(0);
    assert!(started.stdout.contains("Status: running\n"), "{}", started.stdout);
    let id = text(&daemon.executions(&session)[0]["id"]);
    let watched = daemon.cli(&["exec", "watch", &id]).expect(4);
    assert!(watched.stdout.contains("Status: error\n"), "{}", watched.stdout);
    daemon.cli(&["exec", "watch", crate::support::NOBODY]).expect(1);
}

#[test]
fn a_session_is_watched_to_its_end() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let first = text(&daemon.repl(&session, "1")["id"]);
    let mut command = vm_system();
    command.args(["--server-url", &daemon.url(), "session", "watch", &session]);
    let watching = std::thread::spawn(move || run(command, Duration::from_secs(60)));
    let second = text(&daemon.repl(&session, "2")["id"]);
    daemon.poke(&format!("/sessions/{session}/close")).ok(200);
    let lines = watching.join().unwrap().expect(0).stdout;
    let starts: Vec<&str> = lines.lines().map(|line| line.split(": ").next().unwrap()).collect();
    let event = |id: &str, rest: &str| format!("{id} {rest}");
    let expected = [
        event(&first, "[1] input_echo"),
        event(&first, "[2] value"),
        event(&second, "[1] input_echo"),
        event(&second, "[2] value"),
        "Session".to_owned(),
    ];
    assert_eq!(starts, expected);
    assert!(lines.ends_with("Session: closed\n"), "{lines}");
    let tail = daemon.cli(&["session", "watch", &session, "--tail", "1"]).expect(0).stdout;
    assert_eq!(tail.lines().count(), 3, "{tail}");
    let after = daemon.cli(&["session", "watch", &session, "--after", &format!("{second}:1")]).expect(0).stdout;
    assert_eq!(after.lines().count(), 2, "{after}");
}

#[test]
fn a_watch_ends_with_its_reader() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let endless = "for (let i = 0; ; i++) { console.log(i); await new Promise(r => setTimeout(r, 20)) }";
    let started = daemon.cli(&["--json", "exec", "repl", &session, endless, "--detach"]).expect(0);
    let id = text(&serde_json::from_str::<Value>(&started.stdout).unwrap()["id"]);
    let mut command = vm_system();
    command.args(["--server-url", &daemon.url(), "exec", "watch", &id]).stdout(Stdio::piped());
    let mut unread = command.spawn().unwrap();
    drop(unread.stdout.take());
    let status = wait_for("it to notice", Duration::from_secs(20), || unread.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
}
