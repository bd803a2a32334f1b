//! Executions.

use std::borrow::Cow;
use std::sync::Arc;

use rusqlite::ffi::SQLITE_CONSTRAINT_FOREIGNKEY;
use rusqlite::{Connection, Row, params};

use super::event::Encoded;
use super::fault::{Fault, failure};
use super::{KeyUse, Store, all, column, first, session};
use crate::error::{Error, ErrorKind, Result};
use crate::execution::{Execution, ExecutionKind, ExecutionStatus, JsonObject, Metrics};
use crate::ids::{ExecutionId, SessionId};
use crate::lookup::HistoryEntry;
use crate::session::SessionStatus;
use crate::time::Timestamp;
use crate::value::{JsonText, ResultValue, ValueType};

impl Store {
    /// Writes an execution as it stands, and those of its events that begin at `from_seq`, in one transaction.
    ///
    /// What was written before may be written again: the row is replaced, events that are there stay as they are.
    ///
    /// # Errors
    /// [`SessionNotFound`](ErrorKind::SessionNotFound). Detail: `session_id`.
    pub(crate) fn save_execution(&self, execution: &Arc<Execution>, from_seq: u64) -> Result<()> {
        self.write_saves(vec![save(execution, from_seq, None)?])
    }

    /// The same of several at once: all of them or none.
    pub(crate) fn save_executions<'a>(
        &self,
        executions: impl IntoIterator<Item = (&'a Arc<Execution>, u64)>,
    ) -> Result<()> {
        let saves = executions.into_iter().map(|(execution, from_seq)| save(execution, from_seq, None));
        self.write_saves(saves.collect::<Result<_>>()?)
    }

    /// Writes an execution as it begins, and in the same transaction the key that it was asked for under.
    pub(crate) fn save_begun(&self, execution: &Arc<Execution>, key: Option<KeyUse>) -> Result<()> {
        self.write_saves(vec![save(execution, 1, key)?])
    }

    /// Writes the end of an execution, and that its session has crashed with it, in one transaction: whoever waits for both
    /// waits for the disk once.
    pub(crate) fn save_last(&self, execution: &Arc<Execution>, from_seq: u64, why: &str) -> Result<()> {
        let Save { write, events, bytes } = save(execution, from_seq, None)?;
        let (session_id, why) = (execution.session_id, why.to_owned());
        let write = move |connection: &Connection| {
            write(connection)?;
            session::update(connection, session_id, SessionStatus::Crashed, None, Some(&why))
        };
        self.write_saves(vec![Save { write, events, bytes }])
    }

    fn write_saves<F>(&self, saves: Vec<Save<F>>) -> Result<()>
    where
        F: FnOnce(&Connection) -> Result<(), Fault> + Send + 'static,
    {
        let events = saves.iter().map(|save| save.events).sum();
        let bytes = saves.iter().map(|save| save.bytes).sum();
        self.write(move |connection| saves.into_iter().try_for_each(|save| (save.write)(connection)))?;
        self.0.events.add(events);
        self.0.event_bytes.add(bytes);
        Ok(())
    }

    /// Returns an execution without its events.
    ///
    /// # Errors
    /// [`ExecutionNotFound`](ErrorKind::ExecutionNotFound). Detail: `execution_id`.
    pub(crate) fn execution(&self, id: ExecutionId) -> Result<Execution> {
        self.read(|connection| {
            let select = connection.prepare_cached("SELECT * FROM executions WHERE id = ?1 AND status <> 'deleted'")?;
            first(select, [id.as_bytes()], execution)?.ok_or_else(|| not_found(id).into())
        })
    }

