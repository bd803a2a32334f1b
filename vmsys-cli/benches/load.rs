//! The daemon under load, as a process of its own: calls a second and their latency, `/health` beside hostile code, how
//! soon a cancel is answered, and what thousands of sessions leave behind.
//!
//! The clients run on the same machine, and share its processors with the daemon.
#![expect(clippy::print_stdout, reason = "a bench reports")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run stops")]

use std::collections::HashSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

const CLIENTS: usize = 64;
const SESSIONS: usize = 200;
const LOAD: Duration = Duration::from_secs(20);
const HOSTILE: usize = 64;
const HOSTILE_LOAD: Duration = Duration::from_secs(10);
const CANCELS: usize = 200;
const CHURN: usize = 5_000;

/// What hostile sessions do; the last ones never let the engine interrupt them.
const HOSTILE_CODE: [&str; 8] = [
    "for (;;) {}",
    "for (;;) new Promise(() => { for (;;) {} })",
    "const f = () => { try { f() } catch {} ; f() }; f()",
    "const a = []; for (;;) a.push(new Array(1000).fill(1))",
    "(function f() { Promise.resolve().then(f) })()",
    "for (;;) { try { JSON.parse('['.repeat(1e5)) } catch {} }",
    "for (;;) 'a'.repeat(1e6).split('')",
    "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
];

fn main() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file.js"), "let sum = 0; for (const n of [1, 2, 3]) sum += n; sum").unwrap();
    mixed(directory.path());
    cancels(directory.path());
    health_beside_hostile_code(directory.path());
    churn(directory.path());
}

fn mixed(directory: &Path) {
    let daemon = Daemon::start(directory, "mixed");
    let mut client = daemon.connect();
    let template = client.template(json!({}));
    let sessions: Vec<String> = (0..SESSIONS).map(|_| client.session(&template, directory)).collect();
    let (started, totals) = (Instant::now(), Mutex::new(Totals::default()));
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (daemon, sessions, totals, template) = (&daemon, &sessions, &totals, &template);
            scope.spawn(move || {
                let mut dice = fastrand::Rng::with_seed(number as u64);
                let mut client = daemon.connect();
                let mut own = Totals::default();
                let mut last = String::new();
                while started.elapsed() < LOAD {
                    step(&mut client, &mut dice, sessions, template, directory, &mut own, &mut last);
                }
                totals.lock().unwrap().add(own);
            });
        }
    });
    let elapsed = started.elapsed().as_secs_f64();
    let totals = totals.into_inner().unwrap();
    let calls: usize = totals.statuses.iter().map(|(_, count)| count).sum();
    println!("{CLIENTS} clients, {SESSIONS} sessions, {} s", LOAD.as_secs());
    println!("  calls a second        {:8.0} (budget: at least 3000)", calls as f64 / elapsed);
    println!("  answers               {:?}", totals.statuses);
    report("  repl", &totals.repl, Some(60.0));
    report("  all calls", &totals.all, None);

    let mut stored = HashSet::new();
    for session in &sessions {
        let mut before = String::new();
        loop {
            let page = client.call("GET", &format!("/executions?session_id={session}&limit=1000{before}"), None).1;
            let page = page.as_array().unwrap().clone();
            stored.extend(page.iter().map(|execution| execution["id"].as_str().unwrap().to_owned()));
            let Some(last) = page.last() else { break };
            before = format!("&before={}", last["id"].as_str().unwrap());
        }
    }
    let lost = totals.acknowledged.iter().filter(|id| !stored.contains(*id)).count();
    println!("  acknowledged          {:8}, {lost} of them lost", totals.acknowledged.len());
    let server_errors = totals.statuses.iter().filter(|(status, _)| *status >= 500).count();
    assert_eq!((lost, server_errors), (0, 0));
}

