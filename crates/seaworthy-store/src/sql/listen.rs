//! Telling other nodes that there is work.

use sqlx::postgres::PgListener;

use super::{Database, Inner, Pool, Transaction, args};
use crate::trouble::StoreError;

/// What PostgreSQL calls the announcements of jobs.
const CHANNEL: &str = "seaworthy_job";

impl Transaction {
    /// Lets the workers of other nodes know of new work once this is committed.
    /// SQLite has one process, whose bell is enough.
    pub(crate) async fn announce(&mut self) -> Result<(), StoreError> {
        if let Inner::Postgres(_) = self.inner {
            self.rows(
                "SELECT 1 FROM (SELECT pg_notify($1, '')) AS told",
                args![CHANNEL],
            )
            .await?;
        }
        Ok(())
    }
}

impl Database {
    /// Rings this process's bell whenever another node announces work. Returns when
    /// the connection is lost, and then the caller begins anew. On SQLite it never
    /// returns.
    ///
    /// # Errors
    ///
    /// When the database does not answer.
    pub async fn listen(&self) -> Result<(), StoreError> {
        match &self.pool {
            Pool::Sqlite { .. } => std::future::pending().await,
            Pool::Postgres(pool) => {
                let mut listener = PgListener::connect_with(pool).await?;
                listener.listen(CHANNEL).await?;
                // What was announced before the connection stood is not told.
                self.bell.ring();
                while listener.try_recv().await?.is_some() {
                    self.bell.ring();
                }
                Ok(())
            }
        }
    }
}
