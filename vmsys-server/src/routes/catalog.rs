//! What templates can be given: native modules and libraries.

use serde::Serialize;
use vmsys_core::{Library, ModuleInfo, VmSystem};

use crate::error::ApiError;
use crate::route::{Answer, Request, Route};

pub(super) fn routes() -> [Route<VmSystem>; 2] {
    [Route::get("/api/v1/catalog/modules", modules), Route::get("/api/v1/catalog/libraries", libraries)]
}

#[derive(Serialize)]
struct ModuleView {
    id: String,
    name: String,
    kind: &'static str,
    description: String,
    functions: Vec<String>,
}

impl From<ModuleInfo> for ModuleView {
    fn from(module: ModuleInfo) -> Self {
        Self {
            id: module.name.clone(),
            name: module.name,
            kind: "native",
            description: module.description,
            functions: module.functions.into_iter().map(|function| function.name).collect(),
        }
    }
}

#[derive(Serialize)]
struct LibraryView {
    id: String,
    name: String,
    version: String,
    description: String,
    /// Unknown for a file that somebody put into the cache by hand.
    global: Option<String>,
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

fn modules(vm: &VmSystem, _: &Request) -> Result<Answer, ApiError> {
    Answer::ok(&vm.module_catalog().into_iter().map(ModuleView::from).collect::<Vec<_>>())
}

fn libraries(vm: &VmSystem, _: &Request) -> Result<Answer, ApiError> {
    Answer::ok(&vm.library_catalog()?.into_iter().map(LibraryView::from).collect::<Vec<_>>())
}
