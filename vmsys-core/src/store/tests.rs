//! The store as a whole: files, faults, threads, crashes.

#![allow(clippy::unwrap_used, reason = "tests")]

mod file_system;
mod machine;
mod power;

use std::error::Error as _;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::Connection;

use super::Durability;
use super::Store;
use super::fault::Fault;
use crate::error::{Error, ErrorKind};
use crate::event::{Event, Payload};
use crate::execution::{Execution, ExecutionKind, ExecutionStatus, Metrics};
use crate::ids::{CapabilityId, ExecutionId, SessionId, TemplateId};
use crate::session::{SessionRecord, SessionStatus};
use crate::template::{Capability, CapabilityKind, Engine, Settings, Template};
use crate::time::Timestamp;
use crate::value::{JsonText, ResultValue, ValueType};

/// A connection as another program has it.
fn raw(path: impl AsRef<Path>) -> Connection {
    // The first connection of a program decides about SQLite's allocator.
    assert!(super::memory::install());
    Connection::open(path).unwrap()
}

pub(super) fn in_memory() -> Store {
    Store::open(None, Durability::Full).unwrap()
}

pub(super) fn on_disk(path: &Path) -> Store {
    Store::open(Some(path), Durability::Normal).unwrap()
}

pub(super) fn with_session(store: Store) -> (Store, SessionRecord) {
    let session = new_session(TemplateId::new());
    store.insert_session(&session).unwrap();
    (store, session)
}

pub(super) fn new_template(name: &str) -> Template {
    Template {
        id: TemplateId::new(),
        name: name.to_owned(),
        engine: Engine::Quickjs,
        is_active: true,
        exposed_modules: Vec::new(),
        libraries: Vec::new(),
        created_at: Timestamp::now(),
        updated_at: Timestamp::now(),
    }
}

pub(super) fn new_session(template_id: TemplateId) -> SessionRecord {
    SessionRecord {
        id: SessionId::new(),
        template_id,
        workspace_id: "w".to_owned(),
        base_commit_oid: "HEAD".to_owned(),
        worktree_path: "/tmp/größe".into(),
        status: SessionStatus::Ready,
        created_at: Timestamp::now(),
        closed_at: None,
        last_error: None,
        runtime_meta: serde_json::Map::new(),
    }
}

/// One that answered `2` to `1+1`.
pub(super) fn new_execution(session_id: SessionId) -> Execution {
    let id = ExecutionId::new();
    let ts = Timestamp::now();
    let result = ResultValue {
        kind: ValueType::Number,
        preview: "2".to_owned(),
        json: Some(JsonText::parse("2".to_owned()).unwrap()),
        tree: None,
    };
    let payloads = [Payload::InputEcho { text: "1+1".to_owned() }, Payload::Value(result.clone())];
    Execution {
        id,
        session_id,
        kind: ExecutionKind::Repl,
        input: Some("1+1".to_owned()),
        path: None,
        args: serde_json::Map::new(),
        env: serde_json::Map::new(),
        status: ExecutionStatus::Ok,
        started_at: ts,
        ended_at: Some(ts),
        result: Some(result),
        error: None,
        metrics: Metrics { wall_ms: 1, cpu_ms: 1, memory_bytes: 107_000, event_count: 2, output_bytes: 2 },
        events: payloads
            .into_iter()
            .zip(1..)
            .map(|(payload, seq)| Event { execution_id: id, seq, ts, payload })
            .collect(),
    }
}

fn refused(path: &Path) -> Error {
    let error = Store::open(Some(path), Durability::Full).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StoreUnavailable, "{error:?}");
    assert!(error.message().contains(&path.display().to_string()), "{error}");
    error
}

#[track_caller]
fn says(error: &Error, words: &str) {
    assert!(error.message().contains(words), "{error:?}");
}

fn pragma(connection: &Connection, name: &str) -> i64 {
    connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
}

#[test]
fn a_file_is_there_after_the_store_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file:vm?mode=memory.db");
    let (store, session) = with_session(on_disk(&path));
    let execution = Arc::new(new_execution(session.id));
    store.save_execution(&execution, 1).unwrap();
    drop(store);
    assert!(path.is_file());
    let store = on_disk(&path);
    assert_eq!(store.session(session.id).unwrap(), session);
    assert_eq!(store.events(execution.id, 0, u32::MAX).unwrap(), execution.events);
}

