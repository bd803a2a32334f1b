//! Headers, Request, Response and fetch as scripts see them, over a host that answers from what it is asked.

use super::web::{SHOW, body, cases};
use super::*;

const CASES: &str = include_str!("../../../../tests/web/fetch.txt");

/// What the host of these tests answers: the request's method in a header, its headers with an `x-` before them, and its
/// own body; or a failure that the host of the URL names.
pub(super) fn answer(request: Option<&Value>) -> Result<Value, CallError> {
    let text = |key: &str| request.and_then(|request| request.get(key)).and_then(Value::as_str).unwrap_or_default();
    let url = text("url");
    match url.trim_start_matches("http://").split('/').next() {
        Some("refused") => Err(CallError::new("TypeError", "fetch is refused: refused port 80").with_code("EPERM")),
        Some("down") => Err(CallError::new("Error", "connect ECONNREFUSED 127.0.0.1:80")
            .with_code("ECONNREFUSED")
            .with("port", 80.0)),
        _ => {
            let status = url.rsplit_once("status=").and_then(|(_, status)| status.parse().ok()).unwrap_or(200.0);
            let mut headers = vec![Value::Array(vec!["x-method".into(), text("method").into()])];
            for pair in request.and_then(|request| request.get("headers")?.as_array()).unwrap_or_default() {
                if let Some([Value::String(name), value]) = pair.as_array() {
                    headers.push(Value::Array(vec![format!("x-{name}").into(), value.clone()]));
                }
            }
            let body = request.and_then(|request| request.get("body")?.as_bytes()).unwrap_or_default().to_vec();
            Ok(Value::object([
                ("url", url.into()),
                ("redirected", false.into()),
                ("status", status.into()),
                ("statusText", text("redirect").into()),
                ("headers", headers.into()),
                ("body", body.into()),
            ]))
        }
    }
}

/// Whether a request is never answered.
pub(super) fn hangs(call: &Call) -> bool {
    let url = call.args.first().and_then(|request| request.get("url")?.as_str());
    call.module == NET && url.is_some_and(|url| url.starts_with("http://slow/"))
}

fn with_net() -> RealmConfig {
    RealmConfig {
        console: true,
        seed: 42,
        granted: Granted { net: true, ..Granted::default() },
        ..RealmConfig::default()
    }
}

#[test]
fn the_table_of_fetch_holds() {
    on_both_with(with_net(), |bench| {
        let mut problems = Vec::new();
        bench.limits.cpu = Duration::from_secs(60);
        bench.limits.wall = Duration::from_secs(60);
        bench.run(SHOW);
        let cases = cases(CASES);
        assert!(cases.len() >= 150, "only {} cases", cases.len());
        for (code, expected) in cases {
            match bench.run(&format!("await __show(async () => {{ {} }})", body(code))) {
                End::Value(value) if value.preview == expected => {}
                End::Value(value) => problems.push(format!("{code}\n  is   {}\n  want {expected}", value.preview)),
                other => problems.push(format!("{code}\n  ended with {other:?}")),
            }
        }
        assert!(problems.is_empty(), "{} problems\n{}", problems.len(), problems.join("\n"));
    });
}

#[test]
fn requests_reach_the_host_as_they_are_and_answers_come_back() {
    on_both_with(with_net(), |bench| {
        bench.run(SHOW);
        for (code, expected) in [
            (
                "const r = await fetch('http://h/p#f', { method: 'put', body: 'é', headers: { A: ' 1 ' } }); \
                 return [r.url, r.status, r.ok, r.type, r.redirected, r.statusText, [...r.headers], await r.text()]",
                r#"["http://h/p",200,true,"basic",false,"follow",[["x-a","1"],["x-content-type","text/plain;charset=UTF-8"],["x-method","PUT"]],"é"]"#,
            ),
            (
                "const r = await fetch(new Request('http://h', { redirect: 'manual' })); \
                 return [r.statusText, await r.text(), r.bodyUsed, [...r.headers]]",
                r#"["manual","",true,[["x-method","GET"]]]"#,
            ),
            (
                "const r = await fetch(new URL('http://h'), { headers: { host: 'x', 'Content-Length': 1, te: 'x', \
                 'Proxy-Authorization': 'x', cookie: 'c' } }); return [...r.headers]",
                r#"[["x-cookie","c"],["x-method","GET"]]"#,
            ),
            ("const r = await fetch('http://h/?status=404'); return [r.status, r.ok]", "[404,false]"),
            (
                "const r = await fetch('http://h/?status=204'); await r.text(); return [r.status, r.bodyUsed]",
                "[204,false]",
            ),
            ("const r = await fetch('http://h', { method: 'HEAD' }); await r.text(); return r.bodyUsed", "false"),
            ("(await fetch('http://h')).headers.set('a', 'b')", "throws TypeError -"),
            ("(await fetch('http://h')).clone().headers.set('a', 'b')", "throws TypeError -"),
            (
                "const q = new Request('http://h', { method: 'POST', body: 'x' }); const r = await fetch(q); \
                 return [q.bodyUsed, await r.text()]",
                r#"[true,"x"]"#,
            ),
            ("'body' in Response.prototype || 'body' in Request.prototype", "false"),
            (
                "const e = await fetch('http://refused/').catch((e) => e); return [e.name, e.code, e.message]",
                r#"["TypeError","EPERM","fetch is refused: refused port 80"]"#,
            ),
            (
                "const e = await fetch('http://down/').catch((e) => e); \
                 return [e.name, e.message, e.code, e.cause.name, e.cause.code, e.cause.message, e.cause.port, Object.keys(e)]",
                r#"["TypeError","fetch failed",null,"Error","ECONNREFUSED","connect ECONNREFUSED 127.0.0.1:80",80,[]]"#,
            ),
            (
                "await Promise.all([1, 2, 3].map(async (n) => (await fetch('http://h', { method: 'POST', body: n })).text()))",
                r#"["1","2","3"]"#,
            ),
        ] {
            assert_eq!(bench.value(&format!("await __show(async () => {{ {} }})", body(code))), expected, "{code}");
        }
    });
}

