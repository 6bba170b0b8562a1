//! The scan of one image, from a claimed job to its saved end.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use seaworthy_core::{Digest, ImageFacts, Inventory};
use seaworthy_image::{
    BlobKey, Blobs as _, Descriptor, Image, ManifestError, PlatformWish, ResolveError, resolve,
};
use seaworthy_scan::{LayerReader, ReadLayerError, Rig, Silent, TakeError, take_inventory};
use seaworthy_store::{
    Blobs, Catalog, Finding, ImageFact, KeptInventory, Lease, ManifestName, Packed, SaveError,
    Scan, Scans, StoreError, encode_inventory,
};

use crate::assess::judge_inventory;
use crate::held::Held;
use crate::memory::Memory;
use crate::options::WorkerOptions;
use crate::source::Source;
use crate::told::told;

/// What scans need.
#[derive(Clone)]
pub(crate) struct Scanning {
    pub(crate) catalog: Catalog,
    pub(crate) blobs: Blobs,
    pub(crate) scans: Scans,
    pub(crate) memory: Memory,
    pub(crate) options: Arc<WorkerOptions>,
    pub(crate) now: Arc<dyn Fn() -> seaworthy_store::Millis + Send + Sync>,
}

/// Why a scan did not end with a report.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Trying again may help.
    Again(String),
    /// Trying again cannot help.
    Never(String),
    /// It is nothing that can be scanned.
    Unsupported(String),
    /// Somebody else has the job by now, or nobody wants it any more.
    Moot,
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Again(told(&error))
    }
}

impl From<SaveError> for Trouble {
    fn from(error: SaveError) -> Self {
        match error {
            SaveError::Lost(_) | SaveError::Gone => Self::Moot,
            SaveError::Store(error) => error.into(),
        }
    }
}

/// How often a report is saved before the scan begins anew.
const TRIES: u32 = 5;

/// How long to wait in between.
const REST: Duration = Duration::from_millis(300);

/// The longest value of a label that is kept, in characters, and of its name.
const LONGEST_LABEL: usize = 1024;

/// The largest config that is read for labels, in bytes.
const MOST_CONFIG: u64 = 8 << 20;

impl Scanning {
    /// Scans the image of a job and saves what came of it.
    pub(crate) async fn scan(&self, lease: &Lease, image: i64) -> Result<(), Trouble> {
        let Some(fact) = self.scans.image(image).await? else {
            // It was deleted. Saving nothing would leave the job.
            return Err(Trouble::Never("the image is gone".to_owned()));
        };
        if &*fact.kind == "index" {
            return Ok(self.scans.save_index(lease, image).await?);
        }
        let kept = self.scans.inventory(image).await?;
        let kept = kept.filter(|it| fact.is_metadata || *it.probes == *self.memory.probes());
        let task = self.clone();
        let descriptor = if fact.is_metadata {
            None
        } else {
            Some(self.descriptor(&fact).await?)
        };
        let work = tokio::task::spawn_blocking(move || task.work(&fact, descriptor, kept));
        let scan = match work.await {
            Ok(scan) => scan?,
            Err(error) => return Err(Trouble::Again(format!("the scan broke off: {error}"))),
        };
        let mut tries = 1;
        loop {
            match self.scans.save(lease, image, &scan).await {
                // What was read took a while; the same may succeed in a moment.
                Err(SaveError::Store(error)) if error.is_temporary() && tries < TRIES => {
                    tokio::time::sleep(REST).await;
                    tries += 1;
                }
                saved => return Ok(saved?),
            }
        }
    }

    async fn descriptor(&self, fact: &ImageFact) -> Result<Descriptor, Trouble> {
        let Some(digest) = fact.address.as_digest() else {
            return Err(Trouble::Unsupported(format!(
                "the image is named by `{}`; only sha256 can be scanned",
                fact.address.algorithm().name()
            )));
        };
        let name = ManifestName::Address(fact.address.clone());
        let found = self.catalog.manifest(&fact.repository, &name).await?;
        let Some(manifest) = found else {
            return Err(Trouble::Never("its manifest is gone".to_owned()));
        };
        let size = manifest.content.len() as u64;
        Ok(Descriptor::new(&manifest.media_type, digest, size))
    }

