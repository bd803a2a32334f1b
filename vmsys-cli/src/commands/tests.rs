//! Whole commands against a daemon that answers as told: the lines that scripts read, and the exit codes.

use super::*;
use crate::args::tests::words;
use crate::client::tests::{http, listener};
use crate::output::kept;

const TEMPLATE: &str = r#"{"id":"t-1","name":"demo","engine":"quickjs","is_active":true,"exposed_modules":[],
    "libraries":[],"created_at":"A","updated_at":"B"}"#;
const FILE: &str =
    r#"{"id":"f-1","template_id":"t-1","vm_id":"t-1","path":"runtime/init.js","order_index":10,"mode":"eval"}"#;
const DETAIL: &str = r#"{"template":{"id":"t-1","name":"demo","engine":"quickjs","is_active":false,
    "created_at":"A","updated_at":"B"},"settings":{"limits":{},"resolver":{},"runtime":{}}}"#;
const CAPABILITY: &str =
    r#"{"id":"c-1","template_id":"t-1","vm_id":"t-1","kind":"fs","name":"docs","enabled":true,"config":{}}"#;
const GIVEN: &str = r#"{"status":"ok","template_id":"t-1","name":"fs"}"#;
const SESSION: &str = r#"{"id":"s-1","template_id":"t-1","vm_id":"t-1","workspace_id":"ws-1","base_commit_oid":"deadbeef",
    "worktree_path":"/w","status":"ready","created_at":"A","runtime_meta":{}}"#;
const OK: &str = r#"{"id":"e-1","session_id":"s-1","kind":"repl","input":"1+1","args":{},"env":{},"status":"ok",
    "started_at":"A","ended_at":"B","result":{"type":"number","preview":"2","json":2},"metrics":{"wall_ms":1},
    "events":[{"execution_id":"e-1","seq":1,"ts":"A","type":"value","payload":{"type":"number","preview":"2","json":2}}]}"#;
const FAILED: &str = r#"{"id":"e-2","session_id":"s-1","kind":"repl","input":"x","args":{},"env":{},"status":"error",
    "started_at":"A","error":{"message":"Error: much","code":"OUTPUT_LIMIT_EXCEEDED"},"metrics":{"wall_ms":1},"events":[]}"#;

/// What the daemon answers to code that it has started, but for the id.
const RUNNING: &str = r#"{"id":"e-1","session_id":"s-1","kind":"repl","input":"1+1","args":{},"env":{},
    "status":"running","started_at":"A","metrics":{"wall_ms":0},"events":[]}"#;
