//! Which modules a template can be given, and why a name is none of them.

use serde::{Deserialize, Serialize};

use crate::JsonObject;
use crate::error::{Error, ErrorKind, Result};
use crate::fields::{Fields, wrong};
use crate::worktree::WorktreePath;

/// What a module offers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ModuleInfo {
    /// The name under which scripts load it.
    pub name: String,
    /// What it is for, in one sentence.
    pub description: String,
    /// Its functions.
    pub functions: Vec<FunctionInfo>,
}

/// A function of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionInfo {
    /// The name.
    pub name: String,
    /// Whether it answers a promise.
    pub is_async: bool,
}

impl ModuleInfo {
    /// A module without functions yet.
    ///
    /// ```
    /// let info = vmsys_core::ModuleInfo::new("mail", "Sends mail").function("check").async_function("send");
    /// assert!(info.functions[1].is_async);
    /// ```
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { name: name.into(), description: description.into(), functions: Vec::new() }
    }

    /// The same with a function that answers at once.
    pub fn function(self, name: impl Into<String>) -> Self {
        self.with(name.into(), false)
    }

    /// The same with a function that answers a promise.
    pub fn async_function(self, name: impl Into<String>) -> Self {
        self.with(name.into(), true)
    }

    fn with(mut self, name: String, is_async: bool) -> Self {
        self.functions.push(FunctionInfo { name, is_async });
        self
    }
}

/// Modules that every session can load without a grant: they have no effects.
pub(crate) const PURE: &[&str] = &["assert", "buffer", "events", "path", "url", "util"];

/// What every session has, or has by its settings: names that people try to add as modules.
const BUILT_IN: &[&str] = &[
    "AbortController",
    "Array",
    "ArrayBuffer",
    "Atomics",
    "BigInt",
    "Blob",
    "Boolean",
    "Buffer",
    "console",
    "crypto",
    "DataView",
    "Date",
    "Error",
    "Event",
    "EventTarget",
    "Function",
    "globalThis",
    "Infinity",
    "Intl",
    "Iterator",
    "JSON",
    "Map",
    "Math",
    "NaN",
    "Number",
    "Object",
    "parseFloat",
    "parseInt",
    "performance",
    "process",
    "Promise",
    "Proxy",
    "queueMicrotask",
    "Reflect",
    "RegExp",
    "require",
    "Set",
    "setInterval",
    "setTimeout",
    "String",
    "structuredClone",
    "Symbol",
    "TextDecoder",
    "TextEncoder",
    "timers",
    "undefined",
    "URL",
    "URLSearchParams",
    "WeakMap",
    "WeakRef",
    "WeakSet",
];

/// The modules that there are, by name.
#[derive(Debug, Clone)]
pub(crate) struct Catalog(Vec<ModuleInfo>);

impl Catalog {
    /// The modules that come with the library.
    pub(crate) fn built_in() -> Self {
        let fs =
            ["readFile", "writeFile", "appendFile", "exists", "stat", "readdir", "mkdir", "rm", "rename", "copyFile"];
        let fs = fs.iter().fold(ModuleInfo::new("fs", "Files of the session's worktree, as in Node"), |info, name| {
            info.function(format!("{name}Sync"))
        });
        let fs = fs.async_function("promises");
        Self(vec![
            ModuleInfo::new("database", "SQLite databases in the session's worktree, or in memory")
                .function("configure")
                .function("query")
                .function("exec")
                .function("close"),
            ModuleInfo::new("exec", "Commands of the host, without a shell").function("run").async_function("spawn"),
            fs,
        ])
    }

    pub(crate) fn all(&self) -> &[ModuleInfo] {
        &self.0
    }

    /// Checks that a module can be granted.
    ///
    /// # Errors
    /// [`ModuleNotAllowed`](ErrorKind::ModuleNotAllowed) with a message that says which of three cases it is. Detail:
    /// `module`.
    pub(crate) fn check_name(&self, name: &str) -> Result<()> {
        if self.0.iter().any(|module| module.name == name) {
            return Ok(());
        }
        let shown: String = name.chars().take(100).collect();
        let why = if PURE.contains(&name.strip_prefix("node:").unwrap_or(name)) {
            format!("{shown:?} needs no grant: every session can load it")
        } else if BUILT_IN.contains(&name) {
            format!("{shown:?} is a built-in of JavaScript or of the runtime, which needs no grant and is no module")
        } else {
            let known: Vec<&str> = self.0.iter().map(|module| module.name.as_str()).collect();
            format!("there is no module {shown:?} to be granted: the modules are {}", known.join(", "))
        };
        Err(Error::new(ErrorKind::ModuleNotAllowed, why).with("module", shown))
    }

