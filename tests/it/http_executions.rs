//! Executions: what code answers, prints, throws and keeps.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::Request;
use crate::support::{
    Daemon, all_cases, api, array, check_execution, check_members, check_summary, console, events_of, holds, pluck,
    refused_field, same, text, wait_for,
};

/// Two texts are the same but for the spaces with which lists and objects may or may not be set.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect()
}

#[test]
fn a_snippet_answers_its_execution() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let execution = daemon.repl(&session, "1 + 1");
    check_members(
        &execution,
        &[
            "id",
            "session_id",
            "kind",
            "input",
            "args",
            "env",
            "status",
            "started_at",
            "ended_at",
            "result",
            "metrics",
            "events",
        ],
    );
    assert_eq!(execution["session_id"], session);
    assert_eq!(execution["kind"], "repl");
    assert_eq!(execution["input"], "1 + 1");
    assert_eq!((&execution["args"], &execution["env"]), (&json!({}), &json!({})));
    assert_eq!(execution["status"], "ok");
    assert_eq!(execution["result"], json!({ "type": "number", "preview": "2", "json": 2 }));
    let payloads: Vec<&Value> = execution["events"].as_array().unwrap().iter().map(|event| &event["payload"]).collect();
    assert_eq!(payloads, [&json!({ "text": "1 + 1" }), &execution["result"]]);
}

#[test]
fn metrics_tell_what_was_used() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let busy =
        daemon.repl(&session, "console.log('12345'); const end = Date.now() + 150; while (Date.now() < end); 'é'");
    let metrics = |name: &str| busy["metrics"][name].as_u64().unwrap();
    assert!(metrics("wall_ms") >= 140, "{busy}");
    assert!(metrics("cpu_ms") >= 20 && metrics("cpu_ms") <= metrics("wall_ms") + 50, "{busy}");
    assert!(metrics("memory_bytes") > 10_000, "{busy}");
    assert_eq!(metrics("event_count"), 3);
    // The console's five bytes, and the two of the preview; its JSON may count as well.
    assert!((7..=11).contains(&metrics("output_bytes")), "{busy}");
    let asleep = daemon.repl(&session, "await new Promise(wake => setTimeout(wake, 200))");
    assert!(asleep["metrics"]["wall_ms"].as_u64().unwrap() >= 190, "{asleep}");
    assert!(asleep["metrics"]["cpu_ms"].as_u64().unwrap() < 150, "sleeping is no work: {asleep}");
}

/// What `json` must be.
enum Json {
    Is(Value),
    Absent,
}

#[test]
fn results_have_a_type_a_preview_and_json() {
    use Json::{Absent, Is};
    let daemon = Daemon::start();
    let session = daemon.session();
    let cases = [
        ("undefined", "undefined", "undefined", Is(Value::Null)),
        ("void 0", "undefined", "undefined", Is(Value::Null)),
        ("", "undefined", "undefined", Is(Value::Null)),
        ("var unused = 1", "undefined", "undefined", Is(Value::Null)),
        ("null", "null", "null", Is(Value::Null)),
        ("true", "boolean", "true", Is(json!(true))),
        ("1 > 2", "boolean", "false", Is(json!(false))),
        ("42", "number", "42", Is(json!(42))),
        ("0.1 + 0.2", "number", "0.30000000000000004", Is(json!(0.1 + 0.2))),
        ("-7", "number", "-7", Is(json!(-7))),
        ("2 ** 53", "number", "9007199254740992", Is(json!(9_007_199_254_740_992_u64))),
        ("NaN", "number", "NaN", Absent),
        ("-1 / 0", "number", "-Infinity", Absent),
        ("'hi'", "string", "hi", Is(json!("hi"))),
        ("''", "string", "", Is(json!(""))),
        ("'\"q\" \\n \\u0000 é 𝄞'", "string", "\"q\" \n \0 é 𝄞", Is(json!("\"q\" \n \0 é 𝄞"))),
        ("10n", "bigint", "10n", Absent),
        ("-(2n ** 70n)", "bigint", "-1180591620717411303424n", Absent),
        ("Symbol('s')", "symbol", "Symbol(s)", Absent),
        ("(function named() {})", "function", "[Function: named]", Absent),
        ("({ a: 1, b: 'x' })", "object", "{ a: 1, b: 'x' }", Is(json!({ "a": 1, "b": "x" }))),
        ("{a: 1}", "object", "{ a: 1 }", Is(json!({ "a": 1 }))),
        ("{}", "object", "{}", Is(json!({}))),
        (
            "({ deep: { er: [1, null, true] } })",
            "object",
            "{ deep: { er: [ 1, null, true ] } }",
            Is(json!({ "deep": { "er": [1, null, true] } })),
        ),
        ("[1, 'a', [2]]", "array", "[ 1, 'a', [ 2 ] ]", Is(json!([1, "a", [2]]))),
        ("[]", "array", "[]", Is(json!([]))),
        ("[NaN]", "array", "[ NaN ]", Absent),
        ("[() => 1].length && [1n]", "array", "[ 1n ]", Absent),
        ("new Date(0)", "date", "1970-01-01T00:00:00.000Z", Is(json!("1970-01-01T00:00:00.000Z"))),
        ("new Date(NaN)", "date", "Invalid Date", Absent),
        ("/a+/gi", "regexp", "/a+/gi", Absent),
        ("new Map([[1, 'x']])", "map", "Map(1) { 1 => 'x' }", Absent),
        ("new Set([1, 2])", "set", "Set(2) { 1, 2 }", Absent),
        ("new Map()", "map", "Map(0) {}", Absent),
    ];
    all_cases(cases, |(code, kind, preview, expected)| {
        let result = daemon.repl(&session, code)["result"].clone();
        same(code, result["type"].as_str(), Some(kind))?;
        let found = result["preview"].as_str().unwrap_or_default();
        let equal = if kind == "string" { found == preview } else { squeezed(found) == squeezed(preview) };
        holds(code, equal, format!("preview {found:?}, expected {preview:?}"))?;
        match expected {
            Is(value) => same(code, result.get("json"), Some(&value)),
            Absent => same(code, result.get("json"), None),
        }
    });
}

