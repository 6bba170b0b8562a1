//! Layers that are read while they are uploaded.
//!
//! The registry tells an [`Ear`] of every upload. What begins like a layer is read by
//! one of a few threads while its bytes arrive. When the upload has proved its digest
//! and the bytes that were heard have the same one, the records are remembered, so
//! that a scan finds them there as soon as the manifest is pushed.
//!
//! An upload is never slowed and never fails because of this: bytes wait in a bounded
//! queue, and a reader that falls behind gives up. Then the scan reads the layer as it
//! would have without.

mod hearing;

use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread;

use seaworthy_image::{Expected, Verified};
use seaworthy_scan::{LayerMemory as _, LayerReader};
use seaworthy_store::{Address, Database, Listener, Scans, Tap};
use tokio::runtime::Handle;

use crate::memory::Memory;
use hearing::Hearing;

/// The most uploads that are listened to. Those beyond are read after they ended.
const MOST_UPLOADS: usize = 1000;

/// How an [`Ear`] listens.
#[derive(Clone, Copy, Debug)]
pub struct EarOptions {
    /// How many layers are read at once. A slow client keeps one of them waiting, so
    /// there may be some more than cores.
    pub readers: usize,
    /// How many bytes of one upload may wait to be read.
    pub most_of_upload: usize,
    /// How many bytes of all uploads may wait to be read.
    pub most_of_all: usize,
}

impl Default for EarOptions {
    fn default() -> Self {
        Self {
            readers: 8,
            most_of_upload: 32 << 20,
            most_of_all: 128 << 20,
        }
    }
}

/// Listens to uploads and reads layers while they arrive.
pub struct Ear {
    inner: Arc<Inner>,
}

struct Inner {
    memory: Memory,
    reader: Arc<dyn LayerReader + Send + Sync>,
    options: EarOptions,
    uploads: Mutex<HashMap<Box<str>, Arc<Hearing>>>,
    /// What waits for a thread.
    line: Mutex<Line>,
    arrived: Condvar,
    /// Bytes of all uploads that wait to be read.
    waiting: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Line {
    hearings: std::collections::VecDeque<Arc<Hearing>>,
    threads: usize,
    idle: usize,
}

impl Ear {
    /// An ear that remembers in `database` what `reader` reads. It needs the runtime
    /// it is made in.
    pub fn new(
        database: &Database,
        reader: Arc<dyn LayerReader + Send + Sync>,
        options: EarOptions,
    ) -> Self {
        let memory = Memory::of(Scans::of(database), Handle::current());
        Self {
            inner: Arc::new(Inner {
                memory,
                reader,
                options,
                uploads: Mutex::default(),
                line: Mutex::default(),
                arrived: Condvar::new(),
                waiting: Arc::default(),
            }),
        }
    }

    /// Where what was heard is remembered.
    pub(crate) fn memory(&self) -> &Memory {
        &self.inner.memory
    }

    fn take(&self, upload: &str) -> Option<Arc<Hearing>> {
        let mut uploads = lock(&self.inner.uploads);
        uploads.remove(upload)
    }
}

impl Drop for Ear {
    /// Threads that have nothing to read end.
    fn drop(&mut self) {
        self.inner.arrived.notify_all();
    }
}

impl Listener for Ear {
    fn begin(&self, upload: &str, offset: u64) -> Option<Arc<dyn Tap>> {
        let mut uploads = lock(&self.inner.uploads);
        if offset > 0 {
            let hearing = uploads.get(upload)?;
            if hearing.heard() == Some(offset) {
                return Some(Arc::clone(hearing) as Arc<dyn Tap>);
            }
            // What was heard is not what was kept.
            if let Some(hearing) = uploads.remove(upload) {
                hearing.give_up();
            }
            return None;
        }
        if uploads.len() >= MOST_UPLOADS {
            uploads.retain(|_, hearing| hearing.heard().is_some());
            if uploads.len() >= MOST_UPLOADS {
                return None;
            }
        }
        let inner: Weak<Inner> = Arc::downgrade(&self.inner);
        let hearing = Arc::new_cyclic(|this: &Weak<Hearing>| {
            let this = this.clone();
            Hearing::new(
                self.inner.options.most_of_upload,
                self.inner.options.most_of_all,
                Arc::clone(&self.inner.waiting),
                Box::new(move || {
                    if let (Some(inner), Some(hearing)) = (inner.upgrade(), this.upgrade()) {
                        enqueue(&inner, hearing);
                    }
                }),
            )
        });
        if let Some(before) = uploads.insert(upload.into(), Arc::clone(&hearing)) {
            before.give_up();
        }
        Some(hearing)
    }

    fn finished(&self, upload: &str, address: &Address) {
        let Some(hearing) = self.take(upload) else {
            return;
        };
        match address.as_digest() {
            Some(digest) => {
                // Before it can end: whoever asks from now on waits.
                self.inner.memory.pending().begin(&digest);
                if !hearing.end(digest.clone()) {
                    self.inner.memory.pending().end(&digest);
                }
            }
            None => hearing.give_up(),
        }
    }

    fn abandoned(&self, upload: &str) {
        if let Some(hearing) = self.take(upload) {
            hearing.give_up();
        }
    }
}

/// Lets the next free thread read what is heard; there is one more where all are busy
/// and there may be more.
fn enqueue(inner: &Arc<Inner>, hearing: Arc<Hearing>) {
    let mut line = lock(&inner.line);
    line.hearings.push_back(hearing);
    if line.idle >= line.hearings.len() || line.threads >= inner.options.readers.max(1) {
        inner.arrived.notify_one();
        return;
    }
    let theirs = Arc::clone(inner);
    let started = thread::Builder::new()
        .name("ear".to_owned())
        .spawn(move || work(&theirs));
    match started {
        Ok(_) => line.threads += 1,
        Err(error) => tracing::debug!(%error, "cannot start a thread that listens"),
    }
}

/// How long a thread without work stays.
const IDLE: std::time::Duration = std::time::Duration::from_secs(30);

/// One thread: reads one upload after the other.
fn work(inner: &Inner) {
    loop {
        let mut line = lock(&inner.line);
        if line.hearings.is_empty() {
            line.idle += 1;
            let (next, _) = inner
                .arrived
                .wait_timeout_while(line, IDLE, |line| line.hearings.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            line = next;
            line.idle -= 1;
        }
        let Some(hearing) = line.hearings.pop_front() else {
            line.threads -= 1;
            return;
        };
        drop(line);
        read(inner, &hearing);
    }
}

/// Reads a layer while it arrives, and remembers what is in it once both its own bytes
/// and the upload have the same digest.
fn read(inner: &Inner, hearing: &Arc<Hearing>) {
    let mut bytes = Verified::new(hearing.reader());
    let read = inner.reader.read_layer(&mut bytes);
    if read.is_err() {
        // A scan reads it again and says what is wrong with it.
        hearing.give_up();
    }
    let heard = bytes.finish(&Expected::default());
    let Some((proved, size)) = hearing.close() else {
        return;
    };
    if let (Ok(records), Ok(heard)) = (&read, &heard)
        && *heard == proved
    {
        inner.memory.remember(&proved, size, records);
    }
    inner.memory.pending().end(&proved);
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
