//! Namespaces: what repositories belong to, with their rules.

use super::blob::bury_unlinked;
use super::pattern::Pattern;
use super::push::read_json;
use super::quota;
use super::retention::RetentionRule;
use super::{Catalog, Page, beyond};
use crate::address::Address;
use crate::audit::{self, Actor};
use crate::clock::Millis;
use crate::name::{Namespace, RepositoryName};
use crate::sql::{Hold, LOCK_ACCOUNTS, Row, Transaction, args};
use crate::trouble::StoreError;

/// The rules of a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceSettings {
    /// Whether anybody may read.
    pub is_public: bool,
    /// Whether images pushed from now on are scanned by themselves. Turning it on
    /// scans nothing that is there: [`Catalog::unscanned`] lists what could be.
    pub auto_scan: bool,
    /// Whether manifests may name blobs and manifests that are not there (yet), as
    /// sparse indexes do. Else they are refused.
    pub is_sparse: bool,
    /// The most bytes its blobs (each counted once) and manifests may take.
    pub quota_bytes: Option<u64>,
    /// Tags that never move once they are there, and are never deleted.
    pub immutable_tags: Vec<Pattern>,
    /// What is removed when.
    pub retention: Vec<RetentionRule>,
}

/// A namespace as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredNamespace {
    /// Its name.
    pub name: Namespace,
    /// Its rules.
    pub settings: NamespaceSettings,
    /// When it was made.
    pub created_at: Millis,
    /// Counts up with every change.
    pub revision: i64,
}

/// What a namespace holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holdings {
    /// Bytes of its blobs, each counted once, and of its manifests.
    pub bytes: u64,
    /// Repositories.
    pub repositories: u64,
    /// Images, of every class.
    pub images: u64,
}

/// An image that was never scanned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unscanned {
    /// Its number, to ask for its scan.
    pub image: i64,
    /// Where it is.
    pub repository: RepositoryName,
    /// Its content address.
    pub address: Address,
}

/// Why a namespace was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateNamespaceError {
    /// There is one.
    #[error("there is a namespace `{0}`")]
    Taken(Namespace),
    /// More rules than anybody needs.
    #[error("a namespace has at most {MOST_RULES} rules of a kind")]
    TooMany,
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a namespace was not changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum ChangeNamespaceError {
    /// It is not there.
    #[error("there is no namespace `{0}`")]
    Absent(Namespace),
    /// Somebody else changed it meanwhile.
    #[error("the namespace was changed meanwhile: its revision is {found}")]
    Changed {
        /// The revision it has.
        found: i64,
    },
    /// It still holds images or artifacts.
    #[error("the namespace `{0}` is not empty")]
    NotEmpty(Namespace),
    /// More rules than anybody needs.
    #[error("a namespace has at most {MOST_RULES} rules of a kind")]
    TooMany,
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The most rules of one kind.
const MOST_RULES: usize = 100;

impl Default for NamespaceSettings {
    /// As a namespace is that a push makes.
    fn default() -> Self {
        Self {
            is_public: false,
            auto_scan: true,
            is_sparse: false,
            quota_bytes: None,
            immutable_tags: Vec::new(),
            retention: Vec::new(),
        }
    }
}

impl NamespaceSettings {
    fn is_bounded(&self) -> bool {
        self.immutable_tags.len() <= MOST_RULES && self.retention.len() <= MOST_RULES
    }

    fn quota(&self) -> Option<i64> {
        self.quota_bytes
            .map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX))
    }

    fn told(&self) -> serde_json::Value {
        serde_json::json!({
            "is_public": self.is_public,
            "auto_scan": self.auto_scan,
            "is_sparse": self.is_sparse,
            "quota_bytes": self.quota_bytes,
            "immutable_tags": self.immutable_tags,
            "retention": self.retention,
        })
    }
}

/// What [`read`] takes.
macro_rules! columns {
    ($rest:literal) => {
        concat!(
            "SELECT name, is_public, auto_scan, is_sparse, quota_bytes, immutable_tags, retention,
                 created_at, revision, id FROM namespace ",
            $rest
        )
    };
}

fn read(row: &Row) -> Result<StoredNamespace, StoreError> {
    let quota = row.optional_int(4)?;
    Ok(StoredNamespace {
        name: row.parsed(0)?,
        settings: NamespaceSettings {
            is_public: row.truth(1)?,
            auto_scan: row.truth(2)?,
            is_sparse: row.truth(3)?,
            quota_bytes: quota.map(|bytes| u64::try_from(bytes).unwrap_or(0)),
            immutable_tags: read_json(&row.text(5)?)?,
            retention: read_json(&row.text(6)?)?,
        },
        created_at: row.millis(7)?,
        revision: row.int(8)?,
    })
}

