//! Templates and their startup files.

use serde_json::{Value, json};

use crate::support::{
    Daemon, all_cases, array, check_id, check_members, check_time, holds, pluck, refused, refused_field, same, text,
};

const TEMPLATE: [&str; 8] =
    ["id", "name", "engine", "is_active", "exposed_modules", "libraries", "created_at", "updated_at"];

/// Each limit with its default, least and most.
const LIMITS: [(&str, u64, u64, u64); 5] = [
    ("cpu_ms", 5_000, 1, 3_600_000),
    ("wall_ms", 30_000, 1, 86_400_000),
    ("mem_mb", 128, 4, 4_096),
    ("max_events", 1_000, 1, 1_000_000),
    ("max_output_kb", 512, 1, 65_536),
];

fn detail(daemon: &Daemon, id: &str) -> Value {
    daemon.get(&format!("/templates/{id}")).ok(200)
}

#[test]
fn a_name_is_all_that_a_template_needs() {
    let daemon = Daemon::start();
    let template = daemon.post("/templates", &json!({ "name": "demo" })).ok(201);
    check_members(&template, &TEMPLATE);
    check_id(&template["id"]);
    check_time(&template["created_at"]);
    assert_eq!(template["created_at"], template["updated_at"]);
    assert_eq!(template["name"], "demo");
    assert_eq!(template["engine"], "quickjs");
    assert_eq!(template["is_active"], true);
    assert_eq!(template["exposed_modules"], json!([]));
    assert_eq!(template["libraries"], json!([]));

    let detail = detail(&daemon, &text(&template["id"]));
    check_members(&detail, &["template", "settings", "capabilities", "startup_files"]);
    assert_eq!(detail["template"], template);
    assert_eq!(detail["capabilities"], json!([]));
    assert_eq!(detail["startup_files"], json!([]));
    let settings = &detail["settings"];
    for (limit, default, ..) in LIMITS {
        assert_eq!(settings["limits"][limit], default, "{limit}");
    }
    assert_eq!(settings["limits"].as_object().unwrap().len(), LIMITS.len());
    let resolver = json!({ "roots": [], "extensions": [".js", ".mjs"], "allow_absolute_repo_imports": false });
    assert_eq!(settings["resolver"], resolver);
    let runtime =
        json!({ "esm": false, "strict": false, "console": true, "typescript": false, "isolation": "default" });
    assert_eq!(settings["runtime"], runtime);
}

#[test]
fn the_engine_of_the_original_is_an_alias() {
    let daemon = Daemon::start();
    for (name, engine) in [("a", "quickjs"), ("b", "goja")] {
        let template = daemon.post("/templates", &json!({ "name": name, "engine": engine })).ok(201);
        assert_eq!(template["engine"], "quickjs", "asked for {engine}");
    }
    all_cases(["v8", "", "QuickJS", "goja "], |engine| {
        let response = daemon.post("/templates", &json!({ "name": "c", "engine": engine }));
        refused_field(engine, &response, "engine")
    });
}

#[test]
fn names_have_rules() {
    let daemon = Daemon::start();
    let too_long = "x".repeat(201);
    all_cases(["", "   ", "a\nb", "a\0b", "\u{7f}", "\u{85}", too_long.as_str()], |name| {
        refused_field(&format!("{name:.20?}"), &daemon.post("/templates", &json!({ "name": name })), "name")
    });
    let longest = "é".repeat(200);
    all_cases(["x", "with space", "日本語", "'; DROP TABLE templates; --", "a/b?c#d%", longest.as_str()], |name| {
        let response = daemon.post("/templates", &json!({ "name": name }));
        holds(name, response.status == 201, response.text())?;
        same(name, text(&response.json()["name"]).as_str(), name)
    });
    assert_eq!(array(daemon.get("/templates").ok(200)).len(), 6);
}

#[test]
fn a_name_is_taken_until_its_template_is_deleted() {
    let daemon = Daemon::start();
    let id = daemon.template(json!({ "name": "only" }));
    daemon.post("/templates", &json!({ "name": "only" })).error(409, "ALREADY_EXISTS");
    daemon.delete(&format!("/templates/{id}")).ok(200);
    let again = daemon.template(json!({ "name": "only" }));
    assert_ne!(id, again);
}

#[test]
fn one_of_many_that_want_a_name_gets_it() {
    let daemon = Daemon::start();
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let clients: Vec<_> =
            (0..8).map(|_| scope.spawn(|| daemon.post("/templates", &json!({ "name": "race" })).status)).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 7, "{statuses:?}");
}

