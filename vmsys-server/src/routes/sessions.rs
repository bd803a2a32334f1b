//! Sessions.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vmsys_core::{
    NewSession, SessionFilter, SessionId, SessionRecord, SessionStatus, TemplateId, Timestamp, VmSystem, WorktreeView,
};

use super::{LABEL, LIMIT, SESSION};
use crate::decode::id_field;
use crate::error::{ApiError, Code};
use crate::param::{Declared, Param};
use crate::query::Query;
use crate::reply::{Created, Json};
use crate::route::{Cost, Request, Route, Sent};

const STATUS: Param<SessionStatus> = Param::new("status", "Only sessions of this status.");
const TEMPLATE: Param<TemplateId> = Param::new("template_id", "Only sessions of this template.");
const BEFORE: Param<SessionId> = Param::new("before", "Only sessions older than this one: the last of a page.");

const PATH: Param<String> = Param::new("path", "A path from the worktree; unless given, the worktree itself.");

/// What a list can be asked for.
const FILTER: &[&dyn Declared] = &[&STATUS, &TEMPLATE, &LIMIT, &BEFORE];

pub(super) fn routes() -> [Route<VmSystem>; 6] {
    [
        Route::get("/api/v1/sessions", list).named("listSessions", "Lists sessions, newest first").with_query(FILTER),
        Route::post("/api/v1/sessions", create)
            .named("createSession", "Creates a session, and waits until its startup files have run")
            .saying(
                "It is answered as `ready`. When a startup file or library fails, it is kept as `crashed`, with \
                 `last_error`, and holds no runtime.",
            )
            .refusing(&[
                Code::TemplateNotFound,
                Code::TemplateInactive,
                Code::InvalidPath,
                Code::StartupFailed,
                Code::ModuleNotAllowed,
                Code::LibraryNotFound,
                Code::LibraryDamaged,
            ])
            .costing(Cost::Long),
        Route::get("/api/v1/sessions/{session_id}", detail)
            .named("getSession", "Reads a session, alive or not")
            .refusing(&[Code::SessionNotFound]),
        Route::delete("/api/v1/sessions/{session_id}", close)
            .named("deleteSession", "Closes a session; its history stays")
            .saying("The same as `POST` to its `close`.")
            .refusing(&[Code::SessionNotFound]),
        Route::act("/api/v1/sessions/{session_id}/close", close)
            .named("closeSession", "Closes a session; its history stays")
            .saying("A running execution is cancelled first. To close what is closed is fine.")
            .refusing(&[Code::SessionNotFound]),
        Route::get("/api/v1/sessions/{session_id}/files", files)
            .named(
                "lookAtFiles",
                "Tells what stands at a path of a session's worktree: a directory's entries, or a file's text",
            )
            .saying("No code runs, and the session need not be alive.")
            .with_query(&[&PATH])
            .refusing(&[Code::SessionNotFound, Code::FileNotFound, Code::InvalidPath]),
    ]
}

/// A session to be created.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateSession {
    /// The template to make it from.
    #[serde(deserialize_with = "id_field")]
    template_id: TemplateId,
    /// Your name for the workspace: 1 to 200 characters, none of them a control character.
    #[schemars(length(min = 1, max = 200), regex(pattern = LABEL), example = &"docs")]
    workspace_id: String,
    /// Your name for the state of the worktree: 1 to 200 characters, none of them a control character.
    #[schemars(length(min = 1, max = 200), regex(pattern = LABEL), example = &"HEAD")]
    base_commit_oid: String,
    /// An absolute path of a directory that exists, whose files the session's code may run.
    #[schemars(length(min = 1), example = &"/srv/docs")]
    worktree_path: String,
}

impl From<CreateSession> for NewSession {
    fn from(body: CreateSession) -> Self {
        Self::new(body.template_id, body.worktree_path).workspace(body.workspace_id).base_commit(body.base_commit_oid)
    }
}

/// A session: a runtime that lasts from one execution to the next, or what is kept of one.
// As existing clients also know it: with its template's id under the old name.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Session")]
pub(super) struct SessionView {
    /// The template once more, under its old name.
    vm_id: TemplateId,
    #[serde(flatten)]
    record: SessionRecord,
    /// When its last execution ended, or began if it still runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_activity_at: Option<Timestamp>,
    /// The bytes of memory that its code used when that execution ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    memory_bytes: Option<u64>,
}

impl From<SessionRecord> for SessionView {
    fn from(record: SessionRecord) -> Self {
        Self { vm_id: record.template_id, record, last_activity_at: None, memory_bytes: None }
    }
}

fn filter(query: &Query) -> Result<SessionFilter, ApiError> {
    let mut filter = SessionFilter::default();
    filter.status = query.get(&STATUS)?;
    filter.template_id = query.get(&TEMPLATE)?;
    filter.before = query.get(&BEFORE)?;
    filter.limit = query.get(&LIMIT)?;
    Ok(filter)
}

