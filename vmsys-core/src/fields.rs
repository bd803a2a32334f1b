//! Reads configuration objects strictly: an unknown key, or a value of the wrong type, is an error that names its field.

use std::ops::RangeInclusive;

use serde_json::Value;

use crate::JsonObject;
use crate::error::{Error, Result};

/// A configuration whose keys are all known.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(&'a JsonObject);

impl<'a> Fields<'a> {
    /// Takes a configuration that has no other keys than these.
    ///
    /// # Errors
    /// [`Validation`](crate::ErrorKind::Validation) with the unknown key as the field, as in `config.hostz`.
    pub(crate) fn of(config: &'a JsonObject, known: &[&str]) -> Result<Self> {
        let Some(unknown) = config.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(Self(config)) };
        let unknown: String = unknown.chars().take(100).collect();
        let there_is = match known {
            [] => "this configuration has no keys".to_owned(),
            [one] => format!("the only key is {one}"),
            _ => format!("the keys are {}", known.join(", ")),
        };
        Err(wrong(&unknown, &format!("is unknown: {there_is}")))
    }

    pub(crate) fn value(self, key: &str) -> Option<&'a Value> {
        self.0.get(key)
    }

    pub(crate) fn bool(self, key: &str) -> Result<Option<bool>> {
        self.read(key, "must be true or false", Value::as_bool)
    }

    pub(crate) fn string(self, key: &str) -> Result<Option<&'a str>> {
        self.read(key, "must be text", Value::as_str)
    }

    /// Reads a whole number.
    pub(crate) fn number(self, key: &str, range: RangeInclusive<u64>) -> Result<Option<u64>> {
        let rule = format!("must be a whole number from {} to {}", range.start(), range.end());
        self.read(key, &rule, |value| value.as_u64().filter(|number| range.contains(number)))
    }

    /// Reads a list, each item with its field, as in `config.hosts[0]`.
    pub(crate) fn strings<T>(self, key: &str, parse: impl Fn(&str, &'a str) -> Result<T>) -> Result<Option<Vec<T>>> {
        let Some(items) = self.read(key, "must be a list of texts", Value::as_array)? else { return Ok(None) };
        let item = |(place, item): (usize, &'a Value)| {
            let name = format!("{key}[{place}]");
            parse(&format!("config.{name}"), item.as_str().ok_or_else(|| wrong(&name, "must be text"))?)
        };
        items.iter().enumerate().map(item).collect::<Result<_>>().map(Some)
    }

    fn read<T>(self, key: &str, rule: &str, read: impl FnOnce(&'a Value) -> Option<T>) -> Result<Option<T>> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| wrong(key, rule))
    }
}

/// The error about one key of a configuration.
pub(crate) fn wrong(key: &str, why: &str) -> Error {
    Error::validation(format!("config.{key}"), format!("config.{key} {why}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    fn object(value: Value) -> JsonObject {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn an_unknown_key_is_named() {
        let config = object(json!({"hosts": [], "hostz": []}));
        for (known, words) in
            [(&[][..], "has no keys"), (&["hosts"], "the only key is hosts"), (&["hosts", "port"], "hosts, port")]
        {
            let error = Fields::of(&config, known).unwrap_err();
            let field = if known.is_empty() { "config.hosts" } else { "config.hostz" };
            assert_eq!(error.detail("field"), Some(field));
            assert!(error.message().contains(words), "{error}");
        }
        let long = "é".repeat(100_000);
        assert!(Fields::of(&object(json!({ long: 1 })), &[]).unwrap_err().message().len() < 400);
    }

    #[test]
    fn a_value_of_another_type_is_named() {
        let config = object(json!({"b": 1, "s": null, "n": 2.5, "big": 11, "neg": -1, "l": "x", "m": ["a", 1]}));
        let fields = Fields::of(&config, &["b", "s", "n", "big", "neg", "l", "m"]).unwrap();
        let text = |_: &str, text: &str| Ok(text.to_owned());
        for (error, field) in [
            (fields.bool("b").unwrap_err(), "config.b"),
            (fields.string("s").unwrap_err(), "config.s"),
            (fields.number("n", 1..=10).unwrap_err(), "config.n"),
            (fields.number("big", 1..=10).unwrap_err(), "config.big"),
            (fields.number("neg", 0..=10).unwrap_err(), "config.neg"),
            (fields.strings("l", text).unwrap_err(), "config.l"),
            (fields.strings("m", text).unwrap_err(), "config.m[1]"),
        ] {
            assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some(field)));
        }
        assert_eq!(fields.number("big", 1..=11).unwrap(), Some(11));
        assert_eq!(fields.bool("absent").unwrap(), None);
    }
}
