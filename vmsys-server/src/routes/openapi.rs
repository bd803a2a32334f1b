//! The API as a document.

use std::borrow::Cow;
use std::sync::LazyLock;

use bytes::Bytes;
use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use vmsys_core::VmSystem;

use super::{IN_PATHS, all};
use crate::error::ApiError;
use crate::openapi;
use crate::reply::{Outcome, Reply};
use crate::route::{Answer, Cost, JSON, Request, Route};

/// Written when it is first asked for, and then as it is.
static DOCUMENT: LazyLock<Bytes> = LazyLock::new(|| openapi::document(all(), IN_PATHS).to_string().into());

pub(super) fn routes() -> [Route<VmSystem>; 1] {
    [Route::get("/api/v1/openapi.json", document)
        .named("getOpenApi", "Reads this document: the API as OpenAPI 3.1, made from the daemon's own code")
        .costing(Cost::Free)]
}

/// Returns the API as a document of OpenAPI 3.1, as `GET /api/v1/openapi.json` answers it: what programs are made from, or
/// a reference for people. It is this build's, and knows nothing of a daemon that runs.
///
/// ```
/// assert!(vmsys_server::openapi_document().starts_with("{\"openapi\":\"3.1.0\""));
/// ```
pub fn openapi_document() -> String {
    String::from_utf8_lossy(&DOCUMENT).into_owned()
}

/// The document as it is written.
struct Document(Bytes);

impl JsonSchema for Document {
    fn schema_name() -> Cow<'static, str> {
        "OpenApi".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "description": "A document of OpenAPI 3.1.",
            "required": ["openapi", "info", "paths", "components"],
        })
    }
}

impl Reply for Document {
    fn answer(self) -> Result<Answer, ApiError> {
        Ok(Answer::new(StatusCode::OK, JSON, self.0))
    }

    fn outcomes(schemas: &mut SchemaGenerator) -> Vec<Outcome> {
        vec![Outcome::json::<Self>(StatusCode::OK, "The document.", schemas)]
    }
}

fn document(_: &VmSystem, _: &Request) -> Result<Document, ApiError> {
    Ok(Document(DOCUMENT.clone()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;
    use std::{env, fs};

    use serde_json::Value;

    use super::*;
    use crate::error::Code;

    fn document() -> Value {
        openapi::document(all(), IN_PATHS)
    }

    /// Everything in a document, with where it stands.
    fn walk<'a>(place: &str, value: &'a Value, see: &mut impl FnMut(&str, &'a Value)) {
        see(place, value);
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| walk(&format!("{place}/{key}"), value, see)),
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(at, item)| walk(&format!("{place}/{at}"), item, see));
            }
            _ => {}
        }
    }

    #[test]
    fn the_document_is_the_golden_one() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/golden/openapi.json");
        let text = format!("{:#}\n", document());
        if env::var_os("UPDATE_GOLDEN").is_some() {
            return fs::write(path, text).unwrap();
        }
        let golden = fs::read_to_string(path).unwrap_or_default();
        let drift = text.lines().zip(golden.lines()).enumerate().find(|(_, (new, old))| new != old);
        assert!(
            text == golden,
            "the API is another than tests/golden/openapi.json says{}; if that is what you want, `cargo xtask golden` \
             writes it anew, for review",
            drift.map_or_else(String::new, |(line, (new, old))| format!(
                ": line {} is `{}` and was `{}`",
                line + 1,
                new.trim(),
                old.trim()
            ))
        );
    }

    #[test]
    fn every_route_of_the_api_is_an_operation_with_a_name_of_its_own() {
        let document = document();
        let mut names = BTreeSet::new();
        for route in all().filter(|route| route.path != "/") {
            let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
            let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{route:?} has no name"));
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            assert!(operation["summary"].as_str().is_some_and(|summary| !summary.ends_with('.')), "{route:?}");
            let tags = document["tags"].as_array().unwrap();
            assert!(tags.iter().any(|tag| tag["name"] == operation["tags"][0]), "{route:?}: the tag is not described");
            let parameters = operation["parameters"].as_array();
            let in_path = parameters.into_iter().flatten().filter(|parameter| parameter["in"] == "path").count();
            assert_eq!(in_path, route.path.matches('{').count(), "{route:?}");
        }
    }

    #[test]
    fn every_code_can_be_met() {
        let document = document().to_string();
        for code in Code::ALL {
            assert!(document.matches(&format!("`{}`", code.as_str())).count() > 0, "{code:?}");
        }
    }

    #[test]
    fn every_reference_leads_somewhere_and_everything_is_referred_to() {
        let document = document();
        let mut seen = BTreeSet::new();
        walk("", &document, &mut |place, value| {
            if place.ends_with("/$ref") {
                let target = value.as_str().unwrap().strip_prefix('#').unwrap();
                assert!(document.pointer(target).is_some(), "{place}: {target}");
                seen.insert(target.to_owned());
            }
        });
        for (kind, components) in document["components"].as_object().unwrap() {
            for name in components.as_object().unwrap().keys().filter(|_| kind != "securitySchemes") {
                assert!(seen.contains(&format!("/components/{kind}/{name}")), "{kind}/{name} is used by nothing");
            }
        }
    }

    #[test]
    fn descriptions_are_for_people_who_do_not_know_the_code() {
        walk("", &document(), &mut |place, value| {
            if let Some(text) = value.as_str().filter(|_| place.ends_with("/description")) {
                for rust in ["::", "](", "[`", " None", "Option<", "\n "] {
                    assert!(!text.contains(rust), "{place}: {text:?} has {rust:?}");
                }
            }
        });
    }

    #[test]
    fn what_may_be_left_out_is_never_null() {
        let document = document();
        for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
            for (field, property) in schema["properties"].as_object().into_iter().flatten() {
                let required = schema["required"].as_array().into_iter().flatten().any(|other| other == field);
                let null = property["type"].as_array().is_some_and(|types| types.contains(&"null".into()));
                assert!(required || !null, "{name}.{field}");
            }
        }
    }

    #[test]
    fn bodies_take_no_other_fields_than_theirs() {
        let document = document();
        for route in all().filter(|route| route.body.is_some()) {
            let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
            let body = &document["components"]["schemas"][name];
            assert_eq!(body["additionalProperties"], false, "{name}");
        }
    }
}
