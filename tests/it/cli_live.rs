//! The command line while something runs: what is seen when, what Ctrl+C does, and what becomes of a line that is cut.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use crate::support::{Daemon, Home, check_execution, serve, text, vm_system, wait_for};

/// What takes milliseconds, on a machine that is busy elsewhere.
const SOON: Duration = Duration::from_secs(30);

/// For how long a daemon is asked again, and a little more for the rest.
const GIVEN_UP: Duration = Duration::from_secs(40);

/// Says something, and then goes on for longer than any test.
const ENDLESS: &str = "var made = 41; console.log('up'); await new Promise(r => setTimeout(r, 600_000))";

/// The lines that a process has written so far.
#[derive(Debug, Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Lines {
    fn of(pipe: impl Read + Send + 'static) -> (Self, JoinHandle<()>) {
        let lines = Self::default();
        let kept = lines.clone();
        let reader = thread::spawn(move || {
            BufReader::new(pipe).lines().map_while(Result::ok).for_each(|line| kept.0.lock().unwrap().push(line));
        });
        (lines, reader)
    }

    fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    /// Waits for a line that begins so. Answers its rest.
    #[track_caller]
    fn wait_for(&self, start: &str) -> String {
        let find = || self.all().iter().find_map(|line| line.strip_prefix(start).map(str::to_owned));
        wait_for(&format!("{start:?} in {:?}", self.all()), SOON, find)
    }
}

/// The command line as a running process.
#[derive(Debug)]
struct Program {
    child: Child,
    stdout: Lines,
    stderr: Lines,
    readers: Vec<JoinHandle<()>>,
}

