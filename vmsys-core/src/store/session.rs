//! Sessions.

use rusqlite::{Connection, Row, params};

use super::fault::{Fault, failure};
use super::{Store, all, column, first};
use crate::error::{Error, ErrorKind, Result};
use crate::ids::{SessionId, TemplateId};
use crate::session::{SessionActivity, SessionFilter, SessionRecord, SessionStatus};
use crate::time::Timestamp;

impl Store {
    /// # Errors
    /// [`InvalidPath`](ErrorKind::InvalidPath) for a worktree whose path is not Unicode: no answer could show it.
    pub(crate) fn insert_session(&self, session: &SessionRecord) -> Result<()> {
        let session = session.clone();
        let meta = serde_json::to_string(&session.runtime_meta)
            .map_err(|error| failure("a session cannot be written as JSON", error))?;
        self.write(move |connection| {
            let worktree = session.worktree_path.to_str().ok_or_else(|| {
                Error::new(ErrorKind::InvalidPath, "the worktree's path is not Unicode")
                    .with("worktree_path", session.worktree_path.display())
            })?;
            let mut insert = connection.prepare_cached(
                "INSERT INTO sessions (id, template_id, workspace_id, base_commit_oid, worktree_path, status,
                                       created_at, closed_at, last_error, runtime_meta)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
            )?;
            insert.execute(params![
                session.id.as_bytes(),
                session.template_id.as_bytes(),
                session.workspace_id,
                session.base_commit_oid,
                worktree,
                session.status.as_str(),
                session.created_at.as_millis(),
                session.closed_at.map(Timestamp::as_millis),
                session.last_error,
                meta,
            ])?;
            Ok(())
        })
    }

    /// Counts the sessions of each status.
    pub(crate) fn count_sessions(&self) -> Result<Vec<(SessionStatus, u64)>> {
        self.read(|connection| {
            let select = connection.prepare_cached("SELECT status, count(*) AS count FROM sessions GROUP BY status")?;
            all(select, [], |row| {
                Ok((column::word(row, "status", |text| text.parse().ok())?, column::count(row, "count")?))
            })
        })
    }

    /// Writes all three columns as they are given: `None` clears.
    ///
    /// # Errors
    /// [`SessionNotFound`](ErrorKind::SessionNotFound). Detail: `session_id`.
    pub(crate) fn update_session(
        &self,
        id: SessionId,
        status: SessionStatus,
        closed_at: Option<Timestamp>,
        last_error: Option<&str>,
    ) -> Result<()> {
        let last_error = last_error.map(str::to_owned);
        self.write(move |connection| update(connection, id, status, closed_at, last_error.as_deref()))
    }

    /// # Errors
    /// [`SessionNotFound`](ErrorKind::SessionNotFound). Detail: `session_id`.
    pub(crate) fn session(&self, id: SessionId) -> Result<SessionRecord> {
        self.read(|connection| {
            let select = connection.prepare_cached("SELECT * FROM sessions WHERE id = ?1")?;
            first(select, [id.as_bytes()], session)?.ok_or_else(|| not_found(id).into())
        })
    }

    /// Lists sessions, newest first; the filter's own `limit` is the caller's to resolve.
    pub(crate) fn sessions(&self, filter: &SessionFilter, limit: u32) -> Result<Vec<SessionRecord>> {
        self.read(|connection| {
            let before = filter.before.as_ref().map_or(&column::AFTER_ALL, SessionId::as_bytes);
            // One text a case, so that each has the index that fits.
            let select = |sql| connection.prepare_cached(sql);
            match (filter.template_id, filter.status) {
                (None, None) => all(
                    select("SELECT * FROM sessions WHERE id < ?1 ORDER BY id DESC LIMIT ?2")?,
                    params![before, limit],
                    session,
                ),
                (Some(template), None) => all(
                    select("SELECT * FROM sessions WHERE id < ?1 AND template_id = ?3 ORDER BY id DESC LIMIT ?2")?,
                    params![before, limit, template.as_bytes()],
                    session,
                ),
                (None, Some(status)) => all(
                    select("SELECT * FROM sessions WHERE id < ?1 AND status = ?3 ORDER BY id DESC LIMIT ?2")?,
                    params![before, limit, status.as_str()],
                    session,
                ),
                (Some(template), Some(status)) => all(
                    select(
                        "SELECT * FROM sessions WHERE id < ?1 AND template_id = ?3 AND status = ?4
                         ORDER BY id DESC LIMIT ?2",
                    )?,
                    params![before, limit, template.as_bytes(), status.as_str()],
                    session,
                ),
            }
        })
    }

    /// Tells what each of these sessions did last; one that has run nothing is left out.
    pub(crate) fn activity(&self, ids: &[SessionId]) -> Result<Vec<SessionActivity>> {
        // As text, because SQLite makes rows of a JSON array, and of nothing else that it is given.
        let ids: Vec<String> = ids.iter().map(|id| id.to_string().replace('-', "")).collect();
        let ids = serde_json::to_string(&ids).map_err(|error| failure("ids cannot be written as JSON", error))?;
        self.read(|connection| {
            let select = connection.prepare_cached(
                "SELECT last.session_id, last.started_at, last.ended_at, last.memory_bytes
                 FROM json_each(?1) AS asked
                 JOIN executions AS last
                   ON last.id = (SELECT max(id) FROM executions WHERE session_id = unhex(asked.value))",
            )?;
            all(select, [ids], |row| {
                Ok(SessionActivity {
                    session_id: column::id(row, "session_id", SessionId::from_bytes)?,
                    last_activity_at: match column::optional_time(row, "ended_at")? {
                        Some(ended) => ended,
                        None => column::time(row, "started_at")?,
                    },
                    memory_bytes: column::count(row, "memory_bytes")?,
                })
            })
        })
    }
}

