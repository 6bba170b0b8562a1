//! Who hears how far a scan has come.

/// Hears of each step as it happens, from any thread.
pub trait Progress: Sync {
    /// This many layers will be read, this many bytes in all where known.
    fn begin(&self, layers: usize, bytes: u64);

    /// This many more bytes of layers have been read.
    fn advance(&self, bytes: u64);

    /// One layer is done; `remembered` when it was not read again.
    fn layer_done(&self, remembered: bool);
}

/// Hears nothing.
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _layers: usize, _bytes: u64) {}
    fn advance(&self, _bytes: u64) {}
    fn layer_done(&self, _remembered: bool) {}
}
