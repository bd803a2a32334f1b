//! Standard output and standard error: who may write what, in which form.
//!
//! Lines that scripts read are made here. A reader that goes away (`vm-system template list | head -0`) is no error:
//! what remains is dropped, and the exit code is that of the work. Any other failure to write is one, and is reported
//! at the end by [`Output::finish`].

use std::borrow::Cow;
use std::fmt::Display;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anstyle::{AnsiColor, Style};
use clap::ColorChoice;
use comfy_table::{ContentArrangement, Table, presets};

use crate::error::{Error, Exit};
use crate::json;

/// Good news.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default();
/// Bad news.
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();
/// What to try next.
const HINT: Style = AnsiColor::Cyan.on_default();
/// The heads of tables.
const HEAD: Style = Style::new().bold();
/// What is there for orientation only.
pub(crate) const DIM: Style = Style::new().dimmed();

/// How wide the last column of a table may be on a terminal; in a pipe nothing is ever cut.
const LAST_COLUMN: usize = 60;

/// How wide a page is where there is no terminal.
const PIPE_WIDTH: usize = 80;
/// How narrow and how wide a page may be on a terminal; one that says 0 does not know.
const WIDTHS: (usize, usize) = (40, 100);

/// Both streams, and the form that the caller asked for.
pub(crate) struct Output {
    out: Sink,
    err: Arc<Mutex<Sink>>,
    json: bool,
}

/// Says on standard error what is not the answer, from any thread.
///
/// Under `--json` standard error is for the envelope of an error: then only a person hears it.
#[derive(Clone)]
pub(crate) struct Aside {
    err: Arc<Mutex<Sink>>,
    json: bool,
}

/// One stream.
struct Sink {
    writer: Box<dyn Write + Send>,
    terminal: bool,
    color: bool,
    /// Why writing stopped, if it did.
    failure: Option<io::Error>,
}

/// The members of events and results that show values as trees.
pub(crate) const TREES: &[&str] = &["args", "tree"];

