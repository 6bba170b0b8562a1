//! Removing manifests with everything known of them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::blob::bury_unlinked;
use super::home::Home;
use super::pattern::Pattern;
use super::push::read_json;
use super::{Busy, Catalog, until_calm};
use crate::address::Address;
use crate::audit::{self, Actor};
use crate::name::{RepositoryName, Tag};
use crate::sql::{Hold, Transaction, Value, args};
use crate::trouble::StoreError;

/// Why nothing was deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// It is not there.
    #[error("it is not in the repository")]
    Absent,
    /// A tag that never moves points to it.
    #[error("the tag `{0}` is immutable")]
    Immutable(Tag),
    /// Another manifest names it.
    #[error("the manifest `{0}` names it; delete that first")]
    Named(Address),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Busy for DeleteError {
    fn is_busy(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_busy())
    }
}

/// A manifest that goes, and why.
pub(super) struct Going {
    pub(super) id: i64,
    pub(super) address: String,
    pub(super) kind: String,
    pub(super) why: Cow<'static, str>,
}

/// How long a manifest stays after its last index went, counted from its last push:
/// somebody may be about to push another index that names it. In milliseconds.
pub(super) const LEFT_GRACE: i64 = 60 * 60 * 1000;

/// What was removed, for what follows outside of the transaction.
pub(super) struct Removed {
    /// Packages that may have lost their last image.
    pub(super) components: Vec<i64>,
}

impl Catalog {
    /// Removes a manifest with its tags, its referrers, and everything known of it as
    /// an image: inventory, reports, what search finds, waiting scans.
    ///
    /// An index takes the manifests with it that nothing else names or tags. Those
    /// pushed within the last hour stay that long, because their client may still be
    /// pushing another index. Blobs that no other manifest of the repository names go
    /// as well, unless they are promised to a client that pushes; then they go when
    /// that time is over. Layers that others have stay.
    pub async fn delete_manifest(
        &self,
        repository: &RepositoryName,
        address: &Address,
        actor: &Actor,
    ) -> Result<(), DeleteError> {
        let catalog = self.clone();
        let (repository, address) = (repository.clone(), address.clone());
        let actor = actor.clone();
        super::to_its_end(async move {
            let gone = until_calm!(catalog.remove(&repository, &address, &actor));
            catalog.forget_answers(&repository);
            let removed = gone?;
            catalog.forget_components(&removed.components).await?;
            Ok(())
        })
        .await
    }

    async fn remove(
        &self,
        repository: &RepositoryName,
        address: &Address,
        actor: &Actor,
    ) -> Result<Removed, DeleteError> {
        let mut transaction = self.database.begin().await?;
        let Some(home) = Home::of(&mut transaction, repository, Hold::Change).await? else {
            return Err(DeleteError::Absent);
        };
        let first = transaction
            .optional(
                "SELECT id, kind FROM manifest WHERE repository_id = $1 AND address = $2",
                args![home.repository, address.as_str()],
            )
            .await?;
        let Some(row) = first else {
            return Err(DeleteError::Absent);
        };
        if let Some(index) = namer(&mut transaction, &home, address.as_str()).await? {
            return Err(DeleteError::Named(index));
        }
        let first = Going {
            id: row.int(0)?,
            address: address.to_string(),
            kind: row.text(1)?,
            why: "deleted".into(),
        };
        let removed = remove_from(&mut transaction, repository, &home, first, actor).await?;
        transaction.commit().await?;
        Ok(removed)
    }

    /// Removes packages that no image has any more, with what is said of them.
    pub(super) async fn forget_components(&self, ids: &[i64]) -> Result<u64, StoreError> {
        let mut forgotten = 0;
        let mut ids = ids.to_vec();
        ids.sort_unstable();
        for some in ids.chunks(64) {
            let some: Vec<Value> = some.iter().map(|id| Value::from(*id)).collect();
            let mut transaction = self.database.begin().await?;
            // Most have other images still: only those that look forgotten are held,
            // and asked again now that nobody can give them to an image.
            let candidates = orphans(&mut transaction, &some).await?;
            for id in &candidates {
                transaction
                    .rows_held(
                        "SELECT id FROM component WHERE id = $1",
                        Hold::Remove,
                        vec![id.clone()],
                    )
                    .await?;
            }
            let orphans = orphans(&mut transaction, &candidates).await?;
            transaction
                .execute_among(
                    "DELETE FROM component_finding WHERE component_id IN ({keys})",
                    args![],
                    &orphans,
                )
                .await?;
            forgotten += transaction
                .execute_among(
                    "DELETE FROM component WHERE id IN ({keys})",
                    args![],
                    &orphans,
                )
                .await?;
            transaction.commit().await?;
        }
        Ok(forgotten)
    }
}