#[test]
fn what_nobody_catches_says_why_it_failed() {
    on_both_with(with_net(), |bench| {
        let error = bench.exception("await fetch('http://down/')");
        assert_eq!((error.message.as_str(), error.name.as_deref()), ("TypeError: fetch failed", Some("TypeError")));
        let stack = error.stack.expect("a stack");
        assert!(stack.ends_with("\n  [cause]: Error: connect ECONNREFUSED 127.0.0.1:80"), "{stack}");
        let error = bench
            .exception("throw new Error('a', { get cause() { throw 1 }, cause: new RangeError('b', { cause: 5 }) })");
        let stack = error.stack.expect("a stack");
        assert!(stack.starts_with("Error: a\n") && stack.ends_with("\n  [cause]: RangeError: b"), "{stack}");
        let endless = bench.exception("const e = new Error('e'); e.cause = e; throw e");
        assert_eq!(endless.stack.expect("a stack").matches("[cause]").count(), 4);
        let trapped = bench.exception("throw Object.defineProperty(new Error('e'), 'cause', { get() { throw 1 } })");
        assert_eq!(trapped.message, "Error: e");
    });
}

#[test]
fn an_abort_rejects_at_once() {
    on_both_with(with_net(), |bench| {
        bench.run(SHOW);
        for (code, expected) in [
            (
                "const c = new AbortController(); setTimeout(() => c.abort(), 5); return await fetch('http://slow/', { signal: c.signal })",
                "throws AbortError 20",
            ),
            (
                "const c = new AbortController(); const p = fetch('http://slow/', c); c.abort('why'); return await p.catch((e) => e)",
                "why",
            ),
            ("await fetch('http://slow/', { signal: AbortSignal.timeout(5) })", "throws TimeoutError 23"),
            (
                "const c = new AbortController(); const q = new Request('http://slow/', c); q.signal; const p = fetch(q.clone()); c.abort(1); return await p.catch((e) => e)",
                "1",
            ),
            // What is answered is not taken back, and leaves nothing behind on its signal.
            (
                "const c = new AbortController(); const r = await fetch('http://h', c); c.abort(); return [r.ok, await r.text()]",
                "[true,\"\"]",
            ),
        ] {
            let started = Instant::now();
            assert_eq!(bench.value(&format!("await __show(async () => {{ {} }})", body(code))), expected, "{code}");
            assert!(started.elapsed() < Duration::from_secs(5), "{code}");
        }
    });
}

#[test]
fn without_a_grant_there_is_no_fetch() {
    on_both(|bench| {
        assert_eq!(
            bench.value("[typeof fetch, typeof Headers, typeof Request, typeof Response].join()"),
            "undefined,undefined,undefined,undefined"
        );
        assert_eq!(bench.exception("fetch('http://h')").message, "ReferenceError: fetch is not defined");
    });
}

#[test]
fn guests_cannot_break_into_fetch() {
    on_both_with(with_net(), |bench| {
        for hostile in [
            "Object.defineProperty(Object.prototype, 'url', { get() { throw 1 }, configurable: true }); await fetch('http://h').catch(String); delete Object.prototype.url",
            "Promise.prototype.then = () => { throw 1 }; await 0; fetch('http://h'); 1",
            "Array.prototype.push = Array.prototype.join = Array.prototype.sort = String.prototype.replace = () => { throw 1 }; [...new Headers({ b: '1', a: '2' })].length",
            "globalThis.URL = globalThis.Blob = globalThis.AbortSignal = undefined; new Request('http://h', { method: 'POST', body: 'x' }).url",
            "new Response(new Proxy({}, { get() { throw new Error('no') } })).ok",
            "const h = new Headers(); for (let i = 0; i < 20000; i++) h.append('a' + i, 'b'); [...h].length",
            "new Response(new Uint8Array(8e6)).clone().arrayBuffer().then((b) => b.byteLength)",
            "for (let i = 0; i < 300; i++) fetch('http://slow/').catch(() => {}); 1",
        ] {
            bench.stop_after = Some(Duration::from_secs(4));
            let (end, clean) = bench.run_uncleaned(hostile);
            assert!(clean, "{hostile}: {end:?}");
        }
        bench.stop_after = None;
        assert_eq!(bench.value("1 + 1"), "2");
    });
}
