//! A session that is alive: its phases, its thread, and what may be done when.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{ConsoleSink, Ended, Looks, SessionRecord, SessionStatus};
use crate::bell::Bell;
use crate::error::{Error, ErrorKind, Result};
use crate::execution::{Execution, LiveExecution};
use crate::ids::SessionId;
use crate::isolation::home::{Home, Task};
use crate::isolation::os_thread::OsThread;
use crate::isolation::protocol::Outcome;
use crate::modules::SessionModules;
use crate::store::Store;
use crate::template::Settings;
use crate::time::Timestamp;
use crate::worktree::Worktree;

/// A session with a runtime.
pub(crate) struct LiveSession {
    pub(crate) id: SessionId,
    pub(crate) settings: Settings,
    pub(crate) worktree: Worktree,
    pub(crate) modules: Arc<SessionModules>,
    /// Rung when there is something new to read: an event, an execution, another status.
    pub(crate) bell: Arc<Bell>,
    /// Told what is printed, as it comes.
    pub(crate) console: Option<ConsoleSink>,
    /// Held from the moment at which an execution gets its id until it has begun or was refused, so that ids are in the
    /// order in which executions ran: whoever reads along goes from one to the next.
    pub(crate) order: Mutex<()>,
    state: Mutex<State>,
    changed: Condvar,
    /// It has crashed, and the store could not take that yet. Changed only while the state is held.
    unstored: AtomicBool,
    /// What was seen of its globals, without the built-in ones and with them.
    looks: [Looks; 2],
}

struct State {
    phase: Phase,
    /// Somebody closes it: nothing new may begin.
    closing: bool,
    record: SessionRecord,
    home: Option<Home>,
    /// The executions that have ended in it.
    ended: Ended,
}

/// Where a live session stands. What is legal in each phase is decided here and nowhere else:
///
/// | phase    | begin startup | begin execution | ready   | crash   | close        |
/// | ---      | ---           | ---             | ---     | ---     | ---          |
/// | Starting | Starting      | NOT_READY       | Idle    | Gone    | cancel, Gone |
/// | Idle     | -             | Running         | -       | Gone    | Gone         |
/// | Running  | -             | BUSY            | -       | Gone    | cancel, Gone |
/// | Gone     | NOT_READY     | NOT_READY       | NOT_READY | Gone  | Gone         |
enum Phase {
    Starting(Option<Arc<LiveExecution>>),
    /// Since when.
    Idle(Instant),
    Running(Arc<LiveExecution>),
    Gone,
}

impl LiveSession {
    pub(crate) fn starting(
        record: SessionRecord,
        settings: Settings,
        worktree: Worktree,
        modules: Arc<SessionModules>,
        console: Option<ConsoleSink>,
    ) -> Arc<Self> {
        Arc::new(Self {
            id: record.id,
            settings,
            worktree,
            modules,
            bell: Arc::new(Bell::default()),
            console,
            order: Mutex::new(()),
            state: Mutex::new(State {
                phase: Phase::Starting(None),
                closing: false,
                record,
                home: None,
                ended: Ended::default(),
            }),
            changed: Condvar::new(),
            unstored: AtomicBool::new(false),
            looks: [Looks::from_nothing(), Looks::of_built_ins()],
        })
    }

    /// Returns its record as it is now.
    pub(crate) fn record(&self) -> SessionRecord {
        self.lock().record.clone()
    }

    /// Tells whether it holds a runtime.
    pub(crate) fn is_alive(&self) -> bool {
        !matches!(self.lock().phase, Phase::Gone)
    }

    /// Returns what runs in it.
    pub(crate) fn running(&self) -> Option<Arc<LiveExecution>> {
        match &self.lock().phase {
            Phase::Starting(Some(live)) | Phase::Running(live) => Some(live.clone()),
            Phase::Starting(None) | Phase::Idle(_) | Phase::Gone => None,
        }
    }

    /// Names what its realm runs on to the operating system.
    pub(crate) fn os_thread(&self) -> Option<OsThread> {
        self.lock().home.as_ref().map(Home::os_thread)
    }

