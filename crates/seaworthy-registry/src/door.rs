//! Who may come in: what all requests share.

use std::sync::Arc;

use axum::http::request::Parts;
use seaworthy_access::{Authority, Credential, IdentifyError, Principal, Refusal, Right, Where};
use seaworthy_store::{Founding, RepositoryName};
use tokio::sync::Semaphore;

use crate::challenge::{Why, challenge};
use crate::credential;
use crate::fault::Fault;
use crate::live::Live;
use crate::options::RegistryOptions;
use crate::scope;

/// How many manifests that are not small are in memory at once.
const LARGE_MANIFESTS: usize = 16;

/// What a token for the list of repositories is for.
const LISTING: &str = "registry:catalog:*";

/// What all requests share.
pub(crate) struct Door {
    pub(crate) options: RegistryOptions,
    pub(crate) live: Arc<Live>,
    pub(crate) large: Semaphore,
}

impl Door {
    pub(crate) fn of(options: RegistryOptions) -> Self {
        Self {
            options,
            live: Arc::default(),
            large: Semaphore::new(LARGE_MANIFESTS),
        }
    }

    /// Who is asking; `scope` is what a token would have to be for.
    pub(crate) async fn identify(
        &self,
        parts: &Parts,
        scope: &str,
    ) -> Result<(Credential, Principal), Fault> {
        let invalid = || {
            let challenge = challenge(&self.options.origin, parts, scope, Why::Invalid);
            Fault::Unauthorized {
                challenge,
                why: "the credentials are not valid".to_owned(),
            }
        };
        let credential = credential::shown(&parts.headers).ok_or_else(invalid)?;
        match self.options.authority.identify(&credential).await {
            Ok(principal) => Ok((credential, principal)),
            Err(IdentifyError::Invalid) => Err(invalid()),
            Err(IdentifyError::TooMany(seconds)) => Err(Fault::TooManyAttempts(seconds)),
            Err(IdentifyError::Store(error)) => Err(error.into()),
        }
    }

    /// Whoever asks, if they showed something: for what depends on who asks, not on
    /// one right.
    pub(crate) async fn admit_shown(&self, parts: &Parts) -> Result<Principal, Fault> {
        match self.identify(parts, "").await? {
            (Credential::None, _) => Err(self.unauthorized(parts, "", Why::Needed, &"sign in")),
            (_, principal) => Ok(principal),
        }
    }

    /// Whoever asks, with all that they may list.
    pub(crate) async fn admit_to_list(&self, parts: &Parts) -> Result<Principal, Fault> {
        let (credential, principal) = self.identify(parts, LISTING).await?;
        let why = match credential {
            Credential::None => Why::Needed,
            Credential::Basic { .. } => return Ok(principal),
            Credential::Bearer(_) | Credential::Session(_) => Why::Insufficient,
        };
        if why == Why::Needed || !Authority::may_list(&principal) {
            return Err(self.unauthorized(parts, LISTING, why, &"this needs a token for lists"));
        }
        Ok(self.options.authority.behind_token(&principal).await?)
    }

    /// Whoever asks, if they have `right` in `repository`. Whether the repository is
    /// there makes no difference.
    pub(crate) async fn admit(
        &self,
        parts: &Parts,
        right: Right,
        repository: &RepositoryName,
    ) -> Result<Principal, Fault> {
        let credential = credential::shown(&parts.headers);
        // The scope is put into words only where it is needed.
        let identified = match &credential {
            Some(credential) => self.options.authority.identify(credential).await,
            None => Err(IdentifyError::Invalid),
        };
        let principal = match identified {
            Ok(principal) => principal,
            Err(IdentifyError::Invalid) => {
                let scope = scope::needed(repository, right);
                let why = "the credentials are not valid";
                return Err(self.unauthorized(parts, &scope, Why::Invalid, &why));
            }
            Err(IdentifyError::TooMany(seconds)) => return Err(Fault::TooManyAttempts(seconds)),
            Err(IdentifyError::Store(error)) => return Err(error.into()),
        };
        let Err(refusal) = self.permit(&principal, right, repository).await? else {
            return Ok(principal);
        };
        let scope = scope::needed(repository, right);
        if matches!(credential, Some(Credential::None)) {
            return Err(self.unauthorized(parts, &scope, Why::Needed, &refusal));
        }
        // Nobody in particular can always become somebody.
        if principal.account.is_none()
            || self
                .another_token_may(&principal, right, repository)
                .await?
        {
            return Err(self.unauthorized(parts, &scope, Why::Insufficient, &refusal));
        }
        Err(Fault::Denied(refusal.to_string()))
    }

    /// Whether `principal`, who may not, shows a token that is good for too little while
    /// its owner could have another one.
    pub(crate) async fn another_token_may(
        &self,
        principal: &Principal,
        right: Right,
        repository: &RepositoryName,
    ) -> Result<bool, Fault> {
        if principal.narrowed.is_none() {
            return Ok(false);
        }
        let whole = self.options.authority.behind_token(principal).await?;
        Ok(self.permit(&whole, right, repository).await?.is_ok())
    }

    /// Tells the client to come back with a token for `scope`.
    pub(crate) fn wants_token(&self, parts: &Parts, scope: &str, refusal: &Refusal) -> Fault {
        self.unauthorized(parts, scope, Why::Insufficient, refusal)
    }

    pub(crate) async fn permit(
        &self,
        principal: &Principal,
        right: Right,
        repository: &RepositoryName,
    ) -> Result<Result<(), Refusal>, Fault> {
        let authority = &self.options.authority;
        Ok(authority
            .permit_repository(principal, right, repository)
            .await?)
    }

    /// Whether what `principal` pushes to `repository` may make its namespace.
    pub(crate) async fn founding(
        &self,
        principal: &Principal,
        repository: &RepositoryName,
    ) -> Result<Founding, Fault> {
        let namespace = repository.namespace();
        let place = Where::In(&namespace);
        let authority = &self.options.authority;
        let may = authority
            .permit(principal, Right::CreateNamespace, place)
            .await?;
        Ok(match may {
            Ok(()) => Founding::Allowed,
            Err(_) => Founding::Refused,
        })
    }

    fn unauthorized(
        &self,
        parts: &Parts,
        scope: &str,
        why: Why,
        text: &dyn std::fmt::Display,
    ) -> Fault {
        Fault::Unauthorized {
            challenge: challenge(&self.options.origin, parts, scope, why),
            why: text.to_string(),
        }
    }
}
