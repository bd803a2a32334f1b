//! Starting executions: in the order of their ids, with or without somebody who waits, and under a key at most once.

use std::collections::HashSet;
use std::str::FromStr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use super::{Inner, Running, VmSystem};
#[cfg(doc)]
use crate::error::ErrorKind as Kind;
use crate::error::{Error, ErrorKind, Result};
use crate::execution::{self, Execution, LiveExecution, Manner, Request, RunFile};
use crate::ids::{ExecutionId, SessionId};
use crate::isolation::home::After;
use crate::modules::loader::MAX_SOURCE_BYTES;
use crate::session::LiveSession;
use crate::store::KeyUse;
use crate::template::LimitsPatch;
use crate::time::Timestamp;
use crate::worktree::WorktreePath;

/// The most characters that a key has.
const LONGEST_KEY: usize = 255;

/// A name for one piece of work, by which a repetition is known: 1 to 255 printable ASCII characters.
///
/// ```
/// use vmsys_core::IdempotencyKey;
/// let key: IdempotencyKey = "deploy-2026-02-08".parse()?;
/// assert_eq!(key.as_str(), "deploy-2026-02-08");
/// assert!("".parse::<IdempotencyKey>().is_err() && "ü".parse::<IdempotencyKey>().is_err());
/// # Ok::<(), vmsys_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for IdempotencyKey {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "IdempotencyKey".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "minLength": 1,
            "maxLength": LONGEST_KEY,
            "pattern": "^[ -~]+$",
            "description": "A caller's name for one request: the same key with the same request is done once.",
        })
    }
}

impl FromStr for IdempotencyKey {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if (1..=LONGEST_KEY).contains(&text.len()) && text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Ok(Self(text.to_owned()));
        }
        let message = format!("an idempotency key has 1 to {LONGEST_KEY} printable ASCII characters");
        Err(Error::validation("Idempotency-Key", message))
    }
}

/// Work for a session: a snippet or a file, and how it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Submission {
    work: Work,
    detached: bool,
    key: Option<IdempotencyKey>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Work {
    Repl(String),
    RunFile(RunFile),
}

impl Submission {
    /// Submits a snippet.
    pub fn repl(input: impl Into<String>) -> Self {
        Self { work: Work::Repl(input.into()), detached: false, key: None }
    }

    /// Submits a file of the worktree.
    pub fn run_file(run: RunFile) -> Self {
        Self { work: Work::RunFile(run), detached: false, key: None }
    }

    /// The same, under a key: it runs at most once in 24 hours.
    pub fn key(self, key: IdempotencyKey) -> Self {
        Self { key: Some(key), ..self }
    }

    /// The same, said to be asked for by somebody who does not wait. It changes nothing but what counts as the same
    /// submission under a key.
    pub fn detached(self) -> Self {
        Self { detached: true, ..self }
    }

    /// A digest of everything that makes one submission another than the next. A file goes by its path, not by its text.
    fn digest(&self, session: SessionId) -> [u8; 32] {
        let document = match &self.work {
            Work::Repl(input) => serde_json::json!([session, "repl", input, self.detached]),
            Work::RunFile(run) => serde_json::json!([session, "run_file", run.path, run.args, run.env, self.detached]),
        };
        Sha256::digest(document.to_string()).into()
    }
}

/// An execution that was started: a handle, which can be dropped without stopping anything.
#[derive(Clone)]
pub struct RunningExecution {
    vm: VmSystem,
    started: Arc<Execution>,
    live: Option<Arc<LiveExecution>>,
}

impl std::fmt::Debug for RunningExecution {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunningExecution").field("id", &self.started.id).finish_non_exhaustive()
    }
}

impl RunningExecution {
    /// Returns the id.
    pub fn id(&self) -> ExecutionId {
        self.started.id
    }

    /// Returns the execution as it was when it was started; under a key that was used before, as it was when it was asked
    /// for again.
    pub fn started(&self) -> &Execution {
        &self.started
    }

    /// Waits until it has ended and is stored with all its events.
    ///
    /// # Errors
    /// It has ended, but could not be stored.
    pub fn wait(&self) -> Result<Execution> {
        match &self.live {
            Some(live) => live.wait().map(Arc::unwrap_or_clone),
            None => self.vm.execution(self.id()),
        }
    }

    /// What it is while it runs here, and the system that it runs in.
    pub(super) fn into_parts(self) -> (VmSystem, ExecutionId, Option<Arc<LiveExecution>>) {
        (self.vm, self.started.id, self.live)
    }

    /// Cancels it and waits for its end.
    ///
    /// # Errors
    /// As [`VmSystem::cancel`].
    pub fn cancel(&self) -> Result<Execution> {
        self.vm.cancel(self.id())
    }

    /// Follows its events after `seq`.
    ///
    /// # Errors
    /// The store failed.
    pub fn watch(&self, after_seq: u64) -> Result<super::ExecutionWatch> {
        self.vm.watch(self.id(), after_seq)
    }
}

/// Keys that are just being looked up or written: a second caller waits until that is done, which is a matter of
/// milliseconds, and then finds in the store what the first one has started.
#[derive(Default)]
pub(super) struct Admissions {
    keys: Mutex<HashSet<IdempotencyKey>>,
    changed: Condvar,
}

impl Admissions {
    fn admit(&self, key: &IdempotencyKey) -> Admission<'_> {
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = self.changed.wait_while(keys, |keys| keys.contains(key)).unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.clone());
        Admission { of: self, key: key.clone() }
    }
}

struct Admission<'a> {
    of: &'a Admissions,
    key: IdempotencyKey,
}

