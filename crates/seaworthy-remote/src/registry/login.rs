//! Gets us in: answers a registry's 401 with a password or with a token.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use data_encoding::BASE64;
use reqwest::Url;
use reqwest::header::{HeaderValue, WWW_AUTHENTICATE};
use serde::Deserialize;
use tokio::sync::Mutex;

use super::challenge::Challenge;
use super::failure::{PullError, Refusal};
use super::options::{Options, Purpose};
use super::origin::Origin;
use super::wire::{Answer, Request, Wire};
use crate::credentials::{Credential, CredentialError};
use crate::secret::Secret;

/// Most bytes of a token server's answer.
const TOKEN_BYTES: u64 = 1 << 20;

/// How long a token lives whose server does not say: the specification's minute.
const TOKEN_LIFE: u64 = 60;

/// The token server of Docker Hub lives beside its registry, not below it.
const HUB_REALM: (&str, &str) = (super::HUB_HOST, "auth.docker.io");

/// What we send to one registry with each request, by repository.
pub(super) struct Login {
    options: Arc<Options>,
    passes: Mutex<HashMap<Box<str>, Pass>>,
}

#[derive(Clone)]
struct Pass {
    value: HeaderValue,
    until: Option<Instant>,
}

impl Pass {
    fn is_fresh(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

impl Login {
    pub(super) fn new(options: Arc<Options>) -> Self {
        Self {
            options,
            passes: Mutex::default(),
        }
    }

    /// What worked for `repository` so far and has not run out.
    pub(super) async fn pass(&self, repository: &str) -> Option<HeaderValue> {
        let passes = self.passes.lock().await;
        let pass = passes.get(repository).filter(|pass| pass.is_fresh())?;
        Some(pass.value.clone())
    }

    /// Answers the 401 in `answer`, which came although we sent `refused`.
    pub(super) async fn renew(
        &self,
        wire: &Wire,
        repository: &str,
        refused: Option<&HeaderValue>,
        answer: &Answer,
    ) -> Result<HeaderValue, PullError> {
        // Held while a token is fetched: the layers of an image all ask at once,
        // and one token serves them all.
        let mut passes = self.passes.lock().await;
        if let Some(pass) = passes.get(repository)
            && pass.is_fresh()
            && refused != Some(&pass.value)
        {
            return Ok(pass.value.clone());
        }
        let challenge = Challenge::best(
            answer
                .response
                .headers()
                .get_all(WWW_AUTHENTICATE)
                .iter()
                .filter_map(|value| value.to_str().ok()),
        )
        .ok_or_else(|| PullError::Challenge {
            registry: wire.registry().to_owned(),
        })?;
        // A keychain that does not work must not keep us from what everyone may
        // read; if a login is needed after all, it is the reason.
        let (credential, trouble) = match self
            .options
            .credentials
            .look_up(wire.registry(), repository)
            .await
        {
            Ok(credential) => (credential, None),
            Err(trouble) => {
                tracing::warn!(
                    registry.name = wire.registry(),
                    "no login for `{}`: {trouble}",
                    wire.registry()
                );
                (Credential::Anonymous, Some(Arc::new(trouble)))
            }
        };
        let asked = Asked {
            wire,
            options: &self.options,
            repository,
            trouble,
        };
        let pass = match challenge {
            Challenge::Basic => asked.password(&credential),
            Challenge::Bearer {
                realm,
                service,
                scope,
            } => {
                asked
                    .token(&credential, &realm, service.as_deref(), scope.as_deref())
                    .await
            }
        }?;
        if refused == Some(&pass.value) {
            return Err(asked.not_accepted(&credential));
        }
        passes.insert(repository.into(), pass.clone());
        Ok(pass.value)
    }

    /// What a 401 means that came although we had answered the one before.
    pub(super) async fn rejected(&self, wire: &Wire, repository: &str) -> PullError {
        self.passes.lock().await.remove(repository);
        let found = self
            .options
            .credentials
            .look_up(wire.registry(), repository)
            .await;
        let (credential, trouble) = match found {
            Ok(credential) => (credential, None),
            Err(trouble) => (Credential::Anonymous, Some(Arc::new(trouble))),
        };
        Asked {
            wire,
            options: &self.options,
            repository,
            trouble,
        }
        .not_accepted(&credential)
    }
}

/// What a token server answers. Both names of the token are in use.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Granted {
    token: String,
    access_token: String,
    expires_in: Option<u64>,
}

/// One 401, while it is being answered.
struct Asked<'a> {
    wire: &'a Wire,
    options: &'a Options,
    repository: &'a str,
    trouble: Option<Arc<CredentialError>>,
}

