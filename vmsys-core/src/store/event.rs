//! Events: their rows, and their payloads as text.

use rusqlite::{Connection, Row, params};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::fault::{Fault, failure};
use super::{Store, all, column, execution};
use crate::error::Result;
use crate::event::{Event, Payload};
use crate::ids::ExecutionId;
use crate::value::{JsonText, ResultValue, TreeText, ValueType};

impl Store {
    /// Lists the events after a place, in order; `u32::MAX` is all of them.
    ///
    /// # Errors
    /// [`ExecutionNotFound`](crate::ErrorKind::ExecutionNotFound). Detail: `execution_id`.
    pub(crate) fn events(&self, id: ExecutionId, after_seq: u64, limit: u32) -> Result<Vec<Event>> {
        self.read(|connection| {
            let select = connection.prepare_cached(
                // Of one that is being deleted some may still be there.
                "SELECT seq, ts, type, payload FROM events WHERE execution_id = ?1 AND seq > ?2
                    AND EXISTS (SELECT 1 FROM executions WHERE id = ?1 AND status <> 'deleted')
                 ORDER BY seq LIMIT ?3",
            )?;
            let events = all(select, params![id.as_bytes(), column::stored(after_seq), limit], |row| event(row, id))?;
            if events.is_empty() && !execution::exists(connection, id)? {
                return Err(execution::not_found(id).into());
            }
            Ok(events)
        })
    }
}

/// The payloads of some events as text, one behind the other: written by the caller's thread, before the queue.
pub(super) struct Encoded {
    text: Vec<u8>,
    /// Where each begins and ends.
    spans: Vec<(usize, usize)>,
}

impl Encoded {
    pub(super) fn new(events: &[Event]) -> Result<Self> {
        let mut text = Vec::with_capacity(96 * events.len());
        let spans = events.iter().map(|event| append(&mut text, &event.payload)).collect::<Result<_>>()?;
        Ok(Self { text, spans })
    }

    /// How many events there are, and the bytes of their payloads.
    pub(super) fn size(&self) -> (u64, u64) {
        (self.spans.len() as u64, self.spans.iter().map(|(start, end)| (end - start) as u64).sum())
    }

    pub(super) fn insert(&self, connection: &Connection, events: &[Event]) -> std::result::Result<(), Fault> {
        if events.is_empty() {
            return Ok(());
        }
        // An event never changes: one that is there already was written by an attempt whose answer got lost.
        let mut insert = connection.prepare_cached(
            "INSERT INTO events (execution_id, seq, ts, type, payload) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (execution_id, seq) DO NOTHING",
        )?;
        for (event, &(start, end)) in events.iter().zip(&self.spans) {
            let payload = std::str::from_utf8(&self.text[start..end])
                .map_err(|error| failure("an event cannot be written as JSON", error))?;
            insert.execute(params![
                event.execution_id.as_bytes(),
                column::stored(event.seq),
                event.ts.as_millis(),
                event.payload.type_name(),
                payload,
            ])?;
        }
        Ok(())
    }
}

/// Appends a payload's document, and says which part of it goes into the column `payload`.
///
/// The document is `{"type":"console","payload":{…}}`: its shape is defined once, by the type, and the row keeps the two
/// parts in columns of their own.
fn append(text: &mut Vec<u8>, payload: &Payload) -> Result<(usize, usize)> {
    let start = text.len();
    serde_json::to_writer(&mut *text, payload).map_err(|error| failure("an event cannot be written as JSON", error))?;
    let before = r#"{"type":"","payload":"#.len() + payload.type_name().len();
    Ok((start + before, text.len() - "}".len()))
}

/// Returns what the column `payload` has of an event.
pub(super) fn payload_text(payload: &Payload) -> Result<String> {
    let mut text = Vec::new();
    let (start, end) = append(&mut text, payload)?;
    let part = std::str::from_utf8(&text[start..end]);
    part.map(str::to_owned).map_err(|error| failure("an event cannot be written as JSON", error))
}

