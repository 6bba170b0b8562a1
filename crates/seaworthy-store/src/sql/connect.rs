//! Opening a database.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::{Database, Pool};
use crate::bell::Bell;
use crate::clock::Clock;
use crate::pulls::Pulls;
use crate::recall::Recall;
use crate::trouble::StoreError;

/// Where the database is.
#[derive(Clone, Debug)]
pub enum DatabaseOptions {
    /// A SQLite file, made where there is none.
    Sqlite {
        /// The file.
        path: PathBuf,
    },
    /// A PostgreSQL server.
    Postgres {
        /// `postgres://user:password@host:port/database?sslmode=...`
        url: String,
        /// The most connections of this process.
        connections: u32,
    },
}

/// How long to wait for a connection before telling that the database is away.
const PATIENCE: Duration = Duration::from_secs(10);

/// Connections that read beside the one that writes.
const READERS: u32 = 8;

impl Database {
    /// Opens a database and brings its schema to the newest version.
    ///
    /// # Errors
    ///
    /// When it does not answer, cannot be brought up to date, or was written by a
    /// newer program.
    pub async fn open(options: &DatabaseOptions, clock: Clock) -> Result<Self, StoreError> {
        let pool = match options {
            DatabaseOptions::Sqlite { path } => sqlite(path).await?,
            DatabaseOptions::Postgres { url, connections } => {
                let options = PgConnectOptions::from_str(url)?.application_name("seaworthy");
                let pool = PgPoolOptions::new()
                    .max_connections(*connections)
                    .acquire_timeout(PATIENCE)
                    .connect_with(options)
                    .await?;
                Pool::Postgres(pool)
            }
        };
        let database = Self {
            pool,
            clock,
            bell: Bell::default(),
            changes: Arc::default(),
            recall: Recall::default(),
            pulls: Pulls::default(),
        };
        database.migrate().await?;
        Ok(database)
    }
}

async fn sqlite(path: &Path) -> Result<Pool, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // A commit is on disk when it returns.
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(PATIENCE)
        .statement_cache_capacity(500)
        .pragma("cache_size", "-65536")
        .pragma("mmap_size", "1073741824")
        .pragma("temp_store", "memory");
    let pool = |connections| {
        SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(connections)
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .test_before_acquire(false)
    };
    let writer = pool(1).connect_with(options.clone()).await?;
    let readers = pool(READERS).connect_with(options.read_only(true)).await?;
    Ok(Pool::Sqlite { writer, readers })
}
