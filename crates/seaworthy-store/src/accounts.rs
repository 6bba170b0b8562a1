//! People and robots: their accounts, credentials and roles, and the keys of this
//! installation.
//!
//! What shows who somebody is comes here as a hash and is kept as one. Roles are
//! words here: what they allow is another room's opinion, with one exception. The
//! last account that has [`ADMIN_ROLE`] everywhere and can be used cannot be
//! removed, disabled or demoted, because nobody could ever give that role again.

mod account;
mod grant;
mod key;
mod secret;
mod session;
mod workload;

use std::fmt;
use std::str::FromStr;

use crate::audit::Actor;
use crate::clock::Millis;
use crate::name::Namespace;
use crate::sql::{Database, LOCK_ACCOUNTS, Row, Transaction, args};
use crate::trouble::StoreError;

pub use account::{
    AccountChange, ChangeAccountError, CreateAccountError, NewAccount, Newcomer, StoredPassword,
};
pub use grant::GrantError;
pub use key::{ApiKey, KeyError, NewKey};
pub use secret::InstallationSecret;
pub use session::{Session, SessionError};
pub use workload::{NewWorkloadIdentity, WorkloadIdentity, WorkloadIdentityError};

/// The role whose last holder stays.
pub const ADMIN_ROLE: &str = "admin";

/// Who may be somebody here.
#[derive(Clone, Debug)]
pub struct Accounts {
    database: Database,
}

/// What an account is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AccountKind {
    /// A person.
    User,
    /// A program.
    Robot,
}

/// The name of an account: of a user one word of lowercase letters, digits, `.`, `_`
/// and `-`, up to 64; of a robot that belongs to a namespace, the namespace, a slash
/// and such a word.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountName(Box<str>);

/// A text is not the name of an account.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an account name: up to 64 lowercase letters, digits, `.`, `_` and `-`, \
     beginning with a letter or digit"
)]
pub struct AccountNameError(Box<str>);

/// An account, without anything secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Never given again.
    pub id: i64,
    /// What it is of.
    pub kind: AccountKind,
    /// Unique among its kind.
    pub name: AccountName,
    /// As people are called.
    pub display_name: Option<Box<str>>,
    /// Where mail reaches them.
    pub email: Option<Box<str>>,
    /// Whether it can sign in by password.
    pub has_password: bool,
    /// The password must be changed before anything else.
    pub must_change: bool,
    /// It can do nothing.
    pub is_disabled: bool,
    /// Issuer and subject of one who signs in elsewhere.
    pub elsewhere: Option<(Box<str>, Box<str>)>,
    /// The only namespace of a robot that belongs to one.
    pub namespace: Option<Namespace>,
    /// From when on it can do nothing.
    pub expires_at: Option<Millis>,
    /// When it was made.
    pub created_at: Millis,
    /// When it last signed in.
    pub seen_at: Option<Millis>,
    /// Counts up with every change, for `ETag`s.
    pub revision: i64,
    /// Counts up when everything shown before is good for nothing any more.
    pub epoch: i64,
    /// Its roles, oldest first.
    pub grants: Vec<Grant>,
}

/// A role of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Where; nothing for everywhere.
    pub namespace: Option<Namespace>,
    /// The role's word.
    pub role: Box<str>,
    /// Where it comes from.
    pub origin: GrantOrigin,
}

/// Where a role comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum GrantOrigin {
    /// Somebody gave it.
    Given,
    /// The issuer where the account signs in told of a group; renewed at each
    /// sign-in.
    Group,
}

impl AccountKind {
    /// As stored and as documents spell it.
    pub fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Robot => "robot",
        }
    }
}

impl FromStr for AccountKind {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        match text {
            "user" => Ok(Self::User),
            "robot" => Ok(Self::Robot),
            other => Err(AccountNameError(other.chars().take(100).collect())),
        }
    }
}

impl AccountName {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for AccountName {
    type Err = AccountNameError;

    fn from_str(text: &str) -> Result<Self, AccountNameError> {
        let refused = || AccountNameError(text.chars().take(100).collect());
        let word = match text.split_once('/') {
            Some((namespace, word)) => {
                let _: Namespace = namespace.parse().map_err(|_| refused())?;
                word
            }
            None => text,
        };
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let begins = word.bytes().next().is_some_and(is_plain);
        let goes_on = word
            .bytes()
            .all(|byte| is_plain(byte) || matches!(byte, b'.' | b'_' | b'-'));
        if begins && goes_on && word.len() <= 64 {
            Ok(Self(text.into()))
        } else {
            Err(refused())
        }
    }
}

impl Account {
    /// As the audit log names whoever acts with it.
    pub fn actor(&self) -> Actor {
        Actor::new(self.object())
    }

    /// Whether it can do anything at all.
    pub fn is_usable(&self, now: Millis) -> bool {
        !self.is_disabled && self.expires_at.is_none_or(|expires| now < expires)
    }

    /// As the audit log names it.
    pub(crate) fn object(&self) -> String {
        format!("{}:{}", self.kind.word(), self.name)
    }

    fn is_admin(&self, now: Millis) -> bool {
        let is_everything = |grant: &Grant| grant.namespace.is_none() && &*grant.role == ADMIN_ROLE;
        self.kind == AccountKind::User
            && self.is_usable(now)
            && self.grants.iter().any(is_everything)
    }
}

impl Accounts {
    /// The accounts in `database`.
    pub fn of(database: &Database) -> Self {
        Self {
            database: database.clone(),
        }
    }

