//! What the library adds to the engine: a warm `session.repl("1+1")` over an in-memory store, against the raw evaluation
//! of the same text. The two are measured in turns in one run, so that a busy machine slows both.
#![expect(clippy::print_stdout, reason = "a bench reports")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run stops")]

use std::time::Instant;

use vmsys_core::{NewSession, NewTemplate, VmSystem};

/// The most that the library may cost, as a multiple of the raw evaluation.
const BUDGET: f64 = 25.0;
const ROUNDS: usize = 41;
const CALLS: usize = 500;

fn main() {
    let runtime = rquickjs::Runtime::new().unwrap();
    let context = rquickjs::Context::full(&runtime).unwrap();
    let vm = VmSystem::in_memory().unwrap();
    let template = vm.create_template(NewTemplate::named("bench")).unwrap();
    let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir())).unwrap();

    let raw_call = || context.with(|ctx| assert_eq!(ctx.eval::<i32, _>("1+1").unwrap(), 2));
    let library_call = || assert_eq!(session.repl("1+1").unwrap().result.unwrap().preview, "2");
    let (mut raw, mut library) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        raw.push(micros_per_call(raw_call));
        library.push(micros_per_call(library_call));
    }
    let (raw, library) = (median(raw), median(library));
    println!("raw eval of \"1+1\"       {raw:8.2} us");
    println!("session.repl(\"1+1\")     {library:8.2} us");
    println!("ratio                   {:8.1} (budget {BUDGET})", library / raw);
}

fn micros_per_call(mut call: impl FnMut()) -> f64 {
    let started = Instant::now();
    for _ in 0..CALLS {
        call();
    }
    started.elapsed().as_secs_f64() * 1e6 / CALLS as f64
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
