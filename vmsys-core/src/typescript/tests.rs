//! What comes of TypeScript, and of texts that are made to hurt.

use super::*;

const CASES: &str = include_str!("../../../tests/typescript/cases.txt");
/// The stack of a realm's thread (`isolation::thread`).
const STACK_BYTES: usize = 256 << 20;

fn with_stack<T: Send + 'static>(bytes: usize, run: impl FnOnce() -> T + Send + 'static) -> T {
    std::thread::Builder::new().stack_size(bytes).spawn(run).unwrap().join().unwrap()
}

/// What must hold of every text: what is kept stays where it was.
fn assert_in_place(source: &str, made: &str) {
    assert_eq!(source.len(), made.len(), "{source:?} became {made:?}");
    for (at, char) in made.char_indices() {
        let kept = source[..].get(at..).and_then(|rest| rest.chars().next()) == Some(char);
        assert!(kept || " ;()const".contains(char), "{char:?} at {at} is new in {made:?}, of {source:?}");
    }
    let is_line_end = |char: &char| ['\n', '\r', '\u{2028}', '\u{2029}'].contains(char);
    let ends = |text: &str| text.char_indices().filter(|(_, char)| is_line_end(char)).collect::<Vec<_>>();
    assert_eq!(ends(source), ends(made));
}

#[test]
fn every_case_holds() {
    let mut goal = Goal::Script;
    let mut source = String::new();
    let mut count = 0;
    for line in CASES.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match line.split_once(": ") {
            None if line == "module" => goal = Goal::Module,
            None if line == "script" => goal = Goal::Script,
            Some(("ts", text)) => source = text.trim_end_matches('⏹').replace('⏎', "\n"),
            Some(("js", text)) => {
                count += 1;
                let made = strip(&source, goal).unwrap_or_else(|problem| panic!("{source:?}: {problem:?}"));
                assert_eq!(made, text.trim_end_matches('⏹').replace('⏎', "\n"), "{source:?}");
                assert_in_place(&source, &made);
            }
            Some(("error", text)) => {
                count += 1;
                let problem = strip(&source, goal).expect_err(&source);
                let said = format!("{}:{} {}", problem.line, problem.column, problem.message);
                assert_eq!(said, text, "{source:?}");
                let unsupported = said.contains("not supported") || said.contains("type assertion");
                assert_eq!(problem.unsupported, unsupported, "{source:?}");
            }
            _ => panic!("what is {line:?}?"),
        }
    }
    assert!(count > 120, "only {count} cases");
}

#[test]
fn javascript_stays_as_it_is() {
    let texts = [
        "",
        " // nothing\n",
        "#!/usr/bin/env vm-system\nlet a = 1",
        "\u{feff}let a = 1",
        "with (a) { b = 010 }",
        "a = b\n++c",
        "let type = 1, as = type < 2, of = as > 3; async = of; await = 4",
        "x = /[/]'\"`/.test(y) / 2; `${`${1}`}`",
        "for await (const a of b) await a",
        "label: { break label }",
        "class A { static { this.x = 1 } #p; get; set; static; async; static async *[Symbol.iterator]() {} }",
        "a <!-- b\n--> c\nd",
    ];
    for text in texts {
        match strip(text, Goal::Script) {
            Ok(Cow::Borrowed(made)) => assert_eq!(made, text),
            other => panic!("{text:?}: {other:?}"),
        }
    }
}

#[test]
fn a_snippet_may_be_an_object_literal() {
    for (source, made) in [
        ("{ a: 1 as number, b: <any>2 }", "{ a: 1          , b:      2 }"),
        ("{ a: 1 } as T", "{ a: 1 }     "),
        (" {a: 1}.a!", " {a: 1}.a "),
        ("{ let a: number = 1 }", "{ let a         = 1 }"),
        ("{ type A = 1 }", "{ ;          }"),
        ("{ a: 1 } // as T", "{ a: 1 } // as T"),
    ] {
        assert_eq!(strip_script(source).as_deref(), Ok(made));
    }
    let problem = strip_script("{ a: 1 as , }").unwrap_err();
    assert_eq!((problem.line, problem.column), (1, 11));
}

