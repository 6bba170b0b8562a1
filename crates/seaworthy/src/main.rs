//! The front door: flags, configuration, composition, printing, exit codes.
fn main() {}
