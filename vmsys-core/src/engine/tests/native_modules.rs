//! `exec`, `database` and `db` as scripts see them: realm, host and modules are the real ones.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use super::on_big_stack;
use crate::engine::QuickRealm;
use crate::execution::{ExecutionHost, LiveExecution};
use crate::isolation::Sandbox;
use crate::isolation::protocol::*;
use crate::limits::Limits;
use crate::modules::testing::{execution, open, output, session};
use crate::modules::{DatabaseModule, ExecModule, Module, SessionModules};

struct Bench {
    realm: QuickRealm,
    modules: Arc<SessionModules>,
    limits: Limits,
    live: Option<Arc<LiveExecution>>,
}

impl Bench {
    fn new(directory: &Path, names: &[&str]) -> Self {
        let session = session(directory);
        let known: [Box<dyn Module>; 2] = [Box::new(ExecModule::new(Sandbox::Require)), Box::new(DatabaseModule)];
        let mut instances = BTreeMap::new();
        let mut granted = Granted::default();
        for module in known.iter().filter(|module| names.contains(&module.info().name.as_str())) {
            let info = module.info();
            let functions = info.functions.iter().map(|function| (function.name.clone(), function.is_async)).collect();
            instances.insert(info.name.clone(), open(&**module, &session, json!({})));
            granted.modules.push(GrantedModule { name: info.name, is_built_in: true, functions });
        }
        let config = RealmConfig { console: true, seed: 42, granted, ..RealmConfig::default() };
        let realm = QuickRealm::new(&config).unwrap();
        let modules = Arc::new(SessionModules::default());
        modules.fill(instances);
        Self { realm, modules, limits: Limits::default(), live: None }
    }

    fn run(&mut self, source: &str) -> End {
        let live = execution(self.limits);
        self.live = Some(live.clone());
        let job = Job {
            typescript: false,
            imports: Imports::Awaited,
            source: source.to_owned(),
            name: "repl".to_owned(),
            act: Act::Run,
            wants_data: false,
            goal: Goal::Script,
            process: None,
            limits: JobLimits {
                cpu: Duration::from_millis(self.limits.cpu_ms),
                wall: Duration::from_millis(self.limits.wall_ms),
                memory_bytes: (self.limits.mem_mb << 20) as usize,
                output_bytes: 512 << 10,
                events: 10_000,
            },
            clock_ms: 0,
            alone: false,
        };
        let host = Rc::new(RefCell::new(ExecutionHost::new(live, self.modules.clone())));
        let outcome = self.realm.run(job, host);
        assert!(self.realm.clean_up(), "{source}");
        outcome.end
    }

    #[track_caller]
    fn value(&mut self, source: &str) -> String {
        match self.run(source) {
            End::Value(value) => value.preview.split_whitespace().collect::<Vec<_>>().join(" "),
            other => panic!("{source}: {other:?}"),
        }
    }

    #[track_caller]
    fn throws(&mut self, source: &str) -> String {
        match self.run(source) {
            End::Exception(error) => error.message,
            other => panic!("{source}: {other:?}"),
        }
    }

    fn output(&self) -> String {
        self.live.iter().flat_map(|live| output(live)).map(|(_, text)| text).collect()
    }
}

fn with(names: &'static [&'static str], test: fn(&mut Bench)) {
    on_big_stack(move || {
        let directory = tempfile::tempdir().unwrap();
        test(&mut Bench::new(directory.path(), names));
    });
}

