//! A world of advisories: 1.5 million statements about 350,000 packages of 30
//! ecosystems, in the proportions of the public feeds.

use std::path::Path;

use anyhow::Context as _;
use seaworthy_advisories::{Compiler, Context};
use seaworthy_core::{
    Advisory, AffectedInterval, Day, Ecosystem, FeedDate, Fix, PackageKey, Rating, RatingSystem,
    Severity, Stance, Statement, Upper,
};

use crate::dice::Dice;
use crate::names::{self, KNOWN};

/// A family of ecosystems, its releases, and how versions are written there.
struct Family {
    name: &'static str,
    releases: &'static [&'static str],
    version: fn(&mut Dice) -> String,
}

const FAMILIES: [Family; 13] = [
    Family {
        name: "Debian",
        releases: &["11", "12", "13"],
        version: names::dpkg_version,
    },
    Family {
        name: "Ubuntu",
        releases: &["20.04", "22.04", "24.04", "24.10", "25.04"],
        version: names::dpkg_version,
    },
    Family {
        name: "Alpine",
        releases: &[
            "v3.15", "v3.16", "v3.17", "v3.18", "v3.19", "v3.20", "v3.21", "v3.22",
        ],
        version: names::apk_version,
    },
    Family {
        name: "AlmaLinux",
        releases: &["8", "9", "10"],
        version: names::rpm_version,
    },
    Family {
        name: "Rocky Linux",
        releases: &["8", "9", "10"],
        version: names::rpm_version,
    },
    language("npm"),
    language("PyPI"),
    language("Maven"),
    language("Go"),
    language("crates.io"),
    language("RubyGems"),
    language("Packagist"),
    language("NuGet"),
];

const fn language(name: &'static str) -> Family {
    Family {
        name,
        releases: &[],
        version: names::three,
    }
}

/// How many records speak of a package, each equally likely: most of few, some
/// of many.
const RECORDS: [usize; 10] = [1, 1, 2, 2, 3, 3, 4, 6, 8, 13];

/// Visits the advisories about one package in `share`: 1 for the whole world.
pub(crate) fn visit(
    share: usize,
    take: &mut dyn FnMut(&Advisory) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    for family in &FAMILIES {
        for number in (0..KNOWN).step_by(share.max(1)) {
            let mut dice = Dice::of(number as u64 * 31 + family.name.len() as u64);
            let name = names::package(number);
            let records = *RECORDS.get(dice.below(RECORDS.len())).unwrap_or(&1);
            for record in 0..records {
                take(&advisory(family, &name, number, record, &mut dice))?;
            }
        }
    }
    Ok(())
}

fn advisory(
    family: &Family,
    name: &str,
    number: usize,
    record: usize,
    dice: &mut Dice,
) -> Advisory {
    let year = 2015 + (number + record) % 12;
    let is_system = !family.releases.is_empty();
    // Distributions speak of the same vulnerabilities, languages of their own.
    let realm = if is_system { 0 } else { family.name.len() };
    let cve = format!(
        "CVE-{year}-{}",
        10_000 + realm * 200_000 + number * 16 + record
    );
    let id = if is_system {
        format!(
            "{}-{cve}",
            family.name.to_ascii_uppercase().replace(' ', "-")
        )
    } else {
        format!("GHSA-{:04x}-{number:04x}-{record:04x}", family.name.len())
    };
    let fixed = (family.version)(dice);
    let about = |release: Option<&str>| PackageKey {
        ecosystem: release.map_or_else(
            || Ecosystem::family_only(family.name),
            |release| Ecosystem::of_release(family.name, release),
        ),
        name: name.into(),
    };
    let stance = |upper| Stance::Affected {
        intervals: vec![AffectedInterval { from: None, upper }],
        versions: Vec::new(),
        fix: Fix::AsRanges,
    };
    let statements = if is_system {
        family
            .releases
            .iter()
            .map(|release| Statement {
                about: about(Some(release)),
                // One in eight has no fix yet.
                stance: stance(if dice.happens(125) {
                    Upper::Open
                } else {
                    Upper::Fixed(fixed.as_str().into())
                }),
            })
            .collect()
    } else {
        vec![Statement {
            about: about(None),
            stance: stance(Upper::Fixed(fixed.as_str().into())),
        }]
    };
    let tenths = u8::try_from(20 + dice.below(79)).unwrap_or(50);
    Advisory {
        feed: format!("osv/{}", family.name).into(),
        id: id.as_str().into(),
        aliases: vec![cve.as_str().into()],
        bundles: Vec::new(),
        summary: format!("{name} mishandles input number {record} and lets a caller in").into(),
        references: vec![
            format!("https://advisories.example/{id}").into(),
            format!("https://vulnerabilities.example/{cve}").into(),
        ],
        published: Some(Day::from_days(19_000)),
        modified: Some(Day::from_days(20_000)),
        ratings: vec![Rating {
            source: family.name.into(),
            system: RatingSystem::CvssV3,
            text: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into(),
            score_tenths: Some(tenths),
            severity: Severity::of_score(tenths),
        }],
        statements,
    }
}

/// Compiles the world, or a share of it, into a file.
pub(crate) fn compile(share: usize, path: &Path) -> anyhow::Result<()> {
    let mut compiler = Compiler::new();
    visit(share, &mut |advisory| Ok(compiler.add(advisory)?))?;
    let mut context = Context::default();
    for family in &FAMILIES {
        let fetched = FeedDate::Fetched(Day::from_days(20_000));
        context
            .feeds
            .insert(format!("osv/{}", family.name).into(), fetched);
    }
    let bytes = compiler.compile(&context)?;
    std::fs::write(path, bytes).with_context(|| format!("cannot write `{}`", path.display()))
}
