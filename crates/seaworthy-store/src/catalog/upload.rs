//! Uploads that are not finished.

use super::home::Home;
use super::{Catalog, Founding};
use crate::audit::{self, Actor};
use crate::blobs::Partial;
use crate::clock::Millis;
use crate::name::{Namespace, RepositoryName};
use crate::sql::{Hold, args};
use crate::trouble::StoreError;

/// An upload that is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// What the client was given.
    pub id: Box<str>,
    /// What there is so far.
    pub partial: Partial,
    /// Who began it. Nobody else goes on with it.
    pub actor: Actor,
    /// Whether its namespace has new images scanned, so that its bytes are worth
    /// being read while they arrive.
    pub auto_scan: bool,
}

/// Why nothing was begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The namespace is not there, and the caller may not make one.
    #[error("there is no namespace `{0}`")]
    NoNamespace(Namespace),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Catalog {
    /// Begins an upload in `repository`, making the repository where there is none.
    pub async fn begin_upload(
        &self,
        repository: &RepositoryName,
        founding: Founding,
        actor: &Actor,
        id: &str,
        partial: &Partial,
    ) -> Result<(), BeginError> {
        let mut transaction = self.database.begin().await?;
        let home = Home::made(&mut transaction, repository, founding, Hold::Refer)
            .await?
            .ok_or_else(|| BeginError::NoNamespace(repository.namespace()))?;
        let now = transaction.now();
        transaction
            .execute(
                "INSERT INTO upload (id, repository_id, actor, started_at, touched_at, received,
                     state) VALUES ($1, $2, $3, $4, $4, $5, $6)",
                args![
                    id,
                    home.repository,
                    actor.as_str(),
                    now,
                    count(partial.received),
                    partial.state.as_str()
                ],
            )
            .await?;
        if home.founded {
            audit::note(
                &mut transaction,
                actor,
                "namespace.create",
                home.namespace.name.as_str(),
                &serde_json::json!({ "because": "push" }),
            )
            .await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// How many uploads somebody has begun and not ended.
    pub async fn open_uploads(&self, actor: &Actor) -> Result<u64, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT COUNT(*) FROM upload WHERE actor = $1",
                args![actor.as_str()],
            )
            .await?;
        row.map_or(Ok(0), |row| row.size(0))
    }

    /// The upload `id` of `repository`.
    pub async fn upload(
        &self,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Option<Upload>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT u.received, u.state, u.actor, n.auto_scan FROM upload u
                 JOIN repository r ON r.id = u.repository_id
                 JOIN namespace n ON n.id = r.namespace_id WHERE u.id = $1 AND r.name = $2",
                args![id, repository.as_str()],
            )
            .await?;
        row.map(|row| {
            Ok(Upload {
                id: id.into(),
                partial: Partial {
                    received: row.size(0)?,
                    state: row.text(1)?,
                },
                actor: Actor::new(row.text(2)?),
                auto_scan: row.truth(3)?,
            })
        })
        .transpose()
    }

    /// Writes down how far an upload is. Answers `false` where it was cancelled, or
    /// where somebody else wrote meanwhile (`before` is what the caller saw).
    pub async fn note_upload(
        &self,
        id: &str,
        before: u64,
        partial: &Partial,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.database.begin().await?;
        let now = transaction.now();
        let touched = transaction
            .execute(
                "UPDATE upload SET received = $3, state = $4, touched_at = $5
                 WHERE id = $1 AND received = $2",
                args![
                    id,
                    count(before),
                    count(partial.received),
                    partial.state.as_str(),
                    now
                ],
            )
            .await?;
        transaction.commit().await?;
        Ok(touched > 0)
    }

    /// Ends an upload without a blob.
    pub async fn cancel_upload(
        &self,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Option<Partial>, StoreError> {
        let mut transaction = self.database.begin().await?;
        let row = transaction
            .optional(
                "DELETE FROM upload WHERE id = $1 AND repository_id =
                     (SELECT id FROM repository WHERE name = $2) RETURNING received, state",
                args![id, repository.as_str()],
            )
            .await?;
        transaction.commit().await?;
        row.map(|row| {
            Ok(Partial {
                received: row.size(0)?,
                state: row.text(1)?,
            })
        })
        .transpose()
    }

    /// Uploads nobody touched since `before`, forgotten; their bytes are the caller's
    /// to abandon.
    pub async fn expire_uploads(
        &self,
        before: Millis,
        limit: usize,
    ) -> Result<Vec<Partial>, StoreError> {
        let mut transaction = self.database.begin().await?;
        // Asked again outside: in PostgreSQL one that was touched at the same moment
        // is looked at anew, and stays.
        let rows = transaction
            .rows(
                "DELETE FROM upload WHERE touched_at < $1 AND id IN
                     (SELECT id FROM upload WHERE touched_at < $1 ORDER BY touched_at LIMIT $2)
                 RETURNING received, state",
                args![before, count(limit as u64)],
            )
            .await?;
        transaction.commit().await?;
        rows.into_iter()
            .map(|row| {
                Ok(Partial {
                    received: row.size(0)?,
                    state: row.text(1)?,
                })
            })
            .collect()
    }
}

/// A count or a size as databases take it.
pub(super) fn count(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
