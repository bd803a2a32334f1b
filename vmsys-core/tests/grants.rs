//! What templates can be given, seen from a program that embeds the library.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use vmsys_core::{
    Capability, CapabilityKind, Config, Error, ErrorKind, NewCapability, NewSession, NewTemplate, Session, TemplateId,
    TemplatePatch, VmSystem,
};

fn with_template() -> (VmSystem, TemplateId) {
    let vm = VmSystem::in_memory().unwrap();
    let template = vm.create_template(NewTemplate::named("t")).unwrap();
    (vm, template.id)
}

fn session(vm: &VmSystem, template: TemplateId) -> Session {
    vm.create_session(NewSession::new(template, std::env::temp_dir())).unwrap()
}

fn meta(session: &Session, name: &str) -> Value {
    session.record().unwrap().runtime_meta[name].clone()
}

fn add(
    vm: &VmSystem,
    template: TemplateId,
    kind: CapabilityKind,
    name: &str,
    config: Value,
) -> Result<Capability, Error> {
    let new = NewCapability::new(kind, name).enabled().with_config(config.as_object().unwrap().clone());
    vm.add_capability(template, new)
}

#[test]
fn a_session_keeps_what_it_was_created_with() {
    let (vm, template) = with_template();
    vm.add_module(template, "exec").unwrap();
    let before = session(&vm, template);
    let files = add(&vm, template, CapabilityKind::Fs, "files", json!({})).unwrap();
    vm.remove_module(template, "exec").unwrap();
    let after = session(&vm, template);
    assert_eq!(meta(&before, "modules"), json!(["exec"]));
    assert_eq!(meta(&after, "modules"), json!(["fs"]));
    assert_eq!(meta(&after, "libraries"), json!([]));

    vm.remove_capability(template, files.id).unwrap();
    vm.remove_capability(template, files.id).unwrap();
    assert_eq!(meta(&session(&vm, template), "modules"), json!([]));
}

#[test]
fn modules_and_libraries_are_added_once_and_in_order() {
    let (vm, template) = with_template();
    for name in ["fs", "database", "fs"] {
        vm.add_module(template, name).unwrap();
    }
    for name in ["ramda", "lodash-4.17.21", "ramda"] {
        vm.add_library(template, name).unwrap();
    }
    assert_eq!(vm.modules(template).unwrap(), ["fs", "database"]);
    assert_eq!(vm.libraries(template).unwrap(), ["ramda", "lodash-4.17.21"]);
    let detail = vm.template(template).unwrap().template;
    assert_eq!(
        (detail.exposed_modules, detail.libraries),
        (vm.modules(template).unwrap(), vm.libraries(template).unwrap())
    );
    vm.remove_library(template, "ramda").unwrap();
    vm.remove_library(template, "never-there").unwrap();
    assert_eq!(vm.libraries(template).unwrap(), ["lodash-4.17.21"]);
}

#[test]
fn what_there_is_not_is_refused() {
    let (vm, template) = with_template();
    for (error, kind, detail) in [
        (vm.add_module(template, "JSON").unwrap_err(), ErrorKind::ModuleNotAllowed, ("module", "JSON")),
        (vm.add_library(template, "jquery").unwrap_err(), ErrorKind::LibraryNotFound, ("library", "jquery")),
        (
            vm.add_library(template, "lodash-1.0.0").unwrap_err(),
            ErrorKind::LibraryNotFound,
            ("library", "lodash-1.0.0"),
        ),
        (vm.add_library(template, "../x").unwrap_err(), ErrorKind::Validation, ("field", "name")),
        (
            add(&vm, template, CapabilityKind::Module, "path", json!({})).unwrap_err(),
            ErrorKind::ModuleNotAllowed,
            ("module", "path"),
        ),
        // Nobody provides a network here; what is wrong in itself is said first.
        (
            add(&vm, template, CapabilityKind::Net, "n", json!({"hosts": ["a.example"]})).unwrap_err(),
            ErrorKind::Validation,
            ("field", "kind"),
        ),
        (
            add(&vm, template, CapabilityKind::Net, "n", json!({"hosts": []})).unwrap_err(),
            ErrorKind::Validation,
            ("field", "config.hosts"),
        ),
    ] {
        assert_eq!((error.kind(), error.detail(detail.0)), (kind, Some(detail.1)), "{error:?}");
    }
    let detail = vm.template(template).unwrap();
    assert!(detail.capabilities.is_empty() && detail.template.exposed_modules.is_empty());
    vm.delete_template(template).unwrap();
    for error in [
        vm.add_module(template, "fs").unwrap_err(),
        vm.remove_module(template, "fs").unwrap_err(),
        vm.modules(template).unwrap_err(),
        vm.add_library(template, "lodash").unwrap_err(),
        vm.libraries(template).unwrap_err(),
        vm.capabilities(template).unwrap_err(),
        add(&vm, template, CapabilityKind::Fs, "f", json!({})).unwrap_err(),
        vm.update_template(template, TemplatePatch::default()).unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::TemplateNotFound);
    }
}

