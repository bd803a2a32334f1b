//! `VmSystem`: templates, sessions and executions over one store.

mod bounds;
mod config;
mod eval;
mod follow;
mod handle;
mod host_env;
mod housekeeping;
mod lookup;
mod retention;
mod shutdown;
mod start;
mod templates;
mod unstored;
mod watch;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

pub use self::bounds::Bounds;
use self::bounds::Gate;
pub use self::config::Config;
pub use self::eval::{EvalError, Evaluation, Thrown};
pub use self::follow::{EndOfExecution, EventStream, Events, SessionEventStream, SessionEvents};
pub use self::handle::Session;
use self::host_env::HostEnv;
use self::housekeeping::Housekeeping;
use self::retention::Keeper;
pub use self::retention::Retention;
use self::start::Admissions;
pub use self::start::{IdempotencyKey, RunningExecution, Submission};
use self::unstored::Unstored;
pub use self::watch::{ExecutionNews, ExecutionWatch, SessionCursor, SessionNews, SessionStart, SessionWatch};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::execution::{
    self, Execution, ExecutionFilter, ExecutionKind, ExecutionStatus, JsonObject, LiveExecution, Request,
};
use crate::ids::{ExecutionId, SessionId};
use crate::isolation::Sandbox;
use crate::isolation::home::Home;
use crate::isolation::protocol::{LibraryCode, NotMade, Outcome, RealmConfig};
use crate::isolation::workers::Workers;
use crate::library::{LibraryCache, LibrarySource};
use crate::modules::loader::{Loader, MAX_SOURCE_BYTES};
use crate::modules::{Catalog, ProtectedFiles, SessionContext, SessionFiles, SessionModules};
use crate::session::{
    self, LiveSession, NewSession, RuntimeSummary, SessionActivity, SessionFilter, SessionRecord, SessionStatus,
};
use crate::stats::{Counters, Stats};
use crate::store::Store;
use crate::template::{Grants, Isolation, LimitsPatch, Settings, StartupFile, StartupMode};
use crate::time::Timestamp;
use crate::worktree::{Worktree, WorktreePath};

/// What an execution that was cancelled says.
const CANCELLED: &str = "execution cancelled";
/// What a session that a shutdown closed says.
const CLOSED_BY_SHUTDOWN: &str = "closed because the system was shut down";
/// How long a caller waits for the end of what a dropped future has left. It is a matter of milliseconds, unless the code does
/// not let itself be interrupted; then the session is busy, or crashes.
const ABANDONED: Duration = Duration::from_secs(3);
/// How many rows a list has unless told.
const DEFAULT_LIMIT: u32 = 50;
/// How many rows a list has at most.
const MAX_LIMIT: u32 = 1_000;

/// Templates, sessions and executions over one store.
///
/// A handle: cheap to clone, and usable from any thread. Calls block until what they promise is done. When the last
/// handle is dropped, all sessions are closed as by [`shutdown`](Self::shutdown).
#[derive(Clone)]
pub struct VmSystem {
    inner: Arc<Inner>,
    _guard: Arc<ShutdownOnDrop>,
}

pub(crate) struct Inner {
    store: Store,
    protected: ProtectedFiles,
    libraries: LibraryCache,
    modules: Catalog,
    host_env: HostEnv,
    sessions: RwLock<HashMap<SessionId, Arc<LiveSession>>>,
    running: Mutex<HashMap<ExecutionId, Running>>,
    unstored: Unstored,
    admissions: Admissions,
    shutting_down: AtomicBool,
    housekeeping: Housekeeping,
    gate: Gate,
    /// Where the sessions of templates run that do not say it.
    isolation: Isolation,
    workers: Workers,
    counters: Counters,
    keeper: Keeper,
}

/// An execution that runs, and where.
#[derive(Clone)]
struct Running {
    live: Arc<LiveExecution>,
    session: Arc<LiveSession>,
}

/// Handles share one of these, the housekeeping does not hold it: so the last handle is seen to go.
struct ShutdownOnDrop(Arc<Inner>);

impl Drop for ShutdownOnDrop {
    fn drop(&mut self) {
        if let Err(error) = self.0.shutdown() {
            tracing::error!(?error, "the system could not be shut down in order");
        }
    }
}

