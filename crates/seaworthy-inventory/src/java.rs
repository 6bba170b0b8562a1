//! Java: archives (`jar`, `war`, `ear` and their kin), and those inside them.
//!
//! What an archive says of itself is taken in this order: `pom.properties` that
//! Maven left in it (several of them where other artifacts were merged in: all
//! count); or else its manifest and its file name together, which is a guess and
//! marked so. Names are `group:artifact`; where the group is not known, the
//! artifact alone.
//!
//! An archive is an attacker's file. Every archive, and everything inside it
//! together, has a ceiling of entries, of inflated bytes, and of bytes held at
//! once; nesting ends at a fixed depth. What exceeds one is a gap, so an archive
//! that holds itself costs its own findings only.
//!
//! Deliberately absent: `pom.xml` beyond the path it lies at, names of classes,
//! and checksums of known archives, which would need a network.

mod archive;
mod coordinates;
mod file_name;
mod known;
mod manifest;
mod properties;

use std::collections::BTreeSet;

use seaworthy_core::PackageType;
use seaworthy_image::FileFacts;

use crate::probe::Probe;
use crate::record::{FileRecord, PackageRecord};

use archive::{Archive, Entry};
use coordinates::{Coordinates, Evidence, Identity};
use manifest::Manifest;
use properties::Pom;

/// The largest archive read, in bytes. It is held whole, for its directory is at
/// its end.
const LIMIT: u64 = 256 << 20;

/// How deep archives are opened: the file, and this many within one another.
const MAX_DEPTH: usize = 5;

/// The most entries of an archive and all archives in it together.
const MAX_ENTRIES: usize = 200_000;

/// The most bytes inflated for an archive and all archives in it together.
const MAX_INFLATED: usize = 1 << 30;

/// The most bytes of inflated archives held at once, one within another.
const MAX_HELD: usize = 128 << 20;

/// The largest manifest, in bytes. That of a signed archive has some lines for
/// every class.
const MAX_MANIFEST: usize = 16 << 20;

/// The largest properties file, in bytes. They have five lines.
const MAX_PROPERTIES: usize = 64 << 10;

/// The most properties files of one archive.
const MAX_POMS: usize = 2_000;

/// The longest name of a file that is taken apart, in bytes, which is the
/// longest that file systems have.
const MAX_NAME: usize = 255;

/// The longest place of an archive in others, in bytes.
const MAX_PLACE: usize = 4096;

/// Extensions of archives, in lower case.
const EXTENSIONS: [&str; 10] = [
    "jar", "war", "ear", "jpi", "hpi", "par", "nar", "aar", "sar", "kar",
];

/// Reads Java archives.
pub(crate) struct Java;

impl Probe for Java {
    fn name(&self) -> &'static str {
        "java"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &FileFacts<'_>) -> bool {
        // An empty file is no archive to anybody; it is a placeholder.
        file.size > 0 && is_archive(file.name())
    }

    fn limit(&self) -> u64 {
        LIMIT
    }

    fn read(&self, file: &FileFacts<'_>, bytes: &[u8], found: &mut FileRecord) {
        let mut walk = Walk {
            entries_left: MAX_ENTRIES,
            inflated_left: MAX_INFLATED,
            held_left: MAX_HELD,
            found,
        };
        walk.archive(bytes, file.name(), "", 0);
    }
}

fn is_archive(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, extension)| {
        EXTENSIONS
            .iter()
            .any(|it| extension.eq_ignore_ascii_case(it))
    })
}

/// A name as text. What terminals act upon is no part of a name.
fn plain(name: &[u8]) -> String {
    String::from_utf8_lossy(name).replace(char::is_control, "\u{fffd}")
}

/// What an archive says of itself, and the archives in it.
#[derive(Default)]
struct Contents<'a> {
    poms: BTreeSet<Pom>,
    /// Group and artifact of each `pom.xml`, by its path.
    bare_poms: Vec<(String, String)>,
    manifest: Manifest,
    has_classes: bool,
    nested: Vec<&'a Entry<'a>>,
}

/// One file being read, with what may still be spent on it.
struct Walk<'f> {
    entries_left: usize,
    inflated_left: usize,
    held_left: usize,
    found: &'f mut FileRecord,
}

