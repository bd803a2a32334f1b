//! The part of a target behind the question mark.

use std::str::FromStr;

use crate::error::ApiError;

/// Parameters, decoded: each one known and given once.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the parameters. One that is not `known` is refused, so that a typo never passes silently.
    pub(crate) fn parse(raw: &str, known: &[&str]) -> Result<Self, ApiError> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if !known.contains(&name.as_str()) {
                let name: String = name.chars().take(100).collect();
                return Err(ApiError::unknown_field(&name, format!("There is no query parameter `{name}` here")));
            }
            if parameters.iter().any(|(other, _)| *other == name) {
                return Err(ApiError::unknown_field(&name, format!("The query parameter `{name}` is given twice")));
            }
            parameters.push((name, value));
        }
        Ok(Self(parameters))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// Reads an id.
    pub(crate) fn id<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, ApiError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| ApiError::validation(name, format!("{name} must be a UUID")))
    }

    /// Reads a value of the core's, whose error says what is wrong.
    pub(crate) fn value<T: FromStr<Err = vmsys_core::Error>>(&self, name: &str) -> Result<Option<T>, ApiError> {
        Ok(self.get(name).map(str::parse).transpose()?)
    }

    /// Reads `limit`, from 1 to `most`.
    pub(crate) fn limit(&self, most: u32) -> Result<Option<u32>, ApiError> {
        let Some(text) = self.get("limit") else { return Ok(None) };
        digits::<u32>(text)
            .filter(|limit| (1..=most).contains(limit))
            .map(Some)
            .ok_or_else(|| ApiError::validation("limit", format!("limit must be a number from 1 to {most}")))
    }

    /// Reads a count, which is 0 unless it is given.
    pub(crate) fn count(&self, name: &'static str) -> Result<u64, ApiError> {
        let Some(text) = self.get(name) else { return Ok(0) };
        digits(text).ok_or_else(|| ApiError::validation(name, format!("{name} must be a number from 0")))
    }
}

/// Reads digits and nothing else: Rust's own parser also takes a plus sign.
fn digits<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

/// Undoes the encoding of forms: `+` is a space, `%20` is one too.
fn decode(text: &str) -> Result<String, ApiError> {
    percent_decoded(&text.replace('+', " ")).ok_or_else(|| {
        ApiError::invalid_request("The query is not encoded rightly: a percent sign needs two hex digits of UTF-8")
    })
}

/// Undoes the encoding of paths, where `+` is a plus; `None` for what is not encoded rightly, or no UTF-8.
pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut hex = || rest.next().and_then(|digit| char::from(digit).to_digit(16));
                let (high, low) = (hex()?, hex()?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use vmsys_core::{SessionId, SessionStatus};

    use super::*;

    const KNOWN: &[&str] = &["limit", "before", "status", "after_seq"];

    #[test]
    fn parameters_are_decoded() {
        let query = Query::parse("status=re%61dy&&limit=7&before=a+b%2Bc", KNOWN).unwrap();
        assert_eq!(query.value::<SessionStatus>("status").unwrap(), Some(SessionStatus::Ready));
        assert_eq!(query.limit(1000).unwrap(), Some(7));
        assert_eq!(query.get("before"), Some("a b+c"));
        assert_eq!(query.get("after_seq"), None);
        assert_eq!(query.count("after_seq").unwrap(), 0);
    }

    #[test]
    fn unknown_doubled_and_badly_encoded_parameters_are_invalid_requests() {
        for raw in [
            "x=1",
            "limit=1&limits=2",
            "Limit=1",
            "limit=1&limit=1",
            "=1",
            "x",
            "before=%",
            "before=%4",
            "before=%zz",
            "before=%ff",
        ] {
            let error = Query::parse(raw, KNOWN).unwrap_err();
            assert_eq!((error.status().as_u16(), error.code()), (400, "INVALID_REQUEST"), "{raw}");
        }
        assert_eq!(Query::parse("nosuch=1", KNOWN).unwrap_err().detail("field"), Some("nosuch"));
    }

    #[test]
    fn limits_have_bounds() {
        let limit = |text: &str, most| Query::parse(&format!("limit={text}"), KNOWN).unwrap().limit(most);
        assert_eq!(limit("1", 1000).unwrap(), Some(1));
        assert_eq!(limit("1000", 1000).unwrap(), Some(1000));
        assert_eq!(limit("10000", 10_000).unwrap(), Some(10_000));
        for text in ["0", "-1", "1001", "", "x", "1.0", "1e2", "%2B5", "+5", "99999999999999999999", "٣"] {
            let error = limit(text, 1000).unwrap_err();
            assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some("limit")), "{text}");
        }
    }

    #[test]
    fn counts_ids_and_words_name_their_parameter() {
        let query = Query::parse("after_seq=-1&before=x&status=open", KNOWN).unwrap();
        for (error, field) in [
            (query.count("after_seq").unwrap_err(), "after_seq"),
            (query.id::<SessionId>("before").unwrap_err(), "before"),
            (query.value::<SessionStatus>("status").unwrap_err(), "status"),
        ] {
            assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some(field)));
        }
    }
}
