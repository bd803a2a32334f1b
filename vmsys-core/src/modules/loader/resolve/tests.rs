//! Tests of the resolver over real directories.

use super::*;

fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Resolver) {
    resolver(files, |_| {})
}

fn resolver(files: &[(&str, &str)], change: impl FnOnce(&mut Settings)) -> (tempfile::TempDir, Resolver) {
    let dir = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut settings = Settings::default();
    change(&mut settings);
    let worktree = Worktree::open(dir.path()).unwrap();
    let resolver = Resolver::new(worktree, dir.path(), &settings);
    (dir, resolver)
}

fn path(resolver: &mut Resolver, specifier: &str, referrer: &str) -> Result<String, Unresolved> {
    resolver.resolve(specifier, referrer, Goal::Require).map(|found| found.path)
}

#[test]
fn paths_are_relative_to_the_file_that_asks() {
    let files = [("a.js", ""), ("lib/b.js", ""), ("lib/b/index.js", ""), ("lib/c/index.mjs", ""), ("data.json", "{}")];
    let (_dir, mut at) = tree(&files);
    let table = [
        ("./a", "", Ok("a.js")),
        ("./a.js", "x/y.js", Err(Unresolved::File)),
        ("../a.js", "lib/b.js", Ok("a.js")),
        ("./b", "lib/z.js", Ok("lib/b.js")),
        ("./b/", "lib/z.js", Ok("lib/b/index.js")),
        ("./lib/c", "", Ok("lib/c/index.mjs")),
        (".", "lib/b/z.js", Ok("lib/b/index.js")),
        ("./data", "", Err(Unresolved::File)),
        ("./data.json", "", Ok("data.json")),
        ("../a.js", "", Err(Unresolved::Outside)),
        ("./lib/../../a.js", "", Err(Unresolved::Outside)),
        ("lib/b", "", Err(Unresolved::Package)),
        ("/a.js", "", Err(Unresolved::Absolute)),
        ("", "", Err(Unresolved::Specifier)),
        ("./a.js\0", "", Err(Unresolved::Specifier)),
        ("https://example.com/a.js", "", Err(Unresolved::Scheme)),
    ];
    for (specifier, referrer, expected) in table {
        assert_eq!(path(&mut at, specifier, referrer), expected.map(str::to_owned), "{specifier} from {referrer}");
    }
}

#[test]
fn absolute_paths_are_of_the_worktree() {
    let files = [("a b.js", ""), ("a.js", "")];
    let (dir, mut at) = tree(&files);
    let root = dir.path().display();
    assert_eq!(path(&mut at, &format!("{root}/a.js"), "").unwrap(), "a.js");
    assert_eq!(path(&mut at, &format!("file://{root}/a%20b.js"), "").unwrap(), "a b.js");
    assert_eq!(path(&mut at, &format!("{root}-other/a.js"), ""), Err(Unresolved::Absolute));
    assert_eq!(path(&mut at, &format!("{root}/../a.js"), ""), Err(Unresolved::Outside));
    let (_dir, mut at) = resolver(&files, |settings| settings.resolver.allow_absolute_repo_imports = true);
    assert_eq!(path(&mut at, "/a.js", "lib/x.js").unwrap(), "a.js");
    assert_eq!(path(&mut at, "/etc/passwd", "lib/x.js"), Err(Unresolved::File));
}

