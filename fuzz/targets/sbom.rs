//! Bills of materials and package URLs.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_core::Purl;
use seaworthy_inventory::read_sbom;

fuzz_target!(|bytes: &[u8]| {
    let _ = read_sbom(bytes);
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(purl) = text.parse::<Purl>()
    {
        assert_eq!(purl.to_string().parse::<Purl>().ok(), Some(purl));
    }
});
