//! Numbers as the sheet writes them.

use std::time::Duration;

#[expect(
    clippy::cast_precision_loss,
    reason = "sizes are printed with few digits"
)]
pub(crate) fn units(bytes: u64) -> f64 {
    bytes as f64
}

pub(crate) fn mebibytes(bytes: u64) -> String {
    format!("{:.1} MiB", units(bytes) / f64::from(1 << 20))
}

pub(crate) fn time(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds >= 1.0 {
        format!("{seconds:.2} s")
    } else if seconds >= 1e-3 {
        format!("{:.1} ms", seconds * 1e3)
    } else {
        format!("{:.2} us", seconds * 1e6)
    }
}