    /// Lists the executions of a session without their events, newest first, only those older than `before`.
    ///
    /// # Errors
    /// [`SessionNotFound`](ErrorKind::SessionNotFound). Detail: `session_id`.
    pub(crate) fn executions(
        &self,
        session_id: SessionId,
        before: Option<ExecutionId>,
        limit: u32,
    ) -> Result<Vec<Execution>> {
        self.read(|connection| {
            let select = connection.prepare_cached(
                "SELECT * FROM executions WHERE session_id = ?1 AND id < ?2 AND status <> 'deleted'
                 ORDER BY id DESC LIMIT ?3",
            )?;
            let before = before.as_ref().map_or(&column::AFTER_ALL, ExecutionId::as_bytes);
            let found = all(select, params![session_id.as_bytes(), before, limit], execution)?;
            if found.is_empty() && !session::exists(connection, session_id)? {
                return Err(session::not_found(session_id).into());
            }
            Ok(found)
        })
    }
}

impl Store {
    /// Returns the oldest execution of a session that is younger than `after`.
    pub(crate) fn execution_after(
        &self,
        session_id: SessionId,
        after: Option<ExecutionId>,
    ) -> Result<Option<ExecutionId>> {
        self.read(|connection| {
            let select = connection.prepare_cached(
                "SELECT id FROM executions WHERE session_id = ?1 AND id > ?2 AND status <> 'deleted'
                 ORDER BY id LIMIT 1",
            )?;
            let after = after.as_ref().map_or(&column::BEFORE_ALL, ExecutionId::as_bytes);
            let id = |row: &Row<'_>| column::id(row, "id", ExecutionId::from_bytes);
            first(select, params![session_id.as_bytes(), after], id)
        })
    }
}

impl Store {
    /// Lists the snippets that were run in a session, newest first, only those of executions older than `before`: as many as
    /// have that much text together, but at least one.
    ///
    /// # Errors
    /// [`SessionNotFound`](ErrorKind::SessionNotFound). Detail: `session_id`.
    pub(crate) fn inputs(
        &self,
        session_id: SessionId,
        before: Option<ExecutionId>,
        limit: u32,
        most_bytes: usize,
    ) -> Result<Vec<HistoryEntry>> {
        self.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT id, input, started_at FROM executions
                 WHERE session_id = ?1 AND id < ?2 AND status <> 'deleted' AND kind = 'repl' ORDER BY id DESC LIMIT ?3",
            )?;
            let before = before.as_ref().map_or(&column::AFTER_ALL, ExecutionId::as_bytes);
            let mut rows = select.query(params![session_id.as_bytes(), before, limit])?;
            let (mut found, mut bytes) = (Vec::new(), 0);
            while let Some(row) = rows.next()? {
                let input = column::text(row, "input")?.to_owned();
                bytes += input.len();
                if bytes > most_bytes && !found.is_empty() {
                    break;
                }
                let execution_id = column::id(row, "id", ExecutionId::from_bytes)?;
                found.push(HistoryEntry { execution_id, input, started_at: column::time(row, "started_at")? });
            }
            if found.is_empty() && !session::exists(connection, session_id)? {
                return Err(session::not_found(session_id).into());
            }
            Ok(found)
        })
    }
}

/// The write of an execution, and how much it writes.
struct Save<F> {
    write: F,
    events: u64,
    bytes: u64,
}

