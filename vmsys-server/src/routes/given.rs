//! Modules and libraries of templates: lists of names.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use vmsys_core::{TemplateId, VmSystem};

use super::{Done, NAME, TEMPLATE};
use crate::error::{ApiError, Code};
use crate::reply::{Created, Json};
use crate::route::{Request, Route, Sent};

pub(super) fn routes() -> [Route<VmSystem>; 6] {
    [
        Route::get("/api/v1/templates/{template_id}/modules", modules)
            .named("listModules", "Lists the native modules that a template was given by name")
            .saying("Capabilities may add others, or take these away.")
            .refusing(&[Code::TemplateNotFound]),
        Route::post("/api/v1/templates/{template_id}/modules", add_module)
            .named("addModule", "Gives a template a native module")
            .saying("That it has it already is fine. Sessions that exist keep what they were created with.")
            .refusing(&[Code::TemplateNotFound, Code::ModuleNotAllowed]),
        Route::delete("/api/v1/templates/{template_id}/modules/{name}", remove_module)
            .named("removeModule", "Takes a native module from a template")
            .saying("That it has none of this name is fine.")
            .refusing(&[Code::TemplateNotFound]),
        Route::get("/api/v1/templates/{template_id}/libraries", libraries)
            .named(
                "listLibraries",
                "Lists the libraries that a template was given, in the order in which they are loaded",
            )
            .refusing(&[Code::TemplateNotFound]),
        Route::post("/api/v1/templates/{template_id}/libraries", add_library)
            .named("addLibrary", "Gives a template a library, by its name or by name and version")
            .saying("That it has it already is fine. One of the catalogue need not be in the cache yet.")
            .refusing(&[Code::TemplateNotFound, Code::LibraryNotFound]),
        Route::delete("/api/v1/templates/{template_id}/libraries/{name}", remove_library)
            .named("removeLibrary", "Takes a library from a template")
            .saying("That it has none of this name is fine.")
            .refusing(&[Code::TemplateNotFound]),
    ]
}

/// A native module to be given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddModule {
    /// Its name in the catalogue.
    #[schemars(length(min = 1), example = &"fs")]
    name: String,
}

/// A library to be given.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddLibrary {
    /// Its name, `lodash`, which is the newest that there is; or its name and version, `lodash-4.17.21`.
    #[schemars(length(min = 1, max = 100), regex(pattern = "^[a-z0-9][a-z0-9_.-]*$"), example = &"lodash")]
    name: String,
}

/// What a template was given.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "GrantedByName")]
struct Given {
    /// The template.
    template_id: TemplateId,
    /// The name of the module or library.
    name: String,
}

/// What was taken from a template, if it was there.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RemovedByName")]
struct Removed {
    status: Done,
    /// The template.
    template_id: TemplateId,
    /// The name of the module or library.
    name: String,
}

fn modules(vm: &VmSystem, request: &Request) -> Result<Json<Vec<String>>, ApiError> {
    Ok(Json(vm.modules(request.path(&TEMPLATE)?)?))
}

fn add_module(vm: &VmSystem, request: &Request, body: Sent<AddModule>) -> Result<Created<Given>, ApiError> {
    let (template_id, AddModule { name }) = (request.path(&TEMPLATE)?, body.read()?);
    vm.add_module(template_id, &name)?;
    Ok(Created(Given { template_id, name }))
}

fn remove_module(vm: &VmSystem, request: &Request) -> Result<Json<Removed>, ApiError> {
    let (template_id, name) = (request.path(&TEMPLATE)?, request.path(&NAME)?);
    vm.remove_module(template_id, &name)?;
    Ok(Json(Removed { status: Done::Ok, template_id, name }))
}

fn libraries(vm: &VmSystem, request: &Request) -> Result<Json<Vec<String>>, ApiError> {
    Ok(Json(vm.libraries(request.path(&TEMPLATE)?)?))
}

fn add_library(vm: &VmSystem, request: &Request, body: Sent<AddLibrary>) -> Result<Created<Given>, ApiError> {
    let (template_id, AddLibrary { name }) = (request.path(&TEMPLATE)?, body.read()?);
    vm.add_library(template_id, &name)?;
    Ok(Created(Given { template_id, name }))
}

fn remove_library(vm: &VmSystem, request: &Request) -> Result<Json<Removed>, ApiError> {
    let (template_id, name) = (request.path(&TEMPLATE)?, request.path(&NAME)?);
    vm.remove_library(template_id, &name)?;
    Ok(Json(Removed { status: Done::Ok, template_id, name }))
}
