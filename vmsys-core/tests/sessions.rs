//! Sessions as a program sees them that embeds the library: life cycles, concurrency, limits, and what is left when
//! something goes wrong.
//!
//! Nothing here sleeps to be right. A test that waits for something asks for it again and again, up to [`PATIENCE`].
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vmsys_core::*;

/// Longer than anything here takes on a busy machine: only a test that has failed waits for so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A system with a template and a worktree.
struct Bench {
    vm: VmSystem,
    template: Template,
    dir: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(set: impl FnOnce(&mut NewTemplate)) -> Self {
        Self::over(VmSystem::in_memory().unwrap(), set)
    }

    fn on_disk(set: impl FnOnce(&mut NewTemplate)) -> (Self, TempDir) {
        let home = tempfile::tempdir().unwrap();
        (Self::over(VmSystem::open(database(home.path())).unwrap(), set), home)
    }

    fn over(vm: VmSystem, set: impl FnOnce(&mut NewTemplate)) -> Self {
        let mut new = NewTemplate::named("t");
        set(&mut new);
        let template = vm.create_template(new).unwrap();
        Self { vm, template, dir: tempfile::tempdir().unwrap() }
    }

    fn session(&self) -> Session {
        self.try_session().unwrap()
    }

    fn try_session(&self) -> Result<Session> {
        self.vm.create_session(NewSession::new(self.template.id, self.dir.path()))
    }

    fn file(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }
}

fn database(home: &Path) -> std::path::PathBuf {
    home.join("vm.db")
}

/// Runs a snippet on a thread of its own, and returns its id once it runs.
fn start(bench: &Bench, session: &Session, input: &str) -> (ExecutionId, JoinHandle<Result<Execution>>) {
    let thread = std::thread::spawn({
        let (session, input) = (session.clone(), input.to_owned());
        move || session.repl(input)
    });
    (running(bench, session.id()), thread)
}

/// Waits until something runs in a session.
fn running(bench: &Bench, session: SessionId) -> ExecutionId {
    until("something runs", || {
        let list = bench.vm.executions(session, &ExecutionFilter::default()).unwrap();
        list.into_iter().find(|execution| execution.status == ExecutionStatus::Running)
    })
    .id
}

fn preview(run: Execution) -> String {
    run.result.unwrap_or_else(|| panic!("no value: {:?}", run.error)).preview
}

/// What is true of every execution that has ended: it can be read as it was answered, its events are numbered without a
/// gap, begin with its input and end with the one event that says how it ended.
fn assert_whole(vm: &VmSystem, run: &Execution) {
    assert_eq!(vm.execution(run.id).unwrap(), *run);
    assert_eq!(vm.events(run.id, 0, None).unwrap(), run.events);
    assert!(run.events.iter().zip(1..).all(|(event, seq)| event.seq == seq), "{:?}", run.events);
    assert!(matches!(run.events[0].payload, Payload::InputEcho { .. }));
    let is_last =
        |event: &Event| matches!(event.payload, Payload::Value(_) | Payload::Exception { .. } | Payload::System { .. });
    assert_eq!(run.events.iter().position(is_last), Some(run.events.len() - 1), "{:?}", run.events);
    assert_eq!(run.metrics.event_count, run.events.len() as u64);
    assert!(run.status != ExecutionStatus::Running && run.ended_at.is_some());
}

/// Asks until there is an answer.
fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "never happened: {what}");
        std::thread::yield_now();
    }
}

#[test]
fn a_database_can_be_opened_again_as_soon_as_the_last_handle_is_gone() {
    let home = tempfile::tempdir().unwrap();
    for round in 0..20 {
        let vm = VmSystem::open(database(home.path())).unwrap_or_else(|error| panic!("round {round}: {error}"));
        let template = vm.create_template(NewTemplate::named(round.to_string())).unwrap();
        let session = vm.create_session(NewSession::new(template.id, home.path())).unwrap();
        session.repl("1").unwrap();
    }
}

#[test]
fn the_events_of_an_execution_only_grow_until_it_has_ended() {
    // On disk, where storing an end takes a while: that is when they could be seen to go.
    let (bench, _home) = Bench::on_disk(|_| {});
    let session = bench.session();
    for _ in 0..15 {
        let running = std::thread::spawn({
            let session = session.clone();
            move || {
                session.repl("for (let i = 0; i < 100; i++) console.log(i); { const t = Date.now() + 5; while (Date.now() < t); }")
            }
        });
        let id = until("it is listed", || {
            let newest = bench.vm.executions(session.id(), &ExecutionFilter::default()).unwrap().into_iter().next();
            newest.filter(|newest| newest.status == ExecutionStatus::Running || running.is_finished())
        })
        .id;
        let mut seen = 0;
        while !running.is_finished() {
            let events = bench.vm.events(id, 0, None).unwrap();
            assert!(events.len() >= seen, "{} events after {seen}", events.len());
            seen = events.len();
            let whole = bench.vm.execution(id).unwrap();
            assert!(whole.events.len() >= seen);
            assert_eq!(whole.metrics.event_count, whole.events.len() as u64);
            seen = whole.events.len();
        }
        let answer = running.join().unwrap().unwrap();
        assert_eq!(answer.events.len(), 102);
        assert!(answer.events.iter().zip(1..).all(|(event, seq)| event.seq == seq));
        assert_eq!(bench.vm.execution(answer.id).unwrap(), answer);
    }
}

