//! Code that means harm: whatever it tries, its answer comes in time, the daemon answers others, and the session either
//! goes on or is declared lost.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Daemon, array, check_execution, isolation, text};

const CPU_MS: u64 = 300;
/// Far above `cpu_ms`, so that on a busy machine it is still the latter that ends what works.
const WALL_MS: u64 = 2_000;
const MEM_MB: u64 = 64;
/// What an answer may take beyond `wall_ms`, with the store, and a busy machine. A process is ended by the clock.
const GRACE_OF_PROCESS: Duration = Duration::from_secs(2);
/// A thread is given up by the processor time that it has had, and gets a third of what others do.
const GRACE_OF_THREAD: Duration = Duration::from_secs(10);

/// Sessions at work at once: more than the machine has processors, so that one that is stuck does not hold up all.
const WORKERS: usize = 3;

const FLAGS: [&str; 8] = ["ok", "error", "timeout", "oom", "output", "stuck", "hoards", "breaks"];

#[derive(Debug)]
struct Snippet {
    name: &'static str,
    flags: Vec<&'static str>,
    code: String,
}

impl Snippet {
    fn has(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }
}

fn snippets() -> Vec<Snippet> {
    let lines = include_str!("hostile.txt").lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (head, code) = line.split_once('\t').unwrap_or_else(|| panic!("no tab in {line:?}"));
            let mut words = head.split(' ');
            let name = words.next().unwrap();
            let code = code.replace("{NUL}", "\0").replace("{LF}", "\n").replace("{CR}", "\r");
            Snippet { name, flags: words.collect(), code }
        })
        .collect()
}

#[test]
fn the_data_file_is_in_order() {
    let snippets = snippets();
    assert!(snippets.len() >= 200, "{}", snippets.len());
    let names: BTreeSet<&str> = snippets.iter().map(|snippet| snippet.name).collect();
    assert_eq!(names.len(), snippets.len(), "a name stands twice");
    for snippet in &snippets {
        assert!(snippet.flags.iter().all(|flag| FLAGS.contains(flag)), "{snippet:?}");
        assert!(!snippet.code.trim_matches([' ', '\t']).is_empty(), "{snippet:?}");
    }
    let stuck = snippets.iter().filter(|snippet| snippet.has("stuck")).count();
    assert!(stuck <= 28, "{stuck} snippets may crash their session: each leaves a thread behind");
}

#[test]
fn no_snippet_hurts_the_daemon() {
    let daemon = Daemon::start();
    let limits = json!({ "cpu_ms": CPU_MS, "wall_ms": WALL_MS, "mem_mb": MEM_MB });
    let template = daemon.template(json!({ "limits": limits }));
    let failures = Mutex::new(Vec::new());
    // Those that may leave a busy thread behind come last, so that they slow down as few others as can be.
    let mut order = snippets();
    order.sort_by_key(|snippet| snippet.has("stuck"));
    let queue = Mutex::new(order.into_iter());
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watch = scope.spawn(|| watch_health(&daemon, &done));
        let workers: Vec<_> = (0..WORKERS)
            .map(|_| {
                scope.spawn(|| {
                    loop {
                        let Some(snippet) = queue.lock().unwrap().next() else { return };
                        // A check that panics costs one snippet its verdict, and not the others theirs.
                        let tried = catch_unwind(AssertUnwindSafe(|| try_snippet(&daemon, &template, &snippet)));
                        if let Err(story) = tried.unwrap_or_else(|_| Err("panicked, see above".to_owned())) {
                            failures.lock().unwrap().push(format!("{}: {story}", snippet.name));
                        }
                    }
                })
            })
            .collect();
        // Joined before anything is asserted: a watcher that is never told to stop would hang the test.
        workers.into_iter().for_each(|worker| drop(worker.join()));
        done.store(true, Ordering::Relaxed);
        let slowest = watch.join().unwrap();
        assert!(slowest < Duration::from_secs(1), "/health took {slowest:?} while sessions were at work");
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} snippets failed:\n{}", failures.len(), failures.join("\n"));
    check_afterwards(&daemon, &template);
}

