//! Power cuts: what was acknowledged is there when the power is back, whole, and nothing is there in halves.
//!
//! A trial is a few lives of one database. In each the store is opened, ends what the life before has left, takes the
//! writes of some threads, and loses its power at some write of the machine's: while it is being made, while it works,
//! while it recovers. A trial is decided by its seed, but for the order in which threads come: `VMSYS_TEST_SEED` repeats
//! one, and `VMSYS_TEST_CUTS` asks for more of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use fastrand::Rng;

use super::file_system::Watched;
use super::machine::{Image, Machine, Syncs, restore};
use super::{new_execution, new_session, new_template};
use crate::error::Result;
use crate::event::{ConsoleLevel, Event, Payload, SystemLevel};
use crate::execution::{ErrorCode, Execution, ExecutionError, ExecutionStatus};
use crate::ids::{CapabilityId, ExecutionId, SessionId, TemplateId};
use crate::session::{SessionRecord, SessionStatus};
use crate::store::{Durability, KeyUse, Store};
use crate::template::{Capability, CapabilityKind, Settings, Template};
use crate::time::Timestamp;

/// What a recovery says.
const REASON: &str = "the power was cut";

/// How many cuts a run of the tests makes at least, under each durability.
const CUTS: usize = 210;

#[derive(Debug, Clone, Copy)]
struct Conditions {
    durability: Durability,
    syncs: Syncs,
    /// Whether commits wait for the disk at all, whatever the durability says.
    synchronous: bool,
}

const FULL: Conditions = Conditions { durability: Durability::Full, syncs: Syncs::Honoured, synchronous: true };

/// One write of a worker's.
#[derive(Debug, Clone)]
enum Step {
    Session(SessionRecord),
    Status { id: SessionId, status: SessionStatus, last_error: Option<String> },
    Save { execution: Arc<Execution>, from_seq: u64, key: Option<KeyUse> },
    Template(Template),
    Rename(TemplateId, String),
    Capability(Capability),
    Note(i64),
}

/// What the store has of one worker's.
#[derive(Debug, Clone, Default, PartialEq)]
struct World {
    sessions: BTreeMap<SessionId, SessionRecord>,
    executions: BTreeMap<ExecutionId, Execution>,
    keys: BTreeMap<String, ([u8; 32], ExecutionId)>,
    templates: BTreeMap<TemplateId, (Template, Vec<Capability>)>,
    notes: BTreeSet<i64>,
}

impl World {
    fn apply(&mut self, step: &Step) {
        match step.clone() {
            Step::Session(session) => drop(self.sessions.insert(session.id, session)),
            Step::Status { id, status, last_error } => {
                let session = self.sessions.get_mut(&id).unwrap();
                (session.status, session.last_error) = (status, last_error);
            }
            Step::Save { execution, key, .. } => {
                self.keys.extend(key.map(|key| (key.key, (key.request, execution.id))));
                self.executions.insert(execution.id, Arc::unwrap_or_clone(execution));
            }
            Step::Template(template) => drop(self.templates.insert(template.id, (template, Vec::new()))),
            Step::Rename(id, name) => self.templates.get_mut(&id).unwrap().0.name = name,
            Step::Capability(new) => self.templates.get_mut(&new.template_id).unwrap().1.push(new),
            Step::Note(number) => drop(self.notes.insert(number)),
        }
    }

    /// What a recovery makes of it.
    fn recovered(mut self, now: Timestamp) -> Self {
        for session in self.sessions.values_mut() {
            if matches!(session.status, SessionStatus::Starting | SessionStatus::Ready) {
                session.status = SessionStatus::Closed;
                session.closed_at = Some(now.max(session.created_at));
                session.last_error = Some(REASON.to_owned());
            }
        }
        for execution in self.executions.values_mut().filter(|found| found.status == ExecutionStatus::Running) {
            let code = ErrorCode::Cancelled;
            let last = Payload::System {
                level: SystemLevel::Warn,
                message: REASON.to_owned(),
                code: Some(code.as_str().to_owned()),
            };
            let ts = now.max(execution.started_at);
            execution.status = ExecutionStatus::Cancelled;
            execution.ended_at = Some(ts);
            execution.error =
                Some(ExecutionError { message: REASON.to_owned(), stack: None, name: None, code: Some(code) });
            execution.metrics.output_bytes += last.output_bytes();
            push(execution, last, ts);
        }
        self
    }

