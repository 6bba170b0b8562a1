//! What clients send, as slowly as they like but not slower than we do.

use std::future::Future as _;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt as _};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::{Instant, Sleep, sleep, timeout_at};

use crate::fault::Fault;

/// How many bytes must arrive while we are [patient](crate::options::Limits::idle).
const LEAST: usize = 1024;

/// Up to here a body is read without asking how many others are.
const SMALL: usize = 64 << 10;

/// A larger body arrives within so many patiences: others wait for its place.
const LARGE: u32 = 2;

/// The bytes of a body. It ends with an error where the client breaks off, sends
/// (almost) nothing for too long, or somebody wants it to stop.
pub(crate) struct Incoming {
    body: Body,
    patience: Duration,
    window: Pin<Box<Sleep>>,
    in_window: usize,
    stopped: Option<oneshot::Receiver<()>>,
}

impl Incoming {
    pub(crate) fn of(
        body: Body,
        patience: Duration,
        stopped: Option<oneshot::Receiver<()>>,
    ) -> Self {
        Self {
            body,
            patience,
            window: Box::pin(sleep(patience)),
            in_window: 0,
            stopped,
        }
    }

    fn is_stopped(&mut self, context: &mut Context<'_>) -> bool {
        let Some(stopped) = &mut self.stopped else {
            return false;
        };
        match Pin::new(stopped).poll(context) {
            Poll::Ready(told) => {
                self.stopped = None;
                told.is_ok()
            }
            Poll::Pending => false,
        }
    }
}

impl Stream for Incoming {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            match Pin::new(&mut self.body).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    self.in_window = self.in_window.saturating_add(data.len());
                    return Poll::Ready(Some(Ok(data)));
                }
                Poll::Ready(Some(Err(error))) => {
                    return Poll::Ready(Some(Err(io::Error::other(error))));
                }
                Poll::Ready(None) => return Poll::Ready(None),
                Poll::Pending => {}
            }
            if self.is_stopped(context) {
                let error = io::Error::new(io::ErrorKind::Interrupted, "another request goes on");
                return Poll::Ready(Some(Err(error)));
            }
            if self.window.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            if self.in_window < LEAST {
                return Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())));
            }
            self.in_window = 0;
            let next = Instant::now() + self.patience;
            self.window.as_mut().reset(next);
        }
    }
}

/// Reads a whole body of up to `limit` bytes; `None` where it has more. Large ones
/// wait for a permit of `large`, so that many of them don't fill the memory.
pub(crate) async fn whole(
    body: Body,
    limit: usize,
    patience: Duration,
    large: &Semaphore,
) -> Result<Option<Bytes>, Fault> {
    let mut incoming = Incoming::of(body, patience, None);
    let mut read = BytesMut::new();
    let mut permit = None;
    let mut due = None;
    loop {
        let next = incoming.next();
        let next = match due {
            Some(due) => timeout_at(due, next).await.map_err(|_| Fault::TooSlow)?,
            None => next.await,
        };
        let Some(chunk) = next else { break };
        let chunk = chunk.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Fault::TooSlow,
            _ => Fault::Upload("the body broke off"),
        })?;
        if read.len() + chunk.len() > limit {
            return Ok(None);
        }
        if permit.is_none() && read.len() + chunk.len() > SMALL {
            permit = large.acquire().await.ok();
            due = Some(Instant::now() + patience * LARGE);
        }
        read.extend_from_slice(&chunk);
    }
    Ok(Some(read.freeze()))
}
