//! The one place that says who somebody is and what they may do.

use seaworthy_store::{Database, RepositoryName, StoreError};

use crate::principal::{Principal, Refusal, Where};
use crate::right::Right;

/// What somebody shows to say who they are.
#[derive(Clone)]
pub enum Credential {
    /// Nothing.
    None,
    /// A name and a secret: a user's password, a robot's secret, or an API key as
    /// the secret (then the name is anything).
    Basic {
        /// The name.
        name: String,
        /// The secret.
        secret: String,
    },
    /// A token that this installation issued ([`Authority::issue`]), or an API key.
    Bearer(String),
    /// The cookie of a session.
    Session(String),
}

/// Why it is not known who somebody is.
#[derive(Debug, thiserror::Error)]
pub enum IdentifyError {
    /// The credential is wrong, ended, or of somebody who was disabled.
    #[error("the credentials are not valid")]
    Invalid,
    /// Too many wrong ones; how many seconds to wait.
    #[error("too many wrong credentials; try again in {0} seconds")]
    TooMany(u64),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Identifies, issues tokens, and decides.
#[derive(Clone, Debug)]
pub struct Authority {
    database: Database,
}

/// What a token of the registry is for: one repository and what may be done there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The repository.
    pub repository: RepositoryName,
    /// What is wanted there: [`Right::Read`], [`Right::Push`], [`Right::Delete`].
    pub rights: Vec<Right>,
}

impl Authority {
    /// Opens it: makes the keys of this installation where there are none.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        Ok(Self {
            database: database.clone(),
        })
    }

    /// Who somebody is. Without a credential: anonymous.
    pub async fn identify(&self, credential: &Credential) -> Result<Principal, IdentifyError> {
        let _ = (credential, &self.database);
        todo!()
    }

    /// Whether `principal` has `right` there. Public namespaces may be read by anybody.
    pub async fn permit(
        &self,
        principal: &Principal,
        right: Right,
        place: Where<'_>,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let _ = (principal, right, place);
        todo!()
    }

    /// The same for one repository, which a narrowed credential may be limited to.
    pub async fn permit_repository(
        &self,
        principal: &Principal,
        right: Right,
        repository: &RepositoryName,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let _ = (principal, right, repository);
        todo!()
    }

    /// A token for what of `wanted` the principal may, good for `seconds`.
    pub async fn issue(
        &self,
        principal: &Principal,
        wanted: &[Wanted],
        seconds: u64,
    ) -> Result<String, StoreError> {
        let _ = (principal, wanted, seconds);
        todo!()
    }
}
