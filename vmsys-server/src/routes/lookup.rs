//! What a console asks of a session: its globals, how a text may go on, whether an input is whole, what was typed before.

use schemars::JsonSchema;
use serde::Deserialize;
use vmsys_core::{Completions, ExecutionId, Globals, History, HistoryFilter, InputCheck, VmSystem};

use super::{LIMIT, SESSION};
use crate::decode::given_field;
use crate::error::{ApiError, Code};
use crate::param::{Declared, Param};
use crate::query::Query;
use crate::reply::Json;
use crate::route::{Request, Route, Sent};

const BUILTINS: Param<bool> =
    Param::new("builtins", "Whether the built-in globals are listed, too; `false` unless given.");
const BEFORE: Param<ExecutionId> =
    Param::new("before", "Only inputs of executions older than this one: the last of a page.");

/// What a history can be asked for.
const FILTER: &[&dyn Declared] = &[&LIMIT, &BEFORE];

/// Why a session cannot be asked.
const REFUSALS: &[Code] = &[Code::SessionNotFound, Code::SessionNotReady, Code::SessionBusy];

pub(super) fn routes() -> [Route<VmSystem>; 4] {
    [
        Route::get("/api/v1/sessions/{session_id}/globals", globals)
            .named("listGlobals", "Lists what a session's code has declared or set, with previews")
            .saying("No code runs for it: getters are not called. It is no execution, and not recorded.")
            .with_query(&[&BUILTINS])
            .refusing(REFUSALS),
        Route::post("/api/v1/sessions/{session_id}/completions", completions)
            .named("completeInput", "Tells how a text may go on at a cursor")
            .saying(
                "Global names are completed, words of the language, and properties of values that can be reached by names \
                 alone. No code runs for it: what only a call or a getter would tell is not told.",
            )
            .refusing(REFUSALS),
        Route::post("/api/v1/sessions/{session_id}/check", check)
            .named("checkInput", "Tells whether an input can be run as it is, or more lines could make it valid")
            .saying("Only a parser looks at it, so that the session may be busy.")
            .refusing(&[Code::SessionNotFound, Code::SessionNotReady]),
        Route::get("/api/v1/sessions/{session_id}/history", history)
            .named("listHistory", "Lists the snippets that were run in a session, newest first")
            .saying("Also of a session that has ended. Long inputs may make a page shorter than `limit`.")
            .with_query(FILTER)
            .refusing(&[Code::SessionNotFound]),
    ]
}

/// A text with a cursor in it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CompleteInput {
    /// The text.
    #[schemars(example = &"console.lo")]
    source: String,
    /// Where the cursor stands, in UTF-16 units: at the end unless given.
    #[serde(default, deserialize_with = "given_field")]
    #[schemars(with = "u32")]
    cursor: Option<u32>,
}

/// An input to be checked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CheckInput {
    /// The input.
    #[schemars(example = &"function twice(n) {")]
    source: String,
}

fn globals(vm: &VmSystem, request: &Request) -> Result<Json<Globals>, ApiError> {
    let builtins = request.query.get(&BUILTINS)?.unwrap_or_default();
    Ok(Json(vm.session(request.path(&SESSION)?)?.globals(builtins)?))
}

fn completions(vm: &VmSystem, request: &Request, body: Sent<CompleteInput>) -> Result<Json<Completions>, ApiError> {
    let session = request.path(&SESSION)?;
    let CompleteInput { source, cursor } = body.read()?;
    Ok(Json(vm.session(session)?.complete(&source, cursor)?))
}

fn check(vm: &VmSystem, request: &Request, body: Sent<CheckInput>) -> Result<Json<InputCheck>, ApiError> {
    let session = request.path(&SESSION)?;
    let CheckInput { source } = body.read()?;
    Ok(Json(vm.session(session)?.check(&source)?))
}

fn filter(query: &Query) -> Result<HistoryFilter, ApiError> {
    let mut filter = HistoryFilter::default();
    filter.before = query.get(&BEFORE)?;
    filter.limit = query.get(&LIMIT)?;
    Ok(filter)
}

fn history(vm: &VmSystem, request: &Request) -> Result<Json<History>, ApiError> {
    let filter = filter(&request.query)?;
    Ok(Json(vm.session(request.path(&SESSION)?)?.history(&filter)?))
}