fn written<T: serde::Serialize>(rules: &T) -> Result<String, StoreError> {
    serde_json::to_string(rules).map_err(|error| StoreError::Unreadable(error.to_string()))
}

impl Catalog {
    /// Makes a namespace.
    pub async fn create_namespace(
        &self,
        name: &Namespace,
        settings: &NamespaceSettings,
        actor: &Actor,
    ) -> Result<StoredNamespace, CreateNamespaceError> {
        if !settings.is_bounded() {
            return Err(CreateNamespaceError::TooMany);
        }
        let mut transaction = self.database.begin().await?;
        let now = transaction.now();
        let made = transaction
            .execute(
                "INSERT INTO namespace (name, is_public, auto_scan, is_sparse, quota_bytes,
                     immutable_tags, retention, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (name) DO NOTHING",
                args![
                    name.as_str(),
                    settings.is_public,
                    settings.auto_scan,
                    settings.is_sparse,
                    settings.quota(),
                    written(&settings.immutable_tags)?,
                    written(&settings.retention)?,
                    now
                ],
            )
            .await?;
        if made == 0 {
            return Err(CreateNamespaceError::Taken(name.clone()));
        }
        audit::note(
            &mut transaction,
            actor,
            "namespace.create",
            name.as_str(),
            &settings.told(),
        )
        .await?;
        transaction.commit().await?;
        self.database.note_access_change();
        Ok(StoredNamespace {
            name: name.clone(),
            settings: settings.clone(),
            created_at: now,
            revision: 1,
        })
    }

    /// A namespace.
    pub async fn namespace(&self, name: &Namespace) -> Result<Option<StoredNamespace>, StoreError> {
        let row = self
            .database
            .optional(columns!("WHERE name = $1"), args![name.as_str()])
            .await?;
        row.as_ref().map(read).transpose()
    }

    /// Namespaces in lexical order after `last`.
    pub async fn namespaces(
        &self,
        last: Option<&str>,
        limit: usize,
    ) -> Result<Page<StoredNamespace>, StoreError> {
        let rows = self
            .database
            .rows(
                columns!("WHERE name > $1 ORDER BY name LIMIT $2"),
                args![last.unwrap_or(""), beyond(limit)],
            )
            .await?;
        Page::of(rows, limit, read)
    }

    /// Changes the rules of a namespace, where it still has the `revision` that the
    /// caller saw; `None` for whichever it has.
    pub async fn update_namespace(
        &self,
        name: &Namespace,
        revision: Option<i64>,
        settings: &NamespaceSettings,
        actor: &Actor,
    ) -> Result<StoredNamespace, ChangeNamespaceError> {
        if !settings.is_bounded() {
            return Err(ChangeNamespaceError::TooMany);
        }
        let mut transaction = self.database.begin().await?;
        let (_, before) = held(&mut transaction, name, revision, Hold::Change).await?;
        let after = StoredNamespace {
            settings: settings.clone(),
            revision: before.revision + 1,
            ..before
        };
        transaction
            .execute(
                "UPDATE namespace SET is_public = $2, auto_scan = $3, is_sparse = $4,
                     quota_bytes = $5, immutable_tags = $6, retention = $7, revision = $8
                 WHERE name = $1",
                args![
                    name.as_str(),
                    settings.is_public,
                    settings.auto_scan,
                    settings.is_sparse,
                    settings.quota(),
                    written(&settings.immutable_tags)?,
                    written(&settings.retention)?,
                    after.revision
                ],
            )
            .await?;
        audit::note(
            &mut transaction,
            actor,
            "namespace.update",
            name.as_str(),
            &serde_json::json!({ "before": before.settings.told(), "after": settings.told() }),
        )
        .await?;
        transaction.commit().await?;
        self.database.note_access_change();
        Ok(after)
    }

