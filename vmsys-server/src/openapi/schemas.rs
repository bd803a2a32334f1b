//! The schemas of a document: of requests, which may leave out what has a default, and of answers, which never do.

use std::collections::BTreeSet;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

/// Where schemas of a document stand, and where those of requests stand until their names are known.
const PLACE: &str = "/components/schemas";
const OF_REQUESTS: &str = "/requests";

/// The schemas that a document has come to so far.
///
/// A type can be part of requests and of answers: limits, for example, of which a request gives some and an answer tells
/// all. Where the two differ, the one of requests is called `LimitsInput`.
pub(super) struct Schemas {
    requests: SchemaGenerator,
    answers: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let at = |place: &'static str| {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = place.into();
                settings.meta_schema = None;
            })
        };
        Self {
            requests: at(OF_REQUESTS).for_deserialize().into_generator(),
            answers: at(PLACE).for_serialize().into_generator(),
        }
    }

    /// Describes a part of requests.
    pub(super) fn of_request<T>(&mut self, describe: impl FnOnce(&mut SchemaGenerator) -> T) -> T {
        describe(&mut self.requests)
    }

    /// Describes a part of answers.
    pub(super) fn of_answer<T>(&mut self, describe: impl FnOnce(&mut SchemaGenerator) -> T) -> T {
        describe(&mut self.answers)
    }

    /// Puts all schemas into a document that refers to them.
    pub(super) fn put_into(mut self, document: &mut Value) {
        let mut requests = self.requests.take_definitions(false);
        let mut schemas = self.answers.take_definitions(false);
        requests.values_mut().chain(schemas.values_mut()).for_each(tidy);
        schemas.values_mut().for_each(open);

        let renamed = that_differ(&requests, &schemas);
        for (name, mut schema) in requests {
            refer(&mut schema, &renamed);
            schemas.insert(final_name(&name, &renamed), schema);
        }
        refer(document, &renamed);
        schemas.sort_keys();
        document["components"]["schemas"] = schemas.into();
    }
}

/// The names of requests that are something else in answers, or are made of such.
fn that_differ(requests: &Map<String, Value>, answers: &Map<String, Value>) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    loop {
        let differ = |(name, schema): &(&String, &Value)| {
            let mut schema = (*schema).clone();
            refer(&mut schema, &names);
            !names.contains(*name) && answers.get(*name).is_some_and(|other| *other != schema)
        };
        let more: Vec<String> = requests.iter().filter(differ).map(|(name, _)| name.clone()).collect();
        if more.is_empty() {
            return names;
        }
        names.extend(more);
    }
}

fn final_name(name: &str, renamed: &BTreeSet<String>) -> String {
    if renamed.contains(name) { format!("{name}Input") } else { name.to_owned() }
}

/// Lets references to schemas of requests lead to where these stand in the end.
fn refer(value: &mut Value, renamed: &BTreeSet<String>) {
    walk(value, &mut |fields| {
        if let Some(Value::String(target)) = fields.get_mut("$ref")
            && let Some(name) = target.strip_prefix('#').and_then(|target| target.strip_prefix(OF_REQUESTS))
        {
            *target = format!("#{PLACE}/{}", final_name(name.trim_start_matches('/'), renamed));
        }
    });
}

/// Makes of a schema that describes Rust one that describes the API.
fn tidy(schema: &mut Value) {
    walk(schema, &mut |fields| {
        if let Some(Value::String(text)) = fields.get_mut("description") {
            *text = prose(text);
        }
        // Widths of Rust's numbers. What matters of them to a caller is where they end.
        match fields.get("format").and_then(Value::as_str) {
            Some("int64") => {
                fields.remove("format");
                fields.entry("minimum").or_insert(i64::MIN.into());
                fields.entry("maximum").or_insert(i64::MAX.into());
            }
            Some(format) if format.starts_with("uint") => drop(fields.remove("format")),
            _ => {}
        }
        if fields.get("default") == Some(&Value::Null) {
            fields.remove("default");
        }
        let required = fields.get("required").cloned().unwrap_or_default();
        let is_required = |name: &str| required.as_array().is_some_and(|names| names.contains(&name.into()));
        if let Some(Value::Object(properties)) = fields.get_mut("properties") {
            let optional = properties.iter_mut().filter(|(name, _)| !is_required(name));
            optional.for_each(|(_, property)| without_null(property));
        }
    });
}

