//! Functions of a program's own, typed by serde: a [`HostModule`] is a [`Module`] without the writing.

mod args;
mod error;
#[cfg(feature = "schema")]
mod schema;
mod task;
mod typescript;

use std::any::Any;
use std::future::Future;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use self::args::HostArgs;
pub use self::error::HostError;
pub use self::task::HostTask;
use self::task::{Executor, Work};
use super::{CallContext, Module, ModuleInfo, ModuleInstance, PendingCall, SessionContext, Stopped};
use crate::error::{Error, Result};
use crate::execution::JsonObject;
use crate::fields::Fields;
use crate::ids::{ExecutionId, SessionId, TemplateId};
use crate::value::{CallError, Value};

type State = Arc<dyn Any + Send + Sync>;
type Answer = std::result::Result<Value, CallError>;
type Now = dyn Fn(&Call, &[Value]) -> Answer + Send + Sync;
type Later = dyn Fn(Call, &[Value]) -> std::result::Result<Work, CallError> + Send + Sync;
type Open = dyn Fn(&SessionContext, &JsonObject) -> Result<State> + Send + Sync;
type Check = dyn Fn(&JsonObject) -> Result<()> + Send + Sync;
type Spawn = dyn Fn(HostTask) + Send + Sync;

/// A module of Rust functions for scripts, registered with [`Config::host_module`](crate::Config::host_module).
///
/// Arguments and results are any types that serde reads and writes; [`Value::of`] says how they look to scripts. Scripts
/// find the functions with `import {lookup} from 'inventory'` or `require('inventory')`, in sessions whose template was
/// [given](crate::VmSystem::add_module) the module; it makes no difference whether these run on threads or in worker
/// processes.
///
/// A function answers a [`Result`](std::result::Result) with a [`HostError`], which is thrown in the script with its name,
/// code and properties; `?` makes one of any error. Arguments that do not fit are a `TypeError` that names the function, the
/// place and what was expected; missing ones are `undefined`, which only an `Option` takes, and more than there are
/// parameters are ignored, as in JavaScript. A panic is caught, logged, and an error of the script's.
///
/// [`VmSystem::types`](crate::VmSystem::types) tells the functions' types, for editors and language models. They are made of the
/// Rust types, as far as the names of these tell: numbers, text, lists, maps, options and tuples. Of structs and enums serde
/// says nothing; these are `any`, until [`signature`](Self::signature) and [`declare`](Self::declare) say what they are, as
/// below. With the feature `schema` of this crate, `declare_type::<Item>()` declares a type that derives
/// `schemars::JsonSchema`, and signatures need only name it.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use vmsys_core::{Call, Config, HostError, HostModule, NewSession, NewTemplate, VmSystem};
///
/// #[derive(Debug, Serialize, Deserialize)]
/// struct Item {
///     sku: String,
///     left: u32,
/// }
///
/// let inventory = HostModule::new("inventory", "What is in stock")
///     .function("lookup", |_: &Call, (sku, wanted): (String, Option<u32>)| {
///         if sku.is_empty() {
///             return Err(HostError::new("NotFoundError", "no such thing").code("ENOENT").with("sku", &sku));
///         }
///         Ok(Item { sku, left: 10 - wanted.unwrap_or(0) })
///     })
///     .signature("(sku: string, wanted?: number): Item")
///     .declare("interface Item { sku: string; left: number }")
///     .async_function("reserve", |_: Call, (item,): (Item,)| async move { Ok(item.left > 0) });
///
/// let mut config = Config::default();
/// config.host_module(inventory);
/// let vm = VmSystem::with_config(config)?;
/// let template = vm.create_template(NewTemplate::named("shop"))?;
/// vm.add_module(template.id, "inventory")?;
/// let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
///
/// session.repl("import {lookup, reserve} from 'inventory'")?;
/// let item: Item = session.eval("lookup('apple', 3)")?;
/// assert_eq!((item.sku.as_str(), item.left), ("apple", 7));
/// assert!(session.eval::<bool>("reserve(lookup('apple'))")?);
///
/// let error = session.eval::<Item>("lookup('')").unwrap_err();
/// assert_eq!(error.thrown().and_then(|thrown| thrown.code()), Some("ENOENT"));
/// let error = session.eval::<Item>("lookup('apple', 'three')").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "TypeError: inventory.lookup: argument 2: invalid type: string \"three\", expected u32"
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a module that is not registered is nobody's"]
pub struct HostModule {
    info: ModuleInfo,
    functions: Vec<(String, Body)>,
    open: Option<Arc<Open>>,
    check: Option<Arc<Check>>,
    tasks: Arc<Tasks>,
    /// How the last function looks in TypeScript, by the names of its parameters.
    derived: Option<fn(&[&str]) -> String>,
}

