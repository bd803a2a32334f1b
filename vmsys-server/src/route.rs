//! What a route is: a method, a path, what it takes, and one function from a request to an answer.

use std::fmt;
use std::fmt::Write as _;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vmsys_core::IdempotencyKey;

use crate::decode;
use crate::error::{ApiError, Code};
use crate::metrics::Metrics;
use crate::param::{Declared, Param, ParamValue};
use crate::query::{self, Query};
use crate::reply::{EVENT_STREAM, Outcome, Reply};

/// A function that parses its request into one call of the core and formats its answer.
///
/// It may block: the service calls it where its [`Cost`] says. `C` is what it works on: the core, or less in tests.
pub(crate) type Handler<C> = Arc<dyn Fn(&C, &Request) -> Result<Answer, ApiError> + Send + Sync>;

pub(crate) const JSON: &str = "application/json";

const KEY: Param<IdempotencyKey> = Param::new(
    "Idempotency-Key",
    "The same key with the same request, within 24 hours, answers what the first one came to, and runs nothing. A refusal \
     does not use the key up.",
);

/// What a handler may cost, which decides where it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cost {
    /// It waits for nothing, and so runs on the thread that serves the connection: it answers under any load.
    Free,
    /// It asks the store.
    Brief,
    /// It runs JavaScript, for as long as the template allows.
    Long,
}

/// One line of the route table.
#[derive(Clone)]
pub(crate) struct Route<C> {
    pub(crate) method: Method,
    /// The path, with `{name}` for a segment that is a parameter.
    pub(crate) path: &'static str,
    pub(crate) cost: Cost,
    /// The query parameters that it takes; any other is refused.
    pub(crate) query: &'static [&'static dyn Declared],
    /// Its `Idempotency-Key`, if it takes one.
    pub(crate) key: Option<&'static dyn Declared>,
    /// Its `Last-Event-ID`: where a stream goes on that was cut off.
    pub(crate) place: Option<&'static dyn Declared>,
    /// What it refuses beyond what every route does.
    pub(crate) refusals: &'static [Code],
    /// What the document calls it; `None` for what is not of the API.
    pub(crate) operation: Option<Operation>,
    /// What the body is, if it reads one. A route that does not takes none, or an empty object.
    pub(crate) body: Option<fn(&mut SchemaGenerator) -> Schema>,
    pub(crate) outcomes: fn(&mut SchemaGenerator) -> Vec<Outcome>,
    pub(crate) handler: Handler<C>,
}

/// What a route is to people, and to programs that are made from the document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operation {
    /// A name that never changes: code that is made from the document has functions of this name.
    pub(crate) id: &'static str,
    /// One line.
    pub(crate) summary: &'static str,
    /// What else there is to know.
    pub(crate) description: &'static str,
}

