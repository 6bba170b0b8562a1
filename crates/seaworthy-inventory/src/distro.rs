//! What an image says it is: os-release, and what served before it.

use seaworthy_image::FileFacts;

use crate::probe::Probe;
use crate::record::{DistroRecord, FileRecord};

/// Reads os-release(5) and its older relatives.
#[derive(Debug)]
pub(crate) struct Distro;

/// The files that name a distribution, the most trusted first. A derivative
/// keeps the file of what it derives from, so its own file comes before that.
pub(crate) const PATHS: [&str; 17] = [
    "etc/os-release",
    "usr/lib/os-release",
    "etc/lsb-release",
    "etc/alpine-release",
    "etc/oracle-release",
    "etc/almalinux-release",
    "etc/rocky-release",
    "etc/centos-release",
    "etc/fedora-release",
    "etc/redhat-release",
    "etc/system-release",
    "etc/SuSE-release",
    "etc/SUSE-brand",
    "etc/gentoo-release",
    "etc/arch-release",
    "etc/debian_version",
    "usr/lib/system-release",
];

/// Where Fedora keeps the os-release of each of its variants; a symbolic link
/// chooses one.
const VARIANTS: &str = "usr/lib/os.release.d/os-release-";

/// Release files are a few lines, in bytes.
const LIMIT: u64 = 64 << 10;

/// How release files begin, and the `ID` that os-release gives the same system.
/// Longer beginnings stand before shorter ones.
const TITLES: [(&str, &str); 18] = [
    ("Debian", "debian"),
    ("Ubuntu", "ubuntu"),
    ("Alpine", "alpine"),
    ("Red Hat Enterprise Linux", "rhel"),
    ("Red Hat Linux", "redhat"),
    ("CentOS", "centos"),
    ("Fedora", "fedora"),
    ("Oracle Linux", "ol"),
    ("AlmaLinux", "almalinux"),
    ("Rocky Linux", "rocky"),
    ("Scientific Linux", "scientific"),
    ("Amazon Linux", "amzn"),
    ("SUSE Linux Enterprise Desktop", "sled"),
    ("SUSE Linux Enterprise", "sles"),
    ("openSUSE", "opensuse"),
    ("Gentoo", "gentoo"),
    ("Virtuozzo", "virtuozzo"),
    ("CloudLinux", "cloudlinux"),
];

impl Probe for Distro {
    fn name(&self) -> &'static str {
        "distro"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &FileFacts<'_>) -> bool {
        PATHS.contains(&file.path) || file.path.starts_with(VARIANTS)
    }

    fn limit(&self) -> u64 {
        LIMIT
    }

    fn read(&self, file: &FileFacts<'_>, bytes: &[u8], found: &mut FileRecord) {
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}');
        let distro = match file.name() {
            _ if file.path.starts_with(VARIANTS) => assignments(text, &OS_RELEASE),
            "os-release" => assignments(text, &OS_RELEASE),
            "lsb-release" => {
                let distro = assignments(text, &LSB_RELEASE);
                if distro.is_none() && text.contains("LSB_VERSION") {
                    // It speaks of the standard only and names no system.
                    return;
                }
                distro
            }
            "alpine-release" => word(text).map(|version| named("alpine", version)),
            "debian_version" => word(text).map(debian),
            "arch-release" => Some(DistroRecord {
                id: "arch".to_owned(),
                ..DistroRecord::default()
            }),
            _ => release(text),
        };
        if distro.is_none() {
            found.gap("it names no distribution");
        }
        found.distro = distro.map(bounded);
    }
}

