//! Claiming a job, and taking back those whose worker is gone.

use std::sync::atomic::Ordering;

use crate::clock::Millis;
use crate::sql::{Transaction, args};
use crate::standing::{self, ImageState};
use crate::trouble::StoreError;

use super::lease::{self, Lease};
use super::{Jobs, Lane};

/// Every so many claims the job that has waited longest is taken, whatever its lane.
const FAIR: u64 = 8;

/// The most lost leases that one claim looks at.
const MOST_LOST: i64 = 50;

/// What a claimed job is told by.
const NEXT_URGENT: [&str; 2] = [
    "UPDATE job SET state = 'running', attempts = attempts + 1, lease = $2, lease_until = $3,
         worker = $4
     WHERE id = (SELECT id FROM job WHERE state = 'queued' AND not_before <= $1
         ORDER BY lane, not_before, id LIMIT 1)
     RETURNING id, kind, lane, body, attempts",
    "UPDATE job SET state = 'running', attempts = attempts + 1, lease = $2, lease_until = $3,
         worker = $4
     WHERE id = (SELECT id FROM job WHERE state = 'queued' AND not_before <= $1
         ORDER BY lane, not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING id, kind, lane, body, attempts",
];
const NEXT_OLDEST: [&str; 2] = [
    "UPDATE job SET state = 'running', attempts = attempts + 1, lease = $2, lease_until = $3,
         worker = $4
     WHERE id = (SELECT id FROM job WHERE state = 'queued' AND not_before <= $1
         ORDER BY not_before, id LIMIT 1)
     RETURNING id, kind, lane, body, attempts",
    "UPDATE job SET state = 'running', attempts = attempts + 1, lease = $2, lease_until = $3,
         worker = $4
     WHERE id = (SELECT id FROM job WHERE state = 'queued' AND not_before <= $1
         ORDER BY not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED)
     RETURNING id, kind, lane, body, attempts",
];

impl Jobs {
    /// Claims the next job for `milliseconds`. `worker` is for people who look why a
    /// job is not done.
    pub async fn claim(
        &self,
        worker: &str,
        milliseconds: i64,
    ) -> Result<Option<Lease>, StoreError> {
        // Asking costs a reader nothing; a transaction keeps writers waiting.
        let now = self.database.now();
        let something = self
            .database
            .optional(
                "SELECT id FROM job WHERE state = 'queued' AND not_before <= $1
                 UNION ALL
                 SELECT id FROM job WHERE state = 'running' AND lease_until <= $1
                 LIMIT 1",
                args![now],
            )
            .await?;
        if something.is_none() {
            return Ok(None);
        }
        let mut transaction = self.database.begin().await?;
        let now = transaction.now();
        take_back(&mut transaction).await?;
        let is_fair = self.claims.fetch_add(1, Ordering::Relaxed) % FAIR == FAIR - 1;
        let [plain, skipping] = if is_fair { NEXT_OLDEST } else { NEXT_URGENT };
        let sql = if transaction.for_update() {
            skipping
        } else {
            plain
        };
        let key = uuid::Uuid::new_v4().simple().to_string();
        let until = now.plus(milliseconds);
        let row = transaction
            .optional(sql, args![now, key.as_str(), until, worker])
            .await?;
        let lease = match row {
            Some(row) => Some(Lease {
                job: row.int(0)?,
                kind: row.text(1)?.into(),
                lane: Lane::of_number(row.int(2)?),
                body: row.text(3)?.into(),
                attempt: row.int(4)?,
                key: key.into(),
            }),
            None => None,
        };
        // Where somebody changes the image at the moment, it stays as they leave it:
        // waiting here could be waiting for somebody who waits for the job.
        if let Some(image) = lease.as_ref().and_then(Lease::image)
            && standing::hold_at_once(&mut transaction, image).await?
        {
            standing::stand(&mut transaction, image, ImageState::Scanning, None).await?;
        }
        transaction.commit().await?;
        Ok(lease)
    }
}

/// Gives jobs whose lease ran out to whoever asks next, or gives them up where
/// workers keep ending with them.
async fn take_back(transaction: &mut Transaction) -> Result<(), StoreError> {
    let now = transaction.now();
    let sql = if transaction.for_update() {
        "SELECT id, lease, body, attempts, COALESCE(worker, ''), COALESCE(dedupe, '') FROM job
         WHERE state = 'running' AND lease_until <= $1
         ORDER BY lease_until LIMIT $2 FOR UPDATE SKIP LOCKED"
    } else {
        "SELECT id, lease, body, attempts, COALESCE(worker, ''), COALESCE(dedupe, '') FROM job
         WHERE state = 'running' AND lease_until <= $1
         ORDER BY lease_until LIMIT $2"
    };
    for row in transaction.rows(sql, args![now, MOST_LOST]).await? {
        let (job, key, body) = (row.int(0)?, row.text(1)?, row.text(2)?);
        let (attempt, worker) = (row.int(3)?, row.text(4)?);
        let image = standing::image_of(&body);
        if let Some(image) = image
            && !standing::hold_at_once(transaction, image).await?
            && is_there(transaction, image).await?
        {
            continue;
        }
        tracing::warn!(
            job.id = job,
            worker,
            attempt,
            "took back job {job} of `{worker}`"
        );
        let reason = format!(
            "the worker that ran it ended before it was done, {attempt} times (last `{worker}`)"
        );
        lease::put_back(
            transaction,
            &lease::Held {
                job,
                key: &key,
                attempt,
                image,
            },
            &reason,
            Millis(now.0),
        )
        .await?;
    }
    Ok(())
}

async fn is_there(transaction: &mut Transaction, image: i64) -> Result<bool, StoreError> {
    let row = transaction
        .optional("SELECT id FROM image WHERE id = $1", args![image])
        .await?;
    Ok(row.is_some())
}
