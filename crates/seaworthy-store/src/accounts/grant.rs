//! Giving roles and taking them.

use serde_json::json;

use super::account::raise;
use super::{ADMIN_ROLE, Account, Accounts, account_by_id, accounts_in, has_other_admin};
use super::{namespace_id, select_accounts};
use crate::audit::{Actor, note};
use crate::name::Namespace;
use crate::page::Page;
use crate::sql::{Transaction, args};
use crate::trouble::StoreError;

/// The most roles of one account.
const MOST_ROLES: usize = 1000;

/// Why a role was not given or taken.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// The account is not there.
    #[error("there is no such account")]
    NoAccount,
    /// The namespace is not there.
    #[error("there is no namespace `{0}`")]
    NoNamespace(Namespace),
    /// A robot of a namespace has roles in that only.
    #[error("the robot belongs to the namespace `{0}` and can have roles in that only")]
    Foreign(Namespace),
    /// Too many roles.
    #[error("an account has at most {MOST_ROLES} roles")]
    TooMany,
    /// Nobody could give that role again.
    #[error("this is the last account that is admin everywhere")]
    LastAdmin,
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Gives a role. One that is there already stays, and nothing is noted.
    pub async fn grant(
        &self,
        id: i64,
        namespace: Option<&Namespace>,
        role: &str,
        actor: &Actor,
    ) -> Result<Account, GrantError> {
        let mut transaction = self.begin().await?;
        let account = account_by_id(&mut transaction, id)
            .await?
            .ok_or(GrantError::NoAccount)?;
        if let Some(own) = &account.namespace
            && Some(own) != namespace
        {
            return Err(GrantError::Foreign(own.clone()));
        }
        let place = place(&mut transaction, namespace).await?;
        let there = transaction
            .optional(
                "SELECT id FROM role_grant WHERE account_id = $1 AND role = $3
                   AND origin = 'given' AND namespace_id IS NOT DISTINCT FROM $2",
                args![id, place, role],
            )
            .await?;
        if there.is_some() {
            return Ok(account);
        }
        if account.grants.len() >= MOST_ROLES {
            return Err(GrantError::TooMany);
        }
        transaction
            .execute(
                "INSERT INTO role_grant (account_id, namespace_id, role, origin)
                 VALUES ($1, $2, $3, 'given')",
                args![id, place, role],
            )
            .await?;
        self.end(transaction, id, namespace, role, "role.grant", actor)
            .await
    }

    /// Takes a role. One that is not there is no error, and nothing is noted. A role
    /// that an issuer tells of comes back with the next sign-in.
    pub async fn withdraw(
        &self,
        id: i64,
        namespace: Option<&Namespace>,
        role: &str,
        actor: &Actor,
    ) -> Result<Account, GrantError> {
        let mut transaction = self.begin().await?;
        let account = account_by_id(&mut transaction, id)
            .await?
            .ok_or(GrantError::NoAccount)?;
        let place = place(&mut transaction, namespace).await?;
        let is_top = namespace.is_none() && role == ADMIN_ROLE;
        if is_top
            && account.is_admin(transaction.now())
            && !has_other_admin(&mut transaction, id).await?
        {
            return Err(GrantError::LastAdmin);
        }
        let taken = transaction
            .execute(
                "DELETE FROM role_grant WHERE account_id = $1 AND role = $3
                   AND namespace_id IS NOT DISTINCT FROM $2",
                args![id, place, role],
            )
            .await?;
        if taken == 0 {
            return Ok(account);
        }
        self.end(transaction, id, namespace, role, "role.withdraw", actor)
            .await
    }

    async fn end(
        &self,
        mut transaction: Transaction,
        id: i64,
        namespace: Option<&Namespace>,
        role: &str,
        action: &str,
        actor: &Actor,
    ) -> Result<Account, GrantError> {
        raise(&mut transaction, id).await?;
        let account = account_by_id(&mut transaction, id)
            .await?
            .ok_or(GrantError::NoAccount)?;
        let detail = json!({ "role": role, "namespace": namespace.map(Namespace::as_str) });
        note(&mut transaction, actor, action, &account.object(), &detail).await?;
        self.finish(transaction).await?;
        Ok(account)
    }

    /// Accounts that have a role in `namespace`, by number after `after`, with all
    /// their roles.
    pub async fn members(
        &self,
        namespace: &Namespace,
        after: i64,
        limit: usize,
    ) -> Result<Page<Account>, StoreError> {
        let limit = limit.min(1000);
        let most = i64::try_from(limit).unwrap_or(1000);
        let rows = self
            .database
            .rows(
                select_accounts!(
                    "WHERE a.id IN (
                         SELECT DISTINCT h.account_id FROM role_grant h
                         JOIN namespace m ON m.id = h.namespace_id
                         WHERE m.name = $1 AND h.account_id > $2
                         ORDER BY h.account_id LIMIT $3)"
                ),
                args![namespace.as_str(), after, most + 1],
            )
            .await?;
        let mut items = accounts_in(&rows)?;
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { items, more })
    }

    /// Whether anybody may read what is in `namespace`.
    pub async fn is_public(&self, namespace: &Namespace) -> Result<bool, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT is_public FROM namespace WHERE name = $1",
                args![namespace.as_str()],
            )
            .await?;
        row.map_or(Ok(false), |row| row.truth(0))
    }

    /// Namespaces that anybody may read, by name; at most `limit`.
    pub async fn public_namespaces(&self, limit: usize) -> Result<Vec<Namespace>, StoreError> {
        let most = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = self
            .database
            .rows(
                "SELECT name FROM namespace WHERE is_public = 1 ORDER BY name LIMIT $1",
                args![most],
            )
            .await?;
        rows.iter().map(|row| row.parsed(0)).collect()
    }
}

