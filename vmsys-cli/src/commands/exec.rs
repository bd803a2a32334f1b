//! `vm-system exec`: code in a session, and what came of it.

mod live;

use clap::{Args, Subcommand};
use serde_json::{Map, Value};

use super::run::hint_at_module;
use super::{body, show, show_list};
use crate::args::{self, id};
use crate::client::records::{Event, Execution};
use crate::client::{Answer, Client};
use crate::error::{Exit, Result};
use crate::json;
use crate::output::{BAD, GOOD, Output, TREES};

/// The commands of the group.
#[derive(Debug, Subcommand)]
pub(crate) enum ExecCommand {
    /// Run a snippet; what it declares is there for the next one
    ///
    /// Its events are shown as they come. Ctrl+C cancels it, and the session lives on; a second one ends this command at
    /// once. A daemon that goes away is asked again for ten seconds.
    #[command(after_help = "\
Examples:
  vm-system exec repl SESSION_ID 'const seed = 40; seed + 2'
  vm-system exec repl SESSION_ID - < snippet.js
  vm-system exec repl SESSION_ID -- --i")]
    Repl {
        /// The session
        #[arg(value_parser = id())]
        session_id: String,
        /// The JavaScript; `-` reads it from standard input
        #[arg(allow_hyphen_values = true)]
        code: String,
        /// Return once it runs; `vm-system exec watch` follows it
        #[arg(long)]
        detach: bool,
    },
    /// Run a file of the session's worktree
    ///
    /// Its events are shown as they come. Ctrl+C cancels it, and the session lives on; a second one ends this command at
    /// once. A daemon that goes away is asked again for ten seconds.
    RunFile(RunFileArgs),
    /// List the executions of a session, newest first
    List {
        /// The session
        #[arg(value_parser = id())]
        session_id: String,
        /// At most so many, up to 1000
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Show an execution with its events
    Get {
        /// The execution
        #[arg(value_parser = id())]
        execution_id: String,
    },
    /// Show the events of an execution
    Events {
        /// The execution
        #[arg(value_parser = id())]
        execution_id: String,
        /// Only events after this one
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after_seq: u64,
        /// Go on until the execution has ended
        #[arg(long)]
        follow: bool,
    },
    /// Follow an execution to its end, and end as it does
    ///
    /// Ctrl+C ends this command, and not the execution. A daemon that goes away is asked again for ten seconds.
    #[command(after_help = "\
Examples:
  vm-system exec watch EXECUTION_ID
  vm-system exec watch EXECUTION_ID --after-seq 41")]
    Watch {
        /// The execution
        #[arg(value_parser = id())]
        execution_id: String,
        /// Only events after this one
        #[arg(long, value_name = "SEQ", default_value_t = 0)]
        after_seq: u64,
    },
    /// Cancel a running execution; its session lives on
    Cancel {
        /// The execution
        #[arg(value_parser = id())]
        execution_id: String,
    },
}

/// A file to be run.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  vm-system exec run-file SESSION_ID build.js --arg targets='[\"web\"]' --env LANG=en")]
pub(crate) struct RunFileArgs {
    /// The session
    #[arg(value_parser = id())]
    session_id: String,
    /// The file, relative to the worktree
    path: String,
    /// A member of __ARGS__; the value is JSON if it reads as JSON, else text
    #[arg(long, value_name = "KEY=VALUE", value_parser = args::argument)]
    arg: Vec<(String, Value)>,
    /// A variable of __ENV__; the value is text
    #[arg(long, value_name = "KEY=VALUE", value_parser = args::variable)]
    env: Vec<(String, String)>,
    /// Return once it runs; `vm-system exec watch` follows it
    #[arg(long)]
    detach: bool,
}

/// Does what the command says.
pub(crate) fn run(command: ExecCommand, client: &Client, out: &mut Output) -> Result<Exit> {
    match command {
        ExecCommand::Repl { session_id, code, detach } => {
            let request = body! {"session_id": session_id.as_str(), "input": args::code(code)?, "detach": true};
            return start(&session_id, || client.repl(request), detach, client, out);
        }
        ExecCommand::RunFile(run) => {
            let (session_id, detach) = (run.session_id.clone(), run.detach);
            return start(&session_id, || client.run_file(request(run)), detach, client, out);
        }
        ExecCommand::List { session_id, limit } => {
            let head = ["ID", "KIND", "STATUS", "STARTED", "WALL MS", "INPUT"];
            show_list(&client.executions(&session_id, limit)?, out, "No executions found", &head, row);
        }
        // To have shown it is what was asked for, however it ended.
        ExecCommand::Get { execution_id } => show(&client.execution(&execution_id)?, out, execution),
        ExecCommand::Events { execution_id, after_seq, follow: true } => {
            live::watch(&execution_id, after_seq, client, out)?;
        }
        ExecCommand::Watch { execution_id, after_seq } => {
            let Some(ended) = live::watch(&execution_id, after_seq, client, out)? else { return Ok(Exit::Done) };
            show(&ended, out, summary);
            return Ok(exit_of(&ended.value.status));
        }
        ExecCommand::Events { execution_id, after_seq, follow: false } => {
            show(&client.events(&execution_id, after_seq)?, out, |list, out| match list.as_slice() {
                [] => out.line("No events found"),
                list => events(list, out),
            });
        }
        ExecCommand::Cancel { execution_id } => show(&client.cancel(&execution_id)?, out, |cancelled, out| {
            out.line(format_args!("Cancelled execution: {}", cancelled.id));
        }),
    }
    Ok(Exit::Done)
}

/// Starts code, which is answered once it runs, and follows it unless it is to be left alone.
fn start(
    session: &str,
    code: impl FnOnce() -> Result<Answer<Execution>>,
    detach: bool,
    client: &Client,
    out: &mut Output,
) -> Result<Exit> {
    if !detach {
        return live::foreground(session, code, client, out);
    }
    show(&code()?, out, execution);
    Ok(Exit::Done)
}

fn request(run: RunFileArgs) -> Map<String, Value> {
    let mut request = body! {"session_id": run.session_id, "path": run.path, "detach": true};
    // A daemon that decodes strictly gets only what was asked for.
    if !run.arg.is_empty() {
        request.insert("args".to_owned(), run.arg.into_iter().collect());
    }
    if !run.env.is_empty() {
        request
            .insert("env".to_owned(), run.env.into_iter().map(|(name, value)| (name, Value::String(value))).collect());
    }
    request
}

/// Prints the end of an execution whose events were printed already.
fn summary(execution: &Execution, out: &mut Output) {
    let style = match exit_of(&execution.status) {
        Exit::Done => GOOD,
        _ => BAD,
    };
    out.styled_field("Status", &execution.status, style);
    for (name, document) in [("Result", &execution.result), ("Error", &execution.error)] {
        if let Some(document) = document {
            out.line(format_args!("{name}: {}", json::compact_without(document.get(), TREES)));
        }
    }
    if let Some(error) = &execution.error {
        hint_at_module(error.get(), false, out);
    }
}

fn exit_of(status: &str) -> Exit {
    match status {
        "ok" | "running" => Exit::Done,
        _ => Exit::ExecutionFailed,
    }
}

/// Prints an execution. These lines are read by scripts.
fn execution(execution: &Execution, out: &mut Output) {
    out.line(format_args!("Execution ID: {}", execution.id));
    summary(execution, out);
    out.line("");
    out.line("Events:");
    events(&execution.events, out);
}

fn events(events: &[Event], out: &mut Output) {
    for event in events {
        out.event(event.seq, &event.kind, event.payload.get());
    }
}

fn row(execution: &Execution) -> Vec<String> {
    vec![
        execution.id.clone(),
        execution.kind.clone(),
        execution.status.clone(),
        execution.started_at.clone(),
        execution.metrics.as_ref().map_or_else(String::new, |metrics| metrics.wall_ms.to_string()),
        execution.path.as_ref().or(execution.input.as_ref()).cloned().unwrap_or_default(),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::output::kept;

    const SAMPLE: &str = r#"{"id":"e-1","session_id":"s-1","kind":"repl","input":"1;\n2","args":{},"env":{},
        "status":"ok","started_at":"A","ended_at":"B","result":{"type":"number", "preview":"2", "json":2.50},
        "metrics":{"wall_ms":7,"cpu_ms":1,"memory_bytes":1,"event_count":2,"output_bytes":1},
        "events":[{"execution_id":"e-1","seq":1,"ts":"A","type":"input_echo","payload":{"text":"1;\n2"}},
        {"execution_id":"e-1","seq":2,"ts":"B","type":"value","payload":{"type":"number","preview":"2","json":2.50}}]}"#;

    fn shown(text: &str) -> String {
        let (mut out, kept, _) = kept::output(false, false);
        execution(&serde_json::from_str(text).expect("the sample is an execution"), &mut out);
        kept.text()
    }

    #[test]
    fn an_execution_is_shown_in_the_lines_that_scripts_read() {
        assert_eq!(
            shown(SAMPLE),
            r#"Execution ID: e-1
Status: ok
Result: {"type":"number","preview":"2","json":2.50}

Events:
[1] input_echo: {"text":"1;\n2"}
[2] value: {"type":"number","preview":"2","json":2.50}
"#
        );
    }

    #[test]
    fn a_failure_has_an_error_line_and_no_result() {
        let text = r#"{"id":"e-2","kind":"repl","status":"error","started_at":"A","result":null,
            "error":{"message":"ReferenceError: x is not defined","stack":"at <repl>:1:1\n","name":"ReferenceError"},
            "events":[{"seq":1,"type":"later_kind","payload":null}]}"#;
        assert_eq!(
            shown(text),
            r#"Execution ID: e-2
Status: error
Error: {"message":"ReferenceError: x is not defined","stack":"at <repl>:1:1\n","name":"ReferenceError"}

Events:
[1] later_kind: null
"#
        );
    }

