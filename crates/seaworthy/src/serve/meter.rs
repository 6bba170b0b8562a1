//! Numbers for Prometheus: what this process did since it began.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper ends of the buckets of request durations, in seconds.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0,
];

/// How many different (method, route, status) are told apart; what comes later is
/// counted as `other`.
const MOST_SERIES: usize = 2_000;

/// Counts requests and bytes.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    requests: Mutex<BTreeMap<Series, Durations>>,
    in_flight: AtomicI64,
    connections: AtomicI64,
    refused: AtomicU64,
    received: Bytes,
    sent: Bytes,
}

/// Bytes of the registry's clients and of all others.
#[derive(Debug, Default)]
struct Bytes {
    registry: AtomicU64,
    other: AtomicU64,
}

/// Whose bytes they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// Of a client that pushes or pulls.
    Registry,
    /// Of anybody else.
    Other,
}

/// One line of the table of requests.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Series {
    pub(super) method: &'static str,
    pub(super) route: Box<str>,
    pub(super) status: u16,
}

#[derive(Debug, Default)]
struct Durations {
    buckets: [u64; BUCKETS.len()],
    count: u64,
    seconds: f64,
}

impl Bytes {
    fn of(&self, whose: Whose) -> &AtomicU64 {
        match whose {
            Whose::Registry => &self.registry,
            Whose::Other => &self.other,
        }
    }
}

impl Meter {
    pub(super) fn request_begun(&self) {
        self.in_flight.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn request_ended(&self, mut series: Series, took: Duration) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        if requests.len() >= MOST_SERIES && !requests.contains_key(&series) {
            series.route = "other".into();
        }
        let durations = requests.entry(series).or_default();
        let seconds = took.as_secs_f64();
        for (count, end) in durations.buckets.iter_mut().zip(BUCKETS) {
            *count += u64::from(seconds <= end);
        }
        durations.count += 1;
        durations.seconds += seconds;
    }

    pub(super) fn connection_begun(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn connection_ended(&self) {
        self.connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// A connection ended before it had a request: no TLS, too slow.
    pub(super) fn connection_refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn received(&self, whose: Whose, bytes: u64) {
        self.received.of(whose).fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn sent(&self, whose: Whose, bytes: u64) {
        self.sent.of(whose).fetch_add(bytes, Ordering::Relaxed);
    }

    /// Requests that have begun and not ended.
    pub(super) fn in_flight(&self) -> i64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Writes all of it down.
    pub(super) fn write(&self, page: &mut Page) {
        let count = |number: &AtomicU64| number.load(Ordering::Relaxed).to_string();
        page.family(
            "seaworthy_connections",
            "gauge",
            "Connections that are open.",
        );
        let open = self.connections.load(Ordering::Relaxed);
        page.line("seaworthy_connections", &[], open);
        page.family(
            "seaworthy_connections_refused_total",
            "counter",
            "Connections that ended before a request.",
        );
        let refused = count(&self.refused);
        page.line("seaworthy_connections_refused_total", &[], refused);
        page.family(
            "seaworthy_requests_in_flight",
            "gauge",
            "Requests that have begun and not ended.",
        );
        page.line("seaworthy_requests_in_flight", &[], self.in_flight());
        for (name, help, bytes) in [
            (
                "seaworthy_received_bytes_total",
                "Bytes of bodies that came; `registry` is what was pushed.",
                &self.received,
            ),
            (
                "seaworthy_sent_bytes_total",
                "Bytes of bodies that went; `registry` is what was pulled.",
                &self.sent,
            ),
        ] {
            page.family(name, "counter", help);
            page.line(name, &[("door", "registry")], count(&bytes.registry));
            page.line(name, &[("door", "other")], count(&bytes.other));
        }
        let name = "seaworthy_request_seconds";
        page.family(
            name,
            "histogram",
            "How long requests took until the last byte went.",
        );
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        for (series, durations) in &*requests {
            let status = series.status.to_string();
            let labels = [
                ("method", series.method),
                ("route", &*series.route),
                ("status", &*status),
            ];
            let bucket = |page: &mut Page, end: &str, count: u64| {
                let labels = [&labels[..], &[("le", end)]].concat();
                page.line("seaworthy_request_seconds_bucket", &labels, count);
            };
            for (count, end) in durations.buckets.iter().zip(BUCKETS) {
                bucket(page, &end.to_string(), *count);
            }
            bucket(page, "+Inf", durations.count);
            page.line("seaworthy_request_seconds_sum", &labels, durations.seconds);
            page.line("seaworthy_request_seconds_count", &labels, durations.count);
        }
    }
}

/// A page in the text format of Prometheus.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// Begins a family of lines.
    pub(super) fn family(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One line of it.
    pub(super) fn line(&mut self, name: &str, labels: &[(&str, &str)], value: impl fmt::Display) {
        let _ = write!(self.0, "{name}");
        for (at, (label, text)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{before}{label}=\"{}\"", escaped(text));
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        let _ = writeln!(self.0, " {value}");
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_route_and_status_and_time() {
        let meter = Meter::default();
        for milliseconds in [2, 40] {
            meter.request_begun();
            let series = Series {
                method: "GET",
                route: "/v2/".into(),
                status: 200,
            };
            meter.request_ended(series, Duration::from_millis(milliseconds));
        }
        meter.received(Whose::Registry, 10);
        let mut page = Page::default();
        meter.write(&mut page);
        let text = page.finish();
        let labels = "method=\"GET\",route=\"/v2/\",status=\"200\"";
        for line in [
            format!("seaworthy_request_seconds_bucket{{{labels},le=\"0.001\"}} 0"),
            format!("seaworthy_request_seconds_bucket{{{labels},le=\"0.0025\"}} 1"),
            format!("seaworthy_request_seconds_bucket{{{labels},le=\"+Inf\"}} 2"),
            format!("seaworthy_request_seconds_sum{{{labels}}} 0.042"),
            "seaworthy_received_bytes_total{door=\"registry\"} 10".to_owned(),
            "seaworthy_requests_in_flight 0".to_owned(),
        ] {
            assert!(text.contains(&line), "{line} in {text}");
        }
    }

    #[test]
    fn labels_cannot_break_the_page() {
        let mut page = Page::default();
        page.line("x", &[("route", "a\"b\\c\nd")], 1);
        assert_eq!(page.finish(), "x{route=\"a\\\"b\\\\c\\nd\"} 1\n");
    }
}
