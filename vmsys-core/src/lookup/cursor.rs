//! What stands before a cursor: the value whose names are wanted, and how the name begins.
//!
//! The text is not whole, so no parser reads it. Its tokens are enough: a name that is being typed stands behind a chain of
//! names and dots, and in no string, comment or regular expression. What only code could tell, such as what a call
//! returns, is left alone: nothing is run to complete a name.

use super::{Root, Wanted};
use crate::identifier::{begins_identifier, continues_identifier};

/// As far back as a chain is followed.
const MOST_TOKENS: usize = 256;
/// The words behind which a name is new, and the text of modules.
const NAMING: [&str; 7] = ["let", "const", "var", "function", "class", "import", "as"];
/// The words behind which `/` begins a regular expression, and that are no values to look into.
const OPERATORS: [&str; 14] = [
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "do",
    "else",
    "void",
    "delete",
    "instanceof",
    "new",
    "yield",
    "await",
    "throw",
];

/// A place where a name may go on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// Where the name begins, in bytes.
    pub(crate) from: usize,
    pub(crate) wanted: Wanted,
}

/// Finds what may go on at the end of a text; none where no name is.
pub(crate) fn place(before: &str) -> Option<Place> {
    let mut tokens = Lexer::new(before).read()?;
    let mut from = before.len();
    let mut prefix = String::new();
    match tokens.last() {
        Some(&Token::Word(at, word)) if at + word.len() == before.len() => {
            (from, prefix) = (at, word.to_owned());
            tokens.pop();
        }
        Some(&Token::Number(end)) if end == before.len() => return None,
        _ => {}
    }
    if !matches!(tokens.last(), Some(Token::Mark("." | "?."))) {
        let is_new = matches!(tokens.last(), Some(Token::Word(_, word)) if NAMING.contains(word));
        // A private name has no value to look into from outside.
        let is_private = matches!(tokens.last(), Some(Token::Mark("#")));
        return (!is_new && !is_private).then_some(Place { from, wanted: Wanted::Globals { prefix } });
    }
    tokens.pop();
    let mut path = Vec::new();
    let root = loop {
        match tokens.pop()? {
            Token::Word(_, word) if matches!(tokens.last(), Some(Token::Mark("." | "?."))) => {
                path.push(word.to_owned());
                tokens.pop();
            }
            Token::Word(_, "this" | "globalThis") => break Root::Global,
            Token::Word(_, word) if OPERATORS.contains(&word) => return None,
            Token::Word(_, word) => break Root::Name(word.to_owned()),
            Token::Text(_) => break Root::Text,
            Token::Number(_) => break Root::Number,
            Token::RegExp => break Root::RegExp,
            Token::Mark("]") => {
                path.push(match tokens.pop()? {
                    Token::Text(Some(name)) => name,
                    // Only what is written as it reads: `0x10` is another name than it says.
                    Token::Number(end) => digits_before(before, end)?,
                    _ => return None,
                });
                let Token::Mark("[") = tokens.pop()? else { return None };
                if matches!(tokens.last(), Some(Token::Mark("?."))) {
                    tokens.pop();
                }
                let is_index = match tokens.last()? {
                    Token::Word(_, word) => !OPERATORS.contains(word),
                    Token::Text(_) | Token::Mark("]") => true,
                    _ => false,
                };
                if !is_index {
                    return None;
                }
            }
            Token::Mark(_) => return None,
        }
    };
    path.reverse();
    Some(Place { from, wanted: Wanted::Members { root, path, prefix } })
}

fn digits_before(text: &str, end: usize) -> Option<String> {
    let start = text[..end].rfind(|c: char| !c.is_ascii_alphanumeric() && c != '.').map_or(0, |at| at + 1);
    let digits = &text[start..end];
    (!digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())).then(|| digits.to_owned())
}

