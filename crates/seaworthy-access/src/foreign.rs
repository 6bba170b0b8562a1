//! Tokens that others signed: OpenID Connect issuers.
//!
//! Which algorithm is taken is ours to say, and the keys come from the issuer's own
//! document: what a token's header brings of either is never used.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use seaworthy_store::Millis;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::secret::Secret;

/// Longer tokens are not looked at.
const LONGEST: usize = 16 * 1024;
/// More keys of one issuer are not looked at.
const MOST_KEYS: usize = 100;
/// So many keys are tried for a token that names none.
const MOST_TRIED: usize = 8;
/// How far the issuer's clock may be from ours, in seconds.
const APART: i64 = 60;

/// What an issuer answers, or why it did not: the reason is for the log.
pub type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Arc<[u8]>, FetchError>> + Send + 'a>>;

/// An issuer's document could not be had.
#[derive(Debug, thiserror::Error)]
#[error("cannot ask the issuer: {0}")]
pub struct FetchError(pub String);

/// How new keys must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Those that were fetched a while ago will do.
    Any,
    /// A key is missing among those: fetch again, unless that was just done.
    Newer,
}

/// What is needed of issuers and lies on the network. Whoever opens the authority
/// brings it; it is asked for issuers of the settings only.
pub trait IssuerKeys: Send + Sync + 'static {
    /// The issuer's discovery document (OpenID Connect Discovery 1.0, section 4), which
    /// names exactly this issuer.
    fn discovery<'a>(&'a self, issuer: &'a str) -> Fetching<'a>;

    /// The issuer's keys: the JSON document its discovery document points to.
    fn keys<'a>(&'a self, issuer: &'a str, freshness: Freshness) -> Fetching<'a>;

    /// What the issuer's token endpoint answers to a form with these fields (OAuth 2.0,
    /// section 4.1.3), shown with the client's secret where there is one.
    fn redeem<'a>(&'a self, issuer: &'a str, fields: Vec<(&'static str, Secret)>) -> Fetching<'a>;
}

