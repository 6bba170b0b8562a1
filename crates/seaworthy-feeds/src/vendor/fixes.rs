//! Versions that fixed one thing in one package.

use std::cmp::Ordering;

use seaworthy_core::{AffectedInterval, Fix, Scheme, Stance, Upper};

/// The last of the versions that fixed something: where a fix is listed again at
/// a later version, the one before was not complete.
pub(super) struct Fixes {
    scheme: Scheme,
    /// Several only if nobody can order them.
    last: Vec<Box<str>>,
}

impl Fixes {
    pub(super) fn ordered_by(scheme: Scheme) -> Self {
        Self {
            scheme,
            last: Vec::new(),
        }
    }

    pub(super) fn add(&mut self, version: &str) {
        for kept in &mut self.last {
            match self.scheme.compare(kept, version) {
                Some(Ordering::Less) => {
                    *kept = version.into();
                    return;
                }
                Some(_) => return,
                None if **kept == *version => return,
                None => {}
            }
        }
        self.last.push(version.into());
    }

    pub(super) fn join(&mut self, other: Self) {
        for version in other.last {
            self.add(&version);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// Every version before the fix is affected.
    pub(super) fn affected(self) -> Stance {
        self.affected_from(|_| None)
    }

    /// Every version from the one that `from` answers for a fix up to that fix is
    /// affected.
    pub(super) fn affected_from(self, from: impl Fn(&str) -> Option<Box<str>>) -> Stance {
        Stance::Affected {
            intervals: self
                .last
                .into_iter()
                .map(|version| AffectedInterval {
                    from: from(&version),
                    upper: Upper::Fixed(version),
                })
                .collect(),
            versions: Vec::new(),
            fix: Fix::AsRanges,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_fix_counts_and_what_nobody_can_order_is_kept() {
        for (versions, expected) in [
            ("1.2-r0 1.10-r0 1.9-r0", "1.10-r0"),
            ("1.2-r0 1.2-r0", "1.2-r0"),
            ("1.r2 1-r2 1.r2 2-r0", "1.r2 2-r0"),
            ("", ""),
        ] {
            let mut fixes = Fixes::ordered_by(Scheme::Apk);
            for version in versions.split_whitespace() {
                fixes.add(version);
            }
            assert_eq!(fixes.last.join(" "), expected);
        }
    }
}
