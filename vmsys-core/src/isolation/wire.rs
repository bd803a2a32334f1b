//! Messages between a host and its worker: four bytes of length, then MessagePack.
//!
//! What comes from a worker is hostile: the worker may not be what we have started any more. Its messages are looked
//! through before they are read, so that none takes much more memory than it may.

use std::io::{self, BufReader, Read, Write as _};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use rmp::Marker;
use rustix::event::{PollFd, PollFlags, Timespec};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::spin;

/// A buffer that is larger than this is not kept for the next message.
const KEPT_BYTES: usize = 1 << 20;

/// How deep a message may be: what reads it calls itself. A value of a script's takes two levels for each of its own, of
/// which it may have a hundred.
const MOST_DEPTH: usize = 256;

/// About what a value of any kind takes in memory, beside its text: so much is counted for each.
const NODE_BYTES: usize = 16;

/// Why no message came.
#[derive(Debug)]
pub(super) enum Broken {
    /// The other side is gone.
    Closed,
    /// The other side said what it may not say.
    Nonsense(String),
}

impl From<io::Error> for Broken {
    fn from(_: io::Error) -> Self {
        // Whatever it is, the socket is of no use any more.
        Self::Closed
    }
}

/// One end of the line.
pub(super) struct Wire {
    stream: BufReader<Shared>,
    outgoing: Vec<u8>,
    incoming: Vec<u8>,
}

/// A socket that somebody else may cut.
struct Shared(Arc<UnixStream>);

impl Read for Shared {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        (&*self.0).read(buffer)
    }
}

impl Wire {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self { stream: BufReader::new(Shared(Arc::new(stream))), outgoing: Vec::new(), incoming: Vec::new() }
    }

    /// The socket itself, for what goes along with messages. Nothing may be read ahead when it comes.
    pub(super) fn stream(&self) -> &UnixStream {
        &self.stream.get_ref().0
    }

    /// The socket itself, for whoever may have to cut it.
    pub(super) fn line(&self) -> Arc<UnixStream> {
        self.stream.get_ref().0.clone()
    }

    /// Waits a moment, awake, for the beginning of a message, or the end of the line; false says that there is none yet.
    pub(super) fn spin(&self, limit: Duration) -> bool {
        spin::spin(limit, || self.has_news(Duration::ZERO))
    }

    /// Waits asleep.
    pub(super) fn wait(&self, limit: Duration) -> bool {
        self.has_news(limit)
    }

    fn has_news(&self, limit: Duration) -> bool {
        if !self.stream.buffer().is_empty() {
            return true;
        }
        let mut news = [PollFd::new(self.stream(), PollFlags::IN)];
        let limit = Timespec::try_from(limit).ok();
        rustix::event::poll(&mut news, limit.as_ref()).is_ok_and(|count| count > 0)
    }

    /// Bounds how long the other side may be silent; without a bound it may be for ever.
    pub(super) fn set_patience(&self, patience: Option<Duration>) -> io::Result<()> {
        self.stream().set_read_timeout(patience)
    }

    /// Sends a message.
    pub(super) fn send(&mut self, message: &impl Serialize) -> Result<(), Broken> {
        self.outgoing.clear();
        self.outgoing.extend([0; 4]);
        rmp_serde::encode::write_named(&mut self.outgoing, message)
            .map_err(|error| Broken::Nonsense(format!("a message has no form in bytes: {error}")))?;
        let length = u32::try_from(self.outgoing.len() - 4)
            .map_err(|_| Broken::Nonsense("a message is longer than any may be".to_owned()))?;
        self.outgoing[..4].copy_from_slice(&length.to_le_bytes());
        (&*self.stream.get_ref().0).write_all(&self.outgoing)?;
        release(&mut self.outgoing);
        Ok(())
    }

    /// Waits for a message of the host's, which is trusted.
    pub(super) fn receive<T: DeserializeOwned>(&mut self) -> Result<T, Broken> {
        self.receive_bytes(usize::MAX)?;
        self.read()
    }

    /// Waits for a message that may be anything, and may take about so many bytes in memory.
    pub(super) fn receive_bounded<T: DeserializeOwned>(&mut self, most: usize) -> Result<T, Broken> {
        self.receive_bytes(most)?;
        check(&self.incoming, most).map_err(|why| Broken::Nonsense(why.to_owned()))?;
        self.read()
    }

    fn receive_bytes(&mut self, most: usize) -> Result<(), Broken> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head)?;
        let length = u32::from_le_bytes(head) as usize;
        if length > most {
            return Err(Broken::Nonsense(format!("a message of {length} bytes, where {most} are the most")));
        }
        self.incoming.clear();
        // Read as it comes, and not into room for all of it: a length costs nothing to say.
        let read = (&mut self.stream).take(length as u64).read_to_end(&mut self.incoming)?;
        if read == length { Ok(()) } else { Err(Broken::Closed) }
    }

    fn read<T: DeserializeOwned>(&mut self) -> Result<T, Broken> {
        let message = rmp_serde::from_slice(&self.incoming);
        release(&mut self.incoming);
        message.map_err(|error| Broken::Nonsense(format!("a message cannot be understood: {error}")))
    }
}

fn release(buffer: &mut Vec<u8>) {
    buffer.clear();
    buffer.shrink_to(KEPT_BYTES);
}

