//! Which system calls are refused to programs: what Landlock knows nothing of.

use std::collections::BTreeMap;

use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::isolation::ARCH;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Makes the filters, each of which may refuse a call.
pub(super) fn filters(network: bool) -> Result<Vec<BpfProgram>, BackendError> {
    let mut filters = vec![filter(refused(network)?, libc::EPERM)?, filter(unknown(), libc::ENOSYS)?];
    filters.extend(other_numbers());
    Ok(filters)
}

fn filter(rules: Rules, errno: libc::c_int) -> Result<BpfProgram, BackendError> {
    let refuse = SeccompAction::Errno(errno.unsigned_abs());
    SeccompFilter::new(rules, SeccompAction::Allow, refuse, ARCH)?.try_into()
}

/// What is answered as by a kernel that does not have it: programs then use what can be looked into.
fn unknown() -> Rules {
    let calls = [
        // Its flags are in memory, where no filter sees them.
        libc::SYS_clone3,
        // It makes sockets, and opens files, by other ways than calls.
        libc::SYS_io_uring_setup,
        libc::SYS_io_uring_enter,
        libc::SYS_io_uring_register,
    ];
    calls.into_iter().map(|call| (call, Vec::new())).collect()
}

fn refused(network: bool) -> Result<Rules, BackendError> {
    let mut rules: Rules = ALWAYS.iter().map(|call| (*call, Vec::new())).collect();
    rules.insert(libc::SYS_socket, if network { other_sockets()? } else { Vec::new() });
    rules.insert(libc::SYS_socketpair, other_pairs()?);
    let namespaces = namespaces()?;
    let with_time = namespaces.iter().cloned().chain([any(vec![bits(0, libc::CLONE_NEWTIME)?])?]);
    rules.insert(libc::SYS_unshare, with_time.collect());
    rules.insert(libc::SYS_clone, namespaces);
    // By number they reach the daemon, too, which is of the same user: nothing but the caller's own is left.
    for (call, argument) in [
        (libc::SYS_prlimit64, 0),
        (libc::SYS_sched_setaffinity, 0),
        (libc::SYS_sched_setattr, 0),
        (libc::SYS_sched_setparam, 0),
        (libc::SYS_sched_setscheduler, 0),
        (libc::SYS_setpriority, 1),
        (libc::SYS_ioprio_set, 1),
    ] {
        rules.insert(call, vec![any(vec![is_not(argument, 0)?])?]);
    }
    for (call, of_processes) in [(libc::SYS_setpriority, 0), (libc::SYS_ioprio_set, 1)] {
        rules.entry(call).or_default().push(any(vec![is_not(0, of_processes)?])?);
    }
    Ok(rules)
}

/// Whatever their arguments are.
const ALWAYS: &[i64] = &[
    // Keys, and memory and queues that outlive who made them, are shared by all processes of a user.
    libc::SYS_add_key,
    libc::SYS_keyctl,
    libc::SYS_request_key,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_mq_open,
    // Whoever leads a session of his own is not found with those who are to be killed together.
    libc::SYS_setsid,
    // What is of no use to programs, and of much to those who look for faults of the kernel.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
];

/// All sockets but those of TCP and UDP. Sockets of the machine's own lead to whoever listens on it, and raw ones see what
/// is others'.
fn other_sockets() -> Result<Vec<SeccompRule>, BackendError> {
    let mut rules = vec![any(vec![is_not(0, libc::AF_INET)?, is_not(0, libc::AF_INET6)?])?];
    rules.extend(other_kinds(&[libc::SOCK_STREAM, libc::SOCK_DGRAM])?);
    Ok(rules)
}

/// Pairs stay what programs have instead of pipes; but one of datagrams can send to other addresses than its other half.
fn other_pairs() -> Result<Vec<SeccompRule>, BackendError> {
    let mut rules = vec![any(vec![is_not(0, libc::AF_UNIX)?])?];
    rules.extend(other_kinds(&[libc::SOCK_STREAM, libc::SOCK_SEQPACKET])?);
    Ok(rules)
}

fn other_kinds(allowed: &[libc::c_int]) -> Result<Vec<SeccompRule>, BackendError> {
    const KINDS: libc::c_int = 0xf;
    let others = (0..=KINDS).filter(|kind| !allowed.contains(kind));
    others.map(|kind| any(vec![masked(1, KINDS, kind)?])).collect()
}

/// In a namespace of its own a program has rights that nobody gave it.
fn namespaces() -> Result<Vec<SeccompRule>, BackendError> {
    let kinds = [
        libc::CLONE_NEWUSER,
        libc::CLONE_NEWNS,
        libc::CLONE_NEWNET,
        libc::CLONE_NEWPID,
        libc::CLONE_NEWIPC,
        libc::CLONE_NEWUTS,
        libc::CLONE_NEWCGROUP,
    ];
    kinds.into_iter().map(|kind| any(vec![bits(0, kind)?])).collect()
}

/// Of several rules any one refuses; of the conditions in one, all must hold.
fn any(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions)
}

fn is_not(argument: u8, value: libc::c_int) -> Result<SeccompCondition, BackendError> {
    let value = u64::from(value.unsigned_abs());
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, value)
}

fn bits(argument: u8, bits: libc::c_int) -> Result<SeccompCondition, BackendError> {
    masked(argument, bits, bits)
}

fn masked(argument: u8, mask: libc::c_int, value: libc::c_int) -> Result<SeccompCondition, BackendError> {
    let (mask, value) = (u64::from(mask.unsigned_abs()), u64::from(value.unsigned_abs()));
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(mask), value)
}

/// The same calls have second numbers on this processor, in a range of their own that hardly any program uses.
#[cfg(target_arch = "x86_64")]
fn other_numbers() -> Option<BpfProgram> {
    const SECOND_NUMBERS: u32 = 0x4000_0000;
    let step = |code: u32, jf, k| seccompiler::sock_filter { code: code as u16, jt: 0, jf, k };
    Some(vec![
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 1, SECOND_NUMBERS),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ERRNO | libc::ENOSYS.unsigned_abs()),
        step(libc::BPF_RET | libc::BPF_K, 0, libc::SECCOMP_RET_ALLOW),
    ])
}

#[cfg(not(target_arch = "x86_64"))]
fn other_numbers() -> Option<BpfProgram> {
    None
}
