//! From a request to a stored execution: builds the job, hands it to the realm's thread, records its end.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{ExecutionHost, ExecutionKind, JsonObject, LiveExecution, Request, lost};
use crate::error::{Error, ErrorKind, Result};
use crate::isolation::home::{After, Task};
use crate::isolation::protocol::{Act, End, Goal, Imports, Job, JobLimits, Outcome, PROGRAM, ProcessView, Realm, Stop};
use crate::limits::Limits;
use crate::modules::Surroundings as _;
use crate::modules::loader::{self, Format};
use crate::session::LiveSession;
use crate::store::Store;
use crate::typescript;
use crate::value::JsonText;
use crate::worktree::WorktreePath;

/// What snippets are called in stacks.
const SNIPPET: &str = "repl";

/// Tells what has to be told once an execution is stored, or could not be, before anybody who waits for it is woken.
/// It answers how the session's thread is to wait for more.
pub(crate) type OnEnd = Box<dyn FnOnce(&LiveExecution, &Result<Arc<super::Execution>>) -> After + Send>;

/// How an execution is to be run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// While the caller goes on.
    Aside,
    /// While the caller waits. `alone` says that nothing else runs, so that all who wait for each other may stay awake.
    Awaited { alone: bool },
}

/// Hands an execution that has begun to its session's realm. It ends there, whoever still waits for it.
///
/// False says that the realm is gone: the execution will not end by itself.
pub(crate) fn submit(
    session: &Arc<LiveSession>,
    live: &Arc<LiveExecution>,
    source: String,
    manner: Manner,
    store: &Store,
    on_end: OnEnd,
) -> bool {
    let job = job(session, live, source, manner == Manner::Awaited { alone: true });
    // A part of whatever the caller is doing, though on another thread: its ids are in all that is logged there.
    let span = tracing::info_span!("execution", session_id = %session.id, execution_id = %live.id);
    let task: Task = {
        let (session, live, store) = (session.clone(), live.clone(), store.clone());
        Box::new(move |realm: &mut dyn Realm| span.in_scope(|| run(realm, &session, &live, job, &store, on_end)))
    };
    match manner {
        Manner::Aside => session.submit(task),
        Manner::Awaited { .. } => session.perform(task),
    }
}

fn run(
    realm: &mut dyn Realm,
    session: &LiveSession,
    live: &Arc<LiveExecution>,
    job: Job,
    store: &Store,
    on_end: OnEnd,
) -> After {
    live.begin_on_thread(realm.cpu_time());
    let host = Rc::new(RefCell::new(ExecutionHost::new(live.clone(), session.modules.clone())));
    let outcome = catch_unwind(AssertUnwindSafe(|| realm.run(job, host)));
    if !live.claim_end() {
        return After::Sleep;
    }
    let clean = outcome.is_ok() && catch_unwind(AssertUnwindSafe(|| realm.clean_up())).unwrap_or(false);
    let given_up = live.given_up();
    let outcome = match (given_up, outcome) {
        (Some((end, _)), _) => end.clone(),
        (None, Ok(outcome)) => judged(outcome, live),
        (None, Err(_)) => lost("internal error: the runtime failed"),
    };
    let left = "an execution left more behind, in its queue or on the heap, than could be thrown away";
    let crashes = match given_up {
        Some((_, why)) => Some(*why),
        None if clean => None,
        None => Some(realm.lost().unwrap_or(left)),
    };
    let stuck = given_up.is_some();
    // Nobody waits for ever for an execution whose end went wrong, nor for its session.
    let ended = catch_unwind(AssertUnwindSafe(|| match crashes {
        Some(why) => session.crash_with(live, outcome, why, stuck, store),
        None => live.finish(outcome, store),
    }))
    .unwrap_or_else(|_| Err(Error::internal("internal error at the end of an execution", "a panic")));
    if let Ok(execution) = &ended {
        tracing::debug!(status = %execution.status, wall_ms = execution.metrics.wall_ms, "execution ended");
    }
    match crashes {
        // Nothing more, unless that was what panicked.
        Some(why) => session.crash(why, stuck, store),
        None => session.end(),
    }
    let after = on_end(live, &ended);
    publish(live, ended);
    after
}

/// What is called off at the end of an execution fails, and the script may end with that error before it is stopped itself:
/// that it was to end is why it did.
fn judged(outcome: Outcome, live: &LiveExecution) -> Outcome {
    if !matches!(&outcome.end, End::Exception(error) if error.code.is_none()) {
        return outcome;
    }
    let past_wall = || live.time_left().is_zero().then_some(Stop::Wall);
    match live.stop_reason().or_else(past_wall) {
        Some(stop) => Outcome { end: End::Stopped(stop), data: None, ..outcome },
        None => outcome,
    }
}

/// Wakes whoever waits for an execution that has been finished.
pub(crate) fn publish(live: &LiveExecution, ended: Result<Arc<super::Execution>>) {
    live.publish(ended.map_err(|error| {
        tracing::error!(execution_id = %live.id, ?error, "the end of an execution could not be stored");
        let why = match error.kind() {
            ErrorKind::StoreUnavailable | ErrorKind::ShuttingDown => error.message(),
            _ => "the database failed",
        };
        let message = format!(
            "the code has run, but how it ended is not stored yet; that is tried again, and can then be read by its id: \
             {why}"
        );
        Error::new(error.kind(), message).with("execution_id", live.id).because(error)
    }));
}

