//! Strict JSON: what a body says is what is meant, or it is refused.
//!
//! A body is read twice. The first pass looks only at the JSON: malformed text, a name given twice, text behind the
//! end. The second reads it into its type, and so has only fields to complain of. With one pass, which of two faults
//! a caller heard of would depend on their order in the text, and doubles within free-form objects would pass: the
//! last one wins there, silently.

use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_path_to_error::Segment;

use crate::error::ApiError;

/// Bytes of a message about a value: the value may be as long as a body can be.
const LONGEST_MESSAGE: usize = 300;

/// Reads a body, which must be one JSON object with the fields of `T` and no others.
pub(crate) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    if body.is_empty() {
        return Err(ApiError::invalid_request("This request needs a body: a JSON object"));
    }
    check(body)?;
    let mut json = serde_json::Deserializer::from_slice(body);
    match serde_path_to_error::deserialize::<_, Object<T>>(&mut json) {
        Ok(Object(value)) => Ok(value),
        Err(error) => Err(refusal(error)),
    }
}

/// Checks the body of a request that needs none: nothing, or an object without fields.
pub(crate) fn nothing(body: &[u8]) -> Result<(), ApiError> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Nothing {}

    if body.is_empty() {
        return Ok(());
    }
    object::<Nothing>(body).map(|_| ())
}

/// Reads a field that is an object. Derived code alone would also take an array of the fields' values in their order.
pub(crate) fn object_field<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Object::deserialize(deserializer).map(|Object(value)| value)
}

/// Reads a field that may be left out: `null` is a value of the wrong type, and not another way to leave it out.
pub(crate) fn given_field<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Reads a field that is an id. It goes by text, since an id has fewer spellings than a UUID.
pub(crate) fn id_field<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: fmt::Display>,
{
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// The first pass.
fn check(body: &[u8]) -> Result<(), ApiError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let checked = Strict.deserialize(&mut json).and_then(|()| json.end());
    match checked {
        Ok(()) => Ok(()),
        // Right by the grammar of JSON: the second pass meets it again, and knows the field.
        Err(error) if error.to_string().starts_with("number out of range") => Ok(()),
        Err(error) => {
            Err(ApiError::invalid_request(format!("The body is not valid JSON: {}", shorten(&error.to_string()))))
        }
    }
}

/// Walks through any JSON and refuses a name that is given twice in one object.
#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        while seq.next_element_seed(Strict)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if name.starts_with("$serde_json::private::") {
                // serde_json would read what belongs to such a name as something else than it is.
                return Err(A::Error::custom(format_args!("the name `{name}` is reserved")));
            }
            map.next_value_seed(Strict)?;
            if let Some(double) = names.replace(name) {
                return Err(A::Error::custom(format_args!("duplicate field `{double}`")));
            }
        }
        Ok(())
    }
}

/// A `T` that is written as an object and in no other way.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct AsObject<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for AsObject<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
            }
        }

        deserializer.deserialize_map(AsObject(PhantomData)).map(Self)
    }
}

/// Says what the second pass found.
fn refusal(error: serde_path_to_error::Error<serde_json::Error>) -> ApiError {
    let path = error.path();
    let inner = error.inner();
    let text = inner.to_string();
    // The line and column lead to malformed text; for a value its field says more.
    let text = text.rfind(" at line ").filter(|_| inner.line() > 0).map_or(text.as_str(), |end| &text[..end]);

    // serde has no other way to tell these two from the rest than their sentences; the tests hold it to them.
    if let Some(name) = quoted(text, "missing field `") {
        let field = join(path, Some(name));
        return ApiError::validation(&field, format!("{field} is missing"));
    }
    if let Some(name) = quoted(text, "unknown field `") {
        let parent = path.iter().take(path.iter().len().saturating_sub(usize::from(ends_with(path, name))));
        let field = join_segments(parent, Some(name));
        return ApiError::unknown_field(shorten(&field), shorten(&format!("{field}: {text}")));
    }
    if path.iter().next().is_none() {
        return ApiError::invalid_request(format!(
            "The body must be a JSON object: {}",
            shorten(&in_words_of_json(text))
        ));
    }
    debug_assert!(
        matches!(inner.classify(), Category::Data) || text.starts_with("number out of range"),
        "the first pass lets no malformed text through: {text}"
    );
    let field = join(path, None);
    ApiError::validation(shorten(&field), shorten(&format!("{field}: {}", in_words_of_json(text))))
}

