//! What nobody needs any more is forgotten, while pushes go on.
//!
//! Only what changed is looked at: a link that manifests hold has no `kept_until`, so
//! it is looked at again when the last of them goes or a client is promised it.

use std::collections::{BTreeMap, BTreeSet};

use super::blob::bury_unlinked;
use super::delete::{Going, namer, remove_from};
use super::home::Home;
use super::upload::count;
use super::{Busy as _, Catalog, DeleteError, to_its_end, until_calm};
use crate::address::Address;
use crate::audit::Actor;
use crate::blobs::{Known, Partial, Place};
use crate::clock::Millis;
use crate::name::RepositoryName;
use crate::sql::{Hold, Value, args};
use crate::trouble::StoreError;

/// Bytes to be removed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grave {
    /// Its number.
    pub id: i64,
    /// Where the bytes are.
    pub place: Place,
}

/// What one look at promised blobs did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Links that were looked at.
    pub seen: u64,
    /// Links that went.
    pub links: u64,
    /// Blobs that went because no repository has them.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How many rows one page of a long list has.
const PAGE: i64 = 1000;

impl Catalog {
    /// Lets repositories no longer serve blobs whose time is over and that none of
    /// their manifests names, and buries those that nobody has any more. Looks at
    /// `limit` of them.
    pub async fn expire_blobs(&self, limit: usize) -> Result<Expired, StoreError> {
        let now = self.database.now();
        let rows = self
            .database
            .rows(
                "SELECT repository_id, address FROM repository_blob WHERE kept_until <= $1
                 ORDER BY kept_until LIMIT $2",
                args![now, count(limit as u64)],
            )
            .await?;
        let mut by_repository: BTreeMap<i64, Vec<Value>> = BTreeMap::new();
        for row in &rows {
            let blobs = by_repository.entry(row.int(0)?).or_default();
            blobs.push(row.text(1)?.into());
        }
        let mut expired = Expired::default();
        for (repository, blobs) in by_repository {
            let some = until_calm!(self.expire_in(repository, &blobs, now))?;
            expired.seen += some.seen;
            expired.links += some.links;
            expired.blobs += some.blobs;
            expired.bytes += some.bytes;
        }
        Ok(expired)
    }

    async fn expire_in(
        &self,
        repository: i64,
        blobs: &[Value],
        now: Millis,
    ) -> Result<Expired, StoreError> {
        let mut expired = Expired {
            seen: blobs.len() as u64,
            ..Expired::default()
        };
        let mut transaction = self.database.begin().await?;
        // Pushes into the repository wait, so that none of them names a blob between
        // the look and the end of this.
        let held = transaction
            .rows_held(
                "SELECT id FROM repository WHERE id = $1",
                Hold::Change,
                args![repository],
            )
            .await?;
        if held.is_empty() {
            return Ok(expired);
        }
        let gone = transaction
            .rows_among(
                "DELETE FROM repository_blob WHERE repository_id = $1 AND address IN ({keys})
                     AND kept_until <= $2 AND NOT EXISTS
                     (SELECT 1 FROM manifest_part p JOIN manifest m ON m.id = p.manifest_id
                      WHERE p.address = repository_blob.address AND p.role <> 'manifest'
                          AND m.repository_id = $1)
                 RETURNING address",
                args![repository, now],
                blobs,
            )
            .await?;
        // Those that are left are held by manifests, or were promised again.
        transaction
            .execute_among(
                "UPDATE repository_blob SET kept_until = NULL
                 WHERE repository_id = $1 AND address IN ({keys}) AND kept_until <= $2",
                args![repository, now],
                blobs,
            )
            .await?;
        let gone: BTreeSet<Address> = gone
            .iter()
            .map(|row| row.parsed(0))
            .collect::<Result<_, _>>()?;
        expired.links = gone.len() as u64;
        for address in &gone {
            if let Some(size) = bury_unlinked(&mut transaction, address).await? {
                expired.blobs += 1;
                expired.bytes += size;
            }
        }
        transaction.commit().await?;
        Ok(expired)
    }

    /// Removes manifests whose last index was deleted a while ago and that nobody has
    /// tagged or named since. Answers how many were looked at.
    pub async fn expire_manifests(&self, limit: usize) -> Result<u64, StoreError> {
        let now = self.database.now();
        let rows = self
            .database
            .rows(
                "SELECT r.name, m.address FROM manifest m JOIN repository r
                     ON r.id = m.repository_id
                 WHERE m.left_until <= $1 ORDER BY m.left_until LIMIT $2",
                args![now, count(limit as u64)],
            )
            .await?;
        for row in &rows {
            let (repository, address): (RepositoryName, Address) = (row.parsed(0)?, row.parsed(1)?);
            let catalog = self.clone();
            to_its_end(async move {
                let gone = until_calm!(catalog.expire_manifest(&repository, &address, now));
                catalog.forget_answers(&repository);
                let components = gone?;
                catalog.forget_components(&components).await?;
                Ok::<(), StoreError>(())
            })
            .await?;
        }
        Ok(rows.len() as u64)
    }