impl Program {
    fn start(url: &str, arguments: &[&str]) -> Self {
        let mut command = vm_system();
        command.args(["--server-url", url]).args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdout, out) = Lines::of(child.stdout.take().unwrap());
        let (stderr, err) = Lines::of(child.stderr.take().unwrap());
        Self { child, stdout, stderr, readers: vec![out, err] }
    }

    /// Starts code in the foreground, and waits until it is up. Answers the execution's id as well.
    #[track_caller]
    fn up(daemon: &Daemon, arguments: &[&str]) -> (Self, String) {
        let program = Self::start(&daemon.url(), arguments);
        let id = program.stdout.wait_for("Execution ID: ");
        program.stdout.wait_for(r#"[2] console: {"level":"log","text":"up"}"#);
        (program, id)
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits until it can be interrupted without being killed.
    fn wait_until_it_listens(&self) {
        wait_for("the thread that waits for signals", SOON, || {
            let tasks = fs::read_dir(format!("/proc/{}/task", self.child.id())).ok()?;
            let names = tasks.filter_map(|task| fs::read_to_string(task.ok()?.path().join("comm")).ok());
            names.filter(|name| name.trim() == "signals").map(drop).next()
        });
    }

    /// Waits for its end. Answers that, and all lines of both streams.
    #[track_caller]
    fn end(&mut self, limit: Duration) -> (ExitStatus, Vec<String>, Vec<String>) {
        let status = wait_for("the command to end", limit, || self.child.try_wait().unwrap());
        self.readers.drain(..).for_each(|reader| reader.join().unwrap());
        (status, self.stdout.all(), self.stderr.all())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A session whose code may take as long as these tests need it to.
fn patient(daemon: &Daemon) -> String {
    daemon.limited(json!({ "wall_ms": 600_000 }))
}

/// The lines of an execution's events.
fn lines_of(execution: &Value) -> Vec<String> {
    let events = execution["events"].as_array().unwrap().iter();
    events.map(|event| format!("[{}] {}: {}", event["seq"], text(&event["type"]), event["payload"])).collect()
}

/// The lines of a foreground execution that has ended.
fn shown(execution: &Value) -> Vec<String> {
    let mut lines = vec![format!("Execution ID: {}", text(&execution["id"])), String::new(), "Events:".to_owned()];
    lines.extend(lines_of(execution));
    lines.extend([String::new(), format!("Status: {}", text(&execution["status"]))]);
    let outcome = if execution.get("error").is_some() { "Error" } else { "Result" };
    lines.push(format!("{outcome}: {}", execution[outcome.to_lowercase()]));
    lines
}

#[test]
fn each_line_is_there_as_soon_as_it_is_printed() {
    let daemon = Daemon::start();
    let session = patient(&daemon);
    let code = "console.log('one'); await new Promise(r => setTimeout(r, 300)); console.log('two'); \
                await new Promise(r => setTimeout(r, 600_000))";
    let mut program = Program::start(&daemon.url(), &["exec", "repl", &session, code]);
    let id = program.stdout.wait_for("Execution ID: ");
    for line in ["[1] input_echo: ", r#"[2] console: {"level":"log","text":"one"}"#, "[3] console: "] {
        program.stdout.wait_for(line);
        // It would run for ten minutes: what is read before its end is read while it runs.
        assert_eq!(daemon.execution(&id)["status"], "running", "{line}");
    }
    daemon.cli(&["exec", "cancel", &id]).expect(0);
    let (status, lines, aside) = program.end(SOON);
    let execution = daemon.execution(&id);
    check_execution(&execution);
    assert_eq!((status.code(), lines, aside), (Some(4), shown(&execution), vec![]));
    assert_eq!(execution["status"], "cancelled");
}

#[test]
fn ctrl_c_cancels_the_execution_and_the_session_lives_on() {
    let daemon = Daemon::start();
    daemon.home.write("endless.js", ENDLESS);
    let spinning = "var made = 41; console.log('up'); for (;;) {}";
    for (signal, command) in [
        (Signal::INT, ["repl", ENDLESS]),
        (Signal::INT, ["repl", spinning]),
        (Signal::INT, ["run-file", "endless.js"]),
        (Signal::TERM, ["repl", ENDLESS]),
    ] {
        let session = patient(&daemon);
        let (mut program, id) = Program::up(&daemon, &["exec", command[0], &session, command[1]]);
        program.signal(signal);
        let (status, lines, aside) = program.end(SOON);
        let execution = daemon.execution(&id);
        check_execution(&execution);
        assert_eq!((status.code(), lines), (Some(4), shown(&execution)), "{command:?}: {aside:?}");
        assert_eq!(execution["status"], "cancelled", "{command:?}");
        assert_eq!(aside[0], format!("info: cancelling execution {id}…"), "{command:?}");
        assert!(aside[1].starts_with("hint: Ctrl+C again ") && aside.len() == 2, "{command:?}: {aside:?}");
        assert_eq!(daemon.preview(&session, "made + 1"), "42", "{command:?}");
    }
}

#[test]
fn json_is_one_document_however_it_ends() {
    let daemon = Daemon::start();
    let session = patient(&daemon);
    let mut program = Program::start(&daemon.url(), &["--json", "exec", "repl", &session, "console.log(1); 2"]);
    let (status, lines, aside) = program.end(SOON);
    let id = text(&daemon.executions(&session)[0]["id"]);
    let stored = daemon.get(&format!("/executions/{id}")).text();
    assert_eq!((status.code(), lines, aside), (Some(0), vec![stored], vec![]));

    let mut program = Program::start(&daemon.url(), &["--json", "exec", "repl", &session, ENDLESS]);
    let id = daemon.running_execution(&session);
    program.wait_until_it_listens();
    program.signal(Signal::INT);
    let (status, lines, aside) = program.end(SOON);
    let execution: Value = serde_json::from_str(&lines.concat()).unwrap();
    check_execution(&execution);
    assert_eq!((&execution["id"], &execution["status"], lines.len()), (&json!(id), &json!("cancelled"), 1));
    // There, standard error is for envelopes.
    assert_eq!((status.code(), aside), (Some(4), vec![]));
}

#[test]
fn a_second_ctrl_c_ends_the_command_and_says_what_it_leaves_behind() {
    let daemon = Daemon::start();
    let session = patient(&daemon);
    let (mut program, id) = Program::up(&daemon, &["exec", "repl", &session, ENDLESS]);
    // A daemon that does not answer: the execution cannot be cancelled, whatever is asked for.
    daemon.signal(Signal::STOP);
    program.signal(Signal::INT);
    program.stderr.wait_for(&format!("info: cancelling execution {id}…"));
    assert!(program.child.try_wait().unwrap().is_none(), "one is not enough");
    program.signal(Signal::INT);
    let (status, lines, aside) = program.end(SOON);
    assert_eq!(status.code(), Some(130), "{aside:?}");
    assert_eq!(lines.len(), 5, "what was printed stays: {lines:?}");
    assert_eq!(aside[2], format!("info: execution {id} may still run"));
    for way in ["exec watch", "exec cancel"] {
        assert!(aside[3].contains(&format!("`vm-system {way} {id}`")), "{aside:?}");
    }
    daemon.signal(Signal::CONT);
}

#[test]
fn ctrl_c_before_anything_is_known_leaves_nothing_behind() {
    let daemon = Daemon::start();
    let session = patient(&daemon);
    let arguments = ["exec", "repl", &session, ENDLESS];
    daemon.signal(Signal::STOP);
    let mut program = Program::start(&daemon.url(), &arguments);
    program.wait_until_it_listens();
    program.signal(Signal::INT);
    program.stderr.wait_for("info: cancelling, as soon as ");
    daemon.signal(Signal::CONT);
    let (status, lines, aside) = program.end(SOON);
    let id = text(&daemon.executions(&session)[0]["id"]);
    assert_eq!((status.code(), lines), (Some(4), shown(&daemon.execution(&id))), "{aside:?}");
    assert!(aside.contains(&format!("info: cancelling execution {id}…")), "{aside:?}");

    // Who does not want to wait for that is told so.
    daemon.signal(Signal::STOP);
    let mut program = Program::start(&daemon.url(), &arguments);
    program.wait_until_it_listens();
    program.signal(Signal::INT);
    program.stderr.wait_for("info: cancelling, as soon as ");
    program.signal(Signal::INT);
    let (status, lines, aside) = program.end(SOON);
    daemon.signal(Signal::CONT);
    assert_eq!((status.code(), lines), (Some(130), vec![]), "{aside:?}");
    assert!(aside.concat().contains(&format!("`vm-system exec list {session}`")), "{aside:?}");
}

#[test]
fn ctrl_c_ends_a_run_without_a_daemon_as_well() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let endless = "console.log('up'); for (;;) {}";
        let mut program = Program::start("http://127.0.0.1:9", &["eval", "--cpu-ms", "600000", endless]);
        program.stdout.wait_for("up");
        program.signal(signal);
        let (status, _, aside) = program.end(SOON);
        assert_eq!(status.code(), Some(code), "{aside:?}");
        assert!(aside.concat().contains("[CANCELLED]"), "{aside:?}");
    }
}

#[test]
fn ctrl_c_ends_a_watch_and_nothing_else() {
    let daemon = Daemon::start();
    let session = patient(&daemon);
    daemon.cli(&["exec", "repl", &session, ENDLESS, "--detach"]).expect(0);
    let id = daemon.running_execution(&session);
    let commands: [&[&str]; 3] =
        [&["exec", "watch", &id], &["exec", "events", &id, "--follow"], &["session", "watch", &session]];
    for arguments in commands {
        let mut program = Program::start(&daemon.url(), arguments);
        wait_for("what it watches", SOON, || (program.stdout.all().len() == 2).then_some(()));
        program.signal(Signal::INT);
        let (status, _, aside) = program.end(SOON);
        // By the signal itself, which shells show as 130: a loop around it ends, too.
        assert_eq!((status.signal(), aside), (Some(2), vec![]), "{arguments:?}");
        assert_eq!(daemon.execution(&id)["status"], "running", "{arguments:?}");
    }
}

#[test]
fn a_reader_that_goes_away_ends_the_command_and_not_the_execution() {
    let daemon = Daemon::start();
    let session = patient(&daemon);
    let mut command = vm_system();
    let ticking = "for (;;) { console.log('x'); await new Promise(r => setTimeout(r, 50)) }";
    command.args(["--server-url", &daemon.url(), "exec", "repl", &session, ticking]);
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("Execution ID: "), "{line}");
    let status = wait_for("it to notice", SOON, || child.try_wait().unwrap());
    assert_eq!(status.code(), Some(0));
    assert_eq!(daemon.execution(line["Execution ID: ".len()..].trim())["status"], "running");
}

