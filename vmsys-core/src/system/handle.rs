//! `Session`: what a program holds of a session.

use std::sync::Arc;

use super::{CANCELLED, RunningExecution, Submission, VmSystem};
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::Result;
use crate::execution::{Execution, ExecutionFilter, Request, RunFile};
use crate::ids::SessionId;
use crate::modules::loader::MAX_SOURCE_BYTES;
use crate::session::SessionRecord;
use crate::template::LimitsPatch;
use crate::worktree::{Worktree, WorktreePath, WorktreeView};

/// A handle of a session: cheap to clone, and usable from any thread.
///
/// One execution runs at a time: a second one is refused with [`SessionBusy`](ErrorKind::SessionBusy), unless the first is that
/// of a dropped future, and is just being cancelled; that is waited for. Dropping the handle does not close the session.
#[derive(Clone)]
pub struct Session {
    pub(super) vm: VmSystem,
    pub(super) id: SessionId,
    /// What binds executions through this handle, beside the template's.
    pub(super) limits: LimitsPatch,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(vm: VmSystem, id: SessionId) -> Self {
        Self { vm, id, limits: LimitsPatch::default() }
    }

    /// Returns a handle whose executions have tighter limits than the template gives; other handles stay as they are. A
    /// limit that is not named stays, and those of this handle hold as well.
    ///
    /// # Errors
    /// [`Validation`](ErrorKind::Validation) with the field that would be looser or is out of range;
    /// [`SessionNotReady`](ErrorKind::SessionNotReady).
    ///
    /// ```
    /// # use vmsys_core::{ExecutionStatus, LimitsPatch, NewSession, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// let limits = LimitsPatch::default().with_cpu_ms(50);
    /// assert_eq!(session.limited(limits)?.repl("for (;;) {}")?.status, ExecutionStatus::Timeout);
    ///
    /// let limits = LimitsPatch::default().with_cpu_ms(60_000); // the template has 5,000
    /// assert_eq!(session.limited(limits).unwrap_err().detail("field"), Some("limits.cpu_ms"));
    /// # Ok::<(), vmsys_core::Error>(())
    /// ```
    pub fn limited(&self, limits: LimitsPatch) -> Result<Self> {
        let session = self.vm.inner.takes_work(self.id)?;
        let bound = self.limits.tighten(session.settings.limits)?;
        limits.tighten(bound)?;
        Ok(Self { limits: limits.over(&self.limits), ..self.clone() })
    }

    /// Returns the id.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// Returns the system that it is part of.
    pub fn vm(&self) -> VmSystem {
        self.vm.clone()
    }

    /// Lists its executions, newest first, without their events.
    ///
    /// # Errors
    /// As [`VmSystem::executions`].
    pub fn executions(&self, filter: &ExecutionFilter) -> Result<Vec<Execution>> {
        self.vm.executions(self.id, filter)
    }

    /// Returns the record as it is now.
    ///
    /// # Errors
    /// The store could not be read.
    pub fn record(&self) -> Result<SessionRecord> {
        match self.vm.inner.live_session(self.id) {
            Some(live) => Ok(live.record()),
            None => self.vm.inner.store.session(self.id),
        }
    }