/// A construct that can be nested: what opens it, what is in the middle, what closes it; and what stands around all.
type Nest = (&'static str, &'static str, &'static str);

const NESTS: &[Nest] = &[
    ("(", "1", ")"),
    ("[", "1", "]"),
    ("{", "1", "}"),
    ("({a:", "1", "})"),
    ("a=>", "1", ""),
    ("(a)=>", "1", ""),
    ("()=>{", "1", "}"),
    ("function f(){", "1", "}"),
    ("(function(){", "1", "})"),
    ("class A{m(){", "1", "}}"),
    ("(class{x=", "1", "})"),
    ("class A{static{", "", "}}"),
    ("class extends ", "A", "{}"),
    ("!", "1", ""),
    ("- ", "1", ""),
    ("- -", "1", ""),
    ("++", "a", ""),
    ("typeof ", "1", ""),
    ("await ", "1", ""),
    ("async () => await ", "1", ""),
    ("new ", "a", ""),
    ("new (", "a", ")"),
    ("a?b:", "1", ""),
    ("a?", "1", ":b"),
    ("a?(b)=>", "1", ":c"),
    ("a?(b):c=>", "1", ":d"),
    ("if(a);else ", "1", ""),
    ("if(a){}else ", "1", ""),
    ("if(a)", "1", ""),
    ("while(a)", "1", ""),
    ("for(;;)", "1", ""),
    ("for(a in ", "1", ");"),
    ("do ", "1;", "while(0);"),
    ("with(a)", "1", ""),
    ("a:", "1", ""),
    ("a=", "1", ""),
    ("a**", "1", ""),
    ("a||b&&c|d^e&f==g<h<<i+j*(", "1", ")"),
    ("`${", "1", "}`"),
    ("a`${", "1", "}`"),
    ("a[", "1", "]"),
    ("f(", "1", ")"),
    ("f<T>(", "1", ")"),
    ("a<", "b", ">"),
    ("a<", "b", ">()"),
    ("a<(", "1", ")"),
    ("(a=", "1", ")=>1"),
    ("async(a=", "1", ")=>1"),
    ("<T,>(a=", "1", ")=>1"),
    ("([a=", "1", "]=1)"),
    ("({a:b=", "1", "}={})"),
    ("(({a=", "1", "})=>1)"),
    ("(class{static async*a(b=", "1", "){}})"),
    ("<T>", "1", ""),
    ("@", "a", " class A{}"),
    ("(@a class{@b c=", "1", "})"),
    ("namespace a{", "", "}"),
    ("declare module 'a'{", "", "}"),
    ("try{", "1", "}catch{}"),
    ("switch(a){case 1:", "1", "}"),
    ("import(", "1", ")"),
    ("enum A{B=(()=>{", "1", "})()}"),
    ("let x: keyof ", "T", ""),
    ("let x: ", "T", ""),
    ("...", "a", ""),
];

const TYPE_NESTS: &[Nest] = &[
    ("keyof ", "T", ""),
    ("readonly ", "T[]", ""),
    ("(", "T", ")"),
    ("[", "T", "]"),
    ("[a?:", "T", "]"),
    ("{a:", "T", "}"),
    ("{a(b:", "T", "):T}"),
    ("{a<T extends ", "T", ">():T}"),
    ("{[a:", "T", "]:T}"),
    ("{[K in ", "T", "]:T}"),
    ("A extends B?C:", "T", ""),
    ("A extends B?", "T", ":C"),
    ("infer A extends ", "T", ""),
    ("()=>", "T", ""),
    ("()=>a is ", "T", ""),
    ("()=>asserts a is ", "T", ""),
    ("(a:", "T", ")=>T"),
    ("new(a:", "T", ")=>T"),
    ("abstract new()=>", "T", ""),
    ("<A extends ", "T", ">()=>T"),
    ("A<", "T", ">"),
    ("typeof a<", "T", ">"),
    ("import('a').A<", "T", ">"),
    ("T[", "T", "]"),
    ("`${", "T", "}`"),
    ("!", "T", ""),
];

/// All constructs, nested `times` times.
fn nested(times: usize) -> Vec<String> {
    let text = |before: &str, (open, middle, close): &Nest| {
        format!("{before}{}{middle}{}", open.repeat(times), close.repeat(times))
    };
    let all = NESTS.iter().map(|nest| text("", nest)).chain(TYPE_NESTS.iter().map(|nest| text("type X = ", nest)));
    all.chain([format!("namespace a{} {{}}", ".a".repeat(times))]).collect()
}

#[test]
fn what_nests_is_counted() {
    let uncounted = ["let x: ", "declare module 'a'{"];
    for source in nested(1_500) {
        let depth = nesting::deepest(&source, u32::MAX).unwrap();
        let known = uncounted.iter().any(|start| source.starts_with(start));
        assert!(depth >= 1_400 || known, "{depth} in {}…", &source[..60]);
    }
}

#[test]
fn nothing_that_is_let_through_uses_up_the_stack() {
    // As deep as is let through, each with a sixteenth of the stack that a realm's thread has.
    for times in [200, 330, 495, 990] {
        with_stack(STACK_BYTES / 16, move || {
            for source in nested(times).iter().filter(|source| nesting::check(source).is_ok()) {
                let _ = strip(source, Goal::Script);
            }
        });
    }
}

#[test]
fn absurd_texts_are_refused_or_read() {
    with_stack(STACK_BYTES / 16, || {
        for source in nested(20_000) {
            if let Err(problem) = strip(&source, Goal::Script) {
                assert!(problem.line >= 1 && problem.column >= 1);
            }
        }
        // In parentheses, this is a call.
        for source in [format!("{{}})({}", "(".repeat(100_000)), format!("{{}}){}", "=>".repeat(100_000))] {
            assert!(strip_script(&source).is_err());
        }
        let problem = strip(&"(".repeat(1 << 24), Goal::Script).unwrap_err();
        assert_eq!(problem.message, "TypeScript that is nested too deeply to be read");
        assert_eq!((problem.line, problem.column), (1, nesting::MAX_DEPTH + 2));
    });
}

#[test]
fn what_ends_a_reading_ends_the_parser() {
    with_stack(STACK_BYTES / 16, || {
        let before = [
            ")",
            "]",
            "}",
            "(]",
            "[}",
            "{)",
            "({]",
            "f(a]",
            "'abc\n",
            "\"abc\n",
            "x = /abc\n",
            "x = /[/\n",
            "`${)",
            "`${]",
            "a = (b]",
            "class A { )",
            "class A { m(] ",
            "function f(a]",
            "if (a]",
            "import {a]",
            "type X = {a)",
            "type X = A<(]",
            "let x: [)",
            "<T>(a]",
            "async (]",
            "({a:1]",
            "[...a)",
            "switch (a) { case )",
            "for (;;]",
            "`a${b]",
            "\\x",
            "\\u{",
            "'\\",
            "a[b)",
            "'\u{2028}",
            "'a\r",
        ];
        for before in before {
            for deep in ["(", "[", "{", "a=>", "!"] {
                for goal in [Goal::Script, Goal::Module] {
                    let _ = strip(&format!("{before}{}", deep.repeat(50_000)), goal);
                    let _ = strip(&format!("{before};{}", deep.repeat(50_000)), goal);
                }
                let _ = strip_script(&format!("{{}}{before}{}", deep.repeat(50_000)));
            }
        }
    });
}

#[test]
fn chains_may_be_long() {
    with_stack(8 << 20, || {
        for (open, link) in [
            ("a", "+a"),
            ("a", ".a"),
            ("a", "()"),
            ("a", "||a"),
            ("a", "??a"),
            ("a", "?.a"),
            ("a", "[0]"),
            ("a", "``"),
            ("a", ",a"),
            ("a", " as T"),
            ("let x: T", "|T"),
            ("let x: T", "[]"),
            ("let x: T", ".T"),
            ("let x: T", "['a']"),
            ("", "a;"),
            ("", "a\n"),
            ("", "f(a, b => c ? d : !e);\n"),
            ("", "if (a) b(); else c()\n"),
            ("", "let x: A<B> = -1 as A\n"),
        ] {
            let source = format!("{open}{}", link.repeat(20_000));
            let made = strip(&source, Goal::Script);
            assert!(made.is_ok(), "{open}{link}…: {made:?}");
        }
    });
}

#[test]
fn strings_and_regular_expressions_hide_nothing() {
    let deep = "(".repeat(3_000);
    // Each is put before what is deep: if it were read wrongly, what is deep would be taken for a string.
    for before in [
        "/`/;",
        "a = /`/;",
        "a\n/`/;",
        "if (a) /`/.b;",
        "{}/`/;",
        "x = {} / 2 / '`';",
        "let a: T[]\n/`/;",
        "declare function f()\n/`/;",
        "a++\n/`/;",
        "a!\n/`/;",
        "f<T>\n/`/;",
        "`${'`'}`;",
        "`${`${1}`}`;",
        "`\\``;",
        "'\\'`';",
        "'\\\r\n`';",
        "// `\n",
        "/* ` */",
        "// `\u{2028}",
        "a <!-- `\n",
        "--> `\n",
        "/[/`]/;",
        "/\\/`/;",
        "return /`/;",
        "x.return / 2; '`';",
        "x = a / b / c; '`';",
        "while (a) /`/;",
        "do a; while (a) /`/;",
        "x = a.if(b) / 2; '`/';",
        "\u{a0}!\u{a0}!\u{a0}'`';",
        "\\u{61} / 2; '`';",
        "#!`\n",
    ] {
        let source = format!("{before}{deep}");
        assert!(nesting::check(&source).is_err(), "{before:?} hides what follows");
    }
    // And what only looks deep is not.
    for calm in [
        "'((('+\n",
        "/[((]/.test(a);\n",
        "`(((`;\n",
        "// (((\n",
        "/* ((( */\n",
        "a / (b) / c;\n",
        "{ a: '(' }\n/\\(/.b;\n",
    ] {
        let source = calm.repeat(5_000);
        assert!(nesting::check(&source).is_ok(), "{calm:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_text_is_too_much(source in "[-+!(){}\\[\\]<>=?:;,./'\"`$@# \n\\\\a-fé]{0,60}") {
        if let Ok(made) = strip(&source, Goal::Script) {
            assert_in_place(&source, &made);
        }
    }

    #[test]
    fn no_words_are_too_much(words in proptest::collection::vec(proptest::sample::select(WORDS), 0..30)) {
        for (source, goal) in [(words.join(" "), Goal::Script), (words.join("\n"), Goal::Module)] {
            if let Ok(made) = strip(&source, goal) {
                assert_in_place(&source, &made);
                // What has no types any more stays as it is.
                if let Ok(again) = strip(&made, goal) {
                    assert_eq!(again, made, "of {source:?}");
                }
            }
        }
    }
}

const WORDS: &[&str] = &[
    "a",
    "b",
    "type",
    "interface",
    "class",
    "A",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "=",
    ":",
    "?",
    "!",
    ";",
    ",",
    "as",
    "satisfies",
    "let",
    "const",
    "function",
    "abstract",
    "declare",
    "public",
    "readonly",
    "static",
    "async",
    "=>",
    "import",
    "export",
    "from",
    "'x'",
    "1",
    ".",
    "...",
    "extends",
    "implements",
    "this",
    "new",
    "get",
    "enum",
    "namespace",
    "keyof",
    "await",
    "`${",
    "}`",
    "/",
    "if",
    "else",
    "return",
    "default",
    "|",
    "&",
    "é",
    "// c\n",
    "/* c */",
];
