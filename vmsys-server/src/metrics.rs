//! What the daemon is doing, in numbers: for Prometheus, in its text format, and for people, as a document.
//!
//! The core counts what it does itself (`VmSystem::stats`); what concerns HTTP is counted here. Names of metrics are a
//! contract with whoever has drawn a chart of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{Method, StatusCode};
use prometheus::proto::{self, Bucket, Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};
use prometheus::{Encoder as _, TextEncoder};
use vmsys_core::{Distribution, Histogram, Stats, StoreStats, Timestamp};

use crate::build::BUILD;
use crate::error::ApiError;
use crate::process;

/// What stands for the path of a request that no route has.
pub(crate) const NO_ROUTE: &str = "none";

/// Powers of two of microseconds at which buckets end: 128 µs to 67 s.
const TIME_BUCKETS: std::ops::RangeInclusive<u32> = 7..=26;

/// Powers of two at which buckets of the size of a commit end: the largest one carries 128 writes.
const SIZE_BUCKETS: std::ops::RangeInclusive<u32> = 0..=7;

/// What is counted of HTTP.
#[derive(Debug)]
pub(crate) struct Metrics {
    started_at: Timestamp,
    /// By method and path, as the table has them, so that there are few.
    routes: Mutex<HashMap<(&'static str, &'static str), Answered>>,
    refusals: Mutex<BTreeMap<&'static str, u64>>,
    durations: Histogram,
    connections: Arc<AtomicU64>,
    streams: Arc<AtomicU64>,
}

/// The requests of one route.
#[derive(Debug, Default)]
struct Answered {
    statuses: BTreeMap<u16, u64>,
    durations: Histogram,
}

/// Something that is open; it is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Open(Arc<AtomicU64>);

impl Open {
    fn count(all: &Arc<AtomicU64>) -> Self {
        all.fetch_add(1, Ordering::Relaxed);
        Self(all.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started_at: Timestamp::now(),
            routes: Mutex::default(),
            refusals: Mutex::default(),
            durations: Histogram::default(),
            connections: Arc::default(),
            streams: Arc::default(),
        }
    }
}

impl Metrics {
    /// Counts a request that is answered.
    pub(crate) fn answered(&self, method: &Method, route: &'static str, status: StatusCode, took: Duration) {
        self.durations.record_time(took);
        let mut routes = lock(&self.routes);
        let answered = routes.entry((known(method), route)).or_default();
        *answered.statuses.entry(status.as_u16()).or_default() += 1;
        answered.durations.record_time(took);
    }

    /// Counts a refusal.
    pub(crate) fn refused(&self, error: &ApiError) {
        *lock(&self.refusals).entry(error.code()).or_default() += 1;
    }

    /// Counts a connection for as long as the answer is kept.
    pub(crate) fn connection(&self) -> Open {
        Open::count(&self.connections)
    }

    /// Counts a stream for as long as the answer is kept.
    pub(crate) fn stream(&self) -> Open {
        Open::count(&self.streams)
    }

    pub(crate) fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// How long all requests took, in microseconds.
    pub(crate) fn durations(&self) -> Distribution {
        self.durations.snapshot()
    }

