//! The web platform's built-ins: what the files of `tests/web` say, and what no table can say.
//!
//! A file's cases share a realm. A line `in:` begins one: an expression, or the statements of a function, whose value is
//! shown as JSON and compared with the line `is:`; a string is shown as it is. `throws:` has the name and the code of
//! what is thrown, `-` where there is no code. All of it was compared with Node 20; where that one differs from the
//! standards, a line `node:` says what it does, and is not looked at here.

use super::*;

const FILES: &[(&str, &str)] = &[
    ("blob", include_str!("../../../../tests/web/blob.txt")),
    ("clone", include_str!("../../../../tests/web/clone.txt")),
    ("crypto", include_str!("../../../../tests/web/crypto.txt")),
    ("encoding", include_str!("../../../../tests/web/encoding.txt")),
    ("events", include_str!("../../../../tests/web/events.txt")),
    ("performance", include_str!("../../../../tests/web/performance.txt")),
    ("url", include_str!("../../../../tests/web/url.txt")),
];

pub(super) const SHOW: &str = include_str!("show.js");

pub(super) fn cases(text: &'static str) -> Vec<(&'static str, String)> {
    let mut cases = Vec::new();
    let mut input = None;
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        if let Some(code) = line.strip_prefix("in: ") {
            assert_eq!(input.replace(code), None, "nothing is said about the case before {line:?}");
        } else if let Some(expected) = line.strip_prefix("is:") {
            let expected = expected.strip_prefix(' ').unwrap_or(expected).to_owned();
            cases.push((input.take().expect("an input goes before"), expected));
        } else if let Some(thrown) = line.strip_prefix("throws: ") {
            cases.push((input.take().expect("an input goes before"), format!("throws {thrown}")));
        } else {
            assert!(line.starts_with("node:"), "what is {line:?}?");
        }
    }
    cases
}

/// The code of a case as the body of a function.
pub(super) fn body(code: &str) -> String {
    let statements = ["const ", "let ", "class ", "try ", "'use strict'", "structuredClone(1, { transfer: [b"];
    let many = statements.iter().any(|word| code.starts_with(word)) || code.contains("; return ");
    if many { code.to_owned() } else { format!("return ({code})") }
}

#[test]
fn the_tables_of_the_web_platform_hold() {
    on_both(|bench| {
        let mut problems = Vec::new();
        bench.limits.cpu = Duration::from_secs(60);
        bench.limits.wall = Duration::from_secs(60);
        for (file, text) in FILES {
            let cases = cases(text);
            assert!(cases.len() >= 20, "only {} cases in {file}", cases.len());
            bench.run(SHOW);
            for (code, expected) in cases {
                match bench.run(&format!("await __show(async () => {{ {} }})", body(code))) {
                    End::Value(value) if value.preview == expected => {}
                    End::Value(value) => {
                        problems.push(format!("{file}: {code}\n  is   {}\n  want {expected}", value.preview))
                    }
                    other => problems.push(format!("{file}: {code}\n  ended with {other:?}")),
                }
            }
        }
        assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
    });
}