/// Why a token of somebody else is not believed.
#[derive(Debug, thiserror::Error)]
pub enum ForeignError {
    /// It is not well formed, or not signed as we ask.
    #[error("the token is not a JWT signed with RS256, ES256 or EdDSA")]
    Form,
    /// No key of the issuer fits the signature.
    #[error("the token is not signed by `{0}`")]
    Signature(Box<str>),
    /// It is for somebody else, from somebody else, or not for now.
    #[error("the token's `{0}` does not fit")]
    Claim(&'static str),
    /// The issuer does not answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
}

/// What of a header is looked at.
#[derive(Deserialize)]
struct ForeignHeader {
    alg: Algorithm,
    kid: Option<String>,
    crit: Option<Value>,
}

/// Who a token says has signed it. Nothing is proved by that.
pub(crate) fn claimed_issuer(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claimed {
        iss: String,
    }
    if token.len() > LONGEST {
        return None;
    }
    let claims = token.split('.').nth(1)?;
    let claims = BASE64URL_NOPAD.decode(claims.as_bytes()).ok()?;
    let claimed: Claimed = serde_json::from_slice(&claims).ok()?;
    Some(claimed.iss)
}

/// The claims of a token that `issuer` signed for one of `audiences`, good at `now`.
pub(crate) async fn verified(
    token: &str,
    issuer: &str,
    audiences: &[&str],
    source: &dyn IssuerKeys,
    now: Millis,
) -> Result<Map<String, Value>, ForeignError> {
    let header = header(token)?;
    let mut freshness = Freshness::Any;
    let claims = loop {
        let document = source.keys(issuer, freshness).await?;
        let keys = fitting(&document, &header);
        match (opened(token, &header, &keys), freshness) {
            (Some(claims), _) => break claims,
            // It may have begun to sign with another key since.
            (None, Freshness::Any) => freshness = Freshness::Newer,
            (None, Freshness::Newer) => {
                return Err(ForeignError::Signature(issuer.into()));
            }
        }
    };
    check(&claims, issuer, audiences, now)?;
    Ok(claims)
}

fn header(token: &str) -> Result<ForeignHeader, ForeignError> {
    let form = || ForeignError::Form;
    if token.len() > LONGEST || token.bytes().filter(|byte| *byte == b'.').count() != 2 {
        return Err(form());
    }
    let (header, _) = token.split_once('.').ok_or_else(form)?;
    let header = BASE64URL_NOPAD
        .decode(header.as_bytes())
        .map_err(|_| form())?;
    let header: ForeignHeader = serde_json::from_slice(&header).map_err(|_| form())?;
    let is_taken = matches!(
        header.alg,
        Algorithm::RS256 | Algorithm::ES256 | Algorithm::EdDSA
    );
    if is_taken && header.crit.is_none() {
        Ok(header)
    } else {
        Err(form())
    }
}

/// The keys of a document that may have signed a token with this header. Keys that
/// cannot be read are passed over: issuers publish kinds that we do not know.
fn fitting(document: &[u8], header: &ForeignHeader) -> Vec<DecodingKey> {
    #[derive(Deserialize)]
    struct Keys {
        keys: Vec<Value>,
    }
    let Ok(keys) = serde_json::from_slice::<Keys>(document) else {
        return Vec::new();
    };
    let known = keys.keys.into_iter().take(MOST_KEYS);
    known
        .filter_map(|key| serde_json::from_value::<Jwk>(key).ok())
        .filter(|key| is_fitting(key, header))
        .filter_map(|key| DecodingKey::from_jwk(&key).ok())
        .take(MOST_TRIED)
        .collect()
}

fn is_fitting(key: &Jwk, header: &ForeignHeader) -> bool {
    let is_kind = matches!(
        (&key.algorithm, header.alg),
        (AlgorithmParameters::RSA(_), Algorithm::RS256)
            | (AlgorithmParameters::EllipticCurve(_), Algorithm::ES256)
            | (AlgorithmParameters::OctetKeyPair(_), Algorithm::EdDSA)
    );
    let is_for_signing = |usage: &PublicKeyUse| matches!(usage, PublicKeyUse::Signature);
    let is_named = header
        .kid
        .as_ref()
        .is_none_or(|kid| key.common.key_id.as_ref() == Some(kid));
    let is_algorithm = key
        .common
        .key_algorithm
        .is_none_or(|algorithm| algorithm.to_string() == format!("{:?}", header.alg));
    is_kind
        && is_named
        && is_algorithm
        && key
            .common
            .public_key_use
            .as_ref()
            .is_none_or(is_for_signing)
}

/// The claims, if one of the keys made the signature.
fn opened(token: &str, header: &ForeignHeader, keys: &[DecodingKey]) -> Option<Map<String, Value>> {
    let mut validation = Validation::new(header.alg);
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    keys.iter().find_map(|key| {
        let opened = jsonwebtoken::decode::<Map<String, Value>>(token, key, &validation);
        opened.ok().map(|token| token.claims)
    })
}

/// Whether the token is from there, for here and for now.
fn check(
    claims: &Map<String, Value>,
    issuer: &str,
    audiences: &[&str],
    now: Millis,
) -> Result<(), ForeignError> {
    let seconds = now.0.div_euclid(1000);
    if claims.get("iss").and_then(Value::as_str) != Some(issuer) {
        return Err(ForeignError::Claim("iss"));
    }
    if !audience(claims).iter().any(|it| audiences.contains(it)) {
        return Err(ForeignError::Claim("aud"));
    }
    let ends = claims.get("exp").and_then(seconds_of);
    if ends.is_none_or(|ends| ends.saturating_add(APART) <= seconds) {
        return Err(ForeignError::Claim("exp"));
    }
    for name in ["nbf", "iat"] {
        let Some(begins) = claims.get(name) else {
            continue;
        };
        if seconds_of(begins).is_none_or(|begins| begins > seconds.saturating_add(APART)) {
            return Err(ForeignError::Claim(name));
        }
    }
    Ok(())
}

/// For whom a token is: one text or several.
pub(crate) fn audience(claims: &Map<String, Value>) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// A moment in seconds since 1970; some issuers write a fraction.
pub(crate) fn seconds_of(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| {
        let number = value.as_f64().filter(|it| (0.0..1e12).contains(it))?;
        format!("{number:.0}").parse().ok()
    })
}