/// What is busy for as long as it may be, in code of its own and in the engine's.
const BUSY: [&str; 6] = [
    "for (;;) {}",
    "for (;;) { try { for (;;) {} } finally { continue } }",
    "for (const all = [];;) all.push([])",
    "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)",
    "/(.*)*x/.exec('y'.repeat(1e5))",
    "await new Promise(() => {})",
];

#[test]
fn sixty_four_that_are_busy_at_once_end_in_time() {
    let daemon = Daemon::with_processes();
    let template = daemon.template(json!({ "limits": { "cpu_ms": CPU_MS, "wall_ms": 1_000, "mem_mb": MEM_MB } }));
    let sessions: Vec<String> = (0..64).map(|_| daemon.session_of(&template)).collect();
    let done = AtomicBool::new(false);
    let (slowest, slowest_health) = thread::scope(|scope| {
        let watch = scope.spawn(|| watch_health(&daemon, &done));
        let run = |(session, code): (String, &'static str)| {
            let (daemon, start) = (&daemon, Instant::now());
            scope.spawn(move || {
                check_execution(&daemon.post_repl(&session, code).ok(201));
                start.elapsed()
            })
        };
        let runs: Vec<_> = sessions.into_iter().zip(BUSY.into_iter().cycle()).map(run).collect();
        let ended: Vec<_> = runs.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.store(true, Ordering::Relaxed);
        let slowest = ended.into_iter().map(Result::unwrap).max().unwrap();
        (slowest, watch.join().unwrap())
    });
    // A quarter of a second is promised; the rest is for a debug build on a machine that does other things as well.
    assert!(slowest < Duration::from_secs(2), "the last answer came after {slowest:?}");
    assert!(slowest_health < Duration::from_millis(500), "/health took {slowest_health:?} while 64 were busy");
}

/// On a busy machine, too, only what never lets itself be interrupted costs its session.
#[test]
fn sixty_four_loops_at_once_cost_no_session() {
    let daemon = Daemon::with_processes();
    let template = daemon.template(json!({ "limits": { "wall_ms": 1_000, "mem_mb": MEM_MB } }));
    let sessions: Vec<String> = (0..64).map(|_| daemon.session_of(&template)).collect();
    thread::scope(|scope| {
        for session in &sessions {
            let daemon = &daemon;
            scope.spawn(move || {
                let run = daemon.post_repl(session, "globalThis.kept = 42; for (;;) {}").ok(201);
                assert_eq!(run["status"], "timeout", "{run}");
            });
        }
    });
    let ended: Vec<_> = sessions.iter().map(|session| daemon.session_record(session)).collect();
    let lost: Vec<_> =
        ended.iter().filter(|record| record["status"] != "ready").map(|record| &record["last_error"]).collect();
    assert!(lost.is_empty(), "{} of {} sessions were lost: {lost:?}", lost.len(), sessions.len());
    for session in &sessions {
        assert_eq!(daemon.preview(session, "kept"), "42");
    }
}

/// Asks for `/health` until told to stop. Answers the longest that it took.
fn watch_health(daemon: &Daemon, done: &AtomicBool) -> Duration {
    let mut slowest = Duration::ZERO;
    while !done.load(Ordering::Relaxed) {
        let start = Instant::now();
        daemon.get("/health").ok(200);
        slowest = slowest.max(start.elapsed());
        thread::sleep(Duration::from_millis(50));
    }
    slowest
}

