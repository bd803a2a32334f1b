//! What is due later: `setTimeout`, `setInterval`, `setImmediate` and their opposites.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rquickjs::function::{Args, Rest};
use rquickjs::{Ctx, Exception, Function, Persistent, Result, Value};

/// More timers than any program needs; they live outside the heap that the guest's limit counts.
const MOST: usize = 10_000;
/// And as many arguments for the callback; `setTimeout(f, ms, ...list)` could keep gigabytes otherwise.
const MOST_ARGS: usize = 64;
/// The longest delay, as everywhere: a larger one is 1 ms.
const LONGEST_MS: f64 = 2_147_483_647.0;

/// The timers of a realm, in the order in which they are due.
#[derive(Default)]
pub(super) struct Timers {
    /// By time, then by age.
    queue: RefCell<BTreeMap<(Instant, u64), Timer>>,
    last_id: Cell<u64>,
    /// How many of them keep nothing alive.
    background: Cell<usize>,
}

struct Timer {
    id: u64,
    callback: Persistent<Function<'static>>,
    args: Vec<Persistent<Value<'static>>>,
    every: Option<Duration>,
    background: bool,
}

/// What kind of timer to set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Timeout,
    Interval,
    Immediate,
    /// A timeout of ours that keeps nothing alive: an execution that only waits for such ones is at its end.
    Background,
}

impl Timers {
    /// Sets a timer from the arguments of a script's call and returns its number.
    pub(super) fn set<'js>(&self, ctx: &Ctx<'js>, kind: Kind, args: Rest<Value<'js>>) -> Result<u64> {
        let mut args = args.0.into_iter();
        let Some(callback) = args.next().and_then(Value::into_function) else {
            return Err(Exception::throw_type(ctx, "The \"callback\" argument must be of type function"));
        };
        if self.queue.borrow().len() >= MOST {
            return Err(Exception::throw_range(ctx, "too many timers are due: clear some first"));
        }
        let delay = match kind {
            Kind::Immediate => Duration::ZERO,
            // Of what is no number only text is converted: an object's conversion would run the guest's code in ours.
            Kind::Timeout | Kind::Interval | Kind::Background => {
                delay(args.next().and_then(|value| milliseconds(&value)))
            }
        };
        if args.len() > MOST_ARGS {
            return Err(Exception::throw_range(ctx, "too many arguments for the callback of a timer"));
        }
        let id = self.last_id.get() + 1;
        self.last_id.set(id);
        let timer = Timer {
            id,
            callback: Persistent::save(ctx, callback),
            args: args.map(|arg| Persistent::save(ctx, arg)).collect(),
            every: (kind == Kind::Interval).then_some(delay),
            background: kind == Kind::Background,
        };
        self.background.set(self.background.get() + usize::from(timer.background));
        self.queue.borrow_mut().insert((Instant::now() + delay, id), timer);
        Ok(id)
    }

    /// Forgets a timer; what names none is ignored.
    pub(super) fn clear(&self, id: &Value<'_>) {
        let Some(id) = id.as_number() else { return };
        // What scripts have no number of they cannot clear.
        self.queue.borrow_mut().retain(|_, timer| timer.background || timer.id as f64 != id);
    }

    /// Forgets all.
    pub(super) fn clear_all(&self) {
        // Taken out first: dropping a callback may free objects, and nothing of the engine runs under our borrow.
        let all = std::mem::take(&mut *self.queue.borrow_mut());
        self.background.set(0);
        drop(all);
    }

    /// When the next one is due; none when all that there are keep nothing alive, unless something else does.
    pub(super) fn next_due(&self, alive: bool) -> Option<Instant> {
        if !alive && self.queue.borrow().len() == self.background.get() {
            return None;
        }
        self.queue.borrow().keys().next().map(|(due, _)| *due)
    }

    /// Calls the next one, whether it is due or not.
    pub(super) fn fire<'js>(&self, ctx: &Ctx<'js>) -> Result<()> {
        let Some(((due, _), timer)) = self.queue.borrow_mut().pop_first() else { return Ok(()) };
        self.background.set(self.background.get() - usize::from(timer.background));
        let mut args = Args::new_unsized(ctx.clone());
        for arg in &timer.args {
            args.push_arg(arg.clone().restore(ctx)?)?;
        }
        let callback = timer.callback.clone().restore(ctx)?;
        if let Some(every) = timer.every {
            // From when it was due, so that it does not drift; but never several at once to catch up.
            let next = (due + every).max(Instant::now());
            self.queue.borrow_mut().insert((next, timer.id), timer);
        }
        callback.call_arg::<Value<'js>>(args).map(drop)
    }
}

fn milliseconds(value: &Value<'_>) -> Option<f64> {
    value.as_number().or_else(|| value.as_string()?.to_string().ok()?.trim().parse().ok())
}

fn delay(ms: Option<f64>) -> Duration {
    match ms {
        Some(ms) if (1.0..=LONGEST_MS).contains(&ms) => Duration::from_millis(ms as u64),
        _ => Duration::from_millis(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_out_of_range_is_one_millisecond() {
        for ms in [None, Some(0.0), Some(-5.0), Some(f64::NAN), Some(f64::INFINITY), Some(1e12)] {
            assert_eq!(delay(ms), Duration::from_millis(1), "{ms:?}");
        }
        assert_eq!(delay(Some(2.9)), Duration::from_millis(2));
    }
}
