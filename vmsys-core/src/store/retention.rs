//! Deleting history: in steps that others do not notice, each of them one transaction.
//!
//! A step reads on from a place, on a connection for reading, and hands the writer a range whose size it knows. Ids sort
//! by age, and so what is to go lies together: no step searches, and none needs an index that writers would pay for.

use std::sync::{Arc, OnceLock};

use rusqlite::{CachedStatement, Connection, Params, params};

use super::fault::Fault;
use super::{Store, all, column, first, idempotency};
use crate::error::Result;
use crate::ids::{ExecutionId, SessionId};
use crate::time::Timestamp;

/// How many events one step deletes: one or two milliseconds of the writer's time.
const STEP_EVENTS: u64 = 512;

/// How many rows one step reads at most, those that stay among them.
const STEP_READ: u32 = 512;

/// What an execution costs besides its events, in events: a row, that of an index, and looking for what refers to it.
const EXECUTION_COST: u64 = 8;

/// How much later than its end, at most, the id of an execution says that it began: ids and times are read off the clock
/// one after the other, and the clock may be set in between.
const ID_SLACK_MS: i64 = 60_000;

/// Which executions may be deleted, whatever asks for it. A key that is still known keeps what it stands for.
macro_rules! may_go {
    ($held_since:literal) => {
        concat!(
            "status <> 'running' AND NOT EXISTS (SELECT 1 FROM idempotency_keys
               WHERE execution_id = executions.id AND created_at > ",
            $held_since,
            ")"
        )
    };
}

const SELECT_ENDED: &str = concat!(
    "SELECT id, event_count, ended_at < ?4 AS is_due, ",
    may_go!("?5"),
    " AS may_go FROM executions WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3"
);
const DELETE_ENDED: &str =
    concat!("DELETE FROM executions WHERE id > ?1 AND id <= ?2 AND ended_at < ?3 AND ", may_go!("?4"));

const SELECT_SURPLUS: &str = concat!(
    "SELECT id, event_count, 1 AS is_due, ",
    may_go!("?5"),
    " AS may_go FROM executions WHERE session_id = ?1 AND id > ?2
        AND id <= (SELECT id FROM executions WHERE session_id = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?4)
      ORDER BY id LIMIT ?3"
);
const DELETE_SURPLUS: &str =
    concat!("DELETE FROM executions WHERE session_id = ?1 AND id > ?2 AND id <= ?3 AND ", may_go!("?4"));

/// One that crashed has no time of its end: it goes by that of its executions, and by its own age when they are gone.
macro_rules! session_may_go {
    ($before:literal) => {
        concat!(
            "status IN ('closed', 'crashed') AND coalesce(closed_at, created_at) < ",
            $before,
            " AND NOT EXISTS (SELECT 1 FROM executions WHERE session_id = sessions.id)"
        )
    };
}

const SELECT_SESSIONS: &str = concat!(
    "SELECT id, ",
    session_may_go!("?4"),
    " AS may_go FROM sessions WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3"
);
const DELETE_SESSIONS: &str = concat!("DELETE FROM sessions WHERE id > ?1 AND id <= ?2 AND ", session_may_go!("?3"));

const SELECT_OVER: &str = "
    SELECT id, EXISTS (SELECT 1 FROM executions WHERE session_id = sessions.id LIMIT 1 OFFSET ?3) AS is_over
    FROM sessions WHERE id > ?1 ORDER BY id LIMIT ?2";

/// What a step has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Step<Id> {
    /// How many rows are gone, those of events not counted.
    pub(crate) deleted: usize,
    /// Whether some were left that will be due later, when a key has expired or an execution has ended.
    pub(crate) held: bool,
    /// The place from which the next step goes on; without one this was the last.
    pub(crate) next: Option<Id>,
}

