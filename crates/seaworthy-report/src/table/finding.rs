//! The rows: what is wrong, worst first, by what one would upgrade.

use seaworthy_core::{Finding, FixState, Layer, Report};

use super::component::Component;
use super::page::{Page, Paint};
use super::summary::{name, paint};
use crate::words::{self, grouped, listed};

/// How wide the columns are, the same for all components.
struct Columns {
    level: usize,
    vulnerability: usize,
    fix: usize,
    epss: usize,
}

/// All components with their vulnerabilities.
pub(super) fn findings(page: &mut Page, report: &Report, components: &[Component<'_>]) {
    if components.is_empty() {
        return;
    }
    let rows = || components.iter().flat_map(|component| &component.findings);
    let widest = |texts: &mut dyn Iterator<Item = &str>, least: usize, most: usize| {
        texts
            .map(|text| page.text(text).width())
            .max()
            .unwrap_or(least)
            .clamp(least, most)
    };
    // What must be read takes as much as it needs within bounds; the rest of the
    // line is for what it is about.
    let columns = Columns {
        level: widest(&mut rows().map(|finding| name(finding.severity)), 8, 10),
        vulnerability: widest(&mut rows().map(|finding| &*finding.vulnerability), 13, 20),
        fix: widest(
            &mut rows().map(|finding| words::fix(&finding.fix)),
            8,
            page.width() / 5 + 2,
        ),
        epss: if rows().any(|finding| finding.epss.is_some()) {
            4
        } else {
            0
        },
    };
    page.gap();
    heading(page, &columns);
    for component in components {
        page.gap();
        title(page, component);
        place(page, report, component);
        for finding in &component.findings {
            row(page, &columns, finding);
        }
    }
}

fn heading(page: &mut Page, columns: &Columns) {
    let mut line = page.start(2);
    page.column(&mut line, Paint::Faint, "severity", columns.level);
    page.column(
        &mut line,
        Paint::Faint,
        "vulnerability",
        columns.vulnerability,
    );
    page.column(&mut line, Paint::Faint, "fixed in", columns.fix);
    if columns.epss > 0 {
        page.column(&mut line, Paint::Faint, "EPSS", columns.epss);
    }
    page.add(&mut line, Paint::Faint, "what");
    page.end(line);
}

/// `openssl 3.0.9-1 → 3.0.11-1~deb12u2`
fn title(page: &mut Page, component: &Component<'_>) {
    let half = page.width() / 2;
    let mut line = page.start(0);
    page.add_middle(&mut line, Paint::Strong, component.name, half);
    page.add(&mut line, Paint::Plain, " ");
    page.add_middle(
        &mut line,
        Paint::Plain,
        component.version.text(),
        page.width() / 4,
    );
    if let Some(version) = component.upgrade() {
        page.add(&mut line, Paint::Plain, " ");
        page.add(&mut line, Paint::Good, &format!("→ {version}"));
    }
    page.end(line);
}

/// Where it is: the packages or the file, and the layer that brought it.
fn place(page: &mut Page, report: &Report, component: &Component<'_>) {
    let Some((_, first)) = component.packages.first() else {
        return;
    };
    let sightings = || {
        component
            .packages
            .iter()
            .flat_map(|(_, package)| &package.seen)
    };
    let layer = sightings()
        .find_map(|sighting| sighting.layer)
        .map(|layer| layer_name(layer, report.inventory.layers.get(layer)))
        .map(|layer| format!(" · {layer}"))
        .unwrap_or_default();
    let where_it_is = if first.kind.is_os() {
        let names: Vec<Box<str>> = component
            .packages
            .iter()
            .map(|(_, package)| package.name.clone())
            .collect();
        listed(&names, 4)
    } else {
        match sightings().count() {
            0 => String::new(),
            1 => sightings().map(|sighting| &*sighting.path).collect(),
            more => {
                let first = sightings().next().map_or("", |sighting| &sighting.path);
                format!("{first} and {} more", grouped(more - 1))
            }
        }
    };
    let mut line = page.start(2);
    page.add(&mut line, Paint::Faint, first.kind.purl_type());
    page.add(&mut line, Paint::Faint, " ");
    // The layer may have two fifths of the line, and leaves what it does not need.
    let wanted = page.text(&layer).width().min(page.width() * 2 / 5);
    let room = page.width().saturating_sub(line.width() + wanted);
    page.add_middle(&mut line, Paint::Faint, &where_it_is, room);
    page.add(&mut line, Paint::Faint, &layer);
    page.end(line);
}

/// `layer 3: COPY app.jar /app`, counting from 1 as people do.
pub(super) fn layer_name(position: usize, layer: Option<&Layer>) -> String {
    let number = position.saturating_add(1);
    match layer.and_then(|layer| layer.created_by.as_deref()) {
        Some(instruction) => format!("layer {number}: {}", instruction_of(instruction)),
        None => format!("layer {number}"),
    }
}

/// The instruction without what builders wrap around it.
fn instruction_of(created_by: &str) -> String {
    let plain = created_by
        .strip_prefix("/bin/sh -c #(nop) ")
        .unwrap_or(created_by)
        .trim_start();
    let plain = match plain.strip_prefix("/bin/sh -c ") {
        Some(command) => format!("RUN {command}"),
        None => plain.replacen("RUN /bin/sh -c ", "RUN ", 1),
    };
    let plain = plain.strip_suffix(" # buildkit").unwrap_or(&plain);
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn row(page: &mut Page, columns: &Columns, finding: &Finding) {
    let mut line = page.start(2);
    page.column(
        &mut line,
        paint(finding.severity),
        name(finding.severity),
        columns.level,
    );
    page.column(
        &mut line,
        Paint::Plain,
        &finding.vulnerability,
        columns.vulnerability,
    );
    let fix_paint = match finding.fix {
        FixState::In(_) => Paint::Good,
        FixState::Subscription(_)
        | FixState::WontFix
        | FixState::NotYet
        | FixState::UnderReview
        | FixState::Unknown => Paint::Faint,
    };
    page.column(&mut line, fix_paint, words::fix(&finding.fix), columns.fix);
    if columns.epss > 0 {
        let epss = finding
            .epss
            .map(|epss| percent(epss.probability_millionths))
            .unwrap_or_default();
        page.column(&mut line, Paint::Plain, &format!("{epss:>4}"), columns.epss);
    }
    if let Some(kev) = &finding.kev {
        let how = if kev.ransomware {
            "ransomware"
        } else {
            "exploited"
        };
        page.add(&mut line, Paint::Worst, how);
        page.add(&mut line, Paint::Faint, " · ");
    }
    page.add(&mut line, Paint::Faint, &finding.summary);
    page.end(line);
}

/// A probability in whole percent, with the small ones told from nothing.
fn percent(millionths: u32) -> String {
    match millionths {
        0..10_000 => "<1%".to_owned(),
        more => format!("{}%", (more + 5_000) / 10_000),
    }
}

/// What to do next.
pub(super) fn next_step(page: &mut Page, components: &[Component<'_>]) {
    let upgrades: Vec<&Component<'_>> = components
        .iter()
        .filter(|component| component.fixable() > 0)
        .collect();
    if upgrades.is_empty() {
        return;
    }
    let all: usize = components
        .iter()
        .map(|component| component.findings.len())
        .sum();
    let fixed: usize = upgrades.iter().map(|component| component.fixable()).sum();
    let what = match upgrades.as_slice() {
        [one] => one.name.to_owned(),
        more => format!("{} packages", grouped(more.len())),
    };
    page.gap();
    let mut line = page.start(0);
    page.add(&mut line, Paint::Strong, "Next");
    page.add(&mut line, Paint::Plain, "  ");
    let sentence = match (fixed, all) {
        (1, 1) => format!("upgrade {what}: that fixes it."),
        (fixed, all) if fixed == all => format!("upgrade {what}: that fixes all {}.", grouped(all)),
        (fixed, all) => format!(
            "upgrade {what}: that fixes {} of {} vulnerabilities.",
            grouped(fixed),
            grouped(all)
        ),
    };
    page.paragraph(line, 6, Paint::Plain, &sentence);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_is_named_by_what_its_author_wrote() {
        for (created_by, shown) in [
            ("/bin/sh -c #(nop) ADD file:1 in / ", "ADD file:1 in /"),
            ("/bin/sh -c apt-get   update", "RUN apt-get update"),
            ("RUN /bin/sh -c npm ci # buildkit", "RUN npm ci"),
            ("COPY . /app # buildkit", "COPY . /app"),
        ] {
            assert_eq!(instruction_of(created_by), shown);
        }
    }

    #[test]
    fn a_small_probability_is_not_nothing() {
        for (millionths, shown) in [
            (43, "<1%"),
            (10_000, "1%"),
            (975_650, "98%"),
            (1_000_000, "100%"),
        ] {
            assert_eq!(percent(millionths), shown);
        }
    }
}
