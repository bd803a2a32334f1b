//! What an execution came to: results and exceptions as plain data.

use rquickjs::{Ctx, Value};

use super::inspect::{ErrorParts, InspectOptions, show};
use super::intrinsics::{Class, Intrinsics, Quiet, Tools};
use super::json::{self, Rules};
use super::raw::{self, Key, Known, Slot};
use super::text;
use super::tree::tree;
use crate::value::{JsonText, ResultValue, ValueType};

/// Describes a value: its type, its preview, its JSON where that says the same, and its tree where it has more to say.
///
/// No guest code runs. The JSON is left out when it would be longer than `max_json` bytes.
pub(crate) fn describe<'js>(
    ctx: &Ctx<'js>,
    value: &Value<'js>,
    intrinsics: &Intrinsics,
    max_json: usize,
) -> ResultValue {
    let tools = Tools::new(ctx, intrinsics);
    let preview = show(&tools, value, &InspectOptions::preview());
    let quiet = Quiet::new(&tools);
    let json = quiet.is_ok().then(|| json::write(&tools, value, Rules::Faithful, max_json).ok()).flatten();
    let other_bytes = preview.len() + json.as_ref().map_or(0, String::len);
    let tree = quiet.is_ok().then(|| tree(&tools, value, other_bytes)).flatten();
    ResultValue { kind: kind(&tools, value), preview, json: json.map(JsonText::trusted), tree }
}

/// The type of a value, as scripts would name it.
pub(super) fn kind<'js>(tools: &Tools<'_, 'js>, value: &Value<'js>) -> ValueType {
    if !value.is_object() {
        return primitive_kind(value);
    }
    if value.is_proxy() {
        return ValueType::Proxy;
    }
    if value.is_function() {
        return ValueType::Function;
    }
    if value.is_array() {
        return ValueType::Array;
    }
    let slots = [
        (Slot::Date, ValueType::Date),
        (Slot::RegExp, ValueType::Regexp),
        (Slot::Map, ValueType::Map),
        (Slot::Set, ValueType::Set),
        (Slot::WeakMap, ValueType::Weakmap),
        (Slot::WeakSet, ValueType::Weakset),
        (Slot::WeakRef, ValueType::Weakref),
        (Slot::ArrayBuffer, ValueType::Arraybuffer),
        (Slot::DataView, ValueType::Dataview),
    ];
    if let Some((_, kind)) = slots.into_iter().find(|(slot, _)| raw::has_slot(value, *slot)) {
        return kind;
    }
    if value.is_error() {
        return ValueType::Error;
    }
    if value.is_promise() {
        return ValueType::Promise;
    }
    if raw::typed_array_kind(value).is_some() {
        return ValueType::Typedarray;
    }
    let classes = [
        (Class::DomException, ValueType::Error),
        (Class::SharedArrayBuffer, ValueType::Arraybuffer),
        (Class::Generator, ValueType::Generator),
        (Class::AsyncGenerator, ValueType::Generator),
        (Class::MapIterator, ValueType::Iterator),
        (Class::SetIterator, ValueType::Iterator),
        (Class::ArrayIterator, ValueType::Iterator),
        (Class::StringIterator, ValueType::Iterator),
        (Class::Arguments, ValueType::Arguments),
        (Class::MappedArguments, ValueType::Arguments),
    ];
    if let Some((_, kind)) = classes.into_iter().find(|(class, _)| tools.is(value, *class)) {
        return kind;
    }
    if super::inspect::is_namespace(tools, value) { ValueType::Module } else { ValueType::Object }
}

fn primitive_kind(value: &Value<'_>) -> ValueType {
    if value.is_null() {
        ValueType::Null
    } else if value.is_bool() {
        ValueType::Boolean
    } else if value.is_number() {
        ValueType::Number
    } else if value.is_string() {
        ValueType::String
    } else if value.is_symbol() {
        ValueType::Symbol
    } else if value.is_big_int() {
        ValueType::Bigint
    } else {
        ValueType::Undefined
    }
}

/// An exception as plain data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Thrown {
    /// What a person reads first: `ReferenceError: x is not defined`.
    pub(crate) message: String,
    /// The message and the calls, one a line, as V8 writes them; only for errors that have calls.
    pub(crate) stack: Option<String>,
    /// The error's name; none when something else was thrown.
    pub(crate) name: Option<String>,
}

/// Describes what was thrown, whatever it is.
///
/// No guest code runs: names and messages are read as data properties. Of something that is no error, the message is
/// its preview.
pub(crate) fn describe_error<'js>(ctx: &Ctx<'js>, thrown: &Value<'js>, intrinsics: &Intrinsics) -> Thrown {
    const MAX_NAME: usize = 256;
    const MAX_TEXT: usize = 32 << 10;
    let tools = Tools::new(ctx, intrinsics);
    if !super::inspect::is_error(&tools, thrown) {
        let message = if thrown.type_of() == rquickjs::Type::Uninitialized {
            // The engine throws this, or null, when it has no memory left for an error.
            "out of memory".to_owned()
        } else {
            show(&tools, thrown, &InspectOptions::preview())
        };
        return Thrown { message, stack: None, name: None };
    }
    let Ok(quiet) = Quiet::new(&tools) else {
        return Thrown { message: "Error".to_owned(), stack: None, name: None };
    };
    let parts = ErrorParts::of(&tools, thrown, InspectOptions::preview().max_string);
    let causes = causes(&tools, thrown);
    drop(quiet);
    let has_stack = parts.has_calls() || parts.has_own_text() || !causes.is_empty();
    let mut stack = has_stack.then(|| parts.stack() + &causes);
    let (mut message, mut name) = (parts.header, parts.name);
    if message.is_empty() {
        message = "Error".to_owned();
    }
    text::truncate(&mut message, MAX_TEXT);
    text::truncate(&mut name, MAX_NAME);
    if let Some(stack) = &mut stack {
        text::truncate(stack, 2 * MAX_TEXT);
    }
    Thrown { message, stack, name: Some(name).filter(|name| !name.is_empty()) }
}

/// The errors behind an error, a line each.
fn causes<'js>(tools: &Tools<'_, 'js>, thrown: &Value<'js>) -> String {
    const MOST: usize = 4;
    let mut lines = String::new();
    let mut error = thrown.clone();
    for _ in 0..MOST {
        let own = raw::own_property(&error, &Key::known(&tools.ctx, Known::Cause)).ok().flatten();
        let cause = own.and_then(|own| own.into_data()).filter(|cause| super::inspect::is_error(tools, cause));
        let Some(cause) = cause else { break };
        lines.push_str("\n  [cause]: ");
        lines.push_str(&ErrorParts::of(tools, &cause, InspectOptions::preview().max_string).header);
        error = cause;
    }
    lines
}
