//! Shares between 0 and 1 as whole millionths.

/// Reads a share such as `0.97565`. `None` for anything outside 0 to 1.
pub(crate) fn millionths(text: &str) -> Option<u32> {
    let share: f64 = text.trim().parse().ok()?;
    if !(0.0..=1.0).contains(&share) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of at most one is at most a million millionths"
    )]
    Some((share * 1e6).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_rounded_to_millionths_and_anything_else_is_none() {
        for (text, expected) in [
            ("0", Some(0)),
            ("1.0", Some(1_000_000)),
            ("0.97565", Some(975_650)),
            ("0.9981063485700858", Some(998_106)),
            ("1e-3", Some(1_000)),
            ("1.01", None),
            ("-0.1", None),
            ("NaN", None),
            ("inf", None),
            ("", None),
        ] {
            assert_eq!(millionths(text), expected, "{text}");
        }
    }
}
