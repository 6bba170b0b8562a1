//! The conformance vectors of the package URL specification.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use seaworthy_core::{Purl, PurlError};
use serde_json::Value;

/// Where we knowingly say something else than a vector: its kind of test and
/// its input, as printed by this test.
const DEVIATIONS: &[(&str, &str)] = &[
    // Keys of qualifiers are read in any case, as the specification asks elsewhere.
    ("parse", "pkg:gem/jruby-launcher@1.1.2?Platform=java"),
    (
        "parse",
        "pkg:Rpm/fedora/curl@7.50.3-1.fc25?Arch=i386&Distro=fedora-25",
    ),
    // Rules of single types that no feed of ours speaks of.
    (
        "parse",
        "pkg:chrome-extension/44444algnefjeiefhmpklpfiohadpglk",
    ),
    ("parse", "pkg:chrome-extension/dogs"),
    (
        "parse",
        "pkg:chrome-extension/dlpngalgnefjeiefhmpklpfiohadpglk@1.2.3.4.5",
    ),
    (
        "parse",
        "pkg:chrome-extension/dlpngalgnefjeiefhmpklpfiohadpglk@1.2.3-beta",
    ),
    ("parse", "pkg:cpan/LWP::UserAgent@6.7.6"),
    ("parse", "pkg:cpan/GDT/URI::PackageURL"),
    ("build", "cpan GDT URI::PackageURL - -"),
    ("parse", "pkg:cpan/URI::PackageURL"),
    ("build", "cpan - URI::PackageURL - -"),
    (
        "parse",
        "pkg:git/codeberg.org/forgejo/forgejo@a72d2c07cfca03b55371089de6aa230d8c951fa0",
    ),
    (
        "build",
        "git codeberg.org forgejo/forgejo a72d2c07cfca03b55371089de6aa230d8c951fa0 -",
    ),
    (
        "parse",
        "pkg:git/codeberg.org/forgejo/forgejo@a72d2c07cfca03b55371089de6aa230d8c951fa0#options/locale_readme.md",
    ),
    (
        "build",
        "git codeberg.org forgejo/forgejo a72d2c07cfca03b55371089de6aa230d8c951fa0 options/locale_readme.md",
    ),
    (
        "validate",
        "pkg:huggingface/EleutherAI/gpt-neo-1.3B@797174552AE47F449AB70B684CABCB6603E5E85E",
    ),
    (
        "parse",
        "pkg:huggingface/EleutherAI/gpt-neo-1.3B@797174552AE47F449AB70B684CABCB6603E5E85E",
    ),
    ("parse", "pkg:julia/Dates"),
    (
        "validate",
        "pkg:mlflow/CreditFraud@3?repository_url=https://adb-5245952564735461.0.azuredatabricks.net/api/2.0/mlflow",
    ),
    (
        "parse",
        "pkg:mlflow/CreditFraud@3?repository_url=https://adb-5245952564735461.0.azuredatabricks.net/api/2.0/mlflow",
    ),
];

#[test]
fn package_urls_conform_to_the_specification() {
    let Some(root) = seaworthy_testkit::shared() else {
        return;
    };
    let mut files: Vec<PathBuf> = ["spec", "types"]
        .iter()
        .flat_map(|folder| fs::read_dir(root.join("fixtures/purl").join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let known: BTreeSet<(String, String)> = DEVIATIONS
        .iter()
        .map(|(kind, input)| ((*kind).to_owned(), (*input).to_owned()))
        .collect();
    let mut met = BTreeSet::new();
    let mut unexpected = Vec::new();
    let mut count = 0;
    for file in files {
        let vectors: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        for vector in vectors["tests"].as_array().unwrap() {
            count += 1;
            let fails = vector["expected_failure"] == true;
            let ours = answer(vector);
            let agrees = match &ours {
                Ok(ours) => !fails && *ours == wanted(vector),
                Err(_) => fails,
            };
            if agrees {
                continue;
            }
            let kind = vector["test_type"].as_str().unwrap().to_owned();
            let input = match vector["input"].as_str() {
                Some(text) => text.to_owned(),
                None => parts(&vector["input"]).join(" "),
            };
            let line = format!("(\"{kind}\", \"{input}\"), // {ours:?}");
            if known.contains(&(kind.clone(), input.clone())) {
                met.insert((kind, input));
            } else {
                unexpected.push(line);
            }
        }
    }
    assert!(unexpected.is_empty(), "{}", unexpected.join("\n"));
    assert_eq!(met, known, "a deviation is no longer one");
    assert!(count > 500, "only {count} vectors");
}

/// What we make of a vector: the canonical text, or for `parse` the parts.
fn answer(vector: &Value) -> Result<Vec<String>, PurlError> {
    let input = &vector["input"];
    let purl: Purl = if let Some(text) = input.as_str() {
        text.parse()?
    } else {
        let text = |key: &str| input[key].as_str();
        let mut purl = Purl::of(
            text("type").unwrap_or_default(),
            text("namespace"),
            text("name").unwrap_or_default(),
        )?
        .with_version(text("version").unwrap_or_default())
        .with_subpath(text("subpath").unwrap_or_default());
        for (key, value) in input["qualifiers"].as_object().into_iter().flatten() {
            purl = purl.with_qualifier(key, value.as_str().unwrap())?;
        }
        purl
    };
    if vector["test_type"] != "parse" {
        return Ok(vec![purl.to_string()]);
    }
    let optional = |text: Option<&str>| text.unwrap_or("-").to_owned();
    let mut parts = vec![
        purl.kind().to_owned(),
        optional(purl.namespace()),
        purl.name().to_owned(),
        optional(purl.version()),
        optional(purl.subpath()),
    ];
    let mut qualifiers: Vec<String> = purl
        .qualifiers()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    qualifiers.sort();
    parts.extend(qualifiers);
    Ok(parts)
}

fn wanted(vector: &Value) -> Vec<String> {
    match vector["expected_output"].as_str() {
        Some(text) => vec![text.to_owned()],
        None => parts(&vector["expected_output"]),
    }
}

fn parts(of: &Value) -> Vec<String> {
    let mut parts: Vec<String> = ["type", "namespace", "name", "version", "subpath"]
        .iter()
        .map(|key| of[key].as_str().unwrap_or("-").to_owned())
        .collect();
    let mut qualifiers: Vec<String> = of["qualifiers"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap()))
        .collect();
    qualifiers.sort();
    parts.extend(qualifiers);
    parts
}
