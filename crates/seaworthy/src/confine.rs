//! Hostile bytes are read by a process that can do nothing else.
//!
//! Each layer gets a child of this same binary. The parent keeps files, network
//! and credentials; it streams the layer's bytes into the child and receives
//! records back, which it reads as hostile too. The child has an empty
//! environment, no file but its three standard streams, ceilings on memory and
//! time, and, where the kernel has them, Landlock and a seccomp filter.
//!
//! The child may still lie about the one layer that took it over. It cannot
//! speak of any other: the parent computes the digest the answer is kept under.

mod child;
mod parent;
mod wire;

pub(crate) use child::{ROLE, run as run_child};
pub(crate) use parent::ConfinedReader;
