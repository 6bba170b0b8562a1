//! What a worker and the pages of an image need to know.

use seaworthy_core::Inventory;

use crate::address::Address;
use crate::name::RepositoryName;
use crate::packed::Packed;
use crate::sql::args;
use crate::standing::ImageState;
use crate::trouble::StoreError;

use super::Scans;
use super::inventory::decode_inventory;

/// What identifies an image to be scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageFact {
    /// Its number.
    pub id: i64,
    /// The repository it is in.
    pub repository: RepositoryName,
    /// Its content address.
    pub address: Address,
    /// `image`, `index` or `artifact`.
    pub kind: Box<str>,
    /// Whether only metadata is here, and no bytes.
    pub is_metadata: bool,
    /// As it was called where it lies, for images that were only told of.
    pub target: Option<Box<str>>,
    /// How far its scan is.
    pub state: ImageState,
}

/// An inventory that was kept.
#[derive(Clone, Debug)]
pub struct KeptInventory {
    /// Which probes looked.
    pub probes: Box<str>,
    /// The document.
    pub content: Packed,
}

impl KeptInventory {
    /// The inventory again.
    ///
    /// # Errors
    ///
    /// When it is not what was kept.
    pub fn open(&self) -> Result<Inventory, StoreError> {
        decode_inventory(&self.content.unpack()?)
            .map_err(|error| StoreError::Unreadable(error.to_string()))
    }
}

impl Scans {
    /// What identifies an image, by its number.
    pub async fn image(&self, image: i64) -> Result<Option<ImageFact>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT image.id, repository.name, image.address, image.kind,
                     image.retention_class, image.target, image.state
                 FROM image JOIN repository ON repository.id = image.repository_id
                 WHERE image.id = $1",
                args![image],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(ImageFact {
            id: row.int(0)?,
            repository: row.parsed(1)?,
            address: row.parsed(2)?,
            kind: row.text(3)?.into(),
            is_metadata: row.text(4)? == "metadata",
            target: row.optional_text(5)?.map(Into::into),
            state: row.parsed(6)?,
        }))
    }

    /// The inventory of an image.
    pub async fn inventory(&self, image: i64) -> Result<Option<KeptInventory>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT probes, content FROM inventory WHERE image_id = $1",
                args![image],
            )
            .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(KeptInventory {
            probes: row.text(0)?.into(),
            content: Packed(row.bytes(1)?),
        }))
    }

    /// A report of an image as a document `seaworthy.report/1`; the newest one where
    /// `report` names none. `None` where there is none, or only its numbers are kept.
    pub async fn document(
        &self,
        image: i64,
        report: Option<i64>,
    ) -> Result<Option<Packed>, StoreError> {
        let row = match report {
            Some(report) => {
                self.database
                    .optional(
                        "SELECT content FROM report WHERE image_id = $1 AND id = $2",
                        args![image, report],
                    )
                    .await?
            }
            None => {
                self.database
                    .optional(
                        "SELECT report.content FROM image
                         JOIN report ON report.id = image.report_id WHERE image.id = $1",
                        args![image],
                    )
                    .await?
            }
        };
        match row {
            Some(row) => Ok(row.optional_bytes(0)?.map(Packed)),
            None => Ok(None),
        }
    }
}
