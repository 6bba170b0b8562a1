//! `seaworthy backup` and `seaworthy restore`: everything that is stored, in one file.
//!
//! A backup is a tar archive: what it is, the database at one moment, the blobs that
//! this database names, and last the SHA-256 of each. The blobs of a restore are
//! taken in as if they were pushed, so that each proves its digest once more.

mod archive;
mod restore;
mod save;

pub(crate) use restore::restore;
pub(crate) use save::backup;
