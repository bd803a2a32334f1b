//! From Rust types to plain data.

use serde::ser::{self, Serialize};

use super::{ITSELF, MAX_DEPTH, ValueError, whole};
use crate::value::Value;

type Result<T = Value> = std::result::Result<T, ValueError>;

/// Writes one value, so many levels deep.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Writer {
    depth: usize,
    /// Whether it writes a [`Value`], which is then the enum that it is to machines.
    itself: bool,
}

impl Writer {
    fn deeper(self) -> Result<Self> {
        if self.depth >= MAX_DEPTH {
            return Err(ValueError::new("data nested too deeply"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    fn list(self, variant: Option<&'static str>, len: Option<usize>) -> Result<List> {
        // A length is a hint of the type's, and may be anything.
        let elements = Vec::with_capacity(len.unwrap_or_default().min(1 << 12));
        Ok(List { inner: self.deeper()?, variant, elements })
    }

    fn fields(self, variant: Option<&'static str>) -> Result<Fields> {
        Ok(Fields { inner: self.deeper()?, variant, properties: Vec::new(), key: None })
    }
}

/// A variant with content, as `serde_json` writes it.
fn wrapped(variant: Option<&'static str>, value: Value) -> Value {
    match variant {
        Some(variant) => Value::object([(variant, value)]),
        None => value,
    }
}

impl ser::Serializer for Writer {
    type Ok = Value;
    type Error = ValueError;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = List;
    type SerializeMap = Fields;
    type SerializeStruct = Fields;
    type SerializeStructVariant = Fields;

    fn is_human_readable(&self) -> bool {
        !self.itself
    }

    fn serialize_bool(self, value: bool) -> Result {
        Ok(Value::Bool(value))
    }

    fn serialize_i8(self, value: i8) -> Result {
        Ok(Value::Number(value.into()))
    }

    fn serialize_i16(self, value: i16) -> Result {
        Ok(Value::Number(value.into()))
    }

    fn serialize_i32(self, value: i32) -> Result {
        Ok(Value::Number(value.into()))
    }

    fn serialize_i64(self, value: i64) -> Result {
        Ok(whole(value.into()))
    }

    fn serialize_i128(self, value: i128) -> Result {
        Ok(whole(value))
    }

    fn serialize_u8(self, value: u8) -> Result {
        Ok(Value::Number(value.into()))
    }

    fn serialize_u16(self, value: u16) -> Result {
        Ok(Value::Number(value.into()))
    }

    fn serialize_u32(self, value: u32) -> Result {
        Ok(Value::Number(value.into()))
    }

    fn serialize_u64(self, value: u64) -> Result {
        Ok(whole(value.into()))
    }

    fn serialize_u128(self, value: u128) -> Result {
        let number = i128::try_from(value).map_err(|_| ValueError::new("a whole number of more than 127 bits"))?;
        Ok(whole(number))
    }

    fn serialize_f32(self, value: f32) -> Result {
        Ok(Value::Number(value.into()))
    }

    fn serialize_f64(self, value: f64) -> Result {
        Ok(Value::Number(value))
    }

    fn serialize_char(self, value: char) -> Result {
        Ok(Value::String(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Result {
        Ok(Value::String(value.to_owned()))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result {
        Ok(Value::Bytes(value.to_vec()))
    }

    fn serialize_none(self) -> Result {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result {
        Ok(Value::Null)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result {
        Ok(Value::Null)
    }

    fn serialize_unit_variant(self, name: &'static str, _: u32, variant: &'static str) -> Result {
        if name == ITSELF { Ok(Value::Null) } else { Ok(Value::String(variant.to_owned())) }
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result {
        value.serialize(Self { itself: self.itself || name == ITSELF, ..self })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result {
        if name != ITSELF {
            return Ok(wrapped(Some(variant), value.serialize(self.deeper()?)?));
        }
        Ok(match (variant, value.serialize(self)?) {
            ("BigInt", Value::Number(number)) => Value::BigInt(number as i128),
            ("Object", Value::Array(pairs)) => Value::Object(pairs.into_iter().filter_map(pair).collect()),
            (_, value) => value,
        })
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<List> {
        self.list(None, len)
    }

    fn serialize_tuple(self, len: usize) -> Result<List> {
        self.list(None, Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<List> {
        self.list(None, Some(len))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, len: usize) -> Result<List> {
        self.list(Some(variant), Some(len))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Fields> {
        self.fields(None)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields> {
        self.fields(None)
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Fields> {
        self.fields(Some(variant))
    }
}

/// A property of plain data, which serde sees as a tuple.
fn pair(pair: Value) -> Option<(String, Value)> {
    let Value::Array(pair) = pair else { return None };
    match <[Value; 2]>::try_from(pair) {
        Ok([Value::String(name), value]) => Some((name, value)),
        _ => None,
    }
}

pub(super) struct List {
    inner: Writer,
    variant: Option<&'static str>,
    elements: Vec<Value>,
}

impl List {
    fn push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        self.elements.push(value.serialize(self.inner)?);
        Ok(())
    }

    fn done(self) -> Value {
        wrapped(self.variant, Value::Array(self.elements))
    }
}

/// Says how the elements of the several kinds of list are written, which is always the same.
macro_rules! list {
    ($($kind:ident :: $push:ident,)+) => {
        $(impl ser::$kind for List {
            type Ok = Value;
            type Error = ValueError;

            fn $push<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
                self.push(value)
            }

            fn end(self) -> Result {
                Ok(self.done())
            }
        })+
    };
}

list! {
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
}

pub(super) struct Fields {
    inner: Writer,
    variant: Option<&'static str>,
    properties: Vec<(String, Value)>,
    key: Option<String>,
}

impl Fields {
    fn push<T: Serialize + ?Sized>(&mut self, name: String, value: &T) -> Result<()> {
        self.properties.push((name, value.serialize(self.inner)?));
        Ok(())
    }

    fn done(self) -> Value {
        wrapped(self.variant, Value::Object(self.properties))
    }
}

impl ser::SerializeMap for Fields {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.key = Some(match key.serialize(self.inner)? {
            Value::String(text) => text,
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => number.to_string(),
            Value::BigInt(number) => number.to_string(),
            _ => return Err(ValueError::new("the keys of a map must be text or numbers")),
        });
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        let key = self.key.take().ok_or_else(|| ValueError::new("a map writes a value without a key"))?;
        self.push(key, value)
    }

    fn end(self) -> Result {
        Ok(self.done())
    }
}

impl ser::SerializeStruct for Fields {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.push(key.to_owned(), value)
    }

    fn end(self) -> Result {
        Ok(self.done())
    }
}

impl ser::SerializeStructVariant for Fields {
    type Ok = Value;
    type Error = ValueError;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<()> {
        self.push(key.to_owned(), value)
    }

    fn end(self) -> Result {
        Ok(self.done())
    }
}
