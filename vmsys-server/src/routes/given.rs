//! Modules and libraries of templates: lists of names.

use serde::{Deserialize, Serialize};
use vmsys_core::{TemplateId, VmSystem};

use crate::error::ApiError;
use crate::route::{Answer, Request, Route};

pub(super) fn routes() -> [Route<VmSystem>; 6] {
    [
        Route::get("/api/v1/templates/{template_id}/modules", modules),
        Route::post("/api/v1/templates/{template_id}/modules", add_module).with_body(),
        Route::delete("/api/v1/templates/{template_id}/modules/{name}", remove_module),
        Route::get("/api/v1/templates/{template_id}/libraries", libraries),
        Route::post("/api/v1/templates/{template_id}/libraries", add_library).with_body(),
        Route::delete("/api/v1/templates/{template_id}/libraries/{name}", remove_library),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Named {
    name: String,
}

#[derive(Serialize)]
struct Given {
    template_id: TemplateId,
    name: String,
}

#[derive(Serialize)]
struct Removed {
    status: &'static str,
    template_id: TemplateId,
    name: String,
}

fn modules(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    Answer::ok(&vm.modules(request.id("template_id")?)?)
}

fn add_module(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let template_id = request.id("template_id")?;
    let Named { name } = request.json()?;
    vm.add_module(template_id, &name)?;
    Answer::created(&Given { template_id, name })
}

fn remove_module(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let (template_id, name) = (request.id("template_id")?, request.text("name")?);
    vm.remove_module(template_id, &name)?;
    Answer::ok(&Removed { status: "ok", template_id, name })
}

fn libraries(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    Answer::ok(&vm.libraries(request.id("template_id")?)?)
}

fn add_library(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let template_id = request.id("template_id")?;
    let Named { name } = request.json()?;
    vm.add_library(template_id, &name)?;
    Answer::created(&Given { template_id, name })
}

fn remove_library(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let (template_id, name) = (request.id("template_id")?, request.text("name")?);
    vm.remove_library(template_id, &name)?;
    Answer::ok(&Removed { status: "ok", template_id, name })
}
