//! Documents of one large JSON list or map, element by element.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufRead, Read};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::packed::unpacked;
use super::{Content, Intake, VendorError};

/// Bytes of a document without compression. The largest that are read this way
/// have some tens of megabytes.
const MAX_BYTES: u64 = 512 << 20;
/// Bytes of one element: in memory it takes many times as much.
const MAX_ELEMENT: u64 = 8 << 20;

/// Where the elements are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The document is their list.
    List,
    /// The document is a map to them.
    Map,
    /// The document has a field with their list.
    Field(&'static str),
}

/// What takes an element; the key is empty in a list.
type Each<'e> = &'e mut dyn FnMut(&str, Value, &mut Intake<'_>) -> Result<(), VendorError>;

/// Hands every element of the document to `each`, one at a time. What `each`
/// answers with an error ends the reading.
pub(super) fn each_element(
    content: &mut dyn Content,
    intake: &mut Intake<'_>,
    place: Place,
    each: Each<'_>,
) -> Result<(), VendorError> {
    let left = Cell::new(MAX_ELEMENT);
    let mut document = unpacked(content, intake)?.take(MAX_BYTES);
    let mut json = serde_json::Deserializer::from_reader(Metered {
        reader: &mut document,
        left: &left,
    });
    let mut walk = Walk {
        place,
        left: &left,
        intake,
        each,
        found: false,
        stopped: None,
    };
    let read = walk.deserialize(&mut json).and_then(|()| json.end());
    let Walk { found, stopped, .. } = walk;
    if let Some(error) = stopped {
        return Err(error);
    }
    if document.limit() == 0 {
        return Err(VendorError::TooLarge {
            what: "bytes",
            limit: MAX_BYTES,
        });
    }
    read?;
    match place {
        Place::Field(what) if !found => Err(VendorError::Missing { what }),
        _ => Ok(()),
    }
}

struct Walk<'w, 'i> {
    place: Place,
    left: &'w Cell<u64>,
    intake: &'w mut Intake<'i>,
    each: Each<'w>,
    found: bool,
    stopped: Option<VendorError>,
}

impl Walk<'_, '_> {
    fn one<E: serde::de::Error>(&mut self, key: &str, value: Value) -> Result<(), E> {
        self.left.set(MAX_ELEMENT);
        (self.each)(key, value, self.intake).map_err(|error| {
            self.stopped = Some(error);
            E::custom("stopped")
        })
    }
}

impl<'de> DeserializeSeed<'de> for &mut Walk<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        match self.place {
            Place::List => deserializer.deserialize_seq(self),
            Place::Map | Place::Field(_) => deserializer.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for &mut Walk<'_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.place {
            Place::List => "a list of records",
            Place::Map => "a map of records",
            Place::Field(_) => "an object with records",
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(value) = list.next_element::<Value>()? {
            self.one("", value)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match self.place {
                Place::Map => {
                    let value = map.next_value()?;
                    self.one(&key, value)?;
                }
                Place::Field(name) if name == key => {
                    self.found = true;
                    self.place = Place::List;
                    map.next_value_seed(&mut *self)?;
                    self.place = Place::Field(name);
                }
                Place::Field(_) | Place::List => {
                    map.next_value::<IgnoredAny>()?;
                    self.left.set(MAX_ELEMENT);
                }
            }
        }
        Ok(())
    }
}

/// A reader that fails where one element is larger than any should be.
struct Metered<'r, R> {
    reader: &'r mut R,
    left: &'r Cell<u64>,
}

impl<R: BufRead> Read for Metered<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        let left = self
            .left
            .get()
            .checked_sub(u64::try_from(read).unwrap_or(u64::MAX))
            .ok_or_else(|| io::Error::other("a record larger than any should be"))?;
        self.left.set(left);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::super::intake::tests::told;
    use super::*;

    fn elements(place: Place, text: &[u8]) -> String {
        told(
            |content, _, intake| {
                each_element(content, intake, place, &mut |key, value, intake| {
                    intake.refuse(key, value.to_string());
                    match value.as_str() {
                        Some("stop") => Err(VendorError::Missing { what: "the rest" }),
                        _ => Ok(()),
                    }
                })
            },
            "x",
            text,
        )
    }

    #[test]
    fn elements_are_handed_over_one_by_one() {
        for (place, text, expected) in [
            (Place::List, "[1, {}]", "refused : 1\nrefused : {}"),
            (
                Place::Map,
                r#"{"a": 1, "b": [2]}"#,
                "refused a: 1\nrefused b: [2]",
            ),
            (
                Place::Field("xs"),
                r#"{"a": [9], "xs": [1, 2], "b": {}}"#,
                "refused : 1\nrefused : 2",
            ),
            (Place::Field("xs"), "{}", "error: xs is missing"),
            (
                Place::List,
                r#"["stop", 2]"#,
                "refused : \"stop\"\nerror: the rest is missing",
            ),
        ] {
            assert_eq!(elements(place, text.as_bytes()), expected);
        }
    }

    #[test]
    fn what_is_not_the_shape_is_an_error() {
        let deep = "[".repeat(100_000);
        let long = format!("[\"{}\"]", "x".repeat(9 << 20));
        for (place, text, expected) in [
            (Place::List, "{}".as_bytes(), "invalid type: map"),
            (Place::Map, b"[1]", "invalid type: sequence"),
            (Place::Field("xs"), br#"{"xs": 7}"#, "invalid type: integer"),
            (Place::List, b"[1, 2", "EOF while parsing"),
            (Place::List, b"[1] 2", "trailing characters"),
            (Place::List, b"[\"\xff\"]", "invalid unicode"),
            (Place::List, b"", "EOF while parsing"),
            (Place::List, deep.as_bytes(), "recursion limit"),
            (Place::List, long.as_bytes(), "a record larger than any"),
        ] {
            let said = elements(place, text);
            let said = said.lines().last().unwrap_or_default();
            assert!(said.starts_with("error: not the JSON"), "{said}");
            assert!(said.contains(expected), "{said}");
        }
    }
}
