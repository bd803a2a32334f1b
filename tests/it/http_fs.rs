//! The module `fs` through the daemon: what a template grants, what a script may reach, and what it never may.

use std::fs;
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::{Value, json};

use crate::support::{Daemon, Home, all_cases, console, same, text};

/// Makes a session whose template has these capabilities.
fn session_with(daemon: &Daemon, capabilities: &[Value]) -> String {
    let template = daemon.template(json!({}));
    for capability in capabilities {
        daemon.post(&format!("/templates/{template}/capabilities"), capability).ok(201);
    }
    daemon.session_of(&template)
}

fn files(read: &[&str], write: &[&str]) -> Value {
    json!({ "kind": "fs", "name": "files", "enabled": true, "config": { "read": read, "write": write } })
}

/// What a snippet comes to: a value, or the code of the error that it throws.
fn outcome(daemon: &Daemon, session: &str, code: &str) -> String {
    daemon.preview(session, &format!("(() => {{ try {{ return {code} }} catch (e) {{ return e.code }} }})()"))
}

#[test]
fn files_are_granted_by_the_template() {
    let home = Home::new();
    home.write("pub/a.txt", "public");
    home.write("secret/a.txt", "secret");
    let daemon = Daemon::at(&home);
    let disabled = json!({ "kind": "fs", "name": "none" });
    for (capabilities, cases) in [
        (
            vec![],
            [("require('fs')", "ERR_MODULE_NOT_GRANTED"), ("require('node:fs/promises')", "ERR_MODULE_NOT_GRANTED")],
        ),
        (
            vec![json!({ "kind": "module", "name": "fs", "enabled": true })],
            [
                ("require('fs').readFileSync('secret/a.txt', 'utf8')", "secret"),
                ("require('fs').writeFileSync('new', 'x')", "undefined"),
            ],
        ),
        (
            vec![json!({ "kind": "module", "name": "fs", "enabled": true }), disabled.clone()],
            [("require('fs')", "ERR_MODULE_NOT_GRANTED"), ("require('fs/promises')", "ERR_MODULE_NOT_GRANTED")],
        ),
        (
            vec![files(&["pub"], &[])],
            [
                ("require('fs').readFileSync('pub/a.txt', 'utf8')", "public"),
                ("require('fs').writeFileSync('pub/b.txt', 'x')", "EACCES"),
            ],
        ),
        (
            vec![files(&["pub"], &["out"]), disabled],
            [
                ("require('fs').readFileSync('secret/a.txt')", "EACCES"),
                ("require('fs').mkdirSync('out/a', { recursive: true })", "out"),
            ],
        ),
    ] {
        let session = session_with(&daemon, &capabilities);
        all_cases(cases, |(code, expected)| {
            same(&format!("{capabilities:?}: {code}"), outcome(&daemon, &session, code), expected.to_owned())
        });
    }
}

