//! SQL that stays inside, and SQL that wants out.

mod limits;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::DatabaseModule;
use crate::execution::LiveExecution;
use crate::limits::Limits;
use crate::modules::testing::{config, context, execution, open, session, session_with};
use crate::modules::{Module, ModuleInstance, ProtectedFiles, SessionContext};
use crate::value::{CallError, Value};

struct Bench {
    directory: tempfile::TempDir,
    database: Box<dyn ModuleInstance>,
    live: Arc<LiveExecution>,
}

impl Bench {
    fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let database = open(&DatabaseModule, &session(directory.path()), json!({}));
        Self { directory, database, live: execution(Limits::default()) }
    }

    /// With a database in memory.
    fn memory() -> Self {
        let mut bench = Self::empty();
        bench.configure(":memory:").unwrap();
        bench
    }

    fn limits(mut self, limits: Limits) -> Self {
        self.live = execution(limits);
        self
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn call(&mut self, function: &str, args: &[Value]) -> Result<Value, CallError> {
        self.database.call(function, args, &context(&self.live))
    }

    fn configure(&mut self, path: &str) -> Result<Value, CallError> {
        self.call("configure", &[path.into()])
    }

    fn query(&mut self, sql: &str, params: Vec<Value>) -> Result<Value, CallError> {
        let answer = self.call("query", &[sql.into(), Value::Array(params)])?;
        Ok(answer.get("rows").unwrap().clone())
    }

    fn exec(&mut self, sql: &str, params: Vec<Value>) -> Result<Value, CallError> {
        self.call("exec", &[sql.into(), Value::Array(params)])
    }

    /// The one value of the one row.
    #[track_caller]
    fn one(&mut self, sql: &str) -> Value {
        match self.query(sql, vec![]).unwrap().as_array().unwrap() {
            [Value::Object(row)] => match row.as_slice() {
                [(_, value)] => value.clone(),
                _ => panic!("{row:?}"),
            },
            rows => panic!("{rows:?}"),
        }
    }

    #[track_caller]
    fn fails(&mut self, sql: &str, code: &str, words: &str) {
        for function in ["query", "exec"] {
            let error = self.call(function, &[sql.into()]).unwrap_err();
            assert_eq!(error.code(), Some(code), "{function} {sql}: {error}");
            assert!(error.message().contains(words), "{function} {sql}: {error}");
        }
    }
}

/// A connection without any of our bounds, as another program has it.
fn raw(path: impl AsRef<Path>) -> rusqlite::Connection {
    // The first connection of a program decides about SQLite's allocator.
    assert!(crate::store::memory::install());
    rusqlite::Connection::open(path).unwrap()
}

fn number(value: impl Into<f64>) -> Value {
    Value::Number(value.into())
}

#[test]
fn values_go_in_and_come_out() {
    let mut bench = Bench::memory();
    bench.exec("CREATE TABLE t (v)", vec![]).unwrap();
    let big = i128::from(i64::MAX);
    for (given, kind, back) in [
        (Value::Null, "null", Value::Null),
        (true.into(), "integer", number(1)),
        (number(1.5), "real", number(1.5)),
        (number(3), "integer", number(3)),
        (number(-0.0), "integer", number(0)),
        (number(9_007_199_254_740_991.0), "integer", number(9_007_199_254_740_991.0)),
        (number(1e300), "real", number(1e300)),
        (number(9_007_199_254_740_992.0), "real", number(9_007_199_254_740_992.0)),
        (number(f64::NAN), "null", Value::Null),
        (Value::BigInt(5), "integer", number(5)),
        (Value::BigInt(big), "integer", Value::BigInt(big)),
        (Value::BigInt(i64::MIN.into()), "integer", Value::BigInt(i64::MIN.into())),
        ("ä\0b".into(), "text", "ä\0b".into()),
        (Value::Bytes(vec![0, 255]), "blob", Value::Bytes(vec![0, 255])),
        (Value::Bytes(vec![]), "blob", Value::Bytes(vec![])),
    ] {
        bench.exec("INSERT INTO t VALUES (?)", vec![given.clone()]).unwrap();
        let rows = bench.query("SELECT typeof(v) AS kind, v FROM t", vec![]).unwrap();
        assert_eq!(rows, Value::Array(vec![Value::object([("kind", kind.into()), ("v", back)])]), "{given:?}");
        assert_eq!(bench.exec("DELETE FROM t", vec![]).unwrap().get("changes"), Some(&number(1)));
    }
    let too_big = bench.query("SELECT ?", vec![Value::BigInt(big + 1)]).unwrap_err();
    assert_eq!((too_big.name(), too_big.code()), ("RangeError", Some("ERR_OUT_OF_RANGE")));
    let nested = bench.query("SELECT ?, ?", vec![Value::Array(vec![]), number(1)]).unwrap_err();
    assert_eq!(nested.code(), Some("ERR_INVALID_ARG_TYPE"));
    assert_eq!(bench.one("SELECT CAST(x'ff41' AS TEXT)"), "\u{fffd}A".into());
    assert_eq!(bench.query("SELECT 1 WHERE 0", vec![]).unwrap(), Value::Array(vec![]));
}

