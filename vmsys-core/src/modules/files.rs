//! The files of a session: paths of a script's, resolved beneath what its template grants.
//!
//! Nothing is checked first and opened later. A path is matched by its words with a granted directory, that directory is
//! opened part by part without following links, and the kernel resolves the rest beneath it (`openat2` on Linux): so a
//! link that leads out of what is granted is refused, whoever changes the tree meanwhile. What is created, renamed or
//! removed is named in a directory that is held open, and never followed.

mod fault;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{Dir, Metadata, OpenOptions, OpenOptionsExt};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

pub(crate) use self::fault::Fault;
use crate::worktree::Worktree;
pub(crate) use crate::worktree::{Identity, ProtectedFiles};

/// The longest path, in bytes: the kernel's own on Linux, with the NUL at its end.
const MAX_PATH_BYTES: usize = 4095;
/// What a script may set of a file's permissions: never set-user-ID and the like, which would lend out the daemon's user.
pub(crate) const PERMISSIONS: u32 = 0o777;

/// What is to be done with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// To learn what is there, but not what is in it: granted by either list.
    Metadata,
    /// To read it.
    Read,
    /// To create, change or remove it.
    Write,
    /// Both.
    ReadWrite,
}

/// How a file is opened.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct OpenHow {
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) append: bool,
    /// Whether it is made when it is missing.
    pub(crate) create: bool,
    /// Whether it must not be there yet.
    pub(crate) exclusive: bool,
    /// Whether it is emptied.
    pub(crate) truncate: bool,
    /// The permissions of a file that is made, before the process's own mask.
    pub(crate) mode: u32,
}

/// The files that the modules of a session may touch: cheap to clone.
///
/// Paths are relative to the worktree, or absolute and inside it. A link may lead anywhere in the granted directory that
/// it was reached through, and not out of it; an absolute link leads out, wherever it points.
///
/// What this does *not* stop: hard links and bind mounts that somebody else made inside a granted directory, which are
/// files of it to the kernel. Programs that a script may start are bounded by [`grants`](SessionFiles::grants).
#[derive(Debug, Clone)]
pub(crate) struct SessionFiles(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    worktree: Worktree,
    /// The worktree's path as it was given and as the system has it.
    roots: Vec<PathBuf>,
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    protected: ProtectedFiles,
}

/// Where a path leads: still to be resolved, beneath a directory that is held open.
#[derive(Debug)]
struct Place {
    dir: Dir,
    /// The directory's path below the worktree, which has no links.
    base: PathBuf,
    path: PathBuf,
    /// It is a granted path itself, in the directory that holds it: one name, which must not be a link.
    is_grant: bool,
}

/// What a session is granted and is there, held open without being read.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) file: File,
    pub(crate) read: bool,
    pub(crate) write: bool,
}

/// A name in a directory that is held open, as it is created, renamed or removed.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) dir: Dir,
    pub(crate) name: OsString,
}

impl SessionFiles {
    /// Grants parts of a worktree: paths below it, without `..`; `.` is all of it.
    pub(crate) fn new(
        worktree: Worktree,
        path: &Path,
        read: &[String],
        write: &[String],
        protected: ProtectedFiles,
    ) -> Self {
        let mut roots = vec![path.to_owned()];
        // Only for comparing words: what is opened is opened beneath the handle.
        roots.extend(std::fs::canonicalize(path).ok().filter(|real| real != path));
        Self(Arc::new(Inner { worktree, roots, read: widest(read), write: widest(write), protected }))
    }

    /// Opens what is granted as it is now, for programs to be bounded by. What is missing, or a link, is left out.
    ///
    /// # Errors
    /// `EACCES` when a file of the daemon's is among it or below: nothing could be taken out of what is granted.
    pub(crate) fn grants(&self) -> Result<Vec<Grant>, Fault> {
        let lists = [(&self.0.read, true), (&self.0.write, false)];
        let paths = lists.into_iter().flat_map(|(list, read)| list.iter().map(move |path| (path, read)));
        let (mut grants, protected_files) = (Vec::new(), self.0.protected.with_above());
        for (path, read) in paths {
            let Ok(file) = self.hold(path) else { continue };
            let metadata = file.metadata()?;
            if protected_files.contains(&(&metadata).into()) {
                return Err(protected());
            }
            if !metadata.is_symlink() {
                grants.push(Grant { file, read, write: !read });
            }
        }
        Ok(grants)
    }

