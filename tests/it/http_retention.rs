//! How long history is kept: what goes, what stays, and what readers of it are told.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::Connection as Database;
use serde_json::{Value, json};

use crate::durability::check_integrity;
use crate::http::Request;
use crate::sse::Sse;
use crate::support::{Daemon, Home, api, array, pluck, text, wait_for};

/// Longer than anything here takes on a busy machine: only a test that has failed waits for so long.
const PATIENCE: Duration = Duration::from_secs(60);

fn keeping(home: &Arc<Home>, flag: &str, count: u32) -> Daemon {
    Daemon::with(home, |command| {
        command.arg(flag).arg(count.to_string());
    })
}

/// Runs snippets on one connection. Answers their ids, the newest last.
fn run_many(daemon: &Daemon, session: &str, count: usize) -> Vec<String> {
    let mut connection = daemon.connect();
    let mut run = |n: usize| {
        let body = json!({ "session_id": session, "input": format!("console.log('a'); {n}") }).to_string();
        text(&connection.call(&Request::new("POST", api("/executions/repl")).json(body)).unwrap().ok(201)["id"])
    };
    (0..count).map(&mut run).collect()
}

/// The ids of what a session has, the newest last.
fn history(daemon: &Daemon, session: &str) -> Vec<String> {
    let mut ids = pluck(&daemon.executions(session), "id");
    ids.reverse();
    ids
}

#[track_caller]
fn wait_for_history(daemon: &Daemon, session: &str, expected: &[String]) {
    wait_for("the rest to be deleted", PATIENCE, || (history(daemon, session) == expected).then_some(()));
}

/// Makes what is stored older by so many days: its times, and the part of ids that is one.
fn age(home: &Home, days: u32) {
    let database = Database::open(home.db()).unwrap();
    database.pragma_update(None, "foreign_keys", false).unwrap();
    let by = i64::from(days) * 24 * 60 * 60 * 1000;
    let older = |id: [u8; 16]| {
        let millis = i64::from_be_bytes(std::array::from_fn(|i| if i < 2 { 0 } else { id[i - 2] }));
        let mut older = id;
        older[..6].copy_from_slice(&(millis - by).to_be_bytes()[2..]);
        older
    };
    for (table, column) in [
        ("sessions", "id"),
        ("executions", "id"),
        ("executions", "session_id"),
        ("events", "execution_id"),
        ("idempotency_keys", "execution_id"),
    ] {
        let select = format!("SELECT DISTINCT {column} FROM {table}");
        let ids: Vec<[u8; 16]> =
            database.prepare(&select).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let update = format!("UPDATE {table} SET {column} = ?2 WHERE {column} = ?1");
        for id in ids {
            database.execute(&update, [id, older(id)]).unwrap();
        }
    }
    for (table, column) in [
        ("sessions", "created_at"),
        ("sessions", "closed_at"),
        ("executions", "started_at"),
        ("executions", "ended_at"),
        ("idempotency_keys", "created_at"),
    ] {
        database.execute(&format!("UPDATE {table} SET {column} = {column} - ?1"), [by]).unwrap();
    }
}