    /// Reads what there is of what these steps have been about.
    fn read(store: &Store, steps: &[Step]) -> Result<Self> {
        let mut world = Self::default();
        for step in steps {
            match step {
                Step::Session(session) => {
                    world.sessions.extend(found(store.session(session.id))?.map(|found| (found.id, found)));
                }
                Step::Save { execution, key, .. } => {
                    if let Some(mut found) = found(store.execution(execution.id))? {
                        found.events = store.events(found.id, 0, u32::MAX)?;
                        world.executions.insert(found.id, found);
                    }
                    if let Some(key) = key {
                        let found = store.key_use(&key.key, Timestamp::now())?;
                        world.keys.extend(found.map(|found| (key.key.clone(), found)));
                    }
                }
                Step::Template(template) => {
                    if let Some(mut found) = found(store.template_detail(template.id))? {
                        // The store's own clock.
                        found.template.updated_at = found.template.created_at;
                        world.templates.insert(template.id, (found.template, found.capabilities));
                    }
                }
                Step::Note(number) => {
                    let select = "SELECT 1 FROM noted WHERE number = ?1";
                    let there = store.read(|connection| Ok(connection.prepare_cached(select)?.exists([number])?))?;
                    world.notes.extend(there.then_some(*number));
                }
                Step::Status { .. } | Step::Rename(..) | Step::Capability(_) => {}
            }
        }
        Ok(world)
    }
}

fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(error) if error.is_not_found() => Ok(None),
        result => result.map(Some),
    }
}

/// A thread's work, and how far it came.
struct Worker {
    rng: Rng,
    name: String,
    steps: Vec<Step>,
    acknowledged: usize,
    session: Option<SessionId>,
    template: Option<TemplateId>,
    running: Option<Execution>,
    /// What the store may have of it, and whether that is after a recovery which nobody acknowledged.
    candidates: Vec<(World, bool)>,
}

/// Which notes were in which transaction.
type Batches = Mutex<BTreeMap<u64, BTreeSet<i64>>>;

impl Worker {
    fn new(name: String, rng: Rng) -> Self {
        let (steps, candidates) = (Vec::new(), Vec::new());
        Self { rng, name, steps, acknowledged: 0, session: None, template: None, running: None, candidates }
    }

    /// Writes until the power is cut, or it has done enough.
    fn work(&mut self, most: usize, store: &Store, machine: &Arc<Machine>, batches: &Arc<Batches>) -> Result<()> {
        while self.steps.len() < most {
            let step = self.next();
            self.steps.push(step.clone());
            write(store, step, machine, batches)?;
            self.acknowledged += 1;
        }
        Ok(())
    }

    fn next(&mut self) -> Step {
        let Some(session) = self.session else {
            let session = new_session(TemplateId::new());
            self.session = Some(session.id);
            return Step::Session(session);
        };
        if let Some(mut execution) = self.running.take() {
            let from_seq = execution.events.len() as u64 + 1;
            self.console(&mut execution);
            if self.rng.bool() {
                self.running = Some(execution.clone());
            } else {
                execution.status = ExecutionStatus::Ok;
                execution.ended_at = Some(Timestamp::now());
            }
            return Step::Save { execution: Arc::new(execution), from_seq, key: None };
        }
        match self.rng.u8(..10) {
            0 => {
                self.session = None;
                let last_error = self.rng.bool().then(|| "it was closed".to_owned());
                Step::Status { id: session, status: SessionStatus::Crashed, last_error }
            }
            1 => match self.template {
                Some(template) if self.rng.bool() => Step::Rename(template, self.unique()),
                Some(template_id) => {
                    let (id, kind, name) = (CapabilityId::new(), CapabilityKind::Fs, self.unique());
                    let config = serde_json::Map::new();
                    Step::Capability(Capability { id, template_id, kind, name, enabled: true, config })
                }
                None => {
                    let mut template = new_template(&self.unique());
                    template.updated_at = template.created_at;
                    self.template = Some(template.id);
                    Step::Template(template)
                }
            },
            2..6 => Step::Note(self.rng.i64(..)),
            6 | 7 => {
                let mut execution = new_execution(session);
                execution.events.truncate(1);
                (execution.metrics.event_count, execution.metrics.output_bytes) = (1, 0);
                (execution.status, execution.ended_at, execution.result) = (ExecutionStatus::Running, None, None);
                self.running = Some(execution.clone());
                let request = std::array::from_fn(|_| self.rng.u8(..));
                let key = self.rng.bool().then(|| KeyUse { key: self.unique(), request, at: Timestamp::now() });
                Step::Save { execution: Arc::new(execution), from_seq: 1, key }
            }
            _ => {
                let mut execution = new_execution(session);
                self.console(&mut execution);
                Step::Save { execution: Arc::new(execution), from_seq: 1, key: None }
            }
        }
    }

