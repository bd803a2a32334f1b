//! `vm-system session`: live runtimes whose state lasts from one execution to the next.

use std::ops::ControlFlow;

use clap::{Args, Subcommand};

use super::follow::follow;
use super::{body, show, show_list, shown, understood};
use crate::args::{code, id};
use crate::client::records::{Event, Files, Global, Globals, HistoryEntry, Session};
use crate::client::{Client, OnNews};
use crate::error::{Exit, Result};
use crate::output::{BAD, GOOD, Output};

/// The commands of the group.
#[derive(Debug, Subcommand)]
pub(crate) enum SessionCommand {
    /// Create a session from a template, over a directory
    Create(CreateArgs),
    /// List sessions, newest first
    List(ListArgs),
    /// Show a session
    Get {
        /// The session
        #[arg(value_parser = id())]
        session_id: String,
    },
    /// Follow what a session's executions do, until it ends
    ///
    /// Ctrl+C ends this command, and nothing else. A daemon that goes away is asked again for ten seconds.
    #[command(after_help = "\
Examples:
  vm-system session watch SESSION_ID --tail 1
  vm-system session watch SESSION_ID --after EXECUTION_ID:7")]
    Watch {
        /// The session
        #[arg(value_parser = id())]
        session_id: String,
        /// Only what comes after this event
        #[arg(long, value_name = "EXECUTION_ID:SEQ", conflicts_with = "tail")]
        after: Option<String>,
        /// Begin with the last so many executions, up to 1000; 0 for what is new only
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=1000))]
        tail: Option<u32>,
    },
    /// Show what stands at a path of a session's worktree: a directory's entries, or a file's text
    Files {
        /// The session
        #[arg(value_parser = id())]
        session_id: String,
        /// A path from the worktree; the worktree itself unless given
        path: Option<String>,
    },
    /// List what a session's code has declared or set
    ///
    /// Nothing runs for it: getters are not called. A session in which code runs is busy.
    Globals {
        /// The session
        #[arg(value_parser = id())]
        session_id: String,
        /// The built-in ones, too
        #[arg(long)]
        builtins: bool,
    },
    /// List the snippets that were run in a session, newest first
    History {
        /// The session
        #[arg(value_parser = id())]
        session_id: String,
        /// At most so many, up to 1000
        #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        /// Only those of executions older than this one
        #[arg(long, value_name = "EXECUTION_ID")]
        before: Option<String>,
    },
    /// List how a text may go on, by the names that a session knows
    ///
    /// Nothing runs for it: what only a call or a getter would tell is not told.
    #[command(after_help = "\
Examples:
  vm-system session complete SESSION_ID 'console.lo'
  vm-system session complete SESSION_ID 'f(x.fo, y)' --cursor 6")]
    Complete {
        /// The session
        #[arg(value_parser = id())]
        session_id: String,
        /// The text; - reads it from standard input
        #[arg(allow_hyphen_values = true)]
        text: String,
        /// Where the cursor stands, in UTF-16 units; at the end unless told
        #[arg(long, value_name = "N")]
        cursor: Option<u32>,
    },
    /// Print what scripts of a session find, as TypeScript declares it: modules, globals, `fetch`
    ///
    /// It is what the session's template says now; a session keeps what it was created with.
    #[command(after_help = "\
Example:
  vm-system session types SESSION_ID > vm-system.d.ts")]
    Types {
        /// The session
        #[arg(value_parser = id())]
        session_id: String,
    },
    /// Close a session: its runtime goes, its record and history stay
    Close {
        /// The session
        #[arg(value_parser = id())]
        session_id: String,
    },
}

/// A session to be created.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  vm-system session create --template-id ID \\
      --workspace-id ws-1 --base-commit HEAD --worktree-path \"$PWD\"")]
pub(crate) struct CreateArgs {
    /// The template to make it from
    #[arg(long, value_name = "ID")]
    template_id: String,
    /// Your name for the workspace
    #[arg(long, value_name = "ID")]
    workspace_id: String,
    /// Your name for the state of the worktree
    #[arg(long, value_name = "OID")]
    base_commit: String,
    /// The directory whose files its code may run: an absolute path, on the daemon's machine
    #[arg(long, value_name = "PATH")]
    worktree_path: String,
}

