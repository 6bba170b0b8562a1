//! What both stores are asked.

use seaworthy_core::Scheme;

/// One package to ask about.
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) scheme: Scheme,
}