/// Says it to people who know JSON and not Rust.
fn in_words_of_json(text: &str) -> String {
    const FOUND: [(&str, &str); 2] =
        [("invalid type: sequence", "invalid type: array"), ("invalid type: map", "invalid type: object")];
    const EXPECTED: [(&str, &str); 4] = [
        ("u64", "a whole number that is not negative"),
        ("i64", "a whole number"),
        ("a sequence", "an array"),
        ("a map", "an object"),
    ];
    let mut text = text.to_owned();
    for (rust, json) in FOUND {
        if let Some(rest) = text.strip_prefix(rust) {
            text = format!("{json}{rest}");
        }
    }
    // At the end, where no word of the caller's can stand.
    for (rust, json) in EXPECTED {
        if let Some(before) = text.strip_suffix(rust).filter(|before| before.ends_with(", expected ")) {
            text = format!("{before}{json}");
        }
    }
    text
}

fn quoted<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    let rest = text.strip_prefix(start)?;
    // The last backquote for a missing field, which ends the text; for an unknown one the name is the caller's and may
    // itself have backquotes: up to the list of what is expected.
    let end = rest.find("`, ").or_else(|| rest.rfind('`'))?;
    rest.get(..end)
}

fn ends_with(path: &serde_path_to_error::Path, name: &str) -> bool {
    matches!(path.iter().next_back(), Some(Segment::Map { key }) if key == name)
}

fn join(path: &serde_path_to_error::Path, last: Option<&str>) -> String {
    join_segments(path.iter(), last)
}

/// Writes a path as `limits.cpu_ms` and `resolver.extensions[0]`.
fn join_segments<'a>(segments: impl Iterator<Item = &'a Segment>, last: Option<&str>) -> String {
    let mut text = String::new();
    let mut name = |name: &str| {
        if !text.is_empty() && !name.starts_with('[') {
            text.push('.');
        }
        text.push_str(name);
    };
    for segment in segments {
        match segment {
            Segment::Seq { index } => name(&format!("[{index}]")),
            Segment::Map { key } => name(key),
            Segment::Enum { variant } => name(variant),
            Segment::Unknown => {}
        }
    }
    if let Some(last) = last {
        name(last);
    }
    text
}

fn shorten(text: &str) -> String {
    if text.len() <= LONGEST_MESSAGE {
        return text.to_owned();
    }
    let mut end = LONGEST_MESSAGE;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}…", &text[..end])
}

#[cfg(test)]
mod tests {
    use vmsys_core::{JsonObject, Limits, ResolverSettings, SessionId};

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Body {
        name: String,
        #[serde(default, deserialize_with = "object_field")]
        limits: Limits,
        #[serde(default, deserialize_with = "object_field")]
        resolver: ResolverSettings,
        #[serde(default)]
        args: JsonObject,
        #[serde(default = "nil", deserialize_with = "id_field")]
        session_id: SessionId,
        #[serde(default)]
        order_index: i64,
    }

    fn nil() -> SessionId {
        SessionId::from_bytes([0; 16])
    }

