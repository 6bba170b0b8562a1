//! Reading mirrors, as other rooms see it.

mod archived;
mod copies;
mod mirror;
mod web;