impl Output {
    /// The streams of the process.
    pub(crate) fn standard(json: bool, color: ColorChoice) -> Self {
        let colored = |auto: anstream::ColorChoice| match color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => auto != anstream::ColorChoice::Never,
        };
        let (stdout, stderr) = (io::stdout(), io::stderr());
        Self {
            out: Sink {
                terminal: stdout.is_terminal(),
                color: colored(anstream::AutoStream::choice(&stdout)),
                writer: Box::new(BufWriter::new(stdout)),
                failure: None,
            },
            err: Arc::new(Mutex::new(Sink {
                terminal: stderr.is_terminal(),
                color: colored(anstream::AutoStream::choice(&stderr)),
                writer: Box::new(stderr),
                failure: None,
            })),
            json,
        }
    }

    /// Tells whether the caller wants documents instead of lines.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Tells whether standard output takes colour.
    pub(crate) fn has_color(&self) -> bool {
        self.out.color
    }

    /// Writes a line that is only there for orientation.
    pub(crate) fn dim_line(&mut self, text: &str) {
        let line = self.out.paint(DIM, visible(text));
        self.out.write(&format!("{line}\n"));
        self.out.flush();
    }

    /// Writes one line to standard output.
    ///
    /// Control characters other than the tab are shown as escapes: the text may come from anybody who can reach the
    /// daemon, and must not drive the terminal.
    pub(crate) fn line(&mut self, text: impl Display) {
        let text = text.to_string();
        self.out.write(&visible(&text));
        self.out.write("\n");
    }

    /// Writes `NAME: VALUE`, the value in a style.
    pub(crate) fn styled_field(&mut self, name: &str, value: &str, style: Style) {
        let value = self.out.paint(style, visible(value));
        self.out.write(&format!("{name}: {value}\n"));
    }

    /// Writes `[SEQ] TYPE: PAYLOAD`; of values, what one line can tell.
    pub(crate) fn event(&mut self, seq: u64, kind: &str, payload: &str) {
        let head = self.out.paint(DIM, format_args!("[{seq}] {}:", visible(kind)));
        let payload = json::compact_without(payload, TREES);
        self.out.write(&format!("{head} {}\n", visible(&payload)));
    }

    /// Writes `EXECUTION_ID [SEQ] TYPE: PAYLOAD`, for events of several executions.
    pub(crate) fn event_of(&mut self, execution: &str, seq: u64, kind: &str, payload: &str) {
        let id = self.out.paint(DIM, visible(execution));
        self.out.write(&format!("{id} "));
        self.event(seq, kind, payload);
    }

    /// Writes a text of several lines as it came.
    pub(crate) fn text(&mut self, text: &str) {
        self.out.write(&visible_lines(text));
    }

    /// Writes a page of ours, which has its styles already.
    pub(crate) fn page(&mut self, page: &str) {
        self.out.write(page);
    }

    /// Returns how many columns a page may have: lines that are longer than that are hard to read.
    pub(crate) fn width(&self) -> usize {
        let size = if self.out.terminal { rustix::termios::tcgetwinsize(io::stdout()).ok() } else { None };
        size.map_or(PIPE_WIDTH, |size| usize::from(size.ws_col).clamp(WIDTHS.0, WIDTHS.1))
    }

    /// Writes a document: laid out on a terminal, on one line in a pipe.
    pub(crate) fn json(&mut self, document: &str) {
        self.out.document(document);
    }

    /// Writes a table without lines; columns are as wide as their longest cell, whatever the terminal's width.
    pub(crate) fn table(&mut self, head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        let mut ends = Vec::new();
        let head = head.iter().map(|&cell| cell.to_owned()).collect();
        for mut row in std::iter::once(head).chain(rows) {
            // The last column needs no width, and is the one whose cells may be very long: comfy-table counts widths
            // in 16 bits, and breaks what is longer.
            ends.push(row.pop().unwrap_or_default());
            table.add_row(row.iter().map(|cell| one_line(cell)));
        }
        for column in table.column_iter_mut() {
            column.set_padding((0, 2));
        }
        // Without a first column, there is no table in front of the last one.
        let lines = table.lines().chain(std::iter::repeat(String::new()));
        for (at, (line, end)) in lines.zip(&ends).enumerate() {
            let end = if self.out.terminal { shortened(end) } else { Cow::Borrowed(end.as_str()) };
            let line = format!("{line}{}", one_line(&end));
            match at {
                0 => self.out.write(&self.out.paint(HEAD, line.trim_end())),
                _ => self.out.write(line.trim_end()),
            }
            self.out.write("\n");
        }
    }

    /// Shows what was written so far, to whoever reads along.
    pub(crate) fn flush(&mut self) {
        self.out.flush();
    }

    /// Tells whether nobody reads any more, so that there is no sense in going on.
    pub(crate) fn is_cut(&self) -> bool {
        self.out.failure.is_some()
    }

    /// Writes what a script printed to standard output, as it is and at once.
    pub(crate) fn script_out(&mut self, text: &str) {
        self.out.write(text);
        self.out.flush();
    }

    /// Writes what a script printed to standard error, as it is and at once.
    pub(crate) fn script_err(&mut self, text: &str) {
        locked(&self.err).write(text);
    }

    /// Writes `LEVEL: MESSAGE` to standard error.
    pub(crate) fn note(&mut self, level: &str, style: Style, message: &str) {
        self.out.flush();
        locked(&self.err).note(level, style, message);
    }

    /// Writes what to try next to standard error.
    pub(crate) fn hint(&mut self, message: &str) {
        self.note("hint", HINT, message);
    }

    /// Writes an error and its hint, or its envelope, to standard error.
    pub(crate) fn error(&mut self, error: &Error) {
        self.out.flush();
        let mut err = locked(&self.err);
        if self.json { err.document(&error.envelope()) } else { err.error(error) }
    }

    /// Returns what says things on standard error while the answer is being written.
    pub(crate) fn aside(&self) -> Aside {
        Aside { err: Arc::clone(&self.err), json: self.json }
    }

    /// Flushes, and returns how the program ends: as its work did, unless the answer could not be written.
    pub(crate) fn finish(mut self, exit: Exit) -> Exit {
        self.out.flush();
        match self.out.failure.take() {
            Some(failure) if failure.kind() != ErrorKind::BrokenPipe => {
                self.error(&Error::failed("IO_ERROR", format!("cannot write to standard output: {failure}")));
                if exit == Exit::Done { Exit::Failed } else { exit }
            }
            _ => exit,
        }
    }
}

