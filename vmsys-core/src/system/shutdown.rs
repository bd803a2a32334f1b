//! The end of a system: of what runs, of its sessions, and of its hold on the file.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use super::{CLOSED_BY_SHUTDOWN, Inner, Running, VmSystem};
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::Result;

/// What an execution says that a shutdown ended.
const SHUT_DOWN: &str = "execution cancelled: the system was shut down";
/// How many sessions are closed side by side at a shutdown.
const CLOSERS: usize = 16;

impl VmSystem {
    /// Ends everything in order, and lets go of the database: takes no new work, cancels what runs, stores it, closes all
    /// sessions, and closes the file. Calling it again does nothing more.
    ///
    /// Then another system can open the database, also while there are handles of this one: of the system, its sessions,
    /// executions and watches. Whatever they are asked that needs the store is answered with
    /// [`ShuttingDown`](ErrorKind::ShuttingDown), and nothing of theirs is written, not even by a thread that was left behind.
    /// What was kept in memory is gone. [`stop`](Self::stop) is for readers who are to learn the end first.
    ///
    /// # Errors
    /// The first session or execution whose end could not be stored; the others end all the same, and the file is let go of.
    ///
    /// ```
    /// # use vmsys_core::{ErrorKind, NewSession, NewTemplate, VmSystem};
    /// # let directory = tempfile::tempdir().map_err(|_| "no directory")?;
    /// # let database = directory.path().join("vm.db");
    /// let vm = VmSystem::open(&database)?;
    /// let template = vm.create_template(NewTemplate::named("t"))?;
    /// let session = vm.create_session(NewSession::new(template.id, directory.path()))?;
    /// assert!(VmSystem::open(&database).unwrap_err().message().contains("this program itself"));
    ///
    /// vm.shutdown()?;
    /// assert_eq!(session.record().unwrap_err().kind(), ErrorKind::ShuttingDown);
    /// let next = VmSystem::open(&database)?; // though `vm` and `session` are still there
    /// assert_eq!(next.session(session.id())?.record()?.last_error.as_deref(), Some("closed because the system was shut down"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shutdown(&self) -> Result<()> {
        self.inner.shutdown()
    }

    /// Ends everything in order as [`shutdown`](Self::shutdown) does, and leaves the store open for reading: what a server
    /// does whose clients are still to be told how their executions ended. It takes no new work any more; `shutdown`, or the
    /// last handle that goes, closes the file.
    ///
    /// # Errors
    /// As `shutdown`.
    pub fn stop(&self) -> Result<()> {
        self.inner.stop()
    }
}

impl Inner {
    pub(super) fn shutdown(&self) -> Result<()> {
        if self.store.is_closed() {
            return Ok(());
        }
        let stopped = self.stop();
        stopped.and(self.store.close())
    }

    fn stop(&self) -> Result<()> {
        self.shutting_down.store(true, Ordering::Release);
        let sessions: Vec<_> = self.sessions.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        // All at once: each may take its grace time to end.
        for live in sessions.iter().filter_map(|session| session.running()) {
            live.request_stop(SHUT_DOWN);
        }
        let queue = Mutex::new(sessions.into_iter());
        let first_error = Mutex::new(None);
        let close_some = || {
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some(session) = next else { return };
                match session.close(Some(CLOSED_BY_SHUTDOWN), &self.store) {
                    Ok(_) => self.forget_session(session.id),
                    Err(error) => {
                        first_error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    }
                }
            }
        };
        // Side by side, so that the store commits many of them at once; with fewer where no more threads are to be had.
        std::thread::scope(|scope| {
            for _ in 1..CLOSERS {
                if std::thread::Builder::new().spawn_scoped(scope, close_some).is_err() {
                    break;
                }
            }
            close_some();
        });
        self.housekeeping.stop();
        self.workers.stop();
        let unsaved: Vec<Running> = self.lock_running().drain().map(|(_, running)| running).collect();
        for Running { live, .. } in unsaved {
            if let Err(error) = live.save_progress(&self.store) {
                first_error.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
            }
        }
        first_error.into_inner().unwrap_or_else(PoisonError::into_inner).map_or(Ok(()), Err)
    }
}
