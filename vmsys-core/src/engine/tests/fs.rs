//! The module `fs`, against Node's own answers, and against scripts that mean harm.

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;
use crate::JsonObject;
use crate::execution::{LiveExecution, Request};
use crate::ids::{SessionId, TemplateId};
use crate::limits::Limits;
use crate::modules::{Fs, Module, ProtectedFiles, SessionContext, SessionFiles};
use crate::worktree::Worktree;

/// Runs a test with the real module over a directory of its own, on the realm and behind the wire.
fn with_fs(grants: &'static [&'static str], prepare: fn(&Path), test: fn(&mut Bench, &Path)) {
    let granted = Granted {
        modules: vec![GrantedModule { name: "fs".to_owned(), is_built_in: true, functions: Vec::new() }],
        ..Granted::default()
    };
    let config =
        RealmConfig { console: true, seed: 42, origin_ms: 1_770_508_800_000, granted, ..RealmConfig::default() };
    on_big_stack(move || {
        let realm = || QuickRealm::new(&config).expect("a realm");
        let both: [Box<dyn Realm>; 2] = [Box::new(realm()), Box::new(Wire(realm()))];
        for realm in both {
            let directory = tempfile::tempdir().expect("a directory");
            let root = directory.path().canonicalize().expect("a path").join("tree");
            std::fs::create_dir(&root).expect("a worktree");
            prepare(&root);
            let mut bench = Bench::new(realm);
            bench.modules.real = Some(open(&root, grants));
            test(&mut bench, &root);
        }
    });
}

fn open(root: &Path, grants: &[&str]) -> (Arc<SessionModules>, CallContext) {
    let grants: Vec<_> = grants.iter().map(|grant| (*grant).to_owned()).collect();
    let worktree = Worktree::open(root).expect("a worktree");
    let files = SessionFiles::new(worktree, root, &grants, &grants, ProtectedFiles::default());
    let session_id = SessionId::new();
    let session = SessionContext {
        session_id,
        template_id: TemplateId::new(),
        worktree_path: root.to_owned(),
        files,
        network: false,
        limits: Limits::default(),
        data: Default::default(),
    };
    let instance = Fs.open(&session, &JsonObject::new()).expect("fs opens");
    let request = Request::repl(String::new());
    let limits = Limits { mem_mb: 16, ..Limits::default() };
    let live = LiveExecution::begin(session_id, request, limits, std::sync::Arc::default());
    let modules = SessionModules::default();
    modules.fill([("fs".to_owned(), instance)].into());
    (Arc::new(modules), CallContext::new(live))
}

/// What `tests/builtins/fs.txt` was run over in Node.
fn sample(root: &Path) {
    let put = |name: &str, bytes: &[u8]| std::fs::write(root.join(name), bytes).expect("a file");
    for directory in ["d", "tree/sub/deep", "odd"] {
        std::fs::create_dir_all(root.join(directory)).expect("a directory");
    }
    put("a.txt", b"hello");
    put("bytes.bin", &[0, 255, 128, 65]);
    put("empty", b"");
    put("größe", "ü".as_bytes());
    put("d/x", b"1");
    for name in ["tree/b", "tree/a", "tree/Z", "tree/ü", "tree/sub/c", "tree/sub/deep/e"] {
        put(name, name.as_bytes());
    }
    std::fs::write(root.join("odd").join(std::ffi::OsStr::from_bytes(b"a\xffb")), "odd name").expect("a file");
    for (target, name) in
        [("a.txt", "link"), ("loop", "loop"), ("nowhere", "dangling"), ("never", "dangling2"), ("d", "tolink")]
    {
        symlink(target, root.join(name)).expect("a link");
    }
}

#[test]
fn fs_answers_as_in_node() {
    with_fs(&["."], sample, |bench, _| {
        pure::compare(bench, &[("fs", include_str!("../../../../tests/builtins/fs.txt"))]);
    });
}

/// The error that a script sees, as `code: message`.
fn refusal(bench: &mut Bench, source: &str) -> String {
    bench.value(&format!(
        "var seen; try {{ seen = {source}; }} catch (e) {{ seen = (e?.code ?? '') + ': ' + e?.message }} String(seen)"
    ))
}

fn nothing(_: &Path) {}

