//! What Seaworthy remembers: catalog, scans, jobs, accounts and blobs.
//!
//! - [`Database`] is SQLite or PostgreSQL. Everything above it is written once:
//!   the few places where the two differ are in `sql`.
//! - [`Blobs`] is a folder or an S3-compatible store.
//! - [`Catalog`] knows repositories, tags, manifests and which blobs they hold;
//!   [`Scans`] inventories, reports and what is searched; [`Jobs`] what is still
//!   to be done; [`Accounts`] people, robots, keys and what was done by whom.
//!
//! Each method is one business act: what must happen together happens in one
//! transaction inside it, and no transaction leaves this room. A change that
//! people may ask about writes its [audit entry](AuditEntry) in the same one.
//!
//! The order is always the same: bytes are synced, renamed and their folder
//! synced, then one transaction gives them meaning, then the caller may answer.
//! Bytes without meaning are harmless and collected later.
//!
//! Deliberately absent: version order and matching (no SQL decides what is
//! affected), HTTP, and any opinion on who may do what.

mod accounts;
mod address;
mod audit;
mod backup;
mod bell;
mod blobs;
mod browse;
mod catalog;
mod clock;
mod collect;
mod jobs;
mod name;
mod packed;
mod page;
mod pulls;
mod recall;
mod scans;
mod sql;
mod standing;
mod trouble;

pub use accounts::{
    ADMIN_ROLE, Account, AccountChange, AccountKind, AccountName, AccountNameError, Accounts,
    ApiKey, ChangeAccountError, CreateAccountError, Grant, GrantError, GrantOrigin,
    InstallationSecret, KeyError, NewAccount, NewKey, NewWorkloadIdentity, Newcomer, Session,
    SessionError, StoredPassword, WorkloadIdentity, WorkloadIdentityError,
};
pub use address::{Address, AddressError, Algorithm};
pub use audit::{Actor, AuditCheck, AuditEntry, AuditLog, AuditOrder, AuditQuery};
pub use backup::{NamedBlob, Whole};
pub use bell::Bell;
pub use blobs::{
    AppendError, Appended, Blobs, BlobsOptions, FinishError, Incoming, Known, Listener, Outgoing,
    Partial, Place, S3Options, Swept, Tap,
};
pub use browse::{
    Browse, ImageFilter, ImageRow, JobFilter, JobRow, JobState, NamespaceRow, ReportRow,
    RepositoryRow, RetentionClass, Rollup, SeverityCounts, Sight, TagRow, Turn, Usage,
};
pub use catalog::{
    BeginError, Catalog, ChangeNamespaceError, CreateNamespaceError, DeleteError, Expired,
    Founding, Grace, Grave, Holdings, ManifestKind, ManifestName, NamespaceSettings, NewManifest,
    Part, PartRole, Pattern, PatternError, PushError, Pushed, RecordBlobError, Referrer, Removable,
    Removal, RetentionRule, StoredBlob, StoredManifest, StoredNamespace, Unscanned, Upload,
};
pub use clock::{Clock, Millis};
pub use collect::{CollectOptions, Collected, collect_once};
pub use jobs::{Ended, JobCount, Jobs, Lane, Lease, MOST_ATTEMPTS, NewJob};
pub use name::{NameError, Namespace, RepositoryName, Tag};
pub use packed::Packed;
pub use page::Page;
pub use scans::{
    Finding, Found, FoundPackage, ImageFact, InventoryError, KeptInventory, NewReport, RemoteScan,
    RemoteScanError, Repaired, RequestError, SaveError, Scan, Scans, Sought, decode_inventory,
    encode_inventory,
};
pub use sql::{Database, DatabaseOptions, Dialect};
pub use standing::ImageState;
pub use trouble::StoreError;
