//! Values as trees, for whoever opens up what one line has left out. As with [`inspect`](super::inspect), no guest code
//! runs.
//!
//! The document is written as it will be stored: a tree of Rust's would be made for most values only to be thrown away.

use std::collections::HashMap;

use rquickjs::{Ctx, Value};

use super::describe::kind;
use super::ffi::object_address;
use super::inspect::{self, Compact, ErrorParts, InspectOptions, Item, first_name, is_error, show};
use super::intrinsics::{Builtin, Class, Intrinsics, Quiet, Tools};
use super::modules;
use super::raw::{self, Content, Key, Keys, Known, Listing, PromiseState, Slot};
use super::text;
use crate::value::{TreeText, ValueType};

/// How many levels of objects there are.
const MAX_DEPTH: usize = 6;
/// How many entries an object has.
const MAX_ENTRIES: usize = 100;
/// How many values a tree has.
const MAX_NODES: usize = 1_000;
/// How long a string is whole, in UTF-16 units.
const MAX_STRING: usize = 16 << 10;
/// How many characters the line has that stands for a value.
const MAX_LINE: usize = 200;
/// How many characters of a string one line shows.
const MAX_STRING_IN_LINE: usize = 100;
/// How deep one line goes.
const LINE_DEPTH: i32 = 2;
/// The longest array whose string keys are listed, for the reason that [`inspect`](super::inspect) has.
const MAX_LISTED: u32 = 1 << 16;
/// What is left free for the entry that is begun last, with names and lines of its own that are all escapes, and for closing
/// what is open.
const RESERVE: usize = 8 << 10;

/// The trees of some values in an event that has so many bytes besides: of all of them, or none when one line tells all of
/// each, or there is no room.
pub(super) fn trees<'js>(
    ctx: &Ctx<'js>,
    values: &[Value<'js>],
    intrinsics: &Intrinsics,
    other_bytes: usize,
) -> Vec<TreeText> {
    let mut room = TreeText::MAX_BYTES.saturating_sub(other_bytes);
    if values.len() > MAX_ENTRIES || !values.iter().any(Value::is_object) {
        return Vec::new();
    }
    let tools = Tools::new(ctx, intrinsics);
    let Ok(_quiet) = Quiet::new(&tools) else { return Vec::new() };
    let mut has_more = false;
    let mut trees = Vec::with_capacity(values.len());
    for value in values {
        if room < 2 * RESERVE {
            return Vec::new();
        }
        let (tree, is_told) = Builder::build(&tools, value, room);
        room = room.saturating_sub(tree.len());
        has_more |= !is_told;
        trees.push(TreeText::trusted(tree));
    }
    if has_more { trees } else { Vec::new() }
}

/// The tree of one value, unless one line tells all of it.
pub(super) fn tree<'js>(tools: &Tools<'_, 'js>, value: &Value<'js>, other_bytes: usize) -> Option<TreeText> {
    let room = TreeText::MAX_BYTES.saturating_sub(other_bytes);
    if !value.is_object() || room < 2 * RESERVE {
        return None;
    }
    let (tree, is_told) = Builder::build(tools, value, room);
    (!is_told).then(|| TreeText::trusted(tree))
}

/// One line that stands for a value, of at most so many characters. For the caller to keep [`Quiet`].
pub(super) fn line<'js>(tools: &Tools<'_, 'js>, value: &Value<'js>, max_chars: usize) -> String {
    let options = InspectOptions {
        depth: LINE_DEPTH,
        max_items: MAX_ENTRIES,
        max_props: MAX_ENTRIES,
        max_string: MAX_STRING_IN_LINE,
        max_top_level_string: max_chars,
        max_bytes: 4 * max_chars,
        line_width: 1 << 20,
        quote_top_level_string: true,
        compact: Compact::Always,
        ..InspectOptions::console()
    };
    let shown = if is_error(tools, value) {
        ErrorParts::of(tools, value, MAX_STRING_IN_LINE).header
    } else {
        show(tools, value, &options)
    };
    let mut line = String::with_capacity(shown.len());
    for (at, part) in shown.split(['\n', '\r', '\u{2028}', '\u{2029}']).enumerate() {
        if at > 0 {
            line.push(' ');
        }
        line.push_str(if at > 0 { part.trim_start() } else { part });
    }
    if let Some((cut, _)) = line.char_indices().nth(max_chars) {
        let cut = line[..cut].char_indices().next_back().map_or(0, |(at, _)| at);
        line.truncate(cut);
        line.push('…');
    }
    line
}

