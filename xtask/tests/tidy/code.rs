//! Just enough of Rust's syntax to tell code from what is said about it.

/// The code of a file: without comments, and without what is compiled for tests only. Lines keep their numbers.
pub(crate) struct Code {
    with_strings: String,
    bare: String,
}

impl Code {
    pub(crate) fn of(text: &str) -> Self {
        Self { with_strings: without_tests(&blank(text, false)), bare: without_tests(&blank(text, true)) }
    }

    /// The lines, with their numbers; strings are empty.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.bare.lines())
    }

    /// The lines, with their numbers and with the text of strings.
    pub(crate) fn lines_with_strings(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.with_strings.lines())
    }

    /// Tells whether a name stands in the code.
    pub(crate) fn names(&self, name: &str) -> bool {
        self.places_of(name).next().is_some()
    }

    /// The lines where a name stands in the code.
    pub(crate) fn places_of(&self, name: &str) -> impl Iterator<Item = usize> {
        self.lines().filter(move |(_, line)| has_word(line, name)).map(|(number, _)| number)
    }

    /// Everything of its own crate that it names, as paths from the crate's root: `store::Store`. `module` is the path
    /// of the file's own module.
    pub(crate) fn crate_paths(&self, module: &[&str]) -> Vec<String> {
        let mut paths = Vec::new();
        for (start, _) in self.bare.match_indices("crate::") {
            if !self.bare[..start].ends_with(is_word) {
                expand(String::new(), &self.bare[start + "crate::".len()..], &mut paths);
            }
        }
        for (start, _) in self.bare.match_indices("super::") {
            if !self.bare[..start].ends_with(|char| is_word(char) || char == ':') {
                let (mut up, mut rest) = (0, &self.bare[start..]);
                while let Some(after) = rest.strip_prefix("super::") {
                    (up, rest) = (up + 1, after);
                }
                let parent = &module[..module.len().saturating_sub(up)];
                expand(parent.iter().map(|name| format!("{name}::")).collect(), rest, &mut paths);
            }
        }
        paths
    }
}

/// The module that a file is: `vmsys-core/src/session/live.rs` is `session::live`.
pub(crate) fn module_of(path: &str) -> Vec<&str> {
    let inside = path.split_once("/src/").map_or(path, |(_, inside)| inside).trim_end_matches(".rs");
    inside.split('/').filter(|name| !matches!(*name, "mod" | "lib" | "main")).collect()
}

/// Tells whether a line has a word, by itself.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(start, _)| !line[..start].ends_with(is_word) && !line[start + word.len()..].starts_with(is_word))
}

fn is_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Writes out what a path or a tree of imports names: `a::{b, c::d}` is `a::b` and `a::c::d`.
fn expand(mut prefix: String, tree: &str, paths: &mut Vec<String>) {
    let mut rest = tree;
    loop {
        rest = rest.trim_start();
        if let Some(group) = rest.strip_prefix('{') {
            for branch in branches(group) {
                expand(prefix.clone(), branch, paths);
            }
            return;
        }
        let end = rest.find(|char| !is_word(char)).unwrap_or(rest.len());
        prefix.push_str(&rest[..end]);
        match rest[end..].strip_prefix("::") {
            Some(after) => {
                prefix.push_str("::");
                rest = after;
            }
            None => break,
        }
    }
    paths.push(prefix);
}

