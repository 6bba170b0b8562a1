//! Lists of updates as repositories of rpm packages have them: `updateinfo.xml`.
//!
//! An update is a notice: it names vulnerabilities and the packages that have the
//! fixes. Updates that fix no vulnerability say nothing here.

use std::collections::{BTreeMap, BTreeSet};

use seaworthy_core::{Day, Ecosystem, PackageKey, Scheme, Statement};

use super::fixes::Fixes;
use super::markup::{Element, Markup, Node};
use super::packed::unpacked;
use super::table::Part;
use super::{Content, Intake, VendorError};
use crate::osv::{cves_in, is_cve, is_id, links, of_word, one_line};

macro_rules! amazon_repositories {
    (folders: [$(($folder:literal, $upstream:literal)),+ $(,)?], topics: [$($topic:literal),+ $(,)?] $(,)?) => {
        &[
            $(Part {
                path: concat!("amazon/", $folder, "/x86_64"),
                upstream: concat!($upstream, "/mirror.list"),
            },)+
            $(Part {
                path: concat!("amazon/amazon-linux-2/extras/", $topic, "/x86_64"),
                upstream: concat!(
                    "https://cdn.amazonlinux.com/2/extras/",
                    $topic,
                    "/latest/x86_64/mirror.list"
                ),
            },)+
        ]
    };
}

macro_rules! rocky_repositories {
    ($($repository:literal),+ $(,)?) => {
        &[$(Part {
            path: concat!("rocky/pub/rocky/", $repository, "/x86_64/os"),
            upstream: concat!("https://dl.rockylinux.org/pub/rocky/", $repository, "/x86_64/os"),
        },)+]
    };
}

macro_rules! fedora_releases {
    ($($release:literal),+ $(,)?) => {
        &[$(Part {
            path: concat!("fedora/updates/", $release, "/Everything/x86_64"),
            upstream: concat!(
                "https://dl.fedoraproject.org/pub/fedora/linux/updates/",
                $release,
                "/Everything/x86_64"
            ),
        },)+]
    };
}

/// The repositories of Amazon Linux, the topics of its extras among them.
pub(super) const AMAZON: &[Part] = amazon_repositories! {
    folders: [
        ("amazon-linux-1/main", "http://repo.us-west-2.amazonaws.com/2018.03/main"),
        ("amazon-linux-1/updates", "http://repo.us-west-2.amazonaws.com/2018.03/updates"),
        ("amazon-linux-2/core", "https://cdn.amazonlinux.com/2/core/latest/x86_64"),
        ("amazon-linux-2022/core", "https://cdn.amazonlinux.com/al2022/core/mirrors/latest/x86_64"),
        ("amazon-linux-2023/core", "https://cdn.amazonlinux.com/al2023/core/mirrors/latest/x86_64"),
        ("amazon-linux-2023/kernel-livepatch", "https://cdn.amazonlinux.com/al2023/kernel-livepatch/mirrors/latest/x86_64"),
        ("amazon-linux-2023/nvidia", "https://cdn.amazonlinux.com/al2023/nvidia/mirrors/latest/x86_64"),
    ],
    topics: [
        "ansible2", "aws-nitro-enclaves-cli", "awscli1", "BCC", "collectd", "collectd-python3",
        "corretto8", "dnsmasq", "dnsmasq2.85", "docker", "ecs", "emacs", "epel", "firecracker",
        "firefox", "gimp", "golang1.9", "golang1.11", "golang1.19", "GraphicsMagick1.3",
        "haproxy2", "httpd_modules", "java-openjdk11", "kernel-5.4", "kernel-5.10", "kernel-5.15",
        "kernel-ng", "lamp-mariadb10.2-php7.2", "libreoffice", "livepatch", "lustre", "lustre2.10",
        "lynis", "mariadb10.5", "mate-desktop1.x", "memcached1.5", "mock", "mock2", "mono", "nano",
        "nginx1", "nginx1.12", "php7.1", "php7.2", "php7.3", "php7.4", "php8.0", "php8.1",
        "php8.2", "postgresql9.6", "postgresql10", "postgresql11", "postgresql12", "postgresql13",
        "postgresql14", "python3", "python3.8", "R3.4", "R4", "redis4.0", "redis6", "ruby2.4",
        "ruby2.6", "ruby3.0", "rust1", "selinux-ng", "squid4", "testing", "tomcat8.5", "tomcat9",
        "unbound1.13", "unbound1.17", "vim",
    ],
};