#[test]
fn scripts_stay_in_what_they_are_granted() {
    with_fs(
        &["pub", "new"],
        |root| {
            std::fs::create_dir_all(root.join("pub")).expect("a directory");
            std::fs::write(root.join("secret.txt"), "secret").expect("a file");
            std::fs::write(root.join("../outside.txt"), "outside").expect("a file");
            symlink("../secret.txt", root.join("pub/link")).expect("a link");
            symlink("/", root.join("pub/root")).expect("a link");
        },
        |bench, root| {
            bench.value("var fs = require('fs')");
            let absolute = root.to_str().expect("a path");
            for path in [
                "secret.txt",
                "pub/../secret.txt",
                "pub/link",
                "pub/root/etc/passwd",
                "../outside.txt",
                "/etc/passwd",
                "/proc/self/root/etc/passwd",
                "/dev/null",
                ".",
                "",
                &format!("{absolute}/secret.txt"),
                &format!("{absolute}/pub/link"),
                &format!("{absolute}/../outside.txt"),
                "pub/\\u0000../secret.txt",
                "pub/..\\u2215secret.txt",
                "pub\\\\..\\\\secret.txt",
                "pub/\\ud800",
            ] {
                for call in [
                    "readFileSync(P)",
                    "readFileSync(P, 'utf8')",
                    "readFileSync(Buffer.from(P))",
                    "readFileSync(new URL('file://' + (P[0] === '/' ? P : '/x/' + P)))",
                    "writeFileSync(P, 'x')",
                    "appendFileSync(P, 'x')",
                    "copyFileSync(P, 'pub/copy')",
                    "copyFileSync('pub/own', P)",
                    "renameSync(P, 'pub/moved')",
                    "renameSync('pub/own', P)",
                    "readdirSync(P)",
                    "mkdirSync(P)",
                    "mkdirSync(P + '/x', { recursive: true })",
                    "statSync(P)",
                    "accessSync(P)",
                    "truncateSync(P)",
                    "chmodSync(P, 0o777)",
                    "utimesSync(P, 1, 1)",
                    "realpathSync(P)",
                ] {
                    if path.contains("link") && call.starts_with("rename") {
                        continue;
                    }
                    bench.value("fs.writeFileSync('pub/own', 'own')");
                    let source = format!("(fs.{}, 'done')", call.replace('P', &format!("\"{path}\"")));
                    let seen = refusal(bench, &source);
                    let refused = ["EACCES:", "ENOENT:", "EEXIST:", "EINVAL:", "ERR_"];
                    // A backslash is a letter, and what looks like a slash is one as well.
                    let is_name = path.contains("u2215") || path.contains("ud800");
                    assert!(is_name || refused.iter().any(|code| seen.starts_with(code)), "{source}: {seen}");
                    assert_eq!(std::fs::read_to_string(root.join("secret.txt")).expect("a file"), "secret", "{source}");
                    assert_eq!(std::fs::read_to_string(root.join("../outside.txt")).expect("a file"), "outside");
                    assert!(!seen.contains("secret\""), "{source}: {seen}");
                }
                let found = bench.value(&format!("fs.existsSync('{}')", path.replace('\'', "")));
                assert!(found == "false" || path.contains('u'), "{path}");
            }
            let left: Vec<_> =
                std::fs::read_dir(root).expect("a list").map(|entry| entry.expect("one").file_name()).collect();
            assert_eq!(left.len(), 2, "{left:?}");
            // What is granted and not there yet can be made.
            assert_eq!(bench.value("fs.mkdirSync('new/a/b', { recursive: true })"), "new");
            assert_eq!(
                bench.value("fs.writeFileSync('new/a/b/c', 'x'); fs.readFileSync('./new//a/../a/b/c', 'utf8')"),
                "x"
            );
            assert!(
                refusal(bench, "fs.mkdirSync('newer')").starts_with("EACCES: EACCES: permission denied, mkdir 'newer'")
            );
        },
    );
}

