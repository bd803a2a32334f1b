//! Modules that are Node's own, against Node's own answers.

use super::*;

/// Expressions, each with what Node 20 answers; the files say which module they are about.
const CASES: &[(&str, &str)] = &[
    ("assert", include_str!("../../../../tests/builtins/assert.txt")),
    ("buffer", include_str!("../../../../tests/builtins/buffer.txt")),
    ("deep_equal", include_str!("../../../../tests/builtins/deep_equal.txt")),
    ("events", include_str!("../../../../tests/builtins/events.txt")),
    ("path", include_str!("../../../../tests/builtins/path.txt")),
    ("querystring", include_str!("../../../../tests/builtins/querystring.txt")),
    ("string_decoder", include_str!("../../../../tests/builtins/string_decoder.txt")),
    ("timers", include_str!("../../../../tests/builtins/timers.txt")),
    ("url", include_str!("../../../../tests/builtins/url.txt")),
    ("util", include_str!("../../../../tests/builtins/util.txt")),
];

/// Shows what an expression comes to, or throws; the same function was run in Node.
const SHOW: &str = "globalThis.show = async (snippet) => {
    try {
        const value = await (0, eval)('(' + snippet + '\\n)');
        if (typeof value === 'string') return JSON.stringify(value);
        return require('util').inspect(value, { breakLength: Infinity, depth: 6 });
    } catch (e) {
        if (e === null || typeof e !== 'object') return 'throws ' + String(e);
        return 'throws ' + [e.name, e.code].filter(Boolean).join(' ') + ': ' + JSON.stringify(e.message);
    }
}; 0";

#[test]
fn modules_answer_as_in_node() {
    on_both(|bench| {
        bench.value(SHOW);
        let mut problems = Vec::new();
        for (file, text) in CASES {
            let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
            for pair in lines.chunks(2) {
                let [snippet, expected] = pair else { panic!("{file}: no answer to {pair:?}") };
                let expected = expected.strip_prefix("= ").expect("an answer").replace('↵', "\n");
                let source = format!("console.log(await show({})); 0", serde_json::to_string(snippet).expect("JSON"));
                let end = bench.run(&source);
                let shown = bench.console().join("\n");
                if shown != expected {
                    let end = if matches!(end, End::Value(_)) { String::new() } else { format!(" {end:?}") };
                    problems.push(format!("{file}: {snippet}\n  node {expected}\n  here {shown}{end}"));
                }
            }
        }
        assert!(problems.is_empty(), "{} differ\n{}", problems.len(), problems.join("\n"));
    });
}
