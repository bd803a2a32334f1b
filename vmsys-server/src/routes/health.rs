//! Whether the daemon is there.

use serde::Serialize;
use vmsys_core::VmSystem;

use crate::error::ApiError;
use crate::route::{Answer, Cost, Request, Route};

pub(super) fn routes() -> [Route<VmSystem>; 1] {
    [Route::get("/api/v1/health", health).costing(Cost::Free)]
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

fn health<C>(_: &C, _: &Request) -> Result<Answer, ApiError> {
    Answer::ok(&Health { status: "ok" })
}
