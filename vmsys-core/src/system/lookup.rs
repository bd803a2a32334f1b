//! What a console asks of a session between executions, and of the store.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use super::{Inner, Session, page};
use crate::error::{Error, ErrorKind, Result};
use crate::event::Payload;
use crate::execution::{Execution, ExecutionKind};
use crate::identifier::is_identifier;
use crate::isolation::home::After;
use crate::isolation::protocol::Realm;
use crate::lookup::{
    self, Answer, Completion, CompletionKind, Completions, FoundName, Globals, History, HistoryEntry, HistoryFilter,
    InputCheck, InputError, KEYWORDS, MOST_COMPLETIONS, MOST_HISTORY_BYTES, Place, Question, Wanted,
};
use crate::session::{self, Ended, LiveSession};
use crate::typescript::{self, Whole};
use crate::value::ValueType;

/// How long an answer may take. A realm gives up long before; only one that is taken apart, or stuck in the engine's native
/// code, takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

impl Session {
    /// Lists the session's globals: what its code has declared or set, and the built-in ones, too, if so.
    ///
    /// No code of the session's runs: getters are not called. What a long or deep value holds beyond its preview is not
    /// looked at, so that a change there is not seen.
    ///
    /// # Errors
    /// [`SessionBusy`](ErrorKind::SessionBusy) while code runs, and [`SessionNotReady`](ErrorKind::SessionNotReady).
    ///
    /// ```
    /// # use vmsys_core::{NewSession, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// let run = session.repl("const total = 20")?;
    /// let found = session.globals(false)?;
    /// let total = &found.globals[0];
    /// assert_eq!((total.name.as_str(), total.kind.as_str(), total.preview.as_str()), ("total", "const", "20"));
    /// assert_eq!(total.changed_by, Some(run.id));
    /// # Ok::<(), vmsys_core::Error>(())
    /// ```
    pub fn globals(&self, builtins: bool) -> Result<Globals> {
        let (session, ended, answer) = self.look_up(Question::Globals { builtins })?;
        let Answer::Globals { found, more } = answer else { return Err(no_answer()) };
        Ok(Globals { globals: session.looks(builtins).compare(found, ended), more })
    }

    /// Tells how a text may go on at a cursor, which stands behind so many UTF-16 units; at the end unless given.
    ///
    /// Global names are completed, words of the language, and properties of values that can be reached by names alone. No
    /// code of the session's runs: what only a call or a getter would tell is not told.
    ///
    /// # Errors
    /// As [`globals`](Self::globals), and [`Validation`](ErrorKind::Validation) for a cursor behind the end.
    ///
    /// ```
    /// # use vmsys_core::{NewSession, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// session.repl("const point = {left: 1, top: 2}")?;
    /// let found = session.complete("f(point.le", None)?;
    /// assert_eq!((found.from, found.items[0].label.as_str()), (8, "left"));
    /// # Ok::<(), vmsys_core::Error>(())
    /// ```
    pub fn complete(&self, source: &str, cursor: Option<u32>) -> Result<Completions> {
        let end = bytes_before(source, cursor)?;
        let before = &source[..end];
        let units = |text: &str| u32::try_from(text.encode_utf16().count()).unwrap_or(u32::MAX);
        let to = units(before);
        let Some(Place { from, wanted }) = lookup::place(before) else {
            // Refused where it would be refused otherwise: an answer says that the session can be asked.
            self.vm.inner.takes_turn(self.id)?.check_idle()?;
            return Ok(Completions { from: to, to, items: Vec::new() });
        };
        let from = units(&before[..from]);
        let (_, _, answer) = self.look_up(Question::Names(wanted.clone()))?;
        let Answer::Names(found) = answer else { return Err(no_answer()) };
        Ok(Completions { from, to, items: items(&wanted, found) })
    }

    /// Tells whether an input can be run as it is, or more lines could make it valid. Only a parser looks at it: the session
    /// may be busy.
    ///
    /// # Errors
    /// [`SessionNotReady`](ErrorKind::SessionNotReady).
    ///
    /// ```
    /// # use vmsys_core::{NewSession, NewTemplate, VmSystem};
    /// # let vm = VmSystem::in_memory()?;
    /// # let template = vm.create_template(NewTemplate::named("t"))?;
    /// let session = vm.create_session(NewSession::new(template.id, std::env::temp_dir()))?;
    /// assert!(!session.check("function twice(n) {")?.complete);
    /// assert!(session.check("1 +* 2")?.error.is_some());
    /// # Ok::<(), vmsys_core::Error>(())
    /// ```
    pub fn check(&self, source: &str) -> Result<InputCheck> {
        let session = self.vm.inner.takes_work(self.id)?;
        if !session.is_alive() {
            return Err(session::not_ready(self.id, session.record().status));
        }
        Ok(match typescript::is_whole(source, session.settings.runtime.typescript) {
            Whole::Yes => InputCheck { complete: true, error: None },
            Whole::Not => InputCheck { complete: false, error: None },
            Whole::Wrong(problem) => {
                let message = format!("SyntaxError: {}", problem.message);
                InputCheck {
                    complete: true,
                    error: Some(InputError { message, line: problem.line, column: problem.column }),
                }
            }
        })
    }

