//! Directed graphs of names: knots and the shortest way round them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Who points at whom.
#[derive(Debug, Default, Clone)]
pub(crate) struct Graph {
    arrows: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    pub(crate) fn add(&mut self, from: &str, to: &str) {
        self.arrows.entry(to.to_owned()).or_default();
        self.arrows
            .entry(from.to_owned())
            .or_default()
            .insert(to.to_owned());
    }

    /// The groups of names that all reach each other, largest first; a name that
    /// points at itself does not count.
    pub(crate) fn knots(&self) -> Vec<BTreeSet<String>> {
        let reach: BTreeMap<&str, BTreeSet<&str>> = self
            .arrows
            .keys()
            .map(|name| (name.as_str(), self.reachable(name)))
            .collect();
        let mut knots = BTreeSet::new();
        for (name, reached) in &reach {
            let knot: BTreeSet<String> = reached
                .iter()
                .filter(|other| reach.get(*other).is_some_and(|back| back.contains(name)))
                .map(|other| (*other).to_owned())
                .collect();
            if knot.len() > 1 {
                knots.insert(knot);
            }
        }
        let mut knots: Vec<_> = knots.into_iter().collect();
        knots.sort_by_key(|knot| std::cmp::Reverse(knot.len()));
        knots
    }

    /// The shortest circle inside `knot`, its first name repeated at the end.
    pub(crate) fn shortest_circle(&self, knot: &BTreeSet<String>) -> Vec<String> {
        knot.iter()
            .filter_map(|start| self.circle_from(start))
            .min_by_key(Vec::len)
            .unwrap_or_default()
    }

    /// The number of arrows on the longest way down from each name. Only for a
    /// graph without knots.
    pub(crate) fn levels(&self) -> BTreeMap<String, usize> {
        let mut levels: BTreeMap<String, usize> = BTreeMap::new();
        // Each round settles at least one level, so as many rounds as names suffice.
        for _ in 0..=self.arrows.len() {
            for (from, targets) in &self.arrows {
                let level = targets
                    .iter()
                    .map(|to| levels.get(to).copied().unwrap_or(0) + 1)
                    .max()
                    .unwrap_or(0);
                levels.insert(from.clone(), level);
            }
        }
        levels
    }

    fn targets(&self, name: &str) -> impl Iterator<Item = &str> {
        self.arrows
            .get(name)
            .into_iter()
            .flatten()
            .map(String::as_str)
    }

    fn reachable(&self, start: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = self.targets(start).collect();
        while let Some(name) = open.pop() {
            if seen.insert(name) {
                open.extend(self.targets(name));
            }
        }
        seen
    }

    fn circle_from(&self, start: &str) -> Option<Vec<String>> {
        let mut came_from: BTreeMap<&str, &str> = BTreeMap::new();
        let mut open = VecDeque::from([start]);
        while let Some(name) = open.pop_front() {
            for next in self.targets(name) {
                if next == start && name != start {
                    let mut circle = vec![start.to_owned(), name.to_owned()];
                    let mut at = name;
                    while let Some(before) = came_from.get(at) {
                        circle.push((*before).to_owned());
                        at = before;
                    }
                    circle.reverse();
                    return Some(circle);
                }
                if next != start && !came_from.contains_key(next) {
                    came_from.insert(next, name);
                    open.push_back(next);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(arrows: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::default();
        for (from, to) in arrows {
            graph.add(from, to);
        }
        graph
    }

    #[test]
    fn a_ladder_has_no_knot_and_its_levels_count_from_the_ground() {
        let ladder = graph(&[("c", "b"), ("b", "a"), ("c", "a"), ("a", "a")]);
        assert!(ladder.knots().is_empty());
        let ladder = graph(&[("c", "b"), ("b", "a"), ("c", "a")]);
        let levels = ladder.levels();
        let level = |name| levels.get(name).copied();
        assert_eq!(
            [level("a"), level("b"), level("c")],
            [Some(0), Some(1), Some(2)]
        );
    }

    #[test]
    fn a_knot_names_its_shortest_circle() {
        let tangle = graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "b"), ("d", "a")]);
        let knots = tangle.knots();
        assert_eq!(knots.len(), 1);
        assert_eq!(
            knots[0].iter().map(String::as_str).collect::<Vec<_>>(),
            ["a", "b", "c"]
        );
        assert_eq!(tangle.shortest_circle(&knots[0]), ["b", "c", "b"]);
    }

    #[test]
    fn two_knots_are_two() {
        let tangle = graph(&[("a", "b"), ("b", "a"), ("x", "y"), ("y", "x"), ("a", "x")]);
        assert_eq!(tangle.knots().len(), 2);
    }
}
