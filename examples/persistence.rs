//! A store in a file: what was run is there after a restart, and work under a key is done once.
#![expect(clippy::print_stdout, reason = "examples show what they do")]

use vmsys_core::{ExecutionFilter, NewSession, NewTemplate, SessionFilter, SessionStatus, Submission, VmSystem};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let database = directory.path().join("sessions.db");

    let (session_id, first) = {
        let vm = VmSystem::open(&database)?;
        let template = vm.create_template(NewTemplate::named("ledger"))?;
        let session = vm.create_session(NewSession::new(template.id, directory.path()))?;
        session.repl("let balance = 0")?;
        let deposit = Submission::repl("balance += 100").key("deposit-1".parse()?);
        let first = session.start(deposit.clone())?.wait()?;
        // The same again: it is answered, and not done again.
        assert_eq!(session.start(deposit)?.wait()?.id, first.id);
        assert_eq!(session.eval::<u32>("balance")?, 100);
        (session.id(), first)
        // The last handle goes, and with it the system: sessions are closed in order, and the file is free.
    };

    let vm = VmSystem::open(&database)?;
    let sessions = vm.sessions(&SessionFilter::default())?;
    assert_eq!((sessions.len(), sessions[0].id, sessions[0].status), (1, session_id, SessionStatus::Closed));
    println!("{}", sessions[0].last_error.as_deref().unwrap_or("closed by its program"));

    // The runtime is gone; its history is not.
    let session = vm.session(session_id)?;
    for execution in session.executions(&ExecutionFilter::default())? {
        println!("{} {:?} {}", execution.started_at, execution.input, execution.status);
    }
    let again = vm.execution(first.id)?;
    assert_eq!(again.events, first.events);
    assert!(session.repl("balance").is_err_and(|error| error.code() == "SESSION_NOT_READY"));
    Ok(())
}
