//! Fetches one blob, and takes up a transfer that broke.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_RANGE, HeaderValue, RANGE};
use seaworthy_core::Digest;
use tokio::runtime::Handle;

use super::Line;
use super::failure::PullError;
use super::wire::{Answer, Request, content_length};
use crate::stream::{self, BlobReader, Feed};

/// How often one transfer is taken up in all. Each time it must have brought
/// something, or the count of retries ends it sooner.
const MOST_RESUMES: u32 = 100;

/// How long a transfer may be slower than the limit.
const SLOW: Duration = Duration::from_mins(1);

/// One transfer.
struct Transfer {
    line: Arc<Line>,
    repository: String,
    digest: Digest,
    size: u64,
    received: u64,
}

/// See [`super::Registry::blob`] and [`super::Registry::blob_from`].
pub(super) async fn open(
    line: Arc<Line>,
    runtime: &Handle,
    repository: &str,
    digest: &Digest,
    size: u64,
    from: u64,
) -> Result<BlobReader, PullError> {
    let limit = line.wire.limits().blob_bytes;
    let transfer = Transfer {
        line,
        repository: repository.to_owned(),
        digest: digest.clone(),
        size,
        received: from,
    };
    if size > limit {
        return Err(PullError::TooLarge {
            what: transfer.what(),
            limit,
        });
    }
    if from > 0 && from >= size {
        return Ok(stream::spawn(runtime, |_| async { Ok(()) }));
    }
    // The first answer is awaited here, so that what can be refused at once is.
    let (answer, skip) = transfer.ask().await?;
    Ok(stream::spawn(runtime, |feed| {
        transfer.run(answer, skip, feed)
    }))
}

impl Transfer {
    fn what(&self) -> String {
        format!("blob `{}`", self.digest)
    }

    /// Asks for what has not come yet. Answers with it, and with how many bytes
    /// at its start we have already.
    async fn ask(&self) -> Result<(Answer, u64), PullError> {
        let line = &self.line;
        let url = line.url(&self.repository, "blobs", &self.digest.to_string())?;
        let mut request = Request::get(url);
        // The bytes themselves: their digest is not that of a compressed form.
        request
            .headers
            .insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if self.received > 0
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={}-", self.received))
        {
            request.headers.insert(RANGE, range);
        }
        let answer = line.ask(&self.repository, request).await?;
        let status = answer.response.status().as_u16();
        let headers = answer.response.headers();
        let size = |found| PullError::Size {
            what: self.what(),
            host: answer.host.clone(),
            said: self.size,
            found,
        };
        let encoded = headers
            .get(CONTENT_ENCODING)
            .is_some_and(|value| value.as_bytes() != b"identity");
        match status {
            _ if encoded && matches!(status, 200 | 206) => Err(PullError::Status {
                host: answer.host,
                status,
            }),
            200 => match content_length(headers) {
                Some(found) if found != self.size => Err(size(found)),
                _ => Ok((answer, self.received)),
            },
            206 if self.received > 0 => {
                let start = headers
                    .get(CONTENT_RANGE)
                    .and_then(|value| value.to_str().ok())
                    .and_then(|text| text.strip_prefix("bytes "))
                    .and_then(|text| text.split_once('-'))
                    .and_then(|(start, _)| start.parse().ok());
                // Another start than ours would put the bytes in the wrong place.
                if start != Some(self.received) {
                    return Err(PullError::Status {
                        host: answer.host,
                        status,
                    });
                }
                Ok((answer, 0))
            }
            _ => {
                let missing = self.what();
                Err(line.unwanted(answer, &self.repository, missing).await)
            }
        }
    }

    async fn run(mut self, answer: Answer, skip: u64, feed: Feed) -> io::Result<()> {
        let mut next = Some((answer, skip));
        let mut resumes = 0;
        let mut fruitless = 0;
        loop {
            let before = self.received;
            let outcome = match next.take() {
                Some((answer, skip)) => self.receive(answer, skip, &feed).await,
                None => match self.ask().await {
                    Ok((answer, skip)) => self.receive(answer, skip, &feed).await,
                    Err(failure) => Err(failure),
                },
            };
            let failure = match outcome {
                Ok(()) => return Ok(()),
                // A registry that could not be reached just now was there before.
                Err(
                    failure @ (PullError::Broken { .. }
                    | PullError::Timeout { .. }
                    | PullError::Connect { .. }),
                ) => failure,
                Err(failure) => return Err(failure.into_io()),
            };
            let limits = self.line.wire.limits();
            resumes += 1;
            fruitless = if self.received > before {
                0
            } else {
                fruitless + 1
            };
            if resumes > MOST_RESUMES || fruitless > limits.retries {
                return Err(failure.into_io());
            }
            tracing::debug!(
                blob.digest = %self.digest,
                received_bytes = self.received,
                "the transfer of `{}` broke and is taken up again",
                self.digest
            );
            self.line.wire.pause(fruitless).await;
        }
    }

    /// Passes on what `answer` brings, without its first `skip` bytes.
    async fn receive(
        &mut self,
        answer: Answer,
        mut skip: u64,
        feed: &Feed,
    ) -> Result<(), PullError> {
        let Answer {
            mut response, host, ..
        } = answer;
        let mut pace = Pace::default();
        loop {
            let waited = Instant::now();
            let mut chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => break,
                Err(error) => return Err(self.line.wire.failed(&host, error)),
            };
            if pace.is_too_slow(
                waited.elapsed(),
                chunk.len() as u64,
                self.line.wire.limits().slowest,
            ) {
                return Err(PullError::Timeout { host });
            }
            let known = usize::try_from(skip).unwrap_or(usize::MAX).min(chunk.len());
            let _ = chunk.split_to(known);
            skip -= known as u64;
            let total = self.received.saturating_add(chunk.len() as u64);
            if total > self.size {
                return Err(PullError::Size {
                    what: self.what(),
                    host,
                    said: self.size,
                    found: total,
                });
            }
            if feed.send(chunk).await.is_err() {
                // Nobody reads any more.
                return Ok(());
            }
            self.received = total;
        }
        if self.received < self.size {
            // An answer without a length that ended early looks like one that
            // is complete.
            return Err(PullError::Broken { host, source: None });
        }
        Ok(())
    }
}

/// Watches that bytes come faster than a trickle.
#[derive(Default)]
struct Pace {
    waited: Duration,
    bytes: u64,
}

impl Pace {
    fn is_too_slow(&mut self, waited: Duration, bytes: u64, slowest: u64) -> bool {
        self.waited = self.waited.saturating_add(waited);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.waited < SLOW {
            return false;
        }
        let too_slow = self.bytes < slowest.saturating_mul(SLOW.as_secs());
        *self = Self::default();
        too_slow
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trickle_is_noticed_after_a_minute() {
        let mut pace = Pace::default();
        let second = Duration::from_secs(1);
        let noticed = (0..120).position(|_| pace.is_too_slow(second, 10, 1024));
        assert_eq!(noticed, Some(59));
        let mut pace = Pace::default();
        assert!((0..600).all(|_| !pace.is_too_slow(second, 2048, 1024)));
    }
}
