//! What one execution may use.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The least and the most that each limit can be.
pub(crate) mod bounds {
    pub(crate) const CPU_MS: (u64, u64) = (1, 3_600_000);
    pub(crate) const WALL_MS: (u64, u64) = (1, 86_400_000);
    pub(crate) const MEM_MB: (u64, u64) = (4, 4_096);
    pub(crate) const MAX_EVENTS: (u64, u64) = (1, 1_000_000);
    pub(crate) const MAX_OUTPUT_KB: (u64, u64) = (1, 65_536);
}

/// Bounds of each execution of a session.
///
/// Every limit is enforced while the code runs; whichever is reached first ends that one execution, and the session
/// goes on with the state that the code had made. What they do *not* do: on thread isolation, native code of the
/// engine that never polls for interrupts cannot be stopped. Such a session is declared `crashed` 250 ms after its
/// limit, and its thread is left behind at the lowest priority.
/// Nor is a synchronous function interrupted that an embedding program offers: it goes on to its end, and a session in
/// which one takes long after the limit (250 ms of work, or seconds asleep) is declared `crashed`, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// Processor time in milliseconds, 1 to 3,600,000; 5,000 by default.
    #[cfg_attr(feature = "schema", schemars(range(min = bounds::CPU_MS.0, max = bounds::CPU_MS.1)))]
    pub cpu_ms: u64,
    /// Elapsed time in milliseconds, 1 to 86,400,000; 30,000 by default.
    #[cfg_attr(feature = "schema", schemars(range(min = bounds::WALL_MS.0, max = bounds::WALL_MS.1)))]
    pub wall_ms: u64,
    /// Heap of the whole session in MiB, 4 to 4096; 128 by default. Up to 80 MiB more are lent while an execution is being ended, and to
    /// one that begins with a full heap; a session that ends an execution with more than 64 MiB of that in use has no
    /// room left to let go of it, and is declared `crashed`.
    #[cfg_attr(feature = "schema", schemars(range(min = bounds::MEM_MB.0, max = bounds::MEM_MB.1)))]
    pub mem_mb: u64,
    /// Events before the one that ends the execution, 1 to 1,000,000; 1,000 by default.
    #[cfg_attr(feature = "schema", schemars(range(min = bounds::MAX_EVENTS.0, max = bounds::MAX_EVENTS.1)))]
    pub max_events: u64,
    /// Text of the events before the one that ends the execution in KiB, 1 to 65,536; 512 by default. That last one is bounded
    /// by itself.
    #[cfg_attr(feature = "schema", schemars(range(min = bounds::MAX_OUTPUT_KB.0, max = bounds::MAX_OUTPUT_KB.1)))]
    pub max_output_kb: u64,
}

/// What a template has unless it says something else; one with a few other limits is made of it.
///
/// ```
/// use vmsys_core::Limits;
/// let limits = Limits::default();
/// assert_eq!((limits.cpu_ms, limits.wall_ms, limits.mem_mb), (5_000, 30_000, 128));
/// assert_eq!((limits.max_events, limits.max_output_kb), (1_000, 512));
/// let small = Limits::default().with_cpu_ms(200).with_mem_mb(16);
/// assert_eq!((small.cpu_ms, small.wall_ms, small.mem_mb), (200, 30_000, 16));
/// ```
impl Default for Limits {
    fn default() -> Self {
        Self { cpu_ms: 5_000, wall_ms: 30_000, mem_mb: 128, max_events: 1_000, max_output_kb: 512 }
    }
}

/// Gives a type a method for each limit that it has, for sure or perhaps.
macro_rules! with_limits {
    ($name:ident) => {
        with_limits! {
            $name
            with_cpu_ms: cpu_ms,
            with_wall_ms: wall_ms,
            with_mem_mb: mem_mb,
            with_max_events: max_events,
            with_max_output_kb: max_output_kb,
        }
    };
    ($name:ident $($method:ident: $field:ident,)*) => {
        impl $name {
            $(#[doc = concat!("The same with this [`", stringify!($field), "`](Self::", stringify!($field), ").")]
            pub fn $method(self, $field: u64) -> Self {
                Self { $field: $field.into(), ..self }
            })*
        }
    };
}
pub(crate) use with_limits;

with_limits!(Limits);

impl Limits {
    /// Checks every bound.
    ///
    /// # Errors
    /// [`Validation`](crate::ErrorKind::Validation) with the `field` that is out of range.
    ///
    /// ```
    /// let mut limits = vmsys_core::Limits::default();
    /// limits.cpu_ms = 0;
    /// assert_eq!(limits.validate().unwrap_err().detail("field"), Some("limits.cpu_ms"));
    /// ```
    pub fn validate(&self) -> Result<()> {
        let values = [
            ("limits.cpu_ms", self.cpu_ms, bounds::CPU_MS),
            ("limits.wall_ms", self.wall_ms, bounds::WALL_MS),
            ("limits.mem_mb", self.mem_mb, bounds::MEM_MB),
            ("limits.max_events", self.max_events, bounds::MAX_EVENTS),
            ("limits.max_output_kb", self.max_output_kb, bounds::MAX_OUTPUT_KB),
        ];
        for (field, value, (least, most)) in values {
            if !(least..=most).contains(&value) {
                return Err(Error::validation(field, format!("{field} must be from {least} to {most}, not {value}")));
            }
        }
        Ok(())
    }
}
