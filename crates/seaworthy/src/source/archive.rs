//! Images in files and folders, and through pipes.

use std::io::{self, Read};
use std::path::Path;

use anyhow::Context as _;
use seaworthy_image::{Archive, OciLayout};

use super::{Reading, Taken};
use crate::failure::Hinted;
use crate::target::Place;

/// Reads a docker or OCI archive. One that is compressed as a whole cannot be
/// sought in, and is read as a stream instead.
pub(super) fn read_file(reading: &Reading<'_>, place: &Place) -> anyhow::Result<Vec<Taken>> {
    let told = || format!("cannot read the archive `{}`", place.path.display());
    let archive = Archive::open(&place.path).with_context(told)?;
    let images = archive.images(place.tag.as_deref(), &reading.wish()).with_context(told)?;
    reading.take(images, &archive)
}

/// Reads an OCI image layout.
pub(super) fn read_layout(reading: &Reading<'_>, place: &Place) -> anyhow::Result<Vec<Taken>> {
    let told = || format!("cannot read the OCI layout `{}`", place.path.display());
    let layout = OciLayout::open(&place.path).with_context(told)?;
    let images = layout.images(place.tag.as_deref(), &reading.wish()).with_context(told)?;
    reading.take(images, &layout)
}
pub(super) fn read_stream(reading: &Reading<'_>) -> anyhow::Result<Vec<Taken>> {
    read_export(reading, &mut io::stdin().lock()).context("cannot read the archive on standard input")
}
pub(super) fn read_export(_reading: &Reading<'_>, _export: &mut dyn Read) -> anyhow::Result<Vec<Taken>> {
    Err(Hinted::new("x", "y"))
}
pub(super) fn read_root(_reading: &Reading<'_>, _path: &Path) -> anyhow::Result<Vec<Taken>> {
    Err(Hinted::new("x", "y"))
}
