//! What somebody may see of all repositories, for lists and searches.

use seaworthy_access::{Principal, Right};
use seaworthy_store::Sight;

/// What `principal` may see.
pub(crate) fn of(principal: &Principal) -> Sight {
    let reads = |namespace: Option<&seaworthy_store::Namespace>| {
        principal.roles.iter().any(|(place, role)| {
            role.rights().contains(&Right::Read) && (place.is_none() || place.as_ref() == namespace)
        })
    };
    let Some(narrowed) = &principal.narrowed else {
        if reads(None) {
            return Sight::Everything;
        }
        let namespaces = principal
            .roles
            .iter()
            .filter(|(_, role)| role.rights().contains(&Right::Read))
            .filter_map(|(place, _)| place.clone());
        return Sight::Only {
            namespaces: namespaces.collect(),
            repositories: Vec::new(),
            public: true,
        };
    };
    let mut namespaces = Vec::new();
    let mut repositories = Vec::new();
    for part in narrowed {
        if !part.rights.contains(&Right::Read) {
            continue;
        }
        match (&part.repository, &part.namespace) {
            (Some(name), only) => {
                let name = name.parse::<seaworthy_store::RepositoryName>();
                repositories.extend(name.ok().filter(|name| {
                    let namespace = name.namespace();
                    reads(Some(&namespace)) && only.as_ref().is_none_or(|it| *it == namespace)
                }));
            }
            (None, Some(namespace)) => {
                if reads(Some(namespace)) {
                    namespaces.push(namespace.clone());
                }
            }
            (None, None) => {
                if reads(None) {
                    return Sight::Everything;
                }
                let granted = principal
                    .roles
                    .iter()
                    .filter_map(|(place, _)| place.clone());
                namespaces.extend(granted.filter(|it| reads(Some(it))));
            }
        }
    }
    Sight::Only {
        namespaces,
        repositories,
        public: true,
    }
}
