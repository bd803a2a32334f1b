//! The life of a worker process: one thread, one realm, and a line to its host.
//!
//! A host starts one process for each kind of realm that it needs, and that one becomes two for each session.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use rustix::process::Signal;

use super::control::Control;
use super::fork::{self, Forked};
use super::handover;
use super::memory;
use super::os_thread::OsThread;
use super::protocol::{
    Call, Cleaned, EmitRefused, Host, JobLimits, Order, Outcome, Realm as _, RealmConfig, Report, SharedHost, Stop,
    Wake,
};
use super::sandbox::{self, Sandbox, Stage};
use super::spin;
use super::wire::{Broken, Wire};
use crate::engine::QuickRealm;
use crate::event::Payload;
use crate::value::{CallError, Value};

/// What says that a process is to be a worker, in the place of its first argument.
pub(super) const WORKER: &str = "vm-system-worker";

/// Address space for the stack of scripts, for the reasons of `isolation::thread`.
const STACK_BYTES: usize = 256 << 20;

/// Addresses for what is around the engine's heap.
const AROUND_BYTES: usize = 512 << 20;

/// How long a worker stays awake for the next job, when nothing else wants the processor.
const SPIN: Duration = Duration::from_micros(50);

/// How a process ends that was to be a worker and has other threads.
pub(super) const HAS_THREADS: u8 = 71;

/// Whether this program can be started again as a worker.
static STANDING: AtomicU8 = AtomicU8::new(NEVER_CALLED);
const NEVER_CALLED: u8 = 0;
const CALLED: u8 = 1;
const CALLED_LATE: u8 = 2;

/// Tells why this program cannot be started again as a worker, if so.
pub(super) fn unavailable() -> Option<&'static str> {
    match STANDING.load(Ordering::Acquire) {
        CALLED => None,
        CALLED_LATE => Some(
            "this program cannot be started again as a worker process: it has called vmsys_core::become_worker when it had \
             more than one thread already, as within #[tokio::main]; call it first in a plain `fn main`, and build the \
             runtime after that",
        ),
        _ => Some(
            "this program cannot be started again as a worker process: it does not call vmsys_core::become_worker, and \
             names no other program",
        ),
    }
}

/// Tells whether this process has other threads than this one.
fn has_threads() -> bool {
    std::fs::read_dir("/proc/self/task").is_ok_and(|threads| threads.count() > 1)
}

/// Runs this process as a worker, if that is what it was started for: then it returns how the process is to end. Called
/// first thing in `main`, with the process's arguments, it lets a program's sessions run in processes of their own
/// ([`Isolation::Process`](crate::Isolation::Process)): these are the program itself, started again.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     if let Some(code) = vmsys_core::become_worker(std::env::args_os()) {
///         return code;
///     }
///     // … the program
///     ExitCode::SUCCESS
/// }
/// ```
///
/// It must come before anything that opens files, starts threads or reads standard input: a worker inherits none of what
/// its host has, and gives up the right to have it. `#[tokio::main]` starts threads before anything that is written within;
/// the runtime is built by hand instead:
///
/// ```no_run
/// use std::process::ExitCode;
///
/// fn main() -> ExitCode {
///     if let Some(code) = vmsys_core::become_worker(std::env::args_os()) {
///         return code;
///     }
///     match tokio::runtime::Runtime::new().map(|runtime| runtime.block_on(run())) {
///         Ok(code) => code,
///         Err(_) => ExitCode::FAILURE,
///     }
/// }
///
/// async fn run() -> ExitCode {
///     // … the program
///     ExitCode::SUCCESS
/// }
/// ```
///
/// Called when there is more than one thread, it does not count: [`VmSystem::with_config`](crate::VmSystem::with_config), and
/// sessions of templates that ask for a process, are refused with an error that says so.
pub fn become_worker(args: impl IntoIterator<Item = OsString>) -> Option<ExitCode> {
    let mut args = args.into_iter().skip(1);
    let asked = args.next().is_some_and(|word| word == WORKER);
    if !asked {
        STANDING.store(if has_threads() { CALLED_LATE } else { CALLED }, Ordering::Release);
        return None;
    }
    // Each would have stacks and locks that a copy of this process does not know what to do with.
    if has_threads() {
        return Some(ExitCode::from(HAS_THREADS));
    }
    let sandbox = args.next().and_then(|word| word.to_str()?.parse().ok());
    let Some(sandbox) = sandbox else { return Some(ExitCode::from(2)) };
    Some(match work(sandbox) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    })
}

