//! `database`: SQLite for scripts, one database a session, in a file of the worktree's or in memory.

mod beneath;
mod fault;
mod guard;
mod statement;
mod turn;

use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use self::fault::wrong_value;
use self::guard::Guard;
use self::statement::{Params, Runner};
use super::{Access, CallContext, Fault, Module, ModuleInfo, ModuleInstance, SessionContext, SessionFiles};
use crate::error::{Error, ErrorKind, Result};
use crate::execution::JsonObject;
use crate::fields::{Fields, wrong};
use crate::limits::Limits;
use crate::store::memory;
use crate::value::{CallError, Value};
use crate::worktree::WorktreePath;

/// What is beside a database while it is written to.
const SIBLINGS: &[&str] = &["", "-journal", "-wal", "-shm"];
/// The name of a database that is nowhere.
const IN_MEMORY: &str = ":memory:";
/// The one kind of database, by the name that the first argument of two may have.
const DRIVERS: &[&str] = &["sqlite3", "sqlite"];

/// SQLite for scripts: `configure(path)`, then `query(sql, ...)`, `exec(sql, ...)` and `close()`.
///
/// A file lies where the session's `fs` capabilities allow reading and writing, or reading alone, and then it is read
/// only; so it is named in a directory that is held open, with its journal beside it. SQL reaches that one database:
/// `ATTACH`, `load_extension`, `VACUUM INTO`, and pragmas beyond a list are refused. A statement is interrupted when its
/// execution is to end, and takes at most `mem_mb` of SQLite's memory, in which databases in memory and temporary tables
/// count. The database, and a transaction that was begun in it, stay from one execution to the next until the session
/// ends.
///
/// The configuration `{"path": "data.db", "read_only": false}` opens it before the first script runs, within `wall_ms` and
/// `mem_mb`; with `read_only`, whatever a script configures later is read only as well. A database in write-ahead mode is
/// locked as a whole for as long as it is configured, because its index is kept in our memory and not in a file that
/// others could shorten.
///
/// What it does *not* do: bound the space that a file takes beyond 16 GiB of usual pages, and interrupt single functions
/// of SQLite, such as `instr` of two long texts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DatabaseModule;

impl Module for DatabaseModule {
    fn info(&self) -> ModuleInfo {
        let info = ModuleInfo::new("database", "SQLite, in a file of the worktree or in memory");
        ["configure", "query", "exec", "close"].into_iter().fold(info, ModuleInfo::function)
    }

    fn check_config(&self, config: &JsonObject) -> Result<()> {
        Config::parse(config).map(drop)
    }

    fn open(&self, session: &SessionContext, config: &JsonObject) -> Result<Box<dyn ModuleInstance>> {
        let Config { path, read_only } = Config::parse(config)?;
        let mut database = Database { files: session.files.clone(), read_only, open: None };
        if let Some(path) = path {
            // No script runs yet, whose limits would bind it; the file may be a script's all the same.
            let Limits { mem_mb, wall_ms, .. } = session.limits;
            let bytes = usize::try_from(mem_mb << 20).unwrap_or(usize::MAX);
            let opened =
                turn::opening(Duration::from_millis(wall_ms), || memory::within(bytes, || database.configure(&path)));
            opened.map_err(|error| {
                Error::new(
                    ErrorKind::InvalidPath,
                    format!("the database {path:?} cannot be opened: {}", error.message()),
                )
                .with("path", path)
            })?;
        }
        Ok(Box::new(database))
    }
}

/// What a template says.
#[derive(Debug, Default)]
struct Config {
    path: Option<String>,
    read_only: bool,
}

impl Config {
    fn parse(config: &JsonObject) -> Result<Self> {
        let fields = Fields::of(config, &["path", "read_only"])?;
        let read_only = fields.bool("read_only")?.unwrap_or(false);
        let path = fields.string("path")?;
        match path {
            None => {}
            Some(IN_MEMORY) if read_only => {
                return Err(wrong("read_only", "leaves a database in memory for ever empty"));
            }
            Some(IN_MEMORY) => {}
            Some(path) => {
                WorktreePath::parse(path).map_err(|error| error.with("field", "config.path"))?;
                Name::parse(path).map_err(|why| wrong("path", why))?;
            }
        }
        Ok(Self { path: path.map(str::to_owned), read_only })
    }
}

/// Where a database is.
enum Name<'a> {
    Memory,
    File { directory: PathBuf, name: &'a str },
}

impl<'a> Name<'a> {
    fn parse(path: &'a str) -> std::result::Result<Self, &'static str> {
        if path == IN_MEMORY {
            return Ok(Self::Memory);
        }
        if path.contains('\0') {
            return Err("has a NUL character");
        }
        if path.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("file:")) {
            return Err("is a URI: give the path of a file");
        }
        let (directory, name) = path.rsplit_once('/').unwrap_or((".", path));
        if matches!(name, "" | "." | "..") {
            return Err("names no file");
        }
        let directory = if directory.is_empty() { "/" } else { directory };
        Ok(Self::File { directory: directory.into(), name })
    }
}

/// The module in one session.
struct Database {
    files: SessionFiles,
    read_only: bool,
    open: Option<Open>,
}

/// A database that is open. Fields are dropped in order: the directory after whoever names files in it.
struct Open {
    connection: Connection,
    guard: Guard,
    _directory: Option<OwnedFd>,
}

