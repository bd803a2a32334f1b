//! Programs: what they get, what comes of them, and that nothing is left of them.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use super::ExecModule;
use crate::execution::LiveExecution;
use crate::isolation::Sandbox;
use crate::isolation::protocol::Wake;
use crate::limits::Limits;
use crate::modules::testing::{config, context, execution, open, output, session, session_with};
use crate::modules::{Module, ModuleInstance, PendingCall, ProtectedFiles, SessionContext, Surroundings};
use crate::value::{CallError, Value};

pub(super) struct Bench {
    directory: tempfile::TempDir,
    pub(super) session: SessionContext,
    pub(super) exec: Box<dyn ModuleInstance>,
    pub(super) limits: Limits,
}

impl Bench {
    pub(super) fn new(configuration: serde_json::Value) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let session = session(directory.path());
        Self::of(directory, session, Sandbox::Require, configuration)
    }

    pub(super) fn of(
        directory: tempfile::TempDir,
        session: SessionContext,
        sandbox: Sandbox,
        configuration: serde_json::Value,
    ) -> Self {
        let exec = open(&ExecModule::new(sandbox), &session, configuration);
        Self { directory, session, exec, limits: Limits::default() }
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    fn run_in(
        &mut self,
        live: &std::sync::Arc<LiveExecution>,
        command: &str,
        args: &[&str],
        options: Value,
    ) -> Result<String, CallError> {
        let args = Value::Array(args.iter().map(|arg| (*arg).into()).collect());
        let answer = self.exec.call("run", &[command.into(), args, options], &context(live))?;
        Ok(answer.as_str().unwrap().to_owned())
    }

    pub(super) fn run(&mut self, command: &str, args: &[&str], options: Value) -> Result<String, CallError> {
        self.run_in(&execution(self.limits), command, args, options)
    }

    pub(super) fn sh(&mut self, script: &str) -> Result<String, CallError> {
        self.run("sh", &["-c", script], Value::Null)
    }
}

pub(super) fn property<'a>(error: &'a CallError, name: &str) -> &'a Value {
    &error.properties().iter().find(|(key, _)| key == name).unwrap_or_else(|| panic!("no {name}: {error:?}")).1
}

pub(super) fn options<const N: usize>(options: [(&str, Value); N]) -> Value {
    Value::object(options)
}

/// Whether a process is there and no zombie.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

#[track_caller]
fn dies(pid: &str) {
    let started = Instant::now();
    while lives(pid) {
        assert!(started.elapsed() < Duration::from_secs(2), "{pid} lives on");
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn children() -> usize {
    let me = std::process::id().to_string();
    let is_mine = |stat: &str| stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)) == Some(&*me);
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter(|entry| std::fs::read_to_string(entry.path().join("stat")).is_ok_and(|stat| is_mine(&stat)))
        .count()
}

#[test]
fn a_program_answers_with_its_output() {
    let mut bench = Bench::new(json!({}));
    assert_eq!(bench.run("printf", &["%s|%s", "a b", "$HOME; rm"], Value::Null).unwrap(), "a b|$HOME; rm");
    let given = options([("input", "from us".into())]);
    assert_eq!(bench.run("cat", &[], given).unwrap(), "from us");
    let bytes = options([("input", Value::Bytes(vec![0, 0xff, b'a']))]);
    assert_eq!(bench.run("od", &["-An", "-tx1"], bytes).unwrap().trim(), "00 ff 61");
    // No input is the end of input.
    assert_eq!(bench.run("cat", &[], Value::Null).unwrap(), "");
    // More than two pipes hold, both ways.
    let long = "x".repeat(300_000);
    let piped = bench.run("cat", &[], options([("input", long.as_str().into())]));
    assert_eq!(piped.unwrap(), long);
    // It need not read what it is given.
    assert_eq!(bench.run("echo", &["done"], options([("input", long.as_str().into())])).unwrap(), "done\n");
    assert_eq!(bench.sh(r"printf 'a\377b\342\202'").unwrap(), "a\u{fffd}b\u{fffd}");
}