#[test]
fn other_results_have_a_type_and_something_to_see() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let cases = [
        ("(() => 1)", "function", "Function"),
        ("(class Thing {})", "function", "Thing"),
        ("(async function later() {})", "function", "later"),
        ("Math.max", "function", "max"),
        ("new Error('oops')", "error", "Error: oops"),
        ("new TypeError('bad')", "error", "TypeError: bad"),
        ("new (class Own extends Error {})('mine')", "error", "mine"),
        ("Promise.resolve(5)", "promise", "Promise"),
        ("new Promise(() => {})", "promise", "Promise"),
        ("new WeakMap()", "weakmap", "WeakMap"),
        ("new WeakSet()", "weakset", "WeakSet"),
        ("new WeakRef({})", "weakref", "WeakRef"),
        ("new Uint8Array([1, 2])", "typedarray", "Uint8Array"),
        ("new ArrayBuffer(8)", "arraybuffer", "ArrayBuffer"),
        ("new DataView(new ArrayBuffer(8))", "dataview", "DataView"),
        ("(function* () {})()", "generator", "Generator"),
        ("(function () { return arguments })(1)", "arguments", "1"),
        ("new (class Point { x = 1 })()", "object", "Point"),
        ("({ f() {} })", "object", "f"),
        ("var ring = { name: 'ring' }; ring.self = ring; ring", "object", "Circular"),
        ("({ [Symbol('key')]: 1 })", "object", "key"),
        ("Object.create(null)", "object", ""),
    ];
    all_cases(cases, |(code, kind, contained)| {
        let result = daemon.repl(&session, code)["result"].clone();
        same(code, result["type"].as_str(), Some(kind))?;
        holds(code, result["preview"].as_str().is_some_and(|preview| preview.contains(contained)), &result)?;
        // An object without a prototype, or with symbols, may pass for a plain one.
        let plain = code.contains("create(null)") || code.contains("Symbol('key')");
        holds(code, plain || result.get("json").is_none(), &result)
    });
}

#[test]
fn previews_are_bounded() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let cases = [
        ("wide", "Array.from({ length: 100000 }, (_, i) => i)"),
        ("wide object", "Object.fromEntries(Array.from({ length: 100000 }, (_, i) => ['key' + i, i]))"),
        ("wide map", "new Map(Array.from({ length: 100000 }, (_, i) => [i, i]))"),
        ("deep", "var d = {}; for (let i = 0, c = d; i < 2000; i++) c = c.next = {}; d"),
        ("many long strings", "new Set(Array.from({ length: 100 }, (_, i) => i + 'x'.repeat(2000)))"),
        ("doubling", "var two = []; for (let i = 0; i < 40; i++) two = [two, two]; two"),
    ];
    all_cases(cases, |(case, code)| {
        let execution = daemon.repl(&session, code);
        same(case, execution["status"].as_str(), Some("ok"))?;
        let length = execution["result"]["preview"].as_str().map_or(0, str::len);
        holds(case, (1..128 * 1024).contains(&length), format!("a preview of {length} bytes"))
    });
}

#[test]
fn lone_surrogates_come_out_as_text() {
    let daemon = Daemon::start();
    let session = daemon.session();
    // JavaScript strings are not Unicode; every answer is.
    for code in
        ["'a\\ud800b'", "({ ['\\udfff']: '\\ud800' })", "console.log('x\\udc00y'); 1", "throw new Error('\\ud83d')"]
    {
        let execution = daemon.repl(&session, code);
        assert_ne!(execution["status"], "timeout", "{execution}");
    }
    assert_eq!(daemon.preview(&session, "'a\\ud800b'.length"), "3");
}

