//! Archives of records in the OSV schema that vendors publish themselves.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::path::Path;

use seaworthy_core::Advisory;

use super::packed::each_file;
use super::{Content, Intake, VendorError};
use crate::osv::parse_record;

/// Records that may be gathered before they are handed on. Docker has some seven
/// hundred.
const MAX_GATHERED: usize = 500_000;

/// Reads Canonical's archive: a file each for vulnerabilities, notices and live
/// patches.
pub(crate) fn read_ubuntu(
    content: &mut dyn Content,
    _name: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    each_file(content, intake, &mut |name, bytes, intake| {
        if let Some(advisory) = record(name, bytes, "Ubuntu", intake) {
            intake.take(advisory);
        }
        Ok(())
    })
}

/// Reads the archive of Docker Hardened Images: a folder for each piece of
/// software, and in it the vulnerabilities that concern it. What several folders
/// say of one vulnerability becomes one advisory.
pub(crate) fn read_docker(
    content: &mut dyn Content,
    _name: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    let mut gathered: BTreeMap<Box<str>, Advisory> = BTreeMap::new();
    each_file(content, intake, &mut |name, bytes, intake| {
        let Some(mut advisory) = record(name, bytes, "DHI", intake) else {
            return Ok(());
        };
        if gathered.len() >= MAX_GATHERED {
            intake.refuse(name, "more records than anyone has a use for");
            return Ok(());
        }
        for rating in &mut advisory.ratings {
            // Named after the CVE it is, the record does not say who wrote it.
            if &*rating.source == "CVE" {
                rating.source = "Docker".into();
            }
        }
        match gathered.get_mut(&advisory.id) {
            Some(first) => join(first, advisory),
            None => {
                gathered.insert(advisory.id.clone(), advisory);
            }
        }
        Ok(())
    })?;
    for advisory in gathered.into_values() {
        intake.take(advisory);
    }
    Ok(())
}

/// The record in the file `name`, with what it says of `family`.
fn record(name: &str, bytes: &[u8], family: &str, intake: &mut Intake<'_>) -> Option<Advisory> {
    // Archives carry licences and descriptions, too.
    if Path::new(name).extension().is_none_or(|it| it != "json") {
        return None;
    }
    match parse_record(intake.feed(), bytes) {
        Ok(mut advisory) => {
            advisory
                .statements
                .retain(|statement| statement.about.ecosystem.family() == family);
            Some(advisory)
        }
        Err(error) => {
            let cause = error
                .source()
                .map_or_else(String::new, |source| format!(": {source}"));
            intake.refuse(name, format!("{error}{cause}"));
            None
        }
    }
}

