//! The encodings of `Buffer`, as lenient as Node's.
//!
//! Not by a crate: those of hexadecimal and base64 refuse what is malformed, while here the text up to it counts, or the
//! text around it.

use rquickjs::Value;

use crate::engine::cross;
use crate::engine::raw::{self, Answer};

/// How text becomes bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Utf16,
    /// Of each unit the lower byte.
    Latin1,
    /// As [`Latin1`](Self::Latin1), but of each byte seven bits become text.
    Ascii,
    Hex,
    Base64,
    /// The alphabet of URLs, without padding.
    Base64Url,
}

/// Text of a script, in the form that an encoding starts from.
pub(super) enum Text {
    /// UTF-8; lone surrogates are U+FFFD.
    Utf8(String),
    Units(Vec<u16>),
}

/// What bytes became.
pub(super) enum Decoded {
    Text(String),
    /// With surrogates that may be lone.
    Units(Vec<u16>),
}

impl Text {
    pub(super) fn read(value: &Value<'_>, encoding: Encoding) -> Answer<Self> {
        if !value.is_string() {
            return Err(raw::Failed);
        }
        match encoding {
            Encoding::Utf16 | Encoding::Latin1 | Encoding::Ascii => raw::utf16(value).map(Self::Units),
            Encoding::Utf8 | Encoding::Hex | Encoding::Base64 | Encoding::Base64Url => {
                cross::string(value).map(Self::Utf8)
            }
        }
    }

    pub(super) fn encode(self, encoding: Encoding) -> Vec<u8> {
        match (self, encoding) {
            (Self::Units(units), Encoding::Utf16) => units.into_iter().flat_map(u16::to_le_bytes).collect(),
            (Self::Units(units), _) => units.into_iter().map(|unit| unit as u8).collect(),
            (Self::Utf8(text), Encoding::Hex) => from_hex(text.as_bytes()),
            (Self::Utf8(text), Encoding::Base64 | Encoding::Base64Url) => from_base64(text.as_bytes()),
            (Self::Utf8(text), _) => text.into_bytes(),
        }
    }
}

impl Encoding {
    /// Returns the encoding of a name, in the one spelling that the part uses.
    pub(super) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "utf8" => Self::Utf8,
            "utf16le" => Self::Utf16,
            "latin1" => Self::Latin1,
            "ascii" => Self::Ascii,
            "hex" => Self::Hex,
            "base64" => Self::Base64,
            "base64url" => Self::Base64Url,
            _ => return None,
        })
    }

    pub(super) fn decode(self, bytes: &[u8]) -> Decoded {
        Decoded::Text(match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Self::Ascii => bytes.iter().map(|byte| char::from(byte & 0x7f)).collect(),
            Self::Hex => to_hex(bytes),
            Self::Base64 => to_base64(bytes, STANDARD, true),
            Self::Base64Url => to_base64(bytes, URL, false),
            Self::Utf16 => {
                let units = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]]));
                return Decoded::Units(units.collect());
            }
        })
    }

    /// Returns how many of the encoded bytes fit into `room` without cutting a character.
    pub(super) fn whole(self, encoded: &[u8], room: usize) -> usize {
        if encoded.len() <= room {
            return encoded.len();
        }
        match self {
            Self::Utf8 => {
                let is_start = |at: &usize| encoded[*at] & 0xc0 != 0x80;
                (0..=room).rev().find(is_start).unwrap_or(0)
            }
            Self::Utf16 => room & !1,
            _ => room,
        }
    }
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
    ascii(digits.collect())
}

/// Makes text of digits.
fn ascii(digits: Vec<u8>) -> String {
    // Digits of all alphabets here are ASCII, so this cannot fail.
    String::from_utf8(digits).unwrap_or_default()
}

/// Stands in a table for what is no digit.
const NONE: u8 = 255;

