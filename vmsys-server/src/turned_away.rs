//! Connections past the limit: they are told so, as far as that costs little.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::error::ApiError;
use crate::listen::{Peer, Stream};
use crate::request_id;
use crate::service::refuse_unread;

/// Connections that are being told at once; others are closed without a word.
const AT_ONCE: usize = 64;

/// How long a client may take to send its request, and again to take its answer.
const EACH: Duration = Duration::from_secs(1);

/// The bytes that are read of a request, and again after the answer to it.
const READ: u64 = 64 << 10;

/// Whoever comes while there are as many connections as there may be.
#[derive(Debug)]
pub(crate) struct TurnedAway {
    most: usize,
    places: Arc<Semaphore>,
}

impl TurnedAway {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, places: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Answers 429 to whatever it is that the client asks, and closes.
    pub(crate) fn say_why(&self, mut stream: Box<dyn Stream>, remote: Peer) {
        let place = self.places.clone().try_acquire_owned();
        tracing::warn!(%remote, most = self.most, told = place.is_ok(), "a connection was turned away: there are too many");
        let Ok(place) = place else { return };
        let answer = refuse_unread(&ApiError::too_many_connections(self.most), request_id::of(&HeaderMap::new()));
        tokio::spawn(async move {
            // To answer before there is a request would confuse clients.
            let _ = timeout(EACH, read_head(&mut stream)).await;
            let told = async {
                stream.write_all(&answer).await?;
                stream.shutdown().await?;
                // What is unread when a socket is closed resets the connection, and the answer may be lost with it.
                tokio::io::copy(&mut stream.take(READ), &mut tokio::io::sink()).await
            };
            let _ = timeout(EACH, told).await;
            drop(place);
        });
    }
}

async fn read_head(stream: &mut Box<dyn Stream>) {
    let (mut head, mut stream) = (Vec::new(), stream.take(READ));
    while let Ok(count @ 1..) = stream.read_buf(&mut head).await {
        let new = head.len().saturating_sub(count + 3);
        if head[new..].windows(4).any(|window| window == b"\r\n\r\n") {
            return;
        }
    }
}
