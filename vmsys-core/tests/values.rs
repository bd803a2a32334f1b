//! Values between Rust and sessions: what is evaluated, called, set and got, exact and typed, and recorded like any run.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use vmsys_core::{
    Bytes, ErrorCode, EvalError, ExecutionFilter, ExecutionKind, ExecutionStatus, LimitsPatch, NewSession, NewTemplate,
    Payload, Session, SessionStart, Submission, Value, VmSystem,
};

/// More than anything here takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn session_with(change: impl FnOnce(&mut NewTemplate)) -> Session {
    let vm = VmSystem::in_memory().unwrap();
    let mut new = NewTemplate::named("t");
    change(&mut new);
    let template = vm.create_template(new).unwrap();
    vm.create_session(NewSession::new(template.id, std::env::temp_dir())).unwrap()
}

fn session() -> Session {
    session_with(|_| {})
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Item {
    sku: String,
    tags: Vec<String>,
    #[serde(default)]
    note: Option<String>,
}

#[test]
fn values_are_whole_and_exact() {
    let session = session();
    let rows: Vec<u32> = session.eval("Array.from({length: 50_000}, (_, i) => i)").unwrap();
    assert_eq!((rows.len(), rows[49_999]), (50_000, 49_999));
    let text: String = session.eval("'x'.repeat(3_000_000)").unwrap();
    assert_eq!(text.len(), 3_000_000);
    assert_eq!(session.eval::<u64>("2n ** 64n - 1n").unwrap(), u64::MAX);
    assert_eq!(session.eval::<f64>("0.1 + 0.2").unwrap(), 0.1 + 0.2);
    assert!(session.eval::<f64>("NaN").unwrap().is_nan());
    assert_eq!(session.eval::<Bytes>("new Uint8Array([1, 255])").unwrap().0, [1, 255]);
    assert_eq!(session.eval::<Option<u8>>("undefined").unwrap(), None);
    session.eval::<()>("let later = 1").unwrap();
    assert_eq!(session.eval::<(u8, String)>("[later, 'b']").unwrap(), (1, "b".to_owned()));
    assert_eq!(session.eval::<BTreeMap<String, i8>>("({a: -1})").unwrap()["a"], -1);
    let item: Item = session.eval("({sku: 'a', tags: ['x'], extra: 1})").unwrap();
    assert_eq!(item, Item { sku: "a".to_owned(), tags: vec!["x".to_owned()], note: None });
    assert_eq!(session.eval::<Value>("[1n, null]").unwrap(), Value::Array(vec![Value::BigInt(1), Value::Null]));
}

#[test]
fn promises_are_awaited() {
    let session = session();
    let later = "new Promise(done => setTimeout(done, 1, [7]))";
    assert_eq!(session.eval::<[u8; 1]>(later).unwrap(), [7]);
    assert_eq!(session.eval::<[u8; 1]>(format!("await 0; {later}")).unwrap(), [7]);
    session
        .repl("async function twice(n) { await null; if (n < 0) throw new RangeError('negative'); return n * 2 }")
        .unwrap();
    assert_eq!(session.eval::<u8>("twice(4)").unwrap(), 8);
    assert_eq!(session.call::<u8>("twice", (5,)).unwrap(), 10);
    let error = session.call::<u8>("twice", (-1,)).unwrap_err();
    assert_eq!(error.thrown().unwrap().name(), "RangeError");
    let error = session.eval::<u8>("new Promise(() => {})").unwrap_err();
    let EvalError::Stopped(execution) = error else { panic!("{error:?}") };
    assert_eq!(execution.error.unwrap().code, Some(ErrorCode::Unsettled));
    // Without anybody who wants its value, a promise is what it always was.
    assert_eq!(session.repl("twice(4)").unwrap().result.unwrap().kind.to_string(), "promise");
}

#[test]
fn what_is_thrown_comes_as_typed_data() {
    let session = session();
    let input = "class Full extends Error { name = 'FullError'; code = 'E_FULL' } \
                 throw Object.assign(new Full('no room'), {left: 3, at: new Uint8Array([1]), f() {}})";
    let error = session.eval::<()>(input).unwrap_err();
    let thrown = error.thrown().unwrap();
    assert_eq!((thrown.name(), thrown.message(), thrown.code()), ("FullError", "no room", Some("E_FULL")));
    assert_eq!(thrown.property::<u8>("left").unwrap().unwrap(), 3);
    assert_eq!(thrown.property::<Bytes>("at").unwrap().unwrap().0, [1]);
    assert!(thrown.property::<Value>("f").is_none());
    assert!(thrown.property::<String>("left").unwrap().is_err());
    assert!(thrown.stack().unwrap().contains("repl:1"), "{:?}", thrown.stack());
    assert_eq!(error.to_string(), "FullError: no room");
    assert_eq!(error.execution().unwrap().status, ExecutionStatus::Error);

    let error = session.eval::<()>("throw {status: 404}").unwrap_err();
    assert_eq!(error.thrown().unwrap().value().unwrap().get("status"), Some(&Value::Number(404.0)));
    assert_eq!(error.thrown().unwrap().name(), "");
    let error = session.eval::<()>("throw () => {}").unwrap_err();
    assert!(error.thrown().unwrap().value().is_none());
    let error = session.eval::<()>("(function f() { return f() + 1 })()").unwrap_err();
    assert_eq!(error.thrown().unwrap().name(), "RangeError");
}

#[test]
fn what_is_no_data_or_too_much_says_so() {
    let session = session_with(|new| new.settings.limits.mem_mb = 16);
    for (input, words) in [
        ("() => 1", "a function is no data"),
        ("({a: [new Date()]})", "neither plain, nor an array, nor bytes"),
        ("Symbol('s')", "a symbol is no data"),
        ("({get a() { return 1 }})", "a getter is no data"),
        ("new Proxy({}, {})", "a proxy is no data"),
        ("const cycle = {}; cycle.self = cycle", "or a cycle, is no data"),
        ("const long = 'x'.repeat(1e6); Array(100).fill(long)", "more than mem_mb is no data"),
        ("'seven'", "not of the wanted type: invalid type: string \"seven\", expected u8"),
        ("300", "invalid value: integer `300`, expected u8"),
    ] {
        let error = session.eval::<u8>(input).unwrap_err();
        assert!(matches!(error, EvalError::Value { .. }), "{input}: {error:?}");
        assert!(error.to_string().contains(words), "{input}: {error}");
        assert_eq!(error.execution().unwrap().status, ExecutionStatus::Ok);
    }
    let error = session.set_global("big", &"x".repeat(17 << 20)).unwrap_err();
    assert!(matches!(&error, EvalError::Failed(error) if error.message().contains("mem_mb")), "{error:?}");
    let error = session.eval::<u8>("for (;;) [].push([])").unwrap_err();
    assert!(matches!(error, EvalError::Stopped(_)), "{error:?}");
    assert_eq!(session.eval::<u8>("7").unwrap(), 7);
}

#[test]
fn arguments_never_become_code() {
    let session = session();
    session.repl("var hit = 0; const same = (...args) => args; const o = {n: 5, deep: {get() { return this.m }, m: 9}, m() { return this.n }}").unwrap();
    for text in
        ["'); hit = 1; ('", "\\'); hit = 1 //", "`${hit = 1}`", "\u{2028}hit = 1", "\0", "</script>", "__proto__"]
    {
        assert_eq!(session.call::<Vec<String>>("same", (text,)).unwrap(), [text]);
        session.set_global("text", text).unwrap();
        assert_eq!(session.get_global::<String>("text").unwrap(), text);
    }
    let mut object = BTreeMap::from([("__proto__".to_owned(), 1), ("constructor".to_owned(), 2)]);
    assert_eq!(session.call::<Vec<BTreeMap<String, i32>>>("same", (&object,)).unwrap(), [object.clone()]);
    object.clear();
    assert_eq!(session.call::<u8>("o.m", ()).unwrap(), 5);
    assert_eq!(session.call::<u8>("o.deep.get", ()).unwrap(), 9);
    assert_eq!(session.call::<Vec<u8>>("same", vec![1, 2]).unwrap(), [1, 2]);
    for path in
        ["", "a b", "same(1)", "hit = 1", "o.", ".o", "o..m", "o['m']", "(same)", "await", "same\n", "a;b", "1", "eval"]
    {
        let error = session.call::<()>(path, ()).unwrap_err();
        assert!(
            matches!(&error, EvalError::Failed(error) if error.detail("field") == Some("function")),
            "{path:?}: {error:?}"
        );
        assert!(matches!(session.set_global(path, &1), Err(EvalError::Failed(_))), "{path:?}");
        assert!(matches!(session.get_global::<()>(path), Err(EvalError::Failed(_))), "{path:?}");
    }
    let error = session.call::<()>("same", 5).unwrap_err();
    assert!(error.to_string().contains("a tuple"), "{error}");
    for (path, words) in [
        ("nothing", "ReferenceError: nothing is not defined"),
        ("o.nothing", "TypeError: o.nothing is not a function"),
        ("o.nothing.more", "TypeError"),
        ("hit", "TypeError: hit is not a function"),
    ] {
        let error = session.call::<()>(path, ()).unwrap_err();
        assert!(error.to_string().contains(words) && error.thrown().is_some(), "{path}: {error}");
    }
    assert_eq!(session.get_global::<u8>("hit").unwrap(), 0);
}

#[test]
fn globals_are_set_as_an_assignment_would() {
    for strict in [false, true] {
        let session = session_with(|new| new.settings.runtime.strict = strict);
        session.repl("let a = 1; const c = 1; var v = 1; const read = () => [a, v, globalThis.fresh ?? null]").unwrap();
        session.set_global("a", &2).unwrap();
        session.set_global("v", &3).unwrap();
        session.set_global("fresh", &Item { sku: "s".to_owned(), tags: vec![], note: None }).unwrap();
        let (a, v, fresh): (u8, u8, Item) = session.call("read", ()).unwrap();
        assert_eq!((a, v, fresh.sku.as_str()), (2, 3, "s"));
        let error = session.set_global("c", &2).unwrap_err();
        assert_eq!(error.thrown().unwrap().name(), "TypeError");
        let error = session.set_global("undefined", &2).unwrap_err();
        assert_eq!(error.thrown().unwrap().name(), "TypeError");
        assert!(matches!(session.set_global("if", &2), Err(EvalError::Failed(_))));
        assert_eq!(session.get_global::<()>("absent").unwrap_err().thrown().unwrap().name(), "ReferenceError");
        assert_eq!(session.get_global::<u8>("c").unwrap(), 1);
    }
}

#[test]
fn all_of_it_is_recorded_with_what_it_was_given() {
    let session = session();
    session.repl("function f(...args) { console.log(args.length); return args.length }").unwrap();
    session.call::<u8>("f", (1, f64::NAN, u64::MAX, Bytes(vec![1, 2]), BTreeMap::from([("$bytes", "x")]))).unwrap();
    session.set_global("g", &[1, 2]).unwrap();
    session.eval::<u8>("g.length").unwrap();
    let history = session.executions(&ExecutionFilter::default()).unwrap();
    let kinds: Vec<ExecutionKind> = history.iter().map(|execution| execution.kind).collect();
    assert_eq!(kinds, [ExecutionKind::Repl, ExecutionKind::SetGlobal, ExecutionKind::Call, ExecutionKind::Repl]);
    let (call, set) = (&history[2], &history[1]);
    assert_eq!((call.input.as_deref(), call.result.as_ref().unwrap().preview.as_str()), (Some("f"), "5"));
    assert_eq!(
        serde_json::Value::Object(call.args.clone()),
        serde_json::json!({
            "0": 1, "1": {"$number": "NaN"}, "2": {"$bigint": "18446744073709551615"}, "3": {"$bytes": "AQI="},
            "4": {"$object": {"$bytes": "x"}},
        })
    );
    assert_eq!((set.input.as_deref(), &set.args["value"]), (Some("g"), &serde_json::json!([1, 2])));
}

#[test]
fn limits_of_a_handle_are_tighter_and_never_looser() {
    let session = session();
    let patch = |change: fn(&mut LimitsPatch)| {
        let mut limits = LimitsPatch::default();
        change(&mut limits);
        limits
    };
    let quick = session.limited(patch(|limits| limits.cpu_ms = Some(50))).unwrap();
    let error = quick.eval::<()>("for (;;) {}").unwrap_err();
    let EvalError::Stopped(execution) = error else { panic!("{error:?}") };
    assert_eq!(execution.status, ExecutionStatus::Timeout);
    assert!(execution.error.unwrap().message.contains("(50 ms)"));
    assert_eq!(quick.start(Submission::repl("for (;;) {}")).unwrap().wait().unwrap().status, ExecutionStatus::Timeout);
    // What binds a handle binds those that are made of it.
    let quiet = quick.limited(patch(|limits| limits.max_events = Some(2))).unwrap();
    assert_eq!(quiet.repl("for (;;) {}").unwrap().status, ExecutionStatus::Timeout);
    assert_eq!(
        quiet.repl("for (;;) console.log(1)").unwrap().error.unwrap().code,
        Some(ErrorCode::OutputLimitExceeded)
    );
    let error = quick.limited(patch(|limits| limits.cpu_ms = Some(100))).unwrap_err();
    assert!(error.message().contains("100 is more than the 50"), "{error}");
    for (field, limits) in [
        ("limits.cpu_ms", patch(|limits| limits.cpu_ms = Some(5_001))),
        ("limits.wall_ms", patch(|limits| limits.wall_ms = Some(40_000))),
        ("limits.mem_mb", patch(|limits| limits.mem_mb = Some(129))),
        ("limits.max_events", patch(|limits| limits.max_events = Some(1_001))),
        ("limits.max_output_kb", patch(|limits| limits.max_output_kb = Some(1_000))),
        ("limits.mem_mb", patch(|limits| limits.mem_mb = Some(1))),
    ] {
        assert_eq!(session.limited(limits).unwrap_err().detail("field"), Some(field));
    }
    session.close().unwrap();
    assert!(session.limited(LimitsPatch::default()).is_err());
}

#[test]
fn output_is_heard_as_it_comes_from_startup_on() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("start.js"), "console.log('starting')").unwrap();
    let vm = VmSystem::in_memory().unwrap();
    let template = vm.create_template(NewTemplate::named("t")).unwrap();
    vm.add_startup_file(template.id, vmsys_core::NewStartupFile::eval("start.js")).unwrap();
    let (send, heard) = std::sync::mpsc::channel();
    let new = NewSession::new(template.id, dir.path()).on_console(move |event| match &event.payload {
        Payload::Console { text, .. } if text == "panic" => panic!("mine"),
        Payload::Console { text, .. } | Payload::Stdout { text } => send.send(text.clone()).unwrap(),
        other => panic!("{other:?}"),
    });
    let session = vm.create_session(new).unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "starting");
    let running =
        session.start(Submission::repl("console.log('first'); process.stdout.write('raw'); for (;;) {}")).unwrap();
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "first");
    assert_eq!(heard.recv_timeout(PATIENCE).unwrap(), "raw");
    // From this thread, while the session's own computes.
    assert_eq!(running.cancel().unwrap().status, ExecutionStatus::Cancelled);
    let run = session.repl("console.log('panic'); 5").unwrap();
    assert_eq!((run.result.unwrap().preview.as_str(), run.events.len()), ("5", 3));
}

