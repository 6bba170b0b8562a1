//! Reports to render. One builder, so that tests say only what matters to them.

use seaworthy_core::{
    AffectedInterval, Blindness, Claim, Coverage, Day, Digest, Distro, EditionFacts, Epss,
    FeedDate, FeedFacts, Finding, FixState, Gap, ImageFacts, Inventory, Kev, Layer, Package,
    PackageId, PackageType, Policy, ProbeSet, Rating, RatingSystem, Reason, Report, Severity,
    Sighting, Source, SourcePackage, Upper, Verdict, Version,
};
use seaworthy_report::Assessed;

/// A report, the policy and its verdict.
#[derive(Clone, Debug)]
pub(crate) struct Example {
    pub(crate) report: Report,
    pub(crate) policy: Policy,
    pub(crate) verdict: Verdict,
}

impl Example {
    pub(crate) fn assessed(&self) -> Assessed<'_> {
        Assessed {
            report: &self.report,
            verdict: &self.verdict,
            policy: &self.policy,
        }
    }

    /// Adds a package and answers where it is.
    pub(crate) fn package(
        &mut self,
        kind: &str,
        name: &str,
        version: &str,
        path: &str,
        layer: Option<usize>,
    ) -> PackageId {
        let kind = PackageType::from_purl_type(kind);
        let scheme = kind.scheme();
        self.report.inventory.packages.push(Package {
            architecture: kind.is_os().then(|| "amd64".into()),
            kind,
            name: name.into(),
            version: Version::of(scheme, version),
            source: None,
            vendor: None,
            module: None,
            claim: Claim::Recorded,
            seen: vec![Sighting {
                path: path.into(),
                layer,
            }],
        });
        PackageId(self.report.inventory.packages.len() - 1)
    }

    /// Says which source package `id` was built from.
    pub(crate) fn built_from(&mut self, id: PackageId, name: &str) {
        let package = &mut self.report.inventory.packages[id.0];
        package.source = Some(SourcePackage {
            name: name.into(),
            version: package.version.clone(),
        });
    }

    /// Adds a finding, and a reason where it breaks the policy.
    pub(crate) fn finding(
        &mut self,
        package: PackageId,
        vulnerability: &str,
        severity: Option<Severity>,
        fix: FixState,
        summary: &str,
    ) -> &mut Finding {
        let installed = self.report.inventory.packages[package.0].clone();
        if let Some(severity) = severity
            && severity >= self.policy.fail_on
        {
            self.verdict.reasons.push(Reason {
                package,
                vulnerability: vulnerability.into(),
                severity,
                fix_available: fix.is_available(),
            });
        }
        let (feed, ecosystem) = match installed.kind {
            PackageType::Deb => ("osv/Debian", "Debian:12"),
            PackageType::Maven => ("osv/Maven", "Maven"),
            _ => ("osv/PyPI", "PyPI"),
        };
        let (name, version) = match installed.source {
            Some(source) => (source.name, source.version),
            None => (installed.name, installed.version),
        };
        let upper = match &fix {
            FixState::In(versions) => Upper::Fixed(versions[0].clone()),
            FixState::Subscription(_)
            | FixState::WontFix
            | FixState::NotYet
            | FixState::UnderReview
            | FixState::Unknown => Upper::Open,
        };
        self.report.findings.push(Finding {
            package,
            vulnerability: vulnerability.into(),
            aliases: Vec::new(),
            summary: summary.into(),
            severity,
            ratings: Vec::new(),
            fix,
            sources: vec![Source {
                feed: feed.into(),
                id: vulnerability.into(),
                comparison: seaworthy_core::Comparison {
                    name,
                    ecosystem: ecosystem.into(),
                    installed: version,
                    interval: Some(AffectedInterval { from: None, upper }),
                },
            }],
            kev: None,
            epss: None,
            references: Vec::new(),
            kernel: false,
        });
        self.report.findings.last_mut().unwrap()
    }
}

pub(crate) fn fixed(version: &str) -> FixState {
    FixState::In(vec![version.into()])
}

pub(crate) fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub(crate) fn epss(percent: u32) -> Epss {
    Epss {
        probability_millionths: percent * 10_000,
        percentile_millionths: 990_000,
    }
}

/// Nothing in it, nothing known: only a target.
pub(crate) fn bare(target: &str) -> Example {
    Example {
        report: Report {
            image: ImageFacts {
                target: target.into(),
                ..ImageFacts::default()
            },
            inventory: Inventory::default(),
            findings: Vec::new(),
            coverage: Vec::new(),
            edition: None,
        },
        policy: Policy::default(),
        verdict: Verdict::default(),
    }
}

