//! The OCI distribution door: push, pull, tags, referrers, deletion.
//!
//! [`router`] answers `/v2/…` and `/token` from a [catalog](seaworthy_store::Catalog)
//! and a [blob store](seaworthy_store::Blobs), asking an
//! [authority](seaworthy_access::Authority) who somebody is and what they may do.
//! [`RegistryOptions`] are all it needs to know.
//!
//! What can be asked for stands in one table, [`routes`]: the router is made of it,
//! and each entry says which right it needs, so that nothing can be reached that
//! nobody decided on.
//!
//! A push waits for nothing but its own bytes: whoever scans listens to an upload
//! through a [`Listener`](seaworthy_store::Listener), or takes the job that the
//! catalog wrote down with the manifest.
//!
//! Deliberately absent: TLS, limits on connections and headers (the front door's),
//! scanning, and garbage collection.

mod answer;
mod blob;
mod body;
mod challenge;
mod credential;
mod document;
mod door;
mod fault;
mod list;
mod live;
mod manifest;
mod options;
mod query;
mod range;
mod referrer;
mod route;
mod router;
mod scope;
mod strict;
mod token;
mod upload;
mod visit;

pub use options::{Limits, Origin, RegistryOptions};
pub use route::{Needs, Route, routes};
pub use router::router;
