//! A push of a manifest: manifest, tags, image and scan job, or nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::home::Home;
use super::pattern::Pattern;
use super::upload::count;
use super::{Busy, Catalog, Founding, ManifestKind, NewManifest, Part, PartRole, until_calm};
use crate::address::Address;
use crate::audit::{self, Actor};
use crate::jobs::{self, Lane, NewJob};
use crate::name::{Namespace, RepositoryName, Tag};
use crate::sql::{Hold, Transaction, Value, args};
use crate::standing::{self, ImageState};
use crate::trouble::StoreError;

/// Why a manifest was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Things it names are not in the repository.
    #[error("the manifest names {} things that are not in the repository", .0.len())]
    Missing(Vec<Part>),
    /// A blob it names has another size.
    #[error("the manifest says `{address}` has {stated} bytes; it has {found}")]
    WrongSize {
        /// Which.
        address: Address,
        /// As the manifest says.
        stated: u64,
        /// As stored.
        found: u64,
    },
    /// The tag never moves.
    #[error("the tag `{0}` is immutable")]
    Immutable(Tag),
    /// The namespace is not there, and the caller may not make one.
    #[error("there is no namespace `{0}`")]
    NoNamespace(Namespace),
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
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Busy for PushError {
    fn is_busy(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_busy())
    }
}

/// What a push of a manifest did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Whether the manifest was new to the repository.
    pub is_new: bool,
    /// The scan job that waits now, where one was made.
    pub job: Option<i64>,
}

/// What became of a tag.
enum Moved {
    Made,
    From(String),
    Stayed,
}

impl Catalog {
    /// Records a manifest, the tags that point to it from now on, the image it is and,
    /// where the namespace scans by itself and the manifest is new or was never
    /// scanned, a scan job: all of it or nothing.
    ///
    /// All blobs and manifests it names must be in the repository, unless the
    /// namespace holds sparse images or the layer is foreign. Once begun this is
    /// brought to its end, even if whoever asked goes away.
    pub async fn push_manifest(
        &self,
        repository: &RepositoryName,
        manifest: &NewManifest,
        tags: &[Tag],
        founding: Founding,
        actor: &Actor,
    ) -> Result<Pushed, PushError> {
        let catalog = self.clone();
        let (repository, manifest) = (repository.clone(), manifest.clone());
        let (tags, actor) = (tags.to_vec(), actor.clone());
        super::to_its_end(async move {
            let pushed = until_calm!(catalog.push(&repository, &manifest, &tags, founding, &actor));
            catalog.forget_answers(&repository);
            if pushed.as_ref().is_ok_and(|it| it.job.is_some()) {
                catalog.database.bell().ring();
            }
            pushed
        })
        .await
    }

