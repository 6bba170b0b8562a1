//! The platform, beside Debian's `docker-registry` in the same run: throughput,
//! small answers, the way from a push to its findings, and starting.
//!
//! One client pushes to and pulls from both, and takes turns. It is as lean as we
//! can make it, since it lives on the same processors as the servers.

mod arrival;
mod echo;
mod latency;
mod ours;
mod race;
mod salt;
mod server;
mod traffic;
mod wire;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::figure::{mebibytes, time, units};
use crate::floor::{self, Decoder};
use crate::layout::{self, Packing};
use crate::product::Product;
use crate::rounds::{median, ratio};
use crate::shape;
use crate::sheet::{Sheet, Verdict};
use crate::workload::Cellar;

use self::arrival::Arrival;
use self::echo::Echo;
use self::latency::Times;
use self::ours::Ours;
use self::race::{Lap, Race};
use self::salt::Template;
use self::server::{Server, peer};
use self::traffic::{Manner, Target, Way};

/// What is measured with what.
pub(crate) struct Bench<'a> {
    pub(crate) cellar: &'a Cellar,
    pub(crate) product: &'a Product,
    pub(crate) rounds: usize,
    pub(crate) threads: usize,
}

/// A megabyte a second.
const MEGABYTES: u64 = 1_000_000;

/// A gigabit a second.
const GIGABIT: u64 = 125 * MEGABYTES;

/// The namespaces of our own server.
const QUIET: &str = "quiet";
const SCANNED: &str = "scanned";

/// The peer, if it is here.
struct Peer {
    server: Server,
}

impl Peer {
    fn target(&self, repository: &str) -> Target {
        Target {
            address: self.server.address,
            repository: repository.to_owned(),
            authorization: None,
        }
    }
}

