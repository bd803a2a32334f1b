//! Who is let in: tokens, origins of pages, socket files, and how many at once.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::http::{Request, Response};
use crate::support::{
    Daemon, Home, NOBODY, Ran, all_cases, api, holds, refused, run, same, serve, text, vm_system, wait_for,
};

const TOKEN: &str = "a-token-of-these-tests-1";
const OTHER: &str = "a-token-of-these-tests-2";

/// Longer than anything here takes on a busy machine: only a test that has failed waits for so long.
const PATIENCE: Duration = Duration::from_secs(30);

fn token_file(home: &Home, content: &str) -> PathBuf {
    let file = home.root().join("token");
    fs::write(&file, content).unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    file
}

/// A daemon that asks for [`TOKEN`], out of a file.
fn guarded(home: &Arc<Home>, change: impl FnOnce(&mut Command)) -> Daemon {
    let file = token_file(home, &format!("{TOKEN}\nfor the tests\n"));
    Daemon::with(home, |command| {
        command.arg("--auth-token-file").arg(file);
        change(command);
    })
}

fn with_token(method: &str, path: &str, token: &str) -> Request {
    Request::new(method, api(path)).header("Authorization", format!("Bearer {token}"))
}

fn is_let_in(daemon: &Daemon, token: &str) -> bool {
    daemon.send(&with_token("GET", "/sessions", token)).status == 200
}

#[test]
fn without_the_token_nothing_is_answered_on_any_route() {
    let daemon = guarded(&Home::new(), |_| {});
    let paths = [
        "/runtime/summary",
        "/catalog/modules",
        "/catalog/libraries",
        "/templates",
        "/templates/nonsense",
        "/sessions",
        "/sessions?limit=0",
        "/executions",
        "/executions/repl",
        "/executions/run-file",
        "/openapi.json",
        "/nosuch",
        "/health/",
        "",
    ];
    let owned =
        [format!("/templates/{NOBODY}"), format!("/sessions/{NOBODY}/close"), format!("/executions/{NOBODY}/cancel")];
    let methods = ["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS", "BREW"];
    let paths = paths.into_iter().map(str::to_owned).chain(owned);
    let cases = paths.flat_map(|path| methods.map(|method| (method, path.clone())));
    all_cases(cases, |(method, path)| {
        let case = format!("{method} {path}");
        let answer = daemon.send(&Request::new(method, api(&path)));
        same(&case, answer.header("WWW-Authenticate"), Some("Bearer"))?;
        if method == "HEAD" { same(&case, answer.status, 401) } else { refused(&case, &answer, 401, "UNAUTHORIZED") }
    });
    for target in ["/metrics", "/api", "/api/v2/x"] {
        daemon.send(&Request::new("GET", target)).error(401, "UNAUTHORIZED");
    }
    // Not even whether a body would be taken.
    let large = daemon.send(&Request::new("POST", api("/executions/repl")).json("x".repeat(2 << 20)));
    large.error(401, "UNAUTHORIZED");
    let health = daemon.get("/health");
    let build = health.header("Server").unwrap_or_default().to_owned();
    assert!(build.starts_with(concat!("vm-system/", env!("CARGO_PKG_VERSION"), " (")), "{build}");
    assert_eq!(health.ok(200), json!({ "status": "ok" }));
    assert_eq!(daemon.send(&Request::new("GET", "/")).status, 200);
}

