//! One stream of a process's output: bytes become text, text becomes events and is kept.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use crate::modules::{CallContext, Stopped};

/// What comes within this time becomes one event: a program that writes byte by byte would else be past `max_events`.
const BATCH: Duration = Duration::from_millis(50);
/// And at most so much text.
const BATCH_BYTES: usize = 32 << 10;
/// As much as a pipe holds.
const READ_BYTES: usize = 64 << 10;

/// Which stream it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Stdout,
    Stderr,
}

/// The reading end of a process's stdout or stderr.
pub(super) struct Output {
    kind: Kind,
    pipe: Option<File>,
    decoder: Decoder,
    text: String,
    /// Up to where the text has become events.
    told: usize,
    untold_since: Option<Instant>,
}

impl Output {
    /// Reads from here on without waiting.
    pub(super) fn new(kind: Kind, pipe: OwnedFd) -> std::io::Result<Self> {
        set_nonblocking(pipe.as_fd())?;
        Ok(Self {
            kind,
            pipe: Some(pipe.into()),
            decoder: Decoder::default(),
            text: String::new(),
            told: 0,
            untold_since: None,
        })
    }

    /// The pipe, while it is open.
    pub(super) fn pipe(&self) -> Option<BorrowedFd<'_>> {
        self.pipe.as_ref().map(File::as_fd)
    }

    /// How much text there is.
    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    /// Takes what is there, once: true when more may follow at once.
    pub(super) fn read(&mut self, buffer: &mut Buffer) -> bool {
        let Some(pipe) = &mut self.pipe else { return false };
        match pipe.read(&mut buffer.0) {
            Ok(0) => {
                self.close();
                false
            }
            Ok(count) => {
                self.decoder.push(&buffer.0[..count], &mut self.text);
                self.note_untold();
                count == READ_BYTES
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock || error.kind() == ErrorKind::Interrupted => false,
            Err(_) => {
                self.close();
                false
            }
        }
    }

    fn close(&mut self) {
        self.pipe = None;
        self.decoder.finish(&mut self.text);
        self.note_untold();
    }

    fn note_untold(&mut self) {
        if self.told < self.text.len() {
            self.untold_since.get_or_insert_with(Instant::now);
        }
    }

    /// When its text is to become an event.
    pub(super) fn due(&self) -> Option<Instant> {
        self.untold_since.map(|since| since + BATCH)
    }

    fn is_due(&self) -> bool {
        let Some(since) = self.untold_since else { return false };
        self.pipe.is_none() || since.elapsed() >= BATCH || self.text.len() - self.told >= BATCH_BYTES
    }

    fn tell(&mut self, context: &CallContext) -> Result<(), Stopped> {
        let news = &self.text[self.told..];
        let told = match self.kind {
            Kind::Stdout => context.emit_stdout(news),
            Kind::Stderr => context.emit_stderr(news),
        };
        self.told = self.text.len();
        self.untold_since = None;
        told
    }

    /// Ends it: nothing is read any more.
    pub(super) fn end(&mut self) {
        if self.pipe.is_some() {
            self.close();
        }
    }

    /// Gives all of the text.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// Turns the text of streams into events, when it is time for that of one of them: the older first, so that what one
/// program writes to two streams comes in its order, as far as two pipes let that be known.
pub(super) fn tell(streams: &mut [Output], context: &CallContext) -> Result<(), Stopped> {
    if !streams.iter().any(Output::is_due) {
        return Ok(());
    }
    let mut waiting: Vec<_> = streams.iter_mut().filter(|stream| stream.untold_since.is_some()).collect();
    waiting.sort_by_key(|stream| stream.untold_since);
    waiting.into_iter().try_for_each(|stream| stream.tell(context))
}

/// Has reads and writes of a pipe answer at once.
pub(super) fn set_nonblocking(pipe: BorrowedFd<'_>) -> std::io::Result<()> {
    fcntl_setfl(pipe, fcntl_getfl(pipe)? | OFlags::NONBLOCK)?;
    Ok(())
}

/// Where bytes are read to.
pub(super) struct Buffer(Box<[u8]>);

impl Buffer {
    pub(super) fn new() -> Self {
        Self(vec![0; READ_BYTES].into())
    }
}

/// Turns pieces of UTF-8 into text: a character may begin in one and end in the next. What is none becomes U+FFFD.
#[derive(Default)]
struct Decoder {
    /// The beginning of a character: at most three bytes.
    begun: Vec<u8>,
}

impl Decoder {
    fn push(&mut self, bytes: &[u8], text: &mut String) {
        let joined;
        let mut rest = bytes;
        if !self.begun.is_empty() {
            joined = [std::mem::take(&mut self.begun).as_slice(), bytes].concat();
            rest = &joined;
        }
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    return;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    // It is valid, so that nothing is lost here.
                    text.push_str(&String::from_utf8_lossy(valid));
                    let Some(bad) = error.error_len() else {
                        self.begun = after.to_vec();
                        return;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = &after[bad..];
                }
            }
        }
    }

    fn finish(&mut self, text: &mut String) {
        if !std::mem::take(&mut self.begun).is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decode(pieces: &[&[u8]]) -> String {
        let (mut decoder, mut text) = (Decoder::default(), String::new());
        for piece in pieces {
            decoder.push(piece, &mut text);
        }
        decoder.finish(&mut text);
        text
    }

    #[test]
    fn a_character_may_arrive_in_pieces() {
        assert_eq!(decode(&[b"a\xe2\x82", b"\xac", b"b"]), "a\u{20ac}b");
        assert_eq!(decode(&[b"\xf0", b"\x9f", b"\x98", b"\x80"]), "\u{1f600}");
        assert_eq!(decode(&[b"\xff", b"a\xe2\x82"]), "\u{fffd}a\u{fffd}");
        assert_eq!(decode(&[b"\xe2", b"x"]), "\u{fffd}x");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn where_the_pieces_are_cut_makes_no_difference(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(0xe2), Just(0x82), Just(0xac), Just(0xf0)], 0..40),
            cut in 0_usize..40,
        ) {
            let cut = cut.min(bytes.len());
            prop_assert_eq!(decode(&[&bytes[..cut], &bytes[cut..]]), String::from_utf8_lossy(&bytes));
        }
    }
}
