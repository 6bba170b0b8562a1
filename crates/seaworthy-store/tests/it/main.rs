//! The contract of the store, on each database it can be in.

mod accounts;
mod audit;
mod blobs;
mod catalog;
mod crash;
mod depot;
mod jobs;
mod model;
mod namespace;
mod private;
mod pusher;
mod race;
mod removal;
mod scans;
mod store;
