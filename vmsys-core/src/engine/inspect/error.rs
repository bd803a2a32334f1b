//! Errors: their heading, their stack, and what hangs on them.

use rquickjs::Value;

use super::{CUT, Inspector, MAX_CHAIN, is_error, prefix};
use crate::engine::intrinsics::{Builtin, Class, Tools};
use crate::engine::raw::{self, Key, Known};
use crate::engine::text;

/// The parts of an error, read without calling anything of the guest's.
pub(in crate::engine) struct ErrorParts {
    /// The name, as in `TypeError`.
    pub(in crate::engine) name: String,
    /// The name and message.
    pub(in crate::engine) header: String,
    message: String,
    /// The calls, one a line, each indented; or a text that the guest put there, which begins with its own header.
    calls: String,
}

impl ErrorParts {
    /// Reads an error: one of the engine's, or a `DOMException`.
    pub(in crate::engine) fn of<'js>(tools: &Tools<'_, 'js>, value: &Value<'js>, max_string: usize) -> Self {
        let part = |key| error_part(tools, value, key, max_string);
        let (name, message) = if tools.is(value, Class::DomException) {
            let read =
                |getter| tools.call(getter, value, &[]).ok().and_then(|text| plain_text(tools, &text, max_string));
            (read(Builtin::DomName), read(Builtin::DomMessage))
        } else {
            (part(Known::Name), part(Known::Message))
        };
        let name = name.unwrap_or_else(|| "Error".to_owned());
        let message = message.unwrap_or_default();
        let header = match (name.is_empty(), message.is_empty()) {
            (true, _) => message.clone(),
            (false, true) => name.clone(),
            (false, false) => format!("{name}: {message}"),
        };
        // The engine keeps the stack in a slot of the error; an own property goes before it, as it would for a reader.
        let own = raw::own_property(value, &Key::known(&tools.ctx, Known::Stack));
        let stack = match own {
            Ok(Some(property)) => property.into_data(),
            _ => tools.call(Builtin::ErrorStack, value, &[]).ok(),
        };
        let calls = stack.filter(Value::is_string).and_then(|stack| plain_text(tools, &stack, max_string));
        let calls = calls.unwrap_or_default().trim_end_matches('\n').to_owned();
        Self { name, header, message, calls }
    }

    /// Returns the stack as V8 has it: the header, then the calls.
    pub(in crate::engine) fn stack(&self) -> String {
        if self.calls.is_empty() {
            self.header.clone()
        } else if self.has_calls() {
            format!("{}\n{}", self.header, self.calls)
        } else {
            self.calls.clone()
        }
    }

    /// Says whether there are calls in the engine's own form, which has no header.
    pub(in crate::engine) fn has_calls(&self) -> bool {
        self.calls.trim_start().starts_with("at ") && self.calls.starts_with(' ')
    }

    /// Says whether the guest put a text of its own in the place of the stack.
    pub(in crate::engine) fn has_own_text(&self) -> bool {
        !self.calls.is_empty() && !self.has_calls()
    }
}