#[test]
fn parameters_are_listed_or_named() {
    let mut bench = Bench::memory();
    let list = |values: &[i32]| values.iter().map(|value| number(*value)).collect::<Vec<_>>();
    let row = |bench: &mut Bench, sql: &str, params: Vec<Value>| -> Result<Vec<Value>, CallError> {
        let rows = bench.query(sql, params)?;
        Ok(rows.as_array().unwrap()[0].as_object().unwrap().iter().map(|(_, value)| value.clone()).collect())
    };
    assert_eq!(row(&mut bench, "SELECT ?, ?", list(&[1, 2])).unwrap(), list(&[1, 2]));
    assert_eq!(row(&mut bench, "SELECT ?, ?", vec![Value::Array(list(&[1, 2]))]).unwrap(), list(&[1, 2]));
    assert_eq!(row(&mut bench, "SELECT ?2, ?1", list(&[1, 2])).unwrap(), list(&[2, 1]));
    let named = |names: &[(&str, i32)]| vec![Value::object(names.iter().map(|(name, value)| (*name, number(*value))))];
    let sql = "SELECT :a + :a - :a, @b, $c";
    assert_eq!(row(&mut bench, sql, named(&[("a", 1), ("b", 2), ("c", 3)])).unwrap(), list(&[1, 2, 3]));
    assert_eq!(row(&mut bench, sql, named(&[(":a", 1), ("@b", 2), ("$c", 3)])).unwrap(), list(&[1, 2, 3]));
    for (params, words) in [
        (named(&[("a", 1), ("b", 2)]), "the parameter $c was not given"),
        (named(&[("a", 1), ("b", 2), ("c", 3), ("d", 4)]), "no parameter 'd'"),
        (named(&[("a", 1), (":a", 1), ("b", 2), ("c", 3)]), "given twice"),
        (list(&[1, 2]), "3 parameters, and 2 were given"),
        (list(&[1, 2, 3, 4]), "3 parameters, and 4 were given"),
        (vec![], "3 parameters, and 0 were given"),
    ] {
        let error = bench.query(sql, params).unwrap_err();
        assert!(error.message().contains(words), "{error}");
    }
    assert!(bench.query("SELECT ?", named(&[("a", 1)])).unwrap_err().message().contains("without a name"));
    // What was bound once is not there the next time.
    assert_eq!(row(&mut bench, "SELECT ?1", list(&[7])).unwrap(), list(&[7]));
    assert!(bench.query("SELECT ?1", vec![]).is_err());
}

