//! Refuses texts that are nested too deeply for the parser's stack.
//!
//! The parser calls itself for every bracket, for every operator that takes what follows it (`!`, `=>`, `?`, `typeof`),
//! for every `else if`. It has no limit of its own, and a stack that is used up ends the process. So the text is read
//! here first, without recursion, token by token, and it is counted how many such constructs are open at once, at most.
//!
//! *Never too few* is what counts: a count is taken back only where no construct can still be open, whatever the text
//! is, or else the parser stops there as well. *Too many* is cheap: real code is far below the limit.
//! What cannot be told without parsing is whether `/` begins a regular expression, and hence where strings begin; where
//! what stands before leaves it open, both readings are followed, and one is dropped when it ends in nonsense.
//!
//! What each construct needs is measured by the tests, which also run all of them at the limit. The rejected
//! alternatives: a parser that grows its stack on the heap (no bound then; and its tree is dropped by recursion, too), a
//! thread for parsing whose stack is enough for anything (`(` costs more than 2 KB of stack a byte), and a text size so
//! small that nothing can happen.

/// How many constructs may be open at once. The dearest needs 4.2 KB of stack each without optimisation (`namespace a {`,
/// `(a: T) => T`), and a realm's thread has 256 MB: what keeps this low is time, which for nested patterns grows with the
/// square of their depth. Of 30 MB of published TypeScript the deepest text comes to 428.
pub(super) const MAX_DEPTH: u32 = 1_000;
/// How many readings of a text are followed at once.
const MAX_READINGS: usize = 16;
/// How many steps it may take to tell readings apart, for each byte of the text.
const WORK_PER_BYTE: usize = 64;

/// Checks that a text can be parsed without using up the stack; otherwise tells where it gets too deep.
pub(super) fn check(source: &str) -> Result<(), usize> {
    // Each construct takes a byte at least.
    if source.len() <= MAX_DEPTH as usize {
        return Ok(());
    }
    deepest(source, MAX_DEPTH).map(|_| ())
}

/// How deep a text is nested, at most; or where it passes the limit.
pub(super) fn deepest(source: &str, limit: u32) -> Result<u32, usize> {
    let start = if source.starts_with("#!") { source.find('\n').unwrap_or(source.len()) } else { 0 };
    let mut readings = vec![Reading::new(start)];
    let mut deepest = 0;
    let mut work = source.len().saturating_mul(WORK_PER_BYTE);
    while let Some(first) = (0..readings.len()).min_by_key(|n| readings[*n].at) {
        if readings.len() > 1 {
            let same = |n: &usize| *n != first && readings[*n].at == readings[first].at;
            let cost = (0..readings.len()).filter(same).map(|n| readings[n].levels.len() + 1).sum::<usize>();
            work = work.checked_sub(cost).ok_or(readings[first].at)?;
            if (0..readings.len()).filter(same).any(|n| readings[n] == readings[first]) {
                readings.swap_remove(first);
                continue;
            }
        }
        let reading = &mut readings[first];
        let step = reading.step(source);
        deepest = deepest.max(reading.depth);
        if reading.depth > limit {
            return Err(reading.at.min(source.len()));
        }
        match step {
            Step::On => {}
            Step::Ended => drop(readings.swap_remove(first)),
            Step::Either(other) => {
                work = work.checked_sub(other.levels.len() + 1).ok_or(other.at)?;
                if readings.len() == MAX_READINGS {
                    return Err(other.at);
                }
                readings.push(other);
            }
        }
    }
    Ok(deepest)
}

enum Step {
    On,
    /// The text ends, or is nonsense in this reading.
    Ended,
    /// There is another way to read it.
    Either(Reading),
}

/// One way to read the text up to some place.
#[derive(Clone, PartialEq, Eq)]
struct Reading {
    at: usize,
    depth: u32,
    levels: Vec<Level>,
    before: Before,
    /// A line has ended since the last token.
    new_line: bool,
    /// The last token was `;`.
    semicolon: bool,
    /// The last tokens were `namespace` and a name so far, in which dots nest.
    dotted: bool,
    /// How the token before the last word ended, to know labels.
    before_word: Before,
}

/// What is open between two brackets.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Level {
    open: Open,
    /// The depth outside.
    outside: u32,
    /// Statements that have others as their end: `if`, `else`, labels.
    statements: u32,
    /// Operators that have others as their end.
    operators: u32,
    /// `<` that may be those of type arguments.
    angles: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Text,
    Paren(Before),
    Bracket,
    Brace,
    Template,
}