/// Adds what `other` says of the same vulnerability.
fn join(first: &mut Advisory, other: Advisory) {
    for (mine, theirs) in [
        (&mut first.aliases, other.aliases),
        (&mut first.bundles, other.bundles),
        (&mut first.references, other.references),
    ] {
        for name in theirs {
            if !mine.contains(&name) {
                mine.push(name);
            }
        }
    }
    for rating in other.ratings {
        if !first.ratings.contains(&rating) {
            first.ratings.push(rating);
        }
    }
    for statement in other.statements {
        if !first.statements.contains(&statement) {
            first.statements.push(statement);
        }
    }
    if first.summary.is_empty() {
        first.summary = other.summary;
    }
    first.modified = first.modified.max(other.modified);
    first.published = match (first.published, other.published) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;
    use crate::vendor::intake::tests::{read_with, shown, told, withstands_damage};

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (name, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(u64::try_from(text.len()).unwrap());
            header.set_mode(0o644);
            header.set_cksum();
            archive
                .append_data(&mut header, name, text.as_bytes())
                .unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn canonicals_records_are_read_one_by_one_and_the_broken_are_named() {
        let affected = r#""affected": [
            {"package": {"ecosystem": "Ubuntu:Pro:22.04:LTS", "name": "a"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}]},
            {"package": {"ecosystem": "Debian:12", "name": "a"}, "versions": ["1"]}]"#;
        let bytes = archive(&[
            (
                "osv/cve/2024/UBUNTU-CVE-2024-1.json",
                &format!(r#"{{"id": "UBUNTU-CVE-2024-1", {affected}}}"#),
            ),
            (
                "osv/lsn/LSN-1.json",
                &format!(r#"{{"id": "LSN-1", {affected}}}"#),
            ),
            ("osv/cve/2024/UBUNTU-CVE-2024-2.json", "{"),
            ("osv/README.md", "# Records"),
        ]);
        insta::assert_snapshot!(told(read_ubuntu, "osv-all.tar.xz", &bytes), @r"
        UBUNTU-CVE-2024-1 
          aliases: CVE-2024-1
          Ubuntu:Pro:22.04 a: [..2)
          Ubuntu:22.04 a: [..) WontFix
        LSN-1 
        refused osv/cve/2024/UBUNTU-CVE-2024-2.json: not a record of the OSV schema: EOF while parsing an object at line 1 column 1
        ");
    }

    #[test]
    fn what_docker_says_in_several_folders_is_one_advisory() {
        let record = |name: &str, alias: &str| {
            format!(
                r#"{{"id": "CVE-2024-1", "aliases": ["{alias}"], "modified": "2024-01-02T00:00:00Z", "affected": [
                {{"package": {{"ecosystem": "DHI", "name": "{name}"}}, "ranges": [{{"type": "SEMVER", "events": [{{"introduced": "0"}}, {{"fixed": "2.0.0"}}]}}]}}]}}"#
            )
        };
        let bytes = archive(&[
            ("x/osv/redis/CVE-2024-1.json", &record("redis", "GHSA-a")),
            ("x/osv/valkey/CVE-2024-1.json", &record("valkey", "GHSA-b")),
            ("x/osv/again/CVE-2024-1.json", &record("valkey", "GHSA-b")),
        ]);
        insta::assert_snapshot!(told(read_docker, "main.zip", &bytes), @r"
        CVE-2024-1 
          aliases: GHSA-a GHSA-b
          days: - 2024-01-02
          DHI redis: [..2.0.0)
          DHI valkey: [..2.0.0)
        ");
    }

    #[test]
    fn what_is_no_archive_is_an_error() {
        for bytes in [
            &b"<html>no such file</html>"[..],
            &[0xfd, b'7', b'z', b'X', b'Z', 0, 1],
        ] {
            let said = told(read_ubuntu, "osv-all.tar.xz", bytes);
            assert!(said.starts_with("error: "), "{said}");
        }
    }

    #[test]
    fn the_shared_samples_are_read() {
        let Some(shared) = seaworthy_testkit::shared() else {
            return;
        };
        let vendor = shared.join("feeds/vendor");
        let sample = std::fs::read(vendor.join("ubuntu/osv/osv-all.tar.xz")).unwrap();
        let (advisories, taken) = read_with(read_ubuntu, "osv-all.tar.xz", &sample);
        assert_eq!((taken.records, taken.refused), (3, 0));
        let statements: Vec<_> = advisories
            .iter()
            .map(|it| format!("{}: {} statements", it.id, it.statements.len()))
            .collect();
        insta::assert_snapshot!(statements.join("\n"), @r"
        UBUNTU-CVE-2024-51988: 4 statements
        LSN-0108-1: 0 statements
        USN-7095-1: 3 statements
        ");
        withstands_damage(read_ubuntu, "osv-all.tar.xz", &sample);

        let sample =
            std::fs::read(vendor.join("docker-hardened-images/advisories-main.zip")).unwrap();
        let (advisories, taken) = read_with(read_docker, "main.zip", &sample);
        assert_eq!((taken.records, taken.refused), (684, 0));
        let told: Vec<String> = advisories
            .iter()
            .filter(|it| ["CVE-2024-31228", "CVE-2024-22018"].contains(&&*it.id))
            .map(shown)
            .collect();
        insta::assert_snapshot!(told.join("\n"), @r"
        CVE-2024-22018 A vulnerability has been identified in Node.js, affecting users of the experimental permission model when the --allow-fs-read flag is used. This flaw arises from an inadequate permission model that fails to restrict file stats through the `…
          aliases: NSWG-COR-144
          links: https://nodejs.org/en/blog/vulnerability/july-2024-security-releases/
          days: 2024-07-10 2024-11-21
          Docker: low low
          DHI node: [20.0.0..20.15.1) [22.0.0..22.4.1)
        CVE-2024-31228 Authenticated users can trigger a denial-of-service by using specially crafted, long string match patterns on supported commands such as `KEYS`, `SCAN`, `PSUBSCRIBE`, `FUNCTION LIST`, `COMMAND LIST` and ACL definitions. Matching of extremel…
          aliases: GHSA-66gq-c942-6976 GHSA-p4rf-xgfj-c2gq
          links: https://github.com/redis/redis/security/advisories/GHSA-66gq-c942-6976 https://github.com/valkey-io/valkey/security/advisories/GHSA-p4rf-xgfj-c2gq
          days: 2024-10-06 2024-11-11
          DHI redis: [2.2.5..6.2.16) [7.0.0..7.2.6) [7.4.0..7.4.1)
          DHI valkey: [..7.2.7) [8.0.0..8.0.1)
        ");
    }
}
