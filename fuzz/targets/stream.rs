//! An archive of images through a pipe.
#![no_main]

use std::io;

use libfuzzer_sys::fuzz_target;
use seaworthy_image::{PlatformWish, read_stream};

fuzz_target!(|bytes: &[u8]| {
    let streamed = read_stream(&mut &*bytes, &mut |_, _, layer| {
        io::copy(layer, &mut io::sink()).map(drop)
    });
    if let Ok(streamed) = streamed {
        let _ = streamed.images(None, &PlatformWish::All);
    }
});
