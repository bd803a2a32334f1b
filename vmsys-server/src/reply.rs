//! What handlers return: each type writes its answer, and says for the document what that answer is.

use std::marker::PhantomData;
use std::time::Duration;

use http::StatusCode;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;

use crate::error::ApiError;
use crate::route::{Answer, JSON, Source};

pub(crate) const EVENT_STREAM: &str = "text/event-stream";

/// What a handler returns. One type says what is answered and what the document promises, so the two cannot disagree.
pub(crate) trait Reply {
    /// Writes the answer. Long documents are written here, where it may take its time.
    fn answer(self) -> Result<Answer, ApiError>;

    /// Tells every way in which a request can succeed.
    fn outcomes(schemas: &mut SchemaGenerator) -> Vec<Outcome>;
}

/// One way in which a request succeeds.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: StatusCode,
    pub(crate) about: &'static str,
    pub(crate) content_type: &'static str,
    pub(crate) schema: Schema,
    /// Whether `Location` says where the thing is that was made.
    pub(crate) has_location: bool,
}

impl Outcome {
    /// A JSON document.
    pub(crate) fn json<T: JsonSchema>(status: StatusCode, about: &'static str, schemas: &mut SchemaGenerator) -> Self {
        let schema = schemas.subschema_for::<T>();
        Self { status, about, content_type: JSON, schema, has_location: false }
    }

    /// 200 with text of some other type.
    pub(crate) fn text(content_type: &'static str, about: &'static str) -> Self {
        let schema = json_schema!({"type": "string"});
        Self { status: StatusCode::OK, about, content_type, schema, has_location: false }
    }
}

/// 200 with a document.
#[derive(Debug)]
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize + JsonSchema> Reply for Json<T> {
    fn answer(self) -> Result<Answer, ApiError> {
        Answer::ok(&self.0)
    }

    fn outcomes(schemas: &mut SchemaGenerator) -> Vec<Outcome> {
        vec![Outcome::json::<T>(StatusCode::OK, "It is done.", schemas)]
    }
}

/// 201 with a document of what was made.
#[derive(Debug)]
pub(crate) struct Created<T>(pub(crate) T);

impl<T: Serialize + JsonSchema> Reply for Created<T> {
    fn answer(self) -> Result<Answer, ApiError> {
        Answer::created(&self.0)
    }

    fn outcomes(schemas: &mut SchemaGenerator) -> Vec<Outcome> {
        vec![Outcome::json::<T>(StatusCode::CREATED, "It is made, and stored.", schemas)]
    }
}

/// 200 with a document that is written now, or that a source writes when it is over, or this time has passed.
pub(crate) enum Soon<T> {
    Now(T),
    Within(Duration, Box<dyn Source>, PhantomData<fn() -> T>),
}

impl<T> Soon<T> {
    pub(crate) fn within(at_most: Duration, source: impl Source + 'static) -> Self {
        Self::Within(at_most, Box::new(source), PhantomData)
    }
}

impl<T: Serialize + JsonSchema> Reply for Soon<T> {
    fn answer(self) -> Result<Answer, ApiError> {
        match self {
            Self::Now(document) => Answer::ok(&document),
            Self::Within(at_most, source, _) => Ok(Answer::awaited(source, at_most)),
        }
    }

    fn outcomes(schemas: &mut SchemaGenerator) -> Vec<Outcome> {
        Json::<T>::outcomes(schemas)
    }
}

/// 200 with Server-Sent Events, each of them an `M`, for as long as the source has any.
pub(crate) struct EventStream<M>(Box<dyn Source>, PhantomData<fn() -> M>);

impl<M> EventStream<M> {
    pub(crate) fn of(source: impl Source + 'static) -> Self {
        Self(Box::new(source), PhantomData)
    }
}

impl<M: JsonSchema> Reply for EventStream<M> {
    fn answer(self) -> Result<Answer, ApiError> {
        Ok(Answer::events(self.0))
    }

    /// As is usual with OpenAPI 3.1, which has no word for it, the schema of a stream is that of one message.
    fn outcomes(schemas: &mut SchemaGenerator) -> Vec<Outcome> {
        let schema = schemas.subschema_for::<M>();
        let about = "The messages, as they come; the schema is that of each.";
        vec![Outcome { status: StatusCode::OK, about, content_type: EVENT_STREAM, schema, has_location: false }]
    }
}

/// An answer that is not of the API, and that no document describes: the page at the root.
impl Reply for Answer {
    fn answer(self) -> Result<Answer, ApiError> {
        Ok(self)
    }

    fn outcomes(_: &mut SchemaGenerator) -> Vec<Outcome> {
        Vec::new()
    }
}
