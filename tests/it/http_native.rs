//! `exec` and `database` through the daemon: what they do when granted, and that nothing gets out or stays behind.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::Request;
use crate::support::{Daemon, Home, all_cases, api, events_of, same, text, wait_for};

/// A template that grants what these capabilities say.
fn granting(daemon: &Daemon, template: Value, capabilities: &[(&str, &str, Value)]) -> String {
    let template = daemon.template(template);
    for (kind, name, config) in capabilities {
        let capability = json!({ "kind": kind, "name": name, "enabled": true, "config": config });
        daemon.post(&format!("/templates/{template}/capabilities"), &capability).ok(201);
    }
    template
}

fn error(execution: &Value) -> String {
    text(&execution["error"]["message"])
}

/// Whether a process is there and no zombie.
fn lives(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

fn dies(pid: &str) {
    wait_for("the end of a program", Duration::from_secs(5), || (!lives(pid)).then_some(()));
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn nothing_is_there_that_is_not_granted() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for module in ["exec", "database"] {
        let refused = daemon.repl(&session, &format!("require('{module}')"));
        assert_eq!(refused["status"], "error");
        assert!(error(&refused).contains(&format!("'{module}' is not granted")), "{refused}");
    }
    assert_eq!(daemon.preview(&session, "typeof db"), "undefined");
}

#[test]
fn programs_are_run_and_listed_ones_only() {
    let home = Home::new();
    home.write("in.txt", "one\ntwo\n");
    home.write(
        "run.js",
        "const exec = require('exec'); console.log(exec.run('wc', ['-l'], {input: 'a\\nb\\n'}).trim())",
    );
    symlink("/bin/sh", home.worktree().join("echo")).unwrap();
    let daemon = Daemon::at(&home);
    let listed = json!({ "commands": ["cat", "wc", "env", "/bin/echo"] });
    let session = daemon.session_of(&granting(&daemon, json!({"name": "listed"}), &[("module", "exec", listed)]));
    let ran = daemon.repl(&session, "require('exec').run('cat', ['in.txt'])");
    assert_eq!((&ran["status"], &ran["result"]["preview"]), (&json!("ok"), &json!("one\ntwo\n")), "{ran}");
    assert_eq!(events_of(&ran, "stdout")[0]["payload"]["text"], "one\ntwo\n");
    assert_eq!(daemon.run_file(&session, "run.js")["status"], "ok");
    let caught = |call: &str| format!("try {{ {call} }} catch (e) {{ `${{e.code}} ${{e.message}}` }}");
    all_cases(
        [
            "require('exec').run('sh', ['-c', 'id'])",
            "require('exec').run('/bin/sh', ['-c', 'id'])",
            "require('exec').run('./echo', ['-c', 'id'])",
            "require('exec').run('../../../../bin/sh', ['-c', 'id'])",
            "require('exec').run('/bin/../bin/sh', ['-c', 'id'])",
            "require('exec').run('cat', ['in.txt'], {env: {LD_PRELOAD: './x.so'}})",
            "require('exec').run('cat', ['in.txt'], {env: {PATH: '.'}})",
            "require('exec').run('cat', ['in.txt'], {cwd: '..'})",
            "require('exec').run('cat', ['in.txt'], {cwd: '/etc'})",
        ],
        |call| same(call, daemon.preview(&session, &caught(call)).starts_with("EACCES "), true),
    );
    // Nothing of the daemon's environment.
    let environment =
        daemon.preview(&session, "require('exec').run('env').split('\\n').map((l) => l.split('=')[0]).sort().join()");
    assert_eq!(environment, ",HOME,PATH,TMPDIR");
}

#[test]
fn programs_end_with_their_execution() {
    let daemon = Daemon::start();
    let limits = json!({"name": "short", "limits": {"wall_ms": 600}});
    let session = daemon.session_of(&granting(&daemon, limits, &[("module", "exec", json!({}))]));
    let pids = |execution: &Value| -> Vec<String> {
        let output: String =
            events_of(execution, "stdout").iter().map(|event| text(&event["payload"]["text"])).collect();
        output.lines().map(str::to_owned).collect()
    };
    let script = "echo $$; sleep 300 & echo $!; (set -m; sleep 300 & echo $!); wait";
    for call in [
        "exec.run('sh', ['-c', script])",
        "await exec.spawn('sh', ['-c', script])",
        "exec.spawn('sh', ['-c', script]); for (;;);",
    ] {
        let ran = daemon.repl(&session, &format!("var exec = require('exec'), script = {}; {call}", json!(script)));
        assert_eq!(ran["status"], "timeout", "{ran}");
        let pids = pids(&ran);
        assert!(call.contains("for (;;)") || pids.len() == 3, "{ran}");
        pids.iter().for_each(|pid| dies(pid));
    }
    // Cancelled, and closed.
    let patient = daemon.session_of(&granting(&daemon, json!({"name": "patient"}), &[("module", "exec", json!({}))]));
    let begin = "require('exec').run('sh', ['-c', 'echo $$; sleep 300'])";
    for route in ["/executions/{id}/cancel", "/sessions/{session}/close"] {
        let (answer, pid) = daemon.while_running(&patient, begin, |id| {
            let pid = wait_for("its output", Duration::from_secs(5), || pids(&daemon.execution(id)).first().cloned());
            assert!(lives(&pid));
            daemon.poke(&route.replace("{id}", id).replace("{session}", &patient));
            pid
        });
        assert_eq!(answer.json()["status"].as_str().or(answer.json()["data"]["status"].as_str()), Some("cancelled"));
        dies(&pid);
    }
}

#[test]
fn programs_do_not_outlive_a_killed_daemon() {
    let mut daemon = Daemon::start();
    let session = daemon.session_of(&granting(&daemon, json!({"name": "killed"}), &[("module", "exec", json!({}))]));
    let pid_file = "require('exec').run('sh', ['-c', 'echo $$ > pid; exec sleep 300'])";
    let request = json!({ "session_id": session, "input": pid_file });
    let path = daemon.home.worktree().join("pid");
    std::thread::scope(|scope| {
        // It gets no answer.
        scope.spawn(|| daemon.connect().call(&Request::new("POST", api("/executions/repl")).json(request.to_string())));
        let pid = wait_for("its start", Duration::from_secs(10), || {
            fs::read_to_string(&path).ok().filter(|pid| pid.ends_with('\n'))
        });
        assert!(lives(&pid));
        daemon.signal(rustix::process::Signal::KILL);
        dies(&pid);
    });
    daemon.kill();
}

#[test]
fn programs_reach_what_the_template_grants_unless_the_daemon_says_otherwise() {
    let home = Home::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let connect = format!("exec 3<>/dev/tcp/127.0.0.1/{}", listener.local_addr().unwrap().port());
    let read = format!("cat '{}' > /dev/null", home.db().display());
    let granted = |daemon: &Daemon, template: &str| {
        let session = daemon.session_of(template);
        [&connect, &read, "echo x > here"].map(|script| {
            let call = format!("require('exec').run('bash', ['-c', {}])", json!(script));
            daemon.repl(&session, &call)["status"] == "ok"
        })
    };
    let confined = |how| {
        Daemon::with(&home, |command| {
            command.args(["--sandbox", how]);
        })
    };
    let daemon = confined("require");
    let exec = ("module", "exec", json!({}));
    let closed = granting(&daemon, json!({"name": "closed"}), std::slice::from_ref(&exec));
    let net = ("net", "any", json!({"hosts": ["example.com"]}));
    let open = granting(&daemon, json!({"name": "open"}), &[exec, net]);
    assert_eq!(granted(&daemon, &closed), [false, false, true]);
    assert_eq!(granted(&daemon, &open), [true, false, true]);
    drop(daemon);
    let daemon = confined("off");
    assert_eq!(granted(&daemon, &closed), [true, true, true]);
}

#[test]
fn a_database_is_a_file_of_the_worktree() {
    let outside = tempfile::tempdir().unwrap();
    let home = Home::new();
    symlink(outside.path(), home.worktree().join("out")).unwrap();
    symlink(outside.path().join("x.db"), home.worktree().join("link.db")).unwrap();
    symlink(outside.path().join("journal"), home.worktree().join("j.db-journal")).unwrap();
    let daemon = Daemon::at(&home);
    let template = granting(&daemon, json!({"name": "db"}), &[("module", "database", json!({"path": "data.db"}))]);
    let session = daemon.session_of(&template);
    assert_eq!(
        daemon
            .preview(&session, "db.exec('CREATE TABLE t (n)'); db.exec('INSERT INTO t VALUES (?)', 2n ** 62n).changes"),
        "1"
    );
    assert_eq!(daemon.preview(&session, "String(db.query('SELECT n FROM t')[0].n)"), "4611686018427387904");
    // The file is there for the next session.
    assert_eq!(daemon.preview(&daemon.session_of(&template), "db.query('SELECT count(*) AS n FROM t')[0].n"), "1");

    let own = home.db();
    let refusals = [
        "db.configure('../x.db')".to_owned(),
        "db.configure('/etc/passwd')".to_owned(),
        "db.configure('out/x.db')".to_owned(),
        "db.configure('link.db')".to_owned(),
        "db.configure('j.db')".to_owned(),
        "db.configure('file:x.db?mode=rwc')".to_owned(),
        format!("db.configure({})", json!(own)),
        "db.exec(\"ATTACH 'y.db' AS y\")".to_owned(),
        "db.exec(\"VACUUM INTO 'y.db'\")".to_owned(),
        "db.query(\"SELECT load_extension('y')\")".to_owned(),
        "db.exec('PRAGMA writable_schema = ON')".to_owned(),
        "db.exec('PRAGMA hard_heap_limit = 1')".to_owned(),
    ];
    all_cases(refusals, |call| {
        let code = daemon
            .preview(&session, &format!("try {{ db.configure('data.db'); {call}; 'nothing' }} catch (e) {{ e.code }}"));
        same(&call, ["EACCES", "SQLITE_AUTH", "ERR_INVALID_ARG_VALUE"].contains(&code.as_str()), true)
    });
    assert_eq!(names(outside.path()), Vec::<String>::new());
    assert_eq!(names(&home.worktree()), ["data.db", "j.db-journal", "link.db", "out"]);
}

#[test]
fn statements_end_with_their_execution() {
    let daemon = Daemon::start();
    let template = json!({"name": "bombs", "limits": {"wall_ms": 3000, "cpu_ms": 500, "mem_mb": 32}});
    let session = daemon.session_of(&granting(&daemon, template, &[("module", "database", json!({}))]));
    daemon.eval(&session, "db.configure(':memory:')");
    let numbers = "WITH RECURSIVE c(x) AS (VALUES(1) UNION ALL SELECT x + 1 FROM c)";
    for (sql, statuses) in [
        (format!("{numbers} SELECT count(*) FROM c"), &["timeout"][..]),
        (format!("{numbers} SELECT group_concat(hex(randomblob(1000))) FROM c"), &["error", "timeout"]),
        (format!("{numbers} SELECT randomblob(100000) AS b FROM c ORDER BY b"), &["error", "timeout"]),
        (format!("{numbers} SELECT x FROM c"), &["error", "timeout"]),
        ("SELECT zeroblob(2000000000)".to_owned(), &["error"]),
    ] {
        let started = Instant::now();
        let ran = daemon.repl(&session, &format!("db.query({})", json!(sql)));
        assert!(statuses.contains(&text(&ran["status"]).as_str()), "{sql}: {ran}");
        assert!(started.elapsed() < Duration::from_secs(5), "{sql}: {:?}", started.elapsed());
    }
    assert_eq!(daemon.preview(&session, "db.query('SELECT 1 AS one')[0].one"), "1", "the session goes on");
}

#[test]
fn without_files_there_is_memory_only() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({"name": "closed"}));
    for (kind, name, enabled) in [("module", "exec", true), ("module", "database", true), ("fs", "none", false)] {
        let capability = json!({ "kind": kind, "name": name, "enabled": enabled, "config": {} });
        daemon.post(&format!("/templates/{template}/capabilities"), &capability).ok(201);
    }
    let session = daemon.session_of(&template);
    let code = |call: &str| daemon.preview(&session, &format!("try {{ {call} }} catch (e) {{ e.code }}"));
    assert_eq!(code("db.configure('x.db')"), "EACCES");
    assert_eq!(code("db.configure(':memory:'); db.query('SELECT 1 AS n')[0].n"), "1");
    assert_eq!(code("require('exec').run('true')"), "EACCES");
}
