//! Directories and names: listing, making, renaming, removing.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cap_std::fs::{Dir, FileType, FileTypeExt};
use rustix::io::Errno;

use super::args::Args;
use super::describe::path_value;
use super::{Answer, Work, at, shown};
use crate::modules::{Access, Entry, Fault};
use crate::value::{CallError, Value};

/// The permissions of a new directory unless told, before the process's own mask.
const NEW_DIRECTORY: u32 = 0o777;
/// How deep a tree may be that is removed at once: each level is a directory that is held open.
const MAX_DEPTH: usize = 100;
/// How many names are taken out of a directory at a time, to be removed.
const BATCH: usize = 4_096;
/// What an entry of a listing costs besides its name.
const ENTRY_BYTES: usize = 64;
/// What the names of temporary directories end with.
const RANDOM_LETTERS: usize = 6;

/// `readdir(path, recursive, asBytes)`: `[names, types]`; of a recursive one the names are paths below the directory.
pub(super) fn readdir(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let (recursive, as_bytes) = (args.flag(1), args.flag(2));
    let of = at("scandir", path);
    let base = work.files.open_dir(path, Access::Read).map_err(&of)?;
    let mut listing = Listing { work, left: work.context.max_reply_bytes(), found: Vec::new() };
    listing.add(&base, Path::new("")).map_err(|trouble| trouble.at(&of))?;
    let mut next = 0;
    // Level by level, as Node does. Each is opened beneath the first: its path is the only bound on depth that is needed.
    while recursive && next < listing.found.len() {
        let (inner, kind) = &listing.found[next];
        next += 1;
        if *kind != DIRECTORY {
            continue;
        }
        let inner = inner.clone();
        match base.open_dir(&inner).map_err(Fault::from) {
            Ok(dir) => listing.add(&dir, &inner).map_err(|trouble| trouble.at(&of))?,
            // It is gone already, or something else by now.
            Err(fault) if matches!(fault.errno(), Errno::NOENT | Errno::NOTDIR) => {}
            Err(fault) => return Err(fault.at("scandir", &shown(&path.join(inner)))),
        }
    }
    let (names, kinds): (Vec<_>, Vec<_>) =
        listing.found.into_iter().map(|(name, kind)| (path_value(&name, as_bytes), Value::Number(kind))).unzip();
    Ok(Value::Array(vec![Value::Array(names), Value::Array(kinds)]))
}

/// `fs.constants.UV_DIRENT_DIR`.
const DIRECTORY: f64 = 2.0;

/// The kinds of entries as `fs.constants` numbers them.
fn kind_of(kind: FileType) -> f64 {
    match kind {
        _ if kind.is_file() => 1.0,
        _ if kind.is_dir() => DIRECTORY,
        _ if kind.is_symlink() => 3.0,
        _ if kind.is_fifo() => 4.0,
        _ if kind.is_socket() => 5.0,
        _ if kind.is_char_device() => 6.0,
        _ if kind.is_block_device() => 7.0,
        _ => 0.0,
    }
}

struct Listing<'a> {
    work: &'a Work<'a>,
    left: usize,
    found: Vec<(PathBuf, f64)>,
}

/// Why a listing ended: at a file, or for the whole call.
enum Trouble {
    Fault(Fault),
    Call(CallError),
}

impl Trouble {
    fn at(self, of: impl Fn(Fault) -> CallError) -> CallError {
        match self {
            Self::Fault(fault) => of(fault),
            Self::Call(error) => error,
        }
    }
}

impl<E: Into<Fault>> From<E> for Trouble {
    fn from(error: E) -> Self {
        Self::Fault(error.into())
    }
}

