//! Our own JSON: held to its published schema, and readable for ever.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use seaworthy_report::{Assessed, ReadError, json, read_v1, v1};
use serde_json::Value;

use crate::example::{Example, bare, blind, clean, failing, machine};

fn folder(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

fn schema() -> Value {
    let text = fs::read(folder("../../docs/schema/report-v1.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn validator() -> Validator {
    jsonschema::draft202012::new(&schema()).unwrap()
}

fn examples() -> [Example; 5] {
    [clean(), failing(), machine(), blind(), bare("nothing")]
}

fn document(examples: &[Example]) -> String {
    let images: Vec<_> = examples.iter().map(Example::assessed).collect();
    text_of(&images)
}

fn text_of(images: &[Assessed<'_>]) -> String {
    let mut bytes = Vec::new();
    json(images, &mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_document_follows_the_published_schema() {
    let validator = validator();
    let together = examples();
    for examples in together.chunks(1).chain([&together[..], &[]]) {
        let value: Value = serde_json::from_str(&document(examples)).unwrap();
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| format!("{}: {error}", error.instance_path()))
            .collect();
        assert!(errors.is_empty(), "{errors:#?}");
    }
}

/// A field that the schema does not describe, or one that it demands and we do
/// not write, must not slip in.
#[test]
fn the_schema_notices_every_field_that_is_added_or_missing() {
    let validator = validator();
    let value: Value = serde_json::from_str(&document(&[failing(), blind()])).unwrap();
    let mut objects = Vec::new();
    pointers(&value, String::new(), &mut objects);
    assert!(objects.len() > 40, "{}", objects.len());
    for pointer in objects {
        let mut added = value.clone();
        let object = added
            .pointer_mut(&pointer)
            .unwrap()
            .as_object_mut()
            .unwrap();
        object.insert("something_new".into(), Value::Null);
        assert!(!validator.is_valid(&added), "added to {pointer:?}");
        let fields = value.pointer(&pointer).unwrap().as_object().unwrap();
        for field in fields.keys() {
            let mut removed = value.clone();
            let object = removed.pointer_mut(&pointer).unwrap();
            object.as_object_mut().unwrap().remove(field);
            assert!(!validator.is_valid(&removed), "{field} of {pointer:?}");
        }
    }
}

/// Where the first object of every list is, and so on down.
fn pointers(value: &Value, here: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                pointers(field, format!("{here}/{name}"), found);
            }
            found.push(here);
        }
        Value::Array(items) => {
            // Blind spots differ by kind; everything else is like its first.
            let all = here.ends_with("/blindness") || here == "/images";
            for (position, item) in items.iter().enumerate() {
                if all || position == 0 {
                    pointers(item, format!("{here}/{position}"), found);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_part_of_the_schema_is_explained() {
    fn check(value: &Value, here: &str) {
        if let Some(properties) = value.get("properties").and_then(Value::as_object) {
            for (name, property) in properties {
                let explained = ["description", "$ref", "const"]
                    .iter()
                    .any(|key| property.get(key).is_some());
                assert!(explained, "{here}/{name} says nothing");
            }
            assert_eq!(
                value.get("additionalProperties"),
                Some(&Value::Bool(false)),
                "{here}"
            );
        }
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    check(field, &format!("{here}/{name}"));
                }
            }
            Value::Array(items) => items.iter().for_each(|item| check(item, here)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    check(&schema(), "");
}

#[test]
fn what_is_written_reads_back_the_same() {
    let examples = examples();
    let images: Vec<_> = examples.iter().map(Example::assessed).collect();
    let text = text_of(&images);
    let read = read_v1(text.as_bytes()).unwrap();
    let again = serde_json::to_string_pretty(&read).unwrap();
    assert_eq!(format!("{again}\n"), text);
    assert_eq!(text, text_of(&images), "equal inputs, equal bytes");
}

#[test]
fn every_document_ever_published_is_still_read() {
    let validator = validator();
    let mut read = 0;
    for entry in fs::read_dir(folder("tests/formats")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        let document = read_v1(&bytes).unwrap();
        assert!(!document.images.is_empty(), "{}", path.display());
        let value: Value = serde_json::from_slice(&bytes).unwrap();
        assert!(validator.is_valid(&value), "{}", path.display());
        // Nothing of it is lost on the way.
        assert_eq!(serde_json::to_value(&document).unwrap(), value);
        read += 1;
    }
    assert!(read > 0);
}

#[test]
fn a_reader_takes_new_fields_and_refuses_new_kinds() {
    let text = document(&[blind()]);
    let newer = text.replacen("\"tool\":", "\"written_on\": \"a boat\", \"tool\":", 1);
    assert_ne!(newer, text);
    assert!(read_v1(newer.as_bytes()).is_ok());
    let newer = text.replacen("\"no_edition\"", "\"no_harbour\"", 1);
    assert_ne!(newer, text);
    assert!(matches!(
        read_v1(newer.as_bytes()),
        Err(ReadError::Shape(_))
    ));
    let newer = text.replacen("seaworthy.report/1", "seaworthy.report/2", 1);
    assert!(matches!(
        read_v1(newer.as_bytes()),
        Err(ReadError::Schema { .. })
    ));
    assert!(matches!(read_v1(b"[]"), Err(ReadError::Shape(_))));
}

#[test]
fn the_exit_code_follows_the_outcome() {
    for (example, outcome, code) in [
        (clean(), v1::Outcome::Pass, 0),
        (failing(), v1::Outcome::Fail, 1),
        (machine(), v1::Outcome::Unknown, 3),
    ] {
        let document = read_v1(text_of(&[example.assessed()]).as_bytes()).unwrap();
        assert_eq!((document.outcome, document.exit_code), (outcome, code));
    }
    assert_eq!(
        read_v1(text_of(&[]).as_bytes()).unwrap().outcome,
        v1::Outcome::Unknown
    );
}

#[test]
fn the_pages_explain_every_kind_of_blindness_and_show_a_valid_finding() {
    let schema = schema();
    let page = fs::read_to_string(folder("../../docs/verdict.md")).unwrap();
    let kinds = schema["$defs"]["blindness"]["oneOf"].as_array().unwrap();
    assert!(kinds.len() > 10);
    for kind in kinds {
        let kind = kind["properties"]["kind"]["const"].as_str().unwrap();
        assert!(page.contains(&format!("| `{kind}` |")), "{kind}");
    }
    let page = fs::read_to_string(folder("../../docs/json-report.md")).unwrap();
    let (_, shown) = page.split_once("```json\n").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let finding: Value = serde_json::from_str(shown).unwrap();
    let mut document: Value = serde_json::from_str(&document(&[failing()])).unwrap();
    document["images"][0]["findings"] = Value::Array(vec![finding]);
    assert!(validator().is_valid(&document));
}
