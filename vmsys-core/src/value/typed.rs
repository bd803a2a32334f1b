//! Between plain data and Rust types: what serde needs to know of [`Value`].

mod from;
mod into;

use std::fmt;

use serde::de::{DeserializeOwned, Expected, Unexpected};
use serde::{Deserialize, Serialize};

use super::Value;
use super::form::ITSELF;
/// The largest whole number up to which every one is a JavaScript number.
const MAX_SAFE: i128 = (1 << 53) - 1;
/// How deep the data of a Rust type may be: as deep as any JSON that could be read.
const MAX_DEPTH: usize = 128;

/// A whole number: a number while every one of its size is, and a bigint beyond.
pub(super) fn whole(number: i128) -> Value {
    if (-MAX_SAFE..=MAX_SAFE).contains(&number) { Value::Number(number as f64) } else { Value::BigInt(number) }
}

impl Value {
    /// Makes data of any type that serde can write.
    ///
    /// Whole numbers are numbers while every one of their size is (up to 2^53 - 1), and bigints beyond. `None` and `()` are
    /// null, structs and maps objects, tuples and lists arrays; enums are as `serde_json` writes them. [`Bytes`], and what
    /// writes itself as bytes, are bytes; a `Vec<u8>` is a list of numbers, as serde has it.
    ///
    /// # Errors
    /// A map whose keys are neither text nor numbers, a whole number of more than 127 bits, data nested deeper than 128
    /// levels, or the type's own refusal.
    ///
    /// ```
    /// use vmsys_core::Value;
    /// let value = Value::of(&(1_u64, "two", Some(3.5), i64::MAX))?;
    /// let expected = [1.0.into(), "two".into(), 3.5.into(), i64::MAX.into()];
    /// assert_eq!(value.as_array().ok_or("no array")?, expected);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn of<T: Serialize + ?Sized>(data: &T) -> Result<Self, ValueError> {
        data.serialize(into::Writer::default())
    }

    /// Reads it into any type that serde can read.
    ///
    /// The other direction of [`of`](Self::of): a number is read as a whole number when it is one, and as a bigint is; a
    /// property that is not there, `null` and `undefined` are `None`.
    ///
    /// # Errors
    /// It does not have the type's shape: the message says where, what was expected, and what is there.
    ///
    /// ```
    /// # use vmsys_core::Value;
    /// let value = Value::Array(vec![Value::object([("id", 7.0.into())])]);
    /// let error = value.to::<Vec<std::collections::BTreeMap<String, String>>>().unwrap_err();
    /// assert_eq!(error.to_string(), "[0].id: invalid type: integer `7`, expected a string");
    /// ```
    pub fn to<T: DeserializeOwned>(self) -> Result<T, ValueError> {
        serde_path_to_error::deserialize(from::Reader(self)).map_err(|error| {
            let path = Some(error.path().to_string()).filter(|path| path != ".");
            ValueError { path, ..error.into_inner() }
        })
    }
}

/// Data and a Rust type do not fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValueError {
    path: Option<String>,
    message: String,
}

impl ValueError {
    fn new(message: impl Into<String>) -> Self {
        Self { path: None, message: message.into() }
    }

    /// Returns where in the data it is, as `items[3].name`; none for the data as a whole.
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// Returns what was expected and what is there.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.path {
            Some(path) => write!(f, "{path}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for ValueError {}

impl serde::de::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }

    /// As scripts would say it.
    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        match unexpected {
            Unexpected::Unit => Self::new(format!("invalid type: null, expected {expected}")),
            _ => Self::new(format!("invalid type: {unexpected}, expected {expected}")),
        }
    }
}

impl serde::ser::Error for ValueError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::new(message.to_string())
    }
}

/// Bytes as an argument or result: a `Uint8Array` for scripts, of which no text or list of numbers is made on the way.
///
/// It reads any view of an `ArrayBuffer` as well, and lists of whole numbers from 0 to 255.
///
/// ```
/// use vmsys_core::{Bytes, Value};
/// assert_eq!(Value::of(&Bytes(vec![1, 2]))?, Value::Bytes(vec![1, 2]));
/// assert_eq!(Value::Bytes(vec![1, 2]).to::<Bytes>()?.0, [1, 2]);
/// # Ok::<(), vmsys_core::ValueError>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bytes(#[serde(with = "super::data::bytes")] pub Vec<u8>);

