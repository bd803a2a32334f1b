//! What a worker process gives up before it runs a line of anybody's: files, network, other programs, privileges.
//!
//! A worker needs a socket that it has, memory and clocks. Everything else that a script does is a message to its host.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _, RulesetStatus,
    Scope,
};
use rustix::process::{DumpableBehavior, Resource, Rlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule, TargetArch,
};

use super::fork::SIBLING;

/// How strictly other processes are confined: workers, and the programs that scripts start.
///
/// A worker has an empty environment, no descriptor but its line to the host, no session of the host's, limits of the
/// operating system's, and no core dumps in any case. What this is about are the parts that not every kernel has: Landlock,
/// which takes files and network away, and a seccomp filter that refuses every system call but a few.
///
/// A program of a script's gets its environment from the script, a session and limits of its own, and no new privileges in
/// any case; Landlock leaves it what the session may reach, and the filter refuses sockets and what reaches into other
/// processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sandbox {
    /// All of it, or no worker and no program is started.
    Require,
    /// As much as there is; what is missing is logged as a warning, once.
    #[default]
    Try,
    /// Neither Landlock nor the filter: for looking for faults.
    Off,
}

impl Sandbox {
    /// Returns its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Require => "require",
            Self::Try => "try",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Sandbox {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Require, Self::Try, Self::Off];
        all.into_iter()
            .find(|sandbox| sandbox.as_str() == text)
            .ok_or_else(|| "expected require, try or off".to_owned())
    }
}

/// Which process confines itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// One that becomes two for each session: it may do that, and be handed descriptors.
    Warm,
    /// The worker of a session, which comes out of a warm process, with what that has given up already.
    Worker,
}

/// Confines this process for good, and says which parts could not be had.
pub(super) fn enter(sandbox: Sandbox, stage: Stage) -> Vec<String> {
    let mut missing = Vec::new();
    let mut note = |part: &str, done: Result<(), String>| {
        if let Err(why) = done {
            missing.push(format!("{part} ({why})"));
        }
    };
    note("no core dumps", no_core_dumps());
    if sandbox != Sandbox::Off && stage == Stage::Warm {
        note("Landlock", landlock());
    }
    // Last: both of the above open files.
    note("limits", limits(stage));
    if sandbox != Sandbox::Off {
        note("seccomp", seccomp(stage));
    }
    missing
}

fn no_core_dumps() -> Result<(), String> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(|error| error.to_string())
}

/// No file can be opened, made or written, and no process started: the filter says the same, and this where it is missing.
fn limits(stage: Stage) -> Result<(), String> {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let always = &[Resource::Core, Resource::Fsize][..];
    let resources = match stage {
        Stage::Warm => always,
        Stage::Worker => &[Resource::Nofile, Resource::Nproc],
    };
    for resource in resources {
        rustix::process::setrlimit(*resource, none).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Takes all of the file system and the network away.
fn landlock() -> Result<(), String> {
    let newest = ABI::V6;
    let restrict = || {
        Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::from_all(newest))?
            .handle_access(AccessNet::from_all(newest))?
            .scope(Scope::from_all(newest))?
            .create()?
            .restrict_self()
    };
    let status = restrict().map_err(|error| error.to_string())?;
    match status.ruleset {
        RulesetStatus::FullyEnforced => Ok(()),
        RulesetStatus::PartiallyEnforced => Err("this kernel has an older one, with a part of it".to_owned()),
        RulesetStatus::NotEnforced => Err("this kernel has none".to_owned()),
    }
}

/// Refuses every system call but those that memory, clocks and the line to the host need.
fn seccomp(stage: Stage) -> Result<(), String> {
    let filter = filter(stage).map_err(|error| error.to_string())?;
    seccompiler::apply_filter(&filter).map_err(|error| error.to_string())
}

fn filter(stage: Stage) -> Result<BpfProgram, seccompiler::Error> {
    let more = if stage == Stage::Warm { ALLOWED_WARM } else { &[] };
    let allowed = ALLOWED.iter().chain(more);
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = allowed.map(|call| (*call, Vec::new())).collect();
    // New memory is nobody's file, and none of it is code.
    let bits = |argument, mask: libc::c_int, value: libc::c_int| {
        let (mask, value) = (u64::from(mask.unsigned_abs()), u64::from(value.unsigned_abs()));
        SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value)
    };
    let no_code = bits(2, libc::PROT_EXEC, 0)?;
    let anonymous = bits(3, libc::MAP_ANONYMOUS, libc::MAP_ANONYMOUS)?;
    let of_mmap = match stage {
        // The page that a worker shares with its host is mapped by what it was forked from.
        Stage::Warm => vec![no_code.clone()],
        Stage::Worker => vec![no_code.clone(), anonymous],
    };
    rules.insert(libc::SYS_mmap, vec![SeccompRule::new(of_mmap)?]);
    rules.insert(libc::SYS_mprotect, vec![SeccompRule::new(vec![no_code])?]);
    if stage == Stage::Warm {
        // To be two is to be two of the same; and limits are set for nobody else.
        let exactly = |argument, value: libc::c_int| {
            let value = u64::from(value.unsigned_abs());
            SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, value)
        };
        rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![exactly(0, SIBLING)?])?]);
        rules.insert(libc::SYS_prlimit64, vec![SeccompRule::new(vec![exactly(0, 0)?])?]);
    }
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(rules, refuse, SeccompAction::Allow, ARCH)?;
    Ok(filter.try_into()?)
}

