//! `--set PATH=JSON`: settings of a template by their paths.

use serde_json::{Map, Value};

use crate::error::{Error, Result};

/// Settings whose value is a word, which then needs no quotes.
const WORDS: [&str; 1] = ["runtime.isolation"];

/// Settings whose value is a list.
const LISTS: [&str; 2] = ["resolver.roots", "resolver.extensions"];

/// One setting by its path, as in `limits.cpu_ms=1000`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    path: Vec<String>,
    value: Value,
}

impl Setting {
    /// Reads a setting. Which names and values there are, the daemon decides.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let Some((path, value)) = text.split_once('=') else {
            return Err("expected PATH=JSON, for example limits.cpu_ms=1000".to_owned());
        };
        let path: Vec<String> = path.split('.').map(str::to_owned).collect();
        if !matches!(path[0].as_str(), "limits" | "resolver" | "runtime") {
            return Err("a setting's path begins with limits., resolver. or runtime.".to_owned());
        }
        if path.len() < 2 || path.iter().any(String::is_empty) {
            return Err(format!("the path names no setting: expected {}.NAME=JSON", path[0]));
        }
        let name = path.join(".");
        match serde_json::from_str(value) {
            Ok(value) => Ok(Self { path, value }),
            Err(_) if WORDS.contains(&name.as_str()) => Ok(Self { path, value: Value::from(value) }),
            Err(_) if LISTS.contains(&name.as_str()) => {
                Err(format!("the value is not JSON; {name} is a list: '{name}=[\"{value}\"]'"))
            }
            Err(_) => Err(format!("the value is not JSON; if it is text, quote it: '{name}=\"{value}\"'")),
        }
    }
}

/// Builds the partial objects of the settings; of the same path the last one counts.
pub(super) fn settings(all: &[Setting]) -> Result<Map<String, Value>> {
    let mut settings = Map::new();
    for Setting { path, value } in all {
        let Some((name, groups)) = path.split_last() else { continue };
        let mut object = &mut settings;
        for group in groups {
            let inner = object.entry(group).or_insert_with(|| Value::Object(Map::new()));
            let Value::Object(inner) = inner else {
                let path = path.join(".");
                return Err(Error::usage(format!("--set {path} contradicts another --set: `{group}` has a value")));
            };
            object = inner;
        }
        object.insert(name.clone(), value.clone());
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::error::Exit;

    fn built(texts: &[&str]) -> Result<Value> {
        let all: Vec<Setting> = texts.iter().map(|text| Setting::parse(text).expect(text)).collect();
        settings(&all).map(Value::Object)
    }

    #[test]
    fn settings_become_partial_objects() {
        for (texts, object) in [
            (&[][..], json!({})),
            (&["limits.cpu_ms=1000"], json!({"limits": {"cpu_ms": 1000}})),
            (
                &["limits.cpu_ms=1", "runtime.strict=true", "limits.wall_ms=2", "limits.cpu_ms=3"],
                json!({"limits": {"cpu_ms": 3, "wall_ms": 2}, "runtime": {"strict": true}}),
            ),
            (&["resolver.extensions=[\".js\", \".a=b\"]"], json!({"resolver": {"extensions": [".js", ".a=b"]}})),
            (&["runtime.isolation=\"thread\""], json!({"runtime": {"isolation": "thread"}})),
            (&["runtime.isolation=thread"], json!({"runtime": {"isolation": "thread"}})),
            (&["runtime.later.depth=null"], json!({"runtime": {"later": {"depth": null}}})),
        ] {
            assert_eq!(built(texts).expect("they agree"), object, "{texts:?}");
        }
        let error = built(&["limits.a=1", "limits.a.b=2"]).expect_err("they contradict");
        assert_eq!(error.exit(), Exit::Usage);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for (text, why) in [
            ("limits.cpu_ms", "expected PATH=JSON"),
            ("cpu_ms=1", "begins with"),
            ("name.x=1", "begins with"),
            ("limits=1", "names no setting"),
            ("limits.=1", "names no setting"),
            ("limits..x=1", "names no setting"),
            ("limits.cpu_ms=", "not JSON"),
            ("limits.cpu_ms=1s", "not JSON"),
            ("runtime.later=thread", "'runtime.later=\"thread\"'"),
            ("resolver.roots=lib", "'resolver.roots=[\"lib\"]'"),
            ("resolver.extensions=.ts", "'resolver.extensions=[\".ts\"]'"),
        ] {
            let error = Setting::parse(text).expect_err(text);
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