impl<C: 'static> Route<C> {
    fn new<R: Reply>(method: Method, path: &'static str, handler: Handler<C>) -> Self {
        Self {
            method,
            path,
            cost: Cost::Brief,
            query: &[],
            key: None,
            place: None,
            refusals: &[],
            operation: None,
            body: None,
            outcomes: R::outcomes,
            handler,
        }
    }

    /// A route that reads no body.
    fn plain<R: Reply + 'static>(
        method: Method,
        path: &'static str,
        handler: fn(&C, &Request) -> Result<R, ApiError>,
    ) -> Self {
        Self::new::<R>(
            method,
            path,
            Arc::new(move |context: &C, request: &Request| handler(context, request)?.answer()),
        )
    }

    /// A route that reads a JSON body: what its handler takes is what it decodes, and what the document shows.
    fn reading<B: DeserializeOwned + JsonSchema + 'static, R: Reply + 'static>(
        method: Method,
        path: &'static str,
        handler: fn(&C, &Request, Sent<B>) -> Result<R, ApiError>,
    ) -> Self {
        let reading = move |context: &C, request: &Request| {
            handler(context, request, Sent(request.body.clone(), PhantomData))?.answer()
        };
        Self { body: Some(SchemaGenerator::subschema_for::<B>), ..Self::new::<R>(method, path, Arc::new(reading)) }
    }

    pub(crate) fn get<R: Reply + 'static>(
        path: &'static str,
        handler: fn(&C, &Request) -> Result<R, ApiError>,
    ) -> Self {
        Self::plain(Method::GET, path, handler)
    }

    pub(crate) fn delete<R: Reply + 'static>(
        path: &'static str,
        handler: fn(&C, &Request) -> Result<R, ApiError>,
    ) -> Self {
        Self::plain(Method::DELETE, path, handler)
    }

    /// A `POST` without a body: the path says it all.
    pub(crate) fn act<R: Reply + 'static>(
        path: &'static str,
        handler: fn(&C, &Request) -> Result<R, ApiError>,
    ) -> Self {
        Self::plain(Method::POST, path, handler)
    }

    pub(crate) fn post<B: DeserializeOwned + JsonSchema + 'static, R: Reply + 'static>(
        path: &'static str,
        handler: fn(&C, &Request, Sent<B>) -> Result<R, ApiError>,
    ) -> Self {
        Self::reading(Method::POST, path, handler)
    }

    pub(crate) fn patch<B: DeserializeOwned + JsonSchema + 'static, R: Reply + 'static>(
        path: &'static str,
        handler: fn(&C, &Request, Sent<B>) -> Result<R, ApiError>,
    ) -> Self {
        Self::reading(Method::PATCH, path, handler)
    }

    /// The same as an operation of the API: its name for programs, and one line for people.
    pub(crate) fn named(self, id: &'static str, summary: &'static str) -> Self {
        Self { operation: Some(Operation { id, summary, description: "" }), ..self }
    }

    /// The same, with what else there is to know.
    pub(crate) fn saying(self, description: &'static str) -> Self {
        Self { operation: self.operation.map(|operation| Operation { description, ..operation }), ..self }
    }

    /// The same, which can also be refused with these codes.
    pub(crate) fn refusing(self, refusals: &'static [Code]) -> Self {
        Self { refusals, ..self }
    }

    /// The same, taking an `Idempotency-Key`.
    pub(crate) fn with_key(self) -> Self {
        Self { key: Some(&KEY), ..self }
    }

    /// The same, going on from a `Last-Event-ID`, which is what this declares.
    pub(crate) fn resuming(self, place: &'static dyn Declared) -> Self {
        Self { place: Some(place), ..self }
    }

    /// The same, taking these query parameters.
    pub(crate) fn with_query(self, query: &'static [&'static dyn Declared]) -> Self {
        Self { query, ..self }
    }

    /// The same, at another cost than a look into the store.
    pub(crate) fn costing(self, cost: Cost) -> Self {
        Self { cost, ..self }
    }
}

impl<C> Route<C> {
    /// The names of the parameters in its path.
    pub(crate) fn path_params(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'))
    }
}

impl<C> fmt::Debug for Route<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// All routes, found by path and then by method.
#[derive(Debug)]
pub(crate) struct Router<C> {
    paths: matchit::Router<Vec<Route<C>>>,
}

/// Path parameters, by name.
pub(crate) type Params = Vec<(&'static str, String)>;

impl<C: 'static> Router<C> {
    /// Builds the router.
    ///
    /// # Errors
    /// Two paths of the table cannot be told apart: a fault of the table, which its test finds.
    pub(crate) fn new(routes: impl IntoIterator<Item = Route<C>>) -> Result<Self, matchit::InsertError> {
        let mut grouped: Vec<(&'static str, Vec<Route<C>>)> = Vec::new();
        for route in routes {
            match grouped.iter_mut().find(|(path, _)| *path == route.path) {
                Some((_, methods)) => methods.push(route),
                None => grouped.push((route.path, vec![route])),
            }
        }
        let mut paths = matchit::Router::new();
        for (path, methods) in grouped {
            paths.insert(path, methods)?;
        }
        Ok(Self { paths })
    }

    /// Finds the route of a request. `HEAD` finds the route of `GET`: hyper leaves the body out of its answer.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Result<(&Route<C>, Params), ApiError> {
        let found = self.paths.at(path).map_err(|_| ApiError::not_found())?;
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        let Some(route) = found.value.iter().find(|route| route.method == *wanted) else {
            return Err(ApiError::method_not_allowed(&allowed(found.value)));
        };
        // The names as they stand in the table, which outlives the request.
        let named = |name: &str| route.path_params().find(|other| *other == name);
        let params = found.params.iter().filter_map(|(name, value)| Some((named(name)?, value.to_owned())));
        Ok((route, params.collect()))
    }
}