/// Returns the values of digits, by their bytes.
const fn values(alphabets: &[&[u8]]) -> [u8; 256] {
    let mut values = [NONE; 256];
    let mut alphabet = 0;
    while alphabet < alphabets.len() {
        let mut at = 0;
        while at < alphabets[alphabet].len() {
            values[alphabets[alphabet][at] as usize] = at as u8;
            at += 1;
        }
        alphabet += 1;
    }
    values
}

/// Reads pairs of digits up to the first that is none.
fn from_hex(text: &[u8]) -> Vec<u8> {
    const VALUES: [u8; 256] = values(&[b"0123456789abcdef", b"0123456789ABCDEF"]);
    let pairs = text.chunks_exact(2).map(|pair| (VALUES[usize::from(pair[0])], VALUES[usize::from(pair[1])]));
    pairs.take_while(|(high, low)| high | low != NONE).map(|(high, low)| high << 4 | low).collect()
}

const STANDARD: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn to_base64(bytes: &[u8], alphabet: &[u8; 64], pad: bool) -> String {
    let digits = |chunk: [u8; 3]| {
        let bits = u32::from_be_bytes([0, chunk[0], chunk[1], chunk[2]]);
        [18, 12, 6, 0].map(|shift| alphabet[(bits >> shift & 63) as usize])
    };
    let mut text = Vec::with_capacity(bytes.len().div_ceil(3) * 4);
    let chunks = bytes.chunks_exact(3);
    let rest = chunks.remainder();
    for chunk in chunks {
        text.extend_from_slice(&digits([chunk[0], chunk[1], chunk[2]]));
    }
    match rest {
        [one] => text.extend_from_slice(&digits([*one, 0, 0])[..2]),
        [one, two] => text.extend_from_slice(&digits([*one, *two, 0])[..3]),
        _ => {}
    }
    if pad {
        text.resize(text.len().next_multiple_of(4), b'=');
    }
    ascii(text)
}

/// Reads the digits of either alphabet up to padding, whatever stands between them.
fn from_base64(text: &[u8]) -> Vec<u8> {
    const VALUES: [u8; 256] = values(&[STANDARD, URL]);
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text.iter().take_while(|byte| **byte != b'=') {
        let value = VALUES[usize::from(*byte)];
        if value == NONE {
            continue;
        }
        bits = bits << 6 | u32::from(value);
        count += 1;
        if count == 4 {
            bytes.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, count) = (0, 0);
        }
    }
    match count {
        2 => bytes.push((bits >> 4) as u8),
        3 => bytes.extend_from_slice(&[(bits >> 10) as u8, (bits >> 2) as u8]),
        _ => {}
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(decoded: Decoded) -> Text {
        match decoded {
            Decoded::Text(text) => Text::Utf8(text),
            Decoded::Units(units) => Text::Units(units),
        }
    }

    proptest! {
        #[test]
        fn bytes_survive_the_way_through_text(bytes: Vec<u8>) {
            for encoding in [Encoding::Hex, Encoding::Base64, Encoding::Base64Url] {
                prop_assert_eq!(&text(encoding.decode(&bytes)).encode(encoding), &bytes);
            }
            let even = &bytes[..bytes.len() & !1];
            prop_assert_eq!(text(Encoding::Utf16.decode(even)).encode(Encoding::Utf16), even);
        }

        #[test]
        fn no_character_is_cut(text: String, room in 0_usize..40) {
            let count = Encoding::Utf8.whole(text.as_bytes(), room);
            prop_assert!(count <= room && text.is_char_boundary(count));
            prop_assert!(count == text.len() || room - count < 4);
        }
    }

    #[test]
    fn malformed_text_counts_as_in_node() {
        assert_eq!(from_hex(b"abxyz"), [0xab]);
        assert_eq!(from_hex(b"abc"), [0xab]);
        assert_eq!(from_base64(b"aGk="), b"hi");
        assert_eq!(from_base64(b"a G\nk"), b"hi");
        assert_eq!(from_base64(b"-_+/"), [0xfb, 0xff, 0xbf]);
        assert_eq!(from_base64(b"a"), b"");
        assert_eq!(from_base64(b"YQ==YQ=="), b"a");
    }
}
