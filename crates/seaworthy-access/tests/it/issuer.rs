//! An OpenID Connect issuer of our own, in this process: it signs with keys that were
//! made a moment ago and remembers what it was asked for.

use std::sync::{Arc, Mutex, PoisonError};

use data_encoding::BASE64URL_NOPAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use seaworthy_access::{FetchError, Fetching, Freshness, IssuerKeys, Secret};
use serde_json::{Value, json};

/// Where the issuer is.
pub(crate) const ISSUER: &str = "https://id.example";

/// A key of the issuer.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    algorithm: Algorithm,
    secret: EncodingKey,
    pub(crate) public: Value,
}

impl Key {
    pub(crate) fn make(id: &str, algorithm: Algorithm) -> Self {
        let kind = match algorithm {
            Algorithm::RS256 => &rcgen::PKCS_RSA_SHA256,
            Algorithm::ES256 => &rcgen::PKCS_ECDSA_P256_SHA256,
            Algorithm::EdDSA => &rcgen::PKCS_ED25519,
            other => panic!("no test needs {other:?}"),
        };
        let pair = rcgen::KeyPair::generate_for(kind).expect("is made");
        let pem = pair.serialize_pem();
        let secret = match algorithm {
            Algorithm::RS256 => EncodingKey::from_rsa_pem(pem.as_bytes()),
            Algorithm::ES256 => EncodingKey::from_ec_pem(pem.as_bytes()),
            _ => EncodingKey::from_ed_pem(pem.as_bytes()),
        };
        let secret = secret.expect("is a key");
        let mut public = if algorithm == Algorithm::EdDSA {
            let point = BASE64URL_NOPAD.encode(pair.public_key_raw());
            json!({ "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": point })
        } else {
            let public = Jwk::from_encoding_key(&secret, algorithm);
            serde_json::to_value(public.expect("has a public part")).expect("becomes JSON")
        };
        public["kid"] = json!(id);
        Self {
            id: id.to_owned(),
            algorithm,
            secret,
            public,
        }
    }

    /// Signs a token with these claims.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(self.algorithm);
        header.kid = Some(self.id.clone());
        self.sign_with(&header, claims)
    }

    pub(crate) fn sign_with(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.secret).expect("is signed")
    }
}

/// The issuer. Clones are the same one.
#[derive(Clone, Default)]
pub(crate) struct Issuer {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    keys: Vec<Value>,
    /// Published only when somebody asks for newer ones.
    newer: Option<Vec<Value>>,
    id_token: Option<String>,
    redeemed: Vec<(String, String)>,
    fetches: usize,
    is_away: bool,
}

impl Issuer {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn publish(&self, keys: &[Value]) {
        self.state().keys = keys.to_vec();
    }

    /// Keys that are seen only by whoever fetches again.
    pub(crate) fn publish_next(&self, keys: &[Value]) {
        self.state().newer = Some(keys.to_vec());
    }

    /// The token that the next code is worth.
    pub(crate) fn answer_with(&self, id_token: String) {
        self.state().id_token = Some(id_token);
    }

    pub(crate) fn go_away(&self) {
        self.state().is_away = true;
    }

    /// What came with the last code.
    pub(crate) fn redeemed(&self, name: &str) -> Option<String> {
        let state = self.state();
        let mut fields = state.redeemed.iter();
        fields
            .find(|(it, _)| it == name)
            .map(|(_, value)| value.clone())
    }

    pub(crate) fn fetches(&self) -> usize {
        self.state().fetches
    }

    fn answer(
        &self,
        issuer: &str,
        document: impl FnOnce(&mut State) -> Value,
    ) -> Fetching<'static> {
        assert_eq!(issuer, ISSUER, "no other is ever asked");
        let mut state = self.state();
        state.fetches += 1;
        let answer = if state.is_away {
            Err(FetchError("it is away".to_owned()))
        } else {
            Ok(document(&mut state).to_string().into_bytes().into())
        };
        Box::pin(async move { answer })
    }
}

impl IssuerKeys for Issuer {
    fn discovery<'a>(&'a self, issuer: &'a str) -> Fetching<'a> {
        self.answer(issuer, |_| {
            json!({
                "issuer": ISSUER,
                "authorization_endpoint": format!("{ISSUER}/authorize?tenant=1"),
                "token_endpoint": format!("{ISSUER}/token"),
                "jwks_uri": format!("{ISSUER}/keys"),
            })
        })
    }

    fn keys<'a>(&'a self, issuer: &'a str, freshness: Freshness) -> Fetching<'a> {
        self.answer(issuer, |state| {
            if freshness == Freshness::Newer
                && let Some(newer) = state.newer.take()
            {
                state.keys = newer;
            }
            json!({ "keys": state.keys })
        })
    }

    fn redeem<'a>(&'a self, issuer: &'a str, fields: Vec<(&'static str, Secret)>) -> Fetching<'a> {
        self.answer(issuer, |state| {
            state.redeemed = fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), value.reveal().to_owned()))
                .collect();
            match &state.id_token {
                Some(token) => json!({ "id_token": token, "token_type": "Bearer" }),
                None => json!({ "error": "invalid_grant" }),
            }
        })
    }
}
