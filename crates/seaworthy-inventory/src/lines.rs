//! Lines of a text that may be of any size and come in pieces.

use memchr::memchr;

/// The longest line that is kept, in bytes. The longest honest ones are lists of
/// dependencies of some tens of thousands.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// Cuts pieces into lines, keeping at most one line of at most [`MAX_LINE`].
#[derive(Debug, Default)]
pub(crate) struct Lines {
    /// The start of a line whose end has not come yet.
    pending: Vec<u8>,
    /// Whether more of that line was thrown away.
    is_cut: bool,
}

/// A line without its end of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    /// Its bytes, or the first [`MAX_LINE`] of them.
    pub(crate) bytes: &'a [u8],
    /// Whether bytes are missing at its end.
    pub(crate) is_cut: bool,
}

impl Lines {
    /// Takes the next bytes and gives out each line that they complete.
    pub(crate) fn feed(&mut self, mut bytes: &[u8], mut take: impl FnMut(Line<'_>)) {
        while let Some(at) = memchr(b'\n', bytes) {
            let (head, tail) = bytes.split_at(at);
            if self.pending.is_empty() && !self.is_cut {
                take(line(head));
            } else {
                self.keep(head);
                self.give(&mut take);
            }
            bytes = tail.get(1..).unwrap_or_default();
        }
        self.keep(bytes);
    }

    /// Gives out a last line that has no end of line.
    pub(crate) fn finish(mut self, mut take: impl FnMut(Line<'_>)) {
        if !self.pending.is_empty() {
            self.give(&mut take);
        }
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = MAX_LINE.saturating_sub(self.pending.len());
        self.is_cut |= bytes.len() > room;
        self.pending
            .extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    fn give(&mut self, take: &mut impl FnMut(Line<'_>)) {
        take(Line {
            bytes: &self.pending,
            is_cut: self.is_cut,
        });
        self.pending.clear();
        self.is_cut = false;
    }
}

fn line(bytes: &[u8]) -> Line<'_> {
    Line {
        bytes: bytes.get(..MAX_LINE).unwrap_or(bytes),
        is_cut: bytes.len() > MAX_LINE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<(String, bool)> {
        let mut lines = Lines::default();
        let mut read = Vec::new();
        let mut take = |line: Line<'_>| {
            read.push((
                String::from_utf8_lossy(line.bytes).into_owned(),
                line.is_cut,
            ));
        };
        for piece in pieces {
            lines.feed(piece, &mut take);
        }
        lines.finish(&mut take);
        read
    }

    #[test]
    fn pieces_do_not_change_the_lines() {
        let text = b"one\n\ntwo three\nlast";
        let whole = read(&[text]);
        assert_eq!(whole.len(), 4);
        for at in 0..text.len() {
            let (head, tail) = text.split_at(at);
            assert_eq!(read(&[head, tail]), whole, "cut at {at}");
        }
    }

    #[test]
    fn an_endless_line_is_cut_and_the_next_one_whole() {
        let mut pieces = vec![vec![b'x'; 70_000]; 32];
        pieces.push(b"x\nnext\n".to_vec());
        let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
        let lines = read(&pieces);
        let [(first, is_cut), second] = &*lines else {
            panic!("{} lines", lines.len());
        };
        assert_eq!((first.len(), *is_cut), (MAX_LINE, true));
        assert_eq!(*second, ("next".to_owned(), false));
        let mut long = vec![b'x'; MAX_LINE + 1];
        long.push(b'\n');
        assert!(read(&[&long])[0].1);
    }
}