#[test]
fn the_token_is_taken_as_it_is_and_in_one_way() {
    let home = Home::new();
    let daemon = guarded(&home, |_| {});
    assert!(is_let_in(&daemon, TOKEN));
    daemon.send(&with_token("GET", "/nosuch", TOKEN)).error(404, "NOT_FOUND");
    let lower = Request::new("GET", api("/sessions")).header("authorization", format!("bearer {TOKEN}"));
    assert_eq!(daemon.send(&lower).status, 200);
    let cases = [
        format!("Bearer {OTHER}"),
        format!("Bearer {TOKEN}x"),
        format!("Bearer {}", &TOKEN[1..]),
        format!("Bearer {}", TOKEN.to_uppercase()),
        format!("Bearer {TOKEN}, Bearer {TOKEN}"),
        format!("Basic {TOKEN}"),
        format!("Bearer={TOKEN}"),
        TOKEN.to_owned(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        "Bearer for the tests".to_owned(),
        String::new(),
    ];
    all_cases(cases, |value| {
        let answer = daemon.send(&Request::new("GET", api("/sessions")).header("Authorization", &value));
        refused(&value, &answer, 401, "UNAUTHORIZED")
    });
    let bytes = Request::new("GET", api("/sessions")).header("Authorization", b"Bearer \xff\xfe");
    daemon.send(&bytes).error(401, "UNAUTHORIZED");
    let twice = with_token("GET", "/sessions", TOKEN).header("Authorization", format!("Bearer {TOKEN}"));
    daemon.send(&twice).error(401, "UNAUTHORIZED");
    let in_query = daemon.get(&format!("/sessions?access_token={TOKEN}"));
    in_query.error(401, "UNAUTHORIZED");
    assert!(!daemon.log().contains(TOKEN) && !daemon.log().contains(OTHER), "the log tells no token");
}

#[test]
fn without_a_tokens_file_a_hangup_ends_the_daemon_in_order() {
    let mut daemon = Daemon::start();
    let session = daemon.session();
    daemon.signal(Signal::HUP);
    assert_eq!(daemon.wait(Duration::from_secs(10)).code(), Some(0), "after SIGHUP");
    let daemon = Daemon::at(&daemon.home);
    let record = daemon.session_record(&session);
    assert_eq!(record["last_error"], "closed because the system was shut down", "{record}");
}

#[test]
fn a_hangup_reads_the_token_again_and_a_broken_file_changes_nothing() {
    let home = Home::new();
    let daemon = guarded(&home, |_| {});
    assert!(is_let_in(&daemon, TOKEN) && !is_let_in(&daemon, OTHER));
    token_file(&home, OTHER);
    assert!(is_let_in(&daemon, TOKEN), "only when it is told to");
    daemon.signal(Signal::HUP);
    wait_for("the new token", PATIENCE, || is_let_in(&daemon, OTHER).then_some(()));
    assert!(!is_let_in(&daemon, TOKEN), "the old one is no more");

    for (round, broken) in ["", "short", "\n\n"].into_iter().enumerate() {
        token_file(&home, broken);
        daemon.signal(Signal::HUP);
        let said = || daemon.log().matches("the token was not read again").count();
        wait_for("the daemon to say that it was not", PATIENCE, || (said() > round).then_some(()));
        assert!(is_let_in(&daemon, OTHER) && !is_let_in(&daemon, ""), "{broken:?}");
    }
    fs::remove_file(home.root().join("token")).unwrap();
    daemon.signal(Signal::HUP);
    wait_for("the daemon to say so", PATIENCE, || {
        (daemon.log().matches("the token was not read again").count() == 4).then_some(())
    });
    assert!(is_let_in(&daemon, OTHER));
    daemon.get("/sessions").error(401, "UNAUTHORIZED");
    assert!(!daemon.log().contains(OTHER), "{}", daemon.log());
}

#[test]
fn a_daemon_that_is_to_have_a_token_does_not_start_without() {
    let home = Home::new();
    let missing = home.root().join("missing");
    let mut by_file = serve(&home.db(), "127.0.0.1:0");
    by_file.arg("--auth-token-file").arg(&missing);
    let ran = run(by_file, PATIENCE).expect(1);
    assert!(ran.stderr.contains("cannot use the token of") && ran.stderr.contains("hint:"), "{ran:#?}");
    for content in ["", "short", "0123456789abcde"] {
        let mut by_file = serve(&home.db(), "127.0.0.1:0");
        by_file.arg("--auth-token-file").arg(token_file(&home, content));
        run(by_file, PATIENCE).expect(1);
        let mut by_variable = serve(&home.db(), "127.0.0.1:0");
        by_variable.env("VM_SYSTEM_TOKEN", content);
        let ran = run(by_variable, PATIENCE).expect(1);
        assert!(ran.stderr.contains("VM_SYSTEM_TOKEN"), "{ran:#?}");
    }
    assert!(!home.db().exists(), "and touches no database");
}

#[test]
fn beyond_this_machine_a_token_is_needed_and_enough() {
    let home = Home::new();
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let ran = run(serve(&home.db(), listen), PATIENCE).expect(1);
        assert!(ran.stderr.contains("without a token") && ran.stderr.contains("--auth-token-file"), "{ran:#?}");
    }
    let mut command = serve(&home.db(), "0.0.0.0:0");
    command.env("VM_SYSTEM_TOKEN", TOKEN).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut log = String::new();
    let port: u16 = loop {
        let line = lines.next().unwrap_or_else(|| panic!("it did not start: {log}"));
        if let Some((_, port)) = line.split_once("listening on http://0.0.0.0:") {
            break port.trim().parse().unwrap();
        }
        log.push_str(&line);
    };
    let ask = |request: Request| {
        let request = request_text(&request.header("Host", "vm.example"));
        call(TcpStream::connect(("127.0.0.1", port)).unwrap(), &request)
    };
    let answers = [ask(with_token("GET", "/sessions", TOKEN)), ask(Request::new("GET", api("/sessions")))];
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answers[0].starts_with("HTTP/1.1 200") && answers[1].starts_with("HTTP/1.1 401"), "{answers:?}");
    assert!(log.contains("unencrypted"), "it says what that means: {log}");
}

