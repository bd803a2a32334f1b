//! How the entries of an object are set: on one line, in columns, or on a line each.

use rquickjs::Value;

use super::{Compact, Inspector};
use crate::engine::raw::{self, Content, Key};
use crate::engine::text;

/// Which way entries are set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Never in columns.
    Object,
    /// In columns when there are more than six.
    Array,
}

/// The entries of an object, ready to be joined.
pub(super) struct Entries<'a, 'js> {
    pub(super) shown: Vec<String>,
    /// The object: columns of numbers are set flush right.
    pub(super) value: Option<&'a Value<'js>>,
}

impl<'js> Inspector<'_, 'js> {
    /// Joins the entries of an object that is `level` levels deep.
    pub(super) fn reduce(
        &mut self,
        mut entries: Entries<'_, 'js>,
        base: &str,
        open: &str,
        close: &str,
        style: Style,
        level: i32,
    ) -> String {
        let count = entries.shown.len();
        let levels = match self.options.compact {
            Compact::Always => return self.close_by(&entries.shown, base, open, close),
            Compact::Levels(levels) => levels,
            Compact::Never => 0,
        };
        if style == Style::Array && count > 6 && levels >= 1 {
            self.group(&mut entries, levels);
        }
        let shown = entries.shown;
        let base_gap = if base.is_empty() { String::new() } else { format!("{base} ") };
        if levels >= 1 && self.deepest - level < levels && count == shown.len() {
            let start = shown.len() + self.indentation + text::len16(open) + text::len16(base) + 10;
            if self.fits(&shown, start, base) && !shown.iter().any(|entry| entry.contains('\n')) {
                return format!("{base_gap}{open} {} {close}", shown.join(", "));
            }
        }
        let indentation = format!("\n{}", " ".repeat(self.indentation));
        self.spent += (shown.len() + 1) * (self.indentation + 3);
        let lines = shown.join(&format!(",{indentation}  "));
        format!("{base_gap}{open}{indentation}  {lines}{indentation}{close}")
    }

    /// Joins entries with the brackets beside them.
    fn close_by(&mut self, shown: &[String], base: &str, open: &str, close: &str) -> String {
        let base_gap = if base.is_empty() { String::new() } else { format!(" {base}") };
        if self.fits(shown, 0, base) {
            return format!("{open}{base_gap} {} {close}", shown.join(", "));
        }
        let indentation = format!("\n{}", " ".repeat(self.indentation));
        self.spent += (shown.len() + 1) * (self.indentation + 3);
        let lines = shown.join(&format!(",{indentation}  "));
        if base.is_empty() && open.len() == 1 {
            return format!("{open} {lines} {close}");
        }
        format!("{open}{base_gap}\n{indentation}  {lines} {close}")
    }

    fn fits(&self, shown: &[String], start: usize, base: &str) -> bool {
        let mut total = shown.len() + start;
        if total + shown.len() > self.options.line_width {
            return false;
        }
        for entry in shown {
            // A text of more bytes than three times the width is too long in any script; colours take as many again.
            if entry.len() / 3 > self.options.line_width && self.palette.is_none() {
                return false;
            }
            total += text::len16(&self.visible(entry));
            if total > self.options.line_width {
                return false;
            }
        }
        !base.contains('\n')
    }

    /// Sets the entries of a long array in columns, if they are of a like width.
    fn group(&mut self, entries: &mut Entries<'_, 'js>, levels: i32) {
        const GAP: usize = 2;
        let shown = &entries.shown;
        // The last one says how many more there are.
        let count = if self.options.max_items < shown.len() { shown.len() - 1 } else { shown.len() };
        let widths: Vec<usize> = shown[..count].iter().map(|entry| text::width(&self.visible(entry))).collect();
        let total: usize = widths.iter().map(|width| width + GAP).sum();
        let widest = widths.iter().copied().max().unwrap_or(0);
        let column = widest + GAP;
        let room = self.options.line_width as f64;
        let is_even = total as f64 / column as f64 > 5.0 || widest <= 6;
        if (column * 3 + self.indentation) as f64 >= room || !is_even {
            return;
        }
        // Ideally a square, of characters that are two and a half times as high as wide.
        let bias = (column as f64 - total as f64 / shown.len() as f64).sqrt();
        let biased = (column as f64 - 3.0 - bias).max(1.0);
        let columns = ((2.5 * biased * count as f64).sqrt() / biased + 0.5)
            .floor()
            .min(((room - self.indentation as f64) / column as f64).floor())
            .min(f64::from(levels) * 4.0)
            .min(15.0) as usize;
        if columns <= 1 {
            return;
        }
        let column_widths: Vec<usize> = (0..columns)
            .map(|column| widths.iter().skip(column).step_by(columns).copied().max().unwrap_or(0) + GAP)
            .collect();
        let flush_right = entries.value.is_none_or(|value| self.are_numbers(value, shown.len()));
        let mut lines = Vec::new();
        for from in (0..count).step_by(columns) {
            let to = count.min(from + columns);
            let mut line = String::new();
            for at in from..to {
                let pad = " ".repeat(column_widths[at - from] - GAP - widths[at]);
                let is_last = at + 1 == to;
                let comma = if is_last { "" } else { ", " };
                if flush_right {
                    line += &format!("{pad}{}{comma}", shown[at]);
                } else {
                    let pad = if is_last { "" } else { &pad };
                    line += &format!("{}{comma}{pad}", shown[at]);
                }
            }
            lines.push(line);
        }
        lines.extend(shown.get(count).cloned());
        entries.shown = lines;
    }

    /// Says whether the first elements of an array are numbers, all of them.
    fn are_numbers(&mut self, value: &Value<'js>, count: usize) -> bool {
        self.tools.charge(count);
        (0..count as u32).all(|index| {
            let element = Key::index(&self.tools.ctx, index).and_then(|key| raw::own_property(value, &key));
            matches!(element, Ok(Some(property))
                if matches!(&property.content, Content::Data(data) if data.is_number() || data.is_big_int()))
        })
    }
}
