//! A short busy wait before sleeping: a hand-over between two threads that are both awake costs a microsecond, one that
//! has to wake a sleeper costs ten or more.
//!
//! Only where it cannot hurt: when there is a processor to spare, and nothing else runs that would want it. Callers
//! decide the latter.

use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// How many threads spin at this moment.
static SPINNERS: AtomicUsize = AtomicUsize::new(0);

/// How many may: as many as there are processors, since the one that is handed something has not yet stopped when the other
/// starts. With a single processor nothing can come while we keep it busy. A worker must have asked before it is confined.
pub(crate) fn most() -> usize {
    static MOST: OnceLock<usize> = OnceLock::new();
    *MOST.get_or_init(|| match std::thread::available_parallelism().map_or(1, NonZero::get) {
        1 => 0,
        processors => processors,
    })
}

/// Asks again and again for at most `limit`, and tells whether the answer became yes.
pub(crate) fn spin(limit: Duration, mut ready: impl FnMut() -> bool) -> bool {
    if SPINNERS.fetch_add(1, Ordering::Relaxed) >= most() {
        SPINNERS.fetch_sub(1, Ordering::Relaxed);
        return ready();
    }
    let started = Instant::now();
    let came = loop {
        if (0..32).any(|_| {
            std::hint::spin_loop();
            ready()
        }) {
            break true;
        }
        if started.elapsed() >= limit {
            break false;
        }
    };
    SPINNERS.fetch_sub(1, Ordering::Relaxed);
    came
}
