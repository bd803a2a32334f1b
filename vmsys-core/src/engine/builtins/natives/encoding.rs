//! The encodings of the WHATWG standard.

use std::cell::RefCell;
use std::rc::Rc;

use encoding_rs::{Decoder, DecoderResult, Encoding};
use rquickjs::{Array, Ctx, Exception, IntoJs, Result, Value};

use super::{Native, bytes_argument, flag_argument, text_argument};
use crate::engine::globals::native;
use crate::engine::realm::World;
use crate::engine::{cross, raw};
use crate::value::Value as Data;

pub(in crate::engine::builtins) const NATIVES: &[Native] = &[
    Native { name: "utf8EncodeSome", body: utf8_encode_some },
    Native { name: "encodingName", body: encoding_name },
    Native { name: "decode", body: decode },
    Native { name: "decoder", body: decoder },
];

/// `utf8EncodeSome(text, room)`: the bytes of as many whole characters as there is room for, and how many UTF-16 units
/// these are.
fn utf8_encode_some<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let text = text_argument(args, 0, ctx, world)?;
    let room = args.get(1).and_then(Value::as_number).unwrap_or_default() as usize;
    let fits = &text[..text.floor_char_boundary(room)];
    let units = fits.chars().map(char::len_utf16).sum::<usize>();
    let pair = Array::new(ctx.clone())?;
    let bytes = cross::to_guest(ctx, &world.intrinsics, &Data::Bytes(fits.as_bytes().to_vec()))?;
    raw::define_index(pair.as_value(), 0, bytes)?;
    let units = Value::new_number(ctx.clone(), units as f64);
    raw::define_index(pair.as_value(), 1, units)?;
    Ok(pair.into_value())
}

/// `encodingName(label)`: the name of an encoding as scripts see it, or null.
fn encoding_name<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    match find(&text_argument(args, 0, ctx, world)?) {
        Some(encoding) => encoding.name().to_ascii_lowercase().into_js(ctx),
        None => Ok(Value::new_null(ctx.clone())),
    }
}

/// `decode(name, bytes, fatal, ignoreBOM)`: the whole text, or null where it is fatal that the bytes are wrong.
fn decode<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let mut decoder = begin(ctx, world, args, flag_argument(args, 3))?;
    or_null(ctx, run(&mut decoder, &bytes_argument(args, 1, ctx, world)?, flag_argument(args, 2), true))
}

/// `decoder(name, fatal, ignoreBOM)`: a function that takes the bytes of a stream, piece by piece, with a flag for the
/// last one, and gives what `decode` does.
fn decoder<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let decoder = RefCell::new(Some(begin(ctx, world, args, flag_argument(args, 2))?));
    let fatal = flag_argument(args, 1);
    let next = native(ctx, world, "decode", move |ctx, world, args| {
        let bytes = bytes_argument(&args.0, 0, ctx, world)?;
        let last = flag_argument(&args.0, 1);
        // One that has ended must not be used again: it would panic.
        let Some(mut current) = decoder.borrow_mut().take() else {
            return Err(Exception::throw_type(ctx, "the stream has ended"));
        };
        let text = run(&mut current, &bytes, fatal, last);
        if !last && text.is_some() {
            *decoder.borrow_mut() = Some(current);
        }
        or_null(ctx, text)
    })?;
    Ok(next.into_value())
}

fn or_null<'js>(ctx: &Ctx<'js>, text: Option<String>) -> Result<Value<'js>> {
    text.map_or_else(|| Ok(Value::new_null(ctx.clone())), |text| text.into_js(ctx))
}

fn find(label: &str) -> Option<&'static Encoding> {
    Encoding::for_label_no_replacement(label.as_bytes())
}

fn begin<'js>(ctx: &Ctx<'js>, world: &World, args: &[Value<'js>], ignore_bom: bool) -> Result<Decoder> {
    let Some(encoding) = find(&text_argument(args, 0, ctx, world)?) else {
        return Err(Exception::throw_range(ctx, "no such encoding"));
    };
    Ok(if ignore_bom { encoding.new_decoder_without_bom_handling() } else { encoding.new_decoder_with_bom_removal() })
}

/// Decodes a piece; `None` when it is fatal that there is something wrong in it.
fn run(decoder: &mut Decoder, mut bytes: &[u8], fatal: bool, last: bool) -> Option<String> {
    let mut text = String::with_capacity(bytes.len() + 16);
    loop {
        let (result, read) = if fatal {
            decoder.decode_to_string_without_replacement(bytes, &mut text, last)
        } else {
            let (result, read, _) = decoder.decode_to_string(bytes, &mut text, last);
            let result = match result {
                encoding_rs::CoderResult::InputEmpty => DecoderResult::InputEmpty,
                encoding_rs::CoderResult::OutputFull => DecoderResult::OutputFull,
            };
            (result, read)
        };
        bytes = &bytes[read..];
        match result {
            DecoderResult::InputEmpty => return Some(text),
            DecoderResult::OutputFull => text.reserve(bytes.len() / 2 + 16),
            DecoderResult::Malformed(..) => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_decode_to_what_the_whole_does(
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
            cuts in proptest::collection::vec(0..40usize, 0..4),
            label in prop_oneof![Just("utf-8"), Just("utf-16le"), Just("gb18030"), Just("iso-2022-jp"), Just("shift_jis")],
            fatal: bool,
        ) {
            let encoding = find(label).unwrap();
            let whole = run(&mut encoding.new_decoder_with_bom_removal(), &bytes, fatal, true);
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let mut decoder = encoding.new_decoder_with_bom_removal();
            let mut pieces = Some(String::new());
            for (at, cut) in cuts.windows(2).enumerate() {
                let piece = run(&mut decoder, &bytes[cut[0]..cut[1]], fatal, at + 2 == cuts.len());
                pieces = pieces.zip(piece).map(|(text, piece)| text + &piece);
                if pieces.is_none() {
                    break;
                }
            }
            prop_assert_eq!(pieces, whole);
        }
    }
}
