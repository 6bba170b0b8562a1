//! What an archive is, from everything that speaks of it.

use std::collections::BTreeSet;

use super::file_name;
use super::known;
use super::manifest::Manifest;
use super::properties::Pom;

/// Maven coordinates, as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Coordinates {
    pub(super) group: Option<String>,
    pub(super) artifact: String,
    pub(super) version: String,
}

impl Coordinates {
    /// The name as advisories spell it.
    pub(super) fn name(&self) -> String {
        match &self.group {
            Some(group) => format!("{group}:{}", self.artifact),
            None => self.artifact.clone(),
        }
    }
}

/// Everything that speaks of one archive.
#[derive(Clone, Copy)]
pub(super) struct Evidence<'a> {
    /// Its file name without extension.
    pub(super) stem: &'a str,
    pub(super) poms: &'a BTreeSet<Pom>,
    /// Group and artifact of each `pom.xml` in it.
    pub(super) bare_poms: &'a [(String, String)],
    pub(super) manifest: &'a Manifest,
}

/// What an archive itself is, apart from what was merged into it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// One of its `pom.properties`.
    Recorded,
    Guessed(Coordinates),
    /// It would have this version, which is a placeholder.
    Unresolved(String),
    /// Nothing says a version.
    Nameless,
}

/// Says what an archive is.
pub(super) fn of(evidence: &Evidence<'_>) -> Identity {
    let (artifact, version_in_name) = file_name::split(evidence.stem);
    // One artifact of several is the archive's own when the file is called after
    // it. A file that was renamed says nothing against what is recorded.
    let is_recorded = match version_in_name {
        Some(_) => evidence
            .poms
            .iter()
            .any(|pom| evidence.stem.contains(&*pom.artifact)),
        None => !evidence.poms.is_empty(),
    };
    if is_recorded {
        return Identity::Recorded;
    }
    let manifest = evidence.manifest;
    let version = match version_in_name {
        Some(version) => without_classifier(version, manifest),
        None => match versions(manifest).find(|it| is_version(it)) {
            Some(version) => version,
            None => {
                return match versions(manifest).find(|it| it.contains("${")) {
                    Some(version) => Identity::Unresolved(version.to_owned()),
                    None => Identity::Nameless,
                };
            }
        },
    };
    let artifact = match version_in_name {
        Some(_) => artifact,
        None => title(manifest).unwrap_or(artifact),
    };
    Identity::Guessed(coordinates(artifact, version, evidence))
}

/// Versions in a manifest, the most telling first.
fn versions(manifest: &Manifest) -> impl Iterator<Item = &str> {
    [
        "Plugin-Version",
        "Implementation-Version",
        "Bundle-Version",
        "Specification-Version",
    ]
    .into_iter()
    .filter_map(|key| manifest.value(key))
    // Some builds append the commit or the date.
    .filter_map(|version| version.split_whitespace().next())
}

fn is_version(text: &str) -> bool {
    text.contains(|it: char| it.is_ascii_digit()) && !text.contains("${")
}

/// The version in a file name, without what may follow it: where the manifest
/// has the same but for a word behind it, that word is a classifier, unless it
/// is one that tells releases of a version apart.
fn without_classifier<'a>(in_name: &'a str, manifest: &'a Manifest) -> &'a str {
    versions(manifest)
        .find(|version| {
            let rest = in_name.strip_prefix(*version);
            let word = rest
                .and_then(|rest| rest.strip_prefix('-'))
                .and_then(|rest| rest.split('-').next());
            word.is_some_and(|word| {
                word.starts_with(|it: char| it.is_ascii_alphabetic())
                    && !file_name::is_qualifier(word)
            })
        })
        .unwrap_or(in_name)
}

/// What a manifest calls the artifact, for a file that may have been renamed.
fn title(manifest: &Manifest) -> Option<&str> {
    let is_artifact = |text: &&str| {
        let is_plain =
            |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || "-_.".contains(it);
        text.chars().all(is_plain) && text.contains('-')
    };
    manifest
        .value("Short-Name")
        .or_else(|| manifest.value("Implementation-Title").filter(is_artifact))
}

fn coordinates(artifact: &str, version: &str, evidence: &Evidence<'_>) -> Coordinates {
    let manifest = evidence.manifest;
    let of = |group: &str, artifact: &str| Coordinates {
        group: Some(group.to_owned()),
        artifact: artifact.to_owned(),
        version: version.to_owned(),
    };
    let bare = evidence.bare_poms.iter().find(|(_, it)| it == artifact);
    if let Some((group, artifact)) = bare {
        return of(group, artifact);
    }
    if let Some((group, artifact)) = known::lookup(artifact, version) {
        return of(group, artifact);
    }
    // Some tools name files `group.artifact-version`.
    let mut dots = artifact.match_indices('.').filter_map(|(at, _)| {
        let (group, rest) = artifact.split_at_checked(at)?;
        let rest = rest.strip_prefix('.')?;
        known::lookup(rest, version).filter(|(it, _)| *it == group)
    });
    if let Some((group, artifact)) = dots.next() {
        return of(group, artifact);
    }
    let group = manifest
        .value("Group-Id")
        .or_else(|| parent(manifest.symbolic_name()?, artifact, Last::Equal))
        .or_else(|| manifest.value("Implementation-Vendor-Id"))
        .or_else(|| parent(manifest.symbolic_name()?, artifact, Last::Similar))
        .or_else(|| {
            parent(
                manifest.value("Automatic-Module-Name")?,
                artifact,
                Last::Similar,
            )
        })
        .filter(|group| is_group(group));
    Coordinates {
        group: group.map(str::to_owned),
        artifact: artifact.to_owned(),
        version: version.to_owned(),
    }
}

