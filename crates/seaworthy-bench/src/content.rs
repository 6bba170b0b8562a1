//! Bytes that compress, and inflate, like those of real files.
//!
//! What makes inflating fast or slow is how long the repetitions are, how far
//! back they reach and how uneven the bytes between them are. Each kind of
//! content therefore has its own habits of repeating itself, set so that size
//! and speed agree with real folders; `--like DIR` shows both side by side.

use crate::dice::Dice;

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Prose, scripts and tables of names.
    Text,
    /// Machine code, relocations and constants.
    Code,
    /// What is compressed already: pictures, archives.
    Noise,
}

/// How content repeats itself.
struct Habit {
    /// How often a stretch is a repetition, in a thousand.
    repeats: usize,
    /// The shortest repetition and the range above it.
    length: (usize, usize),
    /// How often a repetition is long, in a thousand, and how long at most.
    long: (usize, usize),
    /// How far back repetitions reach, in bytes.
    reach: usize,
}

const TEXT: Habit = Habit {
    repeats: 500,
    length: (6, 16),
    long: (90, 160),
    reach: 30_000,
};
const CODE: Habit = Habit {
    repeats: 300,
    length: (5, 16),
    long: (120, 160),
    reach: 32_000,
};

/// Writes content. Holds the words and instructions everything is made of.
pub(crate) struct Author {
    words: Vec<Vec<u8>>,
    instructions: Vec<Vec<u8>>,
}

const WORDS: usize = 12_000;
const INSTRUCTIONS: usize = 700;

impl Author {
    pub(crate) fn new() -> Self {
        let mut dice = Dice::of(0x5ea);
        Self {
            words: (0..WORDS).map(|rank| word(rank, &mut dice)).collect(),
            instructions: (0..INSTRUCTIONS)
                .map(|rank| instruction(rank, &mut dice))
                .collect(),
        }
    }

    /// A word that may stand in a path.
    pub(crate) fn name(&self, dice: &mut Dice) -> String {
        let at = 200 + dice.below(WORDS - 200);
        let word = self.words.get(at).map(Vec::as_slice).unwrap_or_default();
        String::from_utf8_lossy(word).into_owned()
    }

    /// Adds `length` bytes to `out`.
    pub(crate) fn write(
        &self,
        content: Content,
        length: usize,
        dice: &mut Dice,
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        let end = start + length;
        match content {
            Content::Text => self.weave(&TEXT, &Self::sentence, (start, end), dice, out),
            Content::Code => self.weave(&CODE, &Self::block, (start, end), dice, out),
            Content::Noise => {
                out.resize(end, 0);
                dice.fill(out.get_mut(start..).unwrap_or_default());
            }
        }
        out.truncate(end);
    }

    fn weave(
        &self,
        habit: &Habit,
        fresh: &dyn Fn(&Self, &mut Dice, &mut Vec<u8>),
        (start, end): (usize, usize),
        dice: &mut Dice,
        out: &mut Vec<u8>,
    ) {
        while out.len() < end {
            let written = out.len() - start;
            if written < 64 || !dice.happens(habit.repeats) {
                fresh(self, dice, out);
                continue;
            }
            let length = if dice.happens(habit.long.0) {
                16 + dice.magnitude(habit.long.1)
            } else {
                habit.length.0 + dice.below(habit.length.1)
            };
            let back = length + dice.magnitude(habit.reach);
            let from = out.len() - back.min(written);
            let until = (from + length).min(out.len());
            out.extend_from_within(from..until);
        }
    }

    fn sentence(&self, dice: &mut Dice, out: &mut Vec<u8>) {
        for _ in 0..=dice.below(3) {
            // Zipf's law, near enough: rank times frequency is constant.
            let rank = dice.magnitude(WORDS) - 1;
            out.extend_from_slice(self.words.get(rank).map(Vec::as_slice).unwrap_or_default());
            out.push(b' ');
        }
        match dice.below(12) {
            0 => out.extend_from_slice(b"\n    "),
            1 => out.extend_from_slice(b", "),
            2 => out.extend_from_slice(b".\n"),
            3 => out.extend_from_slice(b"("),
            4 => out.extend_from_slice(b"_"),
            5 => out.extend_from_slice(dice.below(4000).to_string().as_bytes()),
            _ => {}
        }
    }

    fn block(&self, dice: &mut Dice, out: &mut Vec<u8>) {
        if dice.happens(8) {
            // A run of padding or of an empty table.
            out.resize(out.len() + 8 + dice.magnitude(400), 0);
            return;
        }
        if dice.happens(4) {
            relocations(dice, out);
            return;
        }
        let rank = dice.magnitude(INSTRUCTIONS) - 1;
        out.extend_from_slice(
            self.instructions
                .get(rank)
                .map(Vec::as_slice)
                .unwrap_or_default(),
        );
        match dice.below(10) {
            // A near operand, a stack slot, a far call.
            0..=2 => out.push(u8::try_from(8 * dice.magnitude(24)).unwrap_or(0)),
            3 => out.push(dice.roll().to_le_bytes()[0]),
            4 => {
                let place = u32::try_from(dice.magnitude(1 << 21)).unwrap_or(0);
                let place = if dice.happens(400) { !place } else { place };
                out.extend_from_slice(&place.to_le_bytes());
            }
            _ => {}
        }
    }
}

const SYLLABLES: [&str; 40] = [
    "an", "ar", "ba", "ber", "co", "con", "da", "de", "di", "el", "en", "er", "es", "fi", "ge",
    "in", "ing", "is", "la", "le", "li", "lo", "ma", "me", "mi", "na", "ne", "no", "or", "pa",
    "per", "re", "ri", "se", "si", "ta", "te", "ti", "tion", "ve",
];

/// A table of relocations: an offset, a kind and a target each, in order.
fn relocations(dice: &mut Dice, out: &mut Vec<u8>) {
    let mut offset = dice.below(1 << 22) as u64;
    for _ in 0..8 + dice.magnitude(120) {
        offset += 8 * (1 + dice.below(2) as u64);
        let target = 0x4_0000 + dice.below(1 << 14) as u64 * 16;
        for value in [offset, 8, target] {
            out.extend_from_slice(&value.to_le_bytes());
        }
    }
}

fn word(rank: usize, dice: &mut Dice) -> Vec<u8> {
    // Frequent words are short.
    let syllables = 1 + usize::from(rank > 25) + usize::from(rank > 400) + dice.below(2);
    let mut word = Vec::new();
    for _ in 0..syllables {
        let syllable = SYLLABLES.get(dice.below(SYLLABLES.len())).unwrap_or(&"an");
        word.extend_from_slice(syllable.as_bytes());
    }
    word
}

fn instruction(rank: usize, dice: &mut Dice) -> Vec<u8> {
    let length = 1 + usize::from(rank > 12) + dice.below(3);
    let mut bytes = vec![0; length];
    dice.fill(&mut bytes);
    // Most code begins with the same few prefixes.
    if let Some(first) = bytes.first_mut()
        && dice.happens(500)
    {
        *first = 0x48;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_has_the_length_asked_for_and_never_changes() {
        let author = Author::new();
        for content in [Content::Text, Content::Code, Content::Noise] {
            let write = || {
                let mut out = b"before".to_vec();
                author.write(content, 10_000, &mut Dice::of(3), &mut out);
                out
            };
            assert_eq!(write().len(), 10_006);
            assert_eq!(write(), write());
        }
    }
}
