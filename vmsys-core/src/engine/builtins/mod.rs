//! Built-ins in JavaScript: *parts* that are compiled once in the program, and run in a realm when they are first touched.
//!
//! A part is a file with one function expression. It is called with `internal`, its way to everything that is not
//! JavaScript, and returns its exports. The tables say which globals and which modules come from which part.

pub(super) mod bridge;
mod natives;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use rquickjs::object::Property;
use rquickjs::{Array, Ctx, Exception, Function, IntoJs, Object, Persistent, Result, Value};

pub(super) use self::bridge::Bridge;
use self::natives::Native;
use super::bytecode::Script;
use super::cross;
use super::globals::{define, native};
use super::realm::World;
use crate::isolation::protocol::{Granted, GrantedModule, NET};
use crate::value::CallError;

/// A file of built-ins.
struct Part {
    script: Script,
    /// The functions in Rust that it uses.
    natives: &'static [&'static [Native]],
}

/// Declares the parts: a name, its file, and the natives that it uses.
macro_rules! parts {
    ($($name:literal $([$($natives:path),*])?,)+) => {
        static PARTS: [Part; [$($name),+].len()] = [$(Part {
            script: Script::new(concat!("vm:", $name), include_str!(concat!($name, ".js"))),
            natives: &[$($($natives),*)?],
        }),+];
    };
}

parts! {
    "abort" [natives::realm::TIMERS],
    "assert_strict",
    "blob" [natives::bytes::NATIVES, natives::encoding::NATIVES, natives::realm::CLOCK],
    "body",
    "buffer" [natives::buffer::NATIVES],
    "bytes" [natives::bytes::NATIVES],
    "child_process",
    "clone" [natives::realm::CLASSES],
    "commonjs" [natives::commonjs::NATIVES],
    "console",
    "crypto" [natives::crypto::NATIVES, natives::realm::CLASSES],
    "database",
    "db",
    "encoding" [natives::bytes::NATIVES, natives::encoding::NATIVES, natives::realm::CLASSES],
    "events" [natives::realm::CLOCK],
    "exec",
    "fetch",
    "form_data",
    "fs",
    "fs_promises",
    "intl" [natives::intl::NATIVES],
    "message_channel",
    "module" [natives::commonjs::MODULE_NATIVES],
    "node_crypto" [natives::crypto::NODE_NATIVES],
    "node_errors",
    "node_events",
    "node_url",
    "os" [natives::realm::CLOCK],
    "path_win32",
    "perf_hooks",
    "performance" [natives::realm::CLOCK],
    "process" [natives::commonjs::MODULE_NATIVES, natives::process::OUTPUT, natives::realm::CLOCK],
    "process_module" [natives::process::PROCESS],
    "stream_promises",
    "string_decoder" [natives::buffer::NATIVES],
    "timers",
    "timers_promises",
    "tty",
    "url" [natives::url::NATIVES],
    "util" [natives::util::NATIVES],
    "util_types" [natives::realm::CLASSES, natives::util::NATIVES],
    "vendor/assert",
    "vendor/assertion_error",
    "vendor/deep_equal" [natives::buffer::NATIVES],
    "vendor/parse_args",
    "vendor/path",
    "vendor/path_win32",
    "vendor/percent_encoding",
    "vendor/querystring",
    "vendor/stream",
    "vendor/url_legacy",
    "webidl" [natives::realm::CLASSES],
}

