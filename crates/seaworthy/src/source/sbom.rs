//! Bills of materials instead of images.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::Context as _;
use seaworthy_core::ImageFacts;
use seaworthy_inventory::read_sbom;

use super::Taken;
use crate::failure::Hinted;

/// Longest document read, in bytes: the largest known ones have a tenth of it.
const LONGEST: u64 = 512 * 1024 * 1024;

/// Reads the document at `path`.
pub(super) fn read(path: &Path) -> anyhow::Result<Taken> {
    let told = || format!("cannot read the SBOM `{}`", path.display());
    let mut bytes = Vec::new();
    let read = File::open(path)
        .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
        .with_context(told)?;
    if read as u64 > LONGEST {
        return Err(Hinted::error(
            format!(
                "the SBOM `{}` has more than {LONGEST} bytes",
                path.display()
            ),
            "no tool writes such a document; is it the right file?",
        ));
    }
    let inventory = read_sbom(&bytes).with_context(told)?;
    Ok((ImageFacts::default(), inventory))
}
