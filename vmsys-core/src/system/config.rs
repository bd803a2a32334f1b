//! How a system is set up.

use std::path::PathBuf;
use std::sync::Arc;

#[cfg(doc)]
use super::VmSystem;
use super::host_env::HostEnv;
use super::{Bounds, Retention};
use crate::isolation::Sandbox;
use crate::modules::{HostModule, Module};
use crate::store::Durability;
use crate::template::Isolation;

/// How a [`VmSystem`] is set up.
///
/// ```
/// use vmsys_core::{Config, Durability, VmSystem};
/// let mut config = Config::default();
/// config.durability = Durability::Normal;
/// let vm = VmSystem::with_config(config)?; // no database named: in memory
/// assert_eq!(vm.runtime_summary().active_sessions, 0);
/// # Ok::<(), vmsys_core::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Config {
    /// The database file, created when it is missing; `None` keeps everything in memory.
    pub database: Option<PathBuf>,
    /// When a commit counts as done.
    pub durability: Durability,
    /// The directory of libraries; `None` for no libraries. A relative path is taken from the current directory when
    /// the system is opened.
    pub library_cache: Option<PathBuf>,
    /// What it takes on at once.
    pub bounds: Bounds,
    /// Where the sessions of templates run that do not say it themselves; [`Isolation::Default`] are threads. Processes need
    /// a program that calls [`become_worker`](crate::become_worker) before it has threads, or [`worker`](Self::worker).
    pub isolation: Isolation,
    /// The program that worker processes run, unless it is this one: it must call [`become_worker`](crate::become_worker),
    /// and be of the same version.
    pub worker: Option<PathBuf>,
    /// How strictly worker processes and the programs of scripts are confined.
    pub sandbox: Sandbox,
    /// How long it keeps history: for ever, unless this is set.
    pub retention: Retention,
    pub(super) host_env: HostEnv,
    pub(super) modules: Modules,
}

impl Config {
    /// Offers a module to templates, besides those that come with the library. A later one of the same name takes its
    /// place; and so does one that is called `fs`, `exec` or `database` take that of the library's, with all that comes
    /// with it, as `fs/promises` and the global `db`: scripts find the functions that [`Module::info`] lists.
    ///
    /// The name must be one that scripts can load: not empty, without a colon, and not that of a module that every session
    /// can load without a grant, as `path` is. [`VmSystem::with_config`] refuses others.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use vmsys_core::{
    ///     CallContext, CallError, Config, Error, JsonObject, Module, ModuleInfo, ModuleInstance, NewSession, NewTemplate,
    ///     SessionContext, Value, VmSystem,
    /// };
    ///
    /// struct Inventory;
    ///
    /// impl Module for Inventory {
    ///     fn info(&self) -> ModuleInfo {
    ///         ModuleInfo::new("inventory", "What is in stock").function("count")
    ///     }
    ///     fn check_config(&self, _: &JsonObject) -> Result<(), Error> {
    ///         Ok(())
    ///     }
    ///     fn open(&self, _: &SessionContext, _: &JsonObject) -> Result<Box<dyn ModuleInstance>, Error> {
    ///         Ok(Box::new(Self))
    ///     }
    /// }
    ///
    /// impl ModuleInstance for Inventory {
    ///     fn call(&mut self, _: &str, args: &[Value], _: &CallContext) -> Result<Value, CallError> {
    ///         match args {
    ///             [Value::String(thing)] => Ok(Value::Number(thing.len() as f64)),
    ///             _ => Err(CallError::argument("count takes the name of a thing")),
    ///         }
    ///     }
    /// }
    ///
    /// let mut config = Config::default();
    /// config.module(Arc::new(Inventory));
    /// let vm = VmSystem::with_config(config)?;
    /// let template = vm.create_template(NewTemplate::named("shop"))?;
    /// vm.add_module(template.id, "inventory")?;
    /// let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// let run = session.repl("require('inventory').count('apple')")?;
    /// assert_eq!(run.result.ok_or("it threw")?.preview, "5");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn module(&mut self, module: Arc<dyn Module>) {
        self.modules.offered.push(module);
    }

    /// Offers a module of functions in Rust, typed by serde: [`module`](Self::module) for a [`HostModule`], which has an
    /// example.
    pub fn host_module(&mut self, module: HostModule) {
        self.module(Arc::new(module));
    }

    /// Offers a network: what answers `fetch` in sessions whose template has an enabled capability of the kind `net`.
    /// The library has none of its own; vmsys-server has one.
    ///
    /// It has one function, `fetch`, which answers with a promise. It is opened with `{"policies": [...]}`, one
    /// [`NetPolicy`](crate::NetPolicy) of each enabled capability, and called with `{url, method, headers, body, redirect}`,
    /// where headers are pairs of a name and a value of characters up to U+00FF, and the body is bytes or null. It answers
    /// `{url, redirected, status, statusText, headers, body}`. What a policy does not allow is an error with the code
    /// `EPERM`; any other becomes the cause of a `TypeError: fetch failed`.
    pub fn net(&mut self, net: Arc<dyn Module>) {
        self.modules.net = Some(net);
    }

    /// Says what variables of the host's environment are, for capabilities of the kind `env` that ask for one with
    /// `from_host`. It is asked whenever a session is created. Unless it is set, no variable has a value: the library
    /// itself reads no environment.
    ///
    /// ```
    /// let mut config = vmsys_core::Config::default();
    /// config.host_env(|name| std::env::var(name).ok());
    /// # vmsys_core::VmSystem::with_config(config)?;
    /// # Ok::<(), vmsys_core::Error>(())
    /// ```
    pub fn host_env(&mut self, lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static) {
        self.host_env = HostEnv::new(lookup);
    }
}

/// What a program offers to templates.
#[derive(Clone, Default)]
pub(super) struct Modules {
    pub(super) offered: Vec<Arc<dyn Module>>,
    pub(super) net: Option<Arc<dyn Module>>,
}

impl std::fmt::Debug for Modules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<String> = self.offered.iter().map(|module| module.info().name).collect();
        f.debug_struct("Modules").field("offered", &names).field("net", &self.net.is_some()).finish()
    }
}
