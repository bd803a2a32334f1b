//! A daemon of one's own for each test, and what every answer of it must look like.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Connection, Request, Response};

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_vm-system");

/// An id of the right shape that names nothing.
pub(crate) const NOBODY: &str = "01950000-0000-7000-8000-000000000000";

/// A daemon opens its database and binds a port: milliseconds. This is for a machine that is busy elsewhere.
const START: Duration = Duration::from_secs(30);

/// A directory with a worktree in it, a database beside that, and room for files that no script may reach.
#[derive(Debug)]
pub(crate) struct Home {
    dir: TempDir,
}

impl Home {
    pub(crate) fn new() -> Arc<Self> {
        let home = Self { dir: TempDir::new().unwrap() };
        fs::create_dir(home.worktree()).unwrap();
        Arc::new(home)
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.dir.path().canonicalize().unwrap()
    }

    pub(crate) fn db(&self) -> PathBuf {
        self.root().join("vm.db")
    }

    pub(crate) fn worktree(&self) -> PathBuf {
        self.root().join("worktree")
    }

    /// Writes a file of the worktree, with the directories that lead to it.
    pub(crate) fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.worktree().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// `vm-system serve` on this home's database and a port that the system chooses.
    pub(crate) fn serve(&self) -> Command {
        let mut command = serve(&self.db(), "127.0.0.1:0");
        command.current_dir(self.root());
        command
    }
}

/// `vm-system serve` on any database and address.
pub(crate) fn serve(db: &Path, listen: &str) -> Command {
    let mut command = vm_system();
    command.arg("serve").arg("--db").arg(db).args(["--listen", listen, "--log-format", "json"]);
    command
}

/// The binary with nothing of this process's environment, so that a developer's settings change no test.
pub(crate) fn vm_system() -> Command {
    let mut command = Command::new(BINARY);
    command.env_clear().stdin(Stdio::null());
    // The same tests, with sessions in processes of their own: `cargo xtask test` runs them both ways.
    command.env("VM_SYSTEM_ISOLATION", isolation());
    command
}

/// Where the sessions of these tests run.
pub(crate) fn isolation() -> String {
    std::env::var("VM_SYSTEM_TEST_ISOLATION").unwrap_or_else(|_| "thread".to_owned())
}

/// A running daemon; it is killed when the test is done with it, and shows its log when the test has failed.
#[derive(Debug)]
pub(crate) struct Daemon {
    child: Child,
    pub(crate) address: SocketAddr,
    log: Arc<Mutex<Vec<String>>>,
    pub(crate) home: Arc<Home>,
}

impl Daemon {
    /// Starts one on an empty database.
    pub(crate) fn start() -> Self {
        Self::at(&Home::new())
    }

    /// Starts one whose sessions are in processes of their own, on an empty database.
    pub(crate) fn with_processes() -> Self {
        Self::with(&Home::new(), |command| {
            command.env("VM_SYSTEM_ISOLATION", "process");
        })
    }

    /// Starts one on a home that may have been used before.
    #[track_caller]
    pub(crate) fn at(home: &Arc<Home>) -> Self {
        Self::with(home, |_| {})
    }

