//! Names of libraries: parsed once, after which they cannot lead out of a directory.

use std::cmp::Ordering;
use std::fmt;

use semver::Version;

use crate::error::{Error, Result};

/// The longest name and the longest version, in bytes: with both, a file name stays far below 255.
const MAX_NAME: usize = 100;
const MAX_VERSION: usize = 64;

/// A name and a version: `lodash-4.17.21`.
///
/// A text is split in one way only: at the first hyphen with a version after it, and no name has such a hyphen in it.
/// So what stores a file and what loads it cannot spell it differently.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct LibraryId {
    name: String,
    version: Version,
}

/// What a template names: a library, with or without its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    Exactly(LibraryId),
    Newest(String),
}

impl LibraryId {
    /// Takes a name and a version.
    ///
    /// # Errors
    /// [`Validation`](crate::ErrorKind::Validation) with the field `name` or `version`.
    pub(super) fn new(name: &str, version: &str) -> Result<Self> {
        if !is_name(name) {
            return Err(bad_name(name));
        }
        let version = parse_version(version).ok_or_else(|| {
            Error::validation("version", format!("the version {version:?} must have three numbers, as in 1.2.3"))
        })?;
        Ok(Self { name: name.to_owned(), version })
    }

    /// Splits a text into name and version, if it is both.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut hyphens = text.match_indices('-').map(|(at, _)| text.split_at(at));
        let (name, version) = hyphens.find(|(_, rest)| begins_with_version(&rest[1..]))?;
        Self::new(name, &version[1..]).ok()
    }

    /// Returns the name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the version.
    pub(super) fn version(&self) -> &Version {
        &self.version
    }

    /// Returns the name of the file: `lodash-4.17.21.js`.
    pub(super) fn file_name(&self) -> String {
        format!("{self}.js")
    }

    /// Takes the name of a file back to what it holds.
    pub(super) fn of_file(name: &str) -> Option<Self> {
        Self::parse(name.strip_suffix(".js")?)
    }

    /// Orders by age, as far as versions tell: a release is newer than whatever leads to one.
    pub(super) fn by_age(&self, other: &Self) -> Ordering {
        let key = |id: &Self| (id.version.pre.is_empty(), id.version.clone());
        key(self).cmp(&key(other))
    }
}

impl fmt::Display for LibraryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.name, self.version)
    }
}

impl Wanted {
    /// # Errors
    /// [`Validation`](crate::ErrorKind::Validation) with the field `name`.
    pub(super) fn parse(text: &str) -> Result<Self> {
        match LibraryId::parse(text) {
            Some(id) => Ok(Self::Exactly(id)),
            None if is_name(text) => Ok(Self::Newest(text.to_owned())),
            None => Err(bad_name(text)),
        }
    }

    pub(super) fn fits(&self, id: &LibraryId) -> bool {
        match self {
            Self::Exactly(wanted) => wanted == id,
            Self::Newest(name) => *name == id.name,
        }
    }
}

fn bad_name(name: &str) -> Error {
    let shown: String = name.chars().take(MAX_NAME).collect();
    Error::validation(
        "name",
        format!(
            "{shown:?} is no name of a library: lower-case letters, digits, '-', '_' and '.', beginning with a letter or \
             digit, without a version in it, at most {MAX_NAME} characters"
        ),
    )
}

fn is_name(text: &str) -> bool {
    let plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let no_version = text.match_indices('-').all(|(at, _)| !begins_with_version(&text[at + 1..]));
    text.len() <= MAX_NAME
        && text.as_bytes().first().is_some_and(plain)
        && text.bytes().all(|byte| plain(&byte) || b"-_.".contains(&byte))
        && no_version
}

/// Tells whether a text begins with three numbers, as every version does.
fn begins_with_version(text: &str) -> bool {
    let mut parts = text.splitn(3, '.');
    let number =
        |part: Option<&str>| part.is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    number(parts.next())
        && number(parts.next())
        && parts.next().is_some_and(|part| part.starts_with(|c: char| c.is_ascii_digit()))
}

fn parse_version(text: &str) -> Option<Version> {
    if text.len() > MAX_VERSION {
        return None;
    }
    // Build metadata says nothing about age, and two files that differ in it only would be of one version.
    Version::parse(text).ok().filter(|version| version.build.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_split_in_one_way() {
        for (text, name, version) in [
            ("lodash-4.17.21", "lodash", "4.17.21"),
            ("d3-array-1.2.3", "d3-array", "1.2.3"),
            ("base-64-1.0.0", "base-64", "1.0.0"),
            ("chart.js-4.0.0-rc.1", "chart.js", "4.0.0-rc.1"),
            ("a-1.0.0-2.0.0", "a", "1.0.0-2.0.0"),
        ] {
            let id = LibraryId::parse(text).unwrap();
            assert_eq!((id.name(), id.version().to_string().as_str()), (name, version));
            assert_eq!(id.to_string(), text);
            assert_eq!(LibraryId::of_file(&id.file_name()), Some(id));
        }
        for text in ["lodash", "-1.0.0", "lodash-4", "lodash-4.17", "lodash-04.1.1", "lodash-1.0.0+x", "lodash-1.0.0 "]
        {
            assert_eq!(LibraryId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn names_cannot_be_paths() {
        let long = "x".repeat(MAX_NAME + 1);
        for name in [
            "", ".", "..", "../x", "a/b", "a\\b", "a\0", ".hidden", "-x", "A", "ä", "@scope/x", "a b", "a-1.0.0", &long,
        ] {
            let error = LibraryId::new(name, "1.0.0").unwrap_err();
            assert_eq!(error.detail("field"), Some("name"), "{name}");
        }
        for name in ["../../etc/passwd-1.0.0", "a/../b-1.0.0", "\0-1.0.0"] {
            assert!(Wanted::parse(name).is_err(), "{name}");
        }
        for version in ["", "1", "1.2", "v1.2.3", "1.2.3/..", "1.2.3-../x", "1.2.3+build", "latest"] {
            let error = LibraryId::new("a", version).unwrap_err();
            assert_eq!(error.detail("field"), Some("version"), "{version}");
        }
    }

    #[test]
    fn releases_are_newer_than_what_leads_to_them() {
        let mut ids: Vec<_> =
            ["a-2.0.0-rc.1", "a-1.10.0", "a-1.9.0"].into_iter().filter_map(LibraryId::parse).collect();
        ids.sort_by(LibraryId::by_age);
        assert_eq!(ids.iter().map(ToString::to_string).collect::<Vec<_>>(), ["a-2.0.0-rc.1", "a-1.9.0", "a-1.10.0"]);
    }

    proptest! {
        #[test]
        fn whatever_parses_stays_in_its_directory(text in "[a-z0-9./\\\\\0-]{0,40}") {
            if let Some(id) = LibraryId::parse(&text) {
                let file = id.file_name();
                let path = std::path::Path::new(&file);
                prop_assert_eq!(path.components().count(), 1);
                prop_assert_eq!(path.file_name().and_then(|name| name.to_str()), Some(file.as_str()));
                prop_assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn what_is_made_of_two_parts_comes_apart_again(
            name in "[a-z0-9][a-z0-9._-]{0,20}",
            version in "[0-9]{1,2}\\.[0-9]{1,2}\\.[0-9]{1,2}(-[a-z0-9.-]{1,9})?",
        ) {
            if let Ok(id) = LibraryId::new(&name, &version) {
                prop_assert_eq!(LibraryId::parse(&id.to_string()), Some(id));
            }
        }
    }
}
