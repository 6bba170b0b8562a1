//! The one door between hostile text and a terminal.

use unicode_width::UnicodeWidthChar;

/// How many marks may sit on one character. Writing systems need up to two or
/// three; a hundred of them paint over the lines above.
const MARKS_PER_CHARACTER: usize = 3;

/// `text` with everything that a terminal would obey or hide turned into a
/// visible escape such as `\u{1b}`: control characters of both ranges, line
/// breaks of any kind, bidirectional controls, characters without width.
///
/// Build servers read what is printed too. `##` is what some of them look for
/// anywhere in a line, a leading `::` what others obey, so neither survives.
///
/// What comes out is one line, means itself when printed, and is the same after
/// a second pass.
pub fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut marks = MARKS_PER_CHARACTER;
    let mut before = None;
    let commanding = text.trim_start().starts_with("::");
    for character in text.chars() {
        let command = (character == '#' && before == Some('#'))
            || (commanding && character == ':' && out.trim_start().is_empty());
        before = Some(character);
        if command {
            out.extend(character.escape_unicode());
            marks = 0;
        } else if is_unsafe(character) {
            out.extend(character.escape_default());
            marks = 0;
        } else if character.width() == Some(0) {
            if marks < MARKS_PER_CHARACTER {
                out.push(character);
                marks += 1;
            } else {
                out.extend(character.escape_default());
            }
        } else {
            out.push(character);
            marks = 0;
        }
    }
    out
}

/// Whether `character` is obeyed or hidden by terminals rather than shown.
/// Combining marks are not among them; [`clean`] counts those.
fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}'                      // soft hyphen
            | '\u{34f}'                   // grapheme joiner
            | '\u{61c}'                   // Arabic letter mark
            | '\u{115f}' | '\u{1160}'     // Hangul fillers
            | '\u{17b4}' | '\u{17b5}'     // Khmer inherent vowels
            | '\u{180b}'..='\u{180f}'     // Mongolian selectors and separator
            | '\u{200b}'..='\u{200f}'     // zero width, direction marks
            | '\u{2028}'..='\u{202e}'     // line and paragraph separator, embeddings
            | '\u{2060}'..='\u{206f}'     // joiners, invisible operators, isolates
            | '\u{3164}'                  // Hangul filler
            | '\u{fe00}'..='\u{fe0f}'     // variation selectors
            | '\u{feff}'                  // byte order mark
            | '\u{ffa0}'                  // half-width filler
            | '\u{fff0}'..='\u{fffb}'     // specials, interlinear annotation
            | '\u{13430}'..='\u{1345f}'   // hieroglyph joiners
            | '\u{1bca0}'..='\u{1bca3}'   // shorthand controls
            | '\u{1d173}'..='\u{1d17a}'   // musical controls
            | '\u{e0000}'..='\u{e0fff}') // tags, more selectors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_becomes_visible() {
        for (hostile, harmless) in [
            ("plain", "plain"),
            ("naïve 日本語", "naïve 日本語"),
            ("\x1b[2J", r"\u{1b}[2J"),
            ("\x1b]8;;http://x\x1b\\y", r"\u{1b}]8;;http://x\u{1b}\y"),
            ("a\r\nb\tc", r"a\r\nb\tc"),
            ("\u{9b}31m", r"\u{9b}31m"),
            ("\u{7f}\0\u{7}", r"\u{7f}\u{0}\u{7}"),
            ("\u{202e}gpj.exe", r"\u{202e}gpj.exe"),
            ("a\u{200b}b\u{feff}", r"a\u{200b}b\u{feff}"),
            ("a\u{2028}::set-output", r"a\u{2028}::set-output"),
            ("e\u{301}", "e\u{301}"),
            (
                "e\u{301}\u{301}\u{301}\u{301}",
                "e\u{301}\u{301}\u{301}\\u{301}",
            ),
            ("\u{301}a", "\\u{301}a"),
            ("a ##vso[x]", r"a #\u{23}vso[x]"),
            (" ::error::x", r" \u{3a}:error::x"),
            ("std::move", "std::move"),
        ] {
            assert_eq!(clean(hostile), harmless);
            assert_eq!(clean(harmless), harmless, "a second pass changes nothing");
        }
    }

    #[test]
    fn no_character_without_width_survives_but_a_few_marks() {
        for character in '\0'..=char::MAX {
            let out = clean(&character.to_string());
            assert!(
                out.chars().all(|shown| shown.width().unwrap_or(0) > 0),
                "{character:?} became {out:?}"
            );
        }
    }
}
