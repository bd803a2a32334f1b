//! Limits: each ends the execution that passed it, and nothing else.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    Daemon, all_cases, array, check_execution, check_summary, console, events_of, holds, pluck, same, text,
};

/// A session with these limits that holds some state, to be found again after whatever happens.
fn limited(daemon: &Daemon, limits: Value) -> String {
    let session = daemon.limited(limits);
    daemon.eval(&session, "var before = 'before'");
    session
}

/// The session goes on, with the state that it had.
#[track_caller]
fn check_alive(daemon: &Daemon, session: &str) {
    assert_eq!(daemon.session_record(session)["status"], "ready");
    assert_eq!(daemon.preview(session, "before"), "before");
    assert_eq!(daemon.preview(session, "1 + 1"), "2");
}

/// Runs each snippet, which must end with this status and code soon, and leave the session as it was.
#[track_caller]
fn each_ends(daemon: &Daemon, session: &str, status: &str, code: &str, snippets: &[&str]) {
    for snippet in snippets {
        let start = Instant::now();
        let execution = daemon.repl(session, snippet);
        assert_eq!(execution["status"], status, "{snippet}: {execution}");
        assert_eq!(execution["error"]["code"], code, "{snippet}: {execution}");
        assert!(start.elapsed() < Duration::from_secs(5), "{snippet} took {:?}", start.elapsed());
        check_alive(daemon, session);
    }
}

/// Runs a snippet that must pass an output limit. Answers the execution as it is stored.
#[track_caller]
fn overflow(daemon: &Daemon, session: &str, snippet: &str) -> Value {
    let details = daemon.post_repl(session, snippet).error(422, "OUTPUT_LIMIT_EXCEEDED");
    let execution = daemon.execution(&text(&details["execution_id"]));
    check_execution(&execution);
    assert_eq!(execution["status"], "error", "{snippet}");
    assert_eq!(execution["error"]["code"], "OUTPUT_LIMIT_EXCEEDED", "{snippet}");
    let last = execution["events"].as_array().unwrap().last().unwrap();
    assert_eq!(last["type"], "system", "{execution}");
    assert_eq!(last["payload"]["code"], "OUTPUT_LIMIT_EXCEEDED", "{execution}");
    assert_eq!(pluck(&daemon.executions(session), "id")[0], text(&execution["id"]), "the list knows it too");
    check_alive(daemon, session);
    execution
}

/// Endless work of many kinds: none of it may outlast `cpu_ms`, and none may make its stop unseen.
const ENDLESS: [&str; 16] = [
    "while (true) {}",
    "for (;;) await null",
    "(function f() { Promise.resolve().then(f) })()",
    "await new Promise(() => { for (;;); })",
    "try { for (;;); } catch { for (;;); }",
    "try { for (;;); } finally { for (;;); }",
    "for (;;) { try { for (;;); } catch {} }",
    "for (;;) new Promise(() => { for (;;); })",
    "for (;;) (async () => { for (;;); })()",
    "l: for (;;) { try { for (;;); } finally { continue l } }",
    "[3, 2, 1].sort(() => { for (;;); })",
    "JSON.stringify({ toJSON() { for (;;); } })",
    "/(a+)+$/.test('a'.repeat(40) + 'b')",
    "setTimeout(function again() { for (;;); }, 1); await new Promise(w => setTimeout(w, 1e6))",
    "`${{ toString() { for (;;); } }}`",
    "(function* () { try { yield 1 } finally { for (;;); } })().next(); for (;;);",
];

#[test]
fn processor_time_is_limited() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "cpu_ms": 200, "wall_ms": 60_000 }));
    each_ends(&daemon, &session, "timeout", "TIMEOUT", &ENDLESS);
}

#[test]
fn elapsed_time_is_limited() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "cpu_ms": 60_000, "wall_ms": 300 }));
    each_ends(&daemon, &session, "timeout", "TIMEOUT", &ENDLESS);
    let asleep = [
        "await new Promise(wake => setTimeout(wake, 1e7))",
        "await new Promise(() => setInterval(() => {}, 50))",
        "for (;;) await new Promise(wake => setTimeout(wake, 10))",
    ];
    each_ends(&daemon, &session, "timeout", "TIMEOUT", &asleep);
}

#[test]
fn sleeping_costs_no_processor_time() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "cpu_ms": 100, "wall_ms": 30_000 }));
    assert_eq!(daemon.preview(&session, "await new Promise(w => setTimeout(w, 600, 'slept'))"), "slept");
}

#[test]
fn a_limit_is_for_each_execution_anew() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "cpu_ms": 600, "wall_ms": 20_000, "max_events": 4 }));
    for _ in 0..6 {
        let busy = "const end = Date.now() + 150; while (Date.now() < end); console.log('x'); console.log('y'); 1";
        assert_eq!(daemon.preview(&session, busy), "1");
    }
}

#[test]
fn what_ran_before_a_timeout_is_kept() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "cpu_ms": 200, "wall_ms": 5_000 }));
    let execution =
        daemon.repl(&session, "var made = [1]; console.log('one'); made.push(2); console.log('two'); for (;;);");
    assert_eq!(execution["status"], "timeout");
    assert_eq!(console(&execution), ["one", "two"]);
    assert!(execution["metrics"]["wall_ms"].as_u64().unwrap() >= 150, "{execution}");
    assert_eq!(daemon.preview(&session, "made.join()"), "1,2");
}