/// The repositories of Rocky Linux that images install from.
pub(super) const ROCKY: &[Part] = rocky_repositories![
    "8/BaseOS",
    "8/AppStream",
    "8/PowerTools",
    "8/extras",
    "9/BaseOS",
    "9/AppStream",
    "9/CRB",
    "9/extras",
    "10/BaseOS",
    "10/AppStream",
    "10/CRB",
    "10/extras",
];

/// The updates of Fedora's releases, those to come until 2031 among them. What is
/// no longer supported moves away.
pub(super) const FEDORA: &[Part] = fedora_releases![
    "38", "39", "40", "41", "42", "43", "44", "45", "46", "47", "48", "49", "50", "51", "52", "53",
    "54",
];

/// Ceilings for one list. Today's longest have a tenth of it.
const MAX_UPDATES: usize = 200_000;
const MAX_ENTRIES: usize = 10_000_000;
/// Names that one update may fix, and links that are kept of it.
const MAX_FIXED: usize = 5_000;
const MAX_LINKS: usize = 16;
/// Bytes of a name, a version or a title.
const MAX_WORD: usize = 400;

/// Reads Amazon Linux. The path tells which:
/// `amazon/amazon-linux-2/extras/kernel-5.15/x86_64/…`.
///
/// Topics of extras have packages of the same names as the core, so what a topic
/// says holds from the version on that it is named after.
pub(crate) fn amazon(
    content: &mut dyn Content,
    path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    let release = after(path, "amazon-linux-")?;
    let topic = path
        .split_once("/extras/")
        .and_then(|(_, rest)| rest.split('/').next());
    read(
        &Origin {
            vendor: "Amazon",
            ecosystem: Ecosystem::of_release("Amazon Linux", release),
            topic,
        },
        content,
        intake,
    )
}

/// Reads Rocky Linux; the path has its release: `rocky/pub/rocky/9/BaseOS/…`.
pub(crate) fn rocky(
    content: &mut dyn Content,
    path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    let release = after(path, "pub/rocky/")?;
    let major = release.split('.').next().unwrap_or(release);
    read(
        &Origin {
            vendor: "Rocky Linux",
            ecosystem: Ecosystem::of_release("Rocky Linux", major),
            topic: None,
        },
        content,
        intake,
    )
}

/// Reads Fedora; the path has its release: `fedora/updates/43/…`.
pub(crate) fn fedora(
    content: &mut dyn Content,
    path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    read(
        &Origin {
            vendor: "Fedora",
            ecosystem: Ecosystem::of_release("Fedora", after(path, "updates/")?),
            topic: None,
        },
        content,
        intake,
    )
}

/// Reads Bottlerocket.
pub(crate) fn bottlerocket(
    content: &mut dyn Content,
    _path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    read(
        &Origin {
            vendor: "Bottlerocket",
            ecosystem: Ecosystem::family_only("Bottlerocket"),
            topic: None,
        },
        content,
        intake,
    )
}

/// The part of `path` that follows `mark`.
fn after<'a>(path: &'a str, mark: &str) -> Result<&'a str, VendorError> {
    path.split_once(mark)
        .and_then(|(_, rest)| rest.split('/').next())
        .filter(|it| !it.is_empty())
        .ok_or(VendorError::Missing { what: "a release" })
}

/// Whose list it is.
struct Origin<'a> {
    vendor: &'static str,
    ecosystem: Ecosystem,
    topic: Option<&'a str>,
}

