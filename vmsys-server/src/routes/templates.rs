//! Templates and their startup files.

use std::borrow::Cow;

use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use vmsys_core::{
    Limits, LimitsPatch, NewStartupFile, NewTemplate, ResolverPatch, ResolverSettings, RuntimePatch, RuntimeSettings,
    Settings, StartupFile, StartupMode, Template, TemplateDetail, TemplateId, TemplatePatch, VmSystem,
};

use super::capabilities::CapabilityView;
use super::{Done, LABEL, LIMIT, TEMPLATE};
use crate::decode::{given_field, object_field};
use crate::error::{ApiError, Code};
use crate::param::Param;
use crate::reply::{Created, Json, Outcome, Reply};
use crate::route::{Answer, Request, Route, Sent};

const BEFORE: Param<TemplateId> = Param::new("before", "Only templates older than this one: the last of a page.");

pub(super) fn routes() -> [Route<VmSystem>; 8] {
    [
        Route::get("/api/v1/templates", list)
            .named("listTemplates", "Lists templates, newest first")
            .with_query(&[&LIMIT, &BEFORE]),
        Route::post("/api/v1/templates", create)
            .named("createTemplate", "Creates a template")
            .saying("What is left out of the settings stays at its default.")
            .refusing(&[Code::AlreadyExists, Code::InvalidPath]),
        Route::get("/api/v1/templates/{template_id}", detail)
            .named("getTemplate", "Reads a template with everything that belongs to it")
            .refusing(&[Code::TemplateNotFound]),
        Route::patch("/api/v1/templates/{template_id}", update)
            .named("updateTemplate", "Changes a template's name, settings, or whether it takes new sessions")
            .saying(
                "What is given replaces, what is left out stays, and the settings are checked as a whole. Sessions that \
                 exist keep what they were created with.",
            )
            .refusing(&[Code::TemplateNotFound, Code::AlreadyExists, Code::InvalidPath]),
        Route::delete("/api/v1/templates/{template_id}", delete)
            .named("deleteTemplate", "Deletes a template")
            .saying("Its configuration goes; its sessions and their history stay.")
            .refusing(&[Code::TemplateNotFound]),
        Route::get("/api/v1/templates/{template_id}/types", types)
            .named("getTemplateTypes", "Declares in TypeScript what scripts of a template find")
            .saying(
                "The text of a `.d.ts` file for editors, compilers and language models: the native modules that new \
                 sessions are granted, globals, `fetch`, and variables of `process.env`. What every session has is not in \
                 it: the language, the web's interfaces, and the modules of Node's that need no grant.",
            )
            .refusing(&[Code::TemplateNotFound]),
        Route::get("/api/v1/templates/{template_id}/startup-files", startup_files)
            .named("listStartupFiles", "Lists a template's startup files in the order in which they run")
            .refusing(&[Code::TemplateNotFound]),
        Route::post("/api/v1/templates/{template_id}/startup-files", add_startup_file)
            .named("addStartupFile", "Adds a file that every new session of a template runs before it is ready")
            .saying("The file need not exist yet: it is looked up in each session's own worktree.")
            .refusing(&[
                Code::TemplateNotFound,
                Code::AlreadyExists,
                Code::InvalidPath,
                Code::StartupModeUnsupported,
            ]),
    ]
}

/// A `.d.ts` file.
struct Declarations(String);

/// The type of TypeScript, which nobody has registered, and everybody understands.
const TYPESCRIPT: &str = "application/typescript; charset=utf-8";

impl Reply for Declarations {
    fn answer(self) -> Result<Answer, ApiError> {
        Ok(Answer::new(StatusCode::OK, TYPESCRIPT, self.0))
    }

    fn outcomes(_: &mut SchemaGenerator) -> Vec<Outcome> {
        vec![Outcome::text(TYPESCRIPT, "The declarations.")]
    }
}

fn types(vm: &VmSystem, request: &Request) -> Result<Declarations, ApiError> {
    Ok(Declarations(vm.types(request.path(&TEMPLATE)?)?))
}

