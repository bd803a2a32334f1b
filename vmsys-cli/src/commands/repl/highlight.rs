//! Colours for what is typed: words of the language, strings, numbers and comments, told apart without a parser.

use anstyle::{AnsiColor, Style};

const KEYWORD: Style = AnsiColor::Magenta.on_default();
const STRING: Style = AnsiColor::Green.on_default();
const NUMBER: Style = AnsiColor::Yellow.on_default();
const COMMENT: Style = Style::new().dimmed();

const KEYWORDS: &[&str] = &[
    "async",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "continue",
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
    "yield",
];

/// Paints a text. Its characters stay what they are.
pub(super) fn paint(text: &str) -> String {
    let mut painted = String::with_capacity(text.len() + 32);
    let mut rest = text;
    let mut after_dot = false;
    while let Some(char) = rest.chars().next() {
        let (length, style) = token(rest, char, after_dot);
        let (token, later) = rest.split_at(length);
        match style {
            Some(style) => painted.push_str(&format!("{style}{token}{style:#}")),
            None => painted.push_str(token),
        }
        after_dot = char == '.';
        rest = later;
    }
    painted
}

/// How long the first token is, and what it looks like.
fn token(text: &str, first: char, after_dot: bool) -> (usize, Option<Style>) {
    let until = |end: &dyn Fn(char) -> bool| text.find(|char| end(char)).unwrap_or(text.len());
    match first {
        '"' | '\'' | '`' => (string(text, first), Some(STRING)),
        '/' if text.starts_with("//") => (until(&|char| char == '\n'), Some(COMMENT)),
        '/' if text.starts_with("/*") => (text.find("*/").map_or(text.len(), |at| at + 2), Some(COMMENT)),
        '0'..='9' => (until(&|char| !char.is_ascii_alphanumeric() && !matches!(char, '_' | '.')), Some(NUMBER)),
        char if is_word(char) => {
            let length = until(&|char| !is_word(char) && !char.is_ascii_digit());
            let is_keyword = !after_dot && KEYWORDS.contains(&&text[..length]);
            (length, is_keyword.then_some(KEYWORD))
        }
        char => (char.len_utf8(), None),
    }
}

fn is_word(char: char) -> bool {
    char.is_alphabetic() || matches!(char, '_' | '$')
}

/// The length of a string, or of what there is of it.
fn string(text: &str, quote: char) -> usize {
    let mut chars = text.char_indices().skip(1);
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => drop(chars.next()),
            '\n' if quote != '`' => return at,
            char if char == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_colour_is_added() {
        for text in [
            "",
            "let a = 'b\\'c' + \"d\" // e",
            "x.let /* a",
            "'open",
            "`a\nb`",
            "1.5e3n",
            "größe /re/g",
            "'a\nb'",
            "\\",
            "'\\",
            "𝄞 + 1",
        ] {
            let painted = paint(text);
            let mut plain = String::new();
            let mut rest = painted.as_str();
            while let Some(start) = rest.find("\u{1b}[") {
                plain.push_str(&rest[..start]);
                rest = &rest[start + rest[start..].find('m').expect("a sequence ends") + 1..];
            }
            plain.push_str(rest);
            assert_eq!(plain, text);
        }
        assert_eq!(paint("let x"), format!("{KEYWORD}let{KEYWORD:#} x"));
        assert_eq!(paint("x.let"), "x.let");
    }
}