#[test]
fn exceptions_are_told_with_name_message_and_place() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let execution = daemon.repl(&session, "missingName");
    assert_eq!(execution["status"], "error");
    assert_eq!(execution["error"]["message"], "ReferenceError: missingName is not defined");
    assert_eq!(execution["error"]["name"], "ReferenceError");
    assert!(execution["error"].get("code").is_none(), "{execution}");
    assert_eq!(events_of(&execution, "exception").len(), 1);

    let cases = [
        ("null.x", "TypeError: "),
        ("if (", "SyntaxError: "),
        ("throw new RangeError('too far')", "RangeError: too far"),
        ("throw Object.assign(new Error('named'), { name: 'Custom' })", "Custom: named"),
        ("class Own extends TypeError { name = 'Own' }; throw new Own('mine')", "Own: mine"),
        ("await Promise.reject(new RangeError('later'))", "RangeError: later"),
        ("throw new Error('')", "Error"),
        ("throw new Error('two\\nlines')", "Error: two\nlines"),
        ("JSON.parse('{')", "SyntaxError: "),
        ("decodeURIComponent('%')", "URIError: "),
        ("new Array(-1)", "RangeError: "),
        ("10n + 1", "TypeError: "),
    ];
    all_cases(cases, |(code, begins)| {
        let execution = daemon.repl(&session, code);
        same(code, execution["status"].as_str(), Some("error"))?;
        let message = execution["error"]["message"].as_str().unwrap_or_default();
        let wants_more = begins.ends_with(": ");
        holds(code, message.starts_with(begins) && (!wants_more || message.len() > begins.len()), message)
    });
}

#[test]
fn stacks_name_what_the_user_wrote() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon
        .home
        .write("lib/fail.js", "let pad = 1;\n\nfunction boom() {\n    throw new TypeError('bad');\n}\nboom();\n");
    let stack = text(&daemon.run_file(&session, "lib/fail.js")["error"]["stack"]);
    assert!(stack.contains("lib/fail.js:4:"), "{stack}");
    assert!(stack.contains("lib/fail.js:6:"), "{stack}");
    assert!(stack.contains("boom"), "{stack}");
    assert!(!stack.contains(daemon.home.root().to_str().unwrap()), "a host's path leaks: {stack}");

    let cases = [
        ("let a = 1;\nlet b = 2;\n    null.x", ":3:"),
        ("const v = await 1;\n\n\nmissing(v)", ":4:"),
        ("let ok = 1;\nlet broken = = 2", ":2"),
        ("`\n\n`; (() => { throw new Error('in an arrow') })()", ":3:"),
    ];
    all_cases(cases, |(code, line)| {
        let execution = daemon.repl(&session, code);
        let stack = execution["error"]["stack"].as_str().unwrap_or_default();
        holds(code, execution["status"] == "error" && stack.contains(line), format!("no {line} in {execution}"))
    });

    daemon.home.write("define.js", "\n\nvar explode = () => {\n  throw new Error('far')\n}");
    daemon.run_file(&session, "define.js");
    let stack = text(&daemon.repl(&session, "\nexplode()")["error"]["stack"]);
    assert!(stack.contains("define.js:4:") && stack.contains(":2:"), "{stack}");
}

#[test]
fn anything_can_be_thrown() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let cases = [
        ("throw 5", "5"),
        ("throw 'text'", "text"),
        ("throw null", "null"),
        ("throw undefined", "undefined"),
        ("throw true", "true"),
        ("throw 10n", "10"),
        ("throw Symbol('sym')", "sym"),
        ("throw { code: 7 }", "7"),
        ("throw [1, 2]", "1"),
        ("throw () => 1", ""),
        ("throw Object.create(null)", ""),
        ("throw { get message() { throw 1 } }", ""),
        ("throw { toString() { throw 1 } }", ""),
        ("throw { name: 1, message: {} , stack: 5 }", ""),
        ("throw new Proxy({}, { get() { throw 1 } })", ""),
        ("throw Object.defineProperty(new Error('hid'), 'message', { get() { throw 1 } })", ""),
        ("throw Object.defineProperty(new Error('odd'), 'stack', { value: {} })", "odd"),
        ("throw Promise.reject(1)", ""),
        ("await Promise.reject(9)", "9"),
        ("await Promise.reject()", "undefined"),
    ];
    all_cases(cases, |(code, contained)| {
        let execution = daemon.repl(&session, code);
        same(code, execution["status"].as_str(), Some("error"))?;
        holds(code, execution["error"]["message"].as_str().unwrap_or_default().contains(contained), &execution)
    });
    assert_eq!(daemon.preview(&session, "1 + 1"), "2");
}