    /// Gives it the place that its realm lives in.
    ///
    /// # Errors
    /// It was closed meanwhile.
    pub(crate) fn attach(&self, home: Home) -> Result<()> {
        let mut state = self.lock();
        if state.closing || matches!(state.phase, Phase::Gone) {
            return Err(self.not_ready(&state));
        }
        state.home = Some(home);
        Ok(())
    }

    /// Begins a startup file's execution.
    pub(crate) fn begin_startup(&self, live: &Arc<LiveExecution>) -> Result<()> {
        let mut state = self.lock();
        match state.phase {
            Phase::Starting(None) if !state.closing => state.phase = Phase::Starting(Some(live.clone())),
            _ => return Err(self.not_ready(&state)),
        }
        drop(state);
        self.bell.ring();
        Ok(())
    }

    /// Begins an execution.
    ///
    /// # Errors
    /// `SESSION_BUSY` while another one runs, `SESSION_NOT_READY` before startup has ended and after the end.
    pub(crate) fn begin(&self, live: &Arc<LiveExecution>) -> Result<()> {
        let mut state = self.lock();
        if state.closing {
            return Err(self.not_ready(&state));
        }
        match &state.phase {
            Phase::Idle(_) => state.phase = Phase::Running(live.clone()),
            Phase::Running(other) => return Err(self.busy(other)),
            Phase::Starting(_) | Phase::Gone => return Err(self.not_ready(&state)),
        }
        drop(state);
        self.bell.ring();
        Ok(())
    }

    /// Gives the realm something to do; false when it is gone.
    pub(crate) fn submit(&self, task: Task) -> bool {
        self.lock().home.as_ref().is_some_and(|home| home.submit(task))
    }

    /// Gives the realm something to do that the caller waits for, and so does it here where that can be done.
    pub(crate) fn perform(&self, task: Task) -> bool {
        let process = match &self.lock().home {
            Some(Home::Process(process)) => process.clone(),
            Some(home) => return home.submit(task),
            None => return false,
        };
        process.run(task);
        true
    }

    /// Ends its worker process in the middle of what runs, if it has one.
    pub(crate) fn cut_off(&self) {
        if let Some(home) = &self.lock().home {
            home.cut_off();
        }
    }

