//! Rules of the REST contract that hold for every route.

use std::io::ErrorKind;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::http::{Connection, Request, Response};
use crate::support::{Daemon, NOBODY, all_cases, api, check_id, holds, refused, refused_field, same, text};

/// The body limit unless the daemon is told otherwise.
const MAX_BODY: usize = 1 << 20;

#[test]
fn a_request_id_is_echoed_when_it_is_printable_and_short() {
    let daemon = Daemon::start();
    let longest = "x".repeat(128);
    let too_long = "x".repeat(129);
    let cases: [(&[u8], bool); 8] = [
        (b"abc-123", true),
        (b"0", true),
        (b"~!@#$%^&*()_+/", true),
        (longest.as_bytes(), true),
        (too_long.as_bytes(), false),
        (b"a\tb", false),
        (b"a\xffb", false),
        (b"", false),
    ];
    for path in ["/health", "/no-such-route"] {
        all_cases(cases, |(sent, echoed)| {
            let response = daemon.send(&Request::new("GET", api(path)).header("X-Request-Id", sent));
            let answered = response.header("X-Request-Id").unwrap_or_default();
            let case = format!("{path} with {:?}", String::from_utf8_lossy(sent));
            if echoed {
                return same(&case, answered.as_bytes(), sent);
            }
            let replaced = !answered.is_empty() && answered.as_bytes() != sent && answered.len() <= 128;
            holds(&case, replaced && answered.bytes().all(|byte| byte.is_ascii_graphic()), answered)
        });
    }
}

#[test]
fn a_request_id_is_made_when_none_is_sent() {
    let daemon = Daemon::start();
    let ids: Vec<String> =
        (0..20).map(|_| daemon.get("/health").header("X-Request-Id").expect("an id").to_owned()).collect();
    let mut distinct = ids.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), ids.len(), "{ids:?}");
}

#[test]
fn the_log_carries_the_request_id() {
    let daemon = Daemon::start();
    let request = Request::new("GET", api(&format!("/sessions/{NOBODY}"))).header("X-Request-Id", "find-me-in-the-log");
    daemon.send(&request).error(404, "SESSION_NOT_FOUND");
    let found = || daemon.log().contains("find-me-in-the-log").then_some(());
    crate::support::wait_for("the request id in the log", Duration::from_secs(5), found);
}

#[test]
fn the_document_of_the_api_is_served_as_it_is_kept() {
    let daemon = Daemon::start();
    let golden: Value = serde_json::from_str(include_str!("../golden/openapi.json")).unwrap();
    let response = daemon.get("/openapi.json");
    assert_eq!(response.header("Content-Type"), Some("application/json"));
    assert_eq!(response.ok(200), golden);
    // And again: it is made once.
    assert_eq!(daemon.get("/openapi.json").ok(200), golden);
    daemon.post("/openapi.json", &json!({})).error(405, "METHOD_NOT_ALLOWED");
}

#[test]
fn unknown_routes_answer_the_envelope() {
    let daemon = Daemon::start();
    let paths = [
        "/api/v1/nope",
        "/api/v1/sessions/a/b/c",
        "/api/v2/health",
        "/api/v1/../../secret",
        "/api/v1/%2e%2e/health",
        "/api/v1/HEALTH",
    ];
    for method in ["GET", "POST", "DELETE", "BREW"] {
        all_cases(paths, |path| {
            refused(&format!("{method} {path}"), &daemon.send(&Request::new(method, path)), 404, "NOT_FOUND")
        });
    }
}

