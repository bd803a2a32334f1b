//! The daemon's answers, as far as this program looks into them.
//!
//! Not the types of vmsys-core: a client must also understand a daemon that has more statuses, events or fields than
//! it knows. What is only shown stays the text that it was.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;

/// A template.
#[derive(Debug, Deserialize)]
pub(crate) struct Template {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) engine: String,
    pub(crate) is_active: bool,
    #[serde(default)]
    pub(crate) exposed_modules: Vec<String>,
    #[serde(default)]
    pub(crate) libraries: Vec<String>,
    pub(crate) created_at: String,
    pub(crate) updated_at: String,
}

/// A template with everything that belongs to it.
#[derive(Debug, Deserialize)]
pub(crate) struct TemplateDetail {
    pub(crate) template: Template,
    pub(crate) settings: Settings,
    #[serde(default)]
    pub(crate) capabilities: Vec<Capability>,
    #[serde(default)]
    pub(crate) startup_files: Vec<StartupFile>,
}

/// The settings of a template.
#[derive(Debug, Deserialize)]
pub(crate) struct Settings {
    pub(crate) limits: Box<RawValue>,
    pub(crate) resolver: Box<RawValue>,
    pub(crate) runtime: Box<RawValue>,
}

/// What the deletion of a template answers.
#[derive(Debug, Deserialize)]
pub(crate) struct DeletedTemplate {
    pub(crate) template_id: String,
}

/// A capability of a template.
#[derive(Debug, Deserialize)]
pub(crate) struct Capability {
    pub(crate) id: String,
    pub(crate) template_id: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) enabled: bool,
    pub(crate) config: Box<RawValue>,
}

/// What a daemon has done since it was started.
#[derive(Debug, Deserialize)]
pub(crate) struct Stats {
    pub(crate) version: String,
    pub(crate) uptime_ms: u64,
    pub(crate) sessions: SessionStats,
    pub(crate) executions: ExecutionStats,
    pub(crate) requests: RequestStats,
    pub(crate) store: StoreStats,
    pub(crate) process: ProcessStats,
}

/// Its sessions.
#[derive(Debug, Deserialize)]
pub(crate) struct SessionStats {
    pub(crate) starting: u64,
    pub(crate) ready: u64,
    pub(crate) crashed: u64,
    pub(crate) closed: u64,
    pub(crate) created: u64,
}

/// Its executions.
#[derive(Debug, Deserialize)]
pub(crate) struct ExecutionStats {
    pub(crate) running: u64,
    pub(crate) ended: Vec<Ended>,
    pub(crate) latency: Vec<OfKind>,
}

/// Executions of one kind that ended in one way.
#[derive(Debug, Deserialize)]
pub(crate) struct Ended {
    pub(crate) status: String,
    pub(crate) count: u64,
}

/// How long executions of one kind took.
#[derive(Debug, Deserialize)]
pub(crate) struct OfKind {
    pub(crate) kind: String,
    #[serde(flatten)]
    pub(crate) times: Times,
}

/// How times are distributed.
#[derive(Debug, Deserialize)]
pub(crate) struct Times {
    pub(crate) count: u64,
    pub(crate) mean_ms: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Requests to it.
#[derive(Debug, Deserialize)]
pub(crate) struct RequestStats {
    pub(crate) refused: BTreeMap<String, u64>,
    pub(crate) latency: Times,
    pub(crate) connections: u64,
    pub(crate) streams: u64,
}

/// Its database.
#[derive(Debug, Deserialize)]
pub(crate) struct StoreStats {
    pub(crate) file_bytes: u64,
    pub(crate) events: u64,
    pub(crate) event_bytes: u64,
    pub(crate) commits: Times,
    pub(crate) writes: u64,
}

/// Its process.
#[derive(Debug, Deserialize)]
pub(crate) struct ProcessStats {
    pub(crate) resident_bytes: u64,
    pub(crate) threads: u64,
    pub(crate) open_files: u64,
    pub(crate) cpu_seconds: f64,
}

/// What the removal of a capability answers.
#[derive(Debug, Deserialize)]
pub(crate) struct RemovedCapability {
    pub(crate) template_id: String,
    pub(crate) capability_id: String,
}

/// A module or library that a template was given, or has no longer.
#[derive(Debug, Deserialize)]
pub(crate) struct Given {
    pub(crate) template_id: String,
    pub(crate) name: String,
}

/// A native module that templates can be given.
#[derive(Debug, Deserialize)]
pub(crate) struct AvailableModule {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) functions: Vec<String>,
}

