//! The reference of the API, made of the daemon's own OpenAPI document.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::commands::serve;
use crate::error::{Error, Result};

/// What is refused, as its status and code.
type Refusal<'a> = (&'a str, &'a str);

/// Returns every request of the API, as Markdown.
///
/// # Errors
/// The document is none.
pub(super) fn reference() -> Result<String> {
    let document: Value = serde_json::from_str(&serve::openapi_document())
        .map_err(|error| Error::failed("INTERNAL", format!("the API's document cannot be read: {error}")))?;
    Ok(Reference { document: &document }.told())
}

struct Reference<'a> {
    document: &'a Value,
}

impl<'a> Reference<'a> {
    fn told(&self) -> String {
        let operations = self.operations();
        let mut common: Option<BTreeSet<Refusal<'_>>> = None;
        for (_, _, operation) in &operations {
            let refusals = self.refusals(operation);
            common = Some(common.map_or(refusals.clone(), |common| &common & &refusals));
        }
        let common = common.unwrap_or_default();

        let mut told = format!(
            "# The REST API\n\n{}\n\n`vm-system ops openapi` prints the whole of it, with the shape of every body and \
             answer, as a document of OpenAPI 3.1.\n\nAny request can be refused with {}.\n",
            text(&self.document["info"], "description"),
            list(&common),
        );
        for tag in self.document["tags"].as_array().into_iter().flatten() {
            told.push_str(&format!("\n## {}\n\n{}\n", text(tag, "name"), text(tag, "description")));
            for (method, path, operation) in &operations {
                if operation["tags"][0] == tag["name"] {
                    self.tell(method, path, operation, &common, &mut told);
                }
            }
        }
        told
    }

    fn tell(&self, method: &str, path: &str, operation: &'a Value, common: &BTreeSet<Refusal<'_>>, told: &mut String) {
        told.push_str(&format!("\n### {} {path}\n\n{}.", method.to_uppercase(), text(operation, "summary")));
        let description = text(operation, "description");
        if !description.is_empty() {
            told.push_str(&format!(" {description}"));
        }
        told.push_str("\n\n");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "path" {
                let (name, place) = (text(parameter, "name"), text(parameter, "in"));
                told.push_str(&format!("- `{name}` ({place}): {}\n", text(parameter, "description")));
            }
        }
        let body = self.resolved(&operation["requestBody"]["content"]["application/json"]["schema"]);
        let required: Vec<&Value> = body["required"].as_array().into_iter().flatten().collect();
        for (name, property) in body["properties"].as_object().into_iter().flatten() {
            let own = text(property, "description");
            let about = if own.is_empty() { text(self.resolved(property), "description") } else { own };
            let must = if required.iter().any(|other| *other == name) { "body, required" } else { "body" };
            let colon = if about.is_empty() { "" } else { ": " };
            told.push_str(&format!("- `{name}` ({must}){colon}{}\n", about.replace('\n', " ")));
        }
        let answers =
            operation["responses"].as_object().into_iter().flatten().filter(|(_, answer)| answer["$ref"].is_null());
        for (status, answer) in answers {
            told.push_str(&format!("- answers {status}: {}\n", text(answer, "description")));
        }
        let own = &self.refusals(operation) - common;
        if !own.is_empty() {
            told.push_str(&format!("- refuses with {}\n", list(&own)));
        }
    }

    /// Every request, with its method and path.
    fn operations(&self) -> Vec<(&'a str, &'a str, &'a Value)> {
        let paths = self.document["paths"].as_object().into_iter().flatten();
        let of_path = |(path, methods): (&'a String, &'a Value)| {
            let methods = methods.as_object().into_iter().flatten();
            methods.map(move |(method, operation)| (method.as_str(), path.as_str(), operation)).collect::<Vec<_>>()
        };
        paths.flat_map(of_path).collect()
    }

    /// What a request is refused with: the answers that are referred to, and the codes that their schemas list.
    fn refusals(&self, operation: &'a Value) -> BTreeSet<Refusal<'a>> {
        let mut refusals = BTreeSet::new();
        for (status, answer) in operation["responses"].as_object().into_iter().flatten() {
            if answer["$ref"].is_null() {
                continue;
            }
            let parts = &self.resolved(answer)["content"]["application/json"]["schema"]["allOf"];
            let codes = parts.as_array().into_iter().flatten();
            let codes = codes.filter_map(|part| part.pointer("/properties/error/properties/code/enum")?.as_array());
            refusals.extend(codes.flatten().filter_map(Value::as_str).map(|code| (status.as_str(), code)));
        }
        refusals
    }

    /// What a value refers to, or the value.
    fn resolved(&self, value: &'a Value) -> &'a Value {
        let target = value["$ref"].as_str().and_then(|target| target.strip_prefix('#'));
        target.and_then(|target| self.document.pointer(target)).unwrap_or(value)
    }
}

fn list(refusals: &BTreeSet<Refusal<'_>>) -> String {
    refusals.iter().map(|(status, code)| format!("{status} `{code}`")).collect::<Vec<_>>().join(", ")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}
