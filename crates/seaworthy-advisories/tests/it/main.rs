//! Compiling and opening editions, as other rooms see it.
