//! Sessions in processes of their own: what a worker has, what becomes of one that dies, and what is left of them.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::support::{Daemon, Home, isolation, text, wait_for};

/// The processes that were started by this one, directly or not, and have not ended.
fn children(daemon: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let Some(id) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
        // Behind the name, which may have anything in it: the state, and the parent.
        let mut fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
        let (state, parent) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
        if parent == daemon.to_string() && state != "Z" {
            found.insert(id);
        }
    }
    found
}

/// The worker of a session that is just being created.
#[track_caller]
fn worker_of(daemon: &Daemon, create: impl FnOnce() -> String) -> (String, u32) {
    let before = children(daemon.id());
    let session = create();
    let new: Vec<u32> = children(daemon.id()).difference(&before).copied().collect();
    assert_eq!(new.len(), 1, "{new:?}");
    (session, new[0])
}

fn kill(id: u32) {
    kill_process(Pid::from_raw(i32::try_from(id).unwrap()).unwrap(), Signal::KILL).unwrap();
}

#[test]
fn a_template_chooses_and_the_session_says_where_it_runs() {
    let daemon = Daemon::start();
    for (asked, expected) in
        [("default", isolation()), ("thread", "thread".to_owned()), ("process", "process".to_owned())]
    {
        let template = daemon.template(json!({ "runtime": { "isolation": asked } }));
        let before = children(daemon.id()).len();
        let session = daemon.session_of(&template);
        assert_eq!(daemon.session_record(&session)["runtime_meta"]["isolation"], expected.as_str(), "{asked}");
        assert_eq!(daemon.preview(&session, "[1, 2].map(n => n * 2).join()"), "2,4");
        assert_eq!(children(daemon.id()).len() > before, expected == "process", "{asked}");
    }
}

#[test]
fn without_being_told_a_daemon_gives_each_session_a_process() {
    let daemon = Daemon::with(&Home::new(), |command| {
        command.env_remove("VM_SYSTEM_ISOLATION");
    });
    let session = daemon.session();
    assert_eq!(daemon.session_record(&session)["runtime_meta"]["isolation"], "process");
    assert!(!children(daemon.id()).is_empty());
}

#[test]
fn a_worker_has_nothing_but_its_line() {
    let daemon = Daemon::with_processes();
    let template = daemon.template(json!({}));
    daemon.session_of(&template);
    let (session, worker) = worker_of(&daemon, || daemon.session_of(&template));
    daemon.eval(&session, "1");
    let read = |name: &str| fs::read_to_string(format!("/proc/{worker}/{name}")).unwrap();
    let status = read("status");
    let field =
        |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim().to_owned();
    assert_eq!((field("Threads:"), field("NoNewPrivs:"), field("Seccomp:")), ("1".into(), "1".into(), "2".into()));
    assert_eq!(read("environ"), "");
    // Where anybody may make namespaces, as `unshare` of util-linux shows, a worker has a network of its own, without anything.
    let allowed = Command::new("unshare").args(["--user", "--net", "true"]).status().unwrap().success();
    let network = |process: &str| fs::read_link(format!("/proc/{process}/ns/net")).unwrap();
    assert_eq!(network(&worker.to_string()) != network("self"), allowed);
    let limits = read("limits");
    for limit in ["Max core file size", "Max file size", "Max open files", "Max processes"] {
        let line = limits.lines().find(|line| line.starts_with(limit)).unwrap();
        assert_eq!(line[limit.len()..].split_whitespace().next(), Some("0"), "{line}");
    }
    // Its line; those that it was started with lead nowhere.
    let files = fs::read_dir(format!("/proc/{worker}/fd")).unwrap().flatten();
    let files: Vec<_> = files.filter_map(|file| fs::read_link(file.path()).ok()).collect();
    let sockets = files.iter().filter(|file| file.to_string_lossy().starts_with("socket:")).count();
    assert!(
        files.iter().all(|file| file.ends_with("dev/null") || file.to_string_lossy().starts_with("socket:")),
        "{files:?}"
    );
    assert_eq!(sockets, 1, "{files:?}");
}