#[test]
fn scripts_start_programs() {
    with(&["exec"], |bench| {
        assert_eq!(bench.value("const exec = require('exec'); exec.run('echo', ['a', 'b c']).trim()"), "a b c");
        assert_eq!(bench.value("require('node:exec') === exec && Object.keys(exec).join()"), "run,spawn");
        assert_eq!(
            bench.value("exec.run('cat', {input: 'in'}) + exec.run('cat', [], {input: new Uint8Array([65])})"),
            "inA"
        );
        assert_eq!(bench.value("exec.run('sh', ['-c', 'echo $A'], {env: {...process.env, A: 7}})"), "7");
        assert_eq!(
            bench.value("try { exec.run('sh', ['-c', 'echo o; echo e >&2; exit 3']) } catch (e) { [e instanceof Error, e.code, e.status, e.stdout, e.stderr, e.message] }"),
            r"[ true, 3, 3, 'o\n', 'e\n', 'Command failed: sh -c echo o; echo e >&2; exit 3\ne\n' ]"
        );
        assert_eq!(bench.output(), "o\ne\n");
        assert_eq!(
            bench.value("try { exec.run('nope') } catch (e) { e.code + ' ' + e.message }"),
            "ENOENT spawn nope ENOENT"
        );
        assert_eq!(
            bench.throws("exec.run('echo', ['a'], {shell: true})"),
            "TypeError: The argument 'options.shell' is not known: there are cwd, env, input and timeout"
        );
        assert!(bench.throws("exec.run('echo', [() => 1])").contains("a function cannot be passed to the host"));
        assert_eq!(
            bench.value("await Promise.all([exec.spawn('echo', ['1']), exec.spawn('sh', ['-c', 'echo 2; exit 5'])]).then((all) => all.map(({stdout, code}) => stdout.trim() + code).join())"),
            "10,25"
        );
        assert_eq!(bench.value("await exec.spawn('nope').catch((e) => e.code)"), "ENOENT");
        assert_eq!(bench.value("await exec.spawn(7).catch((e) => e.code)"), "ERR_INVALID_ARG_TYPE");
        // What nobody awaits is waited for.
        bench.value("exec.spawn('sh', ['-c', 'sleep 0.1; echo late']).then(({stdout}) => console.log(stdout)); 0");
        assert!(bench.output().contains("late"));
        // And it does not matter what the script has made of its world.
        bench.run("Array.isArray = () => { throw 1 }; Array.prototype[Symbol.iterator] = null; Promise = null; Object.prototype.cwd = '/'");
        assert_eq!(bench.value("exec.run('echo', ['still'])"), "still");
        assert_eq!(bench.value("(await exec.spawn('echo', ['still'])).stdout"), "still");
    });
}

#[test]
fn limits_end_what_scripts_started() {
    with(&["exec"], |bench| {
        bench.limits.wall_ms = 200;
        let started = Instant::now();
        // That a program was called off may come to the script first, on a busy machine.
        assert_eq!(
            bench.run("try { require('exec').run('sleep', ['60']) } catch {} for (;;);"),
            End::Stopped(Stop::Wall)
        );
        let awaited = "await require('exec').spawn('sleep', ['60']).catch(() => {}); for (;;);";
        assert_eq!(bench.run(awaited), End::Stopped(Stop::Wall));
        assert_eq!(bench.run("require('exec').spawn('sleep', ['60']); for (;;);"), End::Stopped(Stop::Wall));
        bench.limits = Limits { max_output_kb: 16, ..Limits::default() };
        assert_eq!(bench.run("try { require('exec').run('yes') } catch {} for (;;);"), End::Stopped(Stop::Output));
        assert_eq!(bench.run("await require('exec').spawn('yes')"), End::Stopped(Stop::Output));
        // An exception ends it as well.
        assert!(bench.throws("require('exec').spawn('sleep', ['60']); throw new Error('mine')").contains("mine"));
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
    });
}