/// Native code of the engine that takes a long time between two polls: no thread can stop it.
const STUCK: &str = "var a = 2n ** 1000000n - 1n, b = 2n ** 500000n - 1n; for (;;) a % b";

#[test]
fn a_stuck_session_crashes_with_a_reason_and_the_others_go_on() {
    let bench = Bench::with(|new| new.settings.limits.wall_ms = 200);
    let (stuck, other) = (bench.session(), bench.session());
    let run = stuck.repl(STUCK).unwrap();
    assert_eq!(run.status, ExecutionStatus::Timeout);
    assert!(run.metrics.wall_ms >= 200 && run.metrics.cpu_ms > 0, "{:?}", run.metrics);
    assert_eq!(bench.vm.execution(run.id).unwrap(), run);
    let record = stuck.record().unwrap();
    assert_eq!(record.status, SessionStatus::Crashed);
    assert!(record.last_error.is_some_and(|reason| reason.contains("could not be stopped")));
    assert_eq!(stuck.repl("1").unwrap_err().kind(), ErrorKind::SessionNotReady);
    assert_eq!(bench.vm.runtime_summary().active_session_ids, [other.id()]);
    assert_eq!(other.repl("1 + 1").unwrap().result.unwrap().preview, "2");
    let closed = stuck.close().unwrap();
    assert_eq!((closed.status, &closed.last_error), (SessionStatus::Closed, &stuck.record().unwrap().last_error));
}

#[test]
fn closing_a_session_while_it_crashes_leaves_it_closed() {
    for _ in 0..3 {
        let (bench, _home) = Bench::on_disk(|new| new.settings.limits.wall_ms = 3_600_000);
        let session = bench.session();
        let running = std::thread::spawn({
            let session = session.clone();
            move || session.repl(STUCK)
        });
        until("it runs", || bench.vm.executions(session.id(), &ExecutionFilter::default()).unwrap().pop());
        let closed = session.close().unwrap();
        assert_eq!(closed.status, SessionStatus::Closed);
        assert_eq!(running.join().unwrap().unwrap().status, ExecutionStatus::Cancelled);
        assert_eq!(session.record().unwrap(), closed);
    }
}

#[test]
fn whatever_is_listed_can_be_read_and_lists_are_in_order() {
    let bench = Bench::new();
    let session = bench.session();
    std::thread::scope(|scope| {
        let run = || {
            for _ in 0..1_000 {
                match session.repl("1") {
                    Ok(run) => assert_eq!(run.status, ExecutionStatus::Ok),
                    Err(error) => {
                        assert_eq!(error.kind(), ErrorKind::SessionBusy);
                        let other = error.detail("execution_id").unwrap().parse().unwrap();
                        bench.vm.execution(other).unwrap();
                    }
                }
            }
        };
        let runs = [scope.spawn(run), scope.spawn(run)];
        let mut filter = ExecutionFilter::default();
        filter.limit = Some(5);
        while runs.iter().any(|run| !run.is_finished()) {
            let list = bench.vm.executions(session.id(), &filter).unwrap();
            assert!(list.is_sorted_by(|newer, older| newer.id > older.id), "{list:?}");
            if let Some(newest) = list.first() {
                bench.vm.execution(newest.id).unwrap();
            }
        }
    });
}

#[test]
fn an_end_that_could_not_be_stored_is_stored_later() {
    let (bench, home) = Bench::on_disk(|_| {});
    let session = bench.session();
    let other = rusqlite::Connection::open(database(home.path())).unwrap();
    let running = std::thread::spawn({
        let session = session.clone();
        move || session.repl("console.log('before'); for (;;);")
    });
    let count = "SELECT count(*) FROM events";
    until("its events are in the store", || {
        let events: i64 = other.query_row(count, [], |row| row.get(0)).unwrap();
        (events == 2).then_some(())
    });
    let id = bench.vm.executions(session.id(), &ExecutionFilter::default()).unwrap()[0].id;

    other.execute_batch("ALTER TABLE executions RENAME TO away").unwrap();
    assert_eq!(bench.vm.cancel(id).unwrap_err().kind(), ErrorKind::Internal);
    assert_eq!(running.join().unwrap().unwrap_err().kind(), ErrorKind::Internal);
    let between = bench.vm.execution(id).unwrap();
    assert_eq!((between.status, between.events.len()), (ExecutionStatus::Running, 2));

    other.execute_batch("ALTER TABLE away RENAME TO executions").unwrap();
    let stored = until("the end is in the store", || {
        bench.vm.execution(id).ok().filter(|execution| execution.status != ExecutionStatus::Running)
    });
    assert_eq!((stored.status, stored.events.len()), (ExecutionStatus::Cancelled, 3));
    assert_eq!(session.repl("1 + 1").unwrap().status, ExecutionStatus::Ok);
    assert_eq!(bench.vm.cancel(id).unwrap_err().kind(), ErrorKind::ExecutionNotRunning);
}

