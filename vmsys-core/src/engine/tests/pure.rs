//! Modules that are Node's own, against Node's own answers.

use super::*;

/// Expressions, each with what Node 20 answers; the files say which module they are about.
const CASES: &[(&str, &str)] = &[
    ("assert", include_str!("../../../../tests/builtins/assert.txt")),
    ("buffer", include_str!("../../../../tests/builtins/buffer.txt")),
    ("crypto", include_str!("../../../../tests/builtins/crypto.txt")),
    ("deep_equal", include_str!("../../../../tests/builtins/deep_equal.txt")),
    ("events", include_str!("../../../../tests/builtins/events.txt")),
    ("os_tty", include_str!("../../../../tests/builtins/os_tty.txt")),
    ("path", include_str!("../../../../tests/builtins/path.txt")),
    ("process", include_str!("../../../../tests/builtins/process.txt")),
    ("querystring", include_str!("../../../../tests/builtins/querystring.txt")),
    ("stream", include_str!("../../../../tests/builtins/stream.txt")),
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
    on_both(|bench| compare(bench, CASES));
}

/// Runs expressions, one after the other, and compares what they come to.
pub(super) fn compare(bench: &mut Bench, cases: &[(&str, &str)]) {
    bench.value(SHOW);
    let mut problems = Vec::new();
    for (file, text) in cases {
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
}

/// Runs what a test file would hold on its own: each expression in a realm that nothing else has touched.
fn fresh(source: &str) -> String {
    let config = RealmConfig { console: true, seed: 1, ..RealmConfig::default() };
    let mut bench = Bench::new(Box::new(QuickRealm::new(&config).expect("a realm")));
    match bench.run(source) {
        End::Value(value) => value.preview,
        End::Exception(error) => error.message,
        End::Stopped(stop) => format!("{stop:?}"),
    }
}

/// What a native does with many bytes counts as the script's own work.
#[test]
fn loops_over_large_buffers_end_in_time() {
    on_both(|bench| {
        bench.limits.cpu = Duration::from_millis(200);
        let setup = "const { isUtf8, isAscii } = require('buffer'); const b = Buffer.alloc(8e6), c = Buffer.alloc(8e6), s = 'x'.repeat(8e6); 0";
        bench.value(setup);
        for call in [
            "b.indexOf('zz')",
            "b.indexOf('z')",
            "b.lastIndexOf('zz')",
            "b.indexOf('zz', 0, 'utf16le')",
            "b.compare(c)",
            "b.equals(c)",
            "b.swap16()",
            "b.toString('latin1')",
            "b.write(s)",
            "Buffer.from(s)",
            "Buffer.byteLength(s)",
            "isUtf8(b)",
            "isAscii(b)",
        ] {
            let started = Instant::now();
            assert_eq!(bench.run(&format!("for (;;) {call}")), End::Stopped(Stop::Cpu), "{call}");
            assert!(started.elapsed() < Duration::from_secs(8), "{call}: {:?}", started.elapsed());
        }
    });
}

#[test]
fn hostile_values_get_an_answer_or_an_error() {
    on_big_stack(|| {
        let detach = "const u = Buffer.from('abcdef'); u.buffer.transfer();";
        let shrunk =
            "const ab = new ArrayBuffer(8, { maxByteLength: 16 }); const u = Buffer.from(ab, 4, 4); ab.resize(2);";
        let frozen = "const u = Buffer.from(Buffer.from('abcd').buffer.transferToImmutable());";
        let mut problems = Vec::new();
        let unusable = "TypeError: the bytes are not there, or cannot be changed";
        for (source, expected) in [
            // Bytes that went away, shrank, or cannot be changed.
            (format!("{detach} u.toString()"), unusable),
            (format!("{detach} u.length + u.indexOf('a')"), unusable),
            (format!("{detach} u.write('x')"), unusable),
            (format!("{detach} u"), "<Buffer >"),
            (format!("{shrunk} u.toString('hex') + u.length"), "0"),
            (format!("{shrunk} Buffer.compare(u, u)"), unusable),
            (format!("{shrunk} u"), "<Buffer >"),
            (format!("{frozen} u.swap16()"), unusable),
            (format!("{frozen} u.write('zz')"), unusable),
            (format!("{frozen} u.toString()"), "abcd"),
            // A length that lies.
            ("Buffer.from({ length: 1e12 })".into(), "RangeError: invalid array buffer length"),
            ("Buffer.from({ length: 4e9 })".into(), "RangeError: invalid array buffer length"),
            ("Buffer.from({ length: -5 })".into(), "<Buffer >"),
            ("Buffer.alloc(2 ** 31)".into(), "RangeError: invalid array buffer length"),
            ("Buffer.concat([Buffer.alloc(1)], 2 ** 40)".into(), "RangeError: The value of \"length\" is out of range. It must be >= 0 && <= 4294967296. Received 1_099_511_627_776"),
            ("'a'.repeat(1e7).length + Buffer.from('a'.repeat(1e7)).toString('hex').length".into(), "30000000"),
            // Guest code that runs where the module reads.
            ("Buffer.from({ get length() { throw new Error('mine') } })".into(), "Error: mine"),
            ("Buffer.from({ valueOf() { return this }, length: 1, get 0() { delete this[0]; return 7 } })".into(), "<Buffer 07>"),
            ("const b = Buffer.alloc(4); b.fill({ valueOf() { b.buffer.transfer(); return 1 } }); b".into(), "TypeError: ArrayBuffer is detached or resized"),
            ("require('path').join({ toString() { return 'x' } })".into(), "TypeError: The \"path\" argument must be of type string. Received an instance of Object"),
            // What the script did to its own world before the first touch.
            ("Object.defineProperty = Reflect.apply = Array.prototype.push = null; require('path').join('a', '..', 'b')".into(), "TypeError: not a function"),
            ("Uint8Array.prototype.__proto__.set = null; Array.isArray = () => true; Buffer.from('ab').toString('hex')".into(), "6162"),
            ("delete globalThis.Uint8Array; typeof Buffer".into(), "ReferenceError: Uint8Array is not defined"),
            ("globalThis.process = undefined; require('path').resolve('a')".into(), "/a"),
            ("Symbol.for = () => { throw new Error('for') }; require('util')".into(), "Error: for"),
            // A first touch that failed can be tried again.
            ("const real = Symbol.for; Symbol.for = () => { throw 1 }; let n = 0; try { require('util') } catch { n++ } Symbol.for = real; n + typeof require('util').inspect".into(), "1function"),
            // Values that contain, replace or trap themselves.
            ("const { isDeepStrictEqual: eq } = require('util'); const a = [], b = []; a[0] = b; b[0] = a; eq(a, b)".into(), "true"),
            ("const { isDeepStrictEqual: eq } = require('util'); let a = 1, b = 1; for (let i = 0; i < 1e5; i++) { a = [a]; b = [b] } eq(a, b)".into(), "RangeError: Maximum call stack size exceeded"),
            ("const { isDeepStrictEqual: eq } = require('util'); eq(new Proxy({}, { ownKeys() { throw new Error('trap') } }), {})".into(), "Error: trap"),
            ("const u = require('util'); const o = {}; o[u.inspect.custom] = () => ({ [u.inspect.custom]: o[u.inspect.custom] }); u.inspect(o)".into(), "RangeError: Custom inspection functions return one another without an end"),
            ("const u = require('util'); const a = {}, b = {}; a[u.inspect.custom] = () => b; b[u.inspect.custom] = () => a; u.inspect(a)".into(), "…"),
            ("const u = require('util'); u.inspect({ get a() { throw null } }, { getters: true })".into(), "{ a: [Getter: <Inspection threw (undefined)>] }"),
            ("const u = require('util'); const o = {}; for (let i = 0; i < 3000; i++) o['k' + i] = { [u.inspect.custom]: () => 'c' }; u.inspect(o, { breakLength: Infinity }).split(': c').length".into(), "3001"),
            ("const u = require('util'); u.inspect(new Proxy({}, { get() { throw new Error('trap') }, getPrototypeOf() { throw new Error('trap') } }))".into(), "{}"),
            ("require('util').inspect(Array(1e9), { maxArrayLength: null }).length < 100".into(), "true"),
            ("require('util').format('%s', { get toString() { throw new Error('getter') } })".into(), "Error: getter"),
            ("require('util').inspect('x', { colors: true, depth: {}, compact: NaN, breakLength: -1, maxStringLength: 'y' })".into(), "\u{1b}[32m''\u{1b}[39m... 1 more character"),
            ("const p = require('util').promisify(new Proxy(() => {}, { ownKeys() { return ['a', 'length', 'name', 'prototype'] } })); typeof p".into(), "function"),
            // Names that a script has put something else under.
            ("globalThis.process = 7; typeof require('process').nextTick".into(), "function"),
            ("delete globalThis.process; require('os').tmpdir() === ''".into(), "true"),
            ("process.nextTick = 1; require('stream').Readable.from(['a']).toArray()".into(), "Promise { [ 'a' ] }"),
            ("require('crypto').createHash('md5').update({ length: 1e9 })".into(), "TypeError: The \"data\" argument must be of type string or an instance of Buffer, TypedArray, or DataView. Received an instance of Object"),
            ("process.hrtime([{ valueOf() { throw new Error('mine') } }, 0])".into(), "Error: mine"),
            ("process.stdout.write({ toString() { throw 1 } })".into(), "TypeError: The \"chunk\" argument must be of type string or an instance of Buffer or Uint8Array. Received an instance of Object"),
            // A listener that changes the list it is called from.
            ("const E = require('events'); const e = new E(); let n = 0; e.on('x', function f() { if (n++ < 100) e.on('x', f) }); e.emit('x'); n".into(), "1"),
            ("const E = require('events'); const e = new E(); e._events = null; e.emit('x')".into(), "false"),
            ("require('assert').deepEqual(1, { valueOf() { return 1 } })".into(), "AssertionError"),
        ] {
            let shown = fresh(&source);
            let is_met = shown == expected || (expected == "AssertionError" && shown.starts_with("AssertionError: "));
            if !is_met {
                problems.push(format!("{source}\n  expected {expected}\n  shown    {shown}"));
            }
        }
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    });
}

#[test]
fn searching_takes_linear_time() {
    on_big_stack(|| {
        // Each of these takes hours by looking at every place anew, and none of them can be interrupted.
        for source in [
            "Buffer.alloc(4e6, 'a').indexOf(Buffer.concat([Buffer.alloc(2e6, 'a'), Buffer.from('b')]))",
            "Buffer.alloc(4e6, 'a').lastIndexOf(Buffer.concat([Buffer.from('b'), Buffer.alloc(2e6, 'a')]))",
            "Buffer.alloc(4e6, 'ab').indexOf(Buffer.alloc(2e6, 'ba'), 0, 'utf16le')",
        ] {
            assert_eq!(fresh(source), "-1");
        }
    });
}

#[test]
fn buffers_are_shown_as_node_shows_them() {
    on_both(|bench| {
        bench.run("console.log(Buffer.from('hi'), [Buffer.alloc(2)], { b: Buffer.alloc(51) })");
        let zeros = " 00".repeat(50);
        let long = format!("<Buffer 68 69> [ <Buffer 00 00> ] {{\n  b: <Buffer{zeros} ... 1 more byte>\n}}");
        assert_eq!(bench.console(), [long]);
        assert_eq!(bench.value("new Uint8Array([1, 2])"), "Uint8Array(2) [ 1, 2 ]");
    });
}

#[test]
fn modules_can_be_imported_by_either_name() {
    on_both(|bench| {
        let shown = bench.value(
            "const path = await import('node:path'); const { once, default: Emitter } = await import('events');
             [path.default === require('path'), path.join('a', '..', 'b'), path.win32.sep, typeof once, Emitter === require('node:events')]",
        );
        assert_eq!(shown, "[ true, 'b', '\\\\', 'function', true ]");
    });
}

#[test]
fn what_process_writes_are_events_under_the_same_limits() {
    on_both(|bench| {
        bench.run("process.stdout.write('a\\n'); process.stdout.write(Buffer.from([0xe2, 0x82])); process.stdout.write(Buffer.from([0xac])); process.stderr.write('7a', 'hex'); process.emitWarning('w', 'Mine', 'M1')");
        let stdout = |text: &str| Payload::Stdout { text: text.to_owned() };
        let stderr = |text: &str| Payload::Stderr { text: text.to_owned() };
        // Half a character waits for its other half.
        assert_eq!(bench.events, [stdout("a\n"), stdout("€"), stderr("z"), stderr("[M1] Mine: w\n")]);
        bench.max_events = Some(2);
        let endless = "for (;;) { try { process.stdout.write('x') } catch {} }";
        assert_eq!(bench.run(endless), End::Stopped(Stop::Events));
        bench.max_events = None;
        // The streams are the session's, whatever ended an execution.
        bench.run("process.stdout.write('again')");
        assert_eq!(bench.events, [stdout("again")]);
        assert_eq!(bench.value("typeof process.nextTick + process.stderr.fd"), "function2");
        bench.run("process.nextTick(() => { throw new Error('late') })");
        assert_eq!(bench.value("new Promise((done) => process.nextTick(done, 5)).then((n) => n)"), "Promise { 5 }");
    });
}
