//! What is passed on of a record that its author publishes, too.
//!
//! Collectors keep the ids of what they collect: `USN-1-1` is in Ubuntu's own feed
//! and in the general export. Told twice it would decide nothing, and make the
//! largest ecosystems of an edition twice as large.

use std::collections::{HashMap, HashSet};

use seaworthy_match::Trust;

use super::Compiler;

impl Compiler {
    /// Takes away what less trusted feeds say of a package under an id under which
    /// a more trusted one speaks of the same package. What else they say stays.
    pub(super) fn drop_copies(&mut self, order: &[usize]) {
        let mut by_id: HashMap<u32, Vec<usize>> = HashMap::new();
        for &index in order {
            if let Some(draft) = self.drafts.get(index).filter(|it| it.has_rows()) {
                by_id.entry(draft.id).or_default().push(index);
            }
        }
        for copies in by_id.into_values().filter(|copies| copies.len() > 1) {
            let mut trusted: Vec<(Trust, usize)> = copies
                .into_iter()
                .filter_map(|index| Some((self.trust_in(index)?, index)))
                .collect();
            trusted.sort_unstable_by_key(|&(trust, _)| std::cmp::Reverse(trust));
            let mut said: HashSet<u32> = HashSet::new();
            for equals in trusted.chunk_by(|(one, _), (other, _)| one == other) {
                for &(_, index) in equals {
                    self.keep_rows(index, &said);
                }
                for &(_, index) in equals {
                    said.extend(self.keys_of(index));
                }
            }
        }
    }

    fn trust_in(&self, index: usize) -> Option<Trust> {
        let feed = self.drafts.get(index)?.feed;
        Some(Trust::of_feed(self.pool.text(feed)))
    }

    fn keys_of(&self, index: usize) -> Vec<u32> {
        let range = self.drafts.get(index).map_or((0, 0), |draft| draft.rows);
        let rows = self.rows.get(range.0..range.1).unwrap_or_default();
        rows.iter().map(|row| row.key).collect()
    }

    /// Keeps the rows of a draft whose packages are not among `said`.
    fn keep_rows(&mut self, index: usize, said: &HashSet<u32>) {
        let Some(draft) = self.drafts.get_mut(index) else {
            return;
        };
        let (start, end) = draft.rows;
        let Some(rows) = self.rows.get_mut(start..end) else {
            return;
        };
        let mut kept = 0;
        for at in 0..rows.len() {
            if !said.contains(&rows[at].key) {
                rows.swap(kept, at);
                kept += 1;
            }
        }
        draft.rows.1 = start + kept;
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use seaworthy_core::{
        Advisory, AffectedInterval, Ecosystem, Fix, PackageKey, Stance, Statement, Upper,
    };
    use seaworthy_match::Advisories as _;

    use crate::{Compiler, Context, Edition};

    fn advisory(feed: &str, id: &str, packages: &[&str]) -> Advisory {
        let statement = |name: &&str| Statement {
            about: PackageKey {
                ecosystem: Ecosystem::of_release("Ubuntu", "22.04"),
                name: (*name).into(),
            },
            stance: Stance::Affected {
                intervals: vec![AffectedInterval {
                    from: None,
                    upper: Upper::Fixed("2".into()),
                }],
                versions: Vec::new(),
                fix: Fix::AsRanges,
            },
        };
        Advisory {
            feed: feed.into(),
            id: id.into(),
            modified: None,
            published: None,
            aliases: Vec::new(),
            bundles: Vec::new(),
            summary: "".into(),
            references: Vec::new(),
            ratings: Vec::new(),
            statements: packages.iter().map(statement).collect(),
        }
    }

    /// The feeds that speak of `package`.
    fn told(advisories: &[Advisory], package: &str) -> Vec<String> {
        let mut compiler = Compiler::new();
        for advisory in advisories {
            compiler.add(advisory).unwrap();
        }
        let edition = Edition::from_bytes(compiler.compile(&Context::default()).unwrap()).unwrap();
        let mut feeds = Vec::new();
        let ecosystem = Ecosystem::of_release("Ubuntu", "22.04");
        edition.about(&ecosystem, package, &mut |row| {
            feeds.push(edition.record(row.record).feed.to_string());
        });
        feeds.sort();
        feeds
    }

    #[test]
    fn what_is_passed_on_of_a_vendors_record_is_not_told_again() {
        let all = [
            advisory("osv/Ubuntu", "USN-1-1", &["curl", "vim"]),
            advisory("ubuntu/osv", "USN-1-1", &["curl"]),
        ];
        assert_eq!(told(&all, "curl"), ["ubuntu/osv"]);
        // What only the collector says stays.
        assert_eq!(told(&all, "vim"), ["osv/Ubuntu"]);
    }

    #[test]
    fn equals_and_other_ids_are_all_told() {
        let all = [
            advisory("osv/Ubuntu", "USN-1-1", &["curl"]),
            advisory("osv/Debian", "USN-1-1", &["curl"]),
            advisory("ubuntu/osv", "USN-2-1", &["curl"]),
        ];
        assert_eq!(
            told(&all, "curl"),
            ["osv/Debian", "osv/Ubuntu", "ubuntu/osv"]
        );
    }
}
