//! The shortest way in: a template, a session that keeps its state, a value and the events that led to it.
#![expect(clippy::print_stdout, reason = "examples show what they do")]

use vmsys_core::{NewSession, NewTemplate, VmSystem};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vm = VmSystem::in_memory()?;
    let template = vm.create_template(NewTemplate::named("demo"))?;
    let session = vm.create_session(NewSession::new(template.id, std::env::current_dir()?))?;

    session.repl("let total = 0; function add(n) { console.log('adding', n); return total += n }")?;
    session.repl("add(20)")?;
    let run = session.repl("add(22)")?;

    for event in &run.events {
        println!("[{}] {:?}", event.seq, event.payload);
    }
    let value = run.result.ok_or("the snippet threw")?;
    assert_eq!(value.preview, "42");
    println!("total: {}", value.preview);
    Ok(())
}
