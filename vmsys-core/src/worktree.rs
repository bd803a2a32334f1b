//! Worktrees: the one door through which files of a session are read.

mod look;
mod protected;

use std::fmt;
use std::io::{ErrorKind as IoKind, Read};
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use rustix::io::Errno;

pub use self::look::{WorktreeEntry, WorktreeEntryKind, WorktreeView};
pub(crate) use self::protected::{Identity, ProtectedFiles};
use crate::error::{Error, ErrorKind, Result};

/// A directory whose files a session may read, held open: cheap to clone.
///
/// Everything is opened beneath the handle in one step of the kernel's (`openat2` on Linux), never checked first and
/// opened later, so that nobody who changes the tree meanwhile can lead a read out of it. The directory may be renamed:
/// the handle stays with it.
///
/// What this does *not* stop: hard links and bind mounts inside the tree, which are files of the tree to the kernel.
#[derive(Clone)]
pub(crate) struct Worktree(Arc<Dir>, ProtectedFiles);

impl Worktree {
    /// Opens a directory by its absolute path.
    ///
    /// # Errors
    /// [`InvalidPath`](ErrorKind::InvalidPath) for a path that is relative, has a NUL, is not Unicode, does not exist,
    /// or is no directory that can be opened. Detail: `worktree_path`.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let refuse = |why: &str| {
            Error::new(ErrorKind::InvalidPath, format!("the worktree {} {why}", path.display()))
                .with("worktree_path", path.display())
        };
        // Answers show the path as JSON text.
        let Some(text) = path.to_str() else { return Err(refuse("has a path that is not Unicode")) };
        if text.contains('\0') {
            return Err(refuse("has a NUL character in its path"));
        }
        if !path.is_absolute() {
            return Err(refuse("must be an absolute path"));
        }
        Dir::open_ambient_dir(path, ambient_authority())
            .map(|dir| Self(Arc::new(dir), ProtectedFiles::default()))
            .map_err(|error| {
                let why = match error.kind() {
                    IoKind::NotFound => "does not exist",
                    IoKind::NotADirectory => "is not a directory",
                    IoKind::PermissionDenied => "cannot be opened: permission denied",
                    _ => "cannot be opened",
                };
                refuse(why).because(error)
            })
    }

    /// Returns the handle, for opening what is beneath it.
    pub(crate) fn dir(&self) -> &Dir {
        &self.0
    }

    /// The same, with some files out of reach.
    pub(crate) fn protecting(self, protected: ProtectedFiles) -> Self {
        Self(self.0, protected)
    }

    /// Reads a source file whole, as text without a byte order mark.
    ///
    /// Links inside the tree are followed as long as they stay there; an absolute link leaves, wherever it points. A
    /// file is bounded while it is read, so that one that grows meanwhile is refused as well. Nothing here blocks on
    /// what is no file: a FIFO is refused, whether anybody writes to it or not.
    ///
    /// # Errors
    /// [`FileNotFound`](ErrorKind::FileNotFound) when nothing is there; [`InvalidPath`](ErrorKind::InvalidPath) when the
    /// path leaves the tree, or names a directory, FIFO, socket or device, something that may not be read, a file longer
    /// than `max_bytes`, or one that is not UTF-8. Both with the detail `path`.
    pub(crate) fn read_source(&self, path: &WorktreePath, max_bytes: u64) -> Result<String> {
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt;
            // So that the open of a FIFO or a terminal neither waits nor has an effect.
            let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
            options.custom_flags(flags.bits().cast_signed());
        }
        // Looked at first, because a file of the daemon's must not even be closed.
        let protected = || unusable(path, "belongs to the database of vm-system itself");
        if self.0.metadata(&path.0).is_ok_and(|metadata| self.1.covers((&metadata).into())) {
            return Err(protected());
        }
        let file = self.0.open_with(&path.0, &options).map_err(|error| refused(path, error))?.into_std();
        let file = self.1.admit(file).map_err(|error| refused(path, error))?.ok_or_else(protected)?;
        // Of what was opened, not of the path: that may name something else by now.
        let metadata = file.metadata().map_err(|error| refused(path, error))?;
        if !metadata.is_file() {
            return Err(irregular(path, if metadata.is_dir() { "a directory" } else { "not a regular file" }));
        }
        if metadata.len() > max_bytes {
            return Err(too_long(path, max_bytes));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0).saturating_add(1));
        file.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes).map_err(|error| refused(path, error))?;
        if bytes.len() as u64 > max_bytes {
            return Err(too_long(path, max_bytes));
        }
        let mut text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            unusable(path, &format!("is not UTF-8: byte {at} is no part of a character")).because(error)
        })?;
        if text.starts_with('\u{feff}') {
            text.drain(..'\u{feff}'.len_utf8());
        }
        Ok(text)
    }
}

