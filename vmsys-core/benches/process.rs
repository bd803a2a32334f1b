//! What a process of its own costs a session: to create one, with and without libraries; a warm execution, against one on a
//! thread; and the memory of idle ones. Threads and processes are measured in turns in one run.
#![expect(clippy::print_stdout, reason = "a bench reports")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run stops")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use vmsys_core::{Config, Isolation, NewSession, NewTemplate, Sandbox, Session, TemplateId, VmSystem};

/// The most that a session with three libraries may cost, as a multiple of an empty one.
const CREATE_BUDGET: f64 = 3.0;
/// How much longer a warm execution may take than on a thread.
const EXEC_BUDGET_MICROS: f64 = 60.0;
/// The proportional memory of an idle session.
const MEMORY_BUDGET_MB: f64 = 1.5;
const ROUNDS: usize = 101;
const CALLS: usize = 20;
const IDLE: usize = 1_000;
/// Where the tests keep the real files, too.
const CACHE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/libraries");
const LIBRARIES: [&str; 3] = ["lodash", "moment", "ramda"];

/// So that each job is checked for what it leaves outside of its guest's heap.
#[global_allocator]
static ALLOCATOR: vmsys_core::WorkerAlloc = vmsys_core::WorkerAlloc;

fn main() -> ExitCode {
    if let Some(code) = vmsys_core::become_worker(std::env::args_os()) {
        return code;
    }
    if !Path::new(CACHE).join("lodash-4.17.21.js").exists() {
        println!("the libraries are not in {CACHE}: `cargo xtask bench` gets them");
        return ExitCode::FAILURE;
    }
    let mut config = Config::default();
    config.library_cache = Some(CACHE.into());
    config.isolation = Isolation::Process;
    config.sandbox = Sandbox::Require;
    let vm = VmSystem::with_config(config).unwrap();
    let template = |name: &str| vm.create_template(NewTemplate::named(name)).unwrap().id;
    let (empty, loaded) = (template("empty"), template("loaded"));
    LIBRARIES.iter().for_each(|name| vm.add_library(loaded, name).unwrap());
    let mut on_thread = NewTemplate::named("thread");
    on_thread.settings.runtime.isolation = Isolation::Thread;
    let on_thread = vm.create_template(on_thread).unwrap().id;

    let (mut creations, mut with_libraries, mut on_threads) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        for (template, times) in [(empty, &mut creations), (loaded, &mut with_libraries), (on_thread, &mut on_threads)]
        {
            let started = Instant::now();
            let session = create(&vm, template);
            times.push(started.elapsed().as_secs_f64() * 1e3);
            session.close().unwrap();
        }
    }
    let [creation, with, thread] = [creations, with_libraries, on_threads].map(median);
    println!("a session on a thread           {thread:8.3} ms");
    println!("a session in a process          {creation:8.3} ms");
    println!("one with {}   {with:8.3} ms", LIBRARIES.join(", "));
    println!("ratio of the two                {:8.3} (budget {CREATE_BUDGET})", with / creation);

    let (near, far) = (create(&vm, on_thread), create(&vm, empty));
    let (mut near_times, mut far_times) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        near_times.push(micros_per_call(&near));
        far_times.push(micros_per_call(&far));
    }
    let (near, far) = (median(near_times), median(far_times));
    println!("1+1 on a thread                 {near:8.1} us");
    println!("1+1 in a process                {far:8.1} us");
    println!("more                            {:8.1} us (budget {EXEC_BUDGET_MICROS})", far - near);

    let before = memory_of_workers();
    let sessions: Vec<Session> = (0..IDLE).map(|_| create(&vm, empty)).collect();
    sessions.iter().for_each(|session| drop(session.repl("globalThis.n = 1").unwrap()));
    let each = (memory_of_workers() - before) / IDLE as f64;
    println!("memory of each of {IDLE}          {each:8.3} MB (budget {MEMORY_BUDGET_MB})");
    ExitCode::SUCCESS
}

fn create(vm: &VmSystem, template: TemplateId) -> Session {
    vm.create_session(NewSession::new(template, std::env::temp_dir())).unwrap()
}

fn micros_per_call(session: &Session) -> f64 {
    let started = Instant::now();
    for _ in 0..CALLS {
        assert_eq!(session.repl("1+1").unwrap().result.unwrap().preview, "2");
    }
    started.elapsed().as_secs_f64() * 1e6 / CALLS as f64
}

/// The proportional memory of all children of this process, in megabytes.
fn memory_of_workers() -> f64 {
    let own = std::process::id().to_string();
    let of = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.ok()?.path();
        let stat = std::fs::read_to_string(path.join("stat")).ok()?;
        let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.to_owned();
        let memory = std::fs::read_to_string(path.join("smaps_rollup")).ok()?;
        let line = memory.lines().find(|line| line.starts_with("Pss:"))?;
        let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
        (parent == own).then_some(kib * 1024.0 / 1e6)
    };
    std::fs::read_dir("/proc").unwrap().filter_map(of).sum()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
