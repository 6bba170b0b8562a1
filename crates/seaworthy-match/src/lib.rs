//! What an edition says about an inventory, and what a policy says about that.
//!
//! Two pure functions: [`compare`] turns packages and advisories into findings,
//! [`judge`] turns a report and a policy into a verdict. Advisories come through
//! [`Advisories`]: a compiled edition in production, a short list in tests.
//!
//! Deliberately absent: files, network, clock and configuration. Whatever depends
//! on the day takes it as a value.

mod advisories;
mod compare;
mod deciding;
#[cfg(test)]
mod fixture;
mod home;
mod judge;
mod kernel;
mod severity;
mod vendor;

pub use advisories::{
    Advisories, Details, RecordDetails, RecordId, Row, RowStance, Trust, VulnerabilityDetails,
    VulnerabilityId,
};
pub use compare::{Matched, compare};
pub use deciding::deciding;
pub use judge::judge;
pub use severity::chosen_severity;
