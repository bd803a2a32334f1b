//! The line editor: reads inputs of one or more lines, with completion, colours and history.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

use rustyline::completion::{Completer, Pair};
use rustyline::config::Configurer as _;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::MemHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{ColorMode, CompletionType, Config, Context, Helper};

use super::history::{History, MOST_ENTRIES};
use super::{Place, dot, highlight};
use crate::error::{Error, Result};
use crate::output::{DIM, Output};

const PROMPT: &str = "> ";

/// What came of a prompt.
pub(super) enum Typed {
    Input(String),
    /// Nothing to run.
    Nothing,
    Leave,
}

pub(super) struct Editor {
    editor: rustyline::Editor<Help, MemHistory>,
    history: History,
    /// Whether Ctrl+C was pressed at an empty prompt, and nothing typed since.
    may_leave: bool,
    /// Whether it was said that the history cannot be kept.
    is_warned: bool,
}

impl Editor {
    /// Opens the terminal.
    pub(super) fn open(place: Rc<dyn Place>, out: &mut Output) -> Result<Self> {
        let color = out.has_color();
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .color_mode(if color { ColorMode::Enabled } else { ColorMode::Disabled })
            .auto_add_history(false)
            .build();
        let mut editor = rustyline::Editor::with_history(config, MemHistory::new()).map_err(|error| failed(&error))?;
        editor.set_max_history_size(MOST_ENTRIES).map_err(|error| failed(&error))?;
        editor.set_helper(Some(Help { place, color, is_typed: Cell::new(false), is_text: Cell::new(false) }));
        let history = History::of_user();
        let mut opened = Self { editor, history, may_leave: false, is_warned: false };
        match opened.history.load() {
            Ok(entries) => {
                for entry in entries {
                    opened.editor.add_history_entry(entry).map_err(|error| failed(&error))?;
                }
            }
            Err(error) => opened.warn(&error, out),
        }
        Ok(opened)
    }

    /// Reads an input.
    pub(super) fn read(&mut self, out: &mut Output) -> Result<Typed> {
        match self.line(PROMPT, false) {
            Ok(input) if input.trim().is_empty() => Ok(Typed::Nothing),
            Ok(input) => {
                self.may_leave = false;
                self.note(&input, out);
                Ok(Typed::Input(input))
            }
            Err(ReadlineError::Eof) => Ok(Typed::Leave),
            Err(ReadlineError::Interrupted) => {
                let is_typed = self.editor.helper().is_some_and(|help| help.is_typed.get());
                if self.may_leave && !is_typed {
                    return Ok(Typed::Leave);
                }
                self.may_leave = !is_typed;
                if self.may_leave {
                    out.dim_line("Ctrl+C again leaves, as do Ctrl+D and .exit");
                }
                Ok(Typed::Nothing)
            }
            // The terminal has another size, for example.
            Err(ReadlineError::Signal(_)) => Ok(Typed::Nothing),
            Err(error) => Err(failed(&error)),
        }
    }

