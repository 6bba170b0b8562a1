//! What is sent, and how far it has got.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

/// Bytes that go at once.
const PIECE: usize = 64 << 10;

/// Is told how many bytes have gone so far.
pub(super) type Sent = Arc<dyn Fn(u64) + Send + Sync>;

/// Bytes to send, as often as it takes.
#[derive(Clone)]
pub(super) struct Payload {
    bytes: Bytes,
    told: Option<Sent>,
}

impl Payload {
    pub(super) fn new(bytes: Bytes, told: Option<Sent>) -> Self {
        Self { bytes, told }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// A body that sends all of it, and the count of what has gone.
    pub(super) fn body(&self) -> (reqwest::Body, Arc<AtomicU64>) {
        let sent = Arc::new(AtomicU64::new(0));
        let body = Pieces {
            left: self.bytes.clone(),
            sent: Arc::clone(&sent),
            told: self.told.clone(),
        };
        (reqwest::Body::wrap(body), sent)
    }
}

struct Pieces {
    left: Bytes,
    sent: Arc<AtomicU64>,
    told: Option<Sent>,
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.left.len().min(PIECE);
        let piece = self.left.split_to(length);
        let sent = self.sent.fetch_add(length as u64, Ordering::Relaxed) + length as u64;
        if let Some(told) = &self.told {
            told(sent);
        }
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    // Known from the start, so that it is sent with its length: some registries
    // take no other.
    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
    }
}
