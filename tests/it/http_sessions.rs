//! Sessions: their life cycle, their startup, what is listed and what is alive.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{
    Daemon, all_cases, array, check_execution, check_id, check_members, check_time, console, holds, isolation, pluck,
    refused, refused_field, same, text,
};

#[track_caller]
fn check_session(session: &Value, status: &str) {
    check_members(
        session,
        &[
            "id",
            "template_id",
            "vm_id",
            "workspace_id",
            "base_commit_oid",
            "worktree_path",
            "status",
            "created_at",
            "closed_at?",
            "last_error?",
            "runtime_meta",
            "last_activity_at?",
            "memory_bytes?",
        ],
    );
    check_id(&session["id"]);
    check_time(&session["created_at"]);
    assert_eq!(session["template_id"], session["vm_id"]);
    assert_eq!(session["status"], status, "{session}");
    assert!(session["runtime_meta"].is_object(), "{session}");
    assert_eq!(session.get("closed_at").is_some(), status == "closed", "{session}");
}

/// A template whose startup files are these, written into the worktree and run in this order.
fn template_with_startup(daemon: &Daemon, limits: Value, files: &[(&str, &str)]) -> String {
    let template = daemon.template(json!({ "limits": limits }));
    for (index, (path, content)) in files.iter().enumerate() {
        daemon.home.write(path, content);
        let file = json!({ "path": path, "order_index": index });
        daemon.post(&format!("/templates/{template}/startup-files"), &file).ok(201);
    }
    template
}

/// Creates a session whose startup must fail, and checks all that is promised of such a one. Answers the session.
#[track_caller]
fn failed_session(daemon: &Daemon, template: &str, file: &str) -> Value {
    let active = daemon.active();
    let details = daemon.post("/sessions", &daemon.session_request(template)).error(422, "STARTUP_FAILED");
    let session = daemon.session_record(&text(&details["session_id"]));
    check_session(&session, "crashed");
    assert_eq!(session["last_error"], details["last_error"]);
    assert!(text(&session["last_error"]).contains(file), "last_error names {file}: {session}");
    assert_eq!(daemon.active(), active, "a session that failed holds no runtime");
    daemon.post_repl(&text(&session["id"]), "1").error(409, "SESSION_NOT_READY");
    session
}

/// A session's executions with their events, oldest first.
fn history(daemon: &Daemon, session: &str) -> Vec<Value> {
    let ids = pluck(&daemon.executions(session), "id");
    ids.iter().rev().map(|id| daemon.execution(id)).collect()
}

#[test]
fn a_session_is_ready_when_it_is_answered() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let request = daemon.session_request(&template);
    let session = daemon.post("/sessions", &request).ok(201);
    check_session(&session, "ready");
    for (member, value) in request.as_object().unwrap() {
        assert_eq!(&session[member], value, "{member}");
    }
    assert!(session.get("last_error").is_none(), "{session}");
    assert_eq!(session["runtime_meta"]["engine"], "quickjs");
    assert_eq!(session["runtime_meta"]["isolation"], isolation());
    assert_eq!(daemon.session_record(&text(&session["id"])), session);
    assert_eq!(daemon.get("/sessions").ok(200), json!([session]));
}

#[test]
fn every_field_of_the_request_is_required() {
    let daemon = Daemon::start();
    let good = daemon.session_request(&daemon.template(json!({})));
    let too_long = "x".repeat(201);
    let mut cases = Vec::new();
    for field in ["template_id", "workspace_id", "base_commit_oid", "worktree_path"] {
        let mut document = good.clone();
        document.as_object_mut().unwrap().remove(field);
        cases.push((document, field));
        for value in [json!(null), json!(""), json!(5), json!(["x"])] {
            cases.push((good.clone(), field));
            cases.last_mut().unwrap().0[field] = value;
        }
    }
    for field in ["workspace_id", "base_commit_oid"] {
        for value in [" ", "a\nb", "a\0b", &too_long] {
            cases.push((good.clone(), field));
            cases.last_mut().unwrap().0[field] = json!(value);
        }
    }
    all_cases(cases, |(document, field)| {
        refused_field(&format!("{:.200}", document.to_string()), &daemon.post("/sessions", &document), field)
    });
    let mut alias = good;
    alias["vm_id"] = alias["template_id"].clone();
    daemon.post("/sessions", &alias).error(400, "INVALID_REQUEST");
    assert_eq!(daemon.get("/sessions").ok(200), json!([]), "a refused request must leave no session behind");
}