#[test]
fn timers_of_a_stopped_execution_do_not_fire_later() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "cpu_ms": 5_000, "wall_ms": 200 }));
    let ghost = "var ghost = 0; setInterval(() => { ghost++; console.log('boo') }, 1); await new Promise(w => setTimeout(w, 1e6))";
    assert_eq!(daemon.repl(&session, ghost)["status"], "timeout");
    let seen = daemon.preview(&session, "ghost");
    let next = daemon.repl(&session, "await new Promise(w => setTimeout(w, 50)); ghost");
    assert_eq!(console(&next), [""; 0], "{next}");
    assert_eq!(text(&next["result"]["preview"]), seen);
}

#[test]
fn memory_is_limited() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "mem_mb": 16, "cpu_ms": 4_000 }));
    let greedy = [
        "(() => { const a = []; for (;;) a.push(new Array(1000).fill(0)) })()",
        "(() => { let s = 'x'; for (;;) s += s })()",
        "(() => { const o = {}; for (let i = 0; ; i++) o['k' + i] = i })()",
        "(() => { const m = new Map(); for (let i = 0; ; i++) m.set(i, {}) })()",
        "(() => { try { const a = []; for (;;) a.push([1]) } catch {} return 'caught' })()",
        "(() => { for (;;) { try { const a = []; for (;;) a.push([1]) } catch {} } })()",
        "await (async () => { const a = []; for (;;) a.push(await new Array(1000).fill(0)) })()",
        "'x'.repeat(2 ** 28).length",
        "new ArrayBuffer(2 ** 28).byteLength",
        "new Array(2 ** 24).fill(0).length",
        "'ab'.repeat(1e6).split('').length * 'ab'.repeat(1e7).length",
    ];
    each_ends(&daemon, &session, "error", "OUT_OF_MEMORY", &greedy);
}

#[test]
fn memory_that_is_let_go_can_be_used_again() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "mem_mb": 16, "cpu_ms": 20_000 }));
    // Ten times the limit in all, never half of it at once.
    assert_eq!(daemon.preview(&session, "for (let i = 0; i < 40; i++) { new Uint8Array(4e6).fill(1) } 'done'"), "done");
    for _ in 0..20 {
        assert_eq!(
            daemon.preview(
                &session,
                "(() => { const a = []; for (let i = 0; i < 5e4; i++) a.push([i]); return a.length })()"
            ),
            "50000"
        );
    }
    check_alive(&daemon, &session);
}

#[test]
fn recursion_is_limited() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "cpu_ms": 4_000 }));
    let deep = [
        "(function f() { f() })()",
        "const g = () => g(); g()",
        "const o = { get a() { return this.a } }; o.a",
        "const p = new Proxy({}, { get(t, k, r) { return r[k] } }); p.x",
        "const s = { toString() { return '' + this } }; '' + s",
        "class A { constructor() { new A() } } new A()",
        "const j = { toJSON() { return JSON.stringify(this) } }; JSON.stringify(j)",
        "await (async function f() { await f() })()",
        "(function f() { [1].forEach(f) })()",
        "(function f() { 'a'.replace(/a/, f) })()",
    ];
    each_ends(&daemon, &session, "error", "STACK_OVERFLOW", &deep);
    let depth = daemon.eval(&session, "let depth = 0; try { (function f() { depth++; f() })() } catch (e) { depth }");
    assert!(depth["json"].as_u64().unwrap() > 500, "a script may catch it, and may go as deep as that: {depth}");
}

#[test]
fn the_number_of_events_is_limited() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "max_events": 5, "cpu_ms": 4_000 }));
    // The echo and four lines are five; the event that ends the execution is not counted.
    let fits = daemon.repl(&session, "for (let i = 0; i < 4; i++) console.log(i); 'end'");
    assert_eq!(fits["status"], "ok");
    assert_eq!(fits["events"].as_array().unwrap().len(), 6);
    for snippet in [
        "for (let i = 0; i < 5; i++) console.log(i); 'end'",
        "for (let i = 0; ; i++) console.log(i)",
        "for (let i = 0; ; i++) { try { console.log(i) } catch {} }",
        "for (let i = 0; ; i++) { console.log(i); await null }",
        "(function f(i) { console.log(i); try { f(i + 1) } finally { f(i + 1) } })(0)",
    ] {
        let execution = overflow(&daemon, &session, snippet);
        assert_eq!(console(&execution), ["0", "1", "2", "3"], "{snippet}");
        assert_eq!(execution["events"].as_array().unwrap().len(), 6, "{snippet}");
    }
}

#[test]
fn one_event_is_the_least_that_a_template_can_allow() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "max_events": 1 }));
    assert_eq!(daemon.preview(&session, "1 + 1"), "2");
    assert_eq!(overflow(&daemon, &session, "console.log('too much')")["events"].as_array().unwrap().len(), 2);
}