/// A template to be created: a name, and whatever differs from the defaults.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CreateTemplate {
    /// The name: not in use, 1 to 200 characters, none of them a control character.
    #[schemars(length(min = 1, max = 200), regex(pattern = LABEL), example = &"reports")]
    name: String,
    // As text: the core says which engines there are.
    #[serde(default = "default_engine")]
    #[schemars(with = "EngineName")]
    engine: String,
    /// What one execution may use.
    #[serde(default, deserialize_with = "object_field")]
    limits: Limits,
    /// How files of the worktree are found by name.
    #[serde(default, deserialize_with = "object_field")]
    resolver: ResolverSettings,
    /// How code is run.
    #[serde(default, deserialize_with = "object_field")]
    runtime: RuntimeSettings,
}

/// The words for an engine that are understood.
struct EngineName;

impl JsonSchema for EngineName {
    fn schema_name() -> Cow<'static, str> {
        "EngineName".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "enum": ["quickjs", "goja"],
            "description": "The engine. `goja`, for clients of the original, is stored and answered as `quickjs`.",
        })
    }
}

fn default_engine() -> String {
    vmsys_core::Engine::default().to_string()
}

impl CreateTemplate {
    fn into_core(self) -> Result<NewTemplate, ApiError> {
        let mut new = NewTemplate::named(self.name);
        new.engine = self.engine.parse()?;
        new.settings.limits = self.limits;
        new.settings.resolver = self.resolver;
        new.settings.runtime = self.runtime;
        Ok(new)
    }
}

/// A change of a template: what is left out stays.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct UpdateTemplate {
    /// Another name.
    #[serde(default, deserialize_with = "given_field")]
    #[schemars(length(min = 1, max = 200), regex(pattern = LABEL), example = &"reports")]
    name: Option<String>,
    /// Whether new sessions can be made from it.
    #[serde(default, deserialize_with = "given_field")]
    is_active: Option<bool>,
    /// Other limits.
    #[serde(default, deserialize_with = "object_field")]
    limits: LimitsPatch,
    /// Other settings of how files are found.
    #[serde(default, deserialize_with = "object_field")]
    resolver: ResolverPatch,
    /// Other settings of how code is run.
    #[serde(default, deserialize_with = "object_field")]
    runtime: RuntimePatch,
}

impl UpdateTemplate {
    fn into_core(self) -> TemplatePatch {
        let mut patch = TemplatePatch::default();
        patch.name = self.name;
        patch.is_active = self.is_active;
        patch.limits = self.limits;
        patch.resolver = self.resolver;
        patch.runtime = self.runtime;
        patch
    }
}

/// A file to be run at the start of sessions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddStartupFile {
    /// The path, relative to the session's worktree.
    #[schemars(example = &"lib/prelude.js")]
    path: String,
    /// Where it stands in the order; equal ones run by age.
    #[serde(default)]
    order_index: i64,
    // As text: a mode that is unknown has a code of its own.
    #[serde(default = "default_mode")]
    #[schemars(with = "StartupMode")]
    mode: String,
}

fn default_mode() -> String {
    vmsys_core::StartupMode::default().to_string()
}

impl AddStartupFile {
    fn into_core(self) -> Result<NewStartupFile, ApiError> {
        let mut new = NewStartupFile::eval(self.path).at(self.order_index);
        new.mode = self.mode.parse()?;
        Ok(new)
    }
}

/// A template with everything that belongs to it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "TemplateDetail")]
struct Detail {
    /// The template itself.
    template: Template,
    /// Its limits and settings.
    settings: SettingsView,
    /// Its capabilities, oldest first.
    capabilities: Vec<CapabilityView>,
    /// Its startup files, in the order in which they run.
    startup_files: Vec<StartupFileView>,
}

/// All settings of a template.
// As existing clients also know them: with the template's id under its old name.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Settings")]
struct SettingsView {
    /// The template that they belong to.
    template_id: TemplateId,
    /// The template once more, under its old name.
    vm_id: TemplateId,
    #[serde(flatten)]
    settings: Settings,
}

