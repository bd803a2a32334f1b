//! The modules of one session: opened once, called by its executions, closed with it.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering, fence};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};

use super::{CallContext, ModuleInstance, PendingCall, SessionFiles};
use crate::ids::{SessionId, TemplateId};
use crate::isolation::protocol::Call;
use crate::limits::Limits;
use crate::session::SessionData;
use crate::value::{CallError, Value};

/// What a module is told of the session that it is opened for.
#[derive(Debug, Clone)]
pub struct SessionContext {
    pub(crate) session_id: SessionId,
    pub(crate) template_id: TemplateId,
    pub(crate) worktree_path: PathBuf,
    /// What the `fs` capabilities leave of the worktree.
    pub(crate) files: SessionFiles,
    /// Whether there is an enabled `net` capability.
    pub(crate) network: bool,
    /// Those of its executions, which bind the opening of a module as well.
    pub(crate) limits: Limits,
    pub(crate) data: SessionData,
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

    /// Returns what the program gave the session of this type: see [`NewSession::with_data`](crate::NewSession::with_data).
    pub fn data<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.data.get()
    }

    /// Returns the path of its worktree as its creator gave it. Whoever opens files by it must bear in mind that scripts
    /// can put links there.
    pub fn worktree_path(&self) -> &Path {
        &self.worktree_path
    }
}

type Open = BTreeMap<String, Box<dyn ModuleInstance>>;

/// The modules that are open in a session, by name.
#[derive(Default)]
pub(crate) struct SessionModules {
    open: Mutex<Open>,
    /// Nothing is called from here on. Whoever holds `open` while this is set empties it when done.
    closed: AtomicBool,
}

impl SessionModules {
    /// Puts in what was opened, before anything runs; once they are closed, it is closed at once.
    pub(crate) fn fill(&self, opened: Open) {
        *self.lock() = opened;
        self.released();
    }

    /// Calls a function and waits for its answer.
    pub(crate) fn call(&self, call: &Call, context: &CallContext) -> Result<Value, CallError> {
        self.with(&call.module, &call.function, |module| module.call(&call.function, &call.args, context))
            .unwrap_or_else(Err)
    }

    /// Begins a call that is answered later.
    pub(crate) fn begin(&self, call: &Call, pending: PendingCall) {
        let mut pending = Some(pending);
        let begun = self.with(&call.module, &call.function, |module| {
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
        let mut open = self.lock();
        for module in open.values_mut() {
            if catch_unwind(AssertUnwindSafe(|| module.end_of_execution())).is_err() {
                tracing::error!("a module panicked at the end of an execution");
            }
        }
        drop(open);
        self.released();
    }

    /// Closes all of them. It does not wait: while one is still being called, they are closed when that call is over.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.discard();
    }

    /// To be called whenever the lock was given back: what was to be closed meanwhile is closed now.
    fn released(&self) {
        // Either this sees that they are closed, or whoever closes them sees that the lock is free.
        fence(Ordering::SeqCst);
        if self.closed.load(Ordering::SeqCst) {
            self.discard();
        }
    }

    fn discard(&self) {
        fence(Ordering::SeqCst);
        let open = match self.open.try_lock() {
            Ok(mut open) => std::mem::take(&mut *open),
            Err(TryLockError::Poisoned(open)) => std::mem::take(&mut *open.into_inner()),
            Err(TryLockError::WouldBlock) => return,
        };
        for (name, module) in open {
            if catch_unwind(AssertUnwindSafe(|| drop(module))).is_err() {
                tracing::error!(module = name, "a module panicked when it was closed");
            }
        }
    }

    fn with<T>(
        &self,
        name: &str,
        function: &str,
        body: impl FnOnce(&mut dyn ModuleInstance) -> T,
    ) -> Result<T, CallError> {
        let mut open = self.lock();
        let answer = match open.get_mut(name) {
            None => Err(not_granted(name)),
            Some(module) => {
                catch_unwind(AssertUnwindSafe(|| body(module.as_mut()))).map_err(|_| panicked(name, function))
            }
        };
        drop(open);
        self.released();
        answer
    }

    /// A panic in a module leaves the map as it was.
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a script is told of a function that panicked: where, and no more. The rest is the host's to know.
pub(super) fn panicked(module: &str, function: &str) -> CallError {
    tracing::error!(module, function, "a function of a module panicked");
    CallError::new("Error", format!("internal error in {module}.{function}")).with_code("ERR_INTERNAL")
}

fn not_granted(name: &str) -> CallError {
    CallError::new("Error", format!("the module '{name}' is not granted by the session's template"))
        .with_code("ERR_MODULE_NOT_GRANTED")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::time::Duration;

    use super::*;
    use crate::limits::Limits;
    use crate::modules::testing::{context, execution};

    const PATIENCE: Duration = Duration::from_secs(60);

    /// A module whose call lasts until it is let go; what it holds is gone when `gone` says so.
    struct Held {
        called: Sender<()>,
        go: Receiver<()>,
        _gone: Sender<()>,
    }

    impl ModuleInstance for Held {
        fn call(&mut self, _: &str, _: &[Value], _: &CallContext) -> Result<Value, CallError> {
            self.called.send(()).unwrap();
            self.go.recv_timeout(PATIENCE).unwrap();
            Ok(Value::Null)
        }
    }

    fn held() -> (Open, Receiver<()>, Sender<()>, Receiver<()>) {
        let ((called, is_called), (let_go, go), (_gone, is_gone)) = (channel(), channel(), channel());
        let module: Box<dyn ModuleInstance> = Box::new(Held { called, go, _gone });
        ([("held".to_owned(), module)].into(), is_called, let_go, is_gone)
    }

    /// Whether the sender is gone, with the module that held it.
    fn is_over(gone: &Receiver<()>) -> bool {
        gone.try_recv() == Err(std::sync::mpsc::TryRecvError::Disconnected)
    }

    #[test]
    fn what_is_being_called_is_closed_when_the_call_is_over() {
        let modules = Arc::new(SessionModules::default());
        let (open, called, go, gone) = held();
        modules.fill(open);
        let caller = modules.clone();
        let thread = std::thread::spawn(move || {
            let live = execution(Limits::default());
            let call = Call { module: "held".to_owned(), function: "f".to_owned(), args: Vec::new() };
            let first = caller.call(&call, &context(&live));
            (first, caller.call(&call, &context(&live)))
        });
        called.recv_timeout(PATIENCE).unwrap();
        modules.close();
        assert!(!is_over(&gone), "it is still being called");
        go.send(()).unwrap();
        let (first, second) = thread.join().unwrap();
        assert_eq!(first.unwrap(), Value::Null);
        assert_eq!(second.unwrap_err().code(), Some("ERR_MODULE_NOT_GRANTED"));
        assert!(is_over(&gone));
    }

    #[test]
    fn what_comes_after_the_end_is_closed_at_once() {
        let modules = SessionModules::default();
        modules.close();
        let (open, _called, _go, gone) = held();
        modules.fill(open);
        assert!(is_over(&gone));
    }
}