fn digest(byte: u8) -> Digest {
    Digest::from_sha256([byte; 32])
}

/// A Debian image with an application, judged with a full edition, clean.
pub(crate) fn clean() -> Example {
    let mut example = bare("registry.example/shop/web:1.4");
    let report = &mut example.report;
    report.image.manifest = Some(digest(0x1f));
    report.image.config = Some(digest(0x2e));
    report.image.platform = Some("linux/amd64".parse().unwrap());
    report.inventory.distro = Some(Distro {
        id: "debian".into(),
        version_id: Some("12".into()),
        codename: Some("bookworm".into()),
        id_like: Vec::new(),
        pretty_name: Some("Debian GNU/Linux 12 (bookworm)".into()),
        path: "etc/os-release".into(),
    });
    report.inventory.probes = ProbeSet::new("dpkg/1 maven/1 npm/1 pypi/1");
    report.inventory.layers = [
        "/bin/sh -c #(nop) ADD file:1b2c in / ",
        "RUN /bin/sh -c pip install -r requirements.txt # buildkit",
        "COPY target/shop.jar /app/shop.jar # buildkit",
    ]
    .into_iter()
    .zip(0x30..)
    .map(|(created_by, byte)| Layer {
        digest: Some(digest(byte)),
        diff_id: Some(digest(byte + 0x10)),
        created_by: Some(created_by.into()),
    })
    .collect();
    report.edition = Some(EditionFacts {
        digest: digest(0x5b),
        starter: false,
        advisories: 51_435,
    });
    report.coverage = [
        ("Debian:12", 4, 4_321, "2026-11-21"),
        ("Maven", 1, 4_240, "2026-11-20"),
        ("PyPI", 1, 2_703, "2026-11-21"),
    ]
    .map(|(ecosystem, packages, advisories, fetched)| Coverage {
        ecosystem: ecosystem.into(),
        packages,
        not_compared: Vec::new(),
        feed: Some(FeedFacts {
            id: format!("osv/{}", ecosystem.split(':').next().unwrap()).into(),
            advisories,
            date: FeedDate::Fetched(day(fetched)),
        }),
    })
    .into();
    let status = "var/lib/dpkg/status";
    example.package("deb", "libc-bin", "2.36-9+deb12u1", status, Some(0));
    example.built_from(PackageId(0), "glibc");
    example.package("deb", "libc6", "2.36-9+deb12u1", status, Some(0));
    example.built_from(PackageId(1), "glibc");
    example.package("deb", "libssl3", "3.0.9-1", status, Some(0));
    example.built_from(PackageId(2), "openssl");
    example.package("deb", "tzdata", "2026b-0+deb12u1", status, Some(0));
    example.package(
        "maven",
        "org.apache.logging.log4j:log4j-core",
        "2.14.1",
        "app/shop.jar!/BOOT-INF/lib/log4j-core-2.14.1.jar",
        Some(2),
    );
    example.package(
        "pypi",
        "requests",
        "2.25.0",
        "usr/lib/python3.11/site-packages/requests-2.25.0.dist-info/METADATA",
        Some(1),
    );
    example
}

