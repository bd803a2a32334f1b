//! What can go wrong, the exit code that it gives, and what to try next.

use std::fmt;
use std::process::ExitCode;

use serde_json::{Map, Value, json};

/// What the functions of this program return.
pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// How the program ends: these numbers are a contract with scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for is done.
    Done,
    /// The daemon refused, or something failed.
    Failed,
    /// The command line cannot be understood.
    Usage,
    /// No daemon answered.
    Unreachable,
    /// The code was run, and ended in `error`, `timeout` or `cancelled`.
    ExecutionFailed,
    /// Ctrl+C ended it: 128 and the number of the signal, as shells have it.
    Interrupted,
    /// SIGTERM ended it.
    Terminated,
}

impl Exit {
    /// Returns the number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Unreachable => 3,
            Self::ExecutionFailed => 4,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The command line asks for something that makes no sense.
    Usage,
    /// No answer came: nobody listens, or whoever listens says nothing.
    Unreachable,
    /// The daemon answered with an error of its contract.
    Refused,
    /// An answer came that no vm-system daemon gives.
    BadAnswer,
    /// Something on this side failed: a file, standard input, the engine of a one-shot run.
    Failed,
}

/// Anything that ends a command before its work is done.
#[derive(Debug)]
pub(crate) struct Error(Box<Inner>);

#[derive(Debug)]
struct Inner {
    kind: ErrorKind,
    code: String,
    message: String,
    details: Map<String, Value>,
    /// The document that the daemon sent, which `--json` prints as it came.
    envelope: Option<String>,
    hint: Option<String>,
}

impl Error {
    fn new(kind: ErrorKind, code: impl Into<String>, message: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            code: code.into(),
            message: message.into(),
            details: Map::new(),
            envelope: None,
            hint: None,
        }))
    }

    /// A command line that makes no sense.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, "USAGE", message)
    }

    /// Nobody answers.
    pub(crate) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Unreachable, "UNREACHABLE", message)
            .hint("start the daemon with `vm-system serve`, or say where it is with --server-url or VM_SYSTEM_URL")
    }

    /// An answer that no vm-system daemon gives.
    pub(crate) fn bad_answer(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::BadAnswer, "BAD_ANSWER", message)
            .hint("is it a vm-system daemon of this version that listens there? --server-url says where to look")
    }

    /// Something on this side failed.
    pub(crate) fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Failed, code, message)
    }

    /// The daemon's own error, with the document that it sent.
    pub(crate) fn refused(
        code: String,
        message: String,
        details: Map<String, Value>,
        envelope: String,
        request_id: Option<&str>,
    ) -> Self {
        let hint = hint(&code, &details, request_id);
        Self(Box::new(Inner { kind: ErrorKind::Refused, code, message, details, envelope: Some(envelope), hint }))
    }

    /// The same with something to try next.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Returns the stable code.
    pub(crate) fn code(&self) -> &str {
        &self.0.code
    }

    /// Returns the sentence for people.
    pub(crate) fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns what to try next, where there is something.
    pub(crate) fn next_step(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// Tells whether the same may succeed in a moment: nobody answers, or whoever does has no time or place just now.
    pub(crate) fn is_passing(&self) -> bool {
        match self.0.kind {
            ErrorKind::Unreachable => true,
            ErrorKind::Refused => matches!(self.code(), "SHUTTING_DOWN" | "LIMIT_REACHED"),
            _ => false,
        }
    }

    /// Returns the exit code, which the kind decides alone.
    pub(crate) fn exit(&self) -> Exit {
        match self.0.kind {
            ErrorKind::Usage => Exit::Usage,
            ErrorKind::Unreachable => Exit::Unreachable,
            ErrorKind::Refused | ErrorKind::BadAnswer | ErrorKind::Failed => Exit::Failed,
        }
    }

    /// Returns the error envelope: the daemon's as it came, or one of the same shape.
    pub(crate) fn envelope(&self) -> String {
        if let Some(envelope) = &self.0.envelope {
            return envelope.clone();
        }
        let mut error = json!({"code": self.0.code, "message": self.0.message});
        if !self.0.details.is_empty() {
            error["details"] = Value::Object(self.0.details.clone());
        }
        json!({ "error": error }).to_string()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.0.message, self.0.code)
    }
}

impl std::error::Error for Error {}

/// Errors of the runtime in this process: of `run` and `eval`.
impl From<vmsys_core::Error> for Error {
    fn from(error: vmsys_core::Error) -> Self {
        let mut message = error.message().to_owned();
        // No log stands behind a one-shot run: the causes are said here or nowhere.
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            message.push_str(&format!(": {inner}"));
            cause = inner.source();
        }
        let mut ours = Self::failed(error.code(), message);
        ours.0.hint = library_hint(error.code());
        ours.0.details = error.details().map(|(name, value)| (name.to_owned(), Value::from(value))).collect();
        ours
    }
}

