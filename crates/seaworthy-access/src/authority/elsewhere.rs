//! Signing in elsewhere: the authorization code flow of OpenID Connect, with PKCE.
//!
//! What must be known again when the browser comes back (state, nonce, the secret of
//! PKCE) is in a cookie that we signed, so that any node can go on.

use std::sync::Arc;

use data_encoding::BASE64URL_NOPAD;
use seaworthy_store::{AccountName, Newcomer, StoreError};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{Authority, IdentifyError, SignedIn};
use crate::foreign::{FetchError, ForeignError, IssuerKeys, audience, verified};
use crate::oidc::{OidcOptions, SignInOptions};
use crate::secret::{Secret, is_same, random_bytes};
use crate::token::Journey;

/// How long a sign-in may take elsewhere, in milliseconds.
const LONGEST_JOURNEY: i64 = 10 * 60 * 1000;
/// Longer codes and states are not looked at.
const LONGEST_CODE: usize = 4096;
/// The most characters of what people are called.
const LONGEST_NAME: usize = 200;

/// What is known of issuers.
pub(super) struct Elsewhere {
    pub(super) options: OidcOptions,
    pub(super) source: Arc<dyn IssuerKeys>,
}

/// Somebody who is on their way to sign in elsewhere.
#[derive(Clone, Debug)]
pub struct SignInJourney {
    /// Where to send the browser.
    pub address: String,
    /// For a cookie that comes back with the browser: `HttpOnly`, `SameSite=Lax`, ten
    /// minutes.
    pub cookie: Secret,
}

/// Why nobody signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The settings name no issuer.
    #[error("nobody signs in elsewhere here")]
    NotSet,
    /// The browser does not come back from a journey that we began.
    #[error("this sign-in was not begun here, or too long ago; begin again")]
    Lost,
    /// The issuer refused.
    #[error("the issuer refused the sign-in")]
    Refused,
    /// What the issuer says cannot be believed.
    #[error("what the issuer says cannot be believed")]
    Foreign(#[source] ForeignError),
    /// The account was disabled or has expired here.
    #[error("the account cannot be used")]
    Disabled,
    /// The issuer does not answer.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<ForeignError> for SignInError {
    fn from(error: ForeignError) -> Self {
        match error {
            ForeignError::Fetch(error) => Self::Fetch(error),
            error => Self::Foreign(error),
        }
    }
}

/// What of a discovery document is looked at.
#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    authorization_endpoint: String,
}

/// What of a token endpoint's answer is looked at.
#[derive(Deserialize)]
struct Redeemed {
    id_token: String,
}

impl Authority {
    /// The same authority, believing these issuers.
    #[must_use]
    pub fn believing(self, options: OidcOptions, source: Arc<dyn IssuerKeys>) -> Self {
        Self {
            elsewhere: Some(Arc::new(Elsewhere { options, source })),
            ..self
        }
    }

    /// Whether people may sign in elsewhere.
    pub fn has_sign_in_elsewhere(&self) -> bool {
        self.sign_in_options().is_ok()
    }

    fn sign_in_options(&self) -> Result<(&SignInOptions, &dyn IssuerKeys), SignInError> {
        let elsewhere = self.elsewhere.as_ref().ok_or(SignInError::NotSet)?;
        let options = elsewhere.options.sign_in.as_ref();
        Ok((options.ok_or(SignInError::NotSet)?, &*elsewhere.source))
    }

