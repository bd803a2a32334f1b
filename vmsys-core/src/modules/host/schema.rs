//! JSON Schema as TypeScript: for types that describe themselves with `JsonSchema`.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::modules::types::{comment, property};

/// Where the definitions of a schema are.
const DEFINITIONS: &str = "#/$defs/";

/// Declares a type, and those that it refers to: as it may be passed, of which what is answered is a case.
pub(super) fn declarations<T: JsonSchema>() -> String {
    let root = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>().to_value();
    let writer = Writer { root: name(&T::schema_name()) };
    let mut text = writer.declare(&writer.root, &root);
    for (definition, schema) in root.get("$defs").and_then(Value::as_object).into_iter().flatten() {
        text += &writer.declare(&name(definition), schema);
    }
    text
}

/// A name that TypeScript can have.
fn name(schema: &str) -> String {
    schema.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '_' }).collect()
}

struct Writer {
    /// What a reference to all of it is called.
    root: String,
}

impl Writer {
    fn declare(&self, name: &str, schema: &Value) -> String {
        let about = schema.get("description").and_then(Value::as_str);
        let about = about.map(|about| comment("", about)).unwrap_or_default();
        let is_plain = schema.get("properties").is_some() && !has_more(schema);
        match is_plain {
            true => format!("{about}interface {name} {}\n", self.of(schema)),
            false => format!("{about}type {name} = {};\n", self.of(schema)),
        }
    }

    fn of(&self, schema: &Value) -> String {
        let Value::Object(schema) = schema else {
            return if *schema == Value::Bool(false) { "never".to_owned() } else { "any".to_owned() };
        };
        let alternatives = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
        let both = schema.get("allOf").and_then(Value::as_array);
        let mut parts = Vec::new();
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            parts.push(reference.strip_prefix(DEFINITIONS).map_or_else(|| self.root.clone(), name));
        }
        if let Some(constant) = schema.get("const") {
            parts.push(literal(constant));
        } else if let Some(words) = schema.get("enum").and_then(Value::as_array) {
            parts.push(union(words.iter().map(literal)));
        } else if let Some(kinds) = schema.get("type") {
            let one = |kind: &Value| self.of_kind(kind.as_str().unwrap_or_default(), schema);
            parts.push(match kinds {
                Value::Array(kinds) => union(kinds.iter().map(one)),
                kind => one(kind),
            });
        }
        parts.extend(alternatives.map(|all| union(all.iter().map(|schema| self.of(schema)))));
        parts.extend(both.into_iter().flatten().map(|schema| self.of(schema)));
        match parts.as_slice() {
            [] => "any".to_owned(),
            [one] => one.clone(),
            parts => parts.iter().map(|part| format!("({part})")).collect::<Vec<_>>().join(" & "),
        }
    }

    fn of_kind(&self, kind: &str, schema: &Map<String, Value>) -> String {
        match kind {
            "string" | "boolean" | "null" | "number" => kind.to_owned(),
            "integer" => match schema.get("format").and_then(Value::as_str) {
                Some("int64" | "uint64" | "int128" | "int" | "uint") => "number | bigint".to_owned(),
                _ => "number".to_owned(),
            },
            "array" => match (schema.get("prefixItems").and_then(Value::as_array), schema.get("items")) {
                (Some(items), _) => {
                    format!("[{}]", items.iter().map(|item| self.of(item)).collect::<Vec<_>>().join(", "))
                }
                (None, Some(item)) => format!("Array<{}>", self.of(item)),
                (None, None) => "any[]".to_owned(),
            },
            "object" => self.object(schema),
            _ => "any".to_owned(),
        }
    }

    fn object(&self, schema: &Map<String, Value>) -> String {
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = schema.get("properties").and_then(Value::as_object);
        let Some(properties) = properties.filter(|properties| !properties.is_empty()) else {
            let values = schema.get("additionalProperties").map_or_else(|| "any".to_owned(), |other| self.of(other));
            return format!("Record<string, {values}>");
        };
        let one = |(name, schema): (&String, &Value)| {
            let about = schema.get("description").and_then(Value::as_str);
            let about = about.map(|about| comment("  ", about)).unwrap_or_default();
            let mark = if required.contains(&name.as_str()) { "" } else { "?" };
            format!("{about}  {}{mark}: {};\n", property(name), self.of(schema).replace('\n', "\n  "))
        };
        format!("{{\n{}}}", properties.iter().map(one).collect::<String>())
    }
}

/// Whether a schema says more than its type and its properties.
fn has_more(schema: &Value) -> bool {
    ["anyOf", "oneOf", "allOf", "$ref", "enum", "const"].iter().any(|word| schema.get(word).is_some())
}

/// A value as the type that has no other; of lists and objects, anything.
fn literal(value: &Value) -> String {
    if value.is_array() || value.is_object() { "any".to_owned() } else { value.to_string() }
}

fn union(parts: impl Iterator<Item = String>) -> String {
    let mut all: Vec<String> = Vec::new();
    for part in parts {
        if !all.contains(&part) {
            all.push(part);
        }
    }
    all.join(" | ")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::typescript::check_declarations;

    /// What is in stock.
    #[derive(JsonSchema)]
    #[allow(dead_code, reason = "only described")]
    struct Item {
        /// Its name.
        sku: String,
        left: Option<u32>,
        #[serde(rename = "is new")]
        is_new: bool,
        big: u64,
        kind: Kind,
        size: Size,
        parts: Vec<Item>,
        by_name: BTreeMap<String, (f64, char)>,
        anything: serde_json::Value,
    }

    #[derive(JsonSchema)]
    #[serde(rename_all = "lowercase")]
    #[allow(dead_code, reason = "only described")]
    enum Kind {
        Plain,
        Odd,
    }

    #[derive(JsonSchema)]
    #[serde(tag = "unit")]
    #[allow(dead_code, reason = "only described")]
    enum Size {
        Metres { length: f64 },
        None,
    }

    #[test]
    fn schemas_are_told_as_typescript() {
        let text = declarations::<Item>();
        check_declarations(&text).unwrap_or_else(|problem| panic!("{problem:?}\n{text}"));
        for line in [
            "/** What is in stock. */",
            "interface Item {",
            "  /** Its name. */",
            "  sku: string;",
            "  left?: number | null;",
            "  'is new': boolean;",
            "  big: number | bigint;",
            "  kind: Kind;",
            "  parts: Array<Item>;",
            "  by_name: Record<string, [number, string]>;",
            "  anything: any;",
            "type Kind = \"plain\" | \"odd\";",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(
            text.contains("type Size = {\n  unit: \"Metres\";\n  length: number;\n} | {\n  unit: \"None\";\n};"),
            "{text}"
        );
    }
}