impl Bench<'_> {
    /// Measures everything that `--registry` stands for.
    pub(crate) fn measure(&self, sheet: &mut Sheet) -> anyhow::Result<()> {
        let version = peer::version();
        sheet.remarks.push(match &version {
            Some(version) => format!("the peer is docker-registry {version}"),
            None => "docker-registry is not installed: there is nothing to compare with".to_owned(),
        });
        eprintln!("starts…");
        self.starts(version.is_some(), sheet)?;
        let folder = self.cellar.table("registry")?;
        let measured = self.serve(&folder, version.is_some(), sheet);
        // Some gigabytes that nobody wants to keep.
        fs::remove_dir_all(&folder)?;
        measured
    }

    fn serve(&self, folder: &Path, has_peer: bool, sheet: &mut Sheet) -> anyhow::Result<()> {
        let image = self.cellar.image(&shape::SMALL, Packing::Gzip)?;
        let small = Template::read(&image)?;
        let known = Template::read(&self.cellar.image(&shape::KNOWN, Packing::Gzip)?)?;
        let ours = Ours::start(self.product, &made(folder, "ours")?)?;
        ours.add_namespace(QUIET, false)?;
        ours.add_namespace(SCANNED, true)?;
        let peer = has_peer
            .then(|| peer::start(&made(folder, "peer")?).map(|server| Peer { server }))
            .transpose()?;
        eprintln!("small answers…");
        self.manifests(&known, &ours, peer.as_ref(), sheet)?;
        eprintln!("pushes and pulls…");
        self.throughput(&small, &ours, peer.as_ref(), sheet)?;
        // What follows is ours alone.
        drop(peer);
        eprintln!("pushes that are scanned…");
        self.scanned(&small, &image, &ours, sheet)?;
        eprintln!("findings…");
        for (what, template, first) in [
            ("S, all layers new", &small, 0),
            ("S, one layer new", &small, small.len() - 1),
            ("known, all layers new", &known, 0),
        ] {
            let arrivals = arrival::measure(&ours, SCANNED, template, first, 100 * MEGABYTES)?;
            tell_arrivals(what, &arrivals, sheet);
        }
        let (resident, own) = ours.server().resident();
        sheet.row(
            "17",
            "memory after all this",
            "",
            format!(
                "{}, {} without mapped files",
                mebibytes(resident),
                mebibytes(own)
            ),
            Verdict::Reported,
        );
        Ok(())
    }

    /// Row 14.
    fn throughput(
        &self,
        template: &Template,
        ours: &Ours,
        peer: Option<&Peer>,
        sheet: &mut Sheet,
    ) -> anyhow::Result<()> {
        for (what, manner) in [
            ("POST, PUT", Manner::Monolithic),
            ("POST, PATCH, PUT", Manner::Streamed),
        ] {
            for connections in [1, 3] {
                let way = Way {
                    manner,
                    connections,
                    pace: None,
                };
                let mut pushes = Race::default();
                let mut pulls = Race::default();
                for round in 0..=self.rounds {
                    let tag = format!("{manner:?}-{connections}-{round}").to_ascii_lowercase();
                    let image = template.salted(&tag, &tag, 0);
                    let repository = "quiet/image";
                    // Who is first in one round is second in the next.
                    for turn in 0..2 {
                        let (target, server) = match (round + turn) % 2 {
                            0 => (ours.target(repository)?, ours.server()),
                            _ => match peer {
                                Some(peer) => (peer.target(repository), &peer.server),
                                None => continue,
                            },
                        };
                        let is_ours = (round + turn) % 2 == 0;
                        let push = Lap::time(server, || target.push(&image, &tag, way))?;
                        let pull = Lap::time(server, || {
                            (0..PULLS).map(|_| target.pull(&image, connections)).sum()
                        })?;
                        // The first round is for warmth.
                        if round > 0 {
                            pushes.note(is_ours, push);
                            pulls.note(is_ours, pull);
                        }
                    }
                }
                let size = template.size();
                pushes.tell(
                    format!("push S, {what}, {}", on(connections)),
                    (">= 2.5 x docker-registry", 2.5),
                    size,
                    sheet,
                );
                if manner == Manner::Streamed {
                    pulls.tell(
                        format!("pull S, {}", on(connections)),
                        (">= 1.5 x docker-registry", 1.5),
                        size * PULLS,
                        sheet,
                    );
                }
            }
        }
        Ok(())
    }

    /// What scanning costs a push, and what a push and its scan take together.
    fn scanned(
        &self,
        template: &Template,
        image: &Path,
        ours: &Ours,
        sheet: &mut Sheet,
    ) -> anyhow::Result<()> {
        let blobs = layout::layers(image)?;
        for (what, target, pace, most) in [
            (
                "scanning on, at 1 Gb/s",
                "<= 1.15 x without",
                Some(GIGABIT),
                Some(1.15),
            ),
            ("scanning on, unthrottled", "", None, None),
        ] {
            let way = Way {
                manner: Manner::Streamed,
                connections: if pace.is_some() { 1 } else { 3 },
                pace,
            };
            let (mut without, mut with, mut until, mut floors) = (vec![], vec![], vec![], vec![]);
            for round in 0..=self.rounds {
                let floor = floor::floor(&blobs, Decoder::OfTheProduct, self.threads)?;
                let turns = if round % 2 == 0 {
                    [QUIET, SCANNED]
                } else {
                    [SCANNED, QUIET]
                };
                for namespace in turns {
                    let tag = format!("{}-{round}-{namespace}", pace.map_or("free", |_| "paced"));
                    let salted = template.salted(&tag, &tag, 0);
                    let target = ours.target(&format!("{namespace}/image"))?;
                    let push = target.push(&salted, &tag, way)?;
                    let whole = if namespace == SCANNED {
                        push + ours.wait_for_findings(&target, &salted.digest)?.after
                    } else {
                        push
                    };
                    if round == 0 {
                        continue;
                    }
                    if namespace == SCANNED {
                        with.push(push);
                        until.push(whole);
                    } else {
                        without.push(push);
                    }
                }
                if round > 0 {
                    floors.push(floor.wall);
                }
            }
            let slowed = ratio(with.iter().copied(), without.iter().copied());
            sheet.row(
                "14",
                format!("push S, {what}"),
                target,
                format!(
                    "{slowed:.2} x; {} ({} without)",
                    time(median(with.iter().copied())),
                    time(median(without.iter().copied()))
                ),
                most.map_or(Verdict::Reported, |most| Verdict::of(slowed <= most)),
            );
            if pace.is_none() {
                let bound: Vec<Duration> = without
                    .iter()
                    .zip(&floors)
                    .map(|(push, floor)| *push.max(floor))
                    .collect();
                let whole = ratio(until.iter().copied(), bound);
                sheet.row(
                    "13",
                    "push S and its findings, unthrottled",
                    "<= 1.2 x max(push, F)",
                    format!(
                        "{whole:.2} x; {} (push {}, F {})",
                        time(median(until.iter().copied())),
                        time(median(without.iter().copied())),
                        time(median(floors.iter().copied()))
                    ),
                    Verdict::of(whole <= 1.2),
                );
            }
        }
        Ok(())
    }

    /// Row 15.
    fn manifests(
        &self,
        template: &Template,
        ours: &Ours,
        peer: Option<&Peer>,
        sheet: &mut Sheet,
    ) -> anyhow::Result<()> {
        let image = template.salted("small-answer", "small-answer", 0);
        let length = image.manifest.len() as u64;
        let repository = "quiet/manifest";
        let way = Way {
            manner: Manner::Streamed,
            connections: 1,
            pace: None,
        };
        let echo = Echo::start(image.manifest.clone(), &image.digest, self.threads)?;
        let mut contenders = vec![
            Target {
                address: echo.address,
                repository: repository.to_owned(),
                authorization: None,
            },
            ours.target(repository)?,
        ];
        contenders.extend(peer.map(|peer| peer.target(repository)));
        for target in contenders.get(1..).unwrap_or_default() {
            target.push(&image, "latest", way)?;
        }
        for method in ["GET", "HEAD"] {
            let mut one = vec![Vec::new(); contenders.len()];
            let mut eight = vec![Vec::new(); contenders.len()];
            for round in 0..=self.rounds {
                for turn in 0..contenders.len() {
                    let who = (round + turn) % contenders.len();
                    let Some(target) = contenders.get(who) else {
                        continue;
                    };
                    // The peer takes twenty times as long.
                    let share = if who == 2 { 5 } else { 1 };
                    let request = target.manifest_request(method, "latest");
                    let mut connections = target.open(8)?;
                    let first = connections.first_mut();
                    let first = first.ok_or_else(|| anyhow::anyhow!("no connection"))?;
                    let times = latency::one_by_one(first, &request, length, REQUESTS / share)?;
                    let count = REQUESTS * 4 / share;
                    let wall = latency::together(&mut connections, &request, length, count)?;
                    if round > 0
                        && let (Some(one), Some(eight)) = (one.get_mut(who), eight.get_mut(who))
                    {
                        one.push((times.percentile(50), times.percentile(99)));
                        eight.push(wall / u32::try_from(count)?);
                    }
                }
            }
            tell_manifests(method, &one, &eight, sheet);
        }
        Ok(())
    }

    /// The server's part of row 17.
    fn starts(&self, has_peer: bool, sheet: &mut Sheet) -> anyhow::Result<()> {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        let mut again = Vec::new();
        let mut memory = (0, 0);
        let mut their_memory = 0;
        for _ in 0..self.rounds {
            let folder = self.cellar.table("start")?;
            let data = made(&folder, "ours")?;
            let server = Ours::bare(self.product, &data)?;
            ours.push(server.start);
            // Idle is what is left a second later.
            std::thread::sleep(Duration::from_secs(1));
            memory = memory.max(server.resident());
            drop(server);
            again.push(Ours::bare(self.product, &data)?.start);
            if has_peer {
                let server = peer::start(&made(&folder, "peer")?)?;
                theirs.push(server.start);
                std::thread::sleep(Duration::from_secs(1));
                their_memory = their_memory.max(server.resident().0);
            }
        }
        let start = median(ours.iter().copied());
        let beside = if has_peer {
            format!(
                "; docker-registry {}, {}",
                time(median(theirs)),
                mebibytes(their_memory)
            )
        } else {
            String::new()
        };
        sheet.row(
            "17",
            "server: empty folder to first 200; idle",
            "<= 30 ms, <= 32 MiB",
            format!(
                "{} (again {}), {} of which {} are no file's{beside}",
                time(start),
                time(median(again)),
                mebibytes(memory.0),
                mebibytes(memory.1),
            ),
            Verdict::of(start <= Duration::from_millis(30) && memory.0 <= 32 << 20),
        );
        Ok(())
    }
}

