//! Streams of events: Server-Sent Events, handed on message by message as they come.

use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, HOST, USER_AGENT};
use http::{Method, Request};
use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::timeout;

use super::url::ApiPath;
use super::{Client, USER_AGENT_NAME};
use crate::error::{Error, Result};

/// How long a stream may be silent: the daemon says every 15 seconds that it is there.
const SILENCE: Duration = Duration::from_secs(60);

/// The most that one message may have: more than any template's `max_output_kb` makes of one.
const LONGEST: usize = 1 << 30;

/// What a message is called, and its document.
type OnMessage<'a> = dyn FnMut(&str, &str) -> Result<()> + 'a;

impl Client {
    /// Hands on an execution's events after a place, and at last the execution, as `end`.
    ///
    /// # Errors
    /// The daemon refused, or the line was cut before the end.
    pub(crate) fn watch_execution(&self, id: &str, after_seq: u64, on: &mut OnMessage<'_>) -> Result<()> {
        let path = ApiPath::new(&["executions", id, "events", "stream"]).query("after_seq", Some(after_seq));
        self.follow(&path, "end", on)
    }

    /// Hands on a session's events, and the session, as `session`, whenever its status changes, until it has ended.
    ///
    /// # Errors
    /// As [`watch_execution`](Self::watch_execution).
    pub(crate) fn watch_session(
        &self,
        id: &str,
        after: Option<&str>,
        tail: Option<u32>,
        on: &mut OnMessage<'_>,
    ) -> Result<()> {
        let path = ApiPath::new(&["sessions", id, "events", "stream"]).query("after", after).query("tail", tail);
        self.follow(&path, "session", on)
    }

    /// Reads a stream to its end, which only a message of this name may be followed by.
    fn follow(&self, path: &ApiPath, last: &str, on: &mut OnMessage<'_>) -> Result<()> {
        let Some(runtime) = &self.runtime else {
            return Err(Error::failed("IO_ERROR", "the client is shut down"));
        };
        runtime.block_on(async {
            let mut request = Request::builder()
                .method(Method::GET)
                .uri(self.url.target(path))
                .header(HOST, self.url.authority())
                .header(USER_AGENT, USER_AGENT_NAME)
                .header(ACCEPT, "text/event-stream");
            if let Some(authorization) = &self.authorization {
                request = request.header(AUTHORIZATION, authorization);
            }
            let request = request
                .body(Empty::<bytes::Bytes>::new())
                .map_err(|error| Error::failed("IO_ERROR", format!("cannot make the request: {error}")))?;
            let stream = self.connect().await?;
            let (mut sender, connection) =
                http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.lost(&error))?;
            tokio::spawn(connection);
            let answer = timeout(self.patience, sender.send_request(request)).await.map_err(|_| self.silent())?;
            let (head, mut body) = answer.map_err(|error| self.lost(&error))?.into_parts();
            if !head.status.is_success() {
                let text = timeout(self.patience, body.collect()).await.map_err(|_| self.silent())?;
                let text = text.map_err(|error| self.lost(&error))?.to_bytes();
                return Err(self.refusal(head.status, &head.headers, String::from_utf8_lossy(&text).into_owned()));
            }
            let mut messages = Messages::default();
            let mut name = String::new();
            while let Some(frame) = timeout(SILENCE, body.frame()).await.map_err(|_| self.silent())? {
                let frame = frame.map_err(|_| self.cut())?;
                messages.take(frame.data_ref().map_or(&[], |bytes| &bytes[..]));
                if messages.bytes.len() > LONGEST {
                    return Err(self.odd("a message without an end".to_owned()));
                }
                while let Some(block) = messages.next() {
                    let text = String::from_utf8(block).map_err(|_| self.odd("no UTF-8 text".to_owned()))?;
                    let Some((event, data)) = message(&text) else { continue };
                    on(&event, &data)?;
                    name = event;
                }
            }
            if name == last { Ok(()) } else { Err(self.cut()) }
        })
    }

    fn silent(&self) -> Error {
        Error::unreachable(format!("{} has fallen silent", self.url))
    }

    fn cut(&self) -> Error {
        Error::unreachable(format!("{} ended the stream before its end", self.url))
            .hint("the same command with the place that was reached goes on from there")
    }
}

/// What has come of a stream and was not handed on yet.
#[derive(Debug, Default)]
struct Messages {
    bytes: Vec<u8>,
    /// Up to where there is known to be no end of a message.
    searched: usize,
}

impl Messages {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Takes the next message out, without the empty line behind it.
    fn next(&mut self) -> Option<Vec<u8>> {
        let from = self.searched.saturating_sub(1);
        let Some(at) = self.bytes[from..].windows(2).position(|pair| pair == b"\n\n") else {
            self.searched = self.bytes.len();
            return None;
        };
        let rest = self.bytes.split_off(from + at + 2);
        self.searched = 0;
        Some(std::mem::replace(&mut self.bytes, rest))
    }
}

/// Reads a message: its name and its document; none of a comment.
fn message(text: &str) -> Option<(String, String)> {
    let (mut name, mut data) = (None, Vec::new());
    for line in text.lines() {
        match line.split_once(':').map(|(field, value)| (field, value.strip_prefix(' ').unwrap_or(value))) {
            Some(("event", value)) => name = Some(value.to_owned()),
            Some(("data", value)) => data.push(value),
            _ => {}
        }
    }
    Some((name?, data.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_wherever_the_pieces_end() {
        let stream =
            ": hello\n\nevent: console\nid: 2\ndata: {\"a\":\ndata: \"ü\"}\n\nevent:end\ndata:{}\n\nevent: cut";
        let expected = [("console", "{\"a\":\n\"ü\"}"), ("end", "{}")];
        for size in 1..stream.len() {
            let mut messages = Messages::default();
            let mut found = Vec::new();
            for piece in stream.as_bytes().chunks(size) {
                messages.take(piece);
                while let Some(block) = messages.next() {
                    found.extend(message(std::str::from_utf8(&block).expect("whole messages are text")));
                }
            }
            let found: Vec<_> = found.iter().map(|(name, data)| (name.as_str(), data.as_str())).collect();
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }
}