#[test]
fn scripts_use_files_as_in_node() {
    let home = Home::new();
    home.write("main.mjs", "import fs, { readFileSync } from 'fs'; import { writeFile } from 'node:fs/promises';\n\
        await writeFile('out.json', JSON.stringify({ a: 1 })); console.log(JSON.parse(readFileSync('out.json')).a, fs.existsSync('out.json'));\n\
        try { fs.readFileSync('missing') } catch (e) { console.log(e.message) }");
    let daemon = Daemon::at(&home);
    let session = session_with(&daemon, &[files(&["."], &["."])]);
    let execution = daemon.run_file(&session, "main.mjs");
    assert_eq!(
        console(&execution),
        ["1 true", "ENOENT: no such file or directory, open 'missing'"],
        "{}",
        execution["error"]
    );
    let root = home.worktree();
    let absolute = format!("require('fs').readFileSync({:?}, 'utf8')", root.join("out.json"));
    assert_eq!(outcome(&daemon, &session, &absolute), r#"{"a":1}"#);
    let uncaught = daemon.repl(&session, "require('fs').readFileSync('/etc/passwd')");
    let message = text(&uncaught["error"]["message"]);
    assert!(
        message.starts_with("Error: EACCES: permission denied, open '/etc/passwd' (outside of the worktree"),
        "{message}"
    );
}

#[test]
fn the_daemons_own_database_is_never_reachable() {
    let home = Home::new();
    let daemon = Daemon::at(&home);
    // The daemon keeps its database in a directory that is somebody's worktree.
    let template = daemon.template(json!({}));
    daemon.post(&format!("/templates/{template}/capabilities"), &files(&["."], &["."])).ok(201);
    let mut request = daemon.session_request(&template);
    request["worktree_path"] = json!(home.root());
    let session = text(&daemon.post("/sessions", &request).ok(201)["id"]);
    let database = home.db().strip_prefix(home.root()).unwrap().to_str().unwrap().to_owned();
    fs::hard_link(home.db(), home.root().join("hard")).unwrap();
    symlink(home.db().file_name().unwrap(), home.db().with_file_name("soft")).unwrap();
    fs::write(home.root().join("mine"), "mine").unwrap();
    let beside = |suffix: &str| format!("{database}{suffix}");
    for path in [database.clone(), beside("-wal"), beside("-shm"), beside("-journal"), "hard".to_owned()] {
        let calls = [
            "readFileSync(P)",
            "writeFileSync(P, 'x')",
            "appendFileSync(P, 'x')",
            "copyFileSync(P, 'stolen')",
            "copyFileSync('mine', P)",
            "renameSync(P, 'moved')",
            "renameSync('mine', P)",
            "unlinkSync(P)",
            "rmSync(P, { force: true })",
            "truncateSync(P)",
        ];
        all_cases(calls, |call| {
            let code = format!("require('fs').{}", call.replace('P', &format!("{path:?}")));
            let found = outcome(&daemon, &session, &code);
            let expected = if path.ends_with("-journal") && found == "ENOENT" { "ENOENT" } else { "EACCES" };
            same(&code, found, expected.to_owned())
        });
    }
    let soft = home.db().with_file_name("soft");
    let soft = soft.strip_prefix(home.root()).unwrap();
    assert_eq!(outcome(&daemon, &session, &format!("require('fs').readFileSync({soft:?})")), "EACCES");
    // It is as well as before.
    assert_eq!(daemon.preview(&session, "require('fs').readFileSync('mine', 'utf8')"), "mine");
    daemon.get(&format!("/sessions/{session}")).ok(200);
}

#[test]
fn a_race_with_links_leads_nowhere() {
    let home = Home::new();
    home.write("swap/a.txt", "inside");
    let outside = home.root().join("outside");
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("a.txt"), "outside").unwrap();
    let root = home.worktree();
    symlink(&outside, root.join("trap")).unwrap();
    let daemon = Daemon::at(&home);
    let session = session_with(&daemon, &[files(&["."], &["."])]);
    let done = Arc::new(AtomicBool::new(false));
    let swapping = thread::spawn({
        let done = done.clone();
        move || {
            while !done.load(Ordering::Relaxed) {
                fs::rename(root.join("swap"), root.join("aside")).unwrap();
                fs::rename(root.join("trap"), root.join("swap")).unwrap();
                fs::rename(root.join("swap"), root.join("trap")).unwrap();
                fs::rename(root.join("aside"), root.join("swap")).unwrap();
            }
        }
    });
    let seen = daemon.preview(
        &session,
        "const fs = require('fs'); const seen = new Set();
         for (let i = 0; i < 2000; i++) {
           try { seen.add(fs.readFileSync('swap/a.txt', 'utf8')) } catch {}
           try { fs.writeFileSync('swap/b.txt', 'mine', { flag: 'a' }) } catch {}
           try { fs.mkdirSync('swap/d') } catch {}
           try { fs.rmdirSync('swap/d') } catch {}
         }
         [...seen].join()",
    );
    done.store(true, Ordering::Relaxed);
    swapping.join().unwrap();
    assert_eq!(seen, "inside");
    let left: Vec<_> = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["a.txt"]);
}
