//! The arguments of a call as the tuple that a function takes.

use serde::de::DeserializeOwned;

use super::typescript;
use crate::value::{CallError, Value};

mod sealed {
    pub trait Sealed {}
}

/// What a function of a [`HostModule`](super::HostModule) can take: a tuple of up to eight types that serde reads, or
/// `Vec<Value>` for any arguments at all.
///
/// A single argument is a tuple, too: `(String,)`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the arguments of a host function",
    label = "not a tuple of up to eight types that implement `serde::Deserialize`",
    note = "write one argument as a tuple, too: `(name,): (String,)`, and none as `(): ()`",
    note = "arguments are owned: `String` and not `&str`"
)]
pub trait HostArgs: sealed::Sealed + Send + Sized + 'static {
    /// Reads them.
    ///
    /// # Errors
    /// A `TypeError` with the name of the function, the place of the argument, and what was expected.
    #[doc(hidden)]
    fn read(module: &str, function: &str, args: &[Value]) -> Result<Self, CallError>;

    /// How they look in TypeScript, by these names as far as there are any.
    #[doc(hidden)]
    fn types(names: &[&str]) -> String;

    /// How many there are; none says that there can be any number of them.
    #[doc(hidden)]
    const COUNT: Option<usize>;
}

fn argument<T: DeserializeOwned>(module: &str, function: &str, args: &[Value], at: usize) -> Result<T, CallError> {
    args.get(at).cloned().unwrap_or_default().to().map_err(|error| {
        let place = format!("{module}.{function}: argument {}", at + 1);
        let why = error.message();
        CallError::argument(match (error.path(), why.rsplit_once("expected ")) {
            (None, Some((_, expected))) if at >= args.len() => format!("{place} is missing, expected {expected}"),
            (None, _) => format!("{place}: {why}"),
            (Some(path), _) if path.starts_with('[') => format!("{place}{path}: {why}"),
            (Some(path), _) => format!("{place}.{path}: {why}"),
        })
    })
}

/// Implements the trait for tuples.
macro_rules! tuples {
    ($(($($type:ident $at:tt),*),)+) => {
        $(
            impl<$($type: DeserializeOwned + Send + 'static),*> sealed::Sealed for ($($type,)*) {}

            impl<$($type: DeserializeOwned + Send + 'static),*> HostArgs for ($($type,)*) {
                #[allow(unused_variables, clippy::unused_unit, reason = "a function may have no arguments")]
                fn read(module: &str, function: &str, args: &[Value]) -> Result<Self, CallError> {
                    Ok(($(argument::<$type>(module, function, args, $at)?,)*))
                }

                fn types(names: &[&str]) -> String {
                    typescript::parameters(&[$(std::any::type_name::<$type>()),*], names)
                }

                const COUNT: Option<usize> = Some(<[usize]>::len(&[$($at),*]));
            }
        )+
    };
}

tuples! {
    (),
    (A 0),
    (A 0, B 1),
    (A 0, B 1, C 2),
    (A 0, B 1, C 2, D 3),
    (A 0, B 1, C 2, D 3, E 4),
    (A 0, B 1, C 2, D 3, E 4, F 5),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6),
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7),
}

impl sealed::Sealed for Vec<Value> {}

impl HostArgs for Vec<Value> {
    fn read(_: &str, _: &str, args: &[Value]) -> Result<Self, CallError> {
        Ok(args.to_vec())
    }

    fn types(names: &[&str]) -> String {
        format!("...{}: any[]", names.first().unwrap_or(&"args"))
    }

    const COUNT: Option<usize> = None;
}
