//! Measures the product against its floor, in one run, on images it makes
//! itself.
//!
//! `cargo xtask bench` builds product and bench and starts this; what is
//! measured and why is told in `docs/benchmarks.md`. Rules: only ratios within
//! one run count, floor and product take turns, the median of the rounds'
//! ratios is what is reported, and processor time stands beside wall time.
//! Read [`floor`] first, then [`measure`].

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench speaks to the person who started it"
)]

mod building;
mod content;
mod dice;
mod figure;
mod floor;
mod jar;
mod layout;
mod likeness;
mod matching;
mod measure;
mod names;
mod options;
mod process;
mod product;
mod question;
mod registry;
mod rounds;
mod shape;
mod sheet;
mod sqlite;
mod workload;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use crate::layout::Packing;
use crate::measure::Bench;
use crate::options::{Options, USAGE};
use crate::product::Product;
use crate::sheet::{Baseline, Sheet, Verdict};
use crate::workload::Cellar;

fn main() -> ExitCode {
    if std::env::args()
        .nth(1)
        .is_some_and(|it| it == "--help" || it == "-h")
    {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match Options::parse(std::env::args().skip(1)).and_then(|options| bench(&options)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn bench(options: &Options) -> anyhow::Result<ExitCode> {
    let target = target_folder()?;
    let cellar = Cellar::open(&target.join("bench"), options.fresh)?;
    if let Some(folder) = &options.like {
        likeness::compare(&cellar, folder)?;
        return Ok(ExitCode::SUCCESS);
    }
    let profile = if options.dist { "dist" } else { "release" };
    let binary = options
        .product
        .clone()
        .unwrap_or_else(|| target.join(profile).join("seaworthy"));
    anyhow::ensure!(binary.is_file(), "`{}` is not there", binary.display());
    let image = match &options.image {
        Some(image) => image.clone(),
        None => cellar.image(&shape::SMALL, Packing::Gzip)?,
    };
    let product = Product {
        binary,
        edition: cellar.edition(1)?,
    };
    if options.registry {
        return registry(options, &cellar, &product);
    }
    let known = cellar.image(&shape::KNOWN, Packing::Gzip)?;
    let (small, sqlite) = (cellar.edition(50)?, cellar.sqlite()?);
    confine_to(options.threads)?;
    let bench = Bench {
        cellar: &cellar,
        product: &product,
        rounds: options.rounds,
        threads: options.threads,
    };

    let mut sheet = Sheet::default();
    sheet.remarks.push(format!(
        "{} rounds, {} processors; F inflates with zlib-rs and libzstd, as the product does, R with zlib-ng; both hash with sha2",
        options.rounds, options.threads
    ));
    sheet.remarks.push(load("at the start")?);
    sheet.remarks.push(measure::describe("S", &image)?);
    eprintln!("cold scans…");
    let cold = bench.cold(&image)?;
    let own = options.image.is_none();
    if own {
        let expected = shape::packages(&shape::SMALL);
        if cold.answer.packages < expected {
            sheet.remarks.push(format!(
                "the product lists {} of the {expected} packages of S",
                cold.answer.packages
            ));
        }
        sheet.ratios.insert("cold-small-wall", cold.wall_ratio);
        if let Some(reference) = cold.reference {
            sheet
                .ratios
                .insert("cold-small-wall-per-reference", reference.wall_ratio);
        }
        sheet
            .ratios
            .insert("cold-small-processor", cold.processor_ratio);
    }
    cold.tell("1", "S", ("<= 1.25 x F", 1.25), &mut sheet);
    cold.tell_reference("1", "S", ("<= 1.25 x R", 1.25), &mut sheet);
    bench.peers(&image, &mut sheet)?;
    large(options, &bench, &cold, &mut sheet)?;
    cold.tell_processor("S", &mut sheet);
    cold.tell_footprint("S", &mut sheet);
    eprintln!("warm scans…");
    bench.warm(&known, &mut sheet)?;
    eprintln!("editions…");
    let stores = matching::Stores {
        edition: &product.edition,
        small: &small,
        sqlite: &sqlite,
    };
    measure::edition(&stores, options.rounds, &mut sheet)?;
    if options.build {
        eprintln!("builds…");
        measure::build(
            &building::measure(&cellar.mirror()?, &cellar.table("build")?, &product)?,
            &mut sheet,
        );
    }
    bench.start(&mut sheet)?;
    sheet.remarks.push(load("at the end")?);
    publish(options, &sheet)
}

/// Rows 13 to 15 and the server's part of 17.
fn registry(options: &Options, cellar: &Cellar, product: &Product) -> anyhow::Result<ExitCode> {
    confine_to(options.threads)?;
    let bench = registry::Bench {
        cellar,
        product,
        rounds: options.rounds,
        threads: options.threads,
    };
    let mut sheet = Sheet::default();
    sheet.remarks.push(format!(
        "{} rounds, {} processors for servers and client together",
        options.rounds, options.threads
    ));
    sheet.remarks.push(load("at the start")?);
    // What was measured before trouble is worth seeing.
    let measured = bench.measure(&mut sheet);
    sheet.remarks.push(load("at the end")?);
    let code = publish(options, &sheet)?;
    measured.map(|()| code)
}

/// Prints the table, and keeps or compares the numbers as asked.
fn publish(options: &Options, sheet: &Sheet) -> anyhow::Result<ExitCode> {
    print!("{}", sheet.table());
    if let Some(path) = &options.json {
        sheet.write(path)?;
    }
    if options.record {
        Baseline::read().unwrap_or_default().update(sheet)?;
    }
    if options.check {
        let worse = Baseline::read()?.worse(sheet);
        for line in &worse {
            eprintln!("worse: {line}");
        }
        if !worse.is_empty() {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Rows 2, 3 and the last of 5.
fn large(
    options: &Options,
    bench: &Bench<'_>,
    small: &measure::Cold,
    sheet: &mut Sheet,
) -> anyhow::Result<()> {
    if options.image.is_none() {
        let zstd = bench.cellar.image(&shape::SMALL, Packing::Zstd)?;
        let cold = bench.cold(&zstd)?;
        sheet.ratios.insert("cold-small-zstd-wall", cold.wall_ratio);
        cold.tell("3", "S, zstd", ("<= 1.30 x F", 1.30), sheet);
    }
    if !options.large {
        for (goal, what) in [("2", "cold scan L"), ("3", "cold scan L, zstd")] {
            sheet.row(
                goal,
                what,
                "<= 1.30 x F",
                "--large".to_owned(),
                Verdict::NotMeasured,
            );
        }
        return Ok(());
    }
    for (goal, what, packing, name) in [
        ("2", "L", Packing::Gzip, "cold-large-wall"),
        ("3", "L, zstd", Packing::Zstd, "cold-large-zstd-wall"),
    ] {
        let image = bench.cellar.image(&shape::LARGE, packing)?;
        sheet.remarks.push(measure::describe(what, &image)?);
        let cold = bench.cold(&image)?;
        sheet.ratios.insert(name, cold.wall_ratio);
        cold.tell(goal, what, ("<= 1.30 x F", 1.30), sheet);
        cold.tell_reference(goal, what, ("<= 1.30 x R", 1.30), sheet);
        if packing == Packing::Gzip {
            cold.tell_footprint("L", sheet);
            let growth = cold.peak.against(&small.peak);
            sheet.row(
                "5",
                "peak memory, L against S",
                "<= 1.3 x",
                format!("{growth:.2} x"),
                Verdict::of(growth <= 1.3),
            );
        }
    }
    Ok(())
}

/// How busy the machine is: above the number of processors, wall times say
/// little.
fn load(when: &str) -> anyhow::Result<String> {
    let text = std::fs::read_to_string("/proc/loadavg")?;
    let load = text.split_whitespace().next().unwrap_or_default();
    Ok(format!("load {when}: {load}"))
}

/// Where cargo builds: this program lies in `TARGET/PROFILE`.
fn target_folder() -> anyhow::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let target = program.ancestors().nth(2);
    Ok(target
        .context("this program lies in no target folder")?
        .to_owned())
}

/// Gives this process, and so everything it starts, the first `count` of the
/// processors it may use.
fn confine_to(count: usize) -> anyhow::Result<()> {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let allowed = sched_getaffinity(None)?;
    let mut chosen = CpuSet::new();
    (0..CpuSet::MAX_CPU)
        .filter(|&cpu| allowed.is_set(cpu))
        .take(count)
        .for_each(|cpu| chosen.set(cpu));
    anyhow::ensure!(
        chosen.count() as usize == count,
        "this machine has fewer than {count} processors"
    );
    sched_setaffinity(None, &chosen)?;
    Ok(())
}
