//! Modules of the worktree: what `require` and `import` find, in what order it runs, and what is refused.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use vmsys_core::{ExecutionStatus, NewSession, NewStartupFile, NewTemplate, RunFile, Session, VmSystem};

struct Project {
    dir: tempfile::TempDir,
    vm: VmSystem,
    session: Session,
}

impl Project {
    fn of(files: &[(&str, &str)]) -> Self {
        Self::with(files, |_| {}, None)
    }

    fn with(files: &[(&str, &str)], change: impl FnOnce(&mut NewTemplate), startup: Option<NewStartupFile>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (path, text) in files {
            write(dir.path(), path, text);
        }
        let vm = VmSystem::in_memory().unwrap();
        let mut template = NewTemplate::named("t");
        change(&mut template);
        let template = vm.create_template(template).unwrap();
        if let Some(startup) = startup {
            vm.add_startup_file(template.id, startup).unwrap();
        }
        let session = vm.create_session(NewSession::new(template.id, dir.path())).unwrap();
        Self { dir, vm, session }
    }

    /// What a snippet comes to, or the message of what it throws.
    fn eval(&self, input: &str) -> String {
        let run = self.session.repl(input).unwrap();
        match (run.result, run.error) {
            (Some(result), _) => result.preview.split_whitespace().collect::<Vec<_>>().join(" "),
            (None, Some(error)) => error.message,
            (None, None) => panic!("neither a result nor an error: {input}"),
        }
    }