/// What stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Directory,
}

impl Worktree {
    /// Tells what stands at a path, whose links are followed as long as they stay inside; the empty path is the
    /// worktree. Nothing is what cannot be read as well as what is not there.
    ///
    /// What it does *not* guarantee: that the same stands there afterwards.
    pub(crate) fn kind(&self, path: &str) -> Option<Kind> {
        let path = if path.is_empty() { "." } else { path };
        let metadata = self.0.metadata(path).ok()?;
        if metadata.is_dir() {
            return Some(Kind::Directory);
        }
        metadata.is_file().then_some(Kind::File)
    }

    /// Follows the links of a path: two names of one file come out the same.
    pub(crate) fn real_path(&self, path: &str) -> Option<String> {
        let real = self.0.canonicalize(path).ok()?;
        real.to_str().map(str::to_owned)
    }
}

impl fmt::Debug for Worktree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Worktree").field(&self.0).finish()
    }
}

/// A path of a file, relative to a worktree: `a/b.js`, without `.`, `..` or empty parts.
///
/// Where it leads is not known before it is opened: a part of it may be a link.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorktreePath(String);

impl WorktreePath {
    /// The longest path in bytes, which is also the kernel's on Linux.
    pub(crate) const MAX_BYTES: usize = 4096;

    /// Parses a path with slashes between its parts, and drops `.` and empty parts.
    ///
    /// What only some systems take for a separator or a drive is refused on all of them, so that a template means the
    /// same everywhere.
    ///
    /// # Errors
    /// [`InvalidPath`](ErrorKind::InvalidPath) for a path that is empty, absolute, too long, or has a `..`, a backslash,
    /// a NUL or a drive. Detail: `path`.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let refuse = |why: &str| {
            let shown: String = text.chars().take(200).collect();
            Err(Error::new(ErrorKind::InvalidPath, format!("the path {shown:?} {why}")).with("path", shown))
        };
        if text.len() > Self::MAX_BYTES {
            return refuse("is too long: at most 4096 bytes");
        }
        if text.contains('\0') {
            return refuse("has a NUL character");
        }
        if text.contains('\\') {
            return refuse("has a backslash: parts are separated by /");
        }
        if text.starts_with('/') {
            return refuse("is absolute: it must be relative to the worktree");
        }
        let mut path = String::with_capacity(text.len());
        for part in text.split('/') {
            match part {
                "" | "." => continue,
                ".." => return refuse("has a part \"..\": it must stay in the worktree"),
                _ if path.is_empty() => {}
                _ => path.push('/'),
            }
            path.push_str(part);
        }
        if path.is_empty() || text.ends_with('/') || text.ends_with("/.") {
            return refuse("names no file");
        }
        if let [letter, b':', ..] = path.as_bytes()
            && letter.is_ascii_alphabetic()
        {
            return refuse("begins with a drive: it must be relative to the worktree");
        }
        Ok(Self(path))
    }

    /// Returns the path as text.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WorktreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for WorktreePath {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