impl Asked<'_> {
    fn not_accepted(&self, credential: &Credential) -> PullError {
        let registry = self.wire.registry().to_owned();
        let repository = self.repository.to_owned();
        if *credential == Credential::Anonymous {
            PullError::Unauthorized {
                registry,
                repository,
                source: self.trouble.clone(),
            }
        } else {
            PullError::WrongLogin {
                registry,
                repository,
            }
        }
    }

    fn password(&self, credential: &Credential) -> Result<Pass, PullError> {
        let value = match credential {
            Credential::Password { user, password } => basic(user, password),
            Credential::Bearer(token) => bearer(token.reveal()),
            // There is no token server to exchange it at.
            Credential::Identity(_) => None,
            Credential::Anonymous => return Err(self.not_accepted(credential)),
        };
        let value = value.ok_or_else(|| self.not_accepted(credential))?;
        Ok(Pass { value, until: None })
    }

    async fn token(
        &self,
        credential: &Credential,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
    ) -> Result<Pass, PullError> {
        if let Credential::Bearer(token) = credential {
            let value = bearer(token.reveal()).ok_or_else(|| self.not_accepted(credential))?;
            return Ok(Pass { value, until: None });
        }
        let (url, host) = self.realm(realm, credential)?;
        let scope = self.scope(scope);
        let mut request = Request::get(url);
        request.within = Some(self.wire.limits().document);
        let mut fields = Vec::new();
        fields.extend(service.map(|service| ("service", service)));
        fields.push(("scope", &scope));
        match credential {
            Credential::Identity(token) => {
                fields.push(("grant_type", "refresh_token"));
                fields.push(("client_id", "seaworthy"));
                fields.push(("refresh_token", token.reveal()));
                request.method = reqwest::Method::POST;
                request.form = Some(form(&fields));
            }
            Credential::Password { user, password } => {
                request.url.query_pairs_mut().extend_pairs(&fields);
                request.authorization =
                    Some(basic(user, password).ok_or_else(|| self.not_accepted(credential))?);
            }
            Credential::Anonymous | Credential::Bearer(_) => {
                request.url.query_pairs_mut().extend_pairs(&fields);
            }
        }
        let answer = self.wire.send(&request).await?;
        match answer.response.status().as_u16() {
            200 => {}
            400 | 401 | 403 => return Err(self.not_accepted(credential)),
            status => return Err(self.wire.refused(answer, status).await),
        }
        let body = self
            .wire
            .body(answer, TOKEN_BYTES, || format!("the token of `{host}`"))
            .await?;
        let no_token = || PullError::Token { host: host.clone() };
        let granted: Granted = serde_json::from_slice(&body).map_err(|_| no_token())?;
        let text = if granted.token.is_empty() {
            &granted.access_token
        } else {
            &granted.token
        };
        let value = bearer(text)
            .filter(|_| !text.is_empty())
            .ok_or_else(no_token)?;
        // A little less than it lives, for the time it has been under way; a
        // silly number costs at most a further 401.
        let life = granted.expires_in.unwrap_or(TOKEN_LIFE).clamp(10, 86_400);
        let life = Duration::from_secs(life.saturating_sub((life / 10).min(10)));
        Ok(Pass {
            value,
            until: Instant::now().checked_add(life),
        })
    }

    /// What we ask the token server for: to read, or to read and write if that is
    /// our purpose, whatever the registry wants us to ask for. A registry may know
    /// its repository by another name.
    fn scope(&self, theirs: Option<&str>) -> String {
        let name = theirs
            .and_then(|scope| scope.strip_prefix("repository:"))
            .and_then(|rest| rest.rsplit_once(':'))
            .map(|(name, _)| name)
            .filter(|name| {
                (1..=255).contains(&name.len())
                    && name
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte))
            })
            .unwrap_or(self.repository);
        let actions = match self.options.purpose {
            Purpose::Pull => "pull",
            Purpose::Push => "pull,push",
        };
        format!("repository:{name}:{actions}")
    }

    /// Judges the address of the token server.
    fn realm(&self, realm: &str, credential: &Credential) -> Result<(Url, String), PullError> {
        let refused = |realm: String, refusal| PullError::Realm {
            registry: self.wire.registry().to_owned(),
            realm,
            refusal,
        };
        let url = Url::parse(realm).map_err(|_| refused("nowhere".into(), Refusal::NoAddress))?;
        let shown = Origin::of(&url).map_or_else(|| "no host".into(), |it| format!("`{it}`"));
        let home = self.wire.origin();
        let origin = self
            .wire
            .judge(&url, home.is_encrypted())
            .map_err(|refusal| refused(shown.clone(), refusal))?;
        let host = origin.host();
        let trusted = *credential == Credential::Anonymous
            || belongs(home.host(), host)
            || self
                .options
                .trusted_realms
                .iter()
                .any(|realm| realm.eq_ignore_ascii_case(host));
        if !trusted {
            return Err(refused(shown, Refusal::NotTrusted));
        }
        let host = host.to_owned();
        Ok((url, host))
    }
}

