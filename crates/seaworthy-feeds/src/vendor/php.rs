//! The database of PHP's community: packages of Composer.
//!
//! Its records list the affected versions, branch by branch.

use std::collections::BTreeMap;

use seaworthy_core::{Day, Ecosystem, Fix, PackageKey, Scheme, Stance, Statement};
use serde::Deserialize;

use super::document::parse;
use super::packed::each_file;
use super::requirement::Versions;
use super::{Content, Intake, VendorError};
use crate::osv::{is_cve, is_id, links, one_line};

#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    link: Option<String>,
    #[serde(default)]
    cve: Option<String>,
    reference: String,
    branches: BTreeMap<String, Branch>,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(default)]
    time: Option<String>,
    versions: Vec<String>,
}

/// Reads the archive of the repository: `…/<vendor>/<package>/<record>.yaml`.
pub(crate) fn read(
    content: &mut dyn Content,
    _path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    each_file(content, intake, &mut |path, bytes, intake| {
        let Some(stem) = path.strip_suffix(".yaml") else {
            return Ok(());
        };
        // Below the folder of the repository, settings have dots before their names.
        let below = stem.split_once('/').map(|(_, below)| below);
        let mut words = below.unwrap_or_default().split('/');
        let (Some(vendor), Some(package), Some(name), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Ok(());
        };
        if vendor.starts_with('.') {
            return Ok(());
        }
        let record: Record = parse(bytes)?;
        let own = format!("FriendsOfPHP/{vendor}/{package}/{name}");
        if let Err(why) = tell(&own, &record, intake)? {
            intake.refuse(path, why);
        }
        Ok(())
    })
}

