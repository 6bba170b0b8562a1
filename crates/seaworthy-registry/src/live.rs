//! Uploads that receive bytes at this moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedMutexGuard, oneshot};

/// Lets one request at a time write to an upload. A client whose connection broke
/// comes back while we still wait for the rest of its last request; so whoever comes
/// later makes the earlier one stop with what it has.
#[derive(Debug, Default)]
pub(crate) struct Live(Mutex<HashMap<Box<str>, Entry>>);

#[derive(Debug, Default)]
struct Entry {
    turn: Arc<tokio::sync::Mutex<()>>,
    stop: Option<oneshot::Sender<()>>,
    claims: usize,
}

/// The right to write to an upload, until dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    live: Arc<Live>,
    upload: Box<str>,
    guard: Option<OwnedMutexGuard<()>>,
    stopped: Option<oneshot::Receiver<()>>,
}

impl Live {
    /// Stops whoever writes to `upload`, and waits until they did.
    pub(crate) async fn turn(self: &Arc<Self>, upload: &str) -> Turn {
        let (sender, stopped) = oneshot::channel();
        let lock = {
            let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let entry = entries.entry(upload.into()).or_default();
            entry.claims += 1;
            if let Some(earlier) = entry.stop.replace(sender) {
                // Who is done already does not listen.
                let _ = earlier.send(());
            }
            Arc::clone(&entry.turn)
        };
        let mut turn = Turn {
            live: Arc::clone(self),
            upload: upload.into(),
            guard: None,
            stopped: Some(stopped),
        };
        turn.guard = Some(lock.lock_owned().await);
        turn
    }
}

impl Turn {
    /// What resolves when somebody else wants to write.
    pub(crate) fn stopped(&mut self) -> Option<oneshot::Receiver<()>> {
        self.stopped.take()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.guard = None;
        let mut entries = self.live.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = entries.get_mut(&self.upload) {
            entry.claims -= 1;
            if entry.claims == 0 {
                entries.remove(&self.upload);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_later_request_makes_the_earlier_one_stop_and_nothing_is_left_behind() {
        let live = Arc::new(Live::default());
        let mut first = live.turn("u").await;
        let stopped = first.stopped().expect("not taken yet");
        let second = tokio::spawn({
            let live = Arc::clone(&live);
            async move { live.turn("u").await }
        });
        stopped.await.expect("the second request says so");
        drop(first);
        drop(second.await.expect("no panic"));
        assert!(live.0.lock().expect("no panic").is_empty());
    }
}
