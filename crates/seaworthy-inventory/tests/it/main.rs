//! Real databases, real tools, and layers upon layers.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod apk;
mod distro;
mod dpkg;
mod folder;
mod go;
mod hostile;
mod java;
mod layered;
mod look;
mod npm;
mod python;
mod rpm;
mod rust;
mod sbom;
