//! `package.json`: what a package exports, and what kind of files it has.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value as Json;

use super::resolve::{Goal, Unresolved};
use crate::worktree::{Worktree, WorktreePath};

/// No description of a package is longer.
const MAX_BYTES: u64 = 4 << 20;
/// How many conditions, patterns and fallbacks may be nested.
const MAX_DEPTH: usize = 32;

/// A description of a package.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) name: Option<String>,
    pub(super) main: Option<String>,
    /// Whether its `.js` files are ES modules; `None` when it does not say.
    pub(super) is_module: Option<bool>,
    pub(super) exports: Option<Json>,
    pub(super) imports: Option<Json>,
    /// The files that take the place of others where the build for browsers is used, both as in `./x.js`.
    browser: HashMap<String, String>,
    /// The modules that it can do without.
    optional: HashSet<String>,
}

/// The descriptions that were read, by the path of their directory.
#[derive(Debug, Default)]
pub(super) struct Packages(HashMap<String, Option<Arc<Package>>>);

impl Packages {
    /// Reads the description of the package in a directory; `None` when there is none.
    pub(super) fn read(&mut self, worktree: &Worktree, directory: &str) -> Result<Option<Arc<Package>>, Unresolved> {
        if let Some(known) = self.0.get(directory) {
            return Ok(known.clone());
        }
        let path = super::resolve::join(directory, "package.json").ok_or(Unresolved::Outside)?;
        let text = WorktreePath::parse(&path).and_then(|path| worktree.read_source(&path, MAX_BYTES));
        let package = match text {
            Ok(text) => Some(Arc::new(parse(&text).ok_or(Unresolved::BadPackage(path))?)),
            Err(error) if error.is_not_found() => None,
            Err(_) => return Err(Unresolved::BadPackage(path)),
        };
        self.0.insert(directory.to_owned(), package.clone());
        Ok(package)
    }

    /// Finds the package that a file or directory belongs to: its directory, and its description.
    pub(super) fn of(
        &mut self,
        worktree: &Worktree,
        within: &str,
    ) -> Result<Option<(String, Arc<Package>)>, Unresolved> {
        let mut directory = within;
        loop {
            // A package ends where the packages that it has installed begin.
            if directory.rsplit('/').next() == Some("node_modules") {
                return Ok(None);
            }
            if let Some(package) = self.read(worktree, directory)? {
                return Ok(Some((directory.to_owned(), package)));
            }
            if directory.is_empty() {
                return Ok(None);
            }
            directory = super::resolve::parent(directory);
        }
    }
}

fn parse(text: &str) -> Option<Package> {
    let Json::Object(mut fields) = serde_json::from_str(text).ok()? else { return None };
    let text = |field: Option<&Json>| field.and_then(Json::as_str).map(str::to_owned);
    let table = fields.get("browser").and_then(Json::as_object);
    let without = |(name, by): (&String, &Json)| (by == &Json::Bool(false)).then(|| name.clone());
    let optional = table.into_iter().flatten().filter_map(without).collect();
    let has_browser_build = fields.get("exports").is_some_and(|exports| has_condition(exports, "browser", 0));
    let browser = table.filter(|_| has_browser_build);
    let replaced = |(file, by): (&String, &Json)| Some((file.clone(), by.as_str()?.to_owned()));
    let browser = browser.into_iter().flatten().filter_map(replaced).collect();
    Some(Package {
        name: text(fields.get("name")),
        main: text(fields.get("main")),
        is_module: match fields.get("type").and_then(Json::as_str) {
            Some("module") => Some(true),
            Some("commonjs") => Some(false),
            _ => None,
        },
        exports: fields.remove("exports").filter(|exports| !exports.is_null()),
        imports: fields.remove("imports"),
        browser,
        optional,
    })
}

impl Package {
    /// The file that a subpath (`.`, `./x`) is exported as, relative to the package: `./lib/x.js`.
    pub(super) fn exported(&self, subpath: &str, goal: Goal) -> Option<String> {
        let exports = self.exports.as_ref()?;
        let has_subpaths = exports.as_object().is_some_and(|map| map.keys().any(|key| key.starts_with('.')));
        if !has_subpaths {
            return if subpath == "." { target(exports, None, goal) } else { None };
        }
        matched(exports, subpath, goal)
    }

    /// The file that takes the place of another of the package, which is relative to it and without `./`.
    ///
    /// Such a table belongs to the build for browsers that [`exported`](Self::exported) picks; of a package that has no
    /// conditions for one, Node's files are used, and the table is not.
    pub(super) fn replaced(&self, file: &str) -> Option<&str> {
        self.browser.get(&format!("./{file}"))?.strip_prefix("./")
    }

    /// Whether the package says that it works without a module of Node's: browsers have none.
    pub(super) fn can_do_without(&self, module: &str) -> bool {
        self.optional.contains(module)
    }

    /// What a name that begins with `#` stands for: a path of the package (`./x.js`), or the name of another one.
    pub(super) fn imported(&self, name: &str, goal: Goal) -> Option<String> {
        matched(self.imports.as_ref()?, name, goal)
    }
}

