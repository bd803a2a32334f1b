//! What a module knows of the call that it answers: whose it is, how long it may take, where its output goes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::event::Payload;
use crate::ids::{ExecutionId, SessionId};
use crate::isolation::protocol::{Completion, EmitRefused};
use crate::value::{CallError, Value};

/// The execution that a call belongs to.
pub(crate) trait Surroundings: Send + Sync {
    fn execution_id(&self) -> ExecutionId;
    fn session_id(&self) -> SessionId;
    /// How much of `wall_ms` is left.
    fn time_left(&self) -> Duration;
    /// How much of `cpu_ms` is left, for the realm's thread to ask.
    fn cpu_left(&self) -> Duration {
        Duration::MAX
    }
    /// Whether it is over, or on its way there.
    fn should_stop(&self) -> bool;
    /// Records an event.
    fn emit(&self, payload: Payload) -> Result<(), EmitRefused>;
    /// What the script's heap may hold.
    fn memory_bytes(&self) -> usize;
    /// How many answers wait for the script to take them.
    fn unread_answers(&self) -> usize;
    /// Takes the answer to a call that was begun.
    fn answer(&self, completion: Completion);
}

/// The execution will not go on: whatever a module does for it is in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// What a module knows of the call that it answers. Cheap to clone, and usable from any thread.
#[derive(Clone)]
pub struct CallContext {
    surroundings: Arc<dyn Surroundings>,
    cancel: Arc<Cancel>,
}

impl CallContext {
    pub(crate) fn new(surroundings: Arc<dyn Surroundings>) -> Self {
        Self { surroundings, cancel: Arc::default() }
    }

    /// Returns the id of the execution.
    pub fn execution_id(&self) -> ExecutionId {
        self.surroundings.execution_id()
    }

    /// Returns the id of the session.
    pub fn session_id(&self) -> SessionId {
        self.surroundings.session_id()
    }

    /// Returns how much of the execution's `wall_ms` is left.
    pub fn time_left(&self) -> Duration {
        self.surroundings.time_left()
    }

    /// Returns how much of the execution's `cpu_ms` is left; for the thread that a call was made on to ask.
    pub(crate) fn cpu_left(&self) -> Duration {
        self.surroundings.cpu_left()
    }

    /// Tells whether the answer is not wanted any more: the call or its execution was cancelled, or a limit was passed.
    pub fn should_stop(&self) -> bool {
        self.cancel.is_cancelled() || self.surroundings.should_stop()
    }

    /// Returns how many bytes the script could hold at most: a longer answer ends it as out of memory, so that it is not
    /// worth making.
    pub fn max_reply_bytes(&self) -> usize {
        self.surroundings.memory_bytes()
    }

    /// Returns how many calls are answered and not yet taken note of by the script, because it is busy. Their answers
    /// are kept meanwhile: what makes large ones waits until there are few.
    pub fn unread_answers(&self) -> usize {
        self.surroundings.unread_answers()
    }

    /// Records raw output as an event; empty text is no event.
    ///
    /// # Errors
    /// It was past a limit, or the execution is over.
    pub fn emit_stdout(&self, text: &str) -> Result<(), Stopped> {
        self.emit(text, |text| Payload::Stdout { text })
    }

    /// Records raw error output as an event; empty text is no event.
    ///
    /// # Errors
    /// It was past a limit, or the execution is over.
    pub fn emit_stderr(&self, text: &str) -> Result<(), Stopped> {
        self.emit(text, |text| Payload::Stderr { text })
    }

    fn emit(&self, text: &str, payload: impl FnOnce(String) -> Payload) -> Result<(), Stopped> {
        if text.is_empty() {
            return Ok(());
        }
        if self.cancel.is_cancelled() {
            return Err(Stopped);
        }
        self.surroundings.emit(payload(text.to_owned())).map_err(|_: EmitRefused| Stopped)
    }
}

impl std::fmt::Debug for CallContext {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CallContext").field("execution_id", &self.execution_id()).finish_non_exhaustive()
    }
}

/// A call whose function answers with a promise. Dropped without an answer, it answers an error.
#[derive(Debug)]
pub struct PendingCall {
    id: u64,
    context: CallContext,
    answered: bool,
}

impl PendingCall {
    /// Begins one, and gives what cancels it.
    pub(crate) fn new(id: u64, surroundings: Arc<dyn Surroundings>) -> (Self, Arc<Cancel>) {
        let context = CallContext::new(surroundings);
        let cancel = context.cancel.clone();
        (Self { id, context, answered: false }, cancel)
    }

    /// Returns what is known of the call.
    pub fn context(&self) -> &CallContext {
        &self.context
    }

    /// Answers it. What was cancelled is not heard any more.
    pub fn complete(mut self, result: Result<Value, CallError>) {
        self.answer(result);
    }

    /// Has something done as soon as the call is cancelled, by the script or by the end of its execution: at once, when
    /// it is already. It must be quick.
    pub fn on_cancel(&self, action: impl FnOnce() + Send + 'static) {
        self.context.cancel.on_cancel(Box::new(action));
    }

    fn answer(&mut self, result: Result<Value, CallError>) {
        self.answered = true;
        self.context.cancel.forget_action();
        if !self.context.cancel.is_cancelled() {
            self.context.surroundings.answer(Completion { id: self.id, result });
        }
    }
}

impl Drop for PendingCall {
    fn drop(&mut self) {
        if !self.answered {
            self.answer(Err(CallError::new("Error", "the call was given up by its module")));
        }
    }
}

type Action = Box<dyn FnOnce() + Send>;

/// Tells a call that it is not wanted any more.
#[derive(Default)]
pub(crate) struct Cancel(Mutex<CancelState>);

#[derive(Default)]
struct CancelState {
    cancelled: bool,
    action: Option<Action>,
}

impl Cancel {
    pub(crate) fn cancel(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.cancelled = true;
        let action = state.action.take();
        drop(state);
        if let Some(action) = action {
            run(action);
        }
    }

    fn is_cancelled(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).cancelled
    }

    fn on_cancel(&self, action: Action) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.cancelled {
            drop(state);
            run(action);
        } else {
            state.action = Some(action);
        }
    }

    fn forget_action(&self) {
        let action = self.0.lock().unwrap_or_else(PoisonError::into_inner).action.take();
        drop(action);
    }
}

/// A module's panic is its own: whoever cancels goes on.
fn run(action: Action) {
    if catch_unwind(AssertUnwindSafe(action)).is_err() {
        tracing::error!("a module panicked when a call of it was cancelled");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::modules::testing::execution;

    #[test]
    fn a_panic_of_what_cancels_stays_within() {
        let (pending, cancel) = PendingCall::new(1, execution(Limits::default()));
        pending.on_cancel(|| panic!("mine"));
        cancel.cancel();
        assert!(pending.context().should_stop());
        pending.on_cancel(|| panic!("too late"));
    }
}
