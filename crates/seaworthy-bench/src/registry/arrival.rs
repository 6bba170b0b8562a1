//! From a push to its findings.

use std::time::Duration;

use super::ours::Ours;
use super::salt::Template;
use super::traffic::{Manner, Way};

/// Findings that became visible.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Arrival {
    /// Since the answer to the manifest.
    pub(crate) after: Duration,
    pub(crate) findings: u64,
}

/// How many pushes are measured, after one for warmth.
const PUSHES: usize = 24;

/// Pushes images whose layers from `first` on are new, at `pace` bytes a second, and
/// looks when their findings are there.
pub(crate) fn measure(
    ours: &Ours,
    namespace: &str,
    template: &Template,
    first: usize,
    pace: u64,
) -> anyhow::Result<Vec<Arrival>> {
    let target = ours.target(&format!("{namespace}/arrival-{first}-{}", template.len()))?;
    let way = Way {
        manner: Manner::Streamed,
        connections: 1,
        pace: Some(pace),
    };
    let mut arrivals = Vec::new();
    for push in 0..=PUSHES {
        let salt = format!("arrival-{first}-{push}");
        let image = template.salted(&salt, "arrival", first);
        let mut connection = ours.server().connect()?;
        target.push_missing(&mut connection, &image, way)?;
        target.push_manifest(&mut connection, &image, &salt)?;
        let arrival = ours.wait_for_findings(&target, &image.digest)?;
        if push > 0 {
            arrivals.push(arrival);
        }
    }
    Ok(arrivals)
}
