//! Worker processes as an embedder has them: a program with a `main` of its own, which is why this test has one.
#![expect(clippy::print_stdout, reason = "a test without a harness says itself what it does")]
#![allow(clippy::unwrap_used, reason = "tests")]

mod shop;

use std::process::ExitCode;
use std::sync::Arc;

use vmsys_core::{
    CallContext, CallError, Config, Error, ErrorCode, ExecutionStatus, Isolation, JsonObject, Module, ModuleInfo,
    ModuleInstance, NewSession, NewTemplate, Sandbox, SessionContext, SessionStatus, Value, VmSystem,
};

/// Functions of the program's own.
struct Inventory;

impl Module for Inventory {
    fn info(&self) -> ModuleInfo {
        ModuleInfo::new("inventory", "What is in stock").function("count")
    }

    fn check_config(&self, _: &JsonObject) -> Result<(), Error> {
        Ok(())
    }

    fn open(&self, _: &SessionContext, _: &JsonObject) -> Result<Box<dyn ModuleInstance>, Error> {
        Ok(Box::new(Self))
    }
}

impl ModuleInstance for Inventory {
    fn call(&mut self, _: &str, args: &[Value], _: &CallContext) -> Result<Value, CallError> {
        match args {
            [Value::String(thing)] => Ok(Value::Number(thing.len() as f64)),
            _ => Err(CallError::argument("count takes the name of a thing")),
        }
    }
}

/// So that each job is checked for what it leaves outside of its guest's heap.
#[global_allocator]
static ALLOCATOR: vmsys_core::WorkerAlloc = vmsys_core::WorkerAlloc;

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    if std::env::args().nth(1).is_some_and(|argument| argument == LATE) {
        return called_late();
    }
    let mut config = Config::default();
    config.isolation = Isolation::Process;
    if std::env::args().len() == 1 {
        // Before it is called, there are no processes to be had, and whoever asks for one is told so.
        let refused = VmSystem::with_config(config.clone()).unwrap_err();
        assert!(refused.message().contains("become_worker"), "{refused}");
    }
    if let Some(code) = vmsys_core::become_worker(std::env::args_os()) {
        return code;
    }

    config.sandbox = Sandbox::Try;
    config.module(Arc::new(Inventory));
    config.host_module(shop::module());
    let vm = VmSystem::with_config(config).unwrap();
    modules_of_the_program_are_called_from_a_worker(&vm);
    shop::check(&vm);
    limits_hold_in_a_worker(&vm);
    startup_files_and_many_sessions(&vm);
    vm.shutdown().unwrap();
    drop(vm);
    a_program_with_threads_is_told_that_it_cannot_be_a_worker();
    a_worker_that_ends_at_its_start_says_how();
    for isolation in [Isolation::Thread, Isolation::Process] {
        nothing_is_left_when_the_last_handle_goes(isolation);
    }
    println!("8 passed, 0 failed");
    ExitCode::SUCCESS
}

/// Has this program call `become_worker` too late.
const LATE: &str = "late";

/// What a program does within `#[tokio::main]`: there are threads before its first line.
fn called_late() -> ExitCode {
    let (_hold, held) = std::sync::mpsc::channel::<()>();
    std::thread::spawn(move || held.recv());
    if let Some(code) = vmsys_core::become_worker(std::env::args_os().skip(1)) {
        return code;
    }
    let mut config = Config::default();
    let directory = tempfile::tempdir().unwrap();
    config.database = Some(directory.path().join("vm.db"));
    config.worker = std::env::current_exe().ok();
    let mut new = NewTemplate::named("process");
    new.settings.runtime.isolation = Isolation::Process;
    // Where another program is named, it is not this one that matters.
    let vm = VmSystem::with_config(config.clone()).unwrap();
    let template = vm.create_template(new.clone()).unwrap();
    vm.shutdown().unwrap();
    config.worker = None;
    let vm = VmSystem::with_config(config.clone()).unwrap();
    new.name = "other".to_owned();
    let of_template = vm.create_template(new).unwrap_err();
    let of_session = vm.create_session(NewSession::new(template.id, std::env::temp_dir())).unwrap_err();
    config = Config::default();
    config.isolation = Isolation::Process;
    for refused in [of_template, of_session, VmSystem::with_config(config).unwrap_err()] {
        assert_eq!(refused.kind(), vmsys_core::ErrorKind::Validation);
        assert!(refused.message().contains("#[tokio::main]"), "{refused}");
    }
    ExitCode::SUCCESS
}

fn a_program_with_threads_is_told_that_it_cannot_be_a_worker() {
    let this = std::env::current_exe().unwrap();
    assert!(std::process::Command::new(this).arg(LATE).status().unwrap().success());
}

