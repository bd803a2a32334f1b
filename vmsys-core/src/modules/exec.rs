//! `exec`: programs of the host's, started by scripts without a shell in between.

mod confine;
mod family;
mod fork;
mod input;
mod output;
mod process;
mod program;
mod request;
mod temporary;

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use self::confine::Confinement;
use self::input::Room;
use self::process::{Ending, Process, Start};
use self::program::{Allowed, Lookup};
use self::request::Request;
use self::temporary::Temporary;
use super::files::{Access, SessionFiles};
use super::{CallContext, Module, ModuleInfo, ModuleInstance, PendingCall, SessionContext};
use crate::error::Result;
use crate::execution::JsonObject;
use crate::fields::{Fields, wrong};
use crate::isolation::Sandbox;
use crate::limits::Limits;
use crate::value::{CallError, Value};

/// Where bare names are looked for, unless the host says so.
const SEARCH_PATH: &str = "/usr/local/bin:/usr/bin:/bin";
/// More than a template needs to list.
const MOST_COMMANDS: usize = 1000;
/// How many processes a session has at a time.
const MOST_RUNNING: usize = 64;
/// How long the end of an execution waits for processes that have been killed.
const PATIENCE: Duration = Duration::from_secs(2);

/// Programs for scripts: `run` waits for one, `spawn` answers with a promise.
///
/// A program gets the environment that the script gives it; `PATH`; `HOME`, which is the worktree; and `TMPDIR`, which is
/// the session's own and goes with it; nothing of the host's. It leads a session of the system's, which nothing that it starts
/// can leave, and is killed with all that is in it when its execution ends and when it is past its timeout; so is what it leaves
/// in the background when it ends itself. When the host's program is gone it is killed, too; what it has started may then go on.
/// Its output becomes events as it comes. What the programs of a session are still to be fed with takes at most `mem_mb` in
/// sum.
///
/// The configuration `{"commands": ["git", "/usr/bin/jq"]}` lists what may be run: a bare name is the file that the search
/// path has for it, and an absolute path is that file.
///
/// It reaches what the session's `fs` capabilities grant of the worktree and is there when it starts, to read, run and
/// write; its `TMPDIR`; to read and run, what the system has for everybody; a few devices; and the network if there is an enabled `net` capability. Landlock
/// and a seccomp filter see to it, as far as [`Sandbox`] asks for it and the kernel has it. In any case it gets no new
/// privileges, and each of its processes has limits of the system's own: on processor time, the `cpu_ms` of the session
/// rounded up to seconds; on memory, eight times `mem_mb`, and at least 1 GiB; on the size of a file, 1 GiB; on
/// descriptors; and on how many processes there can be.
///
/// What it does *not* do:
/// - hide what files outside are called, how large they are and whose, nor the command lines of other processes. Names can
///   be looked up everywhere, and modes and times of files be changed that are the user's whom the host's program runs as;
/// - know hard links and bind mounts that somebody else made in what is granted, the daemon's database among them, from files
///   of it;
/// - tell hosts apart: with a `net` capability the whole network is open, this machine's own ports too;
/// - bound the sum of what several processes take, memory that they share, or the number of processes of root's: all of
///   these end with the execution;
/// - find a program that has left its session by itself and whose parent has ended, as daemons do;
/// - run 32-bit programs on a 64-bit host: they are ended at their first call;
/// - let programs of one session signal or trace each other.
///
/// A list is as strong as the weakest program in it: many can start others.
#[derive(Debug, Clone)]
pub(crate) struct ExecModule {
    search_path: Arc<str>,
    confinement: Arc<Confinement>,
}

impl ExecModule {
    pub(crate) fn new(sandbox: Sandbox) -> Self {
        Self { search_path: SEARCH_PATH.into(), confinement: Arc::new(Confinement::new(sandbox)) }
    }

    /// The same with other directories for bare names, separated by colons; those that are not absolute do not count.
    #[cfg_attr(not(test), expect(dead_code, reason = "the binaries' configuration says it"))]
    pub(crate) fn with_search_path(mut self, directories: &str) -> Self {
        self.search_path = directories.into();
        self
    }
}

impl Module for ExecModule {
    fn info(&self) -> ModuleInfo {
        ModuleInfo::new("exec", "Starts programs of the host's, without a shell")
            .function("run")
            .async_function("spawn")
    }

    fn check_config(&self, config: &JsonObject) -> Result<()> {
        allowed(config).map(drop)
    }

    fn open(&self, session: &SessionContext, config: &JsonObject) -> Result<Box<dyn ModuleInstance>> {
        Ok(Box::new(Exec {
            allowed: allowed(config)?,
            search_path: self.search_path.clone(),
            files: session.files.clone(),
            home: session.worktree_path().display().to_string(),
            confinement: self.confinement.clone(),
            network: session.network,
            limits: session.limits,
            temporary: None,
            running: Vec::new(),
            held: Arc::default(),
        }))
    }
}

fn allowed(config: &JsonObject) -> Result<Allowed> {
    let commands = Fields::of(config, &["commands"])?.strings("commands", command)?;
    if commands.as_ref().is_some_and(|commands| commands.len() > MOST_COMMANDS) {
        return Err(wrong("commands", "has more than 1000 commands"));
    }
    Ok(Allowed(commands))
}

/// A name that is looked up in the search path, or the absolute path of a program.
fn command(field: &str, text: &str) -> Result<String> {
    let name = !text.is_empty() && !text.contains('/') && text != "." && text != "..";
    if (name || text.starts_with('/') && !text.ends_with('/')) && !text.contains('\0') {
        return Ok(text.to_owned());
    }
    Err(wrong(field.trim_start_matches("config."), "must be the name of a command, or its absolute path"))
}