/// Makes the write of an execution: its documents are put into words at once.
fn save(
    execution: &Arc<Execution>,
    from_seq: u64,
    key: Option<KeyUse>,
) -> Result<Save<impl FnOnce(&Connection) -> Result<(), Fault> + Send + use<>>> {
    let begin = execution.events.partition_point(|event| event.seq < from_seq);
    // JSON is written here, by the caller, and not by the leader while everybody waits.
    let events = Encoded::new(&execution.events[begin..])?;
    let args = object(&execution.args)?;
    let env = object(&execution.env)?;
    let error = execution.error.as_ref().map(serde_json::to_string).transpose().map_err(not_json)?;
    let result_type = execution.result.as_ref().map(|result| result.kind.to_string());
    let execution = Arc::clone(execution);
    let (count, bytes) = events.size();
    let write = move |connection: &Connection| {
        let mut upsert = connection.prepare_cached(UPSERT)?;
        let result = execution.result.as_ref();
        let saved = upsert.execute(params![
            execution.id.as_bytes(),
            execution.session_id.as_bytes(),
            execution.kind.as_str(),
            execution.input,
            execution.path,
            args,
            env,
            execution.status.as_str(),
            execution.started_at.as_millis(),
            execution.ended_at.map(Timestamp::as_millis),
            result_type,
            result.map(|result| &result.preview),
            result.and_then(|result| result.json.as_ref()).map(JsonText::as_str),
            error,
            column::stored(execution.metrics.wall_ms),
            column::stored(execution.metrics.cpu_ms),
            column::stored(execution.metrics.memory_bytes),
            column::stored(execution.metrics.event_count),
            column::stored(execution.metrics.output_bytes),
        ]);
        match saved.map_err(Fault::from) {
            Err(fault) if fault.violates(SQLITE_CONSTRAINT_FOREIGNKEY) => {
                return Err(session::not_found(execution.session_id).into());
            }
            other => other?,
        };
        events.insert(connection, &execution.events[begin..])?;
        key.map_or(Ok(()), |key| key.insert(connection, execution.id))
    };
    Ok(Save { write, events: count, bytes })
}

/// What an execution was started with never changes; the rest is as it stands.
const UPSERT: &str = "
    INSERT INTO executions (id, session_id, kind, input, path, args, env, status, started_at, ended_at, result_type,
        result_preview, result_json, error, wall_ms, cpu_ms, memory_bytes, event_count, output_bytes)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)
    ON CONFLICT (id) DO UPDATE SET
        status = excluded.status, ended_at = excluded.ended_at, result_type = excluded.result_type,
        result_preview = excluded.result_preview, result_json = excluded.result_json, error = excluded.error,
        wall_ms = excluded.wall_ms, cpu_ms = excluded.cpu_ms, memory_bytes = excluded.memory_bytes,
        event_count = excluded.event_count, output_bytes = excluded.output_bytes";

pub(super) fn exists(connection: &Connection, id: ExecutionId) -> Result<bool, Fault> {
    let select = connection.prepare_cached("SELECT 1 FROM executions WHERE id = ?1 AND status <> 'deleted'");
    Ok(select?.exists([id.as_bytes()])?)
}

pub(super) fn not_found(id: ExecutionId) -> Error {
    Error::new(ErrorKind::ExecutionNotFound, "Execution not found").with("execution_id", id)
}

fn not_json(error: serde_json::Error) -> Error {
    failure("an execution cannot be written as JSON", error)
}

fn object(object: &JsonObject) -> Result<Cow<'static, str>> {
    if object.is_empty() {
        return Ok(Cow::Borrowed("{}"));
    }
    serde_json::to_string(object).map(Cow::Owned).map_err(not_json)
}

fn execution(row: &Row<'_>) -> Result<Execution, Fault> {
    Ok(Execution {
        id: column::id(row, "id", ExecutionId::from_bytes)?,
        session_id: column::id(row, "session_id", SessionId::from_bytes)?,
        kind: column::word(row, "kind", kind)?,
        input: row.get("input")?,
        path: row.get("path")?,
        args: column::json(row, "args")?,
        env: column::json(row, "env")?,
        status: column::word(row, "status", status)?,
        started_at: column::time(row, "started_at")?,
        ended_at: column::optional_time(row, "ended_at")?,
        result: result(row)?,
        error: column::optional_json(row, "error")?,
        metrics: Metrics {
            wall_ms: column::count(row, "wall_ms")?,
            cpu_ms: column::count(row, "cpu_ms")?,
            memory_bytes: column::count(row, "memory_bytes")?,
            event_count: column::count(row, "event_count")?,
            output_bytes: column::count(row, "output_bytes")?,
        },
        events: Vec::new(),
    })
}

fn result(row: &Row<'_>) -> Result<Option<ResultValue>, Fault> {
    if column::optional_text(row, "result_type")?.is_none() {
        return Ok(None);
    }
    let json = row.get::<_, Option<String>>("result_json")?.map(JsonText::parse).transpose();
    Ok(Some(ResultValue {
        kind: column::word(row, "result_type", value_type)?,
        preview: row.get("result_preview")?,
        json: json.map_err(|error| column::unreadable("result_json", error))?,
        // The event that tells the value has it.
        tree: None,
    }))
}

