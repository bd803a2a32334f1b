//! The one writer: whoever waits is committed together.
//!
//! A commit costs a wait for the disk, whether it carries one write or a hundred. So callers queue their writes; one of
//! them becomes the leader, runs everything that waits in one transaction, commits, and tells the others. There is no
//! thread for it: with one caller a write happens on the caller's own stack, without a hand-over to anybody.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use super::fault::{Fault, failure, kind, message};
use crate::error::{Error, Result};
use crate::stats::Histogram;

/// How many writes one transaction takes at most, so that the first of them does not wait for a crowd.
const BATCH: usize = 128;

type Outcome = Result<(), Fault>;
type Op = Box<dyn FnOnce(&Connection) -> Outcome + Send>;

pub(super) struct Writer {
    connection: Mutex<Connection>,
    queue: Mutex<Queue>,
    pub(super) commits: Commits,
}

/// What is counted of transactions.
#[derive(Default)]
pub(super) struct Commits {
    /// How long they took, in microseconds.
    pub(super) micros: Histogram,
    /// How many writes they carried.
    pub(super) writes: Histogram,
}

impl Commits {
    fn count(&self, begun: Instant, writes: usize) {
        self.micros.record_time(begun.elapsed());
        self.writes.record(writes as u64);
    }
}

#[derive(Default)]
struct Queue {
    /// Whether somebody leads. A leader names its successor from `waiting` before it goes.
    led: bool,
    waiting: VecDeque<Waiting>,
}

impl Writer {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection: Mutex::new(connection), queue: Mutex::default(), commits: Commits::default() }
    }

    /// Lends the connection out for reading, between two transactions: the only way to read what is in memory only.
    pub(super) fn connection(&self) -> MutexGuard<'_, Connection> {
        lock(&self.connection)
    }

    /// Closes the connection, when nobody writes and nobody will.
    ///
    /// # Errors
    /// There is not enough memory to put another one in its place: an empty one, in memory.
    pub(super) fn close(&self) -> Result<()> {
        let empty = Connection::open_in_memory().map_err(Fault::from)?;
        *self.connection() = empty;
        Ok(())
    }

    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        lock(&self.queue).waiting.len()
    }

    /// Runs a write in a transaction, perhaps with others, and returns when it is committed or has failed.
    ///
    /// A write that fails or panics is undone and leaves those in the same transaction alone; when the transaction
    /// itself fails, nothing of any of them is kept and all are told.
    pub(super) fn write(&self, op: impl FnOnce(&Connection) -> Outcome + Send + 'static) -> Result<()> {
        let slot = {
            let mut queue = lock(&self.queue);
            if !queue.led {
                queue.led = true;
                drop(queue);
                return self.lead(op);
            }
            let slot = Arc::new(Slot::default());
            queue.waiting.push_back(Waiting { op: Some(Box::new(op)), slot: Arc::clone(&slot) });
            slot
        };
        match slot.wait() {
            Turn::Answer(result) => result,
            Turn::Lead(op) => self.lead(op),
        }
    }

    fn lead(&self, own: impl FnOnce(&Connection) -> Outcome) -> Result<()> {
        // Ends when dropped, also when something panics.
        let succession = Succession(self);
        let (own, answers) = {
            let connection = lock(&self.connection);
            let followers: Vec<Waiting> = {
                let mut queue = lock(&self.queue);
                let count = queue.waiting.len().min(BATCH - 1);
                queue.waiting.drain(..count).collect()
            };
            if followers.is_empty() {
                (self.run_alone(&connection, own), Vec::new())
            } else {
                self.run_batch(&connection, own, followers)
            }
        };
        // The successor first: it works while the others are being woken.
        drop(succession);
        for (follower, result) in answers {
            follower.answer(result);
        }
        own
    }

    /// A write with a transaction of its own needs no savepoint: what undoes it undoes the transaction.
    fn run_alone(&self, connection: &Connection, op: impl FnOnce(&Connection) -> Outcome) -> Result<()> {
        let begun = Instant::now();
        let run = || {
            begin(connection)?;
            caught(op, connection)?;
            execute(connection, "COMMIT")?;
            self.commits.count(begun, 1);
            Ok(())
        };
        run().map_err(|fault: Fault| {
            roll_back(connection);
            fault.into()
        })
    }

    /// Returns what becomes of the leader's own write, and of each follower's.
    fn run_batch(
        &self,
        connection: &Connection,
        own: impl FnOnce(&Connection) -> Outcome,
        mut followers: Vec<Waiting>,
    ) -> (Result<()>, Vec<(Waiting, Result<()>)>) {
        let begun = Instant::now();
        let mut outcomes = Vec::with_capacity(1 + followers.len());
        let run = || {
            begin(connection)?;
            outcomes.push(isolated(own, connection)?);
            for op in followers.iter_mut().filter_map(|follower| follower.op.take()) {
                outcomes.push(isolated(op, connection)?);
            }
            execute(connection, "COMMIT")
        };
        match run() {
            Ok(()) => {
                self.commits.count(begun, outcomes.len());
                let mut results = outcomes.into_iter().map(|outcome| outcome.map_err(Error::from));
                let own = results.next().unwrap_or(Ok(()));
                (own, followers.into_iter().zip(results).collect())
            }
            Err(error) => {
                roll_back(connection);
                let (kind, text) = (kind(&error), message(&error));
                let error = Arc::new(error);
                let lost = || Error::new(kind, text).because(Arc::clone(&error));
                (Err(lost()), followers.into_iter().map(|follower| (follower, Err(lost()))).collect())
            }
        }
    }
}