#[test]
fn workers_of_a_kind_have_one_small_share_of_the_processors_together() {
    let daemon = Daemon::with_processes();
    let template = daemon.template(json!({}));
    daemon.session_of(&template);
    let workers = [(); 2].map(|()| worker_of(&daemon, || daemon.session_of(&template)).1);
    let stat = |process: u32| fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    // Behind the name, which may have anything in it: the state, the parent, the group and the session.
    let session =
        |process: u32| stat(process).rsplit_once(')').unwrap().1.split_whitespace().nth(3).unwrap().to_owned();
    assert_eq!(session(workers[0]), session(workers[1]));
    assert_ne!(session(workers[0]), session(daemon.id()));
    // Not every kernel shares them out among sessions.
    let share = |process: u32| fs::read_to_string(format!("/proc/{process}/autogroup"));
    if let (Ok(ours), Ok(daemons)) = (share(workers[0]), share(daemon.id())) {
        assert_eq!(ours.trim().rsplit_once(' ').map(|(_, nice)| nice), Some("5"), "{ours}");
        assert_ne!(ours, daemons);
    }
}

#[test]
fn a_worker_that_is_killed_takes_its_session_along_and_no_other() {
    let daemon = Daemon::with_processes();
    let template = daemon.template(json!({}));
    let other = daemon.session_of(&template);
    daemon.eval(&other, "globalThis.kept = 42");
    let (session, worker) = worker_of(&daemon, || daemon.session_of(&template));
    let (response, ()) = daemon.while_running(&session, "console.log('seen'); for (;;) {}", |execution| {
        let seen = || {
            let events = daemon.get(&format!("/executions/{execution}/events")).ok(200);
            events.as_array().unwrap().iter().any(|event| event["payload"]["text"] == "seen").then_some(())
        };
        wait_for("the first line", Duration::from_secs(10), seen);
        kill(worker);
    });
    let execution = response.ok(201);
    assert_eq!((&execution["status"], &execution["error"]["code"]), (&json!("error"), &json!("WORKER_DIED")));
    assert!(text(&execution["error"]["message"]).contains("signal 9 (SIGKILL)"), "{execution}");
    assert_eq!(execution["events"][1]["payload"]["text"], "seen", "{execution}");
    let record = daemon.session_record(&session);
    assert_eq!(record["status"], "crashed", "{record}");
    assert!(text(&record["last_error"]).contains("signal 9 (SIGKILL)"), "{record}");
    assert_eq!(daemon.preview(&other, "kept"), "42");
    // What the next ones come from is still there.
    assert_eq!(daemon.preview(&daemon.session_of(&template), "1 + 1"), "2");
}

#[test]
fn a_worker_that_is_killed_while_its_script_waits_is_told_at_once() {
    let daemon = Daemon::with_processes();
    let template = daemon.template(json!({}));
    daemon.session_of(&template);
    let (session, worker) = worker_of(&daemon, || daemon.session_of(&template));
    let begun = Instant::now();
    let (response, ()) =
        daemon.while_running(&session, "await new Promise(r => setTimeout(r, 25_000))", |_| kill(worker));
    assert_eq!(response.ok(201)["error"]["code"], "WORKER_DIED");
    // It is looked for four times a second; the script would have waited for longer than this.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
}

#[test]
fn what_a_script_left_queued_costs_no_session() {
    let daemon = Daemon::with_processes();
    let session = daemon.limited(json!({ "cpu_ms": 60_000, "wall_ms": 60_000, "mem_mb": 256 }));
    let queue = "globalThis.kept = 1; const p = Promise.resolve(); for (let i = 0; i < 150_000; i++) p.then(() => i); for (;;) {}";
    let (response, ()) = daemon.while_running(&session, queue, |execution| {
        daemon.poke(&format!("/executions/{execution}/cancel")).ok(200);
    });
    assert_eq!(response.ok(201)["status"], "cancelled");
    assert_eq!(daemon.preview(&session, "kept"), "1");
}