    /// How many requests were refused, by code.
    pub(crate) fn refusals(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.refusals).clone()
    }

    pub(crate) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    pub(crate) fn streams(&self) -> u64 {
        self.streams.load(Ordering::Relaxed)
    }

    /// Writes all numbers in Prometheus's text format.
    pub(crate) fn text(&self, stats: &Stats) -> prometheus::Result<Vec<u8>> {
        let mut families = self.of_http();
        families.extend(of_core(stats));
        families.extend(self.of_process());
        // One without a sample yet cannot be written, and would be no use.
        families.retain(|family| !family.get_metric().is_empty());
        let mut text = Vec::new();
        TextEncoder::new().encode(&families, &mut text)?;
        Ok(text)
    }

    fn of_http(&self) -> Vec<MetricFamily> {
        let routes = lock(&self.routes);
        let mut routes: Vec<_> = routes.iter().collect();
        routes.sort_unstable_by_key(|(route, _)| *route);
        let requests = routes.iter().flat_map(|((method, route), answered)| {
            let of_status = |(status, count): (&u16, &u64)| {
                (labels([("method", method), ("route", route), ("status", &status.to_string())]), *count as f64)
            };
            answered.statuses.iter().map(of_status).collect::<Vec<_>>()
        });
        let durations = routes.iter().map(|((method, route), answered)| {
            (labels([("method", method), ("route", route)]), seconds(&answered.durations.snapshot()))
        });
        let refusals = self.refusals();
        let refusals = refusals.iter().map(|(code, count)| (labels([("code", code)]), *count as f64));
        vec![
            counters("vmsys_http_requests_total", "Requests that were answered.", requests),
            histograms("vmsys_http_request_duration_seconds", "Time from a request to its answer.", durations),
            counters("vmsys_http_refusals_total", "Requests that were refused, by the code of the refusal.", refusals),
            gauge("vmsys_http_connections", "Connections that are open.", self.connections() as f64),
            gauge("vmsys_http_streams", "Streams of events that are open.", self.streams() as f64),
        ]
    }

    /// What every process tells under the names that every process has.
    fn of_process(&self) -> Vec<MetricFamily> {
        let usage = process::usage();
        let build = labels([("version", BUILD.version), ("commit", BUILD.commit), ("target", BUILD.target)]);
        let started = self.started_at.as_millis() as f64 / 1e3;
        vec![
            gauges("vmsys_build_info", "What runs, and what it was built from.", [(build, 1.0)]),
            gauge("process_start_time_seconds", "When it was started, since 1970.", started),
            gauge("process_resident_memory_bytes", "Memory that it has in RAM.", usage.resident_bytes as f64),
            gauge("process_threads", "Threads that it has.", usage.threads as f64),
            gauge("process_open_fds", "Files and sockets that it has open.", usage.open_files as f64),
            counters("process_cpu_seconds_total", "Processor time that it has used.", [(vec![], usage.cpu_seconds)]),
        ]
    }
}

/// The method of a request, if it is one that a route could have: others are whatever a client makes up.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PATCH => "PATCH",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn of_core(stats: &Stats) -> Vec<MetricFamily> {
    let sessions = stats.sessions.iter().map(|(status, count)| (labels([("status", status.as_str())]), *count as f64));
    let ended = stats
        .ended
        .iter()
        .map(|(kind, status, count)| (labels([("kind", kind.as_str()), ("status", status.as_str())]), *count as f64));
    let latency = stats.latency_micros.iter().map(|(kind, times)| (labels([("kind", kind.as_str())]), seconds(times)));
    let StoreStats { events, event_bytes, commit_micros, commit_writes, file_bytes, .. } = &stats.store;
    let total = |name, help, value: u64| counters(name, help, [(vec![], value as f64)]);
    vec![
        gauges("vmsys_sessions", "Sessions that there are.", sessions),
        total("vmsys_sessions_created_total", "Sessions that were created.", stats.sessions_created),
        gauge("vmsys_executions_running", "Executions that run.", stats.running as f64),
        counters("vmsys_executions_total", "Executions that have ended.", ended),
        histograms(
            "vmsys_execution_duration_seconds",
            "Time of executions from their begin until they were stored.",
            latency,
        ),
        total("vmsys_store_events_total", "Events that were written.", *events),
        total("vmsys_store_event_bytes_total", "Bytes of events that were written.", *event_bytes),
        histograms(
            "vmsys_store_commit_duration_seconds",
            "Time of transactions until the disk had them.",
            [(vec![], seconds(commit_micros))],
        ),
        histograms(
            "vmsys_store_commit_writes",
            "Writes that a transaction carried.",
            [(vec![], histogram(commit_writes, SIZE_BUCKETS, 1.0))],
        ),
        gauge("vmsys_store_bytes", "Bytes of the database's files.", *file_bytes as f64),
    ]
}

