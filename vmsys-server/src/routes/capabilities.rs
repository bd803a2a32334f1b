//! Capabilities of templates.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use vmsys_core::{Capability, CapabilityId, CapabilityKind, JsonObject, NewCapability, TemplateId, VmSystem};

use super::{CAPABILITY, Done, TEMPLATE};
use crate::error::{ApiError, Code};
use crate::reply::{Created, Json};
use crate::route::{Request, Route, Sent};

pub(super) fn routes() -> [Route<VmSystem>; 3] {
    [
        Route::get("/api/v1/templates/{template_id}/capabilities", list)
            .named("listCapabilities", "Lists a template's capabilities, oldest first")
            .refusing(&[Code::TemplateNotFound]),
        Route::post("/api/v1/templates/{template_id}/capabilities", add)
            .named("addCapability", "Gives a template a capability")
            .saying("It is for sessions that are created from then on. The configuration is checked, enabled or not.")
            .refusing(&[Code::TemplateNotFound, Code::AlreadyExists, Code::InvalidPath, Code::ModuleNotAllowed]),
        Route::delete("/api/v1/templates/{template_id}/capabilities/{capability_id}", remove)
            .named("removeCapability", "Takes a capability from a template")
            .saying("That it has none of this id is fine.")
            .refusing(&[Code::TemplateNotFound]),
    ]
}

/// A capability to be added.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct AddCapability {
    // As text: the core says which kinds there are.
    #[schemars(with = "CapabilityKind", example = CapabilityKind::Fs)]
    kind: String,
    /// What it names: a module, a variable or a global; of the kinds `fs` and `net`, a label of yours with 1 to 200
    /// characters.
    #[schemars(length(min = 1), example = &"docs")]
    name: String,
    /// Whether it grants. One that does not takes away.
    #[serde(default)]
    enabled: bool,
    /// Its configuration, at most 256 KiB of JSON. Its keys depend on the kind: `module`, those of the module;
    /// `global`, `value`, any JSON; `fs`, `read` and `write`, lists of paths; `net`, `hosts`, `max_bytes`, `timeout_ms`
    /// and `allow_private`; `env`, `value`, a text, or `from_host`. Any other key is refused.
    #[serde(default)]
    #[schemars(example = json!({"read": ["docs"], "write": []}))]
    config: JsonObject,
}

impl AddCapability {
    fn into_core(self) -> Result<NewCapability, ApiError> {
        let mut new = NewCapability::new(self.kind.parse()?, self.name).with_config(self.config);
        new.enabled = self.enabled;
        Ok(new)
    }
}

/// A capability of a template: a grant, or what takes one away.
// As existing clients also know it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Capability")]
pub(super) struct CapabilityView {
    /// The template once more, under its old name.
    vm_id: TemplateId,
    #[serde(flatten)]
    capability: Capability,
}

impl From<Capability> for CapabilityView {
    fn from(capability: Capability) -> Self {
        Self { vm_id: capability.template_id, capability }
    }
}

/// What was taken from a template, if it was there.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RemovedCapability")]
struct Removed {
    status: Done,
    /// The template.
    template_id: TemplateId,
    /// The capability.
    capability_id: CapabilityId,
}

fn list(vm: &VmSystem, request: &Request) -> Result<Json<Vec<CapabilityView>>, ApiError> {
    let capabilities = vm.capabilities(request.path(&TEMPLATE)?)?;
    Ok(Json(capabilities.into_iter().map(CapabilityView::from).collect()))
}

fn add(vm: &VmSystem, request: &Request, body: Sent<AddCapability>) -> Result<Created<CapabilityView>, ApiError> {
    let id = request.path(&TEMPLATE)?;
    Ok(Created(vm.add_capability(id, body.read()?.into_core()?)?.into()))
}

fn remove(vm: &VmSystem, request: &Request) -> Result<Json<Removed>, ApiError> {
    let (template_id, capability_id) = (request.path(&TEMPLATE)?, request.path(&CAPABILITY)?);
    vm.remove_capability(template_id, capability_id)?;
    Ok(Json(Removed { status: Done::Ok, template_id, capability_id }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode;

    fn add(body: &str) -> Result<NewCapability, ApiError> {
        decode::object::<AddCapability>(body.as_bytes())?.into_core()
    }

    #[test]
    fn kind_and_name_are_enough_for_a_disabled_one() {
        let new = add(r#"{"kind":"fs","name":"files"}"#).unwrap();
        assert_eq!(new, NewCapability::new(CapabilityKind::Fs, "files"));
        let new = add(r#"{"kind":"env","name":"A","enabled":true,"config":{"value":"x"}}"#).unwrap();
        assert!(new.enabled && new.config["value"] == "x");
    }

    #[test]
    fn a_wrong_value_is_named() {
        for (body, code, field) in [
            (r#"{"name":"a"}"#, "VALIDATION_ERROR", "kind"),
            (r#"{"kind":"fs"}"#, "VALIDATION_ERROR", "name"),
            (r#"{"kind":"disk","name":"a"}"#, "VALIDATION_ERROR", "kind"),
            (r#"{"kind":"fs","name":"a","enabled":"yes"}"#, "VALIDATION_ERROR", "enabled"),
            (r#"{"kind":"fs","name":"a","enabled":null}"#, "VALIDATION_ERROR", "enabled"),
            (r#"{"kind":"fs","name":"a","config":null}"#, "VALIDATION_ERROR", "config"),
            (r#"{"kind":"fs","name":"a","config":[]}"#, "VALIDATION_ERROR", "config"),
            (r#"{"kind":"fs","name":"a","conf":{}}"#, "INVALID_REQUEST", "conf"),
        ] {
            let error = add(body).unwrap_err();
            assert_eq!((error.code(), error.detail("field")), (code, Some(field)), "{body}");
        }
        let doubled = add(r#"{"kind":"fs","name":"a","config":{"read":[],"read":["."]}}"#).unwrap_err();
        assert_eq!(doubled.code(), "INVALID_REQUEST");
    }
}