impl ModuleInstance for Database {
    fn call(&mut self, function: &str, args: &[Value], context: &CallContext) -> std::result::Result<Value, CallError> {
        match function {
            "configure" => {
                let path = match args {
                    [Value::String(path)] => path,
                    [Value::String(driver), Value::String(path)] if DRIVERS.contains(&driver.as_str()) => path,
                    [Value::String(driver), Value::String(_)] => {
                        return Err(wrong_value(format!("there is no driver '{driver}': databases are 'sqlite3'")));
                    }
                    _ => return Err(CallError::argument("configure takes a path, or 'sqlite3' and a path")),
                };
                turn::of(context, || memory::within(context.max_reply_bytes(), || self.configure(path)))?;
                Ok(Value::Null)
            }
            "query" | "exec" => {
                let Some(sql) = args.first().and_then(Value::as_str) else {
                    return Err(CallError::argument("The \"sql\" argument must be of type string"));
                };
                let Open { connection, guard, .. } = self.configured()?;
                let none = Value::Null;
                let params = Params::of(args.get(1).unwrap_or(&none));
                // Of an earlier call, which may have succeeded all the same.
                drop(guard.take_refusal());
                let runner = Runner { connection, guard, context };
                let budget = context.max_reply_bytes().saturating_sub(memory::held_by(connection));
                turn::of(context, || {
                    memory::within(budget, || {
                        if function == "query" { runner.query(sql, &params) } else { runner.exec(sql, &params) }
                    })
                })
            }
            "rollback" => {
                let Open { connection, .. } = self.configured()?;
                // SQLite may have done so by itself, when the disk was full.
                if !connection.is_autocommit() {
                    turn::of(context, || connection.execute_batch("ROLLBACK"))
                        .map_err(|error| fault::error(&error, None))?;
                }
                Ok(Value::Null)
            }
            "close" => {
                // A write-ahead log may be brought home first, for which others can be waited for.
                turn::of(context, || self.open = None);
                Ok(Value::Null)
            }
            _ => Err(CallError::new("TypeError", format!("database has no function '{function}'"))),
        }
    }
}

impl Database {
    fn configured(&self) -> std::result::Result<&Open, CallError> {
        self.open.as_ref().ok_or_else(|| {
            let message = "no database is configured: call configure(path) or configure(':memory:') first";
            CallError::new("Error", message).with_code("ERR_DATABASE_NOT_CONFIGURED")
        })
    }

    /// Opens a database in the place of the one that is open.
    fn configure(&mut self, path: &str) -> std::result::Result<(), CallError> {
        let name = Name::parse(path).map_err(|why| wrong_value(format!("the path {path:?} {why}")))?;
        // Closed first: it may be the same file, locked as a whole.
        self.open = None;
        if !memory::install() {
            let message = "databases cannot be offered: the host's program used SQLite before vm-system, so that its \
                           memory cannot be bounded";
            return Err(CallError::new("Error", message).with_code("ERR_DATABASE_UNBOUNDED"));
        }
        let opened = match name {
            Name::Memory => Connection::open_in_memory_with_flags(OpenFlags::SQLITE_OPEN_READ_WRITE)
                .and_then(|connection| Guard::bound(&connection).map(|()| (connection, None)))
                .map_err(|error| fault::error(&error, None))?,
            Name::File { directory, name } => self.open_file(&directory, name).map_err(|refused| refused.at(path))?,
        };
        let (connection, directory) = opened;
        let guard = Guard::default();
        guard.bind(&connection).map_err(|error| fault::error(&error, None))?;
        self.open = Some(Open { connection, guard, _directory: directory });
        Ok(())
    }

    fn open_file(&self, directory: &Path, name: &str) -> std::result::Result<(Connection, Option<OwnedFd>), Refused> {
        let (directory, writable) = if self.read_only {
            (self.files.open_dir(directory, Access::Read)?, false)
        } else {
            match self.files.open_dir(directory, Access::ReadWrite) {
                Ok(directory) => (directory, true),
                // What may be read, but not written, is a database to be read.
                Err(refusal) => (self.files.open_dir(directory, Access::Read).map_err(|_| refusal)?, false),
            }
        };
        for suffix in SIBLINGS {
            let sibling = format!("{name}{suffix}");
            self.files.check_entry(&directory, sibling.as_ref())?;
            // SQLite would wait for ever on what is no file, and follows no link.
            match directory.symlink_metadata(&sibling) {
                Ok(found) if found.is_file() => {}
                Ok(found) if found.is_symlink() => return Err(Fault::denied("it is a symbolic link").into()),
                Ok(_) => return Err(Fault::denied("it is no regular file").into()),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Fault::from(error).into()),
            }
        }
        if !beneath::install() {
            return Err(Fault::denied("there is no file system for it").into());
        }
        let directory = OwnedFd::from(directory.into_std_file());
        let full = beneath::name_in(directory.as_fd(), name);
        let how = if writable {
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE
        } else {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        };
        let flags = how | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags_and_vfs(full, flags, beneath::FILE_SYSTEM)?;
        Guard::bound(&connection)?;
        // A database in write-ahead mode cannot be read without an index that is mapped into memory, or one of our own.
        let look = || connection.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0));
        if look().is_err_and(|error| error.sqlite_error_code() == Some(rusqlite::ErrorCode::CannotOpen)) {
            connection.pragma_update(None, "locking_mode", "exclusive")?;
            look()?;
        }
        Ok((connection, Some(directory)))
    }
}

/// Why a file is no database for a script.
enum Refused {
    File(Fault),
    Sqlite(rusqlite::Error),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::File(fault)
    }
}

impl From<rusqlite::Error> for Refused {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Refused {
    fn at(&self, path: &str) -> CallError {
        match self {
            Self::File(fault) => fault.at("open", path),
            Self::Sqlite(error) => fault::error(error, None).with("path", path),
        }
    }
}

#[cfg(test)]
mod tests;
