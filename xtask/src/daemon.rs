//! A daemon of one's own for a step: on a port that the system chooses, over a directory that goes with it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, process, thread};

use crate::Result;
use crate::workspace::Workspace;

/// A daemon opens its database and binds a port: milliseconds. This is for a machine that is busy elsewhere.
const START: Duration = Duration::from_secs(30);

/// A running daemon, which ends with its value.
pub(crate) struct Daemon {
    process: Child,
    home: PathBuf,
    url: String,
}

impl Daemon {
    /// Starts `vm-system serve`, which has been built, with nothing of our environment.
    pub(crate) fn start(workspace: &Workspace, args: &[&str]) -> Result<Self> {
        let home = env::temp_dir().join(format!("vm-system-xtask-{}", process::id()));
        let failed = |error| format!("cannot prepare {}: {error}", home.display());
        // Scripts that start programs, and relative paths of a request, find themselves in an empty directory.
        fs::create_dir_all(home.join("cwd")).map_err(failed)?;
        fs::create_dir_all(home.join("worktree")).map_err(failed)?;
        let log = File::create(home.join("log")).map_err(failed)?;
        let mut serve = Command::new(workspace.program("vm-system"));
        serve.arg("serve").arg("--db").arg(home.join("vm.db")).args(["--listen", "127.0.0.1:0"]).args(args);
        serve.env_clear().current_dir(home.join("cwd")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        let process = serve.spawn().map_err(|error| format!("vm-system could not be started: {error}"))?;
        let mut daemon = Self { process, home, url: String::new() };
        daemon.url = daemon.wait_for_url()?;
        Ok(daemon)
    }

    /// Where it answers.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A directory for sessions.
    pub(crate) fn worktree(&self) -> PathBuf {
        self.home.join("worktree")
    }

    /// A directory that goes with the daemon, for whoever calls it.
    pub(crate) fn home(&self) -> &Path {
        &self.home
    }

    /// What it has said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.home.join("log")).unwrap_or_default()
    }

    fn wait_for_url(&mut self) -> Result<String> {
        let started = Instant::now();
        loop {
            let log = self.log();
            let announced = log
                .lines()
                .filter(|_| log.ends_with('\n'))
                .find_map(|line| line.split_once("listening on ").map(|(_, url)| url.trim().to_owned()));
            if let Some(url) = announced {
                return Ok(url);
            }
            let ended = self.process.try_wait().map_err(|error| format!("cannot look after vm-system: {error}"))?;
            if ended.is_some() || started.elapsed() > START {
                return Err(format!("vm-system does not say where it listens; its log:\n{log}"));
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.home);
    }
}
