//! What is deleted and what is kept, compared with the rule as a sentence has it.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::event::{Event, Payload};
use crate::execution::{Execution, ExecutionStatus};
use crate::ids::TemplateId;
use crate::session::{SessionRecord, SessionStatus};
use crate::store::KeyUse;
use crate::store::tests::{in_memory, new_execution, new_session, on_disk, with_session};

const HOUR: i64 = 60 * 60 * 1000;
/// The day for which a key is known, and the minute for which its execution is held beyond that.
const HELD: i64 = 24 * HOUR + 60_000;

/// When a made-up history takes place.
const NOW: i64 = 1_770_508_800_000;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// An id as it is made at this time.
fn id_at(millis: i64, number: u32) -> ExecutionId {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
    bytes[6] = 0x70;
    bytes[12..].copy_from_slice(&number.to_be_bytes());
    ExecutionId::from_bytes(bytes)
}

/// One that began then and has so many events.
fn began(session: SessionId, millis: i64, number: u32, events: u64) -> Execution {
    let mut execution = new_execution(session);
    execution.id = id_at(millis, number);
    (execution.started_at, execution.ended_at) = (at(millis), Some(at(millis)));
    execution.events = (1..=events)
        .map(|seq| Event {
            execution_id: execution.id,
            seq,
            ts: at(millis),
            payload: Payload::Stdout { text: seq.to_string() },
        })
        .collect();
    execution.metrics.event_count = events;
    execution
}

fn save(store: &Store, execution: &Execution) {
    store.save_execution(&Arc::new(execution.clone()), 1).unwrap();
}

fn all_steps<Id: Copy>(mut step: impl FnMut(Option<Id>) -> Step<Id>) -> (usize, bool) {
    let (mut after, mut deleted, mut held) = (None, 0, false);
    loop {
        let taken = step(after);
        deleted += taken.deleted;
        held |= taken.held;
        match taken.next {
            Some(next) => after = Some(next),
            None => return (deleted, held),
        }
    }
}

fn delete_ended(store: &Store, before: i64, now: i64) -> (usize, bool) {
    all_steps(|after| store.delete_ended(after, at(before), at(now)).unwrap())
}

fn delete_surplus(store: &Store, session: SessionId, keep: u64, now: i64) -> (usize, bool) {
    all_steps(|after| store.delete_surplus(session, keep, after, at(now)).unwrap())
}

fn kept(store: &Store, session: SessionId) -> BTreeSet<ExecutionId> {
    store.executions(session, None, u32::MAX).unwrap().into_iter().map(|execution| execution.id).collect()
}

fn count(store: &Store, table: &str) -> u64 {
    let connection = store.0.writer.connection();
    let count = connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
    count.unwrap().cast_unsigned()
}

/// An execution of a made-up history.
#[derive(Debug, Clone)]
struct Past {
    session: usize,
    began: i64,
    took: i64,
    events: u64,
    runs: bool,
    key: bool,
}

fn past() -> impl Strategy<Value = Past> {
    let events = prop_oneof![8 => 0u64..4, 1 => 200u64..300, 1 => 600u64..1200];
    (0usize..3, 0..3 * HELD, prop_oneof![Just(0), 0..HELD], events, proptest::bool::weighted(0.1), any::<bool>())
        .prop_map(|(session, ago, took, events, runs, key)| Past {
            session,
            began: NOW - ago,
            // Nothing ends in the future.
            took: took.min(ago),
            events,
            runs,
            key,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(48) })]

    #[test]
    fn what_is_kept_is_what_the_rule_says(
        history in proptest::collection::vec(past(), 0..40),
        keep in proptest::option::of(0u64..12),
        keep_for in proptest::option::of(0..3 * HELD),
    ) {
        let store = in_memory();
        let sessions: Vec<SessionRecord> = (0..3).map(|_| new_session(TemplateId::new())).collect();
        sessions.iter().for_each(|session| store.insert_session(session).unwrap());
        let made: Vec<(Past, Execution)> = history.into_iter().zip(0..).map(|(past, number)| {
            let mut execution = began(sessions[past.session].id, past.began, number, past.events);
            execution.ended_at = (!past.runs).then(|| at(past.began + past.took));
            if past.runs {
                execution.status = ExecutionStatus::Running;
            }
            (past, execution)
        }).collect();
        for (number, (past, execution)) in made.iter().enumerate() {
            let key = past.key.then(|| KeyUse { key: number.to_string(), request: [0; 32], at: at(past.began) });
            store.save_begun(&Arc::new(execution.clone()), key).unwrap();
        }

        if let Some(keep) = keep {
            for session in &sessions {
                delete_surplus(&store, session.id, keep, NOW);
            }
        }
        if let Some(keep_for) = keep_for {
            delete_ended(&store, NOW - keep_for, NOW);
        }

        // One stays that runs, or that a key of the last day stands for; else it must be one of the newest of its session,
        // and must not have ended too long ago. When rules follow one another, the newest are counted first.
        let stays = |past: &Past, execution: &Execution| {
            let newer = made.iter().filter(|(other, made)| other.session == past.session && made.id > execution.id);
            let is_new = keep.is_none_or(|keep| (newer.count() as u64) < keep);
            let is_young = keep_for.is_none_or(|keep_for| past.began + past.took >= NOW - keep_for);
            past.runs || (past.key && past.began > NOW - HELD) || (is_new && is_young)
        };
        for (index, session) in sessions.iter().enumerate() {
            let expected: BTreeSet<_> = made
                .iter()
                .filter(|(past, execution)| past.session == index && stays(past, execution))
                .map(|(_, execution)| execution.id)
                .collect();
            prop_assert_eq!(kept(&store, session.id), expected);
        }
        let expected = made.iter().filter(|(past, execution)| stays(past, execution));
        for (_, execution) in expected.clone() {
            prop_assert_eq!(&store.events(execution.id, 0, u32::MAX).unwrap(), &execution.events);
        }
        prop_assert_eq!(count(&store, "events"), expected.map(|(past, _)| past.events).sum::<u64>());
    }
}

