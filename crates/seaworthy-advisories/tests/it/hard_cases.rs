//! Cases that scanners get wrong, each with the answer its distributor gives.
//!
//! Each goes the whole way: a mirror with what the publisher says, compiled,
//! opened, and compared with an inventory. `says` tells where the answer is from.

mod rpms;
mod vex;

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;

use seaworthy_advisories::{Compiler, Context, Edition};
use seaworthy_core::{
    Advisory, Claim, Day, Distro, FixState, Inventory, Package, PackageType, Scheme, SourcePackage,
    Version,
};
use seaworthy_feeds::{Limits, Mirror, Options, Sink, read};
use seaworthy_match::compare;

use self::vex::Vex;

struct Case {
    name: &'static str,
    says: &'static str,
    /// OSV records: family and document.
    osv: &'static [(&'static str, &'static str)],
    /// Vendors' parts: path below the mirror and text.
    parts: &'static [(&'static str, &'static str)],
    /// Vendors' documents of the Common Security Advisory Framework.
    vex: &'static [Vex],
    /// `id version` of os-release(5).
    distro: &'static str,
    /// The repositories that the image says it was built from.
    content_sets: &'static [&'static str],
    /// `type name version [source source-version] [module=name:stream] [vendor=…]`,
    /// one a line; an underscore in a vendor's name is a space.
    installed: &'static str,
    /// `package vulnerability fix severity`, one a line; then what is not compared,
    /// and what is not covered.
    answer: &'static str,
}

/// Keeps what is compiled.
struct Draft(Compiler);

impl Sink for Draft {
    fn take(&mut self, advisory: Advisory) {
        self.0.add(&advisory).expect("a case is small");
    }
    fn keep(&mut self) {}
    fn undo(&mut self) {
        unreachable!("a case has no feed that fails");
    }
}

fn write_mirror(folder: &Path, case: &Case) {
    let families: BTreeSet<&str> = case.osv.iter().map(|(family, _)| *family).collect();
    for family in &families {
        let folder = folder.join("osv").join(family);
        fs::create_dir_all(&folder).expect("a test may write here");
        let file = fs::File::create(folder.join("all.zip")).expect("a test may write here");
        let mut archive = zip::ZipWriter::new(file);
        let records = case.osv.iter().filter(|(of, _)| of == family);
        for (at, (_, document)) in records.enumerate() {
            archive
                .start_file(
                    format!("{at}.json"),
                    zip::write::SimpleFileOptions::default(),
                )
                .and_then(|()| Ok(archive.write_all(document.as_bytes())?))
                .expect("a test may write here");
        }
        archive.finish().expect("a test may write here");
    }
    // A mirror always lists an ecosystem; this one says nothing.
    let mut list: Vec<&str> = families.into_iter().collect();
    if list.is_empty() {
        let folder = folder.join("osv/Nothing");
        fs::create_dir_all(&folder).expect("a test may write here");
        let file = fs::File::create(folder.join("all.zip")).expect("a test may write here");
        zip::ZipWriter::new(file).finish().expect("as above");
        list.push("Nothing");
    }
    fs::write(folder.join("osv/ecosystems.txt"), list.join("\n")).expect("as above");
    vex::write(folder, case.vex);
    for (path, text) in case.parts {
        let path = folder.join(path);
        let parent = path.parent().expect("a part lies in a folder");
        fs::create_dir_all(parent).expect("a test may write here");
        fs::write(path, text).expect("a test may write here");
    }
}

