//! Lays JSON text out anew without reading it into values.
//!
//! The daemon's documents are shown as they came: the order of keys, every digit of a number, any depth. Going through
//! `serde_json::Value` would keep the first only: it rounds long numbers, and refuses more than 128 levels.

/// Returns the document on one line, without spaces between its tokens.
pub(crate) fn compact(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for token in tokens(text) {
        line.push_str(token);
    }
    line
}

/// Returns the same without members of these names at the top: those that a person could not read on one line.
pub(crate) fn compact_without(text: &str, names: &[&str]) -> String {
    let mut line = String::with_capacity(text.len().min(4096));
    let (mut depth, mut skips) = (0_usize, false);
    let mut before = "";
    for token in tokens(text) {
        if matches!(token, "}" | "]") {
            depth = depth.saturating_sub(1);
        }
        let ends_member = (depth == 1 && token == ",") || (depth == 0 && token == "}");
        if ends_member && std::mem::take(&mut skips) && line.ends_with(',') {
            // The comma before what was left out stands for this one.
            line.pop();
        }
        let name = token.strip_prefix('"').and_then(|token| token.strip_suffix('"'));
        let is_left_out = depth == 1 && matches!(before, "{" | ",") && name.is_some_and(|name| names.contains(&name));
        skips |= is_left_out;
        // Behind a first member that is left out, there is nothing for a comma to stand behind.
        let is_first_comma = token == "," && depth == 1 && line == "{";
        if !skips && !is_first_comma {
            line.push_str(token);
        }
        if matches!(token, "{" | "[") {
            depth += 1;
        }
        before = token;
    }
    line
}

/// Returns the document with one member a line, indented by two spaces a level.
pub(crate) fn pretty(text: &str) -> String {
    let mut page = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut tokens = tokens(text).peekable();
    while let Some(token) = tokens.next() {
        match token {
            "{" | "[" => {
                page.push_str(token);
                if let Some(close) = tokens.next_if(|next| matches!(*next, "}" | "]")) {
                    page.push_str(close);
                    continue;
                }
                depth += 1;
                new_line(&mut page, depth);
            }
            "}" | "]" => {
                depth = depth.saturating_sub(1);
                new_line(&mut page, depth);
                page.push_str(token);
            }
            "," => {
                page.push(',');
                new_line(&mut page, depth);
            }
            ":" => page.push_str(": "),
            _ => page.push_str(token),
        }
    }
    page
}

fn new_line(page: &mut String, depth: usize) {
    page.push('\n');
    // A document may be as deep as it is long; its indentation must not grow with the square of that.
    page.extend(std::iter::repeat_n("  ", depth.min(64)));
}

/// Splits a document into brackets, commas, colons, strings and words, leaving the spaces between them out.
///
/// The text is known to be JSON: its parser has seen it. Of other text this makes no sense, but no panic either.
fn tokens(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let first = rest.chars().next()?;
        let length = match first {
            '{' | '}' | '[' | ']' | ',' | ':' => 1,
            '"' => string_length(rest),
            _ => rest.find(['{', '}', '[', ']', ',', ':', '"', ' ', '\t', '\n', '\r']).unwrap_or(rest.len()),
        };
        let (token, later) = rest.split_at(length);
        rest = later;
        Some(token)
    })
}

/// Returns the bytes of the string that the text begins with, its quotes included.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_left_out_at_the_top_only() {
        for (text, expected) in [
            ("{\"a\": 1, \"tree\": {\"x\": [1, {}]}, \"b\": 2.50}", r#"{"a":1,"b":2.50}"#),
            ("{\"tree\": [1, 2], \"a\": {\"tree\": 1}}", r#"{"a":{"tree":1}}"#),
            ("{\"a\": \"tree\", \"tree\": 1}", r#"{"a":"tree"}"#),
            ("{\"tree\": 1, \"args\": []}", "{}"),
            ("{\"tree\": {}}", "{}"),
            ("{}", "{}"),
            ("[{\"tree\": 1}, 2]", r#"[{"tree":1},2]"#),
            ("null", "null"),
        ] {
            assert_eq!(compact_without(text, &["tree", "args"]), expected, "{text}");
        }
    }

    const SAMPLE: &str =
        "{ \"b\" : [1, 2.50, {}, [ ]],\n\t\"a\": \"x: \\\"{,}\\\" \\\\\", \"ü\":12345678901234567890.10 }";

    #[test]
    fn compact_keeps_order_digits_and_strings() {
        assert_eq!(compact(SAMPLE), r#"{"b":[1,2.50,{},[]],"a":"x: \"{,}\" \\","ü":12345678901234567890.10}"#);
        assert_eq!(compact(" null "), "null");
        assert_eq!(compact("\"a b\""), "\"a b\"");
    }

    #[test]
    fn pretty_is_what_serde_json_would_print() {
        for text in [SAMPLE, "[]", "{}", "1", "[[],[[{}]]]", r#"{"a":{"b":[1,{"c":null}]}}"#] {
            let again = compact(&pretty(text));
            assert_eq!(again, compact(text));
        }
        let text = r#"{"a":[1,{"b":[]},"x"],"c":{}}"#;
        let value: serde_json::Value = serde_json::from_str(text).expect("the sample is JSON");
        assert_eq!(pretty(text), serde_json::to_string_pretty(&value).expect("a value can be written"));
    }

    #[test]
    fn text_that_is_no_json_does_no_harm() {
        for text in ["", "\"", "\"\\", "}}]", "ü\u{0}", "[1 2"] {
            compact(text);
            pretty(text);
        }
    }
}
