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
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

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
/// The file is locked against other processes, and other stores of this one, until it is [closed](Self::close), or the last
/// handle is gone.
#[derive(Clone)]
pub(crate) struct Store(Arc<Inner>);

struct Inner {
    writer: Writer,
    path: Option<PathBuf>,
    events: Counter,
    event_bytes: Counter,
    /// None once it is closed. Whoever uses the store holds it for reading, so that nobody is in the middle of something when
    /// it is closed, and nothing is read or written later.
    open: RwLock<Option<Open>>,
}

/// What is let go of when the store is closed, behind the writer's connection and in this order.
struct Open {
    /// None when the store is in memory: its writer's connection is the only one that sees it.
    readers: Option<Pool<SqliteConnectionManager>>,
    _lock: Option<open::Lock>,
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
                    path: Some(opened.path),
                    events: Counter::default(),
                    event_bytes: Counter::default(),
                    open: RwLock::new(Some(Open { readers: Some(opened.readers), _lock: Some(opened.lock) })),
                }
            }
            None => Inner {
                writer: Writer::new(open::in_memory()?),
                path: None,
                events: Counter::default(),
                event_bytes: Counter::default(),
                open: RwLock::new(Some(Open { readers: None, _lock: None })),
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

    /// Lets go of the file, once whoever reads or writes just now is done: it is as free as if no handle were left. From then
    /// on all calls are refused, whoever still has a handle.
    ///
    /// # Errors
    /// There is not enough memory; then it stays open.
    pub(crate) fn close(&self) -> Result<()> {
        let mut open = self.0.open.write().unwrap_or_else(PoisonError::into_inner);
        if open.is_some() {
            self.0.writer.close()?;
            *open = None;
        }
        Ok(())
    }

    /// Tells whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.0.open.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Lends out what is open, for one call.
    ///
    /// # Errors
    /// [`ShuttingDown`](ErrorKind::ShuttingDown) when it is closed.
    fn using<T>(&self, call: impl FnOnce(&Open) -> Result<T>) -> Result<T> {
        match &*self.0.open.read().unwrap_or_else(PoisonError::into_inner) {
            Some(open) => call(open),
            None => Err(Error::new(ErrorKind::ShuttingDown, "the system was shut down, and its database is closed")),
        }
    }

    /// # Errors
    /// [`StoreUnavailable`](crate::ErrorKind::StoreUnavailable) for a fault of the machine's that may pass, and then nothing
    /// of the write is kept; [`ShuttingDown`](crate::ErrorKind::ShuttingDown) when it is closed; whatever `op` answers.
    fn write(&self, op: impl FnOnce(&Connection) -> Result<(), Fault> + Send + 'static) -> Result<()> {
        self.using(|_| self.0.writer.write(op)).map_err(|error| match &self.0.path {
            Some(path) if error.kind() == ErrorKind::StoreUnavailable && open::is_read_only(path) => {
                fault::read_only(error)
            }
            _ => error,
        })
    }

    fn read<T>(&self, op: impl FnOnce(&Connection) -> Result<T, Fault>) -> Result<T> {
        self.using(|open| match &open.readers {
            Some(pool) => {
                let unavailable = "the database cannot be read at the moment: no connection to it is to be had";
                let connection =
                    pool.get().map_err(|error| Error::new(ErrorKind::StoreUnavailable, unavailable).because(error))?;
                Ok(op(&connection)?)
            }
            None => Ok(op(&self.0.writer.connection())?),
        })
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("in_memory", &self.0.path.is_none()).finish_non_exhaustive()
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
