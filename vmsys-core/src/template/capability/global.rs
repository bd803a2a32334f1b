//! Capabilities of the kind `global`: data under a global name.

use serde_json::Value;

use crate::JsonObject;
use crate::error::{Error, Result};
use crate::fields::{Fields, wrong};
use crate::identifier::{is_identifier, is_reserved};

/// Globals that the language and the runtime stand on: data in their place would break a session, or what it was given.
const TAKEN: &[&str] = &[
    "AggregateError",
    "Array",
    "ArrayBuffer",
    "Atomics",
    "BigInt",
    "BigInt64Array",
    "BigUint64Array",
    "Boolean",
    "DataView",
    "Date",
    "Error",
    "EvalError",
    "FinalizationRegistry",
    "Float16Array",
    "Float32Array",
    "Float64Array",
    "Function",
    "Infinity",
    "Int16Array",
    "Int32Array",
    "Int8Array",
    "Iterator",
    "JSON",
    "Map",
    "Math",
    "NaN",
    "Number",
    "Object",
    "Promise",
    "Proxy",
    "RangeError",
    "ReferenceError",
    "Reflect",
    "RegExp",
    "Set",
    "SharedArrayBuffer",
    "String",
    "Symbol",
    "SyntaxError",
    "TypeError",
    "URIError",
    "Uint16Array",
    "Uint32Array",
    "Uint8Array",
    "Uint8ClampedArray",
    "WeakMap",
    "WeakRef",
    "WeakSet",
    "__ARGS__",
    "__ENV__",
    "__proto__",
    "clearInterval",
    "clearTimeout",
    "console",
    "constructor",
    "decodeURI",
    "decodeURIComponent",
    "encodeURI",
    "encodeURIComponent",
    "escape",
    "exports",
    "fetch",
    "globalThis",
    "hasOwnProperty",
    "isFinite",
    "isNaN",
    "isPrototypeOf",
    "module",
    "parseFloat",
    "parseInt",
    "process",
    "propertyIsEnumerable",
    "queueMicrotask",
    "require",
    "setInterval",
    "setTimeout",
    "toLocaleString",
    "toString",
    "undefined",
    "unescape",
    "valueOf",
];

/// Checks the name of a global: an identifier of JavaScript that is neither a reserved word nor one that the language
/// or the runtime stands on.
pub(super) fn check_name(name: &str) -> Result<()> {
    let refuse = |why: &str| {
        let shown: String = name.chars().take(100).collect();
        Err(Error::validation("name", format!("a global cannot be named {shown:?}: {why}")))
    };
    if !is_identifier(name) {
        return refuse("it is no identifier of JavaScript");
    }
    if name.chars().count() > 200 {
        return refuse("it is longer than 200 characters");
    }
    if is_reserved(name) {
        return refuse("it is a reserved word");
    }
    if TAKEN.contains(&name) {
        return refuse("the language or the runtime has a global of this name");
    }
    Ok(())
}

/// Reads the value, which may be any JSON, also `null`.
pub(in crate::template) fn value(config: &JsonObject) -> Result<&Value> {
    let fields = Fields::of(config, &["value"])?;
    fields.value("value").ok_or_else(|| wrong("value", "is missing: give any JSON"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use serde_json::json;

    use super::*;

    #[test]
    fn names_are_identifiers_that_are_free() {
        for name in ["a", "$", "_", "config", "größe", "日本", "a1", "of", "async", "get", "APP_CONFIG", "x\u{200d}y"]
        {
            check_name(name).unwrap();
        }
        let taken = ["globalThis", "undefined", "NaN", "Infinity", "Object", "console", "__proto__", "require"];
        let words = ["class", "let", "await", "yield", "static", "eval", "arguments", "null", "true"];
        let none = ["", "1a", "a-b", "a b", "a.b", "a\0", "\u{200d}x", "\\u0061", "#a", "a\u{ad}"];
        for (names, why) in [(&taken[..], "has a global"), (&words, "reserved word"), (&none, "no identifier")] {
            for name in names {
                let error = check_name(name).unwrap_err();
                assert_eq!(error.detail("field"), Some("name"));
                assert!(error.message().contains(why), "{error}");
            }
        }
        assert!(check_name(&"x".repeat(201)).unwrap_err().message().len() < 300);
    }

    #[test]
    fn a_value_is_any_json_but_must_be_there() {
        for any in [json!(null), json!(false), json!({"a": [1]})] {
            assert_eq!(value(json!({"value": any}).as_object().unwrap()).unwrap(), &any);
        }
        assert_eq!(value(&JsonObject::new()).unwrap_err().detail("field"), Some("config.value"));
    }
}
