//! What the standard library does not offer about threads: another thread's processor time, and how much of it a thread
//! is to be given.
#![expect(unsafe_code, reason = "clock_gettime, setpriority and sched_setscheduler of libc")]

use std::mem::MaybeUninit;
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::process::Pid;

/// How nice threads are that run scripts. A third of the weight of others: they get what is left, and whoever wakes up to
/// answer a request gets his turn at once, however many of them are busy.
const NICE: libc::c_int = 5;
/// The same in the words of the kernel's file for sessions.
const NICE_OF_SESSION: &[u8] = b"5";

/// Names a thread of this process, or another process.
///
/// A thread's id may be given to a new one after it has ended; the calls below then answer about that one. Callers use
/// them only on threads that they know not to have ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OsThread {
    id: libc::pid_t,
    is_process: bool,
}

impl OsThread {
    /// Names the calling thread.
    pub(crate) fn current() -> Self {
        // SAFETY: gettid takes nothing and always succeeds.
        Self { id: unsafe { libc::gettid() }, is_process: false }
    }

    /// Names a process with all of its threads.
    pub(crate) fn of_process(pid: Pid) -> Self {
        Self { id: pid.as_raw_nonzero().get(), is_process: true }
    }

    /// Tells whether it is a process.
    pub(crate) fn is_process(self) -> bool {
        self.is_process
    }

    /// Returns the processor time that the thread has used, or `None` when it has ended.
    pub(crate) fn cpu_time(self) -> Option<Duration> {
        // The kernel's own encoding of "processor time of thread N", or of process N (see clock_getcpuclockid(3)): unlike
        // pthread_getcpuclockid it cannot read freed memory when the thread is gone.
        cpu_clock((!self.id << 3) | if self.is_process { 0b010 } else { 0b110 })
    }

    /// Lets the other threads of the program go first, as `nice` does. It cannot be taken back.
    pub(crate) fn yield_to_others(self) -> std::io::Result<()> {
        let id = libc::id_t::try_from(self.id).map_err(std::io::Error::other)?;
        // On Linux a thread's id is taken, and it alone is changed.
        // SAFETY: takes three numbers.
        match unsafe { libc::setpriority(libc::PRIO_PROCESS, id, NICE) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    }

    /// Gives the thread processor time only when nothing else wants it. For threads that cannot be stopped.
    pub(crate) fn demote(self) -> std::io::Result<()> {
        let parameters = libc::sched_param { sched_priority: 0 };
        // SAFETY: the pointer is to a local that outlives the call.
        match unsafe { libc::sched_setscheduler(self.id, libc::SCHED_IDLE, &raw const parameters) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    }
}

/// Lets the other sessions of the machine go first, as `nice` does within one: many kernels share out processors among
/// sessions first, and only then among their threads. It may be called between fork and exec.
pub(crate) fn yield_session_to_others() -> rustix::io::Result<()> {
    let nice = rustix::fs::open(c"/proc/self/autogroup", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(nice, NICE_OF_SESSION).map(drop)
}

/// Returns the processor time that the calling thread has used.
pub(crate) fn current_cpu_time() -> Duration {
    cpu_clock(libc::CLOCK_THREAD_CPUTIME_ID).unwrap_or_default()
}

fn cpu_clock(clock: libc::clockid_t) -> Option<Duration> {
    let mut time = MaybeUninit::<libc::timespec>::uninit();
    // SAFETY: the pointer is to a local of the right type; it is read only when the call says that it was filled in.
    let time = unsafe {
        if libc::clock_gettime(clock, time.as_mut_ptr()) != 0 {
            return None;
        }
        time.assume_init()
    };
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

/// Makes a system call, and returns what the kernel answers: what code does that has taken a worker over.
#[cfg(test)]
pub(super) fn raw_call(number: libc::c_long, [a, b, c]: [libc::c_long; 3]) -> i64 {
    // SAFETY: for tests, which make calls that are refused before they look at their arguments, or that take numbers only.
    match unsafe { libc::syscall(number, a, b, c, 0, 0, 0) } {
        -1 => -i64::from(std::io::Error::last_os_error().raw_os_error().unwrap_or_default()),
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_threads_time_can_be_read_and_its_class_changed() {
        let (tell, told) = std::sync::mpsc::channel();
        let (release, released) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let start = current_cpu_time();
            while current_cpu_time() - start < Duration::from_millis(20) {}
            tell.send(OsThread::current()).unwrap();
            let _ = released.recv();
        });
        let other = told.recv().unwrap();
        assert!(other.cpu_time().unwrap() >= Duration::from_millis(20));
        other.demote().unwrap();
        drop(release);
        thread.join().unwrap();
    }
}
