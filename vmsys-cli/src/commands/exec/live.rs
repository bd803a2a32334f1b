//! Executions while they run: watched by whoever likes, or in the foreground, where Ctrl+C cancels them.

use std::ops::ControlFlow;
use std::sync::{Arc, OnceLock};

use super::{events, exit_of, summary};
use crate::client::records::{Event, Execution};
use crate::client::{Answer, Client, OnNews};
use crate::commands::follow::follow;
use crate::commands::{shown, understood};
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupt;
use crate::output::{Aside, Output};

/// Prints events as they come. Answers the execution once it has ended; none when nobody reads any more.
pub(super) fn watch(id: &str, after_seq: u64, client: &Client, out: &mut Output) -> Result<Option<Answer<Execution>>> {
    let stream = |on: &mut OnNews<'_>| client.watch_execution(id, after_seq, false, on);
    let mut ended = None;
    follow(out, None, stream, |name, document, out| {
        if name == "end" {
            ended = Some(Answer { text: document.to_owned(), value: understood(document)? });
            return Ok(ControlFlow::Break(()));
        }
        if out.is_json() {
            out.json(document);
        } else {
            events(&[understood(document)?], out);
        }
        shown(out).map(ControlFlow::Continue)
    })?;
    Ok(ended)
}

/// Starts code, shows what it does while it does it, and ends as it does. Ctrl+C cancels it; a program that goes away
/// otherwise, or whose reader does, stops nothing.
pub(super) fn foreground(
    session: &str,
    start: impl FnOnce() -> Result<Answer<Execution>>,
    client: &Client,
    out: &mut Output,
) -> Result<Exit> {
    let running = cancelled_by_ctrl_c(session, client, out)?;
    let id = start()?.value.id;
    // It is set nowhere else.
    running.set(id.clone()).ok();
    if out.is_json() {
        return document(&id, client, out);
    }
    out.line(format_args!("Execution ID: {id}"));
    out.line("");
    out.line("Events:");
    out.flush();
    if out.is_cut() {
        return Ok(Exit::Done);
    }
    let stream = |on: &mut OnNews<'_>| client.watch_execution(&id, 0, true, on);
    let (mut seq, mut ended) = (0, None);
    let followed = follow(out, Some(ALL_IS_WELL), stream, |name, document, out| {
        if name == "end" {
            ended = Some(understood::<Execution>(document)?);
            return Ok(ControlFlow::Break(()));
        }
        let event: Event = understood(document)?;
        seq = event.seq;
        events(&[event], out);
        shown(out).map(ControlFlow::Continue)
    });
    followed.map_err(|error| lost(error, &id, seq))?;
    // Nobody reads any more.
    let Some(ended) = ended else { return Ok(Exit::Done) };
    out.line("");
    summary(&ended, out);
    Ok(exit_of(&ended.status))
}

/// What a person is told of code that runs and says nothing.
const ALL_IS_WELL: &str = "it runs, and has said nothing for a while; Ctrl+C cancels it";

/// Waits for the end of an execution, and prints it as the API has it then.
fn document(id: &str, client: &Client, out: &mut Output) -> Result<Exit> {
    let stream = |on: &mut OnNews<'_>| client.watch_execution(id, 0, true, on);
    let (mut seen, mut ended) = (Vec::new(), None);
    let followed = follow(out, Some(ALL_IS_WELL), stream, |name, document, _| {
        if name == "end" {
            ended = Some(Answer { text: document.to_owned(), value: understood(document)? });
            return Ok(ControlFlow::Break(()));
        }
        seen.push(document.to_owned());
        Ok(ControlFlow::Continue(()))
    });
    let told = |in_one_piece: bool| ended.filter(|_| in_one_piece).and_then(|ended| with_events(ended, &seen));
    let asked = || client.persistently(|client| client.execution(id), |_| ());
    let answer = followed.and_then(|in_one_piece| told(in_one_piece).map_or_else(asked, Ok));
    let answer = answer.map_err(|error| lost(error, id, 0))?;
    out.json(&answer.text);
    Ok(exit_of(&answer.value.status))
}

/// Puts the events that were told into the execution that is told at the end without them.
///
/// It could be asked for instead, but a daemon that stops says the end and answers no more. One that was killed, though,
/// may have told events that it has lost, and then only what it says afterwards is true.
fn with_events(ended: Answer<Execution>, events: &[String]) -> Option<Answer<Execution>> {
    let open = ended.text.trim_end().strip_suffix('}')?;
    Some(Answer { text: format!("{open},\"events\":[{}]}}", events.join(",")), value: ended.value })
}

