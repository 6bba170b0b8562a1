//! The real binary and the real tools, from outside.
