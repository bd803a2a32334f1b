//! Capabilities of the kind `fs`: which parts of the worktree may be read and written.

use serde::{Deserialize, Serialize};

use crate::JsonObject;
use crate::error::{Error, ErrorKind, Result};
use crate::fields::Fields;
use crate::worktree::WorktreePath;

/// Which parts of a worktree may be read and written, by their paths below it.
///
/// Each path names a file, or a directory with everything below it; `.` is the whole worktree. To write does not include
/// to read. What this does *not* bind: the loading of code (`run-file`, `require`, `import`, startup files).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct FsPolicy {
    /// What may be read.
    pub read: Vec<String>,
    /// What may be written.
    pub write: Vec<String>,
}

impl Default for FsPolicy {
    /// All of the worktree.
    fn default() -> Self {
        Self { read: vec![".".to_owned()], write: vec![".".to_owned()] }
    }
}

impl FsPolicy {
    /// Reads a configuration; each of the two lists is `["."]` unless it is given.
    pub(in crate::template) fn parse(config: &JsonObject) -> Result<Self> {
        let fields = Fields::of(config, &["read", "write"])?;
        let default = Self::default();
        let mut policy = Self { read: Vec::new(), write: Vec::new() };
        policy.unite(Self {
            read: fields.strings("read", beneath)?.unwrap_or(default.read),
            write: fields.strings("write", beneath)?.unwrap_or(default.write),
        });
        Ok(policy)
    }

    /// Allows what the other allows, too.
    pub(in crate::template) fn unite(&mut self, other: Self) {
        add(&mut self.read, other.read);
        add(&mut self.write, other.write);
    }

    /// Tells whether a path may be read. It must be relative to the worktree and have no `.`, `..` or empty parts, but
    /// for the path `.` itself: where links lead is for whoever opens it to find out.
    ///
    /// ```
    /// let all = vmsys_core::FsPolicy::default();
    /// assert!(all.may_read(".") && all.may_write("a/b.txt"));
    /// ```
    pub fn may_read(&self, path: &str) -> bool {
        self.read.iter().any(|parent| contains(parent, path))
    }

    /// Tells whether a path may be written, created or removed; as [`may_read`](Self::may_read).
    pub fn may_write(&self, path: &str) -> bool {
        self.write.iter().any(|parent| contains(parent, path))
    }
}

/// Adds paths, and drops those that another one contains.
fn add(paths: &mut Vec<String>, more: Vec<String>) {
    for path in more {
        if !paths.iter().any(|parent| contains(parent, &path)) {
            paths.retain(|child| !contains(&path, child));
            paths.push(path);
        }
    }
}

/// Tells whether a path is another one, or below it.
fn contains(parent: &str, path: &str) -> bool {
    parent == "." || path.strip_prefix(parent).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Reads a path below the worktree: as a [`WorktreePath`], and also the worktree itself and a slash at the end.
///
/// # Errors
/// [`InvalidPath`](ErrorKind::InvalidPath). Details: `path`, `field`.
pub(in crate::template) fn beneath(field: &str, text: &str) -> Result<String> {
    if text.is_empty() {
        let error = Error::new(ErrorKind::InvalidPath, "a path must not be empty: the worktree itself is .");
        return Err(error.with("path", "").with("field", field));
    }
    if !text.starts_with('/') && text.split('/').all(|part| part.is_empty() || part == ".") {
        return Ok(".".to_owned());
    }
    let mut trimmed = text;
    while let Some(rest) = trimmed.strip_suffix("/.").or_else(|| trimmed.strip_suffix('/')) {
        trimmed = rest;
    }
    // Of a path that is all slashes nothing is left: it is refused as it was.
    let path = WorktreePath::parse(if trimmed.is_empty() { text } else { trimmed });
    path.map(|path| path.as_str().to_owned()).map_err(|error| error.with("field", field))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn parse(config: &Value) -> Result<FsPolicy> {
        FsPolicy::parse(config.as_object().unwrap())
    }

    #[test]
    fn paths_are_normalised_and_the_widest_stay() {
        for (config, read, write) in [
            (json!({}), &["."][..], &["."][..]),
            (json!({"write": []}), &["."], &[]),
            (json!({"read": ["docs/"]}), &["docs"], &["."]),
            (json!({"read": ["./a//b/.", "a/b", "a/c", "ab"], "write": []}), &["a/b", "a/c", "ab"], &[]),
            (json!({"read": ["a/b", "a"], "write": ["a", "./", "b"]}), &["a"], &["."]),
        ] {
            let policy = parse(&config).unwrap();
            assert_eq!((policy.read.as_slice(), policy.write.as_slice()), (&*owned(read), &*owned(write)), "{config}");
        }
    }

    fn owned(paths: &[&str]) -> Vec<String> {
        paths.iter().map(|&path| path.to_owned()).collect()
    }

    #[test]
    fn paths_that_leave_are_refused_when_they_are_added() {
        for path in ["..", "../x", "a/../b", "/", "/etc", "//", "", "a\\b", "c:/x", "a\0", &"a".repeat(5000)] {
            for key in ["read", "write"] {
                let error = parse(&json!({ key: ["ok", path] })).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::InvalidPath, "{path:?}");
                assert_eq!(error.detail("field"), Some(format!("config.{key}[1]").as_str()), "{path:?}");
            }
        }
        for (config, field) in [
            (json!({"read": "."}), "config.read"),
            (json!({"read": null}), "config.read"),
            (json!({"write": [true]}), "config.write[0]"),
        ] {
            assert_eq!(parse(&config).unwrap_err().detail("field"), Some(field));
        }
    }

    #[test]
    fn a_path_contains_what_is_below_it() {
        let policy = parse(&json!({"read": ["docs", "a.txt"], "write": ["out"]})).unwrap();
        for path in ["docs", "docs/x", "docs/x/y", "a.txt"] {
            assert!(policy.may_read(path), "{path}");
        }
        for path in [".", "doc", "docs2", "docs.txt", "a.txt2", "out/x", "x/docs"] {
            assert!(!policy.may_read(path), "{path}");
        }
        assert!(policy.may_write("out/x") && !policy.may_write("docs/x") && !policy.may_write("."));
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_path_of_a_policy_can_climb(text in prop_oneof![any::<String>(), "[a.:/\\\\\\u{0}]{0,12}"]) {
            if let Ok(path) = beneath("config.read", &text) {
                prop_assert!(path == "." || path.split('/').all(|part| !matches!(part, "" | "." | "..")), "{}", path);
                prop_assert_eq!(&beneath("config.read", &path).unwrap(), &path);
            }
        }
    }
}
