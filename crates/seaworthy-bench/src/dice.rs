//! Chance that falls the same way on every machine.

/// A source of numbers that depends on its seed alone (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`, or 0 where there is none.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.roll()) * (end as u128);
        usize::try_from(wide >> 64).unwrap_or(0)
    }

    /// Whether something happens that does so `per_mille` times in a thousand.
    pub(crate) fn happens(&mut self, per_mille: usize) -> bool {
        self.below(1000) < per_mille
    }

    /// A number in `1..=most` whose magnitudes are equally likely: small ones
    /// are frequent, large ones occur.
    pub(crate) fn magnitude(&mut self, most: usize) -> usize {
        let bits = most.max(1).ilog2() as usize + 1;
        let bits = self.below(bits);
        (1 + self.below(2 << bits)).min(most.max(1))
    }

    /// The sum of four dice: a hill around `2 * sides`.
    pub(crate) fn hill(&mut self, sides: usize) -> usize {
        (0..4).map(|_| self.below(sides + 1)).sum()
    }

    pub(crate) fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.roll().to_le_bytes();
            for (byte, random) in chunk.iter_mut().zip(word) {
                *byte = random;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_the_same_everywhere() {
        let mut dice = Dice::of(1);
        let rolled = [dice.roll(), dice.roll()];
        assert_eq!(rolled, [0x910a_2dec_8902_5cc1, 0xbeeb_8da1_658e_ec67]);
    }

    #[test]
    fn numbers_stay_in_their_bounds() {
        let mut dice = Dice::of(7);
        for most in [1, 2, 3, 100, 32_768] {
            for _ in 0..1000 {
                assert!(dice.below(most) < most);
                assert!((1..=most).contains(&dice.magnitude(most)));
            }
        }
    }
}
