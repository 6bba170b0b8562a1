//! JSON that everybody reads the same way.
//!
//! Readers disagree on an object that has a key twice, and some take `Layers` for
//! `layers`. A manifest that means one thing to whoever checks it and another to
//! whoever runs it must not get in.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// How deep objects and lists may stand in each other.
const DEEPEST: usize = 64;

/// Keys that mean something to those who read manifests.
const KNOWN: [&str; 22] = [
    "annotations",
    "architecture",
    "artifactType",
    "blobs",
    "config",
    "data",
    "digest",
    "features",
    "fsLayers",
    "history",
    "layers",
    "manifests",
    "mediaType",
    "os",
    "os.features",
    "os.version",
    "platform",
    "schemaVersion",
    "size",
    "subject",
    "urls",
    "variant",
];

/// Whether `content` is one JSON document without twins, up to the usual depth.
pub(crate) fn check(content: &[u8]) -> Result<(), serde_json::Error> {
    let mut document = serde_json::Deserializer::from_slice(content);
    let whole = Value {
        depth: 0,
        keys: Keys::OfManifests,
    };
    whole.deserialize(&mut document)?;
    document.end()
}

/// Whose keys an object has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    /// Those of the formats.
    OfManifests,
    /// Free ones, as annotations have: case tells them apart.
    Free,
}

#[derive(Clone, Copy)]
struct Value {
    depth: usize,
    keys: Keys,
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<(), D::Error> {
        document.deserialize_any(self)
    }
}

impl Value {
    fn inside<E: Error>(self, keys: Keys) -> Result<Self, E> {
        if self.depth >= DEEPEST {
            return Err(E::custom("it is nested too deep"));
        }
        Ok(Self {
            depth: self.depth + 1,
            keys,
        })
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let inside = self.inside(self.keys)?;
        while items.next_element_seed(inside)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut seen = HashSet::new();
        while let Some(key) = entries.next_key_seed(Key)? {
            if self.keys == Keys::OfManifests && is_disguised(&key) {
                return Err(A::Error::custom(format_args!(
                    "the key `{}` is a known one in another spelling",
                    bounded(&key)
                )));
            }
            let keys = if key == "annotations" {
                Keys::Free
            } else {
                self.keys
            };
            let inside = self.inside(keys)?;
            entries.next_value_seed(inside)?;
            if let Some(twin) = seen.replace(key) {
                return Err(A::Error::custom(format_args!(
                    "the key `{}` stands there twice",
                    bounded(&twin)
                )));
            }
        }
        Ok(())
    }
}

fn bounded(key: &str) -> String {
    key.chars().take(80).collect()
}

/// Whether readers that ignore case take `key` for a known one.
fn is_disguised(key: &str) -> bool {
    // Two letters outside of ASCII become `s` and `k` where case is ignored.
    let folded = |letter: char| match letter {
        '\u{17f}' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    if key.len() > 40 || KNOWN.contains(&key) {
        return false;
    }
    let same = |known: &&str| known.chars().map(folded).eq(key.chars().map(folded));
    KNOWN.iter().any(same)
}

struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, document: D) -> Result<Self::Value, D::Error> {
        document.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twins_and_disguises_are_refused_and_annotations_are_free() {
        for good in [
            r#"{"a":1,"b":[{"a":null},{"a":-1.5e3}],"c":"x","d":true}"#,
            r#"{"annotations":{"size":"1","Size":"2","SIZE":"3"}}"#,
            r#"{"org.example":{"other":{}}}"#,
            "[]",
        ] {
            assert!(check(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":1}"#,
            r#"{"x":[{"digest":"a","digest":"b"}]}"#,
            r#"{"annotations":{"a":"1","a":"2"}}"#,
            r#"{"mediatype":"a"}"#,
            r#"{"x":{"LAYERS":[]}}"#,
            "{\"\u{17f}ize\":1}",
            r#"{"a":1} {"b":2}"#,
            r#"{"a":1"#,
            "",
        ] {
            assert!(check(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_nested_too_deep_is_refused_and_does_not_overflow() {
        for depth in [DEEPEST + 1, 1_000_000] {
            let text = "[".repeat(depth) + &"]".repeat(depth);
            assert!(check(text.as_bytes()).is_err(), "{depth}");
        }
        let text = "[".repeat(DEEPEST) + &"]".repeat(DEEPEST);
        assert!(check(text.as_bytes()).is_ok());
    }
}