impl std::ops::Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::collections::{BTreeMap, HashMap};
    use std::fmt::Debug;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Unit,
        New(u8),
        Tuple(i8, char),
        Struct { a: Option<bool> },
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(tag = "kind", rename_all = "lowercase")]
    enum Tagged {
        Point { x: f64, n: u64 },
        Empty,
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(f64),
        Text(String),
        Both { left: Value, right: Bytes },
    }

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Nested {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        left_out: Option<u32>,
        value: Value,
        bytes: Bytes,
        #[serde(flatten)]
        rest: BTreeMap<String, i64>,
    }

    fn round<T: Serialize + DeserializeOwned + PartialEq + Debug>(data: T) -> Value {
        let value = Value::of(&data).unwrap();
        assert_eq!(value.clone().to::<T>().unwrap(), data);
        value
    }

    #[test]
    fn types_come_back_as_they_went() {
        assert_eq!(round(()), Value::Null);
        assert_eq!(round(Some(3_u8)), Value::Number(3.0));
        assert_eq!(round(None::<u8>), Value::Null);
        assert_eq!(round(u64::MAX), Value::BigInt(u64::MAX.into()));
        assert_eq!(round(i64::MIN), Value::BigInt(i64::MIN.into()));
        assert_eq!(round((1_i64 << 53) - 1), Value::Number(9_007_199_254_740_991.0));
        assert_eq!(round(1_i64 << 53), Value::BigInt(1 << 53));
        assert_eq!(round(i128::MAX), Value::BigInt(i128::MAX));
        assert_eq!(round(-0.0_f64).as_number().map(f64::is_sign_negative), Some(true));
        assert_eq!(round(1e300_f64), Value::Number(1e300));
        assert_eq!(round(0.1_f32), Value::Number(f64::from(0.1_f32)));
        assert_eq!(round('x'), "x".into());
        assert_eq!(round("text".to_owned()), "text".into());
        assert_eq!(round(vec![1_u8, 2]), Value::Array(vec![1.0.into(), 2.0.into()]));
        assert_eq!(round((1_u8, "a".to_owned())), Value::Array(vec![1.0.into(), "a".into()]));
        assert_eq!(round(HashMap::from([(7_u32, true)])), Value::object([("7", true.into())]));
        assert_eq!(round(BTreeMap::from([(-1_i64, ())])), Value::object([("-1", Value::Null)]));
        assert_eq!(round(Shape::Unit), "Unit".into());
        assert_eq!(round(Shape::New(1)), Value::object([("New", 1.0.into())]));
        assert_eq!(
            round(Shape::Tuple(-1, 'ä')),
            Value::object([("Tuple", Value::Array(vec![(-1.0).into(), "ä".into()]))])
        );
        assert_eq!(round(Shape::Struct { a: None }), Value::object([("Struct", Value::object([("a", Value::Null)]))]));
        round(Tagged::Point { x: 1.0, n: 2 });
        round(Tagged::Point { x: 1.5, n: u64::MAX });
        round(Tagged::Empty);
        round(Either::Number(2.0));
        round(Either::Text("x".to_owned()));
        round(std::time::Duration::new(7, 9));
        round(json!({"a": [1, -2, 3.5, null, {"b": "c"}]}));
    }

    #[test]
    fn plain_data_is_itself_wherever_it_stands() {
        let value = Value::object([
            ("n", Value::Number(f64::INFINITY)),
            ("big", Value::BigInt(5)),
            ("bytes", Value::Bytes(vec![0, 255])),
            (
                "list",
                Value::Array(vec![Value::Null, Value::Bool(true), "x".into(), Value::object([("", Value::Null)])]),
            ),
        ]);
        assert_eq!(round(value.clone()), value);
        assert_eq!(round(vec![Some(value.clone())]), Value::Array(vec![value.clone()]));
        let nested = Nested {
            left_out: None,
            value: value.clone(),
            bytes: Bytes(vec![7; 3]),
            rest: BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), i64::MAX)]),
        };
        let written = round(nested);
        assert_eq!(written.get("value"), Some(&value));
        assert_eq!(written.get("bytes"), Some(&Value::Bytes(vec![7; 3])));
        // And on the line to a worker it is what it was.
        let bytes = rmp_serde::to_vec_named(&value).unwrap();
        assert_eq!(rmp_serde::from_slice::<Value>(&bytes).unwrap(), value);
    }

    #[test]
    fn bytes_are_neither_text_nor_lists_on_the_way() {
        assert_eq!(round(Bytes(vec![1, 2, 3])), Value::Bytes(vec![1, 2, 3]));
        assert_eq!(Value::Bytes(vec![1, 2]).to::<Vec<u8>>().unwrap(), [1, 2]);
        assert_eq!(Value::Array(vec![1.0.into(), 255.0.into()]).to::<Bytes>().unwrap().0, [1, 255]);
        assert!(Value::Array(vec![256.0.into()]).to::<Bytes>().is_err());
        assert!(Value::Bytes(vec![1]).to::<String>().is_err());
    }

    #[test]
    fn what_does_not_fit_says_where_and_why() {
        let cases: [(Result<String, ValueError>, &str); 9] = [
            (Value::Number(1.5).to::<u32>().map(|n| n.to_string()), "invalid type: floating point `1.5`, expected u32"),
            (Value::Number(-1.0).to::<u32>().map(|n| n.to_string()), "invalid value: integer `-1`, expected u32"),
            (Value::Number(300.0).to::<u8>().map(|n| n.to_string()), "invalid value: integer `300`, expected u8"),
            (
                Value::Number(f64::NAN).to::<i64>().map(|n| n.to_string()),
                "invalid type: floating point `NaN`, expected i64",
            ),
            (Value::Null.to::<String>(), "invalid type: null, expected a string"),
            (
                Value::BigInt(i128::from(u64::MAX) + 1).to::<u64>().map(|n| n.to_string()),
                "invalid value: the bigint 18446744073709551616n, expected u64",
            ),
            (
                Value::BigInt((1 << 53) + 1).to::<f64>().map(|n| n.to_string()),
                "invalid value: the bigint 9007199254740993n, expected a number that an f64 holds exactly",
            ),
            (
                Value::object([("value", Value::Null), ("bytes", true.into())]).to::<Nested>().map(|_| String::new()),
                "bytes: invalid type: boolean `true`, expected bytes",
            ),
            (
                Value::from("Round").to::<Shape>().map(|_| String::new()),
                "unknown variant `Round`, expected one of `Unit`, `New`, `Tuple`, `Struct`",
            ),
        ];
        for (result, message) in cases {
            assert_eq!(result.unwrap_err().to_string(), message);
        }
        assert!(Value::of(&u128::MAX).unwrap_err().to_string().contains("127 bits"));
        assert!(Value::of(&BTreeMap::from([(vec![1], 1)])).is_err());
        let mut deep = json!(1);
        for _ in 0..200 {
            deep = json!([deep]);
        }
        assert!(Value::of(&deep).unwrap_err().to_string().contains("nested"));
    }

    proptest! {
        #[test]
        fn any_number_comes_back(whole in any::<i64>(), unsigned in any::<u64>(), wide in any::<i128>(), real in any::<f64>()) {
            prop_assert_eq!(Value::of(&whole).unwrap().to::<i64>().unwrap(), whole);
            prop_assert_eq!(Value::of(&unsigned).unwrap().to::<u64>().unwrap(), unsigned);
            if let Ok(value) = Value::of(&wide) {
                prop_assert_eq!(value.to::<i128>().unwrap(), wide);
            }
            prop_assert_eq!(Value::of(&real).unwrap().to::<f64>().unwrap().to_bits(), real.to_bits());
        }
    }
}
