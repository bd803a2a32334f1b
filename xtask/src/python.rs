//! Programs in Python that a step needs: an environment of their own, kept between runs.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::Result;
use crate::workspace::{self, Workspace};

/// What is installed, with every version.
const REQUIREMENTS: &str = "tests/openapi/requirements.txt";

/// An environment with what [`REQUIREMENTS`] lists.
pub(crate) struct Python {
    programs: PathBuf,
}

impl Python {
    /// Finds the environment, or makes it; it is made again when the requirements have changed.
    ///
    /// # Errors
    /// The packages could not be installed. That there is no Python is none: then this is the reason why.
    pub(crate) fn prepare(workspace: &Workspace) -> Result<std::result::Result<Self, String>> {
        let directory = workspace.kept("python");
        let python = Self { programs: directory.join("bin") };
        let requirements = workspace.read(REQUIREMENTS)?;
        let installed = directory.join("installed.txt");
        let is_current = fs::read_to_string(&installed).is_ok_and(|installed| installed == requirements);
        if is_current && workspace::works(python.command(workspace, "python").arg("--version")) {
            return Ok(Ok(python));
        }
        let _ = fs::remove_dir_all(&directory);
        // Pip comes with it: one of the system's may refuse to install what is not the system's.
        let mut venv = workspace.command("python3", ["-m", "venv"]);
        if !workspace::works(venv.arg(&directory)) {
            let _ = fs::remove_dir_all(&directory);
            let there = workspace::works(&mut workspace.command("python3", ["--version"]));
            return Ok(Err(match there {
                true => "`python3 -m venv` does not work here: on Debian and Ubuntu it is the package python3-venv",
                false => "python3 is missing",
            }
            .to_owned()));
        }
        println!("Installing {REQUIREMENTS} into {}", directory.display());
        let mut pip = python.command(workspace, "python");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", REQUIREMENTS]);
        workspace::run(&mut pip)?;
        // Last: what was left half done is begun anew.
        fs::write(&installed, requirements)
            .map_err(|error| format!("cannot write {}: {error}", installed.display()))?;
        Ok(Ok(python))
    }

    /// Prepares a call of a program of the environment, at the root of the checkout.
    pub(crate) fn command(&self, workspace: &Workspace, program: &str) -> Command {
        let mut command = workspace.command(self.programs.join(program), [""; 0]);
        // Nothing is written beside the files of the checkout.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}
