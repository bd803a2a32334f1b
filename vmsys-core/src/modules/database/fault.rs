//! What went wrong with a statement, as a script is told it.

use rusqlite::{Error, ffi};

use crate::value::CallError;

/// Makes the error of a statement: SQLite's code and words, or why the guard refused it.
pub(super) fn error(error: &Error, refusal: Option<String>) -> CallError {
    let (code, words) = match error {
        Error::SqliteFailure(failure, words) => (failure.extended_code, words.clone()),
        Error::SqlInputError { error, msg, .. } => (error.extended_code, Some(msg.clone())),
        Error::NulError(_) => return wrong_value("the statement has a NUL character"),
        other => return CallError::new("Error", other.to_string()).with_code("SQLITE_ERROR"),
    };
    let words = in_the_worktree(words.unwrap_or_else(|| ffi::code_to_str(code).to_owned()));
    // SQLite's own code for a refusal depends on what it was that was refused.
    let (code, message) = match (code & 0xff, refusal) {
        (ffi::SQLITE_AUTH | ffi::SQLITE_ERROR, Some(why)) => (ffi::SQLITE_AUTH, format!("not authorized: {why}")),
        (ffi::SQLITE_NOMEM, _) => (code, "out of memory: a database takes at most mem_mb of it".to_owned()),
        (ffi::SQLITE_INTERRUPT, _) => (code, "interrupted: the execution is being ended".to_owned()),
        _ => (code, words),
    };
    CallError::new("Error", message).with_code(name(code)).with("errcode", f64::from(code))
}

/// SQLite's words without the way by which it reaches a file, which is a descriptor of the daemon's.
fn in_the_worktree(words: String) -> String {
    let Some((before, rest)) = words.split_once("/proc/self/fd/") else { return words };
    let name = rest.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches('/');
    format!("{before}{name}")
}

/// A value cannot be what it is.
pub(super) fn wrong_value(message: impl Into<String>) -> CallError {
    CallError::new("TypeError", message).with_code("ERR_INVALID_ARG_VALUE")
}

/// Something is too large, or there is too much of it.
pub(super) fn out_of_range(message: impl Into<String>) -> CallError {
    CallError::new("RangeError", message).with_code("ERR_OUT_OF_RANGE")
}

/// The name of a result code: the extended one where it says more.
fn name(code: i32) -> &'static str {
    match code {
        ffi::SQLITE_CONSTRAINT_CHECK => return "SQLITE_CONSTRAINT_CHECK",
        ffi::SQLITE_CONSTRAINT_DATATYPE => return "SQLITE_CONSTRAINT_DATATYPE",
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => return "SQLITE_CONSTRAINT_FOREIGNKEY",
        ffi::SQLITE_CONSTRAINT_NOTNULL => return "SQLITE_CONSTRAINT_NOTNULL",
        ffi::SQLITE_CONSTRAINT_PRIMARYKEY => return "SQLITE_CONSTRAINT_PRIMARYKEY",
        ffi::SQLITE_CONSTRAINT_ROWID => return "SQLITE_CONSTRAINT_ROWID",
        ffi::SQLITE_CONSTRAINT_TRIGGER => return "SQLITE_CONSTRAINT_TRIGGER",
        ffi::SQLITE_CONSTRAINT_UNIQUE => return "SQLITE_CONSTRAINT_UNIQUE",
        ffi::SQLITE_CONSTRAINT_VTAB => return "SQLITE_CONSTRAINT_VTAB",
        _ => {}
    }
    match code & 0xff {
        ffi::SQLITE_INTERNAL => "SQLITE_INTERNAL",
        ffi::SQLITE_PERM => "SQLITE_PERM",
        ffi::SQLITE_ABORT => "SQLITE_ABORT",
        ffi::SQLITE_BUSY => "SQLITE_BUSY",
        ffi::SQLITE_LOCKED => "SQLITE_LOCKED",
        ffi::SQLITE_NOMEM => "SQLITE_NOMEM",
        ffi::SQLITE_READONLY => "SQLITE_READONLY",
        ffi::SQLITE_INTERRUPT => "SQLITE_INTERRUPT",
        ffi::SQLITE_IOERR => "SQLITE_IOERR",
        ffi::SQLITE_CORRUPT => "SQLITE_CORRUPT",
        ffi::SQLITE_NOTFOUND => "SQLITE_NOTFOUND",
        ffi::SQLITE_FULL => "SQLITE_FULL",
        ffi::SQLITE_CANTOPEN => "SQLITE_CANTOPEN",
        ffi::SQLITE_PROTOCOL => "SQLITE_PROTOCOL",
        ffi::SQLITE_SCHEMA => "SQLITE_SCHEMA",
        ffi::SQLITE_TOOBIG => "SQLITE_TOOBIG",
        ffi::SQLITE_CONSTRAINT => "SQLITE_CONSTRAINT",
        ffi::SQLITE_MISMATCH => "SQLITE_MISMATCH",
        ffi::SQLITE_MISUSE => "SQLITE_MISUSE",
        ffi::SQLITE_NOLFS => "SQLITE_NOLFS",
        ffi::SQLITE_AUTH => "SQLITE_AUTH",
        ffi::SQLITE_RANGE => "SQLITE_RANGE",
        ffi::SQLITE_NOTADB => "SQLITE_NOTADB",
        _ => "SQLITE_ERROR",
    }
}
