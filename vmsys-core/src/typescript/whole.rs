//! Whether a snippet is whole, or more lines could make it so.

use oxc_allocator::Allocator;
use oxc_parser::Parser;
use oxc_span::SourceType;

use super::{SyntaxProblem, nesting, place};

/// What a parser says of a snippet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Whole {
    /// It can be read; or it is nested too deeply to be parsed here, and the engine has its say.
    Yes,
    /// Something is open in it: more lines could make it valid.
    Not,
    /// It cannot be read, whatever follows.
    Wrong(SyntaxProblem),
}

/// Looks at a snippet as a session would read it: a script that may await and import at top level, or an object literal.
pub(crate) fn is_whole(source: &str, typescript: bool) -> Whole {
    let base = if typescript { SourceType::ts() } else { SourceType::mjs() };
    let script = attempt(source, "", "", base.with_script(true));
    if script == Whole::Yes {
        return script;
    }
    let mut others = Vec::new();
    if ["await", "import", "export"].iter().any(|word| source.contains(word)) {
        others.push(attempt(source, "", "", base.with_module(true)));
    }
    if source.trim_start().starts_with('{') {
        others.push(attempt(source, "(", "\n)", base.with_script(true)));
    }
    if others.contains(&Whole::Yes) {
        return Whole::Yes;
    }
    if script == Whole::Not || others.contains(&Whole::Not) {
        return Whole::Not;
    }
    // The reading that comes furthest is the one that was meant.
    others.insert(0, script);
    let problems = others.into_iter().filter_map(|whole| match whole {
        Whole::Wrong(problem) => Some(problem),
        Whole::Yes | Whole::Not => None,
    });
    let furthest = problems.reduce(|a, b| if (b.line, b.column) > (a.line, a.column) { b } else { a });
    furthest.map_or(Whole::Yes, Whole::Wrong)
}

/// Reads a snippet with these before and behind it.
fn attempt(source: &str, before: &str, behind: &str, kind: SourceType) -> Whole {
    let text = format!("{before}{source}{behind}");
    if nesting::check(&text).is_err() {
        return Whole::Yes;
    }
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, &text, kind).parse();
    let Some(problem) = parsed.diagnostics.iter().next() else {
        return if parsed.panicked {
            Whole::Wrong(SyntaxProblem { message: "this cannot be read".to_owned(), ..place(source, 0) })
        } else {
            Whole::Yes
        };
    };
    let end = before.len() + source.trim_end().len();
    let at = problem.labels.iter().map(|label| label.offset() as usize).max().unwrap_or(0);
    let message = problem.message.to_string();
    // A string goes on behind a line that ends with a backslash, and nowhere else.
    let is_open = match message.as_str() {
        "Unterminated string" if text[at.min(text.len())..].starts_with(['"', '\'']) => is_continued(source),
        "Unterminated string" => true,
        "Unterminated regular expression" => false,
        "Unterminated multiline comment" => true,
        // It is marked from its beginning to where the text stopped.
        "Expected function body" | "Identifier expected after '?.'" => {
            problem.labels.iter().any(|label| (label.offset() + label.len()) as usize >= end)
        }
        _ => at >= end,
    };
    if is_open {
        return Whole::Not;
    }
    let first = problem.labels.first().map_or(0, |label| label.offset() as usize);
    Whole::Wrong(SyntaxProblem { message, ..place(source, first.saturating_sub(before.len())) })
}

fn is_continued(source: &str) -> bool {
    let line = source.strip_suffix('\n').map_or(source, |line| line.strip_suffix('\r').unwrap_or(line));
    (line.len() - line.trim_end_matches('\\').len()) % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_open_is_not_whole() {
        for source in [
            "{",
            "f(",
            "[1,",
            "x = {a: 1",
            "{a: 1",
            "`a",
            "`a ${",
            "`a ${b}",
            "/* a",
            "if (x)",
            "if (x) {",
            "x +",
            "x =",
            "let x =",
            "function f",
            "function f()",
            "function f() {",
            "class A {",
            "a ?",
            "a ? b :",
            "x.",
            "x?.",
            "new",
            "() =>",
            "async () => {",
            "for (;;)",
            "do x(); while",
            "try {} ",
            "switch (x) { case 1:",
            "'a\\",
            "'a\\\n",
            "await f(",
            "import {a} from",
            "import {",
            "x = // more",
            "return_(\n",
            "!",
            "(1, 2",
            "\"a\" +\n",
            "for (const x of",
            "var",
            "throw",
        ] {
            assert_eq!(is_whole(source, false), Whole::Not, "{source}");
            // To TypeScript, that is the signature of an overload.
            let expected = if source == "function f()" { Whole::Yes } else { Whole::Not };
            assert_eq!(is_whole(source, true), expected, "TypeScript: {source}");
        }
    }

    #[test]
    fn what_can_be_run_is_whole() {
        for source in [
            "",
            " ",
            "// a",
            "/* a */",
            "1 + 1",
            "let x = 20",
            "{a: 1}",
            "{a: 1, b: 2}",
            "{a, b}",
            "{}",
            "{} + []",
            "x\n",
            "f()",
            "`a ${b} c`",
            "await f()",
            "import a from 'b'",
            "import('b')",
            "const {a} = await import('b')",
            "for await (const x of y) {}",
            "if (x) y",
            "if (x) y; else z",
            "function f() {}\n",
            "class A {}",
            "a => a",
            "'a\\\nb'",
            "/[/]/",
            "x /* a */",
            "label: for (;;) break label",
            "async function f() { await g() }",
            "with (a) b",
            "delete x",
            "a?.b",
            "let await_ = 1",
            "undefined",
            "'use strict'",
            "<!-- a",
        ] {
            assert_eq!(is_whole(source, false), Whole::Yes, "{source}");
        }
        for source in ["let x: number = 1", "type A = {a: string}", "x as any"] {
            assert_eq!(is_whole(source, true), Whole::Yes, "{source}");
            assert!(matches!(is_whole(source, false), Whole::Wrong(_)), "{source}");
        }
    }

    #[test]
    fn what_nothing_can_mend_is_wrong() {
        for (source, line, column) in [
            (")", 1, 1),
            ("x y", 1, 2),
            ("let x =\n  )", 2, 3),
            ("'a", 1, 1),
            ("'a\nb", 1, 1),
            ("/a", 1, 1),
            ("f(}", 1, 3),
            ("{a: 1, b: }", 1, 11),
            ("await )", 1, 7),
        ] {
            match is_whole(source, false) {
                Whole::Wrong(problem) => {
                    assert_eq!((problem.line, problem.column), (line, column), "{source}: {}", problem.message);
                }
                other => panic!("{source}: {other:?}"),
            }
        }
    }

    #[test]
    fn what_is_nested_absurdly_is_left_to_the_engine() {
        assert_eq!(is_whole(&"[".repeat(100_000), false), Whole::Yes);
    }
}