#[derive(Clone)]
enum Body {
    Now(Arc<Now>),
    Later(Arc<Later>),
}

/// Where async functions run.
#[derive(Default)]
struct Tasks {
    spawn: Option<Box<Spawn>>,
    own: OnceLock<Executor>,
}

impl Tasks {
    fn run(&self, task: HostTask) {
        match &self.spawn {
            Some(spawn) => spawn(task),
            None => self.own.get_or_init(Executor::new).run(task),
        }
    }
}

impl std::fmt::Debug for HostModule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HostModule").field("info", &self.info).finish_non_exhaustive()
    }
}

impl HostModule {
    /// A module of this name without functions yet; [`Config::module`](crate::Config::module) says what names there can be.
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            info: ModuleInfo::new(name, description),
            functions: Vec::new(),
            open: None,
            check: None,
            tasks: Arc::default(),
            derived: None,
        }
    }

    /// The last function takes arguments of this type, and answers with that one.
    fn typed<A: HostArgs>(mut self, derived: fn(&[&str]) -> String) -> Self {
        self.info = self.info.signature(derived(&[])).arity(A::COUNT);
        self.derived = Some(derived);
        self
    }

    /// The same with a function that answers while the script stands still: on the session's thread, so that what it takes
    /// counts towards the execution's limits. It is not interrupted at these: what may take longer than 20 ms asks
    /// [`Call::should_stop`] at least that often.
    ///
    /// The arguments are a tuple, `(String, u32)`, `(String,)` or `()`; or [`Vec<Value>`](Value) for any.
    pub fn function<A, T, F>(mut self, name: impl Into<String>, function: F) -> Self
    where
        A: HostArgs,
        T: Serialize + 'static,
        F: Fn(&Call, A) -> std::result::Result<T, HostError> + Send + Sync + 'static,
    {
        let body = move |call: &Call, args: &[Value]| {
            let args = A::read(call.module(), call.function(), args)?;
            answer(call, function(call, args))
        };
        let name = name.into();
        self.functions.push((name.clone(), Body::Now(Arc::new(body))));
        self.info = self.info.function(name);
        self.typed::<A>(|names| typescript::signature::<A, T>(false, names))
    }

    /// The same with a function that answers a promise: its future is polled elsewhere while the script goes on.
    ///
    /// The future is dropped when the execution ends before it has answered, however that ends. It runs on a thread of the
    /// module's, which all of its futures share, so it must not block. Code of tokio's, such as timers and sockets, needs
    /// [`spawn_with`](Self::spawn_with): without it, there is no runtime on that thread, and tokio panics.
    ///
    /// A plain `async fn` is such a function:
    ///
    /// ```
    /// use vmsys_core::{Call, Config, HostError, HostModule, NewSession, NewTemplate, VmSystem};
    ///
    /// async fn lookup(_: Call, (sku,): (String,)) -> Result<u32, HostError> {
    ///     match sku.as_str() {
    ///         "apple" => Ok(7),
    ///         _ => Err(HostError::new("NotFoundError", "no such thing")),
    ///     }
    /// }
    ///
    /// let mut config = Config::default();
    /// config.host_module(HostModule::new("shop", "What is in stock").async_function("lookup", lookup));
    /// let vm = VmSystem::with_config(config)?;
    /// let template = vm.create_template(NewTemplate::named("t"))?;
    /// vm.add_module(template.id, "shop")?;
    /// let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// assert_eq!(session.eval::<u32>("await require('shop').lookup('apple')")?, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// And one that sleeps, by tokio:
    ///
    /// ```
    /// use std::time::Duration;
    /// use vmsys_core::{Call, Config, HostModule, NewSession, NewTemplate, VmSystem};
    ///
    /// let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build()?;
    /// let handle = runtime.handle().clone();
    /// let slow = HostModule::new("slow", "Takes its time")
    ///     .spawn_with(move |task| drop(handle.spawn(task)))
    ///     .async_function("echo", |_: Call, (text, ms): (String, u64)| async move {
    ///         tokio::time::sleep(Duration::from_millis(ms)).await;
    ///         Ok(text)
    ///     });
    ///
    /// let mut config = Config::default();
    /// config.host_module(slow);
    /// let vm = VmSystem::with_config(config)?;
    /// let template = vm.create_template(NewTemplate::named("t"))?;
    /// vm.add_module(template.id, "slow")?;
    /// let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// let both: [String; 2] = session.eval("const {echo} = require('slow'); Promise.all([echo('a', 20), echo('b', 1)])")?;
    /// assert_eq!(both, ["a", "b"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn async_function<A, T, F, Fut>(mut self, name: impl Into<String>, function: F) -> Self
    where
        A: HostArgs,
        T: Serialize + 'static,
        F: Fn(Call, A) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = std::result::Result<T, HostError>> + Send + 'static,
    {
        let function = Arc::new(function);
        let body = move |call: Call, args: &[Value]| {
            let args = A::read(call.module(), call.function(), args)?;
            let function = function.clone();
            let work: Work = Box::pin(async move {
                let done = function(call.clone(), args).await;
                answer(&call, done)
            });
            Ok(work)
        };
        let name = name.into();
        self.functions.push((name.clone(), Body::Later(Arc::new(body))));
        self.info = self.info.async_function(name);
        self.typed::<A>(|names| typescript::signature::<A, T>(true, names))
    }

    /// Names the parameters of the last function for its types, which are otherwise `arg1`, `arg2` and so on: Rust does not
    /// keep the names.
    ///
    /// ```
    /// use vmsys_core::{Call, Config, HostModule, NewTemplate, VmSystem};
    /// let mut config = Config::default();
    /// config.host_module(
    ///     HostModule::new("shop", "What there is to buy")
    ///         .function("price", |_: &Call, (sku, count): (String, Option<u32>)| Ok(f64::from(count.unwrap_or(1)) * 1.5))
    ///         .params(["sku", "count"]),
    /// );
    /// let vm = VmSystem::with_config(config)?;
    /// let template = vm.create_template(NewTemplate::named("t"))?;
    /// vm.add_module(template.id, "shop")?;
    /// assert!(vm.types(template.id)?.contains("export function price(sku: string, count?: number | null): number;"));
    /// # Ok::<(), vmsys_core::Error>(())
    /// ```
    pub fn params<const N: usize>(mut self, names: [&str; N]) -> Self {
        if let Some(derived) = self.derived {
            self.info = self.info.signature(derived(&names));
        }
        self
    }

    /// Says how the last function looks in TypeScript: `(sku: string, wanted?: number): Item`. Unless told, it is made of the
    /// Rust types, in which structs and enums are `any`.
    ///
    /// [`VmSystem::with_config`](crate::VmSystem::with_config) checks that it can be read, and has as many parameters as the
    /// function has arguments, or takes the rest of them (`...rest: any[]`). Types are compared with nothing.
    pub fn signature(mut self, signature: impl Into<String>) -> Self {
        self.info = self.info.signature(signature);
        self
    }

    /// Says what the last function is for, in a sentence that stands with its types.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.info = self.info.describe(description);
        self
    }

    /// Adds TypeScript declarations that signatures refer to: `interface Item { sku: string }`.
    pub fn declare(mut self, declarations: &str) -> Self {
        self.info = self.info.declare(declarations);
        self
    }

    /// Adds the TypeScript declaration of a type that describes itself with schemars, and of those that it is made of, under
    /// their schemas' names. With the feature `schema`.
    ///
    /// ```
    /// use vmsys_core::{Call, HostModule};
    ///
    /// #[derive(serde::Serialize, schemars::JsonSchema)]
    /// struct Item {
    ///     sku: String,
    ///     left: Option<u32>,
    /// }
    ///
    /// let module = HostModule::new("inventory", "What is in stock")
    ///     .declare_type::<Item>() // interface Item { sku: string; left?: number | null }
    ///     .function("lookup", |_: &Call, (sku,): (String,)| Ok(Item { sku, left: Some(7) }))
    ///     .signature("(sku: string): Item");
    /// # drop(module);
    /// ```
    #[cfg(feature = "schema")]
    pub fn declare_type<T: schemars::JsonSchema>(self) -> Self {
        self.declare(&schema::declarations::<T>())
    }

    /// Makes something for each session, from what a template configures, which functions find with [`Call::state`]. It is
    /// dropped with the session.
    ///
    /// The configuration is read into `C`, and checked when a template is given it; without this function there is none. Use
    /// `#[serde(deny_unknown_fields)]` for a misspelt key to be an error.
    ///
    /// ```
    /// use std::sync::atomic::{AtomicU32, Ordering};
    /// use vmsys_core::{Call, Config, HostModule, NewSession, NewTemplate, SessionContext, VmSystem};
    ///
    /// #[derive(serde::Deserialize)]
    /// #[serde(deny_unknown_fields, default)]
    /// struct Settings {
    ///     first: u32,
    /// }
    /// # impl Default for Settings { fn default() -> Self { Self { first: 7 } } }
    ///
    /// let tickets = HostModule::new("tickets", "Numbers, each once a session")
    ///     .per_session(|_: &SessionContext, settings: Settings| Ok(AtomicU32::new(settings.first)))
    ///     .function("next", |call: &Call, (): ()| {
    ///         Ok(call.state::<AtomicU32>().map(|last| last.fetch_add(1, Ordering::Relaxed)))
    ///     });
    ///
    /// let mut config = Config::default();
    /// config.host_module(tickets);
    /// let vm = VmSystem::with_config(config)?;
    /// let template = vm.create_template(NewTemplate::named("t"))?;
    /// vm.add_module(template.id, "tickets")?;
    /// let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// assert_eq!(session.eval::<[u32; 2]>("const {next} = require('tickets'); [next(), next()]")?, [7, 8]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn per_session<C, S, F>(mut self, open: F) -> Self
    where
        C: DeserializeOwned,
        S: Send + Sync + 'static,
        F: Fn(&SessionContext, C) -> std::result::Result<S, HostError> + Send + Sync + 'static,
    {
        self.check = Some(Arc::new(|config| configured::<C>(config).map(drop)));
        self.open = Some(Arc::new(move |session, config| {
            let opened = open(session, configured::<C>(config)?);
            opened.map(|state| Arc::new(state) as State).map_err(|error| Error::validation("config", error.to_string()))
        }));
        self
    }

    /// Has futures of async functions run where the program wants them. Code of tokio's, such as timers, sockets and most
    /// clients of databases, needs `.spawn_with(move |task| drop(handle.spawn(task)))` with a `tokio::runtime::Handle`; see
    /// [`async_function`](Self::async_function). A task is to be polled until it is ready; one that is dropped before is an
    /// error of the script's.
    pub fn spawn_with(mut self, spawn: impl Fn(HostTask) + Send + Sync + 'static) -> Self {
        self.tasks = Arc::new(Tasks { spawn: Some(Box::new(spawn)), own: OnceLock::new() });
        self
    }
}

