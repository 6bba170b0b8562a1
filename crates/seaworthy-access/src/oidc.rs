//! How people sign in elsewhere, and whose workloads are believed.

use std::collections::BTreeMap;

use seaworthy_store::Namespace;
use serde_json::{Map, Value};

use crate::right::Role;
use crate::secret::Secret;

/// What is believed of OpenID Connect issuers. [`Default`] believes none.
#[derive(Clone, Debug, Default)]
pub struct OidcOptions {
    /// Where people may sign in.
    pub sign_in: Option<SignInOptions>,
    /// Issuers whose tokens may stand for robots, as their tokens spell them. No other
    /// is ever asked for anything, whatever a workload identity names.
    pub workload_issuers: Vec<String>,
}

/// Where people sign in, and what follows from what is told of them there.
#[derive(Clone, Debug)]
pub struct SignInOptions {
    /// The issuer, as its tokens spell it.
    pub issuer: String,
    /// As what we are known there.
    pub client_id: String,
    /// What proves that, if we were given a secret.
    pub client_secret: Option<Secret>,
    /// Where browsers come back to, such as
    /// `https://seaworthy.example/api/v1/session/oidc/callback`.
    pub redirect_uri: String,
    /// What is asked for beside `openid`, such as `profile` and `email`.
    pub scopes: Vec<String>,
    /// The claim with the name that an account is given at the first sign-in, such as
    /// `preferred_username`.
    pub name_claim: String,
    /// The claim with a person's groups; nothing leaves roles to be given by hand.
    pub groups_claim: Option<String>,
    /// Which role follows from which group.
    pub groups: Vec<GroupRole>,
}

/// A role that everybody in a group has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRole {
    /// The group, as the issuer spells it.
    pub group: String,
    /// Where; nothing for everywhere.
    pub namespace: Option<Namespace>,
    /// Which.
    pub role: Role,
}

impl SignInOptions {
    /// The roles that follow from the groups of these claims; nothing where groups say
    /// nothing here.
    pub(crate) fn roles(
        &self,
        claims: &Map<String, Value>,
    ) -> Option<Vec<(Option<Namespace>, Box<str>)>> {
        let groups = match claims.get(self.groups_claim.as_ref()?) {
            Some(Value::Array(groups)) => groups.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(one)) => vec![one.as_str()],
            _ => Vec::new(),
        };
        let follows = self
            .groups
            .iter()
            .filter(|it| groups.contains(&it.group.as_str()))
            // Admin is of the installation as a whole.
            .filter(|it| it.namespace.is_none() || it.role != Role::Admin);
        Some(
            follows
                .map(|it| (it.namespace.clone(), it.role.name().into()))
                .collect(),
        )
    }
}

/// The most patterns of one workload identity.
const MOST_PATTERNS: usize = 20;
/// The most bytes of a pattern.
const LONGEST_PATTERN: usize = 500;

/// Patterns of claims: each must be there with a value that fits. `*` stands for any
/// characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPatterns(BTreeMap<String, String>);

/// Why patterns are not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClaimPatternsError {
    /// Not an object of texts.
    #[error("claims are a JSON object of texts, each with 1 to 500 bytes")]
    Form,
    /// Too many.
    #[error("at most 20 claims can be asked for")]
    TooMany,
    /// Everybody whom the issuer signs tokens for would fit.
    #[error("at least one claim has to be asked for with more than `*`")]
    Anybody,
}

impl ClaimPatterns {
    /// Patterns by claim.
    pub fn new(patterns: BTreeMap<String, String>) -> Result<Self, ClaimPatternsError> {
        let is_form = |text: &String| !text.is_empty() && text.len() <= LONGEST_PATTERN;
        if !patterns
            .iter()
            .all(|(name, it)| is_form(name) && is_form(it))
        {
            return Err(ClaimPatternsError::Form);
        }
        if patterns.len() > MOST_PATTERNS {
            return Err(ClaimPatternsError::TooMany);
        }
        // What every token of an issuer has says nothing about whose it is.
        let tells = |(name, pattern): (&String, &String)| {
            !matches!(name.as_str(), "iss" | "aud") && pattern.chars().any(|char| char != '*')
        };
        if !patterns.iter().any(tells) {
            return Err(ClaimPatternsError::Anybody);
        }
        Ok(Self(patterns))
    }