#[test]
fn futures_need_no_particular_runtime() {
    async fn all(session: Session) {
        assert_eq!(session.eval_async::<u8>("await new Promise(done => setTimeout(done, 5)); 42").await.unwrap(), 42);
        session.repl("const add = async (a, b) => a + b").unwrap();
        assert_eq!(session.call_async::<u8>("add", (1, 2)).await.unwrap(), 3);
        assert!(session.eval_async::<u8>("throw new Error('no')").await.unwrap_err().thrown().is_some());
        assert!(matches!(session.call_async::<u8>("a b", ()).await, Err(EvalError::Failed(_))));
        let running = session.start(Submission::repl("console.log('a'); console.log('b'); 7")).unwrap();
        let mut events = running.event_stream().unwrap();
        let mut kinds = Vec::new();
        while let Some(event) = next(&mut events).await {
            kinds.push(event.unwrap().seq);
        }
        assert_eq!(kinds, [1, 2, 3, 4]);
        assert_eq!(running.clone().await.unwrap().result.unwrap().preview, "7");
        assert_eq!(running.await.unwrap().status, ExecutionStatus::Ok);
        let mut all = session.event_stream(SessionStart::Tail(1)).unwrap();
        assert!(next(&mut all).await.unwrap().is_ok());
        session.close().unwrap();
        while next(&mut all).await.is_some() {}
        assert!(session.events(SessionStart::Beginning).unwrap().count() > 10);
    }
    pollster::block_on(all(session()));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(all(session()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::spawn(all(session())).await.unwrap() });
}

