//! Executions and their events.

use std::time::Duration;

use http::StatusCode;
use schemars::{JsonSchema, SchemaGenerator};
use serde::Deserialize;
use serde_json::json;
use vmsys_core::{
    ErrorCode, Event, Execution, ExecutionFilter, ExecutionId, JsonObject, RunFile, RunningExecution, SessionId,
    Submission, VmSystem,
};

use super::{EXECUTION, LIMIT, streams};
use crate::decode::id_field;
use crate::error::{ApiError, Code};
use crate::param::{Declared, Param};
use crate::query::Query;
use crate::reply::{Json, Outcome, Reply, Soon};
use crate::route::{Answer, Cost, Request, Route, Sent};

const SESSION: Param<SessionId> = Param::new("session_id", "The session that they ran in.").required();
const BEFORE: Param<ExecutionId> = Param::new("before", "Only executions older than this one: the last of a page.");
pub(super) const AFTER_SEQ: Param<u64> =
    Param::number("after_seq", 0, u64::MAX, "Only events after this one; 0 unless given, which is all of them.");
const LIMIT_OF_EVENTS: Param<u32> =
    Param::number("limit", 1, 10_000, "The most events to answer; unless given, all that there are.");
const WAIT_MS: Param<u64> = Param::number(
    "wait_ms",
    0,
    30_000,
    "How long to wait, in milliseconds, for the first new event or the end of the execution; 0 unless given.",
);

/// What a list can be asked for.
const FILTER: &[&dyn Declared] = &[&SESSION, &LIMIT, &BEFORE];

/// What an execution can be refused for, whatever it is to run.
const REFUSALS: &[Code] = &[
    Code::SessionNotFound,
    Code::SessionNotReady,
    Code::SessionBusy,
    Code::IdempotencyConflict,
    Code::OutputLimitExceeded,
];

pub(super) fn routes() -> [Route<VmSystem>; 6] {
    [
        Route::get("/api/v1/executions", list)
            .named("listExecutions", "Lists the executions of a session, newest first, without their events")
            .with_query(FILTER)
            .refusing(&[Code::SessionNotFound]),
        Route::post("/api/v1/executions/repl", repl)
            .named("runRepl", "Runs a snippet in a session")
            .saying(HOW_CODE_ENDS)
            .with_key()
            .refusing(REFUSALS)
            .costing(Cost::Long),
        Route::post("/api/v1/executions/run-file", run_file)
            .named("runFile", "Runs a file of a session's worktree")
            .saying(HOW_CODE_ENDS)
            .with_key()
            .refusing(&[
                Code::SessionNotFound,
                Code::SessionNotReady,
                Code::SessionBusy,
                Code::IdempotencyConflict,
                Code::OutputLimitExceeded,
                Code::FileNotFound,
                Code::InvalidPath,
            ])
            .costing(Cost::Long),
        Route::get("/api/v1/executions/{execution_id}", detail)
            .named("getExecution", "Reads an execution with its events, also while it runs")
            .refusing(&[Code::ExecutionNotFound]),
        Route::get("/api/v1/executions/{execution_id}/events", events)
            .named("listEvents", "Lists the events of an execution, also while it runs")
            .with_query(&[&AFTER_SEQ, &LIMIT_OF_EVENTS, &WAIT_MS])
            .refusing(&[Code::ExecutionNotFound]),
        Route::act("/api/v1/executions/{execution_id}/cancel", cancel)
            .named("cancelExecution", "Ends a running execution")
            .saying("It is answered as `cancelled`. The session lives on, with the state that the code had made.")
            .refusing(&[Code::ExecutionNotFound, Code::ExecutionNotRunning]),
    ]
}

const HOW_CODE_ENDS: &str = "Code that throws, is cancelled or runs out of time is no error of the request: it answers 201, \
    with what came of it, once that and all its events are stored. A client that goes away stops nothing.";

/// A snippet to be run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RunRepl {
    /// The session to run it in.
    #[serde(deserialize_with = "id_field")]
    session_id: SessionId,
    /// The snippet. What it declares at top level is there for later ones.
    #[schemars(example = &"const total = 40 + 2; total")]
    input: String,
    /// Whether to answer 202 as soon as it is stored that it runs.
    #[serde(default)]
    detach: bool,
}

/// A file to be run.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RunFile")]
struct RunFileOf {
    /// The session to run it in.
    #[serde(deserialize_with = "id_field")]
    session_id: SessionId,
    /// The path, relative to the worktree.
    #[schemars(example = &"build.js")]
    path: String,
    /// What the script sees as `__ARGS__`, for this run only.
    #[serde(default)]
    #[schemars(example = json!({"target": "web"}))]
    args: JsonObject,
    /// What the script sees as `__ENV__`, for this run only.
    #[serde(default)]
    env: JsonObject,
    /// Whether to answer 202 as soon as it is stored that it runs.
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

/// What came of a request to run code.
enum Ran {
    Ended(Box<Execution>),
    Started(RunningExecution),
}

impl Reply for Ran {
    fn answer(self) -> Result<Answer, ApiError> {
        match self {
            Self::Ended(execution) => Answer::created(&execution),
            Self::Started(running) => {
                Answer::accepted(running.started(), format!("/api/v1/executions/{}", running.id()))
            }
        }
    }

