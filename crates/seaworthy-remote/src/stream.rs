//! Bytes that arrive over the network, as a reader for threads that wait.
//!
//! The rooms that inflate and walk layers are synchronous. A task of the async
//! runtime feeds a [`BlobReader`], which such a thread reads. Between the two
//! lies about a mebibyte at most: a slow reader stops the task, the task stops
//! reading its socket, and the sender waits.

use std::future::Future;
use std::io::{self, BufRead, Read};
use std::sync::{Arc, mpsc};

use bytes::Bytes;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::AbortHandle;

/// Bytes that may wait between the task and the reader.
const IN_FLIGHT: u32 = 1 << 20;

/// The least that a chunk counts for. A chunk of one byte still occupies a
/// queue slot and may keep the network buffer alive that it was cut from.
const LEAST: u32 = 16 << 10;

/// A stream of bytes from a registry or an engine.
///
/// Reading waits for the network, so read it on a thread of its own (or in
/// `spawn_blocking`), never on a thread that drives the async runtime. It gives
/// the bytes as they were sent: **nothing here proves a digest**, that is the
/// duty of whoever reads to the end. A stream that breaks ends in an error,
/// never in a quiet end of file. Dropping the reader ends the transfer.
#[derive(Debug)]
pub struct BlobReader {
    chunks: mpsc::Receiver<Event>,
    current: Bytes,
    /// Holds the room of `current` in the queue until it is used up.
    room: Option<OwnedSemaphorePermit>,
    ended: bool,
    task: AbortHandle,
}

#[derive(Debug)]
enum Event {
    Chunk(Bytes, OwnedSemaphorePermit),
    Failed(io::Error),
    End,
}

/// The task's end of a [`BlobReader`].
#[derive(Debug)]
pub(crate) struct Feed {
    events: mpsc::Sender<Event>,
    room: Arc<Semaphore>,
}

/// The reader was dropped, so there is nobody to send to.
#[derive(Debug)]
pub(crate) struct Gone;

impl Feed {
    /// Hands `bytes` over as soon as there is room for them.
    pub(crate) async fn send(&self, bytes: Bytes) -> Result<(), Gone> {
        if bytes.is_empty() {
            return Ok(());
        }
        let weight = u32::try_from(bytes.len())
            .unwrap_or(IN_FLIGHT)
            .clamp(LEAST, IN_FLIGHT);
        let room = Arc::clone(&self.room)
            .acquire_many_owned(weight)
            .await
            .map_err(|_| Gone)?;
        self.events
            .send(Event::Chunk(bytes, room))
            .map_err(|_| Gone)
    }
}

/// Starts a task on `runtime` that runs `source` with the writing end, and
/// returns the reading end. What `source` answers is how the stream ends.
pub(crate) fn spawn<Source, Running>(runtime: &Handle, source: Source) -> BlobReader
where
    Source: FnOnce(Feed) -> Running,
    Running: Future<Output = io::Result<()>> + Send + 'static,
{
    let (events, chunks) = mpsc::channel();
    let last_word = events.clone();
    let running = source(Feed {
        events,
        room: Arc::new(Semaphore::new(IN_FLIGHT as usize)),
    });
    let task = runtime.spawn(async move {
        let event = match running.await {
            Ok(()) => Event::End,
            Err(error) => Event::Failed(error),
        };
        // A reader that is gone needs no last word.
        let _ = last_word.send(event);
    });
    BlobReader {
        chunks,
        current: Bytes::new(),
        room: None,
        ended: false,
        task: task.abort_handle(),
    }
}

impl BufRead for BlobReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.current.is_empty() && !self.ended {
            self.room = None;
            match self.chunks.recv() {
                Ok(Event::Chunk(bytes, room)) => {
                    self.current = bytes;
                    self.room = Some(room);
                }
                Ok(Event::End) => self.ended = true,
                Ok(Event::Failed(error)) => {
                    self.ended = true;
                    return Err(error);
                }
                // The runtime was shut down under us. Without the last word
                // nobody knows whether these were all the bytes.
                Err(mpsc::RecvError) => {
                    return Err(io::Error::new(
                        io::ErrorKind::BrokenPipe,
                        "the transfer was stopped before its end",
                    ));
                }
            }
        }
        Ok(&self.current)
    }

    fn consume(&mut self, amount: usize) {
        let amount = amount.min(self.current.len());
        let _ = self.current.split_to(amount);
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let ready = self.fill_buf()?;
        let amount = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..amount), ready.get(..amount)) {
            to.copy_from_slice(from);
        }
        self.consume(amount);
        Ok(amount)
    }
}

impl Drop for BlobReader {
    fn drop(&mut self) {
        self.task.abort();
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .build()
            .unwrap()
    }

    #[test]
    fn all_bytes_arrive_in_order() {
        let runtime = runtime();
        let mut reader = spawn(runtime.handle(), |feed| async move {
            for number in 0..100_u8 {
                feed.send(Bytes::from(vec![number; 50_000])).await.ok();
            }
            Ok(())
        });
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), 5_000_000);
        assert!(
            bytes
                .chunks(50_000)
                .zip(0_u8..)
                .all(|(chunk, number)| { chunk.iter().all(|byte| *byte == number) })
        );
        assert_eq!(
            reader.read(&mut [0; 8]).unwrap(),
            0,
            "the end stays the end"
        );
    }

    #[test]
    fn a_slow_reader_holds_the_sender_back() {
        let runtime = runtime();
        let sent = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&sent);
        let mut reader = spawn(runtime.handle(), |feed| async move {
            // Tiny chunks: the count of waiting chunks is bounded, too.
            while feed.send(Bytes::from_static(b"x")).await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        });
        for _ in 0..1000 {
            assert_eq!(reader.read(&mut [0; 1]).unwrap(), 1);
        }
        let ceiling = 1000 + (IN_FLIGHT / LEAST) as usize;
        assert!(sent.load(Ordering::SeqCst) <= ceiling);
        drop(reader);
    }

    #[test]
    fn a_broken_stream_is_an_error_not_an_end() {
        let runtime = runtime();
        let mut reader = spawn(runtime.handle(), |feed| async move {
            feed.send(Bytes::from_static(b"half")).await.ok();
            Err(io::Error::other("cut"))
        });
        let mut bytes = Vec::new();
        let error = reader.read_to_end(&mut bytes).unwrap_err();
        assert_eq!((&*bytes, error.to_string()), (&b"half"[..], "cut".into()));
    }

    #[test]
    fn a_runtime_that_stops_is_an_error_not_an_end() {
        let runtime = runtime();
        let mut reader = spawn(runtime.handle(), |feed| async move {
            feed.send(Bytes::from_static(b"half")).await.ok();
            std::future::pending::<()>().await;
            drop(feed);
            Ok(())
        });
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), 4);
        runtime.shutdown_background();
        let error = reader.read(&mut [0; 8]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    }
}
