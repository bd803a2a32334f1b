//! What is asked between jobs, of values that would run code if they were looked at in the usual ways.

use std::time::{Duration, Instant};

use super::{Bench, on_both};
use crate::lookup::{Answer, FoundGlobal, FoundName, GlobalKind, Question, Wanted, place};

fn globals(bench: &mut Bench, builtins: bool) -> (Vec<FoundGlobal>, u64) {
    match bench.realm.ask(Question::Globals { builtins }) {
        Some(Answer::Globals { found, more }) => (found, more),
        other => panic!("{other:?}"),
    }
}

/// The globals as lines: `kind name: preview`.
fn lines(bench: &mut Bench) -> Vec<String> {
    let line = |global: FoundGlobal| format!("{} {}: {}", global.kind.as_str(), global.name, global.preview);
    globals(bench, false).0.into_iter().map(line).collect()
}

fn ask(bench: &mut Bench, before: &str) -> Vec<FoundName> {
    let wanted = place(before).unwrap_or_else(|| panic!("{before} is completed")).wanted;
    match bench.realm.ask(Question::Names(wanted)) {
        Some(Answer::Names(found)) => found,
        other => panic!("{other:?}"),
    }
}

fn names(bench: &mut Bench, before: &str) -> String {
    ask(bench, before).into_iter().map(|found| found.name).collect::<Vec<_>>().join(" ")
}

#[test]
fn globals_are_what_scripts_have_declared_or_set() {
    on_both(|bench| {
        assert_eq!(globals(bench, false), (vec![], 0));
        bench.run(
            "const a = 1; let b = 'x\\ny'; class C {} ; var d = {n: [1]}; function e() {}
             globalThis.f = new Map([[1, 2]]); g = null; globalThis['a b'] = 3n",
        );
        assert_eq!(
            lines(bench),
            [
                "const a: 1",
                "let b: 'x\\ny'",
                "class C: [class C]",
                "var d: { n: [ 1 ] }",
                "function e: [Function: e]",
                "global f: Map(1) { 1 => 2 }",
                "global g: null",
                "global a b: 3n",
            ]
        );
        let (all, more) = globals(bench, true);
        assert!(all.len() > 60 && more == 0 && all.iter().any(|global| global.name == "Array"), "{}", all.len());
        // What is not there any more is not listed, and what was tried in vain neither.
        bench.run("delete globalThis.f; let b = 7");
        bench.run("let z = (() => { throw 1 })()");
        assert!(lines(bench).contains(&"let b: 7".to_owned()));
        assert!(!lines(bench).iter().any(|line| line.contains(" f:") || line.contains(" z:")));
    });
}

#[test]
fn another_value_has_another_mark() {
    on_both(|bench| {
        bench.run("let a = {n: 1}, b = 'x', c = [1]; globalThis.d = {}");
        let marks =
            |bench: &mut Bench| -> Vec<u64> { globals(bench, false).0.iter().map(|global| global.mark).collect() };
        let before = marks(bench);
        assert_eq!(marks(bench), before);
        bench.run("a.n = 2; b = 'x'; c = [1]");
        let after = marks(bench);
        let same: Vec<bool> = before.iter().zip(&after).map(|(before, after)| before == after).collect();
        assert_eq!(same, [false, true, false, true]);
    });
}

#[test]
fn names_are_own_ones_and_inherited_ones() {
    on_both(|bench| {
        bench.run(
            "class P { get y() { throw 1 } method() {} } class Q extends P { own = 1; odd = {'a b': 1, 7: 2, ok: 3} }
             const q = new Q(), deep = {er: {est: {x1: 1, x2() {}}}}, list = [{item: 1}], text = 'abc', none = null, n = 1",
        );
        let found = ask(bench, "q.");
        let word = |found: &FoundName| match found.value_type {
            Some(kind) => format!("{}:{kind}", found.name),
            None => format!("{}:accessor", found.name),
        };
        let words: Vec<_> = found.iter().map(word).collect();
        assert_eq!(words[..5], ["odd:object", "own:number", "constructor:function", "method:function", "y:accessor"]);
        assert!(words.contains(&"hasOwnProperty:function".to_owned()), "{words:?}");
        assert_eq!(names(bench, "deep.er.est.x"), "x1 x2");
        assert_eq!(names(bench, "deep['er']?.est.x"), "x1 x2");
        assert_eq!(names(bench, "q.odd."), format!("a b ok {}", names(bench, "({}), Object.prototype.")));
        assert_eq!(names(bench, "list[0].it"), "item");
        assert_eq!(names(bench, "list.fla"), "flat flatMap");
        assert_eq!(names(bench, "text.padS"), "padStart");
        assert_eq!(names(bench, "text.length.toFi"), "toFixed");
        assert_eq!(names(bench, "n.toFi"), "toFixed");
        assert_eq!(names(bench, "'x'.padS"), "padStart");
        assert_eq!(names(bench, "/x/.tes"), "test");
        assert_eq!(names(bench, "none.x"), "");
        assert_eq!(names(bench, "q.y.x"), "");
        assert_eq!(names(bench, "nothing.x"), "");
        assert_eq!(names(bench, "globalThis.parseI"), "parseInt");
        assert_eq!(names(bench, "dee"), "deep");
        assert_eq!(names(bench, "parseI"), "parseInt");
        // What the session has goes first.
        assert!(names(bench, "").starts_with("P Q deep list n none q text AbortController"), "{}", names(bench, ""));
        assert!(ask(bench, "").len() <= 200);
    });
}

