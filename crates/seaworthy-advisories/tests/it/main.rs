//! Compiling and opening editions, as other rooms see it.

mod answers;
mod damage;
mod decompile;
mod delta;
mod hard_cases;
mod sample;
mod schema;
mod shared;
mod shelf;
