//! Indexes and manifests.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_core::{Digest, Platform, Reference};
use seaworthy_image::read_manifest;

fuzz_target!(|bytes: &[u8]| {
    for media_type in [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ] {
        let _ = read_manifest(bytes, Some(media_type));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = text.parse::<Digest>();
        let _ = text.parse::<Platform>();
        if let Ok(reference) = text.parse::<Reference>() {
            assert_eq!(reference.to_string().parse(), Ok(reference));
        }
    }
});