/// One call of a client: mostly code, beside it what people and agents look at meanwhile.
fn step(
    client: &mut Client,
    dice: &mut fastrand::Rng,
    sessions: &[String],
    template: &str,
    directory: &Path,
    totals: &mut Totals,
    last: &mut String,
) {
    let session = &sessions[dice.usize(..sessions.len())];
    let repl = |input: &str| json!({ "session_id": session, "input": input });
    let choice = dice.u32(0..100);
    let begun = Instant::now();
    let (status, answer) = match choice {
        0..55 => client.call("POST", "/executions/repl", Some(repl("globalThis.n = (globalThis.n ?? 0) + 1"))),
        55..60 => {
            client.call("POST", "/executions/repl", Some(repl("console.log('a', { n: 1 }); [1, 2, 3].map(String)")))
        }
        60..65 => {
            client.call("POST", "/executions/run-file", Some(json!({ "session_id": session, "path": "file.js" })))
        }
        65..70 => {
            let mut body = repl("1 + 1");
            body["detach"] = true.into();
            client.call("POST", "/executions/repl", Some(body))
        }
        70..80 if !last.is_empty() => client.call("GET", &format!("/executions/{last}"), None),
        80..85 if !last.is_empty() => client.call("GET", &format!("/executions/{last}/events"), None),
        85..89 => client.call("GET", &format!("/executions?session_id={session}&limit=10"), None),
        89..92 => client.call("GET", &format!("/sessions/{session}"), None),
        92..94 => client.call("GET", "/sessions?limit=10", None),
        94..96 => client.call("GET", "/runtime/summary", None),
        96 => {
            let session = client.session(template, directory);
            client.call("POST", &format!("/sessions/{session}/close"), None)
        }
        _ => client.call("GET", "/health", None),
    };
    let took = begun.elapsed();
    totals.count(status);
    totals.all.push(took);
    if choice < 70 {
        totals.repl.push(took);
        if let (201 | 202, Some(id)) = (status, answer["id"].as_str()) {
            id.clone_into(last);
            totals.acknowledged.push(id.to_owned());
        }
    }
}

fn cancels(directory: &Path) {
    let daemon = Daemon::start(directory, "cancels");
    let mut client = daemon.connect();
    let template = client.template(json!({ "limits": { "cpu_ms": 60000, "wall_ms": 60000 } }));
    let session = client.session(&template, directory);
    let mut times = Vec::new();
    for round in 0..CANCELS {
        let input = format!("globalThis.kept = {round}; for (;;) {{}}");
        let body = json!({ "session_id": session, "input": input, "detach": true });
        let id = client.call("POST", "/executions/repl", Some(body)).1["id"].as_str().unwrap().to_owned();
        thread::sleep(Duration::from_millis(3));
        let begun = Instant::now();
        let (status, answer) = client.call("POST", &format!("/executions/{id}/cancel"), None);
        times.push(begun.elapsed());
        assert_eq!((status, &answer["status"]), (200, &json!("cancelled")), "{answer}");
        let kept = client.call("POST", "/executions/repl", Some(json!({ "session_id": session, "input": "kept" })));
        assert_eq!(kept.1["result"]["json"], round, "{}", kept.1);
    }
    println!("cancels of a busy loop, one after the other");
    report("  cancel", &times, None);
    println!("  median                {:8.1} ms (budget 50)", millis(quantile(&mut times, 0.5)));
}

fn health_beside_hostile_code(directory: &Path) {
    let daemon = Daemon::start(directory, "hostile");
    let mut client = daemon.connect();
    let template = client.template(json!({ "limits": { "cpu_ms": 60000, "wall_ms": 60000, "mem_mb": 32 } }));
    for number in 0..HOSTILE {
        let session = client.session(&template, directory);
        let code = HOSTILE_CODE[number % HOSTILE_CODE.len()];
        client.call("POST", "/executions/repl", Some(json!({ "session_id": session, "input": code, "detach": true })));
    }
    let (started, mut times) = (Instant::now(), Vec::new());
    while started.elapsed() < HOSTILE_LOAD {
        let begun = Instant::now();
        let (status, _) = client.call("GET", "/health", None);
        assert_eq!(status, 200);
        times.push(begun.elapsed());
        thread::sleep(Duration::from_millis(5));
    }
    println!("/health while {HOSTILE} hostile sessions run");
    report("  health", &times, Some(50.0));
}