impl Drop for Admission<'_> {
    fn drop(&mut self) {
        self.of.keys.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
        self.of.changed.notify_all();
    }
}

impl VmSystem {
    /// Starts work in a session: [`Session::start`](crate::Session::start) for somebody who has only the session's id.
    ///
    /// # Errors
    /// As there, and [`SessionNotFound`](Kind::SessionNotFound).
    pub fn start(&self, session: SessionId, submission: Submission) -> Result<RunningExecution> {
        self.start_within(session, submission, &LimitsPatch::default())
    }

    /// The same within tighter limits, which are no part of what a key stands for.
    pub(super) fn start_within(
        &self,
        session: SessionId,
        submission: Submission,
        limits: &LimitsPatch,
    ) -> Result<RunningExecution> {
        let Some(key) = &submission.key else { return self.start_anew(session, submission, limits, None) };
        let _admission = self.inner.admissions.admit(key);
        let (request, at) = (submission.digest(session), Timestamp::now());
        match self.inner.store.key_use(key.as_str(), at)? {
            None => {
                let key = KeyUse { key: key.as_str().to_owned(), request, at };
                self.start_anew(session, submission, limits, Some(key))
            }
            Some((first, execution)) if first == request => self.started_before(execution),
            Some((_, execution)) => {
                let message = "the idempotency key was used before, for another request";
                Err(Error::new(ErrorKind::IdempotencyConflict, message).with("execution_id", execution))
            }
        }
    }

    fn started_before(&self, id: ExecutionId) -> Result<RunningExecution> {
        let live = self.inner.running_execution(id).map(|running| running.live);
        let started = match &live {
            Some(live) => live.snapshot(),
            None => Arc::new(self.execution(id)?),
        };
        Ok(RunningExecution { vm: self.clone(), started, live })
    }

    fn start_anew(
        &self,
        id: SessionId,
        submission: Submission,
        limits: &LimitsPatch,
        key: Option<KeyUse>,
    ) -> Result<RunningExecution> {
        let (request, source, session) = match submission.work {
            Work::Repl(input) => {
                let session = self.inner.takes_turn(id)?;
                (Request::repl(input.clone()), input, session)
            }
            Work::RunFile(run) => {
                let path = WorktreePath::parse(&run.path)?;
                let session = self.inner.takes_turn(id)?;
                let source = session.worktree.read_source(&path, MAX_SOURCE_BYTES)?;
                (Request::run_file(path.as_str(), run.args, run.env), source, session)
            }
        };
        let live = self.inner.begin(&session, request, limits, LiveSession::begin)?;
        let started = live.save_begun(&self.inner.store, key).inspect_err(|_| {
            // Nothing has run: as if it had been refused.
            session.end();
            self.inner.lock_running().remove(&live.id);
        })?;
        self.inner.submit(&session, &live, source, Manner::Aside);
        Ok(RunningExecution { vm: self.clone(), started, live: Some(live) })
    }
}

impl Inner {
    /// Runs an execution in a session that is ready.
    pub(super) fn run(
        self: &Arc<Self>,
        session: &Arc<LiveSession>,
        request: Request,
        limits: &LimitsPatch,
        source: String,
    ) -> Result<Arc<Execution>> {
        let live = self.begin(session, request, limits, LiveSession::begin)?;
        self.run_begun(session, live, source)
    }

    /// Begins an execution, which can be found by its id before its session can tell that id to anybody.
    pub(super) fn begin(
        &self,
        session: &Arc<LiveSession>,
        request: Request,
        limits: &LimitsPatch,
        begin: impl FnOnce(&LiveSession, &Arc<LiveExecution>) -> Result<()>,
    ) -> Result<Arc<LiveExecution>> {
        self.refuse_while_unstored()?;
        let limits = limits.tighten(session.settings.limits)?;
        let _order = session.order.lock().unwrap_or_else(PoisonError::into_inner);
        let console = session.console.clone();
        let live = LiveExecution::begin_heard(session.id, request, limits, session.bell.clone(), console);
        let mut running = self.lock_running();
        self.gate.admit_execution(live.request().kind, running.len())?;
        running.insert(live.id, Running { live: live.clone(), session: session.clone() });
        drop(running);
        begin(session, &live).inspect_err(|_| drop(self.lock_running().remove(&live.id)))?;
        Ok(live)
    }

    /// Runs an execution that has begun, and waits for its end.
    pub(super) fn run_begun(
        self: &Arc<Self>,
        session: &Arc<LiveSession>,
        live: Arc<LiveExecution>,
        source: String,
    ) -> Result<Arc<Execution>> {
        let alone = self.lock_running().len() == 1;
        self.submit(session, &live, source, Manner::Awaited { alone });
        if alone {
            live.spin();
        }
        live.wait()
    }

    /// Hands an execution that has begun to its session's realm. It ends whoever waits for it.
    pub(super) fn submit(
        self: &Arc<Self>,
        session: &Arc<LiveSession>,
        live: &Arc<LiveExecution>,
        source: String,
        manner: Manner,
    ) {
        let (inner, on) = (Arc::downgrade(self), session.clone());
        let on_end = Box::new(move |live: &LiveExecution, ended: &Result<Arc<Execution>>| {
            let Some(inner) = inner.upgrade() else { return After::Sleep };
            let others_run = inner.note_end(live, ended) > 0;
            if !on.is_alive() {
                inner.forget_session(on.id);
            }
            if others_run { After::Sleep } else { After::Spin }
        });
        if !execution::submit(session, live, source, manner, &self.store, on_end) {
            let running = Running { live: live.clone(), session: session.clone() };
            self.give_up(&running, execution::lost("the session's runtime is gone"), "its runtime is gone", false);
        }
    }
}