/// Whether the token server at `realm` is the registry's own by its name: the
/// same host, one below it, or a domain that the registry's host is in. The last
/// one needs a dot, so that nobody answers for a whole top-level domain. Sister
/// hosts are not enough: on shared domains they are strangers.
fn belongs(registry: &str, realm: &str) -> bool {
    let below = |host: &str, domain: &str| {
        host.strip_suffix(domain)
            .is_some_and(|rest| rest.ends_with('.'))
            && domain.contains('.')
            && super::origin::literal_address(host).is_none()
            && super::origin::literal_address(domain).is_none()
    };
    registry == realm
        || below(realm, registry)
        || below(registry, realm)
        || (registry, realm) == HUB_REALM
}

fn basic(user: &str, password: &Secret) -> Option<HeaderValue> {
    // RFC 7617: a colon would move the border between the two.
    if user.contains(':') {
        return None;
    }
    let both = BASE64.encode(format!("{user}:{}", password.reveal()).as_bytes());
    secret_header(&format!("Basic {both}"))
}

fn bearer(token: &str) -> Option<HeaderValue> {
    secret_header(&format!("Bearer {token}"))
}

fn secret_header(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    // Keeps it out of debug output and out of HTTP/2's shared tables.
    value.set_sensitive(true);
    Some(value)
}

fn form(fields: &[(&str, &str)]) -> String {
    let mut carrier = Url::parse("http://form/").expect("a constant that is a URL");
    carrier.query_pairs_mut().extend_pairs(fields);
    carrier.query().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_server_belongs_to_its_registry_by_name() {
        for (registry, realm) in [
            ("r.example", "r.example"),
            ("registry.gitlab.example", "gitlab.example"),
            ("r.example", "auth.r.example"),
            ("registry-1.docker.io", "auth.docker.io"),
            ("127.0.0.1", "127.0.0.1"),
            ("localhost", "localhost"),
        ] {
            assert!(belongs(registry, realm), "{registry} {realm}");
        }
        for (registry, realm) in [
            ("r.example", "example"),
            ("r.example", "evilr.example"),
            ("r.example", "r.example.evil"),
            ("a.shared.example", "b.shared.example"),
            ("r.example", "auth.docker.io"),
            ("evil.docker.io", "auth.docker.io"),
            ("127.0.0.1", "0.0.1"),
            ("1.127.0.0.1", "127.0.0.1"),
            ("localhost", "a.localhost"),
            ("127.0.0.1", "localhost"),
        ] {
            assert!(!belongs(registry, realm), "{registry} {realm}");
        }
    }

    #[test]
    fn a_form_escapes_what_would_break_out_of_it() {
        assert_eq!(
            form(&[
                ("scope", "repository:a/b:pull"),
                ("refresh_token", "a&b=c d")
            ]),
            "scope=repository%3Aa%2Fb%3Apull&refresh_token=a%26b%3Dc+d"
        );
    }

    #[test]
    fn a_user_name_cannot_smuggle_a_password() {
        assert!(basic("a:b", &Secret::new("c")).is_none());
        assert!(
            basic("a", &Secret::new("c\r\nX: y")).is_some(),
            "base64 hides it"
        );
        assert!(bearer("a\r\nX: y").is_none());
    }
}
