//! A document of the Open Vulnerability and Assessment Language, as far as its
//! definitions say which packages are older than a fix.
//!
//! Definitions come first and refer to tests, tests to objects and states, so all
//! of it is held until the end.

use std::collections::HashMap;
use std::io::BufRead;

use crate::vendor::VendorError;
use crate::vendor::markup::{Element, Markup, Node};

/// Definitions, tests, objects, states and criteria together. The largest document
/// of 2026 has about two million.
const MAX_ITEMS: u64 = 20_000_000;
/// Characters kept of a text.
const MAX_TEXT: usize = 4_000;

#[derive(Default)]
pub(super) struct Document {
    pub(super) definitions: Vec<Definition>,
    tests: HashMap<u64, Test>,
    /// The packages that objects name.
    objects: HashMap<u64, Box<str>>,
    states: HashMap<u64, State>,
    /// The day the document was made.
    pub(super) timestamp: Box<str>,
}

#[derive(Debug, Default)]
pub(super) struct Definition {
    /// The last number of its id.
    pub(super) number: u64,
    pub(super) title: Box<str>,
    pub(super) description: Box<str>,
    pub(super) platforms: Vec<Box<str>>,
    pub(super) references: Vec<Reference>,
    pub(super) severity: Box<str>,
    pub(super) issued: Box<str>,
    pub(super) updated: Box<str>,
    /// Azure Linux's word on a fix.
    pub(super) patchable: Box<str>,
    pub(super) cves: Vec<Cve>,
    pub(super) criteria: Vec<Criteria>,
}

#[derive(Debug, Default)]
pub(super) struct Reference {
    pub(super) source: Box<str>,
    pub(super) id: Box<str>,
    pub(super) url: Box<str>,
}

#[derive(Debug, Default)]
pub(super) struct Cve {
    pub(super) id: Box<str>,
    /// `score/vector`, of any version.
    pub(super) scores: Vec<Box<str>>,
}

/// What has to hold.
#[derive(Debug)]
pub(super) enum Criteria {
    /// All of these.
    All(Vec<Criteria>),
    /// Any of these.
    Any(Vec<Criteria>),
    /// One test.
    Test {
        /// The number of the test.
        reference: u64,
        /// What it says, for people; older documents and excerpts lack the test.
        comment: Box<str>,
    },
}

#[derive(Default)]
struct Test {
    object: Option<u64>,
    state: Option<u64>,
}

#[derive(Default)]
struct State {
    evr: Option<Evr>,
    /// A pattern for versions.
    version: Option<Box<str>>,
}

#[derive(Clone)]
struct Evr {
    text: Box<str>,
    operation: Box<str>,
}

/// What a test asks.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asks<'a> {
    /// Whether a package is older than this version, or at most it.
    Older {
        package: &'a str,
        version: &'a str,
        or_equal: bool,
    },
    /// Whether this release of the distribution is installed.
    Release(&'a str),
    /// Whatever else.
    Other,
}

impl Document {
    pub(super) fn read(document: impl BufRead) -> Result<Self, VendorError> {
        let mut reading = Reading {
            markup: Markup::of(document),
            items: 0,
            found: Self::default(),
        };
        let mut is_oval = false;
        while let Some(node) = reading.markup.next()? {
            let Node::Open(element) = node else { continue };
            match element.name.as_str() {
                "oval_definitions" => is_oval = true,
                "timestamp" => reading.found.timestamp = reading.text()?,
                "definition" if is_oval => reading.definition(&element)?,
                name if name.ends_with("_test") => reading.test(&element)?,
                name if name.ends_with("_object") => reading.object(&element)?,
                name if name.ends_with("_state") => reading.state(&element)?,
                _ => {}
            }
        }
        if !is_oval {
            return Err(VendorError::Missing {
                what: "the element `oval_definitions`",
            });
        }
        Ok(reading.found)
    }

    /// What a criterion asks: by its test, else by its comment.
    pub(super) fn asks<'a>(&'a self, reference: u64, comment: &'a str) -> Asks<'a> {
        let test = self.tests.get(&reference);
        let package = test.and_then(|test| self.objects.get(&test.object?));
        let state = test.and_then(|test| self.states.get(&test.state?));
        let (Some(package), Some(state)) = (package, state) else {
            return asked_in_words(comment);
        };
        match (&state.evr, &state.version) {
            (Some(evr), _) if matches!(&*evr.operation, "less than" | "less than or equal") => {
                Asks::Older {
                    package,
                    version: &evr.text,
                    or_equal: &*evr.operation == "less than or equal",
                }
            }
            (_, Some(pattern)) if package.ends_with("-release") => {
                let digits = pattern.trim_start_matches('^');
                match leading_number(digits) {
                    Some(release) => Asks::Release(release),
                    None => Asks::Other,
                }
            }
            _ => Asks::Other,
        }
    }
}

