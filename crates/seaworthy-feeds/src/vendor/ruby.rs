//! The database of the Ruby community: gems, and the interpreters of Ruby.
//!
//! Its records list the versions that are patched and those that never were
//! affected; what is left is affected.

use seaworthy_core::{
    Ecosystem, Fix, PackageKey, Rating, RatingSystem, Scheme, Severity, Stance, Statement,
};
use serde::Deserialize;

use super::document::parse;
use super::packed::each_file;
use super::requirement::Versions;
use super::{Content, Intake, VendorError};
use crate::osv::{is_cve, is_id, links, one_line};

#[derive(Deserialize)]
struct Record {
    #[serde(default)]
    gem: Option<String>,
    #[serde(default)]
    engine: Option<String>,
    #[serde(default)]
    cve: Option<String>,
    #[serde(default)]
    ghsa: Option<String>,
    #[serde(default)]
    osvdb: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    date: Option<String>,
    #[serde(default)]
    cvss_v2: Option<f64>,
    #[serde(default)]
    cvss_v3: Option<f64>,
    #[serde(default)]
    cvss_v4: Option<f64>,
    #[serde(default)]
    patched_versions: Option<Vec<String>>,
    #[serde(default)]
    unaffected_versions: Option<Vec<String>>,
}

/// Requirements of one record.
const MAX_REQUIREMENTS: usize = 200;

/// Reads the archive of the repository: `…/gems/<gem>/<record>.yml` and
/// `…/rubies/<engine>/<record>.yml`.
pub(crate) fn read(
    content: &mut dyn Content,
    _path: &str,
    intake: &mut Intake<'_>,
) -> Result<(), VendorError> {
    each_file(content, intake, &mut |path, bytes, intake| {
        let mut folders = path.rsplit('/');
        let file = folders.next().unwrap_or_default();
        let kept = folders.nth(1);
        let is_record = matches!(kept, Some("gems" | "rubies"));
        let Some(stem) = file.strip_suffix(".yml").filter(|_| is_record) else {
            return Ok(());
        };
        let record: Record = parse(bytes)?;
        if let Err(why) = tell(stem, &record, intake)? {
            intake.refuse(path, why);
        }
        Ok(())
    })
}

fn tell(
    stem: &str,
    record: &Record,
    intake: &mut Intake<'_>,
) -> Result<Result<(), String>, VendorError> {
    let (family, name) = match (&record.gem, &record.engine) {
        (Some(gem), None) => ("RubyGems", gem),
        (None, Some(engine)) => ("Ruby", engine),
        _ => return Ok(Err("it names neither a gem nor an engine".to_owned())),
    };
    if !is_id(name) {
        return Ok(Err("it names no package".to_owned()));
    }
    let stance = match stance(record) {
        Ok(stance) => stance,
        Err(why) => return Ok(Err(why)),
    };
    let mut names = names(record).into_iter();
    let id = match names.next() {
        Some(id) => id,
        None if is_id(stem) => format!("RubySec/{name}/{stem}"),
        None => return Ok(Err("it has no id".to_owned())),
    };
    let advisory = intake.gathered(&id)?;
    for alias in names {
        if !advisory.aliases.iter().any(|it| **it == *alias) {
            advisory.aliases.push(alias.into());
        }
    }
    if advisory.summary.is_empty() {
        advisory.summary = one_line(record.title.as_deref().unwrap_or_default());
    }
    if advisory.references.is_empty() {
        advisory.references = links(record.url.iter().map(|url| (true, url.as_str())));
    }
    let date = record.date.as_deref().and_then(|date| date.parse().ok());
    advisory.published = advisory.published.or(date);
    for (system, score) in [
        (RatingSystem::CvssV4, record.cvss_v4),
        (RatingSystem::CvssV3, record.cvss_v3),
        (RatingSystem::CvssV2, record.cvss_v2),
    ] {
        let rating = score.and_then(|score| rating(system, score));
        if let Some(rating) = rating.filter(|rating| !advisory.ratings.contains(rating)) {
            advisory.ratings.push(rating);
        }
    }
    advisory.statements.push(Statement {
        about: PackageKey {
            ecosystem: Ecosystem::family_only(family),
            name: name.as_str().into(),
        },
        stance,
    });
    Ok(Ok(()))
}

/// What the record is called, best known first.
fn names(record: &Record) -> Vec<String> {
    let name = |prefix: &str, text: &Option<String>| {
        let text = text.as_deref()?.trim();
        let name = format!("{prefix}-{}", text.strip_prefix(prefix).unwrap_or(text));
        (!text.is_empty() && is_id(&name)).then_some(name)
    };
    [
        name("CVE", &record.cve).filter(|cve| is_cve(cve)),
        name("GHSA", &record.ghsa),
        name("OSVDB", &record.osvdb),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn stance(record: &Record) -> Result<Stance, String> {
    let lists = [&record.patched_versions, &record.unaffected_versions];
    let fine = lists.into_iter().flatten().flatten();
    if fine.clone().count() > MAX_REQUIREMENTS {
        return Err("more requirements than anyone writes".to_owned());
    }
    let intervals = fine
        .map(String::as_str)
        .try_fold(Versions::none(Scheme::Gem), |set, requirement| {
            set.union(Versions::of_gems(requirement)?)
        })
        .and_then(|fine| fine.complement()?.intervals())
        .map_err(|error| error.to_string())?;
    if intervals.is_empty() {
        // People forget that requirements add up, so this never means that all is
        // well: one such record is about a gem with a backdoor.
        return Err("its requirements leave no version affected".to_owned());
    }
    Ok(Stance::Affected {
        intervals,
        versions: Vec::new(),
        fix: Fix::AsRanges,
    })
}

/// A score without the vector it came from.
fn rating(system: RatingSystem, score: f64) -> Option<Rating> {
    if !(0.0..=10.0).contains(&score) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a score of at most ten is at most a hundred tenths"
    )]
    let tenths = (score * 10.0).round() as u8;
    Some(Rating {
        source: "RubySec".into(),
        system,
        text: format!("{}.{}", tenths / 10, tenths % 10).into(),
        score_tenths: Some(tenths),
        severity: Severity::of_score(tenths),
    })
}

