//! What could not be judged, and the way out.

use seaworthy_core::{Blindness, Gap, Report};

use super::finding::layer_name;
use super::page::{Page, Paint};
use crate::Assessed;
use crate::words::{grouped, remedy, sentence};

/// How many gaps are shown before the rest is only counted.
const GAPS_SHOWN: usize = 5;

/// Every blind spot with what is missing and how to get it.
pub(super) fn blind_spots(page: &mut Page, assessed: &Assessed<'_>) {
    let blindness = &assessed.verdict.blindness;
    if blindness.is_empty() {
        return;
    }
    page.gap();
    page.line(0, Paint::Strong, "Not judged");
    for (position, spot) in blindness.iter().enumerate() {
        let mut line = page.start(2);
        page.add(&mut line, Paint::Doubtful, "? ");
        page.paragraph(line, 4, Paint::Plain, &sentence(spot));
        if matches!(spot, Blindness::Gaps { .. }) {
            gaps(page, assessed.report);
            continue;
        }
        // The same advice twice in a row is noise.
        let advised = blindness
            .get(position + 1)
            .is_some_and(|next| remedy(next) == remedy(spot));
        if !advised {
            let start = page.start(4);
            page.paragraph(start, 4, Paint::Faint, remedy(spot));
        }
    }
}

fn gaps(page: &mut Page, report: &Report) {
    let gaps = &report.inventory.gaps;
    let shown = if page.wants_everything() {
        gaps.len()
    } else {
        GAPS_SHOWN
    };
    for gap in gaps.iter().take(shown) {
        one_gap(page, gap, report);
    }
    if gaps.len() > shown {
        let more = format!(
            "and {} more, see --format json",
            grouped(gaps.len() - shown)
        );
        page.line(4, Paint::Faint, &more);
    }
}

fn one_gap(page: &mut Page, gap: &Gap, report: &Report) {
    let mut line = page.start(4);
    let half = page.width() / 2;
    page.add_middle(&mut line, Paint::Plain, &gap.path, half);
    page.add(&mut line, Paint::Faint, &format!(": {}", gap.why));
    if let (true, Some(layer)) = (page.wants_everything(), gap.layer) {
        let layer = layer_name(layer, report.inventory.layers.get(layer));
        page.add(&mut line, Paint::Faint, &format!(" · {layer}"));
    }
    page.end(line);
}
