//! What each command does, from flags to exit code.

mod backup;
mod compare;
mod config;
mod db;
mod demo;
mod doctor;
mod scan;
mod serve;
mod support;

pub(crate) use backup::{backup, restore};
pub(crate) use compare::compare as db_compare;
pub(crate) use config::config;
pub(crate) use db::{
    build as db_build, diff as db_diff, export as db_export, import as db_import, push as db_push,
    search as db_search, status as db_status, trust as db_trust, update as db_update,
    verify as db_verify,
};
pub(crate) use demo::demo;
pub(crate) use doctor::doctor;
pub(crate) use scan::scan;
pub(crate) use serve::{serve, worker};
pub(crate) use support::support;
