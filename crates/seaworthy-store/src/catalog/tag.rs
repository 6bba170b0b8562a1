//! Tags, and the lists of repositories and tags.

use super::home::Home;
use super::pattern::Pattern;
use super::push::read_json;
use super::{Busy as _, Catalog, DeleteError, Page, beyond, until_calm};
use crate::audit::{self, Actor};
use crate::name::{RepositoryName, Tag};
use crate::sql::{Hold, args};
use crate::trouble::StoreError;

impl Catalog {
    /// Removes a tag; what it pointed to stays.
    pub async fn delete_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        actor: &Actor,
    ) -> Result<(), DeleteError> {
        let catalog = self.clone();
        let (repository, tag, actor) = (repository.clone(), tag.clone(), actor.clone());
        super::to_its_end(async move {
            let gone = until_calm!(catalog.untag(&repository, &tag, &actor));
            catalog.forget_answers(&repository);
            gone
        })
        .await
    }

    async fn untag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        actor: &Actor,
    ) -> Result<(), DeleteError> {
        let mut transaction = self.database.begin().await?;
        let Some(home) = Home::of(&mut transaction, repository, Hold::Change).await? else {
            return Err(DeleteError::Absent);
        };
        let gone = transaction
            .optional(
                "DELETE FROM tag WHERE repository_id = $1 AND name = $2 RETURNING address",
                args![home.repository, tag.as_str()],
            )
            .await?;
        let Some(row) = gone else {
            return Err(DeleteError::Absent);
        };
        let immutable: Vec<Pattern> = read_json(&home.namespace.immutable_tags)?;
        if immutable.iter().any(|it| it.matches(tag.as_str())) {
            return Err(DeleteError::Immutable(tag.clone()));
        }
        audit::note(
            &mut transaction,
            actor,
            "tag.delete",
            &format!("{repository}:{tag}"),
            &serde_json::json!({ "digest": row.text(0)? }),
        )
        .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// Tags in lexical order after `last`; `None` where there is no such repository.
    pub async fn tags(
        &self,
        repository: &RepositoryName,
        last: Option<&str>,
        limit: usize,
    ) -> Result<Option<Page<Tag>>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT t.name FROM repository r JOIN tag t ON t.repository_id = r.id
                 WHERE r.name = $1 AND t.name > $2 ORDER BY t.name LIMIT $3",
                args![repository.as_str(), last.unwrap_or(""), beyond(limit)],
            )
            .await?;
        if rows.is_empty() && !self.has_repository(repository).await? {
            return Ok(None);
        }
        Page::of(rows, limit, |row| row.parsed(0)).map(Some)
    }

    /// Whether the repository is there.
    pub async fn has_repository(&self, repository: &RepositoryName) -> Result<bool, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT 1 FROM repository WHERE name = $1",
                args![repository.as_str()],
            )
            .await?;
        Ok(row.is_some())
    }

    /// Repositories in lexical order after `last`.
    pub async fn repositories(
        &self,
        last: Option<&str>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT name FROM repository WHERE name > $1 ORDER BY name LIMIT $2",
                args![last.unwrap_or(""), beyond(limit)],
            )
            .await?;
        Page::of(rows, limit, |row| row.parsed(0))
    }
}
