//! Following executions and sessions: what there is, then what comes, from any place, without a gap or a double.
//!
//! A watch holds a place and nothing else. Each look reads on from there, in memory while the execution runs and in the
//! store afterwards; both number events alike. So any number of readers of any speed cost an execution nothing.

use std::str::FromStr;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use super::{Inner, VmSystem};
use crate::bell::{Bell, Listener};
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::error::{Error, Result};
use crate::event::Event;
use crate::execution::{Execution, ExecutionStatus};
use crate::ids::{ExecutionId, SessionId};
use crate::session::{SessionRecord, SessionStatus};

/// How many events one look returns at most.
const PART_EVENTS: usize = 128;
/// After how much text a look ends. One event may be longer.
const PART_BYTES: u64 = 64 << 10;

/// What is new of an execution.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ExecutionNews {
    /// The next event.
    Event(Event),
    /// It has ended: the execution, without its events. Nothing comes after this.
    Ended(Box<Execution>),
}

/// What is new of a session.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SessionNews {
    /// The next event of one of its executions.
    Event(Event),
    /// It stands elsewhere now. Nothing comes after one that is closed or crashed.
    Session(Box<SessionRecord>),
}

/// A place in the events of a session: `EXECUTION_ID:SEQ`.
///
/// ```
/// use vmsys_core::SessionCursor;
/// let cursor: SessionCursor = "01950000-0000-7000-8000-000000000000:7".parse()?;
/// assert_eq!(cursor.to_string(), "01950000-0000-7000-8000-000000000000:7");
/// # Ok::<(), vmsys_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionCursor {
    /// The execution.
    pub execution_id: ExecutionId,
    /// The event of it that was read last.
    pub seq: u64,
}

impl std::fmt::Display for SessionCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.execution_id, self.seq)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for SessionCursor {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SessionCursor".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "pattern": r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}:[0-9]{1,19}$",
            "description": "A place in the events of a session: an execution's id, a colon, and a `seq`.",
        })
    }
}

impl FromStr for SessionCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
        let read = |(id, seq): (&str, &str)| Some(Self { execution_id: id.parse().ok()?, seq: digits(seq)? });
        text.split_once(':')
            .and_then(read)
            .ok_or_else(|| Error::validation("after", "a place in a session is an execution's id, a colon and a seq"))
    }
}

/// Where to begin with a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionStart {
    /// With its first event, startup included.
    #[default]
    Beginning,
    /// After this event.
    After(SessionCursor),
    /// With the last so many executions.
    Tail(u32),
}

/// Follows the events of an execution. Made by [`VmSystem::watch`].
#[derive(Debug)]
pub struct ExecutionWatch {
    vm: VmSystem,
    id: ExecutionId,
    seq: u64,
    listener: Listener,
    over: bool,
}

/// Follows the events of a session. Made by [`VmSystem::watch_session`].
#[derive(Debug)]
pub struct SessionWatch {
    vm: VmSystem,
    id: SessionId,
    place: Place,
    told: SessionStatus,
    listener: Listener,
    over: bool,
}

/// How far the executions of a session were read.
#[derive(Debug, Clone, Copy)]
enum Place {
    /// Before the first one.
    Start,
    /// In this one, up to this event.
    In(ExecutionId, u64),
    /// Behind this one.
    Behind(ExecutionId),
}

impl VmSystem {
    /// Follows an execution's events after `seq`, alive or not.
    ///
    /// What it does *not* guarantee: of an execution that runs, events are told before they are on disk. A program that is
    /// killed may lose those of the last 100 ms; whoever had seen them then finds the execution ended with fewer.
    ///
    /// # Errors
    /// [`ExecutionNotFound`](ErrorKind::ExecutionNotFound).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use vmsys_core::{ExecutionNews, NewSession, NewTemplate, Submission, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// let running = session.start(Submission::repl("console.log('a'); 1"))?;
    /// let mut watch = running.watch(0)?;
    /// let mut seen = Vec::new();
    /// while !watch.is_over() {
    ///     seen.extend(watch.look()?);
    ///     watch.wait(Duration::from_secs(1));
    /// }
    /// assert!(matches!(seen[..], [ExecutionNews::Event(_), ExecutionNews::Event(_), ExecutionNews::Event(_), ExecutionNews::Ended(_)]));
    /// # Ok::<(), vmsys_core::Error>(())
    /// ```
    pub fn watch(&self, id: ExecutionId, after_seq: u64) -> Result<ExecutionWatch> {
        let listener = match self.inner.running_execution(id) {
            Some(running) => running.session.bell.listen(),
            None => {
                self.inner.store.execution(id)?;
                Arc::<Bell>::default().listen()
            }
        };
        Ok(ExecutionWatch { vm: self.clone(), id, seq: after_seq, listener, over: false })
    }

