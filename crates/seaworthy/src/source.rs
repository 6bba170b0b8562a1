//! From a target to inventories: each kind of target is one module.

mod archive;
mod containerd;
mod export;
mod registry;
mod sbom;

use seaworthy_core::{ImageFacts, Inventory};
use seaworthy_image::{Blobs, Image, PlatformWish};
use seaworthy_scan::{Rig, take_inventory};

use crate::cli::ScanArgs;
use crate::desk::Desk;
use crate::failure::Hinted;
use crate::progress::Bar;
use crate::settings::{self, Surroundings};
use crate::target::Target;

/// One image, read.
pub(crate) type Taken = (ImageFacts, Inventory);

/// What reading a target needs.
pub(crate) struct Reading<'a> {
    desk: &'a Desk<'a>,
    args: &'a ScanArgs,
    rig: &'a Rig<'a>,
    bar: &'a Bar,
}

/// Reads a target: one image, or with `--all-platforms` all of an index.
pub(crate) fn read(
    desk: &Desk<'_>,
    target: &Target,
    args: &ScanArgs,
    rig: &Rig<'_>,
    bar: &Bar,
) -> anyhow::Result<Vec<Taken>> {
    let reading = Reading {
        desk,
        args,
        rig,
        bar,
    };
    let mut taken = match target {
        Target::Registry(name) => registry::read(&reading, name)?,
        Target::DockerArchive(place) | Target::OciArchive(place) => {
            archive::read_file(&reading, place)?
        }
        Target::OciLayout(place) => archive::read_layout(&reading, place)?,
        Target::Stream => archive::read_stream(&reading)?,
        Target::Docker(name) => {
            export::read(&reading, name, "docker", Surroundings::docker_sockets)?
        }
        Target::Podman(name) => {
            export::read(&reading, name, "podman", Surroundings::podman_sockets)?
        }
        Target::Containerd(name) => containerd::read(&reading, name)?,
        Target::Directory(path) => archive::read_root(&reading, path)?,
        Target::Sbom(path) => vec![sbom::read(path)?],
    };
    for (facts, _) in &mut taken {
        facts.target = target.to_string().into();
    }
    Ok(taken)
}

impl Reading<'_> {
    /// Which images of an index are meant.
    fn wish(&self) -> PlatformWish {
        match &self.args.platform {
            _ if self.args.all_platforms => PlatformWish::All,
            Some(platform) => PlatformWish::Only(platform.clone()),
            None => PlatformWish::Host(settings::host_platform()),
        }
    }

    /// Reads the layers of images found in `blobs`.
    fn take(&self, images: Vec<Image>, blobs: &dyn Blobs) -> anyhow::Result<Vec<Taken>> {
        images
            .into_iter()
            .map(|image| {
                let inventory = take_inventory(&image, blobs, self.rig)?;
                Ok((image.facts, inventory))
            })
            .collect()
    }

    /// Refuses what `--offline` forbids.
    fn needs_network(&self, what: &str) -> anyhow::Result<()> {
        if self.args.offline {
            return Err(Hinted::error(
                format!("`--offline` forbids asking {what}"),
                "scan an archive, a layout or a local engine's image instead",
            ));
        }
        Ok(())
    }
}
