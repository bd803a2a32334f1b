//! A realm in a process of its own: the host's end of the line.
//!
//! Nothing that a worker says is trusted: it may have been taken over by what it ran. Its messages are bounded and
//! checked, and one that says what it may not say is killed.

use std::collections::HashSet;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal, WaitId, WaitIdOptions, WaitOptions};

use super::control::Control;
use super::handover;
use super::os_thread::{OsThread, current_cpu_time};
use super::protocol::{
    End, Identity, Job, NotMade, Order, Outcome, Realm, RealmConfig, Remote, Report, SharedHost, Stop, Usage, Wake,
};
use super::sandbox::Sandbox;
use super::wire::{Broken, Wire};
use super::worker::WORKER;
use crate::event::Payload;
use crate::execution;
use crate::lookup::{Answer, Question};
use crate::value::{ResultValue, TreeText};

/// How long a worker may take to be there, on a machine that is busy.
const START: Duration = Duration::from_secs(10);

/// How long a worker may take to throw away what a job left due: longer than it takes itself to give that up.
const CLEANUP: Duration = Duration::from_secs(5);

/// How long a worker may take to answer what is asked between jobs: it gives up by itself long before.
const ANSWER: Duration = Duration::from_secs(5);

/// What such an answer may take: names and lines.
const ANSWER_BYTES: usize = 4 << 20;

/// How often a host that waits for something else looks whether its worker is still there.
const LISTEN_EVERY: Duration = Duration::from_millis(250);

/// Calls of one job that may have no answer yet.
const MOST_PENDING: usize = 1 << 16;

/// The most that a worker may say before it is known what its session may use.
const FIRST_BYTES: usize = 64 << 10;

/// What a result or an error may take beside what the limits on output allow: its JSON, and what describes it.
const RESULT_BYTES: usize = 4 << 20;

/// Address space that a worker has beside twice the heap of its session: the program, its stacks, and the reserve.
const ADDRESS_SPACE: usize = 2 << 30;

/// A process that has made a realm for nobody in particular, and becomes two for each session.
pub(super) struct WarmProcess {
    child: Child,
    wire: Wire,
    sandbox: Sandbox,
    memory_bytes: usize,
    /// The parts of its sandbox that it goes without.
    pub(super) missing: Vec<String>,
}