/// Globals that are made when they are first touched: a name, the part that it comes from, and its name there.
const GLOBALS: &[(&str, &str, &str)] = &[
    ("AbortController", "abort", "AbortController"),
    ("AbortSignal", "abort", "AbortSignal"),
    ("Blob", "blob", "Blob"),
    ("Buffer", "buffer", "Buffer"),
    ("Crypto", "crypto", "Crypto"),
    ("CustomEvent", "events", "CustomEvent"),
    ("Event", "events", "Event"),
    ("EventTarget", "events", "EventTarget"),
    ("File", "blob", "File"),
    ("FormData", "form_data", "FormData"),
    ("Intl", "intl", "Intl"),
    ("MessageChannel", "message_channel", "MessageChannel"),
    ("MessageEvent", "message_channel", "MessageEvent"),
    ("MessagePort", "message_channel", "MessagePort"),
    ("Performance", "performance", "Performance"),
    ("PerformanceEntry", "performance", "PerformanceEntry"),
    ("PerformanceMark", "performance", "PerformanceMark"),
    ("PerformanceMeasure", "performance", "PerformanceMeasure"),
    ("SubtleCrypto", "crypto", "SubtleCrypto"),
    ("TextDecoder", "encoding", "TextDecoder"),
    ("TextEncoder", "encoding", "TextEncoder"),
    ("URL", "url", "URL"),
    ("URLSearchParams", "url", "URLSearchParams"),
    ("crypto", "crypto", "crypto"),
    ("performance", "performance", "performance"),
    ("require", "commonjs", "require"),
    ("structuredClone", "clone", "structuredClone"),
];

/// The same for those that come with a native module of the library's: a name, the module, the part, and the name there.
const GRANTED_GLOBALS: &[(&str, &str, &str, &str)] = &[
    ("Headers", NET, "fetch", "Headers"),
    ("Request", NET, "fetch", "Request"),
    ("Response", NET, "fetch", "Response"),
    ("db", "database", "db", "db"),
    ("fetch", NET, "fetch", "fetch"),
];

/// Members of `process` that are made when they are first touched.
const PROCESS: &[&str] = &[
    "addListener",
    "arch",
    "browser",
    "emit",
    "emitWarning",
    "eventNames",
    "execArgv",
    "execPath",
    "getMaxListeners",
    "hrtime",
    "listenerCount",
    "listeners",
    "nextTick",
    "off",
    "on",
    "once",
    "pid",
    "prependListener",
    "prependOnceListener",
    "rawListeners",
    "removeAllListeners",
    "removeListener",
    "setMaxListeners",
    "stderr",
    "stdout",
    "uptime",
    "version",
    "versions",
];

/// Modules of ours that every script can load: a name, and the part whose exports it is.
const PURE_MODULES: &[(&str, &str)] = &[
    ("assert", "vendor/assert"),
    ("assert/strict", "assert_strict"),
    ("buffer", "buffer"),
    ("child_process", "child_process"),
    ("console", "console"),
    ("crypto", "node_crypto"),
    ("events", "node_events"),
    ("module", "module"),
    ("os", "os"),
    ("path", "vendor/path"),
    ("path/posix", "vendor/path"),
    ("path/win32", "path_win32"),
    ("perf_hooks", "perf_hooks"),
    ("process", "process_module"),
    ("querystring", "vendor/querystring"),
    ("stream", "vendor/stream"),
    ("stream/promises", "stream_promises"),
    ("string_decoder", "string_decoder"),
    ("timers", "timers"),
    ("timers/promises", "timers_promises"),
    ("tty", "tty"),
    ("url", "node_url"),
    ("util", "util"),
    ("util/types", "util_types"),
];

/// Native modules of the library's whose functions have a face in JavaScript; those of others, and of an embedder's that
/// has the name of one of these, are what the host says. What comes before a
/// slash is the module that must be granted.
const NATIVE_MODULES: &[(&str, &str)] =
    &[("database", "database"), ("exec", "exec"), ("fs", "fs"), ("fs/promises", "fs_promises")];

/// The parts that a realm has run, and what they share.
#[derive(Default)]
pub(super) struct Builtins {
    exports: RefCell<HashMap<&'static str, Persistent<Object<'static>>>>,
    depth: Cell<u32>,
}

