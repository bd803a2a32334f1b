//! Settings of a template: limits, how files are found, how code is run.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

use super::capability::fs::beneath;
use crate::error::{Error, Result};
use crate::limits::Limits;

/// What an extension is, as [`Settings::validate`] checks it.
#[cfg(feature = "schema")]
pub(super) const EXTENSION: &str = r"^\.[^/\\\x00]+$";

/// All settings of a template. Every part has defaults, so any part of it can be left out of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// What one execution may use.
    pub limits: Limits,
    /// How files of the worktree are found by name.
    pub resolver: ResolverSettings,
    /// How code is run.
    pub runtime: RuntimeSettings,
}

/// How files of the worktree are found by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ResolverSettings {
    /// Directories of the worktree that bare names are looked up in; `.` is the worktree itself. By default there are none.
    pub roots: Vec<String>,
    /// Endings that are tried for a name without one. By default `.js` and `.mjs`.
    #[cfg_attr(feature = "schema", schemars(inner(regex(pattern = EXTENSION))))]
    pub extensions: Vec<String>,
    /// Whether `/x` names `x` of the worktree. By default it does not.
    pub allow_absolute_repo_imports: bool,
}

/// What a template has unless it says something else.
///
/// ```
/// let resolver = vmsys_core::ResolverSettings::default();
/// assert_eq!((resolver.roots.len(), resolver.extensions), (0, vec![".js".to_owned(), ".mjs".to_owned()]));
/// assert!(!resolver.allow_absolute_repo_imports);
/// ```
impl Default for ResolverSettings {
    fn default() -> Self {
        Self {
            roots: Vec::new(),
            extensions: vec![".js".to_owned(), ".mjs".to_owned()],
            allow_absolute_repo_imports: false,
        }
    }
}

/// How code is run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RuntimeSettings {
    /// Whether files are ES modules where their ending does not tell: `.mjs` and `.mts` always are, `.cjs`, `.cts` and
    /// `.json` never, and packages in `node_modules` say it of themselves. Unless it is set, the `type` of the nearest
    /// `package.json` decides. Where there is none, a file that is imported or required is CommonJS, or an ES module if its
    /// text can only be that; and one that is run is a script. By default it is not set.
    pub esm: bool,
    /// Whether scripts are strict without saying so. By default they are not.
    pub strict: bool,
    /// Whether there is a `console`. By default there is.
    pub console: bool,
    /// Whether snippets may be TypeScript. Files that end in `.ts`, `.mts` or `.cts` are, whatever this says. Types are
    /// taken out and not checked; enums, namespaces with values and parameter properties are refused. By default snippets are
    /// JavaScript.
    pub typescript: bool,
    /// Where sessions run. By default where the program or daemon says.
    pub isolation: Isolation,
}

/// What a template has unless it says something else.
///
/// ```
/// use vmsys_core::{Isolation, RuntimeSettings};
/// let runtime = RuntimeSettings::default();
/// assert!(runtime.console);
/// assert!(!(runtime.esm || runtime.strict || runtime.typescript));
/// assert_eq!(runtime.isolation, Isolation::Default);
/// ```
impl Default for RuntimeSettings {
    fn default() -> Self {
        Self { esm: false, strict: false, console: true, typescript: false, isolation: Isolation::Default }
    }
}

/// Where the sessions of a template run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Isolation {
    /// What the program or daemon says.
    #[default]
    Default,
    /// On a thread of the host's program.
    Thread,
    /// In a process of its own, which the operating system confines. Refused where the program cannot be started as one
    /// ([`become_worker`](crate::become_worker)).
    Process,
}

impl Isolation {
    /// Returns the word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Thread => "thread",
            Self::Process => "process",
        }
    }
}

/// By its word and in no other way: derived code would also take `{"thread": null}`.
impl<'de> Deserialize<'de> for Isolation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let word = String::deserialize(deserializer)?;
        match word.as_str() {
            "default" => Ok(Self::Default),
            "thread" => Ok(Self::Thread),
            "process" => Ok(Self::Process),
            _ => Err(D::Error::unknown_variant(&word, &["default", "thread", "process"])),
        }
    }
}

impl Settings {
    /// Checks every value.
    ///
    /// # Errors
    /// [`Validation`](crate::ErrorKind::Validation) with the `field` that is out of range;
    /// [`InvalidPath`](crate::ErrorKind::InvalidPath) for a root that is not below the worktree.
    pub fn validate(&self) -> Result<()> {
        self.limits.validate()?;
        for extension in &self.resolver.extensions {
            if !extension.starts_with('.') || extension.len() < 2 || extension.contains(['/', '\\', '\0']) {
                return Err(Error::validation(
                    "resolver.extensions",
                    format!("an extension begins with a dot and has no slash: {extension:?}"),
                ));
            }
        }
        for (place, root) in self.resolver.roots.iter().enumerate() {
            beneath(&format!("resolver.roots[{place}]"), root)?;
        }
        Ok(())
    }
}
