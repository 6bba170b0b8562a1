//! From an inventory to a report as it is saved.

use seaworthy_advisories::Edition;
use seaworthy_core::{Day, ImageFacts, Inventory, Policy, Report, Verdict};
use seaworthy_match::{Advisories as _, deciding, judge};
use seaworthy_report::{Assessed, json};
use seaworthy_scan::{Knowledge, assess};
use seaworthy_store::{Millis, NewReport};

/// An image, judged.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What is known of it.
    pub report: Report,
    /// What the policy says to that.
    pub verdict: Verdict,
    /// The same as it is saved.
    pub saved: NewReport,
}

/// Milliseconds of a day.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Judges an inventory with `edition` and `policy` at the moment `now`. This takes its
/// time: never call it where others wait.
///
/// # Panics
///
/// Never: memory takes what is written to it.
pub fn judge_inventory(
    image: ImageFacts,
    inventory: Inventory,
    edition: Option<&Edition>,
    policy: &Policy,
    now: Millis,
) -> Judged {
    let knowledge = edition.map(|edition| Knowledge {
        advisories: edition,
        facts: edition.facts(),
    });
    let report = assess(image, inventory, knowledge.as_ref());
    let support_ends = edition.and_then(|edition| {
        let distro = report.inventory.distro.as_ref()?;
        edition.support_ends(&distro.id, distro.version_id.as_deref()?)
    });
    let days = i32::try_from(now.0.div_euclid(DAY)).unwrap_or(i32::MAX);
    let verdict = judge(&report, policy, Day::from_days(days), support_ends);
    let mut document = Vec::new();
    let assessed = Assessed {
        report: &report,
        verdict: &verdict,
        policy,
    };
    json(&[assessed], &mut document).expect("memory takes what is written to it");
    let deciding = deciding(&report.inventory);
    let saved = NewReport::of(&report, &verdict, policy, &deciding, &document);
    Judged {
        report,
        verdict,
        saved,
    }
}