    /// Reads lines up to the end that Ctrl+D makes; none when they are thrown away.
    pub(super) fn read_text(&mut self) -> Result<Option<String>> {
        let mut lines = Vec::new();
        loop {
            match self.line("", true) {
                Ok(line) => lines.push(line),
                Err(ReadlineError::Eof) => break,
                Err(ReadlineError::Interrupted) => return Ok(None),
                Err(ReadlineError::Signal(_)) => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        Ok(Some(lines.join("\n")).filter(|text| !text.trim().is_empty()))
    }

    fn line(&mut self, prompt: &str, is_text: bool) -> rustyline::Result<String> {
        if let Some(help) = self.editor.helper() {
            help.is_typed.set(false);
            help.is_text.set(is_text);
        }
        self.editor.readline(prompt)
    }

    /// Remembers an input, unless it begins with a space.
    pub(super) fn note(&mut self, input: &str, out: &mut Output) {
        if input.starts_with(' ') {
            return;
        }
        // Whether it is another one than the last.
        let is_new = self.editor.add_history_entry(input).unwrap_or(false);
        if is_new && let Err(error) = self.history.add(input) {
            self.warn(&error, out);
        }
    }

    /// Clears the screen.
    pub(super) fn clear(&mut self) -> Result<()> {
        self.editor.clear_screen().map_err(|error| failed(&error))
    }

    fn warn(&mut self, error: &std::io::Error, out: &mut Output) {
        if !std::mem::replace(&mut self.is_warned, true) {
            out.aside().info(&format!("what is typed is not kept for later prompts: {error}"));
        }
    }
}

fn failed(error: &ReadlineError) -> Error {
    Error::failed("IO_ERROR", format!("cannot read from the terminal: {error}"))
}

/// What helps whoever types.
struct Help {
    place: Rc<dyn Place>,
    color: bool,
    /// Whether anything stands at the prompt.
    is_typed: Cell<bool>,
    /// Whether a line is one of several, and neither a command nor an input.
    is_text: Cell<bool>,
}

impl Helper for Help {}

impl Hinter for Help {
    type Hint = String;
}

impl Completer for Help {
    type Candidate = Pair;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        if dot::is_command(line) && !self.is_text.get() {
            let names = dot::NAMES.iter().filter(|name| name.starts_with(&line[..at]));
            let pair = |name: &&str| Pair { display: (*name).to_owned(), replacement: (*name).to_owned() };
            return Ok((0, names.map(pair).collect()));
        }
        let cursor = u32::try_from(line[..at].encode_utf16().count()).unwrap_or(u32::MAX);
        // Where nothing can be asked, nothing is completed.
        let Ok((from, labels)) = self.place.complete(line, cursor) else { return Ok((at, Vec::new())) };
        Ok(pairs(line, byte_of(line, from).min(at), labels))
    }
}

/// What can be put into a line, and where.
fn pairs(line: &str, from: usize, labels: Vec<String>) -> (usize, Vec<Pair>) {
    // A name in brackets takes the place of the dot before it, too: then all others bring it along.
    let has_dot = line[..from].ends_with('.') && !line[..from].ends_with("?.");
    let takes_dot = has_dot && labels.iter().any(|label| label.starts_with('['));
    let start = if takes_dot { from - 1 } else { from };
    let pair = |label: String| {
        let dot = if takes_dot && !label.starts_with('[') { "." } else { "" };
        Pair { replacement: format!("{dot}{label}"), display: label }
    };
    (start, labels.into_iter().map(pair).collect())
}

/// Where the character begins that stands behind so many UTF-16 units.
fn byte_of(text: &str, units: u32) -> usize {
    let mut left = units as usize;
    for (at, char) in text.char_indices() {
        if left == 0 {
            return at;
        }
        left = left.saturating_sub(char.len_utf16());
    }
    text.len()
}

impl Highlighter for Help {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        self.is_typed.set(!line.is_empty());
        if self.color && !dot::is_command(line) { Cow::Owned(highlight::paint(line)) } else { Cow::Borrowed(line) }
    }

    fn highlight_prompt<'b, 's: 'b, 'p: 'b>(&'s self, prompt: &'p str, _: bool) -> Cow<'b, str> {
        if self.color { Cow::Owned(format!("{DIM}{prompt}{DIM:#}")) } else { Cow::Borrowed(prompt) }
    }

    fn highlight_char(&self, line: &str, _: usize, _: CmdKind) -> bool {
        self.is_typed.set(!line.is_empty());
        self.color
    }
}

impl Validator for Help {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let input = context.input();
        if self.is_text.get() || input.trim().is_empty() || dot::is_command(input) {
            return Ok(ValidationResult::Valid(None));
        }
        // What cannot be asked is answered by running it.
        let is_whole = self.place.is_whole(input).unwrap_or(true);
        Ok(if is_whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn completed(line: &str, from: usize, labels: &[&str]) -> Vec<String> {
        let (start, pairs) = pairs(line, from, labels.iter().map(|&label| label.to_owned()).collect());
        pairs.into_iter().map(|pair| format!("{}{}", &line[..start], pair.replacement)).collect()
    }

    #[test]
    fn names_in_brackets_take_the_place_of_the_dot() {
        assert_eq!(completed("x.fo", 2, &["foo"]), ["x.foo"]);
        assert_eq!(completed("x.", 2, &["[\"a b\"]", "c"]), ["x[\"a b\"]", "x.c"]);
        assert_eq!(completed("x?.", 3, &["[\"a b\"]", "c"]), ["x?.[\"a b\"]", "x?.c"]);
    }

    #[test]
    fn places_are_counted_in_bytes_here() {
        for (units, byte) in [(0, 0), (1, 1), (2, 3), (4, 7), (5, 8), (9, 8)] {
            assert_eq!(byte_of("aé𝄞b", units), byte);
        }
    }
}
