//! What a console asks of a session: globals, completions, checks of inputs, history; and values as trees.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    Daemon, NOBODY, all_cases, array, check_id, check_members, check_time, events_of, pluck, refused_field, same, text,
};

fn globals(daemon: &Daemon, session: &str) -> Vec<Value> {
    let answer = daemon.get(&format!("/sessions/{session}/globals")).ok(200);
    check_members(&answer, &["globals", "more"]);
    let globals = array(answer["globals"].clone());
    for global in &globals {
        check_members(global, &["name", "kind", "type?", "preview", "changed_by?"]);
    }
    globals
}

fn complete(daemon: &Daemon, session: &str, body: &Value) -> Value {
    let answer = daemon.post(&format!("/sessions/{session}/completions"), body).ok(200);
    check_members(&answer, &["from", "to", "items"]);
    answer
}

fn labels(daemon: &Daemon, session: &str, source: &str) -> Vec<String> {
    pluck(&array(complete(daemon, session, &json!({ "source": source }))["items"].clone()), "label")
}

fn check(daemon: &Daemon, session: &str, source: &str) -> Value {
    daemon.post(&format!("/sessions/{session}/check"), &json!({ "source": source })).ok(200)
}

fn history(daemon: &Daemon, session: &str, query: &str) -> Vec<Value> {
    let answer = daemon.get(&format!("/sessions/{session}/history{query}")).ok(200);
    check_members(&answer, &["entries"]);
    array(answer["entries"].clone())
}

#[test]
fn globals_say_what_they_are_and_what_changed_them() {
    let daemon = Daemon::start();
    let session = daemon.session();
    assert_eq!(globals(&daemon, &session), [] as [Value; 0]);
    let first = text(&daemon.repl(&session, "let x = 20; const list = [1, {a: 2}]")["id"]);
    let expected = |x: &str, x_by: &str| {
        [
            json!({ "name": "x", "kind": "let", "type": "number", "preview": x, "changed_by": x_by }),
            json!({ "name": "list", "kind": "const", "type": "array", "preview": "[ 1, { a: 2 } ]", "changed_by": first }),
        ]
    };
    assert_eq!(globals(&daemon, &session), expected("20", &first));
    let second = text(&daemon.repl(&session, "x *= 2")["id"]);
    assert_eq!(globals(&daemon, &session), expected("40", &second));
    daemon.repl(&session, "x + 1");
    assert_eq!(globals(&daemon, &session), expected("40", &second));
    // Of two executions nobody has looked in between: which one it was is not known, and not made up.
    daemon.repl(&session, "x = 1");
    daemon.repl(&session, "x = 2");
    assert!(globals(&daemon, &session)[0].get("changed_by").is_none());

    let all = daemon.get(&format!("/sessions/{session}/globals?builtins=true")).ok(200);
    let names = pluck(&array(all["globals"].clone()), "name");
    assert!(
        ["x", "list", "Array", "console", "fetch"]
            .iter()
            .all(|name| names.contains(&(*name).to_owned()) || *name == "fetch"),
        "{names:?}"
    );
}

#[test]
fn names_are_completed_without_running_anything() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.repl(
        &session,
        "let called = 0; const point = {left: 1, top() {}, 'a b': 2, get lazy() { called++; return {} }}",
    );
    let found = complete(&daemon, &session, &json!({ "source": "f(point.l, 1)", "cursor": 9 }));
    let expected = json!({ "from": 8, "to": 9, "items": [
        { "label": "lazy", "kind": "property", "detail": "accessor" },
        { "label": "left", "kind": "property", "detail": "number" },
    ] });
    assert_eq!(found, expected);
    let own = labels(&daemon, &session, "point.");
    assert_eq!(own[..4], ["[\"a b\"]", "lazy", "left", "top"]);
    assert!(own.contains(&"hasOwnProperty".to_owned()), "{own:?}");
    assert_eq!(labels(&daemon, &session, "point.lazy."), [] as [&str; 0]);
    assert_eq!(labels(&daemon, &session, "poi"), ["point"]);
    assert_eq!(labels(&daemon, &session, "deb"), ["debugger"]);
    assert_eq!(labels(&daemon, &session, "'poi"), [] as [&str; 0]);
    assert!(labels(&daemon, &session, "console.lo").contains(&"log".to_owned()));
    // The cursor counts as JavaScript does.
    let found = complete(&daemon, &session, &json!({ "source": "'𝄞'; point.le" }));
    assert_eq!((&found["from"], &found["to"]), (&json!(12), &json!(14)));
    assert_eq!(daemon.preview(&session, "called"), "0");

    all_cases(
        [
            (json!({}), "source"),
            (json!({ "source": 1 }), "source"),
            (json!({ "source": "a", "cursor": 2 }), "cursor"),
            (json!({ "source": "a", "cursor": -1 }), "cursor"),
            (json!({ "source": "a", "cursor": "1" }), "cursor"),
            (json!({ "source": "a", "cursor": null }), "cursor"),
        ],
        |(body, field)| {
            let answer = daemon.post(&format!("/sessions/{session}/completions"), &body);
            refused_field(&body.to_string(), &answer, field)
        },
    );
    daemon
        .post(&format!("/sessions/{session}/completions"), &json!({ "source": "", "x": 1 }))
        .error(400, "INVALID_REQUEST");
}

