//! The laws every scheme obeys, and the real tools as referees.
#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod chance;
mod laws;
mod mined;
mod recorded;
mod told;
mod tools;
