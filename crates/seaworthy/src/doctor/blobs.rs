//! Whether the bytes that the database names are there and are what they should be.

use std::io;

use futures_util::StreamExt as _;
use seaworthy_core::Digest;
use seaworthy_store::{Blobs, NamedBlob, StoreError, Whole};
use sha2::{Digest as _, Sha256};

use crate::amount::size;

use super::Finding;

const PART: &str = "blob bytes";

/// How many blobs are looked at without `--all`, and up to how many bytes.
const SAMPLE: usize = 50;
const SAMPLE_BYTES: u64 = 256 << 20;

/// Blobs that are listed at once.
const PAGE: usize = 1_000;

/// Broken blobs that are named.
const NAMED: usize = 5;

/// Reads blobs and compares them with their digests: some, or all.
pub(super) async fn compare(whole: &Whole, blobs: &Blobs, is_all: bool) -> Finding {
    match read(whole, blobs, is_all).await {
        Ok(finding) => finding,
        Err(error) => Finding::fail(
            PART,
            format!("cannot be read: {error}"),
            "look at the database and at the store of blobs first",
        ),
    }
}

async fn read(whole: &Whole, blobs: &Blobs, is_all: bool) -> Result<Finding, StoreError> {
    let (count, bytes) = whole.size().await?;
    let mut last = None;
    let mut seen: u64 = 0;
    let mut seen_bytes = 0;
    let mut broken = Vec::new();
    'pages: loop {
        let page = whole.blobs(last.as_ref(), PAGE).await?;
        let Some(end) = page.last() else { break };
        last = Some(end.address.clone());
        // Addresses are random, so any of them are a fair sample.
        let sample = if is_all { PAGE } else { SAMPLE };
        for blob in page.iter().take(sample) {
            if !is_all && seen_bytes + blob.size > SAMPLE_BYTES && seen > 0 {
                break 'pages;
            }
            seen += 1;
            seen_bytes += blob.size;
            if let Some(why) = trouble(blobs, blob).await {
                broken.push(format!("{} {why}", blob.address));
            }
        }
        if !is_all {
            break;
        }
    }
    let looked = format!(
        "{seen} of {count} ({} of {}) compared",
        size(seen_bytes),
        size(bytes)
    );
    if broken.is_empty() {
        return Ok(Finding::ok(PART, looked));
    }
    let many = broken.len();
    broken.truncate(NAMED);
    Ok(Finding::fail(
        PART,
        format!("{looked}, {many} broken: {}", broken.join("; ")),
        "push those images again, or restore a backup; look at the disk below",
    ))
}

/// What is wrong with a blob, if anything is.
async fn trouble(blobs: &Blobs, blob: &NamedBlob) -> Option<String> {
    let said = |error: &dyn std::error::Error| Some(format!("cannot be read ({error})"));
    let mut bytes = match blobs.read(&blob.place, 0..blob.size).await {
        Ok(bytes) => bytes,
        Err(error) => return missing(&error).or_else(|| said(&error)),
    };
    let mut hash = Sha256::new();
    let mut count = 0;
    while let Some(some) = bytes.next().await {
        match some {
            Ok(some) => {
                count += some.len() as u64;
                hash.update(&some);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Some("is missing".to_owned());
            }
            Err(error) => return said(&error),
        }
    }
    if count != blob.size {
        return Some(format!("has {count} bytes and should have {}", blob.size));
    }
    let found = Digest::from_sha256(hash.finalize().into());
    match blob.address.as_digest() {
        Some(digest) if digest != found => Some("has another digest".to_owned()),
        _ => None,
    }
}

fn missing(error: &StoreError) -> Option<String> {
    match error {
        StoreError::Blobs { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            Some("is missing".to_owned())
        }
        _ => None,
    }
}