/// What the last token was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    /// Nothing, or what something must follow: `/` begins a regular expression.
    Operator,
    /// The end of an operand: on the same line `/` divides.
    Operand,
    /// Either.
    Unsure,
    /// A word that another word may follow.
    Keyword,
    /// One of `return`, `typeof` …, which a regular expression may follow.
    Prefix,
    /// `if`, `for`, `while`, `with`.
    Header,
    /// The `)` of a header: a statement follows.
    HeaderEnd,
    /// `}`.
    Brace,
    /// `.` or `?.`: the next word is a name.
    Dot,
    Colon,
}

impl Reading {
    fn new(at: usize) -> Self {
        let text = Level { open: Open::Text, outside: 0, statements: 0, operators: 0, angles: 0 };
        Self {
            at,
            depth: 0,
            levels: vec![text],
            before: Before::Operator,
            new_line: true,
            semicolon: false,
            dotted: false,
            before_word: Before::Operator,
        }
    }

    /// Reads a token.
    fn step(&mut self, source: &str) -> Step {
        let bytes = source.as_bytes();
        let at = |n: usize| bytes.get(n).copied().unwrap_or(0);
        let start = self.at;
        let Some(&byte) = bytes.get(start) else { return Step::Ended };
        let next = at(start + 1);
        self.at += 1;
        match byte {
            b'\n' | b'\r' => self.new_line = true,
            b' ' | b'\t' | 0x0b | 0x0c => {}
            b'/' if next == b'/' => self.skip_line(source),
            b'/' if next == b'*' => {
                let Some(length) = source[start + 2..].find("*/") else { return Step::Ended };
                let end = start + 2 + length + 2;
                self.new_line |= source[start..end].contains(['\n', '\r', '\u{2028}', '\u{2029}']);
                self.at = end;
            }
            b'/' => return self.slash(bytes),
            b'\'' | b'"' => return self.string(bytes, byte),
            b'`' => return self.template(bytes),
            b'0'..=b'9' => self.number(bytes),
            b'.' if next.is_ascii_digit() => self.number(bytes),
            b'(' => {
                let header = match self.before {
                    Before::Header => Before::HeaderEnd,
                    // `for await (`, or a parenthesis that is awaited.
                    Before::Keyword | Before::Prefix => Before::Keyword,
                    _ => Before::Operand,
                };
                self.open(Open::Paren(header));
            }
            b'[' => self.open(Open::Bracket),
            b'{' => self.open(Open::Brace),
            b')' | b']' | b'}' => return self.close(bytes, byte),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | b'$' | b'#' | b'\\' | 0x80.. => self.word(source, start),
            b'<' if source[start..].starts_with("<!--") => {
                let mut comment = self.clone();
                comment.skip_line(source);
                self.angle();
                return Step::Either(comment);
            }
            b'-' if self.new_line && source[start..].starts_with("-->") => {
                let mut comment = self.clone();
                comment.skip_line(source);
                self.sign();
                return Step::Either(comment);
            }
            _ => self.punctuation(byte, next, at(start + 2)),
        }
        Step::On
    }

    fn punctuation(&mut self, byte: u8, next: u8, third: u8) {
        match byte {
            b';' => {
                let level = self.level();
                let operators = std::mem::take(&mut level.operators);
                level.angles = 0;
                self.depth -= operators;
                self.token(Before::Operator);
                self.semicolon = true;
            }
            b',' => {
                let level = self.level();
                if level.angles == 0 {
                    let operators = std::mem::take(&mut level.operators);
                    self.depth -= operators;
                }
                self.token(Before::Operator);
            }
            b':' => {
                // A label, unless the word belongs to what a comma or a bracket began.
                let label = matches!(
                    self.before_word,
                    Before::Colon
                        | Before::HeaderEnd
                        | Before::Header
                        | Before::Keyword
                        | Before::Brace
                        | Before::Unsure
                );
                if self.before == Before::Operand && label {
                    self.level().statements += 1;
                    self.depth += 1;
                }
                self.token(Before::Colon);
            }
            b'.' if next == b'.' && third == b'.' => {
                self.at += 2;
                self.operator();
            }
            b'.' => {
                if self.dotted {
                    self.operator();
                    self.dotted = true;
                }
                self.before = Before::Dot;
                self.new_line = false;
            }
            b'?' if next == b'.' && !third.is_ascii_digit() => {
                self.at += 1;
                self.token(Before::Dot);
            }
            b'?' if next == b'?' => {
                self.at += 1;
                self.token(Before::Operator);
            }
            b'=' if next == b'=' => {
                self.at += if third == b'=' { 2 } else { 1 };
                self.token(Before::Operator);
            }
            b'=' if next == b'>' => {
                self.at += 1;
                self.operator();
            }
            b'*' if next == b'*' => {
                self.at += 1;
                self.operator();
            }
            b'?' | b'=' | b'~' | b'@' => self.operator(),
            b'!' if next == b'=' => {
                self.at += if third == b'=' { 2 } else { 1 };
                self.token(Before::Operator);
            }
            b'!' => {
                if self.before == Before::Operand && !self.new_line {
                    self.token(Before::Unsure);
                } else {
                    self.operator();
                }
            }
            b'+' | b'-' if next == byte => {
                self.at += 1;
                self.sign();
                self.before = Before::Unsure;
            }
            b'+' | b'-' => self.sign(),
            b'<' => self.angle(),
            b'>' => {
                let level = self.level();
                level.angles = level.angles.saturating_sub(1);
                self.token(Before::Unsure);
            }
            _ => self.token(Before::Operator),
        }
    }