impl WarmProcess {
    /// Starts this program, or another one; it knows this time zone, or the system's.
    ///
    /// It ends with the thread that calls this, and so does whatever comes out of it.
    pub(super) fn start(program: &Path, sandbox: Sandbox, time_zone: Option<&str>) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let child = Command::new(program)
            .args([WORKER, sandbox.as_str()])
            .env_clear()
            .envs(time_zone.map(|zone| ("TZ", zone)))
            .current_dir("/")
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        Ok(Self { child, wire: Wire::new(ours), sandbox, memory_bytes: 0, missing: Vec::new() })
    }

    /// Has it make a realm.
    pub(super) fn prepare(&mut self, config: RealmConfig) -> Result<(), NotMade> {
        let failed = |error: io::Error| NotMade::Engine(format!("a worker process could not be started: {error}"));
        self.memory_bytes = config.limits.memory_bytes;
        self.wire.set_patience(Some(START)).map_err(failed)?;
        match self.wire.receive_bounded(FIRST_BYTES) {
            Ok(Report::Ready(missing)) => self.missing = missing,
            _ => return Err(NotMade::Engine("a worker process did not say that it is there".to_owned())),
        }
        bound_address_space(Pid::from_child(&self.child), self.memory_bytes).map_err(failed)?;
        let libraries = u32::try_from(config.libraries.len()).unwrap_or(u32::MAX);
        let patience = config.limits.wall.saturating_mul(libraries).saturating_add(START);
        self.wire.set_patience(Some(patience)).map_err(failed)?;
        let made = self.wire.send(&Order::Warm(Box::new(config)));
        match made.and_then(|()| self.wire.receive_bounded(FIRST_BYTES)) {
            Ok(Report::Made(made)) => made?,
            _ => {
                let why = "a library did not stop at the template's limits, or ended its process";
                return Err(NotMade::Library(why.to_owned()));
            }
        }
        self.wire.set_patience(Some(START)).map_err(failed)
    }

    /// Makes the worker of a session.
    pub(super) fn fork(&mut self) -> io::Result<Worker> {
        let (ours, theirs) = UnixStream::pair()?;
        let (control, page) = Control::create()?;
        let lost = |_| io::Error::other("the process that workers come from is gone");
        self.wire.send(&Order::Fork).map_err(lost)?;
        // Asked for: what it reads ahead of would come without the descriptors.
        let Ok(Report::Waiting) = self.wire.receive_bounded(FIRST_BYTES) else { return Err(lost(Broken::Closed)) };
        handover::send(self.wire.stream(), [theirs.as_fd(), page.as_fd()])?;
        let Ok(Report::Forked(id)) = self.wire.receive_bounded(FIRST_BYTES) else { return Err(lost(Broken::Closed)) };
        drop((theirs, page));
        let id = Pid::from_raw(id).filter(|id| !id.is_init()).ok_or_else(|| io::Error::other("no process"))?;
        // It must be ours to wait for: then its number is nobody else's until that is done, and no process is ended that a
        // warm one has named and not made.
        let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        rustix::process::waitid(WaitId::Pid(id), look)?;
        let killer = Killer(Arc::new(rustix::process::pidfd_open(id, PidfdFlags::empty())?));
        let wire = Wire::new(ours);
        let mut worker =
            Worker { id, wire, control: Arc::new(control), killer, memory_bytes: self.memory_bytes, ended: None };
        worker.wire.set_patience(Some(START))?;
        let Ok(Report::Ready(missing)) = worker.wire.receive_bounded(FIRST_BYTES) else {
            return Err(io::Error::other("a worker process did not say that it is there"));
        };
        if self.sandbox == Sandbox::Require && !missing.is_empty() {
            return Err(io::Error::other(format!("a worker process goes without {}", missing.join(", "))));
        }
        worker.wire.set_patience(None)?;
        Ok(worker)
    }
}

impl Drop for WarmProcess {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A worker process whose realm is nobody's yet.
pub(crate) struct Worker {
    id: Pid,
    wire: Wire,
    control: Arc<Control>,
    killer: Killer,
    memory_bytes: usize,
    /// How it ended, once it was waited for: from then on its number may be another's.
    ended: Option<String>,
}

/// Kills a worker, from any thread and at any time.
#[derive(Debug, Clone)]
pub(crate) struct Killer(Arc<OwnedFd>);

impl Killer {
    /// A process that has ended already is none that could be hit in its place: a descriptor names it.
    pub(crate) fn kill(&self) {
        let _ = rustix::process::pidfd_send_signal(&self.0, Signal::KILL);
    }

    /// Tells whether the process has ended.
    pub(crate) fn is_gone(&self) -> bool {
        let mut ended = [PollFd::new(&self.0, PollFlags::IN)];
        rustix::event::poll(&mut ended, Some(&Timespec::default())).is_ok_and(|count| count > 0)
    }
}

impl Worker {
    pub(crate) fn killer(&self) -> Killer {
        self.killer.clone()
    }

    /// Names the process to the operating system.
    pub(crate) fn os_thread(&self) -> OsThread {
        OsThread::of_process(self.id)
    }

