//! How much may be asked: one bucket for each who asks.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use seaworthy_store::Millis;

use crate::options::Rate;

/// The most buckets that are kept. When there are more, the full ones go first: they
/// say nothing that a new one would not say.
const KEPT: usize = 50_000;

/// Buckets by who asks.
pub(crate) struct Buckets<K> {
    rate: Rate,
    levels: Mutex<HashMap<K, Level>>,
}

/// How full a bucket was, and when. In thousandths of a request, so that slow rates
/// refill evenly.
#[derive(Clone, Copy)]
struct Level {
    thousandths: i64,
    at: Millis,
}

/// What a bucket said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    /// Whether there was one left.
    pub(crate) allowed: bool,
    /// The most there can be.
    pub(crate) limit: u32,
    /// How many are left now.
    pub(crate) remaining: u32,
    /// In how many seconds there is one more.
    pub(crate) wait_seconds: u64,
}

impl<K: Hash + Eq + Clone> Buckets<K> {
    pub(crate) fn of(rate: Rate) -> Self {
        Self {
            rate,
            levels: Mutex::new(HashMap::new()),
        }
    }

    /// Takes one out of the bucket of `who`; `None` where there is no limit.
    pub(crate) fn take(&self, who: &K, now: Millis) -> Option<Answer> {
        if self.rate.per_minute == 0 {
            return None;
        }
        let full = i64::from(self.rate.burst.max(1)) * 1000;
        // A clock that breaks off in the middle of a request has no say over the next.
        let mut levels = self.levels.lock().unwrap_or_else(PoisonError::into_inner);
        if levels.len() >= KEPT && !levels.contains_key(who) {
            let rate = self.rate;
            levels.retain(|_, level| refilled(*level, rate, now) < full);
            if levels.len() >= KEPT {
                // Everybody is asking much: begin again rather than grow.
                levels.clear();
            }
        }
        let level = levels.entry(who.clone()).or_insert(Level {
            thousandths: full,
            at: now,
        });
        let held = refilled(*level, self.rate, now);
        let allowed = held >= 1000;
        let left = if allowed { held - 1000 } else { held };
        // A refusal leaves the bucket as it is: who asks a thousand times a second must
        // not lose the parts of a request that have come back meanwhile.
        if allowed {
            *level = Level {
                thousandths: left,
                at: now,
            };
        }
        let missing = (1000 - left).max(0);
        let per_minute = i64::from(self.rate.per_minute);
        // Rounded up: coming back too early is no use.
        let wait = (missing * 60 + per_minute * 1000 - 1) / (per_minute * 1000);
        Some(Answer {
            allowed,
            limit: self.rate.burst.max(1),
            remaining: u32::try_from(left / 1000).unwrap_or(0),
            wait_seconds: u64::try_from(wait).unwrap_or(0),
        })
    }
}

fn refilled(level: Level, rate: Rate, now: Millis) -> i64 {
    let full = i64::from(rate.burst.max(1)) * 1000;
    // A clock that goes backwards gives nothing and takes nothing.
    let passed = now.0.saturating_sub(level.at.0).max(0);
    let gained = passed.saturating_mul(i64::from(rate.per_minute)) / 60;
    level.thousandths.saturating_add(gained).min(full)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_empties_and_refills_by_the_clock() {
        let buckets = Buckets::of(Rate {
            per_minute: 60,
            burst: 2,
        });
        let take = |who: &str, at| buckets.take(&who.to_owned(), Millis(at)).expect("a limit");
        assert!(take("ada", 0).allowed);
        assert!(take("ada", 0).allowed);
        let refused = take("ada", 0);
        assert!(!refused.allowed);
        assert_eq!(refused.wait_seconds, 1);
        assert!(take("bob", 0).allowed);
        assert!(!take("ada", 999).allowed);
        assert!(take("ada", 1_999).allowed);
        assert_eq!(take("ada", 1_000_000).remaining, 1);
    }

    #[test]
    fn many_who_ask_do_not_fill_memory() {
        let buckets = Buckets::of(Rate {
            per_minute: 1,
            burst: 1,
        });
        for who in 0..(KEPT * 2 + 10) {
            buckets.take(&who, Millis(0));
        }
        let kept = buckets.levels.lock().expect("nobody broke off").len();
        assert!(kept <= KEPT);
    }
}
