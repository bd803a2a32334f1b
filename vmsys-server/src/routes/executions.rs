//! Executions and their events.

use std::time::Duration;

use serde::Deserialize;
use vmsys_core::{
    ErrorCode, Execution, ExecutionFilter, ExecutionId, JsonObject, RunFile, SessionId, Submission, VmSystem,
};

use super::{MOST, streams};
use crate::decode::id_field;
use crate::error::ApiError;
use crate::query::Query;
use crate::route::{Answer, Cost, Request, Route};

pub(super) fn routes() -> [Route<VmSystem>; 6] {
    [
        Route::get("/api/v1/executions", list).with_query(&["session_id", "limit", "before"]),
        Route::post("/api/v1/executions/repl", repl).with_body().with_key().costing(Cost::Long),
        Route::post("/api/v1/executions/run-file", run_file).with_body().with_key().costing(Cost::Long),
        Route::get("/api/v1/executions/{execution_id}", detail),
        Route::get("/api/v1/executions/{execution_id}/events", events).with_query(&["after_seq", "limit", "wait_ms"]),
        Route::post("/api/v1/executions/{execution_id}/cancel", cancel),
    ]
}

/// The most events that `limit` can ask for; without it there is no bound but the template's.
const MOST_EVENTS: u32 = 10_000;