/// Which sessions to list.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those that stand so
    #[arg(long, value_parser = ["starting", "ready", "crashed", "closed"])]
    status: Option<String>,
    /// Only those of this template
    #[arg(long, value_name = "ID", value_parser = id())]
    template_id: Option<String>,
    /// At most so many, up to 1000; all of them unless told
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: Option<u32>,
}

/// Does what the command says.
pub(crate) fn run(command: SessionCommand, client: &Client, out: &mut Output) -> Result<Exit> {
    match command {
        SessionCommand::Create(args) => {
            let answer = client.create_session(body! {
                "template_id": args.template_id,
                "workspace_id": args.workspace_id,
                "base_commit_oid": args.base_commit,
                "worktree_path": args.worktree_path,
            })?;
            show(&answer, out, |session, out| {
                out.line(format_args!("Created session: {}", session.id));
                facts(session, out);
            });
        }
        SessionCommand::List(ListArgs { status, template_id, limit }) => {
            let answer = client.sessions(status.as_deref(), template_id.as_deref(), limit)?;
            let head = ["ID", "STATUS", "TEMPLATE ID", "CREATED", "WORKSPACE ID", "WORKTREE PATH"];
            show_list(&answer, out, "No sessions found", &head, |s| {
                let cells = [&s.id, &s.status, &s.template_id, &s.created_at, &s.workspace_id, &s.worktree_path];
                cells.map(String::clone).to_vec()
            });
        }
        SessionCommand::Get { session_id } => show(&client.session(&session_id)?, out, detail),
        SessionCommand::Watch { session_id, after, tail } => {
            watch(&session_id, after.as_deref(), tail, client, out)?;
        }
        SessionCommand::Files { session_id, path } => {
            show(&client.files(&session_id, path.as_deref())?, out, found);
        }
        SessionCommand::Globals { session_id, builtins } => {
            show(&client.globals(&session_id, builtins)?, out, globals);
        }
        SessionCommand::History { session_id, limit, before } => {
            show(&client.history(&session_id, before.as_deref(), limit)?, out, |history, out| {
                if history.entries.is_empty() {
                    return out.line("No snippets found");
                }
                let row = |entry: &HistoryEntry| {
                    [&entry.execution_id, &entry.started_at, &entry.input].map(String::clone).to_vec()
                };
                out.table(&["EXECUTION ID", "STARTED", "INPUT"], history.entries.iter().map(row));
            });
        }
        SessionCommand::Complete { session_id, text, cursor } => {
            let mut request = body! { "source": code(text)? };
            request.extend(cursor.map(|cursor| ("cursor".to_owned(), cursor.into())));
            show(&client.complete(&session_id, request)?, out, |found, out| {
                for item in &found.items {
                    let detail = item.detail.as_ref().map_or_else(String::new, |detail| format!(" ({detail})"));
                    out.line(format_args!("{}  {}{detail}", item.label, item.kind));
                }
            });
        }
        SessionCommand::Types { session_id } => {
            let session = client.session(&session_id)?;
            out.text(&client.template_types(&session.value.template_id)?);
        }
        SessionCommand::Close { session_id } => show(&client.close_session(&session_id)?, out, |session, out| {
            out.line(format_args!("Closed session: {}", session.id));
        }),
    }
    Ok(Exit::Done)
}

fn found(found: &Files, out: &mut Output) {
    match found {
        Files::File { text } => text.lines().for_each(|line| out.line(line)),
        Files::Directory { entries, more } => {
            for entry in entries {
                let mark = if entry.kind == "directory" { "/" } else { "" };
                out.line(format_args!("{}{mark}", entry.name));
            }
            if *more > 0 {
                out.line(format_args!("… and {more} more"));
            }
        }
    }
}

