//! The part of a target behind the question mark.

use std::str::FromStr;

use crate::error::ApiError;
use crate::param::{Declared, Param, ParamValue};

/// Parameters, decoded: each one known and given once.
#[derive(Debug, Default)]
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the parameters. One that is not `known` is refused, so that a typo never passes silently.
    pub(crate) fn parse(raw: &str, known: &[&dyn Declared]) -> Result<Self, ApiError> {
        let mut parameters: Vec<(String, String)> = Vec::new();
        for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name)?, decode(value)?);
            if !known.iter().any(|param| param.name() == name) {
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

    /// Reads a parameter, if it is given.
    pub(crate) fn get<T: ParamValue>(&self, param: &Param<T>) -> Result<Option<T>, ApiError> {
        let given = self.0.iter().find(|(name, _)| name == param.name());
        given.map(|(_, text)| param.read(text)).transpose()
    }

    /// Reads a parameter that must be given.
    pub(crate) fn need<T: ParamValue>(&self, param: &Param<T>) -> Result<T, ApiError> {
        self.get(param)?.ok_or_else(|| param.missing())
    }
}

/// Reads digits and nothing else: Rust's own parser also takes a plus sign.
pub(crate) fn digits<T: FromStr>(text: &str) -> Option<T> {
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

    const LIMIT: Param<u32> = Param::number("limit", 1, 1000, "");
    const BEFORE: Param<String> = Param::new("before", "");
    const STATUS: Param<SessionStatus> = Param::new("status", "");
    const AFTER_SEQ: Param<u64> = Param::number("after_seq", 0, u64::MAX, "");
    const KNOWN: &[&dyn Declared] = &[&LIMIT, &BEFORE, &STATUS, &AFTER_SEQ];

    #[test]
    fn parameters_are_decoded() {
        let query = Query::parse("status=re%61dy&&limit=7&before=a+b%2Bc", KNOWN).unwrap();
        assert_eq!(query.get(&STATUS).unwrap(), Some(SessionStatus::Ready));
        assert_eq!(query.get(&LIMIT).unwrap(), Some(7));
        assert_eq!(query.get(&BEFORE).unwrap().as_deref(), Some("a b+c"));
        assert_eq!(query.get(&AFTER_SEQ).unwrap(), None);
        assert_eq!(query.need(&AFTER_SEQ).unwrap_err().detail("field"), Some("after_seq"));
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
    fn numbers_have_bounds() {
        let read = |text: &str, most| {
            let limit: Param<u32> = Param::number("limit", 1, most, "");
            Query::parse(&format!("limit={text}"), KNOWN).unwrap().get(&limit)
        };
        assert_eq!(read("1", 1000).unwrap(), Some(1));
        assert_eq!(read("1000", 1000).unwrap(), Some(1000));
        assert_eq!(read("10000", 10_000).unwrap(), Some(10_000));
        // Whatever a declaration says: a number that does not fit is none.
        assert!(read("4294967296", u64::MAX).is_err());
        for text in ["0", "-1", "1001", "", "x", "1.0", "1e2", "%2B5", "+5", "99999999999999999999", "٣"] {
            let error = read(text, 1000).unwrap_err();
            assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some("limit")), "{text}");
        }
    }

    #[test]
    fn counts_ids_and_words_name_their_parameter() {
        let query = Query::parse("after_seq=-1&before=x&status=open", KNOWN).unwrap();
        for (error, field) in [
            (query.get(&AFTER_SEQ).unwrap_err(), "after_seq"),
            (query.get(&Param::<SessionId>::new("before", "")).unwrap_err(), "before"),
            (query.get(&STATUS).unwrap_err(), "status"),
        ] {
            assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some(field)));
        }
    }
}
