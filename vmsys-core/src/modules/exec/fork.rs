//! What a child process does between its birth and its program: it leaves our session, is tied to our life, and enters
//! what confines it.
#![expect(unsafe_code, reason = "what runs between fork and exec can only be given to the standard library unsafely")]

use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::process::{Resource, Rlimit, Signal, set_parent_process_death_signal, setrlimit, setsid};
use rustix::thread::{CapabilitySet, CapabilitySets, capabilities, set_capabilities};
use seccompiler::BpfProgram;

use crate::isolation::os_thread::yield_session_to_others;

/// What a program is confined by.
#[derive(Debug)]
pub(super) struct Confined {
    pub(super) bounds: Vec<(Resource, Rlimit)>,
    pub(super) walls: Option<Walls>,
}

/// What a program does not get past.
#[derive(Debug)]
pub(super) struct Walls {
    /// Rules of Landlock's.
    pub(super) ruleset: Option<OwnedFd>,
    pub(super) filters: Vec<BpfProgram>,
    /// Privileges that it does not get.
    pub(super) privileges: CapabilitySet,
}

/// Has the child lead a session of its own, and so a process group, without a terminal; has the kernel kill it when the
/// thread that started it is gone, however that ended; leaves its program no descriptor of the host's program's; and
/// confines it. If any of this fails, there is no program.
pub(super) fn detach(command: &mut Command, confined: Confined) {
    let in_child = move || {
        setsid()?;
        // Or many that are busy would have many shares of the processors, and we one.
        let _ = yield_session_to_others();
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // Ours close by themselves, but the host's program may have been started with others. They are marked, not
        // closed: the standard library still needs one of its own. A kernel that does not know the call leaves them.
        // SAFETY: it takes three numbers, and no memory of ours.
        unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
        for (resource, limit) in &confined.bounds {
            setrlimit(*resource, *limit)?;
        }
        rustix::thread::set_no_new_privs(true)?;
        confined.walls.as_ref().map_or(Ok(()), enter)
    };
    // SAFETY: the closure runs in the child of a program with several threads, where only what is safe in a signal
    // handler may be done. It makes system calls, and neither allocates nor takes a lock: rustix, `syscall` and
    // `apply_filter` pass to the kernel what was made before, limits are numbers, and so are the errors.
    unsafe {
        command.pre_exec(in_child);
    }
}

/// In this order: each takes away what the one before it needs.
fn enter(walls: &Walls) -> io::Result<()> {
    if !walls.privileges.is_empty() {
        drop_privileges(walls.privileges)?;
    }
    if let Some(ruleset) = &walls.ruleset {
        // SAFETY: it takes two numbers, and no memory of ours.
        let failed = unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset.as_raw_fd(), 0_u32) } != 0;
        if failed {
            return Err(io::Error::last_os_error());
        }
    }
    for filter in &walls.filters {
        // Its error may hold one of the system's, which is a number.
        seccompiler::apply_filter(filter).map_err(|_| io::Error::last_os_error())?;
    }
    Ok(())
}

fn drop_privileges(dropped: CapabilitySet) -> io::Result<()> {
    for one in dropped.iter() {
        // Whoever may not drop it was told before that this is missing.
        let _ = rustix::thread::remove_capability_from_bounding_set(one);
    }
    let CapabilitySets { effective, permitted, inheritable } = capabilities(None)?;
    let left = |set: CapabilitySet| set.difference(dropped);
    let sets =
        CapabilitySets { effective: left(effective), permitted: left(permitted), inheritable: left(inheritable) };
    Ok(set_capabilities(None, sets)?)
}

/// Tells whether the kernel has filters that answer with an error.
pub(super) fn has_filters() -> bool {
    let action = libc::SECCOMP_RET_ERRNO;
    // SAFETY: it reads one number from a place that outlives the call.
    unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_GET_ACTION_AVAIL, 0_u32, &raw const action) == 0 }
}
