//! How long history is kept, and the thread that deletes what is older.
//!
//! It works in small steps (`store/retention.rs`) and rests after each for longer than the step took, so that most of the
//! writer's time is left to others. What it has to look at it is told: whoever ends an execution notes the session.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::Inner;
use crate::error::Result;
use crate::ids::SessionId;
use crate::store::Step;
use crate::time::Timestamp;

/// How often sessions that ran something are looked at; also how soon after a start there is a first look.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often executions and sessions of old are looked for: a part of the time that they are kept, within these.
const AGE_LOOK_LEAST: Duration = Duration::from_millis(10);
const AGE_LOOK_MOST: Duration = Duration::from_secs(60);
/// How often sessions are looked at again that have executions which may not go yet.
const HELD_LOOK_EVERY: Duration = Duration::from_secs(60);
/// How long it waits after a failure of the store: on a full disk it would only fail again.
const AFTER_FAILURE: Duration = Duration::from_secs(10);
/// How many times as long as a step took it rests afterwards. With three, a quarter of the writer's time goes into
/// deleting while there is much of it.
const REST: u32 = 3;
/// The least that it rests, for those who wait to get their turn.
const LEAST_REST: Duration = Duration::from_millis(1);

/// How long a [`VmSystem`](crate::VmSystem) keeps its history. By default for ever.
///
/// Of the two rules, either is enough for an execution to go, with its events. Never deleted are executions that run,
/// those that were asked for under an [idempotency key](crate::Submission::key) within the last 24 hours, since a
/// repetition has to find them, and the records of sessions that are alive.
///
/// What it does *not* do: it bounds nothing at the very moment. Deleting is done afterwards, by a thread in the background,
/// in steps small enough that nobody waits for it; after a start with much to delete that takes its time. The database's
/// file does not shrink, what is written later takes the room; and deleted text may be found in the file until then.
///
/// ```
/// use std::time::{Duration, Instant};
/// use vmsys_core::{Config, ExecutionFilter, NewSession, NewTemplate, VmSystem};
/// let mut config = Config::default();
/// config.retention.keep_executions = Some(2);
/// config.retention.keep_for = Some(Duration::from_secs(7 * 24 * 60 * 60));
/// let vm = VmSystem::with_config(config)?;
/// let template = vm.create_template(NewTemplate::named("t"))?;
/// let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
/// let runs = (1..=5).map(|n| session.repl(n.to_string())).collect::<Result<Vec<_>, _>>()?;
///
/// let history = || vm.executions(session.id(), &ExecutionFilter::default());
/// let begun = Instant::now();
/// while history()?.len() > 2 && begun.elapsed() < Duration::from_secs(60) {
///     std::thread::sleep(Duration::from_millis(10));
/// }
/// let kept: Vec<_> = history()?.iter().map(|execution| execution.id).collect();
/// assert_eq!(kept, [runs[4].id, runs[3].id]);
/// assert!(vm.execution(runs[0].id).unwrap_err().is_not_found());
/// # Ok::<(), vmsys_core::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retention {
    /// How many executions of each session are kept: its newest ones, those of its startup files counted. Others go about a
    /// second later.
    pub keep_executions: Option<u64>,
    /// How long an execution is kept after its end. A session that was closed for as long goes as well, once none of its
    /// executions is left; one that crashed, with the last of its executions.
    pub keep_for: Option<Duration>,
}

/// Which sessions have run something since the last look.
#[derive(Debug)]
pub(super) struct Keeper {
    retention: Retention,
    touched: Mutex<HashSet<SessionId>>,
}

impl Keeper {
    pub(super) fn new(retention: Retention) -> Self {
        Self { retention, touched: Mutex::default() }
    }

    /// An execution of this session has ended and is stored.
    pub(super) fn note(&self, session: SessionId) {
        if self.retention.keep_executions.is_some() {
            self.touched.lock().unwrap_or_else(PoisonError::into_inner).insert(session);
        }
    }