/// Kills a daemon and starts one on the same database and the same port.
#[track_caller]
fn anew(daemon: &mut Daemon) -> Daemon {
    daemon.kill();
    let (home, address) = (Arc::clone(&daemon.home), daemon.address.to_string());
    Daemon::with(&home, |command| *command = serve(&home.db(), &address))
}

/// Waits until so many events are on disk: those that a reader has seen are, 100 ms later. From then on nothing that was
/// read can be lost.
#[track_caller]
fn wait_until_on_disk(home: &Home, events: u32) {
    let count = || {
        let database = rusqlite::Connection::open(home.db()).ok()?;
        database.query_row("SELECT count(*) FROM events", [], |row| row.get::<_, u32>(0)).ok()
    };
    wait_for("the events to be on disk", SOON, || count().filter(|count| *count == events).map(drop));
}

#[test]
fn a_daemon_that_starts_anew_is_found_again() {
    let mut daemon = Daemon::start();
    let session = patient(&daemon);
    let (mut foreground, id) = Program::up(&daemon, &["exec", "repl", &session, ENDLESS]);
    let mut watch = Program::start(&daemon.url(), &["exec", "watch", &id]);
    let mut whole = Program::start(&daemon.url(), &["session", "watch", &session]);
    let other = patient(&daemon);
    let mut json = Program::start(&daemon.url(), &["--json", "exec", "repl", &other, ENDLESS]);
    let of_json = daemon.running_execution(&other);
    for program in [&watch, &whole] {
        wait_for("what is there", SOON, || (program.stdout.all().len() == 2).then_some(()));
    }
    wait_for("all of them to follow", SOON, || daemon.log().matches("/events/stream").nth(3).map(drop));
    wait_until_on_disk(&daemon.home, 4);
    let daemon = anew(&mut daemon);

    let execution = daemon.execution(&id);
    check_execution(&execution);
    assert_eq!(execution["status"], "cancelled");
    let events = lines_of(&execution);
    let (status, lines, aside) = foreground.end(SOON);
    assert_eq!((status.code(), &lines), (Some(4), &shown(&execution)), "{aside:?}");
    let end = &lines[lines.len() - 2..];
    let (status, lines, aside) = watch.end(SOON);
    assert_eq!((status.code(), lines), (Some(4), [&events, end].concat()), "{aside:?}");
    let (status, lines, aside) = whole.end(SOON);
    let mut expected: Vec<String> = events.iter().map(|line| format!("{id} {line}")).collect();
    expected.push(format!("Session: {}", text(&daemon.session_record(&session)["status"])));
    assert_eq!((status.code(), lines), (Some(0), expected), "{aside:?}");
    let (status, lines, aside) = json.end(SOON);
    let document: Value = serde_json::from_str(&lines.concat()).unwrap();
    assert_eq!((status.code(), document), (Some(4), daemon.execution(&of_json)), "{aside:?}");
}