/// Gives the exports of a part, and runs it when this is its first use.
pub(super) fn part<'js>(ctx: &Ctx<'js>, world: &Rc<World>, name: &str) -> Result<Object<'js>> {
    let known = world.builtins.exports.borrow().get(name).cloned();
    if let Some(exports) = known {
        return exports.restore(ctx);
    }
    let Some(part) = PARTS.iter().find(|part| part.name() == name) else {
        return Err(Exception::throw_message(ctx, &format!("there is no part '{name}'")));
    };
    let depth = &world.builtins.depth;
    if depth.get() > PARTS.len() as u32 {
        return Err(Exception::throw_message(ctx, &format!("the part '{name}' needs itself")));
    }
    depth.set(depth.get() + 1);
    let exports = part.run(ctx, world);
    depth.set(depth.get() - 1);
    let exports = exports?;
    world.builtins.exports.borrow_mut().insert(part.name(), Persistent::save(ctx, exports.clone()));
    Ok(exports)
}

/// Makes the function by which code of ours in JavaScript asks for a part.
pub(super) fn part_function<'js>(ctx: &Ctx<'js>, world: &Rc<World>) -> Result<Function<'js>> {
    native(ctx, world, "part", |ctx, world, args| {
        let name: String = args.0.first().and_then(|name| name.get().ok()).unwrap_or_default();
        part(ctx, world, &name)
    })
}

/// Gives the exports of a module that is no file; `None` when no template could grant one of that name.
///
/// Names may begin with `node:`. A native module is refused when it is not granted, with a sentence that says how to.
pub(super) fn module<'js>(ctx: &Ctx<'js>, world: &Rc<World>, name: &str) -> Option<Result<Object<'js>>> {
    Some(match find(world, name)? {
        Found::Part(from) => part(ctx, world, from),
        Found::Host(granted) => host_module(ctx, world, granted),
        Found::NotGranted(root) => Err(not_granted(ctx, world, root)),
    })
}

/// Where the exports of a module come from.
enum Found<'a> {
    Part(&'static str),
    Host(&'a GrantedModule),
    NotGranted(&'static str),
}

fn find<'a>(world: &'a World, name: &str) -> Option<Found<'a>> {
    let plain = name.strip_prefix("node:").unwrap_or(name);
    let named = |table: &'static [(&str, &str)]| table.iter().find(|(module, _)| *module == plain);
    let granted = |name: &str| world.granted.modules.iter().find(|granted| granted.name == name);
    if let Some((_, from)) = named(PURE_MODULES) {
        return Some(Found::Part(from));
    }
    if let Some(hosts) = granted(plain).filter(|granted| !granted.is_built_in) {
        return Some(Found::Host(hosts));
    }
    let (face, from) = named(NATIVE_MODULES)?;
    let root = face.split('/').next().unwrap_or(face);
    match granted(root) {
        Some(granted) if granted.is_built_in => Some(Found::Part(from)),
        // `fs/promises` beside an `fs` that is an embedder's.
        Some(_) => None,
        None => Some(Found::NotGranted(root)),
    }
}

/// The name by which a module that is no file is known, whichever way it is written.
pub(super) fn module_name(world: &World, name: &str) -> Option<String> {
    let plain = name.strip_prefix("node:").unwrap_or(name);
    find(world, name).map(|_| format!("node:{plain}"))
}

/// Whether a module that is no file can be loaded here, by its name.
pub(super) fn is_loadable(world: &World, name: &str) -> bool {
    matches!(find(world, name), Some(Found::Part(_) | Found::Host(_)))
}

/// The names of the modules that are no files and that this realm's scripts can load.
fn loadable_modules(world: &World) -> Vec<String> {
    let granted = world.granted.modules.iter().map(|granted| granted.name.clone());
    let mut names: Vec<String> = PURE_MODULES.iter().map(|(name, _)| (*name).to_owned()).chain(granted).collect();
    names.sort_unstable();
    names
}

