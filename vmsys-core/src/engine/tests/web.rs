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
    ("urls", include_str!("../../../../tests/web/urls.txt")),
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

/// What a value comes to, or the message of what is thrown, or the limit that was passed.
fn end_of(bench: &mut Bench, code: &str) -> String {
    match bench.run(code) {
        End::Value(value) => value.preview,
        End::Exception(error) => error.message,
        End::Stopped(stop) => format!("{stop:?}"),
    }
}

#[test]
fn a_background_timer_keeps_nothing_alive_but_what_waits_for_it() {
    on_both(|bench| {
        let started = Instant::now();
        assert_eq!(end_of(bench, "globalThis.signal = AbortSignal.timeout(60000); signal.aborted"), "false");
        assert!(started.elapsed() < Duration::from_secs(5));
        // It ended with its execution.
        assert_eq!(end_of(bench, "await new Promise((done) => setTimeout(done, 5)); [signal.aborted].join()"), "false");
        let waits = "await new Promise((done) => { AbortSignal.timeout(5).onabort = (e) => done(e.type) })";
        assert_eq!(end_of(bench, waits), "abort");
        let beside = "let s = AbortSignal.timeout(1); await new Promise((done) => setTimeout(done, 30)); s.reason.name";
        assert_eq!(end_of(bench, beside), "TimeoutError");
        // No number of a script's clears it.
        let cleared = "s = AbortSignal.timeout(5); for (let i = 0; i < 100; i++) clearTimeout(i);
                       await new Promise((done) => setTimeout(done, 30)); s.aborted";
        assert_eq!(end_of(bench, cleared), "true");
    });
}

#[test]
fn random_bytes_are_the_seeds_and_nobody_elses() {
    let bytes = |crypto_seed: [u8; 32], seed: u64| {
        let config = RealmConfig { crypto_seed, seed, ..RealmConfig::default() };
        let mut bench = Bench::new(Box::new(QuickRealm::new(&config).expect("a realm")));
        bench.value("[...crypto.getRandomValues(new Uint8Array(16))].join() + crypto.randomUUID()")
    };
    on_big_stack(move || {
        assert_eq!(bytes([7; 32], 1), bytes([7; 32], 2), "a replay gives the same, whatever Math.random does");
        assert_ne!(bytes([7; 32], 1), bytes([8; 32], 1));
        let config = RealmConfig { crypto_seed: [7; 32], ..RealmConfig::default() };
        let mut bench = Bench::new(Box::new(QuickRealm::new(&config).expect("a realm")));
        bench.value("for (let i = 0; i < 100; i++) Math.random(); 1");
        assert_eq!(
            bench.value("[...crypto.getRandomValues(new Uint8Array(16))].join() + crypto.randomUUID()"),
            bytes([7; 32], 1)
        );
    });
}

#[test]
fn objects_of_the_platform_are_shown_with_what_they_hold() {
    on_both(|bench| {
        let shown = [
            ("new URLSearchParams('a=1&a=b')", "URLSearchParams { 'a' => '1', 'a' => 'b' }"),
            ("new URLSearchParams()", "URLSearchParams {}"),
            ("new Blob(['abc'], { type: 'a/b' })", "Blob { size: 3, type: 'a/b' }"),
            ("new AbortController()", "AbortController { signal: AbortSignal { aborted: false } }"),
            ("AbortSignal.abort()", "AbortSignal { aborted: true }"),
            ("new TextDecoder('latin1')", "TextDecoder { encoding: 'windows-1252', fatal: false, ignoreBOM: false }"),
            ("const f = new FormData(); f.append('a', 'b'); f", "FormData { 'a' => 'b' }"),
            ("class AbortSignal2 { #aborted = 1 } new AbortSignal2()", "AbortSignal2 {}"),
            ("Object.assign(new URLSearchParams('a'), { x: 1 })", "URLSearchParams { 'a' => '', x: 1 }"),
            ("Object.create(URL.prototype)", "URL {}"),
        ];
        for (code, expected) in shown {
            let preview = bench.value(code).split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(preview, expected, "{code}");
        }
        let url = bench.value("new URL('http://u@h:81/p?q#f')");
        assert!(url.starts_with("URL {\n  href: 'http://u@h:81/p?q#f',\n  origin: 'http://h:81',"), "{url}");
        let many = bench.value("new URLSearchParams('a&'.repeat(1000))");
        assert!(many.contains("more items"), "{many}");
    });
}

#[test]
fn signals_that_nobody_listens_to_are_let_go_of() {
    on_both(|bench| {
        bench.limits.memory_bytes = 8 << 20;
        assert_eq!(
            end_of(
                bench,
                "globalThis.c = new AbortController(); for (let i = 0; i < 20000; i++) AbortSignal.any([c.signal]);
                 let n = 0; for (let i = 0; i < 300; i++) AbortSignal.any([c.signal]).onabort = () => n++;
                 c.abort(); n"
            ),
            "300"
        );
    });
}