fn churn(directory: &Path) {
    let daemon = Daemon::start(directory, "churn");
    let mut client = daemon.connect();
    let template = client.template(json!({}));
    let round = |client: &mut Client, count: usize| {
        for _ in 0..count {
            let session = client.session(&template, directory);
            client.call("POST", "/executions/repl", Some(json!({ "session_id": session, "input": "1 + 1" })));
            let (status, _) = client.call("POST", &format!("/sessions/{session}/close"), None);
            assert_eq!(status, 200);
        }
    };
    round(&mut client, CHURN / 10);
    let before = client.call("GET", "/runtime/stats", None).1["process"].clone();
    let begun = Instant::now();
    round(&mut client, CHURN);
    let each = begun.elapsed() / CHURN as u32;
    let after = client.call("GET", "/runtime/stats", None).1["process"].clone();
    let change = |name: &str| after[name].as_i64().unwrap() - before[name].as_i64().unwrap();
    println!("{CHURN} sessions created, used and closed: {:.2} ms each", millis(each));
    println!("  memory grew by        {:8.2} MB (budget 8)", change("resident_bytes") as f64 / 1e6);
    println!("  threads left {}, files left {}", change("threads"), change("open_files"));
}

/// What clients were answered.
#[derive(Default)]
struct Totals {
    statuses: Vec<(u16, usize)>,
    repl: Vec<Duration>,
    all: Vec<Duration>,
    acknowledged: Vec<String>,
}

impl Totals {
    fn count(&mut self, status: u16) {
        match self.statuses.iter_mut().find(|(other, _)| *other == status) {
            Some((_, count)) => *count += 1,
            None => self.statuses.push((status, 1)),
        }
    }

    fn add(&mut self, other: Self) {
        for (status, count) in other.statuses {
            (0..count).for_each(|_| self.count(status));
        }
        self.repl.extend(other.repl);
        self.all.extend(other.all);
        self.acknowledged.extend(other.acknowledged);
    }
}

fn report(name: &str, times: &[Duration], budget_ms: Option<f64>) {
    let mut times = times.to_vec();
    let [p50, p99, most] = [0.5, 0.99, 1.0].map(|part| millis(quantile(&mut times, part)));
    let budget = budget_ms.map_or(String::new(), |budget| format!(" (budget for p99: {budget})"));
    println!("{name:22}  p50 {p50:.1} ms, p99 {p99:.1} ms, most {most:.1} ms{budget}");
}

fn quantile(times: &mut [Duration], part: f64) -> Duration {
    times.sort_unstable();
    times[((times.len() as f64 * part).ceil() as usize).clamp(1, times.len()) - 1]
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A daemon of its own for each part.
struct Daemon {
    child: Child,
    address: SocketAddr,
}

impl Daemon {
    fn start(directory: &Path, name: &str) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_vm-system"))
            .args(["serve", "--listen", "127.0.0.1:0", "--log-level", "warn", "--db"])
            .arg(directory.join(name).with_extension("db"))
            .current_dir(directory)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let first = log.next().unwrap().unwrap();
        let address = first.rsplit_once("http://").unwrap().1.parse().unwrap();
        thread::spawn(move || log.for_each(drop));
        Self { child, address }
    }

    fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_nodelay(true).unwrap();
        Client { stream: BufReader::new(stream), address: self.address }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// One connection that is kept alive.
struct Client {
    stream: BufReader<TcpStream>,
    address: SocketAddr,
}

impl Client {
    fn call(&mut self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let content = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let request = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: {}\r\n{content}Content-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim().split_once(": ") else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap();
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).unwrap();
        (status, serde_json::from_slice(&answer).unwrap_or(Value::Null))
    }

    fn template(&mut self, mut body: Value) -> String {
        body["name"] = "load".into();
        self.call("POST", "/templates", Some(body)).1["id"].as_str().unwrap().to_owned()
    }

    fn session(&mut self, template: &str, directory: &Path) -> String {
        let body = json!({
            "template_id": template, "workspace_id": "w", "base_commit_oid": "c", "worktree_path": directory,
        });
        let (status, answer) = self.call("POST", "/sessions", Some(body));
        assert_eq!(status, 201, "{answer}");
        answer["id"].as_str().unwrap().to_owned()
    }
}
