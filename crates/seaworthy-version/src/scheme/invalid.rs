//! Why a text is not a version.

use std::error::Error;
use std::fmt;

use super::Scheme;

/// How many characters of a refused text are kept.
const KEPT: usize = 80;

/// A text is not a version under a scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidVersion {
    /// The scheme that refused.
    pub scheme: Scheme,
    /// The refused text, cut after 80 characters.
    pub text: Box<str>,
    /// What is wrong with it, as the second half of a sentence.
    pub reason: &'static str,
}

impl InvalidVersion {
    pub(crate) fn of(scheme: Scheme, text: &str, reason: &'static str) -> Self {
        let mut kept: String = text.chars().take(KEPT).collect();
        if kept.len() < text.len() {
            kept.push('…');
        }
        Self {
            scheme,
            text: kept.into(),
            reason,
        }
    }
}

impl fmt::Display for InvalidVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text comes from an image: no control character may reach a terminal.
        write!(
            f,
            "`{}` is no {} version: {}",
            self.text.escape_debug(),
            self.scheme,
            self.reason
        )
    }
}

impl Error for InvalidVersion {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_short_and_free_of_control_characters() {
        let long = InvalidVersion::of(Scheme::Dpkg, &"é".repeat(5000), "it is long");
        assert_eq!(long.text.chars().count(), KEPT + 1);
        let hostile = InvalidVersion::of(Scheme::Rpm, "1\u{1b}[31m", "it is red");
        assert_eq!(
            hostile.to_string(),
            "`1\\u{1b}[31m` is no rpm version: it is red"
        );
    }
}
