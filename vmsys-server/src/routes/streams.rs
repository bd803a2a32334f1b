//! Following executions and sessions: Server-Sent Events, and events that are waited for.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::task::{Context, Poll};
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use vmsys_core::{
    Event, Execution, ExecutionId, ExecutionNews, ExecutionWatch, SessionCursor, SessionNews, SessionStart,
    SessionWatch, VmSystem,
};

use super::executions::AFTER_SEQ;
use super::sessions::{SessionView, shown};
use super::{EXECUTION, SESSION};
use crate::error::{ApiError, Code};
use crate::param::{Declared as _, Param, ParamValue};
use crate::reply::{EventStream, Soon};
use crate::route::{JSON, Part, Request, Route, Source};

const AFTER: Param<SessionCursor> =
    Param::new("after", "Only events after this one; unless given, all of them, startup included. Not with `tail`.");
const TAIL: Param<u32> =
    Param::number("tail", 0, 1000, "Begin with the last so many executions of the session. Not with `after`.");

/// What is said of the place where a stream goes on.
const CUT_OFF: &str = "Where the stream was cut off: the `id` of the last message. It wins over the query.";
const LAST_SEQ: Param<u64> = Param::number("Last-Event-ID", 0, u64::MAX, CUT_OFF).or_empty();
const LAST_CURSOR: Param<SessionCursor> = Param::new("Last-Event-ID", CUT_OFF).or_empty();

pub(super) fn routes() -> [Route<VmSystem>; 2] {
    [
        Route::get("/api/v1/executions/{execution_id}/events/stream", execution)
            .named("streamExecution", "Follows an execution: its events so far, then those to come")
            .saying(
                "Each message has an event's type as `event`, its `seq` as `id` and the `Event` as `data`. The last is \
                 `event: end`, with the `Execution`. A comment every 15 seconds keeps the line open.",
            )
            .with_query(&[&AFTER_SEQ])
            .resuming(&LAST_SEQ)
            .refusing(&[Code::ExecutionNotFound]),
        Route::get("/api/v1/sessions/{session_id}/events/stream", session)
            .named("streamSession", "Follows a session: the events of its executions, and its status")
            .saying(
                "Each message has an event's type as `event`, a `SessionCursor` as `id` and the `Event` as `data`; \
                 `event: session`, with the `Session`, says that its status has changed. The stream ends with the \
                 session. A comment every 15 seconds keeps the line open.",
            )
            .with_query(&[&AFTER, &TAIL])
            .resuming(&LAST_CURSOR)
            .refusing(&[Code::SessionNotFound]),
    ]
}

/// Returns the events of an execution after a place as soon as there are any, or it has ended, or the time has passed.
pub(super) fn awaited(
    vm: &VmSystem,
    id: ExecutionId,
    after_seq: u64,
    limit: Option<u32>,
    at_most: Duration,
) -> Result<Soon<Vec<Event>>, ApiError> {
    let watch = vm.watch(id, after_seq)?;
    Ok(Soon::within(at_most, Awaited { vm: vm.clone(), watch, id, after_seq, limit }))
}

fn execution(vm: &VmSystem, request: &Request) -> Result<EventStream<ExecutionMessage>, ApiError> {
    let id = request.path(&EXECUTION)?;
    // What is wrong in a query is said, also where the header wins.
    let after_seq = request.query.get(&AFTER_SEQ)?.unwrap_or(0);
    let after_seq = match &request.given.last_event_id {
        Some(seq) => last_event_id(&LAST_SEQ, seq)?,
        None => after_seq,
    };
    Ok(EventStream::of(OfExecution(vm.watch(id, after_seq)?)))
}