fn refused(path: &WorktreePath, error: std::io::Error) -> Error {
    let of = |kind, why: String| Error::new(kind, why).with("path", path);
    let errno = error.raw_os_error().map(Errno::from_raw_os_error);
    let refusal = match (error.kind(), errno) {
        (IoKind::NotFound, _) => of(ErrorKind::FileNotFound, format!("{path} does not exist in the worktree")),
        // `a.js/b`: there is no such file, and to say more would be of no use.
        (IoKind::NotADirectory, _) => of(
            ErrorKind::FileNotFound,
            format!("{path} does not exist in the worktree: a part before the last is no directory"),
        ),
        // cap-std's own answer to a link that leads out has no number; the system's lack of permission has one.
        (IoKind::PermissionDenied, None) => of(ErrorKind::InvalidPath, format!("{path} leads out of the worktree")),
        (IoKind::PermissionDenied, Some(_)) => {
            of(ErrorKind::InvalidPath, format!("{path} cannot be read: permission denied"))
        }
        (_, Some(Errno::LOOP)) => of(ErrorKind::InvalidPath, format!("{path} is a link that leads in circles")),
        (_, Some(Errno::NXIO | Errno::NODEV)) => return irregular(path, "not a regular file").because(error),
        (_, Some(Errno::NAMETOOLONG)) => of(ErrorKind::InvalidPath, format!("{path} has a name that is too long")),
        _ => return Error::internal(format!("{path} cannot be read"), error).with("path", path),
    };
    refusal.because(error)
}

fn irregular(path: &WorktreePath, what: &str) -> Error {
    unusable(path, &format!("is {what}"))
}

fn unusable(path: &WorktreePath, why: &str) -> Error {
    Error::new(ErrorKind::InvalidPath, format!("{path} {why}")).with("path", path)
}

