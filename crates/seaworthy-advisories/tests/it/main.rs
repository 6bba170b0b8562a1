//! Compiling and opening editions, as other rooms see it.

mod answers;
mod damage;
mod sample;
mod schema;
mod shared;
mod shelf;
