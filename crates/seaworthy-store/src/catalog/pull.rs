//! Finding a manifest, which is what registries are asked most.

use super::{Catalog, ManifestName, StoredManifest};
use crate::address::Address;
use crate::name::RepositoryName;
use crate::recall::Answer;
use crate::sql::{Dialect, Hold, args};
use crate::trouble::StoreError;

/// The name of a content in the group of its address, which is no repository's name.
const CONTENT: &str = "";

impl Catalog {
    /// A manifest by tag or digest.
    ///
    /// In SQLite nobody but this process writes, so whole answers are remembered
    /// until an act on the repository ends. In PostgreSQL others write as well: only
    /// contents are remembered, which no name can be moved away from.
    pub async fn manifest(
        &self,
        repository: &RepositoryName,
        name: &ManifestName,
    ) -> Result<Option<StoredManifest>, StoreError> {
        match self.database.dialect() {
            Dialect::Sqlite => self.remembered(repository, name).await,
            Dialect::Postgres => self.pointed(repository, name).await,
        }
    }

    async fn remembered(
        &self,
        repository: &RepositoryName,
        name: &ManifestName,
    ) -> Result<Option<StoredManifest>, StoreError> {
        let recall = self.database.recall();
        let turn = match recall.find(repository.as_str(), name.as_str()) {
            Ok(answer) => return Ok(Some(answer.into())),
            Err(turn) => turn,
        };
        let sql = match name {
            ManifestName::Tag(_) => {
                "SELECT m.address, m.media_type, m.content FROM repository r
                 JOIN tag t ON t.repository_id = r.id
                 JOIN manifest m ON m.repository_id = r.id AND m.address = t.address
                 WHERE r.name = $1 AND t.name = $2"
            }
            ManifestName::Address(_) => {
                "SELECT m.address, m.media_type, m.content FROM repository r
                 JOIN manifest m ON m.repository_id = r.id
                 WHERE r.name = $1 AND m.address = $2"
            }
        };
        let values = args![repository.as_str(), name.as_str()];
        let Some(row) = self.database.optional(sql, values).await? else {
            return Ok(None);
        };
        let answer = Answer {
            address: row.parsed(0)?,
            media_type: row.text(1)?.into(),
            content: row.bytes(2)?.into(),
        };
        recall.keep(repository.as_str(), name.as_str(), answer.clone(), turn);
        Ok(Some(answer.into()))
    }

    async fn pointed(
        &self,
        repository: &RepositoryName,
        name: &ManifestName,
    ) -> Result<Option<StoredManifest>, StoreError> {
        let sql = match name {
            ManifestName::Tag(_) => {
                "SELECT m.address, m.media_type, m.id FROM repository r
                 JOIN tag t ON t.repository_id = r.id
                 JOIN manifest m ON m.repository_id = r.id AND m.address = t.address
                 WHERE r.name = $1 AND t.name = $2"
            }
            ManifestName::Address(_) => {
                "SELECT m.address, m.media_type, m.id FROM repository r
                 JOIN manifest m ON m.repository_id = r.id
                 WHERE r.name = $1 AND m.address = $2"
            }
        };
        let values = args![repository.as_str(), name.as_str()];
        let Some(row) = self.database.optional(sql, values).await? else {
            return Ok(None);
        };
        let address: Address = row.parsed(0)?;
        let media_type: Box<str> = row.text(1)?.into();
        let recall = self.database.recall();
        let turn = match recall.find(address.as_str(), CONTENT) {
            Ok(answer) => {
                return Ok(Some(StoredManifest {
                    address,
                    media_type,
                    content: answer.content,
                }));
            }
            Err(turn) => turn,
        };
        let values = args![row.int(2)?];
        let content = self
            .database
            .optional("SELECT content FROM manifest WHERE id = $1", values)
            .await?;
        // Deleted in between: as if it had been before.
        let Some(row) = content else {
            return Ok(None);
        };
        let answer = Answer {
            address,
            media_type,
            content: row.bytes(0)?.into(),
        };
        let name = answer.address.clone();
        recall.keep(name.as_str(), CONTENT, answer.clone(), turn);
        Ok(Some(answer.into()))
    }

    /// A manifest was pulled. This only remembers it:
    /// [`write_pulls`](Catalog::write_pulls) writes it down.
    pub fn note_pull(&self, repository: &RepositoryName, address: &Address) {
        let now = self.database.now();
        self.database
            .pulls()
            .note(repository.as_str(), address.as_str(), now);
    }

    /// Writes down which manifests were pulled since the last time: every minute or
    /// so, and at the end. Answers how many there were.
    pub async fn write_pulls(&self) -> Result<u64, StoreError> {
        let pulls = self.database.pulls().take();
        let mut written = 0;
        for some in pulls.chunk_by(|a, b| a.repository == b.repository) {
            let Some(first) = some.first() else { continue };
            let mut transaction = self.database.begin().await?;
            // Held before its manifests, as pushes do.
            let held = transaction
                .rows_held(
                    "SELECT id FROM repository WHERE name = $1",
                    Hold::Change,
                    args![&*first.repository],
                )
                .await?;
            let Some(row) = held.first() else { continue };
            let repository = row.int(0)?;
            for pull in some {
                written += transaction
                    .execute(
                        "UPDATE manifest SET pulled_at = $3
                         WHERE repository_id = $1 AND address = $2
                             AND (pulled_at IS NULL OR pulled_at < $3)",
                        args![repository, &*pull.address, pull.at],
                    )
                    .await?;
            }
            transaction.commit().await?;
        }
        Ok(written)
    }
}

impl From<Answer> for StoredManifest {
    fn from(answer: Answer) -> Self {
        Self {
            address: answer.address,
            media_type: answer.media_type,
            content: answer.content,
        }
    }
}
