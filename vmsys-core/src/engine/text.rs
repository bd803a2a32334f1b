//! Text in the forms that JavaScript gives it: numbers, quoted strings, dates, and the width of what is shown.
//!
//! Strings of the guest are UTF-16 and may hold lone surrogates; what comes out of here is always valid UTF-8.

use std::fmt::Write as _;

/// Returns a number as `String(number)` does: `1`, `0.1`, `1e+21`, `NaN`. Negative zero is `0`.
pub(super) fn number(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    if value == 0.0 {
        return "0".to_owned();
    }
    // Rust's scientific form has as few digits as read back as the same number, and so many JavaScript wants. Where two
    // texts of that length would do and are equally near, JavaScript takes the even one, as rounding to a length does.
    let shortest = format!("{:e}", value.abs());
    let digits = shortest.bytes().take_while(|byte| *byte != b'e').filter(u8::is_ascii_digit).count();
    let rounded = format!("{:.*e}", digits - 1, value.abs());
    let scientific = if rounded.parse() == Ok(value.abs()) { rounded } else { shortest };
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let count = digits.len() as i32;
    // The decimal point stands after this many digits.
    let point = exponent.parse::<i32>().unwrap_or(0) + 1;
    let text = if count <= point && point <= 21 {
        digits + &"0".repeat((point - count) as usize)
    } else if 0 < point && point <= 21 {
        let (whole, fraction) = digits.split_at(point as usize);
        format!("{whole}.{fraction}")
    } else if -6 < point && point <= 0 {
        format!("0.{}{digits}", "0".repeat(-point as usize))
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        let exponent = point - 1;
        let sign = if exponent < 0 { '-' } else { '+' };
        format!("{first}{dot}{rest}e{sign}{}", exponent.abs())
    };
    if value < 0.0 { format!("-{text}") } else { text }
}

/// Returns a number as it is shown, which tells `-0` from `0`.
pub(super) fn shown_number(value: f64) -> String {
    if value == 0.0 && value.is_sign_negative() { "-0".to_owned() } else { number(value) }
}

/// Puts separators into the digits of a shown number: `1_000.000_1`.
pub(super) fn separated(number: &str) -> String {
    if !number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'.')) {
        return number.to_owned();
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut text = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            text.push('_');
        }
        text.push(digit);
    }
    for (at, digit) in fraction.chars().enumerate() {
        text.push_str(match at {
            0 => ".",
            _ if at % 3 == 0 => "_",
            _ => "",
        });
        text.push(digit);
    }
    text
}

/// Returns the text of UTF-16 units; lone surrogates become U+FFFD.
pub(super) fn lossy(units: &[u16]) -> String {
    String::from_utf16_lossy(units)
}

/// Puts a string in quotes: single ones, unless it has some and fits better in double ones or backticks.
pub(super) fn quote(units: &[u16]) -> String {
    let has = |c: char| units.contains(&(c as u16));
    let mark = if !has('\'') {
        '\''
    } else if !has('"') {
        '"'
    } else if !has('`') && !units.windows(2).any(|pair| pair == [u16::from(b'$'), u16::from(b'{')]) {
        '`'
    } else {
        '\''
    };
    let mut text = String::with_capacity(units.len() + 2);
    text.push(mark);
    // Within double quotes and backticks a single quote needs no escape, and the mark itself does not occur.
    escape_into(&mut text, units, mark == '\'');
    text.push(mark);
    text
}

/// Escapes what cannot be shown, and single quotes, as within `[Symbol(…)]`.
pub(super) fn escape(units: &[u16]) -> String {
    let mut text = String::with_capacity(units.len());
    escape_into(&mut text, units, true);
    text
}

fn escape_into(text: &mut String, units: &[u16], single_quotes: bool) {
    for unit in char::decode_utf16(units.iter().copied()) {
        // Writing to a string cannot fail.
        _ = match unit {
            Ok('\u{8}') => text.write_str("\\b"),
            Ok('\t') => text.write_str("\\t"),
            Ok('\n') => text.write_str("\\n"),
            Ok('\u{c}') => text.write_str("\\f"),
            Ok('\r') => text.write_str("\\r"),
            Ok('\\') => text.write_str("\\\\"),
            Ok('\'') if single_quotes => text.write_str("\\'"),
            Ok(c @ ('\0'..='\u{1f}' | '\u{7f}'..='\u{9f}')) => write!(text, "\\x{:02X}", u32::from(c)),
            Ok(c) => text.write_char(c),
            Err(lone) => write!(text, "\\u{:x}", lone.unpaired_surrogate()),
        };
    }
}

/// Puts a string in double quotes as JSON does; lone surrogates become U+FFFD, which every reader accepts.
pub(super) fn json_quote_into(text: &mut String, units: &[u16]) {
    text.push('"');
    for unit in char::decode_utf16(units.iter().copied()) {
        _ = match unit.unwrap_or(char::REPLACEMENT_CHARACTER) {
            '"' => text.write_str("\\\""),
            '\\' => text.write_str("\\\\"),
            '\u{8}' => text.write_str("\\b"),
            '\t' => text.write_str("\\t"),
            '\n' => text.write_str("\\n"),
            '\u{c}' => text.write_str("\\f"),
            '\r' => text.write_str("\\r"),
            c @ '\0'..='\u{1f}' => write!(text, "\\u{:04x}", u32::from(c)),
            c => text.write_char(c),
        };
    }
    text.push('"');
}

