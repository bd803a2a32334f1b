//! A prompt in a session of a daemon's.

use std::ops::ControlFlow;
use std::path::Path;

use super::{Cancel, Place, Work};
use crate::client::records::{Event, Execution};
use crate::client::{Client, OnNews};
use crate::commands::follow::follow;
use crate::commands::{body, understood};
use crate::error::{Error, Result};
use crate::output::Output;

pub(super) struct Daemon {
    client: Client,
    session: String,
    /// Whether the session was made for this prompt, and goes with it.
    is_temporary: bool,
}

impl Daemon {
    /// Goes on in a session.
    pub(super) fn of(client: Client, session: &str) -> Result<Self> {
        let record = client.session(session)?.value;
        if record.status != "ready" {
            let why = format!("session {} is {}: nothing can be run in it", record.id, record.status);
            return Err(Error::failed("SESSION_NOT_READY", why)
                .hint("`vm-system session list --status ready` shows others, and --template NAME makes a new one"));
        }
        Ok(Self { client, session: record.id, is_temporary: false })
    }

    /// Makes a session from a template, by its name or id, over a directory.
    pub(super) fn create(client: Client, template: &str, worktree: &Path) -> Result<Self> {
        let worktree = worktree
            .to_str()
            .ok_or_else(|| Error::failed("INVALID_PATH", "the name of the current directory is not UTF-8 text"))?;
        let templates = client.templates()?.value;
        let found = templates.iter().find(|known| known.id == template || known.name == template).ok_or_else(|| {
            Error::failed("TEMPLATE_NOT_FOUND", format!("there is no template {template}"))
                .hint("`vm-system template list` shows what there is")
        })?;
        let request = body! {
            "template_id": found.id.as_str(),
            "workspace_id": "repl",
            "base_commit_oid": "HEAD",
            "worktree_path": worktree,
        };
        let session = client.create_session(request)?.value.id;
        Ok(Self { client, session, is_temporary: true })
    }
}

impl Place for Daemon {
    fn name(&self) -> String {
        format!("in session {}", self.session)
    }

    fn is_ours(&self) -> bool {
        false
    }

    fn start(&self, work: Work<'_>) -> Result<String> {
        let session = self.session.as_str();
        let started = match work {
            Work::Snippet(input) => self.client.repl(body! { "session_id": session, "input": input, "detach": true }),
            Work::File(path) => self.client.run_file(body! { "session_id": session, "path": path, "detach": true }),
        };
        Ok(started?.value.id)
    }

    fn follow(
        &self,
        id: &str,
        out: &mut Output,
        on: &mut dyn FnMut(Event, &mut Output) -> Result<()>,
    ) -> Result<Execution> {
        let stream = |news: &mut OnNews<'_>| self.client.watch_execution(id, 0, true, news);
        let mut ended = None;
        follow(out, None, stream, |name, document, out| {
            if name == "end" {
                ended = Some(understood(document)?);
                return Ok(ControlFlow::Break(()));
            }
            on(understood(document)?, out)?;
            Ok(ControlFlow::Continue(()))
        })?;
        ended.ok_or_else(|| Error::bad_answer(format!("the daemon did not say how execution {id} ended")))
    }

    fn document(&self, id: &str) -> Result<String> {
        Ok(self.client.execution(id)?.text)
    }

    fn canceller(&self) -> Result<Cancel> {
        let client = self.client.another()?;
        Ok(Box::new(move |id| {
            // It may have ended by itself, and whoever follows it sees how.
            drop(client.persistently(|client| client.cancel(id), |_| ()));
        }))
    }

    fn complete(&self, text: &str, cursor: u32) -> Result<(u32, Vec<String>)> {
        let found = self.client.complete(&self.session, body! { "source": text, "cursor": cursor })?.value;
        Ok((found.from, found.items.into_iter().map(|item| item.label).collect()))
    }

    fn is_whole(&self, input: &str) -> Result<bool> {
        Ok(self.client.check(&self.session, body! { "source": input })?.value.complete)
    }

    fn close(&self) -> Result<()> {
        if self.is_temporary {
            self.client.close_session(&self.session)?;
        }
        Ok(())
    }
}