/// Those of the packages that no image has.
async fn orphans(
    transaction: &mut Transaction,
    components: &[Value],
) -> Result<Vec<Value>, StoreError> {
    let rows = transaction
        .rows_among(
            "SELECT c.id FROM component c WHERE c.id IN ({keys}) AND NOT EXISTS
                 (SELECT 1 FROM image_component ic WHERE ic.component_id = c.id)
             ORDER BY c.id",
            args![],
            components,
        )
        .await?;
    rows.iter().map(|row| row.int(0).map(Value::from)).collect()
}

/// A manifest of the repository that names this one.
pub(super) async fn namer(
    transaction: &mut Transaction,
    home: &Home,
    address: &str,
) -> Result<Option<Address>, StoreError> {
    let row = transaction
        .optional(
            "SELECT m.address FROM manifest_part p JOIN manifest m ON m.id = p.manifest_id
             WHERE p.address = $2 AND m.repository_id = $1 AND p.role = 'manifest' LIMIT 1",
            args![home.repository, address],
        )
        .await?;
    row.map(|row| row.parsed(0)).transpose()
}

/// Removes a manifest that nothing names, and all that goes with it.
pub(super) async fn remove_from(
    transaction: &mut Transaction,
    name: &RepositoryName,
    home: &Home,
    first: Going,
    actor: &Actor,
) -> Result<Removed, DeleteError> {
    let immutable: Vec<Pattern> = read_json(&home.namespace.immutable_tags)?;
    let mut blobs = BTreeSet::new();
    let mut components = BTreeSet::new();
    let mut told = Vec::new();
    let mut seen = BTreeSet::from([first.address.clone()]);
    let mut going = vec![first];
    while let Some(it) = going.pop() {
        let tags = transaction
            .rows(
                "DELETE FROM tag WHERE repository_id = $1 AND address = $2 RETURNING name",
                args![home.repository, it.address.as_str()],
            )
            .await?;
        let mut names = Vec::new();
        for row in tags {
            let tag: Tag = row.parsed(0)?;
            if immutable.iter().any(|rule| rule.matches(tag.as_str())) {
                return Err(DeleteError::Immutable(tag));
            }
            names.push(tag.to_string());
        }
        names.sort_unstable();
        let parts = transaction
            .rows(
                "SELECT role, address FROM manifest_part WHERE manifest_id = $1",
                args![it.id],
            )
            .await?;
        let mut children = BTreeSet::new();
        for row in parts {
            let address = row.text(1)?;
            if row.text(0)? == "manifest" {
                children.insert(address);
            } else {
                blobs.insert(address);
            }
        }
        components.extend(remove_image(transaction, home.repository, &it.address).await?);
        transaction
            .execute(
                "DELETE FROM manifest_part WHERE manifest_id = $1",
                args![it.id],
            )
            .await?;
        transaction
            .execute("DELETE FROM manifest WHERE id = $1", args![it.id])
            .await?;
        for child in children {
            if seen.contains(&child) {
                continue;
            }
            if let Some(child) = left(transaction, home, &child).await? {
                seen.insert(child.address.clone());
                going.push(child);
            }
        }
        let referrers = transaction
            .rows(
                "SELECT id, address, kind FROM manifest WHERE repository_id = $1 AND subject = $2",
                args![home.repository, it.address.as_str()],
            )
            .await?;
        for row in referrers {
            let address = row.text(1)?;
            // One that an index names stays with that index.
            if seen.contains(&address) || namer(transaction, home, &address).await?.is_some() {
                continue;
            }
            seen.insert(address.clone());
            going.push(Going {
                id: row.int(0)?,
                address,
                kind: row.text(2)?,
                why: "its subject was deleted".into(),
            });
        }
        told.push((it, names));
    }
    unlink(transaction, home.repository, &blobs).await?;
    for (it, tags) in told {
        audit::note(
            transaction,
            actor,
            "manifest.delete",
            &format!("{name}@{}", it.address),
            &serde_json::json!({ "kind": it.kind, "tags": tags, "because": it.why }),
        )
        .await?;
    }
    Ok(Removed {
        components: components.into_iter().collect(),
    })
}