    /// Opens a granted path as a place, whatever it is.
    fn hold(&self, path: &Path) -> Result<File, Fault> {
        let parts: Vec<_> = path.components().collect();
        let (above, name) = match parts.split_last() {
            Some((name, above)) => (above, name.as_os_str()),
            None => (&[][..], OsStr::new(".")),
        };
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(rustix::fs::openat(self.walk(above)?, name, flags, Mode::empty())?.into())
    }

    /// The daemon's own files.
    pub(crate) fn protected(&self) -> &ProtectedFiles {
        &self.0.protected
    }

    /// Opens a regular file.
    ///
    /// # Errors
    /// `EACCES` for what is not granted, leads out, is no regular file or belongs to the daemon; `EISDIR` for a
    /// directory; the system's own.
    pub(crate) fn open(&self, path: &Path, how: OpenHow) -> Result<File, Fault> {
        let access = match (how.read, how.write || how.append) {
            (_, false) => Access::Read,
            (false, true) => Access::Write,
            (true, true) => Access::ReadWrite,
        };
        let place = self.locate(path, access)?;
        if how.create
            && let Ok(entry) = place.entry()
        {
            self.check_entry(&entry.dir, &entry.name)?;
        }
        let file = self.open_unprotected(&place, how)?;
        check_kind(&file, false)?;
        if how.truncate {
            // Only now: nothing may happen to a file before it is known which one it is.
            file.set_len(0)?;
        }
        Ok(file)
    }

