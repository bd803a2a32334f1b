//! One process from its start to its end: it is fed, read, bounded, and reaped.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, WaitId, WaitIdOptions, pidfd_open, waitid};

use super::family::Family;
use super::fork::{Confined, detach};
use super::input::Input;
use super::output::{Buffer, Kind, Output, set_nonblocking, tell};
use crate::modules::CallContext;

/// How often somebody is asked whether the answer is still wanted.
const TICK: Duration = Duration::from_millis(20);
/// How long the output is read on when the process has ended, and others still hold its pipes.
const LINGER: Duration = Duration::from_secs(1);
/// A killed process is gone at once, unless the kernel holds it.
const REAP: Duration = Duration::from_secs(1);
/// A program that is just being written, in a process that another thread starts at this moment, is busy for an instant.
const BUSY_TRIES: u32 = 5;

/// A program and what it is given.
pub(super) struct Start {
    /// The program's file.
    pub(super) program: PathBuf,
    /// Its name, as the script said it.
    pub(super) name: String,
    pub(super) args: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    /// The directory that it starts in, held open: by its name another could be reached meanwhile.
    pub(super) directory: OwnedFd,
    pub(super) input: Input,
    pub(super) timeout: Option<Duration>,
    pub(super) confined: Confined,
}

/// What came of a process.
pub(super) struct Finished {
    pub(super) stdout: String,
    pub(super) stderr: String,
    pub(super) ending: Ending,
}

/// Why it was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// It ended by itself.
    Status(ExitStatus),
    /// It was killed after its timeout.
    TimedOut,
    /// It was killed because its output did not fit.
    TooMuch,
    /// It was killed because nobody wants its answer any more.
    Stopped,
}

/// A process that runs. Dropped, it is killed with all that it has started, and reaped.
pub(super) struct Process {
    child: Option<Child>,
    pid: Pid,
    family: Arc<Family>,
    stdin: Option<File>,
    input: Input,
    written: usize,
    streams: Vec<Output>,
    deadline: Option<Instant>,
}

impl Process {
    /// Starts a program.
    ///
    /// The kernel kills it when the calling thread ends: whoever starts it waits for it.
    pub(super) fn start(start: Start) -> std::io::Result<Self> {
        let mut command = Command::new(&start.program);
        command
            .arg0(&start.name)
            .args(&start.args)
            .env_clear()
            .envs(start.env)
            // Resolved by the child, which has the same directories open as we have.
            .current_dir(format!("/proc/self/fd/{}", start.directory.as_fd().as_raw_fd()))
            .stdin(if start.input.is_empty() { Stdio::null() } else { Stdio::piped() })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        detach(&mut command, start.confined);
        let mut child = spawn(&mut command)?;
        let pid = Pid::from_child(&child);
        let stdin = child.stdin.take().map(|pipe| File::from(OwnedFd::from(pipe)));
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let mut process = Self {
            child: Some(child),
            pid,
            family: Arc::new(Family::new(pid)),
            stdin,
            input: start.input,
            written: 0,
            streams: Vec::new(),
            deadline: start.timeout.map(|timeout| Instant::now() + timeout),
        };
        // From here on, whatever fails, dropping it kills the child.
        if let Some(stdin) = &process.stdin {
            set_nonblocking(stdin.as_fd())?;
        }
        if let (Some(stdout), Some(stderr)) = (stdout, stderr) {
            process.streams.push(Output::new(Kind::Stdout, stdout.into())?);
            process.streams.push(Output::new(Kind::Stderr, stderr.into())?);
        }
        Ok(process)
    }

    /// What kills it from another thread.
    pub(super) fn family(&self) -> Arc<Family> {
        self.family.clone()
    }

    /// Waits for its end, while its output becomes events. What it has left running is killed.
    pub(super) fn wait(mut self, context: &CallContext) -> Finished {
        let killed = self.serve(context);
        self.family.kill_all();
        // What was written before the end is in the pipes.
        let mut buffer = Buffer::new();
        for stream in &mut self.streams {
            while stream.len() < context.max_reply_bytes() && stream.read(&mut buffer) {}
        }
        self.streams.iter_mut().for_each(Output::end);
        let stopped = tell(&mut self.streams, context).is_err();
        let status = self.reap();
        let ending = match (killed, status) {
            (Some(killed), _) => killed,
            (None, Some(status)) if !stopped => Ending::Status(status),
            (None, _) => Ending::Stopped,
        };
        let mut texts = std::mem::take(&mut self.streams).into_iter().map(Output::into_text);
        let mut text = || texts.next().unwrap_or_default();
        Finished { stdout: text(), stderr: text(), ending }
    }