/// What becomes of a manifest whose index goes: it goes along where nothing else
/// names or tags it and nobody can be about to.
async fn left(
    transaction: &mut Transaction,
    home: &Home,
    address: &str,
) -> Result<Option<Going>, StoreError> {
    let now = transaction.now();
    let row = transaction
        .optional(
            "SELECT m.id, m.kind, m.pushed_at FROM manifest m
             WHERE m.repository_id = $1 AND m.address = $2 AND NOT EXISTS
                 (SELECT 1 FROM tag t WHERE t.repository_id = $1 AND t.address = $2)",
            args![home.repository, address],
        )
        .await?;
    let Some(row) = row else {
        return Ok(None);
    };
    if namer(transaction, home, address).await?.is_some() {
        return Ok(None);
    }
    let id = row.int(0)?;
    let until = row.millis(2)?.plus(LEFT_GRACE);
    if until > now {
        transaction
            .execute(
                "UPDATE manifest SET left_until = $2 WHERE id = $1",
                args![id, until],
            )
            .await?;
        return Ok(None);
    }
    Ok(Some(Going {
        id,
        address: address.to_owned(),
        kind: row.text(1)?,
        why: "its index was deleted".into(),
    }))
}

/// Removes what is known of an image. Answers the packages it had.
async fn remove_image(
    transaction: &mut Transaction,
    repository: i64,
    address: &str,
) -> Result<Vec<i64>, StoreError> {
    // Held before its jobs are touched, as everybody does.
    let held = transaction
        .rows_held(
            "SELECT id FROM image WHERE repository_id = $1 AND address = $2",
            Hold::Remove,
            args![repository, address],
        )
        .await?;
    let Some(row) = held.first() else {
        return Ok(Vec::new());
    };
    let id = row.int(0)?;
    // A worker that runs one of them finds its lease gone.
    transaction
        .execute(
            "DELETE FROM job WHERE dedupe IN ($1, $2)",
            args![format!("scan:{id}"), format!("assess:{id}")],
        )
        .await?;
    let components = transaction
        .rows(
            "SELECT component_id FROM image_component WHERE image_id = $1",
            args![id],
        )
        .await?;
    // Labels, inventory, reports and packages go with it.
    transaction
        .execute("DELETE FROM image WHERE id = $1", args![id])
        .await?;
    components.iter().map(|row| row.int(0)).collect()
}

/// Lets the repository no longer serve those of the blobs that none of its manifests
/// names and that are promised to nobody; buries those that no repository has.
async fn unlink(
    transaction: &mut Transaction,
    repository: i64,
    blobs: &BTreeSet<String>,
) -> Result<(), StoreError> {
    let now = transaction.now();
    let keys: Vec<Value> = blobs.iter().map(|it| Value::from(it.as_str())).collect();
    let gone = transaction
        .rows_among(
            "DELETE FROM repository_blob WHERE repository_id = $1 AND address IN ({keys})
                 AND (kept_until IS NULL OR kept_until <= $2) AND NOT EXISTS
                 (SELECT 1 FROM manifest_part p JOIN manifest m ON m.id = p.manifest_id
                  WHERE p.address = repository_blob.address AND p.role <> 'manifest'
                      AND m.repository_id = $1)
             RETURNING address",
            args![repository, now],
            &keys,
        )
        .await?;
    let gone: BTreeSet<Address> = gone
        .iter()
        .map(|row| row.parsed(0))
        .collect::<Result<_, _>>()?;
    for address in &gone {
        bury_unlinked(transaction, address).await?;
    }
    Ok(())
}
