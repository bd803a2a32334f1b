//! Native modules: what scripts can ask of their host, and how a host offers it.
//!
//! A [`Module`] is registered on the system once, and opened for each session whose template grants it. No type of the
//! JavaScript engine occurs here: arguments and answers are plain [`Value`]s, because a script may run in another process.

mod call;
mod catalog;
mod database;
mod exec;
mod files;
mod fs;
mod host;
pub(crate) mod loader;
mod session;
#[cfg(test)]
pub(crate) mod testing;
mod types;

pub use self::call::{CallContext, PendingCall, Stopped};
pub(crate) use self::call::{Cancel, Surroundings};
pub(crate) use self::catalog::Catalog;
pub use self::catalog::{FunctionInfo, ModuleInfo};
pub(crate) use self::database::DatabaseModule;
pub(crate) use self::exec::ExecModule;
pub(crate) use self::files::{
    Access, Entry, Fault, Identity, OpenHow, PERMISSIONS, ProtectedFiles, SessionFiles, permissions,
};
pub(crate) use self::fs::Fs;
pub use self::host::{Call, HostArgs, HostError, HostModule, HostTask};
pub use self::session::SessionContext;
pub(crate) use self::session::SessionModules;
pub(crate) use self::types::Types;
use crate::error::Result;
use crate::execution::JsonObject;
use crate::value::{CallError, Value};

/// A native module, as it is registered on a system. A [`HostModule`] is one that is made of closures, which is what most
/// programs want.
///
/// Whatever a script sends is hostile: an implementation checks its arguments itself. A panic in it becomes an error of
/// the script's.
pub trait Module: Send + Sync {
    /// Says what it is.
    fn info(&self) -> ModuleInfo;

    /// Checks the configuration that a template gives it; empty when there is none.
    ///
    /// # Errors
    /// [`Validation`](crate::ErrorKind::Validation) with the name of the key that is unknown or out of range, as in
    /// `config.hosts`.
    fn check_config(&self, config: &JsonObject) -> Result<()>;

    /// Opens it for a session.
    ///
    /// # Errors
    /// It cannot be used with this configuration in this session: the session does not start.
    fn open(&self, session: &SessionContext, config: &JsonObject) -> Result<Box<dyn ModuleInstance>>;
}

/// A module in one session. It is dropped when the session ends.
pub trait ModuleInstance: Send {
    /// Calls a function and waits for its answer, while the script stands still.
    ///
    /// Time that passes counts towards the execution's limits. What may take longer than 20 ms asks
    /// [`should_stop`](CallContext::should_stop) at least that often.
    ///
    /// # Errors
    /// What the script is to catch.
    fn call(&mut self, function: &str, args: &[Value], context: &CallContext) -> Result<Value, CallError>;

    /// Begins a call whose function answers with a promise. It must not wait: what takes time goes to a thread or task
    /// of the module's own, which keeps the [`PendingCall`].
    fn begin(&mut self, function: &str, args: &[Value], call: PendingCall) {
        let result = self.call(function, args, call.context());
        call.complete(result);
    }

    /// Is told that an execution has ended. Calls that it had begun have been cancelled.
    fn end_of_execution(&mut self) {}
}
