//! Work that is still to be done: a queue with leases, lanes and one entry per key.
//!
//! A job is written down in the transaction that makes it necessary. A worker
//! claims it for a while ([`Lease`]) and says now and then that it is still at it.
//! No transaction is open meanwhile: a worker that dies leaves nothing behind but a
//! lease that runs out, and then somebody else may claim the job.
//!
//! Order: the more urgent [`Lane`] first, in a lane the one that has waited longest.
//! Every eighth claim takes whatever has waited longest, so that no lane starves.

mod claim;
mod desk;
mod lane;
mod lease;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::sql::{Database, Transaction, args};
use crate::trouble::StoreError;

pub use desk::JobCount;
pub use lane::Lane;
pub(crate) use lease::finish;
pub use lease::{Ended, Lease};

/// How often a job is begun before it is given up.
pub const MOST_ATTEMPTS: i64 = 5;

/// A job to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// What is to be done, such as `scan`.
    pub kind: &'static str,
    /// How urgent it is.
    pub lane: Lane,
    /// Two jobs with the same key are one, while it waits; the more urgent lane wins.
    /// One that is being done does not count: what changed since it began is for the
    /// next one.
    pub dedupe: Option<String>,
    /// A versioned JSON document. Where it names an `image`, the job's fate is the
    /// image's state.
    pub body: String,
}

/// What there is to do. Clones share it.
#[derive(Clone, Debug)]
pub struct Jobs {
    database: Database,
    claims: Arc<AtomicU64>,
}

impl Jobs {
    /// The jobs in `database`.
    pub fn of(database: &Database) -> Self {
        Self {
            database: database.clone(),
            claims: Arc::default(),
        }
    }

    /// Writes down a job that may begin after `delay` milliseconds. Answers its
    /// number, also when one with the same key waits already.
    pub async fn enqueue(&self, job: &NewJob, delay: i64) -> Result<i64, StoreError> {
        let mut transaction = self.database.begin().await?;
        let id = enqueue_later(&mut transaction, job, delay).await?;
        transaction.commit().await?;
        self.database.bell().ring();
        Ok(id)
    }
}

impl Jobs {
    /// Writes down a job unless one with its key waits or is being done. Answers
    /// whether it was written down.
    pub async fn schedule(&self, job: &NewJob) -> Result<bool, StoreError> {
        let mut transaction = self.database.begin().await?;
        let now = transaction.now();
        let written = transaction
            .execute(
                "INSERT INTO job (kind, lane, dedupe, body, state, not_before, created_at)
                 SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS TEXT), CAST($4 AS TEXT),
                     'queued', CAST($5 AS BIGINT), CAST($5 AS BIGINT)
                 WHERE NOT EXISTS (SELECT 1 FROM job WHERE dedupe = $3
                     AND state IN ('queued', 'running'))
                 ON CONFLICT (dedupe) WHERE state = 'queued' DO NOTHING",
                args![
                    job.kind,
                    job.lane.number(),
                    job.dedupe.as_deref(),
                    job.body.as_str(),
                    now
                ],
            )
            .await?;
        transaction.announce().await?;
        transaction.commit().await?;
        self.database.bell().ring();
        Ok(written > 0)
    }

    /// The job is done, and `next` is due in `delay` milliseconds. Answers `false`
    /// where the lease was lost.
    pub async fn finish_and_repeat(
        &self,
        lease: &Lease,
        next: &NewJob,
        delay: i64,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.database.begin().await?;
        let is_done = lease::finish(&mut transaction, lease).await?;
        if is_done {
            enqueue_later(&mut transaction, next, delay).await?;
        }
        transaction.commit().await?;
        Ok(is_done)
    }
}

/// Writes down a job in the transaction that makes it necessary. Answers its number,
/// also when it waits already. Whoever commits rings the bell.
pub(crate) async fn enqueue(
    transaction: &mut Transaction,
    job: &NewJob,
) -> Result<i64, StoreError> {
    enqueue_later(transaction, job, 0).await
}

pub(crate) async fn enqueue_later(
    transaction: &mut Transaction,
    job: &NewJob,
    delay: i64,
) -> Result<i64, StoreError> {
    let now = transaction.now();
    let row = transaction
        .one(
            "INSERT INTO job (kind, lane, dedupe, body, state, not_before, created_at)
             VALUES ($1, $2, $3, $4, 'queued', $5, $6)
             ON CONFLICT (dedupe) WHERE state = 'queued' DO UPDATE SET
                 lane = CASE WHEN job.lane < excluded.lane THEN job.lane ELSE excluded.lane END,
                 not_before = CASE WHEN job.not_before < excluded.not_before
                     THEN job.not_before ELSE excluded.not_before END
             RETURNING id",
            args![
                job.kind,
                job.lane.number(),
                job.dedupe.as_deref(),
                job.body.as_str(),
                now.plus(delay),
                now
            ],
        )
        .await?;
    transaction.announce().await?;
    row.int(0)
}
