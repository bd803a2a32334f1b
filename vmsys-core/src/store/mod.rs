//! The store: templates, sessions, executions and events in SQLite. The only place with SQL.
//!
//! Reads go to a small pool of connections, or, of a store in memory, to the one connection that there is. Writes go
//! through one [`Writer`], which commits what waits together. A write that was answered is on disk, as far as the
//! [`Durability`] says.

mod capability;
mod column;
mod event;
mod execution;
mod fault;
mod idempotency;
pub(crate) mod memory;
mod migrations;
mod open;
mod recovery;
mod retention;
mod session;
mod startup_file;
mod template;
mod writer;

use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{CachedStatement, Connection, Params, Row};

use self::fault::Fault;
pub(crate) use self::idempotency::KeyUse;
pub(crate) use self::retention::Step;
use self::writer::Writer;
use crate::error::{Error, ErrorKind, Result};
use crate::stats::{Counter, StoreStats};

/// When a commit counts as done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Durability {
    /// When the disk says that it has it: what was acknowledged survives a power cut.
    #[default]
    Full,
    /// When the operating system has it: what was acknowledged survives a crash of the program, but not of the machine.
    Normal,
}

/// A handle of the database: cheap to clone, usable from any thread, each call one transaction.
///
/// The file is locked against other processes, and other stores of this one, until the last handle is gone.
#[derive(Clone)]
pub(crate) struct Store(Arc<Inner>);

struct Inner {
    writer: Writer,
    /// None when the store is in memory: its writer's connection is the only one that sees it.
    readers: Option<Pool<SqliteConnectionManager>>,
    path: Option<PathBuf>,
    events: Counter,
    event_bytes: Counter,
    /// Fields are dropped in order: the lock after the connections.
    _lock: Option<File>,
}

impl Store {
    /// Opens a database and brings it up to date, or begins an empty one; without a path, one in memory.
    ///
    /// # Errors
    /// [`StoreUnavailable`](crate::ErrorKind::StoreUnavailable), with a sentence that names the file, the reason and
    /// what to do: the directory is missing, the file is in use, read-only, damaged, of another program or of a newer
    /// version, or the disk is full. Detail: `database`.
    pub(crate) fn open(database: Option<&Path>, durability: Durability) -> Result<Self> {
        // Before anything is opened: later it cannot be done any more.
        if !memory::install() {
            tracing::warn!("SQLite was in use before: its memory cannot be bounded, and scripts get no databases");
        }
        let inner = match database {
            Some(path) => {
                let opened = open::file(path, durability)?;
                Inner {
                    writer: Writer::new(opened.writer),
                    readers: Some(opened.readers),
                    path: Some(opened.path),
                    events: Counter::default(),
                    event_bytes: Counter::default(),
                    _lock: Some(opened.lock),
                }
            }
            None => Inner {
                writer: Writer::new(open::in_memory()?),
                readers: None,
                path: None,
                events: Counter::default(),
                event_bytes: Counter::default(),
                _lock: None,
            },
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Returns the real path of its file; of a store in memory there is none.
    pub(crate) fn path(&self) -> Option<&Path> {
        self.0.path.as_deref()
    }

    /// Takes its numbers.
    pub(crate) fn stats(&self) -> StoreStats {
        let Inner { writer, path, events, event_bytes, .. } = &*self.0;
        StoreStats {
            events: events.get(),
            event_bytes: event_bytes.get(),
            commit_micros: writer.commits.micros.snapshot(),
            commit_writes: writer.commits.writes.snapshot(),
            file_bytes: path.as_deref().map_or(0, open::file_bytes),
        }
    }

    /// # Errors
    /// [`StoreUnavailable`](crate::ErrorKind::StoreUnavailable) for a fault of the machine's that may pass, and then nothing
    /// of the write is kept; whatever `op` answers.
    fn write(&self, op: impl FnOnce(&Connection) -> Result<(), Fault> + Send + 'static) -> Result<()> {
        self.0.writer.write(op).map_err(|error| match &self.0.path {
            Some(path) if error.kind() == ErrorKind::StoreUnavailable && open::is_read_only(path) => {
                fault::read_only(error)
            }
            _ => error,
        })
    }

    fn read<T>(&self, op: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T> {
        match &self.0.readers {
            Some(pool) => {
                let unavailable = "the database cannot be read at the moment: no connection to it is to be had";
                let connection =
                    pool.get().map_err(|error| Error::new(ErrorKind::StoreUnavailable, unavailable).because(error))?;
                Ok(op(&connection)?)
            }
            None => Ok(op(&self.0.writer.connection())?),
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("in_memory", &self.0.readers.is_none()).finish_non_exhaustive()
    }
}

/// Reads all rows of a query.
fn all<T>(
    mut statement: CachedStatement<'_>,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Vec<T>, Fault> {
    let mut rows = statement.query(params)?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// Reads the first row of a query, if there is one.
fn first<T>(
    mut statement: CachedStatement<'_>,
    params: impl Params,
    read: impl Fn(&Row<'_>) -> Result<T, Fault>,
) -> Result<Option<T>, Fault> {
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

#[cfg(test)]
mod tests;