/// The value of `Allow`.
fn allowed<C>(routes: &[Route<C>]) -> String {
    let mut text = String::new();
    for route in routes {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{separator}{}", route.method);
        if route.method == Method::GET {
            text.push_str(", HEAD");
        }
    }
    text
}

/// What the head of a request says that a handler asks for.
#[derive(Debug, Default)]
pub(crate) struct Given {
    /// `Idempotency-Key`, checked.
    pub(crate) key: Option<IdempotencyKey>,
    /// `Last-Event-ID`: where a stream was cut off.
    pub(crate) last_event_id: Option<String>,
}

/// A request whose route is known and whose body has arrived.
#[derive(Debug, Default)]
pub(crate) struct Request {
    pub(crate) params: Params,
    pub(crate) query: Query,
    pub(crate) given: Given,
    pub(crate) body: Bytes,
    /// What the daemon has counted so far.
    pub(crate) metrics: Arc<Metrics>,
}

impl Request {
    /// Reads a parameter of the path.
    pub(crate) fn path<T: ParamValue>(&self, param: &Param<T>) -> Result<T, ApiError> {
        let name = param.name();
        let text = self.params.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| value.as_str());
        let text = query::percent_decoded(text)
            .ok_or_else(|| ApiError::validation(name, format!("{name} is not encoded rightly as a part of a path")))?;
        param.read(&text)
    }
}

/// A body that is read as a `B` when its handler says so: what is wrong with the path comes first.
pub(crate) struct Sent<B>(Bytes, PhantomData<fn() -> B>);

impl<B: DeserializeOwned> Sent<B> {
    pub(crate) fn read(self) -> Result<B, ApiError> {
        decode::object(&self.0)
    }
}

/// An answer: a status, and what is written out now or later.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    /// Where the thing is that was made.
    pub(crate) location: Option<String>,
    /// What else its head says; it wins over what every answer says.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
}

/// The body of an answer.
pub(crate) enum Body {
    Whole(Bytes),
    /// Written on and on, until its source is over.
    Stream(Box<dyn Source>),
    /// Written once its source is over, or this time has passed.
    Awaited(Box<dyn Source>, Duration),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(bytes) => bytes.fmt(f),
            Self::Stream(_) => f.write_str("a stream"),
            Self::Awaited(_, time) => write!(f, "something awaited for {time:?}"),
        }
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self::Whole(bytes.into())
    }
}

/// Where a body comes from that is not there yet. What drives it is the service's: a source neither waits nor writes.
pub(crate) trait Source: Send {
    /// Returns what is new: nothing says that there is nothing yet. It may ask the store.
    fn read(&mut self) -> Result<Part, ApiError>;

    /// Is ready when it is time to read again. Never blocks.
    fn poll_news(&mut self, context: &mut Context<'_>) -> Poll<()>;
}

/// What a source has to say.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) bytes: Bytes,
    /// Nothing comes after it.
    pub(crate) is_last: bool,
}

impl Answer {
    pub(crate) fn new(status: StatusCode, content_type: &'static str, body: impl Into<Body>) -> Self {
        Self { status, content_type, location: None, headers: HeaderMap::new(), body: body.into() }
    }

    /// Answers 202 with a document, and where it will be found.
    pub(crate) fn accepted(document: &impl Serialize, location: String) -> Result<Self, ApiError> {
        Ok(Self { location: Some(location), ..Self::json(StatusCode::ACCEPTED, document)? })
    }

    /// Answers 200 with Server-Sent Events.
    pub(crate) fn events(source: Box<dyn Source>) -> Self {
        Self::new(StatusCode::OK, EVENT_STREAM, Body::Stream(source))
    }

    /// Answers 200 with a document that is awaited for some time.
    pub(crate) fn awaited(source: Box<dyn Source>, at_most: Duration) -> Self {
        Self::new(StatusCode::OK, JSON, Body::Awaited(source, at_most))
    }