/// Is a warm process until the host is gone: one that has made a realm, in which nothing of a guest's runs, and becomes
/// two for each session. The copy has the realm from its first moment, and shares its memory until it writes to it.
fn work(sandbox: Sandbox) -> Result<(), Broken> {
    fork::close_inherited()?;
    fork::lead_session();
    if sandbox != Sandbox::Off {
        // Before this is tied to the host: with other users the kernel forgets whose death this process shares.
        fork::leave_namespaces();
    }
    tie_to_host()?;
    // And whatever comes out of it with it.
    let _ = OsThread::current().yield_to_others();
    // The engine asks the C library for the local time, which reads files when it is first asked; later there are none.
    fork::learn_time_zone();
    // So does the standard library, to count processors.
    spin::most();
    fork::die_of_faults();
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // The line has one descriptor, so that a copy of this process can let go of it.
    rustix::stdio::dup2_stdin(io::stdout()).map_err(io::Error::from)?;
    let mut wire = Wire::new(stream);
    let missing = sandbox::enter(sandbox, Stage::Warm);
    wire.send(&Report::Ready(missing))?;
    stacker::grow(STACK_BYTES, || warm(wire, sandbox))
}

/// It dies with the thread of the host's that started it; and at the end of the line, should that have been before this.
fn tie_to_host() -> io::Result<()> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
    let _ = rustix::thread::set_name(c"vm-worker");
    Ok(())
}

fn warm(mut wire: Wire, sandbox: Sandbox) -> Result<(), Broken> {
    let Order::Warm(config) = wire.receive()? else { return Err(unexpected()) };
    memory::begin(memory_of(&config))?;
    let mut realm = match memory::guest(|| QuickRealm::new(&config).map(Box::new)) {
        Ok(realm) => realm,
        Err(why) => return wire.send(&Report::Made(Err(why))),
    };
    drop(config);
    wire.send(&Report::Made(Ok(())))?;
    loop {
        let Order::Fork = wire.receive()? else { return Err(unexpected()) };
        wire.send(&Report::Waiting)?;
        let [stream, page] = handover::receive(wire.stream())?;
        match fork::sibling()? {
            Forked::Parent(id) => wire.send(&Report::Forked(id))?,
            Forked::Child => {
                drop(wire);
                return serve(&mut realm, UnixStream::from(stream), page, sandbox);
            }
        }
    }
}