    /// Opens a regular file or directory, to change what is known about it.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub(crate) fn open_to_describe(&self, path: &Path) -> Result<File, Fault> {
        let place = self.locate(path, Access::Write)?;
        let opened = match self.open_unprotected(&place, OpenHow { read: true, ..OpenHow::default() }) {
            // It may not be read, but it may still be described.
            Err(fault) if fault.errno() == Errno::ACCESS => {
                self.open_unprotected(&place, OpenHow { write: true, ..OpenHow::default() }).map_err(|_| fault)
            }
            opened => opened,
        };
        let file = opened?;
        check_kind(&file, true)?;
        Ok(file)
    }

    /// Opens a directory.
    ///
    /// # Errors
    /// `EACCES` for what is not granted or leads out; the system's own.
    pub(crate) fn open_dir(&self, path: &Path, access: Access) -> Result<Dir, Fault> {
        self.locate(path, access)?.open_dir()
    }

    /// Finds a name in its directory, for it to be created or removed.
    ///
    /// # Errors
    /// `EACCES` for what is not granted, leads out or belongs to the daemon; `EBUSY` for a path without a name, such as
    /// `a/..`; the system's own.
    pub(crate) fn entry(&self, path: &Path) -> Result<Entry, Fault> {
        let entry = self.locate(path, Access::Write)?.entry()?;
        self.check_entry(&entry.dir, &entry.name)?;
        Ok(entry)
    }

    /// Tells what is there; of a link itself unless it is to be followed.
    ///
    /// # Errors
    /// `EACCES` for what is not granted or leads out; the system's own.
    pub(crate) fn metadata(&self, path: &Path, follow: bool) -> Result<Metadata, Fault> {
        self.locate(path, Access::Metadata)?.metadata(follow)
    }

    /// Tells where a path leads when all its links have been followed, as an absolute path.
    ///
    /// # Errors
    /// As [`metadata`](Self::metadata).
    pub(crate) fn real_path(&self, path: &Path) -> Result<PathBuf, Fault> {
        let place = self.locate(path, Access::Metadata)?;
        // A granted path that is a link is no place.
        place.metadata(true)?;
        let real = place.dir.canonicalize(&place.path)?;
        let mut whole = self.0.roots.last().cloned().unwrap_or_default();
        whole.extend(place.base.components().chain(real.components()).filter(|part| *part != Component::CurDir));
        Ok(whole)
    }

    /// Reads where a link points, as it is written there.
    ///
    /// # Errors
    /// As [`metadata`](Self::metadata), and `EINVAL` for what is no link.
    pub(crate) fn read_link(&self, path: &Path) -> Result<PathBuf, Fault> {
        let entry = self.locate(path, Access::Metadata)?.entry();
        let entry = entry.map_err(|fault| if fault.errno() == Errno::BUSY { Errno::INVAL.into() } else { fault })?;
        Ok(entry.dir.read_link_contents(&entry.name)?)
    }

    /// Renames, and replaces what is there.
    ///
    /// What could be read under its new name must be readable under the old one: to move is no way to read.
    ///
    /// # Errors
    /// As [`entry`](Self::entry).
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> Result<(), Fault> {
        let (to_parts, to_length) = self.granted(to, Access::Write)?;
        let target: PathBuf = to_parts.iter().take(to_length).collect();
        let could_be_read = self.0.read.iter().any(|read| read.starts_with(&target) || target.starts_with(read));
        let old = self.locate(from, if could_be_read { Access::ReadWrite } else { Access::Write })?.entry()?;
        let new = self.entry(to)?;
        self.check_entry(&old.dir, &old.name)?;
        Ok(rustix::fs::renameat(&old.dir, &old.name, &new.dir, &new.name)?)
    }

    /// Refuses a name that belongs to the daemon.
    pub(crate) fn check_entry(&self, dir: &Dir, name: &OsStr) -> Result<(), Fault> {
        if self.0.protected.covers_entry(dir, name) { Err(protected()) } else { Ok(()) }
    }

    /// Opens what is not the daemon's. It is looked at first, because a file of the daemon's must not even be closed, and
    /// again when it is open, because what was looked at may be another by then.
    fn open_unprotected(&self, place: &Place, how: OpenHow) -> Result<File, Fault> {
        if place.metadata(true).is_ok_and(|metadata| self.0.protected.covers((&metadata).into())) {
            return Err(protected());
        }
        self.0.protected.admit(place.open(how)?)?.ok_or_else(protected)
    }

    /// Says in words what is granted.
    pub(crate) fn granted_in_words(&self) -> String {
        let list = |paths: &[PathBuf]| match paths {
            [] => "nothing".to_owned(),
            paths => {
                let shown = paths.iter().map(|path| match path.to_str() {
                    Some("") | None => "\".\"".to_owned(),
                    Some(path) => format!("{path:?}"),
                });
                shown.collect::<Vec<_>>().join(", ")
            }
        };
        format!("granted are, in the worktree, to read: {}; to write: {}", list(&self.0.read), list(&self.0.write))
    }

    fn locate(&self, path: &Path, access: Access) -> Result<Place, Fault> {
        let (parts, length) = self.granted(path, access)?;
        let (grant, rest) = parts.split_at(length);
        if let ([above @ .., name], []) = (grant, rest) {
            let (dir, base) = (self.walk(above)?, above.iter().collect());
            return Ok(Place { dir, base, path: name.as_os_str().into(), is_grant: true });
        }
        let mut within: PathBuf = rest.iter().collect();
        if rest.is_empty() {
            within.push(".");
        } else if path.as_os_str().as_bytes().ends_with(b"/") {
            // It must be a directory, says the kernel, too.
            within.push("");
        }
        Ok(Place { dir: self.walk(grant)?, base: grant.iter().collect(), path: within, is_grant: false })
    }

    /// Splits a path into its parts below the worktree, and says how many of them are the granted directory.
    fn granted<'a>(&'a self, path: &'a Path, access: Access) -> Result<(Vec<Component<'a>>, usize), Fault> {
        let bytes = path.as_os_str().as_bytes();
        if bytes.is_empty() {
            return Err(Errno::NOENT.into());
        }
        if bytes.len() > MAX_PATH_BYTES {
            return Err(Errno::NAMETOOLONG.into());
        }
        if bytes.contains(&0) {
            return Err(Errno::INVAL.into());
        }
        let outside = || Fault::denied(format!("outside of the worktree; {}", self.granted_in_words()));
        let parts = self.inside(path).ok_or_else(outside)?;
        let plain = normalised(parts.iter().copied());
        // As it was written if it can be, for `a/..` is not always where one was before `a`.
        let found = [parts, plain].into_iter().find_map(|parts| {
            let length = self.grant_length(&parts, access)?;
            Some((parts, length))
        });
        found.ok_or_else(|| Fault::denied(format!("not granted; {}", self.granted_in_words())))
    }

    /// The parts of a path below the worktree; `None` when its words lead out.
    fn inside<'a>(&'a self, path: &'a Path) -> Option<Vec<Component<'a>>> {
        let parts: Vec<_> = path.components().filter(|part| *part != Component::CurDir).collect();
        if path.is_relative() {
            if !climbs(&parts) {
                return Some(parts);
            }
            // Out of the worktree, and perhaps in again by its name.
            let root = self.0.roots.last()?;
            return self.below_root(&normalised(root.components().chain(parts)));
        }
        self.below_root(&parts).or_else(|| self.below_root(&normalised(parts)))
    }

    fn below_root<'a>(&self, parts: &[Component<'a>]) -> Option<Vec<Component<'a>>> {
        self.0.roots.iter().find_map(|root| {
            let mut rest = parts.iter().copied();
            for part in root.components() {
                if rest.next() != Some(part) {
                    return None;
                }
            }
            let rest: Vec<_> = rest.collect();
            (!climbs(&rest)).then_some(rest)
        })
    }

    fn grant_length(&self, parts: &[Component<'_>], access: Access) -> Option<usize> {
        let longest = |grants: &[PathBuf]| {
            let matching = grants.iter().filter_map(|grant| {
                let length = grant.components().count();
                let begins = parts.len() >= length && grant.components().eq(parts.iter().copied().take(length));
                (begins && !climbs(&parts[length..])).then_some(length)
            });
            matching.max()
        };
        let (read, write) = (longest(&self.0.read), longest(&self.0.write));
        match access {
            Access::Read => read,
            Access::Write => write,
            // The narrower of the two is in both.
            Access::ReadWrite => Some(read?.max(write?)),
            Access::Metadata => read.into_iter().chain(write).min(),
        }
    }

    /// Opens a directory of a grant's, part by part: none of them may be a link, so that a grant means what it says.
    fn walk(&self, parts: &[Component<'_>]) -> Result<Dir, Fault> {
        let mut dir = self.0.worktree.dir().try_clone()?;
        for part in parts {
            dir = open_real_dir(&dir, part.as_os_str())?;
        }
        Ok(dir)
    }
}

/// Of what was opened, not of the path: that may name something else by now.
fn check_kind(file: &File, may_be_directory: bool) -> Result<(), Fault> {
    let metadata = file.metadata()?;
    if metadata.is_dir() && !may_be_directory {
        return Err(Errno::ISDIR.into());
    }
    if metadata.is_file() || metadata.is_dir() { Ok(()) } else { Err(irregular()) }
}

fn protected() -> Fault {
    Fault::denied("it belongs to the database of vm-system itself")
}

impl Place {
    fn open(&self, how: OpenHow) -> Result<File, Fault> {
        // So that the open of a FIFO or a terminal neither waits nor has an effect.
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = if self.is_grant {
            rustix::fs::openat(&self.dir, &self.path, flags | OFlags::NOFOLLOW | how.flags(), how.permissions())
                .map(File::from)
                .map_err(Fault::from)
        } else {
            let mut options = OpenOptions::new();
            options.read(how.read).write(how.write).append(how.append);
            options.create(how.create).create_new(how.exclusive);
            options.mode(how.mode & PERMISSIONS).custom_flags(flags.bits().cast_signed());
            self.dir.open_with(&self.path, &options).map(cap_std::fs::File::into_std).map_err(Fault::from)
        };
        opened.map_err(|fault| match fault.errno() {
            // A FIFO that nobody reads, a socket, a device that is not there.
            Errno::NXIO | Errno::NODEV => irregular(),
            Errno::LOOP if self.is_grant => linked(),
            _ => fault,
        })
    }

    fn open_dir(&self) -> Result<Dir, Fault> {
        if self.is_grant {
            return open_real_dir(&self.dir, self.path.as_os_str());
        }
        Ok(self.dir.open_dir(&self.path)?)
    }

    fn metadata(&self, follow: bool) -> Result<Metadata, Fault> {
        if follow && !self.is_grant {
            return Ok(self.dir.metadata(&self.path)?);
        }
        let metadata = self.dir.symlink_metadata(&self.path)?;
        if follow && metadata.is_symlink() { Err(linked()) } else { Ok(metadata) }
    }

    /// The name, in its directory.
    fn entry(&self) -> Result<Entry, Fault> {
        let Some(Component::Normal(name)) = self.path.components().next_back() else { return Err(Errno::BUSY.into()) };
        let dir = match self.path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => self.dir.open_dir(parent)?,
            _ => self.dir.try_clone()?,
        };
        Ok(Entry { dir, name: name.to_owned() })
    }
}

