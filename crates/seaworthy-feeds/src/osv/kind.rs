//! What a record's id tells of it: a vulnerability, a notice of an update, or
//! malware.

/// The kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// The record is a vulnerability.
    Vulnerability,
    /// A distribution's notice of an update that may fix several.
    Notice,
    /// A notice of an update that need not fix any.
    Improvement,
    /// A notice of a patch for running kernels. It says which kernels can be
    /// patched, not which are affected.
    LivePatch,
    /// A malicious package.
    Malware,
}

const NOTICES: [&str; 24] = [
    "ALAS",
    "ALSA",
    "ASB",
    "CLEANSTART",
    "DLA",
    "DSA",
    "DTSA",
    "ELA",
    "ELSA",
    "FEDORA",
    "GLSA",
    "MGASA",
    "OESA",
    "PHSA",
    "PUB",
    "RHSA",
    "RLSA",
    "RXSA",
    "SUSE-SU",
    "USN",
    "openEuler-SA",
    "openSUSE-SU",
    "SSA",
    "VSN",
];
const IMPROVEMENTS: [&str; 14] = [
    "ALBA",
    "ALEA",
    "ELBA",
    "ELEA",
    "MGAA",
    "RHBA",
    "RHEA",
    "RLBA",
    "RLEA",
    "SUSE-FU",
    "SUSE-OU",
    "SUSE-RU",
    "openSUSE-FU",
    "openSUSE-RU",
];

impl Kind {
    /// The kind of the record called `id`.
    pub(super) fn of(id: &str) -> Self {
        let starts_with = |prefix: &&str| {
            id.strip_prefix(*prefix)
                // `ALAS2-…` and `ALAS2023-…` are notices, `USNX-…` is none.
                .map(|rest| rest.trim_start_matches(|it: char| it.is_ascii_digit()))
                .is_some_and(|rest| rest.starts_with('-'))
        };
        if NOTICES.iter().any(starts_with) {
            Self::Notice
        } else if IMPROVEMENTS.iter().any(starts_with) {
            Self::Improvement
        } else if id.starts_with("LSN-") {
            Self::LivePatch
        } else if id.starts_with("MAL-") {
            Self::Malware
        } else {
            Self::Vulnerability
        }
    }
}

/// Whether a name is a CVE id.
pub(crate) fn is_cve(name: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    name.strip_prefix("CVE-")
        .and_then(|rest| rest.split_once('-'))
        .is_some_and(|(year, number)| year.len() == 4 && digits(year) && digits(number))
}

/// The CVE ids that stand in a text for people.
pub(crate) fn cves_in(text: &str) -> impl Iterator<Item = Box<str>> {
    text.match_indices("CVE-").filter_map(|(at, _)| {
        let rest = text.get(at..)?;
        let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let number = digits(rest.get(9..)?);
        let id = rest.get(..9 + number.min(20))?;
        is_cve(id).then(|| id.into())
    })
}

/// The name of the vulnerability itself: `DEBIAN-CVE-2022-1292` is a
/// distribution's record of `CVE-2022-1292`.
pub(super) fn plain_name(name: &str) -> &str {
    name.split_once("-CVE-")
        .and_then(|(prefix, _)| name.get(prefix.len() + 1..))
        .filter(|cve| is_cve(cve))
        .unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_the_kind() {
        for (id, kind) in [
            ("CVE-2021-44228", Kind::Vulnerability),
            ("GHSA-jfh8-c2jp-5v3q", Kind::Vulnerability),
            ("DEBIAN-CVE-2022-1292", Kind::Vulnerability),
            ("DSA-5139-1", Kind::Notice),
            ("DSA-135", Kind::Notice),
            ("ALSA-2021:3572", Kind::Notice),
            ("ALAS2-2021-1731", Kind::Notice),
            ("ALAS2023-2023-001", Kind::Notice),
            ("SUSE-SU-2022:1", Kind::Notice),
            ("openSUSE-SU-2016:1", Kind::Notice),
            ("openEuler-SA-2021-1", Kind::Notice),
            ("PUBX-1", Kind::Vulnerability),
            ("ALBA-2019:0973", Kind::Improvement),
            ("SUSE-RU-2020:1", Kind::Improvement),
            ("LSN-0108-1", Kind::LivePatch),
            ("MAL-2025-191157", Kind::Malware),
        ] {
            assert_eq!(Kind::of(id), kind, "{id}");
        }
    }

    #[test]
    fn cve_ids_are_found_in_text() {
        for (text, expected) in [
            ("CVE-2021-1", "CVE-2021-1"),
            (
                "TRIAGE-CVE-2021-4189 python: CVE-2020-11, x",
                "CVE-2021-4189 CVE-2020-11",
            ),
            ("CVE-2021-é CVE-20 CVE- CVE-2021-", ""),
        ] {
            assert_eq!(cves_in(text).collect::<Vec<_>>().join(" "), expected);
        }
    }

    #[test]
    fn a_distributions_record_of_a_cve_is_that_cve() {
        for (name, plain) in [
            ("DEBIAN-CVE-2022-1292", "CVE-2022-1292"),
            ("UBUNTU-CVE-2021-3782", "CVE-2021-3782"),
            ("BELL-CVE-2021-3782", "CVE-2021-3782"),
            ("CURL-CVE-2021-22876", "CVE-2021-22876"),
            ("CVE-2022-1292", "CVE-2022-1292"),
            ("X-CVE-what", "X-CVE-what"),
            ("GHSA-jfh8-c2jp-5v3q", "GHSA-jfh8-c2jp-5v3q"),
        ] {
            assert_eq!(plain_name(name), plain);
        }
    }
}
