//! What a session is given: the modules, capabilities and libraries of its template, resolved once.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Template;
use super::capability::fs::FsPolicy;
use super::capability::net::NetPolicy;
use super::capability::variable::Variable;
use super::capability::{Capability, CapabilityKind, global};
use crate::JsonObject;
use crate::error::Result;

/// Everything that a session may reach besides the language. What is not in here is not there for it.
///
/// | kind | an enabled one | a disabled one |
/// | --- | --- | --- |
/// | `module` | grants the module, with its configuration | takes the module away |
/// | `fs` | grants the module `fs`; several are united | alone, takes away the module and all files |
/// | `net` | grants `fetch`; each binds its own hosts | grants nothing |
/// | `env` | sets a variable, if its source has a value | sets nothing |
/// | `global` | sets a global | sets nothing |
///
/// What takes away wins over what grants, `exposed_modules` included.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Grants {
    /// Native modules by name, with the configuration of their capability, which is empty without one.
    pub(crate) modules: BTreeMap<String, JsonObject>,
    /// Which files modules may touch; `None`: none at all, not even by way of another module.
    pub(crate) fs: Option<FsPolicy>,
    /// Which hosts `fetch` may ask, oldest capability first; none: there is no `fetch`.
    pub(crate) net: Vec<NetPolicy>,
    /// What `process.env` shows.
    pub(crate) env: BTreeMap<String, String>,
    /// Globals to be set before anything runs.
    pub(crate) globals: JsonObject,
    /// Libraries to be loaded before startup files, in this order.
    pub(crate) libraries: Vec<String>,
}

impl Grants {
    /// Resolves what a template says now. `host_env` answers for variables that come from the host.
    ///
    /// # Errors
    /// [`Validation`](crate::ErrorKind::Validation) or [`InvalidPath`](crate::ErrorKind::InvalidPath) for a capability
    /// that cannot have been added by this version: somebody changed the database.
    pub(crate) fn resolve(
        template: &Template,
        capabilities: &[Capability],
        host_env: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let mut grants = Self {
            modules: template.exposed_modules.iter().map(|name| (name.clone(), JsonObject::new())).collect(),
            fs: Some(FsPolicy::default()),
            net: Vec::new(),
            env: BTreeMap::new(),
            globals: JsonObject::new(),
            libraries: template.libraries.clone(),
        };
        grants.resolve_files(capabilities)?;
        for capability in capabilities {
            let Capability { kind, name, enabled, config, .. } = capability;
            match (kind, enabled) {
                (CapabilityKind::Module, true) => drop(grants.modules.insert(name.clone(), config.clone())),
                (CapabilityKind::Net, true) => grants.net.push(NetPolicy::parse(config)?),
                (CapabilityKind::Global, true) => {
                    grants.globals.insert(name.clone(), global::value(config)?.clone());
                }
                (CapabilityKind::Env, true) => {
                    let value = match Variable::parse(config)? {
                        Variable::Value(value) => Some(value),
                        Variable::FromHost => host_env(name),
                    };
                    grants.env.extend(value.map(|value| (name.clone(), value)));
                }
                (CapabilityKind::Fs, _) | (_, false) => {}
            }
        }
        // Last, so that nothing gives back what was taken away.
        let taken = |capability: &&Capability| capability.kind == CapabilityKind::Module && !capability.enabled;
        for capability in capabilities.iter().filter(taken) {
            grants.modules.remove(&capability.name);
        }
        if grants.fs.is_none() {
            grants.modules.remove("fs");
        }
        Ok(grants)
    }

    fn resolve_files(&mut self, capabilities: &[Capability]) -> Result<()> {
        let mut united: Option<FsPolicy> = None;
        let mut any = false;
        for capability in capabilities.iter().filter(|capability| capability.kind == CapabilityKind::Fs) {
            any = true;
            if !capability.enabled {
                continue;
            }
            let policy = FsPolicy::parse(&capability.config)?;
            match &mut united {
                Some(united) => united.unite(policy),
                None => united = Some(policy),
            }
        }
        if any {
            self.fs = united;
            if self.fs.is_some() {
                self.modules.entry("fs".to_owned()).or_default();
            }
        }
        Ok(())
    }
}

