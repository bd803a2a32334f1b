//! A realm in a process of its own: the host's end of the line.
//!
//! Nothing that a worker says is trusted: it may have been taken over by what it ran. Its messages are bounded and
//! checked, and one that says what it may not say is killed.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use super::control::Control;
use super::home::Task;
use super::os_thread::{OsThread, current_cpu_time};
use super::process::{FIRST_BYTES, Killer, Worker};
use super::protocol::{
    Cleaned, End, Identity, Job, NotMade, Order, Outcome, Realm, Remote, Report, SharedHost, Stop, Usage, Wake,
};
use super::wire::{Broken, Wire};
use crate::event::Payload;
use crate::execution;
use crate::lookup::{Answer, Question};
use crate::value::{ResultValue, TreeText};

/// How long a host stays awake for what a worker says, when nothing else wants the processor.
const SPIN: Duration = Duration::from_micros(100);

/// How long a worker may take, at the most, to throw away what a job left due: longer than it takes itself to give that up.
const CLEANUP: Duration = Duration::from_secs(5);
/// And at the least, since nobody has an answer before that, and one is promised soon after the limit.
const CLEANUP_PAST_LIMIT: Duration = Duration::from_millis(100);
/// How much processor time it must have had of that: on a busy machine it may not have come to its turn.
const CLEANUP_TURN: Duration = Duration::from_millis(20);
/// How long it may take to come to it.
const CLEANUP_ASLEEP: Duration = Duration::from_secs(2);
/// How often that is looked at.
const CLEANUP_LOOK: Duration = Duration::from_millis(10);

/// How long a worker may take to answer what is asked between jobs: it gives up by itself long before.
const ANSWER: Duration = Duration::from_secs(5);

/// What such an answer may take: names and lines.
const ANSWER_BYTES: usize = 4 << 20;

/// How often a host that waits for something else looks whether its worker is still there.
const LISTEN_EVERY: Duration = Duration::from_millis(250);

/// Calls of one job that may have no answer yet.
const MOST_PENDING: usize = 1 << 16;

/// What a result or an error may take beside what the limits on output allow: its JSON, and what describes it.
const RESULT_BYTES: usize = 4 << 20;

/// A realm in a worker process. Whoever has something for it to do drives it, from his own thread, one at a time.
#[derive(Clone)]
pub(crate) struct RealmProcess {
    realm: Arc<Mutex<FarRealm>>,
    killer: Killer,
    os: OsThread,
}

impl RealmProcess {
    /// Has a worker be the realm of a session.
    pub(super) fn new(worker: Worker, identity: Identity) -> Result<Self, NotMade> {
        let (killer, os) = (worker.killer(), worker.os_thread());
        let realm = Arc::new(Mutex::new(FarRealm::new(worker, identity)?));
        Ok(Self { realm, killer, os })
    }

    /// Names the process to the operating system.
    pub(super) fn os_thread(&self) -> OsThread {
        self.os
    }

    /// Does something with the realm, here and now.
    pub(crate) fn run(&self, task: Task) {
        task(&mut *self.realm.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Does something with the realm on a thread that is made for it; false when there is none to be had.
    pub(super) fn submit(&self, task: Task) -> bool {
        let process = self.clone();
        std::thread::Builder::new().name("vm-run".to_owned()).spawn(move || process.run(task)).is_ok()
    }

    /// Tells whether nobody drives it at the moment.
    pub(super) fn is_left_alone(&self) -> bool {
        !matches!(self.realm.try_lock(), Err(TryLockError::WouldBlock))
    }

    /// Tells whether the process has ended.
    pub(super) fn is_gone(&self) -> bool {
        self.killer.is_gone()
    }

    /// Ends the process; whoever drives it hears of it at once.
    pub(super) fn cut_off(&self) {
        self.killer.cut_off();
    }

    /// Ends the process, and waits until it is gone. Nobody may be driving it.
    pub(super) fn close(&self) {
        self.realm.lock().unwrap_or_else(PoisonError::into_inner).worker.end();
    }
}

impl std::fmt::Debug for RealmProcess {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RealmProcess").field("os", &self.os).finish_non_exhaustive()
    }
}

struct FarRealm {
    worker: Worker,
    /// The number of the job that runs, or ran last.
    jobs: u64,
    /// Whether nothing else wants the processor, as far as the last job knew.
    alone: bool,
    /// How long the last job may be cleaned up after.
    cleanup: Duration,
    lost: Option<String>,
}

impl FarRealm {
    fn new(mut worker: Worker, identity: Identity) -> Result<Self, NotMade> {
        match worker.wire.send(&Order::Adopt(Box::new(identity))) {
            Ok(()) => Ok(Self { worker, jobs: 0, alone: false, cleanup: CLEANUP, lost: None }),
            Err(_) => Err(NotMade::Engine(format!("the worker process is gone: {}", worker.end()))),
        }
    }