#[test]
fn state_lasts_from_one_snippet_to_the_next_and_is_the_sessions_own() {
    let bench = Bench::new();
    let (one, two) = (bench.session(), bench.session());
    one.repl("var n = 1; let m = 2; function add() { return n + m }").unwrap();
    assert_eq!(preview(one.repl("n = 40; add()").unwrap()), "42");
    assert_eq!(preview(two.repl("[typeof n, typeof m, typeof add].join()").unwrap()), "undefined,undefined,undefined");
}

#[test]
fn a_session_can_be_found_from_its_creation_to_after_its_end() {
    let bench = Bench::new();
    let new = NewSession::new(bench.template.id, bench.dir.path()).workspace("w").base_commit("c");
    let session = bench.vm.create_session(new).unwrap();
    let record = session.record().unwrap();
    assert_eq!((record.workspace_id.as_str(), record.base_commit_oid.as_str()), ("w", "c"));
    assert_eq!((record.status, record.closed_at, &record.last_error), (SessionStatus::Ready, None, &None));
    assert_eq!(bench.vm.sessions(&SessionFilter::default()).unwrap(), [record]);
    assert_eq!(bench.vm.runtime_summary().active_session_ids, [session.id()]);
    let run = session.repl("1").unwrap();

    let closed = session.close().unwrap();
    assert_eq!(closed.status, SessionStatus::Closed);
    assert!(closed.closed_at.is_some());
    assert_eq!(session.close().unwrap(), closed);
    assert_eq!(bench.vm.session(session.id()).unwrap().record().unwrap(), closed);
    assert_eq!(bench.vm.sessions(&SessionFilter::default()).unwrap(), [closed]);
    assert_eq!(bench.vm.runtime_summary().active_sessions, 0);
    let refused = session.repl("1").unwrap_err();
    assert_eq!((refused.kind(), refused.detail("status")), (ErrorKind::SessionNotReady, Some("closed")));
    assert_eq!(bench.vm.executions(session.id(), &ExecutionFilter::default()).unwrap().len(), 1);
    assert_whole(&bench.vm, &run);
}

#[test]
fn ids_that_name_nothing_are_not_found() {
    let bench = Bench::new();
    const NOBODY: &str = "01950000-0000-7000-8000-000000000000";
    let (session, execution) = (NOBODY.parse().unwrap(), NOBODY.parse().unwrap());
    assert_eq!(bench.vm.session(session).unwrap_err().kind(), ErrorKind::SessionNotFound);
    let listed = bench.vm.executions(session, &ExecutionFilter::default());
    assert_eq!(listed.unwrap_err().kind(), ErrorKind::SessionNotFound);
    assert_eq!(bench.vm.execution(execution).unwrap_err().kind(), ErrorKind::ExecutionNotFound);
    assert_eq!(bench.vm.events(execution, 0, None).unwrap_err().kind(), ErrorKind::ExecutionNotFound);
    assert_eq!(bench.vm.cancel(execution).unwrap_err().kind(), ErrorKind::ExecutionNotFound);
    let new = NewSession::new(NOBODY.parse().unwrap(), bench.dir.path());
    assert_eq!(bench.vm.create_session(new).unwrap_err().kind(), ErrorKind::TemplateNotFound);
}

#[test]
fn a_session_that_could_not_begin_leaves_nothing() {
    let bench = Bench::new();
    for path in ["relative", "/no/such/directory", ""] {
        bench.vm.create_session(NewSession::new(bench.template.id, path)).unwrap_err();
    }
    assert_eq!(bench.vm.sessions(&SessionFilter::default()).unwrap(), []);
    assert_eq!(bench.vm.runtime_summary().active_sessions, 0);
}

#[test]
fn one_execution_runs_at_a_time_and_none_after_its_answer() {
    let bench = Bench::new();
    let session = bench.session();
    let (id, thread) = start(&bench, &session, "for (;;);");
    let busy = session.repl("1").unwrap_err();
    assert_eq!((busy.kind(), busy.detail("execution_id")), (ErrorKind::SessionBusy, Some(id.to_string().as_str())));
    bench.vm.cancel(id).unwrap();
    thread.join().unwrap().unwrap();
    // Whoever has an answer can go on at once.
    for n in 0..300 {
        assert_eq!(preview(session.repl(format!("{n}")).unwrap()), n.to_string());
    }
}

