//! What a process does to be one that others come out of: it lets go of what it was born with, and becomes two.
#![expect(unsafe_code, reason = "clone, unshare, close_range, signal and localtime_r of libc")]

use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

use super::os_thread::yield_session_to_others;

/// How a process becomes two, as the kernel is told.
pub(super) const SIBLING: libc::c_int = libc::CLONE_PARENT | libc::SIGCHLD;

/// Which of the two this is.
pub(super) enum Forked {
    /// The one that was there, and the other one's number.
    Parent(i32),
    /// The other one.
    Child,
}

/// Closes whatever was left open by those who have started this process, but the first three descriptors. To be called
/// before anything is opened here.
pub(super) fn close_inherited() -> io::Result<()> {
    // SAFETY: takes three numbers. Nothing of this program owns a descriptor yet.
    match unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, 0_u32) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Has this process lead a session, without a terminal, that the workers which come out of it are in. One for each of them
/// would be one share of the processors for each of them, and one for all that the host does: many that are busy would keep
/// it from ending them. So they have one together, and a small one.
pub(super) fn lead_session() {
    let _ = rustix::process::setsid();
    // Without privileges that may be said ten times a second, by all of the machine together.
    for _ in 0..5 {
        match yield_session_to_others() {
            Err(rustix::io::Errno::AGAIN) => std::thread::sleep(Duration::from_millis(25)),
            _ => return,
        }
    }
}

/// Leaves the host's users and networks for new ones, which have nothing in them, where the system lets anybody do that. It
/// comes on top of what refuses a worker all network, and so nothing is missing without it.
pub(super) fn leave_namespaces() {
    for flags in [libc::CLONE_NEWUSER | libc::CLONE_NEWNET, libc::CLONE_NEWUSER] {
        // SAFETY: takes a number, and changes no memory.
        if unsafe { libc::unshare(flags) } == 0 {
            return;
        }
    }
}

/// Has the C library read the time zone, of the variable `TZ` or the system's.
pub(super) fn learn_time_zone() {
    let (now, mut local) = (0, MaybeUninit::<libc::tm>::uninit());
    // SAFETY: both pointers are to locals; the result is written to the second, and not looked at.
    unsafe { libc::localtime_r(&raw const now, local.as_mut_ptr()) };
}

/// Has the signals of faults end this process, as they do by default. The standard library's handlers set others, which is
/// refused in the sandbox: they would return to the fault, for ever.
pub(super) fn die_of_faults() {
    for signal in [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT] {
        // SAFETY: sets no handler, but the default.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

/// Has this process, which must have one thread only, become two. The other one is a child of this one's parent, which
/// waits for its end.
pub(super) fn sibling() -> io::Result<Forked> {
    let flags = libc::c_long::from(SIBLING);
    // SAFETY: without a stack of its own, and without shared memory, the child is a copy of this process that goes on here,
    // as after `fork`. There is one thread, so that no lock is held by one that the copy does not have. The C library is
    // not told; it knows a thread's number from its start, and needs it for locks between processes only, of which there
    // are none.
    match unsafe { libc::syscall(libc::SYS_clone, flags, 0_usize, 0_usize, 0_usize, 0_usize) } {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Forked::Child),
        id => i32::try_from(id).map(Forked::Parent).map_err(io::Error::other),
    }
}
