//! Text that may be shown: clean, measured, cut to fit.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::clean;

/// A text without anything a terminal obeys, and how many columns it takes.
///
/// Invariant: made by [`Text::of`] or cut from one that was. Only such text can
/// be put on a [`super::page::Page`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Text {
    shown: String,
    width: usize,
}

impl Text {
    /// `raw` made fit for a terminal that shows Unicode, or only ASCII.
    pub(super) fn of(raw: &str, unicode: bool) -> Self {
        let shown = if unicode {
            clean(raw)
        } else {
            ascii(&clean(raw))
        };
        Self::measured(shown)
    }

    fn measured(shown: String) -> Self {
        let width = shown.width();
        Self { shown, width }
    }

    /// Columns it takes.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// What to print.
    pub(super) fn as_str(&self) -> &str {
        &self.shown
    }

    /// At most `columns` wide, with a mark at the end if something was cut off.
    pub(super) fn cut(&self, columns: usize, unicode: bool) -> Self {
        if self.width <= columns {
            return self.clone();
        }
        let mark = ellipsis(unicode, columns);
        let mut shown = fitting(self.shown.chars(), columns - mark.width());
        shown.truncate(shown.trim_end().len());
        shown.push_str(mark);
        Self::measured(shown)
    }

    /// At most `columns` wide, with a mark in the middle if something was cut
    /// out. Paths and names say most at their ends.
    pub(super) fn cut_middle(&self, columns: usize, unicode: bool) -> Self {
        if self.width <= columns {
            return self.clone();
        }
        let mark = ellipsis(unicode, columns);
        let room = columns - mark.width();
        let tail: String = fitting(self.shown.chars().rev(), room - room / 3)
            .chars()
            .rev()
            .collect();
        let mut shown = fitting(self.shown.chars(), room / 3);
        shown.push_str(mark);
        // A mark that lost its letter would sit on ours.
        shown.push_str(tail.trim_start_matches(|character: char| character.width() == Some(0)));
        Self::measured(shown)
    }
}

/// The first of `characters` that fit into `columns`.
fn fitting(characters: impl Iterator<Item = char>, columns: usize) -> String {
    let mut out = String::new();
    for character in characters {
        out.push(character);
        // Measured as a whole: neighbours may join into one narrower shape.
        if out.width() > columns {
            out.pop();
            break;
        }
    }
    out
}

fn ellipsis(unicode: bool, columns: usize) -> &'static str {
    match (unicode, columns) {
        (_, 0) => "",
        (true, _) => "…",
        (false, 1 | 2) => ".",
        (false, _) => "...",
    }
}

/// The few signs of our own in ASCII, and everything else as an escape.
fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '·' => out.push('-'),
            '→' => out.push_str("->"),
            '×' => out.push('x'),
            '…' => out.push_str("..."),
            '■' => out.push('#'),
            '□' => out.push('.'),
            '’' => out.push('\''),
            ascii if ascii.is_ascii() => out.push(ascii),
            other => out.extend(other.escape_default()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_text_says_so_and_fits() {
        for (raw, columns, end, middle) in [
            ("short", 10, "short", "short"),
            ("usr/lib/python3/dist", 9, "usr/lib/…", "us…3/dist"),
            ("日本語のパッケージ", 8, "日本語…", "日…ージ"),
            ("abc", 1, "…", "…"),
            ("abc", 0, "", ""),
        ] {
            let text = Text::of(raw, true);
            assert_eq!(text.cut(columns, true).as_str(), end);
            let cut = text.cut_middle(columns, true);
            assert!(cut.width() <= columns, "{cut:?}");
            if raw != "日本語のパッケージ" {
                assert_eq!(cut.as_str(), middle);
            }
        }
        assert_eq!(Text::of("abcdefgh", false).cut(6, false).as_str(), "abc...");
    }

    #[test]
    fn a_terminal_without_unicode_gets_none() {
        assert_eq!(Text::of("a → b · ü", false).as_str(), r"a -> b - \u{fc}");
    }
}
