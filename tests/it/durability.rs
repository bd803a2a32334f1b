//! What is acknowledged stays: across `kill -9`, across a shutdown in the middle of work, and against bad databases.

use std::cell::RefCell;
use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::Connection as Database;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::http::{Connection, Request, Response};
use crate::support::{
    Daemon, Home, api, array, check_execution, check_summary, console, events_of, pluck, run, serve, text, wait_for,
};

/// A daemon that cannot start says so at once.
const REFUSAL: Duration = Duration::from_secs(20);

/// Numbers that differ from run to run; the seed is printed, so that a failure can be had again.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let seed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64 | 1;
        eprintln!("seed {seed}");
        Self(seed)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// One number of the database, such as a pragma's.
fn ask<T: rusqlite::types::FromSql>(db: &Path, question: &str) -> T {
    Database::open(db).unwrap().query_row(question, [], |row| row.get(0)).unwrap()
}

#[track_caller]
pub(crate) fn check_integrity(home: &Home) {
    assert_eq!(ask::<String>(&home.db(), "PRAGMA integrity_check"), "ok");
    let database = Database::open(home.db()).unwrap();
    let orphans = database.prepare("PRAGMA foreign_key_check").unwrap().query([]).unwrap().next().unwrap().is_some();
    assert!(!orphans, "a row refers to what is not there");
}

/// Nothing that is stored claims to be alive, and everything that is stored is whole.
#[track_caller]
fn check_all_at_rest(daemon: &Daemon) {
    check_newest_at_rest(daemon, 1000);
}

/// The same of so many sessions, the newest.
#[track_caller]
fn check_newest_at_rest(daemon: &Daemon, count: usize) {
    let sessions = array(daemon.get(&format!("/sessions?limit={count}")).ok(200));
    assert_eq!(daemon.active(), [""; 0]);
    for session in &sessions {
        assert!(["closed", "crashed"].contains(&session["status"].as_str().unwrap()), "{session}");
        for summary in daemon.executions(&text(&session["id"])) {
            check_summary(&summary);
            assert_ne!(summary["status"], "running", "{summary}");
        }
    }
}

/// How long a reader may have seen an event before it is on disk, where a thread that is due runs and a disk that is asked
/// answers. What this machine adds to that is measured: [`delay`].
const FLUSHED: Duration = Duration::from_millis(100);

/// How much is tried: `VMSYS_TEST_KILLS` and `VMSYS_TEST_ACKNOWLEDGEMENTS` ask for more.
struct Size {
    kills: u64,
    acknowledgements: u64,
}

impl Size {
    fn asked() -> Self {
        let asked = |variable: &str| std::env::var(variable).ok().map(|number| number.parse().unwrap());
        Self {
            kills: asked("VMSYS_TEST_KILLS").unwrap_or(20),
            acknowledgements: asked("VMSYS_TEST_ACKNOWLEDGEMENTS").unwrap_or(1_000),
        }
    }
}

/// What clients were told of an execution before the daemon was killed.
enum Told {
    /// How it ended.
    Ended(Value),
    /// That it runs.
    Started(String),
    /// How it ended, to a request under a key.
    Keyed { key: String, body: String, ended: Value },
    /// Its first so many events, long enough ago.
    Events(String, Vec<Value>),
}

/// The clients of a daemon that will be killed.
struct Clients<'a> {
    daemon: &'a Daemon,
    acknowledged: &'a AtomicU64,
}

