//! How much a system takes on at once, and for how long it keeps sessions that nobody uses.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::Inner;
use crate::error::{Error, ErrorKind, Result};
use crate::execution::ExecutionKind;
use crate::session::LiveSession;

/// What a [`VmSystem`](crate::VmSystem) takes on at once; what is more is refused with
/// [`LimitReached`](ErrorKind::LimitReached), and can be tried again later.
///
/// Nothing is bounded by default: what a program can bear, it knows better. This does *not* bound how much memory or
/// processor time sessions take together: that follows from the limits of their templates.
///
/// ```
/// use vmsys_core::{Config, ErrorKind, NewSession, NewTemplate, VmSystem};
/// let mut config = Config::default();
/// config.bounds.max_sessions = Some(1);
/// let vm = VmSystem::with_config(config)?;
/// let template = vm.create_template(NewTemplate::named("t"))?;
/// let first = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
/// let refused = vm.create_session(NewSession::new(template.id, std::env::temp_dir())).unwrap_err();
/// assert_eq!(refused.kind(), ErrorKind::LimitReached);
/// first.close()?;
/// vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
/// # Ok::<(), vmsys_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Bounds {
    /// Sessions that are alive, those that are being started among them.
    pub max_sessions: Option<usize>,
    /// Executions that run. Startup files count, and a session that has some is refused while this is reached; but those
    /// of one that is being started run on, so that together they can be more.
    pub max_running: Option<usize>,
    /// How long a session may have run nothing before it is closed, with a `last_error` that says so. To read a session,
    /// its executions or their events is no use of it. One may live longer than this by a quarter of it, or a second.
    pub session_idle_timeout: Option<Duration>,
}

/// The bounds of a system, and the places that are promised to sessions that are not in its table yet.
#[derive(Debug)]
pub(super) struct Gate {
    bounds: Bounds,
    /// Changed only while the table of sessions is locked, so that together they are one number.
    promised: AtomicUsize,
}

/// A place for a session, until it is in the table: it is given back when this is dropped.
#[derive(Debug)]
pub(super) struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Gate {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, promised: AtomicUsize::new(0) }
    }

    pub(super) fn session_idle_timeout(&self) -> Option<Duration> {
        self.bounds.session_idle_timeout
    }

    /// Refuses one more execution when so many run already.
    pub(super) fn admit_execution(&self, kind: ExecutionKind, running: usize) -> Result<()> {
        match self.bounds.max_running {
            // Those of a session that was let in run on: half of a startup is worse than one execution too many.
            Some(most) if running >= most && kind != ExecutionKind::Startup => {
                Err(reached("max_running", most, "executions run"))
            }
            _ => Ok(()),
        }
    }
}

impl Inner {
    /// Promises a place to a session that is about to be made.
    pub(super) fn admit_session(&self, has_startup: bool) -> Result<Place<'_>> {
        if has_startup {
            self.gate.admit_execution(ExecutionKind::RunFile, self.lock_running().len())?;
        }
        let sessions = self.sessions.write().unwrap_or_else(PoisonError::into_inner);
        let taken = sessions.len() + self.gate.promised.load(Ordering::Acquire);
        match self.gate.bounds.max_sessions {
            Some(most) if taken >= most => return Err(reached("max_sessions", most, "sessions are alive")),
            _ => {}
        }
        self.gate.promised.fetch_add(1, Ordering::AcqRel);
        drop(sessions);
        Ok(Place(&self.gate.promised))
    }

    /// Puts a session into the table, in the place that was promised to it.
    pub(super) fn seat(&self, place: Place<'_>, session: &Arc<LiveSession>) {
        let mut sessions = self.sessions.write().unwrap_or_else(PoisonError::into_inner);
        sessions.insert(session.id, session.clone());
        drop(place);
    }

    /// Closes the sessions that have been idle for longer than they may.
    pub(super) fn close_idle_sessions(&self, timeout: Duration) {
        let sessions: Vec<_> = self.sessions.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let reason = format!("closed because nothing ran in it for {timeout:?}");
        for session in sessions.iter().filter(|session| session.begin_closing_if_idle(timeout)) {
            match session.close(Some(&reason), &self.store) {
                Ok(_) => {
                    tracing::info!(session_id = %session.id, reason, "session closed");
                    self.forget_session(session.id);
                }
                // It is open as before; the next look tries again.
                Err(error) => tracing::error!(session_id = %session.id, ?error, "an idle session could not be closed"),
            }
        }
    }
}

fn reached(limit: &'static str, most: usize, what: &str) -> Error {
    Error::new(ErrorKind::LimitReached, format!("{what}, as many as there may be: {most}"))
        .with("limit", limit)
        .with("most", most)
}
