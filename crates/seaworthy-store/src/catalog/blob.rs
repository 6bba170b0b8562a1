//! Blobs of repositories.
//!
//! A blob is stored once, however many repositories have it. A repository serves it
//! while it has a link to it: until the moment it promised to a client that pushes
//! (`kept_until`), and for as long as one of its manifests names it.

use super::home::{Home, Rules};
use super::upload::count;
use super::{BeginError, Catalog, DeleteError, Founding};
use crate::address::Address;
use crate::audit::{self, Actor};
use crate::blobs::Place;
use crate::clock::Millis;
use crate::name::{Namespace, RepositoryName};
use crate::sql::{Hold, Row, Transaction, args};
use crate::trouble::StoreError;

/// A blob that a repository may serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// Where its bytes are.
    pub place: Place,
    /// In bytes.
    pub size: u64,
}

/// How long a blob that no manifest names yet is kept, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace(pub i64);

/// Why a blob was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordBlobError {
    /// The namespace may not hold so much.
    #[error("namespace `{namespace}` may hold {quota} bytes and would hold {wanted}")]
    Quota {
        /// Which.
        namespace: Namespace,
        /// What it may.
        quota: u64,
        /// What it would.
        wanted: u64,
    },
    /// The upload is not there (any more).
    #[error("there is no such upload")]
    NoUpload,
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How many repositories are told that have a blob.
const HOLDERS: i64 = 20;

impl Catalog {
    /// Ends an upload: its bytes, already made last at `place`, are the blob `address`
    /// of `repository` from now on. Where the same content was there before, the new
    /// bytes are buried instead; so they are where the quota does not allow them.
    /// Asking again after an answer that got lost is harmless.
    pub async fn record_blob(
        &self,
        repository: &RepositoryName,
        upload: &str,
        address: &Address,
        size: u64,
        place: &Place,
        grace: Grace,
    ) -> Result<(), RecordBlobError> {
        let mut transaction = self.database.begin().await?;
        let now = transaction.now();
        let ended = transaction
            .optional(
                "DELETE FROM upload WHERE id = $1 AND repository_id =
                     (SELECT id FROM repository WHERE name = $2) RETURNING repository_id",
                args![upload, repository.as_str()],
            )
            .await?;
        let Some(row) = ended else {
            // Recorded already, where the answer was lost, or cancelled. Its bytes are
            // not ours to bury: whoever ended the upload decides about them, and may
            // have made another blob of the same ones.
            let recorded = transaction
                .optional(
                    "SELECT 1 FROM repository r JOIN repository_blob rb
                         ON rb.repository_id = r.id JOIN blob b ON b.address = rb.address
                     WHERE r.name = $1 AND b.address = $2",
                    args![repository.as_str(), address.as_str()],
                )
                .await?;
            return match recorded {
                Some(_) => Ok(()),
                None => Err(RecordBlobError::NoUpload),
            };
        };
        let id = row.int(0)?;
        let rules = Rules::read(&mut transaction, &repository.namespace())
            .await?
            .ok_or_else(|| {
                StoreError::Unreadable(format!("the repository `{repository}` has no namespace"))
            })?;
        if let Err(over) = rules.fits_blob(&mut transaction, address, size).await? {
            bury(&mut transaction, &place.0).await?;
            transaction.commit().await?;
            return Err(RecordBlobError::Quota {
                namespace: rules.name,
                quota: over.quota,
                wanted: over.wanted,
            });
        }
        // Writing to a blob that is there keeps those out who would bury it.
        let stored = transaction
            .one(
                "INSERT INTO blob (address, size, place, stored_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT (address) DO UPDATE SET stored_at = blob.stored_at RETURNING place",
                args![address.as_str(), count(size), place.0.as_str(), now],
            )
            .await?
            .text(0)?;
        if stored != place.0 {
            bury(&mut transaction, &place.0).await?;
        }
        link(&mut transaction, id, address, now.plus(grace.0)).await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Lets `to` serve a blob that `from` has. Answers whether it does now: not where
    /// the blob is gone, the quota would be passed, or the namespace of `to` would
    /// have to be made (that is left to an upload, which tells who made it).
    pub async fn mount_blob(
        &self,
        to: &RepositoryName,
        from: &RepositoryName,
        address: &Address,
        founding: Founding,
        grace: Grace,
    ) -> Result<bool, BeginError> {
        let mut transaction = self.database.begin().await?;
        if Rules::read(&mut transaction, &to.namespace())
            .await?
            .is_none()
        {
            return match founding {
                Founding::Allowed => Ok(false),
                Founding::Refused => Err(BeginError::NoNamespace(to.namespace())),
            };
        }
        let blob = transaction
            .rows_held(
                "SELECT size FROM blob WHERE address = $1",
                Hold::Refer,
                args![address.as_str()],
            )
            .await?;
        // Only now, that nobody can bury it: asked before, it could have gone since.
        let source = transaction
            .optional(
                "SELECT 1 FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id
                 WHERE r.name = $1 AND rb.address = $2",
                args![from.as_str(), address.as_str()],
            )
            .await?;
        let (Some(blob), Some(_)) = (blob.first(), source) else {
            return Ok(false);
        };
        let size = blob.size(0)?;
        let Some(home) = Home::made(&mut transaction, to, founding, Hold::Refer).await? else {
            return Err(BeginError::NoNamespace(to.namespace()));
        };
        let fits = home.namespace.fits_blob(&mut transaction, address, size);
        if fits.await?.is_err() {
            return Ok(false);
        }
        let until = transaction.now().plus(grace.0);
        link(&mut transaction, home.repository, address, until).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Repositories that have the blob, to mount it from; the caller decides whether
    /// whoever asks may read them. At most a few are told.
    pub async fn holders(&self, address: &Address) -> Result<Vec<RepositoryName>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT r.name FROM repository_blob rb JOIN repository r ON r.id = rb.repository_id
                 WHERE rb.address = $1 ORDER BY rb.repository_id LIMIT $2",
                args![address.as_str(), HOLDERS],
            )
            .await?;
        rows.iter().map(|row| row.parsed(0)).collect()
    }