    /// Ends it, if it has not ended, and says how it came to that.
    fn end(&mut self) -> &str {
        self.killer.kill();
        let Self { ended, id, .. } = self;
        ended.get_or_insert_with(|| match rustix::process::waitpid(Some(*id), WaitOptions::empty()) {
            Ok(Some((_, status))) => describe(ExitStatus::from_raw(status.as_raw())),
            Ok(None) => "nobody knows how it ended".to_owned(),
            Err(error) => error.to_string(),
        })
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end();
    }
}

fn describe(status: ExitStatus) -> String {
    match (status.signal(), status.code()) {
        (Some(signal), _) => {
            let name = match signal {
                libc::SIGKILL => " (SIGKILL)",
                libc::SIGSEGV => " (SIGSEGV)",
                libc::SIGABRT => " (SIGABRT)",
                libc::SIGBUS => " (SIGBUS)",
                libc::SIGILL => " (SIGILL)",
                libc::SIGTRAP => " (SIGTRAP)",
                libc::SIGSYS => " (SIGSYS)",
                _ => "",
            };
            format!("signal {signal}{name} ended it")
        }
        (None, Some(code)) => format!("it ended by itself with code {code}"),
        (None, None) => "nobody knows how it ended".to_owned(),
    }
}

/// A realm in a worker process.
pub(super) struct FarRealm {
    worker: Worker,
    /// The number of the job that runs, or ran last.
    jobs: u64,
    lost: Option<String>,
}

impl FarRealm {
    /// Has a worker be the realm of a session.
    pub(super) fn new(mut worker: Worker, identity: Identity) -> Result<Self, NotMade> {
        match worker.wire.send(&Order::Adopt(Box::new(identity))) {
            Ok(()) => Ok(Self { worker, jobs: 0, lost: None }),
            Err(_) => Err(NotMade::Engine(format!("the worker process is gone: {}", worker.end()))),
        }
    }

    /// Runs a job, or says why the worker is lost.
    fn run_far(&mut self, job: Job, host: &SharedHost) -> Result<Outcome, Broken> {
        self.jobs += 1;
        let number = self.jobs;
        let limits = job.limits;
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
        let mut pending = HashSet::new();
        let wire = &mut self.worker.wire;
        wire.send(&Order::Run(number, Box::new(job)))?;
        // In a message a value takes more than in memory, at the worst about twice as much.
        let most = self.worker.memory_bytes.saturating_mul(2).saturating_add(RESULT_BYTES);
        loop {
            let answer = match wire.receive_bounded(most)? {
                Report::Emit(payload @ (Payload::Console { .. } | Payload::Stdout { .. } | Payload::Stderr { .. })) => {
                    check_trees(&payload)?;
                    Order::Emitted(host.borrow_mut().emit(payload))
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
                    let wake = wait(host, until, &self.worker.killer)?;
                    if let Wake::Completed(completion) = &wake {
                        pending.remove(&completion.id);
                    }
                    Order::Woken(wake)
                }
                Report::Ended(mut outcome) => {
                    check(&outcome, limits.output_bytes)?;
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

/// The heap is counted by the worker itself; this holds should it not any more.
fn bound_address_space(process: Pid, memory_bytes: usize) -> io::Result<()> {
    let most = memory_bytes.saturating_mul(2).saturating_add(ADDRESS_SPACE) as u64;
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    rustix::process::prlimit(Some(process), Resource::As, limit)?;
    Ok(())
}

impl Realm for FarRealm {
    fn run(&mut self, job: Job, host: SharedHost) -> Outcome {
        let begun = Instant::now();
        let why = match self.run_far(job, &host) {
            Ok(outcome) => return outcome,
            Err(Broken::Closed) => format!("the session's worker process died: {}", self.worker.end()),
            Err(Broken::Nonsense(what)) => {
                tracing::error!(what, "a worker broke the protocol, and was killed");
                self.worker.end();
                format!("the session's worker process was killed: it sent {what}")
            }
        };
        self.lost = Some(why.clone());
        Outcome { usage: Usage { wall: begun.elapsed(), ..Usage::default() }, ..execution::lost(why) }
    }

    fn clean_up(&mut self) -> bool {
        if self.lost.is_some() {
            return false;
        }
        // Nobody watches any more: the execution has ended.
        let wire = &mut self.worker.wire;
        let cleaned =
            wire.set_patience(Some(CLEANUP)).map_err(Broken::from).and_then(|()| wire.receive_bounded(FIRST_BYTES));
        matches!(cleaned, Ok(Report::Cleaned(true))) && wire.set_patience(None).is_ok()
    }

    fn ask(&mut self, question: Question) -> Option<Answer> {
        if self.lost.is_some() {
            return None;
        }
        let answered = self.ask_far(&question);
        let why = match answered {
            Ok(answer) => return Some(answer),
            Err(Broken::Closed) => format!("the session's worker process died: {}", self.worker.end()),
            Err(Broken::Nonsense(what)) => {
                tracing::error!(what, "a worker broke the protocol, and was killed");
                self.worker.end();
                format!("the session's worker process was killed: it sent {what}")
            }
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