/// Inputs that one session takes one after another, and the preview of each.
fn dialogue(lines: &[(&str, &str)]) {
    let daemon = Daemon::start();
    let session = daemon.session();
    for (input, expected) in lines {
        let execution = daemon.repl(&session, input);
        let found = execution["result"].get("preview").or(execution["error"].get("message"));
        let found = found.map(text).unwrap_or_default();
        assert!(found.starts_with(expected), "after {input:?}: expected {expected:?}, found {found:?}");
    }
}

#[test]
fn state_stays_from_one_input_to_the_next() {
    dialogue(&[
        ("var a = 1; let b = 2; const c = 3; function d() { return 4 } class E { f = 5 }", "undefined"),
        ("a + b + c + d() + new E().f", "15"),
        ("b++; b", "3"),
        ("globalThis.g = 6; g", "6"),
        ("(() => { implicit = 7 })(); implicit", "7"),
        ("a = 10; a + b", "13"),
        ("delete globalThis.g; typeof g", "undefined"),
    ]);
}

#[test]
fn names_may_be_declared_again() {
    dialogue(&[
        ("let n = 1; const k = 1; class C { v = 1 }", "undefined"),
        ("let n = 2; const k = 2; class C { v = 2 }", "undefined"),
        ("n + k + new C().v", "6"),
        ("const n = 'const now'; n", "const now"),
        ("var n = 'var now'; n", "var now"),
        ("function n() { return 'function now' } n()", "function now"),
        ("const fixed = 1; fixed", "1"),
        ("fixed = 2", "TypeError: "),
        ("fixed", "1"),
        ("const fixed = 3; fixed", "3"),
        ("let { x, y: [z] } = { x: 1, y: [2] }; let { x: x2, ...rest } = { x: 3, q: 4 }; x + z + x2 + rest.q", "10"),
        ("let x = 'again'; x", "again"),
    ]);
}

#[test]
fn a_failed_declaration_does_not_poison_its_name() {
    dialogue(&[
        ("let q = missing()", "ReferenceError: missing is not defined"),
        ("let q = 2; q", "2"),
        ("const r = (() => { throw new Error('no') })()", "Error: no"),
        ("const r = 3; r", "3"),
        ("class S extends null.x {}", "TypeError: "),
        ("class S { v = 4 }; new S().v", "4"),
        ("let t = await Promise.reject(new Error('late'))", "Error: late"),
        ("let t = 5; t", "5"),
        ("let u = 6; null.x", "TypeError: "),
        ("u", "6"),
    ]);
}

#[test]
fn closures_see_the_newest_declaration() {
    dialogue(&[
        ("let n = 1; const get = () => n; const set = v => { n = v }", "undefined"),
        ("let n = 2; get()", "2"),
        ("set(3); n", "3"),
        ("function twice() { return get() * 2 } twice()", "6"),
        ("let n = 10; twice()", "20"),
    ]);
}

#[test]
fn inputs_mean_what_a_console_makes_of_them() {
    dialogue(&[
        ("{a: 1}.a", "1"),
        ("{ let inner = 1; inner + 1 }", "2"),
        ("1; 2; 3", "3"),
        ("'use strict'; 5", "5"),
        ("if (true) { 'yes' } else { 'no' }", "yes"),
        ("for (let i = 0; i < 3; i++) i", "2"),
        ("// nothing but a comment", "undefined"),
        ("  \n\t ", "undefined"),
        ("1 +\n  1 // more", "2"),
        ("this === globalThis", "true"),
        ("typeof undeclared", "undefined"),
        ("eval('var made = 1'); made", "1"),
        ("new Function('return 7')()", "7"),
        ("`${1 + 1}`", "2"),
        ("hoisted(); function hoisted() { return 'up' }", "up"),
        ("var __proto__ = 1; [].length", "0"),
    ]);
}

#[test]
fn await_works_at_top_level() {
    dialogue(&[
        ("await 5", "5"),
        ("const v = await Promise.resolve(7); v", "7"),
        ("v + 1", "8"),
        ("let sum = 0; for await (const n of [1, Promise.resolve(2)]) sum += n; sum", "3"),
        ("await new Promise(done => setTimeout(() => done('late'), 20))", "late"),
        ("async function slow() { await null; return 'slow' } await slow()", "slow"),
        ("(await Promise.all([1, Promise.resolve(2)])).join()", "1,2"),
        ("{ inner: await 3 }", "{"),
        ("var await_ = 1; await_", "1"),
        ("try { await Promise.reject(1) } catch (e) { 'caught ' + e }", "caught 1"),
    ]);
}