#[test]
fn no_step_deletes_more_than_it_may() {
    let (store, session) = with_session(in_memory());
    for number in 0..200 {
        save(&store, &began(session.id, NOW - HOUR + i64::from(number), number, u64::from(number % 40)));
    }
    let left = || count(&store, "events") + EXECUTION_COST * count(&store, "executions");
    let (mut after, mut steps) = (None, 0);
    loop {
        let before = left();
        let step = store.delete_ended(after, at(NOW), at(NOW)).unwrap();
        assert!(before - left() <= STEP_EVENTS, "{} in one step", before - left());
        steps += 1;
        match step.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(left(), 0);
    // 200 executions and 3900 events are worth 5500: no step is taken that could be saved.
    assert!((11..=13).contains(&steps), "{steps}");
}

#[test]
fn what_is_deleted_in_parts_is_gone_at_once_for_readers() {
    let (store, session) = with_session(in_memory());
    let [large, other] = [(1, 3 * STEP_EVENTS), (2, 3)]
        .map(|(number, events)| began(session.id, NOW - HOUR, number, events))
        .map(|execution| (save(&store, &execution), execution).1);
    let step = |after| store.delete_ended(after, at(NOW), at(NOW)).unwrap();
    let first = step(None);
    assert_eq!((first.deleted, first.next.is_some()), (0, true));
    assert_eq!(count(&store, "events"), 2 * STEP_EVENTS + 3, "a part of them");
    assert!(store.execution(large.id).unwrap_err().is_not_found());
    assert!(store.events(large.id, 0, u32::MAX).unwrap_err().is_not_found());
    assert!(store.events(large.id, 2 * STEP_EVENTS, 1).unwrap_err().is_not_found());
    assert_eq!(kept(&store, session.id), [other.id].into());
    assert_eq!(store.execution_after(session.id, None).unwrap(), Some(other.id));

    // As after a crash: nobody knows the place any more, and it is begun again.
    assert_eq!(delete_ended(&store, NOW, NOW), (2, false));
    assert_eq!((count(&store, "events"), count(&store, "executions")), (0, 0));
}

#[test]
fn what_was_being_deleted_when_the_process_was_killed_is_deleted_by_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("vm.db");
    let (store, session) = with_session(on_disk(&path));
    save(&store, &began(session.id, NOW - HOUR, 1, 3 * STEP_EVENTS));
    store.delete_surplus(session.id, 0, None, at(NOW)).unwrap();
    drop(store);
    let store = on_disk(&path);
    store.recover("killed", at(NOW)).unwrap();
    assert_eq!(kept(&store, session.id), [].into());
    assert_eq!(delete_surplus(&store, session.id, 0, NOW), (1, false));
    assert_eq!((count(&store, "events"), count(&store, "executions")), (0, 0));
}

#[test]
fn what_a_key_holds_goes_when_the_key_has_expired() {
    let (store, session) = with_session(in_memory());
    let execution = Arc::new(began(session.id, NOW, 1, 2));
    let key = KeyUse { key: "k".to_owned(), request: [0; 32], at: at(NOW) };
    store.save_begun(&execution, Some(key)).unwrap();
    let later = NOW + HELD;
    assert_eq!(delete_surplus(&store, session.id, 0, later - 1), (0, true));
    assert_eq!(delete_ended(&store, later, later - 1), (0, true));
    assert_eq!(kept(&store, session.id), [execution.id].into());
    assert_eq!(delete_surplus(&store, session.id, 0, later), (1, false));
    assert_eq!(count(&store, "idempotency_keys"), 0);
}

