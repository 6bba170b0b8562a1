//! Sets of versions as people write them: `~> 5.2.6, >= 5.2.6.2`, `^8.1.4 || 7.x`.
//!
//! Some sources list what is affected, others what is patched, so sets can be
//! joined, intersected and turned around before they become intervals.

use std::cmp::Ordering;

use seaworthy_core::{AffectedInterval, Scheme, Upper};

/// Why a requirement cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum RequirementError {
    /// It is not written in the language of its source.
    #[error("`{text}` is not a requirement")]
    Unreadable {
        /// Its start.
        text: Box<str>,
    },
    /// Two of its versions have no order.
    #[error("`{one}` and `{other}` have no order")]
    Unordered {
        /// One version.
        one: Box<str>,
        /// Another.
        other: Box<str>,
    },
    /// It is affected from the version after this one, whichever that is.
    #[error("it begins after `{version}`, which no interval says")]
    After {
        /// The last version before.
        version: Box<str>,
    },
    /// More than anyone writes.
    #[error("more than {MAX_SPANS} stretches of versions")]
    TooMany,
}

/// Stretches in one set, and bytes of one requirement.
const MAX_SPANS: usize = 500;
const MAX_TEXT: usize = 2_000;

/// A place between versions.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Edge {
    /// Just before this version.
    Before(Box<str>),
    /// Just after this version.
    After(Box<str>),
}

impl Edge {
    fn version(&self) -> &str {
        match self {
            Self::Before(version) | Self::After(version) => version,
        }
    }
}

/// A contiguous stretch. `None` is without end on that side.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span {
    low: Option<Edge>,
    high: Option<Edge>,
}

/// A set of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Versions {
    scheme: Scheme,
    /// In no order, and they may overlap.
    spans: Vec<Span>,
}

impl Versions {
    pub(super) fn none(scheme: Scheme) -> Self {
        Self {
            scheme,
            spans: Vec::new(),
        }
    }

    pub(super) fn all(scheme: Scheme) -> Self {
        Self::between(scheme, None, None)
    }

    fn between(scheme: Scheme, low: Option<Edge>, high: Option<Edge>) -> Self {
        Self {
            scheme,
            spans: vec![Span { low, high }],
        }
    }

    /// Versions that satisfy `Gem::Requirement`: clauses with commas between them,
    /// all of which hold.
    pub(super) fn of_gems(text: &str) -> Result<Self, RequirementError> {
        let scheme = Scheme::Gem;
        bounded(text)?;
        text.split(',').try_fold(Self::all(scheme), |set, clause| {
            let clause = clause.trim();
            let part = match clause.strip_prefix("~>") {
                Some(version) => {
                    let version = checked(scheme, version)?;
                    let next = after_gems_like(&version).ok_or_else(|| unreadable(clause))?;
                    let (low, high) = (Edge::Before(version), Edge::Before(next.into()));
                    Self::between(scheme, Some(low), Some(high))
                }
                None => Self::of_clause(scheme, clause)?,
            };
            set.intersection(&part)
        })
    }

    /// Versions that satisfy all of `clauses`, each a comparison like `<7.4.12`.
    pub(super) fn of_comparisons<'a>(
        scheme: Scheme,
        clauses: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, RequirementError> {
        clauses
            .into_iter()
            .try_fold(Self::all(scheme), |set, clause| {
                bounded(clause)?;
                set.intersection(&Self::of_clause(scheme, clause)?)
            })
    }

