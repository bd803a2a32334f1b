//! Plain data that crosses between a realm and its host, and results as people see them.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

mod data;
mod error;
mod form;
mod tree;
mod typed;

pub use self::data::Value;
pub use self::error::CallError;
pub use self::tree::{TreeEntry, TreeEntryKind, TreeText, ValueTree};
pub use self::typed::{Bytes, ValueError};

/// A JSON document as text, checked to be one, and parsed only when somebody asks.
///
/// Results are written to the store and to sockets as they came out of the realm: most are never looked into by us.
///
/// ```
/// use vmsys_core::JsonText;
/// let json = JsonText::parse("[1,2,3]".to_owned()).unwrap();
/// assert_eq!(json.decode::<Vec<u8>>().unwrap(), [1, 2, 3]);
/// assert!(JsonText::parse("[1,".to_owned()).is_err());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct JsonText(String);

impl JsonText {
    /// Takes text that must be one JSON document.
    ///
    /// # Errors
    /// The text is not JSON.
    pub fn parse(text: String) -> Result<Self, serde_json::Error> {
        serde_json::from_str::<&RawValue>(&text)?;
        Ok(Self(text))
    }

    /// Takes text that our own writer has just made.
    pub(crate) fn trusted(text: String) -> Self {
        debug_assert!(serde_json::from_str::<&RawValue>(&text).is_ok(), "{text}");
        Self(text)
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Reads the document into any type.
    ///
    /// # Errors
    /// The document does not have the type's shape.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.0)
    }
}

impl fmt::Debug for JsonText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for JsonText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return serializer.serialize_str(&self.0);
        }
        let raw: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        raw.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for JsonText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return Self::parse(String::deserialize(deserializer)?).map_err(D::Error::custom);
        }
        // Through `Value`, and not `RawValue`: the latter cannot be read behind `serde(flatten)` or a tag.
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(value.to_string()))
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for JsonText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Json".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        true.into()
    }
}

/// The type of a result, as scripts would name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is the JavaScript type of its name")]
pub enum ValueType {
    Undefined,
    Null,
    Boolean,
    Number,
    Bigint,
    String,
    Symbol,
    Function,
    Object,
    Array,
    Date,
    Regexp,
    Map,
    Set,
    Weakmap,
    Weakset,
    Weakref,
    Error,
    Promise,
    Proxy,
    Arraybuffer,
    Typedarray,
    Dataview,
    Generator,
    Iterator,
    Arguments,
    Module,
}

impl fmt::Display for ValueType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// What an execution came to: a type, a text for people, and JSON where the value is JSON.
///
/// `preview` is what `console.log` would print, bounded in depth, width and bytes: it is not a serialisation, and two
/// different values may have the same one. `json` is there for null, booleans, finite numbers, strings, dates (ISO
/// text), and arrays and plain objects of these; `undefined` is `null`. It is left out when it would be longer than 1 MiB or `max_output_kb`, or deeper than 100 levels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ResultValue {
    /// The type of the value.
    #[serde(rename = "type")]
    pub kind: ValueType,
    /// The value as `console.log` would print it; a string stands by itself, without quotes.
    pub preview: String,
    /// The value as JSON.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "present")]
    pub json: Option<JsonText>,
    /// The value as a [`ValueTree`], where it is an object that one line does not tell all of. Lists of executions leave it
    /// out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<TreeText>,
}

/// A document that is there, also when it is `null`: serde would take that for none.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<JsonText>, D::Error> {
    JsonText::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_reads_back_as_it_was_written() {
        let results = [
            r#"{"type":"undefined","preview":"undefined","json":null}"#,
            r#"{"type":"number","preview":"NaN"}"#,
            r#"{"type":"object","preview":"{ b: 1, a: [] }","json":{"b":1,"a":[]}}"#,
        ];
        for text in results {
            let value: ResultValue = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&value).unwrap(), text);
        }
    }
}
