//! Every distinct text once.

use std::collections::HashMap;
use std::sync::Arc;

use crate::format::NONE;

/// Numbers texts in the order they come.
#[derive(Default)]
pub(super) struct Pool {
    numbers: HashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
}

impl Pool {
    /// The number of `text`, a new one where it is new. `None` once numbers run
    /// out.
    pub(super) fn number(&mut self, text: &str) -> Option<u32> {
        if let Some(&known) = self.numbers.get(text) {
            return Some(known);
        }
        let number = u32::try_from(self.texts.len())
            .ok()
            .filter(|&it| it != NONE)?;
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        Some(number)
    }

    /// The text of a number; empty for [`NONE`].
    pub(super) fn text(&self, number: u32) -> &str {
        usize::try_from(number)
            .ok()
            .and_then(|number| self.texts.get(number))
            .map_or("", AsRef::as_ref)
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }
}