    /// Feeds and reads it until it has ended and its output with it; or tells why it is to be killed.
    fn serve(&mut self, context: &CallContext) -> Option<Ending> {
        // Where the kernel has no such handles, its end is found within a tick.
        let handle = pidfd_open(self.pid, PidfdFlags::empty()).ok();
        let mut buffer = Buffer::new();
        let mut ended = None;
        loop {
            if context.should_stop() {
                return Some(Ending::Stopped);
            }
            if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Some(Ending::TimedOut);
            }
            let all_read = self.streams.iter().all(|stream| stream.pipe().is_none());
            match ended {
                Some(_) if all_read => return None,
                Some(when) if Instant::elapsed(&when) >= LINGER => return None,
                Some(_) => {}
                None if self.has_ended() => {
                    ended = Some(Instant::now());
                    continue;
                }
                None => {}
            }
            self.sleep(handle.as_ref().filter(|_| ended.is_none()));
            self.write();
            for stream in &mut self.streams {
                stream.read(&mut buffer);
            }
            if tell(&mut self.streams, context).is_err() {
                return Some(Ending::Stopped);
            }
            if self.streams.iter().map(Output::len).sum::<usize>() > context.max_reply_bytes() {
                return Some(Ending::TooMuch);
            }
        }
    }

    /// Sleeps until there is something to do.
    fn sleep(&self, handle: Option<&OwnedFd>) {
        let reads = self.streams.iter().filter_map(Output::pipe).map(|pipe| (pipe, PollFlags::IN));
        let write = self.stdin.iter().map(|pipe| (pipe.as_fd(), PollFlags::OUT));
        let end = handle.iter().map(|handle| (handle.as_fd(), PollFlags::IN));
        let mut news: Vec<PollFd<'_>> =
            reads.chain(write).chain(end).map(|(fd, flags)| PollFd::from_borrowed_fd(fd, flags)).collect();
        let due = self.streams.iter().filter_map(Output::due).chain(self.deadline).min();
        let at_most = due.map_or(TICK, |due| due.saturating_duration_since(Instant::now()).min(TICK));
        let at_most = Timespec { tv_sec: 0, tv_nsec: at_most.subsec_nanos().into() };
        // Whatever woke it, all are looked at.
        let _ = poll(&mut news, Some(&at_most));
    }

    fn write(&mut self) {
        let Some(pipe) = &mut self.stdin else { return };
        match pipe.write(&self.input[self.written..]) {
            Ok(count) => self.written += count,
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
            // It does not read on: that is its own affair.
            Err(_) => self.written = self.input.len(),
        }
        if self.written >= self.input.len() {
            self.stdin = None;
            // Others may have its place.
            self.input = Input::default();
            self.written = 0;
        }
    }

    /// Tells whether it has ended, and leaves it unreaped: until then nobody else gets its number.
    fn has_ended(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        match waitid(WaitId::Pid(self.pid), options) {
            Ok(status) => status.is_some(),
            Err(error) => error != Errno::INTR,
        }
    }

    /// Takes its status, so that nothing is left of it. It has ended, or been killed.
    fn reap(&mut self) -> Option<ExitStatus> {
        let mut child = self.child.take()?;
        let started = Instant::now();
        while !self.has_ended() {
            if started.elapsed() >= REAP {
                tracing::warn!(pid = child.id(), "a killed process does not end: it is left to a thread");
                self.family.forget();
                let left = move || drop(child.wait());
                if let Err(error) = std::thread::Builder::new().name("vm-reaper".to_owned()).spawn(left) {
                    tracing::error!(%error, "there is no thread for it");
                }
                return None;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        self.family.forget();
        child.wait().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if self.child.is_some() {
            self.family.kill_all();
            self.reap();
        }
    }
}

fn spawn(command: &mut Command) -> std::io::Result<Child> {
    let mut tries = 0;
    loop {
        match command.spawn() {
            Err(error) if error.kind() == ErrorKind::ExecutableFileBusy && tries < BUSY_TRIES => {
                tries += 1;
                std::thread::sleep(Duration::from_millis(5));
            }
            result => return result,
        }
    }
}
