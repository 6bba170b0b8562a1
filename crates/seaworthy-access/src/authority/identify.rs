//! From what somebody shows to who they are.

use std::sync::Arc;

use seaworthy_store::{
    Account, AccountKind, AccountName, ApiKey, Millis, Session, StoreError, StoredPassword,
};

use super::{Authority, Credential, IdentifyError};
use crate::password::{Flood, Try};
use crate::principal::{Narrowed, Principal, Shown};
use crate::scope::{self, Item};
use crate::secret::{KeyText, hash_of, is_same, session_hash};
use crate::token::{Claims, looks_like_token};

/// How long a session goes on without being used, in milliseconds.
pub(super) const SESSION_IDLE: i64 = 12 * 3600 * 1000;
/// How long a session goes on at most.
const SESSION_LONGEST: i64 = 7 * 24 * 3600 * 1000;
/// A session that was used is written down so often.
const SESSION_NOTED: i64 = 5 * 60 * 1000;
/// A key that was used is written down so often.
const KEY_NOTED: i64 = 10 * 60 * 1000;

impl From<Flood> for IdentifyError {
    fn from(flood: Flood) -> Self {
        let seconds = flood.0.max(1).unsigned_abs().div_ceil(1000);
        Self::TooMany(seconds)
    }
}

impl Authority {
    /// Who somebody is. Without a credential: anonymous.
    pub async fn identify(&self, credential: &Credential) -> Result<Principal, IdentifyError> {
        match credential {
            Credential::None => Ok(Principal::anonymous()),
            Credential::Basic { name, secret } => {
                if let Some(key) = KeyText::parse(secret) {
                    return self.by_key(&key).await;
                }
                if looks_like_token(secret) {
                    // A token of the token flow is no way to get another one.
                    let claims = self.claims(secret).await?;
                    if claims.access.is_some() {
                        return Err(IdentifyError::Invalid);
                    }
                    return self.by_token(claims).await;
                }
                self.by_password(name, secret).await
            }
            Credential::Bearer(text) => {
                if let Some(key) = KeyText::parse(text) {
                    return self.by_key(&key).await;
                }
                let claims = self.claims(text).await?;
                self.by_token(claims).await
            }
            Credential::Session(text) => self.by_session(text).await,
        }
    }

    /// A user by name and password.
    pub(super) async fn by_password(
        &self,
        name: &str,
        password: &str,
    ) -> Result<Principal, IdentifyError> {
        let inner = &self.inner;
        let now = inner.database.now();
        let stored = match name.parse::<AccountName>() {
            Ok(name) => self.password(name).await?,
            Err(_) => None,
        };
        let account = match &stored {
            Some(stored) => self.account(stored.account).await?,
            None => None,
        };
        let tried = Try {
            name,
            password,
            hash: stored.as_ref().map(|stored| &*stored.hash),
            revision: account.as_ref().map_or(0, |account| account.revision),
        };
        let is_right = inner.passwords.check(tried, now).await?;
        let (Some(account), Some(stored), true) = (account, stored, is_right) else {
            return Err(IdentifyError::Invalid);
        };
        let mut principal = self.principal(&account, &[], None)?;
        // Of the moment when the hash was read: where the password was changed since,
        // tokens that follow are good for nothing.
        principal.shown.epoch = stored.epoch;
        Ok(principal)
    }

    async fn by_key(&self, text: &KeyText<'_>) -> Result<Principal, IdentifyError> {
        let key = self.key(text.id).await?.ok_or(IdentifyError::Invalid)?;
        if !is_same(&hash_of(text.secret), &key.hash) {
            return Err(IdentifyError::Invalid);
        }
        let account = self.account(key.account).await?;
        let account = account.ok_or(IdentifyError::Invalid)?;
        let principal = self.principal(&account, std::slice::from_ref(&key), None)?;
        self.note_use(&key);
        Ok(principal)
    }

