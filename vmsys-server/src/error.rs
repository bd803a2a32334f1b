//! What a request that cannot be served answers: one envelope.

mod code;

use std::collections::BTreeMap;
use std::error::Error as StdError;
use std::fmt::Write as _;

use http::StatusCode;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

pub(crate) use self::code::Code;

/// What every request that is not served answers.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub(crate) struct Envelope<'a> {
    /// What went wrong.
    error: Body<'a>,
}

/// What went wrong.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ErrorBody")]
struct Body<'a> {
    code: Code,
    /// A sentence for people. It may change: programs look at `code`.
    message: &'a str,
    /// What else is known, by name: the field, the ids, the path that it is about. Empty when there is nothing.
    #[serde(serialize_with = "object")]
    #[schemars(with = "BTreeMap<String, String>")]
    details: &'a [(&'static str, String)],
}

fn object<S: Serializer>(details: &[(&'static str, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(details.iter().map(|(key, value)| (key, value)))
}

/// A refusal: a stable code with its status, a sentence for the caller, and for the log what the caller need not know.
#[derive(Debug)]
pub(crate) struct ApiError {
    code: Code,
    message: String,
    details: Vec<(&'static str, String)>,
    cause: String,
}

impl ApiError {
    fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: Vec::new(), cause: String::new() }
    }

    fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.details.push((key, value.into()));
        self
    }

    /// The request cannot be read: it is malformed, or names something that there is not.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidRequest, message)
    }

    /// The request names a field or parameter that there is not.
    pub(crate) fn unknown_field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::invalid_request(message).with("field", field)
    }

    /// A value is missing, of the wrong type or out of range.
    pub(crate) fn validation(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Code::ValidationError, message).with("field", field)
    }

    /// The request comes from where none is answered; `header` says so.
    pub(crate) fn forbidden(header: &str, message: impl Into<String>) -> Self {
        Self::new(Code::Forbidden, message).with("header", header)
    }

    /// No token was shown, or another one. Which of the two is nobody's business.
    pub(crate) fn unauthorized() -> Self {
        let message = "This daemon is asked with its token: Authorization: Bearer TOKEN";
        Self::new(Code::Unauthorized, message)
    }

    /// There are as many connections as there may be.
    pub(crate) fn too_many_connections(most: usize) -> Self {
        let message = format!("This daemon has as many connections as there may be: {most}");
        Self::new(Code::LimitReached, message).with("limit", "max_connections").with("most", most.to_string())
    }

    /// A client has sent as many requests as it may in a second.
    pub(crate) fn too_many_requests(most: u32) -> Self {
        let message = format!("This client sends more requests than it may: {most} a second");
        Self::new(Code::LimitReached, message).with("limit", "max_rate").with("most", most.to_string())
    }

    pub(crate) fn not_found() -> Self {
        Self::new(Code::NotFound, "There is no such route")
    }

    /// The route is known, the method is not one of `allowed`.
    pub(crate) fn method_not_allowed(allowed: &str) -> Self {
        Self::new(Code::MethodNotAllowed, format!("This route answers {allowed}")).with("allow", allowed)
    }

    /// The head of a request is no HTTP.
    pub(crate) fn unreadable_head() -> Self {
        Self::invalid_request("The head of the request cannot be read: it is not that of an HTTP/1.1 request")
    }

    pub(crate) fn uri_too_long() -> Self {
        Self::new(Code::UriTooLong, "The target of a request may have at most 65534 bytes")
    }

    pub(crate) fn headers_too_large(bytes: usize, headers: usize) -> Self {
        Self::new(
            Code::HeadersTooLarge,
            format!("The head of a request, its target among it, may have at most {bytes} bytes and {headers} headers"),
        )
    }

    pub(crate) fn request_timeout() -> Self {
        Self::new(Code::RequestTimeout, "The body of the request did not arrive in time")
    }

    pub(crate) fn payload_too_large(limit: usize) -> Self {
        Self::new(Code::PayloadTooLarge, format!("The body of a request may have at most {limit} bytes"))
    }

    pub(crate) fn unsupported_media_type() -> Self {
        Self::new(
            Code::UnsupportedMediaType,
            "The body of a request must be sent as Content-Type: application/json, without a Content-Encoding",
        )
    }

    /// An execution passed `max_events` or `max_output_kb`; what it did up to there can be read.
    pub(crate) fn output_limit_exceeded(execution_id: impl ToString, message: impl Into<String>) -> Self {
        Self::new(Code::OutputLimitExceeded, message).with("execution_id", execution_id.to_string())
    }

    pub(crate) fn shutting_down() -> Self {
        Self::new(Code::ShuttingDown, "vm-system is shutting down")
    }

    /// A fault of ours: the caller learns that there was one, the log learns `cause`.
    pub(crate) fn internal(cause: impl Into<String>) -> Self {
        let message = "Something went wrong inside vm-system; its log says what, under the request id";
        let cause = cause.into();
        Self { cause, ..Self::new(Code::Internal, message) }
    }

    pub(crate) fn status(&self) -> StatusCode {
        self.code.status()
    }

    /// Returns after how many seconds the same may be asked for again, if it may.
    pub(crate) fn retry_after(&self) -> Option<u32> {
        self.code.retry_after()
    }

    pub(crate) fn code(&self) -> &'static str {
        self.code.as_str()
    }

    pub(crate) fn detail(&self, key: &str) -> Option<&str> {
        self.details.iter().find(|(k, _)| *k == key).map(|(_, value)| value.as_str())
    }

    /// Returns what the log should say, if there is more to say than the caller was told.
    pub(crate) fn cause(&self) -> Option<&str> {
        (!self.cause.is_empty()).then_some(self.cause.as_str())
    }

    /// Returns the envelope.
    pub(crate) fn to_json(&self) -> Vec<u8> {
        let envelope = Envelope { error: Body { code: self.code, message: &self.message, details: &self.details } };
        // Text in text: there is nothing in it that could fail.
        serde_json::to_vec(&envelope).unwrap_or_default()
    }
}

