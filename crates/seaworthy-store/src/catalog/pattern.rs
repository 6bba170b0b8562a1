//! Patterns of names: `*` stands for any number of characters, `?` for one.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A pattern of tags or repositories, such as `v*` or `release-?.*`.
///
/// Invariant: 1 to 128 printable characters of ASCII.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(Box<str>);

/// Why a text is not a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a pattern: 1 to 128 printable characters, `*` and `?` stand for others")]
pub struct PatternError(Box<str>);

impl Pattern {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether all of `text` matches.
    pub fn matches(&self, text: &str) -> bool {
        let (pattern, text) = (self.0.as_bytes(), text.as_bytes());
        let (mut at, mut seen) = (0, 0);
        // Where to go on when what followed the last `*` did not fit.
        let mut again: Option<(usize, usize)> = None;
        while let Some(&byte) = text.get(seen) {
            match pattern.get(at) {
                Some(b'*') => {
                    again = Some((at + 1, seen));
                    at += 1;
                }
                Some(b'?') => {
                    at += 1;
                    seen += 1;
                }
                Some(&wanted) if wanted == byte => {
                    at += 1;
                    seen += 1;
                }
                Some(_) | None => {
                    let Some((after, from)) = again else {
                        return false;
                    };
                    again = Some((after, from + 1));
                    at = after;
                    seen = from + 1;
                }
            }
        }
        pattern.iter().skip(at).all(|byte| *byte == b'*')
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let is_good =
            (1..=128).contains(&text.len()) && text.bytes().all(|it| it.is_ascii_graphic());
        if is_good {
            Ok(Self(text.into()))
        } else {
            Err(PatternError(text.chars().take(160).collect()))
        }
    }
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        text.parse()
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0.into()
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_number_of_characters() {
        let cases = [
            ("*", "anything", true),
            ("v*", "v1.2", true),
            ("v*", "1.2", false),
            ("v?.?", "v1.2", true),
            ("v?.?", "v1.22", false),
            ("*-rc*", "1.0-rc-rc1", true),
            ("a*b*c", "axxbyyc", true),
            ("a*b*c", "axxbyyd", false),
            ("latest", "latest", true),
            ("latest", "latest2", false),
            ("**", "", true),
        ];
        for (pattern, text, expected) in cases {
            let pattern: Pattern = pattern.parse().expect("a pattern");
            assert_eq!(pattern.matches(text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn many_stars_take_no_time() {
        let pattern: Pattern = "a*".repeat(60).parse().expect("a pattern");
        let mut text = "ab".repeat(59);
        assert!(!pattern.matches(&text));
        text.push('a');
        assert!(pattern.matches(&text));
    }

    #[test]
    fn what_no_name_could_match_is_no_pattern() {
        for bad in ["", "a b", "ä", "a\0"] {
            assert!(bad.parse::<Pattern>().is_err(), "{bad:?}");
        }
        assert!("*".repeat(129).parse::<Pattern>().is_err());
    }
}