/// Runs one snippet in a session of its own, and looks at what is left of that session.
fn try_snippet(daemon: &Daemon, template: &str, snippet: &Snippet) -> Result<(), String> {
    let session = daemon.session_of(template);
    let start = Instant::now();
    let answer = daemon.post_repl(&session, &snippet.code);
    let took = start.elapsed();
    if took > Duration::from_millis(WALL_MS) + grace() {
        return Err(format!("answered after {took:?}"));
    }
    let execution = match answer.status {
        201 => answer.json(),
        422 => daemon.execution(&text(&answer.error(422, "OUTPUT_LIMIT_EXCEEDED")["execution_id"])),
        other => return Err(format!("answered {other}: {}", answer.text())),
    };
    check_execution(&execution);
    check_outcome(snippet, answer.status, &execution)?;
    let verdict = match daemon.session_record(&session)["status"].as_str() {
        Some("ready") => check_goes_on(daemon, &session, snippet),
        Some("crashed") if snippet.has("stuck") || is_ended_early(&execution) => {
            daemon.post_repl(&session, "1+1").error(409, "SESSION_NOT_READY");
            let fresh = daemon.session_of(template);
            let verdict = check_goes_on(daemon, &fresh, snippet);
            daemon.delete(&format!("/sessions/{fresh}")).ok(200);
            verdict
        }
        other => Err(format!("the session is {other:?} after {execution:.500}")),
    };
    daemon.delete(&format!("/sessions/{session}")).ok(200);
    verdict
}

fn grace() -> Duration {
    if isolation() == "process" { GRACE_OF_PROCESS } else { GRACE_OF_THREAD }
}

/// What is past its limit has a moment to wind up what it does, a process less than a thread, and is given up then: how
/// many need longer depends on the machine and the build, and is bounded.
fn is_ended_early(execution: &Value) -> bool {
    static ENDED: AtomicUsize = AtomicUsize::new(0);
    let most = if isolation() == "process" { 28 } else { 6 };
    execution["status"] == "timeout" && ENDED.fetch_add(1, Ordering::Relaxed) < most
}

fn check_outcome(snippet: &Snippet, status: u16, execution: &Value) -> Result<(), String> {
    let code = execution["error"]["code"].as_str().unwrap_or_default();
    let found = execution["status"].as_str().unwrap_or_default();
    let as_flagged = |flag: &str| match flag {
        "oom" => code == "OUT_OF_MEMORY",
        "output" => status == 422,
        status @ ("ok" | "error" | "timeout") => found == status,
        _ => true,
    };
    match snippet.flags.iter().find(|flag| !as_flagged(flag)) {
        Some(flag) => Err(format!("expected {flag}, found {found} {code}: {:.500}", execution["error"].to_string())),
        None => Ok(()),
    }
}

/// The next snippet gets the right answer, soon. Answers why not.
fn check_goes_on(daemon: &Daemon, session: &str, snippet: &Snippet) -> Result<(), String> {
    let start = Instant::now();
    let next = daemon.post_repl(session, "1+1");
    let took = start.elapsed();
    if next.status != 201 || took > grace() {
        return Err(format!("then 1+1 was answered {} after {took:?}: {}", next.status, next.text()));
    }
    let next = next.json();
    let no_room = snippet.has("hoards") && next["error"]["code"] == "OUT_OF_MEMORY";
    if no_room || snippet.has("breaks") || next["result"] == json!({ "type": "number", "preview": "2", "json": 2 }) {
        return Ok(());
    }
    Err(format!("then 1+1 came to {next:.500}"))
}

/// Nothing is left behind but history.
#[track_caller]
fn check_afterwards(daemon: &Daemon, template: &str) {
    let fresh = daemon.session_of(template);
    assert_eq!(daemon.preview(&fresh, "1+1"), "2");
    assert_eq!(daemon.active(), [fresh], "what was closed or crashed is not alive");
    for status in ["ready", "starting"] {
        let left = array(daemon.get(&format!("/sessions?status={status}&limit=1000")).ok(200));
        assert_eq!(left.len(), usize::from(status == "ready"), "{left:?}");
    }
    assert!(!daemon.log().contains("panicked"), "the daemon panicked");
}
