//! The codes of refusals: the one table from codes to statuses, and what each of them says.

use std::borrow::Cow;

use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use vmsys_core::ErrorKind;

/// Makes the codes of a table: `Name CODE STATUS meaning`.
macro_rules! codes {
    ($($name:ident $code:literal $status:ident $meaning:literal,)+) => {
        /// A stable code. Codes are for ever, messages are not.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum Code {
            $($name,)+
        }

        impl Code {
            /// Every code, by status.
            pub(crate) const ALL: &[Self] = &[$(Self::$name,)+];

            /// Returns the word of the API.
            pub(crate) fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $code,)+
                }
            }

            /// Returns its name as the document has it: `SessionNotFound`.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)+
                }
            }

            pub(crate) fn status(self) -> StatusCode {
                match self {
                    $(Self::$name => StatusCode::$status,)+
                }
            }

            /// Returns what the code says, in one sentence.
            pub(crate) fn meaning(self) -> &'static str {
                match self {
                    $(Self::$name => $meaning,)+
                }
            }
        }
    };
}

codes! {
    InvalidRequest "INVALID_REQUEST" BAD_REQUEST
        "The request cannot be read: malformed JSON, or a field, parameter or header that there is not here.",
    ValidationError "VALIDATION_ERROR" BAD_REQUEST
        "A value is missing, of the wrong type or out of range; `details.field` names it.",
    Unauthorized "UNAUTHORIZED" UNAUTHORIZED
        "The daemon has a token, and the request shows none or another one.",
    Forbidden "FORBIDDEN" FORBIDDEN
        "The daemon has no token, and the request comes by a foreign name (`Host`) or from a foreign page (`Origin`).",
    NotFound "NOT_FOUND" NOT_FOUND
        "There is no such route.",
    TemplateNotFound "TEMPLATE_NOT_FOUND" NOT_FOUND
        "There is no such template.",
    SessionNotFound "SESSION_NOT_FOUND" NOT_FOUND
        "There is no such session.",
    ExecutionNotFound "EXECUTION_NOT_FOUND" NOT_FOUND
        "There is no such execution.",
    FileNotFound "FILE_NOT_FOUND" NOT_FOUND
        "There is no such file in the worktree.",
    MethodNotAllowed "METHOD_NOT_ALLOWED" METHOD_NOT_ALLOWED
        "The route is known and answers other methods, which `Allow` lists.",
    RequestTimeout "REQUEST_TIMEOUT" REQUEST_TIMEOUT
        "The body of the request did not arrive in time; the connection is closed.",
    AlreadyExists "ALREADY_EXISTS" CONFLICT
        "The name or path is taken, or the capability is there already.",
    SessionNotReady "SESSION_NOT_READY" CONFLICT
        "The session is starting, crashed or closed.",
    TemplateInactive "TEMPLATE_INACTIVE" CONFLICT
        "The template takes no new sessions.",
    SessionBusy "SESSION_BUSY" CONFLICT
        "Another execution is running in the session.",
    ExecutionNotRunning "EXECUTION_NOT_RUNNING" CONFLICT
        "The execution has ended already.",
    IdempotencyConflict "IDEMPOTENCY_CONFLICT" CONFLICT
        "The idempotency key was used before, for another request; `details.execution_id` names what it began.",
    PayloadTooLarge "PAYLOAD_TOO_LARGE" PAYLOAD_TOO_LARGE
        "The body is larger than the daemon takes: 1 MiB unless it was told otherwise.",
    UriTooLong "URI_TOO_LONG" URI_TOO_LONG
        "The target of the request is longer than the daemon takes.",
    UnsupportedMediaType "UNSUPPORTED_MEDIA_TYPE" UNSUPPORTED_MEDIA_TYPE
        "The body is not sent as `application/json`, or is encoded.",
    InvalidPath "INVALID_PATH" UNPROCESSABLE_ENTITY
        "The path is absolute, leaves the worktree, or names something else than it should; or the worktree itself is \
         relative or missing.",
    OutputLimitExceeded "OUTPUT_LIMIT_EXCEEDED" UNPROCESSABLE_ENTITY
        "The execution passed `max_events` or `max_output_kb`; `details.execution_id` names it, and what it did up to \
         there can be read.",
    StartupModeUnsupported "STARTUP_MODE_UNSUPPORTED" UNPROCESSABLE_ENTITY
        "The startup mode is none that there is.",
    ModuleNotAllowed "MODULE_NOT_ALLOWED" UNPROCESSABLE_ENTITY
        "The module is none that can be granted: a built-in of JavaScript, one that needs no grant, or unknown.",
    LibraryNotFound "LIBRARY_NOT_FOUND" UNPROCESSABLE_ENTITY
        "The library is neither in the catalogue nor in the cache; or a session needs its file, and the cache has none.",
    LibraryDamaged "LIBRARY_DAMAGED" UNPROCESSABLE_ENTITY
        "The library's file is not the one that was stored, and is not loaded.",
    StartupFailed "STARTUP_FAILED" UNPROCESSABLE_ENTITY
        "A startup file or library failed; the session of `details.session_id` is kept as `crashed`, and \
         `details.last_error` says why.",
    LimitReached "LIMIT_REACHED" TOO_MANY_REQUESTS
        "The daemon has as many sessions, running executions or connections as it may have, or the client has sent as many \
         requests as it may: try again later.",
    HeadersTooLarge "HEADERS_TOO_LARGE" REQUEST_HEADER_FIELDS_TOO_LARGE
        "The head of the request is larger than the daemon takes, or has more fields.",
    Internal "INTERNAL" INTERNAL_SERVER_ERROR
        "Something went wrong inside; the log says what, under the id of the request.",
    StoreUnavailable "STORE_UNAVAILABLE" SERVICE_UNAVAILABLE
        "The database cannot be used at the moment: its disk is full, read-only or fails. What was acknowledged is not lost; \
         `details.execution_id` names an execution that has run, and whose end is stored later.",
    ShuttingDown "SHUTTING_DOWN" SERVICE_UNAVAILABLE
        "The daemon is shutting down.",
}

