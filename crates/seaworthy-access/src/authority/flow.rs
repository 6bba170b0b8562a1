//! What the registry's token flow asks beyond rights in one repository: tokens for
//! lists, and what could be had instead of a token that is good for too little.

use seaworthy_store::StoreError;

use super::{Authority, Wanted};
use crate::principal::{Narrowed, Principal};
use crate::right::Right;
use crate::scope::{self, Item};

/// Stands in a token where a repository would, and is no name of one: the token may
/// ask which repositories there are.
const LISTING: &str = "_catalog";

/// What a token that is for lists says of it.
pub(super) fn listing() -> Item {
    Item {
        namespace: None,
        repository: Some(LISTING.to_owned()),
        rights: vec![Right::Read.name().to_owned()],
    }
}

impl Authority {
    /// The same as [`Authority::issue`]; the token may also ask which repositories
    /// there are.
    pub async fn issue_for_listing(
        &self,
        principal: &Principal,
        wanted: &[Wanted],
        seconds: u64,
    ) -> Result<String, StoreError> {
        let mut access = self.granted(principal, wanted).await?;
        access.push(listing());
        self.issue_access(principal, access, seconds).await
    }

    /// Whether what somebody showed is good for asking which repositories there are.
    /// What they are told is what they may read.
    pub fn may_list(principal: &Principal) -> bool {
        let is_listing = |item: &Narrowed| match item.repository.as_deref() {
            None => item.rights.contains(&Right::Read),
            Some(name) => name == LISTING,
        };
        let narrowed = principal.narrowed.as_ref();
        narrowed.is_none_or(|items| items.iter().any(is_listing))
    }

    /// Whoever a token was issued to, with all that they could have another one for:
    /// what a token was asked for narrows it, what its key is narrowed to stays.
    ///
    /// # Errors
    ///
    /// When the store is in trouble.
    pub async fn behind_token(&self, principal: &Principal) -> Result<Principal, StoreError> {
        let narrowed = match &principal.shown.key {
            Some(id) => match self.inner.accounts.key(id).await? {
                Some(key) => key.scope.as_deref().map(scope::narrowed),
                // It was revoked a moment ago.
                None => Some(Vec::new()),
            },
            None => None,
        };
        Ok(Principal {
            narrowed,
            ..principal.clone()
        })
    }
}