#[test]
fn an_input_is_whole_open_or_wrong() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for whole in ["", "x", "{a: 1}", "await f()", "import a from 'b'", "`a`"] {
        assert_eq!(check(&daemon, &session, whole), json!({ "complete": true, "error": null }), "{whole}");
    }
    for open in ["{", "f(", "`a ${", "/* a", "function f() {", "x +", "if (a)"] {
        assert_eq!(check(&daemon, &session, open), json!({ "complete": false, "error": null }), "{open}");
    }
    let wrong = check(&daemon, &session, "let a = 1\nlet = = 2");
    assert_eq!(wrong["complete"], true);
    assert_eq!(wrong["error"]["line"], 2, "{wrong}");
    check_members(&wrong["error"], &["message", "line", "column"]);
    assert!(text(&wrong["error"]["message"]).starts_with("SyntaxError: "), "{wrong}");
    // Types are for templates that take them.
    assert_ne!(check(&daemon, &session, "let a: number = 1")["error"], Value::Null);
    let typed = daemon.session_of(&daemon.template(json!({ "runtime": { "typescript": true } })));
    assert_eq!(check(&daemon, &typed, "let a: number = 1")["error"], Value::Null);
    // What would use up a parser's stack is refused before.
    check(&daemon, &session, &"[".repeat(500_000));
    check(&daemon, &session, &"a => ".repeat(100_000));
}

#[test]
fn history_is_what_was_typed_newest_first_and_outlives_the_session() {
    let daemon = Daemon::start();
    let session = daemon.session();
    assert_eq!(history(&daemon, &session, ""), [] as [Value; 0]);
    daemon.home.write("file.js", "1");
    let ids: Vec<String> =
        ["1 + 1", "throw 1", "'c'"].iter().map(|input| text(&daemon.repl(&session, input)["id"])).collect();
    daemon.run_file(&session, "file.js");
    let entries = history(&daemon, &session, "");
    assert_eq!(pluck(&entries, "input"), ["'c'", "throw 1", "1 + 1"]);
    for (entry, id) in entries.iter().zip(ids.iter().rev()) {
        check_members(entry, &["execution_id", "input", "started_at"]);
        check_id(&entry["execution_id"]);
        check_time(&entry["started_at"]);
        assert_eq!(&text(&entry["execution_id"]), id);
    }
    assert_eq!(pluck(&history(&daemon, &session, "?limit=1"), "input"), ["'c'"]);
    assert_eq!(pluck(&history(&daemon, &session, &format!("?before={}", ids[1])), "input"), ["1 + 1"]);
    daemon.delete(&format!("/sessions/{session}")).ok(200);
    assert_eq!(history(&daemon, &session, ""), entries);
    all_cases([("limit=0", "limit"), ("limit=1001", "limit"), ("before=x", "before")], |(query, field)| {
        refused_field(query, &daemon.get(&format!("/sessions/{session}/history?{query}")), field)
    });
}