fn not_granted(ctx: &Ctx<'_>, world: &World, name: &str) -> rquickjs::Error {
    let message =
        format!("the module '{name}' is not granted: add it to the session's template, and create a new session");
    cross::throw(ctx, &world.intrinsics, &CallError::new("Error", message).with_code("ERR_MODULE_NOT_GRANTED"))
}

/// Makes the exports of a module that has no face of its own: one function for each of the host's.
fn host_module<'js>(ctx: &Ctx<'js>, world: &Rc<World>, granted: &GrantedModule) -> Result<Object<'js>> {
    let exports = Object::new(ctx.clone())?;
    for (name, is_async) in &granted.functions {
        exports.prop(name.as_str(), enumerable(bridge::host_function(ctx, world, &granted.name, name, *is_async)?))?;
    }
    Ok(exports)
}

fn enumerable<T>(value: T) -> Property<T> {
    Property::from(value).writable().configurable().enumerable()
}

/// Gives the globals that are made at first touch, for the prelude to install: name, part, export, name, ...
pub(super) fn lazy_globals<'js>(ctx: &Ctx<'js>, granted: &Granted) -> Result<Array<'js>> {
    let of = |module: &str| granted.modules.iter().any(|granted| granted.name == module && granted.is_built_in);
    let has = |module: &str| module == NET && granted.net || of(module);
    let with_modules = GRANTED_GLOBALS.iter().filter(|(_, module, ..)| has(module));
    let with_modules = with_modules.map(|(global, _, part, export)| (*global, *part, *export));
    let flat: Vec<&str> =
        GLOBALS.iter().copied().chain(with_modules).flat_map(|(global, part, export)| [global, part, export]).collect();
    flat.into_js(ctx)?.into_array().ok_or(rquickjs::Error::Unknown)
}

/// Gives the members of `process` that are made at first touch, for the prelude to install.
pub(super) fn lazy_members<'js>(ctx: &Ctx<'js>) -> Result<Array<'js>> {
    let flat: Vec<&str> = PROCESS.iter().flat_map(|name| [*name, "process", *name]).collect();
    flat.into_js(ctx)?.into_array().ok_or(rquickjs::Error::Unknown)
}

impl Part {
    fn name(&self) -> &'static str {
        self.script.name.trim_start_matches("vm:")
    }

    fn run<'js>(&self, ctx: &Ctx<'js>, world: &Rc<World>) -> Result<Object<'js>> {
        let Some(function) = self.script.run(ctx)?.into_function() else {
            return Err(Exception::throw_message(ctx, &format!("{} is no function", self.script.name)));
        };
        function.call((self.internal(ctx, world)?,))
    }

    fn internal<'js>(&self, ctx: &Ctx<'js>, world: &Rc<World>) -> Result<Object<'js>> {
        let internal = Object::new(ctx.clone())?;
        let natives = Object::new(ctx.clone())?;
        for Native { name, body } in self.natives.iter().copied().flatten() {
            let function: Function<'js> = native(ctx, world, name, move |ctx, world, args| body(ctx, world, &args.0))?;
            define(&natives, name, function)?;
        }
        define(&internal, "natives", natives)?;
        define(&internal, "part", part_function(ctx, world)?)?;
        bridge::install(ctx, world, &internal)?;
        Ok(internal)
    }
}

/// What a function in Rust is given.
fn argument<'js>(args: &[Value<'js>], at: usize, ctx: &Ctx<'js>) -> Value<'js> {
    args.get(at).cloned().unwrap_or_else(|| Value::new_undefined(ctx.clone()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::PURE_MODULES;
    use crate::isolation::protocol;

    #[test]
    fn what_needs_no_grant_is_said_to_need_none() {
        let here: BTreeSet<&str> = PURE_MODULES.iter().filter_map(|(name, _)| name.split('/').next()).collect();
        assert_eq!(here, protocol::PURE_MODULES.iter().copied().collect());
    }
}