fn edition_of(case: &Case) -> Edition {
    let mirror = tempfile::tempdir().expect("a test may write to a temporary folder");
    write_mirror(mirror.path(), case);
    let options = Options {
        today: Day::from_days(20_779),
        scratch: mirror.path().to_owned(),
        limits: Limits::default(),
        may_shrink: BTreeSet::new(),
    };
    let mut draft = Draft(Compiler::new());
    let folder = Mirror::Folder(mirror.path().to_owned());
    let fed = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a test may wait")
        .block_on(read(&folder, &options, &mut draft))
        .expect("a case is a whole mirror");
    for feed in &fed.feeds {
        assert_eq!(feed.refused, 0, "{}: {:?}", case.name, feed.refusals);
    }
    let context = Context {
        feeds: fed.dates(),
        kev: fed.kev,
        epss: fed.epss,
        support: fed.support,
        starter: false,
    };
    let bytes = draft.0.compile(&context).expect("a case is small");
    Edition::from_bytes(bytes).expect("it was just compiled")
}

fn package(line: &str) -> Package {
    let (words, marks): (Vec<&str>, Vec<&str>) = line
        .split_whitespace()
        .partition(|word| !word.contains('='));
    let mark = |name: &str| {
        let value = marks.iter().find_map(|mark| mark.strip_prefix(name))?;
        Some(value.replace('_', " ").into())
    };
    let (kind, name, version) = (words[0], words[1], words[2]);
    let kind = PackageType::from_purl_type(kind);
    let scheme: Scheme = kind.scheme();
    Package {
        version: Version::of(scheme, version),
        source: words.get(3).map(|source| SourcePackage {
            name: (*source).into(),
            version: Version::of(scheme, words.get(4).copied().unwrap_or(version)),
        }),
        kind,
        name: name.into(),
        architecture: None,
        vendor: mark("vendor="),
        module: mark("module="),
        claim: Claim::Recorded,
        seen: Vec::new(),
    }
}

fn answer(case: &Case) -> String {
    let edition = edition_of(case);
    let distro = case.distro.split_once(' ').map(|(id, version)| Distro {
        id: id.into(),
        version_id: (!version.is_empty()).then(|| version.into()),
        ..Distro::default()
    });
    let packages = case.installed.lines().map(str::trim);
    let inventory = Inventory {
        distro,
        content_sets: case.content_sets.iter().map(|it| (*it).into()).collect(),
        packages: packages.filter(|it| !it.is_empty()).map(package).collect(),
        ..Inventory::default()
    };
    let matched = compare(&inventory, &edition);
    let mut lines: Vec<String> = matched
        .findings
        .iter()
        .map(|finding| {
            let fix = match &finding.fix {
                FixState::In(versions) => format!("fixed in {}", versions.join(" or ")),
                FixState::Subscription(versions) => {
                    format!("for subscribers {}", versions.join(" or "))
                }
                FixState::WontFix => "won't fix".to_owned(),
                FixState::NotYet => "no fix yet".to_owned(),
                FixState::UnderReview => "under review".to_owned(),
                FixState::Unknown => "fix unknown".to_owned(),
            };
            let severity = finding.severity.map_or("unrated", |it| it.name());
            let name = &inventory.packages[finding.package.0].name;
            let kernel = if finding.kernel {
                ", of a kernel that does not run"
            } else {
                ""
            };
            format!("{name} {} {fix}, {severity}{kernel}", finding.vulnerability)
        })
        .collect();
    for coverage in matched.coverage {
        let names = coverage.not_compared.join(" ");
        if !names.is_empty() {
            lines.push(format!("not compared: {names}"));
        }
        if coverage.feed.is_none() {
            lines.push(format!("not covered: {}", coverage.ecosystem));
        }
    }
    lines.join("\n")
}

