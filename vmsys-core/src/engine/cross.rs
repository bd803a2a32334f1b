//! Values on their way between a script and its host: plain data one way, fresh objects the other.
//!
//! Neither way runs a line of guest code: own properties are read, getters and proxies are refused; what is made is
//! defined, never assigned.

use rquickjs::{ArrayBuffer, BigInt, Ctx, Exception, FromJs, IntoJs, Object, Result, TypedArray, Value as JsValue};

use super::budget::Budget;
use super::intrinsics::{Builtin, Class, Intrinsics, Tools};
use super::raw::{self, Failed, Key, Keys, Known, Listing, Slot};
use super::realm::World;
use super::text;
use crate::value::{CallError, Value};

/// How deep data may be.
const MAX_DEPTH: usize = 100;
/// How many values may cross at once: each costs the host some bytes that no limit of the script's counts.
const MAX_VALUES: usize = 1_000_000;

/// Takes the arguments of a call out of the script's world.
///
/// A script may name one string a thousand times, and each time it is copied: together the copies may take as much as
/// its heap may hold. What is copied counts as work of the script's.
pub(super) fn to_host<'js>(ctx: &Ctx<'js>, world: &World, args: &[JsValue<'js>]) -> Result<Vec<Value>> {
    if world.budget.stopped().is_some() {
        return Err(Refused::Ended.throw(ctx));
    }
    let tools = Tools::new(ctx, &world.intrinsics);
    let mut reader = Reader { tools, budget: &world.budget, left: MAX_VALUES, bytes_left: world.budget.memory_bytes() };
    args.iter().map(|arg| reader.value(arg, 0).map_err(|refused| refused.throw(ctx))).collect()
}

/// Takes a result out of the script's world: complete and exact, or with a reason why not.
pub(super) fn whole<'js>(
    ctx: &Ctx<'js>,
    world: &World,
    value: &JsValue<'js>,
) -> std::result::Result<Value, &'static str> {
    let tools = Tools::new(ctx, &world.intrinsics);
    let mut reader = Reader { tools, budget: &world.budget, left: MAX_VALUES, bytes_left: world.budget.memory_bytes() };
    reader.value(value, 0).map_err(|refused| {
        raw::clear_exception(ctx);
        match refused {
            Refused::Kind(kind) => kind,
            Refused::TooDeep => "data nested deeper than 100 levels, or a cycle,",
            Refused::TooMany => "data of more than 1,000,000 values",
            Refused::TooLarge => "data that takes more than mem_mb",
            Refused::Ended => "a value whose execution is being ended",
            Refused::Failed => "a value that cannot be read",
        }
    })
}

/// Takes what an error is to a host: its name, its message, and those of its own enumerable properties that are data.
pub(super) fn error_data<'js>(
    ctx: &Ctx<'js>,
    world: &World,
    thrown: &JsValue<'js>,
    name: &str,
    message: &str,
) -> CallError {
    let tools = Tools::new(ctx, &world.intrinsics);
    let mut reader = Reader { tools, budget: &world.budget, left: MAX_VALUES, bytes_left: world.budget.memory_bytes() };
    let mut error = CallError::new(name, message);
    if let Ok(keys) = Keys::of(thrown, Listing::All) {
        for at in (0..keys.len()).filter(|at| keys.is_enumerable(*at)) {
            let key = keys.get(at);
            let Ok(name) = key.to_value() else { continue };
            if !name.is_string() {
                continue;
            }
            let (Ok(name), Ok(Some(property))) = (reader.text(&name), raw::own_property(thrown, &key)) else {
                continue;
            };
            let Some(data) = property.into_data() else { continue };
            if let Ok(data) = reader.value(&data, 1) {
                error = error.with(name, data);
            }
        }
    }
    raw::clear_exception(ctx);
    error
}

