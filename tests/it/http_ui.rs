//! The pages of the web UI, whether or not it was built with the daemon; and what they ask that nobody else does.

use std::fs;

use serde_json::json;

use crate::http::{Request, Response};
use crate::support::{Daemon, pluck, text};

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

fn page(daemon: &Daemon, path: &str) -> Response {
    daemon.send(&Request::new("GET", path).header("Accept", HTML))
}

#[test]
fn browsers_are_given_the_page_and_its_parts() {
    let daemon = Daemon::start();
    let root = page(&daemon, "/");
    assert_eq!(root.status, 200);
    assert_eq!(root.header("Content-Type"), Some("text/html; charset=utf-8"));
    let policy = root.header("Content-Security-Policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(root.header("X-Frame-Options"), Some("DENY"));

    let html = root.text();
    let parts: Vec<&str> = html.split('"').filter(|word| word.starts_with('/') && !word.starts_with("/api")).collect();
    let parts: Vec<&str> = parts.into_iter().filter(|word| word.ends_with(".js") || word.ends_with(".css")).collect();
    assert!(!parts.is_empty(), "{html}");
    for path in parts {
        let part = daemon.send(&Request::new("GET", path));
        assert_eq!(part.status, 200, "{path}");
        assert_eq!(part.header("X-Content-Type-Options"), Some("nosniff"));
        if path.starts_with("/assets/") {
            assert_eq!(part.header("Cache-Control"), Some("public, max-age=31536000, immutable"));
        }
        let tag = part.header("ETag").expect("a tag").to_owned();
        let again = daemon.send(&Request::new("GET", path).header("If-None-Match", &tag));
        assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
        assert_eq!(again.header("ETag"), Some(tag.as_str()));
    }
}

#[test]
fn a_page_is_shown_wherever_it_is_and_the_api_stays_what_it_is() {
    let daemon = Daemon::start();
    for path in ["/sessions?status=ready&q=a%20b", "/templates/x", "/no/such/page"] {
        assert_eq!(page(&daemon, path).text(), page(&daemon, "/").text(), "{path}");
    }
    page(&daemon, "/api/v1/nope").error(404, "NOT_FOUND");
    daemon.send(&Request::new("GET", "/sessions")).error(404, "NOT_FOUND");
    daemon.send(&Request::new("POST", "/sessions").header("Accept", HTML)).error(404, "NOT_FOUND");
    let head = daemon.send(&Request::new("HEAD", "/").header("Accept", HTML));
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn what_lies_in_a_worktree_is_told_whether_or_not_the_session_lives() {
    let daemon = Daemon::start();
    daemon.home.write("lib/a.js", "1\n");
    daemon.home.write("main.js", "2\n");
    let session = daemon.session();
    let files = |query: &str| daemon.get(&format!("/sessions/{session}/files{query}"));
    let root = files("").ok(200);
    assert_eq!(root["kind"], "directory");
    let names = pluck(root["entries"].as_array().unwrap(), "name");
    assert!(
        names.ends_with(&["lib".to_owned(), "main.js".to_owned()]) || names.contains(&"main.js".to_owned()),
        "{root}"
    );
    assert_eq!(files("?path=lib/a.js").ok(200), json!({"kind": "file", "path": "lib/a.js", "text": "1\n"}));
    files("?path=../x").error(422, "INVALID_PATH");
    files("?path=nope").error(404, "FILE_NOT_FOUND");

    daemon.poke(&format!("/sessions/{session}/close")).ok(200);
    files("?path=main.js").ok(200);
    let listed = daemon.cli(&["session", "files", &session]).expect(0);
    assert!(listed.lines().contains(&"lib/") && listed.lines().contains(&"main.js"), "{:?}", listed.lines());
    assert_eq!(daemon.cli(&["session", "files", &session, "lib/a.js"]).expect(0).lines(), ["1"]);
    fs::remove_dir_all(daemon.home.worktree()).unwrap();
    files("").error(422, "INVALID_PATH");
}

#[test]
fn sessions_say_what_they_did_last() {
    let daemon = Daemon::start();
    let (quiet, busy) = (daemon.session(), daemon.session());
    let run = daemon.repl(&busy, "1");
    let record = daemon.session_record(&busy);
    assert_eq!(record["last_activity_at"], run["ended_at"]);
    assert_eq!(record["memory_bytes"], run["metrics"]["memory_bytes"]);
    let listed = daemon.get("/sessions").ok(200);
    let listed = listed.as_array().unwrap();
    assert_eq!(listed.iter().find(|session| text(&session["id"]) == busy), Some(&record));
    let quiet = listed.iter().find(|session| text(&session["id"]) == quiet).unwrap();
    assert!(quiet.get("last_activity_at").is_none() && quiet.get("memory_bytes").is_none(), "{quiet}");
}
