//! What a start finds of the process before: sessions whose runtimes are gone, executions that will never end.

use std::sync::{Arc, OnceLock};

use rusqlite::params;

use super::fault::failure;
use super::{Store, column, event};
use crate::error::Result;
use crate::event::{Payload, SystemLevel};
use crate::execution::{ErrorCode, ExecutionError};
use crate::time::Timestamp;

/// How much was left behind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Recovered {
    /// Sessions that were closed.
    pub(crate) sessions: usize,
    /// Executions that were cancelled.
    pub(crate) executions: usize,
}

impl Store {
    /// Closes sessions that a process left `starting` or `ready`, and ends executions that it left `running` as
    /// `cancelled`, each with a last event that says why. All or nothing; a second time finds nothing.
    pub(crate) fn recover(&self, reason: &str, now: Timestamp) -> Result<Recovered> {
        let reason = reason.to_owned();
        let error =
            ExecutionError { message: reason.clone(), stack: None, name: None, code: Some(ErrorCode::Cancelled) };
        let payload = Payload::System {
            level: SystemLevel::Warn,
            message: reason.clone(),
            code: Some(ErrorCode::Cancelled.as_str().to_owned()),
        };
        let error =
            serde_json::to_string(&error).map_err(|error| failure("a reason cannot be written as JSON", error))?;
        let (kind, output) = (payload.type_name(), column::stored(payload.output_bytes()));
        let payload = event::payload_text(&payload)?;
        let now = now.as_millis();
        let found = Arc::new(OnceLock::new());
        let answer = Arc::clone(&found);
        self.write(move |connection| {
            // The next place in each: one statement for all of them. No event is older than the start of its execution.
            connection.execute(
                "INSERT INTO events (execution_id, seq, ts, type, payload)
                 SELECT id, 1 + (SELECT coalesce(max(seq), 0) FROM events WHERE execution_id = executions.id),
                        max(?1, started_at), ?2, ?3
                 FROM executions WHERE status = 'running'",
                params![now, kind, payload],
            )?;
            let executions = connection.execute(
                "UPDATE executions SET status = 'cancelled', ended_at = max(?1, started_at), error = ?2,
                        result_type = NULL, result_preview = NULL, result_json = NULL,
                        event_count = (SELECT count(*) FROM events WHERE execution_id = executions.id),
                        output_bytes = output_bytes + ?3
                 WHERE status = 'running'",
                params![now, error, output],
            )?;
            let sessions = connection.execute(
                "UPDATE sessions SET status = 'closed', closed_at = max(?1, created_at), last_error = ?2
                 WHERE status IN ('starting', 'ready')",
                params![now, reason],
            )?;
            let _ = answer.set(Recovered { sessions, executions });
            Ok(())
        })?;
        Ok(found.get().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::execution::ExecutionStatus;
    use crate::ids::TemplateId;
    use crate::session::SessionStatus;
    use crate::store::tests::{in_memory, new_execution, new_session};

    #[test]
    fn what_was_alive_is_ended_and_says_why() {
        let store = in_memory();
        let mut sessions = Vec::new();
        for status in [SessionStatus::Starting, SessionStatus::Ready, SessionStatus::Crashed, SessionStatus::Closed] {
            let mut session = new_session(TemplateId::new());
            session.status = status;
            store.insert_session(&session).unwrap();
            sessions.push(session);
        }
        let mut executions = Vec::new();
        for (events, status) in
            [(0, ExecutionStatus::Running), (2, ExecutionStatus::Running), (2, ExecutionStatus::Timeout)]
        {
            let mut execution = new_execution(sessions[1].id);
            execution.events.truncate(events);
            execution.status = status;
            execution.ended_at = (status != ExecutionStatus::Running).then_some(execution.started_at);
            execution.metrics.event_count = events as u64;
            execution.metrics.output_bytes = 5;
            store.save_execution(&Arc::new(execution.clone()), 1).unwrap();
            executions.push(execution);
        }

        let now = Timestamp::from_millis(executions[0].started_at.as_millis() + 1_000);
        let reason = "the \"daemon\" was restarted";
        assert_eq!(store.recover(reason, now).unwrap(), Recovered { sessions: 2, executions: 2 });
        assert_eq!(store.recover("again", now).unwrap(), Recovered::default());

        for session in &sessions[..2] {
            let found = store.session(session.id).unwrap();
            assert_eq!((found.status, found.closed_at), (SessionStatus::Closed, Some(now)));
            assert_eq!(found.last_error.as_deref(), Some(reason));
        }
        for session in &sessions[2..] {
            assert_eq!(&store.session(session.id).unwrap(), session);
        }
        for execution in &executions[..2] {
            let found = store.execution(execution.id).unwrap();
            assert_eq!((found.status, found.ended_at, found.result), (ExecutionStatus::Cancelled, Some(now), None));
            assert_eq!(found.error.unwrap().code, Some(ErrorCode::Cancelled));
            assert_eq!(found.metrics.output_bytes, 5 + reason.len() as u64);
            let events = store.events(execution.id, 0, u32::MAX).unwrap();
            assert_eq!(found.metrics.event_count, events.len() as u64);
            assert!(events.iter().map(|event| event.seq).eq(1..=events.len() as u64), "{events:?}");
            assert_eq!(events[..events.len() - 1], execution.events);
            let last = events.last().unwrap();
            assert_eq!(last.ts, now);
            assert_eq!(
                last.payload,
                Payload::System {
                    level: SystemLevel::Warn,
                    message: reason.to_owned(),
                    code: Some("CANCELLED".to_owned())
                }
            );
        }
        assert_eq!(store.events(executions[2].id, 0, u32::MAX).unwrap(), executions[2].events);
        assert_eq!(store.execution(executions[2].id).unwrap().status, ExecutionStatus::Timeout);
    }

    #[test]
    fn nothing_ends_before_it_began() {
        let store = in_memory();
        let session = new_session(TemplateId::new());
        store.insert_session(&session).unwrap();
        let mut execution = new_execution(session.id);
        execution.status = ExecutionStatus::Running;
        store.save_execution(&Arc::new(execution.clone()), 1).unwrap();
        store.recover("the clock was set back", Timestamp::from_millis(0)).unwrap();
        assert_eq!(store.execution(execution.id).unwrap().ended_at, Some(execution.started_at));
        assert_eq!(store.session(session.id).unwrap().closed_at, Some(session.created_at));
    }
}
