//! Inspection against Node's own words, and against values that fight back.

mod cases;
mod hostile;

use rquickjs::{Context, Ctx, Runtime, Value};

use super::{InspectOptions, inspect};
use crate::engine::describe::{describe, describe_error};
use crate::engine::intrinsics::Intrinsics;
use crate::value::ValueType;

/// Runs a test on a thread of its own with a large stack, as realms have.
pub(in crate::engine) fn on_large_stack(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, test);
        if let Err(panic) = thread.expect("a thread").join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Runs a test in a bare realm.
pub(in crate::engine) fn with_realm(test: impl FnOnce(&Ctx<'_>, &Intrinsics) + Send) {
    on_large_stack(|| {
        let runtime = Runtime::new().expect("a runtime");
        let context = Context::full(&runtime).expect("a context");
        context.with(|ctx| {
            let intrinsics = Intrinsics::capture(&ctx).expect("the intrinsics");
            test(&ctx, &intrinsics);
        });
    });
}

/// Evaluates an expression.
pub(in crate::engine) fn eval<'js>(ctx: &Ctx<'js>, expression: &str) -> Value<'js> {
    let value = ctx.eval(format!("(0, {expression}\n)"));
    value.unwrap_or_else(|error| panic!("{expression}: {error}: {:?}", ctx.catch()))
}

fn quoted() -> InspectOptions {
    InspectOptions { quote_top_level_string: true, ..InspectOptions::console() }
}

fn check(cases: &[(&str, &str)], options: &InspectOptions) {
    with_realm(|ctx, intrinsics| {
        ctx.eval::<(), _>("Error.stackTraceLimit = 0").expect("set");
        for (expression, expected) in cases {
            let value = eval(ctx, expression);
            assert_eq!(inspect(ctx, &value, intrinsics, options), *expected, "{expression}");
        }
    });
}

#[test]
fn values_read_as_in_node() {
    check(cases::NODE, &quoted());
}

#[test]
fn values_differ_from_node_where_they_must() {
    #[rustfmt::skip]
    check(&[
        // Node calls the getter.
        ("new (class Foo { get [Symbol.toStringTag]() { return 'bar' } })", "Foo {}"),
        // Node converts the name to a string.
        ("Object.defineProperty(() => {}, 'name', {value: 5})", "[Function (anonymous)]"),
        ("Object.defineProperty(class Foo {}, 'name', {get() { throw 1 }})", "[class (anonymous)]"),
        // Node looks into iterators without moving them; the engine has no such door.
        ("new Map([[1, 2]]).entries()", "Object [Map Iterator] {}"),
        ("new Set([1]).values()", "Object [Set Iterator] {}"),
        // Node 20 writes `[Arguments] { '0': 1, '1': 2 }`.
        ("(function () { return arguments })(1, 2)", "[Arguments] [ 1, 2 ]"),
        ("(function (a) { 'use strict'; return arguments })(1)", "[Arguments] [ 1 ]"),
        ("(function (a) { a = 5; arguments.length = 'x'; return arguments })(1)", "[Arguments] []"),
        // Node shows a bigint of any size in decimal, which takes quadratic time.
        ("2n ** 100_000n", &format!("0x1{}... 24937 more digits", "0".repeat(63))),
        ("-(2n ** 100_000n)", &format!("-0x1{}... 24938 more digits", "0".repeat(62))),
        // Node calls the `getPrototypeOf` trap.
        ("Object.create(new Proxy({}, {}))", "Object <Complex prototype> {}"),
    ], &quoted());
}

#[test]
fn strings_by_themselves_stand_without_quotes() {
    with_realm(|ctx, intrinsics| {
        let options = InspectOptions::console();
        let show = |expression: &str| inspect(ctx, &eval(ctx, expression), intrinsics, &options);
        assert_eq!(show("'it\\'s\\n'"), "it's\n");
        assert_eq!(show("'a\\ud83dz\\0'"), "a\u{fffd}z\0");
        assert_eq!(show("['a'.repeat(6) + 'b'.repeat(6)].join('') + '😀'"), "aaaaaabbbbbb😀");
        assert_eq!(show("'x'.repeat(50_000)").len(), 50_000);
        let preview = |expression: &str| inspect(ctx, &eval(ctx, expression), intrinsics, &InspectOptions::preview());
        assert_eq!(preview("'x'.repeat(10_001)"), format!("{}... 1 more character", "x".repeat(10_000)));
    });
}

