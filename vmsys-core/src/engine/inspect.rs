//! Values as people read them: what Node's `util.inspect` would print.
//!
//! The layout follows Node 20 line by line (line breaking, columns of numbers, circular references), because that is
//! what people compare with. The way there differs: **no guest code runs, whatever the value is.** Own property
//! descriptors and internal slots are read through [`raw`](super::raw), prototypes are walked by hand, proxies are
//! shown as their targets without a trap being called, and the few functions that have no counterpart in C were
//! captured before the guest ran ([`Intrinsics`]).
//!
//! Everything is bounded: depth, items, properties, characters, bytes, and the work that goes into values which show
//! little for it, such as an object with a million hidden properties.

mod error;
mod guest;
mod layout;
mod paint;
mod platform;

#[cfg(test)]
pub(super) mod tests;

use rquickjs::{Ctx, Value};

use super::intrinsics::{Builtin, Class, Intrinsics, Quiet, Tools};
use super::raw::{self, Answer, Content, Key, Keys, Known, Listing, PromiseState, Property, Slot};
use super::text;
use layout::{Entries, Style};

pub(super) use error::ErrorParts;
pub(super) use guest::{Guest, Question};
use paint::Paint;
pub(super) use paint::{Palette, STYLES};
use platform::View;

/// How much of a value is shown, and how.
#[derive(Debug, Clone, Copy)]
pub(crate) struct InspectOptions {
    /// How many levels of nested objects; below them stands `[Object]`. At most 100 levels are ever shown.
    pub(crate) depth: i32,
    /// How many elements of an array, a map, a set or a typed array; then `... 3 more items`.
    pub(crate) max_items: usize,
    /// How many properties of an object; then `... 3 more properties`.
    pub(crate) max_props: usize,
    /// How many characters of a string within an object, and of a name, a symbol or an error's stack.
    pub(crate) max_string: usize,
    /// How many characters of the value when it is a string itself.
    pub(crate) max_top_level_string: usize,
    /// About how many bytes in all; then `…`.
    pub(crate) max_bytes: usize,
    /// The width at which lines are broken.
    pub(crate) line_width: usize,
    /// Whether a value that is a string itself stands in quotes.
    pub(crate) quote_top_level_string: bool,
    /// Whether properties that are not enumerable are shown: `%o`.
    pub(crate) show_hidden: bool,
    /// Whether proxies are shown as such, with their handlers: `%o`.
    pub(crate) show_proxy: bool,
    /// How much is put on one line.
    pub(crate) compact: Compact,
    /// Whether the properties of an object, and the entries of a map or set, are sorted as they are shown.
    pub(crate) sorted: bool,
    /// Whether numbers have separators: `1_000`.
    pub(crate) numeric_separator: bool,
}

/// How much is put on one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compact {
    /// Each entry has a line of its own.
    Never,
    /// As many of the innermost levels as this share a line where they fit.
    Levels(i32),
    /// Whatever fits; brackets stand beside the first and the last entry.
    Always,
}

impl InspectOptions {
    /// The form of `console.log`: long strings are whole.
    pub(crate) const fn console() -> Self {
        Self {
            depth: 2,
            max_items: 100,
            max_props: 1000,
            max_string: 10_000,
            max_top_level_string: usize::MAX,
            max_bytes: 1 << 20,
            line_width: 80,
            quote_top_level_string: false,
            show_hidden: false,
            show_proxy: false,
            compact: Compact::Levels(3),
            sorted: false,
            numeric_separator: false,
        }
    }

    /// The form of a result's preview: as [`console`](Self::console), and shorter.
    pub(crate) const fn preview() -> Self {
        Self { max_top_level_string: 10_000, max_bytes: 64 << 10, ..Self::console() }
    }
}

/// Returns a value's text.
///
/// Never runs guest code and never leaves an exception pending. When the engine itself gives up (out of memory,
/// interrupted), the text ends early with `…`. The JavaScript stack must not be shrunk while this runs.
pub(crate) fn inspect<'js>(
    ctx: &Ctx<'js>,
    value: &Value<'js>,
    intrinsics: &Intrinsics,
    options: &InspectOptions,
) -> String {
    show(&Tools::new(ctx, intrinsics), value, options)
}

pub(super) fn show<'js>(tools: &Tools<'_, 'js>, value: &Value<'js>, options: &InspectOptions) -> String {
    run(Inspector::new(tools.clone(), *options), value)
}

/// Returns a value's text as `util.inspect` gives it to a script: with colours, and with the answers of the script's own
/// functions, or else the questions to be put to them. Then the text is not to be used.
pub(super) fn show_to_guest<'js>(
    tools: &Tools<'_, 'js>,
    value: &Value<'js>,
    options: &InspectOptions,
    palette: Option<Palette>,
    guest: Guest<'js>,
) -> Result<String, Vec<Question<'js>>> {
    let mut inspector = Inspector::new(tools.clone(), *options);
    let asked = guest.questions();
    inspector.palette = palette;
    inspector.guest = Some(guest);
    let shown = run(inspector, value);
    let questions = asked.take();
    if questions.is_empty() { Ok(shown) } else { Err(questions) }
}

fn run<'js>(mut inspector: Inspector<'_, 'js>, value: &Value<'js>) -> String {
    let options = inspector.options;
    let tools = inspector.tools.clone();
    let quiet = Quiet::new(&tools);
    inspector.stopped = quiet.is_err();
    let mut shown = if value.is_string() { inspector.top_level_string(value) } else { inspector.value(value, 0) };
    text::truncate(&mut shown, options.max_bytes);
    shown
}

/// Stands for what could not be shown any more.
const CUT: &str = "…";
/// How far a prototype chain is walked.
pub(super) const MAX_CHAIN: usize = 64;
/// How many proxies around one another are looked through.
pub(super) const MAX_PROXIES: usize = 64;
/// How deep values are shown whatever the options say: each level takes Rust's stack.
const MAX_DEPTH: i32 = 100;
/// The longest array whose string keys are listed, which costs time and guest memory for every element.
const MAX_LISTED: u32 = 1 << 16;
/// How many missing elements of an array are stepped over before its keys are listed instead.
const MAX_STEPS: u32 = 4096;

/// The state of one inspection.
pub(super) struct Inspector<'a, 'js> {
    tools: Tools<'a, 'js>,
    options: InspectOptions,
    /// The objects that are being shown, outermost first.
    seen: Vec<Value<'js>>,
    /// Those that turned out to contain themselves; the place, from 1, is the number of the reference.
    circular: Vec<Value<'js>>,
    indentation: usize,
    /// The level of the object that was entered last.
    deepest: i32,
    spent: usize,
    stopped: bool,
    palette: Option<Palette>,
    /// What the script's own functions say; none where they are not to be asked.
    guest: Option<Guest<'js>>,
}

