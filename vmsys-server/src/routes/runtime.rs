//! What is alive in memory.

use vmsys_core::VmSystem;

use crate::error::ApiError;
use crate::route::{Answer, Request, Route};

pub(super) fn routes() -> [Route<VmSystem>; 1] {
    [Route::get("/api/v1/runtime/summary", summary)]
}

fn summary(vm: &VmSystem, _: &Request) -> Result<Answer, ApiError> {
    Answer::ok(&vm.runtime_summary())
}
