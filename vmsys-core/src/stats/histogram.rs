//! Many values in little space: what is recorded costs two additions, whoever records at the same time.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Each power of two has so many buckets, so that a value is known to a quarter of itself.
const PARTS: u32 = 4;
/// `PARTS`, as a shift.
const PART_BITS: u32 = PARTS.trailing_zeros();
/// The last power of two that is told apart: in microseconds, nineteen hours.
const LAST_POWER: u32 = 36;
const BUCKETS: usize = ((LAST_POWER - PART_BITS + 2) * PARTS) as usize;

/// Values that are recorded by any number of threads at once, in a kilobyte.
///
/// A value is known to a quarter of itself, and what is larger than about 10¹¹ counts as that. It forgets nothing: what
/// was recorded a day ago counts as much as the last value.
///
/// ```
/// let times = vmsys_core::Histogram::default();
/// (1..=100).for_each(|micros| times.record(micros));
/// let times = times.snapshot();
/// assert_eq!((times.count(), times.sum(), times.count_to(64)), (100, 5050, 64));
/// assert_eq!(times.quantile(0.5), Some(56)); // it is 50
/// ```
// Not one of a crate's: those that take values without a lock have thousands of buckets, for a precision that nobody
// needs here, and there is one of these for each kind of execution and each route.
pub struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: [const { AtomicU64::new(0) }; BUCKETS], sum: AtomicU64::new(0) }
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram").finish_non_exhaustive()
    }
}

impl Histogram {
    /// Records a value.
    pub fn record(&self, value: u64) {
        self.buckets[place(value)].fetch_add(1, Ordering::Relaxed);
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Records a time in microseconds.
    pub fn record_time(&self, time: Duration) {
        self.record(u64::try_from(time.as_micros()).unwrap_or(u64::MAX));
    }

    /// Returns what was recorded so far.
    pub fn snapshot(&self) -> Distribution {
        let count = |bucket: &AtomicU64| bucket.load(Ordering::Relaxed);
        Distribution { buckets: self.buckets.iter().map(count).collect(), sum: self.sum.load(Ordering::Relaxed) }
    }
}

/// How values were distributed: how many there were, their sum, and about where each quantile lies.
///
/// ```
/// # use vmsys_core::{NewSession, NewTemplate, VmSystem};
/// # let vm = VmSystem::in_memory()?;
/// # let template = vm.create_template(NewTemplate::named("t"))?;
/// # let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
/// session.repl("1 + 1")?;
/// let stats = vm.stats()?;
/// let commits = &stats.store.commit_micros;
/// assert!(commits.count() >= 3);
/// assert!(commits.quantile(0.5) <= commits.quantile(0.99));
/// # Ok::<(), vmsys_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    buckets: Vec<u64>,
    sum: u64,
}

impl Distribution {
    /// Returns how many values there were.
    pub fn count(&self) -> u64 {
        self.buckets.iter().sum()
    }

    /// Returns the sum of all values.
    pub fn sum(&self) -> u64 {
        self.sum
    }

    /// Returns how many values were at most `bound`, which is exact for powers of two.
    pub fn count_to(&self, bound: u64) -> u64 {
        self.buckets.iter().zip(0..).take_while(|(_, place)| upper(*place) <= bound).map(|(count, _)| count).sum()
    }

    /// Returns about the value that a part of all values, such as 0.99 of them, does not pass; none when there are no
    /// values.
    pub fn quantile(&self, part: f64) -> Option<u64> {
        let count = self.count();
        let wanted = ((part.clamp(0.0, 1.0) * count as f64).ceil() as u64).max(1);
        let mut seen = 0;
        self.buckets.iter().zip(0..).find_map(|(bucket, place)| {
            seen += bucket;
            (seen >= wanted).then(|| upper(place))
        })
    }
}

/// The bucket of a value. One ends with each power of two.
fn place(value: u64) -> usize {
    let before = value.saturating_sub(1);
    let Some(power) = before.checked_ilog2().filter(|power| *power >= PART_BITS) else {
        return before as usize;
    };
    let part = (before >> (power - PART_BITS)) as usize & (PARTS as usize - 1);
    (((power - PART_BITS + 1) * PARTS) as usize + part).min(BUCKETS - 1)
}

/// The largest value of a bucket.
fn upper(place: u64) -> u64 {
    let parts = u64::from(PARTS);
    match place / parts {
        0 => place + 1,
        power => (parts + place % parts + 1) << (power - 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn buckets_follow_each_other_and_end_with_powers_of_two() {
        let mut last = 0;
        for bucket in 0..BUCKETS as u64 {
            assert_eq!(place(last + 1), bucket as usize, "the first of {bucket}");
            assert_eq!(place(upper(bucket)), bucket as usize, "the last of {bucket}");
            last = upper(bucket);
        }
        assert_eq!((place(0), place(u64::MAX)), (0, BUCKETS - 1));
        for power in 0..=LAST_POWER {
            assert!((0..BUCKETS as u64).any(|bucket| upper(bucket) == 1 << power), "2^{power}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

        #[test]
        fn quantiles_are_right_to_a_quarter(mut values in proptest::collection::vec(0_u64..10_000_000, 1..200), part in 0.0_f64..=1.0) {
            let histogram = Histogram::default();
            values.iter().for_each(|value| histogram.record(*value));
            let snapshot = histogram.snapshot();
            values.sort_unstable();
            prop_assert_eq!((snapshot.count(), snapshot.sum()), (values.len() as u64, values.iter().sum()));
            let place = ((part * values.len() as f64).ceil() as usize).clamp(1, values.len()) - 1;
            let (exact, found) = (values[place], snapshot.quantile(part).ok_or(TestCaseError::fail("no value"))?);
            prop_assert!(exact <= found && found <= exact + exact / 4 + 1, "{} is told as {}", exact, found);
            for power in 0..24 {
                let most = values.iter().filter(|value| **value <= 1 << power).count() as u64;
                prop_assert_eq!(snapshot.count_to(1 << power), most);
            }
        }
    }

    #[test]
    fn of_no_values_there_is_no_quantile() {
        let empty = Histogram::default().snapshot();
        assert_eq!((empty.count(), empty.quantile(0.5), empty.count_to(u64::MAX)), (0, None, 0));
    }
}
