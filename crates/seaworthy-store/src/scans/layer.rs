//! What layers yielded, by the digest their bytes proved to have.

use crate::address::Address;
use crate::packed::Packed;
use crate::sql::args;
use crate::trouble::StoreError;

use super::Scans;

/// Records larger than this, packed, are not kept: reading such a layer again costs
/// less than every database that holds them.
const MOST_BYTES: usize = 64 << 20;

impl Scans {
    /// What the layer with this address and size in bytes yielded to these probes.
    pub async fn layer(
        &self,
        address: &Address,
        size: u64,
        probes: &str,
    ) -> Result<Option<Packed>, StoreError> {
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let row = self
            .database
            .optional(
                "SELECT content FROM layer_record
                 WHERE address = $1 AND probes = $2 AND size = $3",
                args![address.as_str(), probes, size],
            )
            .await?;
        row.map(|row| row.bytes(0).map(Packed)).transpose()
    }

    /// Keeps what a layer yielded. The address must be proved: everybody whose image
    /// has the layer believes it from now on.
    pub async fn save_layer(
        &self,
        address: &Address,
        size: u64,
        probes: &str,
        records: Packed,
    ) -> Result<(), StoreError> {
        if records.0.len() > MOST_BYTES {
            return Ok(());
        }
        let size = i64::try_from(size).unwrap_or(i64::MAX);
        let mut transaction = self.database.begin().await?;
        transaction
            .execute(
                "INSERT INTO layer_record (address, size, probes, content)
                 VALUES ($1, $2, $3, $4) ON CONFLICT (address, probes) DO NOTHING",
                args![address.as_str(), size, probes, records.0],
            )
            .await?;
        transaction.commit().await
    }

    /// Forgets what layers yielded that are no longer stored, what other probes than
    /// `probes` made of layers, and components that no image has any more; at most
    /// `limit` of each. Answers how many were forgotten.
    pub async fn forget_unused(&self, probes: &str, limit: usize) -> Result<u64, StoreError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut forgotten = 0;
        let mut transaction = self.database.begin().await?;
        forgotten += transaction
            .execute(
                "DELETE FROM layer_record WHERE (address, probes) IN (
                     SELECT address, probes FROM layer_record
                     WHERE probes <> $1 OR NOT EXISTS (
                         SELECT 1 FROM blob WHERE blob.address = layer_record.address)
                     LIMIT $2)",
                args![probes, limit],
            )
            .await?;
        transaction.commit().await?;
        // Only components that were there for a while: one that was just written may
        // wait for its image, whose transaction is not over.
        let rows = self
            .database
            .rows(
                "SELECT id FROM component WHERE NOT EXISTS (
                     SELECT 1 FROM image_component held WHERE held.component_id = component.id)
                 ORDER BY id LIMIT $1",
                args![limit],
            )
            .await?;
        for row in rows {
            let id = row.int(0)?;
            let mut transaction = self.database.begin().await?;
            let sql = if transaction.for_update() {
                "SELECT id FROM component WHERE id = $1 FOR UPDATE"
            } else {
                "SELECT id FROM component WHERE id = $1"
            };
            transaction.rows(sql, args![id]).await?;
            let held = transaction
                .optional(
                    "SELECT image_id FROM image_component WHERE component_id = $1 LIMIT 1",
                    args![id],
                )
                .await?;
            if held.is_some() {
                continue;
            }
            transaction
                .execute(
                    "DELETE FROM component_finding WHERE component_id = $1",
                    args![id],
                )
                .await?;
            forgotten += transaction
                .execute("DELETE FROM component WHERE id = $1", args![id])
                .await?;
            transaction.commit().await?;
        }
        Ok(forgotten)
    }
}