#[test]
fn every_connection_is_set_up() {
    let directory = tempfile::tempdir().unwrap();
    for (durability, synchronous) in [(Durability::Full, 2), (Durability::Normal, 1)] {
        let store = Store::open(Some(&directory.path().join(format!("{durability:?}.db"))), durability).unwrap();
        let open = store.0.open.read().unwrap();
        let pool = open.as_ref().unwrap().readers.as_ref().unwrap();
        let readers = [pool.get().unwrap(), pool.get().unwrap(), pool.get().unwrap()];
        let writer = store.0.writer.connection();
        for connection in readers.iter().map(|reader| &**reader).chain([&*writer]) {
            assert_eq!(pragma(connection, "foreign_keys"), 1);
            assert_eq!(pragma(connection, "synchronous"), synchronous);
            assert_eq!(pragma(connection, "busy_timeout"), 5_000);
            assert_eq!(pragma(connection, "application_id"), i64::from(super::migrations::APPLICATION_ID));
            let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
            assert_eq!(mode, "wal");
        }
        assert!(readers[0].execute("DELETE FROM sessions", []).is_err(), "a reader cannot write");
    }
    assert_eq!(pragma(&in_memory().0.writer.connection(), "foreign_keys"), 1);
}

#[test]
fn lists_use_an_index() {
    let store = in_memory();
    let connection = store.0.writer.connection();
    for sql in [
        "SELECT * FROM executions WHERE session_id = ?1 AND id < ?2 AND status <> 'deleted' ORDER BY id DESC LIMIT 5",
        "SELECT id FROM executions WHERE session_id = ?1 AND id > ?2 AND status <> 'deleted' ORDER BY id LIMIT 1",
        "SELECT id, input, started_at FROM executions
            WHERE session_id = ?1 AND id < ?2 AND status <> 'deleted' AND kind = 'repl' ORDER BY id DESC LIMIT ?3",
        "SELECT * FROM executions WHERE status = 'running'",
        "SELECT * FROM sessions WHERE id < ?1 ORDER BY id DESC LIMIT 5",
        "SELECT * FROM sessions WHERE id < ?1 AND template_id = ?3 ORDER BY id DESC LIMIT ?2",
        "SELECT * FROM sessions WHERE id < ?1 AND status = ?3 ORDER BY id DESC LIMIT ?2",
        "SELECT * FROM sessions WHERE id < ?1 AND template_id = ?3 AND status = ?4 ORDER BY id DESC LIMIT ?2",
        "SELECT * FROM events WHERE execution_id = ?1 AND seq > ?2
            AND EXISTS (SELECT 1 FROM executions WHERE id = ?1 AND status <> 'deleted') ORDER BY seq LIMIT ?3",
        "SELECT * FROM templates WHERE id < ?1 ORDER BY id DESC LIMIT ?2",
        "SELECT * FROM capabilities WHERE template_id = ?1",
    ] {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> = statement
            .query_map(rusqlite::params_from_iter(vec![0; statement.parameter_count()]), |row| row.get("detail"))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let plan = plan.join("; ");
        assert!(
            !plan.contains("TEMP B-TREE") && (plan.contains("SEARCH") || plan.contains("executions_running")),
            "{sql}: {plan}"
        );
    }
}

#[test]
fn a_second_store_is_refused_until_the_first_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vm.db");
    let store = on_disk(&path);
    let clone = store.clone();
    let error = refused(&path);
    says(&error, "in use by this program itself");
    says(&error, &format!("(pid {})", std::process::id()));
    #[cfg(unix)]
    {
        let link = directory.path().join("link.db");
        std::os::unix::fs::symlink("vm.db", &link).unwrap();
        says(&refused(&link), "in use");
    }
    drop(store);
    says(&refused(&path), "in use");
    clone.templates(None, 1).unwrap();
    drop(clone);
    on_disk(&path);
}

