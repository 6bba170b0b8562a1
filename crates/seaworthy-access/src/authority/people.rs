//! Signing in and out, and handing out secrets and roles.

use seaworthy_store::{
    Account, AccountKind, AccountName, Actor, ApiKey, ChangeAccountError, CreateAccountError,
    GrantError, KeyError, Millis, Namespace, NewAccount, NewKey, SessionError, StoreError,
};

use super::identify::SESSION_IDLE;
use super::{Authority, IdentifyError};
use crate::password::{Flood, LONGEST, SHORTEST};
use crate::policy::{Target, decide};
use crate::principal::{Narrowed, Principal, Refusal, Where};
use crate::right::{Right, Role};
use crate::scope;
use crate::secret::{Secret, mint_key, mint_password, mint_session};

/// The most things that a key can be narrowed to.
const MOST_NARROWED: usize = 100;
/// The most characters of the name of a key.
const LONGEST_NAME: usize = 100;

/// The account that was made at the first start.
#[derive(Clone, Debug)]
pub struct FirstAdmin {
    /// How it is called.
    pub name: AccountName,
    /// Good for one sign-in: it must be changed then.
    pub password: Secret,
}

/// Somebody who signed in.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// The secret of the session, for a cookie.
    pub session: Secret,
    /// Who.
    pub principal: Principal,
}

/// A user to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// How they are called.
    pub name: AccountName,
    /// As people are called.
    pub display_name: Option<Box<str>>,
    /// Where mail reaches them.
    pub email: Option<Box<str>>,
}