/// Says nothing of what else an answer may have: later versions have more.
fn open(schema: &mut Value) {
    walk(schema, &mut |fields| {
        if fields.get("additionalProperties") == Some(&Value::Bool(false)) {
            fields.remove("additionalProperties");
        }
    });
}

/// Takes the `null` out of a field that may be left out: requests must not have it, and answers never do.
fn without_null(property: &mut Value) {
    let Some(fields) = property.as_object_mut() else { return };
    if let Some(Value::Array(types)) = fields.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [kind] = types.as_slice() {
            fields["type"] = kind.clone();
        }
    }
    let null = json!({"type": "null"});
    if let Some(Value::Array(either)) = fields.get_mut("anyOf")
        && let [Value::Object(one), other] = either.as_mut_slice()
        && *other == null
    {
        let one = std::mem::take(one);
        fields.remove("anyOf");
        fields.extend(one);
    }
}

/// Makes of a doc comment what can be read without the code: its lines are joined, and its links are what they show.
fn prose(text: &str) -> String {
    let paragraphs = text.split("\n\n").map(|paragraph| paragraph.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut text = paragraphs.collect::<Vec<_>>().join("\n\n");
    while let Some(middle) = text.find("](") {
        let (Some(start), Some(length)) = (text[..middle].rfind('['), text[middle..].find(')')) else { break };
        text.replace_range(middle..=middle + length, "");
        text.remove(start);
    }
    text.replace("[`", "`").replace("`]", "`")
}

/// Visits every object in a value.
fn walk(value: &mut Value, visit: &mut impl FnMut(&mut Map<String, Value>)) {
    match value {
        Value::Object(fields) => {
            visit(fields);
            fields.values_mut().for_each(|value| walk(value, visit));
        }
        Value::Array(items) => items.iter_mut().for_each(|value| walk(value, visit)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Whole {
        part: Part,
        same: Same,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Part {
        #[serde(default)]
        count: u8,
    }

    #[derive(Serialize, Deserialize, JsonSchema)]
    struct Same {
        name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    }

    #[test]
    fn what_requests_may_leave_out_has_a_name_of_its_own() {
        let mut schemas = Schemas::new();
        let asked = schemas.of_request(SchemaGenerator::subschema_for::<Whole>);
        let told = schemas.of_answer(SchemaGenerator::subschema_for::<Whole>);
        let mut document = json!({"asked": asked, "told": told, "components": {}});
        schemas.put_into(&mut document);
        assert_eq!(document["asked"], json!({"$ref": "#/components/schemas/WholeInput"}));
        assert_eq!(document["told"], json!({"$ref": "#/components/schemas/Whole"}));
        let schemas = &document["components"]["schemas"];
        let names: Vec<&String> = schemas.as_object().unwrap().keys().collect();
        assert_eq!(names, ["Part", "PartInput", "Same", "Whole", "WholeInput"]);
        let part = |name: &str| schemas[name]["properties"]["part"]["$ref"].clone();
        assert_eq!(
            (part("Whole"), part("WholeInput")),
            (json!("#/components/schemas/Part"), json!("#/components/schemas/PartInput"),)
        );
        assert_eq!(schemas["Same"]["properties"]["note"], json!({"type": "string"}));
    }

    #[test]
    fn doc_comments_become_prose() {
        for (comment, text) in [
            ("One line,\nand another.\n\nA second\nparagraph.", "One line, and another.\n\nA second paragraph."),
            ("See [`Limits`](crate::Limits), or [there](x); and [`Same`].", "See `Limits`, or there; and `Same`."),
            (
                "`{\"read\": [\".\"]}` stays, as does `[1]` and a [.",
                "`{\"read\": [\".\"]}` stays, as does `[1]` and a [.",
            ),
        ] {
            assert_eq!(prose(comment), text);
        }
    }
}