#[test]
fn a_failure_says_what_happened() {
    let mut bench = Bench::new(json!({}));
    let error = bench.sh("echo out; echo err >&2; exit 3").unwrap_err();
    assert_eq!(error.message(), "Command failed: sh -c echo out; echo err >&2; exit 3\nerr\n");
    assert_eq!((property(&error, "code"), property(&error, "status")), (&3.into(), &3.into()));
    assert_eq!((property(&error, "stdout"), property(&error, "stderr")), (&"out\n".into(), &"err\n".into()));
    assert_eq!(property(&error, "signal"), &Value::Null);

    let error = bench.sh("kill -TERM $$").unwrap_err();
    assert_eq!((property(&error, "code"), property(&error, "signal")), (&Value::Null, &"SIGTERM".into()));

    let error = bench.run("no-such-program", &[], Value::Null).unwrap_err();
    assert_eq!((error.message(), error.code()), ("spawn no-such-program ENOENT", Some("ENOENT")));
    assert_eq!(property(&error, "path"), &"no-such-program".into());
    std::fs::write(bench.path().join("plain.txt"), "no program").unwrap();
    for (command, code) in [
        ("./plain.txt", "EACCES"),
        ("./missing", "ENOENT"),
        ("/etc/passwd", "EACCES"),
        ("/etc", "EACCES"),
        ("/nowhere/x", "ENOENT"),
        ("..", "EACCES"),
        (".", "EACCES"),
        ("/usr/bin/", "EACCES"),
    ] {
        let error = bench.run(command, &[], Value::Null).unwrap_err();
        assert_eq!(error.code(), Some(code), "{command}: {error}");
    }
}

#[test]
fn a_program_gets_nothing_of_the_hosts() {
    let mut bench = Bench::new(json!({}));
    let mut seen: Vec<String> = bench.run("env", &[], Value::Null).unwrap().lines().map(str::to_owned).collect();
    seen.sort();
    let temporary = seen.pop().unwrap();
    assert!(temporary.starts_with("TMPDIR=/tmp/vm-session-"), "{temporary}");
    assert_eq!(seen, [format!("HOME={}", bench.path().display()), "PATH=/usr/local/bin:/usr/bin:/bin".to_owned()]);
    let given = options([(
        "env",
        Value::object([("A", "1".into()), ("HOME", "/h".into()), ("N", 7.into()), ("NO", Value::Null)]),
    )]);
    let mut seen: Vec<String> = bench.run("env", &[], given).unwrap().lines().map(str::to_owned).collect();
    seen.sort();
    assert_eq!(seen[..4], ["A=1", "HOME=/h", "N=7", "PATH=/usr/local/bin:/usr/bin:/bin"]);
    assert_eq!(seen[4..], [temporary]);
    // No descriptor but its own three, and the one with which ls looks.
    assert_eq!(bench.run("ls", &["/proc/self/fd"], Value::Null).unwrap().lines().count(), 4);
    // A session of its own, without a terminal.
    assert_eq!(bench.sh("exec 2>&-; cat </dev/tty || echo none").unwrap(), "none\n");
    // It starts in the worktree, or below.
    std::fs::create_dir(bench.path().join("sub")).unwrap();
    let here = std::fs::canonicalize(bench.path()).unwrap();
    assert_eq!(bench.run("pwd", &["-P"], Value::Null).unwrap().trim(), here.to_str().unwrap());
    let below = bench.run("pwd", &["-P"], options([("cwd", "sub".into())])).unwrap();
    assert_eq!(below.trim(), here.join("sub").to_str().unwrap());
}