#[test]
fn each_hard_case_has_the_answer_of_its_distributor() {
    let mut wrong = Vec::new();
    for case in CASES.iter().chain(rpms::CASES) {
        let found = answer(case);
        let expected: Vec<&str> = case.answer.lines().map(str::trim).collect();
        let expected = expected.join("\n");
        if found != expected.trim() {
            wrong.push(format!(
                "{} ({})\n  expected: {}\n  found:    {found}",
                case.name,
                case.says,
                expected.trim()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

const NONE: Case = Case {
    name: "",
    says: "",
    osv: &[],
    parts: &[],
    vex: &[],
    distro: "",
    content_sets: &[],
    installed: "",
    answer: "",
};

const TRACKER: &str = "vendor/debian/tracker/data/json";

const CASES: &[Case] = &[
    Case {
        name: "1: an epoch outweighs every version without one",
        says: "deb-version(7)",
        osv: &[(
            "Debian",
            r#"{"id": "DSA-1", "modified": "2026-01-01T00:00:00Z", "upstream": ["CVE-2026-1"], "affected": [{"package":
            {"ecosystem": "Debian:12", "name": "vim"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2:9.0.1378-2+deb12u1"}]}]}]}"#,
        )],
        distro: "debian 12",
        installed: "deb vim 9.1.0-1 vim\ndeb vim-tiny 3:1.0-1 vim",
        answer: "vim CVE-2026-1 fixed in 2:9.0.1378-2+deb12u1, unrated",
        ..NONE
    },
    Case {
        name: "2: a tilde is older, a rebuild of the binary says nothing of the source",
        says: "deb-version(7); Debian's policy on binary-only uploads (+b1)",
        osv: &[(
            "Debian",
            r#"{"id": "DSA-2", "modified": "2026-01-01T00:00:00Z", "upstream": ["CVE-2026-2"], "affected": [{"package":
            {"ecosystem": "Debian:12", "name": "curl"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "7.88.1-10"}]}]}]}"#,
        )],
        distro: "debian 12",
        installed: "deb curl 7.88.1-10+b1 curl 7.88.1-10\ndeb libcurl4 7.88.1-10~deb12u1 curl 7.88.1-10~deb12u1",
        answer: "libcurl4 CVE-2026-2 fixed in 7.88.1-10, unrated",
        ..NONE
    },
    Case {
        name: "3, 4: advisories speak of the source, every binary of it is affected",
        says: "the security tracker lists source packages",
        parts: &[(
            TRACKER,
            r#"{"openssl": {"CVE-2026-3": {"description": "d", "releases": {"bookworm": {"status": "resolved", "repositories": {"bookworm": "3.0.1-1"}, "fixed_version": "3.0.2-1", "urgency": "high"}}}}}"#,
        )],
        distro: "debian 12",
        installed: "deb libssl3 3.0.1-1 openssl\ndeb openssl 3.0.1-1 openssl\ndeb openssl-doc 3.0.2-1 openssl",
        answer: "libssl3 CVE-2026-3 fixed in 3.0.2-1, high
            openssl CVE-2026-3 fixed in 3.0.2-1, high",
        ..NONE
    },
    Case {
        name: "5: a fix that only subscribers get leaves everybody else affected",
        says: "Ubuntu's notices of Expanded Security Maintenance",
        osv: &[(
            "Ubuntu",
            r#"{"id": "UBUNTU-CVE-2026-5", "modified": "2026-01-01T00:00:00Z", "upstream": ["CVE-2026-5"], "affected": [
            {"package": {"ecosystem": "Ubuntu:Pro:18.04:LTS", "name": "bash"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "4.4-2ubuntu1.3+esm1"}]}]}]}"#,
        )],
        distro: "ubuntu 18.04",
        installed: "deb bash 4.4-2ubuntu1.2 bash\ndeb bash-doc 4.4-2ubuntu1.3+esm1 bash",
        answer: "bash CVE-2026-5 for subscribers 4.4-2ubuntu1.3+esm1, unrated",
        ..NONE
    },
    Case {
        name: "6: a fixed version of 0 is not affected, whatever a collector says",
        says: "tracker: 389-ds-base CVE-2012-0833, bullseye resolved in 0",
        osv: &[(
            "Debian",
            r#"{"id": "DEBIAN-CVE-2012-0833", "modified": "2026-01-01T00:00:00Z", "upstream": ["CVE-2012-0833"], "affected": [{"package":
            {"ecosystem": "Debian:11", "name": "389-ds-base"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}"#,
        )],
        parts: &[(
            TRACKER,
            r#"{"389-ds-base": {"CVE-2012-0833": {"description": "d", "releases": {"bullseye": {"status": "resolved", "repositories": {"bullseye": "1.4.4.11-2"}, "fixed_version": "0", "urgency": "unimportant"}}}}}"#,
        )],
        distro: "debian 11",
        installed: "deb 389-ds-base 1.4.4.11-2 389-ds-base",
        ..NONE
    },
    Case {
        name: "6: open and ignored will not be fixed",
        says: "tracker: 389-ds-base CVE-2016-5416, bullseye open, no DSA, ignored",
        parts: &[(
            TRACKER,
            r#"{"389-ds-base": {"CVE-2016-5416": {"description": "d", "releases": {"bullseye": {"status": "open", "repositories": {"bullseye": "1.4.4.11-2"}, "urgency": "not yet assigned", "nodsa": "Minor issue", "nodsa_reason": "ignored"}}}}}"#,
        )],
        distro: "debian 11",
        installed: "deb 389-ds-base 1.4.4.11-2 389-ds-base",
        answer: "389-ds-base CVE-2016-5416 won't fix, unrated",
        ..NONE
    },
    Case {
        name: "6: undetermined is neither affected nor clean",
        says: "tracker: status undetermined",
        parts: &[(
            TRACKER,
            r#"{"curl": {"CVE-2026-6": {"description": "d", "releases": {"bookworm": {"status": "undetermined", "repositories": {"bookworm": "1"}, "urgency": "not yet assigned"}}}}}"#,
        )],
        distro: "debian 12",
        installed: "deb curl 1-1 curl",
        answer: "curl CVE-2026-6 under review, unrated",
        ..NONE
    },
    Case {
        name: "7: a backport is compared by its own version",
        says: "backports: ~bpo12+1 is older than the version it was made from",
        osv: &[(
            "Debian",
            r#"{"id": "DSA-7", "modified": "2026-01-01T00:00:00Z", "upstream": ["CVE-2026-7"], "affected": [{"package":
            {"ecosystem": "Debian:12", "name": "git"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:2.39.5-0+deb12u1"}]}]}]}"#,
        )],
        distro: "debian 12",
        installed: "deb git 1:2.45.2-1~bpo12+1 git\ndeb git-man 1:2.39.2-1.1 git",
        answer: "git-man CVE-2026-7 fixed in 1:2.39.5-0+deb12u1, unrated",
        ..NONE
    },
    Case {
        name: "8: Alpine's 0 means never affected",
        says: "aports: secfixes with the version 0",
        osv: &[(
            "Alpine",
            r#"{"id": "ALPINE-CVE-2026-8", "modified": "2026-01-01T00:00:00Z", "upstream": ["CVE-2026-8"], "affected": [{"package":
            {"ecosystem": "Alpine:v3.20", "name": "openssl"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}"#,
        )],
        parts: &[(
            "vendor/alpine/secdb/v3.20/main.json",
            r#"{"distroversion": "v3.20", "reponame": "main", "urlprefix": "https://dl-cdn.alpinelinux.org/alpine", "apkurl": "{{urlprefix}}", "packages": [{"pkg": {"name": "openssl", "secfixes": {"0": ["CVE-2026-8"], "3.3.1-r1": ["CVE-2026-9"]}}}]}"#,
        )],
        distro: "alpine 3.20.3",
        installed: "apk libssl3 3.3.1-r0 openssl",
        answer: "libssl3 CVE-2026-9 fixed in 3.3.1-r1, unrated",
        ..NONE
    },
    Case {
        name: "8: another branch does not speak for this one",
        says: "each branch has its own secdb",
        parts: &[(
            "vendor/alpine/secdb/edge/main.json",
            r#"{"distroversion": "edge", "reponame": "main", "packages": [{"pkg": {"name": "openssl", "secfixes": {"9.9.9-r1": ["CVE-2026-9"]}}}]}"#,
        )],
        distro: "alpine 3.20.3",
        installed: "apk libssl3 3.3.1-r0 openssl",
        answer: "not covered: Alpine:v3.20",
        ..NONE
    },
    Case {
        name: "9: a subpackage is judged by its origin",
        says: "Wolfi's security.json lists origins",
        parts: &[(
            "vendor/wolfi/os/security.json",
            r#"{"apkurl": "x", "archs": ["x86_64"], "reponame": "os", "urlprefix": "https://packages.wolfi.dev", "packages": [{"pkg": {"name": "curl", "secfixes": {"8.9.0-r0": ["CVE-2026-9"], "0": ["CVE-2026-10"]}}}]}"#,
        )],
        distro: "wolfi 20230201",
        installed: "apk libcurl-openssl4 8.8.0-r0 curl",
        answer: "libcurl-openssl4 CVE-2026-9 fixed in 8.9.0-r0, unrated",
        ..NONE
    },
    Case {
        name: "15: headers of the kernel are compared by their source, and do not run",
        says: "Debian builds linux-libc-dev from the source linux; a container uses its host's kernel",
        osv: &[(
            "Debian",
            r#"{"id": "DEBIAN-CVE-2026-15", "modified": "2026-01-01T00:00:00Z", "upstream": ["CVE-2026-15"], "affected": [{"package":
            {"ecosystem": "Debian:12", "name": "linux"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "6.1.20-1"}]}]}]}"#,
        )],
        distro: "debian 12",
        installed: "deb linux-libc-dev 6.1.15-1 linux
            deb linux-perf 6.1.15-1 linux",
        answer:
            "linux-libc-dev CVE-2026-15 fixed in 6.1.20-1, unrated, of a kernel that does not run
            linux-perf CVE-2026-15 fixed in 6.1.20-1, unrated",
        ..NONE
    },
    Case {
        name: "16: each installed kernel is compared by itself",
        says: "Red Hat installs a new kernel beside the old one (installonlypkgs of dnf.conf(5))",
        osv: &[(
            "AlmaLinux",
            r#"{"id": "ALSA-2026:16", "modified": "2026-01-01T00:00:00Z", "upstream": ["CVE-2026-16"], "affected": [{"package":
            {"ecosystem": "AlmaLinux:9", "name": "kernel-core"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "5.14.0-427.13.1.el9_4"}]}]}]}"#,
        )],
        distro: "almalinux 9.4",
        installed: "rpm kernel-core 5.14.0-427.13.1.el9_4
            rpm kernel-core 5.14.0-362.8.1.el9_3",
        answer: "kernel-core CVE-2026-16 fixed in 5.14.0-427.13.1.el9_4, unrated, of a kernel that does not run",
        ..NONE
    },
    Case {
        name: "33: a withdrawn record says nothing",
        says: "the OSV schema on withdrawn",
        osv: &[(
            "npm",
            r#"{"id": "GHSA-a", "modified": "2026-01-01T00:00:00Z", "withdrawn": "2026-01-02T00:00:00Z", "aliases": ["CVE-2026-33"], "affected": [{"package":
            {"ecosystem": "npm", "name": "ws"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}"#,
        )],
        installed: "npm ws 1.0.0",
        answer: "not covered: npm",
        ..NONE
    },
    Case {
        name: "33: all names of one vulnerability are one finding, even in a circle",
        says: "the OSV schema: aliases are symmetric and transitive",
        osv: &[
            (
                "PyPI",
                r#"{"id": "PYSEC-1", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-34"], "affected": [{"package":
                {"ecosystem": "PyPI", "name": "Flask"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]}]}"#,
            ),
            (
                "PyPI",
                r#"{"id": "GHSA-b", "modified": "2026-01-01T00:00:00Z", "aliases": ["PYSEC-1"], "affected": [{"package":
                {"ecosystem": "PyPI", "name": "flask"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]}]}"#,
            ),
            (
                "PyPI",
                r#"{"id": "OSV-1", "modified": "2026-01-01T00:00:00Z", "aliases": ["GHSA-b", "OSV-1"], "affected": [{"package":
                {"ecosystem": "PyPI", "name": "flask"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]}]}"#,
            ),
        ],
        installed: "pypi flask 1.0",
        answer: "flask CVE-2026-34 fixed in 2.0, unrated",
        ..NONE
    },
    Case {
        name: "33: sources that differ are all told, the widest range counts",
        says: "no collector outranks another",
        osv: &[
            (
                "npm",
                r#"{"id": "GHSA-c", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-35"], "affected": [{"package":
                {"ecosystem": "npm", "name": "ws"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}]}]}"#,
            ),
            (
                "npm",
                r#"{"id": "SNYK-c", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-35"], "affected": [{"package":
                {"ecosystem": "npm", "name": "ws"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "3.0.0"}]}]}]}"#,
            ),
        ],
        installed: "npm ws 2.5.0",
        answer: "ws CVE-2026-35 fixed in 3.0.0, unrated",
        ..NONE
    },
    Case {
        name: "34: last affected is affected, what follows is not",
        says: "the OSV schema on events",
        osv: &[(
            "npm",
            r#"{"id": "GHSA-d", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-36"], "affected": [{"package":
            {"ecosystem": "npm", "name": "a"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "1.0.0"}, {"last_affected": "1.2.0"}]}]}]}"#,
        )],
        installed: "npm a 1.2.0\nnpm a 1.2.1\nnpm a 0.9.0",
        answer: "a CVE-2026-36 fix unknown, unrated",
        ..NONE
    },
    Case {
        name: "34: versions without ranges",
        says: "the OSV schema on versions",
        osv: &[(
            "PyPI",
            r#"{"id": "MAL-2026-1", "modified": "2026-01-01T00:00:00Z", "affected": [{"package": {"ecosystem": "PyPI", "name": "evil"}, "versions": ["1.0", "1.1"]}]}"#,
        )],
        installed: "pypi evil 1.1.0\npypi evil 1.2",
        answer: "evil MAL-2026-1 fix unknown, critical",
        ..NONE
    },
    Case {
        name: "34: a prerelease of the fix is not fixed",
        says: "Semantic Versioning 2.0.0, part 11",
        osv: &[(
            "npm",
            r#"{"id": "GHSA-e", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-37"], "affected": [{"package":
            {"ecosystem": "npm", "name": "b"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "2.0.0"}]}]}]}"#,
        )],
        installed: "npm b 2.0.0-rc.1\nnpm b 2.0.0",
        answer: "b CVE-2026-37 fixed in 2.0.0, unrated",
        ..NONE
    },
    Case {
        name: "34: several branches, each with its fix",
        says: "Log4j 2: GHSA-jfh8-c2jp-5v3q",
        osv: &[(
            "Maven",
            r#"{"id": "GHSA-jfh8-c2jp-5v3q", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2021-44228"], "affected": [{"package":
            {"ecosystem": "Maven", "name": "org.apache.logging.log4j:log4j-core"}, "ranges": [
            {"type": "ECOSYSTEM", "events": [{"introduced": "2.13.0"}, {"fixed": "2.15.0"}]},
            {"type": "ECOSYSTEM", "events": [{"introduced": "2.4"}, {"fixed": "2.12.2"}]},
            {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.3.1"}]}]}]}"#,
        )],
        installed: "maven org.apache.logging.log4j:log4j-core 2.12.1
            maven org.apache.logging.log4j:log4j-core 2.12.2
            maven org.apache.logging.log4j:log4j-core 2.14.1",
        answer: "org.apache.logging.log4j:log4j-core CVE-2021-44228 fixed in 2.12.2, unrated
            org.apache.logging.log4j:log4j-core CVE-2021-44228 fixed in 2.15.0, unrated",
        ..NONE
    },
    Case {
        name: "35: a distribution's own word on severity counts first",
        says: "the tracker's urgency; GHSA's vector",
        osv: &[(
            "npm",
            r#"{"id": "GHSA-f", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-38"], "severity": [{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
            "affected": [{"package": {"ecosystem": "npm", "name": "c"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}"#,
        )],
        parts: &[(
            TRACKER,
            r#"{"node-c": {"CVE-2026-38": {"description": "d", "releases": {"bookworm": {"status": "open", "repositories": {"bookworm": "1"}, "urgency": "low"}}}}}"#,
        )],
        distro: "debian 12",
        installed: "deb node-c 1-1 node-c\nnpm c 1.0.0",
        answer: "node-c CVE-2026-38 no fix yet, low
            c CVE-2026-38 no fix yet, critical",
        ..NONE
    },
    Case {
        name: "36: a vulnerability of one source is none of another that ships the same program",
        says: "tracker: su is in util-linux since stretch, CVE-2016-2779 is listed for both",
        parts: &[(
            TRACKER,
            r#"{"util-linux": {"CVE-2016-2779": {"description": "d", "releases": {"bookworm": {"status": "open", "repositories": {"bookworm": "2.38"}, "urgency": "unimportant"}}}},
            "shadow": {"CVE-2016-2779": {"description": "d", "releases": {"bookworm": {"status": "resolved", "repositories": {"bookworm": "4.13"}, "fixed_version": "0", "urgency": "unimportant"}}}}}"#,
        )],
        distro: "debian 12",
        installed: "deb login 1:4.13+dfsg1-1 shadow\ndeb util-linux 2.38.1-5 util-linux",
        answer: "util-linux CVE-2016-2779 no fix yet, negligible",
        ..NONE
    },
    Case {
        name: "39: the newest of two records with one id counts, an empty one says nothing",
        says: "the OSV schema on modified",
        osv: &[
            (
                "npm",
                r#"{"id": "GHSA-g", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-39"], "affected": [{"package":
                {"ecosystem": "npm", "name": "d"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}"#,
            ),
            (
                "npm",
                r#"{"id": "GHSA-g", "modified": "2099-01-01T00:00:00Z", "published": "2099-01-01T00:00:00Z", "aliases": ["CVE-2026-39"], "affected": [{"package":
                {"ecosystem": "npm", "name": "d"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.0.0"}]}]}]}"#,
            ),
            (
                "npm",
                r#"{"id": "GHSA-h", "modified": "2026-01-01T00:00:00Z"}"#,
            ),
        ],
        installed: "npm d 1.0.0",
        ..NONE
    },
];

#[test]
fn known_exploitation_and_predictions_join_by_name() {
    let case = Case {
        osv: &[(
            "npm",
            r#"{"id": "GHSA-i", "modified": "2026-01-01T00:00:00Z", "aliases": ["CVE-2026-40"], "affected": [{"package":
            {"ecosystem": "npm", "name": "e"}, "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}]}]}]}"#,
        )],
        parts: &[(
            "enrich/kev/known_exploited_vulnerabilities.json",
            r#"{"title": "t", "catalogVersion": "1", "dateReleased": "2026-01-01T00:00:00Z", "count": 1, "vulnerabilities": [{"cveID": "CVE-2026-40", "dateAdded": "2026-01-02", "dueDate": "2026-01-23", "knownRansomwareCampaignUse": "Known"}]}"#,
        )],
        ..NONE
    };
    let edition = edition_of(&case);
    let inventory = Inventory {
        packages: vec![package("npm e 1.0.0")],
        ..Inventory::default()
    };
    let matched = compare(&inventory, &edition);
    let kev = matched.findings[0].kev.as_ref();
    assert!(kev.is_some_and(|kev| kev.ransomware && kev.due.is_some()));
}
