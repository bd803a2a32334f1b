//! What plain data is to serde: to a format that people read it is itself, to any other one an enum.

use std::collections::HashMap;
use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::Value;
use super::data::bytes;
use super::typed::whole;

/// The name by which our own serialiser and deserialiser know [`Value`], so that it is passed on as it is wherever it stands in
/// another type. They are formats that people read, as far as other types ask, and so this is what they are told first.
pub(super) const ITSELF: &str = "vmsys_core::Value";

/// The form for machines: shorter, and exact without a look at any text. It is what crosses to worker processes.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Value", rename = "vmsys_core::Value")]
enum Tagged {
    Null,
    Bool(bool),
    Number(f64),
    BigInt(i128),
    String(String),
    Bytes(#[serde(with = "bytes")] Vec<u8>),
    Array(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_newtype_struct(ITSELF, &Inner(self))
        } else {
            Tagged::serialize(self, serializer)
        }
    }
}

struct Inner<'a>(&'a Value);

impl Serialize for Inner<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            self.0.recorded().serialize(serializer)
        } else {
            Tagged::serialize(self.0, serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_newtype_struct(ITSELF, Plain { is_within: false })
        } else {
            Tagged::deserialize(deserializer)
        }
    }
}

/// What is there, word for word: what stands within what says by itself that it is to be read otherwise.
struct Literal(Value);

impl<'de> Deserialize<'de> for Literal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Plain { is_within: true }).map(Self)
    }
}

/// Reads whatever there is.
struct Plain {
    /// Whether it stands within something that is read, and is to be left as it is.
    is_within: bool,
}

impl Plain {
    fn done(&self, read: Value) -> Value {
        if self.is_within { read } else { untagged(read) }
    }
}

/// Reads what is as it stands.
macro_rules! plain {
    ($($visit:ident: $type:ty => $value:expr,)+) => {
        $(fn $visit<E>(self, value: $type) -> Result<Value, E> {
            Ok($value(value))
        })+
    };
}

