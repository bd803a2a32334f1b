//! Looking at a worktree from outside: what lies in a directory, what stands in a file.

use cap_std::fs::Dir;
use serde::{Deserialize, Serialize};

use super::{Worktree, WorktreePath, refused};
use crate::error::Result;

/// The most entries of a directory that are told.
const MOST_ENTRIES: usize = 1000;

/// The longest file that is shown, in bytes.
const LONGEST_SHOWN: u64 = 1 << 20;

/// What stands at a path of a worktree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum WorktreeView {
    /// A directory.
    Directory {
        /// Its path from the worktree; empty for the worktree itself.
        path: String,
        /// What lies in it: directories first, each kind sorted by name. Names that are not Unicode are left out.
        entries: Vec<WorktreeEntry>,
        /// How many entries there are besides these.
        more: u64,
    },
    /// A file of text.
    File {
        /// Its path from the worktree.
        path: String,
        /// What stands in it.
        text: String,
    },
}

/// An entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct WorktreeEntry {
    /// Its name.
    pub name: String,
    /// What it is, and where it is a link, what it leads to.
    pub kind: WorktreeEntryKind,
    /// The bytes of a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// What an entry of a directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WorktreeEntryKind {
    /// A directory.
    Directory,
    /// A regular file.
    File,
    /// A socket, a device, or a link that leads nowhere, or out of the worktree.
    Other,
}

impl Worktree {
    /// Tells what stands at a path; the worktree itself for none.
    ///
    /// # Errors
    /// [`FileNotFound`](crate::ErrorKind::FileNotFound) when nothing is there; [`InvalidPath`](crate::ErrorKind::InvalidPath)
    /// for what leads out, may not be read, is neither a directory nor a file, or a file that is no text or too long. Both
    /// with the detail `path`.
    pub(crate) fn look(&self, path: Option<&WorktreePath>) -> Result<WorktreeView> {
        let Some(path) = path else {
            let root = WorktreePath(".".to_owned());
            return list(self.dir(), String::new()).map_err(|error| refused(&root, error));
        };
        let metadata = self.dir().metadata(path.as_str()).map_err(|error| refused(path, error))?;
        if !metadata.is_dir() {
            let text = self.read_source(path, LONGEST_SHOWN)?;
            return Ok(WorktreeView::File { path: path.to_string(), text });
        }
        let dir = self.dir().open_dir(path.as_str()).map_err(|error| refused(path, error))?;
        list(&dir, path.to_string()).map_err(|error| refused(path, error))
    }
}

fn list(dir: &Dir, path: String) -> std::io::Result<WorktreeView> {
    let mut names = Vec::new();
    for entry in dir.entries()? {
        names.extend(entry?.file_name().into_string());
    }
    // Those that are told should be the same ones each time.
    names.sort_unstable();
    let more = names.len().saturating_sub(MOST_ENTRIES) as u64;
    let mut entries: Vec<_> = names.into_iter().take(MOST_ENTRIES).map(|name| entry(dir, name)).collect();
    entries.sort_by_key(|entry| entry.kind);
    Ok(WorktreeView::Directory { path, entries, more })
}

fn entry(dir: &Dir, name: String) -> WorktreeEntry {
    // A name that is gone by now, or whose link leads out, is a name all the same.
    let metadata = dir.metadata(&name).ok();
    let (kind, size) = match metadata {
        Some(metadata) if metadata.is_dir() => (WorktreeEntryKind::Directory, None),
        Some(metadata) if metadata.is_file() => (WorktreeEntryKind::File, Some(metadata.len())),
        _ => (WorktreeEntryKind::Other, None),
    };
    WorktreeEntry { name, kind, size }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::error::ErrorKind;

    fn look(worktree: &Worktree, path: &str) -> Result<WorktreeView> {
        worktree.look(Some(&WorktreePath::parse(path)?))
    }

    fn shown(view: WorktreeView) -> Vec<String> {
        let WorktreeView::Directory { entries, .. } = view else { panic!("{view:?}") };
        entries.into_iter().map(|entry| format!("{} {:?} {:?}", entry.name, entry.kind, entry.size)).collect()
    }

    #[test]
    fn a_worktree_is_looked_through() {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("lib")).unwrap();
        fs::write(directory.path().join("lib/b.js"), "7\n").unwrap();
        fs::write(directory.path().join("a.js"), "1").unwrap();
        symlink("a.js", directory.path().join("link.js")).unwrap();
        symlink("/etc", directory.path().join("out")).unwrap();
        let worktree = Worktree::open(directory.path()).unwrap();

        let entries = shown(worktree.look(None).unwrap());
        assert_eq!(entries, ["lib Directory None", "a.js File Some(1)", "link.js File Some(1)", "out Other None"]);
        assert_eq!(shown(look(&worktree, "lib").unwrap()), ["b.js File Some(2)"]);
        let file = WorktreeView::File { path: "lib/b.js".to_owned(), text: "7\n".to_owned() };
        assert_eq!(look(&worktree, "./lib//b.js").unwrap(), file);
    }

    #[test]
    fn nothing_outside_is_looked_at() {
        let directory = tempfile::tempdir().unwrap();
        symlink("/etc", directory.path().join("out")).unwrap();
        fs::write(directory.path().join("bytes"), b"\xff\xfe").unwrap();
        let worktree = Worktree::open(directory.path()).unwrap();
        for (path, kind) in [
            ("out", ErrorKind::InvalidPath),
            ("out/passwd", ErrorKind::InvalidPath),
            ("../x", ErrorKind::InvalidPath),
            ("/etc/passwd", ErrorKind::InvalidPath),
            ("bytes", ErrorKind::InvalidPath),
            ("missing", ErrorKind::FileNotFound),
            ("bytes/x", ErrorKind::FileNotFound),
        ] {
            assert_eq!(look(&worktree, path).unwrap_err().kind(), kind, "{path}");
        }
    }

    #[test]
    fn a_full_directory_is_told_in_part() {
        let directory = tempfile::tempdir().unwrap();
        for number in 0..=MOST_ENTRIES {
            fs::write(directory.path().join(format!("{number:05}")), "").unwrap();
        }
        let view = Worktree::open(directory.path()).unwrap().look(None).unwrap();
        let WorktreeView::Directory { entries, more, .. } = view else { panic!("{view:?}") };
        assert_eq!((entries.len(), more, entries[0].name.as_str()), (MOST_ENTRIES, 1, "00000"));
    }
}