/// Prints what happens in a session until it has ended, or nobody reads any more.
fn watch(id: &str, after: Option<&str>, tail: Option<u32>, client: &Client, out: &mut Output) -> Result<()> {
    let stream = |on: &mut OnNews<'_>| client.watch_session(id, after, tail, on);
    follow(out, None, stream, |name, document, out| {
        let status = match name {
            "session" => Some(understood::<Session>(document)?.status),
            _ => None,
        };
        match &status {
            _ if out.is_json() => out.json(document),
            Some(status) => out.line(format_args!("Session: {status}")),
            None => {
                let event: Event = understood(document)?;
                out.event_of(&event.execution_id, event.seq, &event.kind, event.payload.get());
            }
        }
        shown(out)?;
        Ok(match status.as_deref() {
            Some("closed" | "crashed") => ControlFlow::Break(()),
            _ => ControlFlow::Continue(()),
        })
    })
    .map(drop)
}

fn globals(found: &Globals, out: &mut Output) {
    if found.globals.is_empty() {
        return out.line("No globals found");
    }
    let row = |global: &Global| {
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        let Global { name, kind, value_type, preview, changed_by } = global;
        vec![name.clone(), kind.clone(), or_none(value_type), or_none(changed_by), preview.clone()]
    };
    out.table(&["NAME", "KIND", "TYPE", "CHANGED BY", "PREVIEW"], found.globals.iter().map(row));
    if found.more > 0 {
        out.line(format_args!("... {} more", found.more));
    }
}

fn detail(session: &Session, out: &mut Output) {
    out.line(format_args!("Session ID: {}", session.id));
    facts(session, out);
    out.line(format_args!("Created At: {}", session.created_at));
    if let Some(closed_at) = &session.closed_at {
        out.line(format_args!("Closed At: {closed_at}"));
    }
    if let Some(last_error) = &session.last_error {
        out.line(format_args!("Last Error: {last_error}"));
    }
    if let Some(meta) = &session.runtime_meta {
        out.line(format_args!("Runtime: {}", crate::json::compact(meta.get())));
    }
}

fn facts(session: &Session, out: &mut Output) {
    let style = match session.status.as_str() {
        "ready" => GOOD,
        "crashed" => BAD,
        _ => Default::default(),
    };
    out.styled_field("Status", &session.status, style);
    out.line(format_args!("Template ID: {}", session.template_id));
    out.line(format_args!("Workspace ID: {}", session.workspace_id));
    out.line(format_args!("Base Commit: {}", session.base_commit_oid));
    out.line(format_args!("Worktree Path: {}", session.worktree_path));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::kept;

    #[test]
    fn a_session_is_shown_as_names_and_values() {
        let text = r#"{"id":"s-1","template_id":"t-1","vm_id":"t-1","workspace_id":"ws","base_commit_oid":"HEAD",
            "worktree_path":"/w","status":"crashed","created_at":"A","closed_at":"B",
            "last_error":"Error: a\nat b","runtime_meta":{"engine":"quickjs", "isolation":"thread"}}"#;
        let (mut out, kept, _) = kept::output(false, false);
        detail(&serde_json::from_str(text).expect("the sample is a session"), &mut out);
        assert_eq!(
            kept.text(),
            "Session ID: s-1\nStatus: crashed\nTemplate ID: t-1\nWorkspace ID: ws\nBase Commit: HEAD\n\
             Worktree Path: /w\nCreated At: A\nClosed At: B\nLast Error: Error: a\\nat b\n\
             Runtime: {\"engine\":\"quickjs\",\"isolation\":\"thread\"}\n"
        );
    }

    #[test]
    fn color_is_for_terminals() {
        let text = r#"{"id":"s","template_id":"t","workspace_id":"w","base_commit_oid":"b","worktree_path":"/",
            "status":"ready","created_at":"A"}"#;
        let (mut out, kept, _) = kept::output(false, true);
        facts(&serde_json::from_str(text).expect("the sample is a session"), &mut out);
        assert!(kept.text().starts_with("Status: \u{1b}[32mready\u{1b}[0m\n"), "{:?}", kept.text());
    }
}
