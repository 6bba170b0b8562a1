//! JSON for people as well: two spaces for each level.

use std::fmt::{self, Display};
use std::io::{self, Write};

use serde::ser::{self, Impossible, Serialize, SerializeSeq, SerializeStruct, Serializer};

/// Bytes gathered before they are written.
const PIECE: usize = 64 * 1024;

/// Two spaces for each of this many levels. Documents have fewer.
const SPACES: &[u8; 2 * LEVELS] = b"                                ";
const LEVELS: usize = 16;

/// Writes the very bytes of `serde_json`'s own indented form, faster: half of a
/// report are line breaks, spaces and names of fields, which it takes byte by
/// byte.
///
/// Only the shapes that documents have are written: structures, lists, texts,
/// counts, shares and answers. Whoever adds another shape hears of it from the
/// first test.
pub(super) struct Indented<'a> {
    out: &'a mut dyn Write,
    text: Vec<u8>,
    depth: usize,
    /// Whether the list or structure that is open has nothing in it yet.
    is_empty: bool,
}

/// Why a document could not be written.
#[derive(Debug)]
pub(super) struct Unwritten(pub(super) io::Error);

impl Display for Unwritten {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for Unwritten {}

impl ser::Error for Unwritten {
    fn custom<T: Display>(message: T) -> Self {
        Self(io::Error::other(message.to_string()))
    }
}

fn no_such_shape<T>() -> Result<T, Unwritten> {
    Err(ser::Error::custom("documents hold nothing of this shape"))
}

impl<'a> Indented<'a> {
    /// Writes `document` to `out`, with a line break at the end.
    pub(super) fn write(document: &impl Serialize, out: &'a mut dyn Write) -> io::Result<()> {
        let mut writer = Self {
            out,
            text: Vec::with_capacity(PIECE + PIECE / 4),
            depth: 0,
            is_empty: true,
        };
        document.serialize(&mut writer).map_err(|error| error.0)?;
        writer.text.push(b'\n');
        writer.out.write_all(&writer.text)?;
        writer.out.flush()
    }

    fn open(&mut self, sign: u8) {
        self.depth += 1;
        self.is_empty = true;
        self.text.push(sign);
    }

    fn close(&mut self, sign: u8) {
        self.depth -= 1;
        if !self.is_empty {
            self.text.push(b'\n');
            self.indent();
        }
        self.is_empty = false;
        self.text.push(sign);
    }

    /// Begins the line of the next item or field.
    fn next(&mut self) -> Result<(), Unwritten> {
        if self.text.len() >= PIECE {
            self.out.write_all(&self.text).map_err(Unwritten)?;
            self.text.clear();
        }
        let start: &[u8] = if self.is_empty { b"\n" } else { b",\n" };
        self.text.extend_from_slice(start);
        self.indent();
        self.is_empty = false;
        Ok(())
    }

    fn indent(&mut self) {
        let spaces = SPACES.get(..2 * self.depth.min(LEVELS));
        self.text.extend_from_slice(spaces.unwrap_or_default());
        for _ in LEVELS..self.depth {
            self.text.extend_from_slice(b"  ");
        }
    }

    /// What needs care is left to those who know how.
    fn with_care<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unwritten> {
        serde_json::to_writer(&mut self.text, value).map_err(ser::Error::custom)
    }
}

/// Whether a text stands in JSON as it is. It looks at every byte, since that
/// can be done for many at once.
fn is_plain(text: &str) -> bool {
    let odd = text.bytes().fold(0, |odd, byte| {
        odd | u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\')
    });
    odd == 0
}

impl Serializer for &mut Indented<'_> {
    type Ok = ();
    type Error = Unwritten;
    type SerializeSeq = Self;
    type SerializeStruct = Self;
    type SerializeTuple = Impossible<(), Unwritten>;
    type SerializeTupleStruct = Impossible<(), Unwritten>;
    type SerializeTupleVariant = Impossible<(), Unwritten>;
    type SerializeMap = Impossible<(), Unwritten>;
    type SerializeStructVariant = Impossible<(), Unwritten>;

    fn serialize_str(self, value: &str) -> Result<(), Unwritten> {
        if !is_plain(value) {
            return self.with_care(value);
        }
        self.text.push(b'"');
        self.text.extend_from_slice(value.as_bytes());
        self.text.push(b'"');
        Ok(())
    }

    fn serialize_bool(self, value: bool) -> Result<(), Unwritten> {
        let word: &[u8] = if value { b"true" } else { b"false" };
        self.text.extend_from_slice(word);
        Ok(())
    }

    fn serialize_u8(self, value: u8) -> Result<(), Unwritten> {
        self.serialize_u64(value.into())
    }

    fn serialize_u16(self, value: u16) -> Result<(), Unwritten> {
        self.serialize_u64(value.into())
    }

    fn serialize_u32(self, value: u32) -> Result<(), Unwritten> {
        self.serialize_u64(value.into())
    }

    fn serialize_u64(self, value: u64) -> Result<(), Unwritten> {
        self.with_care(&value)
    }

    fn serialize_f64(self, value: f64) -> Result<(), Unwritten> {
        self.with_care(&value)
    }