    /// Runs a job, or says why the worker is lost.
    fn run_far(&mut self, job: Job, host: &SharedHost) -> Result<Outcome, Broken> {
        self.jobs += 1;
        self.alone = job.alone;
        let (number, limits, alone) = (self.jobs, job.limits, job.alone);
        let process = self.worker.os_thread();
        let far = Arc::new(FarJob {
            control: self.worker.control.clone(),
            number,
            process,
            cpu_at_start: process.cpu_time().unwrap_or_default(),
        });
        let (begun, cpu_at_start) = (Instant::now(), current_cpu_time());
        let cpu_here = || current_cpu_time().saturating_sub(cpu_at_start);
        host.borrow_mut().attach(far.clone());
        // What the host does for a script is the script's time, which the worker does not see.
        let stop_at_limits = || {
            if begun.elapsed() >= limits.wall {
                far.stop(Stop::Wall);
            } else if cpu_here().saturating_add(far.cpu_used()) >= limits.cpu {
                far.stop(Stop::Cpu);
            }
        };
        let killer = self.worker.killer();
        let mut pending = HashSet::new();
        let wire = &mut self.worker.wire;
        wire.send(&Order::Run(number, Box::new(job)))?;
        // In a message a value takes more than in memory, at the worst about twice as much.
        let most = self.worker.memory_bytes.saturating_mul(2).saturating_add(RESULT_BYTES);
        loop {
            if alone {
                wire.spin(SPIN);
            }
            let answer = match wire.receive_bounded(most)? {
                Report::Emit(payload @ (Payload::Console { .. } | Payload::Stdout { .. } | Payload::Stderr { .. })) => {
                    check_trees(&payload)?;
                    // What is refused sets the word that the worker looks at.
                    let _ = host.borrow_mut().emit(payload);
                    stop_at_limits();
                    continue;
                }
                Report::Emit(_) => return Err(Broken::Nonsense("an event that is not a script's to say".to_owned())),
                Report::Call(call) => Order::Called(host.borrow_mut().call(call)),
                Report::Begin(id, call) => {
                    if !pending.insert(id) || pending.len() > MOST_PENDING {
                        return Err(Broken::Nonsense("more calls than any script makes, or one twice".to_owned()));
                    }
                    host.borrow_mut().begin(id, call);
                    stop_at_limits();
                    continue;
                }
                Report::Cancel(id) => {
                    // It may have been answered already, without the worker's knowing that.
                    pending.remove(&id);
                    host.borrow_mut().cancel(id);
                    stop_at_limits();
                    continue;
                }
                Report::Wait(at_most) => {
                    let until = at_most.min(limits.wall.saturating_sub(begun.elapsed()));
                    let wake = wait(host, until, &killer)?;
                    if let Wake::Completed(completion) = &wake {
                        pending.remove(&completion.id);
                    }
                    Order::Woken(wake)
                }
                Report::Ended(mut outcome) => {
                    check(&outcome, limits.output_bytes)?;
                    // What was refused is how it ended, whatever the worker makes of it.
                    if let Some(stop @ (Stop::Events | Stop::Output)) = host.borrow().stop_reason() {
                        outcome.end = End::Stopped(stop);
                    }
                    let left = match outcome.end {
                        End::Stopped(Stop::Wall | Stop::Cpu) => Duration::ZERO,
                        _ => limits.wall.saturating_sub(begun.elapsed()),
                    };
                    self.cleanup = left.clamp(CLEANUP_PAST_LIMIT, CLEANUP);
                    outcome.usage.cpu = outcome.usage.cpu.min(far.cpu_used()).saturating_add(cpu_here());
                    return Ok(outcome);
                }
                Report::Ready(_)
                | Report::Made(_)
                | Report::Waiting
                | Report::Forked(_)
                | Report::Cleaned(_)
                | Report::Answered(_) => {
                    return Err(Broken::Nonsense("a report that makes no sense while a job runs".to_owned()));
                }
            };
            stop_at_limits();
            wire.send(&answer)?;
        }
    }
}

impl FarRealm {
    /// Says what became of a worker that nothing can be done with any more.
    fn describe(&mut self, broken: Broken) -> String {
        match broken {
            // Its end is not waited for: somebody waits for ours.
            Broken::Closed if self.worker.killer().has_cut_off() => "the session's worker process was ended".to_owned(),
            Broken::Closed => format!("the session's worker process died: {}", self.worker.end()),
            Broken::Nonsense(what) => {
                tracing::error!(what, "a worker broke the protocol, and was killed");
                self.worker.end();
                format!("the session's worker process was killed: it sent {what}")
            }
        }
    }