fn value_type(text: &str) -> Option<ValueType> {
    use serde::Deserialize;
    use serde::de::IntoDeserializer;
    use serde::de::value::{Error, StrDeserializer};
    let word: StrDeserializer<'_, Error> = text.into_deserializer();
    ValueType::deserialize(word).ok()
}

fn kind(text: &str) -> Option<ExecutionKind> {
    use ExecutionKind as K;
    [K::Repl, K::RunFile, K::Startup, K::Call, K::SetGlobal].into_iter().find(|kind| kind.as_str() == text)
}

fn status(text: &str) -> Option<ExecutionStatus> {
    use ExecutionStatus as S;
    [S::Running, S::Ok, S::Error, S::Timeout, S::Cancelled].into_iter().find(|status| status.as_str() == text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::event::{ConsoleLevel, Event, Payload};
    use crate::execution::{ErrorCode, ExecutionError};
    use crate::store::tests::{in_memory, new_execution, new_session, with_session};

    #[test]
    fn an_execution_is_read_back() {
        let (store, session) = with_session(in_memory());
        let mut execution = new_execution(session.id);
        execution.input = Some("a\0b".to_owned());
        execution.path = Some("'; DELETE FROM executions; --".to_owned());
        execution.args.insert("z".to_owned(), serde_json::json!({"b": [1.5, null], "a": "\u{1f600}"}));
        execution.env.insert("HOME".to_owned(), "/".into());
        execution.metrics = Metrics { wall_ms: u64::MAX, cpu_ms: 2, memory_bytes: 3, event_count: 4, output_bytes: 5 };
        execution.error = Some(ExecutionError {
            message: "Error: x".to_owned(),
            stack: Some("at y".to_owned()),
            name: None,
            code: Some(ErrorCode::WorkerDied),
        });
        for json in [None, Some("null"), Some("1e+21"), Some("{\"b\": 1, \"a\": 2}")] {
            let json = json.map(|json| JsonText::parse(json.to_owned()).unwrap());
            execution.id = ExecutionId::new();
            execution.result =
                Some(ResultValue { kind: ValueType::Object, preview: "[x]".to_owned(), json, tree: None });
            execution.events.clear();
            store.save_execution(&Arc::new(execution.clone()), 1).unwrap();
            let mut expected = execution.clone();
            expected.metrics.wall_ms = i64::MAX.cast_unsigned();
            assert_eq!(store.execution(execution.id).unwrap(), expected);
        }
    }

    #[test]
    fn a_running_one_is_written_in_pieces() {
        let (store, session) = with_session(in_memory());
        let mut execution = new_execution(session.id);
        let last = execution.events.pop().unwrap();
        execution.status = ExecutionStatus::Running;
        execution.ended_at = None;
        store.save_execution(&Arc::new(execution.clone()), 1).unwrap();
        assert_eq!(store.execution(execution.id).unwrap().status, ExecutionStatus::Running);
        assert_eq!(store.events(execution.id, 0, u32::MAX).unwrap(), execution.events);

        execution.status = ExecutionStatus::Ok;
        execution.ended_at = Some(Timestamp::from_millis(9));
        execution.events.push(last);
        store.save_execution(&Arc::new(execution.clone()), 2).unwrap();
        // An answer that got lost: the same again changes nothing.
        store.save_execution(&Arc::new(execution.clone()), 1).unwrap();
        assert_eq!(store.events(execution.id, 0, u32::MAX).unwrap(), execution.events);
        execution.events.clear();
        assert_eq!(store.execution(execution.id).unwrap(), execution);
    }

    #[test]
    fn lists_are_of_one_session_newest_first() {
        let (store, session) = with_session(in_memory());
        let other = new_session(session.template_id);
        store.insert_session(&other).unwrap();
        assert_eq!(store.executions(other.id, None, 50).unwrap(), []);
        let mut ids = Vec::new();
        for _ in 0..5 {
            for session in [&session, &other] {
                let execution = new_execution(session.id);
                store.save_execution(&Arc::new(execution.clone()), 1).unwrap();
                ids.push(execution.id);
            }
        }
        let newest: Vec<_> = ids.iter().copied().step_by(2).rev().collect();
        let list = |before, limit| -> Vec<_> {
            store.executions(session.id, before, limit).unwrap().into_iter().map(|execution| execution.id).collect()
        };
        assert_eq!(list(None, u32::MAX), newest);
        assert_eq!(list(Some(newest[1]), 2), newest[2..4]);
        let unknown = SessionId::new();
        let error = store.executions(unknown, None, 50).unwrap_err();
        assert_eq!(error.detail("session_id"), Some(unknown.to_string().as_str()));
    }

    #[test]
    fn inputs_are_of_snippets_and_no_more_than_asked_for() {
        let (store, session) = with_session(in_memory());
        assert_eq!(store.inputs(session.id, None, 50, 1000).unwrap(), []);
        let mut ids = Vec::new();
        for (kind, input) in [("repl", Some("a")), ("file", None), ("repl", Some("long text")), ("repl", Some("c"))] {
            let mut execution = new_execution(session.id);
            execution.kind = if kind == "repl" { ExecutionKind::Repl } else { ExecutionKind::RunFile };
            execution.input = input.map(str::to_owned);
            store.save_execution(&Arc::new(execution.clone()), 1).unwrap();
            ids.push(execution.id);
        }
        let list = |before, limit, bytes| -> Vec<String> {
            store.inputs(session.id, before, limit, bytes).unwrap().into_iter().map(|entry| entry.input).collect()
        };
        assert_eq!(list(None, 50, 1000), ["c", "long text", "a"]);
        assert_eq!(list(None, 2, 1000), ["c", "long text"]);
        assert_eq!(list(Some(ids[2]), 50, 1000), ["a"]);
        // However long, there is one.
        assert_eq!(list(None, 50, 3), ["c"]);
        assert_eq!(list(Some(ids[3]), 50, 3), ["long text"]);
        let unknown = SessionId::new();
        assert_eq!(store.inputs(unknown, None, 50, 1).unwrap_err().kind(), ErrorKind::SessionNotFound);
    }

    #[test]
    fn one_without_a_session_is_refused_whole() {
        let store = in_memory();
        let execution = new_execution(SessionId::new());
        assert_eq!(
            store.save_execution(&Arc::new(execution.clone()), 1).unwrap_err().kind(),
            ErrorKind::SessionNotFound
        );
        assert_eq!(store.execution(execution.id).unwrap_err().kind(), ErrorKind::ExecutionNotFound);
    }

    #[test]
    fn a_row_edited_by_hand_is_an_error() {
        let (store, session) = with_session(in_memory());
        let mut execution = new_execution(session.id);
        execution.error = Some(ExecutionError { message: String::new(), stack: None, name: None, code: None });
        store.save_execution(&Arc::new(execution.clone()), 1).unwrap();
        let edits = [
            "args = '[]'",
            "env = '{'",
            "status = 'lost'",
            "kind = ''",
            "result_type = 'x'",
            "result_json = '{'",
            "error = '{}'",
            "wall_ms = -1",
            "args = CAST(x'ff' AS TEXT)",
            "result_preview = CAST(x'ff' AS TEXT)",
            "result_preview = NULL",
        ];
        for edit in edits {
            let connection = store.0.writer.connection();
            connection.execute_batch(&format!("SAVEPOINT s; UPDATE executions SET {edit}")).unwrap();
            drop(connection);
            let error = store.execution(execution.id).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Internal, "{edit}");
            assert!(std::error::Error::source(&error).is_some(), "{edit}");
            store.0.writer.connection().execute_batch("ROLLBACK TO s; RELEASE s").unwrap();
        }
        execution.events.clear();
        assert_eq!(store.execution(execution.id).unwrap(), execution);
    }

    #[test]
    fn the_end_of_an_execution_and_of_its_session_are_stored_together_or_not_at_all() {
        let (store, session) = with_session(in_memory());
        let execution = Arc::new(new_execution(session.id));
        store.save_last(&execution, 1, "its worker died").unwrap();
        assert_eq!(store.execution(execution.id).unwrap().status, execution.status);
        let crashed = store.session(session.id).unwrap();
        assert_eq!((crashed.status, crashed.last_error.as_deref()), (SessionStatus::Crashed, Some("its worker died")));

        let nowhere = Arc::new(new_execution(SessionId::new()));
        assert_eq!(store.save_last(&nowhere, 1, "no").unwrap_err().kind(), ErrorKind::SessionNotFound);
        assert!(store.execution(nowhere.id).unwrap_err().is_not_found());
    }

    /// `cargo test --release -p vmsys-core --lib store -- --ignored --nocapture cost`
    #[test]
    #[ignore = "a measurement"]
    #[expect(clippy::print_stdout, reason = "its result")]
    fn cost_of_a_save() {
        use crate::store::Durability;
        let directory = tempfile::tempdir().unwrap();
        let stores = [
            ("in memory", in_memory(), 50_000),
            ("normal", Store::open(Some(&directory.path().join("normal.db")), Durability::Normal).unwrap(), 20_000),
            ("full", Store::open(Some(&directory.path().join("full.db")), Durability::Full).unwrap(), 1_000),
        ];
        for (name, store, rounds) in stores {
            let (store, session) = with_session(store);
            let executions: Vec<_> = (0..rounds).map(|_| Arc::new(new_execution(session.id))).collect();
            let start = std::time::Instant::now();
            for execution in &executions {
                store.save_execution(execution, 1).unwrap();
            }
            println!("{name}: {:.1} µs each", start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds));

            let more: Vec<_> = (0..rounds).map(|_| Arc::new(new_execution(session.id))).collect();
            let start = std::time::Instant::now();
            std::thread::scope(|scope| {
                for part in more.chunks(more.len() / 16) {
                    let store = &store;
                    scope.spawn(move || part.iter().for_each(|execution| store.save_execution(execution, 1).unwrap()));
                }
            });
            println!("{name}, 16 threads: {:.1} µs each", start.elapsed().as_secs_f64() * 1e6 / f64::from(rounds));
        }
    }

    #[test]
    fn several_are_saved_together_or_not_at_all() {
        let (store, session) = with_session(in_memory());
        let executions: Vec<_> = (0..5).map(|_| Arc::new(new_execution(session.id))).collect();
        let orphan = Arc::new(new_execution(SessionId::new()));
        let all = executions.iter().chain([&orphan]).map(|execution| (execution, 1));
        assert_eq!(store.save_executions(all).unwrap_err().kind(), ErrorKind::SessionNotFound);
        assert_eq!(store.executions(session.id, None, 50).unwrap(), []);
        store.save_executions(executions.iter().map(|execution| (execution, 2))).unwrap();
        for execution in &executions {
            assert_eq!(store.events(execution.id, 0, u32::MAX).unwrap(), execution.events[1..]);
        }
    }

    #[test]
    fn many_events_are_one_write() {
        let (store, session) = with_session(in_memory());
        let mut execution = new_execution(session.id);
        execution.events = (1..=5_000)
            .map(|seq| Event {
                execution_id: execution.id,
                seq,
                ts: Timestamp::from_millis(1),
                payload: Payload::Console {
                    level: ConsoleLevel::Log,
                    text: "x".repeat(usize::try_from(seq).unwrap() % 300),
                    args: Vec::new(),
                },
            })
            .collect();
        store.save_execution(&Arc::new(execution.clone()), 1).unwrap();
        assert_eq!(store.events(execution.id, 0, u32::MAX).unwrap(), execution.events);
    }
}
