//! Libraries: JavaScript files of third parties that a session can start with.
//!
//! A [`CatalogLibrary`] is one that this program knows, down to the checksum of its file; a [`LibraryCache`] is the
//! directory that holds files, of the catalogue and of one's own. How a file gets there is the caller's business: there
//! is no networking here.

mod cache;
mod catalog;
mod integrity;
mod manifest;
mod name;

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::cache::LibraryCache;
pub use self::catalog::{CATALOG, CatalogLibrary};
pub use self::integrity::integrity;

/// A library as it is listed: one of the catalogue, or a file of the cache.
///
/// ```
/// use vmsys_core::LibraryCache;
/// let cache = LibraryCache::open(std::env::temp_dir().join("no-libraries-here"))?;
/// let list = cache.list()?; // the catalogue, though nothing is cached
/// let lodash = list.iter().find(|library| library.name == "lodash").ok_or("not in the catalogue")?;
/// assert_eq!((lodash.spec().as_str(), lodash.global.as_deref()), ("lodash-4.17.21", Some("_")));
/// assert!(!lodash.cached);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Library {
    /// What a template names it by: `lodash`, which is the newest that is there.
    pub id: String,
    /// The name for people: the same.
    pub name: String,
    /// The version. Of one's own libraries there may be several.
    pub version: String,
    /// What it is for, in a few words; empty when nobody said.
    pub description: String,
    /// The global by which scripts use it; unknown for a file that was put into the cache by hand.
    pub global: Option<String>,
    /// Whether its file is in the cache.
    pub cached: bool,
    /// Whether this program knows it, and can say where to get it.
    pub in_catalog: bool,
    /// Whether the file is what it was when it was stored; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<LibraryCheck>,
    /// The size of the file in bytes; absent when there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// The checksum that the file must have, `sha512-…` in base64; absent when none is recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
}

impl Library {
    /// Returns name and version, `lodash-4.17.21`: what names this one and no other.
    pub fn spec(&self) -> String {
        format!("{}-{}", self.id, self.version)
    }
}

/// What became of a library's file since it was stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LibraryCheck {
    /// It has the recorded checksum.
    Verified,
    /// No checksum is recorded: somebody put it there. It loads.
    Unverified,
    /// It has another checksum than the recorded one, or cannot be read. It is never loaded.
    Damaged,
}

/// The source of a library, checked, with what its loading needs to know.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LibrarySource {
    /// The name: `lodash`.
    pub name: String,
    /// The version: `4.17.21`.
    pub version: String,
    /// The name of the file, for stack traces: `lodash-4.17.21.js`.
    pub file: String,
    /// The global that must be there once the script has run.
    pub global: Option<String>,
    /// The global that the script itself sets, when it is another: [`global`](Self::global) is then made an alias of it.
    pub sets: Option<String>,
    /// The text of the script.
    pub source: Arc<str>,
    /// The checksum of the text, `sha512-…` in base64: a key for what is derived from it, such as bytecode.
    pub integrity: Arc<str>,
}

/// A library to be put into a cache.
///
/// ```
/// use vmsys_core::{LibraryCache, NewLibrary};
/// let dir = tempfile::tempdir()?;
/// let cache = LibraryCache::open(dir.path())?;
/// let new = NewLibrary::new("greet", "1.0.0").global("greet");
/// cache.add(new, b"var greet = name => `hello ${name}`")?;
/// assert_eq!(cache.source("greet")?.file, "greet-1.0.0.js");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewLibrary {
    /// The name: lower-case letters, digits, `-`, `_` and `.`, beginning with a letter or digit, at most 100 characters.
    pub name: String,
    /// The version, as in semantic versioning: `1.2.3`, `1.2.3-beta.1`.
    pub version: String,
    /// The global that the script sets.
    pub global: Option<String>,
    /// What it is for, in a few words.
    pub description: String,
    /// Where the file came from, for people.
    pub origin: String,
}

impl NewLibrary {
    /// A library of this name and version.
    pub fn new(name: impl Into<String>, version: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            global: None,
            description: String::new(),
            origin: String::new(),
        }
    }

    /// The same with the global that its script sets.
    pub fn global(mut self, global: impl Into<String>) -> Self {
        self.global = Some(global.into());
        self
    }

    /// The same with a description.
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// The same with the place that it came from.
    pub fn origin(mut self, origin: impl Into<String>) -> Self {
        self.origin = origin.into();
        self
    }
}

/// What is known about a cache as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct LibraryCacheInfo {
    /// The directory, as an absolute path.
    pub path: PathBuf,
    /// Whether the directory is there; the first file creates it.
    pub exists: bool,
    /// How many files of libraries it holds.
    pub files: u64,
    /// What they weigh together, in bytes.
    pub bytes: u64,
}
