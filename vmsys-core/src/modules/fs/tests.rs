//! The host's side alone: what reaches it past `fs.js`, what takes long, and who swaps what meanwhile.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use super::*;
use crate::event::Payload;
use crate::ids::{ExecutionId, SessionId};
use crate::isolation::protocol::{Completion, EmitRefused};
use crate::modules::{ProtectedFiles, Surroundings};
use crate::worktree::Worktree;

/// An execution that is told to stop when it has been asked so often.
struct Execution {
    polls: AtomicU32,
    stops_at: u32,
    memory: usize,
}

impl Surroundings for Execution {
    fn unread_answers(&self) -> usize {
        0
    }

    fn execution_id(&self) -> ExecutionId {
        ExecutionId::new()
    }

    fn session_id(&self) -> SessionId {
        SessionId::new()
    }

    fn time_left(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn should_stop(&self) -> bool {
        self.polls.fetch_add(1, Ordering::Relaxed) >= self.stops_at
    }

    fn emit(&self, _: Payload) -> std::result::Result<(), EmitRefused> {
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        self.memory
    }

    fn answer(&self, _: Completion) {}
}

struct Ground {
    directory: tempfile::TempDir,
    root: PathBuf,
    open: OpenFs,
    execution: Arc<Execution>,
}

impl Ground {
    fn new() -> Self {
        Self::with(u32::MAX, 1 << 20, None)
    }

    fn with(stops_at: u32, memory: usize, database: Option<&str>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().canonicalize().unwrap().join("tree");
        std::fs::create_dir(&root).unwrap();
        let protected = match database {
            None => ProtectedFiles::default(),
            Some(name) => {
                std::fs::write(root.join(name), "rows").unwrap();
                ProtectedFiles::of(Some(&root.join(name)))
            }
        };
        let all = [".".to_owned()];
        let files = SessionFiles::new(Worktree::open(&root).unwrap(), &root, &all, &all, protected);
        let execution = Arc::new(Execution { polls: AtomicU32::new(0), stops_at, memory });
        Self { directory, root, open: OpenFs { files }, execution }
    }

    fn call(&mut self, function: &str, args: &[Value]) -> Answer {
        let context = CallContext::new(self.execution.clone());
        self.open.call(function, args, &context)
    }

    fn code(&mut self, function: &str, args: &[Value]) -> String {
        match self.call(function, args) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.code().unwrap_or(error.message()).to_owned(),
        }
    }
}

fn text(text: &str) -> Value {
    Value::from(text)
}

#[test]
fn arguments_are_checked_again() {
    let mut ground = Ground::new();
    std::fs::write(ground.root.join("a"), "x").unwrap();
    let odd = [
        Value::Null,
        Value::Bool(true),
        Value::Number(f64::NAN),
        Value::Number(-1.0),
        Value::Number(1e300),
        Value::BigInt(7),
        text("a\0b"),
        text(""),
        Value::Bytes(vec![0xff, 0xfe]),
        Value::Bytes(vec![0]),
        Value::Array(vec![]),
        Value::object([("href", text("file:///etc/passwd"))]),
    ];
    let functions = [
        "access",
        "chmod",
        "copyFile",
        "exists",
        "mkdir",
        "mkdtemp",
        "readFile",
        "readdir",
        "readlink",
        "realpath",
        "rename",
        "rm",
        "rmdir",
        "stat",
        "truncate",
        "unlink",
        "utimes",
        "writeFile",
        "nothing",
        "__proto__",
    ];
    for function in functions {
        let _ = ground.call(function, &[]);
        for first in &odd {
            for second in &odd {
                for third in &odd {
                    let _ = ground.call(function, &[first.clone(), second.clone(), third.clone()]);
                }
            }
        }
    }
    assert_eq!(ground.code("readFile", &[Value::Null, text("r")]), "ERR_INVALID_ARG_TYPE");
    assert_eq!(ground.code("readFile", &[text("a\0"), text("r")]), "ERR_INVALID_ARG_VALUE");
    assert_eq!(ground.code("readFile", &[text("a"), text("rw")]), "ERR_INVALID_ARG_VALUE");
    assert_eq!(ground.code("writeFile", &[text("a"), Value::Number(1.0), text("w")]), "ERR_INVALID_ARG_TYPE");
    assert_eq!(ground.code("nothing", &[]), "fs has no such function");
    assert_eq!(std::fs::read_dir(ground.directory.path()).unwrap().count(), 1, "nothing was made beside the worktree");
}

