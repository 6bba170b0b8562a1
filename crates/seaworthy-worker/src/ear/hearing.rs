//! One upload, from the side that sends and the side that reads.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use seaworthy_core::Digest;
use seaworthy_store::Tap;

/// How long a reader waits for the next bytes of a client.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a piece takes in memory beside its bytes.
const PIECE: usize = 64;

/// How many bytes tell a tar from anything else.
const TELLING: usize = 262;

/// The bytes of an upload on their way to a reader.
pub(super) struct Hearing {
    state: Mutex<State>,
    changed: Condvar,
    most: usize,
    most_of_all: usize,
    /// Bytes of all uploads that wait.
    waiting: Arc<AtomicUsize>,
    /// Called once, when the bytes turned out to be a layer.
    start: Box<dyn Fn() + Send + Sync>,
}

struct State {
    queue: VecDeque<Bytes>,
    /// What the queue takes in memory.
    queued: usize,
    heard: u64,
    stage: Stage,
}

enum Stage {
    /// Nobody knows yet what it is.
    Sniffing,
    /// It is a layer, and more may come.
    Reading,
    /// The upload proved this digest, and no more comes.
    Ended(Digest),
    /// Nobody reads.
    GaveUp,
}

impl Hearing {
    pub(super) fn new(
        most: usize,
        most_of_all: usize,
        waiting: Arc<AtomicUsize>,
        start: Box<dyn Fn() + Send + Sync>,
    ) -> Self {
        Self {
            state: Mutex::new(State {
                queue: VecDeque::new(),
                queued: 0,
                heard: 0,
                stage: Stage::Sniffing,
            }),
            changed: Condvar::new(),
            most,
            most_of_all,
            waiting,
            start,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many bytes were heard; none where nobody listens any more.
    pub(super) fn heard(&self) -> Option<u64> {
        let state = self.state();
        match state.stage {
            Stage::Sniffing | Stage::Reading => Some(state.heard),
            Stage::Ended(_) | Stage::GaveUp => None,
        }
    }

    /// The upload proved its digest. Answers whether somebody reads it to its end.
    pub(super) fn end(&self, digest: Digest) -> bool {
        let mut state = self.state();
        let is_read = matches!(state.stage, Stage::Reading);
        if is_read {
            state.stage = Stage::Ended(digest);
        } else {
            self.drop_all(&mut state);
        }
        self.changed.notify_all();
        is_read
    }

    /// Nobody reads this any more. What the upload proved stays known.
    pub(super) fn give_up(&self) {
        let mut state = self.state();
        let ended = match &state.stage {
            Stage::Ended(digest) => Some(digest.clone()),
            Stage::Sniffing | Stage::Reading | Stage::GaveUp => None,
        };
        self.drop_all(&mut state);
        if let Some(digest) = ended {
            state.stage = Stage::Ended(digest);
        }
        self.changed.notify_all();
    }

    /// The end, as the reader learns it: the digest that the upload proved, and how
    /// many bytes it has. What comes later comes too late.
    pub(super) fn close(&self) -> Option<(Digest, u64)> {
        let mut state = self.state();
        let end = match &state.stage {
            Stage::Ended(digest) => Some((digest.clone(), state.heard)),
            Stage::Sniffing | Stage::Reading | Stage::GaveUp => None,
        };
        self.drop_all(&mut state);
        end
    }

    fn drop_all(&self, state: &mut State) {
        state.queue.clear();
        self.waiting.fetch_sub(state.queued, Ordering::Relaxed);
        state.queued = 0;
        state.stage = Stage::GaveUp;
    }

    /// The bytes for a reader that may wait.
    pub(super) fn reader(self: &Arc<Self>) -> HearingReader {
        HearingReader {
            hearing: Arc::clone(self),
            piece: Bytes::new(),
        }
    }
}

impl Drop for Hearing {
    fn drop(&mut self) {
        let queued = self.state().queued;
        self.waiting.fetch_sub(queued, Ordering::Relaxed);
    }
}

impl Tap for Hearing {
    fn hear(&self, bytes: &Bytes) {
        let mut state = self.state();
        let is_new = match state.stage {
            Stage::Sniffing => true,
            Stage::Reading => false,
            Stage::Ended(_) | Stage::GaveUp => return,
        };
        let cost = bytes.len().saturating_add(PIECE);
        let of_all = self.waiting.fetch_add(cost, Ordering::Relaxed);
        state.queued += cost;
        if state.queued > self.most || of_all.saturating_add(cost) > self.most_of_all {
            self.drop_all(&mut state);
            self.changed.notify_all();
            return;
        }
        state.heard += bytes.len() as u64;
        state.queue.push_back(bytes.clone());
        if !is_new {
            self.changed.notify_one();
            return;
        }
        match looks_like_a_layer(&state.queue) {
            Some(true) => {
                state.stage = Stage::Reading;
                drop(state);
                (self.start)();
            }
            Some(false) => self.drop_all(&mut state),
            None => {}
        }
    }
}

/// Whether the bytes begin as gzip, zstd or tar does; none where more are needed.
fn looks_like_a_layer(queue: &VecDeque<Bytes>) -> Option<bool> {
    let head: Vec<u8> = queue
        .iter()
        .flat_map(|piece| piece.iter().copied())
        .take(TELLING)
        .collect();
    if head.len() < 4 {
        return None;
    }
    if head.starts_with(&[0x1f, 0x8b]) || head.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return Some(true);
    }
    if head.len() < TELLING {
        // JSON begins with a bracket, and the name of a tar's first file does not.
        return head.starts_with(b"{").then_some(false);
    }
    Some(head.get(257..262) == Some(b"ustar"))
}

/// Reads what is heard.
pub(super) struct HearingReader {
    hearing: Arc<Hearing>,
    piece: Bytes,
}

impl Read for HearingReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            let mut state = self.hearing.state();
            if let Some(piece) = state.queue.pop_front() {
                let cost = piece.len() + PIECE;
                state.queued -= cost;
                self.hearing.waiting.fetch_sub(cost, Ordering::Relaxed);
                self.piece = piece;
                continue;
            }
            match state.stage {
                Stage::Ended(_) => return Ok(0),
                Stage::GaveUp => return Err(io::ErrorKind::BrokenPipe.into()),
                Stage::Sniffing | Stage::Reading => {}
            }
            let waits = |state: &mut State| {
                state.queue.is_empty() && matches!(state.stage, Stage::Sniffing | Stage::Reading)
            };
            let (state, ended) = self
                .hearing
                .changed
                .wait_timeout_while(state, PATIENCE, waits)
                .unwrap_or_else(PoisonError::into_inner);
            drop(state);
            if ended.timed_out() {
                self.hearing.give_up();
            }
        }
        let count = self.piece.len().min(buffer.len());
        let into = buffer.get_mut(..count).unwrap_or_default();
        self.piece.copy_to_slice(into);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;

    fn digest() -> Digest {
        Digest::from_sha256([7; 32])
    }

    fn hearing(most: usize) -> (Arc<Hearing>, Arc<AtomicUsize>, Arc<AtomicBool>) {
        let waiting = Arc::new(AtomicUsize::new(0));
        let started = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&started);
        let start = Box::new(move || flag.store(true, Ordering::SeqCst));
        let hearing = Hearing::new(most, 1 << 20, Arc::clone(&waiting), start);
        (Arc::new(hearing), waiting, started)
    }

    #[test]
    fn what_is_heard_is_read_in_order_and_nothing_waits_afterwards() {
        let (hearing, waiting, started) = hearing(1000);
        for piece in [&b"\x1f\x8b"[..], b"ab", b"cd"] {
            hearing.hear(&Bytes::from_static(piece));
        }
        assert!(started.load(Ordering::SeqCst));
        assert_eq!(hearing.heard(), Some(6));
        assert!(hearing.end(digest()));
        let mut read = Vec::new();
        hearing.reader().read_to_end(&mut read).expect("reads");
        assert_eq!(read, b"\x1f\x8babcd");
        assert_eq!(hearing.close(), Some((digest(), 6)));
        assert_eq!(waiting.load(Ordering::SeqCst), 0);
    }

    #[test]
    fn what_is_no_layer_or_comes_too_fast_is_not_listened_to() {
        let json = &b"{\"a\":1}"[..];
        let plain = &[b'a'; 300][..];
        let fast = &[0x1f, 0x8b, 0, 0, 0][..];
        for (bytes, most) in [(json, 1000), (plain, 1000), (fast, 4)] {
            let (hearing, waiting, started) = hearing(most);
            hearing.hear(&Bytes::copy_from_slice(bytes));
            assert_eq!(hearing.heard(), None, "{bytes:?}");
            assert!(!started.load(Ordering::SeqCst));
            assert!(!hearing.end(digest()));
            assert_eq!(waiting.load(Ordering::SeqCst), 0);
        }
    }

    #[test]
    fn a_reader_learns_that_the_upload_came_to_nothing() {
        let (hearing, ..) = hearing(1000);
        hearing.hear(&Bytes::from_static(b"\x1f\x8bab"));
        hearing.give_up();
        let read = hearing.reader().read(&mut [0; 10]);
        assert!(read.is_err());
        assert_eq!(hearing.close(), None);
    }
}