fn job(session: &LiveSession, live: &LiveExecution, source: String, alone: bool) -> Job {
    let request = live.request();
    let (goal, typescript, imports) = match &request.path {
        Some(path) => {
            let (goal, imports) = goal(session, request, path);
            (goal, typescript::is_typescript(path), imports)
        }
        // Names have no types.
        None if request.act != Act::Run => (Goal::Script, false, Imports::Refused),
        None => (Goal::Script, session.settings.runtime.typescript, Imports::Awaited),
    };
    let name = request.path.clone().unwrap_or_else(|| SNIPPET.to_owned());
    Job {
        source,
        act: request.act.clone(),
        wants_data: request.wants_data,
        goal,
        typescript,
        imports,
        process: process_view(request),
        name,
        limits: job_limits(live.limits()),
        clock_ms: live.started_at().as_millis(),
        alone,
    }
}

/// What a file is by its name, its package and its template.
fn goal(session: &LiveSession, request: &Request, path: &str) -> (Goal, Imports) {
    if request.imported {
        return (Goal::Import, Imports::Refused);
    }
    let Ok(path) = WorktreePath::parse(path) else { return (Goal::Script, Imports::Refused) };
    match loader::format_of(&session.worktree, &path, session.settings.runtime.esm) {
        Format::Module => (Goal::Module, Imports::Refused),
        Format::Unknown if request.kind == ExecutionKind::RunFile => (Goal::Script, Imports::Explained),
        Format::CommonJs | Format::Json | Format::Empty | Format::BuiltIn | Format::Unknown => {
            (Goal::Script, Imports::Refused)
        }
    }
}

pub(crate) fn job_limits(limits: &Limits) -> JobLimits {
    JobLimits {
        cpu: Duration::from_millis(limits.cpu_ms),
        wall: Duration::from_millis(limits.wall_ms),
        memory_bytes: usize::try_from(limits.mem_mb << 20).unwrap_or(usize::MAX / 2),
        output_bytes: usize::try_from(limits.max_output_kb << 10).unwrap_or(usize::MAX / 2),
        events: limits.max_events,
    }
}

/// What the run of a file sees of its command line; nothing else sees any.
fn process_view(request: &Request) -> Option<ProcessView> {
    if request.kind != ExecutionKind::RunFile {
        return None;
    }
    let path = request.path.clone().unwrap_or_default();
    let env: JsonObject = request.env.iter().map(|(name, value)| (name.clone(), plain_text(value).into())).collect();
    let document = |value: Value| JsonText::trusted(value.to_string());
    Some(ProcessView {
        args: document(Value::Object(request.args.clone())),
        env: document(Value::Object(request.env.clone())),
        process_argv: document(argv(&path, &request.args).into()),
        process_env: document(Value::Object(env)),
    })
}

/// `args` as a command line: `{"0": "a", "1": "b"}` are positional, `{"target": "web"}` is `--target=web`, and
/// `{"fast": true}` is `--fast`.
fn argv(path: &str, args: &JsonObject) -> Vec<String> {
    let positional = (0..).map_while(|place: usize| args.get(&place.to_string())).map(plain_text);
    let count = positional.clone().count();
    let is_positional =
        |name: &str| name.parse::<usize>().is_ok_and(|place| place < count && place.to_string() == name);
    let named = args.iter().filter(|(name, _)| !is_positional(name)).map(|(name, value)| match value {
        Value::Bool(true) => format!("--{name}"),
        other => format!("--{name}={}", plain_text(other)),
    });
    [PROGRAM.to_owned(), path.to_owned()].into_iter().chain(positional).chain(named).collect()
}

fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::execution::{ErrorCode, ExecutionError};
    use crate::isolation::protocol::Usage;
    use crate::modules::testing;

    #[test]
    fn an_error_of_what_was_called_off_is_the_reason_for_that() {
        let thrown = |code| {
            let error = ExecutionError { message: "Error: called off".to_owned(), stack: None, name: None, code };
            Outcome { end: End::Exception(error), data: None, usage: Usage::default() }
        };
        let stopped = |live: &LiveExecution, code| match judged(thrown(code), live).end {
            End::Stopped(stop) => Some(stop),
            _ => None,
        };
        let live = testing::execution(Limits::default());
        assert_eq!(stopped(&live, None), None);
        live.request_stop("enough");
        assert_eq!(stopped(&live, None), Some(Stop::Requested));
        // What only we know was not caused by that.
        assert_eq!(stopped(&live, Some(ErrorCode::WorkerDied)), None);
        let live = testing::execution(Limits { wall_ms: 1, ..Limits::default() });
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(stopped(&live, None), Some(Stop::Wall));
    }

    #[test]
    fn arguments_become_a_command_line() {
        let args = json!({"0": "in.txt", "1": 7, "target": "web", "fast": true, "n": 3, "5": "far", "01": "x"});
        let Value::Object(args) = args else { panic!("an object") };
        let expected = ["vm-system", "a/b.js", "in.txt", "7", "--target=web", "--fast", "--n=3", "--5=far", "--01=x"];
        assert_eq!(argv("a/b.js", &args), expected);
    }
}
