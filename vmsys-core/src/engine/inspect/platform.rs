//! What objects of the web platform show of themselves: their state is in private fields, which nothing else shows.

use rquickjs::Value;

use super::Inspector;
use crate::engine::intrinsics::Builtin;
use crate::engine::raw;

/// The most fields that an object of ours has.
const MAX_FIELDS: usize = 32;

/// What an object shows besides its properties.
pub(super) enum View<'js> {
    /// `name: value`.
    Fields(Vec<(&'static str, Value<'js>)>),
    /// `name => value`.
    Pairs(Vec<(Value<'js>, Value<'js>)>, usize),
}

impl<'js> View<'js> {
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Fields(fields) => fields.is_empty(),
            Self::Pairs(_, len) => *len == 0,
        }
    }
}

/// The parts of a `URL`, in the order of `url.js`, that are shown, in the order in which they are.
const URL_PARTS: [(&str, u32); 11] = [
    ("href", 0),
    ("origin", 10),
    ("protocol", 1),
    ("username", 2),
    ("password", 3),
    ("host", 4),
    ("hostname", 5),
    ("port", 6),
    ("pathname", 7),
    ("search", 8),
    ("hash", 9),
];

impl<'js> Inspector<'_, 'js> {
    /// Looks at the private fields of what one of our classes made. A class of a script's that has the same name and the
    /// same fields is shown in the same way, which is no harm: nothing of it runs.
    pub(super) fn private_view(&self, value: &Value<'js>, maker: Option<&str>) -> Option<View<'js>> {
        let names: &[(&str, &str)] = match maker? {
            "URL" => {
                let parts = self.private(value, "#parts")?;
                let part = |(name, at)| Some((name, raw::own_index(&parts, at)?));
                return URL_PARTS.into_iter().map(part).collect::<Option<_>>().map(View::Fields);
            }
            "URLSearchParams" | "FormData" => return self.pairs(&self.private(value, "#list")?),
            "AbortController" => &[("signal", "#signal")],
            "AbortSignal" => &[("aborted", "#aborted")],
            "Blob" => &[("size", "#bytes"), ("type", "#type")],
            "CustomEvent" => &[("type", "#type"), ("detail", "#detail"), ("defaultPrevented", "#canceled")],
            "Event" => &[("type", "#type"), ("defaultPrevented", "#canceled"), ("cancelable", "#cancelable")],
            "File" => &[("size", "#bytes"), ("type", "#type"), ("name", "#name"), ("lastModified", "#lastModified")],
            "PerformanceMark" | "PerformanceMeasure" => &[
                ("name", "#name"),
                ("entryType", "#type"),
                ("startTime", "#start"),
                ("duration", "#duration"),
                ("detail", "#detail"),
            ],
            "TextDecoder" => &[("encoding", "#encoding"), ("fatal", "#fatal"), ("ignoreBOM", "#ignoreBOM")],
            _ => return None,
        };
        let field = |(name, private): &(&'static str, &str)| {
            let found = self.private(value, private)?;
            if *private != "#bytes" {
                return Some((*name, found));
            }
            let size = self.tools.number(Builtin::TypedArrayLength, &found).ok()?;
            Some((*name, self.tools.int(size as usize)))
        };
        names.iter().map(field).collect::<Option<_>>().map(View::Fields)
    }

    fn pairs(&self, list: &Value<'js>) -> Option<View<'js>> {
        let len = list.as_array()?.len() / 2;
        let element = |at: usize| raw::own_index(list, u32::try_from(at).ok()?);
        let pair = |at: usize| Some((element(2 * at)?, element(2 * at + 1)?));
        let pairs = (0..len.min(self.options.max_items)).map(pair).collect::<Option<_>>()?;
        Some(View::Pairs(pairs, len))
    }

    /// Reads a private field.
    fn private(&self, value: &Value<'js>, name: &str) -> Option<Value<'js>> {
        let keys = raw::private_keys(value).ok()?;
        self.tools.charge(keys.len());
        let is_named = |key: &raw::Key<'js>| {
            let symbol = key.to_value().ok()?;
            let description = self.tools.call(Builtin::SymbolDescription, &symbol, &[]).ok()?;
            (raw::utf16(&description).ok()? == name.encode_utf16().collect::<Vec<_>>()).then_some(())
        };
        let key = (0..keys.len().min(MAX_FIELDS)).map(|at| keys.get(at)).find(|key| is_named(key).is_some())?;
        raw::own_property(value, &key).ok()??.into_data()
    }

    /// The entries that a view adds.
    pub(super) fn view_entries(&mut self, view: &View<'js>, level: i32) -> Vec<String> {
        match view {
            View::Fields(fields) => {
                let shown = fields.iter().map(|(name, value)| format!("{name}: {}", self.named(value, level)));
                shown.collect()
            }
            View::Pairs(pairs, len) => {
                let mut shown: Vec<String> = self.indented(|this| {
                    let pair =
                        |(name, value): &(_, _)| format!("{} => {}", this.value(name, level), this.value(value, level));
                    pairs.iter().map(pair).collect()
                });
                if *len > pairs.len() {
                    let mut more = String::new();
                    super::push_more(&mut more, len - pairs.len(), "item");
                    shown.push(more);
                }
                shown
            }
        }
    }
}
