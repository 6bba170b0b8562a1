//! What many rounds come to. The machine is never alone: only ratios within a
//! round are compared, and of those only the median counts.

use std::time::Duration;

/// The median; zero of nothing.
pub(crate) fn median(times: impl IntoIterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.into_iter().collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The median of what each round has `ours` for one of `theirs`.
pub(crate) fn ratio(
    ours: impl IntoIterator<Item = Duration>,
    theirs: impl IntoIterator<Item = Duration>,
) -> f64 {
    let mut ratios: Vec<f64> = ours
        .into_iter()
        .zip(theirs)
        .map(|(ours, theirs)| ours.as_secs_f64() / theirs.as_secs_f64().max(1e-9))
        .collect();
    ratios.sort_unstable_by(f64::total_cmp);
    ratios.get(ratios.len() / 2).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slow_round_changes_nothing() {
        let times = |it: [u64; 3]| it.map(Duration::from_millis);
        assert_eq!(median(times([3, 900, 5])), Duration::from_millis(5));
        let paired = ratio(times([10, 3000, 12]), times([10, 2000, 10]));
        assert!((paired - 1.2).abs() < 1e-9, "{paired}");
    }
}