    async fn by_session(&self, text: &str) -> Result<Principal, IdentifyError> {
        let hash = session_hash(text).ok_or(IdentifyError::Invalid)?;
        let session = self.session(&hash).await?.ok_or(IdentifyError::Invalid)?;
        let account = self.account(session.account).await?;
        let account = account.ok_or(IdentifyError::Invalid)?;
        let now = self.inner.database.now();
        let mut principal = self.principal(&account, &[], Some(&session))?;
        if session.used_at.plus(SESSION_NOTED) <= now && self.is_to_be_noted(&hash, now) {
            let longest = session.created_at.plus(SESSION_LONGEST);
            let until = now.plus(SESSION_IDLE).min(longest);
            self.inner.accounts.extend_session(&hash, until).await?;
            principal.shown.until = Some(until);
        }
        Ok(principal)
    }

    async fn claims(&self, token: &str) -> Result<Claims, IdentifyError> {
        let now = self.inner.database.now();
        let claims = self.ring().await?.verify(token, now);
        claims.ok_or(IdentifyError::Invalid)
    }

    /// Whoever a token that was verified is of: its account as it is now, with what
    /// was shown for the token still good.
    async fn by_token(&self, claims: Claims) -> Result<Principal, IdentifyError> {
        let invalid = || IdentifyError::Invalid;
        let access: Option<Vec<Narrowed>> = claims
            .access
            .as_ref()
            .map(|items| items.iter().filter_map(Item::narrowed).collect());
        let until = Millis(claims.exp.saturating_mul(1000));
        let Some(id) = claims.sub else {
            let mut nobody = Principal::anonymous();
            nobody.narrowed = Some(access.unwrap_or_default());
            nobody.shown.until = Some(until);
            return Ok(nobody);
        };
        let account = self.account(id).await?.ok_or_else(invalid)?;
        if account.epoch != claims.epoch {
            return Err(IdentifyError::Invalid);
        }
        let mut keys = Vec::new();
        if let Some(key) = &claims.key {
            let key = self.key(key).await?.filter(|key| key.account == id);
            keys.push(key.ok_or_else(invalid)?);
        }
        let session = match &claims.session {
            Some(hash) => {
                let session = self.session(hash).await?;
                let session = session.filter(|session| session.account == id);
                Some(session.ok_or_else(invalid)?)
            }
            None => None,
        };
        if let Some(identity) = claims.workload
            && self.identity(identity).await? != Some(id)
        {
            return Err(IdentifyError::Invalid);
        }
        let mut principal = self.principal(&account, &keys, session.as_ref())?;
        if access.is_some() {
            principal.narrowed = access;
        }
        if claims.workload.is_some() {
            principal.must_change_password = false;
            principal.shown.workload = claims.workload;
        }
        let shown = &mut principal.shown;
        shown.until = Some(shown.until.map_or(until, |earlier| earlier.min(until)));
        Ok(principal)
    }

    /// The principal of an account that shows these keys or this session, all of which
    /// must still be good.
    pub(super) fn principal(
        &self,
        account: &Account,
        keys: &[Arc<ApiKey>],
        session: Option<&Session>,
    ) -> Result<Principal, IdentifyError> {
        let now = self.inner.database.now();
        let ends = [
            account.expires_at,
            keys.iter().filter_map(|key| key.expires_at).min(),
            session.map(|session| session.expires_at),
        ];
        let until = ends.into_iter().flatten().min();
        if !account.is_usable(now) || until.is_some_and(|until| until <= now) {
            return Err(IdentifyError::Invalid);
        }
        let roles = account
            .grants
            .iter()
            // A robot that belongs to a namespace has nothing outside of it.
            .filter(|grant| account.namespace.is_none() || grant.namespace == account.namespace)
            .filter_map(|grant| Some((grant.namespace.clone(), grant.role.parse().ok()?)));
        let narrowed = keys.iter().find_map(|key| key.scope.as_deref());
        Ok(Principal {
            actor: account.actor(),
            account: Some(account.id),
            roles: roles.collect(),
            narrowed: narrowed.map(scope::narrowed),
            must_change_password: account.kind == AccountKind::User
                && account.must_change
                && keys.is_empty(),
            shown: Shown {
                key: keys.first().map(|key| key.id.clone()),
                session: session.map(|session| session.hash.clone()),
                workload: None,
                until,
                epoch: account.epoch,
            },
        })
    }

