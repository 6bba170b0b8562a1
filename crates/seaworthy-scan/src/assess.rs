//! What is known about an inventory.

use seaworthy_core::{EditionFacts, ImageFacts, Inventory, Report};
use seaworthy_match::{Advisories, Matched, compare};

/// An edition, and what identifies it.
pub struct Knowledge<'a> {
    /// Its advisories.
    pub advisories: &'a dyn Advisories,
    /// Its identity.
    pub facts: EditionFacts,
}

/// The report of an image: a function of what was read and of the edition.
/// Without an edition nothing is found, and the report says why.
pub fn assess(
    image: ImageFacts,
    inventory: Inventory,
    knowledge: Option<&Knowledge<'_>>,
) -> Report {
    let Matched { findings, coverage } = knowledge
        .map(|knowledge| compare(&inventory, knowledge.advisories))
        .unwrap_or_default();
    Report {
        image,
        inventory,
        findings,
        coverage,
        edition: knowledge.map(|knowledge| knowledge.facts.clone()),
    }
}