#[test]
fn timers_run_in_order() {
    dialogue(&[
        (
            "const out = []; setTimeout(() => out.push('late'), 40); setTimeout(() => out.push('soon'), 1);\
             Promise.resolve().then(() => out.push('micro')); out.push('now');\
             await new Promise(done => setTimeout(done, 80)); out.join()",
            "now,micro,soon,late",
        ),
        (
            "const same = []; for (let i = 0; i < 5; i++) setTimeout(() => same.push(i), 5);\
             await new Promise(done => setTimeout(done, 5)); same.join()",
            "0,1,2,3,4",
        ),
        ("await new Promise(done => setTimeout((...all) => done(all.join('-')), 1, 'x', 'y'))", "x-y"),
        (
            "let ticks = 0; await new Promise(done => { const t = setInterval(() => { if (++ticks === 3) {\
             clearInterval(t); done() } }, 1) }); await new Promise(done => setTimeout(done, 30)); ticks",
            "3",
        ),
        (
            "let fired = 'no'; const t = setTimeout(() => { fired = 'yes' }, 1); clearTimeout(t);\
             await new Promise(done => setTimeout(done, 20)); fired",
            "no",
        ),
        ("await new Promise(done => setImmediate(done, 'immediate'))", "immediate"),
        ("clearTimeout(undefined); clearTimeout(12345); clearInterval({}); 'fine'", "fine"),
        ("await new Promise(done => setTimeout(done, -5, 'negative'))", "negative"),
        ("await new Promise(done => setTimeout(done, NaN, 'no number'))", "no number"),
        (
            "await new Promise(done => setTimeout(() => setTimeout(() => setTimeout(done, 1, 'nested'), 1), 1))",
            "nested",
        ),
    ]);
}

#[test]
fn a_timer_takes_its_time() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let start = Instant::now();
    let waited = daemon
        .eval(&session, "const t0 = Date.now(); await new Promise(wake => setTimeout(wake, 300)); Date.now() - t0");
    assert!(waited["json"].as_u64().unwrap() >= 299, "{waited}");
    assert!(start.elapsed() >= Duration::from_millis(295));
}

#[test]
fn what_a_timer_throws_ends_the_execution() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let execution = daemon.repl(
        &session,
        "setTimeout(() => { throw new Error('tick') }, 1); await new Promise(wake => setTimeout(wake, 100))",
    );
    assert_eq!(execution["error"]["message"], "Error: tick", "{execution}");
    assert_eq!(daemon.preview(&session, "1 + 1"), "2");
}

#[test]
fn a_promise_that_cannot_settle_is_told_at_once() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for code in [
        "var kept = 1; await new Promise(() => {})",
        "await new Promise(done => clearTimeout(setTimeout(done, 10)))",
        "await { then() {} }",
        "for await (const x of { [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => {}) }) });",
    ] {
        let start = Instant::now();
        let execution = daemon.repl(&session, code);
        assert_eq!(execution["status"], "error", "{execution}");
        assert_eq!(execution["error"]["code"], "UNSETTLED", "{execution}");
        assert!(start.elapsed() < Duration::from_secs(5), "not at the limit of 30 s: {:?}", start.elapsed());
    }
    assert_eq!(daemon.preview(&session, "kept"), "1");
}

#[test]
fn rejections_that_nobody_handles_are_errors() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let lost = [
        "Promise.reject(new Error('lost')); 1",
        "(async () => { throw new Error('lost') })(); 1",
        "Promise.resolve().then(() => { throw new Error('lost') }); 1",
        "new Promise((_, reject) => setTimeout(reject, 1, new Error('lost'))); await new Promise(w => setTimeout(w, 50))",
    ];
    all_cases(lost, |code| {
        let execution = daemon.repl(&session, code);
        holds(code, execution["error"]["message"].as_str() == Some("Error: lost"), &execution)
    });
    let handled = [
        "Promise.reject(new Error('x')).catch(() => {}); 1",
        "const p = Promise.reject(new Error('x')); p.catch(() => {}); 1",
        "const q = Promise.reject(new Error('x')); await Promise.resolve(); q.catch(() => {}); 1",
        "await Promise.allSettled([Promise.reject(1)]); 1",
        "try { await (async () => { throw 1 })() } catch {} 1",
    ];
    all_cases(handled, |code| same(code, daemon.repl(&session, code)["status"].as_str(), Some("ok")));
    assert_eq!(daemon.repl(&session, "2")["status"], "ok", "a rejection of yesterday is not told again");
}