#[test]
fn known_routes_say_which_methods_they_take() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let session = daemon.session_of(&template);
    let execution = text(&daemon.repl(&session, "1")["id"]);
    let cases = [
        ("/health".to_owned(), vec!["GET"], vec!["POST", "PUT", "DELETE"]),
        ("/runtime/summary".to_owned(), vec!["GET"], vec!["POST", "PUT", "DELETE"]),
        ("/templates".to_owned(), vec!["GET", "POST"], vec!["PUT", "DELETE", "PATCH"]),
        (format!("/templates/{template}"), vec!["GET", "PATCH", "DELETE"], vec!["POST", "PUT"]),
        (format!("/templates/{template}/capabilities"), vec!["GET", "POST"], vec!["PUT", "PATCH", "DELETE"]),
        (format!("/templates/{template}/capabilities/{NOBODY}"), vec!["DELETE"], vec!["GET", "POST", "PATCH"]),
        (format!("/templates/{template}/modules"), vec!["GET", "POST"], vec!["PUT", "DELETE"]),
        (format!("/templates/{template}/modules/fs"), vec!["DELETE"], vec!["GET", "POST", "PUT"]),
        (format!("/templates/{template}/libraries"), vec!["GET", "POST"], vec!["PUT", "DELETE"]),
        (format!("/templates/{template}/libraries/lodash"), vec!["DELETE"], vec!["GET", "POST", "PUT"]),
        ("/catalog/modules".to_owned(), vec!["GET"], vec!["POST", "DELETE"]),
        ("/catalog/libraries".to_owned(), vec!["GET"], vec!["POST", "DELETE"]),
        (format!("/templates/{template}/startup-files"), vec!["GET", "POST"], vec!["PUT", "DELETE"]),
        ("/sessions".to_owned(), vec!["GET", "POST"], vec!["PUT", "DELETE"]),
        (format!("/sessions/{session}"), vec!["GET", "DELETE"], vec!["POST", "PUT"]),
        (format!("/sessions/{session}/close"), vec!["POST"], vec!["GET", "PUT", "DELETE"]),
        ("/executions".to_owned(), vec!["GET"], vec!["POST", "PUT", "DELETE"]),
        ("/executions/repl".to_owned(), vec!["POST"], vec!["PUT", "PATCH"]),
        ("/executions/run-file".to_owned(), vec!["POST"], vec!["PUT", "PATCH"]),
        (format!("/executions/{execution}"), vec!["GET"], vec!["POST", "PUT", "DELETE"]),
        (format!("/executions/{execution}/events"), vec!["GET"], vec!["POST", "PUT", "DELETE"]),
        (format!("/executions/{execution}/cancel"), vec!["POST"], vec!["GET", "PUT", "DELETE"]),
    ];
    all_cases(cases, |(path, allowed, others)| {
        for method in others {
            let case = format!("{method} {path}");
            let response = daemon.send(&Request::new(method, api(&path)));
            refused(&case, &response, 405, "METHOD_NOT_ALLOWED")?;
            let allow: Vec<&str> = response.header("Allow").unwrap_or_default().split(',').map(str::trim).collect();
            holds(&case, allowed.iter().all(|name| allow.contains(name)), format!("Allow: {allow:?}"))?;
            holds(&case, !allow.contains(&method), format!("Allow names the refused method: {allow:?}"))?;
        }
        Ok(())
    });
}

#[test]
fn an_id_that_is_no_uuid_is_a_validation_error() {
    let daemon = Daemon::start();
    let bad = ["1", "not-a-uuid", "{01950000-0000-7000-8000-000000000000}", "01950000000070008000000000000000", "%00"];
    let routes = [
        ("GET", "/templates/ID"),
        ("DELETE", "/templates/ID"),
        ("GET", "/templates/ID/startup-files"),
        ("PATCH", "/templates/ID"),
        ("GET", "/templates/ID/capabilities"),
        ("GET", "/templates/ID/modules"),
        ("DELETE", "/templates/ID/modules/fs"),
        ("GET", "/templates/ID/libraries"),
        ("DELETE", "/templates/ID/libraries/lodash"),
        ("DELETE", "/templates/01950000-0000-7000-8000-000000000000/capabilities/ID"),
        ("GET", "/sessions/ID"),
        ("DELETE", "/sessions/ID"),
        ("POST", "/sessions/ID/close"),
        ("GET", "/executions/ID"),
        ("GET", "/executions/ID/events"),
        ("POST", "/executions/ID/cancel"),
        ("GET", "/executions?session_id=ID"),
        ("GET", "/sessions?template_id=ID"),
        ("GET", "/sessions?before=ID"),
        ("GET", "/templates?before=ID"),
    ];
    all_cases(routes.iter().flat_map(|route| bad.iter().map(move |id| (route, id))), |((method, route), id)| {
        let path = route.replace("ID", id);
        let response = daemon.send(&Request::new(method, api(&path)));
        refused(&format!("{method} {path}"), &response, 400, "VALIDATION_ERROR")?;
        holds(&path, response.envelope().1["field"].is_string(), response.text())
    });
}