/// Pulls in one lap: one alone is too short to be sure.
const PULLS: u64 = 3;

/// Requests in one lap.
const REQUESTS: usize = 2000;

fn made(folder: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let path = folder.join(name);
    fs::create_dir_all(&path)?;
    Ok(path)
}

fn on(connections: usize) -> String {
    match connections {
        1 => "1 connection".to_owned(),
        more => format!("{more} connections"),
    }
}

impl Race {
    /// A row about bytes a second.
    fn tell(&self, what: String, target: (&'static str, f64), size: u64, sheet: &mut Sheet) {
        let speed = |laps: &[Lap]| {
            let wall = median(laps.iter().map(|lap| lap.wall));
            let processor = median(laps.iter().map(|lap| lap.processor));
            format!(
                "{:.0} MB/s, {} CPU",
                units(size) / 1e6 / wall.as_secs_f64(),
                time(processor)
            )
        };
        let ours = speed(&self.ours);
        if self.theirs.is_empty() {
            let measured = format!("{ours}; docker-registry is not installed");
            sheet.row("14", what, target.0, measured, Verdict::NotMeasured);
            return;
        }
        let walls = |laps: &[Lap]| laps.iter().map(|lap| lap.wall).collect::<Vec<_>>();
        let times = ratio(walls(&self.theirs), walls(&self.ours));
        sheet.row(
            "14",
            what,
            target.0,
            format!(
                "{times:.2} x; {ours} (docker-registry {})",
                speed(&self.theirs)
            ),
            Verdict::of(times >= target.1),
        );
    }
}

/// Rows about small answers: echo, ours and, where it is here, the peer.
fn tell_manifests(
    method: &'static str,
    one: &[Vec<(Duration, Duration)>],
    eight: &[Vec<Duration>],
    sheet: &mut Sheet,
) {
    let ([echo, ours, theirs @ ..], [echoes, answers, rivals @ ..]) = (one, eight) else {
        return;
    };
    let halves = |rounds: &[(Duration, Duration)]| rounds.iter().map(|it| it.0).collect::<Vec<_>>();
    let both = |rounds: &[(Duration, Duration)]| {
        format!(
            "{} / {}",
            time(median(halves(rounds))),
            time(median(rounds.iter().map(|it| it.1)))
        )
    };
    let per_echo = ratio(halves(ours), halves(echo));
    let against = theirs
        .first()
        .map(|theirs| ratio(halves(ours), halves(theirs)));
    sheet.row(
        "15",
        format!("manifest {method} by tag: p50 / p99"),
        "<= 2 x echo, <= 0.1 x docker-registry",
        format!(
            "{per_echo:.2} x echo, {}; {} (echo {}{})",
            against.map_or("docker-registry is not installed".to_owned(), |it| format!(
                "{it:.2} x"
            )),
            both(ours),
            both(echo),
            theirs.first().map_or(String::new(), |theirs| format!(
                ", docker-registry {}",
                both(theirs)
            )),
        ),
        match against {
            None if per_echo <= 2.0 => Verdict::NotMeasured,
            _ => Verdict::of(per_echo <= 2.0 && against.is_none_or(|it| it <= 0.1)),
        },
    );
    if method == "GET" {
        sheet.ratios.insert("manifest-get-per-echo", per_echo);
    }
    let rate =
        |each: &[Duration]| format!("{:.0}", 1.0 / median(each.iter().copied()).as_secs_f64());
    let against = rivals
        .first()
        .map(|rivals| ratio(rivals.iter().copied(), answers.iter().copied()));
    sheet.row(
        "15",
        format!("manifest {method}, 8 connections, requests a second"),
        ">= 10 x docker-registry",
        format!(
            "{}; {} (echo {}{})",
            against.map_or("docker-registry is not installed".to_owned(), |it| format!(
                "{it:.1} x"
            )),
            rate(answers),
            rate(echoes),
            rivals.first().map_or(String::new(), |rivals| format!(
                ", docker-registry {}",
                rate(rivals)
            )),
        ),
        against.map_or(Verdict::NotMeasured, |it| Verdict::of(it >= 10.0)),
    );
}

/// A row about the time from the answer to a manifest until its findings are there.
fn tell_arrivals(what: &str, arrivals: &[Arrival], sheet: &mut Sheet) {
    let times = Times::of(arrivals.iter().map(|arrival| arrival.after));
    let (half, most) = (times.percentile(50), times.percentile(99));
    let findings = arrivals.last().map_or(0, |arrival| arrival.findings);
    sheet.row(
        "13",
        format!(
            "findings after a push at 100 MB/s, {what} ({} pushes, {findings} findings)",
            arrivals.len()
        ),
        "p50 <= 30 ms, p99 <= 150 ms",
        format!("{} / {}", time(half), time(most)),
        Verdict::of(half <= Duration::from_millis(30) && most <= Duration::from_millis(150)),
    );
}
