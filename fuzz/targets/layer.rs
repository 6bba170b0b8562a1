//! A whole layer: inflating, the tar walk and every probe.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_image::{Limits, walk};
use seaworthy_inventory::{LayerRecords, Recorder};

fuzz_target!(|bytes: &[u8]| {
    let mut recorder = Recorder::new();
    if let Ok(tree) = walk(&mut &*bytes, &Limits::default(), &mut recorder) {
        let records = recorder.finish(tree);
        let again = LayerRecords::decode(&records.encode());
        assert_eq!(again.ok(), Some(records));
    }
});
