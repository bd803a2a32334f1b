//! A session's thread: its realm lives there.

use std::sync::mpsc::{Receiver, RecvError, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::home::{After, Task};
use super::os_thread::OsThread;
use super::protocol::{NotMade, RealmConfig};
use super::spin::spin;
use crate::engine::QuickRealm;

/// Address space for the thread's stack: touched only as far as it is used. A chain of native iterator helpers goes
/// far past the engine's own stack limit, and past the 2 MB that threads usually get.
const STACK_BYTES: usize = 256 << 20;
/// How long a thread stays awake for the next task of a caller who is alone.
const SPIN: Duration = Duration::from_micros(30);
/// How long closing waits for a runtime to be taken apart; a big heap takes a while.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a realm may take to be made beyond what its libraries may take.
const GRACE: Duration = Duration::from_secs(10);

/// A realm's thread. Dropping it lets the thread end once its task is done.
#[derive(Debug)]
pub(crate) struct RealmThread {
    tasks: Sender<Task>,
    os: OsThread,
    handle: JoinHandle<()>,
}

impl RealmThread {
    /// Starts a thread and makes its realm.
    ///
    /// # Errors
    /// Besides the realm's own: a library is in native code that does not end. Then its thread is left behind.
    pub(super) fn start(config: RealmConfig) -> Result<Self, NotMade> {
        Self::start_within(config, GRACE)
    }

    fn start_within(config: RealmConfig, grace: Duration) -> Result<Self, NotMade> {
        let libraries = u32::try_from(config.libraries.len()).unwrap_or(u32::MAX);
        let patience = config.limits.wall.saturating_mul(libraries).saturating_add(grace);
        let (tasks, queue) = channel();
        let (begun, os) = channel();
        let (ready, made) = channel();
        let handle = std::thread::Builder::new()
            .name("vm-session".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || {
                let thread = OsThread::current();
                if let Err(error) = thread.yield_to_others() {
                    tracing::debug!(%error, "a session's thread is as important as any other");
                }
                let _ = begun.send(thread);
                match QuickRealm::new(&config) {
                    Ok(realm) => {
                        let _ = ready.send(Ok(()));
                        serve(realm, &queue);
                    }
                    Err(error) => drop(ready.send(Err(error))),
                }
            })
            .map_err(|error| NotMade::Engine(format!("the session's thread could not be started: {error}")))?;
        let ended = || NotMade::Engine("the session's thread ended at once".to_owned());
        let thread = Self { tasks, os: os.recv().map_err(|_| ended())?, handle };
        match made.recv_timeout(patience) {
            Ok(made) => made.map(|()| thread),
            Err(RecvTimeoutError::Disconnected) => Err(ended()),
            Err(RecvTimeoutError::Timeout) => {
                thread.abandon();
                let why = "a library did not stop at the template's limits: it is in native code that takes too long";
                Err(NotMade::Library(why.to_owned()))
            }
        }
    }

    /// Names the thread to the operating system.
    pub(super) fn os_thread(&self) -> OsThread {
        self.os
    }

    /// Gives the realm something to do; false when the thread has ended.
    pub(super) fn submit(&self, task: Task) -> bool {
        self.tasks.send(task).is_ok()
    }

    /// Ends the thread and waits, within bounds, until its runtime is gone.
    pub(super) fn close(self) {
        drop(self.tasks);
        let started = Instant::now();
        let mut pause = Duration::from_micros(50);
        while !self.handle.is_finished() && started.elapsed() < PATIENCE {
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(5));
        }
    }

    /// Leaves the thread behind, which cannot be stopped: it gets processor time only when nothing else wants it.
    pub(super) fn abandon(self) {
        if let Err(error) = self.os.demote() {
            tracing::warn!(%error, "a stuck thread could not be demoted");
        }
    }
}

fn serve(mut realm: QuickRealm, queue: &Receiver<Task>) {
    let mut next = queue.recv();
    while let Ok(task) = next {
        // The task says whether anything else runs in the system: if not, its caller may have more to do right away.
        next = match task(&mut realm) {
            After::Spin => spin_for_task(queue),
            After::Sleep => queue.recv(),
        };
    }
}

fn spin_for_task(queue: &Receiver<Task>) -> Result<Task, RecvError> {
    let mut task = None;
    spin(SPIN, || {
        task = queue.try_recv().ok();
        task.is_some()
    });
    task.map_or_else(|| queue.recv(), Ok)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::isolation::protocol::{JobLimits, LibraryCode};

    #[test]
    fn a_library_that_is_stuck_is_left_behind() {
        let limits = JobLimits {
            cpu: Duration::from_millis(50),
            wall: Duration::from_millis(50),
            memory_bytes: 64 << 20,
            output_bytes: 1 << 10,
            events: 10,
        };
        let library = LibraryCode {
            file: "stuck.js".to_owned(),
            // Native code between two polls; it ends some time after the test.
            source: "var a = 2n ** 1000000n - 1n, b = 2n ** 500000n - 1n; for (;;) a % b".to_owned(),
            integrity: "stuck".to_owned(),
            global: None,
            sets: None,
        };
        let config = RealmConfig { libraries: vec![library], limits, ..RealmConfig::default() };
        match RealmThread::start_within(config, Duration::from_millis(200)) {
            Err(NotMade::Library(why)) => assert!(why.contains("did not stop at the template's limits"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}
