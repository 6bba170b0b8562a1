//! The goals, measured one by one.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use seaworthy_advisories::Edition;

use crate::building;
use crate::figure::{mebibytes, time, units};
use crate::floor::{self, Decoder, HAS_REFERENCE};
use crate::layout::{self, Blob, Packing};
use crate::matching::{self, Costs};
use crate::process::{self, Peak, Spent};
use crate::product::{Answer, Product, SCANNED, stored};
use crate::rounds::{median, ratio};
use crate::sheet::{Sheet, Verdict};
use crate::workload::Cellar;

/// What is measured with what.
pub(crate) struct Bench<'a> {
    pub(crate) cellar: &'a Cellar,
    pub(crate) product: &'a Product,
    pub(crate) rounds: usize,
    pub(crate) threads: usize,
}

/// A cold scan beside its floor.
pub(crate) struct Cold {
    pub(crate) wall_ratio: f64,
    pub(crate) processor_ratio: f64,
    /// Against the fixed decoder, for gzip.
    pub(crate) reference: Option<Reference>,
    floor: Spent,
    scan: Spent,
    pub(crate) answer: Answer,
    pub(crate) peak: Peak,
    /// Bytes written beyond cache records and the answer.
    beside: u64,
    records: (usize, u64),
}

/// A cold scan beside the floor of the fixed decoder.
#[derive(Clone, Copy)]
pub(crate) struct Reference {
    pub(crate) wall_ratio: f64,
    pub(crate) processor_ratio: f64,
    /// Processor time of the product's decoder for one of the fixed one's.
    decoder_ratio: f64,
    floor: Spent,
}

