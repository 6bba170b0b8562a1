//! Issuers on the network, for the authority.

use seaworthy_access::{FetchError, Fetching, Freshness, IssuerKeys, Secret};
use seaworthy_remote::{IssuerError, Issuers, KeysWanted};

use super::health::chain;

/// What the authority needs of issuers, asked from here.
pub(super) struct Asked(pub(super) Issuers);

fn told(error: &IssuerError) -> FetchError {
    FetchError(chain(error))
}

impl IssuerKeys for Asked {
    fn discovery<'a>(&'a self, issuer: &'a str) -> Fetching<'a> {
        Box::pin(async move {
            let document = self
                .0
                .discovery(issuer)
                .await
                .map_err(|error| told(&error))?;
            Ok((&*document).into())
        })
    }

    fn keys<'a>(&'a self, issuer: &'a str, freshness: Freshness) -> Fetching<'a> {
        Box::pin(async move {
            let wanted = match freshness {
                Freshness::Any => KeysWanted::Any,
                Freshness::Newer => KeysWanted::Newer,
            };
            let document = self
                .0
                .keys(issuer, wanted)
                .await
                .map_err(|error| told(&error))?;
            Ok((&*document).into())
        })
    }

    fn redeem<'a>(&'a self, issuer: &'a str, fields: Vec<(&'static str, Secret)>) -> Fetching<'a> {
        Box::pin(async move {
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| (*name, seaworthy_remote::Secret::new(value.reveal())))
                .collect();
            let answer = self
                .0
                .redeem(issuer, &fields)
                .await
                .map_err(|error| told(&error))?;
            Ok((&*answer).into())
        })
    }
}
