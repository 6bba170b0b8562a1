//! `seaworthy db`: editions are built, updated and inspected.

mod build;
mod collect;
mod depot;
mod download;
mod made;
mod parcel;
mod push;
mod search;
mod status;
mod update;

pub(crate) use self::build::build;
pub(crate) use self::parcel::{export, import, trust, verify};
pub(crate) use self::push::push;
pub(crate) use self::search::{diff, search};
pub(crate) use self::status::status;
pub(crate) use self::update::update;