/// A key to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRequest {
    /// What it is for, in up to 100 characters.
    pub name: Box<str>,
    /// What it is good for; nothing for all that its account may. It never gives more
    /// than the account has.
    pub narrowed: Option<Vec<Narrowed>>,
    /// From when on it is good for nothing.
    pub expires_at: Option<Millis>,
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum MakeAccountError {
    /// The store refuses.
    #[error(transparent)]
    Create(#[from] CreateAccountError),
    /// Too many passwords are computed already; how many seconds to wait.
    #[error("too many passwords are computed right now; try again in {0} seconds")]
    TooMany(u64),
}

/// Why a password was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangePasswordError {
    /// The old one is wrong, or there is none.
    #[error("the old password is not right")]
    Wrong,
    /// Nobody should choose the new one.
    #[error("the new password {0}")]
    Unfit(&'static str),
    /// Too many tries; how many seconds to wait.
    #[error("too many tries; try again in {0} seconds")]
    TooMany(u64),
    /// The account cannot be changed.
    #[error(transparent)]
    Change(#[from] ChangeAccountError),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a key was not made.
#[derive(Debug, thiserror::Error)]
pub enum MakeKeyError {
    /// It is not well formed.
    #[error("{0}")]
    Unfit(&'static str),
    /// Whoever asks may not.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store refuses.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a role was not given or taken.
#[derive(Debug, thiserror::Error)]
pub enum GrantRoleError {
    /// Whoever asks may not.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The role is of the installation as a whole.
    #[error("the role `{0}` can be given everywhere only, not in a namespace")]
    OnlyEverywhere(Role),
    /// The store refuses.
    #[error(transparent)]
    Grant(#[from] GrantError),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Authority {
    /// Makes the account `admin` with a password for one sign-in if there is no account
    /// at all. The password is in the answer and nowhere else.
    pub async fn first_admin(&self) -> Result<Option<FirstAdmin>, StoreError> {
        if !self.inner.accounts.is_empty().await? {
            return Ok(None);
        }
        let password = mint_password();
        let Ok(hash) = self.inner.passwords.hash(password.reveal()).await else {
            return Err(StoreError::Unreadable(
                "the first password could not be computed".to_owned(),
            ));
        };
        let Ok(name) = "admin".parse::<AccountName>() else {
            return Ok(None);
        };
        let new = NewAccount {
            kind: AccountKind::User,
            name: name.clone(),
            display_name: None,
            email: None,
            password: Some(hash.into()),
            must_change: true,
            namespace: None,
            expires_at: None,
        };
        match self
            .inner
            .accounts
            .found(&new, &Actor::system("start"))
            .await
        {
            Ok(made) => Ok(made.map(|_| FirstAdmin { name, password })),
            Err(CreateAccountError::Store(error)) => Err(error),
            // There was no account to collide with.
            Err(error) => Err(StoreError::Unreadable(error.to_string())),
        }
    }

    /// Begins a session of a user who shows name and password.
    pub async fn sign_in(&self, name: &str, password: &str) -> Result<SignedIn, IdentifyError> {
        let principal = self.by_password(name, password).await?;
        self.open_session(principal, "password").await
    }

    pub(super) async fn open_session(
        &self,
        mut principal: Principal,
        means: &str,
    ) -> Result<SignedIn, IdentifyError> {
        let account = principal.account.ok_or(IdentifyError::Invalid)?;
        let (session, hash) = mint_session();
        let until = self.inner.database.now().plus(SESSION_IDLE);
        let accounts = &self.inner.accounts;
        match accounts.open_session(account, &hash, until, means).await {
            Ok(_) => {}
            Err(SessionError::NoAccount) => return Err(IdentifyError::Invalid),
            Err(SessionError::Store(error)) => return Err(error.into()),
        }
        principal.shown.session = Some(hash);
        Ok(SignedIn { session, principal })
    }

    /// Ends the session that the principal showed, if they showed one.
    pub async fn sign_out(&self, principal: &Principal) -> Result<(), StoreError> {
        let (Some(account), Some(hash)) = (principal.account, &principal.shown.session) else {
            return Ok(());
        };
        let accounts = &self.inner.accounts;
        accounts
            .close_session(account, hash, &principal.actor)
            .await
            .map(drop)
    }

    /// Lets a user choose a new password. All their other sessions and tokens end.
    pub async fn change_password(
        &self,
        principal: &Principal,
        old: &str,
        new: &str,
    ) -> Result<(), ChangePasswordError> {
        let account = match principal.account {
            Some(id) if principal.narrowed.is_none() => self.inner.accounts.account(id).await?,
            _ => None,
        };
        let account = account
            .filter(|account| account.kind == AccountKind::User)
            .ok_or(ChangePasswordError::Wrong)?;
        match self.by_password(account.name.as_str(), old).await {
            Ok(_) => {}
            Err(IdentifyError::Invalid) => return Err(ChangePasswordError::Wrong),
            Err(IdentifyError::TooMany(seconds)) => {
                return Err(ChangePasswordError::TooMany(seconds));
            }
            Err(IdentifyError::Store(error)) => return Err(error.into()),
        }
        if let Some(why) = unfit(new, old, account.name.as_str()) {
            return Err(ChangePasswordError::Unfit(why));
        }
        let hash = self
            .inner
            .passwords
            .hash(new)
            .await
            .map_err(|flood| ChangePasswordError::TooMany(seconds(flood)))?;
        let keep = principal.shown.session.as_deref();
        self.inner
            .accounts
            .set_password(account.id, &hash, false, keep, &principal.actor)
            .await?;
        Ok(())
    }

    /// Makes a user and a password for one sign-in. Whether the actor may is the
    /// caller's to ask before ([`Right::ManageAccounts`]).
    pub async fn make_user(
        &self,
        user: NewUser,
        actor: &Actor,
    ) -> Result<(Account, Secret), MakeAccountError> {
        let password = mint_password();
        let hash = self
            .inner
            .passwords
            .hash(password.reveal())
            .await
            .map_err(|flood| MakeAccountError::TooMany(seconds(flood)))?;
        let new = NewAccount {
            kind: AccountKind::User,
            name: user.name,
            display_name: user.display_name,
            email: user.email,
            password: Some(hash.into()),
            must_change: true,
            namespace: None,
            expires_at: None,
        };
        let account = self.inner.accounts.create(&new, actor).await?;
        Ok((account, password))
    }

    /// Gives a user a new password for one sign-in. Whether the actor may is the
    /// caller's to ask before ([`Right::ManageAccounts`]).
    pub async fn reset_password(
        &self,
        account: i64,
        actor: &Actor,
    ) -> Result<Secret, ChangePasswordError> {
        let password = mint_password();
        let hash = self
            .inner
            .passwords
            .hash(password.reveal())
            .await
            .map_err(|flood| ChangePasswordError::TooMany(seconds(flood)))?;
        let found = self.inner.accounts.account(account).await?;
        let is_user = found.is_some_and(|account| account.kind == AccountKind::User);
        if !is_user {
            return Err(ChangeAccountError::Absent.into());
        }
        self.inner
            .accounts
            .set_password(account, &hash, true, None, actor)
            .await?;
        Ok(password)
    }

    /// Whether `principal` may change `account`: robots of a namespace are its
    /// admins', all others need [`Right::ManageAccounts`].
    pub fn permit_account(&self, principal: &Principal, account: &Account) -> Result<(), Refusal> {
        match &account.namespace {
            Some(namespace) => decide(
                principal,
                Right::ManageNamespace,
                Target::Namespace(namespace),
                false,
            ),
            None => decide(
                principal,
                Right::ManageAccounts,
                Target::Installation,
                false,
            ),
        }
    }

    /// Whether `principal` may make and revoke credentials of `account`: their own too,
    /// if what they show is good for all that they may. Somebody who holds one narrow
    /// key must not make a wide one with it.
    pub fn permit_credentials(
        &self,
        principal: &Principal,
        account: &Account,
    ) -> Result<(), Refusal> {
        let is_own = principal.account == Some(account.id);
        if is_own && principal.must_change_password {
            return Err(Refusal::PasswordDue);
        }
        if is_own && principal.narrowed.is_none() && principal.shown.workload.is_none() {
            return Ok(());
        }
        self.permit_account(principal, account)
    }

    /// Whether `principal` has all rights that `account` has: whoever hands out its
    /// password, or lets other tokens stand for it, gives all of that away.
    ///
    /// # Errors
    ///
    /// The right that is missing.
    pub fn permit_all_of(&self, principal: &Principal, account: &Account) -> Result<(), Refusal> {
        for grant in &account.grants {
            let Ok(role) = grant.role.parse::<Role>() else {
                continue;
            };
            let target = grant
                .namespace
                .as_ref()
                .map_or(Target::Installation, Target::Namespace);
            for right in role.rights() {
                decide(principal, *right, target, false)?;
            }
        }
        Ok(())
    }

    /// Makes an API key of a user or a secret of a robot. The secret is in the answer
    /// and nowhere else.
    pub async fn make_key(
        &self,
        principal: &Principal,
        account: i64,
        request: KeyRequest,
    ) -> Result<(ApiKey, Secret), MakeKeyError> {
        let found = self.inner.accounts.account(account).await?;
        let account = found.ok_or(KeyError::NoAccount)?;
        self.permit_credentials(principal, &account)?;
        if let Some(why) = self.unfit_key(&request) {
            return Err(MakeKeyError::Unfit(why));
        }
        permit_key(principal, &account, &request)?;
        let minted = mint_key(account.kind);
        let new = NewKey {
            id: minted.id,
            name: request.name,
            hash: minted.hash,
            scope: request.narrowed.map(|it| scope::document(&it).into()),
            expires_at: request.expires_at,
        };
        let accounts = &self.inner.accounts;
        let key = accounts.add_key(account.id, &new, &principal.actor).await?;
        Ok((key, minted.text))
    }

    fn unfit_key(&self, request: &KeyRequest) -> Option<&'static str> {
        let name = &request.name;
        if name.trim().is_empty() || name.chars().count() > LONGEST_NAME {
            return Some("the name of a key has 1 to 100 characters");
        }
        if name.chars().any(char::is_control) {
            return Some("the name of a key has no control characters");
        }
        if let Some(narrowed) = &request.narrowed {
            if narrowed.len() > MOST_NARROWED {
                return Some("a key can be narrowed to 100 things at most");
            }
            let is_name = |narrowed: &Narrowed| {
                let repository = narrowed.repository.as_deref();
                repository.is_none_or(|it| it.parse::<seaworthy_store::RepositoryName>().is_ok())
            };
            if !narrowed.iter().all(is_name) {
                return Some("a key can be narrowed to repositories by their full names only");
            }
        }
        let now = self.inner.database.now();
        if request.expires_at.is_some_and(|expires| expires <= now) {
            return Some("a key cannot expire before it is made");
        }
        None
    }

    /// What a stored key is narrowed to; nothing for all that its account may.
    pub fn narrowed_of(key: &ApiKey) -> Option<Vec<Narrowed>> {
        key.scope.as_deref().map(scope::narrowed)
    }

    /// Revokes a key, at once and for ever.
    pub async fn revoke_key(
        &self,
        principal: &Principal,
        account: i64,
        key: &str,
    ) -> Result<(), MakeKeyError> {
        let found = self.inner.accounts.account(account).await?;
        let account = found.ok_or(KeyError::NoAccount)?;
        self.permit_credentials(principal, &account)?;
        let accounts = &self.inner.accounts;
        accounts
            .revoke_key(account.id, key, &principal.actor)
            .await?;
        Ok(())
    }

    /// Gives a role. Nobody gives away a right that they do not have there.
    pub async fn grant(
        &self,
        principal: &Principal,
        account: i64,
        place: Where<'_>,
        role: Role,
    ) -> Result<Account, GrantRoleError> {
        let namespace = Self::permit_role(principal, place, role)?;
        let accounts = &self.inner.accounts;
        let actor = &principal.actor;
        Ok(accounts
            .grant(account, namespace, role.name(), actor)
            .await?)
    }

    /// Takes a role.
    pub async fn withdraw(
        &self,
        principal: &Principal,
        account: i64,
        place: Where<'_>,
        role: Role,
    ) -> Result<Account, GrantRoleError> {
        let namespace = Self::permit_role(principal, place, role)?;
        let accounts = &self.inner.accounts;
        let actor = &principal.actor;
        Ok(accounts
            .withdraw(account, namespace, role.name(), actor)
            .await?)
    }

    fn permit_role<'a>(
        principal: &Principal,
        place: Where<'a>,
        role: Role,
    ) -> Result<Option<&'a Namespace>, GrantRoleError> {
        let (target, namespace, right) = match place {
            Where::In(namespace) => (
                Target::Namespace(namespace),
                Some(namespace),
                Right::ManageNamespace,
            ),
            Where::Everywhere => (Target::Installation, None, Right::ManageAccounts),
        };
        decide(principal, right, target, false)?;
        if namespace.is_some() && role == Role::Admin {
            return Err(GrantRoleError::OnlyEverywhere(role));
        }
        for right in role.rights() {
            decide(principal, *right, target, false)?;
        }
        Ok(namespace)
    }

    /// Forgets what ended long ago and signs with a new key once a month. To be called
    /// now and then, such as daily.
    pub async fn tidy_up(&self) -> Result<(), StoreError> {
        let now = self.inner.database.now();
        self.inner.accounts.sweep_sessions(now).await?;
        let month = 30 * 24 * 3600 * 1000;
        let newest = self.ring().await?.made().next();
        if newest.is_none_or(|made| made.plus(month) <= now) {
            self.renew_token_key(&Actor::system("token-keys")).await?;
        }
        Ok(())
    }
}

/// Whether a key is good for no more and no longer than what it is made with.
fn permit_key(
    principal: &Principal,
    account: &Account,
    request: &KeyRequest,
) -> Result<(), MakeKeyError> {
    let shown = &principal.shown;
    let is_from_session = shown.key.is_none() && shown.workload.is_none();
    if principal.account == Some(account.id)
        && !is_from_session
        && let Some(until) = shown.until
        && request.expires_at.is_none_or(|expires| expires > until)
    {
        return Err(MakeKeyError::Unfit(
            "a key cannot expire later than the one it is made with",
        ));
    }
    if principal.narrowed.is_some() {
        return Err(MakeKeyError::Unfit("a narrowed key cannot make another"));
    }
    Ok(())
}

fn seconds(flood: Flood) -> u64 {
    flood.0.max(1).unsigned_abs().div_ceil(1000)
}

/// Why nobody should choose `password`, if so.
fn unfit(password: &str, old: &str, name: &str) -> Option<&'static str> {
    if password.chars().count() < SHORTEST {
        return Some("needs at least 12 characters");
    }
    if password.len() > LONGEST {
        return Some("has more than 1024 bytes");
    }
    if password == old {
        return Some("is the old one");
    }
    let (lower, first) = (password.to_lowercase(), password.chars().next());
    if lower.contains("seaworthy") || lower.replace(name, "").chars().count() < SHORTEST / 2 {
        return Some("is easy to guess");
    }
    if password.chars().all(|char| Some(char) == first) {
        return Some("is one character over and over");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_that_are_easy_to_guess_are_not_taken() {
        for (password, fits) in [
            ("correct horse battery", true),
            ("twelve chars", true),
            ("eleven char", false),
            ("aaaaaaaaaaaaaaaa", false),
            ("adaadaadaada1", false),
            ("seaworthy-12345", false),
            ("the old password", false),
        ] {
            let why = unfit(password, "the old password", "ada");
            assert_eq!(why.is_none(), fits, "{password}: {why:?}");
        }
        assert!(unfit(&"x1".repeat(513), "", "ada").is_some());
    }
}