#[test]
fn the_bytes_of_output_are_limited() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "max_output_kb": 1, "cpu_ms": 4_000 }));
    let fits = daemon.repl(&session, "console.log('x'.repeat(900)); 1");
    assert_eq!(fits["status"], "ok");
    for snippet in [
        "console.log('first'); console.log('x'.repeat(600)); console.log('y'.repeat(600)); 1",
        "console.log('first'); for (;;) console.log('x'.repeat(100))",
        "console.log('first'); for (;;) { try { console.log('é'.repeat(30)) } catch {} }",
        "console.log('first'); console.log('x'.repeat(1e6))",
    ] {
        let execution = overflow(&daemon, &session, snippet);
        let kept = console(&execution);
        assert_eq!(kept[0], "first", "{snippet}");
        assert!(kept.iter().map(String::len).sum::<usize>() <= 1024, "{snippet}: {kept:?}");
    }
    // What a caller sends is no output of his code.
    let long = format!("/*{}*/ 1", "x".repeat(5000));
    assert_eq!(daemon.preview(&session, &long), "1");
}

#[test]
fn output_of_the_limit_and_not_more_is_kept_by_default() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({}));
    let events = overflow(&daemon, &session, "for (let i = 0; ; i++) console.log(i)");
    assert_eq!(events["metrics"]["event_count"], 1001);
    let bytes = overflow(&daemon, &session, "const kb = 'x'.repeat(1024); for (;;) console.log(kb)");
    let kept: usize = console(&bytes).iter().map(String::len).sum();
    assert!((500 * 1024..=512 * 1024).contains(&kept), "{kept}");
}

#[test]
fn what_is_stored_is_what_was_answered() {
    let daemon = Daemon::start();
    let limits = json!({ "cpu_ms": 200, "wall_ms": 400, "mem_mb": 16, "max_events": 20, "max_output_kb": 4 });
    let session = limited(&daemon, limits);
    let snippets = [
        "1",
        "undefined",
        "throw new Error('x')",
        "while (true) {}",
        "await new Promise(w => setTimeout(w, 1e6))",
        "await new Promise(() => {})",
        "(() => { const a = []; for (;;) a.push(new Array(1000).fill(0)) })()",
        "(function f() { f() })()",
        "for (;;) console.log('x'.repeat(100))",
        "for (;;) console.log(1)",
    ];
    all_cases(snippets, |snippet| {
        let answer = daemon.post_repl(&session, snippet);
        let newest = daemon.executions(&session).remove(0);
        check_summary(&newest);
        let stored = daemon.execution(&text(&newest["id"]));
        check_execution(&stored);
        let events = daemon.get(&format!("/executions/{}/events", text(&newest["id"]))).ok(200);
        same(snippet, &events, &stored["events"])?;
        if answer.status == 201 {
            return same(snippet, answer.json(), stored);
        }
        let details = answer.error(422, "OUTPUT_LIMIT_EXCEEDED");
        same(snippet, &details["execution_id"], &stored["id"])?;
        holds(snippet, stored["status"] == "error", &stored)
    });
    assert_eq!(array(daemon.get(&format!("/executions?session_id={session}")).ok(200)).len(), 11);
}

#[test]
fn files_are_limited_like_snippets() {
    let daemon = Daemon::start();
    let session = limited(&daemon, json!({ "cpu_ms": 200, "max_events": 5 }));
    daemon.home.write("endless.js", "console.log('started');\nwhile (true) {}\n");
    let execution = daemon.run_file(&session, "endless.js");
    assert_eq!(execution["status"], "timeout");
    assert_eq!(events_of(&execution, "console").len(), 1);
    daemon.home.write("chatty.js", "for (;;) console.log(1)");
    let details = daemon.post_file(&session, "chatty.js").error(422, "OUTPUT_LIMIT_EXCEEDED");
    assert_eq!(daemon.execution(&text(&details["execution_id"]))["kind"], "run_file");
    check_alive(&daemon, &session);
}

#[test]
fn one_busy_session_holds_up_no_other() {
    let daemon = Daemon::start();
    let busy: Vec<String> = (0..3).map(|_| daemon.limited(json!({ "cpu_ms": 60_000, "wall_ms": 60_000 }))).collect();
    let quick = daemon.session();
    std::thread::scope(|scope| {
        let posts: Vec<_> = busy.iter().map(|session| scope.spawn(|| daemon.post_repl(session, "for (;;);"))).collect();
        let running: Vec<String> = busy.iter().map(|session| daemon.running_execution(session)).collect();
        for _ in 0..20 {
            let start = Instant::now();
            daemon.get("/health").ok(200);
            assert!(start.elapsed() < Duration::from_secs(1), "health took {:?}", start.elapsed());
            assert_eq!(daemon.preview(&quick, "1 + 1"), "2");
            assert!(start.elapsed() < Duration::from_secs(3), "a snippet took {:?}", start.elapsed());
        }
        for id in running {
            daemon.poke(&format!("/executions/{id}/cancel")).ok(200);
        }
        posts.into_iter().for_each(|post| assert_eq!(post.join().unwrap().ok(201)["status"], "cancelled"));
    });
}
