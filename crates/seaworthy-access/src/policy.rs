//! The decision itself: a function of who asks, for what, and where.

use seaworthy_store::{Namespace, RepositoryName};

use crate::principal::{Narrowed, Principal, Refusal};
use crate::right::{Right, Role};

/// Where something is asked for, to the repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    Installation,
    Namespace(&'a Namespace),
    Repository(&'a RepositoryName),
}

impl Target<'_> {
    pub(crate) fn namespace(&self) -> Option<Namespace> {
        match self {
            Self::Installation => None,
            Self::Namespace(namespace) => Some((*namespace).clone()),
            Self::Repository(repository) => Some(repository.namespace()),
        }
    }
}

/// Whether `principal` has `right` at `target`; `is_public` says whether anybody may
/// read there.
pub(crate) fn decide(
    principal: &Principal,
    right: Right,
    target: Target<'_>,
    is_public: bool,
) -> Result<(), Refusal> {
    if principal.must_change_password {
        return Err(Refusal::PasswordDue);
    }
    if right == Right::Read && is_public && target != Target::Installation {
        return Ok(());
    }
    let namespace = target.namespace();
    let by_role = principal
        .roles
        .iter()
        .any(|(place, role)| role_gives(place.as_ref(), *role, right, namespace.as_ref()));
    let by_credential = principal
        .narrowed
        .as_ref()
        .is_none_or(|items| items.iter().any(|item| covers(item, right, target)));
    if by_role && by_credential {
        return Ok(());
    }
    Err(match principal.account {
        None => Refusal::Anonymous(right),
        Some(_) => Refusal::Missing { right, namespace },
    })
}

/// Whether a role in `place` gives `right` in `namespace`. A role in a namespace gives
/// no right that is of the installation as a whole, whatever the role.
fn role_gives(
    place: Option<&Namespace>,
    role: Role,
    right: Right,
    namespace: Option<&Namespace>,
) -> bool {
    let is_there = match place {
        None => true,
        Some(place) => namespace == Some(place) && Role::NamespaceAdmin.rights().contains(&right),
    };
    is_there && role.rights().contains(&right)
}

/// Whether a narrowed credential is good for `right` at `target`.
fn covers(item: &Narrowed, right: Right, target: Target<'_>) -> bool {
    if !item.rights.contains(&right) {
        return false;
    }
    if let Some(only) = &item.namespace
        && target.namespace().as_ref() != Some(only)
    {
        return false;
    }
    let Some(only) = &item.repository else {
        return true;
    };
    match target {
        Target::Installation => false,
        // Pushing the first image of a namespace makes it: that is asked for the
        // namespace and comes with the repository.
        Target::Namespace(namespace) => {
            right == Right::CreateNamespace && namespace_of(only).as_ref() == Some(namespace)
        }
        Target::Repository(repository) => repository.as_str() == &**only,
    }
}