    /// Begins a change of accounts. They are made one at a time, so that two admins
    /// who remove each other do not both succeed.
    async fn begin(&self) -> Result<Transaction, StoreError> {
        let mut transaction = self.database.begin().await?;
        transaction.lock(LOCK_ACCOUNTS).await?;
        Ok(transaction)
    }

    /// Makes a change last, and lets this process forget what it remembers of
    /// accounts.
    async fn finish(&self, transaction: Transaction) -> Result<(), StoreError> {
        transaction.commit().await?;
        self.database.note_access_change();
        Ok(())
    }
}

/// The columns that [`accounts_in`] reads, with one row for each role.
macro_rules! select_accounts {
    ($where:literal) => {
        concat!(
            "SELECT a.id, a.kind, a.name, a.display_name, a.email,
                    CAST(CASE WHEN a.password IS NULL THEN 0 ELSE 1 END AS BIGINT),
                    a.must_change, a.is_disabled, a.issuer, a.subject, n.name,
                    a.expires_at, a.created_at, a.seen_at, a.revision, a.epoch,
                    g.role, gn.name, g.origin
             FROM account a
             LEFT JOIN namespace n ON n.id = a.namespace_id
             LEFT JOIN role_grant g ON g.account_id = a.id
             LEFT JOIN namespace gn ON gn.id = g.namespace_id ",
            $where,
            " ORDER BY a.id, g.id"
        )
    };
}
use select_accounts;

/// Accounts from rows with one role each, ordered by account.
fn accounts_in(rows: &[Row]) -> Result<Vec<Account>, StoreError> {
    let mut accounts: Vec<Account> = Vec::new();
    for row in rows {
        let id = row.int(0)?;
        if accounts.last().is_none_or(|last| last.id != id) {
            accounts.push(account_in(row, id)?);
        }
        let (Some(role), Some(account)) = (row.optional_text(16)?, accounts.last_mut()) else {
            continue;
        };
        account.grants.push(Grant {
            namespace: optional_namespace(row, 17)?,
            role: role.into(),
            origin: match row.text(18)?.as_str() {
                "group" => GrantOrigin::Group,
                _ => GrantOrigin::Given,
            },
        });
    }
    Ok(accounts)
}

fn account_in(row: &Row, id: i64) -> Result<Account, StoreError> {
    let elsewhere = match (row.optional_text(8)?, row.optional_text(9)?) {
        (Some(issuer), Some(subject)) => Some((issuer.into(), subject.into())),
        _ => None,
    };
    Ok(Account {
        id,
        kind: row.parsed(1)?,
        name: row.parsed(2)?,
        display_name: row.optional_text(3)?.map(Into::into),
        email: row.optional_text(4)?.map(Into::into),
        has_password: row.truth(5)?,
        must_change: row.truth(6)?,
        is_disabled: row.truth(7)?,
        elsewhere,
        namespace: optional_namespace(row, 10)?,
        expires_at: row.optional_millis(11)?,
        created_at: row.millis(12)?,
        seen_at: row.optional_millis(13)?,
        revision: row.int(14)?,
        epoch: row.int(15)?,
        grants: Vec::new(),
    })
}

fn optional_namespace(row: &Row, place: usize) -> Result<Option<Namespace>, StoreError> {
    match row.optional_text(place)? {
        Some(_) => row.parsed(place).map(Some),
        None => Ok(None),
    }
}

/// An account as a transaction sees it.
async fn account_by_id(
    transaction: &mut Transaction,
    id: i64,
) -> Result<Option<Account>, StoreError> {
    let rows = transaction
        .rows(select_accounts!("WHERE a.id = $1"), args![id])
        .await?;
    Ok(accounts_in(&rows)?.pop())
}

/// The number of a namespace.
async fn namespace_id(
    transaction: &mut Transaction,
    namespace: &Namespace,
) -> Result<Option<i64>, StoreError> {
    let row = transaction
        .optional(
            "SELECT id FROM namespace WHERE name = $1",
            args![namespace.as_str()],
        )
        .await?;
    row.map(|row| row.int(0)).transpose()
}

/// Whether somebody else than `account` is an admin who can be used.
async fn has_other_admin(transaction: &mut Transaction, account: i64) -> Result<bool, StoreError> {
    let now = transaction.now();
    let row = transaction
        .optional(
            "SELECT a.id FROM account a JOIN role_grant g ON g.account_id = a.id
             WHERE a.kind = 'user' AND a.is_disabled = 0
               AND (a.expires_at IS NULL OR a.expires_at > $1)
               AND g.role = 'admin' AND g.namespace_id IS NULL AND a.id <> $2
             LIMIT 1",
            args![now, account],
        )
        .await?;
    Ok(row.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_accounts_are_words_and_robots_may_stand_in_a_namespace() {
        for name in ["ada", "a", "0", "ada.lovelace", "ada_l-1", "team/ci"] {
            assert!(name.parse::<AccountName>().is_ok(), "{name}");
        }
        let long = "a".repeat(65);
        for name in [
            "", "Ada", "-ada", ".", "a b", "a:b", "team/", "/ci", "a/b/c", "ä", "a\0", &long,
        ] {
            assert!(name.parse::<AccountName>().is_err(), "{name}");
        }
    }
}