fn tell(
    own: &str,
    record: &Record,
    intake: &mut Intake<'_>,
) -> Result<Result<(), String>, VendorError> {
    let Some(package) = record
        .reference
        .strip_prefix("composer://")
        .filter(|name| is_id(name) && name.contains('/'))
    else {
        return Ok(Err("it names no package of Composer".to_owned()));
    };
    let intervals = record
        .branches
        .values()
        .try_fold(Versions::none(Scheme::Composer), |set, branch| {
            let clauses = branch.versions.iter().map(String::as_str);
            set.union(Versions::of_comparisons(Scheme::Composer, clauses)?)
        })
        .and_then(|affected| affected.intervals());
    let intervals = match intervals {
        Ok(intervals) if intervals.is_empty() => {
            return Ok(Err("no version is affected".to_owned()));
        }
        Ok(intervals) => intervals,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let link = record.link.as_deref().unwrap_or_default();
    let title = record.title.as_deref().unwrap_or_default();
    let cve = record.cve.as_deref().map(str::trim).filter(|it| is_cve(it));
    let mut names = cve
        .map(str::to_owned)
        .into_iter()
        .chain(ghsa_in(link).or_else(|| ghsa_in(title)));
    let id = match names.next() {
        Some(id) => id,
        None if is_id(own) => own.to_owned(),
        None => return Ok(Err("it has no id".to_owned())),
    };
    let advisory = intake.gathered(&id)?;
    for alias in names {
        if !advisory.aliases.iter().any(|it| **it == *alias) {
            advisory.aliases.push(alias.into());
        }
    }
    if advisory.summary.is_empty() {
        advisory.summary = one_line(title);
    }
    if advisory.references.is_empty() {
        advisory.references = links([(true, link)]);
    }
    let days = record.branches.values().filter_map(|it| it.time.as_deref());
    let first: Option<Day> = days.filter_map(|day| day.parse().ok()).min();
    advisory.published = match (advisory.published, first) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    advisory.statements.push(Statement {
        about: PackageKey {
            ecosystem: Ecosystem::family_only("Packagist"),
            name: package.to_lowercase().into(),
        },
        stance: Stance::Affected {
            intervals,
            versions: Vec::new(),
            fix: Fix::AsRanges,
        },
    });
    Ok(Ok(()))
}

/// The id on GitHub that stands in a link or a title.
fn ghsa_in(text: &str) -> Option<String> {
    let (at, _) = text.match_indices("GHSA-").next()?;
    let id = text.get(at..at + 19)?;
    let group = |it: &str| it.len() == 4 && it.bytes().all(|it| it.is_ascii_alphanumeric());
    let mut groups = id.split('-').skip(1);
    (groups.clone().count() == 3 && groups.all(group)).then(|| id.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::intake::tests::{agreement, shared_lines, told, withstands_damage, zipped};
    use super::*;

    const RECORD: &str = "title: \"CVE-2026-45075: a\"\nlink: https://github.com/a/security/advisories/GHSA-4r9r-ch6f-vxmx\n\
        cve: CVE-2026-45075\nbranches:\n  7.4.x:\n    time: 2026-05-20 08:00:00\n    versions: ['>=7.4.0', '<7.5.0']\n\
        \n  8.0.x:\n    time: null\n    versions: ['>=7.5.0', '<8.0.12']\n  6:\n    versions: ['<6']\nreference: composer://Symfony/http-kernel\n";

    #[test]
    fn branches_that_touch_are_one_stretch() {
        let text = told(
            read,
            "php.zip",
            &zipped(&[
                ("db/symfony/http-kernel/CVE-2026-45075.yaml", RECORD),
                (
                    "db/symfony/symfony/2014-05-20.yaml",
                    "title: b\nlink: x\ncve: ~\nbranches: {a: {versions: ['<=2.0']}}\nreference: composer://symfony/symfony",
                ),
                ("db/.github/workflows/x.yaml", "a: b"),
                ("db/composer.yaml", "a: b"),
                ("db/README.md", "x"),
            ]),
        );
        insta::assert_snapshot!(text, @r"
        CVE-2026-45075 CVE-2026-45075: a
          aliases: GHSA-4r9r-ch6f-vxmx
          links: https://github.com/a/security/advisories/GHSA-4r9r-ch6f-vxmx
          days: 2026-05-20 -
          Packagist symfony/http-kernel: [..6) [7.4.0..8.0.12)
        FriendsOfPHP/symfony/symfony/2014-05-20 b
          Packagist symfony/symfony: [..2.0]
        ");
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_the_rest_is_read() {
        let text = told(
            read,
            "php.zip",
            &zipped(&[
                ("db/a/b/1.yaml", "reference: composer://a/b\nbranches: 7"),
                ("db/a/b/2.yaml", "reference: npm://a/b\nbranches: {}"),
                ("db/a/b/3.yaml", "reference: composer://a/b\nbranches: {}"),
                (
                    "db/a/b/4.yaml",
                    "reference: composer://a/b\nbranches: {a: {versions: ['>1']}}",
                ),
                (
                    "db/a/b/5.yaml",
                    "reference: composer://a/b\nbranches: {a: {versions: ['^1']}}",
                ),
            ]),
        );
        insta::assert_snapshot!(text, @r"
        FriendsOfPHP/a/b/4 
          Packagist a/b: [1-patch0..)
        refused db/a/b/1.yaml: not the YAML it should be: error: line 2 column 11: expected mapping start
        refused db/a/b/2.yaml: it names no package of Composer
        refused db/a/b/3.yaml: no version is affected
        refused db/a/b/5.yaml: `^1` is not a requirement
        ");
    }

    #[test]
    fn the_shared_database_is_read() {
        let telling = ["CVE-2026-45075", "CVE-2018-17057", "CVE-2015-5723"];
        let Some(said) = shared_lines("friendsofphp/database", &telling) else {
            return;
        };
        insta::assert_snapshot!(said, @r"
        friendsofphp/database: 1 parts, 1198 records, 1592 statements, 0 refused
        CVE-2026-45075 CVE-2026-45075: HEAD Request Bypasses methods: ['GET'] Filter in #[IsGranted] / #[IsSignatureValid] / #[IsCsrfTokenValid]
          links: https://symfony.com/cve-2026-45075
          days: 2026-05-20 -
          Packagist symfony/http-kernel: [7.4.0..7.4.12) [8.0.0..8.0.12)
          Packagist symfony/security-http: [7.4.0..7.4.12) [8.0.0..8.0.12)
          Packagist symfony/symfony: [7.4.0..7.4.12) [8.0.0..8.0.12)
        CVE-2018-17057 Attackers can trigger deserialization of arbitrary data via the phar:// wrapper.
          links: https://github.com/tecnickcom/TCPDF/commit/1861e33fe05f653b67d070f7c106463e7a5c26ed
          days: 2018-09-14 -
          Packagist fooman/tcpdf: [..6.2.22)
          Packagist fossar/tcpdf-parser: [..6.2.22)
          Packagist la-haute-societe/tcpdf: [..6.2.22)
          Packagist spoonity/tcpdf: [..6.2.22)
          Packagist tecnickcom/tcpdf: [..6.2.22)
          Packagist wallabag/tcpdf: [..6.2.22)
        CVE-2015-5723 Security Misconfiguration Vulnerability in the AWS SDK for PHP
          links: https://github.com/aws/aws-sdk-php/releases/tag/3.2.1
          days: 2015-07-24 -
          Packagist aws/aws-sdk-php: [3.0.0..3.2.1)
          Packagist doctrine/annotations: [1.0.0..1.2.7)
          Packagist doctrine/cache: [1.0.0..1.3.2) [1.4.0..1.4.2)
          Packagist doctrine/common: [2.0.0..2.4.3) [2.5.0..2.5.1)
          Packagist doctrine/doctrine-bundle: [..1.5.2)
          Packagist doctrine/mongodb-odm-bundle: [2.0.0..3.0.1)
        ");
    }

    #[test]
    fn the_database_agrees_with_what_others_derived_from_it() {
        let Some(said) = agreement("friendsofphp/database", "Packagist") else {
            return;
        };
        insta::assert_snapshot!(said, @r"
        1158 pairs, 8765 answers, 4 differ
        CVE-2022-25275 drupal/core 8.0.0
        CVE-2022-25275 drupal/core 8.10.0
        CVE-2022-25277 drupal/core 8.0.0
        CVE-2022-25277 drupal/core 8.10.0
        ");
    }

    #[test]
    fn a_damaged_archive_is_read_or_refused() {
        withstands_damage(read, "php.zip", &zipped(&[("db/a/b/1.yaml", RECORD)]));
    }
}
