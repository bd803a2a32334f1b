//! `VmSystem`: templates, sessions and executions over one store.

use std::path::PathBuf;
use std::sync::Arc;

use crate::error::Result;
use crate::event::Event;
use crate::execution::{Execution, ExecutionFilter, RunFile};
use crate::ids::{ExecutionId, SessionId, TemplateId};
use crate::session::{NewSession, RuntimeSummary, SessionFilter, SessionRecord};
use crate::template::{NewStartupFile, NewTemplate, StartupFile, Template, TemplateDetail};

/// How a [`VmSystem`] is set up.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Config {
    /// The database file; `None` keeps everything in memory.
    pub database: Option<PathBuf>,
    /// When a commit counts as done.
    pub durability: Durability,
}

/// When a commit counts as done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// When the disk says that it has it: what was acknowledged survives a power cut.
    #[default]
    Full,
    /// When the operating system has it: what was acknowledged survives a crash of the program, not of the machine.
    Normal,
}

/// The library's entry: a handle that is cheap to clone and can be used from any thread.
#[derive(Debug, Clone)]
pub struct VmSystem(Arc<()>);

#[expect(missing_docs, unused_variables, clippy::todo, reason = "signatures first")]
impl VmSystem {
    pub fn in_memory() -> Result<Self> {
        todo!()
    }
    pub fn open(database: impl Into<PathBuf>) -> Result<Self> {
        todo!()
    }
    pub fn with_config(config: Config) -> Result<Self> {
        todo!()
    }

    pub fn create_template(&self, new: NewTemplate) -> Result<Template> {
        todo!()
    }
    pub fn template(&self, id: TemplateId) -> Result<TemplateDetail> {
        todo!()
    }
    /// newest first
    pub fn templates(&self, before: Option<TemplateId>, limit: Option<u32>) -> Result<Vec<Template>> {
        todo!()
    }
    pub fn delete_template(&self, id: TemplateId) -> Result<()> {
        todo!()
    }
    pub fn add_startup_file(&self, id: TemplateId, new: NewStartupFile) -> Result<StartupFile> {
        todo!()
    }
    pub fn startup_files(&self, id: TemplateId) -> Result<Vec<StartupFile>> {
        todo!()
    }

    /// blocks until ready or crashed (ErrorKind::StartupFailed)
    pub fn create_session(&self, new: NewSession) -> Result<Session> {
        todo!()
    }
    /// the handle of any session that the store knows, live or not
    pub fn session(&self, id: SessionId) -> Result<Session> {
        todo!()
    }
    pub fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionRecord>> {
        todo!()
    }
    pub fn runtime_summary(&self) -> RuntimeSummary {
        todo!()
    }

    /// with its events, also while it runs
    pub fn execution(&self, id: ExecutionId) -> Result<Execution> {
        todo!()
    }
    pub fn executions(&self, session: SessionId, filter: &ExecutionFilter) -> Result<Vec<Execution>> {
        todo!()
    }
    pub fn events(&self, id: ExecutionId, after_seq: u64, limit: Option<u32>) -> Result<Vec<Event>> {
        todo!()
    }
    /// the session goes on
    pub fn cancel(&self, id: ExecutionId) -> Result<Execution> {
        todo!()
    }

    /// no new work, cancels what runs, stores it, closes all sessions
    pub fn shutdown(&self) -> Result<()> {
        todo!()
    }
}

/// A handle of a session: cheap to clone, usable from any thread.
#[derive(Debug, Clone)]
pub struct Session(Arc<()>);

#[expect(missing_docs, unused_variables, clippy::todo, reason = "signatures first")]
impl Session {
    pub fn id(&self) -> SessionId {
        todo!()
    }
    pub fn record(&self) -> Result<SessionRecord> {
        todo!()
    }
    /// blocks until ended and stored; a script's failure is Ok(execution) with its status. With all events.
    pub fn repl(&self, input: impl Into<String>) -> Result<Execution> {
        todo!()
    }
    pub fn run_file(&self, run: RunFile) -> Result<Execution> {
        todo!()
    }
    /// cancels what runs; closing what is closed is fine
    pub fn close(&self) -> Result<SessionRecord> {
        todo!()
    }
}
