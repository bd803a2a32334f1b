//! The document of the API: OpenAPI 3.1, put together from the table of routes and the types of bodies and answers.
//!
//! Nothing here knows a route. What a body is comes from the type that it is decoded into, what an answer is from the
//! type that a handler returns, what a parameter may be from the declaration that reads it.

mod schemas;

use std::collections::{BTreeMap, BTreeSet};

use schemars::SchemaGenerator;
use serde_json::{Map, Value, json};

use self::schemas::Schemas;
use crate::error::{Code, Envelope};
use crate::param::Declared;
use crate::route::{JSON, Operation, Route};

/// What is said of the API as a whole.
const ABOUT: &str = "\
Templates say what JavaScript may do, sessions hold its state, executions record what it did.

- Bodies are JSON, and are read strictly: an unknown field or parameter, a field given twice, and `null` for a field that \
may be left out are errors.
- A whole number is written without a fraction: `7`, and not `7.0`.
- Ids are UUIDs of version 7, so that they sort by age. Times are RFC 3339 in UTC, with milliseconds.
- Lists are bare arrays. Those that can grow take `limit`, and `before` for the next older page.
- Every answer bears an `X-Request-Id`: the caller's own, if it sent a printable one of at most 128 characters, or a new \
one. The daemon's log has it too.
- `HEAD` is answered wherever `GET` is.
- Every refusal is an `Error`, whose `code` never changes.";

/// What the parts of the API are about: a route belongs to the one that its path names.
const TAGS: &[(&str, &str)] = &[
    ("openapi", "The API itself."),
    ("health", "Whether the daemon is there."),
    ("runtime", "What is alive in memory, and what the daemon has done."),
    ("metrics", "What the daemon has done, to Prometheus."),
    ("catalog", "What templates can be given."),
    ("templates", "What code may use, and how it is run."),
    ("sessions", "Runtimes whose state lasts from one execution to the next."),
    ("executions", "Snippets and files, run once each, with everything that they did."),
];

/// What any route can refuse a request for, before it looks into it.
const ALWAYS: &[Code] = &[
    Code::InvalidRequest,
    Code::Forbidden,
    Code::MethodNotAllowed,
    Code::RequestTimeout,
    Code::PayloadTooLarge,
    Code::UriTooLong,
    Code::UnsupportedMediaType,
    Code::LimitReached,
    Code::HeadersTooLarge,
    Code::Internal,
    Code::StoreUnavailable,
    Code::ShuttingDown,
];

/// Makes the document of those routes that are operations of the API; `in_paths` declares what stands in their paths.
pub(crate) fn document<C: 'static>(
    routes: impl IntoIterator<Item = Route<C>>,
    in_paths: &[&'static dyn Declared],
) -> Value {
    let mut document = Document { schemas: Schemas::new(), refusals: BTreeSet::new(), in_paths };
    let mut paths = Map::new();
    for route in routes {
        if let Some(operation) = route.operation {
            let described = document.operation(&route, operation);
            paths.entry(route.path).or_insert_with(|| json!({}))[route.method.as_str().to_lowercase()] = described;
        }
    }
    document.finish(paths.into())
}

struct Document<'a> {
    schemas: Schemas,
    /// Refusals that have been referred to: the codes of one status.
    refusals: BTreeSet<Vec<Code>>,
    in_paths: &'a [&'static dyn Declared],
}

