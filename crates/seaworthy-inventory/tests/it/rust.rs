//! Lists of crates in executables, against the lists that were put there.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use seaworthy_testkit::{require, shared};

use crate::look::{lines, look, output};

/// A real program with a section that holds `json` as `cargo auditable` does.
fn program(folder: &Path, json: &str) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::new(7));
    encoder
        .write_all(json.as_bytes())
        .expect("memory takes any bytes");
    let (list, program) = (folder.join("list"), folder.join("program"));
    let compressed = encoder.finish().expect("memory takes any bytes");
    fs::write(&list, compressed).expect("the folder takes files");
    output(
        Command::new("objcopy")
            .arg("--add-section")
            .arg(format!(".dep-v0={}", list.display()))
            .arg("--set-section-flags")
            .arg(".dep-v0=alloc,readonly,data")
            .arg("/bin/true")
            .arg(&program),
    );
    fs::read(program).expect("objcopy made a program")
}

/// The list as we would tell it.
fn expected(json: &str) -> Vec<String> {
    let document: serde_json::Value = serde_json::from_str(json).expect("the fixture is JSON");
    let packages = document["packages"].as_array().expect("a list");
    packages
        .iter()
        .filter(|it| it["kind"] != "build")
        .filter(|it| it["source"] != "local" || it["root"] == true)
        .map(|it| {
            let text = |key: &str| it[key].as_str().expect("a text").to_owned();
            let guess = if it["source"] == "local" {
                " guessed"
            } else {
                ""
            };
            format!("{} {}{guess}", text("name"), text("version"))
        })
        .collect()
}

#[test]
fn lists_of_crates_are_read_from_executables() {
    if !require("objcopy") {
        return;
    }
    let Some(root) = shared() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let mut lists = 0;
    for maker in ["osv-scalibr", "trivy"] {
        let fixtures = root.join("fixtures/rust/cargo-auditable").join(maker);
        for file in fs::read_dir(fixtures).expect("fixtures") {
            let path = file.expect("a file").path();
            let json = fs::read_to_string(&path).expect("a list");
            let mut bytes = program(folder.path(), &json);
            let expected = expected(&json);
            assert!(!expected.is_empty());
            let found = lines(&look("rust", "bin/tool", &bytes));
            assert_eq!(found, expected, "{}", path.display());
            // Grown beyond what is held, the same program is searched.
            bytes.resize(17 << 20, 0x78);
            let found = lines(&look("rust", "bin/tool", &bytes));
            assert_eq!(found, expected, "{} in pieces", path.display());
            lists += 1;
        }
    }
    assert_eq!(lists, 6);
}

#[test]
fn a_program_without_a_list_says_nothing() {
    let bytes = fs::read("/proc/self/exe").expect("the program that runs this test");
    assert_eq!(lines(&look("rust", "bin/tool", &bytes)), [""; 0]);
    assert_eq!(lines(&look("go", "bin/tool", &bytes)), [""; 0]);
}
