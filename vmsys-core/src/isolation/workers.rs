//! Where worker processes come from: a warm process for each kind of realm, which is started once and forked for each
//! session.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use super::process::{Graves, WarmProcess, Worker};
use super::protocol::{NotMade, RealmConfig};
use super::sandbox::Sandbox;
use super::worker;

/// Warm processes that are kept. One more, and the one goes that was longest of no use.
const MOST: usize = 16;

/// This program, whatever has become of its file.
const SELF: &str = "/proc/self/exe";

/// Makes worker processes.
pub(crate) struct Workers {
    program: Option<PathBuf>,
    sandbox: Sandbox,
    /// Tells what the variable `TZ` says to this program, if it is set.
    time_zone: TimeZone,
    kinds: Mutex<HashMap<Vec<u8>, Kind>>,
    /// The kernel ends a process with the thread that started it, so that it is one that stays.
    starter: Mutex<Starting>,
    warned: Mutex<bool>,
    /// Workers that nobody has waited for.
    pub(crate) graves: Arc<Graves>,
}

/// Asked when a process is started, and not before: what a program shows of its environment is looked at when it is needed.
type TimeZone = Box<dyn Fn() -> Option<String> + Send + Sync>;

/// A kind of realm, and the process that has one.
struct Kind {
    warm: Arc<Mutex<Option<WarmProcess>>>,
    used: Instant,
}

#[derive(Default)]
enum Starting {
    #[default]
    NotYet,
    On(Starter),
    Stopped,
}

struct Starter {
    orders: Sender<Box<dyn FnOnce() + Send>>,
    thread: JoinHandle<()>,
}

impl Workers {
    pub(crate) fn new(program: Option<PathBuf>, sandbox: Sandbox, time_zone: TimeZone) -> Self {
        let (kinds, starter, warned, graves) = Default::default();
        Self { program, sandbox, time_zone, kinds, starter, warned, graves }
    }

    /// Tells why there are none, if so.
    pub(crate) fn unavailable(&self) -> Option<&'static str> {
        if self.program.is_some() { None } else { worker::unavailable() }
    }

    /// Makes a worker for a realm of this kind.
    ///
    /// # Errors
    /// It cannot be started, goes without a part of its sandbox that is required, or a library failed.
    pub(crate) fn make(&self, config: &RealmConfig) -> Result<Worker, NotMade> {
        let warm = self.kind(config)?;
        // Others of the same kind wait for its first one: then each takes a millisecond.
        let mut warm = lock(&warm);
        if let Some(process) = &mut *warm {
            match process.fork(&self.graves) {
                Ok(worker) => return Ok(worker),
                Err(error) => tracing::warn!(%error, "a process that workers come from is started anew"),
            }
        }
        let mut process = self.start(config)?;
        let worker = process.fork(&self.graves).map_err(|error| NotMade::Engine(error.to_string()))?;
        *warm = Some(process);
        Ok(worker)
    }

    /// Ends the warm processes, and starts no more. The workers of live sessions must have ended before.
    pub(crate) fn stop(&self) {
        lock(&self.kinds).clear();
        self.graves.wait();
        let starting = std::mem::replace(&mut *lock(&self.starter), Starting::Stopped);
        let Starting::On(Starter { orders, thread }) = starting else { return };
        drop(orders);
        if thread.join().is_err() {
            tracing::error!("the thread that starts processes had panicked");
        }
    }

    fn kind(&self, config: &RealmConfig) -> Result<Arc<Mutex<Option<WarmProcess>>>, NotMade> {
        let key = rmp_serde::to_vec(&config.kind()).map_err(|error| NotMade::Engine(error.to_string()))?;
        let mut kinds = lock(&self.kinds);
        if !kinds.contains_key(&key) && kinds.len() >= MOST {
            let oldest = kinds.iter().min_by_key(|(_, kind)| kind.used).map(|(key, _)| key.clone());
            oldest.and_then(|key| kinds.remove(&key));
        }
        let kind = kinds.entry(key).or_insert_with(|| Kind { warm: Arc::default(), used: Instant::now() });
        kind.used = Instant::now();
        Ok(kind.warm.clone())
    }

    fn start(&self, config: &RealmConfig) -> Result<WarmProcess, NotMade> {
        let (program, sandbox, time_zone) = (self.program.clone(), self.sandbox, (self.time_zone)());
        let (answer, started) = channel();
        self.on_starter(Box::new(move || {
            let program = program.as_deref().unwrap_or(Path::new(SELF));
            let _ = answer.send(WarmProcess::start(program, sandbox, time_zone.as_deref()));
        }))?;
        let gone = |_| NotMade::Engine("the thread that starts processes is gone".to_owned());
        let failed = |error| NotMade::Engine(format!("a worker process could not be started: {error}"));
        let mut process = started.recv().map_err(gone)?.map_err(failed)?;
        // Here, and not there: libraries take their time, and others wait for that thread.
        process.prepare(config.for_nobody())?;
        if !process.missing.is_empty() {
            let missing = process.missing.join(", ");
            if sandbox == Sandbox::Require {
                let why = format!("the sandbox is required, and this machine lacks a part of it: {missing}");
                return Err(NotMade::Engine(why));
            }
            if !std::mem::replace(&mut *lock(&self.warned), true) {
                tracing::warn!(missing, "worker processes go without a part of their sandbox");
            }
        }
        Ok(process)
    }

    fn on_starter(&self, order: Box<dyn FnOnce() + Send>) -> Result<(), NotMade> {
        let failed = |error: &dyn std::fmt::Display| NotMade::Engine(format!("there is no thread for it: {error}"));
        let mut starter = lock(&self.starter);
        if matches!(*starter, Starting::NotYet) {
            let (orders, queue) = channel::<Box<dyn FnOnce() + Send>>();
            let work = move || queue.into_iter().for_each(|order| order());
            let thread = std::thread::Builder::new().name("vm-workers".to_owned()).spawn(work);
            *starter = Starting::On(Starter { orders, thread: thread.map_err(|error| failed(&error))? });
        }
        let Starting::On(Starter { orders, .. }) = &*starter else {
            return Err(NotMade::Engine("the system is shutting down".to_owned()));
        };
        orders.send(order).map_err(|error| failed(&error))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
