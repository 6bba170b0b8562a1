//! Every package, for those who ask.

use seaworthy_core::{Claim, Report};

use super::page::{Page, Paint};

/// A line for each package: name, version, type, where.
pub(super) fn packages(page: &mut Page, report: &Report) {
    let packages = &report.inventory.packages;
    if packages.is_empty() {
        return;
    }
    let widest = |texts: &mut dyn Iterator<Item = &str>, least: usize, most: usize| {
        texts
            .map(|text| page.text(text).width())
            .max()
            .unwrap_or(least)
            .clamp(least, most)
    };
    let name = widest(
        &mut packages.iter().map(|package| &*package.name),
        7,
        page.width() * 2 / 5,
    );
    let version = widest(
        &mut packages.iter().map(|package| package.version.text()),
        7,
        page.width() / 4,
    );
    let kind = widest(
        &mut packages.iter().map(|package| package.kind.purl_type()),
        4,
        10,
    );
    page.gap();
    let mut line = page.start(2);
    page.column(&mut line, Paint::Faint, "package", name);
    page.column(&mut line, Paint::Faint, "version", version);
    page.column(&mut line, Paint::Faint, "type", kind);
    page.add(&mut line, Paint::Faint, "seen");
    page.end(line);
    for package in packages {
        let mut line = page.start(2);
        page.column(&mut line, Paint::Plain, &package.name, name);
        page.column(&mut line, Paint::Plain, package.version.text(), version);
        page.column(&mut line, Paint::Faint, package.kind.purl_type(), kind);
        let mut place = String::new();
        if let Some(sighting) = package.seen.first() {
            if let Some(layer) = sighting.layer {
                place = format!("{}: ", layer.saturating_add(1));
            }
            place.push_str(&sighting.path);
        }
        if package.claim == Claim::Guessed {
            page.add(&mut line, Paint::Doubtful, "guessed ");
        }
        let room = page.width();
        page.add_middle(&mut line, Paint::Faint, &place, room);
        page.end(line);
    }
}
