//! A damaged edition: an error or no rows, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_advisories::Edition;
use seaworthy_core::Ecosystem;
use seaworthy_match::Advisories;

fuzz_target!(|bytes: &[u8]| {
    let Ok(edition) = Edition::from_bytes(bytes.to_vec()) else { return };
    let npm = Ecosystem::family_only("npm");
    let _ = edition.covers(&npm);
    let mut rows = Vec::new();
    edition.about(&npm, "a", &mut |row| rows.push((row.record, row.vulnerability)));
    for (record, vulnerability) in rows {
        let _ = edition.record(record);
        let _ = edition.vulnerability(vulnerability);
    }
    let _ = edition.statistics();
});
