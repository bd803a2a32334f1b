//! Code that does not end: limits of a template, tighter ones for some of it, and a cancellation from outside.
#![expect(clippy::print_stdout, reason = "examples show what they do")]

use std::time::Duration;

use vmsys_core::{
    ErrorCode, EvalError, ExecutionStatus, Limits, LimitsPatch, NewSession, NewTemplate, Submission, VmSystem,
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vm = VmSystem::in_memory()?;
    let limits = Limits::default().with_cpu_ms(200).with_mem_mb(32);
    let template = vm.create_template(NewTemplate::named("bounded").with_limits(limits))?;
    let session = vm.create_session(NewSession::new(template.id, std::env::current_dir()?))?;

    // A limit ends the one execution. What it had made stays, and so does the session.
    let run = session.repl("let n = 0; for (;;) n++")?;
    assert_eq!(run.status, ExecutionStatus::Timeout);
    println!("{}", run.error.ok_or("it was stopped")?.message);
    assert!(session.get_global::<f64>("n")? > 0.0);
    let run = session.repl("const all = []; for (;;) all.push(new Array(1000).fill(0))")?;
    assert_eq!(run.error.ok_or("it was stopped")?.code, Some(ErrorCode::OutOfMemory));
    session.repl("all.length = 0")?;

    // An expression evaluator for formulas of users: less time, and nothing printed. Limits can be tightened and never
    // loosened.
    let formulas = session.limited(LimitsPatch::default().with_cpu_ms(20).with_max_events(1))?;
    assert_eq!(formulas.eval::<f64>("0.5 * (1 + 3)")?, 2.0);
    let why = |formula: &str| formulas.eval::<f64>(formula).err();
    assert!(matches!(why("0.5 * (1 + "), Some(EvalError::Syntax { line: Some(1), .. })));
    assert!(matches!(why("0.5 * rate"), Some(EvalError::Thrown(thrown)) if thrown.name() == "ReferenceError"));
    assert_eq!(why("for (;;) {}").and_then(|error| error.code()), Some(ErrorCode::Timeout));
    let loose = LimitsPatch::default().with_cpu_ms(60_000);
    println!("{}", session.limited(loose).err().ok_or("looser limits were taken")?);

    // From another thread, by a handle or by its id.
    let running = session.start(Submission::repl("await new Promise(() => setInterval(() => {}, 1000))"))?;
    let canceller = running.clone();
    let thread = std::thread::spawn(move || canceller.cancel());
    assert_eq!(running.wait()?.status, ExecutionStatus::Cancelled);
    thread.join().map_err(|_| "the other thread panicked")??;

    // Dropping the future of a value cancels its execution, so that timeouts do what they say.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        let slow = session.eval_async::<f64>("await new Promise(done => setTimeout(done, 20_000)); 1");
        assert!(tokio::time::timeout(Duration::from_millis(20), slow).await.is_err());
    });
    vm.shutdown()?;
    Ok(())
}
