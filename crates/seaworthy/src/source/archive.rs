//! Images in files and folders, and through pipes.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::Path;

use anyhow::Context as _;
use seaworthy_core::ImageFacts;
use seaworthy_image::{Archive, OciLayout};
use seaworthy_scan::{take_root, take_stream};

use super::{Reading, Taken};
use crate::failure::Hinted;
use crate::target::Place;

/// Reads a docker or OCI archive. One that is compressed as a whole cannot be
/// sought in, and is read as a stream instead.
pub(super) fn read_file(reading: &Reading<'_>, place: &Place) -> anyhow::Result<Vec<Taken>> {
    let told = || format!("cannot read the archive `{}`", place.path.display());
    let tag = place.tag.as_deref();
    let archive = match Archive::open(&place.path) {
        Ok(archive) => archive,
        Err(error) if error.is_worth_streaming() => {
            let mut file = File::open(&place.path).with_context(told)?;
            return take_stream(&mut file, tag, &reading.wish(), reading.rig).with_context(told);
        }
        Err(error) => {
            let hint = "`docker save`, `skopeo copy` and `podman save` write such archives";
            return Err(Hinted::over(told(), hint, error));
        }
    };
    let images = archive.images(tag, &reading.wish()).with_context(told)?;
    reading.take(images, &archive)
}

/// Reads an OCI image layout.
pub(super) fn read_layout(reading: &Reading<'_>, place: &Place) -> anyhow::Result<Vec<Taken>> {
    let told = || format!("cannot read the OCI layout `{}`", place.path.display());
    let layout = OciLayout::open(&place.path).with_context(told)?;
    let images = layout
        .images(place.tag.as_deref(), &reading.wish())
        .with_context(told)?;
    reading.take(images, &layout)
}

/// Reads an archive from standard input.
pub(super) fn read_stream(reading: &Reading<'_>) -> anyhow::Result<Vec<Taken>> {
    let mut input = io::stdin();
    if input.is_terminal() {
        return Err(Hinted::error(
            "standard input is a terminal",
            "pipe an archive into it, as in `docker save app | seaworthy scan -`",
        ));
    }
    read_export(reading, &mut input).context("cannot read the archive on standard input")
}

/// Reads an archive that an engine or a pipe writes.
pub(super) fn read_export(
    reading: &Reading<'_>,
    export: &mut dyn Read,
) -> anyhow::Result<Vec<Taken>> {
    reading.bar.say("reading layers as they come");
    Ok(take_stream(export, None, &reading.wish(), reading.rig)?)
}

/// Reads an unpacked root directory.
pub(super) fn read_root(reading: &Reading<'_>, path: &Path) -> anyhow::Result<Vec<Taken>> {
    let inventory = take_root(path, reading.rig)
        .with_context(|| format!("cannot read the directory `{}`", path.display()))?;
    Ok(vec![(ImageFacts::default(), inventory)])
}
