//! When the database or the object store itself is in trouble.

/// What was asked could not be answered by the store. Callers tell those who
/// wait to come back when it [is temporary](StoreError::is_temporary).
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached, or let go of us.
    #[error("the database does not answer")]
    Away(#[source] sqlx::Error),
    /// Somebody else changed the same things at the same moment; asking again
    /// helps.
    #[error("somebody else changed the same at the same moment")]
    Busy(#[source] sqlx::Error),
    /// The database refused what we asked.
    #[error("the database refused")]
    Refused(#[source] sqlx::Error),
    /// What is stored is not what we write.
    #[error("what is stored cannot be read: {0}")]
    Unreadable(String),
    /// The database was written by a newer program.
    #[error("the database has version {found}, this program knows up to {known}")]
    Newer {
        /// The version in the database.
        found: i64,
        /// The newest this program knows.
        known: i64,
    },
    /// The place of blobs cannot be used.
    #[error("cannot {what}")]
    Blobs {
        /// What was tried.
        what: String,
        /// Why it failed.
        #[source]
        source: std::io::Error,
    },
}

impl StoreError {
    /// Whether the same may succeed in a moment.
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Away(_) | Self::Busy(_) => true,
            Self::Blobs { source, .. } => !matches!(
                source.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::InvalidData
            ),
            Self::Refused(_) | Self::Unreadable(_) | Self::Newer { .. } => false,
        }
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::Protocol(_) => Self::Away(error),
            sqlx::Error::Database(refusal) => {
                let code = refusal.code().unwrap_or_default().into_owned();
                match &*code {
                    // SQLite: busy, locked, snapshot, recovery. PostgreSQL:
                    // serialization, deadlock, lock not available.
                    "5" | "6" | "517" | "261" | "40001" | "40P01" | "55P03" => Self::Busy(error),
                    // SQLite: disk full and I/O errors.
                    "13" | "10" | "14" => Self::Away(error),
                    // PostgreSQL: connection trouble, shutdown, too many, full disk.
                    code if code.starts_with("08")
                        || code.starts_with("57P")
                        || code.starts_with("53") =>
                    {
                        Self::Away(error)
                    }
                    _ => Self::Refused(error),
                }
            }
            _ => Self::Refused(error),
        }
    }
}