/// The module in one session.
struct Exec {
    allowed: Allowed,
    search_path: Arc<str>,
    files: SessionFiles,
    home: String,
    confinement: Arc<Confinement>,
    network: bool,
    limits: Limits,
    /// Its directory for temporary files, once there was a program.
    temporary: Option<Temporary>,
    /// The threads that wait for what `spawn` has started.
    running: Vec<JoinHandle<()>>,
    /// How many bytes of input they hold together.
    held: Arc<AtomicUsize>,
}

impl ModuleInstance for Exec {
    fn call(&mut self, function: &str, args: &[Value], context: &CallContext) -> Result<Value, CallError> {
        match function {
            "run" => {
                let (request, start) = self.prepare(args, context)?;
                let process = Process::start(start).map_err(|error| request.cannot_start(&error))?;
                let finished = process.wait(context);
                match finished.ending {
                    Ending::Status(status) if status.success() => Ok(finished.stdout.into()),
                    _ => Err(request.failure(finished)),
                }
            }
            _ => Err(CallError::new("TypeError", format!("exec has no function '{function}'"))),
        }
    }

    fn begin(&mut self, function: &str, args: &[Value], call: PendingCall) {
        if function != "spawn" {
            let result = self.call(function, args, call.context());
            return call.complete(result);
        }
        self.forget_finished();
        // Nothing is begun that would only be ended: the end would wait for it.
        if call.context().should_stop() {
            return call.complete(Err(ended()));
        }
        let prepared = if self.running.len() < MOST_RUNNING {
            self.prepare(args, call.context())
        } else {
            let message = format!("a session can have {MOST_RUNNING} processes at a time: await some of them first");
            Err(CallError::new("Error", message).with_code("EAGAIN"))
        };
        let (request, start) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return call.complete(Err(error)),
        };
        // A thread of its own: the kernel kills a process whose starter is gone. If there is none, the call is dropped
        // with the closure, which is an answer as well.
        let thread = std::thread::Builder::new().name("vm-exec".to_owned()).spawn(move || spawn(&request, start, call));
        match thread {
            Ok(thread) => self.running.push(thread),
            Err(error) => tracing::error!(%error, "a thread could not be started"),
        }
    }

    /// All that was begun has been cancelled, and so killed: waits until it is gone.
    fn end_of_execution(&mut self) {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            self.forget_finished();
            if self.running.is_empty() {
                return;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        tracing::warn!(left = self.running.len(), "killed processes do not end");
    }
}

impl Exec {
    /// Also waits for the moment that a thread is still there after its last word.
    fn forget_finished(&mut self) {
        for thread in self.running.extract_if(.., |thread| thread.is_finished()) {
            if thread.join().is_err() {
                tracing::error!("a thread of a program's had panicked");
            }
        }
    }

    fn prepare(&mut self, args: &[Value], context: &CallContext) -> Result<(Request, Start), CallError> {
        let room = Room { held: self.held.clone(), at_most: context.max_reply_bytes() };
        let mut request = Request::parse(args, self.allowed.0.is_some(), &room)?;
        let lookup = Lookup { search_path: &self.search_path, files: &self.files };
        let directory = self.files.open_dir(request.cwd.as_ref(), Access::Read);
        let directory = directory.map_err(|fault| fault.at("chdir", &request.cwd))?;
        let program = lookup.find(&request.command, &request.cwd, &self.allowed)?;
        let temporary = self.temporary().map_err(|error| request.cannot_start(&error))?;
        let confined = self.confinement.of(confine::Session {
            files: &self.files,
            temporary: &temporary,
            search_path: &self.search_path,
            program: self.allowed.0.is_some().then_some(&program),
            network: self.network,
            limits: self.limits,
        })?;
        let temporary = temporary.display().to_string();
        let given = |name: &str| request.env.iter().any(|(given, _)| given == name);
        let defaults = [("PATH", &*self.search_path), ("HOME", &*self.home), ("TMPDIR", &*temporary)];
        let defaults = defaults.into_iter().filter(|(name, _)| !given(name));
        let env = defaults.map(|(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>();
        let start = Start {
            program,
            name: request.command.clone(),
            args: request.args.clone(),
            env: env.into_iter().chain(std::mem::take(&mut request.env)).collect(),
            directory: OwnedFd::from(directory.into_std_file()),
            input: std::mem::take(&mut request.input),
            timeout: request.timeout,
            confined,
        };
        Ok((request, start))
    }

    /// Where its programs put temporary files.
    fn temporary(&mut self) -> std::io::Result<PathBuf> {
        if let Some(path) = self.temporary.as_ref().and_then(Temporary::path) {
            return Ok(path.to_owned());
        }
        let temporary = self.temporary.insert(Temporary::create()?);
        Ok(temporary.path().map(Path::to_owned).unwrap_or_default())
    }
}

/// The error of a program that is not started any more.
fn ended() -> CallError {
    CallError::new("Error", "no program is started: the execution is being ended").with_code("ECANCELED")
}

fn spawn(request: &Request, start: Start, call: PendingCall) {
    if call.context().should_stop() {
        return call.complete(Err(ended()));
    }
    let process = match Process::start(start) {
        Ok(process) => process,
        Err(error) => return call.complete(Err(request.cannot_start(&error))),
    };
    let family = process.family();
    call.on_cancel(move || family.kill_group());
    let finished = process.wait(call.context());
    let result = match finished.ending {
        Ending::Status(status) => Ok(Value::object([
            ("stdout", finished.stdout.into()),
            ("stderr", finished.stderr.into()),
            // Null when a signal ended it, which is then named.
            ("code", status.code().into()),
            ("signal", request::signal_of(status).into()),
        ])),
        _ => Err(request.failure(finished)),
    };
    call.complete(result);
}

#[cfg(test)]
mod tests;
