//! Amounts as people read them.

/// Bytes in millions.
#[expect(
    clippy::cast_precision_loss,
    reason = "it is shown with one digit after the point"
)]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// A size, small ones in smaller units.
pub(crate) fn size(bytes: u64) -> String {
    if bytes < 1_000_000 {
        format!("{:.1} kB", megabytes(bytes.saturating_mul(1_000)))
    } else {
        format!("{:.1} MB", megabytes(bytes))
    }
}