/// Is the worker of one session until the host is gone.
fn serve(realm: &mut QuickRealm, stream: UnixStream, page: OwnedFd, sandbox: Sandbox) -> Result<(), Broken> {
    tie_to_host()?;
    let control = Control::map(&page)?;
    drop(page);
    let missing = sandbox::enter(sandbox, Stage::Worker);
    let line = Rc::new(Line { wire: RefCell::new(Wire::new(stream)), control });
    line.send(&Report::Ready(missing))?;
    let Order::Adopt(identity) = line.receive()? else { return Err(unexpected()) };
    memory::guest(|| realm.adopt(*identity));
    let at_rest = memory::scratch_blocks();
    loop {
        let (number, job) = match line.receive()? {
            Order::Run(number, job) => (number, job),
            Order::Ask(question) => {
                let Some(answer) = memory::guest(|| realm.ask(question)) else { return Err(unexpected()) };
                line.send(&Report::Answered(answer))?;
                continue;
            }
            _ => return Err(unexpected()),
        };
        let alone = job.alone;
        let host = FarHost { line: line.clone(), number, limits: job.limits, events: 1, output_bytes: 0 };
        let host: SharedHost = Rc::new(RefCell::new(host));
        let outcome: Outcome = memory::guest(|| realm.run(*job, host));
        // Before what it left is thrown away: the job is over, and what follows is not held against its limits.
        line.send(&Report::Ended(outcome))?;
        line.control.note();
        let cleaned = memory::guest(|| realm.clean_up());
        // Nothing is done from here to the next job, and all that there is of the guest is in its heap.
        let astray = memory::scratch_blocks() - at_rest;
        let cleaned = match cleaned {
            true if astray != 0 && cfg!(debug_assertions) => Cleaned::Astray(astray),
            true => Cleaned::Yes,
            false => Cleaned::No,
        };
        line.send(&Report::Cleaned(cleaned))?;
        if alone {
            line.wire.borrow().spin(SPIN);
        }
    }
}

/// What the heap of a guest may take: what the engine may, with what it is lent while it is being ended, and what is around
/// it. Addresses cost nothing.
fn memory_of(config: &RealmConfig) -> usize {
    config.limits.memory_bytes.saturating_mul(2).saturating_add(AROUND_BYTES)
}

fn unexpected() -> Broken {
    Broken::Nonsense("an order that makes no sense here".to_owned())
}

/// The line to the host.
struct Line {
    wire: RefCell<Wire>,
    control: Control,
}

impl Line {
    fn send(&self, report: &Report) -> Result<(), Broken> {
        memory::scratch(|| self.wire.borrow_mut().send(report))
    }

    fn receive(&self) -> Result<Order, Broken> {
        memory::scratch(|| self.wire.borrow_mut().receive())
    }

    /// Asks the host something in the middle of a job. Without a host there is nothing to go on for.
    fn ask(&self, report: &Report) -> Order {
        match self.send(report).and_then(|()| self.receive()) {
            Ok(order) => order,
            Err(_) => gone(),
        }
    }

    fn tell(&self, report: &Report) {
        if self.send(report).is_err() {
            gone();
        }
    }
}

/// The host is gone, or is no host.
fn gone() -> ! {
    std::process::exit(1)
}

/// The host of one job, at the other end of the line.
struct FarHost {
    line: Rc<Line>,
    number: u64,
    limits: JobLimits,
    /// Those that there have been, as the host counts them: the first one is the input.
    events: u64,
    output_bytes: u64,
}

impl Host for FarHost {
    fn emit(&mut self, payload: Payload) -> Result<(), EmitRefused> {
        // Counted here as there, so that a script need not wait for the host at every line.
        let output_bytes = self.output_bytes + payload.output_bytes();
        if self.events >= self.limits.events {
            return Err(EmitRefused::Events);
        }
        if output_bytes > self.limits.output_bytes as u64 {
            return Err(EmitRefused::Output);
        }
        (self.events, self.output_bytes) = (self.events + 1, output_bytes);
        self.line.tell(&Report::Emit(payload));
        Ok(())
    }

    fn call(&mut self, call: Call) -> Result<Value, CallError> {
        let Order::Called(answer) = self.line.ask(&Report::Call(call)) else { gone() };
        answer
    }

    fn begin(&mut self, id: u64, call: Call) {
        self.line.tell(&Report::Begin(id, call));
    }

    fn cancel(&mut self, id: u64) {
        self.line.tell(&Report::Cancel(id));
    }

    fn wait(&mut self, at_most: Duration) -> Wake {
        let Order::Woken(wake) = self.line.ask(&Report::Wait(at_most)) else { gone() };
        wake
    }

    fn stop_reason(&self) -> Option<Stop> {
        self.line.control.look(self.number)
    }
}