#[test]
fn callers_of_one_session_never_run_at_once() {
    let bench = Bench::new();
    let session = bench.session();
    session.repl("var runs = 0, inside = 0, most = 0").unwrap();
    let done = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    match session.repl("inside++; most = Math.max(most, inside); await null; inside--; ++runs") {
                        Ok(_) => _ = done.fetch_add(1, Ordering::Relaxed),
                        Err(error) => assert_eq!(error.kind(), ErrorKind::SessionBusy),
                    }
                }
            });
        }
    });
    assert_eq!(preview(session.repl("`${runs} ${most}`").unwrap()), format!("{} 1", done.into_inner()));
}

#[test]
fn sessions_run_side_by_side() {
    let bench = Bench::new();
    let slow = bench.session();
    let (id, thread) = start(&bench, &slow, "for (;;);");
    std::thread::scope(|scope| {
        for n in 0..12 {
            let bench = &bench;
            scope.spawn(move || {
                let session = bench.session();
                session.repl(format!("var n = {n}")).unwrap();
                for i in 0..20 {
                    assert_eq!(preview(session.repl(format!("n * 1000 + {i}")).unwrap()), (n * 1000 + i).to_string());
                }
                session.close().unwrap();
            });
        }
    });
    assert_eq!(bench.vm.runtime_summary().active_session_ids, [slow.id()]);
    bench.vm.cancel(id).unwrap();
    thread.join().unwrap().unwrap();
}

#[test]
fn cancelling_ends_what_runs_and_keeps_what_it_made() {
    let bench = Bench::new();
    let session = bench.session();
    session.repl("var turns = 0").unwrap();
    for input in [
        "for (;;) turns++",
        "await new Promise(done => setTimeout(done, 1e6, turns++))",
        "setInterval(() => turns++, 1)",
        "(async () => { for (;;) { turns++; await null } })()",
    ] {
        session.repl("turns = 0").unwrap();
        let (id, thread) = start(&bench, &session, input);
        let cancelled = bench.vm.cancel(id).unwrap();
        assert_eq!(cancelled.status, ExecutionStatus::Cancelled, "{input}");
        assert_eq!(cancelled.error.as_ref().unwrap().code, Some(ErrorCode::Cancelled));
        assert_eq!(thread.join().unwrap().unwrap(), cancelled);
        assert_whole(&bench.vm, &cancelled);
        let again = bench.vm.cancel(id).unwrap_err();
        assert_eq!((again.kind(), again.detail("status")), (ErrorKind::ExecutionNotRunning, Some("cancelled")));
        assert_eq!(preview(session.repl("typeof turns").unwrap()), "number", "after {input}");
    }
}

#[test]
fn a_cancellation_never_hits_the_next_execution() {
    let bench = Bench::new();
    let session = bench.session();
    for _ in 0..100 {
        let (id, thread) = {
            let thread = std::thread::spawn({
                let session = session.clone();
                move || session.repl("for (let i = 0; i < 20000; i++);")
            });
            let newest = until("it is listed", || {
                bench.vm.executions(session.id(), &ExecutionFilter::default()).unwrap().into_iter().next()
            });
            (newest.id, thread)
        };
        match bench.vm.cancel(id) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ExecutionNotRunning),
        }
        thread.join().unwrap().unwrap();
        assert_eq!(session.repl("'next'").unwrap().status, ExecutionStatus::Ok);
    }
}

#[test]
fn closing_cancels_what_runs() {
    let bench = Bench::new();
    let session = bench.session();
    let (_, thread) = start(&bench, &session, "console.log('here'); for (;;);");
    // Two at once: both get the closed session.
    let other = std::thread::spawn({
        let session = session.clone();
        move || session.close()
    });
    let closed = session.close().unwrap();
    assert_eq!(closed.status, SessionStatus::Closed);
    assert_eq!(other.join().unwrap().unwrap(), closed);
    let run = thread.join().unwrap().unwrap();
    assert_eq!(run.status, ExecutionStatus::Cancelled);
    assert_whole(&bench.vm, &run);
}

#[test]
fn startup_files_run_in_order_before_a_session_is_ready() {
    let bench = Bench::new();
    bench.file("a.js", "var seen = ['a']; console.log('from a')");
    bench.file("b.js", "seen.push('b')");
    for new in [NewStartupFile::eval("b.js").at(2), NewStartupFile::eval("a.js").at(1)] {
        bench.vm.add_startup_file(bench.template.id, new).unwrap();
    }
    let session = bench.session();
    assert_eq!(preview(session.repl("seen.join()").unwrap()), "a,b");
    let list = bench.vm.executions(session.id(), &ExecutionFilter::default()).unwrap();
    let files: Vec<_> = list.iter().skip(1).map(|run| (run.kind, run.path.as_deref().unwrap())).collect();
    assert_eq!(files, [(ExecutionKind::Startup, "b.js"), (ExecutionKind::Startup, "a.js")]);
    for run in list {
        assert_whole(&bench.vm, &bench.vm.execution(run.id).unwrap());
    }
}