#[derive(Debug)]
enum Token<'s> {
    /// A word, and where it begins.
    Word(usize, &'s str),
    /// A string, with what it says where that is written as it reads.
    Text(Option<String>),
    /// A number, and where it ends.
    Number(usize),
    RegExp,
    Mark(&'s str),
}

struct Lexer<'s> {
    text: &'s str,
    at: usize,
    tokens: Vec<Token<'s>>,
    /// Of each open template, how many braces are open in its part that is code.
    templates: Vec<usize>,
}

impl<'s> Lexer<'s> {
    fn new(text: &'s str) -> Self {
        Self { text, at: 0, tokens: Vec::new(), templates: Vec::new() }
    }

    /// Reads the tokens, of which the last ones are kept; none when the text ends where no names are.
    fn read(mut self) -> Option<Vec<Token<'s>>> {
        while let Some(c) = self.peek() {
            let rest = &self.text[self.at..];
            if c.is_whitespace() || c == '\u{feff}' {
                self.at += c.len_utf8();
            } else if rest.starts_with("//") {
                self.at += rest.find(['\n', '\r', '\u{2028}', '\u{2029}'])?;
            } else if let Some(comment) = rest.strip_prefix("/*") {
                self.at += "/*".len() + comment.find("*/")? + "*/".len();
            } else if begins_identifier(c) {
                let end = rest.find(|c| !continues_identifier(c)).unwrap_or(rest.len());
                self.push(Token::Word(self.at, &rest[..end]), end);
            } else if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
                self.number(rest);
            } else if matches!(c, '"' | '\'') {
                self.string(rest, c)?;
            } else if c == '`' {
                self.at += 1;
                self.template()?;
            } else if c == '/' && self.may_begin_regexp() {
                let length = regexp(rest)?;
                self.push(Token::RegExp, length);
            } else if c == '}' && self.templates.last() == Some(&0) {
                self.templates.pop();
                self.at += 1;
                self.template()?;
            } else {
                self.mark(rest, c);
            }
            if self.tokens.len() > 2 * MOST_TOKENS {
                self.tokens.drain(..MOST_TOKENS);
            }
        }
        Some(self.tokens)
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn push(&mut self, token: Token<'s>, length: usize) {
        self.at += length;
        self.tokens.push(token);
    }

    fn mark(&mut self, rest: &'s str, c: char) {
        if let Some(open) = self.templates.last_mut() {
            match c {
                '{' => *open += 1,
                '}' => *open -= 1,
                _ => {}
            }
        }
        let length = if rest.starts_with("...") {
            3
        } else if rest.starts_with("?.") && !rest[2..].starts_with(|c: char| c.is_ascii_digit()) {
            2
        } else {
            c.len_utf8()
        };
        self.push(Token::Mark(&rest[..length]), length);
    }

    fn number(&mut self, rest: &str) {
        let mut end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        // `1.5` and `1.` are numbers; the second dot of `1..x` is not one's.
        let is_plain = rest[..end].bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
        if is_plain && rest[end..].starts_with('.') {
            end += 1;
            end += rest[end..].find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len() - end);
        }
        self.push(Token::Number(self.at + end), end);
    }

    fn string(&mut self, rest: &'s str, quote: char) -> Option<()> {
        let mut chars = rest.char_indices().skip(1);
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => drop(chars.next()),
                // Nothing behind it can be read for sure.
                '\n' | '\r' => return None,
                c if c == quote => {
                    let inside = &rest[1..at];
                    let says = (!inside.contains('\\')).then(|| inside.to_owned());
                    self.push(Token::Text(says), at + 1);
                    return Some(());
                }
                _ => {}
            }
        }
        None
    }

    /// Reads a template's text up to its end, or to where code begins in it.
    fn template(&mut self) -> Option<()> {
        let rest = &self.text[self.at..];
        let mut chars = rest.char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => drop(chars.next()),
                '`' => {
                    self.push(Token::Text(None), at + 1);
                    return Some(());
                }
                '$' if rest[at + 1..].starts_with('{') => {
                    self.templates.push(0);
                    self.push(Token::Mark("${"), at + 2);
                    return Some(());
                }
                _ => {}
            }
        }
        None
    }

    fn may_begin_regexp(&self) -> bool {
        match self.tokens.last() {
            None => true,
            Some(Token::Word(_, word)) => OPERATORS.contains(word),
            Some(Token::Mark(mark)) => !matches!(*mark, ")" | "]" | "}"),
            Some(Token::Text(_) | Token::Number(_) | Token::RegExp) => false,
        }
    }
}