    fn level(&mut self) -> &mut Level {
        // The first is never closed.
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    fn token(&mut self, kind: Before) {
        if self.semicolon {
            self.end_statements();
        }
        self.before = kind;
        self.new_line = false;
        self.dotted = false;
    }

    /// No statement and no operator is open at this level.
    fn end_statements(&mut self) {
        let level = self.level();
        let ended = level.statements + level.operators;
        (level.statements, level.operators, level.angles) = (0, 0, 0);
        self.depth -= ended;
        self.semicolon = false;
    }

    /// An operator whose operand comes next.
    fn operator(&mut self) {
        self.token(Before::Operator);
        self.level().operators += 1;
        self.depth += 1;
    }

    /// An operator that takes what comes next unless something stands before it.
    fn sign(&mut self) {
        // Behind a line's end it may take it all the same, but then what follows is counted.
        if self.before == Before::Operand { self.token(Before::Operator) } else { self.operator() }
    }

    fn angle(&mut self) {
        self.operator();
        self.level().angles += 1;
    }

    fn open(&mut self, open: Open) {
        self.token(Before::Operator);
        self.levels.push(Level { open, outside: self.depth, statements: 0, operators: 0, angles: 0 });
        self.depth += 1;
    }

    fn close(&mut self, bytes: &[u8], byte: u8) -> Step {
        let level = *self.level();
        let kind = match (level.open, byte) {
            (Open::Paren(kind), b')') => kind,
            (Open::Bracket, b']') => Before::Operand,
            (Open::Brace, b'}') => Before::Brace,
            (Open::Template, b'}') => Before::Operator,
            // The parser goes no further.
            _ => return Step::Ended,
        };
        self.levels.pop();
        self.depth = level.outside;
        self.semicolon = false;
        if level.open == Open::Template {
            return self.template(bytes);
        }
        self.token(kind);
        Step::On
    }

    /// An operand begins. Where another has just ended, so has all that could be open at this level: nothing but a
    /// statement, a class member or a type's member can begin here.
    fn operand(&mut self) {
        if matches!(self.before, Before::Operand | Before::Brace) {
            self.end_statements();
        }
        self.token(Before::Operand);
    }

    fn number(&mut self, bytes: &[u8]) {
        while bytes.get(self.at).is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_')) {
            self.at += 1;
        }
        self.operand();
    }