#[test]
fn sessions_go_when_they_have_ended_and_nothing_of_them_is_left() {
    use SessionStatus as S;
    let store = in_memory();
    let make = |status, created: i64, closed: Option<i64>| {
        let mut session = new_session(TemplateId::new());
        session.id = SessionId::from_bytes(*id_at(created, u32::from(closed.is_some())).as_bytes());
        (session.status, session.created_at, session.closed_at) = (status, at(created), closed.map(at));
        store.insert_session(&session).unwrap();
        session.id
    };
    let (old, new) = (NOW - 9 * HOUR, NOW - HOUR);
    let gone = [make(S::Closed, old, Some(old + 1)), make(S::Crashed, old + 2, None)];
    let used = make(S::Closed, old + 3, Some(old + 3));
    save(&store, &began(used, NOW - HOUR, 1, 1));
    let stay = [
        used,
        make(S::Closed, old + 4, Some(new)),
        make(S::Crashed, new + 5, None),
        make(S::Ready, old + 6, None),
        make(S::Starting, old + 7, None),
    ];
    let sweep = || all_steps(|after| store.delete_sessions(after, at(NOW - 2 * HOUR)).unwrap());
    assert_eq!(sweep(), (2, false));
    assert!(gone.iter().all(|id| store.session(*id).unwrap_err().is_not_found()));
    assert!(stay.iter().all(|id| store.session(*id).is_ok()));
    delete_ended(&store, NOW, NOW);
    assert_eq!(sweep(), (1, false));
    assert!(store.session(used).unwrap_err().is_not_found());
}

#[test]
fn sessions_with_too_much_are_found() {
    let store = in_memory();
    let mut expected = BTreeSet::new();
    for number in 0..2 * STEP_READ {
        let session = new_session(TemplateId::new());
        store.insert_session(&session).unwrap();
        let executions = if number % 100 == 7 { 4 } else { 5 * u32::from(number % 100 == 8) };
        (0..executions).for_each(|_| save(&store, &new_execution(session.id)));
        if executions > 4 {
            expected.insert(session.id);
        }
    }
    let (mut after, mut found) = (None, BTreeSet::new());
    loop {
        let (over, next) = store.sessions_over(4, after).unwrap();
        found.extend(over);
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(found, expected);
}

#[test]
fn every_step_uses_an_index() {
    let store = in_memory();
    let connection = store.0.writer.connection();
    for sql in
        [SELECT_ENDED, DELETE_ENDED, SELECT_SURPLUS, DELETE_SURPLUS, SELECT_SESSIONS, DELETE_SESSIONS, SELECT_OVER]
    {
        let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
        let plan: Vec<String> = statement
            .query_map(rusqlite::params_from_iter(vec![0; statement.parameter_count()]), |row| row.get("detail"))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        // A range of the table or of an index, and never all of it.
        assert!(!plan.iter().any(|line| line.starts_with("SCAN") || line.contains("TEMP B-TREE")), "{sql}: {plan:?}");
        assert!(plan.iter().any(|line| line.starts_with("SEARCH")), "{sql}: {plan:?}");
    }
}

/// `cargo test --release -p vmsys-core --lib retention -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
#[expect(clippy::print_stdout, reason = "its result")]
fn cost_of_a_step() {
    use crate::store::Durability;
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(Some(&directory.path().join("vm.db")), Durability::Normal).unwrap();
    let (store, session) = with_session(store);
    for (what, executions, events) in [("small", 20_000, 2), ("large", 200, 1_000), ("huge", 1, 1_000_000)] {
        for number in 0..executions {
            save(&store, &began(session.id, NOW - HOUR + i64::from(number), number, events));
        }
        let mut times = Vec::new();
        let begun = Instant::now();
        all_steps(|after| {
            let begun = Instant::now();
            let step = store.delete_ended(after, at(NOW), at(NOW)).unwrap();
            times.push(begun.elapsed());
            step
        });
        let total = begun.elapsed();
        times.sort_unstable();
        let part = |per_mille: usize| times[(times.len() - 1) * per_mille / 1000];
        println!(
            "{what}: {executions} executions in {} steps, {total:?}; a step: median {:?}, p99 {:?}, most {:?}",
            times.len(),
            part(500),
            part(990),
            part(1000)
        );
    }
    let idle = Instant::now();
    assert_eq!(delete_ended(&store, NOW, NOW), (0, false));
    println!("nothing to do: {:?}", idle.elapsed());
    assert!(idle.elapsed() < Duration::from_secs(1));
}