impl Code {
    /// Returns after how many seconds the same may be asked for again, if it may.
    pub(crate) fn retry_after(self) -> Option<u32> {
        match self {
            // After a second the next request of a client is let in, whatever its rate, and a place may have become free.
            Self::LimitReached => Some(1),
            // Somebody has to make room first.
            Self::StoreUnavailable => Some(5),
            _ => None,
        }
    }
}

impl From<ErrorKind> for Code {
    fn from(kind: ErrorKind) -> Self {
        use ErrorKind as K;
        match kind {
            K::Validation => Self::ValidationError,
            K::TemplateNotFound => Self::TemplateNotFound,
            K::SessionNotFound => Self::SessionNotFound,
            K::ExecutionNotFound => Self::ExecutionNotFound,
            K::FileNotFound => Self::FileNotFound,
            K::AlreadyExists => Self::AlreadyExists,
            K::SessionNotReady => Self::SessionNotReady,
            K::TemplateInactive => Self::TemplateInactive,
            K::SessionBusy => Self::SessionBusy,
            K::ExecutionNotRunning => Self::ExecutionNotRunning,
            K::IdempotencyConflict => Self::IdempotencyConflict,
            K::InvalidPath => Self::InvalidPath,
            K::StartupModeUnsupported => Self::StartupModeUnsupported,
            K::StartupFailed => Self::StartupFailed,
            K::ModuleNotAllowed => Self::ModuleNotAllowed,
            K::LibraryNotFound => Self::LibraryNotFound,
            K::LibraryDamaged => Self::LibraryDamaged,
            K::LimitReached => Self::LimitReached,
            K::StoreUnavailable => Self::StoreUnavailable,
            K::ShuttingDown => Self::ShuttingDown,
            // A kind that this version does not know is a fault of ours, not of the caller.
            _ => Self::Internal,
        }
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl JsonSchema for Code {
    fn schema_name() -> Cow<'static, str> {
        "ErrorCode".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = Self::ALL.iter().map(|code| code.as_str()).collect();
        json_schema!({"type": "string", "enum": words, "description": "What went wrong, as a word that never changes."})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_the_status_of_the_contract() {
        use ErrorKind as K;
        let table = [
            (K::Validation, 400),
            (K::TemplateNotFound, 404),
            (K::SessionNotFound, 404),
            (K::ExecutionNotFound, 404),
            (K::FileNotFound, 404),
            (K::AlreadyExists, 409),
            (K::IdempotencyConflict, 409),
            (K::SessionNotReady, 409),
            (K::TemplateInactive, 409),
            (K::SessionBusy, 409),
            (K::ExecutionNotRunning, 409),
            (K::InvalidPath, 422),
            (K::StartupModeUnsupported, 422),
            (K::StartupFailed, 422),
            (K::ModuleNotAllowed, 422),
            (K::LibraryNotFound, 422),
            (K::LibraryDamaged, 422),
            (K::LimitReached, 429),
            (K::ShuttingDown, 503),
            (K::StoreUnavailable, 503),
            (K::Internal, 500),
        ];
        for (kind, status) in table {
            let code = Code::from(kind);
            assert_eq!((code.status().as_u16(), code.as_str()), (status, kind.code()), "{kind:?}");
        }
    }
}