    /// Gives the realm something to do that is no execution, while none runs; and tells which have ended before that.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub(crate) fn submit_idle(&self, task: Task) -> Result<Ended> {
        let state = self.lock();
        self.must_be_idle(&state)?;
        if !state.home.as_ref().is_some_and(|home| home.submit(task)) {
            return Err(self.not_ready(&state));
        }
        Ok(state.ended)
    }

    /// Tells why nothing could be asked of it now, if so.
    ///
    /// # Errors
    /// As [`begin`](Self::begin).
    pub(crate) fn check_idle(&self) -> Result<()> {
        self.must_be_idle(&self.lock())
    }

    fn must_be_idle(&self, state: &State) -> Result<()> {
        match &state.phase {
            Phase::Idle(_) if !state.closing => Ok(()),
            Phase::Running(other) if !state.closing => Err(self.busy(other)),
            _ => Err(self.not_ready(state)),
        }
    }

    /// What was seen of its globals; of the built-in ones, too, if so.
    pub(crate) fn looks(&self, builtins: bool) -> &Looks {
        let [without, with] = &self.looks;
        if builtins { with } else { without }
    }

    /// The execution that was begun is over, and the runtime can be used on.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        if let Phase::Starting(Some(live)) | Phase::Running(live) = &state.phase {
            state.ended = Ended { count: state.ended.count + 1, last: Some(live.id) };
        }
        match state.phase {
            Phase::Starting(_) => state.phase = Phase::Starting(None),
            Phase::Running(_) => state.phase = Phase::Idle(Instant::now()),
            Phase::Idle(_) | Phase::Gone => {}
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Startup has ended well.
    pub(crate) fn ready(&self, store: &Store) -> Result<SessionRecord> {
        let mut state = self.lock();
        if state.closing || !matches!(state.phase, Phase::Starting(None)) {
            return Err(self.not_ready(&state));
        }
        store.update_session(self.id, SessionStatus::Ready, None, None)?;
        state.phase = Phase::Idle(Instant::now());
        state.record.status = SessionStatus::Ready;
        let record = state.record.clone();
        drop(state);
        self.bell.ring();
        Ok(record)
    }

    /// The runtime is lost: the session is over, with a reason. `stuck` says that its thread does not stop.
    pub(crate) fn crash(&self, reason: &str, stuck: bool, store: &Store) {
        let state = self.lock();
        if matches!(state.phase, Phase::Gone) {
            return;
        }
        // Stored before anybody is told: whoever waits to close it would write `closed`, and be overwritten by this.
        let stored = store.update_session(self.id, SessionStatus::Crashed, None, Some(reason));
        self.note_crash(state, reason, stuck, stored.err());
    }

    /// The same with the end of what runs in it, which is stored along with the crash.
    ///
    /// # Errors
    /// That end could not be stored, nor could the crash.
    pub(crate) fn crash_with(
        &self,
        live: &LiveExecution,
        outcome: Outcome,
        reason: &str,
        stuck: bool,
        store: &Store,
    ) -> Result<Arc<Execution>> {
        let state = self.lock();
        if matches!(state.phase, Phase::Gone) {
            drop(state);
            return live.finish(outcome, store);
        }
        let ended = live.finish_last(outcome, reason, store);
        self.note_crash(state, reason, stuck, ended.as_ref().err().cloned());
        ended
    }

    /// `unstored` says why the store does not know yet, if so.
    fn note_crash(&self, mut state: MutexGuard<'_, State>, reason: &str, stuck: bool, unstored: Option<Error>) {
        tracing::warn!(session_id = %self.id, reason, "session crashed");
        if let Some(error) = unstored {
            tracing::error!(session_id = %self.id, ?error, "the crash of a session could not be stored; it is tried again");
            self.unstored.store(!error.is_not_found(), Ordering::Release);
        }
        state.phase = Phase::Gone;
        state.record.status = SessionStatus::Crashed;
        state.record.last_error = Some(reason.to_owned());
        let home = state.home.take();
        drop(state);
        self.changed.notify_all();
        self.bell.ring();
        match home {
            Some(home) if stuck => home.abandon(),
            // Dropped, not closed: this may run on the very thread that would be waited for.
            Some(home) => drop(home),
            None => {}
        }
        // A stuck thread may be within one of them: then they are closed when it comes back.
        self.modules.close();
    }

    /// Tells whether it has crashed and the store does not know.
    pub(crate) fn is_unstored(&self) -> bool {
        self.unstored.load(Ordering::Acquire)
    }

    /// Stores that it has crashed, unless the store knows.
    pub(crate) fn store_crash(&self, store: &Store) -> Result<()> {
        self.store_crash_of(&self.lock(), store)
    }

    fn store_crash_of(&self, state: &State, store: &Store) -> Result<()> {
        if self.is_unstored() {
            let SessionRecord { status, closed_at, last_error, .. } = &state.record;
            store.update_session(self.id, *status, *closed_at, last_error.as_deref())?;
            self.unstored.store(false, Ordering::Release);
        }
        Ok(())
    }

    /// Since when it has been idle, if it is and is asked nothing, and its worker process, if it has one.
    pub(crate) fn idle_worker(&self) -> Option<(Instant, OsThread)> {
        let state = self.lock();
        match (&state.phase, &state.home) {
            (Phase::Idle(since), Some(home)) if home.is_left_alone() => Some((*since, home.os_thread())),
            _ => None,
        }
    }

    /// Tells whether nothing runs in it, and nothing can any more: its worker process is gone.
    pub(crate) fn has_lost_worker(&self) -> bool {
        let state = self.lock();
        matches!(state.phase, Phase::Idle(_)) && state.home.as_ref().is_some_and(Home::has_lost_worker)
    }

    /// Begins to close it if nothing has run in it for so long: from then on nothing new begins, and the caller closes
    /// it.
    pub(crate) fn begin_closing_if_idle(&self, timeout: Duration) -> bool {
        let mut state = self.lock();
        let idle = matches!(state.phase, Phase::Idle(since) if !state.closing && since.elapsed() >= timeout);
        state.closing |= idle;
        idle
    }

    /// Closes it: cancels what runs, waits for its end, frees the runtime. `reason` is kept as `last_error`, for when it
    /// is not the caller who wants it closed.
    pub(crate) fn close(&self, reason: Option<&str>, store: &Store) -> Result<SessionRecord> {
        let mut state = self.lock();
        state.closing = true;
        loop {
            match &state.phase {
                Phase::Gone => {
                    // Before whoever closes it writes `closed`: later it would be overwritten.
                    self.store_crash_of(&state, store)?;
                    let record = state.record.clone();
                    drop(state);
                    self.modules.close();
                    return Ok(record);
                }
                Phase::Starting(Some(live)) | Phase::Running(live) => {
                    let live = live.clone();
                    // Its end needs the state: it is asked for without holding it, and `end` or `crash` wakes us.
                    drop(state);
                    live.request_stop("execution cancelled: its session was closed");
                    state = self.lock();
                    let over = |state: &mut State| !matches!(&state.phase, Phase::Starting(Some(other)) | Phase::Running(other) if other.id == live.id);
                    state =
                        self.changed.wait_while(state, |state| !over(state)).unwrap_or_else(PoisonError::into_inner);
                }
                Phase::Starting(None) | Phase::Idle(_) => break,
            }
        }
        let now = Timestamp::now();
        if let Err(error) = store.update_session(self.id, SessionStatus::Closed, Some(now), reason) {
            state.closing = false;
            return Err(error);
        }
        state.phase = Phase::Gone;
        state.record.status = SessionStatus::Closed;
        state.record.closed_at = Some(now);
        state.record.last_error = reason.map(str::to_owned);
        let record = state.record.clone();
        let home = state.home.take();
        drop(state);
        self.changed.notify_all();
        self.bell.ring();
        if let Some(home) = home {
            home.close();
        }
        self.modules.close();
        Ok(record)
    }

    fn busy(&self, other: &LiveExecution) -> Error {
        Error::new(ErrorKind::SessionBusy, "another execution is running in the session")
            .with("session_id", self.id)
            .with("execution_id", other.id)
    }

    fn not_ready(&self, state: &State) -> Error {
        let status = if state.closing { SessionStatus::Closed } else { state.record.status };
        super::not_ready(self.id, status)
    }

    /// A panic while the state was held leaves it between two phases' assignments: each is a single one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::ids::TemplateId;
    use crate::modules::{CallContext, ModuleInstance};
    use crate::store::Durability;
    use crate::value::{CallError, Value};

    /// Holds something until it is closed.
    struct Holder(#[expect(dead_code, reason = "held, not looked at")] Arc<()>);

    impl ModuleInstance for Holder {
        fn call(&mut self, _: &str, _: &[Value], _: &CallContext) -> std::result::Result<Value, CallError> {
            Ok(Value::Null)
        }
    }

    #[test]
    fn the_modules_of_a_session_that_crashed_are_closed() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(None, Durability::Full).unwrap();
        let record = SessionRecord {
            id: SessionId::new(),
            template_id: TemplateId::new(),
            workspace_id: "w".to_owned(),
            base_commit_oid: "HEAD".to_owned(),
            worktree_path: directory.path().to_owned(),
            status: SessionStatus::Starting,
            created_at: Timestamp::now(),
            closed_at: None,
            last_error: None,
            runtime_meta: serde_json::Map::new(),
        };
        store.insert_session(&record).unwrap();
        let worktree = Worktree::open(directory.path()).unwrap();
        let modules = Arc::new(SessionModules::default());
        let session = LiveSession::starting(record, Settings::default(), worktree, modules.clone(), None);
        let held = Arc::new(());
        let fill =
            || modules.fill([("holder".to_owned(), Box::new(Holder(held.clone())) as Box<dyn ModuleInstance>)].into());
        fill();
        assert_eq!(Arc::strong_count(&held), 2);
        session.crash("test", false, &store);
        assert_eq!(Arc::strong_count(&held), 1);
        // What is opened too late is not kept, and closing it again is no error.
        fill();
        assert_eq!(Arc::strong_count(&held), 1);
        assert_eq!(session.close(None, &store).unwrap().status, SessionStatus::Crashed);
    }
}