#[test]
fn what_is_no_database_of_ours_is_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);

    says(&refused(directory.path()), "it is a directory");
    says(&refused(Path::new("")), "names no file");
    let missing = refused(&at("no/such/vm.db"));
    says(&missing, "the directory");
    says(&missing, "does not exist; create it");
    std::fs::write(at("plain"), "x").unwrap();
    assert_eq!(refused(&at("plain/vm.db")).kind(), ErrorKind::StoreUnavailable);
    says(&refused(Path::new("/dev/null")), "not a regular file");

    let text = "Dear database, this is no database.\n".repeat(200);
    std::fs::write(at("text.db"), &text).unwrap();
    says(&refused(&at("text.db")), "not an SQLite database");
    assert_eq!(std::fs::read_to_string(at("text.db")).unwrap(), text);

    for (name, sql) in [
        ("foreign.db", "CREATE TABLE t (x)"),
        ("versioned.db", "PRAGMA user_version = 1"),
        ("other.db", "PRAGMA application_id = 252006674"),
    ] {
        raw(at(name)).execute_batch(sql).unwrap();
        let before = std::fs::read(at(name)).unwrap();
        says(&refused(&at(name)), "another program");
        assert_eq!(std::fs::read(at(name)).unwrap(), before);
    }

    drop(on_disk(&at("newer.db")));
    raw(at("newer.db")).pragma_update(None, "user_version", 999).unwrap();
    says(&refused(&at("newer.db")), "a newer vm-system wrote it (its version is 999, the newest known here is 3)");

    std::fs::create_dir(at("locked.db.lock")).unwrap();
    says(&refused(&at("locked.db")), "lock file");
    assert!(!at("locked.db").exists());

    // An empty file is an empty database: `mktemp` makes such.
    std::fs::write(at("empty.db"), "").unwrap();
    on_disk(&at("empty.db"));
}

#[test]
fn a_database_of_version_1_is_brought_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vm.db");
    let template = TemplateId::new();
    {
        // What the first version left behind: its one step, its mark, and a row of every kind of setting.
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(include_str!("migrations/0001_first.sql")).unwrap();
        connection.pragma_update(None, "application_id", super::migrations::APPLICATION_ID).unwrap();
        connection.pragma_update(None, "user_version", 1).unwrap();
        connection.pragma_update(None, "journal_mode", "wal").unwrap();
        let insert = "INSERT INTO templates VALUES (?1, 'old', 'quickjs', 1, ?2, '[]', '[]', 5, 6)";
        let settings = r#"{"limits":{"cpu_ms":7},"runtime":{"strict":true}}"#;
        connection.execute(insert, rusqlite::params![template.as_bytes(), settings]).unwrap();
    }
    for round in 0..2 {
        let store = on_disk(&path);
        assert_eq!(pragma(&store.0.writer.connection(), "user_version"), 3);
        let detail = store.template_detail(template).unwrap();
        assert_eq!((detail.template.name.as_str(), detail.capabilities.len()), ("old", round));
        assert_eq!((detail.settings.limits.cpu_ms, detail.settings.runtime.strict), (7, true));
        let capability = Capability {
            id: CapabilityId::new(),
            template_id: template,
            kind: CapabilityKind::Fs,
            name: format!("files {round}"),
            enabled: true,
            config: serde_json::Map::new(),
        };
        store.insert_capability(&capability).unwrap();
    }
}

#[test]
fn a_damaged_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vm.db");
    let (store, session) = with_session(on_disk(&path));
    for _ in 0..200 {
        store.save_execution(&Arc::new(new_execution(session.id)), 1).unwrap();
    }
    drop(store);
    let sound = std::fs::read(&path).unwrap();
    assert!(sound.len() > 5 * 4096);

    std::fs::write(&path, &sound[..sound.len() / 2]).unwrap();
    says(&refused(&path), "damaged");

    let mut scribbled = sound.clone();
    let middle = sound.len() / 8192 * 4096;
    scribbled[middle..middle + 4096].fill(0x5a);
    std::fs::write(&path, &scribbled).unwrap();
    says(&refused(&path), "damaged");

    std::fs::write(&path, &sound).unwrap();
    assert_eq!(on_disk(&path).executions(session.id, None, u32::MAX).unwrap().len(), 200);
}

