//! Columns of a row as our types. Whatever a hand has written into the file is an error here, never a panic.

use std::fmt::Display;

use rusqlite::Row;
use rusqlite::types::{FromSqlError, ValueRef};
use serde::de::DeserializeOwned;

use super::fault::{Fault, failure};
use crate::time::Timestamp;

/// The highest id that there can be: an upper bound where a list has none. No version 7 UUID has these bytes.
pub(super) const AFTER_ALL: [u8; 16] = [0xff; 16];

/// The lowest: as a lower bound, it leaves nothing out.
pub(super) const BEFORE_ALL: [u8; 16] = [0; 16];

pub(super) fn id<T>(row: &Row<'_>, column: &str, make: fn([u8; 16]) -> T) -> Result<T, Fault> {
    Ok(make(row.get(column)?))
}

pub(super) fn time(row: &Row<'_>, column: &str) -> Result<Timestamp, Fault> {
    Ok(Timestamp::from_millis(row.get(column)?))
}

pub(super) fn optional_time(row: &Row<'_>, column: &str) -> Result<Option<Timestamp>, Fault> {
    Ok(row.get::<_, Option<i64>>(column)?.map(Timestamp::from_millis))
}

pub(super) fn count(row: &Row<'_>, column: &str) -> Result<u64, Fault> {
    let number: i64 = row.get(column)?;
    u64::try_from(number).map_err(|error| unreadable(column, error))
}

/// Numbers that no life is long enough to reach are stored as the highest that SQLite has.
pub(super) fn stored(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Borrows a text, for columns that are parsed and not kept.
pub(super) fn text<'row>(row: &'row Row<'_>, column: &str) -> Result<&'row str, Fault> {
    optional_text(row, column)?.ok_or_else(|| unreadable(column, FromSqlError::InvalidType))
}

pub(super) fn optional_text<'row>(row: &'row Row<'_>, column: &str) -> Result<Option<&'row str>, Fault> {
    match row.get_ref(column)? {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).map(Some).map_err(|error| unreadable(column, error)),
        ValueRef::Null => Ok(None),
        other => Err(unreadable(column, format!("not text but {}", other.data_type()))),
    }
}

/// Reads a word of a closed set.
pub(super) fn word<T>(row: &Row<'_>, column: &str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Fault> {
    let text = text(row, column)?;
    parse(text).ok_or_else(|| unreadable(column, format!("unknown word {text:?}")))
}

pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<T, Fault> {
    serde_json::from_str(text(row, column)?).map_err(|error| unreadable(column, error))
}

pub(super) fn optional_json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<Option<T>, Fault> {
    optional_text(row, column)?
        .map(|text| serde_json::from_str(text).map_err(|error| unreadable(column, error)))
        .transpose()
}

pub(super) fn unreadable(column: &str, cause: impl Display) -> Fault {
    Fault::Answer(failure("a stored row cannot be read", format!("column {column}: {cause}")))
}
