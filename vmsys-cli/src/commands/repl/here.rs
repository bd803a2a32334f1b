//! A prompt in memory: a session of this program's own.

use std::path::Path;
use std::time::Duration;

use vmsys_core::{ExecutionId, ExecutionNews, RunFile, Session, Submission, VmSystem};

use super::{Cancel, Place, Work};
use crate::client::records::{Event, Execution};
use crate::commands::run::Allowed;
use crate::commands::understood;
use crate::error::{Error, Result};
use crate::output::Output;

/// How long it is waited for news at once: there is no end of waiting but news.
const WAIT: Duration = Duration::from_secs(1);

pub(super) struct Here {
    vm: VmSystem,
    session: Session,
}

impl Here {
    /// Opens a session over a directory.
    pub(super) fn open(allowed: &Allowed, worktree: &Path) -> Result<Self> {
        let (vm, session) = allowed.open("repl", worktree)?;
        Ok(Self { vm, session })
    }
}

/// Ids go by their text, as from a daemon.
fn parsed(id: &str) -> Result<ExecutionId> {
    id.parse().map_err(|error| Error::failed("INTERNAL", format!("{id}: {error}")))
}

fn written(document: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string(document)
        .map_err(|error| Error::failed("INTERNAL", format!("cannot write what has happened: {error}")))
}

impl Place for Here {
    fn name(&self) -> String {
        "in memory".to_owned()
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn start(&self, work: Work<'_>) -> Result<String> {
        let submission = match work {
            Work::Snippet(input) => Submission::repl(input),
            Work::File(path) => Submission::run_file(RunFile::new(path)),
        };
        Ok(self.session.start(submission)?.id().to_string())
    }

    fn follow(
        &self,
        id: &str,
        out: &mut Output,
        on: &mut dyn FnMut(Event, &mut Output) -> Result<()>,
    ) -> Result<Execution> {
        let mut watch = self.vm.watch(parsed(id)?, 0)?;
        while !watch.is_over() {
            for news in watch.look()? {
                match news {
                    ExecutionNews::Event(event) => on(understood(&written(&event)?)?, out)?,
                    ExecutionNews::Ended(execution) => return understood(&written(&execution)?),
                    _ => {}
                }
            }
            watch.wait(WAIT);
        }
        Err(Error::failed("INTERNAL", "the execution has no end"))
    }

    fn document(&self, id: &str) -> Result<String> {
        written(&self.vm.execution(parsed(id)?)?)
    }

    fn canceller(&self) -> Result<Cancel> {
        let vm = self.vm.clone();
        Ok(Box::new(move |id| {
            // It may have ended by itself, and whoever follows it sees how.
            drop(parsed(id).map(|id| vm.cancel(id)));
        }))
    }

    fn complete(&self, text: &str, cursor: u32) -> Result<(u32, Vec<String>)> {
        let found = self.session.complete(text, Some(cursor))?;
        Ok((found.from, found.items.into_iter().map(|item| item.label).collect()))
    }

    fn is_whole(&self, input: &str) -> Result<bool> {
        Ok(self.session.check(input)?.complete)
    }

    fn close(&self) -> Result<()> {
        Ok(self.vm.shutdown()?)
    }
}
