//! Sessions of people in browsers.

use serde_json::json;

use super::{Accounts, account_by_id};
use crate::audit::{Actor, note};
use crate::clock::Millis;
use crate::sql::{Row, args};
use crate::trouble::StoreError;

/// The most sessions of one account; the one unused for longest makes room.
const MOST_SESSIONS: i64 = 50;

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The hash of the secret.
    pub hash: Box<str>,
    /// Whose.
    pub account: i64,
    /// When it began.
    pub created_at: Millis,
    /// When it ends unless it is used before.
    pub expires_at: Millis,
    /// When it was last used, give or take a minute.
    pub used_at: Millis,
}

/// Why no session began.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The account is not there (any more).
    #[error("there is no such account")]
    NoAccount,
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Begins a session of an account.
    pub async fn open_session(
        &self,
        account: i64,
        hash: &str,
        expires_at: Millis,
        means: &str,
    ) -> Result<Session, SessionError> {
        let mut transaction = self.begin().await?;
        let owner = account_by_id(&mut transaction, account)
            .await?
            .ok_or(SessionError::NoAccount)?;
        let now = transaction.now();
        transaction
            .execute(
                "DELETE FROM session WHERE account_id = $1 AND (expires_at <= $2 OR hash IN (
                     SELECT hash FROM session WHERE account_id = $1
                     ORDER BY used_at DESC, hash LIMIT 1000000 OFFSET $3))",
                args![account, now, MOST_SESSIONS - 1],
            )
            .await?;
        transaction
            .execute(
                "UPDATE account SET seen_at = $2 WHERE id = $1",
                args![account, now],
            )
            .await?;
        let row = transaction
            .one(
                "INSERT INTO session (hash, account_id, created_at, expires_at, used_at)
                 VALUES ($1, $2, $3, $4, $3)
                 RETURNING hash, account_id, created_at, expires_at, used_at",
                args![hash, account, now, expires_at],
            )
            .await?;
        let session = session_in(&row)?;
        let detail = json!({ "means": means });
        note(
            &mut transaction,
            &owner.actor(),
            "session.open",
            &owner.object(),
            &detail,
        )
        .await?;
        self.finish(transaction).await?;
        Ok(session)
    }

    /// A session by its hash, also one that ended.
    pub async fn session(&self, hash: &str) -> Result<Option<Session>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT hash, account_id, created_at, expires_at, used_at
                 FROM session WHERE hash = $1",
                args![hash],
            )
            .await?;
        row.as_ref().map(session_in).transpose()
    }

    /// The sessions of an account that go on, oldest first.
    pub async fn sessions(&self, account: i64) -> Result<Vec<Session>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT hash, account_id, created_at, expires_at, used_at
                 FROM session WHERE account_id = $1 AND expires_at > $2
                 ORDER BY created_at, hash",
                args![account, self.database.now()],
            )
            .await?;
        rows.iter().map(session_in).collect()
    }

    /// Lets a session that is used go on until `expires_at`.
    pub async fn extend_session(&self, hash: &str, expires_at: Millis) -> Result<(), StoreError> {
        let mut transaction = self.database.begin().await?;
        let now = transaction.now();
        transaction
            .execute(
                "UPDATE session SET used_at = $2, expires_at = $3
                 WHERE hash = $1 AND expires_at > $2",
                args![hash, now, expires_at],
            )
            .await?;
        transaction.commit().await
    }

    /// Ends a session of an account. Answers whether there was one.
    pub async fn close_session(
        &self,
        account: i64,
        hash: &str,
        actor: &Actor,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.begin().await?;
        let Some(owner) = account_by_id(&mut transaction, account).await? else {
            return Ok(false);
        };
        let closed = transaction
            .execute(
                "DELETE FROM session WHERE hash = $1 AND account_id = $2",
                args![hash, account],
            )
            .await?;
        if closed == 0 {
            return Ok(false);
        }
        note(
            &mut transaction,
            actor,
            "session.close",
            &owner.object(),
            &json!({}),
        )
        .await?;
        self.finish(transaction).await?;
        Ok(true)
    }

    /// Forgets sessions that ended before `before`; answers how many. They could do
    /// nothing any more, so this is no change that anybody asks about.
    pub async fn sweep_sessions(&self, before: Millis) -> Result<u64, StoreError> {
        let mut transaction = self.database.begin().await?;
        let swept = transaction
            .execute("DELETE FROM session WHERE expires_at < $1", args![before])
            .await?;
        transaction.commit().await?;
        Ok(swept)
    }
}

fn session_in(row: &Row) -> Result<Session, StoreError> {
    Ok(Session {
        hash: row.text(0)?.into(),
        account: row.int(1)?,
        created_at: row.millis(2)?,
        expires_at: row.millis(3)?,
        used_at: row.millis(4)?,
    })
}
