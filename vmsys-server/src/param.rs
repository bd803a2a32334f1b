//! Parameters of paths, queries and heads: each is declared once, and is read and described by that one declaration.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use vmsys_core::{CapabilityId, ExecutionId, IdempotencyKey, SessionCursor, SessionId, SessionStatus, TemplateId};

use crate::error::ApiError;
use crate::query;

/// A parameter that is read as a `T`.
pub(crate) struct Param<T> {
    name: &'static str,
    about: &'static str,
    is_required: bool,
    /// Whether an empty one is as good as none.
    may_be_empty: bool,
    /// The least and the most, of a number.
    bounds: (u64, u64),
    value: PhantomData<fn() -> T>,
}

impl<T> Param<T> {
    /// A parameter that may be left out of a query or head; parts of a path are always there.
    pub(crate) const fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about, is_required: false, may_be_empty: false, bounds: (0, u64::MAX), value: PhantomData }
    }

    /// The same, which must be given.
    pub(crate) const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }

    /// The same of a head, where an empty one is as good as none.
    pub(crate) const fn or_empty(self) -> Self {
        Self { may_be_empty: true, ..self }
    }
}

impl<T: Number> Param<T> {
    /// A whole number from `least` to `most`, written as digits and nothing else.
    pub(crate) const fn number(name: &'static str, least: u64, most: u64, about: &'static str) -> Self {
        Self { bounds: (least, most), ..Self::new(name, about) }
    }
}

impl<T: ParamValue> Param<T> {
    /// Reads a value that is there.
    pub(crate) fn read(&self, text: &str) -> Result<T, ApiError> {
        T::read(self, text)
    }

    /// The error for a value that is not there.
    pub(crate) fn missing(&self) -> ApiError {
        ApiError::validation(self.name, format!("{} is missing", self.name))
    }
}

/// Any parameter, whatever it is read as.
pub(crate) trait Declared: Sync {
    fn name(&self) -> &'static str;

    fn about(&self) -> &'static str;

    fn is_required(&self) -> bool;

    fn schema(&self, schemas: &mut SchemaGenerator) -> Schema;
}

impl<T: ParamValue> Declared for Param<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn is_required(&self) -> bool {
        self.is_required
    }

    fn schema(&self, schemas: &mut SchemaGenerator) -> Schema {
        let schema = T::schema(self, schemas);
        if self.may_be_empty { json_schema!({"anyOf": [schema, {"type": "string", "maxLength": 0}]}) } else { schema }
    }
}

/// What a parameter can be.
pub(crate) trait ParamValue: Sized {
    fn read(param: &Param<Self>, text: &str) -> Result<Self, ApiError>;

    fn schema(param: &Param<Self>, schemas: &mut SchemaGenerator) -> Schema;
}

/// Numbers that a parameter can be.
pub(crate) trait Number {}

macro_rules! numbers {
    ($($type:ty)+) => {
        $(
            impl Number for $type {}

            impl ParamValue for $type {
                fn read(param: &Param<Self>, text: &str) -> Result<Self, ApiError> {
                    let (least, most) = param.bounds;
                    let number = query::digits::<u64>(text).filter(|number| (least..=most).contains(number));
                    number.and_then(|number| number.try_into().ok()).ok_or_else(|| {
                        let up_to = if most == u64::MAX { String::new() } else { format!(" to {most}") };
                        ApiError::validation(param.name, format!("{} must be a number from {least}{up_to}", param.name))
                    })
                }

                fn schema(param: &Param<Self>, _: &mut SchemaGenerator) -> Schema {
                    json_schema!({"type": "integer", "minimum": param.bounds.0, "maximum": param.bounds.1})
                }
            }
        )+
    };
}

numbers! { u32 u64 }

macro_rules! ids {
    ($($type:ty)+) => {
        $(impl ParamValue for $type {
            fn read(param: &Param<Self>, text: &str) -> Result<Self, ApiError> {
                text.parse().map_err(|_| ApiError::validation(param.name, format!("{} must be a UUID", param.name)))
            }

            fn schema(_: &Param<Self>, schemas: &mut SchemaGenerator) -> Schema {
                schemas.subschema_for::<Self>()
            }
        })+
    };
}

ids! { TemplateId SessionId ExecutionId CapabilityId }

/// Values of the core's, whose error says what is wrong.
macro_rules! words {
    ($($type:ty)+) => {
        $(impl ParamValue for $type {
            fn read(_: &Param<Self>, text: &str) -> Result<Self, ApiError> {
                Ok(text.parse()?)
            }

            fn schema(_: &Param<Self>, schemas: &mut SchemaGenerator) -> Schema {
                schemas.subschema_for::<Self>()
            }
        })+
    };
}

words! { IdempotencyKey SessionCursor SessionStatus }

impl ParamValue for bool {
    fn read(param: &Param<Self>, text: &str) -> Result<Self, ApiError> {
        let wrong = |_| ApiError::validation(param.name, format!("{} must be true or false", param.name));
        text.parse().map_err(wrong)
    }

    fn schema(_: &Param<Self>, schemas: &mut SchemaGenerator) -> Schema {
        <Self as JsonSchema>::json_schema(schemas)
    }
}

impl ParamValue for String {
    fn read(_: &Param<Self>, text: &str) -> Result<Self, ApiError> {
        Ok(text.to_owned())
    }

    fn schema(_: &Param<Self>, schemas: &mut SchemaGenerator) -> Schema {
        <Self as JsonSchema>::json_schema(schemas)
    }
}