    fn take(&self) -> HashSet<SessionId> {
        std::mem::take(&mut *self.touched.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How often the thread looks whether there is something to do; without a rule there never is.
    pub(super) fn looks_every(&self) -> Option<Duration> {
        let Retention { keep_executions, keep_for } = self.retention;
        let by_age = keep_for.map(|keep_for| age_look_every(keep_for).min(LOOK_EVERY));
        by_age.or(keep_executions.map(|_| LOOK_EVERY))
    }
}

fn age_look_every(keep_for: Duration) -> Duration {
    (keep_for / 64).clamp(AGE_LOOK_LEAST, AGE_LOOK_MOST)
}

/// What the thread remembers between two looks.
#[derive(Debug, Default)]
pub(super) struct Sweeper {
    /// How far the sessions were looked through that were there at the start.
    seen: Seen,
    /// Sessions to look at.
    due: HashSet<SessionId>,
    /// Sessions to look at later: some of their executions may not go yet.
    held: HashSet<SessionId>,
    held_due: Option<Instant>,
    age_due: Option<Instant>,
    failed: Option<Instant>,
}

#[derive(Debug, Default, Clone, Copy)]
enum Seen {
    #[default]
    None,
    UpTo(SessionId),
    All,
}

/// Whether a look has come to its end, or the system to its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Went {
    Through,
    Stopped,
}

impl Sweeper {
    /// Deletes all that is due, in as many steps as it takes, unless the system is shut down meanwhile.
    pub(super) fn look(&mut self, inner: &Inner) {
        if self.failed.is_some_and(|failed| failed.elapsed() < AFTER_FAILURE) {
            return;
        }
        self.failed = None;
        if let Err(error) = self.sweep(inner) {
            tracing::error!(?error, "history could not be deleted; it is tried again later");
            self.failed = Some(Instant::now());
        }
    }

    fn sweep(&mut self, inner: &Inner) -> Result<Went> {
        let Retention { keep_executions, keep_for } = inner.keeper.retention;
        if let Some(keep_for) = keep_for
            && self.age_due.is_none_or(|due| due <= Instant::now())
        {
            if by_age(inner, keep_for)? == Went::Stopped {
                return Ok(Went::Stopped);
            }
            self.age_due = Some(Instant::now() + age_look_every(keep_for));
        }
        match keep_executions {
            Some(keep) => self.by_count(inner, keep),
            None => Ok(Went::Through),
        }
    }

    /// Deletes what sessions have more than they may.
    fn by_count(&mut self, inner: &Inner, keep: u64) -> Result<Went> {
        self.due.extend(inner.keeper.take());
        if self.held_due.is_some_and(|due| due <= Instant::now()) {
            self.held_due = None;
            self.due.extend(self.held.drain());
        }
        loop {
            // Taken out when it is done: after a failure it is still there.
            while let Some(session) = self.due.iter().next().copied() {
                let mut held = false;
                let went = all_steps(inner, |after| {
                    let step = inner.store.delete_surplus(session, keep, after, Timestamp::now())?;
                    held |= step.held;
                    Ok(step)
                })?;
                if went == Went::Stopped {
                    return Ok(went);
                }
                self.due.remove(&session);
                if held {
                    self.held.insert(session);
                    self.held_due.get_or_insert_with(|| Instant::now() + HELD_LOOK_EVERY);
                }
            }
            let after = match self.seen {
                Seen::None => None,
                Seen::UpTo(place) => Some(place),
                Seen::All => return Ok(Went::Through),
            };
            let begun = Instant::now();
            let (over, next) = inner.store.sessions_over(keep, after)?;
            self.due.extend(over);
            self.seen = next.map_or(Seen::All, Seen::UpTo);
            if !rest(inner, begun) {
                return Ok(Went::Stopped);
            }
        }
    }
}

/// Deletes executions that ended too long ago, then the sessions of which nothing is left.
fn by_age(inner: &Inner, keep_for: Duration) -> Result<Went> {
    let now = Timestamp::now();
    let before = now.as_millis().saturating_sub(i64::try_from(keep_for.as_millis()).unwrap_or(i64::MAX));
    let before = Timestamp::from_millis(before);
    if all_steps(inner, |after| inner.store.delete_ended(after, before, now))? == Went::Stopped {
        return Ok(Went::Stopped);
    }
    all_steps(inner, |after| inner.store.delete_sessions(after, before))
}

/// Takes one step after the other until there is none left, with a rest after each.
fn all_steps<Id: Copy>(inner: &Inner, mut step: impl FnMut(Option<Id>) -> Result<Step<Id>>) -> Result<Went> {
    let mut after = None;
    let mut deleted = 0;
    loop {
        let begun = Instant::now();
        let taken = step(after)?;
        deleted += taken.deleted;
        after = taken.next;
        if after.is_none() {
            if deleted > 0 {
                tracing::debug!(deleted, of = std::any::type_name::<Id>(), "history was deleted");
            }
            return Ok(Went::Through);
        }
        if !rest(inner, begun) {
            return Ok(Went::Stopped);
        }
    }
}

/// Rests after what was begun then; false when the system is being shut down.
fn rest(inner: &Inner, begun: Instant) -> bool {
    inner.housekeeping.rest((begun.elapsed() * REST).max(LEAST_REST))
}
