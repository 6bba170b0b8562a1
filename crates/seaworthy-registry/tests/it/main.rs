//! The registry as clients meet it: over TCP, with a store of its own for each test.

mod artifact;
mod client;
mod delete;
mod hostile;
mod list;
mod matrix;
mod pull;
mod push;
mod registry;
mod storage;
mod token;
mod tools;
mod upload;
