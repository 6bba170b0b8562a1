//! API keys of users and secrets of robots.

use serde_json::json;

use super::{Accounts, account_by_id};
use crate::audit::{Actor, note};
use crate::clock::Millis;
use crate::sql::{Row, args};
use crate::trouble::StoreError;

/// The most keys of one account.
const MOST_KEYS: i64 = 100;

/// A key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// The part that may be shown to others, by which it is found.
    pub id: Box<str>,
    /// What it is for.
    pub name: Box<str>,
    /// The hash of the secret part.
    pub hash: Box<str>,
    /// What it narrows the account to, as JSON; nothing for all of it.
    pub scope: Option<Box<str>>,
    /// From when on it is good for nothing.
    pub expires_at: Option<Millis>,
}

/// A key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The part that may be shown to others.
    pub id: Box<str>,
    /// Whose.
    pub account: i64,
    /// What it is for.
    pub name: Box<str>,
    /// The hash of the secret part.
    pub hash: Box<str>,
    /// What it narrows the account to, as JSON; nothing for all of it.
    pub scope: Option<Box<str>>,
    /// From when on it is good for nothing.
    pub expires_at: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
    /// When it was last used, give or take some minutes.
    pub used_at: Option<Millis>,
}

/// Why a key was not made or revoked.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The account is not there.
    #[error("there is no such account")]
    NoAccount,
    /// The key is not there.
    #[error("there is no such key")]
    Absent,
    /// Too many keys.
    #[error("an account has at most {MOST_KEYS} keys; revoke one that is not used")]
    TooMany,
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Adds a key to an account.
    pub async fn add_key(
        &self,
        account: i64,
        key: &NewKey,
        actor: &Actor,
    ) -> Result<ApiKey, KeyError> {
        let mut transaction = self.begin().await?;
        let owner = account_by_id(&mut transaction, account)
            .await?
            .ok_or(KeyError::NoAccount)?;
        let count = transaction
            .one(
                "SELECT COUNT(*) FROM api_key WHERE account_id = $1",
                args![account],
            )
            .await?;
        if count.int(0)? >= MOST_KEYS {
            return Err(KeyError::TooMany);
        }
        let row = transaction
            .one(
                "INSERT INTO api_key (id, account_id, name, hash, scope, expires_at, created_at)
                 VALUES ($1, $2, $3, $4, $5, $6, $7)
                 RETURNING id, account_id, name, hash, scope, expires_at, created_at, used_at",
                args![
                    &*key.id,
                    account,
                    &*key.name,
                    &*key.hash,
                    key.scope.as_deref(),
                    key.expires_at,
                    transaction.now()
                ],
            )
            .await?;
        let key = key_in(&row)?;
        let detail = json!({
            "key": &*key.id,
            "name": &*key.name,
            "is_narrowed": key.scope.is_some(),
            "expires_at": key.expires_at.map(|it| it.0),
        });
        note(
            &mut transaction,
            actor,
            "key.create",
            &owner.object(),
            &detail,
        )
        .await?;
        self.finish(transaction).await?;
        Ok(key)
    }

    /// The keys of an account, oldest first.
    pub async fn keys(&self, account: i64) -> Result<Vec<ApiKey>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT id, account_id, name, hash, scope, expires_at, created_at, used_at
                 FROM api_key WHERE account_id = $1 ORDER BY created_at, id",
                args![account],
            )
            .await?;
        rows.iter().map(key_in).collect()
    }

    /// A key by its public part.
    pub async fn key(&self, id: &str) -> Result<Option<ApiKey>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT id, account_id, name, hash, scope, expires_at, created_at, used_at
                 FROM api_key WHERE id = $1",
                args![id],
            )
            .await?;
        row.as_ref().map(key_in).transpose()
    }

    /// Makes a key of an account good for nothing, at once and for ever.
    pub async fn revoke_key(&self, account: i64, id: &str, actor: &Actor) -> Result<(), KeyError> {
        let mut transaction = self.begin().await?;
        let owner = account_by_id(&mut transaction, account)
            .await?
            .ok_or(KeyError::NoAccount)?;
        let row = transaction
            .optional(
                "DELETE FROM api_key WHERE id = $1 AND account_id = $2 RETURNING name",
                args![id, account],
            )
            .await?
            .ok_or(KeyError::Absent)?;
        let detail = json!({ "key": id, "name": row.text(0)? });
        note(
            &mut transaction,
            actor,
            "key.revoke",
            &owner.object(),
            &detail,
        )
        .await?;
        self.finish(transaction).await?;
        Ok(())
    }

    /// Writes down that a key was used, if the last time is longer ago than `apart`
    /// milliseconds.
    pub async fn note_key_use(&self, id: &str, apart: i64) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        let now = transaction.now();
        transaction
            .execute(
                "UPDATE api_key SET used_at = $2
                 WHERE id = $1 AND (used_at IS NULL OR used_at < $3)",
                args![id, now, now.plus(-apart)],
            )
            .await?;
        transaction.commit().await
    }
}

fn key_in(row: &Row) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.text(0)?.into(),
        account: row.int(1)?,
        name: row.text(2)?.into(),
        hash: row.text(3)?.into(),
        scope: row.optional_text(4)?.map(Into::into),
        expires_at: row.optional_millis(5)?,
        created_at: row.millis(6)?,
        used_at: row.optional_millis(7)?,
    })
}