    /// A blob of a repository.
    pub async fn blob(
        &self,
        repository: &RepositoryName,
        address: &Address,
    ) -> Result<Option<StoredBlob>, StoreError> {
        let row = self.look(repository, address).await?;
        row.as_ref().map(stored).transpose()
    }

    /// The same for somebody who may push: the blob is kept for a while even if no
    /// manifest names it, because a client that sees it need not push it. That while
    /// is at least half of `grace`: a promise made just now is not written again.
    pub async fn keep_blob(
        &self,
        repository: &RepositoryName,
        address: &Address,
        grace: Grace,
    ) -> Result<Option<StoredBlob>, StoreError> {
        let Some(row) = self.look(repository, address).await? else {
            return Ok(None);
        };
        let now = self.database.now();
        let kept = row.optional_millis(2)?;
        if kept.is_some_and(|until| until >= now.plus(grace.0 / 2)) {
            return stored(&row).map(Some);
        }
        let mut transaction = self.database.begin().await?;
        let until = transaction.now().plus(grace.0);
        let kept = transaction
            .optional(
                "UPDATE repository_blob SET kept_until =
                     CASE WHEN kept_until > $3 THEN kept_until ELSE $3 END
                 WHERE address = $2 AND repository_id =
                     (SELECT id FROM repository WHERE name = $1)
                 RETURNING (SELECT b.place FROM blob b WHERE b.address = $2),
                     (SELECT b.size FROM blob b WHERE b.address = $2)",
                args![repository.as_str(), address.as_str(), until],
            )
            .await?;
        transaction.commit().await?;
        kept.as_ref().map(stored).transpose()
    }