#[test]
fn settings_belong_to_the_capability() {
    assert!(Fs.check_config(&JsonObject::new()).is_ok());
    let config = serde_json::json!({"read": ["."]}).as_object().unwrap().clone();
    assert_eq!(Fs.check_config(&config).unwrap_err().detail("field"), Some("config.read"));
    assert!(Fs.info().functions.iter().any(|function| function.name == "readFileSync"));
}

#[test]
fn what_grows_while_it_is_read_is_refused() {
    let mut ground = Ground::with(u32::MAX, 3 << 20, None);
    let path = ground.root.join("log");
    std::fs::write(&path, vec![b'x'; 3 << 20]).unwrap();
    let whole = ground.call("readFile", &[text("log"), text("r")]).unwrap();
    assert_eq!(whole.as_bytes().unwrap().len(), 3 << 20);
    let file = ground.open.files.open(Path::new("log"), args::Args(&[text("r")]).open_how(0, 0).unwrap()).unwrap();
    assert_eq!(file.metadata().unwrap().len(), 3 << 20);
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().set_len((3 << 20) + 1).unwrap();
    assert_eq!(ground.code("readFile", &[text("log"), text("r")]), "ERR_FS_FILE_TOO_LARGE");
    // A file that says it is empty and is not: there is no size to go by.
    let mut reading = Ground::with(u32::MAX, 100, None);
    std::fs::write(reading.root.join("a"), vec![b'x'; 101]).unwrap();
    assert_eq!(reading.code("readFile", &[text("a"), text("r")]), "ERR_FS_FILE_TOO_LARGE");
    std::fs::write(reading.root.join("a"), vec![b'x'; 100]).unwrap();
    assert!(reading.call("readFile", &[text("a"), text("r")]).is_ok());
}

#[test]
fn what_takes_long_can_be_stopped() {
    let big = vec![b'x'; 8 << 20];
    for (function, args) in [
        ("readFile", vec![text("big"), text("r")]),
        ("writeFile", vec![text("new"), Value::Bytes(big.clone()), text("w")]),
        ("copyFile", vec![text("big"), text("copy")]),
        ("readdir", vec![text("many"), Value::Bool(true)]),
        ("rm", vec![text("many"), Value::Bool(true), Value::Bool(true)]),
        ("mkdir", vec![text(&"d/".repeat(100)), Value::Bool(true)]),
    ] {
        let mut ground = Ground::with(3, 64 << 20, None);
        std::fs::write(ground.root.join("big"), &big).unwrap();
        for n in 0..300 {
            std::fs::create_dir_all(ground.root.join(format!("many/{n}"))).unwrap();
        }
        let error = ground.call(function, &args).unwrap_err();
        assert_eq!(error.message(), "the execution is being ended", "{function}");
        assert_eq!(ground.execution.polls.load(Ordering::Relaxed), 4, "{function} goes no step further");
        let left = std::fs::read_dir(ground.root.join("many")).unwrap().count();
        assert!(left > 290, "{function}: {left}");
        assert!(std::fs::metadata(ground.root.join("new")).map_or(0, |new| new.len()) < 8 << 20);
    }
}

#[test]
fn a_listing_is_bounded() {
    let mut ground = Ground::with(u32::MAX, 100 * 70, None);
    for n in 0..100 {
        std::fs::write(ground.root.join(format!("{n:04}")), "").unwrap();
    }
    assert!(ground.call("readdir", &[text(".")]).is_ok());
    std::fs::create_dir(ground.root.join("more")).unwrap();
    for n in 0..100 {
        std::fs::write(ground.root.join(format!("more/{n:04}")), "").unwrap();
    }
    assert_eq!(ground.code("readdir", &[text("."), Value::Bool(true)]), "ENOMEM");
}

