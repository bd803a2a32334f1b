//! Streams of events: Server-Sent Events, handed on message by message as they come.

use std::ops::ControlFlow;
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, HOST, HeaderName, USER_AGENT};
use http::{Method, Request};
use http_body_util::{BodyExt, Empty};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::time::{sleep, timeout};

use super::attempts::{Attempts, PERSEVERANCE};
use super::url::ApiPath;
use super::{Client, USER_AGENT_NAME};
use crate::error::{Error, Result};

/// How long a stream may be silent: the daemon says every 15 seconds that it is there.
const SILENCE: Duration = Duration::from_secs(60);

/// After how long without anything somebody who waits may want to hear that all is well.
const QUIET: Duration = Duration::from_secs(3);

/// The most that one message may have: more than any template's `max_output_kb` makes of one.
const LONGEST: usize = 1 << 30;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// What a stream has to say.
#[derive(Debug)]
pub(crate) enum News<'a> {
    /// The next message: what it is called, and its document.
    Message(&'a str, &'a str),
    /// The line is open, and nothing has come for a while.
    Quiet,
    /// The line has been cut for this long, and the stream is asked for again.
    Cut(Duration),
    /// The stream is there again.
    Back,
}

/// Takes what a stream has to say, and tells of messages whether that was the last one.
pub(crate) type OnNews<'a> = dyn FnMut(News<'_>) -> Result<ControlFlow<()>> + 'a;

/// How far a stream was read.
#[derive(Debug, Default)]
struct Place {
    /// The id of the last message that had one: the daemon goes on behind it.
    id: Option<String>,
    /// Whether there is known to be such a stream: only then it is asked for again.
    is_there: bool,
    /// What was tried since the line was cut.
    cut: Option<Attempts>,
}

impl Client {
    /// Hands on an execution's events after a place, and at last the execution, as `end`. One that is known to be there
    /// is also waited for at the beginning.
    ///
    /// # Errors
    /// The daemon refused, or the line was cut for too long.
    pub(crate) fn watch_execution(&self, id: &str, after_seq: u64, is_there: bool, on: &mut OnNews<'_>) -> Result<()> {
        let path = ApiPath::new(&["executions", id, "events", "stream"]).query("after_seq", Some(after_seq));
        self.follow(&path, is_there, on)
    }

    /// Hands on a session's events, and the session, as `session`, whenever its status changes.
    ///
    /// What it does *not* promise: while no event has come, there is no place to go on from. After a cut a `tail` is
    /// then counted anew, and misses what began and ended in between.
    ///
    /// # Errors
    /// As [`watch_execution`](Self::watch_execution).
    pub(crate) fn watch_session(
        &self,
        id: &str,
        after: Option<&str>,
        tail: Option<u32>,
        on: &mut OnNews<'_>,
    ) -> Result<()> {
        let path = ApiPath::new(&["sessions", id, "events", "stream"]).query("after", after).query("tail", tail);
        self.follow(&path, false, on)
    }

    /// Reads a stream up to the message that is its last, over as many connections as that takes.
    fn follow(&self, path: &ApiPath, is_there: bool, on: &mut OnNews<'_>) -> Result<()> {
        let Some(runtime) = &self.runtime else {
            return Err(Error::failed("IO_ERROR", "the client is shut down"));
        };
        let mut place = Place { is_there, ..Place::default() };
        runtime.block_on(async {
            loop {
                let Err(error) = self.read_on(path, &mut place, on).await else { return Ok(()) };
                if !place.is_there || !error.is_passing() {
                    return Err(error);
                }
                let attempts = place.cut.get_or_insert_with(Attempts::begin);
                let Some(pause) = attempts.pause() else { return Err(self.given_up()) };
                on(News::Cut(attempts.lasted())).map(drop)?;
                sleep(pause).await;
            }
        })
    }

