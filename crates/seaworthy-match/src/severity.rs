//! Which of several judgements counts.

use seaworthy_core::{Rating, RatingSystem, Severity};

/// The level policy looks at.
///
/// A distribution knows how it built a package, so its own word or score comes
/// first. Otherwise the newest CVSS generation that anyone used counts, and in
/// it the highest score; words count only where nobody gave a score.
pub fn chosen_severity(distro: &[Rating], all: &[Rating]) -> Option<Severity> {
    let words_first = [
        RatingSystem::Word,
        RatingSystem::CvssV4,
        RatingSystem::CvssV3,
        RatingSystem::CvssV2,
    ];
    let scores_first = [
        RatingSystem::CvssV4,
        RatingSystem::CvssV3,
        RatingSystem::CvssV2,
        RatingSystem::Word,
    ];
    highest_of_first(distro, words_first).or_else(|| highest_of_first(all, scores_first))
}

fn highest_of_first(ratings: &[Rating], order: [RatingSystem; 4]) -> Option<Severity> {
    order.into_iter().find_map(|system| {
        ratings
            .iter()
            .filter(|it| it.system == system)
            .map(|it| it.severity)
            .max()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rating(system: RatingSystem, severity: Severity) -> Rating {
        Rating {
            source: "s".into(),
            system,
            text: "t".into(),
            score_tenths: None,
            severity,
        }
    }

    #[test]
    fn the_distribution_speaks_first_then_the_newest_score() {
        use RatingSystem::{CvssV2, CvssV3, CvssV4, Word};
        use Severity::{Critical, High, Low, Medium};
        let all = [
            rating(CvssV2, Critical),
            rating(CvssV3, High),
            rating(CvssV3, Medium),
            rating(Word, Critical),
        ];
        assert_eq!(chosen_severity(&[], &all), Some(High));
        assert_eq!(chosen_severity(&[rating(Word, Low)], &all), Some(Low));
        assert_eq!(
            chosen_severity(&[rating(CvssV4, Medium), rating(Word, Low)], &[]),
            Some(Low)
        );
        assert_eq!(chosen_severity(&[], &[rating(Word, Medium)]), Some(Medium));
        assert_eq!(chosen_severity(&[], &[]), None);
    }
}
