//! Markdown for a terminal, and without a colour for whatever else reads it.
//!
//! Only what our own pages have is known: headings, paragraphs, lists, blocks of code, tables, and words in bold or code.
//! Without colour the signs of Markdown stay where nothing else would tell a heading or code from text.

use anstyle::{AnsiColor, Style};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

const HEADING: Style = Style::new().bold();
const TITLE: Style = Style::new().bold().underline();
const CODE: Style = AnsiColor::Cyan.on_default();

/// How far blocks of code stand in.
const CODE_INDENT: usize = 4;
/// How narrow the last column of a table may become before its lines are rather too long.
const NARROWEST: usize = 20;

/// What a page is made for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// How many columns there are. Code is never broken.
    pub(crate) width: usize,
    /// Whether there are styles.
    pub(crate) color: bool,
}

/// Lays out a page.
pub(crate) fn render(markdown: &str, look: Look) -> String {
    let mut printer = Printer { look, ..Printer::default() };
    for event in Parser::new_ext(markdown, Options::ENABLE_TABLES) {
        printer.event(event);
    }
    printer.page
}

impl Default for Look {
    fn default() -> Self {
        Self { width: 80, color: false }
    }
}

/// A part of a word, in one style.
type Piece = (Style, String);

/// What is between two spaces.
#[derive(Debug, Clone, Default)]
struct Word(Vec<Piece>);

/// A text of words, to be broken into lines.
#[derive(Debug, Clone, Default)]
struct Flow {
    words: Vec<Word>,
    /// Whether what comes next belongs to the last word.
    is_open: bool,
}

#[derive(Default)]
struct Printer {
    look: Look,
    page: String,
    flow: Flow,
    styles: Vec<Style>,
    /// The number of the next item of each list around, or `None` for a dash.
    lists: Vec<Option<u64>>,
    /// What the next line begins with, when it is the first of an item.
    bullet: Option<String>,
    /// The code that is being collected.
    code: Option<String>,
    table: Vec<Vec<Flow>>,
}