    #[test]
    fn a_body_is_read_as_it_is_written() {
        let body = object::<Body>(
            br#" {"name":"\u00e9\ud83d\ude00","limits":{"cpu_ms":7},"args":{"a":[1,{"b":null}],"A":2},"order_index":-3,
               "session_id":"01950000-0000-7000-8000-000000000000"} "#,
        )
        .unwrap();
        assert_eq!(body.name, "é😀");
        assert_eq!((body.limits.cpu_ms, body.limits.wall_ms), (7, Limits::default().wall_ms));
        assert_eq!(body.resolver, ResolverSettings::default());
        assert_eq!(body.args["a"][1]["b"], serde_json::Value::Null);
        assert_eq!(body.session_id.to_string(), "01950000-0000-7000-8000-000000000000");
        assert_eq!(body.order_index, -3);
    }

    #[test]
    fn malformed_bodies_are_invalid_requests() {
        let table: &[&[u8]] = &[
            b"",
            b" ",
            b"{",
            b"nonsense",
            b"{\"name\":\"x\"",
            b"{\"name\":\"x\"} {}",
            b"{\"name\":\"x\"}x",
            b"{\"name\":\"x\",}",
            b"{'name':'x'}",
            b"{\"name\":NaN}",
            b"{\"name\":01}",
            b"{\"name\":\"\xff\"}",
            b"{\"\xff\":\"x\"}",
            b"\xef\xbb\xbf{\"name\":\"x\"}",
            b"{\"name\":\"\\ud800\"}",
            b"{\"name\":\"a\nb\"}",
            b"[]",
            b"[\"x\"]",
            b"null",
            b"\"name\"",
            b"7",
        ];
        for body in table {
            let error = object::<Body>(body).unwrap_err();
            assert_eq!((error.status().as_u16(), error.code()), (400, "INVALID_REQUEST"), "{}", body.escape_ascii());
        }
    }

    #[test]
    fn malformed_text_is_told_before_a_wrong_value() {
        for body in ["{\"name\":7,", "{\"nmae\":1}}", "{\"args\":{\"a\":1,\"a\":2},\"name\":7}"] {
            let error = object::<Body>(body.as_bytes()).unwrap_err();
            assert_eq!(error.code(), "INVALID_REQUEST", "{body}");
            assert_eq!(error.detail("field"), None, "{body}");
        }
    }

    #[test]
    fn a_name_given_twice_is_refused_at_any_depth() {
        for body in [
            r#"{"name":"a","name":"b"}"#,
            r#"{"name":"a","limits":{"cpu_ms":1,"cpu_ms":2}}"#,
            r#"{"name":"a","args":{"x":1,"x":1}}"#,
            r#"{"name":"a","args":{"x":[{"y":1,"\u0079":2}]}}"#,
            r#"{"name":"a","args":{"$serde_json::private::RawValue":"1"}}"#,
        ] {
            let error = object::<Body>(body.as_bytes()).unwrap_err();
            assert_eq!((error.status().as_u16(), error.code()), (400, "INVALID_REQUEST"), "{body}");
        }
    }

    #[test]
    fn an_unknown_field_is_named_with_its_path() {
        for (body, field) in [
            (r#"{"name":"a","nmae":"b"}"#, "nmae"),
            (r#"{"nmae":"b"}"#, "nmae"),
            (r#"{"name":"a","limits":{"cpu":1}}"#, "limits.cpu"),
            (r#"{"name":"a","limits":{"cpu_ms":1,"name":1}}"#, "limits.name"),
            (r#"{"name":"a","resolver":{"root":[]}}"#, "resolver.root"),
            (r#"{"name":"a","x`y":1}"#, "x`y"),
            (r#"{"name":"a","":1}"#, ""),
        ] {
            let error = object::<Body>(body.as_bytes()).unwrap_err();
            assert_eq!((error.code(), error.detail("field")), ("INVALID_REQUEST", Some(field)), "{body}: {error:?}");
        }
    }

    #[test]
    fn a_wrong_value_is_named_with_its_path() {
        let table = [
            ("{}", "name"),
            (r#"{"limits":{}}"#, "name"),
            (r#"{"name":7}"#, "name"),
            (r#"{"name":null}"#, "name"),
            (r#"{"name":"a","limits":null}"#, "limits"),
            (r#"{"name":"a","limits":7}"#, "limits"),
            (r#"{"name":"a","limits":[1,2,3,4,5]}"#, "limits"),
            (r#"{"name":"a","limits":{"cpu_ms":"1"}}"#, "limits.cpu_ms"),
            (r#"{"name":"a","limits":{"cpu_ms":-1}}"#, "limits.cpu_ms"),
            (r#"{"name":"a","limits":{"cpu_ms":1.5}}"#, "limits.cpu_ms"),
            (r#"{"name":"a","limits":{"cpu_ms":1e999}}"#, "limits.cpu_ms"),
            (r#"{"name":"a","limits":{"cpu_ms":18446744073709551616}}"#, "limits.cpu_ms"),
            (r#"{"name":"a","limits":{"wall_ms":null}}"#, "limits.wall_ms"),
            (r#"{"name":"a","resolver":{"extensions":[".js",7]}}"#, "resolver.extensions[1]"),
            (r#"{"name":"a","resolver":{"roots":"x"}}"#, "resolver.roots"),
            (r#"{"name":"a","args":[]}"#, "args"),
            (r#"{"name":"a","args":null}"#, "args"),
            (r#"{"name":"a","args":{"x":[1e999]}}"#, "args.x[0]"),
            (r#"{"name":"a","order_index":9223372036854775808}"#, "order_index"),
            (r#"{"name":"a","session_id":"x"}"#, "session_id"),
            (r#"{"name":"a","session_id":7}"#, "session_id"),
            (r#"{"name":"a","session_id":"01950000000070008000000000000000"}"#, "session_id"),
        ];
        for (body, field) in table {
            let error = object::<Body>(body.as_bytes()).unwrap_err();
            assert_eq!((error.status().as_u16(), error.code()), (400, "VALIDATION_ERROR"), "{body}: {error:?}");
            assert_eq!(error.detail("field"), Some(field), "{body}: {error:?}");
        }
    }

    #[test]
    fn messages_are_sentences_about_the_field() {
        let message = |body: &str| {
            let json = object::<Body>(body.as_bytes()).unwrap_err().to_json();
            let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
            json["error"]["message"].as_str().unwrap().to_owned()
        };
        assert_eq!(message("{}"), "name is missing");
        assert_eq!(
            message(r#"{"name":"a","limits":{"cpu_ms":"1 at line 3"}}"#),
            r#"limits.cpu_ms: invalid type: string "1 at line 3", expected a whole number that is not negative"#
        );
        assert_eq!(message("[]"), "The body must be a JSON object: invalid type: array, expected an object");
        assert_eq!(
            message(r#"{"name":"a","resolver":{"extensions":{}}}"#),
            "resolver.extensions: invalid type: object, expected an array"
        );
        assert_eq!(message("{"), "The body is not valid JSON: EOF while parsing an object at line 1 column 1");
    }

    #[test]
    fn messages_stay_short_whatever_they_quote() {
        let long = "é".repeat(100_000);
        for body in [
            format!(r#"{{"name":"a","limits":{{"cpu_ms":"{long}"}}}}"#),
            format!(r#"{{"name":"a","{long}":1}}"#),
            format!(r#"{{"name":"a","{long}":1,"{long}":1}}"#),
            format!(r#"{{"name":"a","args":{{"{long}":1e999}}}}"#),
        ] {
            let error = object::<Body>(body.as_bytes()).unwrap_err();
            assert!(error.to_json().len() < 1200, "{}", error.to_json().len());
        }
    }

    #[test]
    fn deep_nesting_is_refused_and_overflows_no_stack() {
        for open in ["[", r#"{"a":"#] {
            let body = format!(r#"{{"name":"a","args":{{"x":{}"#, open.repeat(300_000));
            assert_eq!(object::<Body>(body.as_bytes()).unwrap_err().code(), "INVALID_REQUEST");
        }
        let deep = format!(r#"{{"name":"a","args":{{"x":{}1{}}}}}"#, "[".repeat(100), "]".repeat(100));
        assert!(object::<Body>(deep.as_bytes()).is_ok());
    }

    #[test]
    fn a_request_that_needs_no_body_takes_an_empty_object() {
        assert!(nothing(b"").is_ok());
        assert!(nothing(b" {} ").is_ok());
        for body in ["{\"force\":true}", "[]", "null", "x"] {
            assert_eq!(nothing(body.as_bytes()).unwrap_err().code(), "INVALID_REQUEST", "{body}");
        }
    }
}
