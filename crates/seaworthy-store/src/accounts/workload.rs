//! Which tokens of other issuers act as which robot.

use serde_json::json;

use super::{AccountKind, Accounts, account_by_id};
use crate::audit::{Actor, note};
use crate::sql::{Row, args};
use crate::trouble::StoreError;

/// The most workload identities of one robot.
const MOST_IDENTITIES: i64 = 100;

/// A workload identity to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewWorkloadIdentity {
    /// The issuer's address, as its tokens spell it.
    pub issuer: Box<str>,
    /// For whom the tokens must be made.
    pub audience: Box<str>,
    /// Patterns of claims that must be there, as a JSON object of texts.
    pub claims: Box<str>,
}

/// A workload identity as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadIdentity {
    /// Its number.
    pub id: i64,
    /// The robot that such tokens act as.
    pub account: i64,
    /// The issuer's address, as its tokens spell it.
    pub issuer: Box<str>,
    /// For whom the tokens must be made.
    pub audience: Box<str>,
    /// Patterns of claims that must be there, as a JSON object of texts.
    pub claims: Box<str>,
}

/// Why a workload identity was not written down or removed.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadIdentityError {
    /// There is no robot of that number.
    #[error("there is no such robot")]
    NoRobot,
    /// The workload identity is not there.
    #[error("there is no such workload identity")]
    Absent,
    /// Too many.
    #[error("a robot has at most {MOST_IDENTITIES} workload identities")]
    TooMany,
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Accounts {
    /// Lets tokens of an issuer act as a robot.
    pub async fn add_workload_identity(
        &self,
        robot: i64,
        new: &NewWorkloadIdentity,
        actor: &Actor,
    ) -> Result<WorkloadIdentity, WorkloadIdentityError> {
        let mut transaction = self.begin().await?;
        let owner = account_by_id(&mut transaction, robot)
            .await?
            .filter(|account| account.kind == AccountKind::Robot)
            .ok_or(WorkloadIdentityError::NoRobot)?;
        let count = transaction
            .one(
                "SELECT COUNT(*) FROM workload_identity WHERE account_id = $1",
                args![robot],
            )
            .await?;
        if count.int(0)? >= MOST_IDENTITIES {
            return Err(WorkloadIdentityError::TooMany);
        }
        let row = transaction
            .one(
                "INSERT INTO workload_identity (account_id, issuer, audience, claims)
                 VALUES ($1, $2, $3, $4) RETURNING id, account_id, issuer, audience, claims",
                args![robot, &*new.issuer, &*new.audience, &*new.claims],
            )
            .await?;
        let identity = identity_in(&row)?;
        let detail = json!({
            "issuer": &*new.issuer, "audience": &*new.audience, "claims": &*new.claims,
        });
        note(
            &mut transaction,
            actor,
            "workload-identity.create",
            &owner.object(),
            &detail,
        )
        .await?;
        self.finish(transaction).await?;
        Ok(identity)
    }

    /// The workload identities of a robot, oldest first.
    pub async fn workload_identities(
        &self,
        robot: i64,
    ) -> Result<Vec<WorkloadIdentity>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT id, account_id, issuer, audience, claims
                 FROM workload_identity WHERE account_id = $1 ORDER BY id",
                args![robot],
            )
            .await?;
        rows.iter().map(identity_in).collect()
    }

    /// A workload identity by its number.
    pub async fn workload_identity(&self, id: i64) -> Result<Option<WorkloadIdentity>, StoreError> {
        let row = self
            .database
            .optional(
                "SELECT id, account_id, issuer, audience, claims
                 FROM workload_identity WHERE id = $1",
                args![id],
            )
            .await?;
        row.as_ref().map(identity_in).transpose()
    }

    /// All workload identities of an issuer, oldest first; at most ten thousand.
    pub async fn workload_identities_of(
        &self,
        issuer: &str,
    ) -> Result<Vec<WorkloadIdentity>, StoreError> {
        let rows = self
            .database
            .rows(
                "SELECT id, account_id, issuer, audience, claims
                 FROM workload_identity WHERE issuer = $1 ORDER BY id LIMIT 10000",
                args![issuer],
            )
            .await?;
        rows.iter().map(identity_in).collect()
    }

    /// Lets tokens no longer act as a robot.
    pub async fn remove_workload_identity(
        &self,
        robot: i64,
        id: i64,
        actor: &Actor,
    ) -> Result<(), WorkloadIdentityError> {
        let mut transaction = self.begin().await?;
        let owner = account_by_id(&mut transaction, robot)
            .await?
            .ok_or(WorkloadIdentityError::NoRobot)?;
        let row = transaction
            .optional(
                "DELETE FROM workload_identity WHERE id = $1 AND account_id = $2
                 RETURNING issuer",
                args![id, robot],
            )
            .await?
            .ok_or(WorkloadIdentityError::Absent)?;
        let detail = json!({ "issuer": row.text(0)? });
        note(
            &mut transaction,
            actor,
            "workload-identity.remove",
            &owner.object(),
            &detail,
        )
        .await?;
        self.finish(transaction).await?;
        Ok(())
    }
}

fn identity_in(row: &Row) -> Result<WorkloadIdentity, StoreError> {
    Ok(WorkloadIdentity {
        id: row.int(0)?,
        account: row.int(1)?,
        issuer: row.text(2)?.into(),
        audience: row.text(3)?.into(),
        claims: row.text(4)?.into(),
    })
}
