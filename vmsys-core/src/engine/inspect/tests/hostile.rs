//! Values that would run guest code, or take for ever, if they were looked at in the usual ways.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rquickjs::{Context, Ctx, Runtime, Value};

use super::{eval, on_large_stack, quoted};
use crate::engine::console::{format_log, format_table};
use crate::engine::describe::{describe, describe_error};
use crate::engine::inspect::{InspectOptions, inspect};
use crate::engine::intrinsics::Intrinsics;

/// Spies: each notes that it was called, and throws.
const SPIES: &str = "
    globalThis.called = '';
    globalThis.spy = name => function () { called += name + ' '; throw new Error(name) };
    globalThis.trap = new Proxy({}, {get: (_, name) => spy('trap ' + String(name))});
    globalThis.trapped = target => new Proxy(target, trap);
    globalThis.getter = (target, ...names) => {
        for (const name of names)
            Object.defineProperty(target, name, {get: spy('get ' + String(name)), enumerable: true, configurable: true});
        return target;
    };
    globalThis.nest = (value, count, wrap) => { for (let i = 0; i < count; i++) value = wrap(value); return value };
    globalThis.revoked = target => { const {proxy, revoke} = Proxy.revocable(target, trap); revoke(); return proxy };
";

/// Shows a value in every way there is.
fn show_all<'js>(ctx: &Ctx<'js>, value: &Value<'js>, intrinsics: &Intrinsics) -> String {
    let options = quoted();
    let shown = inspect(ctx, value, intrinsics, &options);
    inspect(ctx, value, intrinsics, &InspectOptions { show_hidden: true, depth: 10, ..options });
    describe(ctx, value, intrinsics, 1 << 20);
    describe_error(ctx, value, intrinsics);
    for format in ["%s", "%d", "%i", "%f", "%j", "%o", "%O", "%c", "plain"] {
        let format = rquickjs::String::from_str(ctx.clone(), format).expect("a string").into_value();
        format_log(ctx, &[format, value.clone(), value.clone()], intrinsics, &options);
    }
    format_table(ctx, value, None, intrinsics);
    format_table(ctx, value, Some(value), intrinsics);
    shown
}

/// Shows a value in the ways that read it differently: the rest of [`show_all`] would only take more time.
fn show_briefly<'js>(ctx: &Ctx<'js>, value: &Value<'js>, intrinsics: &Intrinsics) -> String {
    let format = rquickjs::String::from_str(ctx.clone(), "%o %j").expect("a string").into_value();
    let shown = format_log(ctx, &[format, value.clone(), value.clone()], intrinsics, &quoted());
    describe(ctx, value, intrinsics, 1 << 20);
    format_table(ctx, value, None, intrinsics);
    shown
}

type Show = for<'js> fn(&Ctx<'js>, &Value<'js>, &Intrinsics) -> String;

/// Shows values in a realm that the guest has prepared; nothing of the guest's may be called, and none may take long.
fn assert_calm(setup: &str, cases: &[&str], show: Show) {
    // Generous, because tests run unoptimised and beside others: what must not happen takes minutes, or for ever.
    const MAX: Duration = Duration::from_secs(20);
    on_large_stack(|| {
        let runtime = Runtime::new().expect("a runtime");
        let context = Context::full(&runtime).expect("a context");
        context.with(|ctx| {
            let intrinsics = Intrinsics::capture(&ctx).expect("the intrinsics");
            ctx.eval::<(), _>(SPIES).expect("the spies");
            let called: Value<'_> = ctx.eval("(() => called)").expect("a closure");
            let called = called.into_function().expect("a function");
            let values: Vec<Value<'_>> = cases.iter().map(|case| eval(&ctx, case)).collect();
            let prepared = ctx.eval::<Value<'_>, _>(format!("{{ {setup} }}"));
            assert!(prepared.is_ok(), "the setup: {:?}", ctx.catch());
            for (case, value) in cases.iter().zip(values) {
                let start = Instant::now();
                let shown = show(&ctx, &value, &intrinsics);
                let took = start.elapsed();
                assert!(!ctx.has_exception(), "{case}: an exception is pending");
                let called: String = called.call(()).expect("the list");
                assert_eq!(called, "", "{case}: {shown}");
                assert!(took < MAX, "{case}: {took:?}");
            }
        });
    });
}