/// How the last part of a dotted name stands to the artifact.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    /// `org.apache.httpcomponents.httpclient` and `httpclient`.
    Equal,
    /// `org.apache.commons.lang3` and `commons-lang3`.
    Similar,
}

/// The dotted name without its last part, if that part names the artifact.
fn parent<'a>(name: &'a str, artifact: &str, how: Last) -> Option<&'a str> {
    match how {
        Last::Equal => name.strip_suffix(artifact)?.strip_suffix('.'),
        Last::Similar => {
            let (parent, last) = name.rsplit_once('.')?;
            let dashed = artifact.replace(['_', '.'], "-");
            dashed.ends_with(&format!("-{last}")).then_some(parent)
        }
    }
}

fn is_group(text: &str) -> bool {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_.".contains(it);
    text.chars().all(is_plain)
        && text.split('.').count() >= 2
        && text.split('.').all(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stem: &str, manifest: &str) -> String {
        let manifest = Manifest::parse(manifest);
        let evidence = Evidence {
            stem,
            poms: &BTreeSet::new(),
            bare_poms: &[("org.bare".to_owned(), "bare".to_owned())],
            manifest: &manifest,
        };
        match of(&evidence) {
            Identity::Guessed(it) => format!("{} {}", it.name(), it.version),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn manifest_and_file_name_are_put_together() {
        for (stem, manifest, expected) in [
            (
                "spring-core-5.3.0",
                "Implementation-Version: 5.3.0",
                "org.springframework:spring-core 5.3.0",
            ),
            (
                "log4j-core-2.14.1",
                "",
                "org.apache.logging.log4j:log4j-core 2.14.1",
            ),
            (
                "httpmime-4.5",
                "Bundle-SymbolicName: org.apache.httpcomponents.httpmime",
                "org.apache.httpcomponents:httpmime 4.5",
            ),
            (
                "commons-rng-1.3",
                "Bundle-SymbolicName: org.apache.commons.rng",
                "org.apache.commons:commons-rng 1.3",
            ),
            (
                "thing-1.3",
                "Implementation-Vendor-Id: org.example",
                "org.example:thing 1.3",
            ),
            (
                "thing-1.3",
                "Implementation-Vendor-Id: Example Inc.",
                "thing 1.3",
            ),
            (
                "thing-1.3",
                "Automatic-Module-Name: org.example.thing",
                "thing 1.3",
            ),
            (
                "the-thing-1.3",
                "Automatic-Module-Name: org.example.thing",
                "org.example:the-thing 1.3",
            ),
            ("thing-1.3-all", "Implementation-Version: 1.3", "thing 1.3"),
            (
                "guava-31.1-jre",
                "Implementation-Version: 31.1",
                "com.google.guava:guava 31.1-jre",
            ),
            (
                "catalina",
                "Implementation-Title: Apache Tomcat\nImplementation-Version: 9.0.50",
                "org.apache.tomcat:tomcat-catalina 9.0.50",
            ),
            ("rt", "Implementation-Version: 1.8.0_292", "rt 1.8.0_292"),
            (
                "app",
                "Implementation-Title: my-service\nImplementation-Version: 2.0 (abc)",
                "my-service 2.0",
            ),
            (
                "git",
                "Group-Id: org.jenkins-ci.plugins\nShort-Name: git\nPlugin-Version: 4.0.0",
                "org.jenkins-ci.plugins:git 4.0.0",
            ),
            (
                "org.jetbrains.kotlin.kotlin-stdlib-1.9.0",
                "",
                "org.jetbrains.kotlin:kotlin-stdlib 1.9.0",
            ),
            (
                "bare-2",
                "Implementation-Vendor-Id: org.example",
                "org.bare:bare 2",
            ),
            (
                "app",
                "Implementation-Version: ${project.version}",
                "Unresolved(\"${project.version}\")",
            ),
            ("app", "Implementation-Version: unspecified", "Nameless"),
            ("app", "", "Nameless"),
        ] {
            assert_eq!(check(stem, manifest), expected, "{stem} {manifest}");
        }
    }

    #[test]
    fn what_is_recorded_is_not_guessed_again() {
        let pom = |artifact: &str| Pom {
            group: "g".to_owned(),
            artifact: artifact.to_owned(),
            version: "1".to_owned(),
        };
        let check = |stem, poms: &[Pom]| {
            let poms = poms.iter().cloned().collect();
            of(&Evidence {
                stem,
                poms: &poms,
                bare_poms: &[],
                manifest: &Manifest::default(),
            })
        };
        assert_eq!(check("a-1", &[pom("b"), pom("a")]), Identity::Recorded);
        assert_eq!(check("g.a-1-shaded", &[pom("a")]), Identity::Recorded);
        assert_eq!(check("renamed", &[pom("b")]), Identity::Recorded);
        assert!(matches!(
            check("own-1", &[pom("bystander")]),
            Identity::Guessed(_)
        ));
    }
}
