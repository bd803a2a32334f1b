//! The modules of one session: opened once, called by its executions, closed with it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, TryLockError};

use super::{CallContext, ModuleInstance, PendingCall, SessionFiles};
use crate::ids::{SessionId, TemplateId};
use crate::isolation::protocol::Call;
use crate::limits::Limits;
use crate::value::{CallError, Value};

/// What a module is told of the session that it is opened for.
#[derive(Debug, Clone)]
pub struct SessionContext {
    pub(crate) session_id: SessionId,
    pub(crate) template_id: TemplateId,
    pub(crate) worktree_path: PathBuf,
    /// What the `fs` capabilities leave of the worktree.
    pub(crate) files: SessionFiles,
    /// Those of its executions, which bind the opening of a module as well.
    pub(crate) limits: Limits,
}

impl SessionContext {
    /// Returns the id of the session.
    pub fn session_id(&self) -> SessionId {
        self.session_id
    }

    /// Returns the id of its template.
    pub fn template_id(&self) -> TemplateId {
        self.template_id
    }

    /// Returns the path of its worktree as its creator gave it. Whoever opens files by it must bear in mind that scripts
    /// can put links there.
    pub fn worktree_path(&self) -> &Path {
        &self.worktree_path
    }
}

/// The modules that are open in a session, by name.
#[derive(Default)]
pub(crate) struct SessionModules {
    open: Mutex<BTreeMap<String, Box<dyn ModuleInstance>>>,
}

impl SessionModules {
    /// Puts in what was opened, before anything runs.
    pub(crate) fn fill(&self, opened: BTreeMap<String, Box<dyn ModuleInstance>>) {
        *self.lock() = opened;
    }

    /// Calls a function and waits for its answer.
    pub(crate) fn call(&self, call: &Call, context: &CallContext) -> Result<Value, CallError> {
        self.with(&call.module, |module| module.call(&call.function, &call.args, context)).unwrap_or_else(Err)
    }

    /// Begins a call that is answered later.
    pub(crate) fn begin(&self, call: &Call, pending: PendingCall) {
        let mut pending = Some(pending);
        let begun = self.with(&call.module, |module| {
            if let Some(pending) = pending.take() {
                module.begin(&call.function, &call.args, pending);
            }
        });
        if let (Err(error), Some(pending)) = (begun, pending) {
            pending.complete(Err(error));
        }
    }

    /// Tells every module that an execution has ended.
    pub(crate) fn end_of_execution(&self) {
        for module in self.lock().values_mut() {
            if catch_unwind(AssertUnwindSafe(|| module.end_of_execution())).is_err() {
                tracing::error!("a module panicked at the end of an execution");
            }
        }
    }

    /// Closes all of them; while one is still being called, by a thread that does not stop, they stay as they are.
    pub(crate) fn close(&self) {
        let open = match self.open.try_lock() {
            Ok(mut open) => std::mem::take(&mut *open),
            Err(TryLockError::Poisoned(open)) => std::mem::take(&mut *open.into_inner()),
            Err(TryLockError::WouldBlock) => return,
        };
        drop(open);
    }

    fn with<T>(&self, name: &str, body: impl FnOnce(&mut dyn ModuleInstance) -> T) -> Result<T, CallError> {
        let mut open = self.lock();
        let Some(module) = open.get_mut(name) else { return Err(not_granted(name)) };
        catch_unwind(AssertUnwindSafe(|| body(module.as_mut()))).map_err(|_| {
            tracing::error!(module = name, "a module panicked");
            CallError::new("Error", format!("internal error in the module '{name}'")).with_code("ERR_INTERNAL")
        })
    }

    /// A panic in a module leaves the map as it was.
    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Box<dyn ModuleInstance>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_granted(name: &str) -> CallError {
    CallError::new("Error", format!("the module '{name}' is not granted by the session's template"))
        .with_code("ERR_MODULE_NOT_GRANTED")
}
