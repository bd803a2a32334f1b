//! Executions that have ended, and whose end the store could not take: they are kept until it can.
//!
//! While there are any, nothing new is run. Code would have its effects, and nobody could ever learn of them; and what waits
//! in memory would have no bound.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Inner;
use crate::error::{Error, ErrorKind, Result};
use crate::ids::ExecutionId;

#[derive(Default)]
pub(super) struct Unstored {
    /// With what the store said of each.
    ends: Mutex<HashMap<ExecutionId, Error>>,
    /// Mirrors whether there are any, for whoever asks often.
    any: AtomicBool,
}

impl Unstored {
    /// Notes one whose end could not be stored, if that may pass: what will not would hold up everybody for ever.
    pub(super) fn note(&self, id: ExecutionId, error: &Error) {
        if error.kind() == ErrorKind::StoreUnavailable {
            self.lock().insert(id, error.clone());
            self.any.store(true, Ordering::Release);
        }
    }

    /// It is stored by now.
    pub(super) fn forget(&self, id: ExecutionId) {
        if self.any.load(Ordering::Acquire) {
            let mut ends = self.lock();
            ends.remove(&id);
            self.any.store(!ends.is_empty(), Ordering::Release);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ExecutionId, Error>> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Refuses new work while the ends of others cannot be stored. That is tried once more first: whoever has made room
    /// need not wait for the next look.
    pub(super) fn refuse_while_unstored(&self) -> Result<()> {
        if !self.unstored.any.load(Ordering::Acquire) {
            return Ok(());
        }
        let waiting: Vec<ExecutionId> = self.unstored.lock().keys().copied().collect();
        for id in waiting {
            if let Some(running) = self.running_execution(id) {
                self.save_running(&running).map_err(|error| {
                    let message =
                        format!("not run, since the ends of others could not be stored yet: {}", error.message());
                    Error::new(error.kind(), message).because(error)
                })?;
            }
        }
        Ok(())
    }
}
