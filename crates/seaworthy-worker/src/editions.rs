//! The edition that images are compared with.

use std::sync::{Arc, PoisonError, RwLock};

use seaworthy_advisories::Edition;

/// Knows the edition in use.
pub trait Editions: Send + Sync {
    /// The edition in use; none where none has arrived yet.
    fn current(&self) -> Option<Arc<Edition>>;
}

/// The edition in use, changed when a new one lands. Scans that began keep theirs.
#[derive(Default)]
pub struct CurrentEdition(RwLock<Option<Arc<Edition>>>);

impl CurrentEdition {
    /// Begins with `edition`.
    pub fn of(edition: Edition) -> Self {
        Self(RwLock::new(Some(Arc::new(edition))))
    }

    /// Uses `edition` from now on.
    pub fn change(&self, edition: Arc<Edition>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(edition);
    }
}

impl Editions for CurrentEdition {
    fn current(&self) -> Option<Arc<Edition>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