/// What filters are made for.
#[cfg(target_arch = "x86_64")]
pub(crate) const ARCH: TargetArch = TargetArch::x86_64;
/// What filters are made for.
#[cfg(target_arch = "aarch64")]
pub(crate) const ARCH: TargetArch = TargetArch::aarch64;

/// What a warm process may do besides: become two, be handed descriptors, and confine what comes out of it.
const ALLOWED_WARM: &[i64] = &[
    libc::SYS_recvmsg,
    libc::SYS_prctl,
    libc::SYS_seccomp,
    libc::SYS_setsid,
    libc::SYS_getrlimit,
    libc::SYS_setrlimit,
];

/// What is allowed whatever its arguments are.
const ALLOWED: &[i64] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_readv,
    libc::SYS_writev,
    libc::SYS_recvfrom,
    libc::SYS_sendto,
    libc::SYS_ppoll,
    libc::SYS_close,
    libc::SYS_munmap,
    libc::SYS_mremap,
    libc::SYS_madvise,
    libc::SYS_brk,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_nanosleep,
    libc::SYS_gettimeofday,
    libc::SYS_getrandom,
    libc::SYS_futex,
    libc::SYS_sched_yield,
    libc::SYS_rt_sigreturn,
    libc::SYS_rt_sigprocmask,
    libc::SYS_sigaltstack,
    libc::SYS_restart_syscall,
    libc::SYS_exit,
    libc::SYS_exit_group,
];

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    #![allow(clippy::print_stdout, reason = "one process tells another what came of it")]

    use std::fs::File;
    use std::os::unix::net::UnixStream;
    use std::process::Command;

    use rustix::process::{Pid, Signal};

    use super::*;

    /// The test below, in a process of its own: no way leads back from here.
    #[test]
    #[ignore = "called by `nothing_is_left_to_take`"]
    fn confined() {
        let other = libc::c_long::from(rustix::process::getppid().map_or(1, |parent| parent.as_raw_nonzero().get()));
        let mut missing = enter(Sandbox::Require, Stage::Warm);
        let call = |name: &str, number: libc::c_long, arguments: [libc::c_long; 3]| {
            println!("{name}: {}", super::super::os_thread::raw_call(number, arguments));
        };
        call("an early fork", libc::SYS_clone, [libc::c_long::from(libc::SIGCHLD), 0, 0]);
        call("an early thread", libc::SYS_clone, [libc::c_long::from(libc::CLONE_THREAD), 0, 0]);
        call("an early limit", libc::SYS_prlimit64, [other, 0, 0]);
        call("an early nice", libc::SYS_setpriority, [0, other, 19]);
        missing.extend(enter(Sandbox::Require, Stage::Worker));
        println!("missing: {missing:?}");
        let path = c"/etc/passwd".as_ptr() as libc::c_long;
        let own = libc::c_long::from(std::process::id());
        call("open", libc::SYS_openat, [libc::c_long::from(libc::AT_FDCWD), path, 0]);
        call("socket", libc::SYS_socket, [libc::c_long::from(libc::AF_INET), libc::c_long::from(libc::SOCK_STREAM), 0]);
        call("execve", libc::SYS_execve, [path, 0, 0]);
        call("ptrace", libc::SYS_ptrace, [0, 0, 0]);
        call("kill", libc::SYS_kill, [own, 0, 0]);
        call("fork", libc::SYS_clone, [libc::c_long::from(libc::SIGCHLD), 0, 0]);
        call("clone3", libc::SYS_clone3, [0, 0, 0]);
        call("memory that is code", libc::SYS_mprotect, [0, 4096, libc::c_long::from(libc::PROT_EXEC)]);
        call("prctl", libc::SYS_prctl, [0, 0, 0]);
        call("io_uring", libc::SYS_io_uring_setup, [1, 0, 0]);
        call("bpf", libc::SYS_bpf, [0, 0, 0]);
        call("process_vm_readv", libc::SYS_process_vm_readv, [own, 0, 0]);
        println!("a file: {:?}", File::open("/etc/passwd").map(drop).map_err(|error| error.kind()));
        println!("a line: {:?}", UnixStream::pair().map(drop).map_err(|error| error.kind()));
        println!("a signal: {:?}", rustix::process::kill_process(Pid::INIT, Signal::WINCH));
        // What it is there for goes on.
        let numbers: Vec<u64> = (0..1 << 20).collect();
        println!("memory: {}", numbers.iter().sum::<u64>() > 0);
    }

    #[test]
    fn nothing_is_left_to_take() {
        let program = std::fs::read_link("/proc/self/exe").unwrap();
        let name = "isolation::sandbox::tests::confined";
        let output = Command::new(program).args(["--exact", name, "--ignored", "--nocapture"]).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let says = |line: &str| assert!(text.lines().any(|other| other.ends_with(line)), "{line} is not in\n{text}");
        says("missing: []");
        let refused = ["open", "socket", "execve", "ptrace", "kill", "fork", "clone3", "memory that is code", "prctl"];
        let early = ["an early fork", "an early thread", "an early limit", "an early nice"];
        for call in refused.iter().chain(&["io_uring", "bpf", "process_vm_readv"]).chain(&early) {
            says(&format!("{call}: {}", -libc::EPERM));
        }
        says("a file: Err(PermissionDenied)");
        says("a line: Err(PermissionDenied)");
        says("a signal: Err(Os { code: 1, kind: PermissionDenied, message: \"Operation not permitted\" })");
        says("memory: true");
    }
}
