//! Values as trees: what a one-line text leaves out, for whoever opens it up.

use serde::{Deserialize, Serialize};

use super::{JsonText, ValueType};

/// A value as a tree, as JSON text: a snapshot of the moment at which its event was made, taken without running any code of
/// the script's.
///
/// It is text for the reason that [`JsonText`] is: most are never looked into by us.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TreeText(JsonText);

impl TreeText {
    /// The most bytes that the trees of one event take, together with its text.
    pub(crate) const MAX_BYTES: usize = 64 << 10;
    /// The most bytes that the trees of one execution take: they are no output, so that `max_output_kb` does not bound them.
    /// Events past that have none.
    pub(crate) const MAX_BYTES_OF_EXECUTION: usize = 4 << 20;

    /// Takes text that our own writer has just made.
    pub(crate) fn trusted(text: String) -> Self {
        Self(JsonText::trusted(text))
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Reads the tree.
    ///
    /// # Errors
    /// The document does not have its shape: it was changed in the store by hand.
    pub fn decode(&self) -> Result<ValueTree, serde_json::Error> {
        self.0.decode()
    }

    /// Tells whether it is what its type says. A worker process may say anything.
    pub(crate) fn is_sound(&self) -> bool {
        // Written again, it is the same: so nothing was read as something that it is not.
        let is_same = |tree: ValueTree| serde_json::to_string(&tree).is_ok_and(|text| text == self.as_str());
        self.as_str().len() <= Self::MAX_BYTES && self.decode().is_ok_and(is_same)
    }
}

#[cfg(feature = "schema")]
impl schemars::JsonSchema for TreeText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ValueTree".into()
    }

    fn json_schema(schemas: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemas.subschema_for::<ValueTree>()
    }
}

/// A value as a tree: at most 6 levels, 100 entries in each, 1,000 values and 64 KiB. Or, as `ref` alone, an object that is
/// shown elsewhere in the same tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ValueTree {
    /// Its type; none of a `ref`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ValueType>,
    /// One line that stands for it. Of a string, the string itself, whole up to 16 KiB; none of a `ref`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// The name of its constructor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// By what a `ref` names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u32>,
    /// The object of this tree that it is, which contains it or was shown before.
    #[serde(rename = "ref", default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<u32>,
    /// What it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entries: Vec<TreeEntry>,
    /// How many more entries it has, or, of a string, characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<u64>,
}

/// An entry of a [`ValueTree`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TreeEntry {
    /// Its name, index or place; of a map's entry, one line that stands for the key.
    pub key: String,
    /// What it is.
    pub kind: TreeEntryKind,
    /// The key of a map's entry, if that is an object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_tree: Option<ValueTree>,
    /// Its value. Of an accessor it says only that it is one: nothing is called.
    pub value: ValueTree,
}

/// What an entry of a [`ValueTree`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum TreeEntryKind {
    /// A property that is listed by name.
    Property,
    /// An element of an array.
    Index,
    /// A property whose name is a symbol.
    Symbol,
    /// A property that calls a function when it is read.
    Accessor,
    /// An entry of a map or set.
    Entry,
    /// A property that is not enumerable, or something that scripts cannot see.
    Hidden,
    /// The object that it inherits from.
    Prototype,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_tree_is_told() {
        let sound = |text: &str| TreeText(JsonText::parse(text.to_owned()).unwrap()).is_sound();
        assert!(sound(
            r#"{"type":"object","text":"{ a: 1 }","id":1,"entries":[{"key":"a","kind":"property","value":{"ref":1}}]}"#
        ));
        let deep = format!(
            "{}{{\"ref\":1}}{}",
            r#"{"entries":[{"key":"a","kind":"index","value":"#.repeat(200),
            "}]}".repeat(200)
        );
        let long = format!(r#"{{"type":"string","text":"{}"}}"#, "x".repeat(TreeText::MAX_BYTES));
        for odd in [
            "1",
            "[]",
            r#"{"type":"odd"}"#,
            r#"{"text":1}"#,
            r#"{"entries":{}}"#,
            r#"{"html":""}"#,
            r#"{"ref":1,"ref":2}"#,
            r#"{"entries":[[]]}"#,
            &deep,
            &long,
        ] {
            let refused = JsonText::parse(odd.to_owned()).map_or(true, |text| !TreeText(text).is_sound());
            assert!(refused, "{odd}");
        }
    }
}
