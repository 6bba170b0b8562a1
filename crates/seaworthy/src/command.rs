//! What each command does, from flags to exit code.

mod compare;
mod db;
mod scan;

pub(crate) use compare::{compare as db_compare, scheme};
pub(crate) use db::{build as db_build, status as db_status, update as db_update};
pub(crate) use scan::scan;
