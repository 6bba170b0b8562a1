//! Making, changing and removing accounts.

use serde_json::json;

use super::{
    ADMIN_ROLE, Account, AccountKind, AccountName, Accounts, account_by_id, accounts_in,
    has_other_admin, namespace_id, select_accounts,
};
use crate::audit::{Actor, note};
use crate::clock::Millis;
use crate::name::Namespace;
use crate::page::Page;
use crate::sql::{Transaction, args};
use crate::trouble::StoreError;

/// An account to be made.
#[derive(Clone, PartialEq, Eq)]
pub struct NewAccount {
    /// What it is of.
    pub kind: AccountKind,
    /// How it is called.
    pub name: AccountName,
    /// As people are called.
    pub display_name: Option<Box<str>>,
    /// Where mail reaches them.
    pub email: Option<Box<str>>,
    /// The hash of the password of a user that signs in by one.
    pub password: Option<Box<str>>,
    /// The password must be changed before anything else.
    pub must_change: bool,
    /// The only namespace of a robot that belongs to one; its name begins with it.
    pub namespace: Option<Namespace>,
    /// From when on it can do nothing.
    pub expires_at: Option<Millis>,
}

/// Somebody who signed in elsewhere, as the issuer tells of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newcomer {
    /// The issuer.
    pub issuer: Box<str>,
    /// Who they are there; never given to somebody else.
    pub subject: Box<str>,
    /// How they would like to be called here, at their first sign-in.
    pub name: AccountName,
    /// As people are called.
    pub display_name: Option<Box<str>>,
    /// Where mail reaches them.
    pub email: Option<Box<str>>,
    /// Roles that follow from their groups, in place of those of the last time;
    /// nothing leaves them alone. Unknown namespaces are passed over.
    pub roles: Option<Vec<(Option<Namespace>, Box<str>)>>,
}

/// What is to be changed of an account; nothing leaves a thing as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccountChange {
    /// As people are called.
    pub display_name: Option<Option<Box<str>>>,
    /// Where mail reaches them.
    pub email: Option<Option<Box<str>>>,
    /// Whether it can do anything.
    pub is_disabled: Option<bool>,
    /// From when on it can do nothing.
    pub expires_at: Option<Option<Millis>>,
}

/// A password as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredPassword {
    /// Whose.
    pub account: i64,
    /// Its hash.
    pub hash: Box<str>,
    /// The account's epoch when this was read.
    pub epoch: i64,
}

