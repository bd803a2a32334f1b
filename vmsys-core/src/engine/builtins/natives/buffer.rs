//! What `Buffer` does with many bytes: encodings, comparing, finding.

mod encoding;
mod find;

use std::rc::Rc;

use rquickjs::{ArrayBuffer, Ctx, Exception, IntoJs, Result, Value};

use super::{Native, charge};
use crate::engine::builtins::argument;
use crate::engine::raw::{self, Answer};
use crate::engine::realm::World;
use encoding::{Encoding, Text};

pub(in crate::engine::builtins) const NATIVES: &[Native] = &[
    Native { name: "bufferByteLength", body: byte_length },
    Native { name: "bufferCompare", body: compare },
    Native { name: "bufferFromString", body: from_string },
    Native { name: "bufferIndexOf", body: index_of },
    Native { name: "bufferIsAscii", body: is_ascii },
    Native { name: "bufferIsUtf8", body: is_utf8 },
    Native { name: "bufferSwap", body: swap },
    Native { name: "bufferToString", body: to_string },
    Native { name: "bufferWrite", body: write },
];

/// What is thrown where bytes are not what a part takes them for: their buffer was detached, shrunk or frozen meanwhile.
fn unusable<T>(ctx: &Ctx<'_>, answer: Answer<T>) -> Result<T> {
    answer.map_err(|_| Exception::throw_type(ctx, "the bytes are not there, or cannot be changed"))
}

fn index(args: &[Value<'_>], at: usize) -> usize {
    // A float is cut off at the ends of the range, and what is no number is 0.
    args.get(at).and_then(Value::as_number).unwrap_or(0.0) as usize
}

fn text<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>], at: usize, encoding: Encoding) -> Result<Text> {
    let text = argument(args, at, ctx);
    charge(ctx, world, raw::string_len(&text))?;
    let text = Text::read(&text, encoding);
    text.map_err(|_| Exception::throw_type(ctx, "not a string"))
}

/// An argument that is a typed array, whose bytes are about to be worked through.
fn bytes<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>], at: usize) -> Result<Value<'js>> {
    let bytes = argument(args, at, ctx);
    let len = unusable(ctx, raw::with_bytes([&bytes], |[bytes]| bytes.len()))?;
    charge(ctx, world, len)?;
    Ok(bytes)
}

fn encoding(ctx: &Ctx<'_>, args: &[Value<'_>], at: usize) -> Result<Encoding> {
    let name = args.get(at).and_then(|name| name.as_string()?.to_string().ok());
    name.and_then(|name| Encoding::named(&name)).ok_or_else(|| Exception::throw_type(ctx, "not an encoding"))
}

/// `bufferByteLength(text)`: how many bytes it takes in UTF-8.
fn byte_length<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    (text(ctx, world, args, 0, Encoding::Utf8)?.encode(Encoding::Utf8).len() as f64).into_js(ctx)
}

/// `bufferFromString(text, encoding)`: an `ArrayBuffer` with exactly its bytes.
fn from_string<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let encoding = encoding(ctx, args, 1)?;
    let bytes = text(ctx, world, args, 0, encoding)?.encode(encoding);
    // Copied, so that the bytes count as the script's.
    Ok(ArrayBuffer::new_copy(ctx.clone(), &bytes)?.into_value())
}

/// `bufferToString(bytes, encoding, start, end)`.
fn to_string<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let encoding = encoding(ctx, args, 1)?;
    let (start, end) = (index(args, 2), index(args, 3));
    charge(ctx, world, end.saturating_sub(start))?;
    let decoded = raw::with_bytes([&argument(args, 0, ctx)], |[bytes]| {
        let end = end.min(bytes.len());
        encoding.decode(&bytes[start.min(end)..end])
    });
    match unusable(ctx, decoded)? {
        encoding::Decoded::Text(text) => text.into_js(ctx),
        encoding::Decoded::Units(units) => raw::string_of_units(ctx, &units).map_err(|_| too_long(ctx)),
    }
}

fn too_long(ctx: &Ctx<'_>) -> rquickjs::Error {
    Exception::throw_range(ctx, "Cannot create a string of that length")
}

/// `bufferWrite(bytes, text, encoding, offset, length)`: how many bytes were written; no character is written in part.
fn write<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let encoding = encoding(ctx, args, 2)?;
    let encoded = text(ctx, world, args, 1, encoding)?.encode(encoding);
    let (offset, length) = (index(args, 3), index(args, 4));
    let written = raw::with_bytes_mut(&argument(args, 0, ctx), |bytes| {
        let offset = offset.min(bytes.len());
        let room = length.min(bytes.len() - offset);
        let count = encoding.whole(&encoded, room);
        bytes[offset..offset + count].copy_from_slice(&encoded[..count]);
        count
    });
    (unusable(ctx, written)? as f64).into_js(ctx)
}

/// `bufferCompare(a, b)`: -1, 0 or 1.
fn compare<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let (a, b) = (bytes(ctx, world, args, 0)?, bytes(ctx, world, args, 1)?);
    (unusable(ctx, raw::with_bytes([&a, &b], |[a, b]| a.cmp(b)))? as i32).into_js(ctx)
}

/// `bufferIndexOf(bytes, needle, offset, step, forward)`: where it is first, or last; -1 if it is not there.
///
/// With a step of 2 both are units of two bytes.
fn index_of<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let offset = args.get(2).and_then(Value::as_number).unwrap_or(0.0) as i64;
    let is_wide = index(args, 3) == 2;
    let forward = args.get(4).and_then(Value::as_bool).unwrap_or(true);
    let (all, needle) = (bytes(ctx, world, args, 0)?, bytes(ctx, world, args, 1)?);
    let found =
        raw::with_bytes([&all, &needle], |[bytes, needle]| find::index_of(bytes, needle, offset, is_wide, forward));
    unusable(ctx, found)?.map_or(-1.0, |at| at as f64).into_js(ctx)
}

/// `bufferSwap(bytes, size)`: turns each group of that many bytes round.
fn swap<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let size = index(args, 1).max(1);
    let swapped = raw::with_bytes_mut(&bytes(ctx, world, args, 0)?, |bytes| {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    });
    unusable(ctx, swapped)?;
    Ok(Value::new_undefined(ctx.clone()))
}

fn is_utf8<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    unusable(ctx, raw::with_bytes([&bytes(ctx, world, args, 0)?], |[bytes]| std::str::from_utf8(bytes).is_ok()))?
        .into_js(ctx)
}

fn is_ascii<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    unusable(ctx, raw::with_bytes([&bytes(ctx, world, args, 0)?], |[bytes]| bytes.is_ascii()))?.into_js(ctx)
}
