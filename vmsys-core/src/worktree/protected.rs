//! The files of the daemon's own database, which no script may reach, wherever they lie.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use cap_std::fs::{Dir, Metadata, MetadataExt as _};

/// What a database has beside its file: SQLite's own files, and the lock of the store.
const SUFFIXES: &[&str] = &["", "-wal", "-shm", "-journal", ".lock"];

/// Which file something is, whatever it is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    device: u64,
    inode: u64,
}

impl From<&Metadata> for Identity {
    fn from(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

impl From<&std::fs::Metadata> for Identity {
    fn from(metadata: &std::fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Files that are out of reach though they may lie in a worktree: the database, what SQLite keeps beside it, and the
/// directories above, which may not be moved. Cheap to clone.
///
/// A file is known by what it is, not by its name, so that links of either kind lead nowhere. What this does *not* stop:
/// programs that a script may start, which are kept away by other means: see `modules/exec/confine`.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProtectedFiles(Option<Arc<Database>>);

#[derive(Debug)]
struct Database {
    paths: Vec<PathBuf>,
    names: Vec<OsString>,
    /// As they were when the database was opened: they stay protected when somebody moves them.
    known: Vec<Identity>,
    directory: Option<Identity>,
    above: Vec<Identity>,
    /// What was opened in spite of all, because somebody was quick: to close a file takes away the locks that this program
    /// has on it, and with them SQLite's.
    open: Mutex<Vec<File>>,
}

impl ProtectedFiles {
    /// Protects a database by the real path of its file, once it is open; without one, nothing.
    pub(crate) fn of(database: Option<&Path>) -> Self {
        let Some(database) = database else { return Self(None) };
        let with = |name: &OsStr, suffix: &str| {
            let mut name = name.to_owned();
            name.push(suffix);
            name
        };
        let paths: Vec<_> = SUFFIXES.iter().map(|suffix| PathBuf::from(with(database.as_os_str(), suffix))).collect();
        let names = SUFFIXES.iter().map(|suffix| with(database.file_name().unwrap_or_default(), suffix)).collect();
        let known = paths.iter().filter_map(|path| identity(path)).collect();
        let above: Vec<_> = database.ancestors().skip(1).filter_map(identity).collect();
        Self(Some(Arc::new(Database {
            paths,
            names,
            known,
            directory: above.first().copied(),
            above,
            open: Mutex::default(),
        })))
    }

    /// Tells whether a file is one of them.
    ///
    /// The paths are looked at anew, too: SQLite may make its files again, and a script may just have made the one that
    /// SQLite would take for a journal.
    pub(crate) fn covers(&self, file: Identity) -> bool {
        let Some(database) = &self.0 else { return false };
        database.known.contains(&file) || database.paths.iter().any(|path| identity(path) == Some(file))
    }

    /// Returns what they are now, with the directories above them.
    pub(crate) fn with_above(&self) -> Vec<Identity> {
        let Some(database) = &self.0 else { return Vec::new() };
        let now = database.paths.iter().filter_map(|path| identity(path));
        database.known.iter().chain(&database.above).copied().chain(now).collect()
    }

    /// Tells whether to make, move, replace or remove a name would hit one of them, or a directory above.
    pub(crate) fn covers_entry(&self, dir: &Dir, name: &OsStr) -> bool {
        let Some(database) = &self.0 else { return false };
        // On some systems names that differ in case are one file's.
        let is_named = database.names.iter().any(|reserved| reserved.eq_ignore_ascii_case(name));
        if is_named && dir.dir_metadata().ok().as_ref().map(Identity::from) == database.directory {
            return true;
        }
        // A name can only come to mean one of them by a move, which is refused as well: to look first is no race.
        let Ok(metadata) = dir.symlink_metadata(name) else { return false };
        let entry = Identity::from(&metadata);
        self.covers(entry) || database.above.contains(&entry)
    }

    /// Takes an open file that may be one of them, and gives it back unless it is. One that is stays open: whoever opens
    /// files looks first, so that this is rare.
    pub(crate) fn admit(&self, file: File) -> std::io::Result<Option<File>> {
        let Some(database) = &self.0 else { return Ok(Some(file)) };
        if !self.covers((&file.metadata()?).into()) {
            return Ok(Some(file));
        }
        database.open.lock().unwrap_or_else(PoisonError::into_inner).push(file);
        Ok(None)
    }
}

fn identity(path: &Path) -> Option<Identity> {
    std::fs::symlink_metadata(path).ok().as_ref().map(Identity::from)
}