#[test]
fn settings_are_laid_over_the_defaults() {
    let daemon = Daemon::start();
    let given =
        json!({ "limits": { "cpu_ms": 1234 }, "resolver": { "extensions": [".cjs"] }, "runtime": { "strict": true } });
    let settings = detail(&daemon, &daemon.template(given))["settings"].clone();
    for (limit, default, ..) in LIMITS {
        let expected = if limit == "cpu_ms" { 1234 } else { default };
        assert_eq!(settings["limits"][limit], expected, "{limit}");
    }
    assert_eq!(settings["resolver"]["extensions"], json!([".cjs"]));
    assert_eq!(settings["resolver"]["roots"], json!([]));
    assert_eq!(settings["runtime"]["strict"], true);
    assert_eq!(settings["runtime"]["console"], true);
}

#[test]
fn limits_have_bounds() {
    let daemon = Daemon::start();
    all_cases(LIMITS.into_iter().flat_map(|(limit, _, least, most)| [(limit, least - 1), (limit, most + 1)]), |case| {
        let (limit, value) = case;
        let response = daemon.post("/templates", &json!({ "name": "bad", "limits": { limit: value } }));
        refused_field(&format!("{limit} = {value}"), &response, &format!("limits.{limit}"))
    });
    all_cases(
        LIMITS.into_iter().flat_map(|(limit, _, least, most)| [(limit, least), (limit, most)]),
        |(limit, value)| {
            let name = format!("{limit} = {value}");
            let response = daemon.post("/templates", &json!({ "name": name, "limits": { limit: value } }));
            holds(&name, response.status == 201, response.text())?;
            let id = text(&response.json()["id"]);
            same(&name, detail(&daemon, &id)["settings"]["limits"][limit].as_u64(), Some(value))
        },
    );
}

#[test]
fn settings_that_there_are_not_are_refused() {
    let daemon = Daemon::start();
    let cases = [
        (json!({ "runtime": { "isolation": "cloud" } }), "runtime.isolation"),
        (json!({ "resolver": { "extensions": ["js"] } }), "resolver.extensions"),
        (json!({ "resolver": { "extensions": [""] } }), "resolver.extensions"),
        (json!({ "resolver": { "extensions": ["./x"] } }), "resolver.extensions"),
    ];
    all_cases(cases, |(mut document, field)| {
        document["name"] = json!("early");
        refused_field(field, &daemon.post("/templates", &document), field)
    });
    daemon.template(json!({ "runtime": { "isolation": "thread", "typescript": true } }));
    assert_eq!(array(daemon.get("/templates").ok(200)).len(), 1);
}

#[test]
fn runtime_settings_are_enforced() {
    let daemon = Daemon::start();
    let session = |runtime: Value| daemon.session_of(&daemon.template(json!({ "runtime": runtime })));
    let sloppy = session(json!({ "strict": false }));
    assert_eq!(daemon.preview(&sloppy, "undeclared = 1; undeclared"), "1");
    let strict = session(json!({ "strict": true }));
    assert_eq!(daemon.repl(&strict, "undeclared = 1")["error"]["name"], "ReferenceError");
    assert_eq!(daemon.preview(&strict, "(function () { return this })()"), "undefined");
    daemon.home.write("app.js", "const own = this; globalThis.seen = own; export {}");
    let script = session(json!({ "esm": false }));
    assert_eq!(daemon.run_file(&script, "app.js")["error"]["name"], "SyntaxError");
    let module = session(json!({ "esm": true }));
    assert_eq!(daemon.run_file(&module, "app.js")["result"]["type"], "undefined");
    assert_eq!(daemon.preview(&module, "[seen, typeof own].join()"), ",undefined");
    let silent = session(json!({ "console": false }));
    assert_eq!(daemon.preview(&silent, "typeof console"), "undefined");
    assert_eq!(daemon.preview(&session(json!({ "console": true })), "typeof console.log"), "function");
}

#[test]
fn templates_are_listed_newest_first_and_in_pages() {
    let daemon = Daemon::start();
    assert_eq!(daemon.get("/templates").ok(200), json!([]));
    let mut ids: Vec<String> = (0..5).map(|n| daemon.template(json!({ "name": format!("t{n}") }))).collect();
    ids.reverse();
    let listed = array(daemon.get("/templates").ok(200));
    assert_eq!(pluck(&listed, "id"), ids);
    listed.iter().for_each(|template| check_members(template, &TEMPLATE));
    let page = |query: &str| pluck(&array(daemon.get(&format!("/templates?{query}")).ok(200)), "id");
    assert_eq!(page("limit=2"), ids[..2]);
    assert_eq!(page(&format!("limit=2&before={}", ids[1])), ids[2..4]);
    assert_eq!(page(&format!("before={}", ids[3])), ids[4..]);
    assert_eq!(page(&format!("before={}", ids[4])), [""; 0]);
}

