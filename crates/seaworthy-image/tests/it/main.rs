//! Layers and images as tools make them, and as nobody should.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod bad;
mod forms;
mod record;
mod resolving;
mod roots;
mod squashing;
mod tools;
mod walking;
