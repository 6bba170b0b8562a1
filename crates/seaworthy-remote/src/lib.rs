//! Talks to other people's registries and engines: login, pull and push. The only
//! network of a scan.
//!
//! Four places give images away. A [`Registry`] gives manifests and blobs over
//! HTTP, and takes them; an [`EngineSocket`] gives a docker archive; [`Containerd`] gives
//! manifests and blobs from its store; and [`Credentials`] say who we are to the
//! first. A [`Server`] is a Seaworthy server, asked through its REST API, and
//! [`Issuers`] are asked who somebody is. What streams comes as a [`BlobReader`], which
//! a synchronous thread reads while the async runtime fetches.
//!
//! Deliberately absent: parsing what a manifest says, choosing a platform,
//! proving the digest of a blob (whoever reads it hashes it anyway, once), uploads
//! in pieces, deleting anything, following `urls` of foreign layers, and reading the
//! environment: sockets, files of logins, proxies and certificates are found by
//! the front door. Only the system's own store of certificates is found by the
//! TLS stack, as OpenSSL's variables direct it.
//!
//! Read [`Registry`] and [`Options`] first.

mod containerd;
mod credentials;
mod docker;
mod oidc;
mod registry;
mod secret;
mod server;
mod stream;

pub use containerd::{Containerd, ContainerdError, ContainerdImage};
pub use credentials::{Credential, CredentialError, CredentialFile, Credentials, FileFault};
pub use docker::{EngineError, EngineImage, EngineSocket};
pub use oidc::{IssuerError, Issuers, KeysWanted};
pub use registry::{
    Codes, Limits, Manifest, Options, Proxy, PullError, Purpose, PushError, Refusal, Registry,
    Security,
};
pub use secret::Secret;
pub use server::{Server, ServerError};
pub use stream::BlobReader;
