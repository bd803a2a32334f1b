//! What a script asks for: a command, its arguments and options; and how it is told that this failed.

use std::io::ErrorKind;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use super::input::{Input, Room};
use super::process::{Ending, Finished};
use super::program::cannot_start;
use crate::value::{CallError, Value};

/// The kernel's own bound for one argument is 128 KiB; this one is for all that a process is started with.
const MOST_BYTES: usize = 1 << 20;
/// And each has a pointer, too.
const MOST_ARGS: usize = 10_000;
/// As long as an execution may take.
const LONGEST_MS: f64 = 86_400_000.0;
/// With these a program runs code that is not its own, whatever it is: a list of commands would be none.
const LOADED: &[&str] = &["BASH_ENV", "ENV", "GCONV_PATH", "GLIBC_TUNABLES", "IFS", "PATH", "SHELLOPTS"];
const LOADERS: &[&str] = &["LD_", "DYLD_", "BASH_FUNC_"];

/// A call of `run` or `spawn`.
#[derive(Debug, Default)]
pub(super) struct Request {
    pub(super) command: String,
    pub(super) args: Vec<String>,
    pub(super) cwd: String,
    pub(super) env: Vec<(String, String)>,
    pub(super) input: Input,
    pub(super) timeout: Option<Duration>,
}

impl Request {
    /// Reads `(command, args, options)`. `restricted` says that only some commands are allowed.
    pub(super) fn parse(args: &[Value], restricted: bool, room: &Room) -> Result<Self, CallError> {
        let [command, args, options] = [0, 1, 2].map(|at| args.get(at).unwrap_or(&Value::Null));
        let Some(command) = command.as_str() else { return Err(wrong_type("command", "of type string")) };
        if command.is_empty() {
            return Err(wrong_value("command", "must not be empty"));
        }
        let mut request = Self { command: text("command", command)?, cwd: ".".to_owned(), ..Self::default() };
        match args {
            Value::Null => {}
            Value::Array(args) => {
                for (at, arg) in args.iter().enumerate() {
                    let name = format!("args[{at}]");
                    let Some(arg) = arg.as_str() else { return Err(wrong_type(&name, "of type string")) };
                    request.args.push(text(&name, arg)?);
                }
            }
            _ => return Err(wrong_type("args", "an array of strings")),
        }
        match options {
            Value::Null => {}
            Value::Object(options) => {
                for (name, value) in options {
                    request.option(name, value, restricted, room)?;
                }
            }
            _ => return Err(wrong_type("options", "an object")),
        }
        let bytes = request.args.iter().map(String::len).sum::<usize>()
            + request.env.iter().map(|(name, value)| name.len() + value.len()).sum::<usize>();
        if bytes > MOST_BYTES || request.args.len() + request.env.len() > MOST_ARGS {
            let message = format!("spawn {command} E2BIG: more arguments or variables than a program takes");
            return Err(cannot_start(command, "E2BIG", message));
        }
        Ok(request)
    }

    fn option(&mut self, name: &str, value: &Value, restricted: bool, room: &Room) -> Result<(), CallError> {
        let full = format!("options.{name}");
        match (name, value) {
            ("cwd" | "env" | "input" | "timeout", Value::Null) => {}
            ("cwd", Value::String(path)) => self.cwd = text(&full, path)?,
            ("cwd", _) => return Err(wrong_type(&full, "of type string")),
            ("env", Value::Object(env)) => {
                for (name, value) in env {
                    self.variable(name, value, restricted)?;
                }
            }
            ("env", _) => return Err(wrong_type(&full, "an object")),
            ("input", Value::String(text)) => self.input = Input::copy(text.as_bytes(), room)?,
            ("input", Value::Bytes(bytes)) => self.input = Input::copy(bytes, room)?,
            ("input", _) => return Err(wrong_type(&full, "a string or bytes")),
            ("timeout", Value::Number(ms)) if (0.0..=LONGEST_MS).contains(ms) => {
                // 0 is none, as in Node.
                self.timeout = (*ms > 0.0).then(|| Duration::from_secs_f64(ms / 1000.0));
            }
            ("timeout", Value::Number(_)) => {
                return Err(CallError::new("RangeError", "options.timeout must be from 0 to 86,400,000 milliseconds")
                    .with_code("ERR_OUT_OF_RANGE"));
            }
            ("timeout", _) => return Err(wrong_type(&full, "of type number")),
            _ => return Err(wrong_value(&full, "is not known: there are cwd, env, input and timeout")),
        }
        Ok(())
    }