#[test]
fn statements_say_what_they_changed() {
    let mut bench = Bench::memory();
    let script =
        "CREATE TABLE t (id INTEGER PRIMARY KEY, n UNIQUE NOT NULL); -- one\n;; INSERT INTO t (n) VALUES (1), (2);";
    let done = bench.exec(script, vec![]).unwrap();
    assert_eq!(done, Value::object([("changes", number(2)), ("lastInsertRowid", number(2))]));
    let done = bench.exec("SELECT * FROM t", vec![]).unwrap();
    assert_eq!(done.get("changes"), Some(&number(0)), "not those of the statement before");
    bench.exec("INSERT INTO t VALUES (9223372036854775807, 3)", vec![]).unwrap();
    let rowid = bench.exec("UPDATE t SET n = n + 10", vec![]).unwrap();
    assert_eq!(rowid.get("lastInsertRowid"), Some(&Value::BigInt(i64::MAX.into())));
    let returned = bench.query("DELETE FROM t WHERE n > ? RETURNING n", vec![number(11)]).unwrap();
    assert_eq!(returned.as_array().unwrap().len(), 2);

    bench.fails("INSERT INTO t (n) VALUES (11)", "SQLITE_CONSTRAINT_UNIQUE", "UNIQUE constraint failed: t.n");
    bench.fails("INSERT INTO t (n) VALUES (NULL)", "SQLITE_CONSTRAINT_NOTNULL", "t.n");
    bench.fails("SELEC", "SQLITE_ERROR", "syntax error");
    bench.fails("SELECT * FROM nowhere", "SQLITE_ERROR", "no such table: nowhere");
    bench.fails("", "ERR_INVALID_ARG_VALUE", "no statement");
    bench.fails(" ; -- nothing\n ;", "ERR_INVALID_ARG_VALUE", "no statement");
    bench.fails("/* nothing */", "ERR_INVALID_ARG_VALUE", "no statement");
    for sql in ["SELECT 1; SELECT 2", "SELECT 1; -- c\n SELECT 2;"] {
        assert!(bench.query(sql, vec![]).unwrap_err().message().contains("more than one"), "{sql}");
        assert!(bench.exec("INSERT INTO t VALUES (?, 5); SELECT 1", vec![number(1)]).is_err());
    }
    assert_eq!(bench.query("SELECT ';' AS x; ", vec![]).unwrap().as_array().unwrap().len(), 1);
    let error = bench.call("query", &[number(1)]).unwrap_err();
    assert_eq!(error.code(), Some("ERR_INVALID_ARG_TYPE"));
}

#[test]
fn a_transaction_stays_open_until_it_is_ended() {
    let mut bench = Bench::memory();
    bench.exec("CREATE TABLE t (n); BEGIN; INSERT INTO t VALUES (1)", vec![]).unwrap();
    bench.database.end_of_execution();
    bench.live = execution(Limits::default());
    assert_eq!(bench.one("SELECT count(*) FROM t"), number(1));
    bench.call("rollback", &[]).unwrap();
    bench.call("rollback", &[]).unwrap();
    assert_eq!(bench.one("SELECT count(*) FROM t"), number(0));
    bench.exec("SAVEPOINT a; INSERT INTO t VALUES (1); RELEASE a", vec![]).unwrap();
    assert_eq!(bench.one("SELECT count(*) FROM t"), number(1));
}

#[test]
fn a_database_is_configured_first() {
    let mut bench = Bench::empty();
    for function in ["query", "exec"] {
        let error = bench.call(function, &["SELECT 1".into()]).unwrap_err();
        assert_eq!(error.code(), Some("ERR_DATABASE_NOT_CONFIGURED"));
    }
    for args in [vec![], vec![number(1)], vec!["sqlite3".into(), number(1)], vec!["a".into(), "b".into(), "c".into()]] {
        assert_eq!(bench.call("configure", &args).unwrap_err().code(), Some("ERR_INVALID_ARG_TYPE"), "{args:?}");
    }
    let error = bench.call("configure", &["postgres".into(), "x".into()]).unwrap_err();
    assert!(error.message().contains("no driver 'postgres'"), "{error}");
    bench.call("configure", &["sqlite3".into(), ":memory:".into()]).unwrap();
    bench.exec("CREATE TABLE t (n)", vec![]).unwrap();
    // Another one takes its place.
    bench.configure("sub.db").unwrap();
    assert_eq!(bench.one("SELECT count(*) FROM sqlite_schema"), number(0));
    bench.exec("CREATE TABLE kept (n); INSERT INTO kept VALUES (7)", vec![]).unwrap();
    bench.call("close", &[]).unwrap();
    bench.call("close", &[]).unwrap();
    assert!(bench.query("SELECT 1", vec![]).is_err());
    bench.configure("./sub.db").unwrap();
    assert_eq!(bench.one("SELECT n FROM kept"), number(7));
    bench.configure(bench.path().join("sub.db").to_str().unwrap().to_owned().as_str()).unwrap();
    assert_eq!(bench.one("SELECT n FROM kept"), number(7));
}