#[test]
fn programs_start_in_the_worktree_only() {
    let mut bench = Bench::new(json!({}));
    std::os::unix::fs::symlink("/etc", bench.path().join("out")).unwrap();
    std::fs::write(bench.path().join("file"), "").unwrap();
    for (cwd, code) in [
        ("..", "EACCES"),
        ("/", "EACCES"),
        ("/etc", "EACCES"),
        ("out", "EACCES"),
        ("../..", "EACCES"),
        ("file", "ENOTDIR"),
        ("missing", "ENOENT"),
        ("", "ENOENT"),
        ("a\0b", "ERR_INVALID_ARG_VALUE"),
    ] {
        let error = bench.run("pwd", &[], options([("cwd", cwd.into())])).unwrap_err();
        assert_eq!(error.code(), Some(code), "{cwd:?}: {error}");
    }
    // Nor is a program reached through a link that leads out.
    std::os::unix::fs::symlink("/bin/echo", bench.path().join("echo")).unwrap();
    assert_eq!(bench.run("./echo", &[], Value::Null).unwrap_err().code(), Some("EACCES"));
    assert_eq!(bench.run("../../bin/echo", &[], Value::Null).unwrap_err().code(), Some("EACCES"));

    // Without a directory there is no program.
    let closed = session_with(bench.path(), &[], &[], ProtectedFiles::default());
    let mut exec = open(&ExecModule::new(Sandbox::Require), &closed, json!({}));
    let error = exec.call("run", &["pwd".into()], &context(&execution(bench.limits))).unwrap_err();
    assert_eq!(error.code(), Some("EACCES"));
}

#[test]
fn nobody_wins_the_race_for_the_directory() {
    let mut bench = Bench::new(json!({}));
    let (inside, link) = (bench.path().join("d"), bench.path().join("swap"));
    std::fs::create_dir(&inside).unwrap();
    std::os::unix::fs::symlink("/etc", &link).unwrap();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let swapping = {
        let stop = stop.clone();
        let flags = rustix::fs::RenameFlags::EXCHANGE;
        std::thread::spawn(move || {
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                rustix::fs::renameat_with(rustix::fs::CWD, &inside, rustix::fs::CWD, &link, flags).unwrap();
                std::thread::sleep(Duration::from_micros(fastrand::u64(0..200)));
            }
        })
    };
    let (mut in_place, mut refused) = (0, 0);
    let started = Instant::now();
    for round in 0.. {
        // As long as it takes on a busy machine to have seen both.
        if round >= 200 && (in_place > 0 && refused > 0 || started.elapsed() > Duration::from_secs(20)) {
            break;
        }
        match bench.run("pwd", &["-P"], options([("cwd", "d".into())])) {
            Ok(place) => {
                assert!(!place.starts_with("/etc"), "{place}");
                in_place += 1;
            }
            Err(error) => {
                assert_eq!(error.code(), Some("EACCES"), "{error}");
                refused += 1;
            }
        }
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    swapping.join().unwrap();
    assert!(in_place > 0 && refused > 0, "{in_place} {refused}");
}