fn session(vm: &VmSystem, request: &Request) -> Result<EventStream<SessionMessage>, ApiError> {
    let id = request.path(&SESSION)?;
    let (after, tail) = (request.query.get(&AFTER)?, request.query.get(&TAIL)?);
    let start = match (&request.given.last_event_id, after, tail) {
        (Some(cursor), ..) => SessionStart::After(last_event_id(&LAST_CURSOR, cursor)?),
        (None, Some(_), Some(_)) => {
            return Err(ApiError::validation(TAIL.name(), "after and tail both say where to begin: send one of them"));
        }
        (None, Some(cursor), None) => SessionStart::After(cursor),
        (None, None, Some(count)) => SessionStart::Tail(count),
        (None, None, None) => SessionStart::Beginning,
    };
    Ok(EventStream::of(OfSession(vm.clone(), vm.watch_session(id, start)?)))
}

/// Reads the place where a stream was cut off, as the stream itself gave it.
fn last_event_id<T: ParamValue>(param: &Param<T>, text: &str) -> Result<T, ApiError> {
    let why = "Last-Event-ID must be the id of an event of this stream";
    param.read(text).map_err(|_| ApiError::validation(param.name(), why))
}

/// A message of an execution's stream.
struct ExecutionMessage;

impl JsonSchema for ExecutionMessage {
    fn schema_name() -> Cow<'static, str> {
        "ExecutionMessage".into()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let id = json_schema!({"type": "string", "pattern": "^[0-9]+$"});
        message::<Execution>(id, "end", "The execution has ended: nothing comes after it.", schemas)
    }
}

/// A message of a session's stream.
struct SessionMessage;

impl JsonSchema for SessionMessage {
    fn schema_name() -> Cow<'static, str> {
        "SessionMessage".into()
    }

    fn json_schema(schemas: &mut SchemaGenerator) -> Schema {
        let id = schemas.subschema_for::<SessionCursor>();
        message::<SessionView>(id, "session", "The session's status has changed.", schemas)
    }
}

/// Describes a message: an event, with the place behind it as `id`, or something `other` that has no place.
fn message<Other: JsonSchema>(id: Schema, other: &str, about: &str, schemas: &mut SchemaGenerator) -> Schema {
    let data = |schema: Schema| json_schema!({"type": "string", "contentMediaType": JSON, "contentSchema": schema});
    let (event, document) = (data(schemas.subschema_for::<Event>()), data(schemas.subschema_for::<Other>()));
    json_schema!({
        "description": "One message of a stream of Server-Sent Events.",
        "oneOf": [
            {
                "type": "object",
                "description": "An event; the `id` is the place to go on from.",
                "properties": {"event": {"type": "string"}, "id": id, "data": event},
                "required": ["event", "id", "data"],
            },
            {
                "type": "object",
                "description": about,
                "properties": {"event": {"type": "string", "const": other}, "data": document},
                "required": ["event", "data"],
            },
        ],
    })
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

struct OfSession(VmSystem, SessionWatch);

impl Source for OfSession {
    fn read(&mut self) -> Result<Part, ApiError> {
        let mut text = String::new();
        for news in self.1.look()? {
            match news {
                SessionNews::Event(event) => {
                    let id = format!("{}:{}", event.execution_id, event.seq);
                    frame(&mut text, kind(&event), Some(&id), &event)?;
                }
                SessionNews::Session(record) => frame(&mut text, "session", None, &shown(&self.0, *record)?)?,
                _ => {}
            }
        }
        Ok(Part { bytes: text.into(), is_last: self.1.is_over() })
    }

    fn poll_news(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.1.poll_news(context)
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
        assert_eq!(last_event_id(&LAST_SEQ, "12").unwrap(), 12);
        for text in ["x", "-1", "+1", "1.0", "1:2", " 1"] {
            let error = last_event_id(&LAST_SEQ, text).unwrap_err();
            assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some("Last-Event-ID")), "{text}");
        }
        assert!(last_event_id(&LAST_CURSOR, "01950000-0000-7000-8000-000000000000:3").is_ok());
        assert!(last_event_id(&LAST_CURSOR, "01950000-0000-7000-8000-000000000000").is_err());
    }
}
