//! The library's one error type.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;

/// What the library's calls return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Says what kind of thing went wrong; each kind has one stable code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value is missing, of the wrong type or out of range. Detail: `field`.
    Validation,
    /// There is no such template.
    TemplateNotFound,
    /// There is no such session.
    SessionNotFound,
    /// There is no such execution.
    ExecutionNotFound,
    /// There is no such file in the worktree.
    FileNotFound,
    /// The name or path is taken, or the capability there already.
    AlreadyExists,
    /// The session is starting, crashed or closed.
    SessionNotReady,
    /// The template does not take new sessions.
    TemplateInactive,
    /// Another execution is running in the session.
    SessionBusy,
    /// The execution has ended already.
    ExecutionNotRunning,
    /// The idempotency key was used before, for another request. Detail: `execution_id`, of the first one.
    IdempotencyConflict,
    /// The path is absolute, leaves the worktree, or names something that is no regular file.
    InvalidPath,
    /// The startup mode is unknown or not available.
    StartupModeUnsupported,
    /// The module is none that can be granted: a built-in, one that needs no grant, or unknown. Detail: `module`.
    ModuleNotAllowed,
    /// The library is neither in the catalogue nor in the cache, or in the catalogue alone. Detail: `library`.
    LibraryNotFound,
    /// The library's file is not the one that was stored, and is not loaded. Detail: `library`.
    LibraryDamaged,
    /// A startup file failed while a session was being created. Details: `session_id`, `last_error`.
    StartupFailed,
    /// A bound on sessions or executions is reached; try again later.
    LimitReached,
    /// The system is shutting down, or was shut down.
    ShuttingDown,
    /// The database cannot be opened: it is corrupt, newer than this program, read-only, or in use. Or it cannot be used at
    /// the moment: its disk is full, read-only or fails; then what could not be stored was not acknowledged, nothing that was
    /// is lost, and calls succeed again once that has passed. Detail: `execution_id`, of one that has run and whose end is
    /// stored later.
    StoreUnavailable,
    /// A fault inside: nothing that the caller did.
    Internal,
}

impl ErrorKind {
    /// Returns the code of the REST contract, for example `SESSION_NOT_FOUND`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Validation => "VALIDATION_ERROR",
            Self::TemplateNotFound => "TEMPLATE_NOT_FOUND",
            Self::SessionNotFound => "SESSION_NOT_FOUND",
            Self::ExecutionNotFound => "EXECUTION_NOT_FOUND",
            Self::FileNotFound => "FILE_NOT_FOUND",
            Self::AlreadyExists => "ALREADY_EXISTS",
            Self::SessionNotReady => "SESSION_NOT_READY",
            Self::TemplateInactive => "TEMPLATE_INACTIVE",
            Self::SessionBusy => "SESSION_BUSY",
            Self::ExecutionNotRunning => "EXECUTION_NOT_RUNNING",
            Self::IdempotencyConflict => "IDEMPOTENCY_CONFLICT",
            Self::InvalidPath => "INVALID_PATH",
            Self::StartupModeUnsupported => "STARTUP_MODE_UNSUPPORTED",
            Self::ModuleNotAllowed => "MODULE_NOT_ALLOWED",
            Self::LibraryNotFound => "LIBRARY_NOT_FOUND",
            Self::LibraryDamaged => "LIBRARY_DAMAGED",
            Self::StartupFailed => "STARTUP_FAILED",
            Self::LimitReached => "LIMIT_REACHED",
            Self::ShuttingDown => "SHUTTING_DOWN",
            Self::StoreUnavailable => "STORE_UNAVAILABLE",
            Self::Internal => "INTERNAL",
        }
    }
}

/// Anything that a call of this library can answer instead of its result.
///
/// A script that throws, runs out of time or is cancelled is *not* an error here: it is the outcome of an
/// [`Execution`](crate::Execution).
///
/// ```
/// let vm = vmsys_core::VmSystem::in_memory()?;
/// let error = vm.session("0195-not-an-id".parse().unwrap_or_else(|_| "01950000-0000-7000-8000-000000000000".parse().unwrap())).unwrap_err();
/// assert!(error.is_not_found());
/// assert_eq!(error.code(), "SESSION_NOT_FOUND");
/// # Ok::<(), vmsys_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    details: Vec<(&'static str, String)>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner { kind, message: message.into(), details: Vec::new(), source: None }))
    }

    /// A value of the caller's that cannot be taken, with the path of its field: what a module of a program's own says of
    /// a configuration.
    ///
    /// ```
    /// use vmsys_core::{Error, ErrorKind};
    /// let error = Error::validation("config.hosts", "hosts must list at least one host");
    /// assert_eq!((error.kind(), error.detail("field")), (ErrorKind::Validation, Some("config.hosts")));
    /// ```
    pub fn validation(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Validation, message).with("field", field.into())
    }

    pub(crate) fn internal(message: impl Into<String>, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(ErrorKind::Internal, message).because(source)
    }

    pub(crate) fn with(mut self, key: &'static str, value: impl fmt::Display) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.details.push((key, value.to_string()));
        }
        self
    }

    pub(crate) fn because(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        if let Some(inner) = Arc::get_mut(&mut self.0) {
            inner.source = Some(source.into());
        }
        self
    }

    /// Returns the kind of the error.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Returns the stable code of the error's kind.
    pub fn code(&self) -> &'static str {
        self.0.kind.code()
    }

    /// Returns the sentence for the caller, without the causes behind it.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns what else is known, by name: the ids and fields that the error is about.
    pub fn details(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.0.details.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// Returns one of the [`details`](Self::details).
    pub fn detail(&self, key: &str) -> Option<&str> {
        self.details().find(|(k, _)| *k == key).map(|(_, value)| value)
    }

    /// Tells whether a template, session, execution or file does not exist.
    pub fn is_not_found(&self) -> bool {
        use ErrorKind as K;
        matches!(self.0.kind, K::TemplateNotFound | K::SessionNotFound | K::ExecutionNotFound | K::FileNotFound)
    }

    /// Tells whether the same call may succeed later without a change: busy, at a limit, shutting down, or without a disk
    /// to store anything on. Code that was run is run again by such a call, unless it has a
    /// [key](crate::Submission::key).
    pub fn is_transient(&self) -> bool {
        use ErrorKind as K;
        matches!(self.0.kind, K::SessionBusy | K::LimitReached | K::ShuttingDown | K::StoreUnavailable)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self.0.message, self.code())?;
        for (key, value) in &self.0.details {
            write!(f, " {key}={value}")?;
        }
        let mut cause = self.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}