#[test]
fn getters_and_traps_are_never_called() {
    assert_calm(
        "",
        &[
            "getter({}, 'a', 'b', Symbol.toStringTag, 'constructor', 'toString', 'toJSON', 'length', 'then')",
            "getter({}, Symbol.iterator, Symbol.toPrimitive, Symbol.for('nodejs.util.inspect.custom'), 'inspect')",
            "Object.create(getter({}, Symbol.toStringTag, 'constructor'))",
            "Object.create(trapped({}))",
            "Object.create(Object.create(trapped({})))",
            "getter([1, 2], 1, 'x', 'constructor')",
            "getter([], 0)",
            "Object.defineProperty([1], 0, {get: spy('element'), enumerable: true})",
            "trapped({})",
            "trapped([1, 2])",
            "trapped(function () {})",
            "trapped(class {})",
            "trapped(new Map())",
            "trapped(new Error('x'))",
            "trapped(trapped(trapped({a: 1})))",
            "[trapped({}), {a: trapped([])}]",
            "new Map([[trapped({}), trapped([])]])",
            "new Set([trapped({})])",
            "nest({}, 100, trapped)",
            "nest({}, 100_000, trapped)",
            "revoked({})",
            "[revoked([]), revoked(() => {})]",
            "new Proxy(revoked({}), {})",
            "Object.setPrototypeOf({}, revoked({}))",
            "Promise.resolve(revoked([]))",
            "getter(new Error('x'), 'name', 'message', 'stack', 'cause', 'errors', 'toString')",
            "Object.setPrototypeOf(new Error('x'), trapped(Error.prototype))",
            "new (class extends Error { get name() { return spy('name')() } get message() { return spy('message')() } })",
            "new (class extends Error { get stack() { return spy('stack')() } get cause() { return spy('cause')() } })",
            "new Error('x', {cause: trapped(new Error('y'))})",
            "Object.assign(new Error('x'), {name: trapped({}), message: {toString: spy('toString')}})",
            "Object.defineProperty(Object.assign(new Error('x'), {errors: trapped([])}), 'stack', {value: trapped({})})",
            "new AggregateError([trapped({})], 'x')",
            "getter(function () {}, 'name', 'length')",
            "getter(() => {}, 'name')",
            "Object.defineProperty(class {}, 'name', {get: spy('name')})",
            "class { static get name() { return spy('name')() } }",
            "class { static name = {toString: spy('toString')} }",
            "class extends Object.assign(function () {}, {}) { static [Symbol.toPrimitive] = spy('toPrimitive') }",
            "Object.setPrototypeOf(class {}, trapped(Function.prototype))",
            "Object.defineProperty(Array.fromAsync, 'name', {get: spy('name')})",
            "Object.defineProperty((() => {}).bind(), 'name', {get: spy('name')})",
            "({constructor: trapped(class Foo {})})",
            "({constructor: getter(function Foo() {}, 'name', Symbol.hasInstance)})",
            "Object.create({constructor: {[Symbol.hasInstance]: spy('hasInstance')}})",
            "getter(new Date(0), 'getTime', 'toISOString', 'constructor', Symbol.toPrimitive)",
            "getter(/x/g, 'source', 'flags', 'global', 'lastIndex2')",
            "getter(new Map([[1, 2]]), 'size', 'entries', Symbol.iterator)",
            "getter(new Set([1]), 'size', 'values')",
            "getter(new Uint8Array(2), 'length', 'buffer', 'constructor')",
            "getter(new ArrayBuffer(2), 'byteLength')",
            "getter(new DataView(new ArrayBuffer(2)), 'byteLength', 'buffer')",
            "getter(Promise.resolve(1), 'then', 'constructor')",
            "Object.assign(Object(1), {valueOf: spy('valueOf'), toString: spy('toString')})",
            "Object.assign(Object('abc'), {valueOf: spy('valueOf'), toString: spy('toString')})",
            "Object.assign(Object(Symbol('x')), {valueOf: spy('valueOf')})",
            "({toString: spy('toString'), valueOf: spy('valueOf'), toJSON: spy('toJSON'), then: spy('then')})",
            "({[Symbol.toPrimitive]: spy('toPrimitive'), [Symbol.for('nodejs.util.inspect.custom')]: spy('custom')})",
            "[{a: 1}, getter({}, 'a')]",
            "new (class Foo extends Array { static get [Symbol.species]() { return spy('species')() } })(3)",
            "(function () { getter(arguments, 'length', Symbol.iterator); return arguments })(1)",
            "(function () { Object.defineProperty(arguments, 0, {get: spy('zero')}); return arguments })(1)",
            "getter(new DOMException('x', 'y'), 'name', 'message', 'stack')",
        ],
        show_all,
    );
}

