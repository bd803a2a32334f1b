//! Which modules a template can be given, and why a name is none of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::loader::Loader;
use super::{DatabaseModule, ExecModule, Fs, Module, ModuleInstance, SessionContext, Types};

use crate::JsonObject;
use crate::error::{Error, ErrorKind, Result};
use crate::fields::Fields;
use crate::identifier::is_identifier;
use crate::isolation::Sandbox;
use crate::isolation::protocol::{Granted, GrantedModule, LOADER, NET, is_pure};
use crate::template::Grants;
use crate::typescript::{self, Parameters};
use crate::value::JsonText;

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
    /// TypeScript declarations that the signatures of its functions refer to.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub declarations: String,
}

/// A function of a module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FunctionInfo {
    /// The name.
    pub name: String,
    /// Whether it answers a promise.
    pub is_async: bool,
    /// How it looks in TypeScript, from the opening bracket on: `(sku: string): Item`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// How many arguments it takes, if that is known: then its signature has as many parameters.
    #[serde(skip)]
    pub(crate) arity: Option<usize>,
}

impl ModuleInfo {
    /// A module without functions yet.
    ///
    /// ```
    /// let info = vmsys_core::ModuleInfo::new("mail", "Sends mail").function("check").async_function("send");
    /// assert!(info.functions[1].is_async);
    /// ```
    pub fn new(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self { name: name.into(), description: description.into(), functions: Vec::new(), declarations: String::new() }
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
        self.functions.push(FunctionInfo { name, is_async, signature: None, description: None, arity: None });
        self
    }

    /// The same, in which the last function looks like this in TypeScript: `(sku: string): Item`.
    pub fn signature(mut self, signature: impl Into<String>) -> Self {
        if let Some(last) = self.functions.last_mut() {
            last.signature = Some(signature.into());
        }
        self
    }

    /// The same, in which the last function takes so many arguments.
    pub(crate) fn arity(mut self, arity: Option<usize>) -> Self {
        if let Some(last) = self.functions.last_mut() {
            last.arity = arity;
        }
        self
    }

    /// The same, in which the last function is for this.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        if let Some(last) = self.functions.last_mut() {
            last.description = Some(description.into());
        }
        self
    }

    /// The same with more TypeScript declarations that signatures refer to.
    pub fn declare(mut self, declarations: &str) -> Self {
        self.declarations.push_str(declarations);
        self.declarations.push('\n');
        self
    }
}

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
    "undefined",
    "URL",
    "URLSearchParams",
    "WeakMap",
    "WeakRef",
    "WeakSet",
];

/// The modules that there are, by name.
pub(crate) struct Catalog {
    infos: Vec<ModuleInfo>,
    modules: BTreeMap<String, Arc<dyn Module>>,
    /// The names of those that are an embedder's.
    offered: BTreeSet<String>,
    net: Option<Arc<dyn Module>>,
}

impl Catalog {
    /// Those that come with the library, others, and what provides a network.
    ///
    /// # Errors
    /// [`Validation`](ErrorKind::Validation) for a name that scripts could not load it by.
    pub(crate) fn new(others: Vec<Arc<dyn Module>>, net: Option<Arc<dyn Module>>, sandbox: Sandbox) -> Result<Self> {
        let mut catalog = Self { net, ..Self::built_in(sandbox) };
        for module in others {
            let info = module.info();
            check_info(&info)?;
            let name = info.name;
            catalog.modules.insert(name.clone(), module);
            catalog.offered.insert(name);
        }
        catalog.infos = catalog.modules.values().map(|module| module.info()).collect();
        Ok(catalog)
    }

    /// Those that come with the library.
    pub(crate) fn built_in(sandbox: Sandbox) -> Self {
        let own: [Arc<dyn Module>; 3] = [Arc::new(DatabaseModule), Arc::new(ExecModule::new(sandbox)), Arc::new(Fs)];
        let modules: BTreeMap<_, _> = own.into_iter().map(|module| (module.info().name, module)).collect();
        let infos = modules.values().map(|module| module.info()).collect();
        Self { infos, modules, offered: BTreeSet::new(), net: None }
    }

