//! `vm-system run` and `vm-system eval`: JavaScript right here, in memory, without a daemon.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use clap::Args;
use vmsys_core::{
    Config, ConsoleLevel, ErrorCode, Execution, ExecutionError, ExecutionFilter, ExecutionStatus, Limits, NewSession,
    NewTemplate, Payload, ResultValue, RunFile, Session, SystemLevel, ValueType, VmSystem,
};

use crate::args;
use crate::error::{Error, Exit, Result};
use crate::interrupt::Interrupt;
use crate::output::{BAD, Output};

/// How often a run that takes its time is asked what it has to say.
const FOLLOW_EVERY: Duration = Duration::from_millis(20);
const WARNING: Style = AnsiColor::Yellow.on_default();

/// A file to be run.
#[derive(Debug, Args)]
#[command(after_help = "\
What follows the first ARG, or `--`, is the script's, whatever it looks like.

Examples:
  vm-system run report.js 2026 --verbose
  vm-system run --module fs count-lines.js
  vm-system run --env LANG=en --cpu-ms 60000 report.js")]
pub(crate) struct RunArgs {
    /// The file; its directory is the worktree
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the script finds in process.argv, and in __ARGS__ as "0", "1" and so on
    #[arg(value_name = "ARG", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) args: Vec<String>,
    /// A variable of __ENV__; the value is text
    #[arg(long, value_name = "KEY=VALUE", value_parser = args::variable)]
    env: Vec<(String, String)>,
    #[command(flatten)]
    allowed: Allowed,
}

/// A snippet to be evaluated.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  vm-system eval '[1, 2, 3].map(n => n * n)'
  echo '6 * 7' | vm-system eval -")]
pub(crate) struct EvalArgs {
    /// The JavaScript; `-` reads it from standard input. The current directory is the worktree
    #[arg(allow_hyphen_values = true)]
    pub(crate) code: String,
    #[command(flatten)]
    allowed: Allowed,
}

/// What the code may do.
#[derive(Debug, Args)]
pub(super) struct Allowed {
    /// A native module that the code may load, such as fs; for several, give it several times
    #[arg(long = "module", value_name = "NAME")]
    modules: Vec<String>,
    #[command(flatten)]
    limits: LimitArgs,
}

impl Allowed {
    /// Tells whether anything was said about it.
    pub(super) fn is_given(&self) -> bool {
        !self.modules.is_empty() || self.limits.are_given()
    }

    /// Opens a session over a directory, in memory.
    ///
    /// # Errors
    /// A usage error that names the limit that is out of range, or the module that there is not.
    pub(super) fn open(&self, template: &str, worktree: &Path) -> Result<(VmSystem, Session)> {
        let limits = self.limits.limits()?;
        let mut config = Config::default();
        config.host_env(|name| std::env::var(name).ok());
        let vm = VmSystem::with_config(config)?;
        let template = vm.create_template(NewTemplate::named(template).with_limits(limits))?;
        for module in &self.modules {
            vm.add_module(template.id, module).map_err(|error| Error::usage(error.message()))?;
        }
        let session = vm.create_session(NewSession::new(template.id, worktree))?;
        Ok((vm, session))
    }
}

/// How much the code may use.
#[derive(Debug, Args)]
#[command(next_help_heading = "Limits")]
struct LimitArgs {
    /// Processor time in milliseconds [default: 5000]
    #[arg(long, value_name = "N")]
    cpu_ms: Option<u64>,
    /// Elapsed time in milliseconds [default: 30000]
    #[arg(long, value_name = "N")]
    wall_ms: Option<u64>,
    /// Memory in MiB [default: 128]
    #[arg(long, value_name = "N")]
    mem_mb: Option<u64>,
    /// Number of events, such as lines of the console [default: 1000]
    #[arg(long, value_name = "N")]
    max_events: Option<u64>,
    /// Text of all events in KiB [default: 512]
    #[arg(long, value_name = "N")]
    max_output_kb: Option<u64>,
}

impl LimitArgs {
    /// Tells whether any of them is given.
    fn are_given(&self) -> bool {
        let Self { cpu_ms, wall_ms, mem_mb, max_events, max_output_kb } = self;
        [cpu_ms, wall_ms, mem_mb, max_events, max_output_kb].into_iter().any(Option::is_some)
    }

