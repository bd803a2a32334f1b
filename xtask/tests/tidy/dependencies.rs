//! What the workspace depends on, against deny.toml.
//!
//! The policy is cargo-deny's file; the tool itself takes minutes to compile, so the parts that need no database of
//! advisories are checked here.

use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;

use crate::hold;
use crate::tree::{root, text_of};

/// What the core must not even have in its tree: it is embedded in programs that bring their own.
const NETWORKING: &[&str] = &[
    "async-std",
    "curl",
    "h2",
    "http",
    "hyper",
    "isahc",
    "mio",
    "native-tls",
    "openssl",
    "quinn",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "tokio",
    "tungstenite",
    "ureq",
];

struct Metadata(Value);

impl Metadata {
    /// The packages that are built here. Those of other platforms may never have been fetched.
    fn get() -> &'static Self {
        static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
            let version = text_from(Command::new("rustc").arg("-vV"));
            let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc says its host");
            let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let mut metadata = Command::new(cargo);
            metadata.args(["metadata", "--offline", "--locked", "--format-version", "1", "--filter-platform", host]);
            Metadata(serde_json::from_str(&text_from(&mut metadata)).expect("cargo metadata answers JSON"))
        });
        &METADATA
    }

    fn packages(&self) -> impl Iterator<Item = &Value> {
        self.0["packages"].as_array().expect("a list of packages").iter()
    }

    fn name_of(&self, id: &Value) -> &str {
        self.packages().find(|package| package["id"] == *id).map_or("", |package| text(package, "name"))
    }

    /// Everything that a crate brings to a program that depends on it.
    fn tree_of(&self, name: &str) -> BTreeSet<&str> {
        let nodes: BTreeMap<&str, &Value> =
            self.0["resolve"]["nodes"].as_array().expect("nodes").iter().map(|node| (text(node, "id"), node)).collect();
        let start = self.packages().find(|package| package["name"] == name).expect("a crate of ours");
        let (mut ids, mut next) = (BTreeSet::new(), vec![text(start, "id")]);
        while let Some(id) = next.pop() {
            if !ids.insert(id) {
                continue;
            }
            for dependency in nodes[id]["deps"].as_array().into_iter().flatten() {
                let kinds = dependency["dep_kinds"].as_array().into_iter().flatten();
                if kinds.into_iter().any(|kind| kind["kind"].is_null()) {
                    next.push(text(dependency, "pkg"));
                }
            }
        }
        ids.into_iter().map(|id| self.name_of(&Value::from(id))).collect()
    }
}

fn text_from(command: &mut Command) -> String {
    let output = command.current_dir(root()).output().expect("the toolchain can be run");
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("its answer is text")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn shown(package: &Value) -> String {
    format!("{} {}", text(package, "name"), text(package, "version"))
}

/// The quoted words of a list of deny.toml.
fn list<'a>(key: &str) -> Vec<&'a str> {
    let (_, after) = text_of("deny.toml").split_once(&format!("\n{key} = [")).expect("deny.toml has the list");
    let end = after.find("\n]").into_iter().chain(after.find("]\n")).min().expect("the list ends");
    after[..end].lines().filter_map(|line| line.split('"').nth(1)).collect()
}

#[test]
fn every_licence_is_allowed() {
    let allowed = list("allow");
    let packages = Metadata::get().packages().filter(|package| !is_allowed(text(package, "license"), &allowed));
    hold(
        packages.map(|package| format!("{}: {:?}", shown(package), text(package, "license"))),
        "Do without the crate. If its licence asks no more than the ones of deny.toml do, add it there.",
    );
}

#[test]
fn every_crate_comes_from_crates_io() {
    let allowed: Vec<String> = list("allow-registry").into_iter().map(|index| format!("registry+{index}")).collect();
    let packages = Metadata::get().packages().filter(|package| match &package["source"] {
        Value::Null => !text(package, "name").starts_with("vmsys-") && package["name"] != "xtask",
        source => !allowed.iter().any(|index| source == index.as_str()),
    });
    hold(packages.map(shown), "Releases of crates.io only: others cannot be fetched where CI runs, and may change.");
}

#[test]
fn no_crate_is_there_twice() {
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in Metadata::get().packages() {
        versions.entry(text(package, "name")).or_default().insert(text(package, "version"));
    }
    let mut skipped = BTreeSet::new();
    let mut found = Vec::new();
    for (name, versions) in versions.iter().filter(|(_, versions)| versions.len() > 1) {
        let excused = |version: &&str| {
            list("skip").into_iter().find(|skip| {
                skip.split_once('@').is_some_and(|(crate_name, wanted)| {
                    crate_name == *name && (*version == wanted || version.starts_with(&format!("{wanted}.")))
                })
            })
        };
        let mut left = versions.len();
        for skip in versions.iter().filter_map(excused) {
            skipped.insert(skip);
            left -= 1;
        }
        if left > 1 {
            found.push(format!("{name} {versions:?}"));
        }
    }
    hold(
        found,
        "Two versions are compiled twice and do not know each other's types: find who brings the older one with \
         `cargo tree -d`, update it or do without; if it cannot be helped, say why under `skip` in deny.toml.",
    );
    let stale = list("skip").into_iter().filter(|skip| !skipped.contains(skip));
    hold(stale.map(str::to_owned), "These are no longer there twice: take them out of `skip` in deny.toml.");
}

#[test]
fn the_core_brings_no_networking_crate() {
    let tree = Metadata::get().tree_of("vmsys-core");
    assert!(tree.contains("rquickjs") && tree.contains("rusqlite"), "the tree of vmsys-core is not what it was");
    let found = NETWORKING.iter().filter(|name| tree.contains(**name));
    hold(
        found.map(|name| format!("vmsys-core depends on {name}")),
        "vmsys-core is embedded in programs that have a network and a runtime of their own: what speaks to others is a \
         crate above it. `cargo tree -p vmsys-core -i NAME` says who brought it.",
    );
}

/// Evaluates an SPDX expression: `AND`, `OR`, and the `/` of old manifests.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let words = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut at = 0;
    !words.is_empty() && either(&words, &mut at, allowed) && at == words.len()
}

fn either(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let mut result = both(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        result |= both(words, at, allowed);
    }
    result
}

fn both(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let mut result = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        result &= one(words, at, allowed);
    }
    result
}

fn one(words: &[&str], at: &mut usize, allowed: &[&str]) -> bool {
    let Some(word) = words.get(*at) else { return false };
    *at += 1;
    if *word == "(" {
        let result = either(words, at, allowed);
        *at += 1;
        return result;
    }
    let mut licence = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{licence} WITH {}", words.get(*at + 1).unwrap_or(&""));
        *at += 2;
    }
    allowed.contains(&licence.as_str())
}

#[test]
fn licences_are_read_as_spdx_has_it() {
    let allowed = ["MIT", "Zlib", "Apache-2.0 WITH LLVM-exception"];
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0/MIT", true),
        ("MIT AND Zlib", true),
        ("MIT AND GPL-3.0", false),
        ("(GPL-3.0 OR MIT) AND Zlib", true),
        ("Zlib AND (GPL-3.0 OR LGPL-3.0)", false),
        ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", true),
        ("Apache-2.0", false),
        ("", false),
    ] {
        assert_eq!(is_allowed(expression, &allowed), expected, "{expression}");
    }
}