/// Why an account was not made.
#[derive(Debug, thiserror::Error)]
pub enum CreateAccountError {
    /// Another has the name.
    #[error("there is an account `{0}` already")]
    NameTaken(AccountName),
    /// The name does not fit the kind and the namespace.
    #[error(
        "`{0}` cannot be called so: users and robots of no namespace have names without a slash, \
         robots of a namespace begin with it"
    )]
    Misnamed(AccountName),
    /// The namespace is not there.
    #[error("there is no namespace `{0}`")]
    NoNamespace(Namespace),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeAccountError {
    /// It is not there.
    #[error("there is no such account")]
    Absent,
    /// Somebody changed it meanwhile.
    #[error("the account was changed meanwhile; its revision is {0} now")]
    Stale(i64),
    /// Nobody could give that role again.
    #[error("this is the last account that is admin everywhere")]
    LastAdmin,
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Makes an account without roles.
    pub async fn create(
        &self,
        new: &NewAccount,
        actor: &Actor,
    ) -> Result<Account, CreateAccountError> {
        let mut transaction = self.begin().await?;
        let id = insert(&mut transaction, new).await?;
        let account = read(&mut transaction, id).await?;
        let detail = json!({
            "namespace": new.namespace.as_ref().map(Namespace::as_str),
            "expires_at": new.expires_at.map(|it| it.0),
        });
        note(
            &mut transaction,
            actor,
            "account.create",
            &account.object(),
            &detail,
        )
        .await?;
        self.finish(transaction).await?;
        Ok(account)
    }

    /// Makes `new` the first account, admin everywhere, if there is none at all;
    /// nodes that start together make one.
    pub async fn found(
        &self,
        new: &NewAccount,
        actor: &Actor,
    ) -> Result<Option<Account>, CreateAccountError> {
        let mut transaction = self.begin().await?;
        let found = transaction
            .optional("SELECT id FROM account LIMIT 1", args![])
            .await?;
        if found.is_some() {
            return Ok(None);
        }
        let id = insert(&mut transaction, new).await?;
        transaction
            .execute(
                "INSERT INTO role_grant (account_id, role) VALUES ($1, $2)",
                args![id, ADMIN_ROLE],
            )
            .await?;
        let account = read(&mut transaction, id).await?;
        let detail = json!({ "role": ADMIN_ROLE });
        note(
            &mut transaction,
            actor,
            "account.create",
            &account.object(),
            &detail,
        )
        .await?;
        self.finish(transaction).await?;
        Ok(Some(account))
    }

    /// Whether there is any account.
    pub async fn is_empty(&self) -> Result<bool, StoreError> {
        let found = self
            .database
            .optional("SELECT id FROM account LIMIT 1", args![])
            .await?;
        Ok(found.is_none())
    }

    /// The account of somebody who signed in elsewhere: found by issuer and subject,
    /// never by name or mail, which others could take; made at their first sign-in.
    ///
    /// A role that makes them the last admin stays even if no group tells of it.
    pub async fn meet(&self, newcomer: &Newcomer) -> Result<Account, StoreError> {
        let mut transaction = self.begin().await?;
        let known = transaction
            .optional(
                "SELECT id FROM account WHERE issuer = $1 AND subject = $2",
                args![&*newcomer.issuer, &*newcomer.subject],
            )
            .await?;
        let (id, before) = match known {
            Some(row) => {
                let id = row.int(0)?;
                let before = read(&mut transaction, id).await?;
                (id, Some(before))
            }
            None => (insert_newcomer(&mut transaction, newcomer).await?, None),
        };
        let now = transaction.now();
        transaction
            .execute(
                "UPDATE account SET seen_at = $2, display_name = COALESCE($3, display_name),
                     email = COALESCE($4, email) WHERE id = $1",
                args![
                    id,
                    now,
                    newcomer.display_name.as_deref(),
                    newcomer.email.as_deref()
                ],
            )
            .await?;
        if let Some(roles) = &newcomer.roles {
            super::grant::renew_groups(&mut transaction, id, roles).await?;
        }
        let mut after = read(&mut transaction, id).await?;
        let is_changed = match &before {
            None => true,
            Some(before) => {
                (&before.display_name, &before.email, &before.grants)
                    != (&after.display_name, &after.email, &after.grants)
            }
        };
        if is_changed {
            let action = match before {
                None => "account.create",
                Some(_) => "account.change",
            };
            raise(&mut transaction, id).await?;
            after.revision += 1;
            let detail = json!({ "issuer": &*newcomer.issuer, "roles": words(&after) });
            note(
                &mut transaction,
                &after.actor(),
                action,
                &after.object(),
                &detail,
            )
            .await?;
        }
        self.finish(transaction).await?;
        Ok(after)
    }

    /// Changes an account; with `expected`, only where its revision is that one.
    pub async fn change(
        &self,
        id: i64,
        change: &AccountChange,
        expected: Option<i64>,
        actor: &Actor,
    ) -> Result<Account, ChangeAccountError> {
        let mut transaction = self.begin().await?;
        let before = current(&mut transaction, id, expected).await?;
        let now = transaction.now();
        let mut after = before.clone();
        let mut detail = serde_json::Map::new();
        if let Some(name) = &change.display_name {
            after.display_name.clone_from(name);
            detail.insert("display_name".to_owned(), json!(name));
        }
        if let Some(email) = &change.email {
            after.email.clone_from(email);
            detail.insert("email".to_owned(), json!(email));
        }
        if let Some(is_disabled) = change.is_disabled {
            after.is_disabled = is_disabled;
            detail.insert("is_disabled".to_owned(), json!(is_disabled));
        }
        if let Some(expires_at) = change.expires_at {
            after.expires_at = expires_at;
            detail.insert("expires_at".to_owned(), json!(expires_at.map(|it| it.0)));
        }
        // An end in the future ends it all the same.
        let stays = after.is_admin(now) && after.expires_at == before.expires_at;
        if before.is_admin(now) && !stays && !has_other_admin(&mut transaction, id).await? {
            return Err(ChangeAccountError::LastAdmin);
        }
        // Whoever was disabled does not come back with an old session or token.
        let ends = after.is_disabled && !before.is_disabled;
        if ends {
            close_all(&mut transaction, id, None).await?;
        }
        transaction
            .execute(
                "UPDATE account SET display_name = $2, email = $3, is_disabled = $4,
                     expires_at = $5, revision = revision + 1, epoch = epoch + $6
                 WHERE id = $1",
                args![
                    id,
                    after.display_name.as_deref(),
                    after.email.as_deref(),
                    after.is_disabled,
                    after.expires_at,
                    ends
                ],
            )
            .await?;
        let after = read(&mut transaction, id).await?;
        note(
            &mut transaction,
            actor,
            "account.change",
            &after.object(),
            &detail.into(),
        )
        .await?;
        self.finish(transaction).await?;
        Ok(after)
    }

    /// Sets the password's hash and ends all sessions and tokens but the session with
    /// the hash `keep`.
    pub async fn set_password(
        &self,
        id: i64,
        password: &str,
        must_change: bool,
        keep: Option<&str>,
        actor: &Actor,
    ) -> Result<Account, ChangeAccountError> {
        let mut transaction = self.begin().await?;
        current(&mut transaction, id, None).await?;
        close_all(&mut transaction, id, keep).await?;
        transaction
            .execute(
                "UPDATE account SET password = $2, must_change = $3,
                     revision = revision + 1, epoch = epoch + 1
                 WHERE id = $1",
                args![id, password, must_change],
            )
            .await?;
        let after = read(&mut transaction, id).await?;
        let detail = json!({ "must_change": must_change });
        note(
            &mut transaction,
            actor,
            "account.password",
            &after.object(),
            &detail,
        )
        .await?;
        self.finish(transaction).await?;
        Ok(after)
    }

    /// Removes an account with its keys, sessions and roles; the audit log keeps what
    /// it did.
    pub async fn remove(
        &self,
        id: i64,
        expected: Option<i64>,
        actor: &Actor,
    ) -> Result<(), ChangeAccountError> {
        let mut transaction = self.begin().await?;
        let account = current(&mut transaction, id, expected).await?;
        let now = transaction.now();
        if account.is_admin(now) && !has_other_admin(&mut transaction, id).await? {
            return Err(ChangeAccountError::LastAdmin);
        }
        transaction
            .execute("DELETE FROM account WHERE id = $1", args![id])
            .await?;
        note(
            &mut transaction,
            actor,
            "account.remove",
            &account.object(),
            &json!({}),
        )
        .await?;
        self.finish(transaction).await?;
        Ok(())
    }

    /// An account by its number.
    pub async fn account(&self, id: i64) -> Result<Option<Account>, StoreError> {
        let rows = self
            .database
            .rows(select_accounts!("WHERE a.id = $1"), args![id])
            .await?;
        Ok(accounts_in(&rows)?.pop())
    }

    /// An account by its name.
    pub async fn named(
        &self,
        kind: AccountKind,
        name: &AccountName,
    ) -> Result<Option<Account>, StoreError> {
        let rows = self
            .database
            .rows(
                select_accounts!("WHERE a.kind = $1 AND a.name = $2"),
                args![kind.word(), name.as_str()],
            )
            .await?;
        Ok(accounts_in(&rows)?.pop())
    }

    /// Accounts by number after `after`: of one kind, and with `namespace` only the
    /// robots that belong to it.
    pub async fn list(
        &self,
        kind: Option<AccountKind>,
        namespace: Option<&Namespace>,
        after: i64,
        limit: usize,
    ) -> Result<Page<Account>, StoreError> {
        let most = i64::try_from(limit.min(1000)).unwrap_or(1000);
        let rows = self
            .database
            .rows(
                select_accounts!(
                    "WHERE a.id IN (
                         SELECT b.id FROM account b LEFT JOIN namespace m ON m.id = b.namespace_id
                         WHERE b.id > $1 AND ($2 IS NULL OR b.kind = $2)
                           AND ($3 IS NULL OR m.name = $3)
                         ORDER BY b.id LIMIT $4)"
                ),
                args![
                    after,
                    kind.map(AccountKind::word),
                    namespace.map(Namespace::as_str),
                    most + 1
                ],
            )
            .await?;
        let mut items = accounts_in(&rows)?;
        let most = limit.min(1000);
        let more = items.len() > most;
        items.truncate(most);
        Ok(Page { items, more })
    }

    /// The stored password of a user, if they have one.
    pub async fn password(&self, name: &AccountName) -> Result<Option<StoredPassword>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT id, password, epoch FROM account
                 WHERE kind = 'user' AND name = $1 AND password IS NOT NULL",
                args![name.as_str()],
            )
            .await?;
        let Some(row) = row else {
            return Ok(None);
        };
        Ok(Some(StoredPassword {
            account: row.int(0)?,
            hash: row.text(1)?.into(),
            epoch: row.int(2)?,
        }))
    }
}

