//! One connection: HTTP/1 with keep-alive, and an end to every way of holding it open without use.

use std::fmt;
use std::io;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;

use crate::error::ApiError;
use crate::listen::{Peer, Stream};
use crate::request_id;
use crate::service::{Service, refuse_unread};

/// The most that the head of a request may have, before hyper reads on: one that is complete by then passes, up to twice
/// as long.
const MAX_HEAD_BYTES: usize = 64 << 10;

/// The headers that a request may have. It is hyper's own number: to set it, even to this, costs every request an
/// allocation.
pub(crate) const MAX_HEADERS: usize = 100;

/// What is read and thrown away after a head that was refused. What is unread when a socket is closed resets the
/// connection, and the answer may be lost with it.
const DRAINED_BYTES: usize = 1 << 20;

/// How long a client may take for what.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// For the head of a request, from its first byte; and for that first byte on a new connection.
    pub(crate) head: Duration,
    /// Between requests. Longer than clients keep their idle connections: one that is closed from here just as a
    /// request is sent is an error that the client cannot safely try again.
    pub(crate) idle: Duration,
    /// For taking any byte of an answer.
    pub(crate) stalled: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let [head, idle, stalled] = [10, 120, 60].map(Duration::from_secs);
        Self { head, idle, stalled }
    }
}

/// Serves a connection until either side is done with it. When `stop` changes, what is in flight is finished first.
pub(crate) async fn serve<C: Send + Sync + 'static>(
    stream: Box<dyn Stream>,
    service: Service<C>,
    timeouts: Timeouts,
    mut stop: watch::Receiver<()>,
) {
    let remote = service.remote;
    let pulse = service.pulse.clone();
    let io = TokioIo::new(Watched { stream, pulse: pulse.clone(), remote, refusal: None, drained: 0 });
    // hyper's own timeout is off: it counts the time between two requests like the time within a head, so that one
    // bound would have to serve for both.
    let connection =
        http1::Builder::new().header_read_timeout(None).max_buf_size(MAX_HEAD_BYTES).serve_connection(io, service);
    let mut connection = pin!(connection);
    let mut stopping = false;
    let every = timeouts.head.min(timeouts.stalled) / 4;
    let mut tick = tokio::time::interval(every);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(%remote, cause = crate::error::causes(&error), "a connection ended early");
                }
                return;
            }
            // An error is the end of the server, which is also a reason to stop.
            _ = stop.changed(), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            _ = tick.tick() => {
                if let Some(reason) = pulse.overdue(Instant::now(), timeouts) {
                    tracing::debug!(%remote, reason, "a connection was closed");
                    return;
                }
            }
        }
    }
}

/// Where a connection stands, as seen from its bytes and its requests.
#[derive(Debug)]
pub(crate) struct Pulse(Mutex<Vitals>);

#[derive(Debug)]
struct Vitals {
    phase: Phase,
    /// Since when the client has taken nothing of what is there for it.
    blocked: Option<Instant>,
    /// Whether a request was taken whose answer is not yet written to its end.
    owed: bool,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Between two requests.
    Idle(Instant),
    /// A head has begun.
    Head(Instant),
    /// A request is being served; its body has a bound of its own.
    Busy,
}

impl Pulse {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Vitals { phase: Phase::Head(Instant::now()), blocked: None, owed: false }))
    }

    /// A request has arrived.
    pub(crate) fn busy(&self) {
        let mut vitals = self.vitals();
        (vitals.phase, vitals.owed) = (Phase::Busy, true);
    }

    /// Its response is ready.
    pub(crate) fn idle(&self) {
        self.vitals().phase = Phase::Idle(Instant::now());
    }

    fn received(&self) {
        let mut vitals = self.vitals();
        if let Phase::Idle(_) = vitals.phase {
            vitals.phase = Phase::Head(Instant::now());
        }
    }

    fn sent(&self, progress: bool) {
        let mut vitals = self.vitals();
        if !progress {
            vitals.blocked.get_or_insert_with(Instant::now);
            return;
        }
        vitals.blocked = None;
        if let Phase::Idle(since) = &mut vitals.phase {
            *since = Instant::now();
        }
    }

    /// All that there was to write is written.
    fn flushed(&self) {
        let mut vitals = self.vitals();
        if !matches!(vitals.phase, Phase::Busy) {
            vitals.owed = false;
        }
    }

    /// Tells whether what is written is the answer to a request. What is not is hyper's own word on a head that it could not
    /// read.
    fn answers(&self) -> bool {
        self.vitals().owed
    }

    /// Returns why the connection should be closed, if it should.
    fn overdue(&self, now: Instant, timeouts: Timeouts) -> Option<&'static str> {
        let vitals = self.vitals();
        if vitals.blocked.is_some_and(|since| now.duration_since(since) > timeouts.stalled) {
            return Some("the client does not read its answer");
        }
        match vitals.phase {
            Phase::Idle(since) if now.duration_since(since) > timeouts.idle => Some("it was idle"),
            Phase::Head(since) if now.duration_since(since) > timeouts.head => {
                Some("the head of a request took too long")
            }
            _ => None,
        }
    }

    fn vitals(&self) -> MutexGuard<'_, Vitals> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket that tells the pulse what passes, and says why a head was refused.