/// Where a property is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In an object: `name: value`.
    Named,
    /// Among an array's elements: `value`.
    Element,
}

/// The parts of an object's text, before they are joined.
struct Frame<'js> {
    base: String,
    open: String,
    close: &'static str,
    style: Style,
    body: Body,
    keys: Vec<Key<'js>>,
    more_keys: usize,
    view: Option<View<'js>>,
}

/// What an object shows besides its properties.
#[derive(Clone, Copy)]
enum Body {
    Nothing,
    Array { len: u32 },
    TypedArray { len: usize },
    Set { size: usize },
    Map { size: usize },
    Buffer { shared: bool },
    View,
    Promise,
    Weak,
    Namespace,
}

impl<'a, 'js> Inspector<'a, 'js> {
    fn new(tools: Tools<'a, 'js>, options: InspectOptions) -> Self {
        Self {
            tools,
            options: InspectOptions { depth: options.depth.min(MAX_DEPTH), ..options },
            seen: Vec::new(),
            circular: Vec::new(),
            indentation: 0,
            deepest: 0,
            spent: 0,
            stopped: false,
            palette: None,
            guest: None,
        }
    }

    fn top_level_string(&mut self, value: &Value<'js>) -> String {
        // One unit more than the bytes allow, so that what is cut is seen to be.
        let max = self.options.max_top_level_string.min(self.options.max_bytes.saturating_add(1));
        if self.options.quote_top_level_string {
            return self.quoted(value, max);
        }
        let Ok((units, len)) = self.tools.units(value, max) else { return CUT.to_owned() };
        let mut shown = text::lossy(&units);
        if max == self.options.max_top_level_string {
            push_more(&mut shown, len.saturating_sub(units.len()), "character");
        }
        shown
    }

    /// Shows any value that is `level` levels deep.
    fn value(&mut self, value: &Value<'js>, level: i32) -> String {
        if !value.is_object() {
            let shown = self.primitive(value);
            self.spent += shown.len();
            return shown;
        }
        if self.is_over() || self.tools.is_exhausted() {
            return CUT.to_owned();
        }
        if value.is_proxy() && self.options.show_proxy {
            return self.proxy(value, level);
        }
        let Some(value) = through_proxies(value) else {
            return self.paint(Paint::Special, "<Revoked Proxy>");
        };
        if value.is_proxy() {
            return "[Proxy]".to_owned();
        }
        if let Some(shown) = self.custom(&value, level) {
            return shown;
        }
        if self.seen.contains(&value) {
            let number = self.circular.iter().position(|known| *known == value).unwrap_or_else(|| {
                self.circular.push(value);
                self.circular.len() - 1
            });
            return self.paint(Paint::Special, &format!("[Circular *{}]", number + 1));
        }
        self.object(&value, level)
    }

    fn is_over(&self) -> bool {
        self.stopped || self.spent > self.options.max_bytes
    }

    fn is_too_deep(&self, level: i32) -> bool {
        level > self.options.depth
    }

    // Primitives

    fn primitive(&mut self, value: &Value<'js>) -> String {
        if value.is_string() {
            return self.quoted(value, self.options.max_string);
        }
        if let Some(number) = value.as_number() {
            return self.number(number);
        }
        if let Some(boolean) = value.as_bool() {
            return self.paint(Paint::Boolean, if boolean { "true" } else { "false" });
        }
        if value.is_null() {
            return self.paint(Paint::Null, "null");
        }
        if value.is_undefined() {
            return self.paint(Paint::Undefined, "undefined");
        }
        if value.is_big_int() {
            let shown = self.bigint(value);
            return self.paint(Paint::BigInt, &shown);
        }
        if value.is_symbol() {
            let shown = text::lossy(&self.symbol(value));
            return self.paint(Paint::Symbol, &shown);
        }
        // A value that the engine keeps for itself, such as the one it throws when it has no memory for an error.
        "<uninitialized>".to_owned()
    }

    fn number(&self, number: f64) -> String {
        let shown = text::shown_number(number);
        self.paint(Paint::Number, &if self.options.numeric_separator { text::separated(&shown) } else { shown })
    }

    /// Puts a string in quotes, and a long one with line breaks on lines of its own.
    fn quoted(&mut self, value: &Value<'js>, max: usize) -> String {
        const MIN_LINE: usize = 16;
        let Ok((units, len)) = self.tools.units(value, max) else { return self.fail() };
        let room = self.options.line_width.saturating_sub(self.indentation + 4);
        let is_long = self.options.compact != Compact::Always && units.len() > MIN_LINE && units.len() > room;
        let mut shown = if is_long {
            let lines = units.split_inclusive(|unit| *unit == u16::from(b'\n'));
            let lines: Vec<String> = lines.map(|line| self.paint(Paint::String, &text::quote(line))).collect();
            lines.join(&format!(" +\n{}", " ".repeat(self.indentation + 2)))
        } else {
            self.paint(Paint::String, &text::quote(&units))
        };
        push_more(&mut shown, len.saturating_sub(units.len()), "character");
        shown
    }

    fn bigint(&mut self, value: &Value<'js>) -> String {
        // Writing a bigint in decimal takes quadratic time, and they may have a million bits; hexadecimal is linear.
        const MAX_DIGITS: usize = 8192;
        const SHOWN: usize = 64;
        let nothing = Value::new_undefined(self.tools.ctx.clone());
        let is_small = self
            .tools
            .call(Builtin::ToNumber, &nothing, std::slice::from_ref(value))
            .is_ok_and(|number| number.as_number().is_some_and(f64::is_finite));
        if !is_small {
            let radix = [self.tools.int(16)];
            let Ok(digits) = self.tools.call(Builtin::BigIntText, value, &radix) else { return self.fail() };
            let len = raw::string_len(&digits);
            self.tools.charge(len);
            if len > MAX_DIGITS {
                let Ok((units, len)) = self.tools.units(&digits, SHOWN) else { return self.fail() };
                let shown = text::lossy(&units);
                let (sign, shown) = shown.strip_prefix('-').map_or(("", &*shown), |digits| ("-", digits));
                return format!("{sign}0x{shown}... {} more digits", len.saturating_sub(SHOWN));
            }
        }
        let Ok(mut units) = raw::utf16(value) else { return self.fail() };
        let cut = units.len().saturating_sub(self.options.max_string);
        units.truncate(self.options.max_string);
        let mut shown = text::lossy(&units);
        if self.options.numeric_separator && cut == 0 {
            shown = text::separated(&shown);
        }
        if cut == 0 {
            shown.push('n');
        }
        push_more(&mut shown, cut, "digit");
        shown
    }

