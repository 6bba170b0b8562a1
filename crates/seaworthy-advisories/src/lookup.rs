//! From a name in an ecosystem to all there is about it.

use std::cmp::Ordering;
use std::ops::Range;

use crate::format::{NONE, bytes_at, size, u32_at, u64_at};
use crate::group::{ALIGNMENT, Group};
use crate::hash;

/// The sections a lookup reads.
#[derive(Clone, Copy)]
pub(crate) struct Index<'a> {
    pub(crate) strings: &'a [u8],
    pub(crate) ecosystems: &'a [u8],
    pub(crate) starts: &'a [u8],
    pub(crate) keys: &'a [u8],
    pub(crate) groups: &'a [u8],
}

/// The edition contradicts itself where the answer would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

impl<'a> Index<'a> {
    /// The position of an ecosystem, if the edition has it.
    pub(crate) fn ecosystem(
        &self,
        family: &str,
        release: Option<&str>,
    ) -> Result<Option<usize>, Damaged> {
        let hash = hash::of_ecosystem(family, release);
        let wanted = (family.as_bytes(), release.map(str::as_bytes));
        search(0..self.ecosystems.len() / size::ECOSYSTEM, |index| {
            let at = index * size::ECOSYSTEM;
            Some(match u64_at(self.ecosystems, at)?.cmp(&hash) {
                Ordering::Equal => {
                    let family = bytes_at(self.strings, u32_at(self.ecosystems, at + 8)?)?;
                    let release = match u32_at(self.ecosystems, at + 12)? {
                        NONE => None,
                        release => Some(bytes_at(self.strings, release)?),
                    };
                    (family, release).cmp(&wanted)
                }
                different => different,
            })
        })
    }

    /// The position of the ecosystem that has the family of the one at this
    /// position and no release, if the edition has it.
    pub(crate) fn family(&self, ecosystem: usize) -> Result<Option<usize>, Damaged> {
        let at = ecosystem.checked_mul(size::ECOSYSTEM).ok_or(Damaged)?;
        match u32_at(self.ecosystems, at + 28).ok_or(Damaged)? {
            NONE => Ok(None),
            position => usize::try_from(position).map(Some).map_err(|_| Damaged),
        }
    }

    /// The group about a name in the ecosystem at this position, if there is one.
    pub(crate) fn group(
        &self,
        ecosystem: usize,
        hash: u64,
        name: &str,
    ) -> Result<Option<Group<'a>>, Damaged> {
        let bucket = self.bucket(ecosystem, hash).ok_or(Damaged)?;
        let [low, ..] = halves(hash);
        let mut group = None;
        let found = search(bucket, |index| {
            let at = index * size::KEY;
            Some(match u32_at(self.keys, at)?.cmp(&low) {
                Ordering::Equal => {
                    let here = self.group_at(u32_at(self.keys, at + 4)?)?;
                    let order = here.name()?.cmp(name.as_bytes());
                    group = order.is_eq().then_some(here);
                    order
                }
                different => different,
            })
        })?;
        Ok(found.and(group))
    }

    /// The positions of the keys that share the top bits of `hash`.
    fn bucket(&self, ecosystem: usize, hash: u64) -> Option<Range<usize>> {
        let at = ecosystem.checked_mul(size::ECOSYSTEM)?;
        let first = u32_at(self.ecosystems, at + 20)?;
        let bits = u32_at(self.ecosystems, at + 24)?;
        let bucket = bucket_of(hash, bits)?;
        let at = usize::try_from(u64::from(first) + u64::from(bucket)).ok()?;
        let start = |at: usize| {
            let key = u32_at(self.starts, at.checked_mul(size::WORD)?)?;
            usize::try_from(key).ok()
        };
        let (start, end) = (start(at)?, start(at + 1)?);
        (start <= end && end <= self.keys.len() / size::KEY).then_some(start..end)
    }

    /// The group of the key at this position.
    pub(crate) fn group_of(&self, key: usize) -> Option<Group<'a>> {
        let at = key.checked_mul(size::KEY)?;
        self.group_at(u32_at(self.keys, at + 4)?)
    }

    fn group_at(&self, place: u32) -> Option<Group<'a>> {
        let at = usize::try_from(place).ok()?.checked_mul(ALIGNMENT)?;
        Group::at(self.groups.get(at..)?)
    }
}

