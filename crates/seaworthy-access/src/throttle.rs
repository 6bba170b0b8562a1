//! How many wrong passwords are listened to.

use std::collections::HashMap;
use std::hash::Hash;

use seaworthy_store::Millis;

/// So many at once, and one more after each pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    pub(crate) at_once: u32,
    /// In milliseconds.
    pub(crate) pause: i64,
}

/// Counts tries by key and in all.
#[derive(Debug)]
pub(crate) struct Throttle<K> {
    each: Rate,
    all: Rate,
    /// When each key's tries are forgotten: the moment its last pause ends.
    until: HashMap<K, Millis>,
    until_all: Millis,
}

/// More keys are never counted.
const MOST: usize = 50_000;

impl<K: Eq + Hash + Clone> Throttle<K> {
    pub(crate) fn new(each: Rate, all: Rate) -> Self {
        Self {
            each,
            all,
            until: HashMap::new(),
            until_all: Millis(i64::MIN / 2),
        }
    }

    /// Counts a try, or tells how many milliseconds to wait for the next.
    pub(crate) fn take(&mut self, key: &K, now: Millis) -> Result<(), i64> {
        // A clock that was turned back must not lock anybody out for long.
        self.until_all = self.until_all.min(self.all.full(now));
        if let Some(until) = self.until.get_mut(key) {
            *until = self.each.full(now).min(*until);
        }
        let own = self.until.get(key).copied().unwrap_or(now);
        let next = self.each.after_one(own, now)?;
        let next_all = self.all.after_one(self.until_all, now)?;
        if self.until.len() >= MOST {
            self.until.retain(|_, until| now < *until);
            if self.until.len() >= MOST {
                // So many names at once is a flood, and the total holds it back.
                self.until.clear();
            }
        }
        self.until.insert(key.clone(), next);
        self.until_all = next_all;
        Ok(())
    }

    /// Takes a try back that was none: the password was right.
    pub(crate) fn give_back(&mut self, key: &K) {
        if let Some(until) = self.until.get_mut(key) {
            *until = until.plus(-self.each.pause);
        }
        self.until_all = self.until_all.plus(-self.all.pause);
    }
}

impl Rate {
    /// When the tries of somebody who used up all of them at `now` are forgotten.
    fn full(self, now: Millis) -> Millis {
        now.plus(self.pause * i64::from(self.at_once))
    }

    /// When tries that were forgotten at `until` are forgotten after one more.
    fn after_one(self, until: Millis, now: Millis) -> Result<Millis, i64> {
        let next = until.max(now).plus(self.pause);
        match next.0 - self.full(now).0 {
            too_far if too_far > 0 => Err(too_far),
            _ => Ok(next),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EACH: Rate = Rate {
        at_once: 3,
        pause: 1_000,
    };
    const ALL: Rate = Rate {
        at_once: 5,
        pause: 100,
    };

    #[test]
    fn after_some_tries_each_takes_a_pause() {
        let mut throttle = Throttle::new(EACH, ALL);
        for _ in 0..3 {
            assert_eq!(throttle.take(&"ada", Millis(0)), Ok(()));
        }
        assert_eq!(throttle.take(&"ada", Millis(0)), Err(1_000));
        assert_eq!(throttle.take(&"ada", Millis(400)), Err(600));
        assert_eq!(throttle.take(&"ada", Millis(1_000)), Ok(()));
        assert_eq!(throttle.take(&"ada", Millis(1_000)), Err(1_000));
        assert_eq!(throttle.take(&"bob", Millis(1_000)), Ok(()));
    }

    #[test]
    fn many_names_together_are_held_back_too() {
        let mut throttle = Throttle::new(EACH, ALL);
        for number in 0..5 {
            assert_eq!(throttle.take(&number, Millis(0)), Ok(()));
        }
        assert_eq!(throttle.take(&9, Millis(0)), Err(100));
        assert_eq!(throttle.take(&9, Millis(100)), Ok(()));
    }

    #[test]
    fn a_right_password_counts_nothing() {
        let mut throttle = Throttle::new(EACH, ALL);
        for _ in 0..50 {
            assert_eq!(throttle.take(&"ada", Millis(0)), Ok(()));
            throttle.give_back(&"ada");
        }
    }

    #[test]
    fn a_clock_turned_back_locks_nobody_out() {
        let mut throttle = Throttle::new(EACH, ALL);
        assert_eq!(throttle.take(&"ada", Millis(1_000_000)), Ok(()));
        let wait = throttle.take(&"ada", Millis(0));
        assert_eq!(wait, Err(1_000));
        assert_eq!(throttle.take(&"ada", Millis(1_000)), Ok(()));
    }
}
