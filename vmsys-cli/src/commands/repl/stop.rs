//! Ctrl+C at a prompt: it cancels what runs, again and again, and never the prompt.

use std::process;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Cancel;
use crate::error::{Exit, Result};
use crate::interrupt::Interrupt;
use crate::output::Aside;

/// What Ctrl+C stops.
pub(super) struct Stop(Arc<Shared>);

struct Shared {
    now: Mutex<Now>,
    cancel: Cancel,
}

/// What runs.
#[derive(Debug, Default)]
struct Now {
    is_running: bool,
    /// The execution, once that is known.
    id: Option<String>,
    /// How often it was asked to end.
    asked: u32,
}

impl Stop {
    /// Watches for signals from now on.
    pub(super) fn watch(cancel: Cancel, aside: Aside, is_prompt: bool) -> Result<Self> {
        let shared = Arc::new(Shared { now: Mutex::default(), cancel });
        // A prompt that is ended while it reads must leave the terminal as it was.
        let terminal = is_prompt.then(|| tcgetattr(std::io::stdin()).ok()).flatten();
        let (each, terminated) = (shared.clone(), shared.clone());
        let before = terminal.clone();
        let interrupted = move || {
            let mut now = each.lock();
            match (now.is_running, now.asked, is_prompt) {
                (true, 0, _) => {
                    now.asked = 1;
                    let id = now.id.clone();
                    drop(now);
                    aside.after_ctrl_c();
                    if let Some(id) = id {
                        each.clone().cancel_soon(id);
                    }
                }
                (true, ..) => leave(Exit::Interrupted, before.as_ref()),
                (false, _, true) => {}
                (false, _, false) => leave(Exit::Interrupted, before.as_ref()),
            }
        };
        let terminate = move || {
            let id = terminated.lock().id.clone();
            if let Some(id) = id {
                terminated.cancel_soon(id).map(thread::JoinHandle::join);
            }
            restore(terminal.as_ref());
        };
        Interrupt::at_each(interrupted, terminate)?;
        Ok(Self(shared))
    }

    /// Says that something is about to run, until what this returns is dropped.
    pub(super) fn begin(&self) -> Running {
        *self.0.lock() = Now { is_running: true, ..Now::default() };
        Running(self.0.clone())
    }
}

/// Something that runs.
pub(super) struct Running(Arc<Shared>);

impl Running {
    /// Says which execution it is. One that was to end before that was known is cancelled now.
    pub(super) fn started(&self, id: &str) {
        let mut now = self.0.lock();
        now.id = Some(id.to_owned());
        let is_to_end = now.asked > 0;
        drop(now);
        if is_to_end {
            self.0.clone().cancel_soon(id.to_owned());
        }
    }

    /// Tells whether somebody wanted it to end.
    pub(super) fn was_interrupted(&self) -> bool {
        self.0.lock().asked > 0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.lock() = Now::default();
    }
}

impl Shared {
    /// Cancels an execution, without anybody's having to wait for that.
    fn cancel_soon(self: Arc<Self>, id: String) -> Option<thread::JoinHandle<()>> {
        thread::Builder::new().name("cancel".to_owned()).spawn(move || (self.cancel)(&id)).ok()
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the program at once, whatever runs.
fn leave(exit: Exit, terminal: Option<&Termios>) -> ! {
    restore(terminal);
    process::exit(exit.code().into())
}

fn restore(terminal: Option<&Termios>) {
    if let Some(terminal) = terminal {
        tcsetattr(std::io::stdin(), OptionalActions::Now, terminal).ok();
    }
}