impl Aside {
    /// Tells whether it is a person who listens.
    pub(crate) fn is_to_a_person(&self) -> bool {
        locked(&self.err).terminal
    }

    /// Goes back to where the line began: a terminal has just written `^C` there.
    pub(crate) fn after_ctrl_c(&self) {
        let mut err = locked(&self.err);
        if err.terminal {
            err.write("\r");
        }
    }

    /// Says what is going on.
    pub(crate) fn info(&self, message: &str) {
        self.say(|err| err.note("info", Style::new(), message));
    }

    /// Says what to try next.
    pub(crate) fn hint(&self, message: &str) {
        self.say(|err| err.note("hint", HINT, message));
    }

    /// Says what went wrong beside the work itself.
    pub(crate) fn error(&self, error: &Error) {
        self.say(|err| err.error(error));
    }

    fn say(&self, write: impl FnOnce(&mut Sink)) {
        let mut err = locked(&self.err);
        if err.terminal || !self.json {
            write(&mut err);
        }
    }
}

/// Returns the stream, also of a thread that has panicked: lines are written whole.
fn locked(sink: &Mutex<Sink>) -> MutexGuard<'_, Sink> {
    sink.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sink {
    fn write(&mut self, text: &str) {
        if self.failure.is_none()
            && let Err(failure) = self.writer.write_all(text.as_bytes())
        {
            self.failure = Some(failure);
        }
    }

    fn flush(&mut self) {
        if self.failure.is_none()
            && let Err(failure) = self.writer.flush()
        {
            self.failure = Some(failure);
        }
    }

    fn note(&mut self, level: &str, style: Style, message: &str) {
        let level = self.paint(style, level);
        self.write(&format!("{level}: {}\n", visible_lines(message)));
    }

    fn error(&mut self, error: &Error) {
        self.note("error", BAD, &format!("{} [{}]", error.message(), error.code()));
        if let Some(hint) = error.next_step() {
            self.note("hint", HINT, hint);
        }
    }

    fn document(&mut self, document: &str) {
        let document = if self.terminal { json::pretty(document) } else { json::compact(document) };
        self.write(&visible_lines(&document));
        self.write("\n");
    }

    fn paint(&self, style: Style, text: impl Display) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_string() }
    }
}

/// Returns the text with control characters, other than the tab, as escapes.
fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, |char| char.is_control() && char != '\t')
}

/// Returns the text with control characters, other than the tab and the line feed, as escapes.
pub(crate) fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |char| char.is_control() && !matches!(char, '\t' | '\n'))
}

/// Returns the text with all control characters as escapes: a cell of a table.
fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, char::is_control)
}

/// JSON has no other escape for control characters than `\uXXXX`, so that documents stay what they were.
fn escaped(text: &str, hide: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&hide) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\n' if hide(char) => shown.push_str("\\n"),
            '\r' if hide(char) => shown.push_str("\\r"),
            '\t' if hide(char) => shown.push_str("\\t"),
            _ if hide(char) => shown.push_str(&format!("\\u{:04x}", u32::from(char))),
            _ => shown.push(char),
        }
    }
    Cow::Owned(shown)
}

fn shortened(cell: &str) -> Cow<'_, str> {
    if cell.chars().count() <= LAST_COLUMN {
        return Cow::Borrowed(cell);
    }
    Cow::Owned(cell.chars().take(LAST_COLUMN - 1).chain(['…']).collect())
}

/// An output that is kept, for tests of commands.
#[cfg(test)]
pub(crate) mod kept {
    use std::sync::{Arc, Mutex};

    use super::{Output, Sink};