impl std::fmt::Debug for VmSystem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VmSystem").finish_non_exhaustive()
    }
}

impl VmSystem {
    /// Opens a system that keeps everything in memory.
    ///
    /// # Errors
    /// [`StoreUnavailable`](ErrorKind::StoreUnavailable), when memory is short.
    pub fn in_memory() -> Result<Self> {
        Self::with_config(Config::default())
    }

    /// Opens a system over a database file, which is created when it is missing.
    ///
    /// Sessions that an earlier program left open are closed with a reason, and their running executions ended.
    ///
    /// # Errors
    /// [`StoreUnavailable`](ErrorKind::StoreUnavailable), when the file cannot be used: in use by another program,
    /// corrupt, written by a newer version, read-only.
    pub fn open(database: impl Into<PathBuf>) -> Result<Self> {
        Self::with_config(Config { database: Some(database.into()), ..Config::default() })
    }

    /// Opens a system.
    ///
    /// # Errors
    /// As [`open`](Self::open); and [`Validation`](ErrorKind::Validation) for a module whose name
    /// [cannot be](Config::module), that has two functions of one name, or whose types cannot be read or do not fit its
    /// functions ([`HostModule::signature`](crate::HostModule::signature)), and for
    /// [`Isolation::Process`] where [`become_worker`](crate::become_worker) was not called, or too late.
    pub fn with_config(config: Config) -> Result<Self> {
        let modules = Catalog::new(config.modules.offered, config.modules.net, config.sandbox)?;
        let libraries = match &config.library_cache {
            Some(directory) => LibraryCache::open(directory)?,
            None => LibraryCache::none(),
        };
        let store = Store::open(config.database.as_deref(), config.durability)?;
        let recovered = store.recover("closed because the program that ran it ended", Timestamp::now())?;
        if recovered.sessions + recovered.executions > 0 {
            tracing::warn!(
                sessions = recovered.sessions,
                executions = recovered.executions,
                "ended what an earlier program left open"
            );
        }
        let host_env = config.host_env.clone();
        let workers = Workers::new(config.worker, config.sandbox, Box::new(move || host_env.get("TZ")));
        let inner = Arc::new(Inner {
            protected: ProtectedFiles::of(store.path()),
            store,
            libraries,
            modules,
            host_env: config.host_env,
            sessions: RwLock::new(HashMap::new()),
            running: Mutex::new(HashMap::new()),
            unstored: Unstored::default(),
            admissions: Admissions::default(),
            shutting_down: AtomicBool::new(false),
            housekeeping: Housekeeping::default(),
            gate: Gate::new(config.bounds),
            isolation: config.isolation,
            workers,
            counters: Counters::default(),
            keeper: Keeper::new(config.retention),
        });
        inner.check_isolation(inner.isolation)?;
        if inner.isolation == Isolation::Process && config.sandbox == Sandbox::Require {
            // Tried at once: a sandbox that is required and not to be had is no surprise for the first session.
            drop(inner.workers.make(&RealmConfig::default()).map_err(not_made)?);
        }
        housekeeping::start(&inner)?;
        Ok(Self { _guard: Arc::new(ShutdownOnDrop(inner.clone())), inner })
    }

    /// Creates a session and waits until its startup files have run.
    ///
    /// # Errors
    /// [`Validation`](ErrorKind::Validation), [`TemplateNotFound`](ErrorKind::TemplateNotFound),
    /// [`TemplateInactive`](ErrorKind::TemplateInactive), [`LimitReached`](ErrorKind::LimitReached) by the [`Bounds`],
    /// [`InvalidPath`](ErrorKind::InvalidPath) for a worktree that is relative or missing, and
    /// [`StartupFailed`](ErrorKind::StartupFailed), in which case the session can still be read, as `crashed`.
    pub fn create_session(&self, new: NewSession) -> Result<Session> {
        let id = self.inner.create_session(new)?;
        Ok(Session::new(self.clone(), id))
    }

    /// Returns the handle of a session, alive or not.
    ///
    /// # Errors
    /// [`SessionNotFound`](ErrorKind::SessionNotFound).
    pub fn session(&self, id: SessionId) -> Result<Session> {
        if self.inner.live_session(id).is_none() {
            self.inner.store.session(id)?;
        }
        Ok(Session::new(self.clone(), id))
    }

