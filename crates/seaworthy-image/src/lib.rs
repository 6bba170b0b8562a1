//! Bytes to files: what an image is made of, and the one pass over each layer.
//!
//! - [`resolve`] goes from a descriptor to [`Image`]s: which layers, in which
//!   order, where. It reads JSON only, each document compared with its digest.
//! - [`walk`] reads a layer once, from any `Read`, and offers its files to a
//!   [`Sink`]. It answers with the layer's [`LayerTree`]: every path it has.
//! - [`squash`] says which files of which layers the final tree shows. It alone
//!   knows whiteouts.
//! - [`Verified`] proves the digest of what was read.
//! - [`OciLayout`], [`Archive`], [`read_stream`] and [`write_root`] are the forms
//!   in which images lie about: a directory, a tar, a pipe, an unpacked root.
//!
//! Deliberately absent: extraction (nothing is ever written), networks (whoever
//! has a registry implements [`Blobs`]), and any opinion on what files mean.
//! Everything read here is hostile: each count, length and depth has a ceiling.

mod archive;
mod bundle;
mod choice;
mod inflate;
mod manifest;
mod oci_layout;
mod path;
mod resolve;
mod root;
mod sink;
mod squash;
mod stream;
mod tape;
mod tree;
mod verify;
mod walk;

pub use archive::{Archive, ArchiveError};
pub use bundle::BundleError;
pub use choice::{ChooseError, SavedError};
pub use manifest::{
    ConfigError, Descriptor, Document, MANIFEST_BYTES, ManifestError, read_manifest,
};
pub use oci_layout::{OciLayout, OciLayoutError};
pub use resolve::{BlobKey, Blobs, Image, LayerBlob, PlatformWish, ResolveError, resolve};
pub use root::{RootError, Unreadable, write_root};
pub use sink::{FileFacts, Sink};
pub use squash::{LayerPaths, Replaced, Visible, squash};
pub use stream::{StreamError, Streamed, read_stream};
pub use tree::{Cursor, EntryKind, LayerTree, TreeEntry, TreeError};
pub use verify::{Expected, Verified, VerifyError};
pub use walk::{Limits, WALK, WalkError, walk};