/// Looks a key up: as it is, or else by the pattern with the longest beginning.
fn matched(map: &Json, key: &str, goal: Goal) -> Option<String> {
    let map = map.as_object()?;
    if let Some(found) = map.get(key).filter(|_| !key.contains('*')) {
        return target(found, None, goal);
    }
    let pattern = map.iter().filter_map(|(pattern, found)| {
        let (before, after) = pattern.split_once('*')?;
        let rest = key.strip_prefix(before)?.strip_suffix(after)?;
        (!rest.is_empty()).then_some((before.len(), pattern.len(), rest, found))
    });
    let (_, _, rest, found) = pattern.max_by_key(|(before, length, ..)| (*before, *length))?;
    target(found, Some(rest), goal)
}

/// Picks a target by conditions.
///
/// Packages know Node, browsers, workers, and others. A session is most like a worker: it has the web's interfaces, no
/// document, and some of Node's modules. So the build for workers is taken where there is one, that for browsers next, and
/// Node's only where there is no other.
fn target(target: &Json, rest: Option<&str>, goal: Goal) -> Option<String> {
    let kind = if goal == Goal::Import { "import" } else { "require" };
    pick(target, rest, &[kind, "worker", "browser", "default"], 0)
        .or_else(|| pick(target, rest, &[kind, "worker", "browser", "node", "default"], 0))
}

fn pick(target: &Json, rest: Option<&str>, conditions: &[&str], depth: usize) -> Option<String> {
    if depth > MAX_DEPTH {
        return None;
    }
    match target {
        Json::String(path) => Some(rest.map_or_else(|| path.clone(), |rest| path.replace('*', rest))),
        Json::Array(targets) => targets.iter().find_map(|target| pick(target, rest, conditions, depth + 1)),
        Json::Object(map) => map
            .iter()
            .filter(|(condition, _)| conditions.contains(&condition.as_str()))
            .find_map(|(_, target)| pick(target, rest, conditions, depth + 1)),
        _ => None,
    }
}

/// Whether some condition of this name is there at all.
fn has_condition(exports: &Json, name: &str, depth: usize) -> bool {
    match exports {
        _ if depth > MAX_DEPTH => false,
        Json::Array(targets) => targets.iter().any(|target| has_condition(target, name, depth + 1)),
        Json::Object(map) => map.iter().any(|(key, target)| key == name || has_condition(target, name, depth + 1)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(exports: &str) -> Package {
        let imports = r##"{"#x": "./x.js", "#y/*": {"node": "fs", "default": "./y/*.js"}}"##;
        parse(&format!(r#"{{"name": "p", "exports": {exports}, "imports": {imports}}}"#)).unwrap()
    }

    #[test]
    fn exports_are_found_as_in_node() {
        let conditions = r#"{".": {"node": "./node.js", "browser": {"import": "./web.mjs", "require": "./web.cjs"}}, "./only": {"node": "./only.js"},
            "./f/*": "./lib/*.js", "./f/in/*.js": "./deep/*.js", "./f/no/*": null, "./list": [{"deno": "./d"}, "./l.js"]}"#;
        let table = [
            (r#""./a.js""#, ".", Some("./a.js")),
            (r#""./a.js""#, "./a.js", None),
            (r#"{"import": "./i.mjs", "default": "./d.js"}"#, ".", Some("./i.mjs")),
            (r#"{"require": "./r.cjs", "default": "./d.js"}"#, ".", Some("./d.js")),
            (conditions, ".", Some("./web.mjs")),
            (conditions, "./only", Some("./only.js")),
            (conditions, "./f/a/b", Some("./lib/a/b.js")),
            (conditions, "./f/in/c.js", Some("./deep/c.js")),
            (conditions, "./f/no/x", None),
            (conditions, "./f/", None),
            (conditions, "./list", Some("./l.js")),
            (conditions, "./other", None),
            (r#"{"node": "./n.js", "browser": "./b.js", "worker": "./w.js"}"#, ".", Some("./b.js")),
            (r#"{"worker": "./w.js", "browser": "./b.js"}"#, ".", Some("./w.js")),
        ];
        for (exports, subpath, expected) in table {
            assert_eq!(package(exports).exported(subpath, Goal::Import).as_deref(), expected, "{exports} {subpath}");
        }
        let imports = package("null");
        assert_eq!(imports.imported("#x", Goal::Require).as_deref(), Some("./x.js"));
        assert_eq!(imports.imported("#y/z", Goal::Require).as_deref(), Some("./y/z.js"));
        assert_eq!(imports.imported("#z", Goal::Require), None);
    }

    #[test]
    fn files_for_browsers_go_with_the_build_for_browsers() {
        let table = r#""browser": {"./http.js": "./null.js", "fs": false, "./x.js": false}"#;
        let both = parse(&format!(r#"{{"exports": {{".": {{"browser": "./b.js"}}}}, {table}}}"#)).unwrap();
        assert_eq!(both.replaced("http.js"), Some("null.js"));
        assert_eq!((both.replaced("x.js"), both.replaced("fs")), (None, None));
        assert!(both.can_do_without("fs") && !both.can_do_without("http"));
        for other in [r#""main": "x""#, r#""exports": "./x.js""#, r#""exports": {"node": "./x.js"}"#] {
            assert_eq!(parse(&format!("{{{other}, {table}}}")).unwrap().replaced("http.js"), None, "{other}");
        }
    }

    #[test]
    fn absurd_conditions_end() {
        let deep = format!("{}\"./x\"{}", r#"{"default":"#.repeat(100), "}".repeat(100));
        assert_eq!(package(&deep).exported(".", Goal::Import), None);
    }
}
