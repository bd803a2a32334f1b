//! What templates can be given: capabilities, modules, libraries, the catalogue, and changes of settings.

use serde_json::{Value, json};

use crate::http::Request;
use crate::support::{
    Daemon, NOBODY, all_cases, api, array, check_id, check_members, holds, pluck, refused, refused_field, same, text,
    wait_for,
};

const CAPABILITY: [&str; 7] = ["id", "template_id", "vm_id", "kind", "name", "enabled", "config"];

/// A template's route below which something is given.
fn below(template: &str, what: &str) -> String {
    format!("/templates/{template}/{what}")
}

fn detail(daemon: &Daemon, template: &str) -> Value {
    daemon.get(&format!("/templates/{template}")).ok(200)
}

#[test]
fn capabilities_are_added_listed_and_removed() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let path = below(&template, "capabilities");
    assert_eq!(daemon.get(&path).ok(200), json!([]));
    let given = [
        json!({ "kind": "fs", "name": "docs, and more: ü", "enabled": true, "config": { "read": ["docs"], "write": [] } }),
        json!({ "kind": "module", "name": "exec", "config": { "commands": ["git", "/usr/bin/jq"] } }),
        json!({ "kind": "module", "name": "database", "enabled": true, "config": { "path": "d/x.db", "read_only": true } }),
        json!({ "kind": "env", "name": "LANG", "enabled": true, "config": { "value": "en" } }),
        json!({ "kind": "env", "name": "HOME", "enabled": true, "config": { "from_host": true } }),
        json!({ "kind": "global", "name": "settings", "enabled": true, "config": { "value": { "b": [1, null], "a": 2 } } }),
        json!({ "kind": "fs", "name": "plain" }),
    ];
    let mut added = Vec::new();
    for capability in &given {
        let answer = daemon.post(&path, capability).ok(201);
        check_members(&answer, &CAPABILITY);
        check_id(&answer["id"]);
        assert_eq!((&answer["template_id"], &answer["vm_id"]), (&json!(template), &json!(template)));
        assert_eq!((&answer["kind"], &answer["name"]), (&capability["kind"], &capability["name"]));
        assert_eq!(&answer["enabled"], capability.get("enabled").unwrap_or(&json!(false)));
        assert_eq!(answer["config"].to_string(), capability.get("config").unwrap_or(&json!({})).to_string());
        added.push(answer);
    }
    assert_eq!(daemon.get(&path).ok(200), json!(added), "oldest first");
    assert_eq!(detail(&daemon, &template)["capabilities"], json!(added));

    let gone = text(&added.remove(0)["id"]);
    for _ in 0..2 {
        let answer = daemon.delete(&format!("{path}/{gone}")).ok(200);
        assert_eq!(answer, json!({ "status": "ok", "template_id": template, "capability_id": gone }));
        assert_eq!(daemon.get(&path).ok(200), json!(added));
    }
    // Only by its own template, and with its template.
    let other = daemon.template(json!({}));
    daemon.delete(&format!("{}/{}", below(&other, "capabilities"), text(&added[0]["id"]))).ok(200);
    assert_eq!(daemon.get(&path).ok(200), json!(added));
    daemon.delete(&format!("/templates/{template}")).ok(200);
    daemon.get(&path).error(404, "TEMPLATE_NOT_FOUND");
}

#[test]
fn a_kind_and_name_are_there_once() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let path = below(&template, "capabilities");
    daemon.post(&path, &json!({ "kind": "fs", "name": "a" })).ok(201);
    let details =
        daemon.post(&path, &json!({ "kind": "fs", "name": "a", "enabled": true })).error(409, "ALREADY_EXISTS");
    assert_eq!((&details["kind"], &details["name"]), (&json!("fs"), &json!("a")));
    daemon.post(&path, &json!({ "kind": "module", "name": "fs" })).ok(201);
    daemon.post(&path, &json!({ "kind": "fs", "name": "A" })).ok(201);
    let other = daemon.template(json!({}));
    daemon.post(&below(&other, "capabilities"), &json!({ "kind": "fs", "name": "a" })).ok(201);
}

