//! Images whose state nobody works on.

use crate::jobs::Lane;
use crate::sql::args;
use crate::standing::{self, ImageState};
use crate::trouble::StoreError;

use super::Scans;
use super::request;

/// What was repaired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// Images that were told to wait or to be scanned, without a job: they have one
    /// again.
    pub requeued: u64,
    /// Indexes that were summed up anew.
    pub summed: u64,
    /// Images whose job was given up: they say so now.
    pub failed: u64,
}

/// The most images that one look repairs.
const MOST: i64 = 500;

impl Scans {
    /// Looks for images that wait, or are scanned, as their state says, and have no
    /// job that says the same.
    pub async fn repair(&self) -> Result<Repaired, StoreError> {
        let mut repaired = Repaired::default();
        let rows = self
            .database
            .rows(
                "SELECT image.id, image.kind FROM image
                 WHERE image.state IN ('queued', 'scanning') AND image.retention_class = 'full'
                     AND NOT EXISTS (SELECT 1 FROM job
                         WHERE job.dedupe = 'scan:' || image.id
                             AND job.state IN ('queued', 'running'))
                 ORDER BY image.id LIMIT $1",
                args![MOST],
            )
            .await?;
        for row in rows {
            let (image, kind) = (row.int(0)?, row.text(1)?);
            self.repair_one(image, &kind, &mut repaired).await?;
        }
        Ok(repaired)
    }

    async fn repair_one(
        &self,
        image: i64,
        kind: &str,
        repaired: &mut Repaired,
    ) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        if !standing::hold(&mut transaction, image).await? {
            return Ok(());
        }
        // Looked at again, now that nobody else changes it.
        let still = transaction
            .optional(
                "SELECT (SELECT reason FROM job WHERE dedupe = 'scan:' || image.id
                     AND state = 'dead' ORDER BY id DESC LIMIT 1)
                 FROM image WHERE id = $1 AND state IN ('queued', 'scanning')
                     AND NOT EXISTS (SELECT 1 FROM job WHERE job.dedupe = 'scan:' || image.id
                         AND job.state IN ('queued', 'running'))",
                args![image],
            )
            .await?;
        let Some(row) = still else { return Ok(()) };
        if kind == "index" {
            standing::roll_up(&mut transaction, image).await?;
            repaired.summed += 1;
        } else if let Some(reason) = row.optional_text(0)? {
            standing::stand(&mut transaction, image, ImageState::Failed, Some(&reason)).await?;
            repaired.failed += 1;
        } else {
            request::enqueue(&mut transaction, image, Lane::Push).await?;
            repaired.requeued += 1;
        }
        transaction.commit().await?;
        self.database.bell().ring();
        Ok(())
    }
}