#[test]
fn files_stay_in_the_worktree() {
    let outside = tempfile::tempdir().unwrap();
    raw(outside.path().join("secret.db")).execute_batch("CREATE TABLE s (n)").unwrap();
    let mut bench = Bench::empty();
    let at = |name: &str| bench.directory.path().join(name);
    std::os::unix::fs::symlink(outside.path(), at("out")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.db"), at("link.db")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("new.db"), at("dangling.db")).unwrap();
    std::fs::create_dir(at("dir")).unwrap();
    std::fs::write(at("text.db"), "no database, and long enough to see that it is none").unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, at("fifo.db"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let secret = outside.path().join("secret.db").display().to_string();
    let paths = [
        ("../secret.db", "EACCES"),
        ("dir/../../x.db", "EACCES"),
        (&secret, "EACCES"),
        ("/etc/passwd", "EACCES"),
        ("/proc/self/fd/3/x.db", "EACCES"),
        ("out/secret.db", "EACCES"),
        ("out/new.db", "EACCES"),
        ("link.db", "EACCES"),
        ("dangling.db", "EACCES"),
        ("fifo.db", "EACCES"),
        ("dir", "EACCES"),
        ("text.db", "SQLITE_NOTADB"),
        ("missing/x.db", "ENOENT"),
        ("", "ERR_INVALID_ARG_VALUE"),
        (".", "ERR_INVALID_ARG_VALUE"),
        ("dir/", "ERR_INVALID_ARG_VALUE"),
        ("dir/..", "ERR_INVALID_ARG_VALUE"),
        ("a\0.db", "ERR_INVALID_ARG_VALUE"),
        ("file:x.db", "ERR_INVALID_ARG_VALUE"),
        ("FILE:../x.db?mode=rwc", "ERR_INVALID_ARG_VALUE"),
        ("file::memory:?cache=shared", "ERR_INVALID_ARG_VALUE"),
    ];
    for (path, code) in paths {
        let error = bench.configure(path).unwrap_err();
        assert_eq!(error.code(), Some(code), "{path}: {error}");
    }
    // Odd names are names.
    for name in ["x.db?mode=memory", ":memory", "a b'\"%.db", "-wal", "ä.db"] {
        bench.configure(name).unwrap();
        bench.exec("CREATE TABLE t (n)", vec![]).unwrap();
        assert!(bench.path().join(name).metadata().unwrap().len() > 0, "{name}");
    }
    let outside: Vec<_> = std::fs::read_dir(outside.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(outside, ["secret.db"]);
}

#[test]
fn what_is_beside_a_database_does_not_lead_out_either() {
    let outside = tempfile::tempdir().unwrap();
    for suffix in ["-journal", "-wal", "-shm"] {
        let mut bench = Bench::empty();
        let link = bench.path().join(format!("x.db{suffix}"));
        let target = outside.path().join(suffix);
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert_eq!(bench.configure("x.db").unwrap_err().code(), Some("EACCES"), "{suffix}");
        // Put there later, SQLite does not follow it.
        std::fs::remove_file(&link).unwrap();
        bench.configure("x.db").unwrap();
        bench.exec("CREATE TABLE t (n)", vec![]).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        let _ = bench.exec("INSERT INTO t VALUES (1)", vec![]);
        assert!(!target.exists(), "{suffix}");
    }
}

/// A directory of the database's is renamed, and a link that leads out takes its name: the journal still goes where the
/// database is.
#[test]
fn a_renamed_directory_takes_its_database_along() {
    let outside = tempfile::tempdir().unwrap();
    let mut bench = Bench::empty();
    let (sub, moved) = (bench.path().join("sub"), bench.path().join("moved"));
    std::fs::create_dir(&sub).unwrap();
    bench.configure("sub/x.db").unwrap();
    bench.exec("CREATE TABLE t (n)", vec![]).unwrap();
    std::fs::rename(&sub, &moved).unwrap();
    std::os::unix::fs::symlink(outside.path(), &sub).unwrap();
    bench.exec("BEGIN; INSERT INTO t VALUES (1)", vec![]).unwrap();
    assert!(moved.join("x.db-journal").exists());
    bench.exec("COMMIT; VACUUM", vec![]).unwrap();
    assert_eq!(bench.one("SELECT n FROM t"), number(1));
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}

#[test]
fn nobody_wins_the_race_for_a_file() {
    let outside = tempfile::tempdir().unwrap();
    raw(outside.path().join("x.db")).execute_batch("CREATE TABLE secret (n)").unwrap();
    let mut bench = Bench::empty();
    let (sub, link) = (bench.path().join("sub"), bench.path().join("swap"));
    std::fs::create_dir(&sub).unwrap();
    std::os::unix::fs::symlink(outside.path(), &link).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let swapping = {
        let stop = stop.clone();
        std::thread::spawn(move || {
            let flags = rustix::fs::RenameFlags::EXCHANGE;
            while !stop.load(Ordering::Relaxed) {
                rustix::fs::renameat_with(rustix::fs::CWD, &sub, rustix::fs::CWD, &link, flags).unwrap();
                std::thread::sleep(Duration::from_micros(fastrand::u64(0..200)));
            }
        })
    };
    let (mut inside, mut refused) = (0, 0);
    let started = Instant::now();
    for round in 0.. {
        // As long as it takes on a busy machine to have seen both.
        if round >= 400 && (inside > 0 && refused > 0 || started.elapsed() > Duration::from_secs(20)) {
            break;
        }
        match bench.configure("sub/x.db") {
            Ok(_) => {
                let _ = bench.exec(&format!("CREATE TABLE t{round} (n)"), vec![]);
                assert_eq!(bench.one("SELECT count(*) FROM sqlite_schema WHERE name = 'secret'"), number(0));
                inside += 1;
            }
            Err(error) => {
                assert!(matches!(error.code(), Some("EACCES")), "{error}");
                refused += 1;
            }
        }
    }
    stop.store(true, Ordering::Relaxed);
    swapping.join().unwrap();
    assert!(inside > 0 && refused > 0, "{inside} {refused}");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn sql_does_not_reach_outside() {
    let mut bench = Bench::empty();
    bench.configure("x.db").unwrap();
    bench.exec("CREATE TABLE t (n); INSERT INTO t VALUES (1)", vec![]).unwrap();
    let elsewhere = bench.path().join("elsewhere.db").display().to_string();
    for sql in [
        "ATTACH 'y.db' AS y",
        "ATTACH ':memory:' AS y",
        "ATTACH '' AS y",
        "ATTACH ('y' || '.db') AS y",
        "ATTACH (SELECT 'y.db') AS y",
        "ATTACH NULL AS y",
        "/* a */ aTtAcH /* b */ DATABASE 'y.db' /* c */ AS y",
        "EXPLAIN ATTACH 'y.db' AS y",
        "DETACH main",
        "DETACH temp",
        "SELECT load_extension('/tmp/x.so')",
        "SELECT LOAD_EXTENSION('/tmp/x.so', 'entry')",
        "CREATE TABLE g (n, m AS (load_extension(n)))",
        "SELECT fts3_tokenizer('simple')",
        "SELECT * FROM dbstat",
        "SELECT * FROM sqlite_dbpage",
        "CREATE VIRTUAL TABLE v USING dbstat(main)",
        "CREATE VIRTUAL TABLE v USING fts4aux(main, t)",
        "PRAGMA writable_schema = ON",
        "PRAGMA writable_schema",
        "PRAGMA main.writable_schema(1)",
        "pragma WRITABLE_SCHEMA = reset",
        "PRAGMA temp_store_directory = '/etc'",
        "PRAGMA data_store_directory = '/etc'",
        "PRAGMA temp_store = file",
        "PRAGMA trusted_schema = ON",
        "PRAGMA hard_heap_limit = 1",
        "PRAGMA soft_heap_limit = 1",
        "PRAGMA mmap_size = 1000000",
        "PRAGMA cache_size = 1000000",
        "PRAGMA cache_spill = 0",
        "PRAGMA max_page_count = 4294967294",
        "PRAGMA page_size = 65536",
        "PRAGMA locking_mode = exclusive",
        "PRAGMA journal_mode = off",
        "PRAGMA journal_mode(OFF)",
        "PRAGMA busy_timeout = 1000000",
        "PRAGMA threads = 8",
        "PRAGMA lock_proxy_file = '/tmp/x'",
        "PRAGMA database_list",
        "PRAGMA vdbe_trace = 1",
        "PRAGMA stats",
        "SELECT * FROM pragma_database_list",
        "SELECT * FROM pragma_table_info('t'), pragma_stats",
    ] {
        for function in ["query", "exec"] {
            let Err(error) = bench.call(function, &[sql.into()]) else { panic!("{sql}") };
            let refused = matches!(error.code(), Some("SQLITE_AUTH"));
            // What is no function, table or module of this SQLite is none either way.
            let unknown = ["no such", "unable to use function"].iter().any(|words| error.message().contains(words));
            assert!(refused || unknown, "{sql}: {error}");
            assert!(refused || !sql.contains("ATTACH") && !sql.contains("load_extension('/"), "{sql}: {error}");
        }
    }
    for sql in [
        &format!("VACUUM INTO '{elsewhere}'"),
        "VACUUM INTO 'elsewhere.db'",
        "VACUUM main INTO ('else' || 'where.db')",
        "VACUUM INTO 'file:elsewhere.db?mode=rwc'",
    ] {
        bench.fails(sql, "SQLITE_AUTH", "VACUUM INTO");
    }
    for (made, used) in [
        ("CREATE VIEW v AS SELECT load_extension('x')", "SELECT * FROM v"),
        ("CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT load_extension('x'); END", "INSERT INTO t VALUES (2)"),
        ("CREATE INDEX i ON t (n) WHERE load_extension(n)", "SELECT load_extension(n) FROM t"),
        ("CREATE TABLE d (n DEFAULT (load_extension('x')))", "INSERT INTO d DEFAULT VALUES"),
    ] {
        let _ = bench.exec(made, vec![]);
        let error = bench.exec(used, vec![]).unwrap_err();
        assert!(
            error.code() == Some("SQLITE_AUTH")
                || error.message().contains("no such")
                || error.message().contains("unsafe use of load_extension"),
            "{made}: {error}"
        );
    }
    bench.exec("DROP VIEW v; DROP TRIGGER r", vec![]).unwrap();
    let refused = bench.query("ATTACH 'y.db' AS y", vec![]).unwrap_err();
    assert!(refused.message().starts_with("not authorized: ATTACH"), "{refused}");
    // What looks like it and is none.
    assert_eq!(
        bench.one("SELECT 'ATTACH DATABASE; load_extension; PRAGMA writable_schema=1'"),
        "ATTACH DATABASE; load_extension; PRAGMA writable_schema=1".into()
    );

    // The schema is not written to but by its own statements.
    for sql in [
        "INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 0, 'CREATE TABLE x (n)')",
        "UPDATE sqlite_master SET sql = 'CREATE TABLE t (m)'",
        "DELETE FROM sqlite_schema",
        "CREATE TABLE sqlite_x (n)",
        "DROP TABLE sqlite_schema",
    ] {
        assert_eq!(bench.exec(sql, vec![]).unwrap_err().code(), Some("SQLITE_ERROR"), "{sql}");
    }
    // What is allowed works.
    bench.exec("VACUUM", vec![]).unwrap();
    bench.exec("PRAGMA user_version = 7; PRAGMA foreign_keys = OFF; ANALYZE; REINDEX", vec![]).unwrap();
    assert_eq!(bench.one("PRAGMA user_version"), number(7));
    assert_eq!(bench.one("PRAGMA integrity_check"), "ok".into());
    assert_eq!(bench.query("PRAGMA table_info(t)", vec![]).unwrap().as_array().unwrap().len(), 1);
    assert_eq!(bench.one("SELECT name FROM pragma_table_info('t')"), "n".into());
    assert_eq!(bench.one("SELECT json_extract('{\"a\": 1}', '$.a')"), number(1));
    bench.exec("CREATE VIRTUAL TABLE f USING fts5(text); INSERT INTO f VALUES ('one two')", vec![]).unwrap();
    assert_eq!(bench.one("SELECT count(*) FROM f('two')"), number(1));
    let left: Vec<_> = std::fs::read_dir(bench.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["x.db"]);
}

/// A file whose schema was made to do harm, by another program.
#[test]
fn a_hostile_file_is_no_way_out() {
    let mut bench = Bench::empty();
    let file = bench.path().join("x.db");
    let other = raw(&file);
    other
        .execute_batch(
            "CREATE TABLE t (n); INSERT INTO t VALUES (1);
             CREATE VIEW v AS SELECT load_extension('x') AS n;
             CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT load_extension('x'); END;
             PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema VALUES ('table', 'w', 'w', 0, 'CREATE VIRTUAL TABLE w USING dbstat');",
        )
        .unwrap();
    drop(other);
    bench.configure("x.db").unwrap();
    assert_eq!(bench.one("SELECT n FROM t"), number(1));
    for sql in ["SELECT * FROM v", "INSERT INTO t VALUES (2)"] {
        let error = bench.query(sql, vec![]).unwrap_err();
        assert!(error.message().contains("load_extension"), "{sql}: {error}");
    }
    std::fs::write(&file, [std::fs::read(&file).unwrap().as_slice(), &[0xff; 4096]].concat()).unwrap();
    let bytes = std::fs::read(&file).unwrap();
    for at in (100..bytes.len()).step_by(97) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0xff;
        std::fs::write(&file, damaged).unwrap();
        if bench.configure("x.db").is_ok() {
            let _ = bench.query("SELECT * FROM t", vec![]);
            let _ = bench.exec("INSERT INTO t VALUES (3)", vec![]);
            let _ = bench.query("PRAGMA integrity_check", vec![]);
        }
    }
}

#[test]
fn a_template_can_say_which_database_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let session = session(directory.path());
    let mut writing = open(&DatabaseModule, &session, json!({"path": "data.db"}));
    let live = execution(Limits::default());
    let cx = context(&live);
    writing.call("exec", &["CREATE TABLE t (n); INSERT INTO t VALUES (7)".into()], &cx).unwrap();

    let mut reading = open(&DatabaseModule, &session, json!({"path": "data.db", "read_only": true}));
    let rows = reading.call("query", &["SELECT n FROM t".into()], &cx).unwrap();
    assert_eq!(rows.get("rows").unwrap().as_array().unwrap()[0].get("n"), Some(&number(7)));
    let error = reading.call("exec", &["INSERT INTO t VALUES (8)".into()], &cx).unwrap_err();
    assert_eq!(error.code(), Some("SQLITE_READONLY"));
    // Whatever is configured later is read only, too, and is not made.
    let error = reading.call("configure", &["new.db".into()], &cx).unwrap_err();
    assert_eq!(error.code(), Some("SQLITE_CANTOPEN"));
    assert!(!directory.path().join("new.db").exists());

    for (json, field) in [
        (json!({"file": "x"}), "config.file"),
        (json!({"path": 7}), "config.path"),
        (json!({"path": "file:x"}), "config.path"),
        (json!({"path": ""}), "config.path"),
        (json!({"path": "/x.db"}), "config.path"),
        (json!({"path": "a/../../x.db"}), "config.path"),
        (json!({"read_only": "yes"}), "config.read_only"),
        (json!({"path": ":memory:", "read_only": true}), "config.read_only"),
    ] {
        let error = DatabaseModule.check_config(&config(json)).unwrap_err();
        assert_eq!(error.detail("field"), Some(field));
    }
    std::os::unix::fs::symlink("/etc", directory.path().join("out")).unwrap();
    let missing = config(json!({"path": "out/x.db"}));
    let Err(error) = DatabaseModule.open(&session, &missing) else { panic!("it leads out") };
    assert_eq!(error.kind(), crate::ErrorKind::InvalidPath);
}

#[test]
fn the_fs_capabilities_bind_databases() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["data", "other"] {
        std::fs::create_dir(directory.path().join(name)).unwrap();
    }
    let live = execution(Limits::default());
    let cx = context(&live);
    let path = directory.path();
    let mut writer = open(&DatabaseModule, &session(path), json!({}));
    for file in ["data/x.db", "other/x.db"] {
        writer.call("configure", &[file.into()], &cx).unwrap();
        writer.call("exec", &["CREATE TABLE t (n)".into()], &cx).unwrap();
    }
    let part = session_with(path, &["data", "other"], &["data"], ProtectedFiles::default());
    let mut part = open(&DatabaseModule, &part, json!({}));
    part.call("configure", &["data/x.db".into()], &cx).unwrap();
    part.call("exec", &["INSERT INTO t VALUES (1)".into()], &cx).unwrap();
    part.call("configure", &["other/x.db".into()], &cx).unwrap();
    part.call("query", &["SELECT * FROM t".into()], &cx).unwrap();
    assert_eq!(
        part.call("exec", &["INSERT INTO t VALUES (1)".into()], &cx).unwrap_err().code(),
        Some("SQLITE_READONLY")
    );
    assert_eq!(part.call("configure", &["x.db".into()], &cx).unwrap_err().code(), Some("EACCES"));

    let none = session_with(path, &[], &[], ProtectedFiles::default());
    let mut none = open(&DatabaseModule, &none, json!({}));
    assert_eq!(none.call("configure", &["data/x.db".into()], &cx).unwrap_err().code(), Some("EACCES"));
    none.call("configure", &[":memory:".into()], &cx).unwrap();
}

#[test]
fn the_daemons_own_database_is_out_of_reach() {
    let directory = tempfile::tempdir().unwrap();
    let own = directory.path().join("state.db");
    let store = crate::store::Store::open(Some(&own), crate::store::Durability::Normal).unwrap();
    std::fs::hard_link(&own, directory.path().join("hard.db")).unwrap();
    std::os::unix::fs::symlink("state.db", directory.path().join("soft.db")).unwrap();
    std::fs::hard_link(directory.path().join("state.db-wal"), directory.path().join("x.db-journal")).unwrap();
    let protected = ProtectedFiles::of(store.path());
    let session = session_with(directory.path(), &["."], &["."], protected);
    let mut database = open(&DatabaseModule, &session, json!({}));
    let live = execution(Limits::default());
    for name in ["state.db", "hard.db", "soft.db", "state.db-wal", "state.db-shm", "state.db.lock", "x.db"] {
        let error = database.call("configure", &[name.into()], &context(&live)).unwrap_err();
        assert_eq!(error.code(), Some("EACCES"), "{name}: {error}");
    }
    database.call("configure", &["free.db".into()], &context(&live)).unwrap();
}

#[test]
fn write_ahead_databases_can_be_read_and_written() {
    let mut bench = Bench::empty();
    let file = bench.path().join("x.db");
    raw(&file).execute_batch("PRAGMA journal_mode = wal; CREATE TABLE t (n); INSERT INTO t VALUES (1)").unwrap();
    bench.configure("x.db").unwrap();
    bench.exec("INSERT INTO t VALUES (2)", vec![]).unwrap();
    assert_eq!(bench.one("SELECT count(*) FROM t"), number(2));
    // Its index is not a file that somebody could shorten under our feet.
    assert!(!bench.path().join("x.db-shm").exists());
    assert_eq!(bench.one("PRAGMA journal_mode = delete"), "delete".into());
    assert_eq!(bench.one("PRAGMA journal_mode = wal"), "wal".into());
    bench.call("close", &[]).unwrap();
    bench.configure("fresh.db").unwrap();
    assert_eq!(bench.one("PRAGMA journal_mode = wal"), "delete".into(), "only a locked one may be");
}

#[test]
fn a_lock_of_somebody_elses_is_waited_for() {
    let mut bench = Bench::empty();
    bench.configure("x.db").unwrap();
    bench.exec("CREATE TABLE t (n)", vec![]).unwrap();
    let other = raw(bench.path().join("x.db"));
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let letting_go = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(100));
        other.execute_batch("COMMIT").unwrap();
        other
    });
    bench.exec("INSERT INTO t VALUES (1)", vec![]).unwrap();
    let other = letting_go.join().unwrap();
    // But not beyond the execution's end.
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    bench.live = execution(Limits { wall_ms: 50, ..Limits::default() });
    let started = Instant::now();
    assert_eq!(bench.exec("INSERT INTO t VALUES (2)", vec![]).unwrap_err().code(), Some("SQLITE_BUSY"));
    assert!(started.elapsed() < Duration::from_secs(1));
}