#[test]
fn packages_are_found_as_npm_installs_them() {
    let files = [
        ("package.json", r##"{"name": "app", "exports": "./main.js", "imports": {"#dep": "dep", "#in": "./in.js"}}"##),
        ("main.js", ""),
        ("in.js", ""),
        ("node_modules/dep/package.json", r#"{"main": "lib"}"#),
        ("node_modules/dep/lib/index.js", ""),
        ("node_modules/dep/node_modules/inner/index.js", ""),
        ("node_modules/dep/data.json", "{}"),
        (
            "node_modules/@scope/p/package.json",
            r#"{"type": "module", "exports": {".": "./i.js", "./x": "../../../main.js"}}"#,
        ),
        ("node_modules/@scope/p/i.js", ""),
        ("node_modules/@scope/p/hidden.js", ""),
        ("node_modules/bad/package.json", "{"),
        ("shared/util.js", ""),
    ];
    let (_dir, mut at) = resolver(&files, |settings| settings.resolver.roots = vec!["shared".to_owned()]);
    let table = [
        ("dep", "src/deep/x.js", Ok("node_modules/dep/lib/index.js")),
        ("dep/data", "", Ok("node_modules/dep/data.json")),
        ("inner", "node_modules/dep/lib/index.js", Ok("node_modules/dep/node_modules/inner/index.js")),
        ("inner", "", Err(Unresolved::Package)),
        ("@scope/p", "", Ok("node_modules/@scope/p/i.js")),
        ("@scope/p/hidden.js", "", Err(Unresolved::NotExported("@scope/p".to_owned()))),
        ("@scope/p/x", "", Err(Unresolved::Specifier)),
        ("@scope", "", Err(Unresolved::Specifier)),
        ("bad", "", Err(Unresolved::BadPackage("node_modules/bad/package.json".to_owned()))),
        ("app", "src/x.js", Ok("main.js")),
        ("#dep", "", Ok("node_modules/dep/lib/index.js")),
        ("#in", "src/x.js", Ok("in.js")),
        ("#no", "", Err(Unresolved::NotImported)),
        ("util", "src/x.js", Ok("shared/util.js")),
    ];
    for (specifier, referrer, expected) in table {
        assert_eq!(path(&mut at, specifier, referrer), expected.map(str::to_owned), "{specifier} from {referrer}");
    }
    let found = at.resolve("@scope/p", "", Goal::Import).unwrap();
    assert_eq!(found.format, Format::Module);
}

#[cfg(unix)]
#[test]
fn links_lead_nowhere_else() {
    let (dir, mut at) = tree(&[("real/p/index.js", ""), ("a.js", "")]);
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("evil.js"), "").unwrap();
    let link = |to: &Path, from: &str| std::os::unix::fs::symlink(to, dir.path().join(from)).unwrap();
    std::fs::create_dir(dir.path().join("node_modules")).unwrap();
    link(Path::new("../real/p"), "node_modules/p");
    link(outside.path(), "node_modules/evil");
    link(&outside.path().join("evil.js"), "evil.js");
    assert_eq!(path(&mut at, "p", "").unwrap(), "real/p/index.js", "by its real name");
    assert_eq!(path(&mut at, "evil", ""), Err(Unresolved::Package));
    assert_eq!(path(&mut at, "./evil.js", ""), Err(Unresolved::File));
}

#[test]
fn names_and_packages_say_what_a_file_is() {
    let files = [("esm/package.json", r#"{"type": "module"}"#), ("cjs/package.json", r#"{"type": "commonjs"}"#)];
    let (_dir, at) = tree(&files);
    let format = |path: &str, esm| format(at.worktree(), &mut Packages::default(), path, esm);
    for (path, expected) in [
        ("a.js", Format::Unknown),
        ("a.mjs", Format::Module),
        ("a.mts", Format::Module),
        ("esm/a.cjs", Format::CommonJs),
        ("a.cts", Format::CommonJs),
        ("a.json", Format::Json),
        ("esm/a.js", Format::Module),
        ("esm/deep/a.ts", Format::Module),
        ("esm/node_modules/p/a.js", Format::Unknown),
        ("cjs/a.js", Format::CommonJs),
    ] {
        assert_eq!(format(path, false), expected, "{path}");
    }
    assert_eq!(format("cjs/a.js", true), Format::Module, "the template says so");
    assert_eq!(format("node_modules/p/a.js", true), Format::Unknown, "but not for what others have written");
}
