//! Plain data: what crosses between a script and the functions that its host offers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A value without identity, prototype or behaviour, as it crosses between scripts and their host.
///
/// JavaScript's `undefined` arrives as [`Null`](Self::Null). Strings are well-formed: a lone surrogate arrives as U+FFFD.
///
/// ```
/// use vmsys_core::Value;
/// let row = Value::Object(vec![("id".into(), 7.0.into()), ("name".into(), "ada".into())]);
/// assert_eq!(row.get("name").and_then(Value::as_str), Some("ada"));
/// assert_eq!(row.get("age"), None);
/// ```
///
/// With serde, it is to JSON and other formats that people read what it says: text is text, a number is a number, an object an
/// object, and a whole number of 2^53 or more is read as a bigint. What these formats have not is an object with one key, as it
/// is in the records of calls: `{"$bigint": "7"}`, `{"$bytes": "AQI="}` (base64), `{"$number": "NaN"}` (also `inf`, `-inf` and
/// `-0`), and `{"$object": ...}` around an object whose one key begins with `$`. So whatever is written is read as it was, as
/// far as the format reads fractions exactly. [`Display`](std::fmt::Display) writes the same JSON. Formats for machines have it
/// as an enum. A `Date` is no plain data, and does not cross: scripts make text or a number of it.
///
/// ```
/// use vmsys_core::Value;
/// let value: Value = serde_json::from_str(r#"{"name": "ada", "ids": [7, 12345678901234567890]}"#)?;
/// assert_eq!(value.get("name").and_then(Value::as_str), Some("ada"));
/// assert_eq!(value.get("ids").and_then(Value::as_array), Some(&[7.0.into(), Value::BigInt(12345678901234567890)][..]));
///
/// assert_eq!(Value::Array(vec!["x".into(), 1.5.into(), Value::Bytes(vec![1, 2])]).to_string(), r#"["x",1.5,{"$bytes":"AQI="}]"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Value {
    /// `null`, and `undefined` on its way to the host.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A number, as JavaScript has them.
    Number(f64),
    /// A bigint of at most 127 bits and a sign; larger ones do not cross.
    BigInt(i128),
    /// Text.
    String(String),
    /// Bytes: an `ArrayBuffer` or a view of one on its way to the host, a `Uint8Array` on its way back.
    Bytes(Vec<u8>),
    /// An array.
    Array(Vec<Value>),
    /// A plain object, with its properties in order.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// About how many bytes it takes in memory.
    pub(crate) fn size(&self) -> usize {
        let held = match self {
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::BigInt(_) => 0,
            Self::String(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Array(elements) => elements.iter().map(Self::size).sum(),
            Self::Object(properties) => size_of_properties(properties),
        };
        size_of::<Self>() + held
    }

    /// How it is recorded, and written: as JSON, and what JSON has not as an object with one key that begins with `$`.
    pub(crate) fn recorded(&self) -> serde_json::Value {
        use serde_json::Value as Json;
        let tagged = |tag: &str, text: String| serde_json::json!({ tag: text });
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Number(number) if !number.is_finite() || (*number == 0.0 && number.is_sign_negative()) => {
                tagged("$number", if *number == 0.0 { "-0".to_owned() } else { number.to_string() })
            }
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 9e15 => Json::from(*number as i64),
            Self::Number(number) => Json::from(*number),
            Self::BigInt(number) => tagged("$bigint", number.to_string()),
            Self::String(text) => Json::String(text.clone()),
            Self::Bytes(bytes) => tagged("$bytes", STANDARD.encode(bytes)),
            Self::Array(elements) => elements.iter().map(Self::recorded).collect(),
            Self::Object(properties) => {
                let object = properties.iter().map(|(name, value)| (name.clone(), value.recorded())).collect();
                match properties.as_slice() {
                    [(name, _)] if name.starts_with('$') => serde_json::json!({ "$object": Json::Object(object) }),
                    _ => Json::Object(object),
                }
            }
        }
    }

    /// Returns the text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Returns the number.
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Returns the boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// Returns the elements of an array.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// Returns the properties of an object.
    pub fn as_object(&self) -> Option<&[(String, Value)]> {
        match self {
            Self::Object(properties) => Some(properties),
            _ => None,
        }
    }

    /// Returns a property of an object.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.as_object()?.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// Tells whether it is null.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// Makes an object of these properties.
    pub fn object<K: Into<String>>(properties: impl IntoIterator<Item = (K, Value)>) -> Self {
        Self::Object(properties.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
}

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        use serde_json::Value as Json;
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => Self::Number(number.as_f64().unwrap_or(f64::NAN)),
            Json::String(text) => Self::String(text),
            Json::Array(elements) => Self::Array(elements.into_iter().map(Self::from).collect()),
            Json::Object(properties) => Self::object(properties.into_iter().map(|(key, value)| (key, value.into()))),
        }
    }
}

/// Declares the types that become one variant as they are.
macro_rules! from {
    ($($type:ty => $variant:ident,)+) => {
        $(impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Self::$variant(value.into())
            }
        })+
    };
}

from! {
    bool => Bool,
    f64 => Number,
    i32 => Number,
    u32 => Number,
    i64 => BigInt,
    u64 => BigInt,
    i128 => BigInt,
    &str => String,
    String => String,
    Vec<u8> => Bytes,
    Vec<Value> => Array,
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Bytes as bytes, where the format has them: serde's own form of a vector is a list of numbers.
pub(super) mod bytes {
    use std::fmt;

    use serde::de::{SeqAccess, Visitor};
    use serde::{Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        struct Bytes;

        impl<'de> Visitor<'de> for Bytes {
            type Value = Vec<u8>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
                Ok(bytes.to_vec())
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
                Ok(bytes)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<u8>, A::Error> {
                let mut bytes = Vec::new();
                while let Some(byte) = list.next_element()? {
                    bytes.push(byte);
                }
                Ok(bytes)
            }
        }

        deserializer.deserialize_byte_buf(Bytes)
    }
}

/// About how many bytes properties take in memory.
pub(super) fn size_of_properties(properties: &[(String, Value)]) -> usize {
    properties.iter().map(|(name, value)| size_of::<String>() + name.len() + value.size()).sum()
}
