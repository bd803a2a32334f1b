//! Finding bytes in bytes, in linear time: a script that searches cannot be interrupted.

/// Returns where a needle begins, as `Buffer.prototype.indexOf` and `lastIndexOf` mean it.
///
/// An offset below zero counts from the end. When `is_wide`, both are units of two bytes, and so is where it may begin.
pub(super) fn index_of(bytes: &[u8], needle: &[u8], offset: i64, is_wide: bool, forward: bool) -> Option<usize> {
    let from = start(bytes.len(), needle.len(), offset, forward)?;
    if needle.is_empty() {
        return Some(from);
    }
    if is_wide {
        return find(&Units(bytes), &Units(needle), from / 2, forward).map(|at| 2 * at);
    }
    if let ([one], true) = (needle, forward) {
        return bytes.get(from..)?.iter().position(|byte| byte == one).map(|at| from + at);
    }
    find(&bytes, &needle, from, forward)
}

/// What is searched, and what for: looked at where it is, as it may be as large as the script's heap.
trait Text {
    type Each: PartialEq;
    fn len(&self) -> usize;
    fn at(&self, index: usize) -> Self::Each;
}

impl Text for &[u8] {
    type Each = u8;

    fn len(&self) -> usize {
        <[u8]>::len(self)
    }

    fn at(&self, index: usize) -> u8 {
        self[index]
    }
}

/// Bytes as units of two.
struct Units<'a>(&'a [u8]);

impl Text for Units<'_> {
    type Each = [u8; 2];

    fn len(&self) -> usize {
        self.0.len() / 2
    }

    fn at(&self, index: usize) -> [u8; 2] {
        [self.0[2 * index], self.0[2 * index + 1]]
    }
}

/// A part of a text, read forwards or backwards.
struct Part<'a, T> {
    text: &'a T,
    start: usize,
    len: usize,
    forward: bool,
}

impl<T: Text> Text for Part<'_, T> {
    type Each = T::Each;

    fn len(&self) -> usize {
        self.len
    }

    fn at(&self, index: usize) -> T::Each {
        self.text.at(if self.forward { self.start + index } else { self.start + self.len - 1 - index })
    }
}

/// Returns where the search starts; none when nothing can be found from there.
fn start(len: usize, needle: usize, offset: i64, forward: bool) -> Option<usize> {
    if offset < 0 {
        let back = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
        return match len.checked_sub(back) {
            Some(from) => Some(from),
            None if forward || needle == 0 => Some(0),
            None => None,
        };
    }
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    if offset.saturating_add(needle) <= len {
        Some(offset)
    } else if needle == 0 {
        Some(len)
    } else if forward {
        None
    } else {
        len.checked_sub(1)
    }
}

fn find<T: Text>(all: &T, needle: &T, from: usize, forward: bool) -> Option<usize> {
    let size = needle.len();
    let last = all.len().checked_sub(size).filter(|_| size > 0)?;
    let sought = Part { text: needle, start: 0, len: size, forward };
    if forward {
        let len = all.len().checked_sub(from)?;
        return first(&Part { text: all, start: from, len, forward }, &sought).map(|at| from + at);
    }
    // The last one that begins no later than `from` is the first one of the reversed text.
    let end = from.min(last) + size;
    first(&Part { text: all, start: 0, len: end, forward }, &sought).map(|at| end - at - size)
}

/// Finds the first occurrence by the method of Knuth, Morris and Pratt.
fn first<T: Text>(all: &T, needle: &T) -> Option<usize> {
    let borders = borders(needle);
    let mut matched = 0;
    for at in 0..all.len() {
        let each = all.at(at);
        while matched > 0 && needle.at(matched) != each {
            matched = borders[matched - 1] as usize;
        }
        if needle.at(matched) == each {
            matched += 1;
        }
        if matched == needle.len() {
            return Some(at + 1 - matched);
        }
    }
    None
}

/// For each beginning of the needle: the length of its longest other beginning that it ends with.
fn borders<T: Text>(needle: &T) -> Vec<u32> {
    let mut borders = vec![0_u32; needle.len()];
    let mut length = 0;
    for at in 1..needle.len() {
        while length > 0 && needle.at(length) != needle.at(at) {
            length = borders[length - 1] as usize;
        }
        if needle.at(length) == needle.at(at) {
            length += 1;
        }
        borders[at] = length as u32;
    }
    borders
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn slow(all: &[u8], needle: &[u8], from: usize, forward: bool) -> Option<usize> {
        let mut places = (0..=all.len().checked_sub(needle.len())?).filter(|at| all[*at..].starts_with(needle));
        if forward { places.find(|at| *at >= from) } else { places.rfind(|at| *at <= from) }
    }

    proptest! {
        #[test]
        fn both_ways_find_what_looking_everywhere_does(
            all in prop::collection::vec(0_u8..3, 0..60),
            needle in prop::collection::vec(0_u8..3, 1..6),
            from in 0_usize..70,
            forward: bool,
        ) {
            prop_assert_eq!(find(&all.as_slice(), &needle.as_slice(), from, forward), slow(&all, &needle, from, forward));
        }

        #[test]
        fn units_are_found_where_they_begin(
            all in prop::collection::vec(0_u8..2, 0..60),
            needle in prop::collection::vec(0_u8..2, 2..6),
            from in 0_usize..30,
            forward: bool,
        ) {
            let (all, needle) = (&all[..all.len() / 2 * 2], &needle[..needle.len() / 2 * 2]);
            let mut places = (0..all.len() / 2).filter(|at| all[2 * at..].starts_with(needle));
            let slow = if forward { places.find(|at| *at >= from) } else { places.rfind(|at| *at <= from) };
            prop_assert_eq!(find(&Units(all), &Units(needle), from, forward), slow);
        }
    }
}