impl Store {
    /// Deletes some of the executions that ended before a time, of those after a place the oldest.
    pub(crate) fn delete_ended(
        &self,
        after: Option<ExecutionId>,
        before: Timestamp,
        now: Timestamp,
    ) -> Result<Step<ExecutionId>> {
        let place = place(after.as_ref().map(ExecutionId::as_bytes));
        let (before_ms, held_since) = (before.as_millis(), idempotency::held_since(now));
        let batch = self.read(|connection| {
            let select = connection.prepare_cached(SELECT_ENDED)?;
            Batch::read(select, params![place, youngest(before), STEP_READ, before_ms, held_since], place)
        })?;
        self.delete_batch(batch, held_since, move |connection, last| {
            Ok(connection.prepare_cached(DELETE_ENDED)?.execute(params![place, last, before_ms, held_since])?)
        })
    }

    /// Deletes some of the executions of a session that are older than its newest `keep`, those after a place.
    pub(crate) fn delete_surplus(
        &self,
        session: SessionId,
        keep: u64,
        after: Option<ExecutionId>,
        now: Timestamp,
    ) -> Result<Step<ExecutionId>> {
        let place = place(after.as_ref().map(ExecutionId::as_bytes));
        let held_since = idempotency::held_since(now);
        let batch = self.read(|connection| {
            let select = connection.prepare_cached(SELECT_SURPLUS)?;
            let keep = column::stored(keep);
            Batch::read(select, params![session.as_bytes(), place, STEP_READ, keep, held_since], place)
        })?;
        self.delete_batch(batch, held_since, move |connection, last| {
            let mut delete = connection.prepare_cached(DELETE_SURPLUS)?;
            Ok(delete.execute(params![session.as_bytes(), place, last, held_since])?)
        })
    }

    /// Deletes some of the sessions that ended before a time and have no executions left.
    pub(crate) fn delete_sessions(&self, after: Option<SessionId>, before: Timestamp) -> Result<Step<SessionId>> {
        let place = place(after.as_ref().map(SessionId::as_bytes));
        let before_ms = before.as_millis();
        let found: Vec<([u8; 16], bool)> = self.read(|connection| {
            let select = connection.prepare_cached(SELECT_SESSIONS)?;
            all(select, params![place, youngest(before), STEP_READ, before_ms], |row| {
                Ok((row.get("id")?, row.get("may_go")?))
            })
        })?;
        let next = found.last().filter(|_| is_full(&found)).map(|(id, _)| SessionId::from_bytes(*id));
        let Some((last, _)) = found.iter().rfind(|(_, may_go)| *may_go).copied() else {
            return Ok(Step { deleted: 0, held: false, next });
        };
        let deleted = self.delete(move |connection| {
            Ok(connection.prepare_cached(DELETE_SESSIONS)?.execute(params![place, last, before_ms])?)
        })?;
        Ok(Step { deleted, held: false, next })
    }

    /// Finds some of the sessions that have more than `keep` executions, and the place from which to look on.
    pub(crate) fn sessions_over(
        &self,
        keep: u64,
        after: Option<SessionId>,
    ) -> Result<(Vec<SessionId>, Option<SessionId>)> {
        let place = place(after.as_ref().map(SessionId::as_bytes));
        let found: Vec<(SessionId, bool)> = self.read(|connection| {
            let select = connection.prepare_cached(SELECT_OVER)?;
            all(select, params![place, STEP_READ, column::stored(keep)], |row| {
                Ok((column::id(row, "id", SessionId::from_bytes)?, row.get("is_over")?))
            })
        })?;
        let next = found.last().filter(|_| is_full(&found)).map(|(id, _)| *id);
        Ok((found.into_iter().filter(|(_, is_over)| *is_over).map(|(id, _)| id).collect(), next))
    }

    /// Deletes what was found, by a statement that is given the last id of its range.
    fn delete_batch(
        &self,
        batch: Batch,
        held_since: i64,
        delete: impl FnOnce(&Connection, [u8; 16]) -> Result<usize, Fault> + Send + 'static,
    ) -> Result<Step<ExecutionId>> {
        let deleted = match batch.take {
            Take::Nothing => 0,
            Take::UpTo(last) => self.delete(move |connection| delete(connection, last))?,
            Take::PartOf(id) => self.delete_part(id, held_since)?,
        };
        Ok(Step { deleted, held: batch.held, next: batch.next.map(ExecutionId::from_bytes) })
    }