#[test]
fn a_startup_that_fails_crashes_the_session_and_says_why() {
    for (text, reason) in [
        (Some("throw new TypeError('broken')"), "TypeError: broken"),
        (Some("for (;;);"), "timed out"),
        (Some("let ="), "SyntaxError"),
        (None, "a.js"),
    ] {
        let bench = Bench::with(|new| new.settings.limits.wall_ms = 1_000);
        if let Some(text) = text {
            bench.file("a.js", text);
        }
        bench.file("b.js", "1");
        bench.vm.add_startup_file(bench.template.id, NewStartupFile::eval("a.js")).unwrap();
        bench.vm.add_startup_file(bench.template.id, NewStartupFile::eval("b.js")).unwrap();
        let error = bench.try_session().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StartupFailed);
        let session = bench.vm.session(error.detail("session_id").unwrap().parse().unwrap()).unwrap();
        let record = session.record().unwrap();
        let last_error = record.last_error.as_deref().unwrap();
        assert_eq!((record.status, error.detail("last_error")), (SessionStatus::Crashed, Some(last_error)));
        assert!(last_error.contains("a.js") && last_error.contains(reason), "{last_error}");
        assert_eq!(session.repl("1").unwrap_err().kind(), ErrorKind::SessionNotReady);
        assert_eq!(bench.vm.runtime_summary().active_sessions, 0);
        let list = bench.vm.executions(session.id(), &ExecutionFilter::default()).unwrap();
        assert_eq!(list.len(), 1, "the second file did not run");
        assert_whole(&bench.vm, &bench.vm.execution(list[0].id).unwrap());
        let closed = session.close().unwrap();
        assert_eq!((closed.status, closed.last_error), (SessionStatus::Closed, record.last_error));
    }
}

#[test]
fn a_session_can_be_closed_while_it_starts() {
    let bench = Bench::new();
    bench.file("a.js", "for (;;);");
    bench.vm.add_startup_file(bench.template.id, NewStartupFile::eval("a.js")).unwrap();
    std::thread::scope(|scope| {
        let creation = scope.spawn(|| bench.try_session().map(|session| session.id()));
        let id = until("it is listed", || bench.vm.sessions(&SessionFilter::default()).unwrap().pop()).id;
        running(&bench, id);
        let session = bench.vm.session(id).unwrap();
        assert_eq!(session.repl("1").unwrap_err().kind(), ErrorKind::SessionNotReady);
        assert_eq!(session.close().unwrap().status, SessionStatus::Closed);
        assert_eq!(creation.join().unwrap().unwrap_err().kind(), ErrorKind::StartupFailed);
        assert_eq!(session.record().unwrap().status, SessionStatus::Closed);
        assert_eq!(bench.vm.runtime_summary().active_sessions, 0);
        let list = bench.vm.executions(id, &ExecutionFilter::default()).unwrap();
        assert_eq!(list[0].status, ExecutionStatus::Cancelled);
    });
}

#[test]
fn a_shutdown_ends_everything_and_stores_it() {
    let (bench, home) = Bench::on_disk(|_| {});
    let sessions: Vec<Session> = (0..5).map(|_| bench.session()).collect();
    let runs: Vec<_> =
        sessions.iter().take(3).map(|session| start(&bench, session, "console.log(1); for (;;);")).collect();
    bench.vm.shutdown().unwrap();
    let ids: Vec<ExecutionId> = runs
        .into_iter()
        .map(|(id, thread)| {
            assert_eq!(thread.join().unwrap().unwrap().status, ExecutionStatus::Cancelled);
            id
        })
        .collect();
    assert_eq!(bench.vm.runtime_summary().active_sessions, 0);
    assert_eq!(sessions[4].repl("1").unwrap_err().kind(), ErrorKind::ShuttingDown);
    assert_eq!(bench.try_session().unwrap_err().kind(), ErrorKind::ShuttingDown);
    bench.vm.shutdown().unwrap();

    drop((bench, sessions));
    let vm = VmSystem::open(database(home.path())).unwrap();
    for record in vm.sessions(&SessionFilter::default()).unwrap() {
        assert_eq!(record.status, SessionStatus::Closed);
        assert_eq!(record.last_error.as_deref(), Some("closed because the system was shut down"));
    }
    for id in ids {
        let run = vm.execution(id).unwrap();
        assert_eq!((run.status, run.events.len()), (ExecutionStatus::Cancelled, 3));
        assert_whole(&vm, &run);
    }
}

