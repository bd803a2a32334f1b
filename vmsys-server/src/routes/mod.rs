//! The route table, one file a resource.

mod capabilities;
mod catalog;
mod executions;
mod given;
mod health;
mod lookup;
mod openapi;
mod runtime;
mod sessions;
mod streams;
mod templates;

pub use self::openapi::openapi_document;

use schemars::JsonSchema;
use serde::Serialize;
use vmsys_core::{CapabilityId, ExecutionId, SessionId, TemplateId, VmSystem};

use crate::param::{Declared, Param};
use crate::route::Route;

const LIMIT: Param<u32> = Param::number("limit", 1, 1000, "The most to answer: 50 unless given.");

const TEMPLATE: Param<TemplateId> = Param::new("template_id", "The template.");
const CAPABILITY: Param<CapabilityId> = Param::new("capability_id", "The capability.");
const SESSION: Param<SessionId> = Param::new("session_id", "The session.");
const EXECUTION: Param<ExecutionId> = Param::new("execution_id", "The execution.");
const NAME: Param<String> = Param::new("name", "The name of the module or library.");

/// What stands in the paths of routes.
const IN_PATHS: &[&dyn Declared] = &[&TEMPLATE, &CAPABILITY, &SESSION, &EXECUTION, &NAME];

/// Names of the caller's, as the core checks them: not empty, and without control characters.
const LABEL: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";

/// That it was done.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(rename = "OkStatus")]
enum Done {
    /// It was done.
    Ok,
}

/// Returns every route of the daemon.
pub(crate) fn all() -> impl Iterator<Item = Route<VmSystem>> {
    openapi::routes()
        .into_iter()
        .chain(health::routes())
        .chain(runtime::routes())
        .chain(catalog::routes())
        .chain(templates::routes())
        .chain(capabilities::routes())
        .chain(given::routes())
        .chain(sessions::routes())
        .chain(lookup::routes())
        .chain(executions::routes())
        .chain(streams::routes())
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::route::Router;

    /// The contract at a glance: a change here is a change of the API.
    const TABLE: &str = "\
        GET /api/v1/openapi.json Free\n\
        GET /api/v1/health Free\n\
        GET /api/v1/runtime/summary Brief\n\
        GET /api/v1/runtime/stats Brief\n\
        GET /metrics Brief\n\
        GET /api/v1/catalog/modules Brief\n\
        GET /api/v1/catalog/libraries Brief\n\
        GET /api/v1/templates Brief ?limit&before\n\
        POST /api/v1/templates Brief body\n\
        GET /api/v1/templates/{template_id} Brief\n\
        PATCH /api/v1/templates/{template_id} Brief body\n\
        DELETE /api/v1/templates/{template_id} Brief\n\
        GET /api/v1/templates/{template_id}/types Brief\n\
        GET /api/v1/templates/{template_id}/startup-files Brief\n\
        POST /api/v1/templates/{template_id}/startup-files Brief body\n\
        GET /api/v1/templates/{template_id}/capabilities Brief\n\
        POST /api/v1/templates/{template_id}/capabilities Brief body\n\
        DELETE /api/v1/templates/{template_id}/capabilities/{capability_id} Brief\n\
        GET /api/v1/templates/{template_id}/modules Brief\n\
        POST /api/v1/templates/{template_id}/modules Brief body\n\
        DELETE /api/v1/templates/{template_id}/modules/{name} Brief\n\
        GET /api/v1/templates/{template_id}/libraries Brief\n\
        POST /api/v1/templates/{template_id}/libraries Brief body\n\
        DELETE /api/v1/templates/{template_id}/libraries/{name} Brief\n\
        GET /api/v1/sessions Brief ?status&template_id&limit&before\n\
        POST /api/v1/sessions Long body\n\
        GET /api/v1/sessions/{session_id} Brief\n\
        DELETE /api/v1/sessions/{session_id} Brief\n\
        POST /api/v1/sessions/{session_id}/close Brief\n\
        GET /api/v1/sessions/{session_id}/files Brief ?path\n\
        GET /api/v1/sessions/{session_id}/globals Brief ?builtins\n\
        POST /api/v1/sessions/{session_id}/completions Brief body\n\
        POST /api/v1/sessions/{session_id}/check Brief body\n\
        GET /api/v1/sessions/{session_id}/history Brief ?limit&before\n\
        GET /api/v1/executions Brief ?session_id&limit&before\n\
        POST /api/v1/executions/repl Long body key\n\
        POST /api/v1/executions/run-file Long body key\n\
        GET /api/v1/executions/{execution_id} Brief\n\
        GET /api/v1/executions/{execution_id}/events Brief ?after_seq&limit&wait_ms\n\
        POST /api/v1/executions/{execution_id}/cancel Brief\n\
        GET /api/v1/executions/{execution_id}/events/stream Brief ?after_seq\n\
        GET /api/v1/sessions/{session_id}/events/stream Brief ?after&tail\n";

    #[test]
    fn the_table_is_the_contract() {
        let mut table = String::new();
        for route in all() {
            let _ = write!(table, "{route:?} {:?}", route.cost);
            if !route.query.is_empty() {
                let names: Vec<_> = route.query.iter().map(|param| param.name()).collect();
                let _ = write!(table, " ?{}", names.join("&"));
            }
            table.push_str(if route.body.is_some() { " body" } else { "" });
            table.push_str(if route.key.is_some() { " key\n" } else { "\n" });
        }
        assert_eq!(table, TABLE);
    }

    #[test]
    fn no_two_routes_are_in_each_others_way() {
        let router = Router::new(all()).unwrap();
        for route in all() {
            let path = route.path.replace(['{', '}'], "");
            let (found, params) = router.find(&route.method, &path).unwrap();
            assert_eq!(format!("{found:?}"), format!("{route:?}"));
            assert_eq!(params.len(), route.path.matches('{').count(), "{route:?}");
        }
    }

    #[test]
    fn a_word_where_an_id_belongs_is_another_route() {
        let router = Router::new(all()).unwrap();
        let error = router.find(&http::Method::GET, "/api/v1/executions/repl").unwrap_err();
        assert_eq!(error.detail("allow"), Some("POST"));
        for path in ["/api", "/api/v1", "/api/v1/", "/api/v2/health", "/health", "/api/v1/metrics"] {
            assert_eq!(router.find(&http::Method::GET, path).unwrap_err().code(), "NOT_FOUND", "{path}");
        }
    }
}
