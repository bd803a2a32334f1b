//! How often and for how long a daemon is asked again that has gone away: while it starts anew, say.

use std::time::{Duration, Instant};

/// For how long in total.
pub(super) const PERSEVERANCE: Duration = Duration::from_secs(10);

/// The first pause. A line that was only cut is back at once; a daemon that starts anew takes a little longer.
const SHORTEST: Duration = Duration::from_millis(50);
/// Each pause is twice as long as the last one, up to this.
const LONGEST: Duration = Duration::from_secs(1);

/// Attempts that have not succeeded so far.
#[derive(Debug)]
pub(super) struct Attempts {
    since: Instant,
    pause: Duration,
}

impl Attempts {
    /// Begins to count: it has just failed for the first time.
    pub(super) fn begin() -> Self {
        Self { since: Instant::now(), pause: SHORTEST }
    }

    /// Returns for how long it has not succeeded.
    pub(super) fn lasted(&self) -> Duration {
        self.since.elapsed()
    }

    /// Returns how much time there is for one more.
    pub(super) fn left(&self) -> Duration {
        PERSEVERANCE.saturating_sub(self.lasted())
    }

    /// Returns how long to wait before the next one; none when it is time to give up.
    pub(super) fn pause(&mut self) -> Option<Duration> {
        let pause = self.pause;
        self.pause = (pause * 2).min(LONGEST);
        (pause < self.left()).then_some(pause)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_come_to_an_end() {
        let mut attempts = Attempts::begin();
        let pauses: Vec<u128> = (0..7).filter_map(|_| attempts.pause()).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000]);
        let long_ago = Instant::now().checked_sub(PERSEVERANCE).expect("the machine has run for longer");
        let mut late = Attempts { since: long_ago, pause: SHORTEST };
        assert_eq!((late.pause(), late.left()), (None, Duration::ZERO));
    }
}
