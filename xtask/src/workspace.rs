//! The checkout: where it is, how its cargo is called, where its programs are put.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::Result;

/// The checkout that this program was built from.
pub(crate) struct Workspace {
    root: PathBuf,
    programs: PathBuf,
}

impl Workspace {
    pub(crate) fn find() -> Result<Self> {
        // Cargo says where we are, so that a checkout can be moved after it was built.
        let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&manifest).parent().ok_or("xtask stands outside of any workspace")?.to_owned();
        // We stand beside them, wherever CARGO_TARGET_DIR or a configuration file puts them.
        let own = env::current_exe().map_err(|error| format!("cannot tell where xtask is: {error}"))?;
        let programs = own.parent().ok_or("xtask stands in no directory")?.to_owned();
        Ok(Self { root, programs })
    }

    /// Names a program that a step of [`cargo`](Self::cargo) has built.
    pub(crate) fn program(&self, name: impl AsRef<Path>) -> PathBuf {
        self.programs.join(name).with_extension(env::consts::EXE_EXTENSION)
    }

    /// Names a directory of cargo's for files that tests and benchmarks keep.
    pub(crate) fn kept(&self, name: impl AsRef<Path>) -> PathBuf {
        self.programs.with_file_name("tmp").join(name)
    }

    /// Prepares a call of the cargo that called us.
    pub(crate) fn cargo<I: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = I>) -> Command {
        let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        self.command(cargo, args)
    }

    /// Prepares a call of any program, at the root of the checkout.
    pub(crate) fn command<I: AsRef<OsStr>>(
        &self,
        program: impl AsRef<OsStr>,
        args: impl IntoIterator<Item = I>,
    ) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.root);
        command
    }

    /// Names a file or folder of the checkout.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        self.root.join(path)
    }

    /// Reads a file of the checkout.
    pub(crate) fn read(&self, path: &str) -> Result<String> {
        fs::read_to_string(self.path(path)).map_err(|error| format!("cannot read {path}: {error}"))
    }

    /// Lists the Rust files of a folder by name without ending, sorted: examples, benchmarks.
    pub(crate) fn rust_files(&self, folder: impl AsRef<Path>) -> Vec<String> {
        let Ok(entries) = self.root.join(folder).read_dir() else { return Vec::new() };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let rust = paths.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
        let mut names: Vec<String> = rust.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
        names.sort_unstable();
        names
    }
}

/// Runs a command whose output is for whoever watches.
pub(crate) fn run(command: &mut Command) -> Result {
    let shown = shown(command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{shown}` failed ({status})")),
        Err(error) => Err(format!("`{shown}` could not be started: {error}")),
    }
}

/// Tells whether a command runs and succeeds; nobody sees its output.
pub(crate) fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A command as it could be typed.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_stem().unwrap_or_default();
    let words = std::iter::once(program).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
