//! Until when a certificate is good: as much of X.509 as that takes.

/// The end of a certificate's validity in seconds since 1970 (RFC 5280, `notAfter`).
/// `None` for what is not a certificate.
pub(super) fn ends(der: &[u8]) -> Option<i64> {
    let certificate = Value::whole(der, SEQUENCE)?;
    let (body, _) = Value::first(certificate, SEQUENCE)?;
    let mut rest = body;
    // The version is left out by the oldest ones.
    if let Some((_, after)) = Value::first(rest, VERSION) {
        rest = after;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, rest) = Value::first(rest, tag)?;
    }
    let (validity, _) = Value::first(rest, SEQUENCE)?;
    let (_, rest) = Value::any(validity)?;
    let (tag, text, _) = Value::take(rest)?;
    moment(tag, text)
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// Values of DER: a tag, a length, content.
struct Value;

impl Value {
    /// The first value: its tag, its content, what follows.
    fn take(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
        let (tag, rest) = bytes.split_first()?;
        let (first, mut rest) = rest.split_first()?;
        let length = if *first < 0x80 {
            usize::from(*first)
        } else {
            let count = usize::from(first & 0x7f);
            if !(1..=4).contains(&count) {
                return None;
            }
            let (digits, after) = rest.split_at_checked(count)?;
            rest = after;
            digits
                .iter()
                .fold(0, |sum, digit| sum << 8 | usize::from(*digit))
        };
        let (content, after) = rest.split_at_checked(length)?;
        Some((*tag, content, after))
    }

    fn any(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        Self::take(bytes).map(|(_, content, after)| (content, after))
    }

    fn first(bytes: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
        let (found, content, after) = Self::take(bytes)?;
        (found == tag).then_some((content, after))
    }

    fn whole(bytes: &[u8], tag: u8) -> Option<&[u8]> {
        Self::first(bytes, tag).map(|(content, _)| content)
    }
}

fn moment(tag: u8, text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let number = |from: usize, to: usize| -> Option<i64> { text.get(from..to)?.parse().ok() };
    let (year, at) = match tag {
        UTC_TIME => {
            let short = number(0, 2)?;
            (
                if short < 50 {
                    2000 + short
                } else {
                    1900 + short
                },
                2,
            )
        }
        GENERALIZED_TIME => (number(0, 4)?, 4),
        _ => return None,
    };
    let [month, day, hour, minute, second] =
        [0, 2, 4, 6, 8].map(|offset| number(at + offset, at + offset + 2));
    let date = format!("{year:04}-{:02}-{:02}", month?, day?);
    let day: seaworthy_core::Day = date.parse().ok()?;
    Some(i64::from(day.days()) * 86_400 + hour? * 3_600 + minute? * 60 + second?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read() {
        let mut parameters =
            rcgen::CertificateParams::new(["a.example".to_owned()]).expect("names");
        parameters.not_after = rcgen::date_time_ymd(2031, 5, 17);
        let key = rcgen::KeyPair::generate().expect("a key");
        let certificate = parameters.self_signed(&key).expect("a certificate");
        assert_eq!(ends(certificate.der()), Some(1_936_742_400));
        for length in 0..certificate.der().len() {
            // Torn ones are none, and never more than that.
            let _ = ends(certificate.der().get(..length).unwrap_or_default());
        }
        assert_eq!(ends(b"no certificate"), None);
    }

    #[test]
    fn both_kinds_of_times_are_read() {
        assert_eq!(moment(UTC_TIME, b"700101000000Z"), Some(0));
        assert_eq!(moment(UTC_TIME, b"491231235959Z"), Some(2_524_607_999));
        assert_eq!(
            moment(GENERALIZED_TIME, b"20500101000000Z"),
            Some(2_524_608_000)
        );
        assert_eq!(moment(GENERALIZED_TIME, b"2050"), None);
    }
}