/// The same image with what there is to know about it.
pub(crate) fn failing() -> Example {
    let mut example = clean();
    for package in [0, 1] {
        let finding = example.finding(
            PackageId(package),
            "CVE-2023-4911",
            Some(Severity::High),
            fixed("2.36-9+deb12u3"),
            "A long GLIBC_TUNABLES variable overflows the loader's buffer, for root",
        );
        finding.kev = Some(Kev {
            added: day("2023-11-21"),
            due: Some(day("2023-12-12")),
            ransomware: false,
        });
        finding.epss = Some(epss(71));
        example.finding(
            PackageId(package),
            "CVE-2010-4756",
            Some(Severity::Negligible),
            FixState::WontFix,
            "Patterns given to glob can use up memory and processor",
        );
    }
    let openssl = PackageId(2);
    example.finding(
        openssl,
        "CVE-2023-5363",
        Some(Severity::Medium),
        fixed("3.0.11-1~deb12u2"),
        "Key and nonce lengths given late are passed over by some ciphers",
    );
    example.finding(openssl, "CVE-2026-11111", None, FixState::NotYet, "");
    let log4j = PackageId(4);
    let finding = example.finding(
        log4j,
        "CVE-2021-44228",
        Some(Severity::Critical),
        fixed("2.15.0"),
        "JNDI lookups in logged text load and run code from elsewhere (Log4Shell)",
    );
    finding.aliases = vec!["GHSA-jfh8-c2jp-5v3q".into()];
    finding.kev = Some(Kev {
        added: day("2021-12-10"),
        due: Some(day("2021-12-24")),
        ransomware: true,
    });
    finding.epss = Some(Epss {
        probability_millionths: 975_650,
        percentile_millionths: 999_990,
    });
    finding.ratings = vec![Rating {
        source: "GHSA".into(),
        system: RatingSystem::CvssV3,
        text: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H".into(),
        score_tenths: Some(100),
        severity: Severity::Critical,
    }];
    finding.references = vec!["https://nvd.nist.gov/vuln/detail/CVE-2021-44228".into()];
    example.finding(
        log4j,
        "CVE-2021-45105",
        Some(Severity::Medium),
        fixed("2.17.0"),
        "Lookups that name themselves recurse until the stack ends",
    );
    example.finding(
        PackageId(5),
        "CVE-2023-32681",
        Some(Severity::Medium),
        fixed("2.31.0"),
        "A redirect to HTTPS sends the proxy's password to the destination",
    );
    example
        .verdict
        .blindness
        .push(Blindness::Unrated { findings: 1 });
    example
        .verdict
        .reasons
        .sort_by(|a, b| b.severity.cmp(&a.severity).then(a.package.cmp(&b.package)));
    example
        .report
        .findings
        .sort_by(|a, b| (a.package, &a.vulnerability).cmp(&(b.package, &b.vulnerability)));
    example
}

/// A machine's root directory, judged with the starter edition.
pub(crate) fn machine() -> Example {
    let mut example = clean();
    let report = &mut example.report;
    report.image = ImageFacts {
        target: "dir:/".into(),
        ..ImageFacts::default()
    };
    report.inventory.layers.clear();
    for package in &mut report.inventory.packages {
        package.seen[0].layer = None;
    }
    report.edition = Some(EditionFacts {
        digest: digest(0x77),
        starter: true,
        advisories: 153,
    });
    for coverage in &mut report.coverage {
        coverage.feed = Some(FeedFacts {
            id: "starter".into(),
            advisories: 12,
            date: FeedDate::Unknown,
        });
    }
    report.inventory.gaps = (1..=7)
        .map(|number| Gap {
            path: format!("opt/vendor/module-{number}.jar").into(),
            probe: "maven/1".into(),
            why: "not a zip archive".into(),
            layer: None,
        })
        .collect();
    example.verdict.blindness = vec![Blindness::StarterEditionOnly, Blindness::Gaps { count: 7 }];
    example
}

/// Every kind of blindness.
pub(crate) fn blind() -> Example {
    let mut example = clean();
    example.verdict.blindness = vec![
        Blindness::NoEdition,
        Blindness::EmptyEdition,
        Blindness::StarterEditionOnly,
        Blindness::NoDistro,
        Blindness::NothingFound,
        Blindness::NoPackageDatabase {
            distro: "Debian GNU/Linux 12 (bookworm)".into(),
        },
        Blindness::NotCovered {
            ecosystem: "Debian:14".into(),
            packages: 312,
        },
        Blindness::ThinlyCovered {
            ecosystem: "Ubuntu:24.04".into(),
            packages: 101,
            advisories: 3,
        },
        Blindness::EndOfLife {
            distro: "Debian 9".into(),
            ended: day("2022-06-30"),
        },
        Blindness::Stale {
            ecosystem: "npm".into(),
            day: Some(day("2025-11-04")),
            max_age_days: 7,
        },
        Blindness::Stale {
            ecosystem: "PyPI".into(),
            day: None,
            max_age_days: 1,
        },
        Blindness::NotCompared {
            ecosystem: "Maven".into(),
            names: ["a:b", "c:d"].map(Into::into).into(),
        },
        Blindness::UnderReview { findings: 1 },
        Blindness::Unrated { findings: 2 },
        Blindness::Gaps { count: 1 },
    ];
    example.report.inventory.gaps = vec![Gap {
        path: "var/lib/rpm/Packages".into(),
        probe: "rpm/1".into(),
        why: "page 17 points outside the file".into(),
        layer: Some(0),
    }];
    example
}
