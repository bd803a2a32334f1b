//! Where texts can be divided, by Unicode's rules.

use std::rc::Rc;

use rquickjs::{Array, Ctx, Exception, Result, Value};
use unicode_segmentation::UnicodeSegmentation as _;

use super::{Native, text_argument};
use crate::engine::raw;
use crate::engine::realm::World;

pub(in crate::engine::builtins) const NATIVES: &[Native] = &[Native { name: "segments", body: segments }];

/// `segments(text, "grapheme" | "word" | "sentence")`: of each part its length in UTF-16, and 1 when it is like a word.
fn segments<'js>(ctx: &Ctx<'js>, world: &Rc<World>, args: &[Value<'js>]) -> Result<Value<'js>> {
    let text = text_argument(args, 0, ctx, world)?;
    let parts: Box<dyn Iterator<Item = &str>> = match text_argument(args, 1, ctx, world)?.as_str() {
        "grapheme" => Box::new(text.graphemes(true)),
        "word" => Box::new(text.split_word_bounds()),
        "sentence" => Box::new(text.split_sentence_bounds()),
        _ => return Err(Exception::throw_type(ctx, "no such granularity")),
    };
    let list = Array::new(ctx.clone())?;
    let numbers =
        parts.flat_map(|part| [part.encode_utf16().count(), usize::from(part.contains(char::is_alphanumeric))]);
    for (at, number) in numbers.enumerate() {
        raw::define_index(list.as_value(), at as u32, Value::new_number(ctx.clone(), number as f64))
            .map_err(|_| rquickjs::Error::Exception)?;
    }
    Ok(list.into_value())
}
