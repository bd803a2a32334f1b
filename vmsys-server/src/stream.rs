//! Bodies that take their time: a source is read where it may block, and its reader waited for where nobody is kept.
//!
//! A stream holds one part that is on its way and one that waits, whatever its reader does. Neither a thread nor a
//! connection to the database is held while it waits for news, or for its reader.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use hyper::body::{Frame, SizeHint};
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};
use tracing::{Instrument as _, Span};

use crate::error::ApiError;
use crate::metrics::Open;
use crate::route::{Part, Source};

/// How often a stream without news says that it is there.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// A comment of Server-Sent Events.
const COMMENT: &[u8] = b": still here\n\n";

/// The body of a response.
pub(crate) struct Body {
    rest: Rest,
    when_done: Option<Box<dyn FnOnce() + Send>>,
}

enum Rest {
    Whole(Option<Bytes>),
    Stream(mpsc::Receiver<Bytes>),
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Body").field("is_stream", &self.is_stream()).finish_non_exhaustive()
    }
}

impl Body {
    pub(crate) fn whole(bytes: Bytes) -> Self {
        Self { rest: Rest::Whole((!bytes.is_empty()).then_some(bytes)), when_done: None }
    }

    pub(crate) fn is_stream(&self) -> bool {
        matches!(self.rest, Rest::Stream(_))
    }

    /// Has this called when all of it is sent, or will not be.
    pub(crate) fn when_done(&mut self, call: impl FnOnce() + Send + 'static) {
        self.when_done = Some(Box::new(call));
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(call) = self.when_done.take() {
            call();
        }
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.rest {
            Rest::Whole(bytes) => Poll::Ready(bytes.take()),
            Rest::Stream(parts) => parts.poll_recv(context),
        };
        next.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.rest, Rest::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match &self.rest {
            Rest::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, Bytes::len) as u64),
            Rest::Stream(_) => SizeHint::default(),
        }
    }
}

/// Begins to stream Server-Sent Events. It ends with its source, with its reader, or soon after `stopping`.
pub(crate) fn begin(source: Box<dyn Source>, stopping: watch::Receiver<bool>, open: Open) -> Body {
    let (parts, rest) = mpsc::channel(1);
    let driven = async move {
        let _open = open;
        if let Err(error) = drive(source, &parts, stopping).await {
            // The head is long gone: the reader sees the stream end, and comes again from where it is.
            if error.status() == StatusCode::NOT_FOUND {
                // What it followed was deleted meanwhile: that is what its next request is told.
                return tracing::debug!("a stream ended with what it followed");
            }
            tracing::error!(cause = error.cause(), code = error.status().as_u16(), "a stream broke off");
        }
    };
    tokio::spawn(driven.in_current_span());
    Body { rest: Rest::Stream(rest), when_done: None }
}

async fn drive(
    mut source: Box<dyn Source>,
    parts: &mpsc::Sender<Bytes>,
    mut stopping: watch::Receiver<bool>,
) -> Result<(), ApiError> {
    loop {
        let last_look = *stopping.borrow();
        let part;
        (source, part) = read(source).await?;
        if !part.bytes.is_empty() {
            // A reader that takes nothing any more loses its connection: then this fails.
            if parts.send(part.bytes).await.is_err() || part.is_last {
                return Ok(());
            }
            continue;
        }
        if part.is_last || last_look {
            return Ok(());
        }
        tokio::select! {
            () = poll_fn(|context| source.poll_news(context)) => {}
            () = parts.closed() => return Ok(()),
            _ = stopping.wait_for(|stopping| *stopping) => {}
            () = sleep_until(Instant::now() + HEARTBEAT) => {
                // A reader that has not taken the last part yet knows that the line is open.
                let _ = parts.try_send(Bytes::from_static(COMMENT));
            }
        }
    }
}

/// Waits until a source is over, for this time at most, and returns the last that it had to say.
pub(crate) async fn awaited(
    mut source: Box<dyn Source>,
    at_most: Duration,
    mut stopping: watch::Receiver<bool>,
) -> Result<Bytes, ApiError> {
    let deadline = Instant::now() + at_most;
    loop {
        let late = Instant::now() >= deadline || *stopping.borrow();
        let part;
        (source, part) = read(source).await?;
        if part.is_last || late {
            return Ok(part.bytes);
        }
        tokio::select! {
            () = poll_fn(|context| source.poll_news(context)) => {}
            () = sleep_until(deadline) => {}
            _ = stopping.wait_for(|stopping| *stopping) => {}
        }
    }
}

/// Reads a source on a thread that may block.
async fn read(mut source: Box<dyn Source>) -> Result<(Box<dyn Source>, Part), ApiError> {
    let span = Span::current();
    let read = spawn_blocking(move || span.in_scope(|| source.read().map(|part| (source, part))));
    read.await.unwrap_or_else(|error| {
        if error.is_cancelled() {
            Err(ApiError::shutting_down())
        } else {
            Err(ApiError::internal("the source of a stream panicked"))
        }
    })
}
