//! Where a session's realm lives, and how it is given something to do: on a thread of its own, which it never leaves, or in
//! a worker process, which any thread may drive.

use super::far::RealmProcess;
use super::os_thread::OsThread;
use super::process::Worker;
use super::protocol::{NotMade, Realm, RealmConfig};
use super::thread::RealmThread;

/// What a realm is given to do.
pub(crate) type Task = Box<dyn FnOnce(&mut dyn Realm) -> After + Send>;

/// How a realm's thread waits for its next task.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// Awake for a moment.
    Spin,
    /// Asleep.
    Sleep,
}

/// Where a realm lives. Dropping it lets the realm end once its task is done.
#[derive(Debug)]
pub(crate) enum Home {
    Thread(RealmThread),
    Process(RealmProcess),
}

impl Home {
    /// Makes a realm, in a worker or on a thread.
    ///
    /// # Errors
    /// Besides the realm's own: a library is in native code that does not end. Then its thread is left behind.
    pub(crate) fn make(config: RealmConfig, worker: Option<Worker>) -> Result<Self, NotMade> {
        Ok(match worker {
            Some(worker) => Self::Process(RealmProcess::new(worker, config.identity())?),
            None => Self::Thread(RealmThread::start(config)?),
        })
    }

    /// Names what the realm runs on to the operating system.
    pub(crate) fn os_thread(&self) -> OsThread {
        match self {
            Self::Thread(thread) => thread.os_thread(),
            Self::Process(process) => process.os_thread(),
        }
    }

    /// Tells whether its worker process has ended, if it has one.
    pub(crate) fn has_lost_worker(&self) -> bool {
        match self {
            Self::Thread(_) => false,
            Self::Process(process) => process.is_gone(),
        }
    }

    /// Tells whether it has a worker process that nobody drives at the moment.
    pub(crate) fn is_left_alone(&self) -> bool {
        matches!(self, Self::Process(process) if process.is_left_alone())
    }

    /// Gives the realm something to do, for which nobody waits here; false when it can do nothing any more.
    pub(crate) fn submit(&self, task: Task) -> bool {
        match self {
            Self::Thread(thread) => thread.submit(task),
            Self::Process(process) => process.submit(task),
        }
    }

    /// Ends its worker process in the middle of what it does, if it has one: whoever drives it hears of it at once.
    pub(crate) fn cut_off(&self) {
        if let Self::Process(process) = self {
            process.cut_off();
        }
    }

    /// Ends the realm and waits, within bounds, until it is gone.
    pub(crate) fn close(self) {
        match self {
            Self::Thread(thread) => thread.close(),
            Self::Process(process) => process.close(),
        }
    }

    /// Ends its worker process; without one, leaves the thread behind, which cannot be stopped.
    pub(crate) fn abandon(self) {
        match self {
            Self::Thread(thread) => thread.abandon(),
            Self::Process(process) => process.cut_off(),
        }
    }
}
