//! What this room says, compared with what others say.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod purl;
