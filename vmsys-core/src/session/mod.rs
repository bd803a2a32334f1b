//! Sessions: live runtimes whose state lasts from one execution to the next.

mod extras;
mod live;
mod looks;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub(crate) use self::extras::{ConsoleSink, SessionData};
pub(crate) use self::live::LiveSession;
pub(crate) use self::looks::Ended;
use self::looks::Looks;
use crate::error::{Error, ErrorKind, Result};
use crate::event::Event;
use crate::ids::{SessionId, TemplateId};
use crate::time::Timestamp;

/// A session as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct SessionRecord {
    /// The id.
    pub id: SessionId,
    /// The template that it was made from; it may be gone since.
    pub template_id: TemplateId,
    /// The caller's name for the workspace.
    pub workspace_id: String,
    /// The caller's name for the state of the worktree.
    pub base_commit_oid: String,
    /// The directory whose files its code may run.
    pub worktree_path: PathBuf,
    /// Where it stands.
    pub status: SessionStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed_at: Option<Timestamp>,
    /// Why it crashed, or was closed by something else than a caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Facts about its runtime: `engine`, `isolation`, and the names of what it was given: `modules`, `libraries`.
    pub runtime_meta: serde_json::Map<String, serde_json::Value>,
}

/// What a session did last, as far as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionActivity {
    /// The session.
    pub session_id: SessionId,
    /// When its last execution ended, or began if it still runs.
    pub last_activity_at: Timestamp,
    /// The memory that its code used when that execution ended.
    pub memory_bytes: u64,
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum SessionStatus {
    /// Its runtime is being made and its startup files run.
    Starting,
    /// It takes executions.
    Ready,
    /// Its startup failed, or its runtime was lost.
    Crashed,
    /// It was closed.
    Closed,
}

impl SessionStatus {
    /// Returns the word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Crashed => "crashed",
            Self::Closed => "closed",
        }
    }
}

impl std::fmt::Display for SessionStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for SessionStatus {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        [Self::Starting, Self::Ready, Self::Crashed, Self::Closed]
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| {
                Error::validation("status", format!("status must be starting, ready, crashed or closed, not {text:?}"))
            })
    }
}

/// A session to be created.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewSession {
    /// The template to make it from.
    pub template_id: TemplateId,
    /// The caller's name for the workspace: 1 to 200 characters.
    pub workspace_id: String,
    /// The caller's name for the state of the worktree: 1 to 200 characters.
    pub base_commit_oid: String,
    /// An absolute path of a directory that exists. Without any grant, code can load whatever lies below it with `require` and
    /// `import`, so that it is to be a directory of the session's own, and an empty one for code that needs no files: neither a
    /// home directory nor the system's temporary one.
    pub worktree_path: PathBuf,
    pub(crate) data: SessionData,
    pub(crate) console: Option<ConsoleSink>,
}

impl NewSession {
    /// A session of this template over this directory ([`worktree_path`](Self::worktree_path)), for the workspace `default` at
    /// commit `HEAD`.
    pub fn new(template_id: TemplateId, worktree_path: impl Into<PathBuf>) -> Self {
        Self {
            template_id,
            workspace_id: "default".to_owned(),
            base_commit_oid: "HEAD".to_owned(),
            worktree_path: worktree_path.into(),
            data: SessionData::default(),
            console: None,
        }
    }

