//! Opening a database.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
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

/// Where the database is. An address may hold a password: [`Debug`](fmt::Debug) does not
/// tell it.
#[derive(Clone)]
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

impl fmt::Debug for DatabaseOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite { path } => formatter
                .debug_struct("Sqlite")
                .field("path", path)
                .finish(),
            Self::Postgres { connections, .. } => formatter
                .debug_struct("Postgres")
                .field("connections", connections)
                .finish_non_exhaustive(),
        }
    }
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

/// Makes the file where there is none, for its owner alone: it holds the keys that sign
/// tokens. SQLite gives its other files the same mode.
fn make_private(path: &Path) -> io::Result<()> {
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

async fn sqlite(path: &Path) -> Result<Pool, StoreError> {
    make_private(path).map_err(sqlx::Error::Io)?;
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