impl Clients<'_> {
    /// Sends requests over one connection until the daemon is gone, and collects what `tell` makes of the answers.
    fn until_killed(
        &self,
        mut request: impl FnMut(u64) -> Request,
        mut tell: impl FnMut(u64, &Response) -> Option<Told>,
    ) -> Vec<Told> {
        let mut told = Vec::new();
        let Ok(mut connection) = Connection::open(self.daemon.address) else { return told };
        for n in 0.. {
            let Ok(response) = connection.call(&request(n)) else { break };
            if let Some(news) = tell(n, &response) {
                self.acknowledged.fetch_add(1, Ordering::Relaxed);
                told.push(news);
            }
        }
        told
    }

    fn waits(&self, session: &str) -> Vec<Told> {
        self.until_killed(
            |n| Request::new("POST", api("/executions/repl")).json(snippet(session, n, false)),
            |_, response| Some(Told::Ended(response.ok(201))),
        )
    }

    fn has_keys(&self, session: &str) -> Vec<Told> {
        let key = |n| format!("{session} {n}");
        self.until_killed(
            |n| {
                let body = snippet(session, n, false);
                Request::new("POST", api("/executions/repl")).header("Idempotency-Key", key(n)).json(body)
            },
            |n, response| Some(Told::Keyed { key: key(n), body: snippet(session, n, false), ended: response.ok(201) }),
        )
    }

    /// Starts one, and asks for it until it has ended: both are acknowledgements.
    fn does_not_wait(&self, session: &str) -> Vec<Told> {
        let running: RefCell<Option<String>> = RefCell::default();
        self.until_killed(
            |n| match &*running.borrow() {
                Some(id) => Request::new("GET", api(&format!("/executions/{id}"))),
                None => Request::new("POST", api("/executions/repl")).json(snippet(session, n, true)),
            },
            |_, response| {
                let execution = response.ok(if running.borrow().is_some() { 200 } else { 202 });
                let id = text(&execution["id"]);
                match (running.take(), execution["status"] == "running") {
                    (None, _) => {
                        running.replace(Some(id.clone()));
                        Some(Told::Started(id))
                    }
                    (Some(_), false) => Some(Told::Ended(execution)),
                    (Some(_), true) => {
                        running.replace(Some(id));
                        None
                    }
                }
            },
        )
    }

    /// Runs something that does not end, and reads along. Answers what was read, and when.
    fn reads_along(&self, session: &str) -> Option<(String, Vec<(Instant, Value)>)> {
        let mut connection = Connection::open(self.daemon.address).ok()?;
        let input = "for (let i = 0; ; i++) { console.log('long', i); await new Promise(r => setTimeout(r, 3)) }";
        let body = json!({ "session_id": session, "input": input, "detach": true }).to_string();
        let response = connection.call(&Request::new("POST", api("/executions/repl")).json(body)).ok()?;
        let id = text(&response.ok(202)["id"]);
        let mut seen = Vec::new();
        loop {
            let path = format!("/executions/{id}/events?after_seq={}&wait_ms=1000", seen.len());
            let Ok(response) = connection.call(&Request::new("GET", api(&path))) else { break };
            seen.extend(array(response.ok(200)).into_iter().map(|event| (Instant::now(), event)));
        }
        Some((id, seen))
    }
}

/// Does what the daemon does to write events, a pause and a commit, until told to stop. Answers the longest delay.
fn delay(directory: &Path, stop: &AtomicBool) -> Duration {
    const PAUSE: Duration = Duration::from_millis(50);
    let mut longest = Duration::ZERO;
    let mut file = fs::File::create(directory.join("delay")).unwrap();
    while !stop.load(Ordering::Relaxed) {
        let began = Instant::now();
        thread::sleep(PAUSE);
        file.write_all(&[0; 4096]).and_then(|()| file.sync_data()).unwrap();
        longest = longest.max(began.elapsed() - PAUSE);
    }
    longest
}

fn snippet(session: &str, n: u64, detach: bool) -> String {
    let input = format!("for (let i = 0; i < {}; i++) console.log('line', i); {n}", n % 7);
    json!({ "session_id": session, "input": input, "detach": detach }).to_string()
}

