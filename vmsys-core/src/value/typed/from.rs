//! From plain data to Rust types.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;

use super::{ITSELF, MAX_SAFE, ValueError};
use crate::value::Value;

type Result<T> = std::result::Result<T, ValueError>;

/// Reads one value.
pub(super) struct Reader(pub(super) Value);

impl<'de> IntoDeserializer<'de, ValueError> for Reader {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// What a number is to a type: whole where it is whole, and every neighbour is, too.
fn visit_number<'de, V: Visitor<'de>>(number: f64, visitor: V) -> Result<V::Value> {
    let is_whole = number.fract() == 0.0 && number.abs() <= MAX_SAFE as f64;
    match number {
        _ if !is_whole || (number == 0.0 && number.is_sign_negative()) => visitor.visit_f64(number),
        0.0.. => visitor.visit_u64(number as u64),
        _ => visitor.visit_i64(number as i64),
    }
}

fn visit_bigint<'de, V: Visitor<'de>>(number: i128, visitor: V) -> Result<V::Value> {
    match (u64::try_from(number), i64::try_from(number)) {
        (Ok(number), _) => visitor.visit_u64(number),
        (_, Ok(number)) => visitor.visit_i64(number),
        // Said by ourselves: a visitor that takes none would only say that it is an integer.
        _ if number.unsigned_abs() > u128::from(u64::MAX) || number < 0 => Err(not_in_range(number, &visitor)),
        _ => visitor.visit_i128(number),
    }
}

fn not_in_range(number: i128, expected: &dyn de::Expected) -> ValueError {
    de::Error::invalid_value(Unexpected::Other(&format!("the bigint {number}n")), expected)
}

/// A number as a whole one, for types that are: also one beyond those of which every neighbour is a number.
fn as_whole(value: &Value) -> Option<i128> {
    match value {
        Value::Number(number) if number.fract() == 0.0 && number.abs() < 1e30 => Some(*number as i128),
        Value::BigInt(number) => Some(*number),
        _ => None,
    }
}

/// Reads a type of whole numbers.
macro_rules! whole {
    ($($function:ident $visit:ident $type:ty,)+) => {
        $(fn $function<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match as_whole(&self.0).map(<$type>::try_from) {
                Some(Ok(number)) => visitor.$visit(number),
                _ => self.deserialize_any(visitor),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for Reader {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => visit_number(number, visitor),
            Value::BigInt(number) => visit_bigint(number, visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Bytes(bytes) => visitor.visit_byte_buf(bytes),
            Value::Array(elements) => {
                let mut list = SeqDeserializer::new(elements.into_iter().map(Reader));
                let read = visitor.visit_seq(&mut list)?;
                list.end().map(|()| read)
            }
            Value::Object(properties) => {
                let mut map =
                    MapDeserializer::new(properties.into_iter().map(|(name, value)| (KeyReader(name), Reader(value))));
                let read = visitor.visit_map(&mut map)?;
                map.end().map(|()| read)
            }
        }
    }

    whole! {
        deserialize_i64 visit_i64 i64,
        deserialize_u64 visit_u64 u64,
        deserialize_i128 visit_i128 i128,
        deserialize_u128 visit_u128 u128,
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Number(number) => visitor.visit_f64(number),
            Value::BigInt(number) if number as f64 as i128 == number && number != i128::MAX => {
                visitor.visit_f64(number as f64)
            }
            Value::BigInt(number) => Err(not_in_range(number, &"a number that an f64 holds exactly")),
            other => Self(other).deserialize_any(visitor),
        }
    }

    /// Serde would take bytes for text, where they happen to be UTF-8.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Bytes(bytes) => Err(de::Error::invalid_type(Unexpected::Bytes(&bytes), &visitor)),
            other => Self(other).deserialize_any(visitor),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value> {
        if name == ITSELF { visitor.visit_newtype_struct(Itself(self.0)) } else { visitor.visit_newtype_struct(self) }
    }

    /// A `Vec<u8>` is a list to serde, and reads bytes all the same.
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.0 {
            Value::Bytes(bytes) => visitor.visit_seq(SeqDeserializer::new(bytes.into_iter())),
            other => Self(other).deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        match self.0 {
            Value::String(variant) => visitor.visit_enum(variant.into_deserializer()),
            Value::Object(properties) => match <[(String, Value); 1]>::try_from(properties) {
                Ok([(variant, content)]) => visitor.visit_enum(Variant { variant, content }),
                Err(_) => Err(de::Error::custom("expected an object with one property, the name of a variant")),
            },
            other => Err(de::Error::invalid_type(unexpected(&other), &"text or an object, the variant of an enum")),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 u8 u16 u32 f32 char bytes byte_buf unit unit_struct tuple tuple_struct map struct identifier
    }
}

/// Reads the name of a property: text, or what a map that is written with other keys makes text of.
struct KeyReader(String);

impl<'de> IntoDeserializer<'de, ValueError> for KeyReader {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Reads keys that are no text.
macro_rules! keys {
    ($($function:ident $visit:ident $type:ty,)+) => {
        $(fn $function<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            match self.0.parse::<$type>() {
                Ok(key) => visitor.$visit(key),
                Err(_) => visitor.visit_string(self.0),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for KeyReader {
    type Error = ValueError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_string(self.0)
    }

    keys! {
        deserialize_bool visit_bool bool,
        deserialize_i8 visit_i8 i8,
        deserialize_i16 visit_i16 i16,
        deserialize_i32 visit_i32 i32,
        deserialize_i64 visit_i64 i64,
        deserialize_i128 visit_i128 i128,
        deserialize_u8 visit_u8 u8,
        deserialize_u16 visit_u16 u16,
        deserialize_u32 visit_u32 u32,
        deserialize_u64 visit_u64 u64,
        deserialize_u128 visit_u128 u128,
        deserialize_f32 visit_f32 f32,
        deserialize_f64 visit_f64 f64,
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

fn unexpected(value: &Value) -> Unexpected<'_> {
    match value {
        Value::Null => Unexpected::Unit,
        Value::Bool(value) => Unexpected::Bool(*value),
        Value::Number(number) => Unexpected::Float(*number),
        Value::BigInt(_) => Unexpected::Other("a bigint"),
        Value::String(text) => Unexpected::Str(text),
        Value::Bytes(bytes) => Unexpected::Bytes(bytes),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    }
}

/// A variant that has something in it.
struct Variant {
    variant: String,
    content: Value,
}

impl<'de> de::EnumAccess<'de> for Variant {
    type Error = ValueError;
    type Variant = Reader;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Reader)> {
        let variant: de::value::StringDeserializer<ValueError> = self.variant.into_deserializer();
        Ok((seed.deserialize(variant)?, Reader(self.content)))
    }
}

impl<'de> de::VariantAccess<'de> for Reader {
    type Error = ValueError;

    fn unit_variant(self) -> Result<()> {
        de::Deserialize::deserialize(self)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        self.deserialize_any(visitor)
    }
}

/// [`Value`] as the enum that it is to machines.
struct Itself(Value);

impl<'de> Deserializer<'de> for Itself {
    type Error = ValueError;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_enum(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> de::EnumAccess<'de> for Itself {
    type Error = ValueError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self)> {
        let variant = match &self.0 {
            Value::Null => "Null",
            Value::Bool(_) => "Bool",
            Value::Number(_) => "Number",
            Value::BigInt(_) => "BigInt",
            Value::String(_) => "String",
            Value::Bytes(_) => "Bytes",
            Value::Array(_) => "Array",
            Value::Object(_) => "Object",
        };
        let name: de::value::StrDeserializer<'_, ValueError> = variant.into_deserializer();
        Ok((seed.deserialize(name)?, self))
    }
}

impl<'de> de::VariantAccess<'de> for Itself {
    type Error = ValueError;

    fn unit_variant(self) -> Result<()> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value> {
        match self.0 {
            Value::Object(properties) => {
                let pairs = properties.into_iter().map(|(name, value)| Value::Array(vec![Value::String(name), value]));
                seed.deserialize(Reader(Value::Array(pairs.collect())))
            }
            other => seed.deserialize(Reader(other)),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value> {
        Reader(self.0).deserialize_any(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value> {
        Reader(self.0).deserialize_any(visitor)
    }
}