    /// Returns the limits.
    ///
    /// # Errors
    /// A usage error that names the limit that is out of range: here it came from the command line.
    fn limits(&self) -> Result<Limits> {
        let mut limits = Limits::default();
        for (flag, limit) in [
            (self.cpu_ms, &mut limits.cpu_ms),
            (self.wall_ms, &mut limits.wall_ms),
            (self.mem_mb, &mut limits.mem_mb),
            (self.max_events, &mut limits.max_events),
            (self.max_output_kb, &mut limits.max_output_kb),
        ] {
            *limit = flag.unwrap_or(*limit);
        }
        limits.validate().map_err(|error| Error::usage(error.message()))?;
        Ok(limits)
    }
}

/// Runs a file.
pub(crate) fn run(args: RunArgs, out: &mut Output) -> Result<Exit> {
    let (worktree, name) = script(&args.file)?;
    let mut file = RunFile::new(name);
    for (at, arg) in args.args.into_iter().enumerate() {
        file = file.arg(at.to_string(), arg);
    }
    for (name, value) in args.env {
        file = file.env(name, value);
    }
    one_shot(&args.allowed, &worktree, out, Print::NoValue, |session| session.run_file(file))
}

/// Evaluates a snippet.
pub(crate) fn eval(args: EvalArgs, out: &mut Output) -> Result<Exit> {
    let code = args::code(args.code)?;
    let worktree = args::current_dir()?;
    one_shot(&args.allowed, &worktree, out, Print::Value, |session| session.repl(code))
}

/// Finds the file: the directory that it is in, and its name there.
///
/// Links are followed first, as Node does with its main module: a worktree does not let itself be left through one.
pub(super) fn script(file: &Path) -> Result<(PathBuf, String)> {
    let shown = file.display();
    let real = fs::canonicalize(file).map_err(|error| match error.kind() {
        ErrorKind::NotFound => Error::failed("FILE_NOT_FOUND", format!("cannot run {shown}: there is no such file"))
            .hint("a relative path is taken from the current directory; code itself is run by `vm-system eval CODE`"),
        _ => Error::failed("IO_ERROR", format!("cannot run {shown}: {error}")),
    })?;
    if real.is_dir() {
        return Err(
            Error::failed("INVALID_PATH", format!("cannot run {shown}: it is a directory")).hint("name a file in it")
        );
    }
    match (real.parent(), real.file_name().and_then(|name| name.to_str())) {
        (Some(worktree), Some(name)) => Ok((worktree.to_owned(), name.to_owned())),
        _ => Err(Error::failed("INVALID_PATH", format!("cannot run {shown}: its name is not UTF-8 text"))),
    }
}

/// Whether the value of the code is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Print {
    Value,
    NoValue,
}

/// Makes a session in memory, runs one thing in it, and prints what came of it.
fn one_shot(
    allowed: &Allowed,
    worktree: &Path,
    out: &mut Output,
    print: Print,
    job: impl FnOnce(&Session) -> vmsys_core::Result<Execution> + Send,
) -> Result<Exit> {
    let (vm, session) = allowed.open("one-shot", worktree)?;
    let interrupted = session.clone();
    // Not `cancel`: a session that is closed also refuses a job that is only about to begin.
    let interrupt = Interrupt::watch(move || drop(interrupted.close()), || {})?;
    let mut printed = 0;
    let ended = thread::scope(|scope| {
        let (tell, told) = mpsc::channel();
        let session = &session;
        scope.spawn(move || drop(tell.send(job(session))));
        loop {
            match told.recv_timeout(FOLLOW_EVERY) {
                Ok(ended) => return ended.map_err(Error::from),
                Err(RecvTimeoutError::Timeout) if out.is_json() => {}
                Err(RecvTimeoutError::Timeout) => printed = follow(&vm, session, printed, out)?,
                Err(RecvTimeoutError::Disconnected) => return Err(Error::failed("INTERNAL", "the run was lost")),
            }
        }
    });
    let execution = match ended {
        Ok(execution) => execution,
        // The session was closed before the job began.
        Err(error) => {
            let exit = interrupt.came().ok_or(error)?;
            out.error(&Error::failed("CANCELLED", "interrupted before it began"));
            return Ok(exit);
        }
    };
    if out.is_json() {
        let document = serde_json::to_string(&execution)
            .map_err(|error| Error::failed("INTERNAL", format!("cannot write the execution: {error}")))?;
        out.json(&document);
    } else {
        let mut console = Console { out };
        for event in execution.events.iter().filter(|event| event.seq > printed) {
            console.event(&event.payload);
        }
        console.end(&execution, print);
    }
    // The answer is out: a runtime that does not end well is ended with the process.
    vm.shutdown().ok();
    Ok(match execution.status {
        ExecutionStatus::Ok => Exit::Done,
        ExecutionStatus::Cancelled => interrupt.came().unwrap_or(Exit::ExecutionFailed),
        _ => Exit::ExecutionFailed,
    })
}