#[test]
fn the_console_keeps_levels_order_and_text() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let code = "console.log('l'); console.info('i'); console.warn('w'); console.error('e'); console.debug('d');\
                console.trace('t'); 'end'";
    let execution = daemon.repl(&session, code);
    let events = events_of(&execution, "console");
    events.iter().for_each(|event| check_members(&event["payload"], &["level", "text"]));
    let levels: Vec<&str> = events.iter().map(|event| event["payload"]["level"].as_str().unwrap()).collect();
    assert_eq!(levels, ["log", "info", "warn", "error", "debug", "error"]);
    assert_eq!(console(&execution)[..5], ["l", "i", "w", "e", "d"]);
    assert!(console(&execution)[5].contains('t'), "{execution}");
    assert_eq!(execution["events"].as_array().unwrap().len(), 8);

    let cases = [
        ("console.log()", ""),
        ("console.log('')", ""),
        ("console.log('a', 1, true, null, undefined)", "a 1 true null undefined"),
        ("console.log('n=%d s=%s %%', 5, 'x')", "n=5 s=x %"),
        ("console.log('%s', 'a', 'b')", "a b"),
        ("console.log('100%')", "100%"),
        ("console.log('two\\nlines')", "two\nlines"),
        ("console.log('nul\\0 é 𝄞 \\x1b[31m')", "nul\0 é 𝄞 \u{1b}[31m"),
        ("console.log(10n, Symbol('s'))", "10n Symbol(s)"),
        ("console.log(-0)", "-0"),
    ];
    all_cases(cases, |(code, expected)| same(code, console(&daemon.repl(&session, code)), vec![expected.to_owned()]));
    let loose = [
        ("console.log({ a: [1, 'x'] })", "{ a: [ 1, 'x' ] }"),
        ("console.log(['a'], new Map([[1, 2]]))", "[ 'a' ] Map(1) { 1 => 2 }"),
    ];
    all_cases(loose, |(code, expected)| {
        same(code, squeezed(&console(&daemon.repl(&session, code)).join("|")), squeezed(expected))
    });
    let grouped = console(
        &daemon.repl(&session, "console.group('g'); console.log('in'); console.groupEnd(); console.log('out')"),
    );
    assert_eq!(grouped, ["g", "  in", "out"]);
}

#[test]
fn what_is_printed_cannot_break_the_printing() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let arguments = [
        "{ get a() { throw 1 } }",
        "{ toString() { throw 1 }, [Symbol.toPrimitive]() { throw 1 } }",
        "new Proxy({}, { get() { throw 1 }, ownKeys() { throw 1 }, getPrototypeOf() { throw 1 } })",
        "new Proxy([], { get() { throw 1 } })",
        "Object.create({ get constructor() { throw 1 } })",
        "Object.defineProperty(() => 1, 'name', { get() { throw 1 } })",
        "Object.defineProperty(new Map, 'size', { get() { throw 1 } })",
        "Object.defineProperty(new Error('x'), 'stack', { get() { throw 1 } })",
        "Object.assign(new Date(0), { toISOString() { throw 1 } })",
        "{ [Symbol.toStringTag]: { toString() { throw 1 } } }",
        "(() => { const p = Proxy.revocable({}, {}); p.revoke(); return p.proxy })()",
    ];
    all_cases(arguments, |argument| {
        let execution = daemon.repl(&session, &format!("console.log({argument}); 1"));
        same(argument, execution["status"].as_str(), Some("ok"))?;
        same(argument, console(&execution).len(), 1)?;
        same(argument, daemon.repl(&session, &format!("({argument})"))["status"].as_str(), Some("ok"))
    });
}

#[test]
fn a_file_runs_like_a_snippet() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.home.write(
        "src/app.js",
        "let counter = (globalThis.counter ?? 0) + 1;\nconsole.log('run', counter);\n({ counter })\n",
    );
    let execution = daemon.run_file(&session, "src/app.js");
    assert_eq!(execution["kind"], "run_file");
    assert_eq!(execution["path"], "src/app.js");
    assert_eq!(execution["result"]["json"], json!({ "counter": 1 }));
    assert_eq!(console(&execution), ["run 1"]);
    assert_eq!(daemon.run_file(&session, "src/app.js")["status"], "ok", "a file may be run twice");
    assert_eq!(daemon.preview(&session, "typeof counter"), "number");

    daemon.home.write("bom.js", "\u{feff}1 + 1");
    daemon.home.write("crlf.js", "let a = 1;\r\nlet b = 2;\r\na + b\r\n");
    daemon.home.write("empty.js", "");
    daemon.home.write("bang.js", "#!/usr/bin/env vm-system run\n'bang'");
    daemon.home.write("await.js", "const v = await Promise.resolve('awaited'); v");
    daemon.home.write("name with spaces é.js", "'odd name'");
    let cases = [
        ("bom.js", "2"),
        ("crlf.js", "3"),
        ("empty.js", "undefined"),
        ("bang.js", "bang"),
        ("await.js", "awaited"),
        ("name with spaces é.js", "odd name"),
        ("./empty.js", "undefined"),
    ];
    all_cases(cases, |(path, expected)| {
        same(path, daemon.run_file(&session, path)["result"]["preview"].as_str(), Some(expected))
    });

    daemon.home.write("src/app.js", "'changed'");
    assert_eq!(daemon.run_file(&session, "src/app.js")["result"]["json"], "changed", "files are read anew");
}