    #[test]
    fn the_status_picks_the_exit_code() {
        for (status, code) in [("ok", 0), ("running", 0), ("error", 4), ("timeout", 4), ("cancelled", 4)] {
            assert_eq!(exit_of(status).code(), code, "{status}");
        }
    }

    #[test]
    fn a_list_shows_what_was_run() {
        let execution: Execution = serde_json::from_str(SAMPLE).expect("the sample is an execution");
        assert_eq!(row(&execution), ["e-1", "repl", "ok", "A", "7", "1;\n2"]);
    }

    #[test]
    fn a_file_is_sent_with_what_was_said_and_no_more() {
        let mut run = RunFileArgs {
            session_id: "s".to_owned(),
            path: "a.js".to_owned(),
            arg: vec![],
            env: vec![],
            detach: false,
        };
        assert_eq!(Value::Object(request(run)), json!({"session_id": "s", "path": "a.js", "detach": true}));
        run = RunFileArgs {
            session_id: "s".to_owned(),
            path: "a.js".to_owned(),
            arg: vec![("n".to_owned(), json!(1)), ("n".to_owned(), json!([2]))],
            env: vec![("n".to_owned(), "1".to_owned())],
            detach: true,
        };
        assert_eq!(
            Value::Object(request(run)),
            json!({"session_id": "s", "path": "a.js", "detach": true, "args": {"n": [2]}, "env": {"n": "1"}})
        );
    }
}