    /// Checks the configuration of a module that there is.
    ///
    /// # Errors
    /// [`Validation`](ErrorKind::Validation) with the field; [`InvalidPath`](ErrorKind::InvalidPath).
    pub(crate) fn check_config(&self, name: &str, config: &JsonObject) -> Result<()> {
        match name {
            "exec" => Fields::of(config, &["commands"])?.strings("commands", command).map(drop),
            "database" => {
                let fields = Fields::of(config, &["path", "read_only"])?;
                fields.bool("read_only")?;
                match fields.string("path")? {
                    None | Some(":memory:") => Ok(()),
                    Some(path) => {
                        WorktreePath::parse(path).map(drop).map_err(|error| error.with("field", "config.path"))
                    }
                }
            }
            _ => Fields::of(config, &[]).map(drop),
        }
    }
}

/// A name that is looked up on the host's `PATH`, or the absolute path of a program.
fn command(field: &str, text: &str) -> Result<()> {
    let name = !text.is_empty() && !text.contains('/') && text != "." && text != "..";
    if (name || text.starts_with('/') && !text.ends_with('/')) && !text.contains('\0') {
        return Ok(());
    }
    let key = field.trim_start_matches("config.");
    Err(wrong(key, "must be the name of a command, or its absolute path"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    #[test]
    fn the_catalogue_is_sorted_and_its_modules_can_be_granted() {
        let catalog = Catalog::built_in();
        let names: Vec<&str> = catalog.all().iter().map(|module| module.name.as_str()).collect();
        assert_eq!(names, ["database", "exec", "fs"]);
        for module in catalog.all() {
            catalog.check_name(&module.name).unwrap();
            catalog.check_config(&module.name, &JsonObject::new()).unwrap();
            assert!(!module.description.is_empty() && !module.functions.is_empty());
        }
    }

    #[test]
    fn a_refusal_says_which_case_it_is() {
        let catalog = Catalog::built_in();
        for (name, words) in [
            ("JSON", "built-in"),
            ("Math", "built-in"),
            ("Date", "built-in"),
            ("console", "built-in"),
            ("path", "needs no grant: every session can load it"),
            ("node:util", "needs no grant: every session can load it"),
            ("net", "the modules are database, exec, fs"),
            ("FS", "the modules are"),
            ("node:fs", "the modules are"),
            ("", "the modules are"),
            ("__proto__", "the modules are"),
        ] {
            let error = catalog.check_name(name).unwrap_err();
            assert_eq!((error.code(), error.detail("module")), ("MODULE_NOT_ALLOWED", Some(name)));
            assert!(error.message().contains(words), "{name}: {error}");
        }
        assert!(catalog.check_name(&"x".repeat(10_000)).unwrap_err().message().len() < 300);
    }

    #[test]
    fn configurations_of_modules_are_strict() {
        let catalog = Catalog::built_in();
        let check = |name: &str, config: serde_json::Value| catalog.check_config(name, config.as_object().unwrap());
        for (name, config) in [
            ("exec", json!({"commands": ["git", "/usr/bin/jq", "a.out"]})),
            ("exec", json!({"commands": []})),
            ("database", json!({"path": "data/x.db", "read_only": true})),
            ("database", json!({"path": ":memory:"})),
        ] {
            check(name, config).unwrap();
        }
        for (name, config, code, field) in [
            ("fs", json!({"read": ["."]}), "VALIDATION_ERROR", "config.read"),
            ("exec", json!({"comands": []}), "VALIDATION_ERROR", "config.comands"),
            ("exec", json!({"commands": "git"}), "VALIDATION_ERROR", "config.commands"),
            ("exec", json!({"commands": ["git", ""]}), "VALIDATION_ERROR", "config.commands[1]"),
            ("exec", json!({"commands": ["./git"]}), "VALIDATION_ERROR", "config.commands[0]"),
            ("exec", json!({"commands": ["/bin/"]}), "VALIDATION_ERROR", "config.commands[0]"),
            ("exec", json!({"commands": [".."]}), "VALIDATION_ERROR", "config.commands[0]"),
            ("exec", json!({"commands": ["a\u{0}"]}), "VALIDATION_ERROR", "config.commands[0]"),
            ("database", json!({"read_only": "yes"}), "VALIDATION_ERROR", "config.read_only"),
            ("database", json!({"path": 7}), "VALIDATION_ERROR", "config.path"),
            ("database", json!({"path": "../x.db"}), "INVALID_PATH", "config.path"),
            ("database", json!({"path": "/x.db"}), "INVALID_PATH", "config.path"),
        ] {
            let error = check(name, config.clone()).unwrap_err();
            assert_eq!((error.code(), error.detail("field")), (code, Some(field)), "{name} {config}");
        }
    }
}
