//! What a call of a module answers a script instead of a value.

use serde::{Deserialize, Serialize};

use super::Value;

/// An error that a script can catch: it arrives as a JavaScript error of this name, with these properties.
///
/// ```
/// use vmsys_core::CallError;
/// let error = CallError::new("Error", "ENOENT: no such file or directory, open 'a.txt'")
///     .with_code("ENOENT")
///     .with("path", "a.txt");
/// assert_eq!(error.code(), Some("ENOENT"));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CallError {
    name: String,
    message: String,
    properties: Vec<(String, Value)>,
}

impl CallError {
    /// Makes an error. A name of JavaScript's own errors, such as `TypeError`, makes it one of those.
    pub fn new(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), message: message.into(), properties: Vec::new() }
    }

    /// An argument has the wrong type, as Node says it.
    pub fn argument(message: impl Into<String>) -> Self {
        Self::new("TypeError", message).with_code("ERR_INVALID_ARG_TYPE")
    }

    /// The same with a `code`.
    pub fn with_code(self, code: &str) -> Self {
        self.with("code", code)
    }

    /// The same with one more property.
    pub fn with(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.properties.push((name.into(), value.into()));
        self
    }

    /// About how many bytes it takes in memory.
    pub(crate) fn size(&self) -> usize {
        self.name.len() + self.message.len() + super::data::size_of_properties(&self.properties)
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the message.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the `code`.
    pub fn code(&self) -> Option<&str> {
        self.properties.iter().find(|(name, _)| name == "code")?.1.as_str()
    }

    /// Returns the properties, `code` among them.
    pub fn properties(&self) -> &[(String, Value)] {
        &self.properties
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.name, self.message)
    }
}

impl std::error::Error for CallError {}
