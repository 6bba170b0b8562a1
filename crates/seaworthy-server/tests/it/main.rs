//! The API as its clients see it.

mod account;
mod ask;
mod assessment;
mod content;
mod describe;
mod event;
mod form;
mod hostile;
mod matrix;
mod page;
mod rate;
mod session;
mod world;
