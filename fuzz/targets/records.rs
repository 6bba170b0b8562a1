//! What a confined reader answers and what the cache holds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_core::Layer;
use seaworthy_image::LayerTree;
use seaworthy_inventory::{LayerRecords, link};

fuzz_target!(|bytes: &[u8]| {
    let _ = LayerTree::from_bytes(bytes);
    if let Ok(records) = LayerRecords::decode(bytes) {
        let layer = Layer { digest: None, diff_id: None, created_by: None };
        let _ = link(vec![(layer.clone(), records.clone()), (layer, records)]);
    }
});