/// Puts the roles that groups give in place of those they gave before. The one that
/// makes an account the last admin stays.
pub(super) async fn renew_groups(
    transaction: &mut Transaction,
    id: i64,
    roles: &[(Option<Namespace>, Box<str>)],
) -> Result<(), StoreError> {
    let mut wanted: Vec<(Option<i64>, &str)> = Vec::new();
    for (namespace, role) in roles.iter().take(MOST_ROLES) {
        let place = match namespace {
            None => None,
            Some(namespace) => {
                let Some(id) = namespace_id(transaction, namespace).await? else {
                    let namespace = namespace.as_str();
                    tracing::warn!(
                        namespace,
                        "a group gives a role in a namespace that is not there"
                    );
                    continue;
                };
                Some(id)
            }
        };
        if !wanted.contains(&(place, role)) {
            wanted.push((place, role));
        }
    }
    let top = (None, ADMIN_ROLE);
    if !wanted.contains(&top) && !has_other_admin(transaction, id).await? {
        let had = transaction
            .optional(
                "SELECT id FROM role_grant WHERE account_id = $1 AND role = $2
                   AND origin = 'group' AND namespace_id IS NULL",
                args![id, ADMIN_ROLE],
            )
            .await?;
        if had.is_some() {
            tracing::warn!("the last admin stays one, although no group says so any more");
            wanted.push(top);
        }
    }
    let rows = transaction
        .rows(
            "SELECT id, namespace_id, role FROM role_grant
             WHERE account_id = $1 AND origin = 'group' ORDER BY id",
            args![id],
        )
        .await?;
    for row in rows {
        let (place, role) = (row.optional_int(1)?, row.text(2)?);
        match wanted.iter().position(|it| *it == (place, role.as_str())) {
            Some(there) => {
                wanted.remove(there);
            }
            None => {
                transaction
                    .execute("DELETE FROM role_grant WHERE id = $1", args![row.int(0)?])
                    .await?;
            }
        }
    }
    for (place, role) in wanted {
        transaction
            .execute(
                "INSERT INTO role_grant (account_id, namespace_id, role, origin)
                 VALUES ($1, $2, $3, 'group')",
                args![id, place, role],
            )
            .await?;
    }
    Ok(())
}

async fn place(
    transaction: &mut Transaction,
    namespace: Option<&Namespace>,
) -> Result<Option<i64>, GrantError> {
    let Some(namespace) = namespace else {
        return Ok(None);
    };
    match namespace_id(transaction, namespace).await? {
        Some(id) => Ok(Some(id)),
        None => Err(GrantError::NoNamespace(namespace.clone())),
    }
}
