//! Capabilities: single grants of a template, each with a kind, a name and a configuration.

pub(super) mod fs;
pub(super) mod global;
pub(super) mod net;
pub(super) mod variable;

use serde::{Deserialize, Serialize};

use super::check_name;
use crate::JsonObject;
use crate::error::{Error, Result};
use crate::ids::{CapabilityId, TemplateId};
use crate::modules::Catalog;

/// The largest configuration, as the bytes of its JSON text: it is read whenever a session is created.
const MAX_CONFIG_BYTES: usize = 256 << 10;

/// A capability as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Capability {
    /// The id.
    pub id: CapabilityId,
    /// The template that it belongs to.
    pub template_id: TemplateId,
    /// What it is about.
    pub kind: CapabilityKind,
    /// What it names: a module, a variable or a global; of the other kinds, a label of the caller's.
    pub name: String,
    /// Whether it grants. One that does not takes away.
    pub enabled: bool,
    /// Its configuration; which keys there are depends on the kind.
    pub config: JsonObject,
}

/// What a capability is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CapabilityKind {
    /// A native module, by name, with the module's own configuration.
    Module,
    /// A global variable: `{"value": …}`, set before startup files run.
    Global,
    /// Files of the worktree: `{"read": ["."], "write": ["."]}`. It also grants the module `fs`.
    Fs,
    /// Network: `{"hosts": […], "max_bytes": …, "timeout_ms": …, "allow_private": …}`.
    Net,
    /// A variable of `process.env`: `{"value": "…"}` or `{"from_host": true}`.
    Env,
}

impl CapabilityKind {
    /// Every kind.
    const ALL: [Self; 5] = [Self::Module, Self::Global, Self::Fs, Self::Net, Self::Env];

    /// Returns the word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Module => "module",
            Self::Global => "global",
            Self::Fs => "fs",
            Self::Net => "net",
            Self::Env => "env",
        }
    }
}

impl std::fmt::Display for CapabilityKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

impl std::str::FromStr for CapabilityKind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| {
            let shown: String = text.chars().take(100).collect();
            Error::validation("kind", format!("kind must be module, global, fs, net or env, not {shown:?}"))
        })
    }
}

/// A capability to be added to a template: disabled, and without a configuration, unless told.
///
/// ```
/// use vmsys_core::{CapabilityKind, NewCapability, NewTemplate, VmSystem};
/// let vm = VmSystem::in_memory()?;
/// let template = vm.create_template(NewTemplate::named("reader"))?;
/// let config = serde_json::json!({"read": ["docs"], "write": []});
/// let files = NewCapability::new(CapabilityKind::Fs, "docs").enabled().with_config(config.as_object().unwrap().clone());
/// assert!(vm.add_capability(template.id, files)?.enabled);
///
/// let typo = serde_json::json!({"raed": ["docs"]});
/// let typo = NewCapability::new(CapabilityKind::Fs, "typo").with_config(typo.as_object().unwrap().clone());
/// assert_eq!(vm.add_capability(template.id, typo).unwrap_err().detail("field"), Some("config.raed"));
/// # Ok::<(), vmsys_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewCapability {
    /// What it is about.
    pub kind: CapabilityKind,
    /// What it names. Labels, those of the kinds `fs` and `net`, have 1 to 200 characters, none of them a control
    /// character.
    pub name: String,
    /// Whether it grants. One that does not takes away.
    pub enabled: bool,
    /// Its configuration, at most 256 KiB as JSON text.
    pub config: JsonObject,
}

