//! The command line as a process: what it prints, where, and with which exit code.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    Daemon, Home, NOBODY, Ran, all_cases, check_id, check_members, holds, names_in, run, same, serve, text, vm_system,
};

/// A one-shot run makes no network call and opens no database: it is done in a moment.
const ONE_SHOT: Duration = Duration::from_secs(30);

/// A snippet of one value and one line, for tests of how an execution is shown.
const HELLO: &str = "console.log('hi'); ({ a: 1 })";

/// Runs the binary by itself, in a directory, without a daemon.
fn alone(directory: &std::path::Path, arguments: &[&str]) -> Ran {
    let mut command = vm_system();
    command.current_dir(directory).args(arguments);
    run(command, ONE_SHOT)
}

/// The rest of the first line that begins so.
#[track_caller]
fn after(ran: &Ran, label: &str) -> String {
    let line = ran.lines().into_iter().find_map(|line| line.strip_prefix(label));
    line.unwrap_or_else(|| panic!("no line begins with {label:?}: {ran:#?}")).to_owned()
}

/// Creates a template by the command line. Answers its id.
#[track_caller]
fn create_template(daemon: &Daemon, name: &str) -> String {
    let ran = daemon.cli(&["template", "create", "--name", name]).expect(0);
    let id = after(&ran, &format!("Created template: {name} (ID: "));
    let id = id.strip_suffix(')').expect("a closing parenthesis").to_owned();
    check_id(&json!(id));
    assert_eq!(ran.stdout, format!("Created template: {name} (ID: {id})\n"));
    id
}

/// `session create` with the four flags that it needs, and more.
fn create_session_with(daemon: &Daemon, template: &str, more: &[&str]) -> Ran {
    let worktree = daemon.home.worktree();
    let mut arguments = vec!["session", "create", "--template-id", template, "--workspace-id", "ws-1"];
    arguments.extend(["--base-commit", "deadbeef", "--worktree-path", worktree.to_str().unwrap()]);
    arguments.extend(more);
    daemon.cli(&arguments)
}

/// Creates a session by the command line. Answers its id.
#[track_caller]
fn create_session(daemon: &Daemon, template: &str) -> String {
    let ran = create_session_with(daemon, template, &[]).expect(0);
    let id = after(&ran, "Created session: ");
    check_id(&json!(id));
    id
}

/// A document that a command printed under `--json`, which must be all that it printed.
#[track_caller]
fn document(ran: &Ran) -> Value {
    match serde_json::from_str(&ran.stdout) {
        Ok(document) => document,
        Err(error) => panic!("no JSON ({error}): {ran:#?}"),
    }
}

/// How an execution that was followed is shown: its events as they came, and then what came of it.
fn shown(execution: &Value, outcome: &str) -> String {
    let mut lines = vec![format!("Execution ID: {}", text(&execution["id"])), String::new(), "Events:".to_owned()];
    lines.extend(event_lines(&execution["events"]));
    lines.extend([
        String::new(),
        format!("Status: {}", text(&execution["status"])),
        format!("{outcome}: {}", execution[outcome.to_lowercase()]),
    ]);
    lines.join("\n") + "\n"
}

fn event_lines(events: &Value) -> Vec<String> {
    let line = |event: &Value| format!("[{}] {}: {}", event["seq"], text(&event["type"]), event["payload"]);
    events.as_array().unwrap().iter().map(line).collect()
}

