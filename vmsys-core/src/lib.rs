//! JavaScript sessions that last, embedded in a Rust program.
//!
//! ```
//! use serde::Serialize;
//! use vmsys_core::{Call, Config, ExecutionStatus, HostError, HostModule, Limits, NewSession, NewTemplate, VmSystem};
//!
//! #[derive(Serialize)]
//! struct Item {
//!     sku: String,
//!     price: f64,
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Functions of yours, typed by serde: `import {lookup} from 'shop'`.
//!     let shop = HostModule::new("shop", "What there is to buy").function("lookup", |_: &Call, (sku,): (String,)| {
//!         match sku.as_str() {
//!             "apple" => Ok(Item { sku, price: 1.5 }),
//!             _ => Err(HostError::new("NotFoundError", "no such thing").code("ENOENT").with("sku", &sku)),
//!         }
//!     });
//!     let mut config = Config::default(); // in memory; `config.database` names a file that keeps everything
//!     config.host_module(shop);
//!     let vm = VmSystem::with_config(config)?;
//!
//!     // A template says what code may use, a session is a runtime made from it.
//!     let template = vm.create_template(NewTemplate::named("demo").with_limits(Limits::default().with_cpu_ms(200)))?;
//!     vm.add_module(template.id, "shop")?;
//!     let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
//!
//!     // What one snippet declares is there for the next one; values come back as types of yours.
//!     session.repl("import {lookup} from 'shop'; let total = 0; const buy = (sku, n) => total += lookup(sku).price * n")?;
//!     assert_eq!(session.eval::<f64>("buy('apple', 2)")?, 3.0);
//!     assert_eq!(session.call::<f64>("buy", ("apple", 4))?, 9.0);
//!     assert_eq!(session.get_global::<f64>("total")?, 9.0);
//!
//!     // What is thrown comes back typed.
//!     let error = session.eval::<f64>("buy('pear', 1)").unwrap_err();
//!     assert_eq!(error.thrown().and_then(|thrown| thrown.code()), Some("ENOENT"));
//!
//!     // A limit ends the one execution, and not the session.
//!     assert_eq!(session.repl("for (;;) total++")?.status, ExecutionStatus::Timeout);
//!     assert!(session.eval::<f64>("total")? > 9.0);
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
//! double. [`RunningExecution::events`] and [`Session::events`] are iterators over them, `event_stream` a stream;
//! [`NewSession::on_console`] hears what is printed as it comes.
//!
//! **Values.** [`Session::eval`], [`Session::call`], [`Session::get_global`] and [`Session::set_global`] pass values between
//! code and any type that serde knows, whole and exact, as [`Value::of`] and [`Value::to`] say: where there is no such value,
//! their [`EvalError`] says why. Each is an execution, and recorded like one. A result in an [`Execution`] is what is shown of
//! a value, and bounded.
//!
//! **Functions of yours.** A [`HostModule`] holds closures, sync and async, that scripts import; a [`Module`] is the same by
//! hand. Both are registered on the [`Config`], given to templates by name, and called in the same way from threads and
//! worker processes. [`NewSession::with_data`] gives a session something that they find with [`Call::data`].
//! [`VmSystem::types`] declares in TypeScript what there is.
//!
//! **Async.** Calls block, for as long as the code takes. [`Session::eval_async`], [`Session::call_async`] and awaiting a
//! [`RunningExecution`] do not: they are futures that need no particular runtime, as the streams are. Dropping the future of
//! a value cancels its execution; dropping a [`RunningExecution`] stops nothing.
//!
//! **What is closed when.** A [`Session`] is closed by [`close`](Session::close), by a [`Bounds::session_idle_timeout`], and
//! with its system; dropping handles of it does not close it, because others may ask for it by its id. A system is shut down
//! by [`shutdown`](VmSystem::shutdown), whoever still has handles, or when the last handle is dropped, of the system, its
//! sessions, executions, watches and futures: then what runs is cancelled and stored, sessions are closed, threads and worker
//! processes end, and the file is free. [`stop`](VmSystem::stop) leaves it open for reading. What a session was given ends with it: module states, data and console functions are dropped, and futures of host
//! functions soon after their execution has ended.
//!
//! **Looking.** Between executions, [`Session::globals`] lists what code has declared or set, [`Session::complete`] tells how
//! a text may go on, [`Session::check`] whether an input is whole, and [`Session::history`] what was typed before. None of it
//! runs code. A value that one line does not tell all of comes with a [`ValueTree`].
//!
//! **Grants.** A session reaches the language, the web's interfaces, Node's modules without effects, and the code of its
//! worktree. Whatever else it reaches, its template was given: native modules ([`VmSystem::add_module`]),
//! [`Capability`]s that refine them or add files, variables, globals and a network, and libraries from the
//! [cache](Config::library_cache). A capability that is not enabled takes away. Like the settings, all of it is taken
//! down when a session is created.
//!
//! **Limits.** [`Limits`] bound each execution: processor time, elapsed time, memory, events and output. Their
//! documentation says what they do not stop. [`Session::limited`] makes a handle with tighter ones. [`Session::cancel`] ends
//! whatever runs, from any thread.
//!
//! **The store.** Everything is in one SQLite database, or in memory. What a call has answered is on disk, as far as
//! the [`Durability`] says. A database belongs to one `VmSystem` at a time; what an earlier program left running is
//! ended when the next one opens it.
//!
//! **Errors.** There is one [`Error`], with an [`ErrorKind`], a stable [code](Error::code), details by name, and
//! predicates such as [`is_not_found`](Error::is_not_found).
//!
//! # Snippets
//!
//! What [`Session::eval`] and [`Session::repl`] run is a script, read as a console reads it. Files that are no modules are
//! run in the same way, but for imports.
//!
//! **Its value** is that of its last statement. `{a: 1}` by itself, without a semicolon behind it, is an object. `await` works
//! at top level; a promise that is the value is awaited by `eval` and [`call`](Session::call), and by `repl` shown as it is.
//!
//! **What is waited for.** An execution ends when nothing is due any more: not the jobs of promises, timers and intervals, nor
//! calls of host functions that answer with promises, whether or not anything awaits them. So nothing of a session runs
//! between executions; an interval that is not cleared, or a call that is not answered, ends as a timeout although the value
//! is known; and what is due when a limit or a cancellation ends an execution is thrown away. Timers have no `unref`: what is
//! not to be waited for is cleared, and a call can only be given up with its execution. A promise that nothing can settle is
//! not waited for, unless it is awaited: that fails at once, as [`ErrorCode::Unsettled`].
//!
//! **Rejections** that nothing handles by the time the jobs of promises have run are thrown, whatever the value is.
//!
//! **Names** that are declared at top level are there for every later snippet. `let`, `const` and `class` can be declared
//! again by a later one, and every function then sees the new declaration; twice in one snippet they cannot, nor where `var` or
//! `function` has taken the name. A declaration that fails before it has a value leaves none.
//!
//! **Strictness.** Code is sloppy, unless it begins with `'use strict'` or its template says [`RuntimeSettings::strict`];
//! modules are always strict.
//!
//! **Imports** are declared as in a module, and bind constants to what is exported at that time; a path begins at the worktree.
//! A missing export is a `SyntaxError`. A module is loaded once in a session: a file that has changed is loaded by the next
//! session. [`Session::import`] does the same without code, and [`RuntimeSettings::esm`] says which files are modules.
//!
//! ```
//! use std::collections::BTreeMap;
//! use vmsys_core::{ErrorCode, EvalError, LimitsPatch, NewSession, NewTemplate, VmSystem};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let worktree = tempfile::tempdir()?;
//! std::fs::write(worktree.path().join("lib.js"), "export const n = 1")?;
//! let vm = VmSystem::in_memory()?;
//! let template = vm.create_template(NewTemplate::named("sloppy"))?;
//! let session = vm.create_session(NewSession::new(template.id, worktree.path()))?;
//! assert_eq!(session.eval::<BTreeMap<String, u8>>("{a: 1}")?["a"], 1);
//! assert_eq!(session.eval::<u8>("const later = await 3; Promise.resolve(later)")?, 3);
//!
//! // Timers are waited for; so nothing runs between executions.
//! assert_eq!(session.eval::<u8>("let ticks = 0; setTimeout(() => ticks = 5, 20); ticks")?, 0);
//! assert_eq!(session.eval::<u8>("ticks")?, 5);
//! let mut short = LimitsPatch::default();
//! short.wall_ms = Some(100);
//! let endless = session.limited(short)?.eval::<u8>("setInterval(() => ticks++, 10); 1").unwrap_err();
//! assert_eq!(endless.code(), Some(ErrorCode::Timeout));
//! assert_eq!(session.eval::<u8>("let every = setInterval(() => ticks++, 10); clearInterval(every); 1")?, 1);
//! assert_eq!(session.eval::<u8>("let never = new Promise(() => {}); 1")?, 1);
//! assert_eq!(session.eval::<u8>("await never").unwrap_err().code(), Some(ErrorCode::Unsettled));
//!
//! // Rejections are thrown, unless they are handled.
//! let rejected = session.eval::<u8>("Promise.reject(new Error('too far')); 5").unwrap_err();
//! assert_eq!(rejected.thrown().map(|thrown| thrown.message()), Some("too far"));
//! assert_eq!(session.eval::<u8>("Promise.reject(new Error('too far')).catch(() => {}); 5")?, 5);
//!
//! // Names can be declared again.
//! session.repl("var taken; const rate = 1; const price = () => 2 * rate")?;
//! session.repl("const rate = 4")?;
//! assert_eq!(session.eval::<u8>("price()")?, 8);
//! assert!(matches!(session.eval::<()>("let twice; let twice"), Err(EvalError::Syntax { .. })));
//! assert!(matches!(session.eval::<()>("let taken"), Err(EvalError::Thrown(_))));
//!
//! // Code is sloppy, unless it is told.
//! let sees_globals = "(function () { return this === globalThis })()";
//! assert!(session.eval::<bool>(sees_globals)?);
//! assert!(!session.eval::<bool>(format!("'use strict'; {sees_globals}"))?);
//! let mut strict = NewTemplate::named("strict");
//! strict.settings.runtime.strict = true;
//! let strict = vm.create_template(strict)?;
//! assert!(!vm.create_session(NewSession::new(strict.id, worktree.path()))?.eval::<bool>(sees_globals)?);
//!
//! // A module is loaded once in a session.
//! assert_eq!(session.eval::<u8>("import {n} from './lib.js'; n")?, 1);
//! std::fs::write(worktree.path().join("lib.js"), "export const n = 2")?;
//! assert_eq!(session.eval::<u8>("(await import('./lib.js')).n")?, 1);
//! let next = vm.create_session(NewSession::new(template.id, worktree.path()))?;
//! assert_eq!(next.eval::<u8>("import {n} from './lib.js'; n")?, 2);
//! let missing = next.eval::<u8>("import {nope} from './lib.js'").unwrap_err();
//! assert_eq!(missing.thrown().map(|thrown| thrown.name()), Some("SyntaxError"));
//! # Ok(())
//! # }
//! ```
//!
//! # What it does not do
//!
//! - On threads it is no wall against attackers: code is bounded in what it uses, and can reach only what it is given, but a
//!   fault of the engine is a fault of your program. [`Isolation::Process`] gives each session a confined process of its own,
//!   once your program calls [`become_worker`], before it has threads.
//! - On threads it cannot stop native code of the engine that never polls for interrupts, such as `indexOf` on a huge
//!   string: the session is declared crashed, and its thread left behind at the lowest priority. A process is killed.
//! - It bounds executions and sessions one by one; their sum only where [`Bounds`] are set. It deletes no history unless
//!   [`Retention`] says so.
//! - It has no network of its own: `fetch` is there when the program offers one ([`Config::net`]).
//! - Programs that a script may start with `exec` are confined as far as the machine can ([`Sandbox`]); what several of them
//!   take together is not bounded.
//! - Host modules have functions and nothing else: no constants, classes or modules within modules. Functions of scripts do not
//!   cross to the host: it takes data, and calls them by name ([`Session::call`]).
//! - It creates sessions, lists and reads in calls that block. Use your runtime's threads for blocking calls.
//! - It prints nothing, reads no environment, and logs with `tracing`.
//!
//! # What stays the same
//!
//! Versions follow Semantic Versioning: before 1.0, a change that breaks code that compiles is a new minor version. Types that
//! may grow are `#[non_exhaustive]`: match with a last arm, and make them with their constructors or `Default`. The words of
//! records, kinds and codes are part of it; messages for people are not, nor is the file of the store, which a newer version
//! takes over and an older one refuses. It is built with Rust 1.95 and later; a newer one is asked for by a minor version only.

