//! `vm-system repl`: JavaScript at a prompt, in memory or in a session of a daemon.
//!
//! Where code runs is a [`Place`]; what is asked of it and what it tells are the documents of the API, so that a prompt
//! shows the same wherever it is.

mod daemon;
mod dot;
mod editor;
mod here;
mod highlight;
mod history;
mod stop;

use std::borrow::Cow;
use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::rc::Rc;

use anstyle::{AnsiColor, Style};
use clap::Args;
use serde::Deserialize;

use self::daemon::Daemon;
use self::dot::Dot;
use self::editor::{Editor, Typed};
use self::here::Here;
use self::stop::Stop;
use super::run::{Allowed, hint_at_module, script};
use super::{shown, understood};
use crate::args::{code, current_dir, id};
use crate::client::Client;
use crate::client::records::{Event, Execution};
use crate::error::{Error, Exit, Result};
use crate::output::{BAD, Output, visible_lines};

/// The most of a file that `.load` takes: as much as a session takes of one.
const LONGEST_FILE: u64 = 16 << 20;

/// A prompt.
#[derive(Debug, Args)]
#[command(after_help = "\
At the prompt, Enter runs an input that is whole, Tab completes names, and .help tells the commands. Ctrl+C cancels what
runs, and keeps what it has made; at an empty prompt, twice, it leaves. What was typed is kept in
$XDG_STATE_HOME/vm-system/repl_history, or below ~/.local/state, unless it begins with a space.

Standard input that is no terminal is read to its end and run as one snippet, whose value is printed; the exit code is 4
when it fails.

Examples:
  vm-system repl
  vm-system repl setup.js
  vm-system repl --template demo
  vm-system repl --session SESSION_ID
  echo '6 * 7' | vm-system repl")]
pub(crate) struct ReplArgs {
    /// A file that is run first: its directory is the worktree; with a daemon, a path in the session's worktree
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// Make a session of a daemon's from this template, over the current directory, and close it in the end
    #[arg(long, value_name = "NAME|ID", value_parser = id())]
    template: Option<String>,
    /// Go on in this session of a daemon's, which stays open
    #[arg(long, value_name = "ID", value_parser = id(), conflicts_with = "template")]
    session: Option<String>,
    #[command(flatten)]
    allowed: Allowed,
}

