//! A process and what it has started: how they are killed together.

use std::collections::HashSet;
use std::fs::DirEntry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open, pidfd_send_signal};

/// Processes that were killed are gone at once, unless the kernel holds them or they multiply as fast as we look.
const PATIENCE: Duration = Duration::from_millis(200);

/// A process that leads a session of its own, until it is reaped: from then on its number may be another's.
pub(super) struct Family(Mutex<Option<Pid>>);

impl Family {
    pub(super) fn new(leader: Pid) -> Self {
        Self(Mutex::new(Some(leader)))
    }

    /// Kills the process group of the leader: quick, for whoever must not wait.
    pub(super) fn kill_group(&self) {
        if let Some(leader) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) {
            // Gone already is as good.
            let _ = kill_process_group(leader, Signal::KILL);
        }
    }

    /// Kills the group; whoever else is in its session, as a shell's jobs are; and, while the leader lives, those of its
    /// descendants that have left for a session of their own, which only a program without a filter can. What this does *not*
    /// reach: one that did so and whose parent has ended, as daemons do.
    pub(super) fn kill_all(&self) {
        let Some(leader) = *self.0.lock().unwrap_or_else(PoisonError::into_inner) else { return };
        let started = Instant::now();
        loop {
            // Looked for while the leader may still live: its children are its children until then.
            let found = members(leader);
            let _ = kill_process_group(leader, Signal::KILL);
            if found.is_empty() || started.elapsed() > PATIENCE {
                return;
            }
            found.iter().for_each(Process::kill);
            // A moment later they are gone, and so is whatever they started meanwhile.
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    /// Forgets the leader, which is about to be reaped.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The last look at all processes of the machine, and when it began. Whoever asks while others are looked for is answered
/// together with all who have asked by then: where there are thousands, to look takes long.
static LOOK: Mutex<Option<(Instant, Arc<[Process]>)>> = Mutex::new(None);

/// The processes that there are, or were at some moment after this call.
fn processes() -> Arc<[Process]> {
    let asked = Instant::now();
    let mut look = LOOK.lock().unwrap_or_else(PoisonError::into_inner);
    match &*look {
        Some((began, found)) if *began >= asked => found.clone(),
        _ => {
            let began = Instant::now();
            let entries = std::fs::read_dir("/proc").into_iter().flatten();
            let read = |entry: std::io::Result<DirEntry>| Process::read(entry.ok()?.file_name().to_str()?);
            let found: Arc<[Process]> = entries.filter_map(read).collect();
            *look = Some((began, found.clone()));
            found
        }
    }
}

/// The processes of a session and the descendants of its leader, without the leader itself.
fn members(leader: Pid) -> Vec<Process> {
    let processes = processes();
    let mut found = HashSet::from([leader]);
    loop {
        let before = found.len();
        let related = |process: &&Process| process.session == leader || found.contains(&process.parent);
        let more: Vec<Pid> = processes.iter().filter(related).map(|process| process.pid).collect();
        found.extend(more);
        if found.len() == before {
            break;
        }
    }
    found.remove(&leader);
    processes.iter().filter(|process| found.contains(&process.pid)).copied().collect()
}

#[derive(Clone, Copy)]
struct Process {
    pid: Pid,
    parent: Pid,
    session: Pid,
    /// When it started, in ticks since the system did: whoever gets its number later started later.
    started: u64,
}

impl Process {
    fn read(number: &str) -> Option<Self> {
        let pid = number.parse().ok()?;
        let stat = std::fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
        // `12 (a name) S 1 12 12 ...`: the name may have anything in it.
        let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace();
        if fields.next()? == "Z" {
            return None;
        }
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        let started = fields.nth(15)?.parse().ok()?;
        // Where a process's parent or session is out of our sight there is a 0, and in one that is just ending a -1.
        let named = |number: i32| if number > 0 { Pid::from_raw(number) } else { None };
        let related = |number| named(number).unwrap_or(Pid::INIT);
        Some(Self { pid: named(pid)?, parent: related(parent), session: related(session), started })
    }

    /// Kills it, unless it has ended since it was read: its number may be another's by now.
    fn kill(&self) {
        // Opened before the number is looked at again: what is found then is what the handle is for.
        let handle = pidfd_open(self.pid, PidfdFlags::empty());
        let now = Self::read(&self.pid.as_raw_nonzero().to_string());
        if now.is_none_or(|now| now.started != self.started) {
            return;
        }
        // Gone already is as good.
        let _ = match handle {
            Ok(handle) => pidfd_send_signal(handle, Signal::KILL),
            Err(Errno::SRCH) => Ok(()),
            // A kernel without such handles, or none to be had: what is left is the moment since the look.
            Err(_) => kill_process(self.pid, Signal::KILL),
        };
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;
    use std::process::Command;

    use super::*;

    #[test]
    fn a_look_shows_what_was_there_when_it_was_asked_for() {
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
                        let id = Pid::from_child(&child);
                        assert!(processes().iter().any(|process| process.pid == id));
                        child.kill().unwrap();
                        child.wait().unwrap();
                    }
                });
            }
        });
    }

    #[test]
    fn whoever_got_a_number_later_is_not_killed() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let seen = Process::read(&child.id().to_string()).unwrap();
        // What was seen under this number started before: so it has ended, and this is another.
        let before = Process { started: seen.started - 1, ..seen };
        before.kill();
        std::thread::sleep(Duration::from_millis(50));
        let spared = child.try_wait().unwrap();
        let seen = Process { started: before.started + 1, ..before };
        seen.kill();
        assert_eq!((spared, child.wait().unwrap().signal()), (None, Some(9)));
        // Nobody has it any more.
        seen.kill();
    }
}
