//! Threads that look after what runs: one ends what cannot end itself, one writes long runs to the store, and where
//! idle sessions are to be closed, or history to be deleted, one does that.
//!
//! They look every few milliseconds while there are live sessions and sleep otherwise; only history grows old without any. An execution that ends sooner
//! than that, as most do, never costs them anything: nothing is registered, and nobody is woken.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::retention::Sweeper;
use super::{Inner, Running};
use crate::error::{Error, Result};
use crate::execution::Progress;
use crate::ids::{ExecutionId, SessionId};
use crate::isolation::os_thread::OsThread;
use crate::isolation::protocol::Stop;

/// How often the watchdog looks.
const WATCH_EVERY: Duration = Duration::from_millis(10);
/// How often it looks for worker processes that have ended while nothing ran in them.
const WORKERS_EVERY: Duration = Duration::from_millis(500);
/// How often what is new of long runs is written: a reader finds it in the store at most 100 ms later.
const SAVE_EVERY: Duration = Duration::from_millis(50);
/// How many executions are written in one transaction.
const SAVED_TOGETHER: usize = 32;
/// How soon what the store could not take is tried again.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// How often idle sessions are looked for: a quarter of the time that they have, within these.
const IDLE_LOOK_LEAST: Duration = Duration::from_millis(10);
const IDLE_LOOK_MOST: Duration = Duration::from_secs(1);
/// How long whoever drives a process may take to come back from it, once it was ended.
const GRACE_OF_DRIVER: Duration = Duration::from_secs(1);
/// How much processor time a process may use from one look to the next while it has nothing to do.
const IDLE_TURN: Duration = Duration::from_millis(100);
/// How long a realm that is past its limit is waited for. Most of it is counted in processor time, so that a busy machine
/// does not make a session crash that would have ended had it been given a turn.
struct Patience {
    /// On the clock, however much processor time it has.
    at_least: Duration,
    /// Processor time without letting itself be interrupted.
    unheard: Duration,
    /// Processor time in all, of one that does: deep nests of loops that catch everything take their time to unwind.
    unwinding: Duration,
    /// On the clock, when it has no processor time: somebody has stopped it, or the host does something for it meanwhile.
    asleep: Duration,
}

/// To give a thread up costs a processor for good.
const PATIENCE_WITH_THREAD: Patience = Patience {
    at_least: Duration::ZERO,
    unheard: Duration::from_millis(250),
    unwinding: Duration::from_secs(2),
    asleep: Duration::from_secs(10),
};

/// To end a process is certain, and costs its session; and an answer is promised within 250 ms. A commit takes a part of
/// them, and 5 ms are two turns where all processors are taken.
const PATIENCE_WITH_PROCESS: Patience = Patience {
    at_least: Duration::from_millis(100),
    unheard: Duration::from_millis(5),
    unwinding: Duration::from_millis(25),
    asleep: Duration::from_secs(2),
};

/// Wakes and stops the threads.
#[derive(Default)]
pub(super) struct Housekeeping {
    state: Mutex<State>,
    changed: Condvar,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default, PartialEq, Eq, Clone, Copy)]
enum State {
    #[default]
    Asleep,
    Awake,
    Stopped,
}

impl Housekeeping {
    /// There is something to look after.
    pub(super) fn wake(&self) {
        self.change(State::Awake);
    }

