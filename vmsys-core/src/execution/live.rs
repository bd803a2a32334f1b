//! An execution that runs: its log, who asks it to stop, and who waits for its end.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use super::ending::{Ending, ending};
use super::{Execution, ExecutionStatus, Metrics, Request};
use crate::bell::{Bell, Listener};
use crate::error::Result;
use crate::event::{Event, Payload};
use crate::ids::{ExecutionId, SessionId};
use crate::isolation::os_thread::{OsThread, current_cpu_time};
use crate::isolation::protocol::{Completion, Data, EmitRefused, End, Outcome, Remote, Stop, Usage, Wake};
use crate::isolation::spin::spin;
use crate::limits::Limits;
use crate::modules::Surroundings;
use crate::session::ConsoleSink;
use crate::store::{KeyUse, Store};
use crate::time::Timestamp;
use crate::value::{CallError, TreeText, Value};

/// Most snippets end sooner than this.
const SPIN: Duration = Duration::from_micros(60);

/// An execution from its first event to its last.
///
/// The realm's thread writes the log, anybody reads it. Exactly one party ends it: the realm's thread, or the watchdog
/// when that thread is stuck ([`claim_end`](Self::claim_end)).
pub(crate) struct LiveExecution {
    pub(crate) id: ExecutionId,
    pub(crate) session_id: SessionId,
    request: Request,
    limits: Limits,
    started_at: Timestamp,
    started: Instant,
    /// Processor time when this began, of the session's thread and of the realm, which may be elsewhere.
    cpu_at_start: OnceLock<(Duration, Duration)>,
    /// What reaches the realm, if it is elsewhere.
    remote: OnceLock<Arc<dyn Remote>>,
    stop_requested: AtomicBool,
    /// Whoever wanted its value has dropped the future of it.
    abandoned: AtomicBool,
    /// Mirrors `log.refused`, for whoever asks often.
    past_limit: AtomicBool,
    /// How often the realm has asked whether it is to stop: while this grows, it is not stuck.
    polls: AtomicU64,
    /// How it ends, and why its session does, since what runs it was ended by force.
    given_up: OnceLock<(Outcome, &'static str)>,
    end_claimed: AtomicBool,
    /// Mirrors `log.ended`, for whoever asks often.
    published: AtomicBool,
    log: Mutex<Log>,
    changed: Condvar,
    /// Its session's: rung for whoever reads along.
    bell: Arc<Bell>,
    /// Its session's: told what is printed.
    console: Option<ConsoleSink>,
    /// Up to which event the store has it. Held while a part is being written, so that the parts come in order.
    saved: Mutex<u64>,
}

#[derive(Default)]
struct Log {
    /// Empty from its end on: then `ending` has them.
    events: Vec<Event>,
    output_bytes: u64,
    /// What the trees of its events take.
    tree_bytes: usize,
    /// Why somebody asked it to end.
    why_stopped: Option<&'static str>,
    /// The first limit that an event was past.
    refused: Option<EmitRefused>,
    /// Answers to calls, for the realm's thread.
    answers: VecDeque<Completion>,
    /// What they take in memory.
    answer_bytes: usize,
    /// What it came to as data, for whoever wanted it.
    data: Option<Data>,
    /// How it ended, from the moment at which that is settled.
    ending: Option<Arc<Execution>>,
    /// What became of storing that; from then on everybody is told.
    ended: Option<Result<Arc<Execution>>>,
}

impl Log {
    /// Its events, as far as readers may know of them: while its end is being stored, not yet the one that tells it.
    fn events(&self) -> &[Event] {
        match (&self.ended, &self.ending) {
            (Some(Ok(execution)), _) => &execution.events,
            (_, Some(ending)) => ending.events.split_last().map_or(&[], |(_, before)| before),
            (_, None) => &self.events,
        }
    }
}

/// What is to be written of an execution that was begun before.
pub(crate) enum Progress<'a> {
    /// It is over, and the store has all of it.
    Over,
    Nothing,
    Part(Part<'a>),
}

/// What the store does not have yet of an execution. Nobody else writes it while this is held.
pub(crate) struct Part<'a> {
    news: Arc<Execution>,
    saved: MutexGuard<'a, u64>,
}