/// Ends a leadership: the one who waits longest leads next.
struct Succession<'a>(&'a Writer);

impl Drop for Succession<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        while let Some(mut next) = queue.waiting.pop_front() {
            if let Some(op) = next.op.take() {
                next.slot.give(Turn::Lead(op));
                return;
            }
        }
        queue.led = false;
    }
}

struct Waiting {
    op: Option<Op>,
    slot: Arc<Slot>,
}

impl Waiting {
    fn answer(self, result: Result<()>) {
        self.slot.give(Turn::Answer(result));
    }
}

impl Drop for Waiting {
    /// Nobody waits for ever: a write that its leader lost by a panic is answered here. The first answer counts.
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.slot
                .give(Turn::Answer(Err(failure("a write was lost", "the thread that committed for others panicked"))));
        }
    }
}

enum Turn {
    Answer(Result<()>),
    Lead(Op),
}

#[derive(Default)]
struct Slot {
    turn: Mutex<Option<Turn>>,
    come: Condvar,
}

impl Slot {
    fn give(&self, turn: Turn) {
        lock(&self.turn).get_or_insert(turn);
        self.come.notify_one();
    }

    fn wait(&self) -> Turn {
        let mut turn = lock(&self.turn);
        loop {
            match turn.take() {
                Some(turn) => return turn,
                None => turn = self.come.wait(turn).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// Runs one write of several. The outer result is the fate of the whole transaction.
fn isolated(op: impl FnOnce(&Connection) -> Outcome, connection: &Connection) -> rusqlite::Result<Outcome> {
    execute(connection, "SAVEPOINT op")?;
    let outcome = caught(op, connection);
    match outcome {
        Ok(()) => {
            execute(connection, "RELEASE op")?;
            Ok(Ok(()))
        }
        // A full disk, a lack of memory or an input/output error makes SQLite give the whole transaction up.
        Err(Fault::Sqlite(error)) if connection.is_autocommit() => Err(error),
        Err(fault) => {
            execute(connection, "ROLLBACK TO op")?;
            execute(connection, "RELEASE op")?;
            Ok(Err(fault))
        }
    }
}

fn caught(op: impl FnOnce(&Connection) -> Outcome, connection: &Connection) -> Outcome {
    // What a panic can leave half done is in the database, and the caller rolls that back.
    catch_unwind(AssertUnwindSafe(|| op(connection))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(failure("a write failed inside", format!("panic: {text}")).into())
    })
}

fn begin(connection: &Connection) -> rusqlite::Result<()> {
    // Left open by a panic outside of any write.
    if !connection.is_autocommit() {
        roll_back(connection);
    }
    execute(connection, "BEGIN IMMEDIATE")
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit()
        && let Err(error) = execute(connection, "ROLLBACK")
    {
        tracing::error!(%error, "a transaction of the store cannot be rolled back");
    }
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

/// No lock guards anything that a panic can leave half changed, so that poison says nothing.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
