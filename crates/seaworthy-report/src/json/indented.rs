//! JSON for people as well: two spaces for each level.

use std::io;

use serde_json::ser::Formatter;

/// Writes the very bytes of `serde_json`'s own indented form, a line break and
/// all spaces after it at once: they are nearly half of a report.
#[derive(Default)]
pub(super) struct Indented {
    depth: usize,
    is_empty: bool,
}

/// A comma, a line break and the spaces of the deepest level without a detour.
const BREAK: &[u8; 2 + 2 * LEVELS] = b",\n                                ";
const LEVELS: usize = 16;

impl Indented {
    fn open<W: ?Sized + io::Write>(&mut self, out: &mut W, sign: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.is_empty = true;
        out.write_all(sign)
    }

    fn close<W: ?Sized + io::Write>(&mut self, out: &mut W, sign: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if !self.is_empty {
            self.next(out, true)?;
        }
        self.is_empty = false;
        out.write_all(sign)
    }

    /// Begins a line; after a comma, unless it is the first.
    fn next<W: ?Sized + io::Write>(&self, out: &mut W, is_first: bool) -> io::Result<()> {
        let start = usize::from(is_first);
        let end = 2 + 2 * self.depth.min(LEVELS);
        out.write_all(BREAK.get(start..end).unwrap_or_default())?;
        for _ in LEVELS..self.depth {
            out.write_all(b"  ")?;
        }
        Ok(())
    }
}

impl Formatter for Indented {
    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"[")
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"]")
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.next(out, first)
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_empty = false;
        Ok(())
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.open(out, b"{")
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out, b"}")
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.next(out, first)
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.is_empty = false;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::{Serializer, Value, json};

    use super::*;

    #[test]
    fn the_bytes_are_those_of_the_common_form() {
        let mut deep = json!([]);
        for _ in 0..2 * LEVELS {
            deep = json!([1, { "in": deep, "none": {} }]);
        }
        for value in [
            json!(null),
            json!({}),
            json!([[], {}, [[]], "a\n\"b\"", -1.5]),
            json!({"a": [], "b": {"c": [1, 2, {"d": null}]}, "e": {"f": {}}}),
            deep,
        ] {
            assert_eq!(written(&value), serde_json::to_string_pretty(&value).ok());
        }
    }

    fn written(value: &Value) -> Option<String> {
        let mut bytes = Vec::new();
        let mut writer = Serializer::with_formatter(&mut bytes, Indented::default());
        value.serialize(&mut writer).ok()?;
        String::from_utf8(bytes).ok()
    }
}