struct Builder<'t, 'a, 'js> {
    tools: &'t Tools<'a, 'js>,
    text: String,
    max: usize,
    nodes: usize,
    /// The objects that are shown with their entries, and by what they are referred to.
    seen: HashMap<usize, u32>,
    /// Whether one line tells all of what was seen so far.
    is_told: bool,
}

/// What an entry is, by its word in the document.
type EntryKind = &'static str;

impl<'t, 'a, 'js> Builder<'t, 'a, 'js> {
    /// The tree of a value, and whether one line tells all of it.
    fn build(tools: &'t Tools<'a, 'js>, value: &Value<'js>, max: usize) -> (String, bool) {
        let mut builder = Self { tools, text: String::new(), max, nodes: 0, seen: HashMap::new(), is_told: true };
        builder.node(value, 0);
        (builder.text, builder.is_told)
    }

    /// Whether there is no room for another entry.
    fn is_full(&self) -> bool {
        self.nodes >= MAX_NODES || self.room() == 0 || self.tools.is_exhausted()
    }

    fn room(&self) -> usize {
        self.max.saturating_sub(self.text.len() + RESERVE)
    }

    /// Writes a value.
    fn node(&mut self, value: &Value<'js>, level: usize) {
        self.nodes += 1;
        if !value.is_object() {
            return self.primitive(value);
        }
        let target = inspect::through_proxies(value).filter(|target| !target.is_proxy());
        self.is_told &= !value.is_proxy();
        let address = target.as_ref().and_then(object_address);
        if let Some(id) = address.and_then(|address| self.seen.get(&address)) {
            self.is_told = false;
            self.text.push_str(&format!("{{\"ref\":{id}}}"));
            return;
        }
        let kind = kind(self.tools, value);
        let line = line(self.tools, value, MAX_LINE);
        self.is_told &= !line.ends_with('…') && !matches!(kind, ValueType::Error | ValueType::Proxy);
        self.open(kind, &line);
        if let (Some(target), Some(address)) = (target, address) {
            self.object(&target, address, kind, level);
        }
        self.text.push('}');
    }

    fn open(&mut self, kind: ValueType, line: &str) {
        self.text.push_str(&format!("{{\"type\":\"{kind}\",\"text\":"));
        self.string(line);
    }

    fn primitive(&mut self, value: &Value<'js>) {
        let kind = kind(self.tools, value);
        if kind != ValueType::String {
            let line = line(self.tools, value, MAX_LINE);
            self.open(kind, &line);
            self.text.push('}');
            return;
        }
        let (units, len) = self.tools.units(value, MAX_STRING).unwrap_or_default();
        self.is_told &= len <= MAX_STRING_IN_LINE;
        self.text_node(&units, len - units.len());
    }

    /// Writes a string, of which so much is cut off already.
    fn text_node(&mut self, units: &[u16], cut: usize) {
        let mut shown = units;
        let mut quoted = String::new();
        text::json_quote_into(&mut quoted, shown);
        if quoted.len() > self.room() {
            // An escape takes six bytes at the most.
            shown = &units[..units.len().min(self.room() / 6)];
            quoted.clear();
            text::json_quote_into(&mut quoted, shown);
        }
        self.text.push_str(&format!("{{\"type\":\"{}\",\"text\":{quoted}", ValueType::String));
        self.more(cut + units.len() - shown.len());
        self.text.push('}');
    }

    fn string(&mut self, string: &str) {
        let units: Vec<u16> = string.encode_utf16().collect();
        text::json_quote_into(&mut self.text, &units);
    }

    fn more(&mut self, more: usize) {
        if more > 0 {
            self.is_told = false;
            self.text.push_str(&format!(",\"more\":{more}"));
        }
    }

