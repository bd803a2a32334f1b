//! JavaScript sessions that last, embedded in a Rust program.
//!
//! ```
//! use vmsys_core::{ExecutionStatus, Limits, NewSession, NewTemplate, Payload, VmSystem};
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let vm = VmSystem::in_memory()?; // VmSystem::open("sessions.db") keeps everything
//!
//!     let mut limits = Limits::default();
//!     limits.cpu_ms = 200;
//!     let template = vm.create_template(NewTemplate::named("demo").with_limits(limits))?;
//!     let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
//!
//!     session.repl("let total = 0; function add(n) { console.log('adding', n); return total += n }")?;
//!     let run = session.repl("add(42)")?;
//!     assert_eq!(run.result.ok_or("it threw")?.preview, "42");
//!     let printed = run.events.iter().find_map(|event| match &event.payload {
//!         Payload::Console { text, .. } => Some(text.as_str()),
//!         _ => None,
//!     });
//!     assert_eq!(printed, Some("adding 42"));
//!
//!     // A limit ends the one execution, and not the session.
//!     let run = session.repl("for (;;) total++")?;
//!     assert_eq!(run.status, ExecutionStatus::Timeout);
//!     let run = session.repl("typeof total")?;
//!     assert_eq!(run.result.ok_or("it threw")?.preview, "number");
//!
//!     session.close()?;
//!     Ok(())
//! }
//! ```
//!
//! # Concepts
//!
//! **Templates.** A [`Template`] says what code may use and how it is run: its [`Settings`] hold the limits and the
//! runtime's options, its [`StartupFile`]s run in every new session before it is ready. [`NewTemplate::named`] is one
//! with the defaults. A session keeps the settings that it was created with.
//!
//! **Sessions.** A [`Session`] is a live runtime made from a template over a directory, its *worktree*. What one
//! execution declares is there for the next. One execution runs at a time: a second one is refused as busy, and not
//! queued. A session ends by [`close`](Session::close), or *crashes* when its runtime is lost; its [`SessionRecord`]
//! and its history stay.
//!
//! **Executions.** [`Session::repl`] runs a snippet, [`Session::run_file`] a file of the worktree. Both return once the
//! [`Execution`] has ended and is stored; [`VmSystem::cancel`] ends it from another thread. A script that throws, is
//! cancelled or runs out of time is an `Ok` with that [`ExecutionStatus`]: an `Err` says that nothing was run, or that
//! the store failed.
//!
//! [`Session::start`] does not wait: it answers with a [`RunningExecution`] once it is stored that it runs, and takes a
//! [key](Submission::key) under which the same work is done at most once.
//!
//! **Events.** Everything that an execution prints or comes to is an [`Event`], numbered from 1 without gaps: first the
//! input, last the value, the exception or the reason why it was stopped. [`VmSystem::events`] reads them, also while
//! the code runs; [`VmSystem::watch`] and [`VmSystem::watch_session`] follow them, from any place, without a gap or a
//! double.
//!
//! **Grants.** A session reaches the language, the web's interfaces, Node's modules without effects, and the code of its
//! worktree. Whatever else it reaches, its template was given: native modules ([`VmSystem::add_module`]),
//! [`Capability`]s that refine them or add files, variables, globals and a network, and libraries from the
//! [cache](Config::library_cache). A capability that is not enabled takes away. Like the settings, all of it is taken
//! down when a session is created. [`Config::module`] offers functions in Rust as a module.
//!
//! **Limits.** [`Limits`] bound each execution: processor time, elapsed time, memory, events and output. Their
//! documentation says what they do not stop.
//!
//! **The store.** Everything is in one SQLite database, or in memory. What a call has answered is on disk, as far as
//! the [`Durability`] says. A database belongs to one `VmSystem` at a time; what an earlier program left running is
//! ended when the next one opens it.
//!
//! **Errors.** There is one [`Error`], with an [`ErrorKind`], a stable [code](Error::code), details by name, and
//! predicates such as [`is_not_found`](Error::is_not_found).
//!
//! # What it does not do
//!
//! - On threads it is no wall against attackers: code is bounded in what it uses, and can reach only what it is given, but a
//!   fault of the engine is a fault of your program. [`Isolation::Process`] gives each session a confined process of its own,
//!   once your program calls [`become_worker`].
//! - On threads it cannot stop native code of the engine that never polls for interrupts, such as `indexOf` on a huge
//!   string: the session is declared crashed, and its thread left behind at the lowest priority. A process is killed.
//! - It bounds executions and sessions one by one; their sum only where [`Bounds`] are set. It deletes no history unless
//!   [`Retention`] says so.
//! - It has no network of its own: `fetch` is there when the program offers one ([`Config::net`]).
//! - It confines no program that a script may start with `exec`.
//! - It has no async interface: calls block. Use your runtime's threads for blocking calls.
//! - It prints nothing, reads no environment, and logs with `tracing`.

mod bell;
mod engine;
mod error;
mod event;
mod execution;
mod fields;
mod ids;
mod isolation;
pub mod library;
mod limits;
mod lookup;
mod modules;
mod session;
mod stats;
mod store;
mod system;
mod template;
mod time;
mod typescript;
mod value;
mod worktree;

pub use self::error::{Error, ErrorKind, Result};
pub use self::event::{ConsoleLevel, Event, Payload, SystemLevel};
pub use self::execution::{
    ErrorCode, Execution, ExecutionError, ExecutionFilter, ExecutionKind, ExecutionStatus, JsonObject, Metrics, RunFile,
};
pub use self::ids::{CapabilityId, ExecutionId, ParseIdError, SessionId, StartupFileId, TemplateId};
pub use self::isolation::{Sandbox, become_worker};
pub use self::library::{Library, LibraryCache, LibraryCheck, LibrarySource, NewLibrary};
pub use self::limits::Limits;
pub use self::lookup::{
    Completion, CompletionKind, Completions, Global, GlobalKind, Globals, History, HistoryEntry, HistoryFilter,
    InputCheck, InputError,
};
pub use self::modules::{
    CallContext, FunctionInfo, Module, ModuleInfo, ModuleInstance, PendingCall, SessionContext, Stopped,
};
pub use self::session::{NewSession, RuntimeSummary, SessionActivity, SessionFilter, SessionRecord, SessionStatus};
pub use self::stats::{Distribution, Histogram, Stats, StoreStats};
pub use self::store::Durability;
pub use self::system::{
    Bounds, Config, ExecutionNews, ExecutionWatch, IdempotencyKey, Retention, RunningExecution, Session, SessionCursor,
    SessionNews, SessionStart, SessionWatch, Submission, VmSystem,
};
pub use self::template::{
    Capability, CapabilityKind, Engine, FsPolicy, HostPattern, Isolation, LimitsPatch, NetPolicy, NewCapability,
    NewStartupFile, NewTemplate, ResolverPatch, ResolverSettings, RuntimePatch, RuntimeSettings, Settings, StartupFile,
    StartupMode, Template, TemplateDetail, TemplatePatch,
};
pub use self::time::Timestamp;
pub use self::value::{
    CallError, JsonText, ResultValue, TreeEntry, TreeEntryKind, TreeText, Value, ValueTree, ValueType,
};
pub use self::worktree::{WorktreeEntry, WorktreeEntryKind, WorktreeView};
