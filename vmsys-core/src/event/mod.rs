//! Events: everything that an execution did, in order.

use serde::{Deserialize, Serialize};

use crate::ids::ExecutionId;
use crate::time::Timestamp;
use crate::value::{ResultValue, TreeText};

/// One thing that happened in an execution.
///
/// `seq` starts at 1 and has no gaps. The first event is the [`InputEcho`](Payload::InputEcho), the last one a
/// [`Value`](Payload::Value), an [`Exception`](Payload::Exception) or a [`System`](Payload::System).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Event {
    /// The execution that it belongs to.
    pub execution_id: ExecutionId,
    /// Its place, from 1.
    #[cfg_attr(feature = "schema", schemars(range(min = 1)))]
    pub seq: u64,
    /// When it happened.
    pub ts: Timestamp,
    /// What happened: `type` and `payload`.
    #[serde(flatten)]
    pub payload: Payload,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "type", content = "payload", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Payload {
    /// The execution began: the snippet, or the path of the file.
    InputEcho {
        /// The snippet or path.
        text: String,
    },
    /// The script wrote to the console.
    Console {
        /// The method's level; `console.trace` writes at `error`, as in Node.
        level: ConsoleLevel,
        /// The text, formatted and indented, without a final line break.
        text: String,
        /// The arguments as trees ([`ValueTree`](crate::ValueTree)), where one is an object that one line does not tell all
        /// of; else none.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        args: Vec<TreeText>,
    },
    /// The execution ended with a value.
    Value(ResultValue),
    /// The execution ended with an exception that nothing caught.
    Exception {
        /// The error's name and message, as in `ReferenceError: x is not defined`.
        message: String,
        /// The calls that led there, with the file, line and column of each.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stack: Option<String>,
        /// The error's name.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// vm-system itself has something to say: why an execution was ended, for example.
    System {
        /// How grave it is.
        level: SystemLevel,
        /// The sentence.
        message: String,
        /// The code of the reason.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<String>,
    },
    /// Raw output of a command that the script ran.
    Stdout {
        /// The text.
        text: String,
    },
    /// Raw error output of a command that the script ran.
    Stderr {
        /// The text.
        text: String,
    },
}

impl Payload {
    /// Returns the `type` of the event's document.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::InputEcho { .. } => "input_echo",
            Self::Console { .. } => "console",
            Self::Value(_) => "value",
            Self::Exception { .. } => "exception",
            Self::System { .. } => "system",
            Self::Stdout { .. } => "stdout",
            Self::Stderr { .. } => "stderr",
        }
    }

    /// Returns the bytes of text that count towards `max_output_kb`.
    pub fn output_bytes(&self) -> u64 {
        let bytes = match self {
            // What the caller sent is no output.
            Self::InputEcho { .. } => 0,
            Self::Console { text, .. } | Self::Stdout { text } | Self::Stderr { text } => text.len(),
            Self::Value(value) => value.preview.len() + value.json.as_ref().map_or(0, |json| json.as_str().len()),
            Self::Exception { message, stack, .. } => message.len() + stack.as_ref().map_or(0, String::len),
            Self::System { message, .. } => message.len(),
        };
        bytes as u64
    }
}

impl Payload {
    /// Returns the trees of what was printed; those of a value are bounded by themselves.
    pub(crate) fn trees_mut(&mut self) -> Option<&mut Vec<TreeText>> {
        match self {
            Self::Console { args, .. } => Some(args),
            _ => None,
        }
    }
}

/// The level of a console event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "each variant is the console method of its name")]
pub enum ConsoleLevel {
    Log,
    Info,
    Warn,
    Error,
    Debug,
}

/// The level of a system event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the usual levels")]
pub enum SystemLevel {
    Info,
    Warn,
    Error,
}