impl Bench<'_> {
    /// A cold scan of the layout in `image`, beside its floor.
    pub(crate) fn cold(&self, image: &Path) -> anyhow::Result<Cold> {
        let blobs = layout::layers(image)?;
        let has_reference = HAS_REFERENCE && blobs.iter().any(|blob| blob.packing == Packing::Gzip);
        let floor = |decoder| floor::floor(&blobs, decoder, self.threads);
        let mut floors = Vec::new();
        let mut references = Vec::new();
        let mut scans = Vec::new();
        let mut beside = Vec::new();
        let mut records = (0, 0);
        let mut answer = Answer::default();
        // One round for nothing: it brings the pages in.
        floor(Decoder::OfTheProduct)?;
        for round in 0..self.rounds {
            // Everyone is first, second and last in turn.
            for turn in 0..3 {
                match (round + turn) % 3 {
                    0 => floors.push(floor(Decoder::OfTheProduct)?),
                    1 if has_reference => references.push(floor(Decoder::Reference)?),
                    1 => {}
                    _ => {
                        let table = self.cellar.table("cold")?;
                        let spent = process::run(&mut self.product.scan(image, &table)?, &SCANNED)?;
                        answer = Product::answer(&table)?;
                        records = stored(&table.join("data/layers"));
                        let known = records.1 + answer.size.next_multiple_of(4096);
                        beside.push(spent.written.saturating_sub(known));
                        scans.push(spent);
                    }
                }
            }
        }
        let mut peak = Peak::default();
        for _ in 0..3 {
            let table = self.cellar.table("memory")?;
            let mut scan = self.product.scan(image, &table)?;
            peak.raise(&process::watch(&mut scan, &SCANNED)?);
        }
        beside.sort_unstable();
        let wall = |spent: &[Spent]| spent.iter().map(|it| it.wall).collect::<Vec<_>>();
        let processor = |spent: &[Spent]| spent.iter().map(|it| it.processor).collect::<Vec<_>>();
        let typical = |spent: &[Spent]| Spent {
            wall: median(wall(spent)),
            processor: median(processor(spent)),
            written: 0,
        };
        Ok(Cold {
            wall_ratio: ratio(wall(&scans), wall(&floors)),
            processor_ratio: ratio(processor(&scans), processor(&floors)),
            reference: has_reference.then(|| Reference {
                wall_ratio: ratio(wall(&scans), wall(&references)),
                processor_ratio: ratio(processor(&scans), processor(&references)),
                decoder_ratio: ratio(processor(&floors), processor(&references)),
                floor: typical(&references),
            }),
            floor: typical(&floors),
            scan: typical(&scans),
            answer,
            peak,
            beside: beside.get(beside.len() / 2).copied().unwrap_or(0),
            records,
        })
    }

    /// Scans of an image whose layers are remembered, beside starting a program
    /// that does nothing.
    pub(crate) fn warm(&self, image: &Path, sheet: &mut Sheet) -> anyhow::Result<()> {
        const RUNS: usize = 5;
        let table = self.cellar.table("warm")?;
        process::run(&mut self.product.scan(image, &table)?, &SCANNED)?;
        let mut scans = Vec::new();
        let mut starts = Vec::new();
        let mut processor = Duration::ZERO;
        for _ in 0..self.rounds * RUNS {
            starts.push(process::run(&mut Command::new("true"), &[0])?.wall);
            Product::clear(&table)?;
            let spent = process::run(&mut self.product.scan(image, &table)?, &SCANNED)?;
            processor += spent.processor;
            scans.push(spent.wall);
        }
        let answer = Product::answer(&table)?;
        let typical = median(scans.iter().copied());
        let runs = u32::try_from(scans.len()).unwrap_or(1);
        sheet.row(
            "6",
            format!(
                "warm scan, {} packages, {} findings, whole process",
                answer.packages, answer.findings
            ),
            "<= 15 ms",
            format!(
                "{} wall (best {}), {} CPU; {:.1} x starting `true`",
                time(typical),
                time(scans.iter().min().copied().unwrap_or_default()),
                time(processor / runs),
                ratio(scans.iter().copied(), starts.iter().copied()),
            ),
            Verdict::of(typical <= Duration::from_millis(15)),
        );
        Ok(())
    }

    /// Starting and size of the binary.
    pub(crate) fn start(&self, sheet: &mut Sheet) -> anyhow::Result<()> {
        let version = || {
            let mut command = self.product.bare();
            command.arg("--version");
            command
        };
        let mut walls = Vec::new();
        let mut starts = Vec::new();
        for _ in 0..self.rounds * 5 {
            starts.push(process::run(&mut Command::new("true"), &[0])?.wall);
            walls.push(process::run(&mut version(), &[0])?.wall);
        }
        // A process that ends at once is hard to catch: the most of many looks.
        let mut most = 0;
        for _ in 0..40 {
            most = most.max(process::watch(&mut version(), &[0])?.process);
        }
        let size = std::fs::metadata(&self.product.binary)?.len();
        let typical = median(walls.iter().copied());
        sheet.row(
            "17",
            "`--version`: wall, resident; binary",
            "<= 5 ms, <= 10 MiB; <= 25 MB",
            format!(
                "{} ({:.1} x `true`), {}; {:.1} MB",
                time(typical),
                ratio(walls.iter().copied(), starts.iter().copied()),
                mebibytes(most),
                units(size) / 1e6,
            ),
            Verdict::of(
                typical <= Duration::from_millis(5) && most <= 10 << 20 && size <= 25_000_000,
            ),
        );
        Ok(())
    }

    /// Peers that are installed, each once for warmth and three times for real.
    pub(crate) fn peers(&self, image: &Path, sheet: &mut Sheet) -> anyhow::Result<()> {
        let blobs = layout::layers(image)?;
        for (name, arguments) in [
            (
                "trivy",
                &[
                    "image",
                    "--offline-scan",
                    "--skip-db-update",
                    "--format",
                    "cyclonedx",
                    "--input",
                ][..],
            ),
            ("syft", &["scan", "-o", "json", "-q"][..]),
            ("grype", &["-o", "json", "-q"][..]),
        ] {
            if process::run(Command::new(name).arg("--version"), &[0]).is_err() {
                continue;
            }
            let mut scans = Vec::new();
            let mut floors = Vec::new();
            for _ in 0..3 {
                let table = self.cellar.table("peer")?;
                let mut command = Command::new(name);
                command
                    .args(arguments)
                    .env("TRIVY_CACHE_DIR", &table)
                    .env("SYFT_CHECK_FOR_APP_UPDATE", "false")
                    .env("GRYPE_DB_AUTO_UPDATE", "false");
                match name {
                    "trivy" => command.arg(image),
                    _ => command.arg(format!("oci-dir:{}", image.display())),
                };
                let Ok(spent) = process::run(&mut command, &[0]) else {
                    break;
                };
                scans.push(spent.wall);
                floors.push(floor::floor(&blobs, Decoder::OfTheProduct, self.threads)?.wall);
            }
            let measured = if scans.is_empty() {
                "it refused".to_owned()
            } else {
                format!(
                    "{:.2} x F; {} wall",
                    ratio(scans.iter().copied(), floors),
                    time(median(scans.iter().copied()))
                )
            };
            sheet.row(
                "1",
                format!("peer {name}, cold"),
                "",
                measured,
                Verdict::Reported,
            );
        }
        Ok(())
    }
}