#[test]
fn what_is_shown_is_bounded() {
    with_realm(|ctx, intrinsics| {
        let show =
            |expression: &str, options: &InspectOptions| inspect(ctx, &eval(ctx, expression), intrinsics, options);
        let small = InspectOptions { max_items: 2, max_props: 2, max_string: 3, ..quoted() };
        assert_eq!(show("[1, 2, 3]", &small), "[ 1, 2, ... 1 more item ]");
        assert_eq!(
            show("new Map([[1, 1], [2, 2], [3, 3], [4, 4]])", &small),
            "Map(4) { 1 => 1, 2 => 2, ... 2 more items }"
        );
        assert_eq!(show("new Set([1, 2, 3])", &small), "Set(3) { 1, 2, ... 1 more item }");
        assert_eq!(show("new Uint8Array(4)", &small), "Uint8Array(4) [ 0, 0, ... 2 more items ]");
        let buffer = "ArrayBuffer { [Uint8Contents]: <00 00 ... 1 more byte>, byteLength: 3 }";
        assert_eq!(show("new ArrayBuffer(3)", &small), buffer);
        assert_eq!(show("({a: 1, b: 2, c: 3})", &small), "{ a: 1, b: 2, ... 1 more property }");
        assert_eq!(show("({a: 1, b: 2, c: 3, d: 4})", &small), "{ a: 1, b: 2, ... 2 more properties }");
        assert_eq!(show("['abcdef']", &small), "[ 'abc'... 3 more characters ]");
        assert_eq!(show("Symbol('abcdef')", &small), "Symbol(abc…)");
        assert_eq!(show("123456n", &small), "123... 3 more digits");
        assert_eq!(show("/abcdef/g", &small), "/abc…/g");

        let short = InspectOptions { max_bytes: 100, ..quoted() };
        let cut = show("Array.from({length: 50}, () => ({a: 'x'.repeat(20)}))", &short);
        assert!(cut.len() <= 100 + '…'.len_utf8() && cut.ends_with('…'), "{cut}");

        let deep = InspectOptions { depth: i32::MAX, ..quoted() };
        let nest = "(() => { let o = {}; for (let i = 0; i < 100_000; i++) o = {o}; return o })()";
        let shown = show(nest, &deep);
        assert!(shown.contains("[Object]") && shown.len() < 100_000, "{}", shown.len());
    });
}

#[test]
fn hidden_properties_are_shown_when_asked_for() {
    let hidden = InspectOptions { show_hidden: true, show_proxy: true, depth: 4, ..quoted() };
    #[rustfmt::skip]
    check(&[
        ("[1, 2]", "[ 1, 2, [length]: 2 ]"),
        ("Object.defineProperty({a: 1}, 'b', {value: 2})", "{ a: 1, [b]: 2 }"),
        ("new Proxy({a: 1}, {get: null})", "Proxy [ { a: 1 }, { get: null } ]"),
        ("(() => { const {proxy, revoke} = Proxy.revocable({}, {}); revoke(); return proxy })()", "<Revoked Proxy>"),
    ], &hidden);
}

#[test]
fn stacks_read_as_in_v8() {
    with_realm(|ctx, intrinsics| {
        let show = |expression: &str| inspect(ctx, &eval(ctx, expression), intrinsics, &quoted());
        let plain = show("(function make() { return new TypeError('boom') })()");
        assert!(plain.starts_with("TypeError: boom\n    at make (eval_script:1:"), "{plain}");
        assert!(!plain.ends_with('\n'));
        let nested = show("({e: new Error('in')})");
        assert!(nested.starts_with("{\n  e: Error: in\n      at <eval> (eval_script:1:"), "{nested}");
        assert!(nested.ends_with(")\n}"), "{nested}");
        let cause = show("new Error('out', {cause: new RangeError('in')})");
        assert!(cause.starts_with("Error: out\n    at <eval>"), "{cause}");
        assert!(cause.contains("{\n  [cause]: RangeError: in\n      at <eval>"), "{cause}");
        let class = show("new (class Foo extends Error {})('boom')");
        assert!(class.starts_with("Foo [Error]: boom\n    at "), "{class}");
        let captured = show("(() => { const e = new Error('x'); Error.captureStackTrace(e); return e })()");
        assert!(captured.starts_with("Error: x\n    at <anonymous>"), "{captured}");
        let common = show(
            "(() => { function a(n) { return n ? a(n - 1) : new Error('in') } function b(n) { return n ? b(n - 1) :
             new Error('out', {cause: a(0)}) } return b(6) })()",
        );
        assert!(common.contains("lines matching cause stack trace ..."), "{common}");
    });
}