    async fn push(
        &self,
        name: &RepositoryName,
        manifest: &NewManifest,
        tags: &[Tag],
        founding: Founding,
        actor: &Actor,
    ) -> Result<Pushed, PushError> {
        let mut transaction = self.database.begin().await?;
        let now = transaction.now();
        // Held until the end: whoever removes things from the repository waits.
        let home = Home::made(&mut transaction, name, founding, Hold::Change)
            .await?
            .ok_or_else(|| PushError::NoNamespace(name.namespace()))?;
        let immutable: Vec<Pattern> = read_json(&home.namespace.immutable_tags)?;

        let mut moved = Vec::new();
        for tag in tags.iter().collect::<BTreeSet<_>>() {
            let found = transaction
                .optional(
                    "SELECT address FROM tag WHERE repository_id = $1 AND name = $2",
                    args![home.repository, tag.as_str()],
                )
                .await?;
            let what = match found.map(|row| row.text(0)).transpose()? {
                None => Moved::Made,
                Some(before) if before == manifest.address.as_str() => Moved::Stayed,
                Some(before) => {
                    if immutable.iter().any(|it| it.matches(tag.as_str())) {
                        return Err(PushError::Immutable(tag.clone()));
                    }
                    Moved::From(before)
                }
            };
            moved.push((tag, what));
        }

        let again = transaction
            .execute(
                "UPDATE manifest SET pushed_at = $3, left_until = NULL
                 WHERE repository_id = $1 AND address = $2",
                args![home.repository, manifest.address.as_str(), now],
            )
            .await?;
        let is_new = again == 0;
        if is_new {
            check_parts(&mut transaction, &home, manifest).await?;
            let size = manifest.content.len() as u64;
            if let Err(over) = home.namespace.fits(&mut transaction, size).await? {
                return Err(PushError::Quota {
                    namespace: home.namespace.name,
                    quota: over.quota,
                    wanted: over.wanted,
                });
            }
            write_manifest(&mut transaction, &home, manifest, actor).await?;
        }
        let tag_rows: Vec<Vec<Value>> = moved
            .iter()
            .map(|(tag, _)| {
                args![
                    home.repository,
                    tag.as_str(),
                    manifest.address.as_str(),
                    now
                ]
            })
            .collect();
        transaction
            .insert(
                "INSERT INTO tag (repository_id, name, address, updated_at) VALUES",
                "ON CONFLICT (repository_id, name)
                 DO UPDATE SET address = excluded.address, updated_at = excluded.updated_at",
                tag_rows,
            )
            .await?;
        transaction
            .execute(
                "UPDATE repository SET pushed_at = $2 WHERE id = $1",
                args![home.repository, now],
            )
            .await?;
        let job = match manifest.kind {
            ManifestKind::Image | ManifestKind::Index => {
                image(&mut transaction, &home, manifest).await?
            }
            ManifestKind::Artifact => None,
        };
        note(
            &mut transaction,
            name,
            &home,
            manifest,
            &moved,
            is_new,
            actor,
        )
        .await?;
        transaction.commit().await?;
        Ok(Pushed { is_new, job })
    }
}

/// What we wrote as JSON.
pub(super) fn read_json<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable(error.to_string()))
}

/// Whether all is there that the manifest names, in the size it says.
async fn check_parts(
    transaction: &mut Transaction,
    home: &Home,
    manifest: &NewManifest,
) -> Result<(), PushError> {
    let keys = |is_manifest: bool| {
        let wanted = manifest
            .parts
            .iter()
            .filter(|part| (part.role == PartRole::Manifest) == is_manifest);
        let keys: BTreeSet<&str> = wanted.map(|part| part.address.as_str()).collect();
        keys.into_iter().map(Value::from).collect::<Vec<_>>()
    };
    let first = args![home.repository];
    let blobs = transaction
        .rows_among(
            "SELECT b.address, b.size FROM repository_blob rb JOIN blob b ON b.address = rb.address
             WHERE rb.repository_id = $1 AND rb.address IN ({keys})",
            first.clone(),
            &keys(false),
        )
        .await?;
    let children = transaction
        .rows_among(
            "SELECT address, size FROM manifest
             WHERE repository_id = $1 AND address IN ({keys})",
            first,
            &keys(true),
        )
        .await?;
    let sizes = |rows: &[crate::sql::Row]| {
        rows.iter()
            .map(|row| Ok((row.text(0)?, row.size(1)?)))
            .collect::<Result<BTreeMap<String, u64>, StoreError>>()
    };
    let (blobs, children) = (sizes(&blobs)?, sizes(&children)?);
    let mut missing = Vec::new();
    for part in &manifest.parts {
        let (found, may_lack) = match part.role {
            PartRole::Config | PartRole::Layer => (&blobs, home.namespace.is_sparse),
            PartRole::ForeignLayer => (&blobs, true),
            PartRole::Manifest => (&children, home.namespace.is_sparse),
        };
        match found.get(part.address.as_str()) {
            Some(size) if *size == part.size => {}
            Some(size) => {
                return Err(PushError::WrongSize {
                    address: part.address.clone(),
                    stated: part.size,
                    found: *size,
                });
            }
            None if may_lack => {}
            None => missing.push(part.clone()),
        }
    }
    if missing.is_empty() {
        Ok(())
    } else {
        Err(PushError::Missing(missing))
    }
}

