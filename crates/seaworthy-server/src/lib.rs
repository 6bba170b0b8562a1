//! Born.