/// Without the values of variables and globals: they may be secrets, and this ends up in logs.
impl fmt::Debug for Grants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Grants")
            .field("modules", &self.modules)
            .field("fs", &self.fs)
            .field("net", &self.net)
            .field("env", &self.env.keys())
            .field("globals", &self.globals.keys().collect::<Vec<_>>())
            .field("libraries", &self.libraries)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::{Value, json};

    use super::*;
    use crate::ids::{CapabilityId, TemplateId};
    use crate::template::Engine;
    use crate::time::Timestamp;

    fn template(modules: &[&str]) -> Template {
        Template {
            id: TemplateId::new(),
            name: "t".to_owned(),
            engine: Engine::Quickjs,
            is_active: true,
            exposed_modules: modules.iter().map(|&name| name.to_owned()).collect(),
            libraries: vec!["ramda".to_owned(), "lodash-4.17.21".to_owned()],
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
        }
    }

    fn capability(kind: &str, name: &str, enabled: bool, config: Value) -> Capability {
        Capability {
            id: CapabilityId::new(),
            template_id: TemplateId::new(),
            kind: kind.parse().unwrap(),
            name: name.to_owned(),
            enabled,
            config: config.as_object().unwrap().clone(),
        }
    }

    fn on(kind: &str, name: &str, config: Value) -> Capability {
        capability(kind, name, true, config)
    }

    fn off(kind: &str, name: &str) -> Capability {
        capability(kind, name, false, json!({}))
    }

    fn host(name: &str) -> Option<String> {
        (name == "HOME").then(|| "of the host".to_owned())
    }

    fn resolve(modules: &[&str], capabilities: &[Capability]) -> Grants {
        Grants::resolve(&template(modules), capabilities, host).unwrap()
    }

    fn names(grants: &Grants) -> Vec<&str> {
        grants.modules.keys().map(String::as_str).collect()
    }

    #[test]
    fn a_bare_template_grants_nothing() {
        let grants = resolve(&[], &[]);
        assert!(
            grants.modules.is_empty() && grants.net.is_empty() && grants.env.is_empty() && grants.globals.is_empty()
        );
        // The policy of whatever module an embedder adds; without a module nobody uses it.
        assert_eq!(grants.fs, Some(FsPolicy::default()));
        assert_eq!(grants.libraries, ["ramda", "lodash-4.17.21"]);
    }

    #[test]
    fn modules_are_added_refined_and_taken_away() {
        let config = json!({"commands": ["git"]});
        for (modules, capabilities, expected) in [
            (&["fs", "exec"][..], vec![], &["exec", "fs"][..]),
            (&[], vec![on("module", "exec", config.clone())], &["exec"]),
            (&["exec"], vec![on("module", "exec", config.clone())], &["exec"]),
            (&["exec", "fs"], vec![off("module", "exec")], &["fs"]),
            (&[], vec![off("module", "exec")], &[]),
            (&["fs"], vec![off("module", "fs"), on("fs", "files", json!({}))], &[]),
            (&["fs"], vec![on("module", "fs", json!({})), off("fs", "files")], &[]),
        ] {
            assert_eq!(names(&resolve(modules, &capabilities)), expected, "{modules:?} {capabilities:?}");
        }
        let grants = resolve(&["exec", "database"], &[on("module", "exec", config.clone())]);
        assert_eq!(Value::Object(grants.modules["exec"].clone()), config);
        assert!(grants.modules["database"].is_empty());
    }

    #[test]
    fn files_are_united_or_taken_away() {
        let docs = || on("fs", "docs", json!({"read": ["docs"], "write": []}));
        let out = || on("fs", "out", json!({"read": ["docs/out"], "write": ["docs/out"]}));
        let policy = |grants: &Grants| grants.fs.as_ref().map(|fs| (fs.read.clone(), fs.write.clone()));
        let paths = |paths: &[&str]| paths.iter().map(|&path| path.to_owned()).collect::<Vec<_>>();

        let grants = resolve(&[], &[docs(), out(), off("fs", "x")]);
        assert_eq!(names(&grants), ["fs"]);
        assert_eq!(policy(&grants), Some((paths(&["docs"]), paths(&["docs/out"]))));

        // Only disabled ones: no files, also not for the modules that stay.
        let grants = resolve(&["fs", "exec", "database"], &[off("fs", "x"), off("fs", "y")]);
        assert_eq!((names(&grants), policy(&grants)), (vec!["database", "exec"], None));

        // None at all: the default for whatever is granted.
        let grants = resolve(&["database"], &[]);
        assert_eq!(policy(&grants), Some((paths(&["."]), paths(&["."]))));
    }

    #[test]
    fn hosts_stay_with_their_own_policy() {
        let open = on("net", "open", json!({"hosts": ["*.example.org"]}));
        let inner = on("net", "inner", json!({"hosts": ["intranet"], "allow_private": true}));
        let grants = resolve(&[], &[open, capability("net", "off", false, json!({"hosts": ["off"]})), inner]);
        assert_eq!(grants.net.len(), 2);
        assert!(grants.net.iter().all(|policy| !policy.allows("off", 443)));
        assert!(!grants.net[0].allows_private("a.example.org", 443) && grants.net[1].allows_private("intranet", 443));
    }

    #[test]
    fn variables_come_from_the_template_or_the_host() {
        let grants = resolve(
            &[],
            &[
                on("env", "LANG", json!({"value": "en"})),
                on("env", "HOME", json!({"from_host": true})),
                on("env", "UNSET", json!({"from_host": true})),
                capability("env", "OFF", false, json!({"value": "x"})),
            ],
        );
        let expected =
            [("HOME", "of the host"), ("LANG", "en")].map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(grants.env, BTreeMap::from(expected));
    }

    #[test]
    fn globals_are_any_json() {
        let grants = resolve(
            &[],
            &[
                on("global", "b", json!({"value": {"x": [null]}})),
                on("global", "a", json!({"value": null})),
                capability("global", "off", false, json!({"value": 1})),
            ],
        );
        assert_eq!(serde_json::to_string(&grants.globals).unwrap(), r#"{"b":{"x":[null]},"a":null}"#);
    }

    #[test]
    fn what_the_database_cannot_have_is_an_error() {
        for capability in [
            on("fs", "x", json!({"read": ["../.."]})),
            on("net", "x", json!({"hosts": ["*"]})),
            on("env", "X", json!({"val": "x"})),
            on("global", "x", json!({})),
        ] {
            let error = Grants::resolve(&template(&[]), std::slice::from_ref(&capability), host).unwrap_err();
            assert!(error.detail("field").is_some_and(|field| field.starts_with("config.")), "{capability:?}");
        }
    }

    #[test]
    fn they_cross_a_socket_and_keep_secrets_out_of_logs() {
        let grants = resolve(
            &["exec"],
            &[
                on("env", "TOKEN", json!({"value": "s3cret"})),
                on("global", "key", json!({"value": "s3cret"})),
                on("net", "n", json!({"hosts": ["[::1]:80", "*.example.org"]})),
            ],
        );
        let bytes = rmp_serde::to_vec_named(&grants).unwrap();
        assert_eq!(rmp_serde::from_slice::<Grants>(&bytes).unwrap(), grants);
        let shown = format!("{grants:?}");
        assert!(shown.contains("TOKEN") && !shown.contains("s3cret"), "{shown}");
    }
}
