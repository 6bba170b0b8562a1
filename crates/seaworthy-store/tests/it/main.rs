//! The contract of the store, on each database it can be in.

mod blobs;
mod accounts;
mod audit;
mod catalog;
mod depot;
mod jobs;
mod removal;
mod scans;
mod store;
