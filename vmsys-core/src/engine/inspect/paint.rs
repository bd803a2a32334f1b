//! Colours: what `util.inspect` puts around the parts of a text when it is asked to.

use std::borrow::Cow;

use super::Inspector;

/// The kinds of parts that have a colour, by Node's names for them and in the order of a [`Palette`].
pub(in crate::engine) const STYLES: usize = 10;

/// What a part of a text is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Paint {
    Special,
    Number,
    BigInt,
    Boolean,
    Undefined,
    Null,
    String,
    Symbol,
    Date,
    RegExp,
}

impl Paint {
    /// Returns the kind of a boxed primitive.
    pub(super) fn of_boxed(name: &str) -> Self {
        match name {
            "Number" => Self::Number,
            "BigInt" => Self::BigInt,
            "Boolean" => Self::Boolean,
            "Symbol" => Self::Symbol,
            _ => Self::String,
        }
    }
}

/// What stands before and after each kind of part.
pub(in crate::engine) type Palette = [(String, String); STYLES];

impl Inspector<'_, '_> {
    /// Puts the colour of its kind around a part.
    pub(super) fn paint(&self, paint: Paint, part: &str) -> String {
        match &self.palette {
            None => part.to_owned(),
            Some(palette) => {
                let (before, after) = &palette[paint as usize];
                format!("{before}{part}{after}")
            }
        }
    }

    /// Returns a text without its colours, as it is measured.
    pub(super) fn visible<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.palette.is_none() || !text.contains('\u{1b}') {
            return Cow::Borrowed(text);
        }
        let mut visible = String::with_capacity(text.len());
        for (at, piece) in text.split('\u{1b}').enumerate() {
            // What follows the mark is a number in brackets, up to an `m`.
            let rest = if at == 0 { piece } else { piece.split_once('m').map_or("", |(_, rest)| rest) };
            visible.push_str(rest);
        }
        Cow::Owned(visible)
    }
}