#[test]
fn a_templates_database_is_opened_within_the_sessions_limits() {
    let directory = tempfile::tempdir().unwrap();
    let other = raw(directory.path().join("x.db"));
    let tables: String = (0..5000).map(|n| format!("CREATE TABLE t{n} (a, b, c, d, e, f, g, h);")).collect();
    other.execute_batch(&format!("BEGIN; {tables} COMMIT")).unwrap();
    let open_with = |limits: Limits| {
        let session = SessionContext { limits, ..session(directory.path()) };
        DatabaseModule.open(&session, &config(json!({"path": "x.db"}))).map(drop).map_err(|error| error.to_string())
    };
    open_with(Limits::default()).unwrap();
    // Its schema is larger than that.
    let refused = open_with(Limits { mem_mb: 1, ..Limits::default() }).unwrap_err();
    assert!(refused.contains("memory"), "{refused}");
    // Neither is it read for as long as it takes, nor waited for.
    let refused = open_with(Limits { wall_ms: 0, ..Limits::default() }).unwrap_err();
    assert!(refused.contains("interrupted"), "{refused}");
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let started = Instant::now();
    let refused = open_with(Limits { wall_ms: 50, ..Limits::default() }).unwrap_err();
    assert!(refused.contains("locked") && started.elapsed() < Duration::from_secs(2), "{refused}");
}