    fn serialize_none(self) -> Result<(), Unwritten> {
        self.text.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Unwritten> {
        value.serialize(self)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<(), Unwritten> {
        self.serialize_str(variant)
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Unwritten> {
        self.open(b'[');
        Ok(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unwritten> {
        self.open(b'{');
        Ok(self)
    }

    fn serialize_i8(self, _: i8) -> Result<(), Unwritten> {
        no_such_shape()
    }

    fn serialize_i16(self, _: i16) -> Result<(), Unwritten> {
        no_such_shape()
    }

    fn serialize_i32(self, _: i32) -> Result<(), Unwritten> {
        no_such_shape()
    }

    fn serialize_i64(self, _: i64) -> Result<(), Unwritten> {
        no_such_shape()
    }

    fn serialize_f32(self, _: f32) -> Result<(), Unwritten> {
        no_such_shape()
    }

    fn serialize_char(self, _: char) -> Result<(), Unwritten> {
        no_such_shape()
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), Unwritten> {
        no_such_shape()
    }

    fn serialize_unit(self) -> Result<(), Unwritten> {
        no_such_shape()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unwritten> {
        no_such_shape()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unwritten> {
        no_such_shape()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<(), Unwritten> {
        no_such_shape()
    }

    fn serialize_tuple(self, _: usize) -> Result<Self::SerializeTuple, Unwritten> {
        no_such_shape()
    }

    fn serialize_tuple_struct(
        self,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleStruct, Unwritten> {
        no_such_shape()
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unwritten> {
        no_such_shape()
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unwritten> {
        no_such_shape()
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unwritten> {
        no_such_shape()
    }
}

impl SerializeSeq for &mut Indented<'_> {
    type Ok = ();
    type Error = Unwritten;

    fn serialize_element<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), Unwritten> {
        self.next()?;
        item.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Unwritten> {
        self.close(b']');
        Ok(())
    }
}

impl SerializeStruct for &mut Indented<'_> {
    type Ok = ();
    type Error = Unwritten;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        name: &'static str,
        value: &T,
    ) -> Result<(), Unwritten> {
        debug_assert!(is_plain(name), "{name}");
        self.next()?;
        self.text.push(b'"');
        self.text.extend_from_slice(name.as_bytes());
        self.text.extend_from_slice(b"\": ");
        value.serialize(&mut **self)
    }

    fn end(self) -> Result<(), Unwritten> {
        self.close(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Serialize;

    use super::*;

    /// Every shape that a document has.
    #[derive(Clone, Debug, Serialize)]
    struct Sample {
        text: String,
        count: u64,
        share: f64,
        answer: Option<bool>,
        kind: Kind,
        inner: Vec<Sample>,
        lists: Vec<Vec<u32>>,
    }

    #[derive(Clone, Debug, Serialize)]
    #[serde(tag = "kind", rename_all = "snake_case")]
    enum Kind {
        Bare,
        Full { level: Level },
    }

    #[derive(Clone, Debug, Serialize)]
    #[serde(rename_all = "lowercase")]
    enum Level {
        High,
    }

    fn samples() -> impl Strategy<Value = Sample> {
        let kind = prop_oneof![Just(Kind::Bare), Just(Kind::Full { level: Level::High })];
        let plain = (
            prop_oneof![".{0,40}", "[ -~\\n\\t\"\\\\]{0,40}"],
            any::<u64>(),
            any::<f64>(),
            any::<Option<bool>>(),
            kind,
            prop::collection::vec(prop::collection::vec(any::<u32>(), 0..3), 0..3),
        );
        let plain = plain.prop_map(|(text, count, share, answer, kind, lists)| Sample {
            text,
            count,
            share,
            answer,
            kind,
            lists,
            inner: Vec::new(),
        });
        plain.prop_recursive(24, 60, 3, |inner| {
            (inner.clone(), prop::collection::vec(inner, 0..3))
                .prop_map(|(outer, inner)| Sample { inner, ..outer })
        })
    }

    fn written(sample: &impl Serialize) -> String {
        let mut bytes = Vec::new();
        let written = Indented::write(sample, &mut bytes);
        written.map_or_else(
            |error| error.to_string(),
            |()| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    proptest! {
        #[test]
        fn the_bytes_are_those_of_the_common_form(sample in samples()) {
            let common = serde_json::to_string_pretty(&sample).unwrap_or_default();
            prop_assert_eq!(written(&sample), format!("{common}\n"));
        }
    }

    #[test]
    fn a_long_document_goes_out_in_pieces() {
        struct Pieces(Vec<usize>);
        impl Write for Pieces {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.push(bytes.len());
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let long = vec![vec!["a word"; 10]; 10_000];
        let mut pieces = Pieces(Vec::new());
        assert!(Indented::write(&long, &mut pieces).is_ok());
        assert!(pieces.0.len() > 10 && pieces.0.iter().all(|it| *it < 2 * PIECE));
    }

    #[test]
    fn a_shape_that_no_document_has_is_refused() {
        assert_eq!(written(&-1), "documents hold nothing of this shape");
    }
}
