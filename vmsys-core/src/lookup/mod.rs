//! What a console asks about a session between executions: its globals, what a name may go on as, whether an input is
//! whole, and what was typed before. None of it runs code of the session's.

mod cursor;

use serde::{Deserialize, Serialize};

pub(crate) use self::cursor::{Place, place};
use crate::identifier::is_identifier;
use crate::ids::ExecutionId;
use crate::time::Timestamp;
use crate::value::ValueType;

/// The most globals that a listing has.
pub(crate) const MOST_GLOBALS: usize = 1_000;
/// The most names that a completion has.
pub(crate) const MOST_COMPLETIONS: usize = 200;
/// The most characters of a preview.
pub(crate) const LONGEST_PREVIEW: usize = 200;
/// The longest name that is listed, in UTF-16 units; longer ones are counted only.
pub(crate) const LONGEST_NAME: usize = 256;
/// The most text of inputs that one answer has, unless the first is longer.
pub(crate) const MOST_HISTORY_BYTES: usize = 4 << 20;

/// The globals of a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Globals {
    /// What its code has declared, in the order of declaration, and then what it has set: at most 1000.
    pub globals: Vec<Global>,
    /// How many more there are.
    pub more: u64,
}

/// A global of a session, as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Global {
    /// The name.
    pub name: String,
    /// How it came to be.
    pub kind: GlobalKind,
    /// The type of its value; none of what calls a function when it is read, which is not done.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub value_type: Option<ValueType>,
    /// One line that stands for its value, of at most 200 characters.
    pub preview: String,
    /// The last execution after which its value was found to be another. Whoever does not look after each one does not know
    /// of all of them: of what changed between two looks with more than one execution in between it is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<ExecutionId>,
}

/// How a global came to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum GlobalKind {
    /// Declared with `const`.
    Const,
    /// Declared with `let`.
    Let,
    /// Declared as a class.
    Class,
    /// Declared with `var`.
    Var,
    /// Declared as a function.
    Function,
    /// Set as a property of the global object.
    Global,
}

impl GlobalKind {
    /// Returns the word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Const => "const",
            Self::Let => "let",
            Self::Class => "class",
            Self::Var => "var",
            Self::Function => "function",
            Self::Global => "global",
        }
    }
}

/// How the text before a cursor may go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Completions {
    /// Where the part begins that an item takes the place of, in UTF-16 units.
    pub from: u32,
    /// Where it ends: the cursor.
    pub to: u32,
    /// What can stand there: at most 200. Own names come before inherited ones.
    pub items: Vec<Completion>,
}

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct Completion {
    /// The text. One that begins with `[`, for a name that is no identifier, also takes the place of the dot before it.
    pub label: String,
    /// What it is.
    pub kind: CompletionKind,
    /// The type of its value, or `accessor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// What a [`Completion`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CompletionKind {
    /// A property of a value.
    Property,
    /// A property that is a function.
    Method,
    /// A global name.
    Global,
    /// A word of the language.
    Keyword,
}

impl CompletionKind {
    /// Returns the word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Property => "property",
            Self::Method => "method",
            Self::Global => "global",
            Self::Keyword => "keyword",
        }
    }
}

/// Whether an input can be run as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct InputCheck {
    /// Whether nothing is missing. More lines could make an input valid that is not whole: something is open in it. One with an
    /// error is whole.
    pub complete: bool,
    /// What is wrong with it, as far as a parser can tell; a session may find more.
    pub error: Option<InputError>,
}

/// Why an input cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct InputError {
    /// What is wrong.
    pub message: String,
    /// From 1.
    pub line: u32,
    /// From 1, in bytes of UTF-8, as in stacks.
    pub column: u32,
}

/// What was typed in a session, newest first: its snippets, and not the files that were run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct History {
    /// The inputs. There may be fewer than were asked for, of long ones, and more nevertheless; none says that there are no
    /// more.
    pub entries: Vec<HistoryEntry>,
}

/// One input.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[non_exhaustive]
pub struct HistoryEntry {
    /// The execution that it was run as.
    pub execution_id: ExecutionId,
    /// The snippet.
    pub input: String,
    /// When it was run.
    pub started_at: Timestamp,
}