/// Keys of a file of shell assignments, in the order of [`DistroRecord`].
type Keys = [&'static str; 5];

const OS_RELEASE: Keys = [
    "ID",
    "VERSION_ID",
    "VERSION_CODENAME",
    "ID_LIKE",
    "PRETTY_NAME",
];

const LSB_RELEASE: Keys = [
    "DISTRIB_ID",
    "DISTRIB_RELEASE",
    "DISTRIB_CODENAME",
    "",
    "DISTRIB_DESCRIPTION",
];

/// Reads assignments as a shell would; of two with one key the later counts.
fn assignments(text: &str, keys: &Keys) -> Option<DistroRecord> {
    let mut values: [Option<String>; 5] = Default::default();
    for line in text.lines() {
        let Some((key, value)) = line.trim().split_once('=') else {
            continue;
        };
        // A comment is no key of ours.
        if let Some(at) = keys.iter().position(|it| *it == key.trim_end()) {
            let value = unquoted(value);
            if let Some(place) = values.get_mut(at) {
                *place = Some(value).filter(|value| !value.is_empty());
            }
        }
    }
    let [id, version_id, codename, id_like, pretty_name] = values;
    Some(DistroRecord {
        id: id?.to_lowercase(),
        version_id,
        codename,
        id_like: id_like
            .unwrap_or_default()
            .split_whitespace()
            .map(str::to_lowercase)
            .collect(),
        pretty_name,
    })
}

/// The value of an assignment: plain, in quotes of either kind, with backslashes
/// as a shell reads them. Spaces outside quotes are kept, though no shell would.
fn unquoted(value: &str) -> String {
    let mut text = String::new();
    let mut quote = None;
    let mut letters = value.trim().chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), _) if open == letter => quote = None,
            (None, '\\') => text.extend(letters.next()),
            (Some('"'), '\\') => match letters.next() {
                Some(special @ ('"' | '\\' | '$' | '`')) => text.push(special),
                Some(other) => text.extend(['\\', other]),
                None => text.push('\\'),
            },
            (None | Some(_), _) => text.push(letter),
        }
    }
    text.trim().to_owned()
}

/// Reads `CentOS Linux release 7.9.2009 (Core)` and the like.
fn release(text: &str) -> Option<DistroRecord> {
    let title = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    let id = id_of(title)?;
    let is_version = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    let version = title.split_whitespace().find(is_version);
    let assigned = |key: &str| {
        let lines = text.lines().filter_map(|line| line.split_once('='));
        let mut values = lines.filter(|(name, _)| name.trim().eq_ignore_ascii_case(key));
        values.next().map(|(_, value)| value.trim().to_owned())
    };
    // SuSE-release says `11` in its title, and `PATCHLEVEL = 4` below.
    let level = assigned("PATCHLEVEL").filter(|level| !level.is_empty() && level != "0");
    let version_id = match (version, level) {
        (Some(version), Some(level)) if !version.contains('.') => {
            Some(format!("{version}.{level}"))
        }
        (version, _) => version.map(str::to_owned),
    };
    let codename = title
        .rsplit_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .filter(|_| title.contains(" release "))
        .map(str::to_owned);
    Some(DistroRecord {
        id: id.to_owned(),
        version_id,
        codename,
        id_like: Vec::new(),
        pretty_name: Some(title.to_owned()),
    })
}

/// The `ID` of the system whose title for people begins like this.
pub(crate) fn id_of(title: &str) -> Option<&'static str> {
    let (_, id) = TITLES.iter().find(|(start, _)| {
        title
            .get(..start.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(start))
    })?;
    Some(id)
}

/// Reads `12.5` or `trixie/sid`. Debian's os-release knows no point releases.
fn debian(text: &str) -> DistroRecord {
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        return named("debian", text.split('.').next().unwrap_or(text));
    }
    DistroRecord {
        id: "debian".to_owned(),
        codename: text.split('/').next().map(str::to_owned),
        ..DistroRecord::default()
    }
}

fn named(id: &str, version: &str) -> DistroRecord {
    DistroRecord {
        id: id.to_owned(),
        version_id: Some(version.to_owned()),
        ..DistroRecord::default()
    }
}

/// The only word of a file.
fn word(text: &str) -> Option<&str> {
    let mut words = text.split_whitespace();
    words.next().filter(|_| words.next().is_none())
}

