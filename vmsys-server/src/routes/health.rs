//! Whether the daemon is there.

use schemars::JsonSchema;
use serde::Serialize;
use vmsys_core::VmSystem;

use super::Done;
use crate::error::ApiError;
use crate::reply::Json;
use crate::route::{Cost, Request, Route};

pub(super) fn routes() -> [Route<VmSystem>; 1] {
    [Route::get("/api/v1/health", health)
        .named("getHealth", "Tells that the daemon is there")
        .saying(
            "It answers within a second whatever sessions are doing, and needs no token. As with every answer, the header \
             `Server` names the version and the commit: `vm-system/1.2.3 (0123456789ab)`.",
        )
        .costing(Cost::Free)]
}

/// That the daemon is there.
#[derive(Serialize, JsonSchema)]
struct Health {
    status: Done,
}

fn health<C>(_: &C, _: &Request) -> Result<Json<Health>, ApiError> {
    Ok(Json(Health { status: Done::Ok }))
}
