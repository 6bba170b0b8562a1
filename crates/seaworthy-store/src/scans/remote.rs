//! Images that were scanned elsewhere: what is known of them, and no bytes.

use std::collections::BTreeMap;

use serde_json::json;

use crate::address::Address;
use crate::audit::{self, Actor};
use crate::name::RepositoryName;
use crate::packed::Packed;
use crate::sql::{Transaction, args};
use crate::standing::ImageState;
use crate::trouble::StoreError;

use super::Scans;
use super::report::NewReport;
use super::save::{self, Finding, Scan};

/// What `scan --server` tells of an image.
#[derive(Clone, Debug)]
pub struct RemoteScan {
    /// The repository it is to be shown in.
    pub repository: RepositoryName,
    /// As it is called where it lies.
    pub target: String,
    /// The digest of its manifest or, where it has none, of its inventory.
    pub address: Address,
    /// Such as `linux/amd64`.
    pub platform: Option<String>,
    /// Labels of the image, and what the caller adds.
    pub labels: BTreeMap<String, String>,
    /// Which probes looked.
    pub probes: String,
    /// The inventory, as [`encode_inventory`](super::encode_inventory) writes it.
    pub inventory: Packed,
    /// What this server's edition says of it.
    pub report: NewReport,
}

/// Why nothing was recorded.
#[derive(Debug, thiserror::Error)]
pub enum RemoteScanError {
    /// The namespace is not there.
    #[error("there is no namespace `{0}`")]
    NoNamespace(crate::name::Namespace),
    /// The image itself is here: what is known of it comes from its own bytes.
    #[error("the image itself is in the repository; what is known of it comes from its bytes")]
    Full,
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Scans {
    /// Records an image that was scanned elsewhere, with its report. Doing so again
    /// replaces what was told before. Answers the image's number.
    pub async fn record_remote(
        &self,
        scan: RemoteScan,
        actor: &Actor,
    ) -> Result<i64, RemoteScanError> {
        let mut transaction = self.database.begin().await?;
        let repository = repository(&mut transaction, &scan.repository).await?;
        let now = transaction.now();
        let done = ImageState::Done.name();
        let row = transaction
            .optional(
                "INSERT INTO image (repository_id, address, retention_class, kind, platform,
                     target, state, state_since, created_at)
                 VALUES ($1, $2, 'metadata', 'image', $3, $4, $5, $6, $6)
                 ON CONFLICT (repository_id, address) DO UPDATE SET
                     target = excluded.target, platform = excluded.platform
                     WHERE image.retention_class = 'metadata'
                 RETURNING id",
                args![
                    repository,
                    scan.address.as_str(),
                    scan.platform.as_deref(),
                    scan.target.as_str(),
                    done,
                    now
                ],
            )
            .await?;
        let image = row.ok_or(RemoteScanError::Full)?.int(0)?;
        let saved = Scan {
            inventory: Some(Finding {
                probes: scan.probes,
                content: scan.inventory,
                platform: scan.platform,
                labels: scan.labels,
            }),
            report: scan.report,
        };
        save::save(&mut transaction, image, &saved).await?;
        let object = format!("{}@{}", scan.repository, scan.address);
        let detail = json!({ "target": scan.target });
        audit::note(&mut transaction, actor, "scan.record", &object, &detail).await?;
        transaction.commit().await?;
        Ok(image)
    }
}

/// The number of a repository, made where its namespace is there.
async fn repository(
    transaction: &mut Transaction,
    name: &RepositoryName,
) -> Result<i64, RemoteScanError> {
    let namespace = name.namespace();
    let row = transaction
        .optional(
            "SELECT id FROM namespace WHERE name = $1",
            args![namespace.as_str()],
        )
        .await?;
    let Some(row) = row else {
        return Err(RemoteScanError::NoNamespace(namespace));
    };
    let namespace = row.int(0)?;
    let now = transaction.now();
    transaction
        .execute(
            "INSERT INTO repository (namespace_id, name, created_at) VALUES ($1, $2, $3)
             ON CONFLICT (name) DO NOTHING",
            args![namespace, name.as_str(), now],
        )
        .await?;
    let row = transaction
        .one(
            "SELECT id FROM repository WHERE name = $1",
            args![name.as_str()],
        )
        .await?;
    Ok(row.int(0)?)
}
