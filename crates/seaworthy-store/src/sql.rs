//! SQLite or PostgreSQL behind one shape.
//!
//! A statement is written once, with `$1`-style places, 64-bit integers, text and
//! bytes, which both databases take alike. What differs is here and in the
//! markers of migrations: how to connect, how a writing transaction begins, and
//! how others are kept out of a row.

mod connect;
mod list;
mod listen;
mod many;
mod migrate;
mod row;
mod value;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sqlx::SqlSafeStr;
use sqlx::postgres::{PgPool, PgRow};
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::bell::Bell;
use crate::clock::{Clock, Millis};
use crate::pulls::Pulls;
use crate::recall::Recall;
use crate::trouble::StoreError;

pub use connect::DatabaseOptions;
pub(crate) use list::{each, list};
pub(crate) use many::Hold;
pub(crate) use row::Row;
pub(crate) use value::{Value, args};

/// Which database it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// One file, one process that writes.
    Sqlite,
    /// A server for any number of nodes.
    Postgres,
}

/// A database, opened and brought to the newest version. Clones share it.
#[derive(Clone, Debug)]
pub struct Database {
    pool: Pool,
    clock: Clock,
    bell: Bell,
    changes: Arc<AtomicU64>,
    recall: Recall,
    pulls: Pulls,
}

#[derive(Clone, Debug)]
enum Pool {
    Sqlite {
        /// One connection: SQLite has one writer at a time, and those who wait
        /// for a connection wait in order.
        writer: SqlitePool,
        readers: SqlitePool,
    },
    Postgres(PgPool),
}

/// A transaction that may write. Dropping it undoes everything.
pub(crate) struct Transaction {
    inner: Inner,
    now: Millis,
}

enum Inner {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

impl Database {
    /// Which database it is.
    pub fn dialect(&self) -> Dialect {
        match &self.pool {
            Pool::Sqlite { .. } => Dialect::Sqlite,
            Pool::Postgres(_) => Dialect::Postgres,
        }
    }

    /// What to ring after work was committed.
    pub fn bell(&self) -> &Bell {
        &self.bell
    }

    /// Counts up whenever this process changed who may do what: whoever remembers
    /// answers of that kind forgets them when the count is another.
    pub fn access_changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Says, after the commit, that an account, a credential, a role or whether a
    /// namespace is public was changed.
    pub(crate) fn note_access_change(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }

    /// Answers about manifests that are remembered.
    pub(crate) fn recall(&self) -> &Recall {
        &self.recall
    }

    /// Pulls that are not written down yet.
    pub(crate) fn pulls(&self) -> &Pulls {
        &self.pulls
    }

    /// The time it is.
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// Begins a transaction that may write. In SQLite it keeps other writers out
    /// from its beginning, so that it never has to give up halfway.
    pub(crate) async fn begin(&self) -> Result<Transaction, StoreError> {
        let inner = match &self.pool {
            Pool::Sqlite { writer, .. } => {
                Inner::Sqlite(writer.begin_with("BEGIN IMMEDIATE").await?)
            }
            Pool::Postgres(pool) => Inner::Postgres(pool.begin().await?),
        };
        Ok(Transaction {
            inner,
            now: self.now(),
        })
    }

    /// All rows of a query, outside of any transaction.
    pub(crate) async fn rows(
        &self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        match &self.pool {
            Pool::Sqlite { readers, .. } => {
                let rows: Vec<SqliteRow> = value::sqlite(sql, values).fetch_all(readers).await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Pool::Postgres(pool) => {
                let rows: Vec<PgRow> = value::postgres(sql, values).fetch_all(pool).await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The first row of a query, if any.
    pub(crate) async fn optional(
        &self,
        sql: &'static str,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        match &self.pool {
            Pool::Sqlite { readers, .. } => {
                let row = value::sqlite(sql, values).fetch_optional(readers).await?;
                Ok(row.map(Row::Sqlite))
            }
            Pool::Postgres(pool) => {
                let row = value::postgres(sql, values).fetch_optional(pool).await?;
                Ok(row.map(Row::Postgres))
            }
        }
    }

    /// Whether it answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.optional("SELECT 1", args![]).await.map(drop)
    }

    /// Closes all connections, after those in use come back.
    pub async fn close(&self) {
        match &self.pool {
            Pool::Sqlite { writer, readers } => {
                readers.close().await;
                writer.close().await;
            }
            Pool::Postgres(pool) => pool.close().await,
        }
    }
}

impl Transaction {
    /// When the transaction began: one act has one time.
    pub(crate) fn now(&self) -> Millis {
        self.now
    }

    /// Carries out a statement and says how many rows it touched.
    pub(crate) async fn execute(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<u64, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(transaction) => {
                let done = value::sqlite(sql, values)
                    .execute(&mut **transaction)
                    .await?;
                Ok(done.rows_affected())
            }
            Inner::Postgres(transaction) => {
                let done = value::postgres(sql, values)
                    .execute(&mut **transaction)
                    .await?;
                Ok(done.rows_affected())
            }
        }
    }

    /// All rows of a query (or of a statement with `RETURNING`).
    pub(crate) async fn rows(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        match &mut self.inner {
            Inner::Sqlite(transaction) => {
                let rows = value::sqlite(sql, values)
                    .fetch_all(&mut **transaction)
                    .await?;
                Ok(rows.into_iter().map(Row::Sqlite).collect())
            }
            Inner::Postgres(transaction) => {
                let rows = value::postgres(sql, values)
                    .fetch_all(&mut **transaction)
                    .await?;
                Ok(rows.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// The first row of a query, if any.
    pub(crate) async fn optional(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }

    /// The one row that a query or a statement with `RETURNING` must yield.
    pub(crate) async fn one(
        &mut self,
        sql: impl SqlSafeStr,
        values: Vec<Value>,
    ) -> Result<Row, StoreError> {
        self.optional(sql, values)
            .await?
            .ok_or_else(|| StoreError::Unreadable("a row that must be there is not".to_owned()))
    }

    /// Makes it last. When this returns, it is on disk.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self.inner {
            Inner::Sqlite(transaction) => transaction.commit().await?,
            Inner::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    /// What a `SELECT` ends with that keeps others from changing its rows until
    /// this transaction ends. SQLite keeps them out anyway.
    pub(crate) fn for_update(&self) -> bool {
        matches!(self.inner, Inner::Postgres(_))
    }

    /// Lets one transaction at a time append to the audit log.
    pub(crate) async fn lock_audit(&mut self) -> Result<(), StoreError> {
        self.lock(LOCK_AUDIT).await
    }

    /// Waits until no other transaction holds the lock `number`, and holds it until
    /// this one ends. SQLite's writers are alone anyway.
    pub(crate) async fn lock(&mut self, number: i64) -> Result<(), StoreError> {
        if let Inner::Postgres(_) = self.inner {
            self.rows(
                "SELECT 1 FROM (SELECT pg_advisory_xact_lock($1)) AS held",
                args![number],
            )
            .await?;
        }
        Ok(())
    }
}

/// Whoever holds it appends to the audit log.
const LOCK_AUDIT: i64 = 0x5ea_0001;
/// Whoever holds it brings the schema to the newest version.
const LOCK_MIGRATE: i64 = 0x5ea_0002;
/// Whoever holds it changes accounts.
pub(crate) const LOCK_ACCOUNTS: i64 = 0x5ea_0003;