#[test]
fn what_the_guest_replaced_is_not_used() {
    // First a list of what to replace, with everything at hand still whole; then plain steps through it.
    let setup = "
        const {defineProperty, getOwnPropertyDescriptor, getPrototypeOf} = Object;
        const iterators = [new Map().entries(), new Set().values(), [].values(), ''[Symbol.iterator]()].map(getPrototypeOf);
        const constructors = [
            Map, Set, Date, RegExp, Array, Error, TypeError, Promise, Symbol, Number, String, Boolean, BigInt, ArrayBuffer,
            SharedArrayBuffer, DataView, Uint8Array, WeakMap, WeakSet, WeakRef, DOMException, getPrototypeOf(Uint8Array),
        ];
        const prototypes = constructors.map(constructor => constructor.prototype);
        const targets = [...constructors, ...prototypes, ...iterators, JSON, Math, Reflect, Function.prototype];
        const steps = targets.flatMap(target => Reflect.ownKeys(target)
            .filter(key => getOwnPropertyDescriptor(target, key).configurable)
            .map(key => ({target, key})));
        for (const key of ['parseInt', 'parseFloat', ...constructors.map(constructor => constructor.name)])
            if (key in globalThis) steps.push({target: globalThis, key});
        for (let i = 0; i < 200; i++) steps.push({target: Object.prototype, key: i});
        for (const key of ['value', 'done', 'get', 'set', 'toJSON', 'name', 'message', 'stack', 'cause', 'then', 'length',
            'toString', 'valueOf', 'constructor', 'hasOwnProperty', 'enumerable', Symbol.toStringTag, Symbol.iterator,
            Symbol.toPrimitive, Symbol.for('nodejs.util.inspect.custom')]) steps.push({target: Object.prototype, key});
        for (const step of steps) {
            step.how = {__proto__: null, configurable: true, get: spy(String(step.key)), set: spy('set ' + String(step.key))};
            Object.setPrototypeOf(step, null);
        }
        for (let i = 0, count = steps.length; i < count; i++) defineProperty(steps[i].target, steps[i].key, steps[i].how);
    ";
    let cases = [
        "({a: 1, 7: 2})",
        "[1, , 3, {a: 1}]",
        "new Array(150)",
        "new Map([[1, {a: 2}], ['k', [1]]])",
        "new Set([1, {a: 2}])",
        "new Date(0)",
        "/a/gi",
        "new Error('x', {cause: new TypeError('y')})",
        "new DOMException('x', 'AbortError')",
        "Symbol('x')",
        "({[Symbol('x')]: 1})",
        "'text'",
        "10n ** 400n",
        "Object(1)",
        "Object('x')",
        "Object(Symbol('x'))",
        "Promise.resolve({a: 1})",
        "new Uint8Array(3)",
        "new BigInt64Array(3)",
        "new ArrayBuffer(3)",
        "new SharedArrayBuffer(3)",
        "new DataView(new ArrayBuffer(3))",
        "function f() {}",
        "class Foo {}",
        "async () => {}",
        "(function () { return arguments })(1, 2)",
        "[{a: 1}, {b: 2}]",
        "globalThis",
        "new Map().entries()",
        "trapped({a: 1})",
        "revoked({})",
    ];
    assert_calm(setup, &cases, show_all);
}

