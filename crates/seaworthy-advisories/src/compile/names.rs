//! Which names are names of the same vulnerability.

use super::pool::Pool;

/// Disjoint groups of names, each with at most one CVE id unless made otherwise.
/// Names are numbers in the pool.
pub(super) struct Names {
    parent: Vec<u32>,
    cve: Vec<Option<u32>>,
}

/// The groups of [`Names`], ready to be asked.
pub(super) struct Groups {
    /// Root and member, sorted by root, the best-known name of each first.
    members: Vec<u32>,
    starts: std::collections::HashMap<u32, (usize, usize)>,
}

impl Names {
    /// Every text of the pool as a group of its own.
    pub(super) fn of(pool: &Pool) -> Self {
        let numbers = || (0..pool.len()).filter_map(|number| u32::try_from(number).ok());
        Self {
            parent: numbers().collect(),
            cve: numbers()
                .map(|number| is_cve(pool.text(number)).then_some(number))
                .collect(),
        }
    }

    /// The same, except that no CVE id keeps groups apart.
    pub(super) fn related(pool: &Pool) -> Self {
        let numbers = (0..pool.len()).filter_map(|number| u32::try_from(number).ok());
        Self {
            parent: numbers.collect(),
            cve: Vec::new(),
        }
    }

    /// The name that stands for the group of `name`.
    pub(super) fn root(&mut self, mut name: u32) -> u32 {
        loop {
            let above = self.parent_of(name);
            if above == name {
                return name;
            }
            // Halving the path keeps it short.
            let two_above = self.parent_of(above);
            if let Some(parent) = self.parent.get_mut(position(name)) {
                *parent = two_above;
            }
            name = two_above;
        }
    }

    /// The CVE id in the group of `name`.
    pub(super) fn cve_of(&mut self, name: u32) -> Option<u32> {
        let root = self.root(name);
        self.cve.get(position(root)).copied().flatten()
    }

    /// Makes two groups one. Refuses, with `false`, where both have a CVE id.
    pub(super) fn unite(&mut self, a: u32, b: u32) -> bool {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return true;
        }
        let cve = match (self.cve_of(a), self.cve_of(b)) {
            (Some(_), Some(_)) => return false,
            (one, other) => one.or(other),
        };
        if let Some(parent) = self.parent.get_mut(position(b)) {
            *parent = a;
        }
        if let Some(slot) = self.cve.get_mut(position(a)) {
            *slot = cve;
        }
        true
    }

    /// All groups of more than one name.
    pub(super) fn groups(&mut self, pool: &Pool) -> Groups {
        let mut members: Vec<(u32, u32)> = (0..pool.len())
            .filter_map(|number| u32::try_from(number).ok())
            .map(|name| (self.root(name), name))
            .collect();
        members.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| {
                let (a, b) = (pool.text(a.1), pool.text(b.1));
                fame(a).cmp(&fame(b)).then_with(|| a.cmp(b))
            })
        });
        let mut starts = std::collections::HashMap::new();
        let mut start = 0;
        for group in members.chunk_by(|a, b| a.0 == b.0) {
            let end = start + group.len();
            if let Some((root, _)) = group.first() {
                starts.insert(*root, (start, end));
            }
            start = end;
        }
        Groups {
            members: members.into_iter().map(|(_, name)| name).collect(),
            starts,
        }
    }

    fn parent_of(&self, name: u32) -> u32 {
        self.parent.get(position(name)).copied().unwrap_or(name)
    }
}

impl Groups {
    /// The names in the group of `root`, the best-known first.
    pub(super) fn members(&self, root: u32) -> &[u32] {
        self.starts
            .get(&root)
            .and_then(|&(start, end)| self.members.get(start..end))
            .unwrap_or_default()
    }
}

/// Whether a name is a CVE id.
pub(super) fn is_cve(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix("CVE-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(year, number)| year.len() == 4 && digits(year) && digits(number))
}

/// How well-known a kind of name is; lower is better.
fn fame(name: &str) -> u8 {
    if is_cve(name) {
        0
    } else if name.starts_with("GHSA-") {
        1
    } else {
        2
    }
}

fn position(name: u32) -> usize {
    usize::try_from(name).unwrap_or(usize::MAX)
}
