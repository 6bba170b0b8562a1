//! Reading mirrors, as other rooms see it.

mod copies;
mod mirror;
mod web;
