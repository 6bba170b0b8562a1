//! Lists that lie beside an archive: what it is called this time, which documents
//! changed since it was made, and which were deleted.

use std::str;

use seaworthy_core::Day;

use super::VendorError;

/// Entries of one list; today's longest has some 300,000.
const MAX_ENTRIES: usize = 5_000_000;

/// The file that a text of one line names. It lies beside the text.
pub(crate) fn file_named(text: &[u8]) -> Result<&str, VendorError> {
    str::from_utf8(text)
        .ok()
        .map(str::trim)
        .filter(|name| is_path(name) && !name.contains('/'))
        .ok_or(VendorError::Missing {
            what: "the name of an archive",
        })
}

/// The day that the name of an archive has: `csaf_vex_2026-03-25.tar.zst`.
pub(crate) fn day_in(name: &str) -> Option<Day> {
    let (_, rest) = name.rsplit_once('_')?;
    rest.get(..10)?.parse().ok()
}

/// The documents in a list of lines like
/// `"2026/cve-2026-1.json","2026-03-25T12:33:38Z"` with their days, in its order.
/// What is no path below the list's folder is left out.
pub(crate) fn entries(list: &[u8]) -> Result<Vec<(Box<str>, Day)>, VendorError> {
    let broken = || VendorError::Missing {
        what: "a list of documents and times",
    };
    let mut found = Vec::new();
    let rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(list)
        .into_records();
    for (count, row) in rows.enumerate() {
        if count >= MAX_ENTRIES {
            return Err(VendorError::TooLarge {
                what: "entries",
                limit: u64::try_from(MAX_ENTRIES).unwrap_or(u64::MAX),
            });
        }
        let row = row.map_err(|_| broken())?;
        let (Some(name), Some(time)) = (row.get(0), row.get(1)) else {
            return Err(broken());
        };
        let day: Day = time.parse().map_err(|_| broken())?;
        if is_path(name) {
            found.push((name.into(), day));
        }
    }
    Ok(found)
}

/// Whether `text` is a path below the folder it is named in.
pub(super) fn is_path(text: &str) -> bool {
    text.len() <= 200
        && text.split('/').all(|part| {
            !part.is_empty()
                && !part.starts_with('.')
                && part
                    .bytes()
                    .all(|it| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-' | b'_'))
        })
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    #[test]
    fn a_text_names_a_file_beside_it() {
        for (text, expected) in [
            (
                "csaf_vex_2026-03-25.tar.zst",
                Some("csaf_vex_2026-03-25.tar.zst"),
            ),
            (" a.tar \n", Some("a.tar")),
            ("../a.tar", None),
            ("b/a.tar", None),
            (".a", None),
            ("<html>", None),
            ("", None),
        ] {
            assert_eq!(file_named(text.as_bytes()).ok(), expected);
        }
        assert!(file_named(b"\xff").is_err());
    }

    #[test]
    fn documents_are_listed_with_days() {
        let day: Day = "2026-03-25".parse().unwrap();
        let read = |list: &str| match entries(list.as_bytes()) {
            Ok(found) => found
                .iter()
                .map(|(name, day)| format!("{name} {day}"))
                .collect::<Vec<_>>()
                .join(", "),
            Err(error) => error.to_string(),
        };
        for (list, expected) in [
            (
                "\"2026/cve-2026-1.json\",\"2026-03-26T12:33:38+00:00\"\n\"2026/cve-2026-2.json\",\"2026-03-25T00:00:00Z\"",
                "2026/cve-2026-1.json 2026-03-26, 2026/cve-2026-2.json 2026-03-25",
            ),
            ("\"../../x\",\"2026-03-26T12:33:38+00:00\"", ""),
            ("", ""),
            ("<html>", "a list of documents and times is missing"),
            ("a,b", "a list of documents and times is missing"),
        ] {
            assert_eq!(read(list), expected, "{list}");
        }
        assert_eq!(day_in("csaf_vex_2026-03-25.tar.zst"), Some(day));
        assert_eq!(day_in("csaf_vex.tar.zst"), None);
    }
}
