//! Directories for the temporary files of programs: one a session, gone with it.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::Once;

use rustix::fs::{FlockOperation, Mode, OFlags, flock};
use tempfile::TempDir;

/// Outside of worktrees, which are not for what comes and goes.
const PLACE: &str = "/tmp";
const PREFIX: &str = "vm-session-";
/// Another host may take a new one for one that was left behind, in the moment before it is locked.
const TRIES: usize = 10;

/// Once in the life of a program is enough to look for what others have left.
static SWEPT: Once = Once::new();

/// A directory that nobody else has. It is locked as long as its host lives: one that is not was left behind by a host
/// that was killed, and is removed by the next.
#[derive(Debug)]
pub(super) struct Temporary {
    directory: Option<TempDir>,
    _lock: File,
}

impl Temporary {
    pub(super) fn create() -> io::Result<Self> {
        SWEPT.call_once(|| sweep(Path::new(PLACE)));
        for _ in 0..TRIES {
            let directory = tempfile::Builder::new().prefix(PREFIX).tempdir_in(PLACE)?;
            if let Some(lock) = lock(directory.path())
                && directory.path().is_dir()
            {
                return Ok(Self { directory: Some(directory), _lock: lock });
            }
        }
        Err(io::Error::other("no directory for temporary files could be kept"))
    }

    /// Where it is, unless somebody has tidied it away.
    pub(super) fn path(&self) -> Option<&Path> {
        self.directory.as_ref().map(TempDir::path).filter(|path| path.is_dir())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        match self.directory.take().map(TempDir::close) {
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(%error, "temporary files of a session's programs could not be removed");
            }
            _ => {}
        }
    }
}

/// Locks a directory, unless somebody else has.
fn lock(directory: &Path) -> Option<File> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(directory, flags, Mode::empty()).ok()?);
    flock(&file, FlockOperation::NonBlockingLockExclusive).ok()?;
    Some(file)
}

/// Removes what hosts of the same user have left behind.
fn sweep(place: &Path) {
    let own = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let is_one = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX))
            && entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == own);
        if is_one
            && let Some(_lock) = lock(&entry.path())
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            tracing::warn!(%error, "temporary files that another program left could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn what_was_left_behind_is_removed_and_what_is_used_is_not() {
        let place = tempfile::tempdir().unwrap();
        let [left, used, other] = ["vm-session-left", "vm-session-used", "other"].map(|name| place.path().join(name));
        for directory in [&left, &used, &other] {
            std::fs::create_dir_all(directory.join("files")).unwrap();
        }
        let elsewhere = tempfile::tempdir().unwrap();
        let link = place.path().join("vm-session-link");
        std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
        let locked = lock(&used).unwrap();
        sweep(place.path());
        assert_eq!([&left, &used, &other].map(|directory| directory.exists()), [false, true, true]);
        assert!(link.exists() && elsewhere.path().exists(), "a link is none");
        drop(locked);
        // A child of another test's has it, too, until its program begins.
        let begun = Instant::now();
        while used.exists() {
            assert!(begun.elapsed() < Duration::from_secs(10), "it is locked by nobody");
            sweep(place.path());
        }
    }
}