#[test]
fn what_a_listener_throws_ends_the_execution_but_no_other_listener() {
    on_both(|bench| {
        let code = "const t = new EventTarget();
            t.addEventListener('x', () => { throw new RangeError('from a listener') });
            t.addEventListener('x', () => console.log('still called'));
            t.addEventListener('x', {});
            console.log(t.dispatchEvent(new Event('x')))";
        assert_eq!(end_of(bench, code), "RangeError: from a listener");
        assert_eq!(bench.console(), ["still called", "true"]);
    });
}

#[test]
fn parts_do_not_look_at_what_scripts_have_replaced() {
    on_both(|bench| {
        bench.run(SHOW);
        // Touched first: what a script does before that is its own affair.
        end_of(
            bench,
            "[URL, URLSearchParams, TextEncoder, TextDecoder, structuredClone, crypto, AbortSignal, Event, Blob, File,
              FormData, performance].length",
        );
        end_of(
            bench,
            "const keep = [Object.defineProperty, Object.getOwnPropertyNames];
             for (const C of [String, Array, Map, Set, Uint8Array, Object.getPrototypeOf(Uint8Array), ArrayBuffer, Promise,
                 WeakRef, Number, RegExp, Date, Error, DataView, Function, Iterator]) {
                 for (const key of keep[1](C.prototype)) {
                     if (key === 'constructor' || key === 'length' || key === 'message' || key === 'name') continue;
                     try { keep[0](C.prototype, key, { value: () => { throw new Error('replaced ' + key) } }) } catch {}
                 }
             }
             for (const name of ['Map', 'Set', 'Uint8Array', 'ArrayBuffer', 'Promise', 'Number', 'Reflect', 'TypeError',
                 'DOMException', 'WeakRef', 'queueMicrotask', 'setTimeout', 'String', 'Symbol']) globalThis[name] = undefined;
             Object.prototype.get = () => { throw 'get' }; Object.prototype.set = Object.prototype.writable = 1;",
        );
        let uses = [
            (
                "const u = new URL('../x?a=1', 'http://h/y/z'); u.searchParams.append('b', 2); u.hash = 'f'; u.href",
                "http://h/x?a=1&b=2#f",
            ),
            (
                "const p = new URLSearchParams('b=1&a=2'); p.sort(); p.delete('b'); p.set('c', 3); p.toString()",
                "a=2&c=3",
            ),
            ("new TextDecoder().decode(new TextEncoder().encode('é'))", "é"),
            ("structuredClone({ a: new Date(7), d: 5 }).d", "5"),
            ("crypto.randomUUID()[14]", "4"),
            (
                "const t = new EventTarget(); let n = 0; t.addEventListener('x', () => n++, { once: true }); t.dispatchEvent(new Event('x')); n",
                "1",
            ),
            (
                "const c = new AbortController(); const s = AbortSignal.any(function* () { yield c.signal }()); c.abort(9); s.reason",
                "9",
            ),
            ("new Blob(function* () { yield 'ab'; yield 'c' }()).slice(1).size", "2"),
            ("performance.mark('m').name", "m"),
        ];
        for (code, expected) in uses {
            assert_eq!(end_of(bench, &format!("{{ {code} }}")), expected, "{code}");
        }
    });
}

