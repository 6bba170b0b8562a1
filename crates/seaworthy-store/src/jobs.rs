//! Work that is still to be done: a queue with leases, lanes and one entry per key.

use crate::sql::{Transaction, args};
use crate::trouble::StoreError;

/// Which work goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// Somebody just pushed it.
    Push,
    /// Somebody asked for it.
    Manual,
    /// A connector brought it.
    Import,
    /// The world learned something new.
    Rescan,
}

impl Lane {
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Push => 0,
            Self::Manual => 1,
            Self::Import => 2,
            Self::Rescan => 3,
        }
    }
}

/// A job to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewJob {
    /// What is to be done, such as `scan`.
    pub kind: &'static str,
    /// How urgent it is.
    pub lane: Lane,
    /// Two jobs with the same key are one, while it waits; the more urgent lane wins.
    pub dedupe: Option<String>,
    /// A versioned JSON document.
    pub body: String,
}

/// Writes down a job in the transaction that makes it necessary. Answers its number,
/// also when it waits already.
pub(crate) async fn enqueue(
    transaction: &mut Transaction,
    job: &NewJob,
) -> Result<i64, StoreError> {
    let now = transaction.now();
    if let Some(dedupe) = &job.dedupe {
        let waiting = transaction
            .optional(
                "UPDATE job SET lane = CASE WHEN lane < $2 THEN lane ELSE $2 END
                 WHERE dedupe = $1 AND state = 'queued' RETURNING id",
                args![dedupe.as_str(), job.lane.number()],
            )
            .await?;
        if let Some(row) = waiting {
            return row.int(0);
        }
    }
    transaction
        .one(
            "INSERT INTO job (kind, lane, dedupe, body, state, not_before, created_at)
             VALUES ($1, $2, $3, $4, 'queued', $5, $5) RETURNING id",
            args![
                job.kind,
                job.lane.number(),
                job.dedupe.as_deref(),
                job.body.as_str(),
                now
            ],
        )
        .await?
        .int(0)
}