    /// Returns `Symbol(description)`.
    fn symbol(&mut self, value: &Value<'js>) -> Vec<u16> {
        let description = self
            .tools
            .call(Builtin::SymbolDescription, value, &[])
            .ok()
            .filter(Value::is_string)
            .and_then(|text| self.tools.units(&text, self.options.max_string).ok());
        let (description, len) = description.unwrap_or_default();
        let cut = if description.len() < len { CUT } else { "" };
        let mut shown: Vec<u16> = "Symbol(".encode_utf16().collect();
        shown.extend(description);
        shown.extend(cut.encode_utf16());
        shown.push(u16::from(b')'));
        shown
    }

    /// Notes that the engine gave up: what follows is cut.
    fn fail(&mut self) -> String {
        self.stopped = true;
        CUT.to_owned()
    }

    // Objects

    fn proxy(&mut self, value: &Value<'js>, level: i32) -> String {
        let parts = raw::proxy_target(value).and_then(|target| Ok([target, raw::proxy_handler(value)?]));
        let Ok(parts) = parts else { return self.paint(Paint::Special, "<Revoked Proxy>") };
        if self.is_too_deep(level) {
            return self.paint(Paint::Special, "Proxy [Array]");
        }
        let level = level + 1;
        self.deepest = level;
        let shown = self.indented(|this| parts.iter().map(|part| this.value(part, level)).collect());
        self.reduce(Entries { shown, value: None }, "", "Proxy [", "]", Style::Array, level)
    }

    fn object(&mut self, value: &Value<'js>, level: i32) -> String {
        let maker = self.constructor_name(value, level);
        let tag = self.tag(value);
        let mut frame = match self.frame(value, maker.as_deref(), &tag, level) {
            Ok(frame) => frame,
            Err(whole) => {
                self.spent += whole.len();
                return whole;
            }
        };
        self.spent += frame.base.len() + frame.open.len();
        if self.is_too_deep(level) {
            let name = self.prefix_or_class(value, maker.as_deref(), &tag);
            let name = name.trim_end();
            let shown = if maker.is_some() { format!("[{name}]") } else { name.to_owned() };
            return self.paint(Paint::Special, &shown);
        }
        let level = level + 1;
        self.seen.push(value.clone());
        self.deepest = level;
        let mut shown = self.body(value, frame.body, level);
        if let Some(view) = &frame.view {
            shown.extend(self.view_entries(view, level));
        }
        for key in &frame.keys {
            if self.is_over() {
                shown.push(CUT.to_owned());
                frame.more_keys = 0;
                break;
            }
            let property = raw::own_property(value, key);
            // Of a module that has not run yet, properties are there and have no value. Elsewhere the engine gave up.
            self.stopped |= property.is_err() && !matches!(frame.body, Body::Namespace);
            shown.push(self.property(value, key, property, Place::Named, level));
        }
        if self.options.sorted {
            let from = if frame.style == Style::Object { 0 } else { shown.len() - frame.keys.len().min(shown.len()) };
            shown[from..].sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
        }
        if frame.more_keys > 0 {
            let s = if frame.more_keys == 1 { "y" } else { "ies" };
            shown.push(format!("... {} more propert{s}", frame.more_keys));
        }
        self.seen.pop();
        if let Some(at) = self.circular.iter().position(|known| known == value) {
            let reference = self.paint(Paint::Special, &format!("<ref *{}>", at + 1));
            frame.base = if frame.base.is_empty() { reference } else { format!("{reference} {}", frame.base) };
        }
        let entries = Entries { shown, value: Some(value) };
        self.reduce(entries, &frame.base, &frame.open, frame.close, frame.style, level)
    }

