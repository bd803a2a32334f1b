//! The `fs` module: Node's file functions over the files that a session is granted.
//!
//! Scripts see `engine/builtins/fs.js`, which reads Node's many forms of arguments; what arrives here is plain, and checked
//! again. Every function answers before the script goes on, those of `fs.promises` as well: so their order is that in
//! which they were called.

mod args;
mod contents;
mod describe;
mod tree;

use std::path::Path;

use super::{CallContext, Fault, Module, ModuleInfo, ModuleInstance, SessionContext, SessionFiles};
use crate::JsonObject;
use crate::error::Result;
use crate::fields::Fields;
use crate::value::{CallError, Value};

use self::args::Args;

/// What an answer is, or what the script catches.
type Answer = std::result::Result<Value, CallError>;

/// The functions that scripts find, each also as one of `fs.promises` and with a callback, under the name without `Sync`.
const FUNCTIONS: &[&str] = &[
    "accessSync",
    "appendFileSync",
    "chmodSync",
    "copyFileSync",
    "existsSync",
    "lstatSync",
    "mkdirSync",
    "mkdtempSync",
    "readFileSync",
    "readdirSync",
    "readlinkSync",
    "realpathSync",
    "renameSync",
    "rmSync",
    "rmdirSync",
    "statSync",
    "truncateSync",
    "unlinkSync",
    "utimesSync",
    "writeFileSync",
];

/// Reads and writes files of a session's worktree, as the template's `fs` capabilities allow.
///
/// Data is written as in Node: it is the system's when a call has answered, and on disk when `flush` was asked for. How
/// much is written is not limited.
#[derive(Debug, Default)]
pub(crate) struct Fs;

impl Module for Fs {
    fn info(&self) -> ModuleInfo {
        let info = ModuleInfo::new("fs", "Reads and writes files of the session's worktree, with Node's functions");
        FUNCTIONS.iter().fold(info, |info, name| info.function(*name))
    }

    fn check_config(&self, config: &JsonObject) -> Result<()> {
        // What it may read and write is set by capabilities of the kind `fs`.
        Fields::of(config, &[]).map(drop)
    }

    fn open(&self, session: &SessionContext, _: &JsonObject) -> Result<Box<dyn ModuleInstance>> {
        Ok(Box::new(OpenFs { files: session.files.clone() }))
    }
}

struct OpenFs {
    files: SessionFiles,
}

impl ModuleInstance for OpenFs {
    fn call(&mut self, function: &str, args: &[Value], context: &CallContext) -> Answer {
        let Some(body) = function_named(function) else {
            return Err(CallError::new("TypeError", "fs has no such function"));
        };
        body(&Work { files: &self.files, context }, &Args(args))
    }
}

/// A function of the host's side.
type Body = fn(&Work<'_>, &Args<'_>) -> Answer;

fn function_named(name: &str) -> Option<Body> {
    Some(match name {
        "access" => describe::access,
        "chmod" => describe::chmod,
        "copyFile" => contents::copy_file,
        "exists" => describe::exists,
        "mkdir" => tree::mkdir,
        "mkdtemp" => tree::mkdtemp,
        "readFile" => contents::read_file,
        "readdir" => tree::readdir,
        "readlink" => describe::readlink,
        "realpath" => describe::realpath,
        "rename" => tree::rename,
        "rm" => tree::rm,
        "rmdir" => tree::rmdir,
        "stat" => describe::stat,
        "truncate" => contents::truncate,
        "unlink" => tree::unlink,
        "utimes" => describe::utimes,
        "writeFile" => contents::write_file,
        _ => return None,
    })
}

/// One call: which files it may touch, and whom it serves.
struct Work<'a> {
    files: &'a SessionFiles,
    context: &'a CallContext,
}

impl Work<'_> {
    /// Asks whether the answer is still wanted; whatever takes long does so between its steps.
    fn go_on(&self) -> std::result::Result<(), CallError> {
        if self.context.should_stop() {
            return Err(CallError::new("Error", "the execution is being ended"));
        }
        Ok(())
    }
}

/// A path as it is shown in an error.
fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

/// Makes errors of a call of the system's with one path.
fn at<'a>(syscall: &'a str, path: &'a Path) -> impl Fn(Fault) -> CallError + 'a {
    move |fault| fault.at(syscall, &shown(path))
}

#[cfg(test)]
mod tests;
