//! `X-Request-Id`: what ties a response to the lines of the log.

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken from a caller.
const LONGEST: usize = 128;

/// Returns the caller's id, if it is printable and not too long, and a new one otherwise.
///
/// Not tower-http's `SetRequestId`, which takes whatever the caller sent: this text goes into the log.
pub(crate) fn of(headers: &HeaderMap) -> HeaderValue {
    match headers.get(HEADER) {
        Some(id) if is_printable(id.as_bytes()) => id.clone(),
        _ => new(),
    }
}

fn is_printable(id: &[u8]) -> bool {
    (1..=LONGEST).contains(&id.len()) && id.iter().all(|byte| (b' '..=b'~').contains(byte))
}

fn new() -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let text = Uuid::now_v7().as_hyphenated().encode_lower(&mut buffer);
    // A UUID is letters, digits and hyphens, which any header can hold.
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(sent: &[u8]) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(sent).unwrap());
        of(&headers).to_str().unwrap().to_owned()
    }

    #[test]
    fn a_printable_id_is_kept() {
        for id in ["x", "trace 7/a~b", &"a".repeat(128)] {
            assert_eq!(answered(id.as_bytes()), id);
        }
    }

    #[test]
    fn anything_else_is_replaced() {
        for id in [b"".as_slice(), &[b'a'; 129], b"a\tb", "é".as_bytes(), b"\xff"] {
            let new = answered(id);
            assert!(Uuid::parse_str(&new).is_ok(), "{new}");
        }
        assert_ne!(of(&HeaderMap::new()), of(&HeaderMap::new()));
    }
}