#[test]
fn a_token_file_that_others_can_read_is_said() {
    let home = Home::new();
    let file = token_file(&home, TOKEN);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    let daemon = Daemon::with(&home, |command| {
        command.arg("--auth-token-file").arg(file);
    });
    assert!(daemon.log().contains("other users of this machine"), "{}", daemon.log());
}

#[test]
fn the_command_line_shows_the_token() {
    let home = Home::new();
    let daemon = guarded(&home, |_| {});
    let file = home.root().join("token").display().to_string();
    let list = |change: &dyn Fn(&mut Command)| -> Ran {
        let mut command = vm_system();
        command.args(["--server-url", &daemon.url(), "session", "list"]);
        change(&mut command);
        run(command, PATIENCE)
    };
    list(&|command| {
        command.args(["--auth-token-file", &file]);
    })
    .expect(0);
    list(&|command| {
        command.env("VM_SYSTEM_AUTH_TOKEN_FILE", &file);
    })
    .expect(0);
    list(&|command| {
        command.env("VM_SYSTEM_TOKEN", TOKEN);
    })
    .expect(0);
    // A file that is named says more than a variable that is there.
    list(&|command| {
        command.env("VM_SYSTEM_TOKEN", OTHER).args(["--auth-token-file", &file]);
    })
    .expect(0);
    let none = list(&|_| {}).expect(1);
    assert!(none.stderr.contains("UNAUTHORIZED") && none.stderr.contains("--auth-token-file"), "{none:#?}");
    let wrong = list(&|command| {
        command.env("VM_SYSTEM_TOKEN", OTHER);
    })
    .expect(1);
    assert!(wrong.stderr.contains("UNAUTHORIZED") && !wrong.stderr.contains(OTHER), "{wrong:#?}");
    let unusable = list(&|command| {
        command.args(["--auth-token-file", "/nonexistent"]);
    })
    .expect(1);
    assert!(unusable.stderr.contains("TOKEN_UNUSABLE"), "{unusable:#?}");
    // Streams go another way through the client: the daemon must know who asks before it can say that nothing is there.
    let mut watch = vm_system();
    watch.args(["--server-url", &daemon.url(), "--auth-token-file", &file, "exec", "watch", NOBODY]);
    let watched = run(watch, PATIENCE).expect(1);
    assert!(watched.stderr.contains("EXECUTION_NOT_FOUND"), "{watched:#?}");
    daemon.cli(&["ops", "health"]).expect(0);
    // What asks no daemon needs none.
    let mut eval = vm_system();
    eval.env("VM_SYSTEM_TOKEN", "short").args(["eval", "1 + 1"]);
    assert_eq!(run(eval, PATIENCE).expect(0).stdout, "2\n");
}