impl OpenHow {
    fn flags(self) -> OFlags {
        let mut flags = match (self.read, self.write || self.append) {
            (_, false) => OFlags::RDONLY,
            (false, true) => OFlags::WRONLY,
            (true, true) => OFlags::RDWR,
        };
        flags.set(OFlags::APPEND, self.append);
        flags.set(OFlags::CREATE, self.create || self.exclusive);
        flags.set(OFlags::EXCL, self.exclusive);
        flags | OFlags::CLOEXEC
    }

    fn permissions(self) -> Mode {
        permissions(self.mode)
    }
}

impl Entry {
    /// Makes a directory.
    pub(crate) fn make_dir(&self, mode: u32) -> Result<(), Fault> {
        Ok(rustix::fs::mkdirat(&self.dir, &self.name, permissions(mode))?)
    }

    /// Removes what is no directory; a link, not what it points to.
    pub(crate) fn unlink(&self) -> Result<(), Fault> {
        Ok(rustix::fs::unlinkat(&self.dir, &self.name, AtFlags::empty())?)
    }

    /// Removes an empty directory.
    pub(crate) fn remove_dir(&self) -> Result<(), Fault> {
        Ok(rustix::fs::unlinkat(&self.dir, &self.name, AtFlags::REMOVEDIR)?)
    }