/// Reads a configuration.
fn configured<C: DeserializeOwned>(config: &JsonObject) -> Result<C> {
    serde_path_to_error::deserialize(serde_json::Value::Object(config.clone())).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { "config".to_owned() } else { format!("config.{path}") };
        let message = format!("{field}: {}", error.inner());
        Error::validation(field, message)
    })
}

/// What a function's result is to the script.
fn answer<T: Serialize>(call: &Call, result: std::result::Result<T, HostError>) -> Answer {
    let value = Value::of(&result?).map_err(|error| {
        let (module, function) = (call.module(), call.function());
        tracing::error!(module, function, %error, "the result of a function has no form for scripts");
        CallError::new("TypeError", format!("the result of {module}.{function} cannot be passed on: {error}"))
            .with_code("ERR_INVALID_RETURN_VALUE")
    })?;
    if value.size() > call.context.max_reply_bytes() {
        let message = format!("the result of {}.{} takes more than mem_mb", call.module(), call.function());
        return Err(CallError::new("RangeError", message).with_code("ERR_OUT_OF_RANGE"));
    }
    Ok(value)
}

impl Module for HostModule {
    fn info(&self) -> ModuleInfo {
        self.info.clone()
    }

    fn check_config(&self, config: &JsonObject) -> Result<()> {
        match &self.check {
            Some(check) => check(config),
            None => Fields::of(config, &[]).map(drop),
        }
    }