    fn string(&mut self, bytes: &[u8], quote: u8) -> Step {
        self.operand();
        while let Some(&byte) = bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' if bytes.get(self.at..self.at + 2) == Some(b"\r\n") => self.at += 2,
                b'\\' => self.at += 1,
                b'\n' | b'\r' => return Step::Ended,
                _ if byte == quote => return Step::On,
                _ => {}
            }
        }
        Step::Ended
    }

    /// Reads a template up to its end, or to what is put into it.
    fn template(&mut self, bytes: &[u8]) -> Step {
        while let Some(&byte) = bytes.get(self.at) {
            self.at += 1;
            match byte {
                b'\\' => self.at += 1,
                b'`' => {
                    self.token(Before::Operand);
                    return Step::On;
                }
                b'$' if bytes.get(self.at) == Some(&b'{') => {
                    self.at += 1;
                    self.open(Open::Template);
                    return Step::On;
                }
                _ => {}
            }
        }
        Step::Ended
    }

    /// A division, or a regular expression, or either.
    fn slash(&mut self, bytes: &[u8]) -> Step {
        let regexp = self.regexp(bytes);
        let divides = match self.before {
            Before::Operator | Before::Prefix | Before::Header | Before::HeaderEnd | Before::Colon => Some(false),
            Before::Operand if !self.new_line => Some(true),
            _ => None,
        };
        match (divides, regexp) {
            (Some(false), Some(regexp)) => {
                *self = regexp;
                Step::On
            }
            (Some(false), None) => Step::Ended,
            (None, Some(regexp)) => {
                self.token(Before::Operator);
                Step::Either(regexp)
            }
            (Some(true), _) | (None, None) => {
                self.token(Before::Operator);
                Step::On
            }
        }
    }

    fn regexp(&self, bytes: &[u8]) -> Option<Self> {
        let mut end = self.at;
        let mut in_class = false;
        loop {
            let byte = *bytes.get(end)?;
            end += 1;
            match byte {
                b'\\' if !matches!(bytes.get(end)?, b'\n' | b'\r') => end += 1,
                b'\n' | b'\r' => return None,
                b'[' => in_class = true,
                b']' => in_class = false,
                b'/' if !in_class => break,
                _ => {}
            }
        }
        let mut after = self.clone();
        after.at = end;
        after.operand();
        Some(after)
    }

    fn skip_line(&mut self, source: &str) {
        let rest = &source[self.at..];
        self.at += rest.find(['\n', '\r', '\u{2028}', '\u{2029}']).unwrap_or(rest.len());
    }

    fn word(&mut self, source: &str, start: usize) {
        let bytes = source.as_bytes();
        self.at = start;
        while let Some(char) = source[self.at..].chars().next() {
            let length = match char {
                '\\' if source[self.at..].starts_with("\\u{") => source[self.at..].find('}').map_or(3, |end| end + 1),
                '\\' | '_' | '$' => 1,
                '#' if self.at == start => 1,
                _ if char.is_ascii_alphanumeric() => 1,
                _ if char.is_ascii() || char.is_whitespace() || char == '\u{feff}' => break,
                _ => char.len_utf8(),
            };
            self.at += length;
        }
        if self.at == start {
            // A space beyond ASCII.
            let char = source[start..].chars().next().unwrap_or(' ');
            self.new_line |= matches!(char, '\u{2028}' | '\u{2029}');
            self.at += char.len_utf8();
            return;
        }
        let word = &bytes[start..self.at];
        if self.before == Before::Dot {
            let dotted = self.dotted;
            self.token(Before::Operand);
            self.dotted = dotted;
            return;
        }
        let dotted = self.dotted;
        self.before_word = self.before;
        self.known(word);
        self.dotted = dotted && self.before == Before::Operand || matches!(word, b"namespace" | b"module");
    }

    fn known(&mut self, word: &[u8]) {
        if self.semicolon && matches!(word, b"else" | b"while") {
            self.semicolon = false;
        }
        match word {
            b"if" | b"for" | b"while" | b"with" => {
                self.begin_word(word);
                self.token(Before::Header);
                self.level().statements += 1;
                self.depth += 1;
            }
            b"else" | b"do" => {
                self.begin_word(word);
                self.token(Before::Prefix);
                self.level().statements += 1;
                self.depth += 1;
            }
            b"typeof" | b"void" | b"delete" | b"new" => {
                self.begin_word(word);
                self.operator();
                self.before = Before::Prefix;
            }
            b"await" | b"yield" | b"async" | b"keyof" | b"unique" | b"readonly" | b"infer" | b"asserts" | b"is"
            | b"extends" | b"abstract" => {
                self.begin_word(word);
                self.operator();
                self.before = Before::Keyword;
            }
            b"return" | b"throw" | b"case" | b"instanceof" | b"in" => {
                self.begin_word(word);
                self.token(Before::Prefix);
            }
            b"let" | b"const" | b"var" | b"function" | b"class" | b"type" | b"interface" | b"namespace" | b"module"
            | b"declare" | b"enum" | b"import" | b"export" | b"default" | b"break" | b"continue" | b"switch"
            | b"try" | b"catch" | b"finally" | b"get" | b"set" | b"static" | b"public" | b"private" | b"protected"
            | b"override" | b"accessor" | b"using" | b"of" | b"as" | b"satisfies" | b"implements" | b"from"
            | b"global" | b"out" | b"defer" => {
                self.begin_word(word);
                self.token(Before::Keyword);
            }
            _ => self.operand(),
        }
    }

    /// As for an operand, but for words that go on with what stands before.
    fn begin_word(&mut self, word: &[u8]) {
        let continues = matches!(
            word,
            b"else"
                | b"while"
                | b"catch"
                | b"finally"
                | b"in"
                | b"instanceof"
                | b"as"
                | b"satisfies"
                | b"extends"
                | b"of"
                | b"is"
                | b"from"
                | b"asserts"
                | b"implements"
        );
        if !continues && matches!(self.before, Before::Operand | Before::Brace) {
            self.end_statements();
        }
    }
}