async fn write_manifest(
    transaction: &mut Transaction,
    home: &Home,
    manifest: &NewManifest,
    actor: &Actor,
) -> Result<(), StoreError> {
    let now = transaction.now();
    let annotations = serde_json::json!(manifest.annotations).to_string();
    let id = transaction
        .one(
            "INSERT INTO manifest (repository_id, address, media_type, artifact_type, kind, size,
                 content, subject, annotations, pushed_at, pushed_by)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id",
            args![
                home.repository,
                manifest.address.as_str(),
                &*manifest.media_type,
                manifest.artifact_type.as_deref(),
                manifest.kind.word(),
                count(manifest.content.len() as u64),
                manifest.content.to_vec(),
                manifest.subject.as_ref().map(Address::as_str),
                annotations,
                now,
                actor.as_str()
            ],
        )
        .await?
        .int(0)?;
    let rows = (0_i64..).zip(&manifest.parts).map(|(position, part)| {
        args![
            id,
            position,
            part.role.word(),
            part.address.as_str(),
            &*part.media_type,
            count(part.size),
            part.platform.as_deref()
        ]
    });
    transaction
        .insert(
            "INSERT INTO manifest_part (manifest_id, position, role, address, media_type, size,
                 platform) VALUES",
            "",
            rows.collect(),
        )
        .await?;
    let children: Vec<Value> = manifest
        .parts
        .iter()
        .filter(|part| part.role == PartRole::Manifest)
        .map(|part| Value::from(part.address.as_str()))
        .collect();
    transaction
        .execute_among(
            "UPDATE manifest SET left_until = NULL WHERE repository_id = $1
                 AND left_until IS NOT NULL AND address IN ({keys})",
            args![home.repository],
            &children,
        )
        .await?;
    Ok(())
}

/// The image that a manifest is and, where it is to be scanned, the job for it.
async fn image(
    transaction: &mut Transaction,
    home: &Home,
    manifest: &NewManifest,
) -> Result<Option<i64>, StoreError> {
    let (mut id, mut state, is_full) = stand(transaction, home, manifest).await?;
    if !is_full {
        forget_told(transaction, id).await?;
        (id, state, _) = stand(transaction, home, manifest).await?;
    }
    let children = platforms(transaction, home, manifest).await?;
    if !home.namespace.auto_scan {
        return Ok(None);
    }
    for child in children {
        scan(transaction, child).await?;
    }
    if wants_scan(state) {
        scan(transaction, id).await.map(Some)
    } else {
        Ok(None)
    }
}

/// The row of an image, made where there is none and held: its number, its state, and
/// whether the image was here before or is new. A client may have told of one that lay
/// elsewhere.
async fn stand(
    transaction: &mut Transaction,
    home: &Home,
    manifest: &NewManifest,
) -> Result<(i64, ImageState, bool), StoreError> {
    let row = transaction
        .one(
            "INSERT INTO image (repository_id, address, retention_class, kind, state, state_since,
                 created_at) VALUES ($1, $2, 'full', $3, 'not_scanned', $4, $4)
             ON CONFLICT (repository_id, address) DO UPDATE SET kind = excluded.kind
             RETURNING id, state, retention_class",
            args![
                home.repository,
                manifest.address.as_str(),
                manifest.kind.word(),
                transaction.now()
            ],
        )
        .await?;
    Ok((row.int(0)?, row.parsed(1)?, row.text(2)? == "full"))
}

