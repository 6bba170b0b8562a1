//! What an edition says about an inventory, and what a policy says about that.

mod advisories;
pub use advisories::{
    Advisories, RecordDetails, RecordId, Row, RowStance, VulnerabilityDetails, VulnerabilityId,
};