/// A library that templates can be given.
#[derive(Debug, Deserialize)]
pub(crate) struct AvailableLibrary {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) description: String,
    pub(crate) global: Option<String>,
    pub(crate) cached: bool,
}

/// A startup file of a template.
#[derive(Debug, Deserialize)]
pub(crate) struct StartupFile {
    pub(crate) id: String,
    pub(crate) template_id: String,
    pub(crate) path: String,
    pub(crate) order_index: i64,
    pub(crate) mode: String,
}

/// A session.
#[derive(Debug, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) template_id: String,
    pub(crate) workspace_id: String,
    pub(crate) base_commit_oid: String,
    pub(crate) worktree_path: String,
    pub(crate) status: String,
    pub(crate) created_at: String,
    pub(crate) closed_at: Option<String>,
    pub(crate) last_error: Option<String>,
    pub(crate) runtime_meta: Option<Box<RawValue>>,
}

/// What stands at a path of a worktree.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(crate) enum Files {
    Directory { entries: Vec<FileEntry>, more: u64 },
    File { text: String },
}

/// An entry of a directory.
#[derive(Debug, Deserialize)]
pub(crate) struct FileEntry {
    pub(crate) name: String,
    pub(crate) kind: String,
}

/// An execution.
#[derive(Debug, Deserialize)]
pub(crate) struct Execution {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) input: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) status: String,
    pub(crate) started_at: String,
    pub(crate) result: Option<Box<RawValue>>,
    pub(crate) error: Option<Box<RawValue>>,
    pub(crate) metrics: Option<Metrics>,
    #[serde(default)]
    pub(crate) events: Vec<Event>,
}

/// What an execution used.
#[derive(Debug, Deserialize)]
pub(crate) struct Metrics {
    pub(crate) wall_ms: u64,
}

/// One thing that happened in an execution.
#[derive(Debug, Deserialize)]
pub(crate) struct Event {
    #[serde(default)]
    pub(crate) execution_id: String,
    pub(crate) seq: u64,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) payload: Box<RawValue>,
}

/// The globals of a session.
#[derive(Debug, Deserialize)]
pub(crate) struct Globals {
    pub(crate) globals: Vec<Global>,
    pub(crate) more: u64,
}

/// A global of a session.
#[derive(Debug, Deserialize)]
pub(crate) struct Global {
    pub(crate) name: String,
    pub(crate) kind: String,
    #[serde(rename = "type")]
    pub(crate) value_type: Option<String>,
    pub(crate) preview: String,
    pub(crate) changed_by: Option<String>,
}

/// How a text may go on.
#[derive(Debug, Deserialize)]
pub(crate) struct Completions {
    pub(crate) from: u32,
    pub(crate) items: Vec<Completion>,
}

/// One way to go on.
#[derive(Debug, Deserialize)]
pub(crate) struct Completion {
    pub(crate) label: String,
    pub(crate) kind: String,
    pub(crate) detail: Option<String>,
}

/// Whether an input can be run as it is.
#[derive(Debug, Deserialize)]
pub(crate) struct InputCheck {
    pub(crate) complete: bool,
}

/// What was typed in a session.
#[derive(Debug, Deserialize)]
pub(crate) struct History {
    pub(crate) entries: Vec<HistoryEntry>,
}

/// One input.
#[derive(Debug, Deserialize)]
pub(crate) struct HistoryEntry {
    pub(crate) execution_id: String,
    pub(crate) input: String,
    pub(crate) started_at: String,
}

/// A document that is only shown.
pub(crate) type Document = Box<RawValue>;