#[test]
fn a_daemon_that_is_stopped_says_how_it_ended() {
    let mut daemon = Daemon::start();
    let (session, other) = (patient(&daemon), patient(&daemon));
    let (mut foreground, id) = Program::up(&daemon, &["exec", "repl", &session, ENDLESS]);
    let mut json = Program::start(&daemon.url(), &["--json", "exec", "repl", &other, ENDLESS]);
    let of_json = daemon.running_execution(&other);
    wait_for("both to follow", SOON, || daemon.log().matches("/events/stream").nth(1).map(drop));
    daemon.stop();
    let (status, lines, aside) = foreground.end(SOON);
    let (code, documents, said) = json.end(SOON);
    let daemon = Daemon::at(&daemon.home);
    assert_eq!((status.code(), lines, aside), (Some(4), shown(&daemon.execution(&id)), vec![]));
    let document: Value = serde_json::from_str(&documents.concat()).unwrap();
    assert_eq!((code.code(), document, said), (Some(4), daemon.execution(&of_json), vec![]));
}

#[test]
fn a_daemon_that_stays_away_is_given_up() {
    let mut daemon = Daemon::start();
    let session = patient(&daemon);
    let (mut foreground, id) = Program::up(&daemon, &["exec", "repl", &session, ENDLESS]);
    let mut watch = Program::start(&daemon.url(), &["exec", "watch", &id]);
    wait_for("what is there", SOON, || (watch.stdout.all().len() == 2).then_some(()));
    daemon.kill();
    // To a program, it is said once it takes longer than a start does.
    foreground.stderr.wait_for("info: the daemon has gone away");
    let (status, lines, aside) = foreground.end(GIVEN_UP);
    assert_eq!((status.code(), lines.len()), (Some(3), 5), "{lines:?} {aside:?}");
    assert!(aside[1].starts_with("error: ") && aside[1].ends_with("[UNREACHABLE]"), "{aside:?}");
    assert_eq!(aside[2], format!("hint: `vm-system exec watch {id} --after-seq 2` goes on from there"));
    let (status, lines, aside) = watch.end(GIVEN_UP);
    assert_eq!((status.code(), lines.len(), aside.len()), (Some(3), 2, 3), "{lines:?} {aside:?}");
}