/// The account if it is there and, with `expected`, has that revision.
async fn current(
    transaction: &mut Transaction,
    id: i64,
    expected: Option<i64>,
) -> Result<Account, ChangeAccountError> {
    let account = account_by_id(transaction, id)
        .await?
        .ok_or(ChangeAccountError::Absent)?;
    if expected.is_some_and(|expected| expected != account.revision) {
        return Err(ChangeAccountError::Stale(account.revision));
    }
    Ok(account)
}

async fn read(transaction: &mut Transaction, id: i64) -> Result<Account, StoreError> {
    let account = account_by_id(transaction, id).await?;
    account.ok_or_else(|| StoreError::Unreadable(format!("the account {id} is gone")))
}

/// Counts the revision up.
pub(super) async fn raise(transaction: &mut Transaction, id: i64) -> Result<(), StoreError> {
    transaction
        .execute(
            "UPDATE account SET revision = revision + 1 WHERE id = $1",
            args![id],
        )
        .await?;
    Ok(())
}

async fn close_all(
    transaction: &mut Transaction,
    id: i64,
    keep: Option<&str>,
) -> Result<(), StoreError> {
    transaction
        .execute(
            "DELETE FROM session WHERE account_id = $1 AND hash <> $2",
            args![id, keep.unwrap_or_default()],
        )
        .await?;
    Ok(())
}

