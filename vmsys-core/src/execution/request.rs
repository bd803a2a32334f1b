//! What is run, and how it is recorded that it was.

use super::{ExecutionKind, JsonObject};
use crate::isolation::protocol::Act;
use crate::value::Value;

/// What is run, as the caller said it.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) kind: ExecutionKind,
    pub(crate) input: Option<String>,
    pub(crate) path: Option<String>,
    pub(crate) args: JsonObject,
    pub(crate) env: JsonObject,
    /// Whether the file is imported: then it runs once in the session.
    pub(crate) imported: bool,
    /// What is done with the input.
    pub(crate) act: Act,
    /// Whether what it comes to is wanted as data, beside what is recorded of it.
    pub(crate) wants_data: bool,
}

impl Request {
    pub(crate) fn repl(input: String) -> Self {
        Self { input: Some(input), ..Self::of(ExecutionKind::Repl) }
    }

    pub(crate) fn run_file(path: &str, args: JsonObject, env: JsonObject) -> Self {
        Self { path: Some(path.to_owned()), args, env, ..Self::of(ExecutionKind::RunFile) }
    }

    fn of(kind: ExecutionKind) -> Self {
        Self {
            kind,
            input: None,
            path: None,
            args: JsonObject::new(),
            env: JsonObject::new(),
            imported: false,
            act: Act::Run,
            wants_data: false,
        }
    }

    /// A call of what these names lead to. Its record has the arguments, so that it could be made again.
    pub(crate) fn call(function: String, args: Vec<Value>) -> Self {
        let recorded = args.iter().enumerate().map(|(place, arg)| (place.to_string(), arg.recorded())).collect();
        Self { input: Some(function), args: recorded, act: Act::Call(args), ..Self::of(ExecutionKind::Call) }
    }

    /// Giving a global a value, which its record has.
    pub(crate) fn set_global(name: String, value: Value) -> Self {
        let recorded = JsonObject::from_iter([("value".to_owned(), value.recorded())]);
        Self { input: Some(name), args: recorded, act: Act::Set(value), ..Self::of(ExecutionKind::SetGlobal) }
    }

    /// About how many bytes its data takes in memory.
    pub(crate) fn data_bytes(&self) -> usize {
        match &self.act {
            Act::Run => 0,
            Act::Call(args) => args.iter().map(Value::size).sum(),
            Act::Set(value) => value.size(),
        }
    }

    /// The same, of which the value is wanted.
    pub(crate) fn for_data(self) -> Self {
        Self { wants_data: true, ..self }
    }

    /// What its first event says: what a person would have typed.
    pub(super) fn echo(&self) -> String {
        /// So much of the arguments is shown.
        const SHOWN: usize = 1_000;
        let text = self.input.as_ref().or(self.path.as_ref()).cloned().unwrap_or_default();
        let args = || self.args.values().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let mut shown = match self.act {
            Act::Run => return text,
            Act::Call(_) => args(),
            Act::Set(_) => return cut(format!("{text} = {}", args()), text.len() + SHOWN),
        };
        shown = cut(shown, SHOWN);
        format!("{text}({shown})")
    }
}

fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most));
        text.push('…');
    }
    text
}
