//! XML, element by element, with ceilings.
//!
//! Feeds need elements, attributes and text. A document type or an entity of its own
//! is refused: there is no use for them but to make little into much.

use std::io::{self, BufRead, Read};

use quick_xml::Reader;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};

use super::VendorError;

/// Bytes of one element's tag or of one text.
const MAX_NODE: u64 = 4 << 20;
/// Attributes of one element. They are compared with each other.
const MAX_ATTRIBUTES: usize = 200;
/// Elements inside each other.
const MAX_DEPTH: usize = 64;

/// What comes next in a document.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Node {
    /// An element begins.
    Open(Element),
    /// Text; long texts may come in pieces.
    Text(String),
    /// The element that was opened last ends.
    Close,
}

/// An element's name and attributes, without namespaces.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
}

impl Element {
    /// The attribute called `name`.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|(it, _)| it == name)
            .map(|(_, value)| value.as_str())
    }
}

/// A document that is read from the start to the end.
pub(super) struct Markup<R> {
    reader: Reader<Metered<R>>,
    buffer: Vec<u8>,
    depth: usize,
}

impl<R: BufRead> Markup<R> {
    pub(super) fn of(document: R) -> Self {
        let mut reader = Reader::from_reader(Metered {
            reader: document,
            left: MAX_NODE,
        });
        reader.config_mut().expand_empty_elements = true;
        Self {
            reader,
            buffer: Vec::new(),
            depth: 0,
        }
    }

    /// What comes next; `None` at the end of the document.
    pub(super) fn next(&mut self) -> Result<Option<Node>, VendorError> {
        loop {
            self.buffer.clear();
            self.reader.get_mut().left = MAX_NODE;
            let node = match self.reader.read_event_into(&mut self.buffer)? {
                Event::Start(start) | Event::Empty(start) => {
                    self.depth += 1;
                    if self.depth > MAX_DEPTH {
                        return Err(VendorError::TooLarge {
                            what: "elements inside each other",
                            limit: u64::try_from(MAX_DEPTH).unwrap_or(u64::MAX),
                        });
                    }
                    Node::Open(element(&start)?)
                }
                Event::End(_) => {
                    self.depth = self.depth.saturating_sub(1);
                    Node::Close
                }
                Event::Text(text) => Node::Text(text.xml10_content().into_owned()),
                Event::CData(text) => Node::Text(text.xml10_content().into_owned()),
                Event::GeneralRef(reference) => {
                    let character = match &*reference {
                        "lt" => Some('<'),
                        "gt" => Some('>'),
                        "amp" => Some('&'),
                        "apos" => Some('\''),
                        "quot" => Some('"'),
                        _ => reference.resolve_char_ref()?,
                    };
                    Node::Text(character.ok_or(VendorError::Entity)?.to_string())
                }
                Event::DocType(_) => return Err(VendorError::Entity),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => continue,
                Event::Eof if self.depth > 0 => {
                    return Err(VendorError::Missing {
                        what: "the end of the document",
                    });
                }
                Event::Eof => return Ok(None),
            };
            return Ok(Some(node));
        }
    }
}

fn element(start: &BytesStart<'_>) -> Result<Element, VendorError> {
    let local = |name: &str| -> String {
        name.rsplit_once(':')
            .map_or(name, |(_, local)| local)
            .to_owned()
    };
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        if attributes.len() >= MAX_ATTRIBUTES {
            return Err(VendorError::TooLarge {
                what: "attributes",
                limit: u64::try_from(MAX_ATTRIBUTES).unwrap_or(u64::MAX),
            });
        }
        let attribute = attribute.map_err(quick_xml::Error::from)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0)?;
        attributes.push((local(attribute.key.as_ref()), value.into_owned()));
    }
    Ok(Element {
        name: local(start.name().as_ref()),
        attributes,
    })
}

/// A reader that fails where one node is larger than any should be.
struct Metered<R> {
    reader: R,
    left: u64,
}

impl<R: BufRead> Read for Metered<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let length = available.len().min(buffer.len());
        for (to, from) in buffer.iter_mut().zip(available) {
            *to = *from;
        }
        self.consume(length);
        Ok(length)
    }
}

impl<R: BufRead> BufRead for Metered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.left == 0 {
            return Err(io::Error::other("an element larger than any should be"));
        }
        let available = self.reader.fill_buf()?;
        let left = usize::try_from(self.left).unwrap_or(usize::MAX);
        Ok(available.get(..left).unwrap_or(available))
    }

    fn consume(&mut self, length: usize) {
        self.left = self
            .left
            .saturating_sub(u64::try_from(length).unwrap_or(u64::MAX));
        self.reader.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(document: &[u8]) -> String {
        let mut markup = Markup::of(document);
        let mut lines = Vec::new();
        loop {
            match markup.next() {
                Ok(Some(Node::Open(element))) => {
                    let mut line = format!("<{}", element.name);
                    for (name, value) in &element.attributes {
                        line.extend([" ", name, "=", value]);
                    }
                    lines.push(line);
                }
                Ok(Some(Node::Text(text))) => lines.push(text),
                Ok(Some(Node::Close)) => lines.push(">".into()),
                Ok(None) => return lines.join("|"),
                Err(error) => return format!("{}|{error}", lines.join("|")),
            }
        }
    }

    #[test]
    fn a_document_is_elements_and_text() {
        for (document, expected) in [
            (
                r#"<?xml version="1.0"?><!-- c --><x:a b="1 &amp; 2"><c/>t &lt;&#65;<![CDATA[<]]></x:a>"#,
                "<a b=1 & 2|<c|>|t |<|A|<|>",
            ),
            ("", ""),
        ] {
            assert_eq!(read(document.as_bytes()), expected);
        }
    }

    #[test]
    fn what_makes_much_of_little_is_refused() {
        let deep = "<a>".repeat(100);
        let long = format!("<a>{}</a>", "x".repeat(5 << 20));
        let many: Vec<String> = (0..100_000).map(|it| format!("b{it}=''")).collect();
        let many = format!("<a {}>", many.join(" "));
        for (document, expected) in [
            (
                &br#"<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>"#[..],
                "an entity or a document type, which no feed needs",
            ),
            (
                b"<a>&b;</a>",
                "an entity or a document type, which no feed needs",
            ),
            (b"<a b='&c;'/>", "not the XML it should be"),
            (b"<a></b>", "not the XML it should be"),
            (b"<a>", "the end of the document is missing"),
            (b"<a", "not the XML it should be"),
            (b"<a>\xff</a>", "not the XML it should be"),
            (deep.as_bytes(), "more than 64 elements inside each other"),
            (long.as_bytes(), "not the XML it should be"),
            (many.as_bytes(), "more than 200 attributes"),
        ] {
            let said = read(document);
            assert!(said.ends_with(expected), "{said}");
        }
    }
}
