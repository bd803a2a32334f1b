//! Idempotency keys: which request was made under which, and what came of it.

use std::time::Duration;

use rusqlite::{Connection, params};

use super::fault::{Fault, failure};
use super::{Store, column, first};
use crate::error::Result;
use crate::ids::ExecutionId;
use crate::time::Timestamp;

/// How long a key is kept.
const KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// How much longer an execution is held for its key: who has just found the key still finds the execution.
const HELD: Duration = Duration::from_secs(60);

/// How many keys that have expired are thrown away with each new one: more than one, so that they never pile up, and few,
/// so that nobody waits for the keys of yesterday.
const SWEPT: u32 = 8;

/// A request that was made under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyUse {
    pub(crate) key: String,
    /// A digest of the whole request.
    pub(crate) request: [u8; 32],
    pub(crate) at: Timestamp,
}

impl KeyUse {
    /// Writes the key, in the place of one that has expired, and throws some others away that have.
    pub(super) fn insert(self, connection: &Connection, execution: ExecutionId) -> Result<(), Fault> {
        let expired = expired_at(self.at);
        connection
            .prepare_cached(
                "DELETE FROM idempotency_keys WHERE key IN
                 (SELECT key FROM idempotency_keys WHERE created_at <= ?1 ORDER BY created_at LIMIT ?2)",
            )?
            .execute(params![expired, SWEPT])?;
        let inserted = connection
            .prepare_cached(
                "INSERT INTO idempotency_keys (key, request, execution_id, created_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (key) DO UPDATE SET
                    request = excluded.request, execution_id = excluded.execution_id, created_at = excluded.created_at
                 WHERE created_at <= ?5",
            )?
            .execute(params![self.key, self.request, execution.as_bytes(), self.at.as_millis(), expired])?;
        // Whoever admits executions asks for the key first; should two ask at once, the second is not run.
        if inserted == 1 { Ok(()) } else { Err(failure("an idempotency key is in use", self.key).into()) }
    }
}

impl Store {
    /// Returns what a key was used for in the last 24 hours, if it was: a digest of the request, and its execution.
    pub(crate) fn key_use(&self, key: &str, now: Timestamp) -> Result<Option<([u8; 32], ExecutionId)>> {
        self.read(|connection| {
            let select = connection.prepare_cached(
                "SELECT request, execution_id FROM idempotency_keys WHERE key = ?1 AND created_at > ?2",
            )?;
            first(select, params![key, expired_at(now)], |row| {
                Ok((row.get("request")?, column::id(row, "execution_id", ExecutionId::from_bytes)?))
            })
        })
    }
}

/// Keys that are as old as this are no longer known.
fn expired_at(now: Timestamp) -> i64 {
    older(now, KEPT)
}

/// Keys that are younger than this hold their executions.
pub(super) fn held_since(now: Timestamp) -> i64 {
    older(now, KEPT + HELD)
}

fn older(now: Timestamp, by: Duration) -> i64 {
    now.as_millis().saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use super::*;
    use crate::store::tests::{in_memory, new_execution, with_session};

    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn keyed(key: &str, request: u8, at: i64) -> KeyUse {
        KeyUse { key: key.to_owned(), request: [request; 32], at: Timestamp::from_millis(at) }
    }

    #[test]
    fn a_key_is_known_for_a_day() {
        let (store, session) = with_session(in_memory());
        let first = Arc::new(new_execution(session.id));
        store.save_begun(&first, Some(keyed("k", 1, 1_000))).unwrap();
        let at = |time| store.key_use("k", Timestamp::from_millis(time)).unwrap();
        assert_eq!(at(1_000), Some(([1; 32], first.id)));
        assert_eq!(at(999 + DAY), Some(([1; 32], first.id)));
        assert_eq!((at(1_000 + DAY), store.key_use("K", Timestamp::from_millis(1_000)).unwrap()), (None, None));

        let second = Arc::new(new_execution(session.id));
        store.save_begun(&second, Some(keyed("k", 2, 1_000 + DAY))).unwrap();
        assert_eq!(at(1_000 + DAY), Some(([2; 32], second.id)));
    }

    #[test]
    fn keys_of_yesterday_go_in_small_steps_and_do_not_pile_up() {
        let (store, session) = with_session(in_memory());
        let save = |key: String, at| {
            store.save_begun(&Arc::new(new_execution(session.id)), Some(keyed(&key, 1, at))).unwrap();
        };
        let count = || -> i64 {
            let connection = store.0.writer.connection();
            connection.query_row("SELECT count(*) FROM idempotency_keys", [], |row| row.get(0)).unwrap()
        };
        (0..100).for_each(|number| save(format!("old{number}"), number));
        assert_eq!(count(), 100);
        save("new0".to_owned(), 2 * DAY);
        assert_eq!(count(), 100 - i64::from(SWEPT) + 1);
        (1..20).for_each(|number| save(format!("new{number}"), 2 * DAY));
        assert_eq!(count(), 20);
    }

    #[test]
    fn a_key_goes_with_its_execution_and_into_the_same_transaction() {
        let (store, session) = with_session(in_memory());
        let execution = Arc::new(new_execution(session.id));
        let now = Timestamp::from_millis(5);
        // Without its session the execution is refused, and the key with it.
        let orphan = Arc::new(new_execution(crate::ids::SessionId::new()));
        store.save_begun(&orphan, Some(keyed("k", 1, 5))).unwrap_err();
        assert_eq!(store.key_use("k", now).unwrap(), None);
        store.save_begun(&execution, Some(keyed("k", 1, 5))).unwrap();
        assert_eq!(store.key_use("k", now).unwrap(), Some(([1; 32], execution.id)));
        store.0.writer.connection().execute("DELETE FROM executions", []).unwrap();
        assert_eq!(store.key_use("k", now).unwrap(), None);
    }
}