    /// Writes what an object holds.
    fn object(&mut self, value: &Value<'js>, address: usize, kind: ValueType, level: usize) {
        let name = inspect::constructor_name(self.tools, value);
        if let Some(name) = &name {
            self.text.push_str(",\"name\":");
            self.string(name);
        }
        let is_plain = name.as_deref().is_some_and(is_built_in);
        self.is_told &= is_plain && level <= LINE_DEPTH as usize;
        if level >= MAX_DEPTH {
            return;
        }
        let id = self.seen.len() as u32 + 1;
        self.seen.insert(address, id);
        self.text.push_str(&format!(",\"id\":{id}"));
        let mut entries = Entries { begun: false, count: 0, more: 0 };
        self.contents(value, kind, level, &mut entries);
        self.properties(value, kind, level, &mut entries);
        if !is_plain && let Some(prototype) = raw::prototype(value) {
            // What a class gives its instances, and not what the classes above it do.
            self.entry(&mut entries, "[[Prototype]]", "prototype", |this| {
                this.node(&prototype, level.max(MAX_DEPTH - 2) + 1)
            });
        }
        if entries.begun {
            self.text.push(']');
        }
        self.more(entries.more);
    }

    /// Writes an entry, or counts it when there is no room.
    fn entry(&mut self, entries: &mut Entries, key: &str, kind: EntryKind, value: impl FnOnce(&mut Self)) {
        if entries.count >= MAX_ENTRIES || self.is_full() {
            entries.more += 1;
            return;
        }
        entries.count += 1;
        self.text.push_str(if entries.begun { "," } else { ",\"entries\":[" });
        entries.begun = true;
        self.text.push_str("{\"key\":");
        self.string(key);
        self.text.push_str(&format!(",\"kind\":\"{kind}\""));
        // A map's key comes first.
        if kind != "entry" {
            self.text.push_str(",\"value\":");
        }
        value(self);
        self.text.push('}');
    }

    /// Writes what an object holds besides its properties.
    fn contents(&mut self, value: &Value<'js>, kind: ValueType, level: usize, entries: &mut Entries) {
        match kind {
            _ if self.array_len(value).is_some() => self.elements(value, level, entries),
            _ if raw::has_slot(value, Slot::Map) => {
                self.items(value, [Builtin::MapSize, Builtin::MapEntries, Builtin::MapNext], level, entries);
            }
            _ if raw::has_slot(value, Slot::Set) => {
                self.items(value, [Builtin::SetSize, Builtin::SetValues, Builtin::SetNext], level, entries);
            }
            ValueType::Promise => {
                let (state, result) = match raw::promise_state(value) {
                    Some(PromiseState::Fulfilled(result)) => ("fulfilled", Some(result)),
                    Some(PromiseState::Rejected(reason)) => ("rejected", Some(reason)),
                    Some(PromiseState::Pending) | None => ("pending", None),
                };
                self.entry(entries, "[[State]]", "hidden", |this| {
                    this.open(ValueType::String, state);
                    this.text.push('}');
                });
                if let Some(result) = result {
                    self.entry(entries, "[[Result]]", "hidden", |this| this.node(&result, level + 1));
                }
            }
            ValueType::Error => {
                let parts = ErrorParts::of(self.tools, value, MAX_STRING);
                let has_own =
                    raw::own_property(value, &Key::known(&self.tools.ctx, Known::Stack)).is_ok_and(|own| own.is_some());
                if parts.has_calls() && !has_own {
                    let stack = modules::plain_stack(&parts.stack());
                    self.entry(entries, "stack", "hidden", |this| {
                        this.text_node(&stack.encode_utf16().collect::<Vec<_>>(), 0)
                    });
                }
            }
            _ => {}
        }
    }

    /// The length of what is listed by index.
    fn array_len(&self, value: &Value<'js>) -> Option<u32> {
        if raw::typed_array_kind(value).is_some() {
            return Some(self.tools.number(Builtin::TypedArrayLength, value).unwrap_or(0.0) as u32);
        }
        let is_list =
            value.is_array() || self.tools.is(value, Class::Arguments) || self.tools.is(value, Class::MappedArguments);
        let length =
            || raw::own_property(value, &Key::known(&self.tools.ctx, Known::Length)).ok()??.into_data()?.as_number();
        is_list.then(|| length().map_or(0, |length| length as u32))
    }

