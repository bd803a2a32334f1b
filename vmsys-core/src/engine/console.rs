//! What `console.log` and `console.table` write, as text: Node's `util.format` and its tables.
//!
//! As everywhere here no guest code runs, so that `%s` of an object that has a `toString` of its own shows the object.

use rquickjs::{Ctx, Value};

use super::inspect::{InspectOptions, Item, items, show, through_proxies};
use super::intrinsics::{Builtin, Class, Intrinsics, Quiet, Tools};
use super::json::{self, NotJson, Rules};
use super::raw::{self, Content, Key, Keys, Known, Listing, Slot};
use super::text;

/// Formats the arguments of `console.log`: the first may hold `%s %d %i %f %j %o %O %c %%`.
pub(crate) fn format_log<'js>(
    ctx: &Ctx<'js>,
    args: &[Value<'js>],
    intrinsics: &Intrinsics,
    options: &InspectOptions,
) -> String {
    let tools = Tools::new(ctx, intrinsics);
    let quiet = Quiet::new(&tools);
    let mut log = Log { tools: &tools, options, out: String::new(), is_quiet: quiet.is_ok() };
    let rest = match args {
        [first, rest @ ..] if first.is_string() && !rest.is_empty() => log.template(first, rest),
        _ => args,
    };
    let mut is_first = log.out.is_empty() && rest.len() == args.len();
    for value in rest {
        if log.is_full() {
            break;
        }
        if !is_first {
            log.out.push(' ');
        }
        is_first = false;
        let shown = log.plain(value);
        log.out.push_str(&shown);
    }
    text::truncate(&mut log.out, options.max_bytes);
    log.out
}

struct Log<'a, 'b, 'js> {
    tools: &'a Tools<'b, 'js>,
    options: &'a InspectOptions,
    out: String,
    /// Whether the engine's own errors are safe to make: without that only primitives are shown.
    is_quiet: bool,
}

impl<'js> Log<'_, '_, 'js> {
    fn is_full(&self) -> bool {
        self.out.len() > self.options.max_bytes
    }

    fn plain(&self, value: &Value<'js>) -> String {
        let options = InspectOptions { quote_top_level_string: false, ..*self.options };
        show(self.tools, value, &options)
    }

    fn object(&self, value: &Value<'js>, options: InspectOptions) -> String {
        let max_top_level_string = options.max_string;
        show(self.tools, value, &InspectOptions { quote_top_level_string: true, max_top_level_string, ..options })
    }

