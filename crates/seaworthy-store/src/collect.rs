//! Garbage collection: what nobody needs goes, first its meaning, then its bytes.
//!
//! It runs while pushes go on, on every node at once if need be, and what was
//! interrupted is done by the next one. Nothing is removed that a manifest names or
//! that a client was promised; bytes are removed only after what they meant is
//! forgotten, and their place is never used again.

use crate::blobs::{Blobs, Swept};
use crate::catalog::Catalog;
use crate::trouble::StoreError;

/// How patient a collection is. All times are in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CollectOptions {
    /// An upload that nobody touched for so long is given up.
    pub idle_upload: i64,
    /// Bytes stay so long after their blob is forgotten, for those who still read them.
    pub linger: i64,
    /// How old bytes without any meaning have to be, to be swept away; `None` sweeps
    /// nothing. This lists all that is stored: once in a while is enough.
    pub stray: Option<i64>,
}

impl Default for CollectOptions {
    fn default() -> Self {
        Self {
            idle_upload: 24 * 60 * 60 * 1000,
            linger: 10 * 60 * 1000,
            stray: None,
        }
    }
}

/// What a collection did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Uploads that were given up.
    pub uploads: u64,
    /// Manifests that went after their index.
    pub manifests: u64,
    /// Blobs that a repository no longer serves.
    pub links: u64,
    /// Blobs that no repository has any more.
    pub blobs: u64,
    /// Blobs whose bytes were removed.
    pub removed: u64,
    /// Packages that no image has any more.
    pub components: u64,
    /// Bytes without meaning.
    pub strays: Swept,
    /// Things that could not be removed; the next collection tries again.
    pub failed: u64,
}

/// How many things are looked at in one step.
const STEP: usize = 256;

/// The most steps of a kind in one collection; the next one goes on.
const MOST_STEPS: usize = 4096;

/// Collects once. One thing that cannot be removed does not keep the others.
///
/// # Errors
///
/// When the database is in trouble. What was done until then is done.
pub async fn collect_once(
    catalog: &Catalog,
    blobs: &Blobs,
    options: &CollectOptions,
) -> Result<Collected, StoreError> {
    let mut collected = Collected::default();
    catalog.write_pulls().await?;
    let now = catalog.now();

    for _ in 0..MOST_STEPS {
        let uploads = catalog
            .expire_uploads(now.plus(-options.idle_upload), STEP)
            .await?;
        let count = uploads.len();
        for upload in uploads {
            collected.uploads += 1;
            if let Err(error) = blobs.abandon(upload).await {
                // It has no meaning any more: the sweep finds it.
                collected.failed += 1;
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot remove the bytes of an upload that was given up"
                );
            }
        }
        if count < STEP {
            break;
        }
    }
    for _ in 0..MOST_STEPS {
        let seen = catalog.expire_manifests(STEP).await?;
        collected.manifests += seen;
        if seen < STEP as u64 {
            break;
        }
    }
    for _ in 0..MOST_STEPS {
        let expired = catalog.expire_blobs(STEP).await?;
        collected.links += expired.links;
        collected.blobs += expired.blobs;
        if expired.seen < STEP as u64 {
            break;
        }
    }
    remove_buried(catalog, blobs, options, &mut collected).await?;
    if let Some(age) = options.stray {
        for _ in 0..MOST_STEPS {
            let gone = catalog.expire_components(STEP).await?;
            collected.components += gone;
            if gone < STEP as u64 {
                break;
            }
        }
        let before = catalog.now().plus(-age);
        let known = catalog.known().await?;
        match blobs.sweep(before, known).await {
            Ok(swept) => collected.strays = swept,
            Err(error) => {
                collected.failed += 1;
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot sweep away bytes without meaning"
                );
            }
        }
    }
    Ok(collected)
}

async fn remove_buried(
    catalog: &Catalog,
    blobs: &Blobs,
    options: &CollectOptions,
    collected: &mut Collected,
) -> Result<(), StoreError> {
    let before = catalog.now().plus(-options.linger);
    let mut after = 0;
    for _ in 0..MOST_STEPS {
        let graves = catalog.graves(before, after, STEP).await?;
        let Some(last) = graves.last() else { break };
        after = last.id;
        let mut removed = Vec::new();
        for grave in &graves {
            match blobs.remove(&grave.place).await {
                Ok(()) => removed.push(grave.id),
                Err(error) => {
                    collected.failed += 1;
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "cannot remove the bytes at {}",
                        grave.place.0
                    );
                }
            }
        }
        collected.removed += removed.len() as u64;
        catalog.forget_graves(&removed).await?;
    }
    Ok(())
}