/// Names and values.
type Labels = Vec<(&'static str, String)>;

fn labels<const N: usize>(pairs: [(&'static str, &str); N]) -> Labels {
    pairs.map(|(name, value)| (name, value.to_owned())).into()
}

fn gauge(name: &str, help: &str, value: f64) -> MetricFamily {
    gauges(name, help, [(vec![], value)])
}

fn gauges(name: &str, help: &str, values: impl IntoIterator<Item = (Labels, f64)>) -> MetricFamily {
    family(name, help, MetricType::GAUGE, values, |metric, value| {
        let mut gauge = Gauge::default();
        gauge.set_value(value);
        metric.set_gauge(gauge);
    })
}

fn counters(name: &str, help: &str, values: impl IntoIterator<Item = (Labels, f64)>) -> MetricFamily {
    family(name, help, MetricType::COUNTER, values, |metric, value| {
        let mut counter = Counter::default();
        counter.set_value(value);
        metric.set_counter(counter);
    })
}

fn histograms(name: &str, help: &str, values: impl IntoIterator<Item = (Labels, proto::Histogram)>) -> MetricFamily {
    family(name, help, MetricType::HISTOGRAM, values, Metric::set_histogram)
}

fn family<T>(
    name: &str,
    help: &str,
    kind: MetricType,
    values: impl IntoIterator<Item = (Labels, T)>,
    set: impl Fn(&mut Metric, T),
) -> MetricFamily {
    let metric = |(labels, value): (Labels, T)| {
        let label = |(name, value): (&str, String)| {
            let mut label = LabelPair::default();
            label.set_name(name.to_owned());
            label.set_value(value);
            label
        };
        let mut metric = Metric::from_label(labels.into_iter().map(label).collect());
        set(&mut metric, value);
        metric
    };
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(values.into_iter().map(metric).collect());
    family
}

/// Times in microseconds as a histogram in seconds.
fn seconds(times: &Distribution) -> proto::Histogram {
    histogram(times, TIME_BUCKETS, 1e6)
}

fn histogram(values: &Distribution, powers: std::ops::RangeInclusive<u32>, unit: f64) -> proto::Histogram {
    let bucket = |power: u32| {
        let mut bucket = Bucket::default();
        bucket.set_upper_bound(f64::from(1 << power) / unit);
        bucket.set_cumulative_count(values.count_to(1 << power));
        bucket
    };
    let mut histogram = proto::Histogram::default();
    histogram.set_bucket(powers.map(bucket).collect());
    histogram.set_sample_count(values.count());
    histogram.set_sample_sum(values.sum() as f64 / unit);
    histogram
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use vmsys_core::{NewSession, NewTemplate, VmSystem};

    use super::*;

    #[test]
    fn the_text_names_everything_once_and_each_sample_belongs_to_a_name() {
        let vm = VmSystem::in_memory().unwrap();
        let template = vm.create_template(NewTemplate::named("t")).unwrap();
        let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir())).unwrap();
        session.repl("1").unwrap();
        let metrics = Metrics::default();
        let _open = metrics.connection();
        metrics.answered(&Method::GET, "/x/{id}", StatusCode::OK, Duration::from_millis(3));
        metrics.answered(&Method::from_bytes(b"BREW").unwrap(), NO_ROUTE, StatusCode::NOT_FOUND, Duration::ZERO);
        metrics.refused(&ApiError::not_found());

        let text = String::from_utf8(metrics.text(&vm.stats().unwrap()).unwrap()).unwrap();
        for line in [
            "vmsys_sessions{status=\"ready\"} 1",
            "vmsys_executions_total{kind=\"repl\",status=\"ok\"} 1",
            "vmsys_executions_total{kind=\"run_file\",status=\"timeout\"} 0",
            "vmsys_execution_duration_seconds_count{kind=\"repl\"} 1",
            "vmsys_store_events_total 2",
            "vmsys_http_requests_total{method=\"GET\",route=\"/x/{id}\",status=\"200\"} 1",
            "vmsys_http_requests_total{method=\"other\",route=\"none\",status=\"404\"} 1",
            "vmsys_http_request_duration_seconds_bucket{method=\"GET\",route=\"/x/{id}\",le=\"0.002048\"} 0",
            "vmsys_http_request_duration_seconds_bucket{method=\"GET\",route=\"/x/{id}\",le=\"0.004096\"} 1",
            "vmsys_http_refusals_total{code=\"NOT_FOUND\"} 1",
            "vmsys_http_connections 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
        let build = format!("vmsys_build_info{{version=\"{}\",commit=\"{}\",", BUILD.version, BUILD.commit);
        assert!(
            text.lines().any(|line| line.starts_with(&build) && line.ends_with("} 1")),
            "{build} is not in\n{text}"
        );
        let mut names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "{names:?}");
    }

    #[test]
    fn what_is_open_is_counted_until_it_is_dropped() {
        let metrics = Metrics::default();
        let streams = [metrics.stream(), metrics.stream()];
        assert_eq!(metrics.streams(), 2);
        drop(streams);
        assert_eq!(metrics.streams(), 0);
    }
}
