//! The hash of names. It is part of the format: its values lie in editions, so
//! it is the same on every machine and for ever.
//!
//! Words are mixed by multiplying them to twice their length and folding the
//! halves, after the manner of wyhash. It is fast and spreads well, and it is no
//! secret: names can be made that collide, which the layout answers with a
//! search that does not care.

/// Odd words without a pattern: the fraction of the golden ratio and the
/// fractions of the square roots of 2, 3 and 5.
const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;
const ROOT_OF_2: u64 = 0x6a09_e667_f3bc_c909;
const ROOT_OF_3: u64 = 0xbb67_ae85_84ca_a73b;
const ROOT_OF_5: u64 = 0x3c6e_f372_fe94_f82b;

/// The hash of an ecosystem in its parts.
pub(crate) fn of_ecosystem(family: &str, release: Option<&str>) -> u64 {
    let family = of(family.as_bytes());
    match release {
        None => family,
        Some(release) => fold(family ^ ROOT_OF_5, of(release.as_bytes()) ^ GOLDEN),
    }
}

/// The hash of a name.
pub(crate) fn of_name(name: &str) -> u64 {
    of(name.as_bytes())
}

fn of(bytes: &[u8]) -> u64 {
    let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
    let mut state = length.wrapping_mul(GOLDEN) ^ ROOT_OF_2;
    let (pairs, rest) = bytes.as_chunks::<16>();
    for pair in pairs {
        let (low, high) = split(u128::from_le_bytes(*pair));
        state = fold(low ^ state, high ^ ROOT_OF_3);
    }
    let (low, high) = ends(rest);
    fold(fold(low ^ state, high ^ ROOT_OF_5), state ^ GOLDEN)
}

/// Up to sixteen bytes as two words, which overlap where bytes are few. With the
/// number of the bytes they tell all of them.
fn ends(bytes: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return (
            u64::from(u32::from_le_bytes(*first)),
            u64::from(u32::from_le_bytes(*last)),
        );
    }
    match *bytes {
        [one] => (u64::from(one), 0),
        [one, two] => (u64::from(one), u64::from(two)),
        [one, two, three] => (u64::from(one) << 8 | u64::from(two), u64::from(three)),
        _ => (0, 0),
    }
}

/// The product of two words, its halves folded onto each other.
fn fold(one: u64, other: u64) -> u64 {
    let (low, high) = split(u128::from(one) * u128::from(other));
    low ^ high
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "cutting is how a double word falls into its halves"
)]
fn split(both: u128) -> (u64, u64) {
    (both as u64, (both >> 64) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_hash_as_they_did_when_the_format_was_made() {
        let hashes = ["", "a", "openssl", "linux-headers-", "libstdc++6-13-dbg"]
            .map(|name| format!("{:016x}", of_name(name)));
        insta::assert_debug_snapshot!(hashes, @r#"
        [
            "ab6e61bf8ef1d83e",
            "194b0e96c8552087",
            "88864e33668ec488",
            "4a48b2b6624df815",
            "61c5238e5444d00d",
        ]
        "#);
        let hashes = [("npm", None), ("Debian", Some("12")), ("Debian", Some(""))]
            .map(|(family, release)| format!("{:016x}", of_ecosystem(family, release)));
        insta::assert_debug_snapshot!(hashes, @r#"
        [
            "882c1a28be308b66",
            "fe85220790410f81",
            "5660e8ba71b410a6",
        ]
        "#);
    }

    #[test]
    fn names_that_differ_little_spread_over_all_buckets() {
        const BUCKETS: usize = 1 << 10;
        let mut counts = [0_u32; BUCKETS];
        let mut all = std::collections::HashSet::new();
        for number in 0..16 * BUCKETS {
            let hash = of_name(&format!("node-{number}"));
            let bucket = usize::try_from(hash >> 54).expect("it has ten bits");
            counts[bucket] += 1;
            all.insert(hash);
        }
        assert_eq!(all.len(), 16 * BUCKETS);
        let (least, most) = (counts.iter().min(), counts.iter().max());
        assert!(least > Some(&2) && most < Some(&40), "{least:?} {most:?}");
    }

    #[test]
    fn every_byte_and_the_length_count() {
        for length in 0..70 {
            let plain = vec![b'x'; length];
            let mut hashes: Vec<u64> = (0..length)
                .map(|place| {
                    let mut other = plain.clone();
                    other[place] = b'y';
                    of(&other)
                })
                .collect();
            hashes.extend([of(&plain), of(&[&plain[..], b"x"].concat())]);
            let count = hashes.len();
            hashes.sort_unstable();
            hashes.dedup();
            assert_eq!(hashes.len(), count, "{length}");
        }
    }

    #[test]
    fn parts_do_not_flow_into_each_other() {
        let hashes = [
            of_ecosystem("Debian", Some("12")),
            of_ecosystem("Debian12", None),
            of_ecosystem("Debian", Some("")),
            of_ecosystem("Debian", None),
            of_ecosystem("12", Some("Debian")),
            of_name("a\0"),
            of_name("a"),
        ];
        for (index, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..index].contains(hash), "{index}");
        }
    }
}