    /// Lets a repository no longer serve a blob.
    pub async fn delete_blob(
        &self,
        repository: &RepositoryName,
        address: &Address,
        actor: &Actor,
    ) -> Result<(), DeleteError> {
        let mut transaction = self.database.begin().await?;
        let Some(home) = Home::of(&mut transaction, repository, Hold::Change).await? else {
            return Err(DeleteError::Absent);
        };
        let namer = transaction
            .optional(
                "SELECT m.address FROM manifest_part p JOIN manifest m ON m.id = p.manifest_id
                 WHERE p.address = $2 AND m.repository_id = $1 AND p.role <> 'manifest' LIMIT 1",
                args![home.repository, address.as_str()],
            )
            .await?;
        let gone = transaction
            .execute(
                "DELETE FROM repository_blob WHERE repository_id = $1 AND address = $2",
                args![home.repository, address.as_str()],
            )
            .await?;
        if gone == 0 {
            return Err(DeleteError::Absent);
        }
        if let Some(row) = namer {
            return Err(DeleteError::Named(row.parsed(0)?));
        }
        bury_unlinked(&mut transaction, address).await?;
        audit::note(
            &mut transaction,
            actor,
            "blob.delete",
            &format!("{repository}@{address}"),
            &serde_json::json!({}),
        )
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Place, size and until when it is kept.
    async fn look(
        &self,
        repository: &RepositoryName,
        address: &Address,
    ) -> Result<Option<Row>, StoreError> {
        self.database
            .optional(
                "SELECT b.place, b.size, rb.kept_until FROM repository r
                 JOIN repository_blob rb ON rb.repository_id = r.id
                 JOIN blob b ON b.address = rb.address WHERE r.name = $1 AND rb.address = $2",
                args![repository.as_str(), address.as_str()],
            )
            .await
    }
}

fn stored(row: &Row) -> Result<StoredBlob, StoreError> {
    Ok(StoredBlob {
        place: Place(row.text(0)?),
        size: row.size(1)?,
    })
}

/// Lets a repository serve a blob until then at least.
async fn link(
    transaction: &mut Transaction,
    repository: i64,
    address: &Address,
    until: Millis,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "INSERT INTO repository_blob (repository_id, address, kept_until) VALUES ($1, $2, $3)
             ON CONFLICT (repository_id, address) DO UPDATE SET kept_until =
                 CASE WHEN repository_blob.kept_until > $3 THEN repository_blob.kept_until
                      ELSE $3 END",
            args![repository, address.as_str(), until],
        )
        .await?;
    Ok(())
}

/// Writes down that bytes are to be removed.
pub(super) async fn bury(transaction: &mut Transaction, place: &str) -> Result<(), StoreError> {
    let now = transaction.now();
    transaction
        .execute(
            "INSERT INTO grave (place, buried_at) VALUES ($1, $2)",
            args![place, now],
        )
        .await?;
    Ok(())
}

/// Buries a blob that no repository has any more, and forgets what its bytes told.
/// Answers how many bytes that were, `None` where somebody has it.
///
/// Whoever takes the last link away asks this afterwards. Of two who take the last
/// two at the same moment, the second to hold the blob sees that both are gone.
pub(super) async fn bury_unlinked(
    transaction: &mut Transaction,
    address: &Address,
) -> Result<Option<u64>, StoreError> {
    let held = transaction
        .rows_held(
            "SELECT place, size FROM blob WHERE address = $1",
            Hold::Remove,
            args![address.as_str()],
        )
        .await?;
    let Some(row) = held.first() else {
        return Ok(None);
    };
    let gone = transaction
        .execute(
            "DELETE FROM blob WHERE address = $1 AND NOT EXISTS
                 (SELECT 1 FROM repository_blob rb WHERE rb.address = $1)",
            args![address.as_str()],
        )
        .await?;
    if gone == 0 {
        return Ok(None);
    }
    bury(transaction, &row.text(0)?).await?;
    transaction
        .execute(
            "DELETE FROM layer_record WHERE address = $1",
            args![address.as_str()],
        )
        .await?;
    row.size(1).map(Some)
}