/// Runs without root's rights, on a thread of its own: Linux has user ids by thread.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_written_is_refused() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vm.db");
    drop(on_disk(&path));
    let as_nobody = |action: &(dyn Fn() + Sync)| {
        std::thread::scope(|scope| {
            scope.spawn(|| {
                if rustix::process::getuid().is_root() {
                    rustix::thread::set_thread_uid(rustix::fs::Uid::from_raw(65_534)).unwrap();
                }
                action();
            });
        });
    };
    let lock = directory.path().join("vm.db.lock");
    for (of, mode) in [(directory.path(), 0o777), (path.as_path(), 0o444), (lock.as_path(), 0o666)] {
        set_permissions(of, Permissions::from_mode(mode)).unwrap();
    }
    as_nobody(&|| says(&refused(&path), "read-only"));

    set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    as_nobody(&|| says(&refused(&path), "permissions"));

    set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
    as_nobody(&|| drop(on_disk(&path)));
    assert!(!directory.path().join("vm.db-wal").exists(), "nothing is left behind");
    set_permissions(directory.path(), Permissions::from_mode(0o555)).unwrap();
    as_nobody(&|| says(&refused(&path), "it or its directory is read-only"));
    std::fs::remove_file(&lock).unwrap();
    as_nobody(&|| says(&refused(&path), "lock file"));
    set_permissions(directory.path(), Permissions::from_mode(0o000)).unwrap();
    as_nobody(&|| says(&refused(&path), "cannot be followed"));
    set_permissions(directory.path(), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_full_disk_loses_nothing_and_passes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vm.db");
    let (store, session) = with_session(on_disk(&path));
    let limit = |pages: i64| {
        let connection = store.0.writer.connection();
        let _: i64 = connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| row.get(0)).unwrap();
    };
    let kept = Arc::new(new_execution(session.id));
    store.save_execution(&kept, 1).unwrap();
    let pages = pragma(&store.0.writer.connection(), "page_count");
    limit(pages);

    let mut large = new_execution(session.id);
    large.input = Some("x".repeat(1 << 20));
    let large = Arc::new(large);
    for _ in 0..3 {
        let error = store.save_execution(&large, 1).unwrap_err();
        assert_eq!((error.kind(), error.code()), (ErrorKind::StoreUnavailable, "STORE_UNAVAILABLE"));
        assert!(error.is_transient());
        says(&error, "the disk is full");
        says(&error, "nothing that was acknowledged is lost");
        assert!(error.source().is_some());
        assert_eq!(store.execution(large.id).unwrap_err().kind(), ErrorKind::ExecutionNotFound);
        assert_eq!(store.events(kept.id, 0, u32::MAX).unwrap(), kept.events);
    }
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let error = store.save_execution(&large, 1).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::StoreUnavailable);
                says(&error, "the disk is full");
            });
        }
    });

    limit(1 << 30);
    store.save_execution(&large, 1).unwrap();
    drop(store);
    let store = on_disk(&path);
    assert_eq!(store.executions(session.id, None, 50).unwrap().len(), 2);
    assert_eq!(store.execution(large.id).unwrap().input, large.input);
}

#[test]
fn what_may_pass_is_told_from_what_will_not() {
    use rusqlite::ffi;
    let table = [
        (ffi::SQLITE_FULL, "the disk is full"),
        (ffi::SQLITE_IOERR_SHMSIZE, "the disk is full"),
        (ffi::SQLITE_READONLY, "read-only"),
        (ffi::SQLITE_IOERR_WRITE, "nothing can be stored until it takes writes again"),
        (ffi::SQLITE_IOERR_FSYNC, "nothing can be stored until it takes writes again"),
        (ffi::SQLITE_IOERR_READ, "cannot be read"),
        (ffi::SQLITE_CANTOPEN, "cannot be opened at the moment"),
        (ffi::SQLITE_BUSY, "held by another program"),
        (ffi::SQLITE_NOMEM, "not enough memory"),
    ];
    for (code, words) in table {
        let error = Error::from(Fault::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)));
        assert_eq!(error.kind(), ErrorKind::StoreUnavailable, "{error:?}");
        says(&error, words);
    }
    for code in [ffi::SQLITE_CORRUPT, ffi::SQLITE_NOTADB, ffi::SQLITE_ERROR, ffi::SQLITE_CONSTRAINT, ffi::SQLITE_MISUSE]
    {
        let error = Error::from(Fault::from(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)));
        assert_eq!(error.kind(), ErrorKind::Internal, "{error:?}");
    }
}