    /// Starts one with more arguments or variables.
    #[track_caller]
    pub(crate) fn with(home: &Arc<Home>, change: impl FnOnce(&mut Command)) -> Self {
        let mut command = home.serve();
        change(&mut command);
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log = Arc::new(Mutex::new(Vec::new()));
        let (announce, announced) = mpsc::channel();
        let lines = Arc::clone(&log);
        // Reads to the end: a daemon whose log is not read would block on a full pipe.
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if let Some(address) = announced_address(&line) {
                    let _ = announce.send(address);
                }
                lines.lock().unwrap().push(line);
            }
        });
        let Ok(address) = announced.recv_timeout(START) else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the daemon did not say where it listens; its log:\n{}", log.lock().unwrap().join("\n"));
        };
        Self { child, address, log, home: Arc::clone(home) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address).unwrap()
    }

    /// Sends one request on a connection of its own.
    #[track_caller]
    pub(crate) fn send(&self, request: &Request) -> Response {
        match self.connect().call(request) {
            Ok(response) => response,
            Err(error) => panic!("no answer ({error}) to {:.300}", format!("{request:?}")),
        }
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Response {
        self.send(&Request::new("GET", api(path)))
    }

    #[track_caller]
    pub(crate) fn delete(&self, path: &str) -> Response {
        self.send(&Request::new("DELETE", api(path)))
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Response {
        self.send(&Request::new("POST", api(path)).json(body.to_string()))
    }

    #[track_caller]
    pub(crate) fn patch(&self, path: &str, body: &Value) -> Response {
        self.send(&Request::new("PATCH", api(path)).json(body.to_string()))
    }

    /// A POST without a body, as `close` and `cancel` take it.
    #[track_caller]
    pub(crate) fn poke(&self, path: &str) -> Response {
        self.send(&Request::new("POST", api(path)))
    }

    /// Creates a template: a name is added unless the document has one. Answers the id.
    #[track_caller]
    pub(crate) fn template(&self, mut document: Value) -> String {
        static NAMES: AtomicU64 = AtomicU64::new(0);
        if document.get("name").is_none() {
            document["name"] = json!(format!("template-{}", NAMES.fetch_add(1, Ordering::Relaxed)));
        }
        text(&self.post("/templates", &document).ok(201)["id"])
    }

    /// The document that asks for a session of this template over the home's worktree.
    pub(crate) fn session_request(&self, template: &str) -> Value {
        json!({
            "template_id": template,
            "workspace_id": "ws-1",
            "base_commit_oid": "deadbeef",
            "worktree_path": self.home.worktree(),
        })
    }

    /// Creates a session of a template. Answers the id.
    #[track_caller]
    pub(crate) fn session_of(&self, template: &str) -> String {
        text(&self.post("/sessions", &self.session_request(template)).ok(201)["id"])
    }

    /// Creates a session of a new template with these limits. Answers the id.
    #[track_caller]
    pub(crate) fn limited(&self, limits: Value) -> String {
        self.session_of(&self.template(json!({ "limits": limits })))
    }

    /// Creates a session with the default settings. Answers the id.
    #[track_caller]
    pub(crate) fn session(&self) -> String {
        self.session_of(&self.template(json!({})))
    }

    #[track_caller]
    pub(crate) fn post_repl(&self, session: &str, input: &str) -> Response {
        self.post("/executions/repl", &json!({ "session_id": session, "input": input }))
    }

    /// Runs a snippet that must be answered by 201, and checks everything that is true of every execution.
    #[track_caller]
    pub(crate) fn repl(&self, session: &str, input: &str) -> Value {
        self.checked(&self.post_repl(session, input))
    }

    /// Runs a snippet that must end well. Answers its result.
    #[track_caller]
    pub(crate) fn eval(&self, session: &str, input: &str) -> Value {
        let execution = self.repl(session, input);
        assert_eq!(execution["status"], "ok", "{input}: {execution}");
        execution["result"].clone()
    }

    /// Runs a snippet that must end well. Answers the preview of its result.
    #[track_caller]
    pub(crate) fn preview(&self, session: &str, input: &str) -> String {
        text(&self.eval(session, input)["preview"])
    }

    #[track_caller]
    pub(crate) fn post_file(&self, session: &str, path: &str) -> Response {
        self.post("/executions/run-file", &json!({ "session_id": session, "path": path }))
    }

    /// Runs a file that must be answered by 201, with the same checks as [`Daemon::repl`].
    #[track_caller]
    pub(crate) fn run_file(&self, session: &str, path: &str) -> Value {
        self.checked(&self.post_file(session, path))
    }

    /// An execution as it is stored, with its events.
    #[track_caller]
    pub(crate) fn execution(&self, id: &str) -> Value {
        self.get(&format!("/executions/{id}")).ok(200)
    }

    /// The executions of a session, newest first, without their events.
    #[track_caller]
    pub(crate) fn executions(&self, session: &str) -> Vec<Value> {
        array(self.get(&format!("/executions?session_id={session}&limit=1000")).ok(200))
    }

    /// The stored session.
    #[track_caller]
    pub(crate) fn session_record(&self, id: &str) -> Value {
        self.get(&format!("/sessions/{id}")).ok(200)
    }

    /// The ids of the sessions that are alive in memory; the count beside them must agree.
    #[track_caller]
    pub(crate) fn active(&self) -> Vec<String> {
        let summary = self.get("/runtime/summary").ok(200);
        let ids: Vec<String> = summary["active_session_ids"].as_array().unwrap().iter().map(text).collect();
        assert_eq!(summary["active_sessions"], ids.len(), "{summary}");
        ids
    }

    /// What was answered must be a sound execution, and what is stored must be what was answered.
    #[track_caller]
    fn checked(&self, response: &Response) -> Value {
        let answered = response.ok(201);
        check_execution(&answered);
        assert_eq!(self.execution(&text(&answered["id"])), answered, "what is stored differs from what was answered");
        answered
    }

    /// Starts a snippet that runs until something stops it, calls `act` with its id, and answers the POST's response.
    #[track_caller]
    pub(crate) fn while_running<R>(&self, session: &str, input: &str, act: impl FnOnce(&str) -> R) -> (Response, R) {
        thread::scope(|scope| {
            let posted = scope.spawn(|| self.post_repl(session, input));
            let id = self.running_execution(session);
            let acted = act(&id);
            (posted.join().unwrap(), acted)
        })
    }

    /// Waits until the session's newest execution is running. Answers its id.
    #[track_caller]
    pub(crate) fn running_execution(&self, session: &str) -> String {
        wait_for("an execution to be listed as running", Duration::from_secs(10), || {
            let newest = self.executions(session).into_iter().next()?;
            (newest["status"] == "running").then(|| text(&newest["id"]))
        })
    }

    /// Runs the CLI against this daemon, in its home.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Ran {
        let mut command = vm_system();
        command.current_dir(self.home.root()).args(["--server-url", &self.url()]).args(arguments);
        run(command, Duration::from_secs(60))
    }

    /// Kills it as the kernel's memory killer would: no handler runs. Answers when it is gone.
    pub(crate) fn kill(&mut self) {
        self.signal(Signal::KILL);
        self.child.wait().unwrap();
    }

    /// The number of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for it to end by itself.
    #[track_caller]
    pub(crate) fn wait(&mut self, limit: Duration) -> ExitStatus {
        wait_for("the daemon to end", limit, || self.child.try_wait().unwrap())
    }

    /// Asks it to stop, as a service manager does, and expects that it does so cleanly.
    #[track_caller]
    pub(crate) fn stop(&mut self) {
        self.signal(Signal::TERM);
        let status = self.wait(Duration::from_secs(10));
        assert_eq!(status.code(), Some(0), "after SIGTERM");
    }

    /// Lets it write no file beyond so many bytes, or any: the kernel answers as a disk does that fails, and can be told to
    /// stop that. Pipes and sockets are no files.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(Some(Pid::from_child(&self.child)), Resource::Fsize, limit).unwrap();
    }

    /// A path as the daemon finds it, which may have file systems of its own.
    pub(crate) fn path_within(&self, path: &Path) -> PathBuf {
        Path::new(&format!("/proc/{}/root", self.child.id())).join(path.strip_prefix("/").unwrap())
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap().count()
    }

    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().join("\n")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- log of the daemon at {}\n{}\n---", self.address, self.log());
        }
    }
}