    /// Stops the threads and waits until they are gone: each holds the store, and whoever opens its file next must
    /// find it closed.
    pub(super) fn stop(&self) {
        self.change(State::Stopped);
        let threads = std::mem::take(&mut *self.threads.lock().unwrap_or_else(PoisonError::into_inner));
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread that looks after executions had panicked");
            }
        }
    }

    fn change(&self, to: State) {
        let mut state = self.lock();
        if *state != State::Stopped {
            *state = to;
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Waits for the next look; false when there will be none.
    fn next(&self, every: Duration) -> bool {
        let asleep = |state: &mut State| *state == State::Asleep;
        let state = self.changed.wait_while(self.lock(), asleep).unwrap_or_else(PoisonError::into_inner);
        let awake = |state: &mut State| *state == State::Awake;
        let waited = self.changed.wait_timeout_while(state, every, awake);
        *waited.unwrap_or_else(PoisonError::into_inner).0 != State::Stopped
    }

    /// Waits for so long, whether there is something to look after or not; false when the threads are to stop.
    pub(super) fn rest(&self, time: Duration) -> bool {
        let on = |state: &mut State| *state != State::Stopped;
        let waited = self.changed.wait_timeout_while(self.lock(), time, on);
        *waited.unwrap_or_else(PoisonError::into_inner).0 != State::Stopped
    }

    /// Sleeps until woken, if there is nothing to look after. Whoever adds something wakes afterwards: asking under the
    /// lock, it cannot be missed.
    fn sleep_if(&self, idle: impl FnOnce() -> bool) {
        let mut state = self.lock();
        if *state == State::Awake && idle() {
            *state = State::Asleep;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the threads; they end when the system is shut down.
pub(super) fn start(inner: &Arc<Inner>) -> Result<()> {
    // Those that were started would sleep for ever without the others, with the store in their hands.
    start_each(inner).inspect_err(|_| inner.housekeeping.stop())
}

fn start_each(inner: &Arc<Inner>) -> Result<()> {
    // From one look to the next, however long the disk has taken: what is promised is when things are looked at.
    let awake =
        |every: Duration| move |inner: &Inner, took: Duration| inner.housekeeping.next(every.saturating_sub(took));
    let (mut suspects, mut failed) = (HashMap::new(), None);
    let (mut idlers, mut looked) = (HashMap::new(), Instant::now());
    spawn("vm-watchdog", inner, awake(WATCH_EVERY), move |inner| {
        watch(inner, &mut suspects);
        if looked.elapsed() >= WORKERS_EVERY {
            inner.bury_workers(&mut idlers);
            looked = Instant::now();
        }
    })?;
    spawn("vm-flusher", inner, awake(SAVE_EVERY), move |inner| save(inner, &mut failed))?;
    // On threads of their own: many commits in a row would keep the other two from what is urgent.
    if let Some(timeout) = inner.gate.session_idle_timeout() {
        let every = (timeout / 4).clamp(IDLE_LOOK_LEAST, IDLE_LOOK_MOST);
        spawn("vm-idle", inner, awake(every), move |inner| inner.close_idle_sessions(timeout))?;
    }
    if let Some(every) = inner.keeper.looks_every() {
        let mut sweeper = Sweeper::default();
        spawn("vm-retention", inner, move |inner, _| inner.housekeeping.rest(every), move |inner| sweeper.look(inner))?;
    }
    Ok(())
}

/// Starts a thread that waits, looks, and waits again, until `wait` says that there is nothing to wait for; it is told how
/// long the last look took.
fn spawn(
    name: &str,
    inner: &Arc<Inner>,
    wait: impl Fn(&Inner, Duration) -> bool + Send + 'static,
    mut look: impl FnMut(&Arc<Inner>) + Send + 'static,
) -> Result<()> {
    let weak: Weak<Inner> = Arc::downgrade(inner);
    let run = move || {
        let mut took = Duration::ZERO;
        while let Some(inner) = weak.upgrade() {
            if !wait(&inner, took) {
                return;
            }
            let began = Instant::now();
            look(&inner);
            took = began.elapsed();
        }
    };
    let thread = std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map_err(|cause| Error::internal("a thread could not be started", cause))?;
    inner.housekeeping.threads.lock().unwrap_or_else(PoisonError::into_inner).push(thread);
    Ok(())
}

/// Writes what the store does not have yet: of executions that still run, and of ends that it could not take when they
/// came. When that fails, which is said once, the next try is a while later: each may be large, and fill the same disk.
fn save(inner: &Arc<Inner>, failed: &mut Option<Instant>) {
    if failed.is_some_and(|last| last.elapsed() < RETRY_AFTER) {
        return;
    }
    let mut fault = None;
    let running: Vec<Running> = inner.lock_running().values().cloned().collect();
    let running: Vec<&Running> = running
        .iter()
        .filter(|Running { live, .. }| live.has_begun() && live.started().elapsed() >= SAVE_EVERY)
        .collect();
    for some in running.chunks(SAVED_TOGETHER) {
        fault = inner.save_some(some).err().or(fault);
    }
    let crashed: Vec<_> = {
        let sessions = inner.sessions.read().unwrap_or_else(PoisonError::into_inner);
        sessions.values().filter(|session| session.is_unstored()).cloned().collect()
    };
    for session in crashed {
        match session.store_crash(&inner.store) {
            Ok(()) => inner.forget_session(session.id),
            Err(error) => fault = Some(error),
        }
    }
    match &fault {
        Some(error) if failed.is_none() => {
            tracing::error!(?error, "what runs or has ended could not be stored; it is tried again");
        }
        None if failed.is_some() => tracing::info!("what could not be stored before is stored now"),
        _ => {}
    }
    *failed = fault.map(|_| Instant::now());
}

impl Inner {
    /// Gives up sessions whose worker process has ended while nothing ran in it, as when the kernel is short of memory; or
    /// goes on while nothing is to run in it, as none does that is still what was started.
    fn bury_workers(&self, idlers: &mut HashMap<SessionId, Idler>) {
        self.workers.graves.look();
        let sessions: Vec<_> = self.sessions.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect();
        let mut idle = HashMap::new();
        for session in sessions {
            let Some((since, process)) = session.idle_worker() else { continue };
            let used = process.cpu_time().unwrap_or_default();
            let before = idlers.get(&session.id).filter(|before| before.since == since);
            let why = if session.has_lost_worker() {
                "its worker process ended while nothing ran in it"
            } else if before.is_some_and(|before| used.saturating_sub(before.used) >= IDLE_TURN) {
                "its worker process went on while nothing was to run in it"
            } else {
                idle.insert(session.id, Idler { since, used });
                continue;
            };
            session.crash(why, true, &self.store);
            if !session.is_unstored() {
                self.forget_session(session.id);
            }
        }
        *idlers = idle;
    }

    /// Writes what the store does not have yet of some executions. Together: a commit for each would make the last of many
    /// wait for all the others.
    fn save_some(&self, running: &[&Running]) -> Result<()> {
        let mut parts = Vec::new();
        for running in running {
            match running.live.progress() {
                Progress::Part(part) => parts.push((*running, part)),
                Progress::Over => self.forget_running(running),
                Progress::Nothing => {}
            }
        }
        if parts.is_empty() {
            return Ok(());
        }
        if self.store.save_executions(parts.iter().map(|(_, part)| part.news())).is_ok() {
            for (running, part) in parts {
                if part.stored() {
                    self.forget_running(running);
                }
            }
            return Ok(());
        }
        // One by one: what fails of one is not to keep back the others.
        let parts: Vec<&Running> = parts.into_iter().map(|(running, _)| running).collect();
        parts.into_iter().map(|running| self.save_running(running)).fold(Ok(()), Result::and)
    }

    /// Writes what the store does not have yet of an execution, and forgets it when that was the last of it.
    pub(super) fn save_running(&self, running: &Running) -> Result<()> {
        if running.live.save_progress(&self.store)? {
            self.forget_running(running);
        }
        Ok(())
    }

    fn forget_running(&self, Running { live, session }: &Running) {
        self.delist(live);
        self.unstored.forget(live.id);
        session.bell.ring();
    }
}

/// A worker process without anything to do: since when, and how much processor time it had used when it was looked at.
struct Idler {
    since: Instant,
    used: Duration,
}

/// An execution that is past a limit, and what was seen of its thread: first, and when it was last interrupted.
struct Suspect {
    reason: Stop,
    since: Instant,
    first: Duration,
    interrupted: Duration,
    polls: u64,
    /// When its process was ended, if it was.
    cut_off: Option<Instant>,
}

/// Ends executions whose threads do not.
fn watch(inner: &Arc<Inner>, suspects: &mut HashMap<ExecutionId, Suspect>) {
    let no_sessions = || inner.sessions.read().is_ok_and(|sessions| sessions.is_empty());
    inner.housekeeping.sleep_if(|| no_sessions() && inner.lock_running().is_empty() && inner.workers.graves.look());
    let running: HashMap<ExecutionId, Running> = inner.lock_running().clone();
    suspects.retain(|id, _| running.contains_key(id));
    for (id, running) in running {
        let Some(thread) = running.session.os_thread() else { continue };
        let look = || (thread.cpu_time().unwrap_or(Duration::MAX), running.live.polls());
        let Some(suspect) = suspects.get_mut(&id) else {
            if let Some(reason) = past_limit(&running, thread) {
                // A realm elsewhere has a clock of its own, which on a busy machine began to run later.
                running.live.pass_on(reason);
                let (cpu, polls) = look();
                let since = Instant::now();
                let suspect = Suspect { reason, since, first: cpu, interrupted: cpu, polls, cut_off: None };
                suspects.insert(id, suspect);
            }
            continue;
        };
        let (cpu, polls) = look();
        if suspect.polls != polls {
            (suspect.polls, suspect.interrupted) = (polls, cpu);
        }
        if let Some(cut_off) = suspect.cut_off {
            if cut_off.elapsed() >= GRACE_OF_DRIVER {
                inner.give_up(
                    &running,
                    running.live.stuck(suspect.reason, thread),
                    "its worker was not let go of",
                    true,
                );
            }
            continue;
        }
        let patience = if thread.is_process() { PATIENCE_WITH_PROCESS } else { PATIENCE_WITH_THREAD };
        let Some(why) = suspect.out_of(&patience, cpu) else { continue };
        let outcome = running.live.stuck(suspect.reason, thread);
        if !thread.is_process() {
            inner.give_up(&running, outcome, why, true);
            continue;
        }
        // Whoever drives it tells how it ended: many of them at once, where we would take one after the other.
        if running.live.give_up(outcome, why) {
            running.session.cut_off();
        }
        suspect.cut_off = Some(Instant::now());
    }
}

impl Suspect {
    /// Why it is waited for no longer, if so: now that it has used so much processor time.
    fn out_of(&self, patience: &Patience, cpu: Duration) -> Option<&'static str> {
        let waited = self.since.elapsed();
        if waited < patience.at_least {
            None
        } else if cpu.saturating_sub(self.interrupted) >= patience.unheard {
            Some("its code could not be stopped: it never let itself be interrupted")
        } else if cpu.saturating_sub(self.first) >= patience.unwinding {
            Some("its code could not be stopped: it went on for too long after it was interrupted")
        } else if waited >= patience.asleep {
            Some("its code could not be stopped: what it runs on had no turn, or was stopped itself")
        } else {
            None
        }
    }
}

/// Why the execution should have ended by now, if it should.
fn past_limit(running: &Running, thread: OsThread) -> Option<Stop> {
    let Running { live, .. } = running;
    let elapsed = live.started().elapsed();
    let limits = live.limits();
    if live.is_stop_requested() {
        return Some(Stop::Requested);
    }
    if elapsed >= Duration::from_millis(limits.wall_ms) {
        return Some(Stop::Wall);
    }
    // Processor time is never more than elapsed time, so most need not be asked for it.
    let cpu = Duration::from_millis(limits.cpu_ms);
    if elapsed >= cpu && live.cpu_used(thread).is_some_and(|used| used >= cpu) {
        return Some(Stop::Cpu);
    }
    None
}