    /// Answers 200 with a document.
    pub(crate) fn ok(document: &impl Serialize) -> Result<Self, ApiError> {
        Self::json(StatusCode::OK, document)
    }

    /// Answers 201 with a document.
    pub(crate) fn created(document: &impl Serialize) -> Result<Self, ApiError> {
        Self::json(StatusCode::CREATED, document)
    }

    /// Answers 204, which has no document.
    pub(crate) fn nothing() -> Self {
        Self::new(StatusCode::NO_CONTENT, JSON, Bytes::new())
    }

    fn json(status: StatusCode, document: &impl Serialize) -> Result<Self, ApiError> {
        match serde_json::to_vec(document) {
            Ok(body) => Ok(Self::new(status, JSON, body)),
            Err(error) => Err(ApiError::internal(format!("an answer cannot be written as JSON: {error}"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nothing((): &(), _: &Request) -> Result<Answer, ApiError> {
        Answer::ok(&())
    }

    fn taken((): &(), _: &Request, _: Sent<()>) -> Result<Answer, ApiError> {
        Answer::ok(&())
    }

    fn router() -> Router<()> {
        Router::new([
            Route::post("/things", taken),
            Route::get("/things", nothing),
            Route::delete("/things/{thing_id}", nothing),
            Route::act("/things/{thing_id}/parts", nothing),
        ])
        .unwrap()
    }

    #[test]
    fn a_route_is_found_by_path_and_method() {
        let router = router();
        let (route, params) = router.find(&Method::DELETE, "/things/a%20b").unwrap();
        assert_eq!(
            (format!("{route:?}").as_str(), params),
            ("DELETE /things/{thing_id}", vec![("thing_id", "a%20b".to_owned())])
        );
        assert!(router.find(&Method::POST, "/things").unwrap().0.body.is_some());
        assert!(router.find(&Method::HEAD, "/things").unwrap().0.body.is_none());
    }

    #[test]
    fn other_paths_are_not_found() {
        let router = router();
        for path in [
            "",
            "/",
            "*",
            "things",
            "/things/",
            "/thing",
            "/things//parts",
            "/things/1/parts/",
            "/things/1/2",
            "/%74hings",
        ] {
            let error = router.find(&Method::GET, path).unwrap_err();
            assert_eq!((error.status().as_u16(), error.code()), (404, "NOT_FOUND"), "{path}");
        }
    }

    #[test]
    fn other_methods_are_told_which_are_allowed() {
        let router = router();
        for (method, path, allow) in [
            (Method::PUT, "/things", "POST, GET, HEAD"),
            (Method::OPTIONS, "/things", "POST, GET, HEAD"),
            (Method::HEAD, "/things/1", "DELETE"),
            (Method::GET, "/things/1/parts", "POST"),
            (Method::from_bytes(b"BREW").unwrap(), "/things/1/parts", "POST"),
        ] {
            let error = router.find(&method, path).unwrap_err();
            assert_eq!((error.status().as_u16(), error.code()), (405, "METHOD_NOT_ALLOWED"), "{method} {path}");
            assert_eq!(error.detail("allow"), Some(allow), "{method} {path}");
        }
    }

    #[test]
    fn a_name_is_decoded() {
        const NAME: Param<String> = Param::new("name", "");
        let request = |text: &str| Request { params: vec![("name", text.to_owned())], ..Request::default() };
        for (text, name) in [("lodash-4.17.21", "lodash-4.17.21"), ("a+b", "a+b"), ("a%2Fb%20%C3%BC", "a/b ü")] {
            assert_eq!(request(text).path(&NAME).unwrap(), name);
        }
        for text in ["%", "%4", "%zz", "%ff"] {
            let error = request(text).path(&NAME).unwrap_err();
            assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some("name")), "{text}");
        }
    }

    #[test]
    fn an_id_that_is_none_names_its_parameter() {
        let request = Request { params: vec![("session_id", "7".to_owned())], ..Request::default() };
        let error = request.path(&Param::<vmsys_core::SessionId>::new("session_id", "")).unwrap_err();
        assert_eq!((error.code(), error.detail("field")), ("VALIDATION_ERROR", Some("session_id")));
    }
}