#[test]
fn a_list_of_commands_is_all_there_is() {
    let mut bench = Bench::new(json!({}));
    let tool = std::fs::canonicalize(bench.path()).unwrap().join("tool");
    bench.exec =
        open(&ExecModule::new(Sandbox::Require), &bench.session, json!({"commands": ["echo", "/usr/bin/env", tool]}));
    std::fs::write(&tool, "#!/bin/sh\necho tool $1\n").unwrap();
    std::fs::set_permissions(&tool, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    std::fs::create_dir(bench.path().join("sub")).unwrap();
    std::fs::copy(&tool, bench.path().join("sub/tool")).unwrap();
    std::os::unix::fs::symlink("tool", bench.path().join("other")).unwrap();

    assert_eq!(bench.run("echo", &["a"], Value::Null).unwrap(), "a\n");
    assert_eq!(bench.run("./tool", &["a"], Value::Null).unwrap(), "tool a\n");
    assert_eq!(bench.run("../tool", &["a"], options([("cwd", "sub".into())])).unwrap(), "tool a\n");
    bench.run("env", &[], Value::Null).unwrap();
    for (command, cwd) in
        [("sh", "."), ("/bin/sh", "."), ("../../bin/sh", "."), ("./tool", "sub"), ("sub/tool", "."), ("ls", ".")]
    {
        let error = bench.run(command, &[], options([("cwd", cwd.into())])).unwrap_err();
        assert_eq!(error.code(), Some("EACCES"), "{command}: {error}");
    }
    let refused = bench.run("sh", &["-c", "id"], Value::Null).unwrap_err();
    assert!(refused.message().contains("allows echo, /usr/bin/env, /"), "{refused}");
    // What makes a listed program run something else.
    for name in ["LD_PRELOAD", "PATH", "LD_LIBRARY_PATH", "BASH_ENV", "GCONV_PATH", "BASH_FUNC_x%%"] {
        let env = options([("env", Value::object([(name, "./evil.so".into())]))]);
        let error = bench.run("echo", &[], env).unwrap_err();
        assert_eq!(error.code(), Some("EACCES"), "{name}");
    }

    let mut nothing = Bench::new(json!({"commands": []}));
    assert!(nothing.run("echo", &[], Value::Null).unwrap_err().message().contains("allows none"));
}

/// busybox is one file of many names: to allow one of them is not to allow all.
#[test]
fn a_file_of_many_names_is_as_many_commands() {
    let programs = tempfile::tempdir().unwrap();
    let put = |name: &str, script: &str| {
        let path = programs.path().join(name);
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    };
    put("box", "#!/bin/sh\necho I am $0\n");
    std::os::unix::fs::symlink("box", programs.path().join("mild")).unwrap();
    std::os::unix::fs::symlink("box", programs.path().join("wild")).unwrap();
    std::os::unix::fs::symlink(programs.path(), programs.path().join("again")).unwrap();
    put("unusable", "");
    std::fs::set_permissions(programs.path().join("unusable"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .unwrap();

    let mut bench = Bench::new(json!({}));
    let module = ExecModule::new(Sandbox::Require).with_search_path(&format!("relative:{}", programs.path().display()));
    bench.exec = open(&module, &bench.session, json!({"commands": ["mild"]}));
    bench.run("mild", &[], Value::Null).unwrap();
    let again = programs.path().join("again/mild");
    bench.run(again.to_str().unwrap(), &[], Value::Null).unwrap();
    assert_eq!(bench.run("wild", &[], Value::Null).unwrap_err().code(), Some("EACCES"));
    assert_eq!(bench.run("box", &[], Value::Null).unwrap_err().code(), Some("EACCES"));
    assert_eq!(bench.run("unusable", &[], Value::Null).unwrap_err().code(), Some("EACCES"));
    assert_eq!(bench.run("echo", &[], Value::Null).unwrap_err().code(), Some("ENOENT"));
}

#[test]
fn arguments_are_checked() {
    let mut bench = Bench::new(json!({}));
    let live = execution(bench.limits);
    let mut call = |args: &[Value]| bench.exec.call("run", args, &context(&live)).unwrap_err();
    let echo = || Value::from("echo");
    for (args, code) in [
        (vec![], "ERR_INVALID_ARG_TYPE"),
        (vec![7.into()], "ERR_INVALID_ARG_TYPE"),
        (vec!["".into()], "ERR_INVALID_ARG_VALUE"),
        (vec!["ec\0ho".into()], "ERR_INVALID_ARG_VALUE"),
        (vec![echo(), "a".into()], "ERR_INVALID_ARG_TYPE"),
        (vec![echo(), Value::Array(vec![7.into()])], "ERR_INVALID_ARG_TYPE"),
        (vec![echo(), Value::Array(vec!["a\0".into()])], "ERR_INVALID_ARG_VALUE"),
        (vec![echo(), Value::Null, 7.into()], "ERR_INVALID_ARG_TYPE"),
        (vec![echo(), Value::Null, options([("shell", true.into())])], "ERR_INVALID_ARG_VALUE"),
        (vec![echo(), Value::Null, options([("timeout", (-1).into())])], "ERR_OUT_OF_RANGE"),
        (vec![echo(), Value::Null, options([("timeout", f64::NAN.into())])], "ERR_OUT_OF_RANGE"),
        (vec![echo(), Value::Null, options([("timeout", "1".into())])], "ERR_INVALID_ARG_TYPE"),
        (vec![echo(), Value::Null, options([("input", 7.into())])], "ERR_INVALID_ARG_TYPE"),
        (vec![echo(), Value::Null, options([("env", options([("a=b", "".into())]))])], "ERR_INVALID_ARG_VALUE"),
        (vec![echo(), Value::Null, options([("env", options([("a", "\0".into())]))])], "ERR_INVALID_ARG_VALUE"),
        (vec![echo(), Value::Array(vec!["x".repeat(2 << 20).into()])], "E2BIG"),
        (vec![echo(), Value::Array(vec!["x".repeat(200 << 10).into()])], "E2BIG"),
    ] {
        let error = call(&args);
        assert_eq!(error.code(), Some(code), "{args:?}: {error}");
    }
    assert!(call(&[echo(), Value::Null, options([("shell", true.into())])]).message().contains("options.shell"));
}

#[test]
fn the_configuration_is_checked() {
    let module = ExecModule::new(Sandbox::Require);
    for (json, field) in [
        (json!({"command": ["git"]}), "config.command"),
        (json!({"commands": "git"}), "config.commands"),
        (json!({"commands": [7]}), "config.commands[0]"),
        (json!({"commands": ["a", ""]}), "config.commands[1]"),
        (json!({"commands": ["./tool"]}), "config.commands[0]"),
        (json!({"commands": ["a\u{0}"]}), "config.commands[0]"),
        (json!({"commands": null}), "config.commands"),
    ] {
        let error = module.check_config(&config(json)).unwrap_err();
        assert_eq!(error.detail("field"), Some(field));
    }
}

#[test]
fn output_becomes_events_while_the_program_runs() {
    let mut bench = Bench::new(json!({}));
    let live = execution(bench.limits);
    let watching = {
        let live = live.clone();
        std::thread::spawn(move || {
            let started = Instant::now();
            while output(&live).is_empty() {
                assert!(started.elapsed() < Duration::from_secs(5));
                std::thread::sleep(Duration::from_millis(1));
            }
            (output(&live), started.elapsed())
        })
    };
    let text = bench
        .run_in(
            &live,
            "sh",
            &["-c", "printf one; printf two >&2; sleep 0.5; for i in 1 2 3 4 5 6 7 8 9; do echo $i; done"],
            Value::Null,
        )
        .unwrap();
    let (first, after) = watching.join().unwrap();
    assert_eq!(first[0].1, "one");
    assert!(after < Duration::from_millis(400), "{after:?}");
    let of = |stream: &str| {
        let events = output(&live).into_iter().filter(|(kind, _)| *kind == stream);
        events.map(|(_, text)| text).collect::<Vec<_>>()
    };
    assert_eq!(of("stdout").concat(), text);
    assert_eq!(of("stderr"), ["two"]);
    assert!(of("stdout").len() <= 4, "small pieces are put together: {:?}", of("stdout"));
}

#[test]
fn limits_end_a_program() {
    let mut bench = Bench::new(json!({}));
    bench.limits.max_output_kb = 64;
    let started = Instant::now();
    let live = execution(bench.limits);
    let error = bench.run_in(&live, "yes", &[], Value::Null).unwrap_err();
    assert_eq!(error.code(), Some("ECANCELED"));
    assert!(live.should_stop());
    assert!(output(&live).iter().map(|(_, text)| text.len()).sum::<usize>() <= 64 << 10);

    bench.limits = Limits { max_output_kb: 65_536, max_events: 1_000_000, mem_mb: 4, ..Limits::default() };
    let error = bench.run("yes", &[], Value::Null).unwrap_err();
    assert_eq!(error.code(), Some("ENOBUFS"));

    bench.limits = Limits { wall_ms: 100, ..Limits::default() };
    let error = bench.sh("echo begun; sleep 60").unwrap_err();
    assert_eq!(error.code(), Some("ECANCELED"));

    bench.limits = Limits::default();
    let timeout = options([("timeout", 50.into())]);
    let error = bench.run("sh", &["-c", "echo begun; trap '' TERM; sleep 60"], timeout).unwrap_err();
    assert_eq!((error.code(), property(&error, "stdout")), (Some("ETIMEDOUT"), &"begun\n".into()));

    let live = execution(bench.limits);
    let asking = {
        let live = live.clone();
        std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            live.request_stop("enough");
        })
    };
    assert_eq!(bench.run_in(&live, "sleep", &["60"], Value::Null).unwrap_err().code(), Some("ECANCELED"));
    asking.join().unwrap();
    assert!(started.elapsed() < Duration::from_secs(10));
}

#[test]
fn what_a_program_started_goes_with_it() {
    let mut bench = Bench::new(json!({}));
    // In the background, and with our pipe in its hands.
    let started = Instant::now();
    dies(&bench.sh("sleep 60 & echo $!").unwrap());
    dies(&bench.sh("sleep 60 >/dev/null 2>&1 & echo $!").unwrap());
    // A job of its own process group, as shells make them.
    dies(&bench.sh("set -m; sleep 60 & echo $!").unwrap());
    assert!(started.elapsed() < Duration::from_secs(5));
    // Nobody's child any more.
    dies(&bench.sh("(sleep 60 >/dev/null 2>&1 & echo $!)").unwrap());
    // A session of its own is refused: who leads one, and whose parent has ended, could not be found.
    let refused = bench.sh("setsid --wait sleep 60").unwrap_err();
    assert!(property(&refused, "stderr").as_str().unwrap().contains("not permitted"), "{refused:?}");
    // What is said shortly after the end still counts.
    assert_eq!(bench.sh("(sleep 0.05; echo late) & echo early").unwrap(), "early\nlate\n");
}

/// Begins `spawn` in an execution, as its host does.
fn spawn(
    bench: &mut Bench,
    live: &std::sync::Arc<LiveExecution>,
    id: u64,
    args: &[Value],
) -> std::sync::Arc<crate::modules::Cancel> {
    let (call, cancel) = PendingCall::new(id, live.clone());
    bench.exec.begin("spawn", args, call);
    cancel
}

fn script(script: &str) -> Vec<Value> {
    vec!["sh".into(), Value::Array(vec!["-c".into(), script.into()])]
}

#[test]
fn nothing_is_started_for_an_execution_that_is_being_ended() {
    let mut bench = Bench::new(json!({}));
    let live = execution(bench.limits);
    live.request_stop("enough");
    let (begun, answers) = (Instant::now(), 200);
    (0..answers).for_each(|id| drop(spawn(&mut bench, &live, id, &script("sleep 60"))));
    bench.exec.end_of_execution();
    // To start as many takes longer than this.
    assert!(begun.elapsed() < Duration::from_millis(200), "{:?}", begun.elapsed());
    assert_eq!(live.unread_answers(), answers as usize);
}

#[test]
fn several_programs_run_at_a_time() {
    let mut bench = Bench::new(json!({}));
    let live = execution(bench.limits);
    let started = Instant::now();
    for id in 0..8 {
        spawn(&mut bench, &live, id, &script(&format!("sleep 0.3; echo {id}; echo e >&2; exit {id}")));
    }
    spawn(&mut bench, &live, 8, &["no-such".into()]);
    spawn(&mut bench, &live, 9, &script("kill -9 $$"));
    let mut answers = std::collections::BTreeMap::new();
    while answers.len() < 10 {
        match live.wait_for_news(Duration::from_secs(10)) {
            Wake::Completed(completion) => answers.insert(completion.id, completion.result),
            other => panic!("{other:?}"),
        };
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    for id in 0..8 {
        let answer = answers[&id].as_ref().unwrap();
        assert_eq!(answer.get("stdout"), Some(&format!("{id}\n").into()));
        assert_eq!((answer.get("stderr"), answer.get("code")), (Some(&"e\n".into()), Some(&(id as i32).into())));
    }
    assert_eq!(answers[&8].as_ref().unwrap_err().code(), Some("ENOENT"));
    let killed = answers[&9].as_ref().unwrap();
    assert_eq!((killed.get("code"), killed.get("signal")), (Some(&Value::Null), Some(&"SIGKILL".into())));
    bench.exec.end_of_execution();

    // More than a session may have.
    for id in 0..70 {
        spawn(&mut bench, &live, id, &script("sleep 60"));
    }
    let Wake::Completed(refused) = live.wait_for_news(Duration::from_secs(5)) else { panic!("an answer") };
    assert_eq!((refused.id, refused.result.unwrap_err().code()), (64, Some("EAGAIN")));
    live.request_stop("enough");
    bench.exec.end_of_execution();
}

#[test]
fn the_inputs_of_a_sessions_programs_are_bounded_together() {
    let mut bench = Bench::new(json!({}));
    bench.limits = Limits { mem_mb: 16, ..bench.limits };
    let live = execution(bench.limits);
    let fed = |script: &str, megabytes: usize| {
        let input = options([("input", Value::Bytes(vec![b'x'; megabytes << 20]))]);
        vec!["sh".into(), Value::Array(vec!["-c".into(), script.into()]), input]
    };
    for id in 0..4 {
        spawn(&mut bench, &live, id, &fed("sleep 60", 5));
    }
    let Wake::Completed(refused) = live.wait_for_news(Duration::from_secs(5)) else { panic!("an answer") };
    assert_eq!((refused.id, refused.result.unwrap_err().code()), (3, Some("ENOBUFS")));
    let error = bench.exec.call("run", &fed("true", 5), &context(&live)).unwrap_err();
    assert_eq!(error.code(), Some("ENOBUFS"));
    live.request_stop("enough");
    bench.exec.end_of_execution();

    // What was read, and what was refused for another reason, is given back.
    let live = execution(bench.limits);
    for _ in 0..5 {
        bench.exec.call("run", &fed("cat >/dev/null", 15), &context(&live)).unwrap();
        let mut wrong = fed("true", 15);
        wrong[0] = "no-such".into();
        assert_eq!(bench.exec.call("run", &wrong, &context(&live)).unwrap_err().code(), Some("ENOENT"));
    }
}

#[test]
fn the_end_of_an_execution_ends_its_programs() {
    let mut bench = Bench::new(json!({}));
    let live = execution(bench.limits);
    let cancel = spawn(&mut bench, &live, 1, &script("echo $$; sleep 60 & echo $!; wait"));
    let started = Instant::now();
    while output(&live).iter().map(|(_, text)| text.lines().count()).sum::<usize>() < 2 {
        assert!(started.elapsed() < Duration::from_secs(5));
        std::thread::sleep(Duration::from_millis(2));
    }
    let pids: String = output(&live).into_iter().map(|(_, text)| text).collect();
    assert!(pids.lines().all(lives));
    cancel.cancel();
    bench.exec.end_of_execution();
    assert!(!pids.lines().any(lives), "they are gone when the end has been told");
    assert_eq!(live.wait_for_news(Duration::from_millis(50)), Wake::Elapsed, "nobody hears of it");
    // Cancelled before it has begun.
    let (call, cancel) = PendingCall::new(2, live.clone());
    cancel.cancel();
    bench.exec.begin("spawn", &script("sleep 60"), call);
    let started = Instant::now();
    bench.exec.end_of_execution();
    assert!(started.elapsed() < Duration::from_secs(1));
}

/// Runs alone in a process of its own: other tests start programs and threads, too.
#[test]
fn nothing_is_left_of_a_program() {
    const ALONE: &str = "VMSYS_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let test = "modules::exec::tests::nothing_is_left_of_a_program";
        let run = std::process::Command::new(std::env::current_exe().unwrap())
            .args([test, "--exact", "--nocapture"])
            .env(ALONE, "1")
            .status()
            .unwrap();
        assert!(run.success());
        return;
    }
    let mut bench = Bench::new(json!({}));
    let count = |of: &str| std::fs::read_dir(format!("/proc/self/{of}")).unwrap().count();
    let one_round = |bench: &mut Bench| {
        let live = execution(bench.limits);
        bench.run_in(&live, "echo", &["a"], Value::Null).unwrap();
        bench.run_in(&live, "false", &[], Value::Null).unwrap_err();
        bench.run_in(&live, "no-such", &[], Value::Null).unwrap_err();
        bench.run_in(&live, "sh", &["-c", "exec 1>&- 2>&-; sleep 0.05"], Value::Null).unwrap();
        bench.run_in(&live, "sleep", &["60"], options([("timeout", 10.into())])).unwrap_err();
        let cancel = spawn(bench, &live, 1, &script("sleep 60"));
        spawn(bench, &live, 2, &script("echo b"));
        cancel.cancel();
        bench.exec.end_of_execution();
    };
    one_round(&mut bench);
    let before = (count("fd"), count("task"), children());
    for _ in 0..10 {
        one_round(&mut bench);
    }
    assert_eq!((count("fd"), count("task"), children()), before);
    assert_eq!(children(), 0);
}
