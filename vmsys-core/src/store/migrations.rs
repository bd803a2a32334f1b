//! The shape of the database, as numbered steps: `PRAGMA user_version` says how many have been taken.

use rusqlite::{Connection, TransactionBehavior};

use super::open::Refusal;

/// Marks a file as one of ours in `PRAGMA application_id`: the letters `VMSY`.
pub(super) const APPLICATION_ID: i32 = 0x564d_5359;

/// Steps that were released are never edited: a change is a new step.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_capabilities.sql"),
    include_str!("migrations/0003_idempotency.sql"),
];

/// Brings a database up to date, or refuses it untouched when it is another program's or a later version's.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Refusal> {
    let version = check(connection)?;
    for (number, step) in (1_i64..).zip(MIGRATIONS).skip(version) {
        // One transaction a step: after a power cut a database has a step, its number and our mark, or none of them.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", number)?;
        transaction.commit()?;
    }
    if version == MIGRATIONS.len() {
        // A write that changes nothing: a full or read-only disk is found now, and not by the first who has work to save.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Returns how many steps a database has taken, without changing it.
pub(super) fn check(connection: &Connection) -> Result<usize, Refusal> {
    let application: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if application == 0 && version == 0 && tables == 0 {
        return Ok(0);
    }
    if application != APPLICATION_ID {
        return Err(Refusal::Foreign);
    }
    match usize::try_from(version) {
        Ok(version) if version <= MIGRATIONS.len() => Ok(version),
        _ => Err(Refusal::Newer { found: version, known: MIGRATIONS.len() }),
    }
}
