//! What a system takes on at once, and for how long it keeps what nobody uses.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use vmsys_core::*;

/// Longer than anything here takes on a busy machine: only a test that has failed waits for so long.
const PATIENCE: Duration = Duration::from_secs(60);

fn system(set: impl FnOnce(&mut Bounds)) -> (VmSystem, Template) {
    let mut config = Config::default();
    set(&mut config.bounds);
    let vm = VmSystem::with_config(config).unwrap();
    let template = vm.create_template(NewTemplate::named("t")).unwrap();
    (vm, template)
}

fn session(vm: &VmSystem, template: &Template) -> Result<Session> {
    vm.create_session(NewSession::new(template.id, std::env::temp_dir()))
}

fn wait_for(what: &str, mut probe: impl FnMut() -> bool) {
    let start = Instant::now();
    while !probe() {
        assert!(start.elapsed() < PATIENCE, "waited for {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn no_more_sessions_are_made_than_there_may_be_also_all_at_once() {
    let (vm, template) = system(|bounds| bounds.max_sessions = Some(3));
    let (made, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..12 {
            scope.spawn(|| match session(&vm, &template) {
                Ok(_) => made.fetch_add(1, Ordering::SeqCst),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::LimitReached, "{error:?}");
                    assert_eq!(error.detail("limit"), Some("max_sessions"));
                    refused.fetch_add(1, Ordering::SeqCst)
                }
            });
        }
    });
    assert_eq!((made.into_inner(), refused.into_inner()), (3, 9));
    let all = vm.sessions(&SessionFilter::default()).unwrap();
    assert_eq!(all.len(), 3, "what is refused leaves no row");
    vm.session(all[0].id).unwrap().close().unwrap();
    session(&vm, &template).unwrap();
    assert!(session(&vm, &template).unwrap_err().is_transient());
}

#[test]
fn a_place_that_came_to_nothing_is_given_back() {
    let (vm, template) = system(|bounds| bounds.max_sessions = Some(1));
    for _ in 0..3 {
        let nowhere = NewSession::new(template.id, "/nonexistent/worktree");
        assert_eq!(vm.create_session(nowhere).unwrap_err().kind(), ErrorKind::InvalidPath);
    }
    session(&vm, &template).unwrap();
}

#[test]
fn no_more_executions_run_than_may() {
    let (vm, template) = system(|bounds| bounds.max_running = Some(1));
    let (busy, other) = (session(&vm, &template).unwrap(), session(&vm, &template).unwrap());
    std::thread::scope(|scope| {
        let run = scope.spawn(|| busy.repl("for (;;);").unwrap());
        let running = || vm.executions(busy.id(), &ExecutionFilter::default()).unwrap();
        wait_for("the loop", || !running().is_empty());
        let refused = other.repl("1").unwrap_err();
        assert_eq!((refused.kind(), refused.detail("limit")), (ErrorKind::LimitReached, Some("max_running")));
        vm.cancel(running()[0].id).unwrap();
        assert_eq!(run.join().unwrap().status, ExecutionStatus::Cancelled);
    });
    assert_eq!(other.repl("2").unwrap().status, ExecutionStatus::Ok);
    assert_eq!(vm.executions(other.id(), &ExecutionFilter::default()).unwrap().len(), 1);
}

#[test]
fn idle_sessions_are_closed_with_a_reason_and_busy_ones_are_not() {
    let timeout = Duration::from_millis(300);
    let (vm, template) = system(|bounds| bounds.session_idle_timeout = Some(timeout));
    let (idle, busy) = (session(&vm, &template).unwrap(), session(&vm, &template).unwrap());
    // It runs four times as long as a session may be idle.
    let run = busy.repl("await new Promise(done => setTimeout(done, 1200)); 'done'").unwrap();
    assert_eq!(run.status, ExecutionStatus::Ok, "{run:?}");
    wait_for("both to be closed", || vm.runtime_summary().active_sessions == 0);
    for session in [idle, busy] {
        let record = session.record().unwrap();
        assert_eq!(record.status, SessionStatus::Closed);
        assert_eq!(record.last_error.as_deref(), Some("closed because nothing ran in it for 300ms"));
        assert_eq!(session.repl("1").unwrap_err().kind(), ErrorKind::SessionNotReady);
    }
}

#[test]
fn use_keeps_a_session_open() {
    let timeout = Duration::from_millis(400);
    let (vm, template) = system(|bounds| bounds.session_idle_timeout = Some(timeout));
    let session = session(&vm, &template).unwrap();
    let start = Instant::now();
    let mut last = start;
    while start.elapsed() < 3 * timeout {
        let before = Instant::now();
        match session.repl("1") {
            Ok(_) => last = before,
            // Only a machine that was busy elsewhere for so long may find it closed.
            Err(error) => return assert!(last.elapsed() >= timeout, "{error:?}"),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