#[test]
fn a_store_that_has_become_read_only_says_so_and_goes_on_when_it_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let (store, session) = with_session(on_disk(&directory.path().join("vm.db")));
    store.0.writer.connection().pragma_update(None, "query_only", true).unwrap();
    let execution = Arc::new(new_execution(session.id));
    let error = store.save_execution(&execution, 1).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::StoreUnavailable);
    says(&error, "read-only");
    assert_eq!(store.session(session.id).unwrap(), session, "reading goes on");
    store.0.writer.connection().pragma_update(None, "query_only", false).unwrap();
    store.save_execution(&execution, 1).unwrap();
}

#[test]
fn threads_share_commits_and_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    for store in [in_memory(), on_disk(&directory.path().join("vm.db"))] {
        let (store, session) = with_session(store);
        let refused = AtomicUsize::new(0);
        let saved: Vec<ExecutionId> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..24)
                .map(|thread| {
                    let (store, session, refused) = (&store, &session, &refused);
                    scope.spawn(move || {
                        let mut saved = Vec::new();
                        for round in 0..40 {
                            let mut execution = new_execution(session.id);
                            if (thread + round) % 5 == 0 {
                                execution.session_id = SessionId::new();
                            }
                            let execution = Arc::new(execution);
                            match store.save_execution(&execution, 1) {
                                // It was answered: whoever reads now finds it.
                                Ok(()) => {
                                    assert_eq!(store.events(execution.id, 0, u32::MAX).unwrap(), execution.events);
                                    saved.push(execution.id);
                                }
                                Err(error) => {
                                    assert_eq!(error.kind(), ErrorKind::SessionNotFound, "{error:?}");
                                    assert!(store.execution(execution.id).unwrap_err().is_not_found());
                                    refused.fetch_add(1, Ordering::Relaxed);
                                }
                            }
                        }
                        saved
                    })
                })
                .collect();
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!((saved.len(), refused.into_inner()), (24 * 40 * 4 / 5, 24 * 40 / 5));
        let mut found: Vec<_> =
            store.executions(session.id, None, u32::MAX).unwrap().into_iter().map(|found| found.id).collect();
        let mut saved = saved;
        saved.sort();
        found.sort();
        assert_eq!(found, saved);
    }
}