#[test]
fn a_shutdown_does_not_wait_for_code_that_does_not_stop() {
    let bench = Bench::new();
    let session = bench.session();
    let (id, thread) = start(&bench, &session, STUCK);
    bench.vm.stop().unwrap();
    assert_eq!(thread.join().unwrap().unwrap().status, ExecutionStatus::Cancelled);
    assert_eq!(bench.vm.execution(id).unwrap().status, ExecutionStatus::Cancelled);
    assert_eq!(bench.vm.runtime_summary().active_sessions, 0);
}

#[test]
fn after_a_shutdown_the_file_is_free_whoever_has_handles() {
    let (bench, home) = Bench::on_disk(|_| {});
    let session = bench.session();
    let run = session.repl("console.log('kept'); 7").unwrap();
    let (stuck, other) = (bench.session(), bench.session());
    let (_, thread) = start(&bench, &stuck, STUCK);
    let running = other.start(Submission::repl("await new Promise(() => setInterval(() => {}, 1000))")).unwrap();
    let mut watch = bench.vm.watch(run.id, 0).unwrap();
    let mut of_session = bench.vm.watch_session(session.id(), SessionStart::Beginning).unwrap();
    let error = VmSystem::open(database(home.path())).unwrap_err();
    assert!(error.message().contains("in use by this program itself"), "{error}");

    bench.vm.shutdown().unwrap();
    assert_eq!(thread.join().unwrap().unwrap().status, ExecutionStatus::Cancelled);
    assert_eq!(running.wait().unwrap().status, ExecutionStatus::Cancelled, "it is known without the store");
    let before = {
        let next = VmSystem::open(database(home.path())).unwrap();
        let count = next.executions(session.id(), &ExecutionFilter::default()).unwrap().len();
        assert_eq!(next.sessions(&SessionFilter::default()).unwrap().len(), 3);
        assert_whole(&next, &run);
        count
    };
    let refused = [
        session.record().unwrap_err(),
        session.repl("1").unwrap_err(),
        session.start(Submission::repl("1").key("k".parse().unwrap())).unwrap_err(),
        session.close().unwrap_err(),
        session.globals(false).unwrap_err(),
        bench.vm.create_template(NewTemplate::named("late")).unwrap_err(),
        bench.vm.templates(None, None).unwrap_err(),
        bench.vm.execution(run.id).unwrap_err(),
        bench.vm.stats().unwrap_err(),
        bench.vm.session(session.id()).unwrap_err(),
        watch.look().unwrap_err(),
        of_session.look().unwrap_err(),
    ];
    for error in refused {
        assert_eq!(error.kind(), ErrorKind::ShuttingDown, "{error}");
    }
    bench.vm.shutdown().unwrap();
    bench.vm.stop().unwrap();

    // Nor does what was left behind write anything, while the next one has the file or when it goes.
    let next = VmSystem::open(database(home.path())).unwrap();
    drop((watch, of_session, running, session, stuck, other, bench));
    let record = next.sessions(&SessionFilter::default()).unwrap().remove(0);
    assert_eq!(record.status, SessionStatus::Closed);
    assert_eq!(next.executions(run.session_id, &ExecutionFilter::default()).unwrap().len(), before);
    next.create_template(NewTemplate::named("after")).unwrap();
}

#[test]
fn dropping_the_last_handle_closes_the_sessions() {
    let (bench, home) = Bench::on_disk(|_| {});
    let session = bench.session();
    let run = session.repl("console.log('kept')").unwrap();
    drop(bench);
    // A session's handle is one of the system's.
    assert_eq!(session.repl("1 + 1").unwrap().status, ExecutionStatus::Ok);
    let id = session.id();
    drop(session);
    let vm = VmSystem::open(database(home.path())).unwrap();
    let record = vm.session(id).unwrap().record().unwrap();
    assert_eq!(record.status, SessionStatus::Closed);
    assert_eq!(record.last_error.as_deref(), Some("closed because the system was shut down"));
    assert_whole(&vm, &run);
}

#[test]
fn each_limit_ends_one_execution_and_is_stored_as_answered() {
    use ErrorCode as C;
    use ExecutionStatus as S;
    let bench = Bench::with(|new| {
        let limits = &mut new.settings.limits;
        (limits.mem_mb, limits.max_events, limits.max_output_kb) = (16, 20, 4);
    });
    // Times of its own, so that a busy machine does not make the others run out of time first.
    let timed = Bench::with(|new| (new.settings.limits.cpu_ms, new.settings.limits.wall_ms) = (100, 400));
    let sessions = [bench.session(), timed.session()];
    for session in &sessions {
        session.repl("var kept = 'here'").unwrap();
    }
    for (input, status, code) in [
        ("for (;;);", S::Timeout, C::Timeout),
        ("await new Promise(done => setTimeout(done, 1e6))", S::Timeout, C::Timeout),
        ("{ const all = []; for (;;) all.push([all.length]) }", S::Error, C::OutOfMemory),
        ("for (;;) console.log('x')", S::Error, C::OutputLimitExceeded),
        ("console.log('x'.repeat(5000))", S::Error, C::OutputLimitExceeded),
        ("(function f() { f() })()", S::Error, C::StackOverflow),
        ("await new Promise(() => {})", S::Error, C::Unsettled),
    ] {
        let (bench, session) = if status == S::Timeout { (&timed, &sessions[1]) } else { (&bench, &sessions[0]) };
        let run = session.repl(input).unwrap();
        assert_eq!((run.status, run.error.as_ref().unwrap().code), (status, Some(code)), "{input}");
        assert!(run.events.len() <= 21, "{input}");
        assert_whole(&bench.vm, &run);
        assert_eq!(preview(session.repl("kept").unwrap()), "here", "after {input}");
    }
}