    /// Declares in TypeScript what scripts see of what they are granted.
    pub(crate) fn types(&self, grants: &Grants) -> String {
        let mut types = Types::new();
        for info in self.infos.iter().filter(|info| grants.modules.contains_key(&info.name)) {
            if self.offered.contains(&info.name) { types.module(info) } else { types.built_in(&info.name) }
        }
        if self.has_network() && !grants.net.is_empty() {
            types.network();
        }
        types.globals(&grants.globals);
        types.env(grants.env.keys());
        types.finish()
    }

    pub(crate) fn all(&self) -> &[ModuleInfo] {
        &self.infos
    }

    /// Tells whether somebody provides a network for `fetch`.
    pub(crate) fn has_network(&self) -> bool {
        self.net.is_some()
    }

    /// Opens what a session is granted.
    pub(crate) fn open(
        &self,
        session: &SessionContext,
        grants: &Grants,
        loader: Loader,
    ) -> Result<BTreeMap<String, Box<dyn ModuleInstance>>> {
        let mut open: BTreeMap<String, Box<dyn ModuleInstance>> = BTreeMap::new();
        open.insert(LOADER.to_owned(), Box::new(loader));
        for (name, config) in &grants.modules {
            let Some(module) = self.modules.get(name) else { continue };
            open.insert(name.clone(), module.open(session, config)?);
        }
        if let Some(net) = self.net.as_ref().filter(|_| !grants.net.is_empty()) {
            let policies = serde_json::to_value(&grants.net)
                .map_err(|cause| Error::internal("policies of a network could not be written", cause))?;
            let config = JsonObject::from_iter([("policies".to_owned(), policies)]);
            open.insert(NET.to_owned(), net.open(session, &config)?);
        }
        Ok(open)
    }

    /// What the scripts of a session see of what it is granted.
    pub(crate) fn granted(&self, grants: Grants) -> Granted {
        let of_grant = |info: &&ModuleInfo| grants.modules.contains_key(&info.name);
        let module = |info: &ModuleInfo| GrantedModule {
            name: info.name.clone(),
            is_built_in: !self.offered.contains(&info.name),
            functions: info.functions.iter().map(|function| (function.name.clone(), function.is_async)).collect(),
        };
        let global = |(name, value): (String, serde_json::Value)| (name, JsonText::trusted(value.to_string()));
        Granted {
            modules: self.infos.iter().filter(of_grant).map(module).collect(),
            net: self.has_network() && !grants.net.is_empty(),
            globals: grants.globals.into_iter().map(global).collect(),
            env: grants.env.into_iter().collect(),
        }
    }

    /// Checks that a module can be granted.
    ///
    /// # Errors
    /// [`ModuleNotAllowed`](ErrorKind::ModuleNotAllowed) with a message that says which of three cases it is. Detail:
    /// `module`.
    pub(crate) fn check_name(&self, name: &str) -> Result<()> {
        if self.infos.iter().any(|module| module.name == name) {
            return Ok(());
        }
        let shown: String = name.chars().take(100).collect();
        let why = if is_pure(name.strip_prefix("node:").unwrap_or(name)) {
            format!("{shown:?} is a built-in module, which needs no grant: every session can load it")
        } else if BUILT_IN.contains(&name) {
            format!("{shown:?} is a built-in of JavaScript or of the runtime, which needs no grant and is no module")
        } else {
            let known: Vec<&str> = self.infos.iter().map(|module| module.name.as_str()).collect();
            format!("there is no module {shown:?} to be granted: the modules are {}", known.join(", "))
        };
        Err(Error::new(ErrorKind::ModuleNotAllowed, why).with("module", shown))
    }

    /// Checks the configuration of a module that there is.
    ///
    /// # Errors
    /// [`Validation`](ErrorKind::Validation) with the field; [`InvalidPath`](ErrorKind::InvalidPath).
    pub(crate) fn check_config(&self, name: &str, config: &JsonObject) -> Result<()> {
        match self.modules.get(name) {
            Some(module) => module.check_config(config),
            None => Fields::of(config, &[]).map(drop),
        }
    }
}

