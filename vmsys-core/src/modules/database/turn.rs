//! The call that a thread is busy with: SQLite asks by it, deep inside a statement, whether to go on.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use crate::modules::CallContext;

/// How long a database that somebody else writes to is waited for.
const BUSY: Duration = Duration::from_secs(5);
const BUSY_STEP: Duration = Duration::from_millis(2);

thread_local! {
    static CURRENT: RefCell<Option<Turn>> = const { RefCell::new(None) };
}

enum Turn {
    Call { context: CallContext },
    Opening { deadline: Instant },
}

/// Does something for a call.
pub(super) fn of<T>(context: &CallContext, body: impl FnOnce() -> T) -> T {
    take(Turn::Call { context: context.clone() }, body)
}

/// Does something before there are calls, for so long at most.
pub(super) fn opening<T>(at_most: Duration, body: impl FnOnce() -> T) -> T {
    take(Turn::Opening { deadline: Instant::now() + at_most }, body)
}

fn take<T>(turn: Turn, body: impl FnOnce() -> T) -> T {
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            CURRENT.take();
        }
    }
    CURRENT.set(Some(turn));
    let _end = End;
    body()
}

/// Tells whether the call is past a limit. When a session ends, and its database is closed, nothing is.
pub(super) fn must_stop() -> bool {
    CURRENT.with_borrow(|turn| match turn {
        None => false,
        Some(Turn::Opening { deadline }) => Instant::now() >= *deadline,
        Some(Turn::Call { context }) => context.should_stop() || context.cpu_left().is_zero(),
    })
}

/// Waits a moment for somebody else's lock; false gives up.
pub(super) fn wait_for_lock(times: i32) -> bool {
    let waited = BUSY_STEP.saturating_mul(u32::try_from(times).unwrap_or(0));
    if waited >= BUSY || must_stop() {
        return false;
    }
    std::thread::sleep(BUSY_STEP);
    true
}
