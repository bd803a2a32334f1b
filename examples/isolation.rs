//! Sessions in processes of their own: confined, and killed where a thread could only be left behind.
#![expect(clippy::print_stdout, reason = "examples show what they do")]

use std::process::ExitCode;

use vmsys_core::{Call, Config, ExecutionStatus, HostModule, Isolation, NewSession, NewTemplate, Sandbox, VmSystem};

fn main() -> ExitCode {
    // First of all: the program is started again as a worker, which this call then is to the end.
    if let Some(code) = vmsys_core::become_worker(std::env::args_os()) {
        return code;
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = Config::default();
    config.isolation = Isolation::Process;
    // As much of the sandbox as this kernel has; `Sandbox::Require` refuses to start with less.
    config.sandbox = Sandbox::Try;
    // The same functions as for threads: they run here, and the worker asks for them.
    config.host_module(
        HostModule::new("host", "Who runs this").function("pid", |_: &Call, (): ()| Ok(std::process::id())),
    );
    let vm = VmSystem::with_config(config)?;

    let mut new = NewTemplate::named("confined");
    new.settings.limits.cpu_ms = 200;
    let template = vm.create_template(new)?;
    vm.add_module(template.id, "host")?;
    let session = vm.create_session(NewSession::new(template.id, std::env::current_dir()?))?;
    assert_eq!(session.record()?.runtime_meta["isolation"], "process");
    assert_eq!(session.eval::<u32>("require('host').pid()")?, std::process::id());

    // Native code of the engine that never lets itself be interrupted ends with its process.
    let run = session.repl("Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)")?;
    println!("{}: {}", run.status, run.error.ok_or("it was stopped")?.message);
    assert_eq!(run.status, ExecutionStatus::Timeout);

    // The others go on, and so does the program.
    let other = vm.create_session(NewSession::new(template.id, std::env::current_dir()?))?;
    assert_eq!(other.eval::<u32>("6 * 7")?, 42);
    Ok(())
}