async fn next<S: futures_core::Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    std::future::poll_fn(|context| std::pin::Pin::new(&mut *stream).poll_next(context)).await
}

#[test]
fn a_future_that_is_dropped_cancels_its_execution() {
    let session = session();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let id = runtime.block_on(async {
        let evaluation = session.eval_async::<()>("globalThis.n = 1; for (;;) {}");
        let id = evaluation.execution_id().unwrap();
        let elapsed = tokio::time::timeout(Duration::from_millis(20), evaluation).await;
        assert!(elapsed.is_err());
        id
    });
    // What is asked next waits for that.
    assert_eq!(session.eval::<u8>("n").unwrap(), 1);
    let first = session.executions(&ExecutionFilter::default()).unwrap().pop().unwrap();
    assert_eq!((first.id, first.status), (id, ExecutionStatus::Cancelled));
}

#[test]
fn what_follows_a_dropped_future_waits_for_its_end() {
    let session = session();
    let vm = session.vm();
    let leave =
        || drop(session.eval_async::<()>("try { for (;;) {} } finally { globalThis.n = (globalThis.n ?? 0) + 1 }"));
    for _ in 0..20 {
        leave();
        session.repl("1").unwrap();
        leave();
        vm.start(session.id(), Submission::repl("1")).unwrap().wait().unwrap();
        leave();
        session.globals(false).unwrap();
        leave();
        assert_eq!(session.eval_async::<u8>("1").wait().unwrap(), 1);
        leave();
        assert_eq!(pollster::block_on(session.eval_async::<u8>("2")).unwrap(), 2);
    }
    // What nobody has dropped is as busy as ever.
    let running = session.eval_async::<()>("for (;;) {}");
    let busy = session.eval::<u8>("1").unwrap_err();
    assert!(matches!(&busy, EvalError::Failed(error) if error.code() == "SESSION_BUSY"), "{busy:?}");
    drop(running);
    assert!(session.cancel().is_ok());
    assert!(session.cancel().unwrap().is_none());
}

