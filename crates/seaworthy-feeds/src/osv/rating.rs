//! Judgements in a record.

use std::str::FromStr;

use cvss::Cvss;
use seaworthy_core::{Rating, RatingSystem, Severity};

/// Who wrote the record called `id`: the letters before its first number, such
/// as `GHSA`.
pub(super) fn source_of(id: &str) -> &str {
    let end = id
        .char_indices()
        .find(|(_, character)| !character.is_ascii_alphabetic())
        .map_or(id.len(), |(at, _)| at);
    id.get(..end).filter(|it| !it.is_empty()).unwrap_or("osv")
}

/// A rating by a CVSS vector of any version. `None` for a vector that is none:
/// the record keeps its other judgements.
pub(crate) fn of_vector(source: &str, vector: &str) -> Option<Rating> {
    let vector = vector.trim();
    if vector.len() > 300 {
        return None;
    }
    let parsed = Cvss::from_str(vector).ok()?;
    let system = match &parsed {
        Cvss::CvssV20(_) => RatingSystem::CvssV2,
        Cvss::CvssV30(_) | Cvss::CvssV31(_) => RatingSystem::CvssV3,
        Cvss::CvssV40(_) => RatingSystem::CvssV4,
        _ => return None,
    };
    // The crate scores a vector that lacks a metric as if it had no impact.
    let mandatory: &[&str] = match system {
        RatingSystem::CvssV2 => &["AV", "AC", "Au", "C", "I", "A"],
        RatingSystem::CvssV3 => &["AV", "AC", "PR", "UI", "S", "C", "I", "A"],
        RatingSystem::CvssV4 => &[
            "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA",
        ],
        RatingSystem::Word => return None,
    };
    let has = |metric: &&str| {
        vector.split('/').any(|part| {
            part.split_once(':')
                .is_some_and(|(name, _)| name == *metric)
        })
    };
    if !mandatory.iter().all(has) {
        return None;
    }
    let score = parsed.score();
    if !(0.0..=10.0).contains(&score) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a score of at most ten is at most a hundred tenths"
    )]
    let tenths = (score * 10.0).round() as u8;
    Some(Rating {
        source: source.into(),
        system,
        text: vector.into(),
        score_tenths: Some(tenths),
        severity: Severity::of_score(tenths),
    })
}

/// A rating by a word. `None` for a word that is no level, such as
/// `not yet assigned`.
pub(crate) fn of_word(source: &str, word: &str) -> Option<Rating> {
    // The Debian tracker marks what nobody confirmed yet: `low**`.
    let word = word.trim().trim_end_matches('*');
    let severity = Severity::from_str(word).ok()?;
    Some(Rating {
        source: source.into(),
        system: RatingSystem::Word,
        text: word.into(),
        score_tenths: None,
        severity,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(rating: Option<Rating>) -> String {
        rating.map_or("none".to_owned(), |it| {
            format!("{:?} {:?} {}", it.system, it.score_tenths, it.severity)
        })
    }

    #[test]
    fn a_vector_of_any_version_has_a_score() {
        for (vector, expected) in [
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H",
                "CvssV3 Some(100) critical",
            ),
            (
                "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H",
                "CvssV3 Some(81) high",
            ),
            ("AV:N/AC:L/Au:N/C:P/I:P/A:P", "CvssV2 Some(75) high"),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                "CvssV4 Some(93) critical",
            ),
            (
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N",
                "CvssV3 Some(0) negligible",
            ),
            ("CVSS:3.1/AV:N", "none"),
            ("CVSS:9.9/AV:N/AC:L", "none"),
            ("what", "none"),
            ("", "none"),
        ] {
            assert_eq!(show(of_vector("x", vector)), expected, "{vector}");
        }
    }

    #[test]
    fn a_word_is_a_level_or_nothing() {
        for (word, expected) in [
            ("MODERATE", "Word None medium"),
            ("Important", "Word None high"),
            ("unimportant", "Word None negligible"),
            ("low**", "Word None low"),
            ("not yet assigned", "none"),
        ] {
            assert_eq!(show(of_word("x", word)), expected, "{word}");
        }
    }

    #[test]
    fn a_records_id_names_its_source() {
        assert_eq!(source_of("GHSA-jfh8-c2jp-5v3q"), "GHSA");
        assert_eq!(source_of("RLSA-2021:3891"), "RLSA");
        assert_eq!(source_of("2021"), "osv");
    }
}
