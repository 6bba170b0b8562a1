//! What tests share: images built in memory, and honest skipping.
//!
//! A test that needs something from outside asks for it with [`require`] or
//! [`shared`]. Where it is missing, one line that starts with `SKIPPED` says so
//! on standard error, `cargo xtask test` counts those lines, and with
//! `SEAWORTHY_REQUIRE=1` (as in CI) the test fails instead.

#![expect(
    clippy::disallowed_methods,
    reason = "tests are told what the machine offers through the environment"
)]

mod disk;
mod image;
mod need;
mod postgres;
mod process;

pub use disk::{Disk, FileSystem};
pub use image::{
    Blob, Image, ImageBuilder, Layer, LayerBuilder, digest_of, docker_archive_of, gzip, image,
    index_archive, index_layout, zstd,
};
pub use need::{is_long, require, require_root, shared};
pub use postgres::{Postgres, postgres};
pub use process::{Server, free_port, wait_until};
