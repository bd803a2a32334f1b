//! The operating system's own limits for a program.
//!
//! They are limits of each process: what a program and those that it starts take together is bounded by the end of their
//! execution only.

use rustix::process::{Resource, Rlimit, getrlimit};

use crate::limits::Limits;

/// How often the heap of a session goes into what a process may have of private memory that can be written. Other
/// runtimes are larger than ours: each thread of Node's or Java's has 8 MiB for its stack before it begins.
const MEMORY_FACTOR: u64 = 8;
/// And at least this: with less, compilers do not work, whatever a script needs.
const LEAST_MEMORY: u64 = 1 << 30;
/// The largest file that it writes.
const FILE_BYTES: u64 = 1 << 30;
/// Descriptors: as many as it has unless it asks for more, and as many as it may ask for.
const FILES: (u64, u64) = (1024, 4096);
/// Processes and threads beyond those that there are.
const PROCESSES: u64 = 512;

/// The limits of each process of a program's.
///
/// Memory is counted as private pages that can be written (`RLIMIT_DATA`), not as addresses: Node and Java reserve many
/// gigabytes of those and use few. What this does *not* count is memory that is shared.
pub(super) fn of(limits: &Limits) -> Vec<(Resource, Rlimit)> {
    let memory = limits.mem_mb.saturating_mul(MEMORY_FACTOR << 20).max(LEAST_MEMORY);
    let cpu = limits.cpu_ms.div_ceil(1000);
    let mut bounds = vec![
        (Resource::Core, 0, 0),
        (Resource::Data, memory, memory),
        // At the first it is told by a signal, at the second it is killed.
        (Resource::Cpu, cpu, cpu + 1),
        (Resource::Fsize, FILE_BYTES, FILE_BYTES),
        (Resource::Nofile, FILES.0, FILES.1),
    ];
    bounds.extend(processes().map(|most| (Resource::Nproc, most, most)));
    let no_more_than_now = |(resource, soft, hard): (Resource, u64, u64)| {
        let hard = getrlimit(resource).maximum.map_or(hard, |now| now.min(hard));
        (resource, Rlimit { current: Some(soft.min(hard)), maximum: Some(hard) })
    };
    bounds.into_iter().map(no_more_than_now).collect()
}

/// The system counts the processes of a user, whoever started them, and this user may have many: so the bound is what
/// there is of anybody's, and some more. For root it has none.
fn processes() -> Option<u64> {
    let load = std::fs::read_to_string("/proc/loadavg").ok()?;
    // `0.20 0.18 0.12 1/80 11206`: of 80 one runs.
    let (_, all) = load.split_ascii_whitespace().nth(3)?.split_once('/')?;
    Some(all.parse::<u64>().ok()?.saturating_add(PROCESSES))
}
