//! What a backup needs: the database at one moment, the blobs it names, and a way to
//! say where each of them lies now.

use std::path::Path;

use crate::address::Address;
use crate::blobs::Place;
use crate::sql::{Database, Dialect, args};
use crate::trouble::StoreError;

/// Bytes that the database gives a meaning to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedBlob {
    /// Their content address.
    pub address: Address,
    /// Where they are.
    pub place: Place,
    /// How many.
    pub size: u64,
}

/// Looks at the whole of what is stored, for backups and for those who check it.
#[derive(Clone, Debug)]
pub struct Whole {
    database: Database,
}

impl Whole {
    /// The whole of what is in `database`.
    pub fn of(database: &Database) -> Self {
        Self {
            database: database.clone(),
        }
    }

    /// Writes the database as it is now into a new SQLite file, while others go on
    /// reading and writing. Answers `false` for PostgreSQL, which has tools of its own.
    ///
    /// # Errors
    ///
    /// When the file is there already or cannot be written.
    pub async fn copy_into(&self, path: &Path) -> Result<bool, StoreError> {
        match self.database.dialect() {
            Dialect::Postgres => Ok(false),
            Dialect::Sqlite => {
                let path = path.to_string_lossy().into_owned();
                self.database.rows("VACUUM INTO $1", args![path]).await?;
                Ok(true)
            }
        }
    }

    /// Named blobs in the order of their addresses, after `last`.
    pub async fn blobs(
        &self,
        last: Option<&Address>,
        limit: usize,
    ) -> Result<Vec<NamedBlob>, StoreError> {
        let after = last.map_or("", Address::as_str);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self
            .database
            .rows(
                "SELECT address, place, size FROM blob WHERE address > $1
                 ORDER BY address LIMIT $2",
                args![after, limit],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(NamedBlob {
                    address: row.parsed(0)?,
                    place: Place(row.text(1)?),
                    size: u64::try_from(row.int(2)?).unwrap_or_default(),
                })
            })
            .collect()
    }

    /// How many blobs are named, and how many bytes they have.
    pub async fn size(&self) -> Result<(u64, u64), StoreError> {
        let row = self
            .database
            .optional(
                "SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM blob",
                args![],
            )
            .await?;
        let Some(row) = row else { return Ok((0, 0)) };
        let count = |place| {
            row.int(place)
                .map(|it| u64::try_from(it).unwrap_or_default())
        };
        Ok((count(0)?, count(1)?))
    }

    /// Says where the bytes of a blob lie from now on, after a restore.
    pub async fn relocate(&self, address: &Address, place: &Place) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        transaction
            .execute(
                "UPDATE blob SET place = $2 WHERE address = $1",
                args![address.as_str(), place.0.as_str()],
            )
            .await?;
        transaction.commit().await
    }

    /// Forgets what points to bytes that no backup has: uploads under way, and bytes
    /// that are to be removed.
    pub async fn forget_what_is_elsewhere(&self) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        transaction.execute("DELETE FROM upload", args![]).await?;
        transaction.execute("DELETE FROM grave", args![]).await?;
        transaction.commit().await
    }
}