#[test]
fn what_an_execution_leaves_due_is_not_the_next_ones() {
    let bench = Bench::with(|new| new.settings.limits.wall_ms = 1_000);
    let session = bench.session();
    for input in [
        "setTimeout(() => console.log('late'), 1); throw 1",
        "setInterval(() => 0, 1); setTimeout(() => console.log('late'), 1010)",
        "setTimeout(() => { queueMicrotask(() => console.log('late')); throw 1 }, 1)",
        "queueMicrotask(() => console.log('late')); for (;;);",
        "(async () => { await null; console.log('late') })(); for (;;);",
    ] {
        assert_ne!(session.repl(input).unwrap().status, ExecutionStatus::Ok, "{input}");
        let next = session.repl("await new Promise(done => setTimeout(done, 30))").unwrap();
        assert_eq!((next.status, next.events.len()), (ExecutionStatus::Ok, 2), "after {input}: {:?}", next.events);
    }
}

#[test]
fn events_and_executions_come_in_pages() {
    let bench = Bench::new();
    let session = bench.session();
    let run = session.repl("for (let i = 0; i < 10; i++) console.log(i)").unwrap();
    for (after, limit, seqs) in [(0, Some(3), 1..4), (3, Some(3), 4..7), (9, None, 10..13), (12, None, 13..13)] {
        let events = bench.vm.events(run.id, after, limit).unwrap();
        assert!(events.iter().map(|event| event.seq).eq(seqs), "{after} {limit:?}");
    }
    assert_eq!(bench.vm.events(run.id, u64::MAX, None).unwrap(), []);

    let mut all = vec![run.id];
    all.extend((0..6).map(|n| session.repl(format!("{n}")).unwrap().id));
    all.reverse();
    let mut filter = ExecutionFilter::default();
    filter.limit = Some(3);
    let mut seen = Vec::new();
    loop {
        let page = bench.vm.executions(session.id(), &filter).unwrap();
        assert!(page.len() <= 3 && page.iter().all(|run| run.events.is_empty()));
        let Some(last) = page.last() else { break };
        filter.before = Some(last.id);
        seen.extend(page.iter().map(|run| run.id));
    }
    assert_eq!(seen, all);
    for limit in [0, 1_001] {
        filter.limit = Some(limit);
        let error = bench.vm.executions(session.id(), &filter).unwrap_err();
        assert_eq!((error.kind(), error.detail("field")), (ErrorKind::Validation, Some("limit")));
    }
}

#[test]
fn a_file_sees_its_arguments_for_its_own_run_only() {
    let bench = Bench::new();
    bench.file("show.js", "JSON.stringify([__ARGS__, __ENV__, process.argv.slice(1), process.env])");
    let session = bench.session();
    let run = session.run_file(RunFile::new("show.js").arg("n", 1).env("LANG", "en")).unwrap();
    assert_eq!((run.kind, run.path.as_deref()), (ExecutionKind::RunFile, Some("show.js")));
    let expected = r#"[{"n":1},{"LANG":"en"},["show.js","--n=1"],{"LANG":"en"}]"#;
    assert_whole(&bench.vm, &run);
    assert_eq!(preview(run), expected);
    let seen = session.repl("[typeof __ARGS__, typeof __ENV__, Object.keys(process.env).length].join()").unwrap();
    assert_eq!(preview(seen), "undefined,undefined,0");
}

#[test]
fn a_file_that_cannot_be_run_is_refused_without_a_trace() {
    let bench = Bench::new();
    std::fs::create_dir(bench.dir.path().join("folder")).unwrap();
    std::fs::write(bench.dir.path().join("bytes.js"), [0xff, 0xfe]).unwrap();
    let session = bench.session();
    for (path, kind) in [
        ("missing.js", ErrorKind::FileNotFound),
        ("../up.js", ErrorKind::InvalidPath),
        ("/etc/passwd", ErrorKind::InvalidPath),
        ("folder", ErrorKind::InvalidPath),
        ("bytes.js", ErrorKind::InvalidPath),
    ] {
        assert_eq!(session.run_file(RunFile::new(path)).unwrap_err().kind(), kind, "{path}");
    }
    assert_eq!(bench.vm.executions(session.id(), &ExecutionFilter::default()).unwrap(), []);
    assert_eq!(preview(session.repl("'ready'").unwrap()), "ready");
}

