//! What a registry asks for with 401: the `WWW-Authenticate` header, RFC 9110
//! section 11.

/// Longest header value that is looked at.
const LONGEST: usize = 8 << 10;

/// How a registry wants to be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Challenge {
    /// User name and password with every request.
    Basic,
    /// A token from the server at `realm`.
    Bearer {
        /// URL of the token server, as the registry wrote it.
        realm: String,
        /// What the registry calls itself towards the token server.
        service: Option<String>,
        /// What the registry thinks we need.
        scope: Option<String>,
    },
}

impl Challenge {
    /// The best challenge among the values of all `WWW-Authenticate` headers: a
    /// token, which dies soon and says what it is for, before a password.
    pub(super) fn best<'a>(values: impl IntoIterator<Item = &'a str>) -> Option<Self> {
        let mut best = None;
        for value in values {
            if value.len() > LONGEST {
                continue;
            }
            for challenge in parse(value) {
                match challenge {
                    Self::Bearer { .. } => return Some(challenge),
                    Self::Basic => best = Some(challenge),
                }
            }
        }
        best
    }
}

fn parse(value: &str) -> Vec<Challenge> {
    let mut rest = Rest(value);
    let mut found = Vec::new();
    rest.skip_separators();
    while let Some(scheme) = rest.token() {
        let mut realm = None;
        let mut service = None;
        let mut scope = None;
        loop {
            let before = rest;
            rest.skip_separators();
            // `name=value` belongs to this challenge; a token without `=`
            // begins the next one.
            let Some((name, value)) = rest.parameter() else {
                rest = before;
                break;
            };
            let place = match name.to_ascii_lowercase().as_str() {
                "realm" => &mut realm,
                "service" => &mut service,
                "scope" => &mut scope,
                _ => continue,
            };
            // The first one counts. A header that says it twice is up to
            // something.
            place.get_or_insert(value);
        }
        match (scheme.to_ascii_lowercase().as_str(), realm) {
            ("basic", _) => found.push(Challenge::Basic),
            ("bearer", Some(realm)) => found.push(Challenge::Bearer {
                realm,
                service,
                scope,
            }),
            _ => {}
        }
        rest.skip_separators();
    }
    found
}

#[derive(Clone, Copy)]
struct Rest<'a>(&'a str);

impl<'a> Rest<'a> {
    fn skip_separators(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t', ',']);
    }

    fn token(&mut self) -> Option<&'a str> {
        let end = self
            .0
            .find(|letter: char| {
                !(letter.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(letter))
            })
            .unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at_checked(end)?;
        if token.is_empty() {
            return None;
        }
        self.0 = rest;
        Some(token)
    }

    fn parameter(&mut self) -> Option<(&'a str, String)> {
        let name = self.token()?;
        self.0 = self.0.trim_start().strip_prefix('=')?.trim_start();
        let Some(mut quoted) = self.0.strip_prefix('"').map(str::chars) else {
            return Some((name, self.token()?.to_owned()));
        };
        let mut value = String::new();
        loop {
            match quoted.next()? {
                '"' => break,
                '\\' => value.push(quoted.next()?),
                letter => value.push(letter),
            }
        }
        self.0 = quoted.as_str();
        Some((name, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(value: &str) -> String {
        match Challenge::best([value]) {
            None => "none".into(),
            Some(Challenge::Basic) => "basic".into(),
            Some(Challenge::Bearer {
                realm,
                service,
                scope,
            }) => format!(
                "bearer {realm} {} {}",
                service.as_deref().unwrap_or("-"),
                scope.as_deref().unwrap_or("-")
            ),
        }
    }

    #[test]
    fn challenges_are_read_as_registries_write_them() {
        for (value, expected) in [
            ("Basic realm=\"Registry\"", "basic"),
            ("basic", "basic"),
            ("BASIC realm=x", "basic"),
            (
                "Bearer realm=\"https://a.example/token\",service=\"r\",scope=\"repository:a:pull,push\"",
                "bearer https://a.example/token r repository:a:pull,push",
            ),
            (
                "Bearer realm = \"https://a.example/t\" , service=r",
                "bearer https://a.example/t r -",
            ),
            (
                "Basic realm=\"x\", Bearer realm=\"https://a.example/t\"",
                "bearer https://a.example/t - -",
            ),
            (
                "Bearer realm=\"https://a.example/t\", Basic realm=\"x\", service=\"not mine\"",
                "bearer https://a.example/t - -",
            ),
            (
                "Bearer scope=\"a \\\"b\\\"\",realm=\"https://a.example\",realm=\"https://evil.example\"",
                "bearer https://a.example - a \"b\"",
            ),
            ("Negotiate, Basic realm=x", "basic"),
            ("Bearer", "none"),
            ("Bearer realm=\"unclosed", "none"),
            ("", "none"),
            ("=,=", "none"),
        ] {
            assert_eq!(read(value), expected, "{value}");
        }
    }

    #[test]
    fn an_endless_header_is_not_read() {
        let value = format!("Bearer realm=\"https://a.example/{}\"", "a".repeat(LONGEST));
        assert_eq!(read(&value), "none");
    }

    proptest! {
        #[test]
        fn any_text_is_read_to_its_end(value in "[a-zA-Z ,=\"\\\\\u{0}-\u{ff}]{0,200}") {
            let _ = Challenge::best([value.as_str()]);
        }
    }
}