    /// Writes a text with its placeholders filled, and returns the arguments that it had no place for.
    fn template<'v>(&mut self, first: &Value<'js>, mut rest: &'v [Value<'js>]) -> &'v [Value<'js>] {
        let max = self.options.max_top_level_string.min(self.options.max_bytes.saturating_add(1));
        let Ok((units, _)) = self.tools.units(first, max) else { return rest };
        let percent = u16::from(b'%');
        // What stands between placeholders is decoded in one piece: a surrogate pair is never cut.
        let mut from = 0;
        let mut at = 0;
        while at + 1 < units.len() && !self.is_full() {
            if units[at] != percent {
                at += 1;
                continue;
            }
            let verb = u8::try_from(units[at + 1]).map_or('\0', char::from);
            let filled = match (verb, rest) {
                ('%', _) => Some("%".to_owned()),
                (_, [value, after @ ..]) => {
                    let filled = self.filled(verb, value);
                    if filled.is_some() {
                        rest = after;
                    }
                    filled
                }
                (_, []) => None,
            };
            if let Some(filled) = filled {
                self.out.push_str(&text::lossy(&units[from..at]));
                self.out.push_str(&filled);
                from = at + 2;
            }
            at += 2;
        }
        self.out.push_str(&text::lossy(&units[from..]));
        rest
    }

    /// Returns what a placeholder becomes; none if it is no placeholder.
    fn filled(&self, verb: char, value: &Value<'js>) -> Option<String> {
        Some(match verb {
            's' => self.as_text(value),
            'd' => self.as_number(value, Builtin::ToNumber),
            'i' => self.as_number(value, Builtin::ParseInt),
            'f' => self.as_number(value, Builtin::ParseFloat),
            'j' => self.as_json(value),
            'O' => self.object(value, *self.options),
            'o' => {
                self.object(value, InspectOptions { show_hidden: true, show_proxy: true, depth: 4, ..*self.options })
            }
            'c' => String::new(),
            _ => return None,
        })
    }

    fn as_text(&self, value: &Value<'js>) -> String {
        if value.is_function() && !value.is_proxy() {
            return self.function_text(value);
        }
        if value.is_object() {
            return self.object(value, InspectOptions { depth: 0, ..*self.options });
        }
        self.plain(value)
    }

    /// Returns a function's source.
    fn function_text(&self, value: &Value<'js>) -> String {
        let kinds =
            [Class::BytecodeFunction, Class::GeneratorFunction, Class::AsyncFunction, Class::AsyncGeneratorFunction];
        // For a function without source the engine reads `name`, which must not be a getter then.
        let name = raw::own_property(value, &Key::known(&self.tools.ctx, Known::Name));
        let is_safe = name
            .is_ok_and(|name| name.is_some_and(|name| matches!(name.content, Content::Data(name) if name.is_string())));
        let has_source = kinds.into_iter().any(|kind| self.tools.is(value, kind));
        let source = (is_safe && has_source).then(|| self.tools.call(Builtin::FunctionText, value, &[]));
        match source {
            Some(Ok(source)) => self.plain(&source),
            _ => self.object(value, InspectOptions { depth: 0, ..*self.options }),
        }
    }

    fn as_number(&self, value: &Value<'js>, convert: Builtin) -> String {
        if value.is_object() || value.is_symbol() {
            return "NaN".to_owned();
        }
        if value.is_big_int() && convert != Builtin::ParseFloat {
            return self.plain(value);
        }
        // The same number as by way of the decimal text, which takes quadratic time.
        let convert = if value.is_big_int() { Builtin::ToNumber } else { convert };
        // Very long texts are no numbers that anybody wants to read, and the engine would copy them.
        const MAX_TEXT: usize = 4096;
        if value.is_string() && raw::string_len(value) > MAX_TEXT {
            return "NaN".to_owned();
        }
        let nothing = Value::new_undefined(self.tools.ctx.clone());
        let number = self.tools.call(convert, &nothing, std::slice::from_ref(value));
        let number = number.ok().and_then(|number| number.as_number());
        number.map_or_else(|| "NaN".to_owned(), text::shown_number)
    }

    fn as_json(&self, value: &Value<'js>) -> String {
        if value.is_object() && !self.is_quiet {
            return "…".to_owned();
        }
        match json::write(self.tools, value, Rules::Stringify, self.options.max_bytes) {
            Ok(json) => json,
            Err(NotJson::Circular) => "[Circular]".to_owned(),
            Err(NotJson::Unsuitable) => "undefined".to_owned(),
            Err(NotJson::TooLarge) => self.object(value, *self.options),
        }
    }
}

/// How many rows and columns of a table are drawn.
const MAX_ROWS: usize = 1000;
const MAX_COLUMNS: usize = 100;

/// Draws `console.table(data, columns)`.
///
/// Returns none when the data is no object: Node logs it then. `columns` is an array of names, or none.
pub(crate) fn format_table<'js>(
    ctx: &Ctx<'js>,
    data: &Value<'js>,
    columns: Option<&Value<'js>>,
    intrinsics: &Intrinsics,
) -> Option<String> {
    let tools = Tools::new(ctx, intrinsics);
    if !data.is_object() || data.is_function() {
        return None;
    }
    let _quiet = Quiet::new(&tools).ok()?;
    let data = through_proxies(data).filter(|data| !data.is_proxy())?;
    let mut table = Table { tools: &tools, spent: 0 };
    let drawn = if raw::has_slot(&data, Slot::Map) {
        table.of_map(&data)
    } else if raw::has_slot(&data, Slot::Set) {
        table.of_set(&data)
    } else {
        table.of_rows(&data, columns)
    };
    Some(drawn)
}