///
/// To a head that it cannot read hyper answers with a status and nothing else, before any service is asked, and has no
/// hook for it. So these few bytes are told by the pulse from those of answers, and the envelope goes out in their place.
struct Watched {
    stream: Box<dyn Stream>,
    pulse: Arc<Pulse>,
    remote: Peer,
    /// What is left to be written of a refusal, once there is one.
    refusal: Option<Bytes>,
    drained: usize,
}

impl Watched {
    fn note<T>(&self, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        self.pulse.sent(written.is_ready());
        written
    }

    /// Writes the envelope in the place of a status of hyper's own; nothing when that is not what hyper writes.
    fn poll_refuse(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Option<Poll<io::Result<()>>> {
        if self.refusal.is_none() {
            if self.pulse.answers() {
                return None;
            }
            self.refusal = Some(refusal(bytes, self.remote)?);
        }
        let left = self.refusal.as_mut()?;
        while !left.is_empty() {
            match Pin::new(&mut *self.stream).poll_write(cx, left) {
                Poll::Ready(Ok(0)) => return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(count)) => left.advance(count),
                Poll::Ready(Err(error)) => return Some(Poll::Ready(Err(error))),
                Poll::Pending => return Some(Poll::Pending),
            }
        }
        Some(Poll::Ready(Ok(())))
    }

    /// Reads on until the client has seen the end, or has sent enough. How long it may take for that, the pulse says.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut scratch = [0; 4096];
        while self.drained < DRAINED_BYTES {
            let mut buffer = ReadBuf::new(&mut scratch);
            let read = ready!(Pin::new(&mut *self.stream).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                break;
            }
            self.drained += buffer.filled().len();
        }
        Poll::Ready(Ok(()))
    }
}

/// The envelope for a status that hyper answers by itself.
fn refusal(bytes: &[u8], remote: Peer) -> Option<Bytes> {
    let error = match bytes.strip_prefix(b"HTTP/1.")?.get(2..5)? {
        b"400" => ApiError::unreadable_head(),
        b"414" => ApiError::uri_too_long(),
        b"431" => ApiError::headers_too_large(MAX_HEAD_BYTES, MAX_HEADERS),
        _ => return None,
    };
    let id = request_id::of(&HeaderMap::new());
    let request_id = id.to_str().unwrap_or_default();
    tracing::info!(status = error.status().as_u16(), request_id, %remote, "the head of a request was refused");
    Some(refuse_unread(&error, id).into())
}

impl fmt::Debug for Watched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watched").field("pulse", &self.pulse).finish_non_exhaustive()
    }
}

impl AsyncRead for Watched {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut *self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.pulse.received();
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = match self.poll_refuse(cx, bytes) {
            Some(refused) => refused.map_ok(|()| bytes.len()),
            None => Pin::new(&mut *self.stream).poll_write(cx, bytes),
        };
        self.note(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = match self.poll_refuse(cx, slices.first().map_or(&[], |slice| slice)) {
            Some(refused) => refused.map_ok(|()| slices.iter().map(|slice| slice.len()).sum()),
            None => Pin::new(&mut *self.stream).poll_write_vectored(cx, slices),
        };
        self.note(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes a socket when it has nothing left to write to it.
        self.pulse.flushed();
        Pin::new(&mut *self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.drained == 0 {
            ready!(Pin::new(&mut *self.stream).poll_shutdown(cx))?;
        }
        if self.refusal.is_some() { self.poll_drain(cx) } else { Poll::Ready(Ok(())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_has_its_own_bound() {
        let timeouts = Timeouts::default();
        let after = |pulse: &Pulse, seconds| pulse.overdue(Instant::now() + Duration::from_secs(seconds), timeouts);
        let pulse = Pulse::new();
        assert_eq!((after(&pulse, 9), after(&pulse, 11)), (None, Some("the head of a request took too long")));
        pulse.busy();
        pulse.received();
        assert_eq!(after(&pulse, 100_000), None, "an execution may run long, whatever is sent meanwhile");
        pulse.idle();
        assert_eq!((after(&pulse, 119), after(&pulse, 121)), (None, Some("it was idle")));
        pulse.received();
        assert_eq!((after(&pulse, 9), after(&pulse, 11)), (None, Some("the head of a request took too long")));
        pulse.busy();
        pulse.sent(false);
        assert_eq!((after(&pulse, 59), after(&pulse, 61)), (None, Some("the client does not read its answer")));
        pulse.sent(true);
        assert_eq!(after(&pulse, 100_000), None);
    }
}
