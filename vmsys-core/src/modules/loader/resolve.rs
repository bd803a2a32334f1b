//! From a name in `require` or `import` to a file of the worktree, by Node's rules and the template's resolver.
//!
//! It is ours, though there are crates for it, because it must never look at anything outside of the worktree: each of
//! its questions goes through the worktree's handle. A race makes it find something else, but nothing elsewhere.

use std::path::Path;

use super::is_of_node;
use super::package::{Package, Packages};
use crate::template::Settings;
use crate::typescript::is_typescript;
use crate::worktree::{Kind, Worktree};

/// More directories than anybody nests.
const MAX_DEPTH: usize = 256;
/// Packages have these whatever a template says.
const PACKAGE_EXTENSIONS: [&str; 2] = [".js", ".json"];

/// What TypeScript imports without an ending.
const TYPED_EXTENSIONS: [&str; 3] = [".ts", ".mts", ".cts"];

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    Import,
    Require,
}

/// A file that was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Found {
    /// Its path in the worktree.
    pub(super) path: String,
    /// Its absolute path, as scripts see it.
    pub(super) file: String,
    pub(super) format: Format,
}

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// A script with `module.exports`.
    CommonJs,
    /// An ES module.
    Module,
    /// JSON.
    Json,
    /// A module that is not there, and that who asks says it can do without: an object without properties.
    Empty,
    /// A module that is no file; its name stands for the path.
    BuiltIn,
    /// A `.js` file of a package that does not say: what it contains decides.
    Unknown,
}

/// Why nothing was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unresolved {
    File,
    Package,
    Outside,
    Absolute,
    Scheme,
    NotExported(String),
    NotImported,
    BadPackage(String),
    Specifier,
}

impl Format {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::CommonJs => "commonjs",
            Self::Module => "module",
            Self::Json => "json",
            Self::Empty => "empty",
            Self::BuiltIn => "builtin",
            Self::Unknown => "unknown",
        }
    }
}

/// Finds files by name.
#[derive(Debug)]
pub(super) struct Resolver {
    worktree: Worktree,
    /// The worktree's absolute path, without a slash at its end.
    root: String,
    roots: Vec<String>,
    extensions: Vec<String>,
    allow_absolute: bool,
    esm: bool,
    /// Whether snippets are TypeScript.
    typescript: bool,
    /// Whether who asks is TypeScript, whose files may be named as what becomes of them: `./x.js` for `./x.ts`.
    asked_by_typescript: bool,
    packages: Packages,
}

impl Resolver {
    pub(super) fn new(worktree: Worktree, root: &Path, settings: &Settings) -> Self {
        let clean = |path: &String| join("", path);
        Self {
            worktree,
            root: root.to_string_lossy().trim_end_matches('/').to_owned(),
            roots: settings.resolver.roots.iter().filter_map(clean).collect(),
            extensions: settings.resolver.extensions.clone(),
            allow_absolute: settings.resolver.allow_absolute_repo_imports,
            esm: settings.runtime.esm,
            typescript: settings.runtime.typescript,
            asked_by_typescript: false,
            packages: Packages::default(),
        }
    }

    pub(super) fn worktree(&self) -> &Worktree {
        &self.worktree
    }

    pub(super) fn forget_packages(&mut self) {
        self.packages = Packages::default();
    }

    /// Finds what a name means in a file, or in no file when `referrer` is empty.
    pub(super) fn resolve(&mut self, specifier: &str, referrer: &str, goal: Goal) -> Result<Found, Unresolved> {
        if specifier.is_empty() || specifier.contains(['\0', '\\']) {
            return Err(Unresolved::Specifier);
        }
        let from = parent(referrer);
        self.asked_by_typescript = self.typescript || is_typescript(referrer);
        if specifier.split('/').next().is_some_and(|first| first == "." || first == "..") {
            let path = join(from, specifier).ok_or(Unresolved::Outside)?;
            let names_directory = matches!(specifier.rsplit('/').next(), Some("" | "." | ".."));
            return self.file_or_directory(&path, names_directory);
        }
        if let Some(path) = specifier.strip_prefix("file://") {
            return self.absolute(&percent_decoded(path).ok_or(Unresolved::Specifier)?);
        }
        if specifier.starts_with('/') {
            return self.absolute(specifier);
        }
        if specifier.starts_with('#') {
            return self.import_of_package(specifier, from, goal);
        }
        if is_of_node(specifier)
            && let Some((_, package)) = self.packages.of(&self.worktree, from)?
            && package.can_do_without(specifier)
        {
            return Ok(Found { path: String::new(), file: String::new(), format: Format::Empty });
        }
        if specifier.split('/').next().is_some_and(|first| first.contains(':')) {
            return Err(Unresolved::Scheme);
        }
        self.bare(specifier, from, goal, 0)
    }