/// Spies that note that they were called.
const SPIES: &str = "
    globalThis.called = [];
    globalThis.spy = (name) => function () { called.push(name); throw new Error(name) };
    globalThis.trapped = (target) => new Proxy(target, new Proxy({}, {get: (_, name) => spy('trap ' + String(name))}));
    globalThis.revoked = () => { const {proxy, revoke} = Proxy.revocable({}, {}); revoke(); return proxy };
";

#[test]
fn nothing_of_the_guests_is_called() {
    on_both(|bench| {
        bench.run(SPIES);
        bench.run(
            "Object.defineProperty(globalThis, 'getter', {get: spy('getter'), configurable: true, enumerable: true});
             globalThis.proxy = trapped({inside: {x: 1}});
             globalThis.inherits = Object.create(trapped({below: 1}));
             globalThis.dead = revoked();
             globalThis.inheritsDead = Object.create(revoked());
             globalThis.cycle = {a: 1}; cycle.self = cycle;
             let tagged = {get [Symbol.toStringTag]() { return spy('tag')() }, get a() { return spy('a')() }, toString: spy('toString'),
                [Symbol.toPrimitive]: spy('primitive'), [Symbol.for('nodejs.util.inspect.custom')]: spy('custom'), toJSON: spy('json')};
             Object.prototype.toString = spy('Object.prototype.toString');
             Array.prototype[Symbol.iterator] = spy('iterator');
             Map.prototype.entries = spy('entries');
             Error.prepareStackTrace = spy('prepareStackTrace');
             globalThis.map = new Map([[tagged, proxy]]);
             Object.setPrototypeOf(Array.prototype, trapped({}))
             String = new Proxy(String, {get: spy('String')})",
        );
        // To make a map of an array asks for the array's iterator.
        assert_eq!(bench.value("String(called) + (called.length = 0)"), "iterator0");
        let (found, _) = globals(bench, false);
        for (name, preview) in [
            ("getter", "[Getter]"),
            ("proxy", "{ inside: { x: 1 } }"),
            ("dead", "<Revoked Proxy>"),
            ("cycle", "{ <ref *1> a: 1, self: [Circular *1] }"),
        ] {
            let global = found.iter().find(|global| global.name == name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(global.preview, preview, "{name}");
        }
        globals(bench, true);
        assert_eq!(names(bench, "proxy.in"), "inside");
        assert_eq!(names(bench, "proxy.inside.x"), "x");
        assert_eq!(names(bench, "inherits.bel"), "below");
        assert_eq!(names(bench, "cycle.self.self.self.s"), "self");
        for before in [
            "getter.x",
            "dead.",
            "inheritsDead.zz",
            "tagged.a.x",
            "'a'.zz",
            "map.zz",
            "[].x; called.zz",
            "proxy.inside.zz",
        ] {
            assert_eq!(names(bench, before), "", "{before}");
        }
        assert_eq!(bench.value("String(called.length) + called"), "0");
    });
}

#[test]
fn answers_are_bounded_in_size_and_time() {
    on_both(|bench| {
        bench.limits.cpu = Duration::from_secs(60);
        bench.limits.wall = Duration::from_secs(60);
        bench.limits.memory_bytes = 256 << 20;
        bench.run("for (let n = 0; n < 5000; n++) globalThis['g' + n] = {n}");
        bench.run("globalThis['x'.repeat(300)] = 1");
        let begun = Instant::now();
        let (found, more) = globals(bench, false);
        assert_eq!((found.len(), found.len() as u64 + more), (1000, 5001));
        bench.run("for (let n = 0; n < 5000; n++) delete globalThis['g' + n]");
        assert_eq!(globals(bench, false), (vec![], 1));
        bench.run("let huge = {}; for (let n = 0; n < 300_000; n++) huge['k' + n] = 1; let list = Array(1e6).fill(0), long = 'x'.repeat(1e7)");
        bench.run("for (let n = 0; n < 500; n++) globalThis['h' + n] = huge");
        let (found, _) = globals(bench, false);
        assert!(found.iter().all(|global| global.preview.chars().count() <= 200));
        assert_eq!(ask(bench, "huge.").len(), 200);
        assert!(ask(bench, "list.").len() > 30);
        assert!(ask(bench, "long.").len() > 30);
        let wanted = Wanted::Globals { prefix: "x".repeat(1 << 20) };
        assert_eq!(bench.realm.ask(Question::Names(wanted)), Some(Answer::Names(vec![])));
        // Unoptimised, and beside others: what must not happen takes minutes, or for ever.
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}", begun.elapsed());
        // And the session goes on.
        assert_eq!(bench.value("1 + 1"), "2");
    });
}

#[test]
fn a_heap_that_is_full_is_no_harm() {
    on_both(|bench| {
        bench.limits.memory_bytes = 32 << 20;
        bench.run("globalThis.fill = []; for (;;) fill.push({n: fill.length})");
        let (found, _) = globals(bench, false);
        assert!(found.len() <= 1, "{found:?}");
        let _ = ask(bench, "fill.");
        bench.run("fill = 0");
        assert_eq!(bench.value("fill"), "0");
        assert_eq!(globals(bench, false).0.iter().map(|global| global.kind).collect::<Vec<_>>(), [GlobalKind::Global]);
    });
}
