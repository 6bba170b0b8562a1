//! How much a namespace holds, and whether more fits.

use super::home::Rules;
use crate::address::Address;
use crate::sql::{Transaction, args};
use crate::trouble::StoreError;

/// A namespace may hold less than it would.
pub(super) struct Over {
    pub(super) quota: u64,
    pub(super) wanted: u64,
}

/// The bytes of a namespace: each blob once, however many repositories have it, and
/// all manifests.
pub(super) const BYTES: &str = "SELECT
     CAST((SELECT COALESCE(SUM(b.size), 0) FROM blob b WHERE b.address IN
         (SELECT rb.address FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id
          WHERE r.namespace_id = $1)) AS BIGINT)
     + CAST((SELECT COALESCE(SUM(m.size), 0) FROM manifest m JOIN repository r
             ON r.id = m.repository_id WHERE r.namespace_id = $1) AS BIGINT)";

impl Rules {
    /// Whether `more` bytes would be too many.
    pub(super) async fn fits(
        &self,
        transaction: &mut Transaction,
        more: u64,
    ) -> Result<Result<(), Over>, StoreError> {
        let Some(quota) = self.quota else {
            return Ok(Ok(()));
        };
        let held = transaction.one(BYTES, args![self.id]).await?.size(0)?;
        let wanted = held.saturating_add(more);
        Ok(if wanted > quota {
            Err(Over { quota, wanted })
        } else {
            Ok(())
        })
    }

    /// The same for a blob, which counts once per namespace.
    pub(super) async fn fits_blob(
        &self,
        transaction: &mut Transaction,
        address: &Address,
        size: u64,
    ) -> Result<Result<(), Over>, StoreError> {
        if self.quota.is_none() {
            return Ok(Ok(()));
        }
        let held = transaction
            .optional(
                "SELECT 1 FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id
                 WHERE rb.address = $1 AND r.namespace_id = $2 LIMIT 1",
                args![address.as_str(), self.id],
            )
            .await?;
        if held.is_some() {
            return Ok(Ok(()));
        }
        self.fits(transaction, size).await
    }
}
