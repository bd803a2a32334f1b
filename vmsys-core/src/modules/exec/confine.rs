//! What programs are kept from: files that the session does not reach, network, other processes, and more than their share.
//!
//! All of it is made before a program is started, and entered by its process between its birth and its program
//! ([`fork`](super::fork)).

mod bounds;
mod calls;
mod places;
mod privileges;

use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use self::places::{Allowed, Landlock, Public};
use self::privileges::Privileges;
use super::fork::{self, Confined, Walls};
use crate::isolation::Sandbox;
use crate::limits::Limits;
use crate::modules::files::SessionFiles;
use crate::value::CallError;

/// The code of programs that are not started because they could not be confined.
const REFUSED: &str = "ERR_SANDBOX";

/// How the programs of a system are confined.
#[derive(Debug)]
pub(super) struct Confinement {
    sandbox: Sandbox,
    machine: OnceLock<Machine>,
    warned: AtomicBool,
}

/// What this machine has to confine programs with.
#[derive(Debug)]
struct Machine {
    landlock: Landlock,
    filters: bool,
    privileges: Privileges,
    public: Public,
    /// In words, what there is not.
    missing: Vec<String>,
}

/// Whose program it is, and what it may reach.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session<'a> {
    pub(super) files: &'a SessionFiles,
    /// Its directory for temporary files.
    pub(super) temporary: &'a Path,
    /// The directories of commands.
    pub(super) search_path: &'a str,
    /// The program's own file, if the template names it.
    pub(super) program: Option<&'a Path>,
    pub(super) network: bool,
    pub(super) limits: Limits,
}

impl Confinement {
    pub(super) fn new(sandbox: Sandbox) -> Self {
        Self { sandbox, machine: OnceLock::new(), warned: AtomicBool::new(false) }
    }

    /// Makes what a program is to enter before it begins.
    ///
    /// # Errors
    /// `ERR_SANDBOX`, when this machine lacks a part that is required, when a part could not be made, and when the
    /// daemon's own database lies in what the session's files are.
    pub(super) fn of(&self, session: Session<'_>) -> Result<Confined, CallError> {
        let bounds = bounds::of(&session.limits);
        if self.sandbox == Sandbox::Off {
            return Ok(Confined { bounds, walls: None });
        }
        let machine = self.machine.get_or_init(Machine::look);
        if !machine.missing.is_empty() {
            let missing = machine.missing.join(", ");
            if self.sandbox == Sandbox::Require {
                let why = format!("the sandbox is required, and this machine lacks {missing}");
                return Err(refused(&why));
            }
            if !self.warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(missing, "programs of scripts go without a part of their confinement");
            }
        }
        let grants = session.files.grants().map_err(|_| {
            refused(
                "the database of vm-system itself lies in what the session may reach of its worktree, and could not be kept \
                 from a program: put it elsewhere, or narrow the template's fs capability",
            )
        })?;
        let allowed = Allowed {
            grants,
            temporary: session.temporary,
            search_path: session.search_path,
            program: session.program,
            network: session.network,
        };
        let ruleset = machine.landlock.ruleset(allowed, &machine.public, session.files.protected());
        let ruleset = ruleset.map_err(|error| refused(&format!("its files could not be bounded: {error}")))?;
        let filters = if machine.filters { calls::filters(session.network) } else { Ok(Vec::new()) };
        let filters = filters.map_err(|error| refused(&format!("its system calls could not be bounded: {error}")))?;
        let walls = Walls { ruleset, filters, privileges: machine.privileges.to_drop() };
        Ok(Confined { bounds, walls: Some(walls) })
    }
}

impl Machine {
    fn look() -> Self {
        let (landlock, privileges) = (Landlock::look(), Privileges::look());
        let filters = fork::has_filters();
        let mut missing = landlock.missing();
        missing.extend((!filters).then(|| "seccomp".to_owned()));
        missing.extend(privileges.missing());
        Self { landlock, filters, privileges, public: Public::look(), missing }
    }
}

fn refused(why: &str) -> CallError {
    CallError::new("Error", format!("no program is started: {why}")).with_code(REFUSED)
}

#[cfg(test)]
mod tests;
