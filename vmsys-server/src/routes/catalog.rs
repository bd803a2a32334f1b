//! What templates can be given: native modules and libraries.

use schemars::JsonSchema;
use serde::Serialize;
use vmsys_core::{Library, ModuleInfo, VmSystem};

use crate::error::ApiError;
use crate::reply::Json;
use crate::route::{Request, Route};

pub(super) fn routes() -> [Route<VmSystem>; 2] {
    [
        Route::get("/api/v1/catalog/modules", modules)
            .named("listAvailableModules", "Lists the native modules that templates can be given"),
        Route::get("/api/v1/catalog/libraries", libraries)
            .named("listAvailableLibraries", "Lists the libraries that templates can be given")
            .saying("Those of the catalogue, in the cache or not, and whatever else the cache holds."),
    ]
}

/// A native module that templates can be given.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AvailableModule")]
struct ModuleView {
    /// The name once more.
    id: String,
    /// What scripts load it by.
    name: String,
    /// What kind of module it is.
    kind: ModuleKind,
    /// What it is for.
    description: String,
    /// The names of its functions.
    functions: Vec<String>,
}

/// What kind of module it is.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum ModuleKind {
    /// Functions of the host's.
    Native,
}

impl From<ModuleInfo> for ModuleView {
    fn from(module: ModuleInfo) -> Self {
        Self {
            id: module.name.clone(),
            name: module.name,
            kind: ModuleKind::Native,
            description: module.description,
            functions: module.functions.into_iter().map(|function| function.name).collect(),
        }
    }
}

/// A library that templates can be given.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AvailableLibrary")]
struct LibraryView {
    /// Name and version: `lodash-4.17.21`.
    id: String,
    /// The name.
    name: String,
    /// The version.
    version: String,
    /// What it is for.
    description: String,
    /// The global that it sets.
    /// Unknown for a file that somebody put into the cache by hand.
    global: Option<String>,
    /// Whether its file is in the cache, so that sessions can load it.
    cached: bool,
}

impl From<Library> for LibraryView {
    fn from(library: Library) -> Self {
        Self {
            id: library.id,
            name: library.name,
            version: library.version,
            description: library.description,
            global: library.global,
            cached: library.cached,
        }
    }
}

fn modules(vm: &VmSystem, _: &Request) -> Result<Json<Vec<ModuleView>>, ApiError> {
    Ok(Json(vm.module_catalog().into_iter().map(ModuleView::from).collect()))
}

fn libraries(vm: &VmSystem, _: &Request) -> Result<Json<Vec<LibraryView>>, ApiError> {
    Ok(Json(vm.library_catalog()?.into_iter().map(LibraryView::from).collect()))
}