#[test]
fn the_quick_start_works_to_the_letter() {
    let daemon = Daemon::start();
    let worktree = daemon.home.worktree();
    daemon.home.write("runtime/init.js", "var seed = 40");
    daemon.home.write("app.js", "console.log('app'); seed");

    let created = daemon.cli(&["template", "create", "--name", "demo", "--engine", "goja"]).expect(0);
    let template = after(&created, "Created template: demo (ID: ").trim_end_matches(')').to_owned();
    let startup =
        ["template", "add-startup", &template, "--path", "runtime/init.js", "--order", "10", "--mode", "eval"];
    let added = daemon.cli(&startup).expect(0);
    assert_eq!(added.stdout, format!("Added startup file: runtime/init.js (order: 10) to template {template}\n"));

    let created = create_session_with(&daemon, &template, &[]).expect(0);
    let session = after(&created, "Created session: ");
    let expected = [
        format!("Created session: {session}"),
        "Status: ready".to_owned(),
        format!("Template ID: {template}"),
        "Workspace ID: ws-1".to_owned(),
        "Base Commit: deadbeef".to_owned(),
        format!("Worktree Path: {}", worktree.display()),
    ];
    assert_eq!(created.lines(), expected);

    let repl = daemon.cli(&["exec", "repl", &session, "seed + 2"]).expect(0);
    let execution = daemon.execution(&after(&repl, "Execution ID: "));
    assert_eq!(execution["result"]["json"], 42);
    assert_eq!(repl.stdout, shown(&execution, "Result"));
    assert!(repl.stdout.contains(r#"Result: {"type":"number","preview":"42","json":42}"#), "{repl:#?}");
    assert!(repl.stdout.contains("\n\nEvents:\n[1] input_echo: {\"text\":\"seed + 2\"}\n[2] value: "), "{repl:#?}");

    let file = daemon.cli(&["exec", "run-file", &session, "app.js"]).expect(0);
    assert_eq!(file.stdout, shown(&daemon.execution(&after(&file, "Execution ID: ")), "Result"));
    assert!(file.stdout.contains(r#"[2] console: {"level":"log","text":"app"}"#), "{file:#?}");

    let summary = daemon.cli(&["ops", "runtime-summary"]).expect(0);
    assert!(summary.stdout.contains(&session), "{summary:#?}");
    let closed = daemon.cli(&["session", "close", &session]).expect(0);
    assert_eq!(closed.stdout, format!("Closed session: {session}\n"));
    assert_eq!(daemon.session_record(&session)["status"], "closed");
    assert!(!daemon.cli(&["ops", "runtime-summary"]).expect(0).stdout.contains(&session));
    for ran in [created, added, repl, file, summary, closed] {
        assert_eq!(ran.stderr, "", "what goes well is quiet");
    }
}

#[test]
fn templates_are_managed() {
    let daemon = Daemon::start();
    assert_eq!(daemon.cli(&["template", "list"]).expect(0).stdout, "No templates found\n");
    let (one, two) = (create_template(&daemon, "one"), create_template(&daemon, "with a space"));
    let list = daemon.cli(&["template", "list"]).expect(0);
    for word in [&one, &two, "one", "with a space"] {
        assert!(list.stdout.contains(word), "no {word:?} in {list:#?}");
    }
    let got = daemon.cli(&["template", "get", &one]).expect(0);
    assert!(got.stdout.contains(&one) && got.stdout.contains("one") && got.stdout.contains("5000"), "{got:#?}");

    // `--mode` is eval unless given.
    let second = daemon.cli(&["template", "add-startup", &one, "--path", "b.js", "--order", "20"]).expect(0);
    assert_eq!(second.stdout, format!("Added startup file: b.js (order: 20) to template {one}\n"));
    daemon.cli(&["template", "add-startup", &one, "--path", "a.js", "--order", "10"]).expect(0);
    let listed = daemon.cli(&["template", "list-startup", &one]).expect(0).stdout;
    let place = |path: &str| listed.find(path).unwrap_or_else(|| panic!("no {path} in {listed}"));
    assert!(place("a.js") < place("b.js"), "by order: {listed}");

    assert_eq!(daemon.cli(&["template", "delete", &one]).expect(0).stdout, format!("Deleted template: {one}\n"));
    assert!(!daemon.cli(&["template", "list"]).expect(0).stdout.contains(&one));
    assert!(daemon.cli(&["template", "delete", &one]).expect(1).stderr.contains("TEMPLATE_NOT_FOUND"));
}

#[test]
fn sessions_are_managed() {
    let daemon = Daemon::start();
    let template = create_template(&daemon, "t");
    let (open, closed) = (create_session(&daemon, &template), create_session(&daemon, &template));
    daemon.cli(&["session", "close", &closed]).expect(0);
    let cases: [(&[&str], bool, bool); 5] = [
        (&["session", "list"], true, true),
        (&["session", "list", "--status", "ready"], true, false),
        (&["session", "list", "--status", "closed"], false, true),
        (&["session", "list", "--status", "crashed"], false, false),
        (&["session", "list", "--status", "starting"], false, false),
    ];
    all_cases(cases, |(arguments, shows_open, shows_closed)| {
        let listed = daemon.cli(arguments).expect(0).stdout;
        same(&arguments.join(" "), (listed.contains(&open), listed.contains(&closed)), (shows_open, shows_closed))
    });
    let got = daemon.cli(&["session", "get", &closed]).expect(0).stdout;
    for word in [&closed, &template, "closed", "ws-1", "deadbeef"] {
        assert!(got.contains(word), "no {word:?} in {got}");
    }
    let again = daemon.cli(&["session", "close", &closed]).expect(0);
    assert_eq!(again.stdout, format!("Closed session: {closed}\n"), "closing twice is fine");
}

#[test]
fn a_failed_startup_says_which_file() {
    let daemon = Daemon::start();
    daemon.home.write("bad.js", "throw new Error('no luck')");
    let template = create_template(&daemon, "t");
    daemon.cli(&["template", "add-startup", &template, "--path", "bad.js", "--order", "1"]).expect(0);
    let ran = create_session_with(&daemon, &template, &[]).expect(1);
    assert_eq!(ran.stdout, "");
    for word in ["STARTUP_FAILED", "bad.js", "no luck"] {
        assert!(ran.stderr.contains(word), "no {word:?} in {ran:#?}");
    }
}

#[test]
fn executions_are_shown_and_listed() {
    let daemon = Daemon::start();
    let session = create_session(&daemon, &create_template(&daemon, "t"));
    let id = after(&daemon.cli(&["exec", "repl", &session, HELLO]).expect(0), "Execution ID: ");
    let execution = daemon.execution(&id);
    let events = event_lines(&execution["events"]);
    assert_eq!(events.len(), 3);

    let got = daemon.cli(&["exec", "get", &id]).expect(0);
    assert!(got.stdout.contains(&id) && got.stdout.contains("Status: ok"), "{got:#?}");
    assert_eq!(daemon.cli(&["exec", "events", &id]).expect(0).lines(), events);
    assert_eq!(daemon.cli(&["exec", "events", &id, "--after-seq", "0"]).expect(0).lines(), events);
    assert_eq!(daemon.cli(&["exec", "events", &id, "--after-seq", "2"]).expect(0).lines(), events[2..]);

    let newer = after(&daemon.cli(&["exec", "repl", &session, "2"]).expect(0), "Execution ID: ");
    let listed = daemon.cli(&["exec", "list", &session]).expect(0).stdout;
    assert!(listed.find(&newer).unwrap() < listed.find(&id).unwrap(), "newest first: {listed}");
    let one = daemon.cli(&["exec", "list", &session, "--limit", "1"]).expect(0).stdout;
    assert!(one.contains(&newer) && !one.contains(&id), "{one}");
}

#[test]
fn a_failed_execution_is_shown_and_exits_with_four() {
    let daemon = Daemon::start();
    let session = daemon.limited(json!({ "cpu_ms": 200 }));
    daemon.home.write("bad.js", "null.x");
    let cases: [(&[&str], &str); 4] = [
        (&["repl", &session, "missing"], "error"),
        (&["repl", &session, "throw 'text'"], "error"),
        (&["repl", &session, "while (true) {}"], "timeout"),
        (&["run-file", &session, "bad.js"], "error"),
    ];
    all_cases(cases, |(arguments, status)| {
        let ran = daemon.cli(&[&["exec"], arguments].concat()).expect(4);
        let execution = daemon.execution(&after(&ran, "Execution ID: "));
        same(arguments[1], text(&execution["status"]).as_str(), status)?;
        same(arguments[1], ran.stdout, shown(&execution, "Error"))
    });
    let listed = daemon.cli(&["exec", "list", &session]).expect(0);
    assert!(listed.stdout.contains("timeout"), "listing a failure is no failure: {listed:#?}");
}

#[test]
fn a_cancelled_execution_exits_with_four() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let ran = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| daemon.cli(&["exec", "repl", &session, "while (true) {}"]));
        daemon.poke(&format!("/executions/{}/cancel", daemon.running_execution(&session))).ok(200);
        waiting.join().unwrap()
    });
    assert!(ran.expect(4).stdout.contains("Status: cancelled"));
}

