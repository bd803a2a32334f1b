//! Worker processes, as their host has them: how they are made, named and ended.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::{Pid, PidfdFlags, Resource, Rlimit, Signal, WaitId, WaitIdOptions, WaitOptions};

use super::control::Control;
use super::handover;
use super::os_thread::OsThread;
use super::protocol::{NotMade, Order, RealmConfig, Report};
use super::sandbox::Sandbox;
use super::wire::{Broken, Wire};
use super::worker::{HAS_THREADS, WORKER};

/// How long a worker may take to be there, on a machine that is busy.
const START: Duration = Duration::from_secs(10);

/// How long a process that says nothing any more may take to end.
const FAREWELL: Duration = Duration::from_secs(1);

/// The most that a worker may say before it is known what its session may use.
pub(super) const FIRST_BYTES: usize = 64 << 10;

/// Address space that a worker has beside four times the heap of its session, of which half is set aside: the program, its
/// stacks, and the reserve.
const ADDRESS_SPACE: usize = 3 << 30;

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
            answer => {
                let (why, _) = self.silence(answer.err());
                return Err(NotMade::Engine(format!("a worker process did not say that it is there: {why}")));
            }
        }
        bound_address_space(Pid::from_child(&self.child), self.memory_bytes).map_err(failed)?;
        let libraries = u32::try_from(config.libraries.len()).unwrap_or(u32::MAX);
        let patience = config.limits.wall.saturating_mul(libraries).saturating_add(START);
        self.wire.set_patience(Some(patience)).map_err(failed)?;
        let made = self.wire.send(&Order::Warm(Box::new(config)));
        match made.and_then(|()| self.wire.receive_bounded(FIRST_BYTES)) {
            Ok(Report::Made(made)) => made?,
            answer => {
                return Err(match self.silence(answer.err()) {
                    (why, _) if libraries == 0 => {
                        NotMade::Engine(format!("a worker process was lost before any code ran in it: {why}"))
                    }
                    (why, true) => {
                        NotMade::Library(format!("a worker process was lost while it loaded libraries: {why}"))
                    }
                    (why, false) => NotMade::Library(format!("a library did not stop at the template's limits: {why}")),
                });
            }
        }
        self.wire.set_patience(Some(START)).map_err(failed)
    }

    /// What is known of a process that does not say what it is to, and whether it has ended.
    fn silence(&mut self, broken: Option<Broken>) -> (String, bool) {
        let began = Instant::now();
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return (describe(status), true),
                // The end of its line comes a moment before its own.
                Ok(None) if began.elapsed() < FAREWELL => std::thread::sleep(Duration::from_millis(1)),
                _ => break,
            }
        }
        let why = match broken {
            Some(Broken::Closed) => "it did not answer in time".to_owned(),
            Some(Broken::Nonsense(what)) => what,
            None => "it said something else".to_owned(),
        };
        (why, false)
    }

    /// Makes the worker of a session.
    pub(super) fn fork(&mut self, graves: &Arc<Graves>) -> io::Result<Worker> {
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
        let process = rustix::process::pidfd_open(id, PidfdFlags::empty())?;
        let wire = Wire::new(ours);
        let killer = Killer(Arc::new(Ends { process, line: wire.line(), is_cut: AtomicBool::new(false) }));
        let mut worker = Worker {
            id,
            wire,
            control: Arc::new(control),
            killer,
            memory_bytes: self.memory_bytes,
            ended: None,
            graves: graves.clone(),
        };
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

/// A worker process.
pub(crate) struct Worker {
    id: Pid,
    pub(super) wire: Wire,
    pub(super) control: Arc<Control>,
    killer: Killer,
    pub(super) memory_bytes: usize,
    /// How it ended, once it was waited for: from then on its number may be another's.
    ended: Option<String>,
    graves: Arc<Graves>,
}

/// Ends a worker, from any thread and at any time.
#[derive(Debug, Clone)]
pub(crate) struct Killer(Arc<Ends>);

#[derive(Debug)]
struct Ends {
    process: OwnedFd,
    line: Arc<UnixStream>,
    is_cut: AtomicBool,
}

impl Killer {
    /// A process that has ended already is none that could be hit in its place: a descriptor names it.
    pub(crate) fn kill(&self) {
        let _ = rustix::process::pidfd_send_signal(&self.0.process, Signal::KILL);
    }

    /// Kills it, and has whoever listens to it hear at once that it is gone: the kernel would say so only once it has taken
    /// its memory apart.
    pub(crate) fn cut_off(&self) {
        self.0.is_cut.store(true, Ordering::Release);
        self.kill();
        let _ = handover::cut(&self.0.line);
    }

    /// Tells whether it was cut off.
    pub(super) fn has_cut_off(&self) -> bool {
        self.0.is_cut.load(Ordering::Acquire)
    }

    /// Tells whether the process has ended.
    pub(crate) fn is_gone(&self) -> bool {
        let mut ended = [PollFd::new(&self.0.process, PollFlags::IN)];
        rustix::event::poll(&mut ended, Some(&Timespec::default())).is_ok_and(|count| count > 0)
    }
}

/// Workers that were killed and not waited for: whoever ended one had something better to do.
#[derive(Debug, Default)]
pub(crate) struct Graves(Mutex<Vec<Pid>>);

impl Graves {
    fn add(&self, worker: Pid) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }

    /// Waits for those that have ended by now; true says that none is left.
    pub(crate) fn look(&self) -> bool {
        let mut graves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        graves.retain(|id| matches!(rustix::process::waitpid(Some(*id), WaitOptions::NOHANG), Ok(None)));
        graves.is_empty()
    }

    /// Waits for all of them.
    pub(super) fn wait(&self) {
        for id in self.0.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = rustix::process::waitpid(Some(id), WaitOptions::empty());
        }
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

    /// Ends it, if it has not ended, waits until it is gone, and says how it came to that.
    pub(super) fn end(&mut self) -> &str {
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
        if self.ended.is_none() {
            self.killer.kill();
            self.graves.add(self.id);
            self.graves.look();
        }
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
        (None, Some(code)) if code == i32::from(HAS_THREADS) => {
            "it had more than one thread already when it called vmsys_core::become_worker, as within #[tokio::main]"
                .to_owned()
        }
        (None, Some(code)) => format!("it ended by itself with code {code}"),
        (None, None) => "nobody knows how it ended".to_owned(),
    }
}

/// The heap is counted by the worker itself; this holds should it not any more.
fn bound_address_space(process: Pid, memory_bytes: usize) -> io::Result<()> {
    let most = memory_bytes.saturating_mul(4).saturating_add(ADDRESS_SPACE) as u64;
    let limit = Rlimit { current: Some(most), maximum: Some(most) };
    rustix::process::prlimit(Some(process), Resource::As, limit)?;
    Ok(())
}
