//! `seaworthy db`: editions are built and inspected.

use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use anyhow::Context as _;
use seaworthy_advisories::{Compiler, Context, Edition};
use seaworthy_core::FeedDate;
use seaworthy_feeds::{Fed, Mirror, Options, ReadError, Reading, read};

use crate::cli::{DbBuildArgs, DbStatusArgs};
use crate::desk::Desk;
use crate::edition;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::printer;
use crate::progress::Bar;
use crate::settings;

/// Compiles the feeds of a mirror into an edition and installs it.
pub(crate) fn build(desk: &Desk<'_>, args: &DbBuildArgs) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    let told = || format!("cannot build an edition from `{}`", args.from);
    let mirror = Mirror::parse(&args.from).map_err(|error| hinted(told(), error.hint(), error))?;
    let scratch = desk.data.join("scratch");
    fs::create_dir_all(&scratch)
        .with_context(|| format!("cannot use the data folder `{}`", desk.data.display()))?;
    let options = Options {
        today: settings::today(),
        scratch,
        limits: seaworthy_feeds::Limits::default(),
    };

    let bar = Bar::new(desk.printer.shows_progress());
    bar.say("reading feeds");
    let mut compiler = Compiler::new();
    let mut refused = Ok(());
    let runtime = crate::runtime::start()?;
    let fed = runtime
        .block_on(read(&mirror, &options, &mut |advisory| {
            if refused.is_ok() {
                refused = compiler.add(&advisory);
            }
        }))
        .map_err(|error: ReadError| hinted(told(), error.hint(), error))?;
    refused.with_context(told)?;
    bar.say("compiling");
    let bytes = compiler
        .compile(&Context {
            feeds: fed.dates(),
            kev: fed.kev.clone(),
            epss: fed.epss.clone(),
            support: fed.support.clone(),
            starter: false,
        })
        .with_context(told)?;
    let size = bytes.len();
    let path = match &args.output {
        Some(path) => {
            printer::write_file(path, &bytes)?;
            path.clone()
        }
        None => edition::shelf(desk.data).install(bytes)?,
    };
    bar.clear();

    tell_refusals(desk, &fed);
    for missing in &fed.missing {
        desk.printer.note(&format!("the mirror has no `{missing}`"));
    }
    let edition = edition::open(desk.data, Some(&path))?;
    desk.printer.note(&format!(
        "{} in {:.1} s, {:.1} MB: {}",
        if args.output.is_some() {
            "written"
        } else {
            "installed"
        },
        begun.elapsed().as_secs_f64(),
        megabytes(size as u64),
        path.display(),
    ));
    printer::write_data(describe(&edition, false).as_bytes())?;
    Ok(Exit::Pass)
}

/// Tells what the edition in use holds and how old it is.
pub(crate) fn status(desk: &Desk<'_>, args: &DbStatusArgs) -> anyhow::Result<Exit> {
    let edition = edition::open(desk.data, args.edition.as_deref())?;
    if args.verify {
        edition.verify().map_err(|error| {
            Hinted::over("the edition is damaged", "build or fetch it again", error)
        })?;
    }
    printer::write_data(describe(&edition, args.verify).as_bytes())?;
    if edition.facts().starter {
        desk.printer
            .hint("`seaworthy db build --from DIR|URL` compiles a full edition");
    }
    Ok(Exit::Pass)
}

fn hinted(what: String, hint: &str, error: impl Into<anyhow::Error>) -> anyhow::Error {
    Hinted::over(what, hint, error)
}

/// Refused records are told, not hidden: an edition without them knows less.
fn tell_refusals(desk: &Desk<'_>, fed: &Fed) {
    for Reading {
        id,
        records,
        refused,
        refusals,
        ..
    } in &fed.feeds
    {
        if *refused == 0 {
            continue;
        }
        desk.printer.note(&format!(
            "`{id}`: {refused} of {} records refused",
            records + refused
        ));
        for refusal in refusals.iter().take(3) {
            desk.printer
                .note(&format!("  {}: {}", refusal.what, refusal.why));
        }
    }
}

fn megabytes(bytes: u64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a size for people, to one decimal"
    )]
    let bytes = bytes as f64;
    bytes / 1e6
}

/// The edition in words and numbers.
fn describe(edition: &Edition, verified: bool) -> String {
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
