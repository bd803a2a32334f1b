//! Text to bytes and back.

use std::rc::Rc;

use rquickjs::{Ctx, IntoJs, Result, Value};

use super::{Native, bytes_argument, text_argument};
use crate::engine::cross;
use crate::engine::realm::World;
use crate::value::Value as Data;

pub(in crate::engine::builtins) const NATIVES: &[Native] =
    &[Native { name: "utf8Encode", body: utf8_encode }, Native { name: "utf8Decode", body: utf8_decode }];

/// `utf8Encode(text)`: its bytes, as a `Uint8Array`; a lone surrogate becomes U+FFFD.
fn utf8_encode<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let text = text_argument(args, 0, ctx, world)?;
    cross::to_guest(ctx, &world.intrinsics, &Data::Bytes(text.into_bytes()))
}

/// `utf8Decode(bytes)`: their text; what is no UTF-8 becomes U+FFFD.
fn utf8_decode<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    String::from_utf8_lossy(&bytes_argument(args, 0, ctx, world)?).into_js(ctx)
}