/// Lets clients work, kills the daemon some time after it has acknowledged so much, and answers what they had been told.
fn work_until_killed(home: &Arc<Home>, enough: u64, dice: &mut Dice) -> Vec<Told> {
    let mut daemon = Daemon::at(home);
    let template = daemon.template(json!({ "limits": { "wall_ms": 600_000 } }));
    let sessions: Vec<String> = (0..12).map(|_| daemon.session_of(&template)).collect();
    let busy = daemon.session_of(&template);
    let (acknowledged, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let clients = Clients { daemon: &daemon, acknowledged: &acknowledged };
    let mut told = thread::scope(|scope| {
        let clients = &clients;
        let mut working = Vec::new();
        for (number, session) in sessions[..11].iter().enumerate() {
            working.push(scope.spawn(move || match number % 4 {
                0 | 1 => clients.waits(session),
                2 => clients.has_keys(session),
                _ => clients.does_not_wait(session),
            }));
        }
        let delayed = scope.spawn(|| delay(&home.root(), &stop));
        let reading = scope.spawn(|| clients.reads_along(&sessions[11]));
        // One that is still running when the end comes; it is not answered, or not with success.
        scope.spawn(|| {
            let body = json!({ "session_id": busy, "input": "while (true) {}" }).to_string();
            let _ = daemon.connect().call(&Request::new("POST", api("/executions/repl")).json(body));
        });
        wait_for("enough acknowledgements", Duration::from_secs(120), || {
            (acknowledged.load(Ordering::Relaxed) >= enough).then_some(())
        });
        // The one sleep whose length matters: it is what makes the moment a random one.
        thread::sleep(Duration::from_micros(dice.below(600_000)));
        let killed = Instant::now();
        daemon.signal(Signal::KILL);
        let mut told: Vec<Told> = working.into_iter().flat_map(|client| client.join().unwrap()).collect();
        stop.store(true, Ordering::Relaxed);
        // The daemon's threads are woken several times for one commit.
        let flushed = FLUSHED + 4 * delayed.join().unwrap();
        if let Some((id, seen)) = reading.join().unwrap() {
            let long_ago = seen.into_iter().filter(|(when, _)| *when + flushed < killed).map(|(_, event)| event);
            told.extend([Told::Started(id.clone()), Told::Events(id, long_ago.collect())]);
        }
        told
    });
    daemon.kill();
    told.retain(|told| !matches!(told, Told::Events(_, events) if events.is_empty()));
    told
}

/// What clients were told must be what the next daemon says.
#[track_caller]
fn check_told(daemon: &Daemon, told: &Told) {
    match told {
        Told::Ended(execution) => {
            check_execution(execution);
            assert_eq!(&daemon.execution(&text(&execution["id"])), execution);
        }
        Told::Started(id) => check_execution(&daemon.execution(id)),
        Told::Keyed { key, body, ended } => {
            check_execution(ended);
            let request = Request::new("POST", api("/executions/repl")).header("Idempotency-Key", key);
            assert_eq!(&daemon.send(&request.json(body.as_str())).ok(201), ended, "it is not run again");
            assert_eq!(&daemon.execution(&text(&ended["id"])), ended);
        }
        Told::Events(id, events) => {
            let stored = daemon.execution(id);
            check_execution(&stored);
            let stored = stored["events"].as_array().unwrap();
            let lost = events.len().saturating_sub(stored.len());
            assert!(stored.starts_with(events), "{lost} of {} events are lost that somebody had read", events.len());
        }
    }
}

#[test]
fn what_is_acknowledged_survives_a_kill() {
    let size = Size::asked();
    let home = Home::new();
    let mut dice = Dice::new();
    let (mut told, mut kills) = (Vec::new(), 0);
    while kills < size.kills || (told.len() as u64) < size.acknowledgements {
        let fresh = work_until_killed(&home, dice.below(2 * size.acknowledgements.div_ceil(size.kills)), &mut dice);
        let mut daemon = Daemon::at(&home);
        fresh.iter().for_each(|told| check_told(&daemon, told));
        check_newest_at_rest(&daemon, 20);
        told.extend(fresh);
        kills += 1;
        daemon.stop();
        check_integrity(&home);
    }
    // Recovery of a later round must not touch what an earlier one had.
    let daemon = Daemon::at(&home);
    told.iter().step_by(7).for_each(|told| check_told(&daemon, told));
    let events: usize = told.iter().map(|told| if let Told::Events(_, events) = told { events.len() } else { 0 }).sum();
    eprintln!("{kills} kills, {} acknowledgements, and {events} events read: none is lost", told.len());
}

/// The sessions and the one unfinished execution of a daemon that is gone, as its successor shows them.
#[track_caller]
fn check_recovered(daemon: &Daemon, session: &str, execution: &str) {
    let record = daemon.session_record(session);
    assert_eq!(record["status"], "closed", "{record}");
    let ended = daemon.execution(execution);
    check_execution(&ended);
    assert_eq!(ended["status"], "cancelled", "{ended}");
    assert_eq!(events_of(&ended, "system").len(), 1, "it says why: {ended}");
    daemon.post_repl(session, "1").error(409, "SESSION_NOT_READY");
    daemon.poke(&format!("/executions/{execution}/cancel")).error(409, "EXECUTION_NOT_RUNNING");
    check_all_at_rest(daemon);
}

#[test]
fn an_unfinished_execution_is_cancelled_by_the_next_daemon() {
    let home = Home::new();
    let mut daemon = Daemon::at(&home);
    let session = daemon.session();
    let kept = daemon.repl(&session, "'kept'");
    let body = json!({ "session_id": session, "input": "console.log('seen'); while (true) {}" }).to_string();
    let mut connection = daemon.connect();
    connection.send(&Request::new("POST", api("/executions/repl")).json(body)).unwrap();
    let id = daemon.running_execution(&session);
    wait_for("the line to be readable", Duration::from_secs(10), || {
        (array(daemon.get(&format!("/executions/{id}/events")).ok(200)).len() >= 2).then_some(())
    });
    // What a reader has seen is on disk at most 100 ms later.
    thread::sleep(Duration::from_millis(500));
    daemon.kill();
    drop(connection);

    let daemon = Daemon::at(&home);
    check_recovered(&daemon, &session, &id);
    assert_eq!(console(&daemon.execution(&id)), ["seen"]);
    assert!(!text(&daemon.session_record(&session)["last_error"]).is_empty(), "it says why");
    assert_eq!(daemon.execution(&text(&kept["id"])), kept);
}

#[test]
fn a_shutdown_ends_what_runs_and_stores_it() {
    for signal in [Signal::TERM, Signal::INT] {
        let home = Home::new();
        let mut daemon = Daemon::at(&home);
        let template = daemon.template(json!({}));
        let (session, idle) = (daemon.session_of(&template), daemon.session_of(&template));
        // Kept open and silent: it must not hold up the end.
        let mut silent = daemon.connect();
        silent.call(&Request::new("GET", api("/health"))).unwrap().ok(200);
        let body = json!({ "session_id": session, "input": "console.log('seen'); while (true) {}" }).to_string();
        let mut waiting = daemon.connect();
        waiting.send(&Request::new("POST", api("/executions/repl")).json(body)).unwrap();
        let id = daemon.running_execution(&session);
        daemon.signal(signal);
        let status = daemon.wait(Duration::from_secs(10));
        assert_eq!(status.code(), Some(0), "after {signal:?}; its log:\n{}", daemon.log());
        if let Ok(answer) = waiting.receive("POST") {
            match answer.status {
                201 => assert_eq!(answer.json()["status"], "cancelled"),
                _ => drop(answer.error(503, "SHUTTING_DOWN")),
            }
        }
        check_integrity(&home);

        let daemon = Daemon::at(&home);
        check_recovered(&daemon, &session, &id);
        assert_eq!(console(&daemon.execution(&id)), ["seen"]);
        assert_eq!(daemon.session_record(&idle)["status"], "closed");
    }
}

#[test]
fn everything_reads_the_same_after_a_restart() {
    let home = Home::new();
    home.write("init.js", "console.log('init'); var seed = 1");
    let mut daemon = Daemon::at(&home);
    let template =
        daemon.template(json!({ "name": "kept é", "limits": { "cpu_ms": 777 }, "runtime": { "strict": true } }));
    daemon
        .post(&format!("/templates/{template}/startup-files"), &json!({ "path": "init.js", "order_index": 3 }))
        .ok(201);
    let session = daemon.session_of(&template);
    for input in
        ["({ a: [1, 'é\\u0000𝄞'] })", "undefined", "10n", "throw new Error('x')", "while (true) {}", "'\\ud800'"]
    {
        daemon.repl(&session, input);
    }
    daemon.delete(&format!("/sessions/{session}")).ok(200);
    let paths: Vec<String> = [
        "/templates".to_owned(),
        format!("/templates/{template}"),
        "/sessions".to_owned(),
        format!("/sessions/{session}"),
        format!("/executions?session_id={session}"),
    ]
    .into_iter()
    .chain(pluck(&daemon.executions(&session), "id").iter().map(|id| format!("/executions/{id}")))
    .collect();
    assert_eq!(paths.len(), 12);
    let read = |daemon: &Daemon| paths.iter().map(|path| daemon.get(path).ok(200)).collect::<Vec<Value>>();
    let before = read(&daemon);
    daemon.stop();
    assert_eq!(read(&Daemon::at(&home)), before);
}

/// Starts a daemon that must refuse: it ends with 1, says why on standard error, and does not panic.
#[track_caller]
fn refuses(command: Command, words: &[&str]) {
    let ran = run(command, REFUSAL).expect(1);
    assert_eq!(ran.stdout, "", "{ran:?}");
    for word in words {
        assert!(ran.stderr.to_lowercase().contains(&word.to_lowercase()), "no {word:?} in {ran:?}");
    }
    assert!(!ran.stderr.contains("listening on"), "{ran:?}");
}

#[test]
fn a_database_has_one_daemon() {
    let home = Home::new();
    let mut first = Daemon::at(&home);
    let session = first.session();
    refuses(home.serve(), &["vm.db", "in use"]);
    assert_eq!(first.preview(&session, "1 + 1"), "2", "the first one goes on");
    assert_eq!(first.session_record(&session)["status"], "ready", "and its sessions were not taken for stale");
    first.stop();
    Daemon::at(&home).get("/health").ok(200);
}

#[test]
fn a_port_has_one_daemon() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let home = Home::new();
    refuses(serve(&home.db(), &address), &[&address]);
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let home = Home::new();
    let garbage: Vec<u8> = (0..20_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    for content in [&garbage[..], b"SQLite format 3\0 and nothing more", b"just a text file that somebody needs"] {
        fs::write(home.db(), content).unwrap();
        refuses(home.serve(), &["vm.db"]);
        assert_eq!(fs::read(home.db()).unwrap(), content, "and nothing is written over it");
    }
}

#[test]
fn a_damaged_database_is_refused() {
    let home = Home::new();
    let mut daemon = Daemon::at(&home);
    daemon.session();
    daemon.stop();
    // The header stays, the table of tables behind it goes: no query can be answered.
    let mut bytes = fs::read(home.db()).unwrap();
    bytes[100..4096].fill(0xff);
    fs::write(home.db(), &bytes).unwrap();
    refuses(home.serve(), &["vm.db"]);
    assert_eq!(fs::read(home.db()).unwrap(), bytes, "it can still be repaired");
}

#[test]
fn a_newer_database_is_refused() {
    let home = Home::new();
    Daemon::at(&home).stop();
    let version: i64 = ask(&home.db(), "PRAGMA user_version");
    assert!(version > 0, "the database knows its version");
    Database::open(home.db()).unwrap().pragma_update(None, "user_version", version + 1).unwrap();
    refuses(home.serve(), &["vm.db", "newer"]);
    assert_eq!(ask::<i64>(&home.db(), "PRAGMA user_version"), version + 1, "and is not changed");
    Database::open(home.db()).unwrap().pragma_update(None, "user_version", version).unwrap();
    Daemon::at(&home).get("/health").ok(200);
}

#[test]
fn a_database_that_cannot_be_made_is_told() {
    let home = Home::new();
    refuses(serve(&home.root().join("missing/vm.db"), "127.0.0.1:0"), &["missing"]);
    refuses(serve(&home.worktree(), "127.0.0.1:0"), &["worktree"]);
}

#[test]
fn many_restarts_leave_one_sound_database() {
    let home = Home::new();
    let mut sessions = Vec::new();
    for _ in 0..5 {
        let mut daemon = Daemon::at(&home);
        sessions.push(daemon.session());
        daemon.repl(sessions.last().unwrap(), "console.log('x')");
        daemon.stop();
    }
    check_integrity(&home);
    let daemon = Daemon::at(&home);
    sessions.reverse();
    assert_eq!(pluck(&array(daemon.get("/sessions").ok(200)), "id"), sessions);
    check_all_at_rest(&daemon);
}