    /// The path in the worktree that an absolute one or a `file:` URL names.
    pub(super) fn locate(&self, file: &str) -> Option<String> {
        let path = match file.strip_prefix("file://") {
            Some(path) => percent_decoded(path)?,
            None => file.to_owned(),
        };
        join("", self.inside(&path)?)
    }

    fn inside<'p>(&self, path: &'p str) -> Option<&'p str> {
        path.strip_prefix(&self.root).filter(|rest| rest.starts_with('/'))
    }

    fn absolute(&mut self, path: &str) -> Result<Found, Unresolved> {
        let relative = match self.inside(path) {
            Some(relative) => relative,
            None if self.allow_absolute => path,
            None => return Err(Unresolved::Absolute),
        };
        self.file_or_directory(&join("", relative).ok_or(Unresolved::Outside)?, path.ends_with('/'))
    }

    /// A name without a path: a root of the template's, or a package.
    fn bare(&mut self, specifier: &str, from: &str, goal: Goal, depth: usize) -> Result<Found, Unresolved> {
        for root in self.roots.clone() {
            let Some(path) = join(&root, specifier) else { return Err(Unresolved::Outside) };
            match self.file_or_directory(&path, false) {
                Err(Unresolved::File) => {}
                other => return other,
            }
        }
        let (name, subpath) = package_name(specifier).ok_or(Unresolved::Specifier)?;
        // A package may import itself by its name, by what it exports.
        if let Some((directory, package)) = self.packages.of(&self.worktree, from)?
            && package.exports.is_some()
            && package.name.as_deref() == Some(name)
        {
            return self.exported(&directory, &package, name, &subpath, goal);
        }
        let mut at = from;
        for _ in depth..MAX_DEPTH {
            if at.rsplit('/').next() != Some("node_modules") {
                let directory = join(at, &format!("node_modules/{name}")).ok_or(Unresolved::Specifier)?;
                if self.worktree.kind(&directory) == Some(Kind::Directory) {
                    return self.in_package(&directory, name, &subpath, goal);
                }
                let file = join(at, &format!("node_modules/{specifier}")).ok_or(Unresolved::Specifier)?;
                if subpath == "."
                    && let Some(found) = self.file(&file)
                {
                    return self.found(found);
                }
            }
            if at.is_empty() {
                break;
            }
            at = parent(at);
        }
        Err(Unresolved::Package)
    }

    fn in_package(&mut self, directory: &str, name: &str, subpath: &str, goal: Goal) -> Result<Found, Unresolved> {
        // Where a package is linked to, it looks for its own packages from there.
        let directory = self.worktree.real_path(directory).unwrap_or_else(|| directory.to_owned());
        match self.packages.read(&self.worktree, &directory)? {
            Some(package) if package.exports.is_some() => self.exported(&directory, &package, name, subpath, goal),
            _ => {
                let path = join(&directory, subpath).ok_or(Unresolved::Outside)?;
                self.file_or_directory(&path, false)
            }
        }
    }

    fn exported(
        &mut self,
        directory: &str,
        package: &Package,
        name: &str,
        subpath: &str,
        goal: Goal,
    ) -> Result<Found, Unresolved> {
        let target = package.exported(subpath, goal).ok_or_else(|| Unresolved::NotExported(name.to_owned()))?;
        self.target(directory, &target)
    }

    /// A file of a package that its description names.
    fn target(&mut self, directory: &str, target: &str) -> Result<Found, Unresolved> {
        let climbs = target.split('/').skip(1).any(|part| matches!(part, ".." | "node_modules"));
        if !target.starts_with("./") || climbs {
            return Err(Unresolved::Specifier);
        }
        let path = join(directory, target).ok_or(Unresolved::Outside)?;
        match self.worktree.kind(&path) {
            Some(Kind::File) => self.found(path),
            _ => Err(Unresolved::File),
        }
    }

    fn import_of_package(&mut self, name: &str, from: &str, goal: Goal) -> Result<Found, Unresolved> {
        let (directory, package) = self.packages.of(&self.worktree, from)?.ok_or(Unresolved::NotImported)?;
        let target = package.imported(name, goal).ok_or(Unresolved::NotImported)?;
        if target.starts_with("./") {
            return self.target(&directory, &target);
        }
        if target.starts_with(['#', '/', '.']) {
            return Err(Unresolved::Specifier);
        }
        match self.bare(&target, &directory, goal, 0) {
            // Which modules there are beside files is the realm's to know.
            Err(Unresolved::Package | Unresolved::Scheme) => {
                Ok(Found { file: target.clone(), path: target, format: Format::BuiltIn })
            }
            found => found,
        }
    }

    /// A path as it is, with an ending, or as a directory.
    fn file_or_directory(&mut self, path: &str, must_be_directory: bool) -> Result<Found, Unresolved> {
        if !must_be_directory && let Some(found) = self.file(path) {
            return self.found(found);
        }
        if self.worktree.kind(path) != Some(Kind::Directory) {
            return Err(Unresolved::File);
        }
        let main = self.packages.read(&self.worktree, path)?.and_then(|package| package.main.clone());
        let main = main.and_then(|main| join(path, &main));
        let candidates = main.into_iter().flat_map(|main| [Some(main.clone()), join(&main, "index")]);
        for candidate in candidates.chain([join(path, "index")]).flatten() {
            if let Some(found) = self.file(&candidate) {
                return self.found(found);
            }
        }
        Err(Unresolved::File)
    }

    /// A path that is a file as it is, or with an ending.
    fn file(&self, path: &str) -> Option<String> {
        if path.is_empty() {
            return None;
        }
        let is_file = |path: &String| self.worktree.kind(path) == Some(Kind::File);
        let of_packages = PACKAGE_EXTENSIONS.iter().copied().filter(|_| is_of_package(path));
        let typed = TYPED_EXTENSIONS.iter().copied().filter(|_| self.asked_by_typescript);
        let endings =
            [""].into_iter().chain(self.extensions.iter().map(String::as_str)).chain(of_packages).chain(typed);
        let source = || typescript_source(path).filter(|_| self.asked_by_typescript).filter(&is_file);
        endings.map(|ending| format!("{path}{ending}")).find(&is_file).or_else(source)
    }

    /// The file that a package has in the place of this one where its build for browsers is used.
    fn for_browsers(&mut self, path: &str) -> Option<String> {
        if !is_of_package(path) {
            return None;
        }
        let (directory, package) = self.packages.of(&self.worktree, parent(path)).ok()??;
        let file = path.strip_prefix(directory.as_str())?.strip_prefix('/')?;
        let replaced = join(&directory, package.replaced(file)?)?;
        let replaced = self.worktree.real_path(&replaced)?;
        (self.worktree.kind(&replaced) == Some(Kind::File)).then_some(replaced)
    }

    fn found(&mut self, path: String) -> Result<Found, Unresolved> {
        let path = self.worktree.real_path(&path).ok_or(Unresolved::File)?;
        let path = self.for_browsers(&path).unwrap_or(path);
        let format = format(&self.worktree, &mut self.packages, &path, self.esm);
        Ok(Found { file: format!("{}/{path}", self.root), path, format })
    }
}