#[test]
fn a_worktree_is_an_absolute_directory_that_exists() {
    let daemon = Daemon::start();
    let good = daemon.session_request(&daemon.template(json!({})));
    let root = daemon.home.root();
    fs::write(root.join("file"), "no directory").unwrap();
    std::os::unix::fs::symlink("nowhere", root.join("dangling")).unwrap();
    let absolute = |name: &str| root.join(name).to_str().unwrap().to_owned();
    let bad = [
        absolute("missing"),
        absolute("file"),
        absolute("file/below"),
        absolute("dangling"),
        absolute("worktree\0"),
        "worktree".to_owned(),
        "./worktree".to_owned(),
        "~".to_owned(),
    ];
    let post = |path: &str| {
        let mut document = good.clone();
        document["worktree_path"] = json!(path);
        daemon.post("/sessions", &document)
    };
    all_cases(bad, |path| refused(&path, &post(&path), 422, "INVALID_PATH"));
    assert_eq!(daemon.active(), [""; 0]);

    daemon.home.write("app.js", "'found'");
    std::os::unix::fs::symlink("worktree", root.join("link")).unwrap();
    let session = post(&absolute("link")).ok(201);
    assert_eq!(daemon.run_file(&text(&session["id"]), "app.js")["result"]["json"], "found");
}

#[test]
fn sessions_are_listed_newest_first_by_status_and_template() {
    let daemon = Daemon::start();
    let (one, two) = (daemon.template(json!({})), daemon.template(json!({})));
    let broken = template_with_startup(&daemon, json!({}), &[("broken.js", "throw 1")]);
    let first = daemon.session_of(&one);
    let second = daemon.session_of(&two);
    let third = daemon.session_of(&one);
    let crashed = text(&failed_session(&daemon, &broken, "broken.js")["id"]);
    daemon.poke(&format!("/sessions/{second}/close")).ok(200);
    let cases = [
        (String::new(), vec![&crashed, &third, &second, &first]),
        ("?status=ready".to_owned(), vec![&third, &first]),
        ("?status=closed".to_owned(), vec![&second]),
        ("?status=crashed".to_owned(), vec![&crashed]),
        ("?status=starting".to_owned(), vec![]),
        (format!("?template_id={one}"), vec![&third, &first]),
        (format!("?template_id={two}&status=ready"), vec![]),
        (format!("?template_id={one}&limit=1"), vec![&third]),
        ("?limit=2".to_owned(), vec![&crashed, &third]),
        (format!("?limit=2&before={third}"), vec![&second, &first]),
        (format!("?status=ready&before={third}"), vec![&first]),
    ];
    all_cases(cases, |(query, expected)| {
        let listed = pluck(&array(daemon.get(&format!("/sessions{query}")).ok(200)), "id");
        same(&query, listed.iter().collect::<Vec<_>>(), expected)
    });
}

#[test]
fn the_summary_says_what_is_alive() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let sessions: Vec<String> = (0..3).map(|_| daemon.session_of(&template)).collect();
    assert_eq!(daemon.active(), sessions, "oldest first");
    daemon.poke(&format!("/sessions/{}/close", sessions[1])).ok(200);
    assert_eq!(daemon.active(), [sessions[0].as_str(), sessions[2].as_str()]);
    daemon.delete(&format!("/sessions/{}", sessions[0])).ok(200);
    assert_eq!(daemon.active(), [sessions[2].as_str()]);
}

#[test]
fn closing_is_final_and_may_be_said_twice() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    for delete in [false, true] {
        let session = daemon.session_of(&template);
        let path = format!("/sessions/{session}");
        let close = || if delete { daemon.delete(&path) } else { daemon.poke(&format!("{path}/close")) };
        daemon.repl(&session, "var kept = 1");
        let closed = close().ok(200);
        check_session(&closed, "closed");
        check_time(&closed["closed_at"]);
        assert!(text(&closed["created_at"]) <= text(&closed["closed_at"]), "{closed}");
        assert!(closed.get("last_error").is_none(), "closed by its owner: {closed}");
        assert_eq!(close().ok(200), closed, "closing what is closed changes nothing");
        assert_eq!(daemon.delete(&path).ok(200), closed);
        assert_eq!(daemon.poke(&format!("{path}/close")).ok(200), closed);
        assert_eq!(daemon.session_record(&session), closed);
        daemon.post_repl(&session, "kept").error(409, "SESSION_NOT_READY");
        daemon.post_file(&session, "app.js").error(409, "SESSION_NOT_READY");
        assert_eq!(daemon.executions(&session).len(), 1, "its history stays, and refusals are not in it");
    }
}

#[test]
fn closing_cancels_what_runs() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let (posted, closed) = daemon
        .while_running(&session, "while (true) {}", |_| daemon.poke(&format!("/sessions/{session}/close")).ok(200));
    check_session(&closed, "closed");
    let execution = posted.ok(201);
    check_execution(&execution);
    assert_eq!(execution["status"], "cancelled");
    assert_eq!(daemon.execution(&text(&execution["id"])), execution);
    assert_eq!(daemon.active(), [""; 0]);
}

#[test]
fn two_that_close_at_once_agree() {
    let daemon = Daemon::start();
    let path = format!("/sessions/{}", daemon.session());
    let answers: Vec<Value> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..6).map(|_| scope.spawn(|| daemon.delete(&path).ok(200))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    answers.iter().for_each(|answer| assert_eq!(answer, &answers[0]));
}