    fn elements(&mut self, value: &Value<'js>, level: usize, entries: &mut Entries) {
        /// How many places are looked at: elements may be missing.
        const MAX_STEPS: u32 = 1_000;
        let len = self.array_len(value).unwrap_or(0);
        let mut at = 0;
        while at < len.min(MAX_STEPS) && entries.count < MAX_ENTRIES && !self.is_full() {
            self.tools.charge(1);
            let property = Key::index(&self.tools.ctx, at).and_then(|key| raw::own_property(value, &key));
            if let Ok(Some(property)) = property {
                self.content(&at.to_string(), "index", property.content, level, entries);
            }
            at += 1;
        }
        entries.more += (len - at) as usize;
    }

    fn items(&mut self, value: &Value<'js>, how: [Builtin; 3], level: usize, entries: &mut Entries) {
        let [size, iterate, next] = how;
        let size = self.tools.number(size, value).unwrap_or(0.0) as usize;
        let items = inspect::items(self.tools, value, size.min(MAX_ENTRIES), iterate, next);
        self.tools.charge(2 * items.len());
        entries.more += size.saturating_sub(items.len());
        for (at, item) in items.iter().enumerate() {
            match item {
                Item::Value(item) => self.entry(entries, &at.to_string(), "entry", |this| {
                    this.text.push_str(",\"value\":");
                    this.node(item, level + 1);
                }),
                Item::Entry(key, item) => {
                    let line = line(self.tools, key, MAX_LINE);
                    self.entry(entries, &line, "entry", |this| {
                        if key.is_object() {
                            this.text.push_str(",\"key_tree\":");
                            this.node(key, level + 1);
                        }
                        this.text.push_str(",\"value\":");
                        this.node(item, level + 1);
                    });
                }
            }
        }
    }

    fn properties(&mut self, value: &Value<'js>, kind: ValueType, level: usize, entries: &mut Entries) {
        let len = self.array_len(value);
        let is_string = self.tools.is(value, Class::String);
        let listing = match len {
            // Listing the names of a long array costs time and memory for each of its elements.
            Some(len) if len > MAX_LISTED => Listing::Symbols,
            _ if inspect::is_namespace(self.tools, value) => Listing::NamesOnly,
            _ => Listing::All,
        };
        let Ok(keys) = Keys::of(value, listing) else { return };
        self.tools.charge(keys.len() + 1);
        let from = if len.is_some() || is_string { first_name(&keys) } else { 0 };
        for at in from..keys.len() {
            if entries.count >= MAX_ENTRIES || self.is_full() {
                entries.more += keys.len() - at;
                break;
            }
            let key = keys.get(at);
            let Ok(name) = key.to_value() else { break };
            let Ok(Some(property)) = raw::own_property(value, &key) else { continue };
            self.is_told &= raw::string_len(&name) <= MAX_STRING_IN_LINE;
            let shown = if name.is_symbol() {
                line(self.tools, &name, MAX_LINE)
            } else {
                self.tools.units(&name, MAX_LINE).map(|(units, _)| text::lossy(&units)).unwrap_or_default()
            };
            let word = match (property.enumerable, name.is_symbol()) {
                (true, true) => "symbol",
                (true, false) => "property",
                (false, _) => "hidden",
            };
            if word == "hidden" && !name.is_symbol() && is_of_course(kind, &shown) {
                continue;
            }
            self.is_told &= word != "hidden";
            self.content(&shown, word, property.content, level, entries);
        }
    }

    fn content(&mut self, key: &str, word: EntryKind, content: Content<'js>, level: usize, entries: &mut Entries) {
        match content {
            Content::Data(value) => self.entry(entries, key, word, |this| this.node(&value, level + 1)),
            Content::Accessor { get, set } => {
                self.is_told = false;
                self.entry(entries, key, "accessor", |this| {
                    let line = match (get, set) {
                        (true, true) => "[Getter/Setter]",
                        (true, false) => "[Getter]",
                        (false, _) => "[Setter]",
                    };
                    this.nodes += 1;
                    this.open(ValueType::Undefined, line);
                    this.text.push('}');
                });
            }
        }
    }
}

