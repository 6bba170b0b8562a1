//! Tokens that this installation signs: who, what for, until when.
//!
//! A token is a JWT signed with HMAC-SHA-256 and a key that the nodes of the
//! installation share. Its header names the key and nothing else: one that brings a
//! key, an address of one, or another algorithm is refused before anything is
//! computed. What its account may is read again whenever it is shown; the token can
//! only narrow that.

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use seaworthy_store::{InstallationSecret, Millis};
use serde::{Deserialize, Serialize};

use crate::scope::Item;
use crate::secret::random_word;

/// Longer tokens are not looked at.
const LONGEST: usize = 32 * 1024;
/// Who signs.
const ISSUER: &str = "seaworthy";
/// A key this old signs; a younger one only where there is none. Other nodes know it
/// by then.
const SETTLED: i64 = 5_000;
/// How far the clocks of nodes may be apart, in seconds.
const APART: i64 = 30;

/// What a token says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claims {
    /// Who signed.
    pub(crate) iss: String,
    /// The installation it is for.
    pub(crate) aud: String,
    /// The account's number; absent for anonymous.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) sub: Option<i64>,
    /// In seconds since 1970, like the other two.
    pub(crate) iat: i64,
    pub(crate) nbf: i64,
    pub(crate) exp: i64,
    /// No two tokens are the same.
    pub(crate) jti: String,
    /// The account's epoch.
    pub(crate) epoch: i64,
    /// The key that was shown for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) key: Option<String>,
    /// The hash of the session that was shown for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) session: Option<String>,
    /// The workload identity that was shown for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) workload: Option<i64>,
    /// What it is good for; absent for all that the account may.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) access: Option<Vec<Item>>,
}

/// What must be known again when somebody comes back who signs in elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Journey {
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: String,
}

/// What the cookie of a journey says.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct JourneyClaims {
    iss: String,
    aud: String,
    nbf: i64,
    exp: i64,
    journey: Journey,
}

/// What a token is made of, beside who signs and when.
#[derive(Clone, Debug, Default)]
pub(crate) struct Content {
    pub(crate) account: Option<i64>,
    pub(crate) epoch: i64,
    pub(crate) key: Option<String>,
    pub(crate) session: Option<String>,
    pub(crate) workload: Option<i64>,
    pub(crate) access: Option<Vec<Item>>,
}

/// The only header there is. Unknown fields are refused: `jwk`, `jku`, `x5u`, `x5c`,
/// `crit`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PlainHeader {
    typ: String,
    alg: String,
    kid: String,
}

/// The keys of the installation, newest first.
#[derive(Clone)]
pub(crate) struct KeyRing {
    installation: String,
    keys: Vec<InstallationSecret>,
}

impl KeyRing {
    pub(crate) fn new(installation: String, keys: Vec<InstallationSecret>) -> Self {
        Self { installation, keys }
    }

    /// Signs a token that is good from `now` on until `until`.
    pub(crate) fn sign(&self, content: Content, now: Millis, until: Millis) -> Option<String> {
        let seconds = now.0.div_euclid(1000);
        let claims = Claims {
            iss: ISSUER.to_owned(),
            aud: self.installation.clone(),
            sub: content.account,
            iat: seconds,
            nbf: seconds,
            exp: until.0.div_euclid(1000),
            jti: random_word::<10>(),
            epoch: content.epoch,
            key: content.key,
            session: content.session,
            workload: content.workload,
            access: content.access,
        };
        self.signed(&claims, now)
    }

    /// Signs the cookie of a journey that ends `until`.
    pub(crate) fn sign_journey(
        &self,
        journey: Journey,
        now: Millis,
        until: Millis,
    ) -> Option<String> {
        let claims = JourneyClaims {
            iss: ISSUER.to_owned(),
            aud: self.journeys(),
            nbf: now.0.div_euclid(1000),
            exp: until.0.div_euclid(1000),
            journey,
        };
        self.signed(&claims, now)
    }

    /// The journey of a cookie, if we signed it and it goes on.
    pub(crate) fn verify_journey(&self, cookie: &str, now: Millis) -> Option<Journey> {
        let claims: JourneyClaims = self.opened(cookie, &self.journeys())?;
        is_now(claims.nbf, claims.exp, now).then_some(claims.journey)
    }

    /// No token is a journey and no journey a token.
    fn journeys(&self) -> String {
        format!("{}/sign-in", self.installation)
    }

    fn signed<T: Serialize>(&self, claims: &T, now: Millis) -> Option<String> {
        let settled = |key: &&InstallationSecret| key.created_at.plus(SETTLED) <= now;
        let key = self.keys.iter().find(settled).or(self.keys.last())?;
        let mut header = Header::new(Algorithm::HS256);
        header.kid = Some(key.name.to_string());
        let key = EncodingKey::from_secret(&key.content);
        jsonwebtoken::encode(&header, claims, &key).ok()
    }

    /// What a token says, if we signed it and it is good now.
    pub(crate) fn verify(&self, token: &str, now: Millis) -> Option<Claims> {
        let claims: Claims = self.opened(token, &self.installation)?;
        is_now(claims.nbf, claims.exp, now).then_some(claims)
    }

    /// The claims of what we signed for `audience`.
    fn opened<T: for<'de> Deserialize<'de>>(&self, token: &str, audience: &str) -> Option<T> {
        let header = plain_header(token)?;
        let key = self.keys.iter().find(|key| *key.name == *header.kid)?;
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "nbf"]);
        // The clock is ours: whoever asks looks at them.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        let key = DecodingKey::from_secret(&key.content);
        let opened = jsonwebtoken::decode::<T>(token, &key, &validation);
        Some(opened.ok()?.claims)
    }

    /// When each of the keys was made, newest first.
    pub(crate) fn made(&self) -> impl Iterator<Item = Millis> {
        self.keys.iter().map(|key| key.created_at)
    }
}

fn is_now(nbf: i64, exp: i64, now: Millis) -> bool {
    let seconds = now.0.div_euclid(1000);
    nbf <= seconds.saturating_add(APART) && seconds < exp
}

/// Whether a text is a token of ours by its looks; nothing is proved by that.
pub(crate) fn looks_like_token(text: &str) -> bool {
    text.starts_with("eyJ") && plain_header(text).is_some()
}

fn plain_header(token: &str) -> Option<PlainHeader> {
    if token.len() > LONGEST || token.bytes().filter(|byte| *byte == b'.').count() != 2 {
        return None;
    }
    let (header, _) = token.split_once('.')?;
    let header = BASE64URL_NOPAD.decode(header.as_bytes()).ok()?;
    let header: PlainHeader = serde_json::from_slice(&header).ok()?;
    let is_ours = header.typ == "JWT" && header.alg == "HS256";
    is_ours.then_some(header)
}
