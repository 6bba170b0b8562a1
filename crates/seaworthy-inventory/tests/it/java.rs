//! Java archives, made from fixtures and fetched from Maven Central, against the
//! coordinates they are known to have.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use seaworthy_testkit::{require, shared};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::look::{kept, lines, look, output};

fn zip(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer
            .start_file(name.as_str(), SimpleFileOptions::default())
            .expect("memory takes files");
        writer.write_all(bytes).expect("memory takes any bytes");
    }
    writer.finish().expect("memory takes files").into_inner()
}

/// The archive whose members lie in `folder`; folders called `x.jar.d` are
/// archives in it.
fn archive(folder: &Path) -> Vec<u8> {
    fn add(folder: &Path, prefix: &str, files: &mut Vec<(String, Vec<u8>)>) {
        let mut members: Vec<PathBuf> = fs::read_dir(folder)
            .expect("a folder")
            .map(|member| member.expect("a member").path())
            .collect();
        members.sort();
        for path in members {
            let name = path
                .file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            if name == "SHA1.txt" {
                continue;
            }
            let place = format!("{prefix}{name}");
            if let Some(place) = place.strip_suffix(".d").filter(|_| path.is_dir()) {
                files.push((place.to_owned(), archive(&path)));
            } else if path.is_dir() {
                add(&path, &format!("{place}/"), files);
            } else {
                files.push((place, fs::read(&path).expect("a file")));
            }
        }
    }
    let mut files = Vec::new();
    add(folder, "", &mut files);
    zip(&files)
}

#[test]
fn archives_of_applications_list_what_is_in_them() {
    let Some(root) = shared() else { return };
    let members = root.join("fixtures/java/jar-members");
    let check = |name: &str| {
        lines(&look(
            "java",
            name,
            &archive(&members.join(format!("{name}.d"))),
        ))
    };
    assert_eq!(
        check("example-java-app-maven-0.1.0.jar"),
        [
            "joda-time:joda-time 2.9.2",
            "org.anchore:example-java-app-maven 0.1.0"
        ]
    );
    assert_eq!(
        check("gradle.war"),
        [
            "org.apache.commons:commons-compress 1.19 in WEB-INF/lib/commons-compress-1.19.jar",
            "commons-dbcp:commons-dbcp 1.4 in WEB-INF/lib/commons-dbcp-1.4.jar",
            "commons-pool:commons-pool 1.6 in WEB-INF/lib/commons-pool-1.6.jar",
            "log4j:log4j 1.2.17 in WEB-INF/lib/log4j-1.2.17.jar",
        ]
    );
    assert_eq!(
        check("io.quarkus.gizmo.gizmo-1.1.jar"),
        [
            "io.quarkus.gizmo:gizmo 1.1",
            "log4j:log4j 1.2.16 in jars/log4j-1.2.16.jar",
            "log4j:log4j 1.2.17 in jars/log4j-1.2.17.jar",
        ]
    );
    assert_eq!(
        check("maven.war").first().map(String::as_str),
        Some("com.example:web-app 1.0-SNAPSHOT")
    );
    assert_eq!(check("maven.war").len(), 8);
    assert_eq!(
        check("guava-31.1-jre.jar"),
        ["com.google.guava:guava 31.1-jre"]
    );
    assert_eq!(check("test.par").len(), 2);
}

/// Manifests and properties of the archives of one large application. The two
/// say the same; without the properties it is a guess.
#[test]
fn a_guess_has_the_version_that_is_recorded() {
    let Some(root) = shared() else { return };
    let java = root.join("fixtures/java");
    let read = |folder: &str| -> BTreeMap<String, Vec<u8>> {
        fs::read_dir(java.join(folder))
            .expect("fixtures")
            .map(|file| file.expect("a file").path())
            .filter_map(|path| {
                let name = path.file_name()?.to_str()?.strip_suffix(".txt")?.to_owned();
                Some((name, fs::read(&path).expect("a file")))
            })
            .collect()
    };
    let (manifests, properties) = (read("claircore-manifest"), read("claircore-properties"));
    let (mut recorded, mut groups) = (0, 0);
    for (name, manifest) in &manifests {
        let class = ("A.class".to_owned(), Vec::new());
        let manifest = ("META-INF/MANIFEST.MF".to_owned(), manifest.clone());
        let guess = lines(&look("java", name, &zip(&[manifest.clone(), class])));
        let Some(properties) = properties.get(name) else {
            continue;
        };
        let path = "META-INF/maven/x/y/pom.properties".to_owned();
        let told = lines(&look(
            "java",
            name,
            &zip(&[manifest, (path, properties.clone())]),
        ));
        // What is recorded may be of something that was merged in.
        let [told] = &*told else {
            assert_eq!(name, "cassandra-driver-core-3.11.0-shaded.jar");
            continue;
        };
        let [guess] = &*guess else {
            panic!("{name}: {guess:?}");
        };
        let guess = guess.strip_suffix(" guessed").expect("a guess is marked");
        let artifact_of = |it: &str| it.rsplit(':').next().map(str::to_owned);
        assert_eq!(artifact_of(told), artifact_of(guess), "{name}");
        recorded += 1;
        groups += u32::from(told == guess);
    }
    assert!(recorded > 30, "{recorded}");
    assert!(groups * 2 > recorded, "{groups} groups of {recorded}");
}