#[test]
fn a_capability_that_cannot_be_enforced_is_refused() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let path = below(&template, "capabilities");
    let host = |host: &str| json!({ "hosts": ["a.example", host] });
    let cases = [
        ("disk", "a", json!({}), "kind"),
        ("", "a", json!({}), "kind"),
        ("fs", "", json!({}), "name"),
        ("fs", "a\nb", json!({}), "name"),
        ("fs", "a", json!({ "raed": ["."] }), "config.raed"),
        ("fs", "a", json!({ "read": "." }), "config.read"),
        ("fs", "a", json!({ "read": [1] }), "config.read[0]"),
        ("fs", "a", json!({ "write": null }), "config.write"),
        ("net", "a", json!({}), "config.hosts"),
        ("net", "a", json!({ "hosts": [] }), "config.hosts"),
        ("net", "a", json!({ "hostz": [] }), "config.hostz"),
        ("net", "a", host("*"), "config.hosts[1]"),
        ("net", "a", host("http://a.example/"), "config.hosts[1]"),
        ("net", "a", host("a.example:0"), "config.hosts[1]"),
        ("net", "a", host("127.1"), "config.hosts[1]"),
        ("net", "a", host(""), "config.hosts[1]"),
        ("net", "a", json!({ "hosts": ["a.example"], "max_bytes": 0 }), "config.max_bytes"),
        ("net", "a", json!({ "hosts": ["a.example"], "timeout_ms": -1 }), "config.timeout_ms"),
        ("net", "a", json!({ "hosts": ["a.example"], "allow_private": "no" }), "config.allow_private"),
        ("env", "9A", json!({ "value": "x" }), "name"),
        ("env", "A=B", json!({ "value": "x" }), "name"),
        ("env", "A", json!({}), "config.value"),
        ("env", "A", json!({ "value": 1 }), "config.value"),
        ("env", "A", json!({ "value": "x", "from_host": true }), "config.from_host"),
        ("env", "A", json!({ "from_hosts": true }), "config.from_hosts"),
        ("global", "class", json!({ "value": 1 }), "name"),
        ("global", "globalThis", json!({ "value": 1 }), "name"),
        ("global", "undefined", json!({ "value": 1 }), "name"),
        ("global", "a-b", json!({ "value": 1 }), "name"),
        ("global", "a", json!({}), "config.value"),
        ("global", "a", json!({ "value": 1, "frozen": true }), "config.frozen"),
        ("module", "exec", json!({ "command": ["git"] }), "config.command"),
        ("module", "exec", json!({ "commands": ["../git"] }), "config.commands[0]"),
        ("module", "database", json!({ "read_only": 1 }), "config.read_only"),
        ("module", "fs", json!({ "read": ["."] }), "config.read"),
    ];
    all_cases(cases, |(kind, name, config, field)| {
        // One that is disabled is checked like any other: it may be enabled by a later version.
        for enabled in [false, true] {
            let body = json!({ "kind": kind, "name": name, "enabled": enabled, "config": config });
            refused_field(&body.to_string(), &daemon.post(&path, &body), field)?;
        }
        Ok(())
    });
    let paths = ["..", "../x", "a/../b", "/", "/etc", "", "a\\b", "c:/x", "a\0b"];
    all_cases(paths, |bad| {
        for (kind, name, config, field) in [
            ("fs", "a", json!({ "read": [bad] }), "config.read[0]"),
            ("fs", "a", json!({ "write": [".", bad] }), "config.write[1]"),
            ("module", "database", json!({ "path": bad }), "config.path"),
        ] {
            let response = daemon.post(&path, &json!({ "kind": kind, "name": name, "config": config }));
            refused(&format!("{kind} {bad:?}"), &response, 422, "INVALID_PATH")?;
            same(bad, response.envelope().1["field"].as_str(), Some(field))?;
        }
        Ok(())
    });
    all_cases(["JSON", "path", "nope", "__proto__"], |name| {
        let response = daemon.post(&path, &json!({ "kind": "module", "name": name, "config": { "x": 1 } }));
        refused(name, &response, 422, "MODULE_NOT_ALLOWED")
    });
    assert_eq!(daemon.get(&path).ok(200), json!([]), "what was refused left nothing behind");
}