    /// Tells what stands at a path of its worktree, alive or not: what lies in a directory, or the text of a file. The empty
    /// path is the worktree. No code runs, and no capability is asked: this is the embedder's own look, as its code is loaded.
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound); [`InvalidPath`](ErrorKind::InvalidPath) for what leads out of the worktree,
    /// is no text, or is longer than a mebibyte, and where the worktree is no longer there.
    pub fn look(&self, path: &str) -> Result<WorktreeView> {
        let path = if path.is_empty() { None } else { Some(WorktreePath::parse(path)?) };
        let worktree = Worktree::open(&self.record()?.worktree_path)?.protecting(self.vm.inner.protected.clone());
        worktree.look(path.as_ref())
    }

    /// Runs a snippet, and returns once it has ended and is stored with all its events.
    ///
    /// A script that throws, times out or passes a limit is `Ok`: its [`Execution`] says so. It has ended when nothing is due
    /// any more: timers and calls of host functions are waited for, and nothing runs between executions. The crate's
    /// documentation says under *Snippets* how one is read.
    ///
    /// # Errors
    /// [`SessionBusy`](ErrorKind::SessionBusy), [`SessionNotReady`](ErrorKind::SessionNotReady),
    /// [`LimitReached`](ErrorKind::LimitReached) by the [`Bounds`](crate::Bounds), or the store failed.
    ///
    /// ```
    /// # use vmsys_core::{NewSession, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// session.repl("globalThis.n = 20")?;
    /// let run = session.repl("n + 1")?;
    /// assert_eq!(run.result.unwrap().preview, "21");
    /// # Ok::<(), vmsys_core::Error>(())
    /// ```
    pub fn repl(&self, input: impl Into<String>) -> Result<Execution> {
        let input = input.into();
        let source = input.clone();
        let session = self.vm.inner.takes_turn(self.id)?;
        self.vm.inner.run(&session, Request::repl(input), &self.limits, source).map(Arc::unwrap_or_clone)
    }

    /// Runs a file of the worktree, anew each time, and returns once it has ended and is stored with all its events.
    ///
    /// A script comes to the value of its last statement, and what it declares at top level stays, as with a snippet; it
    /// can end with `module.exports = …`. An ES module has names of its own and comes to `undefined`: what it exports is had
    /// by [`import`](Self::import). Which of them a file is, [`RuntimeSettings::esm`](crate::RuntimeSettings::esm) says.
    ///
    /// # Errors
    /// As [`repl`](Self::repl), and [`InvalidPath`](ErrorKind::InvalidPath), also for a file that is no UTF-8 text or larger than
    /// 16 MiB, and [`FileNotFound`](ErrorKind::FileNotFound).
    ///
    /// ```
    /// # use vmsys_core::{NewSession, NewTemplate, RunFile, VmSystem};
    /// # let worktree = tempfile::tempdir()?;
    /// # std::fs::create_dir(worktree.path().join("part"))?;
    /// # let write = |path: &str, text: &str| std::fs::write(worktree.path().join(path), text);
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// write("script.js", "const tax = 2; tax * __ARGS__.price")?;
    /// write("module.mjs", "export const price = 3; price")?;
    /// write("either.js", "export const price = 4")?;
    /// write("part/either.js", "export const price = 5")?;
    /// write("part/package.json", r#"{"type": "module"}"#)?;
    /// write("common.cjs", "module.exports = 6")?;
    /// let session = vm.create_session(NewSession::new(template.id, worktree.path()))?;
    /// let value = |run: RunFile| session.run_file(run).map(|run| run.result.map(|value| value.preview));
    /// assert_eq!(value(RunFile::new("script.js").arg("price", 21))?.as_deref(), Some("42"));
    /// assert_eq!(value(RunFile::new("module.mjs"))?.as_deref(), Some("undefined"));
    /// assert_eq!(value(RunFile::new("either.js"))?, None, "it is a script when it is run, and threw");
    /// assert_eq!(session.eval::<u8>("import {price} from './either.js'; tax * price")?, 8);
    /// assert_eq!(value(RunFile::new("part/either.js"))?.as_deref(), Some("undefined"), "its package says module");
    ///
    /// let mut esm = NewTemplate::named("esm");
    /// esm.settings.runtime.esm = true;
    /// let esm = vm.create_template(esm)?;
    /// let session = vm.create_session(NewSession::new(esm.id, worktree.path()))?;
    /// let value = |run: RunFile| session.run_file(run).map(|run| run.result.map(|value| value.preview));
    /// assert_eq!(value(RunFile::new("either.js"))?.as_deref(), Some("undefined"));
    /// assert_eq!(value(RunFile::new("common.cjs"))?.as_deref(), Some("6"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn run_file(&self, run: RunFile) -> Result<Execution> {
        let path = WorktreePath::parse(&run.path)?;
        let session = self.vm.inner.takes_turn(self.id)?;
        let source = session.worktree.read_source(&path, MAX_SOURCE_BYTES)?;
        let request = Request::run_file(path.as_str(), run.args, run.env);
        self.vm.inner.run(&session, request, &self.limits, source).map(Arc::unwrap_or_clone)
    }

    /// Starts a snippet or file, and returns once it is stored that it runs. It runs to its end whether or not anybody
    /// waits for that; a handle that is dropped stops nothing.
    ///
    /// A submission with a [key](Submission::key) runs at most once: the same one again within 24 hours answers with the
    /// execution of the first, also after a restart, and also when the session is no longer there.
    ///
    /// # Errors
    /// As [`repl`](Self::repl) and [`run_file`](Self::run_file); and
    /// [`IdempotencyConflict`](ErrorKind::IdempotencyConflict) for a key that was used for another submission. A submission
    /// that was refused has not used its key up.
    ///
    /// ```
    /// # use vmsys_core::{ExecutionStatus, NewSession, NewTemplate, Submission, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// let running = session.start(Submission::repl("for (;;) {}"))?;
    /// assert_eq!(running.started().status, ExecutionStatus::Running);
    /// assert_eq!(running.cancel()?.status, ExecutionStatus::Cancelled);
    ///
    /// let once = Submission::repl("globalThis.n = (globalThis.n ?? 0) + 1").key("order-7".parse()?);
    /// assert_eq!(session.start(once.clone())?.wait()?.result.ok_or("no result")?.preview, "1");
    /// assert_eq!(session.start(once)?.wait()?.result.ok_or("no result")?.preview, "1");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start(&self, submission: Submission) -> Result<RunningExecution> {
        self.vm.start_within(self.id, submission, &self.limits)
    }

    /// Cancels whatever runs in the session, from any thread, and waits for its end. It returns the execution as it ended,
    /// which may have been by itself in the last moment, or `None` when nothing ran. The session goes on, with the state that
    /// the code had made.
    ///
    /// What it does *not* guarantee: as [`VmSystem::cancel`], which cancels one execution by its id and no other.
    ///
    /// # Errors
    /// The end could not be stored.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use vmsys_core::{EvalError, ExecutionStatus, NewSession, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// let other = session.clone();
    /// let canceller = std::thread::spawn(move || loop {
    ///     match other.cancel() {
    ///         Ok(None) => std::thread::sleep(Duration::from_millis(1)), // it has not begun yet
    ///         ended => return ended,
    ///     }
    /// });
    /// let stopped = session.eval::<()>("globalThis.n = 1; for (;;) {}").unwrap_err();
    /// assert!(matches!(stopped, EvalError::Stopped(run) if run.status == ExecutionStatus::Cancelled));
    /// assert!(canceller.join().map_err(|_| "it panicked")??.is_some());
    /// assert_eq!(session.eval::<u8>("n")?, 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn cancel(&self) -> Result<Option<Execution>> {
        let Some(live) = self.vm.inner.live_session(self.id).and_then(|session| session.running()) else {
            return Ok(None);
        };
        live.request_stop(CANCELLED);
        live.wait().map(Arc::unwrap_or_clone).map(Some)
    }

    /// Closes the session: cancels what runs, frees the runtime, keeps the history. Closing what is closed is fine.
    ///
    /// # Errors
    /// The store failed: the session is then still open.
    pub fn close(&self) -> Result<SessionRecord> {
        self.vm.inner.close_session(self.id)
    }
}
