//! Sentences that every document says the same way.

use seaworthy_core::{Blindness, FixState, Reason};

/// How often something is, with the noun in the right number: `1 package`,
/// `51,435 packages`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    let noun = match (number, noun) {
        (1, _) => noun.to_owned(),
        (_, _) => match noun.strip_suffix('y') {
            Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => format!("{stem}ies"),
            Some(_) | None => format!("{noun}s"),
        },
    };
    format!("{} {noun}", grouped(number))
}

/// A number with a comma between thousands.
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count of the core's, for [`count`] and [`grouped`].
pub(crate) fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// What is missing, as one sentence without a full stop.
pub(crate) fn sentence(blindness: &Blindness) -> String {
    match blindness {
        Blindness::NoEdition => "there is no edition of advisories to compare with".to_owned(),
        Blindness::EmptyEdition => "the edition holds no advisories".to_owned(),
        Blindness::StarterEditionOnly => {
            "only the starter edition was at hand; it knows famous vulnerabilities and no others"
                .to_owned()
        }
        Blindness::NoDistro => {
            "there are operating system packages, but nothing says of which distribution".to_owned()
        }
        Blindness::NothingFound => "no package and no distribution was found".to_owned(),
        Blindness::NoPackageDatabase { distro } => {
            format!("the image says it is {distro}, but holds no package database that we read")
        }
        Blindness::NotCovered {
            ecosystem,
            packages,
        } => format!(
            "no feed covers {ecosystem}, so {} could not be judged",
            count(*packages, "package")
        ),
        Blindness::ThinlyCovered {
            ecosystem,
            packages,
            advisories,
        } => format!(
            "the edition has only {} for {ecosystem}, too few to judge {}",
            match advisories {
                1 => "1 advisory".to_owned(),
                more => format!("{} advisories", grouped(size(*more))),
            },
            count(*packages, "package")
        ),
        Blindness::EndOfLife { distro, ended } => {
            format!(
                "{distro} has had no security updates since {ended}, so its advisories end there"
            )
        }
        Blindness::Stale {
            ecosystem,
            day: Some(day),
            max_age_days,
        } => format!(
            "what is known of {ecosystem} is from {day}, older than the {} the policy allows",
            count(size(u64::from(*max_age_days)), "day")
        ),
        Blindness::Stale {
            ecosystem,
            day: None,
            max_age_days,
        } => format!(
            "nothing says how old the advisories for {ecosystem} are; the policy allows {}",
            count(size(u64::from(*max_age_days)), "day")
        ),
        Blindness::NotCompared { ecosystem, names } => format!(
            "{} of {ecosystem} could not be compared: {}",
            count(names.len(), "version"),
            listed(names, 5)
        ),
        Blindness::UnderReview { findings } => format!(
            "the vendor has not decided yet about {}",
            count(*findings, "finding"),
        ),
        Blindness::Unrated { findings } => format!(
            "{} carr{} no rating, so no threshold can judge {}",
            count(*findings, "finding"),
            if *findings == 1 { "ies" } else { "y" },
            if *findings == 1 { "it" } else { "them" }
        ),
        Blindness::Gaps { count: gaps } => {
            format!(
                "{} could not be read, or only in part",
                count(*gaps, "file")
            )
        }
    }
}

/// How to get what is missing, as one sentence without a full stop.
pub(crate) fn remedy(blindness: &Blindness) -> &'static str {
    match blindness {
        Blindness::NoEdition | Blindness::EmptyEdition | Blindness::StarterEditionOnly => {
            "fetch a full edition: seaworthy db update"
        }
        Blindness::NoDistro => {
            "keep /etc/os-release in the image, or judge these packages by other means"
        }
        Blindness::NothingFound => {
            "check that this is the image you mean; a static binary without build \
             information tells nothing about itself"
        }
        Blindness::NoPackageDatabase { .. } => {
            "keep the package database in the image, or scan the image before it is stripped"
        }
        Blindness::NotCovered { .. } => {
            "update from a source that covers it, if there is one: seaworthy db update --from SOURCE; \
             seaworthy db status lists what the edition covers"
        }
        Blindness::ThinlyCovered { .. } => {
            "update from the complete feed, not an excerpt: seaworthy db update"
        }
        Blindness::EndOfLife { .. } => "move to a release that is still supported",
        Blindness::Stale { .. } => "fetch a newer edition: seaworthy db update",
        Blindness::NotCompared { .. } => {
            "look these packages up by hand; their versions do not follow the rules of \
             their ecosystem"
        }
        Blindness::UnderReview { .. } => {
            "read these findings yourself, or try again when the vendor has decided"
        }
        Blindness::Unrated { .. } => {
            "read these findings yourself, or try again when somebody has rated them"
        }
        Blindness::Gaps { .. } => "see the list of gaps for each file and the reason",
    }
}

/// Why an image fails, as one sentence without a full stop.
pub(crate) fn because(reason: &Reason, package: &str) -> String {
    format!(
        "{} in {package} is {}, {}",
        reason.vulnerability,
        reason.severity,
        if reason.fix_available {
            "and a fix is out"
        } else {
            "and no fix is known"
        }
    )
}

/// What can be done about a finding, in two or three words.
pub(crate) fn fix(state: &FixState) -> &str {
    match state {
        FixState::In(versions) => versions.first().map_or("fixed", |version| version),
        FixState::Subscription(_) => "for subscribers",
        FixState::WontFix => "won't fix",
        FixState::NotYet => "no fix yet",
        FixState::UnderReview => "under review",
        FixState::Unknown => "fix unknown",
    }
}

/// The first few names, and how many more there are.
pub(crate) fn listed(names: &[Box<str>], most: usize) -> String {
    let mut out = names
        .iter()
        .take(most)
        .map(AsRef::as_ref)
        .collect::<Vec<&str>>()
        .join(", ");
    if names.len() > most {
        out.push_str(" and ");
        out.push_str(&grouped(names.len() - most));
        out.push_str(" more");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well_and_nouns_follow_them() {
        assert_eq!(count(1, "package"), "1 package");
        assert_eq!(count(0, "package"), "0 packages");
        assert_eq!(count(51_435, "advisory"), "51,435 advisories");
        assert_eq!(count(7, "day"), "7 days");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000_000), "1,000,000");
    }

    #[test]
    fn a_long_list_of_names_ends_in_a_number() {
        let names: Vec<Box<str>> = ["a", "b", "c"].map(Into::into).into();
        assert_eq!(listed(&names, 3), "a, b, c");
        assert_eq!(listed(&names, 2), "a, b and 1 more");
    }
}
