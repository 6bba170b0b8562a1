//! Tokens of other issuers that stand for robots: a job of a build system shows the
//! one it was given there, and has one of ours for a while.

use std::collections::BTreeSet;

use seaworthy_store::{
    AccountKind, AccountName, NewWorkloadIdentity, StoreError, WorkloadIdentity,
    WorkloadIdentityError,
};

use super::Authority;
use crate::foreign::{FetchError, ForeignError, claimed_issuer, seconds_of, verified};
use crate::oidc::{ClaimPatterns, ClaimPatternsError};
use crate::principal::{Principal, Refusal};
use crate::secret::Secret;
use crate::token::Content;

/// How long a token lives that was had for another, in seconds.
const LIFE: u64 = 3600;
/// The longest audience, in bytes.
const LONGEST_AUDIENCE: usize = 500;

/// A token that was had for another.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// Good at the REST API as bearer, and at the registry as bearer or as the password
    /// of any name.
    pub token: Secret,
    /// For how many seconds it is good.
    pub seconds: u64,
    /// The robot it stands for.
    pub robot: AccountName,
}

/// Why there is no token for another.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// The issuer is not one that is believed.
    #[error("tokens of this issuer are not believed here")]
    UnknownIssuer,
    /// The token cannot be believed.
    #[error(transparent)]
    Foreign(ForeignError),
    /// It stands for no robot.
    #[error("no workload identity fits the token")]
    NoRobot,
    /// It stands for several.
    #[error("several robots fit the token; name one")]
    Several,
    /// The issuer does not answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why tokens do not stand for a robot from now on.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Whoever asks may not.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The settings do not name the issuer.
    #[error("`{0}` is not among the issuers that the settings believe")]
    UnknownIssuer(Box<str>),
    /// No audience, or one too long.
    #[error("an audience has 1 to 500 bytes")]
    Audience,
    /// The patterns are not taken.
    #[error(transparent)]
    Patterns(#[from] ClaimPatternsError),
    /// The store refuses.
    #[error(transparent)]
    Identity(#[from] WorkloadIdentityError),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Authority {
    /// Lets tokens that `issuer` signs for `audience`, with claims that fit, stand for a
    /// robot.
    pub async fn trust_workload(
        &self,
        principal: &Principal,
        robot: i64,
        issuer: &str,
        audience: &str,
        claims: &ClaimPatterns,
    ) -> Result<WorkloadIdentity, TrustError> {
        let found = self.inner.accounts.account(robot).await?;
        let account = found.ok_or(WorkloadIdentityError::NoRobot)?;
        self.permit_account(principal, &account)?;
        self.permit_all_of(principal, &account)?;
        if !self.is_believed(issuer) {
            let issuer: String = issuer.chars().take(200).collect();
            return Err(TrustError::UnknownIssuer(issuer.into()));
        }
        if audience.is_empty() || audience.len() > LONGEST_AUDIENCE {
            return Err(TrustError::Audience);
        }
        let new = NewWorkloadIdentity {
            issuer: issuer.into(),
            audience: audience.into(),
            claims: claims.to_json().into(),
        };
        let accounts = &self.inner.accounts;
        let identity = accounts.add_workload_identity(robot, &new, &principal.actor);
        Ok(identity.await?)
    }

    /// Lets tokens no longer stand for a robot; those had for them end too.
    pub async fn distrust_workload(
        &self,
        principal: &Principal,
        robot: i64,
        identity: i64,
    ) -> Result<(), TrustError> {
        let found = self.inner.accounts.account(robot).await?;
        let account = found.ok_or(WorkloadIdentityError::NoRobot)?;
        self.permit_account(principal, &account)?;
        let accounts = &self.inner.accounts;
        accounts
            .remove_workload_identity(robot, identity, &principal.actor)
            .await?;
        Ok(())
    }

    fn is_believed(&self, issuer: &str) -> bool {
        self.elsewhere.as_ref().is_some_and(|elsewhere| {
            let known = &elsewhere.options.workload_issuers;
            known.iter().any(|known| known == issuer)
        })
    }

    /// A token of ours for one that another issuer signed, standing for the robot whose
    /// workload identity it fits; where it fits several, for `robot`.
    pub async fn exchange(
        &self,
        token: &str,
        robot: Option<&AccountName>,
    ) -> Result<Exchanged, ExchangeError> {
        let issuer = claimed_issuer(token).ok_or(ExchangeError::UnknownIssuer)?;
        let elsewhere = self.elsewhere.as_ref();
        let elsewhere = elsewhere
            .filter(|_| self.is_believed(&issuer))
            .ok_or(ExchangeError::UnknownIssuer)?;
        let identities = self.inner.accounts.workload_identities_of(&issuer).await?;
        let audiences: BTreeSet<&str> = identities.iter().map(|it| &*it.audience).collect();
        let audiences: Vec<&str> = audiences.into_iter().collect();
        let now = self.inner.database.now();
        let source = &*elsewhere.source;
        let claims = verified(token, &issuer, &audiences, source, now)
            .await
            .map_err(|error| match error {
                ForeignError::Fetch(error) => ExchangeError::Fetch(error),
                error => ExchangeError::Foreign(error),
            })?;
        let theirs = crate::foreign::audience(&claims);
        let mut fitting = Vec::new();
        for identity in &identities {
            let fits = ClaimPatterns::parse(&identity.claims).is_ok_and(|it| it.fit(&claims));
            if !fits || !theirs.contains(&&*identity.audience) {
                continue;
            }
            let account = self.inner.accounts.account(identity.account).await?;
            let usable = account
                .filter(|account| account.kind == AccountKind::Robot && account.is_usable(now))
                .filter(|account| robot.is_none_or(|robot| *robot == account.name));
            let is_new = |id| {
                fitting
                    .iter()
                    .all(|(_, known): &(i64, seaworthy_store::Account)| known.id != id)
            };
            if let Some(account) = usable
                && is_new(account.id)
            {
                fitting.push((identity.id, account));
            }
        }
        let Some((identity, account)) = fitting.pop() else {
            return Err(ExchangeError::NoRobot);
        };
        if !fitting.is_empty() {
            return Err(ExchangeError::Several);
        }
        let ends = claims.get("exp").and_then(seconds_of).unwrap_or(0);
        let left = ends.saturating_sub(now.0.div_euclid(1000));
        let seconds = u64::try_from(left).unwrap_or(0).clamp(1, LIFE);
        let content = Content {
            account: Some(account.id),
            epoch: account.epoch,
            workload: Some(identity),
            ..Content::default()
        };
        let token = self.sign(content, seconds, account.expires_at).await?;
        tracing::info!(
            robot = account.name.as_str(),
            issuer,
            "a workload of `{issuer}` acts as the robot `{}`",
            account.name
        );
        Ok(Exchanged {
            token: Secret::new(token),
            seconds,
            robot: account.name,
        })
    }
}
