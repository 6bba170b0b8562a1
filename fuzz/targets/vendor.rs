//! Every vendor's own feed; the first byte tells which.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use seaworthy_feeds::{Limits, parse_cwe, parse_repositories, read_part, vendor_parts};

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let _ = parse_cwe(bytes);
    let _ = parse_repositories(bytes);
    let parts: Vec<_> = vendor_parts().collect();
    if let Some((id, path)) = parts.get(usize::from(*choice) % parts.len()) {
        let limits = Limits {
            total_bytes: 64 << 20,
            ..Limits::default()
        };
        let _ = read_part(id, path, &mut Cursor::new(bytes), &limits, &mut |_| {});
    }
});