#[cfg(test)]
mod tests {
    use super::super::intake::tests::{agreement, shared_lines, told, withstands_damage, zipped};
    use super::*;

    const RECORD: &str = "gem: actionpack\ncve: 2022-23633\nghsa: wh98-p28r-vrc9\nurl: https://a/\ntitle: Exposure\n\
        date: 2022-02-11\ncvss_v3: 7.4\nunaffected_versions:\n- \"< 5.0.0\"\npatched_versions:\n- \"~> 5.2.6, >= 5.2.6.2\"\n- \">= 7.0.2.2\"\n";

    #[test]
    fn what_is_neither_patched_nor_unaffected_is_affected() {
        let text = told(
            read,
            "ruby.zip",
            &zipped(&[
                ("db/gems/actionpack/CVE-2022-23633.yml", RECORD),
                (
                    "db/gems/rails/CVE-2022-23633.yml",
                    "gem: rails\ncve: 2022-23633\nosvdb: 7\n",
                ),
                (
                    "db/rubies/jruby/x.yml",
                    "engine: jruby\npatched_versions:\n- \">= 9.3.8.0\"\n",
                ),
                ("db/README.md", "# nothing"),
                ("db/.github/x.yml", "a: b"),
            ]),
        );
        insta::assert_snapshot!(text, @r"
        CVE-2022-23633 Exposure
          aliases: GHSA-wh98-p28r-vrc9 OSVDB-7
          links: https://a/
          days: 2022-02-11 -
          RubySec: 7.4 high
          RubyGems actionpack: [5.0.0..5.2.6.2) [5.3.a..7.0.2.2)
          RubyGems rails: [..)
        RubySec/jruby/x 
          Ruby jruby: [..9.3.8.0)
        ");
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_the_rest_is_read() {
        let text = told(
            read,
            "ruby.zip",
            &zipped(&[
                ("db/gems/a/1.yml", "gem: a\npatched_versions: 7"),
                ("db/gems/a/2.yml", "title: a"),
                ("db/gems/a/3.yml", "gem: a b"),
                ("db/gems/a/4.yml", "gem: a\nunaffected_versions: ['<= 1']"),
                (
                    "db/gems/a/5.yml",
                    "gem: a\nunaffected_versions: ['>= 0', '< 3']",
                ),
                (
                    "db/gems/a/6.yml",
                    "gem: a\ncve: what\npatched_versions: ['=> 1']",
                ),
                ("db/gems/a/7.yml", "gem: a\ngem: a"),
                ("db/gems/a/8.yml", "gem: a\ncve: x\ncvss_v3: 70.0"),
            ]),
        );
        insta::assert_snapshot!(text, @r"
        RubySec/a/4 
          RubyGems a: [1.0.0.1..)
        RubySec/a/8 
          RubyGems a: [..)
        refused db/gems/a/1.yml: not the YAML it should be: error: line 2 column 19: expected sequence start
        refused db/gems/a/2.yml: it names neither a gem nor an engine
        refused db/gems/a/3.yml: it names no package
        refused db/gems/a/5.yml: its requirements leave no version affected
        refused db/gems/a/6.yml: `=> 1` is not a requirement
        refused db/gems/a/7.yml: not the YAML it should be: error: line 2 column 1: duplicate mapping key: gem, set DuplicateKeyPolicy in Options if acceptable
        ");
    }

    #[test]
    fn the_shared_database_is_read() {
        let telling = ["CVE-2022-23633", "CVE-2022-25857"];
        let Some(said) = shared_lines("rubysec/database", &telling) else {
            return;
        };
        insta::assert_snapshot!(said, @r"
        rubysec/database: 1 parts, 1251 records, 1320 statements, 2 refused
        CVE-2022-23633 Possible exposure of information vulnerability in Action Pack
          aliases: GHSA-wh98-p28r-vrc9
          links: https://groups.google.com/g/ruby-security-ann/c/FkTM-_7zSNA/m/K2RiMJBlBAAJ
          days: 2022-02-11 -
          RubySec: 7.4 high
          RubyGems actionpack: [5.0.0..5.2.6.2) [5.3.a..6.0.4.6) [6.1.a..6.1.4.6) [6.2.a..7.0.2.2)
        CVE-2022-25857 CVE-2022-25857 jruby/psych/snakeyaml: Denial of Service (DoS) due missing to nested depth limitation for collections
          links: https://github.com/jruby/jruby/issues/7342
          days: 2022-02-24 -
          RubySec: 7.5 high
          Ruby jruby: [..9.3.8.0)
        refused ruby-advisory-db-master/gems/ckeditor/CVE-2021-32808.yml: its requirements leave no version affected
        refused ruby-advisory-db-master/gems/cron_parser/CVE-2019-15224.yml: its requirements leave no version affected
        ");
    }

    #[test]
    fn the_database_agrees_with_what_others_derived_from_it() {
        let Some(said) = agreement("rubysec/database", "RubyGems") else {
            return;
        };
        insta::assert_snapshot!(said, @r"
        1088 pairs, 2527 answers, 1 differ
        CVE-2011-4969 jquery-rails 1.0.16
        ");
    }

    #[test]
    fn a_damaged_archive_is_read_or_refused() {
        withstands_damage(read, "ruby.zip", &zipped(&[("db/gems/a/1.yml", RECORD)]));
    }
}
