//! What a host does without code of its own, and takes as data: the same whatever a script has done to its world.

use super::*;

impl Bench {
    /// What a text comes to as data.
    fn data_of(&mut self, source: &str, act: Act) -> Data {
        (self.act, self.wants_data) = (act, true);
        let end = self.run(source);
        (self.act, self.wants_data) = (Act::Run, false);
        self.data.take().unwrap_or_else(|| panic!("{source}: {end:?}"))
    }
}

fn number(number: f64) -> Data {
    Data::Value(Value::Number(number))
}

#[test]
fn functions_are_called_and_globals_set_with_data() {
    on_both(|bench| {
        bench.run(
            "let n = 1; const o = {k: 2, f(x) { return [this.k, x] }}; async function later(x) { await 0; return x }",
        );
        let args = vec![Value::Array(vec![Value::Bytes(vec![1, 2]), Value::BigInt(7), "'); n = 9 //".into()])];
        let expected = Value::Array(vec![2.0.into(), args[0].clone()]);
        assert_eq!(bench.data_of("o.f", Act::Call(args.clone())), Data::Value(expected));
        assert_eq!(bench.data_of("later", Act::Call(args.clone())), Data::Value(args[0].clone()));
        assert_eq!(bench.data_of("n", Act::Set(5.0.into())), Data::Value(Value::Null));
        assert_eq!(bench.data_of("fresh", Act::Set(args[0].clone())), Data::Value(Value::Null));
        assert_eq!(bench.value("[n, fresh.length, Object.keys(globalThis).includes('fresh')]"), "[ 5, 3, true ]");
        assert_eq!(bench.data_of("fresh", Act::Run), Data::Value(args[0].clone()));
        // What was declared again, or not at all, is no different for it.
        bench.run("let n = 6");
        assert_eq!(bench.data_of("n", Act::Run), number(6.0));
        bench.run("function twice(x) { return x * 2 } function fails() { throw Object.assign(new TypeError('no'), {at: [1]}) }");
        assert_eq!(bench.data_of("twice", Act::Call(vec![4.0.into()])), number(8.0));
        let error = CallError::new("TypeError", "no").with("at", Value::Array(vec![1.0.into()]));
        assert_eq!(bench.data_of("fails", Act::Call(Vec::new())), Data::Error(error));
        let (missing, none) = (bench.data_of("gone", Act::Call(Vec::new())), bench.data_of("n", Act::Call(Vec::new())));
        assert_eq!(missing, Data::Error(CallError::new("ReferenceError", "gone is not defined")));
        assert_eq!(none, Data::Error(CallError::new("TypeError", "n is not a function")));
    });
}

#[test]
fn scripts_that_changed_their_world_change_no_data() {
    on_both(|bench| {
        bench.run(
            "let ran = 0;
             Array.prototype[Symbol.iterator] = () => { ran++; throw 1 };
             Function.prototype.call = Function.prototype.apply = () => { ran++; return 'mine' };
             Promise.prototype.then = () => { ran++ };
             Object.defineProperty(Object.prototype, 'x', {set() { ran++ }, get() { ran++; return 'mine' }});
             Object.defineProperty(Array.prototype, '0', {set() { ran++ }, get() { ran++; return 'mine' }});
             Object.prototype.toJSON = Array.prototype.toJSON = () => { ran++; return 'mine' };
             function same(value) { return value }",
        );
        let value = Value::object([("x", Value::Array(vec![1.0.into(), Value::object([("x", true.into())])]))]);
        assert_eq!(bench.data_of("same", Act::Call(vec![value.clone()])), Data::Value(value.clone()));
        assert_eq!(bench.data_of("x", Act::Set(value.clone())), Data::Value(Value::Null));
        assert_eq!(bench.data_of("Promise.resolve(1)", Act::Run), number(1.0));
        assert_eq!(bench.data_of("ran", Act::Run), number(1.0), "the setter of the global, as an assignment runs it");
    });
}

#[test]
fn limits_bind_what_is_taken_and_given() {
    on_both(|bench| {
        bench.limits.memory_bytes = 8 << 20;
        bench.run("const keep = (value) => { globalThis.kept = value }; const spin = () => { for (;;); }");
        bench.limits.cpu = Duration::from_millis(100);
        (bench.act, bench.wants_data) = (Act::Call(Vec::new()), true);
        assert_eq!(bench.run("spin"), End::Stopped(Stop::Cpu));
        assert_eq!(bench.data, None);
        bench.limits.cpu = Duration::from_secs(5);
        bench.act = Act::Call(vec![Value::Bytes(vec![0; 16 << 20])]);
        let (end, _) = bench.run_uncleaned("keep");
        assert_eq!(end, End::Stopped(Stop::Memory));
        (bench.act, bench.wants_data) = (Act::Run, false);
        assert_eq!(bench.value("typeof kept"), "undefined");
        let refused = bench.data_of("const s = 'x'.repeat(1e6); Array(20).fill(s)", Act::Run);
        assert_eq!(refused, Data::Unfit("data that takes more than mem_mb is no data".to_owned()));
    });
}