/// One update. A list may have it in pieces, one per repository.
#[derive(Default)]
struct Update {
    kind: String,
    status: String,
    id: String,
    title: String,
    severity: String,
    issued: Option<Day>,
    updated: Option<Day>,
    fixed: BTreeSet<Box<str>>,
    links: Vec<String>,
    binaries: BTreeMap<Box<str>, Fixes>,
    sources: BTreeMap<Box<str>, Fixes>,
}

fn read(
    origin: &Origin<'_>,
    content: &mut dyn Content,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    let mut updates: BTreeMap<String, Update> = BTreeMap::new();
    let mut entries = 0_usize;
    let mut markup = Markup::of(unpacked(content, intake)?);
    let mut open: Vec<String> = Vec::new();
    let mut update = Update::default();
    while let Some(node) = markup.next()? {
        match node {
            Node::Open(element) => {
                if open.is_empty() && element.name != "updates" {
                    return Err(VendorError::Missing {
                        what: "a list of updates",
                    });
                }
                if element.name == "update" {
                    update = Update {
                        kind: element.attribute("type").unwrap_or_default().to_owned(),
                        status: element.attribute("status").unwrap_or_default().to_owned(),
                        ..Update::default()
                    };
                }
                entries += 1;
                if entries > MAX_ENTRIES {
                    return Err(VendorError::TooLarge {
                        what: "elements",
                        limit: u64::try_from(MAX_ENTRIES).unwrap_or(u64::MAX),
                    });
                }
                if let Err(why) = update.hear(&element) {
                    let id: &str = if update.id.is_empty() {
                        "an update"
                    } else {
                        &update.id
                    };
                    intake.refuse(id, why);
                }
                open.push(element.name);
            }
            Node::Text(text) => {
                let mut inner = open.iter().rev().map(String::as_str);
                if let (Some(name), Some("update")) = (inner.next(), inner.next()) {
                    update.hear_text(name, &text);
                }
            }
            Node::Close => {
                if open.pop().as_deref() == Some("update") {
                    let update = std::mem::take(&mut update);
                    if let Some(id) = update.usable(intake) {
                        match updates.get_mut(&id) {
                            Some(known) => known.join(update),
                            None => {
                                updates.insert(id, update);
                            }
                        }
                    }
                    if updates.len() > MAX_UPDATES {
                        return Err(VendorError::TooLarge {
                            what: "updates",
                            limit: u64::try_from(MAX_UPDATES).unwrap_or(u64::MAX),
                        });
                    }
                }
            }
        }
    }
    if entries == 0 {
        return Err(VendorError::Missing {
            what: "a list of updates",
        });
    }
    for (id, update) in updates {
        update.tell(&id, origin, intake)?;
    }
    Ok(())
}