/// Why a value cannot cross.
enum Refused {
    Kind(&'static str),
    TooDeep,
    TooMany,
    TooLarge,
    Ended,
    Failed,
}

impl From<Failed> for Refused {
    fn from(_: Failed) -> Self {
        Self::Failed
    }
}

impl Refused {
    fn throw(self, ctx: &Ctx<'_>) -> rquickjs::Error {
        match self {
            Self::Kind(kind) => Exception::throw_type(ctx, &format!("{kind} cannot be passed to the host")),
            Self::TooDeep => {
                Exception::throw_range(ctx, "data nested too deeply, or a cycle, cannot be passed to the host")
            }
            Self::TooMany => Exception::throw_range(ctx, "too many values to be passed to the host at once"),
            Self::TooLarge => Exception::throw_range(ctx, "too much data to be passed to the host at once"),
            Self::Ended => Exception::throw_message(ctx, "the execution is being ended"),
            Self::Failed => Exception::throw_type(ctx, "a value cannot be passed to the host"),
        }
    }
}

struct Reader<'a, 'js> {
    tools: Tools<'a, 'js>,
    budget: &'a Budget,
    /// How many values may still be taken.
    left: usize,
    /// How many bytes all copies may still take.
    bytes_left: usize,
}

impl<'js> Reader<'_, 'js> {
    fn value(&mut self, value: &JsValue<'js>, depth: usize) -> std::result::Result<Value, Refused> {
        self.left = self.left.checked_sub(1).ok_or(Refused::TooMany)?;
        self.take(size_of::<Value>())?;
        if value.is_null() || value.is_undefined() {
            return Ok(Value::Null);
        }
        if let Some(value) = value.as_bool() {
            return Ok(Value::Bool(value));
        }
        if let Some(number) = value.as_number() {
            return Ok(Value::Number(number));
        }
        if value.is_string() {
            return Ok(Value::String(self.text(value)?));
        }
        if value.is_big_int() {
            let digits = text::lossy(&raw::utf16(value)?);
            self.take(digits.len())?;
            return digits.parse().map(Value::BigInt).map_err(|_| Refused::Kind("a bigint of more than 127 bits"));
        }
        if !value.is_object() {
            return Err(Refused::Kind("a symbol"));
        }
        if depth >= MAX_DEPTH {
            return Err(Refused::TooDeep);
        }
        self.object(value, depth)
    }

    fn object(&mut self, value: &JsValue<'js>, depth: usize) -> std::result::Result<Value, Refused> {
        if value.is_proxy() {
            return Err(Refused::Kind("a proxy"));
        }
        if value.is_function() {
            return Err(Refused::Kind("a function"));
        }
        if value.is_array() {
            return self.array(value, depth);
        }
        if raw::typed_array_kind(value).is_some() {
            self.take(raw::with_bytes([value], |[bytes]| bytes.len())?)?;
            return Ok(Value::Bytes(raw::typed_array_bytes(value)?));
        }
        if raw::has_slot(value, Slot::ArrayBuffer) {
            // One byte more than there may be shows that there are too many.
            let bytes = raw::array_buffer_bytes(value, self.bytes_left.saturating_add(1))?;
            self.take(bytes.len())?;
            return Ok(Value::Bytes(bytes));
        }
        if raw::has_slot(value, Slot::DataView) {
            let buffer = self.tools.call(Builtin::ViewBuffer, value, &[])?;
            let offset = self.tools.number(Builtin::ViewOffset, value)? as usize;
            let len = self.tools.number(Builtin::ViewLength, value)? as usize;
            self.take(len)?;
            return Ok(Value::Bytes(raw::buffer_part(&buffer, offset, len)?));
        }
        if !self.tools.is(value, Class::Object) {
            return Err(Refused::Kind("an object that is neither plain, nor an array, nor bytes,"));
        }
        let keys = Keys::of(value, Listing::All)?;
        let mut properties = Vec::new();
        for at in 0..keys.len() {
            let key = keys.get(at);
            if !keys.is_enumerable(at) || !key.to_value()?.is_string() {
                continue;
            }
            let name = self.text(&key.to_value()?)?;
            let Some(property) = raw::own_property(value, &key)? else { continue };
            let Some(data) = property.into_data() else { return Err(Refused::Kind("a getter")) };
            properties.push((name, self.value(&data, depth + 1)?));
        }
        Ok(Value::Object(properties))
    }

    /// Counts bytes that are about to be copied.
    fn take(&mut self, bytes: usize) -> std::result::Result<(), Refused> {
        self.bytes_left = self.bytes_left.checked_sub(bytes).ok_or(Refused::TooLarge)?;
        if self.budget.charge(bytes) { Err(Refused::Ended) } else { Ok(()) }
    }

    /// Copies a string: it has at least a byte for each unit, and at most three, which only shows in the copy.
    fn text(&mut self, value: &JsValue<'js>) -> std::result::Result<String, Refused> {
        let units = raw::string_len(value);
        self.take(units)?;
        let text = string(value)?;
        self.take(text.len().saturating_sub(units))?;
        Ok(text)
    }

