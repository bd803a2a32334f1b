//! Sessions as a program sees them that embeds the library: life cycles, concurrency, limits, and what is left when
//! something goes wrong.
//!
//! Nothing here sleeps to be right. A test that waits for something asks for it again and again, up to [`PATIENCE`].

use std::path::Path;
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