#[test]
fn a_guest_that_spoils_its_globals_spoils_only_them() {
    let bench = Bench::with(|new| new.settings.limits.wall_ms = 2_000);
    bench.file("show.js", "typeof __ARGS__ + typeof __ENV__");
    for spoil in [
        "for (const name of ['__ARGS__', '__ENV__', 'process']) Object.defineProperty(globalThis, name, { get() { for (;;); }, set() { for (;;); } })",
        "Object.freeze(process); Object.freeze(globalThis)",
        "Object.setPrototypeOf(globalThis, new Proxy({}, { get() { for (;;); }, has() { return false }, set() { for (;;); } }))",
        "Object.defineProperty(process, 'argv', { get() { for (;;); }, set() { for (;;); }, configurable: false }); Object.prototype.__proto__",
        "for (const key of ['get', 'set', 'value', 'writable', 'toJSON']) Object.defineProperty(Object.prototype, key, { get() { for (;;); }, configurable: true })",
    ] {
        let session = bench.session();
        session.repl(spoil).unwrap();
        let run = session.run_file(RunFile::new("show.js").arg("a", 1)).unwrap();
        assert_whole(&bench.vm, &run);
        let next = session.repl("1 + 1").unwrap();
        assert_eq!((next.status, preview(next)), (ExecutionStatus::Ok, "2".to_owned()), "after {spoil}");
        session.close().unwrap();
    }
    assert_eq!(preview(bench.session().repl("typeof process").unwrap()), "object");
}

#[test]
fn a_session_outlives_its_template() {
    let bench = Bench::new();
    let session = bench.session();
    bench.vm.delete_template(bench.template.id).unwrap();
    assert_eq!(preview(session.repl("1 + 1").unwrap()), "2");
    assert_eq!(session.record().unwrap().template_id, bench.template.id);
    assert_eq!(bench.try_session().unwrap_err().kind(), ErrorKind::TemplateNotFound);
}

#[test]
fn whatever_happens_at_once_everything_ends_and_is_whole() {
    let (bench, _home) = Bench::on_disk(|new| new.settings.limits.wall_ms = 50);
    let inputs = [
        "1",
        "for (;;);",
        "await new Promise(done => setTimeout(done, 5))",
        "throw 1",
        "console.log(1)",
        "for (;;) console.log(1)",
    ];
    let sessions: Vec<Session> = (0..4).map(|_| bench.session()).collect();
    std::thread::scope(|scope| {
        for seed in 0..6 {
            let (bench, sessions) = (&bench, &sessions);
            scope.spawn(move || {
                let mut dice = fastrand::Rng::with_seed(seed);
                for _ in 0..60 {
                    let session = dice.choice(sessions).unwrap();
                    match dice.u8(..20) {
                        0 => _ = session.close().unwrap(),
                        1..=9 => match session.repl(*dice.choice(&inputs).unwrap()) {
                            Ok(run) => assert_whole(&bench.vm, &run),
                            Err(error) => {
                                assert!(
                                    matches!(error.kind(), ErrorKind::SessionBusy | ErrorKind::SessionNotReady),
                                    "{error:?}"
                                );
                            }
                        },
                        10..=13 => {
                            let own = bench.session();
                            _ = own.repl("1").unwrap();
                            _ = own.close().unwrap();
                        }
                        _ => {
                            let list = bench.vm.executions(session.id(), &ExecutionFilter::default()).unwrap();
                            let Some(newest) = list.first() else { continue };
                            match bench.vm.cancel(newest.id) {
                                Ok(run) => assert_whole(&bench.vm, &run),
                                Err(error) => assert_eq!(error.kind(), ErrorKind::ExecutionNotRunning, "{error:?}"),
                            }
                        }
                    }
                }
            });
        }
    });
    for session in &sessions {
        assert_eq!(session.close().unwrap().status, SessionStatus::Closed);
        let mut filter = ExecutionFilter::default();
        filter.limit = Some(1_000);
        let list = bench.vm.executions(session.id(), &filter).unwrap();
        assert!(list.is_sorted_by(|newer, older| newer.id > older.id));
        for run in list {
            assert_whole(&bench.vm, &bench.vm.execution(run.id).unwrap());
        }
    }
    assert_eq!(bench.vm.runtime_summary().active_sessions, 0);
}

#[test]
fn two_sessions_never_draw_the_same_random_bytes() {
    let bench = Bench::new();
    let draw = || preview(bench.session().repl("crypto.randomUUID() + crypto.randomUUID()").unwrap());
    let drawn: std::collections::HashSet<String> = (0..4).map(|_| draw()).collect();
    assert_eq!(drawn.len(), 4);
}