    /// Where the text went.
    #[derive(Clone, Default)]
    pub(crate) struct Kept(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().expect("no writer panics").extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl Kept {
        /// Returns what was written so far.
        pub(crate) fn text(&self) -> String {
            String::from_utf8(self.0.lock().expect("no writer panics").clone()).expect("text is written")
        }
    }

    /// An output, and what it writes to standard output and to standard error.
    pub(crate) fn output(json: bool, terminal: bool) -> (Output, Kept, Kept) {
        let (out, err) = (Kept::default(), Kept::default());
        let sink = |kept: &Kept| Sink { writer: Box::new(kept.clone()), terminal, color: terminal, failure: None };
        (Output { out: sink(&out), err: Arc::new(Mutex::new(sink(&err))), json }, out, err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails every write in one way.
    struct Broken(ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_goes_away_is_no_error() {
        for (kind, exit, after) in [
            (ErrorKind::BrokenPipe, Exit::Done, Exit::Done),
            (ErrorKind::BrokenPipe, Exit::ExecutionFailed, Exit::ExecutionFailed),
            (ErrorKind::StorageFull, Exit::Done, Exit::Failed),
            (ErrorKind::StorageFull, Exit::ExecutionFailed, Exit::ExecutionFailed),
        ] {
            let (mut out, _, err) = kept::output(false, false);
            out.out.writer = Box::new(Broken(kind));
            out.line("x");
            assert_eq!(out.finish(exit), after);
            assert_eq!(err.text().contains("cannot write"), kind == ErrorKind::StorageFull, "{}", err.text());
        }
    }

    #[test]
    fn tables_are_plain_and_whole_in_a_pipe() {
        let (mut out, text, _) = kept::output(false, false);
        let long = "x".repeat(100_000);
        out.table(
            &["ID", "NAME"],
            [vec!["1".to_owned(), long.clone()], vec!["22".to_owned(), "a\nb\u{1b}".to_owned()]],
        );
        assert_eq!(text.text(), format!("ID  NAME\n1   {long}\n22  a\\nb\\u001b\n"));
    }

    #[test]
    fn one_column_is_a_table_too() {
        let (mut out, text, _) = kept::output(false, false);
        out.table(&["NAME"], [vec!["a".to_owned()], vec!["b".to_owned()]]);
        assert_eq!(text.text(), "NAME\na\nb\n");
    }

    #[test]
    fn only_the_last_column_is_cut_and_only_on_a_terminal() {
        let (mut out, text, _) = kept::output(false, true);
        out.table(&["ID", "INPUT"], [vec!["y".repeat(100), "x".repeat(100)]]);
        let text = text.text();
        assert!(text.contains(&"y".repeat(100)), "{text}");
        assert!(text.contains(&format!("  {}…\n", "x".repeat(59))), "{text}");
        assert!(text.starts_with("\u{1b}[1mID"), "{text:?}");
    }

    #[test]
    fn errors_go_to_standard_error_with_code_and_hint() {
        let error = Error::usage("no\u{1b}[2J such\nthing").hint("try this");
        let (mut out, text, err) = kept::output(false, false);
        out.error(&error);
        assert_eq!(err.text(), "error: no\\u001b[2J such\nthing [USAGE]\nhint: try this\n");
        assert_eq!(text.text(), "");

        let (mut out, _, err) = kept::output(true, false);
        out.error(&Error::usage("why"));
        assert_eq!(err.text(), "{\"error\":{\"code\":\"USAGE\",\"message\":\"why\"}}\n");
    }

    #[test]
    fn what_is_said_aside_is_not_for_programs_that_read_envelopes() {
        for (json, terminal, said) in
            [(false, false, true), (false, true, true), (true, true, true), (true, false, false)]
        {
            let (out, text, err) = kept::output(json, terminal);
            let aside = out.aside();
            aside.info("so it is");
            aside.hint("do that");
            aside.error(&Error::usage("why"));
            assert_eq!(err.text().contains("so it is") && err.text().contains("why"), said, "{json} {terminal}");
            assert_eq!((err.text().is_empty(), text.text().as_str()), (!said, ""));
        }
    }

    #[test]
    fn documents_are_laid_out_on_a_terminal_only() {
        let (mut out, text, _) = kept::output(true, false);
        out.json("{ \"a\": [1] }");
        assert_eq!(text.text(), "{\"a\":[1]}\n");
        let (mut out, text, _) = kept::output(true, true);
        out.json("{\"a\":[1]}");
        assert_eq!(text.text(), "{\n  \"a\": [\n    1\n  ]\n}\n");
    }

    #[test]
    fn what_a_script_prints_is_left_alone() {
        let (mut out, text, err) = kept::output(false, false);
        out.script_out("\u{1b}[31mred\u{1b}[0m\r\n");
        out.script_err("\u{7}");
        assert_eq!((text.text().as_str(), err.text().as_str()), ("\u{1b}[31mred\u{1b}[0m\r\n", "\u{7}"));
    }
}