#[test]
fn links_are_neither_followed_nor_lost_when_a_tree_is_removed() {
    let mut ground = Ground::new();
    let outside = ground.directory.path().join("outside");
    std::fs::create_dir_all(outside.join("deep")).unwrap();
    std::fs::write(outside.join("deep/keep"), "kept").unwrap();
    std::fs::create_dir_all(ground.root.join("tree/in")).unwrap();
    std::fs::create_dir(ground.root.join("sibling")).unwrap();
    std::fs::write(ground.root.join("sibling/keep"), "kept").unwrap();
    symlink(&outside, ground.root.join("tree/in/absolute")).unwrap();
    symlink("../../../outside", ground.root.join("tree/in/relative")).unwrap();
    symlink("../../sibling", ground.root.join("tree/in/sibling")).unwrap();
    let listed = ground.call("readdir", &[text("."), Value::Bool(true)]).unwrap();
    assert_eq!(listed.as_array().unwrap()[0].as_array().unwrap().len(), 7, "{listed:?}");
    ground.call("rm", &[text("tree"), Value::Bool(true)]).unwrap();
    assert!(!ground.root.join("tree").exists());
    assert!(ground.root.join("sibling/keep").exists() && outside.join("deep/keep").exists());
}

#[test]
fn the_database_survives_every_function() {
    let mut ground = Ground::with(u32::MAX, 1 << 20, Some("vm.db"));
    std::fs::create_dir(ground.root.join("dir")).unwrap();
    std::fs::hard_link(ground.root.join("vm.db"), ground.root.join("dir/hard")).unwrap();
    std::fs::write(ground.root.join("a"), "x").unwrap();
    let denied = |ground: &mut Ground, function: &str, args: &[Value]| {
        assert_eq!(ground.code(function, args), "EACCES", "{function} {args:?}");
        assert_eq!(std::fs::read_to_string(ground.root.join("vm.db")).unwrap(), "rows", "{function} {args:?}");
    };
    for name in ["vm.db", "dir/hard", "dir/../vm.db"] {
        denied(&mut ground, "readFile", &[text(name), text("r")]);
        for flag in ["w", "a", "r+", "w+", "a+"] {
            denied(&mut ground, "writeFile", &[text(name), text("x"), text(flag)]);
        }
        denied(&mut ground, "copyFile", &[text(name), text("copy")]);
        denied(&mut ground, "copyFile", &[text("a"), text(name)]);
        denied(&mut ground, "rename", &[text(name), text("moved")]);
        denied(&mut ground, "rename", &[text("a"), text(name)]);
        denied(&mut ground, "unlink", &[text(name)]);
        denied(&mut ground, "rm", &[text(name), Value::Bool(true), Value::Bool(true)]);
        denied(&mut ground, "truncate", &[text(name), Value::Number(0.0)]);
        denied(&mut ground, "chmod", &[text(name), Value::Number(0.0)]);
        denied(&mut ground, "utimes", &[text(name), Value::Number(0.0), Value::Number(0.0)]);
        denied(&mut ground, "access", &[text(name), Value::Number(4.0)]);
    }
    denied(&mut ground, "rm", &[text("dir"), Value::Bool(true), Value::Bool(true)]);
    for suffix in ["-journal", "-wal", "-shm", ".lock"] {
        let name = format!("vm.db{suffix}");
        denied(&mut ground, "mkdir", &[text(&name)]);
        denied(&mut ground, "mkdir", &[text(&format!("{name}/x")), Value::Bool(true)]);
        denied(&mut ground, "writeFile", &[text(&name), text("x"), text("w")]);
        denied(&mut ground, "copyFile", &[text("a"), text(&name)]);
        denied(&mut ground, "rename", &[text("a"), text(&name)]);
        denied(&mut ground, "rename", &[text("dir"), text(&name)]);
        assert!(!ground.root.join(&name).exists());
    }
}

