//! What the rooms say of their work, for whoever looks into it.

mod lines;

use std::io;
use std::path::Path;

use tracing::Level;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

pub(crate) use lines::{Form, recent};

/// Sends the rooms' messages to standard error: warnings, with `verbose` also
/// the details, with `quiet` nothing but errors.
pub(crate) fn start(verbose: bool, quiet: bool, colour: bool) {
    let level = match (verbose, quiet) {
        (true, _) => Level::DEBUG,
        (false, false) => Level::WARN,
        (false, true) => Level::ERROR,
    };
    tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(colour)
        .with_target(false)
        .without_time()
        .with_writer(io::stderr)
        .init();
}

/// Sends the messages of a server to standard error, and the last of them into a
/// file under the data folder.
pub(crate) fn start_serving(level: Level, form: Form, data: &Path) {
    tracing_subscriber::registry()
        .with(tracing_subscriber::filter::LevelFilter::from_level(level))
        .with(lines::Lines::new(form, data))
        .init();
}