impl Part<'_> {
    /// What to write, and from which event on.
    pub(crate) fn news(&self) -> (&Arc<Execution>, u64) {
        (&self.news, *self.saved + 1)
    }

    /// Notes that the store has it, and tells whether that was the last of it.
    pub(crate) fn stored(mut self) -> bool {
        *self.saved = self.news.metrics.event_count;
        self.news.status != ExecutionStatus::Running
    }
}

impl LiveExecution {
    #[cfg(test)]
    pub(crate) fn begin(session_id: SessionId, request: Request, limits: Limits, bell: Arc<Bell>) -> Arc<Self> {
        Self::begin_heard(session_id, request, limits, bell, None)
    }

    /// The same for a session whose output somebody hears as it comes.
    pub(crate) fn begin_heard(
        session_id: SessionId,
        request: Request,
        limits: Limits,
        bell: Arc<Bell>,
        console: Option<ConsoleSink>,
    ) -> Arc<Self> {
        let id = ExecutionId::new();
        let started_at = Timestamp::now();
        let echo =
            Event { execution_id: id, seq: 1, ts: started_at, payload: Payload::InputEcho { text: request.echo() } };
        let log = Log { events: vec![echo], ..Log::default() };
        Arc::new(Self {
            id,
            session_id,
            request,
            limits,
            started_at,
            started: Instant::now(),
            cpu_at_start: OnceLock::new(),
            remote: OnceLock::new(),
            stop_requested: AtomicBool::new(false),
            abandoned: AtomicBool::new(false),
            past_limit: AtomicBool::new(false),
            polls: AtomicU64::new(0),
            given_up: OnceLock::new(),
            end_claimed: AtomicBool::new(false),
            published: AtomicBool::new(false),
            log: Mutex::new(log),
            changed: Condvar::new(),
            bell,
            console,
            saved: Mutex::new(0),
        })
    }

    /// When it began, by the monotonic clock.
    pub(crate) fn started(&self) -> Instant {
        self.started
    }

    pub(crate) fn started_at(&self) -> Timestamp {
        self.started_at
    }

