//! Sessions.

use serde::{Deserialize, Serialize};
use vmsys_core::{NewSession, SessionFilter, SessionRecord, TemplateId, VmSystem};

use super::MOST;
use crate::decode::id_field;
use crate::error::ApiError;
use crate::query::Query;
use crate::route::{Answer, Cost, Request, Route};

pub(super) fn routes() -> [Route<VmSystem>; 5] {
    [
        Route::get("/api/v1/sessions", list).with_query(&["status", "template_id", "limit", "before"]),
        Route::post("/api/v1/sessions", create).with_body().costing(Cost::Long),
        Route::get("/api/v1/sessions/{session_id}", detail),
        Route::delete("/api/v1/sessions/{session_id}", close),
        Route::post("/api/v1/sessions/{session_id}/close", close),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateSession {
    #[serde(deserialize_with = "id_field")]
    template_id: TemplateId,
    workspace_id: String,
    base_commit_oid: String,
    worktree_path: String,
}

impl From<CreateSession> for NewSession {
    fn from(body: CreateSession) -> Self {
        Self::new(body.template_id, body.worktree_path).workspace(body.workspace_id).base_commit(body.base_commit_oid)
    }
}

/// A session as existing clients also know it: with its template's id under the old name.
#[derive(Serialize)]
pub(super) struct SessionView {
    vm_id: TemplateId,
    #[serde(flatten)]
    record: SessionRecord,
}

impl From<SessionRecord> for SessionView {
    fn from(record: SessionRecord) -> Self {
        Self { vm_id: record.template_id, record }
    }
}

fn filter(query: &Query) -> Result<SessionFilter, ApiError> {
    let mut filter = SessionFilter::default();
    filter.status = query.value("status")?;
    filter.template_id = query.id("template_id")?;
    filter.before = query.id("before")?;
    filter.limit = query.limit(MOST)?;
    Ok(filter)
}

fn list(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let records = vm.sessions(&filter(&request.query)?)?;
    Answer::ok(&records.into_iter().map(SessionView::from).collect::<Vec<_>>())
}

fn create(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let session = vm.create_session(request.json::<CreateSession>()?.into())?;
    Answer::created(&SessionView::from(session.record()?))
}

fn detail(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    Answer::ok(&SessionView::from(vm.session(request.id("session_id")?)?.record()?))
}

fn close(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    Answer::ok(&SessionView::from(vm.session(request.id("session_id")?)?.close()?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vmsys_core::SessionStatus;

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
        let parse = |raw: &str| {
            Query::parse(raw, &["status", "template_id", "limit", "before"]).and_then(|query| filter(&query))
        };
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