    fn array(&mut self, value: &JsValue<'js>, depth: usize) -> std::result::Result<Value, Refused> {
        let length = raw::own_property(value, &Key::known(&self.tools.ctx, Known::Length))?;
        let length = length.and_then(|length| length.into_data()?.as_number()).ok_or(Refused::Failed)?;
        if length > self.left as f64 {
            return Err(Refused::TooMany);
        }
        let mut elements = Vec::new();
        for index in 0..length as u32 {
            let element = match raw::own_property(value, &Key::index(&self.tools.ctx, index)?)? {
                None => Value::Null,
                Some(property) => match property.into_data() {
                    Some(data) => self.value(&data, depth + 1)?,
                    None => return Err(Refused::Kind("a getter")),
                },
            };
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }
}

/// The text of a string value; lone surrogates become U+FFFD.
pub(super) fn string(value: &JsValue<'_>) -> raw::Answer<String> {
    match value.as_string().map(rquickjs::String::to_string) {
        Some(Ok(text)) => Ok(text),
        _ => {
            raw::clear_exception(value.ctx());
            Ok(text::lossy(&raw::utf16(value)?))
        }
    }
}

/// Makes a value of the script's world.
pub(super) fn to_guest<'js>(ctx: &Ctx<'js>, intrinsics: &Intrinsics, value: &Value) -> Result<JsValue<'js>> {
    match value {
        Value::Null => Ok(JsValue::new_null(ctx.clone())),
        Value::Bool(value) => Ok(JsValue::new_bool(ctx.clone(), *value)),
        Value::Number(number) => Ok(JsValue::new_number(ctx.clone(), *number)),
        Value::BigInt(number) => bigint(ctx, intrinsics, *number),
        Value::String(text) => text.as_str().into_js(ctx),
        Value::Bytes(bytes) => {
            // Copied, so that the bytes count as the script's.
            let buffer = ArrayBuffer::new_copy(ctx.clone(), bytes)?;
            Ok(TypedArray::<u8>::from_arraybuffer(buffer)?.into_value())
        }
        Value::Array(elements) => {
            let array = rquickjs::Array::new(ctx.clone())?;
            for (index, element) in elements.iter().enumerate() {
                raw::define_index(array.as_value(), index as u32, to_guest(ctx, intrinsics, element)?)?;
            }
            Ok(array.into_value())
        }
        Value::Object(properties) => {
            let object = Object::new(ctx.clone())?;
            for (name, value) in properties {
                define(&object, name, to_guest(ctx, intrinsics, value)?)?;
            }
            Ok(object.into_value())
        }
    }
}

fn define<'js>(object: &Object<'js>, name: &str, value: JsValue<'js>) -> Result<()> {
    let property = rquickjs::object::Property::from(value).writable().enumerable().configurable();
    object.prop(name, property)
}

fn bigint<'js>(ctx: &Ctx<'js>, intrinsics: &Intrinsics, number: i128) -> Result<JsValue<'js>> {
    if let Ok(small) = i64::try_from(number) {
        return BigInt::from_i64(ctx.clone(), small).map(BigInt::into_value);
    }
    let digits = number.to_string().into_js(ctx)?;
    let made = Tools::new(ctx, intrinsics).call(Builtin::ToBigInt, &JsValue::new_undefined(ctx.clone()), &[digits]);
    made.map_err(|_| Exception::throw_internal(ctx, "out of memory"))
}

/// Makes the error that a script catches: of the engine's own kind where it has one of the name.
pub(super) fn error<'js>(ctx: &Ctx<'js>, intrinsics: &Intrinsics, error: &CallError) -> Result<JsValue<'js>> {
    let made = intrinsics.new_error(ctx, error.name(), error.message())?;
    let object = Object::from_js(ctx, made)?;
    for (name, value) in error.properties() {
        define(&object, name, to_guest(ctx, intrinsics, value)?)?;
    }
    Ok(object.into_value())
}

/// Throws the error that a script catches.
pub(super) fn throw(ctx: &Ctx<'_>, intrinsics: &Intrinsics, thrown: &CallError) -> rquickjs::Error {
    match error(ctx, intrinsics, thrown) {
        Ok(error) => ctx.throw(error),
        Err(failed) => failed,
    }
}