    /// Lists the snippets that were run in the session, newest first, also when it has ended.
    ///
    /// # Errors
    /// [`Validation`](ErrorKind::Validation) for a limit that is out of range, or the store failed.
    pub fn history(&self, filter: &HistoryFilter) -> Result<History> {
        let limit = page(filter.limit)?;
        let inner = &self.vm.inner;
        // Looked up first: what ends between the two look-ups is then in the store.
        let running = inner.live_session(self.id).and_then(|session| session.running());
        let running = running.into_iter().chain(inner.unstored_of(self.id));
        let mut entries = inner.store.inputs(self.id, filter.before, limit, MOST_HISTORY_BYTES)?;
        for live in running.filter(|live| live.request().kind == ExecutionKind::Repl) {
            let is_listed = entries.iter().any(|entry| entry.execution_id == live.id);
            let Some(input) = live.request().input.clone().filter(|_| !is_listed) else { continue };
            if filter.before.is_some_and(|before| live.id >= before) {
                continue;
            }
            let entry = HistoryEntry { execution_id: live.id, input, started_at: live.started_at() };
            let place = entries.partition_point(|other| other.execution_id > entry.execution_id);
            entries.insert(place, entry);
            entries.truncate(limit as usize);
        }
        Ok(History { entries })
    }

    /// Has the realm answer, while nothing runs in it.
    fn look_up(&self, question: Question) -> Result<(Arc<LiveSession>, Ended, Answer)> {
        let inner = &self.vm.inner;
        let session = inner.takes_turn(self.id)?;
        let (answer, answered) = channel();
        let task = {
            let (session, store) = (session.clone(), inner.store.clone());
            Box::new(move |realm: &mut dyn Realm| {
                let told = catch_unwind(AssertUnwindSafe(|| realm.ask(question))).ok().flatten();
                if told.is_none() {
                    session.crash(realm.lost().unwrap_or("its runtime failed when it was looked at"), false, &store);
                }
                let _ = answer.send(told);
                After::Sleep
            })
        };
        let ended = session.submit_idle(task)?;
        match answered.recv_timeout(PATIENCE) {
            Ok(Some(answer)) => Ok((session, ended, answer)),
            Ok(None) | Err(RecvTimeoutError::Disconnected) => {
                let status = session.record().status;
                if !session.is_alive() {
                    inner.forget_session(session.id);
                }
                Err(session::not_ready(session.id, status))
            }
            Err(RecvTimeoutError::Timeout) => {
                Err(Error::new(ErrorKind::SessionBusy, "the session takes too long to be looked at")
                    .with("session_id", session.id))
            }
        }
    }
}

impl Inner {
    /// Gives an execution from the store the tree of its value, which is kept with the event that tells it.
    pub(super) fn add_tree(&self, execution: &mut Execution) -> Result<()> {
        let Some(result) = &mut execution.result else { return Ok(()) };
        let last = match execution.events.last() {
            Some(last) => Some(last.payload.clone()),
            None => {
                let before_last = execution.metrics.event_count.saturating_sub(1);
                self.store.events(execution.id, before_last, 1)?.pop().map(|last| last.payload)
            }
        };
        if let Some(Payload::Value(value)) = last {
            result.tree = value.tree;
        }
        Ok(())
    }
}

fn no_answer() -> Error {
    Error::internal("the session could not be looked at", "an answer to another question")
}

/// How many bytes stand before a cursor. In the middle of a character, it stands before it.
fn bytes_before(source: &str, cursor: Option<u32>) -> Result<usize> {
    let Some(cursor) = cursor else { return Ok(source.len()) };
    let mut left = cursor as usize;
    for (at, char) in source.char_indices() {
        match left.checked_sub(char.len_utf16()) {
            Some(rest) if left > 0 => left = rest,
            _ => return Ok(at),
        }
    }
    if left == 0 {
        return Ok(source.len());
    }
    Err(Error::validation("cursor", "cursor must not be behind the end of source, which is counted in UTF-16 units"))
}

fn items(wanted: &Wanted, found: Vec<FoundName>) -> Vec<Completion> {
    let is_global = matches!(wanted, Wanted::Globals { .. });
    let item = |FoundName { name, value_type }: FoundName| Completion {
        label: lookup::label(&name),
        kind: match value_type {
            _ if is_global => CompletionKind::Global,
            Some(ValueType::Function) => CompletionKind::Method,
            _ => CompletionKind::Property,
        },
        detail: Some(value_type.map_or_else(|| "accessor".to_owned(), |kind| kind.to_string())),
    };
    let found = found.into_iter().filter(|found| !is_global || is_identifier(&found.name));
    let mut items: Vec<Completion> = found.map(item).collect();
    if let Wanted::Globals { prefix } = wanted {
        let keywords = KEYWORDS.iter().filter(|word| word.starts_with(prefix.as_str()));
        let keyword =
            |word: &&str| Completion { label: (*word).to_owned(), kind: CompletionKind::Keyword, detail: None };
        let keywords: Vec<_> =
            keywords.map(keyword).filter(|word| items.iter().all(|item| item.label != word.label)).collect();
        items.extend(keywords);
    }
    items.truncate(MOST_COMPLETIONS);
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_counted_in_utf16_units() {
        let source = "aé𝄞b";
        for (cursor, bytes) in [(0, 0), (1, 1), (2, 3), (3, 3), (4, 7), (5, 8)] {
            assert_eq!(bytes_before(source, Some(cursor)).unwrap(), bytes, "{cursor}");
        }
        assert_eq!(bytes_before(source, None).unwrap(), 8);
        assert_eq!(bytes_before("", Some(0)).unwrap(), 0);
        for (source, cursor) in [(source, 6), ("", 1), (source, u32::MAX)] {
            assert_eq!(bytes_before(source, Some(cursor)).unwrap_err().detail("field"), Some("cursor"));
        }
    }
}