    fn check(&self, cases: &[(&str, &str)]) {
        for (input, expected) in cases {
            assert_eq!(self.eval(input), *expected, "{input}");
        }
    }
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn common_js_modules_run_once_and_see_each_other() {
    let project = Project::of(&[
        (
            "count.js",
            "globalThis.runs = (globalThis.runs ?? 0) + 1; exports.n = runs; exports.file = __filename; exports.dir = __dirname",
        ),
        ("lib/a.js", "exports.early = true; const b = require('./b'); exports.b = b.name; exports.late = true"),
        ("lib/b.js", "const a = require('./a.js'); module.exports = {name: 'b', saw: Object.keys(a)}"),
        ("lib/index.js", "module.exports = () => require('../count').n"),
        ("data.json", "{\"x\": [1, 2]}"),
        ("bad.json", "{"),
        (
            "fails.js",
            "globalThis.tries = (globalThis.tries ?? 0) + 1; if (tries < 2) throw new RangeError('first'); exports.ok = tries",
        ),
        ("syntax.js", "let x = ;"),
        ("esm.js", "export const x = 1"),
        ("shebang.js", "#!/usr/bin/env node\nmodule.exports = new Error('here').stack.split('\\n')[1].trim()"),
        ("common.cjs", "exports.kind = 'cjs'"),
        (
            "that.js",
            "module.exports = [this === exports, typeof module.require, module.loaded, require === module.require]",
        ),
    ]);
    let dir = project.dir.path().display().to_string();
    project.check(&[
        ("require('./count').n + require('./count.js').n + require('./lib/../count').n", "3"),
        ("require('./count').file", &format!("{dir}/count.js")),
        ("require('./count').dir", &dir),
        ("require('./lib')()", "1"),
        ("require('./lib/a')", "{ early: true, b: 'b', late: true }"),
        ("require('./lib/b').saw", "[ 'early' ]"),
        ("require('./data.json')", "{ x: [ 1, 2 ] }"),
        ("require('./data.json') === require('./data.json')", "true"),
        ("require('./fails')", "RangeError: first"),
        ("require('./fails').ok", "2"),
        ("require('./shebang')", "at <anonymous> (shebang.js:2:22)"),
        ("require('./common.cjs').kind", "cjs"),
        ("require('./that')", "[ true, 'function', false, true ]"),
        (&format!("require('{dir}/count').n"), "1"),
        ("require.resolve('./lib')", &format!("{dir}/lib/index.js")),
        ("Object.keys(require.cache).length > 5", "true"),
        ("require(1)", "TypeError: The \"id\" argument must be of type string. Received type number"),
        ("require('')", "TypeError: The argument 'id' must be a non-empty string. Received ''"),
        (
            "try { require('./no') } catch (e) { [e.code, e.message] }",
            "[ 'MODULE_NOT_FOUND', \"Cannot find module './no' from 'repl'\" ]",
        ),
        ("require('./esm').x", "1"),
        ("try { require('../x') } catch (e) { e.code }", "EACCES"),
        ("try { require('/etc/passwd') } catch (e) { e.code }", "EACCES"),
        ("try { require('vm:loader') } catch (e) { e.code }", "ERR_UNSUPPORTED_ESM_URL_SCHEME"),
        ("try { require('./bad.json') } catch (e) { [e.name, e.message.startsWith('/')] }", "[ 'SyntaxError', true ]"),
        (
            "try { require('./syntax') } catch (e) { [e.name, e.stack.includes('syntax.js:1:9')] }",
            "[ 'SyntaxError', true ]",
        ),
    ]);
}

#[test]
fn es_modules_are_found_linked_and_run_once() {
    let project = Project::of(&[
        (
            "main.mjs",
            "import def, {x, y as why} from './lib/x.mjs'; import * as all from './lib/x.mjs'; console.log(def, x, why, Object.keys(all).join())",
        ),
        (
            "lib/x.mjs",
            "import {y} from './y.mjs'; globalThis.runs = (globalThis.runs ?? 0) + 1; export {y}; export const x = 'x'; export default 'd'",
        ),
        ("lib/y.mjs", "export const y = await Promise.resolve('y')"),
        (
            "meta.mjs",
            "export const {url, filename, dirname} = import.meta; export const other = import.meta.resolve('./lib/x.mjs')",
        ),
        ("cjs.js", "module.exports = {a: 1, b: 2, default: 3}; module.exports.c = 4"),
        ("plain.js", "export const detected = true"),
        ("data.json", "{\"x\": 1}"),
        ("cycle1.mjs", "import {two} from './cycle2.mjs'; export const one = 1; export const both = () => one + two"),
        ("cycle2.mjs", "import {one} from './cycle1.mjs'; export const two = 2; export const seen = () => one"),
        ("throws.mjs", "throw new TypeError('at load')"),
        ("syntax.mjs", "export let = 1"),
        ("missing.mjs", "import {nope} from './lib/x.mjs'"),
        ("self.mjs", "export let n = 0; export const same = (await import('./self.mjs')).n"),
    ]);
    let dir = project.dir.path().display().to_string();
    let run = project.session.run_file(RunFile::new("main.mjs")).unwrap();
    let printed = |run: &vmsys_core::Execution| {
        run.events
            .iter()
            .filter_map(|event| match &event.payload {
                vmsys_core::Payload::Console { text, .. } => Some(text.clone()),
                _ => None,
            })
            .collect::<Vec<_>>()
    };
    assert_eq!(printed(&run), ["d x y default,x,y"], "{run:?}");
    let again = project.session.run_file(RunFile::new("main.mjs")).unwrap();
    assert_eq!(printed(&again), ["d x y default,x,y"], "a file is run anew each time: {again:?}");
    project.check(&[
        ("runs", "1"),
        ("(await import('./lib/x.mjs')).x", "x"),
        ("const {x} = await import('./lib/x.mjs'); x", "x"),
        ("(await import('./meta.mjs')).url", &format!("file://{dir}/meta.mjs")),
        ("(await import('./meta.mjs')).filename", &format!("{dir}/meta.mjs")),
        ("(await import('./meta.mjs')).dirname", &dir),
        ("(await import('./meta.mjs')).other", &format!("file://{dir}/lib/x.mjs")),
        (
            "{ const m = await import('./cjs.js'); [m.a, m.c, m.default.b, Object.keys(m).join()] }",
            "[ 1, 4, 2, 'a,b,c,default' ]",
        ),
        ("(await import('./plain.js')).detected", "true"),
        ("(await import('./data.json', {with: {type: 'json'}})).default.x", "1"),
        ("await import('./data.json').catch((e) => e.code)", "ERR_IMPORT_ATTRIBUTE_MISSING"),
        (
            "await import('./cjs.js', {with: {type: 'json'}}).catch((e) => e.code)",
            "ERR_IMPORT_ATTRIBUTE_TYPE_INCOMPATIBLE",
        ),
        ("await import('./data.json', {with: {type: 'css'}}).catch((e) => e.code)", "ERR_IMPORT_ATTRIBUTE_UNSUPPORTED"),
        ("await import('./data.json', {with: {lang: 'css'}}).catch((e) => e.code)", "ERR_IMPORT_ATTRIBUTE_UNSUPPORTED"),
        ("(await import('./cycle1.mjs')).both() + (await import('./cycle2.mjs')).seen()", "4"),
        ("await import('./throws.mjs')", "TypeError: at load"),
        (
            "await import('./syntax.mjs').catch((e) => [e.name, e.stack.includes('syntax.mjs:1')])",
            "[ 'SyntaxError', true ]",
        ),
        ("await import('./missing.mjs').catch((e) => e.name)", "SyntaxError"),
        (
            "await import('./none.mjs').catch((e) => [e.code, e.message])",
            "[ 'ERR_MODULE_NOT_FOUND', \"Cannot find module './none.mjs' from 'repl'\" ]",
        ),
        ("await import('nothing').catch((e) => e.code)", "ERR_MODULE_NOT_FOUND"),
        ("await import('../x.mjs').catch((e) => e.code)", "EACCES"),
        ("await import('http://127.0.0.1/x.mjs').catch((e) => e.code)", "ERR_UNSUPPORTED_ESM_URL_SCHEME"),
        ("await import('data:text/javascript,1').catch((e) => e.code)", "ERR_UNSUPPORTED_ESM_URL_SCHEME"),
        ("await import({toString() { throw 7 }})", "7"),
        ("(await import('./main.mjs')) && runs", "1"),
    ]);
}

#[test]
fn packages_and_roots_are_found() {
    let files = [
        ("package.json", r#"{"type": "module"}"#),
        ("index.js", "import {v} from 'dual'; console.log(v); export {}"),
        ("shared/tool.js", "export const who = 'root'"),
        ("node_modules/dual/package.json", r#"{"exports": {".": {"import": "./i.mjs", "require": "./r.cjs"}}}"#),
        ("node_modules/dual/i.mjs", "export const v = 'import'"),
        ("node_modules/dual/r.cjs", "exports.v = 'require'"),
        ("node_modules/old/package.json", r#"{"main": "./lib/main"}"#),
        ("node_modules/old/lib/main.js", "exports.data = require('../data'); exports.dep = require('dual').v"),
        ("node_modules/old/data.json", "[7]"),
    ];
    let project = Project::with(&files, |template| template.settings.resolver.roots = vec!["shared".to_owned()], None);
    project.check(&[
        ("require('dual').v", "require"),
        ("(await import('dual')).v", "import"),
        ("require('old')", "{ data: [ 7 ], dep: 'require' }"),
        ("(await import('tool')).who", "root"),
        ("await import('dual/i.mjs').catch((e) => e.code)", "ERR_PACKAGE_PATH_NOT_EXPORTED"),
    ]);
    let run = project.session.run_file(RunFile::new("index.js")).unwrap();
    assert_eq!(run.status, ExecutionStatus::Ok, "its package says that it is a module: {run:?}");
    // What is installed between two executions is found.
    write(project.dir.path(), "node_modules/fresh/index.js", "module.exports = 'fresh'");
    project.check(&[("require('fresh')", "fresh")]);
}

#[test]
fn packages_can_map_names_to_modules_that_are_no_files() {
    let imports = r##"{"imports": {"#p": "path", "#np": "node:path", "#no": "nowhere"}}"##;
    let project = Project::of(&[("package.json", imports)]);
    project.check(&[
        ("require('#p') === require('path')", "true"),
        ("(await import('#np')).default === require('path')", "true"),
        ("try { require('#no') } catch (e) { e.code }", "MODULE_NOT_FOUND"),
        ("await import('#no').catch((e) => e.code)", "ERR_MODULE_NOT_FOUND"),
        ("try { require('#other') } catch (e) { e.code }", "ERR_PACKAGE_IMPORT_NOT_DEFINED"),
    ]);
}

#[test]
fn a_file_that_is_run_requires_from_where_it_stands() {
    let project = Project::of(&[
        ("src/main.js", "var helper = require('./helper'); function later() { return require('./other').n } helper"),
        ("src/helper.js", "module.exports = 'helped'"),
        ("src/other.js", "exports.n = 9"),
    ]);
    let run = project.session.run_file(RunFile::new("src/main.js")).unwrap();
    assert_eq!(run.result.as_ref().map(|value| value.preview.as_str()), Some("helped"), "{run:?}");
    project.check(&[("later()", "9"), ("require('./src/other').n", "9")]);
}

#[test]
fn a_file_that_is_run_sees_a_module_while_it_runs() {
    let project = Project::of(&[
        (
            "lib/tool.js",
            "function tool() { return 'tool' } module.exports = {tool}; exports.x = 1; [__filename, __dirname, typeof module.require, require.main === module].join()",
        ),
        ("own.js", "var module = 'mine'; module"),
        (
            "made.mjs",
            "import { createRequire, isBuiltin } from 'node:module'; const require = createRequire(import.meta.url); console.log(require('./lib/tool').tool(), isBuiltin('fs'), typeof module)",
        ),
    ]);
    let dir = project.dir.path().display();
    let run = project.session.run_file(RunFile::new("lib/tool.js")).unwrap();
    assert_eq!(
        run.result.as_ref().map(|value| value.preview.clone()),
        Some(format!("{dir}/lib/tool.js,{dir}/lib,function,true")),
        "{run:?}"
    );
    project.check(&[
        ("typeof module + typeof exports + typeof __filename", "undefinedundefinedundefined"),
        ("tool()", "tool"),
        ("require('./lib/tool').tool()", "tool"),
    ]);
    let run = project.session.run_file(RunFile::new("own.js")).unwrap();
    assert_eq!(run.result.unwrap().preview, "mine");
    let run = project.session.run_file(RunFile::new("made.mjs")).unwrap();
    assert_eq!(run.status, ExecutionStatus::Ok, "{run:?}");
}

#[test]
fn a_module_that_is_imported_at_startup_is_the_one_that_is_imported_later() {
    let startup = NewStartupFile::import("boot.mjs");
    let files =
        [("boot.mjs", "export const at = {}; globalThis.boots = (globalThis.boots ?? 0) + 1; globalThis.at = at")];
    let project = Project::with(&files, |_| {}, Some(startup));
    project.check(&[("(await import('./boot.mjs')).at === at", "true"), ("boots", "1")]);
    drop(project.vm);
}

#[test]
fn typescript_is_imported_without_its_types() {
    let files = [
        (
            "main.mts",
            "import { twice, type Num } from './lib/twice.js'; import { kind } from './lib/kind'; const n: Num = 21; console.log(twice(n), kind)",
        ),
        (
            "lib/twice.ts",
            "export type Num = number;\nexport const twice = (n: Num): Num => n * 2;\nexport function fail(): never { throw new Error('typed') }",
        ),
        ("lib/kind.ts", "export const kind: string = 'kind'"),
        ("old.cts", "interface X { a: number }\nmodule.exports = { a: 1 } satisfies X"),
        ("bad.ts", "export enum E { A }"),
        ("broken.ts", "let x: = 1"),
        ("plain.js", "const t: number = 1"),
    ];
    let project = Project::of(&files);
    let run = project.session.run_file(RunFile::new("main.mts")).unwrap();
    let printed = run
        .events
        .iter()
        .any(|event| matches!(&event.payload, vmsys_core::Payload::Console { text, .. } if text == "42 kind"));
    assert!(printed, "{run:?}");
    project.check(&[
        ("require('./old.cts').a", "1"),
        ("(await import('./lib/twice.ts')).twice(2)", "4"),
        ("try { (await import('./lib/twice.ts')).fail() } catch (e) { e.stack.includes('lib/twice.ts:3:') }", "true"),
        (
            "await import('./bad.ts').catch((e) => [e.name, e.code, e.stack.includes('bad.ts:1:')])",
            "[ 'SyntaxError', 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX', true ]",
        ),
        (
            "await import('./broken.ts').catch((e) => [e.name, e.stack.includes('broken.ts:1:8')])",
            "[ 'SyntaxError', true ]",
        ),
        ("require('./lib/twice.ts').twice === (await import('./lib/twice.ts')).twice", "true"),
        ("try { require('./plain.js') } catch (e) { e.name }", "SyntaxError"),
        ("try { require('./lib/kind') } catch (e) { e.code }", "MODULE_NOT_FOUND"),
    ]);
}

#[test]
fn imports_can_be_declared_where_people_type_them() {
    let files = [
        ("lib.mjs", "export default 'def'; export const a = 1; export let n = 0; export const up = () => ++n"),
        ("app.js", "import d, { a } from './lib.mjs';\nexport const sum = a + 1;\nconsole.log(d, sum)"),
        ("typed.ts", "import d, { a } from './lib.mjs';\nconst s: string = d;\nconsole.log(s, a)"),
        ("script.js", "`\nimport x from 'nowhere'\n`; var fromScript = 5"),
        ("bad.js", "import x from './lib.mjs'; let = ;"),
    ];
    let project = Project::of(&files);
    project.check(&[
        ("import d, * as all from './lib.mjs'; [d, all.a]", "[ 'def', 1 ]"),
        ("d", "def"),
        (
            "import {\n  a,\n  up\n} from './lib.mjs'\nnew Error('x').stack.split('\\n')[1].trim()",
            "at <eval> (repl:5:5)",
        ),
        ("up() + up()", "3"),
        ("import path from 'node:path'; path.basename('/x/y')", "y"),
        ("import './lib.mjs'", "undefined"),
        ("import x from './none.mjs'", "Error: Cannot find module './none.mjs' from 'repl'"),
        ("import d from './lib.mjs'; const d = 1", "SyntaxError: invalid redefinition of lexical identifier"),
    ]);
    // A script stays a script: but it says what would make a module of it.
    for file in ["app.js", "typed.ts"] {
        let error = project.session.run_file(RunFile::new(file)).unwrap().error.unwrap();
        assert_eq!(error.name.as_deref(), Some("SyntaxError"));
        assert!(error.message.contains("runtime.esm"), "{}", error.message);
        assert!(error.stack.unwrap_or_default().contains(&format!("{file}:1:1")), "{file}");
    }
    project.session.run_file(RunFile::new("script.js")).unwrap();
    project.check(&[("fromScript", "5")]);
    let run = project.session.run_file(RunFile::new("bad.js")).unwrap();
    assert_eq!(run.error.and_then(|error| error.name).as_deref(), Some("SyntaxError"));
}

#[test]
fn what_is_not_exported_is_a_syntax_error_that_names_the_module_as_it_was_written() {
    let files = [
        ("b.mjs", "globalThis.ran = (globalThis.ran ?? 0) + 1; export const v = 1; export const none = undefined"),
        ("c.cjs", "module.exports = {a: 1, none: undefined}"),
        ("data.json", "{\"x\": 1}"),
        ("file.mjs", "globalThis.began = true; import {v} from './b.mjs'; import {w} from './b.mjs'"),
        ("again.mjs", "export {w as x} from './lib/../b.mjs'"),
        ("over.mjs", "export * from './again.mjs'"),
        ("core.mjs", "import {nope} from 'path'"),
        ("node.mjs", "import {nope} from 'node:path'"),
        ("common.mjs", "import {nope} from './c.cjs'"),
        ("one.mjs", "export const n = 1"),
        ("two.mjs", "export const n = 2"),
        ("both.mjs", "export * from './one.mjs'; export * from './two.mjs'"),
        ("late.mjs", "export const late = await new Promise((done) => setTimeout(done, 1, 'late'))"),
    ];
    let project = Project::of(&files);
    project.check(&[
        ("import {w} from './b.mjs'", "SyntaxError: Could not find export 'w' in module './b.mjs'"),
        ("typeof ran", "undefined"),
        ("import {v, w} from './b.mjs'", "SyntaxError: Could not find export 'w' in module './b.mjs'"),
        ("import w from './b.mjs'", "SyntaxError: Could not find export 'default' in module './b.mjs'"),
        ("import * as all from './b.mjs'; [all.w, all.v]", "[ undefined, 1 ]"),
        ("import * as all from './b.mjs'; import {v, none} from './b.mjs'; [ran, v, none]", "[ 1, 1, undefined ]"),
        ("import n, * as all from './b.mjs'", "SyntaxError: Could not find export 'default' in module './b.mjs'"),
        ("import {'w' as w} from './b.mjs'", "SyntaxError: Could not find export 'w' in module './b.mjs'"),
        // Nothing of a failed import is left.
        ("typeof w", "undefined"),
        ("import {v as w} from './b.mjs'; w", "1"),
        ("import {nope} from 'path'", "SyntaxError: Could not find export 'nope' in module 'path'"),
        ("import {nope} from 'node:path'", "SyntaxError: Could not find export 'nope' in module 'node:path'"),
        ("import p, {sep} from 'path'; p.sep === sep", "true"),
        ("import {nope} from './c.cjs'", "SyntaxError: Could not find export 'nope' in module './c.cjs'"),
        ("import c, {a, none} from './c.cjs'; [c.a, a, none, c.nope]", "[ 1, 1, undefined, undefined ]"),
        (
            "import {x} from './data.json' with {type: 'json'}",
            "SyntaxError: Could not find export 'x' in module './data.json'",
        ),
        ("import j from './data.json' with {type: 'json'}; j.x", "1"),
        (
            "import j from './data.json' with {\n type: 'json'\n}\nnew Error('x').stack.split('\\n')[1].trim()",
            "at <eval> (repl:4:5)",
        ),
        ("import j from './data.json'", "TypeError: 'data.json' needs an import attribute: with { type: \"json\" }"),
        ("import {n} from './both.mjs'", "SyntaxError: export 'n' in module './both.mjs' is ambiguous"),
        ("import {late} from './late.mjs'; late", "late"),
        ("import {late as later} from './late.mjs'; later", "late"),
        // The same in files, whoever imports them, and each time.
        ("import './file.mjs'", "SyntaxError: Could not find export 'w' in module './b.mjs'"),
        ("await import('./file.mjs').catch((e) => e.message)", "Could not find export 'w' in module './b.mjs'"),
        ("typeof began", "undefined"),
        ("import {x} from './over.mjs'", "SyntaxError: Could not find export 'w' in module './lib/../b.mjs'"),
        ("await import('./core.mjs')", "SyntaxError: Could not find export 'nope' in module 'path'"),
        ("await import('./node.mjs')", "SyntaxError: Could not find export 'nope' in module 'node:path'"),
        ("await import('./common.mjs')", "SyntaxError: Could not find export 'nope' in module './c.cjs'"),
        ("require('./node.mjs')", "SyntaxError: Could not find export 'nope' in module 'node:path'"),
        ("require('./both.mjs').n", "undefined"),
        // What was loaded before stays what it was.
        ("import {v as last} from './b.mjs'; [ran, last]", "[ 1, 1 ]"),
        ("await import('vm:imports//1').catch((e) => e.code)", "ERR_UNSUPPORTED_ESM_URL_SCHEME"),
    ]);
    for _ in 0..2 {
        let error = project.session.run_file(RunFile::new("file.mjs")).unwrap().error.unwrap();
        assert_eq!(error.message, "SyntaxError: Could not find export 'w' in module './b.mjs'");
    }
    // A file that is mended can be imported, and a declaration that comes again costs no module.
    write(project.dir.path(), "file.mjs", "export {v} from './b.mjs'");
    for _ in 0..1_000 {
        project.check(&[("import {v as mended} from './file.mjs'; mended", "1")]);
    }
}

#[test]
fn a_cycle_through_the_file_that_is_run_runs_it_once() {
    let project = Project::of(&[
        ("main.mjs", "import {use} from './dep.mjs'; export const name = 'main'; console.log('main runs', use())"),
        ("dep.mjs", "import {name} from './main.mjs'; export function use() { return 'dep sees ' + name }"),
        ("main.cjs", "console.log('start'); exports.early = 1; const d = require('./dep.cjs'); console.log(d.seen)"),
        ("dep.cjs", "exports.seen = require('./main.cjs').early"),
        (
            "self.mjs",
            "import * as self from './self.mjs'; export const n = 1; console.log(Object.keys(self).join(), self.n); throw new Error('at the end')",
        ),
    ]);
    let printed = |run: vmsys_core::Execution| {
        let texts = run.events.iter().filter_map(|event| match &event.payload {
            vmsys_core::Payload::Console { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join(" | ")
    };
    let run = |path: &str| project.session.run_file(RunFile::new(path)).unwrap();
    assert_eq!(printed(run("main.mjs")), "main runs dep sees main");
    assert_eq!(printed(run("main.cjs")), "start | 1");
    for _ in 0..2 {
        let run = run("self.mjs");
        let stack = run.error.as_ref().and_then(|error| error.stack.clone()).unwrap_or_default();
        assert_eq!(printed(run), "n 1");
        assert!(stack.contains("self.mjs:1:"), "{stack}");
    }
    project.check(&[("(await import('./dep.mjs')).use()", "dep sees main")]);
}

#[test]
fn what_could_not_be_loaded_leaves_nothing_behind() {
    let files = [
        ("a.mjs", "import './b.mjs'; import './missing.mjs'; export const a = 1"),
        ("b.mjs", "import * as a from './a.mjs'; export const b = () => Object.keys(a).length"),
        ("main.mjs", "await import('./a.mjs').catch(() => 0); await import('./b.mjs')"),
        ("deep0.mjs", "import './back.mjs'; import './deep1.mjs'"),
        ("back.mjs", "import * as d from './deep0.mjs'; export const keys = () => Object.keys(d)"),
        ("tries.cjs", "try { require('./a.mjs') } catch {} module.exports = 1"),
        ("outer.mjs", "import t from './tries.cjs'; import './b.mjs'; export default t"),
        ("one.mjs", "globalThis.ones = (globalThis.ones ?? 0) + 1; export const n = ones"),
    ];
    let project = Project::of(&files);
    for n in 1..2000 {
        write(project.dir.path(), &format!("deep{n}.mjs"), &format!("import './deep{}.mjs'", n + 1));
    }
    for _ in 0..3 {
        assert_eq!(project.session.run_file(RunFile::new("main.mjs")).unwrap().status, ExecutionStatus::Error);
        project.check(&[
            ("await import('./b.mjs').catch((e) => e.code)", "ERR_MODULE_NOT_FOUND"),
            ("await import('./a.mjs').catch((e) => e.code)", "ERR_MODULE_NOT_FOUND"),
            ("await import('./outer.mjs').catch((e) => e.code)", "ERR_MODULE_NOT_FOUND"),
            ("await import('./deep0.mjs').catch((e) => e.name)", "RangeError"),
            ("await import('./back.mjs').catch((e) => e.name)", "RangeError"),
        ]);
    }
    // What was not there may come.
    write(project.dir.path(), "missing.mjs", "");
    project.check(&[
        ("(await import('./b.mjs')).b()", "1"),
        ("(await import('./a.mjs')).a", "1"),
        ("(await import('./outer.mjs')).default", "1"),
    ]);
    // And may go again before others ask for it.
    let project = Project::of(&files);
    project.check(&[("await import('./a.mjs').catch((e) => e.code)", "ERR_MODULE_NOT_FOUND")]);
    std::fs::remove_file(project.dir.path().join("a.mjs")).unwrap();
    for _ in 0..3 {
        project.check(&[("await import('./b.mjs').catch((e) => e.code)", "ERR_MODULE_NOT_FOUND")]);
    }
    // A run of a file is no import of it.
    project.check(&[("(await import('./one.mjs')).n", "1")]);
    project.session.run_file(RunFile::new("one.mjs")).unwrap();
    project.check(&[("(await import('./one.mjs')).n", "1"), ("ones", "2")]);
}

#[test]
fn a_graph_that_passes_a_limit_can_be_loaded_later() {
    let loops = "export const t = 1; for (let i = 0; i < 5e8; i++);";
    let project = Project::with(
        &[
            ("slow.cjs", loops.strip_prefix("export ").unwrap()),
            ("a.mjs", "import './b.mjs'; import './slow.cjs'"),
            ("b.mjs", "import * as a from './a.mjs'; export const b = 1"),
        ],
        |template| template.settings.limits.cpu_ms = 200,
        None,
    );
    for _ in 0..3 {
        assert_eq!(project.session.repl("await import('./a.mjs')").unwrap().status, ExecutionStatus::Timeout);
        assert_eq!(project.session.repl("await import('./b.mjs')").unwrap().status, ExecutionStatus::Timeout);
    }
    assert_eq!(project.session.repl("require('./slow.cjs')").unwrap().status, ExecutionStatus::Timeout);
    write(project.dir.path(), "slow.cjs", "exports.t = 2");
    project.check(&[("(await import('./b.mjs')).b", "1"), ("require('./slow.cjs').t", "2")]);
}

#[test]
fn hostile_modules_end_like_other_code() {
    let project = Project::with(
        &[
            ("loop.js", "for (;;);"),
            ("loop.mjs", "for (;;);"),
            ("deep.js", "require('./deep2.js')"),
            (
                "deep2.js",
                "delete require.cache[__filename]; delete require.cache[module.filename.replace('2', '')]; require('./deep.js')",
            ),
            ("getter.js", "module.exports = {get x() { for (;;); }}"),
            ("proxy.js", "module.exports = new Proxy({}, {ownKeys() { throw new Error('trap') }})"),
        ],
        |template| template.settings.limits.cpu_ms = 300,
        None,
    );
    for (input, status) in [
        ("require('./loop')", ExecutionStatus::Timeout),
        ("await import('./loop.mjs')", ExecutionStatus::Timeout),
        ("await import('./getter.js')", ExecutionStatus::Timeout),
        ("try { require('./deep') } catch {}; 1", ExecutionStatus::Ok),
        (
            "Array.prototype.push = Object.defineProperty = Reflect.apply = JSON.parse = null; require('./proxy'); 1",
            ExecutionStatus::Ok,
        ),
        ("(await import('./proxy.js')).default; 1", ExecutionStatus::Ok),
    ] {
        let run = project.session.repl(input).unwrap();
        assert_eq!(run.status, status, "{input}: {run:?}");
        assert_eq!(project.eval("1 + 1"), "2", "after {input}");
    }
}

#[test]
fn es_modules_can_be_required_unless_they_await() {
    let project = Project::of(&[
        ("named.mjs", "export let n = 1; export const more = () => ++n"),
        ("default.mjs", "export default class Tool {} export const x = 1"),
        ("compiled.mjs", "export default 1; export const __esModule = 'mine'"),
        ("whole.mjs", "const f = () => 'whole'; export { f as 'module.exports' }; export default 1"),
        ("syntax.js", "export const kind = 'module'"),
        (
            "node_modules/m/package.json",
            r#"{"type": "commonjs", "exports": {"import": "./m.js", "require": "./m.js"}}"#,
        ),
        ("node_modules/m/m.js", "export const from = 'a package that says it is CommonJS'"),
        ("awaits.mjs", "export const x = await 1"),
        ("imports-awaits.mjs", "import './awaits.mjs'; export const y = 1"),
        ("throws.mjs", "globalThis.tries = (globalThis.tries ?? 0) + 1; throw new RangeError('mine')"),
        ("deep.mjs", "import { n } from './named.mjs'; import cjs from './mid.cjs'; export default [n, cjs.n]"),
        ("mid.cjs", "exports.n = require('./named.mjs').n"),
        ("loop.mjs", "import './loop.cjs'; export const x = 1"),
        ("loop.cjs", "try { require('./loop.mjs') } catch (e) { globalThis.loop = e.code }"),
        (
            "late.mjs",
            "import { createRequire } from 'module'; import './later.mjs'; export const code = (() => {
            try { createRequire(import.meta.url)('./late.mjs') } catch (e) { return e.code } })()",
        ),
        ("later.mjs", "export const later = 1"),
    ]);
    project.check(&[
        ("const named = require('./named.mjs'); named.more(); named.n", "2"),
        ("named === await import('./named.mjs') && require('./named') === named", "true"),
        ("const d = require('./default.mjs'); [d.default.name, d.x, d.__esModule]", "[ 'Tool', 1, true ]"),
        ("d.default === (await import('./default.mjs')).default && require('./default.mjs') === d", "true"),
        ("require('./compiled.mjs').__esModule", "mine"),
        ("require('./whole.mjs')()", "whole"),
        ("require('./syntax').kind", "module"),
        ("require('m').from", "a package that says it is CommonJS"),
        ("(await import('m')).from", "a package that says it is CommonJS"),
        ("try { require('./awaits.mjs') } catch (e) { e.code }", "ERR_REQUIRE_ASYNC_MODULE"),
        ("try { require('./imports-awaits.mjs') } catch (e) { e.code }", "ERR_REQUIRE_ASYNC_MODULE"),
        ("(await import('./imports-awaits.mjs')).y + require('./awaits.mjs').x", "2"),
        ("try { require('./throws.mjs') } catch (e) { e.message }", "mine"),
        ("try { require('./throws.mjs') } catch (e) { e.message + tries }", "mine1"),
        ("require('./deep.mjs').default", "[ 2, 2 ]"),
        ("require('./loop.mjs').x + loop", "1ERR_REQUIRE_CYCLE_MODULE"),
        ("require('./late.mjs').code", "ERR_REQUIRE_CYCLE_MODULE"),
        ("try { require('./no.mjs') } catch (e) { e.code }", "MODULE_NOT_FOUND"),
    ]);
}

#[test]
fn a_cycle_that_could_not_be_loaded_can_be_imported_again() {
    // The engine frees a module that cannot be loaded; what was loaded before it in its cycle must not point to it.
    let project = Project::of(&[
        ("a.mjs", "import './b.mjs'; import './c.mjs'; import './missing.mjs'; export const a = 1"),
        ("b.mjs", "import { a } from './a.mjs'; export const sum = () => a + 1"),
        ("c.mjs", "import './b.mjs'; import { a } from './a.mjs'; export { a }"),
    ]);
    let missing = "Error: Cannot find module './missing.mjs' from 'a.mjs'";
    project.check(&[("await import('./a.mjs')", missing), ("await import('./b.mjs')", missing)]);
    project.check(&[("require('./c.mjs')", missing), ("await import('./c.mjs')", missing)]);
    write(project.dir.path(), "missing.mjs", "export {}");
    project.check(&[
        ("(await import('./b.mjs')).sum()", "2"),
        ("require('./c.mjs').a + (await import('./a.mjs')).a", "2"),
    ]);
}

#[test]
fn modules_of_node_that_are_not_there_say_so() {
    let package = r#"{"browser": {"fs": false, "./http.js": "./none.js"}, "exports": {"browser": "./index.js"}}"#;
    let project = Project::of(&[
        ("node_modules/frugal/package.json", package),
        ("node_modules/frugal/index.js", "exports.fs = require('fs'); exports.http = require('./http.js')"),
        ("node_modules/frugal/http.js", "module.exports = require('http')"),
        ("node_modules/frugal/none.js", "module.exports = null"),
        ("node_modules/punycode/index.js", "module.exports = 'installed'"),
    ]);
    project.check(&[
        (
            "try { require('http') } catch (e) { [e.code, e.message] }",
            "[ 'MODULE_NOT_FOUND', \"the Node module 'http' is not available in sessions\" ]",
        ),
        (
            "await import('node:zlib').catch((e) => [e.code, e.message])",
            "[ 'ERR_UNKNOWN_BUILTIN_MODULE', \"the Node module 'zlib' is not available in sessions\" ]",
        ),
        ("try { require('node:nothing') } catch (e) { e.message }", "No such built-in module: node:nothing"),
        ("require('frugal')", "{ fs: {}, http: null }"),
        ("require('punycode')", "installed"),
        ("try { require('child_process').spawn('ls') } catch (e) { e.code }", "ERR_ACCESS_DENIED"),
    ]);
}