impl<'js> Inspector<'_, 'js> {
    /// Returns an error's text up to its properties, and settles which of them are shown.
    pub(super) fn error_base(
        &mut self,
        value: &Value<'js>,
        maker: Option<&str>,
        tag: &str,
        keys: &mut Vec<Key<'js>>,
    ) -> String {
        let parts = ErrorParts::of(&self.tools, value, self.options.max_string);
        self.tools.charge(8);
        let stack = parts.stack();
        self.settle_error_keys(value, &stack, keys);
        let stack = improve_stack(stack, &parts.name, maker, tag);
        // Line breaks in the message do not begin the calls.
        let message_end = match stack.find(&parts.message) {
            Some(at) if !parts.message.is_empty() => at + parts.message.len(),
            _ => 0,
        };
        let calls = stack[message_end..].find("\n    at").map(|at| message_end + at);
        let shown = match calls {
            None => format!("[{stack}]"),
            Some(at) => {
                let (header, calls) = stack.split_at(at);
                let frames: Vec<&str> = calls[1..].split('\n').collect();
                format!("{header}\n{}", self.without_frames_of_cause(value, frames).join("\n"))
            }
        };
        shown.replace('\n', &format!("\n{}", " ".repeat(self.indentation)))
    }

    /// Takes away keys that the stack shows already, and adds the cause and the errors, which are not enumerable.
    fn settle_error_keys(&mut self, value: &Value<'js>, stack: &str, keys: &mut Vec<Key<'js>>) {
        if !self.options.show_hidden {
            for name in [Known::Name, Known::Message, Known::Stack] {
                let key = Key::known(&self.tools.ctx, name);
                if !keys.contains(&key) {
                    continue;
                }
                let own = self.own_data(value, &key).filter(Value::is_string);
                let own = own.and_then(|own| plain_text(&self.tools, &own, self.options.max_string));
                if own.is_some_and(|own| stack.contains(own.trim_end_matches('\n'))) {
                    keys.retain(|shown| *shown != key);
                }
            }
        }
        for (name, only_arrays) in [(Known::Cause, false), (Known::Errors, true)] {
            let key = Key::known(&self.tools.ctx, name);
            let own = raw::own_property(value, &key).ok().flatten();
            let is_shown = own.is_some_and(|own| !only_arrays || own.into_data().is_some_and(|own| own.is_array()));
            if is_shown && !keys.contains(&key) {
                keys.push(key);
            }
        }
    }

    /// Replaces the calls that an error has in common with its cause by a line that counts them.
    fn without_frames_of_cause(&mut self, value: &Value<'js>, mut frames: Vec<&str>) -> Vec<String> {
        let cause = self.own_data(value, &Key::known(&self.tools.ctx, Known::Cause));
        let cause = cause
            .filter(|cause| is_error(&self.tools, cause))
            .map(|cause| ErrorParts::of(&self.tools, &cause, self.options.max_string).stack());
        let mut count = None;
        if let Some(cause) = &cause
            && let Some(at) = cause.find("\n    at")
        {
            let theirs: Vec<&str> = cause[at + 1..].split('\n').collect();
            if let Some((offset, len)) = common_frames(&frames, &theirs) {
                frames.drain(offset + 1..offset + len - 1);
                count = Some((offset + 1, len - 2));
            }
        }
        let mut frames: Vec<String> = frames.into_iter().map(str::to_owned).collect();
        if let Some((at, count)) = count {
            frames.insert(at, format!("    ... {count} lines matching cause stack trace ..."));
        }
        frames
    }
}

/// Finds the first run of more than three lines that two stacks have in common: where it begins, and its length.
fn common_frames(ours: &[&str], theirs: &[&str]) -> Option<(usize, usize)> {
    for (offset, line) in ours.iter().enumerate().take(ours.len().saturating_sub(3)) {
        let Some(at) = theirs.iter().position(|other| other == line) else { continue };
        let len = ours[offset..].iter().zip(&theirs[at..]).take_while(|(a, b)| a == b).count();
        if len > 3 {
            return Some((offset, len));
        }
    }
    None
}

/// Puts the class's name into the header, where `name` says less: `MyError: text`, `Foo [Error]: text`.
fn improve_stack(stack: String, name: &str, maker: Option<&str>, tag: &str) -> String {
    let follows = |stack: &str, len: usize| matches!(stack.as_bytes().get(len), None | Some(b':' | b'\n'));
    let is_usual = name.ends_with("Error") && stack.starts_with(name) && follows(&stack, name.len());
    if maker.is_some() && !is_usual {
        return stack;
    }
    let (fallback, len) = match maker {
        Some(_) => ("Error".to_owned(), name.len()),
        None => {
            let start = stack.find([':', '\n']).map_or(&*stack, |at| &stack[..at]);
            let is_name = start.ends_with("Error") || start.starts_with(|c: char| c.is_ascii_uppercase());
            if is_name && !start.is_empty() { (start.to_owned(), start.len()) } else { ("Error".to_owned(), 0) }
        }
    };
    let prefix = prefix(maker, tag, &fallback, "");
    let prefix = prefix.trim_end();
    if name == prefix {
        stack
    } else if !prefix.contains(name) {
        format!("{prefix} [{name}]{}", &stack[len..])
    } else if len == 0 {
        format!("{prefix}: {stack}")
    } else {
        format!("{prefix}{}", &stack[len..])
    }
}

/// Reads a part of an error as a data property along its prototypes. A getter ends the search.
fn error_part<'js>(tools: &Tools<'_, 'js>, value: &Value<'js>, key: Known, max: usize) -> Option<String> {
    let key = Key::known(&tools.ctx, key);
    let mut at = value.clone();
    for _ in 0..MAX_CHAIN {
        if let Some(found) = raw::own_property(&at, &key).ok()? {
            return plain_text(tools, &found.into_data()?, max);
        }
        at = raw::prototype(&at)?;
    }
    None
}

/// Returns the text of a primitive; of an object, whose text the guest would make, none.
fn plain_text<'js>(tools: &Tools<'_, 'js>, value: &Value<'js>, max: usize) -> Option<String> {
    if value.is_string() {
        let (units, len) = tools.units(value, max).ok()?;
        return Some(text::lossy(&units) + if units.len() < len { CUT } else { "" });
    }
    if value.is_null() {
        return Some("null".to_owned());
    }
    if let Some(boolean) = value.as_bool() {
        return Some(boolean.to_string());
    }
    value.as_number().map(text::number)
}
