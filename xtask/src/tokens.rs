//! Rust source as words and marks: enough grammar to see names, and nothing of
//! what stands in comments and strings.

/// One token and the line it starts on, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token<'source> {
    pub(crate) kind: Kind,
    pub(crate) text: &'source str,
    pub(crate) line: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An identifier or keyword; a raw identifier without its `r#`.
    Word,
    /// A string of any sort, with its quotes.
    Text,
    /// A character, byte or number.
    Value,
    Lifetime,
    /// `::`
    Step,
    /// Any other single character.
    Mark,
}

impl Token<'_> {
    pub(crate) fn is_word(&self, word: &str) -> bool {
        self.kind == Kind::Word && self.text == word
    }

    pub(crate) fn is_mark(&self, mark: char) -> bool {
        self.kind == Kind::Mark && self.text.starts_with(mark)
    }

    pub(crate) fn opens(&self) -> bool {
        self.is_mark('(') || self.is_mark('[') || self.is_mark('{')
    }

    pub(crate) fn closes(&self) -> bool {
        self.is_mark(')') || self.is_mark(']') || self.is_mark('}')
    }
}

/// The tokens of `source`. Broken source gives broken tokens, never a panic:
/// the compiler is the one to complain.
pub(crate) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut reader = Reader {
        source,
        bytes: source.as_bytes(),
        at: 0,
        line: 1,
    };
    let mut tokens = Vec::new();
    while let Some(token) = reader.next() {
        tokens.push(token);
    }
    tokens
}

/// The index just past the bracket that closes the one at `open`.
pub(crate) fn past_group(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0_usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        if token.opens() {
            depth += 1;
        } else if token.closes() {
            depth = depth.saturating_sub(1);
            if depth == 0 {
                return index + 1;
            }
        }
    }
    tokens.len()
}

struct Reader<'source> {
    source: &'source str,
    bytes: &'source [u8],
    at: usize,
    line: usize,
}

impl<'source> Reader<'source> {
    fn next(&mut self) -> Option<Token<'source>> {
        self.skip_blank_and_comments();
        let first = self.peek(0)?;
        let (start, line) = (self.at, self.line);
        let kind = match first {
            b'"' => self.quoted(),
            b'\'' => self.quote_or_lifetime(),
            b'0'..=b'9' => self.number(),
            b':' if self.peek(1) == Some(b':') => {
                self.at += 2;
                Kind::Step
            }
            _ if is_word_byte(first) => match self.prefixed(first) {
                Some(kind) => kind,
                None => return Some(self.word(line)),
            },
            _ => {
                self.at += 1;
                Kind::Mark
            }
        };
        Some(Token {
            kind,
            text: self.source.get(start..self.at).unwrap_or_default(),
            line,
        })
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    /// Steps over one byte and counts its line.
    fn step(&mut self) {
        if self.peek(0) == Some(b'\n') {
            self.line += 1;
        }
        self.at += 1;
    }

    fn skip_blank_and_comments(&mut self) {
        while let Some(byte) = self.peek(0) {
            if byte.is_ascii_whitespace() {
                self.step();
            } else if byte == b'/' && self.peek(1) == Some(b'/') {
                while self.peek(0).is_some_and(|byte| byte != b'\n') {
                    self.at += 1;
                }
            } else if byte == b'/' && self.peek(1) == Some(b'*') {
                self.skip_block_comment();
            } else {
                return;
            }
        }
    }

    /// Block comments nest in Rust.
    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek(0) {
            match (byte, self.peek(1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    self.at += 2;
                }
                (b'*', Some(b'/')) => {
                    depth -= 1;
                    self.at += 2;
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.step(),
            }
        }
    }

    /// A literal that starts with a letter: `r"…"`, `b'…'`, `br#"…"#`, `c"…"`.
    fn prefixed(&mut self, first: u8) -> Option<Kind> {
        if !matches!(first, b'r' | b'b' | b'c') {
            return None;
        }
        if first == b'b' && self.peek(1) == Some(b'\'') {
            self.at += 1;
            return Some(self.quote_or_lifetime());
        }
        let letters = if matches!(first, b'b' | b'c') && self.peek(1) == Some(b'r') {
            2
        } else {
            1
        };
        let raw = first == b'r' || letters == 2;
        let mut hashes = 0;
        while raw && self.peek(letters + hashes) == Some(b'#') {
            hashes += 1;
        }
        if self.peek(letters + hashes) != Some(b'"') {
            return None;
        }
        self.at += letters + hashes;
        Some(if raw { self.raw(hashes) } else { self.quoted() })
    }