fn namespace_of(repository: &str) -> Option<Namespace> {
    let repository: RepositoryName = repository.parse().ok()?;
    Some(repository.namespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::{select, subsequence};
    use seaworthy_store::Actor;

    use super::*;

    fn namespace(name: &str) -> Namespace {
        name.parse().expect("a namespace")
    }

    fn somebody(roles: &[(Option<&str>, Role)]) -> Principal {
        Principal {
            actor: Actor::new("user:ada"),
            account: Some(1),
            roles: roles
                .iter()
                .map(|(place, role)| (place.map(namespace), *role))
                .collect(),
            ..Principal::anonymous()
        }
    }

    /// One line for each role: the rights it gives in its namespace.
    const TABLE: &str = "
        reader            read
        pusher            read push
        scan-operator     read scan
        policy-manager    read manage-policy
        connector-manager read manage-connectors
        namespace-admin   read push delete scan manage-policy manage-connectors manage-namespace
        admin             read push delete scan manage-policy manage-connectors manage-namespace
    ";

    #[test]
    fn a_role_in_a_namespace_gives_its_rights_there_and_none_elsewhere() {
        let (team, other) = (namespace("team"), namespace("other"));
        let app: RepositoryName = "team/app".parse().expect("a repository");
        let foreign: RepositoryName = "other/app".parse().expect("a repository");
        let lines = TABLE.lines().map(str::trim).filter(|it| !it.is_empty());
        for line in lines {
            let mut words = line.split_whitespace();
            let role: Role = words.next().expect("a role").parse().expect("a role");
            let given: Vec<Right> = words.map(|word| word.parse().expect("a right")).collect();
            let principal = somebody(&[(Some("team"), role)]);
            for right in Right::ALL {
                let expected = given.contains(&right);
                let at = |target| decide(&principal, right, target, false).is_ok();
                assert_eq!(at(Target::Namespace(&team)), expected, "{role} {right}");
                assert_eq!(at(Target::Repository(&app)), expected, "{role} {right}");
                assert!(!at(Target::Namespace(&other)), "{role} {right}");
                assert!(!at(Target::Repository(&foreign)), "{role} {right}");
                assert!(!at(Target::Installation), "{role} {right}");
            }
        }
    }

    #[test]
    fn a_role_everywhere_gives_its_rights_everywhere() {
        let team = namespace("team");
        for role in Role::ALL {
            let principal = somebody(&[(None, role)]);
            for right in Right::ALL {
                let expected = role.rights().contains(&right);
                let at = |target| decide(&principal, right, target, false).is_ok();
                assert_eq!(at(Target::Namespace(&team)), expected, "{role} {right}");
                assert_eq!(at(Target::Installation), expected, "{role} {right}");
            }
        }
    }

    #[test]
    fn anybody_may_read_a_public_namespace_and_do_nothing_else_there() {
        let team = namespace("team");
        for right in Right::ALL {
            let decision = decide(
                &Principal::anonymous(),
                right,
                Target::Namespace(&team),
                true,
            );
            match right {
                Right::Read => assert_eq!(decision, Ok(())),
                right => assert_eq!(decision, Err(Refusal::Anonymous(right))),
            }
        }
        let everywhere = decide(
            &Principal::anonymous(),
            Right::Read,
            Target::Installation,
            true,
        );
        assert!(everywhere.is_err());
    }

    #[test]
    fn a_refusal_names_the_right_and_the_place() {
        let team = namespace("team");
        let principal = somebody(&[(Some("team"), Role::Reader)]);
        let refusal = decide(&principal, Right::Push, Target::Namespace(&team), false);
        assert_eq!(
            refusal.expect_err("a reader").to_string(),
            "this needs the right `push` in the namespace `team`"
        );
    }

    #[test]
    fn nothing_goes_before_the_password_is_changed() {
        let team = namespace("team");
        let mut principal = somebody(&[(None, Role::Admin)]);
        principal.must_change_password = true;
        for right in Right::ALL {
            let decision = decide(&principal, right, Target::Namespace(&team), true);
            assert_eq!(decision, Err(Refusal::PasswordDue));
        }
    }

    #[test]
    fn a_credential_for_one_repository_may_make_its_namespace_and_no_other() {
        let mut principal = somebody(&[(None, Role::Admin)]);
        principal.narrowed = Some(vec![Narrowed {
            repository: Some("team/app".into()),
            namespace: None,
            rights: vec![Right::Push, Right::CreateNamespace],
        }]);
        let (team, other) = (namespace("team"), namespace("other"));
        let make = |target| decide(&principal, Right::CreateNamespace, target, false).is_ok();
        assert!(make(Target::Namespace(&team)));
        assert!(!make(Target::Namespace(&other)));
        assert!(!make(Target::Installation));
        let push = decide(&principal, Right::Push, Target::Namespace(&team), false);
        assert!(push.is_err(), "it is good for the repository only");
    }

    fn places() -> impl Strategy<Value = Option<Namespace>> {
        select(vec![None, Some("team"), Some("other"), Some("library")])
            .prop_map(|name| name.map(namespace))
    }

    fn narrowings() -> impl Strategy<Value = Vec<Narrowed>> {
        let repository = select(vec![None, Some("team/app"), Some("other/app"), Some("app")]);
        let rights = subsequence(Right::ALL.to_vec(), 0..=Right::ALL.len());
        let item =
            (repository, places(), rights).prop_map(|(repository, namespace, rights)| Narrowed {
                repository: repository.map(Into::into),
                namespace,
                rights,
            });
        proptest::collection::vec(item, 0..4)
    }

    proptest! {
        #[test]
        fn a_narrowed_principal_never_has_more_than_the_whole_one(
            roles in proptest::collection::vec((places(), select(Role::ALL.to_vec())), 0..4),
            narrowed in narrowings(),
            right in select(Right::ALL.to_vec()),
            is_public in any::<bool>(),
            repository in select(vec!["team/app", "team/other", "other/app", "app"]),
        ) {
            let whole = Principal { roles, ..somebody(&[]) };
            let part = Principal { narrowed: Some(narrowed), ..whole.clone() };
            let repository: RepositoryName = repository.parse().expect("a repository");
            let namespace = repository.namespace();
            let targets = [
                Target::Installation,
                Target::Namespace(&namespace),
                Target::Repository(&repository),
            ];
            for target in targets {
                if decide(&part, right, target, is_public).is_ok() {
                    prop_assert!(decide(&whole, right, target, is_public).is_ok());
                }
            }
        }
    }
}
