//! Capabilities of the kind `env`: variables of `process.env`.

use crate::JsonObject;
use crate::error::{Error, Result};
use crate::fields::{Fields, wrong};

/// Where a variable's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::template) enum Variable {
    /// The template says it.
    Value(String),
    /// The host's environment says it, when a session is created.
    FromHost,
}

impl Variable {
    pub(in crate::template) fn parse(config: &JsonObject) -> Result<Self> {
        let fields = Fields::of(config, &["value", "from_host"])?;
        match (fields.string("value")?, fields.bool("from_host")?) {
            (Some(_), Some(true)) => Err(wrong("from_host", "contradicts config.value: give one of the two")),
            (Some(value), _) if value.contains('\0') => Err(wrong("value", "must not have a NUL character")),
            (Some(value), _) => Ok(Self::Value(value.to_owned())),
            (None, Some(true)) => Ok(Self::FromHost),
            (None, _) => Err(wrong("value", "is missing: give a text, or set from_host to true")),
        }
    }
}

/// Checks the name of a variable: letters, digits and underscores, no digit first.
pub(super) fn check_name(name: &str) -> Result<()> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if name.is_empty() || name.len() > 200 || !name.bytes().all(plain) || name.starts_with(|c: char| c.is_ascii_digit())
    {
        let rule = "the name of a variable has letters, digits and underscores, at most 200, and begins with no digit";
        return Err(Error::validation("name", rule));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::{Value, json};

    use super::*;

    fn parse(config: &Value) -> Result<Variable> {
        Variable::parse(config.as_object().unwrap())
    }

    #[test]
    fn a_value_comes_from_one_place() {
        assert_eq!(parse(&json!({"value": "a=b\nc"})).unwrap(), Variable::Value("a=b\nc".to_owned()));
        assert_eq!(parse(&json!({"value": "x", "from_host": false})).unwrap(), Variable::Value("x".to_owned()));
        assert_eq!(parse(&json!({"from_host": true})).unwrap(), Variable::FromHost);
        for (config, field) in [
            (json!({}), "config.value"),
            (json!({"from_host": false}), "config.value"),
            (json!({"value": 7}), "config.value"),
            (json!({"value": null}), "config.value"),
            (json!({"value": "a\u{0}b"}), "config.value"),
            (json!({"from_host": "HOME"}), "config.from_host"),
            (json!({"value": "x", "from_host": true}), "config.from_host"),
        ] {
            assert_eq!(parse(&config).unwrap_err().detail("field"), Some(field), "{config}");
        }
    }

    #[test]
    fn names_are_those_of_a_shell() {
        for name in ["A", "_", "PATH", "npm_config_x", "X9"] {
            check_name(name).unwrap();
        }
        for name in ["", "9X", "A-B", "A=B", "A B", "ä", "A\0", "A.B", &"A".repeat(201)] {
            assert_eq!(check_name(name).unwrap_err().detail("field"), Some("name"), "{name:?}");
        }
    }
}