/// Texts of a distribution are shown to people and compared with names we know:
/// control characters and novels are neither.
fn bounded(distro: DistroRecord) -> DistroRecord {
    let short = |text: String| -> String {
        let shown = text.chars().filter(|letter| !letter.is_control());
        shown.take(200).collect()
    };
    DistroRecord {
        id: short(distro.id),
        version_id: distro.version_id.map(short),
        codename: distro.codename.map(short),
        id_like: distro.id_like.into_iter().take(16).map(short).collect(),
        pretty_name: distro.pretty_name.map(short),
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::trial::read;

    #[test]
    fn os_release_is_read_as_a_shell_would() {
        assert_snapshot!(read(&Distro, "etc/os-release",
            "# a comment\nID=Debian\nVERSION_ID=\"11\"\nVERSION_ID='12'\nPRETTY_NAME=\"a \\\"b\\\" \\$c \\d 'e'\"\n\
             VERSION_CODENAME=book\\worm\nID_LIKE=\"x  y\"\r\nnonsense\n"
        ), @r#"DistroRecord { id: "debian", version_id: Some("12"), codename: Some("bookworm"), id_like: ["x", "y"], pretty_name: Some("a \"b\" $c \\d 'e'") }"#);
        assert_snapshot!(read(&Distro, "etc/os-release", "NAME=x\nID=\"\"\n"), @"gap: it names no distribution");
        assert_snapshot!(read(&Distro, "usr/lib/os-release", ""), @"gap: it names no distribution");
    }

    #[test]
    fn the_older_relatives_are_read_in_their_own_way() {
        let each = [
            (
                "etc/lsb-release",
                "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=14.04\nDISTRIB_CODENAME=trusty\n",
            ),
            ("etc/lsb-release", "LSB_VERSION=base-4.0-amd64\n"),
            ("etc/alpine-release", "3.20.3\n"),
            ("etc/debian_version", "7.11\n"),
            ("etc/debian_version", "trixie/sid\n"),
            (
                "etc/centos-release",
                "CentOS Linux release 7.6.1810 (Core) \n",
            ),
            (
                "etc/redhat-release",
                "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n",
            ),
            ("etc/redhat-release", "Toaster release 3"),
            ("etc/oracle-release", "Oracle Linux Server release 7.9\n"),
            ("etc/system-release", "Amazon Linux AMI release 2018.03\n"),
            (
                "etc/SuSE-release",
                "SUSE Linux Enterprise Server 11 (x86_64)\nVERSION = 11\nPATCHLEVEL = 4\n",
            ),
            (
                "etc/SuSE-release",
                "openSUSE 13.2 (x86_64)\nVERSION = 13.2\nCODENAME = Harlequin\n",
            ),
            ("etc/arch-release", ""),
        ];
        let all: String = each.map(|(path, text)| read(&Distro, path, text)).concat();
        assert_snapshot!(all, @r#"
        DistroRecord { id: "ubuntu", version_id: Some("14.04"), codename: Some("trusty"), id_like: [], pretty_name: None }
        DistroRecord { id: "alpine", version_id: Some("3.20.3"), codename: None, id_like: [], pretty_name: None }
        DistroRecord { id: "debian", version_id: Some("7"), codename: None, id_like: [], pretty_name: None }
        DistroRecord { id: "debian", version_id: None, codename: Some("trixie"), id_like: [], pretty_name: None }
        DistroRecord { id: "centos", version_id: Some("7.6.1810"), codename: Some("Core"), id_like: [], pretty_name: Some("CentOS Linux release 7.6.1810 (Core)") }
        DistroRecord { id: "rhel", version_id: Some("6.10"), codename: Some("Santiago"), id_like: [], pretty_name: Some("Red Hat Enterprise Linux Server release 6.10 (Santiago)") }
        gap: it names no distribution
        DistroRecord { id: "ol", version_id: Some("7.9"), codename: None, id_like: [], pretty_name: Some("Oracle Linux Server release 7.9") }
        DistroRecord { id: "amzn", version_id: Some("2018.03"), codename: None, id_like: [], pretty_name: Some("Amazon Linux AMI release 2018.03") }
        DistroRecord { id: "sles", version_id: Some("11.4"), codename: None, id_like: [], pretty_name: Some("SUSE Linux Enterprise Server 11 (x86_64)") }
        DistroRecord { id: "opensuse", version_id: Some("13.2"), codename: None, id_like: [], pretty_name: Some("openSUSE 13.2 (x86_64)") }
        DistroRecord { id: "arch", version_id: None, codename: None, id_like: [], pretty_name: None }
        "#);
    }
}
