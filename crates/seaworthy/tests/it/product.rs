//! Running the product, as a user would.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A user with a data folder of their own and an otherwise empty environment.
pub(crate) struct User {
    pub(crate) folder: TempDir,
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) talk: String,
}

impl User {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seaworthy"));
        command
            .env_clear()
            .env("SEAWORTHY_DATA", self.path("data"))
            .env("HOME", self.path("home"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        ended(&self.command().args(arguments).output().unwrap())
    }

    /// Runs with `input` on standard input.
    pub(crate) fn fed(&self, input: &[u8], arguments: &[&str]) -> Ended {
        let mut child = self
            .command()
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // The product may have read enough before the end.
            scope.spawn(move || {
                let _ = stdin.write_all(input);
            });
            ended(&child.wait_with_output().unwrap())
        })
    }

    /// Scans and reads the JSON document; says what went wrong otherwise.
    pub(crate) fn scan(&self, arguments: &[&str]) -> Value {
        let ended = self.run(&[&["scan", "--format", "json"], arguments].concat());
        assert!(ended.code != 2, "{}", ended.talk);
        serde_json::from_str(&ended.out).unwrap()
    }

    /// Compiles the edition of a small mirror and installs it.
    pub(crate) fn learn(&self, records: &[(&str, &str)]) {
        let mirror = self.path("mirror");
        write_mirror(&mirror, records);
        let ended = self.run(&["db", "build", "--from", mirror.to_str().unwrap()]);
        assert_eq!(ended.code, 0, "{}", ended.talk);
    }
}

fn ended(output: &Output) -> Ended {
    Ended {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        talk: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// A mirror with one record a line: ecosystem and OSV document.
pub(crate) fn write_mirror(mirror: &Path, records: &[(&str, &str)]) {
    let mut families: Vec<&str> = records.iter().map(|(family, _)| *family).collect();
    families.sort_unstable();
    families.dedup();
    for family in &families {
        let folder = mirror.join("osv").join(family);
        std::fs::create_dir_all(&folder).unwrap();
        let file = std::fs::File::create(folder.join("all.zip")).unwrap();
        let mut archive = zip::ZipWriter::new(file);
        for (at, (_, document)) in records.iter().filter(|(of, _)| of == family).enumerate() {
            let name = format!("{at}.json");
            archive
                .start_file(name, zip::write::SimpleFileOptions::default())
                .unwrap();
            archive.write_all(document.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
    }
    std::fs::write(mirror.join("osv/ecosystems.txt"), families.join("\n")).unwrap();
}

/// What a scan says of packages and vulnerabilities, without how it came by them:
/// the part that must be the same however an image is read.
pub(crate) fn findings(document: &Value) -> Vec<String> {
    let image = &document["images"][0];
    let mut lines: Vec<String> = image["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let package = usize::try_from(finding["package"].as_u64().unwrap()).unwrap();
            format!(
                "{} {} {} {}",
                image["packages"][package]["purl"].as_str().unwrap(),
                finding["vulnerability"].as_str().unwrap(),
                finding["severity"],
                finding["fix"],
            )
        })
        .collect();
    lines.sort();
    lines
}

/// `name version` of every package of a purl type, sorted.
pub(crate) fn packages(document: &Value, kind: &str) -> Vec<String> {
    let mut lines: Vec<String> = document["images"][0]["packages"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|package| package["type"] == kind)
        .map(|package| {
            let text = |field: &str| package[field].as_str().unwrap().to_owned();
            format!("{} {}", text("name"), text("version"))
        })
        .collect();
    lines.sort();
    lines.dedup();
    lines
}

/// Runs a real tool that must succeed, and gives what it said.
pub(crate) fn tool(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}
