//! The host of one execution: everything that its script does to the world comes through here.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::LiveExecution;
use crate::event::Payload;
use crate::isolation::protocol::{Call, EmitRefused, Host, Remote, Stop, Wake};
use crate::modules::{CallContext, Cancel, PendingCall, SessionModules, Surroundings};
use crate::value::{CallError, Value};

/// The host of one execution, on the realm's side of the thread.
pub(crate) struct ExecutionHost {
    live: Arc<LiveExecution>,
    modules: Arc<SessionModules>,
    /// What cancels the calls that were begun and have no answer yet.
    pending: HashMap<u64, Arc<Cancel>>,
}

impl ExecutionHost {
    pub(crate) fn new(live: Arc<LiveExecution>, modules: Arc<SessionModules>) -> Self {
        Self { live, modules, pending: HashMap::new() }
    }
}

/// With the host, its execution ends: nobody waits for what was begun.
impl Drop for ExecutionHost {
    fn drop(&mut self) {
        for (_, cancel) in self.pending.drain() {
            cancel.cancel();
        }
        self.modules.end_of_execution();
    }
}

impl Host for ExecutionHost {
    fn emit(&mut self, payload: Payload) -> Result<(), EmitRefused> {
        self.live.emit(payload)
    }

    fn call(&mut self, call: Call) -> Result<Value, CallError> {
        self.modules.call(&call, &CallContext::new(self.live.clone()))
    }

    fn begin(&mut self, id: u64, call: Call) {
        let (pending, cancel) = PendingCall::new(id, self.live.clone());
        self.pending.insert(id, cancel);
        self.modules.begin(&call, pending);
    }

    fn cancel(&mut self, id: u64) {
        if let Some(cancel) = self.pending.remove(&id) {
            cancel.cancel();
        }
    }

    fn wait(&mut self, at_most: Duration) -> Wake {
        let wake = self.live.wait_for_news(at_most);
        if let Wake::Completed(completion) = &wake {
            self.pending.remove(&completion.id);
        }
        wake
    }

    fn stop_reason(&self) -> Option<Stop> {
        self.live.note_poll();
        self.live.stop_reason()
    }

    fn attach(&mut self, remote: Arc<dyn Remote>) {
        self.live.attach(remote);
    }
}
