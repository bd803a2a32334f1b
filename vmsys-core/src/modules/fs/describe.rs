//! What is known about files: their kind, size, times and permissions, and where links lead.

use std::path::Path;
use std::time::UNIX_EPOCH;

use cap_std::fs::{Metadata, MetadataExt};
use rustix::fs::{Timespec, Timestamps};
use rustix::io::Errno;

use super::args::Args;
use super::{Answer, Work, at};
use crate::modules::{Access, Fault, OpenHow, PERMISSIONS, permissions};
use crate::value::Value;

const EXECUTE: u32 = 1;
const WRITE: u32 = 2;
const READ: u32 = 4;

/// `exists(path)`.
pub(super) fn exists(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let exists = args.path(0, "path").is_ok_and(|path| work.files.metadata(path, true).is_ok());
    Ok(exists.into())
}

/// `stat(path, followLinks, asBigInts)`: a list of `dev, mode, nlink, uid, gid, rdev, blksize, ino, size, blocks`, and
/// then the times of access, change of content, change and birth, each in seconds and nanoseconds.
pub(super) fn stat(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let follow = args.flag(1);
    let found = work.files.metadata(path, follow).map_err(at(if follow { "stat" } else { "lstat" }, path))?;
    let as_bigints = args.flag(2);
    let number = |value: i128| if as_bigints { Value::BigInt(value) } else { Value::Number(value as f64) };
    let counts = [
        found.dev(),
        found.mode().into(),
        found.nlink(),
        found.uid().into(),
        found.gid().into(),
        found.rdev(),
        found.blksize(),
        found.ino(),
        found.size(),
        found.blocks(),
    ];
    let birth = birth_of(&found).unwrap_or((found.ctime(), found.ctime_nsec()));
    let times = [
        (found.atime(), found.atime_nsec()),
        (found.mtime(), found.mtime_nsec()),
        (found.ctime(), found.ctime_nsec()),
        birth,
    ];
    let counts = counts.into_iter().map(i128::from);
    let times = times.into_iter().flat_map(|(seconds, nanos)| [seconds.into(), nanos.into()]);
    Ok(Value::Array(counts.chain(times).map(number).collect()))
}

/// Not every file system knows it.
fn birth_of(found: &Metadata) -> Option<(i64, i64)> {
    let since = found.created().ok()?.into_std().duration_since(UNIX_EPOCH).ok()?;
    Some((i64::try_from(since.as_secs()).ok()?, since.subsec_nanos().into()))
}

/// `access(path, mode)`.
pub(super) fn access(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let mode = args.bits(1, "mode", 0)?;
    let of = at("access", path);
    let found = work.files.metadata(path, true).map_err(&of)?;
    let denied = || of(Fault::new(Errno::ACCESS));
    let mode_has = |bits: u32| found.mode() & bits != 0;
    if found.is_file() {
        // To open it asks the grants and the system at once, and changes nothing.
        let how = OpenHow { read: mode & READ != 0, write: mode & WRITE != 0, ..OpenHow::default() };
        if how.read || how.write {
            work.files.open(path, how).map_err(&of)?;
        }
        if mode & EXECUTE != 0 && !mode_has(0o111) {
            return Err(denied());
        }
        return Ok(Value::Null);
    }
    if mode & READ != 0 {
        work.files.open_dir(path, Access::Read).map_err(&of)?;
    }
    if mode & WRITE != 0 {
        work.files.open_dir(path, Access::Write).map_err(&of)?;
        if !mode_has(0o222) {
            return Err(denied());
        }
    }
    Ok(Value::Null)
}

/// `realpath(path, asBytes)`: where it leads when all links are followed, as an absolute path.
pub(super) fn realpath(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let real = work.files.real_path(path).map_err(at("realpath", path))?;
    Ok(path_value(&real, args.flag(1)))
}

/// `readlink(path, asBytes)`: where a link points, as it is written there.
pub(super) fn readlink(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let target = work.files.read_link(path).map_err(at("readlink", path))?;
    Ok(path_value(&target, args.flag(1)))
}

/// A path as text, or as its bytes: what is no UTF-8 becomes U+FFFD in text.
pub(super) fn path_value(path: &Path, as_bytes: bool) -> Value {
    let text = path.as_os_str();
    if as_bytes { Value::Bytes(text.as_encoded_bytes().to_vec()) } else { Value::from(text.to_string_lossy().as_ref()) }
}

/// `chmod(path, mode)`.
pub(super) fn chmod(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let mode = args.bits(1, "mode", PERMISSIONS)?;
    let of = at("chmod", path);
    let file = work.files.open_to_describe(path).map_err(&of)?;
    // A program that runs as its owner would lend out the daemon's user.
    if mode & 0o7000 != 0 {
        return Err(of(Errno::PERM.into()));
    }
    rustix::fs::fchmod(&file, permissions(mode)).map_err(|errno| of(errno.into()))?;
    Ok(Value::Null)
}

/// `utimes(path, atime, mtime)`: in seconds since 1970.
pub(super) fn utimes(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let of = at("utime", path);
    let time = |index: usize| args.number(index).and_then(timespec).ok_or_else(|| of(Errno::INVAL.into()));
    let times = Timestamps { last_access: time(1)?, last_modification: time(2)? };
    let file = work.files.open_to_describe(path).map_err(&of)?;
    rustix::fs::futimens(&file, &times).map_err(|errno| of(errno.into()))?;
    Ok(Value::Null)
}

/// To the microsecond, as Node has it: more than that a number of seconds does not hold.
fn timespec(seconds: f64) -> Option<Timespec> {
    let micros = (seconds * 1e6).round();
    if !micros.is_finite() || micros.abs() > 9e15 {
        return None;
    }
    let micros = micros as i64;
    Some(Timespec { tv_sec: micros.div_euclid(1_000_000), tv_nsec: (micros.rem_euclid(1_000_000) * 1_000) as _ })
}
