//! What code does, as it does it: events as an iterator and as a stream, and a function that hears the console.
#![expect(clippy::print_stdout, reason = "examples show what they do")]

use std::pin::Pin;
use std::sync::mpsc::channel;

use futures_core::Stream;
use vmsys_core::{NewSession, NewTemplate, Payload, SessionNews, SessionStart, Submission, VmSystem};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let vm = VmSystem::in_memory()?;
    let template = vm.create_template(NewTemplate::named("events"))?;

    // Told on the session's thread, as each line is printed: for a log, or a terminal.
    let (line, lines) = channel();
    let new = NewSession::new(template.id, std::env::current_dir()?).on_console(move |event| {
        if let Payload::Console { level, text, .. } = &event.payload {
            let _ = line.send(format!("{level:?}: {text}"));
        }
    });
    let session = vm.create_session(new)?;

    // An iterator waits for what comes, and ends with the execution.
    let running =
        session.start(Submission::repl("for (const n of [1, 2]) console.log('line', n); console.error('!'); 42"))?;
    for event in running.events()? {
        let event = event?;
        println!("[{}] {:?}", event.seq, event.payload);
    }
    assert_eq!(lines.try_iter().collect::<Vec<_>>(), ["Log: line 1", "Log: line 2", "Error: !"]);

    // A stream does the same without holding a thread, on any runtime.
    let running =
        session.start(Submission::repl("await new Promise(done => setTimeout(done, 10)); console.log('later')"))?;
    let seqs = pollster::block_on(async {
        let mut stream = running.event_stream()?;
        let mut seqs = Vec::new();
        while let Some(event) = next(&mut stream).await {
            seqs.push(event?.seq);
        }
        Ok::<_, vmsys_core::Error>(seqs)
    })?;
    assert_eq!(seqs, [1, 2, 3]);

    // All of a session's, from the beginning and to its end, however many execute.
    let follower = session.events(SessionStart::Beginning)?;
    session.close()?;
    let mut values = 0;
    for news in follower {
        match news? {
            SessionNews::Event(event) if matches!(event.payload, Payload::Value(_)) => values += 1,
            SessionNews::Session(record) => println!("the session is {:?}", record.status),
            _ => {}
        }
    }
    assert_eq!(values, 2);
    Ok(())
}

/// What `StreamExt::next` of the crate `futures` does.
async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    std::future::poll_fn(|context| Pin::new(&mut *stream).poll_next(context)).await
}
