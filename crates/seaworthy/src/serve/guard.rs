//! Patience with clients: how long one may take for the first byte, and for the
//! next one.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// Bytes a second that a client must send on average, once it has been waited for
/// as long as for a single byte: less is not slow, it is a siege.
const LEAST_RATE: u64 = 128;

/// A wait that begins when somebody keeps us waiting.
struct Patience {
    most: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    since: Instant,
}

impl Patience {
    fn of(most: Duration) -> Self {
        Self {
            most,
            waiting: None,
            since: Instant::now(),
        }
    }

    /// They keep us waiting: ready when that was too long.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let waiting = self.waiting.get_or_insert_with(|| {
            self.since = Instant::now();
            Box::pin(sleep(self.most))
        });
        waiting.as_mut().poll(context)
    }

    /// They went on. How long they kept us waiting.
    fn end(&mut self) -> Duration {
        match self.waiting.take() {
            Some(_) => self.since.elapsed(),
            None => Duration::ZERO,
        }
    }
}

fn too_slow() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client is too slow")
}

/// A connection whose client must begin, and must take what it asked for.
pub(super) struct Guarded<T> {
    inner: T,
    first: Option<Patience>,
    taking: Patience,
}

impl<T> Guarded<T> {
    pub(super) fn new(inner: T, first: Duration, stall: Duration) -> Self {
        Self {
            inner,
            first: Some(Patience::of(first)),
            taking: Patience::of(stall),
        }
    }

    fn taken<R>(
        &mut self,
        context: &mut Context<'_>,
        poll: Poll<io::Result<R>>,
    ) -> Poll<io::Result<R>> {
        if poll.is_ready() {
            self.taking.end();
            return poll;
        }
        ready!(self.taking.wait(context));
        Poll::Ready(Err(too_slow()))
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.inner).poll_read(context, buffer);
        if poll.is_ready() {
            self.first = None;
        } else if let Some(first) = &mut self.first {
            ready!(first.wait(context));
            return Poll::Ready(Err(too_slow()));
        }
        poll
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.taken(context, poll)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.inner).poll_flush(context);
        self.taken(context, poll)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let poll = Pin::new(&mut self.inner).poll_shutdown(context);
        self.taken(context, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let poll = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.taken(context, poll)
    }
}

/// The body of a request, whose client must go on sending. Counts what came.
pub(super) struct Sent {
    inner: Incoming,
    patience: Patience,
    waited: Duration,
    bytes: u64,
    told: Box<dyn Fn(u64) + Send>,
}

impl Sent {
    /// `told` hears how many bytes came, piece by piece.
    pub(super) fn new(inner: Incoming, stall: Duration, told: Box<dyn Fn(u64) + Send>) -> Self {
        Self {
            inner,
            patience: Patience::of(stall),
            waited: Duration::ZERO,
            bytes: 0,
            told,
        }
    }

    fn is_besieging(&self) -> bool {
        self.waited > 2 * self.patience.most
            && self.bytes < self.waited.as_secs().saturating_mul(LEAST_RATE)
    }
}

impl Body for Sent {
    type Data = Bytes;
    type Error = Box<dyn std::error::Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let poll = Pin::new(&mut self.inner).poll_frame(context);
        let Poll::Ready(frame) = poll else {
            ready!(self.patience.wait(context));
            return Poll::Ready(Some(Err(too_slow().into())));
        };
        let waited = self.patience.end();
        self.waited += waited;
        if let Some(Ok(frame)) = &frame
            && let Some(data) = frame.data_ref()
        {
            let bytes = data.len() as u64;
            self.bytes += bytes;
            (self.told)(bytes);
        }
        if frame.is_some() && self.is_besieging() {
            return Poll::Ready(Some(Err(too_slow().into())));
        }
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
