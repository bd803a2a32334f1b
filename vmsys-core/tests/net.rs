//! A network that an embedding program brings.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::{Arc, Mutex};

use serde_json::json;
use vmsys_core::{
    CallContext, CallError, CapabilityKind, Config, Error, JsonObject, Module, ModuleInfo, ModuleInstance, NetPolicy,
    NewCapability, NewSession, NewTemplate, PendingCall, SessionContext, Value, VmSystem,
};

/// Answers every request with how many answers lie there unread, and remembers what it was opened with.
#[derive(Clone, Default)]
struct Echo(Arc<Mutex<Vec<JsonObject>>>);

impl Module for Echo {
    fn info(&self) -> ModuleInfo {
        ModuleInfo::new("net", "Answers by itself").async_function("fetch")
    }

    fn check_config(&self, _: &JsonObject) -> Result<(), Error> {
        Ok(())
    }

    fn open(&self, _: &SessionContext, config: &JsonObject) -> Result<Box<dyn ModuleInstance>, Error> {
        self.0.lock().unwrap().push(config.clone());
        Ok(Box::new(self.clone()))
    }
}

impl ModuleInstance for Echo {
    fn call(&mut self, function: &str, _: &[Value], context: &CallContext) -> Result<Value, CallError> {
        assert_eq!(function, "fetch");
        Ok(Value::object([
            ("url", "http://a.example/".into()),
            ("redirected", false.into()),
            ("status", 200.0.into()),
            ("statusText", "".into()),
            ("headers", Vec::<Value>::new().into()),
            ("body", context.unread_answers().to_string().into_bytes().into()),
        ]))
    }

    fn begin(&mut self, function: &str, args: &[Value], call: PendingCall) {
        assert_eq!(args[0].get("url").and_then(Value::as_str), Some("http://a.example/"));
        let answer = self.call(function, args, call.context());
        call.complete(answer);
    }
}

#[test]
fn a_network_of_the_embedders_gets_the_policies_of_the_template() {
    let echo = Echo::default();
    let mut config = Config::default();
    config.net(Arc::new(echo.clone()));
    let vm = VmSystem::with_config(config).unwrap();
    let template = vm.create_template(NewTemplate::named("t")).unwrap().id;
    let plain = vm.create_session(NewSession::new(template, std::env::temp_dir())).unwrap();
    assert_eq!(plain.repl("typeof fetch").unwrap().result.unwrap().preview, "undefined");
    for (name, config) in
        [("a", json!({"hosts": ["a.example"]})), ("b", json!({"hosts": ["b.example:1"], "allow_private": true}))]
    {
        let config = config.as_object().unwrap().clone();
        vm.add_capability(template, NewCapability::new(CapabilityKind::Net, name).enabled().with_config(config))
            .unwrap();
    }
    let session = vm.create_session(NewSession::new(template, std::env::temp_dir())).unwrap();
    let code = "const all = [fetch('http://a.example'), fetch('http://a.example'), fetch('http://a.example')]; \
                (await Promise.all(all.map(async (one) => (await one).text()))).join()";
    let run = session.repl(code).unwrap();
    assert_eq!(run.result.as_ref().unwrap_or_else(|| panic!("{run:?}")).preview, "0,1,2");
    assert_eq!(session.repl("await (await fetch('http://a.example')).text()").unwrap().result.unwrap().preview, "0");

    let opened = echo.0.lock().unwrap();
    assert_eq!(opened.len(), 1, "only where it is granted");
    let policies: Vec<NetPolicy> = serde_json::from_value(opened[0]["policies"].clone()).unwrap();
    assert_eq!(policies.len(), 2);
    assert!(policies[0].allows("a.example", 443) && !policies[0].allow_private);
    assert!(policies[1].allows("b.example", 1) && policies[1].allow_private);
}