#[test]
fn whoever_cannot_be_asked_says_why() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let ask = |id: &str| {
        let source = json!({ "source": "x" });
        [
            daemon.get(&format!("/sessions/{id}/globals")),
            daemon.post(&format!("/sessions/{id}/completions"), &source),
            daemon.post(&format!("/sessions/{id}/check"), &source),
            daemon.get(&format!("/sessions/{id}/history")),
        ]
    };
    let (_, answers) = daemon.while_running(&session, "console.log('on'); for (;;);", |running| {
        let answers = ask(&session);
        // What runs was typed, too.
        assert_eq!(history(&daemon, &session, "")[0]["execution_id"], running);
        // Where there is nothing to look up, a session that is busy says so all the same.
        daemon.post(&format!("/sessions/{session}/completions"), &json!({ "source": "'" })).error(409, "SESSION_BUSY");
        daemon.poke(&format!("/executions/{running}/cancel")).ok(200);
        answers
    });
    let [globals, completions, check, history] = answers;
    globals.error(409, "SESSION_BUSY");
    completions.error(409, "SESSION_BUSY");
    check.ok(200);
    history.ok(200);

    daemon.delete(&format!("/sessions/{session}")).ok(200);
    let [globals, completions, check, history] = ask(&session);
    [globals, completions, check].iter().for_each(|answer| drop(answer.error(409, "SESSION_NOT_READY")));
    history.ok(200);
    ask(NOBODY).iter().for_each(|answer| drop(answer.error(404, "SESSION_NOT_FOUND")));
    ask("x").iter().for_each(|answer| drop(answer.error(400, "VALIDATION_ERROR")));
    daemon.get(&format!("/sessions/{session}/globals?builtins=yes")).error(400, "VALIDATION_ERROR");
}

#[test]
fn looking_is_no_execution_and_runs_nothing_of_the_sessions() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.repl(
        &session,
        "let called = []; const spy = (name) => () => { called.push(name); for (;;); };
         Object.defineProperty(globalThis, 'getter', {get: spy('getter'), configurable: true});
         globalThis.proxy = new Proxy({inside: 1}, new Proxy({}, {get: () => spy('trap')()}));
         globalThis.odd = {get [Symbol.toStringTag]() { return spy('tag')() }, toString: spy('toString'), toJSON: spy('toJSON')}; 0",
    );
    let begun = Instant::now();
    assert_eq!(globals(&daemon, &session).len(), 5);
    assert_eq!(labels(&daemon, &session, "proxy.in"), ["inside"]);
    labels(&daemon, &session, "odd.");
    labels(&daemon, &session, "getter.x");
    // Generous: a getter that is called never comes back.
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(daemon.preview(&session, "called.join()"), "");
    assert_eq!(daemon.executions(&session).len(), 2);
}

#[test]
fn values_are_trees_where_one_line_does_not_tell_all() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let run = daemon.repl(&session, "const big = {a: {b: {c: {d: 1}}}, s: 'x'.repeat(10_000)}; big.self = big; console.log('here', big); console.log('plain', 1, [2]); big");
    let printed = events_of(&run, "console");
    let args = array(printed[0]["payload"]["args"].clone());
    assert_eq!(args[0], json!({ "type": "string", "text": "here" }));
    let tree = &args[1];
    assert_eq!((&tree["type"], &tree["name"], &tree["id"]), (&json!("object"), &json!("Object"), &json!(1)));
    assert_eq!(pluck(&array(tree["entries"].clone()), "key"), ["a", "s", "self"]);
    assert_eq!(tree["entries"][0]["value"]["entries"][0]["value"]["entries"][0]["value"]["text"], "{ d: 1 }");
    assert_eq!(text(&tree["entries"][1]["value"]["text"]).len(), 10_000);
    assert_eq!(tree["entries"][2]["value"], json!({ "ref": 1 }));
    assert!(printed[1]["payload"].get("args").is_none(), "{}", printed[1]);
    let value = events_of(&run, "value")[0];
    assert_eq!(value["payload"]["tree"], *tree);
    assert_eq!(run["result"]["tree"], *tree);
    // What is stored is what was answered; lists have none.
    assert_eq!(daemon.execution(&text(&run["id"])), run);
    assert!(daemon.executions(&session)[0]["result"].get("tree").is_none());
    // Strings and numbers have none, nor have values that one line tells all of.
    for plain in ["'x'.repeat(5000)", "1", "({a: 1})", "[1, [2]]", "null"] {
        assert!(daemon.repl(&session, plain)["result"].get("tree").is_none(), "{plain}");
    }
    let error = daemon.repl(&session, "new TypeError('bad', {cause: new Error('why')})")["result"]["tree"].clone();
    assert_eq!((&error["text"], &error["type"]), (&json!("TypeError: bad"), &json!("error")));
    let keys = pluck(&array(error["entries"].clone()), "key");
    assert!(keys.contains(&"stack".to_owned()) && keys.contains(&"cause".to_owned()), "{error}");
}

