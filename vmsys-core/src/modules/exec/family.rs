//! A process and what it has started: how they are killed together.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

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
    /// descendants that have left for a session of their own. What this does *not* reach: a process that did so and whose
    /// parent has ended, as daemons do.
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
            for pid in found {
                let _ = kill_process(pid, Signal::KILL);
            }
            // A moment later they are gone, and so is whatever they started meanwhile.
            std::thread::sleep(Duration::from_micros(500));
        }
    }

    /// Forgets the leader, which is about to be reaped.
    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// The processes of a session and the descendants of its leader, without the leader itself.
fn members(leader: Pid) -> Vec<Pid> {
    let processes: Vec<Process> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| Process::read(entry.ok()?.file_name().to_str()?))
        .collect();
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
    found.into_iter().collect()
}

struct Process {
    pid: Pid,
    parent: Pid,
    session: Pid,
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
        // A process whose parent or session is out of our sight has a 0 there.
        let related = |number| Pid::from_raw(number).unwrap_or(Pid::INIT);
        Some(Self { pid: Pid::from_raw(pid)?, parent: related(parent), session: related(session) })
    }
}
