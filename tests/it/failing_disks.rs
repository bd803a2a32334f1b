//! Disks that fail while the daemon works: they are full, turn read-only, or take no writes. Whoever asks is told, what was
//! acknowledged stays, what is stored can be read, and when it has passed, everything goes on by itself.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rusqlite::Connection as Database;
use serde_json::{Value, json};

use crate::http::{Request, Response};
use crate::sse::Sse;
use crate::support::{Daemon, Home, api, array, check_execution, check_summary, console, pluck, serve, text, wait_for};

/// The daemon tries again twice a second; this is for a machine that is busy elsewhere.
const SOON: Duration = Duration::from_secs(20);

/// Runs until it is stopped, and can be stopped at once.
const TICKING: &str = "for (;;) { console.log('tick'); await new Promise(r => setTimeout(r, 5)) }";
/// Never lets itself be interrupted: to stop it costs the session.
const STUCK: &str = "var a = 2n ** 1000000n - 1n, b = 2n ** 500000n - 1n; for (;;) a % b";
const COUNT: &str = "globalThis.n = (globalThis.n ?? 0) + 1";

/// Checks an answer that says that the store cannot be written. Answers its details.
#[track_caller]
fn unavailable(daemon: &Daemon, response: &Response, why: &str) -> Value {
    let details = response.error(503, "STORE_UNAVAILABLE");
    assert!(response.header("Retry-After").is_some_and(|seconds| seconds.parse::<u32>().is_ok()), "{response:?}");
    let message = text(&response.json()["error"]["message"]);
    assert!(message.contains(why), "{message}");
    assert!(message.contains("nothing that was acknowledged is lost"), "{message}");
    let root = daemon.home.root();
    assert!(!response.text().contains(root.to_str().unwrap()), "no paths: {}", response.text());
    details
}

#[track_caller]
fn start(daemon: &Daemon, session: &str, input: &str) -> Response {
    daemon.post("/executions/repl", &json!({ "session_id": session, "input": input, "detach": true }))
}

#[track_caller]
fn keyed(daemon: &Daemon, key: &str, session: &str, input: &str) -> Response {
    let body = json!({ "session_id": session, "input": input, "detach": true }).to_string();
    daemon.send(&Request::new("POST", api("/executions/repl")).header("Idempotency-Key", key).json(body))
}

/// Waits until the end of an execution is stored. Answers it.
#[track_caller]
fn ended(daemon: &Daemon, id: &str) -> Value {
    let execution = wait_for("an end to be stored", SOON, || {
        let execution = daemon.execution(id);
        (execution["status"] != "running").then_some(execution)
    });
    check_execution(&execution);
    execution
}

/// Everything that can be read, by its path.
fn everything(daemon: &Daemon, template: &str, executions: &[&Value]) -> Vec<(String, Value)> {
    let paths = ["/templates", "/sessions"].map(str::to_owned).into_iter();
    let paths = paths.chain([format!("/templates/{template}")]);
    let paths = paths.chain(executions.iter().map(|execution| format!("/executions/{}", text(&execution["id"]))));
    paths.map(|path| (path.clone(), daemon.get(&path).ok(200))).collect()
}

/// The log of a daemon that has seen a disk fail: no thread has panicked.
#[track_caller]
fn check_log(daemon: &Daemon) {
    assert!(!daemon.log().contains("panicked"), "{}", daemon.log());
}