/// The entries of an object, as far as they are written.
struct Entries {
    begun: bool,
    count: usize,
    more: usize,
}

/// Constructors whose objects are known by their type: what they inherit is not shown.
fn is_built_in(name: &str) -> bool {
    const NAMES: [&str; 33] = [
        "Object",
        "Array",
        "Function",
        "AsyncFunction",
        "GeneratorFunction",
        "AsyncGeneratorFunction",
        "Map",
        "Set",
        "WeakMap",
        "WeakSet",
        "WeakRef",
        "Date",
        "RegExp",
        "Promise",
        "Number",
        "String",
        "Boolean",
        "Symbol",
        "BigInt",
        "ArrayBuffer",
        "SharedArrayBuffer",
        "DataView",
        "Uint8Array",
        "Int8Array",
        "Uint8ClampedArray",
        "Uint16Array",
        "Int16Array",
        "Uint32Array",
        "Int32Array",
        "Float32Array",
        "Float64Array",
        "Error",
        "TypeError",
    ];
    NAMES.contains(&name)
}

/// Properties that every value of a type has.
fn is_of_course(kind: ValueType, name: &str) -> bool {
    match kind {
        ValueType::Array | ValueType::Arguments => matches!(name, "length" | "callee"),
        ValueType::Function => matches!(name, "length" | "name" | "arguments" | "caller" | "prototype"),
        ValueType::Regexp => name == "lastIndex",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;
    use crate::engine::inspect::tests::with_realm;
    use crate::value::{TreeEntryKind, ValueTree};

    /// The tree of what an expression gives, unless one line tells all of it.
    fn tree_of(source: &str) -> Option<ValueTree> {
        let mut found = None;
        with_realm(|ctx, intrinsics| {
            let value: Value<'_> =
                ctx.eval(source).unwrap_or_else(|error| panic!("{source}: {error}: {:?}", ctx.catch()));
            let tools = Tools::new(ctx, intrinsics);
            let _quiet = Quiet::new(&tools).unwrap();
            let tree = tree(&tools, &value, 0);
            assert!(!ctx.has_exception());
            if let Some(tree) = &tree {
                assert!(tree.is_sound(), "{source}: {} bytes: {}", tree.as_str().len(), tree.as_str());
            }
            found = tree.map(|tree| tree.decode().unwrap());
        });
        found
    }

    fn nodes(tree: &ValueTree) -> usize {
        1 + tree
            .entries
            .iter()
            .map(|entry| nodes(&entry.value) + entry.key_tree.as_ref().map_or(0, nodes))
            .sum::<usize>()
    }

    #[test]
    fn one_line_that_tells_all_needs_no_tree() {
        for source in [
            "1",
            "'a'",
            "undefined",
            "({})",
            "[]",
            "({a: 1, b: 'x'})",
            "[1, [2, [3]]]",
            "({deep: {er: [1, null, true]}})",
            "(function named() {})",
            "() => 1",
            "new Map([[1, 'x']])",
            "new Set([1, 2])",
            "new Date(0)",
            "/a+/gi",
            "Promise.resolve(1)",
            "Symbol('s')",
            "10n",
            "new Uint8Array(3)",
            "Object(1)",
        ] {
            assert_eq!(tree_of(source), None, "{source}");
        }
    }

    #[test]
    fn what_one_line_leaves_out_is_in_the_tree() {
        let tree = tree_of("({a: {b: {c: {d: {e: 1}}}}})").unwrap();
        assert_eq!(tree.text.as_deref(), Some("{ a: { b: { c: [Object] } } }"));
        let mut at = &tree;
        for name in ["a", "b", "c", "d"] {
            let [entry] = at.entries.as_slice() else { panic!("{at:?}") };
            assert_eq!((entry.key.as_str(), entry.kind), (name, TreeEntryKind::Property));
            at = &entry.value;
        }
        assert_eq!(at.text.as_deref(), Some("{ e: 1 }"));

        let tree =
            tree_of("class P { #x = 1; constructor() { this.y = 2 } get z() { throw 1 } m() {} } new P()").unwrap();
        assert_eq!((tree.name.as_deref(), tree.text.as_deref()), (Some("P"), Some("P { y: 2 }")));
        let prototype = tree.entries.iter().find(|entry| entry.kind == TreeEntryKind::Prototype).unwrap();
        let keys: Vec<_> = prototype.value.entries.iter().map(|entry| (entry.key.as_str(), entry.kind)).collect();
        assert_eq!(
            keys,
            [("constructor", TreeEntryKind::Hidden), ("z", TreeEntryKind::Accessor), ("m", TreeEntryKind::Hidden),]
        );

        let tree = tree_of("new Map([[{k: 1}, [1]], ['a', 'x'.repeat(300)]])").unwrap();
        assert_eq!(tree.entries[0].key, "{ k: 1 }");
        assert_eq!(tree.entries[0].key_tree.as_ref().unwrap().entries[0].key, "k");
        assert_eq!(tree.entries[1].value.text.as_deref(), Some("x".repeat(300).as_str()));

        let tree = tree_of("const e = new TypeError('bad', {cause: new Error('why')}); e.code = 7; e").unwrap();
        assert_eq!(tree.text.as_deref(), Some("TypeError: bad"));
        let has = |key: &str| tree.entries.iter().any(|entry| entry.key == key);
        assert!(has("message") && has("cause") && has("code") && has("stack"), "{tree:?}");

        let tree = tree_of("({get a() { throw 1 }, set b(x) {}, [Symbol('s')]: 1})").unwrap();
        let kinds: Vec<_> = tree.entries.iter().map(|entry| entry.kind).collect();
        assert_eq!(kinds, [TreeEntryKind::Accessor, TreeEntryKind::Accessor, TreeEntryKind::Symbol]);
        assert_eq!(tree.entries[0].value.text.as_deref(), Some("[Getter]"));
    }

    #[test]
    fn cycles_and_repeats_are_references() {
        let tree = tree_of("const a = {n: [1]}; a.self = a; a.again = a.n; a").unwrap();
        let id = tree.id.unwrap();
        assert_eq!(tree.entries[1].value.reference, Some(id));
        assert_eq!(tree.entries[2].value.reference, tree.entries[0].value.id);
    }

    #[test]
    fn trees_are_bounded() {
        let cases = [
            "Array.from({length: 1e6}, (_, n) => n)",
            "Array.from({length: 200}, () => Array.from({length: 200}, () => ({a: 'x'.repeat(50)})))",
            "Object.fromEntries(Array.from({length: 5000}, (_, n) => ['k' + n, {n}]))",
            "let a = {}; for (let n = 0; n < 1000; n++) a = {a}; a",
            "[[[[[[[[1]]]]]]]]",
            "Array(1e9)",
            "[{a: '\\u0001'.repeat(1e6)}, {b: '\\u0001'.repeat(1e6)}, {c: 1}]",
            "({['x'.repeat(1e6)]: {a: 1}, b: 2})",
            "new Map(Array.from({length: 5000}, (_, n) => [{n}, {n}]))",
            "new Uint8Array(1e6)",
            "let a = []; for (let n = 0; n < 100; n++) a = [a, a, a]; a",
            "Object.assign(() => 1, {a: {b: {c: {d: {}}}}})",
            "'x'.repeat(1e6).split('').map(x => [x])",
        ];
        for source in cases {
            let tree = tree_of(source).unwrap_or_else(|| panic!("{source} has a tree"));
            assert!(nodes(&tree) <= MAX_NODES + MAX_DEPTH * 2, "{source}: {}", nodes(&tree));
        }
        let tree = tree_of("Array.from({length: 1e6}, (_, n) => n)").unwrap();
        assert_eq!((tree.entries.len(), tree.more), (100, Some(999_900)));
        let tree = tree_of("({a: 'x'.repeat(20000)})").unwrap();
        assert_eq!(
            (tree.entries[0].value.text.as_ref().unwrap().len(), tree.entries[0].value.more),
            (16_384, Some(3_616))
        );
    }
}
