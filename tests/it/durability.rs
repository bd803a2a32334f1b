//! What is acknowledged stays: across `kill -9`, across a shutdown in the middle of work, and against bad databases.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::Connection as Database;
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::http::{Connection, Request};
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
    let sessions = array(daemon.get("/sessions?limit=1000").ok(200));
    assert_eq!(daemon.active(), [""; 0]);
    for session in &sessions {
        assert!(["closed", "crashed"].contains(&session["status"].as_str().unwrap()), "{session}");
        for summary in daemon.executions(&text(&session["id"])) {
            check_summary(&summary);
            assert_ne!(summary["status"], "running", "{summary}");
        }
    }
}

/// Posts snippets over one connection until the daemon is gone. Answers what was acknowledged.
fn post_until_killed(daemon: &Daemon, session: &str) -> Vec<Value> {
    let mut acknowledged = Vec::new();
    let Ok(mut connection) = Connection::open(daemon.address) else { return acknowledged };
    for n in 0.. {
        let input = format!("for (let i = 0; i < {}; i++) console.log('line', i); {n}", n % 7);
        let body = json!({ "session_id": session, "input": input }).to_string();
        match connection.call(&Request::new("POST", api("/executions/repl")).json(body)) {
            Ok(response) => acknowledged.push(response.ok(201)),
            Err(_) => break,
        }
    }
    acknowledged
}

/// Lets clients work, kills the daemon at some moment, and answers what they had been told until then.
fn work_until_killed(home: &Arc<Home>, dice: &mut Dice) -> Vec<Value> {
    let mut daemon = Daemon::at(home);
    let template = daemon.template(json!({}));
    let sessions: Vec<String> = (0..3).map(|_| daemon.session_of(&template)).collect();
    let busy = daemon.session_of(&template);
    let moment = Duration::from_millis(20 + dice.below(400));
    let acknowledged = thread::scope(|scope| {
        let clients: Vec<_> =
            sessions.iter().map(|session| scope.spawn(|| post_until_killed(&daemon, session))).collect();
        // One that is still running when the end comes; it is not answered, or not with success.
        scope.spawn(|| {
            let body = json!({ "session_id": busy, "input": "console.log('long'); while (true) {}" }).to_string();
            let _ = daemon.connect().call(&Request::new("POST", api("/executions/repl")).json(body));
        });
        // The one sleep whose length matters: it is what makes the moment a random one.
        thread::sleep(moment);
        daemon.signal(Signal::KILL);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    daemon.kill();
    acknowledged
}

#[test]
fn what_is_acknowledged_survives_a_kill() {
    let home = Home::new();
    let mut dice = Dice::new();
    let mut acknowledged: Vec<Value> = Vec::new();
    for round in 0..20 {
        let fresh = work_until_killed(&home, &mut dice);
        let mut daemon = Daemon::at(&home);
        for execution in &fresh {
            check_execution(execution);
            assert_eq!(&daemon.execution(&text(&execution["id"])), execution, "round {round}");
        }
        check_all_at_rest(&daemon);
        acknowledged.extend(fresh);
        daemon.stop();
        check_integrity(&home);
    }
    assert!(acknowledged.len() > 100, "only {} executions were tried", acknowledged.len());
    // Recovery of a later round must not touch what an earlier one had.
    let daemon = Daemon::at(&home);
    for execution in acknowledged.iter().step_by(7) {
        assert_eq!(&daemon.execution(&text(&execution["id"])), execution);
    }
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