#[test]
fn bodies_are_decoded_strictly() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let form = |method: &str, what: &str, body: &str| {
        let path = if what.is_empty() { format!("/templates/{template}") } else { below(&template, what) };
        daemon.send(&Request::new(method, api(&path)).json(body))
    };
    all_cases(
        [
            ("POST", "capabilities", r#"{"kind":"fs","name":"a","conf":{}}"#),
            ("POST", "capabilities", r#"{"kind":"fs","name":"a","config":{"read":["."],"read":[]}}"#),
            ("POST", "capabilities", r#"{"kind":"fs","name":"a""#),
            ("POST", "capabilities", ""),
            ("POST", "modules", r#"{"name":"fs","version":"1"}"#),
            ("POST", "modules", r#"{"name":"fs","name":"exec"}"#),
            ("POST", "modules", r#"["fs"]"#),
            ("POST", "libraries", r#"{"name":"lodash","version":"1"}"#),
            ("POST", "libraries", "lodash"),
            ("PATCH", "", r#"{"nmae":"x"}"#),
            ("PATCH", "", r#"{"engine":"quickjs"}"#),
            ("PATCH", "", r#"{"limits":{"cpu":1}}"#),
            ("PATCH", "", r#"{"limits":{"cpu_ms":1,"cpu_ms":2}}"#),
            ("PATCH", "", ""),
        ],
        |(method, what, body)| refused(body, &form(method, what, body), 400, "INVALID_REQUEST"),
    );
    all_cases(
        [
            ("POST", "capabilities", r#"{"name":"a"}"#, "kind"),
            ("POST", "capabilities", r#"{"kind":"fs"}"#, "name"),
            ("POST", "capabilities", r#"{"kind":1,"name":"a"}"#, "kind"),
            ("POST", "capabilities", r#"{"kind":"fs","name":"a","enabled":1}"#, "enabled"),
            ("POST", "capabilities", r#"{"kind":"fs","name":"a","enabled":null}"#, "enabled"),
            ("POST", "capabilities", r#"{"kind":"fs","name":"a","config":[]}"#, "config"),
            ("POST", "capabilities", r#"{"kind":"fs","name":"a","config":null}"#, "config"),
            ("POST", "modules", "{}", "name"),
            ("POST", "modules", r#"{"name":null}"#, "name"),
            ("POST", "libraries", r#"{"name":["lodash"]}"#, "name"),
            ("PATCH", "", r#"{"name":null}"#, "name"),
            ("PATCH", "", r#"{"name":""}"#, "name"),
            ("PATCH", "", r#"{"is_active":"yes"}"#, "is_active"),
            ("PATCH", "", r#"{"limits":null}"#, "limits"),
            ("PATCH", "", r#"{"limits":{"cpu_ms":null}}"#, "limits.cpu_ms"),
            ("PATCH", "", r#"{"limits":{"cpu_ms":0}}"#, "limits.cpu_ms"),
            ("PATCH", "", r#"{"limits":{"mem_mb":"64"}}"#, "limits.mem_mb"),
            ("PATCH", "", r#"{"resolver":{"extensions":["js"]}}"#, "resolver.extensions"),
            ("PATCH", "", r#"{"runtime":{"isolation":"cloud"}}"#, "runtime.isolation"),
        ],
        |(method, what, body, field)| refused_field(body, &form(method, what, body), field),
    );
    let plain = Request::new("PATCH", api(&format!("/templates/{template}"))).header("Content-Type", "text/plain");
    daemon.send(&plain.body("{}")).error(415, "UNSUPPORTED_MEDIA_TYPE");
}

#[test]
fn modules_are_given_and_taken() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let path = below(&template, "modules");
    assert_eq!(daemon.get(&path).ok(200), json!([]));
    for name in ["fs", "database", "fs", "exec"] {
        let answer = daemon.post(&path, &json!({ "name": name })).ok(201);
        assert_eq!(answer, json!({ "template_id": template, "name": name }), "also when it is there already");
    }
    assert_eq!(daemon.get(&path).ok(200), json!(["fs", "database", "exec"]));
    assert_eq!(detail(&daemon, &template)["template"]["exposed_modules"], json!(["fs", "database", "exec"]));
    for (encoded, name) in [("database", "database"), ("database", "database"), ("n%C3%B6%2Fx", "nö/x")] {
        let answer = daemon.delete(&format!("{path}/{encoded}")).ok(200);
        assert_eq!(answer, json!({ "status": "ok", "template_id": template, "name": name }));
    }
    assert_eq!(daemon.get(&path).ok(200), json!(["fs", "exec"]));
    refused_field("a percent sign", &daemon.delete(&format!("{path}/%zz")), "name").unwrap();
}

#[test]
fn what_is_no_module_says_why() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let path = below(&template, "modules");
    let cases = [
        ("JSON", "built-in"),
        ("Math", "built-in"),
        ("Date", "built-in"),
        ("console", "built-in"),
        ("util", "needs no grant"),
        ("node:path", "needs no grant"),
        ("assert", "needs no grant"),
        ("http", "database, exec, fs"),
        ("", "database, exec, fs"),
        ("../fs", "database, exec, fs"),
    ];
    all_cases(cases, |(name, words)| {
        let response = daemon.post(&path, &json!({ "name": name }));
        refused(name, &response, 422, "MODULE_NOT_ALLOWED")?;
        same(name, response.envelope().1["module"].as_str(), Some(name))?;
        let message = text(&response.json()["error"]["message"]);
        holds(name, message.contains(words), message)
    });
    assert_eq!(daemon.get(&path).ok(200), json!([]));
}

#[test]
fn libraries_are_given_and_taken() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let path = below(&template, "libraries");
    for name in ["ramda", "lodash-4.17.21", "ramda"] {
        assert_eq!(
            daemon.post(&path, &json!({ "name": name })).ok(201),
            json!({ "template_id": template, "name": name })
        );
    }
    assert_eq!(daemon.get(&path).ok(200), json!(["ramda", "lodash-4.17.21"]));
    assert_eq!(detail(&daemon, &template)["template"]["libraries"], json!(["ramda", "lodash-4.17.21"]));
    all_cases(["jquery", "lodash-4.17.20", "lodas"], |name| {
        let response = daemon.post(&path, &json!({ "name": name }));
        refused(name, &response, 422, "LIBRARY_NOT_FOUND")?;
        same(name, response.envelope().1["library"].as_str(), Some(name))
    });
    all_cases(["", "../x", "a/b", "a\0"], |name| {
        refused_field(&format!("{name:?}"), &daemon.post(&path, &json!({ "name": name })), "name")
    });
    for _ in 0..2 {
        let answer = daemon.delete(&format!("{path}/ramda")).ok(200);
        assert_eq!(answer, json!({ "status": "ok", "template_id": template, "name": "ramda" }));
    }
    assert_eq!(daemon.get(&path).ok(200), json!(["lodash-4.17.21"]));
}

#[test]
fn the_catalogue_says_what_there_is() {
    let daemon = Daemon::start();
    let modules = array(daemon.get("/catalog/modules").ok(200));
    assert_eq!(pluck(&modules, "name"), ["database", "exec", "fs"]);
    let template = daemon.template(json!({}));
    for module in &modules {
        check_members(module, &["id", "name", "kind", "description", "functions"]);
        assert_eq!((&module["id"], &module["kind"]), (&module["name"], &json!("native")));
        assert!(!text(&module["description"]).is_empty());
        assert!(array(module["functions"].clone()).iter().all(Value::is_string));
        daemon.post(&below(&template, "modules"), &json!({ "name": module["name"] })).ok(201);
    }
    assert!(modules[1]["functions"].as_array().unwrap().contains(&json!("run")));

    let libraries = array(daemon.get("/catalog/libraries").ok(200));
    for (id, version, global) in [
        ("axios", "1.6.0", "axios"),
        ("dayjs", "1.11.10", "dayjs"),
        ("lodash", "4.17.21", "_"),
        ("moment", "2.29.4", "moment"),
        ("ramda", "0.29.0", "R"),
        ("zustand", "4.4.7", "zustand"),
    ] {
        let library = libraries.iter().find(|library| library["id"] == id).unwrap();
        check_members(library, &["id", "name", "version", "description", "global", "cached"]);
        assert_eq!((&library["version"], &library["global"]), (&json!(version), &json!(global)), "{id}");
        assert_eq!(library["cached"], false, "nothing is in the cache of a new daemon");
        daemon.post(&below(&template, "libraries"), &json!({ "name": id })).ok(201);
    }
    assert_eq!(libraries.len(), 6);
}

#[test]
fn a_change_merges_and_is_checked_as_a_whole() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({ "name": "before", "limits": { "cpu_ms": 1234 } }));
    let path = format!("/templates/{template}");
    let before = detail(&daemon, &template);
    assert_eq!(daemon.patch(&path, &json!({})).ok(200), before, "no change is none");

    let limits = json!({ "wall_ms": 7, "max_events": 9 });
    let change = json!({ "name": "after", "limits": limits, "resolver": { "extensions": [".cjs"] }, "runtime": { "strict": true } });
    let after = daemon.patch(&path, &change).ok(200);
    assert_eq!(after, detail(&daemon, &template));
    let mut expected = before.clone();
    expected["template"]["name"] = json!("after");
    expected["template"]["updated_at"] = after["template"]["updated_at"].clone();
    expected["settings"]["limits"]["wall_ms"] = json!(7);
    expected["settings"]["limits"]["max_events"] = json!(9);
    expected["settings"]["resolver"]["extensions"] = json!([".cjs"]);
    expected["settings"]["runtime"]["strict"] = json!(true);
    assert_eq!(after, expected);

    let bad = json!({ "name": "never", "is_active": false, "limits": { "cpu_ms": 1, "mem_mb": 0 } });
    refused_field("one bad value", &daemon.patch(&path, &bad), "limits.mem_mb").unwrap();
    daemon.template(json!({ "name": "taken" }));
    daemon.patch(&path, &json!({ "name": "taken", "is_active": false })).error(409, "ALREADY_EXISTS");
    for root in ["..", "/x", ""] {
        let details = daemon.patch(&path, &json!({ "resolver": { "roots": [root] } })).error(422, "INVALID_PATH");
        assert_eq!(details["field"], "resolver.roots[0]", "{root:?}");
    }
    assert_eq!(detail(&daemon, &template), after, "what was refused changed nothing");
    daemon.patch(&path, &json!({ "name": "after" })).ok(200);
}

#[test]
fn updated_at_tells_of_every_change() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let path = format!("/templates/{template}");
    let updated_at = || text(&detail(&daemon, &template)["template"]["updated_at"]);
    let changes: [(&str, &dyn Fn()); 5] = [
        ("a module", &|| drop(daemon.post(&below(&template, "modules"), &json!({ "name": "fs" })).ok(201))),
        ("a library", &|| drop(daemon.post(&below(&template, "libraries"), &json!({ "name": "ramda" })).ok(201))),
        ("a capability", &|| {
            drop(daemon.post(&below(&template, "capabilities"), &json!({ "kind": "fs", "name": "f" })).ok(201));
        }),
        ("a setting", &|| drop(daemon.patch(&path, &json!({ "limits": { "cpu_ms": 7 } })).ok(200))),
        ("no module", &|| drop(daemon.delete(&below(&template, "modules/fs")).ok(200))),
    ];
    for (case, change) in changes {
        let before = updated_at();
        // Times have milliseconds: another one must have begun.
        wait_for("the next millisecond", std::time::Duration::from_secs(5), || {
            let probe = daemon.template(json!({}));
            (text(&detail(&daemon, &probe)["template"]["created_at"]) > before).then_some(())
        });
        change();
        assert!(updated_at() > before, "{case}");
    }
}

#[test]
fn a_session_is_a_snapshot_of_its_template() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({ "limits": { "max_events": 500 } }));
    let path = format!("/templates/{template}");
    daemon.post(&below(&template, "modules"), &json!({ "name": "exec" })).ok(201);
    let old = daemon.session_of(&template);

    daemon.patch(&path, &json!({ "limits": { "max_events": 5 }, "runtime": { "strict": true } })).ok(200);
    daemon.delete(&below(&template, "modules/exec")).ok(200);
    let files = json!({ "kind": "fs", "name": "files", "enabled": true });
    let files = text(&daemon.post(&below(&template, "capabilities"), &files).ok(201)["id"]);
    let new = daemon.session_of(&template);
    let modules = |session: &str| daemon.session_record(session)["runtime_meta"]["modules"].clone();
    assert_eq!((modules(&old), modules(&new)), (json!(["exec"]), json!(["fs"])));
    let print = "undeclared = 1; for (let i = 0; i < 10; i++) console.log(i)";
    assert_eq!(daemon.repl(&old, print)["status"], "ok");
    assert_eq!(daemon.repl(&new, print)["error"]["name"], "ReferenceError");
    daemon.post_repl(&new, "for (let i = 0; i < 10; i++) console.log(i)").error(422, "OUTPUT_LIMIT_EXCEEDED");

    // A disabled capability takes away what a module grants.
    daemon.delete(&format!("{}/{files}", below(&template, "capabilities"))).ok(200);
    for name in ["fs", "database"] {
        daemon.post(&below(&template, "modules"), &json!({ "name": name })).ok(201);
    }
    daemon.post(&below(&template, "capabilities"), &json!({ "kind": "fs", "name": "none" })).ok(201);
    assert_eq!(modules(&daemon.session_of(&template)), json!(["database"]));

    daemon.patch(&path, &json!({ "is_active": false })).ok(200);
    daemon.post("/sessions", &daemon.session_request(&template)).error(409, "TEMPLATE_INACTIVE");
    assert_eq!(daemon.preview(&old, "1 + 1"), "2");
    daemon.patch(&path, &json!({ "is_active": true })).ok(200);
    daemon.session_of(&template);
}

#[test]
fn what_was_given_outlives_the_daemon() {
    let mut daemon = Daemon::start();
    let template = daemon.template(json!({}));
    daemon.post(&below(&template, "modules"), &json!({ "name": "fs" })).ok(201);
    daemon.post(&below(&template, "libraries"), &json!({ "name": "lodash" })).ok(201);
    let capability = json!({ "kind": "global", "name": "g", "enabled": true, "config": { "value": [1.5, "ü"] } });
    daemon.post(&below(&template, "capabilities"), &capability).ok(201);
    let before = detail(&daemon, &template);
    daemon.kill();
    let daemon = Daemon::at(&daemon.home);
    assert_eq!(detail(&daemon, &template), before);
    daemon.delete(&format!("{}/{NOBODY}", below(&template, "capabilities"))).ok(200);
}

#[test]
fn the_types_of_a_template_are_what_it_grants_now() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let path = below(&template, "types");
    let types = || {
        let response = daemon.get(&path);
        assert_eq!(
            (response.status, response.header("content-type")),
            (200, Some("application/typescript; charset=utf-8"))
        );
        response.text()
    };
    assert!(types().contains("declare var __ARGS__") && !types().contains("declare module"));
    daemon.post(&below(&template, "modules"), &json!({ "name": "fs" })).ok(201);
    daemon.post(&below(&template, "modules"), &json!({ "name": "exec" })).ok(201);
    let capabilities = below(&template, "capabilities");
    for capability in [
        json!({ "kind": "global", "name": "settings", "enabled": true, "config": { "value": { "b": [1, null], "a": "x" } } }),
        json!({ "kind": "env", "name": "SECRET", "enabled": true, "config": { "value": "not-to-be-told" } }),
        json!({ "kind": "net", "name": "n", "enabled": true, "config": { "hosts": ["example.org"] } }),
        json!({ "kind": "module", "name": "exec", "enabled": false }),
    ] {
        daemon.post(&capabilities, &capability).ok(201);
    }
    let text = types();
    for line in [
        "declare module 'fs' {",
        "declare module 'fs/promises' {",
        "declare var settings: { b: Array<null | number>; a: string };",
        "    SECRET?: string;",
        "declare function fetch(",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    // What a disabled capability takes away is not there, and values are nobody's business.
    assert!(!text.contains("declare module 'exec'") && !text.contains("not-to-be-told"), "{text}");
    let session = daemon.session_of(&template);
    for arguments in [["template", "types", &template], ["session", "types", &session]] {
        assert_eq!(daemon.cli(&arguments).expect(0).stdout.trim_end(), text.trim_end(), "{arguments:?}");
    }
    daemon.get(&below(NOBODY, "types")).error(404, "TEMPLATE_NOT_FOUND");
}
