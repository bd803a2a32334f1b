//! What a system has done since it was opened, in numbers.

mod histogram;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub use self::histogram::{Distribution, Histogram};
use crate::execution::{Execution, ExecutionKind, ExecutionStatus};
use crate::session::SessionStatus;

/// Numbers of a system, as [`VmSystem::stats`](crate::VmSystem::stats) takes them: what there is now, and what was done
/// since it was opened. They are taken one after the other while work goes on, so that they need not agree to the last
/// one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Sessions that there are by status, also those of earlier programs on the same database.
    pub sessions: Vec<(SessionStatus, u64)>,
    /// Sessions that were created.
    pub sessions_created: u64,
    /// Executions that run.
    pub running: u64,
    /// Executions that have ended by kind and status.
    pub ended: Vec<(ExecutionKind, ExecutionStatus, u64)>,
    /// How long they took from their begin until they were stored, in microseconds.
    pub latency_micros: Vec<(ExecutionKind, Distribution)>,
    /// What was stored.
    pub store: StoreStats,
}

/// Numbers of the store since it was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStats {
    /// Events that were written.
    pub events: u64,
    /// The bytes of their payloads, as JSON.
    pub event_bytes: u64,
    /// How long transactions took from their begin until the disk had them, in microseconds.
    pub commit_micros: Distribution,
    /// How many writes a transaction carried.
    pub commit_writes: Distribution,
    /// The bytes of its files: zero in memory.
    pub file_bytes: u64,
}

const KINDS: [ExecutionKind; 5] = [
    ExecutionKind::Repl,
    ExecutionKind::RunFile,
    ExecutionKind::Startup,
    ExecutionKind::Call,
    ExecutionKind::SetGlobal,
];
const ENDS: [ExecutionStatus; 4] =
    [ExecutionStatus::Ok, ExecutionStatus::Error, ExecutionStatus::Timeout, ExecutionStatus::Cancelled];

/// What is counted while a system works.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) sessions_created: Counter,
    ended: [[Counter; ENDS.len()]; KINDS.len()],
    latency: [Histogram; KINDS.len()],
}

/// A number that only grows.
#[derive(Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Counters {
    /// Counts an execution that has ended and is stored.
    pub(crate) fn count_ended(&self, execution: &Execution, latency: Duration) {
        let Some(kind) = KINDS.iter().position(|kind| *kind == execution.kind) else { return };
        let Some(end) = ENDS.iter().position(|end| *end == execution.status) else { return };
        self.ended[kind][end].add(1);
        self.latency[kind].record_time(latency);
    }

    pub(crate) fn ended(&self) -> Vec<(ExecutionKind, ExecutionStatus, u64)> {
        let of_kind = |(kind, ends): (ExecutionKind, &[Counter; ENDS.len()])| {
            ENDS.into_iter().zip(ends).map(move |(end, count)| (kind, end, count.get())).collect::<Vec<_>>()
        };
        KINDS.into_iter().zip(&self.ended).flat_map(of_kind).collect()
    }

    pub(crate) fn latency_micros(&self) -> Vec<(ExecutionKind, Distribution)> {
        KINDS.into_iter().zip(&self.latency).map(|(kind, latency)| (kind, latency.snapshot())).collect()
    }
}