impl Cold {
    /// Rows for wall and processor time.
    pub(crate) fn tell(
        &self,
        goal: &'static str,
        what: &str,
        target: (&'static str, f64),
        sheet: &mut Sheet,
    ) {
        sheet.row(
            goal,
            format!(
                "cold scan {what} ({} packages, {} findings, {} gaps)",
                self.answer.packages, self.answer.findings, self.answer.gaps
            ),
            target.0,
            format!(
                "{:.2} x F; {} wall, {} CPU (F {}, {})",
                self.wall_ratio,
                time(self.scan.wall),
                time(self.scan.processor),
                time(self.floor.wall),
                time(self.floor.processor),
            ),
            Verdict::of(self.wall_ratio <= target.1),
        );
    }

    /// The row against the fixed decoder.
    pub(crate) fn tell_reference(
        &self,
        goal: &'static str,
        what: &str,
        target: (&'static str, f64),
        sheet: &mut Sheet,
    ) {
        let Some(reference) = self.reference else {
            return;
        };
        sheet.row(
            goal,
            format!("cold scan {what}, against zlib-ng"),
            target.0,
            format!(
                "{:.2} x R, CPU {:.2} x R; R {} wall, {} CPU; our decoder's floor {:.2} x R",
                reference.wall_ratio,
                reference.processor_ratio,
                time(reference.floor.wall),
                time(reference.floor.processor),
                reference.decoder_ratio,
            ),
            Verdict::of(reference.wall_ratio <= target.1),
        );
    }

    /// The row for processor time.
    pub(crate) fn tell_processor(&self, what: &str, sheet: &mut Sheet) {
        sheet.row(
            "4",
            format!("CPU seconds of a cold scan {what}"),
            "<= 1.25 x F",
            format!(
                "{:.2} x F; {} (F {})",
                self.processor_ratio,
                time(self.scan.processor),
                time(self.floor.processor)
            ),
            Verdict::of(self.processor_ratio <= 1.25),
        );
    }

    /// Rows for memory and storage.
    pub(crate) fn tell_footprint(&self, what: &str, sheet: &mut Sheet) {
        sheet.row(
            "5",
            format!("peak memory of a cold scan {what}"),
            "<= 48 MiB",
            format!(
                "{} all processes (largest {}, without mapped files {}, shared pages once {})",
                mebibytes(self.peak.tree),
                mebibytes(self.peak.process),
                mebibytes(self.peak.anonymous),
                mebibytes(self.peak.proportional),
            ),
            Verdict::of(self.peak.tree <= 48 << 20),
        );
        sheet.row(
            "5",
            format!("bytes written by a cold scan {what}"),
            "0 beside cache and answer",
            format!(
                "{} KiB beside {} cache files of {} KiB and an answer of {} KiB",
                self.beside / 1024,
                self.records.0,
                self.records.1 / 1024,
                self.answer.size / 1024,
            ),
            // A page or two may be a folder's own.
            Verdict::of(self.beside <= 16 * 1024),
        );
    }
}

/// The row about compiling an edition from feeds.
pub(crate) fn build(costs: &building::Costs, sheet: &mut Sheet) {
    sheet.ratios.insert("build-per-floor", costs.ratio);
    sheet.row(
        "10",
        format!("build an edition from {} records", costs.records),
        "<= 3 x F, <= 20 s, <= 1 GiB",
        format!(
            "{:.2} x F; {} (F {}), {}",
            costs.ratio,
            time(costs.build),
            time(costs.floor),
            mebibytes(costs.peak.tree)
        ),
        Verdict::of(
            costs.ratio <= 3.0
                && costs.build <= Duration::from_secs(20)
                && costs.peak.tree <= 1 << 30,
        ),
    );
}

/// Rows about opening an edition and asking it.
pub(crate) fn edition(
    stores: &matching::Stores<'_>,
    rounds: usize,
    sheet: &mut Sheet,
) -> anyhow::Result<()> {
    let costs: Costs = matching::measure(stores, rounds)?;
    let facts = Edition::open(stores.edition)?.statistics();
    sheet.row(
        "7",
        "open an edition: hot; page-cold",
        "<= 1 ms; <= 20 ms; whatever its size",
        format!(
            "{}; {}; {} at a fiftieth of the size",
            time(costs.open),
            time(costs.open_evicted),
            time(costs.open_small)
        ),
        Verdict::of(
            costs.open <= Duration::from_millis(1)
                && costs.open_evicted <= Duration::from_millis(20),
        ),
    );
    sheet.row(
        "7",
        "open and 500 packages, page-cold",
        "",
        format!(
            "{}; SQLite {}",
            time(costs.evicted),
            time(costs.evicted_sqlite)
        ),
        Verdict::Reported,
    );
    sheet.row(
        "8",
        format!("match 500 packages, first touch ({} hits)", costs.hits),
        "<= 8 us/package, >= 4 x SQLite",
        format!(
            "{}; SQLite {}: {:.1} x",
            time(costs.first),
            time(costs.first_sqlite),
            costs.first_ratio
        ),
        Verdict::of(costs.first <= Duration::from_micros(8) && costs.first_ratio >= 4.0),
    );
    sheet.row(
        "8",
        "match, steady",
        "<= 1 us/package, >= 4 x SQLite",
        format!(
            "{}; SQLite {}: {:.1} x",
            time(costs.steady),
            time(costs.steady_sqlite),
            costs.steady_ratio
        ),
        Verdict::of(costs.steady <= Duration::from_micros(1) && costs.steady_ratio >= 4.0),
    );
    sheet
        .ratios
        .insert("match-first-per-sqlite", 1.0 / costs.first_ratio);
    sheet
        .ratios
        .insert("match-steady-per-sqlite", 1.0 / costs.steady_ratio);
    let megabytes = |bytes: u64| units(bytes) / 1e6;
    let other = std::fs::metadata(stores.sqlite)?.len();
    sheet.row(
        "9",
        format!(
            "edition of {} rows, {} packages",
            facts.rows, facts.packages
        ),
        "<= 50 MB in matching",
        format!(
            "{:.1} MB, of which {:.1} MB are for matching; SQLite, no prose, {:.1} MB",
            megabytes(facts.size_bytes),
            megabytes(facts.match_bytes),
            megabytes(other)
        ),
        Verdict::of(facts.match_bytes <= 50_000_000),
    );
    Ok(())
}

/// What an image is, in one remark.
pub(crate) fn describe(name: &str, image: &Path) -> anyhow::Result<String> {
    let blobs = layout::layers(image)?;
    let sizes: Vec<String> = blobs
        .iter()
        .map(|blob| format!("{:.0}", units(blob.size) / 1e6))
        .collect();
    let mut inflated = 0;
    let begun = floor::processor_time();
    for blob in &blobs {
        inflated += floor::inflate(blob, Decoder::OfTheProduct, &mut |_| ())?;
    }
    let took = floor::processor_time().saturating_sub(begun).as_secs_f64();
    let size: u64 = blobs.iter().map(|blob: &Blob| blob.size).sum();
    Ok(format!(
        "{name}: {} MB, {:.0} MB inflated (ratio {:.2}), at {:.0} MB/s of compressed bytes per processor",
        sizes.join("/"),
        units(inflated) / 1e6,
        units(inflated) / units(size),
        units(size) / 1e6 / took,
    ))
}
