//! Values as JSON, without `JSON.stringify`: it would call `toJSON`, getters and proxy traps.

use rquickjs::Value;

use super::inspect::through_proxies;
use super::intrinsics::{Builtin, Class, Tools};
use super::raw::{self, Content, Key, Keys, Known, Listing, Slot};
use super::text;

/// How deep a document may be.
const MAX_DEPTH: usize = 100;

/// What counts as JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rules {
    /// What reads back as the same value: null, booleans, finite numbers, strings, dates, and arrays and plain objects of
    /// these. `undefined` and missing elements are null.
    Faithful,
    /// What `JSON.stringify` writes: functions and `undefined` are left out, a class instance is its properties. A
    /// getter, which it would call, is left out too, and a bigint is a string.
    Stringify,
}

/// Why there is no document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotJson {
    /// The value contains itself.
    Circular,
    /// The value is nothing that JSON can say.
    Unsuitable,
    /// The document would be too long or too deep, or the engine gave up.
    TooLarge,
}

/// Writes a value as JSON of at most `max_bytes`.
pub(super) fn write<'js>(
    tools: &Tools<'_, 'js>,
    value: &Value<'js>,
    rules: Rules,
    max_bytes: usize,
) -> Result<String, NotJson> {
    let mut writer = Writer { tools, rules, max_bytes, text: String::new(), parents: Vec::new() };
    writer.value(value, Within::Top)?;
    Ok(writer.text)
}

/// Where a value stands: it decides what becomes of one that JSON has no word for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    Top,
    Array,
    Object,
}

/// Whether a value was written, or is to be left out with its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Yes,
    LeftOut,
}

struct Writer<'a, 'b, 'js> {
    tools: &'a Tools<'b, 'js>,
    rules: Rules,
    max_bytes: usize,
    text: String,
    parents: Vec<Value<'js>>,
}

impl<'js> Writer<'_, '_, 'js> {
    fn push(&mut self, text: &str) -> Result<Written, NotJson> {
        if self.text.len() + text.len() > self.max_bytes {
            return Err(NotJson::TooLarge);
        }
        self.text.push_str(text);
        Ok(Written::Yes)
    }

    fn value(&mut self, value: &Value<'js>, within: Within) -> Result<Written, NotJson> {
        self.tools.step(1);
        if value.is_null() {
            return self.push("null");
        }
        if let Some(boolean) = value.as_bool() {
            return self.push(if boolean { "true" } else { "false" });
        }
        if let Some(number) = value.as_number() {
            return self.number(number);
        }
        if value.is_string() {
            return self.string(value);
        }
        if value.is_undefined() {
            return self.nothing(within, self.rules == Rules::Stringify);
        }
        if value.is_big_int() {
            return self.bigint(value);
        }
        if !value.is_object() || value.is_function() {
            return match self.rules {
                Rules::Faithful => Err(NotJson::Unsuitable),
                Rules::Stringify => self.nothing(within, true),
            };
        }
        self.object(value)
    }

    /// Writes null for a value that is not there, or leaves it out with its name.
    fn nothing(&mut self, within: Within, leaves_out: bool) -> Result<Written, NotJson> {
        match within {
            Within::Object if leaves_out => Ok(Written::LeftOut),
            Within::Top if leaves_out => Err(NotJson::Unsuitable),
            _ => self.push("null"),
        }
    }

    fn number(&mut self, number: f64) -> Result<Written, NotJson> {
        if number.is_finite() {
            return self.push(&text::number(number));
        }
        match self.rules {
            Rules::Faithful => Err(NotJson::Unsuitable),
            Rules::Stringify => self.push("null"),
        }
    }

    fn string(&mut self, value: &Value<'js>) -> Result<Written, NotJson> {
        // Asked before anything is copied: each unit takes a byte at least.
        if raw::string_len(value) > self.max_bytes.saturating_sub(self.text.len()) {
            return Err(NotJson::TooLarge);
        }
        let units = raw::utf16(value).map_err(|_| NotJson::TooLarge)?;
        text::json_quote_into(&mut self.text, &units);
        self.push("")
    }

    fn bigint(&mut self, value: &Value<'js>) -> Result<Written, NotJson> {
        const MAX_DIGITS: usize = 8192;
        if self.rules == Rules::Faithful {
            return Err(NotJson::Unsuitable);
        }
        let radix = [self.tools.int(16)];
        let digits = self.tools.call(Builtin::BigIntText, value, &radix).map_err(|_| NotJson::TooLarge)?;
        if raw::string_len(&digits) > MAX_DIGITS {
            return Err(NotJson::TooLarge);
        }
        let units = raw::utf16(value).map_err(|_| NotJson::TooLarge)?;
        text::json_quote_into(&mut self.text, &units);
        self.push("")
    }