/// Which inputs of a session to list: newest first.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct HistoryFilter {
    /// Only those of executions older than this one.
    pub before: Option<ExecutionId>,
    /// At most so many; 50 unless told.
    pub limit: Option<u32>,
}

/// What somebody wants to know of a realm while no job runs in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Question {
    /// Its globals; the built-in ones, too, if so.
    Globals { builtins: bool },
    /// Names that begin so.
    Names(Wanted),
}

/// The names that are wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Wanted {
    /// Global ones.
    Globals { prefix: String },
    /// Those of a value's properties.
    Members { root: Root, path: Vec<String>, prefix: String },
}

/// Where a path of properties begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Root {
    /// `this` and `globalThis`.
    Global,
    /// A global name.
    Name(String),
    /// Some string.
    Text,
    /// Some number.
    Number,
    /// Some regular expression.
    RegExp,
}

/// The answer to a [`Question`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Answer {
    Globals { found: Vec<FoundGlobal>, more: u64 },
    Names(Vec<FoundName>),
}

/// A global, as a realm finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FoundGlobal {
    pub(crate) name: String,
    pub(crate) kind: GlobalKind,
    pub(crate) value_type: Option<ValueType>,
    pub(crate) preview: String,
    /// Another one for another value, or one that shows something else.
    pub(crate) mark: u64,
}

/// A name, as a realm finds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FoundName {
    pub(crate) name: String,
    /// None of an accessor.
    pub(crate) value_type: Option<ValueType>,
}

impl Answer {
    /// Tells whether a realm may answer so: a worker process may say anything.
    pub(crate) fn answers(&self, question: &Question) -> bool {
        match (question, self) {
            (Question::Globals { .. }, Self::Globals { found, .. }) => {
                found.len() <= MOST_GLOBALS
                    && found.iter().all(|global| {
                        // A character takes at most four bytes, of a UTF-16 unit three.
                        global.name.len() <= 3 * LONGEST_NAME && global.preview.chars().count() <= LONGEST_PREVIEW
                    })
            }
            (Question::Names(_), Self::Names(found)) => {
                found.len() <= MOST_COMPLETIONS && found.iter().all(|found| found.name.len() <= 3 * LONGEST_NAME)
            }
            _ => false,
        }
    }
}

/// The words of the language that an input may go on with.
pub(crate) const KEYWORDS: &[&str] = &[
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "import",
    "in",
    "instanceof",
    "let",
    "new",
    "null",
    "of",
    "return",
    "static",
    "super",
    "switch",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "undefined",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// How a name is written behind a value: as it is, or in brackets.
pub(crate) fn label(name: &str) -> String {
    if is_identifier(name) { name.to_owned() } else { format!("[{}]", serde_json::Value::from(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_that_no_realm_gives_are_told() {
        let global = |name: &str, preview: &str| FoundGlobal {
            name: name.to_owned(),
            kind: GlobalKind::Let,
            value_type: None,
            preview: preview.to_owned(),
            mark: 0,
        };
        let listing = |found| Answer::Globals { found, more: 0 };
        let names = |count: usize, name: &str| {
            Answer::Names(vec![FoundName { name: name.to_owned(), value_type: None }; count])
        };
        let of_globals = Question::Globals { builtins: false };
        let of_names = Question::Names(Wanted::Globals { prefix: String::new() });
        assert!(listing(vec![global("a", &"ä".repeat(200)); 1000]).answers(&of_globals));
        assert!(names(200, &"€".repeat(256)).answers(&of_names));
        for nonsense in [
            names(1, "a"),
            listing(vec![global("a", ""); 1001]),
            listing(vec![global("a", &"x".repeat(201))]),
            listing(vec![global(&"x".repeat(769), "")]),
        ] {
            assert!(!nonsense.answers(&of_globals));
        }
        for nonsense in [listing(vec![]), names(201, "a"), names(1, &"x".repeat(769))] {
            assert!(!nonsense.answers(&of_names));
        }
    }

    #[test]
    fn names_are_written_as_they_can_stand_behind_a_value() {
        for (name, expected) in [
            ("a1", "a1"),
            ("$_", "$_"),
            ("größe", "größe"),
            ("a b", r#"["a b"]"#),
            ("1a", r#"["1a"]"#),
            ("", r#"[""]"#),
            ("a\"\n", r#"["a\"\n"]"#),
        ] {
            assert_eq!(label(name), expected);
        }
    }
}
