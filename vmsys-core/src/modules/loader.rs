//! The loader: finds and reads the code that scripts `require` and `import`.
//!
//! It is a module like others, so that what was loaded can be recorded like any other effect. But every session has it,
//! scripts cannot name it, and no capability binds it: code comes from the worktree, under the template's resolver.

mod package;
mod resolve;

use std::path::Path;

use self::package::Packages;
pub(crate) use self::resolve::Format;
use self::resolve::{Goal, Resolver, Unresolved};
use super::{CallContext, ModuleInstance};
use crate::template::Settings;
use crate::value::{CallError, Value};
use crate::worktree::{Worktree, WorktreePath};

/// No source file is longer.
pub(crate) const MAX_SOURCE_BYTES: u64 = 16 << 20;

/// Modules that Node has and sessions have not, so that who asks for one learns more than that there is none.
const OF_NODE_ONLY: &[&str] = &[
    "async_hooks",
    "cluster",
    "constants",
    "dgram",
    "diagnostics_channel",
    "dns",
    "domain",
    "fs",
    "http",
    "http2",
    "https",
    "inspector",
    "net",
    "punycode",
    "readline",
    "repl",
    "sea",
    "sqlite",
    "sys",
    "test",
    "tls",
    "trace_events",
    "v8",
    "vm",
    "wasi",
    "worker_threads",
    "zlib",
];

/// The loader of one session.
pub(crate) struct Loader {
    resolver: Resolver,
}

impl Loader {
    pub(crate) fn new(worktree: Worktree, root: &Path, settings: &Settings) -> Self {
        Self { resolver: Resolver::new(worktree, root, settings) }
    }

    /// `resolve(specifier, referrer, "import" | "require")`: where the code is, and what it is.
    fn resolve(&mut self, args: &[Value]) -> Result<Value, CallError> {
        let [Value::String(specifier), Value::String(referrer), Value::String(goal)] = args else {
            return Err(CallError::argument("resolve takes a specifier, a referrer and a goal"));
        };
        let goal = if goal == "import" { Goal::Import } else { Goal::Require };
        match self.resolver.resolve(specifier, referrer, goal) {
            Ok(found) => Ok(Value::object([
                ("path", Value::from(found.path)),
                ("file", Value::from(found.file)),
                ("format", Value::from(found.format.as_str())),
            ])),
            Err(unresolved) => Err(refusal(specifier, referrer, goal, unresolved)),
        }
    }

    /// `locate(file)`: the path in the worktree that an absolute one or a `file:` URL names, whatever is there.
    fn locate(&self, args: &[Value]) -> Result<Value, CallError> {
        let [Value::String(file)] = args else { return Err(CallError::argument("locate takes a file")) };
        self.resolver.locate(file).map(Value::String).ok_or_else(|| {
            CallError::new("TypeError", format!("'{file}' is neither an absolute path nor a file: URL of the worktree"))
                .with_code("ERR_INVALID_ARG_VALUE")
        })
    }

    /// `read(path)`: the text of a file that was resolved.
    fn read(&self, args: &[Value], context: &CallContext) -> Result<Value, CallError> {
        let [Value::String(path)] = args else { return Err(CallError::argument("read takes a path")) };
        let most = MAX_SOURCE_BYTES.min(context.max_reply_bytes() as u64);
        let source = WorktreePath::parse(path).and_then(|path| self.resolver.worktree().read_source(&path, most));
        source.map(Value::String).map_err(|error| {
            let code = if error.is_not_found() { "ENOENT" } else { "EACCES" };
            CallError::new("Error", error.message()).with_code(code)
        })
    }
}

impl ModuleInstance for Loader {
    fn call(&mut self, function: &str, args: &[Value], context: &CallContext) -> Result<Value, CallError> {
        match function {
            "resolve" => self.resolve(args),
            "read" => self.read(args, context),
            "locate" => self.locate(args),
            _ => Err(CallError::argument("the loader has no such function")),
        }
    }

    fn end_of_execution(&mut self) {
        // A package may be installed between two executions.
        self.resolver.forget_packages();
    }
}

/// Says what a file is that is run by itself, by its name and by the package that it belongs to.
pub(crate) fn format_of(worktree: &Worktree, path: &WorktreePath, esm: bool) -> Format {
    resolve::format(worktree, &mut Packages::default(), path.as_str(), esm)
}

/// Whether a name is that of a module which Node has and not every session.
fn is_of_node(name: &str) -> bool {
    name.split('/').next().is_some_and(|name| OF_NODE_ONLY.contains(&name))
}

fn not_in_sessions(name: &str) -> String {
    format!("the Node module '{name}' is not available in sessions")
}

fn refusal(specifier: &str, referrer: &str, goal: Goal, unresolved: Unresolved) -> CallError {
    let from = if referrer.is_empty() { "the session's worktree".to_owned() } else { format!("'{referrer}'") };
    let not_found = |what: String, hint: &str| {
        let code = if goal == Goal::Import { "ERR_MODULE_NOT_FOUND" } else { "MODULE_NOT_FOUND" };
        CallError::new("Error", format!("Cannot find {what} '{specifier}' from {from}{hint}")).with_code(code)
    };
    match unresolved {
        Unresolved::File => not_found("module".to_owned(), ""),
        Unresolved::Package if is_of_node(specifier) => CallError::new("Error", not_in_sessions(specifier))
            .with_code(if goal == Goal::Import { "ERR_MODULE_NOT_FOUND" } else { "MODULE_NOT_FOUND" }),
        Unresolved::Package => not_found(
            "package".to_owned(),
            ": it is neither in a node_modules directory nor in one of the resolver's roots",
        ),
        Unresolved::Outside => {
            CallError::new("Error", format!("'{specifier}' from {from} leads out of the worktree")).with_code("EACCES")
        }
        Unresolved::Absolute => CallError::new(
            "Error",
            format!(
                "'{specifier}' from {from} is absolute and not in the worktree; to have it mean a path from the \
                 worktree's root, set resolver.allow_absolute_repo_imports in the template"
            ),
        )
        .with_code("EACCES"),
        Unresolved::Scheme if specifier.starts_with("node:") => {
            let name = specifier.trim_start_matches("node:");
            let message =
                if is_of_node(name) { not_in_sessions(name) } else { format!("No such built-in module: {specifier}") };
            CallError::new("Error", message).with_code("ERR_UNKNOWN_BUILTIN_MODULE")
        }
        Unresolved::Scheme => {
            CallError::new("Error", format!("'{specifier}' from {from}: only file: URLs can be loaded"))
                .with_code("ERR_UNSUPPORTED_ESM_URL_SCHEME")
        }
        Unresolved::NotExported(package) => {
            CallError::new("Error", format!("'{specifier}' from {from}: the package '{package}' does not export it"))
                .with_code("ERR_PACKAGE_PATH_NOT_EXPORTED")
        }
        Unresolved::NotImported => {
            CallError::new("TypeError", format!("'{specifier}' is not defined in \"imports\" of the package of {from}"))
                .with_code("ERR_PACKAGE_IMPORT_NOT_DEFINED")
        }
        Unresolved::BadPackage(path) => CallError::new("Error", format!("'{path}' is no valid package.json"))
            .with_code("ERR_INVALID_PACKAGE_CONFIG"),
        Unresolved::Specifier => {
            CallError::new("TypeError", format!("'{specifier}' from {from} is no valid module name"))
                .with_code("ERR_INVALID_MODULE_SPECIFIER")
        }
    }
}