/// Forgets what a client told of an image that lay elsewhere: now that it is here, what
/// is known of it comes from its own bytes, and no scan goes by that inventory.
async fn forget_told(transaction: &mut Transaction, id: i64) -> Result<(), StoreError> {
    transaction
        .execute(
            "DELETE FROM job WHERE dedupe IN ($1, $2)",
            args![format!("scan:{id}"), format!("assess:{id}")],
        )
        .await?;
    transaction
        .execute("DELETE FROM image WHERE id = $1", args![id])
        .await?;
    Ok(())
}

/// Whether an image in this state is to be scanned when it is pushed (again). One that
/// is queued has its job already, and gets it back should it be lost.
fn wants_scan(state: ImageState) -> bool {
    match state {
        ImageState::NotScanned | ImageState::Queued | ImageState::Failed => true,
        ImageState::Scanning | ImageState::Done | ImageState::Unsupported => false,
    }
}

/// Tells the children of an index which platforms they are for. Answers those that
/// are to be scanned.
async fn platforms(
    transaction: &mut Transaction,
    home: &Home,
    manifest: &NewManifest,
) -> Result<Vec<i64>, StoreError> {
    let mut by_address = BTreeMap::new();
    for part in &manifest.parts {
        if part.role == PartRole::Manifest {
            by_address.insert(part.address.as_str(), part.platform.as_deref());
        }
    }
    let keys: Vec<Value> = by_address.keys().map(|key| Value::from(*key)).collect();
    let rows = transaction
        .rows_among(
            "SELECT id, address, platform, state FROM image
             WHERE repository_id = $1 AND address IN ({keys})",
            args![home.repository],
            &keys,
        )
        .await?;
    let mut unscanned = BTreeSet::new();
    for row in rows {
        let id = row.int(0)?;
        let told = by_address.get(row.text(1)?.as_str()).copied().flatten();
        if let Some(told) = told
            && row.optional_text(2)?.is_none()
        {
            transaction
                .execute(
                    "UPDATE image SET platform = $2 WHERE id = $1",
                    args![id, told],
                )
                .await?;
        }
        if wants_scan(row.parsed(3)?) {
            unscanned.insert(id);
        }
    }
    Ok(unscanned.into_iter().collect())
}

/// Lets an image wait for its scan.
pub(super) async fn scan(transaction: &mut Transaction, image: i64) -> Result<i64, StoreError> {
    standing::stand(transaction, image, ImageState::Queued, None).await?;
    let job = NewJob {
        kind: "scan",
        lane: Lane::Push,
        dedupe: Some(format!("scan:{image}")),
        body: serde_json::json!({ "v": 1, "image": image }).to_string(),
    };
    jobs::enqueue(transaction, &job).await
}

/// Tells the audit log what changed: the namespace, the manifest, each tag.
async fn note(
    transaction: &mut Transaction,
    name: &RepositoryName,
    home: &Home,
    manifest: &NewManifest,
    moved: &[(&Tag, Moved)],
    is_new: bool,
    actor: &Actor,
) -> Result<(), StoreError> {
    let address = &manifest.address;
    if home.founded {
        let because = serde_json::json!({ "because": "push" });
        let namespace = home.namespace.name.as_str();
        audit::note(transaction, actor, "namespace.create", namespace, &because).await?;
    }
    if is_new {
        let object = format!("{name}@{address}");
        let detail = serde_json::json!({
            "kind": manifest.kind.word(),
            "media_type": manifest.media_type,
            "size_bytes": manifest.content.len(),
        });
        audit::note(transaction, actor, "manifest.push", &object, &detail).await?;
    }
    for (tag, what) in moved {
        let object = format!("{name}:{tag}");
        let (action, detail) = match what {
            Moved::Stayed => continue,
            Moved::Made => (
                "tag.create",
                serde_json::json!({ "digest": address.as_str() }),
            ),
            Moved::From(before) => {
                let detail = serde_json::json!({ "digest": address.as_str(), "before": before });
                ("tag.move", detail)
            }
        };
        audit::note(transaction, actor, action, &object, &detail).await?;
    }
    Ok(())
}