/// The same error with the way back to an execution that may still run, behind the last event that was shown.
fn lost(error: Error, id: &str, seq: u64) -> Error {
    match (error.exit(), seq) {
        (Exit::Unreachable, 0) => error.hint(format!("`vm-system exec watch {id}` follows it")),
        (Exit::Unreachable, _) => {
            error.hint(format!("`vm-system exec watch {id} --after-seq {seq}` goes on from there"))
        }
        _ => error,
    }
}

/// Has Ctrl+C cancel the execution whose id is set here, as soon as it is. A second one ends the program, with a word
/// about what it leaves behind.
fn cancelled_by_ctrl_c(session: &str, client: &Client, out: &Output) -> Result<Arc<OnceLock<String>>> {
    let running: Arc<OnceLock<String>> = Arc::default();
    // What writes the events may be waiting for its reader, and what drives its connections waits with it.
    let (client, aside, cancelled) = (client.another()?, out.aside(), Arc::clone(&running));
    let first = move || {
        aside.after_ctrl_c();
        if cancelled.get().is_none() {
            // Whether the daemon has begun nobody knows: what was sent is not taken back by going away.
            aside.info("cancelling, as soon as the daemon has said what");
            aside.hint(AGAIN);
        }
        cancel(cancelled.wait(), &client, &aside);
    };
    let (aside, left, session) = (out.aside(), Arc::clone(&running), session.to_owned());
    let last_words = move || {
        aside.after_ctrl_c();
        match left.get() {
            Some(id) => {
                aside.info(&format!("execution {id} may still run"));
                aside.hint(&format!("`vm-system exec watch {id}` follows it, `vm-system exec cancel {id}` ends it"));
            }
            None => {
                aside.info("an execution may have begun");
                aside.hint(&format!("`vm-system exec list {session}` shows it"));
            }
        }
    };
    Interrupt::watch(first, last_words)?;
    Ok(running)
}

/// What a second Ctrl+C does.
const AGAIN: &str = "Ctrl+C again ends this command at once, and leaves the execution to itself";

/// Cancels an execution. How it ended is shown by whoever follows it.
fn cancel(id: &str, client: &Client, aside: &Aside) {
    aside.info(&format!("cancelling execution {id}…"));
    aside.hint(AGAIN);
    let not_yet = |error: &Error| aside.info(&format!("not cancelled yet: {}; trying again", error.message()));
    match client.persistently(|client| client.cancel(id), not_yet) {
        Err(error) if error.code() != "EXECUTION_NOT_RUNNING" => aside.error(&error),
        // It is cancelled, or had ended by itself.
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::tests::{http, listener};
    use crate::output::kept;

    /// What is said while the daemon answers so.
    fn cancelled(answers: &[(&str, &str)]) -> String {
        let (address, served) = listener(answers.iter().map(|(status, body)| http(status, body)).collect());
        let (out, _, err) = kept::output(false, false);
        cancel("e-1", &Client::new(&address).expect("the address is good"), &out.aside());
        for request in served.join().expect("the daemon ends") {
            assert!(request.starts_with("POST /api/v1/executions/e-1/cancel HTTP"), "{request}");
        }
        err.text()
    }

    #[test]
    fn an_execution_that_ended_by_itself_need_not_be_cancelled() {
        const ENDED: &str = r#"{"error":{"code":"EXECUTION_NOT_RUNNING","message":"Execution is not running"}}"#;
        const BUSY: &str = r#"{"error":{"code":"SHUTTING_DOWN","message":"Shutting down"}}"#;
        const OTHER: &str = r#"{"error":{"code":"EXECUTION_NOT_FOUND","message":"Execution not found"}}"#;
        let said = format!("info: cancelling execution e-1…\nhint: {AGAIN}\n");
        assert_eq!(cancelled(&[("409 Conflict", ENDED)]), said);
        // That it takes more than one try is said, and only once.
        let busy = ("503 Service Unavailable", BUSY);
        let delayed = format!("{said}info: not cancelled yet: Shutting down; trying again\n");
        assert_eq!(cancelled(&[busy, busy, ("409 Conflict", ENDED)]), delayed);
        let failed = cancelled(&[("404 Not Found", OTHER)]);
        assert!(failed.starts_with(&said) && failed.contains("[EXECUTION_NOT_FOUND]"), "{failed}");
    }
}
