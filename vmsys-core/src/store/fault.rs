//! What can go wrong behind the store's doors, and how it is told.

use std::error::Error as StdError;

use rusqlite::ErrorCode;

use crate::error::{Error, ErrorKind};

/// A failure inside the store: SQLite's, or an answer that the caller gets as it is.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Answer(Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Answer(error)
    }
}

// Not `From<rusqlite::Error> for Error`: that would show SQLite in the public documentation of `Error`.
impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Sqlite(error) => Error::new(kind(&error), message(&error)).because(error),
            Fault::Answer(error) => error,
        }
    }
}

impl Fault {
    /// Tells whether SQLite refused a row because of this constraint, one of `rusqlite::ffi::SQLITE_CONSTRAINT_*`.
    pub(super) fn violates(&self, constraint: i32) -> bool {
        matches!(self, Self::Sqlite(rusqlite::Error::SqliteFailure(error, _)) if error.extended_code == constraint)
    }
}

pub(super) fn failure(message: &str, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Error {
    Error::internal(message, cause)
}

/// Tells a fault that may pass, which is the machine's, from one that will not.
pub(super) fn kind(error: &rusqlite::Error) -> ErrorKind {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DiskFull
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
            | ErrorCode::CannotOpen
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::OutOfMemory,
        ) => ErrorKind::StoreUnavailable,
        _ => ErrorKind::Internal,
    }
}

/// Says in a sentence what happened to a statement; the cause behind it has SQLite's own words.
pub(super) fn message(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        _ if is_full(error) => {
            "the disk is full: nothing can be stored until there is space; nothing that was acknowledged is lost"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the database is damaged: restore it from a backup"
        }
        Some(ErrorCode::ReadOnly) => READ_ONLY,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "the database is held by another program: nothing can be stored until that lets go of it"
        }
        Some(ErrorCode::SystemIoFailure) if is_write(error) => {
            "the disk fails (an input/output error): nothing can be stored until it takes writes again; nothing that was \
             acknowledged is lost"
        }
        Some(ErrorCode::SystemIoFailure) => "the disk fails (an input/output error): the database cannot be read",
        Some(ErrorCode::CannotOpen) => "the files of the database cannot be opened at the moment",
        Some(ErrorCode::OutOfMemory) => "there is not enough memory for the database at the moment",
        Some(_) => "the database failed",
        None => "a stored row cannot be read",
    }
}

const READ_ONLY: &str = "the database has become read-only: nothing can be stored until its file system takes writes \
                         again; nothing that was acknowledged is lost";

/// Says of a write that its file system is read-only. SQLite cannot: to whoever has a file open, a file system that has
/// become so answers as a broken disk does.
pub(super) fn read_only(error: Error) -> Error {
    Error::new(ErrorKind::StoreUnavailable, READ_ONLY).because(error)
}

/// Tells whether it was in writing that the disk failed.
fn is_write(error: &rusqlite::Error) -> bool {
    use rusqlite::ffi;
    let writes = [
        ffi::SQLITE_IOERR_WRITE,
        ffi::SQLITE_IOERR_FSYNC,
        ffi::SQLITE_IOERR_DIR_FSYNC,
        ffi::SQLITE_IOERR_TRUNCATE,
        ffi::SQLITE_IOERR_DELETE,
    ];
    error.sqlite_error().is_some_and(|error| writes.contains(&error.extended_code))
}

/// Tells whether a disk is full: a write that found no room, or a shared index of the log that cannot be made.
pub(super) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}