    fn unique(&self) -> String {
        format!("{} {}", self.name, self.steps.len())
    }

    fn console(&mut self, execution: &mut Execution) {
        // Most are small; some take many pages.
        let most = if self.rng.u8(..12) == 0 { 60_000 } else { 300 };
        for _ in 0..self.rng.usize(1..5) {
            let text = "x".repeat(self.rng.usize(..most));
            push(
                execution,
                Payload::Console { level: ConsoleLevel::Log, text, args: Vec::new() },
                execution.started_at,
            );
        }
    }

    /// What the store may have after a cut: everything that was acknowledged, or, if the end may be lost, that up to any
    /// place; and what was under way, or not.
    fn settle(&mut self, durability: Durability) {
        let least = if durability == Durability::Full { self.acknowledged } else { 0 };
        let mut world = World::default();
        let mut worlds = vec![(world.clone(), false)];
        worlds.extend(self.steps.iter().map(|step| {
            world.apply(step);
            (world.clone(), false)
        }));
        self.candidates = worlds.split_off(least);
    }
}

fn push(execution: &mut Execution, payload: Payload, ts: Timestamp) {
    let seq = execution.events.len() as u64 + 1;
    execution.events.push(Event { execution_id: execution.id, seq, ts, payload });
    execution.metrics.event_count = seq;
}

fn write(store: &Store, step: Step, machine: &Arc<Machine>, batches: &Arc<Batches>) -> Result<()> {
    match step {
        Step::Session(session) => store.insert_session(&session),
        Step::Status { id, status, last_error } => store.update_session(id, status, None, last_error.as_deref()),
        Step::Save { execution, from_seq: 1, key } => store.save_begun(&execution, key),
        Step::Save { execution, from_seq, .. } => store.save_execution(&execution, from_seq),
        Step::Template(template) => store.insert_template(&template, &Settings::default()),
        Step::Rename(id, name) => store.update_template(id, move |template, _| {
            template.name = name;
            Ok(())
        }),
        Step::Capability(capability) => store.insert_capability(&capability),
        Step::Note(number) => {
            let (machine, batches) = (Arc::clone(machine), Arc::clone(batches));
            store.write(move |connection| {
                // A transaction writes when it is committed: until then the number stays, and then it has moved.
                let batch = machine.writes();
                batches.lock().unwrap().entry(batch).or_default().insert(number);
                connection.prepare_cached("INSERT INTO noted (number) VALUES (?1)")?.execute([number])?;
                Ok(())
            })
        }
    }
}

/// Why a life ended.
enum End {
    /// As it should.
    Cut,
    /// By what must not happen.
    Fault(String),
}

/// All that was told to callers, over the lives of a database.
#[derive(Default)]
struct Ledger {
    workers: Vec<Worker>,
    /// Of each life.
    batches: Vec<Arc<Batches>>,
}

impl Ledger {
    /// Compares what there is with what was told. What is on the disk for good is known from here on.
    fn check(&mut self, store: &Store, for_good: bool) -> Result<(), String> {
        let said = |error| format!("it cannot be read: {error:?}");
        {
            let connection = store.0.writer.connection();
            let found: String =
                connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).map_err(|e| e.to_string())?;
            let orphans = connection.prepare("PRAGMA foreign_key_check").and_then(|mut check| check.exists([]));
            if found != "ok" || orphans != Ok(false) {
                return Err(format!("it is not sound: {found}, {orphans:?}"));
            }
        }
        let (mut recovered, mut notes) = (BTreeSet::new(), BTreeSet::new());
        for worker in &mut self.workers {
            let there = World::read(store, &worker.steps).map_err(said)?;
            let fits: Vec<bool> = worker
                .candidates
                .iter()
                .filter(|(world, _)| *world == there)
                .map(|(_, recovered)| *recovered)
                .collect();
            match fits[..] {
                [] => return Err(worker.differs(&there)),
                // A recovery is one transaction: it has ended what all of them had left, or nothing.
                [one] if worker.candidates.iter().any(|(_, recovered)| *recovered) => drop(recovered.insert(one)),
                // It is younger than the last recovery, or had nothing that was to be ended.
                _ => {}
            }
            notes.extend(there.notes.iter().copied());
            if for_good {
                worker.candidates = vec![(there, false)];
            }
        }
        if recovered.len() > 1 {
            return Err("a recovery is there in part".to_owned());
        }
        for batch in self.batches.iter().flat_map(|life| life.lock().unwrap().clone().into_values()) {
            let there = batch.intersection(&notes).count();
            if there != 0 && there != batch.len() {
                return Err(format!("of a transaction with {} notes {there} are there", batch.len()));
            }
        }
        Ok(())
    }

    /// Ends what a life before has left alive, as a system does that is opened.
    fn recover(&mut self, store: &Store, durability: Durability) -> Result<()> {
        let now = Timestamp::now();
        let told = store.recover(REASON, now).map(drop);
        for worker in &mut self.workers {
            let after: Vec<_> =
                worker.candidates.iter().map(|(world, _)| (world.clone().recovered(now), true)).collect();
            match (&told, durability) {
                (Ok(()), Durability::Full) => worker.candidates = after,
                _ => worker.candidates.extend(after),
            }
        }
        told
    }

    fn acknowledged(&self) -> usize {
        self.workers.iter().map(|worker| worker.acknowledged).sum()
    }
}