    async fn password(&self, name: AccountName) -> Result<Option<StoredPassword>, StoreError> {
        let inner = &self.inner;
        let (now, changes) = (inner.database.now(), inner.database.access_changes());
        if let Some(stored) = inner.recent.passwords.answer(&name, now, changes) {
            return Ok(stored);
        }
        let stored = inner.accounts.password(&name).await?;
        // Names that nobody has are not remembered: there is no end of them.
        if stored.is_some() {
            let recent = &inner.recent.passwords;
            recent.remember(name, stored.clone(), now, changes);
        }
        Ok(stored)
    }

    async fn account(&self, id: i64) -> Result<Option<Arc<Account>>, StoreError> {
        let inner = &self.inner;
        let (now, changes) = (inner.database.now(), inner.database.access_changes());
        if let Some(account) = inner.recent.accounts.answer(&id, now, changes) {
            return Ok(account);
        }
        let account = inner.accounts.account(id).await?.map(Arc::new);
        let recent = &inner.recent.accounts;
        recent.remember(id, account.clone(), now, changes);
        Ok(account)
    }

    async fn key(&self, id: &str) -> Result<Option<Arc<ApiKey>>, StoreError> {
        let inner = &self.inner;
        let (now, changes) = (inner.database.now(), inner.database.access_changes());
        let id: Box<str> = id.into();
        if let Some(key) = inner.recent.keys.answer(&id, now, changes) {
            return Ok(key);
        }
        let key = inner.accounts.key(&id).await?.map(Arc::new);
        if key.is_some() {
            inner.recent.keys.remember(id, key.clone(), now, changes);
        }
        Ok(key)
    }

    async fn session(&self, hash: &str) -> Result<Option<Session>, StoreError> {
        let inner = &self.inner;
        let (now, changes) = (inner.database.now(), inner.database.access_changes());
        let hash: Box<str> = hash.into();
        if let Some(session) = inner.recent.sessions.answer(&hash, now, changes) {
            return Ok(session);
        }
        let session = inner.accounts.session(&hash).await?;
        if session.is_some() {
            let recent = &inner.recent.sessions;
            recent.remember(hash, session.clone(), now, changes);
        }
        Ok(session)
    }

    /// The robot that a workload identity acts as, if it still does.
    async fn identity(&self, id: i64) -> Result<Option<i64>, StoreError> {
        let inner = &self.inner;
        let (now, changes) = (inner.database.now(), inner.database.access_changes());
        if let Some(robot) = inner.recent.identities.answer(&id, now, changes) {
            return Ok(robot);
        }
        let identity = inner.accounts.workload_identity(id).await?;
        let robot = identity.map(|identity| identity.account);
        inner.recent.identities.remember(id, robot, now, changes);
        Ok(robot)
    }

    /// Writes down, beside the request, that a key was used.
    fn note_use(&self, key: &Arc<ApiKey>) {
        let inner = &self.inner;
        let now = inner.database.now();
        if key.used_at.is_some_and(|used| now < used.plus(KEY_NOTED)) {
            return;
        }
        if !self.is_to_be_noted(&key.id, now) {
            return;
        }
        let (accounts, id) = (inner.accounts.clone(), key.id.clone());
        tokio::spawn(async move {
            if let Err(error) = accounts.note_key_use(&id, KEY_NOTED).await {
                tracing::debug!(%error, "that a key was used could not be written down");
            }
        });
    }
    /// Whether a use is to be written down: not if it was a moment ago, and what is
    /// remembered does not show it yet.
    fn is_to_be_noted(&self, what: &str, now: Millis) -> bool {
        let noted = &self.inner.recent.noted;
        let what: Box<str> = what.into();
        // Whatever else changes does not matter for this.
        let is_new = noted.answer(&what, now, 0).is_none();
        if is_new {
            noted.remember(what, (), now, 0);
        }
        is_new
    }
}
