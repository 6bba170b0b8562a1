//! What the registry is told when it opens.

use std::sync::Arc;
use std::time::Duration;

use seaworthy_access::Authority;
use seaworthy_store::{Blobs, Catalog, Grace, Listener};

/// What the registry works with.
#[derive(Clone)]
pub struct RegistryOptions {
    /// Repositories, tags, manifests.
    pub catalog: Catalog,
    /// Bytes.
    pub blobs: Blobs,
    /// Who somebody is and what they may do.
    pub authority: Authority,
    /// Who hears what is uploaded, if anybody.
    pub listener: Option<Arc<dyn Listener>>,
    /// How long a blob is kept that no manifest names yet.
    pub grace: Grace,
    /// How much is too much.
    pub limits: Limits,
    /// What clients call this registry.
    pub origin: Origin,
}

/// How much is too much.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest manifest, in bytes. Clients may count on 4 MiB.
    pub manifest_bytes: usize,
    /// The largest blob, in bytes.
    pub blob_bytes: u64,
    /// How many names one page of a list has at most, also where nobody asks for pages.
    pub page: usize,
    /// How many uploads somebody may have begun and not ended.
    pub open_uploads: usize,
    /// How long a client may send (almost) nothing of a body it promised.
    pub idle: Duration,
    /// How long a token of the token flow is good for, in seconds.
    pub token_seconds: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            manifest_bytes: 4 << 20,
            blob_bytes: 64 << 30,
            page: 1000,
            open_uploads: 200,
            idle: Duration::from_mins(1),
            token_seconds: 300,
        }
    }
}

/// What clients call this registry, for where they are sent to get a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Always this, such as `https://registry.example.com`.
    Fixed(String),
    /// Whatever host the client asked for, by HTTPS.
    HttpsOfRequest,
    /// Whatever host the client asked for, by HTTP.
    HttpOfRequest,
}