    pub(crate) fn request(&self) -> &Request {
        &self.request
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Begins on the session's thread, which is the one that calls this; the realm has used so much processor time
    /// before.
    pub(crate) fn begin_on_thread(&self, of_realm: Duration) {
        self.cpu_at_start.get_or_init(|| (current_cpu_time(), of_realm));
    }

    /// Takes what reaches the realm, which cannot ask for itself whether it is to stop.
    pub(crate) fn attach(&self, remote: Arc<dyn Remote>) {
        let _ = self.remote.set(remote);
        self.pass_on_stop();
    }

    /// Tells a realm elsewhere that it is to stop, if it is. Whoever asks for that and whoever attaches one both look
    /// afterwards, so that one of them sees the other.
    fn pass_on_stop(&self) {
        if let Some(reason) = self.stop_reason() {
            self.pass_on(reason);
        }
    }

    /// Tells a realm elsewhere that it is to stop; one that is not, sees that for itself.
    pub(crate) fn pass_on(&self, reason: Stop) {
        if let Some(remote) = self.remote.get() {
            remote.stop(reason);
        }
    }

    /// Tells whether it has begun on the realm's thread, or is over. One that has not begun may still be refused.
    pub(crate) fn has_begun(&self) -> bool {
        self.cpu_at_start.get().is_some() || self.published.load(Ordering::Acquire)
    }

    /// Processor time that it has used on this thread so far; none while it has not begun there.
    pub(crate) fn cpu_used(&self, thread: OsThread) -> Option<Duration> {
        Some(thread.cpu_time()?.saturating_sub(self.cpu_at_start.get()?.1))
    }

    /// Asks it to end as soon as it can.
    ///
    /// `why` is what it will say, of the first who asks.
    pub(crate) fn request_stop(&self, why: &'static str) {
        let mut log = self.lock();
        log.why_stopped.get_or_insert(why);
        self.stop_requested.store(true, Ordering::Release);
        drop(log);
        self.changed.notify_all();
        self.pass_on_stop();
    }

    /// Asks it to end, since nobody wants it any more.
    pub(crate) fn abandon(&self, why: &'static str) {
        self.abandoned.store(true, Ordering::Release);
        self.request_stop(why);
    }

    /// Tells whether it only runs because it has not ended yet.
    pub(crate) fn is_abandoned(&self) -> bool {
        self.abandoned.load(Ordering::Acquire)
    }

    /// Why it is to end, if it is.
    pub(crate) fn stop_reason(&self) -> Option<Stop> {
        if self.is_stop_requested() {
            return Some(Stop::Requested);
        }
        if !self.past_limit.load(Ordering::Acquire) {
            return None;
        }
        self.lock().refused.map(|refused| match refused {
            EmitRefused::Events => Stop::Events,
            EmitRefused::Output => Stop::Output,
        })
    }

    /// Waits until a call is answered, it is to end, or the time has passed.
    pub(crate) fn wait_for_news(&self, at_most: Duration) -> Wake {
        let must_stop =
            || self.is_stop_requested() || self.past_limit.load(Ordering::Acquire) || self.given_up().is_some();
        let log = self.lock();
        let asleep = |log: &mut Log| log.answers.is_empty() && !must_stop();
        let (mut log, _) =
            self.changed.wait_timeout_while(log, at_most, asleep).unwrap_or_else(PoisonError::into_inner);
        if must_stop() {
            return Wake::StopRequested;
        }
        let Some(completion) = log.answers.pop_front() else { return Wake::Elapsed };
        log.answer_bytes = log.answer_bytes.saturating_sub(size(&completion));
        Wake::Completed(completion)
    }

    /// Notes that its realm could have been interrupted.
    pub(crate) fn note_poll(&self) {
        self.polls.fetch_add(1, Ordering::Relaxed);
    }

    /// How often its realm could have been interrupted so far.
    pub(crate) fn polls(&self) -> u64 {
        self.polls.load(Ordering::Relaxed) + self.remote.get().map_or(0, |remote| remote.polls())
    }

    /// Whether somebody asked it to end.
    pub(crate) fn is_stop_requested(&self) -> bool {
        self.stop_requested.load(Ordering::Acquire)
    }

    /// Waits until it has ended and is stored.
    ///
    /// # Errors
    /// It has ended, but could not be stored.
    pub(crate) fn wait(&self) -> Result<Arc<Execution>> {
        let mut log = self.lock();
        loop {
            if let Some(ended) = &log.ended {
                return ended.clone();
            }
            log = self.changed.wait(log).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until it has ended, or the time has passed.
    pub(crate) fn wait_at_most(&self, time: Duration) {
        let runs = |log: &mut Log| log.ended.is_none();
        drop(self.changed.wait_timeout_while(self.lock(), time, runs).unwrap_or_else(PoisonError::into_inner));
    }

    /// Waits a moment for its end without going to sleep: worth it when nothing else runs.
    pub(crate) fn spin(&self) {
        spin(SPIN, || self.published.load(Ordering::Acquire));
    }

    /// Is ready when it has ended and is stored. Never blocks, and needs no particular runtime.
    ///
    /// # Errors
    /// As [`wait`](Self::wait).
    pub(crate) fn poll_end(&self, listener: &mut Listener, context: &mut Context<'_>) -> Poll<Result<Arc<Execution>>> {
        loop {
            listener.look();
            if let Some(ended) = &self.lock().ended {
                return Poll::Ready(ended.clone());
            }
            if listener.poll(context).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Returns a listener that is woken when it ends.
    pub(crate) fn listen(&self) -> Listener {
        self.bell.listen()
    }

    /// Takes what it came to as data, once it has ended.
    pub(crate) fn take_data(&self) -> Option<Data> {
        self.lock().data.take()
    }

    /// Returns it as it is now, with its events.
    pub(crate) fn snapshot(&self) -> Arc<Execution> {
        let log = self.lock();
        match &log.ended {
            Some(Ok(execution)) => execution.clone(),
            Some(Err(_)) | None => Arc::new(self.running(&log, 0)),
        }
    }

    /// What there is of it while it runs, with its events after `seq`.
    fn running(&self, log: &Log, seq: u64) -> Execution {
        let events = log.events();
        let metrics = Metrics {
            wall_ms: millis(self.started.elapsed()),
            event_count: events.len() as u64,
            output_bytes: log.output_bytes,
            ..Metrics::default()
        };
        self.record(ExecutionStatus::Running, after(events, seq).to_vec(), metrics)
    }

    /// Returns its events after `seq`, at most `limit` of them.
    pub(crate) fn events(&self, after_seq: u64, limit: usize) -> Vec<Event> {
        after(self.lock().events(), after_seq).iter().take(limit).cloned().collect()
    }

    /// Returns some of its events after `seq`: at least one, if there is one, and no more than a reader should hold at once.
    pub(crate) fn part(&self, after_seq: u64, most_events: usize, most_bytes: u64) -> Vec<Event> {
        let log = self.lock();
        let mut bytes = 0;
        let fits = |event: &&Event| {
            let fits = bytes < most_bytes;
            bytes += event.payload.output_bytes();
            fits
        };
        after(log.events(), after_seq).iter().take(most_events).take_while(fits).cloned().collect()
    }

    /// Returns how it ended, once that is settled, though perhaps not stored.
    pub(crate) fn ending(&self) -> Option<Arc<Execution>> {
        self.lock().ending.clone()
    }

    /// Tells whether its end is settled, though perhaps not stored.
    pub(crate) fn is_settled(&self) -> bool {
        self.lock().ending.is_some()
    }

    /// Writes it for the first time, as it begins, together with the key that it was asked for under.
    pub(crate) fn save_begun(&self, store: &Store, key: Option<KeyUse>) -> Result<Arc<Execution>> {
        let mut saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = Arc::new(self.running(&self.lock(), 0));
        store.save_begun(&begun, key)?;
        *saved = begun.metrics.event_count;
        Ok(begun)
    }

    /// Writes what the store does not have yet, as [`progress`](Self::progress) finds it. True says that it is over, and that
    /// nothing is left to write.
    pub(crate) fn save_progress(&self, store: &Store) -> Result<bool> {
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        match self.progress_since(saved) {
            Progress::Over => Ok(true),
            Progress::Nothing => Ok(false),
            Progress::Part(part) => {
                let (news, from_seq) = part.news();
                store.save_execution(news, from_seq)?;
                Ok(part.stored())
            }
        }
    }

    /// Returns what the store does not have yet: of one that has run for a while, its events; of one whose end could not be
    /// stored when it came, that end. Nothing, while somebody else writes it: to wait for that would hold up the others.
    pub(crate) fn progress(&self) -> Progress<'_> {
        match self.saved.try_lock() {
            Ok(saved) => self.progress_since(saved),
            Err(TryLockError::Poisoned(poisoned)) => self.progress_since(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => Progress::Nothing,
        }
    }

    fn progress_since<'a>(&self, saved: MutexGuard<'a, u64>) -> Progress<'a> {
        let log = self.lock();
        let news = match (&log.ended, &log.ending) {
            (Some(Err(_)), Some(ending)) => ending.clone(),
            (Some(_), _) => return Progress::Over,
            (None, _) if self.end_claimed.load(Ordering::Acquire) => return Progress::Nothing,
            (None, _) if log.events().len() as u64 == *saved => return Progress::Nothing,
            (None, _) => Arc::new(self.running(&log, *saved)),
        };
        drop(log);
        Progress::Part(Part { news, saved })
    }

    /// The end of one whose thread does not stop, with what it has used as far as that can be told from outside.
    pub(crate) fn stuck(&self, stop: Stop, thread: OsThread) -> Outcome {
        let cpu = self.cpu_used(thread).unwrap_or_default();
        Outcome {
            end: End::Stopped(stop),
            data: None,
            usage: Usage { wall: self.started.elapsed(), cpu, ..Usage::default() },
        }
    }

    /// Says how it ends, and why its session does, whatever comes of it: what runs it is about to be ended by force. False
    /// says that it has ended by itself, and that nothing is to be ended any more.
    pub(crate) fn give_up(&self, end: Outcome, why: &'static str) -> bool {
        // Under the lock, under which its end is claimed too: only one of both comes first.
        let log = self.lock();
        let runs = !self.end_claimed.load(Ordering::Acquire);
        if runs {
            self.given_up.get_or_init(|| (end, why));
        }
        drop(log);
        self.changed.notify_all();
        runs
    }

    /// How it ends, if it was given up, and why its session does.
    pub(crate) fn given_up(&self) -> Option<&(Outcome, &'static str)> {
        self.given_up.get()
    }

    /// Takes the right to end it: true for one caller only.
    pub(crate) fn claim_end(&self) -> bool {
        let _log = self.lock();
        !self.end_claimed.swap(true, Ordering::AcqRel)
    }

    /// Ends it and stores it. Only for whoever [claimed](Self::claim_end) that; then comes [`publish`](Self::publish).
    pub(crate) fn finish(&self, outcome: Outcome, store: &Store) -> Result<Arc<Execution>> {
        self.finish_by(outcome, |execution, from_seq| store.save_execution(execution, from_seq))
    }

    /// The same for one that its session crashes with, for the reason given, which is stored along with it.
    pub(crate) fn finish_last(&self, outcome: Outcome, why: &str, store: &Store) -> Result<Arc<Execution>> {
        self.finish_by(outcome, |execution, from_seq| store.save_last(execution, from_seq, why))
    }

    fn finish_by(
        &self,
        outcome: Outcome,
        save: impl FnOnce(&Arc<Execution>, u64) -> Result<()>,
    ) -> Result<Arc<Execution>> {
        let saved = self.saved.lock().unwrap_or_else(PoisonError::into_inner);
        let execution = self.settle(outcome);
        save(&execution, *saved + 1)?;
        Ok(execution)
    }

    /// Turns what ran into what is stored. Its events change hands under the lock, so that readers always find them.
    fn settle(&self, outcome: Outcome) -> Arc<Execution> {
        let mut log = self.lock();
        log.data = outcome.data;
        let why_stopped = log.why_stopped.unwrap_or("execution cancelled");
        let Ending { status, result, error, last } = ending(outcome.end, &self.limits, why_stopped);
        let mut events = std::mem::take(&mut log.events);
        let output_bytes = log.output_bytes + last.output_bytes();
        let ended_at = Timestamp::now();
        events.push(Event { execution_id: self.id, seq: events.len() as u64 + 1, ts: ended_at, payload: last });
        let Usage { wall, cpu, memory_bytes, .. } = outcome.usage;
        let metrics = Metrics {
            wall_ms: millis(wall),
            cpu_ms: millis(cpu),
            memory_bytes: memory_bytes as u64,
            event_count: events.len() as u64,
            output_bytes,
        };
        let mut execution = self.record(status, events, metrics);
        execution.ended_at = Some(ended_at);
        execution.result = result;
        execution.error = error;
        let execution = Arc::new(execution);
        log.ending = Some(execution.clone());
        execution
    }

    /// Tells everybody who waits.
    pub(crate) fn publish(&self, ended: Result<Arc<Execution>>) {
        self.lock().ended = Some(ended);
        self.published.store(true, Ordering::Release);
        self.changed.notify_all();
        self.bell.ring();
    }

    fn record(&self, status: ExecutionStatus, events: Vec<Event>, metrics: Metrics) -> Execution {
        let Request { kind, input, path, args, env, imported: _, act: _, wants_data: _ } = &self.request;
        Execution {
            id: self.id,
            session_id: self.session_id,
            kind: *kind,
            input: input.clone(),
            path: path.clone(),
            args: args.clone(),
            env: env.clone(),
            status,
            started_at: self.started_at,
            ended_at: None,
            result: None,
            error: None,
            metrics,
            events,
        }
    }

    /// Why an event is not recorded, if it is not.
    fn refusal(&self, log: &Log, payload: &Payload) -> Option<EmitRefused> {
        // The watchdog has ended it already: whatever a stuck thread still says is too late.
        if self.end_claimed.load(Ordering::Acquire) || log.events.len() as u64 >= self.limits.max_events {
            return Some(EmitRefused::Events);
        }
        let output_bytes = log.output_bytes + payload.output_bytes();
        (output_bytes > self.limits.max_output_kb * 1024).then_some(EmitRefused::Output)
    }

    /// A panic while the log was held leaves it as it was between two pushes: it can be used on.
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The events after `seq`: they are numbered from 1, without a gap.
fn after(events: &[Event], seq: u64) -> &[Event] {
    usize::try_from(seq).ok().and_then(|seq| events.get(seq..)).unwrap_or_default()
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl Surroundings for LiveExecution {
    fn execution_id(&self) -> ExecutionId {
        self.id
    }

    fn session_id(&self) -> SessionId {
        self.session_id
    }

    fn time_left(&self) -> Duration {
        Duration::from_millis(self.limits.wall_ms).saturating_sub(self.started.elapsed())
    }

    fn cpu_left(&self) -> Duration {
        let here = self.cpu_at_start.get().map_or(Duration::ZERO, |start| current_cpu_time().saturating_sub(start.0));
        let used = here + self.remote.get().map_or(Duration::ZERO, |remote| remote.cpu_used());
        Duration::from_millis(self.limits.cpu_ms).saturating_sub(used)
    }

    fn should_stop(&self) -> bool {
        self.stop_reason().is_some()
            || self.given_up().is_some()
            || self.end_claimed.load(Ordering::Acquire)
            || self.time_left().is_zero()
    }

    fn emit(&self, mut payload: Payload) -> std::result::Result<(), EmitRefused> {
        let mut log = self.lock();
        let refused = self.refusal(&log, &payload);
        if let Some(refused) = refused {
            log.refused.get_or_insert(refused);
            // Before the log is given back: who looks at it and falls asleep in between would not be woken.
            self.past_limit.store(true, Ordering::Release);
            drop(log);
            self.changed.notify_all();
            self.pass_on_stop();
            return Err(refused);
        }
        let seq = log.events.len() as u64 + 1;
        log.output_bytes += payload.output_bytes();
        if let Some(trees) = payload.trees_mut().filter(|trees| !trees.is_empty()) {
            let bytes = trees.iter().map(|tree| tree.as_str().len()).sum::<usize>();
            if log.tree_bytes + bytes > TreeText::MAX_BYTES_OF_EXECUTION {
                trees.clear();
            } else {
                log.tree_bytes += bytes;
            }
        }
        let event = Event { execution_id: self.id, seq, ts: Timestamp::now(), payload };
        let heard = self.console.as_ref().map(|_| event.clone());
        log.events.push(event);
        drop(log);
        self.bell.ring();
        if let (Some(console), Some(event)) = (&self.console, &heard) {
            console.hear(event);
        }
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        usize::try_from(self.limits.mem_mb << 20).unwrap_or(usize::MAX)
    }

    fn unread_answers(&self) -> usize {
        self.lock().answers.len()
    }

    fn answer(&self, mut completion: Completion) {
        let mut log = self.lock();
        // The script could not hold them all either, and may be too busy to take any.
        if log.answer_bytes.saturating_add(size(&completion)) > self.memory_bytes() {
            completion.result = Err(too_large());
        }
        log.answer_bytes += size(&completion);
        log.answers.push_back(completion);
        drop(log);
        self.changed.notify_all();
    }
}

/// About how many bytes an answer takes in memory.
fn size(completion: &Completion) -> usize {
    size_of::<Completion>() + completion.result.as_ref().map_or_else(CallError::size, Value::size)
}

fn too_large() -> CallError {
    let message =
        "the answers that wait for the script are larger than mem_mb: await some calls before others are made";
    CallError::new("RangeError", message).with_code("ERR_OUT_OF_RANGE")
}

#[cfg(test)]
mod tests;