fn event(row: &Row<'_>, execution_id: ExecutionId) -> std::result::Result<Event, Fault> {
    let kind = column::text(row, "type")?;
    let text = column::text(row, "payload")?;
    let payload = match kind {
        // Not through the type's own reading: that goes through `serde_json::Value`, in which `1e+21` would come out
        // as `1e21`, and a result that is `null` as none at all.
        "value" => serde_json::from_str::<StoredResult<'_>>(text).and_then(StoredResult::value).map(Payload::Value),
        _ => serde_json::from_str(&format!(r#"{{"type":"{kind}","payload":{text}}}"#)),
    };
    Ok(Event {
        execution_id,
        seq: column::count(row, "seq")?,
        ts: column::time(row, "ts")?,
        payload: payload.map_err(|error| column::unreadable("payload", error))?,
    })
}

#[derive(Deserialize)]
struct StoredResult<'a> {
    #[serde(rename = "type")]
    kind: ValueType,
    preview: String,
    #[serde(borrow, default, deserialize_with = "present")]
    json: Option<&'a RawValue>,
    #[serde(default)]
    tree: Option<TreeText>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<&'de RawValue>, D::Error> {
    <&RawValue>::deserialize(deserializer).map(Some)
}

impl StoredResult<'_> {
    fn value(self) -> serde_json::Result<ResultValue> {
        let json = self.json.map(|json| JsonText::parse(json.get().to_owned())).transpose()?;
        Ok(ResultValue { kind: self.kind, preview: self.preview, json, tree: self.tree })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::error::ErrorKind;
    use crate::event::{ConsoleLevel, SystemLevel};
    use crate::store::tests::{in_memory, new_execution, with_session};
    use crate::time::Timestamp;

    fn text() -> impl Strategy<Value = String> {
        // Any characters, among them NUL, quotes, line separators and those outside of the first plane.
        prop_oneof![any::<String>(), "[\\PC\"\\\\\u{0}\u{2028}\r\n]{0,40}", Just(String::new())]
    }

    fn json() -> impl Strategy<Value = JsonText> {
        prop_oneof![
            Just("null"),
            Just("1e+21"),
            Just("-0"),
            Just("12345678901234567890123"),
            Just(r#"{"b":1,"a":[1.50,"\u0000",{}]}"#),
            Just(r#""text""#),
        ]
        .prop_map(|text| JsonText::parse(text.to_owned()).unwrap())
    }

    fn value_type() -> impl Strategy<Value = ValueType> {
        prop_oneof![
            Just(ValueType::Undefined),
            Just(ValueType::Null),
            Just(ValueType::Typedarray),
            Just(ValueType::Object)
        ]
    }

    fn payload() -> impl Strategy<Value = Payload> {
        use ConsoleLevel as C;
        use SystemLevel as S;
        let level = prop_oneof![Just(C::Log), Just(C::Info), Just(C::Warn), Just(C::Error), Just(C::Debug)];
        let system = prop_oneof![Just(S::Info), Just(S::Warn), Just(S::Error)];
        let maybe = || proptest::option::of(text());
        prop_oneof![
            text().prop_map(|text| Payload::InputEcho { text }),
            (level, text()).prop_map(|(level, text)| Payload::Console { level, text, args: Vec::new() }),
            (value_type(), text(), proptest::option::of(json()))
                .prop_map(|(kind, preview, json)| Payload::Value(ResultValue { kind, preview, json, tree: None })),
            (text(), maybe(), maybe()).prop_map(|(message, stack, name)| Payload::Exception { message, stack, name }),
            (system, text(), maybe()).prop_map(|(level, message, code)| Payload::System { level, message, code }),
            text().prop_map(|text| Payload::Stdout { text }),
            text().prop_map(|text| Payload::Stderr { text }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn events_come_back_as_they_went(payloads in proptest::collection::vec(payload(), 1..12), after in 0u64..14, limit in 0u32..14) {
            let (store, session) = with_session(in_memory());
            let mut execution = new_execution(session.id);
            execution.events = payloads
                .into_iter()
                .zip(1..)
                .map(|(payload, seq)| Event {
                    execution_id: execution.id, seq, ts: Timestamp::from_millis(seq.cast_signed() * 3), payload,
                })
                .collect();
            let execution = Arc::new(execution);
            store.save_execution(&execution, 1).unwrap();
            prop_assert_eq!(&store.events(execution.id, 0, u32::MAX).unwrap(), &execution.events);
            let page: Vec<_> =
                execution.events.iter().filter(|event| event.seq > after).take(limit as usize).cloned().collect();
            prop_assert_eq!(store.events(execution.id, after, limit).unwrap(), page);
        }

        #[test]
        fn a_row_holds_the_parts_of_the_document(payload in payload()) {
            let event =
                Event { execution_id: ExecutionId::new(), seq: 1, ts: Timestamp::from_millis(0), payload };
            let encoded = Encoded::new(std::slice::from_ref(&event)).unwrap();
            let (start, end) = encoded.spans[0];
            let whole: serde_json::Value = serde_json::to_value(&event.payload).unwrap();
            let part: serde_json::Value = serde_json::from_slice(&encoded.text[start..end]).unwrap();
            prop_assert_eq!(&whole["payload"], &part);
            prop_assert_eq!(&whole["type"], event.payload.type_name());
        }
    }

    #[test]
    fn events_of_no_execution_are_not_found() {
        let (store, session) = with_session(in_memory());
        let id = ExecutionId::new();
        let error = store.events(id, 0, u32::MAX).unwrap_err();
        assert_eq!(
            (error.kind(), error.detail("execution_id")),
            (ErrorKind::ExecutionNotFound, Some(id.to_string().as_str()))
        );

        let execution = Arc::new(new_execution(session.id));
        store.save_execution(&execution, 1).unwrap();
        assert_eq!(store.events(execution.id, u64::MAX, u32::MAX).unwrap(), []);
        assert_eq!(store.events(execution.id, 0, 0).unwrap(), []);
    }

    #[test]
    fn a_row_edited_by_hand_is_an_error() {
        let (store, session) = with_session(in_memory());
        let execution = Arc::new(new_execution(session.id));
        store.save_execution(&execution, 1).unwrap();
        for (kind, payload) in
            [("console", "{"), ("console", "{}"), ("what", "{}"), ("x\"", "{}"), ("value", "{\"type\":1}")]
        {
            let edit = rusqlite::params![kind, payload];
            store.0.writer.connection().execute("UPDATE events SET type = ?1, payload = ?2", edit).unwrap();
            assert_eq!(store.events(execution.id, 0, 9).unwrap_err().kind(), ErrorKind::Internal, "{kind} {payload}");
        }
    }
}
