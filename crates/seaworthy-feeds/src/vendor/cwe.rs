//! What the kinds of weaknesses are called that MITRE numbers.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Cursor, Read};

use serde::Deserialize;
use serde_json::Value;
use zip::ZipArchive;

use super::VendorError;
use super::markup::{Element, Markup, Node};
use crate::Refusal;
use crate::fed::Refusals;
use crate::osv::one_line;

/// Bytes of the native list without compression; today's has 16 million.
const MAX_BYTES: u64 = 256 << 20;

/// Names of kinds of weaknesses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weaknesses {
    /// Names by id, such as `CWE-79`.
    pub names: BTreeMap<Box<str>, Box<str>>,
    /// How many entries were refused.
    pub refused: u64,
    /// The first of the refused.
    pub refusals: Vec<Refusal>,
}

/// The bytes are no list of weaknesses.
#[derive(Debug, thiserror::Error)]
#[error("this is not a list of kinds of weaknesses")]
pub struct CweError(#[source] VendorError);

#[derive(Deserialize)]
struct Document {
    entries: Vec<Value>,
}

/// Parses the list in any of its forms: MITRE's XML, the same in a zip archive,
/// or `{"entries": [{"id": "CWE-79", "name": …}]}`.
///
/// What is deprecated keeps its name, because records go on naming it. An entry
/// that makes no sense is refused and counted.
pub fn parse_cwe(bytes: &[u8]) -> Result<Weaknesses, CweError> {
    let mut found = Found::default();
    let read = match bytes {
        [b'P', b'K', ..] => from_archive(bytes, &mut found),
        [b'{', ..] => from_json(bytes, &mut found),
        _ => from_markup(bytes, &mut found),
    };
    read.map_err(CweError)?;
    if found.names.is_empty() {
        let what = "any kind of weakness";
        return Err(CweError(VendorError::Missing { what }));
    }
    Ok(Weaknesses {
        names: found.names,
        refused: found.refusals.count,
        refusals: found.refusals.kept,
    })
}

#[derive(Default)]
struct Found {
    names: BTreeMap<Box<str>, Box<str>>,
    refusals: Refusals,
}

impl Found {
    fn hear(&mut self, number: &str, name: &str) {
        let is_number =
            (1..=8).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
        let name = one_line(name);
        if !is_number || name.is_empty() {
            self.refusals.push(number, "no number or no name");
            return;
        }
        self.names.insert(format!("CWE-{number}").into(), name);
    }
}

fn from_json(bytes: &[u8], found: &mut Found) -> Result<(), VendorError> {
    let document: Document = serde_json::from_slice(bytes)?;
    for entry in document.entries {
        let word = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
        let id = word("id");
        found.hear(id.strip_prefix("CWE-").unwrap_or(id), word("name"));
    }
    Ok(())
}

fn from_archive(bytes: &[u8], found: &mut Found) -> Result<(), VendorError> {
    let mut archive = ZipArchive::new(Cursor::new(bytes))?;
    if archive.is_empty() {
        return Err(VendorError::Missing { what: "a file" });
    }
    let entry = archive.by_index(0)?;
    from_markup(BufReader::new(entry.take(MAX_BYTES)), found)
}

fn from_markup(document: impl BufRead, found: &mut Found) -> Result<(), VendorError> {
    let mut markup = Markup::of(document);
    let mut is_first = true;
    while let Some(node) = markup.next()? {
        let Node::Open(element) = node else { continue };
        if is_first && element.name != "Weakness_Catalog" {
            return Err(VendorError::Missing {
                what: "a catalogue",
            });
        }
        is_first = false;
        if is_kind(&element) {
            let word = |name: &str| element.attribute(name).unwrap_or_default();
            found.hear(word("ID"), word("Name"));
        }
    }
    Ok(())
}

/// Whether an element is an entry, and not a reference to one.
fn is_kind(element: &Element) -> bool {
    matches!(element.name.as_str(), "Weakness" | "Category" | "View")
        && element.attribute("Name").is_some()
}

#[cfg(test)]
mod tests {
    use super::super::intake::tests::zipped;
    use super::*;

    fn told(bytes: &[u8]) -> String {
        match parse_cwe(bytes) {
            Ok(read) => {
                let names = read.names.iter().map(|(id, name)| format!("{id} {name}"));
                let mut lines: Vec<String> = names.collect();
                lines.extend(
                    read.refusals
                        .iter()
                        .map(|it| format!("refused {}", it.what)),
                );
                lines.join("|")
            }
            Err(error) => {
                let cause = std::error::Error::source(&error);
                cause.map_or_else(String::new, |cause| format!("error: {cause}"))
            }
        }
    }

    #[test]
    fn names_are_read_in_every_form() {
        let xml = r#"<Weakness_Catalog><Weaknesses><Weakness ID="79" Name="XSS &amp; more">
            <Related_Weakness CWE_ID="74"/></Weakness></Weaknesses><Category ID="x" Name="y"/>
            <View ID="699" Name="Software"/></Weakness_Catalog>"#;
        let expected = "CWE-699 Software|CWE-79 XSS & more|refused x";
        assert_eq!(told(xml.as_bytes()), expected);
        assert_eq!(told(&zipped(&[("cwec_v4.15.xml", xml)])), expected);
        let json = r#"{"entries": [{"id": "CWE-79", "name": "XSS & more"}, {"id": "CWE-699", "name": "Software"},
            {"id": "x", "name": "y"}]}"#;
        assert_eq!(told(json.as_bytes()), expected);
    }

    #[test]
    fn what_is_no_list_is_an_error() {
        for (text, expected) in [
            ("", "error: any kind of weakness is missing"),
            ("{}", "error: not the JSON it should be"),
            (
                "{\"entries\": [7]}",
                "error: any kind of weakness is missing",
            ),
            ("<html/>", "error: a catalogue is missing"),
            (
                "<Weakness_Catalog>",
                "error: the end of the document is missing",
            ),
            ("PK", "error: not the archive it should be"),
        ] {
            assert_eq!(told(text.as_bytes()), expected);
        }
    }

    #[test]
    fn the_shared_lists_are_read() {
        let Some(shared) = seaworthy_testkit::shared() else {
            return;
        };
        let mut said = Vec::new();
        for name in ["cwe_names.json", "cwec_latest.xml.zip"] {
            let path = shared.join("feeds/enrich/cwe").join(name);
            let bytes = std::fs::read(path).unwrap_or_default();
            let read = parse_cwe(&bytes).unwrap_or_default();
            let first = read.names.iter().next();
            said.push(format!(
                "{} {} {first:?} {:?}",
                read.names.len(),
                read.refused,
                read.names.get("CWE-787")
            ));
        }
        insta::assert_snapshot!(said.join("\n"), @r#"
        1427 0 Some(("CWE-1", "DEPRECATED: Location")) Some("Out-of-bounds Write")
        3 0 Some(("CWE-1007", "Insufficient Visual Distinction of Homoglyphs Presented to User")) None
        "#);
    }
}