    /// Tells what is there, without following a link.
    pub(crate) fn metadata(&self) -> Result<Metadata, Fault> {
        Ok(self.dir.symlink_metadata(&self.name)?)
    }

    /// Opens the directory that is there; a link is none.
    pub(crate) fn open_dir(&self) -> Result<Dir, Fault> {
        open_real_dir(&self.dir, &self.name)
    }
}

/// The permissions that a script may set.
pub(crate) fn permissions(mode: u32) -> Mode {
    Mode::from_bits_truncate((mode & PERMISSIONS) as rustix::fs::RawMode)
}

fn open_real_dir(dir: &Dir, name: &OsStr) -> Result<Dir, Fault> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(dir, name, flags, Mode::empty()) {
        Ok(opened) => Ok(Dir::from_std_file(File::from(opened))),
        // Which of the two it is that a link is, differs.
        Err(Errno::NOTDIR | Errno::LOOP) if dir.symlink_metadata(name).is_ok_and(|found| found.is_symlink()) => {
            Err(linked())
        }
        Err(errno) => Err(errno.into()),
    }
}

fn irregular() -> Fault {
    Fault::denied("it is neither a regular file nor a directory")
}

fn linked() -> Fault {
    Fault::denied("a granted path is a symbolic link")
}

/// Paths without those that another one contains. `.` is the empty path.
fn widest(paths: &[String]) -> Vec<PathBuf> {
    let mut kept: Vec<PathBuf> = Vec::new();
    for path in paths {
        let parts: Vec<_> = Path::new(path).components().filter(|part| *part != Component::CurDir).collect();
        // Whoever made the list has seen to it; what is not as it must be grants nothing.
        if parts.iter().any(|part| !matches!(part, Component::Normal(_))) {
            continue;
        }
        let path: PathBuf = parts.into_iter().collect();
        if !kept.iter().any(|wider| path.starts_with(wider)) {
            kept.retain(|narrower| !narrower.starts_with(&path));
            kept.push(path);
        }
    }
    kept
}

/// Whether the words of a path lead above where it begins.
fn climbs(parts: &[Component<'_>]) -> bool {
    let mut depth = 0_usize;
    for part in parts {
        match part {
            Component::ParentDir if depth == 0 => return true,
            Component::ParentDir => depth -= 1,
            _ => depth += 1,
        }
    }
    false
}

/// The same path without `..`, as far as its words say. What is above the root is the root.
fn normalised<'a>(parts: impl IntoIterator<Item = Component<'a>>) -> Vec<Component<'a>> {
    let mut plain = Vec::new();
    for part in parts {
        match part {
            Component::ParentDir => {
                if plain.last().is_some_and(|last| *last != Component::RootDir) {
                    plain.pop();
                }
            }
            Component::CurDir => {}
            part => plain.push(part),
        }
    }
    plain
}

#[cfg(test)]
mod tests;
