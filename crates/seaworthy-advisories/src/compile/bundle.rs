//! The vulnerabilities of rows that speak of several at once.

use std::collections::HashMap;

use super::{CompileError, count};
use crate::format;

/// Lists of vulnerabilities, each once.
#[derive(Default)]
pub(super) struct Bundles {
    pub(super) words: Vec<u32>,
    places: HashMap<Box<[u32]>, u32>,
}

impl Bundles {
    /// What a row says that is about these vulnerabilities.
    pub(super) fn word(&mut self, numbers: &[u32]) -> Result<u32, CompileError> {
        if let [only] = numbers {
            return Ok(*only);
        }
        if let Some(&known) = self.places.get(numbers) {
            return Ok(known);
        }
        let place = count(self.words.len(), "bundles")?;
        if place >= format::BUNDLE {
            return Err(CompileError::TooMany { what: "bundles" });
        }
        self.words.push(count(numbers.len(), "bundles")?);
        self.words.extend_from_slice(numbers);
        let word = place | format::BUNDLE;
        self.places.insert(numbers.into(), word);
        Ok(word)
    }

    /// Replaces every vulnerability by its new number.
    pub(super) fn renumber(&mut self, number: impl Fn(u32) -> u32) {
        let mut words = self.words.iter_mut();
        while let Some(length) = words.next() {
            let length = usize::try_from(*length).unwrap_or(usize::MAX);
            for word in words.by_ref().take(length) {
                *word = number(*word);
            }
        }
    }

    /// The vulnerabilities that a row of this word is about.
    pub(super) fn of_word<'a>(&'a self, word: &'a u32) -> &'a [u32] {
        if word & format::BUNDLE == 0 {
            return std::slice::from_ref(word);
        }
        let place = usize::try_from(word & !format::BUNDLE).unwrap_or(usize::MAX);
        let after = place.saturating_add(1);
        let length = self.words.get(place).copied().unwrap_or(0);
        let end = usize::try_from(length).map_or(after, |length| after.saturating_add(length));
        self.words.get(after..end).unwrap_or_default()
    }
}
