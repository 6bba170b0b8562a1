//! What whoever composes the program decides.

use std::sync::Arc;

use seaworthy_access::Authority;
use seaworthy_store::Database;

use crate::assessor::Assessor;

/// What the API is built from.
#[derive(Clone)]
pub struct ServerOptions {
    /// Where everything is.
    pub database: Database,
    /// Who decides.
    pub authority: Authority,
    /// Who judges what `scan --server` sends.
    pub assessor: Option<Arc<dyn Assessor>>,
    /// How the cookie of a session is set.
    pub cookies: Cookies,
    /// How much one principal may ask.
    pub principal_rate: Rate,
    /// How much one address may ask, whoever it says it is.
    pub address_rate: Rate,
}

/// Whether the cookie of a session travels over encrypted connections only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookies {
    /// Only over TLS: the installation is reached by `https`.
    Secure,
    /// Also without, for an installation on loopback.
    Plain,
}

/// A bucket of requests that refills steadily.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many requests come back in a minute; 0 is no limit.
    pub per_minute: u32,
    /// How many may be made at once after a pause.
    pub burst: u32,
}