#[test]
fn an_id_that_names_nothing_is_not_found() {
    let daemon = Daemon::start();
    let repl = json!({ "session_id": NOBODY, "input": "1" });
    let file = json!({ "session_id": NOBODY, "path": "a.js" });
    let startup = json!({ "path": "a.js" });
    let cases = [
        ("GET", "/templates/ID", None, "template"),
        ("DELETE", "/templates/ID", None, "template"),
        ("GET", "/templates/ID/startup-files", None, "template"),
        ("PATCH", "/templates/ID", Some(json!({})), "template"),
        ("GET", "/templates/ID/capabilities", None, "template"),
        ("POST", "/templates/ID/capabilities", Some(json!({ "kind": "fs", "name": "f" })), "template"),
        ("DELETE", "/templates/ID/capabilities/ID", None, "template"),
        ("GET", "/templates/ID/modules", None, "template"),
        ("POST", "/templates/ID/modules", Some(json!({ "name": "fs" })), "template"),
        ("DELETE", "/templates/ID/modules/fs", None, "template"),
        ("GET", "/templates/ID/libraries", None, "template"),
        ("POST", "/templates/ID/libraries", Some(json!({ "name": "lodash" })), "template"),
        ("DELETE", "/templates/ID/libraries/lodash", None, "template"),
        ("POST", "/templates/ID/startup-files", Some(startup), "template"),
        ("POST", "/sessions", Some(daemon.session_request(NOBODY)), "template"),
        ("GET", "/sessions/ID", None, "session"),
        ("DELETE", "/sessions/ID", None, "session"),
        ("POST", "/sessions/ID/close", None, "session"),
        ("POST", "/executions/repl", Some(repl), "session"),
        ("POST", "/executions/run-file", Some(file), "session"),
        ("GET", "/executions?session_id=ID", None, "session"),
        ("GET", "/executions/ID", None, "execution"),
        ("GET", "/executions/ID/events", None, "execution"),
        ("POST", "/executions/ID/cancel", None, "execution"),
    ];
    all_cases(cases, |(method, path, body, noun)| {
        let mut request = Request::new(method, api(&path.replace("ID", NOBODY)));
        if let Some(body) = body {
            request = request.json(body.to_string());
        }
        let case = format!("{method} {path}");
        let response = daemon.send(&request);
        refused(&case, &response, 404, &format!("{}_NOT_FOUND", noun.to_uppercase()))?;
        same(&case, response.envelope().1[format!("{noun}_id")].as_str().unwrap_or_default(), NOBODY)
    });
}

#[test]
fn queries_are_checked() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let execution = text(&daemon.repl(&session, "1")["id"]);
    let lists = ["/templates?".to_owned(), "/sessions?".to_owned(), format!("/executions?session_id={session}&")];
    let limits = ["0", "1001", "-1", "abc", "1.5", "", "%20", "99999999999999999999", "0x10", "1e2"];
    all_cases(lists.iter().flat_map(|list| limits.iter().map(move |limit| (list, limit))), |(list, limit)| {
        let path = format!("{list}limit={limit}");
        refused_field(&path, &daemon.get(&path), "limit")
    });
    all_cases(lists.iter().flat_map(|list| ["1", "50", "1000", "%31"].map(|limit| (list, limit))), |(list, limit)| {
        let path = format!("{list}limit={limit}");
        same(&path, daemon.get(&path).status, 200)
    });
    let events = format!("/executions/{execution}/events");
    let fields = [
        (format!("{events}?limit=0"), "limit"),
        (format!("{events}?limit=10001"), "limit"),
        (format!("{events}?after_seq=-1"), "after_seq"),
        (format!("{events}?after_seq=x"), "after_seq"),
        ("/sessions?status=sleeping".to_owned(), "status"),
        ("/sessions?status=READY".to_owned(), "status"),
        ("/executions".to_owned(), "session_id"),
        ("/executions?session_id=".to_owned(), "session_id"),
        (format!("/executions?session_id={session}&before=x"), "before"),
    ];
    all_cases(fields, |(path, field)| refused_field(&path, &daemon.get(&path), field));
}

