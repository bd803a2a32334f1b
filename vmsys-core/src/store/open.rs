//! Opening a database: whose file it is, whether it is sound, and how each connection to it is set up.

use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::Durability;
use super::fault::is_full;
use super::migrations;
use crate::error::{Error, ErrorKind, Result};

/// Connections for reading: a handful serves any number of callers, for a read takes microseconds.
const READERS: u32 = 4;
const BUSY: Duration = Duration::from_secs(5);
/// Files up to this size are checked page by page at every start, which takes milliseconds. Damage inside a larger one
/// is found when it is read.
const CHECKED_BYTES: u64 = 8 << 20;

/// What a database file is opened to. The lock is let go last, after the connections are closed.
pub(super) struct Opened {
    pub(super) writer: Connection,
    pub(super) readers: Pool<SqliteConnectionManager>,
    pub(super) lock: Lock,
    /// The file's one real path.
    pub(super) path: PathBuf,
}

/// Why a file is not taken as a database.
#[derive(Debug)]
pub(super) enum Refusal {
    Sqlite(rusqlite::Error),
    Foreign,
    Newer { found: i64, known: usize },
    Damaged(String),
    ReadOnly,
    NoWal(String),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

pub(super) fn in_memory() -> Result<Connection> {
    let open = || {
        let mut connection = Connection::open_in_memory()?;
        set_up(&connection, Durability::Normal)?;
        migrations::migrate(&mut connection)?;
        Ok(connection)
    };
    open().map_err(|refusal| refused(Path::new(":memory:"), refusal))
}

pub(super) fn file(path: &Path, durability: Durability) -> Result<Opened> {
    let real = locate(path)?;
    let lock = lock(path, &real)?;
    // The lock comes first: SQLite's own locks are of the process and fall when any descriptor of the file is closed,
    // so nobody else here may have the file open when we look at it.
    let writer = writer(&real, durability).map_err(|refusal| refused(path, refusal))?;

    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let manager = SqliteConnectionManager::file(&real).with_flags(flags).with_init(move |connection| {
        set_up(connection, durability)?;
        connection.pragma_update(None, "query_only", true)
    });
    let readers = Pool::builder()
        .max_size(READERS)
        .min_idle(Some(0))
        .idle_timeout(None)
        .max_lifetime(None)
        .connection_timeout(BUSY)
        .test_on_check_out(false)
        .build_unchecked(manager);
    Ok(Opened { writer, readers, lock, path: real })
}

/// Finds the one path of a file, so that two names of it have one lock.
fn locate(path: &Path) -> Result<PathBuf> {
    let fail = |error: &std::io::Error, why: String, advice: &str| {
        unavailable(path, why, advice).because(std::io::Error::from(error.kind()))
    };
    match std::fs::canonicalize(path) {
        Ok(real) if real.is_dir() => Err(unavailable(path, "it is a directory", "name a file in it")),
        Ok(real) if !real.is_file() => Err(unavailable(path, "it is not a regular file", "name another file")),
        Ok(real) => Ok(real),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let Some(name) = path.file_name() else {
                return Err(fail(&error, "the path names no file".to_owned(), "name a file"));
            };
            let directory = match path.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                _ => Path::new("."),
            };
            match std::fs::canonicalize(directory) {
                Ok(real) if real.is_dir() => Ok(real.join(name)),
                Ok(_) => Err(fail(&error, format!("{} is not a directory", directory.display()), "name another path")),
                Err(error) => Err(fail(
                    &error,
                    format!("the directory {} does not exist", directory.display()),
                    "create it, or name another path",
                )),
            }
        }
        Err(error) => {
            Err(unavailable(path, "the path cannot be followed", "check it and its permissions").because(error))
        }
    }
}

/// The bytes of a database and of its log.
pub(super) fn file_bytes(path: &Path) -> u64 {
    let mut log = OsString::from(path);
    log.push("-wal");
    let bytes = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    bytes(path) + bytes(Path::new(&log))
}

/// The databases that this program holds: its own are told from those of others, which can have its number in another
/// namespace.
static HELD: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

fn held() -> MutexGuard<'static, Vec<PathBuf>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lock on a database file.
pub(super) struct Lock {
    file: File,
    /// The database's real path.
    of: PathBuf,
}

impl Drop for Lock {
    fn drop(&mut self) {
        let mut held = held();
        held.retain(|path| *path != self.of);
        // Said, and not left to the last descriptor: a program that is just being started may have a copy of it.
        if let Err(error) = self.file.unlock() {
            tracing::warn!(%error, "the lock of a database could not be let go of");
        }
    }
}