    fn variable(&mut self, name: &str, value: &Value, restricted: bool) -> Result<(), CallError> {
        let full = format!("options.env.{name}");
        if name.is_empty() || name.contains('=') {
            return Err(wrong_value(&full, "is no name for a variable"));
        }
        if restricted && (LOADED.contains(&name) || LOADERS.iter().any(|prefix| name.starts_with(prefix))) {
            let message = format!("{full} is not allowed: with it a command could run what the template does not list");
            return Err(CallError::new("Error", message).with_code("EACCES"));
        }
        let value = match value {
            Value::Null => return Ok(()),
            Value::String(value) => text(&full, value)?,
            Value::Bool(value) => value.to_string(),
            Value::Number(value) => value.to_string(),
            _ => return Err(wrong_type(&full, "of type string")),
        };
        self.env.push((text(&full, name)?, value));
        Ok(())
    }

    /// The error of a program that the system did not start.
    pub(super) fn cannot_start(&self, error: &std::io::Error) -> CallError {
        let code = match error.kind() {
            ErrorKind::NotFound => "ENOENT",
            ErrorKind::PermissionDenied => "EACCES",
            ErrorKind::ArgumentListTooLong => "E2BIG",
            ErrorKind::ExecutableFileBusy => "ETXTBSY",
            ErrorKind::OutOfMemory => "ENOMEM",
            ErrorKind::WouldBlock => "EAGAIN",
            _ if error.raw_os_error() == Some(rustix::io::Errno::NOEXEC.raw_os_error()) => "ENOEXEC",
            _ => "EIO",
        };
        cannot_start(&self.command, code, format!("spawn {} {code}", self.command))
    }

    /// The error of a program that did not end well.
    pub(super) fn failure(&self, finished: Finished) -> CallError {
        let Finished { stdout, stderr, ending } = finished;
        let command = &self.command;
        let whole = std::iter::once(command).chain(&self.args).map(String::as_str).collect::<Vec<_>>().join(" ");
        let shown: String = whole.chars().take(1000).collect();
        let killed = |message: String, code: &str| (message, Value::from(code), None, Some(9));
        let (message, code, status, signal) = match ending {
            Ending::Status(status) => {
                let mut message = format!("Command failed: {shown}");
                if !stderr.is_empty() {
                    message.push('\n');
                    message.extend(stderr.chars().take(10_000));
                }
                (message, status.code().into(), status.code(), status.signal())
            }
            Ending::TimedOut => {
                let ms = self.timeout.unwrap_or_default().as_secs_f64() * 1000.0;
                killed(format!("spawn {command} ETIMEDOUT: killed after {ms} ms: {shown}"), "ETIMEDOUT")
            }
            Ending::TooMuch => killed(
                format!("spawn {command} ENOBUFS: its output is larger than what the session's heap may hold"),
                "ENOBUFS",
            ),
            Ending::Stopped => killed(format!("spawn {command} ECANCELED: the execution is being ended"), "ECANCELED"),
        };
        CallError::new("Error", message)
            .with("code", code)
            .with("status", status)
            .with("signal", signal.map(signal_name))
            .with("stdout", stdout)
            .with("stderr", stderr)
    }
}

fn text(name: &str, text: &str) -> Result<String, CallError> {
    if text.contains('\0') {
        return Err(wrong_value(name, "must be a string without null bytes"));
    }
    Ok(text.to_owned())
}

fn wrong_type(name: &str, must_be: &str) -> CallError {
    CallError::argument(format!("The \"{name}\" argument must be {must_be}"))
}

fn wrong_value(name: &str, why: &str) -> CallError {
    CallError::new("TypeError", format!("The argument '{name}' {why}")).with_code("ERR_INVALID_ARG_VALUE")
}

/// The name of the signal that ended a program, if one did.
pub(super) fn signal_of(status: ExitStatus) -> Option<String> {
    status.signal().map(signal_name)
}

fn signal_name(number: i32) -> String {
    let name = match number {
        1 => "SIGHUP",
        2 => "SIGINT",
        3 => "SIGQUIT",
        4 => "SIGILL",
        6 => "SIGABRT",
        7 => "SIGBUS",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        14 => "SIGALRM",
        15 => "SIGTERM",
        24 => "SIGXCPU",
        25 => "SIGXFSZ",
        31 => "SIGSYS",
        _ => return format!("SIG{number}"),
    };
    name.to_owned()
}