#[test]
fn modules_are_shown_without_running() {
    with_realm(|ctx, intrinsics| {
        let (module, done) = rquickjs::Module::declare(ctx.clone(), "m", "export const b = 1; export function a() {}")
            .and_then(rquickjs::Module::eval)
            .expect("a module");
        done.finish::<()>().expect("run");
        let namespace = module.namespace().expect("a namespace").into_value();
        assert_eq!(
            inspect(ctx, &namespace, intrinsics, &quoted()),
            "[Module: null prototype] { a: [Function: a], b: 1 }"
        );
        assert_eq!(describe(ctx, &namespace, intrinsics, 1000).kind, ValueType::Module);

        let source = "import * as self from 'n'; globalThis.early = self; await 0; export let late = 1;";
        let declared = rquickjs::Module::declare(ctx.clone(), "n", source).expect("declared");
        let _running = declared.eval().expect("run");
        let early = eval(ctx, "early");
        assert_eq!(inspect(ctx, &early, intrinsics, &quoted()), "[Module: null prototype] { late: <uninitialized> }");
        assert!(!ctx.has_exception());
    });
}

#[test]
fn results_have_a_type_and_json_where_it_is_faithful() {
    with_realm(|ctx, intrinsics| {
        use ValueType as T;
        #[rustfmt::skip]
        let cases: &[(&str, T, Option<&str>)] = &[
            ("undefined", T::Undefined, Some("null")),
            ("null", T::Null, Some("null")),
            ("true", T::Boolean, Some("true")),
            ("1.5", T::Number, Some("1.5")),
            ("-0", T::Number, Some("0")),
            ("1e21", T::Number, Some("1e+21")),
            ("NaN", T::Number, None),
            ("Infinity", T::Number, None),
            ("10n", T::Bigint, None),
            ("'a\"\\n\\u0001é'", T::String, Some(r#""a\"\n\u0001é""#)),
            ("'\\ud83d'", T::String, Some("\"\u{fffd}\"")),
            ("Symbol()", T::Symbol, None),
            ("() => {}", T::Function, None),
            ("class {}", T::Function, None),
            ("({a: 1, b: [undefined, , null], c: undefined})", T::Object, Some(r#"{"a":1,"b":[null,null,null],"c":null}"#)),
            ("Object.assign(Object.create(null), {a: {}})", T::Object, Some(r#"{"a":{}}"#)),
            ("({2: 'b', 1: 'a', x: 'c', [Symbol()]: 1})", T::Object, Some(r#"{"1":"a","2":"b","x":"c"}"#)),
            ("({['__proto__']: 1})", T::Object, Some(r#"{"__proto__":1}"#)),
            ("[1, [2]]", T::Array, Some("[1,[2]]")),
            ("[new Date(0)]", T::Array, Some(r#"["1970-01-01T00:00:00.000Z"]"#)),
            ("new Date(0)", T::Date, Some(r#""1970-01-01T00:00:00.000Z""#)),
            ("new Date(NaN)", T::Date, None),
            ("({get a() { return 1 }})", T::Object, None),
            ("({f() {}})", T::Object, None),
            ("[NaN]", T::Array, None),
            ("[10n]", T::Array, None),
            ("new (class Foo { a = 1 })", T::Object, None),
            ("[new Proxy({}, {})]", T::Array, None),
            ("new Proxy({}, {})", T::Proxy, None),
            ("(() => { const o = {}; o.o = o; return o })()", T::Object, None),
            ("(() => { const o = {}; return [o, o] })()", T::Array, Some("[{},{}]")),
            ("'x'.repeat(1001)", T::String, None),
            ("Array(1000).fill(1)", T::Array, None),
            ("Array(2 ** 32 - 1)", T::Array, None),
            ("(() => { let o = 1; for (let i = 0; i < 99; i++) o = [o]; return o })()", T::Array, Some(NINETY_NINE)),
            ("(() => { let o = 1; for (let i = 0; i < 100_000; i++) o = [o]; return o })()", T::Array, None),
            ("/a/", T::Regexp, None),
            ("new Map()", T::Map, None),
            ("new Set()", T::Set, None),
            ("new WeakMap()", T::Weakmap, None),
            ("new WeakSet()", T::Weakset, None),
            ("new WeakRef({})", T::Weakref, None),
            ("new Error('x')", T::Error, None),
            ("new DOMException('x', 'y')", T::Error, None),
            ("Promise.resolve()", T::Promise, None),
            ("new ArrayBuffer(1)", T::Arraybuffer, None),
            ("new SharedArrayBuffer(1)", T::Arraybuffer, None),
            ("new Uint8Array(1)", T::Typedarray, None),
            ("new DataView(new ArrayBuffer(1))", T::Dataview, None),
            ("(function* () {})()", T::Generator, None),
            ("(async function* () {})()", T::Generator, None),
            ("[].values()", T::Iterator, None),
            ("new Map().keys()", T::Iterator, None),
            ("(function () { return arguments })()", T::Arguments, None),
            ("Object(1)", T::Object, None),
            ("globalThis", T::Object, None),
        ];
        for (expression, kind, json) in cases {
            let result = describe(ctx, &eval(ctx, expression), intrinsics, 1000);
            let found = result.json.as_ref().map(crate::value::JsonText::as_str);
            assert_eq!((result.kind, found), (*kind, *json), "{expression}");
            if let Some(json) = &result.json {
                json.decode::<serde_json::Value>().expect(expression);
            }
        }
    });
}

const NINETY_NINE: &str = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1\
    ]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]";

#[test]
fn whatever_is_thrown_is_described() {
    with_realm(|ctx, intrinsics| {
        let thrown = |expression: &str| describe_error(ctx, &eval(ctx, expression), intrinsics);
        #[rustfmt::skip]
        let cases: &[(&str, &str, Option<&str>)] = &[
            ("new TypeError('boom')", "TypeError: boom", Some("TypeError")),
            ("new Error('')", "Error", Some("Error")),
            ("new (class Foo extends Error { name = 'Foo' })('boom')", "Foo: boom", Some("Foo")),
            ("Object.assign(new Error('boom'), {name: ''})", "boom", None),
            ("Object.assign(new Error(''), {name: ''})", "Error", None),
            ("Object.assign(new Error('boom'), {name: undefined})", "Error: boom", Some("Error")),
            ("Object.assign(new Error('boom'), {name: 5, message: {}})", "5", Some("5")),
            ("Object.setPrototypeOf(new Error('boom'), null)", "Error: boom", Some("Error")),
            ("new DOMException('gone', 'AbortError')", "AbortError: gone", Some("AbortError")),
            ("'text'", "text", None),
            ("null", "null", None),
            ("undefined", "undefined", None),
            ("5", "5", None),
            ("({message: 'm', name: 'N'})", "{ message: 'm', name: 'N' }", None),
            ("[1]", "[ 1 ]", None),
        ];
        for (expression, message, name) in cases {
            let found = thrown(expression);
            assert_eq!((&*found.message, found.name.as_deref()), (*message, *name), "{expression}");
        }

        let error = thrown("(function f() { return new Error('boom') })()");
        let stack = error.stack.expect("a stack");
        assert!(stack.starts_with("Error: boom\n    at f (eval_script:1:"), "{stack}");
        assert!(!stack.ends_with('\n'));
        assert_eq!(thrown("'text'").stack, None);
        assert_eq!(thrown("Object.assign(new Error('x'), {stack: 'mine'})").stack.as_deref(), Some("mine"));
        let long = thrown("new Error('x'.repeat(1e6))");
        assert!(long.message.len() < 40_000 && long.stack.is_none_or(|stack| stack.len() < 80_000));

        let nothing = Value::new_uninitialized(ctx.clone());
        assert_eq!(describe_error(ctx, &nothing, intrinsics).message, "out of memory");
        assert_eq!(inspect(ctx, &nothing, intrinsics, &quoted()), "<uninitialized>");
        assert_eq!(describe(ctx, &nothing, intrinsics, 100).kind, ValueType::Undefined);
    });
}

#[test]
fn numbers_are_written_as_the_engine_writes_them() {
    with_realm(|ctx, _| {
        // A fixed walk over the bit patterns of doubles.
        let mut bits: u64 = 0x9e37_79b9_7f4a_7c15;
        for _ in 0..20_000 {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            for number in [f64::from_bits(bits), (bits >> 40) as f64, (bits >> 44) as f64 / 1000.0] {
                let value = Value::new_float(ctx.clone(), number);
                let engine: String = value.get::<rquickjs::Coerced<String>>().expect("a number").0;
                assert_eq!(crate::engine::text::number(number), engine);
            }
        }
    });
}