/// Looks through a message without building anything of it.
fn check(bytes: &[u8], most: usize) -> Result<(), &'static str> {
    let mut rest = bytes;
    // Values that are still to come: of each list that they are in, and in all. Each takes a byte at least, so that no more
    // can be promised than there are bytes.
    let (mut levels, mut due, mut nodes) = (vec![1_usize], 1_usize, 0_usize);
    while let Some(level) = levels.last_mut() {
        let Some(left) = level.checked_sub(1) else {
            levels.pop();
            continue;
        };
        *level = left;
        due -= 1;
        nodes += 1;
        let (&marker, behind) = rest.split_first().ok_or("a message that ends before its end")?;
        rest = behind;
        let mut number = |size: usize| -> Result<usize, &'static str> {
            let (digits, behind) = rest.split_at_checked(size).ok_or("a message that ends before its end")?;
            rest = behind;
            Ok(digits.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
        };
        let (skipped, more) = match Marker::from_u8(marker) {
            Marker::Null | Marker::True | Marker::False | Marker::FixPos(_) | Marker::FixNeg(_) => (0, 0),
            Marker::U8 | Marker::I8 => (1, 0),
            Marker::U16 | Marker::I16 => (2, 0),
            Marker::U32 | Marker::I32 | Marker::F32 => (4, 0),
            Marker::U64 | Marker::I64 | Marker::F64 => (8, 0),
            Marker::FixStr(length) => (usize::from(length), 0),
            Marker::Str8 | Marker::Bin8 => (number(1)?, 0),
            Marker::Str16 | Marker::Bin16 => (number(2)?, 0),
            Marker::Str32 | Marker::Bin32 => (number(4)?, 0),
            Marker::FixArray(count) => (0, usize::from(count)),
            Marker::Array16 => (0, number(2)?),
            Marker::Array32 => (0, number(4)?),
            Marker::FixMap(count) => (0, 2 * usize::from(count)),
            Marker::Map16 => (0, 2 * number(2)?),
            Marker::Map32 => (0, 2 * number(4)?),
            _ => return Err("a message with what no message has"),
        };
        rest = rest.get(skipped..).ok_or("a message that ends before its end")?;
        due += more;
        if due > rest.len() {
            return Err("a message that promises more than it has");
        }
        if more > 0 {
            levels.push(more);
            if levels.len() > MOST_DEPTH {
                return Err("a message that is deeper than any may be");
            }
        }
        if nodes.saturating_mul(NODE_BYTES).saturating_add(bytes.len()) > most {
            return Err("a message that takes more memory than the session may");
        }
    }
    if rest.is_empty() { Ok(()) } else { Err("a message with something behind its end") }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use proptest::prelude::*;

    use super::*;
    use crate::value::Value;

    const MOST: usize = 1 << 20;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::Bool),
            any::<f64>().prop_filter("equal to itself", |number| !number.is_nan()).prop_map(Value::Number),
            any::<i128>().prop_map(Value::BigInt),
            ".{0,300}".prop_map(Value::String),
            proptest::collection::vec(any::<u8>(), 0..300).prop_map(Value::Bytes),
        ];
        leaf.prop_recursive(5, 60, 20, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..20).prop_map(Value::Array),
                proptest::collection::vec((".{0,9}", inner), 0..20).prop_map(Value::Object),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

        #[test]
        fn what_is_sent_arrives(values in proptest::collection::vec(value(), 1..5)) {
            let (one, other) = UnixStream::pair().unwrap();
            let (mut one, mut other) = (Wire::new(one), Wire::new(other));
            let sender = std::thread::spawn(move || {
                values.iter().for_each(|value| one.send(value).unwrap());
                values
            });
            let mut read = Vec::new();
            while let Ok(value) = other.receive_bounded::<Value>(MOST) {
                read.push(value);
            }
            prop_assert_eq!(read, sender.join().unwrap());
        }

        #[test]
        fn no_bytes_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = check(&bytes, MOST);
            let (one, other) = UnixStream::pair().unwrap();
            (&one).write_all(&u32::try_from(bytes.len()).unwrap().to_le_bytes()).unwrap();
            (&one).write_all(&bytes).unwrap();
            drop(one);
            let _ = Wire::new(other).receive_bounded::<Value>(MOST);
        }
    }

    #[test]
    fn messages_that_lie_are_refused_before_they_are_read() {
        let array_of_nothing = [0xdd, 0xff, 0xff, 0xff, 0xff];
        let text_of_nothing = [0xdb, 0xff, 0xff, 0xff, 0xff];
        let nested = [0x91; 100];
        let mut deep = vec![0x91; MOST_DEPTH];
        deep.push(0xc0);
        let two = [0xc0, 0xc0];
        let extension = [0xd4, 1, 1];
        for bytes in [&array_of_nothing[..], &text_of_nothing, &nested, &deep, &two, &extension, &[]] {
            assert!(check(bytes, MOST).is_err(), "{bytes:?}");
        }
        // A byte each, and a whole value in memory.
        let mut many = vec![0xdd, 0, 1, 0x11, 0x70];
        many.resize(5 + 70_000, 0xc0);
        assert!(check(&many, MOST).is_err());
        assert!(check(&many, 2 * MOST).is_ok());
    }

    #[test]
    fn a_length_alone_costs_nothing_and_is_bounded() {
        let (one, other) = UnixStream::pair().unwrap();
        (&one).write_all(&u32::MAX.to_le_bytes()).unwrap();
        let mut wire = Wire::new(other);
        assert!(matches!(wire.receive_bounded::<Value>(MOST), Err(Broken::Nonsense(_))));
        assert!(wire.incoming.capacity() < 1 << 10);
    }
}