/// Prints what a run has said since its event `printed`, and returns its last event so far.
fn follow(vm: &VmSystem, session: &Session, printed: u64, out: &mut Output) -> Result<u64> {
    let Some(run) = vm.executions(session.id(), &ExecutionFilter::default())?.into_iter().next() else {
        return Ok(printed);
    };
    let mut console = Console { out };
    let events = vm.events(run.id, printed, None)?;
    events.iter().for_each(|event| console.event(&event.payload));
    Ok(events.last().map_or(printed, |event| event.seq))
}

/// Prints what a script does as a console would, one event at a time.
struct Console<'a> {
    out: &'a mut Output,
}

impl Console<'_> {
    /// Prints what one event says to a console.
    fn event(&mut self, payload: &Payload) {
        match payload {
            Payload::Console { level: ConsoleLevel::Warn | ConsoleLevel::Error, text, .. } => {
                self.out.script_err(&format!("{text}\n"));
            }
            Payload::Console { text, .. } => self.out.script_out(&format!("{text}\n")),
            Payload::Stdout { text } => self.out.script_out(text),
            Payload::Stderr { text } => self.out.script_err(text),
            // One with a code says why the execution was ended, and so does the execution itself.
            Payload::System { level, message, code: None } => match level {
                SystemLevel::Info => self.out.note("info", Style::new(), message),
                SystemLevel::Warn => self.out.note("warning", WARNING, message),
                _ => self.out.note("error", BAD, message),
            },
            _ => {}
        }
    }

    /// Prints how it ended: the value, if that is wanted, or why there is none.
    fn end(&mut self, execution: &Execution, print: Print) {
        if let Some(error) = &execution.error {
            self.failure(error);
        } else if let (Print::Value, Some(value)) = (print, &execution.result) {
            self.value(value);
        }
    }

    fn value(&mut self, value: &ResultValue) {
        if value.kind != ValueType::Undefined {
            self.out.script_out(&format!("{}\n", value.preview));
        }
    }

    /// Prints an exception as its stack, and a limit as an error with its code.
    fn failure(&mut self, error: &ExecutionError) {
        let stack = error.stack.as_deref().unwrap_or_default().trim_end();
        // Engines differ in whether a stack begins with the message.
        let stack = stack.strip_prefix(error.message.as_str()).unwrap_or(stack).trim_start_matches('\n');
        match error.code {
            Some(code) => self.out.note("error", BAD, &format!("{} [{}]", error.message, code.as_str())),
            None => self.out.script_err(&format!("{}\n", error.message)),
        }
        if !stack.is_empty() {
            self.out.script_err(&format!("{stack}\n"));
        }
        if let Some(flag) = error.code.and_then(flag) {
            self.out.hint(&format!("{flag} set the limit"));
        }
        hint_at_module(&error.message, true, self.out);
    }
}

/// Says how to grant the module that an error is about, if it says that there is no grant for one: to code that runs here, or
/// in a session of a daemon's. The error may be made up; this is a hint.
pub(super) fn hint_at_module(message: &str, is_here: bool, out: &mut Output) {
    let Some(module) = not_granted(message) else { return };
    out.hint(&match is_here {
        true => format!("--module {module} grants it"),
        false => format!("`vm-system template add-module TEMPLATE_ID --name {module}` grants it to new sessions"),
    });
}

fn not_granted(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("the module '")?;
    let (name, _) = rest.split_once("' is not granted")?;
    (!name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte)))
        .then_some(name)
}

/// Returns the flags that decide about a limit.
fn flag(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::Timeout => Some("--cpu-ms and --wall-ms"),
        ErrorCode::OutOfMemory => Some("--mem-mb"),
        ErrorCode::OutputLimitExceeded => Some("--max-events and --max-output-kb"),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
