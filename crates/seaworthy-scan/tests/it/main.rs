//! The story of a scan, told with images built in memory.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod own_packages;
mod remembering;
mod stage;