impl<'de> Visitor<'de> for Plain {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("plain data")
    }

    plain! {
        visit_bool: bool => Value::Bool,
        visit_f64: f64 => Value::Number,
        visit_i64: i64 => |number: i64| whole(number.into()),
        visit_u64: u64 => |number: u64| whole(number.into()),
        visit_i128: i128 => whole,
        visit_str: &str => Value::from,
        visit_string: String => Value::String,
        visit_bytes: &[u8] => |bytes: &[u8]| Value::Bytes(bytes.to_vec()),
        visit_byte_buf: Vec<u8> => Value::Bytes,
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_any(self)
        } else {
            Tagged::deserialize(deserializer)
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut elements = Vec::new();
        while let Some(Literal(element)) = list.next_element()? {
            elements.push(element);
        }
        Ok(self.done(Value::Array(elements)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let (mut properties, mut places) = (Vec::<(String, Value)>::new(), HashMap::<String, usize>::new());
        while let Some((name, Literal(value))) = map.next_entry::<String, Literal>()? {
            // Of two with one name the last counts, as in JavaScript.
            match places.get(&name) {
                Some(place) => properties[*place].1 = value,
                None => {
                    places.insert(name.clone(), properties.len());
                    properties.push((name, value));
                }
            }
        }
        Ok(self.done(Value::Object(properties)))
    }
}

/// What a value is that was read word for word: an object with one key may say what the format has not. Whatever else has
/// such a key is an object like any other.
fn untagged(value: Value) -> Value {
    let each = |properties: Vec<(String, Value)>| {
        Value::Object(properties.into_iter().map(|(name, value)| (name, untagged(value))).collect())
    };
    match value {
        Value::Array(elements) => Value::Array(elements.into_iter().map(untagged).collect()),
        Value::Object(mut properties) => {
            let told = match properties.as_mut_slice() {
                [(tag, Value::Object(inner))] if tag == "$object" => Some(each(std::mem::take(inner))),
                [(tag, Value::String(text))] => told(tag, text),
                _ => None,
            };
            told.unwrap_or_else(|| each(properties))
        }
        other => other,
    }
}

fn told(tag: &str, text: &str) -> Option<Value> {
    match tag {
        "$bigint" => text.parse().ok().map(Value::BigInt),
        "$number" => text.parse().ok().map(Value::Number),
        "$bytes" => STANDARD.decode(text).ok().map(Value::Bytes),
        _ => None,
    }
}

/// As JSON, in the form that [`Value`] has there.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.recorded().fmt(f)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            // How exactly fractions are read is the format's: serde_json may be off by the last bit.
            any::<i32>().prop_map(|number| Value::Number(f64::from(number) / 64.0)),
            prop::sample::select(vec![f64::INFINITY, f64::NEG_INFINITY, -0.0]).prop_map(Value::Number),
            any::<i32>().prop_map(|number| Value::Number(number.into())),
            any::<i128>().prop_map(Value::BigInt),
            any::<i8>().prop_map(|number| Value::BigInt(number.into())),
            ".{0,4}".prop_map(Value::String),
            any::<Vec<u8>>().prop_map(Value::Bytes),
        ];
        let name = prop_oneof![".{0,3}", "\\$(bigint|bytes|number|object|ref)"];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            let properties = prop::collection::btree_map(name.clone(), inner.clone(), 0..3);
            prop_oneof![prop::collection::vec(inner, 0..4).prop_map(Value::Array), properties.prop_map(Value::object),]
        })
    }

    proptest! {
        #[test]
        fn whatever_it_is_comes_back_from_json_and_from_bytes(value in any_value()) {
            let text = serde_json::to_string(&value).unwrap();
            prop_assert_eq!(&serde_json::from_str::<Value>(&text).unwrap(), &value, "{}", text);
            prop_assert_eq!(&serde_json::from_value::<Value>(serde_json::to_value(&value).unwrap()).unwrap(), &value);
            prop_assert_eq!(&rmp_serde::from_slice::<Value>(&rmp_serde::to_vec(&value).unwrap()).unwrap(), &value);
            prop_assert_eq!(&Value::of(&value).unwrap().to::<Value>().unwrap(), &value);
            prop_assert_eq!(value.to_string(), text);
        }
    }

    #[test]
    fn json_of_others_is_what_it_says() {
        let text =
            r#"{"a": "x", "n": [1, 2.5, -0.0, 9007199254740993], "$ref": null, "in": {"$ref": "b"}, "a": "last"}"#;
        let list = vec![1.0.into(), 2.5.into(), Value::Number(-0.0), Value::BigInt(9_007_199_254_740_993)];
        let expected = Value::object([
            ("a", "last".into()),
            ("n", Value::Array(list)),
            ("$ref", Value::Null),
            ("in", Value::object([("$ref", "b".into())])),
        ]);
        assert_eq!(serde_json::from_str::<Value>(text).unwrap(), expected);
        let twice = Value::object([("$object", Value::object([("$bigint", "1".into())])), ("other", Value::Null)]);
        assert_eq!(serde_json::from_str::<Value>(&twice.to_string()).unwrap(), twice);
        for odd in [json!({"$bigint": "x"}), json!({"$bytes": "?"}), json!({"$object": 1}), json!({"$number": 1})] {
            assert!(matches!(serde_json::from_value(odd).unwrap(), Value::Object(properties) if properties.len() == 1));
        }
    }

    #[test]
    fn it_is_itself_within_types_that_are_read_twice() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        #[serde(untagged)]
        enum Either {
            Left { left: Value },
            Right(Value),
        }
        let value = Value::Array(vec![Value::Bytes(vec![1]), "x".into(), Value::BigInt(7)]);
        for either in [Either::Left { left: value.clone() }, Either::Right(value)] {
            let text = serde_json::to_string(&either).unwrap();
            assert_eq!(serde_json::from_str::<Either>(&text).unwrap(), either, "{text}");
        }
    }

    #[test]
    fn the_form_for_machines_is_that_of_an_enum() {
        let value = Value::object([("a", Value::Array(vec![Value::Null, Value::Bytes(vec![1])]))]);
        let bytes = rmp_serde::to_vec(&value).unwrap();
        let mut expected = rmp_serde::to_vec(&json!({"Object": [["a", {"Array": ["Null", {"Bytes": 0}]}]]})).unwrap();
        expected.splice(expected.len() - 1.., rmp_serde::to_vec(&crate::value::Bytes(vec![1])).unwrap());
        assert_eq!(bytes, expected);
    }
}
