//! What happens, as iterators, streams and futures: over the same watches, on whatever runtime.

use std::collections::VecDeque;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;

use super::{
    ExecutionNews, ExecutionWatch, RunningExecution, Session, SessionNews, SessionStart, SessionWatch, VmSystem,
};
use crate::bell::Listener;
use crate::error::Result;
use crate::event::Event;
use crate::execution::{Execution, LiveExecution};
use crate::ids::ExecutionId;

/// How long one sleep is; whoever is woken in vain only looks once more.
const LONG: Duration = Duration::from_secs(60);

/// What an iterator and a stream are made of.
trait Watch {
    type Item;
    fn look(&mut self) -> Result<Vec<Self::Item>>;
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()>;
    fn is_over(&self) -> bool;
}

impl Watch for ExecutionWatch {
    type Item = Event;

    fn look(&mut self) -> Result<Vec<Event>> {
        let event = |news| match news {
            ExecutionNews::Event(event) => Some(event),
            ExecutionNews::Ended(_) => None,
        };
        Ok(ExecutionWatch::look(self)?.into_iter().filter_map(event).collect())
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.poll_news(context)
    }

    fn is_over(&self) -> bool {
        ExecutionWatch::is_over(self)
    }
}

impl Watch for SessionWatch {
    type Item = SessionNews;

    fn look(&mut self) -> Result<Vec<SessionNews>> {
        SessionWatch::look(self)
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.poll_news(context)
    }

    fn is_over(&self) -> bool {
        SessionWatch::is_over(self)
    }
}

/// What was found and not told yet. An error is the last that is told.
struct Follow<W: Watch> {
    watch: W,
    found: VecDeque<W::Item>,
    failed: bool,
}

impl<W: Watch> Follow<W> {
    fn of(watch: W) -> Self {
        Self { watch, found: VecDeque::new(), failed: false }
    }

    /// The next item; `None` at the end, and pending when one has to wait.
    fn next(&mut self) -> Poll<Option<Result<W::Item>>> {
        loop {
            if let Some(item) = self.found.pop_front() {
                return Poll::Ready(Some(Ok(item)));
            }
            if self.failed || self.watch.is_over() {
                return Poll::Ready(None);
            }
            match self.watch.look() {
                Ok(found) if found.is_empty() && !self.watch.is_over() => return Poll::Pending,
                Ok(found) => self.found.extend(found),
                Err(error) => {
                    self.failed = true;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }
}

/// Declares an iterator and a stream over the same watch.
macro_rules! follow {
    ($iterator:ident, $stream:ident, $watch:ident, $item:ident, $of:literal) => {
        #[doc = concat!("What happens in ", $of, ", one after the other: waits on this thread for what is next.")]
        ///
        /// It ends with what it follows, or behind an error.
        pub struct $iterator(Follow<$watch>);

        impl Iterator for $iterator {
            type Item = Result<$item>;

            fn next(&mut self) -> Option<Self::Item> {
                loop {
                    match self.0.next() {
                        Poll::Ready(next) => return next,
                        Poll::Pending => {
                            self.0.watch.wait(LONG);
                        }
                    }
                }
            }
        }

        #[doc = concat!("What happens in ", $of, ", as a stream: it needs no particular runtime, and holds no thread.")]
        ///
        /// It ends with what it follows, or behind an error. A poll may read the store.
        pub struct $stream(Follow<$watch>);

        impl Stream for $stream {
            type Item = Result<$item>;

            fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
                loop {
                    if let Poll::Ready(next) = self.0.next() {
                        return Poll::Ready(next);
                    }
                    if self.0.watch.poll(context).is_pending() {
                        return Poll::Pending;
                    }
                }
            }
        }

        impl Unpin for $stream {}

        impl fmt::Debug for $iterator {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($iterator)).field(&self.0.watch).finish()
            }
        }

        impl fmt::Debug for $stream {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($stream)).field(&self.0.watch).finish()
            }
        }
    };
}

follow!(Events, EventStream, ExecutionWatch, Event, "an execution");
follow!(SessionEvents, SessionEventStream, SessionWatch, SessionNews, "a session");

impl RunningExecution {
    /// Returns its events as an iterator, which waits for those that come and ends with the execution.
    ///
    /// # Errors
    /// The store failed.
    ///
    /// ```
    /// # use vmsys_core::{NewSession, NewTemplate, Payload, Submission, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// let running = session.start(Submission::repl("for (const n of [1, 2]) console.log(n)"))?;
    /// let mut lines = Vec::new();
    /// for event in running.events()? {
    ///     if let Payload::Console { text, .. } = event?.payload {
    ///         lines.push(text);
    ///     }
    /// }
    /// assert_eq!(lines, ["1", "2"]);
    /// # Ok::<(), vmsys_core::Error>(())
    /// ```
    pub fn events(&self) -> Result<Events> {
        self.watch(0).map(|watch| Events(Follow::of(watch)))
    }

    /// Returns its events as a stream, which ends with the execution.
    ///
    /// # Errors
    /// The store failed.
    pub fn event_stream(&self) -> Result<EventStream> {
        self.watch(0).map(|watch| EventStream(Follow::of(watch)))
    }
}

impl Session {
    /// Returns what happens in the session as an iterator, which waits for what comes and ends with the session.
    ///
    /// # Errors
    /// As [`VmSystem::watch_session`].
    pub fn events(&self, start: SessionStart) -> Result<SessionEvents> {
        self.vm.watch_session(self.id, start).map(|watch| SessionEvents(Follow::of(watch)))
    }

    /// Returns what happens in the session as a stream, which ends with the session.
    ///
    /// # Errors
    /// As [`VmSystem::watch_session`].
    pub fn event_stream(&self, start: SessionStart) -> Result<SessionEventStream> {
        self.vm.watch_session(self.id, start).map(|watch| SessionEventStream(Follow::of(watch)))
    }
}

/// The end of an execution that was started, as a future: what `running.await` waits for.
///
/// It needs no particular runtime. Dropping it stops nothing.
pub struct EndOfExecution {
    vm: VmSystem,
    id: ExecutionId,
    live: Option<(Arc<LiveExecution>, Listener)>,
}

impl fmt::Debug for EndOfExecution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndOfExecution").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Future for EndOfExecution {
    type Output = Result<Execution>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.live {
            Some((live, listener)) => live.poll_end(listener, context).map(|ended| ended.map(Arc::unwrap_or_clone)),
            None => Poll::Ready(self.vm.execution(self.id)),
        }
    }
}

/// [`wait`](RunningExecution::wait) for async code.
///
/// ```
/// # use vmsys_core::{NewSession, NewTemplate, Submission, VmSystem};
/// # let vm = VmSystem::in_memory()?;
/// # let template = vm.create_template(NewTemplate::named("t"))?;
/// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
/// # pollster::block_on(async {
/// let execution = session.start(Submission::repl("6 * 7"))?.await?;
/// assert_eq!(execution.result.map(|value| value.preview).as_deref(), Some("42"));
/// # Ok::<(), vmsys_core::Error>(())
/// # })?;
/// # Ok::<(), vmsys_core::Error>(())
/// ```
impl IntoFuture for RunningExecution {
    type Output = Result<Execution>;
    type IntoFuture = EndOfExecution;

    fn into_future(self) -> EndOfExecution {
        let (vm, id, live) = self.into_parts();
        let live = live.map(|live| {
            let listener = live.listen();
            (live, listener)
        });
        EndOfExecution { vm, id, live }
    }
}
