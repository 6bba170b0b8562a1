//! Workers on a store of their own, with layers read in this process.

mod scanning;
mod stage;