    fn open(&self, session: &SessionContext, config: &JsonObject) -> Result<Box<dyn ModuleInstance>> {
        let state = match &self.open {
            Some(open) => open(session, config)?,
            None => Arc::new(()),
        };
        let opened = Opened { module: self.info.name.clone(), session: session.clone(), state };
        Ok(Box::new(Instance {
            opened: Arc::new(opened),
            functions: self.functions.clone(),
            tasks: self.tasks.clone(),
        }))
    }
}

/// What the calls of one session share.
struct Opened {
    module: String,
    session: SessionContext,
    state: State,
}

struct Instance {
    opened: Arc<Opened>,
    functions: Vec<(String, Body)>,
    tasks: Arc<Tasks>,
}

impl Instance {
    fn find(&self, function: &str, context: &CallContext) -> std::result::Result<(&Body, Call), CallError> {
        let found = self.functions.iter().find(|(name, _)| name == function);
        let Some((name, body)) = found else {
            let message = format!("the module '{}' has no function '{function}'", self.opened.module);
            return Err(CallError::new("TypeError", message));
        };
        Ok((body, Call { context: context.clone(), opened: self.opened.clone(), function: name.as_str().into() }))
    }
}

impl ModuleInstance for Instance {
    fn call(&mut self, function: &str, args: &[Value], context: &CallContext) -> Answer {
        match self.find(function, context)? {
            (Body::Now(body), call) => body(&call, args),
            (Body::Later(_), _) => Err(CallError::new("TypeError", format!("{function} answers with a promise"))),
        }
    }