async fn insert(
    transaction: &mut Transaction,
    new: &NewAccount,
) -> Result<i64, CreateAccountError> {
    let stands_in = new.name.as_str().split_once('/').map(|(it, _)| it);
    let may_stand_in = match new.kind {
        AccountKind::User => None,
        AccountKind::Robot => new.namespace.as_ref().map(Namespace::as_str),
    };
    if stands_in != may_stand_in || (new.kind == AccountKind::User && new.namespace.is_some()) {
        return Err(CreateAccountError::Misnamed(new.name.clone()));
    }
    let namespace = match &new.namespace {
        Some(namespace) => Some(
            namespace_id(transaction, namespace)
                .await?
                .ok_or_else(|| CreateAccountError::NoNamespace(namespace.clone()))?,
        ),
        None => None,
    };
    let now = transaction.now();
    let row = transaction
        .optional(
            "INSERT INTO account (kind, name, display_name, email, password, must_change,
                 namespace_id, expires_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             ON CONFLICT (kind, name) DO NOTHING RETURNING id",
            args![
                new.kind.word(),
                new.name.as_str(),
                new.display_name.as_deref(),
                new.email.as_deref(),
                new.password.as_deref(),
                new.must_change,
                namespace,
                new.expires_at,
                now
            ],
        )
        .await?;
    match row {
        Some(row) => Ok(row.int(0)?),
        None => Err(CreateAccountError::NameTaken(new.name.clone())),
    }
}

/// An account for somebody who signed in elsewhere. Whoever has the name already
/// keeps it: the newcomer gets a number behind theirs.
async fn insert_newcomer(
    transaction: &mut Transaction,
    newcomer: &Newcomer,
) -> Result<i64, StoreError> {
    let now = transaction.now();
    let wanted: String = newcomer.name.as_str().replace('/', "-");
    for number in 1..1000_u32 {
        let name = match number {
            1 => wanted.clone(),
            number => {
                let short: String = wanted.chars().take(56).collect();
                format!("{short}-{number}")
            }
        };
        let row = transaction
            .optional(
                "INSERT INTO account (kind, name, issuer, subject, created_at)
                 VALUES ('user', $1, $2, $3, $4)
                 ON CONFLICT (kind, name) DO NOTHING RETURNING id",
                args![name, &*newcomer.issuer, &*newcomer.subject, now],
            )
            .await?;
        if let Some(row) = row {
            return row.int(0);
        }
    }
    Err(StoreError::Unreadable(format!(
        "a thousand accounts are called like `{wanted}`"
    )))
}

/// Roles as the audit log tells them.
fn words(account: &Account) -> Vec<String> {
    let word = |grant: &super::Grant| match &grant.namespace {
        Some(namespace) => format!("{} in {}", grant.role, namespace.as_str()),
        None => grant.role.to_string(),
    };
    account.grants.iter().map(word).collect()
}
