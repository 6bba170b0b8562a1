//! Bytes that are what their digest says.

use std::io::{self, Read};

use seaworthy_core::Digest;
use sha2::{Digest as _, Sha256};

/// Hashes and counts what is read through it. What was made of the bytes counts
/// only once [`Verified::finish`] has agreed.
pub struct Verified<R> {
    inner: R,
    hash: Sha256,
    size: u64,
}

/// What the bytes should be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// Their digest, where one was stated.
    pub digest: Option<Digest>,
    /// Their number, where it was stated.
    pub size: Option<u64>,
}

/// Why bytes are not what they should be.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The rest of the bytes could not be read.
    #[error("cannot read the bytes to their end")]
    Read(#[source] io::Error),
    /// There are fewer or more than stated. Of more, only the first is counted.
    #[error("expected {expected} bytes, got {actual}")]
    Size {
        /// As stated.
        expected: u64,
        /// As read.
        actual: u64,
    },
    /// They are other bytes.
    #[error("expected {expected}, got {actual}")]
    Digest {
        /// As stated.
        expected: Digest,
        /// As read.
        actual: Digest,
    },
}

/// How much is read after the walk when nobody stated a size, so that an endless
/// stream ends.
const UNSTATED: u64 = 64 << 30;

impl<R: Read> Verified<R> {
    /// Reads `inner`, hashing.
    pub fn new(inner: R) -> Self {
        Self {
            inner,
            hash: Sha256::new(),
            size: 0,
        }
    }

    /// Bytes read so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Reads what is left and compares size and digest with what was stated.
    /// The answer is the digest of all bytes.
    pub fn finish(mut self, expected: &Expected) -> Result<Digest, VerifyError> {
        let limit = expected.size.unwrap_or(UNSTATED);
        let mut buffer = vec![0; 64 * 1024];
        // One byte past the stated size is enough to know that it is wrong.
        while self.size <= limit {
            match self.read(&mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(VerifyError::Read(error)),
            }
        }
        if self.size > limit || expected.size.is_some_and(|size| size != self.size) {
            return Err(VerifyError::Size {
                expected: limit,
                actual: self.size,
            });
        }
        let actual = Digest::from_sha256(self.hash.finalize().into());
        match &expected.digest {
            Some(expected) if *expected != actual => Err(VerifyError::Digest {
                expected: expected.clone(),
                actual,
            }),
            _ => Ok(actual),
        }
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        self.size = self.size.saturating_add(count as u64);
        Ok(count)
    }
}