fn too_long(path: &WorktreePath, max_bytes: u64) -> Error {
    unusable(path, &format!("is longer than {max_bytes} bytes"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;

    const MAX: u64 = 1 << 20;

    fn read(worktree: &Worktree, path: &str) -> Result<String> {
        worktree.read_source(&WorktreePath::parse(path)?, MAX)
    }

    #[track_caller]
    fn fails(worktree: &Worktree, path: &str, kind: ErrorKind, words: &str) {
        let error = read(worktree, path).unwrap_err();
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.message().contains(words), "{error:?}");
        assert_eq!(error.detail("path"), Some(path), "{error:?}");
    }

    #[test]
    fn a_worktree_is_an_absolute_directory() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "").unwrap();
        Worktree::open(directory.path()).unwrap();
        for (path, words) in [
            (Path::new("relative"), "absolute"),
            (Path::new(""), "absolute"),
            (Path::new("/a\0b"), "NUL"),
            (&directory.path().join("missing"), "does not exist"),
            (&file, "is not a directory"),
        ] {
            let error = Worktree::open(path).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidPath);
            assert!(error.message().contains(words), "{error}");
            assert_eq!(error.detail("worktree_path"), path.to_str());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_worktree_is_named_in_unicode() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"/tmp/\xff"));
        assert_eq!(Worktree::open(path).unwrap_err().kind(), ErrorKind::InvalidPath);
    }

    #[test]
    fn paths_are_relative_and_plain() {
        for (text, path) in [
            ("a", "a"),
            ("./a//b", "a/b"),
            ("a/./b", "a/b"),
            ("..a/b../...", "..a/b../..."),
            (" ", " "),
            ("ä/日本", "ä/日本"),
            ("-rf", "-rf"),
            ("a:b", "a:b"),
            ("ab:c", "ab:c"),
        ] {
            // A single letter before a colon is a drive.
            match WorktreePath::parse(text) {
                Ok(parsed) => assert_eq!(parsed.as_str(), path),
                Err(_) => assert_eq!(text, "a:b"),
            }
        }
        let long = "a".repeat(4097);
        for (text, words) in [
            ("", "names no file"),
            (".", "names no file"),
            ("./", "names no file"),
            ("a/", "names no file"),
            ("a/./b/.", "names no file"),
            ("/etc/passwd", "absolute"),
            ("//server/share", "absolute"),
            ("..", "\"..\""),
            ("a/../b", "\"..\""),
            ("a/..", "\"..\""),
            ("a\\b", "backslash"),
            ("\\\\?\\C:\\", "backslash"),
            ("C:x", "drive"),
            ("c:/x", "drive"),
            ("a\0", "NUL"),
            (&long, "too long"),
        ] {
            let error = WorktreePath::parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidPath, "{text}");
            assert!(error.message().contains(words), "{error}");
            assert!(error.detail("path").is_some_and(|path| text.starts_with(path)));
        }
        WorktreePath::parse(&long[1..]).unwrap();
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_parsed_path_can_climb(text in prop_oneof![any::<String>(), "[a.:/\\\\\\\\\\u{0}]{0,12}"]) {
            if let Ok(path) = WorktreePath::parse(&text) {
                prop_assert!(path.as_str().split('/').all(|part| !part.is_empty() && part != "." && part != ".."), "{}", path);
                prop_assert!(Path::new(path.as_str()).is_relative());
                prop_assert_eq!(WorktreePath::parse(path.as_str()).unwrap(), path);
            }
        }
    }

    #[test]
    fn a_source_is_text_of_a_bounded_length() {
        let directory = tempfile::tempdir().unwrap();
        let put = |name: &str, bytes: &[u8]| std::fs::write(directory.path().join(name), bytes).unwrap();
        std::fs::create_dir(directory.path().join("lib")).unwrap();
        put("lib/größe.js", "1+1 // ü".as_bytes());
        put("bom.js", b"\xef\xbb\xbf\xef\xbb\xbf1");
        put("empty.js", b"");
        put("latin1.js", b"ab\xfc");
        put("exact.js", &[b'x'; MAX as usize]);
        put("long.js", &[b'x'; MAX as usize + 1]);
        let worktree = Worktree::open(directory.path()).unwrap();

        assert_eq!(read(&worktree, "./lib//größe.js").unwrap(), "1+1 // ü");
        assert_eq!(read(&worktree, "bom.js").unwrap(), "\u{feff}1", "one mark is a mark, the second is text");
        assert_eq!(read(&worktree, "empty.js").unwrap(), "");
        assert_eq!(read(&worktree, "exact.js").unwrap().len() as u64, MAX);
        fails(&worktree, "latin1.js", ErrorKind::InvalidPath, "byte 2");
        fails(&worktree, "long.js", ErrorKind::InvalidPath, "longer than 1048576 bytes");
        fails(&worktree, "missing.js", ErrorKind::FileNotFound, "missing.js does not exist");
        fails(&worktree, "no/missing.js", ErrorKind::FileNotFound, "does not exist");
        fails(&worktree, "bom.js/x", ErrorKind::FileNotFound, "does not exist");
        fails(&worktree, "lib", ErrorKind::InvalidPath, "a directory");
        fails(&worktree, &"n".repeat(300), ErrorKind::InvalidPath, "too long");
        let unbounded = worktree.read_source(&WorktreePath::parse("long.js").unwrap(), u64::MAX);
        assert_eq!(unbounded.unwrap().len() as u64, MAX + 1);

        // The handle stays with the directory.
        let moved = directory.path().with_extension("moved");
        std::fs::rename(directory.path(), &moved).unwrap();
        assert_eq!(read(&worktree, "empty.js").unwrap(), "");
        std::fs::rename(&moved, directory.path()).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_inside() {
        use std::os::unix::fs::symlink;
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("tree");
        std::fs::create_dir_all(root.join("real/deep")).unwrap();
        std::fs::write(outer.path().join("secret.js"), "secret").unwrap();
        std::fs::write(root.join("real/a.js"), "a").unwrap();
        for (target, link) in [
            ("real/a.js", "file"),
            ("../real/a.js", "real/up"),
            ("real", "dir"),
            ("file", "chain"),
            ("/etc/passwd", "passwd"),
            ("../secret.js", "sibling"),
            ("..", "parent"),
            ("../tree/real/a.js", "out-and-in"),
            ("self", "self"),
            ("ping", "pong"),
            ("pong", "ping"),
            ("nowhere", "dangling"),
            ("/proc/self/root", "root"),
            ("/dev/null", "null"),
        ] {
            symlink(target, root.join(link)).unwrap();
        }
        symlink(root.join("real/a.js"), root.join("absolute")).unwrap();
        let worktree = Worktree::open(&root).unwrap();
        for path in ["file", "real/up", "dir/a.js", "chain", "dir/up"] {
            assert_eq!(read(&worktree, path).unwrap(), "a", "{path}");
        }
        for path in
            ["passwd", "sibling", "parent/secret.js", "out-and-in", "root/etc/passwd", "absolute", "null", "parent"]
        {
            fails(&worktree, path, ErrorKind::InvalidPath, "out of the worktree");
        }
        for path in ["self", "ping", "self/a.js"] {
            fails(&worktree, path, ErrorKind::InvalidPath, "circles");
        }
        fails(&worktree, "dangling", ErrorKind::FileNotFound, "does not exist");
        fails(&worktree, "dir", ErrorKind::InvalidPath, "a directory");

        // The worktree itself may be a link: whoever names it chose it.
        let link = outer.path().join("link");
        symlink("tree", &link).unwrap();
        assert_eq!(read(&Worktree::open(&link).unwrap(), "file").unwrap(), "a");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_is_no_file_is_refused_at_once() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let directory = tempfile::tempdir().unwrap();
        let worktree = Worktree::open(directory.path()).unwrap();
        mknodat(CWD, directory.path().join("fifo"), FileType::Fifo, Mode::RWXU, 0).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(directory.path().join("socket")).unwrap();
        let zero = rustix::fs::makedev(1, 5);
        let device = mknodat(CWD, directory.path().join("zero"), FileType::CharacterDevice, Mode::RWXU, zero).is_ok();
        for name in ["fifo", "socket"] {
            fails(&worktree, name, ErrorKind::InvalidPath, "not a regular file");
        }
        if device {
            let error = read(&worktree, "zero").unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidPath, "{error:?}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_may_not_be_read_says_so() {
        use std::fs::{Permissions, set_permissions};
        use std::os::unix::fs::PermissionsExt;
        let directory = tempfile::tempdir().unwrap();
        set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
        let path = directory.path().join("a.js");
        std::fs::write(&path, "a").unwrap();
        set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
        let worktree = Worktree::open(directory.path()).unwrap();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                // Linux has user ids by thread.
                if rustix::process::getuid().is_root() {
                    rustix::thread::set_thread_uid(rustix::fs::Uid::from_raw(65_534)).unwrap();
                }
                fails(&worktree, "a.js", ErrorKind::InvalidPath, "permission denied");
            });
        });
    }

    /// A thread swaps a file and a directory for links that lead out, as fast as it can: no read ever sees outside.
    #[cfg(target_os = "linux")]
    #[test]
    fn nobody_wins_the_race() {
        use std::os::unix::fs::symlink;
        use std::sync::atomic::{AtomicBool, Ordering};

        use rustix::fs::{CWD, RenameFlags, renameat_with};
        let outer = tempfile::tempdir().unwrap();
        let root = outer.path().join("tree");
        let outside = outer.path().join("outside");
        for (path, text) in [(root.join("dir"), "inside"), (outside.clone(), "outside")] {
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("a.js"), text).unwrap();
        }
        std::fs::write(root.join("a.js"), "inside").unwrap();
        symlink("../outside/a.js", root.join("evil.js")).unwrap();
        symlink("../outside", root.join("evil")).unwrap();
        let worktree = Worktree::open(&root).unwrap();
        let done = AtomicBool::new(false);
        let (mut inside, mut refused) = (0, 0);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    for (one, other) in [("a.js", "evil.js"), ("dir", "evil")] {
                        renameat_with(CWD, root.join(one), CWD, root.join(other), RenameFlags::EXCHANGE).unwrap();
                    }
                }
            });
            let start = std::time::Instant::now();
            while start.elapsed().as_millis() < 500 || inside == 0 || refused == 0 {
                for path in ["a.js", "dir/a.js"] {
                    match read(&worktree, path) {
                        Ok(text) => {
                            assert_eq!(text, "inside");
                            inside += 1;
                        }
                        Err(error) => {
                            assert_ne!(error.kind(), ErrorKind::Validation, "{error:?}");
                            refused += 1;
                        }
                    }
                }
            }
            done.store(true, Ordering::Relaxed);
        });
        assert!(inside > 0 && refused > 0);
    }
}