    /// Follows the events of a session's executions, oldest first, alive or not, and what becomes of the session.
    ///
    /// # Errors
    /// [`SessionNotFound`](ErrorKind::SessionNotFound), and [`Validation`](ErrorKind::Validation) for a place in another
    /// session. A place that is not known, because what was there was lost before it was on disk or deleted since, is no
    /// error: reading goes on with what is younger.
    pub fn watch_session(&self, id: SessionId, start: SessionStart) -> Result<SessionWatch> {
        let live = self.inner.live_session(id);
        let bell = live.as_ref().map_or_else(Arc::default, |live| live.bell.clone());
        let listener = bell.listen();
        let told = match &live {
            Some(live) => live.record().status,
            None => self.inner.store.session(id)?.status,
        };
        let place = match start {
            SessionStart::Beginning => Place::Start,
            SessionStart::After(cursor) => self.inner.place_of(id, cursor)?,
            SessionStart::Tail(count) => self.inner.last_executions(id, count)?,
        };
        Ok(SessionWatch { vm: self.clone(), id, place, told, listener, over: false })
    }
}

impl ExecutionWatch {
    /// Returns what is new since the last look, or nothing. It may ask the store, but waits for nothing else. There may be
    /// more after one that returned something.
    ///
    /// # Errors
    /// [`ExecutionNotFound`](ErrorKind::ExecutionNotFound) when it was deleted meanwhile ([`Retention`](crate::Retention)):
    /// then the watch is over. Otherwise the store failed; another look may succeed.
    pub fn look(&mut self) -> Result<Vec<ExecutionNews>> {
        if self.over {
            return Ok(Vec::new());
        }
        self.listener.look();
        let read = self.vm.inner.read_on(self.id, self.seq);
        let (events, ended) = read.inspect_err(|error| self.over = error.is_not_found())?;
        if let Some(last) = events.last() {
            self.seq = last.seq;
        }
        self.over = ended.is_some();
        let ended = ended.map(|execution| ExecutionNews::Ended(Box::new(execution)));
        Ok(events.into_iter().map(ExecutionNews::Event).chain(ended).collect())
    }

    /// Is ready when another look may find something. Never blocks, and needs no particular runtime. Only to be asked after
    /// a look that has found nothing.
    pub fn poll_news(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.over { Poll::Ready(()) } else { self.listener.poll(context) }
    }

    /// Waits on this thread until another look may find something; false when the time has passed first.
    pub fn wait(&mut self, at_most: Duration) -> bool {
        self.over || self.listener.wait(at_most)
    }

    /// Tells whether its end was told, or it is there no more.
    pub fn is_over(&self) -> bool {
        self.over
    }
}

impl SessionWatch {
    /// Returns what is new since the last look, or nothing. As [`ExecutionWatch::look`]. Executions that were deleted
    /// meanwhile are passed over.
    ///
    /// # Errors
    /// [`SessionNotFound`](ErrorKind::SessionNotFound) when it was deleted meanwhile: then the watch is over. Otherwise the
    /// store failed; another look may succeed.
    pub fn look(&mut self) -> Result<Vec<SessionNews>> {
        if self.over {
            return Ok(Vec::new());
        }
        // Its status first: once it is over, nothing comes after what is found next.
        self.listener.look();
        let live = self.vm.inner.live_session(self.id);
        if let Some(live) = live.as_ref().filter(|live| !self.listener.is_of(&live.bell)) {
            // It was just being created when the watch was made.
            self.listener = live.bell.listen();
        }
        let record = match live {
            Some(live) => live.record(),
            None => self.vm.inner.store.session(self.id).inspect_err(|error| self.over = error.is_not_found())?,
        };
        let mut news = Vec::new();
        while news.is_empty() {
            let (id, seq) = match self.place {
                Place::In(id, seq) => (id, seq),
                Place::Start | Place::Behind(_) => match self.vm.inner.next_execution(self.id, self.place)? {
                    Some(id) => (id, 0),
                    None => break,
                },
            };
            let (events, ended) = match self.vm.inner.read_on(id, seq) {
                // Deleted meanwhile, or never stored.
                Err(error) if error.is_not_found() => {
                    self.place = Place::Behind(id);
                    continue;
                }
                read => read?,
            };
            let last = events.last().map_or(seq, |event| event.seq);
            self.place = if ended.is_some() { Place::Behind(id) } else { Place::In(id, last) };
            news.extend(events.into_iter().map(SessionNews::Event));
            if ended.is_none() {
                break;
            }
        }
        let is_behind = !matches!(self.place, Place::In(..));
        self.over = news.is_empty() && is_behind && has_ended(record.status);
        if self.over || (record.status != self.told && !has_ended(record.status)) {
            self.told = record.status;
            news.push(SessionNews::Session(Box::new(record)));
        }
        Ok(news)
    }

