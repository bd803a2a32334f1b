//! Ctrl+C, and SIGTERM: the first one asks what runs to end, the second one ends the program.

use std::process;
use std::sync::{Arc, OnceLock};
use std::{io, thread};

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{Error, Exit, Result};

/// Watches for signals on a thread of its own: whoever waits for an answer, or for a reader of the output, sees none.
pub(crate) struct Interrupt(Arc<OnceLock<Exit>>);

impl Interrupt {
    /// Has `first` called at the first signal, so that what runs is ended and shown like any other; at the second one
    /// `last_words`, and the program ends at once. Signals count from the moment that this returns.
    ///
    /// # Errors
    /// The operating system lets nobody watch for them.
    pub(crate) fn watch(
        first: impl FnOnce() + Send + 'static,
        last_words: impl FnOnce() + Send + 'static,
    ) -> Result<Self> {
        let cannot = |error: io::Error| Error::failed("IO_ERROR", format!("cannot watch for Ctrl+C: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(cannot)?;
        let mut signals = {
            let _inside = runtime.enter();
            Signals::new().map_err(cannot)?
        };
        let came: Arc<OnceLock<Exit>> = Arc::default();
        let seen = Arc::clone(&came);
        let watcher = move || {
            let exit = runtime.block_on(async {
                seen.set(signals.next().await).ok();
                // It may take its time, and the second signal must not wait for it.
                thread::Builder::new().name("first-signal".to_owned()).spawn(first).ok();
                signals.next().await
            });
            last_words();
            process::exit(exit.code().into());
        };
        thread::Builder::new().name("signals".to_owned()).spawn(watcher).map_err(cannot)?;
        Ok(Self(came))
    }

    /// Has `each` called at every Ctrl+C, and `terminate` at SIGTERM; then the program ends. Signals count from the moment
    /// that this returns.
    ///
    /// # Errors
    /// The operating system lets nobody watch for them.
    pub(crate) fn at_each(
        mut each: impl FnMut() + Send + 'static,
        terminate: impl FnOnce() + Send + 'static,
    ) -> Result<()> {
        let cannot = |error: io::Error| Error::failed("IO_ERROR", format!("cannot watch for Ctrl+C: {error}"));
        let runtime = Builder::new_current_thread().enable_all().build().map_err(cannot)?;
        let mut signals = {
            let _inside = runtime.enter();
            Signals::new().map_err(cannot)?
        };
        let watcher = move || {
            while runtime.block_on(signals.next()) == Exit::Interrupted {
                each();
            }
            terminate();
            process::exit(Exit::Terminated.code().into());
        };
        thread::Builder::new().name("signals".to_owned()).spawn(watcher).map(drop).map_err(cannot)
    }

    /// Returns how the program ends that was interrupted, if it was.
    pub(crate) fn came(&self) -> Option<Exit> {
        self.0.get().copied()
    }
}

/// What ends a program in the foreground.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
        }
    }
}
