//! What programs are fed with, counted per session until they have read it.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::value::CallError;

/// What a session holds for its programs, and how much that may be.
#[derive(Debug, Clone)]
pub(super) struct Room {
    pub(super) held: Arc<AtomicUsize>,
    /// Bytes, of all programs that run at a time.
    pub(super) at_most: usize,
}

/// Bytes for one program. Dropped, it gives back their part of the session's.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    held: Option<Arc<AtomicUsize>>,
}

impl Input {
    /// Copies bytes, if there is room for them: asked first, so that what is refused was never taken.
    pub(super) fn copy(bytes: &[u8], room: &Room) -> Result<Self, CallError> {
        let fits = |held: usize| held.checked_add(bytes.len()).filter(|sum| *sum <= room.at_most);
        if room.held.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).is_err() {
            let message = format!(
                "the inputs of a session's programs have at most {} bytes at a time, which is mem_mb: await some of them \
                 first",
                room.at_most
            );
            return Err(CallError::new("Error", message).with_code("ENOBUFS"));
        }
        Ok(Self { bytes: bytes.to_vec(), held: Some(room.held.clone()) })
    }
}

impl Deref for Input {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        if let Some(held) = &self.held {
            held.fetch_sub(self.bytes.len(), Ordering::Relaxed);
        }
    }
}
