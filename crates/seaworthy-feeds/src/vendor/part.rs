//! One part of a vendor's feed by itself.

use seaworthy_core::Advisory;

use super::table::{ARCHIVED, FEEDS, Feed, INDEXED};
use super::{Content, Intake, VendorError};
use crate::osv::{Exported, Limits};

/// Every vendor's feed with the path of one of its parts, below `vendor/` in a
/// mirror.
pub fn vendor_parts() -> impl Iterator<Item = (&'static str, &'static str)> {
    let first = |feed: &'static Feed| feed.parts.first().map(|part| part.path);
    let plain = FEEDS.iter().map(move |feed| (feed.id, first(feed)));
    let archived = ARCHIVED.iter().map(|it| (it.feed.id, Some(it.folder.path)));
    let indexed = INDEXED
        .iter()
        .map(|it| (it.feed.id, it.repositories.first().map(|at| at.path)));
    plain
        .chain(archived)
        .chain(indexed)
        .map(|(id, path)| (id, path.unwrap_or_default()))
}

/// Reads one part of the vendor's feed `id`, such as `debian/tracker`, and hands
/// each advisory to `sink`. The path tells a reader which release it reads, where
/// the bytes do not. `None` where there is no such feed.
pub fn read_part(
    id: &str,
    path: &str,
    content: &mut dyn Content,
    limits: &Limits,
    sink: &mut dyn FnMut(Advisory),
) -> Option<Result<Exported, VendorError>> {
    let archived = ARCHIVED.iter().map(|it| &it.feed);
    let indexed = INDEXED.iter().map(|it| &it.feed);
    let feed = FEEDS
        .iter()
        .chain(archived)
        .chain(indexed)
        .find(|feed| feed.id == id)?;
    let mut intake = Intake::new(feed.id, limits, sink);
    let read = (feed.read)(content, path, &mut intake);
    let taken = intake.finish();
    Some(read.map(|()| Exported {
        records: taken.records,
        refused: taken.refused,
        refusals: taken.refusals,
        newest: taken.newest,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::io::Cursor;

    #[test]
    fn every_feed_has_an_id_of_its_own_and_a_path() {
        let parts: Vec<(&str, &str)> = vendor_parts().collect();
        let ids: BTreeSet<&str> = parts.iter().map(|(id, _)| *id).collect();
        assert_eq!(ids.len(), parts.len());
        assert!(parts.iter().all(|(_, path)| !path.is_empty()));
    }

    #[test]
    fn whatever_a_part_has_is_read_or_refused() {
        let limits = Limits::default();
        for (id, path) in vendor_parts() {
            for bytes in [
                &b""[..],
                b"{}",
                b"[]",
                b"<a/>",
                b"PK\x03\x04",
                b"\x1f\x8b\x08",
                b"BZh9",
                b"\xfd7zXZ\x00",
                b"\x28\xb5\x2f\xfd",
                b"\xff\xfe\x00",
            ] {
                let read = read_part(id, path, &mut Cursor::new(bytes), &limits, &mut |_| {});
                assert!(read.is_some(), "{id}");
            }
        }
        let nobody = read_part("nobody", "", &mut Cursor::new(b""), &limits, &mut |_| {});
        assert!(nobody.is_none());
    }
}