fn list(vm: &VmSystem, request: &Request) -> Result<Json<Vec<SessionView>>, ApiError> {
    Ok(Json(with_activity(vm, vm.sessions(&filter(&request.query)?)?)?))
}

/// Shows sessions with what they did last.
fn with_activity(vm: &VmSystem, records: Vec<SessionRecord>) -> Result<Vec<SessionView>, ApiError> {
    let ids: Vec<_> = records.iter().map(|record| record.id).collect();
    let activity = vm.activity(&ids)?;
    let activity: HashMap<_, _> = activity.into_iter().map(|activity| (activity.session_id, activity)).collect();
    let with = |record: SessionRecord| {
        let last = activity.get(&record.id);
        SessionView {
            last_activity_at: last.map(|last| last.last_activity_at),
            memory_bytes: last.map(|last| last.memory_bytes),
            ..record.into()
        }
    };
    Ok(records.into_iter().map(with).collect())
}

/// Shows one session with what it did last.
pub(super) fn shown(vm: &VmSystem, record: SessionRecord) -> Result<SessionView, ApiError> {
    let mut views = with_activity(vm, vec![record])?;
    views.pop().ok_or_else(|| ApiError::internal("a session was shown as none"))
}

fn create(vm: &VmSystem, _: &Request, body: Sent<CreateSession>) -> Result<Created<SessionView>, ApiError> {
    Ok(Created(shown(vm, vm.create_session(body.read()?.into())?.record()?)?))
}

fn detail(vm: &VmSystem, request: &Request) -> Result<Json<SessionView>, ApiError> {
    Ok(Json(shown(vm, vm.session(request.path(&SESSION)?)?.record()?)?))
}

fn files(vm: &VmSystem, request: &Request) -> Result<Json<WorktreeView>, ApiError> {
    let session = vm.session(request.path(&SESSION)?)?;
    Ok(Json(session.look(&request.query.get(&PATH)?.unwrap_or_default())?))
}

fn close(vm: &VmSystem, request: &Request) -> Result<Json<SessionView>, ApiError> {
    Ok(Json(shown(vm, vm.session(request.path(&SESSION)?)?.close()?)?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::decode;

    const ID: &str = "01950000-0000-7000-8000-000000000000";

    #[test]
    fn all_four_fields_are_required() {
        let whole = json!({"template_id": ID, "workspace_id": "w", "base_commit_oid": "c", "worktree_path": "/tmp"});
        let new: NewSession = decode::object::<CreateSession>(whole.to_string().as_bytes()).unwrap().into();
        assert_eq!(new, NewSession::new(ID.parse().unwrap(), "/tmp").workspace("w").base_commit("c"));

        for field in ["template_id", "workspace_id", "base_commit_oid", "worktree_path"] {
            let mut body = whole.clone();
            body.as_object_mut().unwrap().remove(field);
            for body in [body.clone(), {
                body[field] = 7.into();
                body
            }] {
                let error = decode::object::<CreateSession>(body.to_string().as_bytes()).unwrap_err();
                assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some(field)), "{body}");
            }
        }
    }

    #[test]
    fn a_template_goes_by_its_new_name_only() {
        let body = json!({"vm_id": ID, "workspace_id": "w", "base_commit_oid": "c", "worktree_path": "/tmp"});
        let error = decode::object::<CreateSession>(body.to_string().as_bytes()).unwrap_err();
        assert_eq!((error.code(), error.detail("field")), ("INVALID_REQUEST", Some("vm_id")));
    }

    #[test]
    fn lists_are_filtered_as_asked() {
        let parse = |raw: &str| Query::parse(raw, FILTER).and_then(|query| filter(&query));
        let none = parse("").unwrap();
        assert!(none.status.is_none() && none.template_id.is_none() && none.before.is_none() && none.limit.is_none());
        let all = parse(&format!("status=crashed&template_id={ID}&before={ID}&limit=3")).unwrap();
        assert_eq!((all.status, all.limit), (Some(SessionStatus::Crashed), Some(3)));
        assert_eq!(all.template_id.unwrap().to_string(), ID);
        assert_eq!(all.before.unwrap().to_string(), ID);
        for (raw, field) in [
            ("status=open", "status"),
            ("template_id=1", "template_id"),
            ("before=1", "before"),
            ("limit=1001", "limit"),
        ] {
            assert_eq!(parse(raw).unwrap_err().detail("field"), Some(field));
        }
    }

    #[test]
    fn old_clients_find_the_template_as_vm_id() {
        let mut json = json!({
            "id": ID, "template_id": ID, "workspace_id": "w", "base_commit_oid": "c", "worktree_path": "/tmp",
            "status": "ready", "created_at": "2026-02-08T00:00:00.000Z", "runtime_meta": {"engine": "quickjs"},
        });
        let record: SessionRecord = serde_json::from_value(json.clone()).unwrap();
        json["vm_id"] = ID.into();
        assert_eq!(serde_json::to_value(SessionView::from(record)).unwrap(), json);
    }
}