#[test]
fn scripts_have_a_database() {
    with(&["database"], |bench| {
        assert_eq!(
            bench.value(
                "typeof Object.getOwnPropertyDescriptor(globalThis, 'db').get + ' ' + (db === require('database'))"
            ),
            "function true"
        );
        assert!(bench.throws("db.query('SELECT 1')").contains("no database is configured"));
        bench.value("db.configure('sqlite3', ':memory:')");
        assert_eq!(
            bench.value("db.exec('CREATE TABLE t (id INTEGER PRIMARY KEY, v)')"),
            "{ changes: 0, lastInsertRowid: 0 }"
        );
        assert_eq!(
            bench.value("db.exec('INSERT INTO t (v) VALUES (?), (?)', 'a', 2n ** 62n)"),
            "{ changes: 2, lastInsertRowid: 2 }"
        );
        assert_eq!(
            bench.value("db.query('SELECT * FROM t WHERE id > ?', 0)"),
            "[ { id: 1, v: 'a' }, { id: 2, v: 4611686018427387904n } ]"
        );
        assert_eq!(
            bench.value("db.query('SELECT :a AS a, :b AS b', {a: new Uint8Array([1, 2]), b: undefined})"),
            "[ { a: <Buffer 01 02>, b: null } ]"
        );
        assert_eq!(bench.value("db.query('SELECT ? AS a, ? AS b', [true, 1.5])"), "[ { a: 1, b: 1.5 } ]");
        assert_eq!(
            bench.value("try { db.exec('INSERT INTO t (id) VALUES (1)') } catch (e) { e.code }"),
            "SQLITE_CONSTRAINT_PRIMARYKEY"
        );
        assert!(bench.throws("db.exec(\"ATTACH 'x.db' AS x\")").contains("not authorized: ATTACH"));
        assert!(bench.throws("db.query('SELECT ?', new Date())").contains("cannot be passed to the host"));
        // A transaction is kept or undone as a whole.
        assert_eq!(bench.value("db.transaction(() => { db.exec('DELETE FROM t'); return 'done' })"), "done");
        assert_eq!(
            bench.throws(
                "db.transaction(() => { db.exec('INSERT INTO t (v) VALUES (1)'); throw new RangeError('no') })"
            ),
            "RangeError: no"
        );
        assert_eq!(bench.throws("await db.transaction(async () => { db.exec('INSERT INTO t (v) VALUES (1)'); await 0; throw new RangeError('no') })"), "RangeError: no");
        assert_eq!(
            bench.value(
                "await db.transaction(async () => { await 0; db.exec('INSERT INTO t (v) VALUES (5)'); return 6 })"
            ),
            "6"
        );
        assert_eq!(bench.value("db.query('SELECT v FROM t')"), "[ { v: 5 } ]");
        // Whatever can be awaited is: what fails later undoes it all the same, once.
        for (end, expected) in [
            ("no(new RangeError('late'))", "RangeError: late"),
            ("{ no(new RangeError('late')); yes(1) }", "RangeError: late"),
            ("{ throw new RangeError('then') }", "RangeError: then"),
        ] {
            let source = format!(
                "await db.transaction(() => ({{ then(yes, no) {{ db.exec('INSERT INTO t (v) VALUES (7)'); {end} }} }}))"
            );
            assert_eq!(bench.throws(&source), expected, "{end}");
        }
        assert_eq!(
            bench.throws("db.transaction(() => { db.exec('DELETE FROM t'); return { get then() { throw new RangeError('trap') } } })"),
            "RangeError: trap"
        );
        assert_eq!(bench.value("await db.transaction(() => ({ then(yes) { yes(8) } }))"), "8");
        assert_eq!(bench.value("db.transaction(() => ({ then: 9 })).then"), "9");
        assert_eq!(bench.value("db.query('SELECT v FROM t')"), "[ { v: 5 } ]");
        assert!(bench.throws("db.transaction(7)").contains("must be of type function"));
        // A column may be called anything.
        assert_eq!(bench.value("const [row] = db.query('SELECT 1 AS __proto__, 2 AS constructor'); Object.keys(row).join() + Object.getPrototypeOf(row).constructor.name"), "__proto__,constructorObject");
        bench.run("Object.defineProperty(Object.prototype, 'v', {set() { throw 1 }, configurable: true}); Array.prototype.push = null");
        assert_eq!(bench.value("db.query('SELECT v FROM t').length"), "1");
        bench.value("db.close()");
        assert!(bench.throws("db.query('SELECT 1')").contains("no database is configured"));
        bench.value("db = 7");
        assert_eq!(bench.value("db"), "7");
    });
    with(&[], |bench| {
        assert_eq!(bench.value("typeof db"), "undefined");
        for module in ["exec", "database"] {
            let refused = bench.throws(&format!("require('{module}')"));
            assert!(refused.contains(&format!("the module '{module}' is not granted")), "{refused}");
        }
    });
}

#[test]
fn limits_end_statements() {
    with(&["database"], |bench| {
        bench.value("db.configure(':memory:')");
        let endless =
            "db.query('WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c')";
        for (limits, stop) in [
            (Limits { wall_ms: 100, ..Limits::default() }, Stop::Wall),
            (Limits { cpu_ms: 100, ..Limits::default() }, Stop::Cpu),
        ] {
            bench.limits = limits;
            let started = Instant::now();
            assert_eq!(bench.run(&format!("for (;;) try {{ {endless} }} catch {{}}")), End::Stopped(stop));
            assert!(started.elapsed() < Duration::from_secs(3));
        }
        // More rows than the heap holds.
        bench.limits = Limits { mem_mb: 16, ..Limits::default() };
        let refused = bench.throws("db.query('WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c LIMIT 1000000) SELECT x FROM c')");
        assert!(refused.contains("larger than the session's heap"), "{refused}");
        assert_eq!(bench.value("db.query('SELECT 1 AS one')"), "[ { one: 1 } ]");
    });
}