#[test]
fn a_patch_is_checked_as_a_whole() {
    let (vm, template) = with_template();
    let before = vm.template(template).unwrap();
    let mut patch = TemplatePatch::default();
    patch.name = Some("renamed".to_owned());
    patch.limits.mem_mb = Some(0);
    assert_eq!(vm.update_template(template, patch.clone()).unwrap_err().detail("field"), Some("limits.mem_mb"));
    assert_eq!(vm.template(template).unwrap(), before);

    patch.limits.mem_mb = Some(64);
    patch.is_active = Some(false);
    let after = vm.update_template(template, patch).unwrap();
    assert_eq!((after.template.name.as_str(), after.settings.limits.mem_mb), ("renamed", 64));
    assert_eq!(after.settings.limits.cpu_ms, before.settings.limits.cpu_ms);
    assert_eq!(vm.template(template).unwrap(), after);
    let refused = vm.create_session(NewSession::new(template, std::env::temp_dir())).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::TemplateInactive);

    let mut name = TemplatePatch::default();
    name.name = Some("  ".to_owned());
    assert_eq!(vm.update_template(template, name).unwrap_err().detail("field"), Some("name"));
}

#[test]
fn roots_lie_below_the_worktree() {
    let (vm, template) = with_template();
    for root in ["..", "/etc", "a/../..", "", "a\\b"] {
        let mut patch = TemplatePatch::default();
        patch.resolver.roots = Some(vec![root.to_owned()]);
        let error = vm.update_template(template, patch).unwrap_err();
        assert_eq!((error.code(), error.detail("field")), ("INVALID_PATH", Some("resolver.roots[0]")), "{root:?}");
    }
}

#[test]
fn the_environment_is_the_programs_to_show() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let mut config = Config::default();
    let seen = Arc::clone(&asked);
    config.host_env(move |name| {
        seen.lock().unwrap().push(name.to_owned());
        Some("value".to_owned())
    });
    let vm = VmSystem::with_config(config).unwrap();
    let template = vm.create_template(NewTemplate::named("t")).unwrap().id;
    add(&vm, template, CapabilityKind::Env, "FROM_HOST", json!({"from_host": true})).unwrap();
    add(&vm, template, CapabilityKind::Env, "FIXED", json!({"value": "x"})).unwrap();
    assert!(asked.lock().unwrap().is_empty(), "a template stores no value of the host's");
    session(&vm, template);
    assert_eq!(*asked.lock().unwrap(), ["FROM_HOST"]);
}

/// A module of an embedder's with one function, which answers with the module's name.
struct Own(&'static str);

impl vmsys_core::Module for Own {
    fn info(&self) -> vmsys_core::ModuleInfo {
        vmsys_core::ModuleInfo::new(self.0, "An embedder's").function("whose")
    }

    fn check_config(&self, _: &vmsys_core::JsonObject) -> Result<(), Error> {
        Ok(())
    }

    fn open(
        &self,
        _: &vmsys_core::SessionContext,
        _: &vmsys_core::JsonObject,
    ) -> Result<Box<dyn vmsys_core::ModuleInstance>, Error> {
        Ok(Box::new(Self(self.0)))
    }
}

impl vmsys_core::ModuleInstance for Own {
    fn call(
        &mut self,
        function: &str,
        _: &[vmsys_core::Value],
        _: &vmsys_core::CallContext,
    ) -> Result<vmsys_core::Value, vmsys_core::CallError> {
        Ok(format!("{}.{function}", self.0).into())
    }
}

#[test]
fn an_embedders_module_takes_the_place_of_one_of_the_librarys() {
    let mut config = Config::default();
    config.module(Arc::new(Own("fs")));
    config.module(Arc::new(Own("database")));
    let vm = VmSystem::with_config(config).unwrap();
    let template = vm.create_template(NewTemplate::named("t")).unwrap().id;
    for name in ["fs", "database"] {
        vm.add_module(template, name).unwrap();
    }
    let session = session(&vm, template);
    for (input, expected) in [
        ("Object.keys(require('fs')).join()", "whose"),
        ("require('node:fs').whose()", "fs.whose"),
        ("(await import('database')).whose()", "database.whose"),
        ("typeof db", "undefined"),
        ("try { require('fs/promises') } catch (e) { e.code }", "MODULE_NOT_FOUND"),
        ("try { require('exec') } catch (e) { e.code }", "ERR_MODULE_NOT_GRANTED"),
    ] {
        let run = session.repl(input).unwrap();
        assert_eq!(run.result.unwrap_or_else(|| panic!("{input}: {:?}", run.error)).preview, expected, "{input}");
    }

    let mut config = Config::default();
    config.module(Arc::new(Own("path")));
    assert_eq!(VmSystem::with_config(config).unwrap_err().kind(), ErrorKind::Validation);
}