    /// Finds out what kind of object this is. One that is shown by a short text alone is returned as an error.
    fn frame(&mut self, value: &Value<'js>, maker: Option<&str>, tag: &str, level: i32) -> Result<Frame<'js>, String> {
        let mut frame = Frame {
            base: String::new(),
            open: "{".to_owned(),
            close: "}",
            style: Style::Object,
            body: Body::Nothing,
            keys: Vec::new(),
            more_keys: 0,
            view: None,
        };
        if value.is_array() || self.is_arguments(value) {
            let len = self.array_len(value);
            self.list_keys(&mut frame, value, Some(len));
            let prefix = match maker {
                Some("Array") if tag.is_empty() && value.is_array() => String::new(),
                _ if !value.is_array() => "[Arguments] ".to_owned(),
                _ => prefix(maker, tag, "Array", &format!("({len})")),
            };
            frame.open = format!("{prefix}[");
            frame.close = "]";
            frame.style = Style::Array;
            frame.body = Body::Array { len };
            return frame.unless_empty(len == 0);
        }
        if let Some(kind) = raw::typed_array_kind(value) {
            let len = self.tools.number(Builtin::TypedArrayLength, value).unwrap_or(0.0) as usize;
            self.list_keys(&mut frame, value, Some(u32::try_from(len).unwrap_or(u32::MAX)));
            // The original getter on the prototype would answer the kind; only a data property of the guest's goes first.
            let tag = if tag.is_empty() { kind } else { tag };
            if kind == "Uint8Array" && maker == Some("Buffer") {
                frame.base = self.node_buffer(value, len);
                return self.buffer_with_keys(frame, value, level);
            }
            frame.open = format!("{}[", prefix(maker, tag, kind, &format!("({len})")));
            frame.close = "]";
            frame.style = Style::Array;
            frame.body = Body::TypedArray { len };
            return frame.unless_empty(len == 0);
        }
        let collections = [(Slot::Set, "Set", Builtin::SetSize, false), (Slot::Map, "Map", Builtin::MapSize, true)];
        for (slot, name, size, is_map) in collections {
            if raw::has_slot(value, slot) {
                let size = self.tools.number(size, value).unwrap_or(0.0) as usize;
                self.list_keys(&mut frame, value, None);
                frame.open = format!("{}{{", prefix(maker, tag, name, &format!("({size})")));
                frame.body = if is_map { Body::Map { size } } else { Body::Set { size } };
                return frame.unless_empty(size == 0);
            }
        }
        if value.is_function() {
            self.list_keys(&mut frame, value, None);
            frame.base = self.function_base(value, maker, tag);
            return frame.unless_bare().map_err(|base| self.paint(Paint::Special, &base));
        }
        if raw::has_slot(value, Slot::RegExp) {
            self.list_keys(&mut frame, value, None);
            let regexp = self.regexp(value);
            frame.base = match prefix(maker, tag, "RegExp", "") {
                plain if plain == "RegExp " => regexp,
                prefix => prefix + &regexp,
            };
            if self.is_too_deep(level) {
                return Err(self.paint(Paint::RegExp, &frame.base));
            }
            return frame.unless_bare().map_err(|base| self.paint(Paint::RegExp, &base));
        }
        if raw::has_slot(value, Slot::Date) {
            self.list_keys(&mut frame, value, None);
            let time = self.tools.number(Builtin::DateTime, value).unwrap_or(f64::NAN);
            let date = text::iso_date(time).unwrap_or_else(|| "Invalid Date".to_owned());
            frame.base = match prefix(maker, tag, "Date", "") {
                plain if plain == "Date " => date,
                prefix => prefix + &date,
            };
            return frame.unless_bare().map_err(|base| self.paint(Paint::Date, &base));
        }
        if is_error(&self.tools, value) {
            self.list_keys(&mut frame, value, None);
            frame.base = self.error_base(value, maker, tag, &mut frame.keys);
            return frame.unless_bare();
        }
        let shared = self.tools.is(value, Class::SharedArrayBuffer);
        if shared || raw::has_slot(value, Slot::ArrayBuffer) {
            self.list_keys(&mut frame, value, None);
            let name = if shared { "SharedArrayBuffer" } else { "ArrayBuffer" };
            frame.open = format!("{}{{", prefix(maker, tag, name, ""));
            frame.body = Body::Buffer { shared };
            return Ok(frame);
        }
        let slots = [
            (Slot::DataView, "DataView", Body::View),
            (Slot::WeakSet, "WeakSet", Body::Weak),
            (Slot::WeakMap, "WeakMap", Body::Weak),
        ];
        let slot = slots.into_iter().find(|(slot, ..)| raw::has_slot(value, *slot));
        let promise = value.is_promise().then_some(("Promise", Body::Promise));
        if let Some((name, body)) = slot.map(|(_, name, body)| (name, body)).or(promise) {
            self.list_keys(&mut frame, value, None);
            frame.open = format!("{}{{", prefix(maker, tag, name, ""));
            frame.body = body;
            return Ok(frame);
        }
        if is_namespace(&self.tools, value) {
            frame.open = format!("{}{{", prefix(maker, tag, "Module", ""));
            frame.body = Body::Namespace;
            self.list_names(&mut frame, value);
            return frame.unless_empty(true);
        }
        if let Some((boxed, inner, name)) = self.boxed(value) {
            let len = boxed.then(|| u32::try_from(raw::string_len(&inner)).unwrap_or(u32::MAX));
            self.list_keys(&mut frame, value, len);
            frame.base = self.boxed_base(&inner, name, maker, tag);
            return frame.unless_bare().map_err(|base| self.paint(Paint::of_boxed(name), &base));
        }
        self.list_keys(&mut frame, value, None);
        if maker != Some("Object") || !tag.is_empty() {
            frame.open = format!("{}{{", self.prefix_or_class(value, maker, tag));
        }
        frame.view = self.private_view(value, maker).filter(|view| !view.is_empty());
        let is_empty = frame.view.is_none();
        frame.unless_empty(is_empty)
    }

    fn is_arguments(&self, value: &Value<'js>) -> bool {
        self.tools.is(value, Class::Arguments) || self.tools.is(value, Class::MappedArguments)
    }

    /// Returns an array's own length. The `length` of an arguments object may be anything.
    fn array_len(&mut self, value: &Value<'js>) -> u32 {
        let length = self.own_data(value, &Key::known(&self.tools.ctx, Known::Length));
        length.and_then(|length| length.as_number()).map_or(0, |length| length as u32)
    }

    /// Returns the value of an own data property.
    fn own_data(&mut self, value: &Value<'js>, key: &Key<'js>) -> Option<Value<'js>> {
        self.tools.charge(1);
        raw::own_property(value, key).ok()??.into_data()
    }

    fn own_string(&mut self, value: &Value<'js>, key: Known) -> Option<String> {
        let found = self.own_data(value, &Key::known(&self.tools.ctx, key)).filter(Value::is_string)?;
        self.short_text(&found)
    }

    /// Returns a string that is part of a heading.
    fn short_text(&self, value: &Value<'js>) -> Option<String> {
        const MAX: usize = 256;
        let (units, len) = self.tools.units(value, MAX).ok()?;
        Some(text::lossy(&units) + if units.len() < len { CUT } else { "" })
    }

    // Keys

    /// Lists the keys to show. Of an array-like object, whose length is given, those that are no indices.
    fn list_keys(&mut self, frame: &mut Frame<'js>, value: &Value<'js>, len: Option<u32>) {
        let is_cheap = len.is_none_or(|len| len <= MAX_LISTED || !self.has_element(value, MAX_LISTED));
        let Ok(keys) = Keys::of(value, if is_cheap { Listing::All } else { Listing::Symbols }) else {
            self.stopped = true;
            return;
        };
        let indices = first_name(&keys);
        let names = keys.len() - indices;
        // Indices are sorted unless they are an array's elements, and that takes longer than all the rest.
        let is_dense = len.is_some_and(|len| len <= MAX_LISTED);
        self.tools.charge(if is_dense { indices / 4 } else { 2 * indices } + names / 2 + 1);
        let from = if len.is_some() { indices } else { 0 };
        let is_shown = |at: &usize| self.options.show_hidden || keys.is_enumerable(*at);
        let mut shown = (from..keys.len()).filter(is_shown);
        frame.keys = shown.by_ref().take(self.options.max_props).map(|at| keys.get(at)).collect();
        frame.more_keys = shown.count();
    }

    /// Lists the names of a module namespace, also of bindings that have no value yet.
    fn list_names(&mut self, frame: &mut Frame<'js>, value: &Value<'js>) {
        let Ok(keys) = Keys::of(value, Listing::NamesOnly) else {
            self.stopped = true;
            return;
        };
        self.tools.charge(keys.len() / 2 + 1);
        let shown = keys.len().min(self.options.max_props);
        frame.keys = (0..shown).map(|at| keys.get(at)).collect();
        frame.more_keys = keys.len() - shown;
    }

