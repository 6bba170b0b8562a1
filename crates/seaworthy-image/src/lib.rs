//! DESC
mod sink;
pub use sink::{FileFacts, Sink};