impl Worker {
    /// In which respect the store is none of what it may be.
    fn differs(&self, there: &World) -> String {
        let (least, _) = &self.candidates[0];
        let missing =
            |kind: &str, least: usize, there: usize| (there < least).then(|| format!("{} {kind}", least - there));
        let losses: Vec<String> = [
            missing("sessions", least.sessions.len(), there.sessions.len()),
            missing("executions", least.executions.len(), there.executions.len()),
            missing("keys", least.keys.len(), there.keys.len()),
            missing("templates", least.templates.len(), there.templates.len()),
            missing("notes", least.notes.len(), there.notes.len()),
        ]
        .into_iter()
        .flatten()
        .collect();
        let losses =
            if losses.is_empty() { "nothing is missing, something differs".to_owned() } else { losses.join(", ") };
        format!("of {}, {} of {} steps acknowledged: lost {losses}", self.name, self.acknowledged, self.steps.len())
    }
}

fn database(directory: &Path) -> std::path::PathBuf {
    directory.join("vm.db")
}

/// One life of a database: from its files to what a cut leaves of them.
fn live(
    image: &Image,
    writes: u64,
    life: usize,
    rng: &mut Rng,
    under: Conditions,
    ledger: &mut Ledger,
) -> Result<Image, String> {
    let directory = tempfile::tempdir().unwrap();
    restore(image, directory.path());
    let machine = Arc::new(Machine::new(image, writes, under.syncs, rng.fork()));
    let _watched = Watched::new(directory.path(), &machine);
    match live_on(&database(directory.path()), &machine, life, rng, under, ledger) {
        // What follows from the cut is no fault.
        Ok(()) | Err(End::Cut) => Ok(machine.cut()),
        Err(End::Fault(fault)) => Err(fault),
    }
}

