//! What the demonstration pushes: small images, built on the spot from nothing but
//! package metadata of versions that are known to be vulnerable.

mod archive;
mod sample;

pub(crate) use sample::{Sample, samples};
