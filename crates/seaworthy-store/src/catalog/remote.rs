//! Forgetting an image of which only metadata is here.

use serde_json::json;

use super::{Catalog, DeleteError};
use crate::address::Address;
use crate::audit::{self, Actor};
use crate::name::RepositoryName;
use crate::sql::args;

impl Catalog {
    /// Removes everything known of an image that was only told of: inventory, reports,
    /// what search finds.
    pub async fn delete_metadata(
        &self,
        repository: &RepositoryName,
        address: &Address,
        actor: &Actor,
    ) -> Result<(), DeleteError> {
        let mut transaction = self.database.begin().await?;
        let row = transaction
            .optional(
                "SELECT i.id FROM image i JOIN repository r ON r.id = i.repository_id
                 WHERE r.name = $1 AND i.address = $2 AND i.retention_class = 'metadata'",
                args![repository.as_str(), address.as_str()],
            )
            .await?;
        let Some(row) = row else {
            return Err(DeleteError::Absent);
        };
        let image = row.int(0)?;
        let held = transaction
            .rows(
                "DELETE FROM image_component WHERE image_id = $1 RETURNING component_id",
                args![image],
            )
            .await?;
        let components = held
            .iter()
            .map(|row| row.int(0))
            .collect::<Result<Vec<_>, _>>()?;
        transaction
            .execute("DELETE FROM image WHERE id = $1", args![image])
            .await?;
        let object = format!("{repository}@{address}");
        let detail = json!({ "retention_class": "metadata" });
        audit::note(&mut transaction, actor, "image.delete", &object, &detail).await?;
        transaction.commit().await?;
        self.forget_components(&components).await?;
        Ok(())
    }
}