struct Table<'a, 'b, 'js> {
    tools: &'a Tools<'b, 'js>,
    spent: usize,
}

/// A column: its heading and its cells, of which there may be fewer than rows.
struct Column {
    heading: String,
    cells: Vec<String>,
}

impl<'js> Table<'_, '_, 'js> {
    fn of_map(&mut self, data: &Value<'js>) -> String {
        let items = items(self.tools, data, MAX_ROWS, Builtin::MapEntries, Builtin::MapNext);
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        for item in &items {
            let Item::Entry(key, value) = item else { continue };
            keys.push(self.cell(key));
            values.push(self.cell(value));
        }
        draw(vec![
            Column { heading: "(iteration index)".to_owned(), cells: indices(keys.len()) },
            Column { heading: "Key".to_owned(), cells: keys },
            Column { heading: "Values".to_owned(), cells: values },
        ])
    }

    fn of_set(&mut self, data: &Value<'js>) -> String {
        let items = items(self.tools, data, MAX_ROWS, Builtin::SetValues, Builtin::SetNext);
        let mut values = Vec::new();
        for item in &items {
            let Item::Value(value) = item else { continue };
            values.push(self.cell(value));
        }
        draw(vec![
            Column { heading: "(iteration index)".to_owned(), cells: indices(values.len()) },
            Column { heading: "Values".to_owned(), cells: values },
        ])
    }