    /// Everything that takes its time.
    fn work(
        &self,
        fact: &ImageFact,
        descriptor: Option<Descriptor>,
        kept: Option<KeptInventory>,
    ) -> Result<Scan, Trouble> {
        let source = Source {
            catalog: self.catalog.clone(),
            blobs: self.blobs.clone(),
            repository: fact.repository.clone(),
            handle: self.memory.handle().clone(),
        };
        let image = descriptor.map(|it| resolved(&source, &it)).transpose()?;
        let mut facts = image.as_ref().map_or_else(
            || ImageFacts {
                manifest: fact.address.as_digest(),
                ..ImageFacts::default()
            },
            |image| image.facts.clone(),
        );
        facts.target = match &fact.target {
            Some(target) => target.clone(),
            None => format!("{}@{}", fact.repository, fact.address).into(),
        };
        let (inventory, found) = match (kept, &image) {
            (Some(kept), _) => (kept.open()?, None),
            (None, None) => return Err(Trouble::Never("its inventory is gone".to_owned())),
            (None, Some(image)) => {
                let inventory = self.read(image, &source)?;
                let found = Finding {
                    probes: self.memory.probes().to_owned(),
                    content: Packed::of(&encode_inventory(&inventory)),
                    platform: facts.platform.as_ref().map(ToString::to_string),
                    labels: labels(&source, image),
                };
                (inventory, Some(found))
            }
        };
        let edition = self.options.editions.current();
        let judged = judge_inventory(
            facts,
            inventory,
            edition.as_deref(),
            &self.options.policy,
            (self.now)(),
        );
        Ok(Scan {
            inventory: found,
            report: judged.saved,
        })
    }

    fn read(&self, image: &Image, source: &Source) -> Result<Inventory, Trouble> {
        let reader: &dyn LayerReader = &*self.options.reader;
        let held = Held {
            memory: &self.memory,
            source,
        };
        let rig = Rig {
            reader,
            cache: Some(&held),
            threads: self.options.layer_threads.max(1),
            progress: &Silent,
        };
        take_inventory(image, source, &rig).map_err(|error| {
            let line = told(&error);
            match error {
                TakeError::Foreign { .. } => Trouble::Unsupported(line),
                TakeError::TooMuch
                | TakeError::Read {
                    source: ReadLayerError::Layer { .. },
                    ..
                } => Trouble::Never(line),
                TakeError::Open { .. } | TakeError::Verify { .. } | TakeError::Read { .. } => {
                    Trouble::Again(line)
                }
            }
        })
    }
}

/// The one image that a manifest is.
fn resolved(source: &Source, descriptor: &Descriptor) -> Result<Image, Trouble> {
    let images = resolve(source, descriptor, &PlatformWish::All).map_err(|error| {
        let line = told(&error);
        match &error {
            ResolveError::Manifest { source, .. } => match source {
                // Whoever reads the reason knows which image it is about.
                ManifestError::Artifact(_)
                | ManifestError::NotAManifest(_)
                | ManifestError::SchemaOne
                | ManifestError::Digest(_)
                | ManifestError::Layer { .. } => Trouble::Unsupported(told(source)),
                ManifestError::TooLarge
                | ManifestError::Json(_)
                | ManifestError::MediaType { .. }
                | ManifestError::Ambiguous
                | ManifestError::Missing(_)
                | ManifestError::TooMany(_) => Trouble::Never(line),
            },
            ResolveError::Open { .. } | ResolveError::Verify { .. } => Trouble::Again(line),
            ResolveError::TooLarge { .. }
            | ResolveError::Config { .. }
            | ResolveError::Platform { .. }
            | ResolveError::Empty(_)
            | ResolveError::TooDeep(_) => Trouble::Never(line),
        }
    })?;
    images
        .into_iter()
        .next()
        .ok_or_else(|| Trouble::Never("the manifest leads to no image".to_owned()))
}

/// The labels of an image's config. They are for finding images again; where they
/// cannot be read there are none, and the scan goes on.
fn labels(source: &Source, image: &Image) -> BTreeMap<String, String> {
    #[derive(serde::Deserialize)]
    struct Written {
        config: Option<Inner>,
    }
    #[derive(serde::Deserialize)]
    struct Inner {
        #[serde(rename = "Labels")]
        labels: Option<BTreeMap<String, String>>,
    }
    let read = |digest: &Digest| -> Option<BTreeMap<String, String>> {
        let mut text = Vec::new();
        source
            .open(&BlobKey::Digest(digest.clone(), 0))
            .ok()?
            .take(MOST_CONFIG)
            .read_to_end(&mut text)
            .ok()?;
        serde_json::from_slice::<Written>(&text)
            .ok()?
            .config?
            .labels
    };
    let cut = |text: String| text.chars().take(LONGEST_LABEL).collect::<String>();
    image
        .facts
        .config
        .as_ref()
        .and_then(read)
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (cut(name), cut(value)))
        .collect()
}
