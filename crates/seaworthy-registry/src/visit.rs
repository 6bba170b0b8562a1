//! One admitted request.

use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderName, header};
use seaworthy_access::Principal;
use seaworthy_store::{Address, RepositoryName};

use crate::door::Door;
use crate::fault::Fault;
use crate::query::Query;

/// A request by somebody who may do what they ask for, without its body.
pub(crate) struct Visit {
    pub(crate) door: Arc<Door>,
    pub(crate) parts: Parts,
    pub(crate) principal: Principal,
    pub(crate) repository: RepositoryName,
    /// The end of the address: a tag, a digest, an upload.
    pub(crate) last: String,
}

impl Visit {
    pub(crate) fn query(&self) -> Query<'_> {
        Query::read(self.parts.uri.query())
    }

    /// A header as text, if it is there and is text.
    pub(crate) fn header(&self, name: HeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    /// How many bytes the client says it sends.
    pub(crate) fn stated_length(&self) -> Option<u64> {
        self.header(header::CONTENT_LENGTH)?.parse().ok()
    }

    /// The digest that the address ends with.
    pub(crate) fn address(&self) -> Result<Address, Fault> {
        self.last.parse().map_err(Fault::Digest)
    }

    /// What an absent `thing` of the repository comes to: maybe the repository itself
    /// is not there.
    pub(crate) async fn absent(&self, thing: Fault) -> Fault {
        match self
            .door
            .options
            .catalog
            .has_repository(&self.repository)
            .await
        {
            Ok(true) => thing,
            Ok(false) => Fault::NoRepository(self.repository.clone()),
            Err(error) => error.into(),
        }
    }
}