#[test]
fn arguments_and_environment_are_of_one_run() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.home.write("args.js", "({ args: __ARGS__, env: __ENV__ })");
    daemon
        .home
        .write("argv.js", "[Array.isArray(process.argv), process.argv.some(word => word.includes('argv.js'))].join()");
    let run = |path: &str, args: Value, env: Value| {
        daemon
            .post("/executions/run-file", &json!({ "session_id": session, "path": path, "args": args, "env": env }))
            .ok(201)
    };
    let (args, env) = (json!({ "target": "web", "n": [1, { "deep": null }] }), json!({ "LANG": "en-secret" }));
    let execution = run("args.js", args.clone(), env.clone());
    check_execution(&execution);
    assert_eq!(execution["result"]["json"], json!({ "args": args, "env": env }));
    assert_eq!((&execution["args"], &execution["env"]), (&args, &env));
    assert_eq!(run("argv.js", args, env)["result"]["json"], "true,true");

    let left = "JSON.stringify([typeof __ARGS__ === 'undefined' ? {} : __ARGS__, typeof __ENV__ === 'undefined' ? {} : __ENV__,\
                typeof process === 'undefined' ? 0 : [process.argv, process.env]])";
    let leak = daemon.preview(&session, left);
    assert!(!leak.contains("web") && !leak.contains("en-secret") && !leak.contains("argv.js"), "{leak}");
    assert_eq!(daemon.run_file(&session, "args.js")["result"]["json"], json!({ "args": {}, "env": {} }));
    assert_eq!(
        run("args.js", json!({}), json!({ "ONLY": "1" }))["result"]["json"],
        json!({ "args": {}, "env": { "ONLY": "1" } })
    );
}

#[test]
fn the_host_does_not_show() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let absent = ["require('fs')", "fetch", "Deno", "std", "os", "bjson", "scriptArgs", "process.binding('fs')"];
    all_cases(absent, |code| same(code, daemon.repl(&session, code)["status"].as_str(), Some("error")));
    let environment =
        daemon.preview(&session, "typeof process === 'undefined' ? '{}' : JSON.stringify(process.env ?? {})");
    assert_eq!(environment, "{}");
}

#[test]
fn requests_to_run_are_checked() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let cases = [
        ("repl", json!({ "input": "1" }), "session_id"),
        ("repl", json!({ "session_id": session }), "input"),
        ("repl", json!({ "session_id": session, "input": null }), "input"),
        ("repl", json!({ "session_id": session, "input": 1 }), "input"),
        ("repl", json!({ "session_id": "x", "input": "1" }), "session_id"),
        ("repl", json!({ "session_id": 1, "input": "1" }), "session_id"),
        ("run-file", json!({ "path": "a.js" }), "session_id"),
        ("run-file", json!({ "session_id": session }), "path"),
        ("run-file", json!({ "session_id": session, "path": 1 }), "path"),
        ("run-file", json!({ "session_id": session, "path": "a.js", "args": [] }), "args"),
        ("run-file", json!({ "session_id": session, "path": "a.js", "args": "x" }), "args"),
        ("run-file", json!({ "session_id": session, "path": "a.js", "env": 1 }), "env"),
    ];
    all_cases(cases, |(route, document, field)| {
        refused_field(&format!("{route} {document}"), &daemon.post(&format!("/executions/{route}"), &document), field)
    });
    daemon
        .post("/executions/repl", &json!({ "session_id": session, "input": "1", "path": "x" }))
        .error(400, "INVALID_REQUEST");
    assert_eq!(daemon.post("/executions/run-file", &json!({ "session_id": session, "input": "1" })).status, 400);
    assert_eq!(daemon.executions(&session), [Value::Null; 0]);
}

#[test]
fn executions_are_listed_newest_first_and_in_pages() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let (session, other) = (daemon.session_of(&template), daemon.session_of(&template));
    assert_eq!(daemon.executions(&session), [Value::Null; 0]);
    let mut answered: Vec<Value> = (0..7).map(|n| daemon.repl(&session, &format!("{n}"))).collect();
    answered.push(daemon.repl(&session, "throw 1"));
    daemon.repl(&other, "'elsewhere'");
    answered.reverse();
    let listed = daemon.executions(&session);
    for (summary, mut full) in listed.iter().zip(answered.clone()) {
        check_summary(summary);
        full.as_object_mut().unwrap().remove("events");
        assert_eq!(summary, &full);
    }
    let ids = pluck(&answered, "id");
    let page =
        |query: &str| pluck(&array(daemon.get(&format!("/executions?session_id={session}{query}")).ok(200)), "id");
    assert_eq!(page(""), ids);
    let mut walked = page("&limit=3");
    while let Some(last) = walked.last().cloned() {
        let next = page(&format!("&limit=3&before={last}"));
        assert!(next.len() <= 3);
        if next.is_empty() {
            break;
        }
        walked.extend(next);
    }
    assert_eq!(walked, ids, "pages neither miss nor repeat");
}

