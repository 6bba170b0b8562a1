//! The story of a scan, told with images built in memory.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod remembering;
mod stage;
