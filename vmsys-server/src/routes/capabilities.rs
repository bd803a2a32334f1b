//! Capabilities of templates.

use serde::{Deserialize, Serialize};
use vmsys_core::{Capability, CapabilityId, JsonObject, NewCapability, TemplateId, VmSystem};

use crate::error::ApiError;
use crate::route::{Answer, Request, Route};

pub(super) fn routes() -> [Route<VmSystem>; 3] {
    [
        Route::get("/api/v1/templates/{template_id}/capabilities", list),
        Route::post("/api/v1/templates/{template_id}/capabilities", add).with_body(),
        Route::delete("/api/v1/templates/{template_id}/capabilities/{capability_id}", remove),
    ]
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AddCapability {
    /// As text: the core says which kinds there are.
    kind: String,
    name: String,
    #[serde(default)]
    enabled: bool,
    #[serde(default)]
    config: JsonObject,
}

impl AddCapability {
    fn into_core(self) -> Result<NewCapability, ApiError> {
        let mut new = NewCapability::new(self.kind.parse()?, self.name).with_config(self.config);
        new.enabled = self.enabled;
        Ok(new)
    }
}

/// A capability as existing clients also know it.
#[derive(Serialize)]
pub(super) struct CapabilityView {
    vm_id: TemplateId,
    #[serde(flatten)]
    capability: Capability,
}

impl From<Capability> for CapabilityView {
    fn from(capability: Capability) -> Self {
        Self { vm_id: capability.template_id, capability }
    }
}

#[derive(Serialize)]
struct Removed {
    status: &'static str,
    template_id: TemplateId,
    capability_id: CapabilityId,
}

fn list(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let capabilities = vm.capabilities(request.id("template_id")?)?;
    Answer::ok(&capabilities.into_iter().map(CapabilityView::from).collect::<Vec<_>>())
}

fn add(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let id = request.id("template_id")?;
    let new = request.json::<AddCapability>()?.into_core()?;
    Answer::created(&CapabilityView::from(vm.add_capability(id, new)?))
}

fn remove(vm: &VmSystem, request: &Request) -> Result<Answer, ApiError> {
    let (template_id, capability_id) = (request.id("template_id")?, request.id("capability_id")?);
    vm.remove_capability(template_id, capability_id)?;
    Answer::ok(&Removed { status: "ok", template_id, capability_id })
}

#[cfg(test)]
mod tests {
    use vmsys_core::CapabilityKind;

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
