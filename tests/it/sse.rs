//! A reader of Server-Sent Events over a plain socket, which can stop anywhere.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use crate::support::api;

/// One message, or a comment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    Event { name: String, id: Option<String>, data: Value },
    Comment,
}

impl Message {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Event { name, .. } => name,
            Self::Comment => ":",
        }
    }

    #[track_caller]
    pub(crate) fn data(&self) -> &Value {
        match self {
            Self::Event { data, .. } => data,
            Self::Comment => panic!("a comment has no data"),
        }
    }

    pub(crate) fn id(&self) -> Option<&str> {
        match self {
            Self::Event { id, .. } => id.as_deref(),
            Self::Comment => None,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Sse {
    socket: BufReader<TcpStream>,
    /// What was taken out of chunks and not read yet.
    text: Vec<u8>,
    pub(crate) status: u16,
    pub(crate) head: String,
}

impl Sse {
    /// Opens a stream; it must be one.
    #[track_caller]
    pub(crate) fn open(address: SocketAddr, path: &str, last_event_id: Option<&str>) -> Self {
        let sse = Self::ask(address, path, last_event_id).unwrap();
        assert_eq!(sse.status, 200, "{}", sse.head);
        let head = sse.head.to_lowercase();
        assert!(head.contains("content-type: text/event-stream\r\n"), "{head}");
        sse
    }

    pub(crate) fn ask(address: SocketAddr, path: &str, last_event_id: Option<&str>) -> io::Result<Self> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        let resume = last_event_id.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        write!(socket, "GET {} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n{resume}\r\n", api(path))?;
        let mut socket = BufReader::new(socket);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if socket.read_line(&mut head)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        Ok(Self { socket, text: Vec::new(), status, head })
    }

    /// Reads the next message that is no comment; `None` at the end of the stream, `Err` when the line was cut.
    pub(crate) fn next(&mut self) -> io::Result<Option<Message>> {
        loop {
            match self.next_of_any_kind()? {
                Some(Message::Comment) => {}
                other => return Ok(other),
            }
        }
    }

    pub(crate) fn next_of_any_kind(&mut self) -> io::Result<Option<Message>> {
        loop {
            if let Some(end) = self.text.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = self.text.drain(..end + 2).collect();
                return Ok(Some(message(&String::from_utf8(block).unwrap())));
            }
            if !self.chunk()? {
                assert!(self.text.is_empty(), "half a message: {:?}", String::from_utf8_lossy(&self.text));
                return Ok(None);
            }
        }
    }

    /// Reads to the end of the stream.
    #[track_caller]
    pub(crate) fn rest(&mut self) -> Vec<Message> {
        std::iter::from_fn(|| self.next().unwrap()).collect()
    }

    fn chunk(&mut self) -> io::Result<bool> {
        let mut line = String::new();
        if self.socket.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let size = u64::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        let read = self.socket.by_ref().take(size).read_to_end(&mut self.text)?;
        line.clear();
        if read as u64 != size || self.socket.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(size > 0)
    }
}

fn message(block: &str) -> Message {
    let (mut name, mut id, mut data) = (None, None, String::new());
    for line in block.trim_end_matches('\n').split('\n') {
        match line.split_once(": ") {
            Some(("event", text)) => name = Some(text.to_owned()),
            Some(("id", text)) => id = Some(text.to_owned()),
            Some(("data", text)) => data.push_str(text),
            _ if line.starts_with(':') => {}
            _ => panic!("not a line of a message: {line:?}"),
        }
    }
    match name {
        Some(name) => Message::Event { name, id, data: serde_json::from_str(&data).unwrap() },
        None => Message::Comment,
    }
}