    fn quoted(&mut self) -> Kind {
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            self.step();
            match byte {
                b'"' => break,
                b'\\' => self.step(),
                _ => {}
            }
        }
        self.at = self.at.min(self.bytes.len());
        Kind::Text
    }

    fn raw(&mut self, hashes: usize) -> Kind {
        self.at += 1;
        while let Some(byte) = self.peek(0) {
            self.step();
            if byte == b'"' && (0..hashes).all(|ahead| self.peek(ahead) == Some(b'#')) {
                self.at += hashes;
                break;
            }
        }
        Kind::Text
    }

    fn quote_or_lifetime(&mut self) -> Kind {
        self.at += 1;
        let after = self.source.get(self.at..).unwrap_or_default();
        let mut characters = after.chars();
        let first = characters.next();
        if first != Some('\\') && characters.next() != Some('\'') {
            while self.peek(0).is_some_and(is_word_byte) {
                self.at += 1;
            }
            return Kind::Lifetime;
        }
        while let Some(byte) = self.peek(0) {
            self.step();
            match byte {
                b'\'' => break,
                b'\\' => self.step(),
                _ => {}
            }
        }
        self.at = self.at.min(self.bytes.len());
        Kind::Value
    }

    fn number(&mut self) -> Kind {
        while let Some(byte) = self.peek(0) {
            let fraction = byte == b'.' && self.peek(1).is_some_and(|next| next.is_ascii_digit());
            if !is_word_byte(byte) && !fraction {
                break;
            }
            self.at += 1;
        }
        Kind::Value
    }

    fn word(&mut self, line: usize) -> Token<'source> {
        if self.peek(0) == Some(b'r')
            && self.peek(1) == Some(b'#')
            && self.peek(2).is_some_and(is_word_byte)
        {
            self.at += 2;
        }
        let start = self.at;
        while self.peek(0).is_some_and(is_word_byte) {
            self.at += 1;
        }
        Token {
            kind: Kind::Word,
            text: self.source.get(start..self.at).unwrap_or_default(),
            line,
        }
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: &[&str]) {
        let texts: Vec<&str> = tokens(source).iter().map(|token| token.text).collect();
        assert_eq!(texts, expected, "{source}");
    }

    #[test]
    fn comments_vanish_and_nested_ones_too() {
        check("a // crate::b\nc /* d /* e */ f */ g", &["a", "c", "g"]);
        check("/* never closed", &[]);
    }

    #[test]
    fn strings_are_one_token_whatever_stands_in_them() {
        check(
            r#"f("crate::x // no")"#,
            &["f", "(", "\"crate::x // no\"", ")"],
        );
        check(r##"r#"say "hi" "# x"##, &[r##"r#"say "hi" "#"##, "x"]);
        check(r#""a\"b" c"#, &[r#""a\"b""#, "c"]);
        check("br\"x\" b\"y\" c\"z\"", &["br\"x\"", "b\"y\"", "c\"z\""]);
        check("\"never closed", &["\"never closed"]);
        check("\"ends in a backslash\\", &["\"ends in a backslash\\"]);
    }

    #[test]
    fn a_lifetime_is_not_a_character() {
        check(
            "&'a str 'b' '\\'' b'\"' 'é'",
            &["&", "'a", "str", "'b'", "'\\''", "b'\"'", "'é'"],
        );
        assert_eq!(tokens("'a")[0].kind, Kind::Lifetime);
        assert_eq!(tokens("'a'")[0].kind, Kind::Value);
    }

    #[test]
    fn words_numbers_and_steps() {
        check(
            "r#type::b 1.5e3 0..2 x.0",
            &[
                "type", "::", "b", "1.5e3", "0", ".", ".", "2", "x", ".", "0",
            ],
        );
    }

    #[test]
    fn lines_are_counted_through_strings_and_comments() {
        let source = "a\n\"x\ny\"\n/* \n */ b";
        let lines: Vec<usize> = tokens(source).iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 2, 5]);
    }

    #[test]
    fn a_group_ends_at_its_own_bracket() {
        let tokens = tokens("f(a[b], {c}) d");
        assert_eq!(tokens[past_group(&tokens, 1)].text, "d");
        assert_eq!(past_group(&tokens, tokens.len()), tokens.len());
    }
}
