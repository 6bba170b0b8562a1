//! Bytes as they arrive, in batches that are worth a trip to a thread.

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::{AppendError, Incoming, Tap};

/// How many bytes a batch has before it is passed on. While one is being written
/// the next is received, so an upload never holds more than two.
const BATCH: usize = 512 << 10;

/// Smaller chunks are copied together: a client that sends single bytes must not
/// make us keep a buffer for each.
const SMALL: usize = 4 << 10;

/// Some bytes in order.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) chunks: Vec<Bytes>,
    pub(super) size: usize,
    /// Whether nothing comes after it.
    pub(super) is_last: bool,
}

/// Receives an upload.
pub(super) struct Intake<'a> {
    incoming: Incoming<'a>,
    tap: Option<&'a dyn Tap>,
    /// The most the upload may have, and how much of that is left.
    limit: u64,
    left: u64,
    ended: Option<Result<(), AppendError>>,
}

impl<'a> Intake<'a> {
    pub(super) fn new(
        incoming: Incoming<'a>,
        tap: Option<&'a dyn Tap>,
        received: u64,
        limit: u64,
    ) -> Self {
        Self {
            incoming,
            tap,
            limit,
            left: limit.saturating_sub(received),
            ended: None,
        }
    }

    /// The next batch: a full one, or all there is until the end.
    pub(super) async fn batch(&mut self) -> Batch {
        let mut batch = Batch::default();
        let mut small = BytesMut::new();
        while self.ended.is_none() && batch.size < BATCH {
            match self.incoming.next().await {
                None => self.ended = Some(Ok(())),
                Some(Err(error)) => self.ended = Some(Err(AppendError::Client(error))),
                Some(Ok(mut bytes)) => {
                    let left = usize::try_from(self.left).unwrap_or(usize::MAX);
                    if bytes.len() > left {
                        bytes.truncate(left);
                        let limit = self.limit;
                        self.ended = Some(Err(AppendError::TooLarge { limit }));
                    }
                    if bytes.is_empty() {
                        continue;
                    }
                    self.left -= bytes.len() as u64;
                    if let Some(tap) = self.tap {
                        tap.hear(&bytes);
                    }
                    batch.size += bytes.len();
                    if bytes.len() < SMALL {
                        small.extend_from_slice(&bytes);
                    } else {
                        if !small.is_empty() {
                            batch.chunks.push(small.split().freeze());
                        }
                        batch.chunks.push(bytes);
                    }
                }
            }
        }
        if !small.is_empty() {
            batch.chunks.push(small.freeze());
        }
        batch.is_last = self.ended.is_some();
        batch
    }

    /// How it ended.
    pub(super) fn ended(self) -> Result<(), AppendError> {
        self.ended.unwrap_or(Ok(()))
    }
}