#[test]
fn code_comes_through_unchanged() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for code in ["'$HOME `x` \"q\" \\\\ é 𝄞'.length", "-1 + 2", "--unheard-of", "1 +\n 2", "\t4", "  5  "] {
        // Code that begins with a dash is code, once `--` has said so.
        let ran = daemon.cli(&["exec", "repl", &session, "--", code]);
        assert!([Some(0), Some(4)].contains(&ran.code), "{ran:#?}");
        assert_eq!(daemon.execution(&after(&ran, "Execution ID: "))["input"], code);
    }
}

#[test]
fn operations_answer() {
    let daemon = Daemon::start();
    let health = daemon.cli(&["ops", "health"]).expect(0);
    assert_eq!(health.stdout.trim(), r#"{"status":"ok"}"#);
    let summary = daemon.cli(&["ops", "runtime-summary"]).expect(0);
    assert!(summary.stdout.contains('0'), "{summary:#?}");
}

#[test]
fn json_prints_what_the_api_answers() {
    let daemon = Daemon::start();
    let template = document(&daemon.cli(&["--json", "template", "create", "--name", "t"]).expect(0));
    let template_id = text(&template["id"]);
    let startup = ["--json", "template", "add-startup", &template_id, "--path", "init.js", "--order", "1"];
    daemon.home.write("init.js", "1");
    let startup = document(&daemon.cli(&startup).expect(0));
    assert_eq!(startup["path"], "init.js");
    let session = document(&create_session_with(&daemon, &template_id, &["--json"]).expect(0));
    let session_id = text(&session["id"]);
    let execution = document(&daemon.cli(&["--json", "exec", "repl", &session_id, HELLO]).expect(0));
    let execution_id = text(&execution["id"]);
    let reads: [(&[&str], String); 11] = [
        (&["template", "list"], "/templates".to_owned()),
        (&["template", "get", &template_id], format!("/templates/{template_id}")),
        (&["template", "list-startup", &template_id], format!("/templates/{template_id}/startup-files")),
        (&["session", "list"], "/sessions".to_owned()),
        (&["session", "get", &session_id], format!("/sessions/{session_id}")),
        (&["exec", "list", &session_id], format!("/executions?session_id={session_id}")),
        (&["exec", "get", &execution_id], format!("/executions/{execution_id}")),
        (&["exec", "events", &execution_id], format!("/executions/{execution_id}/events")),
        (&["ops", "health"], "/health".to_owned()),
        (&["ops", "runtime-summary"], "/runtime/summary".to_owned()),
        (&["ops", "openapi"], "/openapi.json".to_owned()),
    ];
    all_cases(reads, |(arguments, path)| {
        let printed = document(&daemon.cli(&[arguments, &["--json"]].concat()).expect(0));
        same(&arguments.join(" "), printed, daemon.get(&path).ok(200))
    });
    let failed = daemon.cli(&["--json", "exec", "repl", &session_id, "throw 1"]).expect(4);
    assert_eq!(document(&failed)["status"], "error");
    let closed = document(&daemon.cli(&["--json", "session", "close", &session_id]).expect(0));
    assert_eq!(closed["status"], "closed");
    let deleted = document(&daemon.cli(&["--json", "template", "delete", &template_id]).expect(0));
    assert_eq!(deleted, json!({ "status": "ok", "template_id": template_id }));
    let empty = document(&daemon.cli(&["--json", "template", "list"]).expect(0));
    assert_eq!(empty, json!([]));
}

#[test]
fn refusals_exit_with_one_and_say_why() {
    let daemon = Daemon::start();
    let template = create_template(&daemon, "taken");
    let session = create_session(&daemon, &template);
    daemon.cli(&["session", "close", &session]).expect(0);
    let cases: [(&[&str], &str); 10] = [
        (&["template", "get", NOBODY], "TEMPLATE_NOT_FOUND"),
        (&["template", "create", "--name", "taken"], "ALREADY_EXISTS"),
        (&["template", "add-startup", &template, "--path", "../x.js", "--order", "1"], "INVALID_PATH"),
        (
            &["template", "add-startup", &template, "--path", "x.js", "--order", "1", "--mode", "require"],
            "STARTUP_MODE_UNSUPPORTED",
        ),
        (&["session", "get", NOBODY], "SESSION_NOT_FOUND"),
        (&["session", "close", NOBODY], "SESSION_NOT_FOUND"),
        (&["exec", "get", NOBODY], "EXECUTION_NOT_FOUND"),
        (&["exec", "events", NOBODY], "EXECUTION_NOT_FOUND"),
        (&["exec", "repl", &session, "1"], "SESSION_NOT_READY"),
        (&["exec", "run-file", NOBODY, "x.js"], "SESSION_NOT_FOUND"),
    ];
    all_cases(cases, |(arguments, code)| {
        let case = arguments.join(" ");
        let ran = daemon.cli(arguments).expect(1);
        same(&case, ran.stdout.as_str(), "")?;
        holds(&case, ran.stderr.contains(code), &ran.stderr)?;
        let ran = daemon.cli(&[arguments, &["--json"]].concat()).expect(1);
        let printed = if ran.stdout.is_empty() { &ran.stderr } else { &ran.stdout };
        let envelope: Value = serde_json::from_str(printed).map_err(|error| format!("{case}: {error}: {printed}"))?;
        check_members(&envelope["error"], &["code", "message", "details"]);
        same(&case, envelope["error"]["code"].as_str(), Some(code))
    });
}

#[test]
fn output_over_the_limit_ends_the_execution() {
    let daemon = Daemon::start();
    let session = daemon.limited(json!({ "max_events": 3 }));
    let ran = daemon.cli(&["exec", "repl", &session, "for (;;) console.log(1)"]).expect(4);
    let execution = daemon.execution(&after(&ran, "Execution ID: "));
    assert_eq!(execution["error"]["code"], "OUTPUT_LIMIT_EXCEEDED");
    assert_eq!((ran.stdout, ran.stderr.as_str()), (shown(&execution, "Error"), ""));
}

#[test]
fn usage_errors_exit_with_two() {
    let daemon = Daemon::start();
    let cases: [&[&str]; 19] = [
        &["bogus"],
        &["template"],
        &["template", "bogus"],
        &["template", "create"],
        &["template", "create", "--name"],
        &["template", "create", "--nmae", "x"],
        &["template", "get"],
        &["template", "get", NOBODY, "more"],
        &["template", "add-startup", NOBODY, "--path", "x.js", "--order", "first"],
        &["session", "create"],
        &["session", "create", "--template-id", NOBODY],
        &["session", "list", "--status", "sleeping"],
        &["exec", "repl"],
        &["exec", "repl", NOBODY],
        &["exec", "list", NOBODY, "--limit", "many"],
        &["exec", "events", NOBODY, "--after-seq", "-1"],
        &["--log-level", "loud", "ops", "health"],
        &["--server-url"],
        &["serve", "--listen", "nowhere"],
    ];
    all_cases(cases, |arguments| {
        let case = arguments.join(" ");
        let ran = daemon.cli(arguments);
        same(&case, ran.code, Some(2))?;
        same(&case, ran.stdout.as_str(), "")?;
        holds(&case, !ran.stderr.is_empty() && !ran.stderr.contains("panicked"), &ran.stderr)
    });
}

#[test]
fn a_daemon_that_is_not_there_exits_with_three() {
    let home = Home::new();
    // Bound, and let go: nobody listens there.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{address}");
    let cases: [&[&str]; 4] = [
        &["ops", "health"],
        &["template", "list"],
        &["exec", "repl", NOBODY, "1"],
        &["--json", "session", "get", NOBODY],
    ];
    all_cases(cases, |arguments| {
        let ran = alone(&home.root(), &[&["--server-url", &url], arguments].concat()).expect(3);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        holds(&arguments.join(" "), said.contains(&address.to_string()), format!("it names the address: {ran:#?}"))
    });
}

#[test]
fn what_is_no_daemon_is_not_mistaken_for_one() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        use std::io::Write;
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let page = "<html>hello</html>";
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        );
    });
    let ran = alone(&home.root(), &["--server-url", &url, "template", "list"]);
    server.join().unwrap();
    assert!([Some(1), Some(3)].contains(&ran.code), "{ran:#?}");
    assert!(!ran.stderr.is_empty() && !ran.stderr.contains("panicked"), "{ran:#?}");
}