/// The longest that `wait_ms` can ask for.
const MOST_WAIT_MS: u64 = 30_000;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunRepl {
    #[serde(deserialize_with = "id_field")]
    session_id: SessionId,
    input: String,
    #[serde(default)]
    detach: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RunFileOf {
    #[serde(deserialize_with = "id_field")]
    session_id: SessionId,
    path: String,
    #[serde(default)]
    args: JsonObject,
    #[serde(default)]
    env: JsonObject,
    #[serde(default)]
    detach: bool,
}

impl RunFileOf {
    fn into_core(self) -> (SessionId, RunFile) {
        let mut run = RunFile::new(self.path);
        run.args = self.args;
        run.env = self.env;
        (self.session_id, run)
    }
}

fn filter(query: &Query) -> Result<(SessionId, ExecutionFilter), ApiError> {
    let session = query.id("session_id")?.ok_or_else(|| ApiError::validation("session_id", "session_id is missing"))?;
    let mut filter = ExecutionFilter::default();
    filter.before = query.id("before")?;
    filter.limit = query.limit(MOST)?;
    Ok((session, filter))
}

fn list(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let (session, filter) = filter(&request.query)?;
    Answer::ok(&vm.executions(session, &filter)?)
}

fn repl(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let RunRepl { session_id, input, detach } = request.json()?;
    match (&request.given.key, detach) {
        (None, false) => ended(&vm.session(session_id)?.repl(input)?),
        _ => start(vm, request, session_id, Submission::repl(input), detach),
    }
}

fn run_file(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let body: RunFileOf = request.json()?;
    let detach = body.detach;
    let (session_id, run) = body.into_core();
    match (&request.given.key, detach) {
        (None, false) => ended(&vm.session(session_id)?.run_file(run)?),
        _ => start(vm, request, session_id, Submission::run_file(run), detach),
    }
}

/// Starts what is not waited for, or is done once whoever asks again.
fn start(
    vm: &VmSystem,
    request: &Request,
    session: SessionId,
    mut submission: Submission,
    detach: bool,
) -> Result<Answer, ApiError> {
    if let Some(key) = &request.given.key {
        submission = submission.key(key.clone());
    }
    if !detach {
        return ended(&vm.start(session, submission)?.wait()?);
    }
    let running = vm.start(session, submission.detached())?;
    Answer::accepted(running.started(), format!("/api/v1/executions/{}", running.id()))
}

/// Answers what has just been run. Whatever came of it is a result, but for one thing that the contract makes an
/// error of the request: more output than the template allows.
fn ended(execution: &Execution) -> Result<Answer, ApiError> {
    match &execution.error {
        Some(error) if error.code == Some(ErrorCode::OutputLimitExceeded) => {
            Err(ApiError::output_limit_exceeded(execution.id, error.message.as_str()))
        }
        _ => Answer::created(execution),
    }
}

fn detail(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    Answer::ok(&vm.execution(request.id("execution_id")?)?)
}

fn events(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let id: ExecutionId = request.id("execution_id")?;
    let (after, limit) = (request.query.count("after_seq")?, request.query.limit(MOST_EVENTS)?);
    let wait_ms = request.query.count("wait_ms")?;
    if wait_ms > MOST_WAIT_MS {
        return Err(ApiError::validation("wait_ms", format!("wait_ms must be a number from 0 to {MOST_WAIT_MS}")));
    }
    if wait_ms > 0 {
        return streams::awaited(vm, id, after, limit, Duration::from_millis(wait_ms));
    }
    Answer::ok(&vm.events(id, after, limit)?)
}

fn cancel(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    Answer::ok(&vm.cancel(request.id("execution_id")?)?)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::decode;

    const ID: &str = "01950000-0000-7000-8000-000000000000";

    fn execution(error: Value) -> Execution {
        serde_json::from_value(json!({
            "id": ID, "session_id": ID, "kind": "repl", "input": "1", "args": {}, "env": {}, "status": "error",
            "started_at": "2026-02-08T00:00:00.000Z", "error": error,
            "metrics": {"wall_ms": 0, "cpu_ms": 0, "memory_bytes": 0, "event_count": 0, "output_bytes": 0},
        }))
        .unwrap()
    }

    #[test]
    fn arguments_and_environment_are_objects_and_may_be_left_out() {
        let run = |rest: &str| {
            let body = format!(r#"{{"session_id":"{ID}","path":"a.js"{rest}}}"#);
            decode::object::<RunFileOf>(body.as_bytes()).map(|body| body.into_core().1)
        };
        assert_eq!(run("").unwrap(), RunFile::new("a.js"));
        assert_eq!(run(r#","args":{"n":1},"env":{"A":"b"}"#).unwrap(), RunFile::new("a.js").arg("n", 1).env("A", "b"));
        for (rest, field) in [(r#","args":[]"#, "args"), (r#","env":"A=b""#, "env"), (r#","args":null"#, "args")] {
            assert_eq!(run(rest).unwrap_err().detail("field"), Some(field));
        }
    }

    #[test]
    fn a_session_and_an_input_are_required() {
        for (body, field) in [
            (json!({"session_id": ID}), "input"),
            (json!({"input": "1"}), "session_id"),
            (json!({"input": 1, "session_id": ID}), "input"),
            (json!({"input": "1", "session_id": "x"}), "session_id"),
        ] {
            let error = decode::object::<RunRepl>(body.to_string().as_bytes()).unwrap_err();
            assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some(field)), "{body}");
        }
    }

    #[test]
    fn a_list_is_always_of_one_session() {
        let parse = |raw: &str| Query::parse(raw, &["session_id", "limit", "before"]).and_then(|query| filter(&query));
        let (session, filter) = parse(&format!("session_id={ID}&limit=2&before={ID}")).unwrap();
        assert_eq!((session.to_string().as_str(), filter.limit), (ID, Some(2)));
        assert_eq!(filter.before.unwrap().to_string(), ID);
        let error = parse("limit=2").unwrap_err();
        assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some("session_id")));
    }

    #[test]
    fn too_much_output_is_an_error_and_any_other_end_a_result() {
        let error = ended(&execution(json!({"message": "too much", "code": "OUTPUT_LIMIT_EXCEEDED"}))).unwrap_err();
        assert_eq!((error.status().as_u16(), error.code()), (422, "OUTPUT_LIMIT_EXCEEDED"));
        assert_eq!(error.detail("execution_id"), Some(ID));
        for error in [json!({"message": "Error: x"}), json!({"message": "x", "code": "TIMEOUT"}), Value::Null] {
            assert_eq!(ended(&execution(error)).unwrap().status.as_u16(), 201);
        }
    }
}
