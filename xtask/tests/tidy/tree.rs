//! The files of the checkout.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;
use std::{fs, iter};

use crate::code::Code;

/// Folders that hold what was made, not what was written.
const MADE: [&str; 4] = [".git", "node_modules", "target", ".vm-cache"];

/// A text file of the checkout.
pub(crate) struct File {
    /// Its path from the root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Names a place in it.
    pub(crate) fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Whether it is part of a crate that we ship, and not only of its tests.
    pub(crate) fn is_shipped_rust(&self) -> bool {
        let in_src = self.path.starts_with("vmsys-") && self.path.contains("/src/");
        self.is_rust() && in_src && !self.path.ends_with("/tests.rs") && !self.path.contains("/tests/")
    }

    pub(crate) fn code(&self) -> Code {
        Code::of(&self.text)
    }
}

/// Every text file: what git tracks or would track, or, where there is no git, everything.
pub(crate) fn files() -> &'static [File] {
    static FILES: LazyLock<Vec<File>> = LazyLock::new(|| {
        let mut paths = tracked().unwrap_or_else(|| walk(root()).collect());
        paths.sort();
        paths.dedup();
        paths.into_iter().filter_map(read).collect()
    });
    &FILES
}

/// Every file of the crates that we ship, without their tests.
pub(crate) fn shipped() -> impl Iterator<Item = &'static File> {
    files().iter().filter(|file| file.is_shipped_rust())
}

/// The shipped files of one folder.
pub(crate) fn shipped_in(folder: &str) -> impl Iterator<Item = &'static File> {
    let found: Vec<_> = shipped().filter(|file| file.path.starts_with(folder)).collect();
    assert!(!found.is_empty(), "{folder} has no files: a rule looks in the wrong place");
    found.into_iter()
}

/// The text of one file, which must be there.
pub(crate) fn text_of(path: &str) -> &'static str {
    let file = files().iter().find(|file| file.path == path);
    &file.unwrap_or_else(|| panic!("{path} is missing")).text
}

pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the workspace")
}

fn tracked() -> Option<Vec<PathBuf>> {
    let args = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(args).current_dir(root()).output().ok()?;
    let names = String::from_utf8(output.stdout).ok()?;
    let paths: Vec<_> = names.split_terminator('\0').map(|name| root().join(name)).collect();
    (output.status.success() && !paths.is_empty()).then_some(paths)
}

fn walk(folder: &Path) -> Box<dyn Iterator<Item = PathBuf>> {
    let Ok(entries) = folder.read_dir() else { return Box::new(iter::empty()) };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    Box::new(paths.flat_map(|path| match path.file_name().and_then(|name| name.to_str()) {
        Some(name) if MADE.contains(&name) => Box::new(iter::empty()),
        _ if path.is_dir() => walk(&path),
        _ => Box::new(iter::once(path)),
    }))
}

/// A file's text; what is no text has no rules, and what was just deleted is not there.
fn read(path: PathBuf) -> Option<File> {
    let text = fs::read_to_string(&path).ok()?;
    let path = path.strip_prefix(root()).ok()?.to_str()?.replace('\\', "/");
    Some(File { path, text })
}
