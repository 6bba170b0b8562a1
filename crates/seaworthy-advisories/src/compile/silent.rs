//! Which records without rows still count.
//!
//! A record that says nothing of any package (withdrawn, or a rating alone) may
//! still join two names, or rate a vulnerability that others speak of. Those that
//! cannot do either leave no trace in an edition.

use std::collections::HashSet;

use super::names::Names;
use super::{Compiler, Draft};

impl Compiler {
    /// The positions in `order` of the records without rows that may bear on a
    /// vulnerability which a record with rows speaks of.
    ///
    /// A name that is refused as an alias, because its group has another CVE id,
    /// tells groups apart. So what counts is whatever is related at all: then
    /// leaving out the rest changes nothing, and leaves out nothing the next time.
    pub(super) fn silent_records(&self, order: &[usize]) -> Vec<usize> {
        let mut related = Names::related(&self.pool);
        let mut candidates = Vec::new();
        for position in 0..order.len() {
            let draft = self.draft(order, position);
            if !self.is_one_vulnerability(draft) {
                continue;
            }
            for &alias in self.names_of(draft.aliases) {
                related.unite(draft.id, alias);
            }
            if !draft.has_rows() && self.names_or_rates(draft) {
                candidates.push(position);
            }
        }
        let mut told = HashSet::new();
        for position in 0..order.len() {
            let draft = self.draft(order, position);
            if draft.has_rows() {
                let names = [draft.aliases, draft.bundles].map(|range| self.names_of(range));
                let names = names.into_iter().flatten().chain([&draft.id]);
                told.extend(names.map(|&name| related.root(name)));
            }
        }
        candidates.retain(|&position| told.contains(&related.root(self.draft(order, position).id)));
        candidates
    }

    /// Whether a record is a vulnerability, rather than a notice for several: only
    /// then are its names names of the same.
    fn is_one_vulnerability(&self, draft: &Draft) -> bool {
        self.names_of(draft.bundles).is_empty() && self.cves_of(draft).len() < 2
    }

    fn names_or_rates(&self, draft: &Draft) -> bool {
        !self.names_of(draft.aliases).is_empty()
            || self
                .body(draft)
                .is_some_and(|body| !body.ratings.is_empty())
    }
}
