//! The resources, one module each.

pub(crate) mod account;
pub(crate) mod assessment;
pub(crate) mod audit;
pub(crate) mod content;
pub(crate) mod document;
pub(crate) mod edition;
pub(crate) mod elsewhere;
pub(crate) mod event;
pub(crate) mod image;
pub(crate) mod job;
pub(crate) mod key;
pub(crate) mod member;
pub(crate) mod namespace;
pub(crate) mod report;
pub(crate) mod repository;
pub(crate) mod robot;
pub(crate) mod rules;
pub(crate) mod scan;
pub(crate) mod search;
pub(crate) mod session;
pub(crate) mod workload;