    fn has_element(&self, value: &Value<'js>, index: u32) -> bool {
        Key::index(&self.tools.ctx, index)
            .and_then(|key| raw::own_property(value, &key))
            .is_ok_and(|found| found.is_some())
    }

    fn element(&mut self, value: &Value<'js>, index: u32) -> Answer<Option<(Key<'js>, Property<'js>)>> {
        self.tools.charge(1);
        let key = Key::index(&self.tools.ctx, index)?;
        Ok(raw::own_property(value, &key)?.map(|property| (key, property)))
    }

    fn property(
        &mut self,
        of: &Value<'js>,
        key: &Key<'js>,
        property: Answer<Option<Property<'js>>>,
        place: Place,
        level: i32,
    ) -> String {
        self.tools.charge(1);
        let (shown, enumerable) = match property {
            Err(_) if self.stopped => (CUT.to_owned(), true),
            Err(_) => ("<uninitialized>".to_owned(), true),
            Ok(None) => ("undefined".to_owned(), true),
            Ok(Some(property)) => {
                let shown = match &property.content {
                    Content::Data(value) if place == Place::Named => self.named(value, level),
                    Content::Data(value) => self.indented(|this| this.value(value, level)),
                    Content::Accessor { get: true, set } => self.getter(of, key, *set, level),
                    Content::Accessor { get: false, set: true } => self.paint(Paint::Special, "[Setter]"),
                    Content::Accessor { get: false, set: false } => self.paint(Paint::Undefined, "undefined"),
                };
                (shown, property.enumerable)
            }
        };
        if place == Place::Element {
            return shown;
        }
        let name = self.key_name(key, enumerable);
        self.spent += name.len() + 2;
        // What begins on a line of its own does so at once.
        let gap = if shown.starts_with('\n') { "" } else { " " };
        format!("{name}:{gap}{shown}")
    }

    /// Shows the value of a named property.
    fn named(&mut self, value: &Value<'js>, level: i32) -> String {
        if self.options.compact != Compact::Always {
            return self.indented(|this| this.value(value, level));
        }
        self.indentation += 3;
        let shown = self.value(value, level);
        self.indentation -= 3;
        if text::width(&self.visible(&shown)) <= self.options.line_width {
            return shown;
        }
        format!("\n{}{shown}", " ".repeat(self.indentation + 3))
    }

    fn key_name(&mut self, key: &Key<'js>, enumerable: bool) -> String {
        let Ok(name) = key.to_value() else { return self.fail() };
        if name.is_symbol() {
            let shown = text::escape(&self.symbol(&name));
            return format!("[{}]", self.paint(Paint::Symbol, &shown));
        }
        let Ok((units, len)) = self.tools.units(&name, self.options.max_string) else { return self.fail() };
        let cut = if units.len() < len { CUT } else { "" };
        let shown = if units == "__proto__".encode_utf16().collect::<Vec<_>>() {
            "['__proto__']".to_owned()
        } else if !enumerable {
            format!("[{}]", text::escape(&units))
        } else if text::is_plain_key(&units) {
            text::lossy(&units)
        } else {
            self.paint(Paint::String, &text::quote(&units))
        };
        shown + cut
    }

    fn indented<T>(&mut self, show: impl FnOnce(&mut Self) -> T) -> T {
        self.indentation += 2;
        let shown = show(self);
        self.indentation -= 2;
        shown
    }

    // Names

    /// Returns the name of what made an object: `Object` for `{}`, `Foo` for `new Foo()`, none without a prototype.
    fn constructor_name(&mut self, value: &Value<'js>, level: i32) -> Option<String> {
        let mut first: Option<Value<'js>> = None;
        let mut at = value.clone();
        let mut has_ended = false;
        for _ in 0..MAX_CHAIN {
            if at.is_proxy() {
                break;
            }
            if let Some(name) = self.own_constructor_name(&at, value) {
                return Some(name);
            }
            let Some(next) = raw::prototype(&at) else {
                has_ended = true;
                break;
            };
            first.get_or_insert_with(|| next.clone());
            at = next;
        }
        let first = first?;
        let class = self.class(value);
        if !has_ended || self.is_too_deep(level) {
            return Some(format!("{class} <Complex prototype>"));
        }
        let inner = self.constructor_name(&first, level + 1).unwrap_or_else(|| {
            let is_empty = Keys::of(&first, Listing::All).is_ok_and(|keys| {
                self.tools.charge(keys.len() / 2);
                (0..keys.len()).all(|at| !keys.is_enumerable(at))
            });
            let class = self.class(&first);
            format!("[{class}: null prototype]{}", if is_empty { " {}" } else { "" })
        });
        Some(format!("{class} <{inner}>"))
    }

    /// Returns the name of the function in an own `constructor` property, if the value is an instance of it.
    fn own_constructor_name(&mut self, at: &Value<'js>, value: &Value<'js>) -> Option<String> {
        let constructor = self.own_data(at, &Key::known(&self.tools.ctx, Known::Constructor))?;
        if !constructor.is_function() || constructor.is_proxy() {
            return None;
        }
        let name = self.own_string(&constructor, Known::Name).filter(|name| !name.is_empty())?;
        let prototype = self.own_data(&constructor, &Key::known(&self.tools.ctx, Known::Prototype))?;
        let mut link = raw::prototype(value);
        for _ in 0..MAX_CHAIN {
            let found = link?;
            if found == prototype {
                return Some(name);
            }
            self.tools.charge(1);
            link = raw::prototype(&found);
        }
        None
    }

    /// Returns the `Symbol.toStringTag` of an object, if it is a plain string and not shown among the properties.
    fn tag(&mut self, value: &Value<'js>) -> String {
        let key = Key::known(&self.tools.ctx, Known::ToStringTag);
        let mut at = value.clone();
        for depth in 0..MAX_CHAIN {
            self.tools.charge(1);
            match raw::own_property(&at, &key) {
                Ok(Some(property)) => {
                    if depth == 0 && (property.enumerable || self.options.show_hidden) {
                        break;
                    }
                    let tag = property.into_data().filter(Value::is_string);
                    return tag.and_then(|tag| self.short_text(&tag)).unwrap_or_default();
                }
                Ok(None) => {}
                Err(_) => break,
            }
            let Some(next) = raw::prototype(&at) else { break };
            at = next;
        }
        String::new()
    }

    /// Returns the name of the engine's class, as in `Object`.
    fn class(&self, value: &Value<'js>) -> String {
        raw::class_name(value).ok().and_then(|name| self.short_text(&name)).unwrap_or_else(|| "Object".to_owned())
    }