impl Listing<'_> {
    /// Adds what is in a directory, sorted by name as Node does.
    fn add(&mut self, dir: &Dir, prefix: &Path) -> Result<(), Trouble> {
        let start = self.found.len();
        self.work.go_on().map_err(Trouble::Call)?;
        for (count, entry) in (1..).zip(dir.read_dir(".")?) {
            if count % 256 == 0 {
                self.work.go_on().map_err(Trouble::Call)?;
            }
            let entry = entry?;
            let path = prefix.join(entry.file_name());
            // What the script could not hold is not worth listing.
            let cost = path.as_os_str().len() + ENTRY_BYTES;
            self.left = self.left.checked_sub(cost).ok_or(Errno::NOMEM)?;
            let Ok(kind) = entry.file_type() else { continue };
            self.found.push((path, kind_of(kind)));
        }
        self.found[start..]
            .sort_unstable_by(|(one, _), (other, _)| one.as_os_str().as_bytes().cmp(other.as_os_str().as_bytes()));
        Ok(())
    }
}

/// `mkdir(path, recursive, mode)`: of a recursive one, the first directory that was made.
pub(super) fn mkdir(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let mode = args.bits(2, "mode", NEW_DIRECTORY)?;
    let of = at("mkdir", path);
    let make = |path: &Path| work.files.entry(path).and_then(|entry| entry.make_dir(mode));
    if !args.flag(1) {
        // A path without a name, such as `a/..`, is there already.
        let no_name = |fault: Fault| if fault.errno() == Errno::BUSY { Errno::EXIST.into() } else { fault };
        return make(path).map(|()| Value::Null).map_err(|fault| of(no_name(fault)));
    }
    let steps = steps_of(path);
    // From the end towards the first that is there or can be made, and then back.
    let mut missing = steps.len();
    let mut first = None;
    while let Some(step) = missing.checked_sub(1).map(|at| steps[at]) {
        work.go_on()?;
        match make(step) {
            Ok(()) => {
                first = Some(step);
                break;
            }
            Err(fault) if fault.errno() == Errno::EXIST => break,
            // What has no name, such as `a/..`, is there if what is above it is.
            Err(fault) if matches!(fault.errno(), Errno::NOENT | Errno::BUSY) => missing -= 1,
            Err(fault) => return Err(of(fault)),
        }
    }
    for step in steps.iter().skip(missing) {
        work.go_on()?;
        match make(step) {
            Ok(()) => first = first.or(Some(*step)),
            Err(fault) if matches!(fault.errno(), Errno::EXIST | Errno::BUSY) => {}
            Err(fault) => return Err(of(fault)),
        }
    }
    if first.is_none() {
        let found = work.files.metadata(path, true).map_err(&of)?;
        if !found.is_dir() {
            return Err(of(Errno::EXIST.into()));
        }
    }
    Ok(first.map_or(Value::Null, |first| path_value(first, false)))
}

/// A path and those above it, shortest first, each as the path begins: `./a`, `./a/b`.
fn steps_of(path: &Path) -> Vec<&Path> {
    let mut steps: Vec<_> = path.ancestors().filter(|step| !step.as_os_str().is_empty()).collect();
    steps.reverse();
    steps
}

/// `mkdtemp(prefix)`: makes a directory with a new name, and tells it.
pub(super) fn mkdtemp(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let prefix = args.path(0, "prefix")?;
    let with = |end: &str| {
        let mut path = prefix.as_os_str().to_owned();
        path.push(end);
        PathBuf::from(path)
    };
    let shown_as = with("XXXXXX");
    let of = at("mkdtemp", &shown_as);
    for _ in 0..100 {
        work.go_on()?;
        let letters: String = std::iter::repeat_with(fastrand::alphanumeric).take(RANDOM_LETTERS).collect();
        let path = with(&letters);
        match work.files.entry(&path).and_then(|entry| entry.make_dir(0o700)) {
            Ok(()) => return Ok(path_value(&path, args.flag(1))),
            Err(fault) if fault.errno() == Errno::EXIST => {}
            Err(fault) => return Err(of(fault)),
        }
    }
    Err(of(Errno::EXIST.into()))
}

/// `rename(from, to)`.
pub(super) fn rename(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let (from, to) = (args.path(0, "oldPath")?, args.path(1, "newPath")?);
    work.files.rename(from, to).map_err(|fault| fault.between("rename", &shown(from), &shown(to)))?;
    Ok(Value::Null)
}

