//! What people watch while they wait.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use seaworthy_scan::Progress;

/// One bar for all layers of an image, on standard error, only on a terminal and
/// only when it takes long enough to notice.
pub(crate) struct Bar {
    bar: ProgressBar,
}

impl Bar {
    /// A bar, or nothing to see.
    pub(crate) fn new(visible: bool) -> Self {
        let bar = ProgressBar::new(0);
        if visible {
            bar.set_draw_target(ProgressDrawTarget::stderr_with_hz(10));
        } else {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        Self { bar }
    }

    /// A line that says what is going on while no bytes can be counted.
    pub(crate) fn say(&self, what: &str) {
        let style = ProgressStyle::with_template("{spinner} {msg} {bytes:.dim}");
        self.bar
            .set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        self.bar.set_message(what.to_owned());
        self.bar.enable_steady_tick(Duration::from_millis(120));
    }

    /// A bar of `bytes` that go or come, of which `had` are there already.
    pub(crate) fn carry(&self, what: &str, bytes: u64, had: u64) {
        let style = ProgressStyle::with_template(
            "{msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        );
        self.bar.set_style(
            style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> "),
        );
        self.bar.set_message(what.to_owned());
        self.bar.set_length(bytes);
        self.bar.set_position(had);
        self.bar.reset_eta();
    }

    /// Tells the bar from another thread how many bytes have gone so far.
    pub(crate) fn pointer(&self) -> impl Fn(u64) + Send + Sync + use<> {
        let bar = self.bar.clone();
        move |bytes| bar.set_position(bytes)
    }

    /// Takes the bar away.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for Bar {
    fn begin(&self, layers: usize, bytes: u64) {
        let unit = if layers == 1 { "layer" } else { "layers" };
        if bytes == 0 {
            self.say(&format!("reading {layers} {unit}"));
            return;
        }
        let style = ProgressStyle::with_template(
            "reading {msg} [{bar:30}] {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        );
        self.bar.set_style(
            style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> "),
        );
        self.bar.set_message(format!("{layers} {unit}"));
        self.bar.set_length(bytes);
    }

    fn advance(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    fn layer_done(&self, _remembered: bool) {}
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.clear();
    }
}
