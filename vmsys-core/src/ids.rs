//! Identifiers: one type a noun, so that a session's id can never be passed where a template's belongs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Text that is not an id: ids are UUIDs in their usual, hyphenated form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a UUID")]
#[non_exhaustive]
pub struct ParseIdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        ///
        /// A version 7 UUID: ids sort by the time at which they were made.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            pub(crate) fn new() -> Self {
                Self(Uuid::now_v7())
            }

            /// Returns the sixteen bytes of the id, in network order.
            pub fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }

            /// Takes sixteen bytes, as [`as_bytes`](Self::as_bytes) gave them.
            pub fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.as_hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIdError;

            fn from_str(text: &str) -> Result<Self, ParseIdError> {
                // `Uuid` also reads braces, URNs and bare digits; an id has one spelling.
                if text.len() != 36 {
                    return Err(ParseIdError);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| ParseIdError)
            }
        }
    };
}

id! {
    /// Names a template.
    TemplateId
}
id! {
    /// Names a session.
    SessionId
}
id! {
    /// Names an execution.
    ExecutionId
}
id! {
    /// Names a startup file of a template.
    StartupFileId
}
id! {
    /// Names a capability of a template.
    CapabilityId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_spelling() {
        let id = SessionId::new();
        assert_eq!(id.to_string().parse::<SessionId>(), Ok(id));
        assert_eq!(SessionId::from_bytes(*id.as_bytes()), id);
        for other in [format!("{{{id}}}"), format!("urn:uuid:{id}"), id.to_string().replace('-', ""), String::new()] {
            assert!(other.parse::<SessionId>().is_err(), "{other:?}");
        }
    }

    #[test]
    fn ids_sort_by_age() {
        let ids: Vec<ExecutionId> = (0..1000).map(|_| ExecutionId::new()).collect();
        assert!(ids.is_sorted());
    }
}