#[test]
fn a_value_that_nobody_waits_for_stops_with_its_cancellation() {
    let session = session();
    let running = session.eval_async::<u8>("for (;;) {}");
    let (id, canceller) = (running.execution_id().unwrap(), session.vm());
    let thread = std::thread::spawn(move || canceller.cancel(id).unwrap());
    let error = pollster::block_on(running).unwrap_err();
    assert!(matches!(error, EvalError::Stopped(execution) if execution.status == ExecutionStatus::Cancelled));
    thread.join().unwrap();
}

#[test]
fn handles_can_be_sent_and_shared() {
    fn both<T: Send + Sync>() {}
    fn sent<T: Send>() {}
    both::<VmSystem>();
    both::<Session>();
    both::<vmsys_core::RunningExecution>();
    both::<EvalError>();
    both::<vmsys_core::Config>();
    sent::<vmsys_core::Evaluation<std::rc::Rc<u8>>>();
    sent::<vmsys_core::EndOfExecution>();
    sent::<vmsys_core::Events>();
    sent::<vmsys_core::EventStream>();
    sent::<vmsys_core::SessionEvents>();
    sent::<vmsys_core::SessionEventStream>();
}

#[test]
fn modules_are_imported_by_names_that_never_become_code() {
    let session = session();
    session.import("path", "p").unwrap();
    assert_eq!(session.call::<String>("p.join", ("a", "b")).unwrap(), "a/b");
    session.import("node:url", "p").unwrap();
    assert_eq!(session.eval::<String>("typeof p.fileURLToPath + typeof p.join").unwrap(), "functionundefined");
    for module in
        ["x\"; globalThis.hit = 1; \"", "x\n\u{2028}'`${globalThis.hit = 1}", "\\", "\0", "", "./é\u{10ffff}.js"]
    {
        let error = session.import(module, "m").unwrap_err();
        assert!(error.thrown().is_some(), "{module:?}: {error:?}");
    }
    for name in ["", "if", "a, b", "a } from 'path'; hit = 1; import {x", "{sep}", "a.b", "\\u0061"] {
        let error = session.import("path", name).unwrap_err();
        assert!(
            matches!(&error, EvalError::Failed(error) if error.detail("field") == Some("name")),
            "{name:?}: {error:?}"
        );
    }
    assert_eq!(session.eval::<String>("typeof hit + typeof m").unwrap(), "undefinedundefined");
}