    /// The same with something of the program's own, one of each type, for the program's functions to find: see
    /// [`Call::data`](crate::Call::data) and [`SessionContext::data`](crate::SessionContext::data). It is
    /// dropped when no module of the session has it any more, at the latest with the session.
    ///
    /// ```
    /// use vmsys_core::{Call, Config, HostModule, NewSession, NewTemplate, VmSystem};
    ///
    /// struct User(String);
    ///
    /// let mut config = Config::default();
    /// config.host_module(HostModule::new("me", "Who is asking").function("name", |call: &Call, (): ()| {
    ///     Ok(call.data::<User>().map(|user| user.0.clone()))
    /// }));
    /// let vm = VmSystem::with_config(config)?;
    /// let template = vm.create_template(NewTemplate::named("t"))?;
    /// vm.add_module(template.id, "me")?;
    /// let new = NewSession::new(template.id, std::env::temp_dir()).with_data(User("ada".to_owned()));
    /// let session = vm.create_session(new)?;
    /// assert_eq!(session.eval::<String>("require('me').name()")?, "ada");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with_data<T: Send + Sync + 'static>(mut self, data: T) -> Self {
        self.data.insert(data);
        self
    }

    /// The same with somebody who hears what is printed as it comes: console output, and raw output of `process` and of
    /// modules, also that of startup files. It is recorded all the same.
    ///
    /// The function is called on the thread that the code waits on, so that what takes long there counts as the code's time;
    /// a panic in it is caught, and logged. What it does *not* hear: results and exceptions, which come with the execution.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use vmsys_core::{NewSession, NewTemplate, Payload, VmSystem};
    ///
    /// let vm = VmSystem::in_memory()?;
    /// let template = vm.create_template(NewTemplate::named("t"))?;
    /// let heard = Arc::new(Mutex::new(Vec::new()));
    /// let sink = heard.clone();
    /// let new = NewSession::new(template.id, std::env::temp_dir()).on_console(move |event| {
    ///     if let (Payload::Console { text, .. }, Ok(mut lines)) = (&event.payload, sink.lock()) {
    ///         lines.push(text.clone());
    ///     }
    /// });
    /// vm.create_session(new)?.repl("console.log('one'); console.log('two')")?;
    /// assert_eq!(*heard.lock().unwrap(), ["one", "two"]);
    /// # Ok::<(), vmsys_core::Error>(())
    /// ```
    pub fn on_console(mut self, hear: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        self.console = Some(ConsoleSink::new(hear));
        self
    }

    /// The same for another workspace.
    pub fn workspace(mut self, workspace_id: impl Into<String>) -> Self {
        self.workspace_id = workspace_id.into();
        self
    }

    /// The same at another commit.
    pub fn base_commit(mut self, base_commit_oid: impl Into<String>) -> Self {
        self.base_commit_oid = base_commit_oid.into();
        self
    }

    pub(crate) fn validate(&self) -> Result<()> {
        for (field, text) in [("workspace_id", &self.workspace_id), ("base_commit_oid", &self.base_commit_oid)] {
            if text.trim().is_empty() {
                return Err(Error::validation(field, format!("{field} must not be empty")));
            }
            if text.chars().count() > 200 || text.chars().any(char::is_control) {
                return Err(Error::validation(
                    field,
                    format!("{field} must be at most 200 characters without control characters"),
                ));
            }
        }
        if self.worktree_path.to_str().is_none() {
            return Err(Error::validation("worktree_path", "worktree_path must be UTF-8 text"));
        }
        if self.worktree_path.as_os_str().is_empty() {
            return Err(Error::validation("worktree_path", "worktree_path must not be empty"));
        }
        Ok(())
    }
}

/// Which sessions to list: newest first.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct SessionFilter {
    /// Only these.
    pub status: Option<SessionStatus>,
    /// Only those of this template.
    pub template_id: Option<TemplateId>,
    /// Only those older than this one.
    pub before: Option<SessionId>,
    /// At most so many; 50 unless told.
    pub limit: Option<u32>,
}

/// What is alive in memory, whatever the store says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct RuntimeSummary {
    /// How many.
    pub active_sessions: usize,
    /// Which, oldest first.
    pub active_session_ids: Vec<SessionId>,
}

/// The answer to work for a session that takes none.
pub(crate) fn not_ready(id: SessionId, status: SessionStatus) -> Error {
    Error::new(ErrorKind::SessionNotReady, format!("the session is not ready: it is {status}"))
        .with("session_id", id)
        .with("status", status)
}