/// The path of the API's own part of a target.
pub(crate) fn api(path: &str) -> String {
    format!("/api/v1{path}")
}

fn announced_address(line: &str) -> Option<SocketAddr> {
    let (_, rest) = line.split_once("vm-system listening on http://")?;
    let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ':')).unwrap_or(rest.len());
    rest[..end].parse().ok()
}

/// A string of a document.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => panic!("not a string: {other}"),
    }
}

/// An array of a document.
#[track_caller]
pub(crate) fn array(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        other => panic!("not an array: {other}"),
    }
}

/// A member of each item, as text.
#[track_caller]
pub(crate) fn pluck(items: &[Value], member: &str) -> Vec<String> {
    items.iter().map(|item| text(&item[member])).collect()
}

/// An execution's events of one type.
pub(crate) fn events_of<'a>(execution: &'a Value, kind: &str) -> Vec<&'a Value> {
    execution["events"].as_array().unwrap().iter().filter(|event| event["type"] == kind).collect()
}

/// The texts that an execution wrote to the console.
pub(crate) fn console(execution: &Value) -> Vec<String> {
    events_of(execution, "console").into_iter().map(|event| text(&event["payload"]["text"])).collect()
}

/// Polls until there is something. The bound only says when to give up: nothing is taken to be true because time passed.
#[track_caller]
pub(crate) fn wait_for<T>(what: &str, limit: Duration, mut probe: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = probe() {
            return found;
        }
        assert!(start.elapsed() < limit, "waited {limit:?} for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Runs every case of a table and reports all that fail, not only the first.
#[track_caller]
pub(crate) fn all_cases<T>(cases: impl IntoIterator<Item = T>, check: impl Fn(T) -> Result<(), String>) {
    let (mut count, mut failures) = (0, Vec::new());
    for case in cases {
        count += 1;
        failures.extend(check(case).err());
    }
    assert!(count > 0, "an empty table checks nothing");
    assert!(failures.is_empty(), "{} of {count} cases failed:\n{}", failures.len(), failures.join("\n"));
}

/// A case's verdict: `Err` with the story unless the two are equal.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(case: &str, found: T, expected: T) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{case}: expected {expected:?}, found {found:?}")) }
}

/// A case's verdict: `Err` with the story unless it holds.
pub(crate) fn holds(case: &str, condition: bool, found: impl std::fmt::Display) -> Result<(), String> {
    if condition { Ok(()) } else { Err(format!("{case}: {found}")) }
}

/// A case's verdict on an error that the API must answer.
pub(crate) fn refused(case: &str, response: &Response, status: u16, code: &str) -> Result<(), String> {
    if response.status < 400 {
        return Err(format!("{case}: expected {status} {code}, found {}: {}", response.status, response.text()));
    }
    let (found, _) = response.envelope();
    same(case, (response.status, found.as_str()), (status, code))
}

/// A case's verdict on a refused value: the details must name the field.
pub(crate) fn refused_field(case: &str, response: &Response, field: &str) -> Result<(), String> {
    refused(case, response, 400, "VALIDATION_ERROR")?;
    same(case, response.envelope().1["field"].as_str().unwrap_or_default(), field)
}

/// Checks a point in time: UTC, fixed width, milliseconds.
#[track_caller]
pub(crate) fn check_time(value: &Value) {
    let time = text(value);
    let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000Z", "{time}");
}

/// Checks an id: a version 7 UUID in its usual spelling.
#[track_caller]
pub(crate) fn check_id(value: &Value) {
    let id = text(value);
    let widths: Vec<usize> = id.split('-').map(str::len).collect();
    assert_eq!(widths, [8, 4, 4, 4, 12], "{id}");
    assert!(id.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f' | '-')), "{id}");
    assert_eq!(id.chars().nth(14), Some('7'), "not version 7: {id}");
}

/// Checks that an object has exactly these members; those that end in `?` may be absent.
#[track_caller]
pub(crate) fn check_members(value: &Value, members: &[&str]) {
    let object = value.as_object().unwrap_or_else(|| panic!("not an object: {value}"));
    for member in members.iter().filter(|member| !member.ends_with('?')) {
        assert!(object.contains_key(*member), "{member} is missing: {value}");
    }
    for member in object.keys() {
        let known = members.iter().any(|name| name.trim_end_matches('?') == member);
        assert!(known, "{member} is not in the contract: {value}");
    }
}

const EXECUTION: [&str; 14] = [
    "id",
    "session_id",
    "kind",
    "input?",
    "path?",
    "args",
    "env",
    "status",
    "started_at",
    "ended_at?",
    "result?",
    "error?",
    "metrics",
    "events?",
];

/// Checks what is true of every execution, in any status, with or without its events.
#[track_caller]
pub(crate) fn check_summary(execution: &Value) {
    check_members(execution, &EXECUTION);
    check_id(&execution["id"]);
    check_id(&execution["session_id"]);
    check_time(&execution["started_at"]);
    assert!(execution["args"].is_object() && execution["env"].is_object(), "{execution}");
    check_members(&execution["metrics"], &["wall_ms", "cpu_ms", "memory_bytes", "event_count", "output_bytes"]);
    assert!(execution["metrics"].as_object().unwrap().values().all(Value::is_u64), "{}", execution["metrics"]);
    let (own, other) = if execution["kind"] == "repl" { ("input", "path") } else { ("path", "input") };
    assert!(["repl", "run_file", "startup"].contains(&execution["kind"].as_str().unwrap()), "{execution}");
    assert!(execution[own].is_string() && execution.get(other).is_none(), "{own} and no {other}: {execution}");
    let status = text(&execution["status"]);
    assert!(["running", "ok", "error", "timeout", "cancelled"].contains(&status.as_str()), "{execution}");
    assert_eq!(execution.get("result").is_some(), status == "ok", "a result comes with ok, and only then: {execution}");
    let failed = !["running", "ok"].contains(&status.as_str());
    assert_eq!(execution.get("error").is_some(), failed, "an error comes with a failure, and only then: {execution}");
    assert_eq!(execution.get("ended_at").is_some(), status != "running", "{execution}");
}

/// Checks what is true of every execution that has ended and is shown with its events.
#[track_caller]
pub(crate) fn check_execution(execution: &Value) {
    check_summary(execution);
    check_time(&execution["ended_at"]);
    assert!(text(&execution["started_at"]) <= text(&execution["ended_at"]), "{execution}");
    let events = execution["events"].as_array().unwrap_or_else(|| panic!("no events: {execution}"));
    assert_eq!(execution["metrics"]["event_count"], events.len(), "event_count: {execution}");
    for (index, event) in events.iter().enumerate() {
        check_members(event, &["execution_id", "seq", "ts", "type", "payload"]);
        assert_eq!(event["execution_id"], execution["id"]);
        assert_eq!(event["seq"], index + 1, "a gap: {execution}");
        check_time(&event["ts"]);
        assert!(index == 0 || text(&events[index - 1]["ts"]) <= text(&event["ts"]), "time runs backwards: {execution}");
    }
    let echo = execution.get("input").or(execution.get("path")).unwrap();
    assert_eq!(events[0]["type"], "input_echo", "{execution}");
    assert_eq!(events[0]["payload"], json!({ "text": echo }));
    check_ending(execution, events);
}

/// Checks that the last event, and only the last, says how the execution ended, and says the same as the execution.
#[track_caller]
fn check_ending(execution: &Value, events: &[Value]) {
    let (last, before) = events.split_last().unwrap();
    for event in before {
        assert!(
            !["value", "exception"].contains(&event["type"].as_str().unwrap()),
            "an end before the end: {execution}"
        );
    }
    let code = execution["error"]["code"].as_str();
    match execution["status"].as_str().unwrap() {
        "ok" => {
            assert_eq!(last["type"], "value", "{execution}");
            assert_eq!(last["payload"], execution["result"], "{execution}");
            check_members(&execution["result"], &["type", "preview", "json?", "tree?"]);
        }
        "timeout" | "cancelled" => {
            assert_eq!(last["type"], "system", "{execution}");
            let expected = if execution["status"] == "timeout" { "TIMEOUT" } else { "CANCELLED" };
            assert_eq!(code, Some(expected), "{execution}");
            assert_eq!(last["payload"]["code"], expected, "{execution}");
        }
        _ => {
            assert!(["exception", "system"].contains(&last["type"].as_str().unwrap()), "{execution}");
            assert!(!text(&execution["error"]["message"]).is_empty(), "{execution}");
            if last["type"] == "exception" {
                check_members(&last["payload"], &["message", "stack?", "name?"]);
                for member in ["message", "stack", "name"] {
                    assert_eq!(last["payload"].get(member), execution["error"].get(member), "{member}: {execution}");
                }
            }
        }
    }
    if last["type"] == "system" {
        check_members(&last["payload"], &["level", "message", "code?"]);
        assert!(["info", "warn", "error"].contains(&last["payload"]["level"].as_str().unwrap()), "{execution}");
    }
    if let Some(error) = execution.get("error") {
        check_members(error, &["message", "stack?", "name?", "code?"]);
    }
}

/// What a process left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The output of a process that must have ended with this code.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        self
    }

    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}

/// Runs a process to its end; one that does not come to it is killed, and the test fails.
#[track_caller]
pub(crate) fn run(mut command: Command, limit: Duration) -> Ran {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    let start = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if start.elapsed() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
                panic!("{command:?} was still running after {limit:?}\n{stdout}\n{stderr}");
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    };
    Ran { code: status.code(), stdout: stdout.join().unwrap(), stderr: stderr.join().unwrap() }
}

fn collect(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// The names in a directory, sorted.
pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}
