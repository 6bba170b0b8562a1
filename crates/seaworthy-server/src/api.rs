//! The resources, one module each.

pub(crate) mod document;
pub(crate) mod image;
pub(crate) mod namespace;
pub(crate) mod repository;
