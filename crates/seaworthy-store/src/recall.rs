//! Answers remembered in memory, within a bound.
//!
//! What is remembered stands in groups, and a group is forgotten as a whole. Whoever
//! asks the database because nothing was remembered gets a turn with that; the
//! answer is remembered only if nothing was forgotten since. So an answer that was
//! read before a change and arrives after it is never remembered.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::address::Address;

/// How many parts there are, so that few wait for each other.
const SHARDS: usize = 16;

/// The most bytes of one part before its older half is let go: 32 MiB in all.
const MOST_BYTES: usize = 1024 * 1024;

/// What one answer takes beside its content: names, maps.
const OVERHEAD: usize = 512;

/// A manifest as it was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) address: Address,
    pub(crate) media_type: Box<str>,
    pub(crate) content: Bytes,
}

/// When an answer was not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn(u64);

/// Remembers answers; clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recall(Arc<Shards>);

#[derive(Debug, Default)]
struct Shards {
    hasher: RandomState,
    shards: [Mutex<Shard>; SHARDS],
}

#[derive(Debug, Default)]
struct Shard {
    turn: u64,
    young: Groups,
    old: Groups,
    /// Of the young ones.
    bytes: usize,
}

type Groups = HashMap<Box<str>, HashMap<Box<str>, Answer>>;

impl Recall {
    /// What was answered, or the turn to ask with.
    pub(crate) fn find(&self, group: &str, name: &str) -> Result<Answer, Turn> {
        let mut shard = self.shard(group);
        let young = shard.young.get(group).and_then(|it| it.get(name));
        if let Some(answer) = young {
            return Ok(answer.clone());
        }
        let old = shard.old.get_mut(group).and_then(|it| it.remove(name));
        let Some(answer) = old else {
            return Err(Turn(shard.turn));
        };
        shard.keep(group, name, answer.clone());
        Ok(answer)
    }

    /// Remembers an answer, unless something was forgotten since that turn.
    pub(crate) fn keep(&self, group: &str, name: &str, answer: Answer, turn: Turn) {
        let mut shard = self.shard(group);
        if shard.turn == turn.0 {
            shard.keep(group, name, answer);
        }
    }

    /// Forgets all of a group.
    pub(crate) fn forget(&self, group: &str) {
        let mut shard = self.shard(group);
        shard.turn += 1;
        shard.old.remove(group);
        let gone = shard.young.remove(group);
        let freed: usize = gone.iter().flat_map(HashMap::values).map(weight).sum();
        shard.bytes = shard.bytes.saturating_sub(freed);
    }

    fn shard(&self, group: &str) -> MutexGuard<'_, Shard> {
        let hash = self.0.hasher.hash_one(group);
        let number = usize::try_from(hash % SHARDS as u64).unwrap_or(0);
        let shard = self.0.shards.get(number).unwrap_or(&self.0.shards[0]);
        // Nothing in here panics halfway through a change.
        shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shard {
    fn keep(&mut self, group: &str, name: &str, answer: Answer) {
        let weight_of_it = weight(&answer);
        if weight_of_it > MOST_BYTES / 4 {
            return;
        }
        if self.bytes + weight_of_it > MOST_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        let names = match self.young.get_mut(group) {
            Some(names) => names,
            None => self.young.entry(group.into()).or_default(),
        };
        let replaced = names.insert(name.into(), answer);
        let replaced = replaced.as_ref().map_or(0, weight);
        self.bytes = self.bytes.saturating_sub(replaced) + weight_of_it;
    }
}

fn weight(answer: &Answer) -> usize {
    answer.content.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(size: usize) -> Answer {
        Answer {
            address: Address::of_sha256([7; 32]),
            media_type: "text/plain".into(),
            content: vec![0; size].into(),
        }
    }

    fn miss(recall: &Recall, group: &str, name: &str) -> Turn {
        recall.find(group, name).expect_err("is not remembered")
    }

    #[test]
    fn what_was_asked_before_a_change_is_not_remembered_after_it() {
        let recall = Recall::default();
        let turn = miss(&recall, "a", "latest");
        recall.forget("a");
        recall.keep("a", "latest", answer(1), turn);
        let turn = miss(&recall, "a", "latest");
        recall.keep("a", "latest", answer(1), turn);
        assert_eq!(recall.find("a", "latest"), Ok(answer(1)));
        recall.forget("a");
        miss(&recall, "a", "latest");
    }

    #[test]
    fn memory_stays_within_its_bound_and_what_is_asked_for_stays_in_it() {
        let recall = Recall::default();
        let turn = miss(&recall, "a", "asked");
        recall.keep("a", "asked", answer(1000), turn);
        for number in 0..2000 {
            recall.keep("a", &number.to_string(), answer(10_000), turn);
            assert!(recall.find("a", "asked").is_ok());
        }
        let shard = recall.shard("a");
        assert!(shard.bytes <= MOST_BYTES);
        let kept: usize = [&shard.young, &shard.old]
            .into_iter()
            .flat_map(|it| it.values())
            .flat_map(HashMap::values)
            .map(weight)
            .sum();
        assert!(kept <= 2 * MOST_BYTES, "{kept}");
        drop(shard);
        recall.keep("a", "large", answer(MOST_BYTES), turn);
        miss(&recall, "a", "large");
    }
}
