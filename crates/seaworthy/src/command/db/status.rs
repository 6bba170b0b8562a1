//! `seaworthy db status`.

use std::fmt::Write as _;

use seaworthy_advisories::Edition;
use seaworthy_core::FeedDate;
use seaworthy_feeds::Copies;

use crate::amount::megabytes;
use crate::cli::DbStatusArgs;
use crate::desk::Desk;
use crate::edition;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::printer;
use crate::settings;

/// Tells what the edition in use holds and how old it is.
pub(crate) fn status(desk: &Desk<'_>, args: &DbStatusArgs) -> anyhow::Result<Exit> {
    let edition = edition::open(desk.data, args.edition.as_deref())?;
    if args.verify {
        edition.verify().map_err(|error| {
            Hinted::over("the edition is damaged", "build or fetch it again", error)
        })?;
    }
    let mut text = describe(&edition, args.verify);
    if args.edition.is_none() {
        text.push_str(&troubles(desk));
    }
    printer::write_data(text.as_bytes())?;
    if edition.facts().starter {
        desk.printer
            .hint("`seaworthy db update` fetches the feeds and compiles a full edition");
    }
    Ok(Exit::Pass)
}

/// Feeds that did not fare well at the last update, if there was one.
fn troubles(desk: &Desk<'_>) -> String {
    let mut text = String::new();
    for (feed, health) in Copies::health(&edition::copies(desk.data)) {
        let Some(trouble) = health.trouble else {
            continue;
        };
        if text.is_empty() {
            text.push_str("\nfeeds in trouble at the last update\n");
        }
        let well = health.well.map_or_else(
            || "never read well".to_owned(),
            |day| format!("last read well on {day}"),
        );
        // The trouble may repeat what a server said.
        let trouble = seaworthy_report::clean(&trouble);
        let _ = writeln!(text, "  {feed}: {trouble} ({well})");
    }
    text
}

/// The edition in words and numbers.
pub(super) fn describe(edition: &Edition, verified: bool) -> String {
    let facts = edition.facts();
    let counts = edition.statistics();
    let today = settings::today();
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "edition          {}{}{}",
        facts.digest,
        if facts.starter { " (starter)" } else { "" },
        if verified { ", verified" } else { "" },
    );
    let _ = writeln!(text, "advisories       {}", counts.advisories);
    let _ = writeln!(text, "vulnerabilities  {}", counts.vulnerabilities);
    let _ = writeln!(text, "packages         {}", counts.packages);
    let _ = writeln!(
        text,
        "size             {:.1} MB",
        megabytes(counts.size_bytes)
    );
    if counts.ecosystems.is_empty() {
        return text;
    }
    let width = counts
        .ecosystems
        .iter()
        .map(|it| it.ecosystem.to_string().chars().count())
        .max()
        .unwrap_or(0)
        .max("ecosystem".len());
    let _ = writeln!(
        text,
        "\n{:width$}  {:>10}  as of",
        "ecosystem", "advisories"
    );
    for count in &counts.ecosystems {
        let when = match count.feed.date {
            FeedDate::Fetched(day) => format!("{day} ({} days old)", today.days_since(day)),
            FeedDate::NewestRecord(day) => {
                format!(
                    "{day} ({} days old, by its newest record)",
                    today.days_since(day)
                )
            }
            FeedDate::Unknown => "unknown".to_owned(),
        };
        let _ = writeln!(
            text,
            "{:width$}  {:>10}  {when}",
            count.ecosystem.to_string(),
            count.feed.advisories
        );
    }
    text
}
