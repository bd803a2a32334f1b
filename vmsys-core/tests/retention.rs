//! How long history is kept, as a program sees it that embeds the library.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;
use std::time::{Duration, Instant};

use vmsys_core::*;

/// Longer than anything here takes on a busy machine: only a test that has failed waits for so long.
const PATIENCE: Duration = Duration::from_secs(60);

fn system(database: Option<&Path>, set: impl FnOnce(&mut Retention)) -> VmSystem {
    let mut config = Config::default();
    config.database = database.map(Into::into);
    config.durability = Durability::Normal;
    set(&mut config.retention);
    VmSystem::with_config(config).unwrap()
}

fn session(vm: &VmSystem) -> Session {
    let template = match vm.templates(None, None).unwrap().first() {
        Some(template) => template.id,
        None => vm.create_template(NewTemplate::named("t")).unwrap().id,
    };
    vm.create_session(NewSession::new(template, std::env::temp_dir())).unwrap()
}

fn history(vm: &VmSystem, session: SessionId) -> Vec<ExecutionId> {
    let mut filter = ExecutionFilter::default();
    filter.limit = Some(1000);
    vm.executions(session, &filter).unwrap().into_iter().map(|execution| execution.id).collect()
}

fn wait_for(what: &str, mut probe: impl FnMut() -> bool) {
    let start = Instant::now();
    while !probe() {
        assert!(start.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn newest(runs: &[Execution], count: usize) -> Vec<ExecutionId> {
    runs.iter().rev().take(count).map(|execution| execution.id).collect()
}

#[test]
fn the_newest_of_each_session_are_kept_and_go_on_being() {
    let vm = system(None, |retention| retention.keep_executions = Some(3));
    let (busy, quiet) = (session(&vm), session(&vm));
    let kept = [quiet.repl("'quiet'").unwrap()];
    let mut runs = Vec::new();
    for round in 0..3 {
        runs.extend((0..10).map(|n| busy.repl(format!("{round} + {n}")).unwrap()));
        wait_for("the others to be deleted", || history(&vm, busy.id()) == newest(&runs, 3));
    }
    assert_eq!(history(&vm, quiet.id()), newest(&kept, 3));
    for execution in &runs[..27] {
        assert_eq!(vm.execution(execution.id).unwrap_err().kind(), ErrorKind::ExecutionNotFound);
        assert_eq!(vm.events(execution.id, 0, None).unwrap_err().kind(), ErrorKind::ExecutionNotFound);
    }
    assert_eq!(vm.execution(runs[29].id).unwrap(), runs[29]);
    busy.close().unwrap();
    assert_eq!(vm.session(busy.id()).unwrap().record().unwrap().status, SessionStatus::Closed);
}

#[test]
fn what_an_earlier_program_left_is_found() {
    let home = tempfile::tempdir().unwrap();
    let database = home.path().join("vm.db");
    let vm = system(Some(&database), |_| {});
    let first = session(&vm);
    let runs: Vec<_> = (0..20).map(|n| first.repl(n.to_string()).unwrap()).collect();
    let id = first.id();
    assert_eq!(history(&vm, id).len(), 20, "by default nothing goes");
    drop((first, vm));
    let vm = system(Some(&database), |retention| retention.keep_executions = Some(7));
    wait_for("those of before to be deleted", || history(&vm, id) == newest(&runs, 7));
    drop(vm);
    assert_eq!(history(&system(Some(&database), |_| {}), id), newest(&runs, 7));
}

#[test]
fn what_ended_too_long_ago_goes_and_so_does_the_session() {
    let keep_for = Duration::from_millis(200);
    let vm = system(None, |retention| retention.keep_for = Some(keep_for));
    let (alive, closed) = (session(&vm), session(&vm));
    let begun = Instant::now();
    let runs = [&alive, &closed].map(|session| session.repl("1").unwrap());
    closed.close().unwrap();
    wait_for("both to be deleted", || {
        let gone = runs.iter().filter(|run| vm.execution(run.id).is_err()).count();
        assert!(gone == 0 || begun.elapsed() >= keep_for, "too early");
        gone == 2
    });
    wait_for("the closed session to be deleted", || vm.session(closed.id()).is_err());
    assert_eq!(closed.record().unwrap_err().kind(), ErrorKind::SessionNotFound);
    assert_eq!(closed.repl("1").unwrap_err().kind(), ErrorKind::SessionNotFound);
    // The other one lives on, with its state.
    assert_eq!(alive.repl("globalThis.n = (globalThis.n ?? 0) + 1").unwrap().result.unwrap().preview, "1");
    assert_eq!(alive.record().unwrap().status, SessionStatus::Ready);
}

#[test]
fn what_runs_is_kept_however_long_it_takes() {
    let vm = system(None, |retention| {
        retention.keep_executions = Some(0);
        retention.keep_for = Some(Duration::from_millis(20));
    });
    let session = session(&vm);
    let running = session.start(Submission::repl("console.log('a'); await new Promise(go => setTimeout(go, 2500)); 7"));
    let running = running.unwrap();
    // For longer than any rule takes to be looked at: what is not deleted can only be waited for.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(2) {
        assert_eq!(history(&vm, session.id()), [running.id()]);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(running.wait().unwrap().result.unwrap().preview, "7");
    wait_for("it to be deleted", || history(&vm, session.id()).is_empty());
}

#[test]
fn what_was_asked_for_under_a_key_answers_a_repetition() {
    let vm = system(None, |retention| {
        retention.keep_executions = Some(1);
        retention.keep_for = Some(Duration::from_millis(20));
    });
    let session = session(&vm);
    let keyed = || Submission::repl("Math.random()").key("k".parse().unwrap());
    let first = session.start(keyed()).unwrap().wait().unwrap();
    let others: Vec<_> = (0..5).map(|n| session.repl(n.to_string()).unwrap()).collect();
    wait_for("the others to be deleted", || others.iter().all(|run| vm.execution(run.id).is_err()));
    assert_eq!(session.start(keyed()).unwrap().wait().unwrap(), first);
    session.close().unwrap();
    assert_eq!(history(&vm, session.id()), [first.id], "and its session with it");
}

#[test]
fn readers_of_what_is_deleted_come_to_an_end() {
    let keep_for = Duration::from_millis(100);
    let vm = system(None, |retention| retention.keep_for = Some(keep_for));
    let session = session(&vm);
    let run = session.repl("for (let i = 0; i < 500; i++) console.log(i)").unwrap();
    let mut of_execution = vm.watch(run.id, 0).unwrap();
    let mut of_session = vm.watch_session(session.id(), SessionStart::Beginning).unwrap();
    // Each has read a part, and is then slower than the history is kept. Whoever is slower still finds nothing.
    let parts = (of_execution.look(), of_session.look());
    wait_for("the execution to be deleted", || vm.execution(run.id).is_err());
    if let (Ok(seen), Ok(_)) = parts {
        assert!(!of_execution.is_over(), "{} of 502", seen.len());
        assert_eq!(of_execution.look().unwrap_err().kind(), ErrorKind::ExecutionNotFound);
    }
    assert!(of_execution.is_over());
    assert!(of_execution.wait(PATIENCE), "nobody waits for more");
    assert_eq!(of_execution.look().unwrap(), []);
    assert_eq!(vm.watch(run.id, 0).unwrap_err().kind(), ErrorKind::ExecutionNotFound);

    // The session is followed on behind the gap, from the old place and from a cursor into it.
    let cursor = format!("{}:3", run.id).parse().unwrap();
    let resumed = vm.watch_session(session.id(), SessionStart::After(cursor)).unwrap();
    let next = session.repl("'next'").unwrap();
    for mut watch in [of_session, resumed] {
        let mut seen = Vec::new();
        let begun = Instant::now();
        while seen.is_empty() && begun.elapsed() < PATIENCE && vm.execution(next.id).is_ok() {
            seen = watch.look().unwrap();
            watch.wait(Duration::from_millis(10));
        }
        let of_next = |news: &SessionNews| matches!(news, SessionNews::Event(event) if event.execution_id == next.id);
        assert!(seen.iter().all(of_next), "{seen:?}");

        // Either its end is told, or that it is gone already.
        if let Err(error) = session.close() {
            assert_eq!(error.kind(), ErrorKind::SessionNotFound);
        }
        let begun = Instant::now();
        while !watch.is_over() {
            assert!(begun.elapsed() < PATIENCE, "a watch without an end");
            if let Err(error) = watch.look() {
                assert_eq!(error.kind(), ErrorKind::SessionNotFound);
            }
            watch.wait(Duration::from_millis(10));
        }
    }
}

#[test]
fn a_shutdown_does_not_wait_for_what_is_left_to_delete() {
    let home = tempfile::tempdir().unwrap();
    let database = home.path().join("vm.db");
    let vm = system(Some(&database), |_| {});
    let first = session(&vm);
    // A thousand events each: as many steps as there are executions, with as many rests.
    let runs = 60;
    (0..runs).for_each(|_| drop(first.repl("for (let i = 0; i < 900; i++) console.log(i)").unwrap()));
    let id = first.id();
    drop((first, vm));
    let vm = system(Some(&database), |retention| retention.keep_executions = Some(0));
    wait_for("it to have begun", || history(&vm, id).len() < runs);
    let begun = Instant::now();
    vm.shutdown().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    drop(vm);
    // What is left is whole, and is deleted by the next one.
    let vm = system(Some(&database), |_| {});
    for id in history(&vm, id) {
        assert_eq!(vm.execution(id).unwrap().events.len(), 902);
    }
    drop(vm);
    let vm = system(Some(&database), |retention| retention.keep_executions = Some(0));
    wait_for("the rest to be deleted", || history(&vm, id).is_empty());
}