/// `unlink(path)`.
pub(super) fn unlink(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let no_name = |fault: Fault| if fault.errno() == Errno::BUSY { Errno::ISDIR.into() } else { fault };
    let removed = work.files.entry(path).map_err(no_name).and_then(|entry| entry.unlink());
    removed.map(|()| Value::Null).map_err(at("unlink", path))
}

/// `rmdir(path)`.
pub(super) fn rmdir(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let no_name = |fault: Fault| if fault.errno() == Errno::BUSY { Errno::INVAL.into() } else { fault };
    let removed = work.files.entry(path).map_err(no_name).and_then(|entry| entry.remove_dir());
    removed.map(|()| Value::Null).map_err(at("rmdir", path))
}

/// `rm(path, recursive, force)`: a link is removed, not what it points to.
pub(super) fn rm(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let (recursive, force) = (args.flag(1), args.flag(2));
    let entry = match work.files.entry(path) {
        Ok(entry) => entry,
        Err(fault) if fault.errno() == Errno::NOENT && force => return Ok(Value::Null),
        Err(fault) if fault.errno() == Errno::BUSY => return Err(Fault::new(Errno::INVAL).at("rmdir", &shown(path))),
        Err(fault) => return Err(fault.at("lstat", &shown(path))),
    };
    match entry.metadata() {
        Ok(found) if found.is_dir() && !recursive => Err(is_directory(path)),
        Ok(_) => remove(work, &entry, path, 0).map(|()| Value::Null),
        Err(fault) if fault.errno() == Errno::NOENT && force => Ok(Value::Null),
        Err(fault) => Err(fault.at("lstat", &shown(path))),
    }
}

/// Removes an entry, and what is in it when it is a directory. What is gone already is as good.
fn remove(work: &Work<'_>, entry: &Entry, path: &Path, depth: usize) -> Result<(), CallError> {
    work.go_on()?;
    work.files.check_entry(&entry.dir, &entry.name).map_err(at("unlink", path))?;
    let gone = |fault: &Fault| fault.errno() == Errno::NOENT;
    match entry.metadata() {
        Ok(found) if found.is_dir() => {}
        Err(fault) if gone(&fault) => return Ok(()),
        _ => {
            return match entry.unlink() {
                Err(fault) if !gone(&fault) => Err(fault.at("unlink", &shown(path))),
                _ => Ok(()),
            };
        }
    }
    if depth == MAX_DEPTH {
        let why = format!("directories nested more than {MAX_DEPTH} deep are not removed at once");
        return Err(CallError::new("Error", why).with_code("ENAMETOOLONG").with("path", shown(path)));
    }
    let mut inner = Entry { dir: entry.open_dir().map_err(at("scandir", path))?, name: OsString::new() };
    loop {
        let names = first_names(&inner.dir).map_err(at("scandir", path))?;
        if names.is_empty() {
            break;
        }
        for name in names {
            inner.name = name;
            remove(work, &inner, &path.join(&inner.name), depth + 1)?;
        }
    }
    match entry.remove_dir() {
        Err(fault) if !gone(&fault) => Err(fault.at("rmdir", &shown(path))),
        _ => Ok(()),
    }
}

/// Some of the names in a directory: it may have more than anybody should hold.
fn first_names(dir: &Dir) -> Result<Vec<OsString>, Fault> {
    let names = dir.read_dir(".")?.take(BATCH).map(|entry| Ok(entry?.file_name()));
    let mut names = names.collect::<Result<Vec<_>, Fault>>()?;
    names.sort_unstable();
    Ok(names)
}

/// What Node says when a directory is to be removed like a file.
fn is_directory(path: &Path) -> CallError {
    let path = shown(path);
    let number = f64::from(Errno::ISDIR.raw_os_error());
    let info = Value::object([
        ("code", Value::from("EISDIR")),
        ("message", "is a directory".into()),
        ("path", path.as_str().into()),
        ("syscall", "rm".into()),
        ("errno", number.into()),
    ]);
    CallError::new("SystemError", format!("Path is a directory: rm returned EISDIR (is a directory) {path}"))
        .with_code("ERR_FS_EISDIR")
        .with("info", info)
        .with("errno", number)
        .with("syscall", "rm")
        .with("path", path)
}