    /// Sends somebody to the issuer to sign in there.
    pub async fn begin_sign_in(&self) -> Result<SignInJourney, SignInError> {
        let (options, source) = self.sign_in_options()?;
        let document = source.discovery(&options.issuer).await?;
        let discovery: Discovery = serde_json::from_slice(&document)
            .map_err(|_| FetchError("its discovery document cannot be read".to_owned()))?;
        if discovery.issuer != options.issuer {
            return Err(
                FetchError("its discovery document names another issuer".to_owned()).into(),
            );
        }
        let journey = Journey {
            state: random_text(),
            nonce: random_text(),
            verifier: random_text(),
        };
        let challenge = BASE64URL_NOPAD.encode(&Sha256::digest(journey.verifier.as_bytes()));
        let scope = std::iter::once("openid")
            .chain(options.scopes.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ");
        let mut address = discovery.authorization_endpoint;
        let mut mark = if address.contains('?') { '&' } else { '?' };
        for (name, value) in [
            ("response_type", "code"),
            ("client_id", &options.client_id),
            ("redirect_uri", &options.redirect_uri),
            ("scope", &scope),
            ("state", &journey.state),
            ("nonce", &journey.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ] {
            address.push(mark);
            address.push_str(name);
            address.push('=');
            push_escaped(&mut address, value);
            mark = '&';
        }
        let now = self.inner.database.now();
        let until = now.plus(LONGEST_JOURNEY);
        let cookie = self.ring().await?.sign_journey(journey, now, until);
        let cookie = cookie.ok_or_else(|| {
            StoreError::Unreadable("there is no key to sign tokens with".to_owned())
        })?;
        Ok(SignInJourney {
            address,
            cookie: Secret::new(cookie),
        })
    }

    /// Lets somebody in who comes back from the issuer with the cookie of their journey.
    pub async fn finish_sign_in(
        &self,
        cookie: &str,
        state: &str,
        code: &str,
    ) -> Result<SignedIn, SignInError> {
        let (options, source) = self.sign_in_options()?;
        let now = self.inner.database.now();
        let journey = self.ring().await?.verify_journey(cookie, now);
        let journey = journey.ok_or(SignInError::Lost)?;
        if !is_same(&journey.state, state) {
            return Err(SignInError::Lost);
        }
        if code.is_empty() || code.len() > LONGEST_CODE {
            return Err(SignInError::Refused);
        }
        let mut fields = vec![
            ("grant_type", Secret::new("authorization_code")),
            ("code", Secret::new(code)),
            ("redirect_uri", Secret::new(options.redirect_uri.as_str())),
            ("client_id", Secret::new(options.client_id.as_str())),
            ("code_verifier", Secret::new(journey.verifier)),
        ];
        if let Some(secret) = &options.client_secret {
            fields.push(("client_secret", secret.clone()));
        }
        let answer = source.redeem(&options.issuer, fields).await?;
        let redeemed: Redeemed =
            serde_json::from_slice(&answer).map_err(|_| SignInError::Refused)?;
        let client = options.client_id.as_str();
        let token = &redeemed.id_token;
        let claims = verified(token, &options.issuer, &[client], source, now).await?;
        let nonce = claims.get("nonce").and_then(Value::as_str);
        if !nonce.is_some_and(|nonce| is_same(nonce, &journey.nonce)) {
            return Err(ForeignError::Claim("nonce").into());
        }
        let party = claims.get("azp").and_then(Value::as_str);
        let is_ours = party.map_or(audience(&claims).len() == 1, |party| party == client);
        if !is_ours {
            return Err(ForeignError::Claim("azp").into());
        }
        let newcomer = newcomer(options, &claims)?;
        let account = self.inner.accounts.meet(&newcomer).await?;
        let principal = self.principal(&account, &[], None);
        let principal = principal.map_err(|_| SignInError::Disabled)?;
        match self.open_session(principal, "oidc").await {
            Ok(signed_in) => Ok(signed_in),
            Err(IdentifyError::Store(error)) => Err(error.into()),
            Err(IdentifyError::Invalid | IdentifyError::TooMany(_)) => Err(SignInError::Disabled),
        }
    }
}

/// Who these claims are of.
fn newcomer(options: &SignInOptions, claims: &Map<String, Value>) -> Result<Newcomer, SignInError> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let shown = |name: &str| {
        let shown: String = text(name)?
            .chars()
            .filter(|char| !char.is_control())
            .take(LONGEST_NAME)
            .collect();
        (!shown.is_empty()).then(|| shown.into())
    };
    // A subject has at most 255 characters (OpenID Connect Core 1.0, section 2).
    let subject = text("sub").filter(|subject| !subject.is_empty() && subject.len() <= 1024);
    let subject = subject.ok_or(ForeignError::Claim("sub"))?;
    let wanted = text(&options.name_claim).or(text("email"));
    // What the issuer did not prove is not told further.
    let is_proved = claims.get("email_verified") != Some(&Value::Bool(false));
    Ok(Newcomer {
        issuer: options.issuer.as_str().into(),
        subject: subject.into(),
        name: account_name(wanted.unwrap_or_default()),
        display_name: shown("name"),
        email: shown("email").filter(|_| is_proved),
        roles: options.roles(claims),
    })
}

/// An account name as near to what is wanted as there is.
fn account_name(wanted: &str) -> AccountName {
    let wanted = wanted.split('@').next().unwrap_or_default().to_lowercase();
    let plain: String = wanted
        .chars()
        .map(|char| match char {
            'a'..='z' | '0'..='9' | '.' | '_' | '-' => char,
            _ => '-',
        })
        .collect();
    let plain: String = plain
        .trim_start_matches(['.', '_', '-'])
        .chars()
        .take(60)
        .collect();
    let fallback = || "user".parse().expect("`user` is an account name");
    plain.parse().unwrap_or_else(|_| fallback())
}

/// 256 random bits, as addresses may hold them.
fn random_text() -> String {
    BASE64URL_NOPAD.encode(&random_bytes::<32>())
}

fn push_escaped(address: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                address.push(char::from(byte));
            }
            byte => {
                address.push('%');
                address.push_str(&data_encoding::HEXUPPER.encode(&[byte]));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_elsewhere_become_account_names() {
        for (wanted, name) in [
            ("ada", "ada"),
            ("Ada.Lovelace@example.com", "ada.lovelace"),
            ("Ada Lovelace", "ada-lovelace"),
            ("_ada", "ada"),
            ("çelik", "elik"),
            ("team/ci", "team-ci"),
            ("", "user"),
            ("@x", "user"),
            ("日本", "user"),
        ] {
            assert_eq!(account_name(wanted).as_str(), name, "{wanted}");
        }
        assert_eq!(account_name(&"a".repeat(1000)).as_str().len(), 60);
    }
}