/// Every function, thousands of times, while another thread swaps a directory for a link that leads out.
#[test]
fn nobody_wins_a_race_against_any_function() {
    let mut ground = Ground::new();
    let outside = ground.directory.path().canonicalize().unwrap().join("outside");
    std::fs::create_dir_all(outside.join("sub")).unwrap();
    std::fs::write(outside.join("a"), "outside").unwrap();
    std::fs::write(outside.join("sub/b"), "outside").unwrap();
    let root = ground.root.clone();
    std::fs::create_dir_all(root.join("swap/sub")).unwrap();
    symlink(&outside, root.join("trap")).unwrap();
    symlink("../outside", root.join("trap2")).unwrap();
    std::fs::write(root.join("own"), "inside").unwrap();
    let done = &AtomicBool::new(false);
    let mut answered = 0;
    std::thread::scope(|scope| {
        scope.spawn(move || {
            while !done.load(Ordering::Relaxed) {
                for trap in ["trap", "trap2"] {
                    // What the other thread removed is made again.
                    let _ = std::fs::create_dir_all(root.join("swap/sub"));
                    if !root.join("swap/a").exists() {
                        let _ = std::fs::write(root.join("swap/a"), "inside");
                    }
                    let _ = std::fs::rename(root.join("swap"), root.join("aside"));
                    let _ = std::fs::rename(root.join(trap), root.join("swap"));
                    let _ = std::fs::rename(root.join("swap"), root.join(trap));
                    let _ = std::fs::rename(root.join("aside"), root.join("swap"));
                }
            }
        });
        for round in 0..150 {
            let name = format!("swap/n{round}");
            let number = Value::Number;
            let calls: [(&str, Vec<Value>); 17] = [
                ("readFile", vec![text("swap/a"), text("r")]),
                ("writeFile", vec![text("swap/a"), text("inside"), text("w")]),
                ("writeFile", vec![text(&name), text("inside"), text("wx")]),
                ("writeFile", vec![text("swap/a"), text(""), text("a")]),
                ("stat", vec![text("swap/a"), Value::Bool(true)]),
                ("readdir", vec![text("swap"), Value::Bool(true)]),
                ("copyFile", vec![text("swap/a"), text("taken")]),
                ("copyFile", vec![text("own"), text("swap/a")]),
                ("rename", vec![text("own"), text("swap/own")]),
                ("rename", vec![text("swap/own"), text("own")]),
                ("mkdir", vec![text("swap/x/y/z"), Value::Bool(true)]),
                ("chmod", vec![text("swap/a"), number(0o600.into())]),
                ("utimes", vec![text("swap/a"), number(1.0), number(1.0)]),
                ("truncate", vec![text("swap/a"), number(6.0)]),
                ("rmdir", vec![text("swap/sub")]),
                ("unlink", vec![text(&name)]),
                ("rm", vec![text("swap/sub"), Value::Bool(true), Value::Bool(true)]),
            ];
            for (function, args) in calls {
                let Ok(answer) = ground.call(function, &args) else { continue };
                answered += 1;
                assert!(!format!("{answer:?}").contains("outside"), "{function}: {answer:?}");
            }
            if !ground.root.join("own").exists() {
                std::fs::write(ground.root.join("own"), "inside").unwrap();
            }
            if let Ok(taken) = std::fs::read_to_string(ground.root.join("taken")) {
                assert!(!taken.contains("outside"));
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(answered > 250, "{answered}");
    let mut left: Vec<_> = std::fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["a", "sub"]);
    assert_eq!(std::fs::read_dir(outside.join("sub")).unwrap().count(), 1);
    let kept = std::fs::metadata(outside.join("a")).unwrap();
    assert_eq!(std::fs::read_to_string(outside.join("a")).unwrap(), "outside");
    assert!(kept.modified().unwrap().elapsed().unwrap() < Duration::from_secs(3_600), "its times were not touched");
}