    /// Versions in a range as npm's tools read it: alternatives with `||` between
    /// them, of clauses that all hold. A version may end early or in `x`.
    pub(super) fn of_npm_range(text: &str) -> Result<Self, RequirementError> {
        let scheme = Scheme::Semver;
        bounded(text)?;
        let mut set = Self::none(scheme);
        for alternative in text.split("||") {
            let mut part = Self::all(scheme);
            let mut operator = String::new();
            for word in alternative.split_whitespace() {
                let version = word.trim_start_matches(['<', '>', '=', '^', '~']);
                operator.push_str(word.get(..word.len() - version.len()).unwrap_or_default());
                // `>= 4` is written like `>=4`.
                if version.is_empty() {
                    continue;
                }
                part = part.intersection(&Self::of_npm_clause(&operator, version)?)?;
                operator.clear();
            }
            if !operator.is_empty() || alternative.trim().is_empty() {
                return Err(unreadable(alternative));
            }
            set = set.union(part)?;
        }
        Ok(set)
    }

    fn of_npm_clause(operator: &str, text: &str) -> Result<Self, RequirementError> {
        let scheme = Scheme::Semver;
        let parts = numbers(text).ok_or_else(|| unreadable(text))?;
        let version = |parts: &[u64]| -> Box<str> {
            let part = |at: usize| parts.get(at).copied().unwrap_or(0);
            format!("{}.{}.{}", part(0), part(1), part(2)).into()
        };
        // The first version that differs in the number at `place`.
        let next = |place: usize| -> Box<str> {
            let mut higher: Vec<u64> = parts.iter().copied().take(place + 1).collect();
            if let Some(last) = higher.last_mut() {
                *last = last.saturating_add(1);
            }
            version(&higher)
        };
        let first = || Some(Edge::Before(version(&parts)));
        let last = parts.len().saturating_sub(1);
        let (low, high) = match operator {
            "" | "=" => (first(), Some(Edge::Before(next(last)))),
            "~" => (first(), Some(Edge::Before(next(last.min(1))))),
            "^" => {
                let place = parts.iter().position(|part| *part > 0).unwrap_or(last);
                (first(), Some(Edge::Before(next(place))))
            }
            ">=" => (first(), None),
            "<" => (None, first()),
            "<=" => (None, Some(Edge::Before(next(last)))),
            ">" => (Some(Edge::Before(next(last))), None),
            _ => return Err(unreadable(operator)),
        };
        // A whole version is one version, and the next is not known.
        let (low, high) = match operator {
            "" | "=" | "<=" if parts.len() == 3 => (low, Some(Edge::After(version(&parts)))),
            ">" if parts.len() == 3 => (Some(Edge::After(version(&parts))), None),
            _ => (low, high),
        };
        Ok(Self::between(scheme, low, high))
    }

    /// One comparison.
    fn of_clause(scheme: Scheme, clause: &str) -> Result<Self, RequirementError> {
        let clause = clause.trim();
        let version = clause.trim_start_matches(['<', '>', '=', '!']);
        let operator = clause
            .get(..clause.len() - version.len())
            .unwrap_or_default();
        let version = checked(scheme, version)?;
        let (low, high) = match operator {
            ">=" => (Some(Edge::Before(version)), None),
            ">" => (Some(Edge::After(version)), None),
            "<" => (None, Some(Edge::Before(version))),
            "<=" => (None, Some(Edge::After(version))),
            "" | "=" | "==" => (
                Some(Edge::Before(version.clone())),
                Some(Edge::After(version)),
            ),
            "!=" => {
                let below = Self::between(scheme, None, Some(Edge::Before(version.clone())));
                return below.union(Self::between(scheme, Some(Edge::After(version)), None));
            }
            _ => return Err(unreadable(clause)),
        };
        Ok(Self::between(scheme, low, high))
    }

    /// What is in either.
    pub(super) fn union(mut self, other: Self) -> Result<Self, RequirementError> {
        self.spans.extend(other.spans);
        if self.spans.len() > MAX_SPANS {
            return Err(RequirementError::TooMany);
        }
        Ok(self)
    }