    fn prefix_or_class(&self, value: &Value<'js>, maker: Option<&str>, tag: &str) -> String {
        if maker.is_some() {
            return prefix(maker, tag, "", "");
        }
        let class = self.class(value);
        prefix(maker, tag, if class == tag { "Object" } else { &class }, "")
    }

    // Kinds of objects

    fn function_base(&mut self, value: &Value<'js>, maker: Option<&str>, tag: &str) -> String {
        let name = self.own_string(value, Known::Name).unwrap_or_default();
        if self.is_class(value) {
            return self.class_base(value, &name, maker, tag);
        }
        let kind = if self.tools.is(value, Class::GeneratorFunction) {
            "GeneratorFunction"
        } else if self.tools.is(value, Class::AsyncFunction) {
            "AsyncFunction"
        } else if self.tools.is(value, Class::AsyncGeneratorFunction) {
            "AsyncGeneratorFunction"
        } else {
            "Function"
        };
        let null_prototype = if maker.is_none() { " (null prototype)" } else { "" };
        let name = if name.is_empty() { " (anonymous)".to_owned() } else { format!(": {name}") };
        let maker_name = maker.filter(|maker| *maker != kind).map(|maker| format!(" {maker}")).unwrap_or_default();
        let tag = if tag.is_empty() || maker == Some(tag) { String::new() } else { format!(" [{tag}]") };
        format!("[{kind}{null_prototype}{name}]{maker_name}{tag}")
    }

    fn class_base(&mut self, value: &Value<'js>, name: &str, maker: Option<&str>, tag: &str) -> String {
        let mut base = format!("[class {}", if name.is_empty() { "(anonymous)" } else { name });
        if let Some(maker) = maker.filter(|maker| *maker != "Function") {
            base += &format!(" [{maker}]");
        }
        if !tag.is_empty() && maker != Some(tag) {
            base += &format!(" [{tag}]");
        }
        if maker.is_none() {
            base += " extends [null prototype]";
        } else if let Some(parent) = raw::prototype(value) {
            let parent = self.own_string(&parent, Known::Name).filter(|name| !name.is_empty());
            base += &parent.map(|parent| format!(" extends {parent}")).unwrap_or_default();
        }
        base + "]"
    }

    /// Says whether a function was written as a class.
    fn is_class(&mut self, value: &Value<'js>) -> bool {
        if !value.is_constructor() || !self.tools.is(value, Class::BytecodeFunction) {
            return false;
        }
        // Without its source (bytecode that was stripped) the engine makes up a text, and reads `name` for it: that must
        // be a string then. A class whose `name` is something else is told by its fixed `prototype`.
        let name = raw::own_property(value, &Key::known(&self.tools.ctx, Known::Name));
        let has_plain_name =
            name.is_ok_and(|name| name.and_then(Property::into_data).is_some_and(|name| name.is_string()));
        if !has_plain_name {
            let prototype = raw::own_property(value, &Key::known(&self.tools.ctx, Known::Prototype));
            return prototype.is_ok_and(|found| found.is_some_and(|prototype| !prototype.writable));
        }
        let Ok(source) = self.tools.call(Builtin::FunctionText, value, &[]) else { return false };
        self.tools.charge(raw::string_len(&source) / 64);
        // Only classes and functions are constructors, and the text of the latter begins with another word.
        let start: Vec<u16> = "class".encode_utf16().collect();
        self.tools.units(&source, start.len()).is_ok_and(|(units, _)| units == start)
    }

    fn regexp(&mut self, value: &Value<'js>) -> String {
        let Ok(source) = self.tools.call(Builtin::RegExpSource, value, &[]) else { return self.fail() };
        let Ok((units, len)) = self.tools.units(&source, self.options.max_string) else { return self.fail() };
        self.tools.charge(len / 64);
        let mut flags = String::new();
        // `RegExp.prototype.flags` reads these as properties, which the guest may have replaced.
        for (flag, getter) in [
            ('d', Builtin::RegExpHasIndices),
            ('g', Builtin::RegExpGlobal),
            ('i', Builtin::RegExpIgnoreCase),
            ('m', Builtin::RegExpMultiline),
            ('s', Builtin::RegExpDotAll),
            ('u', Builtin::RegExpUnicode),
            ('v', Builtin::RegExpUnicodeSets),
            ('y', Builtin::RegExpSticky),
        ] {
            if self.tools.call(getter, value, &[]).is_ok_and(|set| set.as_bool() == Some(true)) {
                flags.push(flag);
            }
        }
        let cut = if units.len() < len { CUT } else { "" };
        format!("/{}{cut}/{flags}", text::lossy(&units))
    }

    /// Returns whether a boxed primitive is a string, the primitive, and the name of its type.
    fn boxed(&mut self, value: &Value<'js>) -> Option<(bool, Value<'js>, &'static str)> {
        let kinds = [
            (Class::Number, Builtin::NumberValue, "Number"),
            (Class::String, Builtin::StringValue, "String"),
            (Class::Boolean, Builtin::BooleanValue, "Boolean"),
            (Class::BigInt, Builtin::BigIntValue, "BigInt"),
            (Class::Symbol, Builtin::SymbolValue, "Symbol"),
        ];
        let (class, unbox, name) = kinds.into_iter().find(|(class, ..)| self.tools.is(value, *class))?;
        let inner = self.tools.call(unbox, value, &[]).ok()?;
        Some((class == Class::String, inner, name))
    }

    fn boxed_base(&mut self, inner: &Value<'js>, name: &str, maker: Option<&str>, tag: &str) -> String {
        let maker_name = match maker {
            Some(maker) if maker == name => String::new(),
            Some(maker) => format!(" ({maker})"),
            None => " (null prototype)".to_owned(),
        };
        let tag = if tag.is_empty() || maker == Some(tag) { String::new() } else { format!(" [{tag}]") };
        let palette = self.palette.take();
        let inner = self.primitive(inner);
        self.palette = palette;
        format!("[{name}{maker_name}: {inner}]{tag}")
    }

    // Contents

    fn body(&mut self, value: &Value<'js>, body: Body, level: i32) -> Vec<String> {
        match body {
            Body::Nothing | Body::Namespace => Vec::new(),
            Body::Array { len } => self.array(value, len, level),
            Body::TypedArray { len } => self.typed_array(value, len),
            Body::Set { size } => self.collection(value, size, Builtin::SetValues, Builtin::SetNext, level),
            Body::Map { size } => self.collection(value, size, Builtin::MapEntries, Builtin::MapNext, level),
            Body::Buffer { shared } => self.buffer(value, shared),
            Body::View => self.view(value, level),
            Body::Promise => self.promise(value, level),
            Body::Weak => vec![self.paint(Paint::Special, "<items unknown>")],
        }
    }