pub(super) fn update(
    connection: &Connection,
    id: SessionId,
    status: SessionStatus,
    closed_at: Option<Timestamp>,
    last_error: Option<&str>,
) -> Result<(), Fault> {
    let mut update =
        connection.prepare_cached("UPDATE sessions SET status = ?2, closed_at = ?3, last_error = ?4 WHERE id = ?1")?;
    let closed_at = closed_at.map(Timestamp::as_millis);
    let updated = update.execute(params![id.as_bytes(), status.as_str(), closed_at, last_error])?;
    if updated == 0 { Err(not_found(id).into()) } else { Ok(()) }
}

pub(super) fn exists(connection: &Connection, id: SessionId) -> Result<bool, Fault> {
    Ok(connection.prepare_cached("SELECT 1 FROM sessions WHERE id = ?1")?.exists([id.as_bytes()])?)
}

pub(super) fn not_found(id: SessionId) -> Error {
    Error::new(ErrorKind::SessionNotFound, "Session not found").with("session_id", id)
}

fn session(row: &Row<'_>) -> Result<SessionRecord, Fault> {
    Ok(SessionRecord {
        id: column::id(row, "id", SessionId::from_bytes)?,
        template_id: column::id(row, "template_id", TemplateId::from_bytes)?,
        workspace_id: row.get("workspace_id")?,
        base_commit_oid: row.get("base_commit_oid")?,
        worktree_path: column::text(row, "worktree_path")?.into(),
        status: column::word(row, "status", |text| text.parse().ok())?,
        created_at: column::time(row, "created_at")?,
        closed_at: column::optional_time(row, "closed_at")?,
        last_error: row.get("last_error")?,
        runtime_meta: column::json(row, "runtime_meta")?,
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::sync::Arc;

    use super::*;
    use crate::execution::ExecutionStatus;
    use crate::store::tests::{in_memory, new_execution, new_session};

    #[test]
    fn a_session_is_read_back_and_updated() {
        let store = in_memory();
        let mut session = new_session(TemplateId::new());
        session.runtime_meta.insert("engine".to_owned(), "quickjs".into());
        assert_eq!(store.session(session.id).unwrap_err().detail("session_id"), Some(session.id.to_string().as_str()));
        assert!(store.update_session(session.id, SessionStatus::Ready, None, None).unwrap_err().is_not_found());
        store.insert_session(&session).unwrap();
        assert_eq!(store.session(session.id).unwrap(), session);

        let closed_at = Some(Timestamp::from_millis(77));
        store.update_session(session.id, SessionStatus::Crashed, closed_at, Some("boom")).unwrap();
        session.status = SessionStatus::Crashed;
        session.closed_at = closed_at;
        session.last_error = Some("boom".to_owned());
        assert_eq!(store.session(session.id).unwrap(), session);
    }

    #[test]
    fn every_filter_finds_its_own() {
        let store = in_memory();
        let templates = [TemplateId::new(), TemplateId::new()];
        let mut made = Vec::new();
        for number in 0..8 {
            let mut session = new_session(templates[number % 2]);
            session.status = if number < 4 { SessionStatus::Closed } else { SessionStatus::Ready };
            store.insert_session(&session).unwrap();
            made.push(session);
        }
        made.reverse();
        for template_id in [None, Some(templates[0]), Some(templates[1]), Some(TemplateId::new())] {
            for status in [None, Some(SessionStatus::Closed), Some(SessionStatus::Crashed)] {
                for before in [None, Some(made[3].id)] {
                    for limit in [1, 2, 50] {
                        let filter = SessionFilter { status, template_id, before, limit: None };
                        let expected: Vec<_> = made
                            .iter()
                            .filter(|session| template_id.is_none_or(|id| session.template_id == id))
                            .filter(|session| status.is_none_or(|status| session.status == status))
                            .filter(|session| before.is_none_or(|before| session.id < before))
                            .take(limit as usize)
                            .cloned()
                            .collect();
                        assert_eq!(store.sessions(&filter, limit).unwrap(), expected, "{filter:?}");
                    }
                }
            }
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_worktree_must_be_unicode() {
        use std::os::unix::ffi::OsStrExt;
        let store = in_memory();
        let mut session = new_session(TemplateId::new());
        session.worktree_path = std::ffi::OsStr::from_bytes(b"/tmp/\xff").into();
        assert_eq!(store.insert_session(&session).unwrap_err().kind(), ErrorKind::InvalidPath);
    }

    #[test]
    fn activity_is_that_of_the_last_execution_of_each() {
        let store = in_memory();
        let sessions: Vec<_> = (0..3).map(|_| new_session(TemplateId::new())).collect();
        for session in &sessions {
            store.insert_session(session).unwrap();
        }
        let ids: Vec<_> = sessions.iter().map(|session| session.id).collect();
        assert_eq!(store.activity(&ids).unwrap(), []);

        let mut running = new_execution(ids[1]);
        (running.ended_at, running.status) = (None, ExecutionStatus::Running);
        for (id, memory_bytes) in [(ids[0], 1), (ids[0], 2)] {
            let mut execution = new_execution(id);
            execution.metrics.memory_bytes = memory_bytes;
            store.save_execution(&Arc::new(execution), 1).unwrap();
        }
        store.save_execution(&Arc::new(running.clone()), 1).unwrap();
        let activity = store.activity(&ids).unwrap();
        let shown: Vec<_> = activity.iter().map(|of| (of.session_id, of.memory_bytes)).collect();
        assert_eq!(shown, [(ids[0], 2), (ids[1], 107_000)]);
        assert_eq!(activity[1].last_activity_at, running.started_at);
        assert_eq!(store.activity(&[]).unwrap(), []);
    }
}
