//! From how a job ended to what is recorded of it.

use super::{ErrorCode, ExecutionError, ExecutionStatus};
use crate::event::{Payload, SystemLevel};
use crate::isolation::protocol::{End, Outcome, Stop, Usage};
use crate::limits::Limits;
use crate::value::ResultValue;

/// How an end is recorded.
pub(super) struct Ending {
    pub(super) status: ExecutionStatus,
    pub(super) result: Option<ResultValue>,
    pub(super) error: Option<ExecutionError>,
    pub(super) last: Payload,
}

/// The one place where the way in which a job ended becomes a status, an error and a last event.
pub(super) fn ending(end: End, limits: &Limits, why_stopped: &str) -> Ending {
    match end {
        End::Value(value) => Ending {
            status: ExecutionStatus::Ok,
            result: Some(value.clone()),
            error: None,
            last: Payload::Value(value),
        },
        End::Exception(error) if error.code == Some(ErrorCode::WorkerDied) => {
            system(ExecutionStatus::Error, SystemLevel::Error, ErrorCode::WorkerDied, error.message)
        }
        End::Exception(error) => Ending {
            status: ExecutionStatus::Error,
            result: None,
            last: Payload::Exception {
                message: error.message.clone(),
                stack: error.stack.clone(),
                name: error.name.clone(),
            },
            error: Some(error),
        },
        End::Stopped(stop) => {
            let (status, level, code, message) = match stop {
                Stop::Wall => (
                    ExecutionStatus::Timeout,
                    SystemLevel::Error,
                    ErrorCode::Timeout,
                    format!("execution timed out: it ran for longer than wall_ms ({} ms)", limits.wall_ms),
                ),
                Stop::Cpu => (
                    ExecutionStatus::Timeout,
                    SystemLevel::Error,
                    ErrorCode::Timeout,
                    format!("execution timed out: it used more processor time than cpu_ms ({} ms)", limits.cpu_ms),
                ),
                Stop::Memory => (
                    ExecutionStatus::Error,
                    SystemLevel::Error,
                    ErrorCode::OutOfMemory,
                    format!("out of memory: the session's heap is limited to mem_mb ({} MiB)", limits.mem_mb),
                ),
                Stop::Events => (
                    ExecutionStatus::Error,
                    SystemLevel::Error,
                    ErrorCode::OutputLimitExceeded,
                    format!("output limit exceeded: more events than max_events ({})", limits.max_events),
                ),
                Stop::Output => (
                    ExecutionStatus::Error,
                    SystemLevel::Error,
                    ErrorCode::OutputLimitExceeded,
                    format!("output limit exceeded: more text than max_output_kb ({} KiB)", limits.max_output_kb),
                ),
                Stop::Requested => {
                    (ExecutionStatus::Cancelled, SystemLevel::Warn, ErrorCode::Cancelled, why_stopped.to_owned())
                }
            };
            system(status, level, code, message)
        }
    }
}

fn system(status: ExecutionStatus, level: SystemLevel, code: ErrorCode, message: String) -> Ending {
    Ending {
        status,
        result: None,
        error: Some(ExecutionError { message: message.clone(), stack: None, name: None, code: Some(code) }),
        last: Payload::System { level, message, code: Some(code.as_str().to_owned()) },
    }
}

/// The end of an execution whose realm is lost, or never got to run.
pub(crate) fn lost(message: impl Into<String>) -> Outcome {
    without_a_run(message.into(), Some(ErrorCode::WorkerDied))
}

/// The end of an execution whose code could not even be read.
pub(crate) fn never_ran(message: &str) -> Outcome {
    without_a_run(message.to_owned(), None)
}

fn without_a_run(message: String, code: Option<ErrorCode>) -> Outcome {
    let error = ExecutionError { message, stack: None, name: None, code };
    Outcome { end: End::Exception(error), data: None, usage: Usage::default() }
}
