//! Who judges what was only told of.

use seaworthy_core::{EditionFacts, ImageFacts, Inventory, Policy, Report, Verdict};

/// The edition in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EditionInUse {
    /// What identifies it.
    pub facts: EditionFacts,
    /// The serial of its seal, where it has one.
    pub serial: Option<u64>,
    /// Feeds in it and how current they are, for people: id and day.
    pub feeds: Vec<(String, Option<String>)>,
}

/// An image, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assessed {
    /// What is known of it.
    pub report: Report,
    /// What the policy says to that.
    pub verdict: Verdict,
    /// What was asked of it.
    pub policy: Policy,
    /// What decides each package's findings beside the edition, in the order of the
    /// packages: see [`NewReport::of`](seaworthy_store::NewReport::of).
    pub deciding: Vec<String>,
}

/// Why nothing was judged.
#[derive(Debug, thiserror::Error)]
pub enum AssessError {
    /// There is no edition to compare with yet.
    #[error("there is no edition yet")]
    NoEdition,
    /// Anything else, for the log.
    #[error("cannot assess the inventory: {0}")]
    Failed(String),
}

/// Judges inventories with the edition and the policy of this installation. Whoever
/// composes the program implements it with the room that knows how to scan.
pub trait Assessor: Send + Sync {
    /// The edition in use.
    fn edition(&self) -> Option<EditionInUse>;

    /// The policy of this installation.
    fn policy(&self) -> Policy;

    /// What is known of an image. Called where it may take its time, with an
    /// inventory whose size was bounded.
    ///
    /// # Errors
    ///
    /// When there is nothing to judge with.
    fn assess(&self, image: ImageFacts, inventory: Inventory) -> Result<Assessed, AssessError>;
}
