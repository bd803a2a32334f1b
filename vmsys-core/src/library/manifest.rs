//! The manifest: what was put into a cache, and what its files must look like.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::integrity::is_integrity;
use super::name::LibraryId;
use crate::error::{Error, Result};
use crate::time::Timestamp;

/// The manifest's name in the directory of a cache.
pub(super) const FILE: &str = "manifest.json";
/// The largest manifest that is read.
pub(super) const MAX_BYTES: u64 = 4 << 20;
/// The form that this program writes.
const FORMAT: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// By name and version.
    libraries: BTreeMap<String, Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) global: Option<String>,
    #[serde(default)]
    pub(super) description: String,
    pub(super) bytes: u64,
    pub(super) integrity: String,
    #[serde(default)]
    pub(super) origin: String,
    pub(super) added_at: Timestamp,
}

impl Default for Manifest {
    fn default() -> Self {
        Self { format: FORMAT, libraries: BTreeMap::new() }
    }
}

impl Manifest {
    /// Reads a manifest's text.
    ///
    /// # Errors
    /// An internal error that names the file: without its checksums nothing of a cache may be loaded.
    pub(super) fn parse(text: &[u8], path: &Path) -> Result<Self> {
        #[derive(Deserialize)]
        struct Head {
            format: u32,
        }
        let unreadable = |error| Error::internal(unreadable(path), error);
        let head: Head = serde_json::from_slice(text).map_err(unreadable)?;
        if head.format > FORMAT {
            let message = format!("{} was written by a newer version of this program", path.display());
            return Err(Error::internal(message, format!("format {} instead of {FORMAT}", head.format)));
        }
        let manifest: Self = serde_json::from_slice(text).map_err(unreadable)?;
        for (id, entry) in &manifest.libraries {
            if LibraryId::parse(id).is_none() || !is_integrity(&entry.integrity) {
                return Err(Error::internal(self::unreadable(path), format!("the entry {id:?} makes no sense")));
            }
        }
        Ok(manifest)
    }

    pub(super) fn to_text(&self) -> Result<String> {
        serde_json::to_string_pretty(self)
            .map(|text| text + "\n")
            .map_err(|error| Error::internal("the manifest cannot be written", error))
    }

    pub(super) fn get(&self, id: &LibraryId) -> Option<&Entry> {
        self.libraries.get(&id.to_string())
    }

    pub(super) fn set(&mut self, id: &LibraryId, entry: Entry) {
        self.libraries.insert(id.to_string(), entry);
    }

    pub(super) fn remove(&mut self, id: &LibraryId) {
        self.libraries.remove(&id.to_string());
    }
}

fn unreadable(path: &Path) -> String {
    format!("the library manifest {} cannot be read; remove the file and download the libraries again", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry() -> Entry {
        Entry {
            global: Some("_".to_owned()),
            description: String::new(),
            bytes: 3,
            integrity: super::super::integrity(b"abc"),
            origin: "here".to_owned(),
            added_at: Timestamp::now(),
        }
    }

    #[test]
    fn it_reads_what_it_writes() {
        let id = LibraryId::new("abc", "1.2.3").unwrap();
        let mut manifest = Manifest::default();
        manifest.set(&id, entry());
        let text = manifest.to_text().unwrap();
        let read = Manifest::parse(text.as_bytes(), Path::new("m")).unwrap();
        assert_eq!(read, manifest);
        assert_eq!(read.get(&id).map(|entry| entry.bytes), Some(3));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name() {
        let good =
            format!(r#"{{"bytes":1,"integrity":"{}","added_at":"2026-01-01T00:00:00.000Z"}}"#, entry().integrity);
        let with = |id: &str| format!(r#"{{"format":1,"libraries":{{"{id}":{good}}}}}"#);
        assert!(Manifest::parse(with("a-1.0.0").as_bytes(), Path::new("m")).is_ok());
        for text in [
            "",
            "[]",
            "{\"format\":1}",
            "{\"format\":2,\"libraries\":{}}",
            &with("../a-1.0.0"),
            &with("a"),
            &with("a-1.0.0").replace("sha512-", "sha256-"),
        ] {
            let error = Manifest::parse(text.as_bytes(), Path::new("/x/manifest.json")).unwrap_err();
            assert!(error.message().contains("/x/manifest.json"), "{text}: {error}");
        }
    }
}