/// Returns what a person could do about a library that is not as it should be.
fn library_hint(code: &str) -> Option<String> {
    let hint = match code {
        "LIBRARY_NOT_FOUND" => {
            "`vm-system libs list` shows the libraries that there are, `vm-system libs download` gets those of the \
             catalogue, and `vm-system libs add` takes a file of your own"
        }
        "LIBRARY_DAMAGED" => {
            "`vm-system libs verify` says which; get a library of the catalogue again with `vm-system libs download`, \
             one of your own with `vm-system libs add`"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Returns what a person could do about an error of the daemon.
fn hint(code: &str, details: &Map<String, Value>, request_id: Option<&str>) -> Option<String> {
    let detail = |name: &str| details.get(name).and_then(Value::as_str);
    let session = detail("session_id").unwrap_or("SESSION_ID");
    let hint = match code {
        "TEMPLATE_NOT_FOUND" => "`vm-system template list` shows the templates that there are".to_owned(),
        "SESSION_NOT_FOUND" => "`vm-system session list` shows the sessions that there are".to_owned(),
        "EXECUTION_NOT_FOUND" => "`vm-system exec list SESSION_ID` shows the executions of a session".to_owned(),
        "FILE_NOT_FOUND" => {
            format!("paths are relative to the session's worktree, which `vm-system session get {session}` shows")
        }
        "SESSION_NOT_READY" => format!(
            "`vm-system session get {session}` says what became of it; `vm-system session create` makes a new one"
        ),
        "SESSION_BUSY" => format!(
            "one execution at a time: wait, or find it with `vm-system exec list {session}` and end it with \
             `vm-system exec cancel EXECUTION_ID`"
        ),
        "IDEMPOTENCY_CONFLICT" => "a key stands for one request for 24 hours: choose another one".to_owned(),
        "EXECUTION_NOT_RUNNING" => "`vm-system exec get EXECUTION_ID` shows how it ended".to_owned(),
        "STARTUP_FAILED" => format!("`vm-system exec list {session}` shows the startup runs"),
        "STARTUP_MODE_UNSUPPORTED" => "`--mode eval` is the mode that this daemon has".to_owned(),
        "VALIDATION_ERROR" => format!("the value that was refused is that of `{}`", detail("field")?),
        "MODULE_NOT_ALLOWED" => {
            "`vm-system template list-available-modules` shows the modules that can be added".to_owned()
        }
        "ALREADY_EXISTS" if details.contains_key("kind") => {
            "`vm-system template list-capabilities TEMPLATE_ID` shows what there is; to change one, remove it with \
             `vm-system template remove-capability TEMPLATE_ID CAPABILITY_ID`, and add it anew"
                .to_owned()
        }
        "ALREADY_EXISTS" => "choose another name; `vm-system template list` and `vm-system template list-startup \
                             TEMPLATE_ID` show what there is"
            .to_owned(),
        "TEMPLATE_INACTIVE" => {
            "`vm-system template update TEMPLATE_ID --active true` lets sessions be made from it again".to_owned()
        }
        "URI_TOO_LONG" => "an id, a name or a text on the command line is too long for a request".to_owned(),
        "REQUEST_TIMEOUT" => "the request came too slowly: try again, nearer to the daemon".to_owned(),
        "METHOD_NOT_ALLOWED" | "UNSUPPORTED_MEDIA_TYPE" => {
            "the daemon does not know this request: is it of another version, or is a proxy in between?".to_owned()
        }
        "INVALID_PATH" => "a file is named by a relative path that stays in the worktree, a worktree by an absolute \
                           path of a directory that exists"
            .to_owned(),
        "LIMIT_REACHED" if detail("limit") == Some("max_rate") => {
            "try again in a second; `vm-system serve --max-rate` says how many requests a client may send".to_owned()
        }
        "LIMIT_REACHED" if detail("limit") == Some("max_connections") => {
            "try again later, or end watches and other clients of this daemon that are no longer needed".to_owned()
        }
        "LIMIT_REACHED" if detail("limit") == Some("max_running") => {
            "try again when some have ended, or end some with `vm-system exec cancel`".to_owned()
        }
        "LIMIT_REACHED" => {
            "try again later, or close sessions that `vm-system session list --status ready` shows".to_owned()
        }
        "STORE_UNAVAILABLE" => match detail("execution_id") {
            Some(execution) => format!(
                "the code has run, so think before you run it again; once there is room on the daemon's disk, \
                 `vm-system exec get {execution}` shows how it ended"
            ),
            None => {
                "make room on the disk of the daemon's database, or make it writable, and try again: the daemon needs \
                     no restart"
                    .to_owned()
            }
        },
        "SHUTTING_DOWN" => "wait until the daemon has stopped, and start it with `vm-system serve`".to_owned(),
        "PAYLOAD_TOO_LARGE" => {
            "write the code into a file of the worktree, and use `vm-system exec run-file`".to_owned()
        }
        // This program sends few headers, and one that can be long.
        "HEADERS_TOO_LARGE" => {
            "is the token that --auth-token-file names the right one, and no proxy in between?".to_owned()
        }
        "FORBIDDEN" => "the daemon answers only to a loopback name, such as http://127.0.0.1:3210".to_owned(),
        "UNAUTHORIZED" => {
            "show the daemon's token: --auth-token-file names a file whose first line it is, and the variable \
             VM_SYSTEM_TOKEN can have it"
                .to_owned()
        }
        "NOT_FOUND" => "the daemon does not know this request: is it older, or behind another path?".to_owned(),
        "INTERNAL" => format!("the cause is in the daemon's log, under request id {}", request_id?),
        other => return library_hint(other),
    };
    Some(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: &str, details: Value) -> Error {
        let envelope = json!({"error": {"code": code, "message": "no", "details": details}});
        let details = details.as_object().cloned().unwrap_or_default();
        Error::refused(code.to_owned(), "no".to_owned(), details, envelope.to_string(), Some("req-1"))
    }

    #[test]
    fn the_kind_picks_the_exit_code() {
        let table = [
            (Error::usage("x"), 2),
            (Error::unreachable("x"), 3),
            (Error::bad_answer("x"), 1),
            (Error::failed("IO_ERROR", "x"), 1),
            (refused("SESSION_NOT_FOUND", json!({})), 1),
        ];
        for (error, code) in table {
            assert_eq!(error.exit().code(), code, "{error}");
        }
        let all = [Exit::Done, Exit::Failed, Exit::Usage, Exit::Unreachable, Exit::ExecutionFailed];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4]);
        assert_eq!([Exit::Interrupted, Exit::Terminated].map(Exit::code), [130, 143]);
    }

    #[test]
    fn what_may_pass_is_told_from_what_stays() {
        for (error, passing) in [
            (Error::unreachable("x"), true),
            (refused("SHUTTING_DOWN", json!({})), true),
            (refused("LIMIT_REACHED", json!({})), true),
            (refused("EXECUTION_NOT_FOUND", json!({})), false),
            (Error::bad_answer("x"), false),
            (Error::failed("IO_ERROR", "x"), false),
        ] {
            assert_eq!(error.is_passing(), passing, "{error}");
        }
    }

    #[test]
    fn hints_say_what_to_try_next() {
        let table = [
            ("SESSION_NOT_FOUND", json!({}), "vm-system session list"),
            ("TEMPLATE_NOT_FOUND", json!({}), "vm-system template list"),
            ("EXECUTION_NOT_FOUND", json!({}), "vm-system exec list"),
            ("SESSION_NOT_READY", json!({"session_id": "s-1"}), "vm-system session get s-1"),
            ("SESSION_BUSY", json!({"session_id": "s-1"}), "vm-system exec cancel"),
            ("STARTUP_FAILED", json!({"session_id": "s-1", "last_error": "Error: boom"}), "exec list s-1"),
            ("VALIDATION_ERROR", json!({"field": "limits.cpu_ms"}), "`limits.cpu_ms`"),
            ("INTERNAL", json!({}), "req-1"),
            ("STORE_UNAVAILABLE", json!({}), "make room"),
            ("STORE_UNAVAILABLE", json!({"execution_id": "e-1"}), "vm-system exec get e-1"),
            ("PAYLOAD_TOO_LARGE", json!({}), "run-file"),
            ("UNAUTHORIZED", json!({}), "--auth-token-file"),
            ("LIMIT_REACHED", json!({"limit": "max_sessions"}), "session list --status ready"),
            ("LIMIT_REACHED", json!({"limit": "max_connections"}), "end watches"),
            ("LIMIT_REACHED", json!({"limit": "max_rate"}), "in a second"),
            ("HEADERS_TOO_LARGE", json!({}), "--auth-token-file"),
            ("MODULE_NOT_ALLOWED", json!({"module": "JSON"}), "list-available-modules"),
            ("ALREADY_EXISTS", json!({"kind": "fs", "name": "a"}), "remove-capability"),
            ("ALREADY_EXISTS", json!({"name": "a"}), "template list"),
            ("LIBRARY_NOT_FOUND", json!({"library": "lodash"}), "vm-system libs download"),
            ("LIBRARY_DAMAGED", json!({"library": "lodash-4.17.21"}), "vm-system libs verify"),
        ];
        for (code, details, part) in table {
            let error = refused(code, details);
            let hint = error.next_step().unwrap_or_default();
            assert!(hint.contains(part), "{code}: {hint}");
        }
        assert!(refused("SOMETHING_NEW", json!({})).next_step().is_none());
        assert!(refused("VALIDATION_ERROR", json!({})).next_step().is_none());
        assert!(Error::unreachable("x").next_step().is_some_and(|hint| hint.contains("vm-system serve")));
    }

    #[test]
    fn an_envelope_is_the_daemons_own_or_has_its_shape() {
        let error = refused("SESSION_BUSY", json!({"session_id": "s"}));
        assert_eq!(
            error.envelope(),
            r#"{"error":{"code":"SESSION_BUSY","message":"no","details":{"session_id":"s"}}}"#
        );
        assert_eq!(Error::usage("why").envelope(), r#"{"error":{"code":"USAGE","message":"why"}}"#);
    }
}