/// Checks what an embedder says of a module: whether scripts can load it and its functions, and its types be read.
fn check_info(info: &ModuleInfo) -> Result<()> {
    check_offered(&info.name)?;
    let wrong = |why: String| Err(Error::validation("modules", format!("the module {:?} {why}", info.name)));
    let mut names = BTreeSet::new();
    for function @ FunctionInfo { name, .. } in &info.functions {
        if !is_identifier(name) {
            return wrong(format!("has a function {name:?}, which is no name that scripts can import"));
        }
        if !names.insert(name) {
            return wrong(format!("has two functions of the name {name:?}"));
        }
        if let Some(why) = function.signature.as_deref().and_then(|signature| misfit(signature, function.arity)) {
            return wrong(format!("has a function {name:?}, whose signature {why}"));
        }
    }
    match typescript::check_declarations(&Types::of_module(info)) {
        Ok(()) => Ok(()),
        Err(problem) => wrong(format!("says of its types what is no TypeScript: {}", problem.message)),
    }
}

/// What is wrong with a signature, if anything is.
fn misfit(signature: &str, arity: Option<usize>) -> Option<String> {
    let (count, has_rest) = match typescript::parameters(signature) {
        Ok(Parameters { count, has_rest }) => (count, has_rest),
        Err(problem) => return Some(format!("is no TypeScript: {}", problem.message)),
    };
    let arity = arity.filter(|arity| if has_rest { count > *arity } else { count != *arity })?;
    let parameters = if count == 1 { "parameter" } else { "parameters" };
    Some(format!("has {count} {parameters}, where it takes {arity}"))
}

/// Checks the name of a module that an embedder offers.
fn check_offered(name: &str) -> Result<()> {
    let why = if name.is_empty() {
        "must not be empty".to_owned()
    } else if name.contains(':') {
        format!("{name:?} must not have a colon, as node:fs and what is not for scripts have")
    } else if is_pure(name) {
        format!("{name:?} is a module that every session can load without a grant")
    } else {
        return Ok(());
    };
    Err(Error::validation("modules", format!("the name of a module {why}")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    #[test]
    fn the_catalogue_is_sorted_and_its_modules_can_be_granted() {
        let catalog = Catalog::built_in(Sandbox::default());
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
        let catalog = Catalog::built_in(Sandbox::default());
        for (name, words) in [
            ("JSON", "built-in"),
            ("Math", "built-in"),
            ("Date", "built-in"),
            ("console", "needs no grant: every session can load it"),
            ("path", "needs no grant: every session can load it"),
            ("os", "needs no grant: every session can load it"),
            ("path/posix", "needs no grant: every session can load it"),
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

    struct Offered(&'static str);

    impl Module for Offered {
        fn info(&self) -> ModuleInfo {
            ModuleInfo::new(self.0, "An embedder's").function("f")
        }

        fn check_config(&self, _: &JsonObject) -> Result<()> {
            Ok(())
        }

        fn open(&self, _: &SessionContext, _: &JsonObject) -> Result<Box<dyn ModuleInstance>> {
            Err(Error::validation("test", "is not opened"))
        }
    }

    fn catalog_with(names: &[&'static str]) -> Result<Catalog> {
        let offered = names.iter().map(|name| Arc::new(Offered(name)) as Arc<dyn Module>);
        Catalog::new(offered.collect(), None, Sandbox::default())
    }

    #[test]
    fn a_module_that_scripts_could_not_load_is_refused() {
        for name in ["", "os", "path", "path/posix", "timers/promises", "node:fs", "vm:net", "vm:loader", "a:b"] {
            let error = catalog_with(&["mail", name]).err().unwrap();
            assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some("modules")), "{name}");
        }
        catalog_with(&["mail", "@shop/stock", "osx", "fs/own"]).unwrap();
    }

    #[test]
    fn an_embedders_module_takes_a_built_in_ones_place() {
        let catalog = catalog_with(&["mail", "fs", "mail"]).unwrap();
        let names = ["database", "fs", "mail"].map(|name| (name.to_owned(), JsonObject::new()));
        let grants = Grants {
            modules: names.into(),
            fs: None,
            net: Vec::new(),
            env: BTreeMap::new(),
            globals: JsonObject::new(),
            libraries: Vec::new(),
        };
        let granted = catalog.granted(grants);
        let seen: Vec<_> = granted.modules.iter().map(|module| (&*module.name, module.is_built_in)).collect();
        assert_eq!(seen, [("database", true), ("fs", false), ("mail", false)]);
        assert_eq!(granted.modules[1].functions, [("f".to_owned(), false)]);
    }

    #[test]
    fn configurations_of_modules_are_strict() {
        let catalog = Catalog::built_in(Sandbox::default());
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
