//! What a child process does between its birth and its program: it leaves our session, and is tied to our life.
#![expect(unsafe_code, reason = "what runs between fork and exec can only be given to the standard library unsafely")]

use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Signal, set_parent_process_death_signal, setsid};

/// Has the child lead a session of its own, and so a process group, without a terminal; has the kernel kill it when the
/// thread that started it is gone, however that ended; and leaves its program no descriptor of the host's program's.
pub(super) fn detach(command: &mut Command) {
    let in_child = || {
        setsid()?;
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // Ours close by themselves, but the host's program may have been started with others. They are marked, not
        // closed: the standard library still needs one of its own. A kernel that does not know the call leaves them.
        // SAFETY: it takes three numbers, and no memory of ours.
        unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
        Ok(())
    };
    // SAFETY: the closure runs in the child of a program with several threads, where only what is safe in a signal
    // handler may be done. It makes three system calls, and neither allocates nor takes a lock: rustix and `syscall` pass
    // them to the kernel directly, and the errors are numbers.
    unsafe {
        command.pre_exec(in_child);
    }
}
