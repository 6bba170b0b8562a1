//! The contract of the store, on each database it can be in.

mod blobs;
mod accounts;
mod audit;
mod catalog;
mod depot;
mod store;