/// Passes connections on to a daemon, and cuts each stream of events after a part of it. Answers its address.
fn cutting(daemon: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for (number, client) in listener.incoming().map_while(Result::ok).enumerate() {
            thread::spawn(move || pass_on(client, daemon, 300 + 97 * (number as u64 % 11)));
        }
    });
    address
}

fn pass_on(mut client: TcpStream, daemon: SocketAddr, part: u64) -> std::io::Result<()> {
    let mut server = TcpStream::connect(daemon)?;
    let mut head = [0; 4096];
    let length = client.read(&mut head)?;
    server.write_all(&head[..length])?;
    if head[..length].windows(14).any(|bytes| bytes == b"/events/stream") {
        std::io::copy(&mut server.take(part), &mut client)?;
    } else {
        let (mut up, mut down) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || std::io::copy(&mut up, &mut down));
        std::io::copy(&mut server, &mut client)?;
    }
    client.shutdown(std::net::Shutdown::Both)
}

#[test]
fn nothing_is_lost_or_doubled_however_often_the_line_is_cut() {
    let daemon = Daemon::start();
    let session = patient(&daemon);
    let url = format!("http://{}", cutting(daemon.address));
    let ticking = "for (let i = 0; i < 60; i++) { console.log(i); await new Promise(r => setTimeout(r, 10)) } 'done'";
    let mut foreground = Program::start(&url, &["exec", "repl", &session, ticking]);
    let mut whole = Program::start(&url, &["session", "watch", &session]);
    let id = foreground.stdout.wait_for("Execution ID: ");
    let (status, lines, aside) = foreground.end(SOON);
    let execution = daemon.execution(&id);
    assert_eq!((status.code(), lines, aside), (Some(0), shown(&execution), vec![]));
    daemon.poke(&format!("/sessions/{session}/close")).ok(200);
    let (status, lines, aside) = whole.end(SOON);
    let mut expected: Vec<String> = lines_of(&execution).iter().map(|line| format!("{id} {line}")).collect();
    expected.push("Session: closed".to_owned());
    assert_eq!((status.code(), lines, aside), (Some(0), expected, vec![]));
    let cuts = daemon.log().matches("/events/stream").count();
    assert!(cuts > 20, "{cuts} connections are too few to say anything");
}