#[test]
fn a_session_knows_the_time_zone_wherever_it_runs() {
    let daemon = Daemon::with(&Home::new(), |command| {
        command.env("TZ", "America/New_York");
    });
    for isolation in ["thread", "process"] {
        let session = daemon.session_of(&daemon.template(json!({ "runtime": { "isolation": isolation } })));
        assert_eq!(daemon.preview(&session, "new Date(0).getTimezoneOffset()"), "300", "{isolation}");
    }
}

#[test]
fn a_worker_that_is_killed_while_nothing_runs_is_noticed() {
    let daemon = Daemon::with_processes();
    let template = daemon.template(json!({}));
    daemon.session_of(&template);
    let (session, worker) = worker_of(&daemon, || daemon.session_of(&template));
    daemon.eval(&session, "1");
    kill(worker);
    wait_for("the session to be given up", Duration::from_secs(5), || {
        let record = daemon.session_record(&session);
        (record["status"] == "crashed").then(|| assert!(text(&record["last_error"]).contains("worker process")))
    });
    assert!(!daemon.active().contains(&session));
    daemon.post_repl(&session, "1").error(409, "SESSION_NOT_READY");
}

#[test]
fn sessions_come_from_another_process_when_theirs_is_killed() {
    let daemon = Daemon::with_processes();
    let template = daemon.template(json!({}));
    let (_, first) = worker_of(&daemon, || {
        // The daemon has made one process at its start, for realms that nobody has asked for.
        let session = daemon.session_of(&template);
        daemon.post(&format!("/sessions/{session}/close"), &json!({})).ok(200);
        session
    });
    kill(first);
    assert_eq!(daemon.preview(&daemon.session_of(&template), "1 + 1"), "2");
}

#[test]
fn sessions_of_one_kind_share_neither_chance_nor_state() {
    let daemon = Daemon::with_processes();
    let template = daemon.template(json!({}));
    let sessions = [daemon.session_of(&template), daemon.session_of(&template)];
    daemon.eval(&sessions[0], "globalThis.mine = 1; Array.prototype.mine = 1");
    assert_eq!(daemon.preview(&sessions[1], "`${typeof mine} ${typeof [].mine}`"), "undefined undefined");
    for chance in ["Math.random()", "crypto.randomUUID()", "crypto.getRandomValues(new Uint8Array(16)).join()"] {
        assert_ne!(daemon.preview(&sessions[0], chance), daemon.preview(&sessions[1], chance), "{chance}");
    }
}

#[test]
fn no_worker_outlives_its_session_or_a_killed_daemon() {
    let mut daemon = Daemon::with_processes();
    let template = daemon.template(json!({ "limits": { "cpu_ms": 60_000, "wall_ms": 60_000 } }));
    let before = children(daemon.id());
    let sessions: Vec<String> = (0..8).map(|_| daemon.session_of(&template)).collect();
    for session in &sessions[..4] {
        daemon.poke(&format!("/sessions/{session}/close")).ok(200);
    }
    // One more for the kind, four for the sessions.
    assert_eq!(children(daemon.id()).difference(&before).count(), 5);
    for session in &sessions[4..] {
        let body = json!({ "session_id": session, "input": "for (;;) {}", "detach": true });
        daemon.post("/executions/repl", &body).ok(202);
    }
    let workers = children(daemon.id());
    daemon.kill();
    let alive = || workers.iter().filter(|id| fs::metadata(format!("/proc/{id}")).is_ok()).count();
    wait_for("the workers to end with their daemon", Duration::from_secs(2), || (alive() == 0).then_some(()));
}

#[test]
fn a_worker_that_is_killed_is_noticed_by_whoever_asks() {
    let daemon = Daemon::with_processes();
    // With the first session comes the process that workers are made from.
    daemon.session();
    let (session, worker) = worker_of(&daemon, || daemon.session());
    daemon.get(&format!("/sessions/{session}/globals")).ok(200);
    kill(worker);
    // Whether that is noticed by the question or by somebody who looks after such things, the answer is the same.
    daemon.get(&format!("/sessions/{session}/globals")).error(409, "SESSION_NOT_READY");
    let record = daemon.session_record(&session);
    assert_eq!(record["status"], "crashed", "{record}");
    assert!(text(&record["last_error"]).contains("worker process"), "{record}");
}