/// Says whether a key is shown without quotes.
pub(super) fn is_plain_key(units: &[u16]) -> bool {
    let letter = |unit: &u16| u8::try_from(*unit).is_ok_and(|b| b.is_ascii_alphabetic() || b == b'_');
    let digit = |unit: &u16| u8::try_from(*unit).is_ok_and(|b| b.is_ascii_digit());
    units.first().is_some_and(letter) && units.iter().all(|unit| letter(unit) || digit(unit))
}

/// Reads a key as an array index, that is a canonical integer below 2^32 - 1.
pub(super) fn array_index(units: &[u16]) -> Option<u32> {
    if units.is_empty() || units.len() > 10 || (units.len() > 1 && units[0] == u16::from(b'0')) {
        return None;
    }
    let mut index: u64 = 0;
    for unit in units {
        let digit = unit.checked_sub(u16::from(b'0')).filter(|digit| *digit < 10)?;
        index = index * 10 + u64::from(digit);
    }
    u32::try_from(index).ok().filter(|index| *index != u32::MAX)
}

/// Returns how many UTF-16 units a text has: what JavaScript, and so Node's line breaking, calls its length.
pub(super) fn len16(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.encode_utf16().count() }
}

/// Returns how many columns a text takes in a terminal.
pub(super) fn width(text: &str) -> usize {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b)) {
        return text.len();
    }
    text.chars().map(char_width).sum()
}

// The ranges are those of Node's own fallback for builds without ICU, with the newer blocks of emoji.
fn char_width(c: char) -> usize {
    match u32::from(c) {
        0..=0x1f
        | 0x7f..=0x9f
        | 0x300..=0x36f
        | 0x200b..=0x200f
        | 0x20d0..=0x20ff
        | 0xfe00..=0xfe0f
        | 0xfe20..=0xfe2f
        | 0xe0100..=0xe01ef => 0,
        0x1100..=0x115f
        | 0x2329
        | 0x232a
        | 0x2e80..=0x303e
        | 0x3040..=0x3247
        | 0x3250..=0x4dbf
        | 0x4e00..=0xa4c6
        | 0xa960..=0xa97c
        | 0xac00..=0xd7a3
        | 0xf900..=0xfaff
        | 0xfe10..=0xfe19
        | 0xfe30..=0xfe6b
        | 0xff01..=0xff60
        | 0xffe0..=0xffe6
        | 0x1b000..=0x1b001
        | 0x1f200..=0x1f251
        | 0x1f300..=0x1f64f
        | 0x1f680..=0x1f6ff
        | 0x1f900..=0x1f9ff
        | 0x1fa70..=0x1faff
        | 0x20000..=0x3fffd => 2,
        _ => 1,
    }
}

/// Returns a time as `Date.prototype.toISOString` does, and none for an invalid date.
pub(super) fn iso_date(milliseconds: f64) -> Option<String> {
    const DAY: i64 = 86_400_000;
    // The range of JavaScript's dates: it keeps the year within six digits.
    if milliseconds.is_nan() || milliseconds.abs() > 8.64e15 {
        return None;
    }
    let milliseconds = milliseconds as i64;
    let (days, time) = (milliseconds.div_euclid(DAY), milliseconds.rem_euclid(DAY));
    // Days to a civil date by eras of 400 years that begin on the first of March, so that the leap day comes last.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        ..0 => format!("-{:06}", -year),
        _ => format!("+{year:06}"),
    };
    let (hour, minute, second) = (time / 3_600_000, time / 60_000 % 60, time / 1000 % 60);
    Some(format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", time % 1000))
}

/// Cuts a text to at most `max` bytes, between characters, and marks the cut with `…`.
pub(super) fn truncate(text: &mut String, max: usize) {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max));
        text.push('…');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_javascript_writes_them() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (-1.5, "-1.5"),
            (123_456_789.125, "123456789.125"),
            (0.1, "0.1"),
            (0.000_001, "0.000001"),
            (0.000_000_1, "1e-7"),
            (1.5e-10, "1.5e-10"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.25e25, "1.25e+25"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::from_bits(1), "5e-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
            (9_007_199_254_740_993.0, "9007199254740992"),
        ] {
            assert_eq!(number(value), text);
        }
    }

    #[test]
    fn dates_cover_the_whole_range() {
        assert_eq!(iso_date(0.0).as_deref(), Some("1970-01-01T00:00:00.000Z"));
        assert_eq!(iso_date(951_782_400_000.0).as_deref(), Some("2000-02-29T00:00:00.000Z"));
        assert_eq!(iso_date(-1.0).as_deref(), Some("1969-12-31T23:59:59.999Z"));
        assert_eq!(iso_date(8.64e15).as_deref(), Some("+275760-09-13T00:00:00.000Z"));
        assert_eq!(iso_date(-8.64e15).as_deref(), Some("-271821-04-20T00:00:00.000Z"));
        assert_eq!(iso_date(f64::NAN), None);
    }

    #[test]
    fn only_canonical_indices_are_indices() {
        let index = |text: &str| array_index(&text.encode_utf16().collect::<Vec<_>>());
        assert_eq!(index("0"), Some(0));
        assert_eq!(index("4294967294"), Some(4_294_967_294));
        for text in ["", "01", "-1", "1.5", "4294967295", "99999999999", "a"] {
            assert_eq!(index(text), None, "{text}");
        }
    }
}