/// The digits that `text` begins with.
pub(super) fn leading_number(text: &str) -> Option<&str> {
    let end = text
        .find(|it: char| !it.is_ascii_digit())
        .unwrap_or(text.len());
    text.get(..end).filter(|it| !it.is_empty())
}

/// `bind is earlier than 30:9.3.3-8.el5`, `Oracle Linux 5 is installed`.
fn asked_in_words(comment: &str) -> Asks<'_> {
    if let Some((package, version)) = comment.split_once(" is earlier than ") {
        let package = package.strip_prefix("Package ").unwrap_or(package);
        let version = version.split(',').next().unwrap_or(version);
        return Asks::Older {
            package,
            version,
            or_equal: false,
        };
    }
    comment
        .strip_suffix(" is installed")
        .and_then(|release| release.rsplit_once(' '))
        .and_then(|(_, number)| leading_number(number))
        .map_or(Asks::Other, Asks::Release)
}

/// The number at the end of an id like `oval:com.oracle.elsa:tst:20070057001`.
fn number_of(element: &Element, attribute: &str) -> Option<u64> {
    let (_, number) = element.attribute(attribute)?.rsplit_once(':')?;
    number.parse().ok()
}

struct Reading<R> {
    markup: Markup<R>,
    items: u64,
    found: Document,
}

impl<R: BufRead> Reading<R> {
    fn count(&mut self) -> Result<(), VendorError> {
        self.items += 1;
        if self.items > MAX_ITEMS {
            return Err(VendorError::TooLarge {
                what: "definitions, tests, objects and states",
                limit: MAX_ITEMS,
            });
        }
        Ok(())
    }

    /// The next node inside an element that has been opened; `None` where it ends.
    fn inside(&mut self) -> Result<Option<Node>, VendorError> {
        Ok(self.markup.next()?.filter(|node| *node != Node::Close))
    }

    /// The text of the element that was opened last, up to its end.
    fn text(&mut self) -> Result<Box<str>, VendorError> {
        let mut text = String::new();
        let mut depth = 1_usize;
        while depth > 0 {
            match self.markup.next()? {
                None => break,
                Some(Node::Open(_)) => depth += 1,
                Some(Node::Close) => depth -= 1,
                Some(Node::Text(piece)) => {
                    let room = MAX_TEXT.saturating_sub(text.len());
                    text.extend(piece.chars().take(room));
                }
            }
        }
        Ok(text.trim().into())
    }

    fn definition(&mut self, element: &Element) -> Result<(), VendorError> {
        self.count()?;
        let mut definition = Definition {
            number: number_of(element, "id").unwrap_or_default(),
            ..Definition::default()
        };
        while let Some(node) = self.inside()? {
            let Node::Open(element) = node else { continue };
            match element.name.as_str() {
                "metadata" => self.metadata(&mut definition)?,
                "criteria" => {
                    let criteria = self.criteria(&element)?;
                    definition.criteria.extend(criteria);
                }
                _ => drop(self.text()?),
            }
        }
        self.found.definitions.push(definition);
        Ok(())
    }

    fn metadata(&mut self, definition: &mut Definition) -> Result<(), VendorError> {
        // `affected` and `advisory` only group what is in them.
        let mut groups = 1_usize;
        while groups > 0 {
            let Some(node) = self.markup.next()? else {
                break;
            };
            let element = match node {
                Node::Open(element) => element,
                Node::Close => {
                    groups -= 1;
                    continue;
                }
                Node::Text(_) => continue,
            };
            let attribute = |name: &str| Box::from(element.attribute(name).unwrap_or_default());
            match element.name.as_str() {
                "affected" | "advisory" => groups += 1,
                "title" => definition.title = self.text()?,
                "description" => definition.description = self.text()?,
                "platform" => {
                    let platform = self.text()?;
                    self.count()?;
                    definition.platforms.push(platform);
                }
                "reference" => {
                    self.count()?;
                    definition.references.push(Reference {
                        source: attribute("source"),
                        id: attribute("ref_id"),
                        url: attribute("ref_url"),
                    });
                    self.text()?;
                }
                "severity" => definition.severity = self.text()?,
                "patchable" => definition.patchable = self.text()?,
                "advisory_date" => definition.issued = self.text()?,
                "issued" => {
                    definition.issued = attribute("date");
                    self.text()?;
                }
                "updated" => {
                    definition.updated = attribute("date");
                    self.text()?;
                }
                "cve" => {
                    self.count()?;
                    let scores = ["cvss2", "cvss3", "cvss4"]
                        .into_iter()
                        .filter_map(|name| element.attribute(name))
                        .map(Box::from)
                        .collect();
                    let id = self.text()?;
                    definition.cves.push(Cve { id, scores });
                }
                _ => drop(self.text()?),
            }
        }
        Ok(())
    }