#[test]
fn hostile_uses_end_in_exceptions_or_limits() {
    on_both(|bench| {
        bench.limits.memory_bytes = 32 << 20;
        bench.limits.cpu = Duration::from_millis(200);
        let cases = [
            // Large inputs.
            "new URL('http://a/' + 'x'.repeat(4e6)).href.length",
            "new URL('http://' + 'x.'.repeat(1e6))",
            "new URL('http://a/' + '../'.repeat(2e5)).pathname",
            "new URLSearchParams('a&'.repeat(1e5)).size",
            "new URLSearchParams('a=%F0&'.repeat(1e5)).toString().length",
            "const p = new URLSearchParams(); for (;;) p.append('k'.repeat(1000), 'v')",
            "new TextEncoder().encode('€'.repeat(2e6)).length",
            "new TextEncoder().encode('x'.repeat(1e9))",
            "new TextDecoder('windows-1252').decode(new Uint8Array(4e6).fill(0x80)).length",
            "const d = new TextDecoder(); const b = new Uint8Array(1e6).fill(0xe2); for (;;) d.decode(b, { stream: true })",
            "for (const all = [];;) { const d = new TextDecoder('gb18030'); d.decode(new Uint8Array(1), { stream: true }); all.push(d) }",
            "let b = new Blob(['x'.repeat(1e6)]); for (;;) b = new Blob([b, b])",
            "for (const all = [];;) all.push(structuredClone(new Uint8Array(1e6)))",
            "for (;;) crypto.getRandomValues(new Uint8Array(65536))",
            "const c = new AbortController(); for (;;) AbortSignal.any([c.signal]).onabort = () => 1",
            "for (;;) AbortSignal.timeout(1000)",
            "const t = new EventTarget(); for (;;) t.addEventListener('x', () => 1)",
            "for (;;) performance.mark('x')",
            "new Blob(function* () { for (;;) yield 'x' }())",
            "new URLSearchParams(function* () { for (;;) yield 'xy' }())",
            "new URLSearchParams([function* () { for (;;) yield 'x' }()])",
            // Deep ones.
            "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; structuredClone(a).length",
            "let e = new Error('x'); for (let i = 0; i < 1e4; i++) e = new Error('y', { cause: e }); structuredClone(e).message",
            "const t = new EventTarget(); t.addEventListener('x', () => t.dispatchEvent(new Event('x'))); t.dispatchEvent(new Event('x'))",
            "(function f() { try { f() } catch { structuredClone({}); new URL('http://a').href } f() })()",
            // What runs in the middle.
            "const b = new ArrayBuffer(8, { maxByteLength: 16 }); const v = new Uint8Array(b, 4);
             new TextEncoder().encodeInto({ toString() { b.resize(0); return 'abcd' } }, v).written",
            "const b = new ArrayBuffer(8); const v = new Uint8Array(b);
             new TextEncoder().encodeInto({ toString() { b.transfer(); return 'abcd' } }, v).written",
            "const b = new ArrayBuffer(8); const v = new Uint8Array(b);
             new TextDecoder().decode(v, { get stream() { b.transfer(); return true } })",
            "const b = new ArrayBuffer(8, { maxByteLength: 16 }); const v = new DataView(b, 4);
             new TextDecoder().decode(v, { get stream() { b.resize(2); return false } })",
            "const b = new ArrayBuffer(8); structuredClone({ get a() { b.transfer(); return 1 }, v: new Uint8Array(b) })",
            "const b = new ArrayBuffer(8); const v = new Uint8Array(b);
             structuredClone({ v, get a() { b.transfer(); return 1 } }, { transfer: [b] })",
            "const b = new ArrayBuffer(8, { maxByteLength: 16 }); const v = new Uint8Array(b, 4, 4);
             structuredClone({ v, get a() { b.resize(1); return 1 } }, { transfer: [b] })",
            "const b = new ArrayBuffer(8); await crypto.subtle.digest({ get name() { b.transfer(); return 'SHA-1' } }, b)",
            "const b = new Uint8Array(8); new Blob([b, { toString() { b.buffer.transfer(); return 'x' } }, b]).size",
            "const p = new URLSearchParams('a=1&b=2'); p.append({ toString() { p.delete('a'); return 'c' } }, 'd'); p.toString()",
            "const p = new URLSearchParams('a=1&b=2'); p.forEach((v, k) => p.append(k, v))",
            "const u = new URL('http://a'); u.href = { toString() { u.href = 'http://b'; return 'http://c' } }; u.href",
            "structuredClone(new Proxy([], { get() { for (;;); } }))",
            "structuredClone({ get a() { for (;;); } })",
            "new Event('x', new Proxy({}, { get(_, key) { throw key } }))",
            "new EventTarget().addEventListener('x', () => 1, { get signal() { for (;;); } })",
            "class T extends EventTarget { constructor() { super(); super.constructor() } } new T()",
            "Reflect.construct(URL, ['http://a'], Object).href",
            "URL.prototype.__proto__ = new Proxy({}, { get() { for (;;); } }); new URL('http://a').nope",
        ];
        for code in cases {
            let started = Instant::now();
            let (end, clean) = bench.run_uncleaned(&format!("{{ {code} }}"));
            assert!(clean, "{code}");
            assert!(started.elapsed() < Duration::from_secs(20), "{code} took {:?}", started.elapsed());
            if let End::Exception(error) = &end {
                assert!(!error.message.contains("internal error"), "{code}: {}", error.message);
            }
            assert_eq!(end_of(bench, "new URL('http://a/b').pathname"), "/b", "after {code}");
        }
    });
}

impl Bench {
    /// The heap of the realm after a job, in bytes.
    fn memory_after(&mut self, source: &str) -> usize {
        let host = Rc::new(RefCell::new(Recorder::default()));
        let job = Job {
            typescript: false,
            imports: Imports::Awaited,
            source: source.to_owned(),
            name: self.name.to_owned(),
            act: Act::Run,
            wants_data: false,
            goal: self.goal,
            process: None,
            limits: self.limits,
            clock_ms: 1_770_508_800_000,
            alone: false,
        };
        let outcome = self.realm.run(job, host);
        assert!(matches!(outcome.end, End::Value(_)) && self.realm.clean_up());
        outcome.usage.memory_bytes
    }
}

#[test]
fn what_nobody_touches_costs_next_to_nothing() {
    on_big_stack(|| {
        let config = RealmConfig { console: true, seed: 1, ..RealmConfig::default() };
        let mut bench = Bench::new(Box::new(QuickRealm::new(&config).expect("a realm")));
        let untouched = bench.memory_after("1");
        let touched =
            bench.memory_after("performance; crypto; URL; TextDecoder; FormData; AbortSignal; structuredClone; 1");
        // Measured: 225,000 bytes, of which 18,000 are the names that nobody has touched; and 272,000 for all parts.
        assert!(untouched < 300 << 10, "{untouched} bytes");
        assert!(touched - untouched < 350 << 10, "{} bytes", touched - untouched);
    });
}
