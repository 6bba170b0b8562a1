//! Repositories: their tags, their manifests, and which blobs they hold.
//!
//! An act that changes a repository holds its row from its beginning, so acts on one
//! repository follow each other; what they check is still so when they commit. The
//! order in which rows are held is always namespace, repository, blob, audit log.

mod blob;
mod delete;
mod expire;
mod home;
mod manifest;
mod namespace;
mod pattern;
mod pull;
mod push;
mod quota;
mod remote;
mod retention;
mod tag;
mod upload;

use crate::clock::Millis;
use crate::name::RepositoryName;
use crate::page::{Page, beyond};
use crate::sql::Database;
use crate::trouble::StoreError;

pub use blob::{Grace, RecordBlobError, StoredBlob};
pub use delete::DeleteError;
pub use expire::{Expired, Grave};
pub use manifest::{
    ManifestKind, ManifestName, NewManifest, Part, PartRole, Referrer, StoredManifest,
};
pub use namespace::{
    ChangeNamespaceError, CreateNamespaceError, Holdings, NamespaceSettings, StoredNamespace,
    Unscanned,
};
pub use pattern::{Pattern, PatternError};
pub use push::{PushError, Pushed};
pub use retention::{Removable, Removal, RetentionRule};
pub use upload::{BeginError, Upload};

/// What there is in repositories.
#[derive(Clone, Debug)]
pub struct Catalog {
    database: Database,
}

/// Whether images pushed into a namespace that is not there yet make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Founding {
    /// They do: the caller may make namespaces.
    Allowed,
    /// They are refused.
    Refused,
}

impl Catalog {
    /// The catalog in `database`.
    pub fn of(database: &Database) -> Self {
        Self {
            database: database.clone(),
        }
    }

    /// The time it is.
    pub fn now(&self) -> Millis {
        self.database.now()
    }

    /// Forgets what was answered about a repository. An act that changes what
    /// [`Catalog::manifest`] answers calls it before it answers itself.
    fn forget_answers(&self, repository: &RepositoryName) {
        self.database.recall().forget(repository.as_str());
    }
}

/// How often an act is tried that met others at the same rows.
const TRIES: u32 = 5;

/// Tells an error that goes away when the same is tried again.
trait Busy {
    fn is_busy(&self) -> bool;
}

impl Busy for StoreError {
    fn is_busy(&self) -> bool {
        matches!(self, Self::Busy(_))
    }
}

/// Does an act, and again where it met others who changed the same rows: the database
/// lets one of them go on and undoes the other.
macro_rules! until_calm {
    ($act:expr) => {{
        let mut tries = 1;
        loop {
            let done = $act.await;
            let is_busy = done.as_ref().is_err_and(|error| error.is_busy());
            if !is_busy || tries >= $crate::catalog::TRIES {
                break done;
            }
            tries += 1;
        }
    }};
}
use until_calm;

/// Brings an act to its end even if whoever asked for it goes away: else it could
/// commit and what must follow (forgetting old answers, waking workers) be left out.
async fn to_its_end<T: Send + 'static>(act: impl Future<Output = T> + Send + 'static) -> T {
    match tokio::spawn(act).await {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends and nobody waits for an answer any more.
            Err(_) => std::future::pending().await,
        },
    }
}
