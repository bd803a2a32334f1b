//! TypeScript in files and snippets.

use serde_json::json;

use crate::support::{Daemon, text};

#[test]
fn typescript_runs_without_its_types() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.home.write("a.ts", "interface A { n: number }\nlet a: A = { n: 1 }\na.n as number + 1\n");
    daemon.home.write("b.mts", "export const b: number = 3;\ntype T = string;\nglobalThis.b = b satisfies number\n");
    daemon.home.write("c.cts", "function c<T>(this: void, value: T): T { return value }\nc<string>('c')");
    daemon.home.write("d.js", "let d: number = 1");
    daemon.home.write("bad.ts", "let ok = 1\n  enum Color { Red }");
    for (path, expected) in [("a.ts", "2"), ("b.mts", "undefined"), ("c.cts", "c")] {
        assert_eq!(daemon.run_file(&session, path)["result"]["preview"], expected, "{path}");
    }
    assert_eq!(daemon.preview(&session, "a.n + globalThis.b"), "4");
    assert_eq!(daemon.run_file(&session, "d.js")["error"]["name"], "SyntaxError");
    let error = daemon.run_file(&session, "bad.ts")["error"].clone();
    assert!(text(&error["message"]).starts_with("SyntaxError: TypeScript enums are not supported"), "{error}");
    assert!(text(&error["stack"]).ends_with("at bad.ts:2:3"), "{error}");
    assert_eq!(daemon.repl(&session, "let x: number = 1")["error"]["name"], "SyntaxError", "snippets are JavaScript");

    let template = daemon.template(json!({ "runtime": { "typescript": true } }));
    let session = daemon.session_of(&template);
    assert_eq!(daemon.preview(&session, "let x: number = 1; const f = <T,>(a: T): T => a; f<number>(x)"), "1");
    assert_eq!(daemon.repl(&session, "{ a: 1 as number }")["result"]["json"], json!({ "a": 1 }));
    let thrown = daemon.repl(&session, "const y: string = 'é' as string\n\ntype T = 1; missing")["error"].clone();
    assert!(text(&thrown["stack"]).contains("repl:3:13"), "{thrown}");
}
