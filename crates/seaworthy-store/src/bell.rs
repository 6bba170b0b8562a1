//! Waking those who wait for work, without asking the database all the time.

use std::sync::Arc;

use tokio::sync::Notify;

/// Rung when work was written down; clones ring the same bell. It wakes the workers
/// of this process only, so whoever waits also looks again after a while.
#[derive(Clone, Debug, Default)]
pub struct Bell(Arc<Notify>);

impl Bell {
    /// Wakes one who waits now or, if nobody does, the next who comes.
    pub fn ring(&self) {
        self.0.notify_one();
    }

    /// Waits until it rings.
    pub async fn heard(&self) {
        self.0.notified().await;
    }
}
