//! Why something could not be done with a file, in the words of Node.

use std::io;

use rustix::io::Errno;

use crate::value::CallError;

/// An error number of the system's, with what is to be said beyond its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    errno: Errno,
    why: Option<String>,
}

impl Fault {
    pub(crate) fn new(errno: Errno) -> Self {
        Self { errno, why: None }
    }

    /// `EACCES`, and why.
    pub(crate) fn denied(why: impl Into<String>) -> Self {
        Self { errno: Errno::ACCESS, why: Some(why.into()) }
    }

    pub(crate) fn errno(&self) -> Errno {
        self.errno
    }

    /// Makes the error that a script catches, as of a call of the system with this path.
    pub(crate) fn at(&self, syscall: &str, path: &str) -> CallError {
        self.error(syscall, Some(path), None)
    }

    /// The same of a call with two paths.
    pub(crate) fn between(&self, syscall: &str, path: &str, dest: &str) -> CallError {
        self.error(syscall, Some(path), Some(dest))
    }

    /// The same of a call with a file that is open already.
    pub(crate) fn of(&self, syscall: &str) -> CallError {
        self.error(syscall, None, None)
    }

    fn error(&self, syscall: &str, path: Option<&str>, dest: Option<&str>) -> CallError {
        let (code, text) = words(self.errno);
        let mut message = format!("{code}: {text}, {syscall}");
        if let Some(path) = path {
            message += &format!(" '{path}'");
        }
        if let Some(dest) = dest {
            message += &format!(" -> '{dest}'");
        }
        if let Some(why) = &self.why {
            message += &format!(" ({why})");
        }
        let number = -f64::from(self.errno.raw_os_error());
        let mut error = CallError::new("Error", message).with("errno", number).with_code(code).with("syscall", syscall);
        for (name, path) in [("path", path), ("dest", dest)] {
            if let Some(path) = path {
                error = error.with(name, path);
            }
        }
        error
    }
}

impl From<Errno> for Fault {
    fn from(errno: Errno) -> Self {
        Self::new(errno)
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        if let Some(number) = error.raw_os_error() {
            return Self::new(Errno::from_raw_os_error(number));
        }
        // What cap-std says by itself has no number.
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::denied("it leads out of what is granted"),
            io::ErrorKind::NotFound => Self::new(Errno::NOENT),
            io::ErrorKind::NotADirectory => Self::new(Errno::NOTDIR),
            io::ErrorKind::IsADirectory => Self::new(Errno::ISDIR),
            io::ErrorKind::InvalidInput => Self::new(Errno::INVAL),
            io::ErrorKind::WriteZero | io::ErrorKind::StorageFull => Self::new(Errno::NOSPC),
            _ => Self::new(Errno::IO),
        }
    }
}

/// The name of an error, and the sentence that Node has for it.
fn words(errno: Errno) -> (&'static str, &'static str) {
    match errno {
        Errno::ACCESS => ("EACCES", "permission denied"),
        Errno::BADF => ("EBADF", "bad file descriptor"),
        Errno::BUSY => ("EBUSY", "resource busy or locked"),
        Errno::DQUOT => ("EDQUOT", "disk quota exceeded"),
        Errno::EXIST => ("EEXIST", "file already exists"),
        Errno::FBIG => ("EFBIG", "file too large"),
        Errno::INVAL => ("EINVAL", "invalid argument"),
        Errno::ISDIR => ("EISDIR", "illegal operation on a directory"),
        Errno::LOOP => ("ELOOP", "too many symbolic links encountered"),
        Errno::MFILE => ("EMFILE", "too many open files"),
        Errno::MLINK => ("EMLINK", "too many links"),
        Errno::NAMETOOLONG => ("ENAMETOOLONG", "name too long"),
        Errno::NFILE => ("ENFILE", "file table overflow"),
        Errno::NODEV => ("ENODEV", "no such device"),
        Errno::NOENT => ("ENOENT", "no such file or directory"),
        Errno::NOMEM => ("ENOMEM", "not enough memory"),
        Errno::NOSPC => ("ENOSPC", "no space left on device"),
        Errno::NOTDIR => ("ENOTDIR", "not a directory"),
        Errno::NOTEMPTY => ("ENOTEMPTY", "directory not empty"),
        Errno::NOTSUP => ("ENOTSUP", "operation not supported on socket"),
        Errno::NXIO => ("ENXIO", "no such device or address"),
        Errno::PERM => ("EPERM", "operation not permitted"),
        Errno::ROFS => ("EROFS", "read-only file system"),
        Errno::TXTBSY => ("ETXTBSY", "text file is busy"),
        Errno::XDEV => ("EXDEV", "cross-device link not permitted"),
        _ => ("EIO", "i/o error"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::value::Value;

    #[test]
    fn errors_are_nodes() {
        let error = Fault::new(Errno::NOENT).at("open", "a.txt");
        assert_eq!(error.to_string(), "Error: ENOENT: no such file or directory, open 'a.txt'");
        let names: Vec<_> = error.properties().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["errno", "code", "syscall", "path"]);
        assert_eq!(error.properties()[0].1, Value::Number(-f64::from(Errno::NOENT.raw_os_error())));

        let error = Fault::denied("not granted").between("rename", "a", "b");
        assert_eq!(error.message(), "EACCES: permission denied, rename 'a' -> 'b' (not granted)");
        assert_eq!(error.properties().last().unwrap(), &("dest".to_owned(), Value::from("b")));

        let error = Fault::new(Errno::ISDIR).of("read");
        assert_eq!(error.message(), "EISDIR: illegal operation on a directory, read");
        assert_eq!(error.properties().len(), 3);
    }
}