/// What is run.
#[derive(Debug, Clone, Copy)]
enum Work<'a> {
    Snippet(&'a str),
    /// A path in the worktree.
    File(&'a str),
}

/// Cancels the execution of this id, from any thread.
type Cancel = Box<dyn Fn(&str) + Send + Sync>;

/// Where code runs.
trait Place {
    /// What a person is told of it.
    fn name(&self) -> String;

    /// Whether what it prints goes to the terminal as it is, as it does from `run`. Elsewhere, others may have had a hand in
    /// what there is.
    fn is_ours(&self) -> bool;

    /// Starts something. Answers the execution's id.
    fn start(&self, work: Work<'_>) -> Result<String>;

    /// Hands on the events of an execution as they come, and answers it once it has ended.
    fn follow(
        &self,
        id: &str,
        out: &mut Output,
        on: &mut dyn FnMut(Event, &mut Output) -> Result<()>,
    ) -> Result<Execution>;

    /// The execution with its events, as the API has it.
    fn document(&self, id: &str) -> Result<String>;

    /// What cancels an execution.
    fn canceller(&self) -> Result<Cancel>;

    /// How a text may go on at a cursor, which is counted in UTF-16 units: where that begins, and what can stand there.
    fn complete(&self, text: &str, cursor: u32) -> Result<(u32, Vec<String>)>;

    /// Whether nothing is missing at the end of an input.
    fn is_whole(&self, input: &str) -> Result<bool>;

    /// Ends what was begun for this prompt alone.
    fn close(&self) -> Result<()>;
}

/// Opens a prompt, or runs what standard input has.
pub(crate) fn run(args: ReplArgs, client: impl FnOnce() -> Result<Client>, out: &mut Output) -> Result<Exit> {
    let is_prompt = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    if is_prompt && out.is_json() {
        return Err(Error::usage("--json is for programs, and this is a prompt: hand the code in on standard input"));
    }
    let is_elsewhere = args.template.is_some() || args.session.is_some();
    if is_elsewhere && args.allowed.is_given() {
        return Err(Error::usage(
            "the limits and modules of a daemon's session are its template's: `template update` and `template add-module` \
             set them",
        ));
    }
    let (place, file): (Rc<dyn Place>, Option<String>) = match (&args.template, &args.session) {
        (None, None) => {
            let (worktree, file) = match &args.file {
                Some(file) => script(file).map(|(worktree, name)| (worktree, Some(name)))?,
                None => (current_dir()?, None),
            };
            (Rc::new(Here::open(&args.allowed, &worktree)?), file)
        }
        (template, session) => {
            let file =
                args.file.as_ref().map(|file| file.to_str().map(str::to_owned).ok_or_else(no_text)).transpose()?;
            let client = client()?;
            let place = match (template, session) {
                (Some(template), _) => Daemon::create(client, template, &current_dir()?)?,
                (None, Some(session)) => Daemon::of(client, session)?,
                (None, None) => return Err(Error::usage("no session is named")),
            };
            (Rc::new(place), file)
        }
    };
    let stop = Stop::watch(place.canceller()?, out.aside(), is_prompt)?;
    let mut repl = Repl { place: place.clone(), stop, is_prompt, last: None, done: Vec::new() };
    let exit = repl.run(file.as_deref(), out);
    // The answer is out: what does not end well ends with the process, or with its daemon.
    place.close().ok();
    exit
}

fn no_text() -> Error {
    Error::failed("INVALID_PATH", "the name of the file is not UTF-8 text")
}

struct Repl {
    place: Rc<dyn Place>,
    stop: Stop,
    is_prompt: bool,
    /// The execution that was run last.
    last: Option<String>,
    /// The snippets that came to a value, for `.save`.
    done: Vec<String>,
}

impl Repl {
    fn run(&mut self, file: Option<&str>, out: &mut Output) -> Result<Exit> {
        if self.is_prompt {
            out.dim_line(&format!(
                "vm-system {}, {}; .help tells the commands",
                env!("CARGO_PKG_VERSION"),
                self.place.name()
            ));
        }
        if let Some(file) = file {
            match self.execute(Work::File(file), out) {
                Ok(Exit::Done) => {}
                // At a prompt one looks into what has gone wrong.
                Ok(_) if self.is_prompt => {}
                Err(error) if self.is_prompt && !is_over(&error) => out.error(&error),
                failed => return failed,
            }
        }
        if self.is_prompt {
            return self.prompt(out);
        }
        let snippet = code("-".to_owned())?;
        if snippet.trim().is_empty() { Ok(Exit::Done) } else { self.execute(Work::Snippet(&snippet), out) }
    }

    fn prompt(&mut self, out: &mut Output) -> Result<Exit> {
        let mut editor = Editor::open(self.place.clone(), out)?;
        loop {
            shown(out)?;
            let input = match editor.read(out)? {
                Typed::Nothing => continue,
                Typed::Input(input) => input,
                Typed::Leave => return Ok(Exit::Done),
            };
            let ran = match Dot::read(&input) {
                Some(Dot::Exit) => return Ok(Exit::Done),
                Some(command) => self.command(command, &mut editor, out),
                None => self.snippet(&input, out),
            };
            match ran {
                Ok(()) => {}
                Err(error) if is_over(&error) => return Err(error),
                Err(error) => out.error(&error),
            }
        }
    }

    fn command(&mut self, command: Dot, editor: &mut Editor, out: &mut Output) -> Result<()> {
        match command {
            Dot::Help => out.text(dot::HELP),
            Dot::Clear => editor.clear()?,
            Dot::Editor => {
                out.dim_line("// Ctrl+D on an empty line runs it, Ctrl+C throws it away");
                if let Some(text) = editor.read_text()? {
                    editor.note(&text, out);
                    self.snippet(&text, out)?;
                }
            }
            Dot::Load(path) => {
                let text = load(&path)?;
                self.snippet(&text, out)?;
            }
            Dot::Save(path) => {
                let text: String = self.done.iter().map(|snippet| format!("{}\n", snippet.trim_end())).collect();
                save(&path, &text)?;
                out.line(format_args!("Saved: {} snippets to {path}", self.done.len()));
            }
            Dot::Events => {
                let Some(id) = &self.last else {
                    out.line("Nothing has run yet");
                    return Ok(());
                };
                let execution: Execution = understood(&self.place.document(id)?)?;
                for event in &execution.events {
                    out.event(event.seq, &event.kind, event.payload.get());
                }
            }
            Dot::Incomplete(usage) => out.line(format_args!("Usage: {usage}")),
            Dot::Unknown(name) => out.line(format_args!("No such command: {name}; .help tells them")),
            Dot::Exit => {}
        }
        Ok(())
    }

    fn snippet(&mut self, input: &str, out: &mut Output) -> Result<()> {
        if self.execute(Work::Snippet(input), out)? == Exit::Done {
            self.done.push(input.to_owned());
        }
        Ok(())
    }

    /// Runs something, and shows what it does while it does it.
    fn execute(&mut self, work: Work<'_>, out: &mut Output) -> Result<Exit> {
        let run = self.stop.begin();
        let id = self.place.start(work)?;
        run.started(&id);
        self.last = Some(id.clone());
        let (is_json, is_ours) = (out.is_json(), self.place.is_ours());
        let execution = self.place.follow(&id, out, &mut |event, out| {
            if !is_json {
                show(&event, is_ours, out)?;
            }
            shown(out)
        });
        let execution = match execution {
            Ok(execution) => execution,
            // Nobody reads any more.
            Err(_) if out.is_cut() => return Ok(Exit::Done),
            Err(error) => return Err(error),
        };
        let was_interrupted = run.was_interrupted();
        drop(run);
        if is_json {
            out.json(&self.place.document(&id)?);
        } else {
            self.end(&execution, matches!(work, Work::Snippet(_)), out)?;
        }
        Ok(match execution.status.as_str() {
            "ok" => Exit::Done,
            "cancelled" if was_interrupted => Exit::Interrupted,
            _ => Exit::ExecutionFailed,
        })
    }

    /// Shows how something ended.
    fn end(&self, execution: &Execution, has_value: bool, out: &mut Output) -> Result<()> {
        #[derive(Deserialize)]
        struct Value {
            #[serde(rename = "type")]
            kind: String,
            preview: String,
        }
        #[derive(Deserialize)]
        struct Failure {
            message: String,
            stack: Option<String>,
            code: Option<String>,
        }
        if let Some(error) = &execution.error {
            let Failure { message, stack, code } = understood(error.get())?;
            match code {
                Some(code) => out.note("error", BAD, &format!("{message} [{code}]")),
                None => out.script_err(&format!("{}\n", harmless(&message, self.place.is_ours()))),
            }
            // Engines differ in whether a stack begins with the message.
            let stack = stack.as_deref().unwrap_or_default().trim_end();
            let calls = stack.strip_prefix(message.as_str()).unwrap_or(stack).trim_start_matches('\n');
            if !calls.is_empty() {
                out.script_err(&format!("{}\n", harmless(calls, self.place.is_ours())));
            }
            hint_at_module(&message, self.place.is_ours(), out);
        } else if let (true, Some(value)) = (has_value, &execution.result) {
            let Value { kind, preview } = understood(value.get())?;
            match kind.as_str() {
                "undefined" if self.is_prompt => out.dim_line("undefined"),
                "undefined" => {}
                // At a prompt a string is told from what it might be the text of.
                "string" if self.is_prompt => out.script_out(&format!("{}\n", quoted(&preview))),
                _ => out.script_out(&format!("{}\n", harmless(&preview, self.place.is_ours()))),
            }
        }
        Ok(())
    }
}

/// Whether nothing can be run any more.
fn is_over(error: &Error) -> bool {
    matches!(error.code(), "SESSION_NOT_READY" | "SESSION_NOT_FOUND" | "SHUTTING_DOWN")
}

/// Shows what one event says to a console.
fn show(event: &Event, is_ours: bool, out: &mut Output) -> Result<()> {
    #[derive(Deserialize)]
    struct Said {
        level: Option<String>,
        text: Option<String>,
        message: Option<String>,
        code: Option<String>,
    }
    if !matches!(event.kind.as_str(), "console" | "stdout" | "stderr" | "system") {
        return Ok(());
    }
    let Said { level, text, message, code } = understood(event.payload.get())?;
    let (level, text) = (level.unwrap_or_default(), text.unwrap_or_default());
    let text = harmless(&text, is_ours);
    match (event.kind.as_str(), level.as_str()) {
        ("console", "warn" | "error") => out.script_err(&format!("{text}\n")),
        ("console", _) => out.script_out(&format!("{text}\n")),
        ("stdout", _) => out.script_out(&text),
        ("stderr", _) => out.script_err(&text),
        // One with a code says why the execution was ended, and so does the execution itself.
        _ if code.is_none() => {
            let style = match level.as_str() {
                "error" => BAD,
                "warn" => AnsiColor::Yellow.on_default(),
                _ => Style::new(),
            };
            out.note(if level == "warn" { "warning" } else { &level }, style, &message.unwrap_or_default());
        }
        _ => {}
    }
    Ok(())
}

/// A text that drives no terminal, unless it is our own.
fn harmless(text: &str, is_ours: bool) -> Cow<'_, str> {
    if is_ours { Cow::Borrowed(text) } else { visible_lines(text) }
}

/// A string as JavaScript would have it written.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('\'');
    for char in text.chars() {
        match char {
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            char if char.is_control() => quoted.push_str(&format!("\\x{:02X}", u32::from(char))),
            char => quoted.push(char),
        }
    }
    quoted.push('\'');
    quoted
}

fn load(path: &str) -> Result<String> {
    let failed = |why: &dyn std::fmt::Display| Error::failed("IO_ERROR", format!("cannot load {path}: {why}"));
    let size = std::fs::metadata(path).map_err(|error| failed(&error))?.len();
    if size > LONGEST_FILE {
        return Err(failed(&"it is larger than 16 MiB"));
    }
    std::fs::read_to_string(path).map_err(|error| failed(&error))
}

/// Writes a file that is not there yet.
fn save(path: &str, text: &str) -> Result<()> {
    use std::io::Write as _;
    let file = std::fs::OpenOptions::new().write(true).create_new(true).open(path);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Error::failed("IO_ERROR", format!("cannot save to {path}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_written_as_they_would_be_typed() {
        for (text, expected) in
            [("", "''"), ("it's", "'it\\'s'"), ("a\nb\\", "'a\\nb\\\\'"), ("\u{1b}[31m", "'\\x1B[31m'"), ("é𝄞", "'é𝄞'")]
        {
            assert_eq!(quoted(text), expected);
        }
    }
}