fn count(home: &Home, table: &str) -> i64 {
    let database = Database::open(home.db()).unwrap();
    database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn the_newest_executions_of_each_session_are_kept() {
    let mut daemon = keeping(&Home::new(), "--keep-executions", 5);
    let (busy, quiet) = (daemon.session(), daemon.session());
    let kept = run_many(&daemon, &quiet, 4);
    let ran = run_many(&daemon, &busy, 40);
    wait_for_history(&daemon, &busy, &ran[35..]);
    assert_eq!(history(&daemon, &quiet), kept);
    for path in ["", "/events", "/events?wait_ms=30000", "/events/stream"] {
        daemon.get(&format!("/executions/{}{path}", ran[0])).error(404, "EXECUTION_NOT_FOUND");
    }
    assert_eq!(array(daemon.get(&format!("/executions/{}/events", ran[39])).ok(200)).len(), 3);
    let ran_cli = daemon.cli(&["exec", "get", &ran[0]]).expect(1);
    assert!(ran_cli.stderr.contains("exec list SESSION_ID"), "{ran_cli:#?}");
    let home = Arc::clone(&daemon.home);
    daemon.stop();
    check_integrity(&home);
    assert_eq!((count(&home, "executions"), count(&home, "events")), (9, 27), "on disk, too");
}

#[test]
fn a_key_still_answers_what_the_rule_would_delete() {
    let daemon = keeping(&Home::new(), "--keep-executions", 2);
    let session = daemon.session();
    let body = json!({ "session_id": session, "input": "Math.random()" }).to_string();
    let request = Request::new("POST", api("/executions/repl")).json(body).header("Idempotency-Key", "once");
    let first = daemon.send(&request).ok(201);
    let mut expected = vec![text(&first["id"])];
    expected.extend_from_slice(&run_many(&daemon, &session, 10)[8..]);
    wait_for_history(&daemon, &session, &expected);
    assert_eq!(daemon.send(&request).ok(201), first);
}

#[test]
fn what_ended_days_ago_goes_with_its_sessions() {
    let home = Home::new();
    let mut daemon = Daemon::at(&home);
    let (old, kept) = (daemon.session(), daemon.session());
    run_many(&daemon, &old, 50);
    let body = json!({ "session_id": old, "input": "1" }).to_string();
    let keyed = Request::new("POST", api("/executions/repl")).json(body).header("Idempotency-Key", "once");
    daemon.send(&keyed).ok(201);
    daemon.poke(&format!("/sessions/{old}/close")).ok(200);
    daemon.stop();
    age(&home, 3);
    let mut daemon = Daemon::at(&home);
    let sessions = pluck(&array(daemon.get("/sessions").ok(200)), "id");
    assert!(!sessions.contains(&kept) && sessions.len() == 2, "both are older now: {sessions:?}");
    let young = daemon.session();
    let ran = run_many(&daemon, &young, 3);
    daemon.stop();

    let mut daemon = keeping(&home, "--keep-days", 4);
    daemon.repl(&daemon.session(), "1");
    assert_eq!(array(daemon.get("/sessions").ok(200)).len(), 4, "nothing is old enough");
    daemon.stop();
    let mut daemon = keeping(&home, "--keep-days", 2);
    wait_for("two sessions to go", PATIENCE, || (array(daemon.get("/sessions").ok(200)).len() == 2).then_some(()));
    assert_eq!(history(&daemon, &young), ran);
    daemon.get(&format!("/sessions/{}", sessions[0])).error(404, "SESSION_NOT_FOUND");
    daemon.stop();
    check_integrity(&home);
    let left = ["sessions", "executions", "idempotency_keys"].map(|table| count(&home, table));
    assert_eq!(left, [2, 4, 0]);
}

#[test]
fn a_session_is_followed_on_behind_what_was_deleted() {
    let daemon = keeping(&Home::new(), "--keep-executions", 2);
    let session = daemon.session();
    let ran = run_many(&daemon, &session, 12);
    wait_for_history(&daemon, &session, &ran[10..]);
    let stream = format!("/sessions/{session}/events/stream");
    let cursor = format!("{}:2", ran[3]);
    let mut streams = [
        Sse::open(daemon.address, &stream, Some(&cursor)),
        Sse::open(daemon.address, &format!("{stream}?after={cursor}"), None),
        Sse::open(daemon.address, &stream, None),
    ];
    daemon.poke(&format!("/sessions/{session}/close")).ok(200);
    for stream in &mut streams {
        let messages = stream.rest();
        let of: Vec<String> = messages
            .iter()
            .filter(|message| message.name() != "session")
            .map(|m| text(&m.data()["execution_id"]))
            .collect();
        let expected: Vec<&String> = ran[10..].iter().flat_map(|id| [id; 3]).collect();
        assert_eq!(of.iter().collect::<Vec<_>>(), expected);
        assert_eq!(
            messages.last().map(|last| (last.name(), &last.data()["status"])),
            Some(("session", &json!("closed")))
        );
    }
}

#[test]
fn a_kill_in_the_middle_leaves_nothing_half_deleted() {
    let home = Home::new();
    let mut daemon = Daemon::at(&home);
    let sessions: Vec<String> = (0..3).map(|_| daemon.session()).collect();
    let ran: Vec<Vec<String>> = sessions.iter().map(|session| run_many(&daemon, session, 150)).collect();
    // One that is deleted in parts.
    let large = daemon.limited(json!({ "max_events": 4000 }));
    daemon.eval(&large, "for (let i = 0; i < 3000; i++) console.log(i)");
    daemon.repl(&large, "1");
    daemon.stop();
    let total = |daemon: &Daemon| sessions.iter().map(|session| history(daemon, session).len()).sum::<usize>();
    let mut rounds = 0;
    loop {
        let mut daemon = keeping(&home, "--keep-executions", 1);
        let before = total(&daemon);
        // Some are killed at once, some when a part is gone.
        let begun = || (total(&daemon) < before || before == 3).then_some(());
        if rounds % 2 == 0 {
            wait_for("it to have begun", PATIENCE, begun);
        }
        daemon.kill();
        check_integrity(&home);
        rounds += 1;
        if before == 3 {
            break;
        }
        assert!(rounds < 100, "{before} are left");
    }
    let mut daemon = keeping(&home, "--keep-executions", 1);
    wait_for("the large one to go", PATIENCE, || (history(&daemon, &large).len() == 1).then_some(()));
    for (session, ran) in sessions.iter().zip(&ran) {
        assert_eq!(history(&daemon, session), ran[149..]);
        let events = array(daemon.get(&format!("/executions/{}/events", ran[149])).ok(200));
        assert_eq!(events.iter().map(|event| &event["seq"]).collect::<Vec<_>>(), [1, 2, 3]);
    }
    daemon.stop();
    // What nobody sees any more may have been stopped half-way: it goes on with the next start.
    wait_for("nothing else to be there", PATIENCE, || {
        let left = (count(&home, "executions"), count(&home, "events"));
        if left == (4, 3 * 3 + 2) {
            return Some(());
        }
        let mut daemon = keeping(&home, "--keep-executions", 1);
        // It looks for the first time a second after its start, and from outside that cannot be seen.
        thread::sleep(Duration::from_millis(1_500));
        daemon.stop();
        None
    });
}

#[test]
fn without_the_flags_everything_is_kept() {
    let home = Home::new();
    let mut daemon = Daemon::at(&home);
    let session = daemon.session();
    let ran = run_many(&daemon, &session, 5);
    daemon.stop();
    age(&home, 3_000);
    let daemon = Daemon::at(&home);
    let sessions = array(daemon.get("/sessions").ok(200));
    let kept: Vec<Value> = daemon.executions(&text(&sessions[0]["id"]));
    assert_eq!((sessions.len(), kept.len()), (1, ran.len()));
}