    fn object(&mut self, value: &Value<'js>) -> Result<Written, NotJson> {
        let value = match self.rules {
            Rules::Faithful if value.is_proxy() => return Err(NotJson::Unsuitable),
            Rules::Faithful => value.clone(),
            Rules::Stringify => through_proxies(value).ok_or(NotJson::Unsuitable)?,
        };
        if self.parents.contains(&value) {
            return Err(NotJson::Circular);
        }
        self.tools.charge(1);
        if self.parents.len() >= MAX_DEPTH || value.is_proxy() || self.tools.is_exhausted() {
            return Err(NotJson::TooLarge);
        }
        if raw::has_slot(&value, Slot::Date) {
            let time = self.tools.number(Builtin::DateTime, &value).unwrap_or(f64::NAN);
            return match (text::iso_date(time), self.rules) {
                (Some(date), _) => self.push(&format!("\"{date}\"")),
                (None, Rules::Faithful) => Err(NotJson::Unsuitable),
                (None, Rules::Stringify) => self.push("null"),
            };
        }
        if let Some(unboxed) = self.unboxed(&value) {
            return self.value(&unboxed, Within::Top);
        }
        self.parents.push(value.clone());
        if value.is_array() {
            self.array(&value)?;
        } else if self.rules == Rules::Stringify || self.is_plain(&value) {
            self.properties(&value)?;
        } else {
            return Err(NotJson::Unsuitable);
        }
        self.parents.pop();
        Ok(Written::Yes)
    }

    fn unboxed(&self, value: &Value<'js>) -> Option<Value<'js>> {
        if self.rules == Rules::Faithful {
            return None;
        }
        let kinds = [
            (Class::Number, Builtin::NumberValue),
            (Class::String, Builtin::StringValue),
            (Class::Boolean, Builtin::BooleanValue),
            (Class::BigInt, Builtin::BigIntValue),
        ];
        let (_, unbox) = kinds.into_iter().find(|(class, _)| self.tools.is(value, *class))?;
        self.tools.call(unbox, value, &[]).ok()
    }

    /// Says whether a value is an object as `{}` makes it, or one without a prototype.
    fn is_plain(&self, value: &Value<'js>) -> bool {
        self.tools.is(value, Class::Object)
            && raw::prototype(value).is_none_or(|prototype| self.tools.is_object_prototype(&prototype))
    }

    fn array(&mut self, value: &Value<'js>) -> Result<(), NotJson> {
        let length = Key::known(&self.tools.ctx, Known::Length);
        let length = raw::own_property(value, &length).map_err(|_| NotJson::TooLarge)?;
        let length = length.and_then(|length| length.into_data()?.as_number()).unwrap_or(0.0) as u32;
        self.push("[")?;
        for index in 0..length {
            if index > 0 {
                self.push(",")?;
            }
            self.tools.step(1);
            if self.tools.is_exhausted() {
                return Err(NotJson::TooLarge);
            }
            let key = Key::index(&self.tools.ctx, index).map_err(|_| NotJson::TooLarge)?;
            match raw::own_property(value, &key).map_err(|_| NotJson::TooLarge)?.map(|found| found.content) {
                Some(Content::Data(element)) => {
                    self.value(&element, Within::Array)?;
                }
                Some(Content::Accessor { .. }) if self.rules == Rules::Faithful => return Err(NotJson::Unsuitable),
                Some(Content::Accessor { .. }) | None => {
                    self.push("null")?;
                }
            }
        }
        self.push("]")?;
        Ok(())
    }

    fn properties(&mut self, value: &Value<'js>) -> Result<(), NotJson> {
        let keys = Keys::of(value, Listing::All).map_err(|_| NotJson::TooLarge)?;
        self.tools.charge(keys.len() / 2);
        self.push("{")?;
        let mut is_first = true;
        for key in (0..keys.len()).filter(|at| keys.is_enumerable(*at)).map(|at| keys.get(at)) {
            let name = key.to_value().map_err(|_| NotJson::TooLarge)?;
            if name.is_symbol() {
                continue;
            }
            let property = raw::own_property(value, &key).map_err(|_| NotJson::TooLarge)?;
            let data = match property.map(|property| property.content) {
                Some(Content::Data(data)) => data,
                Some(Content::Accessor { .. }) if self.rules == Rules::Faithful => return Err(NotJson::Unsuitable),
                Some(Content::Accessor { .. }) | None => continue,
            };
            let before = self.text.len();
            if !is_first {
                self.push(",")?;
            }
            self.string(&name)?;
            self.push(":")?;
            match self.value(&data, Within::Object)? {
                Written::Yes => is_first = false,
                Written::LeftOut => self.text.truncate(before),
            }
        }
        self.push("}")?;
        Ok(())
    }
}
