//! `CycloneDX` against its official schema, with the validator that the
//! specification's own Python library ships.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use seaworthy_report::cyclonedx;
use seaworthy_testkit::require;
use serde_json::Value;

use crate::example::{Example, bare, blind, clean, failing, machine};
use crate::hostile::filled_with;

/// The library that carries the schema, exactly.
const LIBRARY: &str = "cyclonedx-python-lib[json-validation]==11.12.0";

/// Validates every file it is named and prints what is wrong with it.
const REFEREE: &str = "\
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
validator = JsonStrictValidator(SchemaVersion.V1_6)
for path in sys.argv[1:]:
    with open(path, encoding='utf-8') as file:
        problem = validator.validate_str(file.read())
    if problem:
        print(path, problem)
";

/// A Python that has the library, kept in the target folder.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cyclonedx-11.12.0");
    let python = folder.join("bin/python3");
    let ready = folder.join("ready");
    if !ready.is_file() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&folder));
        run(Command::new(&python).args(["-m", "pip", "install", "--quiet", LIBRARY]));
        fs::write(&ready, LIBRARY).unwrap();
    }
    python
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?} failed:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_official_schema_accepts_every_document() {
    if !require("python3") {
        return;
    }
    let attack = "\x1b[2J\u{202e}\"\\\n\u{0}</script>";
    let examples = [
        clean(),
        failing(),
        machine(),
        blind(),
        bare("nothing"),
        with_odd_links(),
        filled_with(failing(), attack),
        filled_with(machine(), ""),
    ];
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cyclonedx-documents");
    fs::create_dir_all(&folder).unwrap();
    let mut referee = Command::new(python());
    referee.args(["-c", REFEREE]);
    for (position, example) in examples.iter().enumerate() {
        let path = folder.join(format!("{position}.json"));
        fs::write(&path, cyclonedx(&example.assessed())).unwrap();
        referee.arg(path);
    }
    assert_eq!(run(&mut referee), "");
}

fn with_odd_links() -> Example {
    let mut example = failing();
    example.report.findings[0].references = [
        "https://example.org/a#b",
        "https://example.org/a b",
        "not a link",
        "https://exa mple.org/%zz",
        "",
    ]
    .map(Into::into)
    .into();
    example
}

fn document(example: &Example) -> Value {
    serde_json::from_str(&cyclonedx(&example.assessed())).unwrap()
}

#[test]
fn a_document_says_what_is_inside_and_what_is_known() {
    let document = document(&failing());
    insta::assert_json_snapshot!(document["components"][5], @r#"
    {
      "bom-ref": "package-4",
      "evidence": {
        "identity": [
          {
            "confidence": 1.0,
            "field": "purl",
            "methods": [
              {
                "confidence": 1.0,
                "technique": "manifest-analysis",
                "value": "app/shop.jar!/BOOT-INF/lib/log4j-core-2.14.1.jar"
              }
            ]
          }
        ],
        "occurrences": [
          {
            "location": "app/shop.jar!/BOOT-INF/lib/log4j-core-2.14.1.jar"
          }
        ]
      },
      "group": "org.apache.logging.log4j",
      "name": "log4j-core",
      "properties": [
        {
          "name": "seaworthy:type",
          "value": "maven"
        },
        {
          "name": "seaworthy:path",
          "value": "app/shop.jar!/BOOT-INF/lib/log4j-core-2.14.1.jar"
        },
        {
          "name": "seaworthy:layer",
          "value": "sha256:3232323232323232323232323232323232323232323232323232323232323232"
        }
      ],
      "purl": "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1",
      "type": "library",
      "version": "2.14.1"
    }
    "#);
    insta::assert_json_snapshot!(document["vulnerabilities"][1], @r#"
    {
      "advisories": [
        {
          "url": "https://nvd.nist.gov/vuln/detail/CVE-2021-44228"
        }
      ],
      "affects": [
        {
          "ref": "package-4",
          "versions": [
            {
              "status": "affected",
              "version": "2.14.1"
            }
          ]
        }
      ],
      "bom-ref": "vulnerability-1",
      "description": "JNDI lookups in logged text load and run code from elsewhere (Log4Shell)",
      "id": "CVE-2021-44228",
      "properties": [
        {
          "name": "seaworthy:severity",
          "value": "critical"
        },
        {
          "name": "seaworthy:fixed-in",
          "value": "2.15.0"
        },
        {
          "name": "seaworthy:kev:added",
          "value": "2021-12-10"
        },
        {
          "name": "seaworthy:kev:due",
          "value": "2021-12-24"
        },
        {
          "name": "seaworthy:kev:ransomware",
          "value": "true"
        },
        {
          "name": "seaworthy:epss:probability",
          "value": "0.975650"
        },
        {
          "name": "seaworthy:epss:percentile",
          "value": "0.999990"
        },
        {
          "name": "seaworthy:record",
          "value": "osv/Maven CVE-2021-44228"
        }
      ],
      "ratings": [
        {
          "method": "CVSSv31",
          "score": 10.0,
          "severity": "critical",
          "source": {
            "name": "GHSA"
          },
          "vector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"
        }
      ],
      "recommendation": "Upgrade org.apache.logging.log4j:log4j-core to 2.15.0 or later.",
      "references": [
        {
          "id": "GHSA-jfh8-c2jp-5v3q",
          "source": {
            "name": "GitHub Advisory Database"
          }
        }
      ],
      "source": {
        "name": "osv/Maven"
      }
    }
    "#);
}

#[test]
fn binaries_of_one_source_share_an_entry() {
    let document = document(&failing());
    let entries: Vec<(&str, usize)> = document["vulnerabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            (
                entry["id"].as_str().unwrap(),
                entry["affects"].as_array().unwrap().len(),
            )
        })
        .collect();
    assert_eq!(
        entries,
        [
            ("CVE-2010-4756", 2),
            ("CVE-2021-44228", 1),
            ("CVE-2021-45105", 1),
            ("CVE-2023-32681", 1),
            ("CVE-2023-4911", 2),
            ("CVE-2023-5363", 1),
            ("CVE-2026-11111", 1),
        ]
    );
}

#[test]
fn an_inventory_with_gaps_is_declared_incomplete() {
    assert_eq!(
        document(&machine())["compositions"][0]["aggregate"],
        "incomplete"
    );
    assert_eq!(
        document(&bare("nothing"))["compositions"][0]["aggregate"],
        "incomplete"
    );
    assert_eq!(document(&clean())["compositions"], Value::Null);
}

#[test]
fn equal_reports_have_equal_bytes_and_others_another_serial_number() {
    let (first, second) = (clean(), failing());
    assert_eq!(cyclonedx(&first.assessed()), cyclonedx(&clean().assessed()));
    assert_ne!(
        document(&first)["serialNumber"],
        document(&second)["serialNumber"]
    );
}