#[test]
fn trees_are_bounded_for_each_event_and_each_execution() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let run = daemon.repl(&session, "const wide = Array.from({length: 100}, () => ({s: 'x'.repeat(600)})); for (let n = 0; n < 200; n++) console.log({a: {b: {c: {wide}}}})");
    assert_eq!(run["status"], "ok", "{}", run["error"]);
    let sizes: Vec<usize> = events_of(&run, "console")
        .iter()
        .map(|event| event["payload"].get("args").map_or(0, |args| args.to_string().len()))
        .collect();
    assert!(sizes[0] > 10_000, "{sizes:?}");
    assert!(sizes.iter().all(|size| *size <= 64 << 10), "{sizes:?}");
    assert!(sizes.iter().sum::<usize>() <= 4 << 20, "{}", sizes.iter().sum::<usize>());
    assert_eq!(sizes.last(), Some(&0));
    // They are no output: the text alone counts.
    assert!(run["metrics"]["output_bytes"].as_u64().unwrap() < 200 * 100, "{}", run["metrics"]);
}

#[test]
fn the_command_line_shows_globals_names_and_history() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let id = text(&daemon.repl(&session, "let total = {n: 1}")["id"]);
    let shown = daemon.cli(&["session", "globals", &session]).expect(0);
    assert_eq!(
        same(
            "globals",
            shown.lines()[1].split_whitespace().collect::<Vec<_>>(),
            vec!["total", "let", "object", &id, "{", "n:", "1", "}"]
        ),
        Ok(())
    );
    let document = daemon.cli(&["session", "globals", &session, "--json"]).expect(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&document).unwrap()["globals"][0]["name"], "total");
    assert_eq!(daemon.cli(&["session", "complete", &session, "total.n"]).expect(0).stdout, "n  property (number)\n");
    assert_eq!(
        daemon.cli(&["session", "complete", &session, "f(tot)", "--cursor", "5"]).expect(0).stdout,
        "total  global (object)\n"
    );
    assert!(daemon.cli(&["session", "history", &session]).expect(0).stdout.contains("let total = {n: 1}"));
    // A value that is a tree to the API is a line to people.
    let deep = daemon.cli(&["exec", "repl", &session, "({a: {b: {c: {d: {}}}}})"]).expect(0).stdout;
    assert!(deep.contains("\"preview\":") && !deep.contains("tree"), "{deep}");
    daemon.cli(&["session", "globals", NOBODY]).expect(1);
    daemon.cli(&["session", "complete", &session, "a", "--cursor", "7"]).expect(1);
}

#[test]
fn a_session_in_a_process_of_its_own_is_asked_in_the_same_way() {
    let daemon = Daemon::start();
    let session = daemon.session_of(&daemon.template(json!({ "runtime": { "isolation": "process" } })));
    let run = daemon.repl(&session, "const deep = {a: {b: {c: {d: {e: 1}}}}}; let n = 1; deep");
    assert_eq!(run["result"]["tree"]["text"], "{ a: { b: { c: [Object] } } }");
    let found = globals(&daemon, &session);
    assert_eq!(pluck(&found, "name"), ["deep", "n"]);
    assert_eq!(found[1]["changed_by"], run["id"]);
    assert_eq!(labels(&daemon, &session, "deep.a.b.c.d."), labels(&daemon, &session, "deep.a.b.c.d."));
    assert_eq!(labels(&daemon, &session, "deep.a.b.c.d.e")[0], "e");
    // Whatever is asked, and however often, code runs on afterwards.
    for n in 1..20 {
        assert_eq!(globals(&daemon, &session).len(), 2);
        assert_eq!(daemon.preview(&session, "n++"), n.to_string());
    }
    daemon.delete(&format!("/sessions/{session}")).ok(200);
}