fn a_worker_that_ends_at_its_start_says_how() {
    use std::os::unix::fs::PermissionsExt as _;

    let directory = tempfile::tempdir().unwrap();
    let this = std::env::current_exe().unwrap();
    let late = format!("exec '{}' {LATE} \"$@\"", this.display());
    let ends = [
        ("exit 7", "it ended by itself with code 7"),
        ("kill -SEGV $$", "signal 11 (SIGSEGV) ended it"),
        (late.as_str(), "it had more than one thread already"),
    ];
    for (number, (script, why)) in ends.into_iter().enumerate() {
        let program = directory.path().join(number.to_string());
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
        let mut config = Config::default();
        config.isolation = Isolation::Process;
        config.worker = Some(program);
        let vm = VmSystem::with_config(config).unwrap();
        let template = vm.create_template(NewTemplate::named("lost")).unwrap();
        let error = vm.create_session(NewSession::new(template.id, directory.path())).unwrap_err();
        assert!(error.message().contains(why) && !error.message().contains("library"), "{error}");
    }
}

/// Threads, and processes that were started, also by others of ours.
fn alive() -> (usize, usize) {
    let threads = std::fs::read_dir("/proc/self/task").unwrap();
    let of = |task: std::io::Result<std::fs::DirEntry>| {
        // A thread that has just ended has no file any more.
        std::fs::read_to_string(task.unwrap().path().join("children")).unwrap_or_default()
    };
    let children: Vec<String> = threads.map(of).collect();
    (children.len(), children.iter().map(|list| list.split_whitespace().count()).sum())
}

/// In this program, because the others of its harness would be counted with it.
fn nothing_is_left_when_the_last_handle_goes(isolation: Isolation) {
    // What the system before this one had is still going.
    let patience = std::time::Duration::from_secs(60);
    let settled = |wanted: (usize, usize)| {
        let started = std::time::Instant::now();
        while alive() != wanted {
            assert!(started.elapsed() < patience, "{:?} instead of {wanted:?} with {isolation:?}", alive());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    settled((1, 0));
    let files = || std::fs::read_dir("/proc/self/fd").unwrap().count();
    let open = files();
    let mut config = Config::default();
    config.isolation = isolation;
    config.sandbox = Sandbox::Try;
    config.host_module(shop::module());
    let vm = VmSystem::with_config(config).unwrap();
    let template = vm.create_template(NewTemplate::named("left")).unwrap();
    vm.add_module(template.id, "shop").unwrap();
    let sessions = [(); 4].map(|()| vm.create_session(NewSession::new(template.id, std::env::temp_dir())).unwrap());
    for session in &sessions {
        session.start(vmsys_core::Submission::repl("await require('shop').never()")).unwrap();
    }
    let busy = sessions[0].vm().watch_session(sessions[0].id(), vmsys_core::SessionStart::Beginning).unwrap();
    let evaluation = sessions[1].eval_async::<()>("1");
    drop((vm, sessions, evaluation));
    assert!(alive().0 > 4, "a watch is a handle, too");
    drop(busy);
    settled((1, 0));
    assert_eq!(files(), open, "{isolation:?}");
}

fn modules_of_the_program_are_called_from_a_worker(vm: &VmSystem) {
    let template = vm.create_template(NewTemplate::named("modules")).unwrap();
    vm.add_module(template.id, "inventory").unwrap();
    let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir())).unwrap();
    let run = session.repl("const { count } = require('inventory'); count('apple')").unwrap();
    assert_eq!(run.result.unwrap().preview, "5");
    let run = session.repl("count(1)").unwrap();
    assert!(run.error.unwrap().message.contains("count takes the name of a thing"));
    session.close().unwrap();
}

fn limits_hold_in_a_worker(vm: &VmSystem) {
    let mut new = NewTemplate::named("limits");
    new.settings.limits.cpu_ms = 100;
    new.settings.limits.max_events = 10;
    let template = vm.create_template(new).unwrap();
    let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir())).unwrap();
    assert_eq!(session.repl("globalThis.n = 1; for (;;) {}").unwrap().status, ExecutionStatus::Timeout);
    let run = session.repl("for (;;) console.log(n)").unwrap();
    assert_eq!(run.error.unwrap().code, Some(ErrorCode::OutputLimitExceeded));
    assert_eq!(run.events.len(), 11);
    assert_eq!(session.repl("n").unwrap().result.unwrap().preview, "1");
    // What never lets itself be interrupted is ended with its process.
    let run = session.repl("Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)").unwrap();
    assert_eq!(run.status, ExecutionStatus::Timeout);
    assert!([SessionStatus::Ready, SessionStatus::Crashed].contains(&session.record().unwrap().status));
    session.close().unwrap();
}

fn startup_files_and_many_sessions(vm: &VmSystem) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("start.js"), "globalThis.greeting = 'hello'").unwrap();
    let template = vm.create_template(NewTemplate::named("startup")).unwrap();
    vm.add_startup_file(template.id, vmsys_core::NewStartupFile::eval("start.js")).unwrap();
    std::thread::scope(|scope| {
        for number in 0..16 {
            let (vm, id, path) = (vm.clone(), template.id, directory.path());
            scope.spawn(move || {
                let session = vm.create_session(NewSession::new(id, path)).unwrap();
                let run = session.repl(format!("greeting + {number}")).unwrap();
                assert_eq!(run.result.unwrap().preview, format!("hello{number}"));
                session.close().unwrap();
            });
        }
    });
}
