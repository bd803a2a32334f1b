//! What can go wrong behind the store's doors, and how it is told.

use std::error::Error as StdError;

use rusqlite::ErrorCode;

use crate::error::Error;

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
            Fault::Sqlite(error) => failure(message(&error), error),
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

/// Says in a sentence what happened to a statement; the cause behind it has SQLite's own words.
pub(super) fn message(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        _ if is_full(error) => {
            "the disk is full: nothing of this write was kept, and later ones work again once there is space"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the database is damaged: restore it from a backup"
        }
        Some(ErrorCode::ReadOnly) => {
            "the database has become read-only: check the permissions of its file and directory"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "the database is held by another program",
        Some(ErrorCode::SystemIoFailure | ErrorCode::CannotOpen) => "the database file cannot be read or written",
        Some(_) => "the database failed",
        None => "a stored row cannot be read",
    }
}

/// Tells whether a disk is full: a write that found no room, or a shared index of the log that cannot be made.
pub(super) fn is_full(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || error.sqlite_error().is_some_and(|error| error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE)
}