/// The halves of a hash, the low one first.
#[expect(
    clippy::cast_possible_truncation,
    reason = "cutting is how a hash falls into its halves"
)]
pub(crate) fn halves(hash: u64) -> [u32; 2] {
    [hash as u32, (hash >> 32) as u32]
}

/// The bucket of a hash among 2^`bits`. `None` for more bits than there are.
pub(crate) fn bucket_of(hash: u64, bits: u32) -> Option<u32> {
    let [_, high] = halves(hash);
    if bits == 0 {
        return Some(0);
    }
    32_u32.checked_sub(bits).map(|shift| high >> shift)
}

/// The position in `range` where `order` finds equality. Where `order` finds
/// damage the search ends.
fn search(
    range: Range<usize>,
    mut order: impl FnMut(usize) -> Option<Ordering>,
) -> Result<Option<usize>, Damaged> {
    let (mut low, mut high) = (range.start, range.end);
    while low < high {
        let middle = low + (high - low) / 2;
        match order(middle).ok_or(Damaged)? {
            Ordering::Less => low = middle + 1,
            Ordering::Greater => high = middle,
            Ordering::Equal => return Ok(Some(middle)),
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use seaworthy_core::{Advisory, Ecosystem, PackageKey, Stance, Statement};
    use seaworthy_match::Advisories;

    use super::*;

    #[test]
    fn buckets_are_counted_by_the_top_bits() {
        assert_eq!(halves(0x0123_4567_89ab_cdef), [0x89ab_cdef, 0x0123_4567]);
        for (hash, bits, bucket) in [
            (u64::MAX, 0, Some(0)),
            (u64::MAX, 1, Some(1)),
            (u64::MAX, 32, Some(u32::MAX)),
            (0x8000_0000_0000_0000, 3, Some(4)),
            (0x7fff_ffff_ffff_ffff, 3, Some(3)),
            (0, 33, None),
        ] {
            assert_eq!(bucket_of(hash, bits), bucket, "{hash:x} {bits}");
        }
    }

    /// Two names whose hashes share their low halves and top bits: nothing but
    /// the names tells them apart.
    fn alike() -> [String; 2] {
        let mut seen = std::collections::HashMap::new();
        for number in 0_u64.. {
            let name = format!("n{number}");
            let [low, high] = halves(hash::of_name(&name));
            if let Some(other) = seen.insert((low, high >> 31), name.clone()) {
                return [other, name];
            }
        }
        unreachable!("there are more numbers than hashes")
    }

    #[test]
    fn names_that_hash_alike_are_told_apart() {
        let [one, other] = alike();
        let edition = |names: &[&str]| {
            let mut compiler = crate::Compiler::new();
            for name in names {
                let mut advisory = Advisory::new("osv/npm", &format!("X-{name}"));
                advisory.statements.push(Statement {
                    about: PackageKey {
                        ecosystem: Ecosystem::family_only("npm"),
                        name: (*name).into(),
                    },
                    stance: Stance::UnderReview,
                });
                compiler.add(&advisory).expect("it is small");
            }
            let bytes = compiler.compile(&crate::Context::default());
            crate::Edition::from_bytes(bytes.expect("it is small")).expect("it was compiled")
        };
        let records = |edition: &crate::Edition, name: &str| {
            let mut records = Vec::new();
            edition.about(&Ecosystem::family_only("npm"), name, &mut |row| {
                records.push(edition.record(row.record).id);
            });
            records
        };
        let both = edition(&[&one, "x", &other]);
        assert_eq!(records(&both, &one), [format!("X-{one}").into()]);
        assert_eq!(records(&both, &other), [format!("X-{other}").into()]);
        let lone = edition(&[&one, "x"]);
        assert_eq!(records(&lone, &other), []);
    }

    #[test]
    fn a_search_finds_what_is_there_and_stops_at_damage() {
        let odd: Vec<usize> = (0..40).map(|number| 2 * number + 1).collect();
        for wanted in 0..=81 {
            let found = search(0..odd.len(), |index| Some(odd.get(index)?.cmp(&wanted)));
            assert_eq!(
                found,
                Ok(odd.iter().position(|it| *it == wanted)),
                "{wanted}"
            );
        }
        assert_eq!(search(0..40, |_| None), Err(Damaged));
        // A range that contradicts itself holds nothing.
        let backwards = Range { start: 4, end: 2 };
        assert_eq!(search(backwards, |_| None), Ok(None));
    }
}