    fn of_rows(&mut self, data: &Value<'js>, columns: Option<&Value<'js>>) -> String {
        let wanted = columns.map(|columns| self.wanted(columns));
        let mut rows = Vec::new();
        let mut names: Vec<(Key<'js>, Column)> = Vec::new();
        let mut values: Vec<String> = Vec::new();
        let mut has_primitives = false;
        for (row, (name, content)) in self.entries(data, MAX_ROWS).into_iter().enumerate() {
            rows.push(name);
            let item = match content {
                Content::Data(item) => item,
                Content::Accessor { .. } => {
                    has_primitives = true;
                    put(&mut values, row, "[Getter]".to_owned());
                    continue;
                }
            };
            if !item.is_object() && wanted.is_none() {
                has_primitives = true;
                let cell = self.cell(&item);
                put(&mut values, row, cell);
                continue;
            }
            let item = through_proxies(&item).unwrap_or_else(|| Value::new_undefined(self.tools.ctx.clone()));
            let keys = wanted.clone().unwrap_or_else(|| self.keys(&item, MAX_COLUMNS));
            for key in keys {
                let at = match names.iter().position(|(known, _)| *known == key) {
                    Some(at) => at,
                    None if names.len() >= MAX_COLUMNS => continue,
                    None => {
                        let heading = self.key_text(&key);
                        names.push((key.clone(), Column { heading, cells: Vec::new() }));
                        names.len() - 1
                    }
                };
                let cell = match raw::own_property(&item, &key).ok().flatten().map(|found| found.content) {
                    Some(Content::Data(value)) => self.cell(&value),
                    Some(Content::Accessor { .. }) => "[Getter]".to_owned(),
                    None => String::new(),
                };
                put(&mut names[at].1.cells, row, cell);
            }
        }
        // As the keys of any object: indices first, in their order.
        let index = |column: &Column| text::array_index(&column.heading.encode_utf16().collect::<Vec<_>>());
        names.sort_by_key(|(_, column)| index(column).map_or(u64::MAX, u64::from));
        let mut all = vec![Column { heading: "(index)".to_owned(), cells: rows }];
        all.extend(names.into_iter().map(|(_, column)| column));
        if has_primitives {
            all.push(Column { heading: "Values".to_owned(), cells: values });
        }
        draw(all)
    }

    /// Reads the names of the columns that were asked for.
    fn wanted(&self, columns: &Value<'js>) -> Vec<Key<'js>> {
        let Some(columns) = through_proxies(columns) else { return Vec::new() };
        let mut wanted: Vec<Key<'js>> = Vec::new();
        for (_, content) in self.entries(&columns, MAX_COLUMNS) {
            let Content::Data(name) = content else { continue };
            let name = match name.as_number() {
                Some(number) => text::number(number),
                None if name.is_string() => self.plain(&name),
                None => continue,
            };
            if let Ok(key) = self.tools.text_key(&name)
                && !wanted.contains(&key)
            {
                wanted.push(key);
            }
        }
        wanted
    }

    /// Returns the first enumerable string keys of an object.
    ///
    /// Of a long array these are its first indices: listing all of them would cost as much as the array.
    fn keys(&self, value: &Value<'js>, max: usize) -> Vec<Key<'js>> {
        const MAX_LISTED: u32 = 1 << 16;
        let has = |index| {
            Key::index(&self.tools.ctx, index).and_then(|key| raw::own_property(value, &key)).is_ok_and(|p| p.is_some())
        };
        let is_indexed = value.is_array() || raw::typed_array_kind(value).is_some();
        if is_indexed && has(MAX_LISTED) {
            let indices = (0..max as u32).filter(|index| has(*index));
            return indices.filter_map(|index| Key::index(&self.tools.ctx, index).ok()).collect();
        }
        if self.tools.is_exhausted() {
            return Vec::new();
        }
        let Ok(keys) = Keys::of(value, Listing::All) else { return Vec::new() };
        self.tools.charge(keys.len() / 2 + 1);
        let is_name = |key: &Key<'js>| key.to_value().is_ok_and(|name| name.is_string());
        let shown = (0..keys.len()).filter(|at| keys.is_enumerable(*at));
        shown.map(|at| keys.get(at)).filter(is_name).take(max).collect()
    }

    /// Returns the first enumerable properties of an object, with their names.
    fn entries(&self, value: &Value<'js>, max: usize) -> Vec<(String, Content<'js>)> {
        let read = |key: Key<'js>| {
            let property = raw::own_property(value, &key).ok()??;
            Some((self.key_text(&key), property.content))
        };
        self.keys(value, max).into_iter().filter_map(read).collect()
    }

    fn key_text(&self, key: &Key<'js>) -> String {
        key.to_value().map(|name| self.plain(&name)).unwrap_or_default()
    }

    fn plain(&self, value: &Value<'js>) -> String {
        const MAX: usize = 1000;
        show(self.tools, value, &InspectOptions { max_top_level_string: MAX, ..InspectOptions::console() })
    }

    fn cell(&mut self, value: &Value<'js>) -> String {
        const MAX_CELL: usize = 4096;
        const MAX_CELLS: usize = 1 << 20;
        if self.spent > MAX_CELLS {
            return "…".to_owned();
        }
        let is_wide = through_proxies(value).is_some_and(|value| {
            value.is_object() && !value.is_function() && !value.is_array() && self.keys(&value, 3).len() > 2
        });
        let options = InspectOptions {
            depth: if is_wide { -1 } else { 0 },
            max_items: 3,
            max_string: 1000,
            max_top_level_string: 1000,
            max_bytes: MAX_CELL,
            line_width: usize::MAX,
            quote_top_level_string: true,
            ..InspectOptions::console()
        };
        let cell = show(self.tools, value, &options);
        self.spent += cell.len() + 1;
        cell
    }
}

fn indices(count: usize) -> Vec<String> {
    (0..count).map(|index| index.to_string()).collect()
}

fn put(cells: &mut Vec<String>, row: usize, cell: String) {
    cells.resize(row.max(cells.len()), String::new());
    cells.push(cell);
}

/// Draws columns between lines.
fn draw(columns: Vec<Column>) -> String {
    let rows = columns.iter().map(|column| column.cells.len()).max().unwrap_or(0);
    let widths: Vec<usize> = columns
        .iter()
        .map(|column| {
            let cells = column.cells.iter().map(|cell| text::width(cell));
            cells.max().unwrap_or(0).max(text::width(&column.heading))
        })
        .collect();
    let line = |left: &str, middle: &str, right: &str| {
        let dashes: Vec<String> = widths.iter().map(|width| "─".repeat(width + 2)).collect();
        format!("{left}{}{right}", dashes.join(middle))
    };
    let row = |cell: &dyn Fn(&Column) -> String| {
        let cells: Vec<String> = columns
            .iter()
            .zip(&widths)
            .map(|(column, width)| {
                let cell = cell(column);
                let pad = " ".repeat(width - text::width(&cell));
                format!("{cell}{pad}")
            })
            .collect();
        format!("│ {} │", cells.join(" │ "))
    };
    let mut lines = vec![line("┌", "┬", "┐"), row(&|column| column.heading.clone()), line("├", "┼", "┤")];
    lines.extend((0..rows).map(|at| row(&|column| column.cells.get(at).cloned().unwrap_or_default())));
    lines.push(line("└", "┴", "┘"));
    lines.join("\n")
}

#[cfg(test)]
mod cases;

#[cfg(test)]
mod tests {
    use super::cases::{LOGS, TABLES};
    use super::*;
    use crate::engine::inspect::tests::{eval, with_realm};

    fn log<'js>(ctx: &Ctx<'js>, intrinsics: &Intrinsics, args: &str) -> String {
        let args: Vec<Value<'js>> = eval(ctx, args).get().expect("an array");
        format_log(ctx, &args, intrinsics, &InspectOptions::console())
    }

    #[test]
    fn logs_read_as_in_node() {
        with_realm(|ctx, intrinsics| {
            ctx.eval::<(), _>("Error.stackTraceLimit = 0").expect("set");
            for (args, expected) in LOGS {
                assert_eq!(log(ctx, intrinsics, args), *expected, "{args}");
            }
        });
    }

    #[test]
    fn tables_read_as_in_node() {
        with_realm(|ctx, intrinsics| {
            for (args, expected) in TABLES {
                let values: Vec<Value<'_>> = eval(ctx, args).get().expect("an array");
                let drawn = format_table(ctx, &values[0], values.get(1), intrinsics);
                let drawn = drawn.unwrap_or_else(|| log(ctx, intrinsics, args));
                assert_eq!(drawn, *expected, "{args}");
            }
        });
    }

    #[test]
    fn logs_differ_from_node_where_guest_code_would_run() {
        with_realm(|ctx, intrinsics| {
            for (args, expected) in [
                // Node calls these.
                ("['%s', new (class Foo { toString() { return 'mine' } })]", "Foo {}"),
                ("['%d', {valueOf() { return 1 }}]", "NaN"),
                ("['%j', {toJSON() { return 1 }, a: 1}]", r#"{"a":1}"#),
                ("['%j', {get a() { return 1 }, b: 2}]", r#"{"b":2}"#),
                // Node converts these too, by way of what the guest may replace.
                ("['%d', []]", "NaN"),
                ("['%d', new Date(5)]", "NaN"),
                // Node throws.
                ("['%j', 10n]", r#""10""#),
                ("['%d', '1'.repeat(5000)]", "NaN"),
            ] {
                assert_eq!(log(ctx, intrinsics, args), expected, "{args}");
            }
        });
    }

    #[test]
    fn logs_are_bounded() {
        with_realm(|ctx, intrinsics| {
            let long = log(ctx, intrinsics, "Array(100_000).fill('x'.repeat(1000))");
            assert!(long.len() <= InspectOptions::console().max_bytes + '…'.len_utf8(), "{}", long.len());
            assert!(long.ends_with('…'));
            let whole = log(ctx, intrinsics, "['x'.repeat(100_000)]");
            assert_eq!(whole.len(), 100_000);
        });
    }
}
