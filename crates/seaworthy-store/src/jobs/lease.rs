//! A claimed job: renewed, finished, put back or given up.

use crate::clock::Millis;
use crate::sql::{Transaction, args};
use crate::standing::{self, ImageState};
use crate::trouble::StoreError;

use super::{Jobs, Lane, MOST_ATTEMPTS};

/// A claimed job. Dropping it lets the lease run out, and another worker may claim
/// the job then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The number of the job.
    pub job: i64,
    /// What is to be done.
    pub kind: Box<str>,
    /// How urgent it was.
    pub lane: Lane,
    /// The document that says to what.
    pub body: Box<str>,
    /// Which attempt this is; the first is 1.
    pub attempt: i64,
    pub(super) key: Box<str>,
}

/// What became of a job that was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It is tried again, not before this moment.
    Again(Millis),
    /// It was tried often enough, or trying again cannot help.
    Dead,
    /// The lease was lost meanwhile: somebody else has the job.
    Lost,
}

/// The first wait between two attempts, in milliseconds; each next one is four times
/// as long.
const FIRST_WAIT: i64 = 5_000;

/// The longest wait, in milliseconds.
const LONGEST_WAIT: i64 = 15 * 60 * 1000;

/// How long to wait after this many attempts, in milliseconds.
pub(super) fn wait_after(attempt: i64) -> i64 {
    let steps = u32::try_from(attempt.saturating_sub(1).clamp(0, 20)).unwrap_or(0);
    FIRST_WAIT
        .saturating_mul(4_i64.saturating_pow(steps))
        .min(LONGEST_WAIT)
}

impl Lease {
    /// The image the job is about, where it is about one.
    pub fn image(&self) -> Option<i64> {
        standing::image_of(&self.body)
    }
}

/// A claimed job as the table has it.
pub(super) struct Held<'a> {
    pub(super) job: i64,
    pub(super) key: &'a str,
    pub(super) attempt: i64,
    pub(super) image: Option<i64>,
}

impl Jobs {
    /// Says that the worker is still at it, for `milliseconds` from now on. Answers
    /// `false` where the lease is lost: the work is then for nothing.
    pub async fn renew(&self, lease: &Lease, milliseconds: i64) -> Result<bool, StoreError> {
        let mut transaction = self.database.begin().await?;
        let until = transaction.now().plus(milliseconds);
        let renewed = transaction
            .execute(
                "UPDATE job SET lease_until = $3
                 WHERE id = $1 AND lease = $2 AND state = 'running'",
                args![lease.job, &*lease.key, until],
            )
            .await?;
        transaction.commit().await?;
        Ok(renewed == 1)
    }

    /// The job is done. Answers `false` where the lease was lost.
    pub async fn finish(&self, lease: &Lease) -> Result<bool, StoreError> {
        let mut transaction = self.database.begin().await?;
        let is_done = finish(&mut transaction, lease).await?;
        transaction.commit().await?;
        Ok(is_done)
    }

    /// The job could not be done, and trying again may help.
    pub async fn fail(&self, lease: &Lease, reason: &str) -> Result<Ended, StoreError> {
        let wait = wait_after(lease.attempt);
        self.end(lease, reason, MOST_ATTEMPTS, wait).await
    }

    /// The job cannot be done, and trying again cannot help.
    pub async fn give_up(&self, lease: &Lease, reason: &str) -> Result<Ended, StoreError> {
        self.end(lease, reason, 0, 0).await
    }

    /// Gives a job back that was not really begun; the attempt does not count.
    pub async fn release(&self, lease: &Lease) -> Result<bool, StoreError> {
        let mut transaction = self.database.begin().await?;
        let now = transaction.now();
        let held = lease.held();
        if let Some(image) = held.image {
            standing::hold(&mut transaction, image).await?;
        }
        transaction
            .execute(
                "UPDATE job SET attempts = attempts - 1 WHERE id = $1 AND lease = $2
                     AND state = 'running'",
                args![held.job, held.key],
            )
            .await?;
        let is_ours = requeue(&mut transaction, &held, None, now).await?;
        transaction.commit().await?;
        self.database.bell().ring();
        Ok(is_ours)
    }

    async fn end(
        &self,
        lease: &Lease,
        reason: &str,
        most_attempts: i64,
        wait: i64,
    ) -> Result<Ended, StoreError> {
        let mut transaction = self.database.begin().await?;
        let again = transaction.now().plus(wait);
        let held = lease.held();
        if let Some(image) = held.image {
            standing::hold(&mut transaction, image).await?;
        }
        let ended = if lease.attempt < most_attempts {
            if requeue(&mut transaction, &held, Some(reason), again).await? {
                Ended::Again(again)
            } else {
                Ended::Lost
            }
        } else if bury(&mut transaction, &held, reason).await? {
            Ended::Dead
        } else {
            Ended::Lost
        };
        transaction.commit().await?;
        Ok(ended)
    }
}

