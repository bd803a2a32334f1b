//! Paths: what a worktree's edge keeps in, and what it keeps out.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::json;

use crate::http::Response;
use crate::support::{Daemon, Home, all_cases, array, holds, refused, same, text};

/// What must never come out of a file beyond the worktree.
const SECRET: &str = "'the-secret-of-the-host'";

/// Fills a worktree with good files, and with every kind of bad one.
fn furnish(home: &Home) {
    let (root, tree) = (home.root(), home.worktree());
    home.write("app.js", "'app'");
    home.write("dir/inner.js", "'inner'");
    home.write("..name.js", "'two dots in a name'");
    home.write("...js", "'three dots'");
    fs::write(root.join("outside.js"), SECRET).unwrap();
    fs::create_dir(root.join("elsewhere")).unwrap();
    fs::write(root.join("elsewhere/file.js"), SECRET).unwrap();
    let links: [(&Path, &str); 9] = [
        (Path::new("app.js"), "link-inside.js"),
        (Path::new("../app.js"), "dir/link-up-inside.js"),
        (Path::new("dir"), "link-dir"),
        (Path::new("../outside.js"), "link-out.js"),
        (&root.join("outside.js"), "link-absolute.js"),
        (Path::new("../elsewhere"), "link-dir-out"),
        (Path::new("link-loop.js"), "link-loop.js"),
        (Path::new("nowhere.js"), "link-dangling.js"),
        (Path::new("/dev/zero"), "link-device.js"),
    ];
    for (target, name) in links {
        symlink(target, tree.join(name)).unwrap();
    }
    mknodat(CWD, tree.join("pipe.js"), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(tree.join("socket.js")).unwrap();
    fs::write(tree.join("latin1.js"), b"'\xe9\xff'").unwrap();
}

fn furnished() -> (Daemon, String) {
    let daemon = Daemon::start();
    furnish(&daemon.home);
    let session = daemon.session();
    (daemon, session)
}

/// Paths that leave the worktree, or name what is no regular file: they are refused as such.
const INVALID: [&str; 22] = [
    "/app.js",
    "//app.js",
    "../outside.js",
    "..",
    "dir/..",
    "dir/../app.js",
    "dir/../../outside.js",
    "./../outside.js",
    "dir/../../worktree/app.js",
    "app.js\0",
    "app.js\0.txt",
    "\0",
    "link-out.js",
    "link-absolute.js",
    "link-dir-out/file.js",
    "link-dir/../../outside.js",
    "link-device.js",
    ".",
    "dir",
    "dir/",
    "pipe.js",
    "socket.js",
];

fn check_no_secret(case: &str, response: &Response) -> Result<(), String> {
    holds(case, !response.text().contains("the-secret"), "the content of a file outside came out")
}

#[test]
fn files_inside_run() {
    let (daemon, session) = furnished();
    let cases = [
        ("app.js", "app"),
        ("./app.js", "app"),
        ("dir/inner.js", "inner"),
        ("dir/./inner.js", "inner"),
        ("..name.js", "two dots in a name"),
        ("...js", "three dots"),
        ("link-inside.js", "app"),
        ("dir/link-up-inside.js", "app"),
        ("link-dir/inner.js", "inner"),
    ];
    all_cases(cases, |(path, expected)| {
        let response = daemon.post_file(&session, path);
        holds(path, response.status == 201, response.text())?;
        same(path, response.json()["result"]["json"].as_str(), Some(expected))
    });
}

#[test]
fn paths_that_leave_the_worktree_are_invalid() {
    let (daemon, session) = furnished();
    let absolute = daemon.home.worktree().join("app.js");
    let outside = daemon.home.root().join("outside.js");
    let all = INVALID.into_iter().chain([absolute.to_str().unwrap(), outside.to_str().unwrap()]);
    all_cases(all, |path| {
        let start = Instant::now();
        let response = daemon.post_file(&session, path);
        let took = start.elapsed();
        check_no_secret(path, &response)?;
        refused(&format!("{path:?}"), &response, 422, "INVALID_PATH")?;
        // A pipe without a writer would hold a reader for ever, and a device would never end.
        holds(path, took < Duration::from_secs(5), format!("took {took:?}"))
    });
    let left = daemon.executions(&session);
    assert!(left.iter().all(|execution| execution["status"] != "running"), "{left:?}");
    assert_eq!(daemon.run_file(&session, "app.js")["status"], "ok", "and the session is free");
}

#[test]
fn files_that_are_not_there_are_not_found() {
    let (daemon, session) = furnished();
    all_cases(
        ["missing.js", "dir/missing.js", "missing/app.js", "App.js", "app.j", "app.js ", "%61pp.js", "*.js"],
        |path| refused(path, &daemon.post_file(&session, path), 404, "FILE_NOT_FOUND"),
    );
    let left = daemon.executions(&session);
    assert!(left.iter().all(|execution| execution["status"] != "running"), "{left:?}");
}

#[test]
fn odd_paths_are_refused_one_way_or_another() {
    let (daemon, session) = furnished();
    let (long_name, long_path) = ("x".repeat(300) + ".js", "d/".repeat(5000) + "a.js");
    let odd = [
        "",
        " ",
        "app.js/",
        "app.js/x.js",
        "dir\\inner.js",
        "..\\outside.js",
        "C:\\app.js",
        "link-loop.js",
        "link-dangling.js",
        "file:///app.js",
        "~/app.js",
        "\u{202e}sj.ppa",
        &long_name,
        &long_path,
    ];
    all_cases(odd, |path| {
        let response = daemon.post_file(&session, path);
        let code = if response.status < 400 { String::new() } else { response.envelope().0 };
        let known = ["VALIDATION_ERROR", "INVALID_PATH", "FILE_NOT_FOUND"].contains(&code.as_str());
        holds(&format!("{path:.40?}"), known, response.text())
    });
    assert_eq!(daemon.run_file(&session, "app.js")["status"], "ok");
}

#[test]
fn a_file_that_is_no_text_is_told_so() {
    let (daemon, session) = furnished();
    let response = daemon.post_file(&session, "latin1.js");
    if response.status == 201 {
        assert_eq!(response.json()["status"], "error", "{}", response.text());
    } else {
        response.error(422, "INVALID_PATH");
    }
    assert_eq!(daemon.run_file(&session, "app.js")["status"], "ok");
}

#[test]
fn a_worktree_that_vanishes_is_an_answer_and_no_fault() {
    let (daemon, session) = furnished();
    fs::rename(daemon.home.worktree(), daemon.home.root().join("moved")).unwrap();
    let response = daemon.post_file(&session, "app.js");
    // A handle of the directory still finds the file, a path does not: both are right.
    if response.status == 201 {
        assert_eq!(response.json()["result"]["json"], "app");
    } else {
        let (code, _) = response.envelope();
        assert!(["FILE_NOT_FOUND", "INVALID_PATH"].contains(&code.as_str()), "{}", response.text());
    }
    assert_eq!(daemon.preview(&session, "1 + 1"), "2");
}

#[test]
fn a_file_swapped_for_a_link_while_it_is_asked_for_shows_nothing_of_the_host() {
    let (daemon, session) = furnished();
    let tree = daemon.home.worktree();
    let (flip, spare) = (tree.join("flip.js"), tree.join("spare"));
    fs::write(&flip, "'flip'").unwrap();
    std::thread::scope(|scope| {
        let requests = scope.spawn(|| {
            for round in 0..200 {
                let response = daemon.post_file(&session, "flip.js");
                check_no_secret(&format!("round {round}"), &response).unwrap();
                assert!([201, 404, 422].contains(&response.status), "{}", response.text());
            }
        });
        while !requests.is_finished() {
            symlink("../outside.js", &spare).unwrap();
            fs::rename(&spare, &flip).unwrap();
            fs::write(&spare, "'flip'").unwrap();
            fs::rename(&spare, &flip).unwrap();
        }
        requests.join().unwrap();
    });
}

#[test]
fn startup_paths_are_checked_when_they_are_added() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let files = format!("/templates/{template}/startup-files");
    // Without a worktree nothing but the text can be judged.
    let bad = ["/app.js", "//app.js", "../outside.js", "..", "dir/../app.js", "./../outside.js", "app.js\0", "\0"];
    all_cases(bad, |path| {
        refused(&format!("{path:?}"), &daemon.post(&files, &json!({ "path": path })), 422, "INVALID_PATH")
    });
    let empty = daemon.post(&files, &json!({ "path": "" }));
    assert!([400, 422].contains(&empty.status), "{}", empty.text());
    assert_eq!(array(daemon.get(&files).ok(200)).len(), 0);
}

#[test]
fn startup_files_stay_inside_like_all_others() {
    let (daemon, _) = furnished();
    let bad =
        ["link-out.js", "link-absolute.js", "link-dir-out/file.js", "link-device.js", "dir", "pipe.js", "link-loop.js"];
    all_cases(bad, |path| {
        let template = daemon.template(json!({}));
        daemon.post(&format!("/templates/{template}/startup-files"), &json!({ "path": path })).ok(201);
        let start = Instant::now();
        let response = daemon.post("/sessions", &daemon.session_request(&template));
        let took = start.elapsed();
        check_no_secret(path, &response)?;
        refused(path, &response, 422, "STARTUP_FAILED")?;
        holds(path, took < Duration::from_secs(5), format!("took {took:?}"))?;
        let session = text(&response.envelope().1["session_id"]);
        same(path, daemon.session_record(&session)["status"].as_str(), Some("crashed"))
    });
}