#[test]
fn lists_answer_fifty_unless_told() {
    let daemon = Daemon::start();
    (0..51).for_each(|_| drop(daemon.template(json!({}))));
    assert_eq!(array(daemon.get("/templates").ok(200)).len(), 50);
    assert_eq!(array(daemon.get("/templates?limit=1000").ok(200)).len(), 51);
}

#[test]
fn deleting_a_template_leaves_its_sessions() {
    let daemon = Daemon::start();
    daemon.home.write("init.js", "var seed = 40");
    let template = daemon.template(json!({ "name": "doomed" }));
    daemon.post(&format!("/templates/{template}/startup-files"), &json!({ "path": "init.js" })).ok(201);
    let session = daemon.session_of(&template);
    let path = format!("/templates/{template}");
    assert_eq!(daemon.delete(&path).ok(200), json!({ "status": "ok", "template_id": template }));
    daemon.get(&path).error(404, "TEMPLATE_NOT_FOUND");
    daemon.delete(&path).error(404, "TEMPLATE_NOT_FOUND");
    daemon.get(&format!("{path}/startup-files")).error(404, "TEMPLATE_NOT_FOUND");
    daemon.post("/sessions", &daemon.session_request(&template)).error(404, "TEMPLATE_NOT_FOUND");
    assert_eq!(daemon.get("/templates").ok(200), json!([]));

    assert_eq!(daemon.preview(&session, "seed + 2"), "42");
    let record = daemon.session_record(&session);
    assert_eq!((&record["template_id"], &record["vm_id"]), (&json!(template), &json!(template)));
    assert_eq!(daemon.executions(&session).len(), 2, "the startup and the snippet");
    let of_template = daemon.get(&format!("/sessions?template_id={template}")).ok(200);
    assert_eq!(pluck(&array(of_template), "id"), [session]);
}

#[test]
fn startup_files_are_kept_in_their_order() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let path = format!("/templates/{template}/startup-files");
    assert_eq!(daemon.get(&path).ok(200), json!([]));
    let files = [
        json!({ "path": "later.js", "order_index": 10 }),
        json!({ "path": "plain.js" }),
        json!({ "path": "runtime/second-at-ten.js", "order_index": 10, "mode": "eval" }),
        json!({ "path": "first.js", "order_index": -5 }),
    ];
    for file in &files {
        let added = daemon.post(&path, file).ok(201);
        check_members(&added, &["id", "template_id", "vm_id", "path", "order_index", "mode"]);
        check_id(&added["id"]);
        assert_eq!((&added["template_id"], &added["vm_id"]), (&json!(template), &json!(template)));
        assert_eq!(added["path"], file["path"]);
        assert_eq!(&added["order_index"], file.get("order_index").unwrap_or(&json!(0)));
        assert_eq!(added["mode"], "eval");
    }
    let listed = daemon.get(&path).ok(200);
    let expected = ["first.js", "plain.js", "later.js", "runtime/second-at-ten.js"];
    assert_eq!(pluck(&array(listed.clone()), "path"), expected);
    assert_eq!(detail(&daemon, &template)["startup_files"], listed);
}

#[test]
fn startup_files_have_rules() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let path = format!("/templates/{template}/startup-files");
    daemon.post(&path, &json!({ "path": "init.js", "order_index": 1 })).ok(201);
    daemon.post(&path, &json!({ "path": "init.js", "order_index": 2 })).error(409, "ALREADY_EXISTS");
    all_cases(["require", "IMPORT", "EVAL", ""], |mode| {
        let response = daemon.post(&path, &json!({ "path": "other.js", "mode": mode }));
        refused(&format!("mode {mode:?}"), &response, 422, "STARTUP_MODE_UNSUPPORTED")
    });
    let fields = [
        (json!({}), "path"),
        (json!({ "path": null }), "path"),
        (json!({ "path": 1 }), "path"),
        (json!({ "path": "a.js", "order_index": "1" }), "order_index"),
        (json!({ "path": "a.js", "order_index": 1.5 }), "order_index"),
        (json!({ "path": "a.js", "mode": 1 }), "mode"),
    ];
    all_cases(fields, |(document, field)| refused_field(&document.to_string(), &daemon.post(&path, &document), field));
    daemon.post(&path, &json!({ "path": "a.js", "order": 1 })).error(400, "INVALID_REQUEST");
    assert_eq!(array(daemon.get(&path).ok(200)).len(), 1);
}

#[test]
fn a_path_may_be_a_startup_file_of_two_templates() {
    let daemon = Daemon::start();
    daemon.home.write("init.js", "var shared = 1");
    for _ in 0..2 {
        let template = daemon.template(json!({}));
        daemon.post(&format!("/templates/{template}/startup-files"), &json!({ "path": "init.js" })).ok(201);
        assert_eq!(daemon.preview(&daemon.session_of(&template), "shared"), "1");
    }
}