/// The length of a regular expression with its flags; none when it does not end.
fn regexp(text: &str) -> Option<usize> {
    let mut in_class = false;
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '\n' | '\r' => return None,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => {
                let flags = &text[at + 1..];
                return Some(at + 1 + flags.find(|c| !continues_identifier(c)).unwrap_or(flags.len()));
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The root, the path and the prefix as one text; `-` where nothing is completed.
    fn found(before: &str) -> String {
        match place(before) {
            None => "-".to_owned(),
            Some(Place { from, wanted }) => {
                let (start, prefix) = match wanted {
                    Wanted::Globals { prefix } => ("*".to_owned(), prefix),
                    Wanted::Members { root, path, prefix } => {
                        let root = match root {
                            Root::Name(name) => name,
                            other => format!("<{other:?}>"),
                        };
                        ([vec![root], path].concat().join("/"), prefix)
                    }
                };
                assert_eq!(&before[from..], prefix, "{before}");
                format!("{start} {prefix}")
            }
        }
    }

    #[test]
    fn names_stand_behind_chains_of_names() {
        let table = [
            ("", "* "),
            ("fo", "* fo"),
            ("x.fo", "x fo"),
            ("x?.y . z.", "x/y/z "),
            ("x['a b'].c", "x/a b c"),
            ("x[0]?.c", "x/0 c"),
            ("x?.[12].c", "x/12 c"),
            ("x[0x10].c", "-"),
            ("x[y].c", "-"),
            ("f().c", "-"),
            ("(x).c", "-"),
            ("[x].c", "-"),
            ("return [1].c", "-"),
            ("this.a", "<Global> a"),
            ("globalThis.a.b", "<Global>/a b"),
            ("'text'.le", "<Text> le"),
            ("`a${b}c`.le", "<Text> le"),
            ("/a[/]b/g.te", "<RegExp> te"),
            ("a /b/ c.d", "c d"),
            ("1..to", "<Number> to"),
            ("1.", "-"),
            ("12", "-"),
            ("[...x.y", "x y"),
            ("f(x.y, z.w", "z w"),
            ("await x.y", "x y"),
            ("typeof.y", "-"),
            ("a ? .5 : x.y", "x y"),
            ("x\n  .y\n  .z", "x/y z"),
            ("größe.ä", "größe ä"),
            ("this.#a", "-"),
            ("\"a\\\"b\".c", "<Text> c"),
        ];
        for (before, expected) in table {
            assert_eq!(found(before), expected, "{before}");
        }
    }

    #[test]
    fn nothing_is_completed_where_no_name_is() {
        for before in [
            "'a",
            "\"x.fo",
            "`a.b",
            "// x.fo",
            "/* x.fo",
            "x = /a.b",
            "let fo",
            "const f",
            "class A",
            "function f",
            "'a\n'.b",
            "`${'",
            "`${a}b",
            "`${`",
        ] {
            assert_eq!(found(before), "-", "{before}");
        }
    }

    #[test]
    fn code_within_templates_is_code() {
        assert_eq!(found("`a ${x.fo"), "x fo");
        assert_eq!(found("`a ${{b: {}}} ${`${x.y"), "x y");
        assert_eq!(found("`a ${x} b`; y.z"), "y z");
    }

    #[test]
    fn long_texts_take_little() {
        let before = "x.y; ".repeat(100_000) + "x.fo";
        assert_eq!(found(&before), "x fo");
        let chain = "x.".repeat(10_000);
        let _ = place(&chain);
    }
}
