//! Secrets of this installation that all its nodes share.

use std::fmt;

use serde_json::json;

use super::Accounts;
use crate::audit::{Actor, note};
use crate::clock::Millis;
use crate::sql::{Row, args};
use crate::trouble::StoreError;

/// A secret of this installation.
#[derive(Clone, PartialEq, Eq)]
pub struct InstallationSecret {
    /// What it is for.
    pub name: Box<str>,
    /// Its bytes.
    pub content: Box<[u8]>,
    /// When it was made.
    pub created_at: Millis,
}

impl fmt::Debug for InstallationSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "InstallationSecret({}: ****)", self.name)
    }
}

impl Accounts {
    /// Secrets whose names begin with `prefix`, newest first.
    pub async fn secrets(&self, prefix: &str) -> Result<Vec<InstallationSecret>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT name, content, created_at FROM installation_secret
                 WHERE substr(name, 1, length($1)) = $1
                 ORDER BY created_at DESC, name LIMIT 100",
                args![prefix],
            )
            .await?;
        rows.iter().map(secret_in).collect()
    }

    /// The secret `name`: the one that is there or, where none is, `content` from now
    /// on. Nodes that start together agree on one.
    pub async fn agree_on_secret(
        &self,
        name: &str,
        content: &[u8],
    ) -> Result<InstallationSecret, StoreError> {
        let mut transaction = self.begin().await?;
        let now = transaction.now();
        transaction
            .execute(
                "INSERT INTO installation_secret (name, content, created_at)
                 VALUES ($1, $2, $3) ON CONFLICT (name) DO NOTHING",
                args![name, content, now],
            )
            .await?;
        let row = transaction
            .one(
                "SELECT name, content, created_at FROM installation_secret WHERE name = $1",
                args![name],
            )
            .await?;
        let secret = secret_in(&row)?;
        self.finish(transaction).await?;
        Ok(secret)
    }

    /// Adds the secret `name` beside those whose names begin with `prefix`, and
    /// forgets those of them made before `before`.
    pub async fn replace_secret(
        &self,
        prefix: &str,
        name: &str,
        content: &[u8],
        before: Millis,
        actor: &Actor,
    ) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        transaction
            .execute(
                "DELETE FROM installation_secret
                 WHERE substr(name, 1, length($1)) = $1 AND created_at < $2",
                args![prefix, before],
            )
            .await?;
        let now = transaction.now();
        transaction
            .execute(
                "INSERT INTO installation_secret (name, content, created_at)
                 VALUES ($1, $2, $3)",
                args![name, content, now],
            )
            .await?;
        note(
            &mut transaction,
            actor,
            "secret.replace",
            prefix,
            &json!({ "name": name }),
        )
        .await?;
        self.finish(transaction).await
    }
}

fn secret_in(row: &Row) -> Result<InstallationSecret, StoreError> {
    Ok(InstallationSecret {
        name: row.text(0)?.into(),
        content: row.bytes(1)?.into(),
        created_at: row.millis(2)?,
    })
}
