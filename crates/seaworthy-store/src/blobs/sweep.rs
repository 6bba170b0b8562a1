//! What is known to be needed, and what was swept away because it is not.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use super::run::Kept;
use super::{Partial, Place};
use crate::trouble::StoreError;

/// What the catalog needs: everything else is bytes without meaning, left by
/// somebody who died halfway.
///
/// It keeps a hash of each name only. Two names with one hash leave a stray behind
/// until the next time, and never take what is needed.
#[derive(Debug, Default)]
pub struct Known {
    hasher: RandomState,
    uploads: HashSet<u64>,
    runs: HashSet<u64>,
}

/// What was swept away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Files or objects.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Known {
    /// An upload goes on: whatever carries its name is needed.
    pub fn upload(&mut self, partial: &Partial) -> Result<(), StoreError> {
        let draft = super::run::Draft::read(partial)?;
        self.uploads.insert(self.hasher.hash_one(&*draft.upload));
        Ok(())
    }

    /// A blob lies here, or is buried here and not yet removed.
    pub fn place(&mut self, place: &Place) -> Result<(), StoreError> {
        for run in Kept::read(place)?.runs {
            self.runs.insert(self.hasher.hash_one(&*run.name));
        }
        Ok(())
    }

    pub(super) fn holds(&self, upload: &str, run: &str) -> bool {
        self.uploads.contains(&self.hasher.hash_one(upload))
            || self.runs.contains(&self.hasher.hash_one(run))
    }
}