    async fn expire_manifest(
        &self,
        repository: &RepositoryName,
        address: &Address,
        now: Millis,
    ) -> Result<Vec<i64>, StoreError> {
        let mut transaction = self.database.begin().await?;
        let Some(home) = Home::of(&mut transaction, repository, Hold::Change).await? else {
            return Ok(Vec::new());
        };
        let row = transaction
            .optional(
                "SELECT m.id, m.kind, (SELECT COUNT(*) FROM tag t
                     WHERE t.repository_id = $1 AND t.address = $2)
                 FROM manifest m
                 WHERE m.repository_id = $1 AND m.address = $2 AND m.left_until <= $3",
                args![home.repository, address.as_str(), now],
            )
            .await?;
        let Some(row) = row else {
            return Ok(Vec::new());
        };
        let id = row.int(0)?;
        let is_named = namer(&mut transaction, &home, address.as_str())
            .await?
            .is_some();
        if row.int(2)? == 0 && !is_named {
            let going = Going {
                id,
                address: address.to_string(),
                kind: row.text(1)?,
                why: "its index was deleted".into(),
            };
            let actor = Actor::system("collection");
            match remove_from(&mut transaction, repository, &home, going, &actor).await {
                Ok(removed) => {
                    transaction.commit().await?;
                    return Ok(removed.components);
                }
                Err(DeleteError::Store(error)) => return Err(error),
                // Something that refers to it has a tag that never goes: it stays.
                Err(DeleteError::Absent | DeleteError::Immutable(_) | DeleteError::Named(_)) => {
                    // Undone before another one begins: SQLite has one writer.
                    drop(transaction);
                    transaction = self.database.begin().await?;
                }
            }
        }
        transaction
            .execute(
                "UPDATE manifest SET left_until = NULL WHERE id = $1",
                args![id],
            )
            .await?;
        transaction.commit().await?;
        Ok(Vec::new())
    }

    /// Bytes that were buried before that moment, after the number `after`.
    pub async fn graves(
        &self,
        buried_before: Millis,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Grave>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT id, place FROM grave WHERE buried_at <= $1 AND id > $2
                 ORDER BY id LIMIT $3",
                args![buried_before, after, count(limit as u64)],
            )
            .await?;
        rows.iter()
            .map(|row| {
                Ok(Grave {
                    id: row.int(0)?,
                    place: Place(row.text(1)?),
                })
            })
            .collect()
    }

    /// The bytes of these graves are removed.
    pub async fn forget_graves(&self, ids: &[i64]) -> Result<(), StoreError> {
        let keys: Vec<Value> = ids.iter().map(|id| Value::from(*id)).collect();
        let mut transaction = self.database.begin().await?;
        transaction
            .execute_among("DELETE FROM grave WHERE id IN ({keys})", args![], &keys)
            .await?;
        transaction.commit().await
    }

    /// All bytes that are needed, for a sweep of those that are not.
    pub async fn known(&self) -> Result<Known, StoreError> {
        let mut known = Known::default();
        let mut last = String::new();
        // Uploads become blobs and blobs graves: whatever moves on while this reads
        // is met again further down.
        loop {
            let rows = self
                .database
                .rows(
                    "SELECT id, received, state FROM upload WHERE id > $1 ORDER BY id LIMIT $2",
                    args![last.as_str(), PAGE],
                )
                .await?;
            for row in &rows {
                last = row.text(0)?;
                known.upload(&Partial {
                    received: row.size(1)?,
                    state: row.text(2)?,
                })?;
            }
            if rows.is_empty() {
                break;
            }
        }
        last.clear();
        loop {
            let rows = self
                .database
                .rows(
                    "SELECT address, place FROM blob WHERE address > $1 ORDER BY address LIMIT $2",
                    args![last.as_str(), PAGE],
                )
                .await?;
            for row in &rows {
                last = row.text(0)?;
                known.place(&Place(row.text(1)?))?;
            }
            if rows.is_empty() {
                break;
            }
        }
        let mut after = 0;
        loop {
            let rows = self
                .database
                .rows(
                    "SELECT id, place FROM grave WHERE id > $1 ORDER BY id LIMIT $2",
                    args![after, PAGE],
                )
                .await?;
            for row in &rows {
                after = row.int(0)?;
                known.place(&Place(row.text(1)?))?;
            }
            if rows.is_empty() {
                break;
            }
        }
        Ok(known)
    }

    /// Removes packages that no image has any more. They are removed with their last
    /// image; this finds what was left when that was interrupted, and reads them all.
    pub async fn expire_components(&self, limit: usize) -> Result<u64, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT c.id FROM component c WHERE NOT EXISTS
                     (SELECT 1 FROM image_component ic WHERE ic.component_id = c.id) LIMIT $1",
                args![count(limit as u64)],
            )
            .await?;
        let ids: Vec<i64> = rows
            .iter()
            .map(|row| row.int(0))
            .collect::<Result<_, _>>()?;
        self.forget_components(&ids).await
    }
}
