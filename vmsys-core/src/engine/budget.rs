//! Ends jobs that run too long or use too much.
//!
//! The engine calls [`Budget::poll`] every 10,000 steps. Once a reason to stop is found it stays: an interrupt can be
//! swallowed, so from then on every poll interrupts again and every call of a function fails. How a job ended is judged
//! by [`Budget::stopped`], never by what the script returned.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::ffi::RuntimePtr;
use super::guard_alloc::Meter;
use crate::isolation::os_thread::current_cpu_time;
use crate::isolation::protocol::{JobLimits, SharedHost, Stop, Usage};

/// So much work of ours, some milliseconds at the worst, is one poll.
const BYTES_PER_POLL: usize = 1 << 18;

pub(super) struct Budget {
    runtime: RuntimePtr,
    meter: Rc<Meter>,
    host: RefCell<Option<SharedHost>>,
    started: Cell<Instant>,
    wall: Cell<Duration>,
    cpu_at_start: Cell<Duration>,
    cpu: Cell<Duration>,
    memory_bytes: Cell<usize>,
    polls: Cell<u64>,
    /// Bytes that functions of ours have worked through since the last poll.
    unpolled: Cell<usize>,
    stop: Cell<Option<Stop>>,
}

impl Budget {
    pub(super) fn new(runtime: RuntimePtr, meter: Rc<Meter>) -> Rc<Self> {
        Rc::new(Self {
            runtime,
            meter,
            host: RefCell::new(None),
            started: Cell::new(Instant::now()),
            wall: Cell::new(Duration::MAX),
            cpu_at_start: Cell::new(Duration::ZERO),
            cpu: Cell::new(Duration::MAX),
            memory_bytes: Cell::new(usize::MAX),
            polls: Cell::new(0),
            unpolled: Cell::new(0),
            stop: Cell::new(None),
        })
    }

    pub(super) fn arm(&self, limits: &JobLimits, host: SharedHost) {
        self.started.set(Instant::now());
        self.wall.set(limits.wall);
        self.cpu_at_start.set(current_cpu_time());
        self.cpu.set(limits.cpu);
        self.memory_bytes.set(limits.memory_bytes);
        self.polls.set(0);
        self.unpolled.set(0);
        self.stop.set(None);
        *self.host.borrow_mut() = Some(host);
        self.runtime.allow_calls();
        self.meter.arm(self.runtime, limits.memory_bytes);
    }

    /// Tells what has been used so far.
    pub(super) fn usage(&self) -> Usage {
        Usage {
            wall: self.started.get().elapsed(),
            cpu: current_cpu_time().saturating_sub(self.cpu_at_start.get()),
            memory_bytes: self.meter.used(),
            polls: self.polls.get(),
        }
    }

    /// From here on guest code may only end: what the job was armed with stays, every poll interrupts, and no more than
    /// a fresh reserve of heap is lent.
    pub(super) fn begin_cleanup(&self) {
        self.stop(Stop::Requested);
        self.meter.arm_for_cleanup();
    }

    /// Ends the job's budget: no guest code runs from here on.
    pub(super) fn disarm(&self) {
        self.meter.disarm();
        self.stop.set(None);
        *self.host.borrow_mut() = None;
        self.runtime.allow_calls();
    }

    /// The interrupt handler: true ends what runs.
    pub(super) fn poll(&self) -> bool {
        self.polls.set(self.polls.get() + 1);
        if self.stop.get().is_some() {
            // The host sees by it that the script is on its way out, and not stuck.
            self.asked_to_stop();
        }
        self.check().is_some()
    }

    /// Counts bytes that a function of ours is about to work through: the engine asks only every so many steps of a
    /// script's, and each may be such a call. True ends what runs.
    pub(super) fn charge(&self, bytes: usize) -> bool {
        let unpolled = self.unpolled.get().saturating_add(bytes);
        if unpolled < BYTES_PER_POLL {
            self.unpolled.set(unpolled);
            return false;
        }
        self.unpolled.set(0);
        self.poll()
    }

    /// Why the host wants the job to end, if it does. What runs without a host has no right to.
    fn asked_to_stop(&self) -> Option<Stop> {
        let Ok(host) = self.host.try_borrow() else { return None };
        match host.as_ref() {
            Some(host) => host.try_borrow().ok()?.stop_reason(),
            None => Some(Stop::Requested),
        }
    }

    /// Looks for a reason to stop; what it finds stays.
    pub(super) fn check(&self) -> Option<Stop> {
        if self.stop.get().is_none()
            && let Some(reason) = self.find_reason()
        {
            self.stop.set(Some(reason));
        }
        if self.stop.get().is_some() {
            self.runtime.forbid_calls();
        }
        self.stop.get()
    }

    /// Ends the job for a reason found elsewhere; the first reason stays.
    pub(super) fn stop(&self, reason: Stop) {
        if self.stop.get().is_none() {
            self.stop.set(Some(reason));
        }
        self.runtime.forbid_calls();
    }

    /// What the heap may hold in this job; between jobs, in the last one.
    pub(super) fn memory_bytes(&self) -> usize {
        self.memory_bytes.get()
    }

    /// Whether the heap has room for another job.
    pub(super) fn has_room(&self) -> bool {
        self.meter.has_room()
    }

    /// Why the job was stopped, if it was.
    pub(super) fn stopped(&self) -> Option<Stop> {
        if self.stop.get().is_none() && self.meter.is_doomed() {
            self.stop(Stop::Memory);
        }
        self.stop.get()
    }

    /// How long the job may still take.
    pub(super) fn wall_left(&self) -> Duration {
        self.wall.get().saturating_sub(self.started.get().elapsed())
    }

    pub(super) fn host(&self) -> Option<SharedHost> {
        self.host.borrow().clone()
    }

    fn find_reason(&self) -> Option<Stop> {
        if self.meter.is_doomed() {
            return Some(Stop::Memory);
        }
        if let Some(asked) = self.asked_to_stop() {
            return Some(asked);
        }
        if self.started.get().elapsed() >= self.wall.get() {
            return Some(Stop::Wall);
        }
        if current_cpu_time().saturating_sub(self.cpu_at_start.get()) >= self.cpu.get() {
            return Some(Stop::Cpu);
        }
        None
    }
}
