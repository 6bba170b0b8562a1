//! The platform as one process: doors, worker and store, put together.

mod door;
mod editions;
mod guard;
mod health;
mod issuers;
mod listener;
mod meter;
mod node;
mod numbers;
mod route;
mod signal;
pub(crate) mod tls;

pub(crate) use health::chain;
pub(crate) use node::{Node, clock, folder, store};
pub(crate) use signal::until_told;
