//! Executions: one snippet or one file, run once, with every event that it produced.

mod ending;
mod host;
mod live;
mod request;
mod run;

use serde::{Deserialize, Serialize};

pub(crate) use self::ending::{lost, never_ran};
pub(crate) use self::host::ExecutionHost;
pub(crate) use self::live::{LiveExecution, Progress};
pub(crate) use self::request::Request;
pub(crate) use self::run::{Manner, job_limits, publish, submit};

use crate::event::Event;
use crate::ids::{ExecutionId, SessionId};
use crate::time::Timestamp;
use crate::value::ResultValue;

/// A JSON object: names and values.
pub type JsonObject = serde_json::Map<String, serde_json::Value>;

/// One run of a snippet or file, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Execution {
    /// The id.
    pub id: ExecutionId,
    /// The session that it ran in.
    pub session_id: SessionId,
    /// What was run.
    pub kind: ExecutionKind,
    /// The snippet, of a `repl`; the function's name, of a `call`; the global's, of a `set_global`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The path, of a `run_file` or `startup`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// What the script saw as `__ARGS__`; of a `call`, its arguments by place, as `{"0": ...}`; of a `set_global`, its
    /// `value`. Of the latter two, what JSON has not is an object with one key: `{"$bigint": "7"}`, `{"$bytes": "AQI="}`,
    /// `{"$number": "NaN"}`, and `{"$object": ...}` around an object that would look like one of these.
    pub args: JsonObject,
    /// What the script saw as `__ENV__`.
    pub env: JsonObject,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// Its value, of one that ended `ok`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ResultValue>,
    /// Why it ended otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ExecutionError>,
    /// What it used.
    pub metrics: Metrics,
    /// What it did; empty in lists.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Event>,
}

/// What was run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExecutionKind {
    /// A snippet.
    Repl,
    /// A file of the worktree.
    RunFile,
    /// A startup file, while the session was being created.
    Startup,
    /// A function of the session's that the program called.
    Call,
    /// A global of the session's that the program gave a value.
    SetGlobal,
}

impl ExecutionKind {
    /// Returns the word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repl => "repl",
            Self::RunFile => "run_file",
            Self::Startup => "startup",
            Self::Call => "call",
            Self::SetGlobal => "set_global",
        }
    }
}

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum ExecutionStatus {
    /// It has not ended.
    Running,
    /// It ended with a value.
    Ok,
    /// It threw, or passed a limit other than time.
    Error,
    /// It passed `cpu_ms` or `wall_ms`.
    Timeout,
    /// It was cancelled.
    Cancelled,
}

impl ExecutionStatus {
    /// Returns the word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Timeout => "timeout",
            Self::Cancelled => "cancelled",
        }
    }
}

impl std::fmt::Display for ExecutionStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// Why an execution did not end with a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct ExecutionError {
    /// The error's name and message, as in `ReferenceError: x is not defined`.
    pub message: String,
    /// The calls that led there, with the file, line and column of each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// The error's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The reason, where it is one of ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<ErrorCode>,
}

/// What the API's document says of [`ErrorCode`], without what is Rust's.
#[cfg(feature = "schema")]
const ERROR_CODES: &str = "Reasons for an execution's end that vm-system itself knows.";

/// Reasons for an execution's end that vm-system itself knows.
///
/// They are the [`code`](ExecutionError::code) of an execution's error, and that of an
/// [`EvalError`](crate::EvalError::code), which is [`Stopped`](crate::EvalError::Stopped). It is
/// [`Thrown`](crate::EvalError::Thrown) where code could have caught it: with [`StackOverflow`](Self::StackOverflow), and
/// with the [`OutOfMemory`](Self::OutOfMemory) of one text that is too long. These two are known by the engine's words, which
/// a script can throw, too. Whatever else is thrown has no code, nor has code that does not compile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "schema", schemars(rename = "ExecutionErrorCode", description = ERROR_CODES))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[non_exhaustive]
pub enum ErrorCode {
    /// It passed `cpu_ms` or `wall_ms`.
    Timeout,
    /// It was cancelled.
    Cancelled,
    /// It passed `mem_mb`.
    OutOfMemory,
    /// It recursed too deep.
    StackOverflow,
    /// It passed `max_events` or `max_output_kb`.
    OutputLimitExceeded,
    /// Its runtime was lost while it ran.
    WorkerDied,
    /// It awaited a promise that nothing could ever settle.
    Unsettled,
}

impl ErrorCode {
    /// Returns the word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timeout => "TIMEOUT",
            Self::Cancelled => "CANCELLED",
            Self::OutOfMemory => "OUT_OF_MEMORY",
            Self::StackOverflow => "STACK_OVERFLOW",
            Self::OutputLimitExceeded => "OUTPUT_LIMIT_EXCEEDED",
            Self::WorkerDied => "WORKER_DIED",
            Self::Unsettled => "UNSETTLED",
        }
    }
}

/// What an execution used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Metrics {
    /// Elapsed time in milliseconds.
    pub wall_ms: u64,
    /// Processor time in milliseconds.
    pub cpu_ms: u64,
    /// Heap of the session when it ended.
    pub memory_bytes: u64,
    /// How many events there are.
    pub event_count: u64,
    /// Text of all events in bytes.
    pub output_bytes: u64,
}

/// A file of the worktree to be run.
///
/// ```
/// let run = vmsys_core::RunFile::new("build.js").arg("target", "web").env("LANG", "en");
/// assert_eq!(run.args["target"], "web");
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunFile {
    /// The path, relative to the worktree.
    pub path: String,
    /// What the script sees as `__ARGS__`, for this run only.
    pub args: JsonObject,
    /// What the script sees as `__ENV__`, for this run only.
    pub env: JsonObject,
}

impl RunFile {
    /// This file, with neither arguments nor environment.
    pub fn new(path: impl Into<String>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    /// The same with one more argument.
    pub fn arg(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        self.args.insert(name.into(), value.into());
        self
    }

    /// The same with one more variable of the environment.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<serde_json::Value>) -> Self {
        self.env.insert(name.into(), value.into());
        self
    }
}

/// Which executions of a session to list: newest first.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct ExecutionFilter {
    /// Only those older than this one.
    pub before: Option<ExecutionId>,
    /// At most so many; 50 unless told.
    pub limit: Option<u32>,
}