#[test]
fn global_flags_may_stand_anywhere() {
    let daemon = Daemon::start();
    let url = daemon.url();
    let root = daemon.home.root();
    let lines: [&[&str]; 6] = [
        &["--server-url", &url, "ops", "health"],
        &["ops", "--server-url", &url, "health"],
        &["ops", "health", "--server-url", &url],
        &["ops", "health", "--server-url", &url, "--db", "unused.db", "--log-level", "debug"],
        &["--log-level", "error", "ops", "health", "--server-url", &url],
        &["--log-level", "warn", "--db", "unused.db", "--server-url", &format!("{url}/"), "ops", "health"],
    ];
    all_cases(lines, |arguments| {
        let ran = alone(&root, arguments).expect(0);
        same(&arguments.join(" "), ran.stdout.trim(), r#"{"status":"ok"}"#)
    });
    assert!(!root.join("unused.db").exists(), "a client makes no database");
}

#[test]
fn help_and_version_are_there() {
    let home = Home::new();
    let version = alone(&home.root(), &["--version"]).expect(0);
    let short = alone(&home.root(), &["-V"]).expect(0);
    assert_eq!(short.stdout, format!("vm-system {}\n", env!("CARGO_PKG_VERSION")));
    assert!(version.stdout.starts_with(&short.stdout), "{version:?}");
    let facts: Vec<&str> =
        version.lines().into_iter().skip(1).filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    assert_eq!(facts, ["commit", "target", "profile", "compiler"]);
    let cases: [(&[&str], &[&str]); 6] = [
        (
            &["--help"],
            &["serve", "template", "session", "exec", "ops", "run", "eval", "--server-url", "--db", "--log-level"],
        ),
        (&["template", "--help"], &["create", "list", "get", "delete", "add-startup", "list-startup"]),
        (&["session", "--help"], &["create", "list", "get", "close"]),
        (&["exec", "--help"], &["repl", "run-file", "list", "get", "events"]),
        (&["ops", "--help"], &["health", "runtime-summary", "openapi"]),
        (&["serve", "--help"], &["--listen", "--db"]),
    ];
    all_cases(cases, |(arguments, words)| {
        let ran = alone(&home.root(), arguments).expect(0);
        let missing: Vec<&&str> = words.iter().filter(|word| !ran.stdout.contains(**word)).collect();
        same(&arguments.join(" "), missing, Vec::new())
    });
    let bare = alone(&home.root(), &[]).expect(2);
    assert!(bare.stderr.contains("Usage"), "{bare:#?}");
}

#[test]
fn nothing_is_coloured_in_a_pipe() {
    let daemon = Daemon::start();
    let session = create_session(&daemon, &create_template(&daemon, "t"));
    let cases: [&[&str]; 8] = [
        &["template", "list"],
        &["session", "list"],
        &["exec", "repl", &session, "({ a: 1 })"],
        &["exec", "repl", &session, "throw new Error('x')"],
        &["exec", "list", &session],
        &["template", "get", NOBODY],
        &["bogus"],
        &["--help"],
    ];
    all_cases(cases, |arguments| {
        let ran = daemon.cli(arguments);
        holds(&arguments.join(" "), !ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'), format!("{ran:#?}"))
    });
}

#[test]
fn a_reader_that_has_seen_enough_is_no_crash() {
    let daemon = Daemon::start();
    let session = daemon.limited(json!({ "max_events": 5000, "max_output_kb": 4096 }));
    let id = text(&daemon.repl(&session, "for (let i = 0; i < 3000; i++) console.log('x'.repeat(200))")["id"]);
    let mut command = vm_system();
    command.args(["--server-url", &daemon.url(), "exec", "events", &id]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Closed after a few bytes, as `head` does it: the pipe holds far less than what is to come.
    child.stdout.take().unwrap().read_exact(&mut [0; 10]).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(!stderr.contains("panicked"), "{stderr}");
}

#[test]
fn eval_prints_the_value() {
    let home = Home::new();
    let cases = [
        ("1 + 1", "2\n"),
        ("'text'", "text\n"),
        ("await Promise.resolve('late')", "late\n"),
        ("console.log('first'); 'then'", "first\nthen\n"),
        ("10n ** 20n", "100000000000000000000n\n"),
        ("let a = 1; a + 1 // comment", "2\n"),
    ];
    all_cases(cases, |(code, expected)| {
        let ran = alone(&home.root(), &["eval", code]).expect(0);
        same(code, (ran.stdout.as_str(), ran.stderr.as_str()), (expected, ""))
    });
    let object = alone(&home.root(), &["eval", "({ a: 1 })"]).expect(0).stdout;
    assert_eq!(object.split_whitespace().collect::<String>(), "{a:1}");
    let aside = alone(&home.root(), &["eval", "console.error('aside'); 1"]).expect(0);
    assert_eq!(aside.stdout, "1\n");
    assert!(aside.stderr.contains("aside"), "{aside:#?}");
    assert_eq!(names_in(&home.root()), ["worktree"], "no database is made");
}

#[test]
fn one_shot_runs_have_the_modules_that_they_are_given() {
    let home = Home::new();
    home.write("words.txt", "one\ntwo\n");
    home.write("count.js", "console.log(require('fs').readFileSync('words.txt', 'utf8').trim().split('\\n').length)");
    let here = home.worktree();
    assert_eq!(alone(&here, &["run", "--module", "fs", "--module", "path", "count.js"]).expect(2).stdout, "");
    assert_eq!(alone(&here, &["run", "--module", "fs", "count.js"]).expect(0).stdout, "2\n");
    let read = "require('fs').readFileSync('words.txt', 'utf8').length";
    assert_eq!(alone(&here, &["eval", "--module", "fs", read]).expect(0).stdout, "8\n");
    let refused = alone(&here, &["eval", read]).expect(4);
    assert!(refused.stderr.contains("the module 'fs' is not granted"), "{refused:#?}");
    assert!(refused.stderr.contains("hint: --module fs grants it"), "{refused:#?}");
    let unknown = alone(&here, &["eval", "--module", "nope", "1"]).expect(2);
    assert!(unknown.stderr.contains("nope"), "{unknown:#?}");
}

#[test]
fn run_runs_a_file_with_its_arguments() {
    let home = Home::new();
    home.write("app.js", "console.log('got', JSON.stringify(process.argv)); console.log(typeof require)");
    let path = home.worktree().join("app.js");
    let path = path.to_str().unwrap();
    let ran = alone(&home.root(), &["run", path, "plain", "two words", "--flag", "-x"]).expect(0);
    let got = after(&ran, "got ");
    let words: Vec<String> = serde_json::from_str(&got).unwrap();
    assert!(words.len() >= 4, "{words:?}");
    assert_eq!(words[words.len() - 4..], ["plain", "two words", "--flag", "-x"]);
    // By a name relative to where one stands, too.
    let relative = alone(&home.worktree(), &["run", "app.js"]).expect(0);
    assert!(relative.stdout.contains("app.js"), "{relative:#?}");
    assert_eq!(names_in(&home.root()), ["worktree"]);
    assert_eq!(names_in(&home.worktree()), ["app.js"]);
}

#[test]
fn one_shot_failures_exit_with_four_and_name_the_place() {
    let home = Home::new();
    home.write("bad.js", "let a = 1;\nthrow new TypeError('no luck');\n");
    let ran = alone(&home.worktree(), &["run", "bad.js"]).expect(4);
    for word in ["TypeError: no luck", "bad.js:2"] {
        assert!(ran.stderr.contains(word), "no {word:?} in {ran:#?}");
    }
    let cases = [("missing", "ReferenceError: missing is not defined"), ("if (", "SyntaxError"), ("throw 5", "5")];
    all_cases(cases, |(code, said)| {
        let ran = alone(&home.root(), &["eval", code]).expect(4);
        holds(code, ran.stderr.contains(said) && ran.stdout.is_empty(), format!("{ran:#?}"))
    });
    let missing = alone(&home.root(), &["run", "no-such-file.js"]).expect(1);
    assert!(missing.stderr.contains("no-such-file.js"), "{missing:#?}");
    alone(&home.root(), &["run", "worktree"]).expect(1);
}

#[test]
fn one_shot_runs_have_limits() {
    let home = Home::new();
    home.write("endless.js", "while (true) {}");
    let cases: [(&[&str], &str); 5] = [
        (&["eval", "--cpu-ms", "200", "while (true) {}"], "TIMEOUT"),
        (&["eval", "while (true) {}", "--cpu-ms", "200"], "TIMEOUT"),
        (&["eval", "--wall-ms", "200", "await new Promise(w => setTimeout(w, 1e7))"], "TIMEOUT"),
        (
            &["eval", "--mem-mb", "16", "(() => { const a = []; for (;;) a.push(new Array(1000).fill(0)) })()"],
            "OUT_OF_MEMORY",
        ),
        (&["run", "--cpu-ms", "200", "worktree/endless.js"], "TIMEOUT"),
    ];
    all_cases(cases, |(arguments, code)| {
        let start = Instant::now();
        let ran = alone(&home.root(), arguments).expect(4);
        let took = start.elapsed();
        holds(&arguments.join(" "), ran.stderr.contains(code), format!("{ran:#?}"))?;
        holds(&arguments.join(" "), took < Duration::from_secs(10), format!("took {took:?}"))
    });
    alone(&home.root(), &["eval", "--cpu-ms", "soon", "1"]).expect(2);
    assert_eq!(alone(&home.root(), &["eval", "--cpu-ms", "0", "1"]).code.map(|code| code == 0), Some(false));
}

#[test]
fn code_from_the_outside_gets_no_powers() {
    let home = Home::new();
    for code in ["require('fs')", "fetch('http://127.0.0.1')", "process.exit(0)", "await import('/dev/null')"] {
        let ran = alone(&home.root(), &["eval", code]).expect(4);
        assert_eq!(ran.stdout, "", "{code}");
    }
    let mut command = vm_system();
    command.env("SECRET_OF_THE_SHELL", "s3cret").args(["eval", "JSON.stringify(globalThis.process?.env ?? {})"]);
    assert!(!run(command, ONE_SHOT).expect(0).stdout.contains("s3cret"));
}

#[test]
fn a_daemon_listens_on_loopback_only() {
    let home = Home::new();
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let ran = run(serve(&home.db(), listen), ONE_SHOT);
        assert!([Some(1), Some(2)].contains(&ran.code), "{listen}: {ran:#?}");
        assert!(ran.stderr.contains("token") || ran.stderr.contains("loopback"), "it says what to do: {ran:#?}");
    }
}

#[test]
fn a_run_is_heard_while_it_lasts() {
    let mut command = vm_system();
    // It would last for a minute: what is read before that is read while it runs.
    command.args(["eval", "--wall-ms", "60000", "console.log('early'); setTimeout(() => console.log('late'), 60000)"]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let running = child.try_wait().unwrap().is_none();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((line.as_str(), running), ("early\n", true));
}
