//! Following executions and sessions: Server-Sent Events, and events that are waited for.

use std::fmt::Write as _;
use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::Duration;

use serde::Serialize;
use vmsys_core::{
    Event, ExecutionId, ExecutionNews, ExecutionWatch, SessionCursor, SessionNews, SessionStart, SessionWatch, VmSystem,
};

use super::sessions::SessionView;
use crate::error::ApiError;
use crate::route::{Answer, Part, Request, Route, Source};

pub(super) fn routes() -> [Route<VmSystem>; 2] {
    [
        Route::get("/api/v1/executions/{execution_id}/events/stream", execution).with_query(&["after_seq"]),
        Route::get("/api/v1/sessions/{session_id}/events/stream", session).with_query(&["after", "tail"]),
    ]
}

/// The most executions that `tail` can ask for.
const MOST_TAIL: u64 = 1000;

/// Returns the events of an execution after a place as soon as there are any, or it has ended, or the time has passed.
pub(super) fn awaited(
    vm: &VmSystem,
    id: ExecutionId,
    after_seq: u64,
    limit: Option<u32>,
    at_most: Duration,
) -> Result<Answer, ApiError> {
    let watch = vm.watch(id, after_seq)?;
    Ok(Answer::awaited(Awaited { vm: vm.clone(), watch, id, after_seq, limit }, at_most))
}

fn execution(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let id: ExecutionId = request.id("execution_id")?;
    let after_seq = match &request.given.last_event_id {
        Some(seq) => last_event_id(seq)?,
        None => request.query.count("after_seq")?,
    };
    Ok(Answer::events(OfExecution(vm.watch(id, after_seq)?)))
}

fn session(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let id = request.id("session_id")?;
    let after = request.query.value::<SessionCursor>("after")?;
    let tail = request.query.get("tail").map(|_| request.query.count("tail")).transpose()?;
    let start = match (&request.given.last_event_id, after, tail) {
        (Some(cursor), ..) => SessionStart::After(last_event_id(cursor)?),
        (None, Some(_), Some(_)) => {
            return Err(ApiError::validation("tail", "after and tail both say where to begin: send one of them"));
        }
        (None, Some(cursor), None) => SessionStart::After(cursor),
        (None, None, Some(count)) => match u32::try_from(count) {
            Ok(count) if u64::from(count) <= MOST_TAIL => SessionStart::Tail(count),
            _ => return Err(ApiError::validation("tail", format!("tail must be a number from 0 to {MOST_TAIL}"))),
        },
        (None, None, None) => SessionStart::Beginning,
    };
    Ok(Answer::events(OfSession(vm.watch_session(id, start)?)))
}

/// Reads the place where a stream was cut off, as the stream itself gave it.
fn last_event_id<T: FromStr>(text: &str) -> Result<T, ApiError> {
    let plain = !text.starts_with('+');
    plain
        .then(|| text.parse().ok())
        .flatten()
        .ok_or_else(|| ApiError::validation("Last-Event-ID", "Last-Event-ID must be the id of an event of this stream"))
}

struct OfExecution(ExecutionWatch);

impl Source for OfExecution {
    fn read(&mut self) -> Result<Part, ApiError> {
        let mut text = String::new();
        for news in self.0.look()? {
            match news {
                ExecutionNews::Event(event) => frame(&mut text, kind(&event), Some(&event.seq.to_string()), &event)?,
                ExecutionNews::Ended(execution) => frame(&mut text, "end", None, &execution)?,
                _ => {}
            }
        }
        Ok(Part { bytes: text.into(), is_last: self.0.is_over() })
    }

    fn poll_news(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll_news(context)
    }
}

struct OfSession(SessionWatch);

impl Source for OfSession {
    fn read(&mut self) -> Result<Part, ApiError> {
        let mut text = String::new();
        for news in self.0.look()? {
            match news {
                SessionNews::Event(event) => {
                    let id = format!("{}:{}", event.execution_id, event.seq);
                    frame(&mut text, kind(&event), Some(&id), &event)?;
                }
                SessionNews::Session(record) => frame(&mut text, "session", None, &SessionView::from(*record))?,
                _ => {}
            }
        }
        Ok(Part { bytes: text.into(), is_last: self.0.is_over() })
    }

    fn poll_news(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.0.poll_news(context)
    }
}

struct Awaited {
    vm: VmSystem,
    watch: ExecutionWatch,
    id: ExecutionId,
    after_seq: u64,
    limit: Option<u32>,
}

impl Source for Awaited {
    fn read(&mut self) -> Result<Part, ApiError> {
        let is_last = !self.watch.look()?.is_empty();
        let events = self.vm.events(self.id, self.after_seq, self.limit)?;
        let bytes = serde_json::to_vec(&events).map_err(unwritable)?;
        Ok(Part { bytes: bytes.into(), is_last })
    }

    fn poll_news(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.watch.poll_news(context)
    }
}

fn kind(event: &Event) -> &'static str {
    event.payload.type_name()
}

/// Writes one message. Its document is one line, as far as our own writing goes; but results pass as the text that they
/// came as, and a line break in one would end the message.
fn frame(text: &mut String, event: &str, id: Option<&str>, document: &impl Serialize) -> Result<(), ApiError> {
    let _ = writeln!(text, "event: {event}");
    if let Some(id) = id {
        let _ = writeln!(text, "id: {id}");
    }
    let document = serde_json::to_string(document).map_err(unwritable)?;
    for line in document.split(['\n', '\r']) {
        let _ = writeln!(text, "data: {line}");
    }
    text.push('\n');
    Ok(())
}

fn unwritable(error: serde_json::Error) -> ApiError {
    ApiError::internal(format!("an answer cannot be written as JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn a_message_is_lines_and_an_empty_one() {
        let mut text = String::new();
        frame(&mut text, "console", Some("7"), &json!({"text": "a\nb\r"})).unwrap();
        assert_eq!(text, "event: console\nid: 7\ndata: {\"text\":\"a\\nb\\r\"}\n\n");
        text.clear();
        frame(&mut text, "end", None, &RawValue::from_string("[1,\n2]".to_owned()).unwrap()).unwrap();
        assert_eq!(text, "event: end\ndata: [1,\ndata: 2]\n\n");
    }

    #[test]
    fn a_place_that_is_none_names_the_header() {
        assert_eq!(last_event_id::<u64>("12").unwrap(), 12);
        for text in ["x", "-1", "+1", "1.0", "1:2", " 1"] {
            let error = last_event_id::<u64>(text).unwrap_err();
            assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some("Last-Event-ID")), "{text}");
        }
        assert!(last_event_id::<SessionCursor>("01950000-0000-7000-8000-000000000000:3").is_ok());
        assert!(last_event_id::<SessionCursor>("01950000-0000-7000-8000-000000000000").is_err());
    }
}