    fn array(&mut self, value: &Value<'js>, len: u32, level: i32) -> Vec<String> {
        let max = self.options.max_items;
        let mut shown = Vec::new();
        let mut keys = None;
        let mut index = 0;
        while index < len && shown.len() < max && !self.is_over() {
            match self.element(value, index) {
                Ok(Some((key, property))) => {
                    shown.push(self.property(value, &key, Ok(Some(property)), Place::Element, level));
                    index += 1;
                }
                Ok(None) => {
                    let next = self.next_element(value, index, len, &mut keys);
                    let s = if next - index == 1 { "" } else { "s" };
                    shown.push(self.paint(Paint::Undefined, &format!("<{} empty item{s}>", next - index)));
                    index = next;
                }
                Err(_) => {
                    shown.push(self.fail());
                    return shown;
                }
            }
        }
        if index < len {
            let mut more = String::new();
            push_more(&mut more, (len - index) as usize, "item");
            shown.push(more);
        }
        shown
    }

    /// Returns the index of the next element of an array that has none at `from`, or its length.
    fn next_element(&self, value: &Value<'js>, from: u32, len: u32, keys: &mut Option<Keys<'js>>) -> u32 {
        let near = len.min(from.saturating_add(MAX_STEPS));
        let found = (from + 1..near).find(|index| self.has_element(value, *index));
        self.tools.charge((found.unwrap_or(near) - from) as usize);
        if let Some(found) = found {
            return found;
        }
        if near == len {
            return len;
        }
        // A wide gap: the array is a table of its keys, and the indices come first in it, in order.
        if keys.is_none() {
            *keys = Keys::of(value, Listing::All).ok();
            self.tools.charge(2 * keys.as_ref().map_or(0, Keys::len));
        }
        let Some(keys) = keys else { return len };
        let indices = first_name(keys);
        let next = partition(indices, |at| index_of(keys, at).is_some_and(|index| index < near));
        if next < indices { index_of(keys, next).unwrap_or(len).min(len) } else { len }
    }

    fn typed_array(&mut self, value: &Value<'js>, len: usize) -> Vec<String> {
        let mut shown = Vec::new();
        while shown.len() < len.min(self.options.max_items) && !self.is_over() {
            let Ok(Some((_, property))) = self.element(value, shown.len() as u32) else { break };
            let Some(element) = property.into_data() else { break };
            let element = self.primitive(&element);
            self.spent += element.len();
            shown.push(element);
        }
        let mut more = String::new();
        push_more(&mut more, len.saturating_sub(shown.len()), "item");
        shown.extend(Some(more).filter(|more| !more.is_empty()));
        shown
    }

    fn collection(
        &mut self,
        value: &Value<'js>,
        size: usize,
        iterate: Builtin,
        next: Builtin,
        level: i32,
    ) -> Vec<String> {
        let mut shown = Vec::new();
        let items = self.items(value, size.min(self.options.max_items), iterate, next);
        self.indented(|this| {
            for item in &items {
                if this.is_over() {
                    break;
                }
                let entry = match item {
                    Item::Value(value) => this.value(value, level),
                    Item::Entry(key, value) => {
                        format!("{} => {}", this.value(key, level), this.value(value, level))
                    }
                };
                this.spent += 2;
                shown.push(entry);
            }
        });
        let mut more = String::new();
        push_more(&mut more, size.saturating_sub(shown.len()), "item");
        shown.extend(Some(more).filter(|more| !more.is_empty()));
        shown
    }

    /// Copies the first items of a map or set out of it.
    fn items(&mut self, value: &Value<'js>, max: usize, iterate: Builtin, next: Builtin) -> Vec<Item<'js>> {
        let items = items(&self.tools, value, max, iterate, next);
        self.tools.charge(2 * items.len());
        if items.len() < max {
            self.stopped = true;
        }
        items
    }

    /// Returns the first bytes of a `Buffer`, as in `<Buffer 61 62`.
    fn node_buffer(&mut self, value: &Value<'js>, len: usize) -> String {
        const MAX: usize = 50;
        let mut base = "<Buffer".to_owned();
        for index in 0..len.min(MAX) as u32 {
            let Ok(Some((_, property))) = self.element(value, index) else { break };
            let byte = property.into_data().and_then(|byte| byte.as_int()).unwrap_or(0);
            base += &format!(" {byte:02x}");
        }
        let more = len.saturating_sub(MAX);
        if more > 0 {
            let s = if more == 1 { "" } else { "s" };
            base += &format!(" ... {more} more byte{s}");
        }
        if len == 0 { base + " " } else { base }
    }

    /// Finishes a `Buffer`: with the properties that a script gave it, on the same line.
    fn buffer_with_keys(
        &mut self,
        mut frame: Frame<'js>,
        value: &Value<'js>,
        level: i32,
    ) -> Result<Frame<'js>, String> {
        let keys = std::mem::take(&mut frame.keys);
        let mut shown = Vec::new();
        self.seen.push(value.clone());
        for key in &keys {
            let property = raw::own_property(value, key);
            shown.push(self.property(value, key, property, Place::Named, level + 1));
        }
        self.seen.pop();
        if frame.base.ends_with(' ') || shown.is_empty() {
            return Err(format!("{}{}>", frame.base, shown.join(", ")));
        }
        Err(format!("{}, {}>", frame.base, shown.join(", ")))
    }

    fn buffer(&mut self, value: &Value<'js>, shared: bool) -> Vec<String> {
        // Asked first, because reading a detached buffer makes the engine throw.
        let is_detached = !shared
            && self.tools.call(Builtin::BufferDetached, value, &[]).is_ok_and(|yes| yes.as_bool() == Some(true));
        let length = if shared { Builtin::SharedBufferLength } else { Builtin::BufferLength };
        let Ok(len) = self.tools.number(length, value) else { return vec![self.fail()] };
        let contents = if is_detached {
            "(detached)".to_owned()
        } else {
            let Ok(bytes) = raw::array_buffer_bytes(value, self.options.max_items) else { return vec![self.fail()] };
            let mut hex: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let mut more = String::new();
            push_more(&mut more, (len as usize).saturating_sub(bytes.len()), "byte");
            hex.extend(Some(more).filter(|more| !more.is_empty()));
            format!("{}: <{}>", self.paint(Paint::Special, "[Uint8Contents]"), hex.join(" "))
        };
        self.spent += contents.len();
        vec![contents, format!("byteLength: {}", self.number(len))]
    }

