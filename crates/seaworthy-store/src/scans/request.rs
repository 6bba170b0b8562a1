//! Asking for a scan.

use serde_json::json;

use crate::audit::{self, Actor};
use crate::jobs::{self, Lane, Lease, NewJob};
use crate::sql::{Transaction, args};
use crate::standing::{self, ImageState};
use crate::trouble::StoreError;

use super::Scans;
use super::save::{SaveError, key_of};

/// Why no scan was asked for.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// There is no such image.
    #[error("there is no such image")]
    NoImage,
    /// Its bytes are not here.
    #[error("only metadata of the image is here; scan it where it lies")]
    MetadataOnly,
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The most images of an index.
const MOST_IMAGES: i64 = 1000;

/// The job that scans an image.
pub(super) fn job_of(image: i64, lane: Lane) -> NewJob {
    NewJob {
        kind: "scan",
        lane,
        dedupe: Some(key_of(image)),
        body: json!({ "v": 1, "image": image }).to_string(),
    }
}

impl Scans {
    /// Asks for a scan of an image, or of all images that an index lists. Answers the
    /// numbers of the jobs; asking again while one waits is one request.
    pub async fn request(
        &self,
        image: i64,
        lane: Lane,
        actor: &Actor,
    ) -> Result<Vec<i64>, RequestError> {
        let mut transaction = self.database.begin().await?;
        let row = transaction
            .optional(
                "SELECT image.kind, image.retention_class, repository.name, image.address
                 FROM image JOIN repository ON repository.id = image.repository_id
                 WHERE image.id = $1",
                args![image],
            )
            .await?
            .ok_or(RequestError::NoImage)?;
        if row.text(1)? == "metadata" {
            return Err(RequestError::MetadataOnly);
        }
        let images = if row.text(0)? == "index" {
            images_of(&mut transaction, image, 1).await?
        } else {
            vec![image]
        };
        let mut numbers = Vec::new();
        for image in images {
            numbers.extend(enqueue(&mut transaction, image, lane).await?);
        }
        let object = format!("{}@{}", row.text(2)?, row.text(3)?);
        let detail = json!({ "jobs": numbers, "lane": lane.name() });
        audit::note(&mut transaction, actor, "scan.request", &object, &detail).await?;
        transaction.commit().await?;
        self.database.bell().ring();
        Ok(numbers)
    }

    /// Lets an index follow its images, asks for a scan of those that were never
    /// scanned, and finishes the index's own job.
    pub async fn save_index(&self, lease: &Lease, index: i64) -> Result<(), SaveError> {
        let mut transaction = self.database.begin().await?;
        let images = images_of(&mut transaction, index, 1).await?;
        for image in images {
            let fresh = transaction
                .optional(
                    "SELECT id FROM image WHERE id = $1 AND state = 'not_scanned'",
                    args![image],
                )
                .await?;
            if fresh.is_some() {
                enqueue(&mut transaction, image, lease.lane).await?;
            }
        }
        standing::roll_up(&mut transaction, index).await?;
        standing::follow(&mut transaction, index).await?;
        if !jobs::finish(&mut transaction, lease).await? {
            return Err(SaveError::Lost(lease.job));
        }
        transaction.commit().await?;
        self.database.bell().ring();
        Ok(())
    }
}

/// Writes down the job that scans an image.
pub(super) async fn enqueue(
    transaction: &mut Transaction,
    image: i64,
    lane: Lane,
) -> Result<Option<i64>, StoreError> {
    if !standing::hold(transaction, image).await? {
        return Ok(None);
    }
    let number = jobs::enqueue(transaction, &job_of(image, lane)).await?;
    standing::stand(transaction, image, ImageState::Queued, None).await?;
    Ok(Some(number))
}

/// How deep indexes may list each other.
const MOST_NESTED: u32 = 4;

/// The images that an index lists, those of indexes in it included, in the order of
/// their numbers.
async fn images_of(
    transaction: &mut Transaction,
    index: i64,
    depth: u32,
) -> Result<Vec<i64>, StoreError> {
    let rows = transaction
        .rows(
            "SELECT child.id, child.kind FROM image parent
             JOIN manifest list ON list.repository_id = parent.repository_id
                 AND list.address = parent.address
             JOIN manifest_part part ON part.manifest_id = list.id AND part.role = 'manifest'
             JOIN image child ON child.repository_id = parent.repository_id
                 AND child.address = part.address
             WHERE parent.id = $1 AND child.id <> parent.id AND child.kind <> 'artifact'
             ORDER BY child.id LIMIT $2",
            args![index, MOST_IMAGES],
        )
        .await?;
    let mut images = Vec::new();
    for row in rows {
        let (id, kind) = (row.int(0)?, row.text(1)?);
        if kind == "index" {
            if depth < MOST_NESTED {
                images.extend(Box::pin(images_of(transaction, id, depth + 1)).await?);
            }
        } else {
            images.push(id);
        }
    }
    images.sort_unstable();
    images.dedup();
    Ok(images)
}