impl Update {
    /// Takes what an element's attributes say.
    fn hear(&mut self, element: &Element) -> Result<(), &'static str> {
        let word = |name: &str| element.attribute(name).unwrap_or_default().trim();
        match element.name.as_str() {
            "issued" => self.issued = word("date").parse().ok(),
            "updated" => self.updated = word("date").parse().ok(),
            "reference" => {
                for text in [word("id"), word("title")] {
                    let room = MAX_FIXED.saturating_sub(self.fixed.len());
                    self.fixed.extend(cves_in(text).take(room));
                }
                let link = word("href");
                // The page of a CVE elsewhere is easily found.
                if word("type") != "cve" && self.links.len() < MAX_LINKS {
                    self.links.push(link.to_owned());
                }
            }
            "package" => {
                let name = word("name");
                if !is_word(name) {
                    return Err("a package without a usable name");
                }
                if name.contains("-debuginfo") || name.ends_with("-debugsource") {
                    return Ok(());
                }
                let version = version(element).ok_or("a package without a usable version")?;
                let list = match word("arch") {
                    "src" | "nosrc" => &mut self.sources,
                    _ => &mut self.binaries,
                };
                list.entry(name.into())
                    .or_insert_with(|| Fixes::ordered_by(Scheme::Rpm))
                    .add(&version);
            }
            _ => {}
        }
        Ok(())
    }

    /// Takes text of the update's own elements.
    fn hear_text(&mut self, name: &str, text: &str) {
        let field = match name {
            "id" => &mut self.id,
            "title" => &mut self.title,
            "severity" => &mut self.severity,
            _ => return,
        };
        let room = MAX_WORD.saturating_sub(field.len());
        field.extend(text.chars().take(room));
    }

    /// The id, where the update fixes a vulnerability.
    fn usable(&self, intake: &mut Intake<'_>) -> Option<String> {
        let id = self.id.trim();
        if !is_id(id) {
            intake.refuse("an update", "it has no usable id");
            return None;
        }
        let fixes = self.kind == "security" || !self.fixed.is_empty();
        (fixes && self.status != "retracted").then(|| id.to_owned())
    }

    /// Takes another piece of the same update.
    fn join(&mut self, other: Self) {
        self.issued = self.issued.or(other.issued);
        self.updated = self.updated.max(other.updated);
        self.fixed.extend(other.fixed);
        for (into, from) in [
            (&mut self.binaries, other.binaries),
            (&mut self.sources, other.sources),
        ] {
            for (name, fixes) in from {
                match into.get_mut(&name) {
                    Some(known) => known.join(fixes),
                    None => {
                        into.insert(name, fixes);
                    }
                }
            }
        }
    }

    fn tell(
        self,
        id: &str,
        origin: &Origin<'_>,
        intake: &mut Intake<'_>,
    ) -> Result<(), VendorError> {
        let advisory = intake.gathered(id)?;
        let fixed = self.fixed.into_iter().filter(|name| **name != *id);
        // Bottlerocket calls a flaw by its id on GitHub, others only their notices.
        let is_flaw = id.starts_with("GHSA-") || is_cve(id);
        let names = if is_flaw {
            &mut advisory.aliases
        } else {
            &mut advisory.bundles
        };
        for name in fixed {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        if is_flaw && advisory.aliases.len() > 1 {
            advisory.bundles = std::mem::take(&mut advisory.aliases);
        }
        advisory.summary = one_line(&self.title);
        advisory.published = advisory.published.or(self.issued);
        advisory.modified = advisory.modified.max(self.updated);
        if advisory.references.is_empty() {
            advisory.references = links(self.links.iter().map(|link| (false, link.as_str())));
        }
        if let Some(rating) = of_word(origin.vendor, &self.severity)
            && !advisory.ratings.contains(&rating)
        {
            advisory.ratings.push(rating);
        }
        // A source is worth mentioning only where nobody says what was built of it.
        let (prefix, packages) = if self.binaries.is_empty() {
            ("src:", self.sources)
        } else {
            ("", self.binaries)
        };
        for (name, fixes) in packages {
            advisory.statements.push(Statement {
                about: PackageKey {
                    ecosystem: origin.ecosystem.clone(),
                    name: format!("{prefix}{name}").into(),
                },
                stance: fixes.affected_from(|version| first_of_topic(origin.topic?, version)),
            });
        }
        Ok(())
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.len() <= MAX_WORD && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// `epoch:version-release`, without an epoch of zero.
fn version(package: &Element) -> Option<String> {
    let part = |name: &str| {
        package
            .attribute(name)
            .map(str::trim)
            .filter(|it| is_word(it))
    };
    let version = part("version")?;
    let mut text = match part("epoch") {
        None | Some("0") => version.to_owned(),
        Some(epoch) => format!("{epoch}:{version}"),
    };
    if let Some(release) = part("release") {
        text.push('-');
        text.push_str(release);
    }
    Some(text)
}

/// The first version that a topic such as `kernel-5.15` or
/// `lamp-mariadb10.2-php7.2` can have of a package, told from the version that has
/// a fix: `5.15` of `5.15.43-20.123.amzn2`.
fn first_of_topic(topic: &str, fix: &str) -> Option<Box<str>> {
    let (epoch, plain) = match fix.split_once(':') {
        Some((epoch, plain)) => (Some(epoch), plain),
        None => (None, fix),
    };
    let begins = topic
        .split('-')
        .map(|word| {
            let name = word.trim_end_matches(|it: char| it.is_ascii_digit() || it == '.');
            word.get(name.len()..).unwrap_or_default()
        })
        .filter(|number| !number.is_empty())
        .find(|number| {
            plain
                .strip_prefix(number)
                .is_some_and(|rest| !rest.starts_with(|it: char| it.is_ascii_alphanumeric()))
        })?;
    Some(match epoch {
        Some(epoch) => format!("{epoch}:{begins}").into(),
        None => begins.into(),
    })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::super::intake::tests::{shared_lines, told, withstands_damage};
    use super::*;

    const CORE: &str = "amazon/amazon-linux-2/core/x86_64/repodata/updateinfo.xml.gz";

    fn update(inner: &str) -> String {
        format!(
            r#"<?xml version="1.0"?><updates><update type="security" status="final">
            <id>ALAS2-2018-942</id><title>An update</title><issued date="2018-02-07 18:49"/>
            <updated date="2018-02-08 21:46"/><severity>important</severity>
            <description>CVE-1999-1 &amp;#039; is not meant</description>{inner}</update></updates>"#
        )
    }

    #[test]
    fn an_update_is_a_notice_of_what_it_fixes() {
        insta::assert_snapshot!(told(amazon, CORE, update(r#"
            <references><reference href="https://a/1" id="CVE-2017-5715" type="cve"/>
              <reference href="https://a/2" id="bug" title="x: CVE-2017-1 CVE-2017-2" type="bugzilla"/></references>
            <pkglist><collection short="c"><name>C</name>
              <package arch="i686" epoch="10" name="qemu" version="1.5.3" release="141.el"><filename>f</filename></package>
              <package arch="x86_64" epoch="10" name="qemu" version="1.5.3" release="141.el"/>
              <package arch="aarch64" epoch="10" name="qemu" version="1.5.3" release="99.el"/>
              <package arch="noarch" epoch="0" name="qemu-doc" version="1.5.3" release="1"/>
              <package arch="x86_64" epoch="10" name="qemu-debuginfo" version="1.5.3" release="141"/>
              <package arch="src" epoch="10" name="qemu" version="1.5.3" release="141"/>
            </collection></pkglist>"#).as_bytes()), @r"
        ALAS2-2018-942 An update
          bundles: CVE-2017-1 CVE-2017-2 CVE-2017-5715
          links: https://a/2
          days: 2018-02-07 2018-02-08
          Amazon: important high
          Amazon Linux:2 qemu: [..10:1.5.3-141.el)
          Amazon Linux:2 qemu-doc: [..1.5.3-1)
        ");
    }

    #[test]
    fn a_topic_speaks_of_its_own_versions() {
        for (topic, fix, expected) in [
            ("kernel-5.15", "5.15.43-20.123.amzn2", Some("5.15")),
            ("kernel-5.15", "5.150-1", None),
            ("kernel-5.15", "4.14-1", None),
            ("php8.0", "8.0.30-1", Some("8.0")),
            ("lamp-mariadb10.2-php7.2", "3:10.2.10-2", Some("3:10.2")),
            ("postgresql14", "14.9-1", Some("14")),
            ("docker", "20.10.23-1", None),
            ("mate-desktop1.x", "1.2-1", None),
            ("", "1", None),
        ] {
            assert_eq!(first_of_topic(topic, fix).as_deref(), expected, "{topic}");
        }
    }

    #[test]
    fn what_fixes_nothing_says_nothing_and_only_sources_are_told_as_such() {
        let list = r#"<updates>
            <update type="bugfix"><id>FEDORA-1</id><pkglist><package name="a" version="1" release="1" epoch="0" arch="x"/></pkglist></update>
            <update type="security" status="retracted"><id>FEDORA-2</id></update>
            <update type="enhancement"><id>FEDORA-3</id><reference title="CVE-2020-1 a" id="7" type="bugzilla" href="x"/>
              <pkglist><package name="a" version="1" release="1" epoch="1" arch="src"/></pkglist></update>
            <update type="security"><id>FEDORA-4</id>
              <pkglist><package name="a" version="1" release="1" arch="x"/></pkglist></update>
            <update type="security"><id>FEDORA-4</id>
              <pkglist><package name="a" version="1" release="2" arch="x"/><package name="b" version="1" release="2" arch="x"/></pkglist></update>
            </updates>"#;
        insta::assert_snapshot!(told(fedora, "fedora/updates/43/Everything", list.as_bytes()), @r"
        FEDORA-3 
          bundles: CVE-2020-1
          Fedora:43 src:a: [..1:1-1)
        FEDORA-4 
          Fedora:43 a: [..1-2)
          Fedora:43 b: [..1-2)
        ");
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_the_rest_is_read() {
        let list = r#"<updates><update type="security"><id>a b</id></update><update/>
            <update type="security"><id>ALAS-1</id><package version="1"/><package name="c"/><package name="x y" version="1"/>
            <package name="d" version="1"/></update></updates>"#;
        insta::assert_snapshot!(told(amazon, CORE, list.as_bytes()), @r"
        ALAS-1 
          Amazon Linux:2 d: [..1)
        refused an update: it has no usable id
        refused an update: it has no usable id
        refused ALAS-1: a package without a usable name
        refused ALAS-1: a package without a usable version
        refused ALAS-1: a package without a usable name
        ");
        for (path, text, expected) in [
            (CORE, "<html/>", "error: a list of updates is missing"),
            (CORE, "", "error: a list of updates is missing"),
            (
                CORE,
                "<updates><update>",
                "error: the end of the document is missing",
            ),
            ("amazon", "<updates/>", "error: a release is missing"),
            (
                CORE,
                "<!DOCTYPE a []><updates/>",
                "error: an entity or a document type, which no feed needs",
            ),
            (CORE, "<updates/>", ""),
        ] {
            assert_eq!(told(amazon, path, text.as_bytes()), expected);
        }
    }

    #[test]
    fn every_layout_that_amazon_has_is_read() {
        let Some(shared) = seaworthy_testkit::shared() else {
            return;
        };
        let mut said = String::new();
        for (path, lines) in [
            ("amazon-linux-1/main", 20),
            ("amazon-linux-1/sample-3", 20),
            ("amazon-linux-2/core-sample-2", 7),
            ("amazon-linux-2/sample-3", 7),
            ("amazon-linux-2/extras/kernel-5.15", 7),
            ("amazon-linux-2022/core", 7),
            ("amazon-linux-2023/core", 7),
            ("amazon-linux-2023/kernel-livepatch", 7),
            ("amazon-linux-2023/nvidia", 7),
        ] {
            let path = format!("amazon/{path}/x86_64/repodata/updateinfo.xml.gz");
            let bytes = std::fs::read(shared.join("feeds/vendor").join(&path)).unwrap();
            let told = told(amazon, &path, &bytes);
            said.extend([&path, "\n"]);
            said.extend(told.lines().take(lines).map(|line| format!("  {line}\n")));
        }
        insta::assert_snapshot!(said, @r"
        amazon/amazon-linux-1/main/x86_64/repodata/updateinfo.xml.gz
          ALAS-2011-1 Amazon Linux AMI 2011.09 - ALAS-2011-1: medium priority package update for httpd
            bundles: CVE-2011-3192
            links: https://rhn.redhat.com/errata/RHSA-2011:1245.html
            days: 2011-09-27 2014-09-14
            Amazon: medium medium
            Amazon Linux:1 httpd-devel: [..2.2.21-1.18.amzn1)
        amazon/amazon-linux-1/sample-3/x86_64/repodata/updateinfo.xml.gz
          ALAS-2011-1 Amazon Linux AMI 2011.09 - ALAS-2011-1: medium priority package update for httpd
            bundles: CVE-2011-3192
            links: https://rhn.redhat.com/errata/RHSA-2011:1245.html
            days: 2011-09-27 2014-09-14
            Amazon: medium medium
            Amazon Linux:1 httpd: [..2.2.21-1.18.amzn1)
            Amazon Linux:1 httpd-devel: [..2.2.21-1.18.amzn1)
            Amazon Linux:1 httpd-manual: [..2.2.21-1.18.amzn1)
            Amazon Linux:1 httpd-tools: [..2.2.21-1.18.amzn1)
            Amazon Linux:1 mod_ssl: [..1:2.2.21-1.18.amzn1)
          ALAS-2011-2 Amazon Linux  - ALAS-2011-2: important priority package update for cyrus-imapd
            bundles: CVE-2011-3208
            links: https://rhn.redhat.com/errata/RHSA-2011:1317.html
            days: 2011-10-10 2014-09-14
            Amazon: important high
            Amazon Linux:1 cyrus-imapd: [..2.3.16-6.4.amzn1)
            Amazon Linux:1 cyrus-imapd-devel: [..2.3.16-6.4.amzn1)
            Amazon Linux:1 cyrus-imapd-utils: [..2.3.16-6.4.amzn1)
        amazon/amazon-linux-2/core-sample-2/x86_64/repodata/updateinfo.xml.gz
          ALAS2-2018-942 Amazon Linux 2 2017.12 - ALAS2-2018-942: important priority package update for qemu-kvm
            bundles: CVE-2017-5715
            days: 2018-02-07 2018-02-08
            Amazon: important high
            Amazon Linux:2 qemu-img: [..10:1.5.3-141.amzn2.5.3)
            Amazon Linux:2 qemu-kvm: [..10:1.5.3-141.amzn2.5.3)
            Amazon Linux:2 qemu-kvm-common: [..10:1.5.3-141.amzn2.5.3)
        amazon/amazon-linux-2/sample-3/x86_64/repodata/updateinfo.xml.gz
          ALAS2-2018-939 Amazon Linux 2 2017.12 - ALAS2-2018-939: critical priority package update for kernel
            bundles: CVE-2017-5715 CVE-2017-5754
            days: 2018-01-11 2018-01-16
            Amazon: critical critical
            Amazon Linux:2 kernel: [..4.9.76-38.79.amzn2)
            Amazon Linux:2 kernel-devel: [..4.9.76-38.79.amzn2)
            Amazon Linux:2 kernel-doc: [..4.9.76-38.79.amzn2)
        amazon/amazon-linux-2/extras/kernel-5.15/x86_64/repodata/updateinfo.xml.gz
          ALAS2KERNEL-5.15-2022-001 Amazon Linux 2 - Kernel-5.15 2.0 - ALAS2KERNEL-5.15-2022-001: important priority package update for kernel
            bundles: CVE-2022-0500 CVE-2022-1015 CVE-2022-1016 CVE-2022-1158 CVE-2022-1263 CVE-2022-1353 CVE-2022-1729 CVE-2022-23222 CVE-2022-28893 CVE-2022-29581 CVE-2022-29582 CVE-2022-30594 CVE-2022-3526
            days: 2022-06-06 2022-11-17
            Amazon: important high
            Amazon Linux:2 bpftool: [5.15..5.15.43-20.123.amzn2)
            Amazon Linux:2 kernel: [5.15..5.15.43-20.123.amzn2)
            Amazon Linux:2 kernel-devel: [5.15..5.15.43-20.123.amzn2)
        amazon/amazon-linux-2022/core/x86_64/repodata/updateinfo.xml.gz
          ALAS2022-2021-001 Amazon Linux 2022 - ALAS2022-2021-001: medium priority package update for vim
            bundles: CVE-2021-3778 CVE-2021-3796 CVE-2021-3872 CVE-2021-3875
            days: 2021-10-26 2021-10-27
            Amazon: medium medium
        amazon/amazon-linux-2023/core/x86_64/repodata/updateinfo.xml.gz
          ALAS2023-2023-001 Amazon Linux 2023 - ALAS2023-2023-001: Important priority package update for rsyslog
            bundles: CVE-2014-3634 CVE-2022-24903
            days: 2023-02-17 2023-02-22
            Amazon: Important high
            Amazon Linux:2023 rsyslog: [..8.2204.0-3.amzn2023.0.2)
            Amazon Linux:2023 rsyslog-crypto: [..8.2204.0-3.amzn2023.0.2)
            Amazon Linux:2023 rsyslog-doc: [..8.2204.0-3.amzn2023.0.2)
        amazon/amazon-linux-2023/kernel-livepatch/x86_64/repodata/updateinfo.xml.gz
          ALAS2023LIVEPATCH-2023-001 Amazon Linux 2023 - Kernel Livepatch - ALAS2023LIVEPATCH-2023-001: important priority package update for kernel-livepatch-6.1.12-19.43
            bundles: CVE-2023-26545
            days: 2023-04-13 2023-05-09
            Amazon: important high
            Amazon Linux:2023 kernel-livepatch-6.1.12-19.43: [..1.0-1.amzn2023)
        amazon/amazon-linux-2023/nvidia/x86_64/repodata/updateinfo.xml.gz
          ALAS2023NVIDIA-2025-001 Amazon Linux 2023 - Nvidia - ALAS2023NVIDIA-2025-001: important priority package update for libnvidia-container
            bundles: CVE-2025-23359
            days: 2025-02-14 2025-03-05
            Amazon: important high
            Amazon Linux:2023 libnvidia-container-devel: [..1.17.4-1)
            Amazon Linux:2023 libnvidia-container-libseccomp2: [..1.17.4-1)
            Amazon Linux:2023 libnvidia-container-static: [..1.17.4-1)
        ");
    }

    #[test]
    fn fedora_s_hashed_list_is_read() {
        let Some(shared) = seaworthy_testkit::shared() else {
            return;
        };
        let folder = "fedora/updates/43/Everything/x86_64/repodata";
        let mut said = Vec::new();
        for file in std::fs::read_dir(shared.join("feeds/vendor").join(folder)).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            said.push(told(fedora, folder, &bytes));
        }
        insta::assert_snapshot!(said.join("\n"), @"");
    }

    #[test]
    fn every_list_of_the_shared_mirror_is_read() {
        let Some(said) = shared_lines("bottlerocket/updateinfo", &["GHSA-mgxf-pj6m-9494"]) else {
            return;
        };
        insta::assert_snapshot!(said, @r"
        bottlerocket/updateinfo: 1 parts, 1 records, 1 statements, 0 refused
        GHSA-mgxf-pj6m-9494 kernel CVE-2020-10711
          aliases: CVE-2020-10711
          links: https://github.com/bottlerocket-os/bottlerocket/security/advisories/GHSA-mgxf-pj6m-9494
          days: 2020-05-14 2020-05-14
          Bottlerocket: medium medium
          Bottlerocket kernel: [..0.3.3-b7d91846)
        ");
    }

    #[test]
    fn a_damaged_list_is_read_or_refused() {
        let sample = update(
            r#"<references><reference href="https://a/1" id="CVE-2017-5715"/></references>
            <pkglist><package arch="i686" epoch="10" name="q" version="1" release="2"/></pkglist>"#,
        );
        withstands_damage(amazon, CORE, sample.as_bytes());
    }
}