    /// Patterns as they are stored.
    pub fn parse(text: &str) -> Result<Self, ClaimPatternsError> {
        let patterns = serde_json::from_str(text).map_err(|_| ClaimPatternsError::Form)?;
        Self::new(patterns)
    }

    /// As they are stored.
    pub fn to_json(&self) -> String {
        let claims = self.0.iter();
        let claims = claims.map(|(name, it)| (name.clone(), Value::from(it.as_str())));
        Value::Object(claims.collect()).to_string()
    }

    /// The patterns by claim.
    pub fn by_claim(&self) -> &BTreeMap<String, String> {
        &self.0
    }

    pub(crate) fn fit(&self, claims: &Map<String, Value>) -> bool {
        self.0.iter().all(|(name, pattern)| {
            let fits = |value: &Value| match value {
                Value::String(text) => is_match(pattern, text),
                Value::Bool(_) | Value::Number(_) => is_match(pattern, &value.to_string()),
                Value::Null | Value::Array(_) | Value::Object(_) => false,
            };
            match claims.get(name) {
                Some(Value::Array(values)) => values.iter().any(fits),
                Some(value) => fits(value),
                None => false,
            }
        })
    }
}

/// Whether a text fits a pattern with `*`, in a time that grows with the product of
/// their lengths at most.
fn is_match(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|begin| text.strip_prefix(begin)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(end) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        // The earliest place leaves the most for those that follow.
        let Some((_, after)) = rest.split_once(part) else {
            return false;
        };
        rest = after;
    }
    rest.ends_with(end)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_star_stands_for_any_characters() {
        for (pattern, text, fits) in [
            ("main", "main", true),
            ("main", "main2", false),
            ("main", "amain", false),
            ("*", "", true),
            ("*", "anything", true),
            ("repo:org/*", "repo:org/app:ref:refs/heads/main", true),
            ("repo:org/*", "repo:organisation/app", false),
            (
                "repo:*:ref:refs/heads/main",
                "repo:org/app:ref:refs/heads/main",
                true,
            ),
            (
                "repo:*:ref:refs/heads/main",
                "repo:org/app:ref:refs/heads/main2",
                false,
            ),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*ab*ab*", "abxab", true),
            ("*ab*ab*", "abxa", false),
            ("**", "x", true),
            (".", "x", false),
        ] {
            assert_eq!(is_match(pattern, text), fits, "{pattern} {text}");
        }
        let (pattern, text) = ("*a".repeat(200), "a".repeat(10_000));
        assert!(is_match(&pattern, &text));
        assert!(!is_match(&format!("{pattern}b"), &text));
    }

    #[test]
    fn every_pattern_must_fit() {
        let patterns = ClaimPatterns::parse(r#"{"sub":"repo:org/*","ref_protected":"true"}"#);
        let patterns = patterns.expect("patterns");
        for (claims, fits) in [
            (
                json!({ "sub": "repo:org/app", "ref_protected": true }),
                true,
            ),
            (
                json!({ "sub": "repo:org/app", "ref_protected": "true" }),
                true,
            ),
            (
                json!({ "sub": "repo:org/app", "ref_protected": false }),
                false,
            ),
            (json!({ "sub": "repo:org/app" }), false),
            (
                json!({ "sub": ["x", "repo:org/app"], "ref_protected": true }),
                true,
            ),
            (json!({ "sub": { "a": 1 }, "ref_protected": true }), false),
            (json!({ "sub": null, "ref_protected": true }), false),
            (json!({}), false),
        ] {
            let claims = claims.as_object().expect("an object").clone();
            assert_eq!(patterns.fit(&claims), fits, "{claims:?}");
        }
    }

    #[test]
    fn patterns_that_anybody_fits_are_not_taken() {
        for text in [
            "{}",
            r#"{"sub":"*"}"#,
            r#"{"sub":"**","aud":"seaworthy"}"#,
            r#"{"iss":"https://ci.example"}"#,
        ] {
            let answer = ClaimPatterns::parse(text);
            assert_eq!(answer, Err(ClaimPatternsError::Anybody), "{text}");
        }
        for text in ["", "[]", r#"{"sub":1}"#, r#"{"sub":""}"#] {
            let answer = ClaimPatterns::parse(text);
            assert_eq!(answer, Err(ClaimPatternsError::Form), "{text}");
        }
    }
}
