//! What tests of modules have around them: a session with a worktree, and executions of it.

use std::path::Path;
use std::sync::Arc;

use super::{CallContext, Module, ModuleInstance, ProtectedFiles, SessionContext, SessionFiles};
use crate::event::Payload;
use crate::execution::{JsonObject, LiveExecution, Request};
use crate::ids::{SessionId, TemplateId};
use crate::limits::Limits;
use crate::worktree::Worktree;

/// A session that may use all of a directory.
pub(crate) fn session(directory: &Path) -> SessionContext {
    session_with(directory, &["."], &["."], ProtectedFiles::default())
}

/// A session that may use parts of a directory.
pub(crate) fn session_with(
    directory: &Path,
    read: &[&str],
    write: &[&str],
    protected: ProtectedFiles,
) -> SessionContext {
    let worktree = Worktree::open(directory).unwrap();
    let owned = |list: &[&str]| list.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    let files = SessionFiles::new(worktree, directory, &owned(read), &owned(write), protected);
    SessionContext {
        session_id: SessionId::new(),
        template_id: TemplateId::new(),
        worktree_path: directory.to_owned(),
        files,
        network: false,
        limits: Limits::default(),
        data: Default::default(),
    }
}

/// A module's configuration.
pub(crate) fn config(json: serde_json::Value) -> JsonObject {
    match json {
        serde_json::Value::Object(config) => config,
        other => panic!("no object: {other}"),
    }
}

/// Opens a module.
pub(crate) fn open(module: &dyn Module, session: &SessionContext, json: serde_json::Value) -> Box<dyn ModuleInstance> {
    let config = config(json);
    module.check_config(&config).unwrap();
    module.open(session, &config).unwrap()
}

/// An execution that has begun on this thread.
pub(crate) fn execution(limits: Limits) -> Arc<LiveExecution> {
    let request = Request::repl(String::new());
    let live = LiveExecution::begin(SessionId::new(), request, limits, std::sync::Arc::default());
    live.begin_on_thread(crate::isolation::os_thread::current_cpu_time());
    live
}

/// What a call of that execution is given.
pub(crate) fn context(live: &Arc<LiveExecution>) -> CallContext {
    CallContext::new(live.clone())
}

/// The raw output of an execution so far, by stream and piece.
pub(crate) fn output(live: &LiveExecution) -> Vec<(&'static str, String)> {
    let events = live.events(0, usize::MAX);
    let texts = events.into_iter().filter_map(|event| match event.payload {
        Payload::Stdout { text } => Some(("stdout", text)),
        Payload::Stderr { text } => Some(("stderr", text)),
        _ => None,
    });
    texts.collect()
}