    /// Lists sessions, newest first.
    pub fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRecord>> {
        let mut records = self.inner.store.sessions(filter, page(filter.limit)?)?;
        for record in &mut records {
            // The store would say that one is alive whose crash it could not take.
            if let Some(live) = self.inner.live_session(record.id).filter(|live| live.is_unstored()) {
                *record = live.record();
            }
        }
        records.retain(|record| filter.status.is_none_or(|status| record.status == status));
        Ok(records)
    }

    /// Tells what these sessions did last; one that has run nothing is left out.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn activity(&self, sessions: &[SessionId]) -> Result<Vec<SessionActivity>> {
        self.inner.store.activity(sessions)
    }

    /// Tells what is alive in memory, whatever the store says.
    pub fn runtime_summary(&self) -> RuntimeSummary {
        let sessions = self.inner.sessions.read().unwrap_or_else(PoisonError::into_inner);
        let mut ids: Vec<SessionId> =
            sessions.values().filter(|session| session.is_alive()).map(|session| session.id).collect();
        ids.sort_unstable();
        RuntimeSummary { active_sessions: ids.len(), active_session_ids: ids }
    }

    /// Takes the numbers of the system: what there is, and what was done since it was opened.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn stats(&self) -> Result<Stats> {
        let Inner { store, counters, .. } = &*self.inner;
        Ok(Stats {
            sessions: store.count_sessions()?,
            sessions_created: counters.sessions_created.get(),
            running: self.inner.lock_running().len() as u64,
            ended: counters.ended(),
            latency_micros: counters.latency_micros(),
            store: store.stats(),
        })
    }

    /// Returns an execution with its events, also while it runs.
    ///
    /// # Errors
    /// [`ExecutionNotFound`](ErrorKind::ExecutionNotFound).
    pub fn execution(&self, id: ExecutionId) -> Result<Execution> {
        if let Some(running) = self.inner.running_execution(id) {
            return Ok(Arc::unwrap_or_clone(running.live.snapshot()));
        }
        let mut execution = self.inner.store.execution(id)?;
        execution.events = self.inner.store.events(id, 0, u32::MAX)?;
        self.inner.add_tree(&mut execution)?;
        Ok(execution)
    }

    /// Lists the executions of a session, newest first, without their events.
    ///
    /// # Errors
    /// [`SessionNotFound`](ErrorKind::SessionNotFound).
    pub fn executions(&self, session: SessionId, filter: &ExecutionFilter) -> Result<Vec<Execution>> {
        let limit = page(filter.limit)?;
        // Looked up first: what ends between the two look-ups is then in the store.
        let running = self.inner.live_session(session).and_then(|session| session.running());
        let running = running.into_iter().chain(self.inner.unstored_of(session));
        let mut list = self.inner.store.executions(session, filter.before, limit)?;
        for live in running {
            let is_listed = list.iter().any(|execution| execution.id == live.id);
            if is_listed || filter.before.is_some_and(|before| live.id >= before) {
                continue;
            }
            let mut execution = Arc::unwrap_or_clone(live.snapshot());
            execution.events = Vec::new();
            // Usually the newest; but of two callers the one that got the first id may have begun second.
            let place = list.partition_point(|other| other.id > execution.id);
            list.insert(place, execution);
            list.truncate(limit as usize);
        }
        Ok(list)
    }

    /// Lists the events of an execution whose `seq` is greater than `after_seq`: all of them unless `limit` says fewer.
    ///
    /// # Errors
    /// [`ExecutionNotFound`](ErrorKind::ExecutionNotFound).
    pub fn events(&self, id: ExecutionId, after_seq: u64, limit: Option<u32>) -> Result<Vec<Event>> {
        let limit = limit.unwrap_or(u32::MAX);
        if let Some(running) = self.inner.running_execution(id) {
            return Ok(running.live.events(after_seq, limit as usize));
        }
        self.inner.store.events(id, after_seq, limit)
    }

    /// Cancels an execution and waits for its end. The session goes on, with the state that the code had made.
    ///
    /// What it does *not* guarantee: native code of the engine that never polls cannot be ended on a thread; the session
    /// is then declared crashed.
    ///
    /// # Errors
    /// [`ExecutionNotFound`](ErrorKind::ExecutionNotFound), [`ExecutionNotRunning`](ErrorKind::ExecutionNotRunning) when
    /// it has ended.
    pub fn cancel(&self, id: ExecutionId) -> Result<Execution> {
        let over = |execution: &Execution| {
            Error::new(ErrorKind::ExecutionNotRunning, "the execution has ended")
                .with("execution_id", id)
                .with("status", execution.status)
        };
        let Some(running) = self.inner.running_execution(id) else {
            return Err(over(&self.inner.store.execution(id)?));
        };
        running.live.request_stop(CANCELLED);
        let execution = running.live.wait()?;
        // It may have come to its own end first.
        if execution.status == ExecutionStatus::Cancelled {
            Ok(Arc::unwrap_or_clone(execution))
        } else {
            Err(over(&execution))
        }
    }
}

