//! One manifest for one platform.

use crate::{Digest, Platform};

/// One diff of an image, in the order they are applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The digest of the blob as it is transported, proved by reading or stated
    /// by the manifest whose own digest was proved. Absent for a root directory.
    pub digest: Option<Digest>,
    /// The digest of the uncompressed diff, as the image config claims it.
    pub diff_id: Option<Digest>,
    /// The build instruction that made it (`history[].created_by`), as claimed.
    pub created_by: Option<Box<str>>,
}

/// What identifies the image that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageFacts {
    /// What the user asked for, without credentials.
    pub target: Box<str>,
    /// The digest of the manifest, where there is one.
    pub manifest: Option<Digest>,
    /// The digest of the image config, where there is one.
    pub config: Option<Digest>,
    /// The platform the config states.
    pub platform: Option<Platform>,
    /// Tags the transport itself carries (`RepoTags` of a docker archive).
    pub tags: Vec<Box<str>>,
}
