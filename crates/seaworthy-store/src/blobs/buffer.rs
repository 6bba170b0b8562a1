//! Buffers for reading that are used again: making a large one costs as much as
//! reading into it.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;

/// How many unused buffers are kept.
const SPARE: usize = 16;

/// Buffers of one size. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct Buffers {
    size: usize,
    spare: Arc<Mutex<Vec<Box<[u8]>>>>,
}

/// A buffer that goes back when nobody needs its bytes any more.
pub(super) struct Buffer {
    bytes: Box<[u8]>,
    home: Buffers,
}

impl Buffers {
    pub(super) fn of(size: usize) -> Self {
        let spare = Arc::default();
        Self { size, spare }
    }

    /// A buffer of at least `length` bytes. What is in it is left from before.
    pub(super) fn take(&self, length: usize) -> Buffer {
        // A small one is cheaper made than fetched, and holds no large one back.
        let is_small = length <= self.size / 8;
        let bytes = if is_small { None } else { self.spare().pop() };
        let size = if is_small { length } else { self.size };
        let bytes = bytes.filter(|bytes| bytes.len() >= length);
        Buffer {
            bytes: bytes.unwrap_or_else(|| vec![0; size.max(length)].into()),
            home: self.clone(),
        }
    }

    fn spare(&self) -> std::sync::MutexGuard<'_, Vec<Box<[u8]>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Buffer {
    /// To be read into.
    pub(super) fn first(&mut self, length: usize) -> &mut [u8] {
        self.bytes.get_mut(..length).unwrap_or_default()
    }

    /// The first `length` bytes, without copying them.
    pub(super) fn freeze(self, length: usize) -> Bytes {
        let bytes = Bytes::from_owner(self);
        bytes.slice(..length.min(bytes.len()))
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.bytes.len() == self.home.size {
            let mut spare = self.home.spare();
            if spare.len() < SPARE {
                spare.push(std::mem::take(&mut self.bytes));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_once_nobody_needs_its_bytes() {
        let buffers = Buffers::of(1000);
        let mut buffer = buffers.take(500);
        buffer.first(3).copy_from_slice(b"abc");
        let bytes = buffer.freeze(3);
        let part = bytes.slice(1..);
        drop(bytes);
        assert_eq!(buffers.spare().len(), 0);
        assert_eq!(&*part, b"bc");
        drop(part);
        assert_eq!(buffers.spare().len(), 1);
        let again = buffers.take(1000);
        assert_eq!(buffers.spare().len(), 0);
        drop((again, buffers.take(10), buffers.take(5000)));
        assert_eq!(buffers.spare().len(), 1);
    }
}