impl Walk<'_> {
    /// Reads an archive called `name`, which lies at `inside` in the file.
    fn archive(&mut self, bytes: &[u8], name: &str, inside: &str, depth: usize) {
        let archive = match Archive::open(bytes, self.entries_left) {
            Ok(archive) => archive,
            Err(why) => return self.trouble(inside, &why.to_string()),
        };
        self.entries_left -= archive.entries().len();
        let mut contents = Contents::default();
        for entry in archive.entries() {
            self.sort(&archive, entry, inside, &mut contents);
        }
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let evidence = Evidence {
            stem: Some(stem).filter(|it| it.len() <= MAX_NAME).unwrap_or(""),
            poms: &contents.poms,
            bare_poms: &contents.bare_poms,
            manifest: &contents.manifest,
        };
        match coordinates::of(&evidence) {
            Identity::Recorded => {}
            Identity::Guessed(guess) => self.package(&guess, true, inside),
            Identity::Unresolved(version) => {
                self.trouble(inside, &format!("its version was left as `{version}`"));
            }
            // A program that is started, or a shell around other archives, is
            // the image's own; a library without a name may be anybody's.
            Identity::Nameless => {
                if contents.has_classes
                    && !contents.manifest.is_program()
                    && contents.nested.is_empty()
                {
                    self.trouble(
                        inside,
                        "a library that says neither its name nor its version",
                    );
                }
            }
        }
        for pom in &contents.poms {
            if pom.version.contains("${") {
                let why = format!(
                    "the version of `{}:{}` was left as `{}`",
                    pom.group, pom.artifact, pom.version
                );
                self.trouble(inside, &why);
            } else {
                let coordinates = Coordinates {
                    group: Some(pom.group.clone()),
                    artifact: pom.artifact.clone(),
                    version: pom.version.clone(),
                };
                self.package(&coordinates, false, inside);
            }
        }
        for entry in contents.nested {
            self.nested(&archive, entry, inside, depth);
        }
    }

    /// Takes from an entry what says something of its archive.
    fn sort<'a>(
        &mut self,
        archive: &Archive<'_>,
        entry: &'a Entry<'a>,
        inside: &str,
        contents: &mut Contents<'a>,
    ) {
        if entry.name.ends_with(b".class") {
            contents.has_classes = true;
            return;
        }
        let name = plain(entry.name);
        if is_archive(&name) {
            if entry.size > 0 {
                contents.nested.push(entry);
            }
        } else if name.eq_ignore_ascii_case("META-INF/MANIFEST.MF") {
            if let Some(text) = self.document(archive, entry, inside, MAX_MANIFEST) {
                contents.manifest = Manifest::parse(&text);
            }
        } else if let Some(place) = properties::place(&name) {
            if !place.is_properties {
                contents.bare_poms.push((place.group, place.artifact));
            } else if contents.poms.len() == MAX_POMS {
                self.trouble(
                    inside,
                    &format!("more than {MAX_POMS} artifacts merged into one"),
                );
            } else if let Some(text) = self.document(archive, entry, inside, MAX_PROPERTIES) {
                match Pom::parse(&text, &place) {
                    Some(pom) => drop(contents.poms.insert(pom)),
                    None => self.trouble(inside, &format!("`{name}` has no version")),
                }
            }
        }
    }

    fn document(
        &mut self,
        archive: &Archive<'_>,
        entry: &Entry<'_>,
        inside: &str,
        limit: usize,
    ) -> Option<String> {
        match archive.read(entry, limit.min(self.inflated_left)) {
            Ok(bytes) => {
                self.inflated_left -= bytes.inflated();
                Some(String::from_utf8_lossy(bytes.as_ref()).into_owned())
            }
            Err(why) => {
                self.trouble(inside, &format!("`{}`: {why}", plain(entry.name)));
                None
            }
        }
    }

    fn nested(&mut self, archive: &Archive<'_>, entry: &Entry<'_>, inside: &str, depth: usize) {
        let name = plain(entry.name);
        let place = if inside.is_empty() {
            name.clone()
        } else {
            format!("{inside}!/{name}")
        };
        if place.len() > MAX_PLACE {
            return self.trouble(inside, "an archive whose name is too long");
        }
        if depth == MAX_DEPTH {
            return self.trouble(&place, &format!("more than {MAX_DEPTH} archives deep"));
        }
        let limit = self.held_left.min(self.inflated_left);
        let bytes = match archive.read(entry, limit) {
            Ok(bytes) => bytes,
            Err(why) => return self.trouble(&place, &why.to_string()),
        };
        // What is stored plain is read where it lies.
        let held = bytes.inflated();
        self.inflated_left -= held;
        self.held_left -= held;
        let file = name.rsplit('/').next().unwrap_or(&name);
        self.archive(bytes.as_ref(), file, &place, depth + 1);
        self.held_left += held;
    }

    fn package(&mut self, coordinates: &Coordinates, guessed: bool, inside: &str) {
        self.found.package(PackageRecord {
            guessed,
            inside: inside.to_owned(),
            ..PackageRecord::recorded(
                &PackageType::Maven,
                &coordinates.name(),
                &coordinates.version,
            )
        });
    }

    fn trouble(&mut self, inside: &str, why: &str) {
        if inside.is_empty() {
            self.found.gap(why);
        } else {
            self.found.gap(format!("`{inside}`: {why}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::archive::tests::zip;
    use super::*;
    use crate::trial::read;

    const POM: &[u8] = b"groupId=org.a\nartifactId=b\nversion=1.0\n";
    const POM_PATH: &str = "META-INF/maven/org.a/b/pom.properties";
    const MANIFEST: &str = "META-INF/MANIFEST.MF";

    fn library() -> Vec<u8> {
        zip(&[(POM_PATH, POM), ("org/a/B.class", b"code")])
    }

    #[test]
    fn archives_are_wanted_by_their_name() {
        let wants = |path, size| {
            Java.wants(&FileFacts {
                path,
                mode: 0o644,
                size,
            })
        };
        assert!(wants("app/a.jar", 1) && wants("app/A.WAR", 1) && wants("x.hpi", 1));
        assert!(!wants("app/a.jar", 0));
        assert!(!wants("app/a.zip", 1) && !wants("jar", 1) && !wants("a.jar/b", 1));
    }

    #[test]
    fn everything_merged_into_one_archive_is_listed() {
        let other: &[u8] = b"groupId=org.c\nartifactId=d\nversion=2\n";
        let bytes = zip(&[
            (POM_PATH, POM),
            ("META-INF/maven/org.c/d/pom.properties", other),
            ("META-INF/maven/org.c/d/pom.xml", b"<project/>"),
            (MANIFEST, b"Implementation-Version: 9\n"),
        ]);
        assert_snapshot!(read(&Java, "app/renamed.jar", &bytes), @"
        org.a:b 1.0
        org.c:d 2
        ");
        assert_snapshot!(read(&Java, "app/some-3.jar", &bytes), @"
        some 3 guessed
        org.a:b 1.0
        org.c:d 2
        ");
    }

    #[test]
    fn archives_in_archives_have_their_place() {
        let inner = library();
        let middle = zip(&[("lib/b-1.0.jar", &inner), ("deflated.war", &library())]);
        let outer = zip(&[
            ("BOOT-INF/lib/middle.jar", &middle),
            (
                "BOOT-INF/lib/spring-core-5.3.0.jar",
                &zip(&[(MANIFEST, b"")]),
            ),
            (MANIFEST, b"Start-Class: a.B\n"),
            ("a/B.class", b""),
            ("empty.jar", b""),
        ]);
        assert_snapshot!(read(&Java, "app.jar", &outer), @"
        org.a:b 1.0 in BOOT-INF/lib/middle.jar!/lib/b-1.0.jar
        org.a:b 1.0 in BOOT-INF/lib/middle.jar!/deflated.war
        org.springframework:spring-core 5.3.0 guessed in BOOT-INF/lib/spring-core-5.3.0.jar
        ");
    }

    #[test]
    fn what_cannot_be_read_is_a_gap_and_the_rest_is_read() {
        let bytes = zip(&[
            ("lib/broken.jar", b"nothing"),
            ("META-INF/maven/g/a/pom.properties", b"version=${revision}"),
            ("META-INF/maven/g/b/pom.properties", b""),
            (POM_PATH, POM),
        ]);
        assert_snapshot!(read(&Java, "app.jar", &bytes), @"
        org.a:b 1.0
        gap: `META-INF/maven/g/b/pom.properties` has no version
        gap: the version of `g:a` was left as `${revision}`
        gap: `lib/broken.jar`: not an archive, or one without its end
        ");
        assert_snapshot!(read(&Java, "app.jar", b"#!/bin/sh"), @"gap: not an archive, or one without its end");
    }

    #[test]
    fn a_library_without_a_name_is_a_gap_and_a_program_is_not() {
        let class: (&str, &[u8]) = ("a/B.class", b"code");
        let with = |manifest: &'static [u8]| zip(&[class, (MANIFEST, manifest)]);
        assert_snapshot!(read(&Java, "lib.jar", zip(&[class])), @"gap: a library that says neither its name nor its version");
        assert_snapshot!(read(&Java, "app.jar", with(b"Main-Class: a.B\n")), @"");
        assert_snapshot!(read(&Java, "data.jar", zip(&[("text", b"")])), @"");
        assert_snapshot!(read(&Java, "lib.jar", with(b"Bundle-Version: ${v}\n")), @"gap: its version was left as `${v}`");
    }

    #[test]
    fn nesting_ends() {
        let mut bytes = library();
        for _ in 0..MAX_DEPTH {
            bytes = zip(&[("a.jar", &bytes)]);
        }
        assert_snapshot!(read(&Java, "a.jar", &bytes), @"org.a:b 1.0 in a.jar!/a.jar!/a.jar!/a.jar!/a.jar");
        bytes = zip(&[("a.jar", &bytes)]);
        assert_snapshot!(read(&Java, "a.jar", &bytes), @"gap: `a.jar!/a.jar!/a.jar!/a.jar!/a.jar!/a.jar`: more than 5 archives deep");
    }

    #[test]
    fn what_may_be_spent_on_a_file_is_spent_once() {
        let one = zip(&[("x.war", &library()), ("y.war", &library())]);
        let spend = |entries_left, inflated_left, held_left| {
            let mut found = FileRecord::default();
            let mut walk = Walk {
                entries_left,
                inflated_left,
                held_left,
                found: &mut found,
            };
            walk.archive(&one, "one.ear", "", 0);
            (found.packages.len(), found.gaps.join("; "))
        };
        let size = library().len();
        assert_eq!(spend(6, 1 << 20, size), (2, String::new()));
        assert_eq!(
            spend(5, 1 << 20, size),
            (1, "`y.war`: more than 1 entries".to_owned())
        );
        let too_much = format!("inflates to {size} bytes, of which");
        for (inflated, held) in [(2 * size, size), (1 << 20, size - 1)] {
            let (_, gaps) = spend(6, inflated, held);
            assert!(gaps.contains(&too_much), "{gaps}");
        }
    }

    #[test]
    fn a_bomb_is_a_gap() {
        let bomb = zip(&[("huge.war", &vec![0; MAX_HELD + 1]), (POM_PATH, POM)]);
        assert!(bomb.len() < 1 << 20);
        assert_snapshot!(read(&Java, "a.jar", &bomb), @"
        org.a:b 1.0
        gap: `huge.war`: inflates to 134217729 bytes, of which 134217728 are allowed
        ");
    }

    #[test]
    fn names_do_not_reach_terminals_as_commands() {
        let bytes = zip(&[("\u{1b}[2J.jar", &library())]);
        assert_eq!(
            read(&Java, "a.jar", &bytes),
            "org.a:b 1.0 in \u{fffd}[2J.jar\n"
        );
    }

    proptest! {
        #[test]
        fn damage_never_panics(
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let mut bytes = zip(&[
                ("b-1.0.jar", &library()),
                ("c.war", &library()),
                (MANIFEST, b"a: b\n"),
            ]);
            for (at, value) in damage {
                let at = at.index(bytes.len());
                bytes[at] = value;
            }
            read(&Java, "a.jar", bytes);
        }

        #[test]
        fn any_manifest_and_name_never_panic(
            manifest in "([A-Z][a-z]+-Version|Bundle-SymbolicName|: |\n|.){0,20}",
            name in "[a-z0-9._-]{1,20}",
        ) {
            let bytes = zip(&[(MANIFEST, manifest.as_bytes()), ("A.class", b"")]);
            read(&Java, &format!("{name}.jar"), bytes);
        }
    }
}