#[test]
fn cancelling_ends_the_execution_and_not_the_session() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let endless = [
        "var kept = 'kept'; while (true) {}",
        "await new Promise(wake => setTimeout(wake, 1e7))",
        "for (;;) await null",
        "try { for (;;); } finally { for (;;); }",
        "for (;;) try { new Promise(() => { for (;;); }) } catch {}",
        "/(a+)+$/.test('a'.repeat(40) + 'b')",
    ];
    for code in endless {
        let (posted, (cancelled, took)) = daemon.while_running(&session, code, |id| {
            let start = Instant::now();
            (daemon.poke(&format!("/executions/{id}/cancel")).ok(200), start.elapsed())
        });
        // The contract says 50 ms; this leaves room for a machine that builds something else at the same time.
        assert!(took < Duration::from_secs(2), "{code}: {took:?}");
        assert_eq!(cancelled["status"], "cancelled", "{code}");
        let answered = posted.ok(201);
        check_execution(&answered);
        assert_eq!(answered["status"], "cancelled", "{code}");
        assert_eq!(daemon.execution(&text(&answered["id"])), answered);
        let again = daemon.poke(&format!("/executions/{}/cancel", text(&answered["id"])));
        again.error(409, "EXECUTION_NOT_RUNNING");
        assert_eq!(daemon.preview(&session, "kept"), "kept", "after {code}");
    }
}

#[test]
fn what_has_ended_cannot_be_cancelled() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for code in ["1", "throw 1"] {
        let execution = daemon.repl(&session, code);
        let id = text(&execution["id"]);
        daemon.poke(&format!("/executions/{id}/cancel")).error(409, "EXECUTION_NOT_RUNNING");
        assert_eq!(daemon.execution(&id), execution, "and stays as it was");
    }
}

#[test]
fn an_execution_can_be_read_while_it_runs() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let (posted, ()) = daemon.while_running(&session, "console.log('early'); while (true) {}", |id| {
        let running = daemon.execution(id);
        check_summary(&running);
        assert_eq!(running["status"], "running");
        wait_for("the console's line to be readable", Duration::from_secs(10), || {
            let events = array(daemon.get(&format!("/executions/{id}/events")).ok(200));
            events.iter().any(|event| event["payload"]["text"] == "early").then_some(())
        });
        daemon.poke(&format!("/executions/{id}/cancel")).ok(200);
    });
    assert_eq!(console(&posted.ok(201)), ["early"]);
}

#[test]
fn a_session_runs_one_execution_at_a_time() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let (session, other) = (daemon.session_of(&template), daemon.session_of(&template));
    daemon.home.write("app.js", "1");
    daemon.while_running(&session, "while (true) {}", |id| {
        daemon.post_repl(&session, "1").error(409, "SESSION_BUSY");
        daemon.post_file(&session, "app.js").error(409, "SESSION_BUSY");
        assert_eq!(daemon.preview(&other, "'not held up'"), "not held up");
        assert_eq!(daemon.executions(&session).len(), 1, "a refusal is no execution");
        daemon.poke(&format!("/executions/{id}/cancel")).ok(200);
    });
    assert_eq!(daemon.preview(&session, "'free again'"), "free again");
}

#[test]
fn those_who_race_for_a_session_run_or_are_refused() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let code =
        "globalThis.runs = (globalThis.runs ?? 0) + 1; const until = Date.now() + 30; while (Date.now() < until);";
    let answers: Vec<_> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| (0..5).map(|_| daemon.post_repl(&session, code)).collect::<Vec<_>>()))
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let mut ran = 0;
    for answer in &answers {
        if answer.status == 201 {
            ran += 1;
            check_execution(&answer.json());
        } else {
            answer.error(409, "SESSION_BUSY");
        }
    }
    assert!(ran >= 1);
    assert_eq!(daemon.executions(&session).len(), ran, "what is stored is what was acknowledged");
    assert_eq!(daemon.preview(&session, "runs"), ran.to_string());
}

#[test]
fn a_client_that_goes_away_stops_nothing() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let body =
        json!({ "session_id": session, "input": "await new Promise(w => setTimeout(w, 300)); var finished = 'yes'" });
    let mut connection = daemon.connect();
    connection.send(&Request::new("POST", api("/executions/repl")).json(body.to_string())).unwrap();
    let id = daemon.running_execution(&session);
    drop(connection);
    let ended = wait_for("the abandoned execution to end", Duration::from_secs(10), || {
        Some(daemon.execution(&id)).filter(|execution| execution["status"] != "running")
    });
    check_execution(&ended);
    assert_eq!(ended["status"], "ok");
    assert_eq!(daemon.preview(&session, "finished"), "yes");
}