#[test]
fn errors_that_the_engine_makes_run_nothing() {
    let cases = [
        "revoked({})",
        "[revoked({}), revoked([])]",
        "(() => { const b = new ArrayBuffer(8, {maxByteLength: 16}); const v = new DataView(b, 4, 4); b.resize(2); return v })()",
        "(() => { const b = new ArrayBuffer(8); const v = new DataView(b); b.transfer(); return v })()",
        "(() => { const b = new ArrayBuffer(8); b.transfer(); return b })()",
        "(() => { const b = new ArrayBuffer(8); const v = new Uint8Array(b); b.transfer(); return v })()",
        "(() => { const b = new ArrayBuffer(8, {maxByteLength: 16}); const v = new Uint16Array(b, 4); b.resize(2); return v })()",
        "(() => { const b = new ArrayBuffer(8, {maxByteLength: 16}); const v = new Uint8Array(b); b.resize(16); return v })()",
    ];
    assert_calm("Error.prepareStackTrace = spy('prepareStackTrace')", &cases, show_all);
    on_large_stack(|| {
        let runtime = Runtime::new().expect("a runtime");
        let context = Context::full(&runtime).expect("a context");
        context.with(|ctx| {
            let intrinsics = Intrinsics::capture(&ctx).expect("the intrinsics");
            ctx.eval::<(), _>(SPIES).expect("the spies");
            let value = eval(&ctx, "[revoked({}), new Error('x')]");
            ctx.eval::<(), _>("globalThis.mine = Error.prepareStackTrace = () => 'mine'").expect("set");
            show_all(&ctx, &value, &intrinsics);
            let kept: bool =
                ctx.eval("Error.prepareStackTrace === mine && new Error().stack === 'mine'").expect("asked");
            assert!(kept, "the guest's formatter is put back");
        });
    });
}

#[test]
fn large_values_take_bounded_time() {
    assert_calm(
        "",
        &[
            "new Array(2 ** 32 - 1)",
            "Object.assign(new Array(2 ** 32 - 1), {7: 1, 5_000_000: 2, 4_294_967_294: 3})",
            "Array(3_000_000).fill(1)",
            "(() => { const a = Array(1_000_000).fill(1); delete a[5]; return a })()",
            "new Uint8Array(100_000_000)",
            "new ArrayBuffer(100_000_000)",
            "'x'.repeat(100_000_000)",
            "['é'.repeat(50_000_000), 'x'.repeat(100_000_000), '日'.repeat(50_000_000)]",
            "nest('x', 24, s => s + s)",
            "Object('x'.repeat(50_000_000))",
            "({['k'.repeat(50_000_000)]: 1})",
            "Symbol('x'.repeat(50_000_000))",
            "Object.fromEntries(Array.from({length: 300_000}, (_, i) => ['k' + i, i]))",
            "Object.fromEntries(Array.from({length: 300_000}, (_, i) => [i * 7, i]))",
            "new Map(Array.from({length: 300_000}, (_, i) => [i, i]))",
            "new Set(Array.from({length: 300_000}, (_, i) => i))",
            "nest({}, 1_000_000, Object.create)",
            "nest({}, 100_000, o => ({o}))",
            "nest([], 100_000, o => [o])",
            "nest(new Error('x'), 10_000, cause => new Error('x', {cause}))",
            "nest(1, 10_000, v => new Map([[v, v]]))",
            "nest(1, 40, v => [v, v, v])",
            "(() => { const a = Array.from({length: 100}, () => []); for (const x of a) x.push(...a); return a })()",
            "2n ** 1_000_000n",
            "Array(100).fill(2n ** 1_000_000n)",
            "new Error('x'.repeat(50_000_000))",
            "new RegExp('x'.repeat(1_000_000))",
            "Array(1000).fill(new RegExp('x'.repeat(100_000)))",
            "Object.defineProperty(() => {}, 'name', {value: 'x'.repeat(10_000_000)})",
            "(() => { const o = {}; for (let i = 0; i < 300_000; i++) Object.defineProperty(o, 'k' + i, {value: 1});
                return Array.from({length: 1000}, () => Array(100).fill(o)) })()",
            "(() => { const a = []; for (let i = 0; i < 300_000; i++) a[i * 10_000] = 1; return Array(100).fill(a) })()",
            "(() => { function big() { /* ${'x'.repeat(1000)} */ } return Array(1000).fill(big) })()",
            "(() => { let p = Object.create(null); for (let i = 0; i < 60; i++) { p = Object.create(p);
                p.constructor = function Foo() {} } return Array(1000).fill(p) })()",
            "globalThis",
            "[globalThis, [globalThis]]",
        ],
        show_briefly,
    );
}

