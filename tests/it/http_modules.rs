//! Real packages, installed by npm into a worktree, and what sessions make of them.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::npm::packages;
use crate::support::{Daemon, Home, all_cases, console, same, text};

/// Programs that use packages, each with what Node prints: CommonJS, ES modules, and maps of exports.
const PROGRAMS: [&str; 13] = [
    "semver.js",
    "p-limit.mjs",
    "clsx.mjs",
    "clsx.js",
    "chalk.mjs",
    "csv-parse.js",
    "debug.js",
    "immer.mjs",
    "jsonwebtoken.js",
    "nanoid.mjs",
    "postcss.mjs",
    "uuid.mjs",
    "yaml.js",
];

#[test]
fn packages_of_npm_do_what_they_do_in_node() {
    let daemon = Daemon::at(&with_packages());
    all_cases(PROGRAMS, |program| {
        let execution = daemon.run_file(&daemon.session(), program);
        let expected = fs::read_to_string(folder().join(format!("{program}.out"))).unwrap();
        same(
            &format!("{program}: {}", execution["error"]),
            console(&execution).join("\n"),
            expected.trim_end().to_owned(),
        )
    });
}

#[test]
fn packages_are_there_for_snippets_too() {
    let daemon = Daemon::at(&with_packages());
    let session = daemon.session();
    all_cases(
        [
            ("require('yaml').parse('a: [1]').a.length", "1"),
            ("require('uuid').validate((await import('uuid')).v7())", "true"),
            ("require('semver').inc('1.2.3', 'minor')", "1.3.0"),
            ("(await import('clsx')).default('a', {b: 1})", "a b"),
            ("const { default: pLimit } = await import('p-limit'); await pLimit(1)(() => 'ran')", "ran"),
        ],
        |(code, expected)| same(code, daemon.preview(&session, code), expected.to_owned()),
    );
}

#[test]
fn startup_files_can_be_imported() {
    let home = Home::new();
    home.write("boot.mjs", "import { n } from './n.mjs'; export const twice = n * 2; console.log('booted', twice)");
    home.write("n.mjs", "export const n = 21");
    let daemon = Daemon::at(&home);
    let template = daemon.template(json!({"name": "import"}));
    daemon
        .cli(&["template", "add-startup", &template, "--path", "boot.mjs", "--order", "1", "--mode", "import"])
        .expect(0);
    let session = daemon.session_of(&template);
    let startup = &daemon.executions(&session)[0];
    assert_eq!(console(&daemon.execution(&text(&startup["id"]))), ["booted 42"]);
    assert_eq!(daemon.preview(&session, "(await import('./boot.mjs')).twice"), "42");
    let refused =
        daemon.post(&format!("/templates/{template}/startup-files"), &json!({"path": "x.js", "mode": "require"}));
    assert_eq!(
        (refused.status, refused.json()["error"]["code"].clone()),
        (422, Value::from("STARTUP_MODE_UNSUPPORTED"))
    );
}

#[test]
fn the_resolver_is_the_templates() {
    let home = Home::new();
    home.write("shared/tool.js", "module.exports = 'shared'");
    home.write("data.txt.js", "module.exports = 'txt'");
    home.write("plain.jsx", "module.exports = 'jsx'");
    let daemon = Daemon::at(&home);
    let template = daemon.template(json!({"name": "resolver", "resolver": {
        "roots": ["shared"], "extensions": [".jsx", ".js"], "allow_absolute_repo_imports": true,
    }}));
    let session = daemon.session_of(&template);
    all_cases(
        [
            ("require('tool')", "shared"),
            ("require('./plain')", "jsx"),
            ("require('./data.txt')", "txt"),
            ("require('/shared/tool')", "shared"),
            ("(await import('/shared/tool.js')).default", "shared"),
            ("try { require('/etc/passwd') } catch (e) { e.code }", "MODULE_NOT_FOUND"),
        ],
        |(code, expected)| same(code, daemon.preview(&session, code), expected.to_owned()),
    );
    let plain = daemon.session();
    assert_eq!(daemon.preview(&plain, "try { require('/shared/tool') } catch (e) { e.code }"), "EACCES");
}

fn with_packages() -> std::sync::Arc<Home> {
    let home = Home::new();
    copy(&packages().join("node_modules"), &home.worktree().join("node_modules"));
    for program in PROGRAMS {
        fs::copy(folder().join(program), home.worktree().join(program)).unwrap();
    }
    home
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/it/packages")
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let (kind, to) = (entry.file_type().unwrap(), to.join(entry.file_name()));
        if kind.is_dir() {
            copy(&entry.path(), &to);
        } else if kind.is_file() {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
