//! What the rooms say of their work, for whoever looks into it.

use std::io;

use tracing::Level;

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
