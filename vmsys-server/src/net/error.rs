//! Why a request failed, as its script is told.

use std::io;

use vmsys_core::{CallError, Value};

/// A failure of a request.
///
/// What a template does not allow has the code `EPERM` and a message of its own. Everything else becomes the `cause` of
/// a `TypeError: fetch failed`, as Node has it.
#[derive(Debug)]
pub(super) struct Failure(CallError);

impl Failure {
    /// The template does not allow it.
    pub(super) fn refused(message: String) -> Self {
        Self(CallError::new("TypeError", message).with_code("EPERM"))
    }

    /// Not a request that can be made.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self(CallError::new("TypeError", message))
    }

    /// Something went wrong on the way, with a code.
    pub(super) fn coded(code: &str, message: impl Into<String>) -> Self {
        Self(CallError::new("Error", message).with_code(code))
    }

    /// Something went wrong that has no code.
    pub(super) fn plain(message: impl Into<String>) -> Self {
        Self(CallError::new("Error", message))
    }

    /// The operating system refused a call.
    pub(super) fn system(call: &str, error: &io::Error, target: &str) -> Self {
        let code = code_of(error);
        Self::coded(code, format!("{call} {code} {target}")).with("syscall", call)
    }

    pub(super) fn with(self, name: &str, value: impl Into<Value>) -> Self {
        Self(self.0.with(name, value))
    }
}

impl From<Failure> for CallError {
    fn from(failure: Failure) -> Self {
        failure.0
    }
}

/// The name that Node has for an error.
pub(super) fn code_of(error: &io::Error) -> &'static str {
    use io::ErrorKind;
    match error.kind() {
        ErrorKind::ConnectionRefused => "ECONNREFUSED",
        ErrorKind::ConnectionReset => "ECONNRESET",
        ErrorKind::ConnectionAborted => "ECONNABORTED",
        ErrorKind::HostUnreachable => "EHOSTUNREACH",
        ErrorKind::NetworkUnreachable => "ENETUNREACH",
        ErrorKind::NetworkDown => "ENETDOWN",
        ErrorKind::AddrNotAvailable => "EADDRNOTAVAIL",
        ErrorKind::TimedOut => "ETIMEDOUT",
        ErrorKind::BrokenPipe => "EPIPE",
        ErrorKind::UnexpectedEof => "ECONNRESET",
        ErrorKind::PermissionDenied => "EACCES",
        ErrorKind::InvalidInput => "EINVAL",
        _ => "EIO",
    }
}