#[test]
fn hostile_arguments_get_an_answer_or_an_error() {
    with_fs(&["."], sample, |bench, _| {
        bench.value("var fs = require('fs')");
        for (source, expected) in [
            ("fs.readFileSync({ get href() { throw new Error('mine') } })", ": mine"),
            ("fs.readFileSync(new Proxy({}, { get() { throw new Error('trap') } }))", ": trap"),
            ("fs.readFileSync('a.txt', { get encoding() { throw new Error('mine') } })", ": mine"),
            (
                "fs.readFileSync('a.txt', new Proxy({}, { get(_, key) { return key === 'encoding' ? 'utf8' : undefined } }))",
                "hello",
            ),
            ("fs.readFileSync('a.txt', { n: 0, get encoding() { return this.n++ ? {} : 'utf8' } })", "hello"),
            (
                "fs.readFileSync('a.txt', { encoding: { toString() { return 'utf8' } } })",
                "ERR_INVALID_ARG_VALUE: The argument 'encoding' is invalid encoding. Received { toString: [Function: toString] }",
            ),
            ("fs.readFileSync(Object.assign(() => {}, { href: 'file:///a', protocol: 'file:' }))", "…"),
            ("fs.readFileSync({ href: 'file:///a', protocol: 'file:', hostname: '', pathname: { length: 1e9 } })", "…"),
            (
                "fs.readFileSync(new (class extends Uint8Array { includes() { return false } })([97, 0, 98]))",
                "ERR_INVALID_ARG_VALUE: The argument 'path' must be a string, Uint8Array, or URL without null bytes. Received …",
            ),
            (
                "fs.writeFileSync('h', 'x', { flag: { toString() { return 'w' } } })",
                "ERR_INVALID_ARG_VALUE: The argument 'flags' is invalid. Received { toString: [Function: toString] }",
            ),
            ("fs.writeFileSync('h', 'x', { mode: 2 ** 33 })", "ERR_OUT_OF_RANGE: …"),
            ("fs.writeFileSync('h', 'x', { mode: NaN })", "ERR_OUT_OF_RANGE: …"),
            ("fs.writeFileSync('h', 'x', { mode: '' })", "ERR_INVALID_ARG_VALUE: …"),
            ("(fs.writeFileSync('suid', 'x', { mode: 0o7777 }), (fs.statSync('suid').mode & 0o7000))", "0"),
            ("fs.chmodSync('suid', 0o4755)", "EPERM: EPERM: operation not permitted, chmod 'suid'"),
            ("fs.readFileSync('a.txt', { flag: 0o2000000 })", "ERR_INVALID_ARG_VALUE: …"),
            ("fs.readFileSync('a.txt', { flag: 0o1000 })", "ERR_INVALID_ARG_VALUE: …"),
            ("fs.readFileSync('a.txt', { flag: 3 })", "ERR_INVALID_ARG_VALUE: …"),
            (
                "(fs.writeFileSync('n', 'x', { flag: fs.constants.O_CREAT | fs.constants.O_WRONLY | fs.constants.O_EXCL }), fs.readFileSync('n', 'utf8'))",
                "x",
            ),
            ("fs.utimesSync('a.txt', Infinity, 1)", "ERR_INVALID_ARG_TYPE: …"),
            ("fs.utimesSync('a.txt', 1e300, 1)", "EINVAL: …"),
            ("fs.utimesSync('a.txt', new Date(NaN), 1)", "EINVAL: …"),
            ("fs.truncateSync('a.txt', 2 ** 60)", "…"),
            ("fs.truncateSync('a.txt', -0)", "undefined"),
            ("fs.writeFileSync('h', (() => { const u = new Uint8Array(4); u.buffer.transfer(); return u })())", "…"),
            ("fs.writeFileSync('h', Object.create(Uint8Array.prototype))", "ERR_INVALID_ARG_TYPE: …"),
            (
                "(() => { Array.prototype[Symbol.iterator] = null; const keep = fs.existsSync('a.txt'); return keep })()",
                "true",
            ),
        ] {
            let seen = refusal(bench, source);
            match expected.strip_suffix('…') {
                Some(start) => assert!(seen.starts_with(start), "{source}: {seen}"),
                None => assert_eq!(seen, expected, "{source}"),
            }
        }
    });
}

#[test]
fn what_is_too_much_is_refused() {
    with_fs(&["."], nothing, |bench, root| {
        // Their scripts may hold 16 MB.
        let sparse = std::fs::File::create(root.join("sparse")).expect("a file");
        sparse.set_len(1 << 40).expect("room");
        bench.value("var fs = require('fs')");
        let seen = refusal(bench, "fs.readFileSync('sparse')");
        assert!(seen.starts_with("ERR_FS_FILE_TOO_LARGE: File size (1099511627776)"), "{seen}");
        let seen = refusal(bench, "fs.readFileSync('sparse', 'utf8')");
        assert!(seen.starts_with("ERR_FS_FILE_TOO_LARGE"), "{seen}");
        sparse.set_len(10 << 20).expect("room");
        assert_eq!(bench.value("fs.readFileSync('sparse').length"), "10485760");
        let seen = refusal(bench, "fs.mkdirSync('d/'.repeat(3000), { recursive: true })");
        assert!(seen.starts_with("ENAMETOOLONG"), "{seen}");
        // A deep tree is made and listed, but not removed at once.
        bench.value("var deep = 'd/'.repeat(300); fs.mkdirSync(deep, { recursive: true })");
        assert_eq!(bench.value("fs.readdirSync('d', { recursive: true }).length"), "299");
        let seen = refusal(bench, "fs.rmSync('d', { recursive: true })");
        assert!(seen.starts_with("ENAMETOOLONG: directories nested more than 100 deep"), "{seen}");
        bench.value("for (let n = 250; n >= 0; n -= 50) fs.rmSync('d/'.repeat(n + 1), { recursive: true })");
        assert_eq!(bench.value("fs.existsSync('d')"), "false");
    });
}

#[test]
fn a_module_that_is_not_granted_says_how_to() {
    on_both(|bench| {
        for name in ["fs", "node:fs", "fs/promises", "node:fs/promises"] {
            let error = bench.exception(&format!("require('{name}')"));
            assert!(error.message.contains("the module 'fs' is not granted"), "{error:?}");
        }
    });
}
