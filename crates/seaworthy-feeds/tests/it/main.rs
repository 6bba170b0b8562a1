//! Reading mirrors, as other rooms see it.

mod mirror;
mod web;
