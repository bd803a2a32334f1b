//! Makes JavaScript of TypeScript by taking the types out: what stays keeps its line and its column.
//!
//! A type says nothing at run time, so each is overwritten with spaces, and no map from made to written places is
//! needed: a stack names what the user wrote. The rejected alternative is to print a tree anew, which moves everything.
//! Syntax for which code would have to be made (enums, namespaces with values, parameter properties) is refused with a
//! sentence that says what to write instead, as Node.js does. An import is kept unless it says `type`: whether it names
//! a type cannot be told from one file.
//!
//! The text is a guest's. A parser that calls itself for each bracket would end the process when its stack is used up;
//! [`nesting`] refuses before that what is nested absurdly.

mod eraser;
mod grouping;
mod imports;
mod nesting;
mod signature;
#[cfg(test)]
mod tests;
mod whole;

use std::borrow::Cow;

use oxc_allocator::Allocator;
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_span::SourceType;

use self::eraser::Eraser;
pub(crate) use self::imports::{awaiting_imports, mentions_import, no_module};
pub(crate) use self::signature::{Parameters, parameters};
pub(crate) use self::whole::{Whole, is_whole};
use crate::isolation::protocol::Goal;

/// Whether a file is TypeScript, by its name.
pub(crate) fn is_typescript(path: &str) -> bool {
    [".ts", ".mts", ".cts"].iter().any(|ending| path.ends_with(ending))
}

/// Why a text is no TypeScript that can be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyntaxProblem {
    /// What is wrong, as the message of a `SyntaxError`.
    pub(crate) message: String,
    /// From 1.
    pub(crate) line: u32,
    /// From 1, in bytes of UTF-8: as the engine counts.
    pub(crate) column: u32,
    /// Whether it is TypeScript for which code would have to be made.
    pub(crate) unsupported: bool,
}

/// Node's code for TypeScript for which code would have to be made.
pub(crate) const UNSUPPORTED: &str = "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX";

/// Takes the types out of a file, or of a snippet.
///
/// The result has as many bytes as the text, and its line ends in the same places; without types it is the text itself.
/// It does not check types, nor all of JavaScript's own rules: the engine has its say afterwards.
///
/// # Errors
/// For what is no TypeScript, what would need code to be made, and what is nested too deeply to be read.
pub(crate) fn strip(source: &str, goal: Goal) -> Result<Cow<'_, str>, SyntaxProblem> {
    strip_between(source, goal, "", "")
}

/// Checks that a text can be read as declarations, which nobody runs.
///
/// # Errors
/// It is no TypeScript, or nested too deeply to be read.
pub(crate) fn check_declarations(source: &str) -> Result<(), SyntaxProblem> {
    let problem = |at, message| SyntaxProblem { message, unsupported: false, ..place(source, at) };
    nesting::check(source).map_err(|at| problem(at, "TypeScript that is nested too deeply to be read".to_owned()))?;
    let allocator = Allocator::default();
    match parsed(&allocator, source, SourceType::d_ts()) {
        Ok(_) => Ok(()),
        Err((at, message)) => Err(problem(at, message)),
    }
}

/// Takes the types out of a script that comes to a value, which may be an object literal with nothing around it.
///
/// # Errors
/// As [`strip`].
pub(crate) fn strip_script(source: &str) -> Result<Cow<'_, str>, SyntaxProblem> {
    // Whether it is one is decided, for texts with and without types alike, by the engine's side (`engine::repl`); here
    // it only has to be readable as one.
    if source.trim_start().starts_with('{')
        && let Ok(stripped) = strip_between(source, Goal::Script, "(", "\n)")
    {
        return Ok(stripped);
    }
    strip(source, Goal::Script)
}

/// Takes the types out of a text that is read as if these stood before and behind it.
fn strip_between<'s>(source: &'s str, goal: Goal, before: &str, behind: &str) -> Result<Cow<'s, str>, SyntaxProblem> {
    let whole = if before.is_empty() { Cow::Borrowed(source) } else { Cow::Owned(format!("{before}{source}{behind}")) };
    let problem = |at: usize, message: String, unsupported| SyntaxProblem {
        message,
        unsupported,
        ..place(source, at.saturating_sub(before.len()))
    };
    // The text as the parser gets it: a bracket before it may pair with one that closes too much.
    nesting::check(&whole)
        .map_err(|at| problem(at, "TypeScript that is nested too deeply to be read".to_owned(), false))?;
    let allocator = Allocator::default();
    let parsed = parse(&allocator, &whole, goal).map_err(|(at, message)| problem(at, message, false))?;
    let mut eraser = Eraser::new(&whole, goal);
    eraser.erase(&parsed.program);
    let made = eraser.finish().map_err(|(at, message)| problem(at, message, true))?;
    Ok(match made {
        None => Cow::Borrowed(source),
        Some(made) => Cow::Owned(made[before.len()..before.len() + source.len()].to_owned()),
    })
}

/// Parses a text, or tells where and why it cannot be.
fn parse<'a>(allocator: &'a Allocator, source: &'a str, goal: Goal) -> Result<ParserReturn<'a>, (usize, String)> {
    let script = match goal {
        Goal::Module | Goal::Import => return parsed(allocator, source, SourceType::ts().with_module(true)),
        Goal::Script => parsed(allocator, source, SourceType::ts().with_script(true)),
    };
    // Scripts may await at top level here, which only modules may for the parser. What else modules may, the engine
    // refuses.
    match script {
        Err(problem) if source.contains("await") => parsed(allocator, source, SourceType::ts().with_module(true))
            .map_err(|in_module| if problem.1.contains("await") { in_module } else { problem }),
        other => other,
    }
}

fn parsed<'a>(
    allocator: &'a Allocator,
    source: &'a str,
    kind: SourceType,
) -> Result<ParserReturn<'a>, (usize, String)> {
    let options = ParseOptions { allow_return_outside_function: false, ..ParseOptions::default() };
    let parsed = Parser::new(allocator, source, kind).with_options(options).parse();
    match parsed.diagnostics.iter().next() {
        None if !parsed.panicked => Ok(parsed),
        problem => {
            let at = problem.and_then(|problem| problem.labels.first()).map_or(0, |label| label.offset());
            let message =
                problem.map_or_else(|| "this cannot be read".to_owned(), |problem| problem.message.to_string());
            Err((at as usize, message))
        }
    }
}

/// The line and the column of a place in a text.
fn place(source: &str, at: usize) -> SyntaxProblem {
    let before = &source[..source.floor_char_boundary(at)];
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    SyntaxProblem {
        message: String::new(),
        line: number(before.bytes().filter(|byte| *byte == b'\n').count() + 1),
        column: number(before.len() - start + 1),
        unsupported: false,
    }
}
