//! The platform as one process: doors, worker and store, put together.

mod door;
mod editions;
mod guard;
mod health;
mod listener;
mod meter;
mod node;
mod numbers;
mod route;
mod signal;
mod tls;

pub(crate) use node::Node;
pub(crate) use signal::until_told;
pub(crate) use tls::TlsError;
