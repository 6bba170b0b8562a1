//! Scopes of Docker's token flow: what a token is for.

use seaworthy_access::{Right, Wanted};
use seaworthy_store::RepositoryName;

/// How many scopes one token is asked for; what follows is not granted.
const MOST: usize = 64;

/// What a token is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scopes {
    /// In which repositories what.
    pub(crate) repositories: Vec<Wanted>,
    /// Whether repositories shall be listed.
    pub(crate) listing: bool,
}

impl Scopes {
    /// Reads scopes such as `repository:team/app:pull,push`, each text with several
    /// of them, apart by spaces. What is not understood is not granted.
    pub(crate) fn read<'a>(texts: impl Iterator<Item = &'a str>) -> Self {
        let mut scopes = Self::default();
        let all = texts.flat_map(|text| text.split(' '));
        for scope in all.filter(|it| !it.is_empty()).take(MOST) {
            if scope.starts_with("registry:catalog:") {
                scopes.listing = true;
            } else if let Some(wanted) = repository(scope) {
                scopes.add(wanted);
            }
        }
        scopes
    }

    /// Two scopes of one repository are one.
    fn add(&mut self, wanted: Wanted) {
        let mut known = self.repositories.iter_mut();
        match known.find(|it| it.repository == wanted.repository) {
            Some(known) => {
                for right in wanted.rights {
                    if !known.rights.contains(&right) {
                        known.rights.push(right);
                    }
                }
            }
            None => self.repositories.push(wanted),
        }
    }
}

fn repository(scope: &str) -> Option<Wanted> {
    let (kind, rest) = scope.split_once(':')?;
    let (name, actions) = rest.rsplit_once(':')?;
    if kind != "repository" && !kind.starts_with("repository(") {
        return None;
    }
    // A name may come with the host and port that the client knows us by; only what
    // is a name here is granted.
    let repository: RepositoryName = name.parse().ok()?;
    let mut rights = Vec::new();
    for action in actions.split(',') {
        let wanted: &[Right] = match action {
            "pull" => &[Right::Read],
            "push" => &[Right::Push],
            "delete" => &[Right::Delete],
            "*" => &[Right::Read, Right::Push, Right::Delete],
            _ => &[],
        };
        for right in wanted {
            if !rights.contains(right) {
                rights.push(*right);
            }
        }
    }
    Some(Wanted { repository, rights })
}

/// The scope that a request for `right` in `repository` needs.
pub(crate) fn needed(repository: &RepositoryName, right: Right) -> String {
    let actions = match right {
        Right::Push => "pull,push",
        Right::Delete => "delete",
        Right::Read
        | Right::Scan
        | Right::ManagePolicy
        | Right::ManageConnectors
        | Right::ManageNamespace
        | Right::CreateNamespace
        | Right::ManageAccounts
        | Right::ReadAudit
        | Right::Operate => "pull",
    };
    format!("repository:{repository}:{actions}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> String {
        let scopes = Scopes::read([text].into_iter());
        let mut told: Vec<String> = Vec::new();
        for wanted in scopes.repositories {
            let rights: Vec<&str> = wanted.rights.iter().map(|it| it.name()).collect();
            told.push(format!("{}={}", wanted.repository, rights.join(",")));
        }
        if scopes.listing {
            told.push("listing".to_owned());
        }
        told.join(" ")
    }

    #[test]
    fn scopes_name_repositories_and_what_is_done_there() {
        for (text, expected) in [
            ("repository:team/app:pull", "team/app=read"),
            ("repository:a:pull,push,delete", "a=read,push,delete"),
            ("repository:a:*", "a=read,push,delete"),
            ("repository(plugin):a:pull", "a=read"),
            ("repository:a:pull repository:b:push", "a=read b=push"),
            ("repository:a:pull repository:a:push,pull", "a=read,push"),
            ("registry:catalog:*", "listing"),
            ("repository:a:fly", "a="),
            ("repository:../a:pull", ""),
            ("repository:a", ""),
            ("host:a:pull", ""),
            ("", ""),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn more_scopes_than_anybody_needs_are_not_granted() {
        let many: Vec<String> = (0..1000)
            .map(|at| format!("repository:a{at}:pull"))
            .collect();
        let scopes = Scopes::read(many.iter().map(String::as_str));
        assert_eq!(scopes.repositories.len(), MOST);
    }
}