/// The database itself: sound, with nothing alive but these sessions and these executions.
#[track_caller]
fn check_database(db: &Path, alive: u32) {
    let database = Database::open(db).unwrap();
    let ask = |question: &str| database.query_row(question, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(ask("PRAGMA integrity_check"), "ok");
    let count = |question: &str| database.query_row(question, [], |row| row.get::<_, u32>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM executions WHERE status = 'running'"), 0);
    assert_eq!(count("SELECT count(*) FROM sessions WHERE status IN ('ready', 'starting')"), alive);
}

#[test]
fn every_call_says_that_the_disk_fails_and_goes_on_when_it_works_again() {
    const WHY: &str = "the disk fails";
    let mut daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let [session, other, third] = [(); 3].map(|()| daemon.session_of(&template));
    let kept = daemon.repl(&session, "console.log('seen'); 'kept'");
    let ticking = text(&keyed(&daemon, "before", &other, TICKING).ok(202)["id"]);
    let before = everything(&daemon, &template, &[&kept]);

    daemon.limit_files(Some(1));
    let mut follower = Sse::open(daemon.address, &format!("/sessions/{session}/events/stream?tail=0"), None);
    // It has run; nobody could know that beforehand.
    let details = unavailable(&daemon, &daemon.post_repl(&session, "console.log('ran'); 6 * 7"), WHY);
    let ran = text(&details["execution_id"]);
    let mut reader = Sse::open(daemon.address, &format!("/executions/{ran}/events/stream"), None);

    // From then on, nothing is begun whose end could not be stored either.
    let body = |input: &str| json!({ "session_id": session, "input": input });
    daemon.home.write("count.js", COUNT);
    let startup = json!({ "path": "count.js", "order_index": 1 });
    let calls = [
        ("POST", "/executions/repl".to_owned(), Some(body(COUNT))),
        ("POST", "/executions/run-file".to_owned(), Some(json!({ "session_id": session, "path": "count.js" }))),
        ("POST", "/sessions".to_owned(), Some(daemon.session_request(&template))),
        ("POST", "/templates".to_owned(), Some(json!({ "name": "new" }))),
        ("PATCH", format!("/templates/{template}"), Some(json!({ "name": "renamed" }))),
        ("POST", format!("/templates/{template}/startup-files"), Some(startup)),
        ("DELETE", format!("/templates/{template}"), None),
        ("POST", format!("/sessions/{third}/close"), None),
        ("DELETE", format!("/sessions/{third}"), None),
        ("POST", format!("/executions/{ran}/cancel"), None),
        ("POST", format!("/executions/{ticking}/cancel"), None),
    ];
    for (method, path, body) in &calls {
        let request = Request::new(method, api(path));
        let request = match body {
            Some(body) => request.json(body.to_string()),
            None => request,
        };
        let details = unavailable(&daemon, &daemon.send(&request), WHY);
        let id = details.get("execution_id").map(text);
        assert_eq!(
            id,
            path.strip_suffix("/cancel").and_then(|path| path.split('/').nth(2)).map(str::to_owned),
            "{path}"
        );
    }
    unavailable(&daemon, &start(&daemon, &session, COUNT), WHY);
    unavailable(&daemon, &keyed(&daemon, "refused", &session, COUNT), WHY);
    assert_eq!(keyed(&daemon, "before", &other, TICKING).ok(202)["id"], ticking, "that was acknowledged before");
    let told = daemon.cli(&["exec", "repl", &session, COUNT]).expect(1);
    assert!(told.stderr.contains("STORE_UNAVAILABLE") && told.stderr.contains("make room"), "{told:?}");

    // Reading goes on, and says what is known.
    assert_eq!(daemon.get("/health").ok(200)["status"], "ok");
    assert_eq!(everything(&daemon, &template, &[&kept]), before);
    let between = daemon.execution(&ran);
    check_summary(&between);
    assert_eq!((&between["status"], console(&between)), (&json!("running"), vec!["ran".to_owned()]));
    assert_eq!(daemon.active().len(), 3);
    assert_eq!(
        ["input_echo", "console"],
        [(); 2].map(|()| text(&json!(reader.next().unwrap().unwrap().name()))).as_slice()
    );

    daemon.limit_files(None);
    assert_eq!(daemon.preview(&session, "typeof n"), "undefined", "what was refused has not run");
    assert_eq!(daemon.eval(&session, COUNT)["preview"], "1");
    let ran = ended(&daemon, &ran);
    assert_eq!((&ran["status"], &ran["result"]["preview"]), (&json!("ok"), &json!("42")));
    let rest = reader.rest();
    assert_eq!(rest.iter().map(|message| message.name().to_owned()).collect::<Vec<_>>(), ["value", "end"]);
    assert_eq!(rest[0].data(), &ran["events"][2]);
    let ticking = ended(&daemon, &ticking);
    assert_eq!(ticking["status"], "cancelled");
    assert_eq!(keyed(&daemon, "before", &other, TICKING).ok(202)["status"], "cancelled");
    let again = text(&keyed(&daemon, "refused", &session, COUNT).ok(202)["id"]);
    assert_eq!(ended(&daemon, &again)["result"]["preview"], "2", "a refusal does not use the key up");
    assert_eq!(daemon.post(&format!("/sessions/{third}/close"), &json!({})).status, 200);
    daemon.post("/templates", &json!({ "name": "new" })).ok(201);

    let followed: Vec<Value> = (0..3)
        .map(|_| follower.next().unwrap().unwrap().data().clone())
        .filter(|event| event["execution_id"] == ran["id"])
        .collect();
    assert_eq!(followed, array(ran["events"].clone()), "whoever follows the session misses nothing");
    check_log(&daemon);
    let everything_there = everything(&daemon, &template, &[&kept, &ran, &ticking]);
    daemon.stop();
    check_database(&daemon.home.db(), 0);
    let next = Daemon::at(&daemon.home);
    let there = everything(&next, &template, &[&kept, &ran, &ticking]);
    assert_eq!(there[2..], everything_there[2..]);
}

#[test]
fn a_session_that_ends_while_the_disk_fails_is_not_left_alive() {
    let mut daemon = Daemon::start();
    daemon.home.write("slow.js", "await new Promise(r => setTimeout(r, 1000))");
    let template = daemon.template(json!({}));
    let slow = daemon.template(json!({ "runtime": { "esm": true } }));
    daemon.post(
        &format!("/templates/{slow}/startup-files"),
        &json!({ "path": "slow.js", "order_index": 1, "mode": "import" }),
    );
    let crashing = daemon.session_of(&template);
    let stuck = text(&start(&daemon, &crashing, STUCK).ok(202)["id"]);
    let started = thread::scope(|scope| {
        let started = scope.spawn(|| daemon.post("/sessions", &daemon.session_request(&slow)));
        wait_for("a session to be starting", SOON, || {
            let starting = array(daemon.get("/sessions?status=starting").ok(200)).pop()?;
            (!daemon.executions(&text(&starting["id"])).is_empty()).then_some(())
        });
        daemon.limit_files(Some(1));
        started.join().unwrap()
    });
    let starting = text(&unavailable(&daemon, &started, "the disk fails")["session_id"]);
    unavailable(&daemon, &daemon.poke(&format!("/executions/{stuck}/cancel")), "the disk fails");
    for id in [&crashing, &starting] {
        let record = daemon.session_record(id);
        assert_eq!(record["status"], "crashed", "{record}");
        daemon.post_repl(id, "1").error(503, "STORE_UNAVAILABLE");
    }
    assert_eq!(pluck(&array(daemon.get("/sessions").ok(200)), "status"), ["crashed", "crashed"]);
    assert_eq!(daemon.active(), [""; 0]);

    daemon.limit_files(None);
    assert_eq!(ended(&daemon, &stuck)["status"], "cancelled");
    wait_for("the crashes to be stored", SOON, || {
        (array(daemon.get("/sessions?status=crashed").ok(200)).len() == 2).then_some(())
    });
    for id in [&crashing, &starting] {
        daemon.post_repl(id, "1").error(409, "SESSION_NOT_READY");
        assert_eq!(daemon.poke(&format!("/sessions/{id}/close")).ok(200)["status"], "closed");
    }
    check_log(&daemon);
    daemon.kill();
    check_database(&daemon.home.db(), 0);
}

#[test]
fn a_daemon_can_be_stopped_while_the_disk_fails() {
    let home = Home::new();
    let mut daemon = Daemon::at(&home);
    let session = daemon.session();
    let kept = daemon.repl(&session, "'kept'");
    let ticking = text(&start(&daemon, &session, TICKING).ok(202)["id"]);
    daemon.limit_files(Some(1));
    daemon.stop();
    check_log(&daemon);
    let daemon = Daemon::at(&home);
    assert_eq!(daemon.execution(&text(&kept["id"])), kept);
    assert_eq!(ended(&daemon, &ticking)["status"], "cancelled");
    assert_eq!(daemon.session_record(&session)["status"], "closed");
}

/// Runs a script in which `$0` is the directory of the database, with file systems that nobody else sees.
fn unshared(script: &str, directory: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private"]);
    if !rustix::process::getuid().is_root() {
        command.arg("--map-root-user");
    }
    command.args(["sh", "-ec", script]).arg(directory).stdin(Stdio::null());
    command
}

/// A daemon whose database is on a file system of its own, made by a script; none where that may not be made.
fn on_own_disk(home: &Arc<Home>, mount: &str) -> Option<Daemon> {
    let directory = disk(home);
    fs::create_dir_all(&directory).unwrap();
    let tried = unshared(mount, &directory).output();
    if !tried.as_ref().is_ok_and(|tried| tried.status.success()) {
        eprintln!("skipped: no file system can be mounted here ({tried:?}); as root it can");
        return None;
    }
    let daemon = Daemon::with(home, |command| {
        let serve = serve(&directory.join("vm.db"), "127.0.0.1:0");
        *command = unshared(&format!("{mount}; exec \"$@\""), &directory);
        command.arg(serve.get_program()).args(serve.get_args()).current_dir(home.root());
    });
    Some(daemon)
}

fn disk(home: &Home) -> PathBuf {
    home.root().join("disk")
}

/// Whether this is where nothing may be skipped.
fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// Takes all the room that a directory has.
fn fill(directory: &Path) -> PathBuf {
    let path = directory.join("filler");
    let mut filler = File::create(&path).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    path
}

/// Copies a database that nobody writes just now.
fn copy(from: &Path, to: &Path) {
    for name in ["vm.db", "vm.db-wal"] {
        fs::copy(from.join(name), to.join(name)).unwrap();
    }
}

#[test]
fn a_full_disk_is_told_and_passes() {
    const WHY: &str = "the disk is full";
    let home = Home::new();
    let Some(daemon) = on_own_disk(&home, "mount -t tmpfs -o size=16m none \"$0\"") else {
        assert!(!is_ci(), "this is to be tried where everything is");
        return;
    };
    let directory = daemon.path_within(&disk(&home));
    let template = daemon.template(json!({ "limits": { "max_output_kb": 4096, "max_events": 5000, "mem_mb": 256 } }));
    let [session, other] = [(); 2].map(|()| daemon.session_of(&template));
    let mut acknowledged = vec![daemon.repl(&session, "'kept'")];
    let ticking = text(&start(&daemon, &other, TICKING).ok(202)["id"]);

    let filler = fill(&directory);
    // The log of the database has some room in it; more than that is too much.
    let large = "for (let i = 0; i < 4000; i++) console.log(i + 'x'.repeat(500)); 'large'";
    let details = unavailable(&daemon, &daemon.post_repl(&session, large), WHY);
    let ran = text(&details["execution_id"]);
    unavailable(&daemon, &daemon.post_repl(&session, COUNT), WHY);
    unavailable(&daemon, &start(&daemon, &session, COUNT), WHY);
    // What is small may still find room. Either it is told, or it is there.
    let mut templates = 0;
    for number in 0..300 {
        let response = daemon.post("/templates", &json!({ "name": format!("small {number}") }));
        match response.status {
            201 => templates += 1,
            _ => drop(unavailable(&daemon, &response, WHY)),
        }
    }
    assert_eq!(daemon.get("/health").ok(200)["status"], "ok");
    assert_eq!(daemon.execution(&text(&acknowledged[0]["id"])), acknowledged[0]);
    assert_eq!(daemon.execution(&ran)["status"], "running");
    assert_eq!(daemon.execution(&ran)["events"].as_array().unwrap().len(), 4001);

    fs::remove_file(&filler).unwrap();
    assert_eq!(daemon.preview(&session, "typeof n"), "undefined", "what was refused has not run");
    let ran = ended(&daemon, &ran);
    assert_eq!((&ran["result"]["preview"], console(&ran).len()), (&json!("large"), 4000));
    daemon.poke(&format!("/executions/{ticking}/cancel")).ok(200);
    acknowledged.extend([ran, ended(&daemon, &ticking), daemon.repl(&session, "'more'")]);
    assert_eq!(array(daemon.get("/templates?limit=1000").ok(200)).len(), templates + 1);
    daemon.session_of(&template);

    // And again, until writing works: a disk can be full more than once.
    let filler = fill(&directory);
    unavailable(&daemon, &daemon.post_repl(&session, large), WHY);
    fs::remove_file(&filler).unwrap();
    acknowledged.push(daemon.repl(&session, "'once more'"));
    check_log(&daemon);

    copy(&directory, &home.root());
    drop(daemon);
    check_database(&home.db(), 3);
    let daemon = Daemon::at(&home);
    for execution in &acknowledged {
        assert_eq!(&daemon.execution(&text(&execution["id"])), execution);
    }
}

/// A file system does so when it finds an error of its own. It stays so until it is mounted again: to go on, the daemon
/// has to be started again as well, and what it had acknowledged is there.
#[test]
fn a_disk_that_turns_read_only_is_told() {
    let home = Home::new();
    let image = home.root().join("image");
    File::create(&image).unwrap().set_len(16 << 20).unwrap();
    let made = Command::new("mkfs.ext4").arg("-q").arg(&image).status();
    let mount = format!("mount -o loop,errors=remount-ro {} \"$0\"", image.display());
    let Some(mut daemon) = made.is_ok_and(|made| made.success()).then(|| on_own_disk(&home, &mount)).flatten() else {
        eprintln!("skipped: it takes mkfs.ext4, a loop device and root");
        return;
    };
    let session = daemon.session();
    let kept = daemon.repl(&session, "'kept'");
    let ticking = text(&start(&daemon, &session, TICKING).ok(202)["id"]);
    let device = loop_device(&image).unwrap();
    fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "a test").unwrap();

    unavailable(&daemon, &daemon.post("/templates", &json!({ "name": "new" })), "the database has become read-only");
    unavailable(&daemon, &daemon.poke(&format!("/executions/{ticking}/cancel")), "the database has become read-only");
    assert_eq!(daemon.get("/health").ok(200)["status"], "ok");
    assert_eq!(daemon.execution(&text(&kept["id"])), kept);
    daemon.stop();
    check_log(&daemon);
    wait_for("the file system to be unmounted", SOON, || loop_device(&image).is_none().then_some(()));

    let daemon = on_own_disk(&home, &mount).unwrap();
    assert_eq!(daemon.execution(&text(&kept["id"])), kept);
    assert_eq!(ended(&daemon, &ticking)["status"], "cancelled");
    daemon.repl(&daemon.session(), "'more'");
}

/// The name of the device that a file is mounted by.
fn loop_device(image: &Path) -> Option<String> {
    fs::read_dir("/sys/block").unwrap().map(|entry| entry.unwrap()).find_map(|device| {
        let file = fs::read_to_string(device.path().join("loop/backing_file")).ok()?;
        (Path::new(file.trim_end()) == image).then(|| device.file_name().into_string().unwrap())
    })
}
