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
        let units = |bytes: &[u8]| -> Vec<[u8; 2]> { bytes.chunks_exact(2).map(|pair| [pair[0], pair[1]]).collect() };
        let needle = units(needle);
        if needle.is_empty() {
            return None;
        }
        return find(&units(bytes), &needle, from / 2, forward).map(|at| 2 * at);
    }
    find(bytes, needle, from, forward)
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

fn find<T: Copy + PartialEq>(all: &[T], needle: &[T], from: usize, forward: bool) -> Option<usize> {
    let last = all.len().checked_sub(needle.len())?;
    if forward {
        return first(all.get(from..)?, needle).map(|at| from + at);
    }
    // The last one that begins no later than `from` is the first one of the reversed text.
    let end = from.min(last) + needle.len();
    let reversed = |part: &[T]| -> Vec<T> { part.iter().rev().copied().collect() };
    first(&reversed(&all[..end]), &reversed(needle)).map(|at| end - at - needle.len())
}

/// Finds the first occurrence by the method of Knuth, Morris and Pratt.
fn first<T: Copy + PartialEq>(all: &[T], needle: &[T]) -> Option<usize> {
    if let [one] = needle {
        return all.iter().position(|each| each == one);
    }
    let borders = borders(needle);
    let mut matched = 0;
    for (at, each) in all.iter().enumerate() {
        while matched > 0 && needle[matched] != *each {
            matched = borders[matched - 1] as usize;
        }
        if needle[matched] == *each {
            matched += 1;
        }
        if matched == needle.len() {
            return Some(at + 1 - matched);
        }
    }
    None
}

/// For each beginning of the needle: the length of its longest other beginning that it ends with.
fn borders<T: PartialEq>(needle: &[T]) -> Vec<u32> {
    let mut borders = vec![0_u32; needle.len()];
    let mut length = 0;
    for at in 1..needle.len() {
        while length > 0 && needle[length] != needle[at] {
            length = borders[length - 1] as usize;
        }
        if needle[length] == needle[at] {
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
            prop_assert_eq!(find(&all, &needle, from, forward), slow(&all, &needle, from, forward));
        }
    }
}