impl NewCapability {
    /// A capability that is disabled and has no configuration.
    pub fn new(kind: CapabilityKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into(), enabled: false, config: JsonObject::new() }
    }

    /// The same, enabled.
    pub fn enabled(mut self) -> Self {
        self.enabled = true;
        self
    }

    /// The same with another configuration.
    pub fn with_config(mut self, config: JsonObject) -> Self {
        self.config = config;
        self
    }

    /// Checks the name and the configuration, also of one that is disabled.
    ///
    /// # Errors
    /// [`Validation`](crate::ErrorKind::Validation) with the field, [`InvalidPath`](crate::ErrorKind::InvalidPath) with
    /// the field and the path, [`ModuleNotAllowed`](crate::ErrorKind::ModuleNotAllowed).
    pub(crate) fn validate(&self, modules: &Catalog) -> Result<()> {
        let bytes = serde_json::to_string(&self.config).map_or(usize::MAX, |text| text.len());
        if bytes > MAX_CONFIG_BYTES {
            return Err(Error::validation(
                "config",
                format!("config must be at most {MAX_CONFIG_BYTES} bytes of JSON"),
            ));
        }
        match self.kind {
            CapabilityKind::Module => {
                modules.check_name(&self.name)?;
                modules.check_config(&self.name, &self.config)
            }
            CapabilityKind::Global => {
                global::check_name(&self.name)?;
                global::value(&self.config).map(drop)
            }
            CapabilityKind::Env => {
                variable::check_name(&self.name)?;
                variable::Variable::parse(&self.config).map(drop)
            }
            CapabilityKind::Fs => {
                check_name(&self.name)?;
                fs::FsPolicy::parse(&self.config).map(drop)
            }
            CapabilityKind::Net => {
                check_name(&self.name)?;
                net::NetPolicy::parse(&self.config).map(drop)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::{Value, json};

    use super::*;

    fn check(kind: &str, name: &str, config: &Value) -> Result<()> {
        let new = NewCapability::new(kind.parse().unwrap(), name).with_config(config.as_object().unwrap().clone());
        new.validate(&Catalog::built_in(crate::Sandbox::default()))
    }

    #[test]
    fn kinds_are_words_of_a_closed_set() {
        for kind in CapabilityKind::ALL {
            assert_eq!(kind.as_str().parse::<CapabilityKind>().unwrap(), kind);
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        for text in ["", "Fs", "file", "module "] {
            assert_eq!(text.parse::<CapabilityKind>().unwrap_err().detail("field"), Some("kind"), "{text:?}");
        }
    }

    #[test]
    fn every_kind_takes_its_own_configuration() {
        for (kind, name, config) in [
            ("fs", "files", json!({})),
            ("fs", "any label, with spaces: ä", json!({"read": ["docs"], "write": []})),
            (
                "net",
                "api",
                json!({"hosts": ["api.example.com"], "max_bytes": 1, "timeout_ms": 1, "allow_private": true}),
            ),
            ("env", "HOME", json!({"from_host": true})),
            ("env", "_x1", json!({"value": ""})),
            ("global", "config", json!({"value": null})),
            ("global", "größe", json!({"value": {"deep": [1, "x"]}})),
            ("module", "exec", json!({"commands": ["git"]})),
        ] {
            check(kind, name, &config).unwrap();
        }
    }

    #[test]
    fn what_a_kind_does_not_know_is_named() {
        for (kind, name, config, field) in [
            ("fs", "f", json!({"reads": []}), "config.reads"),
            ("net", "n", json!({"hosts": ["a.example"], "hostz": []}), "config.hostz"),
            ("env", "A", json!({"value": "x", "secret": true}), "config.secret"),
            ("global", "g", json!({"value": 1, "frozen": true}), "config.frozen"),
            ("module", "exec", json!({"command": []}), "config.command"),
            ("fs", "", json!({}), "name"),
            ("fs", " \t", json!({}), "name"),
            ("net", "a\nb", json!({"hosts": ["a.example"]}), "name"),
        ] {
            let error = check(kind, name, &config).unwrap_err();
            assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some(field)), "{kind} {config}");
        }
        assert_eq!(check("module", "JSON", &json!({})).unwrap_err().code(), "MODULE_NOT_ALLOWED");
        let long = json!({"value": "x".repeat(MAX_CONFIG_BYTES)});
        assert_eq!(check("global", "g", &long).unwrap_err().detail("field"), Some("config"));
    }
}
