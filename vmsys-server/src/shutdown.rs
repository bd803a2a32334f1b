//! The signals that end a daemon.

use std::io;
use std::time::{Duration, Instant};

/// Waits for the first signal, SIGINT or SIGTERM. From then on a second one ends the process at once.
pub(crate) struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
    /// Where it means nothing else: a terminal that goes, as a rule.
    #[cfg(unix)]
    hangup: Option<tokio::signal::unix::Signal>,
}

/// What a shell reports for a program that ended by SIGINT.
const INTERRUPTED: i32 = 130;
/// By SIGHUP.
#[cfg(unix)]
const HUNG_UP: i32 = 129;
/// And by SIGTERM.
#[cfg(unix)]
const TERMINATED: i32 = 143;

/// Signals that come this soon after the first are the same wish: `timeout` and terminals send theirs to a whole group of
/// processes, and a parent that is among them may pass it on.
const SAME_WISH: Duration = Duration::from_millis(500);

impl Signals {
    /// Takes the signals over, so that from here on they no longer kill.
    pub(crate) fn install() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            // A file that may not grow any more is an error of that write, and not the end of the daemon. With a handler, and
            // not by ignoring the signal: programs that scripts start would inherit that. It stays, once it is there.
            drop(signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?);
            let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
            Ok(Self { interrupt, terminate, hangup: None })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Has SIGHUP end the daemon as the others do.
    pub(crate) fn with_hangup(mut self) -> io::Result<Self> {
        #[cfg(unix)]
        {
            self.hangup = Some(tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup())?);
        }
        Ok(self)
    }

    /// Returns at the first signal.
    pub(crate) async fn first(mut self) {
        let signal = self.next().await;
        tracing::info!(signal = signal.name, "shutting down; a second signal ends the process at once");
        let first = Instant::now();
        tokio::spawn(async move {
            let mut second = self.next().await;
            while first.elapsed() < SAME_WISH {
                second = self.next().await;
            }
            std::process::exit(second.exit_code);
        });
    }

    #[cfg(unix)]
    async fn next(&mut self) -> Received {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = hangup => Received { name: "SIGHUP", exit_code: HUNG_UP },
            _ = self.interrupt.recv() => Received { name: "SIGINT", exit_code: INTERRUPTED },
            _ = self.terminate.recv() => Received { name: "SIGTERM", exit_code: TERMINATED },
        }
    }

    #[cfg(not(unix))]
    async fn next(&mut self) -> Received {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Received { name: "Ctrl-C", exit_code: INTERRUPTED }
    }
}

struct Received {
    name: &'static str,
    exit_code: i32,
}
