//! What a function of the program's answers a script instead of a value.

use std::any::Any;
use std::fmt;

use serde::Serialize;

use crate::modules::Stopped;
use crate::value::{CallError, Value};

/// An error of a function of a [`HostModule`](super::HostModule): scripts catch it as a JavaScript error with its name, code
/// and properties, and what they do not catch comes back as [`Thrown`](crate::Thrown), with all of these.
///
/// `?` makes one of any error, with the name `Error` and its text. It does not say what was behind that one: whatever is in
/// a message, scripts can read.
///
/// ```
/// use vmsys_core::{CallError, HostError};
///
/// fn parse(text: &str) -> Result<u8, HostError> {
///     let number: u8 = text.parse()?;
///     if number > 100 {
///         return Err(HostError::new("RangeError", "more than all").code("ERR_OUT_OF_RANGE").with("number", &number));
///     }
///     Ok(number)
/// }
///
/// assert_eq!(parse("x").unwrap_err().to_string(), "Error: invalid digit found in string");
/// let error = CallError::from(parse("101").unwrap_err());
/// assert_eq!((error.name(), error.code()), ("RangeError", Some("ERR_OUT_OF_RANGE")));
/// ```
pub struct HostError(CallError);

impl HostError {
    /// Makes an error. A name of JavaScript's own errors, such as `TypeError`, makes it one of those.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self(CallError::new(name, message))
    }

    /// Makes a plain `Error`.
    pub fn message(message: impl Into<String>) -> Self {
        Self::new("Error", message)
    }

    /// The same with a `code`, by which scripts tell errors apart.
    pub fn code(self, code: &str) -> Self {
        Self(self.0.with_code(code))
    }

    /// The same with one more property. What serde cannot write as a [`Value`] is left out.
    pub fn with<T: Serialize + ?Sized>(self, name: impl Into<String>, value: &T) -> Self {
        match Value::of(value) {
            Ok(value) => Self(self.0.with(name, value)),
            Err(error) => {
                tracing::debug!(%error, "a property of an error is left out");
                self
            }
        }
    }
}

impl fmt::Display for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

// It is no `std::error::Error` itself, so that it can be made of everything that is.
impl<E: std::error::Error + 'static> From<E> for HostError {
    fn from(error: E) -> Self {
        match (&error as &dyn Any).downcast_ref::<CallError>() {
            Some(error) => Self(error.clone()),
            None => Self::message(error.to_string()),
        }
    }
}

impl From<Stopped> for HostError {
    fn from(_: Stopped) -> Self {
        Self::message("the execution is being ended")
    }
}

impl From<HostError> for CallError {
    fn from(error: HostError) -> Self {
        error.0
    }
}
