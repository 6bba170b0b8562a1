//! The one place that says who somebody is and what they may do.

mod elsewhere;
mod flow;
mod identify;
mod people;
mod workload;

use std::fmt;
use std::sync::Arc;

use seaworthy_store::{
    Account, AccountName, Accounts, Actor, ApiKey, Database, Millis, Namespace, RepositoryName,
    Session, StoreError, StoredPassword,
};

use crate::password::Passwords;
use crate::policy::{Target, decide};
use crate::principal::{Principal, Refusal, Where};
use crate::recent::Recent;
use crate::right::Right;
use crate::scope::Item;
use crate::secret::{random_bytes, random_word};
use crate::token::{Content, KeyRing};

pub use elsewhere::{SignInError, SignInJourney};
pub use people::{
    ChangePasswordError, FirstAdmin, GrantRoleError, KeyRequest, MakeAccountError, MakeKeyError,
    NewUser, SignedIn,
};
pub use workload::{ExchangeError, Exchanged, TrustError};

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

/// Identifies, issues tokens, and decides. Clones share what was read a moment ago.
#[derive(Clone)]
pub struct Authority {
    inner: Arc<Inner>,
    elsewhere: Option<Arc<elsewhere::Elsewhere>>,
}

struct Inner {
    database: Database,
    accounts: Accounts,
    installation: String,
    passwords: Passwords,
    recent: RecentlyRead,
}

/// What was read from the store a moment ago.
#[derive(Default)]
struct RecentlyRead {
    accounts: Recent<i64, Option<Arc<Account>>>,
    keys: Recent<Box<str>, Option<Arc<ApiKey>>>,
    sessions: Recent<Box<str>, Option<Session>>,
    passwords: Recent<AccountName, Option<StoredPassword>>,
    identities: Recent<i64, Option<i64>>,
    /// Uses of keys and sessions that were written down.
    noted: Recent<Box<str>, ()>,
    public: Recent<Namespace, bool>,
    ring: Recent<(), Arc<KeyRing>>,
}

/// What a token of the registry is for: one repository and what may be done there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The repository.
    pub repository: RepositoryName,
    /// What is wanted there: [`Right::Read`], [`Right::Push`], [`Right::Delete`].
    pub rights: Vec<Right>,
}

/// The names of keys that sign tokens begin so.
const TOKEN_KEYS: &str = "token-key:";
/// The most repositories of one token; what follows is not granted.
const MOST_WANTED: usize = 64;
/// No token lives longer, in seconds.
const LONGEST_LIFE: u64 = 3600;

impl fmt::Debug for Authority {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Authority")
    }
}

impl Authority {
    /// Opens it: makes the keys of this installation where there are none.
    pub async fn open(database: &Database) -> Result<Self, StoreError> {
        let accounts = Accounts::of(database);
        let installation = accounts
            .agree_on_secret("installation", random_word::<20>().as_bytes())
            .await?;
        let installation = String::from_utf8(installation.content.into())
            .map_err(|error| StoreError::Unreadable(error.to_string()))?;
        accounts
            .agree_on_secret(&format!("{TOKEN_KEYS}first"), &random_bytes::<32>())
            .await?;
        Ok(Self {
            inner: Arc::new(Inner {
                database: database.clone(),
                accounts,
                installation,
                passwords: Passwords::new(),
                recent: RecentlyRead::default(),
            }),
            elsewhere: None,
        })
    }

    /// The accounts it reads.
    pub fn accounts(&self) -> &Accounts {
        &self.inner.accounts
    }

