//! What was read a moment ago and need not be read again.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use seaworthy_store::Millis;

/// How long what was read is believed, in milliseconds. A change on another node is
/// seen after that; one on this node at once.
const BELIEVED: i64 = 2_000;

/// More are never remembered.
const MOST: usize = 20_000;

/// Answers by question, for a moment, and for as long as this process changes nothing.
pub(crate) struct Recent<K, V> {
    inner: Mutex<Inner<K, V>>,
}

struct Inner<K, V> {
    changes: u64,
    answers: HashMap<K, (Millis, V)>,
}

impl<K, V> Default for Recent<K, V> {
    fn default() -> Self {
        Self {
            inner: Mutex::new(Inner {
                changes: 0,
                answers: HashMap::new(),
            }),
        }
    }
}

impl<K: Eq + Hash, V: Clone> Recent<K, V> {
    /// What was answered a moment ago. `changes` counts the changes of this process so
    /// far.
    pub(crate) fn answer(&self, question: &K, now: Millis, changes: u64) -> Option<V> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.forget_before(changes);
        let (at, value) = inner.answers.get(question)?;
        let age = now.0 - at.0;
        (0..BELIEVED).contains(&age).then(|| value.clone())
    }

    /// Remembers an answer that was looked for at `now`, after `changes` changes. If
    /// there was another change since, it is old already.
    pub(crate) fn remember(&self, question: K, value: V, now: Millis, changes: u64) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.changes > changes {
            return;
        }
        inner.forget_before(changes);
        if inner.answers.len() >= MOST {
            inner.answers.clear();
        }
        inner.answers.insert(question, (now, value));
    }
}

impl<K, V> Inner<K, V> {
    fn forget_before(&mut self, changes: u64) {
        if self.changes < changes {
            self.answers.clear();
            self.changes = changes;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_believed_for_two_seconds_and_until_something_changes() {
        let recent = Recent::default();
        recent.remember("ada", 1, Millis(10_000), 0);
        assert_eq!(recent.answer(&"ada", Millis(11_999), 0), Some(1));
        assert_eq!(recent.answer(&"ada", Millis(12_000), 0), None);
        assert_eq!(recent.answer(&"ada", Millis(9_000), 0), None, "turned back");
        assert_eq!(recent.answer(&"ada", Millis(10_001), 1), None);
        assert_eq!(recent.answer(&"ada", Millis(10_001), 1), None);
    }

    #[test]
    fn an_answer_from_before_a_change_is_not_remembered() {
        let recent = Recent::default();
        assert_eq!(recent.answer(&"ada", Millis(0), 5), None);
        recent.remember("ada", 1, Millis(0), 4);
        assert_eq!(recent.answer(&"ada", Millis(0), 5), None);
    }
}