impl Lease {
    fn held(&self) -> Held<'_> {
        Held {
            job: self.job,
            key: &self.key,
            attempt: self.attempt,
            image: self.image(),
        }
    }
}

/// Takes a finished job off the list, with the dead ones that wanted the same. The
/// caller holds the image, where the job is about one, and says what became of it.
pub(crate) async fn finish(
    transaction: &mut Transaction,
    lease: &Lease,
) -> Result<bool, StoreError> {
    let gone = transaction
        .optional(
            "DELETE FROM job WHERE id = $1 AND lease = $2 AND state = 'running'
             RETURNING dedupe",
            args![lease.job, &*lease.key],
        )
        .await?;
    let Some(row) = gone else { return Ok(false) };
    if let Some(dedupe) = row.optional_text(0)? {
        transaction
            .execute(
                "DELETE FROM job WHERE dedupe = $1 AND state = 'dead'",
                args![dedupe],
            )
            .await?;
    }
    Ok(true)
}

/// After an attempt that ended without a word: again, or given up.
pub(super) async fn put_back(
    transaction: &mut Transaction,
    held: &Held<'_>,
    reason: &str,
    not_before: Millis,
) -> Result<bool, StoreError> {
    if held.attempt < MOST_ATTEMPTS {
        requeue(transaction, held, Some(reason), not_before).await
    } else {
        bury(transaction, held, reason).await
    }
}

/// Lets a job wait again. Where another one with its key waits, that one is enough.
async fn requeue(
    transaction: &mut Transaction,
    held: &Held<'_>,
    reason: Option<&str>,
    not_before: Millis,
) -> Result<bool, StoreError> {
    let reason = reason.map(standing::line);
    let waits = transaction
        .execute(
            "UPDATE job SET state = 'queued', lease = NULL, lease_until = NULL,
                 not_before = $3, reason = COALESCE($4, reason)
             WHERE id = $1 AND lease = $2 AND state = 'running' AND NOT EXISTS (
                 SELECT 1 FROM job other WHERE other.dedupe = job.dedupe
                     AND other.state = 'queued')",
            args![held.job, held.key, not_before, reason.as_deref()],
        )
        .await?
        == 1;
    let merged = !waits
        && transaction
            .execute(
                "DELETE FROM job WHERE id = $1 AND lease = $2 AND state = 'running'",
                args![held.job, held.key],
            )
            .await?
            == 1;
    if let Some(image) = held.image.filter(|_| waits || merged) {
        standing::stand(transaction, image, ImageState::Queued, reason.as_deref()).await?;
    }
    if waits {
        transaction.announce().await?;
    }
    Ok(waits || merged)
}

/// Keeps a job that is given up, with the reason. Where another one with its key
/// waits, that one may still succeed.
async fn bury(
    transaction: &mut Transaction,
    held: &Held<'_>,
    reason: &str,
) -> Result<bool, StoreError> {
    let reason = standing::line(reason);
    let row = transaction
        .optional(
            "UPDATE job SET state = 'dead', lease = NULL, lease_until = NULL, reason = $3
             WHERE id = $1 AND lease = $2 AND state = 'running'
             RETURNING (SELECT COUNT(*) FROM job other WHERE other.dedupe = job.dedupe
                 AND other.state = 'queued')",
            args![held.job, held.key, reason.as_str()],
        )
        .await?;
    let Some(row) = row else { return Ok(false) };
    // One dead job for each key is enough to look at.
    transaction
        .execute(
            "DELETE FROM job WHERE state = 'dead' AND id <> $1
                 AND dedupe = (SELECT dedupe FROM job WHERE id = $1)",
            args![held.job],
        )
        .await?;
    if let Some(image) = held.image {
        let state = if row.int(0)? > 0 {
            ImageState::Queued
        } else {
            ImageState::Failed
        };
        standing::stand(transaction, image, state, Some(&reason)).await?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_end_at_a_quarter_of_an_hour() {
        let waits: Vec<i64> = (1..=6).map(|it| wait_after(it) / 1000).collect();
        assert_eq!(waits, [5, 20, 80, 320, 900, 900]);
        assert_eq!(wait_after(i64::MAX), LONGEST_WAIT);
    }
}