    /// Reads a stream from a place, over one connection.
    async fn read_on(&self, path: &ApiPath, place: &mut Place, on: &mut OnNews<'_>) -> Result<()> {
        let opening = self.open(path, place.id.as_deref());
        let mut body = match &place.cut {
            None => opening.await?,
            Some(attempts) => {
                let body = timeout(attempts.left(), opening).await.map_err(|_| self.silent())??;
                on(News::Back).map(drop)?;
                body
            }
        };
        place.is_there = true;
        let mut messages = Messages::default();
        let mut silence = Duration::ZERO;
        while silence < SILENCE {
            let frame = match timeout(QUIET, body.frame()).await {
                Ok(Some(Ok(frame))) => frame,
                Ok(_) => return Err(self.cut()),
                Err(_) => {
                    silence += QUIET;
                    place.cut = None;
                    on(News::Quiet).map(drop)?;
                    continue;
                }
            };
            silence = Duration::ZERO;
            place.cut = None;
            messages.take(frame.data_ref().map_or(&[], |bytes| &bytes[..]));
            if messages.bytes.len() > LONGEST {
                return Err(self.odd("a message without an end".to_owned()));
            }
            while let Some(block) = messages.next() {
                let text = String::from_utf8(block).map_err(|_| self.odd("no UTF-8 text".to_owned()))?;
                let Some(message) = Message::read(&text) else { continue };
                if on(News::Message(&message.name, &message.data))?.is_break() {
                    return Ok(());
                }
                place.id = message.id.or(place.id.take());
            }
        }
        Err(self.silent())
    }

    /// Asks for a stream, behind the message with this id.
    async fn open(&self, path: &ApiPath, after: Option<&str>) -> Result<Incoming> {
        let mut request = Request::builder()
            .method(Method::GET)
            .uri(self.url.target(path))
            .header(HOST, self.url.authority())
            .header(USER_AGENT, USER_AGENT_NAME)
            .header(ACCEPT, "text/event-stream");
        if let Some(authorization) = &self.authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        if let Some(after) = after {
            request = request.header(LAST_EVENT_ID, after);
        }
        let request = request
            .body(Empty::<bytes::Bytes>::new())
            .map_err(|error| Error::failed("IO_ERROR", format!("cannot make the request: {error}")))?;
        let stream = self.connect().await?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| self.lost(&error))?;
        tokio::spawn(connection);
        let answer = timeout(self.patience, sender.send_request(request)).await.map_err(|_| self.silent())?;
        let (head, body) = answer.map_err(|error| self.lost(&error))?.into_parts();
        if !head.status.is_success() {
            let text = timeout(self.patience, body.collect()).await.map_err(|_| self.silent())?;
            let text = text.map_err(|error| self.lost(&error))?.to_bytes();
            return Err(self.refusal(head.status, &head.headers, String::from_utf8_lossy(&text).into_owned()));
        }
        Ok(body)
    }

    fn silent(&self) -> Error {
        Error::unreachable(format!("{} has fallen silent", self.url))
    }

    fn cut(&self) -> Error {
        Error::unreachable(format!("{} ended the stream before its end", self.url))
    }

    fn given_up(&self) -> Error {
        let seconds = PERSEVERANCE.as_secs();
        Error::unreachable(format!("{} broke off, and could not be reached again within {seconds} s", self.url))
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

/// A message: how the place behind it is called, its name and its document.
#[derive(Debug)]
struct Message {
    id: Option<String>,
    name: String,
    data: String,
}

impl Message {
    /// Reads one; none of a comment.
    fn read(text: &str) -> Option<Self> {
        let (mut id, mut name, mut data) = (None, None, Vec::new());
        for line in text.lines() {
            match line.split_once(':').map(|(field, value)| (field, value.strip_prefix(' ').unwrap_or(value))) {
                Some(("id", value)) => id = Some(value.to_owned()),
                Some(("event", value)) => name = Some(value.to_owned()),
                Some(("data", value)) => data.push(value),
                _ => {}
            }
        }
        Some(Self { id, name: name?, data: data.join("\n") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_found_wherever_the_pieces_end() {
        let stream =
            ": hello\n\nevent: console\nid: 2\ndata: {\"a\":\ndata: \"ü\"}\n\nevent:end\ndata:{}\n\nevent: cut";
        let expected = [(Some("2"), "console", "{\"a\":\n\"ü\"}"), (None, "end", "{}")];
        for size in 1..stream.len() {
            let mut messages = Messages::default();
            let mut found = Vec::new();
            for piece in stream.as_bytes().chunks(size) {
                messages.take(piece);
                while let Some(block) = messages.next() {
                    found.extend(Message::read(std::str::from_utf8(&block).expect("whole messages are text")));
                }
            }
            let found: Vec<_> = found.iter().map(|m| (m.id.as_deref(), m.name.as_str(), m.data.as_str())).collect();
            assert_eq!(found, expected, "in pieces of {size}");
        }
    }
}
