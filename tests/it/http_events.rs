//! Events: the log of an execution, read as a whole or from where one left off.

use serde_json::{Value, json};

use crate::support::{Daemon, all_cases, array, check_execution, events_of, holds, same, text};

fn seqs(events: &Value) -> Vec<u64> {
    events.as_array().unwrap().iter().map(|event| event["seq"].as_u64().unwrap()).collect()
}

#[test]
fn events_are_those_of_the_execution() {
    let daemon = Daemon::start();
    let session = daemon.session();
    daemon.home.write("app.js", "console.log('from a file'); 1");
    for execution in [daemon.repl(&session, "console.warn('w'); ({ a: 1 })"), daemon.run_file(&session, "app.js")] {
        let events = daemon.get(&format!("/executions/{}/events", text(&execution["id"]))).ok(200);
        assert_eq!(events, execution["events"]);
        assert_eq!(events.as_array().unwrap().len(), 3);
    }
}

#[test]
fn reading_goes_on_where_it_stopped() {
    let daemon = Daemon::start();
    let session = daemon.session();
    // One echo, eight lines, one value: 1 to 10.
    let id = text(&daemon.repl(&session, "for (let i = 0; i < 8; i++) console.log(i); 'end'")["id"]);
    let read = |query: &str| seqs(&daemon.get(&format!("/executions/{id}/events{query}")).ok(200));
    let all: Vec<u64> = (1..=10).collect();
    let cases = [
        ("", &all[..]),
        ("?after_seq=0", &all[..]),
        ("?after_seq=1", &all[1..]),
        ("?after_seq=9", &all[9..]),
        ("?after_seq=10", &[]),
        ("?after_seq=11", &[]),
        ("?after_seq=9223372036854775807", &[]),
        ("?limit=3", &all[..3]),
        ("?limit=10000", &all[..]),
        ("?after_seq=4&limit=2", &all[4..6]),
        ("?limit=2&after_seq=9", &all[9..]),
    ];
    all_cases(cases, |(query, expected)| same(query, read(query), expected.to_vec()));
    let (mut walked, mut after) = (Vec::new(), 0);
    loop {
        let page = read(&format!("?after_seq={after}&limit=3"));
        let Some(last) = page.last() else { break };
        after = *last;
        walked.extend(page);
    }
    assert_eq!(walked, all);
}

#[test]
fn a_long_log_is_read_whole_unless_told() {
    let daemon = Daemon::start();
    let session = daemon.limited(json!({ "max_events": 5000 }));
    let execution = daemon.repl(&session, "for (let i = 0; i < 3000; i++) console.log('line ' + i); 'end'");
    assert_eq!(execution["events"].as_array().unwrap().len(), 3002);
    let events = daemon.get(&format!("/executions/{}/events", text(&execution["id"]))).ok(200);
    assert_eq!(seqs(&events), (1..=3002).collect::<Vec<u64>>());
    assert_eq!(events[1500]["payload"]["text"], "line 1499");
}

#[test]
fn each_outcome_ends_its_log_in_its_way() {
    let daemon = Daemon::start();
    let limits = json!({ "cpu_ms": 300, "wall_ms": 600, "mem_mb": 16 });
    let template = daemon.template(json!({ "limits": limits }));
    let cases = [
        ("1", "ok", "value", None),
        ("null.x", "error", "exception", None),
        ("throw 1", "error", "exception", None),
        ("let = =", "error", "exception", None),
        ("while (true) {}", "timeout", "system", Some("TIMEOUT")),
        ("await new Promise(w => setTimeout(w, 1e6))", "timeout", "system", Some("TIMEOUT")),
        (
            "(() => { const a = []; for (;;) a.push(new Array(1000).fill(0)) })()",
            "error",
            "system",
            Some("OUT_OF_MEMORY"),
        ),
    ];
    all_cases(cases, |(code, status, last, reason)| {
        let execution = daemon.repl(&daemon.session_of(&template), code);
        same(code, execution["status"].as_str(), Some(status))?;
        same(code, execution["error"]["code"].as_str(), reason)?;
        let found = &execution["events"].as_array().unwrap().last().unwrap()["type"];
        holds(code, found == last, &execution)
    });
}

#[test]
fn startup_leaves_events_too() {
    let daemon = Daemon::start();
    daemon.home.write("init.js", "console.info('starting'); 7");
    let template = daemon.template(json!({}));
    daemon.post(&format!("/templates/{template}/startup-files"), &json!({ "path": "init.js" })).ok(201);
    let session = daemon.session_of(&template);
    let startup = daemon.executions(&session).remove(0);
    assert_eq!(startup["kind"], "startup");
    let execution = daemon.execution(&text(&startup["id"]));
    check_execution(&execution);
    let line = json!({ "level": "info", "text": "starting" });
    assert_eq!(events_of(&execution, "console")[0]["payload"], line);
    let events = daemon.get(&format!("/executions/{}/events?after_seq=2", text(&startup["id"]))).ok(200);
    assert_eq!(array(events)[0]["payload"]["json"], 7);
}

#[test]
fn events_outlive_their_session() {
    let daemon = Daemon::start();
    let session = daemon.session();
    let execution = daemon.repl(&session, "console.log('kept')");
    daemon.delete(&format!("/sessions/{session}")).ok(200);
    assert_eq!(daemon.execution(&text(&execution["id"])), execution);
}
