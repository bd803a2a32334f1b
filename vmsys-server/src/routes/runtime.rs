//! What is alive in memory, and what the daemon has done: for Prometheus, and as a document.

use std::collections::BTreeMap;

use http::StatusCode;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use vmsys_core::{
    Distribution, ExecutionKind, ExecutionStatus, RuntimeSummary, SessionStatus, Stats, Timestamp, VmSystem,
};

use crate::build::BUILD;
use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::process::{self, Usage};
use crate::reply::{Json, Outcome, Reply};
use crate::route::{Answer, Request, Route};

pub(super) fn routes() -> [Route<VmSystem>; 3] {
    [
        Route::get("/api/v1/runtime/summary", summary)
            .named("getRuntimeSummary", "Tells which sessions are alive in memory, whatever the database says"),
        Route::get("/api/v1/runtime/stats", stats)
            .named("getRuntimeStats", "Tells what the daemon has done since it was started"),
        Route::get("/metrics", metrics)
            .named("getMetrics", "Tells what the daemon has done since it was started, to Prometheus"),
    ]
}

/// What the daemon has done since it was started. Times are of this run; sessions are all that its database knows.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Stats")]
struct StatsView {
    /// The daemon's version.
    version: &'static str,
    /// The commit that the daemon was built from, or `unknown`.
    commit: &'static str,
    /// When it was started.
    started_at: Timestamp,
    /// For how long it has been up, in milliseconds.
    uptime_ms: u64,
    /// Sessions that there are.
    sessions: Sessions,
    /// Executions since then.
    executions: Executions,
    /// Requests since then.
    requests: Requests,
    /// What was stored since then.
    store: StoreView,
    /// What the daemon's process uses.
    process: Usage,
}

/// Sessions that there are, by status.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "SessionStats")]
struct Sessions {
    starting: u64,
    ready: u64,
    crashed: u64,
    closed: u64,
    /// Those that were created since the daemon was started.
    created: u64,
}

/// Executions since the daemon was started.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExecutionStats")]
struct Executions {
    /// Those that run now.
    running: u64,
    /// Those that have ended, by kind and status.
    ended: Vec<Ended>,
    /// How long they took from their begin until they were stored, by kind.
    latency: Vec<OfKind>,
}

/// How many executions ended in one way.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "EndedExecutions")]
struct Ended {
    /// What was run.
    kind: ExecutionKind,
    /// How it ended.
    status: ExecutionStatus,
    /// How many did.
    count: u64,
}

/// How long executions of one kind took.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "ExecutionTimes")]
struct OfKind {
    /// What was run.
    kind: ExecutionKind,
    #[serde(flatten)]
    times: Times,
}

/// Requests since the daemon was started.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "RequestStats")]
struct Requests {
    /// Those that were refused, by the code of the refusal.
    refused: BTreeMap<&'static str, u64>,
    /// How long answers took.
    latency: Times,
    /// Connections that are open.
    connections: u64,
    /// Streams of events that are open.
    streams: u64,
}

/// What was stored since the daemon was started.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StoreStats")]
struct StoreView {
    /// Bytes of the database's files; zero in memory.
    file_bytes: u64,
    /// Events that were written.
    events: u64,
    /// Bytes of events that were written.
    event_bytes: u64,
    /// How long transactions took.
    commits: Times,
    /// Writes that were committed; together with the count of commits, how many shared one.
    writes: u64,
}

/// How times are distributed, in milliseconds; each is known to a quarter of itself.
#[derive(Debug, Serialize, JsonSchema)]
struct Times {
    /// How many there were.
    count: u64,
    mean_ms: f64,
    p50_ms: f64,
    p90_ms: f64,
    p99_ms: f64,
}

impl From<&Distribution> for Times {
    fn from(micros: &Distribution) -> Self {
        let count = micros.count();
        let quantile = |part| micros.quantile(part).unwrap_or_default() as f64 / 1e3;
        Self {
            count,
            mean_ms: (micros.sum() as f64 / count.max(1) as f64).round() / 1e3,
            p50_ms: quantile(0.5),
            p90_ms: quantile(0.9),
            p99_ms: quantile(0.99),
        }
    }
}

impl StatsView {
    fn new(stats: &Stats, metrics: &Metrics) -> Self {
        let mut sessions = Sessions { created: stats.sessions_created, ..Sessions::default() };
        for (status, count) in &stats.sessions {
            match status {
                SessionStatus::Starting => sessions.starting = *count,
                SessionStatus::Ready => sessions.ready = *count,
                SessionStatus::Crashed => sessions.crashed = *count,
                SessionStatus::Closed => sessions.closed = *count,
                _ => {}
            }
        }
        let started_at = metrics.started_at();
        Self {
            version: BUILD.version,
            commit: BUILD.commit,
            started_at,
            uptime_ms: (Timestamp::now().as_millis() - started_at.as_millis()).unsigned_abs(),
            sessions,
            executions: Executions {
                running: stats.running,
                ended: stats.ended.iter().map(|&(kind, status, count)| Ended { kind, status, count }).collect(),
                latency: stats
                    .latency_micros
                    .iter()
                    .map(|(kind, micros)| OfKind { kind: *kind, times: micros.into() })
                    .collect(),
            },
            requests: Requests {
                refused: metrics.refusals(),
                latency: (&metrics.durations()).into(),
                connections: metrics.connections(),
                streams: metrics.streams(),
            },
            store: StoreView {
                file_bytes: stats.store.file_bytes,
                events: stats.store.events,
                event_bytes: stats.store.event_bytes,
                commits: (&stats.store.commit_micros).into(),
                writes: stats.store.commit_writes.sum(),
            },
            process: process::usage(),
        }
    }
}

fn summary(vm: &VmSystem, _: &Request) -> Result<Json<RuntimeSummary>, ApiError> {
    Ok(Json(vm.runtime_summary()))
}

fn stats(vm: &VmSystem, request: &Request) -> Result<Json<StatsView>, ApiError> {
    Ok(Json(StatsView::new(&vm.stats()?, &request.metrics)))
}

/// Prometheus's text format.
struct Exposition(Vec<u8>);

impl Reply for Exposition {
    fn answer(self) -> Result<Answer, ApiError> {
        Ok(Answer::new(StatusCode::OK, EXPOSITION, self.0))
    }

    fn outcomes(_: &mut SchemaGenerator) -> Vec<Outcome> {
        vec![Outcome::text(EXPOSITION, "The metrics, one a line.")]
    }
}

const EXPOSITION: &str = "text/plain; version=0.0.4; charset=utf-8";

fn metrics(vm: &VmSystem, request: &Request) -> Result<Exposition, ApiError> {
    let text = request.metrics.text(&vm.stats()?);
    text.map(Exposition).map_err(|error| ApiError::internal(format!("the metrics cannot be written: {error}")))
}