    /// What is in both.
    pub(super) fn intersection(&self, other: &Self) -> Result<Self, RequirementError> {
        let mut spans = Vec::new();
        for one in &self.spans {
            for two in &other.spans {
                let low = match (&one.low, &two.low) {
                    (Some(a), Some(b)) if self.order(a, b)?.is_lt() => Some(b),
                    (Some(a), _) => Some(a),
                    (None, b) => b.as_ref(),
                };
                let high = match (&one.high, &two.high) {
                    (Some(a), Some(b)) if self.order(a, b)?.is_gt() => Some(b),
                    (Some(a), _) => Some(a),
                    (None, b) => b.as_ref(),
                };
                let is_empty = match (low, high) {
                    (Some(low), Some(high)) => self.order(low, high)?.is_ge(),
                    _ => false,
                };
                if is_empty {
                    continue;
                }
                if spans.len() >= MAX_SPANS {
                    return Err(RequirementError::TooMany);
                }
                spans.push(Span {
                    low: low.cloned(),
                    high: high.cloned(),
                });
            }
        }
        Ok(Self {
            scheme: self.scheme,
            spans,
        })
    }

    /// What is not in it, in order and without overlaps.
    pub(super) fn complement(&self) -> Result<Self, RequirementError> {
        let mut rest = Self::all(self.scheme);
        for span in &self.spans {
            let below = span.low.clone().map(|low| Span {
                low: None,
                high: Some(low),
            });
            let above = span.high.clone().map(|high| Span {
                low: Some(high),
                high: None,
            });
            rest = rest.intersection(&Self {
                scheme: self.scheme,
                spans: below.into_iter().chain(above).collect(),
            })?;
        }
        Ok(rest)
    }

    /// The set as stretches that are affected: in order, and those that touch each
    /// other as one.
    pub(super) fn intervals(&self) -> Result<Vec<AffectedInterval>, RequirementError> {
        let joined = self.complement()?.complement()?;
        joined
            .spans
            .into_iter()
            .map(|span| {
                let from = match span.low {
                    None => None,
                    Some(Edge::Before(version)) => Some(version),
                    Some(Edge::After(version)) => match successor(self.scheme, &version) {
                        Some(next) => Some(next),
                        None => return Err(RequirementError::After { version }),
                    },
                };
                let upper = match span.high {
                    None => Upper::Open,
                    Some(Edge::Before(version)) => Upper::Fixed(version),
                    Some(Edge::After(version)) => Upper::LastAffected(version),
                };
                Ok(AffectedInterval { from, upper })
            })
            .collect()
    }

    fn order(&self, one: &Edge, other: &Edge) -> Result<Ordering, RequirementError> {
        let order = self
            .scheme
            .compare(one.version(), other.version())
            .ok_or_else(|| RequirementError::Unordered {
                one: one.version().into(),
                other: other.version().into(),
            })?;
        let after = |edge: &Edge| matches!(edge, Edge::After(_));
        Ok(order.then(after(one).cmp(&after(other))))
    }
}

fn unreadable(text: &str) -> RequirementError {
    RequirementError::Unreadable {
        text: text.trim().chars().take(80).collect::<String>().into(),
    }
}

fn bounded(text: &str) -> Result<(), RequirementError> {
    if text.len() > MAX_TEXT {
        return Err(unreadable(text));
    }
    Ok(())
}

fn checked(scheme: Scheme, version: &str) -> Result<Box<str>, RequirementError> {
    let version = version.trim();
    scheme.check(version).map_err(|_| unreadable(version))?;
    Ok(version.into())
}

/// The numbers of a version that may end early or in `x`: `0.10.x` is 0 and 10.
fn numbers(text: &str) -> Option<Vec<u64>> {
    let mut found = Vec::new();
    for part in text.trim_start_matches('v').split('.') {
        if matches!(part, "x" | "X" | "*") {
            break;
        }
        found.push(part.parse().ok()?);
    }
    (1..=3).contains(&found.len()).then_some(found)
}