/// A file that every session of a template runs before it is ready.
// As existing clients also know it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "StartupFile")]
struct StartupFileView {
    /// The template once more, under its old name.
    vm_id: TemplateId,
    #[serde(flatten)]
    file: StartupFile,
}

impl From<StartupFile> for StartupFileView {
    fn from(file: StartupFile) -> Self {
        Self { vm_id: file.template_id, file }
    }
}

/// That a template is gone.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeletedTemplate")]
struct Deleted {
    status: Done,
    /// The template.
    template_id: TemplateId,
}

impl From<TemplateDetail> for Detail {
    fn from(detail: TemplateDetail) -> Self {
        let id = detail.template.id;
        Self {
            template: detail.template,
            settings: SettingsView { template_id: id, vm_id: id, settings: detail.settings },
            capabilities: detail.capabilities.into_iter().map(CapabilityView::from).collect(),
            startup_files: detail.startup_files.into_iter().map(StartupFileView::from).collect(),
        }
    }
}

fn list(vm: &VmSystem, request: &Request) -> Result<Json<Vec<Template>>, ApiError> {
    Ok(Json(vm.templates(request.query.get(&BEFORE)?, request.query.get(&LIMIT)?)?))
}

fn create(vm: &VmSystem, _: &Request, body: Sent<CreateTemplate>) -> Result<Created<Template>, ApiError> {
    Ok(Created(vm.create_template(body.read()?.into_core()?)?))
}

fn detail(vm: &VmSystem, request: &Request) -> Result<Json<Detail>, ApiError> {
    Ok(Json(vm.template(request.path(&TEMPLATE)?)?.into()))
}

fn update(vm: &VmSystem, request: &Request, body: Sent<UpdateTemplate>) -> Result<Json<Detail>, ApiError> {
    Ok(Json(vm.update_template(request.path(&TEMPLATE)?, body.read()?.into_core())?.into()))
}

fn delete(vm: &VmSystem, request: &Request) -> Result<Json<Deleted>, ApiError> {
    let template_id = request.path(&TEMPLATE)?;
    vm.delete_template(template_id)?;
    Ok(Json(Deleted { status: Done::Ok, template_id }))
}

fn startup_files(vm: &VmSystem, request: &Request) -> Result<Json<Vec<StartupFileView>>, ApiError> {
    let files = vm.startup_files(request.path(&TEMPLATE)?)?;
    Ok(Json(files.into_iter().map(StartupFileView::from).collect()))
}