mod bell;
mod engine;
mod error;
mod event;
mod execution;
mod fields;
mod identifier;
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
pub use self::isolation::{Sandbox, WorkerAlloc, become_worker};
pub use self::library::{Library, LibraryCache, LibraryCheck, LibrarySource, NewLibrary};
pub use self::limits::Limits;
pub use self::lookup::{
    Completion, CompletionKind, Completions, Global, GlobalKind, Globals, History, HistoryEntry, HistoryFilter,
    InputCheck, InputError,
};
pub use self::modules::{
    Call, CallContext, FunctionInfo, HostArgs, HostError, HostModule, HostTask, Module, ModuleInfo, ModuleInstance,
    PendingCall, SessionContext, Stopped,
};
pub use self::session::{NewSession, RuntimeSummary, SessionActivity, SessionFilter, SessionRecord, SessionStatus};
pub use self::stats::{Distribution, Histogram, Stats, StoreStats};
pub use self::store::Durability;
pub use self::system::{
    Bounds, Config, EndOfExecution, EvalError, Evaluation, EventStream, Events, ExecutionNews, ExecutionWatch,
    IdempotencyKey, Retention, RunningExecution, Session, SessionCursor, SessionEventStream, SessionEvents,
    SessionNews, SessionStart, SessionWatch, Submission, Thrown, VmSystem,
};
pub use self::template::{
    Capability, CapabilityKind, Engine, FsPolicy, HostPattern, Isolation, LimitsPatch, NetPolicy, NewCapability,
    NewStartupFile, NewTemplate, ResolverPatch, ResolverSettings, RuntimePatch, RuntimeSettings, Settings, StartupFile,
    StartupMode, Template, TemplateDetail, TemplatePatch,
};
pub use self::time::Timestamp;
pub use self::value::{
    Bytes, CallError, JsonText, ResultValue, TreeEntry, TreeEntryKind, TreeText, Value, ValueError, ValueTree,
    ValueType,
};
pub use self::worktree::{WorktreeEntry, WorktreeEntryKind, WorktreeView};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