    fn view(&mut self, value: &Value<'js>, level: i32) -> Vec<String> {
        // The length and offset of a view whose buffer has shrunk cannot be read.
        let mut shown = Vec::new();
        for (name, getter) in [("byteLength", Builtin::ViewLength), ("byteOffset", Builtin::ViewOffset)] {
            let number = self.tools.number(getter, value);
            let number = number.map_or_else(|_| "(out of bounds)".to_owned(), |number| self.number(number));
            shown.push(format!("{name}: {number}"));
        }
        if let Ok(buffer) = self.tools.call(Builtin::ViewBuffer, value, &[]) {
            let buffer = self.indented(|this| this.value(&buffer, level));
            shown.push(format!("buffer: {buffer}"));
        }
        shown
    }

    fn promise(&mut self, value: &Value<'js>, level: i32) -> Vec<String> {
        let shown = match raw::promise_state(value) {
            Some(PromiseState::Fulfilled(result)) => self.indented(|this| this.value(&result, level)),
            Some(PromiseState::Rejected(reason)) => {
                let shown = self.indented(|this| this.value(&reason, level));
                format!("{} {shown}", self.paint(Paint::Special, "<rejected>"))
            }
            Some(PromiseState::Pending) | None => self.paint(Paint::Special, "<pending>"),
        };
        vec![shown]
    }
}

impl<'js> Frame<'js> {
    fn unless_bare(self) -> Result<Self, String> {
        if self.keys.is_empty() { Err(self.base) } else { Ok(self) }
    }

    fn unless_empty(self, is_empty: bool) -> Result<Self, String> {
        if is_empty && self.keys.is_empty() { Err(self.open + self.close) } else { Ok(self) }
    }
}

/// Says whether a value is an error to people: one of the engine's, or a `DOMException`.
pub(super) fn is_error<'js>(tools: &Tools<'_, 'js>, value: &Value<'js>) -> bool {
    value.is_error() || tools.is(value, Class::DomException)
}

/// Returns the name of what made an object: `Object` for `{}`, `Foo` for `new Foo()`, none without a prototype.
pub(super) fn constructor_name<'js>(tools: &Tools<'_, 'js>, value: &Value<'js>) -> Option<String> {
    Inspector::new(tools.clone(), InspectOptions::console()).constructor_name(value, 0)
}

/// Says whether a value is the namespace of a module, which the engine has no test for.
///
/// What the guest makes without a prototype is of another class.
pub(super) fn is_namespace<'js>(tools: &Tools<'_, 'js>, value: &Value<'js>) -> bool {
    if !value.is_object() || value.is_proxy() || tools.is(value, Class::Object) || raw::prototype(value).is_some() {
        return false;
    }
    let name: Vec<u16> = "Object".encode_utf16().collect();
    raw::class_name(value).is_ok_and(|class| raw::utf16(&class).is_ok_and(|class| class == name))
}

/// An item of a map or set.
pub(super) enum Item<'js> {
    Value(Value<'js>),
    Entry(Value<'js>, Value<'js>),
}

/// Copies the first items of a map or set out of it; fewer when the engine gives up.
pub(super) fn items<'js>(
    tools: &Tools<'_, 'js>,
    value: &Value<'js>,
    max: usize,
    iterate: Builtin,
    next: Builtin,
) -> Vec<Item<'js>> {
    let data = |object: &Value<'js>, key: Answer<Key<'js>>| raw::own_property(object, &key.ok()?).ok()??.into_data();
    // The iterator, its results and the pairs within are objects that the engine makes anew: what is read of them are
    // their own properties.
    let read = |iterator: &Value<'js>| {
        let result = tools.call(next, iterator, &[]).ok()?;
        if data(&result, tools.text_key("done"))?.as_bool() != Some(false) {
            return None;
        }
        data(&result, tools.text_key("value"))
    };
    let mut items = Vec::new();
    let Ok(iterator) = tools.call(iterate, value, &[]) else { return items };
    while items.len() < max {
        let Some(item) = read(&iterator) else { break };
        if iterate == Builtin::SetValues {
            items.push(Item::Value(item));
            continue;
        }
        let key = data(&item, Key::index(&tools.ctx, 0));
        let entry = data(&item, Key::index(&tools.ctx, 1));
        let (Some(key), Some(entry)) = (key, entry) else { break };
        items.push(Item::Entry(key, entry));
    }
    items
}

/// Returns what is behind a proxy, or behind proxies of proxies; none for a revoked one.
///
/// Behind very many there is still a proxy.
pub(super) fn through_proxies<'js>(value: &Value<'js>) -> Option<Value<'js>> {
    let mut target = value.clone();
    for _ in 0..MAX_PROXIES {
        if !target.is_proxy() {
            break;
        }
        target = raw::proxy_target(&target).ok()?;
    }
    Some(target)
}

/// Returns where the keys that are no indices begin.
pub(super) fn first_name(keys: &Keys<'_>) -> usize {
    partition(keys.len(), |at| index_of(keys, at).is_some())
}

pub(super) fn index_of(keys: &Keys<'_>, at: usize) -> Option<u32> {
    let name = keys.get(at).to_value().ok().filter(|name| name.is_string() && raw::string_len(name) <= 10)?;
    text::array_index(&raw::utf16(&name).ok()?)
}

/// Returns the first place below `len` where a condition that holds at first holds no more.
fn partition(len: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut from, mut to) = (0, len);
    while from < to {
        let middle = from + (to - from) / 2;
        if holds(middle) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    from
}

/// Adds `... 3 more items`, unless there are none.
fn push_more(shown: &mut String, more: usize, noun: &str) {
    if more > 0 {
        let s = if more == 1 { "" } else { "s" };
        *shown += &format!("... {more} more {noun}{s}");
    }
}

/// Returns what stands before the bracket: `Foo(2) [tag] `.
fn prefix(maker: Option<&str>, tag: &str, fallback: &str, size: &str) -> String {
    match maker {
        None if !tag.is_empty() && fallback != tag => format!("[{fallback}{size}: null prototype] [{tag}] "),
        None => format!("[{fallback}{size}: null prototype] "),
        Some(maker) if !tag.is_empty() && maker != tag => format!("{maker}{size} [{tag}] "),
        Some(maker) => format!("{maker}{size} "),
    }
}