const ECHO: (&str, &str) =
    ("input_echo", r#"{"execution_id":"e-1","seq":1,"ts":"A","type":"input_echo","payload":{"text":"1+1"}}"#);
const VALUE: (&str, &str) = (
    "value",
    r#"{"execution_id":"e-1","seq":2,"ts":"A","type":"value","payload":{"type":"number","preview":"2","json":2}}"#,
);
const END_LINE: &str = "Status: ok\nResult: {\"type\":\"number\",\"preview\":\"2\",\"json\":2}\n";

/// What became of a command: the first line of its first request, what it printed, and its exit code.
struct Ran {
    requests: Vec<String>,
    stdout: String,
    stderr: String,
    code: u8,
}

impl Ran {
    fn request(&self) -> &str {
        self.requests[0].lines().next().and_then(|line| line.strip_suffix(" HTTP/1.1")).unwrap_or_default()
    }

    fn body(&self) -> &str {
        self.requests[0].split_once("\r\n\r\n").expect("a request has a head").1
    }
}

fn ran(line: &str, answers: &[(&str, &str)]) -> Ran {
    ran_against(line, answers.iter().map(|(status, body)| http(status, body)).collect())
}

fn ran_against(line: &str, answers: Vec<String>) -> Ran {
    let (address, served) = listener(answers);
    let mut line = words(&format!("vm-system {line}"));
    line.splice(1..1, ["--server-url".to_owned(), address]);
    let cli = Cli::read(&line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
    let (mut out, stdout, stderr) = kept::output(cli.common.json, false);
    let exit = run(cli, &mut out).unwrap_or_else(|error| {
        out.error(&error);
        error.exit()
    });
    let requests = served.join().expect("the daemon ends");
    Ran { requests, stdout: stdout.text(), stderr: stderr.text(), code: exit.code() }
}

/// The bytes of a stream of messages, which ends with the connection.
fn stream(messages: &[(&str, &str)]) -> String {
    let mut bytes = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_owned();
    for (name, document) in messages {
        let document: serde_json::Value = serde_json::from_str(document).expect("it is a document");
        let id = document["seq"].as_u64().map_or_else(String::new, |seq| format!("id: {seq}\n"));
        bytes.push_str(&format!("event: {name}\n{id}data: {document}\n\n"));
    }
    bytes
}

#[test]
fn lines_that_scripts_read() {
    const FACTS: &str =
        "Status: ready\nTemplate ID: t-1\nWorkspace ID: ws-1\nBase Commit: deadbeef\nWorktree Path: /w\n";
    let created = format!("Created session: s-1\n{FACTS}");
    let execution = "Execution ID: e-1\nStatus: ok\nResult: {\"type\":\"number\",\"preview\":\"2\",\"json\":2}\n\n\
                     Events:\n[1] value: {\"type\":\"number\",\"preview\":\"2\",\"json\":2}\n";
    for (line, request, answer, printed) in [
        (
            "template create --name demo --engine goja",
            "POST /templates",
            TEMPLATE,
            "Created template: demo (ID: t-1)\n",
        ),
        ("template list", "GET /templates", "[]", "No templates found\n"),
        (
            "template delete t-1",
            "DELETE /templates/t-1",
            r#"{"status":"ok","template_id":"t-1"}"#,
            "Deleted template: t-1\n",
        ),
        (
            "template add-startup t-1 --path runtime/init.js --order 10 --mode eval",
            "POST /templates/t-1/startup-files",
            FILE,
            "Added startup file: runtime/init.js (order: 10) to template t-1\n",
        ),
        ("template list-startup t-1", "GET /templates/t-1/startup-files", "[]", "No startup files found\n"),
        (
            "template update t-1 --active false --set limits.cpu_ms=5",
            "PATCH /templates/t-1",
            DETAIL,
            "Updated template: demo (ID: t-1)\n",
        ),
        (
            "template add-capability t-1 --name docs --kind fs --enabled",
            "POST /templates/t-1/capabilities",
            CAPABILITY,
            "Added capability: docs (ID: c-1, kind: fs, enabled: true) to template t-1\n",
        ),
        (
            "template remove-capability t-1 c-1",
            "DELETE /templates/t-1/capabilities/c-1",
            r#"{"status":"ok","template_id":"t-1","capability_id":"c-1"}"#,
            "Removed capability: c-1 from template t-1\n",
        ),
        ("template list-capabilities t-1", "GET /templates/t-1/capabilities", "[]", "No capabilities found\n"),
        (
            "template add-module t-1 --name fs",
            "POST /templates/t-1/modules",
            GIVEN,
            "Added module: fs to template t-1\n",
        ),
        (
            "template remove-module t-1 --name a/b",
            "DELETE /templates/t-1/modules/a%2Fb",
            GIVEN,
            "Removed module: fs from template t-1\n",
        ),
        ("template types t-1", "GET /templates/t-1/types", "declare var a: 1;\n", "declare var a: 1;\n"),
        ("template list-modules t-1", "GET /templates/t-1/modules", r#"["fs","exec"]"#, "NAME\nfs\nexec\n"),
        (
            "template add-library t-1 --name fs",
            "POST /templates/t-1/libraries",
            GIVEN,
            "Added library: fs to template t-1\n",
        ),
        (
            "template remove-library t-1 --name fs",
            "DELETE /templates/t-1/libraries/fs",
            GIVEN,
            "Removed library: fs from template t-1\n",
        ),
        ("template list-libraries t-1", "GET /templates/t-1/libraries", "[]", "No libraries found\n"),
        (
            "template list-available-modules",
            "GET /catalog/modules",
            r#"[{"id":"x","name":"x","kind":"native","description":"An x","functions":["a","b"]}]"#,
            "NAME  DESCRIPTION  FUNCTIONS\nx     An x         a, b\n",
        ),
        (
            "template list-available-libraries",
            "GET /catalog/libraries",
            r#"[{"id":"x","name":"x","version":"1.0.0","description":"An x","global":null,"cached":false}]"#,
            "NAME  VERSION  GLOBAL  CACHED  DESCRIPTION\nx     1.0.0    ?       false   An x\n",
        ),
        (
            "session create --template-id t-1 --workspace-id ws-1 --base-commit deadbeef --worktree-path /w",
            "POST /sessions",
            SESSION,
            &created,
        ),
        ("session list --status ready", "GET /sessions?status=ready", "[]", "No sessions found\n"),
        ("session list --limit 5 --template-id t", "GET /sessions?template_id=t&limit=5", "[]", "No sessions found\n"),
        ("session close s-1", "POST /sessions/s-1/close", SESSION, "Closed session: s-1\n"),
        ("session globals s-1", "GET /sessions/s-1/globals", r#"{"globals":[],"more":0}"#, "No globals found\n"),
        (
            "session globals s-1 --builtins",
            "GET /sessions/s-1/globals?builtins=true",
            r#"{"globals":[{"name":"x","kind":"let","type":"number","preview":"1","changed_by":"e-1"},
                {"name":"y","kind":"global","preview":"[Getter]"}],"more":3}"#,
            "NAME  KIND    TYPE    CHANGED BY  PREVIEW\nx     let     number  e-1         1\n\
             y     global  -       -           [Getter]\n... 3 more\n",
        ),
        ("session history s-1", "GET /sessions/s-1/history?limit=50", r#"{"entries":[]}"#, "No snippets found\n"),
        (
            "session history s-1 --limit 2 --before e-9",
            "GET /sessions/s-1/history?limit=2&before=e-9",
            r#"{"entries":[{"execution_id":"e-1","input":"1\n+ 2","started_at":"A"}]}"#,
            "EXECUTION ID  STARTED  INPUT\ne-1           A        1\\n+ 2\n",
        ),
        (
            "session complete s-1 x.fo --cursor 4",
            "POST /sessions/s-1/completions",
            r#"{"from":2,"to":4,"items":[{"label":"foo","kind":"property","detail":"number"},{"label":"for","kind":"keyword"}]}"#,
            "foo  property (number)\nfor  keyword\n",
        ),
        ("exec repl s-1 '1+1' --detach", "POST /executions/repl", OK, execution),
        ("exec run-file s-1 app.js --detach", "POST /executions/run-file", OK, execution),
        ("exec get e-1", "GET /executions/e-1", OK, execution),
        ("exec list s-1", "GET /executions?session_id=s-1&limit=50", "[]", "No executions found\n"),
        ("exec events e-1", "GET /executions/e-1/events?after_seq=0", "[]", "No events found\n"),
        (
            "exec events e-1 --after-seq 3",
            "GET /executions/e-1/events?after_seq=3",
            r#"[{"seq":4,"type":"console","payload":{"level":"log", "text":"x", "args":[{"type":"object"}]}}]"#,
            "[4] console: {\"level\":\"log\",\"text\":\"x\"}\n",
        ),
        ("exec cancel e-1", "POST /executions/e-1/cancel", OK, "Cancelled execution: e-1\n"),
        ("ops health", "GET /health", r#"{"status":"ok"}"#, "{\"status\":\"ok\"}\n"),
        (
            "ops runtime-summary",
            "GET /runtime/summary",
            r#"{"active_sessions":0,"active_session_ids":[]}"#,
            "{\"active_sessions\":0,\"active_session_ids\":[]}\n",
        ),
        ("ops metrics", "GET /metrics", "# HELP a b\na 1\n", "# HELP a b\na 1\n"),
        ("ops openapi", "GET /openapi.json", r#"{"openapi":"3.1.0"}"#, "{\"openapi\":\"3.1.0\"}\n"),
    ] {
        let ran = ran(line, &[("200 OK", answer)]);
        assert_eq!(ran.request().replace(" /api/v1", " "), request, "{line}");
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str(), ran.code), (printed, "", 0), "{line}");
    }
}

#[test]
fn json_is_the_answer_of_the_api_on_one_line() {
    for (line, answer) in [
        ("template create --name demo --json", TEMPLATE),
        ("--json template list", "[]"),
        ("session get s-1 --json", SESSION),
        ("exec repl --json s-1 '1+1' --detach", OK),
        ("exec events e-1 --json", "[]"),
    ] {
        let ran = ran(line, &[("200 OK", answer)]);
        assert_eq!(ran.stdout, format!("{}\n", crate::json::compact(answer)), "{line}");
    }
}

#[test]
fn requests_say_what_the_command_line_says() {
    for (line, answer, body) in [
        (
            "template create --name demo --set limits.cpu_ms=5",
            TEMPLATE,
            r#"{"name":"demo","engine":"quickjs","limits":{"cpu_ms":5}}"#,
        ),
        ("template update t-1 --name x", DETAIL, r#"{"name":"x"}"#),
        (
            "template update t-1 --set runtime.isolation=thread --active true --set limits.cpu_ms=5",
            DETAIL,
            r#"{"runtime":{"isolation":"thread"},"limits":{"cpu_ms":5},"is_active":true}"#,
        ),
        (
            "template add-capability t-1 --name exec",
            CAPABILITY,
            r#"{"kind":"module","name":"exec","enabled":false,"config":{}}"#,
        ),
        (
            "template add-capability t-1 --kind global --name g --config '{\"value\":[1.50]}' --enabled",
            CAPABILITY,
            r#"{"kind":"global","name":"g","enabled":true,"config":{"value":[1.5]}}"#,
        ),
        ("template add-module t-1 --name fs", GIVEN, r#"{"name":"fs"}"#),
        ("template add-startup t-1 --path a.js --order -1", FILE, r#"{"path":"a.js","order_index":-1,"mode":"eval"}"#),
        (
            "session create --template-id t --workspace-id w --base-commit b --worktree-path ./rel",
            SESSION,
            r#"{"template_id":"t","workspace_id":"w","base_commit_oid":"b","worktree_path":"./rel"}"#,
        ),
        ("exec repl s-1 --detach -1", OK, r#"{"session_id":"s-1","input":"-1","detach":true}"#),
        (
            "exec run-file s-1 a.js --arg n=1 --env n=1 --detach",
            OK,
            r#"{"session_id":"s-1","path":"a.js","detach":true,"args":{"n":1},"env":{"n":"1"}}"#,
        ),
    ] {
        assert_eq!(ran(line, &[("200 OK", answer)]).body(), body, "{line}");
    }
}

#[test]
fn code_in_the_foreground_is_started_and_followed_to_its_end() {
    for (line, path, body) in [
        ("exec repl s-1 '1+1'", "repl", r#"{"session_id":"s-1","input":"1+1","detach":true}"#),
        ("exec run-file s-1 a.js", "run-file", r#"{"session_id":"s-1","path":"a.js","detach":true}"#),
    ] {
        let ran = ran_against(line, vec![http("202 Accepted", RUNNING), stream(&[ECHO, VALUE, ("end", OK)])]);
        assert_eq!(ran.request(), format!("POST /api/v1/executions/{path}"));
        assert_eq!(ran.body(), body);
        let follows = "GET /api/v1/executions/e-1/events/stream?after_seq=0 ";
        assert!(ran.requests[1].starts_with(follows), "{}", ran.requests[1]);
        assert_eq!(
            ran.stdout,
            format!(
                "Execution ID: e-1\n\nEvents:\n[1] input_echo: {{\"text\":\"1+1\"}}\n\
                 [2] value: {{\"type\":\"number\",\"preview\":\"2\",\"json\":2}}\n\n{END_LINE}"
            )
        );
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
}

#[test]
fn json_in_the_foreground_is_the_execution_with_the_events_that_were_told() {
    let end = FAILED.replace(r#","events":[]"#, "");
    let ran =
        ran_against("exec repl s-1 x --json", vec![http("202 Accepted", RUNNING), stream(&[ECHO, ("end", &end)])]);
    let whole = FAILED.replace("[]", &format!("[{}]", ECHO.1));
    assert_eq!((ran.stdout, ran.code), (format!("{}\n", crate::json::compact(&whole)), 4));
}

#[test]
fn json_is_asked_for_once_more_where_events_may_have_been_lost() {
    let answers =
        vec![http("202 Accepted", RUNNING), stream(&[ECHO, VALUE]), stream(&[("end", FAILED)]), http("200 OK", FAILED)];
    let ran = ran_against("exec repl s-1 '1+1' --json", answers);
    assert!(ran.requests[3].starts_with("GET /api/v1/executions/e-1 HTTP"), "{}", ran.requests[3]);
    assert_eq!((ran.stdout, ran.code), (format!("{}\n", crate::json::compact(FAILED)), 4));
}

#[test]
fn a_stream_that_breaks_off_is_read_on_from_the_last_event() {
    // Neither a line that is cut before or within a message nor a daemon that is not ready yet loses or doubles one.
    let half = format!("{}event: value\nid: 2\ndata: {{\"exec", stream(&[ECHO]));
    let busy = r#"{"error":{"code":"SHUTTING_DOWN","message":"no"}}"#;
    let answers = vec![
        http("202 Accepted", RUNNING),
        String::new(),
        half,
        http("503 Service Unavailable", busy),
        stream(&[VALUE]),
        stream(&[("end", OK)]),
    ];
    let ran = ran_against("exec repl s-1 '1+1'", answers);
    let last_ids: Vec<Option<&str>> =
        ran.requests[1..].iter().map(|r| r.lines().find_map(|line| line.strip_prefix("last-event-id: "))).collect();
    assert_eq!(last_ids, [None, None, Some("1"), Some("1"), Some("2")]);
    let starts: Vec<&str> = ran.stdout.lines().map(|line| line.split(':').next().unwrap_or_default()).collect();
    assert_eq!(starts, ["Execution ID", "", "Events", "[1] input_echo", "[2] value", "", "Status", "Result"]);
    // It was over too soon to be spoken of.
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn a_stream_that_cannot_be_had_is_asked_for_no_longer() {
    const GONE: &str = r#"{"error":{"code":"EXECUTION_NOT_FOUND","message":"Execution not found"}}"#;
    let answers = vec![stream(&[ECHO]), http("404 Not Found", GONE)];
    let ran = ran_against("exec watch e-1", answers);
    assert_eq!(ran.code, 1);
    assert!(ran.stdout.starts_with("[1] input_echo") && ran.stderr.contains("EXECUTION_NOT_FOUND"), "{}", ran.stderr);
    // What was never there is not waited for.
    let never = ran_against("exec watch e-1", vec![String::new()]);
    assert_eq!((never.code, never.requests.len()), (3, 1));
}

#[test]
fn a_watched_session_goes_on_through_its_statuses_to_its_end() {
    let closed = SESSION.replace("ready", "closed");
    let answers = vec![stream(&[("session", SESSION)]), stream(&[ECHO, ("session", &closed)])];
    let ran = ran_against("session watch s-1 --tail 1", answers);
    assert_eq!(ran.stdout, "Session: ready\ne-1 [1] input_echo: {\"text\":\"1+1\"}\nSession: closed\n");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

#[test]
fn an_execution_that_failed_is_shown_and_ends_with_4() {
    for line in ["exec repl s-1 x", "exec run-file s-1 x.js", "exec watch e-1"] {
        let followed = stream(&[ECHO, ("end", FAILED)]);
        let started = (!line.contains("watch")).then(|| http("202 Accepted", RUNNING));
        let ran = ran_against(line, started.into_iter().chain([followed]).collect());
        assert_eq!((ran.code, ran.stderr.as_str()), (4, ""), "{line}");
        let end = "Status: error\nError: {\"message\":\"Error: much\",\"code\":\"OUTPUT_LIMIT_EXCEEDED\"}\n";
        assert!(ran.stdout.ends_with(end), "{line}: {}", ran.stdout);
    }
}

#[test]
fn to_look_at_a_failed_execution_is_no_failure() {
    assert_eq!(ran("exec get e-2", &[("200 OK", FAILED)]).code, 0);
}

#[test]
fn a_refusal_is_an_error_with_code_and_hint() {
    const REFUSAL: &str = r#"{"error":{"code":"STARTUP_FAILED","message":"A startup file failed","details":
        {"session_id":"s-9","last_error":"Error: boom"}}}"#;
    const LINE: &str = "session create --template-id t --workspace-id w --base-commit b --worktree-path /w";
    let refused = ran(LINE, &[("422 Unprocessable Entity", REFUSAL)]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    assert_eq!(
        refused.stderr,
        "error: A startup file failed [STARTUP_FAILED]\n\
         hint: `vm-system exec list s-9` shows the startup runs\n"
    );
    let refused = ran(&format!("{LINE} --json"), &[("422 Unprocessable Entity", REFUSAL)]);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""));
    assert_eq!(refused.stderr, format!("{}\n", crate::json::compact(REFUSAL)));
}

#[test]
fn lists_are_tables() {
    let ran = ran("session list", &[("200 OK", &format!("[{SESSION}]"))]);
    assert_eq!(
        ran.stdout,
        "ID   STATUS  TEMPLATE ID  CREATED  WORKSPACE ID  WORKTREE PATH\n\
         s-1  ready   t-1          A        ws-1          /w\n"
    );
}
