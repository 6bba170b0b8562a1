//! The threads that carry network transfers.

use anyhow::Context as _;
use tokio::runtime::{Builder, Runtime};

/// Starts the runtime of the rooms that talk to the network. Two threads keep a
/// transfer going while the others read what has come.
pub(crate) fn start() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the threads that carry transfers")
}

/// Starts the runtime of a server: a thread for each processor.
pub(crate) fn start_serving() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread()
        .enable_all()
        .thread_name("serve")
        .build()
        .context("cannot start the threads that serve")
}
