//! What all requests share.

use std::sync::Arc;

use seaworthy_access::Authority;
use seaworthy_store::{Accounts, AuditLog, Browse, Catalog, Database, Jobs, Scans};
use tokio::sync::Semaphore;

use crate::assessor::Assessor;
use crate::kept::Documents;
use crate::options::{Cookies, ServerOptions};
use crate::rate::Buckets;

/// How many inventories are judged at once; the rest wait.
const ASSESSMENTS: usize = 2;

/// How many inventories are held in memory at once, each of some 64 MiB at most.
const INVENTORIES: usize = 8;

/// How many streams of events people and robots may have open at once.
const STREAMS: usize = 256;

/// How many streams strangers may have, who must not take the places of others.
const STREAMS_OF_STRANGERS: usize = 32;

/// What all requests share. Clones share it, too.
#[derive(Clone)]
pub(crate) struct Shared(Arc<Inside>);

pub(crate) struct Inside {
    pub(crate) database: Database,
    pub(crate) browse: Browse,
    pub(crate) catalog: Catalog,
    pub(crate) scans: Scans,
    pub(crate) jobs: Jobs,
    pub(crate) accounts: Accounts,
    pub(crate) audit: AuditLog,
    pub(crate) documents: Documents,
    pub(crate) authority: Authority,
    pub(crate) assessor: Option<Arc<dyn Assessor>>,
    pub(crate) cookies: Cookies,
    pub(crate) principals: Buckets<String>,
    pub(crate) addresses: Buckets<std::net::IpAddr>,
    pub(crate) assessments: Arc<Semaphore>,
    pub(crate) inventories: Arc<Semaphore>,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) streams_of_strangers: Arc<Semaphore>,
}

impl Shared {
    pub(crate) fn of(options: ServerOptions) -> Self {
        Self(Arc::new(Inside {
            browse: Browse::of(&options.database),
            catalog: Catalog::of(&options.database),
            scans: Scans::of(&options.database),
            jobs: Jobs::of(&options.database),
            accounts: options.authority.accounts().clone(),
            audit: AuditLog::of(&options.database),
            documents: Documents::default(),
            database: options.database,
            authority: options.authority,
            assessor: options.assessor,
            cookies: options.cookies,
            principals: Buckets::of(options.principal_rate),
            addresses: Buckets::of(options.address_rate),
            assessments: Arc::new(Semaphore::new(ASSESSMENTS)),
            inventories: Arc::new(Semaphore::new(INVENTORIES)),
            streams: Arc::new(Semaphore::new(STREAMS)),
            streams_of_strangers: Arc::new(Semaphore::new(STREAMS_OF_STRANGERS)),
        }))
    }
}

impl std::ops::Deref for Shared {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}