fn live_on(
    path: &Path,
    machine: &Arc<Machine>,
    life: usize,
    rng: &mut Rng,
    under: Conditions,
    ledger: &mut Ledger,
) -> Result<(), End> {
    let cut = |error: crate::error::Error| match machine.is_off() {
        true => End::Cut,
        false => End::Fault(format!("it fails with the power on: {error:?}")),
    };
    let store = Store::open(Some(path), under.durability).map_err(cut)?;
    {
        let connection = store.0.writer.connection();
        // So that logs are written back again and again.
        connection.pragma_update(None, "wal_autocheckpoint", rng.u32(4..80)).unwrap();
        if !under.synchronous {
            connection.pragma_update(None, "synchronous", "off").unwrap();
        }
    }
    store
        .write(|connection| {
            connection.execute_batch("CREATE TABLE IF NOT EXISTS noted (number INTEGER PRIMARY KEY)")?;
            Ok(())
        })
        .map_err(cut)?;
    ledger.check(&store, true).map_err(End::Fault)?;
    ledger.recover(&store, under.durability).map_err(cut)?;
    ledger.check(&store, under.durability == Durability::Full).map_err(End::Fault)?;

    let batches = Arc::<Batches>::default();
    ledger.batches.push(Arc::clone(&batches));
    let threads = [1, 3, 8][rng.usize(..3)];
    // Some lives end in order, and the power is cut afterwards.
    let most = if rng.u8(..5) == 0 { rng.usize(..40) } else { usize::MAX };
    let mut workers: Vec<Worker> =
        (0..threads).map(|number| Worker::new(format!("worker {life}.{number}"), rng.fork())).collect();
    let ends: Vec<Result<()>> = std::thread::scope(|scope| {
        let (store, batches) = (&store, &batches);
        let threads: Vec<_> =
            workers.iter_mut().map(|worker| scope.spawn(|| worker.work(most, store, machine, batches))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    workers.iter_mut().for_each(|worker| worker.settle(under.durability));
    ledger.workers.extend(workers);
    ends.into_iter().try_for_each(|end| end.map_err(cut))
}

/// How many writes it takes to make a database.
static WRITES_TO_OPEN: LazyLock<u64> = LazyLock::new(|| {
    let directory = tempfile::tempdir().unwrap();
    let machine = Arc::new(Machine::new(&Image::new(), u64::MAX, Syncs::Honoured, Rng::with_seed(1)));
    let _watched = Watched::new(directory.path(), &machine);
    let _store = Store::open(Some(&database(directory.path())), Durability::Full).unwrap();
    machine.writes()
});

struct Trial {
    cuts: usize,
    acknowledged: usize,
}

fn trial(seed: u64, under: Conditions) -> Result<Trial, String> {
    let rng = &mut Rng::with_seed(seed);
    let mut ledger = Ledger::default();
    let mut image = Image::new();
    let cuts = rng.usize(2..5);
    for life in 0..cuts {
        let writes = match rng.u8(..4) {
            0 => rng.u64(..*WRITES_TO_OPEN + 4),
            1 => *WRITES_TO_OPEN + rng.u64(..60),
            _ => *WRITES_TO_OPEN + rng.u64(..900),
        };
        // What is there already is opened with fewer.
        let writes = if life > 0 && rng.bool() { rng.u64(..40) } else { writes };
        image = live(&image, writes, life, rng, under, &mut ledger)?;
    }
    let directory = tempfile::tempdir().unwrap();
    restore(&image, directory.path());
    let store = Store::open(Some(&database(directory.path())), under.durability)
        .map_err(|error| format!("it cannot be opened: {error:?}"))?;
    store
        .write(|connection| {
            Ok(connection.execute_batch("CREATE TABLE IF NOT EXISTS noted (number INTEGER PRIMARY KEY)")?)
        })
        .map_err(|error| format!("it cannot be written: {error:?}"))?;
    ledger.check(&store, true)?;
    ledger.recover(&store, under.durability).map_err(|error| format!("it cannot be recovered: {error:?}"))?;
    ledger.check(&store, true)?;
    Ok(Trial { cuts, acknowledged: ledger.acknowledged() })
}

/// The number of a variable, for runs by hand.
fn asked(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Makes trials until there were enough cuts. A seed that was asked for is tried alone.
#[expect(clippy::print_stderr, reason = "shown when the test fails, or asked for")]
fn try_under(under: Conditions) {
    let first = asked("VMSYS_TEST_SEED");
    let enough = asked("VMSYS_TEST_CUTS").map_or(CUTS, |cuts| usize::try_from(cuts).unwrap());
    let (mut cuts, mut acknowledged) = (0, 0);
    while cuts == 0 || (cuts < enough && first.is_none()) {
        let seed = first.unwrap_or_else(|| fastrand::u64(..));
        match trial(seed, under) {
            Ok(trial) => {
                cuts += trial.cuts;
                acknowledged += trial.acknowledged;
            }
            Err(fault) => panic!("after a power cut, {fault}\n{under:?}; to see it again: VMSYS_TEST_SEED={seed}"),
        }
    }
    eprintln!("{cuts} power cuts, {acknowledged} writes acknowledged, {:?}", under.durability);
    assert!(first.is_some() || acknowledged > 5 * cuts, "{cuts} cuts have tried {acknowledged} writes only");
}

#[test]
fn what_is_acknowledged_survives_a_power_cut() {
    try_under(FULL);
}

#[test]
fn a_power_cut_may_cost_the_last_writes_where_that_was_chosen_and_no_more() {
    try_under(Conditions { durability: Durability::Normal, ..FULL });
}

/// The same trials must fail where the disk is not waited for: otherwise they would prove nothing.
#[test]
fn trials_find_what_is_not_on_the_disk() {
    for under in [Conditions { syncs: Syncs::Ignored, ..FULL }, Conditions { synchronous: false, ..FULL }] {
        let faults: Vec<String> = (0..40).filter_map(|seed| trial(seed, under).err()).collect();
        assert!(faults.len() >= 10, "{under:?}: {faults:#?}");
        assert!(faults.iter().any(|fault| fault.contains("lost")), "{under:?}: {faults:#?}");
    }
}
