//! The end of a scan, in one transaction.

use std::collections::BTreeMap;

use crate::jobs::{self, Lease};
use crate::packed::Packed;
use crate::sql::{Transaction, args};
use crate::standing::{self, ImageState};
use crate::trouble::StoreError;

use super::report::NewReport;
use super::{Scans, component, difference};

/// How many reports of an image are kept as documents.
const DOCUMENTS: i64 = 10;

/// How many reports of an image are kept at all.
const HISTORY: i64 = 500;

/// The most labels of an image that can be searched.
const MOST_LABELS: usize = 200;

/// What a scan found out.
#[derive(Clone, Debug)]
pub struct Scan {
    /// The inventory where the image was read; none where a kept one was assessed.
    pub inventory: Option<Finding>,
    /// What is known of it.
    pub report: NewReport,
}

/// What an image was found to be.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which probes looked.
    pub probes: String,
    /// The inventory, as [`encode_inventory`](super::encode_inventory) writes it.
    pub content: Packed,
    /// The platform that its config states.
    pub platform: Option<String>,
    /// The labels of its config.
    pub labels: BTreeMap<String, String>,
}

/// Why nothing was saved.
#[derive(Debug, thiserror::Error)]
pub enum SaveError {
    /// Somebody else has the job by now.
    #[error("the lease of job {0} was lost")]
    Lost(i64),
    /// The image was deleted meanwhile; the job is finished.
    #[error("the image is gone")]
    Gone,
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Scans {
    /// Saves what a scan found out and finishes its job: all of it or nothing. The
    /// report takes the place of the one before, which stays in the history.
    pub async fn save(&self, lease: &Lease, image: i64, scan: &Scan) -> Result<(), SaveError> {
        let mut transaction = self.database.begin().await?;
        let is_there = standing::hold(&mut transaction, image).await?;
        if !jobs::finish(&mut transaction, lease).await? {
            return Err(SaveError::Lost(lease.job));
        }
        if !is_there {
            transaction.commit().await?;
            return Err(SaveError::Gone);
        }
        save(&mut transaction, image, scan).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Says that an image is nothing that can be scanned, and finishes its job.
    pub async fn save_unsupported(
        &self,
        lease: &Lease,
        image: i64,
        reason: &str,
    ) -> Result<(), SaveError> {
        let mut transaction = self.database.begin().await?;
        let is_there = standing::hold(&mut transaction, image).await?;
        if !jobs::finish(&mut transaction, lease).await? {
            return Err(SaveError::Lost(lease.job));
        }
        if is_there {
            let state = if waits(&mut transaction, image).await? {
                ImageState::Queued
            } else {
                ImageState::Unsupported
            };
            standing::stand(&mut transaction, image, state, Some(reason)).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}

/// The key of the job that scans an image.
pub(super) fn key_of(image: i64) -> String {
    format!("scan:{image}")
}

/// Whether somebody asked for another scan meanwhile.
async fn waits(transaction: &mut Transaction, image: i64) -> Result<bool, StoreError> {
    let row = transaction
        .optional(
            "SELECT id FROM job WHERE dedupe = $1 AND state = 'queued'",
            args![key_of(image)],
        )
        .await?;
    Ok(row.is_some())
}

/// Saves what a scan found out of an image that the transaction holds.
pub(super) async fn save(
    transaction: &mut Transaction,
    image: i64,
    scan: &Scan,
) -> Result<(), StoreError> {
    let now = transaction.now();
    let Scan { inventory, report } = scan;
    if let Some(found) = inventory {
        keep(transaction, image, found).await?;
    }
    let edition = report.edition.as_deref();
    component::save(transaction, image, &report.components, edition).await?;
    component::save_aliases(transaction, &report.aliases).await?;
    let before = transaction
        .optional(
            "SELECT report.findings FROM image JOIN report ON report.id = image.report_id
             WHERE image.id = $1",
            args![image],
        )
        .await?;
    let before = match before {
        Some(row) => row.optional_bytes(0)?.map(difference::recall).transpose()?,
        None => None,
    };
    let numbers = &report.numbers;
    let summary = serde_json::to_string(numbers).expect("numbers, which JSON can hold");
    let id = transaction
        .one(
            "INSERT INTO report (image_id, made_at, edition, outcome, summary, difference,
                 findings, content)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING id",
            args![
                image,
                now,
                edition,
                report.outcome,
                summary,
                difference::tell(before.as_ref(), &report.lines),
                difference::keep(&report.lines).0,
                report.document.0.clone()
            ],
        )
        .await?
        .int(0)?;
    let state = if waits(transaction, image).await? {
        ImageState::Queued
    } else {
        ImageState::Done
    };
    transaction
        .execute(
            "UPDATE image SET state = $2, reason = NULL, state_since = $3, report_id = $4,
                 outcome = $5, critical = $6, high = $7, medium = $8, low = $9,
                 negligible = $10, unrated = $11, fixable = $12, packages = $13, edition = $14,
                 assessed_at = $3
             WHERE id = $1",
            args![
                image,
                state.name(),
                now,
                id,
                report.outcome,
                numbers.critical,
                numbers.high,
                numbers.medium,
                numbers.low,
                numbers.negligible,
                numbers.unrated,
                numbers.fixable,
                numbers.packages,
                edition
            ],
        )
        .await?;
    forget_old(transaction, image, id).await?;
    standing::follow(transaction, image).await
}

async fn forget_old(
    transaction: &mut Transaction,
    image: i64,
    newest: i64,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "UPDATE report SET findings = NULL
             WHERE image_id = $1 AND id <> $2 AND findings IS NOT NULL",
            args![image, newest],
        )
        .await?;
    transaction
        .execute(
            "UPDATE report SET content = NULL
             WHERE image_id = $1 AND content IS NOT NULL AND id NOT IN (
                 SELECT id FROM report WHERE image_id = $1 ORDER BY id DESC LIMIT $2)",
            args![image, DOCUMENTS],
        )
        .await?;
    transaction
        .execute(
            "DELETE FROM report WHERE image_id = $1 AND id NOT IN (
                 SELECT id FROM report WHERE image_id = $1 ORDER BY id DESC LIMIT $2)",
            args![image, HISTORY],
        )
        .await?;
    Ok(())
}

/// Keeps what an image was found to be.
pub(super) async fn keep(
    transaction: &mut Transaction,
    image: i64,
    found: &Finding,
) -> Result<(), StoreError> {
    let now = transaction.now();
    transaction
        .execute(
            "INSERT INTO inventory (image_id, probes, taken_at, content) VALUES ($1, $2, $3, $4)
             ON CONFLICT (image_id) DO UPDATE SET probes = excluded.probes,
                 taken_at = excluded.taken_at, content = excluded.content",
            args![image, found.probes.as_str(), now, found.content.0.clone()],
        )
        .await?;
    let labels: BTreeMap<&str, &str> = found
        .labels
        .iter()
        .take(MOST_LABELS)
        .map(|(name, value)| (&**name, &**value))
        .collect();
    let text = serde_json::to_string(&labels).expect("texts, which JSON can hold");
    let had = transaction
        .one("SELECT labels FROM image WHERE id = $1", args![image])
        .await?
        .text(0)?;
    transaction
        .execute(
            "UPDATE image SET platform = COALESCE($2, platform), labels = $3 WHERE id = $1",
            args![image, found.platform.as_deref(), text.as_str()],
        )
        .await?;
    if had == text {
        return Ok(());
    }
    transaction
        .execute("DELETE FROM image_label WHERE image_id = $1", args![image])
        .await?;
    let rows = labels
        .into_iter()
        .map(|(name, value)| args![image, name, value])
        .collect();
    transaction
        .insert(
            "INSERT INTO image_label (image_id, name, value) VALUES",
            "",
            rows,
        )
        .await?;
    Ok(())
}