#[test]
fn code_that_does_not_compile_is_told_from_code_that_throws() {
    let session = session();
    let syntax = |session: &Session, input: &str| {
        let error = session.eval::<Value>(input).expect_err(input);
        let shown = error.to_string();
        let EvalError::Syntax { execution, message, line: Some(line), column: Some(column) } = error else {
            panic!("{input}: {error:?}")
        };
        let stored = execution.error.as_ref().unwrap();
        assert_eq!((stored.message.as_str(), stored.code), (format!("SyntaxError: {message}").as_str(), None));
        assert!(stored.stack.as_ref().unwrap().ends_with(&format!("repl:{line}:{column}")), "{stored:?}");
        assert_eq!(execution.status, ExecutionStatus::Error);
        shown
    };
    for (input, expected) in [
        ("1 +\n  * 2", "SyntaxError: unexpected token in expression: '*' (line 2, column 3)"),
        ("let x; let x", "SyntaxError: invalid redefinition of lexical identifier (line 1, column 13)"),
        ("'é😀'; var = 1", "SyntaxError: variable name expected (line 1, column 15)"),
        ("await 1; if (", "SyntaxError: unexpected token in expression: '' (line 1, column 14)"),
        ("{a: 1, b: }", "SyntaxError: expecting ';' (line 1, column 9)"),
        ("return 1", "SyntaxError: return not in a function (line 1, column 1)"),
        ("export let a = 1", "SyntaxError: unsupported keyword: export (line 1, column 1)"),
        ("import {x} from", "SyntaxError: Unexpected token '{' (line 1, column 8)"),
        ("let n: number = 1", "SyntaxError: expecting ';' (line 1, column 6)"),
    ] {
        assert_eq!(syntax(&session, input), expected, "{input}");
    }
    let typescript = session_with(|template| template.settings.runtime.typescript = true);
    assert_eq!(typescript.eval::<u8>("let n: number = 1; n").unwrap(), 1);
    let shown = syntax(&typescript, "let é: string;\n  enum E { A }");
    assert!(shown.starts_with("SyntaxError: TypeScript enums are not supported"), "{shown}");
    assert!(shown.ends_with("(line 2, column 3)"), "{shown}");

    // Whatever runs can throw what looks the same, also what the engine has made.
    session.repl("var taken; const made = (() => { try { eval('var = 1') } catch (e) { return e } })()").unwrap();
    for input in [
        "JSON.parse('{')",
        "throw new SyntaxError('variable name expected')",
        "throw made",
        "await 1; throw made",
        "Promise.reject(made)",
        "{ [Symbol.iterator]: (() => { throw made })() }",
        "eval('var = 1')",
        "new Function('var = 1')",
        "import {nope} from 'path'",
        "let taken = 1",
        "await 1; let taken = 1",
    ] {
        let error = session.eval::<Value>(input).unwrap_err();
        let thrown = error.thrown().unwrap_or_else(|| panic!("{input}: {error:?}"));
        assert_eq!((thrown.name(), error.code()), ("SyntaxError", None), "{input}");
    }
    assert!(session.call::<Value>("JSON.parse", ("{",)).unwrap_err().thrown().is_some());

    // A text that is too much for the parser is well-formed, as far as anybody knows.
    let error = session.eval::<Value>("(".repeat(500_000)).unwrap_err();
    assert_eq!(error.code(), Some(ErrorCode::StackOverflow), "{error:?}");
    let mut limits = LimitsPatch::default();
    limits.cpu_ms = Some(50);
    let limited = session.limited(limits).unwrap();
    for (input, code) in [
        ("for (;;);", ErrorCode::Timeout),
        ("const all = []; for (;;) all.push('x'.repeat(1e6) + all.length)", ErrorCode::OutOfMemory),
        ("new Promise(() => {})", ErrorCode::Unsettled),
        ("(function f() { f() })()", ErrorCode::StackOverflow),
    ] {
        let asked = if code == ErrorCode::Timeout { &limited } else { &session };
        assert_eq!(asked.eval::<Value>(input).unwrap_err().code(), Some(code), "{input}");
    }
    assert_eq!(session.eval::<Value>("throw 1").unwrap_err().code(), None);
}
