//! Signals: end, and read the certificate again.

use tokio::signal::unix::{SignalKind, signal};

/// Waits until somebody asks the process to end: SIGTERM, or Ctrl-C at a terminal.
pub(crate) async fn until_told() {
    let ends = [SignalKind::terminate(), SignalKind::interrupt()].map(signal);
    let [Ok(mut terminate), Ok(mut interrupt)] = ends else {
        // Without signals the process ends as it would have without us.
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Waits for the next SIGHUP, again and again.
pub(super) async fn each_hangup(mut told: impl FnMut()) {
    let Ok(mut hangup) = signal(SignalKind::hangup()) else {
        return std::future::pending().await;
    };
    while hangup.recv().await.is_some() {
        told();
    }
}