/// A version that comes right after `version`, so that nobody ever releases one
/// between them. It need not exist.
fn successor(scheme: Scheme, version: &str) -> Option<Box<str>> {
    let next: String = match scheme {
        // The smallest beta of the next version.
        Scheme::Semver => match *numbers(version)?.as_slice() {
            [major, minor, patch] => format!("{major}.{minor}.{}-0", patch.checked_add(1)?),
            _ => return None,
        },
        Scheme::Gem => format!("{version}.0.0.1"),
        // A patch of a release, the way PHP's developers used to number them.
        Scheme::Composer => format!("{version}-patch0"),
        _ => return None,
    };
    (scheme.compare(version, &next) == Some(Ordering::Less)).then(|| next.into())
}

/// The end of `~> version`: the first version, betas too, that differs before the
/// last number.
fn after_gems_like(version: &str) -> Option<String> {
    let mut parts: Vec<u64> = Vec::new();
    for part in version.split(['.', '-']) {
        // What follows a word only says how far a beta is.
        let Ok(number) = part.parse() else { break };
        parts.push(number);
    }
    if parts.len() > 1 {
        parts.pop();
    }
    let last = parts.last_mut()?;
    *last = last.checked_add(1)?;
    let words: Vec<String> = parts.iter().map(u64::to_string).collect();
    Some(format!("{}.a", words.join(".")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(versions: Result<Versions, RequirementError>) -> String {
        let intervals = versions.and_then(|it| it.intervals());
        match intervals {
            Ok(intervals) => intervals
                .iter()
                .map(|it| {
                    let from = it.from.as_deref().unwrap_or_default();
                    match &it.upper {
                        Upper::Open => format!("[{from}..)"),
                        Upper::Fixed(end) => format!("[{from}..{end})"),
                        Upper::LastAffected(end) => format!("[{from}..{end}]"),
                    }
                })
                .collect::<Vec<_>>()
                .join(" "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_requirement_of_gems_is_read_as_ruby_reads_it() {
        for (text, expected) in [
            (">= 7.0.2.2", "[7.0.2.2..)"),
            (
                "~> 5.2.6, >= 5.2.6.2",
                "[5.2.6.2..5.2.7.a)".replace("5.2.7.a", "5.3.a").as_str(),
            ),
            ("~> 5.2.6.2", "[5.2.6.2..5.2.7.a)"),
            ("~> 3", "[3..4.a)"),
            ("~> 2.0.0.rc1", "[2.0.0.rc1..2.1.a)"),
            ("< 5.0.0", "[..5.0.0)"),
            ("<= 1.0", "[..1.0]"),
            ("= 1.0", "[1.0..1.0]"),
            ("1.0", "[1.0..1.0]"),
            ("> 1.0", "[1.0.0.0.1..)"),
            ("!= 1.0", "[..1.0) [1.0.0.0.1..)"),
            (">= 2, < 1", ""),
            ("", "`` is not a requirement"),
            ("~> x", "`x` is not a requirement"),
            ("=> 1", "`=> 1` is not a requirement"),
        ] {
            assert_eq!(told(Versions::of_gems(text)), expected, "{text}");
        }
    }

    #[test]
    fn a_range_of_npm_is_read_as_npm_reads_it() {
        for (text, expected) in [
            ("8.x", "[8.0.0..9.0.0)"),
            ("8.x || 9.x || 4.x", "[4.0.0..5.0.0) [8.0.0..10.0.0)"),
            ("0.10.x", "[0.10.0..0.11.0)"),
            ("^8.1.4", "[8.1.4..9.0.0)"),
            ("^0.10.48", "[0.10.48..0.11.0)"),
            ("^0.0.3", "[0.0.3..0.0.4)"),
            ("^0", "[0.0.0..1.0.0)"),
            ("~1.2.3", "[1.2.3..1.3.0)"),
            ("~1", "[1.0.0..2.0.0)"),
            ("<= 10", "[..11.0.0)"),
            ("<=10.1.2", "[..10.1.2]"),
            (">=4 <6.1", "[4.0.0..6.1.0)"),
            ("1.2.3", "[1.2.3..1.2.3]"),
            (" 10.x ||12", "[10.0.0..11.0.0) [12.0.0..13.0.0)"),
            (">1.2", "[1.3.0..)"),
            (">1.2.3", "[1.2.4-0..)"),
            ("8.x ||", "`` is not a requirement"),
            (">=", "`>=` is not a requirement"),
            ("latest", "`latest` is not a requirement"),
            ("1.2.3-rc.1", "`1.2.3-rc.1` is not a requirement"),
            ("=<1", "`=<` is not a requirement"),
        ] {
            assert_eq!(told(Versions::of_npm_range(text)), expected, "{text}");
        }
    }

    #[test]
    fn what_is_not_patched_is_affected() {
        let affected = |patched: &[&str]| {
            let scheme = Scheme::Gem;
            told(
                patched
                    .iter()
                    .try_fold(Versions::none(scheme), |set, text| {
                        set.union(Versions::of_gems(text)?)
                    })
                    .and_then(|set| set.complement()),
            )
        };
        for (patched, expected) in [
            (
                &[
                    "~> 5.2.6, >= 5.2.6.2",
                    "~> 6.0.4, >= 6.0.4.6",
                    ">= 7.0.2.2",
                    "< 5.0.0",
                ][..],
                "[5.0.0..5.2.6.2) [5.3.a..6.0.4.6) [6.1.a..7.0.2.2)",
            ),
            (&[], "[..)"),
            (&[">= 1", "< 2"], ""),
            (&["<= 1"], "[1.0.0.1..)"),
            (&["= 1.5", "<= 1", ">= 1.0"], ""),
            (
                &["= 2.2.10", ">= 2.2.18", "< 1.16"],
                "[1.16..2.2.10) [2.2.10.0.0.1..2.2.18)",
            ),
        ] {
            assert_eq!(affected(patched), expected, "{patched:?}");
        }
    }

    #[test]
    fn comparisons_hold_together() {
        let read = |clauses: &[&str]| {
            told(Versions::of_comparisons(
                Scheme::Composer,
                clauses.iter().copied(),
            ))
        };
        assert_eq!(read(&[">=7.4.0", "<7.4.12"]), "[7.4.0..7.4.12)");
        assert_eq!(read(&["<=2.0"]), "[..2.0]");
        assert_eq!(read(&["^2.0"]), "`^2.0` is not a requirement");
        assert_eq!(read(&[">0.7.1", "<1"]), "[0.7.1-patch0..1)");
        assert_eq!(
            read(&[">1.0-beta2"]),
            "it begins after `1.0-beta2`, which no interval says"
        );
    }

    #[test]
    fn nothing_is_released_between_a_version_and_what_comes_after() {
        for (scheme, version, later) in [
            (Scheme::Gem, "2.2.10", "2.2.10.1 2.2.11.rc1 2.2.11 2.3"),
            (Scheme::Gem, "2.0.rc1", "2.0.rc1.1 2.0.rc2 2.0"),
            (Scheme::Semver, "4.4.2", "4.4.3-rc.1 4.4.3 4.5.0-0"),
            (
                Scheme::Composer,
                "0.7.1",
                "0.7.1-patch1 0.7.1.1 0.7.2-RC1 0.7.2",
            ),
        ] {
            let next = successor(scheme, version).unwrap_or_default();
            for later in later.split(' ') {
                assert_eq!(
                    scheme.compare(&next, later),
                    Some(Ordering::Less),
                    "{next} {later}"
                );
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_read_or_refused(text in "[~<>=^!|, .x0-9a-c]{0,24}") {
            let _ = told(Versions::of_gems(&text));
            let _ = told(Versions::of_npm_range(&text));
            let _ = told(Versions::of_comparisons(Scheme::Composer, text.split(',')));
        }
    }
}