/// Artifacts in Maven Central. Of the first ones the archive itself says what it
/// is; of the others it is put together.
const RECORDED: [&str; 4] = [
    "org.apache.logging.log4j:log4j-core:2.14.1",
    "org.apache.commons:commons-text:1.9",
    "com.fasterxml.jackson.core:jackson-databind:2.9.8",
    "commons-collections:commons-collections:3.2.1",
];
const GUESSED: [&str; 3] = [
    "org.springframework:spring-core:5.3.0",
    "org.apache.tomcat.embed:tomcat-embed-core:9.0.50",
    "org.bouncycastle:bcprov-jdk15on:1.68",
];

/// An archive that others were merged into, with some of them.
const MERGED: (&str, [&str; 2]) = (
    "org.apache.maven.surefire:surefire-shared-utils:3.0.0-M5",
    ["org.apache.commons:commons-lang3", "commons-io:commons-io"],
);

/// The folder with all of these, fetched by Maven if they are not there yet.
fn fetched() -> &'static Path {
    static FETCHED: OnceLock<PathBuf> = OnceLock::new();
    FETCHED.get_or_init(|| {
        let folder = kept("maven");
        let all = RECORDED.into_iter().chain(GUESSED).chain([MERGED.0]);
        if all.clone().all(|it| folder.join(file_name(it)).exists()) {
            return folder;
        }
        let dependencies: String = all
            .map(|it| {
                let mut parts = it.split(':');
                ["groupId", "artifactId", "version"]
                    .map(|key| format!("<{key}>{}</{key}>", parts.next().expect("three parts")))
                    .concat()
            })
            .map(|it| format!("<dependency>{it}</dependency>"))
            .collect::<Vec<_>>()
            .concat();
        let project = format!(
            "<project><modelVersion>4.0.0</modelVersion>\
             <groupId>test</groupId><artifactId>test</artifactId><version>1</version>\
             <dependencies>{dependencies}</dependencies></project>"
        );
        fs::write(folder.join("pom.xml"), project).expect("the folder takes files");
        output(
            Command::new("mvn")
                .args(["-q", "-B", "-DexcludeTransitive=true"])
                .arg(format!("-DoutputDirectory={}", folder.display()))
                .arg("org.apache.maven.plugins:maven-dependency-plugin:3.6.0:copy-dependencies")
                .current_dir(&folder),
        );
        folder
    })
}

fn file_name(coordinates: &str) -> String {
    let (id, version) = coordinates.rsplit_once(':').expect("three parts");
    let (_, artifact) = id.split_once(':').expect("three parts");
    format!("{artifact}-{version}.jar")
}

fn fetch(coordinates: &str) -> (String, Vec<u8>) {
    let name = file_name(coordinates);
    let bytes = fs::read(fetched().join(&name)).expect("Maven fetched it");
    (name, bytes)
}

#[test]
fn artifacts_of_maven_central_have_their_coordinates() {
    if !require("mvn") {
        return;
    }
    for (coordinates, mark) in RECORDED
        .map(|it| (it, ""))
        .into_iter()
        .chain(GUESSED.map(|it| (it, " guessed")))
    {
        let (name, bytes) = fetch(coordinates);
        let (id, version) = coordinates.rsplit_once(':').expect("three parts");
        let found = lines(&look("java", &name, &bytes));
        assert_eq!(found, [format!("{id} {version}{mark}")]);
    }
}

#[test]
fn an_artifact_with_others_merged_in_has_all_their_coordinates() {
    if !require("mvn") {
        return;
    }
    let (coordinates, merged) = MERGED;
    let (name, bytes) = fetch(coordinates);
    let found = lines(&look("java", &name, &bytes));
    let (id, _) = coordinates.rsplit_once(':').expect("three parts");
    for id in merged.into_iter().chain([id]) {
        assert!(
            found.iter().any(|it| it.starts_with(&format!("{id} "))),
            "{id} in {found:?}"
        );
    }
}