impl From<vmsys_core::Error> for ApiError {
    fn from(error: vmsys_core::Error) -> Self {
        let code = Code::from(error.kind());
        if code == Code::Internal {
            // Messages of faults name files and SQL: they are for the operator.
            return Self::internal(causes(&error));
        }
        let details = error.details().map(|(key, value)| (key, value.to_owned())).collect();
        // What SQLite said of a disk is for the operator, too; the caller learns what is the matter, and whether it passes.
        let cause = if code == Code::StoreUnavailable { causes(&error) } else { String::new() };
        Self { details, cause, ..Self::new(code, error.message()) }
    }
}

/// An error and everything behind it, in one line.
pub(crate) fn causes(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Some errors repeat their cause in their own sentence.
        if !text.contains(&cause_text) {
            let _ = write!(text, ": {cause_text}");
        }
        next = cause.source();
    }
    text.replace(['\n', '\r'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_core_keeps_its_code_message_and_details() {
        let core = "v8".parse::<vmsys_core::Engine>().unwrap_err();
        let message = core.message().to_owned();
        let json: serde_json::Value = serde_json::from_slice(&ApiError::from(core).to_json()).unwrap();
        let expected = serde_json::json!({
            "error": {"code": "VALIDATION_ERROR", "message": message, "details": {"field": "engine"}},
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn the_envelope_always_has_details() {
        let json: serde_json::Value = serde_json::from_slice(&ApiError::not_found().to_json()).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"error": {"code": "NOT_FOUND", "message": "There is no such route", "details": {}}})
        );
    }

    #[test]
    fn a_fault_tells_its_cause_to_the_log_alone() {
        let error = ApiError::internal("disk I/O error at /var/lib/secret.db");
        assert_eq!(error.cause(), Some("disk I/O error at /var/lib/secret.db"));
        assert!(!String::from_utf8(error.to_json()).unwrap().contains("secret"));
    }

    #[test]
    fn causes_are_one_line_without_repetition() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot open: no\nspace")]
        struct Outer(#[source] std::io::Error);
        let inner = std::io::Error::other("no\nspace");
        assert_eq!(causes(&Outer(inner)), "cannot open: no space");
        let inner = std::io::Error::other("device gone");
        assert_eq!(causes(&Outer(inner)), "cannot open: no space: device gone");
    }
}
