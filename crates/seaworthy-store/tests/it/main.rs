//! The contract of the store, on each database it can be in.

mod catalog;
mod store;