fn add_startup_file(
    vm: &VmSystem,
    request: &Request,
    body: Sent<AddStartupFile>,
) -> Result<Created<StartupFileView>, ApiError> {
    let id = request.path(&TEMPLATE)?;
    Ok(Created(vm.add_startup_file(id, body.read()?.into_core()?)?.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;

    const ID: &str = "01950000-0000-7000-8000-000000000000";

    fn create(body: &str) -> Result<NewTemplate, ApiError> {
        decode::object::<CreateTemplate>(body.as_bytes())?.into_core()
    }

    fn add(body: &str) -> Result<NewStartupFile, ApiError> {
        decode::object::<AddStartupFile>(body.as_bytes())?.into_core()
    }

    #[test]
    fn a_name_is_enough_for_a_template() {
        assert_eq!(create(r#"{"name":"a"}"#).unwrap(), NewTemplate::named("a"));
    }

    #[test]
    fn settings_are_partial_objects_over_the_defaults() {
        let body = r#"{"name":"a","engine":"goja","limits":{"mem_mb":16},"resolver":{"extensions":[".js"]},"runtime":{"strict":true}}"#;
        let mut expected = NewTemplate::named("a");
        expected.settings.limits.mem_mb = 16;
        expected.settings.resolver.extensions = vec![".js".to_owned()];
        expected.settings.runtime.strict = true;
        assert_eq!(create(body).unwrap(), expected);
    }

    #[test]
    fn a_change_says_only_what_is_given() {
        let patch = |body: &str| decode::object::<UpdateTemplate>(body.as_bytes()).map(UpdateTemplate::into_core);
        assert_eq!(patch("{}").unwrap(), TemplatePatch::default());
        let body = r#"{"is_active":false,"limits":{"cpu_ms":7},"runtime":{"isolation":"thread"}}"#;
        let mut expected = TemplatePatch::default();
        expected.is_active = Some(false);
        expected.limits.cpu_ms = Some(7);
        expected.runtime.isolation = Some(vmsys_core::Isolation::Thread);
        assert_eq!(patch(body).unwrap(), expected);
        for (body, code, field) in [
            (r#"{"name":null}"#, "VALIDATION_ERROR", "name"),
            (r#"{"is_active":1}"#, "VALIDATION_ERROR", "is_active"),
            (r#"{"limits":null}"#, "VALIDATION_ERROR", "limits"),
            (r#"{"limits":[1]}"#, "VALIDATION_ERROR", "limits"),
            (r#"{"limits":{"cpu_ms":null}}"#, "VALIDATION_ERROR", "limits.cpu_ms"),
            (r#"{"limits":{"cpu_ms":-1}}"#, "VALIDATION_ERROR", "limits.cpu_ms"),
            (r#"{"runtime":{"isolation":"jail"}}"#, "VALIDATION_ERROR", "runtime.isolation"),
            (r#"{"runtime":{"isolation":7}}"#, "VALIDATION_ERROR", "runtime.isolation"),
            (r#"{"runtime":{"isolation":{"thread":null}}}"#, "VALIDATION_ERROR", "runtime.isolation"),
            (r#"{"limits":{"cpu":1}}"#, "INVALID_REQUEST", "limits.cpu"),
            (r#"{"engine":"quickjs"}"#, "INVALID_REQUEST", "engine"),
        ] {
            let error = patch(body).unwrap_err();
            assert_eq!((error.code(), error.detail("field")), (code, Some(field)), "{body}");
        }
    }

    #[test]
    fn an_unknown_engine_or_isolation_is_a_wrong_value() {
        for (body, field) in [
            (r#"{"name":"a","engine":"v8"}"#, "engine"),
            (r#"{"name":"a","engine":null}"#, "engine"),
            (r#"{"name":"a","runtime":{"isolation":"jail"}}"#, "runtime.isolation"),
        ] {
            let error = create(body).unwrap_err();
            assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some(field)), "{body}");
        }
    }

    #[test]
    fn startup_files_are_evaluated_at_place_0_unless_told() {
        assert_eq!(add(r#"{"path":"a.js"}"#).unwrap(), NewStartupFile::eval("a.js"));
        assert_eq!(
            add(r#"{"path":"a.js","order_index":-2,"mode":"eval"}"#).unwrap(),
            NewStartupFile::eval("a.js").at(-2)
        );
    }

    #[test]
    fn an_unknown_mode_has_its_own_code_and_a_mode_that_is_no_text_has_not() {
        for mode in ["require", "Eval", ""] {
            let error = add(&format!(r#"{{"path":"a.js","mode":"{mode}"}}"#)).unwrap_err();
            assert_eq!((error.status().as_u16(), error.code()), (422, "STARTUP_MODE_UNSUPPORTED"), "{mode}");
        }
        let error = add(r#"{"path":"a.js","mode":7}"#).unwrap_err();
        assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some("mode")));
    }

    #[test]
    fn old_clients_find_the_template_as_vm_id() {
        let file: StartupFile = serde_json::from_value(serde_json::json!({
            "id": ID, "template_id": ID, "path": "a.js", "order_index": 3, "mode": "eval",
        }))
        .unwrap();
        let json = serde_json::to_value(StartupFileView::from(file)).unwrap();
        let expected = serde_json::json!({
            "id": ID, "template_id": ID, "vm_id": ID, "path": "a.js", "order_index": 3, "mode": "eval",
        });
        assert_eq!(json, expected);

        let id: TemplateId = ID.parse().unwrap();
        let settings = Settings::default();
        let json =
            serde_json::to_value(SettingsView { template_id: id, vm_id: id, settings: settings.clone() }).unwrap();
        let mut expected = serde_json::to_value(&settings).unwrap();
        expected["template_id"] = ID.into();
        expected["vm_id"] = ID.into();
        assert_eq!(json, expected);
    }
}