#[test]
fn unknown_and_repeated_query_parameters_are_refused() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let execution = text(&daemon.repl(&session, "1")["id"]);
    let paths = [
        "/templates?limt=3".to_owned(),
        "/sessions?state=ready".to_owned(),
        "/sessions?limit=1&limit=2".to_owned(),
        format!("/executions?session_id={session}&offset=3"),
        format!("/executions/{execution}/events?after=1"),
    ];
    all_cases(paths, |path| {
        let response = daemon.get(&path);
        // A typo must not pass silently; whether it is bad form or a bad value, the contract does not say.
        let code = if response.status < 400 { String::new() } else { response.envelope().0 };
        holds(
            &path,
            response.status == 400 && ["INVALID_REQUEST", "VALIDATION_ERROR"].contains(&code.as_str()),
            response.text(),
        )
    });
}

/// A body for `POST /templates`, and what must come of it.
type BodyCase = (&'static str, Vec<u8>, &'static str, Option<&'static str>);

fn body_cases() -> Vec<BodyCase> {
    let form = |name, body: &[u8]| (name, body.to_vec(), "INVALID_REQUEST", None);
    let value = |name, body: &str, field| (name, body.as_bytes().to_vec(), "VALIDATION_ERROR", Some(field));
    vec![
        form("nothing", b""),
        form("spaces", b"   "),
        form("half an object", br#"{"name":"#),
        form("a bare word", b"name"),
        form("single quotes", b"{'name':'a'}"),
        form("a trailing comma", br#"{"name":"a",}"#),
        form("a comment", br#"{"name":"a"/*b*/}"#),
        form("trailing garbage", br#"{"name":"a"} x"#),
        form("two documents", br#"{"name":"a"}{"name":"b"}"#),
        form("a byte order mark", b"\xef\xbb\xbf{\"name\":\"a\"}"),
        form("a NUL behind it", b"{\"name\":\"a\"}\0"),
        form("a raw line break in a string", b"{\"name\":\"a\nb\"}"),
        form("invalid UTF-8", b"{\"name\":\"\xff\xfe\"}"),
        form("overlong UTF-8", b"{\"name\":\"\xc0\xaf\"}"),
        form("half a surrogate pair", br#"{"name":"\ud800"}"#),
        form("NaN", br#"{"name":"a","limits":{"cpu_ms":NaN}}"#),
        form("an unknown field", br#"{"name":"a","nmae":"b"}"#),
        form("an unknown limit", br#"{"name":"a","limits":{"cpu":1}}"#),
        form("an unknown runtime setting", br#"{"name":"a","runtime":{"jit":true}}"#),
        form("the same field twice", br#"{"name":"a","name":"b"}"#),
        form("the same limit twice", br#"{"name":"a","limits":{"cpu_ms":1,"cpu_ms":2}}"#),
        value("no name", "{}", "name"),
        value("a null name", r#"{"name":null}"#, "name"),
        value("a number for a name", r#"{"name":5}"#, "name"),
        value("a list for a name", r#"{"name":["a"]}"#, "name"),
        value("an empty name", r#"{"name":""}"#, "name"),
        value("text for a limit", r#"{"name":"a","limits":{"cpu_ms":"1"}}"#, "limits.cpu_ms"),
        value("a negative limit", r#"{"name":"a","limits":{"wall_ms":-1}}"#, "limits.wall_ms"),
        value("a broken limit", r#"{"name":"a","limits":{"mem_mb":1.5}}"#, "limits.mem_mb"),
        value("a vast limit", r#"{"name":"a","limits":{"max_events":1e300}}"#, "limits.max_events"),
        value("a list of limits", r#"{"name":"a","limits":[1,2,3,4,5]}"#, "limits"),
        value("text for a switch", r#"{"name":"a","runtime":{"strict":"yes"}}"#, "runtime.strict"),
        value("a number for an engine", r#"{"name":"a","engine":1}"#, "engine"),
    ]
}

#[test]
fn bodies_are_decoded_strictly() {
    let daemon = Daemon::start();
    all_cases(body_cases(), |(case, body, code, field)| {
        let response = daemon.send(&Request::new("POST", api("/templates")).json(body));
        match field {
            Some(field) => refused_field(case, &response, field),
            None => refused(case, &response, 400, code),
        }
    });
    assert_eq!(daemon.get("/templates").ok(200), json!([]), "a refused body must leave nothing behind");
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    let daemon = Daemon::start();
    // A list of the right values in the right order is the trap: derived decoders take it for an object.
    let bodies = ["[]", r#"["name"]"#, r#"["name","quickjs",{},{},{}]"#, "null", "1", "true", r#""name""#];
    all_cases(bodies, |body| {
        let response = daemon.send(&Request::new("POST", api("/templates")).json(body));
        holds(body, response.status == 400, response.text())?;
        let (code, _) = response.envelope();
        holds(body, ["INVALID_REQUEST", "VALIDATION_ERROR"].contains(&code.as_str()), code)
    });
}

#[test]
fn deep_nesting_is_refused_and_overflows_no_stack() {
    let daemon = Daemon::start();
    let session = daemon.session();
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
        for depth in [1_000, 100_000] {
            let nested = open.repeat(depth) + "1" + &close.repeat(depth);
            let body = format!(r#"{{"session_id":"{session}","path":"a.js","args":{{"x":{nested}}}}}"#);
            let response = daemon.send(&Request::new("POST", api("/executions/run-file")).json(body));
            response.error(400, "INVALID_REQUEST");
            // Never closed: the reader must give up before it has found the end.
            let body = format!(r#"{{"name":{}"#, open.repeat(depth));
            let response = daemon.send(&Request::new("POST", api("/templates")).json(body));
            assert_eq!(response.status, 400, "{}", response.text());
        }
    }
    daemon.get("/health").ok(200);
}

#[test]
fn a_body_has_a_limit() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let frame = |input: &str| json!({ "session_id": session, "input": input }).to_string();
    let sized = |size: usize| frame(&format!("7//{}", "x".repeat(size - frame("7//").len())));

    let fits = daemon.send(&Request::new("POST", api("/executions/repl")).json(sized(MAX_BODY))).ok(201);
    assert_eq!(fits["result"]["json"], 7);
    let over = Request::new("POST", api("/executions/repl")).json(sized(MAX_BODY + 1));
    daemon.send(&over).error(413, "PAYLOAD_TOO_LARGE");
    assert_eq!(daemon.executions(&session).len(), 1, "what was refused did not run");
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_sent() {
    let daemon = Daemon::start();
    let claim = Request::new("POST", api("/templates")).json("").header("Content-Length", (10_u64 << 30).to_string());
    let start = Instant::now();
    daemon.send(&claim).error(413, "PAYLOAD_TOO_LARGE");
    assert!(start.elapsed() < Duration::from_secs(10), "it waited for the body: {:?}", start.elapsed());
}

#[test]
fn a_chunked_body_is_read_and_limited_too() {
    let daemon = Daemon::start();
    let chunked = |name: &str, chunks: usize| {
        let mut body = Vec::new();
        let mut chunk = |data: &[u8]| {
            body.extend(format!("{:x}\r\n", data.len()).into_bytes());
            body.extend_from_slice(data);
            body.extend_from_slice(b"\r\n");
        };
        chunk(format!("{{\"name\":\"{name}\"").as_bytes());
        (0..chunks).for_each(|_| chunk(&[b' '; 4096]));
        chunk(b"}");
        chunk(b"");
        Request::new("POST", api("/templates")).json(body).header("Transfer-Encoding", "chunked")
    };
    assert_eq!(daemon.send(&chunked("small", 3)).ok(201)["name"], "small");
    daemon.send(&chunked("large", 300)).error(413, "PAYLOAD_TOO_LARGE");
    daemon.get("/health").ok(200);
}

#[test]
fn a_body_must_say_that_it_is_json() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let routes = [
        ("/templates".to_owned(), json!({ "name": "typed" }).to_string()),
        ("/executions/repl".to_owned(), json!({ "session_id": session, "input": "1" }).to_string()),
        (format!("/sessions/{session}/close"), "{}".to_owned()),
    ];
    let types =
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonp"), Some("")];
    all_cases(routes.iter().flat_map(|route| types.iter().map(move |kind| (route, kind))), |((path, body), kind)| {
        let mut request = Request::new("POST", api(path)).body(body.as_str());
        if let Some(kind) = kind {
            request = request.header("Content-Type", kind);
        }
        refused(&format!("{path} as {kind:?}"), &daemon.send(&request), 415, "UNSUPPORTED_MEDIA_TYPE")
    });
    assert_eq!(daemon.session_record(&session)["status"], "ready", "what was refused closed nothing");
    for (index, kind) in ["application/json", "application/json; charset=utf-8", "Application/JSON"].iter().enumerate()
    {
        let body = json!({ "name": format!("typed-{index}") }).to_string();
        let request = Request::new("POST", api("/templates")).body(body).header("Content-Type", kind);
        daemon.send(&request).ok(201);
    }
    daemon.poke(&format!("/sessions/{session}/close")).ok(200);
}

#[test]
fn a_connection_serves_many_requests() {
    let daemon = Daemon::start();
    let mut connection = daemon.connect();
    for round in 0..20 {
        let health = connection.call(&Request::new("GET", api("/health"))).unwrap();
        assert_eq!(health.ok(200), json!({ "status": "ok" }), "round {round}");
        connection.call(&Request::new("GET", api("/nope"))).unwrap().error(404, "NOT_FOUND");
        let broken = Request::new("POST", api("/templates")).json("{");
        connection.call(&broken).unwrap().error(400, "INVALID_REQUEST");
    }
}

#[test]
fn requests_sent_at_once_are_answered_in_order() {
    let daemon = Daemon::start();
    let mut connection = daemon.connect();
    for id in ["first", "second", "third"] {
        connection.send(&Request::new("GET", api("/health")).header("X-Request-Id", id)).unwrap();
    }
    for id in ["first", "second", "third"] {
        let response = connection.receive("GET").unwrap();
        assert_eq!((response.status, response.header("X-Request-Id")), (200, Some(id)));
    }
}

#[test]
fn a_client_that_asks_for_the_end_gets_it() {
    let daemon = Daemon::start();
    let mut connection = daemon.connect();
    connection.call(&Request::new("GET", api("/health")).header("Connection", "close")).unwrap().ok(200);
    assert!(connection.is_closed_by_peer());

    let mut connection = daemon.connect();
    connection.send_raw(format!("GET /api/v1/health HTTP/1.0\r\nHost: {}\r\n\r\n", daemon.address).as_bytes()).unwrap();
    connection.receive("GET").unwrap().ok(200);
    assert!(connection.is_closed_by_peer());
}

#[test]
fn head_and_options_break_no_framing() {
    let daemon = Daemon::start();
    let mut connection = daemon.connect();
    let head = connection.call(&Request::new("HEAD", api("/health"))).unwrap();
    assert!([200, 405].contains(&head.status), "{head:?}");
    let options = connection.call(&Request::new("OPTIONS", api("/templates")).header("Origin", daemon.url())).unwrap();
    assert!([200, 204, 405].contains(&options.status), "{options:?}");
    let allow = options.header("Allow").unwrap_or_default();
    assert!(allow.contains("GET") && allow.contains("POST"), "{options:?}");
    assert_eq!(options.header("Access-Control-Allow-Origin"), None, "CORS is off: {options:?}");
    // An answer to HEAD with a body would be read as the answer to this.
    connection.call(&Request::new("GET", api("/health"))).unwrap().ok(200);
}

#[test]
fn other_sites_cannot_reach_the_daemon() {
    let daemon = Daemon::start();
    let port = daemon.address.port();
    let health = || Request::new("GET", api("/templates"));
    let foreign = [
        health().header("Host", "evil.example"),
        health().header("Host", format!("evil.example:{port}")),
        health().header("Host", format!("localhost.evil.example:{port}")),
        health().header("Host", "127.0.0.1.evil.example"),
        health().header("Origin", "http://evil.example"),
        health().header("Origin", "null"),
        health().header("Origin", format!("https://127.0.0.1:{port}")),
        health().header("Origin", format!("http://127.0.0.1:{port}.evil.example")),
    ];
    all_cases(foreign, |request| refused(&format!("{request:?}"), &daemon.send(&request), 403, "FORBIDDEN"));
    let own = [
        health().header("Host", format!("localhost:{port}")),
        health().header("Host", format!("127.0.0.1:{port}")),
        health().header("Host", format!("[::1]:{port}")),
        health().header("Origin", format!("http://127.0.0.1:{port}")),
    ];
    all_cases(own, |request| same(&format!("{request:?}"), daemon.send(&request).status, 200));
}

#[test]
fn what_is_not_http_hurts_nobody() {
    let daemon = Daemon::start();
    let host = daemon.address;
    let long = "x".repeat(2 << 20);
    let cases: [(&str, Vec<u8>); 10] = [
        ("noise", b"\x00\x01\x02\xff\r\n\r\n".to_vec()),
        ("a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".repeat(20)),
        ("HTTP/2 from the start", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec()),
        ("no version", b"GET /api/v1/health\r\n\r\n".to_vec()),
        ("a space in the target", format!("GET /api/v1/he alth HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()),
        ("no host", b"GET /api/v1/templates HTTP/1.1\r\n\r\n".to_vec()),
        (
            "a header without a colon",
            format!("GET /api/v1/health HTTP/1.1\r\nHost: {host}\r\nnope\r\n\r\n").into_bytes(),
        ),
        ("a vast header", format!("GET /api/v1/health HTTP/1.1\r\nHost: {host}\r\nX-A: {long}\r\n\r\n").into_bytes()),
        ("a vast target", format!("GET /api/v1/{long} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()),
        (
            "two lengths",
            format!(
                "POST /api/v1/templates HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{{}}"
            )
            .into_bytes(),
        ),
    ];
    all_cases(cases, |(case, bytes)| {
        let mut connection = daemon.connect();
        let _ = connection.send_raw(&bytes);
        // The end of what this client has to say: a server that waits for more would wait for ever.
        let answer = connection.finish_and_receive();
        same(case, daemon.get("/health").status, 200)?;
        match answer {
            Ok(response) => holds(case, (400..500).contains(&response.status), format!("{response:?}")),
            Err(error) => holds(case, !timed_out(error.kind()), format!("neither answered nor closed: {error}")),
        }
    });
}

fn timed_out(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::WouldBlock | ErrorKind::TimedOut)
}

#[test]
fn a_hundred_silent_connections_do_not_keep_others_out() {
    let daemon = Daemon::start();
    let silent: Vec<Connection> = (0..100)
        .map(|_| {
            let mut connection = daemon.connect();
            connection.send_raw(b"POST /api/v1/templates HTTP/1.1\r\nContent-Le").unwrap();
            connection
        })
        .collect();
    let start = Instant::now();
    daemon.get("/health").ok(200);
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    drop(silent);
    daemon.get("/health").ok(200);
}

#[test]
fn health_and_summary_answer_on_an_empty_daemon() {
    let daemon = Daemon::start();
    let health = daemon.get("/health");
    assert_eq!(health.ok(200), json!({ "status": "ok" }));
    assert_eq!(health.header("Content-Type").map(|kind| kind.starts_with("application/json")), Some(true));
    let summary = daemon.get("/runtime/summary").ok(200);
    assert_eq!(summary, json!({ "active_sessions": 0, "active_session_ids": [] }));
}

#[test]
fn many_clients_at_once_are_all_answered() {
    let daemon = Daemon::start();
    let template = daemon.template(json!({}));
    let answers: Vec<Response> = thread::scope(|scope| {
        let clients: Vec<_> = (0..16)
            .map(|client| {
                let (daemon, template) = (&daemon, &template);
                scope.spawn(move || {
                    let session = daemon.session_of(template);
                    (0..10).map(|n| daemon.post_repl(&session, &format!("{client} * 100 + {n}"))).collect::<Vec<_>>()
                })
            })
            .collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    let mut ids = Vec::new();
    for (index, answer) in answers.iter().enumerate() {
        let execution = answer.ok(201);
        assert_eq!(execution["result"]["json"], index / 10 * 100 + index % 10);
        check_id(&execution["id"]);
        ids.push(text(&execution["id"]));
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 160, "every execution has an id of its own");
    assert_eq!(daemon.active().len(), 16);
}
