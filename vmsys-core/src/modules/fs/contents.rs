//! What is in files: reading, writing, copying.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;

use rustix::io::Errno;

use super::args::Args;
use super::{Answer, Work, at, shown};
use crate::modules::{Fault, Identity, OpenHow, permissions};
use crate::value::{CallError, Value};

/// How much is read or written before it is asked whether to go on.
const CHUNK_BYTES: usize = 1 << 20;
/// The permissions of a new file unless told, before the process's own mask.
const NEW_FILE: u32 = 0o666;

const EXCLUSIVE: u32 = 1;
const CLONE_OR_FAIL: u32 = 4;

/// `readFile(path, flag, asText)`: its bytes, or its text.
pub(super) fn read_file(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let how = args.open_how(1, NEW_FILE)?;
    let file = work.files.open(path, how).map_err(|fault| match fault.errno() {
        // A directory can be opened for reading, and is found out then: Node's words have no path.
        Errno::ISDIR if !how.write && !how.append => fault.of("read"),
        _ => fault.at("open", &shown(path)),
    })?;
    let bytes = read_all(work, file)?;
    if !args.flag(2) {
        return Ok(Value::Bytes(bytes));
    }
    let text = String::from_utf8(bytes);
    Ok(Value::String(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())))
}

fn read_all(work: &Work<'_>, mut file: File) -> Result<Vec<u8>, CallError> {
    let of = |error: std::io::Error| Fault::from(error).of("read");
    let most = work.context.max_reply_bytes();
    let size = file.metadata().map_err(of)?.len();
    if size > most as u64 {
        return Err(too_large(size, most));
    }
    let mut bytes = Vec::new();
    // One more, to see the end without growing. The size may be wrong, as in a file that grows meanwhile.
    bytes.try_reserve_exact(size as usize + 1).map_err(|_| Fault::new(Errno::NOMEM).of("read"))?;
    loop {
        work.go_on()?;
        let read = (&mut file).take(CHUNK_BYTES as u64).read_to_end(&mut bytes).map_err(of)?;
        if bytes.len() > most {
            return Err(too_large(bytes.len() as u64, most));
        }
        if read < CHUNK_BYTES {
            return Ok(bytes);
        }
    }
}

fn too_large(size: u64, most: usize) -> CallError {
    let message = format!("File size ({size}) is greater than the {most} bytes that the script's memory may hold");
    CallError::new("RangeError", message).with_code("ERR_FS_FILE_TOO_LARGE")
}

/// `writeFile(path, data, flag, mode, flush)`.
pub(super) fn write_file(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let data = args.data(1)?;
    let how = args.open_how(2, args.bits(3, "mode", NEW_FILE)?)?;
    let mut file = work.files.open(path, how).map_err(at("open", path))?;
    for chunk in data.chunks(CHUNK_BYTES) {
        work.go_on()?;
        file.write_all(chunk).map_err(|error| Fault::from(error).of("write"))?;
    }
    if data.is_empty() && !how.write && !how.append {
        // As if something had been written.
        return Err(Fault::new(Errno::BADF).of("write"));
    }
    if args.flag(4) {
        file.sync_all().map_err(|error| Fault::from(error).of("fsync"))?;
    }
    Ok(Value::Null)
}

/// `copyFile(src, dest, mode)`.
pub(super) fn copy_file(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let (from, to) = (args.path(0, "src")?, args.path(1, "dest")?);
    let mode = args.bits(2, "mode", 0)?;
    let of = |fault: Fault| fault.between("copyfile", &shown(from), &shown(to));
    if mode & CLONE_OR_FAIL != 0 {
        return Err(of(Errno::NOTSUP.into()));
    }
    let mut source = work.files.open(from, OpenHow { read: true, ..OpenHow::default() }).map_err(of)?;
    let described = source.metadata().map_err(|error| of(error.into()))?;
    let permissions = described.permissions().mode();
    let how = OpenHow {
        write: true,
        create: true,
        exclusive: mode & EXCLUSIVE != 0,
        mode: permissions,
        ..OpenHow::default()
    };
    let mut target = work.files.open(to, how).map_err(of)?;
    let replaced = target.metadata().map_err(|error| of(error.into()))?;
    // A file that is copied to itself stays what it is: it would have been emptied before it was read.
    if Identity::from(&described) == Identity::from(&replaced) {
        return Ok(Value::Null);
    }
    target.set_len(0).map_err(|error| of(error.into()))?;
    let mut buffer = vec![0; CHUNK_BYTES];
    loop {
        work.go_on()?;
        let read = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(of(error.into())),
        };
        target.write_all(&buffer[..read]).map_err(|error| of(error.into()))?;
    }
    rustix::fs::fchmod(&target, self::permissions(permissions)).map_err(|errno| of(errno.into()))?;
    Ok(Value::Null)
}

/// `truncate(path, length)`: cuts a file, or fills it up with zeros.
pub(super) fn truncate(work: &Work<'_>, args: &Args<'_>) -> Answer {
    let path = args.path(0, "path")?;
    let length = args.number(1).unwrap_or(0.0).max(0.0);
    let file = work.files.open(path, OpenHow { write: true, ..OpenHow::default() }).map_err(at("open", path))?;
    file.set_len(length as u64).map_err(|error| Fault::from(error).of("ftruncate"))?;
    Ok(Value::Null)
}