#[test]
fn nothing_is_leaked() {
    on_large_stack(|| {
        let runtime = Runtime::new().expect("a runtime");
        let context = Context::full(&runtime).expect("a context");
        let intrinsics = context.with(|ctx| {
            let intrinsics = Intrinsics::capture(&ctx).expect("the intrinsics");
            ctx.eval::<(), _>(SPIES).expect("the spies");
            intrinsics
        });
        let show = |rounds: usize| {
            context.with(|ctx| {
                for _ in 0..rounds {
                    for (expression, _) in super::cases::NODE {
                        show_all(&ctx, &eval(&ctx, expression), &intrinsics);
                    }
                    for expression in ["revoked({})", "[trapped([])]", "getter({}, 'a', 'b')", "nest({}, 100, trapped)"]
                    {
                        show_all(&ctx, &eval(&ctx, expression), &intrinsics);
                    }
                }
                while ctx.execute_pending_job() {}
            });
            runtime.run_gc();
            let usage = runtime.memory_usage();
            (usage.obj_count, usage.atom_count, usage.str_count, usage.malloc_count)
        };
        let before = show(2);
        let after = show(3);
        assert_eq!(before, after);
    });
}

#[test]
fn an_interrupt_ends_the_inspection() {
    on_large_stack(|| {
        let runtime = Runtime::new().expect("a runtime");
        let context = Context::full(&runtime).expect("a context");
        let stop = Arc::new(AtomicBool::new(false));
        let stops = Arc::clone(&stop);
        runtime.set_interrupt_handler(Some(Box::new(move || stops.load(Ordering::Relaxed))));
        context.with(|ctx| {
            let intrinsics = Intrinsics::capture(&ctx).expect("the intrinsics");
            let value = eval(&ctx, "[new Map([[1, 2]]), /x/g, new Date(0), 'x'.repeat(20_000), Symbol('a'), {a: 1}]");
            stop.store(true, Ordering::Relaxed);
            // The engine asks its handler every ten thousand calls.
            for _ in 0..2000 {
                let shown = inspect(&ctx, &value, &intrinsics, &quoted());
                assert!(!ctx.has_exception());
                assert!(!shown.is_empty());
            }
        });
    });
}

#[test]
fn an_engine_without_memory_ends_the_inspection() {
    on_large_stack(|| {
        let runtime = Runtime::new().expect("a runtime");
        let context = Context::full(&runtime).expect("a context");
        let (intrinsics, value) = context.with(|ctx| {
            let intrinsics = Intrinsics::capture(&ctx).expect("the intrinsics");
            let value =
                eval(&ctx, "[new Map([[1, {a: 2}]]), /x/g, new Date(0), 'é'.repeat(5000), new Error('x'), {a: 1}]");
            (intrinsics, rquickjs::Persistent::save(&ctx, value))
        });
        let used = runtime.memory_usage().malloc_size as usize;
        let mut texts = Vec::new();
        for room in (0..40_000).step_by(250) {
            runtime.set_memory_limit(used + room);
            context.with(|ctx| {
                let value = value.clone().restore(&ctx).expect("the value");
                texts.push(inspect(&ctx, &value, &intrinsics, &quoted()));
                assert!(!ctx.has_exception());
            });
        }
        runtime.set_memory_limit(0);
        assert!(texts.iter().any(|text| text.contains('…')), "some were cut");
        assert!(texts.last().is_some_and(|text| !text.contains('…')), "and the last was whole");
        drop((intrinsics, value));
    });
}