/// Says what a file is, by its name and by the package that it belongs to.
pub(super) fn format(worktree: &Worktree, packages: &mut Packages, path: &str, esm: bool) -> Format {
    match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("json") => return Format::Json,
        Some("mjs" | "mts") => return Format::Module,
        Some("cjs" | "cts") => return Format::CommonJs,
        _ if esm && !is_of_package(path) => return Format::Module,
        _ => {}
    }
    match packages.of(worktree, parent(path)) {
        Ok(Some((_, package))) => match package.is_module {
            Some(true) => Format::Module,
            Some(false) => Format::CommonJs,
            None => Format::Unknown,
        },
        Ok(None) | Err(_) => Format::Unknown,
    }
}

/// The file that a compiler would have made another of: `x.ts` for `x.js`.
fn typescript_source(path: &str) -> Option<String> {
    [".js", ".mjs", ".cjs"].iter().zip(TYPED_EXTENSIONS).find_map(|(made, of)| {
        let stem = path.strip_suffix(made)?;
        Some(format!("{stem}{of}"))
    })
}

fn is_of_package(path: &str) -> bool {
    path.split('/').any(|part| part == "node_modules")
}

/// The name of the package, and what is wanted of it: `.` or `./x`.
fn package_name(specifier: &str) -> Option<(&str, String)> {
    let parts = if specifier.starts_with('@') { 2 } else { 1 };
    let end = specifier.match_indices('/').nth(parts - 1).map_or(specifier.len(), |(at, _)| at);
    let (name, rest) = specifier.split_at(end);
    let is_valid = !name.starts_with('.') && !name.ends_with('/') && name.contains('/') == (parts == 2);
    is_valid.then(|| (name, format!(".{rest}")))
}

/// The directory of a path: empty for the worktree's root.
pub(super) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// Joins a directory and a path with `.` and `..`; `None` when it climbs out.
pub(super) fn join(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Decodes the path of a `file:` URL.
fn percent_decoded(path: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = std::str::from_utf8(rest.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).ok().filter(|path| !path.contains('\0'))
}

#[cfg(test)]
mod tests;