/// Takes the sibling `.lock` file, which stays there when it is let go: to remove it would race with the next owner.
fn lock(path: &Path, real: &Path) -> Result<Lock> {
    let name = lock_name(real);
    let advice = "check the permissions of its directory, or name a database elsewhere";
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&name).map_err(|error| {
            unavailable(path, format!("its lock file {} cannot be written", name.display()), advice).because(error)
        })?;
    let mut ours = held();
    match file.try_lock() {
        Ok(()) => ours.push(real.to_owned()),
        Err(TryLockError::WouldBlock) if ours.iter().any(|held| held == real) => {
            let why = format!("it is in use by this program itself (pid {}), in another VmSystem", std::process::id());
            let advice = "shut that one down (VmSystem::shutdown) or use it, or name another database";
            return Err(unavailable(path, why, advice));
        }
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let known = file.read_to_string(&mut pid).is_ok()
                && !pid.is_empty()
                && pid.trim().bytes().all(|b| b.is_ascii_digit());
            let owner = if known { format!(" (pid {})", pid.trim()) } else { String::new() };
            return Err(unavailable(
                path,
                format!("it is in use by another process{owner}"),
                "stop that one, or name another database",
            ));
        }
        Err(TryLockError::Error(error)) => {
            return Err(unavailable(path, "its lock file cannot be locked", "put it on a disk that has file locks")
                .because(error));
        }
    }
    drop(ours);
    let mut lock = Lock { file, of: real.to_owned() };
    let file = &mut lock.file;
    let note = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    note.map_err(|error| {
        let full = error.kind() == std::io::ErrorKind::StorageFull;
        let why = if full { "the disk is full" } else { "its lock file cannot be written" };
        unavailable(path, why, if full { "make room" } else { advice }).because(error)
    })?;
    Ok(lock)
}

fn lock_name(real: &Path) -> PathBuf {
    let mut name = OsString::from(real);
    name.push(".lock");
    name.into()
}

/// Tells whether the file system of an open database has become read-only. The lock file is tried, and not the database:
/// SQLite's locks would fall when that is closed again. Nor is the file system asked for its flags: one that has turned
/// read-only after an error of the disk need not say so there.
pub(super) fn is_read_only(real: &Path) -> bool {
    let opened = OpenOptions::new().write(true).open(lock_name(real));
    opened.is_err_and(|error| error.kind() == std::io::ErrorKind::ReadOnlyFilesystem)
}

fn writer(real: &Path, durability: Durability) -> Result<Connection, Refusal> {
    // `real` is absolute, so that SQLite never takes it for a `file:` URI or for one of its special names.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(real, flags)?;
    connection.busy_timeout(BUSY)?;
    // SQLite falls back to reading without a word, and would leave a read-only `-shm` file in the next one's way.
    if connection.is_readonly("main")? {
        return Err(Refusal::ReadOnly);
    }
    // Nothing of a file is changed before it is known to be ours.
    let version = migrations::check(&connection)?;
    if version > 0 && std::fs::metadata(real).is_ok_and(|file| file.len() <= CHECKED_BYTES) {
        let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if found != "ok" {
            return Err(Refusal::Damaged(found));
        }
    }
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        return Err(Refusal::NoWal(mode));
    }
    set_up(&connection, durability)?;
    // A burst of large results leaves a long log behind; this much of it is kept for reuse.
    connection.pragma_update(None, "journal_size_limit", 32 << 20)?;
    migrations::migrate(&mut connection)?;
    Ok(connection)
}

/// What every connection has, readers and the writer alike.
fn set_up(connection: &Connection, durability: Durability) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    let synchronous = match durability {
        Durability::Full => "full",
        Durability::Normal => "normal",
    };
    connection.pragma_update(None, "synchronous", synchronous)
}

fn refused(path: &Path, refusal: Refusal) -> Error {
    let restore = "restore it from a backup, or move it and its -wal file away to begin with an empty one";
    let (why, advice, cause) = match refusal {
        Refusal::Foreign => {
            ("it is the database of another program".to_owned(), "name another file; this one was not changed", None)
        }
        Refusal::Newer { found, known } => (
            format!("a newer vm-system wrote it (its version is {found}, the newest known here is {known})"),
            "use that newer version, or another file; this one was not changed",
            None,
        ),
        Refusal::Damaged(found) => (format!("it is damaged ({found})"), restore, None),
        Refusal::ReadOnly => ("it is read-only".to_owned(), "make it writable, or name another file", None),
        Refusal::NoWal(mode) => (
            format!("its file system does not support write-ahead logging (SQLite offers {mode:?})"),
            "put it on a local disk",
            None,
        ),
        Refusal::Sqlite(error) => {
            let (why, advice) = match error.sqlite_error_code() {
                Some(ErrorCode::NotADatabase) => {
                    ("it is not an SQLite database", "name another file; this one was not changed")
                }
                Some(ErrorCode::DatabaseCorrupt) => ("it is damaged", restore),
                _ if is_full(&error) => ("the disk is full", "make room; nothing stored was lost"),
                Some(ErrorCode::ReadOnly) => {
                    ("it or its directory is read-only", "make both writable, or name another file")
                }
                Some(
                    ErrorCode::CannotOpen | ErrorCode::PermissionDenied | ErrorCode::AuthorizationForStatementDenied,
                ) => ("it cannot be opened", "check the permissions of the file and its directory"),
                Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed) => {
                    ("it is in use by another process", "stop that one, or name another database")
                }
                _ => (
                    "it cannot be read or written",
                    "check the disk, and the permissions of the file and its directory",
                ),
            };
            (why.to_owned(), advice, Some(error))
        }
    };
    let error = unavailable(path, why, advice);
    match cause {
        Some(cause) => error.because(cause),
        None => error,
    }
}

fn unavailable(path: &Path, why: impl std::fmt::Display, advice: &str) -> Error {
    let path = path.display();
    Error::new(ErrorKind::StoreUnavailable, format!("cannot open the database {path}: {why}; {advice}"))
        .with("database", path)
}
