//! When manifests were last pulled, gathered in memory: pulls are many and each one
//! alone tells little.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::clock::Millis;

/// A manifest's pulls are told at most once within this time, in milliseconds.
const ONCE_WITHIN: i64 = 60_000;

/// The most manifests that are remembered: a flood of names costs memory only so far.
const MOST: usize = 100_000;

/// Gathers pulls; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pulls(Arc<Mutex<Gathered>>);

#[derive(Debug, Default)]
struct Gathered {
    /// By repository and content address, when it was last told.
    told: HashMap<Box<str>, HashMap<Box<str>, Millis>>,
    count: usize,
    waiting: Vec<Pull>,
}

/// A pull to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pull {
    pub(crate) repository: Box<str>,
    pub(crate) address: Box<str>,
    pub(crate) at: Millis,
}

impl Pulls {
    /// A manifest was pulled.
    pub(crate) fn note(&self, repository: &str, address: &str, now: Millis) {
        let mut gathered = self.gathered();
        let told = gathered.told.get_mut(repository);
        match told.and_then(|it| it.get_mut(address)) {
            Some(last) if now < last.plus(ONCE_WITHIN) => return,
            Some(last) => *last = now,
            None => {
                if gathered.count >= MOST {
                    gathered.told.clear();
                    gathered.count = 0;
                }
                gathered.count += 1;
                let told = gathered.told.entry(repository.into()).or_default();
                told.insert(address.into(), now);
            }
        }
        if gathered.waiting.len() < MOST {
            gathered.waiting.push(Pull {
                repository: repository.into(),
                address: address.into(),
                at: now,
            });
        }
    }

    /// Takes what is to be written down, in the order in which rows are changed.
    pub(crate) fn take(&self) -> Vec<Pull> {
        let mut waiting = std::mem::take(&mut self.gathered().waiting);
        waiting.sort_by(|a, b| {
            let key = |it: &Pull| (it.repository.clone(), it.address.clone(), it.at);
            key(a).cmp(&key(b))
        });
        waiting
    }

    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        // Nothing in here panics halfway through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_pulls_within_a_minute_are_told_once() {
        let pulls = Pulls::default();
        for at in [0, 1, 59_999, 60_000, 60_001] {
            pulls.note("b", "x", Millis(at));
        }
        pulls.note("a", "x", Millis(5));
        let told: Vec<_> = pulls.take();
        let told: Vec<_> = told.iter().map(|it| (&*it.repository, it.at.0)).collect();
        assert_eq!(told, [("a", 5), ("b", 0), ("b", 60_000)]);
        assert!(pulls.take().is_empty());
    }
}
