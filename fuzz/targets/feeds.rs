//! Every feed.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use seaworthy_advisories::{Compiler, Context, Edition};
use seaworthy_feeds::{Limits, parse_eol, parse_epss, parse_kev, parse_record, read_export};

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_kev(bytes);
    let _ = parse_epss(bytes);
    let _ = parse_eol(bytes);
    let _ = read_export("osv/npm", "npm", Cursor::new(bytes), &Limits::default(), &mut |_| {});
    if let Ok(advisory) = parse_record("osv/npm", bytes) {
        let mut compiler = Compiler::new();
        compiler.add(&advisory).expect("one advisory is not too many");
        let edition = compiler.compile(&Context::default()).expect("one advisory compiles");
        Edition::from_bytes(edition).expect("what was compiled opens").verify().expect("and is whole");
    }
});
