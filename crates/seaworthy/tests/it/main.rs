//! The real binary and the real tools, from outside.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod bad_input;
mod compare;
mod confined;
mod database;
mod forms;
mod output;
mod platform;
mod product;
mod real_image;
mod real_root;
mod real_servers;
mod recorder;
mod scale;
mod serving;
mod through_registry;