    /// Is ready when another look may find something. As [`ExecutionWatch::poll_news`].
    pub fn poll_news(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if self.over { Poll::Ready(()) } else { self.listener.poll(context) }
    }

    /// Waits on this thread until another look may find something; false when the time has passed first.
    pub fn wait(&mut self, at_most: Duration) -> bool {
        self.over || self.listener.wait(at_most)
    }

    /// Tells whether the session has ended, and that was told, or it is there no more.
    pub fn is_over(&self) -> bool {
        self.over
    }
}

fn has_ended(status: SessionStatus) -> bool {
    matches!(status, SessionStatus::Closed | SessionStatus::Crashed)
}

impl Inner {
    /// Reads some events, and, when these are the last ones of an execution that has ended, that execution.
    fn read_on(&self, id: ExecutionId, seq: u64) -> Result<(Vec<Event>, Option<Execution>)> {
        // What is not found here has ended and is stored: it is taken out only then.
        if let Some(running) = self.running_execution(id) {
            return Ok((running.live.part(seq, PART_EVENTS, PART_BYTES), None));
        }
        let events = self.store.events(id, seq, PART_EVENTS as u32)?;
        if events.len() == PART_EVENTS {
            return Ok((events, None));
        }
        let mut execution = self.store.execution(id)?;
        self.add_tree(&mut execution)?;
        // Only at a shutdown during which the disk failed: then nothing more will come either.
        let ended = execution.status != ExecutionStatus::Running;
        Ok((events, ended.then_some(execution)))
    }

    /// The oldest execution of a session behind a place.
    fn next_execution(&self, session: SessionId, place: Place) -> Result<Option<ExecutionId>> {
        let after = match place {
            Place::Start => None,
            Place::In(id, _) | Place::Behind(id) => Some(id),
        };
        // What runs is looked for first: what ends between the two look-ups is then in the store. One whose end could not
        // be stored is still in the list, though the session may run the next one already.
        let runs = self.live_session(session).and_then(|live| live.running()).map(|live| live.id);
        let listed = self
            .lock_running()
            .values()
            .filter(|running| running.live.session_id == session)
            .filter(|running| Some(running.live.id) == runs || running.live.is_settled())
            .map(|running| running.live.id)
            .filter(|id| Some(*id) > after)
            .min();
        let stored = self.store.execution_after(session, after)?;
        Ok(listed.into_iter().chain(stored).chain(runs.filter(|id| Some(*id) > after)).min())
    }

    fn place_of(&self, session: SessionId, cursor: SessionCursor) -> Result<Place> {
        let SessionCursor { execution_id, seq } = cursor;
        let of = match self.running_execution(execution_id) {
            Some(running) => running.live.session_id,
            None => match self.store.execution(execution_id) {
                Ok(execution) => execution.session_id,
                Err(error) if error.is_not_found() => return Ok(Place::Behind(execution_id)),
                Err(error) => return Err(error),
            },
        };
        if of == session {
            Ok(Place::In(execution_id, seq))
        } else {
            Err(Error::validation("after", "the place is in another session").with("session_id", of))
        }
    }

    /// The place before the last so many executions.
    fn last_executions(&self, session: SessionId, count: u32) -> Result<Place> {
        let runs = self.live_session(session).and_then(|live| live.running()).map(|live| live.id);
        let stored = self.store.executions(session, None, count.saturating_add(1))?;
        let mut ids: Vec<ExecutionId> = runs.into_iter().chain(stored.iter().map(|stored| stored.id)).collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.dedup();
        Ok(ids.get(count as usize).map_or(Place::Start, |id| Place::Behind(*id)))
    }
}