/// Holds the writer, lets writes queue up behind it, and lets go: they are one batch.
#[test]
fn a_write_that_fails_or_panics_fails_alone() {
    let store = in_memory();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (leads, led) = std::sync::mpsc::channel::<()>();
    let insert = |connection: &Connection, name: &str| -> Result<(), Fault> {
        connection.execute("INSERT INTO noted (name) VALUES (?1)", [name])?;
        Ok(())
    };
    store.0.writer.connection().execute_batch("CREATE TABLE noted (name TEXT UNIQUE)").unwrap();
    let results: Vec<_> = std::thread::scope(|scope| {
        let leader = scope.spawn(|| {
            store.write(move |_| {
                leads.send(()).unwrap();
                wait.recv().unwrap();
                Ok(())
            })
        });
        led.recv().unwrap();
        let followers: Vec<_> = (0..30)
            .map(|number| {
                let store = &store;
                scope.spawn(move || {
                    store.write(move |connection| {
                        insert(connection, &format!("{number}"))?;
                        match number % 3 {
                            0 => Ok(()),
                            1 => insert(connection, &format!("{number}")),
                            _ => panic!("in the middle"),
                        }
                    })
                })
            })
            .collect();
        while store.0.writer.waiting() < 30 {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        leader.join().unwrap().unwrap();
        followers.into_iter().map(|follower| follower.join().unwrap()).collect()
    });
    for (number, result) in results.iter().enumerate() {
        match (number % 3, result) {
            (0, Ok(())) => {}
            (1, Err(error)) => assert!(format!("{error:?}").contains("UNIQUE"), "{error:?}"),
            (2, Err(error)) => assert!(format!("{error:?}").contains("panic: in the middle"), "{error:?}"),
            other => panic!("{number}: {other:?}"),
        }
    }
    let kept: Vec<String> = {
        let connection = store.0.writer.connection();
        let mut select = connection.prepare("SELECT name FROM noted ORDER BY CAST(name AS INTEGER)").unwrap();
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    assert_eq!(kept, (0..30).step_by(3).map(|number: i32| number.to_string()).collect::<Vec<_>>());

    // Alone, too, and the queue goes on afterwards.
    assert!(store.write(|_| panic!("alone")).is_err());
    store.insert_template(&new_template("t"), &Settings::default()).unwrap();
}

#[test]
fn a_commit_that_fails_fails_everybody_in_it() {
    let store = in_memory();
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let (leads, led) = std::sync::mpsc::channel::<()>();
    store
        .0
        .writer
        .connection()
        .execute_batch(
            "CREATE TABLE noted (name TEXT, parent TEXT REFERENCES noted (name) DEFERRABLE INITIALLY DEFERRED);
         CREATE UNIQUE INDEX by_name ON noted (name)",
        )
        .unwrap();
    let results: Vec<_> = std::thread::scope(|scope| {
        scope.spawn(|| {
            store.write(move |_| {
                leads.send(()).unwrap();
                wait.recv().unwrap();
                Ok(())
            })
        });
        led.recv().unwrap();
        let followers: Vec<_> = (0..5)
            .map(|number| {
                let store = &store;
                scope.spawn(move || {
                    store.write(move |connection| {
                        // Only COMMIT finds that the third has no parent.
                        let parent = (number == 3).then_some("nobody");
                        connection.execute("INSERT INTO noted VALUES (?1, ?2)", (format!("{number}"), parent))?;
                        Ok(())
                    })
                })
            })
            .collect();
        while store.0.writer.waiting() < 5 {
            std::thread::yield_now();
        }
        go.send(()).unwrap();
        followers.into_iter().map(|follower| follower.join().unwrap()).collect()
    });
    assert!(
        results.iter().all(|result| matches!(result, Err(error) if error.kind() == ErrorKind::Internal)),
        "{results:?}"
    );
    let kept: i64 = store.0.writer.connection().query_row("SELECT count(*) FROM noted", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, 0);
    store.insert_template(&new_template("t"), &Settings::default()).unwrap();
}

/// The other half of [`a_killed_process_keeps_what_it_acknowledged`].
#[test]
#[ignore = "run by another test, in a process of its own"]
#[expect(clippy::print_stdout, reason = "how it talks to its parent")]
fn killed() {
    let Some(path) = std::env::var_os("VMSYS_TEST_DATABASE") else { return };
    let (store, session) = with_session(on_disk(Path::new(&path)));
    println!("session {}", session.id);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                loop {
                    let mut execution = new_execution(session.id);
                    let last = execution.events.pop().unwrap();
                    execution.status = ExecutionStatus::Running;
                    store.save_execution(&Arc::new(execution.clone()), 1).unwrap();
                    execution.status = ExecutionStatus::Ok;
                    execution.events.push(last);
                    store.save_execution(&Arc::new(execution.clone()), 2).unwrap();
                    println!("saved {}", execution.id);
                }
            });
        }
    });
}

#[test]
fn a_killed_process_keeps_what_it_acknowledged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vm.db");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "store::tests::killed", "--ignored", "--nocapture", "--test-threads=1"])
        .env("VMSYS_TEST_DATABASE", &path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let session: SessionId =
        lines.by_ref().find_map(|line| line.split_once("session ").map(|(_, id)| id.parse().unwrap())).unwrap();
    let mut saved: Vec<ExecutionId> = Vec::new();
    let read = |line: String| line.strip_prefix("saved ").and_then(|id| id.parse::<ExecutionId>().ok());
    saved.extend(lines.by_ref().filter_map(read).take(300));
    let error = refused(&path);
    says(&error, &format!("(pid {})", child.id()));
    child.kill().unwrap();
    child.wait().unwrap();
    saved.extend(lines.filter_map(read));

    let store = on_disk(&path);
    let recovered = store.recover("killed", Timestamp::now()).unwrap();
    assert_eq!(recovered.sessions, 1);
    assert!(recovered.executions <= 4, "{recovered:?}");
    let found = store.executions(session, None, u32::MAX).unwrap();
    for id in saved {
        assert!(found.iter().any(|execution| execution.id == id && execution.status == ExecutionStatus::Ok), "{id}");
    }
    for execution in found {
        let events = store.events(execution.id, 0, u32::MAX).unwrap();
        assert!(events.iter().map(|event| event.seq).eq(1..=2), "{events:?}");
        assert!(matches!(events[1].payload, Payload::Value(_) | Payload::System { .. }));
    }
}
