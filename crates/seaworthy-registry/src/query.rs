//! What stands after the `?` of an address, and percent signs before it.

use std::borrow::Cow;

/// How many fields a query may have; what follows is not read.
const MOST_FIELDS: usize = 256;

/// The fields of a query or of a form, in order.
#[derive(Debug, Default)]
pub(crate) struct Query<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> Query<'a> {
    /// Reads `a=b&c=d`. What is not UTF-8 after decoding is left out.
    pub(crate) fn read(text: Option<&'a str>) -> Self {
        let fields = text.unwrap_or_default().split('&');
        let fields = fields.filter(|field| !field.is_empty()).take(MOST_FIELDS);
        let read = fields.filter_map(|field| {
            let (name, value) = field.split_once('=').unwrap_or((field, ""));
            Some((
                decoded(name, Plus::IsSpace)?,
                decoded(value, Plus::IsSpace)?,
            ))
        });
        Self(read.collect())
    }

    /// The first field of this name that is not empty.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// All fields of this name.
    pub(crate) fn all<'s>(&'s self, name: &str) -> impl Iterator<Item = &'s str> {
        let named = self.0.iter().filter(move |(found, _)| *found == name);
        named.map(|(_, value)| &**value)
    }
}

/// What a plus sign means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Plus {
    /// A space, as in queries and forms.
    IsSpace,
    /// Itself, as in paths.
    IsPlus,
}

/// `text` without percent signs; `None` where they are broken or hide what is not UTF-8.
pub(crate) fn decoded(text: &str, plus: Plus) -> Option<Cow<'_, str>> {
    let is_plain = |byte: u8| byte != b'%' && (byte != b'+' || plus == Plus::IsPlus);
    if text.bytes().all(is_plain) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = text.bytes();
    let mut plain = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let mut digit = || char::from(bytes.next()?).to_digit(16);
                let value = digit()? * 16 + digit()?;
                plain.push(u8::try_from(value).ok()?);
            }
            b'+' if plus == Plus::IsSpace => plain.push(b' '),
            other => plain.push(other),
        }
    }
    String::from_utf8(plain).ok().map(Cow::Owned)
}

/// `text` as the value of a query's field.
pub(crate) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut written = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                written.push(char::from(byte));
            }
            other => write!(written, "%{other:02X}").expect("a string takes everything"),
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_broken_ones_left_out() {
        let query = Query::read(Some("a=1&b=x%2By+z&b=2&c=%zz&d=%ff&e&=&f=%"));
        assert_eq!(query.one("a"), Some("1"));
        assert_eq!(query.all("b").collect::<Vec<_>>(), ["x+y z", "2"]);
        for absent in ["c", "d", "e", "f"] {
            assert_eq!(query.one(absent), None, "{absent}");
        }
    }

    #[test]
    fn what_is_encoded_is_decoded_again() {
        let text = "a b&c=d/é+%?";
        let written = encoded(text);
        assert_eq!(decoded(&written, Plus::IsSpace).as_deref(), Some(text));
        assert_eq!(decoded(&written, Plus::IsPlus).as_deref(), Some(text));
    }
}