    fn begin(&mut self, function: &str, args: &[Value], pending: PendingCall) {
        match self.find(function, pending.context()) {
            Ok((Body::Later(body), call)) => match body(call.clone(), args) {
                Ok(work) => self.tasks.run(HostTask::new(work, call, pending)),
                Err(error) => pending.complete(Err(error)),
            },
            Ok((Body::Now(body), call)) => {
                let answer = body(&call, args);
                pending.complete(answer);
            }
            Err(error) => pending.complete(Err(error)),
        }
    }
}

/// One call of a function of the program's: whose it is, how long it may take, what the program gave its session. Cheap to
/// clone, and usable from any thread.
#[derive(Clone)]
pub struct Call {
    context: CallContext,
    opened: Arc<Opened>,
    function: Arc<str>,
}

impl Call {
    /// Returns the id of the session.
    pub fn session_id(&self) -> SessionId {
        self.opened.session.session_id()
    }

    /// Returns the id of the session's template.
    pub fn template_id(&self) -> TemplateId {
        self.opened.session.template_id()
    }

    /// Returns the id of the execution.
    pub fn execution_id(&self) -> ExecutionId {
        self.context.execution_id()
    }

    /// Returns the path of the session's worktree. Whoever opens files by it must bear in mind that scripts can put links
    /// there.
    pub fn worktree_path(&self) -> &Path {
        self.opened.session.worktree_path()
    }

    /// Returns the name of the module.
    pub fn module(&self) -> &str {
        &self.opened.module
    }

    /// Returns the name of the function.
    pub fn function(&self) -> &str {
        &self.function
    }

    /// Returns what the program gave the session of this type: see [`NewSession::with_data`](crate::NewSession::with_data).
    pub fn data<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.opened.session.data()
    }

    /// Returns what the module made for the session, if it is of this type: see [`HostModule::per_session`].
    pub fn state<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.opened.state.downcast_ref()
    }

    /// Returns how much of the execution's `wall_ms` is left.
    pub fn time_left(&self) -> Duration {
        self.context.time_left()
    }

    /// Tells whether the answer is not wanted any more: the execution was cancelled, or is past a limit.
    pub fn should_stop(&self) -> bool {
        self.context.should_stop()
    }

    /// Records output of the function's as an event of the execution.
    ///
    /// # Errors
    /// It was past a limit, or the execution is over: `?` ends the function.
    pub fn print(&self, text: &str) -> std::result::Result<(), Stopped> {
        self.context.emit_stdout(text)
    }

    /// Returns what else there is to know.
    pub fn context(&self) -> &CallContext {
        &self.context
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("module", &self.module())
            .field("function", &self.function())
            .finish_non_exhaustive()
    }
}
