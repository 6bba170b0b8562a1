//! Orders of versions: never a panic, and the same answer from both sides.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_version::{Interval, Scheme, Until};

fuzz_target!(|texts: (&str, &str, &str)| {
    let (one, other, installed) = texts;
    for scheme in Scheme::ALL {
        let there = scheme.compare(one, other);
        let back = scheme.compare(other, one);
        assert_eq!(there, back.map(std::cmp::Ordering::reverse));
        let interval = Interval { from: Some(one), until: Until::Before(other) };
        let _ = interval.contains(scheme, installed);
    }
});