impl Inner {
    /// Refuses to promise an isolation that there is not.
    fn check_isolation(&self, isolation: Isolation) -> Result<()> {
        match (isolation, self.workers.unavailable()) {
            (Isolation::Process, Some(why)) => Err(Error::validation("runtime.isolation", why)),
            _ => Ok(()),
        }
    }

    /// Where the sessions of a template with these settings run.
    fn isolation(&self, settings: &Settings) -> Isolation {
        match (settings.runtime.isolation, self.isolation) {
            (Isolation::Default, Isolation::Process) | (Isolation::Process, _) => Isolation::Process,
            _ => Isolation::Thread,
        }
    }

    fn refuse_when_shutting_down(&self) -> Result<()> {
        if self.shutting_down.load(Ordering::Acquire) {
            return Err(Error::new(ErrorKind::ShuttingDown, "the system is shutting down"));
        }
        Ok(())
    }

    fn live_session(&self, id: SessionId) -> Option<Arc<LiveSession>> {
        self.sessions.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    fn running_execution(&self, id: ExecutionId) -> Option<Running> {
        self.lock_running().get(&id).cloned()
    }

    fn lock_running(&self) -> MutexGuard<'_, HashMap<ExecutionId, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The live session of this id, or why it takes no work.
    fn takes_work(&self, id: SessionId) -> Result<Arc<LiveSession>> {
        self.refuse_when_shutting_down()?;
        match self.live_session(id) {
            Some(session) => Ok(session),
            None => Err(session::not_ready(id, self.store.session(id)?.status)),
        }
    }

    /// The same for a caller who may wait: behind what a dropped future has left, and is just being cancelled.
    fn takes_turn(&self, id: SessionId) -> Result<Arc<LiveSession>> {
        let session = self.takes_work(id)?;
        match session.running() {
            Some(live) if live.is_abandoned() => {
                live.wait_at_most(ABANDONED);
                self.takes_work(id)
            }
            _ => Ok(session),
        }
    }

    /// Takes notice of an execution's end, and tells how many others run. One whose end could not be stored stays, and the
    /// flusher tries again: its row would say that it runs for as long as this program does.
    fn note_end(&self, live: &LiveExecution, ended: &Result<Arc<Execution>>) -> usize {
        match ended {
            Ok(_) => self.delist(live),
            Err(error) => self.unstored.note(live.id, error),
        }
        self.lock_running().len()
    }

    /// Forgets an execution whose end is stored.
    fn delist(&self, live: &LiveExecution) {
        // Of two who find it stored, one has removed it.
        if self.lock_running().remove(&live.id).is_none() {
            return;
        }
        if let Some(execution) = live.ending() {
            self.counters.count_ended(&execution, live.started().elapsed());
        }
        self.keeper.note(live.session_id);
    }

    /// Ends an execution whose realm does not, and with it the session.
    fn give_up(&self, running: &Running, outcome: Outcome, reason: &str, stuck: bool) {
        let Running { live, session } = running;
        if !live.claim_end() {
            return;
        }
        let ended = session.crash_with(live, outcome, reason, stuck, &self.store);
        self.note_end(live, &ended);
        self.forget_session(session.id);
        execution::publish(live, ended);
    }

    fn create_session(self: &Arc<Self>, new: NewSession) -> Result<SessionId> {
        self.refuse_when_shutting_down()?;
        new.validate()?;
        let detail = self.store.template_detail(new.template_id)?;
        let template = &detail.template;
        if !template.is_active {
            return Err(Error::new(ErrorKind::TemplateInactive, "the template takes no new sessions")
                .with("template_id", template.id));
        }
        let place = self.admit_session(!detail.startup_files.is_empty())?;
        let grants = Grants::resolve(template, &detail.capabilities, |name| self.host_env.get(name))?;
        // Of an embedder's modules, not all need be there that were when the template was made.
        grants.modules.keys().try_for_each(|name| self.modules.check_name(name))?;
        let worktree = Worktree::open(&new.worktree_path)?.protecting(self.protected.clone());
        let mut runtime_meta = JsonObject::new();
        runtime_meta.insert("engine".to_owned(), template.engine.to_string().into());
        let isolation = self.isolation(&detail.settings);
        self.check_isolation(isolation)?;
        runtime_meta.insert("isolation".to_owned(), isolation.as_str().into());
        runtime_meta.insert("modules".to_owned(), grants.modules.keys().cloned().collect());
        runtime_meta.insert("libraries".to_owned(), grants.libraries.iter().cloned().collect());
        let record = SessionRecord {
            id: SessionId::new(),
            template_id: template.id,
            workspace_id: new.workspace_id,
            base_commit_oid: new.base_commit_oid,
            worktree_path: new.worktree_path,
            status: SessionStatus::Starting,
            created_at: Timestamp::now(),
            closed_at: None,
            last_error: None,
            runtime_meta,
        };
        let _span = tracing::info_span!("session", session_id = %record.id).entered();
        self.store.insert_session(&record)?;
        self.counters.sessions_created.add(1);
        let (read, write) = grants.fs.as_ref().map_or((&[][..], &[][..]), |policy| (&policy.read, &policy.write));
        let files = SessionFiles::new(worktree.clone(), &record.worktree_path, read, write, self.protected.clone());
        let context = SessionContext {
            session_id: record.id,
            template_id: record.template_id,
            worktree_path: record.worktree_path.clone(),
            files,
            network: !grants.net.is_empty(),
            limits: detail.settings.limits,
            data: new.data,
        };
        let loader = Loader::new(worktree.clone(), &record.worktree_path, &detail.settings);
        let opened = self.modules.open(&context, &grants, loader);
        let modules = Arc::new(SessionModules::default());
        let session = LiveSession::starting(record, detail.settings, worktree, modules.clone(), new.console);
        self.seat(place, &session);
        self.housekeeping.wake();
        // Asked again: a shutdown that began meanwhile may have counted its sessions before this one was among them.
        if let Err(error) = self.refuse_when_shutting_down() {
            session.close(Some(CLOSED_BY_SHUTDOWN), &self.store)?;
            self.forget_session(session.id);
            return Err(error);
        }
        let started = opened.and_then(|opened| {
            modules.fill(opened);
            self.start_up(&session, grants, &detail.startup_files)?;
            session.ready(&self.store)
        });
        match started {
            Ok(_) => Ok(session.id),
            Err(error) => {
                session.crash(error.message(), false, &self.store);
                self.forget_session(session.id);
                // The disk's fault, and not that of the session's startup: the same may be asked for again.
                if error.kind() == ErrorKind::StoreUnavailable {
                    return Err(Error::new(error.kind(), error.message())
                        .with("session_id", session.id)
                        .because(error));
                }
                Err(startup_failed(&session, &error))
            }
        }
    }

    /// Makes the runtime, with what it is granted, and runs the startup files, each as an execution.
    fn start_up(self: &Arc<Self>, session: &Arc<LiveSession>, grants: Grants, files: &[StartupFile]) -> Result<()> {
        let runtime = &session.settings.runtime;
        let mut crypto_seed = [0; 32];
        getrandom::fill(&mut crypto_seed)
            .map_err(|cause| Error::internal("the operating system gives no random bytes", cause))?;
        let libraries = grants.libraries.iter().map(|name| self.library(name)).collect::<Result<_>>()?;
        let config = RealmConfig {
            console: runtime.console,
            strict: runtime.strict,
            seed: fastrand::u64(..),
            crypto_seed,
            origin_ms: Timestamp::now().as_millis(),
            worktree: session.record().worktree_path.to_string_lossy().into_owned(),
            granted: self.modules.granted(grants),
            libraries,
            limits: execution::job_limits(&session.settings.limits),
        };
        let worker = match self.isolation(&session.settings) {
            Isolation::Process => Some(self.workers.make(&config).map_err(not_made)?),
            _ => None,
        };
        session.attach(Home::make(config, worker).map_err(not_made)?)?;
        for file in files {
            self.run_startup_file(session, file)?;
        }
        Ok(())
    }

    /// The code of a library, as a realm runs it.
    fn library(&self, name: &str) -> Result<LibraryCode> {
        let LibrarySource { file, global, sets, source, integrity, .. } = self.libraries.source(name)?;
        Ok(LibraryCode { file, source: source.to_string(), integrity: integrity.to_string(), global, sets })
    }

    fn run_startup_file(self: &Arc<Self>, session: &Arc<LiveSession>, file: &StartupFile) -> Result<()> {
        let failed =
            |why: &str| Error::new(ErrorKind::StartupFailed, format!("startup file {} failed: {why}", file.path));
        let request = Request {
            kind: ExecutionKind::Startup,
            imported: file.mode == StartupMode::Import,
            ..Request::run_file(&file.path, JsonObject::new(), JsonObject::new())
        };
        let live = self.begin(session, request, &LimitsPatch::default(), LiveSession::begin_startup)?;
        let read =
            WorktreePath::parse(&file.path).and_then(|path| session.worktree.read_source(&path, MAX_SOURCE_BYTES));
        let source = match read {
            Ok(source) => source,
            Err(error) => {
                // Recorded like any other run, so that the crash can be read like one.
                live.claim_end();
                let ended = live.finish(execution::never_ran(error.message()), &self.store);
                session.end();
                self.note_end(&live, &ended);
                execution::publish(&live, ended);
                return Err(failed(error.message()));
            }
        };
        let execution = self.run_begun(session, live, source)?;
        match &execution.error {
            Some(error) => Err(failed(&error.message)),
            None if execution.status == ExecutionStatus::Ok => Ok(()),
            None => Err(failed(execution.status.as_str())),
        }
    }

    fn close_session(&self, id: SessionId) -> Result<SessionRecord> {
        let Some(session) = self.live_session(id) else { return self.close_dead(id) };
        let record = session.close(None, &self.store)?;
        self.forget_session(id);
        if record.status == SessionStatus::Closed { Ok(record) } else { self.close_dead(id) }
    }

    /// Closes a session without a runtime: one that crashed becomes closed and keeps its reason.
    fn close_dead(&self, id: SessionId) -> Result<SessionRecord> {
        let mut record = self.store.session(id)?;
        if record.status != SessionStatus::Closed {
            let now = Timestamp::now();
            self.store.update_session(id, SessionStatus::Closed, Some(now), record.last_error.as_deref())?;
            record.status = SessionStatus::Closed;
            record.closed_at = Some(now);
        }
        Ok(record)
    }

    /// Takes a session out of those that are alive, unless the store does not know of its end yet.
    fn forget_session(&self, id: SessionId) {
        let mut sessions = self.sessions.write().unwrap_or_else(PoisonError::into_inner);
        if sessions.get(&id).is_some_and(|session| !session.is_unstored()) {
            sessions.remove(&id);
        }
    }
}

fn not_made(why: NotMade) -> Error {
    match why {
        NotMade::Library(why) => Error::new(ErrorKind::StartupFailed, why),
        NotMade::Engine(cause) => {
            Error::new(ErrorKind::Internal, format!("the session's runtime could not be made: {cause}"))
        }
    }
}

fn startup_failed(session: &LiveSession, error: &Error) -> Error {
    let failed = Error::new(ErrorKind::StartupFailed, format!("the session could not be started: {}", error.message()));
    failed.with("session_id", session.id).with("last_error", error.message()).because(error.clone())
}

/// How many rows to list.
fn page(limit: Option<u32>) -> Result<u32> {
    match limit.unwrap_or(DEFAULT_LIMIT) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        other => Err(Error::validation("limit", format!("limit must be from 1 to {MAX_LIMIT}, not {other}"))),
    }
}