    /// Deletes a namespace that holds no manifest and no image (any more), with its
    /// empty repositories, its robots and the roles in it.
    pub async fn delete_namespace(
        &self,
        name: &Namespace,
        revision: Option<i64>,
        actor: &Actor,
    ) -> Result<(), ChangeNamespaceError> {
        let mut transaction = self.database.begin().await?;
        transaction.lock(LOCK_ACCOUNTS).await?;
        let (id, _) = held(&mut transaction, name, revision, Hold::Remove).await?;
        transaction
            .rows_held(
                "SELECT id FROM repository WHERE namespace_id = $1 ORDER BY id",
                Hold::Remove,
                args![id],
            )
            .await?;
        let full = transaction
            .optional(
                "SELECT 1 FROM repository r WHERE r.namespace_id = $1 AND (
                     EXISTS (SELECT 1 FROM manifest m WHERE m.repository_id = r.id)
                     OR EXISTS (SELECT 1 FROM image i WHERE i.repository_id = r.id)) LIMIT 1",
                args![id],
            )
            .await?;
        if full.is_some() {
            return Err(ChangeNamespaceError::NotEmpty(name.clone()));
        }
        empty_repositories(&mut transaction, id).await?;
        for statement in [
            "DELETE FROM role_grant WHERE namespace_id = $1",
            "DELETE FROM account WHERE namespace_id = $1",
            "DELETE FROM namespace WHERE id = $1",
        ] {
            transaction.execute(statement, args![id]).await?;
        }
        let nothing = serde_json::json!({});
        audit::note(
            &mut transaction,
            actor,
            "namespace.delete",
            name.as_str(),
            &nothing,
        )
        .await?;
        transaction.commit().await?;
        self.database.note_access_change();
        Ok(())
    }

    /// What a namespace holds.
    pub async fn holdings(&self, name: &Namespace) -> Result<Option<Holdings>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT n.id, (SELECT COUNT(*) FROM repository r WHERE r.namespace_id = n.id),
                     (SELECT COUNT(*) FROM image i JOIN repository r ON r.id = i.repository_id
                      WHERE r.namespace_id = n.id)
                 FROM namespace n WHERE n.name = $1",
                args![name.as_str()],
            )
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        let bytes = self
            .database
            .optional(quota::BYTES, args![row.int(0)?])
            .await?;
        Ok(Some(Holdings {
            bytes: bytes.map_or(Ok(0), |row| row.size(0))?,
            repositories: row.size(1)?,
            images: row.size(2)?,
        }))
    }

    /// Images of a namespace that are here and were never scanned, after the number
    /// `after`: what may be offered when a namespace begins to scan by itself.
    pub async fn unscanned(
        &self,
        name: &Namespace,
        after: i64,
        limit: usize,
    ) -> Result<Page<Unscanned>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT i.id, r.name, i.address FROM namespace n
                 JOIN repository r ON r.namespace_id = n.id JOIN image i ON i.repository_id = r.id
                 WHERE n.name = $1 AND i.state = 'not_scanned' AND i.retention_class = 'full'
                     AND i.id > $2 ORDER BY i.id LIMIT $3",
                args![name.as_str(), after, beyond(limit)],
            )
            .await?;
        Page::of(rows, limit, |row| {
            Ok(Unscanned {
                image: row.int(0)?,
                repository: row.parsed(1)?,
                address: row.parsed(2)?,
            })
        })
    }
}

/// The namespace with its number, held, where it has that revision.
async fn held(
    transaction: &mut Transaction,
    name: &Namespace,
    revision: Option<i64>,
    hold: Hold,
) -> Result<(i64, StoredNamespace), ChangeNamespaceError> {
    let rows = transaction
        .rows_held(columns!("WHERE name = $1"), hold, args![name.as_str()])
        .await?;
    let Some(row) = rows.first() else {
        return Err(ChangeNamespaceError::Absent(name.clone()));
    };
    let found = read(row)?;
    if revision.is_some_and(|wanted| wanted != found.revision) {
        return Err(ChangeNamespaceError::Changed {
            found: found.revision,
        });
    }
    Ok((row.int(9)?, found))
}

/// Removes the repositories of a namespace, which hold nothing but uploads and blobs
/// that no manifest names. What uploads left behind is swept away later.
async fn empty_repositories(
    transaction: &mut Transaction,
    namespace: i64,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "DELETE FROM upload WHERE repository_id IN
                 (SELECT id FROM repository WHERE namespace_id = $1)",
            args![namespace],
        )
        .await?;
    let blobs = transaction
        .rows(
            "DELETE FROM repository_blob WHERE repository_id IN
                 (SELECT id FROM repository WHERE namespace_id = $1) RETURNING address",
            args![namespace],
        )
        .await?;
    let blobs = blobs
        .iter()
        .map(|row| row.parsed(0))
        .collect::<Result<std::collections::BTreeSet<Address>, _>>()?;
    for address in &blobs {
        bury_unlinked(transaction, address).await?;
    }
    transaction
        .execute(
            "DELETE FROM repository WHERE namespace_id = $1",
            args![namespace],
        )
        .await?;
    Ok(())
}
