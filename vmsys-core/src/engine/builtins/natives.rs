//! Functions in Rust that parts call: pure ones, which reach nothing but their arguments and the realm.

pub(super) mod buffer;
pub(super) mod bytes;
pub(super) mod commonjs;
pub(super) mod crypto;
pub(super) mod encoding;
pub(super) mod intl;
pub(super) mod process;
pub(super) mod realm;
pub(super) mod url;
pub(super) mod util;

use std::rc::Rc;

use rquickjs::{Array, Ctx, Exception, IntoJs, Result, Value};

use super::argument;
use crate::engine::realm::World;
use crate::engine::{cross, raw};

/// A function that a part finds under `internal.natives`.
///
/// It may neither call JavaScript nor wait for anything; what it allocates is bounded by a small multiple of what the
/// script's heap holds already.
pub(super) struct Native {
    pub(super) name: &'static str,
    pub(super) body: for<'js> fn(&Ctx<'js>, &Rc<World>, &[Value<'js>]) -> Result<Value<'js>>,
}

/// An argument that is a text; a lone surrogate becomes U+FFFD.
fn text_argument<'js>(args: &[Value<'js>], at: usize, ctx: &Ctx<'js>, world: &World) -> Result<String> {
    let value = argument(args, at, ctx);
    charge(ctx, world, raw::string_len(&value))?;
    cross::string(&value).map_err(|_| Exception::throw_type(ctx, "not a string"))
}

/// An argument that is a typed array: its bytes.
fn bytes_argument<'js>(args: &[Value<'js>], at: usize, ctx: &Ctx<'js>, world: &World) -> Result<Vec<u8>> {
    let bytes =
        raw::typed_array_bytes(&argument(args, at, ctx)).map_err(|_| Exception::throw_type(ctx, "not bytes"))?;
    charge(ctx, world, bytes.len())?;
    Ok(bytes)
}

/// Counts work as the script's own; fails when the script is to end.
fn charge(ctx: &Ctx<'_>, world: &World, bytes: usize) -> Result<()> {
    if world.budget.charge(bytes) {
        return Err(Exception::throw_message(ctx, "the execution is being ended"));
    }
    Ok(())
}

fn flag_argument(args: &[Value<'_>], at: usize) -> bool {
    args.get(at).and_then(Value::as_bool).unwrap_or_default()
}

/// An array of texts.
fn texts<'js>(ctx: &Ctx<'js>, texts: impl Iterator<Item = impl AsRef<str>>) -> Result<Value<'js>> {
    let array = Array::new(ctx.clone())?;
    for (at, text) in texts.enumerate() {
        raw::define_index(array.as_value(), at as u32, text.as_ref().into_js(ctx)?)?;
    }
    Ok(array.into_value())
}
