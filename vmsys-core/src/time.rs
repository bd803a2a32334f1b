//! Points in time, as the API writes them.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A point in time in UTC, to the millisecond.
///
/// Its text is RFC 3339 of fixed width, so that it also sorts as text:
///
/// ```
/// let t = vmsys_core::Timestamp::from_millis(1_770_508_800_007);
/// assert_eq!(t.to_string(), "2026-02-08T00:00:00.007Z");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The last millisecond that jiff can write, near the end of the year 9999.
    const MAX: i64 = 253_402_207_200_000;

    /// Reads the system's clock.
    pub fn now() -> Self {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(Self::MAX),
            Err(_) => 0,
        };
        Self::from_millis(millis)
    }

    /// Takes milliseconds since 1970-01-01T00:00:00Z; what lies outside the years 1970 to 9999 is moved to the nearer end.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(0, Self::MAX))
    }

    /// Returns milliseconds since 1970-01-01T00:00:00Z.
    pub fn as_millis(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = jiff::Timestamp::from_millisecond(self.0).map_err(|_| fmt::Error)?;
        write!(f, "{time:.3}")
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for Timestamp {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "date-time",
            "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$",
            "description": "A point in time: RFC 3339, in UTC, of fixed width, so that it also sorts as text.",
        })
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self::from_millis(time.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_has_a_fixed_width_and_reads_back() {
        for millis in [0, 1, 999, 1_770_508_800_000, Timestamp::MAX] {
            let time = Timestamp::from_millis(millis);
            assert_eq!(time.to_string().len(), 24, "{time}");
            let json = serde_json::to_string(&time).expect("a time is text");
            assert_eq!(serde_json::from_str::<Timestamp>(&json).expect("and reads back"), time);
        }
    }
}
