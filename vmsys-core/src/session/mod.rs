//! Sessions: live runtimes whose state lasts from one execution to the next.

mod live;
mod looks;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub(crate) use self::live::LiveSession;
pub(crate) use self::looks::Ended;
use self::looks::Looks;
use crate::error::{Error, ErrorKind, Result};
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
    /// An absolute path of a directory that exists.
    pub worktree_path: PathBuf,
}

impl NewSession {
    /// A session of this template over this directory, for the workspace `default` at commit `HEAD`.
    pub fn new(template_id: TemplateId, worktree_path: impl Into<PathBuf>) -> Self {
        Self {
            template_id,
            workspace_id: "default".to_owned(),
            base_commit_oid: "HEAD".to_owned(),
            worktree_path: worktree_path.into(),
        }
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
