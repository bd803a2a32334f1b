//! Templates and their startup files.

use serde::{Deserialize, Serialize};
use vmsys_core::{
    Limits, LimitsPatch, NewStartupFile, NewTemplate, ResolverPatch, ResolverSettings, RuntimePatch, RuntimeSettings,
    Settings, StartupFile, Template, TemplateDetail, TemplateId, TemplatePatch, VmSystem,
};

use super::MOST;
use super::capabilities::CapabilityView;
use crate::decode::{given_field, object_field};
use crate::error::ApiError;
use crate::route::{Answer, Request, Route};

pub(super) fn routes() -> [Route<VmSystem>; 7] {
    [
        Route::get("/api/v1/templates", list).with_query(&["limit", "before"]),
        Route::post("/api/v1/templates", create).with_body(),
        Route::get("/api/v1/templates/{template_id}", detail),
        Route::patch("/api/v1/templates/{template_id}", update).with_body(),
        Route::delete("/api/v1/templates/{template_id}", delete),
        Route::get("/api/v1/templates/{template_id}/startup-files", startup_files),
        Route::post("/api/v1/templates/{template_id}/startup-files", add_startup_file).with_body(),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateTemplate {
    name: String,
    /// As text: the core says which engines there are.
    #[serde(default = "default_engine")]
    engine: String,
    #[serde(default, deserialize_with = "object_field")]
    limits: Limits,
    #[serde(default, deserialize_with = "object_field")]
    resolver: ResolverSettings,
    #[serde(default, deserialize_with = "object_field")]
    runtime: RuntimeSettings,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateTemplate {
    #[serde(default, deserialize_with = "given_field")]
    name: Option<String>,
    #[serde(default, deserialize_with = "given_field")]
    is_active: Option<bool>,
    #[serde(default, deserialize_with = "object_field")]
    limits: LimitsPatch,
    #[serde(default, deserialize_with = "object_field")]
    resolver: ResolverPatch,
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

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddStartupFile {
    path: String,
    #[serde(default)]
    order_index: i64,
    /// As text: a mode that is unknown has a code of its own.
    #[serde(default = "default_mode")]
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
#[derive(Serialize)]
struct Detail<'a> {
    template: &'a Template,
    settings: SettingsView<'a>,
    capabilities: Vec<CapabilityView>,
    startup_files: Vec<StartupFileView>,
}

/// Settings as existing clients also know them: with the template's id under its old name.
#[derive(Serialize)]
struct SettingsView<'a> {
    template_id: TemplateId,
    vm_id: TemplateId,
    #[serde(flatten)]
    settings: &'a Settings,
}

/// A startup file as existing clients also know it.
#[derive(Serialize)]
struct StartupFileView {
    vm_id: TemplateId,
    #[serde(flatten)]
    file: StartupFile,
}

impl From<StartupFile> for StartupFileView {
    fn from(file: StartupFile) -> Self {
        Self { vm_id: file.template_id, file }
    }
}

#[derive(Serialize)]
struct Deleted {
    status: &'static str,
    template_id: TemplateId,
}

fn list(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    Answer::ok(&vm.templates(request.query.id("before")?, request.query.limit(MOST)?)?)
}

fn create(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let new = request.json::<CreateTemplate>()?.into_core()?;
    Answer::created(&vm.create_template(new)?)
}

fn detail(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    answer(vm.template(request.id("template_id")?)?)
}

fn update(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let id = request.id("template_id")?;
    let patch = request.json::<UpdateTemplate>()?.into_core();
    answer(vm.update_template(id, patch)?)
}

fn answer(detail: TemplateDetail) -> Result<Answer, ApiError> {
    let id = detail.template.id;
    Answer::ok(&Detail {
        template: &detail.template,
        settings: SettingsView { template_id: id, vm_id: id, settings: &detail.settings },
        capabilities: detail.capabilities.into_iter().map(CapabilityView::from).collect(),
        startup_files: detail.startup_files.into_iter().map(StartupFileView::from).collect(),
    })
}

fn delete(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let template_id = request.id("template_id")?;
    vm.delete_template(template_id)?;
    Answer::ok(&Deleted { status: "ok", template_id })
}

fn startup_files(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let files = vm.startup_files(request.id("template_id")?)?;
    Answer::ok(&files.into_iter().map(StartupFileView::from).collect::<Vec<_>>())
}

fn add_startup_file(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let id = request.id("template_id")?;
    let new = request.json::<AddStartupFile>()?.into_core()?;
    Answer::created(&StartupFileView::from(vm.add_startup_file(id, new)?))
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
        let json = serde_json::to_value(SettingsView { template_id: id, vm_id: id, settings: &settings }).unwrap();
        let mut expected = serde_json::to_value(&settings).unwrap();
        expected["template_id"] = ID.into();
        expected["vm_id"] = ID.into();
        assert_eq!(json, expected);
    }
}