    /// Asks what an honest worker answers at once, and in few words.
    fn ask_far(&mut self, question: &Question) -> Result<Answer, Broken> {
        let wire = &mut self.worker.wire;
        wire.set_patience(Some(ANSWER))?;
        wire.send(&Order::Ask(question.clone()))?;
        let Report::Answered(answer) = wire.receive_bounded(ANSWER_BYTES)? else {
            return Err(Broken::Nonsense("a report that makes no sense to a question".to_owned()));
        };
        if !answer.answers(question) {
            return Err(Broken::Nonsense("an answer that is none to the question".to_owned()));
        }
        wire.set_patience(None)?;
        Ok(answer)
    }
}

/// Waits until a worker has said something that takes it so much time, or shows that it takes more.
fn wait_for_turn(wire: &Wire, worker: OsThread, at_most: Duration) -> bool {
    let cpu = || worker.cpu_time().unwrap_or_default();
    let (begun, cpu_before) = (Instant::now(), cpu());
    let had_turn = || cpu().saturating_sub(cpu_before) >= CLEANUP_TURN;
    let mut spoke = wire.wait(at_most);
    while !spoke && !had_turn() && begun.elapsed() < at_most.max(CLEANUP_ASLEEP) {
        spoke = wire.wait(CLEANUP_LOOK);
    }
    spoke
}

/// Waits for news of a job, or the end of its worker: nobody listens to that meanwhile.
fn wait(host: &SharedHost, at_most: Duration, worker: &Killer) -> Result<Wake, Broken> {
    let until = Instant::now() + at_most;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match host.borrow_mut().wait(left.min(LISTEN_EVERY)) {
            Wake::Elapsed if left > LISTEN_EVERY => {}
            wake => return Ok(wake),
        }
        if worker.is_gone() {
            return Err(Broken::Closed);
        }
    }
}

/// No honest worker comes to a result that is larger.
fn check(outcome: &Outcome, output_bytes: usize) -> Result<(), Broken> {
    let bytes = match &outcome.end {
        End::Value(value) => value.preview.len() + value.json.as_ref().map_or(0, |json| json.as_str().len()),
        End::Exception(error) => {
            let more = [&error.stack, &error.name].into_iter().flatten().map(String::len);
            error.message.len() + more.sum::<usize>()
        }
        End::Stopped(_) => 0,
    };
    if bytes > output_bytes.saturating_add(RESULT_BYTES) {
        return Err(Broken::Nonsense("a result that is larger than any may be".to_owned()));
    }
    match &outcome.end {
        End::Value(ResultValue { tree: Some(tree), .. }) if !tree.is_sound() => Err(no_tree()),
        _ => Ok(()),
    }
}

/// No honest worker shows what it prints otherwise.
fn check_trees(payload: &Payload) -> Result<(), Broken> {
    let Payload::Console { args, .. } = payload else { return Ok(()) };
    let bytes = args.iter().map(|tree| tree.as_str().len()).sum::<usize>();
    let is_sound = bytes <= TreeText::MAX_BYTES && args.iter().all(TreeText::is_sound);
    if is_sound { Ok(()) } else { Err(no_tree()) }
}

fn no_tree() -> Broken {
    Broken::Nonsense("a value that is shown as none is".to_owned())
}

impl Realm for FarRealm {
    fn run(&mut self, job: Job, host: SharedHost) -> Outcome {
        let begun = Instant::now();
        let why = match self.run_far(job, &host) {
            Ok(outcome) => return outcome,
            Err(broken) => self.describe(broken),
        };
        self.lost = Some(why.clone());
        Outcome { usage: Usage { wall: begun.elapsed(), ..Usage::default() }, ..execution::lost(why) }
    }

    fn clean_up(&mut self) -> bool {
        if self.lost.is_some() {
            return false;
        }
        let process = self.worker.os_thread();
        let wire = &mut self.worker.wire;
        if !(self.alone && wire.spin(SPIN) || wait_for_turn(wire, process, self.cleanup)) {
            return false;
        }
        match wire.receive_bounded(FIRST_BYTES) {
            Ok(Report::Cleaned(Cleaned::Yes)) => true,
            Ok(Report::Cleaned(Cleaned::Astray(blocks))) => {
                self.lost = Some(format!("a job left {blocks} blocks outside of its guest's heap"));
                false
            }
            _ => false,
        }
    }

    fn ask(&mut self, question: Question) -> Option<Answer> {
        if self.lost.is_some() {
            return None;
        }
        let answered = self.ask_far(&question);
        let why = match answered {
            Ok(answer) => return Some(answer),
            Err(broken) => self.describe(broken),
        };
        self.lost = Some(why);
        None
    }

    fn cpu_time(&self) -> Duration {
        self.worker.os_thread().cpu_time().unwrap_or_default()
    }

    fn lost(&self) -> Option<&str> {
        self.lost.as_deref()
    }
}

/// One job of a worker.
struct FarJob {
    control: Arc<Control>,
    number: u64,
    process: OsThread,
    cpu_at_start: Duration,
}

impl Remote for FarJob {
    fn stop(&self, reason: Stop) {
        self.control.stop(self.number, reason);
    }

    fn polls(&self) -> u64 {
        self.control.polls()
    }

    fn cpu_used(&self) -> Duration {
        self.process.cpu_time().unwrap_or_default().saturating_sub(self.cpu_at_start)
    }
}
