//! Templates: what a runtime may do.

mod capability;
mod grants;
mod patch;
mod settings;

use serde::{Deserialize, Serialize};

pub use self::capability::fs::FsPolicy;
pub use self::capability::net::{HostPattern, NetPolicy};
pub use self::capability::{Capability, CapabilityKind, NewCapability};
pub(crate) use self::grants::Grants;
pub use self::patch::{LimitsPatch, ResolverPatch, RuntimePatch, TemplatePatch};
pub use self::settings::{Isolation, ResolverSettings, RuntimeSettings, Settings};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{StartupFileId, TemplateId};
use crate::limits::Limits;
use crate::time::Timestamp;

/// A template as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Template {
    /// The id.
    pub id: TemplateId,
    /// The name, unique among templates.
    pub name: String,
    /// The engine: always `quickjs`.
    pub engine: Engine,
    /// Whether new sessions can be made from it.
    pub is_active: bool,
    /// Native modules that its sessions may load, by name.
    pub exposed_modules: Vec<String>,
    /// Libraries that its sessions start with, by name.
    pub libraries: Vec<String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// The JavaScript engine of a template.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Engine {
    /// QuickJS-NG. Clients of the original may still write `goja`, which is read as this.
    #[default]
    #[serde(alias = "goja")]
    Quickjs,
}

impl std::str::FromStr for Engine {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "quickjs" | "goja" => Ok(Self::Quickjs),
            _ => Err(Error::validation("engine", format!("engine must be quickjs (or its alias goja), not {text:?}"))),
        }
    }
}

impl std::fmt::Display for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

/// A template with everything that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TemplateDetail {
    /// The template itself.
    pub template: Template,
    /// Its limits and settings.
    pub settings: Settings,
    /// Its capabilities, oldest first.
    pub capabilities: Vec<Capability>,
    /// Its startup files, in the order in which they run.
    pub startup_files: Vec<StartupFile>,
}

/// A template to be created: a name, and whatever differs from the defaults.
///
/// ```
/// use vmsys_core::{NewTemplate, VmSystem};
/// # use vmsys_core::Limits;
/// let vm = VmSystem::in_memory()?;
/// let template = vm.create_template(NewTemplate::named("small").with_limits(Limits::default().with_mem_mb(32)))?;
/// assert_eq!(template.name, "small");
///
/// let mut new = NewTemplate::named("typed");
/// new.settings.runtime.typescript = true;
/// assert_eq!(vm.create_template(new)?.name, "typed");
/// # Ok::<(), vmsys_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewTemplate {
    /// The name: 1 to 200 characters, none of them a control character, and not in use.
    pub name: String,
    /// The engine.
    pub engine: Engine,
    /// Limits and settings.
    pub settings: Settings,
}

impl NewTemplate {
    /// A template of this name with the default settings.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), engine: Engine::default(), settings: Settings::default() }
    }

    /// The same with other limits.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.settings.limits = limits;
        self
    }

    pub(crate) fn validate(&self) -> Result<()> {
        check_name(&self.name)?;
        self.settings.validate()
    }
}

/// Checks a name, or a label: 1 to 200 characters, none of them a control character.
fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() {
        return Err(Error::validation("name", "name must not be empty"));
    }
    if name.chars().count() > 200 || name.chars().any(char::is_control) {
        return Err(Error::validation("name", "name must be at most 200 characters without control characters"));
    }
    Ok(())
}

/// A file that every session of a template runs before it is ready.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct StartupFile {
    /// The id.
    pub id: StartupFileId,
    /// The template that it belongs to.
    pub template_id: TemplateId,
    /// The path, relative to the session's worktree.
    pub path: String,
    /// Where it stands in the order; equal ones run by age.
    pub order_index: i64,
    /// How it runs.
    pub mode: StartupMode,
}

/// How a startup file runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum StartupMode {
    /// As a script: what it declares at top level is there for every later execution.
    #[default]
    Eval,
    /// As a module, which runs once in a session: who imports it later gets the same one.
    Import,
}

impl std::str::FromStr for StartupMode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "eval" => Ok(Self::Eval),
            "import" => Ok(Self::Import),
            _ => Err(Error::new(
                ErrorKind::StartupModeUnsupported,
                format!("startup mode {text:?} is not supported: use eval or import"),
            )),
        }
    }
}

impl std::fmt::Display for StartupMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.serialize(f)
    }
}

/// A startup file to be added to a template.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewStartupFile {
    /// The path, relative to the session's worktree.
    pub path: String,
    /// Where it stands in the order.
    pub order_index: i64,
    /// How it runs.
    pub mode: StartupMode,
}

impl NewStartupFile {
    /// A file that runs as a script, at place 0 of the order.
    pub fn eval(path: impl Into<String>) -> Self {
        Self { path: path.into(), order_index: 0, mode: StartupMode::Eval }
    }

    /// A file that runs as a module, once in a session, at place 0 of the order.
    ///
    /// ```
    /// # use vmsys_core::{NewSession, NewStartupFile, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// # let directory = tempfile::tempdir()?;
    /// std::fs::write(directory.path().join("rates.mjs"), "export const rates = new Map([['eur', 1]])")?;
    /// vm.add_startup_file(template.id, NewStartupFile::import("rates.mjs"))?;
    /// let session = vm.create_session(NewSession::new(template.id, directory.path()))?;
    /// session.repl("import {rates} from './rates.mjs'; rates.set('usd', 1.25)")?; // the one that was loaded at the start
    /// assert_eq!(session.eval::<u8>("rates.size")?, 2);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn import(path: impl Into<String>) -> Self {
        Self { path: path.into(), order_index: 0, mode: StartupMode::Import }
    }

    /// The same at another place of the order.
    pub fn at(mut self, order_index: i64) -> Self {
        self.order_index = order_index;
        self
    }
}
