//! How far the scan of an image is.
//!
//! Jobs and reports both move an image from state to state, and an index follows
//! the images it lists. Whoever changes several rows takes them in one order, so that
//! two of them never wait for each other: an index, then the images it lists, then a
//! job.

mod roll_up;

use std::fmt;
use std::str::FromStr;

use crate::sql::{Transaction, args};
use crate::trouble::StoreError;

use roll_up::above;
pub(crate) use roll_up::{follow, roll_up};

/// How far the scan of an image is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ImageState {
    /// Nobody asked for a scan.
    NotScanned,
    /// A job waits.
    Queued,
    /// A worker is at it.
    Scanning,
    /// There is a report.
    Done,
    /// It is nothing that can be scanned; the reason says what it is.
    Unsupported,
    /// It could not be scanned; the reason says why.
    Failed,
}

/// A text that names no state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no state of a scan")]
pub struct ImageStateError(Box<str>);

impl ImageState {
    /// All states, in the order a scan takes.
    pub const ALL: [Self; 6] = [
        Self::NotScanned,
        Self::Queued,
        Self::Scanning,
        Self::Done,
        Self::Unsupported,
        Self::Failed,
    ];

    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotScanned => "not_scanned",
            Self::Queued => "queued",
            Self::Scanning => "scanning",
            Self::Done => "done",
            Self::Unsupported => "unsupported",
            Self::Failed => "failed",
        }
    }

    /// Whether somebody still works on it.
    pub fn is_under_way(self) -> bool {
        match self {
            Self::Queued | Self::Scanning => true,
            Self::NotScanned | Self::Done | Self::Unsupported | Self::Failed => false,
        }
    }
}

impl FromStr for ImageState {
    type Err = ImageStateError;

    fn from_str(text: &str) -> Result<Self, ImageStateError> {
        Self::ALL
            .into_iter()
            .find(|it| it.name() == text)
            .ok_or_else(|| ImageStateError(text.chars().take(40).collect()))
    }
}

impl fmt::Display for ImageState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 1000;

/// A reason as it is kept: one bounded line.
pub(crate) fn line(reason: &str) -> String {
    reason
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .take(LONGEST_REASON)
        .collect()
}

/// The image that a job is about, as `body` says.
pub(crate) fn image_of(body: &str) -> Option<i64> {
    #[derive(serde::Deserialize)]
    struct About {
        image: Option<i64>,
    }
    serde_json::from_str::<About>(body).ok()?.image
}

/// Keeps others from changing the image, and the indexes that will follow it, until the
/// transaction ends. Answers whether the image is there.
///
/// Indexes come before what they list, as they do where an index is pushed: so nobody
/// waits for somebody who waits for them.
pub(crate) async fn hold(transaction: &mut Transaction, image: i64) -> Result<bool, StoreError> {
    if !transaction.for_update() {
        let sql = "SELECT 1 FROM image WHERE id = $1";
        return Ok(transaction.optional(sql, args![image]).await?.is_some());
    }
    let sql = "SELECT 1::BIGINT FROM image WHERE id = $1 FOR UPDATE";
    for index in above(transaction, image).await? {
        transaction.optional(sql, args![index]).await?;
    }
    Ok(transaction.optional(sql, args![image]).await?.is_some())
}

/// The same without waiting: `false` where somebody else changes one of them at the
/// moment.
pub(crate) async fn hold_at_once(
    transaction: &mut Transaction,
    image: i64,
) -> Result<bool, StoreError> {
    if !transaction.for_update() {
        return hold(transaction, image).await;
    }
    let mut all = above(transaction, image).await?;
    all.push(image);
    let sql = "SELECT 1::BIGINT FROM image WHERE id = $1 FOR UPDATE SKIP LOCKED";
    for image in all {
        if transaction.optional(sql, args![image]).await?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Moves an image to a state, and the indexes that list it with it.
pub(crate) async fn stand(
    transaction: &mut Transaction,
    image: i64,
    state: ImageState,
    reason: Option<&str>,
) -> Result<(), StoreError> {
    let now = transaction.now();
    let changed = transaction
        .execute(
            "UPDATE image SET state = $2, reason = $3, state_since = $4
             WHERE id = $1 AND (state <> $2 OR COALESCE(reason, '') <> COALESCE($3, ''))",
            args![image, state.name(), reason.map(line), now],
        )
        .await?;
    if changed > 0 {
        follow(transaction, image).await?;
    }
    Ok(())
}

/// A queued image that nobody will scan after all is as far as it was before.
pub(crate) async fn unqueue(transaction: &mut Transaction, image: i64) -> Result<(), StoreError> {
    let row = transaction
        .optional(
            "SELECT report_id FROM image WHERE id = $1 AND state = 'queued'",
            args![image],
        )
        .await?;
    let Some(row) = row else { return Ok(()) };
    let state = match row.optional_int(0)? {
        Some(_) => ImageState::Done,
        None => ImageState::NotScanned,
    };
    stand(transaction, image, state, None).await
}
