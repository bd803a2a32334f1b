//! Which file a command is, and whether it may be run.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::modules::files::{Access, SessionFiles};
use crate::value::CallError;

/// What a template lets scripts run.
#[derive(Debug, Clone, Default)]
pub(super) struct Allowed(pub(super) Option<Vec<String>>);

/// Where commands are looked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lookup<'a> {
    /// Directories, separated by colons: for bare names.
    pub(super) search_path: &'a str,
    /// For names with a slash.
    pub(super) files: &'a SessionFiles,
}

impl Lookup<'_> {
    /// Finds a command's file.
    ///
    /// A bare name is looked for in the search path, and never in the worktree; an absolute one is that file; another one
    /// is a file below `cwd`, in the worktree.
    ///
    /// # Errors
    /// `ENOENT`, `EACCES`, as Node has them for a program that cannot be started; `EACCES` for one that is not allowed.
    pub(super) fn find(self, command: &str, cwd: &str, allowed: &Allowed) -> Result<PathBuf, CallError> {
        let program = self.resolve(command, cwd)?;
        if let Some(list) = &allowed.0
            // Each time anew: what is installed later counts.
            && !list.iter().any(|entry| self.resolve(entry, ".").is_ok_and(|other| other == program))
        {
            let message = format!(
                "spawn {command} EACCES: the command is not allowed; the template's exec capability allows {}",
                in_words(list)
            );
            return Err(cannot_start(command, "EACCES", message));
        }
        Ok(program)
    }

    fn resolve(self, command: &str, cwd: &str) -> Result<PathBuf, CallError> {
        let fail = |code: &str| cannot_start(command, code, format!("spawn {command} {code}"));
        if !command.contains('/') {
            return self.search(command).map_err(fail);
        }
        if Path::new(command).is_absolute() {
            return plain(Path::new(command)).and_then(check).map_err(fail);
        }
        // It must lead to a file in the worktree. That file is then run by its name, which can lead elsewhere by then; but
        // whoever can change it can as well change what the file does.
        let path = Path::new(cwd).join(command);
        let real = self.files.real_path(&path).map_err(|fault| fault.at("spawn", command))?;
        // To run it is to read it.
        let parent = real.parent().unwrap_or(&real);
        self.files.open_dir(parent, Access::Read).map_err(|fault| fault.at("spawn", command))?;
        check(real).map_err(fail)
    }

    fn search(self, name: &str) -> Result<PathBuf, &'static str> {
        let mut denied = false;
        for directory in self.search_path.split(':').filter(|directory| directory.starts_with('/')) {
            match plain(&Path::new(directory).join(name)).and_then(check) {
                Ok(program) => return Ok(program),
                Err(code) => denied |= code == "EACCES",
            }
        }
        Err(if denied { "EACCES" } else { "ENOENT" })
    }
}

/// The same file with the links of its directories resolved, but not its own name: a program that goes by many names, as
/// busybox does, is a different command under each.
fn plain(path: &Path) -> Result<PathBuf, &'static str> {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else { return Err("EACCES") };
    // `name/` and `name/.` are directories, whatever Path makes of them.
    if !path.as_os_str().as_encoded_bytes().ends_with(OsStr::as_encoded_bytes(name)) {
        return Err("EACCES");
    }
    directory.canonicalize().map(|directory| directory.join(name)).map_err(|_| "ENOENT")
}

fn check(program: PathBuf) -> Result<PathBuf, &'static str> {
    match std::fs::metadata(&program) {
        Ok(metadata) if metadata.is_file() && metadata.permissions().mode() & 0o111 != 0 => Ok(program),
        Ok(_) => Err("EACCES"),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err("EACCES"),
        Err(_) => Err("ENOENT"),
    }
}

/// The error of a program that did not start.
pub(super) fn cannot_start(command: &str, code: &str, message: String) -> CallError {
    CallError::new("Error", message).with_code(code).with("syscall", format!("spawn {command}")).with("path", command)
}

fn in_words(list: &[String]) -> String {
    if list.is_empty() { "none".to_owned() } else { list.join(", ") }
}