impl Printer {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(&tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some(code) => code.push_str(&text),
                None => self.flow.add(&text, self.style()),
            },
            Event::Code(code) if self.look.color => self.flow.add(&code, CODE),
            Event::Code(code) => self.flow.add(&format!("`{code}`"), Style::new()),
            Event::SoftBreak | Event::HardBreak => self.flow.add(" ", Style::new()),
            // Nothing of this is on our pages; what would be is at least not lost.
            Event::Html(text) | Event::InlineHtml(text) => self.flow.add(&text, self.style()),
            _ => {}
        }
    }

    fn start(&mut self, tag: &Tag<'_>) {
        match tag {
            Tag::Heading { level: HeadingLevel::H1, .. } => self.styles.push(TITLE),
            Tag::Heading { .. } => self.styles.push(HEADING),
            Tag::Strong => self.styles.push(Style::new().bold()),
            Tag::Emphasis => self.styles.push(Style::new().italic()),
            Tag::List(first) => {
                self.flush();
                if self.lists.is_empty() {
                    self.gap();
                }
                self.lists.push(*first);
            }
            Tag::Item => {
                self.bullet = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "- ".to_owned(),
                });
            }
            Tag::CodeBlock(_) => {
                self.flush();
                self.code = Some(String::new());
            }
            Tag::TableHead => {
                self.table.push(Vec::new());
                self.styles.push(HEADING);
            }
            Tag::TableRow => self.table.push(Vec::new()),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => {
                self.styles.pop();
                self.heading(level);
            }
            TagEnd::Strong | TagEnd::Emphasis => {
                self.styles.pop();
            }
            TagEnd::Paragraph => {
                if self.bullet.is_none() {
                    self.gap();
                }
                self.flush();
            }
            TagEnd::Item => {
                self.flush();
                self.bullet = None;
            }
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::CodeBlock => {
                self.gap();
                let indent = self.indent() + CODE_INDENT;
                for line in self.code.take().unwrap_or_default().lines() {
                    let line = self.painted(CODE, line);
                    self.page.push_str(format!("{:indent$}{line}", "").trim_end());
                    self.page.push('\n');
                }
            }
            TagEnd::TableHead => {
                self.styles.pop();
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.flow);
                self.table.last_mut().into_iter().for_each(|row| row.push(cell.clone()));
            }
            TagEnd::Table => self.finish_table(),
            _ => {}
        }
    }

    fn heading(&mut self, level: HeadingLevel) {
        self.gap();
        let flow = std::mem::take(&mut self.flow);
        let text = flow.lines(usize::MAX).first().map(|line| self.line(line)).unwrap_or_default();
        let sign = match level {
            HeadingLevel::H1 => Some('='),
            HeadingLevel::H2 => Some('-'),
            _ => None,
        };
        match sign {
            _ if self.look.color => self.page.push_str(&text),
            Some(sign) => self.page.push_str(&format!("{text}\n{}", sign.to_string().repeat(text.chars().count()))),
            None => self.page.push_str(&format!("### {text}")),
        }
        self.page.push('\n');
    }

    fn finish_table(&mut self) {
        self.gap();
        let table = std::mem::take(&mut self.table);
        let columns = table.iter().map(Vec::len).max().unwrap_or_default();
        let widths: Vec<usize> = (0..columns)
            .map(|column| table.iter().filter_map(|row| row.get(column)).map(Flow::width).max().unwrap_or_default())
            .collect();
        let before_last = widths.iter().rev().skip(1).map(|width| width + 2).sum::<usize>();
        let last = self.look.width.saturating_sub(before_last).max(NARROWEST);
        for (number, row) in table.iter().enumerate() {
            let mut line = String::new();
            for (column, cell) in row.iter().enumerate() {
                if column + 1 < columns {
                    let text = cell.lines(usize::MAX).first().map(|words| self.line(words)).unwrap_or_default();
                    let pad = widths[column] - cell.width() + 2;
                    line.push_str(&format!("{text}{:pad$}", ""));
                    continue;
                }
                for (at, words) in cell.lines(last).iter().enumerate() {
                    if at > 0 {
                        line.push_str(&format!("\n{:before_last$}", ""));
                    }
                    line.push_str(&self.line(words));
                }
            }
            self.page.push_str(line.trim_end());
            self.page.push('\n');
            if number == 0 && !self.look.color {
                let signs: Vec<String> = widths.iter().map(|width| "-".repeat((*width).min(last))).collect();
                self.page.push_str(&format!("{}\n", signs.join("  ")));
            }
        }
    }

    /// Writes the words that were collected.
    fn flush(&mut self) {
        let flow = std::mem::take(&mut self.flow);
        if flow.words.is_empty() {
            return;
        }
        let indent = self.indent();
        let bullet = self.bullet.take();
        let width = self.look.width.saturating_sub(indent);
        for (number, words) in flow.lines(width).iter().enumerate() {
            let line = self.line(words);
            match &bullet {
                Some(bullet) if number == 0 => {
                    let outer = indent.saturating_sub(bullet.len());
                    self.page.push_str(&format!("{:outer$}{bullet}{line}\n", ""));
                }
                _ => self.page.push_str(&format!("{:indent$}{line}\n", "")),
            }
        }
    }

    /// Leaves a line empty between two blocks.
    fn gap(&mut self) {
        if !self.page.is_empty() && !self.page.ends_with("\n\n") {
            self.page.push('\n');
        }
    }

    /// How far the items of the lists around stand in.
    fn indent(&self) -> usize {
        self.lists.iter().map(|list| if list.is_some() { 3 } else { 2 }).sum()
    }

    fn style(&self) -> Style {
        self.styles.last().copied().unwrap_or_default()
    }

    fn line(&self, words: &[Word]) -> String {
        // What has one style is painted as one: an underline goes on between words.
        let mut runs: Vec<Piece> = Vec::new();
        for (number, word) in words.iter().enumerate() {
            for (at, (style, text)) in word.0.iter().enumerate() {
                let last = runs.last().map(|(style, _)| *style);
                if number > 0 && at == 0 {
                    append(&mut runs, if last == Some(*style) { *style } else { Style::new() }, " ");
                }
                append(&mut runs, *style, text);
            }
        }
        runs.iter().map(|(style, text)| self.painted(*style, text)).collect()
    }

    fn painted(&self, style: Style, text: &str) -> String {
        if self.look.color && !style.is_plain() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

fn append(runs: &mut Vec<Piece>, style: Style, text: &str) {
    match runs.last_mut() {
        Some((last, run)) if *last == style => run.push_str(text),
        _ => runs.push((style, text.to_owned())),
    }
}

impl Word {
    fn width(&self) -> usize {
        self.0.iter().map(|(_, text)| text.chars().count()).sum()
    }
}

impl Flow {
    fn add(&mut self, text: &str, style: Style) {
        for (number, part) in text.split(char::is_whitespace).enumerate() {
            self.is_open &= number == 0;
            if part.is_empty() {
                continue;
            }
            if !self.is_open {
                self.words.push(Word::default());
            }
            self.words.last_mut().into_iter().for_each(|word| word.0.push((style, part.to_owned())));
            self.is_open = true;
        }
    }

    fn width(&self) -> usize {
        self.words.iter().map(|word| word.width() + 1).sum::<usize>().saturating_sub(1)
    }

    /// Breaks the text into lines of at most a width, as far as words allow it.
    fn lines(&self, room: usize) -> Vec<&[Word]> {
        let (mut lines, mut start, mut used) = (Vec::new(), 0, 0);
        for (at, word) in self.words.iter().enumerate() {
            let width = word.width();
            if at > start && used + 1 + width > room {
                lines.push(&self.words[start..at]);
                (start, used) = (at, width);
            } else {
                used += width + usize::from(at > start);
            }
        }
        if start < self.words.len() {
            lines.push(&self.words[start..]);
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(markdown: &str, width: usize) -> String {
        render(markdown, Look { width, color: false })
    }

    #[test]
    fn pages_read_as_text_where_there_is_no_colour() {
        for (markdown, page) in [
            ("# A `b` c\n\n## D\n\n### E", "A `b` c\n=======\n\nD\n-\n\n### E\n"),
            ("one two\nthree **four**five", "one two\nthree\nfourfive\n"),
            ("- a\n- b c d e f g h\n  - x", "- a\n- b c d\n  e f g\n  h\n  - x\n"),
            ("1. a\n2. b", "1. a\n2. b\n"),
            (
                "x:\n\n```sh\nlonger than a line | wc\n\n  in\n```\ny",
                "x:\n\n    longer than a line | wc\n\n      in\n\ny\n",
            ),
            ("a [link](http://example.com) b", "a link b\n"),
            ("\\<x\\> \\_\\_y\\_\\_", "<x>\n__y__\n"),
        ] {
            assert_eq!(plain(markdown, 8), page, "{markdown}");
        }
        let table = "| a | b |\n| --- | --- |\n| `xy` | one two three four five six |\n";
        assert_eq!(plain(table, 10), "a     b\n----  --------------------\n`xy`  one two three four\n      five six\n");
    }

    #[test]
    fn a_terminal_sees_styles_and_no_signs() {
        let page = render("# A d\n\n`b` **c**", Look { width: 80, color: true });
        assert_eq!(
            page,
            format!("{TITLE}A d{TITLE:#}\n\n{CODE}b{CODE:#} {bold}c{bold:#}\n", bold = Style::new().bold())
        );
    }
}
