//! What this process uses, as the operating system tells it.

use std::fs;

use schemars::JsonSchema;
use serde::Serialize;

/// What a process uses; zero where that cannot be told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[schemars(rename = "ProcessStats")]
pub(crate) struct Usage {
    /// Memory that it has in RAM.
    pub(crate) resident_bytes: u64,
    /// Threads that it has.
    pub(crate) threads: u64,
    /// Files and sockets that it has open.
    pub(crate) open_files: u64,
    /// Processor time that it has used.
    pub(crate) cpu_seconds: f64,
}

/// Asks for it. Other systems than Linux have no `/proc`: there, and should it not be mounted, nothing is known.
pub(crate) fn usage() -> Usage {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let field = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or_default()
    };
    Usage {
        resident_bytes: field("VmRSS") << 10,
        threads: field("Threads"),
        // The directory itself is open while it is counted.
        open_files: fs::read_dir("/proc/self/fd").map_or(0, |files| files.count().saturating_sub(1) as u64),
        cpu_seconds: cpu_seconds(),
    }
}

/// Processor time of all threads: `schedstat` would tell it of one thread only.
fn cpu_seconds() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_uses_something() {
        let usage = usage();
        assert!(usage.resident_bytes > 1 << 20 && usage.resident_bytes < 1 << 40, "{usage:?}");
        assert!(usage.threads >= 1 && usage.open_files >= 3, "{usage:?}");
        let busy = (0..5_000_000_u64).fold(1, |sum, n| std::hint::black_box(sum ^ n));
        assert!(super::usage().cpu_seconds > usage.cpu_seconds && busy != 0);
    }
}