    /// The criteria that were opened last. `None` for what must *not* hold, which
    /// says nothing of what is affected.
    fn criteria(&mut self, element: &Element) -> Result<Option<Criteria>, VendorError> {
        let mut open: Vec<(bool, bool, Vec<Criteria>)> = Vec::new();
        let begin = |element: &Element| {
            let any = element.attribute("operator") == Some("OR");
            let negated = element.attribute("negate") == Some("true");
            (any, negated, Vec::new())
        };
        open.push(begin(element));
        loop {
            let Some(node) = self.markup.next()? else {
                return Ok(None);
            };
            match node {
                Node::Open(element) if element.name == "criteria" => {
                    self.count()?;
                    open.push(begin(&element));
                }
                Node::Open(element) => {
                    self.count()?;
                    self.text()?;
                    let negated = element.attribute("negate") == Some("true");
                    let reference = number_of(&element, "test_ref");
                    if let (false, Some(reference), Some((_, _, list))) =
                        (negated, reference, open.last_mut())
                    {
                        let comment = element.attribute("comment").unwrap_or_default();
                        list.push(Criteria::Test {
                            reference,
                            comment: comment.chars().take(400).collect::<String>().into(),
                        });
                    }
                }
                Node::Text(_) => {}
                Node::Close => {
                    let Some((any, negated, list)) = open.pop() else {
                        return Ok(None);
                    };
                    let criteria = match (negated, any) {
                        (true, _) => None,
                        (false, true) => Some(Criteria::Any(list)),
                        (false, false) => Some(Criteria::All(list)),
                    };
                    match open.last_mut() {
                        Some((_, _, outer)) => outer.extend(criteria),
                        None => return Ok(criteria),
                    }
                }
            }
        }
    }

    fn test(&mut self, element: &Element) -> Result<(), VendorError> {
        self.count()?;
        let mut test = Test::default();
        while let Some(node) = self.inside()? {
            let Node::Open(child) = node else { continue };
            match child.name.as_str() {
                "object" => test.object = number_of(&child, "object_ref"),
                "state" => test.state = number_of(&child, "state_ref"),
                _ => {}
            }
            self.text()?;
        }
        if let Some(number) = number_of(element, "id") {
            self.found.tests.insert(number, test);
        }
        Ok(())
    }

    fn object(&mut self, element: &Element) -> Result<(), VendorError> {
        self.count()?;
        let mut name = None;
        while let Some(node) = self.inside()? {
            let Node::Open(child) = node else { continue };
            let text = self.text()?;
            if child.name == "name" && !text.is_empty() {
                name = Some(text);
            }
        }
        if let (Some(number), Some(name)) = (number_of(element, "id"), name) {
            self.found.objects.insert(number, name);
        }
        Ok(())
    }

    fn state(&mut self, element: &Element) -> Result<(), VendorError> {
        self.count()?;
        let mut state = State::default();
        while let Some(node) = self.inside()? {
            let Node::Open(child) = node else { continue };
            let text = self.text()?;
            match child.name.as_str() {
                "evr" => {
                    state.evr = Some(Evr {
                        text,
                        operation: child.attribute("operation").unwrap_or_default().into(),
                    });
                }
                "version" => state.version = Some(text),
                _ => {}
            }
        }
        if let Some(number) = number_of(element, "id") {
            self.found.states.insert(number, state);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_says_what_a_test_asks() {
        for (comment, expected) in [
            (
                "bind is earlier than 30:9.3.3-8.el5",
                Asks::Older {
                    package: "bind",
                    version: "30:9.3.3-8.el5",
                    or_equal: false,
                },
            ),
            (
                "Package cmake is earlier than 3.30.3-2, affected by CVE-2024-8096",
                Asks::Older {
                    package: "cmake",
                    version: "3.30.3-2",
                    or_equal: false,
                },
            ),
            ("Oracle Linux 5 is installed", Asks::Release("5")),
            ("Photon OS 4.0 is installed", Asks::Release("4")),
            ("Module virt:kvm_utils is enabled", Asks::Other),
            ("bind is signed with the Oracle Linux 5 key", Asks::Other),
            ("", Asks::Other),
        ] {
            assert_eq!(asked_in_words(comment), expected);
        }
    }
}