impl Document<'_> {
    fn operation<C: 'static>(&mut self, route: &Route<C>, operation: Operation) -> Value {
        let Operation { id, summary, description } = operation;
        let mut described = json!({"operationId": id, "summary": summary, "tags": [tag(route.path)]});
        if !description.is_empty() {
            described["description"] = description.into();
        }
        let parameters = self.parameters(route);
        let checks_values = route.body.is_some() || !parameters.is_empty();
        if !parameters.is_empty() {
            described["parameters"] = parameters.into();
        }
        if let Some(body) = route.body {
            let schema = self.schemas.of_request(body);
            described["requestBody"] = json!({"required": true, "content": {JSON: {"schema": schema}}});
        }
        let mut codes: BTreeSet<Code> = ALWAYS.iter().chain(route.refusals).copied().collect();
        if checks_values {
            codes.insert(Code::ValidationError);
        }
        if route.path.contains('{') {
            // A part of a path that is empty, or has a slash in it, is another path.
            codes.insert(Code::NotFound);
        }
        if is_open(route.path) {
            described["security"] = json!([]);
        } else {
            codes.insert(Code::Unauthorized);
        }
        described["responses"] = self.responses(route, &codes);
        described
    }

    fn parameters<C: 'static>(&mut self, route: &Route<C>) -> Vec<Value> {
        let in_path = route.path_params().filter_map(|name| self.in_paths.iter().find(|param| param.name() == name));
        let in_path: Vec<_> = in_path.copied().map(|param| ("path", param)).collect();
        let in_query = route.query.iter().map(|param| ("query", *param));
        let in_head = route.key.into_iter().chain(route.place).map(|param| ("header", param));
        let all = in_path.into_iter().chain(in_query).chain(in_head);
        all.map(|(place, param)| self.parameter(place, param)).collect()
    }

    fn parameter(&mut self, place: &str, param: &dyn Declared) -> Value {
        let schema = self.schemas.of_request(|schemas| param.schema(schemas));
        json!({
            "name": param.name(),
            "in": place,
            "required": place == "path" || param.is_required(),
            "description": param.about(),
            "schema": schema,
        })
    }

    fn responses<C: 'static>(&mut self, route: &Route<C>, codes: &BTreeSet<Code>) -> Value {
        let mut responses = BTreeMap::new();
        for outcome in self.schemas.of_answer(route.outcomes) {
            let mut headers = json!({"X-Request-Id": header("RequestId")});
            if outcome.has_location {
                headers["Location"] = header("Location");
            }
            // Without its parameters, which say how it is written and not what it is.
            let media_type = outcome.content_type.split(';').next().unwrap_or_default();
            let content = json!({media_type: {"schema": outcome.schema}});
            let response = json!({"description": outcome.about, "headers": headers, "content": content});
            responses.insert(outcome.status.as_str().to_owned(), response);
        }
        let mut by_status: BTreeMap<String, Vec<Code>> = BTreeMap::new();
        for code in codes {
            by_status.entry(code.status().as_str().to_owned()).or_default().push(*code);
        }
        for (status, codes) in by_status {
            responses.insert(status, json!({"$ref": format!("#/components/responses/{}", name_of(&codes))}));
            self.refusals.insert(codes);
        }
        responses.into_iter().collect()
    }

    fn finish(mut self, paths: Value) -> Value {
        self.schemas.of_answer(SchemaGenerator::subschema_for::<Envelope<'_>>);
        let refusals: Map<String, Value> = self.refusals.iter().map(|codes| (name_of(codes), refusal(codes))).collect();
        let tags: Vec<Value> = TAGS.iter().map(|(name, about)| json!({"name": name, "description": about})).collect();
        let mut document = json!({
            "openapi": "3.1.0",
            "info": {
                "title": "vm-system",
                "version": env!("CARGO_PKG_VERSION"),
                "description": ABOUT,
                "license": {"name": env!("CARGO_PKG_LICENSE"), "identifier": env!("CARGO_PKG_LICENSE")},
            },
            "servers": [{"url": "/", "description": "The daemon that answered this document."}],
            "security": [{"token": []}, {}],
            "tags": tags,
            "paths": paths,
            "components": {
                "securitySchemes": {"token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "The daemon's token, if it was started with one.",
                }},
                "headers": headers(),
                "responses": refusals,
            },
        });
        self.schemas.put_into(&mut document);
        document
    }
}

/// The part of the API that a path belongs to: `templates`, of `/api/v1/templates/{template_id}`.
fn tag(path: &str) -> &str {
    let inside = path.trim_start_matches("/api/v1").trim_start_matches('/');
    inside.split(['/', '.']).next().unwrap_or_default()
}

/// Whether a path is answered without a token, whatever the daemon was told.
fn is_open(path: &str) -> bool {
    !crate::access::needs_token(path)
}

fn header(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}

/// The headers of answers.
fn headers() -> Value {
    json!({
        "RequestId": {
            "description": "The id of the request, which the log has too.",
            "required": true,
            "schema": {"type": "string", "minLength": 1, "maxLength": 128},
        },
        "Location": {
            "description": "Where the execution can be read.",
            "required": true,
            "schema": {"type": "string", "format": "uri-reference"},
        },
        "RetryAfter": {
            "description": "After how many seconds it may be worth another try, if it may.",
            "schema": {"type": "integer", "minimum": 0},
        },
        "Allow": {
            "description": "The methods that are answered.",
            "required": true,
            "schema": {"type": "string"},
        },
        "Authenticate": {
            "description": "How to show the token.",
            "required": true,
            "schema": {"type": "string", "const": "Bearer"},
        },
    })
}

/// What a refusal with one of these codes is called: `NotFoundOrSessionNotFound`.
fn name_of(codes: &[Code]) -> String {
    codes.iter().map(|code| code.name()).collect::<Vec<_>>().join("Or")
}

/// The answer to what is refused with one of these codes, which have the same status.
fn refusal(codes: &[Code]) -> Value {
    let sentences: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.as_str(), code.meaning())).collect();
    let words: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
    let mut headers = json!({"X-Request-Id": header("RequestId")});
    if codes.iter().any(|code| code.retry_after().is_some()) {
        headers["Retry-After"] = header("RetryAfter");
    }
    match codes {
        [Code::MethodNotAllowed] => headers["Allow"] = header("Allow"),
        [Code::Unauthorized] => headers["WWW-Authenticate"] = header("Authenticate"),
        _ => {}
    }
    let schema = json!({
        "allOf": [
            {"$ref": "#/components/schemas/Error"},
            {"properties": {"error": {"properties": {"code": {"enum": words}}}}},
        ],
    });
    json!({"description": sentences.join("\n\n"), "headers": headers, "content": {JSON: {"schema": schema}}})
}