    /// Whether `principal` has `right` there. Public namespaces may be read by anybody.
    pub async fn permit(
        &self,
        principal: &Principal,
        right: Right,
        place: Where<'_>,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let target = match place {
            Where::In(namespace) => Target::Namespace(namespace),
            Where::Everywhere => Target::Installation,
        };
        self.decide(principal, right, target).await
    }

    /// The same for one repository, which a narrowed credential may be limited to.
    pub async fn permit_repository(
        &self,
        principal: &Principal,
        right: Right,
        repository: &RepositoryName,
    ) -> Result<Result<(), Refusal>, StoreError> {
        self.decide(principal, right, Target::Repository(repository))
            .await
    }

    /// A token for what of `wanted` the principal may, good for `seconds` (an hour at
    /// most), and no longer than what they showed.
    pub async fn issue(
        &self,
        principal: &Principal,
        wanted: &[Wanted],
        seconds: u64,
    ) -> Result<String, StoreError> {
        let access = self.granted(principal, wanted).await?;
        self.issue_access(principal, access, seconds).await
    }

    /// What of `wanted` the principal may.
    async fn granted(
        &self,
        principal: &Principal,
        wanted: &[Wanted],
    ) -> Result<Vec<Item>, StoreError> {
        let mut access = Vec::new();
        for wanted in wanted.iter().take(MOST_WANTED) {
            let mut rights: Vec<String> = Vec::new();
            for right in &wanted.rights {
                let answer = self
                    .permit_repository(principal, *right, &wanted.repository)
                    .await?;
                if answer.is_ok() {
                    rights.push(right.name().to_owned());
                }
            }
            if rights.iter().any(|right| right == Right::Push.name()) {
                let namespace = wanted.repository.namespace();
                let target = Target::Namespace(&namespace);
                let right = Right::CreateNamespace;
                if decide(principal, right, target, false).is_ok() {
                    rights.push(right.name().to_owned());
                }
            }
            access.push(Item {
                namespace: None,
                repository: Some(wanted.repository.as_str().to_owned()),
                rights,
            });
        }
        Ok(access)
    }

    async fn issue_access(
        &self,
        principal: &Principal,
        access: Vec<Item>,
        seconds: u64,
    ) -> Result<String, StoreError> {
        let content = Content {
            account: principal.account,
            epoch: principal.shown.epoch,
            key: principal.shown.key.as_deref().map(str::to_owned),
            session: principal.shown.session.as_deref().map(str::to_owned),
            workload: principal.shown.workload,
            access: Some(access),
        };
        self.sign(content, seconds, principal.shown.until).await
    }

    async fn sign(
        &self,
        content: Content,
        seconds: u64,
        until: Option<Millis>,
    ) -> Result<String, StoreError> {
        let now = self.inner.database.now();
        let seconds = i64::try_from(seconds.min(LONGEST_LIFE)).unwrap_or(0);
        let end = now.plus(seconds * 1000);
        let end = until.map_or(end, |until| until.min(end));
        let token = self.ring().await?.sign(content, now, end);
        token
            .ok_or_else(|| StoreError::Unreadable("there is no key to sign tokens with".to_owned()))
    }

    /// Signs tokens with a new key from now on (nodes need some seconds to learn it).
    /// Keys whose tokens ended long ago are forgotten.
    pub async fn renew_token_key(&self, actor: &Actor) -> Result<(), StoreError> {
        let now = self.inner.database.now();
        let ring = self.ring().await?;
        // Whatever was followed by a key that signs for longer than tokens live.
        let life = i64::try_from(LONGEST_LIFE).unwrap_or(0) * 1000 + 60_000;
        let followed = ring.made().find(|made| made.plus(life) <= now);
        let before = followed.unwrap_or(Millis(i64::MIN));
        self.replace_token_key(before, actor).await
    }

    /// Makes every token that was ever issued good for nothing: a key may have leaked.
    pub async fn revoke_all_tokens(&self, actor: &Actor) -> Result<(), StoreError> {
        self.replace_token_key(Millis(i64::MAX), actor).await
    }

    async fn replace_token_key(&self, before: Millis, actor: &Actor) -> Result<(), StoreError> {
        let name = format!("{TOKEN_KEYS}{}", random_word::<10>());
        let content = random_bytes::<32>();
        self.inner
            .accounts
            .replace_secret(TOKEN_KEYS, &name, &content, before, actor)
            .await
    }

    async fn ring(&self) -> Result<Arc<KeyRing>, StoreError> {
        let inner = &self.inner;
        let (now, changes) = (inner.database.now(), inner.database.access_changes());
        if let Some(ring) = inner.recent.ring.answer(&(), now, changes) {
            return Ok(ring);
        }
        let keys = inner.accounts.secrets(TOKEN_KEYS).await?;
        let ring = Arc::new(KeyRing::new(inner.installation.clone(), keys));
        inner.recent.ring.remember((), ring.clone(), now, changes);
        Ok(ring)
    }

    async fn decide(
        &self,
        principal: &Principal,
        right: Right,
        target: Target<'_>,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let decision = decide(principal, right, target, false);
        if decision.is_ok() || right != Right::Read {
            return Ok(decision);
        }
        let Some(namespace) = target.namespace() else {
            return Ok(decision);
        };
        let is_public = self.is_public(&namespace).await?;
        Ok(decide(principal, right, target, is_public))
    }

    async fn is_public(&self, namespace: &Namespace) -> Result<bool, StoreError> {
        let inner = &self.inner;
        let (now, changes) = (inner.database.now(), inner.database.access_changes());
        if let Some(is_public) = inner.recent.public.answer(namespace, now, changes) {
            return Ok(is_public);
        }
        let is_public = inner.accounts.is_public(namespace).await?;
        let recent = &inner.recent.public;
        recent.remember(namespace.clone(), is_public, now, changes);
        Ok(is_public)
    }
}