#[test]
fn the_token_of_the_environment_is_not_for_scripts() {
    let home = Home::new();
    let daemon = Daemon::with(&home, |command| {
        command.env("VM_SYSTEM_TOKEN", TOKEN).env("OTHER", "seen");
    });
    let post = |path: &str, body: serde_json::Value| {
        daemon.send(&with_token("POST", path, TOKEN).json(body.to_string())).ok(201)
    };
    let template = text(&post("/templates", json!({ "name": "t" }))["id"]);
    for name in ["VM_SYSTEM_TOKEN", "OTHER"] {
        let capability = json!({ "kind": "env", "name": name, "enabled": true, "config": { "from_host": true } });
        post(&format!("/templates/{template}/capabilities"), capability);
    }
    let session = text(&post("/sessions", daemon.session_request(&template))["id"]);
    let run = post("/executions/repl", json!({ "session_id": session, "input": "JSON.stringify(process.env)" }));
    assert_eq!(run["result"]["preview"], r#"{"OTHER":"seen"}"#, "{run}");
}

const PAGE: &str = "http://app.example:5173";

fn from(method: &str, path: &str, origin: &str) -> Request {
    Request::new(method, api(path)).header("Origin", origin)
}

fn allowed_origin(answer: &Response) -> Option<&str> {
    answer.header("Access-Control-Allow-Origin")
}

#[test]
fn pages_of_named_origins_may_use_the_api_and_others_may_not() {
    let daemon = Daemon::with(&Home::new(), |command| {
        command.args(["--cors-origin", PAGE, "--cors-origin", "https://two.example"]);
    });
    for origin in [PAGE, "https://two.example"] {
        let asks = from("OPTIONS", "/executions/repl", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization,content-type");
        let answer = daemon.send(&asks);
        assert_eq!((answer.status, allowed_origin(&answer)), (204, Some(origin)));
        for (header, word) in [
            ("Access-Control-Allow-Methods", "POST"),
            ("Access-Control-Allow-Headers", "Authorization"),
            ("Access-Control-Allow-Headers", "Content-Type"),
            ("Vary", "Origin"),
        ] {
            assert!(answer.header(header).is_some_and(|value| value.contains(word)), "{header}: {answer:?}");
        }
        assert!(answer.header("Access-Control-Allow-Credentials").is_none() && answer.header("X-Request-Id").is_some());
        let answer = daemon.send(&from("GET", "/sessions", origin));
        assert_eq!((answer.status, allowed_origin(&answer)), (200, Some(origin)));
        assert_eq!(answer.header("Vary"), Some("Origin"));
        // A page must be able to read why it was refused.
        let answer = daemon.send(&from("GET", "/nosuch", origin));
        assert_eq!((answer.status, allowed_origin(&answer)), (404, Some(origin)));
    }
    for origin in ["http://app.example", "http://evil.example", "null", "http://app.example:5173.evil.example"] {
        let asks = from("OPTIONS", "/sessions", origin).header("Access-Control-Request-Method", "POST");
        for answer in [daemon.send(&asks), daemon.send(&from("POST", "/sessions", origin).json("{}"))] {
            assert_eq!(answer.error(403, "FORBIDDEN")["header"], "Origin", "{origin}");
            assert_eq!(allowed_origin(&answer), None, "{origin}");
        }
    }
    let own = daemon.send(&from("GET", "/sessions", &daemon.url()));
    assert_eq!((own.status, own.header("Vary")), (200, Some("Origin")));
    // To be named does not make up for a name of this machine that is none.
    let rebound = from("GET", "/sessions", PAGE).header("Host", "app.example");
    assert_eq!(daemon.send(&rebound).error(403, "FORBIDDEN")["header"], "Host");
}

#[test]
fn a_preflight_needs_no_token_and_a_request_does() {
    let daemon = guarded(&Home::new(), |command| {
        command.env("VM_SYSTEM_CORS_ORIGIN", PAGE);
    });
    let asks = |origin| from("OPTIONS", "/sessions", origin).header("Access-Control-Request-Method", "GET");
    let answer = daemon.send(&asks(PAGE));
    assert_eq!((answer.status, allowed_origin(&answer)), (204, Some(PAGE)));
    daemon.send(&asks("http://evil.example")).error(403, "FORBIDDEN");
    let refused = daemon.send(&from("GET", "/sessions", PAGE));
    refused.error(401, "UNAUTHORIZED");
    assert_eq!(allowed_origin(&refused), Some(PAGE));
    daemon.send(&from("OPTIONS", "/sessions", PAGE)).error(401, "UNAUTHORIZED");
    let answer = daemon.send(&with_token("GET", "/sessions", TOKEN).header("Origin", PAGE));
    assert_eq!((answer.status, allowed_origin(&answer)), (200, Some(PAGE)));
    let none = Daemon::start();
    none.send(&asks(PAGE)).error(403, "FORBIDDEN");
    assert!(none.get("/sessions").header("Vary").is_none());
}

/// A daemon behind a socket file; it is killed when the test is done with it.
struct Behind {
    child: Child,
    socket: PathBuf,
}

impl Behind {
    fn start(home: &Home, db: &Path, socket: &Path) -> Self {
        let mut command = serve(db, &format!("unix:{}", socket.display()));
        command.current_dir(home.root()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        wait_for("the daemon to listen", PATIENCE, || UnixStream::connect(socket).ok());
        Self { child, socket: socket.to_owned() }
    }

    fn url(&self) -> String {
        format!("unix:{}", self.socket.display())
    }

    fn signal(&mut self, signal: Signal) -> Option<i32> {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
        wait_for("the daemon to end", PATIENCE, || self.child.try_wait().unwrap()).code()
    }

    fn call(&self, request: &str) -> String {
        call(UnixStream::connect(&self.socket).unwrap(), request)
    }
}

impl Drop for Behind {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request that ends its connection, and answers all that comes.
fn call(mut stream: impl Read + Write, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn request_text(request: &Request) -> String {
    let wire = request.clone().header("Connection", "close").encode(([127, 0, 0, 1], 1).into());
    String::from_utf8(wire).unwrap()
}

#[test]
fn a_socket_file_is_listened_on_and_the_command_line_finds_it() {
    let home = Home::new();
    let socket = home.root().join("vm.sock");
    let mut daemon = Behind::start(&home, &home.db(), &socket);
    assert_eq!(fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o600);
    for host in ["localhost", "docker", "vm.example"] {
        let answer =
            daemon.call(&format!("GET /api/v1/sessions HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n[]"), "{host}: {answer}");
    }
    let url = daemon.url();
    let cli = |arguments: &[&str]| {
        let mut command = vm_system();
        command.current_dir(home.root()).args(["--server-url", &url]).args(arguments);
        run(command, PATIENCE)
    };
    cli(&["ops", "health"]).expect(0);
    cli(&["template", "create", "--name", "t"]).expect(0);
    assert!(cli(&["template", "list"]).expect(0).stdout.contains('t'));
    let relative = {
        let mut command = vm_system();
        command.current_dir(home.root()).args(["--server-url", "unix:vm.sock", "ops", "health"]);
        run(command, PATIENCE)
    };
    relative.expect(0);

    assert_eq!(daemon.signal(Signal::TERM), Some(0));
    assert!(!socket.exists(), "it goes with its daemon");
    cli(&["ops", "health"]).expect(3);
}

#[test]
fn a_socket_that_was_left_behind_is_replaced_and_one_that_is_used_is_not() {
    let home = Home::new();
    let socket = home.root().join("vm.sock");
    let mut first = Behind::start(&home, &home.db(), &socket);
    let again = run(serve(&home.root().join("other.db"), &first.url()), PATIENCE).expect(1);
    assert!(again.stderr.contains("cannot listen on unix:") && again.stderr.contains("hint:"), "{again:#?}");
    assert!(first.call("GET /api/v1/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").contains("200 OK"));
    first.signal(Signal::KILL);
    assert!(socket.exists(), "nobody was left to remove it");
    drop(Behind::start(&home, &home.db(), &socket));

    let file = home.root().join("notes.txt");
    fs::write(&file, "mine").unwrap();
    run(serve(&home.db(), &format!("unix:{}", file.display())), PATIENCE).expect(1);
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
    // Another program's, that answers nothing: it is there all the same.
    let theirs = home.root().join("theirs.sock");
    let _listener = UnixListener::bind(&theirs).unwrap();
    run(serve(&home.db(), &format!("unix:{}", theirs.display())), PATIENCE).expect(1);
    assert!(theirs.exists());
}

#[test]
fn sessions_past_the_limit_are_refused_until_one_is_closed() {
    let daemon = Daemon::with(&Home::new(), |command| {
        command.args(["--max-sessions", "2"]);
    });
    let template = daemon.template(json!({}));
    let first = daemon.session_of(&template);
    daemon.session_of(&template);
    let refused = daemon.post("/sessions", &daemon.session_request(&template));
    assert_eq!(refused.error(429, "LIMIT_REACHED")["limit"], "max_sessions");
    assert!(refused.header("Retry-After").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{refused:?}");
    assert_eq!(daemon.get("/sessions").ok(200).as_array().unwrap().len(), 2, "no row of what was refused");
    daemon.poke(&format!("/sessions/{first}/close")).ok(200);
    daemon.session_of(&template);
    let arguments = ["session", "create", "--template-id", &template, "--workspace-id", "w", "--base-commit", "b"];
    let root = daemon.home.worktree().display().to_string();
    let ran = daemon.cli(&[&arguments[..], &["--worktree-path", &root]].concat()).expect(1);
    assert!(
        ran.stderr.contains("LIMIT_REACHED")
            && ran.stderr.contains("session close") | ran.stderr.contains("close sessions"),
        "{ran:#?}"
    );
}

#[test]
fn executions_past_the_limit_are_refused_until_one_has_ended() {
    let daemon = Daemon::with(&Home::new(), |command| {
        command.env("VM_SYSTEM_MAX_RUNNING", "1");
    });
    let (busy, other) = (daemon.session(), daemon.session());
    let (run, refused) = daemon.while_running(&busy, "for (;;);", |id| {
        let refused = daemon.post_repl(&other, "1");
        // It is neither in the way of being told about, nor of being ended.
        assert_eq!(daemon.get("/health").status, 200);
        daemon.poke(&format!("/executions/{id}/cancel")).ok(200);
        refused
    });
    assert_eq!(run.ok(201)["status"], "cancelled");
    assert_eq!(refused.error(429, "LIMIT_REACHED")["limit"], "max_running");
    assert!(refused.header("Retry-After").is_some());
    assert_eq!(daemon.executions(&other).len(), 0);
    assert_eq!(daemon.preview(&other, "1 + 1"), "2");
}

#[test]
fn connections_past_the_limit_are_told_so_until_one_is_closed() {
    let daemon = Daemon::with(&Home::new(), |command| {
        command.args(["--max-connections", "2"]);
    });
    let health = Request::new("GET", api("/health"));
    let mut held = [daemon.connect(), daemon.connect()];
    for connection in &mut held {
        assert_eq!(connection.call(&health).unwrap().status, 200);
    }
    let refused = daemon.send(&health);
    assert_eq!(refused.error(429, "LIMIT_REACHED")["limit"], "max_connections");
    assert!(refused.header("Retry-After").is_some());
    let ran = daemon.cli(&["ops", "health"]).expect(1);
    assert!(ran.stderr.contains("LIMIT_REACHED"), "{ran:#?}");
    for connection in &mut held {
        assert_eq!(connection.call(&health).unwrap().status, 200, "who is in, stays in");
    }
    drop(held);
    wait_for("a place", PATIENCE, || (daemon.send(&health).status == 200).then_some(()));
}

#[test]
fn a_session_that_nobody_uses_is_closed_and_says_why() {
    let daemon = Daemon::with(&Home::new(), |command| {
        command.args(["--session-idle-timeout", "400ms"]);
    });
    let session = daemon.session();
    let closed = wait_for("the session to be closed", PATIENCE, || {
        let record = daemon.session_record(&session);
        (record["status"] == "closed").then_some(record)
    });
    assert_eq!(closed["last_error"], "closed because nothing ran in it for 400ms");
    assert!(closed["closed_at"].is_string(), "{closed}");
    wait_for("it to be gone from memory", PATIENCE, || daemon.active().is_empty().then_some(()));
    daemon.post_repl(&session, "1").error(409, "SESSION_NOT_READY");
}

#[test]
fn limits_that_are_none_are_refused() {
    let home = Home::new();
    let cases = [
        ["--max-sessions", "0"],
        ["--max-running", "many"],
        ["--max-connections", "0"],
        ["--max-rate", "0"],
        ["--keep-executions", "0"],
        ["--keep-days", "some"],
        ["--session-idle-timeout", "30"],
        ["--session-idle-timeout", "0s"],
        ["--cors-origin", "*"],
        ["--listen", "unix:"],
    ];
    all_cases(cases, |arguments| {
        let mut command = serve(&home.db(), "127.0.0.1:0");
        if arguments[0] == "--listen" {
            command = vm_system();
            command.arg("serve");
        }
        command.args(arguments);
        let ran = run(command, PATIENCE);
        same(&arguments.join(" "), ran.code, Some(2))?;
        holds(arguments[0], ran.stderr.contains(arguments[0]), &ran.stderr)
    });
}
