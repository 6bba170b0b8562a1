//! `seaworthy scan`: from a target to findings, a verdict and an exit code.

mod server;

use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::num::NonZero;
use std::thread;

use seaworthy_core::{Policy, Report, Verdict};
use seaworthy_inventory::probe_set;
use seaworthy_match::{Advisories, judge};
use seaworthy_report::{Assessed, Look, cyclonedx, json, overall, table};
use seaworthy_scan::{Knowledge, LayerCache, LayerMemory, Rig, assess};

use crate::cli::{Format, ScanArgs};
use crate::confine::ConfinedReader;
use crate::desk::Desk;
use crate::edition;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::printer::{self, WriteError};
use crate::progress::Bar;
use crate::settings;
use crate::source;
use crate::target::Target;

/// Layers read at once at the most: each costs a process, and more than this
/// many only wait for the same memory.
const MOST_THREADS: usize = 8;

/// Scans one target and answers in the form asked for.
pub(crate) fn scan(desk: &Desk<'_>, args: &ScanArgs) -> anyhow::Result<Exit> {
    let (target, inferred) = Target::read(&args.target)?;
    if inferred {
        desk.printer
            .note(&format!("reading `{}` as `{target}`", args.target));
    }
    let policy = Policy {
        fail_on: args.fail_on,
        ignore_unfixed: args.ignore_unfixed,
        max_age_days: args.max_age,
        kernel_runs: args.kernel,
    };

    let cache = cache(desk, args);
    let reader = ConfinedReader::of_this_program()?;
    let bar = Bar::new(desk.printer.shows_progress());
    let rig = Rig {
        reader: &reader,
        cache: cache.as_ref().map(|cache| cache as &dyn LayerMemory),
        threads: thread::available_parallelism()
            .map_or(1, NonZero::get)
            .min(MOST_THREADS),
        progress: &bar,
    };
    let taken = source::read(desk, &target, args, &rig, &bar)?;
    if args.elsewhere.server.is_some() {
        let judged = ManuallyDrop::new(server::ask(desk, args, &target, taken, &bar)?);
        let images: Vec<Assessed<'_>> = judged
            .iter()
            .map(|it| Assessed {
                report: &it.report,
                verdict: &it.verdict,
                policy: &it.policy,
            })
            .collect();
        return finish(desk, args, &images);
    }
    bar.clear();

    let edition = match args.as_of {
        Some(day) => edition::as_of(desk, day)?,
        None => edition::open(desk.data, args.edition.as_deref())?,
    };
    let knowledge = Knowledge {
        advisories: &edition,
        facts: edition.facts(),
    };
    // What was fresh then is fresh.
    let today = args.as_of.unwrap_or_else(settings::today);
    let judged: Vec<(Report, Verdict)> = taken
        .into_iter()
        .map(|(facts, inventory)| {
            let report = assess(facts, inventory, Some(&knowledge));
            let support_ends =
                report.inventory.distro.as_ref().and_then(|distro| {
                    edition.support_ends(&distro.id, distro.version_id.as_deref()?)
                });
            let verdict = judge(&report, &policy, today, support_ends);
            (report, verdict)
        })
        .collect();
    // The process is about to end, and the system takes back all at once what
    // we could only give back piece by piece.
    let judged = ManuallyDrop::new(judged);
    let images: Vec<Assessed<'_>> = judged
        .iter()
        .map(|(report, verdict)| Assessed {
            report,
            verdict,
            policy: &policy,
        })
        .collect();

    finish(desk, args, &images)
}

/// Answers, and ends as the verdicts say.
fn finish(desk: &Desk<'_>, args: &ScanArgs, images: &[Assessed<'_>]) -> anyhow::Result<Exit> {
    match answer(desk, args, images) {
        // Whoever closed the pipe has read enough; the verdict stands.
        Err(error) if matches!(error.downcast_ref(), Some(WriteError::ReaderGone)) => {}
        answered => answered?,
    }
    Ok(Exit::of(overall(images)))
}

/// The layer cache, unless it is not wanted. A folder that cannot be used costs
/// time on the next scan and is no reason to refuse this one.
fn cache(desk: &Desk<'_>, args: &ScanArgs) -> Option<LayerCache> {
    if args.no_cache {
        return None;
    }
    match LayerCache::open(&desk.data.join("layers"), &probe_set()) {
        Ok(cache) => Some(cache),
        Err(error) => {
            desk.printer
                .note(&format!("{error}; layers will be read again next time"));
            None
        }
    }
}

fn answer(desk: &Desk<'_>, args: &ScanArgs, images: &[Assessed<'_>]) -> anyhow::Result<()> {
    let into_file = args.output.is_some();
    let text = match args.format {
        Format::Table => table(
            images,
            &Look {
                width: printer::width(),
                colour: desk.printer.colours_data() && !into_file,
                unicode: true,
                packages: args.packages,
            },
        ),
        Format::Json => return Ok(put(args, |out| json(images, out))?),
        Format::Cyclonedx => match images {
            [image] => cyclonedx(image),
            _ => {
                return Err(Hinted::error(
                    format!(
                        "CycloneDX describes one image, and there are {}",
                        images.len()
                    ),
                    "choose one with --platform, or take --format json",
                ));
            }
        },
    };
    Ok(put(args, |out| out.write_all(text.as_bytes()))?)
}

/// Lets `write` write to where the answer is wanted.
fn put(
    args: &ScanArgs,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    match &args.output {
        Some(path) => printer::stream_file(path, write),
        None => printer::stream_data(write),
    }
}
