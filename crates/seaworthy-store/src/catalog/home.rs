//! Where a repository is: its row and the rules of its namespace.

use super::Founding;
use crate::name::{Namespace, RepositoryName};
use crate::sql::{Hold, Row, Transaction, args};
use crate::trouble::StoreError;

/// A repository with the namespace it belongs to.
pub(super) struct Home {
    pub(super) repository: i64,
    pub(super) namespace: Rules,
    /// Whether the namespace was made just now.
    pub(super) founded: bool,
}

/// A namespace and what it says about pushes.
pub(super) struct Rules {
    pub(super) id: i64,
    pub(super) name: Namespace,
    pub(super) auto_scan: bool,
    pub(super) is_sparse: bool,
    pub(super) quota: Option<u64>,
    /// As JSON.
    pub(super) immutable_tags: String,
}

impl Rules {
    fn of(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.int(0)?,
            name: row.parsed(1)?,
            auto_scan: row.truth(2)?,
            is_sparse: row.truth(3)?,
            quota: row
                .optional_int(4)?
                .map(|bytes| u64::try_from(bytes).unwrap_or(0)),
            immutable_tags: row.text(5)?,
        })
    }

    /// The rules of a namespace. Where it has a quota, whoever adds to it takes turns.
    pub(super) async fn read(
        transaction: &mut Transaction,
        namespace: &Namespace,
    ) -> Result<Option<Self>, StoreError> {
        const RULES: &str =
            "SELECT id, name, auto_scan, is_sparse, quota_bytes, immutable_tags FROM namespace
             WHERE name = $1";
        let found = transaction
            .rows_held(RULES, Hold::Refer, args![namespace.as_str()])
            .await?;
        let Some(rules) = found.first().map(Self::of).transpose()? else {
            return Ok(None);
        };
        if rules.quota.is_none() {
            return Ok(Some(rules));
        }
        let held = transaction
            .rows_held(RULES, Hold::Change, args![namespace.as_str()])
            .await?;
        held.first().map(Self::of).transpose()
    }
}

impl Home {
    /// The repository `name`, held as said; `None` where it is not there.
    pub(super) async fn of(
        transaction: &mut Transaction,
        name: &RepositoryName,
        hold: Hold,
    ) -> Result<Option<Self>, StoreError> {
        let Some(namespace) = Rules::read(transaction, &name.namespace()).await? else {
            return Ok(None);
        };
        let repository = repository(transaction, name, hold).await?;
        Ok(repository.map(|repository| Self {
            repository,
            namespace,
            founded: false,
        }))
    }

    /// The same, made where it is not there; `None` where there is no namespace and
    /// none may be made.
    pub(super) async fn made(
        transaction: &mut Transaction,
        name: &RepositoryName,
        founding: Founding,
        hold: Hold,
    ) -> Result<Option<Self>, StoreError> {
        let now = transaction.now();
        let wanted = name.namespace();
        let mut found = Rules::read(transaction, &wanted).await?;
        let mut founded = false;
        if found.is_none() {
            match founding {
                Founding::Refused => return Ok(None),
                Founding::Allowed => {}
            }
            let made = transaction
                .execute(
                    "INSERT INTO namespace (name, created_at) VALUES ($1, $2)
                     ON CONFLICT (name) DO NOTHING",
                    args![wanted.as_str(), now],
                )
                .await?;
            founded = made > 0;
            found = Rules::read(transaction, &wanted).await?;
        }
        let namespace = found.ok_or_else(|| {
            StoreError::Unreadable(format!(
                "the namespace `{wanted}` was just made and is gone"
            ))
        })?;
        let mut place = repository(transaction, name, hold).await?;
        if place.is_none() {
            transaction
                .execute(
                    "INSERT INTO repository (namespace_id, name, created_at) VALUES ($1, $2, $3)
                     ON CONFLICT (name) DO NOTHING",
                    args![namespace.id, name.as_str(), now],
                )
                .await?;
            place = repository(transaction, name, hold).await?;
        }
        let repository = place.ok_or_else(|| {
            StoreError::Unreadable(format!("the repository `{name}` was just made and is gone"))
        })?;
        Ok(Some(Self {
            repository,
            namespace,
            founded,
        }))
    }
}

async fn repository(
    transaction: &mut Transaction,
    name: &RepositoryName,
    hold: Hold,
) -> Result<Option<i64>, StoreError> {
    let rows = transaction
        .rows_held(
            "SELECT id FROM repository WHERE name = $1",
            hold,
            args![name.as_str()],
        )
        .await?;
    rows.first().map(|row| row.int(0)).transpose()
}