/// The parts of a group, up to its closing brace.
fn branches(group: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0, 0);
    for (at, char) in group.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' => {
                parts.push(&group[start..at]);
                break;
            }
            ',' if depth == 0 => {
                parts.push(&group[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.retain(|part| !part.trim().is_empty());
    parts
}

/// Replaces comments, and the text of strings when told, by nothing; line breaks stay.
fn blank(text: &str, strings: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut before = ' ';
    while let Some(char) = rest.chars().next() {
        let (length, keep) = match char {
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), false),
            '/' if rest.starts_with("/*") => (block_comment(rest), false),
            '"' => (string(rest), !strings),
            'r' | 'b' | 'c' if !is_word(before) => match raw_string(rest) {
                Some(length) => (length, !strings),
                None => (1, true),
            },
            '\'' => match char_literal(rest) {
                Some(length) => (length, !strings),
                None => (1, true),
            },
            other => (other.len_utf8(), true),
        };
        let (piece, after) = rest.split_at(length);
        if keep {
            out.push_str(piece);
        } else {
            out.extend(piece.matches('\n'));
        }
        before = char;
        rest = after;
    }
    out
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if text[at..].starts_with("*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    at
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, char) in text.char_indices().skip(1) {
        match char {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string(text: &str) -> Option<usize> {
    let after = text.trim_start_matches(['b', 'c']).strip_prefix('r')?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let body = after[hashes..].strip_prefix('"')?;
    let end = format!("\"{}", "#".repeat(hashes));
    let start = text.len() - body.len();
    Some(body.find(&end).map_or(text.len(), |at| start + at + end.len()))
}

/// The length of a character; `None` for a lifetime.
fn char_literal(text: &str) -> Option<usize> {
    let body = &text[1..];
    if body.starts_with('\\') {
        let end = body.char_indices().skip(2).find(|(_, char)| *char == '\'')?;
        return Some(1 + end.0 + 1);
    }
    let length = body.chars().next()?.len_utf8();
    body[length..].starts_with('\'').then_some(1 + length + 1)
}

/// Empties the items that are compiled for tests only. The formatter puts the end of an item at its own indentation.
fn without_tests(code: &str) -> String {
    let mut out = String::with_capacity(code.len());
    let mut lines = code.lines();
    while let Some(line) = lines.next() {
        let indent = &line[..line.len() - line.trim_start().len()];
        if !line.trim_start().starts_with("#[cfg(test)]") && !line.trim_start().starts_with("#![cfg(test)]") {
            out.push_str(line);
            out.push('\n');
            continue;
        }
        out.push('\n');
        let end = [format!("{indent}}}"), format!("{indent}}};")];
        for item in lines.by_ref() {
            out.push('\n');
            let whole = item.trim_end().ends_with([';', '}', ',']) && !item.trim_start().starts_with('#');
            if end.iter().any(|end| item == end)
                || (whole && item.starts_with(indent) && !item[indent.len()..].starts_with(' '))
            {
                break;
            }
        }
    }
    out
}

#[test]
fn code_is_told_from_what_is_said_about_it() {
    let text = r##"// unsafe
/* unsafe /* nested */ unsafe */ let a = "unsafe \" unsafe";
let b = r#"unsafe " unsafe"#; let c = '"'; let d: &'static str = b"unsafe"; let e = '\''; real();
"##;
    let code = Code::of(text);
    assert!(!code.names("unsafe"), "{}", code.bare);
    assert_eq!(code.places_of("real").collect::<Vec<_>>(), [3]);
    assert!(code.lines_with_strings().any(|(_, line)| line.contains("unsafe")));
}

#[test]
fn tests_are_no_code() {
    let text = "one();\n#[cfg(test)]\nmod tests;\ntwo();\n#[cfg(test)]\n#[expect(x)]\nmod more {\n    three();\n    fn f() {\n    }\n}\nimpl A {\n    #[cfg(test)]\n    fn g() {\n        five();\n    }\n    four();\n}\n";
    let code = Code::of(text);
    let found: Vec<_> = ["one", "two", "three", "four", "five"].into_iter().filter(|name| code.names(name)).collect();
    assert_eq!(found, ["one", "two", "four"]);
    assert_eq!(code.places_of("four").collect::<Vec<_>>(), [17]);
}

#[test]
fn every_form_of_import_is_seen() {
    let text = "use crate::{a, b::{c, d as e}};\nfn f(x: crate::g::H) { super::i::j(); super::super::k() }\npub(crate) fn l() {}";
    let mut paths = Code::of(text).crate_paths(&module_of("vmsys-core/src/session/live.rs"));
    paths.sort_unstable();
    assert_eq!(paths, ["a", "b::c", "b::d", "g::H", "k", "session::i::j"]);
}