    /// Deletes some of the events of an execution that has too many for one step, and with the last of them the
    /// execution. From the first step on it is not there for anybody who reads.
    fn delete_part(&self, id: [u8; 16], held_since: i64) -> Result<usize> {
        self.delete(move |connection| {
            let mark = concat!("UPDATE executions SET status = 'deleted' WHERE id = ?1 AND ", may_go!("?2"));
            if connection.prepare_cached(mark)?.execute(params![id, held_since])? == 0 {
                return Ok(0);
            }
            let end = connection
                .prepare_cached("SELECT seq FROM events WHERE execution_id = ?1 ORDER BY seq LIMIT 1 OFFSET ?2")?;
            let end: Option<i64> = first(end, params![id, column::stored(STEP_EVENTS)], |row| Ok(row.get("seq")?))?;
            let Some(end) = end else {
                return Ok(connection.prepare_cached("DELETE FROM executions WHERE id = ?1")?.execute([id])?);
            };
            connection
                .prepare_cached("DELETE FROM events WHERE execution_id = ?1 AND seq < ?2")?
                .execute(params![id, end])?;
            Ok(0)
        })
    }

    fn delete(&self, op: impl FnOnce(&Connection) -> Result<usize, Fault> + Send + 'static) -> Result<usize> {
        let deleted = Arc::new(OnceLock::new());
        let answer = Arc::clone(&deleted);
        self.write(move |connection| {
            let _ = answer.set(op(connection)?);
            Ok(())
        })?;
        Ok(deleted.get().copied().unwrap_or_default())
    }
}

/// What one step is to delete.
struct Batch {
    take: Take,
    /// Whether something is due that may not go yet.
    held: bool,
    /// The place from which to read on, if there may be more.
    next: Option<[u8; 16]>,
}

enum Take {
    Nothing,
    /// All that is due and may go, up to this one.
    UpTo([u8; 16]),
    /// This one, whose events are too many for one step.
    PartOf([u8; 16]),
}

impl Batch {
    /// Reads on from a place until there is enough for one step.
    fn read(mut select: CachedStatement<'_>, params: impl Params, place: [u8; 16]) -> Result<Self, Fault> {
        let mut batch = Self { take: Take::Nothing, held: false, next: None };
        let (mut cost, mut count, mut before) = (0_u64, 0, place);
        let mut rows = select.query(params)?;
        while let Some(row) = rows.next()? {
            let id = row.get("id")?;
            // Of one that runs there is no end to compare.
            let is_due = row.get::<_, Option<bool>>("is_due")?.unwrap_or_default();
            let may_go: bool = row.get("may_go")?;
            batch.held |= is_due && !may_go;
            if is_due && may_go {
                cost = cost.saturating_add(column::count(row, "event_count")?).saturating_add(EXECUTION_COST);
                if cost > STEP_EVENTS {
                    if matches!(batch.take, Take::Nothing) {
                        batch.take = Take::PartOf(id);
                    }
                    // This one again, until it is gone.
                    batch.next = Some(before);
                    return Ok(batch);
                }
                batch.take = Take::UpTo(id);
            }
            (count, before) = (count + 1, id);
        }
        batch.next = (count >= STEP_READ).then_some(before);
        Ok(batch)
    }
}

fn is_full<T>(found: &[T]) -> bool {
    found.len() >= STEP_READ as usize
}

fn place(after: Option<&[u8; 16]>) -> [u8; 16] {
    after.copied().unwrap_or(column::BEFORE_ALL)
}

/// An id that is younger than those of all that ended before this time.
fn youngest(before: Timestamp) -> [u8; 16] {
    let mut id = [0; 16];
    let millis = before.as_millis().saturating_add(ID_SLACK_MS);
    id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    id
}

#[cfg(test)]
mod tests;