    fn outcomes(schemas: &mut SchemaGenerator) -> Vec<Outcome> {
        let ended = Outcome::json::<Execution>(StatusCode::CREATED, "It has ended, and is stored.", schemas);
        let about = "With `detach`: it is stored that it runs.";
        let started = Outcome::json::<Execution>(StatusCode::ACCEPTED, about, schemas);
        vec![ended, Outcome { has_location: true, ..started }]
    }
}

fn filter(query: &Query) -> Result<(SessionId, ExecutionFilter), ApiError> {
    let session = query.need(&SESSION)?;
    let mut filter = ExecutionFilter::default();
    filter.before = query.get(&BEFORE)?;
    filter.limit = query.get(&LIMIT)?;
    Ok((session, filter))
}

fn list(vm: &VmSystem, request: &Request) -> Result<Json<Vec<Execution>>, ApiError> {
    let (session, filter) = filter(&request.query)?;
    Ok(Json(vm.executions(session, &filter)?))
}

fn repl(vm: &VmSystem, request: &Request, body: Sent<RunRepl>) -> Result<Ran, ApiError> {
    let RunRepl { session_id, input, detach } = body.read()?;
    match (&request.given.key, detach) {
        (None, false) => ended(vm.session(session_id)?.repl(input)?),
        _ => start(vm, request, session_id, Submission::repl(input), detach),
    }
}

fn run_file(vm: &VmSystem, request: &Request, body: Sent<RunFileOf>) -> Result<Ran, ApiError> {
    let body = body.read()?;
    let detach = body.detach;
    let (session_id, run) = body.into_core();
    match (&request.given.key, detach) {
        (None, false) => ended(vm.session(session_id)?.run_file(run)?),
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
) -> Result<Ran, ApiError> {
    if let Some(key) = &request.given.key {
        submission = submission.key(key.clone());
    }
    if !detach {
        return ended(vm.start(session, submission)?.wait()?);
    }
    Ok(Ran::Started(vm.start(session, submission.detached())?))
}

/// Answers what has just been run. Whatever came of it is a result, but for one thing that the contract makes an
/// error of the request: more output than the template allows.
fn ended(execution: Execution) -> Result<Ran, ApiError> {
    match &execution.error {
        Some(error) if error.code == Some(ErrorCode::OutputLimitExceeded) => {
            Err(ApiError::output_limit_exceeded(execution.id, error.message.as_str()))
        }
        _ => Ok(Ran::Ended(Box::new(execution))),
    }
}

fn detail(vm: &VmSystem, request: &Request) -> Result<Json<Execution>, ApiError> {
    Ok(Json(vm.execution(request.path(&EXECUTION)?)?))
}

fn events(vm: &VmSystem, request: &Request) -> Result<Soon<Vec<Event>>, ApiError> {
    let id = request.path(&EXECUTION)?;
    let (after, limit) = (request.query.get(&AFTER_SEQ)?.unwrap_or(0), request.query.get(&LIMIT_OF_EVENTS)?);
    match request.query.get(&WAIT_MS)? {
        None | Some(0) => Ok(Soon::Now(vm.events(id, after, limit)?)),
        Some(wait_ms) => streams::awaited(vm, id, after, limit, Duration::from_millis(wait_ms)),
    }
}

fn cancel(vm: &VmSystem, request: &Request) -> Result<Json<Execution>, ApiError> {
    Ok(Json(vm.cancel(request.path(&EXECUTION)?)?))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

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
        let parse = |raw: &str| Query::parse(raw, FILTER).and_then(|query| filter(&query));
        let (session, filter) = parse(&format!("session_id={ID}&limit=2&before={ID}")).unwrap();
        assert_eq!((session.to_string().as_str(), filter.limit), (ID, Some(2)));
        assert_eq!(filter.before.unwrap().to_string(), ID);
        let error = parse("limit=2").unwrap_err();
        assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some("session_id")));
    }

    #[test]
    fn too_much_output_is_an_error_and_any_other_end_a_result() {
        let too_much = execution(json!({"message": "too much", "code": "OUTPUT_LIMIT_EXCEEDED"}));
        let error = ended(too_much).map(|_| ()).unwrap_err();
        assert_eq!((error.status().as_u16(), error.code()), (422, "OUTPUT_LIMIT_EXCEEDED"));
        assert_eq!(error.detail("execution_id"), Some(ID));
        for error in [json!({"message": "Error: x"}), json!({"message": "x", "code": "TIMEOUT"}), Value::Null] {
            assert_eq!(ended(execution(error)).and_then(Reply::answer).unwrap().status.as_u16(), 201);
        }
    }
}