#[test]
fn sessions_share_nothing() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let (one, two) = (daemon.session_of(&template), daemon.session_of(&template));
    daemon.eval(&one, "var secret = 1; globalThis.other = 2; Array.prototype.broken = 3; Object.freeze(Map.prototype)");
    assert_eq!(
        daemon.preview(&two, "[typeof secret, typeof other, typeof [].broken].join()"),
        "undefined,undefined,undefined"
    );
    assert_eq!(daemon.preview(&two, "Object.isFrozen(Map.prototype)"), "false");
    assert_eq!(daemon.preview(&one, "secret + other + [].broken"), "6");
}

#[test]
fn startup_files_run_in_order_and_leave_their_state() {
    let daemon = Daemon::start();
    let files = [
        ("runtime/init.js", "var order = ['init']; let seed = 40; console.log('from init')"),
        ("runtime/more.js", "order.push('more'); const add = n => seed + n; await Promise.resolve(); 'done'"),
    ];
    let session = daemon.session_of(&template_with_startup(&daemon, json!({}), &files));
    assert_eq!(daemon.preview(&session, "add(2)"), "42");
    assert_eq!(daemon.preview(&session, "order.join()"), "init,more");

    let history = history(&daemon, &session);
    history.iter().for_each(check_execution);
    assert_eq!(pluck(&history, "kind"), ["startup", "startup", "repl", "repl"]);
    assert_eq!(pluck(&history[..2], "path"), ["runtime/init.js", "runtime/more.js"]);
    assert_eq!(console(&history[0]), ["from init"]);
    assert_eq!(history[1]["result"]["json"], "done");
}

#[test]
fn a_startup_file_that_throws_fails_the_session() {
    let daemon = Daemon::start();
    let files = [
        ("good.js", "console.log('ran'); var here = 1"),
        ("lib/bad.js", "console.log('before');\nthrow new TypeError('no luck');"),
        ("never.js", "console.log('never')"),
    ];
    let session = failed_session(&daemon, &template_with_startup(&daemon, json!({}), &files), "lib/bad.js");
    assert!(text(&session["last_error"]).contains("TypeError: no luck"), "{session}");
    let history = history(&daemon, &text(&session["id"]));
    history.iter().for_each(check_execution);
    assert_eq!(pluck(&history, "status"), ["ok", "error"], "and the third never ran");
    assert_eq!(console(&history[1]), ["before"]);
    assert!(text(&history[1]["error"]["stack"]).contains("lib/bad.js:2:"), "{}", history[1]["error"]);
}

#[test]
fn every_way_to_fail_a_startup_is_told_and_leaves_no_runtime() {
    let daemon = Daemon::start();
    let limits = json!({ "cpu_ms": 200, "wall_ms": 500, "mem_mb": 16, "max_events": 10 });
    let cases = [
        ("syntax.js", "let = ="),
        ("endless.js", "while (true) {}"),
        ("sleeping.js", "await new Promise(wake => setTimeout(wake, 1e7))"),
        ("unsettled.js", "await new Promise(() => {})"),
        ("rejected.js", "Promise.reject(new Error('lost'))"),
        ("greedy.js", "(() => { const a = []; for (;;) a.push(new Array(1000).fill(0)) })()"),
        ("deep.js", "(function f() { f() })()"),
        ("chatty.js", "for (;;) console.log(1)"),
        ("null.js", "throw null"),
    ];
    all_cases(cases, |(path, content)| {
        let template = template_with_startup(&daemon, limits.clone(), &[(path, content)]);
        let start = Instant::now();
        let session = failed_session(&daemon, &template, path);
        let took = start.elapsed();
        holds(path, took < Duration::from_secs(5), format!("took {took:?}"))?;
        let history = history(&daemon, &text(&session["id"]));
        same(path, history.len(), 1)?;
        check_execution(&history[0]);
        holds(path, history[0]["status"] != "ok", &history[0])
    });
}

#[test]
fn a_missing_startup_file_fails_the_session() {
    let daemon = Daemon::start();
    let template = template_with_startup(&daemon, json!({}), &[("there.js", "1"), ("gone.js", "2")]);
    fs::remove_file(daemon.home.worktree().join("gone.js")).unwrap();
    let session = failed_session(&daemon, &template, "gone.js");
    let running: Vec<Value> =
        daemon.executions(&text(&session["id"])).into_iter().filter(|one| one["status"] == "running").collect();
    assert_eq!(running, [Value::Null; 0], "nothing is left running");
}

#[test]
fn a_session_sees_its_template_as_it_was_at_its_creation() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let before = daemon.session_of(&template);
    daemon.home.write("late.js", "var late = true");
    daemon.post(&format!("/templates/{template}/startup-files"), &json!({ "path": "late.js" })).ok(201);
    assert_eq!(daemon.preview(&before, "typeof late"), "undefined");
    assert_eq!(daemon.preview(&daemon.session_of(&template), "late"), "true");
}
